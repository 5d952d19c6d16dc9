"""What staff read instead of values: times, states and what happened, in Indonesian words.

Every text goes through Flask-Babel (the Indonesian is the msgid), also the patterns of dates, so that another language
is a catalogue and no code. Nothing here is HTML: the templates escape what comes from people.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import format_date, get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from engine import commands, events
from engine.calendars import MINUTE, Calendar, near_due, parse_duration
from engine.commands import Attachment, Erased
from engine.definition import Element, Field, ProcessDefinition
from engine.instance import CANCELLED, COMPLETED, RUNNING, SUSPENDED, ProcessInstance, Step, UserTask
from engine.organisation import OWNER
from engine.requirements import fault

WORKDAY_MINUTES = 450  # 7.5 hours (Perpres 21/2023): only to say long minutes shortly, never to count


# Times


def local(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone))


def full(at: datetime, zone: str) -> str:
    """`Selasa, 2 Februari 2027 pukul 10.15 WIB`."""
    there = local(at, zone)
    return _(
        "%(hari)s pukul %(pukul)s %(zona)s", hari=full_day(there.date()), pukul=clock(there), zona=there.tzname() or ""
    )


def near(at: datetime, now: datetime, zone: str) -> str:
    """`besok 16.00`, `Selasa 10.15`, `Senin lalu 14.00`, `2 Februari 10.15`: short, and without doubt."""
    there = local(at, zone)
    return f"{near_day(there.date(), local(now, zone).date())} {clock(there)}"


def near_day(day: date, today: date) -> str:
    distance = (day - today).days
    if distance in (-1, 0, 1):
        return {-1: _("kemarin"), 0: _("hari ini"), 1: _("besok")}[distance]
    if 0 < distance < 7:
        return format_date(day, "EEEE")
    if -7 < distance < 0:
        return _("%(weekday)s lalu", weekday=format_date(day, "EEEE"))
    return format_date(day, _("d MMMM") if day.year == today.year else _("d MMMM y"))


def brief_day(day: date) -> str:
    """`2 Feb 2027`, for the narrow columns of a printed table."""
    return format_date(day, _("d MMM y"))


def deadline(at: datetime, zone: str) -> str:
    """`Minggu, 28 Februari 2027`: the last day of a deadline that is the midnight after it."""
    return full_day((local(at, zone) - timedelta(microseconds=1)).date())


def clock(at: datetime) -> str:
    """`10.15`."""
    return f"{at.hour:02d}.{at.minute:02d}" if str(get_locale()) == "id" else f"{at.hour:02d}:{at.minute:02d}"


def full_day(day: date) -> str:
    """`Selasa, 2 Februari 2027`."""
    return format_date(day, _("EEEE, d MMMM y"))


def short_day(day: date) -> str:
    """`2 Februari 2027`."""
    return format_date(day, _("d MMMM y"))


def period(valid_from: str, valid_until: str | None) -> str:
    """ "sejak 2 Januari 2025", "4 Januari 2027 sampai 8 Januari 2027", of ISO dates."""
    begins = short_day(date.fromisoformat(valid_from))
    if valid_until is None:
        return _("sejak %(day)s", day=begins)
    if valid_until < valid_from:
        return _("tidak pernah berlaku")
    return _("%(first)s sampai %(last)s", first=begins, last=short_day(date.fromisoformat(valid_until)))


def length(duration: str, unit: str = "kerja") -> str:
    """`2 hari kerja` of "P2D", `20 menit kerja` of "PT20M"; the text itself where it is no simple duration."""
    found = re.fullmatch(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", duration)
    if not found or not any(found.groups()):
        return duration
    weeks, days, hours, minutes = (int(n or 0) for n in found.groups())
    parts = [
        text
        for count, text in (
            (weeks, ngettext("%(num)s minggu", "%(num)s minggu", weeks)),
            (days, ngettext("%(num)s hari", "%(num)s hari", days)),
            (hours, ngettext("%(num)s jam", "%(num)s jam", hours)),
            (minutes, ngettext("%(num)s menit", "%(num)s menit", minutes)),
        )
        if count
    ]
    return f"{' '.join(parts)} {_('kerja') if unit == 'kerja' else _('kalender')}"


def working(minutes: int) -> str:
    """Working minutes as people say them: `20 menit kerja`, `3 jam kerja`, `2 hari 1 jam kerja`."""
    if minutes < 60:
        return ngettext("%(num)s menit kerja", "%(num)s menit kerja", minutes)
    if minutes < WORKDAY_MINUTES:
        return ngettext("%(num)s jam kerja", "%(num)s jam kerja", round(minutes / 60))
    days, rest = divmod(minutes, WORKDAY_MINUTES)
    hours = round(rest / 60)
    if not hours:
        return ngettext("%(num)s hari kerja", "%(num)s hari kerja", days)
    return _("%(days)s hari %(hours)s jam kerja", days=days, hours=hours)


def took(waiting: int | None, processing: int | None, norm: Element | None) -> str:
    """How long a finished step waited to be taken and was worked on, in working time; a norm in minutes is measured
    against the work alone, because the official may have been out (DOMAIN.md, A18). "" of one that is not finished."""
    parts = []
    if waiting is not None and (waiting or processing is None):
        parts.append(_("menunggu %(time)s", time=working(waiting)))
    if processing is not None:
        parts.append(_("dikerjakan %(time)s", time=working(processing)))
        timer = norm.timer if norm else None
        if timer and timer.unit == "kerja" and not timer.expression.startswith("="):
            expected = parse_duration(timer.expression)
            if not expected.days and processing * MINUTE > expected.microseconds:
                parts.append(_("melebihi waktu baku %(time)s", time=length(timer.expression)))
    return " · ".join(parts)


def size(bytes_: int) -> str:
    """`1,2 MB`."""
    for unit, divisor in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)):
        if bytes_ >= divisor:
            return f"{bytes_ / divisor:.1f} {unit}".replace(".0 ", " ").replace(
                ".", "," if str(get_locale()) == "id" else "."
            )
    return f"{bytes_} B"


# States: three axes that are never mixed, each a shape and a word


@dataclass(frozen=True)
class Mark:
    """A state as it is drawn everywhere: a shape, a word, and the class that gives its colour."""

    shape: str
    word: Any
    look: str


WAITING_MARK = Mark("○", _l("Menunggu diambil"), "open")
WORKING_MARK = Mark("◐", _l("Sedang dikerjakan"), "working")
DONE_MARK = Mark("✓", _l("Selesai"), "done")
AHEAD_MARK = Mark("·", _l("Belum tiba"), "ahead")
CANCELLED_TASK_MARK = Mark("×", _l("Dihentikan"), "ahead")
ON_TIME = Mark("●", _l("Tepat waktu"), "on-time")
DUE_SOON = Mark("▲", _l("Mendekati batas waktu"), "due-soon")
LATE = Mark("■", _l("Terlambat"), "late")
RETURNED = Mark("↩", _l("Dikembalikan untuk diperbaiki"), "returned")
EXTENDED = Mark("→", _l("Diperpanjang"), "done")  # beside a task's time, not one of its states
ASKED = Mark("?", _l("Perpanjangan diminta"), "working")
PROCESS_MARKS: Mapping[str, Mark] = {
    RUNNING: Mark("▸", _l("Berjalan"), "working"),
    SUSPENDED: Mark("‖", _l("Ditangguhkan"), "due-soon"),
    COMPLETED: DONE_MARK,
    CANCELLED: Mark("×", _l("Dibatalkan"), "ahead"),
}


def task_mark(owner: str | None) -> Mark:
    return WORKING_MARK if owner else WAITING_MARK


def time_mark(
    norm_at: datetime | None, late_at: datetime | None, opened_at: datetime, now: datetime, calendar: Calendar
) -> Mark | None:
    """Whether an open user task is in time; None where the SOP gives it none.

    calendar  of its lane. From when on a task is near its limit is the same here and for its reminder.
    """
    if late_at is None:
        return None
    if now > late_at:
        return LATE
    near_at = near_due(opened_at, norm_at, late_at, calendar) if norm_at else None
    return DUE_SOON if near_at is not None and now >= near_at else ON_TIME


def returned(task_round: int) -> str:
    """`pengembalian ke-1` of the second round."""
    return _("pengembalian ke-%(n)s", n=task_round - 1)


# People and places


def position(capacity: str | None, name: str) -> str:
    """`Plh. Kepala PD`; the position's name alone of whoever holds it definitively."""
    return {"plh": _("Plh. "), "plt": _("Plt. ")}.get(capacity or "", "") + name


def step_name(definition: ProcessDefinition, element: str) -> str:
    """`langkah 6, Memeriksa dan memaraf`, for the middle of a sentence."""
    one = definition.elements.get(element)
    if one is None:
        return element
    return _("langkah %(n)s, %(name)s", n=one.number, name=one.name) if one.number else one.name or element


def short_step(definition: ProcessDefinition, element: str | None) -> str:
    """`langkah 6`, where its name would be in the way; the name of a step without a number."""
    one = definition.elements.get(element or "")
    if one is None:
        return element or _("berkas proses")
    return _("langkah %(n)s", n=one.number) if one.number else one.name or one.id


def document_name(definition: ProcessDefinition, type: str) -> str:
    """The name of a document type, without what one step says about it in brackets ("(berparaf)")."""
    field = definition.fields.get(type)
    return field.label if field else type


def attachment_words(attachment: Attachment) -> str:
    """What was attached: file names, or where the paper lies, or the link."""
    if attachment.form == "berkas":
        return ", ".join(str_of(f.name) for f in attachment.files)
    return {
        "cetak": _("naskah cetak: %(place)s", place=str_of(attachment.place)),
        "tautan": _("tautan: %(place)s", place=str_of(attachment.place)),
    }.get(attachment.form, str_of(attachment.place))


def str_of(value: Any) -> str:
    """A private text; a lawfully erased one says so, and why where that is known."""
    return gone(value.why) if isinstance(value, Erased) else str(value or "")


def gone(why: str) -> str:
    """What stands where something was erased; `why` as of commands.Erased."""
    kind, _space, number = why.partition(" ")
    return {
        "request": _("(dihapus atas permintaan nomor %(number)s)", number=number),
        "disposal": _("(dimusnahkan sesuai berita acara nomor %(number)s)", number=number),
    }.get(kind, _("(dihapus sesuai ketentuan)"))


def value_words(field: Field, value: Any, names: Callable[[str], str]) -> str:
    """A stored value as people read it; tables are drawn by their columns, not said."""
    return cell_words(field.type, field.choices, value, names)


def cell_words(type: str, choices: Any, value: Any, names: Callable[[str], str]) -> str:
    if isinstance(value, Erased):
        return str_of(value)
    if value is None or value == "":
        return "–"
    if type == "boolean":
        return _("Ya") if value else _("Tidak")
    if type == "enum":
        return next((c.label for c in choices if c.value == value), str(value))
    if type == "person" and isinstance(value, dict):
        return names(value["id"]) if "id" in value else str(value.get("nama", ""))
    if type == "date" and fault("date", value, ()) is None:
        return short_day(date.fromisoformat(value))
    if type == "time":
        return str(value).replace(":", ".")
    if type == "decimal":
        return str(value).replace(".", ",")
    return str(value)


# What happened, as sentences. One for each type of event; staff pages tell those that somebody did or waits for.

TOLD = frozenset(
    {
        "ProcessInstanceStarted",
        "ProcessInstanceSuspended",
        "ProcessInstanceResumed",
        "ProcessInstanceCancelled",
        "ProcessInstanceCompleted",
        "ProcessInstanceCorrected",
        "ProcessInstanceMigrated",
        "MigrationUndone",
        "UserTaskMoved",
        "UserTaskOpened",
        "UserTaskClaimed",
        "UserTaskReleased",
        "UserTaskReassigned",
        "UserTaskRecalled",
        "ValuesRecorded",
        "UserTaskCompleted",
        "ExtensionAsked",
        "ExtensionGranted",
        "ExtensionRefused",
        "CalendarChanged",
        "DueDatesMoved",
        "TimerMoved",
        "TeamAppointed",
        "TimerFired",
        "DocumentAttached",
        "RequirementOwed",
        "RequirementSettled",
        "RequirementWaived",
        "CommentAdded",
        "IncidentRaised",
        "IncidentResolved",
        "ValuesErased",
    }
)


MIGRATIONS = (events.ProcessInstanceMigrated, events.MigrationUndone)


@dataclass(frozen=True)
class Told:
    """A sentence of the history, and when it became true."""

    at: datetime
    text: str
    sequence: int = 0  # of the journal row that says it
    moved: tuple[str, str] | None = None  # of a migration: the numbers of the versions it went from and to


def history(
    steps: Iterable[Step],
    definition: ProcessDefinition,
    zone: str,
    names: Callable[[str], str],
    versions: Callable[[str], ProcessDefinition] | None = None,
    numbers: Callable[[str, datetime], str] | None = None,
) -> list[Told]:
    """What happened, told to staff, in the order it happened.

    steps     from the beginning, or from anywhere on: of a task that was opened before, only the name is missing.
    versions  the definition of a SHA-256: what happened before a migration is told in the words of its version.
    numbers   the number of a version by its SHA-256, as it was at that time; "" where there is none.
    """
    told: list[Told] = []
    steps = tuple(steps)
    moves = [one for step in steps for one in step.events if isinstance(one, MIGRATIONS)]
    if versions and moves:
        definition = versions(moves[0].before)
    tasks: dict[int, str] = {}
    norms: dict[int, datetime] = {}
    for step in steps:
        for event in step.events:
            if isinstance(event, MIGRATIONS) and versions:
                definition = versions(event.to)
            if isinstance(event, events.UserTaskOpened | events.UserTaskMoved):
                tasks[event.user_task] = event.element
            if isinstance(event, events.UserTaskOpened | events.DueDatesMoved) and event.norm_at:
                norms[event.user_task] = event.norm_at
        kinds = {type(one) for one in step.events}
        for one in step.events:
            if type(one).__name__ in TOLD and not told_already(one, kinds, definition):
                said = sentence(one, step, definition, zone, names, tasks, norms, numbers)
                told.append(Told(step.command.at, said, step.sequence, moved_between(one, step, numbers)))
    return told


def moved_between(
    event: events.Event, step: Step, numbers: Callable[[str, datetime], str] | None
) -> tuple[str, str] | None:
    """The numbers of the versions that a migration went from and to; None of anything else, or where one has none."""
    if not isinstance(event, MIGRATIONS) or numbers is None:
        return None
    before, now = numbers(event.before, step.command.at), numbers(event.to, step.command.at)
    return (before, now) if before and now else None


def told_already(event: events.Event, kinds: set[type], definition: ProcessDefinition) -> bool:
    """Whether another event of the same step says it: one sentence, not two."""
    match event:
        case events.UserTaskClaimed():  # who completes an unclaimed task claims it in the same instant
            return events.UserTaskCompleted in kinds
        case events.TimerMoved(_number, id):  # a user task's own timer moves with its dates
            return id in definition.elements and definition.elements[id].attached_to is not None
    return False


def sentence(
    event: events.Event,
    step: Step,
    definition: ProcessDefinition,
    zone: str,
    names: Callable[[str], str],
    tasks: Mapping[int, str],
    norms: Mapping[int, datetime] | None = None,
    numbers: Callable[[str, datetime], str] | None = None,
) -> str:
    """One event as a sentence.

    names  the name of a person, a position or a unit by its id.
    tasks  the element of each user task by its number.
    norms  the standard time of each user task by its number, where it is known.
    numbers  the number of a version by its SHA-256, as it was at that time.
    """
    act, actor = step.command.act, step.command.actor
    who = names(actor.person)
    if actor.capacity in ("plh", "plt") and actor.position:
        who = f"{who} ({position(actor.capacity, names(actor.position))})"
    elif actor.capacity == OWNER:
        who = _("%(who)s (pemilik SOP)", who=who)

    def element(id: str | None) -> str:
        return step_name(definition, id) if id else _("berkas proses")

    def why(value: Any) -> str:
        text = str_of(value)
        return _(" Alasan: %(why)s", why=text if text.endswith((".", "?", "!")) else f"{text}.") if value else ""

    match event:
        case events.ProcessInstanceStarted(year):
            return (
                _("%(who)s memulai %(name)s Tahun %(year)s.", who=who, name=definition.name, year=year)
                if year
                else _("%(who)s memulai %(name)s.", who=who, name=definition.name)
            )
        case events.ProcessInstanceSuspended():
            return _("%(who)s menangguhkan berkas proses.", who=who) + why(getattr(act, "reason", ""))
        case events.ProcessInstanceResumed():
            return _("%(who)s melanjutkan berkas proses.", who=who) + why(getattr(act, "reason", ""))
        case events.ProcessInstanceCancelled():
            return _("%(who)s membatalkan berkas proses.", who=who) + why(getattr(act, "reason", ""))
        case events.ProcessInstanceCompleted():
            return _("Seluruh langkah selesai.")
        case events.ProcessInstanceCorrected(fields, _closed, opened):
            what = ", ".join(
                [*(definition.fields[id].label for id in fields if id in definition.fields), *map(element, opened)]
            )
            return _(
                "%(who)s (administrator) mengoreksi berkas proses: %(what)s.",
                who=who,
                what=what or _("keadaan langkah"),
            ) + why(getattr(act, "reason", ""))
        case events.ProcessInstanceMigrated():
            if between := moved_between(event, step, numbers):
                said = {"who": who, "before": between[0], "now": between[1]}
                text = _("%(who)s memindahkan berkas proses ini dari versi %(before)s ke versi %(now)s.", **said)
            else:
                text = _("%(who)s memindahkan berkas proses ini ke versi SOP yang lain.", who=who)
            return text + why(getattr(act, "reason", ""))
        case events.MigrationUndone():
            if between := moved_between(event, step, numbers):
                said = {"who": who, "before": between[0], "now": between[1]}
                text = _("%(who)s mengembalikan berkas proses ini dari versi %(before)s ke versi %(now)s.", **said)
            else:
                text = _("%(who)s mengembalikan berkas proses ini ke versi SOP semula.", who=who)
            return text + why(getattr(act, "reason", ""))
        case events.ValuesErased(count, files, disposal):
            went = {"n": str(count), "files": str(len(files)), "who": who}
            went |= {"number": getattr(act, "number", ""), "basis": getattr(act, "basis", "")}
            if disposal:
                return _(
                    "%(who)s menyetujui pemusnahan berkas proses ini sesuai berita acara nomor %(number)s (%(basis)s): "
                    "%(n)s isian dan %(files)s berkas dihapus.",
                    **went,
                )
            return _(
                "%(who)s menyetujui penghapusan atas permintaan nomor %(number)s (%(basis)s): %(n)s isian dan "
                "%(files)s berkas dihapus.",
                **went,
            )
        case events.UserTaskMoved(_number, id_before, id, _lane_before, lane, _round):
            performer = definition.lane(lane)
            said = {"what": _upper(element(id)), "who": performer.name if performer else lane}
            if id_before == id:
                return _("%(what)s kini dikerjakan oleh %(who)s.", **said)
            return _(
                "Yang terbuka kini %(now)s untuk %(who)s, semula %(before)s.",
                now=element(id),
                who=said["who"],
                before=element(id_before),
            )
        case events.ElementEntered(_token, id, _flow):
            return _("Memasuki %(element)s.", element=element(id))
        case events.ElementLeft(_token, id, _flow):
            return _("Meninggalkan %(element)s.", element=element(id))
        case events.TokenConsumed(_token, id, _flow):
            return _("Cabang bergabung pada %(element)s.", element=element(id))
        case events.ConditionEvaluated(_token, id, flow, result):
            name = definition.flows[flow].name if flow in definition.flows else flow
            said = {"element": _upper(element(id)), "flow": name or flow}
            return (
                _("%(element)s: %(flow)s terpenuhi.", **said)
                if result
                else _("%(element)s: %(flow)s tidak terpenuhi.", **said)
            )
        case events.UserTaskOpened(_number, id, lane, round, _norm, late_at, _escalate):
            performer = definition.lane(lane)
            said = {"what": _upper(element(id)), "who": performer.name if performer else lane}
            text = (
                _("%(what)s dibuka untuk %(who)s.", **said)
                if late_at is None
                else _("%(what)s dibuka untuk %(who)s, paling lambat %(until)s.", **said, until=full(late_at, zone))
            )
            return text + (" " + _("Ini %(n)s.", n=returned(round)) if round > 1 else "")
        case events.UserTaskClaimed(_number, person):
            return _("%(who)s mengambil %(what)s.", who=names(person), what=element(tasks.get(event.user_task)))
        case events.UserTaskReleased(_number, person):
            return (
                _("%(who)s melepaskan tugas yang diambil %(owner)s.", who=who, owner=names(person))
                if person != actor.person
                else _("%(who)s melepaskan tugas.", who=who)
            )
        case events.UserTaskReassigned(_number, person, _before):
            return (
                _("%(who)s mengalihkan tugas kepada %(to)s.", who=who, to=names(person))
                if person
                else _("%(who)s mengembalikan tugas kepada seluruh pelaksana.", who=who)
            ) + why(getattr(act, "reason", ""))
        case events.UserTaskRecalled(number, id) if number != getattr(act, "user_task", None):
            return _("%(what)s terbuka kembali.", what=_upper(element(id)))
        case events.UserTaskRecalled(_number, id):
            return _(
                "%(who)s menarik kembali %(what)s, sebelum langkah sesudahnya dikerjakan.", who=who, what=element(id)
            )
        case events.ValuesRecorded(_number, fields):
            return _(
                "%(who)s mencatat: %(what)s.",
                who=who,
                what=", ".join(definition.fields[id].label for id in fields if id in definition.fields),
            )
        case events.UserTaskCompleted(_number, id, _waiting, _processing, late):
            text = _("%(who)s menyelesaikan %(what)s.", who=who, what=element(id))
            if actor.on_behalf_of:
                text = _(
                    "%(who)s mencatat %(what)s atas nama %(office)s.",
                    who=who,
                    what=element(id),
                    office=names(actor.on_behalf_of),
                )
            done_at = getattr(act, "done_at", None)
            if done_at:
                text += " " + _("Dikerjakan di luar aplikasi pada %(at)s.", at=full(done_at, zone))
            return text + (" " + _("Terlambat.") if late else "")
        case events.UserTaskCancelled(_number, id):
            return _("%(what)s dihentikan.", what=_upper(element(id)))
        case events.ExtensionAsked(number, until):
            return _(
                "%(who)s meminta perpanjangan waktu %(what)s sampai %(until)s.",
                who=who,
                what=short_step(definition, tasks.get(number)),
                until=full(until, zone),
            ) + why(getattr(act, "reason", ""))
        case events.ExtensionGranted(number, before, late_at, _escalate):
            said = {
                "who": who,
                "what": short_step(definition, tasks.get(number)),
                "before": full(before, zone),
                "now": full(late_at, zone),
            }
            norm_at = (norms or {}).get(number)
            return (
                _(
                    "%(who)s memberikan perpanjangan: batas waktu %(what)s dari %(before)s menjadi %(now)s "
                    "(waktu baku tetap %(norm)s).",
                    **said,
                    norm=full(norm_at, zone),
                )
                if norm_at
                else _(
                    "%(who)s memberikan perpanjangan: batas waktu %(what)s dari %(before)s menjadi %(now)s "
                    "(waktu baku tetap).",
                    **said,
                )
            ) + why(getattr(act, "reason", ""))
        case events.ExtensionRefused(number):
            return _(
                "%(who)s menolak permintaan perpanjangan waktu %(what)s.",
                who=who,
                what=short_step(definition, tasks.get(number)),
            ) + why(getattr(act, "reason", ""))
        case events.CalendarChanged(changes):
            of = [
                (performer.name if (performer := definition.lane(lane)) else lane) if lane else _("unit")
                for lane, _before, _now in changes
            ]
            return _("%(who)s mengubah kalender kerja (%(of)s).", who=who, of=", ".join(of)) + why(
                getattr(act, "reason", "")
            )
        case events.DueDatesMoved(number, norm_before, before, _e, norm_at, late_at, _escalate):
            said = {"what": short_step(definition, tasks.get(number))}
            if not isinstance(act, commands.ChangeCalendar):  # another version of the diagram
                if late_at is None:
                    return _("Langkah ini tidak lagi berbatas waktu: %(what)s.", **said)
                if before is None:
                    return _("Batas waktu %(what)s kini %(now)s.", **said, now=full(late_at, zone))
                if late_at == before:
                    said["now"] = full(before, zone)
                    return _("Waktu baku %(what)s berubah; batas waktunya tetap %(now)s.", **said)
                return _(
                    "Batas waktu %(what)s berpindah dari %(before)s menjadi %(now)s.",
                    **said,
                    before=full(before, zone),
                    now=full(late_at, zone),
                )
            assert norm_before and norm_at and before and late_at, "a calendar moves only what there is"
            if late_at == before:
                return _(
                    "Kalender kerja berubah: waktu baku %(what)s dari %(before)s menjadi %(now)s; "
                    "batas waktunya tetap.",
                    **said,
                    before=full(norm_before, zone),
                    now=full(norm_at, zone),
                )
            return _(
                "Kalender kerja berubah: batas waktu %(what)s dari %(before)s menjadi %(now)s.",
                **said,
                before=full(before, zone),
                now=full(late_at, zone),
            ) + why(getattr(act, "reason", ""))
        case events.TimerMoved(_number, id, before, due_at, _calendar):
            return _(
                "Pengatur waktu %(name)s berpindah dari %(before)s menjadi %(now)s.",
                name=_timer_name(definition, id),
                before=full(before, zone),
                now=full(due_at, zone),
            )
        case events.TeamAppointed(lane, members, _basis):
            performer = definition.lane(lane)
            return _(
                "%(lane)s untuk berkas proses ini: %(who)s.",
                lane=performer.name if performer else lane,
                who=", ".join(f"{names(person)} ({role})" for person, role in members),
            )
        case events.TimerStarted(_number, id, _of, due_at, _calendar, _left):
            return _(
                "Pengatur waktu %(name)s berjalan sampai %(until)s.",
                name=_timer_name(definition, id),
                until=full(due_at, zone),
            )
        case events.TimerFired(_number, id):
            host = definition.elements[id].attached_to if id in definition.elements else None
            if host:
                return _("Waktu baku %(what)s habis; pengingat dicatat.", what=element(host))
            return _("%(name)s telah tiba.", name=_timer_name(definition, id))
        case events.TimerCancelled(_number, id):
            return _("Pengatur waktu %(name)s dihentikan.", name=_timer_name(definition, id))
        case events.DocumentAttached(document, version, _number):
            given = (
                act.attachments.get(document)
                if isinstance(act, commands.StartProcessInstance)
                else getattr(act, "attachment", None)
            )
            return _(
                "%(who)s melampirkan %(what)s versi %(version)s (%(files)s).",
                who=who,
                what=document_name(definition, document),
                version=version,
                files=attachment_words(given) if given else "",
            )
        case events.RequirementOwed(document, until, promised, _number):
            promise = (
                act.promise
                if isinstance(act, commands.OweRequirement)
                else next((p for p in getattr(act, "promises", ()) if p.document == document), None)
            )
            return _(
                "%(who)s menyatakan %(what)s menyusul, dijanjikan %(day)s, paling lambat sebelum %(until)s selesai.",
                who=who,
                what=document_name(definition, document),
                day=short_day(date.fromisoformat(promised)),
                until=element(until),
            ) + why(promise.reason if promise else "")
        case events.RequirementSettled(document):
            return _("%(what)s yang menyusul sudah terpenuhi.", what=document_name(definition, document))
        case events.RequirementWaived(document, _number):
            return _(
                "%(who)s memberikan dispensasi untuk %(what)s.", who=who, what=document_name(definition, document)
            ) + why(getattr(act, "reason", ""))
        case events.CommentAdded(_number):
            return _("%(who)s menulis komentar: %(text)s", who=who, text=str_of(getattr(act, "text", "")))
        case events.IncidentRaised(_number, _kind, id, _detail):
            return _("Gangguan pada %(what)s. Administrator diberi tahu; isian tetap tersimpan.", what=element(id))
        case events.IncidentResolved(_number):
            return _("%(who)s (administrator) menangani gangguan.", who=who) + why(getattr(act, "reason", ""))
    raise AssertionError(f"no sentence for {type(event).__name__}")


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _timer_name(definition: ProcessDefinition, id: str) -> str:
    if definition.deadline and id == definition.deadline.id:
        return definition.deadline.name or id
    one = definition.elements.get(id)
    return one.name or id if one else id


# After an act: what is true now, and what comes next


def what_is_next(
    instance: ProcessInstance,
    definition: ProcessDefinition,
    performers: Callable[[UserTask], str],
    now: datetime,
    zone: str,
) -> str:
    """`Sekarang menunggu Camat Lasem sampai besok 11.30.`"""
    if instance.status == COMPLETED:
        return _("Seluruh langkah selesai.")
    waiting = [
        _("%(who)s sampai %(until)s", who=performers(task), until=near(task.late_at, now, zone))
        if task.late_at
        else performers(task)
        for task in instance.user_tasks.values()
    ]
    return _("Sekarang menunggu %(whom)s.", whom=_(" dan ").join(waiting)) if waiting else ""


def instant_of(day: str, time: str, zone: str) -> datetime | None:
    """The instant of a local date and time as they come from the page; None where they are none."""
    try:
        return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except ValueError:
        return None
