"""The log over all streams: every committed journal row has one index, without a gap, and is a leaf of one Merkle tree.

`sequence` gives indexes, in a transaction of its own and never inside a completion: rows wait in `log_pending`, where a
trigger of the journal put them as they were written, so that none is seen before it is committed and none is missed.
One sequencer works at a time; a crash in between leaves everything as it was. Beside each leaf stand the hashes of the
subtrees that it completed, so that a root, or a proof, reads some dozen rows and not the log.
"""
from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select, tuple_, update

from .. import ledger
from ..commands import Actor, private
from ..ledger import Checkpoint, Coordinate, Frontier, LedgerError, SigningKey, VerifierKey
from . import journal, records
from .database import lock
from .prepared import Prepared
from .schema import checkpoint as checkpoint_table
from .schema import journal as journal_table
from .schema import journal_value, log_entry, log_pending

BATCH = 500                             # rows that get their index in one transaction
STREAM = "checkpoint"                   # of the keys that sign
MOST_FAULTS = 100
ROTATION = "alur.key-rotation/1"        # the first line of what an old key says of the new one; no checkpoint

NEVER_SIGNED = timedelta(days=1)        # an installation that is being set up has no worker yet


# Indexes

@dataclass(frozen=True)
class Sequenced:
    """What one round gave."""
    rows: int                           # that have an index now
    refused: tuple[str, ...]            # what is wrong with the rows that get none
    more: bool                          # whether others may wait


_waits = (select(log_pending.c.id, log_pending.c.stream, log_pending.c.sequence, journal_table.c.body,
                 journal_table.c.hash, journal_table.c.mac, log_entry.c.index.label("place"))
          .select_from(log_pending)
          .outerjoin(journal_table, and_(journal_table.c.stream == log_pending.c.stream,
                                         journal_table.c.sequence == log_pending.c.sequence))
          .outerjoin(log_entry, and_(log_entry.c.stream == log_pending.c.stream,
                                     log_entry.c.sequence == log_pending.c.sequence)))
WAITING = Prepared(_waits.where(log_pending.c.refused == 0).order_by(log_pending.c.id).limit(bindparam("most")))
ANY_WAITING = Prepared(select(log_pending.c.id).where(log_pending.c.refused == 0).limit(1))
# A row of SQLAlchemy has a method of the name that the column has.
PLACE = log_entry.c.index.label("place")
SIZE = Prepared(select(func.coalesce(func.max(log_entry.c.index) + 1, 0).label("size")))
INSERT = Prepared(insert(log_entry))


def sequence(db: Connection, key: bytes, most: int = BATCH) -> Sequenced:
    """Give the rows that wait their index, in the order in which they were written; at most `most`.

    db   a connection in a write transaction.
    key  of the journal's MAC. A row that it did not seal, or that does not follow from the one before it in its stream,
         is refused and stays waiting, and with it all that follow in its stream: what somebody put into the database
         by another way is never certified.
    """
    lock(db, "log")
    rows = WAITING(db, most=most)
    if not rows:
        return Sequenced(0, (), False)
    heads = _heads(db, rows)
    good: list[Any] = []
    done: list[int] = []
    refused: list[tuple[int, str]] = []
    for row in rows:
        if row.place is not None:
            done.append(row.id)         # after a restore: it has its index already
            continue
        wrong = _wrong(row, heads.get(row.stream), key)
        if wrong is None:
            heads[row.stream] = (row.sequence, bytes(row.hash))
            good.append(row)
            done.append(row.id)
        else:
            heads[row.stream] = (-1, b"")
            refused.append((row.id, f"{row.stream}, row {row.sequence}: {wrong}"))
    begin = frontier(db)
    _, subtrees = begin.extended(bytes(row.hash) for row in good)
    INSERT.many(db, [{"index": begin.size + n, "stream": row.stream, "sequence": row.sequence, "hash": bytes(row.hash),
                      "subtrees": completed} for n, (row, completed) in enumerate(zip(good, subtrees, strict=True))])
    if done:
        db.execute(delete(log_pending).where(log_pending.c.id.in_(done)))
    if refused:
        db.execute(update(log_pending).where(log_pending.c.id.in_([id for id, _ in refused])).values(refused=1))
    return Sequenced(len(good), tuple(wrong for _, wrong in refused), len(rows) == most)


def _heads(db: Connection, rows: Sequence[Any]) -> dict[str, tuple[int, bytes]]:
    """Of each stream that has rows here, the row before its first one: (sequence, hash)."""
    first: dict[str, int] = {}
    for row in rows:
        if row.place is None:
            first.setdefault(row.stream, row.sequence)
    before = [(stream, sequence - 1) for stream, sequence in first.items() if sequence > 1]
    found = select(log_entry.c.stream, log_entry.c.sequence, log_entry.c.hash).where(
        tuple_(log_entry.c.stream, log_entry.c.sequence).in_(before))
    known = {row.stream: (row.sequence, bytes(row.hash)) for row in db.execute(found)} if before else {}
    return {stream: known.get(stream, (0, b"")) for stream in first}


def _wrong(row: Any, head: tuple[int, bytes] | None, key: bytes) -> str | None:
    """Why a row gets no index, None where it does."""
    sequence, hash = head or (0, b"")
    if row.body is None:
        return "it waits for its index and is not there."
    body = bytes(row.body)
    if records.leaf(body) != bytes(row.hash):
        return "its body does not have its hash."
    if not hmac.compare_digest(records.seal(key, bytes(row.hash)), bytes(row.mac)):
        return "the key of this installation did not seal it."
    if sequence == -1:
        return "a row before it was refused."
    try:
        said = records.parse(body)
    except ValueError:
        return "its body cannot be read."
    if (said.get("stream"), said.get("sequence")) != (row.stream, row.sequence):
        return "its body is of another row."
    if row.sequence != sequence + 1 or said.get("prev") != (hash.hex() if sequence else None):
        return "it does not follow from the row before it."
    return None


def reconsider(db: Connection) -> int:
    """Let refused rows be judged once more, after somebody has repaired what was wrong; how many."""
    return db.execute(update(log_pending).where(log_pending.c.refused == 1).values(refused=0)).rowcount


def is_behind(db: Connection) -> bool:
    """Whether a row waits for its index."""
    return ANY_WAITING(db).first() is not None


def waiting(db: Connection) -> tuple[int, int]:
    """(how many rows wait for their index, how many of them were refused)."""
    total, refused = db.execute(select(func.count(), func.coalesce(func.sum(log_pending.c.refused), 0))
                                .select_from(log_pending)).one()
    return total, refused


def unsigned_since(db: Connection) -> datetime | None:
    """When the oldest row was written that no checkpoint covers, besides refused ones; None where each is covered."""
    kept = newest(db)
    first = select(log_entry.c.stream, log_entry.c.sequence).where(log_entry.c.index == (kept.size if kept else 0))
    row = db.execute(first).first() or db.execute(
        select(log_pending.c.stream, log_pending.c.sequence).where(log_pending.c.refused == 0)
        .order_by(log_pending.c.id).limit(1)).first()
    try:
        found = next(journal.read(db, row.stream, after=row.sequence - 1), None) if row else None
    except records.RecordError:         # a row that does not verify has no date; that it does not is said elsewhere
        return None
    return found.at if found else None


def never_signed(db: Connection, now: datetime) -> bool:
    """Whether nothing was ever signed though there have been rows for a day: no worker runs, or it cannot sign."""
    since = unsigned_since(db) if newest(db) is None else None
    return since is not None and now - since > NEVER_SIGNED


# The tree

def size(db: Connection) -> int:
    """How many rows have an index."""
    return int(SIZE(db).scalar())


def _nodes(db: Connection, wanted: Iterable[Coordinate]) -> dict[Coordinate, bytes]:
    """The hashes of perfect subtrees, read at once."""
    places = {one: ledger.place(*one) for one in wanted}
    rows: dict[int, tuple[bytes, bytes]] = {}
    leaves = iter(sorted({leaf for leaf, _ in places.values()}))
    while batch := list(islice(leaves, BATCH)):
        found = select(PLACE, log_entry.c.hash, log_entry.c.subtrees).where(log_entry.c.index.in_(batch))
        rows |= {row.place: (bytes(row.hash), bytes(row.subtrees)) for row in db.execute(found)}
    nodes = {}
    for one, (leaf, offset) in places.items():
        if leaf not in rows:
            raise records.RecordError(f"The log has no row {leaf}.")
        hash, subtrees = rows[leaf]
        nodes[one] = hash if offset < 0 else subtrees[offset:offset + 32]
        if len(nodes[one]) != 32:
            raise records.RecordError(f"Row {leaf} of the log lacks the subtrees that it completed.")
    return nodes


def frontier(db: Connection, at: int | None = None) -> Frontier:
    """What is needed to go on from a size (None: the newest)."""
    at = size(db) if at is None else at
    wanted = ledger.perfect(0, at)
    nodes = _nodes(db, wanted)
    return Frontier(at, tuple(nodes[one] for one in wanted))


def inclusions(db: Connection, indexes: Sequence[int], size: int) -> list[list[bytes]]:
    """For each index the proof that its row stands in the log of `size` rows."""
    ranges = [ledger.inclusion_ranges(index, size) for index in indexes]
    nodes = _nodes(db, {one for each in ranges for one in ledger.needed(each)})
    return [ledger.proved(each, lambda *one: nodes[one]) for each in ranges]


def consistency(db: Connection, old: int, new: int) -> list[bytes]:
    """The proof that the log of `new` rows begins with that of `old`."""
    ranges = ledger.consistency_ranges(old, new)
    nodes = _nodes(db, ledger.needed(ranges))
    return ledger.proved(ranges, lambda *one: nodes[one])


def index_of(db: Connection, stream: str, sequence: int) -> int | None:
    """The index of a row, None while it waits."""
    return db.execute(select(log_entry.c.index).where(log_entry.c.stream == stream,
                                                      log_entry.c.sequence == sequence)).scalar()


def last_index(db: Connection, streams: Sequence[str]) -> int | None:
    """The index of the last row of these streams; None where one of their rows still waits for its own, or there is
    none."""
    waits = db.execute(select(log_pending.c.id).where(log_pending.c.stream.in_(streams)).limit(1)).first()
    last = select(func.max(log_entry.c.index)).where(log_entry.c.stream.in_(streams))
    return None if waits else db.execute(last).scalar()


def rows_within(db: Connection, stream: str, size: int) -> int:
    """How many rows of a stream stand among the first `size` of the log."""
    return db.execute(select(func.count()).where(log_entry.c.stream == stream, log_entry.c.index < size)).scalar() or 0


@dataclass(frozen=True)
class LoggedRow:
    """A journal row with its index, as bytes."""
    index: int
    stream: str
    sequence: int
    body: bytes
    values: tuple[tuple[str, bytes, bytes | None], ...]     # (path, salt, value; None: erased), in the order of paths


def logged(db: Connection, size: int, streams: Sequence[str] | None = None) -> Iterator[LoggedRow]:
    """The rows below an index, in their order, with the values beside them; all, or those of some streams.

    db  a connection in a snapshot.
    """
    rows = (select(PLACE, journal_table.c.stream, journal_table.c.sequence, journal_table.c.body)
            .join(journal_table, and_(journal_table.c.stream == log_entry.c.stream,
                                      journal_table.c.sequence == log_entry.c.sequence)))
    last = -1
    while True:
        batch = rows.where(log_entry.c.index > last, log_entry.c.index < size)
        if streams is not None:
            batch = batch.where(log_entry.c.stream.in_(streams))
        found = db.execute(batch.order_by(log_entry.c.index).limit(BATCH)).all()
        if not found:
            return
        value = journal_value
        pairs = [(row.stream, row.sequence) for row in found]
        beside: dict[tuple[str, int], list[tuple[str, bytes, bytes | None]]] = {}
        for one in db.execute(select(value).where(tuple_(value.c.stream, value.c.sequence).in_(pairs))):
            kept = None if one.value is None else bytes(one.value)
            beside.setdefault((one.stream, one.sequence), []).append((one.path, bytes(one.salt), kept))
        for row in found:
            values = tuple(sorted(beside.get((row.stream, row.sequence), ()), key=lambda one: one[0]))
            yield LoggedRow(row.place, row.stream, row.sequence, bytes(row.body), values)
        last = found[-1].place


# Checkpoints

@dataclass(frozen=True)
class Kept:
    """A checkpoint as it is kept: the signed note, byte for byte as it was given away, and when."""
    size: int
    root: bytes
    note: str
    at: datetime

    @property
    def text(self) -> str:
        """The root as it stands in the note."""
        return base64.b64encode(self.root).decode()


def _kept(row: Any) -> Kept:
    return Kept(row.size, bytes(row.root), row.note, records.moment(row.at))


NEWEST = Prepared(select(checkpoint_table).order_by(checkpoint_table.c.size.desc()).limit(1))


def newest(db: Connection) -> Kept | None:
    """The newest checkpoint, None where there is none yet."""
    row = NEWEST(db).first()
    return _kept(row) if row else None


def of_size(db: Connection, size: int) -> Kept | None:
    row = db.execute(select(checkpoint_table).where(checkpoint_table.c.size == size)).first()
    return _kept(row) if row else None


def first_over(db: Connection, index: int) -> Kept | None:
    """The first checkpoint that covers a row, None where none does yet."""
    found = select(checkpoint_table).where(checkpoint_table.c.size > index).order_by(checkpoint_table.c.size).limit(1)
    row = db.execute(found).first()
    return _kept(row) if row else None


def of_days(db: Connection, most: int) -> tuple[Kept, ...]:
    """The last checkpoint of each day (UTC) up to the size `most`, in order."""
    last = (select(func.max(checkpoint_table.c.size)).where(checkpoint_table.c.size <= most)
            .group_by(func.substr(checkpoint_table.c.at, 1, 10)))
    found = select(checkpoint_table).where(checkpoint_table.c.size.in_(last)).order_by(checkpoint_table.c.size)
    return tuple(_kept(row) for row in db.execute(found))


def keep(db: Connection, made: Checkpoint, note: str, at: datetime) -> None:
    db.execute(insert(checkpoint_table).values(size=made.size, root=made.root, note=note, at=records.instant(at)))


# The keys that sign, in a stream of their own

@dataclass(frozen=True, kw_only=True)
class CheckpointKeyMade:
    """The first key. As text, so that an auditor can compare it with the one that they were sent."""
    key: str
    type: str = field(default="CheckpointKeyMade", init=False)


@dataclass(frozen=True, kw_only=True)
class CheckpointKeyRotated:
    """Another key from here on.

    statement   the new key, signed by the old one; "" where the old one was lost.
    last_size, last_root   of the last checkpoint that the old key signed, as far as is known; what an auditor keeps
                beyond the log, after a restore from a backup, is then explained by a row and not by silence.
    """
    key: str
    before: str
    statement: str
    last_size: int
    last_root: str
    reason: str = private(default="")
    type: str = field(default="CheckpointKeyRotated", init=False)


@dataclass(frozen=True, kw_only=True)
class KeyAct:
    """One row of the stream: who, when, what."""
    id: str
    at: datetime
    actor: Actor
    act: CheckpointKeyMade | CheckpointKeyRotated


def record_key(db: Connection, mac_key: bytes, act: CheckpointKeyMade | CheckpointKeyRotated, *, id: str, actor: Actor,
               at: datetime) -> None:
    """Append a row about a key. `db` holds the lock of the log."""
    sequence, prev, last = journal.head(db, STREAM)
    at = max(at, last) if last else at
    journal.append(db, mac_key, stream=STREAM, sequence=sequence + 1, prev=prev, command_id=id, at=at,
                   command=KeyAct(id=id, at=at, actor=actor, act=act), events=())


def statement(old: SigningKey, new: VerifierKey) -> str:
    """What the old key says of the new one."""
    return old.signed(f"{ROTATION}\n{old.name}\n{new.text}\n")


@dataclass(frozen=True)
class RecordedKey:
    """A key as the journal has it. `vouched`: the one before signed for it, or it was the first."""
    key: VerifierKey
    vouched: bool


def keys(db: Connection) -> tuple[RecordedKey, ...]:
    """The keys that ever signed, the newest last."""
    found: list[RecordedKey] = []
    for entry in journal.read(db, STREAM):
        act = entry.command["act"]
        key = VerifierKey.parse(act["key"])
        vouched = act["type"] == "CheckpointKeyMade" and not found
        if act["type"] == "CheckpointKeyRotated" and found and act["statement"]:
            wanted = f"{ROTATION}\n{found[-1].key.name}\n{key.text}\n"
            try:
                vouched = (ledger.opened(act["statement"])[0] == wanted
                           and ledger.signer(act["statement"], [found[-1].key]) is not None)
            except LedgerError:
                vouched = False
        found.append(RecordedKey(key, vouched))
    return tuple(found)


# Whether it holds

@dataclass
class Checked:
    """What was looked at, and what is wrong: (stream, a sentence); the stream "" of what concerns the log itself."""
    rows: int = 0
    waiting: int = 0
    checkpoints: int = 0
    faults: list[tuple[str, str]] = field(default_factory=list)

    def wrong(self, stream: str, sentence: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append((stream, sentence))


def check(db: Connection) -> Checked:
    """Hold the log against the journal, its own tree, and every checkpoint.

    db  a connection in a snapshot. Bodies and seals are `integrity`'s matter; here it is places, roots, signatures.
    """
    found = Checked()
    found.waiting, refused = waiting(db)
    if refused:
        row = db.execute(select(log_pending).where(log_pending.c.refused == 1).order_by(log_pending.c.id)).first()
        assert row is not None
        found.wrong(row.stream, f"{row.stream}, row {row.sequence}: it was refused a place in the log, and "
                                f"{refused - 1} others with or after it.")
    roots = _check_places(db, found)
    known = [one.key for one in keys(db)]
    for kept in map(_kept, db.execute(select(checkpoint_table).order_by(checkpoint_table.c.size))):
        found.checkpoints += 1
        name = f"The checkpoint of size {kept.size}"
        try:
            said = Checkpoint.parse(kept.note)
            if ledger.signer(kept.note, known) is None:
                found.wrong("", f"{name} was signed by no key of this installation.")
            elif (said.size, said.root) != (kept.size, kept.root):
                found.wrong("", f"{name} says another size or root than is kept beside it.")
            elif kept.size > found.rows:
                found.wrong("", f"{name} is larger than the log, which has {found.rows} rows: its end was cut off.")
            elif roots.get(kept.size) != kept.root:
                found.wrong("", f"{name} has another root than the rows have now: something before was changed.")
        except LedgerError as error:
            found.wrong("", f"{name} cannot be read: {error}")
    return found


def _check_places(db: Connection, found: Checked) -> dict[int, bytes]:
    """Every row of the log in its place, with its hash and its subtrees; the roots at the checkpoints' sizes."""
    wanted = set(db.execute(select(checkpoint_table.c.size)).scalars())
    rows = (select(PLACE, log_entry.c.stream, log_entry.c.sequence, log_entry.c.hash, log_entry.c.subtrees,
                   journal_table.c.hash.label("now"))
            .outerjoin(journal_table, and_(journal_table.c.stream == log_entry.c.stream,
                                           journal_table.c.sequence == log_entry.c.sequence))
            .order_by(log_entry.c.index))
    tree, roots, ends = Frontier(), {0: ledger.EMPTY}, dict[str, int]()
    for row in db.execute(rows.execution_options(stream_results=True, yield_per=BATCH)):
        name = f"{row.stream}, row {row.sequence}"
        if row.place != tree.size:
            found.wrong(row.stream, f"{name}: it has index {row.place} in the log, where {tree.size} was expected.")
            break
        if row.now is None:
            found.wrong(row.stream, f"{name}: it stands in the log at index {row.place}, and not in the journal.")
        elif bytes(row.now) != bytes(row.hash):
            found.wrong(row.stream, f"{name}: the log has another hash for it, at index {row.place}.")
        if row.sequence != ends.get(row.stream, 0) + 1:
            found.wrong(row.stream, f"{name}: it does not follow in the log, at index {row.place}.")
        ends[row.stream] = row.sequence
        tree, (completed,) = tree.extended([bytes(row.hash)])
        if completed != bytes(row.subtrees):
            found.wrong(row.stream, f"{name}: the subtrees beside it are not those of the log, at index {row.place}.")
        if tree.size in wanted:
            roots[tree.size] = tree.root
    found.rows = tree.size
    unlogged = (select(journal_table.c.stream, journal_table.c.sequence)
                .outerjoin(log_entry, and_(log_entry.c.stream == journal_table.c.stream,
                                           log_entry.c.sequence == journal_table.c.sequence))
                .outerjoin(log_pending, and_(log_pending.c.stream == journal_table.c.stream,
                                             log_pending.c.sequence == journal_table.c.sequence))
                .where(log_entry.c.index.is_(None), log_pending.c.id.is_(None)).limit(MOST_FAULTS))
    for stream, number in db.execute(unlogged):
        found.wrong(stream, f"{stream}, row {number}: it has no place in the log and does not wait for "
                                "one: it was not written by Alur.")
    return roots
