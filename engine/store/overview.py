"""What the page over many process instances asks: each question once for all of them, however many there are."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from ..instance import ProcessInstance
from . import instances, records
from .schema import finished_pass, instance


def loaded(db: Connection, ids: Iterable[str]) -> Mapping[str, ProcessInstance]:
    """The instances of these ids as they stand, to look at; without those that cannot be read."""
    found = {}
    for row in db.execute(select(instance).where(instance.c.id.in_(sorted(set(ids))))):
        try:
            found[row.id] = instances.from_row(row)
        except instances.Unreadable:
            continue
    return found


@dataclass(frozen=True, kw_only=True)
class Passed:
    """What an instance has behind it, by one element."""
    element: str
    passes: int
    late: int                   # of them
    ended_at: datetime          # the newest


def passed(db: Connection, ids: Iterable[str]) -> Mapping[str, tuple[Passed, ...]]:
    """The finished passes of these instances, counted by element; of an instance without any, nothing."""
    of = finished_pass.c
    rows = db.execute(
        select(of.instance, of.element, func.count(), func.sum(of.late), func.max(of.ended_at))
        .where(of.instance.in_(sorted(set(ids)))).group_by(of.instance, of.element).order_by(of.instance, of.element))
    found: dict[str, tuple[Passed, ...]] = {}
    for id, element, passes, late, ended_at in rows:
        one = Passed(element=element, passes=passes, late=int(late or 0), ended_at=records.moment(ended_at))
        found[id] = (*found.get(id, ()), one)
    return found
