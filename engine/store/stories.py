"""Finished instances that owners keep as stories: which, by what name, by whom. Their text stands in the journal."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from ..instance import COMPLETED
from . import records
from .schema import instance
from .schema import kept_story as table


@dataclass(frozen=True, kw_only=True)
class Kept:
    key: str
    name: str
    instance: str
    person: str
    kept_at: datetime


def listed(db: Connection, key: str) -> tuple[Kept, ...]:
    """The kept stories of a process, by name."""
    found = db.execute(select(table).where(table.c.key == key).order_by(table.c.name))
    return tuple(Kept(key=row.key, name=row.name, instance=row.instance, person=row.person,
                      kept_at=records.moment(row.kept_at)) for row in found)


def candidates(db: Connection, key: str, most: int = 50) -> tuple[tuple[str, str], ...]:
    """(id, title) of the completed instances of a process that are no story yet, the newest first."""
    kept = select(table.c.instance).where(table.c.key == key)
    found = select(instance.c.id, instance.c.title).where(
        instance.c.key == key, instance.c.status == COMPLETED, instance.c.id.not_in(kept))
    return tuple((row.id, row.title) for row in db.execute(
        found.order_by(instance.c.ended_at.desc(), instance.c.id).limit(most)))


def keep(db: Connection, one: Kept) -> None:
    """Adds a story; its name is free (`listed` says so)."""
    db.execute(insert(table).values(key=one.key, name=one.name, instance=one.instance, person=one.person,
                                    kept_at=records.instant(one.kept_at)))


def forget(db: Connection, key: str, name: str) -> bool:
    """Takes a story away; whether there was one."""
    return bool(db.execute(delete(table).where(table.c.key == key, table.c.name == name)).rowcount)
