"""Pemantauan, where who leads sees every process instance of their units and what needs them; and Simulasi tenggat,
where a plan is tried with another start, week, holidays, norms and returns. Only looking: nothing here is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Connection

from engine import calendars, forecast, handle, sop, whatif
from engine.calendars import Calendar, CalendarError, Holiday
from engine.definition import ProcessDefinition
from engine.forecast import Forecast, ForecastError
from engine.instance import CANCELLED, COMPLETED, RUNNING, SUSPENDED, Problem, ProcessInstance, Refused, UserTask
from engine.store import definitions, organisation, overview, queries

from . import bands, charts, extensions, words
from .processes import Names, readable, served
from .session import Visitor, me, office

monitoring = Blueprint("monitoring", __name__)

STATES = (RUNNING, SUSPENDED, COMPLETED, CANCELLED)


# Pemantauan


def watches(visitor: Visitor) -> bool:
    """Whether somebody has Pemantauan: who leads, who audits, administrators."""
    return bool(visitor.leads or visitor.scopes or visitor.administrator)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """An open user task of a line: what it is, who has it and since when."""

    number: str
    name: str
    who: str
    since: datetime
    waiting: bool  # nobody has taken it
    late_at: datetime | None
    state: words.Mark
    time: words.Mark | None
    address: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of Pemantauan: one process instance."""

    summary: queries.Summary
    steps: int  # of its process
    tasks: tuple[Standing, ...]
    band: bands.Band | None  # None: it is over, or nobody can say
    late: int  # steps that were late, the open ones included
    passes: int  # steps done so far, those done again counted again

    @property
    def threatened(self) -> bool:
        """Whether it will probably be late, or is."""
        return bool(self.band and self.band.ahead and self.band.mark and self.band.mark.look == "late")

    @property
    def urgency(self) -> tuple[int, int, datetime]:
        look = self.band.mark.look if self.band and self.band.mark and self.band.ahead else ""
        order = {"late": 0, "due-soon": 1, "on-time": 2}.get(look, 3)
        return (STATES.index(self.summary.status), order, self.summary.deadline_at or datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True, kw_only=True)
class Need:
    """Something that waits for the visitor: more time that is asked for, or a task of theirs that is late."""

    kind: str  # extension | late
    task: str
    title: str
    who: str
    until: datetime  # asked for; or when it was due
    zone: str
    address: str


@monitoring.get("/pemantauan")
def page() -> Any:
    """Every instance of the units that the visitor leads or audits, the most urgent first; above, what needs them."""
    visitor, now = me(), office().now()
    if not watches(visitor):
        abort(403)
    with office().database.read() as db:
        found = queries.instances(db, visitor.id, visitor.leads, visitor.scopes, visitor.administrator)
        found, parked = readable(one for one in found if theirs(one, visitor))
        shown = [one for one in found if wanted(one)]
        loaded = overview.loaded(db, (one.id for one in found))
        parked += [one for one in found if one.id not in loaded]
        found, shown = [one for one in found if one.id in loaded], [one for one in shown if one.id in loaded]
        passed = overview.passed(db, (one.id for one in shown))
        names = Names(db)
        people = {task.owner for one in loaded.values() for task in one.user_tasks.values() if task.owner}
        names.known.update(organisation.names(db, people))
        needs = what_needs(db, found, loaded, names, now)
        rows = sorted((row(db, one, loaded[one.id], passed.get(one.id, ()), names, now) for one in shown), key=urgency)
    definitions_ = {one.key: office().rules.definition(one.definition).name for one in found}
    return render_template(
        "monitoring.html",
        rows=rows,
        parked=parked,
        needs=needs,
        any=bool(found),
        asked={name: request.args.get(name, "") for name in FILTERS},
        processes=sorted(definitions_.items(), key=lambda item: item[1]),
        units=sorted({(one.unit, one.unit_name) for one in found}, key=lambda item: item[1]),
        years=sorted({one.year for one in found if one.year}, reverse=True),
        states=[(status, words.PROCESS_MARKS[status].word) for status in STATES],
        forecast_for=sorted({(one.summary.key, one.summary.unit) for one in rows if one.band and one.band.ahead}),
        filtered=any(request.args.get(name) for name in FILTERS),
        running=sum(1 for one in rows if one.summary.status == RUNNING),
        threatened=sum(1 for one in rows if one.summary.status == RUNNING and one.threatened),
    )


FILTERS = ("proses", "unit", "tahun", "keadaan")


def urgency(one: Row) -> tuple[int, int, datetime]:
    return one.urgency


def theirs(one: queries.Summary, visitor: Visitor) -> bool:
    """Whether an instance is one that the visitor watches; being in its team does not make it so."""
    audits = visitor.administrator or visitor.audit(one.unit, one.year, one.started_at) is not None
    return audits or (one.key, one.unit) in visitor.leads


def wanted(one: queries.Summary) -> bool:
    """Whether an instance is among those that the filters of the address ask for."""
    asked = request.args
    return (
        asked.get("proses", "") in ("", one.key)
        and asked.get("unit", "") in ("", one.unit)
        and asked.get("tahun", "") in ("", str(one.year))
        and asked.get("keadaan", "") in ("", one.status)
    )


def row(
    db: Connection,
    one: queries.Summary,
    instance: ProcessInstance,
    passed: Sequence[overview.Passed],
    names: Names,
    now: datetime,
) -> Row:
    definition = office().rules.definition(one.definition)
    found = bands.glance(db, instance, now)
    tasks = [standing(instance, number, task, definition, names, now) for number, task in instance.user_tasks.items()]
    return Row(
        summary=one,
        steps=len(definition.user_tasks),
        tasks=tuple(tasks),
        band=bands.of_instance(found, definition, calendar_of(instance), now, one.zone) if found else None,
        late=sum(each.late for each in passed) + sum(1 for task in tasks if task.time is words.LATE),
        passes=sum(each.passes for each in passed),
    )


def standing(
    instance: ProcessInstance,
    number: int,
    task: UserTask,
    definition: ProcessDefinition,
    names: Names,
    now: datetime,
) -> Standing:
    element, lane = definition.elements[task.element], definition.lane(task.lane)
    return Standing(
        number=element.number,
        name=element.name,
        who=names(task.owner) if task.owner else (lane.name if lane else task.lane),
        since=task.claimed_at or task.opened_at if task.owner else task.opened_at,
        waiting=task.owner is None,
        late_at=task.late_at,
        state=words.task_mark(task.owner),
        time=words.time_mark(task.norm_at, task.late_at, task.opened_at, now, calendar_of(instance, task.lane)),
        address=url_for("inbox.task", id=instance.id, number=number),
    )


def calendar_of(instance: ProcessInstance, lane: str = "") -> Calendar:
    """What a lane of an instance counts in; of no lane, the unit's own."""
    calendar: Calendar = office().rules.calendar(instance.calendars.get(lane) or instance.calendars[""])
    return calendar


def what_needs(
    db: Connection,
    found: Iterable[queries.Summary],
    loaded: Mapping[str, ProcessInstance],
    names: Names,
    now: datetime,
) -> list[Need]:
    """Yang memerlukan Anda: the more time that is asked of the visitor, then their own tasks that are late."""
    mine: dict[queries.Pair, set[str]] = {}
    for one in served(db, now):
        if not one.only_reads:
            mine.setdefault((one.key, one.unit), set()).add(one.lane)
    needs = []
    for summary in found:
        instance = loaded[summary.id]
        if instance.status != RUNNING:
            continue
        definition = office().rules.definition(instance.definition)
        lanes = own_lanes(instance, mine.get((summary.key, summary.unit), ()))
        for number, task in instance.user_tasks.items():
            element, asked = definition.elements[task.element], task.extension
            said = {
                "task": f"{element.number} · {element.name}" if element.number else element.name,
                "title": summary.title,
                "zone": summary.zone,
            }
            if asked and extensions.decides(definition, task, lanes, me().id):
                address = url_for("inbox.extension", id=instance.id, number=number)
                needs.append(
                    Need(kind="extension", who=names(asked.person), until=asked.until, address=address, **said)
                )
            if task.lane in lanes and task.owner in (None, me().id) and task.late_at and task.late_at < now:
                address = url_for("inbox.task", id=instance.id, number=number)
                needs.append(Need(kind="late", who="", until=task.late_at, address=address, **said))
    return sorted(needs, key=lambda one: (one.kind, one.until))


def own_lanes(instance: ProcessInstance, performs: Iterable[str]) -> frozenset[str]:
    """The lanes that the visitor performs in an instance: where it has a team for a lane, only as one of it.

    performs  the lanes of its process that they perform for its unit.
    """
    own = {lane for lane in performs if lane not in instance.team}
    return frozenset(own | {lane for lane, team in instance.team.items() if me().id in dict(team)})


def next_task(db: Connection, performs: Mapping[queries.Pair, set[str]], now: datetime) -> str:
    """When the next task will probably come to the visitor, by the forecast of what is running; "" where nothing that
    is running leads to them.

    performs  (process key, unit) -> the lanes that they perform there.
    """
    running, _parked = readable(one for one in queries.instances(db, me().id, performs) if one.status == RUNNING)
    loaded = overview.loaded(db, (one.id for one in running))
    found = []
    for one in (one for one in running if one.id in loaded):
        instance, definition = loaded[one.id], office().rules.definition(one.definition)
        if forecast_ := bands.glance(db, instance, now):
            found.append((forecast_, definition, own_lanes(instance, performs.get((one.key, one.unit), ()))))
    coming = bands.next_for(found)
    if coming is None:
        return ""
    at, what = coming
    day, today = words.local(at, me().zone).date(), words.local(now, me().zone).date()
    text = words.near_day(day, today)
    text = _("sekitar %(day)s", day=text) if (day - today).days > 1 else text
    return str(_("Tugas berikutnya kemungkinan datang %(day)s (%(what)s).", day=text, what=what))


# Simulasi tenggat

RETURNS_MOST = 5
TOGETHER_MOST = 250  # working days of all norms together: a year
HOLIDAYS_MOST = 60
LINE_MOST = 200  # characters of one line
FIRST_YEAR, LAST_YEAR = 2015, 2060
WEEKS = ("unit", *calendars.PRESETS)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the address asks to suppose, read; and what could not be read, with its place."""

    start: datetime
    year: int | None
    returns: int = 0
    week: str = "unit"
    others: str = "unit"  # of the lanes of other offices
    added: tuple[Holiday, ...] = ()
    removed: tuple[date, ...] = ()
    norms: Mapping[str, str] = field(default_factory=dict)  # user task -> ISO duration
    typed: Mapping[str, str] = field(default_factory=dict)  # as it stands in the form
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a supposed run stands on: definition and calendars, known to its rules."""

    rules: Any
    definition: ProcessDefinition
    calendars: Mapping[str, str]

    @property
    def unit(self) -> Calendar:
        calendar: Calendar = self.rules.calendar(self.calendars[""])
        return calendar

    def run(self, start: datetime, year: int | None, returns: int) -> Forecast:
        data = {} if year is None else {"tahun_laporan": year}
        return forecast.standard(self.rules, self.definition, self.calendars, start, data=data, returns=returns)


@monitoring.get("/simulasi/<key>")
def simulation(key: str) -> Any:
    """Try a plan: everything that is supposed stands in the address, and nothing is stored."""
    now = office().now()
    with office().database.read() as db:
        version = next((one for one in definitions.newest_of_all(db) if one.key == key), None)
        units = [] if version is None else units_of(db, key, now)
        if version is None or not units:
            abort(404)
        unit = next((one for one in units if one.id == request.args.get("unit")), units[0])
        try:
            opening = handle.opening(db, key, unit.id, data={}, at=now)
        except Refused as refused:
            return render_template(
                "simulation.html", refused=refused.message, name=version.name, unit=unit, problems=()
            ), 409
        definition = office().rules.definition(opening.definition)
        present = Plan(rules=office().rules, definition=definition, calendars=opening.calendars)
    zone = unit.zone
    usual = usual_start(present, now)
    asked = read(present, zone, usual)
    supposed, problems = suppose(present, asked), list(asked.problems)
    seen: dict[str, Any] = {}
    try:
        if not problems:
            seen = looked_at(present, supposed, asked, usual, zone, now)
    except (ForecastError, CalendarError) as error:
        problems.append(Problem("mulai", _("Rencana ini tidak dapat dihitung: %(why)s", why=error)))
    shown = render_template(
        "simulation.html",
        key=key,
        name=definition.name,
        definition=definition,
        units=units,
        unit=unit,
        zone=zone,
        asked=asked,
        problems=problems,
        errors={one.place: one.message for one in problems},
        charts=charts,
        norms=[(one, sop.in_words(drawn)) for one in definition.user_tasks if (drawn := sop.norm(definition, one))],
        weeks=[(WEEKS[0], _("Kalender yang berlaku")), *((id, made().title) for id, made in calendars.PRESETS.items())],
        norms_wrong=any(one.place.startswith("norma.") for one in problems),
        elsewhere=[lane.name for lane in definition.lanes if lane.other_office],
        returns_most=RETURNS_MOST,
        asks=bool(request.args),
        **seen,
    )
    return shown, 422 if problems else 200


def looked_at(present: Plan, supposed: Plan, asked: Asked, usual: datetime, zone: str, now: datetime) -> dict[str, Any]:
    """What the page shows of a plan. Raises ForecastError, CalendarError."""
    found = supposed.run(asked.start, asked.year, asked.returns)
    # Another year is not a later plan of this one: there only the start is taken as it is asked for.
    start = usual if asked.year == default_year(present, usual) else asked.start
    before = present.run(start, asked.year, 0)
    near = abs(now - asked.start) < timedelta(days=200)
    title = _("Rencana %(name)s", name=supposed.definition.name)
    return {
        "found": found,
        "band": bands.before_start(found, supposed.definition, zone, now, at_once=False),
        "moved": moved(found, before, present.unit, zone) if request.args else "",
        "chart": bands.chart(found, supposed.definition, supposed.unit, zone, title, now=now if near else None),
        "finding": finding(supposed, asked.year, zone),
        "undecreed": undecreed(supposed, found),
    }


@dataclass(frozen=True)
class Place:
    """A unit that a plan can be tried for."""

    id: str
    name: str
    zone: str


def units_of(db: Connection, key: str, now: datetime) -> list[Place]:
    """The units for which the visitor may try a plan: where they perform a lane, or which they audit."""
    visitor = me()
    allowed = {one.unit for one in organisation.units_that_may_start(db, key)}
    audited = {one.unit for one in visitor.scopes}
    everything = visitor.administrator or "" in audited
    mine = {one.unit for one in served(db, now) if one.key == key} | audited
    return [
        Place(one.id, one.name, one.zone)
        for one in organisation.units(db)
        if one.id in allowed and (everything or one.id in mine)
    ]


def usual_start(plan: Plan, now: datetime) -> datetime:
    """A start now: in working hours this minute, else the next opening."""
    return calendars.counted_from(now.replace(second=0, microsecond=0), plan.unit)


def default_year(plan: Plan, start: datetime) -> int | None:
    """The year whose deadline is the first after `start`; None where the process knows no year."""
    try:
        return forecast.first_year(plan.rules, plan.definition, plan.calendars, start)
    except (ForecastError, CalendarError):
        return None


def read(plan: Plan, zone: str, usual: datetime) -> Asked:
    """What the address asks, each mistake with its place; what is not said is as it is now."""
    given, problems = request.args, list[Problem]()
    local = words.local(usual, zone)
    typed = {"mulai": local.date().isoformat(), "pukul": f"{local:%H:%M}"}
    typed |= {name: value for name, value in given.items() if len(value) <= HOLIDAYS_MOST * LINE_MOST}

    start = read_start(typed, zone, usual, problems)
    year = default_year(plan, start)
    if year is not None:
        year = whole(typed.get("tahun") or str(year), FIRST_YEAR, LAST_YEAR) or year
        if typed.get("tahun") and typed["tahun"].strip() != str(year):
            message = _("Tahun laporan: tulis tahun antara %(a)s dan %(b)s.", a=FIRST_YEAR, b=LAST_YEAR)
            problems.append(Problem("tahun", message))
        typed.setdefault("tahun", str(year))
    returns = whole(typed.get("pengembalian") or "0", 0, RETURNS_MOST)
    if returns is None:
        problems.append(Problem("pengembalian", _("Pengembalian: tulis angka 0 sampai %(most)s.", most=RETURNS_MOST)))
    added = days_of(typed.get("libur", ""), "libur", _("Tambahan hari libur"), problems)
    removed = days_of(typed.get("masuk", ""), "masuk", _("Hari libur yang menjadi hari kerja"), problems)
    return Asked(
        start=start,
        year=year,
        returns=returns or 0,
        week=typed.get("minggu", "") if typed.get("minggu") in WEEKS else WEEKS[0],
        others=typed.get("minggu_lain", "") if typed.get("minggu_lain") in WEEKS else WEEKS[0],
        added=tuple(Holiday(date=day, name=name or _("Hari libur"), kind="libur_lain") for day, name in added),
        removed=tuple(day for day, _name in removed),
        norms=norms_of(plan.definition, typed, problems),
        typed=typed,
        problems=tuple(problems),
    )


def read_start(typed: Mapping[str, str], zone: str, usual: datetime, problems: list[Problem]) -> datetime:
    try:
        day, clock = date.fromisoformat(typed["mulai"]), time.fromisoformat(typed["pukul"] or "00:00")
        if clock.tzinfo is not None:
            raise ValueError("a zone")
    except ValueError:
        problems.append(Problem("mulai", _("Mulai: tulis tanggal dan pukul, misalnya 2027-01-04 dan 07:30.")))
        return usual
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        message = _("Mulai: tulis tahun antara %(a)s dan %(b)s.", a=FIRST_YEAR, b=LAST_YEAR)
        problems.append(Problem("mulai", message))
        return usual
    return datetime.combine(day, clock, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def whole(text: str, least: int, most: int) -> int | None:
    """A whole number within bounds, None for anything else."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 and least <= int(text) <= most else None


def days_of(text: str, place: str, label: str, problems: list[Problem]) -> list[tuple[date, str]]:
    """The days of a text with one a line, `2027-02-05 Cuti bersama`; a line that is none is said with its number."""
    found: dict[date, str] = {}
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if len(lines) > HOLIDAYS_MOST:
        problems.append(Problem(place, _("%(label)s: paling banyak %(most)s baris.", label=label, most=HOLIDAYS_MOST)))
        return []
    for number, line in lines:
        written, _blank, name = line.partition(" ")
        try:
            day = date.fromisoformat(written)
            if len(written) != 10 or not FIRST_YEAR <= day.year <= LAST_YEAR + 1:
                raise ValueError(written)
        except ValueError:
            message = _(
                '%(label)s, baris %(n)s: "%(line)s" bukan tanggal. Tulis misalnya 2027-02-05 Cuti bersama.',
                label=label,
                n=number,
                line=line[:40],
            )
            problems.append(Problem(place, message))
            continue
        found[day] = name.strip()[:LINE_MOST]
    return list(found.items())


def norms_of(definition: ProcessDefinition, typed: Mapping[str, str], problems: list[Problem]) -> dict[str, str]:
    """User task -> the norm that is supposed for it, of those that differ from the SOP's."""
    found = {}
    for element in definition.user_tasks:
        text, drawn = typed.get(f"norma.{element.id}", "").strip(), sop.norm(definition, element)
        if not text or not drawn or text == sop.in_words(drawn):
            continue
        duration = whatif.duration_of(text)
        if duration is None:
            message = _(
                'Waktu langkah %(n)s: "%(text)s" tidak terbaca. Tulis misalnya 20 hari atau 120 menit, '
                "paling lama %(most)s hari.",
                n=element.number or element.name,
                text=text[:40],
                most=whatif.NORM_DAYS_MOST,
            )
            problems.append(Problem(f"norma.{element.id}", message))
        elif duration != drawn:
            found[element.id] = duration
    # The longest plan that may be asked for is bounded, so that the answer never takes long.
    drawn_days = {one.id: days_in(sop.norm(definition, one)) for one in definition.user_tasks}
    if found and sum((drawn_days | {id: days_in(one) for id, one in found.items()}).values()) > TOGETHER_MOST:
        message = _("Waktu seluruh langkah bersama-sama paling lama %(most)s hari kerja.", most=TOGETHER_MOST)
        problems.append(Problem(f"norma.{next(iter(found))}", message))
    return found


def days_in(duration: str) -> float:
    """How many working days a norm is, about; none of one that is no fixed duration."""
    try:
        length = calendars.parse_duration(duration, weeks=True)
    except CalendarError:
        return 0.0
    return length.days + length.microseconds / calendars.MINUTE / words.WORKDAY_MINUTES


def suppose(present: Plan, asked: Asked) -> Plan:
    """The plan with what is asked of it; the present one, where nothing of its calendars and norms differs."""
    elsewhere = {lane.id for lane in present.definition.lanes if lane.other_office}
    supposed: dict[str, Calendar] = {}
    for lane, sha256 in present.calendars.items():
        week, own = asked.others if lane in elsewhere else asked.week, present.rules.calendar(sha256)
        calendar = own if week == WEEKS[0] else replace(calendars.PRESETS[week](), zone=own.zone)
        supposed[lane] = whatif.with_days(calendar, asked.added, asked.removed)
    definition = whatif.with_norms(present.definition, asked.norms)
    rules = whatif.Supposed(present.rules, definition, present.definition.sha256, supposed.values())
    return Plan(rules=rules, definition=definition, calendars={lane: one.sha256 for lane, one in supposed.items()})


@dataclass(frozen=True, kw_only=True)
class Returned:
    """A line of the table of returns: what a start on the first working day comes to, and by when to start."""

    returns: int
    finish: datetime
    late: int  # working days
    latest_start: datetime | None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What the calendar of the deadline's year allows at all."""

    start: datetime  # the first working minute of that year
    rows: tuple[Returned, ...]
    sentence: str


def finding(plan: Plan, year: int | None, zone: str) -> Finding | None:
    """A start in the first working minute of the year of the deadline, with no, one and two returns, in words."""
    if year is None or plan.definition.deadline is None:
        return None
    start = calendars.next_opening(datetime(year + 1, 1, 1, tzinfo=ZoneInfo(zone)), plan.unit)
    rows = []
    for returns in range(3):
        one = plan.run(start, year, returns)
        if one.finish is None:
            return None
        rows.append(
            Returned(returns=returns, finish=one.finish, late=one.late_by_working_days, latest_start=one.latest_start)
        )
    first, said = rows[0], {"start": words.full(start, zone), "finish": words.full(rows[0].finish, zone)}
    if first.late:
        sentence = ngettext(
            "Dimulai pada menit kerja pertama tahun itu (%(start)s) pun, tanpa satu pengembalian, dokumen baru "
            "disampaikan %(finish)s: terlambat %(num)s hari kerja.",
            "Dimulai pada menit kerja pertama tahun itu (%(start)s) pun, tanpa satu pengembalian, dokumen baru "
            "disampaikan %(finish)s: terlambat %(num)s hari kerja.",
            first.late,
            **said,
        )
    else:
        sentence = _(
            "Dimulai pada menit kerja pertama tahun itu (%(start)s), tanpa pengembalian, dokumen disampaikan "
            "%(finish)s: tepat waktu.",
            **said,
        )
    if first.latest_start:
        by = words.full(first.latest_start, zone)
        sentence += " " + _("Agar tepat waktu tanpa pengembalian, mulai paling lambat %(at)s.", at=by)
    return Finding(start=start, rows=tuple(rows), sentence=sentence)


def moved(found: Forecast, before: Forecast, calendar: Calendar, zone: str) -> str:
    """By how much the end moves against the present plan."""
    end, was = found.finish or found.instance_finish, before.finish or before.instance_finish
    at = words.full(was, zone)
    if end == was:
        return str(_("Selesai pada saat yang sama dengan rencana sekarang (%(at)s).", at=at))
    days = calendars.working_days_between(min(end, was), max(end, was), calendar)
    length = (
        ngettext("%(num)s hari kerja", "%(num)s hari kerja", days)
        if days
        else words.working(calendars.working_minutes(min(end, was), max(end, was), calendar))
    )
    if end > was:
        return str(_("%(length)s lebih lambat daripada rencana sekarang (%(at)s).", length=length, at=at))
    return str(_("%(length)s lebih cepat daripada rencana sekarang (%(at)s).", length=length, at=at))


def undecreed(plan: Plan, found: Forecast) -> tuple[int, ...]:
    """The years of a plan for which its calendar knows no cuti bersama: not decreed yet, or not entered."""
    years = {one.year for each in found.passes for one in (each.start, each.end)}
    return calendars.years_without_cuti_bersama(years, plan.unit)
