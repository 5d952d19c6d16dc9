"""Statements compiled once: SQLAlchemy's constructs without their price on every execution.

The completion of a user task runs the same ten statements each time. Compiling and binding Core constructs cost twice
what the engine does (measured), so they are compiled to the driver's SQL once and run with `exec_driver_sql`; events,
pooling and logging of SQLAlchemy still see them.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, CursorResult
from sqlalchemy.sql import ClauseElement


class Prepared:
    """A statement, called with a connection and the values of its bound parameters, by name."""

    def __init__(self, statement: ClauseElement):
        self.statement = statement
        self.compiled: dict[str, tuple[str, list[str] | None, dict[str, Any]]] = {}

    def _compile(self, db: Connection) -> tuple[str, list[str] | None, dict[str, Any]]:
        found = self.statement.compile(dialect=db.dialect)
        fixed = {name: value for name, value in found.params.items() if value is not None}
        one = (str(found), list(found.positiontup) if found.positional else None, fixed)
        self.compiled[db.dialect.name] = one
        return one

    def __call__(self, db: Connection, **values: Any) -> CursorResult:
        sql, order, fixed = self.compiled.get(db.dialect.name) or self._compile(db)
        if fixed:
            values = {**fixed, **values}
        return db.exec_driver_sql(sql, tuple(values[name] for name in order) if order is not None else values)

    def many(self, db: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """One statement for several rows (executemany)."""
        sql, order, fixed = self.compiled.get(db.dialect.name) or self._compile(db)
        rows = [{**fixed, **row} for row in rows] if fixed else list(rows)
        if rows:
            db.exec_driver_sql(sql, [tuple(row[name] for name in order) for row in rows] if order is not None else rows)
