"""The virus scanner: clamd, asked over a socket about every file that was attached; what it says is written beside it.

The worker asks, in a thread of its own, so that no form waits. Fails closed: a file of which clamd has said nothing yet
is given to nobody, however long clamd is away. What somebody attached stays a fact of the journal; whoever attached a
file with something in it is told so, and attaches a new version.

Protocol: clamd(8), INSTREAM; pieces with their length (4 bytes, network order), a length of 0 at the end.
"""
from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import IO
from urllib.parse import urlsplit
from uuid import uuid5

import structlog
from sqlalchemy import Connection

from .handle import NAMESPACE
from .store import database as databases
from .store import definitions, documents, notices, queries
from .store.database import Database, Unavailable
from .store.notices import Notice

CHUNK_BYTES = 1 << 16
TIMEOUT_SECONDS = 120.0                 # for each answer: a large archive takes a while
BATCH = 20                              # files a round
PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 60.0            # while clamd is away
RETRY = timedelta(minutes=10)           # until a file that clamd could not judge is sent to it again
FOUND = "berkas_dikarantina"            # the kind of its notice
FOUND_SUBJECT = "Berkas yang Anda lampirkan dikarantina"
LONGEST_ANSWER = 4_096

log = structlog.get_logger("alur.scanner")


class Away(Exception):
    """The scanner is not there, or broke off: nothing is known of any file."""


class Unsaid(Exception):
    """The scanner answered, and said nothing of this file: larger than it takes, or an error of its own."""


@dataclass(frozen=True)
class Clamd:
    """Where clamd listens: a host and port, or the path of a socket."""
    address: tuple[str, int] | str
    timeout: float = TIMEOUT_SECONDS

    @contextmanager
    def connection(self) -> Iterator[socket.socket]:
        """A connection to it. Raises Away."""
        try:
            if isinstance(self.address, str):
                held = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                held.settimeout(self.timeout)
                held.connect(self.address)
            else:
                held = socket.create_connection(self.address, self.timeout)
            with held:
                yield held
        except OSError as error:
            raise Away(f"clamd does not answer: {error.strerror or error}") from error

    def ping(self) -> None:
        """Raises Away unless it answers."""
        with self.connection() as held:
            held.sendall(b"zPING\0")
            if _answer(held) != "PONG":
                raise Away("what listens there is no clamd")

    def scan(self, stream: IO[bytes]) -> str | None:
        """What was found in a file by its name, None where nothing was. Raises Away or Unsaid."""
        with self.connection() as held:
            held.sendall(b"zINSTREAM\0")
            try:
                while chunk := stream.read(CHUNK_BYTES):
                    held.sendall(struct.pack("!I", len(chunk)) + chunk)
                held.sendall(struct.pack("!I", 0))
            except (BrokenPipeError, ConnectionResetError):
                pass                    # it stops listening when a file is larger than it takes, and says so
            said = _answer(held)
        if said == "stream: OK":
            return None
        found = re.fullmatch(r"stream: (.+) FOUND", said)
        if found is None:
            raise Unsaid(said or "clamd closed the line without an answer")
        return found[1]


def _answer(held: socket.socket) -> str:
    data = b""
    while not data.endswith(b"\0") and len(data) < LONGEST_ANSWER:
        chunk = held.recv(LONGEST_ANSWER)
        if not chunk:
            break
        data += chunk
    text = data.rstrip(b"\0\n").decode("utf-8", "replace")
    return "".join(one if one.isprintable() else "?" for one in text)


def clamd(address: str, timeout: float = TIMEOUT_SECONDS) -> Clamd | None:
    """The scanner that ALUR_CLAMD names, None where it is empty. Raises Unavailable for what is no address."""
    if not address:
        return None
    if address.startswith(("unix://", "/")):
        return Clamd(address.removeprefix("unix://"), timeout)
    try:
        parts = urlsplit(address if "://" in address else f"tcp://{address}")
        if parts.scheme == "tcp" and parts.hostname and parts.port:
            return Clamd((parts.hostname, parts.port), timeout)
    except ValueError:
        pass
    raise Unavailable("setting", f"ALUR_CLAMD is {address!r}, which is neither the path of a socket nor HOST:PORT.",
                      "Correct it, or leave it away.")


def keep_scanning(database: Database, folder: Path, scanner: Clamd, url: str, stop: Event) -> None:
    """Scan what waits, until told to stop. While clamd is away it is asked less and less often, at most a minute apart;
    files wait so long."""
    pause = PAUSE_SECONDS
    while not stop.is_set():
        try:
            done = scan_waiting(database, folder, scanner, url)
            pause = 0.0 if done == BATCH else PAUSE_SECONDS
        except Exception as error:
            pause = min(max(pause, PAUSE_SECONDS) * 2, LONGEST_PAUSE_SECONDS)
            log.error("files not scanned", error=f"{type(error).__name__}: {error}")
        stop.wait(pause)


def scan_waiting(database: Database, folder: Path, scanner: Clamd, url: str) -> int:
    """Scan the files that wait, at most BATCH; of how many something was said. No transaction is open meanwhile.

    Raises Away when the scanner is; what it has said of the files before is written.
    """
    with database.read() as db:
        waiting = documents.to_scan(db, BATCH, databases.now(db) - RETRY)
    said = 0
    for sha256 in waiting:
        try:
            with database.read() as db:
                file = documents.open_stored(db, folder, sha256)
            with file:
                found = scanner.scan(file)
            state = documents.QUARANTINED if found else documents.CLEAN
        except Away as away:
            with database.begin() as db:    # tried again as soon as clamd is back, but behind what waits longer
                documents.scanned(db, sha256, databases.now(db) - RETRY, documents.SCANNING, str(away)[:300])
            raise
        except (Unsaid, LookupError) as error:
            state, found = documents.SCANNING, str(error)[:300]
            log.warning("file not scanned", sha256=sha256, error=found)
        with database.begin() as db:
            at = databases.now(db)
            if documents.scanned(db, sha256, at, state, found) and state != documents.SCANNING:
                said += 1
                if state == documents.QUARANTINED:
                    tell(db, sha256, url)
        if state == documents.QUARANTINED:
            log.warning("file quarantined", sha256=sha256, found=found)
    return said


def tell(db: Connection, sha256: str, url: str) -> int:
    """Tell everybody who attached a file that it is quarantined; to how many. Asked again, nobody is told twice."""
    at = databases.now(db)
    told = {(one.person, one.instance): (queries.heading(db, one.instance).title, f"proses/{one.instance}")
            for one in documents.attached_as(db, sha256)}
    # The signed paper of an SOP is of no instance.
    told |= {(person, ""): (name, f"perancang/sop/{key}") for key, name, person in definitions.scanned_by(db, sha256)}
    return notices.put(db, [Notice(
        id=str(uuid5(NAMESPACE, f"{FOUND} {sha256} {instance} {person}")), instance=instance, user_task=None,
        kind=FOUND, person=person, about_at=at, subject=FOUND_SUBJECT, created_at=at,
        body="Yth. Bapak/Ibu,\nPemeriksa virus menemukan sesuatu yang berbahaya dalam berkas yang Anda lampirkan pada "
             f"{name}. Berkas itu tidak dapat dibuka siapa pun. Periksa komputer Anda, lalu lampirkan versi baru yang "
             f"bersih.\n{url}/{place}") for (person, instance), (name, place) in told.items()])
