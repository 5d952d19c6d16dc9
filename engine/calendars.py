"""Working time: when "2 hari" or "20 menit" are over in an office that closes, breaks, fasts and celebrates.

A Calendar is a value with a hash: a working week with its breaks, seasons with other hours (Ramadan), holidays and cuti
bersama, a zone. An instance records the hash of each calendar that it counts in, so a changed calendar is another one
and the past stays as it was computed (DESIGN.md, law 4).

How time is counted (the office's reading of the SOP's Waktu, to be confirmed by each unit):

- `P2D`, "2 hari": the same point of the working day, two working days later. A shorter day ends at its close (a task
  opened on Thursday 13.50 and due on a Friday that closes at 11.00 is due at 11.00). A Ramadan day is one day.
- `PT20M`, "20 menit": twenty working minutes.
- A start outside hours counts from the next opening, one in a break from the end of the break.
- An end at the opening of a day is the close of the working day before: nobody is due at 07.30 for yesterday's work.

Working hours are wall-clock hours of the calendar's zone (Indonesia has no daylight saving time). Instants come in
aware and go out aware, in UTC. Sources: Perpres 21/2023; Perbup Rembang 46/2017; UU 30/2014 for "hari kerja".
"""
from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property, lru_cache
from importlib.metadata import version
from itertools import pairwise
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import rfc8785

VERSION = 1                     # of the JSON form of a calendar
DURATION_DAYS_MAX = 3_660       # ten years
HORIZON_YEARS = 150             # the most years of working days that are looked up at once
FIRST_YEAR, LAST_YEAR = 2, 9_990
HOLIDAY_KINDS = ("libur_nasional", "cuti_bersama", "libur_daerah", "libur_lain")

MINUTE = 60_000_000             # microseconds; all arithmetic here is in whole microseconds
DAY = 24 * 60 * MINUTE

Answer = TypeVar("Answer")


class CalendarError(ValueError):
    """A duration or a calendar that gives no instant: what is, what was expected, what to do."""


Hours = tuple[tuple[time, time], ...]       # the spells of work of a day, in order: ((07:30, 12:00), (13:00, 16:00))
Week = tuple[Hours, Hours, Hours, Hours, Hours, Hours, Hours]       # from Monday


@dataclass(frozen=True, kw_only=True)
class Holiday:
    """A day without work."""
    date: date
    name: str
    kind: str                   # one of HOLIDAY_KINDS
    legal_basis: str = ""       # "SKB Tiga Menteri Nomor 1497, 2, dan 5 Tahun 2025"; "" while nobody has entered it
    source: str = ""            # where the row was taken from

    def to_json(self) -> dict[str, str]:
        return {"date": self.date.isoformat(), "name": self.name, "kind": self.kind,
                "legal_basis": self.legal_basis, "source": self.source}


@dataclass(frozen=True, kw_only=True)
class Season:
    """Days with other hours than the rest of the year: Ramadan."""
    name: str
    first: date
    last: date                  # included
    week: Week
    legal_basis: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "first": self.first.isoformat(), "last": self.last.isoformat(),
                "week": _week_to_json(self.week), "legal_basis": self.legal_basis}


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """When an office works. Equal calendars have equal hashes; `sha256` is the identity of this version.

    Raises CalendarError when it contradicts itself: spells of work that overlap, two holidays on a date, no such zone.
    """
    name: str                   # how people and the command line name it: "lima_hari"
    title: str                  # what a screen calls it
    zone: str                   # IANA: "Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"
    week: Week
    seasons: tuple[Season, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    confirmed: bool = False     # False: "belum dikonfirmasi" on forecasts and printed papers
    legal_basis: str = ""       # why this week: the rule that the unit follows

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise CalendarError(f"'{self.zone}' is no time zone; name one such as Asia/Jakarta") from error
        _check_week(self.week, self.name)
        for season in self.seasons:
            _check_week(season.week, season.name)
            if season.last < season.first:
                raise CalendarError(f"{season.name} ends on {season.last}, before it begins on {season.first}")
        for holiday in self.holidays:
            if holiday.kind not in HOLIDAY_KINDS:
                raise CalendarError(f"'{holiday.kind}' on {holiday.date} is no kind of holiday; "
                                    f"expected one of {', '.join(HOLIDAY_KINDS)}")
        # In order, so that calendars that say the same have the same hash.
        object.__setattr__(self, "seasons", tuple(sorted(self.seasons, key=lambda one: one.first)))
        object.__setattr__(self, "holidays", tuple(sorted(self.holidays, key=lambda one: one.date)))
        for one, other in pairwise(self.seasons):
            if other.first <= one.last:
                raise CalendarError(f"{one.name} and {other.name} overlap on {other.first}")
        for first, second in pairwise(self.holidays):
            if first.date == second.date:
                raise CalendarError(f"two holidays on {first.date}: {first.name}; {second.name}. Keep one row a date.")

    def to_json(self) -> dict[str, Any]:
        """The whole calendar as JSON-able values; `body` writes it down."""
        return {"v": VERSION, "name": self.name, "title": self.title, "zone": self.zone,
                "week": _week_to_json(self.week), "seasons": [one.to_json() for one in self.seasons],
                "holidays": [one.to_json() for one in self.holidays], "confirmed": self.confirmed,
                "legal_basis": self.legal_basis}

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | str | bytes) -> Calendar:
        """The calendar that `to_json` or `body` wrote down. Raises CalendarError for anything else."""
        try:
            found = json.loads(value) if isinstance(value, str | bytes) else value
            if found["v"] != VERSION:
                raise CalendarError(f"version {found['v']} of a calendar is unknown; this program reads {VERSION}")
            return cls(
                name=found["name"], title=found["title"], zone=found["zone"], week=_week_from_json(found["week"]),
                seasons=tuple(Season(name=one["name"], first=date.fromisoformat(one["first"]),
                                     last=date.fromisoformat(one["last"]), week=_week_from_json(one["week"]),
                                     legal_basis=one["legal_basis"]) for one in found["seasons"]),
                holidays=tuple(Holiday(date=date.fromisoformat(one["date"]), name=one["name"], kind=one["kind"],
                                       legal_basis=one["legal_basis"], source=one["source"])
                               for one in found["holidays"]),
                confirmed=found["confirmed"] is True, legal_basis=found["legal_basis"])
        except CalendarError:
            raise
        except (ValueError, TypeError, KeyError) as error:
            raise CalendarError("this is no calendar as `to_json` writes it: "
                                f"{type(error).__name__} {error}") from error

    @cached_property
    def body(self) -> bytes:
        """The canonical bytes (RFC 8785) that are stored and hashed."""
        return rfc8785.dumps(self.to_json())

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    def holiday(self, day: date) -> Holiday | None:
        return self._holidays.get(day)

    def season(self, day: date) -> Season | None:
        return next((one for one in self.seasons if one.first <= day <= one.last), None)

    def hours(self, day: date) -> Hours:
        """The spells of work on `day`; none on a holiday or a free day of the week."""
        if day in self._holidays:
            return ()
        season = self.season(day)
        return (season.week if season else self.week)[day.weekday()]

    @cached_property
    def _holidays(self) -> dict[date, Holiday]:
        return {one.date: one for one in self.holidays}

    @cached_property
    def _lines(self) -> list[_Timeline]:
        """The working days that were looked up last, at most one line of them: see `_line`."""
        return []

    def __hash__(self) -> int:
        return hash(self.sha256)


def _check_week(week: Week, whose: str) -> None:
    if len(week) != 7:
        raise CalendarError(f"the week of {whose} has {len(week)} days; expected 7, from Monday")
    for hours in week:
        clock = [at for spell in hours for at in spell]
        if any(at.second or at.microsecond or at.tzinfo for at in clock):
            raise CalendarError(f"hours of {whose} are not in whole minutes without a zone: {clock}")
        if any(later <= earlier for earlier, later in pairwise(clock)):
            said = ", ".join(f"{opens:%H.%M}-{closes:%H.%M}" for opens, closes in hours)
            raise CalendarError(f"hours of {whose} are not in order: {said}")


def _week_to_json(week: Week) -> list[list[list[str]]]:
    return [[[opens.strftime("%H:%M"), closes.strftime("%H:%M")] for opens, closes in hours] for hours in week]


def _week_from_json(value: Any) -> Week:
    days = [tuple((time.fromisoformat(opens), time.fromisoformat(closes)) for opens, closes in hours)
            for hours in value]
    if len(days) != 7:
        raise CalendarError(f"a week has {len(days)} days; expected 7, from Monday")
    return (days[0], days[1], days[2], days[3], days[4], days[5], days[6])


# ---------------------------------------------------------------------------------------------------------------------
# Durations
# ---------------------------------------------------------------------------------------------------------------------

_DURATION = re.compile(r"P(?=[0-9T])(?:([0-9]{1,6})D)?(?:T(?=[0-9])(?:([0-9]{1,7})H)?(?:([0-9]{1,9})M)?"
                       r"(?:([0-9]{1,9})S)?)?")
_WEEKS = re.compile(r"P([0-9]{1,6})W")
_YEARS_OR_MONTHS = re.compile(r"P[0-9]+[YM].*")


@dataclass(frozen=True)
class Duration:
    """An ISO 8601 duration as a calendar counts it: days, and time within days."""
    days: int
    microseconds: int

    @property
    def doubled(self) -> Duration:
        return Duration(self.days * 2, self.microseconds * 2)


@lru_cache(maxsize=1024)
def parse_duration(duration: str, *, weeks: bool = False) -> Duration:
    """`P2D`, `PT20M`, `PT2H`, `P1DT30M` as a Duration.

    weeks  whether `P1W` is seven days (on the wall calendar) or refused (of a working week nobody can say how long).
    Raises CalendarError for years, months, fractions, signs, nothing at all, and more than ten years.
    Source: ISO 8601-1:2019, 5.5.2.
    """
    if match := _WEEKS.fullmatch(duration):
        if not weeks:
            raise CalendarError(f"'{duration}' counts weeks, and how many working days a week has differs from office "
                                "to office; write days, such as P5D")
        found = Duration(int(match[1]) * 7, 0)
    elif match := _DURATION.fullmatch(duration):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        found = Duration(days, ((hours * 60 + minutes) * 60 + seconds) * 1_000_000)
    elif _YEARS_OR_MONTHS.fullmatch(duration):
        raise CalendarError(f"'{duration}' counts years or months, which are not of one length; "
                            "write days, such as P20D")
    else:
        raise CalendarError(f"'{duration}' is no duration; write P2D for two days, PT20M for twenty minutes")
    if not found.days and not found.microseconds:
        raise CalendarError(f"'{duration}' is no time at all; a norm is at least a second long")
    if found.days + found.microseconds / DAY > DURATION_DAYS_MAX:
        raise CalendarError(f"'{duration}' is longer than {DURATION_DAYS_MAX} days; is that meant?")
    return found


# ---------------------------------------------------------------------------------------------------------------------
# The working days in a row
# ---------------------------------------------------------------------------------------------------------------------

class _TooShort(Exception):
    """A question about days behind the end of a line; the answer needs a longer one."""


class _Timeline:
    """The working days of a calendar over some years, numbered from 0, with the working time before each.

    A point is (number of the day, microseconds of work done on it), 0 <= work <= the day's length. The close of a day
    and the opening of the next are two points of the same working time. Built once, never changed: threads share it.
    """
    __slots__ = ("before", "days", "first_year", "last_year", "spells", "zone")

    def __init__(self, calendar: Calendar, first_year: int, last_year: int):
        self.first_year, self.last_year = first_year, last_year
        self.zone = ZoneInfo(calendar.zone)
        self.days: list[int] = []                               # proleptic ordinals of the working days
        self.spells: list[tuple[tuple[int, int], ...]] = []     # of each, in microseconds of its wall clock
        self.before: list[int] = [0]                            # work before each of them; one more at the end
        for ordinal in range(date(first_year, 1, 1).toordinal(), date(last_year, 12, 31).toordinal() + 1):
            hours = calendar.hours(date.fromordinal(ordinal))
            if hours:
                spells = tuple((_clock(opens), _clock(closes)) for opens, closes in hours)
                self.days.append(ordinal)
                self.spells.append(spells)
                self.before.append(self.before[-1] + sum(closes - opens for opens, closes in spells))

    def check(self, day: int) -> int:
        if day >= len(self.days):
            raise _TooShort
        return day

    def length(self, day: int) -> int:
        return self.before[day + 1] - self.before[day]

    def point(self, at: datetime) -> tuple[int, int]:
        """Where counting stands at `at`: in hours where it is, in a break at its end, outside at the next opening.

        The close of a day is still that day.
        """
        local = at.astimezone(self.zone)
        ordinal = local.toordinal()
        day = self.check(bisect_left(self.days, ordinal))
        if self.days[day] != ordinal:
            return day, 0
        clock = _clock(local)
        work = 0
        for opens, closes in self.spells[day]:
            if clock <= opens:
                return day, work
            if clock <= closes:
                return day, work + clock - opens
            work += closes - opens
        return self.check(day + 1), 0

    def later(self, point: tuple[int, int], duration: Duration) -> tuple[int, int]:
        """The point `duration` after `point`: days first, then time. An opening is given as the close before it."""
        day, work = self.days_later(point, duration.days)
        if duration.microseconds:
            total = self.before[day] + work + duration.microseconds
            day = self.check(bisect_left(self.before, total) - 1)
            return day, total - self.before[day]
        return (day, work) if work else (day - 1, self.length(day - 1))

    def days_later(self, point: tuple[int, int], days: int) -> tuple[int, int]:
        """The same point of the working day so many working days later; the close of a day that is shorter."""
        day = self.check(point[0] + days)
        return day, min(point[1], self.length(day))

    def worked(self, point: tuple[int, int]) -> int:
        """Working time since the line began."""
        return self.before[point[0]] + point[1]

    def until(self, point: tuple[int, int]) -> datetime:
        """The instant at which work comes to `point`, in UTC: at a break, its beginning."""
        day, work = point
        for opens, closes in self.spells[day]:
            if work <= closes - opens:
                return self.at_clock(day, opens + work)
            work -= closes - opens
        raise AssertionError("a point lies within its day")

    def since(self, point: tuple[int, int]) -> datetime:
        """The instant from which work goes on at `point`, in UTC: at a break, its end."""
        day, work = point
        for opens, closes in self.spells[day]:
            if work < closes - opens:
                return self.at_clock(day, opens + work)
            work -= closes - opens
        return self.close(day)

    def opening(self, day: int) -> datetime:
        return self.at_clock(self.check(day), self.spells[day][0][0])

    def close(self, day: int) -> datetime:
        return self.at_clock(self.check(day), self.spells[day][-1][1])

    def at_clock(self, day: int, microseconds: int) -> datetime:
        midnight = datetime.fromordinal(self.days[day]).replace(tzinfo=self.zone)
        return (midnight + timedelta(microseconds=microseconds)).astimezone(UTC)


def _clock(at: time | datetime) -> int:
    """Microseconds since midnight on the wall clock."""
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1_000_000 + at.microsecond


def _asked(calendar: Calendar, instants: Sequence[datetime], question: Callable[[_Timeline], Answer]) -> Answer:
    """What `question` answers on a line of working days that begins before `instants` and is long enough.

    Raises CalendarError at the horizon, so that a calendar without working days is an error and not an endless search.
    """
    for at in instants:
        if at.tzinfo is None or at.utcoffset() is None:
            raise CalendarError(f"the instant {at.isoformat()} has no zone; give an aware one")
    years = [at.year for at in instants]
    line = _line(calendar, min(years) - 1, max(years) + 1)      # the local year may be another
    while True:
        try:
            return question(line)
        except _TooShort:
            length = line.last_year - line.first_year
            if length >= HORIZON_YEARS or line.last_year >= LAST_YEAR:
                raise CalendarError(f"the calendar '{calendar.name}' has too few working days from {line.first_year} "
                                    f"to {line.last_year}; give its week more hours") from None
            line = _line(calendar, line.first_year, min(line.last_year + 2 * length, LAST_YEAR))


def _line(calendar: Calendar, first_year: int, last_year: int) -> _Timeline:
    """The working days of these years, and of those that were asked for before if they are near."""
    known = calendar._lines[0] if calendar._lines else None
    if known is not None and known.first_year <= first_year and last_year <= known.last_year:
        return known
    if first_year < FIRST_YEAR or last_year > LAST_YEAR or last_year - first_year > 4 * HORIZON_YEARS:
        raise CalendarError(f"the years {first_year} to {last_year} are too far apart or out of range to be counted")
    if known is not None and max(last_year, known.last_year) - min(first_year, known.first_year) < HORIZON_YEARS:
        first_year, last_year = min(first_year, known.first_year), max(last_year, known.last_year)
    line = _Timeline(calendar, first_year - 1, last_year + 2)   # some more, for the next question
    calendar._lines[:] = [line]     # in one stroke: another thread sees the old line or the new one, both true
    return line


# ---------------------------------------------------------------------------------------------------------------------
# Due
# ---------------------------------------------------------------------------------------------------------------------

def due_at(duration: str, at: datetime, calendar: Calendar) -> datetime:
    """The instant at which `duration`, begun at `at`, is over in working time of `calendar`.

    duration  ISO 8601 days and time, "P2D", "PT20M", "P1DT30M" (days first, then time).
    at        aware. The answer is aware, UTC, inside working hours, and not before `at`.
    Raises CalendarError for a duration that cannot be counted, or a calendar that has too few working days for it.
    """
    return _due(parse_duration(duration), at, calendar)


def _due(duration: Duration, at: datetime, calendar: Calendar) -> datetime:
    return _asked(calendar, (at,), lambda line: line.until(line.later(line.point(at), duration)))


def wall_clock_due(duration: str, at: datetime, zone: str) -> datetime:
    """The instant at which `duration`, begun at `at`, is over on the wall clock of `zone`, in UTC.

    For timers with `sop.satuanWaktu=kalender`: "P2D" is the same time of day two days later, holidays or not; "P1W" is
    seven days. Raises CalendarError like `due_at`.
    """
    return _wall_clock(parse_duration(duration, weeks=True), at, zone)


def _wall_clock(duration: Duration, at: datetime, zone: str) -> datetime:
    if at.tzinfo is None or at.utcoffset() is None:
        raise CalendarError(f"the instant {at.isoformat()} has no zone; give an aware one")
    local = at.astimezone(ZoneInfo(zone)) + timedelta(days=duration.days)
    return local.astimezone(UTC) + timedelta(microseconds=duration.microseconds)


def three_instants(duration: str, at: datetime, calendar: Calendar, unit: str = "kerja") \
        -> tuple[datetime, datetime, datetime]:
    """(norm_at, late_at, escalate_at) of a user task opened at `at`, in UTC (CONTRACTS.md 4).

    norm_at      the SOP's Waktu, when the boundary timer fires
    late_at      = norm_at for days; for a norm in hours or minutes the end of the next working day, because the
                 official may be out: the norm is compared with processing time, not with the calendar
    escalate_at  twice the norm
    unit         "kerja" or "kalender" (wall clock; then late_at = norm_at)
    """
    if unit == "kalender":
        length = parse_duration(duration, weeks=True)
        norm_at = _wall_clock(length, at, calendar.zone)
        return norm_at, norm_at, _wall_clock(length.doubled, at, calendar.zone)
    if unit != "kerja":
        raise CalendarError(f"'{unit}' is no unit of time; expected 'kerja' or 'kalender'")
    length = parse_duration(duration)
    norm_at = _due(length, at, calendar)
    late_at = norm_at if length.days else max(norm_at, end_of_next_working_day(at, calendar))
    return norm_at, late_at, _due(length.doubled, at, calendar)


NEAR_SHARE = 5                  # a fifth of the norm


def near_due(opened_at: datetime, norm_at: datetime, late_at: datetime, calendar: Calendar) -> datetime | None:
    """The instant, in UTC, from which a user task is near its limit (CONTRACTS.md 4): at most a fifth of its norm is
    left, at least half of the working day on which the limit falls.

    None for a norm in minutes, and for one that is no longer than that half day. The limit of a norm in days is the
    norm itself; where an extension moved it, a norm in days is known by its being whole days.
    """
    if norm_at != late_at:
        days = working_days_between(opened_at, norm_at, calendar)
        if days < 1 or due_at(f"P{days}D", opened_at, calendar) != norm_at:
            return None

    def question(line: _Timeline) -> datetime:
        limit = line.point(late_at)
        norm = line.worked(line.point(norm_at)) - line.worked(line.point(opened_at))
        total = line.worked(limit) - max(norm // NEAR_SHARE, line.length(limit[0]) // 2)
        day = bisect_right(line.before, total) - 1
        return line.until((day, total - line.before[day]))

    near_at = _asked(calendar, (opened_at, norm_at, late_at), question)
    return near_at if near_at > opened_at else None


# ---------------------------------------------------------------------------------------------------------------------
# Between
# ---------------------------------------------------------------------------------------------------------------------

def working_minutes(start: datetime, end: datetime, calendar: Calendar) -> int:
    """Whole working minutes from `start` to `end`; negative when `end` is the earlier."""
    work = _asked(calendar, (start, end), lambda line: line.worked(line.point(end)) - line.worked(line.point(start)))
    return work // MINUTE if work >= 0 else -(-work // MINUTE)


def working_days_between(start: datetime, end: datetime, calendar: Calendar) -> int:
    """How many working days later `end` is than `start`, as people count: by the days, not by the hours.

    From Friday 16.00 to Monday 09.00 is one; within a day none; negative when `end` is the earlier. An opening counts
    as the close before it, so `working_days_between(at, due_at("PnD", at, ...), ...)` is always n.
    """
    def number(line: _Timeline, at: datetime) -> int:
        day, work = line.point(at)
        return day if work else day - 1

    return _asked(calendar, (start, end), lambda line: number(line, end) - number(line, start))


def working_days(first: date, last: date, calendar: Calendar) -> int:
    """The number of working days from `first` to `last`, both included."""
    if last < first:
        return 0
    days = _line(calendar, first.year, last.year).days
    return bisect_right(days, last.toordinal()) - bisect_left(days, first.toordinal())


# ---------------------------------------------------------------------------------------------------------------------
# Openings and closes
# ---------------------------------------------------------------------------------------------------------------------

def counted_from(at: datetime, calendar: Calendar) -> datetime:
    """The instant from which work that arrives at `at` is counted: `at` in working hours, else the end of the break or
    the next opening. In UTC."""
    return _asked(calendar, (at,), lambda line: line.since(line.point(at)))


def counted_until(at: datetime, calendar: Calendar) -> datetime:
    """The last instant in working hours, not after `at`, by which as much work is done as by `at`: `at` itself, the
    beginning of the break, or the close before it. In UTC."""
    return _due(Duration(0, 0), at, calendar)


def next_opening(at: datetime, calendar: Calendar) -> datetime:
    """The first opening of a working day at or after `at`, in UTC."""
    def question(line: _Timeline) -> datetime:
        day, work = line.point(at)
        return line.opening(day + 1 if work else day)

    return _asked(calendar, (at,), question)


def close_of_day(at: datetime, calendar: Calendar) -> datetime:
    """The close of the working day that `at` belongs to; after hours and on free days, of the next one. In UTC."""
    return _asked(calendar, (at,), lambda line: line.close(line.point(at)[0]))


def end_of_next_working_day(at: datetime, calendar: Calendar) -> datetime:
    """The close of the working day after the one that `at` belongs to, in UTC: `late_at` of norms in minutes.

    What arrives after the close counts as arrived on the next working day.
    """
    return _asked(calendar, (at,), lambda line: line.close(line.point(at)[0] + 1))


def last_working_close(day: date, calendar: Calendar) -> datetime:
    """The close of the last working day on or before `day`, in UTC: the working deadline of a deadline on `day`.

    Raises CalendarError when there is none in the year before it.
    """
    line = _line(calendar, day.year - 1, day.year)
    number = bisect_right(line.days, day.toordinal()) - 1
    if number < 0 or day.toordinal() - line.days[number] > 366:
        raise CalendarError(f"the calendar '{calendar.name}' has no working day in the year before {day}")
    return line.close(number)


def last_working_close_of_february(year: int, calendar: Calendar) -> datetime:
    """The `batas kerja` of an LKjPD that is due at the end of February of `year` (CONTRACTS.md 4), in UTC."""
    return last_working_close(date(year, 3, 1) - timedelta(days=1), calendar)


# ---------------------------------------------------------------------------------------------------------------------
# A path of durations, forward and back
# ---------------------------------------------------------------------------------------------------------------------

Path = Sequence[tuple[str, Calendar]]       # durations one after another, each in the calendar of who performs it


def ends(path: Path, at: datetime) -> tuple[datetime, ...]:
    """When each duration of `path` is over, the first begun at `at`, each next one when the one before is over."""
    found: list[datetime] = []
    for duration, calendar in path:
        at = due_at(duration, at, calendar)
        found.append(at)
    return tuple(found)


def latest_start(path: Path, by: datetime) -> datetime:
    """The latest start, to the minute and in working hours of the first calendar, from which `path` is over by `by`.

    Counting is monotone (a later start never ends earlier), so halving finds it. In UTC.
    Raises CalendarError when no start in the twelve years before `by` is early enough.
    """
    earliest = by - timedelta(days=12 * 366)

    def question(line: _Timeline) -> datetime:
        # Both in working minutes since the line began.
        impossible, first = (-(-line.worked(line.point(at)) // MINUTE) for at in (by, earliest))
        possible, step = impossible, 1
        while not _is_over(path, line, possible := max(first, impossible - step), by):
            if possible == first:
                raise CalendarError(f"no start since {earliest.isoformat()} is over by {by.isoformat()}")
            impossible, step = possible, step * 2
        while impossible - possible > 1:
            middle = (possible + impossible) // 2
            if _is_over(path, line, middle, by):
                possible = middle
            else:
                impossible = middle
        return _at_working_minute(line, possible)

    return _asked(path[0][1], (earliest, by), question)


def _is_over(path: Path, line: _Timeline, minute: int, by: datetime) -> bool:
    return ends(path, _at_working_minute(line, minute))[-1] <= by


def _at_working_minute(line: _Timeline, minute: int) -> datetime:
    """The instant at which so many working minutes of the line are over; between two days the opening of the later."""
    day = bisect_right(line.before, minute * MINUTE) - 1
    return line.until((day, minute * MINUTE - line.before[day]))


# ---------------------------------------------------------------------------------------------------------------------
# Explained
# ---------------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True, kw_only=True)
class Counted:
    """A day on which the duration ran."""
    date: date
    number: int | None          # the how-manieth counted day it is; None when only minutes were counted on it
    minutes: int                # working minutes counted on it besides days
    hours: Hours
    season: str | None          # "Ramadan 1448 H"


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A day on which it did not run, and why."""
    date: date
    kind: str                   # "libur_mingguan" or one of HOLIDAY_KINDS
    name: str | None            # of the holiday


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A due instant that a person can check by hand. Instants are in the zone of the calendar."""
    duration: str
    calendar: str               # its name
    start: datetime             # as asked
    counted_from: datetime      # start, or the opening after it
    due: datetime
    counted: tuple[Counted, ...]
    skipped: tuple[Skipped, ...]

    def to_json(self) -> dict[str, Any]:
        """What `alur due --json` prints (CONTRACTS.md 8)."""
        return {
            "duration": self.duration, "calendar": self.calendar, "start": self.start.isoformat(),
            "counted_from": self.counted_from.isoformat(), "due": self.due.isoformat(),
            "counted": [{"date": one.date.isoformat(), "number": one.number, "minutes": one.minutes,
                         "hours": [[f"{opens:%H:%M}", f"{closes:%H:%M}"] for opens, closes in one.hours],
                         "season": one.season} for one in self.counted],
            "skipped": [{"date": one.date.isoformat(), "kind": one.kind, "name": one.name} for one in self.skipped]}


def explain(duration: str, at: datetime, calendar: Calendar) -> Explanation:
    """`due_at` with the days it counted and the days it skipped, in order. Raises what `due_at` raises."""
    length = parse_duration(duration)
    return _asked(calendar, (at,), lambda line: _explained(line, duration, length, at, calendar))


def _explained(line: _Timeline, duration: str, length: Duration, at: datetime, calendar: Calendar) -> Explanation:
    begin = line.point(at)
    due = line.until(line.later(begin, length)).astimezone(line.zone)
    local = at.astimezone(line.zone)
    # An opening counts as the close of the day before, at both ends: Monday 07.30 + P1D is Monday at the close.
    first = begin[0] + 1 if begin[1] else begin[0]
    numbers = {first + n: n + 1 for n in range(length.days)}
    minutes = _minutes_by_day(line, line.days_later(begin, length.days), length.microseconds)

    counted = []
    for day in sorted(numbers.keys() | minutes.keys()):
        on = date.fromordinal(line.days[day])
        season = calendar.season(on)
        counted.append(Counted(date=on, number=numbers.get(day), minutes=minutes.get(day, 0), hours=calendar.hours(on),
                               season=season.name if season else None))
    skipped = []
    for ordinal in range(local.toordinal(), due.toordinal() + 1):
        on = date.fromordinal(ordinal)
        if not calendar.hours(on):
            holiday = calendar.holiday(on)
            skipped.append(Skipped(date=on, kind=holiday.kind if holiday else "libur_mingguan",
                                   name=holiday.name if holiday else None))
    return Explanation(duration=duration, calendar=calendar.name, start=local, due=due, counted=tuple(counted),
                       counted_from=line.since(begin).astimezone(line.zone), skipped=tuple(skipped))


def _minutes_by_day(line: _Timeline, point: tuple[int, int], microseconds: int) -> dict[int, int]:
    """Working minutes by number of the day, of time that runs from `point`; part of a minute counts where it began."""
    found: dict[int, int] = {}
    day, work = point
    while microseconds > 0:
        here = min(microseconds, line.length(day) - work)
        if here:
            found[day] = -(-here // MINUTE)
        microseconds -= here
        day, work = day + 1, 0
    return found


# ---------------------------------------------------------------------------------------------------------------------
# Presets
# ---------------------------------------------------------------------------------------------------------------------

def _hours(*spells: str) -> Hours:
    """`_hours("07:30-12:00", "13:00-16:00")`."""
    return tuple((time.fromisoformat(opens), time.fromisoformat(closes))
                 for opens, closes in (spell.split("-") for spell in spells))


def _week(usual: Hours, friday: Hours, saturday: Hours = ()) -> Week:
    return (usual, usual, usual, usual, friday, saturday, ())


# Perpres 21/2023, article 4, read literally: 37.5 hours a week without breaks, from 07.30; a break of 60 minutes, on
# Friday 90. In Ramadan 32.5 hours, from 08.00; 30 minutes, on Friday 60 (the pattern of circulars after it).
_FIVE_DAYS = _week(_hours("07:30-12:00", "13:00-16:00"), _hours("07:30-11:30", "13:00-16:30"))
_FIVE_DAYS_RAMADAN = _week(_hours("08:00-12:00", "12:30-15:00"), _hours("08:00-11:30", "12:30-15:30"))
# Perbup Rembang 46/2017: six days from 1 January 2018, 37.5 hours. Its Ramadan hours were not found; these are those of
# the neighbouring Kabupaten Grobogan in 2026.
_SIX_DAYS = _week(_hours("07:00-14:00"), _hours("07:00-11:00"), _hours("07:00-12:30"))
_SIX_DAYS_RAMADAN = _week(_hours("07:30-13:30"), _hours("07:30-11:00"), _hours("07:30-12:30"))

# First and last day of fasting as decreed (isbat); from 1448 H on an estimate, to be corrected when it is decreed.
_RAMADAN = (
    ("Ramadan 1444 H", date(2023, 3, 23), date(2023, 4, 21)),
    ("Ramadan 1445 H", date(2024, 3, 12), date(2024, 4, 9)),
    ("Ramadan 1446 H", date(2025, 3, 1), date(2025, 3, 30)),
    ("Ramadan 1447 H", date(2026, 2, 19), date(2026, 3, 20)),
    ("Ramadan 1448 H (perkiraan)", date(2027, 2, 8), date(2027, 3, 9)),
    ("Ramadan 1449 H (perkiraan)", date(2028, 1, 28), date(2028, 2, 26)),
)
_PRESET_YEARS = range(2023, 2029)
# The joint decree whose dates were compared with the package's, all 25 of them.
_DECREES = {2026: "SKB Tiga Menteri Nomor 1497, 2, dan 5 Tahun 2025"}


@cache
def five_days() -> Calendar:
    """The week of Perpres 21/2023, Monday to Friday, in WIB; holidays and Ramadan 2023 to 2028. Not confirmed."""
    return Calendar(
        name="lima_hari", title="Lima hari kerja (Perpres 21/2023)", zone="Asia/Jakarta", week=_FIVE_DAYS,
        seasons=_ramadan(_FIVE_DAYS_RAMADAN, "Perpres 21/2023 Pasal 4 ayat (2)"),
        holidays=national_holidays(_PRESET_YEARS), legal_basis="Perpres 21/2023 Pasal 3 dan Pasal 4")


@cache
def six_days() -> Calendar:
    """The week of Perbup Rembang 46/2017, Monday to Saturday, in WIB; holidays and Ramadan as `five_days`."""
    return Calendar(
        name="enam_hari", title="Enam hari kerja (Perbup Rembang 46/2017)", zone="Asia/Jakarta", week=_SIX_DAYS,
        seasons=_ramadan(_SIX_DAYS_RAMADAN, "belum ditemukan; jam menurut Kabupaten Grobogan 2026"),
        holidays=national_holidays(_PRESET_YEARS), legal_basis="Perbup Rembang 46/2017")


PRESETS = {"lima_hari": five_days, "enam_hari": six_days}


def _ramadan(week: Week, legal_basis: str) -> tuple[Season, ...]:
    return tuple(Season(name=name, first=first, last=last, week=week, legal_basis=legal_basis)
                 for name, first, last in _RAMADAN)


def national_holidays(years: Iterable[int]) -> tuple[Holiday, ...]:
    """The national holidays and cuti bersama of `years` as the package `holidays` knows them: a seed, to be edited.

    Cuti bersama are in its category "government", which it leaves out unless asked; without them 2025 looks feasible.
    It knows them up to the last year with a joint decree: see `years_without_cuti_bersama`.
    """
    import holidays  # only seeding needs it, and it takes a while to load

    asked = sorted(set(years))
    found: dict[date, Holiday] = {}
    source = f"holidays {version('holidays')}"
    for category, kind in (("government", "cuti_bersama"), ("public", "libur_nasional")):
        for on, name in holidays.country_holidays("ID", years=asked, categories=(category,), language="id").items():
            found[on] = Holiday(date=on, name=name, kind=kind, legal_basis=_DECREES.get(on.year, ""),
                                source=source)
    return tuple(found[on] for on in sorted(found))


def years_without_cuti_bersama(years: Iterable[int], calendar: Calendar) -> tuple[int, ...]:
    """The years among `years` without a single cuti bersama: not decreed yet, or not entered. Screens warn of them."""
    known = {one.date.year for one in calendar.holidays if one.kind == "cuti_bersama"}
    return tuple(year for year in sorted(set(years)) if year not in known)
