"""Evidence to take away: the pack that an outsider checks, who may have it, and that taking it leaves a trace."""
from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import text

from engine import checkpoints, packs, verifier
from engine.checkpoints import Place
from engine.store import access, instances, journal
from forms import audit, evidence
from tests.desk import Desk

FORMS = evidence.KINDS


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "keys" / "checkpoint.key", "https://alur.example.go.id")


@pytest.fixture
def finished(site: Desk, place: Place) -> str:
    """An LKjPD that is done, and signed."""
    (place.key_file.parent).mkdir(mode=0o700)
    id = site.waiting_at(9)
    site.complete(id, 9)
    checkpoints.sign(site.database, place)
    return id


def taken(site: Desk, id: str, form: str, login: str = "auditor", query: str = "") -> bytes:
    answer = site.reader(login).client.get(f"/audit/{id}/bukti.{form}{query}")
    assert answer.status_code == 200, answer.headers
    assert answer.headers["Content-Disposition"].startswith("attachment") and answer.mimetype == (
        evidence.MEDIA_TYPES[form])
    return bytes(answer.data)


def entries(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_pack_of_a_finished_instance_holds_and_has_everything(site: Desk, finished: str, tmp_path: Path) -> None:
    pack = tmp_path / "pack.zip"
    pack.write_bytes(taken(site, finished, "zip"))
    report = verifier.verify(str(pack), [], [])
    assert report.findings == []
    held = entries(pack.read_bytes())
    assert {"RINGKASAN.pdf", "BACA_SAYA.txt", "verifier.py", "manifest.json", "journal.jsonl", "kejadian/alur.xesext",
            "kejadian/kejadian.xes", "kejadian/kejadian.jsonocel", "kejadian/kejadian.csv"} <= held.keys()
    assert held["RINGKASAN.pdf"].startswith(b"%PDF-")
    listed = held["kejadian/dokumen.csv"].decode("utf-8-sig").splitlines()[1:]
    stored = sorted(name for name in held if name.startswith("documents/"))
    assert stored and sorted({line.rsplit('"', 2)[1] for line in listed}) == stored
    assert sum(name.startswith("definitions/") for name in held) == 1


def test_one_changed_letter_of_what_is_read_is_found(site: Desk, finished: str, tmp_path: Path) -> None:
    held = entries(taken(site, finished, "zip"))
    forged = tmp_path / "forged.zip"
    with zipfile.ZipFile(forged, "w") as archive:
        for name, data in held.items():
            archive.writestr(name, data[:-2] + b"x\n" if name == "kejadian/kejadian.csv" else data)
    (found,) = verifier.verify(str(forged), [], []).findings
    assert "kejadian/kejadian.csv" in found


def test_a_finished_instance_gives_the_same_bytes_whenever_it_is_taken(
        site: Desk, finished: str, place: Place) -> None:
    before = {form: taken(site, finished, form) for form in FORMS}
    site.later(days=40)
    site.begin()                                # the office goes on, and so does the log
    site.reader("admin")
    checkpoints.sign(site.database, place)
    assert {form: taken(site, finished, form, "camat") for form in FORMS} == before


def test_names_are_written_only_when_they_are_asked_for(site: Desk, finished: str) -> None:
    for form in ("csv", "xes", "jsonocel"):
        assert b"Anggota Tim Penyusun 1" not in taken(site, finished, form)
        assert b"Anggota Tim Penyusun 1" in taken(site, finished, form, query="?nama=1")


def test_what_was_taken_stands_in_the_stream_access_whoever_took_it(site: Desk, finished: str) -> None:
    data = taken(site, finished, "xes")
    taken(site, finished, "zip", "camat")
    with site.database.read() as db:
        rows = [entry.command for entry in journal.read(db, access.STREAM, key=site.database.key)]
    found = [(row["actor"]["person"], row["act"]["form"], row["act"]["sequence"], row["act"]["named"]) for row in rows]
    last = site.instance(finished).sequence
    assert found == [("auditor", "xes", last, False), ("camat", "zip", last, True)]
    file = Path(site.app.extensions["alur"].settings.data_dir) / "taken.xes"
    file.write_bytes(data)
    assert rows[0]["act"]["sha256"] == evidence.fingerprint(file)


@pytest.mark.parametrize("login", ["sekcam", "tim1", "inspektorat", "admin"])
def test_who_neither_audits_nor_heads_the_process_takes_nothing(site: Desk, login: str) -> None:
    id = site.waiting_at(5)
    reader = site.reader(login)
    for form in FORMS:
        assert reader.get(f"/audit/{id}/bukti.{form}").status == 404
    with site.database.read() as db:
        assert "EvidenceTaken" not in [entry.command["act"]["type"] for entry in journal.read(db, access.STREAM)]


def test_a_form_that_there_is_not_is_no_page(site: Desk) -> None:
    assert site.reader("auditor").get(f"/audit/{site.waiting_at(5)}/bukti.exe").status == 404


def test_what_is_not_signed_yet_gives_no_pack_and_says_when_to_come_again(site: Desk) -> None:
    reader = site.reader("auditor").get(f"/audit/{site.waiting_at(5)}/bukti.zip")
    assert reader.status == 200 and "Tunggu satu menit" in reader.text


def test_a_running_instance_says_in_its_paper_that_it_is_not_signed(site: Desk) -> None:
    id = site.waiting_at(5)
    office = site.app.extensions["alur"]
    with evidence.spoken("id"), site.database.snapshot() as db:
        it = evidence.of(db, office.rules, id, office.now())
        assert it is not None
        told = evidence.told(it)
        assert packs.covering(db, [instances.stream(id)]) is None
    assert "Belum semua catatan" in told.checkpoint[0]
    assert [one.row for one in told.moments] == list(range(1, site.instance(id).sequence + 1))


def test_the_paper_says_who_signed_in_which_position_and_names_every_document(site: Desk, finished: str) -> None:
    office = site.app.extensions["alur"]
    with evidence.spoken("id"), site.database.snapshot() as db:
        it = evidence.of(db, office.rules, finished, office.now())
        assert it is not None
        told = evidence.told(it)
    assert len(told.signed) == 9 and ["Camat Lasem", "sebagai Camat Lasem"] == list(
        told.signed[0].who)[:2]
    held = json.loads(entries(taken(site, finished, "zip"))["manifest.json"])["files"]
    assert {one.sha256 for one in told.documents if one.sha256} == {
        name.rsplit("/", 1)[1].split(".")[0] for name in held if name.startswith("documents/")}
    assert told.diagrams[0][0] == "versi 1" and "akar" in told.checkpoint[0]


def test_a_history_that_was_changed_is_taken_as_it_is_and_says_so(site: Desk, finished: str, tmp_path: Path) -> None:
    with site.database.begin() as db:
        db.execute(text("DROP TRIGGER journal_value_only_erased"))
        db.execute(text("UPDATE journal_value SET value = :new WHERE stream = :stream AND path LIKE '%arahan%'"),
                   {"new": b'"Lain"', "stream": f"instance/{finished}"})
    office, pack = site.app.extensions["alur"], tmp_path / "pack.zip"
    pack.write_bytes(taken(site, finished, "zip"))
    assert any(f"instance/{finished} #2" in one for one in verifier.verify(str(pack), [], []).findings)
    with evidence.spoken("id"), site.database.snapshot() as db:
        it = evidence.of(db, office.rules, finished, office.now())
        assert it is not None
        told = evidence.told(it)
    assert told.proof[0][1].startswith("TIDAK SAMA: catatan ke-2") and [one.row for one in told.moments] == [1]


def test_the_page_offers_what_can_be_taken(site: Desk) -> None:
    id = site.waiting_at(5)
    page = site.reader("auditor").get(f"/audit/{id}")
    links = page.page.xpath("//section[@aria-labelledby='unduh']//a/@href")
    assert {link.split("?")[0].rsplit(".", 1)[1] for link in links} == set(FORMS)


def test_who_asks_while_another_file_of_evidence_is_made_is_told_to_ask_again(
        site: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PATIENCE_SECONDS", 0.05)
    id = site.waiting_at(3)
    auditor = site.reader("auditor")
    with audit.making:
        page = auditor.get(f"/audit/{id}/bukti.csv")
        assert "Bukti lain sedang disiapkan." in page.text
    for _ in range(2):      # it is given back after each
        assert auditor.client.get(f"/audit/{id}/bukti.csv").mimetype == "text/csv"
