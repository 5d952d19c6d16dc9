"""Whether the journal is whole: every body has its hash, follows from the one before, and was sealed by our key; and
what is stored of the instances side by side, so that the invariants can be looked at (engine/invariants.py).

What stands here trusts nothing but the bytes and the key; the auditor's own checker, which trusts not even us, stands
elsewhere.
"""
from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, delete, exists, func, insert, select

from ..instance import CANCELLED, COMPLETED, RUNNING, SUSPENDED, ProcessInstance
from . import instances, journal, records
from .schema import (
    blob,
    calendar_unit,
    document_file,
    incident,
    instance,
    invariant_finding,
    invariant_look,
    journal_value,
    log_entry,
    notice,
    timer,
    unit,
    user_task,
)
from .schema import journal as table
from .schema import setting as settings

MOST_FAULTS = 100


@dataclass(frozen=True)
class Fault:
    stream: str
    message: str


@dataclass
class Verified:
    """What was looked at, and what is not as it was written."""
    streams: int = 0
    rows: int = 0
    values: int = 0
    erased: int = 0
    faults: list[Fault] = field(default_factory=list)


def verify(db: Connection, key: bytes) -> Verified:
    """Read the whole journal, in a snapshot, and check it. At most MOST_FAULTS are kept, one a stream and kind."""
    found = Verified()
    for stream in journal.streams(db):
        found.streams += 1
        found.faults += faults_of(db, key, stream)
        if len(found.faults) >= MOST_FAULTS:
            break
    found.rows = db.execute(select(func.count()).select_from(table)).scalar_one()
    all_values = select(func.count(), func.count(journal_value.c.value)).select_from(journal_value)
    found.values, kept = db.execute(all_values).one()
    found.erased = found.values - kept
    found.faults += orphans(db) + wrong_heads(db)
    return found


def faults_of(db: Connection, key: bytes, stream: str) -> list[Fault]:
    """What is wrong with one stream: the first row that does not follow, the first that our key did not seal."""
    faults = []
    try:
        for entry in journal.read(db, stream):
            if entry.command.get("id") not in (None, entry.command_id):
                raise records.RecordError(f"{stream}, row {entry.sequence}: its command is another than its row says.")
    except records.RecordError as error:
        faults.append(Fault(stream, str(error)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        faults.append(Fault(stream, f"{stream}: a body cannot be read: {type(error).__name__}: {error}"))
    rows = select(table.c.sequence, table.c.hash, table.c.mac).where(table.c.stream == stream)
    for row in db.execute(rows.order_by(table.c.sequence)):
        if not hmac.compare_digest(records.seal(key, bytes(row.hash)), bytes(row.mac)):
            faults.append(Fault(stream, f"{stream}, row {row.sequence}: the key of this installation did not seal it."))
            break
    return faults


def orphans(db: Connection) -> list[Fault]:
    """Values that belong to no row."""
    has_row = exists().where(table.c.stream == journal_value.c.stream, table.c.sequence == journal_value.c.sequence)
    found = select(journal_value.c.stream, journal_value.c.sequence).where(~has_row).limit(MOST_FAULTS)
    rows = db.execute(found)
    return [Fault(row.stream, f"{row.stream}, row {row.sequence}: a value belongs to no row.") for row in rows]


def wrong_heads(db: Connection) -> list[Fault]:
    """Instances whose row does not stand at the newest row of their stream: a tail was cut, or a row is not theirs."""
    last = (select(table.c.stream, func.max(table.c.sequence).label("sequence"))
            .where(func.substr(table.c.stream, 1, 9) == "instance/").group_by(table.c.stream).subquery())
    newest = (select(table.c.stream, table.c.sequence, table.c.hash)
              .join(last, (last.c.stream == table.c.stream) & (last.c.sequence == table.c.sequence)).subquery())
    found = (select(instance.c.id, instance.c.sequence, instance.c.head, newest.c.sequence.label("newest"),
                    newest.c.hash)
             .outerjoin(newest, newest.c.stream == "instance/" + instance.c.id))
    faults = []
    for row in db.execute(found):
        name = f"instance/{row.id}"
        if row.newest != row.sequence:
            end = row.newest or 0
            faults.append(Fault(name, f"{name}: it stands at row {row.sequence}, its journal ends at row {end}."))
        elif bytes(row.hash) != bytes(row.head):
            faults.append(Fault(name, f"{name}: it does not stand where its journal ends."))
    return faults[:MOST_FAULTS]


def newest_row_fault(db: Connection, key: bytes) -> str | None:
    """What is wrong with one row, cheaply: a sign of a wrong key. None where there is nothing wrong, or no row."""
    row = db.execute(select(table.c.stream, table.c.body, table.c.hash, table.c.mac)
                     .order_by(table.c.stream.desc(), table.c.sequence.desc()).limit(1)).first()
    if row is None:
        return None
    if records.leaf(bytes(row.body)) != bytes(row.hash):
        return f"the newest row of {row.stream} does not have its hash; say: alur verify"
    if not hmac.compare_digest(records.seal(key, bytes(row.hash)), bytes(row.mac)):
        return f"the newest row of {row.stream} was sealed by another key than this installation's"
    return None


# What must hold all the time, looked at a slice at a time (engine/invariants.py says what each means)

MOST_KEPT = 1_000               # findings of one invariant; more are counted as one
OPEN_STATES, CLOSED_STATES = (RUNNING, SUSPENDED), (COMPLETED, CANCELLED)


@dataclass(frozen=True, kw_only=True)
class Stored:
    """All that is stored of one instance, side by side, as far as it can be read."""
    id: str
    status: str
    definition: str
    sequence: int
    head: bytes
    value: ProcessInstance | None           # None: `wrong` says why
    wrong: str
    steps: int                              # journal rows of its stream
    newest: int                             # the last one's sequence
    newest_hash: bytes | None
    stray_values: int                       # values beside no journal row
    user_tasks: frozenset[int]
    timers: Mapping[int, str]               # number -> due_at
    incidents: frozenset[int]
    unstored: tuple[str, ...]               # SHA-256 of files that are attached and have no row of a blob
    files: Mapping[str, tuple[str, int]]    # SHA-256 -> (name of the file, bytes) of those that have one


def stored(db: Connection, states: Sequence[str], after: str, most: int, most_steps: int) -> list[Stored]:
    """The next instances of these states behind the id `after`, by id: at most `most`, and about `most_steps` journal
    rows together, at least one. Eight statements, whatever is found. To be read in one snapshot."""
    small = case((func.length(instance.c.state) <= instances.MOST_STATE_BYTES, instance.c.state))
    columns = [one for one in instance.c if one.name != "state"]
    rows = db.execute(
        select(*columns, small.label("state")).where(instance.c.status.in_(states), instance.c.id > after)
        .order_by(instance.c.id).limit(most)).all()
    steps = 0
    for place, row in enumerate(rows):
        steps += row.sequence
        if steps > most_steps:
            rows = rows[:max(1, place)]
            break
    if not rows:
        return []
    ids, streams = [row.id for row in rows], ["instance/" + row.id for row in rows]
    counted = (select(table.c.stream, func.count().label("steps"), func.max(table.c.sequence).label("newest"))
               .where(table.c.stream.in_(streams)).group_by(table.c.stream).subquery())
    journals = {row.stream: row for row in db.execute(
        select(counted, table.c.hash).join(table, (table.c.stream == counted.c.stream)
                                           & (table.c.sequence == counted.c.newest)))}
    has_row = exists().where(table.c.stream == journal_value.c.stream, table.c.sequence == journal_value.c.sequence)
    stray: dict[str, int] = {}
    for stream, count in db.execute(select(journal_value.c.stream, func.count()).where(
            journal_value.c.stream.in_(streams), ~has_row).group_by(journal_value.c.stream)):
        stray[stream] = count
    tasks = _by_instance(db.execute(select(user_task.c.instance, user_task.c.number).where(
        user_task.c.instance.in_(ids))))
    due: dict[str, dict[int, str]] = {}
    for id, number, due_at in db.execute(select(timer.c.instance, timer.c.number, timer.c.due_at).where(
            timer.c.instance.in_(ids))):
        due.setdefault(id, {})[number] = due_at
    listed = _by_instance(db.execute(select(incident.c.instance, incident.c.number).where(
        incident.c.instance.in_(ids))))
    unstored: dict[str, set[str]] = {}
    files: dict[str, dict[str, tuple[str, int]]] = {}
    for id, digest, file, size in db.execute(
            select(document_file.c.instance, document_file.c.sha256, blob.c.file, blob.c.size_bytes)
            .outerjoin(blob, blob.c.sha256 == document_file.c.sha256).where(document_file.c.instance.in_(ids))):
        if file is None:
            unstored.setdefault(id, set()).add(digest)
        else:
            files.setdefault(id, {})[digest] = (file, size)
    found = []
    for row in rows:
        told = journals.get("instance/" + row.id)
        value, wrong = _read(row)
        found.append(Stored(
            id=row.id, status=row.status, definition=row.definition, sequence=row.sequence, head=bytes(row.head),
            value=value, wrong=wrong, steps=told.steps if told else 0, newest=told.newest if told else 0,
            newest_hash=bytes(told.hash) if told else None, stray_values=stray.get("instance/" + row.id, 0),
            user_tasks=tasks.get(row.id, frozenset()), timers=due.get(row.id, {}),
            incidents=listed.get(row.id, frozenset()), unstored=tuple(sorted(unstored.get(row.id, ()))),
            files=files.get(row.id, {})))
    return found


def _read(row: Any) -> tuple[ProcessInstance | None, str]:
    if row.state is None:
        return None, f"keadaan tersimpannya lebih besar dari {instances.MOST_STATE_BYTES} bita"
    try:
        return instances.from_row(row), ""
    except instances.Unreadable as error:
        return None, str(error)


def _by_instance(rows: Iterable[Any]) -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for id, number in rows:
        found.setdefault(id, set()).add(number)
    return {id: frozenset(numbers) for id, numbers in found.items()}


def log_gaps(db: Connection, after: int, most: int) -> tuple[int, list[int]]:
    """(how many places of the log were looked at behind `after`, those that are missing among them)."""
    places = [int(row[0]) for row in db.execute(
        select(log_entry.c.index.label("place")).where(log_entry.c.index > after, log_entry.c.index <= after + most)
        .order_by(log_entry.c.index))]
    newest = db.execute(select(func.max(log_entry.c.index))).scalar()
    last = min(after + most, newest if newest is not None else -1)
    return max(0, last - after), sorted(set(range(after + 1, last + 1)) - set(places))[:MOST_FAULTS]


def late_notices(db: Connection, before: datetime) -> int:
    """Notices whose mail should have gone before an instant and still waits."""
    waits = (notice.c.mail == "waits") & (notice.c.mail_after <= records.instant(before))
    return int(db.execute(select(func.count()).select_from(notice).where(waits)).scalar_one())


def late_timers(db: Connection, before: datetime) -> int:
    """Timers of running instances that were due before an instant, besides those that something else holds back: an
    open incident, or a state that cannot be read."""
    held = exists().where(incident.c.instance == timer.c.instance)
    parked = exists().where(invariant_finding.c.invariant == "readable",
                            invariant_finding.c.subject == timer.c.instance)
    late = (select(func.count()).select_from(timer).join(instance, instance.c.id == timer.c.instance)
            .where(timer.c.due_at <= records.instant(before), instance.c.status == RUNNING, ~held, ~parked))
    return int(db.execute(late).scalar_one())


def calendars_without(db: Connection) -> list[str]:
    """Units in which something is open and that have no calendar of their own, by id."""
    has = exists().where(calendar_unit.c.unit == instance.c.unit)
    found = select(instance.c.unit).where(instance.c.status.in_(OPEN_STATES), ~has).distinct().order_by(instance.c.unit)
    return list(db.execute(found).scalars())


# What was found, kept from look to look

@dataclass(frozen=True, kw_only=True)
class Look:
    """How far the looking over one slice has come."""
    slice: str
    cursor: str
    looked_at: datetime
    began_at: datetime                      # of the round that is on
    ended_at: datetime | None               # of the last whole round
    looked: int                             # things in the round that is on


@dataclass(frozen=True, kw_only=True)
class Found:
    """An invariant that does not hold for something."""
    invariant: str
    subject: str                            # an instance's id, or "" for the whole
    slice: str
    detail: str                             # in Indonesian; never a value that somebody typed
    since: datetime
    seen_at: datetime


def looks(db: Connection) -> dict[str, Look]:
    """How far each slice is, by its name."""
    return {row.slice: Look(slice=row.slice, cursor=row.cursor, looked_at=records.moment(row.looked_at),
                            began_at=records.moment(row.began_at),
                            ended_at=records.moment(row.ended_at) if row.ended_at else None, looked=row.looked)
            for row in db.execute(select(invariant_look))}


def keep_look(db: Connection, look: Look) -> None:
    db.execute(delete(invariant_look).where(invariant_look.c.slice == look.slice))
    db.execute(insert(invariant_look).values(
        slice=look.slice, cursor=look.cursor, looked_at=records.instant(look.looked_at),
        began_at=records.instant(look.began_at),
        ended_at=records.instant(look.ended_at) if look.ended_at else None, looked=look.looked))


def findings(db: Connection, most: int = MOST_KEPT) -> list[Found]:
    """What was found and not seen well since, the oldest first."""
    rows = db.execute(select(invariant_finding).order_by(
        invariant_finding.c.since, invariant_finding.c.invariant, invariant_finding.c.subject).limit(most))
    return [Found(invariant=row.invariant, subject=row.subject, slice=row.slice, detail=row.detail,
                  since=records.moment(row.since), seen_at=records.moment(row.seen_at)) for row in rows]


def keep_findings(db: Connection, slice: str, subjects: Sequence[str], found: Sequence[Found]) -> list[Found]:
    """Keep what was found of these subjects of a slice, and forget what was found of them before and is well now; the
    new ones. `since` stays what it was."""
    mine = (invariant_finding.c.slice == slice) & invariant_finding.c.subject.in_(subjects)
    before = {(row.invariant, row.subject): row.since for row in db.execute(
        select(invariant_finding.c.invariant, invariant_finding.c.subject, invariant_finding.c.since).where(mine))}
    if before:
        db.execute(delete(invariant_finding).where(mine))
    rows = [{"invariant": one.invariant, "subject": one.subject, "slice": slice, "detail": one.detail[:500],
             "since": before.get((one.invariant, one.subject), records.instant(one.since)),
             "seen_at": records.instant(one.seen_at)} for one in found[:MOST_KEPT]]
    if rows:
        for row in rows:        # one that was noted elsewhere meanwhile gives way
            if (row["invariant"], row["subject"]) not in before:
                db.execute(delete(invariant_finding).where(invariant_finding.c.invariant == row["invariant"],
                                                           invariant_finding.c.subject == row["subject"]))
        db.execute(insert(invariant_finding), rows)
    return [one for one in found if (one.invariant, one.subject) not in before]


def forget_findings(db: Connection, slice: str, before: datetime) -> None:
    """Drop what a whole round has not seen again: its subject is in the slice no more."""
    db.execute(delete(invariant_finding).where(invariant_finding.c.slice == slice,
                                               invariant_finding.c.seen_at < records.instant(before)))


# Open incidents

@dataclass(frozen=True, kw_only=True)
class OpenIncident:
    """An open incident as administrators list it."""
    instance: str
    number: int
    kind: str
    element: str | None
    detail: str
    raised_at: datetime
    title: str
    key: str
    definition: str
    unit: str
    unit_name: str
    zone: str
    status: str
    user_task: int | None = None            # the number of the element's open user task
    timer: int | None = None                # the number of its running timer
    due_at: datetime | None = None
    standing: tuple[str, ...] = ()          # elements of the instance's open user tasks


def open_incidents(db: Connection, most: int) -> list[OpenIncident]:
    """The open incidents of all instances, the oldest first: two statements, whatever there are.

    What a command said of an incident that was raised by hand or by the watchdog stands in the journal beside its row.
    """
    said = (select(journal_value.c.value).where(
        journal_value.c.stream == "instance/" + incident.c.instance, journal_value.c.sequence == incident.c.sequence,
        journal_value.c.path == "command.act.detail").scalar_subquery())
    found = (select(incident, instance.c.title, instance.c.key, instance.c.definition, instance.c.unit,
                    instance.c.status, unit.c.name.label("unit_name"), unit.c.zone, said.label("said"),
                    user_task.c.number.label("user_task"), timer.c.number.label("timer"), timer.c.due_at)
             .join(instance, instance.c.id == incident.c.instance).join(unit, unit.c.id == instance.c.unit)
             .outerjoin(user_task, (user_task.c.instance == incident.c.instance)
                        & (user_task.c.element == incident.c.element))
             .outerjoin(timer, (timer.c.instance == incident.c.instance) & (timer.c.element == incident.c.element))
             .order_by(incident.c.raised_at, incident.c.instance, incident.c.number).limit(most))
    told = {}
    for row in db.execute(found):
        if (row.instance, row.number) not in told:
            told[row.instance, row.number] = OpenIncident(
                instance=row.instance, number=row.number, kind=row.kind, element=row.element,
                detail=row.detail or _said(row.said), raised_at=records.moment(row.raised_at), title=row.title,
                key=row.key, definition=row.definition, unit=row.unit, unit_name=row.unit_name, zone=row.zone,
                status=row.status, user_task=row.user_task, timer=row.timer,
                due_at=records.moment(row.due_at) if row.due_at else None)
    standing: dict[str, list[str]] = {}
    for id, element in db.execute(select(user_task.c.instance, user_task.c.element).where(
            user_task.c.instance.in_(sorted({one.instance for one in told.values()}))).order_by(user_task.c.number)):
        standing.setdefault(id, []).append(element)
    return [replace(one, standing=tuple(standing.get(one.instance, ()))) for one in told.values()]


def _said(value: bytes | None) -> str:
    text = records.parse(bytes(value)) if value is not None else ""
    return text if isinstance(text, str) else ""


def count_open_incidents(db: Connection) -> int:
    return int(db.execute(select(func.count()).select_from(incident)).scalar_one())


def titles(db: Connection, ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Instance -> (title, name of its unit), without reading its state."""
    found = (select(instance.c.id, instance.c.title, unit.c.name).join(unit, unit.c.id == instance.c.unit)
             .where(instance.c.id.in_(sorted(set(ids)))))
    return {row.id: (row.title, row.name) for row in db.execute(found)}


def stored_after(db: Connection, states: Sequence[str], after: str) -> bool:
    """Whether there is another instance of these states behind the id `after`."""
    found = select(instance.c.id).where(instance.c.status.in_(states), instance.c.id > after).limit(1)
    return db.execute(found).first() is not None


def setting(db: Connection, name: str) -> str | None:
    """A setting of the installation that no stream keeps."""
    return db.execute(select(settings.c.value).where(settings.c.name == name)).scalar()


def keep_setting(db: Connection, name: str, value: str) -> None:
    db.execute(delete(settings).where(settings.c.name == name))
    db.execute(insert(settings).values(name=name, value=value))
