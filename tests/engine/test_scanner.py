"""The virus scanner: nothing unscanned is given out, what it finds is held for ever, and who attached it is told."""
from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import select, update

from engine import checkpoints, packs, ratification, scanner
from engine.bench import Office
from engine.checkpoints import Place
from engine.commands import Actor, AttachDocument, Attachment, File
from engine.scanner import Away, Clamd, Unsaid, clamd, scan_waiting
from engine.store import definitions, documents, journal, notices, records
from engine.store.database import Unavailable
from engine.store.documents import QUARANTINED, SCANNING, Held, StoredFile, open_document
from engine.store.schema import blob
from engine.worker import Worker
from tests.clamd import EICAR, MOST_BYTES
from tests.clamd import clamd as running_clamd

CLEAN_PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
BAD_PDF = CLEAN_PDF + EICAR
URL = "https://alur.example"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running_clamd() as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "documents"


def there(address: str) -> Clamd:
    found = clamd(address, timeout=10)
    assert found is not None
    return found


def keep(office: Office, folder: Path, data: bytes) -> StoredFile:
    file = documents.store(BytesIO(data), "naskah.pdf", folder)
    with office.database.begin() as db:
        documents.record(db, folder, file, office.at)
    return file


def with_scanner(office: Office, yes: bool) -> None:
    with office.database.begin() as db:
        documents.set_scanner(db, yes)


def state(office: Office, folder: Path, file: StoredFile) -> str:
    """What somebody is told who asks for a file."""
    with office.database.read() as db:
        try:
            with open_document(db, folder, file.sha256):
                return "given"
        except Held as held:
            return held.state


# What clamd is asked, and says

def test_a_file_with_a_virus_is_told_from_one_without(address: str) -> None:
    one = there(address)
    one.ping()
    assert one.scan(BytesIO(CLEAN_PDF)) is None
    assert one.scan(BytesIO(BAD_PDF)) == "Eicar-Test-Signature"
    assert one.scan(BytesIO(b"")) is None


def test_a_file_larger_than_the_scanner_takes_is_not_called_clean(address: str) -> None:
    with pytest.raises(Unsaid, match="size limit exceeded"):
        there(address).scan(BytesIO(bytes(MOST_BYTES * 3)))


def test_a_scanner_may_listen_on_a_socket_of_this_machine(tmp_path: Path) -> None:
    with running_clamd(str(tmp_path / "clamd.ctl")) as found:
        for name in (found, f"unix://{found}"):
            assert there(name).scan(BytesIO(BAD_PDF)) == "Eicar-Test-Signature"


def test_a_scanner_that_is_not_there_or_is_none_is_away() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(Away):
            there(f"127.0.0.1:{port}").scan(BytesIO(CLEAN_PDF))
    with pytest.raises(Away):
        there("/nowhere/clamd.ctl").ping()


@pytest.mark.parametrize("says", [b"", b"stream: ", b"HTTP/1.1 200 OK\r\n\r\n", b"stream: FOUND\0", b"\xff" * 9_000])
def test_whatever_else_answers_nothing_is_called_clean(says: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        def answer() -> None:
            held, _ = server.accept()
            with held:
                held.recv(1_000)
                held.sendall(says)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises((Away, Unsaid)):
            there(f"tcp://127.0.0.1:{server.getsockname()[1]}").scan(BytesIO(CLEAN_PDF))
        thread.join(timeout=10)


@pytest.mark.parametrize("address", ["clamd", "http://a:1", "a:b", "a:99999", "a:0"])
def test_what_is_no_address_is_said_at_the_start(address: str) -> None:
    with pytest.raises(Unavailable, match="ALUR_CLAMD"):
        clamd(address)
    assert clamd("") is None


# What is given out

def test_without_a_scanner_files_are_given_and_said_to_be_unscanned(office: Office, folder: Path) -> None:
    file = keep(office, folder, BAD_PDF)
    assert state(office, folder, file) == "given"
    with office.database.read() as db:
        assert documents.to_scan(db, 10) == []


def test_nothing_is_given_before_the_scanner_found_it_clean(office: Office, folder: Path, address: str) -> None:
    before = keep(office, folder, CLEAN_PDF)
    with_scanner(office, True)
    assert state(office, folder, before) == SCANNING, "what came before there was a scanner waits for it too"
    good, bad = keep(office, folder, CLEAN_PDF + b"2"), keep(office, folder, BAD_PDF)
    assert state(office, folder, good) == state(office, folder, bad) == SCANNING
    assert scan_waiting(office.database, folder, there(address), URL) == 3
    assert [state(office, folder, one) for one in (before, good, bad)] == ["given", "given", QUARANTINED]
    assert scan_waiting(office.database, folder, there(address), URL) == 0
    with office.database.read() as db:
        assert documents.scanning(db) == (0, None, 1, None)
    again = keep(office, folder, BAD_PDF)
    assert state(office, folder, again) == QUARANTINED, "the same content, sent again, is what it was"


def test_while_the_scanner_is_away_files_wait_and_it_is_said(office: Office, folder: Path, address: str) -> None:
    with_scanner(office, True)
    file = keep(office, folder, CLEAN_PDF)
    with pytest.raises(Away):
        scan_waiting(office.database, folder, there("127.0.0.1:1"), URL)
    assert state(office, folder, file) == SCANNING
    with office.database.read() as db:
        left = documents.scanning(db)
    assert (left.waiting, left.quarantined) == (1, 0) and "clamd does not answer" in (left.trouble or "")
    assert scan_waiting(office.database, folder, there(address), URL) == 1
    assert state(office, folder, file) == "given"


def test_a_file_that_the_scanner_cannot_judge_waits_and_lets_others_pass(
        office: Office, folder: Path, address: str) -> None:
    with_scanner(office, True)
    large = keep(office, folder, CLEAN_PDF + bytes(MOST_BYTES))
    small = keep(office, folder, CLEAN_PDF)
    assert scan_waiting(office.database, folder, there(address), URL) == 1
    assert (state(office, folder, large), state(office, folder, small)) == (SCANNING, "given")
    # It is not sent again every two seconds for ever, which would keep both programs busy and fill the log.
    tried = tried_at(office, large)
    assert scan_waiting(office.database, folder, there(address), URL) == 0 and tried_at(office, large) == tried
    with office.database.begin() as db:
        db.execute(update(blob).values(scanned_at=records.instant(records.moment(tried) - scanner.RETRY)))
    scan_waiting(office.database, folder, there(address), URL)
    assert tried_at(office, large) >= tried


def tried_at(office: Office, file: StoredFile) -> str:
    with office.database.read() as db:
        return str(db.execute(select(blob.c.scanned_at).where(blob.c.sha256 == file.sha256)).scalar_one())


def test_without_a_scanner_again_what_is_quarantined_stays_so(office: Office, folder: Path, address: str) -> None:
    with_scanner(office, True)
    bad = keep(office, folder, BAD_PDF)
    scan_waiting(office.database, folder, there(address), URL)
    waits = keep(office, folder, CLEAN_PDF)
    with_scanner(office, False)
    assert (state(office, folder, bad), state(office, folder, waits)) == (QUARANTINED, "given")


def test_who_attached_a_file_with_a_virus_is_told_once(office: Office, folder: Path, address: str) -> None:
    with_scanner(office, True)
    id = office.begin(2026)
    bad = keep(office, folder, BAD_PDF)
    file = File(sha256=bad.sha256, size_bytes=bad.size_bytes, media_type=bad.media_type, name="rancangan.pdf")
    _, number = office.open(id)
    office.do(id, "tim1", AttachDocument(document="rancangan_akhir", user_task=number,
                                         attachment=Attachment(files=(file,))))
    scan_waiting(office.database, folder, there(address), URL)
    with office.database.begin() as db:
        assert scanner.tell(db, bad.sha256, URL) == 0
        told = [one for one in notices.of_person(db, "tim1") if one.kind == scanner.FOUND]
        assert documents.states(db, id) == {bad.sha256: QUARANTINED}
    [one] = told
    assert "lampirkan versi baru" in one.said and one.body.endswith(f"{URL}/proses/{id}")
    assert bad.sha256 not in one.body


def test_who_attached_a_signed_sheet_with_a_virus_is_told(office: Office, folder: Path, address: str) -> None:
    with_scanner(office, True)
    bad = keep(office, folder, BAD_PDF)
    file = File(sha256=bad.sha256, size_bytes=bad.size_bytes, media_type=bad.media_type, name="lembar.pdf")
    with office.database.begin() as db:
        newest = definitions.newest(db, "penyusunan_lkjpd")
        assert newest is not None
        definitions.put_scan(db, replace(newest, scan=Attachment(files=(file,))))
        journal.append(
            db, office.database.key, stream=definitions.stream(newest.key), sequence=2, command_id="lembar",
            prev=journal.head(db, definitions.stream(newest.key))[1], at=office.at, events=(),
            command=definitions.Change(id="lembar", at=office.at, actor=Actor(person="sekcam"),
                                       act=ratification.AttachSignedSheet(version=1, scan=Attachment(files=(file,)))))
    scan_waiting(office.database, folder, there(address), URL)
    with office.database.begin() as db:
        assert scanner.tell(db, bad.sha256, URL) == 0
        [one] = [one for one in notices.of_person(db, "sekcam") if one.kind == scanner.FOUND]
    assert newest.name in one.said and one.body.endswith(f"{URL}/perancang/sop/{newest.key}")


def test_a_pack_of_evidence_names_what_is_held_back_and_leaves_it_out(
        office: Office, folder: Path, tmp_path: Path, address: str) -> None:
    with_scanner(office, True)
    id = office.begin(2026)
    _, number = office.open(id)
    good, bad, waits = (keep(office, folder, CLEAN_PDF + more) for more in (b"", EICAR, b"2"))
    for one in (good, bad, waits):
        file = File(sha256=one.sha256, size_bytes=one.size_bytes, media_type=one.media_type, name="rancangan.pdf")
        office.do(id, "tim1", AttachDocument(document="rancangan_akhir", user_task=number,
                                             attachment=Attachment(files=(file,))))
    scan_waiting(office.database, folder, there(address), URL)
    with office.database.begin() as db:         # as one that came a moment ago
        db.execute(update(blob).where(blob.c.sha256 == waits.sha256).values(state=SCANNING))
    checkpoints.sign(office.database, Place(tmp_path / "keys" / "checkpoint.key", URL, None))
    with office.database.snapshot() as db:
        packed = packs.of_journal(db, folder, tmp_path / "journal.zip", with_documents=True)
    assert packed.documents == 1 and {bad.sha256, waits.sha256} <= set(packed.missing)
    assert good.sha256 not in packed.missing and EICAR not in (tmp_path / "journal.zip").read_bytes()


def test_the_worker_scans_beside_its_other_work(office: Office, tmp_path: Path, address: str,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanner, "PAUSE_SECONDS", 0.05)
    worker = Worker(office.database, office.rules, tmp_path, poll_seconds=0.05, scanner=there(address))
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        for _ in range(200):                # until it has said that there is a scanner
            with office.database.read() as db:
                if documents.scans(db):
                    break
            stop.wait(0.05)
        good, bad = keep(office, tmp_path / "documents", CLEAN_PDF), keep(office, tmp_path / "documents", BAD_PDF)
        for _ in range(200):
            with office.database.read() as db:
                if not documents.to_scan(db, 1):
                    break
            stop.wait(0.05)
        assert state(office, tmp_path / "documents", good) == "given"
        assert state(office, tmp_path / "documents", bad) == QUARANTINED
    finally:
        stop.set()
        thread.join(timeout=20)


def test_a_removed_file_is_gone_with_its_row(office: Office, folder: Path) -> None:
    file = keep(office, folder, CLEAN_PDF)
    with office.database.begin() as db:
        names = documents.forget(db, file.sha256)
    assert documents.remove(folder, names)
    with office.database.begin() as db:
        assert not documents.remove(folder, documents.forget(db, file.sha256))
        assert documents.recorded(db, file.sha256) is None
    assert state_of_files(folder) == []


def state_of_files(folder: Path) -> list[Path]:
    return [one for one in folder.rglob("*") if one.is_file()]
