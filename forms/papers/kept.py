"""Documents of SOPs, each computed once and then kept for a while; never two large ones at the same time.

A document of 80 rows and 20 Pelaksana takes many seconds of a processor. So one is computed at a time in a process, and
who asks meanwhile is told to ask again: threads that wait would be missing to everybody else. What was computed is kept
in memory and not in a folder: it is made again in a moment after a restart, and nothing has to be swept.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict
from threading import Lock

from engine.sop_table import SopTable

from . import sop
from .sop import State

MOST_BYTES = 32_000_000  # of all that is kept
PATIENCE_SECONDS = 3.0  # that a second one waits for the first: an ordinary document is done by then
AGAIN_SECONDS = 5  # after which who was turned away asks again

_kept: OrderedDict[str, bytes] = OrderedDict()
_computing = Lock()
_reading = Lock()


class Busy(Exception):
    """Another document is being computed; ask again in AGAIN_SECONDS."""


def document(table: SopTable, facts: Mapping[str, str], state: State, kind: str = "pdf", paper: str = "a4") -> bytes:
    """`sop.sop_document`, from memory where the same was computed before. Raises Busy."""
    name = _name(table, facts, state, kind, paper)
    if (found := _look(name)) is not None:
        return found
    if not _computing.acquire(timeout=PATIENCE_SECONDS):
        raise Busy
    try:
        if (found := _look(name)) is not None:  # the one before asked for the same
            return found
        made = sop.sop_document(table, facts, state, kind, paper)
    finally:
        _computing.release()
    with _reading:
        _kept[name] = made
        while len(_kept) > 1 and sum(map(len, _kept.values())) > MOST_BYTES:
            _kept.popitem(last=False)
    return made


def _look(name: str) -> bytes | None:
    with _reading:
        if name in _kept:
            _kept.move_to_end(name)
        return _kept.get(name)


def _name(table: SopTable, facts: Mapping[str, str], state: State, kind: str, paper: str) -> str:
    """What the document depends on. The table too: which assumptions a unit has confirmed stands in it."""
    said = [asdict(table), dict(facts), state.sha256, state.url, state.version, state.checkpoint, kind,
            paper]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()
