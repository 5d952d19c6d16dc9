"""Whether the journal is whole: every body has its hash, follows from the one before, and was sealed by our key.

What stands here trusts nothing but the bytes and the key; the auditor's own checker, which trusts not even us, stands
elsewhere.
"""
from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from sqlalchemy import Connection, exists, func, select

from . import journal, records
from .schema import instance, journal_value
from .schema import journal as table

MOST_FAULTS = 100


@dataclass(frozen=True)
class Fault:
    stream: str
    message: str


@dataclass
class Verified:
    """What was looked at, and what is not as it was written."""
    streams: int = 0
    rows: int = 0
    values: int = 0
    erased: int = 0
    faults: list[Fault] = field(default_factory=list)


def verify(db: Connection, key: bytes) -> Verified:
    """Read the whole journal, in a snapshot, and check it. At most MOST_FAULTS are kept, one a stream and kind."""
    found = Verified()
    for stream in journal.streams(db):
        found.streams += 1
        found.faults += faults_of(db, key, stream)
        if len(found.faults) >= MOST_FAULTS:
            break
    found.rows = db.execute(select(func.count()).select_from(table)).scalar_one()
    all_values = select(func.count(), func.count(journal_value.c.value)).select_from(journal_value)
    found.values, kept = db.execute(all_values).one()
    found.erased = found.values - kept
    found.faults += orphans(db) + wrong_heads(db)
    return found


def faults_of(db: Connection, key: bytes, stream: str) -> list[Fault]:
    """What is wrong with one stream: the first row that does not follow, the first that our key did not seal."""
    faults = []
    try:
        for entry in journal.read(db, stream):
            if entry.command.get("id") not in (None, entry.command_id):
                raise records.RecordError(f"{stream}, row {entry.sequence}: its command is another than its row says.")
    except records.RecordError as error:
        faults.append(Fault(stream, str(error)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        faults.append(Fault(stream, f"{stream}: a body cannot be read: {type(error).__name__}: {error}"))
    rows = select(table.c.sequence, table.c.hash, table.c.mac).where(table.c.stream == stream)
    for row in db.execute(rows.order_by(table.c.sequence)):
        if not hmac.compare_digest(records.seal(key, bytes(row.hash)), bytes(row.mac)):
            faults.append(Fault(stream, f"{stream}, row {row.sequence}: the key of this installation did not seal it."))
            break
    return faults


def orphans(db: Connection) -> list[Fault]:
    """Values that belong to no row."""
    has_row = exists().where(table.c.stream == journal_value.c.stream, table.c.sequence == journal_value.c.sequence)
    found = select(journal_value.c.stream, journal_value.c.sequence).where(~has_row).limit(MOST_FAULTS)
    rows = db.execute(found)
    return [Fault(row.stream, f"{row.stream}, row {row.sequence}: a value belongs to no row.") for row in rows]


def wrong_heads(db: Connection) -> list[Fault]:
    """Instances whose row does not stand at the newest row of their stream: a tail was cut, or a row is not theirs."""
    last = (select(table.c.stream, func.max(table.c.sequence).label("sequence"))
            .where(func.substr(table.c.stream, 1, 9) == "instance/").group_by(table.c.stream).subquery())
    newest = (select(table.c.stream, table.c.sequence, table.c.hash)
              .join(last, (last.c.stream == table.c.stream) & (last.c.sequence == table.c.sequence)).subquery())
    found = (select(instance.c.id, instance.c.sequence, instance.c.head, newest.c.sequence.label("newest"),
                    newest.c.hash)
             .outerjoin(newest, newest.c.stream == "instance/" + instance.c.id))
    faults = []
    for row in db.execute(found):
        name = f"instance/{row.id}"
        if row.newest != row.sequence:
            end = row.newest or 0
            faults.append(Fault(name, f"{name}: it stands at row {row.sequence}, its journal ends at row {end}."))
        elif bytes(row.hash) != bytes(row.head):
            faults.append(Fault(name, f"{name}: it does not stand where its journal ends."))
    return faults[:MOST_FAULTS]


def newest_row_fault(db: Connection, key: bytes) -> str | None:
    """What is wrong with one row, cheaply: a sign of a wrong key. None where there is nothing wrong, or no row."""
    row = db.execute(select(table.c.stream, table.c.body, table.c.hash, table.c.mac)
                     .order_by(table.c.stream.desc(), table.c.sequence.desc()).limit(1)).first()
    if row is None:
        return None
    if records.leaf(bytes(row.body)) != bytes(row.hash):
        return f"the newest row of {row.stream} does not have its hash; say: alur verify"
    if not hmac.compare_digest(records.seal(key, bytes(row.hash)), bytes(row.mac)):
        return f"the newest row of {row.stream} was sealed by another key than this installation's"
    return None
