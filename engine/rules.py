"""What a decision may look up: definitions and calendars, immutable, by their SHA-256. No "current" anything.

Loaded once a process and kept: what a hash names never changes. Where they are loaded from is said by whoever makes a
Rules, so that the heart knows no database.
"""
from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from .calendars import Calendar
from .definition import ProcessDefinition
from .execution import Transitions

Value = TypeVar("Value")


class Rules:
    """Immutable values by SHA-256, to be shared between threads.

    load_definition, load_calendar  give the value of a hash, or raise LookupError; asked once for each.
    """

    def __init__(self, load_definition: Callable[[str], ProcessDefinition], load_calendar: Callable[[str], Calendar]):
        self._load_definition, self._load_calendar = load_definition, load_calendar
        self._definitions: dict[str, ProcessDefinition] = {}
        self._transitions: dict[str, Transitions] = {}
        self._calendars: dict[str, Calendar] = {}
        self._lock = Lock()

    def definition(self, sha256: str) -> ProcessDefinition:
        return self._definitions.get(sha256) or self._learn(self._definitions, sha256, self._load_definition)

    def transitions(self, sha256: str) -> Transitions:
        """How the engine moves the tokens of this definition, with what it has learnt of it so far."""
        found = self._transitions.get(sha256)
        if found is None:
            definition = self.definition(sha256)
            found = self._learn(self._transitions, sha256, lambda _: Transitions(definition))
        return found

    def calendar(self, sha256: str) -> Calendar:
        return self._calendars.get(sha256) or self._learn(self._calendars, sha256, self._load_calendar)

    def _learn(self, known: dict[str, Value], sha256: str, load: Callable[[str], Value]) -> Value:
        with self._lock:        # two threads that miss at once get the same value
            if sha256 not in known:
                known[sha256] = load(sha256)
            return known[sha256]
