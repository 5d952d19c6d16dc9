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

from sqlalchemy import Connection, delete, func, insert, select

from .. import diagram
from ..calendars import Calendar
from ..commands import Actor, private
from ..definition import ProcessDefinition
from ..rules import Rules
from . import journal, records
from .database import Database, lock
from .schema import calendar as calendar_table
from .schema import calendar_unit
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
    """A unit counts its working time in this calendar from now on; instances keep the one they were started with."""
    unit: str
    sha256: str
    reason: str = private()
    type: str = field(default="PublishCalendar", init=False)


def publish_calendar(db: Connection, mac_key: bytes, unit: str, value: Calendar, *, actor: Actor, reason: str,
                     at: datetime, command_id: str) -> str:
    """Make `value` the calendar of a unit; its SHA-256. The one it has already is not recorded again."""
    name = value.sha256
    lock(db, calendar_stream(unit))
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
