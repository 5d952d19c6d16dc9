"""Uploads that are cut: 500 lines that end anywhere, and a server that is killed in the middle. What nobody was told is
kept leaves nothing; what somebody was told is kept is there, whole."""
from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select

from engine.store import documents, parts
from engine.store.schema import blob, document_file, upload
from tests.desk import PASSWORD, Desk, pdf

CUTS = 500
ROOT = Path(__file__).parents[2]
SLOT = "bahan_rapat"


class Server:
    """An office served by a process of its own, which may be killed and started again."""

    def __init__(self, desk: Desk, url: str, folder: Path):
        self.desk, self.folder = desk, folder / "documents"
        command = [sys.executable, "-m", "tests.faults.served", url, str(folder)]
        self.nursery = subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.start()

    def start(self) -> None:
        assert self.nursery.stdin is not None and self.nursery.stdout is not None
        self.nursery.stdin.write("\n")
        self.nursery.stdin.flush()
        told = json.loads(self.nursery.stdout.readline())
        self.pid, self.port = told["pid"], told["port"]

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        assert self.nursery.stdin is not None
        self.nursery.stdin.close()
        self.nursery.wait(timeout=20)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Person:
    """Somebody of the team at step 3, by plain HTTP."""

    def __init__(self, server: Server):
        self.server, self.session = server, requests.Session()
        self.id = server.desk.waiting_at(3)
        [self.task] = server.desk.instance(self.id).user_tasks
        sign_in = self.session.get(f"{server.address}/masuk", timeout=20).text
        told = self.session.post(f"{server.address}/masuk", timeout=20, data={
            "csrf_token": self.token(sign_in), "nama": "tim1", "sandi": PASSWORD})
        assert told.status_code == 200, told.text
        self.csrf = self.token(self.session.get(server.address + self.page, timeout=20).text)

    @staticmethod
    def token(page: str) -> str:
        found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', page)
        assert found is not None, page
        return found[1]

    @property
    def page(self) -> str:
        return f"/tugas/{self.id}/{self.task}"

    def request(self, method: str, path: str, **more: Any) -> requests.PreparedRequest:
        made = requests.Request(method, self.server.address + path, **more)
        return self.session.prepare_request(made)

    def attaching(self, data: bytes, key: str) -> requests.PreparedRequest:
        return self.request("POST", f"{self.page}/documents/{SLOT}", headers={"Accept": "application/json"},
                            data={"csrf_token": self.csrf, "key": key},
                            files={f"berkas.{SLOT}": ("bahan.pdf", data, "application/pdf")})

    def attach(self, data: bytes, key: str) -> bool:
        """Whether it was acknowledged."""
        answer = self.session.send(self.attaching(data, key), timeout=20)
        return answer.status_code == 200 and answer.json()["problems"] == []

    def begin(self, size: int) -> dict[str, Any]:
        answer = self.session.send(self.request("POST", f"{self.page}/unggahan/{SLOT}", data={
            "csrf_token": self.csrf, "nama": "bahan.pdf", "ukuran": str(size)}), timeout=20)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def part(self, address: str, offset: int, data: bytes) -> requests.PreparedRequest:
        return self.request("PATCH", address, data=data, headers={
            "X-CSRFToken": self.csrf, "Upload-Offset": str(offset), "Content-Type": "application/octet-stream"})


def raw(request: requests.PreparedRequest) -> bytes:
    """A request as it goes over the line."""
    body = request.body or b""
    assert isinstance(body, bytes)
    host = str(request.url).split("/")[2]
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return f"{request.method} {request.path_url} HTTP/1.1\r\nHost: {host}\r\n{head}\r\n".encode() + body


def cut(port: int, data: bytes, hard: bool, stay: bool = False) -> None:
    """Send the beginning of a request, then go: hard with a reset, else with a polite end."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        if hard:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.sendall(data)
        if stay:
            line.recv(1)


@pytest.fixture
def server(desk_url: str, folder: Path, tmp_path: Path, quick_hash: None) -> Iterator[Server]:
    shutil.copytree(folder / "documents", tmp_path / "own" / "documents")
    desk = Desk.at(desk_url, tmp_path / "own")
    found = Server(desk, desk_url, tmp_path / "own")
    try:
        yield found
    finally:
        found.close()
        desk.database.close()


def attached(server: Server, id: str) -> list[str]:
    """The SHA-256 of every version of the slot."""
    with server.desk.database.read() as db:
        mine = select(document_file.c.sha256).where(document_file.c.instance == id, document_file.c.type == SLOT)
        return list(db.execute(mine).scalars())


def sound(server: Server, id: str) -> None:
    """No document without its whole bytes; after the sweep no bytes without a row; the quota counts what is there."""
    with server.desk.database.begin() as db:
        documents.sweep(db, server.folder, server.desk.clock.at + timedelta(days=2))
        parts.sweep(db, server.folder, server.desk.clock.at + timedelta(days=2))
    with server.desk.database.read() as db:
        files = {row.sha256: row for row in db.execute(select(blob))}
        rows = db.execute(select(document_file)).all()
        for row in rows:
            kept = documents.path_of(server.folder, files[row.sha256].file).read_bytes()
            assert sha256(kept).hexdigest() == row.sha256 and len(kept) == row.size_bytes
        assert documents.missing(db, server.folder) == ()
        own = {row.sha256: row.size_bytes for row in rows if row.instance == id}
        assert documents.used(db, id) == (sum(own.values()), len(own))
        under_way = {row.file for row in db.execute(select(upload.c.file))}
    on_disk = {one.name for one in server.folder.rglob("*") if one.is_file()}
    assert on_disk == {one.file for one in files.values()} | (on_disk & under_way)
    assert list((server.folder / "incoming").glob("*")) == []


@pytest.mark.faults
def test_five_hundred_cut_uploads_leave_nothing(server: Server, seed: int) -> None:
    chance, person = random.Random(seed), Person(server)
    data = pdf("terpotong") + b"\n%" + chance.randbytes(150_000)
    plain = raw(person.attaching(data, "k" * 32))
    begun = person.begin(len(data))
    first = person.session.send(person.part(begun["address"], 0, data[:50_000]), timeout=20)
    assert first.json()["offset"] == 50_000
    part = raw(person.part(begun["address"], 50_000, data[50_000:]))
    for n in range(CUTS):
        request = plain if n % 5 < 3 else part
        at = chance.randrange(1, len(request))
        cut(server.port, request[:at], hard=bool(n % 2))
    assert attached(server, person.id) == []
    told = person.session.send(person.request("GET", begun["address"]), timeout=20)
    assert told.json()["offset"] == 50_000, "half a part is no part"
    sound(server, person.id)
    cut(server.port, plain, hard=False, stay=True)      # all of it was sent; the answer found nobody
    assert person.attach(data, "k" * 32) and person.attach(data, "k" * 32)
    assert attached(server, person.id) == [sha256(data).hexdigest()], "sent again, it is the same version"
    sound(server, person.id)


def answered(port: int, *pieces: bytes) -> bytes:
    """What the server says to somebody who sends these pieces, and goes on sending while it may."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        said = b""
        try:
            for one in pieces:
                line.sendall(one)
            while piece := line.recv(65_536):
                said += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
        return said


@pytest.mark.faults
@pytest.mark.parametrize("desk_url", ["sqlite"], indirect=True)
def test_what_says_it_is_too_large_is_refused_before_it_is_read(server: Server) -> None:
    person = Person(server)
    most = server.desk.app.config["MAX_CONTENT_LENGTH"]
    head = raw(person.attaching(b"x", "k" * 32)).split(b"\r\n\r\n")[0]
    lies = re.sub(rb"Content-Length: \d+", b"Content-Length: 10000000000", head)
    said = answered(server.port, lies + b"\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 413") and b"Kiriman terlalu besar" in said and b"lang=\"id\"" in said
    # Without a length: no more than the bound is kept of it, however long it goes on.
    chunked = re.sub(rb"Content-Length: \d+", b"Transfer-Encoding: chunked", head)
    piece = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    said = answered(server.port, chunked + b"\r\n\r\n", *[piece] * (most // (1 << 20) + 20))
    assert said == b"" or said.startswith(b"HTTP/1.1 413")
    assert attached(server, person.id) == []
    assert person.attach(pdf("kecil"), "k" * 32), "and the others are served"


@pytest.mark.faults
@pytest.mark.parametrize("desk_url", ["sqlite"], indirect=True)
def test_a_length_that_is_no_length_or_two_of_them_are_refused(server: Server) -> None:
    person = Person(server)
    plain = raw(person.attaching(pdf("dusta"), "k" * 32))
    for wrong in (b"Content-Length: -1", b"Content-Length: 1, 2", b"Content-Length: 5\r\nContent-Length: 6",
                  b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"Content-Length: 0x10"):
        said = answered(server.port, re.sub(rb"Content-Length: \d+", wrong, plain))
        assert said.startswith((b"HTTP/1.1 400", b"HTTP/1.1 501", b"HTTP/1.0 400")) or said == b"", said[:80]
    assert attached(server, person.id) == []


def kills(server: Server, count: int, seed: int) -> int:
    """Kill the server as often while three people upload; how many uploads were acknowledged. Every other life ends at
    any moment, perhaps before its first upload; the others end soon after one was acknowledged."""
    chance, person = random.Random(seed), Person(server)
    told: set[str] = set()
    for life in range(count):
        some = threading.Event()

        def work(name: str, size: int, some: threading.Event = some) -> None:
            number = 0
            while True:
                number += 1
                data = pdf(f"{name}-{number}") + b"\n%" + bytes([65 + number % 26]) * size
                try:
                    if person.attach(data, f"{name}-{number}".ljust(32, "k")):
                        told.add(sha256(data).hexdigest())
                        some.set()
                except requests.RequestException:
                    return

        people = [threading.Thread(target=work, args=(f"hidup-{life}-{n}", chance.randrange(10_000, 400_000)))
                  for n in range(3)]
        for one in people:
            one.start()
        if life % 2:
            assert some.wait(timeout=60), "a server that lives takes an upload"
        people[0].join(timeout=chance.uniform(0.05, 0.5))
        server.kill()
        for one in people:
            one.join(timeout=30)
        server.start()
        person.session.close()
    there = attached(server, person.id)
    assert told <= set(there), "acknowledged and lost"
    assert len(there) == len(set(there)), "doubled"
    again = pdf("sesudahnya")
    assert person.attach(again, "z" * 32) and sha256(again).hexdigest() in attached(server, person.id)
    sound(server, person.id)
    return len(told)


@pytest.mark.faults
def test_eight_kills_in_the_middle_of_uploads_lose_and_leave_nothing(server: Server, seed: int) -> None:
    assert kills(server, 8, seed) >= 4


@pytest.mark.soak
def test_forty_kills_in_the_middle_of_uploads_lose_and_leave_nothing(
        server: Server, seed: int, desk_url: str, soak_table: dict[str, str]) -> None:
    kept = kills(server, 40, seed)
    soak_table[f"kill -9 in the middle of uploads, {desk_url.split(':')[0].split('+')[0]}, 40 kills"] = (
        f"{kept:,} uploads acknowledged, none lost, none doubled, no bytes without a row")
