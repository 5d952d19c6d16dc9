"""The stream `access`: what auditors have read and exported, and the sign-ins of administrators.

Reading is a right, and it leaves a trace: who looked at an office's papers from outside stands in the same journal as
what the office did, hashed and sealed.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

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
class Access:
    """One row of the stream: who, when, what."""
    id: str
    at: datetime
    actor: Actor
    act: Any


Act = SignedIn | ProcessInstanceRead | DocumentRead | PackTaken | EvidenceTaken


def record(db: Connection, key: bytes, act: Act, actor: Actor, at: datetime) -> int:
    """Append one row; its sequence.

    db   a connection in a write transaction.
    key  of the journal's MAC.
    """
    lock(db, STREAM)
    sequence, prev, last = journal.head(db, STREAM)
    at = max(at, last) if last else at
    id = str(uuid4())
    journal.append(db, key, stream=STREAM, sequence=sequence + 1, prev=prev, command_id=id, at=at,
                   command=Access(id=id, at=at, actor=actor, act=act), events=())
    return sequence + 1
