"""What can be asked of a process instance: commands, imperative, each with who asks and when.

A Command is recorded whole in the journal and is all that `decide` learns of the world. What is personal or free text
is marked `private()`: the journal keeps its salted hash in the body and the value beside it, so that it can be erased.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


def private(whole: bool = False, **named: Any) -> Any:
    """A dataclass field whose value never stands in a journal body, only its salted hash.

    whole  a mapping is hidden as one value; else entry by entry, so that one can be erased alone.
    """
    return field(metadata={"private": "whole" if whole else "entries"}, **named)


@dataclass(frozen=True)
class Erased:
    """Stands for a value that was lawfully erased, by its salted hash. Replay treats it as an opaque constant.

    why  "request NUMBER" of the letter that asked for it, "disposal NUMBER" of the berita acara, "" where unknown. Who
         reads a page wants to know it; two erased values are the same by their hash alone.
    """
    h: str
    why: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The person who asks, as they were at that moment. Ids, never names."""
    person: str                             # a person's id; "timer" for the worker
    position: str | None = None             # position id in which they act
    unit: str | None = None                 # the position's unit id
    capacity: str | None = None             # definitif | plh | plt | tim | administrator | pemilik | penyetuju | sistem
    basis: str | None = None                # legal basis: number of the SK or surat perintah
    on_behalf_of: str | None = None         # unit id of the office on whose behalf is recorded
    lanes: tuple[str, ...] = ()             # of this instance, performed now; "tim_penyusun:ketua" is a role in one
    signed_in_by: str = "web"               # web | cli | worker
    administrator: bool = False


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a document, stored by its SHA-256."""
    sha256: str
    size_bytes: int
    media_type: str
    name: str = private()


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """What is put into a document slot: files, or where paper lies, or a link."""
    form: str = "berkas"                    # berkas | cetak | tautan | teks
    files: tuple[File, ...] = ()
    place: str | None = private(default=None)   # of cetak: where it lies; of tautan: the address; of teks: the text


@dataclass(frozen=True, kw_only=True)
class Promise:
    """A document that is still owed ("menyusul"), with why and by when."""
    document: str
    promised: str                           # ISO date
    reason: str = private()


@dataclass(frozen=True, kw_only=True)
class StartProcessInstance:
    key: str
    definition: str                         # SHA-256 of the diagram
    unit: str
    calendars: Mapping[str, str]            # lane id -> SHA-256 of its calendar; "" -> the unit's own
    data: Mapping[str, Any] = private(default_factory=dict)     # each value by itself
    attachments: Mapping[str, Attachment] = field(default_factory=dict)
    promises: tuple[Promise, ...] = ()
    unit_facts: Mapping[str, str] = private(whole=True, default_factory=dict)   # the unit's SOP number, dates, ratifier


@dataclass(frozen=True, kw_only=True)
class ClaimUserTask:
    user_task: int


@dataclass(frozen=True, kw_only=True)
class ReleaseUserTask:
    user_task: int


@dataclass(frozen=True, kw_only=True)
class ReassignUserTask:
    user_task: int
    person: str | None                      # None: back to the lane
    reason: str = private(default="")


@dataclass(frozen=True, kw_only=True)
class RecordValues:
    """Values of an open user task that are facts already, though the task goes on (the dates of steps 3 and 8)."""
    user_task: int
    data: Mapping[str, Any] = private(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CompleteUserTask:
    user_task: int
    data: Mapping[str, Any] = private(default_factory=dict)
    done_at: datetime | None = None         # "Dikerjakan di luar aplikasi pada ..."


@dataclass(frozen=True, kw_only=True)
class RecallUserTask:
    """Who completed it takes it back, while nobody has done anything since."""
    user_task: int


@dataclass(frozen=True, kw_only=True)
class AskExtension:
    """The performer asks for more time; the norm of the SOP stays what it is."""
    user_task: int
    until: str                              # ISO date; its close of work is what is asked for
    reason: str = private()


@dataclass(frozen=True, kw_only=True)
class GrantExtension:
    user_task: int
    until: str | None = None                # ISO date; None: as it was asked
    reason: str = private(default="")


@dataclass(frozen=True, kw_only=True)
class RefuseExtension:
    user_task: int
    reason: str = private()


@dataclass(frozen=True, kw_only=True)
class FireTimer:
    timer: int


@dataclass(frozen=True, kw_only=True)
class AttachDocument:
    document: str                           # document type
    attachment: Attachment
    user_task: int | None = None            # None: an owed document, settled outside its task


@dataclass(frozen=True, kw_only=True)
class OweRequirement:
    user_task: int
    promise: Promise


@dataclass(frozen=True, kw_only=True)
class SettleRequirement:
    """An owed document that has come in another way than as a file here; how is said in the attachment."""
    document: str
    attachment: Attachment


@dataclass(frozen=True, kw_only=True)
class WaiveRequirement:
    user_task: int
    document: str
    reason: str = private()


@dataclass(frozen=True, kw_only=True)
class AddComment:
    text: str = private()
    user_task: int | None = None


@dataclass(frozen=True, kw_only=True)
class SuspendProcessInstance:
    reason: str = private()


@dataclass(frozen=True, kw_only=True)
class ResumeProcessInstance:
    reason: str = private(default="")


@dataclass(frozen=True, kw_only=True)
class ChangeCalendar:
    """Count in other calendars from now on; open due dates move, what is past stays."""
    calendars: Mapping[str, str]            # lane id -> SHA-256 of its calendar; "" -> the unit's own
    reason: str = private()


@dataclass(frozen=True, kw_only=True)
class MigrateProcessInstance:
    """Go on with another version of the diagram. Rewrites the marking without running the engine."""
    to: str                                 # SHA-256 of the version
    mapping: Mapping[str, str] = field(default_factory=dict)    # id of an element, flow, lane -> its id there; "": none
    calendars: Mapping[str, str] = field(default_factory=dict)  # lane id -> SHA-256 of new lanes; as taken: of all
    reason: str = private()


@dataclass(frozen=True, kw_only=True)
class UndoMigration:
    """Go back to where the instance stood before its migration, while nobody did anything since."""
    reason: str = private()


@dataclass(frozen=True, kw_only=True)
class CancelProcessInstance:
    reason: str = private()


@dataclass(frozen=True, kw_only=True)
class RaiseIncident:
    kind: str                               # watchdog | alarm | ...
    detail: str = private(default="")


@dataclass(frozen=True, kw_only=True)
class ResolveIncident:
    incident: int
    reason: str = private()


@dataclass(frozen=True, kw_only=True)
class Correct:
    """An administrator's repair. Rewrites data or the marking without running the engine; always with a reason."""
    reason: str = private()
    data: Mapping[str, Any] = private(default_factory=dict)     # field id -> new value
    close: tuple[int, ...] = ()             # numbers of open user tasks or waiting timers to cancel
    open: tuple[str, ...] = ()              # ids of user tasks to open


@dataclass(frozen=True, kw_only=True)
class EraseValues:
    """Values beside this journal go by law, and files with them: on a request, or by a disposal. It was decided by two
    people in the stream `retention`; this row says to whoever reads the instance's own stream what went and why."""
    request: str                            # id of the request or of the disposal in the stream `retention`
    number: str                             # of the letter that asked for it, or of the berita acara
    basis: str                              # in law
    values: tuple[str, ...] = ()            # "SEQUENCE:PATH" of this stream
    files: tuple[str, ...] = ()             # SHA-256 of files of its documents
    disposal: bool = False


Act = (StartProcessInstance | ClaimUserTask | ReleaseUserTask | ReassignUserTask | RecordValues | CompleteUserTask
       | RecallUserTask | AskExtension | GrantExtension | RefuseExtension | FireTimer | AttachDocument | OweRequirement
       | SettleRequirement | WaiveRequirement | AddComment | SuspendProcessInstance | ResumeProcessInstance
       | ChangeCalendar | CancelProcessInstance | RaiseIncident | ResolveIncident | Correct | MigrateProcessInstance
       | UndoMigration | EraseValues)


@dataclass(frozen=True, kw_only=True)
class Command:
    """An act, with who asked and when. `id` makes a repeat recognisable."""
    id: str
    at: datetime                            # aware, UTC; read once at the door
    actor: Actor
    act: Act
    read_at: datetime | None = None         # what the clock said, where `at` was raised to the stream's last
    asked: str = ""                         # HMAC of the act as it was asked: tells a repeat from another use of its id
