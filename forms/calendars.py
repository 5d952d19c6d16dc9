"""Pengaturan, Kalender: when each unit works; and for everybody the page that counts a due date, to be checked by hand.

A form changes one thing of a unit's calendar: its week, a season, a holiday, its confirmation. It says which version it
was drawn from, shows what would move before anything is saved, and asks why. What was typed is kept on every way back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import groupby, pairwise
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import format_date, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Connection

from engine import calendars as working
from engine import organisation as org
from engine import recalendar
from engine.calendars import HOLIDAY_KINDS, Calendar, CalendarError, Holiday, Hours, Season, Week
from engine.definition import ProcessDefinition
from engine.events import DueDatesMoved, IncidentRaised
from engine.instance import Problem, ProcessInstance, Refused, Step, UserTask
from engine.organisation import wrong
from engine.store import definitions, instances
from engine.store import organisation as store

from . import words
from .admin import Form, Input, admin, administrator, answer, choice, deployed, form_id, found, reading_words
from .session import me, office, tell

SPELLS = 3  # inputs of a day
LONGEST_NAME, LONGEST_BASIS = 120, 300
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
VERSIONS_SHOWN = 20
MOVED_SHOWN = 60  # due dates of a preview
DAYS_SHOWN = 400  # of a calculation
KINDS = {
    "libur_nasional": _l("Libur nasional"),
    "cuti_bersama": _l("Cuti bersama"),
    "libur_daerah": _l("Libur daerah"),
    "libur_lain": _l("Libur lain"),
}
PRESETS = {
    "lima_hari": _l("Lima hari kerja, Senin sampai Jumat (Perpres 21/2023)"),
    "enam_hari": _l("Enam hari kerja, Senin sampai Sabtu (Perbup Rembang 46/2017)"),
}
WEEK_BEGINS = date(2024, 1, 1)  # a Monday, to say the names of the days


# A calendar in words


def day_name(weekday: int) -> str:
    """`Senin` of 0."""
    return format_date(WEEK_BEGINS + timedelta(days=weekday), "EEEE")


def clock(at: time) -> str:
    return words.clock(datetime.combine(WEEK_BEGINS, at))


def hours_words(hours: Hours) -> str:
    """`07.30–12.00, 13.00–16.00`; `libur` of none."""
    return ", ".join(f"{clock(opens)}–{clock(closes)}" for opens, closes in hours) or _("libur")


def week_lines(week: Week) -> list[tuple[str, str]]:
    """[(`Senin–Kamis`, `07.30–12.00, 13.00–16.00`), (`Jumat`, ...)]: equal days in a row are one."""
    lines = []
    for hours, some in groupby(range(7), key=lambda n: week[n]):
        days = list(some)
        name = day_name(days[0]) if len(days) == 1 else f"{day_name(days[0])}–{day_name(days[-1])}"
        lines.append((name, hours_words(hours)))
    return lines


def week_words(week: Week) -> str:
    return "; ".join(f"{days} {hours}" for days, hours in week_lines(week))


def minutes_a_week(week: Week) -> int:
    clocks = [(a.hour * 60 + a.minute, b.hour * 60 + b.minute) for hours in week for a, b in hours]
    return sum(closes - opens for opens, closes in clocks)


def hours_a_week(week: Week) -> str:
    """`37,5 jam seminggu`."""
    hours, minutes = divmod(minutes_a_week(week), 60)
    return (
        _("%(hours)s jam %(minutes)s menit seminggu", hours=hours, minutes=minutes)
        if minutes
        else _("%(hours)s jam seminggu", hours=hours)
    )


def zone_words(zone: str) -> str:
    return f"{org.ZONES.get(zone, zone)} ({zone})"


def season_words(season: Season) -> str:
    return _(
        "%(name)s, %(first)s sampai %(last)s",
        name=season.name,
        first=words.short_day(season.first),
        last=words.short_day(season.last),
    )


def holiday_words(one: Holiday) -> str:
    return f"{words.short_day(one.date)}, {one.name} ({str(KINDS[one.kind]).lower()})"


def differences(before: Calendar | None, after: Calendar, short: bool = False) -> list[str]:
    """What changed from one version to the next, in sentences. short: many holidays of a year become one line."""
    if before is None:
        told = [
            _("Kalender pertama: %(title)s.", title=after.title),
            _("Jam kerja: %(week)s.", week=week_words(after.week)),
        ]
        return [*told, *holiday_differences((), after.holidays, short=True)]
    told = []
    if before.title != after.title:
        told.append(_("Nama: %(old)s menjadi %(new)s.", old=before.title, new=after.title))
    if before.zone != after.zone:
        told.append(_("Zona waktu: %(old)s menjadi %(new)s.", old=zone_words(before.zone), new=zone_words(after.zone)))
    told += week_differences(before.week, after.week)
    told += season_differences(before.seasons, after.seasons)
    told += holiday_differences(before.holidays, after.holidays, short)
    if before.legal_basis != after.legal_basis:
        told.append(
            _(
                "Dasar hukum: %(old)s menjadi %(new)s.",
                old=before.legal_basis or _("belum diisi"),
                new=after.legal_basis or _("belum diisi"),
            )
        )
    if before.confirmed != after.confirmed:
        told.append(_("Kalender dikonfirmasi.") if after.confirmed else _("Kalender menjadi belum dikonfirmasi."))
    return told


def week_differences(before: Week, after: Week) -> Iterator[str]:
    for n in range(7):
        if before[n] != after[n]:
            yield _(
                "%(day)s: %(old)s menjadi %(new)s.",
                day=day_name(n),
                old=hours_words(before[n]),
                new=hours_words(after[n]),
            )


def season_differences(before: Sequence[Season], after: Sequence[Season]) -> Iterator[str]:
    old, new = {one.name: one for one in before}, {one.name: one for one in after}
    for name, one in old.items():
        if name not in new:
            yield _("Menghapus masa %(season)s.", season=season_words(one))
    for name, one in new.items():
        was = old.get(name)
        if was is None:
            yield _("Menambah masa %(season)s: %(week)s.", season=season_words(one), week=week_words(one.week))
            continue
        if (was.first, was.last) != (one.first, one.last):
            yield _("Masa %(old)s menjadi %(new)s.", old=season_words(was), new=season_words(one))
        if was.week != one.week:
            yield _("Jam kerja %(name)s menjadi %(week)s.", name=name, week=week_words(one.week))
        if was.legal_basis != one.legal_basis:
            yield _("Dasar hukum %(name)s menjadi %(basis)s.", name=name, basis=one.legal_basis or _("belum diisi"))


def holiday_differences(before: Iterable[Holiday], after: Iterable[Holiday], short: bool = False) -> Iterator[str]:
    old, new = {one.date: one for one in before}, {one.date: one for one in after}
    for at in sorted(old.keys() - new.keys()):
        yield _("Menghapus libur %(holiday)s.", holiday=holiday_words(old[at]))
    added = sorted(new.keys() - old.keys())
    for year, some in groupby(added, key=lambda at: at.year):
        days = list(some)
        if short and len(days) > 5:
            kinds = {kind: sum(new[at].kind == kind for at in days) for kind in HOLIDAY_KINDS}
            what = ", ".join(f"{count} {str(KINDS[kind]).lower()}" for kind, count in kinds.items() if count)
            yield _("Menambah %(count)s hari libur tahun %(year)s: %(what)s.", count=len(days), year=year, what=what)
        else:
            yield from (_("Menambah libur %(holiday)s.", holiday=holiday_words(new[at])) for at in days)
    for at in sorted(old.keys() & new.keys()):
        if old[at] != new[at]:
            if (old[at].name, old[at].kind) != (new[at].name, new[at].kind):
                yield _("Libur %(old)s menjadi %(new)s.", old=holiday_words(old[at]), new=holiday_words(new[at]))
            if old[at].legal_basis != new[at].legal_basis:
                yield _(
                    "Dasar hukum libur %(day)s menjadi %(basis)s.",
                    day=words.short_day(at),
                    basis=new[at].legal_basis or _("belum diisi"),
                )
            if old[at].source != new[at].source:
                yield _(
                    "Sumber libur %(day)s menjadi %(source)s.",
                    day=words.short_day(at),
                    source=new[at].source or _("belum diisi"),
                )


# What was typed

CLOCK = re.compile(r"(\d{1,2})[.:](\d{2})|(\d{1,2})(\d{2})|(\d{1,2})")
BETWEEN = re.compile(r"\s*(?:-|–|—|s\.?\s?d\.?|sampai|hingga)\s*", re.IGNORECASE)


def clock_of(text: str) -> time | None:
    """The time of `07.30`, `7:30`, `0730` or `7`; None of anything else."""
    match = CLOCK.fullmatch(text.strip())
    if not match:
        return None
    hour, minute = match[1] or match[3] or match[5], match[2] or match[4] or "0"
    return time(int(hour), int(minute)) if int(hour) < 24 and int(minute) < 60 else None


def spell_of(text: str) -> tuple[time, time] | None:
    """The spell of work of `07.30-12.00`; None of anything else."""
    parts = [clock_of(part) for part in BETWEEN.split(text.strip())]
    if len(parts) != 2 or parts[0] is None or parts[1] is None:
        return None
    return parts[0], parts[1]


def hours_of(typed: Iterable[str]) -> Hours:
    """The hours of a day as typed into its inputs. Raises ValueError with a sentence."""
    spells = []
    for text in (part for one in typed for part in re.split(r"[;,]", one) if part.strip()):
        spell = spell_of(text)
        if spell is None:
            raise ValueError(_("“%(text)s” bukan jam kerja. Contoh: 07.30-12.00.", text=text.strip()[:40]))
        if spell[1] <= spell[0]:
            raise ValueError(_("%(text)s berakhir sebelum mulai.", text=text.strip()[:40]))
        spells.append(spell)
    for (_opens, closes), (opens, _closes) in pairwise(spells):
        if opens <= closes:
            raise ValueError(
                _("jam %(opens)s mulai sebelum jam sebelumnya berakhir (%(closes)s).", opens=clock(opens),
                  closes=clock(closes))
            )  # fmt: skip
    return tuple(spells)


def week_of(typed: Mapping[str, str]) -> Week:
    """The week of the inputs `jam.DAY.SPELL`. Raises Refused with a problem for each day that is wrong."""
    days: list[Hours] = []
    problems = []
    for day in range(7):
        try:
            days.append(hours_of(typed.get(f"jam.{day}.{spell}", "") for spell in range(SPELLS)))
        except ValueError as error:
            days.append(())
            problems.append(Problem(f"jam.{day}", f"{day_name(day)}: {error}"))
    if not problems and not any(days):
        problems.append(Problem("jam.0", _("Isi jam kerja paling sedikit satu hari.")))
    if problems:
        raise Refused("wrong", _("Jam kerja belum dapat dibaca."), tuple(problems))
    return (days[0], days[1], days[2], days[3], days[4], days[5], days[6])


def week_typed(week: Week) -> dict[str, str]:
    """The inputs `jam.DAY.SPELL` that say a week; more spells than inputs share the last."""
    typed: dict[str, str] = {}
    for day, hours in enumerate(week):
        said = [f"{clock(opens)}-{clock(closes)}" for opens, closes in hours]
        shown = [*said[: SPELLS - 1], ", ".join(said[SPELLS - 1 :])] if len(said) > SPELLS else said
        typed |= {f"jam.{day}.{spell}": text for spell, text in enumerate(shown)}
    return typed


def line(typed: Mapping[str, str], name: str, label: str, most: int, required: bool = True) -> str:
    """A line of text. Raises Refused at its input."""
    text = " ".join(typed.get(name, "").split())
    if required and not text:
        raise wrong(name, _("%(label)s: belum diisi.", label=label))
    if len(text) > most:
        raise wrong(
            name, _("%(label)s: terlalu panjang, %(count)s dari %(most)s.", label=label, count=len(text), most=most)
        )
    return text


def day_of(typed: Mapping[str, str], name: str, label: str) -> date:
    """A date. Raises Refused at its input."""
    try:
        found = date.fromisoformat(typed.get(name, "").strip())
    except ValueError:
        raise wrong(name, _("%(label)s: bukan tanggal yang benar. Contoh: 2027-02-05.", label=label)) from None
    if not FIRST_DAY <= found <= LAST_DAY:
        raise wrong(name, _("%(label)s: pilih tanggal antara tahun 2000 dan 2100.", label=label))
    return found


# A unit and its calendar, as a page sees them


@dataclass(frozen=True)
class Sight:
    """A unit, and the calendar that it counts in now."""

    unit: org.Unit
    calendar: Calendar | None

    @cached_property
    def sha256(self) -> str:
        return self.calendar.sha256 if self.calendar else ""

    @property
    def address(self) -> str:
        return url_for("admin.calendar", unit=self.unit.id)


def sight_of(db: Connection, unit: str) -> Sight:
    one = store.unit_of(db, unit) or abort(404)
    sha256 = definitions.calendar_of(db, unit)
    return Sight(one, office().rules.calendar(sha256) if sha256 else None)


def sight_of_unit(unit: str) -> Sight:
    with office().database.read() as db:
        return sight_of(db, unit)


def years_missing(db: Connection) -> dict[str, tuple[int, ...]]:
    """Unit -> the years in use whose cuti bersama nobody has entered."""
    return recalendar.without_cuti_bersama(db, office().rules, office().now())


def years_words(years: Iterable[int]) -> str:
    return org.listed(map(str, years))


@admin.get("/kalender")
def calendars() -> str:
    """Every unit with its calendar, and what is missing."""
    with office().database.read() as db:
        missing = years_missing(db)
        rows = [(sight_of(db, one.id), missing.get(one.id, ())) for one in store.units(db)]
    return render_template("admin/calendars.html", rows=rows, years_words=years_words, week_lines=week_lines)


@admin.get("/kalender/<unit>")
def calendar(unit: str) -> str:
    """One unit's calendar: hours, seasons, the holidays of a year, what is confirmed, every version."""
    with office().database.read() as db:
        sight = sight_of(db, unit)
        missing = years_missing(db).get(unit, ())
        told = recalendar.history(db, office().rules, unit)
        names = store.names(db, [one.person for one, _before, _after in told])
        readings = [*readings_of(db, unit)]
        in_use = recalendar.years_in_use(db, office().now())
    holidays = sight.calendar.holidays if sight.calendar else ()
    years = sorted({one.date.year for one in holidays} | set(in_use))
    year = request.args.get("tahun", org.local_date(office().now(), sight.unit.zone).year, type=int)
    shown = told if request.args.get("riwayat") == "semua" else told[:VERSIONS_SHOWN]
    return render_template(
        "admin/calendar.html",
        sight=sight,
        missing=missing,
        years_words=years_words,
        years=years,
        year=year,
        holidays=[one for one in holidays if one.date.year == year],
        kinds=KINDS,
        week_lines=week_lines,
        hours_a_week=hours_a_week,
        zone=zone_words(sight.calendar.zone) if sight.calendar else "",
        readings=readings,
        history=[
            (one, names.get(one.person, _("Sistem")), differences(before, after, short=True))
            for one, before, after in shown
        ],
        older=len(told) - len(shown),
        day_name=day_name,
    )


# One change: the form, what it would do, and doing it

LEFT_OUT = frozenset({"csrf_token", "key", "oleh", "tahap", "versi"})
Typed = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Page:
    """A form that changes one thing of a calendar."""

    title: str
    change: Callable[[Calendar | None, Typed], Calendar]  # raises Refused at an input
    drawn: Callable[[Calendar | None], dict[str, str]] = lambda _now: {}  # what the inputs hold at first
    inputs: tuple[Input, ...] = ()
    week: bool = False  # whether it asks for the hours of a week
    lead: str = ""


@dataclass(frozen=True)
class Moved:
    """An open user task whose limit moves."""

    title: str
    step: str  # "5 · Memperbaiki"
    in_words: str  # "langkah 5, Memperbaiki"
    lane: str
    before: datetime
    late_at: datetime
    address: str


def moved(instance: ProcessInstance, step: Step) -> Iterator[Moved]:
    """The open user tasks whose limit a Step moves; where only the word to the superior moves, nobody need look."""
    definition = office().rules.definition(instance.definition)
    for event in step.events:
        if isinstance(event, DueDatesMoved):
            task: UserTask | None = instance.user_tasks.get(event.user_task)
            before, late_at = event.late_before, event.late_at
            if task is None or before is None or late_at is None or late_at == before:  # finished; or its limit stands
                continue
            element, lane = definition.elements[task.element], definition.lane(task.lane)
            yield Moved(
                title=instances.title(definition, instance),
                in_words=words.step_name(definition, task.element),
                step=f"{element.number} · {element.name}" if element.number else element.name,
                lane=lane.name if lane else task.lane,
                before=before,
                late_at=late_at,
                address=url_for("processes.page", id=instance.id),
            )


def edited(sight: Sight, page: Page) -> Any:
    """The form; what it would do; or, once that was seen, the publication and the next page."""
    if request.method == "GET":
        return form_page(sight, page, page.drawn(sight.calendar))
    typed = {name: value for name, value in request.form.items() if name not in LEFT_OUT}
    stage, versi = request.form.get("tahap", ""), request.form.get("versi", "")
    if stage != "simpan" and versi != sight.sha256:
        return stale(sight, page, typed, versi)
    if stage == "ubah":
        return form_page(sight, page, typed)
    try:
        before = office().rules.calendar(versi) if versi else None
    except LookupError:
        abort(400)
    try:
        after = changed(page, before, typed)
        if stage == "simpan":
            return publish(sight, page, after, typed, versi)
        with office().database.read() as db:
            rehearsal = recalendar.rehearse(db, office().rules, sight.unit.id, after, office().now())
    except Refused as refused:
        if refused.code == "stale":
            return stale(sight_of_unit(sight.unit.id), page, typed, versi)
        return form_page(sight, page, typed, refused.problems or (Problem("alasan", str(refused)),))
    due_dates = [one for instance, step in rehearsal.steps for one in moved(instance, step)]
    due_dates.sort(key=lambda one: (one.before, one.title))
    return render_template(
        "admin/calendar_preview.html",
        sight=sight,
        page=page,
        told=differences(before, after),
        moved=due_dates[:MOVED_SHOWN],
        count=len(due_dates),
        instances=len(rehearsal.steps),
        more=rehearsal.more,
        broken=sum(any(isinstance(e, IncidentRaised) for e in step.events) for _i, step in rehearsal.steps),
        carrying=list(typed.items()),
        reason=typed.get("alasan", ""),
    )


def changed(page: Page, before: Calendar | None, typed: Typed) -> Calendar:
    """The calendar as it was typed. Raises Refused, with every problem at its input."""
    try:
        after = page.change(before, typed)
    except Refused as refused:
        lacks = () if typed.get("alasan", "").strip() else (Problem("alasan", _("Alasan: belum diisi.")),)
        raise Refused(refused.code, str(refused), (*refused.problems, *lacks)) from refused
    except CalendarError as error:  # what the inputs did not catch one by one
        raise Refused("wrong", str(error)) from error
    recalendar.judge(after, typed.get("alasan", ""))
    if after == before:
        raise Refused("wrong", _("Isian ini sama dengan kalender sekarang. Ubah sesuatu, atau kembali."))
    return after


def publish(sight: Sight, page: Page, after: Calendar, typed: Typed, versi: str) -> Any:
    told_at = office().told_at
    done = recalendar.publish(
        office().database,
        office().rules,
        sight.unit.id,
        after,
        actor=administrator(),
        reason=typed["alasan"],
        command_id=form_id(),
        at=told_at() if told_at else None,
        over=versi,
    )
    tell(_("Kalender %(unit)s sudah disimpan.", unit=sight.unit.name) + " " + what_moved(done))
    return redirect(sight.address, 303)


def what_moved(done: recalendar.Published) -> str:
    """What a publication did, in a sentence or two."""
    found: list[Moved] = []
    with office().database.read() as db:
        for id, step in done.moved:
            instance = instances.load(db, id)
            if instance is not None:
                found += moved(instance, step)
    found.sort(key=lambda one: (one.before, one.title))
    left = (
        " "
        + ngettext(
            "%(num)s berkas proses belum dapat dihitung ulang; akan dicoba lagi.",
            "%(num)s berkas proses belum dapat dihitung ulang; akan dicoba lagi.",
            len(done.left),
        )
        if done.left
        else ""
    )
    if not found:
        return _("Tidak ada batas waktu tugas terbuka yang bergeser.") + left
    zone, now = me().zone, office().now()
    listed = "; ".join(
        _(
            "%(title)s, %(step)s: %(old)s menjadi %(new)s",
            title=one.title,
            step=one.in_words,
            old=words.near(one.before, now, zone),
            new=words.near(one.late_at, now, zone),
        )
        for one in found[:3]
    )
    more = _("; dan %(n)s lainnya", n=len(found) - 3) if len(found) > 3 else ""
    count = ngettext(
        "Batas waktu %(num)s tugas terbuka bergeser: ", "Batas waktu %(num)s tugas terbuka bergeser: ", len(found)
    )
    return f"{count}{listed}{more}.{left}"


def form_page(
    sight: Sight, page: Page, typed: Mapping[str, str], problems: Sequence[Problem] = (), note: Sequence[str] = ()
) -> Any:
    body = render_template(
        "admin/calendar_form.html",
        sight=sight,
        page=page,
        typed=typed,
        problems=problems,
        note=note,
        day_name=day_name,
        spells=SPELLS,
        why=Input(name="alasan", label=_("Alasan perubahan"), hint=_("Tercatat dalam riwayat kalender.")),
    )
    return body, 409 if note else 422 if problems else 200


def stale(sight: Sight, page: Page, typed: Mapping[str, str], versi: str) -> Any:
    """Somebody was quicker: the form with what was typed, and what they changed."""
    with office().database.read() as db:
        told = recalendar.history(db, office().rules, sight.unit.id)
        names = store.names(db, [one.person for one, _before, _after in told])
    note = []
    for one, before, after in told:
        if one.sha256 == versi:
            break
        said = " ".join(differences(before, after, short=True))
        note.append(
            _(
                "%(who)s, %(when)s: %(what)s",
                who=names.get(one.person, _("Sistem")),
                when=words.near(one.at, office().now(), me().zone),
                what=said,
            )
        )
    return form_page(sight, page, typed, note=note or [_("Versi yang Anda buka tidak dikenal.")])


def must_stand(calendar: Calendar | None) -> Calendar:
    """The calendar; without one there is nothing to change yet."""
    if calendar is None:
        raise Refused("wrong", _("Unit ini belum mempunyai kalender. Mulailah dari pola jam kerja."))
    return calendar


def with_calendar(unit: str) -> Sight:
    sight = sight_of_unit(unit)
    return sight if sight.calendar else abort(404)


# Its week


@admin.route("/kalender/<unit>/pola", methods=["GET", "POST"])
def calendar_preset(unit: str) -> Any:
    """Start from a preset: its week and its seasons; the holidays that were entered stay."""

    def change(before: Calendar | None, typed: Typed) -> Calendar:
        if typed.get("pola") not in PRESETS:
            raise wrong("pola", _("Pola jam kerja: belum dipilih."))
        preset = working.PRESETS[typed["pola"]]()
        if before is None:
            return replace(preset, zone=sight.unit.zone)
        return replace(preset, zone=before.zone, holidays=before.holidays)

    sight = sight_of_unit(unit)
    return edited(
        sight,
        Page(
            title=_("Pola jam kerja %(unit)s", unit=sight.unit.name),
            lead=_(
                "Jam kerja dan jam Ramadan diganti menurut pola ini. Hari libur yang sudah tercatat tetap. Sesudahnya "
                "kalender perlu dikonfirmasi."
            )
            if sight.calendar
            else _("Pola memuat jam kerja, jam Ramadan, dan hari libur nasional. Semuanya dapat diubah kemudian."),
            drawn=lambda calendar: {"pola": calendar.name if calendar else ""},
            change=change,
            inputs=(
                Input(
                    name="pola",
                    label=_("Pola jam kerja"),
                    kind="select",
                    options=choice(((name, str(title)) for name, title in PRESETS.items()), _("Pilih pola")),
                    hint=" ".join(
                        f"{PRESETS[name]}: {week_words(make().week)}." for name, make in working.PRESETS.items()
                    ),
                ),
            ),
        ),
    )


@admin.route("/kalender/<unit>/jam", methods=["GET", "POST"])
def calendar_week(unit: str) -> Any:
    """The working week, the zone and the name. A confirmed calendar whose hours change has to be confirmed again."""

    def drawn(calendar: Calendar | None) -> dict[str, str]:
        one = must_stand(calendar)
        return {"judul": one.title, "zona": one.zone, **week_typed(one.week)}

    def change(before: Calendar | None, typed: Typed) -> Calendar:
        one, title, week = must_stand(before), None, None
        problems: list[Problem] = []
        try:
            title = line(typed, "judul", _("Nama kalender"), LONGEST_NAME)
        except Refused as refused:
            problems += refused.problems
        if typed.get("zona") not in org.ZONES:
            problems.append(Problem("zona", _("Zona waktu: pilih dari daftar.")))
        try:
            week = week_of(typed)
        except Refused as refused:
            problems += refused.problems
        if problems or title is None or week is None:
            raise Refused("wrong", _("Ada isian yang belum benar."), tuple(problems))
        same = week == one.week and typed["zona"] == one.zone
        return replace(one, title=title, zone=typed["zona"], week=week, confirmed=one.confirmed and same)

    sight = with_calendar(unit)
    return edited(
        sight,
        Page(
            title=_("Jam kerja %(unit)s", unit=sight.unit.name),
            inputs=(
                Input(name="judul", label=_("Nama kalender")),
                Input(
                    name="zona",
                    label=_("Zona waktu"),
                    kind="select",
                    options=tuple((zone, zone_words(zone)) for zone in org.ZONES),
                ),
            ),
            week=True,
            drawn=drawn,
            change=change,
            lead=_(
                "Tulis jam kerja setiap hari, istirahat di antaranya. Kosongkan untuk hari libur mingguan. Jam boleh "
                "ditulis 07.30-12.00, 7:30-12:00, atau 0730-1200."
            ),
        ),
    )


def collecting(problems: list[Problem]) -> Callable[[Callable[[], Any]], Any]:
    """Reads one thing that was typed; what is wrong with it goes to `problems`, so that all are told at once."""

    def read(what: Callable[[], Any]) -> Any:
        try:
            return what()
        except Refused as refused:
            problems.extend(refused.problems)
            return None

    return read


# Seasons


@admin.route("/kalender/<unit>/masa/<name>", methods=["GET", "POST"])
def calendar_season(unit: str, name: str) -> Any:
    """Days with other hours, such as Ramadan. name: its first day (2027-02-08), or `baru`."""
    sight = with_calendar(unit)
    new = name == "baru"
    if not new and request.method == "GET" and season_named(sight.calendar, name) is None:
        abort(404)

    def drawn(calendar: Calendar | None) -> dict[str, str]:
        one = season_named(calendar, name)
        if one is None:
            near = max((calendar.seasons if calendar else ()), key=lambda season: season.first, default=None)
            return week_typed(near.week if near else must_stand(calendar).week)
        return {
            "nama": one.name,
            "awal": one.first.isoformat(),
            "akhir": one.last.isoformat(),
            "dasar": one.legal_basis,
            **week_typed(one.week),
        }

    def change(before: Calendar | None, typed: Typed) -> Calendar:
        calendar = must_stand(before)
        was = season_named(calendar, name)
        if was is None and not new:
            raise Refused("wrong", _("Masa ini sudah dihapus."))
        problems: list[Problem] = []
        read = collecting(problems)
        title = read(lambda: line(typed, "nama", _("Nama"), LONGEST_NAME))
        first = read(lambda: day_of(typed, "awal", _("Hari pertama")))
        last = read(lambda: day_of(typed, "akhir", _("Hari terakhir")))
        basis = read(lambda: line(typed, "dasar", _("Dasar hukum"), LONGEST_BASIS, required=False))
        week = read(lambda: week_of(typed))
        rest = [one for one in calendar.seasons if one != was]
        if first and last and last < first:
            problems.append(Problem("akhir", _("Hari terakhir: sebelum hari pertama.")))
        elif first and last:
            over = next((one for one in rest if one.first <= last and first <= one.last), None)
            if over:
                problems.append(
                    Problem("awal", _("Hari pertama: bertumpuk dengan %(season)s.", season=season_words(over)))
                )
        if title and any(one.name == title for one in rest):
            problems.append(Problem("nama", _("Nama: sudah dipakai masa lain.")))
        if problems:
            raise Refused("wrong", _("Ada isian yang belum benar."), tuple(problems))
        one = Season(name=title, first=first, last=last, week=week, legal_basis=basis)
        return replace(calendar, seasons=(*rest, one))

    return edited(
        sight,
        Page(
            title=_("Tambah masa dengan jam kerja lain") if new else _("Ubah masa dengan jam kerja lain"),
            inputs=(
                Input(name="nama", label=_("Nama"), hint=_("Contoh: Ramadan 1449 H.")),
                Input(name="awal", label=_("Hari pertama"), kind="date"),
                Input(name="akhir", label=_("Hari terakhir"), kind="date", hint=_("Termasuk hari itu.")),
                Input(
                    name="dasar",
                    label=_("Dasar hukum"),
                    required=False,
                    hint=_("Nomor surat edaran jam kerja pada masa itu."),
                ),
            ),
            week=True,
            drawn=drawn,
            change=change,
            lead=_("Misalnya Ramadan: nama, hari pertama dan terakhir menurut penetapan, dan jam kerjanya."),
        ),
    )


def season_named(calendar: Calendar | None, first: str) -> Season | None:
    return next((one for one in calendar.seasons if one.first.isoformat() == first), None) if calendar else None


@admin.route("/kalender/<unit>/masa/<name>/hapus", methods=["GET", "POST"])
def calendar_season_away(unit: str, name: str) -> Any:
    return taken_out(
        unit,
        lambda calendar: season_named(calendar, name),
        lambda calendar: replace(calendar, seasons=tuple(s for s in calendar.seasons if s.first.isoformat() != name)),
        lambda one: _("Hapus %(season)s", season=season_words(one)) if one else _("Hapus masa ini"),
        _("Hari-hari itu kembali dihitung dengan jam kerja biasa."),
    )


def taken_out(
    unit: str,
    look_up: Callable[[Calendar | None], Any],
    without: Callable[[Calendar], Calendar],
    title: Callable[[Any], str],
    lead: str,
) -> Any:
    """The page that takes a season or a holiday out of a calendar; where it is not there any more, its form may still
    be sent again."""
    sight = with_calendar(unit)
    one = look_up(sight.calendar)
    if one is None and request.method == "GET":
        abort(404)
    return edited(
        sight, Page(title=title(one), lead=lead, change=lambda before, _typed: without(must_stand(before)))
    )


# Holidays


@admin.route("/kalender/<unit>/libur/<name>", methods=["GET", "POST"])
def calendar_holiday(unit: str, name: str) -> Any:
    """One holiday. name: its date (2027-02-05), or `baru`."""
    sight = with_calendar(unit)
    new = name == "baru"
    if not new and request.method == "GET" and holiday_on(sight.calendar, name) is None:
        abort(404)

    def drawn(calendar: Calendar | None) -> dict[str, str]:
        one = holiday_on(calendar, name)
        if one is None:
            return {"jenis": "libur_daerah"}
        return {
            "tanggal": one.date.isoformat(),
            "nama": one.name,
            "jenis": one.kind,
            "dasar": one.legal_basis,
            "sumber": one.source,
        }

    def change(before: Calendar | None, typed: Typed) -> Calendar:
        calendar = must_stand(before)
        was = holiday_on(calendar, name)
        if was is None and not new:
            raise Refused("wrong", _("Hari libur ini sudah dihapus."))
        problems: list[Problem] = []
        read = collecting(problems)
        on = read(lambda: day_of(typed, "tanggal", _("Tanggal")))
        title = read(lambda: line(typed, "nama", _("Nama"), LONGEST_NAME))
        basis = read(lambda: line(typed, "dasar", _("Dasar hukum"), LONGEST_BASIS, required=False))
        source = read(lambda: line(typed, "sumber", _("Sumber"), LONGEST_BASIS, required=False))
        if typed.get("jenis") not in KINDS:
            problems.append(Problem("jenis", _("Jenis: pilih dari daftar.")))
        taken = calendar.holiday(on) if on else None
        if taken is not None and taken != was:
            problems.append(
                Problem("tanggal", _("Tanggal: sudah tercatat sebagai %(name)s. Ubah baris itu.", name=taken.name))
            )
        if problems:
            raise Refused("wrong", _("Ada isian yang belum benar."), tuple(problems))
        rest = tuple(one for one in calendar.holidays if one != was)
        one = Holiday(date=on, name=title, kind=typed["jenis"], legal_basis=basis, source=source)
        return replace(calendar, holidays=(*rest, one))

    return edited(
        sight,
        Page(
            title=_("Tambah hari libur") if new else _("Ubah hari libur"),
            inputs=(
                Input(name="tanggal", label=_("Tanggal"), kind="date"),
                Input(name="nama", label=_("Nama"), hint=_("Contoh: Hari Jadi Kabupaten Rembang.")),
                Input(
                    name="jenis",
                    label=_("Jenis"),
                    kind="select",
                    options=tuple((kind, str(name)) for kind, name in KINDS.items()),
                ),
                Input(
                    name="dasar",
                    label=_("Dasar hukum"),
                    required=False,
                    hint=_("Contoh: SKB Tiga Menteri Nomor 1497, 2, dan 5 Tahun 2025."),
                ),
                Input(name="sumber", label=_("Sumber"), required=False, hint=_("Dari mana Anda mengetahuinya.")),
            ),
            drawn=drawn,
            change=change,
        ),
    )


def holiday_on(calendar: Calendar | None, day: str) -> Holiday | None:
    return next((one for one in calendar.holidays if one.date.isoformat() == day), None) if calendar else None


@admin.route("/kalender/<unit>/libur/<name>/hapus", methods=["GET", "POST"])
def calendar_holiday_away(unit: str, name: str) -> Any:
    return taken_out(
        unit,
        lambda calendar: holiday_on(calendar, name),
        lambda calendar: replace(calendar, holidays=tuple(h for h in calendar.holidays if h.date.isoformat() != name)),
        lambda one: _("Hapus libur %(holiday)s", holiday=holiday_words(one)) if one else _("Hapus hari libur ini"),
        _("Hari itu kembali dihitung sebagai hari kerja, bila jam kerja minggu itu memuatnya."),
    )


@admin.route("/kalender/<unit>/libur-nasional", methods=["GET", "POST"])
def calendar_national(unit: str) -> Any:
    """Fill in what the national list knows; a date on which something stands already is left as it is."""
    sight = with_calendar(unit)
    this_year = org.local_date(office().now(), sight.unit.zone).year
    offered = range(this_year - 1, this_year + 4)
    decreed = {one.date.year for one in working.national_holidays(offered) if one.kind == "cuti_bersama"}

    def change(before: Calendar | None, typed: Typed) -> Calendar:
        calendar = must_stand(before)
        years = [year for year in offered if typed.get(f"tahun.{year}") == "ya"]
        if not years:
            raise wrong(f"tahun.{offered[0]}", _("Tahun: pilih paling sedikit satu."))
        basis = line(typed, "dasar", _("Dasar hukum"), LONGEST_BASIS, required=False)
        known = {one.date for one in calendar.holidays}
        missing = [one for one in working.national_holidays(years) if one.date not in known]
        if not missing:
            raise wrong(f"tahun.{offered[0]}", _("Tahun: semua tanggal dari daftar nasional sudah tercatat."))
        added = [one if one.legal_basis else replace(one, legal_basis=basis) for one in missing]
        return replace(calendar, holidays=(*calendar.holidays, *added))

    in_use = [year for year in (this_year, this_year + 1) if year in offered]
    return edited(
        sight,
        Page(
            title=_("Isi dari daftar nasional"),
            inputs=(
                *(
                    Input(
                        name=f"tahun.{year}",
                        label=str(year),
                        kind="tick",
                        hint="" if year in decreed else _("Cuti bersama tahun ini belum ada dalam daftar nasional."),
                    )
                    for year in offered
                ),
                Input(
                    name="dasar",
                    label=_("Dasar hukum"),
                    required=False,
                    hint=_("Diisikan pada baris yang ditambah. Contoh: nomor SKB tahun itu."),
                ),
            ),
            drawn=lambda _now: {f"tahun.{year}": "ya" for year in in_use},
            change=change,
            lead=_(
                "Menambahkan libur nasional dan cuti bersama yang belum tercatat. Yang sudah Anda isi tidak diubah. "
                "Periksa hasilnya dengan SKB; tanggal hari raya Islam menunggu sidang isbat."
            ),
        ),
    )


# Confirmed


@admin.route("/kalender/<unit>/konfirmasi", methods=["GET", "POST"])
def calendar_confirm(unit: str) -> Any:
    """Somebody answers for the calendar: the rule that it follows, number and date."""
    sight = with_calendar(unit)

    def change(before: Calendar | None, typed: Typed) -> Calendar:
        number = line(typed, "nomor", _("Dasar hukum"), LONGEST_BASIS - 30)
        on = day_of(typed, "tanggal", _("Tanggal"))
        basis = _("%(number)s, %(day)s", number=number, day=words.short_day(on))
        return replace(must_stand(before), confirmed=True, legal_basis=basis)

    return edited(
        sight,
        Page(
            title=_("Konfirmasi kalender %(unit)s", unit=sight.unit.name),
            inputs=(
                Input(name="nomor", label=_("Dasar hukum"), hint=_("Nomor peraturan atau surat edaran.")),
                Input(name="tanggal", label=_("Tanggal"), kind="date", hint=_("Tanggal dasar hukum itu.")),
            ),
            change=change,
            lead=_(
                "Isi aturan yang menetapkan jam kerja unit ini. Sesudahnya tanda “belum dikonfirmasi” hilang dari "
                "perkiraan dan cetakan."
            ),
        ),
    )


@admin.route("/kalender/<unit>/konfirmasi/cabut", methods=["GET", "POST"])
def calendar_unconfirm(unit: str) -> Any:
    sight = with_calendar(unit)
    return edited(
        sight,
        Page(
            title=_("Cabut konfirmasi kalender %(unit)s", unit=sight.unit.name),
            lead=_("Perkiraan dan cetakan kembali menyebut kalender ini belum dikonfirmasi."),
            change=lambda before, _typed: replace(must_stand(before), confirmed=False),
        ),
    )


@dataclass(frozen=True)
class ReadingRow:
    """What the SOP leaves open, how it is read for a unit, and whether somebody answers for that."""

    key: str
    process: str
    subject: str
    value: str
    words: str
    said: str  # how it is read
    confirmed: org.Reading | None


def readings_of(db: Connection, unit: str) -> Iterator[ReadingRow]:
    """The readings of every process that the unit may start."""
    organisation, processes = store.load(db), deployed(db)
    for key, definition in sorted(processes.items()):
        if (key, unit) in organisation.starting_units:
            yield from readings_of_process(definition, store.readings(db, key, unit))


def readings_of_process(definition: ProcessDefinition, known: Mapping[str, org.Reading]) -> Iterator[ReadingRow]:
    subjects = [(org.DAYS, "kerja", _("“Hari” pada Waktu SOP dibaca sebagai hari kerja"))]
    subjects = subjects if recalendar.counts_days(definition) else []
    for element in recalendar.assumed(definition):
        lane = definition.lane(element.lane or "")
        said = _(
            "Langkah %(step)s, %(name)s: dikerjakan %(lane)s",
            step=element.number,
            name=element.name,
            lane=lane.name if lane else element.lane,
        )
        subjects.append((element.id, element.lane or "", said))
    for subject, value, said in subjects:
        one = known.get(subject)
        yield ReadingRow(
            key=definition.key,
            process=definition.name,
            subject=subject,
            value=value,
            words=reading_words(subject, definition),
            said=said,
            confirmed=one if one and one.value == value else None,
        )


def reading_of(unit: str, key: str, subject: str) -> ReadingRow:
    with office().database.read() as db:
        found(store.load(db).units, unit)
        rows = [*readings_of(db, unit)]
    return next((one for one in rows if (one.key, one.subject) == (key, subject)), None) or abort(404)


@admin.route("/kalender/<unit>/bacaan/<key>/<subject>", methods=["GET", "POST"])
def confirm_reading(unit: str, key: str, subject: str) -> Any:
    row = reading_of(unit, key, subject)
    form = Form(
        title=_("Konfirmasi bacaan: %(what)s", what=row.words),
        submit=_("Konfirmasi"),
        back=url_for("admin.calendar", unit=unit, _anchor="bacaan"),
        lead=_("%(said)s (%(process)s). Isi dasar yang menetapkannya.", said=row.said, process=row.process),
        inputs=(
            Input(
                name="basis",
                label=_("Dasar hukum"),
                value=row.confirmed.basis if row.confirmed else "",
                hint=_("Nomor peraturan, SK, atau surat."),
            ),
            Input(
                name="dated",
                label=_("Tanggal"),
                kind="date",
                value=row.confirmed.dated if row.confirmed else "",
                hint=_("Tanggal dasar hukum itu."),
            ),
        ),
    )
    return answer(
        form,
        lambda typed: org.ConfirmReading(key=key, unit=unit, subject=subject, value=row.value, **typed),
        lambda typed: _("Bacaan %(what)s sudah dikonfirmasi.", what=row.words),
    )


@admin.route("/kalender/<unit>/bacaan/<key>/<subject>/cabut", methods=["GET", "POST"])
def withdraw_reading(unit: str, key: str, subject: str) -> Any:
    row = reading_of(unit, key, subject)
    form = Form(
        title=_("Cabut konfirmasi: %(what)s", what=row.words),
        submit=_("Cabut konfirmasi"),
        back=url_for("admin.calendar", unit=unit, _anchor="bacaan"),
        inputs=(Input(name="reason", label=_("Alasan")),),
    )
    return answer(
        form,
        lambda typed: org.WithdrawReading(key=key, unit=unit, subject=subject, reason=typed["reason"]),
        lambda typed: _("Bacaan %(what)s kembali belum dikonfirmasi.", what=row.words),
    )


# For the other pages


@admin.app_template_global("unconfirmed")
def unconfirmed(key: str, unit: str) -> tuple[str, ...]:
    """What a forecast or a printed paper rests on though nobody has confirmed it: sentences."""
    with office().database.read() as db:
        return recalendar.unconfirmed(db, office().rules, key, unit)


@admin.app_template_global("how_counted")
def how_counted(instance: ProcessInstance, task: UserTask) -> str:
    """The address of the calculation of an open user task's limit; "" where the SOP gives it none counted so."""
    norm = office().rules.definition(instance.definition).norm(task.element)
    if norm is None or norm.timer is None or norm.timer.unit != "kerja" or norm.timer.expression.startswith("="):
        return ""
    if task.late_at is None or task.extended:
        return ""
    sha256 = instance.calendars.get(task.lane) or instance.calendars[""]
    there = words.local(task.opened_at, office().rules.calendar(sha256).zone)
    return url_for(
        "calculator.count",
        tanggal=there.date().isoformat(),
        pukul=there.strftime("%H:%M:%S"),
        lama=norm.timer.expression,
        kalender=sha256,
    )


# Hitung batas waktu

calculator = Blueprint("calculator", __name__)
UNITS = {"hari": "P{}D", "jam": "PT{}H", "menit": "PT{}M"}
SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Line:
    """A day of a calculation."""

    day: date
    number: int | None  # the how-manieth counted day
    minutes: int  # counted on it besides days
    hours: str
    why: str
    counted: bool


@dataclass(frozen=True, kw_only=True)
class Calculation:
    calendar: Calendar
    duration: str
    start: datetime
    explained: working.Explanation
    late_at: datetime
    escalate_at: datetime
    lines: tuple[Line, ...]
    hidden: int  # days that are not shown: the duration is very long
    into_the_day: int | None  # working minutes between the opening and the start, where days are counted
    latest_start: datetime | None = None
    by: datetime | None = None


@calculator.get("/hitung-batas-waktu")
def count() -> Any:
    """From an instant, a duration and a calendar to the due instant, day by day."""
    here = words.local(office().now(), me().zone)
    typed = {
        "tanggal": request.args.get("tanggal", here.date().isoformat()),
        "pukul": request.args.get("pukul", f"{here:%H:%M}"),
        "lama": request.args.get("lama", ""),
        "satuan": request.args.get("satuan", "hari"),
        "kalender": request.args.get("kalender", ""),
        "akhir": request.args.get("akhir", ""),
        "akhir_pukul": request.args.get("akhir_pukul", ""),
    }
    if simple := re.fullmatch(r"P(?:(\d+)D|T(\d+)H|T(\d+)M)", typed["lama"].strip().upper()):
        typed["lama"] = simple[1] or simple[2] or simple[3]
        typed["satuan"] = "hari" if simple[1] else "jam" if simple[2] else "menit"
    with office().database.read() as db:
        published = definitions.published(db)
        units = {one.id: one for one in store.units(db) if one.id in published}
    typed["kalender"] = typed["kalender"] or (f"unit:{me().unit}" if me().unit in units else "pola:lima_hari")
    options = [
        *choice(((f"unit:{id}", one.name) for id, one in units.items())),
        *((f"pola:{name}", str(title)) for name, title in PRESETS.items()),
    ]
    calculation, problems = None, []
    chosen = chosen_calendar(typed["kalender"], published)
    if chosen is None:
        problems.append(Problem("kalender", _("Kalender: pilih dari daftar.")))
    elif SHA256.fullmatch(typed["kalender"]):
        known = next((f"unit:{id}" for id in units if published[id] == typed["kalender"]), None)
        if known:
            typed["kalender"] = known
        else:
            options.append((typed["kalender"], _("Kalender yang dipakai berkas proses: %(title)s", title=chosen.title)))
    if typed["lama"]:
        try:
            calculation = calculated(chosen or working.five_days(), typed)
        except Refused as refused:
            problems += refused.problems
    if problems:
        calculation = None
    page = render_template(
        "calculator.html",
        typed=typed,
        options=options,
        problems=problems,
        one=calculation,
        kinds=KINDS,
        hours_words=hours_words,
        length=words.length(calculation.duration) if calculation else "",
        input_type=input_type,
    )
    return page, 422 if problems else 200


def input_type(text: str, kind: str) -> str:
    """The kind of an input, `date` or `time`; `text` where it could not show what was typed."""
    try:
        (date if kind == "date" else time).fromisoformat(text)
    except ValueError:
        return "text" if text else kind
    return kind


def chosen_calendar(name: str, published: Mapping[str, str]) -> Calendar | None:
    kind, _colon, id = name.partition(":")
    if kind == "unit" and id in published:
        return office().rules.calendar(published[id])
    if kind == "pola" and id in working.PRESETS:
        return working.PRESETS[id]()
    if SHA256.fullmatch(name):
        try:
            return office().rules.calendar(name)
        except LookupError:
            return None
    return None


def instant(day: str, at: str, zone: str, place: str, label: str) -> datetime:
    """The instant of a typed date and time in a zone. Raises Refused at its input."""
    on = day_of({place: day}, place, label)
    hour = re.fullmatch(r"\s*(\d{1,2})[.:](\d{2})(?:[.:](\d{2}))?\s*", at)
    found = words.instant_of(on.isoformat(), f"{int(hour[1]):02d}:{hour[2]}:{hour[3] or '00'}", zone) if hour else None
    if found is None:
        of_clock = "pukul" if place == "tanggal" else "akhir_pukul"
        raise wrong(of_clock, _("Pukul: tulis jam dan menit. Contoh: 09.00."))
    return found


def calculated(calendar: Calendar, typed: Mapping[str, str]) -> Calculation:
    """The whole answer. Raises Refused at the input that is wrong."""
    asked: list[Any] = []
    problems: list[Problem] = []
    for question in (
        lambda: instant(typed["tanggal"], typed["pukul"], calendar.zone, "tanggal", _("Tanggal mulai")),
        lambda: duration_of(typed["lama"], typed["satuan"]),
        lambda: (
            instant(typed["akhir"], typed["akhir_pukul"] or "23.59", calendar.zone, "akhir", _("Harus selesai pada"))
            if typed["akhir"]
            else None
        ),
    ):
        try:
            asked.append(question())
        except Refused as refused:
            problems += refused.problems
    if problems:
        raise Refused("wrong", _("Belum dapat dihitung"), tuple(problems))
    start, duration, by = asked
    try:
        explained = working.explain(duration, start, calendar)
        _norm, late_at, escalate_at = working.three_instants(duration, start, calendar)
        latest = working.latest_start([(duration, calendar)], by) if by else None
    except CalendarError:
        raise wrong(
            "lama", _("Lama: tidak dapat dihitung. Tulis angka biasa paling lama sepuluh tahun, atau P2D, PT20M.")
        ) from None
    lines = list(lines_of(calendar, explained))
    return Calculation(
        calendar=calendar,
        duration=duration,
        start=start,
        explained=explained,
        late_at=late_at,
        escalate_at=escalate_at,
        lines=tuple(lines[:DAYS_SHOWN]),
        hidden=max(len(lines) - DAYS_SHOWN, 0),
        into_the_day=into_the_day(calendar, explained) if working.parse_duration(duration).days else None,
        latest_start=latest,
        by=by,
    )


def into_the_day(calendar: Calendar, one: working.Explanation) -> int:
    opening = datetime.combine(one.counted_from.date(), calendar.hours(one.counted_from.date())[0][0])
    return working.working_minutes(opening.replace(tzinfo=one.counted_from.tzinfo), one.counted_from, calendar)


def duration_of(text: str, unit: str) -> str:
    """`P2D` of "2" and "hari"; an ISO 8601 duration as it is. Raises Refused."""
    text = text.strip().upper()
    if re.fullmatch(r"[0-9]{1,7}", text) and int(text) and unit in UNITS:
        text = UNITS[unit].format(int(text))
    try:
        working.parse_duration(text)
    except CalendarError:
        raise wrong(
            "lama", _("Lama: tulis angka, misalnya 2, lalu pilih hari, jam, atau menit. Paling lama sepuluh tahun.")
        ) from None
    return text


def lines_of(calendar: Calendar, one: working.Explanation) -> Iterator[Line]:
    """Every day from the start to the end, in order: counted, or not and why."""
    counted = {day.date: day for day in one.counted}
    skipped = {day.date: day for day in one.skipped}
    first = one.start.date()
    for day in sorted({*counted, *skipped, first, one.due.date()}):
        hours = calendar.hours(day)
        if day in skipped:
            off = skipped[day]
            kind = str(KINDS[off.kind]) if off.kind in KINDS else _("Libur mingguan")
            yield Line(day, None, 0, "", f"{kind}: {off.name}" if off.name else kind, counted=False)
            continue
        told = []
        if day == first:
            told.append(_("mulai pukul %(at)s", at=words.clock(one.start)))
        if day == one.counted_from.date() and one.counted_from != one.start:
            told.append(_("dihitung dari pukul %(at)s", at=words.clock(one.counted_from)))
        found = counted.get(day)
        if found and found.season:
            told.append(found.season)
        if day == one.due.date():
            told.append(_("selesai pukul %(at)s", at=words.clock(one.due)))
        text = "; ".join(told)
        yield Line(
            day,
            found.number if found else None,
            found.minutes if found else 0,
            hours_words(hours),
            text[:1].upper() + text[1:],
            counted=found is not None,
        )
