"""Timers without a clock: SpiffWorkflow's, which wait until they are told, and the instants ours are due.

SpiffWorkflow reads the wall clock in six places to see whether a timer has fired. A ClocklessTimer never looks:
it fires when a command says so, and the instant it is due is worked out here from recorded data.
"""
from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition

from . import calendars
from .definition import Timer
from .expressions import to_json

CYCLE = re.compile(r"R([1-9]\d{0,3})/(P.+)")


class TimerError(ValueError):
    """A timer that is due never: its expression gives no instant."""


class ClocklessTimer(TimerEventDefinition):     # type: ignore[misc]  # SpiffWorkflow has no types
    """SpiffWorkflow's timer, deaf to the clock: it has fired when `catch` was called, never before."""

    def __init__(self, name: str):
        super().__init__(name, expression="")

    def has_fired(self, task: Any) -> bool:
        return task.internal_data.get("event_fired", False)


def cycles(timer: Timer) -> int:
    """How often it fires in all: the number in `R3/PT1H`, 1 for any other timer."""
    found = CYCLE.fullmatch(timer.expression) if timer.kind == "cycle" else None
    return int(found[1]) if found else 1


def due(timer: Timer, at: datetime, calendar: calendars.Calendar, evaluate: Callable[[str], object]) -> datetime:
    """The instant (aware, UTC) a timer armed at `at` is due.

    calendar  whose working time counts, and in whose zone a date without an hour begins.
    evaluate  gives the value of a FEEL expression.
    Raises TimerError, calendars.CalendarError or the expression's own error.
    Source: BPMN 2.0.2, 10.5.5 (timeDuration, timeDate, timeCycle); durations are working time (DESIGN.md, law 4).
    """
    computed = timer.expression.startswith("=")
    expression = evaluate(timer.expression) if computed else timer.expression
    if timer.kind == "date":
        return instant(expression, calendar.zone)
    expression = to_json(expression) if computed else expression
    if timer.kind == "cycle":
        found = CYCLE.fullmatch(str(expression))
        if not found:
            raise TimerError(f"{expression!r} is no cycle such as R3/PT1H.")
        expression = found[2]
    if timer.unit == "kalender":
        return calendars.wall_clock_due(str(expression), at, calendar.zone)
    return calendars.due_at(str(expression), at, calendar)


def instant(value: object, zone: str) -> datetime:
    """A FEEL date (its first moment in `zone`), a date and time, or ISO 8601 text, as an aware instant in UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
        except ValueError:
            raise TimerError(f"{value!r} is no date and no instant.") from None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), ZoneInfo(zone)).astimezone(UTC)
    raise TimerError(f"{value!r} is no date and no instant.")
