"""A second SOP of the same office, from a pasted table to a completed instance: nobody touches code.

And the table while it is typed in: it saves by itself, tells who was quicker, and gives back what a crash took.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from engine import diagram, drafting
from engine.instance import COMPLETED
from engine.sop_table import table_of
from engine.store import drafts
from tests.browser.conftest import Served
from tests.browser.looking import look_at_all_four
from tests.browser.test_inbox_pages import answer, complete, upload
from tests.desk import DIAGRAMS, LASEM, LKJPD

PASTED = """PEMERINTAH KABUPATEN REMBANG
KANTOR KECAMATAN LASEM
NOMOR SOP\t:\t500.2/07/2026
NAMA SOP\t:\tPENERBITAN SURAT KETERANGAN DOMISILI USAHA

No\tUraian Prosedur\tPelaksana\t\t\tMutu Baku\t\t\tKeterangan
\t\tPetugas Pelayanan\tKepala Seksi Pelayanan\tCamat\tKelengkapan\tWaktu\tOutput\t
1\tMenerima dan mencatat permohonan\tkotak\t\t\tSurat Permohonan\t15 menit\tTanda Terima\t
2\tMenyusun konsep surat keterangan\tkotak\t\t\tSurat Permohonan\t1 hari\tKonsep Surat\t
3\tMeneliti dan memaraf konsep surat\t\tkotak\t\tKonsep Surat\t2 jam\tKonsep Surat\t
4\tMemutuskan penerbitan surat\t\t\tbelah ketupat\tKonsep Surat\t1 hari\tSurat Keterangan\tJika tidak, ke langkah 2
5\tMenyerahkan surat kepada pemohon\tkotak\t\t\tSurat Keterangan\t10 menit\tBukti Penyerahan\t
"""
KEY = "penerbitan_surat_keterangan_domisili_usaha"
LANES = {
    "petugas_pelayanan": "petugas_penerima_naskah",
    "kepala_seksi_pelayanan": "sekretaris_kecamatan_lasem",
    "camat": "camat_lasem",
}


def test_a_second_sop_goes_from_a_pasted_table_to_a_completed_instance(served: Served) -> None:
    owner = served.person("pengelola1")
    owner.goto("/perancang")
    owner.click("main a.button.primary")
    owner.fill("#teks", PASTED)
    owner.click("button[value=teks]")
    expect(owner.locator(".found")).to_contain_text("5 langkah, 3 pelaksana")
    owner.click("button[value=mulai]")
    expect(owner.locator("h1")).to_have_text("Penerbitan Surat Keterangan Domisili Usaha")
    expect(owner.locator(".sop-row")).to_have_count(5)
    owner.click("button[value=periksa]")
    expect(owner.locator("#temuan + *, #temuan ~ p").first).to_be_visible()
    expect(owner.locator("main")).to_contain_text("Tidak ada jalan buntu")
    owner.fill("[name=alasan]", "Permohonan domisili usaha belum mempunyai SOP.")
    owner.click("main form button.primary")
    expect(owner.locator("h1")).to_contain_text("Usulan")
    proposal = re.sub(r"^.*(/perancang/usulan/[^?#]+).*$", r"\1", owner.url)

    verifier = served.person("analis")
    verifier.goto(proposal)
    verifier.click("form[action$=verifikasi] button.primary")
    head = served.person("camat")
    head.goto(proposal)
    head.fill("[name=nomor]", "500.2/07/2026")
    head.click("form[action$=pengesahan] button.primary")
    expect(head.locator(".message").first).to_be_visible()

    admin = served.person("admin")
    admin.goto(f"/pengaturan/unit/{LASEM}/proses/{KEY}")
    admin.click("main form button.primary")
    expect(admin.locator(".message").first).to_contain_text("dapat memulai Penerbitan Surat Keterangan Domisili Usaha")
    for lane, position in LANES.items():
        admin.goto(f"/pengaturan/pelaksana/{KEY}/{LASEM}/{lane}")
        admin.select_option("[name=position]", position)
        admin.click("main form button.primary")
        expect(admin.locator(".message").first).to_contain_text("dikerjakan oleh")

    officer, section = served.person("penerima"), served.person("sekcam")
    officer.goto(f"/proses/mulai/{KEY}")
    officer.click(".bar button.primary")
    expect(officer.locator(".message").first).to_contain_text("sudah dimulai")
    id = officer.url.rsplit("/", 1)[-1]

    def at(page: Page, number: int) -> None:
        [task] = served.desk.instance(id).user_tasks
        page.goto(f"/tugas/{id}/{task}")
        expect(page.locator("h1")).to_contain_text(f"{number} · ")

    at(officer, 1)
    upload(officer, "surat_permohonan", "Permohonan.pdf")
    upload(officer, "tanda_terima", "Tanda terima.pdf")
    complete(officer, 1)
    for round, decision in ((1, "kembalikan"), (2, "setujui")):
        at(officer, 2)
        if round == 2:
            expect(officer.locator(".came-back")).to_contain_text("oleh Camat Lasem")
            expect(officer.locator("#i-tindak_lanjut_langkah_2")).to_contain_text("Nama usaha keliru.")
            answer(officer, tindak_lanjut_langkah_2__0__hasil="sudah")
        upload(officer, "konsep_surat", f"Konsep {round}.pdf")
        complete(officer, 2)
        at(section, 3)
        complete(section, 3)
        at(head, 4)
        head.check(f"[value={decision}]")
        if decision == "kembalikan":
            answer(head, koreksi__0__koreksi="Nama usaha keliru.")
        else:
            upload(head, "surat_keterangan", "Surat Keterangan.pdf")
        complete(head, 4)
    at(officer, 5)
    upload(officer, "bukti_penyerahan", "Bukti.pdf")
    complete(officer, 5)
    done = served.desk.instance(id)
    assert (done.key, done.status, done.rounds["langkah_2"], done.rounds["langkah_5"]) == (KEY, COMPLETED, 2, 1)
    officer.goto(f"/proses/{id}")
    expect(officer.locator(".band .finish")).to_have_text(re.compile(r"^Selesai .+\.$"))    # no forecast now


# --- The table while it is typed in ----------------------------------------------------------------------------------


def begin(served: Served) -> str:
    """A draft of the LKjPD; the address of its table."""
    desk, data = served.desk, (DIAGRAMS / LKJPD / f"{LKJPD}.bpmn").read_bytes()
    with desk.database.begin() as db:
        draft = drafting.begin(db, data, unit=LASEM, person="pengelola1", at=desk.clock())
    return f"/perancang/rancangan/{draft.id}/tabel"


def stored(served: Served, address: str) -> Any:
    with served.desk.database.read() as db:
        data = drafts.content(db, address.split("/")[3])
    assert data is not None
    return table_of(diagram.reread(data))


def pick(page: Page, row: int, value: str) -> None:
    page.locator(f"label.pick:has([name='baris.{row}.simbol'][value='{value}'])").click()


def test_what_is_clicked_and_typed_is_saved_after_a_pause_and_drawn(served: Served) -> None:
    address = begin(served)
    page = served.person("pengelola1")
    page.goto(address)
    page.locator("#diagram").scroll_into_view_if_needed()
    page.wait_for_selector("body[data-ready]")
    pick(page, 8, "1.proses")
    page.fill("[name='baris.1.waktu']", "3 hari")
    expect(page.locator("#tersimpan")).to_have_text("Ada yang belum tersimpan")
    expect(page.locator("#tersimpan")).to_contain_text("Tersimpan")
    expect(page.locator("#baris-1-norma")).to_have_text("dibaca 3 hari kerja")
    now = stored(served, address)
    assert (now.rows[8].performer, now.rows[1].waktu) == ("sekretaris_pd", "3 hari")
    expect(page.locator("#diagram [data-element-id=waktu_2_label]")).to_contain_text("3 hari kerja")
    assert page.evaluate("Object.keys(localStorage).filter(one => one.includes('tabel'))") == []


def test_a_new_step_is_asked_for_what_it_lacks_and_takes_its_place_by_keyboard(served: Served) -> None:
    address = begin(served)
    page = served.person("pengelola1")
    page.goto(address)
    page.click("button[value='baris.sisip:7']")
    expect(page.locator(".sop-row")).to_have_count(10)
    expect(page.locator("#baris-8-uraian")).to_be_focused()
    expect(page.locator("#baris-8-galat")).to_contain_text("Uraian kosong")
    expect(page.locator("#tersimpan")).to_contain_text("2 hal perlu diperbaiki sebelum dapat digambar")
    page.keyboard.type("Melaporkan penyampaian kepada Camat")
    page.focus("[name='baris.8.simbol'][value='1.proses']")
    page.keyboard.press("Space")
    expect(page.locator("#tersimpan")).to_have_text(re.compile(r"^Tersimpan \d\d\.\d\d$"))
    expect(page.locator("#baris-8-galat")).to_be_empty()
    expect(page.locator("#baris-8-nama")).to_have_value("Melaporkan penyampaian")
    assert [row.name for row in stored(served, address).rows][8] == "Melaporkan penyampaian"


def test_who_is_slower_is_told_and_goes_on_in_a_draft_of_their_own(served: Served) -> None:
    address = begin(served)
    quick, slow = served.person("pengelola1"), served.person("pengelola2")
    slow.goto(address)
    quick.goto(address)
    expect(quick.locator("#lain")).to_contain_text("sedang dibuka juga oleh Pengelola SOP 2")
    quick.fill("[name='baris.0.output']", "Perintah tertulis")
    expect(quick.locator("#tersimpan")).to_contain_text("Tersimpan")
    slow.fill("[name='baris.0.output']", "Catatan lisan")
    expect(slow.locator("#bentrok")).to_contain_text("Pengelola SOP 1 sudah menyimpan rancangan ini")
    expect(slow.locator("[name='baris.0.output']")).to_have_value("Catatan lisan")
    slow.click("#bentrok button")
    expect(slow.locator(".message").first).to_contain_text("disimpan sebagai rancangan baru")
    other = slow.url.removeprefix(served.address)
    assert other != address
    assert [stored(served, one).rows[0].output for one in (address, other)] == ["Perintah tertulis", "Catatan lisan"]


def test_what_a_crash_took_is_offered_again(served: Served) -> None:
    address = begin(served)
    page = served.person("pengelola1")
    page.goto(address)
    with served.cut_line(page):
        page.click("button[value='pelaksana.tambah']")
        expect(page.locator("#tersimpan")).to_contain_text("Belum terkirim")
        page.fill("[name='baris.4.keterangan']", "Diketik sebelum putus")
        again = page.context.new_page()
        page.close()
    again.goto(address)
    expect(again.locator("[name='baris.4.keterangan']")).not_to_have_value("Diketik sebelum putus")
    again.click("#pulihkan [data-restore]")
    expect(again.locator("[name='baris.4.keterangan']")).to_have_value("Diketik sebelum putus")
    expect(again.locator("#tersimpan")).to_contain_text("Tersimpan")
    assert stored(served, address).rows[4].keterangan == "Diketik sebelum putus"


@pytest.mark.parametrize("kind", ["wrong", "overtaken", "read"])
def test_the_table_is_sound_when_something_is_to_be_said(served: Served, kind: str) -> None:
    address = begin(served)
    page = served.person("pengelola1")

    def come() -> None:
        page.goto("/perancang/baru" if kind == "read" else address)
        if kind == "read":
            page.fill("#teks", PASTED)
            page.click("button[value=teks]")
            expect(page.locator(".found")).to_be_visible()
        elif kind == "wrong":
            page.fill("[name='baris.2.uraian']", "")
            page.fill("[name='baris.2.nama']", "")
            page.evaluate("document.getElementById('tabel-sop').submit()")      # as without a script
            expect(page.locator("#galat")).to_contain_text("Baris 3, kolom Uraian")
        else:
            with served.desk.database.begin() as db:
                id = address.split("/")[3]
                draft = drafts.get(db, id)
                data = drafts.content(db, id)
                assert draft and data
                data += b" "
                drafting.save(db, id, data, revision=draft.revision, person="pengelola2", at=served.desk.clock())
            if page.locator("[data-fold='0']").is_visible():
                page.check("[data-fold='0']")
            page.fill("[name='baris.0.output']", "Catatan lisan")
            expect(page.locator("#bentrok")).to_be_visible()

    look_at_all_four(page, kind, come)


def test_a_table_that_is_pasted_out_of_a_document_keeps_its_cells(served: Served) -> None:
    page = served.person("pengelola1")
    page.goto("/perancang/baru")
    cells = [line.split("\t") for line in PASTED.splitlines()[5:]]
    rows = "".join("<tr>" + "".join(f"<td><p>{one.replace('mencatat', '<b>mencatat</b>')}</p></td>" for one in line)
                   + "</tr>" for line in cells)
    rows = rows.replace("<td><p>Tanda Terima</p></td>", "<td><p>Tanda \n Terima</p><p>Buku Agenda</p></td>")
    page.evaluate(
        """html => { const data = new DataTransfer(); data.setData("text/html", html);
            document.getElementById("teks").dispatchEvent(
                new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })); }""",
        f"<p>NAMA SOP: PENERBITAN SURAT KETERANGAN DOMISILI USAHA</p><table>{rows}</table>")
    expect(page.locator("#teks")).to_have_value(re.compile('"Tanda Terima\nBuku Agenda"'))
    page.click("button[value=teks]")
    expect(page.locator(".found")).to_contain_text("5 langkah, 3 pelaksana")
    expect(page.locator(".found")).to_contain_text("Menerima dan mencatat permohonan")
