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
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, and_, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from . import records
from .prepared import Prepared
from .schema import notice
from .schema import preference as preferences

AT_ONCE, SUMMARY, NOTHING = "langsung", "ringkasan", "tidak"
MAILS = (AT_ONCE, SUMMARY, NOTHING)
MORNING = "ringkasan"                       # the kind of a notice that is itself a summary: mail only
MOST = 200


@dataclass(frozen=True, kw_only=True)
class Notice:
    id: str
    instance: str                           # "" of a summary
    user_task: int | None                   # None: about the whole instance
    kind: str                               # sebelum_batas | lewat_batas | dua_kali | tenggat | dikembalikan |
    #                                         tugas_baru | ringkasan
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


# The inbox

_newest = (notice.c.created_at.desc(), notice.c.id)
OF_PERSON = Prepared(select(notice).where(notice.c.person == bindparam("person"), notice.c.kind != MORNING)
                     .order_by(*_newest).limit(bindparam("most")))
UNREAD = Prepared(select(notice).where(notice.c.person == bindparam("person"), notice.c.kind != MORNING,
                                       notice.c.seen_at.is_(None)).order_by(*_newest).limit(bindparam("most")))
COUNT = Prepared(select(func.count()).select_from(notice).where(
    notice.c.person == bindparam("person"), notice.c.kind != MORNING, notice.c.seen_at.is_(None)))


def of_person(db: Connection, person: str, most: int = MOST) -> list[Notice]:
    """What a person was told, the newest first."""
    return [_notice(row) for row in OF_PERSON(db, person=person, most=most)]


def unread(db: Connection, person: str, most: int = MOST) -> list[Notice]:
    """What a person was told and has not marked as read, the newest first."""
    return [_notice(row) for row in UNREAD(db, person=person, most=most)]


def count_unread(db: Connection, person: str) -> int:
    found: int = COUNT(db, person=person).scalar()
    return found


def mark_read(db: Connection, person: str, ids: Iterable[str] | Literal["all"], at: datetime) -> int:
    """Mark a person's own notices as read; how many were not yet. Other people's are left alone."""
    mine = and_(notice.c.person == person, notice.c.seen_at.is_(None), notice.c.kind != MORNING)
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
    return db.execute(kind(table).values(list(rows)).on_conflict_do_nothing()).rowcount if rows else 0
