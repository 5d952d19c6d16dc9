"""What the worker asks for: timers that are due, instances that wait for nothing, rows that have had their time."""
from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, delete, exists, func, select, tuple_

from ..instance import RUNNING
from . import records
from .schema import instance, session, timer, user_task


class DueTimer(NamedTuple):
    instance: str
    number: int
    due_at: datetime


def due_timers(db: Connection, at: datetime, most: int, besides: Iterable[tuple[str, int]] = ()) -> list[DueTimer]:
    """Timers of running instances that are due at `at`, the longest due first, locked together with their instances.

    Those that somebody else holds at this moment are left out, so nobody waits (PostgreSQL: SKIP LOCKED).
    besides  timers to leave out, as (instance, number).
    """
    found = (select(timer.c.instance, timer.c.number, timer.c.due_at)
             .join(instance, instance.c.id == timer.c.instance)
             .where(timer.c.due_at <= records.instant(at), instance.c.status == RUNNING)
             .order_by(timer.c.due_at, timer.c.instance, timer.c.number).limit(most)
             .with_for_update(of=[timer, instance], skip_locked=True))
    if parked := list(besides):
        found = found.where(tuple_(timer.c.instance, timer.c.number).not_in(parked))
    return [DueTimer(row.instance, row.number, records.moment(row.due_at)) for row in db.execute(found)]


def sequence_of(db: Connection, id: str) -> int:
    """The sequence of an instance's newest Step."""
    return db.execute(select(instance.c.sequence).where(instance.c.id == id)).scalar_one()


def next_due(db: Connection) -> datetime | None:
    """When the next timer of a running instance is due, None if none runs."""
    found = (select(func.min(timer.c.due_at)).join(instance, instance.c.id == timer.c.instance)
             .where(instance.c.status == RUNNING))
    text = db.execute(found).scalar()
    return records.moment(text) if text else None


def without_user_task(db: Connection, most: int, after: str = "") -> list[str]:
    """Ids of running instances in which nobody has anything to do, in order, those behind `after`."""
    nobody = ~exists().where(user_task.c.instance == instance.c.id)
    found = select(instance.c.id).where(instance.c.status == RUNNING, nobody, instance.c.id > after)
    return list(db.execute(found.order_by(instance.c.id).limit(most)).scalars())


def forget_expired_sessions(db: Connection, at: datetime) -> int:
    """Delete sessions that ended a day ago or longer; how many. A younger one may still be asked why it ended."""
    old = records.instant(at - timedelta(days=1))
    return db.execute(delete(session).where(session.c.expires_at < old)).rowcount
