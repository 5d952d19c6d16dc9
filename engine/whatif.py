"""What if: a definition with another norm, a calendar with another week or other days, beside the real rules.

Values that live as long as one question. Nothing of them is stored: the forecast counts with them as with the real
ones, and an instance that is kept never sees them. Each has a hash of its own, so that nothing remembered of the real
ones is taken for theirs.
"""
from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

import rfc8785

from .calendars import Calendar, Holiday, parse_duration
from .definition import ProcessDefinition
from .execution import Transitions
from .process import Rules

_NORM = re.compile(r"(?:([0-9]{1,4})\s*hari)?\s*(?:([0-9]{1,4})\s*jam)?\s*(?:([0-9]{1,6})\s*menit)?(?:\s*kerja)?", re.I)
NORM_DAYS_MOST = 250            # more than a working year for one step is a slip of the hand


class Supposed:
    """Rules that know some values more than the real ones, which they leave as they are."""

    def __init__(self, rules: Rules, definition: ProcessDefinition | None = None, of: str = "",
                 calendars: Iterable[Calendar] = ()):
        """definition  another version of the definition whose SHA-256 is `of`, with the same flow: see `with_norms`."""
        self._rules, self._definition, self._of = rules, definition, of
        self._calendars = {one.sha256: one for one in calendars}

    def definition(self, sha256: str) -> ProcessDefinition:
        supposed = self._definition
        return supposed if supposed is not None and supposed.sha256 == sha256 else self._rules.definition(sha256)

    def transitions(self, sha256: str) -> Transitions:
        """Tokens move as in the original: how long a step takes is not among what a transition depends on."""
        supposed = self._definition is not None and self._definition.sha256 == sha256
        return self._rules.transitions(self._of if supposed else sha256)

    def calendar(self, sha256: str) -> Calendar:
        return self._calendars.get(sha256) or self._rules.calendar(sha256)


def with_norms(definition: ProcessDefinition, norms: Mapping[str, str]) -> ProcessDefinition:
    """The definition with other norms: user task -> ISO 8601 duration. The same one where nothing differs.

    Raises CalendarError for a duration that cannot be counted; a user task without a norm keeps none.
    """
    changed = {}
    for id, duration in norms.items():
        norm = definition.norm(id)
        if norm is not None and norm.timer is not None and norm.timer.expression != duration:
            parse_duration(duration)
            changed[norm.id] = replace(norm, timer=replace(norm.timer, expression=duration))
    if not changed:
        return definition
    said = {id: one.timer.expression for id, one in changed.items() if one.timer}
    named = hashlib.sha256(rfc8785.dumps([definition.sha256, said])).hexdigest()
    return replace(definition, sha256=named, elements={**definition.elements, **changed})


def with_days(calendar: Calendar, added: Iterable[Holiday], removed: Iterable[date]) -> Calendar:
    """The calendar with more days without work, and with some of its holidays as working days."""
    more, fewer = {one.date: one for one in added}, set(removed)
    kept = [one for one in calendar.holidays if one.date not in more and one.date not in fewer]
    if not more and len(kept) == len(calendar.holidays):
        return calendar
    return replace(calendar, holidays=(*kept, *more.values()))


def duration_of(text: str) -> str | None:
    """"P20D" of `20 hari`, "PT120M" of `120 menit`, "P1DT2H" of `1 hari 2 jam`: what `sop.in_words` says, read again.

    None for anything else, for no time at all, and for more than NORM_DAYS_MOST days.
    """
    found = _NORM.fullmatch(text.strip())
    days, hours, minutes = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    if not 0 < days * 1440 + hours * 60 + minutes <= NORM_DAYS_MOST * 1440:
        return None
    time = f"T{f'{hours}H' if hours else ''}{f'{minutes}M' if minutes else ''}" if hours or minutes else ""
    return f"P{f'{days}D' if days else ''}{time}"
