"""The verb of telling: makes the notices that are due, the morning's summaries, and hands mails to the mail server.

A round is short and bounded, and asks one question while nothing has changed. What it remembers between rounds only
saves work: told twice is prevented by the notice's own id, lost by nothing being forgotten before it is written. The
network is never waited for inside a transaction.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from threading import Event
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

from . import calendars, reminders
from .calendars import Calendar, CalendarError
from .definition import ProcessDefinition
from .instance import RUNNING, ProcessInstance
from .mail import Delayed, Mail, Mailer, Undeliverable
from .organisation import local_date
from .reminders import Facts, Reminder, Told, full, full_day
from .rules import Rules
from .store import database as databases
from .store import notices, organisation, queries, records
from .store.database import Database
from .store.notices import MAIL_ONLY, MORNING, NOTHING, SUMMARY, Notice, Reader, Standing

NAMESPACE = UUID("a1d3c6ce-0d5c-5f0f-9a0b-43c5a1f0a7d4")       # of the ids of notices
BATCH = 50                              # instances looked at in a round, mails sent in one
AGAIN = timedelta(minutes=1)            # between two looks for somebody to tell, where there is nobody
AILING = timedelta(minutes=5)           # between two looks at an instance that cannot be judged
OLD = timedelta(days=3)                 # what is older than that is no mail of its own any more
LEASE = timedelta(minutes=10)           # for one mail; longer than the mail server is waited for
BACK_OFF = tuple(timedelta(minutes=n) for n in (1, 5, 15, 60, 180))     # after each try; then it is given up
SUMMARIES = 20                          # made in a round
LISTED = 20                             # tasks named in a summary, of each kind
MIDDLE = "Asia/Makassar"                # the middle zone of the country
POLL_SECONDS = 2.0                      # between two looks for mails
LONGEST_PAUSE_SECONDS = 60.0

log = structlog.get_logger("alur.notify")


@dataclass
class Memory:
    """What one process remembers between rounds; another one starts with an empty memory and does the same."""
    next_at: dict[str, tuple[int, datetime | None]] = field(default_factory=dict)     # of an instance at a sequence
    summaries_at: datetime | None = None
    summarised: dict[str, str] = field(default_factory=dict)    # person -> the ISO day that was seen to


# Notices

def notify(database: Database, rules: Rules, at: datetime, url: str, memory: Memory | None = None,
           mails: bool = True) -> int:
    """Make the notices that are due at `at`; how many were new. At most BATCH instances are looked at.

    url    the public address, for the links.
    mails  whether mails go out at all: else what is told stays in the inbox.
    """
    memory = Memory() if memory is None else memory
    with database.read() as db:
        running = notices.running(db)
        memory.next_at = {id: seen for id, seen in memory.next_at.items() if running.get(id) == seen[0]}
        ripe = [id for id in running if id not in memory.next_at or is_ripe(memory.next_at[id][1], at)]
        ripe = sorted(ripe, key=lambda id: (id in memory.next_at, id))[:BATCH]
        if not ripe:
            return 0
        told = notices.told(db, ripe)
        people = People(db, rules)
        found = [judged(people, one, told.get(one.id, []), at, url, mails) for one in notices.standing(db, ripe)]
    made = {id: letters for id, letters, _ in found if letters}
    count = 0
    if made:
        with database.begin() as db:
            # Completed, handed over or extended meanwhile: looked at again in the next round.
            still = notices.unchanged(db, {id: running[id] for id in made})
            count = notices.put(db, [one for id in made if id in still for one in made[id]])
    else:
        still = set()
    for id, _, next_at in found:
        if id not in made or id in still:
            memory.next_at[id] = (running[id], next_at)
    return count


def is_ripe(next_at: datetime | None, at: datetime) -> bool:
    return next_at is not None and next_at <= at


def judged(people: People, one: Standing, told: Sequence[Told], at: datetime, url: str,
           mails: bool) -> tuple[str, list[Notice], datetime | None]:
    """(instance id, its notices that are due, when to look at it again). One that cannot be judged stops nobody."""
    if one.instance is None:
        return one.id, [], at + AILING
    try:
        causes = reminders.of_instance(people.rules, one.instance)
        due = reminders.due(causes, told, at)
        made, alone = [], False
        for reminder in due:
            letters = letters_of(people, one, one.instance, reminder, at, url, mails)
            made += letters or []
            alone = alone or letters is None
        next_at = reminders.next_instant(causes, at)
    except (CalendarError, LookupError, ValueError) as error:
        log.error("notices not made", instance=one.id, error=f"{type(error).__name__}: {error}")
        return one.id, [], at + AILING
    if alone:                           # nobody performs the lane now; somebody may before long
        next_at = min(next_at or at + AGAIN, at + AGAIN)
    return one.id, made, next_at


def letters_of(people: People, one: Standing, instance: ProcessInstance, reminder: Reminder, at: datetime, url: str,
               mails: bool) -> list[Notice] | None:
    """A reminder as the notices of everybody who is to be told, each once, in the position in which they are; None
    where there is nobody at all."""
    definition = people.rules.definition(instance.definition)
    on = local_date(at, one.zone)
    to = [held for lane in reminder.to for held in people.of_lane(instance, definition, lane, on)]
    copies = [held for lane in reminder.copy for held in people.of_lane(instance, definition, lane, on)]
    besides = {held[0] for lane in reminder.besides for held in people.of_lane(instance, definition, lane, on)}
    if reminder.owner is not None:
        to.append((reminder.owner, people.title_of_lane(instance, definition, reminder.to[:1], on)))
    addressee = people.title_of_lane(instance, definition, reminder.to, on)
    task = instance.user_tasks.get(reminder.user_task or 0)
    asked = task.extension if task else None
    facts = Facts(title=one.title, unit=one.unit_name, zone=one.zone, url=url, at=at,
                  names=people.names(task.owner if task else None, asked.person if asked else None,
                                     *(done.person for done in instance.passed.values())))
    known = reminders.values(people.rules, instance, reminder, facts)
    readers = people.readers([person for person, _ in (*to, *copies)], on)
    if not readers:
        return None
    made: dict[str, Notice] = {}
    for place, (person, title) in enumerate((*to, *copies)):
        reader = readers.get(person)
        if reader is None or person in made or person in besides or person == reminder.not_to:
            continue
        copied = place >= len(to)
        subject, body = reminders.letter(reminder, known, addressee if copied else title, title if copied else "")
        calendar = people.calendar(reader, instance)
        mail, after = way_out(reader, reminder.about_at, at, calendar) if mails else ("none", None)
        name = f"{instance.id}/{reminder.user_task}/{reminder.kind}/{records.instant(reminder.about_at)}/{person}"
        made[person] = Notice(
            id=str(uuid5(NAMESPACE, name)), instance=instance.id, user_task=reminder.user_task, kind=reminder.kind,
            person=person, about_at=reminder.about_at, subject=subject, body=body, created_at=at, mail=mail,
            mail_after=after)
    return list(made.values())


def way_out(reader: Reader, about_at: datetime, at: datetime, calendar: Calendar) -> tuple[str, datetime | None]:
    """What becomes of a notice outside the inbox: (`mail`, `mail_after`). Mail goes in working hours only; what arises
    outside them, or long after it was due, joins the next summary."""
    if not reader.email or reader.mail == NOTHING:
        return "none", None
    after = in_hours(at, calendar)
    if reader.mail == SUMMARY or after is None or about_at < at - OLD:
        return "digest", None
    return "waits", after


def in_hours(at: datetime, calendar: Calendar) -> datetime | None:
    """The instant from which a mail may go that arises at `at`: now, or the end of a break; None outside the day."""
    local = at.astimezone(ZoneInfo(calendar.zone))
    hours = calendar.hours(local.date())
    if not hours or not hours[0][0] <= local.time() <= hours[-1][1]:
        return None
    return max(at, calendars.counted_from(at, calendar)) if local.time() < hours[-1][1] else at


class People:
    """Who performs what, asked once each in one round."""

    def __init__(self, db: Connection, rules: Rules):
        self.db, self.rules = db, rules
        self._lanes: dict[tuple[str, str, str, date], list[tuple[str, str]]] = {}
        self._readers: dict[str, Reader | None] = {}
        self._names: dict[str, str] = {}

    def of_lane(self, instance: ProcessInstance, definition: ProcessDefinition, named: str,
                on: date) -> list[tuple[str, str]]:
        """(person id, the position in which they are addressed) of everybody who performs a lane of an instance now:
        its own team where it has one, else who acts in the bound position. Of another office in which nobody does: who
        may record for it.

        named  a lane, or a role in one: "tim_penyusun:ketua".
        """
        id, _, role = named.partition(":")
        lane = definition.lane(id)
        if id in instance.team:
            label = lane.name if lane else id
            return [(person, f"{reminders.ROLES.get(one, one.capitalize())} {label}")
                    for person, one in instance.team[id] if role in ("", one)]
        found = self._holders(instance.key, id, instance.unit, on)
        if found or lane is None or not lane.other_office:
            return found
        return [held for other in lane.recorded_by if other.partition(":")[0] != id
                for held in self.of_lane(instance, definition, other, on)]

    def _holders(self, key: str, lane: str, unit: str, on: date) -> list[tuple[str, str]]:
        asked = (key, lane, unit, on)
        if asked not in self._lanes:
            position = notices.position_of_lane(self.db, key, lane, unit)
            held = organisation.holders(self.db, position, on) if position else ()
            self._lanes[asked] = [(one.person, acting(one.capacity, one.position_name)) for one in held]
        return self._lanes[asked]

    def title_of_lane(self, instance: ProcessInstance, definition: ProcessDefinition, named: Sequence[str],
                      on: date) -> str:
        """To whom a letter to lanes speaks: the position of one person, the lane's name of many."""
        found = []
        for one in named:
            titles = {title for _, title in self.of_lane(instance, definition, one, on)}
            lane = definition.lane(one.partition(":")[0])
            found.append(next(iter(titles)) if len(titles) == 1 else lane.name if lane else one)
        return ", ".join(dict.fromkeys(found))

    def readers(self, ids: Iterable[str], on: date) -> Mapping[str, Reader]:
        new = set(ids) - self._readers.keys()
        if new:
            found = notices.readers(self.db, new, on)
            self._readers |= {id: found.get(id) for id in new}
        return {id: one for id, one in self._readers.items() if one is not None}

    def names(self, *ids: str | None) -> Mapping[str, str]:
        new = {id for id in ids if id} - self._names.keys()
        if new:
            self._names |= dict.fromkeys(new, "") | organisation.names(self.db, new)
        return {id: name for id, name in self._names.items() if name}

    def calendar(self, reader: Reader, instance: ProcessInstance) -> Calendar:
        """The hours of the office in which somebody works; of one without, those of the instance's unit."""
        return self.rules.calendar(reader.calendar or instance.calendars[""])


def acting(capacity: str, position: str) -> str:
    """`Plh. Camat Lasem`; the position alone of whoever holds it definitively."""
    return {"plh": "Plh. ", "plt": "Plt. "}.get(capacity, "") + position


# The morning's summary

def summarise(database: Database, rules: Rules, at: datetime, url: str, memory: Memory | None = None) -> int:
    """Make the summaries of those whose working day has begun, one a person and working day; how many."""
    memory = Memory() if memory is None else memory
    if memory.summaries_at is not None and timedelta(0) < memory.summaries_at - at <= AGAIN:
        return 0
    with database.read() as db:
        # In working hours the date is the same in all zones of the country.
        waiting: dict[str, tuple[Reader, Calendar, str]] = {}
        for one in notices.wanting_a_summary(db, local_date(at, MIDDLE)).values():
            calendar = rules.calendar(one.calendar) if one.calendar else calendars.five_days()
            day = local_date(at, calendar.zone).isoformat()
            if in_hours(at, calendar) is not None and memory.summarised.get(one.id) != day:
                waiting[one.id] = (one, calendar, day)
        done = notices.summarised(db, waiting, {day for _, _, day in waiting.values()}) if waiting else set()
    memory.summarised |= {id: day for id, day in done if id in waiting and waiting[id][2] == day}
    left = [found for id, found in waiting.items() if (id, found[2]) not in done]
    count = 0
    for reader, calendar, day in left[:SUMMARIES]:
        with database.begin() as db:
            count += summary_of(db, rules, reader, calendar, day, at, url)
        memory.summarised[reader.id] = day
    memory.summaries_at = at + AGAIN if len(left) <= SUMMARIES else None
    return count


def summary_of(db: Connection, rules: Rules, reader: Reader, calendar: Calendar, day: str, at: datetime,
               url: str) -> bool:
    """Make one person's summary of the day, to be sent as a mail of its own; False where there is nothing to say."""
    if not notices.begin_summary(db, reader.id, day, at):
        return False
    gathered = notices.gathered(db, reader.id)
    tasks, owed = waiting_for(db, rules, reader.id, at)
    id = str(uuid5(NAMESPACE, f"{MORNING}/{day}/{reader.id}"))
    notices.join(db, reader.id, id)
    if not gathered and not tasks and not owed:
        return False
    held = organisation.positions_of(db, reader.id, local_date(at, calendar.zone))
    title = acting(held[0].capacity, held[0].position_name) if held else reader.name
    today = local_date(at, calendar.zone)
    named = {(task.instance, task.number) for task, _ in tasks}
    said = [one for one in gathered if one.kind not in (reminders.NEW, reminders.RETURNED)
            or (one.instance, one.user_task) not in named]
    late = [(task, element) for task, element in tasks if task.late_at and task.late_at < at]
    due = [(task, element) for task, element in tasks
           if task.late_at and task.late_at >= at and local_date(task.late_at, task.zone) <= today]
    rest = [found for found in tasks if found not in late and found not in due]
    parts = [[core_of(one) for one in said], *([task_line(task, name, url) for task, name in some]
                                               for some in (late, due, rest)), list(owed)]
    heads = ("Sejak jam kerja terakhir", "Terlambat", "Jatuh tempo hari ini", "Menunggu",
             "Dokumen menyusul yang dijanjikan hari ini")
    lines = [f"Yth. {title},", "", f"Ringkasan tugas Bapak/Ibu, {full_day(today)}."]
    for head, found in zip(heads, parts, strict=True):
        if found:
            lines += ["", f"{head} ({len(found)}):", *(f"- {one}" for one in found[:LISTED])]
            lines += [f"- dan {len(found) - LISTED} lainnya"] if len(found) > LISTED else []
    notices.put(db, [Notice(
        id=id, instance="", user_task=None, kind=MORNING, person=reader.id, about_at=at,
        subject=f"Ringkasan tugas, {full_day(today)}", body="\n".join([*lines, "", f"Kotak Tugas: {url}/"]),
        created_at=at, seen_at=at, mail="waits", mail_after=at)])
    return True


def core_of(one: Notice) -> str:
    """A notice without its address: what it says, and its link."""
    return "\n  ".join(line for line in one.body.splitlines()[1:] if line)


def task_line(task: queries.OpenTask, name: str, url: str) -> str:
    limit = f", paling lambat {full(task.late_at, task.zone)}" if task.late_at else ""
    return f"{name}, {task.title}{limit}\n  {url}/tugas/{task.instance}/{task.number}"


def waiting_for(db: Connection, rules: Rules, person: str,
                at: datetime) -> tuple[list[tuple[queries.OpenTask, str]], list[str]]:
    """(open user tasks that wait for a person, each with its step's name, the most urgent first; the documents that
    they are to bring today)."""
    on = local_date(at, MIDDLE)
    performs: dict[queries.Pair, set[str]] = {}
    for one in organisation.serves(db, person, on):
        lanes = performs.setdefault((one.key, one.unit), set())
        lanes |= set() if one.only_reads else {one.lane}
    found = [task for task in queries.open_tasks(db, person, performs) if task.status == RUNNING]
    tasks = []
    for task in found:
        definition = rules.definition(task.definition)
        mine = performs.get((task.key, task.unit), set())
        lane = definition.lane(task.lane)
        records = bool(lane and lane.other_office and mine & {one.partition(":")[0] for one in lane.recorded_by}
                       and not organisation.who_performs(db, task.key, task.lane, task.unit, on))
        if (bool(task.role) if task.has_team else task.lane in mine) or records:
            tasks.append((task, reminders.step(definition.elements[task.element])))
    owed = []
    for standing in notices.standing(db, {task.instance for task in found}):
        instance = standing.instance
        for promise in instance.owed.values() if instance else ():
            today = local_date(at, standing.zone).isoformat()
            if instance and promise.promised == today and is_theirs(instance, promise.lane, promise.person, person,
                                                                    performs):
                field = rules.definition(instance.definition).fields.get(promise.document)
                owed.append(f"{field.label if field else promise.document}, {standing.title}")
    return tasks, owed


def is_theirs(instance: ProcessInstance, lane: str | None, promised_by: str, person: str,
              performs: Mapping[queries.Pair, set[str]]) -> bool:
    """Whether a promised document is a person's to bring: they promised it, or perform the lane in which it was."""
    if promised_by == person or lane is None:
        return promised_by == person
    if lane in instance.team:
        return any(member == person for member, _ in instance.team[lane])
    return lane in performs.get((instance.key, instance.unit), set())


# Mails

def deliver(database: Database, rules: Rules, mailer: Mailer, at: datetime) -> int:
    """Send the mails whose time has come, at most BATCH; how many the server took.

    Each is claimed before and settled after, in transactions of their own: two processes send none twice, and one that
    dies in between leaves it to be sent again, as the same mail, when its claim has run out.
    """
    with database.read() as db:
        waiting = notices.to_send(db, at, BATCH)
        readers = notices.readers(db, (one.person for one in waiting), local_date(at, MIDDLE)) if waiting else {}
    sent = 0
    with mailer.mailing() as mailing:
        for one in waiting:
            reader = readers.get(one.person)
            if not may_go(database, rules, one, reader, at) or reader is None:
                continue
            with database.begin() as db:
                if not notices.claim(db, one, at + LEASE):
                    continue
            try:
                mailing.send(Mail(id=one.id, to=reader.email or "", subject=one.subject, body=one.body,
                                  at=one.created_at))
            except Undeliverable as refused:
                log.warning("mail refused", notice=one.id, said=str(refused))
                settle(database, one, "failed")
            except Delayed as delayed:
                after = BACK_OFF[one.tries] if one.tries < len(BACK_OFF) else None
                log.warning("mail delayed", notice=one.id, tries=one.tries + 1, said=str(delayed))
                settle(database, one, "waits" if after else "failed", after=at + after if after else None)
                if delayed.lost:
                    break
            else:
                sent += 1
                settle(database, one, "sent", sent_at=at)
    return sent


def settle(database: Database, one: Notice, mail: str, after: datetime | None = None,
           sent_at: datetime | None = None) -> None:
    with database.begin() as db:
        notices.settle(db, one.id, mail, after=after, sent_at=sent_at)


def may_go(database: Database, rules: Rules, one: Notice, reader: Reader | None, at: datetime) -> bool:
    """Whether a mail may go now. It may not to who left, wants none, or is at home: then it is put where it belongs."""
    if reader is None or not reader.email or reader.mail == NOTHING:
        settle(database, one, "none")
        return False
    calendar = rules.calendar(reader.calendar) if reader.calendar else calendars.five_days()
    after = in_hours(at, calendar)
    if after is not None and after <= at:
        return True
    if after is None and one.kind in MAIL_ONLY:
        after = calendars.next_opening(at, calendar)
    settle(database, one, "waits" if after else "digest", after=after)
    return False


def keep_posting(database: Database, rules: Rules, mailer: Mailer, url: str, stop: Event) -> None:
    """Make summaries and send mails until `stop` is set: in a thread of its own, so that a mail server that does not
    answer delays no timer."""
    memory, failed = Memory(), 0
    while not stop.is_set():
        try:
            with database.read() as db:
                at = databases.now(db)
            summarise(database, rules, at, url, memory)
            deliver(database, rules, mailer, at)
            failed = 0
        except Exception as error:
            failed += 1
            log.error("mail round failed", failed=failed, error=f"{type(error).__name__}: {error}")
        stop.wait(min(POLL_SECONDS * 2 ** failed, LONGEST_PAUSE_SECONDS))
