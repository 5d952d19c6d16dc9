"""What if: other norms, other days, another week beside the real ones, which stay as they are."""
from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import diagram, forecast, sop, whatif
from engine.calendars import Calendar, CalendarError, Holiday, five_days, six_days
from engine.forecast import Forecast
from engine.process import Rules
from engine.rules import Rules as Known

LKJPD = diagram.read((Path(__file__).parents[2] / "bpmn" / "penyusunan_lkjpd" / "penyusunan_lkjpd.bpmn").read_bytes())
FIRST_WORKING_MINUTE = datetime(2027, 1, 4, 0, 30, tzinfo=UTC)
RULES = Known({LKJPD.sha256: LKJPD}.__getitem__, {five_days().sha256: five_days()}.__getitem__)


def run(rules: Rules = RULES, calendar: Calendar | None = None, definition: str = LKJPD.sha256) -> Forecast:
    found = (calendar or five_days()).sha256
    return forecast.standard(rules, rules.definition(definition), {"": found}, FIRST_WORKING_MINUTE,
                             data={"tahun_laporan": 2026})


def test_another_norm_moves_the_end_and_the_real_definition_keeps_its_own() -> None:
    shorter = whatif.with_norms(LKJPD, {"langkah_3": "P18D"})
    rules = whatif.Supposed(RULES, shorter, LKJPD.sha256)
    assert shorter.sha256 != LKJPD.sha256 and sop.norm(LKJPD, LKJPD.elements["langkah_3"]) == "P20D"
    # DOMAIN 2.5: step 3 must lose two days for a start on the first working day of 2027 to be in time.
    assert run(rules, definition=shorter.sha256).late_by_working_days == 0
    assert run(rules).late_by_working_days == run().late_by_working_days == 2


def test_the_same_norms_are_the_same_definition() -> None:
    assert whatif.with_norms(LKJPD, {}) is LKJPD
    assert whatif.with_norms(LKJPD, {"langkah_3": "P20D"}) is LKJPD
    one, two = (whatif.with_norms(LKJPD, {"langkah_3": length}) for length in ("P18D", "P19D"))
    assert len({one.sha256, two.sha256, LKJPD.sha256}) == 3


def test_a_norm_that_cannot_be_counted_is_refused() -> None:
    with pytest.raises(CalendarError):
        whatif.with_norms(LKJPD, {"langkah_3": "P1Y"})


def test_a_calendar_that_only_the_question_knows_is_counted_in() -> None:
    rules = whatif.Supposed(RULES, calendars=[six_days()])
    assert run(rules, six_days()).late_by_working_days == 0
    with pytest.raises(KeyError):
        RULES.calendar(six_days().sha256)


def test_a_day_more_without_work_ends_a_day_later_and_a_day_less_earlier() -> None:
    holiday = Holiday(date=date(2027, 1, 20), name="Libur", kind="libur_lain")
    more = whatif.with_days(five_days(), [holiday], [])
    fewer = whatif.with_days(five_days(), [], [date(2027, 2, 5)])
    found = {calendar.sha256: run(whatif.Supposed(RULES, calendars=[calendar]), calendar).late_by_working_days
             for calendar in (more, fewer)}
    assert found == {more.sha256: 3, fewer.sha256: 1}
    assert whatif.with_days(five_days(), [], [date(2027, 1, 20)]) is five_days(), "that day was a working day"
    assert whatif.with_days(more, [], [holiday.date]).holidays == five_days().holidays


@given(st.integers(0, 200), st.integers(0, 23), st.integers(0, 59))
def test_what_a_norm_is_called_is_read_as_that_norm(days: int, hours: int, minutes: int) -> None:
    time = f"T{f'{hours}H' if hours else ''}{f'{minutes}M' if minutes else ''}" if hours or minutes else ""
    duration = f"P{f'{days}D' if days else ''}{time}"
    assert whatif.duration_of(sop.in_words(duration)) == (duration if duration != "P" else None)


@pytest.mark.parametrize("text", ["", " ", "hari", "20", "-1 hari", "0 menit", "251 hari", "1,5 hari",
                                  "9" * 99 + " hari", "20 hari 20 hari", "2 minggu", "P20D"])
def test_what_is_no_norm_is_none(text: str) -> None:
    assert whatif.duration_of(text) is None


@pytest.mark.parametrize(("text", "duration"), [("20 hari", "P20D"), (" 120 Menit kerja ", "PT120M"), ("2jam", "PT2H")])
def test_a_norm_may_be_written_as_people_write_it(text: str, duration: str) -> None:
    assert whatif.duration_of(text) == duration
