"""What the journal can say in the forms of PermenPANRB 35/2012: counts by period, and never a judgement."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from engine import conformance as kinds
from engine import monitoring_forms as forms
from engine.conformance import Departure
from engine.performance import Case, Pass
from tests.story import definition

LKJPD = definition()
ZONE = "Asia/Jakarta"
SECOND_HALF = forms.half(2026, 2, ZONE)


def on(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def passed(number: int, element: str, ended: str, **more: Any) -> Pass:
    return Pass(**{"number": number, "element": element, "lane": "l", "round": 1, "working": 60, "waiting": 1,
                   "processing": 2, "late": False, "opened_again": False, "ended_at": on(ended), **more})


def case(id: str, *passes: Pass, status: str = "running", ended: str | None = None) -> Case:
    return Case(id=id, title=id, unit="u", unit_name="U", year=2026, status=status, definition="d", passes=passes,
                started_at=on("2026-06-30T10:00"), ended_at=on(ended) if ended else None)


def departure(kind: str, at: str, element: str | None = "langkah_3", **evidence: Any) -> Departure:
    return Departure(kind=kind, sequence=1, at=on(at), element=element, evidence=evidence)


def line(found: forms.Monitoring, element: str) -> forms.Line:
    return next(one for one in found.lines if one.element == element)


def test_a_pass_is_of_the_half_year_in_which_it_ended_in_the_units_own_zone() -> None:
    # 30 June 18.00 UTC is 1 July in Jakarta.
    one = case("a", passed(1, "langkah_1", "2026-06-30T16:59"), passed(2, "langkah_2", "2026-06-30T17:00"),
               passed(3, "langkah_3", "2026-12-31T16:59"), passed(4, "langkah_4", "2026-12-31T17:00"))
    found = forms.monitoring(LKJPD, [one], {}, SECOND_HALF)
    assert [line(found, f"langkah_{n}").passes.count for n in (1, 2, 3, 4)] == [0, 1, 1, 0]
    assert found.started == () and found.cases == ("a",)


def test_every_step_of_the_sop_has_a_line_in_its_order_also_one_that_nobody_did() -> None:
    found = forms.monitoring(LKJPD, [], {}, SECOND_HALF)
    assert [one.element for one in found.lines] == [one.id for one in LKJPD.user_tasks]
    assert {one.seen for one in found.lines} == {forms.NOT_PASSED}


def test_a_return_a_late_pass_and_a_departure_are_told_and_information_is_no_departure() -> None:
    back = passed(7, "langkah_7", "2026-09-01T02:00", opened_again=True)
    again = passed(8, "langkah_5", "2026-09-02T02:00", round=2)
    one = case("a", passed(3, "langkah_3", "2026-08-01T02:00"), passed(4, "langkah_4", "2026-08-02T02:00", late=True),
               passed(5, "langkah_5", "2026-08-03T02:00"), back, again)
    told = {"a": [departure(kinds.WAIVED, "2026-08-01T02:00"),
                  departure(kinds.EXTENDED, "2026-08-03T02:00", "langkah_5"),
                  departure(kinds.DEADLINE, "2026-09-03T02:00", "langkah_8"),
                  departure(kinds.LATE, "2026-08-02T02:00", "langkah_4", done_at=on("2026-08-02T02:00")),
                  departure(kinds.LATE, "2026-09-03T02:00", "langkah_6", done_at=None),
                  departure(kinds.WAIVED, "2027-01-01T02:00")]}
    found = forms.monitoring(LKJPD, [one], told, SECOND_HALF)
    assert line(found, "langkah_3").departed[kinds.WAIVED].count == 1, "the one of January is of the next half"
    assert line(found, "langkah_7").sent_back.cases == ("a",) and line(found, "langkah_5").again.count == 1
    assert line(found, "langkah_6").overdue.count == 1 and line(found, "langkah_4").overdue.count == 0
    assert {one.element: one.seen for one in found.lines} == {
        "langkah_1": forms.NOT_PASSED, "langkah_2": forms.NOT_PASSED, "langkah_3": forms.DEPARTED,
        "langkah_4": forms.DEPARTED, "langkah_5": forms.AS_DRAWN, "langkah_6": forms.DEPARTED,
        "langkah_7": forms.DEPARTED, "langkah_8": forms.NOT_PASSED, "langkah_9": forms.NOT_PASSED}
    assert list(found.whole) == [kinds.DEADLINE]
    assert found.passes == 5 and forms.merged(found)[kinds.WAIVED].count == 1


def test_the_evaluation_compares_with_the_year_before_and_has_nothing_to_say_of_synergy() -> None:
    one = case("a", passed(1, "langkah_1", "2025-08-01T02:00", late=True), passed(2, "langkah_2", "2026-08-01T02:00"),
               status="completed", ended="2026-09-01T02:00")
    found = forms.evaluation(LKJPD, [one], {}, forms.whole(2026, ZONE))
    figures = {figure.name: figure for figure in found.figures[forms.IMPROVES]}
    assert (figures["late"].tally.count, figures["late"].of) == (0, 1)
    assert (figures["late_before"].tally.count, figures["late_before"].of) == (1, 1)
    assert figures["finished"].tally.cases == ("a",) and figures["finished_before"].tally.count == 0
    assert set(found.figures) == set(forms.CRITERIA) and found.figures[forms.SYNERGY] == ()


def test_a_median_needs_enough_passes() -> None:
    four = [case(str(n), passed(1, "langkah_1", "2026-08-01T02:00", working=n)) for n in range(4)]
    assert line(forms.monitoring(LKJPD, four, {}, SECOND_HALF), "langkah_1").working is None
    five = [*four, case("4", passed(1, "langkah_1", "2026-08-01T02:00", working=100))]
    assert line(forms.monitoring(LKJPD, five, {}, SECOND_HALF), "langkah_1").working == 2


def test_the_years_are_those_in_which_something_happened() -> None:
    one = case("a", passed(1, "langkah_1", "2027-12-31T18:00"))
    assert forms.years([one], ZONE) == [2028, 2026]
    assert forms.half(2026, 1, ZONE).ends == date(2026, 6, 30)
