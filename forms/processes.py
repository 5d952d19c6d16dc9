"""Process instances to look at: the list, the page of one with its diagram and history, its documents, its papers.

`look` is the one way to an instance from a page: it gives what this visitor may see of it, or there is no such page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from io import BytesIO
from itertools import groupby
from typing import Any, BinaryIO, NoReturn
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection

from engine import events, handle, sop_out
from engine.calendars import Calendar
from engine.commands import (
    Act,
    Actor,
    AddComment,
    Attachment,
    CancelProcessInstance,
    CompleteUserTask,
    RecallUserTask,
    ResolveIncident,
    ResumeProcessInstance,
    StartProcessInstance,
    SuspendProcessInstance,
)
from engine.definition import Element, Field, ProcessDefinition
from engine.handle import Request
from engine.instance import CANCELLED, COMPLETED, RUNNING, SUSPENDED, Incident, ProcessInstance, Refused, Step, UserTask
from engine.organisation import local_date
from engine.sop_table import TableError
from engine.store import access, definitions, documents, instances, ledger, organisation, queries, records

from . import bands, charts, words
from .papers import kept
from .papers import sop as sop_papers
from .session import me, office, tell

processes = Blueprint("processes", __name__)

HISTORY_MOST = 400  # journal rows that one page tells
SANDBOX = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


# What a visitor may see of an instance


class Names:
    """Names of people, positions and units by their ids, asked once each in one transaction."""

    def __init__(self, db: Connection):
        self.db = db
        self.known: dict[str, str] = {"timer": _("Pengatur waktu"), "sistem": _("Sistem")}

    def __call__(self, id: str) -> str:
        if id not in self.known:
            found = organisation.names(self.db, [id]) or organisation.position_names(self.db, [id])
            of_unit = None if found else organisation.unit_of(self.db, id)
            self.known[id] = found.get(id) or (of_unit.name if of_unit else id)
        return self.known[id]


@dataclass(frozen=True, kw_only=True)
class Sight:
    """An instance as this visitor sees it, now."""

    db: Connection
    instance: ProcessInstance
    definition: ProcessDefinition
    heading: queries.Heading
    actor: Actor  # with the lanes that they perform now
    lanes: frozenset[str]  # that they perform or, while somebody acts for them, only read
    whole: bool  # False: from another office, which sees dates and the documents of its own slots
    reads: bool  # every document: who is of the unit or audits it; an administrator keeps the process, not its papers
    names: Names
    now: datetime

    @property
    def zone(self) -> str:
        return self.heading.zone

    @property
    def today(self) -> date:
        return local_date(self.now, self.zone)

    @property
    def local(self) -> datetime:
        return self.now.astimezone(ZoneInfo(self.zone))

    @property
    def leads(self) -> bool:
        """Whether they may suspend, resume and cancel: the first lane, or an administrator."""
        return me().administrator or bool(self.definition.lanes and self.definition.lanes[0].id in self.actor.lanes)

    def calendar(self, lane: str) -> Calendar:
        """What a lane of this instance counts in."""
        return office().rules.calendar(self.instance.calendars.get(lane) or self.instance.calendars[""])

    def performs(self, lane: str) -> bool:
        return lane in self.actor.lanes

    def records_for(self, lane_id: str) -> bool:
        """Whether they may record on behalf of the other office that performs this lane."""
        lane = self.definition.lane(lane_id)
        return bool(lane and lane.other_office and set(lane.recorded_by) & set(self.actor.lanes))

    def may_recall(self, number: int | None = None) -> bool:
        """Whether the visitor completed a user task (None: any) last of all, and nobody has gone on since."""
        task = self.instance.recallable
        return (
            task is not None
            and task.owner == me().id
            and task.number == (number or task.number)
            and (self.performs(task.lane) or self.records_for(task.lane))
        )

    def performer(self, task: UserTask | queries.OpenTask) -> str:
        """Who has a task, or who it waits for: a name where it is one person's, else the lane's."""
        return self.names(task.owner) if task.owner else self.of_lane(task.lane)

    def of_lane(self, lane_id: str) -> str:
        lane = self.definition.lane(lane_id)
        label = lane.name if lane else lane_id
        if lane_id in self.instance.team:
            return label
        people = organisation.who_performs(self.db, self.instance.key, lane_id, self.instance.unit, self.today)
        return self.names(people[0]) if len(people) == 1 and not (lane and lane.other_office) else label

    def reads_document(self, type: str) -> bool:
        """Whether the visitor may open a document: who is of the unit; from elsewhere the lane whose task names it."""
        if self.reads:
            return True
        own = [e for e in self.definition.user_tasks if e.lane in self.lanes and e.id in self.instance.rounds]
        return any(slot.id == type for element in own for slot in element.slots)


def drawing(sha256: str) -> ProcessDefinition | None:
    """The diagram of a hash; None of one that is not there any more, or not as it was deployed."""
    try:
        return office().rules.definition(sha256)
    except (LookupError, ValueError):
        return None


def readable(found: Iterable[queries.Summary]) -> tuple[list[queries.Summary], list[queries.Summary]]:
    """(those that can be shown, those whose state or diagram cannot be read): one keeps nobody from the others."""
    found = list(found)
    broken = {sha256 for sha256 in {one.definition for one in found} if drawing(sha256) is None}
    well = [one for one in found if one.readable and one.definition not in broken]
    return well, [one for one in found if one not in well]


def turn_away(db: Connection, id: str) -> NoReturn:
    """Say that an instance cannot be read to whoever might see it; for anybody else there is no such page."""
    found, now, visitor = queries.parked(db, id), office().now(), me()
    if found is not None and (
        visitor.administrator
        or visitor.audit(found.unit, found.year, found.started_at)
        or organisation.reads(db, visitor.id, found.key, found.unit, local_date(now, found.zone))
    ):
        page = render_template(
            "error.html",
            title=_("Berkas proses ini tidak dapat dibaca"),
            remedy=_(
                "Administrator menanganinya. Tidak ada yang hilang: semua yang tercatat ada dalam jurnal, dan berkas "
                "proses lain tidak terpengaruh."
            ),
            number="",
        )
        abort(Response(page, 503))
    abort(404)


def look(db: Connection, id: UUID | str) -> Sight:
    """What the visitor sees of an instance; a 404 for one that is not theirs to see, as for one that is not there."""
    now = office().now()
    try:
        instance = instances.load(db, str(id))
    except instances.Unreadable:
        instance = None
    if instance is None or drawing(instance.definition) is None:
        turn_away(db, str(id))
    heading = queries.heading(db, instance.id)
    visitor, today = me(), local_date(now, heading.zone)
    definition = office().rules.definition(instance.definition)
    reads = organisation.reads(db, visitor.id, instance.key, instance.unit, today)
    in_team = frozenset(lane for lane, members in instance.team.items() if visitor.id in dict(members))
    lanes = frozenset(right.lane for right in reads) | in_team
    audits = bool(visitor.audit(instance.unit, instance.year, instance.started_at))
    if not lanes and not audits and not visitor.administrator:
        abort(404)
    elsewhere = {lane.id for lane in definition.lanes if lane.other_office}
    looking = Request(id="", act=AddComment(text=""), person=visitor.id)
    return Sight(
        db=db,
        instance=instance,
        definition=definition,
        heading=heading,
        actor=handle.actor(db, office().rules, instance, looking, now),
        lanes=lanes,
        whole=audits or visitor.administrator or bool(lanes - elsewhere),
        reads=audits or bool(lanes - elsewhere),
        names=Names(db),
        now=now,
    )


def leave_trace(sight: Sight, act: access.Act, id: str | None = None) -> None:
    """Who reads as an auditor, and not only as one who performs a lane here, stands in the stream `access`.

    id  of the row, where it is the only one of its kind; None: of this opening
    """
    instance = sight.instance
    if sight.lanes and not me().audit(instance.unit, instance.year, instance.started_at):
        return
    with office().database.begin() as db:
        access.record(db, office().database.key, act, auditor(sight.instance), office().now(), id)


def auditor(instance: ProcessInstance) -> Actor:
    """The visitor as who audits an instance, on the basis of their surat tugas where they have one."""
    scope = me().audit(instance.unit, instance.year, instance.started_at)
    return Actor(person=me().id, capacity="auditor", basis=(scope.number or None) if scope else None)


def ask(instance: str, *requests: Request) -> list[Step]:
    """Ask the engine, in one transaction."""
    with office().database.begin() as db:
        return handle.handle(db, office().rules, office().database.key, instance, list(requests))


def requested(act: Act, key: str, on_behalf_of: str | None = None) -> Request:
    """A command of the visitor's. On a demonstration or in a test the page's clock is the command's."""
    told_at = office().told_at
    return Request(id=key, act=act, person=me().id, on_behalf_of=on_behalf_of, at=told_at() if told_at else None)


def the_key() -> str:
    """The command id that the posted form carries."""
    key: str = request.form.get("key", "")
    if not (8 <= len(key) <= 64 and key.isascii() and key.isprintable()):
        abort(400)
    return key


# The list


def served(db: Connection, now: datetime) -> tuple[organisation.Served, ...]:
    """Every lane of every process and unit that the visitor serves today."""
    return organisation.serves(db, me().id, local_date(now, me().zone))


@processes.get("/proses")
def listed() -> Any:
    """The process instances that the visitor may see, and what they may start."""
    now, visitor = office().now(), me()
    state, query = request.args.get("keadaan", ""), request.args.get("cari", "").strip()
    with office().database.read() as db:
        pairs = {(one.key, one.unit) for one in served(db, now)}
        found, parked = readable(queries.instances(db, visitor.id, pairs, visitor.scopes, visitor.administrator))
        shown = [
            one
            for one in found
            if (not state or one.status == state) and (query.casefold() in f"{one.title} {one.unit_name}".casefold())
        ]
        names = Names(db)
        rows = [(one, office().rules.definition(one.definition)) for one in shown]
        standing = {
            one.id: [waiting_for(db, one, task, names, definition, now) for task in one.tasks]
            for one, definition in rows
        }
        starts = startable(db, now)
    states = [
        (RUNNING, _("Berjalan")),
        (SUSPENDED, _("Ditangguhkan")),
        (COMPLETED, _("Selesai")),
        (CANCELLED, _("Dibatalkan")),
    ]
    return render_template(
        "processes.html",
        rows=rows,
        parked=parked,
        standing=standing,
        starts=starts,
        state=state,
        query=query,
        states=states,
        any=bool(found),
    )


def waiting_for(
    db: Connection,
    one: queries.Summary,
    task: queries.OpenAt,
    names: Names,
    definition: ProcessDefinition,
    now: datetime,
) -> dict[str, Any]:
    """Where an instance stands, as its list says it."""
    lane = definition.lane(task.lane)
    return {
        "number": definition.elements[task.element].number,
        "name": task.name,
        "who": names(task.owner) if task.owner else (lane.name if lane else task.lane),
        "time": words.time_mark(
            task.norm_at, task.late_at, task.opened_at, now, office().rules.calendar(task.calendar)
        ),
        "late_at": task.late_at,
    }


def startable(db: Connection, now: datetime) -> list[tuple[definitions.Version, list[tuple[str, str]]]]:
    """The processes that the visitor may start, each with its units (id, name): start performers, or Sekretaris PD."""
    mine = served(db, now)
    found = []
    for version in definitions.in_force_of_all(db, words.local(now, me().zone).date()):
        definition = office().rules.definition(version.sha256)
        starters = {*(definition.starters or ((definition.start.lane or ""),)), "pemulai"}
        allowed = {one.unit for one in organisation.units_that_may_start(db, version.key)}
        units = sorted(
            {o.unit for o in mine if o.key == version.key and o.lane in starters and not o.only_reads} & allowed
        )
        if units:
            found.append((version, [(id, Names(db)(id)) for id in units]))
    return found


# One instance: its passes, documents and history


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One time that a user task was opened: a line of the table of steps."""

    element: Element
    number: int
    round: int
    lane: str
    opened_at: datetime | None  # None of one that was opened before what the page tells
    late_at: datetime | None = None
    norm_at: datetime | None = None
    owner: str | None = None
    claimed_at: datetime | None = None
    ended_at: datetime | None = None  # judged: the stated one, where it was done outside the application
    recorded_at: datetime | None = None
    by: str | None = None
    capacity: str | None = None
    position: str | None = None
    on_behalf_of: str | None = None
    late: bool = False
    waiting: int | None = None  # working minutes until it was taken, and then until it was done
    processing: int | None = None
    cancelled: bool = False
    withdrawn: bool = False  # never worked on: whoever (`by`) had completed the one before took that back
    values: Mapping[str, Any] = field(default_factory=dict)
    came_back: bool = False  # opened again by a return
    extended: bool = False  # late_at was moved by an extension; norm_at never is


@dataclass(frozen=True, kw_only=True)
class DocumentVersion:
    """One version of a document type, with its files in their order."""

    type: str
    version: int
    at: datetime
    person: str
    attachments: tuple[Attachment, ...]
    user_task: int | None


def passes(sight: Sight, steps: Iterable[Step], withdrawn: bool = False) -> list[Pass]:
    """Every pass of every user task that the steps tell, and the newest of those that lie before them, as they came.

    withdrawn  also those that nobody worked on, because the completion that had opened them was recalled
    """
    steps = tuple(steps)
    told, instance = told_passes(drawn(sight, steps), steps), sight.instance
    known = {one.number for one in told}
    earlier = [
        Pass(
            element=(element := sight.definition.elements[id]),
            number=one.user_task,
            round=one.round,
            lane=element.lane or "",
            opened_at=None,
            ended_at=one.at,
            recorded_at=one.at,
            by=one.person,
            values={f.id: instance.data[f.id] for f in element.form if f.id in instance.data},
        )
        for id, one in instance.passed.items()
        if one.user_task not in known and id in sight.definition.elements
    ]
    earlier += [
        Pass(
            element=sight.definition.elements[task.element],
            number=task.number,
            round=task.round,
            lane=task.lane,
            opened_at=task.opened_at,
            norm_at=task.norm_at,
            late_at=task.late_at,
            owner=task.owner,
            claimed_at=task.claimed_at,
            extended=task.extended,
        )
        for task in instance.user_tasks.values()
        if task.number not in known
    ]
    told = [one for one in told if withdrawn or not one.withdrawn]
    return [*sorted(earlier, key=lambda one: one.number), *told]


def drawn(sight: Sight, steps: Iterable[Step]) -> ProcessDefinition:
    """The instance's diagram; with the elements that it had before it migrated, where they are gone."""
    known = office().rules.definition
    older = [known(one.before) for step in steps for one in step.events if isinstance(one, words.MIGRATIONS)]
    gone = {id: element for one in older for id, element in one.elements.items()}
    return replace(sight.definition, elements={**gone, **sight.definition.elements}) if older else sight.definition


def told_passes(definition: ProcessDefinition, steps: Iterable[Step]) -> list[Pass]:
    order = {e.id: n for n, e in enumerate(definition.user_tasks)}
    found: dict[int, Pass] = {}
    left = ""  # the user task that was completed last
    for step in steps:
        actor, at = step.command.actor, step.command.at
        for event in step.events:
            match event:
                case events.UserTaskOpened(number, element, lane, round, norm_at, late_at, _escalate):
                    back = round > 1 and bool(left) and order.get(left, 0) >= order.get(element, 0)
                    found[number] = Pass(
                        element=definition.elements.get(element) or Element(id=element, kind="userTask", name=element),
                        number=number,
                        round=round,
                        lane=lane,
                        opened_at=at,
                        norm_at=norm_at,
                        late_at=late_at,
                        came_back=back,
                    )
                case events.UserTaskMoved(number, _before, element, _lane, lane, round) if number in found:
                    known = definition.elements.get(element) or found[number].element
                    found[number] = replace(found[number], element=known, lane=lane, round=round)
                case events.UserTaskClaimed(number, person) if number in found:
                    found[number] = replace(found[number], owner=person, claimed_at=at)
                case events.UserTaskReleased(number, _person) if number in found:
                    found[number] = replace(found[number], owner=None, claimed_at=None)
                case events.UserTaskReassigned(number, person, _before) if number in found:
                    found[number] = replace(found[number], owner=person, claimed_at=at if person else None)
                case events.ExtensionGranted(number, _before, late_at, _escalate) if number in found:
                    found[number] = replace(found[number], late_at=late_at, extended=True)
                case events.DueDatesMoved(number, _n, _l, _e, norm_at, late_at, _escalate) if number in found:
                    found[number] = replace(found[number], norm_at=norm_at, late_at=late_at)
                case events.UserTaskCompleted(number, element, waiting, processing, late):
                    left = element
                    act = step.command.act
                    assert isinstance(act, CompleteUserTask), "only this completes"
                    if number in found:
                        found[number] = replace(
                            found[number],
                            ended_at=act.done_at or at,
                            recorded_at=at,
                            by=actor.person,
                            capacity=actor.capacity,
                            position=actor.position,
                            on_behalf_of=actor.on_behalf_of,
                            late=late,
                            waiting=waiting,
                            processing=processing,
                            values=act.data,
                        )
                case events.UserTaskRecalled(number) if number in found:
                    held = found[number]
                    found[number] = Pass(
                        element=held.element,
                        number=number,
                        round=held.round,
                        lane=held.lane,
                        opened_at=held.opened_at,
                        norm_at=held.norm_at,
                        late_at=held.late_at,
                        owner=actor.person if held.by else held.owner,
                        claimed_at=held.claimed_at or (at if held.by else None),
                        came_back=held.came_back,
                        extended=held.extended,
                    )
                case events.UserTaskCancelled(number, _element) if isinstance(step.command.act, RecallUserTask):
                    if number in found:
                        found[number] = replace(
                            found[number], ended_at=at, recorded_at=at, by=actor.person, withdrawn=True
                        )
                case events.UserTaskCancelled(number, _element) if number in found:
                    found[number] = replace(found[number], ended_at=at, cancelled=True)
    return list(found.values())


def versions(sight: Sight, steps: Sequence[Step]) -> dict[str, list[DocumentVersion]]:
    """Document type -> the versions that the visitor may open, the newest first.

    From another office: of the documents that its own slots name, those from the one that was handed over to it on.
    """
    found = all_versions(steps)
    if sight.whole:
        return found
    opened = [one.opened_at for one in passes(sight, steps) if one.lane in sight.lanes and one.opened_at]
    seen = {}
    for type, made in found.items():
        if sight.reads_document(type):
            handed = max((one.version for one in made if opened and one.at <= min(opened)), default=made[-1].version)
            seen[type] = [one for one in made if one.version >= handed]
    return seen


def all_versions(steps: Iterable[Step]) -> dict[str, list[DocumentVersion]]:
    """Document type -> its versions, the newest first."""
    found: dict[tuple[str, int], DocumentVersion] = {}
    for step in steps:
        for event in step.events:
            if isinstance(event, events.DocumentAttached):
                act = step.command.act
                given = act.attachments[event.document] if isinstance(act, StartProcessInstance) else act.attachment  # type: ignore[union-attr]
                key = (event.document, event.version)
                before = found[key].attachments if key in found else ()
                found[key] = DocumentVersion(
                    type=event.document,
                    version=event.version,
                    at=step.command.at,
                    person=step.command.actor.person,
                    attachments=(*before, given),
                    user_task=event.user_task,
                )
    ordered: dict[str, list[DocumentVersion]] = {}
    for (type, _version), one in sorted(found.items(), key=lambda item: -item[0][1]):
        ordered.setdefault(type, []).append(one)
    return ordered


def recorded(sight: Sight) -> list[Step]:
    """The journal rows that a page about an instance tells."""
    after = max(0, sight.instance.sequence - HISTORY_MOST)
    return [step for step, _entry in instances.steps(sight.db, sight.instance.id, after)]


def step_rows(sight: Sight, done: Sequence[Pass]) -> list[dict[str, Any]]:
    """The table of steps: every pass, and then what has not come yet; the accessible twin of the diagram."""
    rows = []
    for one in sorted(done, key=lambda p: (int(p.element.number or 0), p.round)):
        task = sight.instance.user_tasks.get(one.number)
        is_open = task is not None
        state: words.Mark
        time: words.Mark | None
        if task is not None:
            state = words.task_mark(task.owner)
            time = words.time_mark(
                task.norm_at, task.late_at, task.opened_at, sight.now, sight.calendar(task.lane)
            )
        elif one.cancelled:
            state, time = words.CANCELLED_TASK_MARK, None
        else:
            state, time = words.DONE_MARK, words.LATE if one.late else words.ON_TIME if one.late_at else None
        rows.append(
            {
                "element": one.element,
                "pass": one,
                "open": is_open,
                "who": sight.names(one.by)
                if one.by
                else sight.performer(sight.instance.user_tasks[one.number])
                if is_open
                else "",
                "capacity": words.position(one.capacity, sight.names(one.position))
                if one.position and one.capacity in ("plh", "plt")
                else "",
                "behalf": sight.names(one.on_behalf_of) if one.on_behalf_of else "",
                "marks": [mark for mark in (state, time) if mark],
                "took": words.took(one.waiting, one.processing, sight.definition.norm(one.element.id)),
                "mine": is_open and sight.performs(one.lane),
                "records": is_open and not sight.performs(one.lane) and sight.records_for(one.lane),
            }
        )
    opened = {one.element.id for one in done} | set(sight.instance.rounds)
    if sight.instance.status in (RUNNING, SUSPENDED):
        for element in sight.definition.user_tasks:
            if element.id not in opened:
                rows.append(
                    {
                        "element": element,
                        "pass": None,
                        "open": False,
                        "who": sight.of_lane(element.lane or ""),
                        "capacity": "",
                        "behalf": "",
                        "marks": [words.AHEAD_MARK],
                        "took": "",
                        "mine": False,
                        "records": False,
                    }
                )
    return sorted(rows, key=lambda row: int(row["element"].number or 0))


def document_rows(sight: Sight, found: Mapping[str, list[DocumentVersion]]) -> list[dict[str, Any]]:
    """Every document that is there or owed, in the order of the diagram."""
    rows, papers = [], written(sight) if sight.reads else {}
    for type in sight.definition.document_types:
        owed = sight.instance.owed.get(type)
        if (type in found or owed or type in papers) and sight.reads_document(type):
            rows.append(
                {
                    "type": type,
                    "label": words.document_name(sight.definition, type),
                    "versions": found.get(type, []),
                    "owed": owed,
                    "paper": type in papers,
                    "until": words.step_name(sight.definition, owed.until) if owed else "",
                }
            )
    return rows


def diagram_state(sight: Sight, done: Sequence[Pass]) -> list[dict[str, str]]:
    """What the diagram marks: what is done, where it stands, what is late or came back, where it was stopped."""
    states: dict[str, dict[str, str]] = {}
    for one in done:
        is_open = one.number in sight.instance.user_tasks
        late = is_open and one.late_at is not None and sight.now > one.late_at
        status = "late" if late else "returned" if is_open and one.came_back else "active" if is_open else "done"
        label = (
            words.LATE.word
            if late
            else words.RETURNED.word
            if status == "returned"
            else (words.task_mark(one.owner).word if is_open else words.DONE_MARK.word)
        )
        states[one.element.id] = {"id": one.element.id, "status": status, "label": str(label)}
    for incident in sight.instance.incidents.values():
        if incident.element:    # over what the same step says otherwise
            states[incident.element] = {"id": incident.element, "status": "stopped", "label": _("Gangguan")}
    return list(states.values())


def where_stopped(sight: Sight, incident: Incident) -> str:
    """`langkah 7, Memeriksa dan menandatangani`, where an incident has a place in the diagram; "" elsewhere."""
    element = sight.definition.elements.get(incident.element or "")
    return words.step_name(sight.definition, element.attached_to or element.id) if element else ""


@processes.get("/proses/<uuid:id>")
def page(id: UUID) -> Any:
    """One process instance: where it stands, its diagram and steps, its documents, its history."""
    with office().database.read() as db:
        sight = look(db, id)
        steps = recorded(sight)
        done = passes(sight, steps)
        numbers = version_numbers(db, sight.instance.key)
        shown = (
            words.history(steps, sight.definition, sight.zone, sight.names, office().rules.definition, numbers)
            if sight.whole
            else []
        )
        shown_page = render_template(
            "process.html",
            sight=sight,
            rows=step_rows(sight, done),
            documents=document_rows(sight, versions(sight, steps)),
            days=by_day(shown, sight),
            cut=sight.instance.sequence > HISTORY_MOST,
            diagram=diagram_state(sight, done),
            returns=sum(1 for one in done if one.came_back),
            leads=sight.leads,
            values=step_values(sight, done) if sight.whole else [],
            seen=planned(sight) if sight.whole else None,
            charts=charts,
            where_stopped=where_stopped,
            version=numbers(sight.instance.definition, sight.now),
            newer=newer_version(sight),
        )
    leave_trace(sight, access.ProcessInstanceRead(instance=sight.instance.id, sequence=sight.instance.sequence))
    return shown_page


def version_numbers(db: Connection, key: str) -> Callable[[str, datetime], str]:
    """The number of a version by its SHA-256, as it was at a time: the same bytes may have been published again."""
    known = definitions.versions(db, key)

    def number(sha256: str, at: datetime) -> str:
        same = [one for one in known if one.sha256 == sha256]
        then = [one for one in same if records.moment(one.deployed_at) <= at] or same[:1]
        return str(then[-1].version) if then else ""

    return number


def newer_version(sight: Sight) -> definitions.Version | None:
    """The version in force, where the instance runs another and the visitor may bring it there."""
    instance, visitor = sight.instance, me()
    if instance.status not in (RUNNING, SUSPENDED):
        return None
    force = definitions.in_force(sight.db, instance.key, sight.today)
    if force is None or force.sha256 == instance.definition:
        return None
    may = visitor.administrator or handle.owns(sight.db, visitor.id, instance.key, instance.unit)
    return force if may else None


def planned(sight: Sight) -> bands.Seen | None:
    """What is forecast of the instance, and its plan as a picture."""
    title = _("Rencana %(title)s", title=sight.heading.title)
    return bands.seen(sight.db, sight.instance, sight.definition, sight.now, sight.zone, title)


def by_day(told: Sequence[words.Told], sight: Sight) -> list[tuple[date, list[words.Told]]]:
    """The history, the newest day first and within it the newest sentence first."""

    def day(one: words.Told) -> date:
        return local_date(one.at, sight.zone)

    return [(key, list(group)) for key, group in groupby(reversed(told), key=day)]


def step_values(sight: Sight, done: Sequence[Pass]) -> list[dict[str, Any]]:
    """What was entered in each completed pass, as it was then: the newest of a step first."""
    found = []
    for one in sorted(done, key=lambda p: (int(p.element.number or 0), -p.round)):
        entered = said(sight, one.element, one.values)
        if entered:
            found.append({"pass": one, "values": entered})
    return found


def said(sight: Sight, element: Element, values: Mapping[str, Any]) -> list[tuple[Field, Any]]:
    """(field, its value in words; of a table its rows as lists of words) of the values that are there."""
    found: list[tuple[Field, Any]] = []
    for asked in element.form:
        value = values.get(asked.id)
        if asked.type == "document" or value is None or value == []:
            continue
        if asked.type == "table" and isinstance(value, list):
            rows = [
                [words.cell_words(c.type, c.choices, row.get(c.id), sight.names) for c in asked.columns]
                for row in value
            ]
            found.append((asked, rows))
        else:
            found.append((asked, words.value_words(asked, value, sight.names)))
    return found


def written(sight: Sight) -> dict[str, tuple[Element, tuple[Field, ...]]]:
    """Document type -> the element and the fields from whose values the application itself writes it."""
    found: dict[str, tuple[Element, tuple[Field, ...]]] = {}
    for element in (sight.definition.start, *sight.definition.user_tasks):
        for one in element.slots:
            slot = one.slot
            assert slot is not None, "slots have one"
            source = element.field(slot.text_from or "")
            if source is not None and sight.instance.data.get(source.id):
                found[one.id] = (element, (source,))
            elif "teks" in slot.forms and not slot.text_from and element is sight.definition.start:
                found[one.id] = (element, tuple(f for f in element.form if f.slot is None))
    return found


@processes.get("/proses/<uuid:id>/tertulis/<type>")
def paper(id: UUID, type: str) -> Any:
    """A document that the application writes from what was entered, to print: the instructions, the corrections."""
    with office().database.read() as db:
        sight = look(db, id)
        papers = written(sight) if sight.reads else {}
        if type not in papers:
            abort(404)
        element, sources = papers[type]
        made = sight.instance.passed.get(element.id)
        at = made.at if made else sight.instance.started_at
        return render_template(
            "paper.html",
            sight=sight,
            label=words.document_name(sight.definition, type),
            entered=said(sight, replace(element, form=sources), sight.instance.data),
            at=at,
            by=made.person if made else None,
            from_whom=sight.of_lane(element.lane or "") if made else "",
            answers=answers_to(sight, sources[0], made.at) if made else None,
            checkpoint=ledger.newest(db),
        )


def answers_to(sight: Sight, source: Field, asked_at: datetime) -> list[list[str]] | None:
    """What answers the rows of a table ("Tindak lanjut Tim" beside the corrections), where they were answered since."""
    answering, element = next(
        ((f, e) for e in sight.definition.user_tasks for f in e.form if source.id in f.rows_from), (None, None)
    )
    if answering is None or element is None:
        return None
    given, rows = sight.instance.passed.get(element.id), sight.instance.data.get(answering.id)
    if given is None or given.at <= asked_at or not isinstance(rows, list):
        return None
    written_by = [c for c in answering.columns if not c.readonly]
    return [
        [words.cell_words(c.type, c.choices, row.get(c.id), sight.names) for c in written_by if row.get(c.id)]
        for row in rows
    ]


@processes.get("/proses/<uuid:id>/lembar-kendali")
def control_sheet(id: UUID) -> Any:
    """The routing slip: every step with who, when, and room for a paraf on paper."""
    with office().database.read() as db:
        sight = look(db, id)
        done = passes(sight, recorded(sight))
        return render_template("control_sheet.html", sight=sight, rows=step_rows(sight, done),
                               checkpoint=ledger.newest(db))


@processes.get("/proses/<uuid:id>/diagram.bpmn")
def diagram(id: UUID) -> Response:
    """The stored bytes of the diagram that the instance runs."""
    with office().database.read() as db:
        sight = look(db, id)
        version = definitions.of_bytes(db, sight.instance.definition)
        data = definitions.export(db, version.key, version.version) if version else None
    if data is None:
        abort(404)
    return Response(
        data,
        mimetype="application/xml",
        headers={"Content-Disposition": f'attachment; filename="{sight.definition.key}.bpmn"'},
    )


@processes.get("/proses/<uuid:id>/sop.<any(pdf, docx):kind>")
def sop_document(id: UUID, kind: str) -> Response:
    """The official document of the SOP that the instance runs, with its unit's own number, dates and ratifier."""
    with office().database.read() as db:
        sight = look(db, id)
        try:
            sheet = sop_out.of_unit(db, sight.definition, sight.instance.unit)
        except TableError:
            abort(404, _("Diagram proses ini memuat hal yang tidak dapat ditulis sebagai tabel SOP."))
    return printed(sheet, kind)


def printed(sheet: sop_out.Sheet, kind: str, paper: str = "a4") -> Response:
    """The document of a sheet, or 503 while another large one is being computed."""
    state = sop_papers.State(sha256=sheet.sha256, url=office().settings.url, version=sheet.version,
                             checkpoint=sheet.checkpoint)
    try:
        made = kept.document(sheet.table, sheet.facts, state, kind, paper)
    except kept.Busy:
        abort(busy())
    name = sheet.table.name
    said = _("SOP %(name)s", name=name) if sheet.version else _("RANCANGAN SOP %(name)s", name=name)
    return send_file(
        BytesIO(made),
        mimetype=documents.PDF if kind == "pdf" else documents.DOCX,
        as_attachment=True,
        download_name=f"{said}.{kind}".replace("/", "-"),
    )


def busy() -> Response:
    page = render_template(
        "error.html",
        title=_("Dokumen lain sedang dibuat"),
        remedy=_("Tunggu beberapa detik, lalu muat ulang halaman ini."),
        number="",
    )
    return Response(page, 503, headers={"Retry-After": str(kept.AGAIN_SECONDS)})


# Documents


@processes.get("/dokumen/<uuid:id>/<type>/<int:version>/<int:place>")
def document(id: UUID, type: str, version: int, place: int) -> Any:
    """A file of a document: shown where a browser does that safely and it is asked for, else to be saved."""
    with office().database.read() as db:
        sight = look(db, id)
        found = queries.file_of(db, sight.instance.id, type, version, place)
        if found is None or not sight.reads_document(type):
            abort(404)
        if not sight.whole and version not in [v.version for v in versions(sight, recorded(sight)).get(type, ())]:
            abort(404)
        step, _entry = next(iter(instances.steps(db, sight.instance.id, found.sequence - 1)))
        file = opened(db, found.sha256)
    leave_trace(
        sight, access.DocumentRead(instance=sight.instance.id, document=type, version=version, sha256=found.sha256)
    )
    act = step.command.act
    given = act.attachments[type] if isinstance(act, StartProcessInstance) else act.attachment  # type: ignore[union-attr]
    name = words.str_of(given.files[found.place].name)
    return served_file(file, found.media_type, name, found.sha256)


def opened(db: Connection, sha256: str) -> BinaryIO:
    """What somebody attached, open for reading; a page that says why where nobody may have it: the virus scanner has
    not looked yet, or it found something."""
    try:
        return documents.open_document(db, office().settings.documents_dir, sha256)
    except documents.Held as held:
        quarantined = held.state == documents.QUARANTINED
        page = render_template(
            "error.html",
            title=_("Berkas ini dikarantina") if quarantined else _("Berkas ini sedang diperiksa"),
            remedy=_("Pemeriksa virus menemukan sesuatu yang berbahaya di dalamnya. Berkas ini tidak dapat dibuka; "
                     "minta yang melampirkan mengunggah versi baru yang bersih.") if quarantined
            else _("Pemeriksa virus belum selesai memeriksanya. Tunggu sebentar, lalu muat ulang halaman ini."),
            number="",
        )
        abort(Response(page, 423, headers={} if quarantined else {"Retry-After": "30"}))
    except LookupError:
        abort(404, _("Berkas ini tercatat, tetapi isinya tidak ada di server. Beri tahu administrator."))


def served_file(file: BinaryIO, media_type: str, name: str, sha256: str) -> Response:
    """What somebody attached, to be saved and never shown inside this application: it has none of our rights."""
    answer = send_file(file, mimetype=media_type, as_attachment=True, download_name=name, etag=sha256)
    answer.headers["Content-Security-Policy"] = SANDBOX
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


# What may be done to an instance as a whole


def act_on(id: UUID, act: Act, message: str) -> Any:
    """Carry out an act on an instance that the visitor sees, and go back to its page."""
    with office().database.read() as db:
        sight = look(db, id)
    back = url_for("processes.page", id=id)
    try:
        ask(sight.instance.id, requested(act, the_key()))
    except Refused as refused:
        tell(refused.message, "error")
        return redirect(back, 303)
    tell(message)
    return redirect(back, 303)


@processes.post("/proses/<uuid:id>/suspension")
def suspend(id: UUID) -> Any:
    reason = request.form.get("alasan", "").strip()
    return act_on(
        id,
        SuspendProcessInstance(reason=reason),
        _("Berkas proses ditangguhkan. Pengatur waktu berhenti; tanggal tidak berubah."),
    )


@processes.post("/proses/<uuid:id>/resumption")
def resume(id: UUID) -> Any:
    reason = request.form.get("alasan", "").strip()
    return act_on(id, ResumeProcessInstance(reason=reason), _("Berkas proses berjalan lagi."))


@processes.post("/proses/<uuid:id>/cancellation")
def cancel(id: UUID) -> Any:
    reason = request.form.get("alasan", "").strip()
    return act_on(id, CancelProcessInstance(reason=reason), _("Berkas proses dibatalkan. Riwayatnya tetap tersimpan."))


@processes.post("/proses/<uuid:id>/incidents/<int:number>/resolution")
def resolve(id: UUID, number: int) -> Any:
    """Say that an incident was dealt with, and how: an administrator's act."""
    reason = request.form.get("alasan", "").strip()
    return act_on(id, ResolveIncident(incident=number, reason=reason), _("Gangguan dicatat sudah ditangani."))


@processes.post("/proses/<uuid:id>/comments")
def comment(id: UUID) -> Any:
    text = request.form.get("komentar", "").replace("\r\n", "\n").strip()
    with office().database.read() as db:
        if not look(db, id).whole:
            abort(404)
    return act_on(id, AddComment(text=text), _("Komentar Anda sudah tercatat."))


def comments(sight: Sight, steps: Iterable[Step]) -> list[tuple[datetime, str, str]]:
    """(when, who, what) of every comment, the newest last."""
    found = []
    for step in steps:
        if isinstance(step.command.act, AddComment):
            found.append((step.command.at, sight.names(step.command.actor.person), words.str_of(step.command.act.text)))
    return found
