"""Process definitions and calendars by their SHA-256: every version that ever ran, exactly as it was given.

Rows are shadows of the streams `definition/KEY` and `calendar/UNIT`. Newest is what was deployed last; in force is what
a new start runs: not withdrawn, and its date has come. Drafts stand elsewhere (`drafts`).
"""
from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, delete, func, insert, or_, select, update

from .. import changes, diagram
from ..calendars import Calendar
from ..commands import Actor, Attachment, private
from ..definition import ProcessDefinition
from ..instance import RUNNING, SUSPENDED, Refused
from ..organisation import dated, months_later
from ..rules import Rules
from . import drafts, journal, records
from .database import Database, lock
from .prepared import Prepared
from .schema import binding, calendar_unit, instance, position
from .schema import calendar as calendar_table
from .schema import definition as table
from .schema import definition_evaluation as evaluation
from .schema import definition_unit as starting_unit
from .schema import definition_withdrawal as withdrawal
from .schema import unit as unit_table

ACTIVE = "active"
ZONE = "Asia/Jakarta"                       # where a date is meant when no unit says otherwise


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a process definition, without its bytes. "" is what is not said, or was not needed."""
    key: str
    version: int                            # from 1
    sha256: str
    name: str
    status: str                             # active
    deployed_at: str
    deployed_by: str                        # person id: of one that was ratified, who proposed it
    reason: str
    canonical_sha256: str
    meaning_sha256: str
    cosmetic: bool = False                  # it means what the version before it meant
    unit: str = ""                          # whose owners keep it, and whose head ratified it
    holds_from: str = ""                    # ISO date from which new starts run it; "": at once
    effective: str = ""                     # ISO date from which its meaning holds: that of the last ratified one
    verified_by: str = ""                   # person ids
    ratified_by: str = ""
    number: str = ""                        # of the ratified SOP; with those below carried on by layout-only versions
    dated: str = ""                         # ISO date of the pengesahan
    position: str = ""                      # as it is printed: "Plh. Camat Lasem"
    ratifier_name: str = ""
    ratifier_nip: str = ""
    changes: tuple[Mapping[str, Any], ...] = ()     # against the version before, each as changes.to_json
    scan: Attachment | None = None          # the signed paper


# What the stream definition/KEY records

@dataclass(frozen=True, kw_only=True)
class DeployDefinition:
    """A version set beside the way of pengesahan: the seed, or a departure on the command line."""
    key: str
    sha256: str
    canonical_sha256: str
    meaning_sha256: str
    size_bytes: int
    name: str = ""
    unit: str = ""
    reason: str = private()
    changes: tuple[Mapping[str, Any], ...] = private(whole=True, default=())
    type: str = field(default="DeployDefinition", init=False)


@dataclass(frozen=True, kw_only=True)
class DefinitionDeployed:
    """A version came to be."""
    version: int
    cosmetic: bool                          # it means what the version before it meant
    type: str = field(default="DefinitionDeployed", init=False)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What was asked of a definition, a calendar or the archive, by whom and when: one row of its stream."""
    id: str
    at: datetime
    actor: Actor
    act: Any


def stream(key: str) -> str:
    return f"definition/{key}"


# Look

COLUMNS = tuple(one for one in table.c if one.name != "bytes")


def versions(db: Connection, key: str | None = None) -> tuple[Version, ...]:
    """Every deployed version (of one key, or of all), by key, the oldest first."""
    found = select(*COLUMNS).order_by(table.c.key, table.c.version)
    return _versions(db.execute(found if key is None else found.where(table.c.key == key)))


def newest(db: Connection, key: str) -> Version | None:
    """The version deployed last, None where the key was never deployed. It may not be in force yet, or any more."""
    found = select(*COLUMNS).where(table.c.key == key).order_by(table.c.version.desc()).limit(1)
    return next(iter(_versions(db.execute(found))), None)


def newest_of_all(db: Connection) -> tuple[Version, ...]:
    """The newest version of every key, by key."""
    return _last_of_each(db, select(table.c.key, func.max(table.c.version).label("version")))


def newest_hashes(db: Connection) -> dict[str, str]:
    """Key -> SHA-256 of its newest version: what a page asks at every request, without the rest of the rows."""
    last = select(table.c.key, func.max(table.c.version).label("version")).group_by(table.c.key).subquery()
    found = select(table.c.key, table.c.sha256).join(
        last, (last.c.key == table.c.key) & (last.c.version == table.c.version))
    return {row.key: row.sha256 for row in db.execute(found)}


def in_force(db: Connection, key: str, on: date) -> Version | None:
    """The version that a start on this day runs: the newest whose date has come. None where the SOP is withdrawn, or
    not in force yet. One statement."""
    found = select(*COLUMNS).where(table.c.key == key, table.c.holds_from <= on.isoformat(), NOT_WITHDRAWN)
    return next(iter(_versions(db.execute(found.order_by(table.c.version.desc()).limit(1)))), None)


def in_force_of_all(db: Connection, on: date) -> tuple[Version, ...]:
    """What `in_force` gives for every key that has one, by key."""
    last = select(table.c.key, func.max(table.c.version).label("version"))
    return _last_of_each(db, last.where(table.c.holds_from <= on.isoformat(), NOT_WITHDRAWN))


_withdrawn = select(func.coalesce(func.max(withdrawal.c.version), 0)).where(withdrawal.c.key == table.c.key)
# A withdrawal ends all versions up to then: what is ratified after it is another matter.
NOT_WITHDRAWN = table.c.version > _withdrawn.scalar_subquery()


def _last_of_each(db: Connection, last: Select[Any]) -> tuple[Version, ...]:
    one = last.group_by(table.c.key).subquery()
    found = select(*COLUMNS).join(one, (one.c.key == table.c.key) & (one.c.version == table.c.version))
    return _versions(db.execute(found.order_by(table.c.key)))


def of_bytes(db: Connection, sha256: str) -> Version | None:
    """The deployed version that these bytes are, the newest where they were published again; None if they never were
    one."""
    found = select(*COLUMNS).where(table.c.sha256 == sha256).order_by(table.c.version.desc()).limit(1)
    return next(iter(_versions(db.execute(found))), None)


def export(db: Connection, key: str, version: int | None = None) -> bytes | None:
    """The bytes of a version (None: the newest), exactly as they were uploaded. None if there is no such version."""
    found = select(table.c.bytes).where(table.c.key == key)
    if version is None:
        found = found.order_by(table.c.version.desc()).limit(1)
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
    return tuple(_version(row._mapping) for row in rows)


def _version(row: Mapping[str, Any]) -> Version:
    scan = records.decode(Attachment, json.loads(row["scan"])) if row["scan"] else None
    return Version(**{**row, "cosmetic": bool(row["cosmetic"]), "changes": tuple(json.loads(row["changes"])),
                      "scan": scan})


def row_of(version: Version) -> dict[str, Any]:
    return {**vars(version), "cosmetic": int(version.cosmetic), "changes": json.dumps(version.changes),
            "scan": json.dumps(records.encode(version.scan)) if version.scan else ""}


# Withdrawn, evaluated, listed

@dataclass(frozen=True, kw_only=True)
class Withdrawal:
    """An SOP is not started any more ("Cabut SOP"); what runs goes on."""
    key: str
    version: int                            # the newest when it was withdrawn
    at: str
    person: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A yearly evaluation took place."""
    key: str
    sequence: int                           # of its row in the stream
    dated: str                              # ISO date
    outcome: str
    note: str
    at: str
    person: str


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A line of Daftar SOP."""
    key: str
    name: str
    number: str                             # "" where none is known
    unit: str                               # "" where it is no single unit's
    version: int                            # in force on that day; where none is, the newest
    holds_from: str                         # ISO date, as of that version: since when, or from when
    in_force: bool
    withdrawn_at: str | None                # ISO instant
    last_evaluated: str | None              # ISO date
    next_evaluation: str | None             # ISO date; None of a withdrawn one


def withdrawn(db: Connection, key: str) -> Withdrawal | None:
    """The withdrawal of an SOP, None where it was never withdrawn, or a version was ratified since."""
    found = select(withdrawal).where(withdrawal.c.key == key).order_by(withdrawal.c.version.desc()).limit(1)
    row = db.execute(found).first()
    last = newest(db, key)
    return Withdrawal(**row._mapping) if row and last and row.version >= last.version else None


def evaluations(db: Connection, key: str | None = None) -> tuple[Evaluation, ...]:
    """The yearly evaluations (of one key, or of all), by key, in the order in which they were recorded."""
    found = select(evaluation).order_by(evaluation.c.key, evaluation.c.sequence)
    rows = db.execute(found if key is None else found.where(evaluation.c.key == key))
    return tuple(Evaluation(**row._mapping) for row in rows)


def register(db: Connection, on: date) -> tuple[Registered, ...]:
    """Daftar SOP on a day, by name: every SOP that was ever deployed, in force, not yet, or withdrawn."""
    current = {one.key: one for one in in_force_of_all(db, on)}
    looked_at: dict[str, str] = {}
    for one in evaluations(db):
        looked_at[one.key] = max(one.dated, looked_at.get(one.key, ""))
    found = []
    for last in newest_of_all(db):
        shown = current.get(last.key, last)
        gone = withdrawn(db, last.key)
        unit = home(db, last.key) or ""
        begun = shown.effective or shown.holds_from or local_day(shown.deployed_at)
        since = max(begun, looked_at.get(last.key, ""))
        found.append(Registered(
            key=last.key, name=shown.name, number=shown.number or _number(db, shown, unit), unit=unit,
            version=shown.version, holds_from=begun, in_force=last.key in current,
            withdrawn_at=gone.at if gone else None, last_evaluated=looked_at.get(last.key),
            next_evaluation=None if gone else months_later(date.fromisoformat(since), 12).isoformat()))
    return tuple(sorted(found, key=lambda one: (one.name.casefold(), one.key)))


def _number(db: Connection, version: Version, unit: str) -> str:
    """The number of an SOP that nobody ratified here: its unit's own, else the one in the diagram."""
    facts = db.execute(select(starting_unit.c.facts).where(starting_unit.c.key == version.key,
                                                           starting_unit.c.unit == unit)).scalar()
    own = json.loads(facts or "{}").get("sop.nomorSop", "")
    return own or get(db, version.sha256).properties.get("sop.nomorSop", "").strip()


def local_day(at: str, zone: str = ZONE) -> str:
    """The date of an instant's text, on the wall."""
    return records.moment(at).astimezone(ZoneInfo(zone)).date().isoformat()


def home(db: Connection, key: str) -> str | None:
    """The unit whose owners keep an SOP: that of its newest version; where none is said, the only unit that may start
    it; "" where there is no only one, None where the key was never deployed."""
    last = newest(db, key)
    if last is None:
        return None
    units = db.execute(select(starting_unit.c.unit).where(starting_unit.c.key == key)).scalars().all()
    return last.unit or (units[0] if len(units) == 1 else "")


def zone_of(db: Connection, unit: str) -> str:
    return db.execute(select(unit_table.c.zone).where(unit_table.c.id == unit)).scalar() or ZONE


def identity(version: Version) -> dict[str, str]:
    """What the ratification of a version fills into the boxes of its SOP, by property; {} of one nobody ratified."""
    if not version.number:
        return {}
    name = [version.ratifier_name, f"NIP {version.ratifier_nip}" if version.ratifier_nip else ""]
    return {"sop.nomorSop": version.number, "sop.tanggalPengesahan": dated(version.dated),
            "sop.tanggalEfektif": dated(version.effective),
            "sop.disahkanOleh": "\n".join([version.position, *(one for one in name if one)])}


def unit_facts(version: Version, unit: str, own: Mapping[str, str]) -> dict[str, str]:
    """A unit's own data over the diagram's: what it entered, and over that what its head ratified."""
    return {**own, **(identity(version) if unit and unit == version.unit else {})}


# Change

def add(db: Connection, mac_key: bytes, definition: ProcessDefinition, data: bytes, *, actor: Actor, reason: str,
        at: datetime, command_id: str) -> Version:
    """Write the next version without a pengesahan, in the journal and as a row; the draft that a file became and
    nobody touched is gone. The caller holds `lock_key`."""
    sequence, prev, last = journal.head(db, stream(definition.key))
    at = max(at, last) if last else at
    before = newest(db, definition.key)
    cosmetic = before is not None and before.meaning_sha256 == definition.meaning_sha256
    version = Version(
        key=definition.key, version=before.version + 1 if before else 1, sha256=definition.sha256, name=definition.name,
        status=ACTIVE, deployed_at=records.instant(at), deployed_by=actor.person, reason=reason,
        canonical_sha256=definition.canonical_sha256, meaning_sha256=definition.meaning_sha256, cosmetic=cosmetic,
        unit=before.unit if before else "", changes=changes_since(db, before, data))
    if before and cosmetic:
        version = carried_on(version, before)
    act = DeployDefinition(key=version.key, sha256=version.sha256, canonical_sha256=version.canonical_sha256,
                           meaning_sha256=version.meaning_sha256, size_bytes=len(data), name=version.name,
                           unit=version.unit, reason=reason, changes=version.changes)
    for one in drafts.of_files(db, definition.key):
        drafts.forget(db, one.id)
    put(db, version, data)
    journal.append(db, mac_key, stream=stream(version.key), sequence=sequence + 1, prev=prev, command_id=command_id,
                   at=at, command=Change(id=command_id, at=at, actor=actor, act=act),
                   events=(DefinitionDeployed(version=version.version, cosmetic=cosmetic),), definition=version.sha256)
    return version


def changes_since(db: Connection, before: Version | None, data: bytes) -> tuple[Mapping[str, Any], ...]:
    """What changed against a version, as it is stored; () where there was none."""
    if before is None:
        return ()
    old = export(db, before.key, before.version)
    assert old is not None, "a version has bytes"
    return tuple(changes.to_json(one) for one in changes.between(old, data))


def carried_on(version: Version, before: Version) -> Version:
    """A version that means the same is ratified as the one before it was, and does not hold before that one does."""
    return replace(version, holds_from=max(version.holds_from, before.holds_from), effective=before.effective,
                   number=before.number, dated=before.dated, position=before.position, scan=before.scan,
                   ratifier_name=before.ratifier_name, ratifier_nip=before.ratifier_nip)


def put(db: Connection, version: Version, data: bytes) -> None:
    """Write the row of a version that its stream records."""
    db.execute(insert(table).values(**row_of(version), bytes=data))


def put_scan(db: Connection, version: Version) -> None:
    """Write the signed paper that a version has now."""
    db.execute(update(table).where(table.c.key == version.key, table.c.version == version.version).values(
        scan=row_of(version)["scan"]))


def scanned_by(db: Connection, sha256: str) -> list[tuple[str, str, str]]:
    """(key, name, person) of who gave a file as the signed paper of a version, as the rows of its stream say."""
    found: dict[tuple[str, str, str], None] = {}
    for row in db.execute(select(table.c.key, table.c.name).where(table.c.scan.contains(sha256)).distinct()):
        for entry in journal.read(db, stream(row.key)):
            files = (entry.command["act"].get("scan") or {}).get("files", ())
            if any(one["sha256"] == sha256 for one in files):
                found[row.key, row.name, entry.command["actor"]["person"]] = None
    return list(found)


def put_withdrawal(db: Connection, one: Withdrawal) -> None:
    db.execute(insert(withdrawal).values(**vars(one)))


def put_evaluation(db: Connection, one: Evaluation) -> None:
    db.execute(insert(evaluation).values(**vars(one)))


def deployed_by_command(db: Connection, key: str, command_id: str) -> int | None:
    """The row of the stream that a command wrote already, None if it wrote none: how a repeat is recognised."""
    return journal.sequence_of(db, stream(key), command_id)


def lock_key(db: Connection, key: str) -> None:
    """One change of a key at a time."""
    lock(db, stream(key))


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
