"""Which account of the office's identity provider is whose: linked by the person, written down in the access stream.

A provider says who somebody is there; who that is here was said by the person, with their password. Positions and
powers are ours alone.
"""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, delete, insert, select

from ..commands import Actor
from ..instance import Refused
from . import access, records
from .database import lock
from .schema import office_account


@dataclass(frozen=True)
class OfficeAccount:
    """An account of a provider. `name` is what it called its holder when it was linked."""
    issuer: str
    subject: str
    person: str
    name: str
    linked_at: datetime


def of_person(db: Connection, issuer: str, person: str) -> OfficeAccount | None:
    """The account of this provider that a person has linked."""
    return _one(db, office_account.c.issuer == issuer, office_account.c.person == person)


def find(db: Connection, issuer: str, subject: str) -> OfficeAccount | None:
    """The link of an account that somebody has just signed in with at its provider."""
    return _one(db, office_account.c.issuer == issuer, office_account.c.subject == subject)


def _one(db: Connection, *holds: object) -> OfficeAccount | None:
    row = db.execute(select(office_account).where(*holds)).first()  # type: ignore[arg-type]
    if row is None:
        return None
    return OfficeAccount(row.issuer, row.subject, row.person, row.name, records.moment(row.linked_at))


def link(db: Connection, key: bytes, account: OfficeAccount, id: str) -> None:
    """Link an account with its person, once. Raises Refused (`conflict`): it is another's, or they have another.

    db  a connection in a write transaction. key  of the journal's MAC. id  of the form: a repeat finds it done.
    """
    lock(db, "office accounts")
    known = find(db, account.issuer, account.subject)
    if known is not None and known.person == account.person:
        return
    if known is not None:
        raise Refused("conflict", "Akun kantor ini sudah ditautkan dengan orang lain. Hubungi administrator.")
    if of_person(db, account.issuer, account.person) is not None:
        raise Refused("conflict", "Anda sudah menautkan akun kantor yang lain. Lepaskan dahulu tautan itu.")
    db.execute(insert(office_account).values(issuer=account.issuer, subject=account.subject, person=account.person,
                                             name=account.name, linked_at=records.instant(account.linked_at)))
    act = access.OfficeAccountLinked(issuer=account.issuer, subject_sha256=_hashed(account.subject))
    access.record(db, key, act, Actor(person=account.person), account.linked_at, id)


def unlink(db: Connection, key: bytes, issuer: str, person: str, at: datetime, id: str) -> bool:
    """Take a person's link away; whether there was one."""
    lock(db, "office accounts")
    known = of_person(db, issuer, person)
    if known is None:
        return False
    db.execute(delete(office_account).where(office_account.c.issuer == issuer, office_account.c.person == person))
    act = access.OfficeAccountUnlinked(issuer=issuer, subject_sha256=_hashed(known.subject))
    access.record(db, key, act, Actor(person=person), at, id)
    return True


def unlink_all(db: Connection, key: bytes, person: str, by: Actor, at: datetime, id: str) -> None:
    """Take every link of a person away, as somebody else: a recovery of their account was called not right."""
    lock(db, "office accounts")
    found = db.execute(select(office_account).where(office_account.c.person == person).order_by(
        office_account.c.issuer)).all()
    db.execute(delete(office_account).where(office_account.c.person == person))
    for n, row in enumerate(found):
        act = access.OfficeAccountUnlinked(issuer=row.issuer, subject_sha256=_hashed(row.subject))
        access.record(db, key, act, by, at, f"{id}-{n}")


def _hashed(subject: str) -> str:
    return sha256(subject.encode()).hexdigest()
