"""Diagrams that are being drawn: drafts, their saved revisions, and who has one open now. None of it is a fact.

A save names the revision it began from: the update that finds another one changes nothing, so of two people who save
one revision the second is told. A revision is a diagram's bytes and, while an owner's table cannot be drawn yet, the
table as it was typed beside the bytes that it began from.
"""
from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, case, delete, insert, select, update

from . import records
from .database import lock
from .schema import definition_draft as table
from .schema import definition_draft_presence as presence
from .schema import definition_draft_revision as revision_table

PERSON, FILE = "person", "file"             # where a draft comes from
OPEN, PROPOSED = "open", "proposed"
MOST_REVISIONS = 50                         # kept of a draft, the newest ones
HERE = timedelta(seconds=45)                # who was seen within this is there


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A diagram being drawn, without its bytes."""
    id: str
    key: str                                # the id of its process; "" while it has none
    name: str
    unit: str                               # whose owners may edit it
    base: str | None                        # SHA-256 of the version it began from
    sha256: str
    revision: int
    origin: str                             # person | file
    state: str                              # open | proposed
    created_at: str
    created_by: str
    saved_at: str
    saved_by: str
    unfinished: int = 0                     # 1: the newest revision has a table that cannot be drawn yet


@dataclass(frozen=True, kw_only=True)
class Revision:
    revision: int
    saved_at: str
    saved_by: str
    sha256: str
    unfinished: int = 0


COLUMNS = tuple(table.c[name] for name in Draft.__dataclass_fields__)


# Look

def get(db: Connection, id: str) -> Draft | None:
    return next(iter(_drafts(db.execute(select(*COLUMNS).where(table.c.id == id)))), None)


def listed(db: Connection) -> tuple[Draft, ...]:
    """Every draft, the newest saved first."""
    return _drafts(db.execute(select(*COLUMNS).order_by(table.c.saved_at.desc(), table.c.id)))


def of_files(db: Connection, key: str | None = None) -> tuple[Draft, ...]:
    """The drafts that a changed file became and nobody has touched since (of one key, or of all), by key."""
    found = select(*COLUMNS).where(table.c.origin == FILE, table.c.savers == "[]", table.c.state == OPEN)
    return _drafts(db.execute((found if key is None else found.where(table.c.key == key)).order_by(table.c.key)))


def from_file(db: Connection, key: str, file_sha256: str) -> Draft | None:
    """The draft that a file with this SHA-256 became, whatever was made of it since."""
    found = select(*COLUMNS).where(table.c.key == key, table.c.file_sha256 == file_sha256)
    return next(iter(_drafts(db.execute(found))), None)


def content(db: Connection, id: str, revision: int | None = None) -> bytes | None:
    """The bytes of a revision (None: the newest); None where there is no such one."""
    found = select(revision_table.c.bytes).where(revision_table.c.draft == id)
    if revision is None:
        found = found.order_by(revision_table.c.revision.desc()).limit(1)
    else:
        found = found.where(revision_table.c.revision == revision)
    data = db.execute(found).scalar()
    return None if data is None else bytes(data)


def sheet(db: Connection, id: str, revision: int) -> str:
    """The table that was typed at a revision and cannot be drawn; "" where there is none."""
    found = select(revision_table.c.sheet).where(revision_table.c.draft == id, revision_table.c.revision == revision)
    return str(db.execute(found).scalar() or "")


def revisions(db: Connection, id: str) -> tuple[Revision, ...]:
    """The revisions that are kept, the newest first, at most MOST_REVISIONS."""
    kept = select(revision_table.c.revision, revision_table.c.saved_at, revision_table.c.saved_by,
                  revision_table.c.sha256, case((revision_table.c.sheet == "", 0), else_=1).label("unfinished"))
    kept = kept.where(revision_table.c.draft == id)
    return tuple(Revision(**row._mapping) for row in db.execute(kept.order_by(revision_table.c.revision.desc())))


def savers(db: Connection, id: str) -> frozenset[str]:
    """Everybody who ever saved the draft, also what is no longer kept: none of them may judge it."""
    return frozenset(json.loads(db.execute(select(table.c.savers).where(table.c.id == id)).scalar() or "[]"))


def _drafts(rows: Iterable[Any]) -> tuple[Draft, ...]:
    return tuple(Draft(**row._mapping) for row in rows)


# Change

def add(db: Connection, draft: Draft, data: bytes, savers: Iterable[str], file_sha256: str = "",
        sheet: str = "") -> None:
    """Write a new draft and its first revision."""
    db.execute(insert(table).values(**vars(draft), savers=json.dumps(sorted(savers)), file_sha256=file_sha256))
    _keep(db, draft, data, sheet)


def save(db: Connection, draft: Draft, data: bytes, *, of_revision: int, sheet: str = "") -> bool:
    """Write the next revision of an open draft that still stands at `of_revision`; False where it does not."""
    same = (table.c.id == draft.id, table.c.revision == of_revision, table.c.state == OPEN)
    changed = {name: getattr(draft, name) for name in
               ("key", "name", "sha256", "revision", "saved_at", "saved_by", "unfinished")}
    if not db.execute(update(table).where(*same).values(**changed)).rowcount:
        return False
    before = savers(db, draft.id)           # after the update, which holds the row
    if draft.saved_by not in before and draft.saved_by:
        db.execute(update(table).where(table.c.id == draft.id).values(
            savers=json.dumps(sorted({*before, draft.saved_by}))))
    _keep(db, draft, data, sheet)
    return True


def refresh(db: Connection, draft: Draft, data: bytes) -> None:
    """The file that an untouched draft came from was changed again: the draft is what it says now."""
    db.execute(update(table).where(table.c.id == draft.id, table.c.savers == "[]").values(
        name=draft.name, sha256=draft.sha256, file_sha256=draft.sha256, revision=draft.revision, base=draft.base,
        saved_at=draft.saved_at))
    _keep(db, draft, data)


def _keep(db: Connection, draft: Draft, data: bytes, sheet: str = "") -> None:
    assert sha256(data).hexdigest() == draft.sha256, "a draft is named by its bytes"
    db.execute(insert(revision_table).values(draft=draft.id, revision=draft.revision, saved_at=draft.saved_at,
                                             saved_by=draft.saved_by, sha256=draft.sha256, bytes=data, sheet=sheet))
    db.execute(delete(revision_table).where(revision_table.c.draft == draft.id,
                                            revision_table.c.revision <= draft.revision - MOST_REVISIONS))


def set_state(db: Connection, id: str, *, before: str, state: str) -> bool:
    """Open to proposed or back; False where it was not in the state `before`."""
    return bool(db.execute(update(table).where(table.c.id == id, table.c.state == before).values(
        state=state)).rowcount)


def set_base(db: Connection, id: str, base: str) -> None:
    db.execute(update(table).where(table.c.id == id).values(base=base))


def forget(db: Connection, id: str) -> None:
    for one in (presence, revision_table):
        db.execute(delete(one).where(one.c.draft == id))
    db.execute(delete(table).where(table.c.id == id))


# Who has it open

def seen(db: Connection, id: str, person: str, at: datetime) -> None:
    """The person has the draft open at this instant."""
    whose, now = (presence.c.draft == id, presence.c.person == person), records.instant(at)
    lock(db, f"presence {id} {person}")     # two windows of one person may say so at once
    again = update(presence).where(*whose, presence.c.seen_at >= records.instant(at - HERE)).values(seen_at=now)
    if not db.execute(again).rowcount:
        db.execute(delete(presence).where(*whose))
        db.execute(insert(presence).values(draft=id, person=person, since=now, seen_at=now))


def present(db: Connection, id: str, at: datetime) -> tuple[tuple[str, str], ...]:
    """(person, since) of everybody who has the draft open, who came first first."""
    found = select(presence.c.person, presence.c.since).where(
        presence.c.draft == id, presence.c.seen_at >= records.instant(at - HERE))
    return tuple((row.person, row.since) for row in db.execute(found.order_by(presence.c.since, presence.c.person)))
