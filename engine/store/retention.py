"""What erasing by law touches in the tables: legal holds, shadows of a value, files, and who else still has a copy.

Every way to delete a record asks `held` or `everything_held` first; which ways there are is listed in
tests/engine/test_retention.py, and a new one fails there until it is judged.
"""
from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    LargeBinary,
    String,
    Text,
    bindparam,
    cast,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from . import access, journal, records
from .database import Database
from .schema import (
    definition,
    document_file,
    draft,
    instance,
    journal_value,
    legal_hold,
    metadata,
    migration_run,
    notice,
    position,
)
from .schema import journal as journal_table

EVERYTHING, OF_UNIT, OF_INSTANCE = "all", "unit", "instance"
# What is kept of a person besides facts: how they sign in and are told. Whoever keeps more of a person adds it here.
OF_A_PERSON = ("credential", "preference", "feed", "notice", "digest", "session", "draft", "second_factor",
               "recovery_code", "last_sign_in", "office_account", "announcement")
JOURNAL = ("journal", "journal_value", "log_entry", "log_pending", "checkpoint")
LEAST_SEARCHED = 8                      # letters of a value that is looked for elsewhere; shorter ones stand everywhere
MOST_SEARCHED = 10                      # texts


# Legal holds

@dataclass(frozen=True, kw_only=True)
class Hold:
    """A legal hold: nothing of what it is about is erased or disposed of until it is lifted."""
    id: str
    scope: str                          # all | unit | instance
    instance: str = ""
    unit: str = ""
    year: int | None = None             # of report; None: of all years
    number: str
    basis: str
    since: str                          # ISO date
    placed_at: str
    placed_by: str

    def covers(self, id: str, unit: str, year: int | None) -> bool:
        """Whether it keeps an instance. One without a year of report is of every year."""
        of_years = self.year is None or year is None or self.year == year
        return (self.scope == EVERYTHING or (self.scope == OF_INSTANCE and self.instance == id)
                or (self.scope == OF_UNIT and self.unit == unit and of_years))


def holds(db: Connection) -> list[Hold]:
    """The holds that hold now, the oldest first."""
    rows = db.execute(select(legal_hold).order_by(legal_hold.c.placed_at, legal_hold.c.id))
    return [Hold(**row._mapping) for row in rows]


def place(db: Connection, hold: Hold) -> None:
    db.execute(insert(legal_hold).values(vars(hold)))


def lift(db: Connection, id: str) -> None:
    db.execute(delete(legal_hold).where(legal_hold.c.id == id))


def held(db: Connection, id: str) -> Hold | None:
    """The hold that keeps an instance from being erased or disposed of, the oldest; None where nothing does."""
    of = heading(db, id)
    return next((one for one in holds(db) if one.covers(of.id, of.unit, of.year)), None) if of else None


def everything_held(db: Connection) -> Hold | None:
    """The hold on everything, None where there is none: while it stands, files that nothing refers to stay as well."""
    row = db.execute(select(legal_hold).where(legal_hold.c.scope == EVERYTHING).limit(1)).first()
    return Hold(**row._mapping) if row else None


def any_held(db: Connection) -> Hold | None:
    """Any hold at all. A person's name stands in every process that they had a hand in."""
    return next(iter(holds(db)), None)


# Values and files of an instance

@dataclass(frozen=True)
class Kept:
    """A value that stands beside a row."""
    sequence: int
    path: str
    value: bytes                        # canonical JSON

    @property
    def name(self) -> str:
        return f"{self.sequence}:{self.path}"


def values(db: Connection, stream: str) -> list[Kept]:
    """Every value of a stream that was not erased, in order."""
    found = select(journal_value.c.sequence, journal_value.c.path, journal_value.c.value).where(
        journal_value.c.stream == stream, journal_value.c.value.is_not(None))
    rows = db.execute(found.order_by(journal_value.c.sequence, journal_value.c.path))
    return [Kept(row.sequence, row.path, bytes(row.value)) for row in rows]


def files(db: Connection, id: str) -> list[str]:
    """The SHA-256 of every file that an instance still has, sorted."""
    found = select(document_file.c.sha256).where(document_file.c.instance == id).distinct()
    return list(db.execute(found.order_by(document_file.c.sha256)).scalars())


def attached(db: Connection, id: str) -> list[tuple[str, str, int, int]]:
    """(SHA-256, document type, version, bytes) of every file that an instance still has, by type and version."""
    found = select(*(document_file.c[name] for name in ("sha256", "type", "version", "size_bytes")))
    rows = db.execute(found.where(document_file.c.instance == id).distinct().order_by(
        document_file.c.type, document_file.c.version, document_file.c.sha256))
    return [(row.sha256, row.type, row.version, row.size_bytes) for row in rows]


def referred(db: Connection, sha256: str) -> bool:
    """Whether an instance or a signed SOP still has this file."""
    return bool(db.execute(select(or_(
        exists().where(document_file.c.sha256 == sha256),
        exists().where(definition.c.scan.contains(sha256))))).scalar())


def ended(db: Connection) -> list[Any]:
    """(id, key, unit, year, title, ended_at, sequence) of every instance that is over, the oldest first."""
    found = select(*(instance.c[name] for name in ("id", "key", "unit", "year", "title", "ended_at", "sequence")))
    return list(db.execute(found.where(instance.c.ended_at.is_not(None)).order_by(instance.c.ended_at, instance.c.id)))


def heading(db: Connection, id: str) -> Any:
    """(id, key, unit, year, title, status, ended_at) of an instance, None where there is none."""
    found = select(*(instance.c[name] for name in ("id", "key", "unit", "year", "title", "status", "ended_at")))
    return db.execute(found.where(instance.c.id == id)).first()


def unit_of_position(db: Connection, id: str) -> str | None:
    return db.execute(select(position.c.unit).where(position.c.id == id)).scalar()


def hash_of(db: Connection, stream: str, sequence: int) -> str:
    """The hash of a row, hex; "" where there is none."""
    found = select(journal_table.c.hash).where(journal_table.c.stream == stream, journal_table.c.sequence == sequence)
    value = db.execute(found).scalar()
    return bytes(value).hex() if value else ""


# Shadows that are no fold of the journal

def forget_in(db: Connection, id: str | None, texts: Sequence[str]) -> None:
    """Empty what was told or typed about an instance (None: about any) where one of these texts stands in it, in
    whatever case, as words of its own: who writes of the pertanian does not write of an Ani."""
    if not texts:
        return
    found = select(notice.c.id, notice.c.subject, notice.c.body)
    found = found.where(notice.c.instance == id if id else _near((notice.c.subject, notice.c.body), texts))
    told = [row.id for row in db.execute(found) if _stands(texts, (row.subject, row.body))]
    place = tuple(draft.c[name] for name in ("instance", "user_task", "person"))
    drafts = select(*place, draft.c.data).where(draft.c.instance == id if id else _near((draft.c.data,), texts))
    typed = [row[:3] for row in db.execute(drafts) if _stands(texts, texts_in(json.loads(row.data)))]
    moves = select(migration_run.c.id, migration_run.c.reason).where(
        migration_run.c.instances.contains(id, autoescape=True) if id else _near((migration_run.c.reason,), texts))
    moved = [row.id for row in db.execute(moves) if _stands(texts, (row.reason,))]
    for change, rows in (
            (update(notice).where(notice.c.id == bindparam("row_0")).values(subject="(dihapus)", body="(dihapus)"),
             [(one,) for one in told]),
            (delete(draft).where(*(column == bindparam(f"row_{n}") for n, column in enumerate(place))), typed),
            (update(migration_run).where(migration_run.c.id == bindparam("row_0")).values(reason="(dihapus)"),
             [(one,) for one in moved])):
        if rows:
            db.execute(change, [{f"row_{n}": value for n, value in enumerate(row)} for row in rows])


def _near(columns: Sequence[Any], texts: Sequence[str]) -> Any:
    """Rows in which one of a few texts may stand: more than those in which it does."""
    return or_(*(column.icontains(one, autoescape=True) for column in columns for text in texts
                 for one in {text, _escaped(text)}))


def _stands(texts: Sequence[str], within: Iterable[str]) -> bool:
    """Whether one of these texts stands in one of those, as words of its own."""
    places = [place.casefold() for place in within]
    for text in (one.casefold() for one in texts):
        words = re.compile(rf"(?<!\w){re.escape(text)}(?!\w)") if any(text in place for place in places) else None
        if words and any(words.search(place) for place in places):
            return True
    return False


def texts_in(value: Any) -> Iterator[str]:
    """The texts within a value, one by one."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from texts_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts_in(one)


def forget_all_of(db: Connection, id: str) -> None:
    """Empty everything that was told or typed about an instance, whatever it says."""
    db.execute(delete(draft).where(draft.c.instance == id))
    db.execute(update(notice).where(notice.c.instance == id).values(subject="(dihapus)", body="(dihapus)"))


def forget_person(db: Connection, id: str) -> dict[str, int]:
    """Take away how a person signed in, what they were told and what they had typed; how many rows of each."""
    found = {}
    for name in OF_A_PERSON:
        table = metadata.tables.get(name)
        if table is not None and "person" in table.c:
            found[name] = db.execute(delete(table).where(table.c.person == id)).rowcount
    return {name: count for name, count in found.items() if count}


def _holds(column: Any, text: str) -> Any:
    return column.contains(text, autoescape=True)


def _escaped(text: str) -> str:
    """As a JSON text holds it."""
    return records.canonical(text).decode()[1:-1]


def elsewhere(db: Connection, texts: Sequence[str]) -> dict[str, int]:
    """Where these texts still stand: table, or "journal_value" of another process -> how many rows. For who erased
    them: the same words may lawfully stand elsewhere, and may have been overlooked."""
    wanted = sorted(set(texts), key=len, reverse=True)[:MOST_SEARCHED]
    found: dict[str, int] = {}
    for table in metadata.sorted_tables if wanted else ():
        if table.name in JOURNAL and table.name != "journal_value":
            continue
        for column in table.c:
            if isinstance(column.type, (Text, String, LargeBinary)):
                hits = or_(*(_anywhere(db, column, text) for text in wanted))
                count = db.execute(select(func.count()).select_from(table).where(hits)).scalar() or 0
                if count:
                    found[table.name] = max(count, found.get(table.name, 0))
    return found


def _anywhere(db: Connection, column: Any, text: str) -> Any:
    if not isinstance(column.type, LargeBinary):
        return or_(_holds(column, text), _holds(column, _escaped(text)))
    if db.dialect.name == "sqlite":
        return func.instr(column, _escaped(text).encode()) > 0
    return func.position(cast(_escaped(text).encode(), LargeBinary).op("IN")(column)) > 0


# Who has copies

@dataclass(frozen=True)
class Copy:
    """A pack or evidence that was taken while the values were there."""
    at: datetime
    person: str
    what: str                           # journal, or the id of the instance
    form: str                           # zip, pdf, ...


def copies(db: Connection, instances: Iterable[str]) -> Iterator[Copy]:
    """What was taken away of these instances, or of everything, the oldest first."""
    wanted = set(instances)
    for entry in journal.read(db, access.STREAM):
        act = entry.command["act"]
        what = act.get("instance") or act.get("what") or ""
        many = set(act.get("instances") or ())
        if act["type"] in ("EvidenceTaken", "PackTaken", "SelectionTaken") and (
                what == "journal" or what in wanted or many & wanted):
            yield Copy(entry.at, entry.command["actor"]["person"], what or ", ".join(sorted(many & wanted)),
                       act.get("form", "zip"))


# Bytes that a database leaves behind

def scrub(database: Database, whole: bool = False) -> None:
    """Make the database forget what was overwritten: SQLite rewrites its file and empties its log beside it;
    PostgreSQL clears what no transaction sees (`whole`: rewrites the tables, which locks them meanwhile)."""
    with database.engine.connect() as db:
        driver: Any = db.connection.driver_connection
        if database.dialect == "sqlite":
            driver.execute("VACUUM")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        for name in ("journal_value", "instance", "notice", "draft", "person"):
            driver.execute(f"VACUUM {'(FULL) ' if whole else ''}{name}")
