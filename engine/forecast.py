"""When a process instance will be done, what the date in the law leaves, and when each step must begin at the latest.

An instance is run forward in virtual time through the same heart as the real ones (`process.suppose` and `evolve`): the
next thing is the earliest of the end of an open user task and a due timer that can change the way. Nothing here reads a
clock, a database or dice; the lots of `likelihood` are digests of its seed.

How a run is supposed:

- A user task ends when its norm is over in its lane's calendar, as its boundary timer says; more time that was granted
  counts. One whose end has passed ends now. A user task without a norm takes no time: the SOP gives it none.
- At a decision, a sequence flow from which every way to an end leads through the same decision again is a return. The
  first `returns` visits to such decisions take it, the later ones go forward.
- Where several flows lead forward, the conditions are asked over the data known now. Where they have no answer yet (a
  value that a later step gives, an error) the flow with the longest way ahead is taken: the cautious reading.
- Timers that only remind change nothing and are left out; the process-wide deadline moves no token. Everything is
  bounded: MOST_STEPS steps, MOST_RETURNS returns.

The backward schedule goes from the working deadline (CONTRACTS.md 4) back over what really waited for what: where
branches join, a pass must be over before the earliest of those that wait for it.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from . import calendars, expressions, process, requirements
from .calendars import Calendar
from .commands import Act, Command, CompleteUserTask, FireTimer, StartProcessInstance
from .definition import Element, ProcessDefinition, SequenceFlow
from .events import (
    ElementLeft,
    IncidentRaised,
    TimerStarted,
    TokenConsumed,
    UserTaskCancelled,
    UserTaskCompleted,
    UserTaskOpened,
)
from .instance import CANCELLED, COMPLETED, RUNNING, ProcessInstance, Refused, Step
from .marking import ACTIVE, ARMED
from .process import Rules

MOST_STEPS = 600                # of one supposed run
MOST_RETURNS = 30
ENOUGH_PASSES = 5               # finished passes of an element, before its durations are drawn from them
DAY_MINUTES = 450               # of a working day, where ways are compared and no calendar is at hand
DONE, STILL_OPEN, TO_COME = "selesai", "terbuka", "akan_datang"


class ForecastError(ValueError):
    """A run that cannot be supposed to its end: why, in a sentence for the process owner."""


@dataclass(frozen=True, kw_only=True)
class PlannedPass:
    """One pass of one user task: done, open, or still to come."""
    element: str
    lane: str
    round: int
    start: datetime             # aware, UTC, as all instants here
    end: datetime
    minutes: int                # working minutes in the lane's calendar
    measured: bool              # what it really took, else the standard norm
    state: str                  # selesai | terbuka | akan_datang


@dataclass(frozen=True, kw_only=True)
class Window:
    """The backward schedule of one pass: later than this, and the working deadline passes."""
    element: str
    round: int
    latest_start: datetime
    latest_finish: datetime


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What comes of it, with the standard durations.

    returns           returns supposed from here on
    finish            end of the element that the deadline names; None where the process has no deadline
    deadline          the instant of the deadline timer; `deadline_day`, the SOP's date, is the day before it
    late_by_working_days  of `finish` against `working_deadline`, in the unit's calendar; 0: in time
    latest_start      of the whole remaining path, against the working deadline; of a running instance: when its open
                      steps should have been opened at the latest. None: no deadline, or it is met already
    returns_possible  how many more returns still fit before the working deadline, MOST_RETURNS at most; -1: not even
                      the straight path
    windows           of the passes before the deadline that are open or to come, in the order of `passes`
    lane_minutes      lane id -> working minutes still to come in it, to the end of the instance
    """
    at: datetime
    returns: int
    finish: datetime | None
    instance_finish: datetime
    deadline: datetime | None
    deadline_day: date | None
    working_deadline: datetime | None
    late_by_working_days: int
    latest_start: datetime | None
    returns_possible: int | None
    passes: tuple[PlannedPass, ...]
    windows: tuple[Window, ...]
    lane_minutes: Mapping[str, int]
    costliest_lane: str | None


def standard(rules: Rules, definition: ProcessDefinition, calendars: Mapping[str, str], start: datetime, *,
             data: Mapping[str, Any], returns: int = 0) -> Forecast:
    """The forecast of a run that begins at `start`.

    calendars  lane id -> SHA-256; "" the unit's own, which counts where a lane has none. `rules` knows them, and the
               definition.
    data       what the start form would give: {"tahun_laporan": 2026} sets the deadline.
    Raises ForecastError.
    """
    begun = _begun(rules, definition, calendars, start, data)
    return _forecast(rules, begun, start, returns, (), opened=False)


def of_instance(rules: Rules, instance: ProcessInstance, at: datetime, *, returns: int = 0,
                done: Sequence[PlannedPass] | None = None) -> Forecast:
    """The forecast of an instance as it stands at `at`: from its marking, its open user tasks and their norms.

    A suspended one is forecast as if it went on now; of one that is over, what became of it is told.
    done  its finished passes, as they stand in front of `passes` (store/passes.py has them). None: what the instance
          itself remembers, the newest pass of each user task, begun when what was finished before it was.
    Raises ForecastError.
    """
    known = remembered(rules, instance) if done is None else tuple(done)
    return _forecast(rules, instance, at, returns, known, opened=True)


def remembered(rules: Rules, instance: ProcessInstance) -> tuple[PlannedPass, ...]:
    """The newest finished pass of each user task, in the order in which they ended."""
    definition, found = rules.definition(instance.definition), []
    start = instance.started_at
    for id, one in sorted(instance.passed.items(), key=lambda item: (item[1].at, item[1].user_task)):
        element = definition.elements.get(id)
        if element is not None and start is not None:
            lane = element.lane or ""
            calendar = rules.calendar(instance.calendars.get(lane) or instance.calendars[""])
            found.append(PlannedPass(
                element=id, lane=lane, round=one.round, start=min(start, one.at), end=one.at, measured=True, state=DONE,
                minutes=calendars.working_minutes(min(start, one.at), one.at, calendar)))
            start = one.at
    return tuple(found)


def first_year(rules: Rules, definition: ProcessDefinition, calendars: Mapping[str, str], start: datetime) \
        -> int | None:
    """The tahun laporan whose deadline is the first after `start`; None where no deadline depends on one."""
    if definition.deadline is None or "tahun_laporan" not in definition.fields:
        return None
    for year in range(start.year - 2, start.year + 3):
        deadline = _begun(rules, definition, calendars, start, {"tahun_laporan": year}).deadline_at
        if deadline is not None and deadline > start:
            return year
    return None


# ---------------------------------------------------------------------------------------------------------------------
# The ways through a definition
# ---------------------------------------------------------------------------------------------------------------------

class Ways:
    """What a forecast must know of a definition: which flows lead back, how long a way is, which timers matter."""

    def __init__(self, definition: ProcessDefinition):
        self.definition = definition
        self.returns = frozenset(one.id for element in definition.elements.values()
                                 if element.kind == "exclusiveGateway" and len(definition.outgoing[element.id]) > 1
                                 for one in self.leading_back(element))
        self.ahead: dict[str, int] = {}
        self.timers = frozenset(one.id for one in definition.elements.values() if one.timer and self.changes(one))
        # Where no timer and no other branch can cut a pass short, a run may be timed again without being run again.
        self.steady = not self.timers and not any(one.terminate for one in definition.elements.values())

    def leading_back(self, gateway: Element) -> list[SequenceFlow]:
        flows = self.definition.outgoing[gateway.id]
        always = [one for one in flows if not self.reaches_end(one.target, gateway.id)]
        again = [one for one in flows if gateway.id in self.reached(one.target)]
        found = [one for one in flows if one in always or (one in again and len(again) < len(flows))]
        return found if len(found) < len(flows) else []

    def reached(self, start: str, besides: str | None = None) -> set[str]:
        """The elements on the ways from `start`, itself included, that do not lead through `besides`."""
        found, ahead = set[str](), [start]
        while ahead:
            one = ahead.pop()
            if one not in found and one != besides:
                found.add(one)
                ahead += [flow.target for flow in self.definition.outgoing[one]]
        return found

    def reaches_end(self, start: str, besides: str) -> bool:
        return any(self.definition.elements[one].kind == "endEvent" for one in self.reached(start, besides))

    def changes(self, timer: Element) -> bool:
        """Whether a timer's firing changes the way; one that only reminds leads to an end and nothing else."""
        if timer.kind != "boundaryEvent" or timer.interrupting:
            return True
        behind = [self.definition.elements[one] for one in self.reached(timer.id) if one != timer.id]
        return any(one.kind != "endEvent" or one.terminate for one in behind)

    def longest(self, flows: Sequence[SequenceFlow]) -> SequenceFlow:
        """Of these, the first with the longest way to the end."""
        return max(flows, key=lambda one: self.minutes_ahead(one.target))

    def minutes_ahead(self, element: str, passed: frozenset[str] = frozenset()) -> int:
        """Working minutes, by the norms, of the longest way from `element` to an end, without going back."""
        if element in passed:
            return 0
        if element not in self.ahead:
            here = [one.target for one in self.definition.outgoing[element] if one.id not in self.returns]
            behind = max((self.minutes_ahead(one, passed | {element}) for one in here), default=0)
            self.ahead[element] = behind + self.minutes(element)
        return self.ahead[element]

    def minutes(self, element: str) -> int:
        if self.definition.elements[element].kind == "subProcess":
            return self.minutes_ahead(self.definition.scopes[element].start.id)
        duration, _ = norm_of(self.definition, element)
        if duration is None or duration.startswith("="):
            return DAY_MINUTES if duration else 0
        length = calendars.parse_duration(duration, weeks=True)
        return length.days * DAY_MINUTES + length.microseconds // calendars.MINUTE


def norm_of(definition: ProcessDefinition, element: str) -> tuple[str | None, str]:
    """(duration or "=expression", unit) of a user task's norm, as its boundary timer says; (None, ...) without one."""
    norm = definition.norm(element)
    return (norm.timer.expression, norm.timer.unit) if norm and norm.timer else (None, "kerja")


# ---------------------------------------------------------------------------------------------------------------------
# Run forward
# ---------------------------------------------------------------------------------------------------------------------

@dataclass(kw_only=True)
class Link:
    """A pass of a user task, or the wait for a timer, in the chain of what waited for what."""
    element: str
    lane: str
    round: int
    calendar: Calendar
    duration: str | None        # of its norm, None where it has none
    unit: str                   # kerja | kalender
    before: frozenset[int]      # places of the links that had to be over
    start: datetime
    expected: datetime          # when it is over by its norm
    open: bool                  # already, when the run began
    user_task: bool = True
    end: datetime | None = None


Ends = Callable[[int, Link, datetime], datetime]
"""When the link at a place, begun at an instant, is over."""


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A run to its end. `target` is the place of the link that meets the deadline, None where there is none ahead."""
    links: tuple[Link, ...]
    target: int | None
    end: datetime
    returned: int


class Run:
    """One supposed run in virtual time.

    again  asked at each decision that can lead back, with the element done before it: whether it is returned
    ends   when a pass is over; by default when its norm is
    """

    def __init__(self, rules: Rules, ways: Ways, instance: ProcessInstance, at: datetime,
                 again: Callable[[str], bool], ends: Ends = lambda place, link, start: link.expected):
        self.rules, self.ways, self.at, self.again, self.ends = rules, ways, at, again, ends
        self.definition = ways.definition
        # Whoever suspended it resumes it, and incidents are dealt with: a forecast supposes that work goes on.
        self.instance = replace(instance, status=RUNNING, incidents={})
        self.zone = ZoneInfo(self.calendar("").zone)
        self.links: list[Link] = []
        self.place: dict[int, int] = {}             # number of an open user task or a wait -> place of its link
        self.over_at: dict[int, datetime] = {}      # place -> when it will be over
        self.after: dict[int, frozenset[int]] = {}  # token -> places of the links that it comes from
        self.target: int | None = None
        self.returned = 0
        for task in sorted(instance.user_tasks.values(), key=lambda one: one.number):
            agreed = task.late_at if task.extended else task.norm_at
            self.open(task.number, task.element, task.lane, task.round, task.opened_at, agreed, frozenset(), True)
        for timer in sorted(instance.timers.values(), key=lambda one: one.number):
            if self.is_waited_for(timer.element) and timer.user_task is None:
                self.wait(timer.number, timer.element, timer.started_at or at, timer.due_at, frozenset(), True)

    def calendar(self, lane: str) -> Calendar:
        return self.rules.calendar(self.instance.calendars.get(lane) or self.instance.calendars[""])

    def to_the_end(self) -> Trace:
        now = self.at
        for _ in range(MOST_STEPS):
            if all(token.status == ARMED for token in self.instance.marking.tokens):
                for link in self.links:
                    link.end = link.end or now      # what a terminating end took away
                return Trace(links=tuple(self.links), target=self.target, end=now, returned=self.returned)
            now = self.step(now)
        raise ForecastError(f"Perkiraan dihentikan: lebih dari {MOST_STEPS} langkah, dan berkas proses belum selesai.")

    def step(self, now: datetime) -> datetime:
        """The next thing that happens; its instant. A user task goes before a timer of the same instant."""
        ahead = [(max(at, now), at, 0, number) for number, place in self.place.items()
                 if self.links[place].user_task and (at := self.over_at[place])]
        ahead += [(max(one.due_at, now), one.due_at, 1, one.number) for one in self.instance.timers.values()
                  if one.element in self.ways.timers]
        if not ahead:
            raise ForecastError("Perkiraan dihentikan: berkas proses ini tidak menunggu siapa pun dan apa pun.")
        at, _, kind, number = min(ahead)
        if kind == 0:
            self.happen(CompleteUserTask(user_task=number), at, self.instance.user_tasks[number].element, number)
        else:
            timer = self.instance.timers[number]
            host = self.definition.elements[timer.element].attached_to or timer.element
            self.happen(FireTimer(timer=number), at, host, timer.user_task or number)
        return at

    def happen(self, act: Act, at: datetime, element: str, number: int) -> None:
        before = self.instance
        try:
            step = process.suppose(self.rules, before, command(act, at), self.plan(element, at))
        except calendars.CalendarError as error:
            raise ForecastError(f"Perkiraan dihentikan: {error}") from error
        self.instance = process.evolve(before, step)
        self.fold(before, step, at, number)

    def fold(self, before: ProcessInstance, step: Step, at: datetime, number: int) -> None:
        origin = self.after.get(number, frozenset())
        ending = {number} if number not in self.instance.user_tasks else set[int]()
        deadline = self.definition.deadline
        for event in step.events:
            if isinstance(event, IncidentRaised):
                raise ForecastError(f"Perkiraan dihentikan pada {event.element or 'berkas proses'}: {event.detail}")
            if isinstance(event, UserTaskCancelled):
                ending.add(event.user_task)
            elif isinstance(event, TokenConsumed):
                origin |= self.after.get(event.token, frozenset())
            elif isinstance(event, ElementLeft) and self.definition.elements[event.element].kind == "subProcess":
                origin |= self.after.get(event.token, frozenset())      # what ended in it before
            elif isinstance(event, UserTaskCompleted) and deadline and event.element == deadline.satisfied_by:
                self.target = self.place[number] if self.target is None else self.target
        for one in ending:
            if (place := self.place.pop(one, None)) is not None:
                self.links[place].end = at
                origin |= {place} if one == number else frozenset()
        ended = {element.within for one in step.events if isinstance(one, ElementLeft)
                 and (element := self.definition.elements[one.element]).kind == "endEvent"}
        for token in before.marking.tokens:
            if token.status == ACTIVE and token.element in ended:
                self.after[token.number] = self.after.get(token.number, frozenset()) | origin
        known = {token.number for token in before.marking.tokens}
        self.after.update({token.number: origin for token in self.instance.marking.tokens
                           if token.number not in known})
        for event in step.events:
            if isinstance(event, UserTaskOpened):
                if event.user_task in self.instance.user_tasks:
                    self.open(event.user_task, event.element, event.lane, event.round, at, event.norm_at, origin, False)
            elif isinstance(event, TimerStarted) and self.is_waited_for(event.element) and event.user_task is None:
                self.wait(event.timer, event.element, at, event.due_at, origin, False)

    def open(self, number: int, element: str, lane: str, round: int, start: datetime, expected: datetime | None,
             before: frozenset[int], is_open: bool) -> None:
        calendar = self.calendar(lane)
        duration, unit = norm_of(self.definition, element)
        if duration is not None and duration.startswith("="):   # as its boundary timer computed it
            minutes = calendars.working_minutes(start, expected, calendar) if expected else 0
            duration, unit = (f"PT{minutes}M" if minutes > 0 else None), "kerja"
        self.add(number, Link(element=element, lane=lane, round=round, calendar=calendar, duration=duration, unit=unit,
                              before=before, start=start, expected=expected or start, open=is_open))

    def is_waited_for(self, timer: str) -> bool:
        """Whether something stands still until it fires: not so at an edge, where something else goes on."""
        return timer in self.ways.timers and self.definition.elements[timer].attached_to is None

    def wait(self, number: int, id: str, start: datetime, due_at: datetime, before: frozenset[int],
             is_open: bool) -> None:
        element = self.definition.elements[id]
        timer = element.timer
        assert timer is not None, "only timers are waited for"
        constant = timer.kind == "duration" and not timer.expression.startswith("=")
        self.add(number, Link(element=id, lane=element.lane or "", round=0, calendar=self.calendar(element.lane or ""),
                              duration=timer.expression if constant else None, unit=timer.unit, before=before,
                              start=start, expected=due_at, open=is_open, user_task=False))

    def add(self, number: int, link: Link) -> None:
        place = self.place[number] = len(self.links)
        self.links.append(link)
        self.over_at[place] = self.ends(place, link, link.start) if link.user_task else link.expected

    # Decisions

    def plan(self, element: str, at: datetime) -> process.Plan:
        """Decides each gateway once in a step; `element` was done right before it."""
        chosen: dict[str, str] = {}

        def take(flow: SequenceFlow) -> bool:
            if self.definition.elements[flow.source].kind == "inclusiveGateway":    # every way that is not ruled out
                known = requirements.names(self.definition, self.instance, 0, 1, self.instance.data)
                return self.holds(flow, known, at) is not False
            if flow.source not in chosen:
                chosen[flow.source] = self.way(flow.source, element, at).id
            return chosen[flow.source] == flow.id

        return take

    def way(self, gateway: str, element: str, at: datetime) -> SequenceFlow:
        flows = self.definition.outgoing[gateway]
        back = [one for one in flows if one.id in self.ways.returns]
        if back and self.again(element):
            self.returned += 1
            return self.ways.longest(back)
        return self.forward([one for one in flows if one not in back], at)

    def forward(self, flows: Sequence[SequenceFlow], at: datetime) -> SequenceFlow:
        """By the data where they answer, else the longest way among those that are not ruled out."""
        if len(flows) == 1:
            return flows[0]
        known = requirements.names(self.definition, self.instance, 0, 1, self.instance.data)
        possible: list[SequenceFlow] = []
        for flow in flows:
            answer = None if flow.default else self.holds(flow, known, at)
            if answer and not possible:
                return flow
            if answer is not False:
                possible.append(flow)
        # What the default waits for is that nothing else is possible.
        return self.ways.longest(possible or flows)

    def holds(self, flow: SequenceFlow, known: Mapping[str, Any], at: datetime) -> bool | None:
        """Whether the condition of a flow holds; None where the data do not answer it yet."""
        try:
            parsed = expressions.parse(flow.condition or "")
            if any(known.get(name) is None for name in parsed.names if name in self.definition.fields):
                return None
            return expressions.condition(parsed, known, at.astimezone(self.zone))
        except expressions.ExpressionError:
            return None


def command(act: Act, at: datetime) -> Command:
    return Command(id="forecast", at=at, actor=process.actor_of_the_clock(), act=act)


def _begun(rules: Rules, definition: ProcessDefinition, calendars_: Mapping[str, str], start: datetime,
           data: Mapping[str, Any]) -> ProcessInstance:
    """The instance right after a supposed start. Decisions before the first user task are taken by the data."""
    act = StartProcessInstance(key=definition.key, definition=definition.sha256, unit="", calendars=calendars_,
                               data=data)
    empty = ProcessInstance(id="forecast", definition=definition.sha256, calendars=calendars_, data=data)
    try:
        run = Run(rules, Ways(definition), empty, start, lambda element: False)
        step = process.suppose(rules, empty, command(act, start), run.plan(definition.start.id, start))
    except Refused as error:
        raise ForecastError(str(error)) from error
    except calendars.CalendarError as error:
        raise ForecastError(f"Berkas proses tidak dapat dimulai: {error}") from error
    return process.evolve(empty, step)


def supposed(returns: int) -> Callable[[str], bool]:
    """The first `returns` times it is asked: returned."""
    left = [returns]

    def again(element: str) -> bool:
        left[0] -= 1
        return left[0] >= 0

    return again


# ---------------------------------------------------------------------------------------------------------------------
# The forecast
# ---------------------------------------------------------------------------------------------------------------------

def _forecast(rules: Rules, instance: ProcessInstance, at: datetime, returns: int, done: tuple[PlannedPass, ...],
              opened: bool) -> Forecast:
    if not 0 <= returns <= MOST_RETURNS:
        raise ForecastError(f"Banyaknya pengembalian yang diandaikan harus 0 sampai {MOST_RETURNS}.")
    ways = Ways(rules.definition(instance.definition))
    unit = rules.calendar(instance.calendars[""])
    due = Due.of(instance, unit)
    if instance.status in (COMPLETED, CANCELLED) or not instance.marking.tokens:
        return _over(instance, at, returns, done, ways.definition, due)
    trace = Run(rules, ways, instance, at, supposed(returns)).to_the_end()
    links = trace.links
    passes = tuple(planned(link, at, opened) for link in links if link.user_task)
    met = _met(instance, ways.definition)
    finish = met or _finish(trace) if due else None
    windows: dict[int, Window] = {}
    if due and met is None and trace.target is not None:
        windows = _windows(links, trace.target, due.working)
    first = [one.latest_start for place, one in windows.items() if not links[place].before]
    lanes = {lane.id: 0 for lane in ways.definition.lanes}
    for link in links:
        if link.user_task and link.end is not None:
            left = calendars.working_minutes(max(link.start, at), max(link.end, at), link.calendar)
            lanes[link.lane] = lanes.get(link.lane, 0) + left
    return Forecast(
        at=at, returns=returns, finish=finish, instance_finish=trace.end, deadline=due.at if due else None,
        deadline_day=due.day if due else None, working_deadline=due.working if due else None,
        late_by_working_days=due.late_by(finish) if due and finish else 0,
        latest_start=min(first, default=None),
        returns_possible=_returns_possible(rules, ways, instance, at, due, trace) if due and met is None else None,
        passes=(*done, *passes), windows=tuple(windows[place] for place in sorted(windows) if links[place].user_task),
        lane_minutes={lane: minutes for lane, minutes in lanes.items() if minutes}, costliest_lane=costliest(lanes))


@dataclass(frozen=True)
class Due:
    """The deadline of an instance, in the calendar of its unit."""
    at: datetime
    day: date
    working: datetime
    calendar: Calendar

    @classmethod
    def of(cls, instance: ProcessInstance, unit: Calendar) -> Due | None:
        if instance.deadline_at is None:
            return None
        day = (instance.deadline_at - timedelta(microseconds=1)).astimezone(ZoneInfo(unit.zone)).date()
        working = min(calendars.last_working_close(day, unit), instance.deadline_at)
        return cls(instance.deadline_at, day, working, unit)

    def late_by(self, finish: datetime) -> int:
        """Working days after the working deadline; at least one for what is after it."""
        if finish <= self.working:
            return 0
        return max(1, calendars.working_days_between(self.working, finish, self.calendar))


def planned(link: Link, at: datetime, opened: bool) -> PlannedPass:
    assert link.end is not None, "a run to its end has ended every pass"
    return PlannedPass(
        element=link.element, lane=link.lane, round=link.round, start=link.start, end=link.end, measured=False,
        minutes=calendars.working_minutes(link.start, link.end, link.calendar),
        state=STILL_OPEN if link.open and opened else TO_COME)


def costliest(lanes: Mapping[str, int]) -> str | None:
    """The lane with the most minutes, the first of equals; None where there are none."""
    return max(lanes, key=lambda lane: lanes[lane]) if any(lanes.values()) else None


def _met(instance: ProcessInstance, definition: ProcessDefinition) -> datetime | None:
    """When the element that the deadline names was done, None where it was not yet."""
    passed = instance.passed.get(definition.deadline.satisfied_by) if definition.deadline else None
    return passed.at if passed else None


def _finish(trace: Trace) -> datetime:
    """The end of the link that meets the deadline; of the run, where it goes another way."""
    return (trace.links[trace.target].end if trace.target is not None else None) or trace.end


def _over(instance: ProcessInstance, at: datetime, returns: int, done: tuple[PlannedPass, ...],
          definition: ProcessDefinition, due: Due | None) -> Forecast:
    end = instance.ended_at or instance.last_at or at
    met = _met(instance, definition)
    return Forecast(
        at=at, returns=returns, finish=met if due else None, instance_finish=end, deadline=due.at if due else None,
        deadline_day=due.day if due else None, working_deadline=due.working if due else None,
        late_by_working_days=due.late_by(met) if due and met else 0, latest_start=None, returns_possible=None,
        passes=done, windows=(), lane_minutes={}, costliest_lane=None)


def _returns_possible(rules: Rules, ways: Ways, instance: ProcessInstance, at: datetime, due: Due, known: Trace) -> int:
    """How many returns still fit, found by doubling and halving: one more return never ends earlier."""
    def fits(returns: int) -> bool:
        trace = known if returns == known.returned else Run(
            rules, ways, instance, at, supposed(returns)).to_the_end()
        return trace.returned == returns and _finish(trace) <= due.working

    if not fits(0):
        return -1
    most, too_many = 0, 1
    while fits(too_many):
        most, too_many = too_many, too_many * 2
        if most >= MOST_RETURNS:
            return MOST_RETURNS
    while too_many - most > 1:
        middle = (most + too_many) // 2
        most, too_many = (middle, too_many) if fits(middle) else (most, middle)
    return most


# ---------------------------------------------------------------------------------------------------------------------
# Backward from the deadline
# ---------------------------------------------------------------------------------------------------------------------

def _windows(links: Sequence[Link], target: int, by: datetime) -> dict[int, Window]:
    """Place -> window, of every link that the target waits for and of itself."""
    bounds = {target: by}               # place -> the instant by which it must be over
    found: dict[int, Window] = {}
    for place in range(target, -1, -1):
        if place not in bounds:
            continue
        link, bound = links[place], bounds[place]
        start, truly = latest(link, bound)
        found[place] = Window(element=link.element, round=link.round, latest_start=start,
                              latest_finish=calendars.counted_until(bound, link.calendar))
        for one in link.before:
            bounds[one] = min(bounds.get(one, truly), truly)
    return found


def latest(link: Link, by: datetime) -> tuple[datetime, datetime]:
    """The latest start of a link that must be over by `by`: in working hours, and as an instant for what is before it.

    The two differ at a break: work that arrives in it is begun after it, so what is before has until its end.
    """
    if link.duration is None:           # no norm, or a day that comes by itself
        return calendars.counted_until(by, link.calendar), by
    if link.unit == "kalender":
        length = calendars.parse_duration(link.duration, weeks=True)
        zone = ZoneInfo(link.calendar.zone)
        start = (by - timedelta(microseconds=length.microseconds)).astimezone(zone) - timedelta(days=length.days)
        return start.astimezone(by.tzinfo), start.astimezone(by.tzinfo)
    try:
        start = calendars.latest_start([(link.duration, link.calendar)], by)
    except calendars.CalendarError as error:
        raise ForecastError(f"Jadwal mundur tidak ditemukan: {error}") from error
    close = calendars.close_of_day(start, link.calendar)
    if calendars.working_minutes(start, close, link.calendar) == 1 and (
            calendars.due_at(link.duration, close, link.calendar) <= by):
        return start, close             # the last minute of a day before a longer one: its close is early enough, too
    return start, calendars.counted_from(start, link.calendar)


# ---------------------------------------------------------------------------------------------------------------------
# With the durations really taken
# ---------------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True, kw_only=True)
class Samples:
    """What the finished passes of a process say, pooled over units.

    minutes   element -> working minutes of each finished pass, in order
    returned  element -> how many of them came back: the Step that finished it opened a user task again
    """
    minutes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    returned: Mapping[str, int] = field(default_factory=dict)

    def enough(self, element: str) -> bool:
        return len(self.minutes.get(element, ())) >= ENOUGH_PASSES

    def share_returned(self, element: str) -> float:
        return self.returned.get(element, 0) / len(self.minutes[element]) if self.enough(element) else 0.0


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """A run that has not begun, for `likelihood`."""
    definition: ProcessDefinition
    calendars: Mapping[str, str]
    data: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Likelihood:
    """What came of many supposed runs, each with durations and returns drawn from what happened before.

    finish_10, finish_50, finish_90  a tenth, half, nine tenths of the runs are done by then: the element that the
                    deadline names, the instance where there is no deadline
    measured        elements still to come whose durations were drawn: at least ENOUGH_PASSES finished passes
    standard        the others, with their norms: "belum cukup data"
    return_probability  element before a decision that can lead back -> the share of its passes that came back
    lane_minutes    lane id -> working minutes still to come, on average
    """
    runs: int
    seed: int
    probability_late: float
    finish_10: datetime
    finish_50: datetime
    finish_90: datetime
    measured: tuple[str, ...]
    standard: tuple[str, ...]
    return_probability: Mapping[str, float]
    lane_minutes: Mapping[str, int]
    costliest_lane: str | None


class Lots:
    """Lots that fall the same way for the same seed: the n-th of a run is a digest of both."""

    def __init__(self, seed: int, run: int):
        self.name, self.count = f"{seed}/{run}", 0

    def below(self, most: int) -> int:
        """A whole number from 0, below `most`."""
        self.count += 1
        digest = sha256(f"{self.name}/{self.count}".encode()).digest()
        return int.from_bytes(digest[:8], "big") * most >> 64


def likelihood(rules: Rules, instance_or_start: ProcessInstance | Beginning, at: datetime, samples: Samples, *,
               seed: int, runs: int = 200) -> Likelihood | None:
    """Run forward many times with the durations really taken. The same seed gives the same answer.

    An element has its minutes drawn from its finished passes, an open one from those that took longer than it already
    does (none did: it ends now); one with fewer than ENOUGH_PASSES has its norm. A decision that can lead back does so
    as often as the passes of the element before it did, at most MOST_RETURNS times in a run.
    None where no element still to come has enough finished passes, or the instance is over. Raises ForecastError.
    """
    if isinstance(instance_or_start, Beginning):
        start = instance_or_start
        instance = _begun(rules, start.definition, start.calendars, at, start.data)
    else:
        instance = instance_or_start
    if instance.status in (COMPLETED, CANCELLED) or not instance.marking.tokens:
        return None
    drawing = Drawing(rules, instance, at, samples)
    if not drawing.measured:
        return None
    met = _met(instance, drawing.ways.definition)
    due = Due.of(instance, rules.calendar(instance.calendars[""]))
    finishes, total = [], dict.fromkeys((lane.id for lane in drawing.ways.definition.lanes), 0)
    for number in range(runs):
        finish, minutes = drawing.run(Lots(seed, number), to_deadline=due is not None)
        finishes.append(met or finish)
        for lane, one in minutes.items():
            total[lane] = total.get(lane, 0) + one
    finishes.sort()
    late = sum(one > due.working for one in finishes) if due else 0
    lanes = {lane: round(one / runs) for lane, one in total.items()}
    return Likelihood(
        runs=runs, seed=seed, probability_late=late / runs, finish_10=finishes[-(-runs // 10) - 1],
        finish_50=finishes[-(-runs // 2) - 1], finish_90=finishes[-(-runs * 9 // 10) - 1],
        measured=tuple(drawing.measured), standard=tuple(drawing.standard),
        return_probability={one: samples.share_returned(one) for one in sorted(drawing.decided)},
        lane_minutes={lane: one for lane, one in lanes.items() if one}, costliest_lane=costliest(lanes))


class Drawing:
    """Many runs of one instance. A run is supposed once for each series of decisions, then only timed again.

    tree  decisions so far (True: returned) -> the element after which the next is asked, or the run that they make
    """

    def __init__(self, rules: Rules, instance: ProcessInstance, at: datetime, samples: Samples):
        self.rules, self.instance, self.at, self.samples = rules, instance, at, samples
        self.ways = Ways(rules.definition(instance.definition))
        self.tree: dict[tuple[bool, ...], str | Trace] = {}
        self.decided: set[str] = set()
        ahead = {link.element: None for link in self.trace(Lots(0, 0)).links if link.user_task}
        self.measured = [one for one in ahead if samples.enough(one)]
        self.standard = [one for one in ahead if not samples.enough(one)]

    def run(self, lots: Lots, to_deadline: bool) -> tuple[datetime, dict[str, int]]:
        """(the finish, working minutes still to come by lane) of one run."""
        trace = self.trace(lots)
        ends: list[datetime] = []
        minutes: dict[str, int] = {}
        steady = self.ways.steady
        for place, link in enumerate(trace.links):
            assert link.end is not None, "a run to its end has ended every pass"
            start = link.start if link.open or not steady else max(ends[one] for one in link.before)
            end = max(self.ends(lots)(place, link, start), self.at) if steady else link.end
            ends.append(end)
            if link.user_task:
                left = calendars.working_minutes(max(start, self.at), end, link.calendar)
                minutes[link.lane] = minutes.get(link.lane, 0) + left
        finish = ends[trace.target] if to_deadline and trace.target is not None else (
            max(ends) if steady else trace.end)
        return finish, minutes

    def trace(self, lots: Lots) -> Trace:
        """The run whose decisions fall as these lots say."""
        made: tuple[bool, ...] = ()
        while isinstance(one := self.tree.get(made), str):
            made = (*made, self.returns(one, len(made), lots))
        if one is not None and self.ways.steady:
            return one
        given, made = list(made), ()

        def again(element: str) -> bool:
            nonlocal made
            self.tree[made] = element
            self.decided.add(element)
            taken = given[len(made)] if len(made) < len(given) else self.returns(element, len(made), lots)
            made = (*made, taken)
            return taken

        if self.ways.steady:
            found = Run(self.rules, self.ways, self.instance, self.at, again).to_the_end()
        else:
            found = Run(self.rules, self.ways, self.instance, self.at, again, self.ends(lots)).to_the_end()
        self.tree[made] = found
        return found

    def returns(self, element: str, before: int, lots: Lots) -> bool:
        if before >= MOST_RETURNS or not self.samples.enough(element):
            return False
        return lots.below(len(self.samples.minutes[element])) < self.samples.returned.get(element, 0)

    def ends(self, lots: Lots) -> Ends:
        def over(place: int, link: Link, start: datetime) -> datetime:
            if link.user_task and self.samples.enough(link.element):
                taken = self.samples.minutes[link.element]
                if link.open:
                    so_far = calendars.working_minutes(start, max(start, self.at), link.calendar)
                    taken = tuple(one for one in taken if one > so_far)
                    if not taken:
                        return self.at
                minutes = taken[lots.below(len(taken))]
                return calendars.due_at(f"PT{minutes}M", start, link.calendar) if minutes > 0 else start
            if link.open or (link.duration is None and not link.user_task):
                return max(link.expected, start)
            if link.duration is None:
                return start
            if link.unit == "kalender":
                return calendars.wall_clock_due(link.duration, start, link.calendar.zone)
            return calendars.due_at(link.duration, start, link.calendar)

        return over
