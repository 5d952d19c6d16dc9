"""What happened in a process instance: the closed list of events, past tense. They come from what the engine did.

Events carry token numbers, BPMN ids, person ids and instants; never values and never names. The values stand in the
command beside them.
"""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ProcessInstanceStarted:
    year: int | None                        # tahun laporan, None where the process has none


@dataclass(frozen=True)
class ProcessInstanceSuspended:
    pass


@dataclass(frozen=True)
class ProcessInstanceResumed:
    pass


@dataclass(frozen=True)
class ProcessInstanceCancelled:
    pass


@dataclass(frozen=True)
class ProcessInstanceCompleted:
    pass


@dataclass(frozen=True)
class ProcessInstanceCorrected:
    fields: tuple[str, ...]
    closed: tuple[int, ...]
    opened: tuple[str, ...]


@dataclass(frozen=True)
class ProcessInstanceMigrated:
    """It goes on with another version of the diagram; tokens kept their numbers."""
    before: str                             # SHA-256 of the diagram until now
    to: str
    mapped: tuple[tuple[int, str, str], ...]    # (token, id before, id now) where its element or flow has another id
    renamed: tuple[tuple[str, str], ...]    # (id before, id now) of what else is kept: passes, promises, teams


@dataclass(frozen=True)
class MigrationUndone:
    """It stands again where it stood before its migration; what fired since stays fired."""
    before: str                             # SHA-256 of the diagram until now
    to: str                                 # of the one that it goes back to
    mapped: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True)
class ElementEntered:
    token: int
    element: str
    flow: str                               # the sequence flow taken; "" at the start


@dataclass(frozen=True)
class ElementLeft:
    token: int
    element: str
    flow: str                               # the sequence flow taken; "" at an end, or where several are


@dataclass(frozen=True)
class TokenConsumed:
    """A join fired: the token that had waited on `flow` went on in another."""
    token: int
    element: str
    flow: str


@dataclass(frozen=True)
class ConditionEvaluated:
    token: int
    element: str
    flow: str
    result: bool


@dataclass(frozen=True)
class UserTaskOpened:
    user_task: int
    element: str
    lane: str
    round: int                              # 1 on the first pass
    norm_at: datetime | None                # CONTRACTS 4: the SOP's Waktu, None where it has none
    late_at: datetime | None
    escalate_at: datetime | None


@dataclass(frozen=True)
class UserTaskClaimed:
    user_task: int
    person: str


@dataclass(frozen=True)
class UserTaskReleased:
    user_task: int
    person: str


@dataclass(frozen=True)
class UserTaskReassigned:
    user_task: int
    person: str | None
    before: str | None


@dataclass(frozen=True)
class ValuesRecorded:
    user_task: int
    fields: tuple[str, ...]


@dataclass(frozen=True)
class UserTaskCompleted:
    user_task: int
    element: str
    waiting_minutes: int | None             # working minutes from opened to claimed
    processing_minutes: int | None          # from claimed to completed; None when it was completed unclaimed
    late: bool                              # judged by `done_at` where that was said


@dataclass(frozen=True)
class UserTaskRecalled:
    """It is open again, under its number: who had completed it took it back (that is the one the command names), or its
    end came with the completion that was taken back."""
    user_task: int
    element: str
    round: int


@dataclass(frozen=True)
class UserTaskMoved:
    """An open user task is that of another element, lane or round now, because its instance migrated."""
    user_task: int
    before: str                             # the element until now
    element: str
    lane_before: str
    lane: str
    round: int


@dataclass(frozen=True)
class UserTaskCancelled:
    user_task: int
    element: str


@dataclass(frozen=True)
class ExtensionAsked:
    user_task: int
    until: datetime                         # the close of work of the day asked for


@dataclass(frozen=True)
class ExtensionGranted:
    """More time: `late_at` and what follows from it moved. The norm stands where it stood."""
    user_task: int
    before: datetime                        # late_at until now
    late_at: datetime
    escalate_at: datetime


@dataclass(frozen=True)
class ExtensionRefused:
    user_task: int


@dataclass(frozen=True)
class CalendarChanged:
    changes: tuple[tuple[str, str, str], ...]   # (lane id or "" for the unit's own, SHA-256 before, SHA-256 now)


@dataclass(frozen=True)
class DueDatesMoved:
    """The three instants of an open user task, before and now: its lane's calendar changed, or its diagram did (only
    there is one None: a norm that came, or went)."""
    user_task: int
    norm_before: datetime | None
    late_before: datetime | None
    escalate_before: datetime | None
    norm_at: datetime | None
    late_at: datetime | None
    escalate_at: datetime | None


@dataclass(frozen=True)
class TeamAppointed:
    lane: str
    members: tuple[tuple[str, str], ...]    # (person id, role: ketua | sekretaris | anggota)
    basis: int                              # the user task in which


@dataclass(frozen=True)
class TimerStarted:
    timer: int
    element: str
    user_task: int | None                   # of a boundary timer
    due_at: datetime
    calendar: str                           # SHA-256 of the calendar that it counts in
    left: int                               # how often it will fire, this time included


@dataclass(frozen=True)
class TimerMoved:
    timer: int
    element: str
    before: datetime
    due_at: datetime
    calendar: str                           # SHA-256 of the calendar that it counts in now


@dataclass(frozen=True)
class TimerFired:
    timer: int
    element: str


@dataclass(frozen=True)
class TimerCancelled:
    timer: int
    element: str


@dataclass(frozen=True)
class DocumentAttached:
    document: str
    version: int
    user_task: int | None


@dataclass(frozen=True)
class RequirementOwed:
    document: str
    until: str                              # the user task before whose completion it must be settled
    promised: str                           # ISO date
    user_task: int | None                   # None: at the start


@dataclass(frozen=True)
class RequirementSettled:
    document: str


@dataclass(frozen=True)
class RequirementWaived:
    document: str
    user_task: int


@dataclass(frozen=True)
class CommentAdded:
    number: int


@dataclass(frozen=True)
class IncidentRaised:
    number: int
    kind: str                               # condition | limit | watchdog | alarm | stuck
    element: str | None
    detail: str                             # for an administrator; never a value that somebody typed


@dataclass(frozen=True)
class IncidentResolved:
    number: int


@dataclass(frozen=True)
class ValuesErased:
    """Values and files of this instance are gone by law. What decided how it ran is still here: it replays."""
    values: int                             # how many
    files: tuple[str, ...]                  # SHA-256
    disposal: bool                          # by a berita acara, at the end of its retention


Event = (ProcessInstanceStarted | ProcessInstanceSuspended | ProcessInstanceResumed | ProcessInstanceCancelled
         | ProcessInstanceCompleted | ProcessInstanceCorrected | ElementEntered | ElementLeft | TokenConsumed
         | ConditionEvaluated | UserTaskOpened | UserTaskClaimed | UserTaskReleased | UserTaskReassigned
         | ValuesRecorded | UserTaskCompleted | UserTaskCancelled | ExtensionAsked | ExtensionGranted
         | ExtensionRefused | CalendarChanged | DueDatesMoved | TeamAppointed | TimerStarted | TimerMoved | TimerFired
         | TimerCancelled | DocumentAttached | RequirementOwed | RequirementSettled | RequirementWaived
         | CommentAdded | IncidentRaised | IncidentResolved | ProcessInstanceMigrated | MigrationUndone
         | UserTaskMoved | UserTaskRecalled | ValuesErased)
