"""What people are told: notices in the inbox, the same by e-mail, the morning's summary, and how each wants to be told.

A notice is made once: its id comes from what it is about and for whom. `mail` says what becomes of it outside:

    waits    to be sent by itself, from `mail_after` on      sent    it was; `sent_at` says when
    digest   joins the summary of the next opening           joined  it stands in a summary
    none     stays in the inbox                              failed  given up; administrators see it

None of this is a fact of a process instance: the journal knows nothing of it, and a lost mail changes nothing.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, and_, bindparam, case, exists, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ..instance import RUNNING, ProcessInstance
from ..reminders import ASKED, NEW, RETURNED, Told
from . import instances, records
from .organisation import HELD, REPLACED
from .prepared import Prepared
from .schema import (
    audit_assignment,
    binding,
    calendar_unit,
    digest,
    holding,
    instance,
    notice,
    person,
    position,
    power,
    unit,
    user_task,
)
from .schema import preference as preferences

AT_ONCE, SUMMARY, NOTHING = "langsung", "ringkasan", "tidak"
MAILS = (AT_ONCE, SUMMARY, NOTHING)
MORNING = "ringkasan"                       # the kind of a notice that is itself a summary: mail only
CHECKPOINT = "titik_periksa"                # of the journal, for auditors: mail only
MAIL_ONLY = (MORNING, CHECKPOINT)
MOST = 200
_shown = and_(*(notice.c.kind != kind for kind in MAIL_ONLY))   # a prepared statement has no lists


@dataclass(frozen=True, kw_only=True)
class Notice:
    id: str
    instance: str                           # "" of a summary
    user_task: int | None                   # None: about the whole instance
    kind: str                               # one of engine/reminders.py, or MORNING
    person: str
    about_at: datetime
    subject: str
    body: str
    created_at: datetime
    seen_at: datetime | None = None
    mail: str = "none"
    mail_after: datetime | None = None
    tries: int = 0
    sent_at: datetime | None = None

    @property
    def said(self) -> str:
        """What it says, without whom it speaks to and the address: a page has a link instead."""
        lines = self.body.splitlines()
        if lines and lines[0].startswith("Yth. "):
            lines = lines[1:]
        if lines and "://" in lines[-1]:
            lines = lines[:-1]
        return " ".join(line for line in lines if line) or self.body


# The inbox

_newest = (notice.c.created_at.desc(), notice.c.id)
OF_PERSON = Prepared(select(notice).where(notice.c.person == bindparam("person"), _shown)
                     .order_by(*_newest).limit(bindparam("most")))
UNREAD = Prepared(select(notice).where(notice.c.person == bindparam("person"), _shown,
                                       notice.c.seen_at.is_(None)).order_by(*_newest).limit(bindparam("most")))
# A user task that is over needs no reminder any more.
_still = or_(notice.c.user_task.is_(None), exists().where(
    user_task.c.instance == notice.c.instance, user_task.c.number == notice.c.user_task))
PRESSING = Prepared(select(notice).where(
    notice.c.person == bindparam("person"),
    and_(*(notice.c.kind != kind for kind in (MORNING, NEW, RETURNED, ASKED))),  # they stand there themselves
    notice.c.instance != "",                # a change of the organisation: it stands above the tasks by itself
    notice.c.seen_at.is_(None), _still).order_by(*_newest).limit(bindparam("most")))
COUNT = Prepared(select(func.count()).select_from(notice).where(
    notice.c.person == bindparam("person"), _shown, notice.c.seen_at.is_(None)))


def of_person(db: Connection, person: str, most: int = MOST) -> list[Notice]:
    """What a person was told, the newest first."""
    return [_notice(row) for row in OF_PERSON(db, person=person, most=most)]


def unread(db: Connection, person: str, most: int = MOST) -> list[Notice]:
    """What a person was told and has not marked as read, the newest first."""
    return [_notice(row) for row in UNREAD(db, person=person, most=most)]


def pressing(db: Connection, person: str, most: int) -> list[Notice]:
    """Of what a person has not read the reminders about what is open still, the newest first. That a task came is not
    among them: the inbox shows the task itself."""
    return [_notice(row) for row in PRESSING(db, person=person, most=most)]


def count_unread(db: Connection, person: str) -> int:
    found: int = COUNT(db, person=person).scalar()
    return found


def mark_read(db: Connection, person: str, ids: Iterable[str] | Literal["all"], at: datetime) -> int:
    """Mark a person's own notices as read; how many were not yet. Other people's are left alone."""
    mine = and_(notice.c.person == person, notice.c.seen_at.is_(None), _shown)
    if ids != "all":
        mine = and_(mine, notice.c.id.in_(sorted(set(ids))))
    return db.execute(update(notice).where(mine).values(seen_at=records.instant(at))).rowcount


def _notice(row: Any) -> Notice:
    return Notice(
        id=row.id, instance=row.instance, user_task=row.user_task, kind=row.kind, person=row.person,
        about_at=records.moment(row.about_at), subject=row.subject, body=row.body,
        created_at=records.moment(row.created_at), seen_at=_moment(row.seen_at), mail=row.mail,
        mail_after=_moment(row.mail_after), tries=row.tries, sent_at=_moment(row.sent_at))


def _moment(text: str | None) -> datetime | None:
    return records.moment(text) if text else None


def _text(at: datetime | None) -> str | None:
    return records.instant(at) if at else None


# How each wants to be told

def preference(db: Connection, person: str) -> str:
    """How a person wants mail: `langsung`, `ringkasan` or `tidak`. Who has said nothing: langsung."""
    found: str | None = db.execute(select(preferences.c.mail).where(preferences.c.person == person)).scalar()
    return found or AT_ONCE


def set_preference(db: Connection, person: str, mail: str, at: datetime) -> None:
    """From now on a person gets mail so; what waits follows. Raises ValueError for no such way."""
    if mail not in MAILS:
        raise ValueError(f"'{mail}' is no way of being told; expected one of {', '.join(MAILS)}")
    values = {"mail": mail, "changed_at": records.instant(at)}
    if not db.execute(update(preferences).where(preferences.c.person == person).values(values)).rowcount:
        _put(db, preferences, [{"person": person, **values}])
    before = {AT_ONCE: (), SUMMARY: ("waits",), NOTHING: ("waits", "digest")}[mail]
    if before:
        mine = and_(notice.c.person == person, notice.c.mail.in_(before))
        db.execute(update(notice).where(mine).values(mail="digest" if mail == SUMMARY else "none", mail_after=None))


def _put(db: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows, leaving alone those that are there already; how many were new."""
    kind = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    if not rows:
        return 0
    new = kind(table).values(list(rows)).on_conflict_do_nothing().returning(next(iter(table.primary_key.columns)))
    return len(db.execute(new).all())


# Making them

RUNNING_NOW = Prepared(select(instance.c.id, instance.c.sequence).where(instance.c.status == RUNNING))


def running(db: Connection) -> dict[str, int]:
    """Every running instance and the sequence of its newest Step: as long as that is the same, so is the instance."""
    return dict(RUNNING_NOW(db))


class Standing(NamedTuple):
    """A process instance as it stands, with what a text needs besides; None where its row cannot be read."""
    id: str
    instance: ProcessInstance | None
    title: str
    unit_name: str
    zone: str


def standing(db: Connection, ids: Iterable[str]) -> list[Standing]:
    """These instances as they stand, by id."""
    found = (select(instance, unit.c.name.label("unit_name"), unit.c.zone).join(unit, unit.c.id == instance.c.unit)
             .where(instance.c.id.in_(sorted(set(ids)))).order_by(instance.c.id))
    return [Standing(row.id, _readable(row), row.title, row.unit_name, row.zone) for row in db.execute(found)]


def _readable(row: Any) -> ProcessInstance | None:
    try:
        return instances.from_row(row)
    except Exception:                       # one that cannot be read is the doctor's matter, and stops nobody
        return None


def told(db: Connection, ids: Iterable[str]) -> dict[str, list[Told]]:
    """Instance -> the notices that were made about it, each once, however many people got it."""
    found = (select(notice.c.instance, notice.c.user_task, notice.c.kind, notice.c.about_at,
                    func.max(notice.c.created_at))
             .where(notice.c.instance.in_(sorted(set(ids))))
             .group_by(notice.c.instance, notice.c.user_task, notice.c.kind, notice.c.about_at))
    by_instance: dict[str, list[Told]] = {}
    for id, number, kind, about_at, created_at in db.execute(found):
        by_instance.setdefault(id, []).append(
            Told(number, kind, records.moment(about_at), records.moment(created_at)))
    return by_instance


def unchanged(db: Connection, seen: Mapping[str, int]) -> set[str]:
    """Of instances with the sequence at which they were looked at, those that run and stand there still."""
    found = select(instance.c.id, instance.c.sequence).where(
        instance.c.id.in_(sorted(seen)), instance.c.status == RUNNING)
    return {id for id, sequence in db.execute(found) if seen[id] == sequence}


def put(db: Connection, made: Iterable[Notice]) -> int:
    """Keep notices, in the order of their ids so that no two workers wait for each other; how many were new."""
    rows = [{"id": one.id, "instance": one.instance, "user_task": one.user_task, "kind": one.kind,
             "person": one.person, "about_at": records.instant(one.about_at), "subject": one.subject, "body": one.body,
             "created_at": records.instant(one.created_at), "seen_at": _text(one.seen_at), "mail": one.mail,
             "mail_after": _text(one.mail_after), "tries": one.tries, "sent_at": _text(one.sent_at)}
            for one in sorted(made, key=lambda one: one.id)]
    return sum(_put(db, notice, rows[place:place + MOST]) for place in range(0, len(rows), MOST))


POSITION = Prepared(select(binding.c.position).where(
    binding.c.key == bindparam("key"), binding.c.lane == bindparam("lane"), binding.c.unit == bindparam("unit")))


def position_of_lane(db: Connection, key: str, lane: str, unit: str) -> str | None:
    """The position that performs a lane for a unit; None while the lane is bound to nobody."""
    found: str | None = POSITION(db, key=key, lane=lane, unit=unit).scalar()
    return found


class Reader(NamedTuple):
    """Somebody who may be told, and how."""
    id: str
    name: str
    email: str | None
    mail: str                               # langsung | ringkasan | tidak
    calendar: str | None                    # SHA-256 of the calendar of the office they work in; None: it has none


_reader = (select(person.c.id, person.c.name, person.c.email, func.coalesce(preferences.c.mail, AT_ONCE).label("mail"))
           .outerjoin(preferences, preferences.c.person == person.c.id).where(person.c.active == 1))


def readers(db: Connection, ids: Iterable[str], on: date) -> dict[str, Reader]:
    """Of these people the active ones, each with the calendar of the position that they hold on a date, the definitive
    one first."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    return _with_calendars(db, db.execute(_reader.where(person.c.id.in_(wanted))).all(), on)


def _with_calendars(db: Connection, rows: Sequence[Any], on: date) -> dict[str, Reader]:
    held = (select(holding.c.person, calendar_unit.c.sha256).select_from(holding)
            .join(position, position.c.id == holding.c.position)
            .join(calendar_unit, calendar_unit.c.unit == position.c.unit)
            .where(holding.c.person.in_([row.id for row in rows]), HELD, ~REPLACED)
            .order_by(holding.c.person, case((holding.c.capacity == "definitif", 1), else_=0), position.c.name.desc()))
    found = db.execute(held, {"on": on.isoformat()})
    calendars = {row.person: row.sha256 for row in found}      # of several the last one stays
    return {row.id: Reader(row.id, row.name, row.email, row.mail, calendars.get(row.id)) for row in rows}


def auditors(db: Connection, on: date) -> list[str]:
    """The active people who may read as auditors on a day, of whatever unit: by a surat tugas, or by the old power."""
    day, one = on.isoformat(), audit_assignment.c
    found = (select(person.c.id)
             .where(person.c.active == 1, or_(
                 exists().where(power.c.person == person.c.id, power.c.power == "auditor"),
                 exists().where(one.person == person.c.id, one.valid_from <= day, one.valid_until >= day)))
             .order_by(person.c.id))
    return list(db.execute(found).scalars())


# The mail of each by itself

def to_send(db: Connection, at: datetime, most: int) -> list[Notice]:
    """Notices whose mail waits and whose time has come, the longest first."""
    found = (select(notice).where(notice.c.mail == "waits", notice.c.mail_after <= records.instant(at))
             .order_by(notice.c.mail_after, notice.c.id).limit(most))
    return [_notice(row) for row in db.execute(found)]


def claim(db: Connection, one: Notice, until: datetime) -> bool:
    """Take the sending of a mail upon oneself until an instant; False where somebody else did, or it waits no more."""
    mine = and_(notice.c.id == one.id, notice.c.mail == "waits", notice.c.mail_after == _text(one.mail_after))
    return db.execute(update(notice).where(mine).values(
        mail_after=records.instant(until), tries=notice.c.tries + 1)).rowcount == 1


def settle(db: Connection, id: str, mail: str, *, after: datetime | None = None,
           sent_at: datetime | None = None) -> None:
    """What became of a mail that waited."""
    db.execute(update(notice).where(notice.c.id == id, notice.c.mail == "waits").values(
        mail=mail, mail_after=_text(after), sent_at=_text(sent_at)))


def failed(db: Connection, most: int = MOST) -> list[Notice]:
    """Notices whose mail was given up, the newest first: for administrators."""
    return [_notice(row) for row in db.execute(
        select(notice).where(notice.c.mail == "failed").order_by(*_newest).limit(most))]


def mails(db: Connection, at: datetime) -> tuple[int, int]:
    """(how many mails should have gone by `at` and wait, how many were given up)."""
    waits = and_(notice.c.mail == "waits", notice.c.mail_after <= records.instant(at))
    counts = [db.execute(select(func.count()).select_from(notice).where(which)).scalar_one()
              for which in (waits, notice.c.mail == "failed")]
    return counts[0], counts[1]


def try_again(db: Connection, ids: Iterable[str], at: datetime) -> int:
    """Mails that were given up wait again, from `at` on; how many."""
    mine = and_(notice.c.id.in_(sorted(set(ids))), notice.c.mail == "failed")
    return db.execute(update(notice).where(mine).values(mail="waits", mail_after=records.instant(at), tries=0)).rowcount


# The morning's summary

def wanting_a_summary(db: Connection, on: date) -> dict[str, Reader]:
    """People with an address who want a summary every working day, or for whom something waits for one."""
    waits = exists().where(notice.c.person == person.c.id, notice.c.mail == "digest")
    found = _reader.where(person.c.email.is_not(None), or_(preferences.c.mail == SUMMARY, waits)).order_by(person.c.id)
    return _with_calendars(db, db.execute(found).all(), on)


def summarised(db: Connection, ids: Iterable[str], days: Iterable[str]) -> set[tuple[str, str]]:
    """(person, ISO day) of the summaries that were made among these people and days."""
    found = select(digest.c.person, digest.c.day).where(
        digest.c.person.in_(sorted(set(ids))), digest.c.day.in_(sorted(set(days))))
    return {(person, day) for person, day in db.execute(found)}


def begin_summary(db: Connection, person: str, day: str, at: datetime) -> bool:
    """Make the summary of a person's day one's own; False where it was made already."""
    return _put(db, digest, [{"person": person, "day": day, "sent_at": records.instant(at)}]) == 1


def gathered(db: Connection, person: str) -> list[Notice]:
    """What waits for a person's next summary and is not over, the oldest first."""
    return [_notice(row) for row in db.execute(
        select(notice).where(notice.c.person == person, notice.c.mail == "digest", _still)
        .order_by(notice.c.created_at, notice.c.id))]


def join(db: Connection, person: str, summary: str | None) -> None:
    """What waited for a summary stands in this one; an older one that nobody could send is not sent any more."""
    mine = and_(notice.c.person == person, notice.c.mail == "digest")
    db.execute(update(notice).where(mine).values(mail="joined"))
    older = and_(notice.c.person == person, notice.c.kind == MORNING, notice.c.mail == "waits")
    db.execute(update(notice).where(older, notice.c.id != (summary or "")).values(mail="none", mail_after=None))
