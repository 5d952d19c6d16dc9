"""The journal: one row a Step, chained by hash, sealed by MAC, never changed.

`append` writes a row and the values beside it; `read` gives rows back, each checked against its own hash. What a
command or an event is, is not this module's business: bodies come as encoded values (`records`).
"""
from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from ..commands import Erased
from . import records
from .prepared import Prepared
from .schema import journal, journal_value


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What one journal row says. `command` and `events` are plain JSON shapes with the hidden values shown."""
    stream: str
    sequence: int
    command_id: str
    at: datetime
    command: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]]
    definition: str | None = None
    calendars: Mapping[str, str] | None = None
    engine: str | None = None
    marking_hash: str | None = None
    hash: bytes = b""


INSERT = Prepared(insert(journal))
INSERT_VALUE = Prepared(insert(journal_value).values(
    {name: bindparam(name) for name in ("stream", "sequence", "path", "salt", "value")}))
NEWEST = Prepared(select(journal.c.sequence, journal.c.hash, journal.c.body).where(
    journal.c.stream == bindparam("stream")).order_by(journal.c.sequence.desc()).limit(1))
BY_COMMAND = Prepared(select(journal.c.sequence).where(journal.c.stream == bindparam("stream"),
                                                        journal.c.command_id == bindparam("command_id")))


def append(db: Connection, key: bytes, *, stream: str, sequence: int, prev: bytes | None, command_id: str,
           at: datetime, command: Any, events: Sequence[Any], definition: str | None = None,
           calendars: Mapping[str, str] | None = None, engine: str | None = None, marking_hash: str | None = None,
           salt: Callable[[], bytes] = lambda: os.urandom(16)) -> bytes:
    """Write one row; its hash. `command` is a dataclass (or plain JSON for small streams), `events` dataclasses.

    key     of the MAC (a file made at the first run).
    prev    hash of the row before, None for the first.
    Raises IntegrityError when the sequence or the command id is taken: somebody was quicker.
    """
    beside: list[dict[str, Any]] = []

    def keep(path: str, value: Any) -> str:
        grain, bytes_ = salt(), records.canonical(value)
        beside.append({"stream": stream, "sequence": sequence, "path": path, "salt": grain, "value": bytes_})
        return records.salted(grain, bytes_)

    shape = records.hide(command, "command", keep)
    body = records.canonical({
        "v": records.VERSION, "stream": stream, "sequence": sequence, "prev": prev.hex() if prev else None,
        "at": records.instant(at), "command": shape, "events": [records.told(one) for one in events],
        "definition": definition, "calendars": dict(calendars) if calendars is not None else None, "engine": engine,
        "marking_hash": marking_hash})
    hash = records.leaf(body)
    mac = records.seal(key, hash)
    INSERT(db, stream=stream, sequence=sequence, command_id=command_id, body=body, hash=hash, mac=mac)
    if beside:
        INSERT_VALUE.many(db, beside)
    return hash


def head(db: Connection, stream: str) -> tuple[int, bytes | None, datetime | None]:
    """(sequence, hash, at) of the stream's newest row; (0, None, None) of an empty one."""
    row = NEWEST(db, stream=stream).first()
    return (row[0], bytes(row[1]), records.moment(records.parse(bytes(row[2]))["at"])) if row else (0, None, None)


def sequence_of(db: Connection, stream: str, command_id: str) -> int | None:
    """The sequence of the row that a command wrote, None if it wrote none: how a repeat is recognised."""
    return BY_COMMAND(db, stream=stream, command_id=command_id).scalar()


def read(db: Connection, stream: str, after: int = 0, key: bytes | None = None) -> Iterator[Entry]:
    """The stream's rows in order, each checked against its hash and its values against theirs.

    key  checks the seals too: a row that somebody without the key has added is found.
    Raises records.RecordError, with stream and sequence, at the first that does not agree.
    """
    beside = select(journal_value).where(journal_value.c.stream == stream, journal_value.c.sequence > after)
    values: dict[int, dict[str, Any]] = {}
    for row in db.execute(beside):
        values.setdefault(row.sequence, {})[row.path] = row
    later = select(journal).where(journal.c.stream == stream, journal.c.sequence > after)
    rows = db.execute(later.order_by(journal.c.sequence))
    expected, prev = after + 1, None
    for row in rows:
        place = f"{stream}, row {row.sequence}"
        try:
            body, hash = bytes(row.body), bytes(row.hash)
            value = records.parse(body)
        except (TypeError, ValueError) as error:
            raise records.RecordError(f"{place}: its body cannot be read.") from error
        if row.sequence != expected or value["sequence"] != expected or value["stream"] != stream:
            raise records.RecordError(f"{place}: row {expected} was expected here.")
        if records.leaf(body) != hash:
            raise records.RecordError(f"{place}: its body does not have its hash.")
        if key is not None and not hmac.compare_digest(records.seal(key, hash), bytes(row.mac)):
            raise records.RecordError(f"{place}: its seal was not made with this installation's key.")
        if (expected > after + 1 and value["prev"] != prev) or (expected == 1 and value["prev"] is not None):
            raise records.RecordError(f"{place}: it does not follow from the row before it.")
        shown: dict[str, Any] = {}
        for path, one in values.get(row.sequence, {}).items():
            if one.value is not None:
                shown[path] = records.parse(bytes(one.value))
                if records.salted(bytes(one.salt), bytes(one.value)) != hidden(value, path):
                    raise records.RecordError(f"{place}: the value at {path} does not have its hash.")
            else:
                shown[path] = Erased(hidden(value, path) or "", one.erased or "")
        expected, prev = expected + 1, hash.hex()
        yield Entry(stream=stream, sequence=row.sequence, command_id=row.command_id, at=records.moment(value["at"]),
                    command=records.show(value["command"], "command", shown), events=value["events"],
                    definition=value["definition"], calendars=value["calendars"], engine=value["engine"],
                    marking_hash=value["marking_hash"], hash=hash)


def erase(db: Connection, stream: str, sequence: int, path: str, why: str) -> bytes | None:
    """Erase a value beside a row, its salt too, for ever; what it was (canonical JSON), None where nothing was left.

    The salt goes with it: of a short value (a date, a yes) the salted hash would else be guessed back.
    why  as of commands.Erased.
    """
    where = (journal_value.c.stream == stream, journal_value.c.sequence == sequence, journal_value.c.path == path)
    value = db.execute(select(journal_value.c.value).where(*where, journal_value.c.value.is_not(None))).scalar()
    if value is None:
        return None
    db.execute(update(journal_value).where(*where).values(value=None, salt=b"", erased=why))
    return bytes(value)


def hidden(body: Mapping[str, Any], path: str) -> str | None:
    """The salted hash that stands in a body at `path`."""
    place: Any = body
    for name in path.split("."):
        place = place[int(name)] if isinstance(place, list) else place.get(name)
        if place is None:
            return None
    return place.get("h")


def streams(db: Connection, prefix: str = "") -> list[str]:
    """The names of the streams that begin with `prefix`, sorted."""
    found = select(journal.c.stream).where(func.substr(journal.c.stream, 1, len(prefix)) == prefix).distinct()
    return sorted(db.execute(found).scalars())
