"""The verb: where deciding and remembering meet. Everything that changes a process instance passes through here.

In one transaction, which the caller opened: lock the instance, see whether this command was here before, resolve who
asks as they are at this moment, `decide`, append the Step to the journal, save what it left.
"""
from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection

from . import process
from .commands import (
    Act,
    Actor,
    AddComment,
    Attachment,
    CancelProcessInstance,
    ChangeCalendar,
    Command,
    CompleteUserTask,
    Correct,
    FireTimer,
    MigrateProcessInstance,
    Promise,
    RaiseIncident,
    ReassignUserTask,
    RecallUserTask,
    ReleaseUserTask,
    ResolveIncident,
    ResumeProcessInstance,
    StartProcessInstance,
    SuspendProcessInstance,
    UndoMigration,
    WaiveRequirement,
)
from .events import IncidentRaised, UserTaskRecalled
from .execution import ENGINE
from .instance import ProcessInstance, Refused, Step
from .organisation import OWNER, dated
from .rules import Rules
from .store import database, definitions, due, instances, journal, organisation, records
from .watchdog import TookTooLong, watchdog

EXHAUSTED = (TookTooLong, RecursionError, MemoryError)  # of a decision; how deep the stack was is nothing to replay
NAMESPACE = UUID("6f4f6c1e-5a1b-5c0e-8a55-0d2b8f1f7c11")       # of the ids of instances and of timers' commands
# Acts that an administrator may do besides, or instead of, a performer: only they cost the question.
ADMINISTRATIVE = (SuspendProcessInstance, ResumeProcessInstance, CancelProcessInstance, RaiseIncident, ResolveIncident,
                  Correct, ReassignUserTask, ReleaseUserTask, AddComment, WaiveRequirement, StartProcessInstance,
                  ChangeCalendar, MigrateProcessInstance, UndoMigration)
OWNED = (MigrateProcessInstance, UndoMigration)         # what an owner of the SOP may do as well, in that capacity


@dataclass(frozen=True, kw_only=True)
class Request:
    """A command as it is asked for: who and what; `handle` resolves the rest inside the transaction.

    id      drawn when the page was rendered (an Idempotency-Key elsewhere); a repeat gives the same answer.
    person  person id; "timer" for the worker.
    at      only on a demonstration or from the command line; else the door's own clock.
    """
    id: str
    act: Act
    person: str
    on_behalf_of: str | None = None
    signed_in_by: str = "web"
    at: datetime | None = None


def handle(db: Connection, rules: Rules, key: bytes, instance_id: str, requests: Sequence[Request]) -> list[Step]:
    """The Steps that the requests are, in order, written. A repeated request gives its recorded Step again.

    db   a connection in a write transaction.
    key  of the journal's MAC.
    Raises Refused: nothing is written for that request, and the caller rolls back; "unknown" without such an instance.
    """
    try:
        loaded = instances.lock(db, instance_id, requests[0].id)
    except instances.Unreadable as error:
        raise Refused("unreadable", "Berkas proses ini tidak dapat dibaca. Administrator menanganinya; yang sudah "
                                    "tercatat tidak hilang.") from error
    if loaded is None:
        raise Refused("unknown", "Berkas proses ini tidak ada, atau Anda tidak dapat melihatnya.")
    instance = loaded.instance
    head, told, new = loaded.head, [], []
    for place, request in enumerate(requests):
        prior = loaded.prior if place == 0 else journal.sequence_of(db, instances.stream(instance_id), request.id)
        if prior is not None:
            told.append(repeated(db, key, instance_id, prior, request))
            continue
        at, read_at = moment(db, request, instance)
        command = Command(id=request.id, at=at, read_at=read_at, asked=fingerprint(key, request.act), act=request.act,
                          actor=actor(db, rules, instance, request, at))
        watched = watchdog_id(request.id, instance.incident_count)
        if standing := open_watchdog(db, instance, request):    # it took too long before, and nobody has acted since
            told.append(standing)
            continue
        if isinstance(request.act, RecallUserTask):
            must_be_untouched(db, instance, request)
        step = decide(rules, instance, command, watched)
        keep_draft(db, rules, instance, request, step)
        instance = process.evolve(instance, step)
        head = append(db, key, instance, step, head)
        new.append(step)
        told.append(step)
    if new:
        instances.save(db, loaded, instance, head, rules.definition(instance.definition), new)
    return told


def decide(rules: Rules, instance: ProcessInstance, command: Command, watched: str) -> Step:
    """The Step of a command; where the decision did not come to an end, the Step of an incident in its place.

    The incident is another command, of the clock's, with the id `watched`: what was asked has not been decided and may
    be asked again. Everything else that `process.decide` raises passes through.
    """
    rules.transitions(instance.definition)      # made beforehand: what is watched is the decision
    try:
        return watchdog.watch(lambda: process.decide(rules, instance, command))
    except EXHAUSTED as error:
        task = getattr(command.act, "user_task", None) or getattr(command.act, "timer", None)
        place = f" at {instance.id}/{task}" if task else ""
        detail = f"{type(command.act).__name__}{place}: {type(error).__name__}: {error}"[:500]
        act = RaiseIncident(kind="watchdog", detail=detail)
        in_its_place = replace(command, id=watched, act=act, actor=process.actor_of_the_clock())
        return process.decide(rules, instance, in_its_place)


def watchdog_id(command_id: str, incidents: int) -> str:
    """The id of the incident in a command's place, the same whoever asks again: incidents that the instance has had."""
    return str(uuid5(NAMESPACE, f"watchdog {command_id} {incidents}"))


def open_watchdog(db: Connection, instance: ProcessInstance, request: Request) -> Step | None:
    """The Step of the incident that this very request ended in before, while that is open; nearly always: None."""
    newest = instance.incidents.get(instance.incident_count)
    if newest is None or newest.kind != "watchdog":
        return None
    id = watchdog_id(request.id, instance.incident_count - 1)
    sequence = journal.sequence_of(db, instances.stream(instance.id), id)
    return next(iter(instances.steps(db, instance.id, sequence - 1)))[0] if sequence else None


def start(db: Connection, rules: Rules, key: bytes, request: Request) -> tuple[str, Step]:
    """(instance id, first Step). The id comes from the request's, so that a repeat finds the instance it made.

    Raises Refused, also where this unit already has one for the year.
    """
    act = request.act
    assert isinstance(act, StartProcessInstance), "an instance begins with its start"
    id = str(uuid5(NAMESPACE, request.id))
    database.lock(db, f"start {act.key} {act.unit}")        # two starts for one year: the second sees the first
    loaded = instances.lock(db, id, request.id)
    if loaded is not None:
        return id, repeated(db, key, id, 1, request)
    empty = ProcessInstance(id=id, calendars=act.calendars, unit=act.unit, key=act.key)
    at, read_at = moment(db, request, empty)
    command = Command(id=request.id, at=at, read_at=read_at, asked=fingerprint(key, act), act=act,
                      actor=actor(db, rules, empty, request, at))
    try:
        step = watchdog.watch(lambda: process.decide(rules, ProcessInstance(id=id), command))
    except EXHAUSTED as error:
        raise Refused("wrong", "Berkas proses tidak dapat dimulai: perhitungannya tidak selesai. Beri tahu "
                               "administrator.") from error
    instance = process.evolve(ProcessInstance(id=id), step)
    if instance.year is not None and instances.of_year(db, act.key, act.unit, instance.year):
        raise Refused("wrong", (
            f"Unit ini sudah mempunyai berkas proses untuk tahun {instance.year}. Buka berkas itu, atau batalkan "
            "dahulu."))
    head = append(db, key, instance, step, None)
    instances.create(db, instance, head, rules.definition(act.definition), [step])
    return id, step


def opening(db: Connection, key: str, unit: str, *, data: Mapping[str, Any],
            attachments: Mapping[str, Attachment] | None = None, promises: tuple[Promise, ...] = (),
            at: datetime | None = None) -> StartProcessInstance:
    """The start of a process for a unit, as things stand at an instant (now): the version in force that day, the unit's
    own data over it, and for each lane the calendar of whoever performs it (another office has its own); "" is the
    unit's.

    Raises Refused where the unit may not start it or has no calendar yet, and where the SOP is withdrawn or not in
    force yet.
    """
    on = (at or database.now(db)).astimezone(ZoneInfo(definitions.zone_of(db, unit))).date()
    version = definitions.in_force(db, key, on)
    if version is None:
        _not_in_force(db, key)
    allowed = {one.unit: one for one in organisation.units_that_may_start(db, key)}
    if version is None or unit not in allowed:
        raise Refused("unknown", (
            "Unit ini belum diizinkan memulai proses tersebut. Administrator mengaturnya di Pengaturan, Unit."))
    own = definitions.calendar_of(db, unit)
    if own is None:
        raise Refused("wrong", "Kalender kerja unit ini belum ditetapkan. Beri tahu administrator.")
    calendars = {"": own}
    for lane in definitions.get(db, version.sha256).lanes:
        performer = organisation.unit_of_lane(db, key, lane.id, unit)
        calendars[lane.id] = (definitions.calendar_of(db, performer) if performer else None) or own
    return StartProcessInstance(key=key, definition=version.sha256, unit=unit, calendars=calendars, data=data,
                                attachments=attachments or {}, promises=promises,
                                unit_facts=definitions.unit_facts(version, unit, allowed[unit].facts))


def _not_in_force(db: Connection, key: str) -> None:
    """Raises Refused where an SOP is there and cannot be started on this day."""
    withdrawn, newest = definitions.withdrawn(db, key), definitions.newest(db, key)
    if withdrawn:
        day = dated(definitions.local_day(withdrawn.at))
        raise Refused("withdrawn", f"SOP ini dicabut pada {day}, jadi tidak dapat dimulai lagi. Berkas proses yang "
                                   "sedang berjalan diselesaikan seperti biasa.")
    if newest:
        raise Refused("wrong", f"SOP ini baru berlaku mulai {dated(newest.holds_from)}. Mulailah pada atau sesudah "
                               "tanggal itu.")


def append(db: Connection, key: bytes, instance: ProcessInstance, step: Step, prev: bytes | None) -> bytes:
    return journal.append(
        db, key, stream=instances.stream(instance.id), sequence=step.sequence, prev=prev, command_id=step.command.id,
        at=step.command.at, command=step.command, events=step.events, definition=instance.definition,
        calendars=instance.calendars, engine=ENGINE, marking_hash=step.marking.hash)


def moment(db: Connection, request: Request, instance: ProcessInstance) -> tuple[datetime, datetime | None]:
    """(`command.at`, what the clock said if it was raised): never earlier than the instance's newest Step."""
    read = (request.at or database.now(db)).astimezone(UTC)
    if instance.last_at is not None and read < instance.last_at:
        return instance.last_at, read
    return read, None


def fingerprint(key: bytes, act: Act) -> str:
    """HMAC of the act as it was asked: tells a repeat from another use of its id, and gives nothing away.

    Raises Refused for what no form sends and no journal takes: nested hundreds deep, or no text.
    """
    try:
        asked = orjson.dumps([type(act).__name__, act], option=orjson.OPT_SORT_KEYS)
    except (TypeError, ValueError) as error:
        raise Refused("wrong", "Isian memuat nilai yang tidak dapat dicatat: terlalu dalam bersarang, atau huruf yang "
                               "tidak sah. Ketik ulang bagian itu.") from error
    return hmac.digest(key, b"asked\x00" + asked, "sha256").hex()


def repeated(db: Connection, key: bytes, instance_id: str, sequence: int, request: Request) -> Step:
    step, _ = next(iter(instances.steps(db, instance_id, sequence - 1)))
    command = step.command
    if command.actor.person != request.person or not hmac.compare_digest(command.asked, fingerprint(key, request.act)):
        raise Refused("other", (
            "Formulir ini sudah pernah dikirim dengan isian lain. Isian Anda tidak hilang: muat ulang halaman, lalu "
            "periksa."))
    return step


# Who asks, as they are at this moment

def actor(db: Connection, rules: Rules, instance: ProcessInstance, request: Request, at: datetime) -> Actor:
    """The person with the lanes of this instance that they perform now, and the position in which they act."""
    if request.person == "timer":
        return process.actor_of_the_clock()
    on = local_date(rules, instance, at)
    rights = {right.lane: right for right in organisation.performs(db, request.person, instance.key, instance.unit, on)}
    appointed = {lane: role for lane, team in instance.team.items() for person, role in team
                 if person == request.person}
    # Where an instance has its own team, only that team performs the lane.
    lanes = sorted({lane for lane in rights if lane not in instance.team} | set(appointed))
    roles = [f"{lane}:{role}" for lane, role in sorted(appointed.items())]
    task = instance.user_tasks.get(getattr(request.act, "user_task", None) or 0)
    if isinstance(request.act, RecallUserTask):
        task = instance.recallable
    lane = next((one for one in ([task.lane] if task else []) + lanes if one in lanes), None)
    right = rights.get(lane) if lane else next(iter(rights.values()), None)
    administrator = isinstance(request.act, ADMINISTRATIVE) and organisation.is_administrator(db, request.person)
    owner = not administrator and isinstance(request.act, OWNED) and owns(db, request.person, instance.key,
                                                                          instance.unit)
    capacity = (OWNER if owner else "tim" if lane in appointed else right.capacity if right
                else "administrator" if administrator else None)
    return Actor(person=request.person, position=right.position if right else None, unit=right.unit if right else None,
                 capacity=capacity, basis=right.basis if right else None, on_behalf_of=request.on_behalf_of,
                 lanes=tuple(lanes + roles), signed_in_by=request.signed_in_by, administrator=administrator)


def owns(db: Connection, person: str, key: str, unit: str) -> bool:
    """Whether somebody is an owner of an SOP, and may bring what runs of it in a unit to another version."""
    home = definitions.home(db, key)
    return home is not None and all(organisation.has_power(db, person, OWNER, one) for one in (home, unit))


def local_date(rules: Rules, instance: ProcessInstance, at: datetime) -> date:
    return at.astimezone(ZoneInfo(rules.calendar(instance.calendars[""]).zone)).date()


def keep_draft(db: Connection, rules: Rules, before: ProcessInstance, request: Request, step: Step) -> None:
    """A draft is gone when its task is completed; what could not be taken, or was taken back, becomes the person's."""
    act = request.act
    if isinstance(act, CompleteUserTask):
        if any(isinstance(event, IncidentRaised) and event.kind != "alarm" for event in step.events):
            instances.save_draft(db, before.id, act.user_task, request.person, act.data, step.command.at)
        else:
            instances.forget_draft(db, before.id, act.user_task, request.person)
    for event in step.events:
        if isinstance(event, UserTaskRecalled) and isinstance(act, RecallUserTask) and event.user_task == act.user_task:
            form = rules.definition(before.definition).elements[event.element].form
            typed = {one.id: before.data[one.id] for one in form if one.id in before.data}
            instances.save_draft(db, before.id, event.user_task, request.person, typed, step.command.at)


def must_be_untouched(db: Connection, instance: ProcessInstance, request: Request) -> None:
    """Raises Refused where somebody else has typed into a user task that a recall would take from them: what they typed
    is no Step yet, but work."""
    before = instance.before_completion
    opened = [number for number in instance.user_tasks if before and number >= before.next]
    if who := instances.typed_by_others(db, instance.id, opened, request.person):
        raise Refused("taken", "Tugas ini tidak dapat ditarik kembali: langkah sesudahnya sudah mulai diisi orang "
                               "lain.", person=who)


def timer_command_id(instance_id: str, number: int, due_at: datetime) -> str:
    """The command id of a timer's firing: two workers that fire the same timer ask for the same command."""
    return str(uuid5(NAMESPACE, f"{instance_id}/{number}/{records.instant(due_at)}"))


def fire(db: Connection, rules: Rules, key: bytes, instance_id: str, number: int, due_at: datetime,
         at: datetime | None = None) -> Step:
    """Fire one due timer. Raises Refused where it is not due, or no longer running."""
    request = Request(id=timer_command_id(instance_id, number, due_at), act=FireTimer(timer=number), person="timer",
                      signed_in_by="worker", at=at)
    return handle(db, rules, key, instance_id, [request])[0]


def fire_again(db: Connection, rules: Rules, key: bytes, instance_id: str, number: int, due_at: datetime,
               at: datetime | None = None) -> Step:
    """The Step of one timer's firing, recorded once, whoever asks, and asked again where an incident was in its way.

    A firing that ended in an incident has used its command id; when somebody has acted on the instance since, it is
    asked again under the next one, which everybody finds in the same way.
    """
    id, act = timer_command_id(instance_id, number, due_at), FireTimer(timer=number)
    while True:
        request = Request(id=id, act=act, person="timer", signed_in_by="worker", at=at)
        (step,) = handle(db, rules, key, instance_id, [request])
        stopped = any(isinstance(event, IncidentRaised) for event in step.events)
        if not stopped or step.sequence == due.sequence_of(db, instance_id):
            return step
        id = str(uuid5(NAMESPACE, f"{id} after {step.sequence}"))


# Proving it again

def replayed(db: Connection, rules: Rules, instance_id: str) -> tuple[ProcessInstance, list[Step]]:
    """The instance from nothing, by running its recorded commands through `decide`, and the Steps.

    Raises process.ReplayDiverged or records.RecordError, with the place, at the first difference.
    """
    instance, told = ProcessInstance(id=instance_id), []
    recorded = ((step, entry.marking_hash if entry.engine == ENGINE else None)
                for step, entry in instances.steps(db, instance_id))
    for after, step in process.replay(rules, recorded, instance_id):
        instance = after
        told.append(step)
    return instance, told
