"""A plan drawn: a Gantt chart of lanes as SVG made on the server, and the rows of the table that says the same.

Nothing here decides or counts: who draws gives bars with their instants and their words. The picture is one SVG in the
page, with classes for the stylesheet and no style of its own (the policy allows none), its colours the page's; what is
done, open and to come differ by pattern and by word. `_chart.html` shows it with its names, its legend and its table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask_babel import format_date, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape

from . import words

DONE, OPEN, TO_COME = "selesai", "terbuka", "akan_datang"

# In CSS pixels. The stylesheet repeats HEAD and ROW for the names beside the picture.
LABEL = 18  # height of a line that says what a vertical line is
HEAD = 3 * LABEL + 44  # three of those, the months, the weeks
ROW = 52  # of a lane
BAR_TOP, BAR_HEIGHT = 22, 20  # within the row; its number stands above it
BAR_LEAST = 5  # a step of twenty minutes is still seen
WIDTH_BEST, WIDTH_MOST = 1000, 4000
DAY_LEAST, DAY_MOST = 4, 24
FREE_LEAST = 2  # narrower days are not shaded
WEEK_LEAST = 22  # narrower weeks are not numbered
MONTH_LEAST = 90  # narrower months are named by three letters
# A vertical line further before the bars, or behind them, is left to the words.
BEFORE, BEHIND = timedelta(days=10), timedelta(days=120)

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One pass of a user task in the plan, with what people read of it."""

    lane: str  # its id
    number: str  # "5", as it stands above the bar
    name: str
    round: int
    start: datetime
    end: datetime
    state: str  # DONE | OPEN | TO_COME
    duration: str  # in words
    measured: bool  # the duration comes from finished passes, else from the standard
    latest_start: datetime | None = None
    latest_finish: datetime | None = None

    @property
    def mark(self) -> words.Mark:
        return STATES[self.state]

    @property
    def source(self) -> str:
        """Where its duration comes from."""
        if self.state == DONE:
            return str(_("tercatat"))
        return str(_("terukur") if self.measured else _("baku"))

    @property
    def late(self) -> bool:
        """Whether it ends after the last instant that still leaves enough time for what follows."""
        return self.latest_finish is not None and self.state != DONE and self.end > self.latest_finish


STATES = {
    DONE: words.DONE_MARK,
    OPEN: words.Mark("◐", _l("Sedang berjalan"), "working"),
    TO_COME: words.Mark("○", _l("Akan datang"), "ahead"),
}
TOO_LATE = words.Mark("■", _l("Melewati batas"), "late")


@dataclass(frozen=True, kw_only=True)
class Line:
    """An instant that matters to all lanes: today, a deadline."""

    at: datetime
    kind: str  # today | working | deadline: how it is drawn
    label: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What is drawn."""

    title: str
    lanes: tuple[tuple[str, str], ...]  # (id, name) from top to bottom
    bars: tuple[Bar, ...]  # in the order of their start
    lines: tuple[Line, ...]
    zone: str
    free: Callable[[date], bool]  # whether nobody works on a day, where the unit is
    name: str = "gantt"  # begins the ids on the page: two charts of a page need two

    @property
    def description(self) -> str:
        """The picture in a sentence or two, for who does not see it."""
        if not self.bars:
            return str(_("Belum ada langkah."))
        first, last = min(one.start for one in self.bars), max(one.end for one in self.bars)
        parts = [
            ngettext("%(num)s langkah", "%(num)s langkah", len(self.bars)),
            _("dari %(at)s", at=words.full(first, self.zone)),
            _("sampai %(at)s", at=words.full(last, self.zone)),
        ]
        said = [f"{one.label}: {words.full(one.at, self.zone)}." for one in self.lines]
        return f"{', '.join(parts)}. {' '.join(said)} {_('Tabel di bawah memuat hal yang sama.')}".replace("  ", " ")

    @property
    def lines_near(self) -> tuple[Line, ...]:
        """The vertical lines that are drawn."""
        if not self.bars:
            return ()
        start, end = min(one.start for one in self.bars), max(one.end for one in self.bars)
        return tuple(one for one in self.lines if start - BEFORE <= one.at <= end + BEHIND)

    def has(self, state: str) -> bool:
        return any(one.state == state for one in self.bars)

    def lane_name(self, id: str) -> str:
        return dict(self.lanes).get(id, id)

    @property
    def has_latest(self) -> bool:
        return any(one.latest_finish for one in self.bars)


def plain(text: object) -> str:
    """Text as XML can carry it: without the control characters that it cannot."""
    return _NOT_XML.sub("", str(text))


def said(text: object) -> Markup:
    return escape(plain(text))


@dataclass(frozen=True)
class Scale:
    """Where an instant stands in the picture."""

    first: datetime  # a local midnight
    days: int
    day: float  # pixels

    @classmethod
    def of(cls, chart: Chart) -> Scale:
        zone = ZoneInfo(chart.zone)
        start, end = min(one.start for one in chart.bars), max(one.end for one in chart.bars)
        near = [one.at for one in chart.lines_near]
        begin = min([start, *near]).astimezone(zone).date()
        monday = begin - timedelta(days=begin.weekday())
        last = max([end, *near]).astimezone(zone).date() + timedelta(days=3)
        days = (last - monday).days
        day = min(max(WIDTH_BEST / days, DAY_LEAST), DAY_MOST, WIDTH_MOST / days)
        return cls(datetime(monday.year, monday.month, monday.day, tzinfo=zone), days, day)

    @property
    def width(self) -> int:
        return round(self.days * self.day)

    def x(self, at: datetime) -> float:
        return round((at - self.first).total_seconds() / 86_400 * self.day, 1)

    def of_day(self, day: date) -> float:
        return round((day - self.first.date()).days * self.day, 1)

    def dates(self) -> Iterator[date]:
        return (self.first.date() + timedelta(days=n) for n in range(self.days))


def gantt(chart: Chart) -> Markup:
    """The picture as SVG; nothing of a plan without a single pass."""
    if not chart.bars:
        return Markup("")
    scale = Scale.of(chart)
    height = HEAD + ROW * len(chart.lanes)
    parts = [
        f'<svg class="gantt" xmlns="http://www.w3.org/2000/svg" role="img" width="{scale.width}" height="{height}" '
        f'viewBox="0 0 {scale.width} {height}" aria-labelledby="{chart.name}-judul {chart.name}-isi">',
        f'<title id="{chart.name}-judul">{said(chart.title)}</title>',
        f'<desc id="{chart.name}-isi">{said(chart.description)}</desc>',
        hatching(chart.name),
        *free_days(chart, scale, height),
        *axis(scale, height),
        *lane_rows(chart, scale),
        *vertical_lines(chart, scale, height),
        *bars(chart, scale),
        "</svg>",
    ]
    return Markup("\n".join(parts))


def hatching(name: str) -> str:
    """The pattern of what is under way."""
    return (
        f'<defs><pattern id="{name}-arsir" width="6" height="6" patternUnits="userSpaceOnUse">'
        '<rect class="hatch-ground" width="6" height="6"/><path class="hatch" d="M-1 1l2-2M0 6l6-6M5 7l2-2"/>'
        "</pattern></defs>"
    )


def free_days(chart: Chart, scale: Scale, height: int) -> Iterator[str]:
    """Days without work as shaded columns, neighbours as one."""
    if scale.day < FREE_LEAST:
        return
    begun: date | None = None
    for day in (*scale.dates(), None):
        if day is not None and chart.free(day):
            begun = begun or day
        elif begun is not None:
            end = scale.of_day(day) if day else scale.width
            left = scale.of_day(begun)
            top = HEAD - 2
            yield (f'<rect class="free" x="{left}" y="{top}" width="{round(end - left, 1)}" height="{height - top}"/>')
            begun = None


def axis(scale: Scale, height: int) -> Iterator[str]:
    """The months, and under them the Mondays by their day of the month."""
    top = 3 * LABEL
    yield '<g class="axis">'
    for day in scale.dates():
        x = scale.of_day(day)
        if day.day == 1 or day == scale.first.date():
            left = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - day
            room = min(left.days * scale.day, scale.width - x)
            pattern = "MMMM y" if room >= MONTH_LEAST else "MMM y" if room >= MONTH_LEAST / 1.5 else "MMM"
            if room >= MONTH_LEAST / 3:
                yield f'<text class="month" x="{x + 4}" y="{top + 15}">{said(format_date(day, pattern))}</text>'
            if day.day == 1:
                yield f'<line class="month-line" x1="{x}" y1="{top}" x2="{x}" y2="{height}"/>'
        if day.weekday() == 0 and scale.day * 7 >= WEEK_LEAST:
            yield f'<line class="week-line" x1="{x}" y1="{top + 22}" x2="{x}" y2="{height}"/>'
            yield f'<text class="week" x="{x + 4}" y="{top + 36}">{day.day}</text>'
    yield "</g>"


def lane_rows(chart: Chart, scale: Scale) -> Iterator[str]:
    """A line above each lane; its name stands beside the picture, and only on paper within it."""
    for place, (_id, name) in enumerate(chart.lanes):
        y = HEAD + place * ROW
        yield f'<line class="lane-line" x1="0" y1="{y}" x2="{scale.width}" y2="{y}"/>'
        yield f'<text class="lane-name" x="4" y="{y + ROW - 2}">{said(name)}</text>'


def vertical_lines(chart: Chart, scale: Scale, height: int) -> Iterator[str]:
    for place, one in enumerate(chart.lines_near):
        x, top = scale.x(one.at), place % 3 * LABEL
        anchor, beside = ("start", x + 5) if x < scale.width / 2 else ("end", x - 5)
        yield (
            f'<g class="at {one.kind}"><line x1="{x}" y1="{top + 2}" x2="{x}" y2="{height}"/>'
            f'<text x="{round(beside, 1)}" y="{top + 13}" text-anchor="{anchor}">{said(one.label)}</text></g>'
        )


def bars(chart: Chart, scale: Scale) -> Iterator[str]:
    """A bar a pass, its number above it; numbers of neighbours stand aside for each other."""
    rows = {id: place for place, (id, _name) in enumerate(chart.lanes)}
    taken: dict[str, float] = {}
    for one in sorted(chart.bars, key=lambda bar: (bar.start, bar.end)):
        if one.lane not in rows:
            continue
        y = HEAD + rows[one.lane] * ROW
        x, width = scale.x(one.start), max(scale.x(one.end) - scale.x(one.start), BAR_LEAST)
        wide = 9 * len(one.number) + 3
        text = max(x + width / 2 - wide / 2, taken.get(one.lane, 0.0))
        taken[one.lane] = text + wide
        fill = f' fill="url(#{chart.name}-arsir)"' if one.state == OPEN else ""
        yield (
            f'<g class="pass {one.state}"><title>{said(bar_words(one, chart.zone))}</title>'
            f'<rect x="{x}" y="{y + BAR_TOP}" width="{round(width, 1)}" height="{BAR_HEIGHT}" rx="2"{fill}/>'
            f'<text x="{round(text, 1)}" y="{y + BAR_TOP - 6}">{said(one.number)}</text></g>'
        )


def bar_words(one: Bar, zone: str) -> str:
    """What is said of a bar when it is pointed at."""
    return (
        f"{step_words(one)}: {one.mark.word}. "
        f"{words.full(one.start, zone)} – {words.full(one.end, zone)}. {one.duration} ({one.source})."
    )


def step_words(one: Bar) -> str:
    """`5 · Memperbaiki rancangan akhir (putaran 2)`."""
    name = f"{one.number} · {one.name}" if one.number else one.name
    return f"{name} ({_('putaran %(n)s', n=one.round)})" if one.round > 1 else name


def in_order(bars: Iterable[Bar]) -> tuple[Bar, ...]:
    return tuple(sorted(bars, key=lambda one: (one.start, one.end)))
