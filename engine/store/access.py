"""The stream `access`: what auditors have read and exported, and the sign-ins of administrators.

Reading is a right, and it leaves a trace: who looked at an office's papers from outside stands in the same journal as
what the office did, hashed and sealed.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from sqlalchemy import Connection

from ..commands import Actor
from . import journal
from .database import lock

STREAM = "access"


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """An administrator signed in."""
    type: str = field(default="SignedIn", init=False)


@dataclass(frozen=True, kw_only=True)
class ProcessInstanceRead:
    """An auditor opened the page of a process instance; `sequence` is the step up to which they saw it."""
    instance: str
    sequence: int
    type: str = field(default="ProcessInstanceRead", init=False)


@dataclass(frozen=True, kw_only=True)
class DocumentRead:
    """An auditor opened or downloaded a file."""
    instance: str
    document: str
    version: int
    sha256: str
    type: str = field(default="DocumentRead", init=False)


@dataclass(frozen=True, kw_only=True)
class PackTaken:
    """Somebody took a pack of evidence: of the "journal" or of an instance; with the size and root of the log in it."""
    what: str
    size: int
    root: str
    type: str = field(default="PackTaken", init=False)


@dataclass(frozen=True, kw_only=True)
class EvidenceTaken:
    """Somebody took evidence of a process instance, up to the journal row `sequence`; with the file's own SHA-256."""
    instance: str
    form: str                           # pdf | xes | jsonocel | csv | zip
    sequence: int
    sha256: str
    named: bool                         # whether people stand in it by their names
    type: str = field(default="EvidenceTaken", init=False)


@dataclass(frozen=True, kw_only=True)
class OverviewRead:
    """An auditor looked at a page across process instances; written once for each person, day and page."""
    page: str                           # audit | audit/lintas | audit/pemantauan
    type: str = field(default="OverviewRead", init=False)


@dataclass(frozen=True, kw_only=True)
class OverviewTaken:
    """Somebody took a paper across the instances of a process in a unit, of some days; with the file's own SHA-256."""
    paper: str                          # pemantauan | evaluasi
    key: str
    unit: str
    begins: str                         # ISO dates, both included
    ends: str
    form: str                           # pdf | xlsx
    sha256: str
    type: str = field(default="OverviewTaken", init=False)


@dataclass(frozen=True, kw_only=True)
class OfficeAccountLinked:
    """A person may sign in from now on with an account of the office's provider; who that is there, as a hash."""
    issuer: str
    subject_sha256: str
    type: str = field(default="OfficeAccountLinked", init=False)


@dataclass(frozen=True, kw_only=True)
class OfficeAccountUnlinked:
    """They may no longer."""
    issuer: str
    subject_sha256: str
    type: str = field(default="OfficeAccountUnlinked", init=False)


@dataclass(frozen=True, kw_only=True)
class Access:
    """One row of the stream: who, when, what."""
    id: str
    at: datetime
    actor: Actor
    act: Any


Act = (SignedIn | ProcessInstanceRead | DocumentRead | PackTaken | EvidenceTaken | OverviewRead | OverviewTaken
       | OfficeAccountLinked | OfficeAccountUnlinked)


def daily(person: str, day: date, page: str) -> str:
    """The id of the one row that says that a person looked at a page that day."""
    return str(uuid5(NAMESPACE_URL, f"urn:alur:access/{person}/{day.isoformat()}/{page}"))


def recorded(db: Connection, id: str) -> bool:
    """Whether there is a row of this id already: asked before a write transaction is begun for nothing."""
    return journal.sequence_of(db, STREAM, id) is not None


def record(db: Connection, key: bytes, act: Act, actor: Actor, at: datetime, id: str | None = None) -> int:
    """Append one row; its sequence. What was recorded under the same `id` already is not recorded again.

    db   a connection in a write transaction.
    key  of the journal's MAC.
    id   None: of this row alone.
    """
    lock(db, STREAM)
    known = journal.sequence_of(db, STREAM, id) if id else None
    if known is not None:
        return known
    sequence, prev, last = journal.head(db, STREAM)
    at = max(at, last) if last else at
    id = id or str(uuid4())
    journal.append(db, key, stream=STREAM, sequence=sequence + 1, prev=prev, command_id=id, at=at,
                   command=Access(id=id, at=at, actor=actor, act=act), events=())
    return sequence + 1
