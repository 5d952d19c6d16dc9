"""The SOP as a table in the browser: what is shown is what is stored, every button without JavaScript, and how an
office's own files become drafts."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from engine import changes, diagram, drafting
from engine.sop_drawing import draw
from engine.sop_table import DECISION, END, SopTable, table_of
from engine.store import definitions, drafts
from tests.desk import DIAGRAMS, LASEM, LKJPD, Desk, Reader

SHIPPED = (DIAGRAMS / LKJPD / f"{LKJPD}.bpmn").read_bytes()
OTHERS = Path(__file__).parents[1] / "diagrams"
DOMICILE = """NAMA SOP\t:\tPENERBITAN SURAT KETERANGAN DOMISILI USAHA
NOMOR SOP\t:\t500.2/07/2026

No\tUraian Prosedur\tPetugas Pelayanan\tKepala Seksi Pelayanan\tCamat\tKelengkapan\tWaktu\tOutput\tKeterangan
1\tMenerima berkas permohonan dari pemohon\tx\t\t\tSurat Permohonan\t15 menit\tTanda Terima\t
2\tMemeriksa kelengkapan berkas dan menyusun konsep surat\tx\t\t\tSurat Permohonan\t1 hari\tKonsep Surat\t
3\tMeneliti dan memaraf konsep surat\t\tx\t\tKonsep Surat\t2 jam\tKonsep Surat\t
4\tMemutuskan penerbitan\t\t\t◇\tKonsep Surat\t1 hari\tSurat Keterangan Domisili Usaha\tJika tidak, kembali ke langkah 2
5\tMenyerahkan surat kepada pemohon\tx\t\t\tSurat Keterangan Domisili Usaha\t10 menit\tBukti Penyerahan\t
"""


def begin(site: Desk, data: bytes = SHIPPED, person: str = "pengelola1") -> str:
    with site.database.begin() as db:
        return drafting.begin(db, data, unit=LASEM, person=person, at=site.clock()).id


def stored(site: Desk, id: str) -> bytes:
    with site.database.read() as db:
        data = drafts.content(db, id)
    assert data is not None
    return data


def revision(site: Desk, id: str) -> int:
    with site.database.read() as db:
        draft = drafts.get(db, id)
    assert draft is not None
    return draft.revision


def table_in(site: Desk, id: str) -> SopTable:
    return table_of(diagram.reread(stored(site, id)))


def at(id: str) -> str:
    return f"/perancang/rancangan/{id}/tabel"


def owner(site: Desk, id: str, who: str = "pengelola1") -> Reader:
    reader = site.reader(who).get(at(id))
    assert reader.status == 200, reader.text
    return reader


def press(reader: Reader, act: str, **typed: str) -> Reader:
    """Fill in the page and press one of its buttons; names are written with __ for a dot."""
    values = {name.replace("__", "."): value for name, value in typed.items()}
    assert reader.page.xpath(f"//button[@name='aksi' and @value='{act}']"), f"no button {act}"
    return reader.post(reader.path, {**reader.values(), **values, "aksi": act})


def field(reader: Reader, name: str) -> Any:
    return reader.values().get(name)


def uraian(reader: Reader) -> list[str]:
    values = reader.values()
    return [values[name] for name in sorted(
        (one for one in values if re.fullmatch(r"baris\.\d+\.uraian", one)), key=lambda one: int(one.split(".")[1]))]


# --- What is shown is what is stored ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["shipped", "approval_loop", "three_tasks", "cycle_reminder"])
def test_saving_what_was_not_touched_changes_no_byte(site: Desk, name: str) -> None:
    data = SHIPPED if name == "shipped" else (OTHERS / f"{name}.bpmn").read_bytes()
    id = begin(site, data)
    reader = press(owner(site, id), "simpan")
    assert (reader.status, stored(site, id), revision(site, id)) == (200, data, 1)


def test_every_cell_of_the_sop_stands_in_the_page(site: Desk) -> None:
    values = owner(site, begin(site)).values()
    table = table_of(diagram.read(SHIPPED))
    places = {one.id: n for n, one in enumerate(table.performers)}
    for n, row in enumerate(table.rows):
        for name in ("uraian", "kelengkapan", "waktu", "output", "keterangan"):
            assert values[f"baris.{n}.{name}"].strip("\n") == getattr(row, name)
        symbol = "keputusan" if row.symbol == DECISION else "proses"
        assert values[f"baris.{n}.simbol"] == f"{places[row.performer]}.{symbol}"
    assert values["baris.6.tidak"] == "5"
    assert [n for n in range(9) if f"baris.{n}.asumsi" in values] == [7, 8]
    assert values["identitas.nomor_sop"] == table.identity.nomor_sop
    assert values["identitas.dasar_hukum"].strip().split("\n") == list(table.identity.dasar_hukum)


def told(before: bytes, after: bytes) -> list[tuple[str, str]]:
    """What changed besides the drawing: (element, property)."""
    return [(one.element, one.property) for one in changes.between(before, after) if not one.cosmetic]


def test_one_cell_that_is_typed_is_one_change(site: Desk) -> None:
    id = begin(site)
    reader = press(owner(site, id), "simpan", baris__3__output="Laporan Hasil Reviu (LHR) bernomor")
    assert reader.messages()[0] == "Rancangan tersimpan."
    assert (told(SHIPPED, stored(site, id)), revision(site, id)) == ([("langkah_4", "sop.output")], 2)


MOVED = SHIPPED.replace(b'<dc:Bounds x="500" y="355" width="140" height="90" />',
                        b'<dc:Bounds x="510" y="365" width="150" height="90" />')


def test_a_time_a_new_step_and_two_performers_that_change_places_are_told_as_that_and_nothing_else(site: Desk) -> None:
    assert MOVED != SHIPPED
    id = begin(site, MOVED)
    reader = press(owner(site, id), "baris.sisip:6", baris__1__waktu="3 hari")
    reader = press(reader, "pelaksana.kanan:2", baris__7__uraian="Membubuhkan cap dinas pada dokumen",
                   baris__7__simbol="1.proses")
    reader = press(reader, "simpan")
    assert reader.errors() == [] and revision(site, id) == 2
    now = table_in(site, id)
    new = now.rows[7].element
    assert [one.name for one in now.performers] == [
        "Kepala PD", "Sekretaris PD", "Inspektorat Daerah", "Tim Penyusun LKjPD"]
    assert (now.rows[7].name, now.performer(now.rows[7].performer)) == (
        "Membubuhkan cap dinas pada dokumen", now.performers[1])
    assert sorted(told(MOVED, stored(site, id))) == sorted([
        ("tim_penyusun", "moved"), ("langkah_2", "sop.waktu"), ("waktu_2", "name"), ("waktu_2", "expression"),
        (new, "added"), ("langkah_8", "sop.nomor"), ("langkah_9", "sop.nomor"), ("pengingat_8", "name"),
        ("pengingat_9", "name"), ("disetujui_ya", "target"), (f"{new}_ke_langkah_8", "added")])
    assert b'<dc:Bounds x="510" y="365" width="150" height="90" />' in stored(site, id)


def test_an_assumption_is_set_and_cleared(site: Desk) -> None:
    id = begin(site)
    reader = owner(site, id)
    values = {name: value for name, value in reader.values().items() if name != "baris.7.asumsi"}
    reader.post(reader.path, {**values, "baris.0.asumsi": "ya", "aksi": "simpan"})
    assert [row.number for row in table_in(site, id).rows if row.assumption] == [1, 9]


def test_a_symbol_in_another_column_moves_the_step_and_keeps_its_form(site: Desk) -> None:
    id = begin(site)
    press(owner(site, id), "simpan", baris__8__simbol="1.proses")
    now = diagram.read(stored(site, id))
    assert now.elements["langkah_9"].lane == "sekretaris_pd"
    assert now.elements["langkah_9"].form == diagram.read(SHIPPED).elements["langkah_9"].form


def test_a_diamond_goes_back_to_the_row_that_is_picked(site: Desk) -> None:
    id = begin(site)
    press(owner(site, id), "simpan", baris__5__simbol="1.keputusan", baris__5__tidak="5", baris__5__lanjut="")
    row = table_in(site, id).rows[5]
    assert (row.symbol, row.back_to, row.then) == (DECISION, 5, None)


def test_a_timer_from_the_canvas_keeps_what_it_says_while_nobody_touches_its_waktu(site: Desk) -> None:
    longer = SHIPPED.replace(b">P2D<", b">P3D<")
    id = begin(site, longer)
    reader = owner(site, id)
    assert "timer pada kanvas: 3 hari kerja" in reader.text
    press(reader, "simpan", baris__1__output="Undangan")
    assert (b">P3D<" in stored(site, id), table_in(site, id).rows[1].waktu) == (True, "2 hari")
    press(owner(site, id), "simpan", baris__1__waktu="4 hari")
    assert b">P4D<" in stored(site, id) and b">P3D<" not in stored(site, id)


def test_the_form_and_the_files_of_a_step_are_shown_with_the_way_to_the_canvas(site: Desk) -> None:
    id = begin(site)
    reader = owner(site, id)
    [link] = reader.page.xpath("//tbody[@id='baris-6']//a[contains(@href, 'pilih=langkah_7')]")
    asked = re.sub(r"\s+", " ", next(link.iterancestors("details")).text_content())
    assert "Keputusan" in asked and "Dokumen LKjPD" in asked and "kanvas" in asked


# --- Every button, without JavaScript --------------------------------------------------------------------------------


def test_rows_come_go_and_move_with_what_is_typed_and_nothing_is_saved_by_that(site: Desk) -> None:
    id = begin(site)
    reader = owner(site, id)
    texts = uraian(reader)
    reader = press(reader, "baris.tambah", baris__0__kelengkapan="Surat yang baru diketik")
    assert uraian(reader)[9:] == [""]
    assert field(reader, "baris.0.kelengkapan").strip() == "Surat yang baru diketik"
    assert reader.page.xpath("//*[@autofocus]/@id") == ["baris-9-uraian"]
    reader = press(reader, "baris.hapus:9")
    assert uraian(reader) == texts
    reader = press(reader, "baris.turun:0")
    assert uraian(reader)[:2] == [texts[1], texts[0]]
    reader = press(reader, "baris.naik:1")
    assert uraian(reader) == texts
    reader = press(reader, "baris.sisip:2", baris__2__keterangan="Tetap di sini")
    assert [one.strip() for one in uraian(reader)[2:5]] == [texts[2].strip(), "", texts[3].strip()]
    assert field(reader, "baris.2.keterangan").strip() == "Tetap di sini"
    assert field(reader, "baris.7.tidak") == "6"                # the same step, one further down
    assert (stored(site, id), "belum tersimpan" in reader.text) == (SHIPPED, True)


def test_the_way_to_a_step_that_was_deleted_is_asked_for_again(site: Desk) -> None:
    id = begin(site)
    reader = press(press(owner(site, id), "baris.hapus:4"), "simpan")
    assert reader.status == 200
    assert ['"Tidak"' in one and one.startswith("Baris 6, kolom Pelaksana") for one in reader.errors()] == [True]


def test_the_procedure_ends_as_before_whichever_step_is_the_last(site: Desk) -> None:
    id = begin(site)
    end = diagram.reread(SHIPPED).outgoing["langkah_9"][0].target
    reader = press(owner(site, id), "baris.tambah")
    typed = {"baris__9__uraian": "Melaporkan hasil", "baris__9__simbol": "1.proses"}
    press(reader, "simpan", **typed)
    longer = diagram.reread(stored(site, id))
    assert [flow.target for flow in longer.outgoing["langkah_10"]] == [end]
    assert longer.elements[end].name == diagram.reread(SHIPPED).elements[end].name
    press(press(owner(site, id), "baris.hapus:9"), "simpan")
    assert diagram.reread(stored(site, id)).outgoing["langkah_9"][0].target == end
    assert diagram.check(stored(site, id)) == diagram.check(SHIPPED)


def test_performers_come_go_and_change_places(site: Desk) -> None:
    id = begin(site)
    reader = press(owner(site, id), "pelaksana.tambah")
    reader = press(reader, "pelaksana.kiri:4", pelaksana__4__nama="Kepala Seksi", baris__5__simbol="4.proses")
    values = reader.values()
    assert [values[f"pelaksana.{n}.nama"] for n in range(5)] == [
        "Kepala PD", "Sekretaris PD", "Tim Penyusun LKjPD", "Kepala Seksi", "Inspektorat Daerah"]
    assert values["baris.5.simbol"] == "3.proses" and values["baris.3.simbol"] == "4.proses"
    reader = press(reader, "pelaksana.hapus:4")
    assert field(reader, "baris.3.simbol") is None              # its step stands with nobody now
    reader = press(reader, "simpan", baris__3__simbol="3.proses")
    assert reader.errors() == []
    now = table_in(site, id)
    assert [one.id for one in now.performers] == ["kepala_pd", "sekretaris_pd", "tim_penyusun", "kepala_seksi"]
    assert [row.performer for row in now.rows][3:6] == ["kepala_seksi", "tim_penyusun", "kepala_seksi"]


def test_a_performer_may_be_called_otherwise_and_its_lane_stays(site: Desk) -> None:
    id = begin(site)
    press(owner(site, id), "simpan", pelaksana__1__nama="Sekretaris Kecamatan")
    assert told(SHIPPED, stored(site, id)) == [("sekretaris_pd", "name")]


def test_an_end_before_the_last_row_is_said_where_nothing_leads_on(site: Desk) -> None:
    id = begin(site)
    reader = press(owner(site, id), "simpan", baris__1__lanjut="selesai")
    assert reader.status == 200 and reader.errors()[0].startswith("Baris 2, kolom Sesudah ini: Prosedur berakhir")
    assert field(reader, "baris.1.lanjut") == "selesai"
    reader = press(reader, "simpan", baris__6__lanjut="9", baris__6__tidak="5", baris__7__lanjut="selesai",
                   baris__1__lanjut="", baris__5__simbol="1.keputusan", baris__5__tidak="8")
    assert [row.symbol for row in table_in(site, id).rows][7] == END


def test_the_identity_part_is_kept_line_by_line(site: Desk) -> None:
    id = begin(site)
    press(owner(site, id), "simpan", identitas__tanggal_efektif="07 Januari 2025",
          identitas__peringatan="Satu.\r\n\r\n  Dua.  \r\n")
    now = table_in(site, id).identity
    assert (now.tanggal_efektif, now.peringatan) == ("07 Januari 2025", ("Satu.", "Dua."))


# --- What cannot be drawn, and what cannot be kept -------------------------------------------------------------------


def with_a_gap(site: Desk, id: str) -> Reader:
    return press(owner(site, id), "simpan", baris__2__uraian=" ", baris__2__nama="", baris__4__kelengkapan="LHR baru")


def test_what_cannot_be_drawn_is_kept_as_typed_and_said_at_its_row_and_column_to_everybody(site: Desk) -> None:
    id = begin(site)
    with_a_gap(site, id)
    for reader in (owner(site, id), owner(site, id, "pengelola2")):
        assert reader.errors() == ["Baris 3, kolom Uraian: Uraian kosong. Tulis kegiatannya."]
        [link] = reader.page.xpath("//*[@id='galat']//a/@href")
        [wrong] = reader.page.xpath("//*[@aria-invalid]")
        assert (link, wrong.get("id")) == ("#baris-2-uraian", "baris-2-uraian")
        assert field(reader, "baris.4.kelengkapan").strip() == "LHR baru"
    assert (stored(site, id), revision(site, id)) == (SHIPPED, 2)
    press(reader, "simpan", baris__2__uraian="Menyusun konsep")     # the second person finishes what the first began
    assert [row.kelengkapan for row in table_in(site, id).rows][4] == "LHR baru"
    assert owner(site, id).errors() == []


def test_a_table_with_a_gap_is_no_proposal_and_the_canvas_waits_for_it(site: Desk) -> None:
    id = begin(site)
    reader = with_a_gap(site, id)
    reader.get(f"/perancang/rancangan/{id}/periksa")
    assert "belum dapat digambar" in reader.text and not reader.page.xpath("//form[contains(@action, 'usulan')]")
    reader = owner(site, id)
    token = reader.values()["csrf_token"]
    reader.post(f"/perancang/rancangan/{id}/usulan", {"csrf_token": token, "alasan": "uji", "berlaku": "2026-12-08",
                                                      "key": "kunci-uji-0001"})
    assert reader.status == 422 and "Lengkapi atau buang isian itu" in reader.text
    assert "gambar ini tabel terakhir yang utuh" in reader.get(f"/perancang/rancangan/{id}/kanvas").text
    answer = reader.client.put(f"/perancang/rancangan/{id}/isi", data=SHIPPED.replace(b"Camat", b"camat"), headers={
        "If-Match": "2", "X-CSRFToken": token, "Content-Type": "application/xml"})
    assert answer.status_code == 403 and "belum dapat digambar" in json.loads(answer.get_data())["message"]
    assert "tabel belum dapat digambar" in reader.get(f"/perancang/rancangan/{id}/simpanan").text
    reader = press(owner(site, id), "buang")
    assert reader.errors() == [] and field(reader, "baris.4.kelengkapan").strip() != "LHR baru"
    assert (stored(site, id), revision(site, id)) == (SHIPPED, 3)


def test_a_table_with_a_gap_is_copied_and_brought_back_like_any_other(site: Desk) -> None:
    id = begin(site)
    reader = press(with_a_gap(site, id), "simpan", baris__2__uraian="Menyusun konsep")
    with site.database.begin() as db:
        older = drafting.restore(db, id, 2, revision=3, person="pengelola1", at=site.clock())
        other = drafting.copy(db, id, person="pengelola1", at=site.clock())
    assert (older.revision, older.unfinished, other.unfinished) == (4, 1, 1)
    for one in (id, other.id):
        assert owner(site, one).errors() == ["Baris 3, kolom Uraian: Uraian kosong. Tulis kegiatannya."]
    first, second = owner(site, id), owner(site, id)
    press(first, "simpan", baris__3__output="Satu")
    reader = press(second, "simpan", baris__3__output="Dua")
    assert reader.status == 409 and field(reader, "baris.3.output").strip() == "Dua"
    assert field(press(reader, "salin"), "baris.3.output").strip() == "Dua"
    assert field(owner(site, id), "baris.3.output").strip() == "Satu"


def test_of_two_who_save_the_second_is_told_and_keeps_what_was_typed(site: Desk) -> None:
    id = begin(site)
    first, second = owner(site, id), owner(site, id, "pengelola2")
    press(first, "simpan", baris__0__output="Perintah tertulis")
    reader = press(second, "simpan", baris__0__output="Catatan lisan")
    assert reader.status == 409 and "Pengelola SOP 1 sudah menyimpan rancangan ini" in reader.text
    assert field(reader, "baris.0.output").strip() == "Catatan lisan"
    assert table_in(site, id).rows[0].output == "Perintah tertulis"
    reader = press(reader, "salin")
    other = reader.path.split("/")[3]
    assert other != id and "sebagai rancangan baru" in reader.messages()[0]
    assert (table_in(site, other).rows[0].output, table_in(site, id).rows[0].output) == (
        "Catatan lisan", "Perintah tertulis")
    with site.database.read() as db:
        assert drafts.savers(db, other) == {"pengelola1", "pengelola2"}


def ask(reader: Reader, **typed: str) -> tuple[int, dict[str, Any]]:
    """What the page's script asks for and is answered."""
    values = {**reader.values(), **{name.replace("__", "."): value for name, value in typed.items()}, "aksi": "simpan"}
    answer = reader.client.post(reader.path, data=values, headers={"Accept": "application/json"})
    return answer.status_code, json.loads(answer.get_data())


def test_a_script_is_answered_in_its_own_way(site: Desk) -> None:
    id = begin(site)
    reader = press(owner(site, id), "baris.tambah")
    status, wrong = ask(reader)
    assert {one["place"] for one in wrong["problems"]} == {"baris-9-uraian", "baris-9-simbol"}
    assert (status, wrong["revision"], "2 hal perlu diperbaiki" in wrong["said"]) == (200, 2, True)
    reader = owner(site, id)
    typed = {"baris__9__uraian": "Melaporkan hasil", "baris__9__simbol": "1.proses", "baris__9__waktu": "lusa"}
    status, state = ask(reader, **typed)
    assert (status, state["revision"], state["names"][9]) == (200, 3, "Melaporkan hasil")
    assert state["elements"] == [row.element for row in table_in(site, id).rows]
    assert "tidak dapat dibaca" in state["norms"][9]["text"] and state["norms"][9]["look"] == "warning"
    status, late = ask(reader, baris__9__uraian="Melaporkan", baris__9__simbol="1.proses")
    assert status == 409 and "sudah menyimpan" in late["said"]


@pytest.mark.parametrize("name", ["parallel", "interrupting_timer", "waiting_timer"])
def test_what_no_table_can_say_is_told_and_the_canvas_takes_over(site: Desk, name: str) -> None:
    data = (OTHERS / f"{name}.bpmn").read_bytes()
    id = begin(site, data)
    reader = site.reader("pengelola1").get(at(id))
    assert "tidak dapat ditulis dalam tabel SOP" in reader.text
    assert reader.page.xpath(f"//a[@href='/perancang/rancangan/{id}/kanvas']")
    answer = reader.client.get(f"/perancang/rancangan/{id}")
    assert answer.headers["Location"].endswith(f"/perancang/rancangan/{id}/kanvas")
    reader.post(at(id), {"csrf_token": reader.page.xpath("//input[@name='csrf_token']/@value")[0], "aksi": "simpan"})
    assert (reader.status, stored(site, id)) == (409, data)


def test_a_draft_that_a_table_can_say_opens_as_one(site: Desk) -> None:
    id = begin(site)
    answer = site.reader("pengelola1").client.get(f"/perancang/rancangan/{id}")
    assert answer.headers["Location"].endswith(at(id))


def test_who_is_no_owner_looks_and_changes_nothing_and_others_find_no_page(site: Desk) -> None:
    id = begin(site)
    reader = site.reader("analis").get(at(id))
    assert reader.status == 200 and reader.page.xpath("//fieldset[@id='tabel-isi']/@disabled")
    assert reader.page.xpath("//main//form//button[@name='aksi'][not(ancestor::*[@hidden])][not(@aria-hidden)]") == []
    token = reader.page.xpath("//input[@name='csrf_token']/@value")[0]
    assert reader.post(at(id), {"csrf_token": token, "aksi": "simpan", "revisi": "1"}).status == 403
    assert reader.get("/perancang/baru").status == 403
    assert site.reader("tim1").get(at(id)).status == 404
    assert site.reader("tim1").get("/perancang/baru").status == 404
    assert site.reader("pengelola1").get(at("0" * 32)).status == 404


def test_a_page_that_says_nonsense_is_answered(site: Desk) -> None:
    id = begin(site)
    reader = owner(site, id)
    values = {**reader.values(), "aksi": "baris.hapus:999", "baris.0.simbol": "99.keputusan", "baris.1.tidak": "x",
              "baris.2.lanjut": "-4", "revisi": "abc", "pelaksana.1.id": "kepala_pd", "baris.3.elemen": "langkah_1"}
    assert reader.post(at(id), values).status == 200
    for act in ("baris.hapus:x", "pelaksana.kiri:0", "pelaksana.kanan:99", "baris.naik:0", "apa", "baris.", "simpan"):
        assert reader.post(at(id), {**values, "aksi": act}).status in (200, 409, 422)
    assert stored(site, id) == SHIPPED


# --- A new SOP -------------------------------------------------------------------------------------------------------


def fresh(site: Desk, **typed: Any) -> Reader:
    """Send one of the forms of /perancang/baru."""
    reader = site.reader("pengelola1").get("/perancang/baru")
    [form] = reader.page.xpath(f"//main//form[.//button[@name='aksi' and @value='{typed['aksi']}']]")
    values = {name: value for name, value in form.form_values() if name != "berkas"}
    return reader.post("/perancang/baru", {**values, **typed})


def listed(site: Desk) -> list[str]:
    with site.database.read() as db:
        return [one.key for one in drafts.listed(db)]


def test_a_pasted_table_is_shown_before_a_draft_begins(site: Desk) -> None:
    reader = fresh(site, aksi="teks", teks=DOMICILE)
    assert reader.status == 200 and "Penerbitan Surat Keterangan Domisili Usaha" in reader.text
    assert '"Tidak" dibaca kembali ke langkah 2: nomornya disebut' in reader.text
    assert listed(site) == []
    reader = reader.press("aksi", "mulai")
    assert reader.path.endswith("/tabel") and listed(site) == ["penerbitan_surat_keterangan_domisili_usaha"]
    now = table_in(site, reader.path.split("/")[3])
    assert [row.performer for row in now.rows] == [
        "petugas_pelayanan", "petugas_pelayanan", "kepala_seksi_pelayanan", "camat", "petugas_pelayanan"]
    assert (now.rows[3].back_to, now.identity.nomor_sop) == (2, "500.2/07/2026")


def test_a_second_sop_of_the_same_name_is_another_sop(site: Desk) -> None:
    for _ in range(2):
        fresh(site, aksi="teks", teks=DOMICILE).press("aksi", "mulai")
    keys = listed(site)
    assert sorted(keys) == ["penerbitan_surat_keterangan_domisili_usaha",
                            "penerbitan_surat_keterangan_domisili_usaha_2"]
    reader = fresh(site, aksi="kosong", nama="Penyusunan LKjPD", pelaksana="Camat", langkah="1")
    assert reader.status == 200 and "penyusunan_lkjpd_2" in listed(site)


def test_a_table_that_cannot_be_read_begins_nothing_and_stays_in_the_page(site: Desk) -> None:
    text = DOMICILE.replace("Meneliti dan memaraf konsep surat", "")
    reader = fresh(site, aksi="teks", teks=text)
    assert reader.status == 422 and "Baris 3, kolom Uraian: Uraian kosong." in reader.text
    assert reader.page.xpath("//textarea[@name='teks']")[0].text.strip() == text.strip()
    assert not reader.page.xpath("//button[@value='mulai']") and listed(site) == []


def workbook() -> bytes:
    book = openpyxl.Workbook()
    for line in DOMICILE.replace("DOMISILI", "IZIN").splitlines():
        book.active.append(line.split("\t"))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def packed(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, data in files.items():
            made.writestr(name, data)
    return out.getvalue()


def test_a_zip_of_many_shows_a_row_a_file_and_begins_those_that_are_chosen(site: Desk) -> None:
    data = packed(**{"a.txt": DOMICILE.encode(), "b.xlsx": workbook(), "c.txt": b"bukan tabel"})
    reader = fresh(site, aksi="berkas", berkas=(io.BytesIO(data), "banyak.zip"))
    rows = [re.sub(r"\s+", " ", one.text_content()) for one in reader.page.xpath("//li[@class='found']")]
    assert ["a.txt" in rows[0], "b.xlsx" in rows[1], "c.txt" in rows[2]] == [True] * 3
    assert "5 langkah, 3 pelaksana" in rows[1] and "Kepala tabel tidak ditemukan" in rows[2]
    assert reader.page.xpath("//input[@name='pilih']/@value") == ["0", "1"]
    token = reader.values()
    reader.post("/perancang/baru", {**token, "aksi": "mulai", "pilih": ["1"]})
    assert listed(site) == ["penerbitan_surat_keterangan_izin_usaha"]


def test_two_that_are_chosen_begin_together(site: Desk) -> None:
    data = packed(**{"a.txt": DOMICILE.encode(), "b.xlsx": workbook()})
    reader = fresh(site, aksi="berkas", berkas=(io.BytesIO(data), "dua.zip")).press("aksi", "mulai")
    assert reader.status == 200 and len(listed(site)) == 2
    assert reader.messages()[0].startswith("2 rancangan dimulai")


def test_a_diagram_is_taken_as_it_is_under_a_key_of_its_own(site: Desk) -> None:
    reader = fresh(site, aksi="berkas", berkas=(io.BytesIO(SHIPPED), "lkjpd.bpmn"))
    reader.post(reader.path, {**reader.values(), "sebagai.0": "", "aksi": "mulai"})
    id = reader.path.split("/")[3]
    assert listed(site) == ["penyusunan_lkjpd_2"] and reader.path.endswith("/tabel")
    now, was = diagram.read(stored(site, id)), diagram.read(SHIPPED)
    assert [one.form for one in now.elements.values()] == [one.form for one in was.elements.values()]


def test_what_is_found_in_a_diagram_is_said_with_its_line_and_no_word_of_a_program(site: Desk) -> None:
    bare = (OTHERS / "interchange" / "camunda7.bpmn").read_bytes()
    said = fresh(site, aksi="berkas", berkas=(io.BytesIO(bare), "lain.bpmn")).text
    assert re.search(r"Baris \d+: Tugas", said), "what is found stands with its line"
    assert not re.search(r"\d+: (warning|error):", said)


def test_a_diagram_that_was_drawn_elsewhere_comes_back_as_a_change_of_its_sop(site: Desk) -> None:
    edited = SHIPPED.replace(b'name="Melakukan reviu"', b'name="Mereviu"')
    reader = fresh(site, aksi="berkas", berkas=(io.BytesIO(edited), "lkjpd.bpmn"))
    [field_of] = reader.page.xpath("//select[@name='sebagai.0']")
    assert [one.get("value") for one in field_of] == [LKJPD, ""]
    id = reader.press("aksi", "mulai").path.split("/")[3]
    with site.database.read() as db:
        draft, newest = drafts.get(db, id), definitions.newest(db, LKJPD)
    assert draft is not None and newest is not None
    assert (draft.key, draft.base, draft.unit) == (LKJPD, newest.sha256, LASEM)
    assert "1 perubahan" in reader.get(f"/perancang/rancangan/{id}/periksa").text


def test_what_a_page_says_a_diagram_changes_is_judged_again(site: Desk) -> None:
    reader = fresh(site, aksi="berkas", berkas=(io.BytesIO((OTHERS / "three_tasks.bpmn").read_bytes()), "x.bpmn"))
    assert not reader.page.xpath("//select[@name='sebagai.0']")
    reader.post(reader.path, {**reader.values(), "sebagai.0": LKJPD, "aksi": "mulai"})
    assert listed(site) == ["three_tasks"]


def test_a_blank_table_has_the_steps_and_performers_that_were_named(site: Desk) -> None:
    named = "Pemohon\n\nKasubbag Umum\nPemohon"
    reader = fresh(site, aksi="kosong", nama="Peminjaman Aula", pelaksana=named, langkah="3")
    now = table_in(site, reader.path.split("/")[3])
    assert (now.key, [one.name for one in now.performers]) == ("peminjaman_aula", ["Pemohon", "Kasubbag Umum"])
    assert [(row.performer, row.assumption) for row in now.rows] == [
        ("pemohon", True), ("kasubbag_umum", True), ("pemohon", True)]


@pytest.mark.parametrize(("typed", "wrong"), [
    ({"nama": "", "pelaksana": "Camat", "langkah": "3"}, ["Tuliskan nama SOP."]),
    ({"nama": "Aula", "pelaksana": " \n", "langkah": "81"}, [
        "Tuliskan 1 sampai 20 pelaksana, satu jabatan sebaris.", "Jumlah langkah 1 sampai 80."]),
    ({"nama": "Camat", "pelaksana": "Camat", "langkah": "2"}, []),
])
def test_a_blank_table_that_is_not_said_is_asked_again(site: Desk, typed: dict[str, str], wrong: list[str]) -> None:
    reader = fresh(site, aksi="kosong", **typed)
    assert (reader.errors(), len(listed(site))) == (wrong, 0 if wrong else 1)
    if wrong:
        assert reader.page.xpath("//input[@name='langkah']/@value") == [typed["langkah"]]


@pytest.mark.parametrize(("file", "said"), [
    ((b"%PDF-1.7", "sop.pdf"), "PDF"), ((b"<x", "rusak.bpmn"), ""), ((b"", "kosong.txt"), "kosong"),
    ((packed(**{"x.exe": b"\x00\x01"}), "aneh.zip"), "bukan Excel, Word, ZIP atau teks"),
])
def test_a_file_that_is_none_is_answered_with_what_to_do(site: Desk, file: tuple[bytes, str], said: str) -> None:
    reader = fresh(site, aksi="berkas", berkas=(io.BytesIO(file[0]), file[1]))
    assert reader.status == 422 and "Tidak terbaca" in reader.text and said in reader.text
    assert listed(site) == []


def test_what_a_page_carries_is_judged_again(site: Desk) -> None:
    reader = fresh(site, aksi="teks", teks=DOMICILE)
    values = reader.values()
    for carried in ("", "bukan", "AAAA", "eJwDAAAAAAE="):
        answer = reader.post("/perancang/baru", {**values, "aksi": "mulai", "pilih": ["0"], "isi.0": carried})
        assert (answer.status, listed(site)) == (422, [])


def test_no_file_at_all_is_asked_for(site: Desk) -> None:
    reader = fresh(site, aksi="berkas", berkas=(io.BytesIO(b""), ""))
    assert reader.errors() == ["Pilih 1 sampai 20 berkas; yang lebih banyak masukkan ke dalam satu ZIP."]


def test_a_diagram_drawn_from_the_table_says_the_table(site: Desk) -> None:
    reader = fresh(site, aksi="teks", teks=DOMICILE).press("aksi", "mulai")
    data = stored(site, reader.path.split("/")[3])
    assert draw(table_of(diagram.read(data)), data) == data and diagram.check(data) == ()
