"""Arsip & penghapusan as an administrator and a head of unit use it: asked by one, decided by the other."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import retention
from engine.commands import Act, AddComment, CancelProcessInstance
from engine.handle import Request, handle
from engine.store import definitions
from engine.store.schema import metadata
from forms import evidence
from forms import retention as retention_pages
from tests.desk import KEY, LASEM, Desk

SECRET = "Rahasia-Warga-Sumberejo"
PAGES = ("", "/penghapusan", "/orang", "/penahanan", "/retensi", f"/pemusnahan/{LASEM}")


@pytest.fixture
def own(sqlite_desk: Path, tmp_path: Path, folder: Path, quick_hash: None) -> Iterator[Desk]:
    """The office with documents of its own, which may go."""
    shutil.copy(sqlite_desk, tmp_path / "alur.db")
    shutil.copytree(folder, tmp_path / "data")
    found = Desk.at(f"sqlite:///{tmp_path / 'alur.db'}", tmp_path / "data")
    yield found
    found.database.close()


def do(desk: Desk, id: str, who: str, act: Act) -> None:
    with desk.database.begin() as db:
        handle(db, definitions.rules(desk.database), KEY, id, [
            Request(id=f"{who}-{desk.clock().isoformat()}", act=act, person=who, at=desk.clock())])


def test_only_administrators_ask_and_only_heads_decide(site: Desk) -> None:
    for login, asks, decides in (("admin", 200, 200), ("camat", 404, 200), ("sekcam", 404, 404), ("auditor", 404, 404)):
        reader = site.reader(login)
        assert {reader.get(f"/pengaturan/arsip{one}").status for one in PAGES} == {asks}
        assert reader.get("/keputusan-arsip").status == decides
        assert reader.get("/arsip/berita-acara/tidak-ada.pdf").status == 404
    admin = site.reader("admin")
    assert admin.get("/pengaturan/arsip/pemusnahan/tidak-ada").status == 404
    assert admin.get("/pengaturan/arsip/penahanan/tidak-ada/cabut").status == 404
    assert admin.get("/pengaturan/arsip/penghapusan?berkas=%00&cari=x").status == 200
    assert "Periksa nomornya" in admin.text


def test_what_is_asked_for_is_decided_by_the_head_and_said_everywhere(own: Desk) -> None:
    id = own.waiting_at(3)
    do(own, id, "camat", AddComment(text=f"Laporan dari {SECRET}"))
    admin, camat = own.reader("admin"), own.reader("camat")
    admin.get(f"/pengaturan/arsip/penghapusan?berkas={id}&cari={SECRET}")
    assert "Komentar, Camat Lasem" in admin.text and "Laporan dari" not in admin.text
    admin.send({"number": "", "dated": "2026-12-01"})
    assert admin.status == 422 and any("Nomor surat permintaan belum diisi" in one for one in admin.errors())
    admin.send({"number": "12/PDP/2027", "dated": "2026-12-01"})
    assert "menunggu keputusan kepala unit" in admin.messages()[0]
    assert admin.get("/keputusan-arsip").text.count("Permintaan nomor") == 0
    assert "1 permintaan penghapusan atau pemusnahan menunggu keputusan Anda" in camat.get("/").text
    camat.get("/keputusan-arsip")
    assert "Permintaan nomor 12/PDP/2027" in camat.text and "Komentar" in camat.text
    camat.press("putusan", "tolak")
    assert "Alasan belum diisi" in " ".join(camat.messages())
    camat.press("putusan", "setuju")
    assert "1 isian dan 0 berkas dihapus" in " ".join(camat.messages())
    assert "menunggu keputusan Anda" not in camat.get("/").text
    camat.get(f"/proses/{id}")
    assert SECRET not in camat.text and "dihapus atas permintaan nomor 12/PDP/2027" in camat.text
    assert "Disetujui" in admin.get("/pengaturan/arsip").text


def test_a_form_with_an_erased_answer_is_empty_and_can_be_filled_in_again(own: Desk) -> None:
    id = own.waiting_at(5)
    with own.database.read() as db:
        found = retention.found_in(db, definitions.rules(own.database), id)
    values = [one.name for one in found if not one.decides]
    admin, camat = own.reader("admin"), own.reader("camat")
    admin.get(f"/pengaturan/arsip/penghapusan?berkas={id}&cari=a")
    key = admin.values()
    admin.post("/pengaturan/arsip/penghapusan", {**key, "isian": values, "number": "1", "dated": "2026-12-01"})
    camat.get("/keputusan-arsip").press("putusan", "setuju")
    task = f"/tugas/{id}/{next(iter(own.instance(id).user_tasks))}"
    for login, address in (("tim1", task), ("camat", f"/proses/{id}"), ("camat", f"/proses/{id}/lembar-kendali"),
                           ("auditor", f"/audit/{id}"), ("tim1", "/"), ("camat", "/proses"), ("camat", "/pemantauan")):
        reader = own.reader(login).get(address)
        assert reader.status == 200 and "Erased(" not in reader.response.get_data(as_text=True), address


def test_a_hold_stands_on_the_page_and_in_the_way(site: Desk) -> None:
    admin = site.reader("admin")
    admin.get("/pengaturan/arsip/penahanan").send({"scope": "unit", "unit": LASEM, "year": "dua", "number": "B-1",
                                                   "basis": "Perkara"})
    assert admin.status == 422 and "bilangan bulat" in " ".join(admin.errors())
    admin.send({"scope": "unit", "unit": LASEM, "year": "2023", "number": "B-1", "basis": "Perkara"})
    assert "Kantor Kecamatan Lasem, 2023" in admin.text
    held = site.waiting_at(3)
    admin.get(f"/pengaturan/arsip/penghapusan?berkas={held}&cari=a")
    assert "Ditahan untuk kepentingan hukum, nomor B-1" in admin.text
    admin.send({"number": "1", "dated": "2026-12-01"})
    assert admin.status == 422 and "ditahan untuk kepentingan hukum" in " ".join(admin.errors())
    admin.get("/pengaturan/arsip")
    [link] = admin.page.xpath("//main//a[contains(@href, '/cabut')]/@href")
    admin.get(link).send({"number": "B-9"})
    assert "Tidak ada yang sedang ditahan" in admin.text


def test_a_disposal_goes_from_the_class_to_the_berita_acara(own: Desk) -> None:
    id = own.waiting_at(4)
    do(own, id, "camat", CancelProcessInstance(reason="Salah unit"))
    admin = own.reader("admin")
    admin.get("/pengaturan/arsip/retensi").send({"name": "Laporan kinerja", "active": "x", "basis": "Perbup JRA"})
    assert admin.status == 422
    admin.send({"name": "Laporan kinerja", "active": "2", "inactive": "3", "fate": "musnah", "basis": "Perbup JRA"})
    assert "Laporan kinerja" in admin.text and "Belum ada yang melewati" in admin.text
    own.later(days=366 * 6)
    admin, camat = own.reader("admin"), own.reader("camat")
    admin.get("/pengaturan/arsip")
    assert "Usulkan pemusnahan: Kantor Kecamatan Lasem" in admin.text
    admin.get(f"/pengaturan/arsip/pemusnahan/{LASEM}").send({"number": "3/BA/2032"})
    assert "menunggu keputusan kepala unit" in admin.messages()[0]
    camat.get("/keputusan-arsip")
    assert "Usul pemusnahan, berita acara nomor 3/BA/2032" in camat.text
    [link] = camat.page.xpath("//main//a[contains(@href, 'berita-acara')]/@href")
    before = own.reader("camat").get(link).response
    assert before.data.startswith(b"%PDF-") and before.mimetype == "application/pdf"
    camat.press("putusan", "setuju")
    assert "Disetujui dan dilaksanakan" in " ".join(camat.messages())
    after = admin.get(link).response
    assert after.data.startswith(b"%PDF-") and after.data != before.data
    assert own.reader("sekcam").get(link).status == 404
    camat.get(f"/proses/{id}")
    assert camat.status == 200 and "berita acara nomor 3/BA/2032" in camat.text
    assert own.instance(id).disposed == "3/BA/2032"
    with own.database.snapshot() as db, evidence.spoken("id"):
        it = evidence.of(db, definitions.rules(own.database), id, own.clock())
        assert it is not None and it.played.difference == "" and evidence.written(it, "pdf").startswith(b"%PDF-")


def test_where_the_same_words_still_stand_is_said_in_words_of_the_office(site: Desk) -> None:
    with site.app.test_request_context("/"):
        said = retention_pages.said_of(dict.fromkeys(metadata.tables, 2))
    assert "isian berkas proses (2)" in said and "pemberitahuan (2)" in said
    assert not any("_" in one for one in said)
