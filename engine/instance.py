"""A process instance as a value: all that is needed to go on, and nothing of its history.

It comes into being by folding Steps (`process.evolve`) and never otherwise. 5,000 returns leave it as small as one.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .commands import Attachment, Command
from .events import Event
from .marking import Marking

RUNNING, SUSPENDED, COMPLETED, CANCELLED = "running", "suspended", "completed", "cancelled"


@dataclass(frozen=True, kw_only=True)
class Extension:
    """More time, asked for an open user task: the newest request, and what became of it."""
    asked_at: datetime
    person: str                             # who asked
    until: datetime
    reason: Any
    decided_at: datetime | None = None
    decided_by: str | None = None
    granted: bool | None = None             # None: nobody has decided yet
    why: Any = None                         # the reason of who decided


@dataclass(frozen=True, kw_only=True)
class UserTask:
    """An open user task."""
    number: int                             # its token; its id everywhere is instance/number
    element: str
    lane: str
    round: int
    opened_at: datetime
    begins_at: datetime | None = None       # when its work could begin, where the one before was done on paper
    norm_at: datetime | None = None
    late_at: datetime | None = None
    escalate_at: datetime | None = None
    owner: str | None = None                # person id of the actual owner
    claimed_at: datetime | None = None
    recorded: tuple[str, ...] = ()          # fields whose values became facts in this pass, before it was completed
    extension: Extension | None = None
    extended: bool = False                  # late_at was moved by an extension; norm_at never is


@dataclass(frozen=True, kw_only=True)
class RunningTimer:
    number: int
    element: str
    due_at: datetime
    user_task: int | None                   # of a boundary timer
    calendar: str                           # SHA-256
    left: int                               # firings left, this one included
    started_at: datetime | None = None      # from when it counts


@dataclass(frozen=True, kw_only=True)
class Document:
    """The newest version of one document type. Older ones stand in the journal."""
    type: str
    version: int
    attachment: Attachment
    user_task: int | None                   # in which it was attached; None: outside any, 0: at the start
    element: str | None
    person: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Owed:
    """A document that is "menyusul"."""
    document: str
    reason: Any
    promised: str                           # ISO date
    until: str                              # the user task before whose completion it must be settled
    user_task: int | None
    lane: str | None                        # of the user task in which it was owed
    person: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Incident:
    number: int
    kind: str
    element: str | None
    detail: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Passed:
    """The latest pass of an element: what the next step needs to know of it."""
    round: int
    user_task: int
    person: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class BeforeMigration:
    """How an instance stood right before its newest migration: what an undo gives back. Of its tokens and timers
    those that have not fired since."""
    definition: str
    calendars: Mapping[str, str]
    tokens: tuple[tuple[int, str, int, str], ...]   # number, element, parent, status, as in the marking
    next: int                               # the number of the first token that is younger than the migration
    user_tasks: tuple[UserTask, ...]
    timers: tuple[RunningTimer, ...]
    rounds: Mapping[str, int]
    passed: Mapping[str, Passed]
    owed: Mapping[str, Owed]
    team: Mapping[str, tuple[tuple[str, str], ...]]
    deadline_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class BeforeCompletion:
    """How an instance stood right before its newest completion, as far as that changed it: what a recall gives back.
    Of its tokens and timers those that have not fired since."""
    user_task: UserTask                     # as it was completed, held by who completed it
    cancelled: tuple[UserTask, ...]         # others that it ended
    tokens: tuple[tuple[int, str, int, str], ...]   # number, element, parent, status, as in the marking
    next: int                               # the number of the first token that is younger than the completion
    timers: tuple[RunningTimer, ...]        # those that it ended
    data: Mapping[str, Any]                 # field -> its value before; None: it had none
    passed: Passed | None                   # the pass of the element before this one
    rounds: Mapping[str, int]               # of what it opened: how often that was opened before
    owed: tuple[Owed, ...] = ()             # those that it settled
    waived: tuple[str, ...] = ()            # documents that were waived in this user task
    team: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)   # lane -> who was; (): nobody


@dataclass(frozen=True, kw_only=True)
class ProcessInstance:
    id: str
    sequence: int = 0
    definition: str = ""                    # SHA-256 of the diagram that it runs
    key: str = ""
    unit: str = ""
    year: int | None = None                 # tahun laporan
    status: str = RUNNING
    started_at: datetime | None = None
    ended_at: datetime | None = None
    last_at: datetime | None = None         # `at` of the newest Step
    calendars: Mapping[str, str] = field(default_factory=dict)
    unit_facts: Mapping[str, str] = field(default_factory=dict)
    marking: Marking = field(default_factory=Marking)
    data: Mapping[str, Any] = field(default_factory=dict)
    user_tasks: Mapping[int, UserTask] = field(default_factory=dict)       # open ones, by number
    timers: Mapping[int, RunningTimer] = field(default_factory=dict)       # running ones, by number
    rounds: Mapping[str, int] = field(default_factory=dict)                # element -> how often it was opened
    passed: Mapping[str, Passed] = field(default_factory=dict)             # element -> its latest completion
    documents: Mapping[str, Document] = field(default_factory=dict)
    owed: Mapping[str, Owed] = field(default_factory=dict)
    waived: Mapping[str, int] = field(default_factory=dict)                # document -> the user task it was waived in
    team: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)   # lane -> (person id, role)
    incidents: Mapping[int, Incident] = field(default_factory=dict)        # unresolved ones
    comments: int = 0                       # how many there are
    incident_count: int = 0
    deadline_at: datetime | None = None     # of the process-wide deadline
    migrations: int = 0                     # how often its diagram changed, undone migrations included
    before_migration: BeforeMigration | None = None     # None: nothing can be undone
    before_completion: BeforeCompletion | None = None   # None: nothing can be recalled
    erased_files: Mapping[str, str] = field(default_factory=dict)   # SHA-256 -> why (as of commands.Erased)
    disposed: str = ""                      # number of the berita acara by which its values went

    @property
    def recallable(self) -> UserTask | None:
        """The user task that was completed last, held by who completed it, while that can still be taken back."""
        before = self.before_completion
        return before.user_task if before and self.status == RUNNING else None

    @property
    def deadline_timer(self) -> RunningTimer | None:
        armed = next((t.number for t in self.marking.tokens if t.status == "armed"), None)
        return self.timers.get(armed) if armed else None


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command, what it caused, and where that left the instance. One row of the journal."""
    sequence: int
    command: Command
    events: tuple[Event, ...]
    marking: Marking


@dataclass(frozen=True)
class Problem:
    """Something that keeps a form from being taken: where, and what to do. `place` is a field id, or
    `field.row.column` (row from 0), or a document type."""
    place: str
    message: str


class Refused(Exception):
    """The command cannot be carried out; the message is for the person who asked, in Indonesian.

    code      not_open, taken, not_yours, incomplete, not_running, not_due, parked, wrong, unknown, other (same key,
              other content), unmapped (a migration lacks the counterpart of an element), unreadable (the stored state)
    problems  for `incomplete`: what is missing, field by field; for `unmapped`: element by element
    person    for `taken`: who was quicker (person id), where known
    """

    def __init__(self, code: str, message: str, problems: tuple[Problem, ...] = (), person: str | None = None,
                 at: datetime | None = None):
        super().__init__(message)
        self.code, self.message, self.problems, self.person, self.at = code, message, problems, person, at
