"""The forecast: every number of the independent reference that it can express, and that what it says then happens.

`working_time_reference.out` was printed by a program that shares no code with ours. Here its numbers come out of the
LKjPD's diagram, run forward through the heart and planned back from the deadline.
"""
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, settings
from hypothesis import given as drawn
from hypothesis import strategies as st

from engine import calendars, forecast, story
from engine.calendars import Calendar, five_days, parse_duration, six_days
from engine.commands import AskExtension, GrantExtension, StartProcessInstance
from engine.definition import Deadline, Element, ProcessDefinition, SequenceFlow, Timer
from engine.events import UserTaskCompleted, UserTaskOpened
from engine.forecast import Beginning, Forecast, ForecastError, Samples, first_year, likelihood
from engine.instance import CANCELLED, COMPLETED, RUNNING, SUSPENDED, ProcessInstance
from tests.engine.test_calendars import (
    MIXED,
    RUNS,
    WEEKS,
    first_opening,
    latest_start,
    mixed,
    opening_on,
    section,
    wib,
)
from tests.story import (
    CAMAT,
    FIVE_DAYS,
    HEAD,
    LKJPD,
    MONDAY,
    STAFF,
    TIM1,
    WIB,
    at,
    definition,
    fresh,
    lkjpd_before,
    rules,
    rules_of,
)

TASKS = [f"langkah_{n}" for n in range(1, 10)]
SIX_DAYS = six_days().sha256


def lkjpd(start: datetime, year: int, calendar: Calendar | None = None, returns: int = 0,
          one: ProcessDefinition | None = None, lanes: Mapping[str, Calendar] | None = None) -> Forecast:
    """The forecast of an LKjPD that is due in February of `year`."""
    own, one = calendar or five_days(), one or definition()
    known = rules_of(one, calendars=(own, *(lanes or {}).values()))
    of = {"": own.sha256} | {lane: each.sha256 for lane, each in (lanes or {}).items()}
    return forecast.standard(known, one, of, start, data={"tahun_laporan": year - 1}, returns=returns)


def with_norms(one: ProcessDefinition, norms: Mapping[str, str | None], unit: str | None = None) -> ProcessDefinition:
    """The definition with other norms: {"langkah_3": "P18D"}; None takes a norm away."""
    elements = dict(one.elements)
    for task, duration in norms.items():
        norm = one.norm(task)
        assert norm is not None and norm.timer is not None
        if duration is None:
            del elements[norm.id]
        else:
            timer = replace(norm.timer, expression=duration, unit=unit or norm.timer.unit)
            elements[norm.id] = replace(norm, timer=timer)
    flows = {id: flow for id, flow in one.flows.items() if flow.source in elements}
    return replace(one, elements=elements, flows=flows, sha256=f"{one.sha256} {sorted(norms.items())} {unit}")


def normed(name: str, norms: Mapping[str, str], due: tuple[str, str] | None = None) -> ProcessDefinition:
    """A small diagram whose user tasks get norms, drawn as the LKjPD draws them; due = (task, ISO date)."""
    one = definition(name)
    elements, flows = dict(one.elements), dict(one.flows)
    for task, duration in norms.items():
        elements[f"norm_{task}"] = Element(
            id=f"norm_{task}", kind="boundaryEvent", lane=one.elements[task].lane, attached_to=task, interrupting=False,
            within=one.elements[task].within, timer=Timer(kind="duration", expression=duration))
        elements[f"told_{task}"] = Element(id=f"told_{task}", kind="endEvent", lane=one.elements[task].lane,
                                           within=one.elements[task].within)
        flows[f"to_told_{task}"] = SequenceFlow(id=f"to_told_{task}", source=f"norm_{task}", target=f"told_{task}")
    deadline = None
    if due is not None:
        deadline = Deadline(id="deadline", timer=Timer(kind="date", expression=due[1]), satisfied_by=due[0])
    name = f"{name} {sorted(norms.items())} {due}"
    return replace(one, elements=elements, flows=flows, deadline=deadline, sha256=name)


def small(one: ProcessDefinition, start: datetime = MONDAY, returns: int = 0, **data: Any) -> Forecast:
    return forecast.standard(rules_of(one), one, {"": FIVE_DAYS}, start, data=data, returns=returns)


def order(found: Forecast) -> list[str]:
    return [one.element for one in found.passes]


def ends(found: Forecast) -> dict[str, datetime]:
    return {one.element: one.end for one in found.passes}


# -- the reference ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("week", "year", "returns", "start", "end_8", "end_9", "how", "days"), RUNS)
def test_a_run_from_the_first_working_day_ends_and_must_begin_as_the_reference_says(
        week: str, year: str, returns: str, start: str, end_8: str, end_9: str, how: str, days: str) -> None:
    calendar = WEEKS[week]()
    found = lkjpd(first_opening(int(year), calendar), int(year), calendar, int(returns))
    assert found.finish == wib(end_8)
    assert found.instance_finish == wib(end_9)
    assert found.latest_start == wib(start)
    assert found.late_by_working_days == (int(days) if how == "LATE by" else 0)
    assert found.deadline == datetime(int(year), 3, 1, tzinfo=WIB)
    assert found.deadline_day == date(int(year), 3, 1) - timedelta(days=1)
    assert found.working_deadline == calendars.last_working_close_of_february(int(year), calendar)
    numbers = [1, 2, 3, 4, *[5, 6, 7] * (1 + int(returns)), 8, 9]
    assert order(found) == [f"langkah_{n}" for n in numbers]
    if how != "LATE by":
        assert calendars.working_days_between(found.finish, found.working_deadline, calendar) == int(days)


@pytest.mark.parametrize(("year", "finish", "start"), [
    (2025, "2025-03-03 10.20", "2024-12-31 13.40"), (2026, "2026-03-03 10.20", "2025-12-30 11.40"),
    (2027, "2027-03-02 10.20", "2026-12-30 11.40")])
def test_on_a_five_day_week_even_the_straight_path_from_the_first_working_day_is_late(
        year: int, finish: str, start: str) -> None:
    found = lkjpd(first_opening(year, five_days()), year)
    assert (found.finish, found.latest_start) == (wib(finish), wib(start))
    assert found.late_by_working_days > 0
    assert found.returns_possible == -1


@pytest.mark.parametrize("week", WEEKS)
@pytest.mark.parametrize("year", [2025, 2026, 2027])
def test_the_returns_that_still_fit_are_those_that_are_not_late(week: str, year: int) -> None:
    calendar = WEEKS[week]()
    start = first_opening(year, calendar)
    late = [lkjpd(start, year, calendar, returns).late_by_working_days > 0 for returns in range(3)]
    assert lkjpd(start, year, calendar).returns_possible == late.index(True) - 1


def test_a_year_of_room_has_room_for_many_returns_and_says_how_many() -> None:
    start = first_opening(2026, five_days())
    fit = lkjpd(start, 2027).returns_possible
    assert fit is not None and fit > 20
    assert lkjpd(start, 2027, returns=fit).late_by_working_days == 0
    if fit < forecast.MOST_RETURNS:
        assert lkjpd(start, 2027, returns=fit + 1).late_by_working_days > 0


def test_runs_begun_on_the_dates_of_the_sop_itself() -> None:
    rows = re.findall(r"start (\S+) -> \['(.+)', '(.+)', '(.+)'\]", section("the seed's own dates"))
    assert len(rows) == 2
    for day, *expected in rows:
        start = opening_on(date.fromisoformat(day), five_days())
        assert [lkjpd(start, 2025, returns=r).finish for r in range(3)] == [wib(end) for end in expected]


def test_without_cuti_bersama_2025_seems_in_time() -> None:
    rows = re.findall(r"(\d{4}) WITHOUT cuti bersama .*: \d+ days; .* ends (.+); latest start (.+)", section("traps"))
    assert len(rows) == 3
    calendar = replace(five_days(), holidays=tuple(h for h in five_days().holidays if h.kind != "cuti_bersama"))
    for year, end, start in rows:
        found = lkjpd(first_opening(int(year), calendar), int(year), calendar)
        assert (found.finish, found.latest_start) == (wib(end), wib(start))
        assert (found.late_by_working_days == 0) is (year == "2025")


def test_days_read_as_seven_and_a_half_hours() -> None:
    rows = re.findall(r"(\d{4}) '1 hari = 7.5 h' .*: step 8 ends (.+); latest start (.+)", section("traps"))
    assert len(rows) == 3
    days = {task: parse_duration(norm_of(task)).days for task in TASKS}
    other = with_norms(definition(), {task: f"PT{n * 450}M" for task, n in days.items() if n})
    for year, end, start in rows:
        found = lkjpd(first_opening(int(year), five_days()), int(year), one=other)
        assert (found.finish, found.latest_start) == (wib(end), wib(start))


def norm_of(task: str) -> str:
    norm = definition().norm(task)
    assert norm is not None and norm.timer is not None
    return norm.timer.expression


def test_a_step_without_a_norm_takes_no_time() -> None:
    rows = re.findall(r"(\d{4}) no findings, step 5 treated as 0 d: ends (.+); latest start (.+)", section("traps"))
    assert len(rows) == 3
    other = with_norms(definition(), {"langkah_5": None})
    for year, end, start in rows:
        found = lkjpd(first_opening(int(year), five_days()), int(year), one=other)
        assert (found.finish, found.latest_start) == (wib(end), wib(start))


def test_days_read_as_days_of_the_wall_calendar() -> None:
    rows = re.findall(r"(\d{4}) returns=(\d): \d+ calendar days from (\S+) -> (\S+); latest start for 28 Feb: (\S+)",
                      section("'hari' = calendar days"))
    assert len(rows) == 9
    other = with_norms(definition(), {task: norm_of(task) for task in TASKS}, unit="kalender")
    usual = five_days().week[0]
    every_day = replace(five_days(), week=(usual,) * 7, seasons=(), holidays=())       # so that 28 February is one
    for year, returns, start, end, latest in rows:
        found = lkjpd(first_opening(int(year), five_days()), int(year), every_day, int(returns), other)
        assert found.at.astimezone(WIB).date() == date.fromisoformat(start)
        assert found.finish is not None and found.latest_start is not None
        assert found.finish.astimezone(WIB).date() == date.fromisoformat(end)
        assert found.latest_start.astimezone(WIB).date() == date.fromisoformat(latest)


def test_the_backward_schedule_of_each_year() -> None:
    rows = re.findall(r"^  (\d{4}) start (.+)$", section("backward schedule"), flags=re.MULTILINE)
    assert len(rows) == 3
    for year, line in rows:
        start, *expected = line.split(" | ")
        found = lkjpd(first_opening(int(year), five_days()), int(year))
        assert [one.element for one in found.windows] == TASKS[:8]
        assert found.windows[0].latest_start == found.latest_start == wib(start)
        assert [one.latest_finish for one in found.windows] == [wib(step.split(":", 1)[1]) for step in expected]


def test_how_many_days_step_3_must_lose() -> None:
    rows = re.findall(r"(\d{4}) \['0 returns: -(\d+) d', '1 returns: -(\d+) d', '2 returns: -(\d+) d'\]",
                      section("how many days must step 3"))
    assert len(rows) == 3
    for year, *expected in rows:
        start = first_opening(int(year), five_days())
        for returns, lost in enumerate(map(int, expected)):
            late = [lkjpd(start, int(year), returns=returns,
                          one=with_norms(definition(), {"langkah_3": f"P{20 - days}D"})).late_by_working_days > 0
                    for days in (lost - 1, lost)]
            assert late == [True, False]


def test_offices_with_different_weeks() -> None:
    assert len(MIXED) == 3
    for year, *expected in MIXED:
        start = first_opening(int(year), six_days())
        for returns in range(3):
            found = lkjpd(start, int(year), six_days(), returns, lanes={"inspektorat": five_days()})
            by = found.working_deadline
            assert by == calendars.last_working_close_of_february(int(year), six_days())
            assert found.finish == calendars.ends(mixed(returns), start)[-1]
            assert found.latest_start == latest_start(mixed(returns), by)
            assert found.latest_start.astimezone(WIB).date() == date.fromisoformat(expected[2 * returns + 1])


# -- the time that it costs -------------------------------------------------------------------------------------------

def test_each_return_costs_the_lanes_the_steps_that_are_done_again() -> None:
    straight, once = (lkjpd(first_opening(2027, six_days()), 2027, six_days(), returns) for returns in (0, 1))
    assert [(one.element, one.round) for one in once.passes if one.round == 2] == [
        ("langkah_5", 2), ("langkah_6", 2), ("langkah_7", 2)]
    more = {lane: once.lane_minutes[lane] - straight.lane_minutes[lane] for lane in straight.lane_minutes}
    assert more["kepala_pd"] == 120
    assert more["inspektorat"] == 0
    assert more["tim_penyusun"] > more["sekretaris_pd"] > 0
    assert straight.costliest_lane == once.costliest_lane == "tim_penyusun"


def test_minutes_are_working_minutes_of_the_lane_and_all_passes_are_to_come_before_the_start() -> None:
    found = lkjpd(first_opening(2027, five_days()), 2027, lanes={"inspektorat": six_days()})
    assert {one.state for one in found.passes} == {"akan_datang"}
    for one in found.passes:
        calendar = six_days() if one.lane == "inspektorat" else five_days()
        assert one.minutes == calendars.working_minutes(one.start, one.end, calendar)
    assert sum(found.lane_minutes.values()) == sum(one.minutes for one in found.passes)


def test_the_year_is_that_of_the_first_deadline_after_the_start() -> None:
    one = definition()
    for start, year in (("2027-01-04 07.30", 2026), ("2027-02-28 23.59", 2026), ("2027-03-01 00.00", 2027),
                        ("2026-12-09 07.45", 2026), ("2026-02-28 12.00", 2025)):
        assert first_year(rules(), one, {"": FIVE_DAYS}, at(start)) == year
    assert first_year(rules("parallel"), definition("parallel"), {"": FIVE_DAYS}, MONDAY) is None


def test_a_process_without_a_deadline_has_an_end_and_nothing_to_miss() -> None:
    found = small(normed("nested_parallel", {"write": "P2D", "judge": "P1D", "budget": "P3D", "sign": "PT30M"}))
    assert found.instance_finish == at("2026-11-26 08.30")
    assert (found.finish, found.deadline, found.deadline_day, found.working_deadline) == (None, None, None, None)
    assert (found.latest_start, found.returns_possible, found.late_by_working_days) == (None, None, 0)
    assert found.windows == ()


# -- the ways through a diagram ---------------------------------------------------------------------------------------

NESTED = {"write": "P2D", "judge": "P1D", "budget": "P3D", "sign": "PT30M"}


def test_branches_run_side_by_side_and_a_join_waits_for_the_last() -> None:
    found = small(normed("nested_parallel", NESTED))
    assert ends(found) == {"write": at("2026-11-25 08.00"), "judge": at("2026-11-24 08.00"),
                           "budget": at("2026-11-26 08.00"), "sign": at("2026-11-26 08.30")}


def test_the_backward_schedule_gives_a_short_branch_the_time_that_the_long_one_takes() -> None:
    found = small(normed("nested_parallel", NESTED, due=("sign", "2026-12-05")))
    windows = {one.element: one for one in found.windows}
    sign = windows["sign"]
    assert sign.latest_finish == found.working_deadline == at("2026-12-04 16.30")
    assert sign.latest_start == at("2026-12-04 16.00")
    for task, days in (("write", 2), ("judge", 1), ("budget", 3)):
        assert windows[task].latest_finish == sign.latest_start
        assert calendars.due_at(f"P{days}D", windows[task].latest_start, five_days()) == sign.latest_start
    assert found.latest_start == min(one.latest_start for one in found.windows) == windows["budget"].latest_start


def test_what_follows_a_subprocess_waits_for_all_that_goes_on_in_it() -> None:
    norms = {"archive": "P1D", "ask": "P3D", "report": "PT60M"}
    found = small(normed("subprocess_parallel", norms, due=("report", "2026-12-05")), found=False)
    assert ends(found) == {"archive": at("2026-11-24 08.00"), "ask": at("2026-11-26 08.00"),
                           "report": at("2026-11-26 09.00")}
    windows = {one.element: one for one in found.windows}
    assert windows["archive"].latest_finish == windows["ask"].latest_finish == windows["report"].latest_start
    short = small(normed("subprocess_parallel", norms | {"archive": "P2D"}), found=True)
    assert ends(short)["report"] == at("2026-11-25 09.00"), "an end that terminates waits for nobody"


def test_a_way_through_a_subprocess_is_as_long_as_what_stands_in_it() -> None:
    ways = forecast.Ways(normed("subprocess", {"examine": "P3D", "read": "P1D", "sign": "PT60M"}))
    assert ways.minutes_ahead("examination") == 3 * 450 + 60
    assert ways.returns == {"in_order_no"}


def test_a_subprocess_that_is_cut_short_by_its_timer_goes_where_that_leads() -> None:
    found = small(normed("subprocess_timers", {"hear": "P4D", "take_over": "P1D", "tell": "PT60M"}))
    assert order(found) == ["hear", "ask", "settle", "tell"]
    slow = small(normed("subprocess_timers", {"hear": "P20D", "take_over": "P1D", "tell": "PT60M"}))
    assert order(slow) == ["hear", "ask", "take_over", "tell"]
    assert ends(slow)["take_over"] == at("2026-12-08 08.00")


def test_every_branch_that_the_data_do_not_rule_out_is_planned() -> None:
    one = normed("inclusive", {"intake": "PT60M", "survey": "P1D", "papers": "P2D", "advice": "P3D", "answer": "P1D"})
    assert sorted(order(small(one))) == ["advice", "answer", "intake", "papers", "survey"]
    known = small(one, site=True, law=False)
    assert order(known) == ["intake", "survey", "papers", "answer"]
    assert ends(known)["answer"] == at("2026-11-26 09.00")


def test_a_return_is_a_flow_from_which_every_way_to_the_end_leads_through_the_same_decision() -> None:
    def returns(name: str) -> frozenset[str]:
        return forecast.Ways(definition(name)).returns

    assert returns("approval_loop") == {"no"}
    assert returns("parallel_loop") == {"answered_no", "complete_no"}     # though "yes" can come back by the outer loop
    assert returns("default_flow") == frozenset()
    assert forecast.Ways(definition()).returns == {"disetujui_tidak"}


def test_a_return_in_a_branch_goes_round_once_and_the_join_waits() -> None:
    one = normed("parallel_loop", {"count": "P1D", "ask": "P2D", "check": "PT60M"})
    assert order(small(one)) == ["count", "ask", "check"]
    again = small(one, returns=1)
    assert order(again) == ["count", "ask", "ask", "check"]
    assert again.instance_finish == at("2026-11-27 09.00")
    assert [p.round for p in small(one, returns=2).passes if p.element == "ask"] == [1, 2, 3]


def test_a_decision_forward_is_taken_by_the_data_and_by_the_longer_way_where_they_do_not_say() -> None:
    one = normed("default_flow", {"measure": "PT30M", "approve": "P2D"})
    assert order(small(one)) == ["measure", "approve"]
    assert order(small(one, amount=1)) == ["measure"]
    assert order(small(one, amount=2_000_000)) == ["measure", "approve"]


def test_a_task_that_is_done_within_its_norm_is_not_interrupted_by_a_later_timer() -> None:
    found = small(normed("interrupting_timer", {"answer": "PT2H", "take_over": "P1D"}))
    assert ends(found) == {"answer": at("2026-11-23 10.00")}


def test_a_timer_that_interrupts_before_the_norm_leads_where_it_leads() -> None:
    found = small(normed("interrupting_timer", {"answer": "P5D", "take_over": "P1D"}))
    assert ends(found) == {"answer": at("2026-11-23 12.00"), "take_over": at("2026-11-24 12.00")}


def test_a_run_waits_for_its_timers_and_for_a_day_that_comes() -> None:
    one = normed("waiting_timer", {"prepare": "PT30M", "proofread": "PT30M", "publish": "PT1H"})
    found = small(one, publish_on="2026-11-30")
    assert ends(found) == {"prepare": at("2026-11-23 08.30"), "proofread": at("2026-11-23 11.00"),
                           "publish": at("2026-11-30 08.30")}
    assert order(found) == ["prepare", "proofread", "publish"]


def test_what_a_late_reminder_would_open_is_not_opened_by_a_task_done_in_time() -> None:
    assert order(small(definition("escalation"))) == ["answer"]
    assert ends(small(definition("escalation"))) == {"answer": at("2026-11-25 08.00")}


def test_an_end_that_terminates_takes_the_other_branch_away() -> None:
    found = small(normed("terminate", {"work": "P5D", "withdraw": "P1D"}))
    assert found.instance_finish == at("2026-11-24 08.00")
    assert ends(found) == dict.fromkeys(("work", "withdraw"), at("2026-11-24 08.00"))


def test_more_returns_than_can_be_supposed_are_refused() -> None:
    for returns in (-1, forecast.MOST_RETURNS + 1):
        with pytest.raises(ForecastError, match="harus 0 sampai"):
            lkjpd(first_opening(2027, five_days()), 2027, returns=returns)


def test_a_run_that_waits_for_nothing_is_said_and_not_guessed() -> None:
    before = lkjpd_before(5).instance
    stalled = replace(before, user_tasks={}, timers={})
    with pytest.raises(ForecastError, match="tidak menunggu siapa pun"):
        forecast.of_instance(rules(), stalled, at("2027-01-20 10.00"))


def test_a_deadline_that_cannot_be_counted_is_said() -> None:
    with pytest.raises(ForecastError, match="tidak dapat dimulai"):
        forecast.standard(rules(), definition(), {"": FIVE_DAYS}, at("2027-01-04 07.30"), data={})


def test_a_run_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "MOST_STEPS", 12)
    assert lkjpd(first_opening(2027, five_days()), 2027, returns=0).passes
    with pytest.raises(ForecastError, match="lebih dari 12 langkah"):
        lkjpd(first_opening(2027, five_days()), 2027, returns=2)


# -- an instance in the middle ----------------------------------------------------------------------------------------

def test_an_instance_goes_on_from_where_it_stands() -> None:
    case = lkjpd_before(5)
    task = case.task("langkah_5")
    now = task.opened_at + timedelta(hours=1)
    found = forecast.of_instance(case.rules, case.instance, now)
    assert [(p.element, p.state) for p in found.passes] == [
        *((f"langkah_{n}", "selesai") for n in (1, 2, 3, 4)), ("langkah_5", "terbuka"),
        *((f"langkah_{n}", "akan_datang") for n in (6, 7, 8, 9))]
    begun = found.passes[4]
    assert (begun.start, begun.end) == (task.opened_at, task.norm_at)
    assert begun.minutes == calendars.working_minutes(task.opened_at, task.norm_at, five_days())
    left = calendars.working_minutes(now, task.norm_at, five_days())
    later = sum(p.minutes for p in found.passes[5:] if p.lane == "tim_penyusun")
    assert found.lane_minutes["tim_penyusun"] == left + later
    assert [one.element for one in found.windows] == TASKS[4:8]


def test_a_late_task_ends_now() -> None:
    case = lkjpd_before(5)
    norm_at = case.task("langkah_5").norm_at
    now = norm_at + timedelta(days=3)
    found = forecast.of_instance(case.rules, case.instance, now)
    assert found.passes[4].end == now
    in_time = forecast.of_instance(case.rules, case.instance, norm_at)
    assert in_time.passes[4].end == norm_at
    assert in_time.finish < found.finish


def test_more_time_that_was_granted_moves_the_end_and_what_was_only_asked_does_not() -> None:
    case = lkjpd_before(5)
    task = case.task("langkah_5")
    until = (task.norm_at.astimezone(WIB) + timedelta(days=9)).date()
    asked = case.when(AskExtension(user_task=task.number, until=until.isoformat(), reason="Data belum lengkap."), TIM1)
    assert ends(forecast.of_instance(case.rules, asked.instance, task.opened_at))["langkah_5"] == task.norm_at
    granted = asked.when(GrantExtension(user_task=task.number), CAMAT)
    found = forecast.of_instance(case.rules, granted.instance, task.opened_at)
    assert ends(found)["langkah_5"] == granted.task("langkah_5").late_at > task.norm_at


def test_a_suspended_instance_is_forecast_as_if_it_went_on() -> None:
    case, now = lkjpd_before(6), at("2027-02-01 09.00")
    running = forecast.of_instance(case.rules, case.instance, now)
    assert forecast.of_instance(case.rules, replace(case.instance, status=SUSPENDED), now) == running


def test_a_finished_instance_says_what_came_of_it() -> None:
    told = story.run((LKJPD.parent / "stories" / "01_disetujui_langsung.txt").read_text(), rules(), definition().sha256)
    instance = told.instance
    assert instance.status == COMPLETED
    found = forecast.of_instance(rules(), instance, at("2027-06-01 09.00"))
    assert found.instance_finish == instance.ended_at
    assert found.finish == instance.passed["langkah_8"].at
    assert found.late_by_working_days == 0
    assert (found.latest_start, found.returns_possible, found.windows) == (None, None, ())
    assert {p.state for p in found.passes} == {"selesai"} and order(found) == TASKS
    cancelled = forecast.of_instance(rules(), replace(instance, status=CANCELLED), at("2027-06-01 09.00"))
    assert cancelled.instance_finish == instance.ended_at


def test_after_the_delivery_nothing_is_late_any_more_and_the_rest_is_still_planned() -> None:
    case = lkjpd_before(9)
    delivered = case.instance.passed["langkah_8"].at
    found = forecast.of_instance(case.rules, case.instance, at("2027-03-20 09.00"))
    assert found.finish == delivered
    assert (found.late_by_working_days, found.returns_possible, found.latest_start) == (0, None, None)
    assert found.windows == ()
    assert found.passes[-1].element == "langkah_9" and found.passes[-1].state == "terbuka"


def test_returns_are_supposed_from_here_on() -> None:
    case = lkjpd_before(7, "02_dikembalikan_satu_kali.txt", nth=2)
    task = case.task("langkah_7")
    assert task.round == 2
    found = forecast.of_instance(case.rules, case.instance, task.opened_at, returns=1)
    assert [(p.element, p.round) for p in found.passes if p.state != "selesai"] == [
        ("langkah_7", 2), ("langkah_5", 3), ("langkah_6", 3), ("langkah_7", 3), ("langkah_8", 1), ("langkah_9", 1)]


# -- what is forecast is what then happens ----------------------------------------------------------------------------

def really(one: ProcessDefinition, start: datetime, answers: Mapping[str, list[dict[str, Any]]],
           **data: Any) -> dict[tuple[str, int], tuple[datetime, datetime]]:
    """Run a small diagram by `decide`, each task done when its norm is over, reminders fired when they are due.

    answers  task -> what its form says each time, the last one again and again
    Gives (task, round) -> (opened, done).
    """
    case = fresh(one).when(StartProcessInstance(key=one.key, definition=one.sha256, unit="unit",
                                                calendars={"": FIVE_DAYS}, data=data), STAFF, start)
    found: dict[tuple[str, int], tuple[datetime, datetime]] = {}
    for _ in range(200):
        if case.instance.status != RUNNING:
            return found
        tasks = [(t.norm_at or t.opened_at, 0, t.number) for t in case.instance.user_tasks.values()]
        timers = [(t.due_at, 1, t.number) for t in case.instance.timers.values() if t.element != "deadline"]
        moment, kind, number = min(tasks + timers)
        moment = max(moment, case.instance.last_at or moment)       # a day that has come already comes now
        if kind:
            case = case.fired(case.instance.timers[number].element, moment)
            continue
        task = case.instance.user_tasks[number]
        said = answers.get(task.element, [{}])
        case = case.completed(task.element, HEAD if task.lane != "staff" else STAFF, moment,
                              **said[min(task.round, len(said)) - 1])
        found[task.element, task.round] = task.opened_at, moment
    raise AssertionError("it never ended")


INSTANTS = st.integers(0, 3 * 365 * 86_400).map(lambda n: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=n))
MINUTES = INSTANTS.map(lambda one: one.replace(second=0, microsecond=0))
NORMS = st.one_of(st.integers(1, 12).map(lambda n: f"P{n}D"), st.integers(1, 900).map(lambda n: f"PT{n}M"))


@settings(max_examples=40)
@drawn(INSTANTS, st.tuples(NORMS, NORMS), st.integers(0, 4))
def test_a_loop_that_then_runs_with_the_standard_norms_is_what_was_forecast(
        start: datetime, norms: tuple[str, str], returns: int) -> None:
    one = normed("approval_loop", dict(zip(("write", "decide"), norms, strict=True)))
    answers = {"write": [{"draft": "x"}],
               "decide": [*[{"decision": "return", "reason": "x"}] * returns, {"decision": "approve"}]}
    happened = really(one, start, answers)
    found = small(one, start, returns)
    assert {(p.element, p.round): (p.start, p.end) for p in found.passes} == happened


@settings(max_examples=40)
@drawn(INSTANTS, st.tuples(NORMS, NORMS, NORMS, NORMS))
def test_branches_that_then_run_with_the_standard_norms_are_what_was_forecast(
        start: datetime, norms: tuple[str, str, str, str]) -> None:
    one = normed("nested_parallel", dict(zip(("write", "judge", "budget", "sign"), norms, strict=True)))
    happened = really(one, start, {})
    found = small(one, start)
    assert {(p.element, p.round): (p.start, p.end) for p in found.passes} == happened
    assert found.instance_finish == max(end for _, end in happened.values())


@settings(max_examples=40)
@drawn(INSTANTS, st.tuples(NORMS, NORMS, NORMS), st.integers(0, 60))
def test_waits_that_then_are_waited_are_what_was_forecast(
        start: datetime, norms: tuple[str, str, str], later: int) -> None:
    one = normed("waiting_timer", dict(zip(("prepare", "proofread", "publish"), norms, strict=True)))
    day = (start + timedelta(days=later)).date().isoformat()
    happened = really(one, start, {"prepare": [{"publish_on": day}]}, publish_on=day)
    found = small(one, start, publish_on=day)
    assert {(p.element, p.round): (p.start, p.end) for p in found.passes} == happened


def test_an_lkjpd_that_then_runs_with_the_standard_norms_is_what_was_forecast_from_every_step_on() -> None:
    text = (LKJPD.parent / "stories" / "02_dikembalikan_satu_kali.txt").read_text()
    start = "Rabu 9 Desember 2026 07.45"
    told, real, before = run_by_the_norms(text)
    instance = told.instance
    assert instance.status == COMPLETED and start in text
    happened = passes_of(told)
    for step, (after, moment) in enumerate(before):
        left = 1 if step < [e for e, _ in real].index("langkah_7") + 1 else 0       # it is returned once
        found = forecast.of_instance(rules(), after, moment, returns=left)
        planned = [(p.element, p.round, p.start, p.end) for p in found.passes if p.state != "selesai"]
        assert planned == happened[step:]
        assert found.finish == instance.passed["langkah_8"].at
        assert found.instance_finish == instance.ended_at


def run_by_the_norms(text: str) -> tuple[Any, list[tuple[str, int]], list[tuple[ProcessInstance, datetime]]]:
    """The story with each step done exactly when its norm is over; what came, the passes, and the instance before each.

    Its dates are those of the story: earlier than what happens here, which its forms allow."""
    days = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
    months = ("Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober",
              "November", "Desember")
    kept: list[str] = []
    before: list[tuple[ProcessInstance, datetime]] = []
    real: list[tuple[str, int]] = []
    skipping = False
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith(("maka ", "#")):
            continue
        if "menyelesaikan langkah" in line:
            following = next((one for one in lines[number + 1:] if one.startswith("maka")), "")
            skipping = following.startswith("maka ditolak")
            if skipping:
                continue
            now = story.run("\n".join(kept), rules(), definition().sha256).instance
            (task,) = now.user_tasks.values()
            before.append((now, task.opened_at))
            real.append((task.element, task.round))
            local = task.norm_at.astimezone(WIB)
            when = f"{days[local.weekday()]} {local.day} {months[local.month - 1]} {local.year} {local:%H.%M}"
            line = re.sub(r"^.*?\d\d\.\d\d", when, line)
        elif skipping and line.startswith(" "):
            continue
        kept.append(line)
    return story.run("\n".join(kept), rules(), definition().sha256), real, before


def passes_of(told: Any) -> list[tuple[str, int, datetime, datetime]]:
    opened, found = {}, []
    for step in told.steps:
        for event in step.events:
            if isinstance(event, UserTaskCompleted):
                found.append((event.element, *opened[event.user_task], step.command.at))
            elif isinstance(event, UserTaskOpened):
                opened[event.user_task] = event.round, step.command.at
    return found


# -- laws -------------------------------------------------------------------------------------------------------------

WEEK = st.sampled_from([five_days(), six_days()])
STARTS = st.integers(0, 560 * 1_440).map(lambda n: datetime(2025, 9, 1, tzinfo=UTC) + timedelta(minutes=n))


@settings(max_examples=15)  # half a second of forecasting each; another seed at each run
@drawn(STARTS, st.timedeltas(timedelta(0), timedelta(days=40)), WEEK, st.integers(0, 3))
def test_a_later_start_never_finishes_earlier(start: datetime, later: timedelta, week: Calendar, returns: int) -> None:
    one, other = (lkjpd(moment, 2027, week, returns) for moment in (start, start + later))
    assert one.finish <= other.finish
    assert one.instance_finish <= other.instance_finish
    assert one.latest_start == other.latest_start
    assert one.returns_possible >= other.returns_possible


@settings(max_examples=15)
@drawn(STARTS, WEEK, st.integers(0, 6))
def test_one_more_return_never_finishes_earlier_and_must_begin_earlier(
        start: datetime, week: Calendar, returns: int) -> None:
    one, other = (lkjpd(start, 2027, week, n) for n in (returns, returns + 1))
    assert one.finish < other.finish
    assert one.latest_start > other.latest_start


@settings(max_examples=15)
@drawn(WEEK, WEEK, st.integers(2025, 2028), st.integers(0, 3),
       st.dictionaries(st.sampled_from(TASKS[:8]), NORMS, max_size=3))
@example(six_days(), five_days(), 2027, 0, {})
@example(five_days(), six_days(), 2026, 2, {"langkah_8": "P3D"})
def test_the_latest_start_meets_the_working_deadline_and_a_working_minute_later_does_not(
        week: Calendar, other: Calendar, year: int, returns: int, norms: dict[str, str]) -> None:
    one = with_norms(definition(), norms) if norms else definition()
    lanes = {"inspektorat": other}
    anywhere = at(f"{year - 1}-12-01 08.00")
    latest = lkjpd(anywhere, year, week, returns, one, lanes).latest_start
    found = lkjpd(latest, year, week, returns, one, lanes)
    assert found.finish <= found.working_deadline
    assert found.late_by_working_days == 0
    later = calendars.due_at("PT1M", latest, week)
    if later == calendars.close_of_day(later, week):    # a start at the close, before a longer day, is none to advise
        later = calendars.due_at("PT2M", latest, week)
    after = lkjpd(later, year, week, returns, one, lanes)
    assert after.finish > after.working_deadline
    assert after.late_by_working_days > 0


@settings(max_examples=40)
@drawn(MINUTES, st.tuples(NORMS, NORMS, NORMS, NORMS), st.integers(5, 90))
def test_branches_begun_at_their_latest_start_meet_the_working_deadline(
        start: datetime, norms: tuple[str, str, str, str], days: int) -> None:
    due = (start + timedelta(days=days)).date().isoformat()
    one = normed("nested_parallel", dict(zip(("write", "judge", "budget", "sign"), norms, strict=True)), ("sign", due))
    found = small(one, start)
    at_the_latest = small(one, found.latest_start)
    assert at_the_latest.finish <= found.working_deadline
    assert small(one, calendars.due_at("PT2M", found.latest_start, five_days())).finish > found.working_deadline
    for window in found.windows:
        assert window.latest_start <= window.latest_finish <= found.working_deadline


# -- with the durations really taken ----------------------------------------------------------------------------------

def samples(returned: int = 0, **minutes: tuple[int, ...]) -> Samples:
    return Samples(minutes=minutes, returned={"langkah_7": returned})


START = Beginning(definition=definition(), calendars={"": FIVE_DAYS}, data={"tahun_laporan": 2026})
FIRST_DAY = first_opening(2027, five_days())


def drawn_from(taken: Samples, seed: int = 1, runs: int = 50, now: datetime = FIRST_DAY, **other: Any) -> Any:
    return likelihood(rules(), other.get("instance", START), now, taken, seed=seed, runs=runs)


def test_before_five_finished_passes_there_is_not_enough_data() -> None:
    assert drawn_from(samples()) is None
    assert drawn_from(samples(langkah_3=(100,) * 4)) is None
    assert drawn_from(samples(somewhere_else=(100,) * 9)) is None
    found = drawn_from(samples(langkah_3=(100,) * 5))
    assert found.measured == ("langkah_3",)
    assert found.standard == tuple(task for task in TASKS if task != "langkah_3")
    assert found.return_probability == {"langkah_7": 0.0}


def test_passes_that_always_took_the_same_give_one_finish_and_certainty() -> None:
    found = drawn_from(samples(langkah_3=(450 * 20,) * 5))
    usual = lkjpd(FIRST_DAY, 2027)
    assert found.finish_10 == found.finish_50 == found.finish_90
    assert found.finish_50 >= usual.finish                      # Ramadan days are shorter than 450 minutes
    assert found.probability_late == 1.0
    quick = drawn_from(samples(langkah_3=(60,) * 5))
    assert quick.probability_late == 0.0
    by_hand = with_norms(definition(), {"langkah_3": "PT60M"})
    assert quick.finish_50 == lkjpd(FIRST_DAY, 2027, one=by_hand).finish


def test_a_pass_that_took_no_working_time_ends_when_it_began() -> None:
    found = drawn_from(samples(langkah_3=(0,) * 5))
    assert found.finish_50 == lkjpd(FIRST_DAY, 2027, one=with_norms(definition(), {"langkah_3": None})).finish


def test_returns_come_as_often_as_they_came() -> None:
    never = drawn_from(samples(0, langkah_7=(120,) * 8))
    often = drawn_from(samples(4, langkah_7=(120,) * 8), runs=300)
    assert never.return_probability == {"langkah_7": 0.0}
    assert often.return_probability == {"langkah_7": 0.5}
    assert never.finish_90 == lkjpd(FIRST_DAY, 2027).finish
    assert often.finish_10 == never.finish_10
    assert often.finish_50 > often.finish_10
    # Half of all come back once, a quarter of them again: nine of ten are done after at most three returns.
    assert lkjpd(FIRST_DAY, 2027, returns=2).finish < often.finish_90 <= lkjpd(FIRST_DAY, 2027, returns=4).finish


def test_passes_that_always_came_back_end_all_the_same() -> None:
    found = drawn_from(samples(5, langkah_7=(120,) * 5), runs=3)
    assert found.return_probability == {"langkah_7": 1.0}
    assert found.finish_50 == lkjpd(FIRST_DAY, 2027, returns=forecast.MOST_RETURNS).finish


def test_the_same_seed_gives_the_same_and_another_seed_another() -> None:
    taken = samples(2, **dict.fromkeys(TASKS, (30, 200, 450, 900, 4000, 9000)))
    one, same, other = (drawn_from(taken, seed) for seed in (7, 7, 8))
    assert one == same
    assert one != other
    assert one.finish_10 < one.finish_50 < one.finish_90
    assert one.seed == 7 and one.runs == 50
    assert 0 < one.probability_late < 1


def test_an_open_task_that_took_longer_than_any_before_ends_now() -> None:
    case = lkjpd_before(5)
    task = case.task("langkah_5")
    now = calendars.due_at("PT900M", task.opened_at, five_days())
    taken = samples(langkah_5=(100, 200, 300, 400, 500))
    found = drawn_from(taken, now=now, instance=case.instance)
    without = with_norms(definition(), {"langkah_5": None})
    rest = forecast.of_instance(rules(), replace(case.instance, user_tasks={
        task.number: replace(task, norm_at=now)}), now)
    assert found.finish_10 == found.finish_90 == rest.finish
    assert without.norm("langkah_5") is None


def test_an_open_task_is_drawn_from_those_that_took_longer_than_it_already_does() -> None:
    case = lkjpd_before(5)
    task = case.task("langkah_5")
    now = calendars.due_at("PT350M", task.opened_at, five_days())
    taken = samples(langkah_5=(100, 200, 300, 900, 900))
    found = drawn_from(taken, now=now, instance=case.instance)
    end = calendars.due_at("PT900M", task.opened_at, five_days())
    rest = forecast.of_instance(rules(), replace(case.instance, user_tasks={
        task.number: replace(task, norm_at=end)}), now)
    assert found.finish_10 == found.finish_90 == rest.finish


def test_a_lane_is_weighed_by_what_it_really_takes() -> None:
    found = drawn_from(samples(langkah_4=(30_000,) * 5, langkah_3=(10,) * 5, langkah_5=(10,) * 5))
    assert found.costliest_lane == "inspektorat"
    assert found.lane_minutes["inspektorat"] == 30_000


def test_a_finished_instance_has_no_likelihood() -> None:
    told = story.run((LKJPD.parent / "stories" / "01_disetujui_langsung.txt").read_text(), rules(), definition().sha256)
    assert drawn_from(samples(langkah_9=(10,) * 5), instance=told.instance) is None


def test_timers_that_change_the_way_are_met_in_each_run() -> None:
    one = normed("interrupting_timer", {"answer": "PT2H", "take_over": "P1D"})
    start = Beginning(definition=one, calendars={"": FIVE_DAYS}, data={})
    taken = Samples(minutes={"answer": (60, 60, 60, 5_000, 5_000, 5_000), "take_over": (450,) * 5})
    found = likelihood(rules_of(one), start, MONDAY, taken, seed=3, runs=60)
    assert found is not None
    assert found.finish_10 == at("2026-11-23 09.00")            # answered within the hour
    after = at("2026-11-23 12.00")                              # taken over after four
    assert found.finish_90 == calendars.due_at("PT450M", after, five_days())
    assert found.probability_late == 0.0


TAKEN = st.integers(0, 9_000)


@settings(max_examples=25)
@drawn(st.tuples(TAKEN, TAKEN, TAKEN, TAKEN), MINUTES)
def test_branches_timed_again_end_as_branches_run_again(minutes: tuple[int, ...], start: datetime) -> None:
    """A run without timers is supposed once and then timed again: that must give what supposing it each time gives."""
    one = definition("nested_parallel")
    taken = Samples(minutes={task: (n,) * 5 for task, n in zip(NESTED, minutes, strict=True)})
    begun = forecast._begun(rules_of(one), one, {"": FIVE_DAYS}, start, {})
    drawing = forecast.Drawing(rules_of(one), begun, start, taken)
    assert drawing.ways.steady
    timed = drawing.run(forecast.Lots(0, 0), to_deadline=False)
    drawing.ways.steady = False
    assert drawing.run(forecast.Lots(0, 0), to_deadline=False) == timed


@settings(max_examples=15)
@drawn(st.lists(TAKEN, min_size=8, max_size=8), st.booleans())
def test_an_lkjpd_timed_again_ends_as_an_lkjpd_run_again(minutes: list[int], returned: bool) -> None:
    taken = samples(5 if returned else 0, **{task: (n,) * 5 for task, n in zip(TASKS, minutes, strict=False)})
    begun = forecast._begun(rules(), definition(), {"": FIVE_DAYS}, FIRST_DAY, {"tahun_laporan": 2026})
    drawing = forecast.Drawing(rules(), begun, FIRST_DAY, taken)
    timed = drawing.run(forecast.Lots(0, 0), to_deadline=True)
    drawing.ways.steady = False
    assert drawing.run(forecast.Lots(0, 0), to_deadline=True) == timed
