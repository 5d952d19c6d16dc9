"""The verb of the forecast: where it meets what is stored. Finished passes come in; what was worked out is remembered.

A page may list twenty instances: a forecast is remembered until the instance moves or the hour is over, a likelihood
until the instance moves or the day is over, in this process only. Nothing here reads a clock.
"""
from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from . import forecast, handle
from .forecast import Beginning, Forecast, Likelihood, PlannedPass, Samples
from .instance import ProcessInstance
from .rules import Rules
from .store import passes

RUNS = 200
MOST_REMEMBERED = 4_000
SAMPLES_KEPT = timedelta(minutes=5)     # then they are read again


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """A forecast with the standard norms, and beside it how likely it is; None: "belum cukup data"."""
    forecast: Forecast
    likelihood: Likelihood | None


def of_instance(db: Connection, rules: Rules, instance: ProcessInstance, at: datetime, returns: int = 0) -> Outlook:
    """What is forecast of an instance as it stands, its finished passes in front. Raises forecast.ForecastError."""
    memory, stands = Memory.of(db), (instance.id, instance.sequence)
    found, version = memory.samples(db, instance.key, at)
    day = local_day(rules, instance.calendars, at)

    def forecast_() -> Forecast:
        return forecast.of_instance(rules, instance, at, returns=returns, done=done(db, rules, instance))

    def likelihood() -> Likelihood | None:
        return forecast.likelihood(rules, instance, at, found, seed=instance.sequence, runs=RUNS)

    return Outlook(forecast=memory.recall((*stands, returns, hour(at)), forecast_),
                   likelihood=memory.recall((*stands, day, version), likelihood))


def before_start(db: Connection, rules: Rules, key: str, unit: str, at: datetime, data: Mapping[str, Any],
                 returns: int = 0) -> Outlook:
    """What is forecast of a run of the definition in force then that this unit would begin at `at`, in the calendars of
    those who would perform it.

    data  what the start form gives so far; the deadline stands in {"tahun_laporan": 2026}.
    Raises Refused where the unit may not start it, forecast.ForecastError.
    """
    act = handle.opening(db, key, unit, data=data, at=at)
    definition = rules.definition(act.definition)
    memory = Memory.of(db)
    found, version = memory.samples(db, key, at)

    def likelihood() -> Likelihood | None:
        beginning = Beginning(definition=definition, calendars=act.calendars, data=data)
        return forecast.likelihood(rules, beginning, at, found, seed=0, runs=RUNS)

    said = json.dumps([act.definition, sorted(act.calendars.items()), data], sort_keys=True, default=str)
    day = local_day(rules, act.calendars, at)
    return Outlook(forecast=forecast.standard(rules, definition, act.calendars, at, data=data, returns=returns),
                   likelihood=memory.recall((said, day, version), likelihood))


def done(db: Connection, rules: Rules, instance: ProcessInstance) -> tuple[PlannedPass, ...]:
    """The finished passes of an instance, with when each began: what a picture of it begins with."""
    return passes.of_instance(db, rules, instance)


def hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def local_day(rules: Rules, calendars: Mapping[str, str], at: datetime) -> date:
    return at.astimezone(ZoneInfo(rules.calendar(calendars[""]).zone)).date()


class Memory:
    """What was worked out over one database, the newest MOST_REMEMBERED of it. Shared by threads."""

    def __init__(self) -> None:
        self.known: OrderedDict[Hashable, Any] = OrderedDict()
        self.read: dict[str, tuple[datetime, int, Samples]] = {}
        self.lock = Lock()

    @classmethod
    def of(cls, db: Connection) -> Memory:
        with ENTRANCE:
            return MEMORIES.setdefault(db.engine, cls())

    def samples(self, db: Connection, key: str, at: datetime) -> tuple[Samples, int]:
        """The finished passes of a process, and a number that is another when they are others."""
        read_at, version, before = self.read.get(key, (None, 0, None))
        if read_at is not None and before is not None and timedelta() <= at - read_at < SAMPLES_KEPT:
            return before, version
        found = passes.samples(db, key)
        if found != before:
            version += 1
        self.read[key] = (at, version, found)
        return found, version

    def recall(self, key: Hashable, work_out: Callable[[], Any]) -> Any:
        """What was worked out for `key`, now if it never was. Two threads that meet may both do so: it is the same."""
        with self.lock:
            if key in self.known:
                self.known.move_to_end(key)
                return self.known[key]
        found = work_out()
        with self.lock:
            self.known[key] = found
            while len(self.known) > MOST_REMEMBERED:
                self.known.popitem(last=False)
        return found


MEMORIES: WeakKeyDictionary[Any, Memory] = WeakKeyDictionary()          # by the engine of a database
ENTRANCE = Lock()
