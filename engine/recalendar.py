"""The verb of calendars: publish a version for a unit, and bring it into every instance that counts in one before it.

An instance keeps the hash of each calendar it counts in, so a published calendar changes nothing by itself. `publish`
records it and then sends `ChangeCalendar` through the one door, instance by instance; `catch_up` sends what a crash
left unsent. `rehearse` says beforehand what would move. At the end: what of a unit's reading still waits for its basis.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby, islice
from uuid import uuid5

import structlog
from sqlalchemy import Connection

from . import calendars, handle, process
from .calendars import Calendar
from .commands import Actor, ChangeCalendar, Command
from .definition import Element, ProcessDefinition
from .events import IncidentRaised
from .execution import Transitions
from .instance import Problem, ProcessInstance, Refused, Step
from .organisation import DAYS, SYSTEM, listed
from .rules import Rules
from .store import database as databases
from .store import definitions, instances, journal, organisation
from .store.database import Database
from .store.definitions import Publication

LONGEST_REASON = 500
MOST_HOLIDAYS = 3_000                   # of one calendar: a century of Indonesian ones
MOST_SEASONS = 60
MOST_REHEARSED = 300                    # instances of one rehearsal
MOST_YEARS_IN_USE = 12

log = structlog.get_logger("alur.recalendar")


# Who counts in what

@dataclass(frozen=True, kw_only=True)
class Behind:
    """An instance that counts in a superseded calendar, and the command that brings it to the newest."""
    instance: str
    command_id: str                     # the same from whoever asks, so that it is done once
    act: ChangeCalendar


class Standing:
    """What every unit counts in at this moment, as one connection sees it."""

    def __init__(self, db: Connection, supposed: Mapping[str, str] | None = None):
        """supposed  unit -> the SHA-256 that would be published for it."""
        self.db = db
        self.now = {**definitions.published(db), **(supposed or {})}
        self._publications: dict[str, tuple[Publication, ...]] = {}

    @cached_property
    def elsewhere(self) -> dict[tuple[str, str], dict[str, str]]:
        return definitions.performers_elsewhere(self.db)

    def owner(self, key: str, unit: str, lane: str) -> str:
        """The unit in whose calendar a lane counts: that of its performer where it has one, else the instance's."""
        performer = self.elsewhere.get((key, unit), {}).get(lane, unit)
        return performer if performer in self.now else unit

    def owners(self, key: str, unit: str) -> set[str]:
        """Every unit whose calendar may count in an instance, also one that gets its first calendar just now."""
        return {unit, *self.elsewhere.get((key, unit), {}).values()}

    def publications(self, unit: str) -> tuple[Publication, ...]:
        if unit not in self._publications:
            self._publications[unit] = definitions.publications(self.db, unit)
        return self._publications[unit]

    def versions(self, unit: str) -> set[str]:
        return {one.sha256 for one in self.publications(unit)}

    def behind(self, instance: ProcessInstance) -> Behind | None:
        """What the instance lacks; None where it counts in the newest, or in a calendar that nobody published."""
        changes: dict[str, str] = {}
        by: dict[str, Publication | None] = {}
        for lane, sha256 in sorted(instance.calendars.items()):
            owner = self.owner(instance.key, instance.unit, lane)
            newest = self.now.get(owner)
            if newest is None or newest == sha256:
                continue
            if sha256 in self.versions(owner) | self.versions(instance.unit):
                changes[lane] = newest
                by[owner] = next(iter(self.publications(owner)[-1:]), None)
        if not changes:
            return None
        # With the number of the publication: who goes back to an earlier calendar asks for something new.
        told = " ".join(f"{owner}@{one.sequence if one else 0}={self.now[owner]}" for owner, one in sorted(by.items()))
        return Behind(instance=instance.id, act=ChangeCalendar(calendars=changes, reason=self.reason(by)),
                      command_id=str(uuid5(handle.NAMESPACE, f"calendar {instance.id} {told}")))

    def reason(self, by: Mapping[str, Publication | None]) -> str:
        names = unit_names(self.db)
        return " ".join(f"Kalender kerja {names.get(owner, owner)} diubah: "
                        f"{(one.reason if one else '') or 'tanpa alasan yang tercatat'}"
                        for owner, one in sorted(by.items()))


def unit_names(db: Connection) -> dict[str, str]:
    return {one.id: one.name for one in organisation.units(db)}


# Publish, and bring it to what is open

@dataclass(frozen=True, kw_only=True)
class Published:
    sha256: str
    moved: tuple[tuple[str, Step], ...] = ()    # (instance, the Step that brought it to this calendar)
    left: tuple[str, ...] = ()                  # instances that could not be brought: the worker tries again


def publish(database: Database, rules: Rules, unit: str, calendar: Calendar, *, actor: Actor, reason: str,
            command_id: str, at: datetime | None = None, over: str | None = None) -> Published:
    """Make `calendar` the unit's, and bring it to every instance that counts in one before it.

    at    only on a demonstration or in a test; else the database's own clock.
    over  the SHA-256 that the change was drawn from, "" where there was none; None: whatever stands.
    Raises Refused: `not_yours`, `unknown`, `wrong`, `other`, and `stale` where another version was published meanwhile.
    """
    judge(calendar, reason)
    with database.begin() as db:
        definitions.lock_calendar(db, unit)
        if actor.capacity != SYSTEM and not organisation.is_administrator(db, actor.person):
            raise Refused("not_yours", "Hanya administrator yang dapat mengubah kalender.")
        if organisation.unit_of(db, unit) is None:
            raise Refused("unknown", "Unit ini tidak ada.")
        repeated = journal.sequence_of(db, definitions.calendar_stream(unit), command_id) is not None
        stands = definitions.calendar_of(db, unit) or ""
        if over is not None and not repeated and stands not in (over, calendar.sha256):
            raise Refused("stale", "Kalender ini sudah diubah orang lain sejak halaman Anda dibuka.")
        moment = at or databases.now(db)
        must_count(calendar, moment)
        sha256 = definitions.publish_calendar(db, database.key, unit, calendar, actor=actor, reason=reason.strip(),
                                              at=moment, command_id=command_id)
        standing = Standing(db)
        behind = [one for instance in open_instances(db, standing, unit) if (one := standing.behind(instance))]
    moved, left = [], []
    for one in behind:
        try:
            step = bring(database, rules, one.instance, at) or recorded(database, one)
        except Exception as error:
            log.error("calendar not brought", instance=one.instance, error=f"{type(error).__name__}: {error}")
            left.append(one.instance)
            continue
        if step is not None:
            moved.append((one.instance, step))
    return Published(sha256=sha256, moved=tuple(moved), left=tuple(left))


def judge(calendar: Calendar, reason: str) -> None:
    """Refuse what is too much, or has no reason."""
    if not reason.strip():
        raise Refused("wrong", "Tuliskan alasannya.", (Problem("alasan", "Alasan: belum diisi."),))
    if len(reason) > LONGEST_REASON:
        problem = f"Alasan terlalu panjang: {len(reason)} karakter, paling banyak {LONGEST_REASON}."
        raise Refused("wrong", problem, (Problem("alasan", problem),))
    for many, most, what in ((calendar.holidays, MOST_HOLIDAYS, "hari libur"), (calendar.seasons, MOST_SEASONS,
                                                                                "masa dengan jam kerja lain")):
        if len(many) > most:
            raise Refused("wrong", f"Kalender memuat {len(many)} {what}; paling banyak {most}.")


def must_count(calendar: Calendar, at: datetime) -> None:
    """Refuse a calendar in which sixty working days do not come to pass."""
    try:
        calendars.due_at("P60D", at, calendar)
    except calendars.CalendarError as error:
        raise Refused("wrong", "Dengan kalender ini tidak ada cukup hari kerja untuk menghitung batas waktu. Isi jam "
                               "kerja paling sedikit satu hari seminggu.") from error


def bring(database: Database, rules: Rules, id: str, at: datetime | None = None) -> Step | None:
    """Bring one instance to the calendars that its units count in now, in a transaction of its own.

    None where there is nothing to bring: it is over, or somebody else has done it.
    """
    with database.begin() as db:
        instance = instances.load(db, id)
        if instance is None:
            return None
        # No publication between what is read here and what is written: the older of two may not come last.
        for unit in sorted(Standing(db).owners(instance.key, instance.unit)):
            definitions.lock_calendar(db, unit)
        instance = instances.load(db, id)
        behind = Standing(db).behind(instance) if instance else None
        if behind is None:
            return None
        request = handle.Request(id=behind.command_id, act=behind.act, person="timer", signed_in_by="worker", at=at)
        try:
            (step,) = handle.handle(db, rules, database.key, id, [request])
        except Refused as refused:
            if refused.code == "not_running":       # it ended meanwhile: the past stays
                return None
            raise
        return step


def recorded(database: Database, behind: Behind) -> Step | None:
    """The Step by which somebody else was quicker, None where there is none."""
    with database.read() as db:
        sequence = journal.sequence_of(db, instances.stream(behind.instance), behind.command_id)
        if sequence is None:
            return None
        return next(iter(instances.steps(db, behind.instance, sequence - 1)))[0]


def open_instances(db: Connection, standing: Standing, unit: str | None = None) -> list[ProcessInstance]:
    """The running and suspended instances in which a unit's calendar may count (None: all), by id."""
    found = []
    for id, key, of in definitions.counting(db):
        if unit is None or unit in standing.owners(key, of):
            try:
                found.append(instances.load(db, id))
            except Exception as error:          # a row that cannot be read is the doctor's matter
                log.error("instance cannot be read", instance=id, error=f"{type(error).__name__}: {error}")
    return [one for one in found if one is not None]


def catch_up(database: Database, rules: Rules, at: datetime | None = None) -> tuple[int, int]:
    """Bring every open instance to the newest calendars; (how many moved, how many could not be).

    What a publication did not reach: its process ended half-way, or an instance was being started beside it.
    """
    with database.read() as db:
        standing = Standing(db)
        waiting = [one.id for one in open_instances(db, standing) if standing.behind(one)]
    moved = failed = 0
    for id in waiting:
        try:
            step = bring(database, rules, id, at)
        except Exception as error:
            log.error("calendar not brought", instance=id, error=f"{type(error).__name__}: {error}")
            failed += 1
            continue
        moved += step is not None and not any(isinstance(event, IncidentRaised) for event in step.events)
    if moved:
        log.info("calendars brought", instances=moved)
    return moved, failed


# Beforehand

class Supposed:
    """Rules that know one calendar more: one that nobody has published yet."""

    def __init__(self, rules: Rules, supposed: Calendar):
        self.rules, self.supposed = rules, supposed

    def definition(self, sha256: str) -> ProcessDefinition:
        return self.rules.definition(sha256)

    def transitions(self, sha256: str) -> Transitions:
        return self.rules.transitions(sha256)

    def calendar(self, sha256: str) -> Calendar:
        return self.supposed if sha256 == self.supposed.sha256 else self.rules.calendar(sha256)


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What a publication would do. Nothing is written."""
    steps: tuple[tuple[ProcessInstance, Step], ...]
    more: int                           # instances that were not rehearsed: there are too many


def rehearse(db: Connection, rules: Rules, unit: str, calendar: Calendar, at: datetime) -> Rehearsal:
    """The Steps that publishing `calendar` for a unit at `at` would cause, by instance.

    Raises Refused (`wrong`) where it cannot be counted in.
    """
    judge(calendar, "-")
    must_count(calendar, at)
    standing, supposed = Standing(db, {unit: calendar.sha256}), Supposed(rules, calendar)
    behind = ((instance, one) for instance in open_instances(db, standing, unit) if (one := standing.behind(instance)))
    found = []
    for instance, one in islice(behind, MOST_REHEARSED):
        command = Command(id=one.command_id, act=one.act, at=max(at, instance.last_at or at),
                          actor=process.actor_of_the_clock())
        found.append((instance, process.decide(supposed, instance, command)))
    return Rehearsal(steps=tuple(found), more=sum(1 for _ in behind))


# What is not confirmed yet

def assumed(definition: ProcessDefinition) -> list[Element]:
    """The elements whose performer the SOP does not name (sop.asumsi), in the order of their numbers."""
    found = [one for one in definition.elements.values() if one.properties.get("sop.asumsi", "").casefold() == "ya"]
    return sorted(found, key=lambda one: (len(one.number or ""), one.number or "", one.id))


def counts_days(definition: ProcessDefinition) -> bool:
    """Whether a norm of the SOP is said in days."""
    timers = [one.timer for one in definition.elements.values() if one.timer]
    return any(one.kind == "duration" and one.unit == "kerja" and "D" in one.expression for one in timers)


def unconfirmed(db: Connection, rules: Rules, key: str, unit: str) -> tuple[str, ...]:
    """What a forecast or a printed paper of a process must say it rests on, though nobody has confirmed it: sentences.

    The calendars of the unit and of the other offices that perform a lane for it, the reading "hari" = hari kerja, the
    performers of assumed steps. Nothing where the process was never deployed.
    """
    version = definitions.newest(db, key)
    if version is None:
        return ()
    definition, standing = rules.definition(version.sha256), Standing(db)
    confirmed, names = organisation.readings(db, key, unit), unit_names(db)
    told = []
    for one in sorted(standing.owners(key, unit) & standing.now.keys(), key=lambda one: (one != unit, one)):
        calendar = rules.calendar(standing.now[one])
        if not calendar.confirmed:
            told.append(f"Kalender kerja {names.get(one, one)} belum dikonfirmasi: {calendar.title}.")
    if counts_days(definition) and DAYS not in confirmed:
        told.append("“Hari” pada Waktu SOP dibaca sebagai hari kerja: belum dikonfirmasi.")
    open_ = [one for one in assumed(definition)
             if one.id not in confirmed or confirmed[one.id].value != (one.lane or "")]
    for lane_id, some in groupby(open_, key=lambda one: one.lane or ""):
        lane = definition.lane(lane_id)
        steps = listed(one.number or one.name for one in some)
        told.append(f"Pelaksana langkah {steps} ({lane.name if lane else lane_id}) masih asumsi: belum dikonfirmasi.")
    return tuple(told)


def years_in_use(db: Connection, at: datetime) -> tuple[int, ...]:
    """This year, the next, and those between the start and the deadline of any open instance."""
    found = {at.year, at.year + 1, *definitions.years_of_open_instances(db)}
    return tuple(sorted(found, key=lambda year: abs(year - at.year))[:MOST_YEARS_IN_USE])


def without_cuti_bersama(db: Connection, rules: Rules, at: datetime) -> dict[str, tuple[int, ...]]:
    """Unit -> the years in use for which its calendar has no cuti bersama: dates counted through them may move."""
    years = years_in_use(db, at)
    found = {unit: calendars.years_without_cuti_bersama(years, rules.calendar(sha256))
             for unit, sha256 in definitions.published(db).items()}
    return {unit: missing for unit, missing in found.items() if missing}


def history(db: Connection, rules: Rules, unit: str) -> Sequence[tuple[Publication, Calendar | None, Calendar]]:
    """Every version of a unit's calendar beside the one before it, the newest first."""
    told = definitions.publications(db, unit)
    values = [rules.calendar(one.sha256) for one in told]
    return [(one, before, value) for one, before, value in zip(told, [None, *values], values, strict=False)][::-1]
