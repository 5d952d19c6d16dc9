"""Migrations of many instances that are under way: what is chosen, and what has become of each so far.

No facts: what happened to an instance stands in its own journal. A row lets a closed browser, or a crash, be taken up
where it was, by whoever may; the newest are kept for looking back.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import orjson
from sqlalchemy import Connection, delete, insert, select, update

from . import records
from .database import lock
from .schema import instance
from .schema import migration_run as table

KEPT = 30                       # runs of one process


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one instance. outcome: engine.migrate's words; replayed: whether its journal, run again across
    the migration, gave the same; None where that was not asked."""
    instance: str
    outcome: str
    message: str = ""
    replayed: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Run:
    """Many instances on their way to another version, or back."""
    id: str
    key: str
    definition: str                         # SHA-256 of the version to go to; undoing: of the one to leave
    undoing: bool
    mapping: Mapping[str, str]
    reason: str
    person: str                             # who began it; who goes on with it stands in the journals
    begun_at: datetime
    ended_at: datetime | None
    instances: tuple[tuple[str, str], ...]  # (id, SHA-256 of the version that it ran when it was chosen)
    results: tuple[Result, ...] = ()        # in the order they came

    @property
    def left(self) -> tuple[tuple[str, str], ...]:
        done = {one.instance for one in self.results}
        return tuple(one for one in self.instances if one[0] not in done)


def add(db: Connection, run: Run) -> Run:
    """Keep a new run; one that is there under this id stays as it is and is given back."""
    lock(db, f"migration {run.key}")
    there = get(db, run.id)
    if there is not None:
        return there
    old = select(table.c.id).where(table.c.key == run.key, table.c.ended_at.is_not(None))
    gone = [row.id for row in db.execute(old.order_by(table.c.begun_at.desc(), table.c.id).offset(KEPT).limit(1000))]
    db.execute(delete(table).where(table.c.id.in_(gone)))
    db.execute(insert(table).values(
        id=run.id, key=run.key, definition=run.definition, undoing=int(run.undoing), reason=run.reason,
        mapping=orjson.dumps(dict(run.mapping)).decode(), person=run.person, begun_at=records.instant(run.begun_at),
        ended_at=None, instances=orjson.dumps(run.instances).decode(), results="[]"))
    return run


def get(db: Connection, id: str) -> Run | None:
    row = db.execute(select(table).where(table.c.id == id)).first()
    return _run(row) if row else None


def titles(db: Connection, ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Id of an instance -> (its title, the id of its unit)."""
    wanted, found = list(dict.fromkeys(ids)), {}
    for first in range(0, len(wanted), 500):
        some = select(instance.c.id, instance.c.title, instance.c.unit)
        for row in db.execute(some.where(instance.c.id.in_(wanted[first:first + 500]))):
            found[row.id] = (row.title, row.unit)
    return found


def under_way(db: Connection, key: str) -> tuple[Run, ...]:
    """The runs of a process that are not finished, the oldest first."""
    found = select(table).where(table.c.key == key, table.c.ended_at.is_(None)).order_by(table.c.begun_at, table.c.id)
    return tuple(_run(row) for row in db.execute(found))


def done(db: Connection, id: str, results: Iterable[Result], at: datetime) -> Run | None:
    """Write down what became of some; the run as it is now, None where it is gone.

    Two who go on with the same run at once: the first who says of an instance what became of it is right, because
    the second found it done.
    """
    before = get(db, id)
    if before is None:
        return None
    lock(db, f"migration {before.key}")
    run = get(db, id)
    if run is None:
        return None
    known = {one.instance for one in run.results}
    run = replace(run, results=(*run.results, *(one for one in results if one.instance not in known)))
    ended = run.ended_at or (None if run.left else at)
    db.execute(update(table).where(table.c.id == id).values(
        results=orjson.dumps([(one.instance, one.outcome, one.message, one.replayed) for one in run.results]).decode(),
        ended_at=records.instant(ended) if ended else None))
    return replace(run, ended_at=ended)


def _run(row: object) -> Run:
    values = dict(row._mapping)             # type: ignore[attr-defined]
    return Run(
        id=values["id"], key=values["key"], definition=values["definition"], undoing=bool(values["undoing"]),
        mapping=orjson.loads(values["mapping"]), reason=values["reason"], person=values["person"],
        begun_at=records.moment(values["begun_at"]),
        ended_at=records.moment(values["ended_at"]) if values["ended_at"] else None,
        instances=tuple((id, sha256) for id, sha256 in orjson.loads(values["instances"])),
        results=tuple(Result(instance=id, outcome=outcome, message=message, replayed=replayed)
                      for id, outcome, message, replayed in orjson.loads(values["results"])))
