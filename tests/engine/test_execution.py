"""The engine as a function: a marking and an act give a marking and what happened, remembered or not."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from engine.definition import SequenceFlow
from engine.execution import MOST_TOKENS, Happening, NoScripts, Stuck, Transition, Transitions, specification
from engine.marking import ARMED, ARRIVED, OPEN, WAITING, Marking, Token
from tests.story import DIAGRAMS, LKJPD, definition


def yes(flow: SequenceFlow) -> bool:
    return True


def no(flow: SequenceFlow) -> bool:
    return False


def never(flow: SequenceFlow) -> bool:
    raise AssertionError(f"nobody should ask {flow.id}")


def told(transition: Transition) -> list[str]:
    return [f"{one.kind} {one.element}" for one in transition.happenings]


# What a transition is


def test_a_start_gives_the_first_marking_and_what_happened_in_order() -> None:
    assert Transitions(definition("interrupting_timer")).start(never) == Transition(
        Marking((Token(2, "answer", 0, OPEN), Token(3, "too_late", 2, WAITING)), 4),
        (
            Happening("entered", 1, "start"),
            Happening("left", 1, "start", "f1"),
            Happening("entered", 2, "answer", "f1"),
            Happening("opened", 2, "answer"),
            Happening("armed", 3, "too_late"),
        ),
    )


def test_completing_cancels_the_timers_of_the_task_and_of_no_other() -> None:
    transitions = Transitions(definition("interrupting_timer"))
    marking = Marking(
        (
            Token(2, "answer", 0, OPEN),
            Token(3, "too_late", 2, WAITING),
            Token(4, "answer", 0, OPEN),
            Token(5, "too_late", 4, WAITING),
        ),
        6,
    )
    found = transitions.complete(marking, 4, never)
    assert found.marking.tokens == marking.tokens[:2]
    assert told(found) == ["cancelled too_late", "left answer", "entered end", "left end"]


def test_an_interrupting_timer_takes_its_task_away_before_it_goes_on() -> None:
    transitions = Transitions(definition("interrupting_timer"))
    found = transitions.fire(transitions.start(never).marking, 3, never)
    assert told(found) == [
        "fired too_late",
        "cancelled answer",
        "left too_late",
        "entered take_over",
        "opened take_over",
    ]
    assert found.marking == Marking((Token(4, "take_over", 0, OPEN),), 5)


def test_a_cycle_leaves_a_new_timer_at_the_same_task() -> None:
    transitions = Transitions(definition("cycle_reminder"))
    found = transitions.fire(transitions.start(never).marking, 3, never, again=True)
    assert found.marking.tokens == (Token(2, "answer", 0, OPEN), Token(4, "every_hour", 2, WAITING))
    assert ("armed", 4) in [(one.kind, one.number) for one in found.happenings]
    last = transitions.fire(found.marking, 4, never)
    assert last.marking.tokens == (Token(2, "answer", 0, OPEN),)


def test_a_token_before_a_join_lies_on_its_flow_until_all_have_arrived() -> None:
    transitions = Transitions(definition("parallel"))
    first = transitions.start(never).marking
    count, price = (next(t.number for t in first.tokens if t.element == id) for id in ("count", "price"))
    waiting = transitions.complete(first, price, never)
    assert [token.status for token in waiting.marking.tokens] == [OPEN, ARRIVED]
    assert waiting.marking.tokens[1].element == "f5"
    done = transitions.complete(waiting.marking, count, never)
    assert done.marking.tokens == ()
    assert [(one.element, one.flow) for one in done.happenings if one.kind == "consumed"] == [("join", "f5")]


def test_a_second_token_on_the_same_flow_waits_for_the_next_round() -> None:
    transitions = Transitions(definition("parallel"))
    marking = Marking((Token(3, "count", 0, OPEN), Token(7, "f5", 0, ARRIVED), Token(8, "f5", 0, ARRIVED)), 9)
    found = transitions.complete(marking, 3, never)
    assert found.marking.tokens == (Token(8, "f5", 0, ARRIVED),)


def test_the_armed_deadline_is_carried_along_untouched() -> None:
    transitions = Transitions(definition("three_tasks"))
    marking = Marking((Token(2, "write", 0, OPEN), Token(3, "tenggat", 0, ARMED)), 4)
    assert Token(3, "tenggat", 0, ARMED) in transitions.complete(marking, 2, never).marking.tokens


def test_conditions_are_asked_in_document_order_and_only_until_one_holds() -> None:
    transitions = Transitions(definition("approval_loop"))
    marking = Marking((Token(4, "decide", 0, OPEN),), 5)
    asked: list[str] = []

    def ask(flow: SequenceFlow) -> bool:
        asked.append(flow.id)
        return flow.id == "yes"

    transitions.complete(marking, 4, ask)
    assert asked == ["yes"]
    with pytest.raises(Stuck, match="No condition holds at 'approved'"):
        transitions.complete(marking, 4, no)


def test_more_tokens_than_an_instance_may_have_are_refused() -> None:
    transitions = Transitions(definition("escalation"))
    many = tuple(Token(n, "look_into", 0, OPEN) for n in range(10, 10 + MOST_TOKENS))
    marking = Marking((Token(2, "answer", 0, OPEN), Token(3, "late", 2, WAITING), *many), 1000)
    with pytest.raises(Stuck, match=f"{MOST_TOKENS + 2} live tokens"):
        transitions.fire(marking, 3, never)


def test_nothing_in_a_diagram_is_code() -> None:
    for act in ("evaluate", "execute", "call_service"):
        with pytest.raises(Stuck, match="no diagram carries one"):
            getattr(NoScripts(), act)("1 + 1")


# Remembering


@pytest.mark.parametrize("path", [LKJPD, *DIAGRAMS], ids=lambda path: path.stem)
def test_a_remembered_transition_is_the_identical_one(path: Path) -> None:
    """All markings that can be reached in some rounds, by remembering and by running anew, with other numbers."""
    one = definition(path)
    remembering, forgetting = Transitions(one), Transitions(one, remember=False)
    reached, seen = [remembering.start(yes)], set()
    assert reached[0] == forgetting.start(yes)
    while reached and len(seen) < 60:
        marking = reached.pop(0).marking
        shape = tuple((t.element, t.status) for t in marking.tokens)
        if shape in seen:
            continue
        seen.add(shape)
        shifted = Marking(
            tuple(replace(t, number=t.number + 100, parent=t.parent + 100 if t.parent else 0) for t in marking.tokens),
            marking.next + 100,
        )
        for token in marking.tokens:
            if token.status not in (OPEN, WAITING):
                continue
            for choose in (yes, no):
                for again in (False, True) if token.status == WAITING else (False,):

                    def go(
                        transitions: Transitions,
                        here: Marking,
                        number: int,
                        choose=choose,
                        again=again,
                        status=token.status,
                    ):
                        try:
                            return (
                                transitions.complete(here, number, choose)
                                if status == OPEN
                                else transitions.fire(here, number, choose, again)
                            )
                        except Stuck as stuck:
                            return str(stuck)

                    fresh = go(forgetting, marking, token.number)
                    assert go(remembering, marking, token.number) == fresh
                    assert go(remembering, marking, token.number) == fresh
                    assert go(remembering, shifted, token.number + 100) == go(forgetting, shifted, token.number + 100)
                    if isinstance(fresh, Transition):
                        reached.append(fresh)


def test_a_transition_is_run_once_for_each_shape_and_path_of_conditions(monkeypatch: pytest.MonkeyPatch) -> None:
    transitions = Transitions(definition("approval_loop"))
    runs: list[str] = []
    run = transitions.run
    monkeypatch.setattr(transitions, "run", lambda act, *rest: runs.append(act) or run(act, *rest))
    marking = transitions.start(never).marking
    for answer in (no_then_yes, no_then_yes, yes, yes, no_then_yes):
        write = next(t.number for t in marking.tokens)
        decide = transitions.complete(marking, write, never).marking
        transitions.complete(decide, decide.tokens[0].number, answer)
    assert runs == ["start", "complete", "complete", "complete"]


def no_then_yes(flow: SequenceFlow) -> bool:
    return flow.id == "no"


def test_what_could_not_be_decided_is_not_remembered() -> None:
    transitions = Transitions(definition("approval_loop"))
    marking = Marking((Token(4, "decide", 0, OPEN),), 5)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            transitions.complete(marking, 4, lambda flow: 1 / 0 > 0)
    assert transitions.complete(marking, 4, yes).marking.tokens == ()


# The specification is ours


def test_the_specification_knows_every_element_and_nothing_of_the_deadline() -> None:
    one = definition()
    names = set(specification(one).task_specs)
    assert set(one.elements) <= names
    assert one.deadline is not None
    assert not {one.deadline.id, one.deadline.start_event} & names


def test_an_unknown_kind_of_element_has_no_specification() -> None:
    one = definition("three_tasks")
    strange = replace(one, elements={**one.elements, "read": replace(one.elements["read"], kind="scriptTask")})
    with pytest.raises(Stuck, match="'read' is a scriptTask"):
        specification(strange)


# Markings


def test_the_same_marking_has_the_same_bytes_and_reads_back() -> None:
    marking = Marking((Token(2, "answer", 0, OPEN), Token(3, "too_late", 2, WAITING)), 4)
    assert marking.to_bytes() == b'{"next":4,"tokens":[[2,"answer",0,"open"],[3,"too_late",2,"waiting"]],"v":1}'
    assert Marking.from_bytes(marking.to_bytes()) == marking
    assert marking.hash == sha256(marking.to_bytes()).hexdigest()
    assert marking.token(3) == Token(3, "too_late", 2, WAITING)
    assert marking.token(4) is None


def test_a_marking_of_another_version_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="version 2; this engine reads version 1"):
        Marking.from_bytes(b'{"next":1,"tokens":[],"v":2}')
