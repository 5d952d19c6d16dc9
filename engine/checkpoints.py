"""The verb of proof: gives rows their place in the log, signs checkpoints of it, and lays them where others keep them.

The key that signs lies beside the journal's key, outside the database. Beside it lies the last checkpoint that it
signed: it never signs a log that does not begin with that one, so that a database put back to an older state, or
rewritten, is noticed here before somebody outside notices it. What an outsider keeps is the protection; all of this
serves to give them something to keep.
"""
from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4, uuid5

import structlog
from sqlalchemy import Connection

from . import ledger
from .commands import Actor
from .ledger import Checkpoint, LedgerError, SigningKey, VerifierKey
from .organisation import SYSTEM, local_date
from .reminders import full, full_day
from .store import database as databases
from .store import ledger as store
from .store import notices
from .store.database import Database, Unavailable
from .store.ledger import CheckpointKeyMade, CheckpointKeyRotated, Kept
from .store.notices import CHECKPOINT, Notice

EVERY = timedelta(minutes=1)            # between two checkpoints, where the log grows
EVERY_ROWS = 1_000
NAMESPACE = UUID("5d0b7f0e-2c35-5b55-8f3c-0e6d1f4a92b1")       # of the ids of mails to auditors
MIDDLE = "Asia/Makassar"                # the middle zone of the country: whose day a mail is of

log = structlog.get_logger("alur.checkpoints")


@dataclass(frozen=True)
class Place:
    """Where keys and checkpoints lie, and the address that names the log. `folder`: outside, or None."""
    key_file: Path
    url: str
    folder: Path | None = None

    @property
    def last_file(self) -> Path:
        """The last checkpoint that the key signed."""
        return self.key_file.with_name("checkpoint.last")


# The key

def signing_key(place: Place, first: bool = False) -> SigningKey:
    """The key that signs. Raises Unavailable when it is not there, when others may read it, or when it is no key.

    first  it is the first run: one is made where there is none.
    """
    if first and not place.key_file.exists():
        databases.write_key(place.key_file, f"{_new_key(_origin(place.url)).text}\n".encode())
    return _read_key(place.key_file)


def _origin(url: str) -> str:
    """The name of this installation's log: its address without a scheme, and what tells it from others there."""
    return f"{urlsplit(url).netloc or 'localhost'}/alur-{secrets.token_hex(4)}"


def _new_key(name: str) -> SigningKey:
    return SigningKey.of(name, secrets.token_bytes(32))


def _read_key(path: Path) -> SigningKey:
    try:
        text, mode = path.read_text(encoding="ascii"), path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable("checkpoint_key_unreadable", f"The key {path} of the checkpoints cannot be read: {error}.",
                          "Put it back, or say: alur checkpoint rotate --lost --reason WHY") from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Unavailable("key_unsafe", f"Others may read the key {path} (mode {stat.S_IMODE(mode):o}).",
                          f"Say: chmod 600 {path}")
    try:
        return SigningKey.parse(text)
    except LedgerError as error:
        raise Unavailable("checkpoint_key_broken", f"{path} is no key that signs checkpoints: {error}",
                          "Put it back, or say: alur checkpoint rotate --lost --reason WHY") from error


# Signing

def sequence_all(database: Database) -> int:
    """Give every row that waits its place in the log, some hundred a transaction; how many."""
    total = 0
    while True:
        with database.read() as db:
            if not store.is_behind(db):
                return total
        with database.begin() as db:
            done = store.sequence(db, database.key)
        for wrong in done.refused:
            log.error("row refused a place in the log", what=wrong)
        total += done.rows
        if not done.more:
            return total


def is_due(db: Connection, at: datetime) -> bool:
    """Whether the log has grown enough, or long enough, since its newest checkpoint."""
    last, size = store.newest(db), store.size(db)
    if last is None:
        return size > 0
    return size > last.size and (size - last.size >= EVERY_ROWS or at - last.at >= EVERY)


def sign(database: Database, place: Place) -> Kept | None:
    """Sign the log as it is now; None where that was signed already. Any number of workers may ask at once.

    Raises Unavailable, and signs nothing, when the log does not begin with what was signed before (`forked`), or when
    the key is not the one that the journal has.
    """
    sequence_all(database)
    with database.begin() as db:
        databases.lock(db, "log")
        at, known = databases.now(db), store.keys(db)
        _finish_rotation(place, known)
        key = signing_key(place, first=not known)
        if not known:
            made = CheckpointKeyMade(key=key.verifier.text)
            store.record_key(db, database.key, made, id=str(uuid4()), actor=_itself(), at=at)
            _sequence_here(db, database.key)
        elif known[-1].key != key.verifier:
            raise Unavailable("other_checkpoint_key", f"{place.key_file} is not the key that the journal has recorded.",
                              "Put the right one back, or say: alur checkpoint rotate --lost --reason WHY")
        size, last = store.size(db), store.newest(db)
        _see_that_it_grew(db, place, size, last, known)
        if last is not None and last.size == size:
            kept = last
        else:
            kept = _signed(db, key, size, at)
    remember(place, kept)
    return kept if kept is not last else None


def _finish_rotation(place: Place, known: Sequence[store.RecordedKey]) -> None:
    """Put the newest recorded key in its place, where a crash left it beside."""
    aside = _aside(place, known[-1].key) if known else None
    if aside is not None and aside.exists():
        _put_in_place(place, aside)


def _aside(place: Place, key: VerifierKey) -> Path:
    return place.key_file.with_name(f"{place.key_file.name}.{key.id.hex()}")


def _put_in_place(place: Place, aside: Path) -> None:
    with suppress(FileNotFoundError):
        place.last_file.unlink()        # of the old key: the row about the new one says where it ended
    os.replace(aside, place.key_file)
    databases.sync_folder(place.key_file.parent)


def _sequence_here(db: Connection, mac_key: bytes) -> None:
    while store.sequence(db, mac_key).more:
        pass


def _signed(db: Connection, key: SigningKey, size: int, at: datetime) -> Kept:
    made = Checkpoint(key.name, size, store.frontier(db, size).root)
    note = key.signed(made.text)
    store.keep(db, made, note, at)
    return Kept(size, made.root, note, at)


def _see_that_it_grew(db: Connection, place: Place, size: int, last: Kept | None,
                      known: Sequence[store.RecordedKey]) -> None:
    before = remembered(place)
    earlier = [] if last is None else [(Checkpoint.parse(last.note), last.note, "the newest one in the database")]
    if before is not None:
        earlier.append((Checkpoint.parse(before), before, f"the one in {place.last_file}"))
    remedy = ("Keep the database as it is and say: alur verify. After a restore from a backup, say: "
              "alur checkpoint rotate --reason WHY")
    for said, note, which in earlier:
        try:
            if ledger.signer(note, [one.key for one in known]) is None:
                raise Unavailable("forked", f"The checkpoint of size {said.size}, {which}, was signed by no key "
                                  "that the journal has.", remedy)
        except LedgerError as error:
            raise Unavailable("forked", f"The checkpoint of size {said.size}, {which}: {error}", remedy) from error
        if said.size > size:
            raise Unavailable("forked", f"The log has {size} rows, and {said.size} were signed ({which}): "
                              "its end is missing.", remedy)
        if store.frontier(db, said.size).root != said.root:
            raise Unavailable("forked", f"The log does not begin with the {said.size} rows that were signed "
                              f"({which}): something before was changed.", remedy)


def remembered(place: Place) -> str | None:
    """The last checkpoint that the key signed, as this machine keeps it."""
    try:
        return place.last_file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def remember(place: Place, kept: Kept) -> None:
    """Keep a checkpoint beside the key, unless a larger one lies there."""
    before = remembered(place)
    if before is None or Checkpoint.parse(before).size < kept.size:
        _write(place.last_file, kept.note)


def rotate(database: Database, place: Place, *, reason: str, actor: Actor, lost: bool = False) -> VerifierKey:
    """Another key from here on, which the old one vouches for; the new one's public half.

    lost  the old one is lost, or stolen: nobody vouches, and every verification says so.
    The row that records it says where the old key ended. After a restore from a backup this is what explains that
    auditors keep checkpoints of rows that are no more.
    """
    old = None if lost else signing_key(place)
    name = old.name if old is not None else _old_name(database) or _origin(place.url)
    new = _new_key(name)
    aside = _aside(place, new.verifier)
    databases.write_key(aside, f"{new.text}\n".encode())
    sequence_all(database)
    try:
        with database.begin() as db:
            databases.lock(db, "log")
            at, known = databases.now(db), store.keys(db)
            if old is not None and (not known or known[-1].key != old.verifier):
                raise Unavailable("other_checkpoint_key", f"{place.key_file} is not the key that the journal has "
                                  "recorded.", "Put the right one back, or add --lost.")
            before = remembered(place)
            last = store.newest(db)
            said = Checkpoint.parse(before) if before else Checkpoint.parse(last.note) if last else None
            act = CheckpointKeyRotated(
                key=new.verifier.text, before=known[-1].key.text if known else "",
                statement=store.statement(old, new.verifier) if old is not None else "",
                last_size=said.size if said else 0, last_root=said.root.hex() if said else "", reason=reason)
            store.record_key(db, database.key, act, id=str(uuid4()), actor=actor, at=at)
    except BaseException:
        aside.unlink()
        raise
    # The journal has it; after a crash here `sign` puts it in its place.
    _put_in_place(place, aside)
    return new.verifier


def _old_name(database: Database) -> str | None:
    with database.read() as db:
        known = store.keys(db)
    return known[-1].key.name if known else None


def _itself() -> Actor:
    return Actor(person="sistem", capacity=SYSTEM, signed_in_by="worker")


def _write(path: Path, text: str) -> None:
    """Put a text in its place, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(aside, "x", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    finally:
        with suppress(FileNotFoundError):
            aside.unlink()
    databases.sync_folder(path.parent)


# Anchors: what others keep

def anchor(place: Place, kept: Kept) -> bool:
    """Lay a checkpoint into the folder that the settings name, as `SIZE.txt`; False where it lies there already.

    Nothing there is ever written twice, so the folder may be one that can only be added to.
    """
    if place.folder is None:
        return False
    target = place.folder / file_name(kept.size)
    try:
        if target.exists():
            return False
        place.folder.mkdir(parents=True, exist_ok=True)
        with open(target, "x", encoding="utf-8", newline="") as file:
            try:
                file.write(kept.note)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                with suppress(OSError):     # half of one would stay there for ever, where that can be helped
                    target.unlink()
                raise
    except OSError as error:
        if isinstance(error, FileExistsError) and target.exists():
            return False                    # another worker was there first
        raise Unavailable("anchor_unwritable", f"The folder for checkpoints {place.folder} cannot be written: "
                          f"{error.strerror}.", "Make it writable, or correct ALUR_CHECKPOINT_DIR.") from error
    return True


def file_name(size: int) -> str:
    return f"{size:012}.txt"


def tell_auditors(db: Connection, url: str, at: datetime) -> int:
    """Make the mails of a day to the auditors who have an address, with the newest checkpoint; how many are new."""
    kept, known = store.newest(db), store.keys(db)
    if kept is None or not known:
        return 0
    day = local_date(at, MIDDLE)
    auditors = notices.auditors(db, day)
    made = []
    for one in notices.readers(db, auditors, day).values():
        if one.email and one.mail != notices.NOTHING:
            made.append(Notice(
                id=str(uuid5(NAMESPACE, f"{day.isoformat()}/{one.id}")), instance="", user_task=None, kind=CHECKPOINT,
                person=one.id, about_at=kept.at, subject=f"Titik periksa jurnal Alur, {full_day(day)}",
                body=letter(kept, known[-1].key, url), created_at=at, seen_at=at, mail="waits", mail_after=at))
    return notices.put(db, made)


def letter(kept: Kept, key: VerifierKey, url: str) -> str:
    """What an auditor is sent, to be kept where the office cannot reach it."""
    signed_at = full(kept.at, "Asia/Jakarta")
    return "\n".join([
        "Yth. Auditor,", "",
        f"Surel ini memuat titik periksa jurnal Alur di {url} pada {signed_at}: {kept.size} baris.",
        "Simpanlah di luar sistem kantor itu. Dengan titik periksa ini Bapak/Ibu kelak dapat membuktikan bahwa tidak "
        "ada satu pun dari baris itu yang diubah, dihapus, disisipkan, atau ditukar urutannya.", "",
        "----- titik periksa: salin di antara kedua garis ini ke sebuah berkas -----", kept.note.rstrip("\n"),
        "----- akhir titik periksa -----", "",
        "Kunci publik yang menandatanganinya:", key.text, "",
        "Cara memeriksa: python3 verifier.py PAKET.zip --checkpoint BERKAS"])


# The worker's part

@dataclass
class Keeper:
    """Keeps the log of one worker's database: round after round, and once more at the end."""
    database: Database
    place: Place
    url: str | None = None              # None: auditors are sent nothing
    told_on: dict[str, bool] = field(default_factory=dict)

    def round(self, at: datetime | None = None, closing: bool = False) -> Kept | None:
        """Give places, and sign where it is time for it; what was signed.

        at       the instant it is, where time is simulated; else the database's own.
        closing  sign whatever is not signed yet.
        """
        sequence_all(self.database)
        with self.database.read() as db:
            at = at or databases.now(db)
            wanted = is_due(db, at) if not closing else store.size(db) > 0
        kept = sign(self.database, self.place) if wanted else None
        if self.url is not None:
            self.tell(at)                   # whether or not the folder outside is there
        if self.place.folder is not None:
            with self.database.read() as db:
                newest = store.newest(db)
            if newest is not None:          # the one just signed; or one that could not be laid there when it was
                anchor(self.place, newest)
        return kept

    def tell(self, at: datetime) -> None:
        """Send auditors the day's checkpoint; the day is asked about once, by each process."""
        day = local_date(at, MIDDLE).isoformat()
        if day in self.told_on or self.url is None:
            return
        with self.database.begin() as db:
            if store.newest(db) is None:
                return
            tell_auditors(db, self.url, at)
        self.told_on = {day: True}
