"""All tables as plain rows, for a backup and its way back: the only place where a table is read without its meaning."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, insert, select

from .schema import (
    attempt,
    blob,
    document_file,
    invariant_finding,
    invariant_look,
    log_pending,
    metadata,
    session,
)

# Who is signed in, and who failed to, are no facts and none of a backup's business. Which journal rows wait for their
# place in the log is written by the journal itself, wherever its rows are put. What was found wrong is found again.
LEFT_OUT = (session, attempt, log_pending, invariant_look, invariant_finding)
NAMES = tuple(str(table.name) for table in metadata.sorted_tables if table not in LEFT_OUT)
BATCH = 500                             # rows a statement


def columns(name: str) -> list[str]:
    return [str(column.name) for column in metadata.tables[name].columns]


def read(db: Connection, name: str) -> Iterator[Sequence[Any]]:
    """The rows of a table in the order of its primary key, never all of them in memory."""
    table = metadata.tables[name]
    found = select(*table.columns).order_by(*table.primary_key.columns)
    yield from db.execute(found.execution_options(stream_results=True, yield_per=BATCH))


def write(db: Connection, name: str, given: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Insert rows whose values stand in the order of the columns `given`; how many."""
    source, count = iter(rows), 0
    while batch := [dict(zip(given, row, strict=True)) for row in islice(source, BATCH)]:
        db.execute(insert(metadata.tables[name]), batch)
        count += len(batch)
    return count


def not_empty(db: Connection) -> list[str]:
    """The names of the tables that have a row."""
    first = {name: db.execute(select(1).select_from(metadata.tables[name]).limit(1)).first() for name in NAMES}
    return [name for name, row in first.items() if row is not None]


def recorded_documents(db: Connection) -> list[str]:
    """The SHA-256 of every file that was ever attached or stored, in order."""
    attached = select(document_file.c.sha256)
    return sorted(db.execute(attached.union(select(blob.c.sha256))).scalars())
