"""Who is signed in, and what somebody is still typing: rows that are no facts and stand in no journal.

A session is named by the SHA-256 of its cookie: who reads the database cannot use it to sign in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from . import records
from .prepared import Prepared
from .schema import draft, session


@dataclass(frozen=True, kw_only=True)
class Session:
    """A session row. `id` is the hex SHA-256 of its cookie."""

    id: str
    person: str | None
    data: Mapping[str, Any]
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


FIND = Prepared(select(session).where(session.c.id == bindparam("id")))
SEEN = Prepared(update(session).where(session.c.id == bindparam("of")).values(seen_at=bindparam("at")))


def find(db: Connection, id: str) -> Session | None:
    """The session with this id, whatever its age."""
    row = FIND(db, id=id).first()
    return _session(row) if row else None


OF_PERSON = Prepared(select(session).where(session.c.person == bindparam("person")).order_by(session.c.created_at))


def of_person(db: Connection, person: str) -> tuple[Session, ...]:
    """Every session of a person, whatever its age, the oldest first."""
    return tuple(map(_session, OF_PERSON(db, person=person)))


def _session(row: Any) -> Session:
    return Session(
        id=row.id,
        person=row.person,
        data=json.loads(row.data),
        created_at=records.moment(row.created_at),
        seen_at=records.moment(row.seen_at),
        expires_at=records.moment(row.expires_at),
    )


def keep(db: Connection, one: Session, new: bool) -> bool:
    """Write a session; False of one that was ended meanwhile: what was ended does not come back."""
    values = {
        "person": one.person,
        "data": json.dumps(dict(one.data), ensure_ascii=False),
        "seen_at": records.instant(one.seen_at),
        "expires_at": records.instant(one.expires_at),
    }
    if new:
        db.execute(insert(session).values(id=one.id, created_at=records.instant(one.created_at), **values))
        return True
    return db.execute(update(session).where(session.c.id == one.id).values(values)).rowcount == 1


def seen(db: Connection, id: str, at: datetime) -> None:
    SEEN(db, of=id, at=records.instant(at))


def forget(db: Connection, id: str) -> None:
    db.execute(delete(session).where(session.c.id == id))


def forget_old(db: Connection, now: datetime, idle_since: datetime) -> None:
    """Drop what has expired, and what nobody has used since."""
    old = or_(session.c.expires_at < records.instant(now), session.c.seen_at < records.instant(idle_since))
    db.execute(delete(session).where(old))


@dataclass(frozen=True)
class Draft:
    """What a person has typed into an open user task."""

    data: Mapping[str, Any]
    saved_at: datetime


DRAFT = Prepared(
    select(draft.c.data, draft.c.saved_at).where(
        draft.c.instance == bindparam("instance"),
        draft.c.user_task == bindparam("user_task"),
        draft.c.person == bindparam("person"),
    )
)


def draft_of(db: Connection, instance: str, user_task: int, person: str) -> Draft | None:
    row = DRAFT(db, instance=instance, user_task=user_task, person=person).first()
    return Draft(json.loads(row.data), records.moment(row.saved_at)) if row else None
