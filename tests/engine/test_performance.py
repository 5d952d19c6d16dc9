"""Figures across instances: what is counted, what is compared with the norm, and that nothing is told of too little."""
from __future__ import annotations

from dataclasses import replace
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import performance
from engine.forecast import DAY_MINUTES, ENOUGH_PASSES
from engine.instance import COMPLETED, RUNNING
from engine.performance import Case, Pass, Performance
from tests.story import definition

SOP = definition()
LANES = {one.id: one.lane or "" for one in SOP.user_tasks}
STRAIGHT = tuple(range(1, 10))


def passed(number: int, step: int, **more: object) -> Pass:
    made = Pass(number=number, element=f"langkah_{step}", lane=LANES[f"langkah_{step}"], round=1, working=30,
                waiting=20, processing=10, late=False, opened_again=False)
    return replace(made, **more)  # type: ignore[arg-type]


def case(id: str, *steps: int, status: str = COMPLETED, unit: str = "lasem", year: int | None = 2026) -> Case:
    """An instance that took these steps; one that was taken before comes again in a later round."""
    passes = []
    for n, step in enumerate(steps):
        round = 1 + steps[:n].count(step)
        again = n + 1 < len(steps) and steps[n + 1] in steps[:n + 1]
        passes.append(passed(n + 1, step, round=round, opened_again=again))
    return Case(id=id, title=f"LKjPD {id}", unit=unit, unit_name=unit.title(), year=year, status=status,
                definition=SOP.sha256, passes=tuple(passes))


def of(*cases: Case) -> Performance:
    return performance.of_cases(cases, SOP, lambda sha256: SOP)


def with_pass(one: Case, number: int, **more: object) -> Case:
    return replace(one, passes=tuple(replace(p, **more) if p.number == number else p  # type: ignore[arg-type]
                                     for p in one.passes))


# -- steps ------------------------------------------------------------------------------------------------------------

def test_every_pass_is_a_visit_and_names_its_instance() -> None:
    found = of(case("a", *STRAIGHT), case("b", 1, 2, 3, 4, 5, 6, 7, 5, 6, 7, 8, 9))
    visits = {one.element: one.visits for one in found.steps}
    assert visits["langkah_1"].count == 2 and visits["langkah_1"].cases == ("a", "b")
    assert visits["langkah_5"].count == 3 and visits["langkah_5"].cases == ("a", "b")
    assert [one.element for one in found.steps] == [f"langkah_{n}" for n in STRAIGHT]
    assert found.passes == 21


def test_below_five_finished_passes_there_is_no_figure() -> None:
    four = [case(str(n), 1, status=RUNNING) for n in range(ENOUGH_PASSES - 1)]
    (step,) = of(*four).steps
    assert not step.enough and step.waiting is None and step.processing is None
    assert not of(*four).lanes[0].enough and not of(*four).units[0].enough
    (step,) = of(*four, case("fifth", 1, status=RUNNING)).steps
    assert step.enough and step.waiting is not None and step.waiting.median == 20


def test_who_was_not_measured_is_not_counted_as_no_time() -> None:
    cases = [case(str(n), 1) for n in range(ENOUGH_PASSES)]
    (step,) = of(*cases[1:], with_pass(cases[0], 1, waiting=None)).steps
    assert step.enough and step.waiting is None
    assert step.processing is not None and step.processing.all.count == ENOUGH_PASSES


def test_a_median_is_a_value_that_was_taken_and_the_slowest_tenth_opens_its_instances() -> None:
    cases = [with_pass(case(f"{n:02}", 1), 1, processing=10 * (n + 1)) for n in range(20)]
    (step,) = of(*cases).steps
    assert step.processing is not None
    assert (step.processing.median, step.processing.slowest) == (100, 190)
    assert step.processing.slow.cases == ("18", "19")


@given(st.lists(st.integers(0, 100_000), min_size=ENOUGH_PASSES, max_size=60))
def test_at_least_half_took_the_median_or_less_and_a_tenth_the_slowest_or_more(minutes: list[int]) -> None:
    found = performance.spread((one, str(n)) for n, one in enumerate(minutes))
    assert found is not None and found.median in minutes and found.slowest in minutes
    assert sum(one <= found.median for one in minutes) * 2 >= len(minutes)
    assert found.slow.count == ceil(len(minutes) / 10) <= sum(one >= found.slowest for one in minutes)
    assert found.all.count == len(minutes) and found.median <= found.slowest


def test_lateness_is_counted_where_it_was() -> None:
    late = with_pass(case("late", *STRAIGHT), 3, late=True)
    steps = {one.element: one for one in of(case("a", *STRAIGHT), late).steps}
    assert steps["langkah_3"].late.cases == ("late",) and steps["langkah_4"].late.count == 0


# -- returns ----------------------------------------------------------------------------------------------------------

def test_the_step_that_sent_the_work_back_is_counted_and_not_the_way_forward_through_the_loop() -> None:
    found = of(case("a", 1, 2, 3, 4, 5, 6, 7, 5, 6, 7, 5, 6, 7, 8, 9))
    assert {one.element: one.sent_back.count for one in found.steps if one.sent_back.count} == {"langkah_7": 2}
    assert {one.element: one.again.count for one in found.steps if one.again.count} == {
        "langkah_5": 2, "langkah_6": 2, "langkah_7": 2}


def test_what_is_still_open_says_that_it_was_sent_back_too() -> None:
    waiting = case("a", 1, 2, 3, 4, 5, 6, 7, status=RUNNING)
    sent = replace(with_pass(waiting, 7, opened_again=True), open=((8, "langkah_5", 2),))
    assert performance.sent_back(sent, {one.id: n for n, one in enumerate(SOP.user_tasks)}) == {7}
    assert performance.sent_back(waiting, {}) == set()


# -- lanes ------------------------------------------------------------------------------------------------------------

def test_norms_are_working_minutes_and_those_in_minutes_are_about_the_work_alone() -> None:
    norms = performance.norms_of(SOP)
    assert norms["langkah_1"] == (20, True)
    assert norms["langkah_3"][0] % DAY_MINUTES == 0 and not norms["langkah_3"][1]


def test_a_lane_is_measured_against_what_the_sop_gives_for_the_passes_it_really_did() -> None:
    straight = [case(str(n), *STRAIGHT) for n in range(4)]
    twice = case("twice", 1, 2, 3, 4, 5, 6, 7, 5, 6, 7, 8, 9)
    long = with_pass(with_pass(twice, 5, working=100_000), 11, working=50_000, processing=50_000)
    lanes = {one.lane: one for one in of(*straight, long).lanes}
    team, norms = lanes[LANES["langkah_5"]], performance.norms_of(SOP)
    done = [one.element for one in twice.passes if one.lane == team.lane and one.element in norms]
    assert team.taken is not None and team.taken.slow.cases == ("twice",)
    assert team.taken.slowest >= 150_000
    assert team.over.count == 2 and team.over.cases == ("twice",)
    alone = {one.lane: one for one in of(*[replace(long, id=f"{n}") for n in range(5)]).lanes}[team.lane]
    assert alone.norm == sum(norms[element][0] for element in done)


def test_waiting_does_not_count_against_a_norm_in_minutes() -> None:
    slow = [with_pass(case(str(n), 1), 1, working=5_000, waiting=4_990, processing=10) for n in range(5)]
    (lane,) = of(*slow).lanes
    assert lane.taken is not None and lane.taken.median == 10 and lane.over.count == 0


# -- ways, units, years -----------------------------------------------------------------------------------------------

def test_instances_that_went_the_same_way_are_one_variant_and_running_ones_none() -> None:
    found = of(case("a", *STRAIGHT), case("b", *STRAIGHT), case("c", 1, 2, 3, 4, 5, 6, 7, 5, 6, 7, 8, 9),
               case("d", 1, 2, status=RUNNING))
    assert [(len(one.elements), one.cases) for one in found.variants] == [(9, ("a", "b")), (12, ("c",))]
    assert found.finished == ("a", "b", "c")


def test_units_and_years_stand_side_by_side_with_all_their_instances() -> None:
    found = of(case("a", *STRAIGHT), case("b", *STRAIGHT, year=2025), case("c", 1, unit="sluke"))
    assert {one.id: one.cases for one in found.units} == {"lasem": ("a", "b"), "sluke": ("c",)}
    assert [(one.id, one.cases) for one in found.years] == [("2026", ("a", "c")), ("2025", ("b",))]
    assert [one.enough for one in found.units] == [True, False]


@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=14), min_size=1, max_size=8))
def test_no_pass_is_lost_and_no_figure_names_an_instance_that_is_not_there(ways: list[list[int]]) -> None:
    found = of(*(case(str(n), *steps, status=COMPLETED if n % 2 else RUNNING) for n, steps in enumerate(ways)))
    assert sum(one.visits.count for one in found.steps) == found.passes == sum(map(len, ways))
    assert sum(one.passes.count + one.without for one in found.lanes) == found.passes
    assert sorted(id for one in found.variants for id in one.cases) == sorted(found.finished)
    for one in found.steps:
        assert one.sent_back.count <= one.visits.count and set(one.late.cases) <= set(one.visits.cases)
        assert set(one.visits.cases) <= set(found.cases)


# -- heat -------------------------------------------------------------------------------------------------------------

def test_classes_are_equal_parts_of_the_most_and_what_is_not_known_has_none() -> None:
    given = {"a": 100, "b": 1, "c": 20, "d": 21, "e": None, "f": 0}
    assert performance.heat(given) == {"a": 5, "b": 1, "c": 1, "d": 2, "e": 0, "f": 1}
    assert performance.up_to(100) == (20, 40, 60, 80, 100)


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 10**6), min_size=1))
def test_more_is_never_a_lower_class_and_the_legend_says_the_same(minutes: dict[str, int]) -> None:
    found = performance.heat(dict(minutes))
    most = max(minutes.values())
    assert all(1 <= one <= performance.CLASSES for one in found.values())
    ordered = sorted(minutes, key=lambda id: minutes[id])
    assert [found[id] for id in ordered] == sorted(found.values())
    if most:
        assert found[ordered[-1]] == performance.CLASSES
        assert all(minutes[id] <= -(-most * found[id] // performance.CLASSES) for id in minutes)


@pytest.mark.parametrize("nothing", [(), (case("a", status=RUNNING),)])
def test_of_nothing_nothing_is_said(nothing: tuple[Case, ...]) -> None:
    found = of(*nothing)
    assert found.passes == 0 and not (found.steps or found.lanes or found.variants)
