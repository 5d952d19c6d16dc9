"""Finished passes of user tasks: how long each really took, read from the journal when it has time.

A projection: `behind` reads the rows of the journal that were not read yet, `record` writes what they say. Dropped and
made again it is the same; two workers that do the same work write it once. A user task that was cancelled or corrected
away is no finished pass.
"""
from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, or_, select, true
from sqlalchemy.dialects import postgresql, sqlite

from .. import calendars
from ..forecast import DONE, PlannedPass, Samples
from ..instance import ProcessInstance
from ..organisation import AuditScope
from ..performance import MOST_CASES, MOST_PASSES, Case, Pass
from ..rules import Rules
from . import organisation, records
from .instances import stream
from .schema import finished_pass, instance, journal, projection, unit, user_task

NAME = "passes"                         # in the table `projection`
MOST_SAMPLES = 5_000                    # of one process, the newest
PAGE = 50                               # rows of a journal read at once, where an opening is looked for

Row = dict[str, Any]                    # of finished_pass


@dataclass(frozen=True, kw_only=True)
class Read:
    """What was read of one instance: how far, and its passes finished there; or why it cannot be read."""
    instance: str
    sequence: int
    rows: tuple[Row, ...] = ()
    recalled: tuple[int, ...] = ()      # user tasks whose completion was taken back there
    error: str | None = None


def project(db: Connection, rules: Rules, most: int) -> int:
    """Read what the journal has behind what was read, of at most `most` instances; of how many. In a write transaction.
    """
    return record(db, behind(db, rules, most))


def behind(db: Connection, rules: Rules, most: int) -> list[Read]:
    """What the journal has behind what was read, of at most `most` instances, in the order of their ids.

    One whose journal cannot be read says so and keeps nobody else from being read.
    """
    known = func.coalesce(projection.c.sequence, 0).label("known")
    found = (select(instance.c.id, instance.c.key, instance.c.unit, instance.c.sequence, known)
             .outerjoin(projection, and_(projection.c.name == NAME, projection.c.instance == instance.c.id))
             .where(known < instance.c.sequence).order_by(instance.c.id).limit(most))
    return [_read(db, rules, one) for one in db.execute(found).all()]


def _read(db: Connection, rules: Rules, one: Any) -> Read:
    try:
        rows, recalled = _passes(db, rules, one.id, one.key, one.unit, one.known, one.sequence)
    except (ValueError, LookupError, TypeError) as error:       # the doctor's matter (alur verify)
        return Read(instance=one.id, sequence=one.known, error=f"{type(error).__name__}: {error}")
    return Read(instance=one.id, sequence=one.sequence, rows=rows, recalled=recalled)


def record(db: Connection, found: Sequence[Read]) -> int:
    """Write what was read; of how many instances. What another worker wrote meanwhile is the same, and stays."""
    found = [one for one in found if one.error is None]
    if not found:
        return 0
    insert: Any = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    for one in found:
        if one.recalled:
            db.execute(delete(finished_pass).where(finished_pass.c.instance == one.instance,
                                                   finished_pass.c.number.in_(one.recalled)))
    if rows := [row for one in found for row in one.rows]:
        db.execute(insert(finished_pass).on_conflict_do_nothing(), rows)
    new = insert(projection)
    newer = new.on_conflict_do_update(
        index_elements=[projection.c.name, projection.c.instance], set_={"sequence": new.excluded.sequence},
        where=projection.c.sequence < new.excluded.sequence)
    db.execute(newer, [{"name": NAME, "instance": one.instance, "sequence": one.sequence} for one in found])
    return len(found)


def forget(db: Connection) -> None:
    """Drop what was read, so that it is read again from the beginning."""
    db.execute(delete(finished_pass))
    db.execute(delete(projection).where(projection.c.name == NAME))


# Look

def samples(db: Connection, key: str) -> Samples:
    """How long the finished passes of a process took, of all units, the newest MOST_SAMPLES, in order."""
    newest = (select(finished_pass.c.element, finished_pass.c.working_minutes, finished_pass.c.returned)
              .where(finished_pass.c.key == key)
              .order_by(finished_pass.c.ended_at.desc(), finished_pass.c.instance, finished_pass.c.number)
              .limit(MOST_SAMPLES))
    minutes: dict[str, list[int]] = {}
    returned: dict[str, int] = {}
    for element, taken, back in reversed(db.execute(newest).all()):
        minutes.setdefault(element, []).append(taken)
        returned[element] = returned.get(element, 0) + back
    return Samples(minutes={id: tuple(taken) for id, taken in minutes.items()}, returned=returned)


def of_instance(db: Connection, rules: Rules, value: ProcessInstance) -> tuple[PlannedPass, ...]:
    """The finished passes of an instance up to its newest Step, in the order in which they ended.

    What the projection has not read yet is read from the journal, so that nothing finished is missing.
    """
    known = select(func.coalesce(func.max(projection.c.sequence), 0)).where(
        projection.c.name == NAME, projection.c.instance == value.id).scalar_subquery()
    found = select(finished_pass, known.label("known")).where(finished_pass.c.instance == value.id)
    rows: list[Mapping[str, Any]] = [dict(row._mapping) for row in db.execute(found)]
    read = rows[0]["known"] if rows else 0      # without a row there is nothing to save by asking
    if read < value.sequence:
        newer, recalled = _passes(db, rules, value.id, value.key, value.unit, read, value.sequence)
        rows = [row for row in rows if row["number"] not in recalled]
        finished = {row["number"] for row in rows}
        rows += [row for row in newer if row["number"] not in finished]
    rows = [row for row in rows if row["number"] not in value.user_tasks]   # finished after it was loaded
    rows.sort(key=lambda row: (row["ended_at"], row["number"]))
    return tuple(_planned(row) for row in rows)


def _planned(row: Mapping[str, Any]) -> PlannedPass:
    end = records.moment(row["ended_at"])
    return PlannedPass(element=row["element"], lane=row["lane"], round=row["round"], end=end,
                       start=min(records.moment(row["opened_at"]), end), minutes=row["working_minutes"], measured=True,
                       state=DONE)


# Across instances

@dataclass(frozen=True, kw_only=True)
class Reach:
    """Whose passes somebody may see: all, what they audit, and these processes in these units."""
    everything: bool = False
    scopes: tuple[AuditScope, ...] = ()
    pairs: frozenset[tuple[str, str]] = frozenset()     # (process key, unit)

    def condition(self) -> Any:
        if self.everything:
            return true()
        pairs = [and_(instance.c.key == key, instance.c.unit == of) for key, of in sorted(self.pairs)]
        return or_(organisation.within(self.scopes), *pairs)


@dataclass(frozen=True)
class Place:
    """A process in a unit and a year, with how many instances it has there."""
    key: str
    unit: str
    unit_name: str
    year: int | None
    instances: int


def places(db: Connection, reach: Reach) -> list[Place]:
    """Where there is something within a reach, by key, unit and year."""
    found = (select(instance.c.key, instance.c.unit, unit.c.name, instance.c.year, func.count())
             .join(unit, unit.c.id == instance.c.unit).where(reach.condition())
             .group_by(instance.c.key, instance.c.unit, unit.c.name, instance.c.year)
             .order_by(instance.c.key, unit.c.name, instance.c.unit, instance.c.year))
    return [Place(*row) for row in db.execute(found)]


def cases(db: Connection, key: str, reach: Reach, of_unit: str = "", year: int | None = None,
          timeless: bool = False) -> tuple[list[Case], int, int]:
    """(instances of a process with their finished passes, how many older ones were left out, how many have steps that
    the worker has not read yet): the newest first, MOST_CASES of them with MOST_PASSES passes at most.

    of_unit, year  narrow it; "" and None do not. timeless: only those that belong to no year
    """
    wanted = and_(instance.c.key == key, reach.condition(), instance.c.unit == of_unit if of_unit else true(),
                  instance.c.year == year if year is not None else true(),
                  instance.c.year.is_(None) if timeless else true())
    passed = (select(func.count()).where(finished_pass.c.instance == instance.c.id)).scalar_subquery()
    read = (select(func.coalesce(func.max(projection.c.sequence), 0))
            .where(projection.c.name == NAME, projection.c.instance == instance.c.id)).scalar_subquery()
    rows = db.execute(
        select(instance.c.id, instance.c.title, instance.c.unit, unit.c.name.label("unit_name"), instance.c.year,
               instance.c.status, instance.c.definition, instance.c.sequence, instance.c.started_at,
               instance.c.ended_at, passed.label("passed"),
               read.label("read"))
        .join(unit, unit.c.id == instance.c.unit).where(wanted)
        .order_by(instance.c.started_at.desc(), instance.c.id).limit(MOST_CASES)).all()
    chosen, room = [], MOST_PASSES
    for row in rows:
        room -= row.passed
        if room < 0:
            break
        chosen.append(row)
    ids = [row.id for row in chosen]
    all_of_them: int = db.execute(select(func.count()).select_from(instance).where(wanted)).scalar_one()
    finished, standing = _finished(db, ids), _standing(db, ids)
    found = [Case(id=row.id, title=row.title, unit=row.unit, unit_name=row.unit_name, year=row.year, status=row.status,
                  definition=row.definition, passes=tuple(finished.get(row.id, ())),
                  open=tuple(standing.get(row.id, ())), started_at=records.moment(row.started_at),
                  ended_at=records.moment(row.ended_at) if row.ended_at else None) for row in chosen]
    return found, all_of_them - len(found), sum(row.read < row.sequence for row in chosen)


def _finished(db: Connection, ids: Collection[str]) -> dict[str, list[Pass]]:
    found: dict[str, list[Pass]] = {}
    rows = select(finished_pass).where(finished_pass.c.instance.in_(ids)).order_by(finished_pass.c.instance,
                                                                                   finished_pass.c.number)
    for row in db.execute(rows):
        found.setdefault(row.instance, []).append(Pass(
            number=row.number, element=row.element, lane=row.lane, round=row.round, working=row.working_minutes,
            waiting=row.waiting_minutes, processing=row.processing_minutes, late=bool(row.late),
            opened_again=bool(row.returned), ended_at=records.moment(row.ended_at)))
    return found


def _standing(db: Connection, ids: Collection[str]) -> dict[str, list[tuple[int, str, int]]]:
    found: dict[str, list[tuple[int, str, int]]] = {}
    rows = select(user_task.c.instance, user_task.c.number, user_task.c.element, user_task.c.round).where(
        user_task.c.instance.in_(ids)).order_by(user_task.c.instance, user_task.c.number)
    for id, number, element, round in db.execute(rows):
        found.setdefault(id, []).append((number, element, round))
    return found


# From the journal

@dataclass(frozen=True, kw_only=True)
class Opened:
    """A user task as it was opened."""
    at: datetime
    begins_at: datetime                 # when its work could begin: earlier, where the one before was done on paper
    round: int
    lane: str


def _passes(db: Connection, rules: Rules, id: str, key: str, unit: str, after: int,
            until: int) -> tuple[tuple[Row, ...], tuple[int, ...]]:
    """(the passes that were finished in these rows of an instance's journal, the user tasks that were recalled there:
    what was read of them before holds no more)."""
    bodies = [records.parse(body) for (body,) in _bodies(db, id, after, until)]
    opened: dict[int, Opened] = {}
    asked = {event["user_task"] for body in bodies for event in body["events"] if event["type"] == "UserTaskCompleted"}
    moved: dict[int, tuple[str, int]] = {}
    for body in bodies:
        opened.update(_opened(body))
        moved.update(_moved(body))
    missing = asked - opened.keys()
    while missing and after > 0:        # they were opened before: mostly in the newest of the rows read already
        first = max(0, after - PAGE)
        page = [records.parse(older) for (older,) in _bodies(db, id, first, after)]
        for body in page:
            opened.update(_opened(body))
        moved = {number: one for body in page for number, one in _moved(body).items()} | moved
        missing, after = missing - opened.keys(), first
    found: dict[int, Row] = {}
    recalled: set[int] = set()
    for body in bodies:
        for event in body["events"]:
            number = event.get("user_task")
            if event["type"] == "UserTaskCompleted":
                lane, round = moved.get(number, (opened[number].lane, opened[number].round))
                found[number] = _row(rules, id, key, unit, body, event, replace(opened[number], lane=lane, round=round))
            elif event["type"] == "UserTaskRecalled":
                found.pop(number, None)
                recalled.add(number)
    return tuple(found.values()), tuple(sorted(recalled))


def _bodies(db: Connection, id: str, after: int, until: int) -> Iterable[Any]:
    rows = select(journal.c.body).where(journal.c.stream == stream(id), journal.c.sequence > after,
                                        journal.c.sequence <= until).order_by(journal.c.sequence)
    return [(bytes(body),) for (body,) in db.execute(rows)]


def _opened(body: Mapping[str, Any]) -> dict[int, Opened]:
    at = records.moment(body["at"])
    begins_at = _done_at(body) or at
    return {event["user_task"]: Opened(at=at, begins_at=begins_at, round=event["round"], lane=event["lane"])
            for event in body["events"] if event["type"] == "UserTaskOpened"}


def _moved(body: Mapping[str, Any]) -> dict[int, tuple[str, int]]:
    """Open user tasks that a migration gave another lane or round."""
    return {event["user_task"]: (event["lane"], event["round"])
            for event in body["events"] if event["type"] == "UserTaskMoved"}


def _done_at(body: Mapping[str, Any]) -> datetime | None:
    """When a completion says that the work was done, outside the application."""
    act = body["command"]["act"]
    stated = act.get("done_at") if act.get("type") == "CompleteUserTask" else None
    return records.moment(stated) if stated else None


def _row(rules: Rules, id: str, key: str, unit: str, body: Mapping[str, Any], event: Mapping[str, Any],
         opened: Opened) -> Row:
    end = _done_at(body) or records.moment(body["at"])
    of = body["calendars"]
    calendar = rules.calendar(of.get(opened.lane) or of[""])
    back = any(one["type"] == "UserTaskOpened" and one["round"] > 1 for one in body["events"])
    return {"instance": id, "number": event["user_task"], "key": key, "unit": unit, "element": event["element"],
            "lane": opened.lane, "round": opened.round, "opened_at": records.instant(opened.at),
            "ended_at": records.instant(end),
            "working_minutes": calendars.working_minutes(min(opened.begins_at, end), end, calendar),
            "waiting_minutes": event["waiting_minutes"], "processing_minutes": event["processing_minutes"],
            "late": int(event["late"]), "returned": int(back)}
