"""SpiffWorkflow behind a pure function: the only module where it runs.

A transition takes a marking, builds the few SpiffWorkflow tasks that it stands for, lets SpiffWorkflow move them, and
reads the new marking and all that happened from what the engine did. The workflow lives for these few milliseconds
and never escapes. SpiffWorkflow's own specification is built from our ProcessDefinition, never parsed: its parser
loses lanes and takes the order of branches from the drawing. What stands in a subprocess stands flat in it: that a
subprocess ends when nothing is left inside, and when an inclusive join goes on, is said here, because SpiffWorkflow's
own answers need every task that ever was.

A transition depends on nothing but the definition, the marking, the act and the truth of the conditions it met, so
that it can be remembered (`Transitions`); a remembered one gives the identical result.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.bpmn.specs.control import BoundaryEventJoin, BoundaryEventSplit, SimpleBpmnTask
from SpiffWorkflow.bpmn.specs.defaults import (
    BoundaryEvent,
    EndEvent,
    ExclusiveGateway,
    IntermediateCatchEvent,
    IntermediateThrowEvent,
    ParallelGateway,
    StartEvent,
    UserTask,
)
from SpiffWorkflow.bpmn.specs.event_definitions.simple import NoneEventDefinition, TerminateEventDefinition
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.exceptions import WorkflowException
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from .definition import DECIDING, Element, ProcessDefinition, SequenceFlow
from .marking import ACTIVE, ARMED, ARRIVED, OPEN, WAITING, Marking, Token
from .timers import ClocklessTimer

ENGINE = "alur 1, SpiffWorkflow 3.2.0"
LEAVING = ":leave"              # after the id of a subprocess: its way out; no id of a diagram holds a colon
MOST_STEPS = 200                # engine steps in one transition
MOST_TOKENS = 200               # live tokens of one instance

Choose = Callable[[SequenceFlow], bool]
"""Whether the condition of a flow holds. Raises what evaluating raises."""


class Stuck(Exception):
    """The engine cannot go on: no way out of a gateway, or past a limit. Becomes an incident, never a lost token."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that the engine did, in the order in which it did it.

    kind    entered, left, decided, opened (a user task), armed (a timer), fired, cancelled, consumed (by a join)
    flow    entered: the sequence flow it came by; left: the one it goes by ("" at an end); decided: the one asked
    result  decided: what the condition was
    """
    kind: str
    number: int
    element: str
    flow: str = ""
    result: bool | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    marking: Marking
    happenings: tuple[Happening, ...]


# A transition with relative numbers: its tokens (number, element, parent, status), how many numbers were drawn, and
# what happened (kind, number, element, flow, result).
Remembered = tuple[tuple[tuple[int, str, int | None, str], ...], int,
                   tuple[tuple[str, int, str, str, bool | None], ...]]


class NoScripts:
    """Stands where SpiffWorkflow keeps its Python engine, and where that keeps its environment. Nothing in a diagram is
    code: it refuses all it is asked, by whatever name.

    SpiffWorkflow asks the environment directly for correlations and ad-hoc conditions, past its engine. Every workflow
    here is made by `Run`, also of a stored marking: nothing of SpiffWorkflow's own is ever restored.
    """

    def __getattr__(self, name: str) -> Any:
        raise Stuck(f"SpiffWorkflow asked for a script to be run ({name}); no diagram carries one.")

    @property
    def environment(self) -> NoScripts:
        return self

    def _refuse(self, *arguments: Any, **named: Any) -> NoReturn:
        raise Stuck("SpiffWorkflow asked for a script to be run; no diagram carries one.")

    evaluate = execute = call_service = validate = _refuse


class Gateway(ExclusiveGateway):        # type: ignore[misc]  # SpiffWorkflow has no types
    """SpiffWorkflow's decision, without its prediction of the whole path behind it: the first flow whose condition
    holds, of an inclusive one every such flow, in document order; the default where none does."""

    inclusive = False

    def _run_hook(self, task: Task) -> bool:
        outputs: list[str] = []
        for condition, name in self.cond_task_specs:
            if condition is not None and (self.inclusive or not outputs) and condition._matches(task):
                outputs.append(name)
        if not outputs and self.default_task_spec is None:
            raise Stuck(f"No condition holds at {self.name!r}, and it has no default flow.")
        specs = self._wf_spec.task_specs
        task._sync_children([specs[one] for one in outputs or [self.default_task_spec]], TaskState.FUTURE)
        return True


class Condition:
    """The condition of one sequence flow: asks the run in progress, which knows how to answer."""

    def __init__(self, flow: SequenceFlow):
        self.flow = flow

    def _matches(self, task: Task) -> bool:
        return task.workflow.run.decide(self.flow)


def specification(definition: ProcessDefinition) -> BpmnProcessSpec:
    """The process as SpiffWorkflow's specification, in document order. The deadline is not in it."""
    spec = BpmnProcessSpec(definition.key)
    elements = definition.elements.values()
    nodes = {one.id: node(spec, one) for one in elements}
    entry = dict(nodes)             # what a flow into the element leads to
    for one in elements:
        events = definition.boundary_events[one.id]
        if one.kind == "subProcess":
            for event in events:            # SpiffWorkflow wants all to come from somewhere
                spec.start.connect(nodes[event.id])
        if not events or one.kind == "subProcess":
            continue
        split = BoundaryEventSplit(spec, f"{one.id}.BoundaryEventSplit")
        join = BoundaryEventJoin(spec, f"{one.id}.BoundaryEventJoin", split_task=split.name, cancel=True)
        entry[one.id] = split
        split.connect(nodes[one.id])
        nodes[one.id].connect(join)
        for event in events:
            split.connect(nodes[event.id])
            nodes[event.id].connect(join)
    for one in elements:
        flows, source = definition.outgoing[one.id], nodes[one.id]
        if one.kind == "subProcess":
            source.connect(entry[definition.scopes[one.id].start.id])
            source = SimpleBpmnTask(spec, one.id + LEAVING)
        for flow in flows:
            target = entry[flow.target]
            if one.kind in DECIDING and len(flows) > 1 and not flow.default:
                source.connect_if(Condition(flow), target)
            else:
                source.connect(target)
    spec.start.connect(entry[definition.start.id])
    return spec


def node(spec: BpmnProcessSpec, element: Element) -> Any:
    match element.kind:
        case "startEvent":
            return StartEvent(spec, element.id, NoneEventDefinition())
        case "endEvent":
            # One that terminates a subprocess ends no more than that, which SpiffWorkflow does not see here.
            ends_all = element.terminate and element.within is None
            return EndEvent(spec, element.id, TerminateEventDefinition() if ends_all else NoneEventDefinition())
        case "userTask":
            return UserTask(spec, element.id)
        case "exclusiveGateway" | "inclusiveGateway":
            gateway = Gateway(spec, element.id)
            gateway.inclusive = element.kind == "inclusiveGateway"
            return gateway
        case "parallelGateway":
            return ParallelGateway(spec, element.id)
        case "intermediateThrowEvent":
            return IntermediateThrowEvent(spec, element.id, NoneEventDefinition())
        case "subProcess":
            return SimpleBpmnTask(spec, element.id)
        case "intermediateCatchEvent":
            return IntermediateCatchEvent(spec, element.id, ClocklessTimer(element.id))
        case "boundaryEvent":
            return BoundaryEvent(spec, element.id, ClocklessTimer(element.id), element.interrupting)
    raise Stuck(f"{element.id!r} is a {element.kind}, which is not run here; the gate should have refused it.")


def element_of(task: Task) -> str:
    """The id of the element that a task of SpiffWorkflow stands for, or is a part of."""
    name: str = task.task_spec.name
    return name.removesuffix(LEAVING).removesuffix(".BoundaryEventSplit").removesuffix(".BoundaryEventJoin")


class Run:
    """One transition while it happens: SpiffWorkflow's tasks beside our tokens."""

    def __init__(self, definition: ProcessDefinition, spec: BpmnProcessSpec, marking: Marking, choose: Choose):
        self.definition, self.choose, self.next = definition, choose, marking.next
        self.happenings: list[Happening] = []
        self.numbers: dict[object, int] = {}            # SpiffWorkflow's task id -> our number
        self.flow_of: dict[object, str] = {}            # a task that arrived at a join -> the flow it came by
        self.kept = [t for t in marking.tokens if t.status == ARMED]
        self.parents: dict[int, int] = {}               # a boundary timer's number -> its user task's or subprocess's
        self.live: dict[int, Task] = {}                 # tokens that may yet be cancelled
        self.active: dict[int, str] = {}                # the number of a token that rests on a subprocess -> its id
        self.workflow = BpmnWorkflow(spec, script_engine=NoScripts(), deserializing=True)
        self.workflow.run = self
        self.root = Task(self.workflow, spec.start, state=TaskState.COMPLETED)
        self.workflow.task_tree = self.root
        self.restore(marking)

    def restore(self, marking: Marking) -> None:
        specs, splits, arrived = self.workflow.spec.task_specs, {}, set()
        for token in marking.tokens:
            if token.status == OPEN:
                parent = self.root
                if self.definition.boundary_events[token.element]:
                    split = specs[f"{token.element}.BoundaryEventSplit"]
                    parent = splits[token.number] = Task(self.workflow, split, self.root, TaskState.COMPLETED)
                self.know(Task(self.workflow, specs[token.element], parent, TaskState.READY), token.number)
            elif token.status == ACTIVE:
                self.active[token.number] = token.element
        for token in marking.tokens:
            if token.status == WAITING:
                parent = splits.get(token.parent, self.root)
                task = Task(self.workflow, specs[token.element], parent, TaskState.WAITING)
                self.workflow.event_manager.add_task(task)
                self.know(task, token.number)
                if token.parent:
                    self.parents[token.number] = token.parent
            elif token.status == ARRIVED:
                flow = self.definition.flows[token.element]
                if flow.id in arrived and flow.target not in self.definition.ways_to:
                    self.kept.append(token)             # a second one on the same flow waits for the next round
                    continue
                arrived.add(flow.id)
                way = LEAVING if self.definition.elements[flow.source].kind == "subProcess" else ""
                source = Task(self.workflow, specs[flow.source + way], self.root, TaskState.COMPLETED)
                task = Task(self.workflow, specs[flow.target], source, TaskState.CANCELLED)
                self.numbers[task.id], self.flow_of[task.id] = token.number, flow.id

    def know(self, task: Task, number: int) -> None:
        self.numbers[task.id], self.live[number] = number, task

    def draw(self) -> int:
        self.next += 1
        return self.next - 1

    def tell(self, kind: str, number: int, element: str, flow: str = "", result: bool | None = None) -> None:
        self.happenings.append(Happening(kind, number, element, flow, result))

    def decide(self, flow: SequenceFlow) -> bool:
        result = self.choose(flow)
        self.tell("decided", self.deciding, flow.source, flow.id, result)
        return result

    # What can be asked of an instance

    def start(self) -> None:
        start = self.definition.start.id
        child = Task(self.workflow, self.workflow.spec.task_specs[start], self.root, TaskState.FUTURE)
        number = self.draw()
        self.know(child, number)
        self.tell("entered", number, start)
        child.task_spec._update(child)
        self.go_on()

    def complete(self, number: int) -> None:
        self.run(self.live[number])
        self.go_on()

    def fire(self, number: int, again: bool) -> None:
        task = self.live[number]
        element = self.definition.elements[task.task_spec.name]
        self.tell("fired", number, element.id)
        if again:           # a cycle: this firing goes its way, and a new token waits for the next
            twin = Task(self.workflow, task.task_spec, task.parent, TaskState.WAITING)
            self.workflow.event_manager.add_task(twin)
            self.know(twin, self.draw())
            if number in self.parents:
                self.parents[self.numbers[twin.id]] = self.parents[number]
        task.internal_data["event_fired"] = True
        task.task_spec._update(task)
        self.run(task)
        if again:
            self.tell("armed", self.numbers[twin.id], element.id)
        self.go_on()

    # How the engine goes on

    def go_on(self) -> None:
        """Run what needs nobody, one at a time, in the order in which it became ready; then the joins and subprocesses
        that wait for nothing any more."""
        for _ in range(MOST_STEPS):
            ready = next((t for t in self.workflow.tasks.values()
                          if t._state == TaskState.READY and not t.task_spec.manual), None)
            ready = ready or self.ready_join() or self.ready_end()
            if ready is None:
                return
            self.run(ready)
        raise Stuck(f"More than {MOST_STEPS} engine steps after one command.")

    def ready_join(self) -> Task | None:
        """An inclusive join to which no more tokens can come, with the tokens that have come as one.

        Source: BPMN 2.0.2, 13.4.3: a token elsewhere holds it up when it can come to a flow that has none yet, and to
        none of those that have one, without passing the join.
        """
        for join, reached in self.definition.ways_to.items():
            arrived: dict[str, object] = {}         # flow -> the task of the first that came by it
            for id, flow in self.flow_of.items():
                if self.definition.flows[flow].target == join:
                    arrived.setdefault(flow, id)
            if not arrived:
                continue
            ways = [reached.get(element, frozenset()) for element in self.places() if element != join]
            if any(way and way.isdisjoint(arrived) for way in ways):
                continue
            number = max(self.numbers[id] for id in arrived.values())
            for flow, id in arrived.items():
                if self.numbers[id] != number:
                    self.tell("consumed", self.numbers[id], join, flow)
                del self.flow_of[id]
            return self.task_of(join, number)
        return None

    def ready_end(self) -> Task | None:
        """The way out of a subprocess in which nothing is left; the timers at its edge are over."""
        for number, id in self.active.items():
            if not any(id in self.definition.around(one) for one in self.places()):
                del self.active[number]
                self.cancel([n for n, parent in self.parents.items() if parent == number])
                return self.task_of(id + LEAVING, number)
        return None

    def places(self) -> list[str]:
        """The elements where tokens are; before a join, the join."""
        arrived = [self.definition.flows[t.element].target for t in self.kept if t.status == ARRIVED]
        arrived += [self.definition.flows[flow].target for flow in self.flow_of.values()]
        return [*(task.task_spec.name for task in self.live.values()), *self.active.values(), *arrived]

    def task_of(self, name: str, number: int) -> Task:
        task = Task(self.workflow, self.workflow.spec.task_specs[name], self.root, TaskState.READY)
        self.numbers[task.id] = number
        return task

    def cancel(self, numbers: list[int]) -> None:
        for number in numbers:
            if task := self.live.pop(number, None):
                task._set_state(TaskState.CANCELLED)
                self.tell("cancelled", number, task.task_spec.name)

    def clear(self, scope: str | None) -> None:
        """Nothing goes on in a subprocess (None: in the whole process)."""
        def inside(element: str) -> bool:
            return scope is None or (element in self.definition.elements and scope in self.definition.around(element))

        for task in self.workflow.tasks.values():
            if task._state == TaskState.READY and not task.task_spec.manual and inside(element_of(task)):
                task._set_state(TaskState.CANCELLED)
        self.cancel([number for number, task in sorted(self.live.items()) if inside(task.task_spec.name)])
        for id in [id for id, flow in self.flow_of.items() if inside(self.definition.flows[flow].target)]:
            del self.flow_of[id]
            self.workflow._remove_task(id)          # else its join would count it, should the next round come at once
        self.kept = [t for t in self.kept if t.status == ARMED or not inside(self.definition.flows[t.element].target)]
        for number, id in sorted(self.active.items(), reverse=True):
            if inside(id):
                del self.active[number]
                self.tell("left", number, id)

    def interrupt(self, timer: int, number: int) -> None:
        """A timer at the edge of a subprocess takes it away, with all that goes on in it and its other timers."""
        id = self.active.pop(number)
        self.clear(id)
        self.tell("left", number, id)
        self.cancel([n for n, parent in self.parents.items() if parent == number and n != timer])

    def run(self, task: Task) -> None:
        spec = task.task_spec
        self.deciding = self.numbers.get(task.id, 0)
        if not task._children and not isinstance(spec, Gateway):
            spec._predict_hook(task)            # its children, one level deep: all that running it needs
        try:
            task.run()
        except WorkflowException as error:
            raise Stuck(str(error)) from error
        for number, one in list(self.live.items()):     # first what an interrupting event takes away, then its way
            if one._state == TaskState.CANCELLED:
                self.tell("cancelled", number, one.task_spec.name)
                del self.live[number]
        element = self.definition.elements.get(spec.name.removesuffix(LEAVING))
        if isinstance(spec, BoundaryEventSplit):
            self.open_activity(task)
        elif element and element.id == spec.name and element.kind == "subProcess":
            self.open_subprocess(task)
        elif element:
            if element.interrupting and element.attached_to in self.active.values():
                self.interrupt(self.deciding, self.parents[self.deciding])
            elif element.terminate:
                self.clear(element.within)
            self.leave(task, element.id)

    def open_subprocess(self, task: Task) -> None:
        """The token rests on it while another starts inside; the timers at its edge begin."""
        number, id = self.numbers[task.id], task.task_spec.name
        self.active[number] = id
        for event in self.definition.boundary_events[id]:
            self.wait(event.id, self.draw(), number)
        (start,) = task.children
        self.numbers[start.id] = self.draw()
        self.tell("entered", self.numbers[start.id], start.task_spec.name)

    def wait(self, timer: str, number: int, parent: int) -> None:
        task = Task(self.workflow, self.workflow.spec.task_specs[timer], self.root, TaskState.WAITING)
        self.workflow.event_manager.add_task(task)
        self.parents[number] = parent
        self.know(task, number)
        self.tell("armed", number, timer)

    def open_activity(self, split: Task) -> None:
        number = self.numbers[split.id]
        for child in split.children:
            if child.task_spec.manual:
                self.know(child, number)
                self.tell("opened", number, child.task_spec.name)
        for child in split.children:
            if not child.task_spec.manual:
                timer = self.draw()
                self.parents[timer] = number
                self.know(child, timer)
                self.tell("armed", timer, child.task_spec.name)

    def leave(self, task: Task, element: str) -> None:
        number = self.numbers[task.id]
        self.live.pop(number, None)
        if self.definition.elements[element].kind == "parallelGateway":
            self.consume(element, number)
        went = [(c, c.task_spec.name.removesuffix(".BoundaryEventSplit")) for c in task.children
                if not isinstance(c.task_spec, BoundaryEventJoin)]
        flows = {f.target: f.id for f in self.definition.outgoing[element]}
        self.tell("left", number, element, flows[went[0][1]] if len(went) == 1 else "")
        for child, target in went:
            self.enter(child, target, flows[target])

    def enter(self, task: Task, element: str, flow: str) -> None:
        number = self.draw()
        self.numbers[task.id] = number
        self.tell("entered", number, element, flow)
        kind = self.definition.elements[element].kind
        if kind == "userTask" and task.task_spec.manual:
            self.know(task, number)
            self.tell("opened", number, element)
        elif kind == "intermediateCatchEvent":
            self.know(task, number)
            self.tell("armed", number, element)
        elif kind == "parallelGateway":
            self.flow_of[task.id] = flow
        elif element in self.definition.ways_to:        # it goes on when it may: `ready_join`
            self.flow_of[task.id] = flow
            task._set_state(TaskState.CANCELLED)

    def consume(self, element: str, number: int) -> None:
        """The join fired: one token of each incoming flow is gone, and goes on as `number`."""
        for id in [id for id, flow in self.flow_of.items() if self.definition.flows[flow].target == element]:
            if self.numbers[id] <= number:
                if self.numbers[id] != number:
                    self.tell("consumed", self.numbers[id], element, self.flow_of[id])
                del self.flow_of[id]

    def transition(self) -> Transition:
        tokens = list(self.kept)
        for number, task in self.live.items():
            status = OPEN if task.task_spec.manual else WAITING
            tokens.append(Token(number, task.task_spec.name, self.parents.get(number, 0), status))
        tokens += [Token(number, element, 0, ACTIVE) for number, element in self.active.items()]
        tokens += [Token(self.numbers[id], flow, 0, ARRIVED) for id, flow in self.flow_of.items()]
        if len(tokens) > MOST_TOKENS:
            raise Stuck(f"{len(tokens)} live tokens; one instance may have {MOST_TOKENS}.")
        tokens.sort(key=lambda token: token.number)
        return Transition(Marking(tuple(tokens), self.next), tuple(self.happenings))


class Transitions:
    """The transitions of one process definition, each run by SpiffWorkflow once and remembered.

    A marking is remembered by its shape: elements, statuses and who belongs to whom, without the numbers. What is
    remembered is the path of conditions met and, at its end, the result with numbers relative to the marking's own.
    """

    def __init__(self, definition: ProcessDefinition, remember: bool = True):
        self.definition, self.spec, self.remember = definition, specification(definition), remember
        # By shape; what is there is a result, or the flow to ask for with what follows from either answer.
        self.known: dict[object, Any] = {}

    def start(self, choose: Choose) -> Transition:
        return self.take("start", Marking(), 0, choose, False)

    def complete(self, marking: Marking, number: int, choose: Choose) -> Transition:
        return self.take("complete", marking, number, choose, False)

    def fire(self, marking: Marking, number: int, choose: Choose, again: bool = False) -> Transition:
        """`again`: a cycle that fires more often; a new token waits for the next time."""
        return self.take("fire", marking, number, choose, again)

    def take(self, act: str, marking: Marking, number: int, choose: Choose, again: bool) -> Transition:
        if not self.remember:
            return self.run(act, marking, number, choose, again)
        place = {t.number: i for i, t in enumerate(marking.tokens)}
        tokens = tuple((t.element, place.get(t.parent, -1), t.status) for t in marking.tokens)
        shape = (act, again, place.get(number), tokens)
        asked: dict[str, bool] = {}
        known = self.known.get(shape)
        while isinstance(known, dict):
            flow = self.definition.flows[known["flow"]]
            asked[flow.id] = choose(flow)
            known = known.get(asked[flow.id])
        if known is None:
            met: list[tuple[str, bool]] = []

            def ask(flow: SequenceFlow) -> bool:
                answer = asked[flow.id] if flow.id in asked else choose(flow)
                met.append((flow.id, answer))
                return answer

            found = self.run(act, marking, number, ask, again)
            self.learn(shape, met, relative(found, marking, place))
            return found
        return absolute(known, marking)

    def run(self, act: str, marking: Marking, number: int, choose: Choose, again: bool) -> Transition:
        run = Run(self.definition, self.spec, marking, choose)
        if act == "start":
            run.start()
        elif act == "complete":
            run.complete(number)
        else:
            run.fire(number, again)
        return run.transition()

    def learn(self, shape: object, met: list[tuple[str, bool]], result: Remembered) -> None:
        if len({flow for flow, _ in met}) < len(met):
            return              # the same condition twice in one transition: it may not be asked only once
        if len(self.known) > 10_000:
            self.known.clear()
        place, key = self.known, shape
        for flow, answer in met:
            place = place.setdefault(key, {"flow": flow})
            key = answer
        place[key] = result


def relative(found: Transition, before: Marking, place: dict[int, int]) -> Remembered:
    """Numbers as (place in the marking before) for old tokens, -1 - n for the n-th new one."""
    def short(number: int) -> int:
        return place[number] if number in place else -1 - (number - before.next)
    rows = tuple((short(t.number), t.element, short(t.parent) if t.parent else None, t.status)
                 for t in found.marking.tokens)
    happened = tuple((h.kind, short(h.number), h.element, h.flow, h.result) for h in found.happenings)
    return rows, found.marking.next - before.next, happened


def absolute(known: Remembered, before: Marking) -> Transition:
    rows, drawn, happened = known
    old, first = before.tokens, before.next

    def number(short: int) -> int:
        return old[short].number if short >= 0 else first - 1 - short
    tokens = tuple([old[n] if n >= 0 else Token(number(n), element, 0 if parent is None else number(parent), status)
                    for n, element, parent, status in rows])
    happenings = tuple([Happening(kind, number(n), element, flow, result)
                        for kind, n, element, flow, result in happened])
    return Transition(Marking(tokens, first + drawn), happenings)
