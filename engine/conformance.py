"""Where a process instance departed from its SOP, each departure once and with the journal row that shows it.

Nothing is judged by what somebody says of it: a departure is read off the recorded Steps, the diagram that each of them
ran, and what the organisation's stream knows of the people by now. What is only worth knowing stands in the same list,
marked as information. Pure: the same journal gives the same list. Sentences for auditors are in `forms/departures.py`.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import combinations
from typing import Any

from . import events, process
from .calendars import due_at
from .commands import (
    Actor,
    CompleteUserTask,
    MigrateProcessInstance,
    ReassignUserTask,
    StartProcessInstance,
    UndoMigration,
)
from .definition import Element, ProcessDefinition
from .instance import COMPLETED, ProcessInstance, Step, UserTask
from .organisation import (
    CREDENTIAL,
    FACTOR,
    PLH,
    PLT,
    RIGHT,
    AskConfirmation,
    Change,
    Confirmation,
    Organisation,
    SetCredential,
    evolve,
)

LATE = "late"                       # a user task was completed after its late_at, or is open beyond it
DEADLINE = "deadline"               # the process-wide deadline passed before the element that satisfies it was done
WAIVED = "waived"
CORRECTED = "corrected"             # an administrator's repair
REASSIGNED = "reassigned"
SKIPPED = "skipped"                 # it ended without a user task that every way of its diagram leads through
CAPACITY = "capacity"               # an act in a position that its person did not hold that day, as is known by now
AFTERWARDS = "afterwards"           # done outside the application, recorded later
ON_BEHALF = "on_behalf"             # recorded for another office
DEPLOYED = "deployed"               # it ran a version that came by the command line, without pengesahan
COMMAND_LINE = "command_line"       # a person acted by the command line: their first such act, and how many there are
RESET = "reset"                     # the first act within a working day after somebody else set its person's password
UNCONFIRMED = "unconfirmed_reset"   # every act within a working day after a reset that nobody of the unit has confirmed
SAME_PERSON = "same_person"         # who decided had done what was decided upon
MIGRATED = "migrated"               # its diagram changed midway
EXTENDED = "extended"               # information: more time was granted
OWED = "owed"                       # information: a document came later than its step asks
SAME_HANDS = "same_hands"           # information: one person did two steps of different lanes that are decided upon
KINDS = (LATE, DEADLINE, WAIVED, CORRECTED, REASSIGNED, SKIPPED, CAPACITY, AFTERWARDS, ON_BEHALF, DEPLOYED,
         COMMAND_LINE, RESET, UNCONFIRMED, SAME_PERSON, MIGRATED, EXTENDED, OWED, SAME_HANDS)
INFORMATION = frozenset({EXTENDED, OWED, SAME_HANDS})
RESET_LASTS = "P1D"                 # working time of the unit's calendar
NOBODY = ("timer", "sistem")        # actors that are no people


@dataclass(frozen=True, kw_only=True)
class Departure:
    """One departure and its evidence."""
    kind: str                       # one of KINDS
    sequence: int                   # of the journal row that shows it
    at: datetime                    # of that row; aware, UTC
    element: str | None = None      # BPMN id, of the version that ran then
    element_name: str = ""
    user_task: int | None = None
    person: str | None = None       # id, of who did it
    evidence: Mapping[str, Any] = field(default_factory=dict)   # what the sentence says: instants, ids, counts

    @property
    def information(self) -> bool:
        """Worth knowing, and no departure."""
        return self.kind in INFORMATION


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """How a version of the diagram came into force."""
    version: int
    by: str                         # person id
    signed_in_by: str               # web | cli | worker
    ratified: bool = False          # by the head of the unit, in the application


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What is known besides the instance's own journal."""
    organisation: tuple[Change, ...] = ()               # the whole stream, in order
    deployments: Mapping[str, Deployment] = field(default_factory=dict)     # by SHA-256 of the diagram
    zone: str = "Asia/Jakarta"


def departures(rules: process.Rules, id: str, steps: Iterable[Step], beside: Beside, now: datetime) \
        -> tuple[Departure, ...]:
    """Every departure of an instance, in the order of the rows that show them.

    steps  all of them, from the first, with their markings: as `process.replay` gives them.
    now    aware: an open user task whose late_at lies before it is late already.
    """
    found = _Reading(rules, id, beside, now).of(steps)
    return tuple(sorted(found, key=lambda one: (one.sequence, KINDS.index(one.kind))))


def decided_upon(definition: ProcessDefinition, decision: str) -> tuple[str, ...]:
    """The user tasks whose work a deciding user task judges: those between where it can lead back to and itself, of
    other lanes than its own. In the SOP's order; () of a user task that decides nothing."""
    element = definition.elements[decision]
    if not any(one.decision for one in element.form):
        return ()
    ahead = _reached(definition, decision, forward=True)
    back = _reached(definition, decision, forward=False)
    return tuple(one.id for one in definition.user_tasks
                 if one.id in ahead and one.id in back and one.id != decision and one.lane != element.lane)


def did_before(definition: ProcessDefinition, instance: ProcessInstance, decision: str, person: str) -> tuple[str, ...]:
    """The user tasks of the newest round that this person did and would now decide upon: to be said before the act."""
    return tuple(id for id in decided_upon(definition, decision)
                 if id in instance.passed and instance.passed[id].person == person)


def unavoidable(definition: ProcessDefinition) -> tuple[str, ...]:
    """The user tasks that every way from the start to an end leads through, in the SOP's order."""
    def ends(without: str) -> bool:
        return any(definition.elements[id].kind == "endEvent" and definition.elements[id].within is None
                   for id in _reached(definition, definition.start.id, forward=True, without=without))
    return tuple(one.id for one in definition.user_tasks if not ends(one.id))


def _reached(definition: ProcessDefinition, id: str, *, forward: bool, without: str = "") -> set[str]:
    """The elements that can be come to from one (or from which it can be come to), itself only by a loop. Boundary
    events that interrupt are ways too; those that do not, lead to reminders only."""
    found: set[str] = set()
    waiting = [id]
    while waiting:
        at = waiting.pop()
        nexts = [*(definition.behind if forward else definition.ahead)[at]]
        if forward:
            nexts += [one.id for one in definition.boundary_events[at] if one.interrupting]
        elif definition.elements[at].attached_to and definition.elements[at].interrupting:
            nexts.append(definition.elements[at].attached_to or "")
        for one in nexts:
            if one not in found and one != without:
                found.add(one)
                waiting.append(one)
    return found


class _Reading:
    """A journal being read: the instance as it stood, and what is known of the people."""

    def __init__(self, rules: process.Rules, id: str, beside: Beside, now: datetime):
        self.rules, self.beside, self.now = rules, beside, now
        self.instance = self.before = ProcessInstance(id=id)
        self.organisation = Organisation()
        for change in beside.organisation:
            self.organisation = evolve(self.organisation, change.act)
        self.resets = resets(beside.organisation)
        self.unconfirmed = unconfirmed(beside.organisation, self.organisation)
        self.reset_told: set[datetime] = set()
        self.by_command: dict[str, tuple[Departure, int]] = {}      # person -> their first act so, and how many
        self.deadline_told = False

    def of(self, steps: Iterable[Step]) -> Iterator[Departure]:
        last: Step | None = None
        for step in steps:
            self.before, self.instance = self.instance, process.evolve(self.instance, step)
            yield from self.of_start(step)
            yield from self.of_actor(step)
            for event in step.events:
                yield from self.of_event(step, event)
            yield from self.of_deadline(step)
            last = step
        for first, count in self.by_command.values():
            yield replace(first, evidence={"acts": count})
        if last is not None:
            yield from self.of_what_is_open(last)

    @property
    def definition(self) -> ProcessDefinition:
        return self.rules.definition(self.instance.definition)

    def found(self, kind: str, step: Step, task: UserTask | None = None, element: str | None = None,
              **evidence: Any) -> Departure:
        id = element or (task.element if task else None)
        ran = self.rules.definition(self.before.definition) if task and self.before.definition else self.definition
        of: Element | None = ran.elements.get(id or "")
        return Departure(kind=kind, sequence=step.sequence, at=step.command.at, element=id,
                         element_name=of.name if of else "", user_task=task.number if task else None,
                         person=step.command.actor.person, evidence=evidence)

    # Who acted

    def of_start(self, step: Step) -> Iterator[Departure]:
        act = step.command.act
        if isinstance(act, StartProcessInstance):
            yield from self.of_version(step, act.definition)
        elif isinstance(act, MigrateProcessInstance):
            yield from self.of_version(step, act.to)

    def of_version(self, step: Step, sha256: str) -> Iterator[Departure]:
        came = self.beside.deployments.get(sha256)
        if came and came.signed_in_by == "cli" and not came.ratified and came.by not in NOBODY:
            yield self.found(DEPLOYED, step, version=came.version, by=came.by)

    def of_actor(self, step: Step) -> Iterator[Departure]:
        actor, at = step.command.actor, step.command.at
        if actor.person in NOBODY:
            return
        task = self.task_of(step)
        if actor.signed_in_by == "cli" and not isinstance(step.command.act, MigrateProcessInstance | UndoMigration):
            first, count = self.by_command.get(actor.person) or (self.found(COMMAND_LINE, step, task), 0)
            self.by_command[actor.person] = first, count + 1
        if actor.on_behalf_of and isinstance(step.command.act, CompleteUserTask):
            yield self.found(ON_BEHALF, step, task, office=actor.on_behalf_of)
        if not self.held(actor, at):
            yield self.found(CAPACITY, step, task, position=actor.position, capacity=actor.capacity, basis=actor.basis)
        for reset in self.resets.get(actor.person, ()):
            if reset.at <= at <= self.reset_until(reset.at) and reset.at not in self.reset_told:
                self.reset_told.add(reset.at)
                yield self.found(RESET, step, task, reset_at=reset.at, by=reset.actor.person)
        for reset, asked in self.unconfirmed.get(actor.person, ()):
            if reset.at <= at <= self.reset_until(reset.at):
                yield self.found(UNCONFIRMED, step, task, reset_at=reset.at, by=reset.actor.person, what=asked.kind,
                                 state=asked.state)

    def task_of(self, step: Step) -> UserTask | None:
        """The user task that an act is about, as it stood before."""
        return self.before.user_tasks.get(getattr(step.command.act, "user_task", None) or 0)

    def held(self, actor: Actor, at: datetime) -> bool:
        """Whether the person held the position in that capacity on that day, as the organisation is known by now.

        Members of a team act by their appointment in the instance, administrators and owners by a power: both are
        judged when they act and recorded with it.
        """
        if not self.beside.organisation or actor.position is None or actor.capacity not in ("definitif", PLH, PLT):
            return True
        position = self.organisation.positions.get(actor.position)
        if position is None:
            return False
        day = self.organisation.today(at, position.unit)
        return any(one.position == actor.position and one.person == actor.person and one.capacity == actor.capacity
                   and one.holds(day) for one in self.organisation.holdings.values())

    def reset_until(self, at: datetime) -> datetime:
        sha256 = self.instance.calendars.get("")
        return due_at(RESET_LASTS, at, self.rules.calendar(sha256)) if sha256 else at

    # What happened

    def of_event(self, step: Step, event: events.Event) -> Iterator[Departure]:
        act, before = step.command.act, self.before
        task = before.user_tasks.get(getattr(event, "user_task", None) or 0)
        match event:
            case events.UserTaskCompleted():
                assert task is not None, "what was completed was open before"
                done_at = act.done_at if isinstance(act, CompleteUserTask) else None
                if event.late:
                    yield self.found(LATE, step, task, late_at=task.late_at, done_at=done_at or step.command.at)
                if done_at is not None and done_at < step.command.at:
                    yield self.found(AFTERWARDS, step, task, done_at=done_at,
                                     minutes=int((step.command.at - done_at).total_seconds() // 60))
                yield from self.of_decision(step, task)
            case events.RequirementWaived(document):
                yield self.found(WAIVED, step, task, document=document)
            case events.ProcessInstanceCorrected(fields, closed, opened):
                yield self.found(CORRECTED, step, fields=fields, opened=opened,
                                 closed=tuple(before.user_tasks[n].element for n in closed if n in before.user_tasks))
            case events.UserTaskReassigned(_, person, was) if isinstance(act, ReassignUserTask):
                yield self.found(REASSIGNED, step, task, to=person, was=was)
            case events.ProcessInstanceMigrated(was, to, _, _):
                yield self.found(MIGRATED, step, was=was, to=to, undone=False)
            case events.MigrationUndone(was, to, _):
                yield self.found(MIGRATED, step, was=was, to=to, undone=True)
            case events.ExtensionGranted(_, was, late_at, _):
                yield self.found(EXTENDED, step, task, was=was, late_at=late_at)
            case events.RequirementSettled(document) if document in before.owed:
                yield self.found(OWED, step, document=document, promised=before.owed[document].promised)
            case events.ProcessInstanceCompleted():
                for id in unavoidable(self.definition):
                    if id not in self.instance.passed:
                        yield self.found(SKIPPED, step, element=id)

    def of_decision(self, step: Step, task: UserTask) -> Iterator[Departure]:
        """Who decided, and who had done what was decided upon."""
        person, before = step.command.actor.person, self.before
        definition = self.rules.definition(before.definition)
        judged = decided_upon(definition, task.element)
        done = {id: before.passed[id].person for id in judged if id in before.passed}
        for id, who in done.items():
            if who == person:
                yield self.found(SAME_PERSON, step, task, did=id, did_name=definition.elements[id].name)
        for one, other in combinations(done, 2):
            if done[one] == done[other] and definition.elements[one].lane != definition.elements[other].lane:
                yield replace(self.found(SAME_HANDS, step, task, first=definition.elements[one].name,
                                         second=definition.elements[other].name), person=done[one])

    def of_deadline(self, step: Step) -> Iterator[Departure]:
        """The deadline is over when the element that meets it is done later, or something happens while it is not."""
        drawn, due = self.definition.deadline, self.instance.deadline_at
        if drawn is None or due is None or self.deadline_told:
            return
        met = self.instance.passed.get(drawn.satisfied_by)
        if (met.at if met else step.command.at) > due:
            self.deadline_told = True
            yield self.found(DEADLINE, step, element=drawn.satisfied_by, due_at=due, met_at=met.at if met else None)

    def of_what_is_open(self, last: Step) -> Iterator[Departure]:
        """What is over its limit now, though no row says so yet: shown with the newest row."""
        for _, task in sorted(self.instance.user_tasks.items()):
            if task.late_at is not None and task.late_at < self.now:
                yield replace(self.found(LATE, last, task, late_at=task.late_at, done_at=None), person=task.owner)
        drawn, due = self.definition.deadline, self.instance.deadline_at
        if (drawn and due and due < self.now and not self.deadline_told and self.instance.ended_at is None
                and self.instance.status != COMPLETED and drawn.satisfied_by not in self.instance.passed):
            yield replace(self.found(DEADLINE, last, element=drawn.satisfied_by, due_at=due, met_at=None), person=None)


def resets(changes: Sequence[Change]) -> dict[str, list[Change]]:
    """Person -> the changes by which somebody else gave them a new password, after they had chosen one of their own.

    The first slip of a newcomer is none: nobody could have acted in their name before it.
    """
    found: dict[str, list[Change]] = {}
    chosen: set[str] = set()
    for one in changes:
        if isinstance(one.act, SetCredential):
            if one.actor.person == one.act.person:
                chosen.add(one.act.person)
            elif one.act.person in chosen:
                found.setdefault(one.act.person, []).append(one)
    return found


def unconfirmed(changes: Sequence[Change], organisation: Organisation) -> dict[str, list[tuple[Change, Confirmation]]]:
    """Person -> the resets of their password or second factor that, as is known by now, nobody of the unit has called
    right: with the question, which waits or was answered with no."""
    found: dict[str, list[tuple[Change, Confirmation]]] = {}
    for one in changes:
        if isinstance(one.act, AskConfirmation) and one.act.kind in (CREDENTIAL, FACTOR):
            asked = organisation.confirmations[one.act.confirmation]
            if asked.state != RIGHT:
                found.setdefault(one.act.person, []).append((one, asked))
    return found
