"""What pages ask: open user tasks, process instances, documents and who may see them. Only reading.

One function a question, named by it; what comes back is frozen and in a stated order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Select, and_, bindparam, case, exists, false, func, or_, select

from ..instance import CANCELLED, RUNNING, Extension, Passed
from ..organisation import AuditScope, Unit
from . import organisation, records
from .instances import MOST_STATE_BYTES
from .prepared import Prepared
from .schema import document, document_file, instance, journal, position, team, unit, user_task

Pair = tuple[str, str]  # (process key, unit id)

# What is too large to be read is not even fetched: it would slow everybody's list.
STATE = case((func.length(instance.c.state) <= MOST_STATE_BYTES, instance.c.state))
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)

UNIT_OF_POSITION = Prepared(
    select(unit).join(position, position.c.unit == unit.c.id).where(position.c.id == bindparam("id"))
)


def unit_of_position(db: Connection, id: str) -> Unit | None:
    row = UNIT_OF_POSITION(db, id=id).first()
    return Unit(**row._asdict()) if row else None


HANDLED = Prepared(
    select(journal.c.sequence).where(
        journal.c.stream == bindparam("stream"), journal.c.command_id == bindparam("command_id")
    )
)


def was_handled(db: Connection, id: str, command_id: str) -> bool:
    """Whether an instance's journal has this command already."""
    return HANDLED(db, stream=f"instance/{id}", command_id=command_id).first() is not None


# Open user tasks


@dataclass(frozen=True, kw_only=True)
class OpenTask:
    """An open user task as a list shows it."""

    instance: str
    number: int
    element: str
    name: str
    lane: str
    round: int
    opened_at: datetime
    norm_at: datetime | None
    late_at: datetime | None
    owner: str | None
    claimed_at: datetime | None
    key: str
    definition: str
    unit: str
    unit_name: str
    zone: str
    title: str
    year: int | None
    status: str  # of the instance
    has_team: bool  # the instance has a team of its own for this lane
    role: str | None  # of the person who asks, in that team
    before: tuple[str, Passed] | None  # the newest completed element and its pass
    calendar: str  # SHA-256 of the calendar that its lane counts in
    extended: bool  # late_at was moved by an extension
    extension: Extension | None  # the newest request for more time
    teams: Mapping[str, Mapping[str, str]]  # lane -> person id -> role: the instance's own teams


def _of(pairs: Iterable[Pair]) -> Any:
    """Instances of one of these processes in one of these units."""
    wanted = [and_(instance.c.key == key, instance.c.unit == of) for key, of in sorted(set(pairs))]
    return or_(*wanted) if wanted else false()


def _of_my_teams(person: str) -> Any:
    return instance.c.id.in_(select(team.c.instance).where(team.c.person == person))


@dataclass(frozen=True)
class Parked:
    """An open user task, or a process instance, whose stored state cannot be read: it waits for an administrator."""

    instance: str
    title: str
    unit_name: str
    name: str = ""  # of the user task


def open_tasks(db: Connection, person: str, pairs: Iterable[Pair]) -> list[OpenTask]:
    """The open user tasks of the processes and units that a person serves, and of the instances whose team they are in;
    the most urgent first, those without a limit last."""
    return inbox(db, person, pairs)[0]


def inbox(db: Connection, person: str, pairs: Iterable[Pair]) -> tuple[list[OpenTask], list[Parked]]:
    """`open_tasks`, and those whose instance cannot be read: one of them keeps nobody from the others."""
    found, parked = list[OpenTask](), list[Parked]()
    for row in db.execute(_open(person, pairs)):
        try:
            found.append(_open_task(row))
        except UNREADABLE:
            parked.append(Parked(row.instance, row.title, row.unit_name, row.name))
    return found, parked


def asked_extensions(db: Connection, person: str, pairs: Iterable[Pair]) -> list[OpenTask]:
    """Those of `open_tasks` of running instances whose request for more time nobody has decided on yet."""
    waiting = _open(person, pairs).where(user_task.c.asked_until.is_not(None), instance.c.status == RUNNING)
    found = []
    for row in db.execute(waiting):
        try:
            found.append(_open_task(row))
        except UNREADABLE:
            continue  # the inbox itself says so
    return found


def _open(person: str, pairs: Iterable[Pair]) -> Select[Any]:
    appointed = exists().where(team.c.instance == user_task.c.instance, team.c.lane == user_task.c.lane)
    role = (
        select(team.c.role)
        .where(team.c.instance == user_task.c.instance, team.c.lane == user_task.c.lane, team.c.person == person)
        .scalar_subquery()
    )
    return (
        select(
            user_task,
            instance.c.definition,
            instance.c.title,
            instance.c.year,
            instance.c.status,
            STATE.label("state"),
            unit.c.name.label("unit_name"),
            unit.c.zone,
            appointed.label("has_team"),
            role.label("role"),
        )
        .join(instance, instance.c.id == user_task.c.instance)
        .join(unit, unit.c.id == user_task.c.unit)
        .where(or_(_of(pairs), _of_my_teams(person)))
        .order_by(func.coalesce(user_task.c.late_at, "9999"), user_task.c.opened_at, user_task.c.instance)
    )


def _open_task(row: Any) -> OpenTask:
    state = orjson.loads(bytes(row.state))
    passed = state.get("passed", {})
    done = {element: records.decode(Passed, one) for element, one in passed.items()}
    newest = max(done, key=lambda element: (done[element].at, done[element].user_task), default=None)
    task = state["user_tasks"].get(str(row.number), {})
    asked = task.get("extension")
    return OpenTask(
        instance=row.instance,
        number=row.number,
        element=row.element,
        name=row.name,
        lane=row.lane,
        round=row.round,
        opened_at=records.moment(row.opened_at),
        norm_at=_moment(row.norm_at),
        late_at=_moment(row.late_at),
        owner=row.owner,
        claimed_at=_moment(row.claimed_at),
        key=row.key,
        definition=row.definition,
        unit=row.unit,
        unit_name=row.unit_name,
        zone=row.zone,
        title=row.title,
        year=row.year,
        status=row.status,
        has_team=bool(row.has_team),
        role=row.role,
        before=(newest, done[newest]) if newest else None,
        calendar=_calendar(state, row.lane),
        extended=bool(task.get("extended")),
        extension=records.decode(Extension, asked) if asked else None,
        teams={lane: dict(members) for lane, members in state.get("team", {}).items()},
    )


def _calendar(state: Mapping[str, Any], lane: str) -> str:
    found: str = state["calendars"].get(lane) or state["calendars"][""]
    return found


def _calendars(state: bytes | None) -> Mapping[str, str]:
    """Lane -> the calendar that it counts in; {} of a state that cannot be read."""
    try:
        found: Mapping[str, str] = orjson.loads(bytes(state or b""))["calendars"]
        return found if found[""] else {}
    except UNREADABLE:
        return {}


def _moment(text: str | None) -> datetime | None:
    return records.moment(text) if text else None


# Process instances


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A process instance as a list shows it."""

    id: str
    key: str
    definition: str
    unit: str
    unit_name: str
    zone: str
    title: str
    year: int | None
    status: str
    started_at: datetime
    ended_at: datetime | None
    deadline_at: datetime | None
    tasks: tuple[OpenAt, ...]  # where it stands; nothing of one that cannot be read
    readable: bool = True


@dataclass(frozen=True)
class OpenAt:
    number: int
    element: str
    name: str
    lane: str
    owner: str | None
    opened_at: datetime
    norm_at: datetime | None
    late_at: datetime | None
    calendar: str  # SHA-256 of the calendar that its lane counts in


def _visible(person: str, pairs: Iterable[Pair], scopes: Iterable[AuditScope], everything: bool) -> Select[Any]:
    columns = [one for one in instance.c if one.name not in ("state", "marking")]
    found = select(*columns, STATE.label("state"), unit.c.name.label("unit_name"), unit.c.zone).join(
        unit, unit.c.id == instance.c.unit
    )
    if everything:
        return found
    return found.where(or_(_of(pairs), _of_my_teams(person), organisation.within(scopes)))


def instances(
    db: Connection,
    person: str,
    pairs: Iterable[Pair],
    scopes: Iterable[AuditScope] = (),
    everything: bool = False,
    most: int = 200,
    only: Mapping[str, str | int] | None = None,
) -> list[Summary]:
    """The process instances that a person may see, running ones first, the newest first.

    pairs  processes and units that they serve; scopes: what they audit.
    only   unit, year, status: those with this value, so that none is lost behind the `most` newest of all.
    """
    asked = [instance.c[name] == one for name, one in (only or {}).items()]
    found = _visible(person, pairs, scopes, everything).where(*asked).order_by(
        (instance.c.status != RUNNING), (instance.c.status == CANCELLED), instance.c.started_at.desc(), instance.c.id
    )
    rows = db.execute(found.limit(most)).all()
    standing: dict[str, list[OpenAt]] = {}
    states = {row.id: _calendars(row.state) for row in rows}
    where = user_task.c.instance.in_([id for id, calendars in states.items() if calendars])
    for task in db.execute(select(user_task).where(where).order_by(user_task.c.instance, user_task.c.number)):
        standing.setdefault(task.instance, []).append(
            OpenAt(
                task.number,
                task.element,
                task.name,
                task.lane,
                task.owner,
                records.moment(task.opened_at),
                _moment(task.norm_at),
                _moment(task.late_at),
                states[task.instance].get(task.lane) or states[task.instance][""],
            )
        )
    return [
        Summary(
            id=row.id,
            key=row.key,
            definition=row.definition,
            unit=row.unit,
            unit_name=row.unit_name,
            zone=row.zone,
            title=row.title,
            year=row.year,
            status=row.status,
            started_at=records.moment(row.started_at),
            ended_at=_moment(row.ended_at),
            deadline_at=_moment(row.deadline_at),
            tasks=tuple(standing.get(row.id, ())),
            readable=bool(states[row.id]),
        )
        for row in rows
    ]


def kinds(db: Connection, pairs: Iterable[Pair], scopes: Iterable[AuditScope]) -> list[tuple[str, str, int | None]]:
    """(unit, its name, year of report) that there are among these instances, however many those are."""
    found = _visible("", pairs, scopes, False).subquery()
    rows = db.execute(select(found.c.unit, found.c.unit_name, found.c.year).distinct())
    return [(row.unit, row.unit_name, row.year) for row in rows]


TITLE = Prepared(
    select(instance.c.title, unit.c.id, unit.c.name, unit.c.zone)
    .join(unit, unit.c.id == instance.c.unit)
    .where(instance.c.id == bindparam("id"))
)


@dataclass(frozen=True)
class Heading:
    title: str
    unit: str
    unit_name: str
    zone: str


@dataclass(frozen=True)
class Place:
    """Whose an instance is, of which nothing else need be readable."""

    key: str
    unit: str
    zone: str
    year: int | None
    started_at: datetime


def parked(db: Connection, id: str) -> Place | None:
    """Whose an instance is that cannot be read; None if there is none."""
    found = select(instance.c.key, instance.c.unit, unit.c.zone, instance.c.year, instance.c.started_at).join(
        unit, unit.c.id == instance.c.unit
    )
    row = db.execute(found.where(instance.c.id == id)).first()
    return Place(row.key, row.unit, row.zone, row.year, records.moment(row.started_at)) if row else None


def heading(db: Connection, id: str) -> Heading:
    """What stands above every page about an instance that is known to be there."""
    return Heading(*TITLE(db, id=id).one())


# Documents


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file of a document version: its bytes by their SHA-256, and the journal row that names it."""

    sha256: str
    media_type: str
    size_bytes: int
    sequence: int  # of the journal row in which it was attached
    place: int  # in that row's attachment


def file_of(db: Connection, id: str, type: str, version: int, place: int) -> StoredFile | None:
    """The file at a place of a document version. A version that grew counts on through the rows that made it."""
    found = (
        select(document_file)
        .where(document_file.c.instance == id, document_file.c.type == type, document_file.c.version == version)
        .order_by(document_file.c.sequence, document_file.c.place)
        .offset(place)
        .limit(1)
    )
    row = db.execute(found).first()
    if row is None:
        return None
    return StoredFile(
        sha256=row.sha256, media_type=row.media_type, size_bytes=row.size_bytes, sequence=row.sequence, place=row.place
    )


def document_elements(db: Connection, id: str) -> Mapping[tuple[str, int], tuple[str | None, int | None]]:
    """(document type, version) -> (element, number of the user task) in which it was first attached."""
    rows = db.execute(select(document).where(document.c.instance == id).order_by(document.c.sequence.desc()))
    return {(row.type, row.version): (row.element, row.user_task) for row in rows}
