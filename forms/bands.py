"""A forecast as people read it: a mark, a few sentences, a picture. The same words on every page that shows one.

Nothing is computed here that `engine.forecast` did not find; a time is said as everywhere else (`words`). Where nobody
can say how it will end, there is None, and the page goes without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import Connection

from engine import calendars, handle, outlook
from engine import forecast as forecasts
from engine.calendars import Calendar, CalendarError
from engine.definition import ProcessDefinition
from engine.forecast import Forecast, ForecastError, Likelihood, PlannedPass, Ways, Window
from engine.instance import CANCELLED, RUNNING, SUSPENDED, ProcessInstance, Refused, UserTask

from . import charts, words
from .charts import DONE, OPEN, Bar, Chart, Line
from .session import office

DELIVERED = words.Mark("✓", _l("Disampaikan tepat waktu"), "done")
TOO_LATE = words.Mark("■", _l("Tenggat sudah lewat"), "late")
RETURNS_SAID_MOST = 9  # more is said without a number

IN_TIME = words.Mark("●", _l("Diperkirakan tepat waktu"), "on-time")
NO_ROOM = words.Mark("▲", _l("Tepat waktu, tanpa ruang pengembalian"), "due-soon")


@dataclass(frozen=True, kw_only=True)
class Band:
    """What stands above an instance, or a start, about its end."""

    mark: words.Mark | None  # None: this process has no deadline
    finish: str
    ahead: bool = True  # False: it is over, or what the deadline asks for is done
    room: str = ""
    left: str = ""
    start_by: str = ""
    likely: str = ""
    costs: str = ""
    again: str = ""  # what one more return would do
    note: str = ""

    @property
    def details(self) -> tuple[str, ...]:
        """What stands smaller under the first sentences."""
        return tuple(one for one in (self.note, self.start_by, self.left, self.again, self.costs, self.likely) if one)


def delivered(forecast: Forecast, definition: ProcessDefinition) -> datetime | None:
    """When the element that the deadline names was finished; None while it is not, or where there is no deadline."""
    if definition.deadline is None:
        return None
    ahead = any(one.element == definition.deadline.satisfied_by and one.state != DONE for one in forecast.passes)
    return None if ahead or forecast.finish is None or forecast.finish > forecast.at else forecast.finish


def light(forecast: Forecast, definition: ProcessDefinition) -> words.Mark | None:
    """Where the forecast stands against the deadline: a shape and words, never colour alone."""
    if forecast.deadline is None or forecast.finish is None:
        return None
    if done := delivered(forecast, definition):
        return DELIVERED if done < forecast.deadline else words.Mark("■", _("Disampaikan setelah tenggat"), "late")
    if forecast.at >= forecast.deadline:
        return TOO_LATE
    late = forecast.late_by_working_days
    if late > 0:
        text = ngettext("Diperkirakan terlambat %(num)s hari kerja", "Diperkirakan terlambat %(num)s hari kerja", late)
        return words.Mark("■", text, "late")
    return NO_ROOM if forecast.returns_possible == 0 and may_return(forecast, definition) else IN_TIME


def may_return(forecast: Forecast, definition: ProcessDefinition) -> bool:
    """Whether a decision that can lead back is still ahead: after the last of them nothing can be returned."""
    back = {definition.flows[one].source for one in Ways(definition).returns}
    ahead = {one.element for one in forecast.passes if one.state != DONE}
    return any(gateway in after(definition, one) for gateway in back for one in ahead)


def after(definition: ProcessDefinition, user_task: str) -> set[str]:
    """The elements that can follow a user task before the next one."""
    found, ahead = set[str](), [*definition.behind[user_task]]
    while ahead:
        one = ahead.pop()
        if one not in found:
            found.add(one)
            if definition.elements[one].kind != "userTask":
                ahead += definition.behind[one]
    return found


def finish_words(forecast: Forecast, definition: ProcessDefinition, zone: str) -> str:
    """`Perkiraan disampaikan Jumat, 26 Februari 2027 pukul 15.30 WIB; tenggat 28 Februari.`"""
    if forecast.finish is None or forecast.deadline_day is None:
        if forecast.instance_finish <= forecast.at and all(one.state == DONE for one in forecast.passes):
            return str(_("Selesai %(at)s", at=words.full(forecast.instance_finish, zone))) + "."
        return str(_("Perkiraan selesai %(at)s.", at=words.full(forecast.instance_finish, zone)))
    done = delivered(forecast, definition)
    at = done or forecast.finish
    until = day_near(forecast.deadline_day, at, zone)
    if done:
        return str(_("Disampaikan %(at)s; tenggat %(day)s.", at=words.full(at, zone), day=until))
    return str(_("Perkiraan disampaikan %(at)s; tenggat %(day)s.", at=words.full(at, zone), day=until))


def day_near(day: date, beside: datetime, zone: str) -> str:
    """A day without its year where an instant beside it has said it already."""
    text = words.short_day(day)
    return text.rsplit(" ", 1)[0] if day.year == words.local(beside, zone).year else text


def room(forecast: Forecast, definition: ProcessDefinition) -> str:
    """How many returns the plan still bears, besides those that it supposes already."""
    possible = forecast.returns_possible
    if possible is None or forecast.working_deadline is None or not may_return(forecast, definition):
        return ""
    if forecast.at >= forecast.working_deadline:
        return ""  # it is past, and said so
    if possible > RETURNS_SAID_MOST:
        return str(_("Masih cukup waktu untuk pengembalian."))
    if possible < 0:
        return str(_("Tanpa pengembalian pun batas kerja terlewati."))
    if forecast.returns:
        more = possible - forecast.returns
        if more < 0:
            return str(_("Pengembalian sebanyak itu melewati batas kerja."))
        if more == 0:
            return str(_("Tidak ada ruang untuk pengembalian lagi."))
        return ngettext("Masih mungkin %(num)s kali pengembalian lagi.",
                        "Masih mungkin %(num)s kali pengembalian lagi.", more)
    if possible == 0:
        return str(_("Tidak ada ruang untuk pengembalian."))
    return ngettext("Masih mungkin %(num)s kali pengembalian.", "Masih mungkin %(num)s kali pengembalian.", possible)


def left(forecast: Forecast, calendar: Calendar, now: datetime, zone: str) -> str:
    """Working days until the working deadline, or since."""
    until = forecast.working_deadline
    if until is None:
        return ""
    days = calendars.working_days_between(now, until, calendar)
    at = words.full(until, zone)
    if now > until:
        return str(_("Batas kerja %(at)s sudah lewat.", at=at))
    if days == 0:
        return str(_("Batas kerja hari ini, %(at)s.", at=at))
    return ngettext(
        "Sisa %(num)s hari kerja sampai batas kerja %(at)s.",
        "Sisa %(num)s hari kerja sampai batas kerja %(at)s.",
        days,
        at=at,
    )


def likely(forecast: Forecast, found: Likelihood | None, zone: str) -> str:
    """How probable it is to be late, by what steps really took; before there is enough of that, that there is not."""
    if forecast.deadline is None:
        return ""
    if found is None:
        return str(_("Kemungkinan terlambat: belum cukup data (perlu lima kali selesai dari langkah-langkahnya)."))
    text = _(
        "Kemungkinan terlambat %(share)s persen, menurut lama yang sebenarnya (%(runs)s simulasi; "
        "delapan dari sepuluh berakhir antara %(early)s dan %(late)s).",
        share=round(found.probability_late * 100),
        runs=found.runs,
        early=words.short_day(words.local(found.finish_10, zone).date()),
        late=words.short_day(words.local(found.finish_90, zone).date()),
    )
    if not found.standard:
        return str(text)
    few = ngettext(
        "Untuk %(num)s langkah belum cukup data; di situ dipakai waktu baku.",
        "Untuk %(num)s langkah belum cukup data; di situ dipakai waktu baku.",
        len(found.standard),
    )
    return f"{text} {few}"


def with_a_return(forecast: Forecast, zone: str) -> str:
    """What a plan with one return comes to."""
    if forecast.finish is None:
        return ""
    at, late = words.full(forecast.finish, zone), forecast.late_by_working_days
    if not late:
        return str(_("Bila dikembalikan satu kali: disampaikan %(at)s, tepat waktu.", at=at))
    return ngettext(
        "Bila dikembalikan satu kali: disampaikan %(at)s, terlambat %(num)s hari kerja.",
        "Bila dikembalikan satu kali: disampaikan %(at)s, terlambat %(num)s hari kerja.",
        late,
        at=at,
    )


def costliest(forecast: Forecast, definition: ProcessDefinition) -> str:
    """The lane that the rest of the way costs most, and what."""
    lane = definition.lane(forecast.costliest_lane)
    if lane is None or not forecast.lane_minutes.get(lane.id):
        return ""
    return str(
        _(
            "Paling banyak waktu: %(lane)s, %(length)s.",
            lane=lane.name,
            length=words.working(forecast.lane_minutes[lane.id]),
        )
    )


def of_instance(
    forecast: Forecast,
    definition: ProcessDefinition,
    calendar: Calendar,
    now: datetime,
    zone: str,
    found: Likelihood | None = None,
) -> Band:
    """The band of a running instance."""
    if delivered(forecast, definition):
        return Band(mark=light(forecast, definition), finish=finish_words(forecast, definition, zone), ahead=False)
    return Band(
        mark=light(forecast, definition),
        finish=finish_words(forecast, definition, zone),
        room=room(forecast, definition),
        left=left(forecast, calendar, now, zone),
        likely=likely(forecast, found, zone),
        costs=costliest(forecast, definition),
    )


def before_start(
    forecast: Forecast,
    definition: ProcessDefinition,
    zone: str,
    now: datetime,
    found: Likelihood | None = None,
    at_once: bool = True,
) -> Band:
    """The band of a start that has not been made: what comes of it, and by when it would have to be made.

    at_once  it would be made now; else at some other time, which the page says.
    """
    finish = finish_words(forecast, definition, zone)
    if at_once:
        finish = str(_("Bila dimulai sekarang: %(finish)s", finish=finish[:1].lower() + finish[1:]))
    return Band(
        mark=light(forecast, definition),
        finish=finish,
        room=room(forecast, definition),
        start_by=start_by(forecast, zone, now),
        likely=likely(forecast, found, zone),
    )


def start_by(forecast: Forecast, zone: str, now: datetime) -> str:
    """The latest start that is in time, with the returns that the forecast supposes."""
    if forecast.latest_start is None:
        return ""
    at = words.full(forecast.latest_start, zone)
    if forecast.latest_start < now:
        return str(_("Agar tepat waktu, seharusnya dimulai paling lambat %(at)s.", at=at))
    return str(_("Agar tepat waktu, paling lambat mulai %(at)s.", at=at))


# The picture


def chart(
    forecast: Forecast,
    definition: ProcessDefinition,
    calendar: Calendar,
    zone: str,
    title: str,
    *,
    now: datetime | None,
    free: Callable[[date], bool] | None = None,
) -> Chart:
    """The plan as a chart.

    calendar  the unit's own: its free days are shaded.
    now       is drawn as a line; None: it does not matter to this plan.
    """
    windows = {(one.element, one.round): one for one in forecast.windows}
    lines = []
    if now is not None:
        lines.append(Line(at=now, kind="today", label=_("Hari ini")))
    if forecast.working_deadline:
        lines.append(Line(at=forecast.working_deadline, kind="working", label=_("Batas kerja")))
    if forecast.deadline and forecast.deadline_day:
        text = _("Tenggat %(day)s", day=words.short_day(forecast.deadline_day))
        lines.append(Line(at=forecast.deadline, kind="deadline", label=text))
    return Chart(
        title=title,
        lanes=tuple((lane.id, lane.name) for lane in definition.lanes),
        bars=charts.in_order(
            bar(one, definition, windows) for one in forecast.passes if one.element in definition.elements
        ),
        lines=tuple(lines),
        zone=zone,
        free=free or (lambda day: not calendar.hours(day)),
    )


def bar(one: PlannedPass, definition: ProcessDefinition, windows: Mapping[tuple[str, int], Window]) -> Bar:
    element, window = definition.elements[one.element], windows.get((one.element, one.round))
    norm = definition.norm(one.element)
    standard = norm is not None and norm.timer is not None and not one.measured and one.state != DONE
    return Bar(
        lane=one.lane,
        number=element.number,
        name=element.name,
        round=one.round,
        start=one.start,
        end=one.end,
        state=one.state,
        duration=words.length(norm.timer.expression, norm.timer.unit)
        if standard and norm and norm.timer
        else words.working(one.minutes),
        measured=one.measured,
        latest_start=window.latest_start if window else None,
        latest_finish=window.latest_finish if window else None,
    )


# What a page asks


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A forecast as the page of an instance shows it."""

    band: Band
    chart: Chart
    windows: Mapping[tuple[str, int], Window]  # (element, round) -> by when it must be begun and done


def seen(
    db: Connection, instance: ProcessInstance, definition: ProcessDefinition, now: datetime, zone: str, title: str
) -> Seen | None:
    """What the page of an instance shows of its end. None of a cancelled one, and where nobody can say."""
    if instance.status == CANCELLED:
        return None
    try:
        found = outlook.of_instance(db, office().rules, instance, now)
    except (ForecastError, CalendarError):
        return None
    calendar = office().rules.calendar(instance.calendars[""])
    over = instance.status not in (RUNNING, SUSPENDED)
    band = of_instance(found.forecast, definition, calendar, now, zone, found.likelihood)
    if band.ahead and may_return(found.forecast, definition):
        band = replace(band, again=with_a_return(forecasts.of_instance(office().rules, instance, now, returns=1), zone))
    if instance.status == SUSPENDED:
        band = replace(band, note=str(_("Berkas proses ditangguhkan: perkiraan ini andaikata dilanjutkan sekarang.")))
    return Seen(
        band=band,
        chart=chart(found.forecast, definition, calendar, zone, title, now=None if over else now),
        windows={(one.element, one.round): one for one in found.forecast.windows},
    )


def glance(db: Connection, instance: ProcessInstance, now: datetime) -> Forecast | None:
    """The forecast of an instance without what lies behind it: one of many in a list, asked for no statement each."""
    if instance.status == CANCELLED:
        return None
    known = ("glance", instance.id, instance.sequence, outlook.hour(now))
    try:
        found: Forecast = outlook.Memory.of(db).recall(
            known, lambda: forecasts.of_instance(office().rules, instance, now)
        )
    except (ForecastError, CalendarError):
        return None
    return found


def starting(
    db: Connection, definition: ProcessDefinition, unit: str, now: datetime, zone: str, year: int | None
) -> Band | None:
    """What would come of a start now.

    year  the tahun laporan that is typed; None: the one whose deadline comes first.
    """
    try:
        if year is None:
            opening = handle.opening(db, definition.key, unit, data={}, at=now)
            year = forecasts.first_year(office().rules, definition, opening.calendars, now)
        data = {} if year is None else {"tahun_laporan": year}
        found = outlook.before_start(db, office().rules, definition.key, unit, now, data)
    except (ForecastError, CalendarError, Refused):
        return None
    return before_start(found.forecast, definition, zone, now, found.likelihood)


def needed_by(db: Connection, instance: ProcessInstance, task: UserTask, now: datetime) -> datetime | None:
    """By when an open user task must be done for the deadline to be met; None where there is none, or it is met."""
    found = glance(db, instance, now)
    windows = found.windows if found else ()
    return next((w.latest_finish for w in windows if (w.element, w.round) == (task.element, task.round)), None)


def next_for(
    found: Iterable[tuple[Forecast, ProcessDefinition, frozenset[str]]],
) -> tuple[datetime, str] | None:
    """(when, what) of the next user task that will probably come to somebody: the earliest pass to come in a lane of
    theirs.

    found  of each instance its forecast, its definition, and the lanes that they perform in it.
    """
    coming = [
        (one.start, words.step_name(definition, one.element))
        for forecast, definition, lanes in found
        for one in forecast.passes
        if one.state not in (DONE, OPEN) and one.lane in lanes
    ]
    return min(coming, default=None)
