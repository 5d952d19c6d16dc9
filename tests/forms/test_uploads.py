"""Uploads: in parts over bad lines, within what an instance and the disk hold; what is held back stays held back."""
from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from engine.store import documents, parts
from engine.store.documents import QUARANTINED, SCANNING
from engine.store.schema import blob, document_file, instance, upload
from tests.desk import LKJPD, OPENING, START, Desk, Reader, pdf

BIG = pdf("besar") + b"\n%" + b"x" * 1_300_000
on_sqlite = pytest.mark.parametrize("desk_url", ["sqlite"], indirect=True)


class Line:
    """Somebody at a task's page, whose script speaks to the server."""

    def __init__(self, desk: Desk, login: str, id: str):
        self.desk, self.id, self.reader = desk, id, desk.reader(login)
        [self.task] = desk.instance(id).user_tasks
        self.reader.get(f"/tugas/{id}/{self.task}")
        [self.csrf] = set(self.reader.page.xpath("//form[@id='tugas']//input[@name='csrf_token']/@value"))

    @property
    def client(self) -> Any:
        return self.reader.client

    def begin(self, slot: str = "bahan_rapat", name: str = "bahan.pdf", size: object = len(BIG), **more: Any) -> Any:
        self.key = "k" * 32
        return self.client.post(f"/tugas/{self.id}/{self.task}/unggahan/{slot}", data={
            "nama": name, "ukuran": str(size), "csrf_token": self.csrf, "key": self.key, **more})

    def send(self, address: str, offset: object, data: bytes, **headers: str) -> Any:
        return self.client.patch(address, data=data, headers={
            "X-CSRFToken": self.csrf, "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream", **headers})

    def all_of(self, data: bytes, **more: Any) -> str:
        """Send a file in parts; the upload's id."""
        begun = self.begin(size=len(data), **more).json
        offset = 0
        while offset < len(data):
            told = self.send(begun["address"], offset, data[offset:offset + begun["part"]])
            assert told.status_code == 200, told.text
            offset = told.json["offset"]
        return str(begun["id"])

    def attach(self, *ids: str, slot: str = "bahan_rapat", key: str = "") -> Any:
        values = {**self.reader.values("/completion"), f"unggahan.{slot}": list(ids), "key": key or self.key}
        return self.client.post(f"/tugas/{self.id}/{self.task}/documents/{slot}", data=values,
                                headers={"Accept": "application/json"})


@pytest.fixture
def line(desk: Desk) -> Line:
    return Line(desk, "tim1", desk.waiting_at(3))


def folder(desk: Desk) -> Path:
    found: Path = desk.app.extensions["alur"].settings.documents_dir
    return found


def left_parts(desk: Desk) -> list[Path]:
    return list((folder(desk) / "parts").glob("*"))


# In parts

def test_a_file_that_came_in_parts_is_attached_as_any_other(desk: Desk, line: Line) -> None:
    before = len(left_parts(desk))
    id = line.all_of(BIG)
    answer = line.attach(id)
    assert answer.status_code == 200 and answer.json["problems"] == []
    [file] = desk.instance(line.id).documents["bahan_rapat"].attachment.files
    assert file.size_bytes == len(BIG) and len(left_parts(desk)) == before
    got = line.reader.get(f"/dokumen/{line.id}/bahan_rapat/1/0").response
    assert got.data == BIG and "bahan.pdf" in got.headers["Content-Disposition"]


def test_sent_again_after_a_lost_answer_it_is_the_same_version(desk: Desk, line: Line) -> None:
    id = line.all_of(BIG)
    for _ in range(3):
        assert line.attach(id).status_code == 200
    assert desk.instance(line.id).documents["bahan_rapat"].version == 1


def test_after_a_lost_line_it_goes_on_where_it_stopped(line: Line) -> None:
    begun = line.begin()
    assert (begun.status_code, begun.json["offset"], begun.json["size"]) == (201, 0, len(BIG))
    address = begun.json["address"]
    assert line.send(address, 0, BIG[:400_000]).json["offset"] == 400_000
    assert line.client.get(address).json["offset"] == 400_000
    assert line.client.head(address).headers["Upload-Offset"] == "400000"
    twice = line.send(address, 0, BIG[:400_000])
    assert (twice.status_code, twice.json["offset"]) == (200, 400_000), "a part sent twice is taken once"
    assert line.send(address, 900_000, BIG[900_000:]).status_code == 409, "no hole is left"
    assert line.send(address, 400_000, BIG[400_000:]).json["offset"] == len(BIG)
    assert line.attach(begun.json["id"]).json["problems"] == []


def test_what_a_crash_left_behind_the_last_part_is_cut_away(desk: Desk, line: Line) -> None:
    begun = line.begin().json
    line.send(begun["address"], 0, BIG[:1_000])
    with desk.database.read() as db:
        file = db.execute(select(upload.c.file).where(upload.c.id == begun["id"])).scalar_one()
    with (folder(desk) / "parts" / file).open("ab") as half:
        half.write(b"written, never acknowledged")
    line.send(begun["address"], 1_000, BIG[1_000:])
    line.attach(begun["id"])
    assert line.reader.get(f"/dokumen/{line.id}/bahan_rapat/1/0").response.data == BIG
    again = line.begin().json
    line.send(again["address"], 0, BIG[:1_000])
    with desk.database.read() as db:
        file = db.execute(select(upload.c.file).where(upload.c.id == again["id"])).scalar_one()
    (folder(desk) / "parts" / file).unlink()
    lost = line.send(again["address"], 1_000, BIG[1_000:])
    assert (lost.status_code, lost.json["offset"]) == (409, 0), "what is gone is sent again, not filled up"


@on_sqlite
def test_half_an_upload_attaches_nothing(desk: Desk, line: Line) -> None:
    begun = line.begin().json
    line.send(begun["address"], 0, BIG[:1_000])
    answer = line.attach(begun["id"])
    assert answer.status_code == 422 and "belum lengkap" in answer.json["problems"][0]
    assert "bahan_rapat" not in desk.instance(line.id).documents


@on_sqlite
def test_what_came_in_parts_is_judged_by_its_content_too(desk: Desk, line: Line) -> None:
    answer = line.attach(line.all_of(b"MZ" + bytes(1_200_000)))
    assert answer.status_code == 422 and "bukan PDF" in answer.json["problems"][0]
    assert "bahan_rapat" not in desk.instance(line.id).documents


@on_sqlite
def test_an_upload_belongs_to_who_began_it_and_to_its_slot(desk: Desk, line: Line) -> None:
    id = line.all_of(BIG)
    other = Line(desk, "tim2", line.id)
    for answer in (other.client.get(f"/unggahan/{id}"), other.send(f"/unggahan/{id}", 0, b"x"),
                   other.client.delete(f"/unggahan/{id}", headers={"X-CSRFToken": other.csrf})):
        assert answer.status_code == 404
    other.key = "m" * 32
    assert "kedaluwarsa" in other.attach(id).json["problems"][0]
    assert "kedaluwarsa" in line.attach(id, slot="notulen").json["problems"][0]
    assert desk.instance(line.id).documents.keys().isdisjoint({"notulen", "bahan_rapat"})


@on_sqlite
def test_only_who_may_attach_there_begins_and_continues(desk: Desk, line: Line) -> None:
    address = f"/tugas/{line.id}/{line.task}/unggahan/bahan_rapat"
    for login, status in (("inspektorat", 403), ("camat", 403)):
        reader = desk.reader(login)
        [csrf, *_rest] = reader.get("/pemberitahuan").page.xpath("//input[@name='csrf_token']/@value")
        sent = reader.client.post(address, data={"nama": "a.pdf", "ukuran": "9", "csrf_token": csrf})
        assert sent.status_code in (status, 404)
    assert desk.reader().client.post(address, data={"nama": "a.pdf", "ukuran": "9"}).status_code == 401
    assert line.client.post(address, data={"nama": "a.pdf", "ukuran": "9"}).status_code == 400, "without the token"
    begun = line.begin().json
    assert line.send(begun["address"], 0, b"x", Origin="https://elsewhere.example").status_code == 403
    assert line.send(begun["address"], 0, b"x", **{"X-CSRFToken": "guessed"}).status_code == 400
    desk.complete(line.id, 3)
    assert line.send(begun["address"], 0, b"x").status_code == 409, "the task is over"
    assert line.client.get("/unggahan/" + "0" * 32).status_code == 404


@on_sqlite
@pytest.mark.parametrize(("name", "size", "status"), [
    ("program.exe", 10, 422), ("bahan.pdf", 0, 422), ("bahan.pdf", 26_000_000, 422), ("bahan.pdf", "-1", 400),
    ("bahan.pdf", "9" * 40, 400), ("bahan.pdf", "١٢", 400), ("x" * 9_000 + ".pdf", 10, 201),
    ("a\x00\u202e.pdf", 10, 201),
    ("../../../etc/passwd", 10, 422), ("", 10, 422), ("CON.pdf", 10, 201),
])
def test_what_could_not_be_kept_at_its_end_is_not_begun(line: Line, name: str, size: object, status: int) -> None:
    assert line.begin(name=name, size=size).status_code == status


@on_sqlite
def test_a_part_is_bounded_and_never_beyond_the_announced_length(line: Line) -> None:
    begun = line.begin(size=1_000).json
    assert line.send(begun["address"], 0, bytes(1_001)).status_code == 422
    assert line.send(begun["address"], 0, bytes(4_000_001)).status_code == 413
    for wrong in ("", "-1", "x", "9" * 30):
        assert line.send(begun["address"], wrong, b"x").status_code == 400
    assert line.client.get(begun["address"]).json["offset"] == 0


@on_sqlite
def test_a_given_up_upload_leaves_nothing(desk: Desk, line: Line) -> None:
    before = len(left_parts(desk))
    begun = line.begin().json
    line.send(begun["address"], 0, BIG[:1_000])
    assert len(left_parts(desk)) == before + 1
    assert line.client.delete(begun["address"], headers={"X-CSRFToken": line.csrf}).status_code == 204
    assert len(left_parts(desk)) == before and line.client.get(begun["address"]).status_code == 404


def test_an_upload_is_over_after_a_day_and_swept(desk: Desk, line: Line) -> None:
    begun = line.begin().json
    line.send(begun["address"], 0, BIG[:1_000])
    with desk.database.begin() as db:
        parts.sweep(db, folder(desk), desk.clock.at + timedelta(hours=23))
        assert db.execute(select(func.count()).select_from(upload)).scalar() == 1
    desk.later(hours=25)
    with desk.database.begin() as db:
        parts.sweep(db, folder(desk), desk.clock.at)
        assert db.execute(select(func.count()).select_from(upload)).scalar() == 0
        assert left_parts(desk) == []


@on_sqlite
def test_one_person_has_few_uploads_under_way(line: Line) -> None:
    for _ in range(parts.MOST_OPEN):
        assert line.begin(size=10).status_code == 201
    answer = line.begin(size=10)
    assert answer.status_code == 422 and "belum selesai" in answer.json["problem"]


# The room of an instance, and of the disk

def test_an_instance_holds_so_much_and_what_is_under_way_counts(desk: Desk, line: Line) -> None:
    settings = desk.app.extensions["alur"].settings
    object.__setattr__(settings, "upload_quota_megabytes", 3)
    first, second = line.begin(size=1_400_000), line.begin(size=1_400_000)
    assert (first.status_code, second.status_code) == (201, 201)
    third = line.begin(size=1_400_000)
    assert third.status_code == 422 and "3 MB" in third.json["problem"]
    for one in (first, second):
        line.client.delete(one.json["address"], headers={"X-CSRFToken": line.csrf})
    assert line.begin(size=1_400_000).status_code == 201


def test_a_file_beyond_the_quota_is_not_attached_and_what_was_typed_stays(desk: Desk, line: Line) -> None:
    object.__setattr__(desk.app.extensions["alur"].settings, "upload_quota_megabytes", 1)
    page = line.reader
    page.send({"isian.nomor_pengantar_reviu": "700/9", "berkas.bahan_rapat": (io.BytesIO(BIG), "besar.pdf")},
              action="/documents/bahan_rapat")
    assert page.status == 422 and "1 MB" in page.errors()[0] and 'value="700/9"' in page.response.text
    assert "bahan_rapat" not in desk.instance(line.id).documents
    page.send({"berkas.bahan_rapat": (io.BytesIO(pdf("kecil")), "kecil.pdf")}, action="/documents/bahan_rapat")
    assert "bahan_rapat" in desk.instance(line.id).documents
    with desk.database.read() as db:
        held = documents.used(db, line.id)
        alone = select(document_file.c.sha256, document_file.c.size_bytes).where(document_file.c.instance == line.id)
        rows = set(map(tuple, db.execute(alone)))
    assert held == (sum(size for _sha256, size in rows), len(rows))


@on_sqlite
def test_what_a_process_begins_with_is_counted_too(desk: Desk) -> None:
    object.__setattr__(desk.app.extensions["alur"].settings, "upload_quota_megabytes", 1)
    reader = desk.reader("sekcam").get(f"/proses/mulai/{LKJPD}")
    typed = {**START, "isian.tahun_laporan": "2031"}
    reader.send({**typed, "berkas.surat_edaran": (io.BytesIO(BIG), "besar.pdf")})
    assert reader.status == 422 and "melebihi batasnya (1 MB" in reader.errors()[0] and "besar.pdf" in reader.text
    with desk.database.read() as db:
        assert db.execute(select(func.count()).select_from(instance).where(instance.c.year == 2031)).scalar() == 0
    reader.send({"berkas.surat_edaran": (io.BytesIO(pdf("kecil")), "kecil.pdf")})
    assert reader.status == 200 and reader.path.startswith("/proses/")


def test_a_full_disk_is_said_before_it_is_full_and_reading_goes_on(desk: Desk, line: Line,
                                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "KEPT_FREE_BYTES", 10**18)
    page = line.reader
    page.send({"isian.nomor_pengantar_reviu": "700/9", "berkas.bahan_rapat": (io.BytesIO(pdf()), "a.pdf")},
              action="/documents/bahan_rapat")
    assert page.status == 507 and page.response.headers["Retry-After"] == "600"
    assert "penyimpanan server hampir penuh" in page.errors()[0] and 'value="700/9"' in page.response.text
    assert page.get(f"/tugas/{line.id}/{line.task}").status == 200 and 'value="700/9"' in page.response.text
    assert desk.reader("tim1").get(f"/proses/{line.id}").status == 200
    begun = line.begin()
    assert (begun.status_code, begun.headers["Retry-After"]) == (507, "600")
    monkeypatch.undo()
    assert line.begin().status_code == 201


def test_a_request_beyond_all_measure_is_refused_in_words(desk: Desk, line: Line) -> None:
    most = desk.app.config["MAX_CONTENT_LENGTH"]
    answer = line.client.post(f"/tugas/{line.id}/{line.task}/documents/bahan_rapat",
                              data={"csrf_token": line.csrf}, environ_overrides={"CONTENT_LENGTH": str(most + 1)})
    assert answer.status_code == 413 and "paling besar 25 MB" in answer.text


@on_sqlite
def test_many_parts_and_huge_heads_are_refused_and_nothing_breaks(line: Line) -> None:
    address = f"/tugas/{line.id}/{line.task}/documents/bahan_rapat"

    def posted(body: bytes) -> int:
        answer = line.client.post(address, data=body, content_type="multipart/form-data; boundary=b")
        return int(answer.status_code)

    part = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n'
    assert posted(part * 25_000 + b"--b--\r\n") in (400, 413)
    head = b'--b\r\nContent-Disposition: form-data; name="' + b"x" * 3_000_000
    assert posted(head + b'"\r\n\r\n1\r\n--b--') in (400, 413)
    assert posted(b"--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--\r\n") == 400
    assert posted(b"--b") == 400


# What the scanner holds back

def test_a_file_that_waits_for_the_scanner_is_given_to_nobody_and_it_is_said(desk: Desk, line: Line) -> None:
    with desk.database.begin() as db:
        documents.set_scanner(db, True)
    page = line.reader
    page.send({"berkas.bahan_rapat": (io.BytesIO(pdf("baru")), "baru.pdf")}, action="/documents/bahan_rapat")
    assert "Sedang diperiksa" in page.text
    [sha256] = [one.sha256 for one in desk.instance(line.id).documents["bahan_rapat"].attachment.files]
    address = f"/dokumen/{line.id}/bahan_rapat/1/0"
    held = page.get(address)
    assert (held.status, held.response.headers["Retry-After"]) == (423, "30") and "sedang diperiksa" in held.text
    with desk.database.begin() as db:
        assert documents.scanned(db, sha256, OPENING, QUARANTINED, "Eicar")
    assert page.get(address).status == 423 and "dikarantina" in page.text
    assert "Dikarantina" in page.get(f"/tugas/{line.id}/{line.task}").text
    page.send({"berkas.bahan_rapat": (io.BytesIO(pdf("bersih")), "bersih.pdf")}, action="/documents/bahan_rapat")
    with desk.database.begin() as db:
        for digest in documents.to_scan(db, 10_000):
            documents.scanned(db, digest, OPENING, documents.CLEAN, None)
    newest = desk.instance(line.id).documents["bahan_rapat"]
    place = len(newest.attachment.files) - 1
    assert page.get(f"/dokumen/{line.id}/bahan_rapat/{newest.version}/{place}").status == 200, "it stands beside it"
    assert page.get(address).status == 423, "what is quarantined stays so"
    with desk.database.read() as db:
        states = dict(map(tuple, db.execute(select(blob.c.state, func.count()).group_by(blob.c.state))))
    assert states[QUARANTINED] == 1 and SCANNING not in states


# What is served

@on_sqlite
@pytest.mark.parametrize("name", [
    "Surat Édaran – final.pdf", "a'b; c=d.pdf", "ملف.pdf", "x" * 300 + ".pdf", "..\\..\\a.pdf"])
def test_a_file_is_saved_under_its_name_and_never_shown_inside(desk: Desk, line: Line, name: str) -> None:
    line.reader.send({"berkas.bahan_rapat": (io.BytesIO(pdf(name)), name)}, action="/documents/bahan_rapat")
    answer = line.reader.get(f"/dokumen/{line.id}/bahan_rapat/1/0").response
    said = answer.headers["Content-Disposition"]
    assert said.startswith("attachment; filename") and not set(said) & set("\r\n\0")
    if not name.isascii():
        assert "filename*=UTF-8''" in said
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.mimetype == "application/pdf"


@on_sqlite
def test_nothing_that_a_browser_would_run_is_taken_or_served(desk: Desk, line: Line) -> None:
    for name, data in (("a.html", b"<script>alert(1)</script>"), ("a.svg", b"<svg/>"), ("a.xml", b"<a/>"),
                       ("a.txt", b"<html><script>alert(1)</script>")):
        line.reader.send({"berkas.bahan_rapat": (io.BytesIO(data), name)}, action="/documents/bahan_rapat")
        assert line.reader.status == 422
    assert "bahan_rapat" not in desk.instance(line.id).documents
    assert json.dumps(sorted(set(documents.BY_EXTENSION.values()) & {"text/html", "image/svg+xml", "text/xml"})) == "[]"


def test_rights_on_a_document_are_asked_at_every_request(desk: Desk, line: Line) -> None:
    line.attach(line.all_of(BIG))
    address = f"/dokumen/{line.id}/bahan_rapat/1/0"
    readers: list[tuple[Reader, int]] = [(desk.reader("tim1"), 200), (desk.reader("inspektorat"), 404)]
    for reader, status in readers:
        assert reader.get(address).status == status
    assert desk.reader().get(address, follow=False).status in (302, 401)
