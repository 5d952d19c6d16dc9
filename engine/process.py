"""The heart: decide what a command does to a process instance, fold it, and prove it again.

`decide(rules, instance, command) -> Step`, `evolve(instance, step) -> ProcessInstance`, `replay(rules, steps)`. No
I/O, no clock, no randomness: `rules` gives immutable values by SHA-256 and everything else comes with the command.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from . import calendars, expressions, requirements, timers
from .calendars import Calendar
from .commands import (
    Act,
    Actor,
    AddComment,
    AskExtension,
    AttachDocument,
    Attachment,
    CancelProcessInstance,
    ChangeCalendar,
    ClaimUserTask,
    Command,
    CompleteUserTask,
    Correct,
    EraseValues,
    FireTimer,
    GrantExtension,
    MigrateProcessInstance,
    OweRequirement,
    RaiseIncident,
    ReassignUserTask,
    RecallUserTask,
    RecordValues,
    RefuseExtension,
    ReleaseUserTask,
    ResolveIncident,
    ResumeProcessInstance,
    SettleRequirement,
    StartProcessInstance,
    SuspendProcessInstance,
    UndoMigration,
    WaiveRequirement,
)
from .counterparts import Counterparts, same_time
from .definition import Element, Field, ProcessDefinition, SequenceFlow, Slot, Timer
from .events import (
    CalendarChanged,
    CommentAdded,
    ConditionEvaluated,
    DocumentAttached,
    DueDatesMoved,
    ElementEntered,
    ElementLeft,
    Event,
    ExtensionAsked,
    ExtensionGranted,
    ExtensionRefused,
    IncidentRaised,
    IncidentResolved,
    MigrationUndone,
    ProcessInstanceCancelled,
    ProcessInstanceCompleted,
    ProcessInstanceCorrected,
    ProcessInstanceMigrated,
    ProcessInstanceResumed,
    ProcessInstanceStarted,
    ProcessInstanceSuspended,
    RequirementOwed,
    RequirementSettled,
    RequirementWaived,
    TeamAppointed,
    TimerCancelled,
    TimerFired,
    TimerMoved,
    TimerStarted,
    TokenConsumed,
    UserTaskCancelled,
    UserTaskClaimed,
    UserTaskCompleted,
    UserTaskMoved,
    UserTaskOpened,
    UserTaskReassigned,
    UserTaskRecalled,
    UserTaskReleased,
    ValuesErased,
    ValuesRecorded,
)
from .execution import Happening, Stuck, Transition, Transitions
from .instance import (
    CANCELLED,
    COMPLETED,
    RUNNING,
    SUSPENDED,
    BeforeCompletion,
    BeforeMigration,
    Document,
    Extension,
    Incident,
    Owed,
    Passed,
    Problem,
    ProcessInstance,
    Refused,
    RunningTimer,
    Step,
    UserTask,
)
from .marking import ACTIVE, ARMED, ARRIVED, OPEN, WAITING, Marking, Token

# All bounds in one table: engine/limits.py.
MOST_DATA_BYTES = 200_000       # of one command's values together
MOST_INSTANCE_BYTES = 2_000_000     # of an instance's data document, after a command
MOST_DEPTH = 20                 # of lists and mappings in one another, in a value
FUEL_TOGETHER = 2_000_000       # of all expressions of one decision; each has its own (expressions.FUEL)
MOST_FILES = 50                 # of one attachment
LONGEST_EXTENSION = timedelta(days=366)


class Rules(Protocol):
    """Immutable values by SHA-256, and nothing else: no connection, no "current" row."""

    def definition(self, sha256: str) -> ProcessDefinition: ...
    def transitions(self, sha256: str) -> Transitions: ...
    def calendar(self, sha256: str) -> Calendar: ...


class PastLimit(Exception):
    """The instance would grow past what one instance may be. Becomes an incident; nothing of the act is kept."""


class ReplayDiverged(Exception):
    """Executing a recorded command again gave something else than what is recorded."""


Plan = Callable[[SequenceFlow], bool | None]
"""Says of a conditional flow whether it is taken; None: its condition says so."""


def decide(rules: Rules, instance: ProcessInstance, command: Command) -> Step:
    """The Step that `command` is. Raises Refused with a sentence for the person who asked; then nothing happened."""
    return Deciding(rules, instance, command).step()


def suppose(rules: Rules, instance: ProcessInstance, command: Command, plan: Plan) -> Step:
    """The Step that `command` would be, if all that forms and slots ask for were there and whoever asks might.

    What the forecast runs: nothing that it gives is ever recorded. Of acts it takes a start, a completion, a firing.
    plan  decides the conditional flows that forms would have decided.
    """
    assert isinstance(command.act, (StartProcessInstance, CompleteUserTask, FireTimer)), "only these can be supposed"
    return Deciding(rules, instance, command, plan).step()


class Deciding:
    """One command while it is judged: what it may use, and the events it has caused so far."""

    def __init__(self, rules: Rules, instance: ProcessInstance, command: Command, plan: Plan | None = None):
        starting = isinstance(command.act, StartProcessInstance)
        if starting != (instance.sequence == 0):
            raise Refused("unknown", "Berkas proses ini sudah dimulai." if starting else "Berkas proses ini tidak ada.")
        self.rules, self.instance, self.command, self.plan = rules, instance, command, plan
        self.act, self.actor, self.at = command.act, command.actor, command.at
        self.events: list[Event] = []
        self.marking = instance.marking
        started = self.act if isinstance(self.act, StartProcessInstance) else None
        self.calendars: Mapping[str, str] = started.calendars if started else instance.calendars
        self.definition = rules.definition(started.definition if started else instance.definition)
        self.local = self.at.astimezone(ZoneInfo(self.calendar("").zone))
        self.data: Mapping[str, Any] = instance.data
        self.rounds = dict(instance.rounds)

    def step(self) -> Step:
        self.must_run()
        acts: Mapping[type, Callable[[Any], Any]] = {
            StartProcessInstance: self.start, ClaimUserTask: self.claim, ReleaseUserTask: self.release,
            ReassignUserTask: self.reassign, RecordValues: self.record, CompleteUserTask: self.complete,
            RecallUserTask: self.recall,
            FireTimer: self.fire, AskExtension: self.ask_extension, GrantExtension: self.grant_extension,
            RefuseExtension: self.refuse_extension, AttachDocument: self.attach, OweRequirement: self.owe,
            SettleRequirement: self.settle, WaiveRequirement: self.waive, AddComment: self.comment,
            SuspendProcessInstance: self.suspend, ResumeProcessInstance: self.resume,
            ChangeCalendar: self.change_calendar, CancelProcessInstance: self.cancel,
            RaiseIncident: self.raise_incident, ResolveIncident: self.resolve_incident, Correct: self.correct,
            MigrateProcessInstance: self.migrate, UndoMigration: self.undo_migration, EraseValues: self.erase}
        command = self.command
        try:
            with expressions.together(FUEL_TOGETHER):
                clean = acts[type(self.act)](self.act)
            if clean is not None:               # the values as they were taken, not as they were typed
                command = replace(command, act=clean)
        except (expressions.ExpressionError, Stuck, PastLimit, timers.TimerError, calendars.CalendarError) as error:
            if isinstance(self.act, StartProcessInstance):
                message = f"Berkas proses tidak dapat dimulai: {error} Beri tahu administrator."
                raise Refused("wrong", message) from error
            if isinstance(self.act, MigrateProcessInstance):    # its own version is as good as it was
                raise Refused("wrong", f"Waktu dalam versi tujuan tidak dapat dihitung: {error}") from error
            # Nothing moved. What was typed is kept as that person's draft by the caller.
            self.marking = self.instance.marking
            self.events = [self.incident(error)]
            command = replace(command, act=blank(self.act))
        return Step(sequence=self.instance.sequence + 1, command=command, events=tuple(self.events),
                    marking=self.marking)

    # What the acts share

    def tell(self, event: Event) -> None:
        self.events.append(event)

    def calendar(self, lane: str) -> Calendar:
        return self.rules.calendar(self.calendars.get(lane) or self.calendars[""])

    def incident(self, error: Exception) -> IncidentRaised:
        """What stopped the act, at the user task or timer that it was about."""
        kind = ("limit" if isinstance(error, (PastLimit, expressions.OutOfFuelTogether))
                else "condition" if isinstance(error, expressions.ExpressionError)
                else "stuck" if isinstance(error, Stuck) else "timer")
        number = getattr(self.act, "user_task", None) or getattr(self.act, "timer", None)
        token = self.instance.marking.token(number) if number else None
        element = token.element if token else None
        return IncidentRaised(self.instance.incident_count + 1, kind, element, str(error)[:500])

    def must_run(self) -> None:
        status = self.instance.status
        if status == RUNNING or isinstance(self.act, (AddComment, ResolveIncident, EraseValues)):
            return
        if status == SUSPENDED:
            if isinstance(self.act, (ResumeProcessInstance, CancelProcessInstance, Correct, RaiseIncident,
                                     ChangeCalendar, MigrateProcessInstance, UndoMigration)):
                return
            raise Refused("not_running", (
                "Berkas proses ini sedang ditangguhkan. Lanjutkan dahulu, atau tunggu sampai dilanjutkan."))
        word = "selesai" if status == COMPLETED else "dibatalkan"
        raise Refused("not_running", (
            f"Berkas proses ini sudah {word}; tidak ada lagi yang dapat diubah, tetapi komentar masih dapat ditulis."))

    def open_user_task(self, number: int) -> UserTask:
        task = self.instance.user_tasks.get(number)
        if task is None:
            done = next((p for p in self.instance.passed.values() if p.user_task == number), None)
            raise Refused("not_open", (
                "Tugas ini sudah tidak terbuka: mungkin sudah diselesaikan orang lain, atau berkas proses sudah "
                "berlanjut."), person=done.person if done else None, at=done.at if done else None)
        return task

    def on_behalf(self, task: UserTask) -> bool:
        """Whether the actor records for an office that does not use the product."""
        lane = self.definition.lane(task.lane)
        return bool(self.actor.on_behalf_of and lane and lane.other_office
                    and set(lane.recorded_by) & set(self.actor.lanes))

    def must_perform(self, task: UserTask) -> None:
        if task.lane not in self.actor.lanes and not self.on_behalf(task):
            lane = self.definition.lane(task.lane)
            raise Refused("not_yours", (
                f"Tugas ini dikerjakan oleh {lane.name if lane else task.lane}. Jabatan Anda saat ini tidak termasuk "
                "di dalamnya."))
        if task.owner is not None and task.owner != self.actor.person:
            raise Refused("taken", "Tugas ini sedang dikerjakan orang lain.", person=task.owner, at=task.claimed_at)

    def must_be_administrator(self) -> None:
        if not self.actor.administrator:
            raise Refused("not_yours", "Tindakan ini hanya dapat dilakukan administrator.")

    def must_own(self) -> None:
        """An owner of the SOP in the unit of the instance, or an administrator."""
        if not self.actor.administrator and self.actor.capacity != "pemilik":
            raise Refused("not_yours", "Tindakan ini hanya dapat dilakukan pemilik SOP unit ini atau administrator.")

    def must_lead(self) -> None:
        """The first lane of the SOP (its head) or an administrator."""
        head = self.definition.lanes[0] if self.definition.lanes else None
        if not self.actor.administrator and not (head and head.id in self.actor.lanes):
            name = head.name if head else "pimpinan"
            raise Refused("not_yours", f"Tindakan ini hanya dapat dilakukan {name} atau administrator.")

    def choose(self, flow: SequenceFlow) -> bool:
        planned = self.plan(flow) if self.plan else None
        if planned is not None:
            return planned
        known = requirements.names(self.definition, self.instance, 0, 1, self.data)
        return expressions.condition(flow.condition or "", known, self.local)

    def evaluate(self, expression: str) -> Any:
        known = requirements.names(self.definition, self.instance, 0, 1, self.data)
        return expressions.evaluate(expression, known, self.local)

    def values(self, element: Element, number: int, round: int, data: Mapping[str, Any],
               only: frozenset[str] | None = None,
               attached: Mapping[str, int] | None = None) -> tuple[dict[str, Any], list[Problem]]:
        self.must_be_bounded(data)
        values, problems = requirements.accept(
            self.definition, self.instance, element, number, round, data, self.local, attached, only)
        return {k: v for k, v in values.items() if v is not None or k in self.instance.data}, list(problems)

    def must_be_bounded(self, data: Mapping[str, Any]) -> None:
        """What somebody typed is bounded before anything looks at it: theirs to mend, so no incident."""
        size, depth = weigh(data)
        if size > MOST_DATA_BYTES:
            raise Refused("wrong", "Isian terlalu besar. Pindahkan bagian yang panjang ke dalam berkas lampiran.")
        if depth > MOST_DEPTH:
            raise Refused("wrong", f"Isian bersarang terlalu dalam: paling banyak {MOST_DEPTH} tingkat.")

    def must_hold(self, data: Mapping[str, Any]) -> None:
        """The data document as it would be: what an instance may gather over all its steps."""
        size, _ = weigh(data)
        if size > MOST_INSTANCE_BYTES:
            raise PastLimit(f"The data of this instance would have {size} characters; at most {MOST_INSTANCE_BYTES} "
                            "are kept. Long texts belong into documents.")

    # What the engine did, as events

    def take(self, transition: Transition) -> None:
        self.marking = transition.marking
        for happening in transition.happenings:
            self.happened(happening)
        live = [t for t in self.marking.tokens if t.status != ARMED]
        if not live:
            self.disarm()
            self.tell(ProcessInstanceCompleted())
        elif all(t.status in (ARRIVED, ACTIVE) for t in live):
            self.tell(IncidentRaised(self.instance.incident_count + 1, "alarm", None, (
                "Berkas proses tidak menunggu apa pun dan belum selesai: penggabungan cabang tidak pernah lengkap.")))

    def happened(self, it: Happening) -> None:
        match it.kind:
            case "entered":
                self.tell(ElementEntered(it.number, it.element, it.flow))
            case "left":
                self.tell(ElementLeft(it.number, it.element, it.flow))
            case "decided":
                self.tell(ConditionEvaluated(it.number, it.element, it.flow, bool(it.result)))
            case "consumed":
                self.tell(TokenConsumed(it.number, it.element, it.flow))
            case "opened":
                self.opened(it.number, it.element)
            case "armed":
                self.armed(it.number, it.element, timers.cycles(self.timer(it.element)))
            case "fired":
                self.tell(TimerFired(it.number, it.element))
            case "cancelled" if self.definition.elements[it.element].kind == "userTask":
                self.tell(UserTaskCancelled(it.number, it.element))
            case "cancelled":
                self.tell(TimerCancelled(it.number, it.element))

    def timer(self, element: str) -> Timer:
        timer = self.definition.elements[element].timer
        assert timer is not None, "only timers are armed"
        return timer

    def opened(self, number: int, id: str) -> None:
        element = self.definition.elements[id]
        round = self.rounds[id] = self.rounds.get(id, 0) + 1
        norm = self.definition.norm(id)
        instants: tuple[datetime | None, datetime | None, datetime | None] = (None, None, None)
        if norm is not None and norm.timer is not None:
            instants = self.three_instants(norm.timer, self.at, element.lane or "")
        self.tell(UserTaskOpened(number, id, element.lane or "", round, *instants))

    def three_instants(self, norm: Timer, at: datetime, lane: str) -> tuple[datetime, datetime, datetime]:
        computed = norm.expression.startswith("=")
        duration = str(expressions.to_json(self.evaluate(norm.expression))) if computed else norm.expression
        return calendars.three_instants(duration, at, self.calendar(lane), norm.unit)

    def armed(self, number: int, id: str, left: int) -> None:
        element, timer = self.definition.elements[id], self.timer(id)
        host = self.definition.elements[element.attached_to] if element.attached_to else element
        lane = host.lane or ""
        due_at = timers.due(timer, self.at, self.calendar(lane), self.evaluate)
        token = self.marking.token(number)
        user_task = token.parent if token and token.parent and host.kind == "userTask" else None
        self.tell(TimerStarted(number, id, user_task, due_at, self.calendars.get(lane) or self.calendars[""], left))

    def arm_deadline(self) -> None:
        deadline = self.definition.deadline
        if deadline is None:
            return
        number = self.marking.next
        due_at = timers.due(deadline.timer, self.at, self.calendar(""), self.evaluate)
        self.marking = Marking((*self.marking.tokens, Token(number, deadline.id, 0, ARMED)), number + 1)
        self.tell(TimerStarted(number, deadline.id, None, due_at, self.calendars[""], 1))

    def disarm(self) -> None:
        for token in self.marking.tokens:
            if token.status == ARMED:
                self.tell(TimerCancelled(token.number, token.element))
        self.marking = Marking(tuple(t for t in self.marking.tokens if t.status != ARMED), self.marking.next)

    # The acts. Each gives the act as it was taken where that differs from what was asked, else None.

    def start(self, act: StartProcessInstance) -> StartProcessInstance:
        year = act.data.get("tahun_laporan")
        self.instance = replace(self.instance, calendars=act.calendars, year=year if isinstance(year, int) else None)
        values = act.data if self.plan else self.must_be_startable(act)
        self.data = {k: v for k, v in values.items() if v is not None}
        self.tell(ProcessInstanceStarted(self.instance.year))
        for type in sorted(act.attachments):    # the journal keeps no order of a mapping
            self.tell(DocumentAttached(type, 1, 0))
        for promise in act.promises:
            _, slot = self.slot(self.definition.start, promise.document)
            assert slot.owed_until is not None, "what may be owed says until when"
            self.tell(RequirementOwed(promise.document, slot.owed_until, promise.promised, None))
        self.take(self.rules.transitions(act.definition).start(self.choose))
        if self.marking.tokens:
            self.arm_deadline()
        return replace(act, data=self.data)

    def must_be_startable(self, act: StartProcessInstance) -> Mapping[str, Any]:
        """The values as they were taken. Raises Refused where the start lacks something, or is not for this person."""
        start = self.definition.start
        starters = set(self.definition.starters or ((start.lane,) if start.lane else ())) | {"pemulai"}
        if not starters & set(self.actor.lanes):
            raise Refused("not_yours", (
                "Anda tidak berwenang memulai berkas proses ini. Yang memulai: Sekretaris PD atau petugas penerima "
                "naskah."))
        attached = {type: max(1, len(one.files)) for type, one in act.attachments.items()}
        values, problems = self.values(start, 0, 1, act.data, attached=attached)
        for type, attachment in act.attachments.items():
            self.must_fit(*self.slot(start, type), attachment)
        promised = frozenset(p.document for p in act.promises)
        known = requirements.names(self.definition, self.instance, 0, 1, values, attached)
        for promise in act.promises:
            field, _ = self.slot(start, promise.document)
            self.must_be_owable(field, promise.promised, known)
        if not problems:
            problems += requirements.lacking(
                self.definition, self.instance, start, 0, 1, values, self.local, attached, promised)
        if problems:
            raise Refused("incomplete", "Berkas proses belum dapat dimulai.", tuple(problems))
        return values

    def claim(self, act: ClaimUserTask) -> None:
        task = self.open_user_task(act.user_task)
        self.must_perform(task)
        if task.owner is None:
            self.tell(UserTaskClaimed(task.number, self.actor.person))

    def release(self, act: ReleaseUserTask) -> None:
        task = self.open_user_task(act.user_task)
        if task.owner != self.actor.person and not self.actor.administrator:
            raise Refused("not_yours", "Hanya yang mengambil tugas ini yang dapat melepaskannya.")
        if task.owner is not None:
            self.tell(UserTaskReleased(task.number, task.owner))

    def reassign(self, act: ReassignUserTask) -> None:
        task = self.open_user_task(act.user_task)
        head = f"{task.lane}:ketua" in self.actor.lanes
        if not (self.actor.administrator or head or task.owner == self.actor.person):
            raise Refused("not_yours", (
                "Tugas ini hanya dapat dialihkan oleh ketua tim, oleh yang mengerjakannya, atau oleh administrator."))
        members = self.instance.team.get(task.lane)
        if act.person and members and act.person not in {person for person, _ in members}:
            raise Refused("wrong", "Yang ditunjuk bukan anggota Tim untuk berkas proses ini.")
        self.tell(UserTaskReassigned(task.number, act.person, task.owner))

    def record(self, act: RecordValues) -> RecordValues:
        task = self.open_user_task(act.user_task)
        self.must_perform(task)
        element = self.definition.elements[task.element]
        given = frozenset(k for k, v in act.data.items() if not requirements.empty(v) and element.field(k) is not None)
        values, problems = self.values(element, task.number, task.round, act.data, given)
        if problems:
            raise Refused("incomplete", "Isian belum dapat dicatat.", tuple(problems))
        values = {k: v for k, v in values.items() if v is not None}     # the hidden ones go when the task is completed
        self.must_hold({**self.instance.data, **values})
        if not values:
            raise Refused("wrong", "Tidak ada isian yang dicatat.")
        self.tell(ValuesRecorded(task.number, tuple(values)))
        return replace(act, data=values)

    def complete(self, act: CompleteUserTask) -> CompleteUserTask:
        task = self.open_user_task(act.user_task)
        element = self.definition.elements[task.element]
        judged = self.judged_at(act.done_at, task)
        values = act.data if self.plan else self.must_be_complete(act, task, element)
        self.data = {k: v for k, v in {**self.instance.data, **values}.items() if v is not None}
        self.must_hold(self.data)
        calendar = self.calendar(task.lane)
        claimed = task.claimed_at
        if task.owner is None:
            self.tell(UserTaskClaimed(task.number, self.actor.person))
        began = min(task.begins_at or task.opened_at, judged) if act.done_at else task.opened_at
        waiting = calendars.working_minutes(began, min(claimed or judged, judged), calendar)
        processing = calendars.working_minutes(claimed, max(claimed, judged), calendar) if claimed else None
        late = task.late_at is not None and judged > task.late_at
        self.tell(UserTaskCompleted(task.number, element.id, waiting, processing, late))
        for field in element.form:
            if field.appoints and values.get(field.id):
                self.tell(TeamAppointed(field.appoints, members(field, values[field.id]), task.number))
        known = requirements.names(self.definition, self.instance, task.number, task.round, values)
        for _, owed in sorted(self.instance.owed.items()):  # promised in this task, and then not asked for after all
            asked = element.field(owed.document)
            if owed.user_task == task.number and asked and not requirements.required(asked, known, self.local):
                self.tell(RequirementSettled(owed.document))
        transitions = self.rules.transitions(self.instance.definition)
        self.take(transitions.complete(self.instance.marking, task.number, self.choose))
        if self.definition.deadline and element.id == self.definition.deadline.satisfied_by:
            self.disarm()
        return replace(act, data=values)

    def must_be_complete(self, act: CompleteUserTask, task: UserTask, element: Element) -> Mapping[str, Any]:
        """The values as they were taken. Raises Refused where the task lacks something, or is not this person's."""
        self.must_perform(task)
        values, problems = self.values(element, task.number, task.round, act.data)
        problems += requirements.lacking(self.definition, self.instance, element, task.number, task.round, values,
                                         self.local, told=tuple(problems))
        for field in element.form:
            rows = values.get(field.id)
            if field.appoints and isinstance(rows, list) and not members(field, rows):
                problems.append(Problem(field.id, (
                    f"{field.label}: pilih paling sedikit satu pegawai yang mempunyai akun, agar ada yang mengerjakan "
                    "langkah Tim.")))
        if problems:
            raise Refused("incomplete", "Tugas belum dapat diselesaikan.", tuple(problems))
        return values

    def judged_at(self, done_at: datetime | None, task: UserTask) -> datetime:
        if done_at is None:
            return self.at
        if done_at > self.at:
            raise Refused("incomplete", "Waktu pengerjaan di luar aplikasi berada di masa depan.", (
                Problem("done_at", "Waktu pengerjaan di luar aplikasi: tidak boleh sesudah sekarang."),))
        # After an outage several steps are entered at once: each could begin when the one before it is said to be done.
        if done_at < (task.begins_at or task.opened_at):
            raise Refused("incomplete", "Waktu pengerjaan di luar aplikasi mendahului selesainya langkah sebelumnya.", (
                Problem("done_at", (
                    "Waktu pengerjaan di luar aplikasi: tidak boleh sebelum langkah ini dapat dimulai.")),))
        return done_at

    def recall(self, act: RecallUserTask) -> None:
        """It stands again where it stood before its completion, under its number; what that opened is gone. The engine,
        which would go on, is not asked. A timer that fired since has fired."""
        before, task = self.instance.before_completion, self.instance.recallable
        if before is None or task is None or task.number != act.user_task:
            raise Refused("not_open", (
                "Tugas ini tidak dapat ditarik kembali: langkah sesudahnya sudah dikerjakan orang lain, atau berkas "
                "proses sudah selesai. Minta pelaksana langkah berikutnya mengembalikannya, atau hubungi "
                "administrator."))
        if task.owner != self.actor.person:
            raise Refused("not_yours", "Tugas ini hanya dapat ditarik kembali oleh yang menyelesaikannya.",
                          person=task.owner)
        self.must_perform(task)
        for one in (task, *before.cancelled):
            self.tell(UserTaskRecalled(one.number, one.element, one.round))
        for token in self.marking.tokens:
            if token.number >= before.next and token.status in (OPEN, WAITING):
                cancelled = UserTaskCancelled if token.status == OPEN else TimerCancelled
                self.tell(cancelled(token.number, token.element))
        for timer in before.timers:
            self.tell(TimerStarted(timer.number, timer.element, timer.user_task, timer.due_at, timer.calendar,
                                   timer.left))
        # A number is never used again, so the next one stays where it is.
        self.marking = Marking(tuple(Token(*one) for one in before.tokens), self.marking.next)

    def fire(self, act: FireTimer) -> None:
        timer = self.instance.timers.get(act.timer)
        if timer is None:
            raise Refused("not_open", "Pengatur waktu ini sudah tidak berjalan.")
        if self.at < timer.due_at:
            raise Refused("not_due", "Pengatur waktu ini belum jatuh tempo.")
        if any(one.element == timer.element for one in self.instance.incidents.values()):
            raise Refused("parked", "Pengatur waktu ini menunggu insidennya ditangani administrator.")
        if self.definition.deadline and timer.element == self.definition.deadline.id:
            others = tuple(t for t in self.marking.tokens if t.number != timer.number)
            self.marking = Marking(others, self.marking.next)
            self.tell(TimerFired(timer.number, timer.element))
            return
        again = timer.left > 1
        transitions = self.rules.transitions(self.instance.definition)
        self.take(transitions.fire(self.instance.marking, timer.number, self.choose, again))
        if again:               # a cycle goes on where it is, one firing poorer; what was missed is caught up once
            self.events = [replace(e, left=timer.left - 1) if isinstance(e, TimerStarted) and e.element == timer.element
                           and e.user_task == timer.user_task else e for e in self.events]

    # More time

    def ask_extension(self, act: AskExtension) -> None:
        task = self.open_user_task(act.user_task)
        self.must_perform(task)
        norm = self.definition.norm(task.element)
        if norm is None or norm.timer is None or not norm.timer.extended_by:
            raise Refused("wrong", "Untuk langkah ini perpanjangan waktu tidak disediakan.")
        self.must_say_why(act.reason)
        self.tell(ExtensionAsked(task.number, self.extended_to(act.until, task)))

    def extended_to(self, until: str, task: UserTask) -> datetime:
        """The close of work on the day that is meant. Raises Refused where that is no more time, or too much."""
        if requirements.fault("date", until, ()):
            raise Refused("incomplete", "Tanggal perpanjangan belum benar.", (
                Problem("until", "Diperpanjang sampai: isi tanggal, misalnya 12 Februari 2027."),))
        day = date.fromisoformat(until)
        if abs(day - self.local.date()) > LONGEST_EXTENSION:
            raise Refused("incomplete", "Tanggal perpanjangan terlalu jauh.", (
                Problem("until", "Diperpanjang sampai: paling lama satu tahun dari hari ini."),))
        close = calendars.last_working_close(day, self.calendar(task.lane))
        if close <= self.at or (task.late_at is not None and close <= task.late_at):
            raise Refused("incomplete", "Tanggal perpanjangan tidak menambah waktu.", (
                Problem("until", "Diperpanjang sampai: harus sesudah batas waktu sekarang dan sesudah hari ini."),))
        return close

    def must_decide_on(self, number: int) -> tuple[UserTask, Extension]:
        """The open request for more time, where the actor may decide on it: a superior, never a performer himself."""
        task = self.open_user_task(number)
        if task.extension is None or task.extension.granted is not None:
            raise Refused("not_open", "Tidak ada permintaan perpanjangan waktu yang menunggu keputusan.")
        norm = self.definition.norm(task.element)
        named = norm.timer.extended_by if norm and norm.timer else ()
        if not set(named) & set(self.actor.lanes):
            names = [lane.name for id in named if (lane := self.definition.lane(id))]
            raise Refused("not_yours", (
                f"Permintaan perpanjangan waktu diputuskan oleh {' atau '.join(names) or 'atasan'}."))
        if task.lane in self.actor.lanes or task.extension.person == self.actor.person:
            raise Refused("not_yours", (
                "Permintaan perpanjangan waktu tidak dapat diputuskan oleh pelaksana langkah itu sendiri."))
        return task, task.extension

    def grant_extension(self, act: GrantExtension) -> None:
        task, asked = self.must_decide_on(act.user_task)
        until = self.extended_to(act.until, task) if act.until else asked.until
        norm = self.definition.norm(task.element)
        assert norm is not None and norm.timer is not None and task.late_at is not None, "only a norm is extended"
        if until <= self.at or until <= task.late_at:   # time has passed since, or another calendar moved the limit
            raise Refused("incomplete", "Hari yang diminta sudah lewat, atau tidak lagi menambah waktu.", (
                Problem("until", "Diperpanjang sampai: pilih hari sesudah hari ini dan sesudah batas waktu."),))
        escalate_at, _, _ = self.three_instants(norm.timer, until, task.lane)
        self.tell(ExtensionGranted(task.number, task.late_at, until, escalate_at))
        for token in self.marking.tokens:
            timer = self.instance.timers.get(token.number)
            if timer and timer.user_task == task.number and timer.element == norm.id and timer.due_at != until:
                self.tell(TimerMoved(timer.number, timer.element, timer.due_at, until, timer.calendar))

    def refuse_extension(self, act: RefuseExtension) -> None:
        task, _ = self.must_decide_on(act.user_task)
        self.must_say_why(act.reason)
        self.tell(ExtensionRefused(task.number))

    # Another calendar

    def change_calendar(self, act: ChangeCalendar) -> None:
        """Due dates that are still open move, in the order of their tokens. What is over stays as it was computed, and
        nothing is made due before the change itself."""
        if self.actor.capacity != "sistem":
            self.must_be_administrator()
        self.must_say_why(act.reason)
        lanes = {"", *(lane.id for lane in self.definition.lanes)}
        if unknown := sorted(act.calendars.keys() - lanes):
            raise Refused("wrong", f"Lane yang tidak ada dalam proses ini: {', '.join(unknown)}.")
        before = self.calendars
        after = {**before, **act.calendars}
        changes = tuple((lane, before.get(lane, before[""]), after[lane]) for lane in sorted(act.calendars)
                        if before.get(lane, before[""]) != after[lane])
        if not changes:
            raise Refused("wrong", "Berkas proses ini sudah menghitung dengan kalender tersebut.")
        for _, _, sha256 in changes:
            try:
                self.rules.calendar(sha256)
            except LookupError as error:
                raise Refused("wrong", f"Kalender {sha256[:12]} tidak ada.") from error
        self.calendars = after
        self.tell(CalendarChanged(changes))
        for token in self.marking.tokens:
            task, timer = self.instance.user_tasks.get(token.number), self.instance.timers.get(token.number)
            if task and before.get(task.lane, before[""]) != after.get(task.lane, after[""]):
                self.move_due_dates(task)
            elif timer:
                self.move_timer(timer)

    def later(self, before: datetime, now: datetime) -> datetime:
        return before if before <= self.at else max(now, self.at)

    def move_due_dates(self, task: UserTask) -> None:
        norm = self.definition.norm(task.element)
        if norm is None or norm.timer is None or not (task.norm_at and task.late_at and task.escalate_at):
            return
        before = (task.norm_at, task.late_at, task.escalate_at)
        now = self.three_instants(norm.timer, task.opened_at, task.lane)
        if task.extended:       # what was granted is granted; only what follows from it is counted anew
            now = (now[0], task.late_at, self.three_instants(norm.timer, task.late_at, task.lane)[0])
        moved = tuple(self.later(one, other) for one, other in zip(before, now, strict=True))
        if moved != before:
            self.tell(DueDatesMoved(task.number, *before, *moved))

    def move_timer(self, timer: RunningTimer) -> None:
        deadline = self.definition.deadline
        is_deadline = deadline is not None and deadline.id == timer.element
        element = None if is_deadline else self.definition.elements[timer.element]
        host = self.definition.elements[element.attached_to] if element and element.attached_to else element
        lane = (host.lane or "") if host else ""
        calendar = self.calendars.get(lane) or self.calendars[""]
        task = self.instance.user_tasks.get(timer.user_task or 0)
        since = timer.started_at or (task.opened_at if task else self.instance.started_at)
        if calendar == timer.calendar or since is None:
            return
        due_at = timer.due_at
        if not (task and task.extended and element and self.definition.norm(task.element) == element):
            drawn = deadline.timer if deadline and is_deadline else self.timer(timer.element)
            due_at = self.later(timer.due_at, timers.due(drawn, since, self.calendar(lane), self.evaluate))
        if due_at != timer.due_at:
            self.tell(TimerMoved(timer.number, timer.element, timer.due_at, due_at, calendar))

    # Documents

    def slot(self, element: Element, type: str) -> tuple[Field, Slot]:
        field = element.field(type)
        if field is None or field.slot is None:
            raise Refused("wrong", f"Langkah ini tidak meminta berkas {type!r}.")
        return field, field.slot

    def must_fit(self, field: Field, slot: Slot, attachment: Attachment) -> None:
        if attachment.form not in slot.forms:
            raise Refused("wrong", (
                f"{field.label} tidak dapat diserahkan dalam bentuk {attachment.form}; yang dapat: "
                f"{', '.join(slot.forms)}."))
        if attachment.form == "berkas" and not attachment.files:
            raise Refused("wrong", f"{field.label}: tidak ada berkas yang dipilih.")
        if attachment.form != "berkas" and requirements.empty(attachment.place):
            raise Refused("wrong", f"{field.label}: tuliskan tempat atau tautannya.")
        if len(attachment.files) > (MOST_FILES if slot.many else 1):
            raise Refused("wrong", f"{field.label}: paling banyak {MOST_FILES if slot.many else 1} berkas.")

    def attach(self, act: AttachDocument) -> None:
        if act.user_task is None:
            self.settle(SettleRequirement(document=act.document, attachment=act.attachment))
            return
        task = self.open_user_task(act.user_task)
        field, slot = self.slot(self.definition.elements[task.element], act.document)
        attacher = set(slot.attachers) & set(self.actor.lanes)
        if task.lane not in self.actor.lanes and not self.on_behalf(task) and not attacher:
            raise Refused("not_yours", f"Anda tidak dapat melampirkan {field.label} pada langkah ini.")
        if slot.role == "bacaan":
            raise Refused("wrong", f"{field.label} hanya untuk dibaca pada langkah ini.")
        self.must_fit(field, slot, act.attachment)
        self.attached(act.document, slot.many, task.number)

    def attached(self, type: str, many: bool, user_task: int | None) -> None:
        before = self.instance.documents.get(type)
        version = before.version if before else 0
        if not (many and before and before.user_task == user_task and len(before.attachment.files) < MOST_FILES):
            version += 1
        self.tell(DocumentAttached(type, version, user_task))
        if type in self.instance.owed:
            self.tell(RequirementSettled(type))

    def settle(self, act: SettleRequirement) -> None:
        owed = self.instance.owed.get(act.document)
        if owed is None:
            raise Refused("not_open", "Berkas ini tidak sedang menyusul.")
        field = self.definition.fields[act.document]
        slot = field.slot
        assert slot is not None, "only documents are owed"
        owes = not owed.lane or owed.lane in self.actor.lanes
        attacher = set(slot.attachers) & set(self.actor.lanes)
        if not self.actor.lanes or not (owes or attacher or self.performs_open_task()):
            raise Refused("not_yours", f"Anda tidak dapat melampirkan {field.label}.")
        self.must_fit(field, slot, act.attachment)
        self.attached(act.document, slot.many, None)

    def performs_open_task(self) -> bool:
        return any(t.lane in self.actor.lanes for t in self.instance.user_tasks.values())

    def must_be_owable(self, field: Field, promised: str, known: Mapping[str, Any]) -> None:
        if not requirements.owable(field, known, self.local):
            raise Refused("wrong", f"{field.label} tidak dapat dinyatakan menyusul pada langkah ini.")
        self.must_be_ahead(field, promised)

    def must_be_ahead(self, field: Field, promised: str) -> None:
        if requirements.fault("date", promised, ()) or promised < self.local.date().isoformat():
            raise Refused("wrong", f"{field.label}: tanggal yang dijanjikan harus hari ini atau sesudahnya.")

    def owe(self, act: OweRequirement) -> None:
        task = self.open_user_task(act.user_task)
        self.must_perform(task)
        field, slot = self.slot(self.definition.elements[task.element], act.promise.document)
        # A condition on what is typed but not completed cannot be asked yet; completing asks it (requirements.lacking).
        if slot.owed_until is None:
            raise Refused("wrong", f"{field.label} tidak dapat dinyatakan menyusul pada langkah ini.")
        if requirements.empty(act.promise.reason):
            raise Refused("wrong", f"{field.label}: tuliskan alasan mengapa menyusul.")
        self.must_be_ahead(field, act.promise.promised)
        self.tell(RequirementOwed(field.id, slot.owed_until, act.promise.promised, task.number))

    def waive(self, act: WaiveRequirement) -> None:
        task = self.open_user_task(act.user_task)
        field, slot = self.slot(self.definition.elements[task.element], act.document)
        head = self.definition.lanes[0] if self.definition.lanes else None
        if head is None or head.id not in self.actor.lanes:
            raise Refused("not_yours", f"Dispensasi hanya dapat diberikan oleh {head.name if head else 'pimpinan'}.")
        if task.lane in self.actor.lanes:
            raise Refused("not_yours", "Dispensasi tidak dapat diberikan oleh pelaksana langkah itu sendiri.")
        if not slot.waivable:
            raise Refused("wrong", f"{field.label} tidak dapat didispensasi.")
        if requirements.empty(act.reason):
            raise Refused("wrong", "Tuliskan alasan dispensasi.")
        self.tell(RequirementWaived(act.document, task.number))

    # The instance as a whole

    def comment(self, act: AddComment) -> None:
        if not self.actor.lanes and not self.actor.administrator:
            raise Refused("not_yours", "Anda tidak dapat menulis komentar pada berkas proses ini.")
        if requirements.empty(act.text) or (isinstance(act.text, str) and len(act.text) > requirements.LONGEST_TEXT):
            raise Refused("wrong", f"Komentar harus berisi 1 sampai {requirements.LONGEST_TEXT} karakter.")
        self.tell(CommentAdded(self.instance.comments + 1))

    def suspend(self, act: SuspendProcessInstance) -> None:
        self.must_lead()
        self.must_say_why(act.reason)
        self.tell(ProcessInstanceSuspended())

    def resume(self, act: ResumeProcessInstance) -> None:
        self.must_lead()
        if self.instance.status != SUSPENDED:
            raise Refused("wrong", "Berkas proses ini tidak sedang ditangguhkan.")
        self.tell(ProcessInstanceResumed())

    def cancel(self, act: CancelProcessInstance) -> None:
        self.must_lead()
        self.must_say_why(act.reason)
        for token in self.marking.tokens:       # in their order: a mapping that was stored has none
            if token.status == OPEN:
                self.tell(UserTaskCancelled(token.number, token.element))
        for token in self.marking.tokens:
            if token.status in (WAITING, ARMED):
                self.tell(TimerCancelled(token.number, token.element))
        self.marking = Marking((), self.marking.next)
        self.tell(ProcessInstanceCancelled())

    def must_say_why(self, reason: Any) -> None:
        if requirements.empty(reason):
            raise Refused("incomplete", "Tuliskan alasannya.", (Problem("reason", "Alasan: belum diisi."),))

    def raise_incident(self, act: RaiseIncident) -> None:
        if self.actor.capacity != "sistem":
            self.must_be_administrator()
        self.tell(IncidentRaised(self.instance.incident_count + 1, act.kind, None, ""))

    def resolve_incident(self, act: ResolveIncident) -> None:
        self.must_be_administrator()
        self.must_say_why(act.reason)
        if act.incident not in self.instance.incidents:
            raise Refused("not_open", "Insiden ini sudah ditangani.")
        self.tell(IncidentResolved(act.incident))

    def correct(self, act: Correct) -> None:
        """An administrator's repair: the marking is rewritten, the engine does not run."""
        self.must_be_administrator()
        self.must_say_why(act.reason)
        elements = self.definition.elements
        live = {t.number for t in self.marking.tokens if t.status in (OPEN, WAITING)}
        unknown = [id for id in act.data if id not in self.definition.fields]
        wrong = [id for id in act.open if id not in elements or elements[id].kind != "userTask"]
        gone = [n for n in act.close if n not in live]
        if unknown or wrong or gone:
            named = ", ".join(map(str, [*unknown, *wrong, *gone]))
            raise Refused("wrong", f"Koreksi menyebut yang tidak ada: {named}.")
        self.must_be_bounded(act.data)
        self.data = {**self.instance.data, **act.data}
        self.must_hold(self.data)
        self.tell(ProcessInstanceCorrected(tuple(sorted(act.data)), act.close, act.open))
        closed = set(act.close) | {t.number for t in self.marking.tokens if t.parent in act.close}
        for token in self.marking.tokens:
            if token.number in closed:
                cancelled = UserTaskCancelled if token.status == OPEN else TimerCancelled
                self.tell(cancelled(token.number, token.element))
        self.marking = Marking(tuple(t for t in self.marking.tokens if t.number not in closed), self.marking.next)
        for id in act.open:
            for around in reversed(self.definition.around(id)):
                if not any(t.status == ACTIVE and t.element == around for t in self.marking.tokens):
                    self.tell(ElementEntered(self.marking.next, around, ""))
                    self.put(around, ACTIVE)
            self.opened(self.marking.next, id)
            self.put(id, OPEN)
        self.leave_what_is_empty()
        if not any(t.status in (OPEN, WAITING) for t in self.marking.tokens):    # tokens before joins move nobody
            raise Refused("wrong", (
                "Koreksi ini tidak menyisakan langkah yang terbuka. Buka langkah lain, atau batalkan berkas proses."))

    def put(self, id: str, status: str) -> None:
        """A token on an activity, and one on each timer at its edge."""
        host = self.marking.next
        self.marking = Marking((*self.marking.tokens, Token(host, id, 0, status)), host + 1)
        for event in self.definition.boundary_events[id]:
            number = self.marking.next
            self.marking = Marking((*self.marking.tokens, Token(number, event.id, host, WAITING)), number + 1)
            self.armed(number, event.id, timers.cycles(self.timer(event.id)))

    def leave_what_is_empty(self) -> None:
        """A correction that leaves nothing in a subprocess takes it away too: the engine, which would go on, is not
        asked."""
        def at(token: Token) -> str:
            return self.definition.flows[token.element].target if token.status == ARRIVED else token.element

        active = [t for t in self.marking.tokens if t.status == ACTIVE]
        for token in sorted(active, key=lambda t: len(self.definition.around(t.element)), reverse=True):
            others = [t for t in self.marking.tokens if t.status != ARMED and t != token]
            if not any(token.element in self.definition.around(at(t)) for t in others):
                for timer in others:
                    if timer.parent == token.number:
                        self.tell(TimerCancelled(timer.number, timer.element))
                self.tell(ElementLeft(token.number, token.element, ""))
                self.marking = Marking(tuple(t for t in self.marking.tokens
                                             if token.number not in (t.number, t.parent)), self.marking.next)

    def erase(self, act: EraseValues) -> None:
        """Only what two people decided in the stream `retention` comes here, with that capacity (engine/retention.py).
        Nothing moves: the values themselves stand beside the journal, and are erased there."""
        if self.actor.capacity != "penyetuju":
            raise Refused("not_yours", "Penghapusan hanya dilakukan lewat permintaan yang disetujui orang kedua.")
        if not (act.request and act.number and act.basis) or not (act.values or act.files):
            raise Refused("wrong", "Penghapusan menyebut nomor dan dasarnya, dan paling sedikit satu isian atau "
                                   "berkas.")
        self.tell(ValuesErased(len(act.values), act.files, act.disposal))

    # Another version of the diagram

    def migrate(self, act: MigrateProcessInstance) -> MigrateProcessInstance:
        """Every token goes on in its counterpart, under its number. Timers that are new count from when their user task
        was opened; what is over stays, and nothing is made due before the migration itself."""
        self.must_own()
        self.must_say_why(act.reason)
        if act.to == self.instance.definition:
            raise Refused("wrong", "Berkas proses ini sudah memakai versi tersebut.")
        try:
            new = self.rules.definition(act.to)
        except LookupError as error:
            raise Refused("wrong", f"Versi {act.to[:12]} tidak ada.") from error
        old, known = self.definition, Counterparts(self.definition, new, act.mapping)
        known.must_take(self.instance)
        before, self.definition, self.calendars = self.calendars, new, self.calendars_of(new, known, act.calendars)
        there = {t.number: self.counterpart(known, t) for t in self.marking.tokens}
        tokens = [replace(t, element=id) for t in self.marking.tokens if (id := there[t.number])]
        mapped = tuple((t.number, t.element, id) for t in self.marking.tokens
                       if (id := there[t.number]) and id != t.element)
        self.tell(ProcessInstanceMigrated(old.sha256, new.sha256, mapped, known.renamed()))
        next = self.marking.next
        for token in self.marking.tokens:
            task, timer, id = (self.instance.user_tasks.get(token.number), self.instance.timers.get(token.number),
                               there[token.number])
            if task and id:
                task = self.moved_task(known, task, id)
                fresh = set(known.timers.values())
                for event in new.boundary_events[id]:
                    if event.id not in fresh or known.joined(token.element):
                        tokens.append(Token(next, event.id, task.number, WAITING))
                        self.start_late(next, event.id, task, cycles=timers.cycles(self.timer(event.id)))
                        next += 1
            elif token.status == ACTIVE and id:
                fresh = set(known.timers.values())
                for event in new.boundary_events[id]:
                    if event.id not in fresh:
                        tokens.append(Token(next, event.id, token.number, WAITING))
                        self.marking = Marking(tuple(tokens), next + 1)
                        self.armed(next, event.id, timers.cycles(self.timer(event.id)))
                        next += 1
            elif timer and id is None:
                self.tell(TimerCancelled(timer.number, timer.element))
            elif timer and id:
                next = self.migrate_timer(old, before, timer, id, tokens, next)
        if new.deadline and not old.deadline and new.deadline.satisfied_by not in self.kept_passes(known):
            self.start_late(next, new.deadline.id, None, cycles=1)
            tokens.append(Token(next, new.deadline.id, 0, ARMED))
            next += 1
        self.marking = Marking(tuple(tokens), next)
        return replace(act, calendars=self.calendars)

    def calendars_of(self, new: ProcessDefinition, known: Counterparts, given: Mapping[str, str]) -> dict[str, str]:
        """What each lane of the new version counts in: as until now, a new one as it was given or as the unit does."""
        had = {known.lane(lane): sha256 for lane, sha256 in self.calendars.items() if lane}
        found = {"": self.calendars[""]}
        for lane in new.lanes:
            sha256 = had.get(lane.id) or given.get(lane.id)
            if sha256:
                try:
                    self.rules.calendar(sha256)
                except LookupError as error:
                    raise Refused("wrong", f"Kalender {sha256[:12]} tidak ada.") from error
                found[lane.id] = sha256
        return found

    def counterpart(self, known: Counterparts, token: Token) -> str | None:
        """Where a token goes on; None: nowhere, its timer is cancelled."""
        if token.status == ARMED:
            deadline = self.definition.deadline
            met = deadline is not None and deadline.satisfied_by in self.kept_passes(known)
            return deadline.id if deadline and not met and known.deadline(token.element) else None
        if token.status == WAITING and token.parent:
            host = self.marking.token(token.parent)
            return None if host is None or known.joined(host.element) else known.timers.get(token.element)
        return known.id(token.element)

    def kept_passes(self, known: Counterparts) -> set[str]:
        renamed = dict(known.renamed())
        return {renamed.get(id, id) for id in self.instance.passed}

    def moved_task(self, known: Counterparts, task: UserTask, id: str) -> UserTask:
        """The user task as it goes on; its round is the next one where the element was gone through before."""
        lane, round = self.definition.elements[id].lane or "", task.round
        if known.joined(task.element):
            round = self.rounds.get(known.heirs[id], 0) + 1
        if (id, lane, round) != (task.element, task.lane, task.round):
            self.tell(UserTaskMoved(task.number, task.element, id, task.lane, lane, round))
        before = (task.norm_at, task.late_at, task.escalate_at)
        now = self.instants_there(known, task, id, lane)
        moved = tuple(self.not_before(one, other) for one, other in zip(before, now, strict=True))
        if moved != before:
            self.tell(DueDatesMoved(task.number, *before, *moved))
        return replace(task, element=id, lane=lane, round=round, norm_at=moved[0], late_at=moved[1],
                       escalate_at=moved[2])

    def instants_there(self, known: Counterparts, task: UserTask, id: str,
                       lane: str) -> tuple[datetime | None, datetime | None, datetime | None]:
        """The three instants by the new norm; as they are where it counts the same, in the same calendar."""
        was, norm = known.old.norm(task.element), self.definition.norm(id)
        had, has = (was.timer if was else None), (norm.timer if norm else None)
        counted = self.instance.calendars.get(task.lane) or self.instance.calendars[""]
        if same_time(had, has) and (has is None or counted == (self.calendars.get(lane) or self.calendars[""])):
            return task.norm_at, task.late_at, task.escalate_at
        if has is None:         # what was granted is granted
            return (None, task.late_at, task.escalate_at) if task.extended else (None, None, None)
        if task.extended and task.late_at:
            return (self.three_instants(has, task.opened_at, lane)[0], task.late_at,
                    self.three_instants(has, task.late_at, lane)[0])
        return self.three_instants(has, task.opened_at, lane)

    def not_before(self, before: datetime | None, now: datetime | None) -> datetime | None:
        """The instant that a limit moves to: what is over stays, and nothing is made due before this command."""
        if before is not None and before <= self.at:
            return before
        return max(now, self.at) if now else None

    def start_late(self, number: int, id: str, task: UserTask | None, cycles: int) -> None:
        """A timer that the version until now did not have, counted from when its user task was opened."""
        deadline = self.definition.deadline
        is_deadline = deadline is not None and deadline.id == id
        drawn = deadline.timer if deadline and is_deadline else self.timer(id)
        lane = task.lane if task else ""
        since = task.opened_at if task else self.instance.started_at or self.at
        due_at = timers.due(drawn, since, self.calendar(lane), self.evaluate)
        norm = self.definition.norm(task.element) if task else None
        if task and task.extended and task.late_at and norm and norm.id == id:
            due_at = task.late_at
        self.tell(TimerStarted(number, id, task.number if task else None, max(due_at, self.at),
                               self.calendars.get(lane) or self.calendars[""], cycles))

    def migrate_timer(self, old: ProcessDefinition, before: Mapping[str, str], timer: RunningTimer, id: str,
                      tokens: list[Token], next: int) -> int:
        """A running timer in its counterpart: the same, or moved; one that fires another number of times goes on with
        what is left of them, under a new number. The number of the next token."""
        deadline = self.definition.deadline
        armed = deadline is not None and deadline.id == id
        drawn = deadline.timer if deadline and armed else self.timer(id)
        was = old.deadline.timer if armed and old.deadline else old.elements[timer.element].timer
        assert was is not None, "only timers run"
        host = self.definition.elements[id].attached_to or id if not armed else ""
        lane = (self.definition.elements[host].lane or "") if host else ""
        calendar = self.calendars.get(lane) or self.calendars[""]
        fired = timers.cycles(was) - timer.left
        task = self.instance.user_tasks.get(timer.user_task or 0)
        since = timer.started_at or (task.opened_at if task else self.instance.started_at) or self.at
        if timers.cycles(drawn) != timers.cycles(was):
            self.tell(TimerCancelled(timer.number, timer.element))
            (gone,) = [token for token in tokens if token.number == timer.number]
            tokens.remove(gone)
            if fired >= timers.cycles(drawn):
                return next
            due_at = max(timers.due(drawn, since, self.calendar(lane), self.evaluate), self.at)
            tokens.append(replace(gone, number=next))
            self.tell(TimerStarted(next, id, task.number if task else None, due_at, calendar,
                                   timers.cycles(drawn) - fired))
            return next + 1
        if same_time(was, drawn) and calendar == timer.calendar:
            return next
        norm = self.definition.norm(host) if task else None
        if task and task.extended and norm and norm.id == id:
            return next
        due_at = self.later(timer.due_at, timers.due(drawn, since, self.calendar(lane), self.evaluate))
        if due_at != timer.due_at:
            self.tell(TimerMoved(timer.number, id, timer.due_at, due_at, calendar))
        return next

    def undo_migration(self, act: UndoMigration) -> None:
        """Everything stands again as it did right before the migration; a timer that fired since has fired."""
        self.must_own()
        self.must_say_why(act.reason)
        before, instance = self.instance.before_migration, self.instance
        stood = tuple(Token(*one) for one in before.tokens) if before else ()
        if before is None:
            raise Refused("not_open", (
                "Tidak ada pemindahan versi yang dapat dibatalkan: berkas proses ini tidak dipindahkan, atau sudah ada "
                "yang dikerjakan sesudahnya. Pindahkan kembali ke versi lama dengan pemetaan bila perlu."))
        tasks, running = {t.number: t for t in before.user_tasks}, {t.number: t for t in before.timers}
        moved_on = any(t.number >= before.next for t in self.marking.tokens)
        if moved_on or tasks.keys() != instance.user_tasks.keys():
            raise Refused("not_open", (
                "Pemindahan versi tidak dapat dibatalkan: sebuah pengatur waktu sudah berbunyi sesudahnya dan berkas "
                "sudah berlanjut."))
        here = {t.number: t for t in self.marking.tokens}
        self.tell(MigrationUndone(instance.definition, before.definition, tuple(
            (t.number, here[t.number].element, t.element) for t in stood
            if t.number in here and here[t.number].element != t.element)))
        for number, now in sorted(instance.user_tasks.items()):
            task = tasks[number]
            if (task.element, task.lane, task.round) != (now.element, now.lane, now.round):
                self.tell(UserTaskMoved(number, now.element, task.element, now.lane, task.lane, task.round))
            was, due = (now.norm_at, now.late_at, now.escalate_at), (task.norm_at, task.late_at, task.escalate_at)
            if due != was:
                self.tell(DueDatesMoved(number, *was, *due))
        for token in self.marking.tokens:
            if token.number in instance.timers and token.number not in running:
                self.tell(TimerCancelled(token.number, token.element))
        for token in stood:
            timer, other = running.get(token.number), instance.timers.get(token.number)
            if timer and other is None:
                self.tell(TimerStarted(timer.number, timer.element, timer.user_task, timer.due_at, timer.calendar,
                                       timer.left))
            elif timer and other and timer.due_at != other.due_at:
                self.tell(TimerMoved(timer.number, timer.element, other.due_at, timer.due_at, timer.calendar))
        # A number is never used again, so the next one stays where it is.
        self.marking = Marking(stood, self.marking.next)


def members(field: Field, rows: Any) -> tuple[tuple[str, str], ...]:
    """(person id, role) of the rows that name someone who has an account; the first enum column is the role."""
    if not isinstance(rows, list):
        return ()
    who = next((c.id for c in field.columns if c.type == "person"), None)
    role = next((c.id for c in field.columns if c.type == "enum"), None)
    return tuple((row[who]["id"], row.get(role) or "anggota") for row in rows
                 if who and isinstance(row.get(who), dict) and "id" in row[who])


def weigh(data: Any) -> tuple[int, int]:
    """(characters of all texts, numbers and names in it, how deep it nests); in bounded memory, however it nests."""
    size = deepest = 0
    waiting = [(data, 0)]
    while waiting:
        value, depth = waiting.pop()
        deepest = max(deepest, depth)
        if isinstance(value, Mapping):
            size += sum(len(str(name)) for name in value) if depth else 0
            waiting += [(one, depth + 1) for one in value.values()]
        elif isinstance(value, (list, tuple)):
            waiting += [(one, depth + 1) for one in value]
        else:
            size += len(value) if isinstance(value, str) else value.bit_length() // 3 if isinstance(value, int) else 4
        if size > 10 * MOST_INSTANCE_BYTES or depth > 10 * MOST_DEPTH:
            break                       # far past every bound: how far does not matter
    return size, deepest


def blank(act: Act) -> Act:
    """The act without the values that were not taken: a draft is no fact."""
    return replace(act, data={}) if isinstance(act, (CompleteUserTask, RecordValues)) else act


# Folding

def evolve(instance: ProcessInstance, step: Step) -> ProcessInstance:
    """The instance after a Step. Total: whatever `decide` gives, this takes."""
    assert step.sequence == instance.sequence + 1, "Steps are folded in order"
    # The values stand in the act; which acts cause an event is said where one is needed.
    act, actor, at = step.command.act, step.command.actor, step.command.at
    changes: dict[str, Any] = {"sequence": step.sequence, "marking": step.marking, "last_at": at}
    tasks, running = dict(instance.user_tasks), dict(instance.timers)
    documents, owed, incidents = dict(instance.documents), dict(instance.owed), dict(instance.incidents)
    for event in step.events:
        match event:
            case ProcessInstanceStarted(year):
                assert isinstance(act, StartProcessInstance)
                changes |= {"definition": act.definition, "key": act.key, "unit": act.unit, "calendars": act.calendars,
                            "unit_facts": act.unit_facts, "year": year, "started_at": at, "data": dict(act.data)}
            case UserTaskOpened(number, element, lane, round, norm_at, late_at, escalate_at):
                tasks[number] = UserTask(number=number, element=element, lane=lane, round=round, opened_at=at,
                                         begins_at=act.done_at if isinstance(act, CompleteUserTask) else None,
                                         norm_at=norm_at, late_at=late_at, escalate_at=escalate_at)
                changes["rounds"] = {**changes.get("rounds", instance.rounds), element: round}
            case UserTaskClaimed(number, person):
                tasks[number] = replace(tasks[number], owner=person, claimed_at=at)
            case UserTaskReleased(number, _):
                tasks[number] = replace(tasks[number], owner=None, claimed_at=None)
            case UserTaskReassigned(number, person, _):
                tasks[number] = replace(tasks[number], owner=person, claimed_at=at if person else None)
            case UserTaskCompleted(number, element):
                assert isinstance(act, CompleteUserTask)
                done = tasks.pop(number)
                changes["before_completion"] = completed(instance, step, done)
                changes["data"] = merged(instance.data, act.data)
                changes["passed"] = {**instance.passed, element: Passed(
                    round=done.round, user_task=number, person=actor.person, at=act.done_at or at)}
                changes["waived"] = {k: v for k, v in instance.waived.items() if v != number}
            case UserTaskRecalled(number, element, _):
                was = instance.before_completion
                assert was is not None, "only what can be recalled is"
                ended = {one.number: one for one in (was.user_task, *was.cancelled)}
                tasks[number] = ended[number]
                if number != was.user_task.number:
                    continue
                passed = {id: one for id, one in instance.passed.items() if id != element}
                changes |= {"data": merged(instance.data, was.data),
                            "passed": passed | ({element: was.passed} if was.passed else {}),
                            "waived": {**instance.waived, **dict.fromkeys(was.waived, number)},
                            "team": {lane: team for lane, team in {**instance.team, **was.team}.items() if team},
                            "rounds": {id: n for id, n in {**instance.rounds, **was.rounds}.items() if n}}
                owed |= {one.document: one for one in was.owed}
            case ValuesRecorded(number, fields):
                assert isinstance(act, RecordValues)
                changes["data"] = merged(instance.data, act.data)
                recorded = dict.fromkeys((*tasks[number].recorded, *fields))
                tasks[number] = replace(tasks[number], recorded=tuple(recorded))
            case UserTaskCancelled(number, _):
                tasks.pop(number, None)
            case ExtensionAsked(number, until):
                assert isinstance(act, AskExtension)
                tasks[number] = replace(tasks[number], extension=Extension(
                    asked_at=at, person=actor.person, until=until, reason=act.reason))
            case ExtensionGranted(number, _, late_at, escalate_at):
                assert isinstance(act, GrantExtension)
                tasks[number] = replace(
                    tasks[number], extended=True, late_at=late_at, escalate_at=escalate_at,
                    extension=decided(tasks[number], step, granted=True))
            case ExtensionRefused(number):
                assert isinstance(act, RefuseExtension)
                tasks[number] = replace(tasks[number], extension=decided(tasks[number], step, granted=False))
            case CalendarChanged(switched):
                changes["calendars"] = {**instance.calendars, **{lane: now for lane, _, now in switched}}
            case ProcessInstanceMigrated(_, to, mapped, renamed):
                assert isinstance(act, MigrateProcessInstance)
                there, named = {number: now for number, _, now in mapped}, dict(renamed)
                tasks = {n: replace(one, element=there.get(n, one.element)) for n, one in tasks.items()}
                running = {n: replace(one, element=there.get(n, one.element)) for n, one in running.items()}
                owed = {k: replace(one, until=act.mapping.get(one.until) or one.until,
                                   lane=act.mapping.get(one.lane) or one.lane if one.lane else one.lane)
                        for k, one in owed.items()}
                changes |= {"definition": to, "calendars": act.calendars, "migrations": instance.migrations + 1,
                            "rounds": under(named, instance.rounds), "passed": under(named, instance.passed),
                            "team": under(named, instance.team), "before_migration": as_it_stands(instance, step)}
            case UserTaskMoved(number, _, element, _, lane, round):
                tasks[number] = replace(tasks[number], element=element, lane=lane, round=round)
                changes["rounds"] = {**changes.get("rounds", instance.rounds), element: round}
            case MigrationUndone():
                changes["migrations"] = instance.migrations + 1
            case DueDatesMoved(number, _, _, _, norm_at, late_at, escalate_at):
                tasks[number] = replace(tasks[number], norm_at=norm_at, late_at=late_at, escalate_at=escalate_at)
            case TeamAppointed(lane, appointed, _):
                changes["team"] = {**instance.team, lane: appointed}
            case TimerStarted(number, element, user_task, due_at, calendar, left):
                since = at
                if isinstance(act, MigrateProcessInstance):     # it counts from then
                    armed = any(t.number == number and t.status == ARMED for t in step.marking.tokens)
                    since = (tasks[user_task].opened_at if user_task else instance.started_at if armed else at) or at
                elif isinstance(act, RecallUserTask) and instance.before_completion:
                    since = next((one.started_at for one in instance.before_completion.timers
                                  if one.number == number and one.started_at), at)
                running[number] = RunningTimer(number=number, element=element, due_at=due_at, user_task=user_task,
                                               calendar=calendar, left=left, started_at=since)
                if any(t.number == number and t.status == ARMED for t in step.marking.tokens):
                    changes["deadline_at"] = due_at
            case TimerMoved(number, _, _, due_at, calendar):
                running[number] = replace(running[number], due_at=due_at, calendar=calendar)
                if any(t.number == number and t.status == ARMED for t in step.marking.tokens):
                    changes["deadline_at"] = due_at
            case TimerFired(number, _):
                running.pop(number)
            case TimerCancelled(number, _):
                running.pop(number, None)
                if isinstance(act, MigrateProcessInstance) and (token := instance.marking.token(number)):
                    if token.status == ARMED:       # the version that it goes on with has no deadline
                        changes["deadline_at"] = None
            case DocumentAttached(type, version, user_task):
                assert isinstance(act, (StartProcessInstance, AttachDocument, SettleRequirement))
                given = act.attachments[type] if isinstance(act, StartProcessInstance) else act.attachment
                before = documents.get(type)
                if before and before.version == version:
                    given = replace(given, files=(*before.attachment.files, *given.files))
                place = instance.user_tasks[user_task].element if user_task else None
                documents[type] = Document(type=type, version=version, attachment=given, user_task=user_task,
                                           element=place, person=actor.person, at=at)
            case RequirementOwed(document, until, promised, user_task):
                assert isinstance(act, (StartProcessInstance, OweRequirement))
                promises = act.promises if isinstance(act, StartProcessInstance) else (act.promise,)
                owed[document] = Owed(
                    document=document, reason=next(p.reason for p in promises if p.document == document),
                    promised=promised, until=until, user_task=user_task,
                    lane=tasks[user_task].lane if user_task else None, person=actor.person, at=at)
            case RequirementSettled(document):
                owed.pop(document, None)
            case RequirementWaived(document, user_task):
                changes["waived"] = {**instance.waived, document: user_task}
            case CommentAdded(number):
                changes["comments"] = number
            case ProcessInstanceSuspended():
                changes["status"] = SUSPENDED
            case ProcessInstanceResumed():
                changes["status"] = RUNNING
            case ProcessInstanceCompleted():
                changes |= {"status": COMPLETED, "ended_at": at}
            case ProcessInstanceCancelled():
                changes |= {"status": CANCELLED, "ended_at": at}
            case ProcessInstanceCorrected(fields):
                assert isinstance(act, Correct)
                if fields:
                    changes["data"] = merged(instance.data, act.data)
            case IncidentRaised(number, kind, element, detail):
                incidents[number] = Incident(number=number, kind=kind, element=element, detail=detail, at=at)
                changes["incident_count"] = number
            case IncidentResolved(number):
                incidents.pop(number, None)
            case ValuesErased(_, files, disposal):
                assert isinstance(act, EraseValues)
                why = f"{'disposal' if disposal else 'request'} {act.number}"
                if files:
                    changes["erased_files"] = {**instance.erased_files, **dict.fromkeys(files, why)}
                if disposal:
                    changes["disposed"] = act.number
    recall = instance.before_completion
    if isinstance(act, FireTimer) and recall is not None:
        changes["before_completion"] = fired_since(instance, step, recall)
    elif not isinstance(act, AddComment):
        changes.setdefault("before_completion", None)   # somebody has done something: who did it would lose it
    undo = instance.before_migration
    if isinstance(act, UndoMigration) and undo is not None:
        tasks, running = {one.number: one for one in undo.user_tasks}, {one.number: one for one in undo.timers}
        owed = dict(undo.owed)
        changes |= {name: getattr(undo, name) for name in ("definition", "calendars", "rounds", "passed", "team",
                                                             "deadline_at")}
        changes["before_migration"] = None
    elif isinstance(act, FireTimer) and undo is not None:
        changes["before_migration"] = replace(
            undo, tokens=tuple(one for one in undo.tokens if one[0] != act.timer or one[0] in running),
            timers=tuple(t for t in undo.timers if t.number != act.timer or t.number in running))
    elif undo is not None and not isinstance(act, (AddComment, MigrateProcessInstance, EraseValues)):
        changes["before_migration"] = None      # somebody has done something: there is no way back any more
    return replace(instance, user_tasks=tasks, timers=running, documents=documents, owed=owed, incidents=incidents,
                   **changes)


def decided(task: UserTask, step: Step, granted: bool) -> Extension | None:
    """A user task's request for more time, after somebody decided on it."""
    act, command = step.command.act, step.command
    assert isinstance(act, (GrantExtension, RefuseExtension)) and task.extension is not None
    return replace(task.extension, decided_at=command.at, decided_by=command.actor.person, granted=granted,
                   why=act.reason)


def completed(instance: ProcessInstance, step: Step, done: UserTask) -> BeforeCompletion | None:
    """What a recall of this completion gives back; None where it ended the instance."""
    act, events = step.command.act, step.events
    assert isinstance(act, CompleteUserTask)
    if any(isinstance(event, ProcessInstanceCompleted) for event in events):
        return None
    ended = {event.timer for event in events if isinstance(event, TimerCancelled)}
    cancelled = {event.user_task for event in events if isinstance(event, UserTaskCancelled)}
    settled = {event.document for event in events if isinstance(event, RequirementSettled)}
    return BeforeCompletion(
        user_task=replace(done, owner=step.command.actor.person, claimed_at=done.claimed_at or step.command.at),
        cancelled=tuple(one for number, one in sorted(instance.user_tasks.items()) if number in cancelled),
        tokens=tuple((t.number, t.element, t.parent, t.status) for t in instance.marking.tokens),
        next=instance.marking.next,
        timers=tuple(one for number, one in sorted(instance.timers.items()) if number in ended),
        data={id: instance.data.get(id) for id in act.data if act.data[id] != instance.data.get(id)},
        passed=instance.passed.get(done.element),
        rounds={event.element: instance.rounds.get(event.element, 0) for event in events
                if isinstance(event, UserTaskOpened)},
        owed=tuple(one for _, one in sorted(instance.owed.items()) if one.document in settled),
        waived=tuple(sorted(document for document, number in instance.waived.items() if number == done.number)),
        team={event.lane: instance.team.get(event.lane, ()) for event in events if isinstance(event, TeamAppointed)})


def fired_since(instance: ProcessInstance, step: Step, before: BeforeCompletion) -> BeforeCompletion | None:
    """What can be given back after a timer fired: all but that timer. None where the firing moved anything else."""
    fired = {event.timer for event in step.events if isinstance(event, TimerFired)}
    if {t for t in instance.marking.tokens if t.number not in fired} != set(step.marking.tokens):
        return None
    return replace(before, tokens=tuple(one for one in before.tokens if one[0] not in fired))


def under(named: Mapping[str, str], kept: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept by id, under the ids that a migration has given; what it does not name stays where it is."""
    found = {id: one for id, one in kept.items() if id not in named}
    return found | {named[id]: one for id, one in kept.items() if id in named}


def as_it_stands(instance: ProcessInstance, step: Step) -> BeforeMigration:
    """What an undo of this migration gives back."""
    return BeforeMigration(
        definition=instance.definition, calendars=instance.calendars, next=step.marking.next,
        tokens=tuple((t.number, t.element, t.parent, t.status) for t in instance.marking.tokens),
        user_tasks=tuple(one for _, one in sorted(instance.user_tasks.items())),
        timers=tuple(one for _, one in sorted(instance.timers.items())), rounds=instance.rounds,
        passed=instance.passed, owed=instance.owed, team=instance.team, deadline_at=instance.deadline_at)


def merged(data: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A redo replaces values; what was emptied or hidden is gone. Earlier rounds are in the journal."""
    return {k: v for k, v in {**data, **given}.items() if v is not None}


# Proving

def replay(rules: Rules, recorded: Iterable[tuple[Step, str | None]],
           id: str = "") -> Iterator[tuple[ProcessInstance, Step]]:
    """Run recorded commands through `decide` again; yield the instance after each, and the Step as it came out.

    recorded  the Steps in order, each with the hash of its marking, or None under another engine version: then only
              the events must agree.
    Raises ReplayDiverged at the first that comes out otherwise, with what is recorded and what came.
    """
    instance = ProcessInstance(id=id)
    for step, marking_hash in recorded:
        place = f"Step {step.sequence} of {id}"
        try:
            again = decide(rules, instance, step.command)
        except Refused as refused:
            if not stopped(instance, step):
                said = f"{place}: recorded {told(step.events)}, now refused: {refused.message}"
                raise ReplayDiverged(said) from refused
            again = replace(step, marking=instance.marking)
        if again.events != step.events and stopped(instance, step):
            again = replace(step, marking=instance.marking)
        if again.events != step.events:
            raise ReplayDiverged(f"{place}: recorded {told(step.events)}, executed again gave {told(again.events)}.")
        if marking_hash is not None and again.marking.hash != marking_hash:
            raise ReplayDiverged(f"{place}: the marking is another one than was recorded.")
        instance = evolve(instance, again)
        yield instance, again


def stopped(instance: ProcessInstance, step: Step) -> bool:
    """Whether a recorded Step is an act that ended in an incident, so that what was typed is kept nowhere but in a
    draft. What it was cannot be decided again; that nothing moved, and where it was, can be judged."""
    act, events = step.command.act, step.events
    if not isinstance(act, (CompleteUserTask, RecordValues)) or act.data or len(events) != 1:
        return False
    (event,), task = events, instance.user_tasks.get(act.user_task)
    return (isinstance(event, IncidentRaised) and event.number == instance.incident_count + 1 and task is not None
            and event.element == task.element and event.kind in ("condition", "stuck", "timer", "limit"))


def told(events: tuple[Event, ...]) -> str:
    return ", ".join(str(one) for one in events) or "nothing"


def actor_of_the_clock() -> Actor:
    """Who asks when a timer fires."""
    return Actor(person="timer", capacity="sistem", signed_in_by="worker")
