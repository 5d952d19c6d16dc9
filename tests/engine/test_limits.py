"""Every bound on what a command may do, reached through `decide`: nothing moves, and it is said."""
from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine, TaskDataEnvironment
from SpiffWorkflow.bpmn.specs.event_definitions.message import CorrelationProperty, MessageEventDefinition

from engine import execution, expressions, process, requirements
from engine.commands import CompleteUserTask, Correct, FireTimer, StartProcessInstance
from engine.definition import Element, Field, ProcessDefinition, SequenceFlow, Timer
from engine.events import IncidentRaised
from engine.execution import NoScripts, Run, Stuck, specification
from engine.instance import Refused
from engine.limits import BOUNDS, INCIDENT, REFUSED
from engine.marking import OPEN, WAITING, Marking, Token
from tests.story import ADMINISTRATOR, CLOCK, FIVE_DAYS, STAFF, Case, definition, fresh, given, lkjpd_before

HOSTILE_IDS = ("typename", "__class__", "__builtins__", "__init__", "constructor", "__proto__", "serializer_version")


def plain(*form: Field, **more: Any) -> ProcessDefinition:
    """Three tasks, the first with this form, past the gate."""
    one = definition("three_tasks")
    write = replace(one.elements["write"], form=form, **more)
    return rewired(one, {**one.elements, "write": write}, dict(one.flows))


def asking(condition: str, *form: Field) -> ProcessDefinition:
    """Three tasks, the first asking `condition` where it leads on, past the gate."""
    one = plain(*form)
    (flow,) = one.outgoing["write"]
    gateway = Element(id="which", kind="exclusiveGateway", name="Which?", lane=one.elements["write"].lane)
    to, yes = replace(flow, target="which"), SequenceFlow(id="yes", source="which", target=flow.target,
                                                          condition=condition)
    no = SequenceFlow(id="no", source="which", target=flow.target, condition="= false")
    return rewired(one, {**one.elements, "which": gateway}, {**one.flows, to.id: to, "yes": yes, "no": no})


def rewired(one: ProcessDefinition, elements: dict[str, Any], flows: dict[str, Any]) -> ProcessDefinition:
    return replace(one, sha256="f" * 64, elements=elements, flows=flows)


def stopped(before: Case, act: Any, who: Any = STAFF) -> IncidentRaised:
    """The incident that an act ended in; nothing else happened."""
    after = before.when(act, who)
    (incident,) = after.events
    assert isinstance(incident, IncidentRaised)
    assert after.steps[-1].marking == before.instance.marking and after.instance.data == before.instance.data
    assert after.instance.user_tasks == before.instance.user_tasks
    assert getattr(after.steps[-1].command.act, "data", {}) == {}        # a draft is no fact: the caller keeps it
    again = list(process.replay(after.rules, ((step, step.marking.hash) for step in after.steps), "one"))
    assert again[-1][0] == after.instance
    return incident


def completing(case: Case, element: str, **data: Any) -> CompleteUserTask:
    return CompleteUserTask(user_task=case.task(element).number, data=data)


def steps() -> IncidentRaised:
    """A loop of gateways, which the gate refuses: more engine steps than one command may cause."""
    one = asking("= true")
    back = replace(one.flows["yes"], target="which")
    case = given(rewired(one, dict(one.elements), {**one.flows, "yes": back}))
    return stopped(case, completing(case, "write"))


def tokens() -> IncidentRaised:
    case = given(plain())
    many = tuple(Token(n, "write", 0, OPEN) for n in range(2, limits_of("tokens") + 3))
    case = replace(case, instance=replace(case.instance, marking=Marking(many, len(many) + 3)), steps=())
    after = case.when(completing(case, "write"))
    (incident,) = after.events
    assert after.steps[-1].marking == case.instance.marking
    return incident


def multi_instance() -> IncidentRaised:
    one = definition("three_tasks")
    read = replace(one.elements["read"], kind="multiInstance")
    strange = replace(rewired(one, {**plain().elements, "read": read}, dict(one.flows)), sha256="e" * 64)
    known = given(plain())
    case = replace(known.knowing(strange), definition=strange,
                   instance=replace(known.instance, definition=strange.sha256))
    after = case.when(completing(case, "write"))
    assert after.steps[-1].marking == case.instance.marking
    return after.events[0]


def asked(condition: str) -> IncidentRaised:
    case = given(asking(condition))
    return stopped(case, completing(case, "write"))


def fuel_together() -> IncidentRaised:
    """Many expressions, each within its own fuel."""
    heavy = "count(for i in 1..100, j in 1..70 return i * j) > 0"
    form = tuple(Field(id=f"f{n}", label=f"F{n}", type="string", shown_if=heavy) for n in range(60))
    case = given(plain(*form))
    return stopped(case, completing(case, "write"))


def instance_bytes() -> IncidentRaised:
    case = given(plain())
    case = replace(case, instance=replace(case.instance, data={"old": "x" * (process.MOST_INSTANCE_BYTES + 1)}))
    after = case.when(completing(case, "write"))
    assert after.steps[-1].marking == case.instance.marking
    return after.events[0]


def limits_of(name: str) -> int:
    return next(one.most for one in BOUNDS if one.name == name)


REACHED: dict[str, Callable[[], IncidentRaised]] = {
    "steps": steps, "tokens": tokens, "multi_instance": multi_instance, "fuel_together": fuel_together,
    "instance_bytes": instance_bytes,
    "fuel": lambda: asked("= count(for i in 1..100, j in 1..90 return i * j + i - j) > 0"),
    "source": lambda: asked("= " + "1 + " * 1_500 + "1 > 0"),
    "nesting": lambda: asked("= " + "(" * 70 + "1" + ")" * 70 + " > 0"),
    "text_made": lambda: asked('= string length(string join(for i in 1..9000 return "xxxxxxxxxxxxxxxxxxxx")) > 0'),
    "list_made": lambda: asked("= count(for i in 1..200, j in 1..60 return 1) > 0"),
}


@pytest.mark.parametrize("name", [one.name for one in BOUNDS if one.passing == INCIDENT])
def test_every_bound_of_an_instance_is_reached_and_stops_it_as_it_was(name: str) -> None:
    incident = REACHED[name]()
    assert incident.kind in ("limit", "stuck", "condition") and incident.number == 1 and incident.detail
    assert (incident.kind == "limit") == (name in ("fuel_together", "instance_bytes"))


def refused(name: str) -> Refused:
    case = lkjpd_before(1)
    task = case.task("langkah_1").number
    who = next(step.command.actor for step in case.steps)
    camat = replace(who, person="camat", lanes=("kepala_pd",))
    value: dict[str, Any] = {
        "command_bytes": {"arahan": "x" * (process.MOST_DATA_BYTES + 1)},
        "depth": {"arahan": nested(process.MOST_DEPTH + 1)},
        "text": {"arahan": "x" * (requirements.LONGEST_TEXT + 1)}}.get(name, {})
    return case.refuses(CompleteUserTask(user_task=task, data=value), camat)


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("name", ["command_bytes", "depth", "text"])
def test_what_somebody_can_mend_is_said_to_them_and_is_no_incident(name: str) -> None:
    assert refused(name).code in ("wrong", "incomplete")


def test_rows_and_files_have_their_bounds_too() -> None:
    field = Field(id="t", label="T", type="table")
    rows = [{} for _ in range(requirements.MOST_ROWS + 1)]
    (problem,) = requirements.faults(field, rows, {}, given("three_tasks").instance.last_at)
    assert str(requirements.MOST_ROWS) in problem.message
    assert {one.name for one in BOUNDS if one.passing == REFUSED} == {"command_bytes", "depth", "text", "rows", "files"}
    assert limits_of("files") == process.MOST_FILES and limits_of("fuel") == expressions.FUEL
    assert limits_of("steps") == execution.MOST_STEPS


def test_a_value_nested_a_hundred_thousand_deep_is_weighed_without_a_stack() -> None:
    assert process.weigh({"a": nested(100_000)})[1] > process.MOST_DEPTH
    case = given("three_tasks")
    assert case.refuses(completing(case, "write", tinggi=nested(100_000))).code == "wrong"
    assert case.refuses(Correct(data={"x": nested(100_000)}, reason="x"), ADMINISTRATOR).code == "wrong"


# Names

def test_only_declared_fields_are_taken_and_engine_names_are_only_names() -> None:
    case = given(plain())
    extra = {**{key: {"typename": "Task", "__class__": "os"} for key in HOSTILE_IDS}, "status": "completed"}
    after = case.when(completing(case, "write", **extra))
    assert not extra.keys() & after.instance.data.keys() and after.open == ["read"]
    form = tuple(Field(id=id, label=id, type="string") for id in HOSTILE_IDS)
    strange = given(plain(*form))
    after = strange.when(completing(strange, "write", **dict.fromkeys(HOSTILE_IDS, "__import__('os').getpid()")))
    assert after.instance.data == dict.fromkeys(HOSTILE_IDS, "__import__('os').getpid()") and after.open == ["read"]


# Nothing is code

WATCHED: list[tuple[str, str]] = []
WATCHING = [False]


def hear(event: str, given: tuple[Any, ...]) -> None:
    if WATCHING[0] and event in ("compile", "exec"):
        name = getattr(given[0], "co_filename", None) if event == "exec" else given[1]
        if (event == "compile" and given[0] is not None) or name == "<string>":
            WATCHED.append((event, str(given[0])[:80]))


sys.addaudithook(hear)      # cannot be taken away again: it listens only while WATCHING


@contextmanager
def nothing_compiled() -> Iterator[None]:
    WATCHED.clear()
    WATCHING[0] = True
    try:
        yield
    finally:
        WATCHING[0] = False
    assert WATCHED == []


CODE = ("__import__('os').system('true')", "=__import__('os').system('true')", "exec('1')", "= exec(\"1\")",
        "[x for x in ().__class__.__base__.__subclasses__()]", "= ().__class__", "lambda: 1", "= eval(\"1\") = 1")


@pytest.mark.parametrize("code", CODE)
def test_code_in_a_definition_past_the_gate_is_never_compiled(code: str) -> None:
    given(asking("= true"))                             # what is imported late, is imported now
    with nothing_compiled():
        case = given(asking(code))
        assert case.when(completing(case, "write")).events[0].kind == "condition"
        one = definition("interrupting_timer")
        timed = next(e for e in one.elements.values() if e.timer)
        for kind in ("duration", "date", "cycle"):
            wrong = replace(timed, timer=replace(timed.timer, kind=kind, expression=code))
            hostile = fresh(rewired(one, {**one.elements, timed.id: wrong}, dict(one.flows)))
            hostile.refuses(StartProcessInstance(key=one.key, definition="f" * 64, unit="unit",
                                                 calendars={"": FIVE_DAYS}))
        form = (Field(id="a", label="A", type="string", initial=code, shown_if=code, required_if=code, valid_if=code),)
        formed = given(plain(*form))
        assert formed.when(completing(formed, "write", a="x")).events[0].kind == "condition"


def test_spiffworkflow_finds_no_python_also_after_a_restore() -> None:
    one = definition("three_tasks")
    marking = Marking((Token(2, "write", 0, OPEN),), 3)
    for stood in (Marking(), marking):
        run = Run(one, specification(one), stood, lambda flow: True)
        engine = run.workflow.script_engine
        assert isinstance(engine, NoScripts) and not isinstance(engine, PythonScriptEngine)
        assert not isinstance(engine.environment, TaskDataEnvironment)
        for refuse in (engine.evaluate, engine.execute, engine.environment.evaluate, engine.environment.execute,
                       engine.call_service, lambda *_, one=engine: one.environment.anything_else):
            with pytest.raises(Stuck):
                refuse(None, "1 + 1")
        prop = CorrelationProperty("order", "exec('1')", ["key"])
        with nothing_compiled(), pytest.raises(Stuck):      # the way past the engine's own methods
            MessageEventDefinition("m", [prop]).calculate_correlations(engine, [prop], {"a": 1})


def test_a_timer_past_the_gate_that_fires_for_ever_is_bounded_by_its_count() -> None:
    case = given("interrupting_timer")
    number = next(iter(case.instance.timers))
    waiting = case.instance.marking.token(number)
    assert waiting is not None and waiting.status == WAITING
    assert isinstance(case.definition.elements[waiting.element].timer, Timer)
    after = case.when(FireTimer(timer=number), CLOCK, case.instance.timers[number].due_at)
    assert number not in after.instance.timers
