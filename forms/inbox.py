"""The inbox and the page of one user task: what is asked, what is there, what is missing, and the acts on it.

A view parses, asks the engine, and answers. Whatever a posted form brings is kept before it is judged: its files are
stored and attached, what was typed becomes the person's draft, and only then the act itself is tried.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import PurePath
from typing import IO, Any
from uuid import UUID, uuid5

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from itsdangerous import BadSignature
from werkzeug.datastructures import FileStorage, MultiDict

from engine import calendars, conformance, expressions, handle, ratification, requirements
from engine.commands import (
    Act,
    AddComment,
    AskExtension,
    AttachDocument,
    Attachment,
    ClaimUserTask,
    CompleteUserTask,
    File,
    GrantExtension,
    OweRequirement,
    Promise,
    ReassignUserTask,
    RecallUserTask,
    RecordValues,
    RefuseExtension,
    ReleaseUserTask,
    SettleRequirement,
    StartProcessInstance,
    WaiveRequirement,
)
from engine.definition import Element, Field, ProcessDefinition
from engine.events import IncidentRaised, UserTaskCompleted, UserTaskOpened
from engine.handle import NAMESPACE
from engine.instance import RUNNING, Problem, ProcessInstance, Refused, Step, UserTask
from engine.organisation import local_date
from engine.store import definitions, documents, instances, notices, organisation, parts, queries, sessions
from engine.store.parts import Upload

from . import account, bands, extensions, fields, monitoring, words
from .processes import (
    Names,
    Pass,
    Sight,
    ask,
    comments,
    diagram_state,
    drawing,
    look,
    passes,
    recorded,
    requested,
    said,
    startable,
    the_key,
    versions,
    written,
)
from .session import drawn_for, form_key, me, office, seal, tell

inbox = Blueprint("inbox", __name__)

EXTRAS = ("menyusul.", "luar.")  # typed beside the form's own fields; kept in the draft with them
MORE_TIME = "perpanjangan."  # the names of what is typed when more time is asked for, and of what is wrong with it
TOLD_MOST = 3  # reminders above the tasks; the others stand on their own page
PHOTOS = (documents.JPEG, documents.PNG)


@inbox.app_template_filter()
def anchor(place: str) -> str:
    """The id on the page of what a problem's place names."""
    return fields.anchor(place)


@inbox.app_template_filter()
def day_words(text: str) -> str:
    """A stored date as people read it."""
    return words.short_day(date.fromisoformat(text))


inbox.app_template_global("extension_requests")(extensions.requests_of)


# The inbox


def hers(task: queries.OpenTask, lanes: frozenset[str]) -> bool:
    """Whether a task is the visitor's to do: of a lane they perform; where the instance has a team, as one of it."""
    return bool(task.role) if task.has_team else task.lane in lanes


@inbox.get("/")
def tasks() -> Any:
    """Kotak Tugas: what waits for the visitor, the late first, in groups by when it is due."""
    now, visitor = office().now(), me()
    with office().database.read() as db:
        serving = organisation.serves(db, visitor.id, local_date(now, visitor.zone))
        performs: dict[queries.Pair, set[str]] = {}
        for one in serving:
            if not one.only_reads:
                performs.setdefault((one.key, one.unit), set()).add(one.lane)
        found, parked = queries.inbox(db, visitor.id, {(one.key, one.unit) for one in serving})
        names = Names(db)
        rows = []
        for task in found:
            definition = drawing(task.definition)
            if definition is None:
                parked.append(queries.Parked(task.instance, task.title, task.unit_name, task.name))
                continue
            lanes = frozenset(performs.get((task.key, task.unit), ()))
            mine, behalf = hers(task, lanes), recorded_here(db, task, definition, lanes, now)
            if task.status == RUNNING and (mine or behalf):
                rows.append(row(task, definition, names, now, behalf=behalf and not mine))
        processes = sorted({(r["task"].key, r["definition"].name) for r in rows})
        units = sorted({(r["task"].unit, r["task"].unit_name) for r in rows})
        shown = [r for r in rows if wanted(r)]
        starts = startable(db, now)
        told = notices.pressing(db, visitor.id, TOLD_MOST)
        requests = extensions.to_decide(db, now)
        to_confirm = len(account.waiting(db))
        coming = None if rows else monitoring.next_task(db, performs, now)
        today = local_date(now, visitor.zone)
        replaced = any(one.only_reads for one in serving)       # asked only then: it is so on few days of a year
        stand_ins = organisation.stand_ins(db, visitor.id, today) if replaced else ()
        proposed = ratification.waiting_for(db, visitor.id, today) if visitor.designs else ()
    late = sum(1 for r in rows if r["time"] is words.LATE)
    return render_template(
        "inbox.html",
        groups=in_groups(shown, now, visitor.zone),
        parked=parked,
        total=len(rows),
        coming=coming,
        late=late,
        shown=len(shown),
        processes=processes,
        units=units,
        starts=starts,
        told=told,
        to_confirm=to_confirm,
        stand_ins=[
            (one.name, words.position(one.capacity, one.position_name), one.until) for one in stand_ins
        ],
        requests=requests,
        proposed=proposed,
        asked={name: request.args.get(name, "") for name in ("cari", "proses", "unit", "keadaan")},
        any_filter=any(request.args.get(name) for name in ("cari", "proses", "unit", "keadaan")),
    )


@inbox.post("/tugas/pemberitahuan")
def read_notices() -> Any:
    """Mark what the form names as read, or everything that the inbox shows; back to the inbox."""
    with office().database.begin() as db:
        ids = request.form.getlist("pemberitahuan") or [one.id for one in notices.pressing(db, me().id, TOLD_MOST)]
        notices.mark_read(db, me().id, ids, office().now())
    return redirect(url_for("inbox.tasks"), 303)


def recorded_here(
    db: Any, task: queries.OpenTask, definition: ProcessDefinition, lanes: frozenset[str], now: datetime
) -> bool:
    """Whether another office's task is in this inbox: nobody there performs it, and the visitor may record for them."""
    lane = definition.lane(task.lane)
    if lane is None or not lane.other_office or not any(one.partition(":")[0] in lanes for one in lane.recorded_by):
        return False
    return not organisation.who_performs(db, task.key, task.lane, task.unit, local_date(now, task.zone))


def row(
    task: queries.OpenTask, definition: ProcessDefinition, names: Names, now: datetime, behalf: bool
) -> dict[str, Any]:
    """A line of the inbox."""
    element = definition.elements[task.element]
    order = {one.id: place for place, one in enumerate(definition.user_tasks)}
    came_back = bool(task.round > 1 and task.before and order.get(task.before[0], 0) >= order.get(task.element, 0))
    before = definition.elements.get(task.before[0]) if task.before else None
    lane = definition.lane(before.lane) if before else None
    return {
        "task": task,
        "definition": definition,
        "number": element.number,
        "state": words.task_mark(task.owner),
        "time": words.time_mark(
            task.norm_at, task.late_at, task.opened_at, now, office().rules.calendar(task.calendar)
        ),
        "came_back": came_back,
        "mine": task.owner == me().id,
        "owner": names(task.owner) if task.owner else "",
        "from": lane.name if lane else "",
        "behalf": behalf,
        "shared": task.has_team,
    }


def wanted(one: Mapping[str, Any]) -> bool:
    """Whether a line is among those that the filters of the address ask for."""
    task, asked = one["task"], request.args
    text = f"{one['number']} {task.name} {task.title} {task.unit_name} {task.year}".casefold()
    state = asked.get("keadaan", "")
    return (
        asked.get("cari", "").strip().casefold() in text
        and asked.get("proses", "") in ("", task.key)
        and asked.get("unit", "") in ("", task.unit)
        and (state != "terlambat" or one["time"] is words.LATE)
        and (state != "saya" or one["mine"])
        and (state != "terbuka" or task.owner is None)
    )


def in_groups(rows: Sequence[Mapping[str, Any]], now: datetime, zone: str) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """The lines under Terlambat, Hari ini, Minggu ini, Nanti; a group without any is not there."""
    today = local_date(now, zone)
    sunday = today + timedelta(days=6 - today.weekday())
    groups: dict[str, list[Mapping[str, Any]]] = {
        name: [] for name in (_("Terlambat"), _("Hari ini"), _("Minggu ini"), _("Nanti"))
    }
    late, this_day, this_week, later = groups
    for one in rows:
        due = one["task"].late_at
        day = local_date(due, zone) if due else None
        group = (
            later
            if day is None
            else late
            if due < now
            else this_day
            if day <= today
            else this_week
            if day <= sunday
            else later
        )
        groups[group].append(one)
    return [(name, found) for name, found in groups.items() if found]


# One user task


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A document slot as it is drawn: what is there, what may be done."""

    field: Field
    label: str
    mark: words.Mark
    said: str
    there: bool
    required: bool
    shown: bool
    conditional: bool
    attaches: bool  # whether the visitor may attach here now
    owable: bool
    waivable: bool
    owed: Any
    versions: tuple[Any, ...]
    errors: tuple[str, ...]
    accepts_files: bool
    places: tuple[str, ...]  # cetak, tautan

    @property
    def follows_answers(self) -> bool:
        """Whether what is typed on the page changes what may be done here."""
        return bool(self.field.slot and (self.field.slot.owed_if or self.field.slot.text_from))


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What stands in the form: typed values over those of the instance, and what was typed beside them."""

    values: Mapping[str, Any]
    extras: Mapping[str, str]
    saved_at: datetime | None = None


def draft_of(sight: Sight, number: int) -> Draft:
    found = sessions.draft_of(sight.db, sight.instance.id, number, me().id)
    if found is None:
        return Draft(values={}, extras={})
    extras = found.data.get("", {})
    return Draft(values={k: v for k, v in found.data.items() if k}, extras=extras, saved_at=found.saved_at)


def on_behalf(sight: Sight, task: UserTask) -> str | None:
    """The office for which the visitor records this task; None where it is their own, or not theirs to record."""
    if sight.performs(task.lane) or not sight.records_for(task.lane):
        return None
    return organisation.unit_of_lane(sight.db, sight.instance.key, task.lane, sight.instance.unit) or task.lane


def can_work(sight: Sight, task: UserTask) -> bool:
    """Whether the visitor may fill in and complete this task now."""
    free = task.owner is None or task.owner == me().id
    return (
        free and sight.instance.status == RUNNING and (sight.performs(task.lane) or on_behalf(sight, task) is not None)
    )


def known_names(sight: Sight, task: UserTask, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the form's expressions read. A redo begins anew: what the round before answered is a decision of then."""
    element = sight.definition.elements[task.element]
    anew = {f.id: None for f in element.form if f.type != "document" and f.id not in task.recorded}
    return requirements.names(sight.definition, sight.instance, task.number, task.round,
                              {**(anew if task.round > 1 else {}), **values})


def lacks(sight: Sight, task: UserTask, values: Mapping[str, Any]) -> list[Problem]:
    """What still keeps this task from being completed, as it stands now."""
    element = sight.definition.elements[task.element]
    values = fields.without_empty_rows(element.form, values)
    try:
        taken, problems = requirements.accept(
            sight.definition, sight.instance, element, task.number, task.round, values, sight.local
        )
        missing = requirements.lacking(
            sight.definition, sight.instance, element, task.number, task.round, taken, sight.local
        )
    except expressions.ExpressionError:
        return []  # asked for again when it is completed; then it is an incident, said aloud
    return [*problems, *missing]


def slots_of(
    sight: Sight,
    task: UserTask,
    values: Mapping[str, Any],
    works: bool,
    steps: Sequence[Step],
    problems: Sequence[Problem],
) -> list[Slot]:
    """The document slots of a task that are its own to fill, and what is owed from before."""
    element = sight.definition.elements[task.element]
    known, made = known_names(sight, task, fields.without_empty_rows(element.form, values)), versions(sight, steps)
    elsewhere = [sight.definition.fields[type] for type in sight.instance.owed if element.field(type) is None]
    return [
        slot_of(sight, task, one, known, works, made, problems)
        for one in (*element.slots, *elsewhere)
        if to_fill(sight, task, one, known)
    ]


def to_fill(sight: Sight, task: UserTask, field: Field, known: Mapping[str, Any]) -> bool:
    """Whether a slot is drawn as one: an output, what is gathered meanwhile, or what should be there and is not."""
    slot = field.slot
    assert slot is not None, "a slot field has one"
    if slot.role == "output" or field.id in sight.instance.owed or slot.origin == "langkah":
        return True
    return slot.role == "kelengkapan" and not requirements.satisfied(
        field, sight.instance, task.number, known, sight.local
    )


def slot_of(
    sight: Sight,
    task: UserTask,
    field: Field,
    known: Mapping[str, Any],
    works: bool,
    made: Mapping[str, Any],
    problems: Sequence[Problem],
) -> Slot:
    slot, instance, at = field.slot, sight.instance, sight.local
    assert slot is not None, "a slot field has one"
    element = sight.definition.elements[task.element]
    here = element.field(field.id) is not None
    document, owed = instance.documents.get(field.id), instance.owed.get(field.id)
    needed = requirements.required(field, known, at) if here else False
    shown = requirements.shown(field, known, at)
    there = requirements.satisfied(field, instance, task.number, known, at)
    mark, text = words.Mark("○", _("Belum dilampirkan"), "open"), ""
    if document is not None and (there or document.user_task == task.number):
        carried = document.user_task != task.number
        mark = words.Mark(
            "✓", _("Diteruskan tanpa perubahan") if carried and slot.role == "output" else _("Sudah ada"), "on-time"
        )
    elif slot.text_from and known.get(slot.text_from):
        mark, text = (
            words.Mark("✓", _("Dibuat aplikasi"), "on-time"),
            _("Dari isian “%(label)s”.", label=sight.definition.fields[slot.text_from].label),
        )
    elif "teks" in slot.forms and not slot.text_from:
        mark = words.Mark("✓", _("Dibuat aplikasi"), "on-time")
    elif instance.waived.get(field.id) == task.number:
        mark = words.Mark("✓", _("Diberi dispensasi"), "done")
    elif owed:
        mark = words.Mark("▲", _("Menyusul"), "due-soon")
        text = _(
            "Dijanjikan %(day)s. Alasan: %(why)s",
            day=words.short_day(date.fromisoformat(owed.promised)),
            why=words.str_of(owed.reason),
        )
    elif not needed:
        mark = words.Mark("○", _("Tidak wajib") if field.source != "T" else _("Tambahan, tidak wajib"), "ahead")
    lacking = needed and not there and owed is None and instance.waived.get(field.id) != task.number
    element_fields = {f.id for f in element.form}
    return Slot(
        field=field,
        label=field.label,
        mark=mark,
        said=text,
        there=there,
        required=needed,
        shown=shown,
        conditional=bool(here and element_fields & fields.names_in(field.shown_if)),
        attaches=attaches_to(sight, field, works),
        owable=works and lacking and requirements.owable(field, known, at),
        waivable=lacking and slot.waivable and sight.leads and not sight.performs(task.lane),
        owed=owed,
        versions=tuple(made.get(field.id, ())),
        errors=tuple(p.message for p in problems if p.place == field.id),
        accepts_files="berkas" in slot.forms,
        places=tuple(f for f in slot.forms if f in ("cetak", "tautan")),
    )


def attaches_to(sight: Sight, field: Field, works: bool) -> bool:
    """Whether the visitor may attach to a slot now; works: whether they may complete its task."""
    slot, lanes = field.slot, sight.actor.lanes
    attacher = slot is not None and bool(set(slot.attachers) & set(lanes))
    owed = field.id in sight.instance.owed and bool(lanes)
    return (works or attacher or owed) and sight.instance.status == RUNNING


def reading_of(sight: Sight, task: UserTask, known: Mapping[str, Any], steps: Sequence[Step]) -> list[dict[str, Any]]:
    """What came before and is only read here: documents of earlier steps, with their newest version."""
    made, found, papers = versions(sight, steps), [], written(sight) if sight.reads else {}
    for one in sight.definition.elements[task.element].slots:
        slot = one.slot
        assert slot is not None, "a slot field has one"
        if slot.role == "output" or slot.origin == "langkah" or not requirements.shown(one, known, sight.local):
            continue
        newest = next(iter(made.get(one.id, ())), None)
        writer = sight.definition.elements.get(slot.origin or "")
        paper = one.id in papers
        if newest or paper or slot.role == "kelengkapan":
            found.append(
                {
                    "field": one,
                    "newest": newest,
                    "paper": paper,
                    "writer": writer,
                    "needed": slot.role == "kelengkapan",
                    "owed": sight.instance.owed.get(one.id),
                    "made_here": "teks" in slot.forms and not slot.text_from and not newest,
                }
            )
    return found


def task_page(
    sight: Sight, task: UserTask, draft: Draft, problems: Sequence[Problem] = (), title: str = "", key: str = ""
) -> str:
    """The page of an open user task, with what was typed and what is wrong with it."""
    element = sight.definition.elements[task.element]
    works, steps = can_work(sight, task), recorded(sight)
    known = known_names(sight, task, draft.values)
    asked = fields.questions(element, known, draft.values, sight.local, problems, sight.instance.data)
    values = {id: one.value for id, one in asked.items()}
    slots = slots_of(sight, task, values, works, steps, problems)
    done = passes(sight, steps)
    this = next((one for one in done if one.number == task.number), None)
    behalf = on_behalf(sight, task)
    key = key or form_key()
    lane = sight.definition.lane(task.lane)
    return render_template(
        "task.html",
        sight=sight,
        task=task,
        element=element,
        lane=lane,
        works=works,
        attaches=any(one.attaches for one in slots),
        decision=next((q for q in asked.values() if q.field.decision), None),
        groups=fields.groups(element, asked, [s.field for s in slots]),
        slots={one.field.id: one for one in slots},
        records=len({f.group for f in element.form if f.group}) > 1,
        reading=reading_of(sight, task, known, steps),
        people=people(sight),
        colleagues=colleagues(sight, task),
        draft=draft,
        problems=problems,
        problem_title=title,
        lacking=lacks(sight, task, values) if works else [],
        key=key,
        sealed=drawn_for(key),
        time=words.time_mark(task.norm_at, task.late_at, task.opened_at, sight.now, sight.calendar(task.lane)),
        left=time_left(sight, task),
        needed_by=bands.needed_by(sight.db, sight.instance, task, sight.now),
        came_back=returned_from(sight, done, this),
        before=[one for one in reversed(done) if one.by and one.number != task.number],
        said=said,
        comments=comments(sight, steps) if sight.whole else [],
        behalf=behalf,
        own_work=own_work(sight, task) if works else [],
        acting_as=acting_as(sight, task) if works else "",
        office_name=lane.name if lane else "",
        doubts=requirements.doubts(element, draft.values, task.opened_at, sight.local) if draft.saved_at else (),
        diagram=diagram_state(sight, done),
        expected_year=sight.instance.year,
        extension=extensions.state(sight, task),
        extends=works and bool(extensions.lanes_that_decide(sight.definition, task.element)),
        extension_decided_by=extensions.deciders(sight, task),
        extension_mine=extensions.decides(sight.definition, task, sight.actor.lanes, me().id),
        extension_errors={one.place: one.message for one in problems if one.place.startswith(MORE_TIME)},
    )


def acting_as(sight: Sight, task: UserTask) -> str:
    """`Plh. Camat Lasem` where the visitor does this step for another, "" where the position is their own."""
    if all(one.capacity == "definitif" for one in me().positions):
        return ""
    rights = organisation.performs(sight.db, me().id, sight.instance.key, sight.instance.unit, sight.today)
    capacities = {one.capacity: one.position_name for one in reversed(rights) if one.lane == task.lane}
    return "" if "definitif" in capacities else next(
        (words.position(capacity, name) for capacity, name in capacities.items()), "")


def own_work(sight: Sight, task: UserTask) -> list[str]:
    """The steps that the visitor did and would now decide upon: said before they do, and nothing is blocked."""
    did = conformance.did_before(sight.definition, sight.instance, task.element, me().id)
    return [words.step_name(sight.definition, id) for id in did]


def people(sight: Sight) -> list[tuple[str, str]]:
    """(id, name and position) of everybody who holds a position in the unit, for questions that name a person."""
    found: dict[str, str] = {}
    for one in organisation.people_of_unit(sight.db, sight.instance.unit, sight.today):
        position = words.position(one.capacity, one.position_name)
        found.setdefault(one.person, one.name if one.name == position else f"{one.name} · {position}")
    return list(found.items())


def colleagues(sight: Sight, task: UserTask) -> list[tuple[str, str]]:
    """(id, name) of those to whom the visitor may hand a task; nobody where it is not theirs to hand over."""
    may = me().administrator or f"{task.lane}:ketua" in sight.actor.lanes or task.owner == me().id
    if not may or sight.instance.status != RUNNING:
        return []
    team = [person for person, _role in sight.instance.team.get(task.lane, ())]
    performers = team or organisation.who_performs(
        sight.db, sight.instance.key, task.lane, sight.instance.unit, sight.today
    )
    return [(person, sight.names(person)) for person in performers if person != task.owner]


def time_left(sight: Sight, task: UserTask) -> str:
    """`sisa 2 hari kerja`, or by how much the limit was passed, in working time of whoever performs the task."""
    if task.late_at is None:
        return ""
    calendar = sight.calendar(task.lane)
    if sight.now <= task.late_at:
        return _("sisa %(time)s", time=words.working(calendars.working_minutes(sight.now, task.late_at, calendar)))
    return _("lewat %(time)s", time=words.working(calendars.working_minutes(task.late_at, sight.now, calendar)))


def returned_from(sight: Sight, done: Sequence[Pass], this: Pass | None) -> dict[str, Any] | None:
    """Who sent a task back, when and with what, for the head of its page; None of a task that did not come back."""
    if this is None or not this.came_back or this.opened_at is None:
        return None
    sender = next((one for one in reversed(done) if one.recorded_at and one.recorded_at <= this.opened_at), None)
    if sender is None:
        return None
    source = next((q.rows_from[min(this.round, len(q.rows_from)) - 1] for q in this.element.form if q.rows_from), None)
    rows = sender.values.get(source) if source else None
    return {
        "who": sight.names(sender.by or ""),
        "at": sender.recorded_at,
        "round": this.round,
        "count": len(rows) if isinstance(rows, list) else 0,
        "field": next((q.id for q in this.element.form if q.rows_from), None),
    }


@inbox.get("/tugas/<uuid:id>/<int:number>")
def task(id: UUID, number: int) -> Any:
    """A user task: to fill in, or, where another has it or it is done, to read."""
    with office().database.read() as db:
        sight = look(db, id)
        open_task = sight.instance.user_tasks.get(number)
        if open_task is not None:
            if open_task.lane not in sight.lanes and not sight.whole:
                abort(404)
            return task_page(sight, open_task, draft_of(sight, number))
        return closed_task(sight, number)


def closed_task(sight: Sight, number: int) -> Any:
    """A task that is no longer open, read-only; one that never was is not found."""
    done = next((one for one in passes(sight, recorded(sight), withdrawn=True) if one.number == number), None)
    if done is None or not (sight.whole or done.lane in sight.lanes):
        abort(404)
    return render_template("closed_task.html", sight=sight, one=done, values=said(sight, done.element, done.values))


# What a posted form brings


def of_form(element: Element, form: MultiDict[str, str], keep_empty_rows: bool = False) -> Draft:
    extras = {name: value for name, value in form.items() if name.startswith(EXTRAS) and value.strip()}
    return Draft(values=fields.parse(element.form, form, keep_empty_rows), extras=extras)


def keep_draft(id: str, number: int, draft: Draft) -> datetime:
    """Keep what was typed; the instant it was kept at."""
    at = office().now()
    data = dict(draft.values) | ({"": dict(draft.extras)} if draft.extras else {})
    with office().database.begin() as db:
        instances.save_draft(db, id, number, me().id, data, at)
    return at


def files_of(slot_id: str) -> list[FileStorage]:
    return [file for file in request.files.getlist(f"berkas.{slot_id}") if file.filename]


def sent_in_parts(slot_id: str, place: tuple[str, int] | None) -> list[Upload]:
    """The uploads that came in parts for a slot, and that the form names. Raises Refused for one that is not theirs."""
    ids = request.form.getlist(f"unggahan.{slot_id}") if place else []
    found = []
    if ids:
        with office().database.read() as db:
            now = office().now()
            for id in ids[: documents.MOST_PHOTOS]:
                one = parts.find(db, id, me().id, now)
                if one is None or (one.instance, one.user_task, one.slot) != (*(place or ()), slot_id):
                    raise Refused("wrong", _("Unggahan ini sudah kedaluwarsa. Pilih berkasnya sekali lagi."))
                found.append(one)
    return found


def stored(files: Sequence[FileStorage], sent: Sequence[Upload] = ()) -> tuple[File, ...]:
    """The files of one slot, safe on the disk. Several photographs become one PDF. Raises Refused.

    sent  those that came in parts; asked again after they were kept, the answer is the same.
    """
    folder = office().settings.documents_dir
    if sent and all(one.sha256 for one in sent):
        return kept_before(sent)
    with ExitStack() as stack:
        named = [(stack.enter_context(parts.open_whole(folder, one)), one.name) for one in sent]
        found = judged([*named, *((file.stream, documents.clean_name(file.filename or "")) for file in files)])
    at = office().now()
    with office().database.begin() as db:
        for one, _file in found:
            documents.record(db, folder, one, at)
        for place, upload in enumerate(sent):
            parts.finish(db, upload, found[min(place, len(found) - 1)][0].sha256)
    for upload in sent:
        parts.drop_bytes(folder, upload)
    return tuple(file for _one, file in found)


def kept_before(sent: Sequence[Upload]) -> tuple[File, ...]:
    found: dict[str, File] = {}
    with office().database.read() as db:
        for upload in sent:
            one = documents.recorded(db, upload.sha256 or "")
            if one is None:
                raise Refused("wrong", _("Unggahan ini sudah kedaluwarsa. Pilih berkasnya sekali lagi."))
            merged = documents.expected(upload.name) != one.media_type
            name = f"{PurePath(upload.name).stem}.pdf" if merged else upload.name
            found.setdefault(one.sha256, File(sha256=one.sha256, size_bytes=one.size_bytes, media_type=one.media_type,
                                              name=name))
    return tuple(found.values())


def judged(named: list[tuple[IO[bytes], str]]) -> list[tuple[documents.StoredFile, File]]:
    """Files on the disk, without rows yet. Raises Refused."""
    settings = office().settings
    folder, limit = settings.documents_dir, settings.upload_megabytes * 1_000_000
    photos = [name for _stream, name in named if documents.expected(name) in PHOTOS]
    if len(named) > 1 and len(photos) == len(named):
        pdf = documents.photos_to_pdf([stream for stream, _name in named])
        named = [(BytesIO(pdf), f"{PurePath(named[0][1]).stem}.pdf")]
    found = []
    for stream, name in named:
        one = documents.store(stream, name, folder, limit)
        found.append((one, File(sha256=one.sha256, size_bytes=one.size_bytes, media_type=one.media_type, name=name)))
    return found


def brought(field: Field, where: tuple[str, int] | None = None) -> Attachment | None:
    """What the posted form puts into one slot, None where nothing. Raises Refused.

    where  (instance id, number of the user task), where files may have come in parts.
    """
    files, sent = files_of(field.id), sent_in_parts(field.id, where)
    if files or sent:
        return Attachment(files=stored(files, sent))
    for form in ("cetak", "tautan"):
        place = request.form.get(f"{form}.{field.id}", "").strip()
        if place:
            return Attachment(form=form, place=place)
    return None


def made_id(key: str, *parts: str) -> str:
    """The id of a command that a form causes besides its own: the same again when the form is sent again."""
    return str(uuid5(NAMESPACE, "/".join((key, *parts))))


def attach_all(
    sight_id: str, element: Element, owed: Iterable[Field], number: int, key: str, behalf: str | None
) -> tuple[list[str], list[Problem]]:
    """Attach every file that the form brings, each by itself; (labels of what was attached, problems)."""
    attached, problems = [], []
    elsewhere = {one.id for one in owed}
    for field in (*element.slots, *owed):
        try:
            given = brought(field, (sight_id, number))
            if given is None:
                continue
            digest = hashlib.sha256(
                repr((given.form, given.place, [f.sha256 for f in given.files])).encode()
            ).hexdigest()
            act: Act = (
                SettleRequirement(document=field.id, attachment=given)
                if field.id in elsewhere
                else AttachDocument(document=field.id, attachment=given, user_task=number)
            )
            asked = requested(act, made_id(key, "berkas", field.id, digest), behalf)
            quota = office().settings.upload_quota_megabytes * 1_000_000
            with office().database.begin() as db:
                handle.handle(db, office().rules, office().database.key, sight_id, [asked])
                documents.keep_within(db, sight_id, quota)
            attached.append(field.label)
        except Refused as refused:
            g.no_room = refused.code == "full" or g.get("no_room", False)
            problems.append(
                Problem(
                    field.id,
                    f"{field.label}: {refused.message}" if field.label not in refused.message else refused.message,
                )
            )
    return attached, problems


def owe_all(
    id: str, element: Element, number: int, key: str, behalf: str | None, form: MultiDict[str, str]
) -> tuple[list[str], list[Problem]]:
    """State as owed what the form says will follow; (labels, problems)."""
    stated, problems = [], []
    for field in element.slots:
        reason, day = (
            form.get(f"menyusul.{field.id}.alasan", "").strip(),
            form.get(f"menyusul.{field.id}.tanggal", "").strip(),
        )
        if not reason and not day:
            continue
        if not reason or not day:
            what = _("alasan mengapa menyusul") if not reason else _("tanggal yang dijanjikan")
            problems.append(Problem(field.id, _("%(label)s: tuliskan %(what)s.", label=field.label, what=what)))
            continue
        promise = Promise(document=field.id, reason=reason, promised=fields.day(day))
        try:
            act = OweRequirement(user_task=number, promise=promise)
            ask(id, requested(act, made_id(key, "menyusul", field.id, promise.promised, reason), behalf))
            stated.append(field.label)
        except Refused as refused:
            problems.append(Problem(field.id, refused.message))
    return stated, problems


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A posted task form after everything it brought was kept."""

    id: str
    number: int
    key: str
    element: Element | None  # None: the task is not open any more
    draft: Draft
    behalf: str | None
    attached: tuple[str, ...] = ()
    stated: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    saved_at: datetime | None = None


def take_in(id: UUID, number: int, keep_empty_rows: bool = False) -> Sent:
    """Keep what the posted form brings: files first, then what is stated as owed, then what was typed."""
    form, key = request.form, the_key()
    with office().database.read() as db:
        sight = look(db, id)
        task = sight.instance.user_tasks.get(number)
        if task is None:
            done = next((one for one in passes(sight, recorded(sight), withdrawn=True) if one.number == number), None)
            if done is None or not (sight.whole or done.lane in sight.lanes):
                abort(404)
            return Sent(
                id=str(id), number=number, key=key, element=None, draft=of_form(done.element, form), behalf=None
            )
        if task.lane not in sight.lanes and not sight.whole:
            abort(404)
        element = sight.definition.elements[task.element]
        owed = [sight.definition.fields[type] for type in sight.instance.owed if element.field(type) is None]
        behalf, works = on_behalf(sight, task), can_work(sight, task)
        staff = organisation.people_of_unit(db, sight.instance.unit, sight.today)
    attached, wrong_files = attach_all(str(id), element, owed, number, key, behalf)
    stated, wrong_promises = owe_all(str(id), element, number, key, behalf, form)
    draft = of_form(element, form, keep_empty_rows)
    positions = {one.person: words.position(one.capacity, one.position_name) for one in reversed(staff)}
    draft = Draft(
        values=fields.with_positions(element.form, draft.values, positions),
        extras={k: v for k, v in draft.extras.items() if k.startswith("luar.") or wrong_promises},
    )
    saved_at = keep_draft(str(id), number, draft) if works or sight.performs(task.lane) else None
    return Sent(
        id=str(id),
        number=number,
        key=key,
        element=element,
        draft=draft,
        behalf=behalf,
        attached=tuple(attached),
        stated=tuple(stated),
        problems=(*wrong_files, *wrong_promises),
        saved_at=saved_at,
    )


def no_room() -> bool:
    """Whether a file of this request could not be kept because the disk is full."""
    return bool(g.get("no_room", False))


@inbox.after_request
def say_when_again(answer: Any) -> Any:
    if no_room():
        answer.headers["Retry-After"] = "600"
    return answer


def again(sent: Sent, problems: Sequence[Problem], title: str, status: int = 422) -> tuple[str, int]:
    """The same page with what was typed and what is wrong; the key stays, since nothing was recorded under it."""
    status = 507 if no_room() else status
    with office().database.read() as db:
        sight = look(db, sent.id)
        task = sight.instance.user_tasks.get(sent.number)
        if task is None:
            return conflict(sent, None)
        return task_page(
            sight,
            task,
            Draft(values=sent.draft.values, extras=sent.draft.extras, saved_at=sent.saved_at),
            problems,
            title,
            sent.key,
        ), status


def conflict(sent: Sent, refused: Refused | None) -> tuple[str, int]:
    """Somebody was quicker: who, what was typed, what can be done with it. It stays as the person's draft."""
    with office().database.read() as db:
        sight = look(db, sent.id)
        done = next((one for one in passes(sight, recorded(sight), withdrawn=True) if one.number == sent.number), None)
        element = sent.element or (done.element if done else None)
        if element is None:
            abort(404)
        task = sight.instance.user_tasks.get(sent.number)
        who = (refused.person if refused else None) or (task.owner if task else None) or (done.by if done else None)
        since = (
            (refused.at if refused else None)
            or (task.claimed_at if task else None)
            or (done.recorded_at if done else None)
        )
        page = render_template(
            "conflict.html",
            sight=sight,
            element=element,
            who=sight.names(who) if who else "",
            since=since,
            open=task is not None,
            withdrawn=task is None and done is not None and done.withdrawn,
            message=refused.message if refused else "",
            values=said(sight, element, sent.draft.values),
            number=sent.number,
        )
    return page, 409


def refusal(sent: Sent, refused: Refused) -> tuple[str, int]:
    """The answer to an act that could not be carried out."""
    if refused.code in ("taken", "not_open"):
        return conflict(sent, refused)
    if refused.code == "unknown":
        abort(404)
    problems = [*sent.problems, *refused.problems] or [Problem("", refused.message)]
    return again(sent, problems, refused.message, 422 if refused.code in ("incomplete", "wrong", "other") else 409)


def wants_json() -> bool:
    return request.accept_mimetypes.best == "application/json"


def page_of(id: str, number: int, place: str = "") -> str:
    return url_for("inbox.task", id=id, number=number, _anchor=fields.anchor(place) if place else None)


# The acts


@inbox.post("/tugas/<uuid:id>/<int:number>/claim")
def claim(id: UUID, number: int) -> Any:
    """Take a task; then its page."""
    return simple_act(id, number, ClaimUserTask(user_task=number), page_of(str(id), number))


@inbox.post("/tugas/<uuid:id>/<int:number>/release")
def release(id: UUID, number: int) -> Any:
    """Give a task back to its lane. What was typed stays, for whoever typed it."""
    sent = take_in(id, number) if "oleh" in request.form and any(n.startswith("isian.") for n in request.form) else None
    key = made_id(the_key(), "release")
    answer = simple_act(id, number, ReleaseUserTask(user_task=number), url_for("inbox.tasks"), key=key)
    if sent is not None:
        tell(_("Tugas dilepaskan. Isian Anda tetap tersimpan sebagai draf Anda."))
    return answer


@inbox.post("/tugas/<uuid:id>/<int:number>/tarik")
def recall(id: UUID, number: int) -> Any:
    """Take one's own completion back, while nobody has gone on; then the task's page, with what was sent as a draft."""
    with office().database.read() as db:
        sight = look(db, id)
        task = sight.instance.recallable
        behalf = on_behalf(sight, task) if task else None
    try:
        ask(str(id), requested(RecallUserTask(user_task=number), the_key(), behalf))
    except Refused as refused:
        tell(refused.message, "error")
        return redirect(url_for("processes.page", id=id), 303)
    tell(_("Tugas ditarik kembali. Yang Anda kirim tadi ada di bawah sebagai draf: perbaiki, lalu selesaikan lagi."))
    return redirect(page_of(str(id), number), 303)


def simple_act(id: UUID, number: int, act: Act, then: str, key: str = "") -> Any:
    with office().database.read() as db:
        sight = look(db, id)
        task = sight.instance.user_tasks.get(number)
        behalf = on_behalf(sight, task) if task else None
    sent = Sent(
        id=str(id), number=number, key=key or the_key(), element=None, draft=Draft(values={}, extras={}), behalf=behalf
    )
    try:
        ask(sent.id, requested(act, sent.key, behalf))
    except Refused as refused:
        if refused.code in ("taken", "not_open"):
            return conflict(sent, refused)
        tell(refused.message, "error")
        return redirect(url_for("inbox.tasks"), 303)
    return redirect(then, 303)


@inbox.post("/tugas/<uuid:id>/<int:number>/reassignment")
def reassign(id: UUID, number: int) -> Any:
    """Hand a task to somebody else of its lane, or back to all of them, with a reason."""
    to, reason = request.form.get("kepada", ""), request.form.get("alasan", "").strip()
    with office().database.read() as db:
        sight = look(db, id)
        task = sight.instance.user_tasks.get(number)
        if task is None or (to and to not in dict(colleagues(sight, task))):
            abort(404)
        name = sight.names(to) if to else ""
    try:
        ask(str(id), requested(ReassignUserTask(user_task=number, person=to or None, reason=reason), the_key()))
    except Refused as refused:
        tell(refused.message, "error")
    else:
        tell(
            _("Tugas dialihkan kepada %(who)s.", who=name) if to else _("Tugas dikembalikan kepada seluruh pelaksana.")
        )
    return redirect(page_of(str(id), number), 303)


# More time


@inbox.post("/tugas/<uuid:id>/<int:number>/extension")
def ask_extension(id: UUID, number: int) -> Any:
    """Ask for more time, until when and why; then who decides on it is told where to look."""
    key, reason = the_key(), request.form.get("perpanjangan.alasan", "").strip()
    until = fields.day(request.form.get("perpanjangan.sampai", "").strip())
    with office().database.read() as db:
        sight = look(db, id)
        task = sight.instance.user_tasks.get(number)
        behalf = on_behalf(sight, task) if task else None
        draft = draft_of(sight, number)
    typed = Draft(
        values=draft.values,
        extras={**draft.extras, "perpanjangan.sampai": until, "perpanjangan.alasan": reason},
        saved_at=draft.saved_at,
    )
    sent = Sent(id=str(id), number=number, key=key, element=None, draft=typed, behalf=behalf, saved_at=draft.saved_at)
    act = AskExtension(user_task=number, until=until, reason=reason)
    try:
        ask(sent.id, requested(act, made_id(key, "perpanjangan"), behalf))
    except Refused as refused:
        named = tuple(Problem(PLACES_OF_MORE_TIME.get(p.place, p.place), p.message) for p in refused.problems)
        return refusal(sent, Refused(refused.code, refused.message, named, refused.person, refused.at))
    with office().database.read() as db:
        sight = look(db, id)
        task = sight.instance.user_tasks.get(number)
        if task is None or task.extension is None:  # sent again, long after
            return redirect(page_of(sent.id, number), 303)
        who = extensions.deciders(sight, task)
        address = office().settings.url + url_for("inbox.extension", id=id, number=number)
        tell(
            _(
                "Permintaan perpanjangan sampai %(until)s sudah tercatat. Sekarang menunggu keputusan %(who)s.",
                until=words.full(task.extension.until, sight.zone),
                who=who,
            ),
            copy=_(
                "Yth. %(who)s, ada permintaan yang menunggu keputusan Bapak/Ibu di aplikasi Alur: %(address)s. "
                "Terima kasih.",
                who=who,
                address=address,
            ),
        )
    return redirect(page_of(sent.id, number), 303)


PLACES_OF_MORE_TIME = {"until": "perpanjangan.sampai", "reason": "perpanjangan.alasan"}


@inbox.get("/tugas/<uuid:id>/<int:number>/perpanjangan")
def extension(id: UUID, number: int) -> Any:
    """A request for more time, for whoever may decide on it; everybody else sees it on the task's page."""
    with office().database.read() as db:
        sight = look(db, id)
        task = sight.instance.user_tasks.get(number)
        if task is None or not extensions.decides(sight.definition, task, sight.actor.lanes, me().id):
            return redirect(url_for("inbox.task", id=id, number=number))
        return extension_page(sight, task, {}, (), form_key())


def extension_page(
    sight: Sight, task: UserTask, typed: Mapping[str, str], problems: Sequence[Problem], key: str, title: str = ""
) -> str:
    asked = task.extension
    assert asked is not None, "the page is about a request"
    return render_template(
        "extension.html",
        sight=sight,
        task=task,
        element=sight.definition.elements[task.element],
        asked=asked,
        state=extensions.state(sight, task),
        open=asked.granted is None,
        room=extensions.room_after(sight, asked.until),
        left=time_left(sight, task),
        typed=typed,
        problems=problems,
        problem_title=title,
        errors={one.place: one.message for one in problems},
        key=key,
        sealed=drawn_for(key),
    )


@inbox.post("/tugas/<uuid:id>/<int:number>/extension/grant")
def grant_extension(id: UUID, number: int) -> Any:
    """Give more time: until the day that was asked for, or until another."""
    until = fields.day(request.form.get("sampai", "").strip())
    reason = request.form.get("alasan", "").strip()
    typed = {"berikan.sampai": until, "berikan.alasan": reason}
    # The day stands in the form as it was asked for: left as it is, it is no other day.
    as_asked = until in ("", request.form.get("diminta", ""))
    act = GrantExtension(user_task=number, until=None if as_asked else until, reason=reason)
    return decide_on(id, number, act, typed, "berikan")


@inbox.post("/tugas/<uuid:id>/<int:number>/extension/refusal")
def refuse_extension(id: UUID, number: int) -> Any:
    """Refuse more time, with the reason."""
    reason = request.form.get("alasan", "").strip()
    act = RefuseExtension(user_task=number, reason=reason)
    return decide_on(id, number, act, {"tolak.alasan": reason}, "tolak")


def decide_on(
    id: UUID, number: int, act: GrantExtension | RefuseExtension, typed: Mapping[str, str], form: str
) -> Any:
    """Decide once; who comes second, or may not, is told what has become of it and keeps what was typed."""
    key = the_key()
    with office().database.read() as db:
        look(db, id)
    try:
        ask(str(id), requested(act, made_id(key, form)))
    except Refused as refused:
        with office().database.read() as db:
            sight = look(db, id)
            task = sight.instance.user_tasks.get(number)
            if task is None or task.extension is None:
                return render_template("extension_gone.html", sight=sight, number=number, typed=typed), 409
            places = {"until": f"{form}.sampai", "reason": f"{form}.alasan"}
            problems = [Problem(places.get(p.place, p.place), p.message) for p in refused.problems]
            page = extension_page(
                sight, task, typed, problems or [Problem("", refused.message)], key, refused.message
            )
        return page, 422 if refused.code in ("incomplete", "wrong", "other") else 409
    with office().database.read() as db:
        sight = look(db, id)
        task = sight.instance.user_tasks.get(number)
        if task is not None and task.extension is not None:
            tell(
                decided_words(sight, task, isinstance(act, GrantExtension)),
                link=(url_for("processes.page", id=id), _("Lihat berkas proses")),
            )
    return redirect(url_for("inbox.tasks"), 303)


def decided_words(sight: Sight, task: UserTask, granted: bool) -> str:
    number = sight.definition.elements[task.element].number
    if not granted:
        return str(
            _(
                "Permintaan ditolak. Batas waktu langkah %(n)s tetap %(until)s.",
                n=number,
                until=extensions.until_words(sight, task),
            )
        )
    return str(
        _(
            "Perpanjangan diberikan: batas waktu langkah %(n)s sekarang %(until)s. Waktu baku tetap %(norm)s.",
            n=number,
            until=extensions.until_words(sight, task),
            norm=words.full(task.norm_at, sight.zone) if task.norm_at else "",
        )
    )


@inbox.post("/tugas/<uuid:id>/<int:number>/draft")
def save(id: UUID, number: int) -> Any:
    """Keep what was typed. A script asks for JSON: when it was kept, what to show, what is still missing."""
    sent = take_in(id, number, keep_empty_rows=True)
    if sent.element is None:
        return ({"gone": True}, 409) if wants_json() else conflict(sent, None)
    if wants_json():
        return task_state(sent)
    if sent.problems:
        return again(sent, sent.problems, _("Sebagian belum dapat disimpan."))
    added = request.form.get("tambah") or (request.form.get("buang") or "").partition(".")[0]
    if not added:
        tell(_("Draf tersimpan %(at)s.", at=clock_of(sent.saved_at)))
    return redirect(page_of(sent.id, number, added), 303)


def clock_of(at: datetime | None) -> str:
    return words.clock(words.local(at, me().zone)) if at else ""


def task_state(sent: Sent, slot: str = "") -> dict[str, Any]:
    """What a page needs to know after something of it was saved, for its script."""
    with office().database.read() as db:
        sight = look(db, sent.id)
        task = sight.instance.user_tasks.get(sent.number)
        if task is None:
            return {"gone": True}
        element = sight.definition.elements[task.element]
        known = known_names(sight, task, sent.draft.values)
        asked = fields.questions(element, known, sent.draft.values, sight.local, before=sight.instance.data)
        values = {id: one.value for id, one in asked.items()}
        works = can_work(sight, task)
        slots = {one.field.id: one for one in slots_of(sight, task, values, works, recorded(sight), sent.problems)}
        return {
            "sequence": sight.instance.sequence,
            "saved": _("Draf tersimpan %(at)s", at=clock_of(sent.saved_at)) if sent.saved_at else "",
            "shown": {
                **{q.id: q.shown for q in asked.values() if q.conditional},
                **{fields.anchor(s.field.id): s.shown for s in slots.values() if s.conditional},
            },
            "lacking": render_template("_lacking.html", lacking=lacks(sight, task, values) if works else []),
            "slots": {
                fields.anchor(id): render_template("_slot.html", slot=one, sight=sight, task=task, draft=sent.draft)
                for id, one in slots.items()
                if id == slot or one.follows_answers
            },
            "problems": [one.message for one in sent.problems],
        }


@inbox.post("/tugas/<uuid:id>/<int:number>/documents/<type>")
def attach(id: UUID, number: int, type: str) -> Any:
    """Put files into a slot; the rest of the form is kept as a draft."""
    sent = take_in(id, number, keep_empty_rows=True)
    if sent.element is None:
        return ({"gone": True}, 409) if wants_json() else conflict(sent, None)
    if wants_json():
        return task_state(sent, slot=type), 507 if no_room() else 422 if sent.problems else 200
    if sent.problems:
        return again(sent, sent.problems, _("Berkas belum dilampirkan."))
    if not sent.attached:
        label = field.label if (field := sent.element.field(type)) else type
        return again(
            sent,
            [Problem(type, _("%(label)s: tidak ada berkas yang dipilih.", label=label))],
            _("Berkas belum dilampirkan."),
        )
    tell(_("%(what)s sudah dilampirkan.", what=", ".join(sent.attached)))
    return redirect(page_of(sent.id, number, type), 303)


@inbox.post("/tugas/<uuid:id>/<int:number>/owed/<type>")
def owe(id: UUID, number: int, type: str) -> Any:
    """State that a document will follow, with why and by when."""
    sent = take_in(id, number, keep_empty_rows=True)
    if sent.element is None:
        return conflict(sent, None)
    if sent.problems or not sent.stated:
        problems = sent.problems or (Problem(type, _("Tuliskan alasan dan tanggal yang dijanjikan.")),)
        return again(sent, problems, _("Belum dapat dinyatakan menyusul."))
    tell(_("%(what)s dinyatakan menyusul. Ini tampak pada berkas proses sampai dipenuhi.", what=", ".join(sent.stated)))
    return redirect(page_of(sent.id, number, type), 303)


@inbox.post("/tugas/<uuid:id>/<int:number>/waiver/<type>")
def waive(id: UUID, number: int, type: str) -> Any:
    """Grant a waiver: the head of the office, never the task's own performer."""
    with office().database.read() as db:
        sight = look(db, id)
    act = WaiveRequirement(user_task=number, document=type, reason=request.form.get("alasan", "").strip())
    try:
        ask(sight.instance.id, requested(act, the_key()))
    except Refused as refused:
        tell(refused.message, "error")
    else:
        tell(_("Dispensasi untuk %(what)s diberikan.", what=words.document_name(sight.definition, type)))
    return redirect(page_of(str(id), number, type), 303)


@inbox.post("/tugas/<uuid:id>/<int:number>/values")
def record_values(id: UUID, number: int) -> Any:
    """Record the values of one group as facts, though the task goes on (the deliveries of step 8)."""
    sent = take_in(id, number, keep_empty_rows=True)
    if sent.element is None:
        return conflict(sent, None)
    group = request.form.get("kelompok", "")
    inside = {f.id for f in sent.element.form if (f.group or "") == group}
    data = {id: value for id, value in sent.draft.values.items() if id in inside and not requirements.empty(value)}
    try:
        ask(
            sent.id,
            requested(RecordValues(user_task=number, data=data), made_id(sent.key, "values", group), sent.behalf),
        )
    except Refused as refused:
        return refusal(sent, refused)
    tell(_("Tercatat: %(group)s. Isian ini sudah tampak pada halaman proses.", group=group))
    return redirect(page_of(sent.id, number), 303)


@inbox.post("/tugas/<uuid:id>/<int:number>/comments")
def comment(id: UUID, number: int) -> Any:
    """A comment on this task: a Step, never a conflict."""
    text = request.form.get("komentar", "").replace("\r\n", "\n").strip()
    with office().database.read() as db:
        sight = look(db, id)
        if not sight.whole:
            abort(404)
    try:
        ask(str(id), requested(AddComment(text=text, user_task=number), made_id(the_key(), "comment", text)))
    except Refused as refused:
        tell(refused.message, "error")
    else:
        tell(_("Komentar Anda sudah tercatat."))
    return redirect(page_of(str(id), number) + "#komentar", 303)


@inbox.post("/tugas/<uuid:id>/<int:number>/completion")
def complete(id: UUID, number: int) -> Any:
    """Complete a task: what it brought is kept first; then it is done, or the page says what is missing."""
    sent = take_in(id, number)
    if sent.element is None and not repeats(sent):
        return conflict(sent, None)
    if sent.problems:
        return again(sent, sent.problems, _("Tugas belum dapat diselesaikan."))
    done_at, problem = stated_time()
    if problem:
        return again(sent, [problem], _("Tugas belum dapat diselesaikan."))
    act = CompleteUserTask(user_task=number, data=sent.draft.values, done_at=done_at)
    try:
        [step] = ask(sent.id, requested(act, sent.key, sent.behalf))
    except Refused as refused:
        return refusal(sent, refused)
    return after_completion(sent, step)


def repeats(sent: Sent) -> bool:
    """Whether this very form was recorded before: then it is told the same answer again, not a conflict."""
    with office().database.read() as db:
        return queries.was_handled(db, sent.id, sent.key)


def stated_time() -> tuple[datetime | None, Problem | None]:
    """ "Dikerjakan di luar aplikasi pada ...", or what is wrong with it."""
    day, clock = request.form.get("luar.tanggal", "").strip(), request.form.get("luar.pukul", "").strip()
    if not day and not clock:
        return None, None
    at = words.instant_of(fields.day(day), fields.clock_time(clock), me().zone) if day and clock else None
    if at is None:
        return None, Problem(
            "done_at",
            _("Waktu pengerjaan di luar aplikasi: isi tanggal dan pukulnya, misalnya 2 Februari 2027 pukul 10.15."),
        )
    return at.astimezone(UTC), None


def after_completion(sent: Sent, step: Step) -> Any:
    """Say what is now true and what comes next; then the visitor's next task of this instance, or the inbox."""
    with office().database.read() as db:
        sight = look(db, sent.id)
        incident = next((e for e in step.events if isinstance(e, IncidentRaised)), None)
        if incident is not None and incident.kind != "alarm":
            tell(
                _("Tugas belum selesai karena ada gangguan. Isian Anda tersimpan; administrator diberi tahu."),
                "warning",
            )
            return redirect(page_of(sent.id, sent.number), 303)
        completed = next(e for e in step.events if isinstance(e, UserTaskCompleted))
        element = sight.definition.elements[completed.element]
        opened = [
            sight.instance.user_tasks[e.user_task]
            for e in step.events
            if isinstance(e, UserTaskOpened) and e.user_task in sight.instance.user_tasks
        ]
        what = (
            _("Langkah %(n)s selesai.", n=element.number)
            if element.number
            else _("%(name)s selesai.", name=element.name)
        )
        order = [one.id for one in sight.definition.user_tasks]
        if any(order.index(one.element) <= order.index(element.id) for one in opened):
            what = _("Langkah %(n)s selesai: dikembalikan untuk diperbaiki.", n=element.number)
        after = words.what_is_next(sight.instance, sight.definition, sight.performer, sight.now, sight.zone)
        mine = next((one for one in opened if sight.performs(one.lane)), None)
        copy = whatsapp(sight, opened) if opened and mine is None else ""
        tell(
            f"{what} {after}".strip(),
            link=(url_for("processes.page", id=sent.id), _("Lihat berkas proses")),
            copy=copy,
            done=f"{sent.id}/{sent.number}",
            recall=url_for("inbox.recall", id=sent.id, number=sent.number) if sight.instance.recallable else "",
        )
        return redirect(page_of(sent.id, mine.number) if mine else url_for("inbox.tasks"), 303)


def whatsapp(sight: Sight, opened: Sequence[UserTask]) -> str:
    """A text to send to whoever is next: that there is a task and where, nothing of what it is about."""
    address = office().settings.url + page_of(sight.instance.id, opened[0].number)
    return _(
        "Yth. %(who)s, ada tugas yang menunggu Bapak/Ibu di aplikasi Alur: %(address)s. Terima kasih.",
        who=sight.performer(opened[0]),
        address=address,
    )


# Starting


@inbox.route("/proses/mulai/<key>", methods=["GET", "POST"])
def start(key: str) -> Any:
    """The form of the start event. Nothing is there yet to keep a draft in: what was typed stays on the page itself."""
    now = office().now()
    with office().database.read() as db:
        mine = next(((version, units) for version, units in startable(db, now) if version.key == key), None)
        if mine is None and definitions.withdrawn(db, key):
            remedy = _("Berkas baru tidak dapat dimulai lagi. Yang sedang berjalan diselesaikan seperti biasa.")
            return render_template("error.html", title=_("SOP ini sudah dicabut"), remedy=remedy), 409
        if mine is None:
            abort(404)
        version, units = mine
        definition = office().rules.definition(version.sha256)
        unit = request.form.get("unit") or units[0][0]
        if unit not in dict(units):
            abort(404)
        zone = getattr(organisation.unit_of(db, unit), "zone", me().zone)
        staff = organisation.people_of_unit(db, unit, local_date(now, zone))
        band = bands.starting(db, definition, unit, now, zone, typed_year())
    local = words.local(now, zone)
    choices = list(
        {
            one.person: f"{one.name} · {one.position_name}" if one.name != one.position_name else one.name
            for one in staff
        }.items()
    )
    page: dict[str, Any] = {"definition": definition, "units": units, "unit": unit, "people": choices, "zone": zone}
    page["band"] = band
    if request.method == "GET":
        return start_page(page, definition, {}, {}, {}, [], form_key(), local)
    form, sent_key = request.form, the_key()
    values = fields.parse(definition.start.form, form, keep_empty_rows=bool(form.get("tambah") or form.get("buang")))
    kept, problems = attachments_of(definition)
    extras = {name: value for name, value in form.items() if name.startswith(EXTRAS)}
    promises, wrong = promises_of(definition, form)
    problems = [*problems, *wrong]
    if form.get("tambah") or form.get("buang") or "simpan" in form:
        return start_page(page, definition, values, kept, extras, problems, sent_key, local)
    if not problems:
        try:
            with office().database.begin() as db:
                act: StartProcessInstance = handle.opening(
                    db, key, unit, data=values, attachments=kept, promises=promises, at=now
                )
                id, step = handle.start(db, office().rules, office().database.key, requested(act, sent_key))
                if kept:
                    documents.keep_within(db, id, office().settings.upload_quota_megabytes * 1_000_000)
        except Refused as refused:
            problems = list(refused.problems) or [Problem("", refused.message)]
        else:
            return after_start(id, step)
    return start_page(page, definition, values, kept, extras, problems, sent_key, local), 422


def typed_year() -> int | None:
    """The tahun laporan as it was typed, where it is one; for the forecast only, the form judges it."""
    text = request.form.get("isian.tahun_laporan", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) == 4 and int(text) > 1999 else None


def start_page(
    page: Mapping[str, Any],
    definition: ProcessDefinition,
    values: Mapping[str, Any],
    kept: Mapping[str, Attachment],
    extras: Mapping[str, str],
    problems: Sequence[Problem],
    key: str,
    local: datetime,
) -> str:
    empty = ProcessInstance(id="", key=definition.key, unit=page["unit"])
    attached = {type: max(1, len(one.files)) for type, one in kept.items()}
    known = requirements.names(definition, empty, 0, 1, values, attached)
    asked = fields.questions(definition.start, known, values, local, problems)
    errors = {one.place: one.message for one in problems}
    signed = {
        type: [(seal().dumps(["berkas", me().id, f.sha256, f.size_bytes, f.media_type, f.name]), f) for f in one.files]
        for type, one in kept.items()
    }
    return render_template(
        "start.html",
        **page,
        groups=fields.groups(definition.start, asked, definition.start.slots),
        kept=signed,
        extras=extras,
        problems=problems,
        errors=errors,
        key=key,
        sealed=drawn_for(key),
    )


def attachments_of(definition: ProcessDefinition) -> tuple[dict[str, Attachment], list[Problem]]:
    """The files of a start form by document type: those it brings, and those that came with it before."""
    found: dict[str, Attachment] = {}
    problems: list[Problem] = []
    for field in definition.start.slots:
        try:
            given = brought(field)
        except Refused as refused:
            problems.append(Problem(field.id, f"{field.label}: {refused.message}"))
            continue
        if given is None:
            before = tuple(file for text in request.form.getlist(f"simpan.{field.id}") if (file := unsealed(text)))
            given = Attachment(files=before) if before else None
        if given is not None:
            found[field.id] = given
    return found, problems


def unsealed(text: str) -> File | None:
    """A file that this person sent a moment ago with the same form: only our seal makes one out of a hash."""
    try:
        kind, person, sha256, size_bytes, media_type, name = seal().loads(text)
    except (BadSignature, ValueError):
        return None
    if kind != "berkas" or person != me().id:
        return None
    return File(sha256=sha256, size_bytes=size_bytes, media_type=media_type, name=name)


def promises_of(definition: ProcessDefinition, form: MultiDict[str, str]) -> tuple[tuple[Promise, ...], list[Problem]]:
    promises, problems = [], []
    for field in definition.start.slots:
        reason, day = (
            form.get(f"menyusul.{field.id}.alasan", "").strip(),
            form.get(f"menyusul.{field.id}.tanggal", "").strip(),
        )
        if reason and day:
            promises.append(Promise(document=field.id, reason=reason, promised=fields.day(day)))
        elif reason or day:
            problems.append(
                Problem(field.id, _("%(label)s: tuliskan alasan dan tanggal yang dijanjikan.", label=field.label))
            )
    return tuple(promises), problems


def after_start(id: str, step: Step) -> Any:
    with office().database.read() as db:
        sight = look(db, id)
        opened = list(sight.instance.user_tasks.values())
        after = words.what_is_next(sight.instance, sight.definition, sight.performer, sight.now, sight.zone)
        mine = next((one for one in opened if sight.performs(one.lane)), None)
        copy = whatsapp(sight, opened) if opened and mine is None else ""
        tell(_("%(title)s sudah dimulai. %(after)s", title=sight.heading.title, after=after), copy=copy)
    return redirect(url_for("processes.page", id=id), 303)


@inbox.app_template_global()
def tasks_words(count: int, late: int) -> str:
    """ "3 tugas untuk Anda, 1 terlambat." """
    text = ngettext("%(num)s tugas untuk Anda", "%(num)s tugas untuk Anda", count)
    return f"{text}, {ngettext('%(num)s terlambat', '%(num)s terlambat', late)}." if late else f"{text}."
