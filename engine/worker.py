"""The verb of time: fires what is due, raises the alarm where an instance waits for nothing, sweeps what is over.

It looks at the clock once a round, and never decides: each timer goes through the same door as a person's command. Any
number of workers may run; a timer fires once, because its command id comes from the timer and its due time.
"""
from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from pathlib import Path
from threading import Event, Thread
from uuid import uuid5

import structlog
from sqlalchemy import Connection

from . import handle, invariants, notify, recalendar
from .checkpoints import Keeper
from .commands import RaiseIncident
from .events import IncidentRaised
from .instance import Refused, Step
from .invariants import is_stalled
from .mail import Mailer
from .rules import Rules
from .scanner import Clamd, keep_scanning
from .store import database as databases
from .store import definitions, documents, due, organisation, overview, parts, passes
from .store.database import Database
from .store.due import DueTimer

BATCH = 100                             # timers a commit
ATTEMPTS = 3                            # before a timer is parked with an incident
PARKED_SECONDS = 300                    # then it is tried again, in case somebody repaired what was wrong
ALARM_SECONDS = 60                      # between two looks for instances that wait for nothing
LOG_SECONDS = 5                         # between two looks for rows that want their place in the log
PASSES_SECONDS = 5                      # between two looks for what was finished
SWEEP_SECONDS = 3_600
FAILED_ROUNDS = 20                      # in a row, before the worker gives up
LONGEST_PAUSE_SECONDS = 30.0

log = structlog.get_logger("alur.worker")


@dataclass
class Worker:
    """The worker of one process. `run` until told to stop; `fire_due` alone where time is given, not read."""
    database: Database
    rules: Rules
    data_dir: Path | None = None        # None: nothing is swept
    poll_seconds: float = 1.0
    url: str | None = None              # the public address, for the links of notices; None: nobody is told anything
    mailer: Mailer | None = None        # None: what is told stays in the inbox
    keeper: Keeper | None = None        # None: no row gets its place in the log, nothing is signed
    scanner: Clamd | None = None        # None: files are not scanned
    told: notify.Memory = field(default_factory=notify.Memory)
    failures: Counter[tuple[str, int]] = field(default_factory=Counter)
    parked: dict[tuple[str, int], float] = field(default_factory=dict)      # until when, of `time.monotonic`
    calendars: dict[str, str] | None = None     # unit -> SHA-256, as they were when every instance was last looked at
    calendars_at: float = 0.0                   # when they are looked at again, of `time.monotonic`

    def run(self, stop: Event) -> None:
        """Round after round until `stop` is set. Raises after FAILED_ROUNDS failed rounds in a row."""
        failed, alarm_at, sweep_at, passes_at, log_at = 0, 0.0, 0.0, 0.0, 0.0
        log.info("worker started", poll_seconds=self.poll_seconds, mail=self.mailer is not None)
        self.start_posting(stop)
        self.start_scanning(stop)
        while not stop.is_set():
            try:
                self.follow_calendars()
                fired = self.fire_due()
                self.tell()
                if time.monotonic() >= alarm_at:
                    self.raise_alarms()
                    self.check()
                    alarm_at = time.monotonic() + ALARM_SECONDS
                if time.monotonic() >= passes_at:
                    passes_at = time.monotonic() + (0 if self.project() == BATCH else PASSES_SECONDS)
                if time.monotonic() >= log_at:
                    self.keep_log()
                    log_at = time.monotonic() + LOG_SECONDS
                if time.monotonic() >= sweep_at:
                    self.sweep()
                    sweep_at = time.monotonic() + SWEEP_SECONDS
                self.show_alive()
                failed, pause = 0, 0.0 if fired == BATCH else self.poll_seconds
            except Exception as error:
                failed += 1
                log.error("worker round failed", failed=failed, error=f"{type(error).__name__}: {error}")
                if failed >= FAILED_ROUNDS:
                    raise
                pause = min(self.poll_seconds * 2 ** failed, LONGEST_PAUSE_SECONDS)
            stop.wait(pause)
        self.keep_log(closing=True)
        log.info("worker stopped")

    # Timers

    def fire_due(self, at: datetime | None = None) -> int:
        """Fire what is due, at most BATCH timers in one commit, each in its own savepoint; how many fired.

        at  the instant to fire at, where time is simulated; else the database's own.
        """
        now = time.monotonic()
        self.parked = {one: until for one, until in self.parked.items() if until > now}
        broken: list[tuple[DueTimer, Exception]] = []
        fired: list[DueTimer] = []
        with self.database.begin() as db:
            instant = at or databases.now(db)
            for timer in due.due_timers(db, instant, BATCH, self.parked):
                try:
                    with db.begin_nested():
                        step = self.fire(db, timer, at)
                except Exception as error:
                    broken.append((timer, error))
                    continue
                if raised(step):
                    self.park(timer)        # it said itself what is wrong; an administrator resolves that
                else:
                    fired.append(timer)
        for timer in fired:
            self.failures.pop(timer[:2], None)
        for timer, cause in broken:
            self.failed(timer, cause, at)
        return len(fired)

    def fire(self, db: Connection, timer: DueTimer, at: datetime | None) -> Step:
        return handle.fire_again(db, self.rules, self.database.key, *timer, at)

    def failed(self, timer: DueTimer, error: Exception, at: datetime | None) -> None:
        """Count a timer that would not fire; after ATTEMPTS it is parked, and an administrator is told."""
        self.failures[timer[:2]] += 1
        attempt = self.failures[timer[:2]]
        log.warning("timer did not fire", instance=timer.instance, number=timer.number, attempt=attempt,
                    error=f"{type(error).__name__}: {error}")
        unreadable = isinstance(error, Refused) and error.code == "unreadable"
        if attempt < ATTEMPTS and not unreadable:
            return
        self.park(timer)
        if isinstance(error, Refused) and error.code == "parked":
            return                          # an incident about it is open already
        if unreadable:
            # It can have no Step, so that this is its incident: it stands on the health page from now on.
            invariants.note(self.database, "readable", timer.instance, f"Keadaannya tidak dapat dibaca: "
                            f"{error.__cause__}", at)
            return
        act = RaiseIncident(kind="watchdog", detail=f"Timer {timer.number}: {type(error).__name__}: {error}"[:500])
        # The same id from every worker: one incident, however many of them met it.
        id = uuid5(handle.NAMESPACE, f"watchdog {timer.instance}/{timer.number}/{timer.due_at.isoformat()}")
        self.raise_incident(timer.instance, str(id), act, at)

    def park(self, timer: DueTimer) -> None:
        self.parked[timer[:2]] = time.monotonic() + PARKED_SECONDS
        self.failures.pop(timer[:2], None)

    # Calendars

    def follow_calendars(self) -> None:
        """Bring what was published to the instances that its publisher did not reach; one small statement a round."""
        with self.database.read() as db:
            published = definitions.published(db)
        now = time.monotonic()
        if published == self.calendars and now < self.calendars_at:
            return
        changed = published != self.calendars
        _moved, failed = recalendar.catch_up(self.database, self.rules)
        self.calendars = published
        # Once more a little later: an instance may have been starting while the calendar was published.
        self.calendars_at = now + ALARM_SECONDS if changed or failed else inf

    # Alarms

    def raise_alarms(self, at: datetime | None = None) -> int:
        """Raise an incident in every running instance that waits for nobody and nothing; how many."""
        raised, last = 0, ""
        while True:
            with self.database.read() as db:
                ids = due.without_user_task(db, BATCH, last)
                looked_at = overview.loaded(db, ids)
            stalled = [looked_at[id] for id in ids if id in looked_at and is_stalled(looked_at[id])]
            for instance in stalled:
                # Of this standstill: a later one of the same instance is another.
                id = uuid5(handle.NAMESPACE, f"alarm {instance.id}/{instance.sequence}")
                act = RaiseIncident(kind="alarm", detail="Berkas proses berjalan tanpa tugas dan tanpa pengatur waktu.")
                raised += self.raise_incident(instance.id, str(id), act, at)
            if len(ids) < BATCH:
                return raised
            last = ids[-1]

    def check(self, at: datetime | None = None) -> invariants.Looked:
        """Look at the next slice of what must always hold; what is found stands on the health page and in the log."""
        try:
            documents_dir = self.data_dir / "documents" if self.data_dir is not None else None
            looked = invariants.look(self.database, self.rules, documents_dir, at)
        except Exception as error:
            log.error("invariants not looked at", error=f"{type(error).__name__}: {error}")
            return invariants.Looked()
        for one in looked.new:
            log.error("invariant does not hold", invariant=one.invariant, subject=one.subject, detail=one.detail)
        return looked

    def raise_incident(self, id: str, command_id: str, act: RaiseIncident, at: datetime | None) -> bool:
        try:
            with self.database.begin() as db:
                request = handle.Request(id=command_id, act=act, person="timer", signed_in_by="worker", at=at)
                handle.handle(db, self.rules, self.database.key, id, [request])
        except Exception as error:
            log.error("incident not recorded", instance=id, kind=act.kind, error=f"{type(error).__name__}: {error}")
            return False
        log.warning("incident raised", instance=id, kind=act.kind)
        return True

    # Who is told

    def tell(self, at: datetime | None = None) -> int:
        """Make the notices that are due; how many. One that cannot be made stops no timer."""
        if self.url is None:
            return 0
        try:
            if at is None:
                with self.database.read() as db:
                    at = databases.now(db)
            return notify.notify(self.database, self.rules, at, self.url, self.told, self.mailer is not None)
        except Exception as error:
            log.error("notices not made", error=f"{type(error).__name__}: {error}")
            return 0

    def start_posting(self, stop: Event) -> None:
        """Send mails in a thread of its own, which ends with `stop`: a mail server may take its time."""
        if self.mailer is not None and self.url is not None:
            given = (self.database, self.rules, self.mailer, self.url, stop)
            Thread(target=notify.keep_posting, args=given, name="mail", daemon=True).start()

    # What was attached

    def start_scanning(self, stop: Event) -> None:
        """Ask the virus scanner in a thread of its own, which ends with `stop`: forms and timers never wait for it."""
        with self.database.begin() as db:
            documents.set_scanner(db, self.scanner is not None)
        if self.scanner is not None and self.data_dir is not None:
            given = (self.database, self.data_dir / "documents", self.scanner, self.url or "", stop)
            Thread(target=keep_scanning, args=given, name="scanner", daemon=True).start()

    # What was finished

    def project(self) -> int:
        """Keep how long finished user tasks took; of how many instances. A forecast that lacks them stops no timer."""
        try:
            with self.database.read() as db:
                found = passes.behind(db, self.rules, BATCH)
            for one in found:
                if one.error is not None:
                    log.warning("finished passes cannot be read", instance=one.instance, error=one.error)
            if not any(one.error is None for one in found):
                return 0
            with self.database.begin() as db:
                return passes.record(db, found)
        except Exception as error:
            log.error("finished passes not kept", error=f"{type(error).__name__}: {error}")
            return 0

    # The log, and its checkpoints

    def keep_log(self, closing: bool = False) -> None:
        """Give what was written its place in the log, and sign where it is time. What cannot be signed stops no timer;
        the log says so, and `alur doctor` until it can."""
        if self.keeper is None:
            return
        try:
            kept = self.keeper.round(closing=closing)
        except Exception as error:
            log.error("log not kept", error=f"{type(error).__name__}: {error}")
        else:
            if kept is not None:
                log.info("checkpoint signed", size=kept.size)

    # What is over

    def sweep(self) -> None:
        """Delete ended sessions, old failed sign-ins, and files that nobody attached."""
        with self.database.begin() as db:
            at = databases.now(db)
            due.forget_expired_sessions(db, at)
            organisation.forget_old_failures(db, at - timedelta(days=1))
            if self.data_dir is not None:
                documents.sweep(db, self.data_dir / "documents", at)
                parts.sweep(db, self.data_dir / "documents", at)

    def show_alive(self) -> None:
        """Touch `worker.alive` in the data folder: what a health check looks at."""
        if self.data_dir is not None:
            (self.data_dir / "worker.alive").touch()


def raised(step: Step) -> bool:
    return any(isinstance(event, IncidentRaised) for event in step.events)
