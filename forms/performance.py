"""Audit across instances: where time goes, what comes back and which ways were taken, on the diagram and in tables.

Every number opens the instances behind it, by the same question asked again: a list shows nothing that its visitor may
not see. For auditors of the units, and for the head of a process in their own; to anybody else there is no such page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from flask import Blueprint, Response, abort, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy import Connection

from engine import performance as heart
from engine.definition import ProcessDefinition
from engine.forecast import ENOUGH_PASSES
from engine.performance import Case, GroupFigures, Performance, Spread, StepFigures, Tally
from engine.store import definitions, passes

from . import words
from .audit import audits, leave_trace_of
from .charts import said
from .processes import served
from .session import me, office

performance = Blueprint("performance", __name__)

NO_YEAR = "tanpa"
WAITING, PROCESSING, VISITS = "menunggu", "dikerjakan", "dilalui"
MEASURES = {WAITING: _l("Menunggu diambil"), PROCESSING: _l("Dikerjakan"), VISITS: _l("Berapa kali dilalui")}
# In CSS pixels: a name, and under it a bar for each value. The widest bar leaves room for its words.
NAME, BAR, GAP, AFTER = 20, 16, 6, 14
WIDEST = 55.0  # per cent


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the address asks for."""

    key: str
    unit: str
    year: int | None  # None: every year
    timeless: bool  # only those that belong to no year
    measure: str

    def address(self, endpoint: str = "performance.page", **more: Any) -> str:
        """Where the same is asked, with something else beside it; what is empty is left out."""
        year = NO_YEAR if self.timeless else self.year
        whole = {"proses": self.key, "unit": self.unit, "tahun": year, **more}
        return url_for(endpoint, **{name: value for name, value in whole.items() if value not in ("", None)})

    def list(self, **more: Any) -> str:
        return self.address("performance.instances", **more)


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What was found for a visitor who asked."""

    asked: Asked
    places: Sequence[passes.Place]  # all that they may see
    definition: ProcessDefinition  # the newest version
    version: int
    cases: Sequence[Case]
    left_out: int
    unread: int
    figures: Performance
    others: dict[str, ProcessDefinition] = field(default_factory=dict)  # by SHA-256: versions that instances run

    def step(self, element: str) -> str:
        """`5 · Memperbaiki rancangan akhir`, also of a step that only an older version has."""
        for one in (self.definition, *self.others.values()):
            if found := one.elements.get(element):
                return f"{found.number} · {found.name}" if found.number else found.name or element
        return element

    def short(self, element: str) -> str:
        """Its number alone, in a sequence of many."""
        return self.step(element).split(" · ")[0]

    def lane(self, id: str) -> str:
        for one in (self.definition, *self.others.values()):
            if found := one.lane(id):
                return found.name
        return id


def reach(db: Connection) -> passes.Reach:
    """What the visitor may see across instances; a 404 for who has no place Audit, administrators among them."""
    visitor = me()
    if not audits(visitor):
        abort(404)
    heads = {(one.key, one.unit) for one in served(db, office().now())} & visitor.leads
    return passes.Reach(scopes=visitor.scopes, pairs=frozenset(heads))


def look(db: Connection) -> Looked | None:
    """What the address asks for; None where there is nothing at all to look at."""
    mine = reach(db)
    places = passes.places(db, mine)
    if not places:
        return None
    most = {key: sum(one.instances for one in places if one.key == key) for key in {one.key for one in places}}
    key = request.args.get("proses") or max(sorted(most), key=lambda one: most[one])
    newest = definitions.newest(db, key) if key in most else None
    if newest is None:
        abort(404)
    year = request.args.get("tahun", "")
    measure = request.args.get("ukuran", WAITING)
    asked = Asked(
        key=key,
        unit=request.args.get("unit", ""),
        year=int(year) if year.isascii() and year.isdigit() and len(year) == 4 else None,
        timeless=year == NO_YEAR,
        measure=measure if measure in MEASURES else WAITING,
    )
    rules = office().rules
    cases, left_out, unread = passes.cases(db, key, mine, asked.unit, asked.year, asked.timeless)
    definition = rules.definition(newest.sha256)
    others = {one: rules.definition(one) for one in sorted({case.definition for case in cases})}
    return Looked(
        asked=asked,
        places=places,
        definition=definition,
        version=newest.version,
        cases=cases,
        left_out=left_out,
        unread=unread,
        figures=heart.of_cases(cases, definition, others.__getitem__),
        others=others,
    )


# The page


@performance.get("/audit/lintas")
def page() -> Any:
    """The figures of one process, in the units and the year that are asked for."""
    with office().database.read() as db:
        it = look(db)
        names = {one.key: one.name for one in definitions.newest_of_all(db)}
    leave_trace_of("audit/lintas")
    if it is None:
        return render_template("audit/across.html", it=None, enough=ENOUGH_PASSES)
    of_process = [one for one in it.places if one.key == it.asked.key]
    return render_template(
        "audit/across.html",
        it=it,
        figures=it.figures,
        asked=it.asked,
        processes=[(key, names.get(key, key)) for key in dict.fromkeys(one.key for one in it.places)],
        units=sorted({(one.unit, one.unit_name) for one in of_process}, key=lambda pair: pair[1]),
        years=sorted({one.year for one in of_process if one.year}, reverse=True),
        timeless=any(one.year is None for one in of_process),
        measures=MEASURES,
        diagram=heat(it),
        classes=legend(it),
        heated=heated(it),
        lane_chart=lane_chart(it),
        step_chart=step_chart(it),
        spread=spread_words,
        percent=percent,
        ways=it.figures.variants[: heart.MOST_VARIANTS],
        enough=ENOUGH_PASSES,
    )


def spread_words(one: Spread) -> tuple[str, str]:
    return words.working(one.median), words.working(one.slowest)


def percent(part: int, whole: int) -> str:
    return f"{round(100 * part / whole)}%" if whole else "–"


def median(one: Spread | None) -> int | None:
    return one.median if one else None


def measured(one: StepFigures, measure: str) -> int | None:
    """What a heat map shows of a step: minutes of the median, or how often; None of too little."""
    if not one.enough:
        return None
    return {WAITING: median(one.waiting), PROCESSING: median(one.processing), VISITS: one.visits.count}[measure]


def heated(it: Looked) -> dict[str, int]:
    """Step -> class of its heat, 0 of too little."""
    return dict(heart.heat({one.element: measured(one, it.asked.measure) for one in it.figures.steps}))


def told(value: int, measure: str) -> str:
    return _("%(n)s kali", n=value) if measure == VISITS else words.working(value)


def heat(it: Looked) -> list[dict[str, str]]:
    """What the diagram marks: the class of each step, as a number and as a colour."""
    found, measure = heated(it), it.asked.measure
    shown = []
    for one in it.figures.steps:
        value, of = measured(one, measure), found[one.element]
        label = (_("Belum cukup data") if value is None else
                 _("Kelas %(n)s dari %(all)s. %(measure)s: %(value)s", n=of, all=heart.CLASSES,
                   measure=MEASURES[measure], value=told(value, measure)))
        shown.append({"id": one.element, "status": f"heat-{of}", "label": label, "n": str(of or "–")})
    return shown


def legend(it: Looked) -> list[tuple[int, str]]:
    """(class, from what up to what) of the classes, where there is anything to tell apart."""
    values = [value for one in it.figures.steps if (value := measured(one, it.asked.measure)) is not None]
    most = max(values, default=0)
    if not most:
        return []
    tops = [told(top, it.asked.measure) for top in heart.up_to(most)]
    ranges = [_("di atas %(low)s sampai %(high)s", low=low, high=high) for low, high in pairwise(tops)]
    return list(enumerate([_("sampai %(value)s", value=tops[0]), *ranges], start=1))


# Charts


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Some things with the same values beside each other: `looks` says what each bar is, first and second."""

    id: str
    title: str
    looks: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int | None, ...]], ...]  # (name, minutes of each look, None: not known)

    def length(self, minutes: int | None) -> str:
        return _("belum cukup data") if minutes is None else words.working(minutes)

    @property
    def description(self) -> str:
        parts = [f"{name}: " + ", ".join(f"{look} {self.length(minutes)}"
                                         for look, minutes in zip(self.looks, values, strict=True))
                 for name, values in self.rows]
        return ". ".join(parts) + ". " + _("Tabel di bawah memuat hal yang sama.")


def drawn(chart: Bars) -> Markup:
    """The chart as SVG, its bars in per cent of the room there is; "" of nothing."""
    if not chart.rows:
        return Markup("")
    high = NAME + len(chart.looks) * (BAR + GAP) + AFTER
    most = max((minutes or 0 for _name, values in chart.rows for minutes in values), default=0) or 1
    parts = [
        f'<svg class="bars" xmlns="http://www.w3.org/2000/svg" role="img" width="100%" '
        f'height="{high * len(chart.rows)}" aria-labelledby="{chart.id}-judul {chart.id}-isi">',
        f'<title id="{chart.id}-judul">{said(chart.title)}</title>',
        f'<desc id="{chart.id}-isi">{said(chart.description)}</desc>',
    ]
    for place, (name, values) in enumerate(chart.rows):
        top = place * high
        parts.append(f'<text class="name" x="0" y="{top + 14}">{said(name)}</text>')
        for n, minutes in enumerate(values):
            y, wide = top + NAME + n * (BAR + GAP), round((minutes or 0) / most * WIDEST, 2)
            wide = 0.0 if minutes is None else max(wide, 0.5)
            bar = f'<rect x="1" y="{y + 1}" width="{wide}%" height="{BAR - 2}" rx="2"/>' if wide else ""
            parts.append(f'<g class="bar-{n + 1}">{bar}<text x="{wide}%" dx="{8 if wide else 0}" y="{y + 13}">'
                         f"{said(chart.length(minutes))}</text></g>")
    return Markup("\n".join([*parts, "</svg>"]))


def lane_chart(it: Looked) -> tuple[Bars, Markup]:
    chart = Bars(
        id="waktu-pelaksana",
        title=_("Waktu setiap pelaksana dibanding waktu baku"),
        looks=(_("nyata"), _("baku")),
        rows=tuple((it.lane(one.lane), (one.taken.median, one.norm)) for one in it.figures.lanes if one.taken),
    )
    return chart, drawn(chart)


def step_chart(it: Looked) -> tuple[Bars, Markup]:
    chart = Bars(
        id="waktu-langkah",
        title=_("Menunggu dan dikerjakan, setiap langkah"),
        looks=(_("menunggu"), _("dikerjakan")),
        rows=tuple((it.step(one.element), (median(one.waiting), median(one.processing)))
                   for one in it.figures.steps if one.waiting or one.processing),
    )
    return chart, drawn(chart)


# What stands behind a number


@performance.get("/audit/lintas/berkas")
def instances() -> Any:
    """The instances behind one number."""
    with office().database.read() as db:
        it = look(db)
    if it is None:
        abort(404)
    leave_trace_of("audit/lintas/berkas")
    name, ids = behind(it)
    wanted = set(ids)
    return render_template(
        "audit/behind.html", it=it, asked=it.asked, name=name, rows=[one for one in it.cases if one.id in wanted]
    )


def behind(it: Looked) -> tuple[str, tuple[str, ...]]:
    """(what the number is, the ids behind it) of the number that the address names; a 404 where there is none."""
    args, figures = request.args, it.figures
    number = args.get("angka", "")
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    if element := args.get("langkah"):
        step = next((one for one in figures.steps if one.element == element and one.enough), None)
        found = of_step(step, it.step(element)) if step else {}
    elif lane_id := args.get("pelaksana"):
        lane = next((one for one in figures.lanes if one.lane == lane_id and one.taken), None)
        if lane and lane.taken:
            name = it.lane(lane.lane)
            found = {
                "dilalui": (_("%(lane)s: langkah yang selesai", lane=name), lane.passes.cases),
                "waktu": (_("%(lane)s: waktu nyata", lane=name), lane.taken.all.cases),
                "waktu_lama": (_("%(lane)s: sepersepuluh terlama", lane=name), lane.taken.slow.cases),
                "melewati": (_("%(lane)s: melewati waktu baku", lane=name), lane.over.cases),
            }
    elif way := args.get("jalan"):
        variant = next((one for one in figures.variants if one.id == way), None)
        if variant:
            found = {"": (_("Urutan %(steps)s", steps=" → ".join(map(it.short, variant.elements))), variant.cases)}
    else:
        found = of_groups(figures.units)
    if number not in found:
        abort(404)
    return found[number]


def of_step(one: StepFigures, name: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    waiting, work = one.waiting, one.processing
    tallies: list[tuple[str, str, Tally | None]] = [
        ("dilalui", _("%(step)s: yang melaluinya", step=name), one.visits),
        ("menunggu", _("%(step)s: waktu menunggu", step=name), waiting.all if waiting else None),
        ("menunggu_lama", _("%(step)s: sepersepuluh yang terlama menunggu", step=name),
         waiting.slow if waiting else None),
        ("dikerjakan", _("%(step)s: waktu pengerjaan", step=name), work.all if work else None),
        ("dikerjakan_lama", _("%(step)s: sepersepuluh yang terlama dikerjakan", step=name),
         work.slow if work else None),
        ("terlambat", _("%(step)s: terlambat", step=name), one.late),
        ("mengembalikan", _("%(step)s: mengembalikan", step=name), one.sent_back),
        ("diulang", _("%(step)s: dikerjakan ulang", step=name), one.again),
    ]
    return {number: (text, tally.cases) for number, text, tally in tallies if tally is not None}


def of_groups(groups: Sequence[GroupFigures]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The numbers that are about all of what was asked for."""
    return {
        "": (_("Semua berkas proses"), tuple(id for one in groups for id in one.cases)),
        "selesai": (_("Yang selesai"), tuple(id for one in groups for id in one.finished)),
        "terlambat": (_("Dengan langkah yang terlambat"), tuple(id for one in groups for id in one.late.cases)),
        "mengembalikan": (_("Dengan pengembalian"), tuple(id for one in groups for id in one.sent_back.cases)),
        "lama": (_("Lama satu langkah"), tuple(id for one in groups if one.working for id in one.working.all.cases)),
        "terlama": (_("Lama satu langkah: sepersepuluh terlama"),
                    tuple(id for one in groups if one.working for id in one.working.slow.cases)),
    }


@performance.get("/audit/lintas/diagram.bpmn")
def diagram() -> Response:
    """The newest version of a process that the visitor may look at, as it is stored."""
    with office().database.read() as db:
        key = request.args.get("proses", "")
        data = definitions.export(db, key) if key in {one.key for one in passes.places(db, reach(db))} else None
    if data is None:
        abort(404)
    return Response(data, mimetype="application/xml")
