"""The bundle for the LKE: arranged by its components, every document named with its hash, what is missing named too."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile

import pytest
from pypdf import PdfReader
from sqlalchemy import insert, select

from engine import organisation as org
from engine import organise
from engine.commands import Actor
from engine.retention import DecideErasure, RequestErasure, carry_out
from engine.store import access, definitions, journal
from engine.store.schema import document_file
from forms import audit, lke
from tests.desk import Desk


def bundle(site: Desk, login: str, id: str) -> zipfile.ZipFile:
    reader = site.reader(login).get(f"/proses/{id}/bukti-lke.zip")
    assert reader.status == 200
    return zipfile.ZipFile(io.BytesIO(reader.response.data))


def index(archive: zipfile.ZipFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read("0-INDEKS.csv").decode("utf-8-sig"), newline="")))


def test_a_delivered_report_has_all_that_is_asked_for_in_the_order_of_the_lke(site: Desk) -> None:
    archive = bundle(site, "camat", site.waiting_at(9))
    rows = index(archive)
    assert [one["jenis"] for one in rows] == list(lke.ASKED) and not any(one["keadaan"] for one in rows)
    for one in rows:
        assert hashlib.sha256(archive.read(one["letak"])).hexdigest() == one["sha256"]
        assert one["versi"] == "1" and one["tanggal"] == "Senin, 7 Desember 2026" and one["oleh"]
    assert [one["letak"].split("/")[0] for one in rows] == [
        "1-direviu", "2-diformalkan", "3-disampaikan", "3-disampaikan", "4-dipublikasikan", "4-dipublikasikan"]
    for name in ("0-INDEKS.pdf", lke.HISTORY):
        assert archive.read(name).startswith(b"%PDF-")


def test_what_is_missing_is_named_as_missing(site: Desk) -> None:
    archive = bundle(site, "sekcam", site.waiting_at(7))
    rows = {one["jenis"]: one for one in index(archive)}
    assert rows["lhr"]["letak"] == "1-direviu/lhr-versi-1.pdf"
    assert {type for type, one in rows.items() if one["keadaan"] == "BELUM ADA" and not one["letak"]} == {
        "dokumen_lkjpd", "tanda_terima_bupati", "bukti_kirim_bagian_organisasi", "bukti_unggah_esr",
        "bukti_unggah_sapa_kinerja"}


def test_a_delivery_that_was_taken_back_is_none(desk: Desk) -> None:
    id = desk.waiting_at(8)

    def said() -> str:
        paper = bundle(desk, "camat", id).read("0-INDEKS.pdf")
        return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(paper)).pages).split())

    done = desk.complete(id, 8)
    assert ": tepat waktu." in said()
    done.send(action="/tarik")
    assert "Belum disampaikan." in said() and ": tepat waktu." not in said()
    desk.complete(id, 8)
    assert ": tepat waktu." in said()


def test_a_file_that_is_gone_from_the_store_is_named_with_its_hash(site: Desk) -> None:
    from forms import evidence

    id = site.waiting_at(7)
    out = io.BytesIO()
    with site.app.test_request_context("/"), site.database.snapshot() as db, zipfile.ZipFile(out, "w") as archive:
        it = evidence.of(db, site.app.extensions["alur"].rules, id, site.clock())
        assert it is not None
        first = lke.items(it)[0]
        found = lke._put(it, site.app.extensions["alur"].settings.documents_dir / "nowhere", archive, first)
    assert (found.place, found.sha256) == ("", first.sha256) and "TIDAK DISERTAKAN" in found.state


def test_the_same_history_gives_the_same_bytes_and_who_took_it_is_recorded(site: Desk) -> None:
    id = site.waiting_at(9)
    address = f"/proses/{id}/bukti-lke.zip"
    first, again = (site.reader(login).get(address).response.data for login in ("camat", "auditor"))
    assert first == again
    with site.database.read() as db:
        rows = [row.command for row in journal.read(db, access.STREAM)]
    assert [(one["actor"]["person"], one["act"]["form"], one["act"]["sha256"]) for one in rows] == [
        (who, "lke", hashlib.sha256(first).hexdigest()) for who in ("camat", "auditor")]


@pytest.mark.parametrize("login", ["inspektorat", "analis", "admin"])
def test_who_may_not_open_all_of_its_documents_finds_no_bundle(site: Desk, login: str) -> None:
    id = site.waiting_at(9)
    reader = site.reader(login)
    assert reader.get(f"/proses/{id}/bukti-lke.zip").status == 404
    assert "Bundel bukti LKE" in site.reader("tim1").get(f"/proses/{id}").text


def test_a_file_that_was_erased_by_law_is_said_to_be_so_and_not_given_from_elsewhere(site: Desk) -> None:
    id = site.waiting_at(7)
    [lhr] = [one for one in index(bundle(site, "camat", id)) if one["jenis"] == "lhr"]
    folder, rules = site.app.extensions["alur"].settings.documents_dir, site.app.extensions["alur"].rules
    with site.database.begin() as db:           # another process has the same content, lawfully
        row = db.execute(select(document_file).where(document_file.c.sha256 == lhr["sha256"])).first()
        assert row is not None
        db.execute(insert(document_file).values({**row._asdict(), "instance": "lain"}))
    for n, (person, act) in enumerate((
            ("admin", RequestErasure(request="r1", about="instance", id=id, number="12/PDP/2027", dated="2026-12-01",
                                     basis="UU 27/2022 Pasal 8", files=(lhr["sha256"],))),
            ("camat", DecideErasure(request="r1", approved=True)))):
        carry_out(site.database, rules, folder, definitions.Change(
            id=f"h{n}", at=site.clock(), actor=Actor(person=person), act=act))
    archive = bundle(site, "camat", id)
    [after] = [one for one in index(archive) if one["jenis"] == "lhr"]
    assert after["keadaan"] == "(dihapus atas permintaan nomor 12/PDP/2027)" and after["letak"] == ""
    assert lhr["letak"] not in archive.namelist()


def test_an_administrator_with_a_lane_of_another_office_finds_no_bundle_either(site: Desk) -> None:
    id = site.waiting_at(9)
    with site.database.begin() as db:
        organise.change(db, site.database.key, org.Change(
            id="kuasa", at=site.clock(), actor=Actor(person="sistem", capacity="sistem", signed_in_by="cli"),
            act=org.GrantPower(person="inspektorat", power="administrator")))
    reader = site.reader("inspektorat").get(f"/proses/{id}")
    assert reader.status == 200 and "Bundel bukti LKE" not in reader.text
    assert reader.get("/pengaturan/arsip").status == 200
    for address in (f"/proses/{id}/bukti-lke.zip", f"/audit/{id}/bukti.zip", f"/audit/{id}/bukti.pdf"):
        assert reader.get(address).status == 404
    with site.database.read() as db:
        assert not [one for one in journal.read(db, access.STREAM) if one.command["act"]["type"] == "EvidenceTaken"]


def test_who_may_take_nothing_waits_for_nobody_and_is_told_no_more(site: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    id = site.waiting_at(9)
    monkeypatch.setattr(audit, "PATIENCE_SECONDS", 0.05)
    with audit.making:                  # somebody else's file is being made
        for address in (f"/proses/{id}/bukti-lke.zip", f"/audit/{id}/bukti.zip", "/audit/pilihan.zip"):
            assert site.reader("analis").get(address).status == 404
        assert site.reader("auditor").get(
            "/audit/pilihan.zip?unit=inspektorat_daerah").status == 404
        assert "Bukti lain sedang disiapkan" in site.reader("camat").get(f"/proses/{id}/bukti-lke.zip").text
