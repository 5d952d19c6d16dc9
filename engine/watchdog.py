"""The watchdog in seconds: it stands outside `decide`, whose own limits are counted and never timed (engine/limits.py).

`watch(work)` gives what `work` gives. When it has used more than SECONDS of processor time it is ended by TookTooLong,
which `handle` records as RaiseIncident in place of what was asked; the instance stands as it did before.

What it measures is processor time of the thread at work, not the time on the wall: a laptop that slept, a busy machine
or a database that makes one wait raise no incident. (Where a system gives no such clock, it is the time on the wall.)

What it protects from: a decision that goes round and round in Python, ours or SpiffWorkflow's, though no counted limit
notices; it would hold the instance's lock, and on SQLite everybody's, for ever. The exception is put into the thread
that decides; Python raises it between two of its instructions.
What it does not: one call into C that does not come back (a huge power, a regular expression that backtracks) is only
noticed when it returns; the FEEL subset has neither, so that is a second mistake on top of a first. Memory is not
measured here: that is bounded by the counted limits. Nothing outside `decide` is watched: SQL has its own timeouts.
"""
from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

SECONDS = 10.0                          # a decision that is counted to its limits takes about two
PATROL_SECONDS = 0.5

Value = TypeVar("Value")


class TookTooLong(BaseException):
    """A decision used more processor time than the watchdog allows. No Exception: nobody on the way may swallow it."""


@dataclass
class Work:
    """What a thread does at this moment."""
    clock: Callable[[], float]
    until: float
    ended: bool = False


class Watchdog:
    """One for a process; any number of threads are watched by one that sleeps while nobody works long."""

    def __init__(self, seconds: float = SECONDS, patrol_seconds: float = PATROL_SECONDS):
        self.seconds, self.patrol_seconds = seconds, patrol_seconds
        self.lock = threading.Lock()
        self.at_work: dict[int, Work] = {}
        self.somebody = threading.Event()
        self.patrol: threading.Thread | None = None

    def watch(self, work: Callable[[], Value]) -> Value:
        """What `work` gives. Raises TookTooLong, with a sentence."""
        me, clock = threading.get_ident(), clock_of_this_thread()
        began = clock()
        one = Work(clock, began + self.seconds)
        try:
            try:
                self.begin(me, one)
                found = work()
            finally:
                self.end(me, one)
        except TookTooLong:
            self.end(me, one)           # it may have been raised on the way out
            raise TookTooLong(self.sentence(clock() - began)) from None
        if clock() - began > self.seconds:      # in C, where nothing could end it
            raise TookTooLong(self.sentence(clock() - began))
        return found

    def sentence(self, took: float) -> str:
        return f"The decision was ended after {took:.1f} seconds of processor time; at most {self.seconds:g} are given."

    def begin(self, me: int, one: Work) -> None:
        with self.lock:
            self.at_work[me] = one
            if self.patrol is None or not self.patrol.is_alive():
                self.patrol = threading.Thread(target=self.go_round, name="watchdog", daemon=True)
                self.patrol.start()
        self.somebody.set()

    def end(self, me: int, one: Work) -> None:
        """After this no exception of ours comes any more: one on its way is taken back."""
        with self.lock:
            self.at_work.pop(me, None)
            if one.ended:
                raise_in(me, None)
                one.ended = False

    def go_round(self) -> None:
        while True:
            self.somebody.wait()
            time.sleep(self.patrol_seconds)
            with self.lock:
                if not self.at_work:
                    self.somebody.clear()
                for thread, one in self.at_work.items():
                    if not one.ended and one.clock() > one.until:
                        one.ended = True
                        raise_in(thread, TookTooLong)


def clock_of_this_thread() -> Callable[[], float]:
    """Seconds of processor time of the thread that asks for the clock, wherever it is read."""
    if hasattr(time, "pthread_getcpuclockid"):
        id = time.pthread_getcpuclockid(threading.get_ident())
        return lambda: time.clock_gettime(id)
    return time.monotonic


def raise_in(thread: int, kind: type[BaseException] | None) -> None:
    """Let an exception be raised in a thread, or take back the one on its way there."""
    given = ctypes.py_object(kind) if kind is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), given)


watchdog = Watchdog()
