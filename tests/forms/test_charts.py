"""A plan drawn: the picture is sound XML without styles of its own, and its table says the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from flask import render_template_string
from lxml import html

from forms import charts, words
from forms.charts import DONE, OPEN, TO_COME, Bar, Chart, Line
from tests.desk import Desk

WIB = "Asia/Jakarta"
MONDAY = datetime(2027, 1, 4, 0, 30, tzinfo=UTC)  # 07.30 WIB
LANES = (("kepala", "Kepala PD"), ("tim", "Tim Penyusun"))
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '<script>alert(\'x\')</script> & " onload="y" ]]> \x00\x0b\x1f\ufffe Reviu'


def bar(number: str, days: float, length: float, lane: str = "tim", state: str = TO_COME, **more: object) -> Bar:
    """A pass that begins some days after Monday and is so many days long."""
    start = MONDAY + timedelta(days=days)
    given = {
        "lane": lane,
        "number": number,
        "name": f"Langkah {number}",
        "round": 1,
        "start": start,
        "end": start + timedelta(days=length),
        "state": state,
        "duration": f"{length} hari",
        "measured": False,
    }
    return Bar(**{**given, **more})  # type: ignore[arg-type]


def chart(bars: Sequence[Bar], lines: Sequence[Line] = (), lanes: tuple[tuple[str, str], ...] = LANES) -> Chart:
    return Chart(
        title="Rencana",
        lanes=lanes,
        bars=tuple(bars),
        lines=tuple(lines),
        zone=WIB,
        free=lambda day: day.weekday() > 4,
    )


def line(day: float, kind: str = "deadline", label: str = "Tenggat") -> Line:
    return Line(at=MONDAY + timedelta(days=day), kind=kind, label=label)


PLAN = chart(
    [
        bar("1", 0, 0.02, "kepala", DONE),
        bar("2", 0.1, 5, "tim", OPEN, latest_finish=MONDAY + timedelta(days=4)),
        bar("3", 5.1, 1, "tim", measured=True, latest_finish=MONDAY + timedelta(days=9)),
        bar("2", 6.1, 5, "tim", round=2),
    ],
    [line(2, "today", "Hari ini"), line(20)],
)


@pytest.fixture(autouse=True)
def on_a_page(site: Desk) -> object:
    with site.app.test_request_context():
        yield site


def drawn(found: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(str(charts.gantt(found)))


def groups(found: Chart) -> list[ElementTree.Element]:
    return [one for one in drawn(found).iter(f"{SVG}g") if one.get("class", "").startswith("pass ")]


def rectangle(group: ElementTree.Element) -> tuple[float, float]:
    """Where a bar begins and how wide it is."""
    rect = group.find(f"{SVG}rect")
    assert rect is not None
    return float(rect.get("x", "")), float(rect.get("width", ""))


def shown(found: Chart) -> html.HtmlElement:
    """The figure and its table, as a page has them."""
    page = '{% from "_chart.html" import chart_figure, chart_table with context %}'
    page += '<main>{{ chart_figure(chart) }}{{ chart_table(chart, "Rencana") }}</main>'
    return html.fromstring(render_template_string(page, chart=found, charts=charts))


def test_the_picture_is_sound_xml_with_a_title_and_a_description() -> None:
    tree = drawn(PLAN)
    assert tree.tag == f"{SVG}svg" and tree.get("role") == "img"
    named = {one.get("id"): one.text for one in tree if one.tag in (f"{SVG}title", f"{SVG}desc")}
    assert set((tree.get("aria-labelledby") or "").split()) == set(named)
    assert "Rencana" in named.values() and any("4 langkah" in (text or "") for text in named.values())


def test_nothing_in_it_has_a_style_of_its_own_or_runs() -> None:
    for found in (PLAN, chart([bar("1", 0, 1, name=HOSTILE)], [line(1, label=HOSTILE)], (("tim", HOSTILE),))):
        for one in drawn(found).iter():
            assert one.tag not in (f"{SVG}style", f"{SVG}script", f"{SVG}foreignObject", f"{SVG}a")
            assert not [name for name in one.keys() if name == "style" or name.startswith("on") or "href" in name]
        assert shown(found).xpath("//@style") == []


def test_a_hostile_name_is_text_and_what_xml_cannot_carry_is_left_out() -> None:
    found = chart([bar("1", 0, 1, name=HOSTILE)], [line(1, label=HOSTILE)], (("tim", HOSTILE),))
    text = "".join(drawn(found).itertext())
    assert '<script>alert(\'x\')</script> & " onload="y" ]]>' in text and "Reviu" in text
    assert not re.search("[\x00\x0b\x1f\ufffe]", text)
    assert shown(found).xpath("//script") == []


def test_a_bar_is_as_long_as_its_pass_and_never_too_short_to_be_seen() -> None:
    one, five = (rectangle(group) for group in groups(chart([bar("1", 0, 1), bar("2", 1, 5)])))
    assert five[1] == pytest.approx(5 * one[1], abs=0.3)
    assert five[0] == pytest.approx(one[0] + one[1], abs=0.3)
    [(_x, width)] = [rectangle(group) for group in groups(chart([bar("1", 0, 0.001)]))]
    assert width == charts.BAR_LEAST


def test_each_lane_has_its_row() -> None:
    tops: dict[str | None, set[str | None]] = {}
    for group in groups(PLAN):
        rect = group.find(f"{SVG}rect")
        assert rect is not None
        text = group.find(f"{SVG}text")
        assert text is not None
        tops.setdefault(rect.get("y"), set()).add(text.text)
    assert sorted(tops.values(), key=len) == [{"1"}, {"2", "3"}]


def test_numbers_of_neighbours_stand_beside_each_other() -> None:
    places = []
    for group in groups(chart([bar(str(n), n / 50, 0.01) for n in range(1, 6)])):
        text = group.find(f"{SVG}text")
        assert text is not None
        places.append(float(text.get("x", "")))
    assert places == sorted(places) and min(b - a for a, b in pairwise(places)) >= 9


def test_done_open_and_to_come_differ_by_pattern_and_by_word() -> None:
    looks = set()
    for group in groups(PLAN):
        rect, title = group.find(f"{SVG}rect"), group.find(f"{SVG}title")
        assert rect is not None and title is not None
        looks.add((group.get("class"), rect.get("fill")))
        word = str(charts.STATES[(group.get("class") or "").split()[1]].word)
        assert word in (title.text or "")
    assert len(looks) == 3 and ("pass terbuka", "url(#gantt-arsir)") in looks
    legend = [" ".join(one.text_content().split()) for one in shown(PLAN).xpath("//ul[@class='legend']/li")]
    assert legend == ["Selesai", "Sedang berjalan", "Akan datang", "Hari libur", "Hari ini", "Tenggat"]


def test_the_table_holds_the_same_facts_as_the_picture() -> None:
    rows = shown(PLAN).xpath("//table/tbody/tr")
    assert len(rows) == len(groups(PLAN)) == len(PLAN.bars)
    for row, one in zip(rows, PLAN.bars, strict=True):
        text = " ".join(row.text_content().split())
        assert charts.step_words(one) in text and PLAN.lane_name(one.lane) in text
        assert one.duration in text and one.source in text and str(one.mark.word) in text
        times = [datetime.fromisoformat(found) for found in row.xpath(".//time/@datetime")]
        assert times == [at for at in (one.start, one.end, one.latest_finish) if at]
    said = {group.findtext(f"{SVG}title") for group in groups(PLAN)}
    assert said == {charts.bar_words(one, WIB) for one in PLAN.bars}


def test_the_table_says_which_step_ends_too_late() -> None:
    late = [bool(row.xpath(".//*[contains(@class,'late')]")) for row in shown(PLAN).xpath("//table/tbody/tr")]
    assert late == [False, True, False, False]


def test_a_line_far_from_the_plan_is_left_to_the_words() -> None:
    far = chart(PLAN.bars, [line(-400, "today", "Hari ini"), line(30), line(900, "working", "Batas kerja")])
    assert [one.label for one in far.lines_near] == ["Tenggat"]
    assert "Batas kerja" in far.description
    assert len([one for one in drawn(far).iter(f"{SVG}g") if one.get("class", "").startswith("at ")]) == 1


def test_days_without_work_are_shaded_neighbours_as_one() -> None:
    found = chart([bar("1", 0, 14)])
    shaded = [one for one in drawn(found).iter(f"{SVG}rect") if one.get("class") == "free"]
    scale = charts.Scale.of(found)
    assert [float(one.get("x", "")) for one in shaded] == [
        scale.of_day(day)
        for day in (date(2027, 1, 9), date(2027, 1, 16))
        if day < scale.first.date() + timedelta(scale.days)
    ]
    assert float(shaded[0].get("width", "")) == pytest.approx(2 * scale.day, abs=0.2)


def test_a_plan_of_many_years_stays_a_picture_of_bounded_size() -> None:
    found = chart([bar("1", 0, 7000), bar("2", 7000, 1)])
    tree = drawn(found)
    assert int(tree.get("width", "")) <= charts.WIDTH_MOST and len(list(tree.iter())) < 1000


def test_a_plan_without_a_pass_is_no_picture() -> None:
    assert charts.gantt(chart([])) == "" and shown(chart([])).xpath("//svg | //table") == []


def test_who_cannot_point_reads_the_picture_by_keyboard() -> None:
    [scroller] = shown(PLAN).xpath("//*[@class='chart-scroll']")
    assert scroller.get("tabindex") == "0" and scroller.get("role") == "region" and scroller.get("aria-label")
    assert words.full(PLAN.bars[0].start, WIB) in PLAN.description
