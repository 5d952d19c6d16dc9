"""Second factors, recovery codes, when people signed in last, and to whom a change is still to be told: no facts.

What of it is secret is sealed or hashed before it comes here (engine/credentials.py).
"""
from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, or_, select, update

from ..organisation import PENDING
from . import records
from .prepared import Prepared
from .schema import (
    announcement,
    confirmation,
    credential,
    factor_requirement,
    last_sign_in,
    recovery_code,
    second_factor,
)

TOTP, PASSKEY = "totp", "passkey"


class Factor(NamedTuple):
    """A second factor that a person enrolled."""
    id: str
    person: str
    kind: str                               # totp | passkey
    name: str
    secret: str | None                      # of totp, sealed
    credential: str | None                  # of a passkey: its id, base64url
    public_key: str | None                  # of a passkey: COSE, base64url
    last_step: int                          # the newest time step accepted, or the signature counter
    created_at: str
    used_at: str | None


_mine = select(second_factor).where(second_factor.c.person == bindparam("person")).order_by(
    second_factor.c.created_at, second_factor.c.id)
OF_PERSON = Prepared(_mine)


def of_person(db: Connection, person: str) -> tuple[Factor, ...]:
    """The second factors of a person, the oldest first."""
    return tuple(Factor(**row._asdict()) for row in OF_PERSON(db, person=person))


def by_credential(db: Connection, id: str) -> Factor | None:
    """The passkey with this credential id (base64url)."""
    row = db.execute(select(second_factor).where(second_factor.c.credential == id)).first()
    return Factor(**row._asdict()) if row else None


def put(db: Connection, one: Factor) -> None:
    db.execute(insert(second_factor).values(one._asdict()))


def use(db: Connection, id: str, *, before: int, step: int, at: datetime) -> bool:
    """Record that a factor was used at a later step; False where somebody else was quicker, or the step is not later.

    An authenticator without a counter always says 0, and 0 after 0 is accepted.
    """
    later = and_(second_factor.c.id == id, second_factor.c.last_step == before)
    return db.execute(update(second_factor).where(later).values(
        last_step=step, used_at=records.instant(at))).rowcount == 1


def remove(db: Connection, person: str, id: str = "") -> int:
    """Remove one second factor of a person, or all (""), and with the last of them the recovery codes; how many."""
    mine = second_factor.c.person == person
    removed = db.execute(delete(second_factor).where(and_(mine, second_factor.c.id == id) if id else mine)).rowcount
    if not of_person(db, person):
        db.execute(delete(recovery_code).where(recovery_code.c.person == person))
    return removed


def put_codes(db: Connection, person: str, hashes: Iterable[str]) -> None:
    """Recovery codes, in the place of all that were there."""
    db.execute(delete(recovery_code).where(recovery_code.c.person == person))
    db.execute(insert(recovery_code), [{"person": person, "code_hash": one} for one in sorted(set(hashes))])


def use_code(db: Connection, person: str, code_hash: str, at: datetime) -> bool:
    """Use a recovery code up; False where it is none, or was used."""
    mine = and_(recovery_code.c.person == person, recovery_code.c.code_hash == code_hash,
                recovery_code.c.used_at.is_(None))
    return db.execute(update(recovery_code).where(mine).values(used_at=records.instant(at))).rowcount == 1


def codes_left(db: Connection, person: str) -> int:
    found: int = db.execute(select(func.count()).select_from(recovery_code).where(
        recovery_code.c.person == person, recovery_code.c.used_at.is_(None))).scalar_one()
    return found


REQUIRED = Prepared(select(factor_requirement.c.person).where(factor_requirement.c.person == bindparam("person")))


def is_required(db: Connection, person: str) -> bool:
    """Whether somebody may no longer sign in without a second factor."""
    return REQUIRED(db, person=person).first() is not None


# Signing in

def signed_in(db: Connection, person: str, at: datetime, method: str) -> None:
    """Keep when somebody signed in last, and how."""
    values = {"at": records.instant(at), "method": method}
    if not db.execute(update(last_sign_in).where(last_sign_in.c.person == person).values(values)).rowcount:
        db.execute(insert(last_sign_in).values(person=person, **values))


def last_signed_in(db: Connection, person: str) -> datetime | None:
    found = db.execute(select(last_sign_in.c.at).where(last_sign_in.c.person == person)).scalar()
    return records.moment(found) if found else None


def settled(db: Connection) -> frozenset[str]:
    """Who is at home here: people with a password of their own, or who signed in before. Only they can be asked."""
    own = db.execute(select(credential.c.person).where(credential.c.temporary == 0)).scalars()
    came = db.execute(select(last_sign_in.c.person)).scalars()
    return frozenset([*own, *came])


# What is told at the next sign-in

def announce(db: Connection, confirmation_: str, people: Iterable[str]) -> None:
    rows = [{"confirmation": confirmation_, "person": one} for one in sorted(set(people))]
    if rows:
        db.execute(insert(announcement), rows)


UNKNOWN = Prepared(select(announcement.c.confirmation).join(
    confirmation, confirmation.c.id == announcement.c.confirmation).where(
    announcement.c.person == bindparam("person"), announcement.c.known_at.is_(None)).order_by(confirmation.c.asked_at))


def unknown_to(db: Connection, person: str) -> tuple[str, ...]:
    """Ids of the changes that a person was told of and has not said that they know, the oldest first."""
    return tuple(UNKNOWN(db, person=person).scalars())


def known(db: Connection, confirmation_: str, person: str, at: datetime) -> None:
    """The person says that they know of the change."""
    db.execute(update(announcement).where(
        announcement.c.confirmation == confirmation_, announcement.c.person == person,
        announcement.c.known_at.is_(None)).values(known_at=records.instant(at)))


PENDING_ONES = Prepared(select(func.count()).select_from(confirmation).where(confirmation.c.state == PENDING))


def any_pending(db: Connection) -> bool:
    """Whether anything waits to be confirmed: asked before the whole organisation is read."""
    return bool(PENDING_ONES(db).scalar())


RECOVERED = Prepared(select(func.count()).select_from(confirmation).where(
    confirmation.c.person == bindparam("person"), confirmation.c.state == PENDING,
    or_(confirmation.c.kind == "kredensial", confirmation.c.kind == "faktor")))


def unconfirmed_recovery(db: Connection, person: str) -> bool:
    """Whether somebody's password or second factor was reset and nobody of the unit has confirmed it yet."""
    return bool(RECOVERED(db, person=person).scalar())
