"""Uploads in parts, for big files on bad lines: begun with a length, continued at an offset, gone after a day.

An upload belongs to one person, one process instance, one user task and one document slot; nobody else continues it.
What was acknowledged is on the disk: a part is written and synchronised before the row says that it came. What a crash
leaves behind the row's number is cut away when the next part comes.
"""
from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from ..instance import Refused
from . import documents, records
from .schema import upload

KEPT = timedelta(hours=24)
MOST_OPEN = 20                          # of one person, unfinished at one time


@dataclass(frozen=True, kw_only=True)
class Upload:
    """How far an upload is."""
    id: str
    person: str
    instance: str
    user_task: int
    slot: str
    name: str
    file: str
    size_bytes: int
    received_bytes: int
    sha256: str | None = None           # of the stored file that it became

    @property
    def whole(self) -> bool:
        return self.received_bytes == self.size_bytes


def begin(db: Connection, folder: Path, at: datetime, *, person: str, instance: str, user_task: int, slot: str,
          name: str, size_bytes: int, limit: int, quota: int) -> Upload:
    """Begin an upload of so many bytes. Raises Refused for a file that could not be kept at its end: its kind, its
    size, the room of the instance (what is under way counts), too many under way."""
    documents.expected(name)
    if not 0 < size_bytes <= limit:
        raise documents.too_large(limit)
    open_now = and_(upload.c.expires_at > records.instant(at), upload.c.sha256.is_(None))
    mine = select(func.count()).select_from(upload).where(upload.c.person == person, open_now)
    if db.execute(mine).scalar_one() >= MOST_OPEN:
        raise Refused("wrong", f"Masih ada {MOST_OPEN} unggahan Anda yang belum selesai. Selesaikan atau batalkan "
                               "dahulu salah satunya.")
    under_way = select(func.coalesce(func.sum(upload.c.size_bytes), 0)).where(upload.c.instance == instance, open_now)
    if documents.used(db, instance)[0] + int(db.execute(under_way).scalar_one()) + size_bytes > quota:
        raise documents.no_quota(quota)
    with documents.room(folder, size_bytes):
        parts_of(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    new = Upload(id=secrets.token_hex(16), person=person, instance=instance, user_task=user_task, slot=slot,
                 name=documents.clean_name(name), file=secrets.token_hex(16), size_bytes=size_bytes, received_bytes=0)
    db.execute(insert(upload).values(**vars(new), created_at=records.instant(at),
                                     expires_at=records.instant(at + KEPT)))
    return new


def find(db: Connection, id: str, person: str, at: datetime) -> Upload | None:
    """An upload of a person's own that is not over yet."""
    own = and_(upload.c.id == id, upload.c.person == person, upload.c.expires_at > records.instant(at))
    row = db.execute(select(*(upload.c[name] for name in Upload.__dataclass_fields__)).where(own)).first()
    return Upload(**row._mapping) if row else None


def go_on(db: Connection, folder: Path, one: Upload, offset: int, data: bytes, at: datetime) -> Upload:
    """Add a part at an offset, in a write transaction. What is given is what now holds: where the offset was another
    one (a part sent twice, another window), nothing is written. Raises Refused for bytes beyond the length."""
    # The update locks the row: of two that send the same part, the second finds it there.
    db.execute(update(upload).where(upload.c.id == one.id).values(id=upload.c.id))
    now = find(db, one.id, one.person, at)
    if now is None or now.received_bytes != offset or now.sha256 is not None:
        return now or one
    if offset + len(data) > now.size_bytes:
        raise Refused("wrong", "Bagian ini melampaui ukuran berkas yang diumumkan. Pilih berkasnya sekali lagi.")
    with documents.room(folder, len(data)), open(path_of(folder, now), "ab") as file:
        if file.tell() < offset:        # somebody took the file away: begun again rather than filled with nothing
            db.execute(update(upload).where(upload.c.id == one.id).values(received_bytes=0))
            return Upload(**{**vars(now), "received_bytes": 0})
        file.truncate(offset)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    received = offset + len(data)
    db.execute(update(upload).where(upload.c.id == one.id).values(received_bytes=received))
    return Upload(**{**vars(now), "received_bytes": received})


def open_whole(folder: Path, one: Upload) -> BinaryIO:
    """The bytes of an upload that came whole. Raises Refused for one that did not."""
    try:
        if one.whole and path_of(folder, one).stat().st_size >= one.size_bytes:
            return path_of(folder, one).open("rb")
    except FileNotFoundError:
        pass
    raise Refused("wrong", f"Unggahan {one.name} belum lengkap. Pilih berkasnya sekali lagi.")


def finish(db: Connection, one: Upload, sha256: str) -> None:
    """Say what an upload became, in the transaction that records its file; asked again, the answer is the same."""
    db.execute(update(upload).where(upload.c.id == one.id).values(sha256=sha256))


def drop_bytes(folder: Path, one: Upload) -> None:
    """Remove the parts of an upload that was kept, or given up."""
    path_of(folder, one).unlink(missing_ok=True)


def cancel(db: Connection, one: Upload) -> None:
    db.execute(delete(upload).where(upload.c.id == one.id))


def sweep(db: Connection, folder: Path, at: datetime) -> int:
    """Remove uploads that are over, and parts that belong to none; how many files. In a write transaction."""
    db.execute(delete(upload).where(upload.c.expires_at <= records.instant(at)))
    known, removed = set(db.execute(select(upload.c.file).where(upload.c.sha256.is_(None))).scalars()), 0
    for path in parts_of(folder).glob("*"):
        # A file without a row may be of a transaction that is not over yet: an hour is long enough for that.
        with suppress(FileNotFoundError):
            if path.name not in known and path.stat().st_mtime < (at - timedelta(hours=1)).timestamp():
                path.unlink()
                removed += 1
    return removed


def parts_of(folder: Path) -> Path:
    return folder / "parts"


def path_of(folder: Path, one: Upload) -> Path:
    return parts_of(folder) / one.file
