"""Agendas that a calendar program reads: who has a secret address for theirs, and what such an agenda is made of.

Of the secret only its SHA-256 is kept: who reads the database cannot read anybody's agenda with it.
"""
from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, or_, select, update

from ..instance import RUNNING, SUSPENDED, ProcessInstance
from . import instances, records
from .prepared import Prepared
from .schema import binding, feed, holding, instance, journal, person, team, unit

SECRET = re.compile(r"[A-Za-z0-9_-]{43}")   # 256 bits, base64url
READ_EVERY = timedelta(hours=1)             # a row written at each look would make every calendar program a writer


@dataclass(frozen=True, kw_only=True)
class Feed:
    person: str
    secret_sha256: str
    created_at: datetime
    read_at: datetime | None = None         # when a calendar program last asked, within an hour


OF_PERSON = Prepared(select(feed).where(feed.c.person == bindparam("person")))
BY_SECRET = Prepared(select(feed).join(person, person.c.id == feed.c.person)
                     .where(feed.c.secret_sha256 == bindparam("secret_sha256"), person.c.active == 1))


def of_person(db: Connection, person: str) -> Feed | None:
    """The address that a person has given to a calendar program; what it is, nobody knows any more."""
    return _feed(OF_PERSON(db, person=person).first())


def find(db: Connection, secret: str) -> Feed | None:
    """The feed that a secret opens; None where it opens none, or where its person may no longer sign in.

    It is looked up by its hash: how long that takes says nothing about a secret that is nearly right.
    """
    if not SECRET.fullmatch(secret):
        return None
    return _feed(BY_SECRET(db, secret_sha256=hashed(secret)).first())


def make(db: Connection, person: str, at: datetime) -> str:
    """A new secret for a person, which is told here and never again; the one before opens nothing from now on."""
    secret = secrets.token_urlsafe(32)
    revoke(db, person)
    db.execute(insert(feed).values(person=person, secret_sha256=hashed(secret), created_at=records.instant(at)))
    return secret


def revoke(db: Connection, person: str) -> bool:
    """A person's secret opens nothing any more; whether there was one."""
    return bool(db.execute(delete(feed).where(feed.c.person == person)).rowcount)


def was_read(db: Connection, person: str, at: datetime) -> None:
    db.execute(update(feed).where(feed.c.person == person).values(read_at=records.instant(at)))


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _feed(row: Any) -> Feed | None:
    if row is None:
        return None
    return Feed(person=row.person, secret_sha256=row.secret_sha256, created_at=records.moment(row.created_at),
                read_at=records.moment(row.read_at) if row.read_at else None)


# What an agenda is made of

class Performed(NamedTuple):
    """A lane that a person performs, or performed, for a unit: in a position held from a day to a day (inclusive)."""
    key: str
    unit: str
    lane: str
    valid_from: str
    valid_until: str | None


HELD = Prepared(
    select(binding.c.key, binding.c.unit, binding.c.lane, holding.c.valid_from, holding.c.valid_until).distinct()
    .join(holding, holding.c.position == binding.c.position)
    .where(holding.c.person == bindparam("person"), holding.c.valid_from <= bindparam("until"),
           or_(holding.c.valid_until.is_(None), holding.c.valid_until >= bindparam("since")))
    .order_by(binding.c.key, binding.c.unit, binding.c.lane, holding.c.valid_from))


def performed(db: Connection, person: str, since: date, until: date) -> tuple[Performed, ...]:
    """The lanes that a person's positions have performed at some time in these days."""
    rows = HELD(db, person=person, since=since.isoformat(), until=until.isoformat())
    return tuple(map(Performed._make, rows))


@dataclass(frozen=True, kw_only=True)
class Stand:
    """A process instance as it stands, with what an agenda says beside it."""
    instance: ProcessInstance
    head: bytes                             # hash of its newest journal row: names this state and no other
    title: str
    unit_name: str
    zone: str


def stands(db: Connection, person: str, pairs: Iterable[tuple[str, str]], since: datetime) -> list[Stand]:
    """The instances of these processes and units, or whose team a person is in, that go on or moved since then."""
    of_pairs = [and_(instance.c.key == key, instance.c.unit == of) for key, of in sorted(set(pairs))]
    of_teams = instance.c.id.in_(select(team.c.instance).where(team.c.person == person))
    moves = or_(instance.c.status.in_((RUNNING, SUSPENDED)), instance.c.last_at >= records.instant(since))
    found = (select(*instances.ROW, instance.c.title, unit.c.name.label("unit_name"), unit.c.zone)
             .join(unit, unit.c.id == instance.c.unit).where(or_(*of_pairs, of_teams), moves).order_by(instance.c.id))
    told = []
    for row in db.execute(found):
        try:
            one = instances.from_row(row)
        except instances.Unreadable:            # the invariants find it; the rest of the agenda stands
            continue
        told.append(Stand(instance=one, head=bytes(row.head), title=row.title, unit_name=row.unit_name, zone=row.zone))
    return told


ROWS = Prepared(select(func.max(journal.c.sequence)).where(journal.c.stream == bindparam("stream")))


def rows(db: Connection, stream: str) -> int:
    """How many rows a stream of the journal has: a number that only grows."""
    return int(ROWS(db, stream=stream).scalar() or 0)
