"""Working time: every number of the independent reference, the rules one by one, and laws for arbitrary calendars.

`working_time_reference.out` was printed by a program that shares no code with ours: it counts in (day, minute of work)
with naive local dates. Here the same numbers come out of instants handed from step to step, as an instance does it.
"""
from __future__ import annotations

import re
from bisect import bisect_left
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import islice, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.calendars import (
    PRESETS,
    Calendar,
    CalendarError,
    Holiday,
    Season,
    close_of_day,
    counted_from,
    due_at,
    end_of_next_working_day,
    ends,
    explain,
    five_days,
    last_working_close,
    last_working_close_of_february,
    latest_start,
    national_holidays,
    near_due,
    next_opening,
    parse_duration,
    six_days,
    three_instants,
    wall_clock_due,
    working_days,
    working_days_between,
    working_minutes,
    years_without_cuti_bersama,
)

WIB = ZoneInfo("Asia/Jakarta")
REFERENCE = Path(__file__).with_name("working_time_reference.out").read_text(encoding="utf-8")
STEPS = {1: "PT20M", 2: "P2D", 3: "P20D", 4: "P10D", 5: "P5D", 6: "P1D", 7: "PT120M", 8: "P1D", 9: "PT15M"}
WEEKS = {"5-hari (Perpres 21/2023)": five_days, "6-hari (Perbup 46/2017)": six_days}


def wib(text: str) -> datetime:
    """"2027-02-02 10.00" or "Tue 02 Feb 2027 10:00" in WIB."""
    pattern = "%Y-%m-%d %H.%M" if text[0].isdigit() else "%a %d %b %Y %H:%M"
    return datetime.strptime(text, pattern).replace(tzinfo=WIB)


def numbers(returns: int, upto: int = 8) -> list[int]:
    """The steps in the order in which they are done: each return by Kepala PD repeats 5, 6 and 7."""
    return [n for n in [1, 2, 3, 4, *[5, 6, 7] * (1 + returns), 8, 9] if n <= upto]


def path(returns: int, calendar: Calendar, upto: int = 8, **durations: str | None) -> list[tuple[str, Calendar]]:
    """The SOP as durations; `step_5=None` leaves a step out, `step_3="P18D"` changes it."""
    changed = {n: durations.get(f"step_{n}", STEPS[n]) for n in STEPS}
    return [(duration, calendar) for n in numbers(returns, upto) if (duration := changed[n]) is not None]


def opening_on(day: date, calendar: Calendar) -> datetime:
    return next_opening(datetime.combine(day, time(0), WIB), calendar)


def first_opening(year: int, calendar: Calendar) -> datetime:
    return opening_on(date(year, 1, 2), calendar)


def section(title: str) -> str:
    """The lines of the reference under a heading that begins with `title`."""
    found = [part for part in re.split(r"^== ", REFERENCE, flags=re.MULTILINE) if part.startswith(title)]
    assert len(found) == 1, f"the reference has {len(found)} sections '{title}'"
    return found[0]


# -- the reference -----------------------------------------------------------------------------------------------------

def test_the_demand_of_the_sop():
    rows = re.findall(r"returns (\d) to end of step 8: \((\d+), (\d+)\)  to end of step 9: \((\d+), (\d+)\)",
                      section("demand"))
    assert len(rows) == 3
    for returns, *expected in rows:
        found = []
        for upto in (8, 9):
            durations = [parse_duration(STEPS[n]) for n in numbers(int(returns), upto)]
            found += [sum(one.days for one in durations), sum(one.microseconds for one in durations) // 60_000_000]
        assert found == [int(n) for n in expected]


@pytest.mark.parametrize("week", WEEKS)
def test_hours_a_week(week):
    usual, fasting = re.match(r".*: ([\d.]+) h/week, Ramadan ([\d.]+) h/week", section(week)).groups()
    calendar = WEEKS[week]()
    assert working_minutes(wib("2025-07-07 00.00"), wib("2025-07-14 00.00"), calendar) == float(usual) * 60
    assert working_minutes(wib("2025-03-03 00.00"), wib("2025-03-10 00.00"), calendar) == float(fasting) * 60


@pytest.mark.parametrize("week", WEEKS)
def test_working_days_from_january_to_the_deadline(week):
    calendar = WEEKS[week]()
    rows = re.findall(r"^(\d{4}): first (.+), last (.+); working days 2 Jan-.+ = (\d+)  \(Jan (\d+), Feb (\d+)\)$",
                      section(week), flags=re.MULTILINE)
    assert [row[0] for row in rows] == ["2025", "2026", "2027"]
    for year, first, last, both, january, february in rows:
        y = int(year)
        close = last_working_close_of_february(y, calendar).astimezone(WIB)
        assert f"{first_opening(y, calendar).astimezone(WIB):%a %d %b}" == first
        assert f"{close:%a %d %b}" == last
        assert working_days(date(y, 1, 2), close.date(), calendar) == int(both)
        assert working_days(date(y, 1, 2), date(y, 1, 31), calendar) == int(january)
        assert working_days(date(y, 2, 1), close.date(), calendar) == int(february)


def _runs() -> list[tuple[str, str, str, str, str, str, str, str]]:
    found = []
    for week in WEEKS:
        year = ""
        for line in section(week).splitlines():
            if match := re.match(r"(\d{4}): first", line):
                year = match[1]
            elif match := re.match(r" +returns=(\d): latest start (.+); started .+ -> step 8 ends (.+) "
                                   r"\(step 9 (.+)\), (LATE by|in time, slack) (\d+) working day\(s\)", line):
                found.append((week, year, *match.groups()))
    return found


RUNS = _runs()


def test_the_reference_has_three_years_of_two_weeks_with_three_returns_each():
    assert len(RUNS) == 18


@pytest.mark.parametrize(("week", "year", "returns", "start", "end_8", "end_9", "how", "days"), RUNS)
def test_a_run_from_the_first_working_day_ends_as_the_reference_says(
        week, year, returns, start, end_8, end_9, how, days):
    calendar, at = WEEKS[week](), first_opening(int(year), WEEKS[week]())
    end = ends(path(int(returns), calendar), at)[-1]
    assert end == wib(end_8)
    assert ends(path(int(returns), calendar, 9), at)[-1] == wib(end_9)
    deadline = last_working_close_of_february(int(year), calendar)
    assert (end > deadline) is (how == "LATE by")
    assert working_days_between(deadline, end, calendar) == (int(days) if how == "LATE by" else -int(days))


@pytest.mark.parametrize(("week", "year", "returns", "start", "end_8", "end_9", "how", "days"), RUNS)
def test_the_latest_start_is_the_one_of_the_reference(week, year, returns, start, end_8, end_9, how, days):
    calendar = WEEKS[week]()
    deadline = last_working_close_of_february(int(year), calendar)
    found = latest_start(path(int(returns), calendar), deadline)
    assert found == wib(start)
    assert found.tzinfo is UTC
    assert ends(path(int(returns), calendar), found + timedelta(minutes=1))[-1] > deadline


def test_runs_begun_on_the_dates_of_the_sop_itself():
    rows = re.findall(r"start (\S+) -> \['(.+)', '(.+)', '(.+)'\]", section("the seed's own dates"))
    assert len(rows) == 2
    for day, *expected in rows:
        at = opening_on(date.fromisoformat(day), five_days())
        assert [ends(path(r, five_days()), at)[-1] for r in range(3)] == [wib(end) for end in expected]


def test_a_calendar_without_cuti_bersama_looks_better_than_it_is():
    rows = re.findall(r"(\d{4}) WITHOUT cuti bersama .*: (\d+) days; .* ends (.+); latest start (.+)", section("traps"))
    assert len(rows) == 3
    calendar = replace(five_days(), holidays=tuple(h for h in five_days().holidays if h.kind != "cuti_bersama"))
    for year, days, end, start in rows:
        close = last_working_close_of_february(int(year), calendar)
        assert working_days(date(int(year), 1, 2), close.astimezone(WIB).date(), calendar) == int(days)
        assert ends(path(0, calendar), first_opening(int(year), calendar))[-1] == wib(end)
        assert latest_start(path(0, calendar), close) == wib(start)
    assert wib(rows[0][2]) < last_working_close_of_february(2025, five_days()), "the trap: 2025 seems in time"


def test_days_read_as_seven_and_a_half_hours():
    rows = re.findall(r"(\d{4}) '1 hari = 7.5 h' .*: step 8 ends (.+); latest start (.+)", section("traps"))
    assert len(rows) == 3
    as_minutes = {f"step_{n}": f"PT{parse_duration(one).days * 450}M" for n, one in STEPS.items() if "D" in one}
    for year, end, start in rows:
        steps = path(0, five_days(), **as_minutes)
        assert ends(steps, first_opening(int(year), five_days()))[-1] == wib(end)
        assert latest_start(steps, last_working_close_of_february(int(year), five_days())) == wib(start)


def test_a_review_without_findings_that_skips_step_5():
    rows = re.findall(r"(\d{4}) no findings, step 5 treated as 0 d: ends (.+); latest start (.+)", section("traps"))
    assert len(rows) == 3
    for year, end, start in rows:
        steps = path(0, five_days(), step_5=None)
        assert ends(steps, first_opening(int(year), five_days()))[-1] == wib(end)
        assert latest_start(steps, last_working_close_of_february(int(year), five_days())) == wib(start)


def test_days_read_as_days_of_the_wall_calendar():
    rows = re.findall(r"(\d{4}) returns=(\d): (\d+) calendar days from (\S+) -> (\S+); latest start for 28 Feb: (\S+)",
                      section("'hari' = calendar days"))
    assert len(rows) == 9
    for year, returns, days, start, end, latest in rows:
        assert int(days) == sum(parse_duration(STEPS[n]).days for n in numbers(int(returns)))
        begin = first_opening(int(year), five_days()).astimezone(WIB)
        assert begin.date() == date.fromisoformat(start)
        assert wall_clock_due(f"P{days}D", begin, "Asia/Jakarta").astimezone(WIB).date() == date.fromisoformat(end)
        noon = datetime.combine(date.fromisoformat(latest), time(12), WIB)
        assert wall_clock_due(f"P{days}D", noon, "Asia/Jakarta") == datetime(int(year), 2, 28, 12, tzinfo=WIB)


def test_the_backward_schedule_of_each_year():
    rows = re.findall(r"^  (\d{4}) start (.+)$", section("backward schedule"), flags=re.MULTILINE)
    assert len(rows) == 3
    for year, line in rows:
        start, *expected = line.split(" | ")
        begin = latest_start(path(0, five_days()), last_working_close_of_february(int(year), five_days()))
        assert begin == wib(start)
        assert list(ends(path(0, five_days()), begin)) == [wib(step.split(":", 1)[1]) for step in expected]


def test_how_many_days_step_3_must_lose():
    rows = re.findall(r"(\d{4}) \['0 returns: -(\d+) d', '1 returns: -(\d+) d', '2 returns: -(\d+) d'\]",
                      section("how many days must step 3"))
    assert len(rows) == 3
    for year, *expected in rows:
        deadline, at = last_working_close_of_february(int(year), five_days()), first_opening(int(year), five_days())
        for returns, lost in enumerate(map(int, expected)):
            def in_time(days: int, returns: int = returns, at: datetime = at, deadline: datetime = deadline) -> bool:
                return ends(path(returns, five_days(), step_3=f"P{20 - days}D"), at)[-1] <= deadline
            assert in_time(lost)
            assert not in_time(lost - 1)


MIXED = re.findall(r"^  (\d{4}) 0: ends (\S+), latest start day (\S+) \| 1: ends (\S+), latest start day (\S+) \| "
                   r"2: ends (\S+), latest start day (\S+)$", section("mixed calendars"), flags=re.MULTILINE)


def mixed(returns: int) -> list[tuple[str, Calendar]]:
    """Kecamatan works six days, Inspektorat (step 4) five."""
    return [(STEPS[n], five_days() if n == 4 else six_days()) for n in numbers(returns)]


def handed_over_by_minutes(at: datetime, giver: Calendar, taker: Calendar) -> datetime:
    """The reference's way between two offices: so many minutes into the day there is as many into the day here."""
    local = at.astimezone(WIB)
    midnight = datetime.combine(local.date(), time(0), WIB)
    opening = next_opening(midnight, taker)
    if opening.astimezone(WIB).date() != local.date():
        return opening
    worked = min(working_minutes(midnight, at, giver), working_minutes(midnight, midnight + timedelta(days=1), taker))
    return due_at(f"PT{worked}M", opening, taker) if worked else opening


def ends_in_mixed_offices(steps: list[tuple[str, Calendar]], at: datetime) -> datetime:
    before = six_days()
    for duration, calendar in steps:
        at = due_at(duration, handed_over_by_minutes(at, before, calendar) if calendar is not before else at, calendar)
        before = calendar
    return at


def test_mixed_offices_as_the_reference_hands_over():
    assert len(MIXED) == 3
    for year, *expected in MIXED:
        deadline = last_working_close_of_february(int(year), six_days())
        for returns in range(3):
            end, start = expected[2 * returns], date.fromisoformat(expected[2 * returns + 1])
            found = ends_in_mixed_offices(mixed(returns), first_opening(int(year), six_days()))
            assert found.astimezone(WIB).date() == date.fromisoformat(end)
            following = next_opening(datetime.combine(start, time(23), WIB), six_days())
            assert ends_in_mixed_offices(mixed(returns), opening_on(start, six_days())) <= deadline
            assert ends_in_mixed_offices(mixed(returns), following) > deadline


def test_mixed_offices_by_the_clock_start_on_the_same_days_and_end_at_most_a_working_day_earlier():
    """An instance hands over at an instant. Kecamatan's 7.20 is before Inspektorat opens at 7.30, so its first day
    counts whole and ends on Friday 16.30; Kecamatan goes on on Saturday, the reference in Monday's 20th minute."""
    for year, *expected in MIXED:
        deadline = last_working_close_of_february(int(year), six_days())
        for returns in range(3):
            end, start = date.fromisoformat(expected[2 * returns]), date.fromisoformat(expected[2 * returns + 1])
            assert latest_start(mixed(returns), deadline).astimezone(WIB).date() == start
            found = ends(mixed(returns), first_opening(int(year), six_days()))[-1].astimezone(WIB).date()
            assert working_days(found, end, six_days()) in (1, 2)


def test_counting_without_the_first_day_until_the_close():
    rows = re.findall(r"(\d{4}) \['(\S+)', '(\S+)', '(\S+)'\]", section("'first day not counted"))
    assert len(rows) == 3
    for year, *expected in rows:
        for returns, end in enumerate(expected):
            at = close_of_day(first_opening(int(year), five_days()), five_days())
            for n in numbers(returns):
                if "D" in STEPS[n]:
                    at = close_of_day(due_at(STEPS[n], at, five_days()), five_days())
                elif n != 1:
                    at = end_of_next_working_day(at, five_days())
            assert at.astimezone(WIB).date() == date.fromisoformat(end)


def test_years_whose_cuti_bersama_is_not_decreed_yet():
    rows = re.findall(r"(\d{4}) 5-day working days 2 Jan-end Feb <= (\d+) \| Idulfitri \['(\S+)', '(\S+)'\] \| "
                      r"government entries: (\d+)", section("beyond 2027"))
    assert len(rows) == 3
    for year, days, *feast, government in rows:
        y = int(year)
        calendar = replace(five_days(), holidays=national_holidays([y]))
        assert working_days(date(y, 1, 2), date(y, 3, 1) - timedelta(days=1), calendar) == int(days)
        assert [h.date.isoformat() for h in calendar.holidays if "Idul Fitri" in h.name] == feast
        assert sum(h.kind == "cuti_bersama" for h in calendar.holidays) == int(government) == 0
        assert years_without_cuti_bersama([y], calendar) == (y,)
    assert years_without_cuti_bersama(range(2023, 2030), five_days()) == (2028, 2029)


def test_the_often_quoted_friday_is_short_of_the_law():
    hours = float(re.search(r": ([\d.]+) h/week", section("Friday 07.30-14.30 variant"))[1])
    usual, friday = five_days().week[0], ((time(7, 30), time(11, 30)), (time(13), time(14, 30)))
    calendar = replace(five_days(), week=(usual, usual, usual, usual, friday, (), ()))
    assert working_minutes(wib("2025-07-07 00.00"), wib("2025-07-14 00.00"), calendar) == hours * 60


# -- the rules ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("duration", "start", "due", "why"), [
    ("P2D", "2027-02-02 10.00", "2027-02-04 10.00", "the same point of the day, two working days later"),
    ("P2D", "2027-01-07 10.00", "2027-01-11 10.00", "over a weekend"),
    ("P1D", "2027-02-04 10.00", "2027-02-08 10.30", "over cuti bersama and Imlek, 150 minutes into a Ramadan day"),
    ("P1D", "2026-12-31 10.00", "2027-01-04 10.00", "over the year's end"),
    ("P1D", "2027-01-07 15.00", "2027-01-08 15.30", "Friday's break is longer, its close later: 390 minutes into both"),
    ("PT20M", "2027-02-02 10.00", "2027-02-02 10.20", "in hours"),
    ("PT20M", "2027-02-02 11.50", "2027-02-02 13.10", "over the break"),
    ("PT20M", "2027-02-02 12.30", "2027-02-02 13.20", "begun in the break"),
    ("PT20M", "2027-02-02 15.50", "2027-02-03 07.40", "over the night"),
    ("PT20M", "2027-01-08 16.20", "2027-01-11 07.40", "over the weekend"),
    ("PT10M", "2027-02-02 11.50", "2027-02-02 12.00", "until the break begins"),
    ("PT10M", "2027-02-02 15.50", "2027-02-02 16.00", "until the close"),
    ("PT10M", "2027-02-02 16.00", "2027-02-03 07.40", "begun at the close"),
    ("P1D", "2027-02-02 16.00", "2027-02-03 16.00", "begun at the close: the close of the next working day"),
    ("P1D", "2027-02-02 19.00", "2027-02-03 16.00", "begun in the evening: the whole of the next working day"),
    ("P1D", "2027-02-02 06.00", "2027-02-02 16.00", "begun before the opening: the whole of that day"),
    ("P1D", "2027-02-02 07.30", "2027-02-02 16.00", "begun at the opening: the whole of that day"),
    ("P1D", "2027-02-06 10.00", "2027-02-08 15.00", "begun on a Saturday: the whole of Monday, a Ramadan day"),
    ("P1D", "2027-02-02 12.30", "2027-02-03 12.00", "half a day is over when the break begins"),
    ("PT2H", "2027-02-02 11.00", "2027-02-02 14.00", "two hours over the break"),
    ("P1DT30M", "2027-02-02 10.00", "2027-02-03 10.30", "days first, then minutes"),
    ("P1DT30M", "2027-02-02 07.30", "2027-02-03 08.00", "a whole day and thirty minutes"),
    ("PT450M", "2027-02-02 07.30", "2027-02-02 16.00", "a day's work in minutes is a day"),
    ("PT1S", "2027-02-02 16.00", "2027-02-03 07.30", "a second into the next day"),
])
def test_the_five_day_week_counts_so(duration, start, due, why):
    found = due_at(duration, wib(start), five_days())
    expected = wib(due) + timedelta(seconds=1) if duration == "PT1S" else wib(due)
    assert found == expected, why
    assert found.tzinfo is UTC


@pytest.mark.parametrize(("duration", "start", "due", "why"), [
    ("P1D", "2027-01-21 13.50", "2027-01-22 11.00", "Friday is shorter: its close"),
    ("P1D", "2027-01-22 10.30", "2027-01-23 10.30", "Saturday is a working day"),
    ("PT60M", "2027-01-22 10.30", "2027-01-23 07.30", "over Friday's close into Saturday"),
    ("PT60M", "2027-01-23 12.00", "2027-01-25 07.30", "over Sunday"),
    ("P1D", "2027-02-06 08.00", "2027-02-08 13.30", "begun on Imlek: the whole of Monday"),
])
def test_the_six_day_week_counts_so(duration, start, due, why):
    assert due_at(duration, wib(start), six_days()) == wib(due), why


def test_an_instant_in_any_zone_gives_the_same_due_instant():
    at = wib("2027-02-02 10.00")
    for zone in ("UTC", "Asia/Jayapura", "America/New_York"):
        assert due_at("P2D", at.astimezone(ZoneInfo(zone)), five_days()) == wib("2027-02-04 10.00")


def test_offices_in_other_zones_open_by_their_own_clock():
    makassar = replace(five_days(), zone="Asia/Makassar")
    assert next_opening(wib("2027-02-02 00.00"), makassar) == wib("2027-02-02 06.30")
    assert due_at("PT20M", wib("2027-02-02 05.00"), makassar) == wib("2027-02-02 06.50")


def test_microseconds_are_kept():
    at = wib("2027-02-02 15.50").replace(second=59, microsecond=123_456)
    assert due_at("P1D", at, five_days()) == at + timedelta(days=1)
    assert due_at("PT20M", at, five_days()) == wib("2027-02-03 07.40").replace(second=59, microsecond=123_456)


@pytest.mark.parametrize(("duration", "message"), [
    ("P1W", "'P1W' counts weeks, and how many working days"), ("P1M", "years or months"), ("P1Y", "years or months"),
    ("P1Y2D", "years or months"), ("P", "is no duration"), ("PT", "is no duration"), ("P2", "is no duration"),
    ("2D", "is no duration"), ("-P1D", "is no duration"), ("P-1D", "is no duration"), ("PT0.5H", "is no duration"),
    ("P1DT", "is no duration"), ("PT٥S", "is no duration"), ("", "is no duration"), ("2 hari", "is no duration"),
    ("P2D ", "is no duration"), ("P0D", "no time at all"), ("PT0M", "no time at all"), ("P3661D", "longer than 3660"),
    ("PT87841H", "longer than 3660"), ("P3660DT1S", "longer than 3660"), ("P999999D", "longer than 3660"),
    ("P9999999999999D", "is no duration"), ("R3/PT1H", "is no duration"),
])
def test_what_a_working_calendar_cannot_count_is_refused_in_words(duration, message):
    with pytest.raises(CalendarError, match=re.escape(message)):
        due_at(duration, wib("2027-02-02 10.00"), five_days())


def test_an_instant_without_a_zone_is_refused():
    naive = datetime(2027, 2, 2, 10)    # noqa: DTZ001
    for question in (lambda: due_at("P1D", naive, five_days()), lambda: working_minutes(naive, naive, five_days()),
                     lambda: wall_clock_due("P1D", naive, "Asia/Jakarta"),
                     lambda: three_instants("P1D", naive, five_days(), "kalender")):
        with pytest.raises(CalendarError, match="has no zone"):
            question()


def test_the_wall_clock_knows_no_holidays():
    assert wall_clock_due("P2D", wib("2027-02-05 20.00"), "Asia/Jakarta") == wib("2027-02-07 20.00")
    assert wall_clock_due("PT20M", wib("2027-02-06 23.50"), "Asia/Jakarta") == wib("2027-02-07 00.10")
    assert wall_clock_due("P1W", wib("2027-02-06 10.00"), "Asia/Jakarta") == wib("2027-02-13 10.00")
    before_summer_time = datetime(2027, 3, 27, 10, tzinfo=ZoneInfo("Europe/Berlin"))
    assert wall_clock_due("P1D", before_summer_time, "Europe/Berlin") == before_summer_time + timedelta(days=1)
    with pytest.raises(CalendarError, match="years or months"):
        wall_clock_due("P1M", wib("2027-02-06 10.00"), "Asia/Jakarta")


@pytest.mark.parametrize(("duration", "unit", "opened", "norm", "late", "escalate"), [
    ("P2D", "kerja", "2027-02-02 10.00", "2027-02-04 10.00", "2027-02-04 10.00", "2027-02-09 10.30"),
    ("PT20M", "kerja", "2027-02-02 10.00", "2027-02-02 10.20", "2027-02-03 16.00", "2027-02-02 10.40"),
    ("PT20M", "kerja", "2027-02-02 17.00", "2027-02-03 07.50", "2027-02-04 16.00", "2027-02-03 08.10"),
    ("PT20M", "kerja", "2027-02-02 16.00", "2027-02-03 07.50", "2027-02-03 16.00", "2027-02-03 08.10"),
    ("PT20M", "kerja", "2027-02-02 12.30", "2027-02-02 13.20", "2027-02-03 16.00", "2027-02-02 13.40"),
    ("PT40H", "kerja", "2027-02-02 07.30", "2027-02-10 13.00", "2027-02-10 13.00", "2027-02-18 14.00"),
    ("P1DT30M", "kerja", "2027-02-02 10.00", "2027-02-03 10.30", "2027-02-03 10.30", "2027-02-04 11.00"),
    ("P2D", "kalender", "2027-02-05 10.00", "2027-02-07 10.00", "2027-02-07 10.00", "2027-02-09 10.00"),
    ("PT20M", "kalender", "2027-02-05 10.00", "2027-02-05 10.20", "2027-02-05 10.20", "2027-02-05 10.40"),
])
def test_the_three_instants_of_a_user_task(duration, unit, opened, norm, late, escalate):
    assert three_instants(duration, wib(opened), five_days(), unit) == (wib(norm), wib(late), wib(escalate))


@pytest.mark.parametrize(("duration", "unit", "opened", "near"), [
    ("P2D", "kerja", "2027-02-02 10.00", "2027-02-03 14.45"),      # half of Thursday: 225 minutes before 10.00
    ("P1D", "kerja", "2027-02-02 10.00", "2027-02-02 14.45"),
    ("P20D", "kerja", "2026-12-09 10.00", "2027-01-06 10.00"),     # four days before 12 January 10.00
    ("P2D", "kerja", "2027-02-02 17.00", "2027-02-04 11.15"),
    # Due on 9 February 10.30; two days of it are short, of Ramadan: 2,190 minutes, of which 438 are left.
    ("P5D", "kerja", "2027-02-01 10.00", "2027-02-08 09.42"),
    ("PT20M", "kerja", "2027-02-02 10.00", None),
    ("PT20M", "kalender", "2027-02-02 10.00", None),
    ("PT120M", "kerja", "2027-02-02 15.00", None),
    ("PT40H", "kerja", "2027-02-02 07.30", "2027-02-09 11.00"),
])
def test_a_norm_in_days_is_near_its_limit_when_a_fifth_is_left_and_at_least_half_a_day(duration, unit, opened, near):
    norm_at, late_at, _ = three_instants(duration, wib(opened), five_days(), unit)
    assert near_due(wib(opened), norm_at, late_at, five_days()) == (wib(near) if near else None)


def test_after_an_extension_the_same_share_of_the_norm_is_left_before_the_new_limit():
    opened = wib("2027-02-02 10.00")
    norm_at, _, _ = three_instants("P1D", opened, five_days())
    assert near_due(opened, norm_at, wib("2027-02-12 15.30"), five_days()) == wib("2027-02-12 11.15")
    norm_at, _, _ = three_instants("PT20M", opened, five_days())
    assert near_due(opened, norm_at, wib("2027-02-12 15.30"), five_days()) is None


def test_an_unknown_unit_of_time_is_refused():
    with pytest.raises(CalendarError, match="'jam' is no unit of time; expected 'kerja' or 'kalender'"):
        three_instants("P1D", wib("2027-02-02 10.00"), five_days(), "jam")


@pytest.mark.parametrize(("at", "counted", "opening", "close", "next_end"), [
    ("2027-02-02 06.00", "2027-02-02 07.30", "2027-02-02 07.30", "2027-02-02 16.00", "2027-02-03 16.00"),
    ("2027-02-02 07.30", "2027-02-02 07.30", "2027-02-02 07.30", "2027-02-02 16.00", "2027-02-03 16.00"),
    ("2027-02-02 10.00", "2027-02-02 10.00", "2027-02-03 07.30", "2027-02-02 16.00", "2027-02-03 16.00"),
    ("2027-02-02 12.00", "2027-02-02 13.00", "2027-02-03 07.30", "2027-02-02 16.00", "2027-02-03 16.00"),
    ("2027-02-02 12.30", "2027-02-02 13.00", "2027-02-03 07.30", "2027-02-02 16.00", "2027-02-03 16.00"),
    ("2027-02-02 16.00", "2027-02-02 16.00", "2027-02-03 07.30", "2027-02-02 16.00", "2027-02-03 16.00"),
    ("2027-02-02 16.01", "2027-02-03 07.30", "2027-02-03 07.30", "2027-02-03 16.00", "2027-02-04 16.00"),
    ("2027-02-05 10.00", "2027-02-08 08.00", "2027-02-08 08.00", "2027-02-08 15.00", "2027-02-09 15.00"),
])
def test_openings_and_closes(at, counted, opening, close, next_end):
    assert counted_from(wib(at), five_days()) == wib(counted)
    assert next_opening(wib(at), five_days()) == wib(opening)
    assert close_of_day(wib(at), five_days()) == wib(close)
    assert end_of_next_working_day(wib(at), five_days()) == wib(next_end)


def test_the_last_working_close_before_a_deadline():
    assert last_working_close_of_february(2027, five_days()) == wib("2027-02-26 15.30")
    assert last_working_close_of_february(2024, five_days()) == wib("2024-02-29 16.00")
    assert last_working_close(date(2027, 1, 3), five_days()) == wib("2026-12-31 16.00")


@pytest.mark.parametrize(("start", "end", "minutes", "days"), [
    ("2027-02-02 10.00", "2027-02-02 11.00", 60, 0),
    ("2027-02-02 11.30", "2027-02-02 13.30", 60, 0),
    ("2027-02-02 15.30", "2027-02-03 08.00", 60, 1),
    ("2027-01-08 16.00", "2027-01-11 09.00", 120, 1),
    ("2027-02-06 10.00", "2027-02-07 10.00", 0, 0),
    ("2027-02-03 08.00", "2027-02-02 15.30", -60, -1),
    ("2027-02-02 07.30", "2027-02-02 16.00", 450, 1),
    ("2027-02-02 17.00", "2027-02-03 06.00", 0, 0),
])
def test_what_lies_between_two_instants(start, end, minutes, days):
    assert working_minutes(wib(start), wib(end), five_days()) == minutes
    assert working_days_between(wib(start), wib(end), five_days()) == days


def test_a_part_of_a_minute_is_no_minute_yet():
    at = wib("2027-02-02 10.00")
    assert working_minutes(at, at + timedelta(seconds=119), five_days()) == 1
    assert working_minutes(at + timedelta(seconds=119), at, five_days()) == -1


def test_working_days_counts_both_ends():
    assert working_days(date(2027, 2, 4), date(2027, 2, 8), five_days()) == 2
    assert working_days(date(2027, 2, 8), date(2027, 2, 4), five_days()) == 0


# -- explained ---------------------------------------------------------------------------------------------------------

def test_a_due_instant_is_explained_day_by_day():
    found = explain("P2D", wib("2027-02-04 10.00"), five_days()).to_json()
    assert found == {
        "duration": "P2D", "calendar": "lima_hari", "start": "2027-02-04T10:00:00+07:00",
        "counted_from": "2027-02-04T10:00:00+07:00", "due": "2027-02-09T10:30:00+07:00",
        "counted": [
            {"date": "2027-02-08", "number": 1, "minutes": 0, "hours": [["08:00", "12:00"], ["12:30", "15:00"]],
             "season": "Ramadan 1448 H (perkiraan)"},
            {"date": "2027-02-09", "number": 2, "minutes": 0, "hours": [["08:00", "12:00"], ["12:30", "15:00"]],
             "season": "Ramadan 1448 H (perkiraan)"}],
        "skipped": [
            {"date": "2027-02-05", "kind": "cuti_bersama", "name": "Cuti Bersama Tahun Baru Imlek"},
            {"date": "2027-02-06", "kind": "libur_nasional", "name": "Tahun Baru Imlek"},
            {"date": "2027-02-07", "kind": "libur_mingguan", "name": None}]}


def test_minutes_are_explained_by_the_days_they_were_worked_on():
    found = explain("PT120M", wib("2027-01-08 15.30"), five_days())
    assert [(one.date, one.number, one.minutes) for one in found.counted] == [
        (date(2027, 1, 8), None, 60), (date(2027, 1, 11), None, 60)]
    assert [one.date for one in found.skipped] == [date(2027, 1, 9), date(2027, 1, 10)]


def test_a_start_outside_hours_is_explained_by_its_opening():
    found = explain("P1D", wib("2027-02-06 10.00"), five_days())
    assert found.counted_from == wib("2027-02-08 08.00")
    assert [(one.date, one.number) for one in found.counted] == [(date(2027, 2, 8), 1)]
    assert found.due == wib("2027-02-08 15.00")


# -- the value ---------------------------------------------------------------------------------------------------------

PLAIN = Calendar(
    name="contoh", title="Contoh", zone="Asia/Jakarta",
    week=(((time(8), time(12)), (time(13), time(16))), ((time(8), time(12)),), (), (), (), (), ()),
    holidays=(Holiday(date=date(2027, 1, 4), name="Libur", kind="libur_daerah", legal_basis="SE", source="bupati"),))


def test_a_calendar_is_a_value_with_a_hash():
    assert PLAIN.sha256 == "da395abb6522996e8d6102cfc39b5955e0de8c338500e05aa0af9f6aca7c07ba"
    assert Calendar.from_json(PLAIN.body) == Calendar.from_json(PLAIN.to_json()) == PLAIN
    assert Calendar.from_json(PLAIN.body.decode()).sha256 == PLAIN.sha256
    assert replace(PLAIN, confirmed=True).sha256 != PLAIN.sha256
    assert {PLAIN, replace(PLAIN)} == {PLAIN}


def test_the_order_in_which_holidays_were_entered_does_not_matter():
    for preset in (five_days(), six_days()):
        turned = replace(preset, holidays=preset.holidays[::-1], seasons=preset.seasons[::-1])
        assert turned == preset
        assert turned.sha256 == preset.sha256


@pytest.mark.parametrize("change", [
    {"zone": "Asia/Rembang"}, {"zone": "../etc/passwd"}, {"zone": ""},
    {"week": PLAIN.week[:6]},
    {"week": (((time(12), time(8)),), *PLAIN.week[1:])},
    {"week": (((time(8), time(12)), (time(11), time(16))), *PLAIN.week[1:])},
    {"week": (((time(8), time(8)),), *PLAIN.week[1:])},
    {"week": (((time(8, 0, 30), time(12)),), *PLAIN.week[1:])},
    {"holidays": PLAIN.holidays * 2},
    {"holidays": (replace(PLAIN.holidays[0], kind="cuti"),)},
    {"seasons": (Season(name="Ramadan", first=date(2027, 3, 9), last=date(2027, 2, 8), week=PLAIN.week),)},
    {"seasons": (Season(name="A", first=date(2027, 2, 8), last=date(2027, 3, 9), week=PLAIN.week),
                 Season(name="B", first=date(2027, 3, 9), last=date(2027, 3, 10), week=PLAIN.week))},
])
def test_a_calendar_that_contradicts_itself_is_refused(change):
    with pytest.raises(CalendarError):
        replace(PLAIN, **change)


@pytest.mark.parametrize("change", [
    {"v": 2}, {"zone": None}, {"week": None}, {"week": [[["08:00"]]] * 7}, {"week": [[["8", "zwölf"]]] * 7},
    {"holidays": [{"date": "2027-01-04"}]}, {"holidays": "x"}, {"seasons": [1]},
])
def test_what_is_no_calendar_is_refused(change):
    with pytest.raises(CalendarError):
        Calendar.from_json({**PLAIN.to_json(), **change})


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "not json", b"\xff"])
def test_text_that_is_no_calendar_is_refused(text):
    with pytest.raises(CalendarError):
        Calendar.from_json(text)


def test_a_calendar_without_working_days_raises_instead_of_searching_for_ever():
    empty = replace(PLAIN, week=((),) * 7)
    at = wib("2027-02-02 10.00")
    for question in (lambda: due_at("P1D", at, empty), lambda: due_at("PT1M", at, empty),
                     lambda: next_opening(at, empty), lambda: working_minutes(at, at, empty),
                     lambda: explain("P1D", at, empty), lambda: latest_start([("P1D", empty)], at),
                     lambda: close_of_day(at, empty), lambda: last_working_close_of_february(2027, empty)):
        with pytest.raises(CalendarError, match=r"too few working days|no working day"):
            question()


def test_a_calendar_with_little_work_is_searched_far_but_not_for_ever():
    scarce = replace(PLAIN, week=(((time(8), time(8, 1)),), (), (), (), (), (), ()))
    at = wib("2027-02-02 10.00")
    assert due_at("P3660D", at, scarce).year == 2097
    with pytest.raises(CalendarError, match="too few working days"):
        due_at("PT8000H", at, scarce)


def test_instants_at_the_edge_of_time_are_refused():
    for year in (1, 9998):
        with pytest.raises(CalendarError, match="out of range"):
            due_at("P1D", datetime(year, 6, 1, tzinfo=UTC), five_days())
    with pytest.raises(CalendarError, match="too far apart"):
        working_minutes(datetime(100, 6, 1, tzinfo=UTC), datetime(5000, 6, 1, tzinfo=UTC), five_days())


def test_a_path_that_no_start_reaches_is_refused():
    with pytest.raises(CalendarError, match="no start since"):
        latest_start([("P3660D", five_days())], wib("2027-02-02 10.00"))


def test_the_presets_are_named_and_not_confirmed():
    assert {name: make().name for name, make in PRESETS.items()} == {"lima_hari": "lima_hari", "enam_hari": "enam_hari"}
    assert not five_days().confirmed
    assert not six_days().confirmed
    assert five_days() is five_days()


def test_national_holidays_hold_cuti_bersama_apart():
    by_day = {one.date: one for one in national_holidays([2026, 2027])}
    assert by_day[date(2026, 2, 16)].kind == "cuti_bersama"
    assert by_day[date(2026, 2, 17)].kind == "libur_nasional"
    assert by_day[date(2026, 2, 17)].legal_basis == "SKB Tiga Menteri Nomor 1497, 2, dan 5 Tahun 2025"
    assert by_day[date(2027, 2, 5)].kind == "cuti_bersama"
    assert sum(one.date.year == 2026 for one in by_day.values()) == 25
    assert sum("Isra Mikraj" in one.name and one.date.year == 2027 for one in by_day.values()) == 2


def test_the_working_days_are_looked_up_once():
    calendar = replace(five_days())
    asked = 0
    real = Calendar.hours

    def counting(self: Calendar, day: date) -> object:
        nonlocal asked
        asked += 1
        return real(self, day)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Calendar, "hours", counting)
        due_at("P20D", wib("2027-02-02 10.00"), calendar)
        first = asked
        for hour in range(1_000):
            three_instants("P20D", wib("2027-02-02 10.00") + timedelta(hours=hour), calendar)
    assert 0 < asked == first < 3_000


def test_many_threads_get_the_same_answers():
    calendar = replace(six_days())
    starts = [wib("2020-01-06 10.00") + timedelta(days=11 * n) for n in range(200)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda at: due_at("P20D", at, calendar), starts * 3))
    alone = replace(six_days())
    assert found == [due_at("P20D", at, alone) for at in starts] * 3


# -- laws --------------------------------------------------------------------------------------------------------------

def hours_of(edges: list[int]) -> tuple[tuple[time, time], ...]:
    clock = [time(n // 60, n % 60) for n in sorted(edges)]
    return tuple(zip(clock[::2], clock[1::2], strict=False))


HOURS = st.lists(st.integers(0, 24 * 60 - 1), min_size=0, max_size=4, unique=True).map(
    lambda edges: hours_of(edges[:len(edges) // 2 * 2]))
WEEK = st.tuples(*[HOURS] * 7).filter(any)
CALENDARS = st.builds(
    lambda week, fasting, first, length, free, zone: Calendar(
        name="acak", title="Acak", zone=zone, week=week,
        seasons=(Season(name="Ramadan", first=first, last=first + timedelta(days=length), week=fasting),),
        holidays=tuple(Holiday(date=day, name="Libur", kind="libur_daerah") for day in free)),
    WEEK, WEEK, st.dates(date(2026, 1, 1), date(2028, 1, 1)), st.integers(0, 60),
    st.sets(st.dates(date(2026, 6, 1), date(2027, 12, 31)), max_size=30),
    st.sampled_from(["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]))
ANY_CALENDAR = st.one_of(st.sampled_from([five_days(), six_days()]), CALENDARS)
INSTANTS = st.datetimes(datetime(2026, 6, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
MINUTES = st.integers(1, 3_000)
DAYS = st.integers(1, 60)


@given(ANY_CALENDAR, INSTANTS, DAYS, st.integers(0, 600))
def test_a_due_instant_lies_in_working_hours_and_not_before_the_start(calendar, at, days, minutes):
    due = due_at(f"P{days}D" + (f"T{minutes}M" if minutes else ""), at, calendar)
    local = due.astimezone(ZoneInfo(calendar.zone))
    assert due > at
    assert due.tzinfo is UTC
    assert any(opens < local.time() <= closes for opens, closes in calendar.hours(local.date()))


@given(ANY_CALENDAR, INSTANTS, INSTANTS, st.one_of(MINUTES.map("PT{}M".format), DAYS.map("P{}D".format)))
def test_a_later_start_is_never_due_earlier(calendar, one, other, duration):
    early, late = sorted((one, other))
    assert due_at(duration, early, calendar) <= due_at(duration, late, calendar)


@given(ANY_CALENDAR, INSTANTS, DAYS, DAYS, MINUTES, MINUTES)
def test_a_longer_duration_is_never_due_earlier(calendar, at, days, more_days, minutes, more_minutes):
    assert due_at(f"P{days}D", at, calendar) < due_at(f"P{days + more_days}D", at, calendar)
    assert due_at(f"PT{minutes}M", at, calendar) < due_at(f"PT{minutes + more_minutes}M", at, calendar)
    assert due_at(f"P{days}D", at, calendar) <= due_at(f"P{days}DT{minutes}M", at, calendar)


@given(ANY_CALENDAR, INSTANTS, MINUTES, MINUTES)
def test_minutes_add_up(calendar, at, first, second):
    halfway = due_at(f"PT{first}M", at, calendar)
    assert due_at(f"PT{second}M", halfway, calendar) == due_at(f"PT{first + second}M", at, calendar)


@given(ANY_CALENDAR, INSTANTS, MINUTES, DAYS)
def test_what_was_counted_forward_is_counted_back(calendar, at, minutes, days):
    assert working_minutes(at, due_at(f"PT{minutes}M", at, calendar), calendar) == minutes
    assert working_minutes(due_at(f"PT{minutes}M", at, calendar), at, calendar) == -minutes
    assert working_days_between(at, due_at(f"P{days}D", at, calendar), calendar) == days


@given(ANY_CALENDAR, INSTANTS, INSTANTS, INSTANTS)
def test_working_time_between_instants_adds_up(calendar, a, b, c):
    a, b, c = (at.replace(second=0, microsecond=0) for at in (a, b, c))
    assert (working_minutes(a, b, calendar) + working_minutes(b, c, calendar)) == working_minutes(a, c, calendar)
    assert working_minutes(a, b, calendar) == -working_minutes(b, a, calendar)
    assert (working_days_between(a, b, calendar) + working_days_between(b, c, calendar)
            == working_days_between(a, c, calendar))


@given(ANY_CALENDAR, INSTANTS, MINUTES)
def test_time_in_which_nobody_works_changes_nothing(calendar, at, minutes):
    begin = counted_from(at, calendar)
    assert begin >= at
    assert working_minutes(at, begin, calendar) == 0
    assert due_at(f"PT{minutes}M", at, calendar) == due_at(f"PT{minutes}M", begin, calendar)


@given(CALENDARS, INSTANTS, MINUTES)
def test_minutes_agree_with_a_tick_of_the_clock_at_a_time(calendar, at, minutes):
    """The slow way: all working minutes of the next months in a list, and the n-th of them."""
    at = at.replace(second=0, microsecond=0)
    worked = _working_minutes_after(calendar, at)
    assume(worked)
    minutes = minutes % len(worked) + 1
    assert due_at(f"PT{minutes}M", at, calendar) == worked[minutes - 1] + timedelta(minutes=1)


def _working_minutes_after(calendar: Calendar, at: datetime) -> list[datetime]:
    """The beginning of each working minute of the fifteen days after `at`."""
    zone, found = ZoneInfo(calendar.zone), []
    first = at.astimezone(zone).date()
    for n in range(15):
        day = first + timedelta(days=n)
        for opens, closes in calendar.hours(day):
            minute = datetime.combine(day, opens, zone)
            while minute < datetime.combine(day, closes, zone):
                found.append(minute.astimezone(UTC))
                minute += timedelta(minutes=1)
    return found[bisect_left(found, at):]


@given(CALENDARS, INSTANTS, st.integers(1, 30))
def test_days_agree_with_counting_dates(calendar, at, days):
    """The slow way: the n-th date with hours after the day that work begins on; that day too if it is worked whole."""
    at, zone = at.replace(second=0, microsecond=0), ZoneInfo(calendar.zone)
    begin = counted_from(at, calendar).astimezone(zone)
    worked = working_minutes(datetime.combine(begin.date(), time(0), zone), begin, calendar)
    first = 0 if begin == opening_of(begin, calendar) else 1
    after = (begin.date() + timedelta(days=n) for n in range(first, 800))
    last = list(islice((day for day in after if calendar.hours(day)), days))[-1]
    due = due_at(f"P{days}D", at, calendar).astimezone(zone)
    assert due.date() == last
    midnight = datetime.combine(last, time(0), zone)
    whole = working_minutes(midnight, midnight + timedelta(days=1), calendar)
    assert working_minutes(midnight, due, calendar) == (min(worked, whole) if first else whole)


def opening_of(at: datetime, calendar: Calendar) -> datetime:
    return next_opening(datetime.combine(at.date(), time(0), ZoneInfo(calendar.zone)), calendar)


@given(ANY_CALENDAR, INSTANTS, DAYS, st.integers(0, 600))
def test_an_explanation_accounts_for_every_day_and_minute(calendar, at, days, minutes):
    duration = f"P{days}D" + (f"T{minutes}M" if minutes else "")
    found = explain(duration, at, calendar)
    assert found.due == due_at(duration, at, calendar)
    assert [one.number for one in found.counted if one.number is not None] == list(range(1, days + 1))
    assert sum(one.minutes for one in found.counted) in range(minutes, minutes + 2 + len(found.counted))
    assert all(one.hours for one in found.counted)
    shown = [one.date for one in found.counted] + [one.date for one in found.skipped]
    assert len(shown) == len(set(shown))
    every = {found.start.date() + timedelta(days=n) for n in range((found.due.date() - found.start.date()).days + 1)}
    assert set(shown) <= every
    # What is neither: the day on which counting began, when it had begun before, and days after the last that counted.
    assert every - set(shown) <= {found.counted_from.date(), found.due.date()} | {
        day for day in every if day < found.counted_from.date()}


@cache
def _long_weekends(calendar: Calendar, free: int) -> list[tuple[date, date]]:
    """(the working day before, the one after) of every run of at least so many free days from 2023 to 2027."""
    first = date(2023, 1, 1)
    days = [day for n in range(5 * 365) if calendar.hours(day := first + timedelta(days=n))]
    return [(one, other) for one, other in pairwise(days) if (other - one).days > free]


LONG = st.sampled_from([(make(), *gap) for make, free in ((five_days, 2), (six_days, 1))
                        for gap in _long_weekends(make(), free)])
POINT = st.floats(0, 1, allow_nan=False)


@given(LONG, POINT, DAYS, MINUTES)
def test_a_start_anywhere_in_a_long_weekend_is_a_start_at_the_opening_after_it(long, point, days, minutes):
    calendar, before, after = long
    close = close_of_day(datetime.combine(before, time(0), WIB), calendar)
    opening = next_opening(datetime.combine(after, time(0), WIB), calendar)
    at = close + (opening - close) * point
    assume(close < at)
    assert counted_from(at, calendar) == opening
    for duration in (f"P{days}D", f"PT{minutes}M", f"P{days}DT{minutes}M"):
        assert due_at(duration, at, calendar) == due_at(duration, opening, calendar)


@given(LONG, st.integers(1, 400), MINUTES)
def test_a_long_weekend_passes_without_counting(long, into, minutes):
    calendar, before, after = long
    at = due_at(f"PT{into}M", next_opening(datetime.combine(before, time(0), WIB), calendar), calendar)
    assume(at.astimezone(WIB).date() == before)
    there = due_at("P1D", at, calendar)
    assert there.astimezone(WIB).date() == after        # the next working day, however many days lie between
    assert working_days_between(at, there, calendar) == 1
    left = working_minutes(at, close_of_day(at, calendar), calendar) if at < close_of_day(at, calendar) else 0
    due = due_at(f"PT{minutes}M", at, calendar)
    assert (due.astimezone(WIB).date() == before) == (minutes <= left)


@given(st.sampled_from([five_days(), six_days()]), st.integers(2023, 2027), st.integers(0, 4_000), DAYS, MINUTES)
def test_a_year_ends_in_the_middle_of_what_is_counted(calendar, year, into, days, minutes):
    """Counting over New Year is counting to it and on from it: nothing is lost, nothing doubled."""
    last = last_working_close(date(year, 12, 31), calendar)
    at = latest_start([(f"PT{into + 1}M", calendar)], last)
    new_year = datetime(year + 1, 1, 1, tzinfo=WIB)
    left = working_minutes(at, new_year, calendar)
    due = due_at(f"PT{minutes}M", at, calendar)
    assert (due < new_year) == (minutes <= left)
    if minutes > left:
        assert due == due_at(f"PT{minutes - left}M", new_year, calendar)
    there = due_at(f"P{days}D", at, calendar)
    assert working_days_between(at, there, calendar) == days
    assert calendar.holiday(there.astimezone(WIB).date()) is None      # 1 January is nobody's day


@given(st.integers(0, 260), st.integers(0, 24 * 60 - 1), MINUTES)
def test_nothing_runs_in_a_friday_break(week, clock, minutes):
    """Friday 11.30 to 13.00 (12.30 in Ramadan) is nobody's time: what comes in it counts from its end, nothing ends
    in it, and it costs as many minutes as it is long."""
    calendar = five_days()
    friday = date(2023, 1, 6) + timedelta(weeks=week)
    assume(calendar.hours(friday))
    (_, pause), (resume, _) = calendar.hours(friday)
    begins, ends_at = (datetime.combine(friday, at, WIB) for at in (pause, resume))
    at = datetime.combine(friday, time(clock // 60, clock % 60), WIB)
    if begins < at < ends_at:
        assert counted_from(at, calendar) == ends_at
    due = due_at(f"PT{minutes}M", at, calendar)
    assert not begins < due <= ends_at
    before = working_minutes(at, begins, calendar)
    if 0 <= before < minutes and at <= begins and due.astimezone(WIB).date() == friday:
        assert due - counted_from(at, calendar) == timedelta(minutes=minutes) + (ends_at - begins) \
            or counted_from(at, calendar) == ends_at


@given(ANY_CALENDAR, INSTANTS, st.lists(st.sampled_from(list(STEPS.values())), min_size=1, max_size=8))
def test_the_latest_start_is_in_time_and_a_minute_later_is_not(calendar, by, durations):
    steps = [(duration, calendar) for duration in durations]
    start = latest_start(steps, by)
    assert ends(steps, start)[-1] <= by
    a_minute_later = due_at("PT1M", start, calendar)
    if a_minute_later == close_of_day(a_minute_later, calendar):
        a_minute_later = next_opening(a_minute_later, calendar)
    assert ends(steps, a_minute_later)[-1] > by


@given(ANY_CALENDAR, INSTANTS, st.one_of(MINUTES.map("PT{}M".format), DAYS.map("P{}D".format)))
def test_late_is_never_before_the_norm(calendar, at, duration):
    norm_at, late_at, escalate_at = three_instants(duration, at, calendar)
    assert at < norm_at <= late_at
    assert norm_at < escalate_at


@given(ANY_CALENDAR, INSTANTS, DAYS)
def test_near_lies_between_the_opening_and_the_limit_and_leaves_at_most_a_fifth_or_half_a_day(calendar, at, days):
    norm_at, late_at, _ = three_instants(f"P{days}D", at, calendar)
    near = near_due(at, norm_at, late_at, calendar)
    if near is not None:
        assert at < near < late_at
        norm, left = working_minutes(at, norm_at, calendar), working_minutes(near, late_at, calendar)
        assert left <= max(norm / 5, 12 * 60) + 1
        assert left >= norm // 5 - 1


@given(CALENDARS)
def test_a_calendar_survives_being_written_and_read(calendar):
    again = Calendar.from_json(calendar.body)
    assert again == calendar
    assert again.sha256 == calendar.sha256


@cache
def _openings() -> list[datetime]:
    at, found = wib("2027-01-01 00.00").astimezone(UTC), []
    while len(found) < 250:
        at = next_opening(at, five_days())
        found.append(at)
        at += timedelta(minutes=1)
    return found


def test_openings_follow_each_other_and_skip_what_is_free():
    assert all(earlier < later for earlier, later in pairwise(_openings()))
    assert all(five_days().hours(at.astimezone(WIB).date()) for at in _openings())
    assert date(2027, 2, 5) not in {at.astimezone(WIB).date() for at in _openings()}
