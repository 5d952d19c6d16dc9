"""A person's agenda: the due dates of what waits for them, as a calendar program reads it (RFC 5545).

VEVENTs and not VTODOs: calendar programs ignore to-dos in what they subscribe to. An event ends at the due instant, so
that it stands where the limit is. What is done, or another's by now, comes once more as CANCELLED, so that programs
which keep what they have once read take it out.

An event says what the inbox says without being opened: step, process, until when. Nothing that anybody typed.
"""
from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
from sqlalchemy import Connection

from .definition import ProcessDefinition
from .events import (
    DueDatesMoved,
    ExtensionGranted,
    TeamAppointed,
    UserTaskCancelled,
    UserTaskClaimed,
    UserTaskCompleted,
    UserTaskMoved,
    UserTaskOpened,
    UserTaskReassigned,
    UserTaskRecalled,
)
from .instance import SUSPENDED, ProcessInstance, Step, UserTask
from .organisation import STREAM, local_date
from .rules import Rules
from .store import feeds, instances, organisation

TAKEN_OUT_FOR = timedelta(days=60)          # how long what is over still comes as cancelled
LASTS = timedelta(minutes=30)               # of an event: long enough to be seen, and it ends at the due instant
ROWS_MOST = 1_000                           # newest journal rows of an instance that are asked what is over
REMEMBERED_MOST = 500                       # instances whose past is kept in memory


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One event of an agenda. `uid` stays the same for ever; `sequence` never goes back."""
    uid: str
    sequence: int
    changed_at: datetime
    summary: str
    description: str
    address: str
    category: str
    starts: datetime | date                 # a date: all that day
    ends: datetime | date                   # not included
    cancelled: bool = False


# What is in it

def entries(db: Connection, rules: Rules, who: feeds.Feed, now: datetime, url: str) -> list[Entry]:
    """What stands in a person's agenda now, by due date.

    db   any connection; nothing is written.
    url  the public address of this installation, without a slash at its end.
    """
    since = max(now - TAKEN_OUT_FOR, who.created_at)    # what was over before, no calendar program has ever seen
    held = feeds.performed(db, who.person, (since - timedelta(days=1)).date(), (now + timedelta(days=1)).date())
    rights = feeds.rows(db, STREAM)
    found: list[Entry] = []
    for stand in feeds.stands(db, who.person, {(one.key, one.unit) for one in held}, since):
        one, today = stand.instance, local_date(now, stand.zone)
        performs = {right.lane for right in organisation.performs(db, who.person, one.key, one.unit, today)}
        mine = [lane for lane in held if (lane.key, lane.unit) == (one.key, one.unit)]
        assert one.started_at is not None, "a stored instance has begun"
        found += told(
            stand, rules.definition(one.definition), past_of(db, stand), who.person, performs, mine, since, now,
            # Rights change by acts of the organisation and by the mere date, and none of them is a step of the
            # instance: together these only grow, so what is taken out is always newer than what was put in.
            sequence=one.sequence + rights + max(0, (today - local_date(one.started_at, stand.zone)).days),
            address=f"{url}/proses/{one.id}", task_address=f"{url}/tugas/{one.id}")
    return sorted(found, key=lambda entry: (str(entry.starts), entry.uid))


def told(stand: feeds.Stand, definition: ProcessDefinition, past: Past, person: str, performs: Collection[str],
         held: Collection[feeds.Performed], since: datetime, now: datetime, *, sequence: int, address: str,
         task_address: str) -> list[Entry]:
    """What an agenda says of one process instance.

    performs  the lanes that the person performs now, by their positions; a team of the instance's own goes before.
    held      the lanes that their positions have performed since `since`, with the days of each.
    """
    one, found = stand.instance, []

    def is_theirs(task: UserTask) -> bool:
        team = one.team.get(task.lane)
        return task.owner in (None, person) and (person in dict(team) if team else task.lane in performs)

    def was_theirs(task: Known, until: datetime) -> bool:
        if person in task.owners:
            return True
        if task.lane in past.teams or task.lane in one.team:
            return person in past.teams.get(task.lane, ()) or person in dict(one.team.get(task.lane, ()))
        days = local_date(task.opened_at, stand.zone).isoformat(), local_date(until, stand.zone).isoformat()
        return any(lane.lane == task.lane and lane.valid_from <= days[1] and days[0] <= (lane.valid_until or days[0])
                   for lane in held)

    def entry(task: Known, changed_at: datetime, cancelled: bool) -> Entry | None:
        element = definition.elements.get(task.element)
        if task.late_at is None or element is None:     # the SOP gives it no time
            return None
        name = f"{element.number} · {element.name}" if element.number else element.name or element.id
        lane, due = definition.lane(task.lane), task.late_at.astimezone(ZoneInfo(stand.zone))
        return Entry(
            uid=f"{one.id}-{task.number}@alur", sequence=sequence, changed_at=changed_at, cancelled=cancelled,
            summary=line(f"{name} · {short(stand.title)}{suspended(one)}"), category=line(definition.name),
            description=f"{line(stand.unit_name)}, {line(lane.name if lane else task.lane)}.\n"
                        f"Paling lambat pukul {due:%H.%M} {due.tzname()}.\nBuka tugas: {task_address}/{task.number}",
            address=f"{task_address}/{task.number}", starts=task.late_at - LASTS, ends=task.late_at)

    assert one.last_at is not None, "a stored instance has a newest step"
    for task in one.user_tasks.values():
        known = replace(past.tasks.get(task.number) or Known.of(task), late_at=task.late_at)
        if is_theirs(task):
            found.append(entry(known, one.last_at, cancelled=False))
            continue
        # Either somebody else has taken it, or the person's position or team is not what it was.
        taken_at = task.claimed_at if task.owner not in (None, person) else None
        if (taken_at or now) >= since and was_theirs(known, taken_at or now):
            found.append(entry(known, one.last_at, cancelled=True))
    for known in past.tasks.values():
        if known.number not in one.user_tasks and known.closed_at and known.closed_at >= since:
            if was_theirs(known, known.closed_at):
                found.append(entry(known, known.closed_at, cancelled=True))
    if performs or any(person in dict(team) for team in one.team.values()):
        found.append(deadline(stand, definition, since, sequence, address))
    return [one for one in found if one is not None]


def deadline(stand: feeds.Stand, definition: ProcessDefinition, since: datetime, sequence: int,
             address: str) -> Entry | None:
    """The day that the whole process must be done by. It ends with the day before the instant of its timer."""
    one, drawn = stand.instance, definition.deadline
    if one.deadline_at is None or drawn is None:
        return None
    met = one.passed.get(drawn.satisfied_by or "")
    over_at = met.at if met else one.ended_at
    if over_at and over_at < since:
        return None
    day = local_date(one.deadline_at - timedelta(microseconds=1), stand.zone)
    changed_at = over_at or one.last_at
    assert changed_at is not None, "a stored instance has a newest step"
    return Entry(
        uid=f"{one.id}-tenggat@alur", sequence=sequence, changed_at=changed_at, cancelled=over_at is not None,
        summary=line(f"{drawn.name or 'Tenggat'} {stand.title}{suspended(one)}"), category=line(definition.name),
        description=f"{line(stand.unit_name)}.\nBuka berkas proses: {address}", address=address,
        starts=day, ends=day + timedelta(days=1))


def short(title: str) -> str:
    """`LKjPD 2026` of "LKjPD Tahun 2026": calendar programs show little of a line."""
    return title.replace(" Tahun ", " ")


def line(text: str) -> str:
    """A text without breaks, which a name in a diagram may have."""
    return " ".join(text.split())


def suspended(instance: ProcessInstance) -> str:
    return " (ditangguhkan)" if instance.status == SUSPENDED else ""


# What was in it

@dataclass(frozen=True, kw_only=True)
class Known:
    """A user task, open or over, as far as an agenda must know it."""
    number: int
    element: str
    lane: str
    opened_at: datetime
    late_at: datetime | None
    owners: frozenset[str] = frozenset()    # whoever had it at some time
    closed_at: datetime | None = None

    @classmethod
    def of(cls, task: UserTask) -> Known:
        return cls(number=task.number, element=task.element, lane=task.lane, opened_at=task.opened_at,
                   late_at=task.late_at, owners=frozenset({task.owner} if task.owner else ()))


@dataclass(frozen=True, kw_only=True)
class Past:
    tasks: Mapping[int, Known] = field(default_factory=dict)
    teams: Mapping[str, frozenset[str]] = field(default_factory=dict)   # lane -> whoever was in its team


def fold(steps: Iterable[Step]) -> Past:
    """The user tasks that were opened in these steps, and what became of them."""
    tasks: dict[int, Known] = {}
    teams: dict[str, frozenset[str]] = {}
    for step in steps:
        for event in step.events:
            if isinstance(event, UserTaskOpened):
                tasks[event.user_task] = Known(number=event.user_task, element=event.element, lane=event.lane,
                                               opened_at=step.command.at, late_at=event.late_at)
            elif isinstance(event, TeamAppointed):
                teams[event.lane] = teams.get(event.lane, frozenset()) | {id for id, _role in event.members}
            elif (known := tasks.get(getattr(event, "user_task", None) or 0)) is not None:
                tasks[known.number] = after(known, event, step.command.at)
    return Past(tasks=tasks, teams=teams)


def after(known: Known, event: object, at: datetime) -> Known:
    """What an event makes of a user task that it is about."""
    match event:
        case UserTaskClaimed(_, person) | UserTaskReassigned(_, person, _):
            return replace(known, owners=known.owners | ({person} if person else set()))
        case UserTaskCompleted() | UserTaskCancelled():
            return replace(known, closed_at=at)
        case UserTaskRecalled():
            return replace(known, closed_at=None)
        case ExtensionGranted() | DueDatesMoved():
            return replace(known, late_at=event.late_at)
        case UserTaskMoved():
            return replace(known, element=event.element, lane=event.lane)
    return known


remembered: dict[bytes, Past] = {}


def past_of(db: Connection, stand: feeds.Stand) -> Past:
    """What the newest journal rows of an instance tell; read once for each state, which its newest hash names."""
    found = remembered.get(stand.head)
    if found is None:
        one = stand.instance
        found = fold(step for step, _entry in instances.steps(db, one.id, max(0, one.sequence - ROWS_MOST)))
        if len(remembered) >= REMEMBERED_MOST:
            remembered.clear()
        remembered[stand.head] = found
    return found


# How a calendar program reads it

def calendar(found: Iterable[Entry]) -> bytes:
    """The entries as a file of media type text/calendar: the same entries, the same bytes."""
    file = icalendar.Calendar()
    file.add("prodid", "-//Alur//Agenda//ID")
    file.add("version", "2.0")
    file.add("calscale", "GREGORIAN")
    for name in ("name", "x-wr-calname"):   # RFC 7986, and what was there before it
        file.add(name, "Tugas Alur")
    file.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    file.add("x-published-ttl", "PT1H")
    for one in found:
        event = icalendar.Event()
        event.add("uid", one.uid)
        event.add("sequence", one.sequence)
        event.add("dtstamp", one.changed_at.replace(microsecond=0))
        event.add("last-modified", one.changed_at.replace(microsecond=0))
        event.add("dtstart", whole_seconds(one.starts))
        event.add("dtend", whole_seconds(one.ends))
        event.add("summary", one.summary)
        event.add("description", one.description)
        event.add("url", one.address)
        event.add("categories", [one.category])
        event.add("status", "CANCELLED" if one.cancelled else "CONFIRMED")
        event.add("transp", "TRANSPARENT")  # a limit is no appointment: nobody is busy at it
        file.add_component(event)
    return file.to_ical()


def whole_seconds(at: datetime | date) -> datetime | date:
    return at.replace(microsecond=0) if isinstance(at, datetime) else at
