"""Process definitions and calendars by their SHA-256: every version that ever ran, exactly as it was given.

Rows are shadows of the streams `definition/KEY` and `calendar/UNIT`. A draft (version 0, at most one a key) is no fact:
a file that was changed beside the database, waiting to be deployed.
"""
from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, or_, select

from .. import diagram
from ..calendars import Calendar
from ..commands import Actor, private
from ..definition import ProcessDefinition
from ..instance import RUNNING, SUSPENDED, Refused
from ..rules import Rules
from . import journal, records
from .database import Database, lock
from .prepared import Prepared
from .schema import binding, calendar_unit, instance, position
from .schema import calendar as calendar_table
from .schema import definition as table

ACTIVE, DRAFT = "active", "draft"
DRAFT_VERSION = 0


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a process definition, without its bytes."""
    key: str
    version: int                            # from 1; 0: the draft
    sha256: str
    name: str
    status: str                             # active | draft
    deployed_at: str                        # of a draft: when it was found
    deployed_by: str                        # person id
    reason: str
    canonical_sha256: str
    meaning_sha256: str


# What the stream definition/KEY records

@dataclass(frozen=True, kw_only=True)
class DeployDefinition:
    key: str
    sha256: str
    canonical_sha256: str
    meaning_sha256: str
    size_bytes: int
    reason: str = private()
    type: str = field(default="DeployDefinition", init=False)


@dataclass(frozen=True, kw_only=True)
class DefinitionDeployed:
    version: int
    cosmetic: bool                          # it means what the version before it meant
    type: str = field(default="DefinitionDeployed", init=False)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What was asked of a definition or a calendar, by whom and when: one row of its stream."""
    id: str
    at: datetime
    actor: Actor
    act: Any


def stream(key: str) -> str:
    return f"definition/{key}"


# Look

COLUMNS = tuple(one for one in table.c if one.name != "bytes")


def versions(db: Connection, key: str | None = None) -> tuple[Version, ...]:
    """Every deployed version (of one key, or of all), by key, the oldest first. Drafts aside."""
    found = select(*COLUMNS).where(table.c.status == ACTIVE).order_by(table.c.key, table.c.version)
    return _versions(db.execute(found if key is None else found.where(table.c.key == key)))


def newest(db: Connection, key: str) -> Version | None:
    """The version that a new instance runs, None where the key was never deployed."""
    found = select(*COLUMNS).where(table.c.key == key, table.c.status == ACTIVE).order_by(table.c.version.desc())
    found = found.limit(1)
    return next(iter(_versions(db.execute(found))), None)


def newest_of_all(db: Connection) -> tuple[Version, ...]:
    """The newest version of every key, by key."""
    last = select(table.c.key, func.max(table.c.version).label("version")).where(table.c.status == ACTIVE)
    one = last.group_by(table.c.key).subquery()
    found = select(*COLUMNS).join(one, (one.c.key == table.c.key) & (one.c.version == table.c.version))
    return _versions(db.execute(found.order_by(table.c.key)))


def drafts(db: Connection) -> tuple[Version, ...]:
    return _versions(db.execute(select(*COLUMNS).where(table.c.status == DRAFT).order_by(table.c.key)))


def of_bytes(db: Connection, sha256: str) -> Version | None:
    """The deployed version that these bytes are, None if they never were one."""
    found = select(*COLUMNS).where(table.c.sha256 == sha256, table.c.status == ACTIVE)
    return next(iter(_versions(db.execute(found))), None)


def export(db: Connection, key: str, version: int | None = None) -> bytes | None:
    """The bytes of a version (None: the newest), exactly as they were uploaded. None if there is no such version."""
    found = select(table.c.bytes).where(table.c.key == key)
    if version is None:
        found = found.where(table.c.status == ACTIVE).order_by(table.c.version.desc()).limit(1)
    else:
        found = found.where(table.c.version == version)
    data = db.execute(found).scalar()
    return None if data is None else bytes(data)


def get(db: Connection, sha256: str) -> ProcessDefinition:
    """The definition of a hash. Raises LookupError if it was never deployed, RecordError if its bytes were changed."""
    data = db.execute(select(table.c.bytes).where(table.c.sha256 == sha256).limit(1)).scalar()
    if data is None:
        raise LookupError(f"No process definition has the SHA-256 {sha256}.")
    if hashlib.sha256(bytes(data)).hexdigest() != sha256:
        raise records.RecordError(f"The stored bytes of the process definition {sha256} are not the ones deployed.")
    return diagram.reread(bytes(data))       # it was judged when it was deployed; a stricter gate loses no instance


def _versions(rows: Iterable[Any]) -> tuple[Version, ...]:
    return tuple(Version(**row._mapping) for row in rows)


# Change

def add(db: Connection, mac_key: bytes, definition: ProcessDefinition, data: bytes, *, actor: Actor, reason: str,
        at: datetime, command_id: str) -> Version:
    """Write the next version, in the journal and as a row; a draft of this key is gone. The caller holds `lock_key`."""
    sequence, prev, last = journal.head(db, stream(definition.key))
    at = max(at, last) if last else at
    before = newest(db, definition.key)
    version = Version(
        key=definition.key, version=before.version + 1 if before else 1, sha256=definition.sha256, name=definition.name,
        status=ACTIVE, deployed_at=records.instant(at), deployed_by=actor.person, reason=reason,
        canonical_sha256=definition.canonical_sha256, meaning_sha256=definition.meaning_sha256)
    act = DeployDefinition(key=version.key, sha256=version.sha256, canonical_sha256=version.canonical_sha256,
                           meaning_sha256=version.meaning_sha256, size_bytes=len(data), reason=reason)
    event = DefinitionDeployed(version=version.version,
                               cosmetic=before is not None and before.meaning_sha256 == version.meaning_sha256)
    forget_draft(db, definition.key)
    db.execute(insert(table).values(**vars(version), bytes=data))
    journal.append(db, mac_key, stream=stream(version.key), sequence=sequence + 1, prev=prev, command_id=command_id,
                   at=at, command=Change(id=command_id, at=at, actor=actor, act=act), events=(event,),
                   definition=version.sha256)
    return version


def deployed_by_command(db: Connection, key: str, command_id: str) -> int | None:
    """The version that a command deployed already, None if it deployed none: how a repeat is recognised."""
    return journal.sequence_of(db, stream(key), command_id)


def lock_key(db: Connection, key: str) -> None:
    """One deployment of a key at a time."""
    lock(db, stream(key))


def keep_draft(db: Connection, definition: ProcessDefinition, data: bytes, at: datetime) -> None:
    """Remember a changed file that nobody has deployed; the newest replaces the one before."""
    forget_draft(db, definition.key)
    db.execute(insert(table).values(
        key=definition.key, version=DRAFT_VERSION, sha256=definition.sha256, name=definition.name, status=DRAFT,
        deployed_at=records.instant(at), deployed_by="", reason="", canonical_sha256=definition.canonical_sha256,
        meaning_sha256=definition.meaning_sha256, bytes=data))


def forget_draft(db: Connection, key: str) -> None:
    db.execute(delete(table).where(table.c.key == key, table.c.version == DRAFT_VERSION))


# Calendars

@dataclass(frozen=True, kw_only=True)
class PublishCalendar:
    """A unit counts its working time in this calendar from now on; `recalendar` brings it to what is open already."""
    unit: str
    sha256: str
    reason: str = private()
    type: str = field(default="PublishCalendar", init=False)


def publish_calendar(db: Connection, mac_key: bytes, unit: str, value: Calendar, *, actor: Actor, reason: str,
                     at: datetime, command_id: str) -> str:
    """Make `value` the calendar of a unit; its SHA-256. The one it has already is not recorded again, and a repeat of
    its command changes nothing, though another was published since.

    Raises Refused (`other`) where the command published another calendar.
    """
    name = value.sha256
    lock_calendar(db, unit)
    prior = journal.sequence_of(db, calendar_stream(unit), command_id)
    if prior is not None:
        if next(one.sha256 for one in publications(db, unit) if one.sequence == prior) != name:
            raise Refused("other", "Formulir ini sudah pernah dipakai untuk perubahan lain. Muat ulang halaman, lalu "
                                   "ulangi.")
        return name
    before = calendar_of(db, unit)
    if before == name:
        return name
    if db.execute(select(calendar_table.c.sha256).where(calendar_table.c.sha256 == name)).first() is None:
        db.execute(insert(calendar_table).values(sha256=name, name=value.name, body=value.body))
    db.execute(delete(calendar_unit).where(calendar_unit.c.unit == unit))
    db.execute(insert(calendar_unit).values(unit=unit, sha256=name))
    sequence, prev, last = journal.head(db, calendar_stream(unit))
    at = max(at, last) if last else at
    act = PublishCalendar(unit=unit, sha256=name, reason=reason)
    journal.append(db, mac_key, stream=calendar_stream(unit), sequence=sequence + 1, prev=prev, command_id=command_id,
                   at=at, command=Change(id=command_id, at=at, actor=actor, act=act), events=())
    return name


def calendar_stream(unit: str) -> str:
    return f"calendar/{unit}"


def calendar(db: Connection, sha256: str) -> Calendar:
    """The calendar of a hash. Raises LookupError if there is none, RecordError if it is another now."""
    body = db.execute(select(calendar_table.c.body).where(calendar_table.c.sha256 == sha256)).scalar()
    if body is None:
        raise LookupError(f"No calendar has the SHA-256 {sha256}.")
    found = Calendar.from_json(bytes(body))
    if found.sha256 != sha256:
        raise records.RecordError(f"The stored calendar {sha256} is not the one published.")
    return found


def calendar_of(db: Connection, unit: str) -> str | None:
    """The SHA-256 of the calendar that a unit counts in now, None where none was published for it."""
    return db.execute(select(calendar_unit.c.sha256).where(calendar_unit.c.unit == unit)).scalar()


def lock_calendar(db: Connection, unit: str) -> None:
    """One publication for a unit at a time, and none while an instance is being brought to the newest."""
    lock(db, calendar_stream(unit))


@dataclass(frozen=True, kw_only=True)
class Publication:
    """One version of a unit's calendar: who published it, when and why."""
    sequence: int
    sha256: str
    at: datetime
    person: str
    reason: str                             # "" once it was erased


def publications(db: Connection, unit: str) -> tuple[Publication, ...]:
    """Every version of a unit's calendar, the oldest first, each row checked against its hash."""
    found = []
    for entry in journal.read(db, calendar_stream(unit)):
        act, reason = entry.command["act"], entry.command["act"].get("reason")
        found.append(Publication(sequence=entry.sequence, sha256=act["sha256"], at=entry.at,
                                 person=entry.command["actor"]["person"], reason=reason if type(reason) is str else ""))
    return tuple(found)


PUBLISHED = Prepared(select(calendar_unit.c.unit, calendar_unit.c.sha256).order_by(calendar_unit.c.unit))
COUNTING = Prepared(
    select(instance.c.id, instance.c.key, instance.c.unit)
    .where(or_(instance.c.status == RUNNING, instance.c.status == SUSPENDED)).order_by(instance.c.id))
WINDOW = Prepared(
    select(func.min(instance.c.started_at).label("first"), func.max(instance.c.deadline_at).label("last"))
    .where(or_(instance.c.status == RUNNING, instance.c.status == SUSPENDED)))
PERFORMING = Prepared(
    select(binding.c.key, binding.c.unit, binding.c.lane, position.c.unit.label("performer"))
    .join(position, position.c.id == binding.c.position).where(position.c.unit != binding.c.unit)
    .order_by(binding.c.key, binding.c.unit, binding.c.lane))


def published(db: Connection) -> dict[str, str]:
    """Unit -> SHA-256 of the calendar that it counts in now. One statement, one row a unit."""
    return {row[0]: row[1] for row in PUBLISHED(db)}


def counting(db: Connection) -> list[tuple[str, str, str]]:
    """(instance, key, unit) of every running or suspended instance."""
    return [(row[0], row[1], row[2]) for row in COUNTING(db)]


def years_of_open_instances(db: Connection) -> range:
    """From the year in which the oldest open instance began to the year of the last deadline; none without one."""
    first, last = WINDOW(db).one()
    return range(int(first[:4]), int((last or first)[:4]) + 1) if first else range(0)


def performers_elsewhere(db: Connection) -> dict[tuple[str, str], dict[str, str]]:
    """(key, unit) -> lane -> the other unit whose position performs it."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for key, unit, lane, performer in PERFORMING(db):
        found.setdefault((key, unit), {})[lane] = performer
    return found


# For the heart

def rules(database: Database) -> Rules:
    """What `decide` may look up, read from this database once a process; to be made once and shared by its threads.

    It reads on a connection of its own: what is deployed in a transaction is seen after its commit.
    """
    def load_definition(sha256: str) -> ProcessDefinition:
        with database.read() as db:
            return get(db, sha256)

    def load_calendar(sha256: str) -> Calendar:
        with database.read() as db:
            return calendar(db, sha256)

    return Rules(load_definition, load_calendar)
