"""Process instances as rows: load one to decide, save what a Step left, keep its shadows in step.

The row holds the marking and the state that `decide` needs; `user_task`, `timer`, `team` and the document tables are
what lists and the worker ask for. All of them can be rebuilt from the journal (`rebuild`).
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from ..commands import AttachDocument, Command, SettleRequirement, StartProcessInstance
from ..definition import ProcessDefinition
from ..events import (
    DocumentAttached,
    IncidentRaised,
    TeamAppointed,
    UserTaskMoved,
    UserTaskOpened,
    UserTaskRecalled,
    ValuesErased,
)
from ..instance import CANCELLED, RUNNING, SUSPENDED, ProcessInstance, Step, UserTask
from ..marking import Marking
from . import journal, records
from .prepared import Prepared
from .schema import document, document_file, draft, incident, instance, team, timer, user_task
from .schema import journal as journal_table

MOST_MARKING = 100_000                  # bytes of a marking: MOST_TOKENS tokens are some ten thousand
MOST_STATE_BYTES = 16_000_000           # of a row's state: a whole data document and all that goes with it is less
COLUMNS = ("id", "sequence", "definition", "key", "unit", "year", "status", "started_at", "ended_at", "last_at",
           "marking", "deadline_at")


class Unreadable(ValueError):
    """The row of an instance is not what this engine wrote. It is parked and found by the invariants; others go on."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """An instance as it stands, with what the next row needs."""
    instance: ProcessInstance
    head: bytes                             # hash of its newest journal row
    prior: int | None                       # the sequence that the asked command id has already, None: it is new


def one(statement: Any) -> Any:
    return statement.where(instance.c.id == bindparam("id"))


ROW = (*(instance.c[name] for name in COLUMNS), instance.c.state, instance.c.head)
PRIOR = (select(journal_table.c.sequence).where(journal_table.c.stream == bindparam("stream"),
                                               journal_table.c.command_id == bindparam("command_id")).scalar_subquery())
LOAD = Prepared(one(select(*ROW)))
OPEN_OF_KEY = Prepared(
    select(*ROW, instance.c.title).where(
        instance.c.key == bindparam("key"), instance.c.id > bindparam("after"),
        or_(instance.c.status == RUNNING, instance.c.status == SUSPENDED))
    .order_by(instance.c.id).limit(bindparam("most")))
LOCK = Prepared(one(select(*ROW, PRIOR.label("prior"))).with_for_update(of=instance))
INSERT = Prepared(insert(instance))
UPDATE = Prepared(one(update(instance).values({name: bindparam(f"new_{name}") for name in (
    "definition", "status", "sequence", "head", "last_at", "ended_at", "deadline_at", "marking", "state")})))
OPENED = Prepared(insert(user_task))
CLOSED = Prepared(delete(user_task).where(user_task.c.instance == bindparam("instance"),
                                          user_task.c.number == bindparam("number")))
OWNED = Prepared(update(user_task).values(owner=bindparam("new_owner"), claimed_at=bindparam("new_claimed_at")).where(
    user_task.c.instance == bindparam("instance_id"), user_task.c.number == bindparam("task_number")))
DATED = Prepared(update(user_task).values({name: bindparam(f"new_{name}") for name in (
    "norm_at", "late_at", "escalate_at", "asked_until")}).where(
    user_task.c.instance == bindparam("instance_id"), user_task.c.number == bindparam("task_number")))
NAMED = Prepared(update(user_task).values({name: bindparam(f"new_{name}") for name in (
    "element", "name", "lane", "round")}).where(
    user_task.c.instance == bindparam("instance_id"), user_task.c.number == bindparam("task_number")))
TITLED = Prepared(one(update(instance).values(title=bindparam("new_title"))))
STARTED = Prepared(insert(timer))
PLACED = Prepared(update(timer).values(element=bindparam("new_element")).where(
    timer.c.instance == bindparam("instance_id"), timer.c.number == bindparam("timer_number")))
MOVED = Prepared(update(timer).values(due_at=bindparam("new_due_at")).where(
    timer.c.instance == bindparam("instance_id"), timer.c.number == bindparam("timer_number")))
STOPPED = Prepared(delete(timer).where(timer.c.instance == bindparam("instance"),
                                       timer.c.number == bindparam("number")))
DISMISSED = Prepared(delete(team).where(team.c.instance == bindparam("instance"), team.c.lane == bindparam("lane")))
APPOINTED = Prepared(insert(team))
RAISED = Prepared(insert(incident))
RESOLVED = Prepared(delete(incident).where(incident.c.instance == bindparam("instance"),
                                           incident.c.number == bindparam("number")))
ATTACHED = Prepared(insert(document))
FILED = Prepared(insert(document_file))
UNFILED = Prepared(delete(document_file).where(document_file.c.instance == bindparam("instance"),
                                               document_file.c.sha256 == bindparam("sha256")))
TYPED = Prepared(delete(draft).where(draft.c.instance == bindparam("instance"),
                                     draft.c.user_task == bindparam("user_task"),
                                     draft.c.person == bindparam("person")))


def stream(id: str) -> str:
    return f"instance/{id}"


def load(db: Connection, id: str) -> ProcessInstance | None:
    """The instance as it stands, to look at. None if there is none. Raises Unreadable."""
    row = LOAD(db, id=id).first()
    return from_row(row) if row else None


def open_of_key(db: Connection, key: str, after: str, most: int) -> list[tuple[str, str, ProcessInstance | None]]:
    """(id, title, instance) of the next running and suspended instances of a process behind the id `after`, by id.

    One that cannot be read is None: the doctor's matter (alur verify).
    """
    found: list[tuple[str, str, ProcessInstance | None]] = []
    for row in OPEN_OF_KEY(db, key=key, after=after, most=most):
        try:
            found.append((row.id, row.title, from_row(row)))
        except Unreadable:
            found.append((row.id, row.title, None))
    return found


def lock(db: Connection, id: str, command_id: str) -> Loaded | None:
    """The instance, locked until the transaction ends (SQLite: BEGIN IMMEDIATE has done so). Raises Unreadable."""
    row = LOCK(db, id=id, stream=stream(id), command_id=command_id).first()
    return Loaded(instance=from_row(row), head=bytes(row.head), prior=row.prior) if row else None


def hold(db: Connection, id: str) -> None:
    """Lock the row of an instance until the transaction ends, whatever is in it (SQLite: BEGIN IMMEDIATE has done so).
    """
    db.execute(select(instance.c.id).where(instance.c.id == id).with_for_update())


def from_row(row: Any) -> ProcessInstance:
    """The instance of a row. Raises Unreadable with what is wrong, in bounded time and memory."""
    for name, size, most in (("state", len(row.state), MOST_STATE_BYTES), ("marking", len(row.marking), MOST_MARKING)):
        if size > most:
            raise Unreadable(f"Its {name} has {size} bytes; at most {most} are read.")
    try:
        return _from_row(row)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}"[:500]) from error


def _from_row(row: Any) -> ProcessInstance:
    state = orjson.loads(bytes(row.state))
    # What a row from before its column of the state was thought of does not hold, is as it is at the start.
    values = {name: decode(state[name]) for name, decode in STATE.items() if name in state}
    return ProcessInstance(
        id=row.id, sequence=row.sequence, definition=row.definition, key=row.key, unit=row.unit, year=row.year,
        status=row.status, started_at=records.moment(row.started_at),
        ended_at=records.moment(row.ended_at) if row.ended_at else None,
        last_at=records.moment(row.last_at), deadline_at=records.moment(row.deadline_at) if row.deadline_at else None,
        marking=Marking.from_bytes(bytes(row.marking)), **values)


def numbered(kind: type) -> Any:
    inner = records.decoder(kind)
    return lambda value: {int(k): inner(v) for k, v in value.items()}


def _decoders() -> dict[str, Any]:
    kinds = records.hints(ProcessInstance)
    found: dict[str, Any] = {}
    for name in records.names(ProcessInstance):
        if name in COLUMNS:
            continue
        if name in ("user_tasks", "timers", "incidents"):
            found[name] = numbered(kinds[name].__args__[1])
        else:
            found[name] = records.decoder(kinds[name])
    return found


STATE = _decoders()


def state(value: ProcessInstance) -> bytes:
    """What `decide` needs besides the marking and the columns, as JSON. orjson writes our dataclasses as they are."""
    return orjson.dumps({name: getattr(value, name) for name in STATE},
                        option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)


def text(at: datetime | None) -> str | None:
    return records.instant(at) if at else None


def row(value: ProcessInstance, head: bytes) -> dict[str, Any]:
    return {"definition": value.definition, "status": value.status, "sequence": value.sequence, "head": head,
            "last_at": text(value.last_at), "ended_at": text(value.ended_at), "deadline_at": text(value.deadline_at),
            "marking": value.marking.to_bytes(), "state": state(value)}


def create(db: Connection, after: ProcessInstance, head: bytes, definition: ProcessDefinition,
           steps: Iterable[Step]) -> None:
    """The rows of a new instance. Raises IntegrityError where this unit has one for the year already."""
    INSERT(db, id=after.id, key=after.key, unit=after.unit, year=after.year, title=title(definition, after),
           started_at=text(after.started_at), **row(after, head))
    shadows(db, ProcessInstance(id=after.id), after, definition, steps)


def save(db: Connection, loaded: Loaded, after: ProcessInstance, head: bytes, definition: ProcessDefinition,
         steps: Iterable[Step]) -> None:
    """What the steps left: the row, and the shadows that changed."""
    UPDATE(db, id=after.id, **{f"new_{name}": value for name, value in row(after, head).items()})
    shadows(db, loaded.instance, after, definition, steps)


def title(definition: ProcessDefinition, value: ProcessInstance) -> str:
    name = definition.properties.get("sop.judulBerkas") or definition.name
    return f"{name} Tahun {value.year}" if value.year else name


def shadows(db: Connection, before: ProcessInstance, after: ProcessInstance, definition: ProcessDefinition,
            steps: Iterable[Step]) -> None:
    id = after.id
    closed = before.user_tasks.keys() - after.user_tasks.keys()
    opened = [after.user_tasks[n] for n in sorted(after.user_tasks.keys() - before.user_tasks.keys())]
    # A boundary timer's row went with its user task's (foreign key); those of others are deleted one by one.
    stopped = [n for n in sorted(before.timers.keys() - after.timers.keys())
               if before.timers[n].user_task not in closed]
    started = [after.timers[n] for n in sorted(after.timers.keys() - before.timers.keys())]
    CLOSED.many(db, [{"instance": id, "number": n} for n in sorted(closed)])
    OPENED.many(db, [task_row(after, task, definition) for task in opened])
    for n in after.user_tasks.keys() & before.user_tasks.keys():
        task = after.user_tasks[n]
        if task.owner != before.user_tasks[n].owner:
            OWNED(db, instance_id=id, task_number=n, new_owner=task.owner, new_claimed_at=text(task.claimed_at))
        if dates(task) != dates(before.user_tasks[n]):
            DATED(db, instance_id=id, task_number=n, **{f"new_{k}": at for k, at in dates(task).items()})
    if before.definition and before.definition != after.definition:
        migrated(db, before, after, definition)
    for n in after.timers.keys() & before.timers.keys():
        if after.timers[n].due_at != before.timers[n].due_at:
            MOVED(db, instance_id=id, timer_number=n, new_due_at=text(after.timers[n].due_at))
    STOPPED.many(db, [{"instance": id, "number": n} for n in stopped])
    STARTED.many(db, [{"instance": id, "number": t.number, "element": t.element, "due_at": text(t.due_at),
                       "user_task": t.user_task} for t in started])
    if before.incidents.keys() != after.incidents.keys():
        RESOLVED.many(db, [{"instance": id, "number": n} for n in sorted(before.incidents.keys() - after.incidents)])
        raised(db, after, steps)
    for step in steps:
        for event in step.events:
            if isinstance(event, TeamAppointed):
                if event.lane in before.team:
                    DISMISSED(db, instance=id, lane=event.lane)
                appoint(db, id, event.lane, event.members)
            elif isinstance(event, UserTaskRecalled) and before.team != after.team:
                for lane in sorted(before.team.keys() | after.team.keys()):
                    DISMISSED(db, instance=id, lane=lane)
                    appoint(db, id, lane, after.team.get(lane, ()))
            elif isinstance(event, DocumentAttached):
                attached(db, id, event, step, before)
            elif isinstance(event, ValuesErased):
                UNFILED.many(db, [{"instance": id, "sha256": one} for one in event.files])


def migrated(db: Connection, before: ProcessInstance, after: ProcessInstance, definition: ProcessDefinition) -> None:
    """What another version of the diagram calls otherwise."""
    TITLED(db, id=after.id, new_title=title(definition, after))
    for n in sorted(after.user_tasks.keys() & before.user_tasks.keys()):
        row = task_row(after, after.user_tasks[n], definition)
        NAMED(db, instance_id=after.id, task_number=n,
              **{f"new_{name}": row[name] for name in ("element", "name", "lane", "round")})
    for n in sorted(after.timers.keys() & before.timers.keys()):
        if after.timers[n].element != before.timers[n].element:
            PLACED(db, instance_id=after.id, timer_number=n, new_element=after.timers[n].element)
    for lane in before.team.keys() - after.team.keys():
        DISMISSED(db, instance=after.id, lane=lane)
    for lane in sorted(after.team.keys() - before.team.keys()):
        appoint(db, after.id, lane, after.team[lane])


def raised(db: Connection, after: ProcessInstance, steps: Iterable[Step]) -> None:
    """List the incidents that these steps raised and that are open, each with its journal row."""
    rows = {event.number: step.sequence for step in steps for event in step.events if isinstance(event, IncidentRaised)}
    RAISED.many(db, [{"instance": after.id, "number": n, "kind": one.kind, "element": one.element, "detail": one.detail,
                      "raised_at": text(one.at), "sequence": rows[n]}
                     for n, one in sorted(after.incidents.items()) if n in rows])


def appoint(db: Connection, id: str, lane: str, members: Iterable[tuple[str, str]]) -> None:
    rows = [{"instance": id, "lane": lane, "person": person, "role": role} for person, role in dict(members).items()]
    APPOINTED.many(db, rows)


def task_row(value: ProcessInstance, task: UserTask, definition: ProcessDefinition) -> dict[str, Any]:
    return {"instance": value.id, "number": task.number, "key": value.key, "unit": value.unit, "element": task.element,
            "name": definition.elements[task.element].name, "lane": task.lane, "opened_at": text(task.opened_at),
            "round": task.round, **dates(task), "owner": task.owner, "claimed_at": text(task.claimed_at)}


def dates(task: UserTask) -> dict[str, str | None]:
    """What may move while a user task is open."""
    asked = task.extension.until if task.extension and task.extension.granted is None else None
    return {"norm_at": text(task.norm_at), "late_at": text(task.late_at), "escalate_at": text(task.escalate_at),
            "asked_until": text(asked)}


def attached(db: Connection, id: str, event: DocumentAttached, step: Step, before: ProcessInstance) -> None:
    act = step.command.act
    assert isinstance(act, (StartProcessInstance, AttachDocument, SettleRequirement)), "only these attach"
    given = act.attachments[event.document] if isinstance(act, StartProcessInstance) else act.attachment
    task = before.user_tasks.get(event.user_task or 0)
    key = {"instance": id, "type": event.document, "version": event.version, "sequence": step.sequence}
    ATTACHED(db, **key, user_task=event.user_task, element=task.element if task else None, form=given.form,
             attached_at=text(step.command.at), person=step.command.actor.person)
    FILED.many(db, [{**key, "place": n, "sha256": f.sha256, "media_type": f.media_type, "size_bytes": f.size_bytes}
                    for n, f in enumerate(given.files)])


def of_year(db: Connection, key: str, unit: str, year: int) -> str | None:
    """The id of the instance that this unit has for the year, cancelled ones aside; None if it has none."""
    found = select(instance.c.id).where(instance.c.key == key, instance.c.unit == unit, instance.c.year == year,
                                        instance.c.status != CANCELLED)
    return db.execute(found).scalar()


def save_draft(db: Connection, id: str, number: int, person: str, data: Mapping[str, Any], at: datetime) -> None:
    """Keep what somebody has typed into an open user task; the newest replaces what was there."""
    forget_draft(db, id, number, person)
    db.execute(insert(draft).values(instance=id, user_task=number, person=person, saved_at=text(at),
                                    data=orjson.dumps(records.encode(data)).decode()))


def typed_by_others(db: Connection, id: str, numbers: Iterable[int], person: str) -> str | None:
    """Somebody else who has typed into one of these user tasks; None where nobody has."""
    found = select(draft.c.person).where(draft.c.instance == id, draft.c.user_task.in_(list(numbers)),
                                         draft.c.person != person).order_by(draft.c.saved_at)
    return db.execute(found.limit(1)).scalar()


def forget_draft(db: Connection, id: str, number: int, person: str) -> None:
    TYPED(db, instance=id, user_task=number, person=person)


# From the journal

def steps(db: Connection, id: str, after: int = 0) -> Iterable[tuple[Step, journal.Entry]]:
    """The recorded Steps of an instance, in order, each beside its journal entry. The marking is not recorded, only its
    hash: a Step's own is empty here, and replay compares the hash of the entry."""
    for entry in journal.read(db, stream(id), after):
        command = records.decode(Command, entry.command)
        events = tuple(records.decode(records.KINDS[e["type"]], e) for e in entry.events)
        yield Step(sequence=entry.sequence, command=command, events=events, marking=Marking()), entry


def rebuild(db: Connection, after: ProcessInstance, head: bytes, definition: ProcessDefinition,
            told: list[Step]) -> None:
    """Empty and refill every shadow of one instance from its replayed steps."""
    for table in (timer, user_task, team, incident, document_file, document):
        db.execute(delete(table).where(table.c.instance == after.id))
    db.execute(delete(instance).where(instance.c.id == after.id))
    create(db, after, head, definition, [])
    raised(db, after, told)
    for lane, members in after.team.items():
        appoint(db, after.id, lane, members)
    opened: dict[int, UserTask] = {}
    for step in told:
        for event in step.events:
            if isinstance(event, UserTaskOpened):
                opened[event.user_task] = UserTask(number=event.user_task, element=event.element, lane=event.lane,
                                                   round=event.round, opened_at=step.command.at)
            elif isinstance(event, UserTaskMoved):
                opened[event.user_task] = replace(opened[event.user_task], element=event.element, lane=event.lane,
                                                  round=event.round)
            elif isinstance(event, DocumentAttached):
                attached(db, after.id, event, step, ProcessInstance(id=after.id, user_tasks=opened))
            elif isinstance(event, ValuesErased):
                UNFILED.many(db, [{"instance": after.id, "sha256": one} for one in event.files])
