"""The tables of the organisation: shadows of the stream `organisation`, and the questions asked of them.

`performs` answers who may do what, in one statement; it is part of every completion. Tables are written by `put`, act
for act, and can be emptied and refilled from the stream (`organise.rebuild`). Credentials and failed sign-ins are no
facts; they stand at the end.
"""
from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Connection,
    Table,
    and_,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from ..organisation import (
    AUDITOR,
    AuditAssignment,
    AuditScope,
    Binding,
    Confirmation,
    FactorRequirement,
    Holding,
    Organisation,
    Person,
    Position,
    Power,
    Reading,
    Row,
    Setting,
    StartingUnit,
    Unit,
    local_date,
)
from . import records, schema
from .prepared import Prepared
from .schema import (
    attempt,
    audit_assignment,
    binding,
    confirmation,
    credential,
    definition_unit,
    factor_requirement,
    holding,
    instance,
    person,
    position,
    power,
    reading,
    setting,
    unit,
)

# Writing

TABLES: Mapping[str, tuple[Table, type, tuple[str, ...]]] = {     # field of Organisation -> table, its value, its key
    "units": (unit, Unit, ("id",)),
    "positions": (position, Position, ("id",)),
    "people": (person, Person, ("id",)),
    "holdings": (holding, Holding, ("id",)),
    "bindings": (binding, Binding, ("key", "lane", "unit")),
    "powers": (power, Power, ("person", "power", "unit")),
    "assignments": (audit_assignment, AuditAssignment, ("id",)),
    "starting_units": (definition_unit, StartingUnit, ("key", "unit")),
    "readings": (reading, Reading, ("key", "unit", "subject")),
    "settings": (setting, Setting, ("name",)),
    "confirmations": (confirmation, Confirmation, ("id",)),
    "requirements": (factor_requirement, FactorRequirement, ("person",)),
}
TRUTHS = ("many", "active")                 # columns that hold 0 or 1
LISTS = ("units", "years")                  # columns that hold a JSON list
OURS = or_(setting.c.name == "demonstration", func.substr(setting.c.name, 1, 10) == "lane_name/")   # of table setting


def load(db: Connection) -> Organisation:
    """The whole organisation, from its tables."""
    found: dict[str, dict[Any, Any]] = {}
    for name, (table, kind, keys) in TABLES.items():
        question = select(table).order_by(*(table.c[key] for key in keys))
        if table is setting:
            question = question.where(OURS)
        values = (value_of(kind, row._asdict()) for row in db.execute(question))
        found[name] = {key_of(one, keys): one for one in values}
    return Organisation(**found)


def key_of(value: Any, keys: tuple[str, ...]) -> Any:
    return getattr(value, keys[0]) if len(keys) == 1 else tuple(getattr(value, key) for key in keys)


def value_of(kind: type, row: dict[str, Any]) -> Any:
    for name in TRUTHS:
        if name in row:
            row[name] = bool(row[name])
    if "facts" in row:
        row["facts"] = json.loads(row["facts"])
    for name in LISTS:
        if name in row:
            row[name] = tuple(json.loads(row[name]))
    return kind(**row)


def row_of(value: Any) -> dict[str, Any]:
    row = asdict(value)
    for name in TRUTHS:
        if name in row:
            row[name] = int(row[name])
    if "facts" in row:
        row["facts"] = json.dumps(row["facts"], ensure_ascii=False, sort_keys=True)
    for name in LISTS:
        if name in row:
            row[name] = json.dumps(row[name])
    return row


def put(db: Connection, before: Organisation, changed: Iterable[Row]) -> None:
    """Write what one act changed. `before` tells which rows are there already."""
    for name, key, value in changed:
        table, _, keys = TABLES[name]
        parts = key if len(keys) > 1 else (key,)
        where = and_(*(table.c[column] == part for column, part in zip(keys, parts, strict=True)))
        if value is None:
            db.execute(delete(table).where(where))
        elif key in getattr(before, name):
            db.execute(update(table).where(where).values(row_of(value)))
        else:
            db.execute(insert(table).values(row_of(value)))


def refill(db: Connection, organisation: Organisation) -> None:
    """Empty the tables and fill them with this organisation."""
    for table, _, _ in reversed(list(TABLES.values())):
        db.execute(delete(table).where(OURS) if table is setting else delete(table))
    for name, (table, _, _) in TABLES.items():
        values = [row_of(one) for one in getattr(organisation, name).values()]
        if values:
            db.execute(insert(table), values)


# Authority

class Right(NamedTuple):
    """A lane that a person may perform, and as what."""
    lane: str
    position: str
    position_name: str
    unit: str                               # the position's
    capacity: str                           # definitif | plh | plt
    basis: str


_on: Any = bindparam("on")
_other = holding.alias("other")
HELD = and_(holding.c.valid_from <= _on, or_(holding.c.valid_until.is_(None), holding.c.valid_until >= _on))
# A Plh. or Plt. holds the position now: its definitive holder only reads.
REPLACED = and_(holding.c.capacity == "definitif", position.c.many == 0, exists().where(
    _other.c.position == holding.c.position, _other.c.capacity != "definitif", _other.c.valid_from <= _on,
    or_(_other.c.valid_until.is_(None), _other.c.valid_until >= _on)))
_rights = (select(binding.c.lane, position.c.id, position.c.name, position.c.unit, holding.c.capacity, holding.c.basis)
           .join(holding, holding.c.position == binding.c.position).join(position, position.c.id == binding.c.position)
           .join(person, person.c.id == holding.c.person)
           .where(holding.c.person == bindparam("person"), person.c.active == 1, binding.c.key == bindparam("key"),
                  binding.c.unit == bindparam("unit"), HELD)
           .order_by(binding.c.lane, position.c.id, holding.c.capacity, holding.c.valid_from))
PERFORMS = Prepared(_rights.where(~REPLACED))
READS = Prepared(_rights)


def performs(db: Connection, person: str, key: str, unit: str, on: date) -> tuple[Right, ...]:
    """The lanes of process `key` that a person may perform for a unit on a date, by lane: one statement.

    on  the date in the unit's zone (`organisation.local_date`).
    """
    return tuple(map(Right._make, PERFORMS(db, person=person, key=key, unit=unit, on=on.isoformat())))


def reads(db: Connection, person: str, key: str, unit: str, on: date) -> tuple[Right, ...]:
    """What `performs` gives, and the lanes of a definitive holder whom a Plh. or Plt. replaces."""
    return tuple(map(Right._make, READS(db, person=person, key=key, unit=unit, on=on.isoformat())))


WHO_PERFORMS = Prepared(
    select(holding.c.person).distinct().select_from(binding).join(holding, holding.c.position == binding.c.position)
    .join(position, position.c.id == binding.c.position).join(person, person.c.id == holding.c.person)
    .where(binding.c.key == bindparam("key"), binding.c.lane == bindparam("lane"), binding.c.unit == bindparam("unit"),
           person.c.active == 1, HELD, ~REPLACED).order_by(holding.c.person))


def who_performs(db: Connection, key: str, lane: str, unit: str, on: date) -> tuple[str, ...]:
    """Ids of the people who may perform a lane for a unit on a date, sorted."""
    return tuple(WHO_PERFORMS(db, key=key, lane=lane, unit=unit, on=on.isoformat()).scalars())


class Served(NamedTuple):
    """A lane of a process that a person performs, or only reads, for a unit: what an inbox begins with."""
    key: str
    unit: str
    lane: str
    only_reads: bool


SERVES = Prepared(
    select(binding.c.key, binding.c.unit, binding.c.lane, func.min(case((REPLACED, 1), else_=0)))
    .join(holding, holding.c.position == binding.c.position).join(position, position.c.id == binding.c.position)
    .join(person, person.c.id == holding.c.person)
    .where(holding.c.person == bindparam("person"), person.c.active == 1, HELD)
    .group_by(binding.c.key, binding.c.unit, binding.c.lane).order_by(binding.c.key, binding.c.unit, binding.c.lane))


def serves(db: Connection, person: str, on: date) -> tuple[Served, ...]:
    """Every lane of every process and unit that a person serves on a date."""
    return tuple(Served(key, unit, lane, bool(replaced))
                 for key, unit, lane, replaced in SERVES(db, person=person, on=on.isoformat()))


# People, positions, units

PERSON = Prepared(select(person).where(person.c.id == bindparam("id")))
BY_LOGIN = Prepared(select(person).where(or_(person.c.login == bindparam("login"), person.c.nip == bindparam("login")))
                    .order_by(person.c.id))
UNIT = Prepared(select(unit).where(unit.c.id == bindparam("id")))
POWERS = Prepared(select(power).join(person, person.c.id == power.c.person)
                  .where(power.c.person == bindparam("person"), person.c.active == 1)
                  .order_by(power.c.power, power.c.unit))


def person_of(db: Connection, id: str) -> Person | None:
    """The person with this id, active or not."""
    row = PERSON(db, id=id).first()
    return value_of(Person, row._asdict()) if row else None


def by_login(db: Connection, login_or_nip: str) -> Person | None:
    """The person with this login, or with this NIP, active or not."""
    row = BY_LOGIN(db, login=login_or_nip).first()
    return value_of(Person, row._asdict()) if row else None


def names(db: Connection, ids: Iterable[str | None]) -> dict[str, str]:
    """Person id -> display name; ids that are nobody's are left out."""
    wanted = {id for id in ids if id}
    found = db.execute(select(person.c.id, person.c.name).where(person.c.id.in_(wanted))) if wanted else ()
    return {row[0]: row[1] for row in found}


def position_names(db: Connection, ids: Iterable[str | None]) -> dict[str, str]:
    """Position id -> name."""
    wanted = {id for id in ids if id}
    found = db.execute(select(position.c.id, position.c.name).where(position.c.id.in_(wanted))) if wanted else ()
    return {row[0]: row[1] for row in found}


def unit_of(db: Connection, id: str) -> Unit | None:
    row = UNIT(db, id=id).first()
    return Unit(**row._asdict()) if row else None


UNIT_OF_POSITION = Prepared(select(unit).join(position, position.c.unit == unit.c.id)
                            .where(position.c.id == bindparam("position")))


def unit_of_position(db: Connection, position: str) -> Unit | None:
    row = UNIT_OF_POSITION(db, position=position).first()
    return Unit(**row._asdict()) if row else None


def units(db: Connection) -> tuple[Unit, ...]:
    """All units, by name."""
    return tuple(Unit(**row._asdict()) for row in db.execute(select(unit).order_by(unit.c.name)))


class Staff(NamedTuple):
    """A person in a position, as shown where somebody is chosen."""
    person: str
    name: str
    position: str
    position_name: str
    capacity: str
    basis: str


_staff = (select(person.c.id, person.c.name, position.c.id, position.c.name, holding.c.capacity, holding.c.basis)
          .select_from(holding).join(position, position.c.id == holding.c.position)
          .join(person, person.c.id == holding.c.person)
          .where(person.c.active == 1, HELD))
OF_UNIT = Prepared(_staff.where(position.c.unit == bindparam("unit")).order_by(person.c.name, position.c.name))
OF_POSITION = Prepared(_staff.where(position.c.id == bindparam("position"), ~REPLACED).order_by(person.c.name))
OF_PERSON = Prepared(_staff.where(person.c.id == bindparam("person"), ~REPLACED)
                     .order_by(case((holding.c.capacity == "definitif", 0), else_=1), position.c.name))


_mine = holding.alias("mine")
_theirs = person.alias("theirs")
STAND_INS = Prepared(
    select(_theirs.c.name, position.c.name, _other.c.capacity, _other.c.valid_until)
    .select_from(_mine).join(position, position.c.id == _mine.c.position)
    .join(_other, _other.c.position == position.c.id).join(_theirs, _theirs.c.id == _other.c.person)
    .where(_mine.c.person == bindparam("person"), _mine.c.capacity == "definitif", position.c.many == 0,
           _other.c.capacity != "definitif", _theirs.c.active == 1,
           *(and_(one.c.valid_from <= _on, or_(one.c.valid_until.is_(None), one.c.valid_until >= _on))
             for one in (_mine, _other)))
    .order_by(position.c.name, _theirs.c.name))


class StandIn(NamedTuple):
    """Who acts in a position that somebody holds definitively, and until when (an ISO date; None: not said)."""
    name: str
    position_name: str
    capacity: str                           # plh | plt
    until: str | None


def stand_ins(db: Connection, person: str, on: date) -> tuple[StandIn, ...]:
    """Who acts on a date in the single positions that a person holds: meanwhile they only read."""
    return tuple(map(StandIn._make, STAND_INS(db, person=person, on=on.isoformat())))


def people_of_unit(db: Connection, unit: str, on: date) -> tuple[Staff, ...]:
    """Who holds a position of the unit on a date, by name; one with two positions is there twice."""
    return tuple(map(Staff._make, OF_UNIT(db, unit=unit, on=on.isoformat())))


def holders(db: Connection, position: str, on: date) -> tuple[Staff, ...]:
    """Who acts in a position on a date: its Plh. or Plt. where there is one, else its holder, or its many."""
    return tuple(map(Staff._make, OF_POSITION(db, position=position, on=on.isoformat())))


def holder_now(db: Connection, position: str, on: date) -> Staff | None:
    """Who acts in a single position on a date."""
    return next(iter(holders(db, position, on)), None)


def positions_of(db: Connection, person: str, on: date) -> tuple[Staff, ...]:
    """The positions in which a person acts on a date, the definitive ones first."""
    return tuple(map(Staff._make, OF_PERSON(db, person=person, on=on.isoformat())))


def unit_of_lane(db: Connection, key: str, lane: str, unit: str) -> str | None:
    """The unit of the position that performs a lane for a unit; None while the lane is bound to nobody."""
    return db.execute(select(position.c.unit).join(binding, binding.c.position == position.c.id).where(
        binding.c.key == key, binding.c.lane == lane, binding.c.unit == unit)).scalar()


# Who looks after SOPs

HEADS = Prepared(
    select(unit.c.id).join(position, position.c.id == unit.c.head).join(holding, holding.c.position == position.c.id)
    .join(person, person.c.id == holding.c.person)
    .where(holding.c.person == bindparam("person"), person.c.active == 1, HELD, ~REPLACED)
    .distinct().order_by(unit.c.id))


def heads(db: Connection, person: str, on: date) -> tuple[str, ...]:
    """Ids of the units that a person heads on a date: who holds the head's position, or is its Plh. or Plt."""
    return tuple(HEADS(db, person=person, on=on.isoformat()).scalars())


def head_of(db: Connection, unit: str, on: date) -> Staff | None:
    """Who heads a unit on a date and in what capacity; None where no position does, or nobody holds it."""
    found = unit_of(db, unit)
    return holder_now(db, found.head, on) if found and found.head else None


def ancestors(db: Connection, unit: str) -> tuple[str, ...]:
    """The ids of a unit, its parent, and so on upwards; () for "" and for what is none."""
    found: list[str] = []
    at = unit_of(db, unit) if unit else None
    while at is not None and at.id not in found:
        found.append(at.id)
        at = unit_of(db, at.parent) if at.parent else None
    return tuple(found)


def has_power(db: Connection, person: str, power: str, unit: str) -> bool:
    """Whether a person has a power over a unit: of it, of a unit above it, or of all. unit "": only of all."""
    wide = {"", *ancestors(db, unit)}
    return any(one.power == power and one.unit in wide for one in powers(db, person))


def readings(db: Connection, key: str, unit: str) -> dict[str, Reading]:
    """What a unit has confirmed about how it reads a process, by subject."""
    found = db.execute(select(reading).where(reading.c.key == key, reading.c.unit == unit))
    return {row.subject: value_of(Reading, row._asdict()) for row in found}


def units_that_may_start(db: Connection, key: str) -> tuple[StartingUnit, ...]:
    """The units that may start a process, with their own facts over the diagram's, by unit id."""
    found = db.execute(select(definition_unit).where(definition_unit.c.key == key).order_by(definition_unit.c.unit))
    return tuple(value_of(StartingUnit, row._asdict()) for row in found)


def powers(db: Connection, person: str) -> tuple[Power, ...]:
    """What an active person is besides a holder of positions: administrator, auditor of units."""
    return tuple(Power(**row._asdict()) for row in POWERS(db, person=person))


ASSIGNMENTS = Prepared(select(audit_assignment).join(person, person.c.id == audit_assignment.c.person)
                       .where(audit_assignment.c.person == bindparam("person"), person.c.active == 1)
                       .order_by(audit_assignment.c.valid_from, audit_assignment.c.id))


def assignments(db: Connection, person: str) -> tuple[AuditAssignment, ...]:
    """Every surat tugas audit of an active person, the oldest first; also those that ended or have not begun."""
    return tuple(value_of(AuditAssignment, row._asdict()) for row in ASSIGNMENTS(db, person=person))


def audits(db: Connection, person: str, now: datetime) -> tuple[AuditScope, ...]:
    """What an active person may audit now: by the old power, and by each surat tugas that holds today where its unit
    is. This is the one answer to that question; `within` asks it of tables."""
    found = [AuditScope(unit=one.unit) for one in powers(db, person) if one.power == AUDITOR]
    for one in assignments(db, person):
        for id in one.units:
            place = unit_of(db, id)
            if place is not None and one.holds(local_date(now, place.zone).isoformat()):
                found.append(AuditScope(unit=id, zone=place.zone, years=one.years, number=one.number))
    return tuple(found)


def within(scopes: Iterable[AuditScope]) -> Any:
    """The condition on `instance` that one of the scopes covers it, as `AuditScope.covers` says."""
    return or_(false(), *(_within(one) for one in scopes))


def _within(scope: AuditScope) -> Any:
    there = instance.c.unit == scope.unit if scope.unit else true()
    if not scope.years:
        return there
    begun = [and_(instance.c.started_at >= _new_year(year, scope.zone),
                  instance.c.started_at < _new_year(year + 1, scope.zone)) for year in scope.years]
    return and_(there, or_(instance.c.year.in_(scope.years), and_(instance.c.year.is_(None), or_(*begun))))


def _new_year(year: int, zone: str) -> str:
    return records.instant(datetime(year, 1, 1, tzinfo=ZoneInfo(zone)))


ADMINISTERS = Prepared(select(power.c.person).join(person, person.c.id == power.c.person)
                       .where(power.c.person == bindparam("person"), power.c.power == "administrator",
                              power.c.unit == "", person.c.active == 1))


def is_administrator(db: Connection, person: str) -> bool:
    """Whether an active person is administrator of the whole installation."""
    return ADMINISTERS(db, person=person).first() is not None


# Not facts: passwords, failed sign-ins, sessions to end

class Credential(NamedTuple):
    password_hash: str
    changed_at: str
    temporary: bool


CREDENTIAL = Prepared(select(credential.c.password_hash, credential.c.changed_at, credential.c.temporary)
                      .where(credential.c.person == bindparam("person")))


def credential_of(db: Connection, person: str) -> Credential | None:
    row = CREDENTIAL(db, person=person).first()
    return Credential(row[0], row[1], bool(row[2])) if row else None


def put_credential(db: Connection, person: str, password_hash: str, at: datetime, temporary: bool) -> None:
    values = {"password_hash": password_hash, "changed_at": records.instant(at), "temporary": int(temporary)}
    if not db.execute(update(credential).where(credential.c.person == person).values(values)).rowcount:
        db.execute(insert(credential).values(person=person, **values))


def remove_credential(db: Connection, person: str) -> None:
    """The person has no password any more: they cannot sign in by one until they get a slip."""
    db.execute(delete(credential).where(credential.c.person == person))


def rehash(db: Connection, person: str, before: str, password_hash: str) -> None:
    """The same password under newer parameters, unless it was changed meanwhile."""
    db.execute(update(credential).where(credential.c.person == person, credential.c.password_hash == before)
               .values(password_hash=password_hash))


def failures(db: Connection, subject: str, since: datetime) -> list[datetime]:
    """When sign-ins under a subject failed, newest first."""
    found = db.execute(select(attempt.c.at).where(attempt.c.subject == subject, attempt.c.at > records.instant(since))
                       .order_by(attempt.c.at.desc()))
    return [records.moment(at) for at in found.scalars()]


def add_failure(db: Connection, subject: str, at: datetime) -> int:
    """Record a failure; its number among those of the same subject and instant."""
    same = and_(attempt.c.subject == subject, attempt.c.at == records.instant(at))
    number: int = db.execute(select(func.coalesce(func.max(attempt.c.number), 0) + 1).where(same)).scalar_one()
    db.execute(insert(attempt).values(subject=subject, at=records.instant(at), number=number))
    return number


def forget_failure(db: Connection, subject: str, at: datetime, number: int) -> None:
    db.execute(delete(attempt).where(attempt.c.subject == subject, attempt.c.at == records.instant(at),
                                     attempt.c.number == number))


def forget_failures(db: Connection, subject: str) -> None:
    db.execute(delete(attempt).where(attempt.c.subject == subject))


def forget_old_failures(db: Connection, before: datetime) -> None:
    db.execute(delete(attempt).where(attempt.c.at < records.instant(before)))


def end_sessions(db: Connection, person: str, keep: str | None = None) -> None:
    """End what a person is signed in to, except the session with the id `keep`."""
    which = schema.session.c.person == person
    db.execute(delete(schema.session).where(and_(which, schema.session.c.id != keep) if keep else which))
