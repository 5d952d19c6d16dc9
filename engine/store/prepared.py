"""Statements compiled once: SQLAlchemy's constructs without their price on every execution.

The completion of a user task runs the same ten statements each time. Compiling and binding Core constructs cost twice
what the engine does, and even SQLAlchemy's way to driver SQL costs a third of it (measured); so they are compiled once
and run on the driver's own connection, the one that SQLAlchemy's pool gave. `heard` lets tests and the bench listen.
"""
from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler


class Said(NamedTuple):
    """A statement as it went to the driver."""
    sql: str
    values: Any
    many: bool


class Compiled(NamedTuple):
    sql: str
    order: tuple[str, ...] | None           # of positional parameters; None: they go by name
    fixed: dict[str, Any]                   # literals of the statement
    row: Callable[[Iterable[Any]], Any] | None      # makes a named row of what it gives


class Answer(list[Any]):
    """The rows of a statement, all of them, each a named tuple."""

    def first(self) -> Any:
        return self[0] if self else None

    def one(self) -> Any:
        (row,) = self
        return row

    def scalar(self) -> Any:
        return self[0][0] if self else None

    def scalars(self) -> list[Any]:
        return [row[0] for row in self]


listeners: list[list[Said]] = []


class Prepared:
    """A statement, called with a connection and the values of its bound parameters, by name."""

    def __init__(self, statement: ClauseElement):
        self.statement = statement
        self.compiled: dict[str, Compiled] = {}

    def _compile(self, db: Connection) -> Compiled:
        found = self.statement.compile(dialect=db.dialect)
        assert isinstance(found, SQLCompiler), "only statements are prepared"
        columns = getattr(self.statement, "selected_columns", None)
        row: Any = namedtuple("Row", columns.keys(), rename=True) if columns is not None else None
        one = Compiled(str(found), tuple(found.positiontup or ()) if found.positional else None,
                       {name: value for name, value in found.params.items() if value is not None},
                       row._make if row is not None else None)
        self.compiled[db.dialect.name] = one
        return one

    def __call__(self, db: Connection, **values: Any) -> Answer:
        sql, order, fixed, row = self.compiled.get(db.dialect.name) or self._compile(db)
        if fixed:
            values = {**fixed, **values}
        given = tuple([values[name] for name in order]) if order is not None else values
        for heard in listeners:
            heard.append(Said(sql, given, False))
        try:
            driver: Any = db.connection.driver_connection
            cursor = driver.execute(sql, given)
            return Answer(map(row, cursor.fetchall())) if row is not None else Answer()
        except db.dialect.loaded_dbapi.Error as error:
            raise translated(db, sql, error) from error

    def many(self, db: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """One statement for several rows (executemany); nothing for none."""
        sql, order, fixed, _ = self.compiled.get(db.dialect.name) or self._compile(db)
        given: list[Any] = [{**fixed, **row} for row in rows] if fixed else list(rows)
        if not given:
            return
        if order is not None:
            given = [tuple([row[name] for name in order]) for row in given]
        for heard in listeners:
            heard.append(Said(sql, given, True))
        try:
            driver: Any = db.connection.driver_connection
            if len(given) == 1:
                driver.execute(sql, given[0])
            else:
                driver.cursor().executemany(sql, given)
        except db.dialect.loaded_dbapi.Error as error:
            raise translated(db, sql, error) from error


def translated(db: Connection, sql: str, error: Exception) -> Exception:
    """The driver's error as SQLAlchemy's, so that an IntegrityError is one, whichever way a statement went."""
    return DBAPIError.instance(sql, None, error, db.dialect.loaded_dbapi.Error, dialect=db.dialect)


@contextmanager
def heard(db_or_engine: Any) -> Iterator[list[Said]]:
    """Every statement that goes to this engine while the block lasts, prepared or not, without BEGIN and COMMIT."""
    said: list[Said] = []

    def listen(_connection: Any, _cursor: Any, sql: str, values: Any, _context: Any, many: bool) -> None:
        said.append(Said(sql, values, many))
    event.listen(db_or_engine, "before_cursor_execute", listen)
    listeners.append(said)
    try:
        yield said
    finally:
        listeners.remove(said)
        event.remove(db_or_engine, "before_cursor_execute", listen)
