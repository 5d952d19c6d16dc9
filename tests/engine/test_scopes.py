"""Subprocesses and inclusive gateways, fact by fact: what waits for what, what ends what, and what people see of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from engine import diagram
from engine.commands import Correct, MigrateProcessInstance, UndoMigration
from engine.definition import Element, ProcessDefinition, SequenceFlow
from engine.events import (
    ConditionEvaluated,
    ElementEntered,
    ElementLeft,
    IncidentRaised,
    ProcessInstanceCompleted,
    TimerCancelled,
    TimerStarted,
    TokenConsumed,
    UserTaskCancelled,
    UserTaskOpened,
)
from engine.execution import Stuck, Transition, Transitions
from engine.instance import COMPLETED, RUNNING
from engine.invariants import is_stalled
from engine.marking import ACTIVE, ARRIVED, OPEN, WAITING, Marking, Token
from engine.reduction import reduced
from engine.soundness import _Game
from tests.story import ADMINISTRATOR, HEAD, ROOT, STAFF, Case, at, definition, given, variant


def standing(case: Case) -> list[tuple[str, str]]:
    return [(token.element, token.status) for token in case.instance.marking.tokens]


def asked(*flows: str) -> Callable[[SequenceFlow], bool]:
    """Of conditions these hold, and no other."""
    return lambda flow: flow.id in flows


# Subprocesses


def test_a_token_rests_on_a_subprocess_while_something_goes_on_in_it() -> None:
    case = given("subprocess").completed("read")
    assert standing(case) == [("examination", ACTIVE), ("examine", OPEN)]
    entered = [event.element for event in case.of(ElementEntered)]
    assert entered == ["examination", "exam_start", "again", "examine"]
    assert [event.element for event in case.of(ElementLeft)] == ["read", "exam_start", "again"]


def test_a_step_in_a_subprocess_is_performed_by_the_lane_around_it() -> None:
    assert given("subprocess").completed("read").task("examine").lane == "staff"
    own = variant("subprocess", ("<bpmn:flowNodeRef>sign<", "<bpmn:flowNodeRef>mend</bpmn:flowNodeRef>"
                                 "<bpmn:flowNodeRef>sign<"))
    assert own.elements["mend"].lane == "head", "unless a lane names it"
    assert own.elements["examine"].lane == "staff"


def test_a_return_inside_goes_round_inside_and_the_end_inside_leads_out() -> None:
    case = given("subprocess").completed("read").completed("examine", in_order=False).completed("mend")
    assert (case.open, case.task("examine").round) == (["examine"], 2)
    case = case.completed("examine", in_order=True)
    assert [event.element for event in case.of(ElementLeft)] == [
        "examine", "in_order_known", "exam_end", "examination", "examined"]
    assert (standing(case), case.open) == ([("sign", OPEN)], ["sign"])


def test_the_number_of_a_subprocess_is_that_of_the_token_that_leaves_it() -> None:
    case = given("subprocess").completed("read")
    (number,) = [token.number for token in case.instance.marking.tokens if token.status == ACTIVE]
    case = case.completed("examine", in_order=True)
    assert ElementLeft(number, "examination", "f3") in case.events


def test_a_subprocess_is_left_when_nothing_is_left_in_it_and_not_before() -> None:
    case = given("subprocess_parallel").completed("ask")
    assert ("search", ACTIVE) in standing(case)
    assert case.open == ["archive"]
    case = case.completed("archive", found=False)
    assert (standing(case), case.open) == ([("report", OPEN)], ["report"])


def test_an_end_that_terminates_ends_its_subprocess_and_nothing_around_it() -> None:
    case = given("subprocess_parallel").completed("archive", found=True)
    assert [event.element for event in case.of(UserTaskCancelled)] == ["ask"]
    assert case.open == ["report"]
    assert case.instance.status == RUNNING
    assert case.completed("report", HEAD).instance.status == COMPLETED


def test_a_subprocess_in_another_ends_that_one_too() -> None:
    case = given("subprocess_nested").completed("draft", big=True, costly=False)
    assert standing(case) == [("planning", ACTIVE), ("review", ACTIVE), ("big_review", OPEN)]
    case = case.completed("big_review")
    left = [event.element for event in case.of(ElementLeft)]
    assert left[-4:] == ["review_end", "review", "planning_end", "planning"]
    assert standing(case) == [("publish", OPEN)]


def test_what_needs_nobody_in_a_subprocess_leads_straight_through_it() -> None:
    case = given("subprocess_nested").completed("draft", big=False, costly=False)
    assert case.open == ["publish"], "nobody reviews; the default leads to the end"


# Timers at the edge of a subprocess


def test_a_timer_at_the_edge_of_a_subprocess_counts_from_when_it_is_entered() -> None:
    case = given("subprocess_timers")
    edge = {case.instance.timers[case.timer(id)].due_at for id in ("slow", "too_slow")}
    assert edge == {at("2026-11-26 08.00"), at("2026-12-07 08.00")}
    assert {event.user_task for event in case.of(TimerStarted)} == {None}, "they are no limit of a step"
    (host,) = [token.number for token in case.instance.marking.tokens if token.status == ACTIVE]
    assert {token.parent for token in case.instance.marking.tokens if token.status == WAITING} == {host}


def test_a_timer_that_does_not_interrupt_leaves_the_subprocess_as_it_is() -> None:
    case = given("subprocess_timers")
    before = standing(case)
    case = case.fired("slow")
    assert case.open == ["hear", "ask"]
    assert [one for one in before if one != ("slow", WAITING)] == standing(case)[:-1]
    assert case.completed("hear").completed("ask").instance.timers.keys() == {
        case.timer("too_slow"), *(token.number for token in case.completed("hear").instance.marking.tokens
                                  if token.element == "rest")}


def test_a_timer_that_interrupts_takes_all_that_goes_on_inside_and_its_other_timers() -> None:
    case = given("subprocess_timers").completed("hear").fired("rest").fired("settle_late").fired("too_slow")
    assert [type(event) for event in case.events[:3]][1:] == [UserTaskCancelled, ElementLeft]
    assert [event.element for event in case.of(UserTaskCancelled)] == ["settle"]
    assert case.of(ElementLeft)[0].element == "handling"
    assert case.of(ElementLeft)[0].flow == "", "nobody went on from it"
    assert [event.element for event in case.of(TimerCancelled)] == ["slow"]
    assert standing(case) == [("take_over", OPEN)]
    assert not case.instance.timers


def test_timers_at_the_edge_are_over_when_the_subprocess_is() -> None:
    case = given("subprocess_timers").completed("hear").fired("rest").completed("settle")
    assert {event.element for event in case.of(TimerCancelled)} == {"settle_late", "slow", "too_slow"}
    assert case.open == ["tell"]
    assert not case.instance.timers


def test_a_subprocess_that_begins_again_at_once_begins_anew() -> None:
    """An interrupting timer leads back into it: what had come to a join inside is gone with the round before."""
    one = looped()
    transitions = Transitions(one)
    marking = transitions.start(asked()).marking
    first = next(token.number for token in marking.tokens if token.element == "a")
    marking = transitions.complete(marking, first, asked()).marking
    assert ("to_join_a", ARRIVED) in [(token.element, token.status) for token in marking.tokens]
    timer = next(token.number for token in marking.tokens if token.element == "again")
    found = transitions.fire(marking, timer, asked())
    assert sorted((token.element, token.status) for token in found.marking.tokens) == [
        ("a", OPEN), ("again", WAITING), ("b", OPEN), ("sub", ACTIVE)]
    second = next(token.number for token in found.marking.tokens if token.element == "b")
    assert Transitions(one).complete(found.marking, second, asked()).marking.tokens[-1].status == ARRIVED


def looped() -> ProcessDefinition:
    """start -> sub (a and b side by side, joined) -> end; a timer at the edge of sub leads back into it."""
    base = definition("three_tasks")
    kinds = {"start": "startEvent", "sub": "subProcess", "sub_start": "startEvent", "split": "parallelGateway",
             "a": "userTask", "b": "userTask", "join": "parallelGateway", "sub_end": "endEvent",
             "again": "boundaryEvent", "end": "endEvent"}
    inside = ("sub_start", "split", "a", "b", "join", "sub_end")
    elements = {id: Element(id=id, kind=kind, lane="staff", within="sub" if id in inside else None,
                            attached_to="sub" if id == "again" else None) for id, kind in kinds.items()}
    pairs = ("start sub", "sub_start split", "split a", "split b", "a join", "b join", "join sub_end", "sub end",
             "again sub")
    names = {"a join": "to_join_a", "b join": "to_join_b"}
    flows = {}
    for pair in pairs:
        source, target = pair.split()
        id = names.get(pair, f"{source}_{target}")
        flows[id] = SequenceFlow(id=id, source=source, target=target)
    return replace(base, elements=elements, flows=flows, deadline=None)


# Inclusive gateways


def test_every_flow_whose_condition_holds_is_taken_and_all_are_asked() -> None:
    case = given("inclusive").completed("intake", site=True, law=True)
    assert [(event.flow, event.result) for event in case.of(ConditionEvaluated)] == [
        ("to_site", True), ("to_papers", False), ("to_law", True)]
    assert case.open == ["survey", "advice"]


def test_an_inclusive_join_waits_for_the_branches_that_were_taken_and_no_other() -> None:
    case = given("inclusive").completed("intake", site=True, law=True).completed("survey")
    assert standing(case) == [("advice", OPEN), ("f3", ARRIVED)]
    case = case.completed("advice", HEAD)
    assert [event.flow for event in case.of(TokenConsumed)] == ["f3"]
    assert [event.element for event in case.of(ElementEntered)] == ["gathered", "known", "answer"]
    alone = given("inclusive").completed("intake", site=False, law=False).completed("papers")
    assert alone.open == ["answer"], "one branch alone is joined with nothing"


def test_a_join_waits_for_a_branch_that_goes_round_before_it_comes() -> None:
    case = given("inclusive_default").completed("sort", letter=True, visit=True, money=False).completed("go")
    assert standing(case) == [("write", OPEN), ("f5", ARRIVED)]
    case = case.completed("write", letter_good=False)
    assert (case.open, case.task("write").round) == (["write"], 2)
    case = case.completed("write", letter_good=True)
    assert case.open == ["close"]


def test_the_default_is_taken_where_no_condition_holds_and_only_there() -> None:
    case = given("inclusive_default").completed("sort", letter=False, visit=False, money=False)
    assert case.open == ["close"]
    assert [event.result for event in case.of(ConditionEvaluated)] == [False, False, False]
    case = given("inclusive_default").completed("sort", letter=False, visit=True, money=True)
    assert case.open == ["go", "pay"]


def test_a_default_that_goes_round_the_join_meets_nobody() -> None:
    """It is taken alone: after the join both ways may meet. Were it one way among others, both could be taken."""
    one = definition("inclusive_default")
    merge = Element(id="merge", kind="exclusiveGateway", lane="staff")
    flows = {**one.flows, "nothing": replace(one.flows["nothing"], target="merge"),
             "f7": replace(one.flows["f7"], target="merge"),
             "on": SequenceFlow(id="on", source="merge", target="close")}
    alone = replace(one, elements={**one.elements, "merge": merge}, flows=flows)
    among = replace(alone, flows={**flows, "nothing": replace(flows["nothing"], default=False, condition="money")})
    for process, doubled in ((alone, set()), (among, {"close"})):
        whole = _Game(process)
        whole.play()
        small = _Game(reduced(process, whole.harmless))
        small.play()
        assert (whole.doubled, small.doubled, whole.stuck, small.stuck) == (doubled, doubled, set(), set())


def test_where_no_condition_holds_and_there_is_no_default_nothing_moves_and_somebody_is_told() -> None:
    never = re.sub(r">=site = false or law = false<", ">=site = false and law = false and 1 = 2<",
                   (ROOT / "tests/diagrams/inclusive.bpmn").read_text())
    never = re.sub(r">=site = true<", ">=site = true and 1 = 2<", never)
    case = given(diagram.reread(never.encode())).completed("intake", site=True, law=False)
    (incident,) = case.of(IncidentRaised)
    assert (incident.kind, incident.element) == ("stuck", "intake")
    assert "'needed'" in incident.detail
    assert case.open == ["intake"]
    with pytest.raises(Stuck, match="'needed'"):
        one = Transitions(definition("inclusive"))
        one.complete(Marking((Token(2, "intake", 0, OPEN),), 3), 2, asked())


def test_what_can_also_come_by_a_flow_that_has_its_token_does_not_hold_a_join_up() -> None:
    """BPMN 2.0.2, 13.4.3: only a token that can come to an empty flow, and to none that is full, holds it up."""
    one = definition("inclusive")
    waiting = Token(5, "f3", 0, ARRIVED)
    transitions = Transitions(one)
    held = transitions.complete(Marking((Token(3, "papers", 0, OPEN), Token(4, "advice", 0, OPEN), waiting), 6), 3,
                                asked())
    assert [(t.element, t.status) for t in held.marking.tokens] == [("advice", OPEN), ("f3", ARRIVED), ("f4", ARRIVED)]
    again = transitions.complete(Marking((Token(4, "advice", 0, OPEN), Token(6, "survey", 0, OPEN), waiting), 7), 4,
                                 asked())
    assert ("answer", OPEN) in [(t.element, t.status) for t in again.marking.tokens], "survey leads to f3 only"


def test_a_second_token_on_a_flow_goes_through_an_inclusive_join_right_after_the_first() -> None:
    """A correction may have left one there: it waits for nobody, so it does not wait for the next act either."""
    marking = Marking((Token(6, "f5", 0, ARRIVED), Token(9, "survey", 0, OPEN), Token(11, "f5", 0, ARRIVED)), 12)
    found = Transitions(definition("inclusive")).complete(marking, 9, asked())
    assert [(token.element, token.status) for token in found.marking.tokens] == [("answer", OPEN), ("answer", OPEN)]
    assert [(one.number, one.flow) for one in found.happenings if one.kind == "consumed"] == [(6, "f5")]


def test_remembered_and_run_anew_are_the_same() -> None:
    one = definition("inclusive_default")
    remembering = Transitions(one)
    for _ in range(2):
        for flows in ((), ("to_letter",), ("to_letter", "to_visit", "to_money")):
            marking = Marking((Token(2, "sort", 0, OPEN),), 3)
            fresh: Transition = Transitions(one, remember=False).complete(marking, 2, asked(*flows))
            assert remembering.complete(marking, 2, asked(*flows)) == fresh


# Ends that terminate all


def test_a_terminating_end_takes_what_has_come_to_a_join_and_what_goes_on_in_subprocesses() -> None:
    text = (ROOT / "tests/diagrams/subprocess_parallel.bpmn").read_text()
    nested = diagram.reread(text.encode())
    elements = {**nested.elements, "end": replace(nested.elements["end"], terminate=True)}
    one = replace(nested, elements=elements)
    transitions = Transitions(one)
    marking = Marking((Token(2, "search", 0, ACTIVE), Token(3, "ask", 0, OPEN), Token(4, "i4", 0, ARRIVED),
                       Token(5, "report", 0, OPEN)), 6)
    found = transitions.complete(marking, 5, asked())
    assert found.marking.tokens == ()
    assert [(one.kind, one.element) for one in found.happenings if one.number < 5] == [
        ("cancelled", "ask"), ("left", "search")]


# What administrators and owners do


def test_a_correction_may_open_a_step_inside_a_subprocess_and_then_it_goes_on() -> None:
    case = given("subprocess")
    case = case.when(
        Correct(reason="Sudah dibaca", close=(case.task("read").number,), open=("mend",)), ADMINISTRATOR)
    assert sorted(standing(case)) == [("examination", ACTIVE), ("mend", OPEN)]
    assert case.of(ElementEntered)[0].element == "examination"
    case = case.completed("mend").completed("examine", in_order=True)
    assert case.open == ["sign"]


def test_a_correction_that_opens_a_step_inside_starts_the_timers_at_the_edge() -> None:
    case = given("subprocess_timers").completed("hear").fired("rest").completed("settle")
    case = case.when(Correct(reason="Ulangi", close=(case.task("tell").number,), open=("settle",)), ADMINISTRATOR)
    assert {event.element for event in case.of(TimerStarted)} == {"slow", "too_slow", "settle_late"}
    assert case.fired("too_slow").open == ["take_over"]


def test_a_correction_that_leaves_nothing_in_a_subprocess_leaves_it_too() -> None:
    case = given("subprocess_timers").completed("hear").fired("rest")
    case = case.when(Correct(reason="Sudah selesai", close=(case.task("settle").number,), open=("tell",)),
                     ADMINISTRATOR)
    assert standing(case) == [("tell", OPEN)]
    assert {event.element for event in case.of(TimerCancelled)} == {"settle_late", "slow", "too_slow"}
    assert [event.element for event in case.of(ElementLeft)] == ["handling"]
    assert case.completed("tell").instance.status == COMPLETED


def test_a_correction_that_leaves_only_tokens_before_a_join_is_refused() -> None:
    case = given("inclusive").completed("intake", site=True, law=True).completed("survey")
    alone = Correct(reason="Tidak perlu", close=(case.task("advice").number,))
    assert case.refuses(alone, ADMINISTRATOR).code == "wrong"
    case = case.when(replace(alone, open=("papers",)), ADMINISTRATOR).completed("papers")
    assert case.open == ["answer"], "the branch that was closed is not waited for"


def test_an_instance_goes_on_inside_a_subprocess_of_another_version_and_back() -> None:
    new = variant("subprocess_timers", ('name="Hear', 'name="First hear'), settle="settle_case")
    case = given("subprocess_timers").completed("hear").fired("rest")
    moved = case.knowing(new).when(
        MigrateProcessInstance(to=new.sha256, mapping={"settle": "settle_case"}, reason="Versi baru"), ADMINISTRATOR)
    assert moved.open == ["settle_case"]
    assert moved.instance.timers == case.instance.timers, "no timer is moved, none begins anew"
    back = moved.when(UndoMigration(reason="Keliru"), ADMINISTRATOR)
    assert standing(back) == standing(case)
    moved = replace(moved, definition=new).completed("settle_case")
    assert moved.open == ["tell"]


def test_a_timer_that_is_new_at_the_edge_of_a_subprocess_counts_from_the_migration() -> None:
    text = (ROOT / "tests/diagrams/subprocess_timers.bpmn").read_text()
    new = diagram.reread(re.sub(r'(?<=[">])slow(?=["<])', "slower", text).encode())
    case = given("subprocess_timers").completed("hear")
    moved = case.knowing(new).when(
        MigrateProcessInstance(to=new.sha256, mapping={"slow": ""}, reason="Versi baru"), ADMINISTRATOR,
        at("2026-11-30 08.00"))
    assert [event.element for event in moved.of(TimerCancelled)] == ["slow"]
    (started,) = moved.of(TimerStarted)
    assert (started.element, started.user_task, started.due_at) == ("slower", None, at("2026-12-03 08.00"))


def test_where_the_subprocess_is_gone_the_instance_stays_on_its_version() -> None:
    new = given("three_tasks").definition
    other = replace(new, key="subprocess", sha256="f" * 64)
    case = given("subprocess").completed("read").knowing(other)
    refused = case.refuses(MigrateProcessInstance(to=other.sha256, reason="Versi baru"), ADMINISTRATOR)
    assert refused.code == "unmapped"
    assert {problem.place for problem in refused.problems} == {"examination", "examine"}


def test_a_subprocess_in_which_nothing_goes_on_is_a_stall() -> None:
    case = given("subprocess").completed("read")
    assert not is_stalled(case.instance)
    alone = Marking(tuple(t for t in case.instance.marking.tokens if t.status == ACTIVE), 99)
    assert is_stalled(replace(case.instance, marking=alone))


def test_a_whole_run_leaves_nothing_behind() -> None:
    case = given("subprocess_nested").completed("draft", big=True, costly=True)
    case = case.completed("cost_review", HEAD).completed("big_review", STAFF).completed("publish", HEAD)
    assert case.of(ProcessInstanceCompleted)
    assert (case.instance.marking.tokens, case.instance.timers, case.of(UserTaskOpened)) == ((), {}, [])
