"""The inbox in a real Chromium: every page at two widths and in two schemes, with and without JavaScript."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Served
from tests.browser.looking import axe, each_person, look_at_all_four, look_at_pages, task_address
from tests.desk import LKJPD, PASSWORD, TODAY, pdf, photo

FIRST_LOAD_BYTES_MOST = 60_000


def upload(page: Page, type: str, name: str, kind: str = "application/pdf", body: bytes | None = None) -> None:
    """Choose a file for a slot and wait until the page says it is there."""
    slot = page.locator(f"#i-{type}")
    folded = slot.locator("details:not([open]) > summary", has_text="Lampirkan")
    if folded.count():
        folded.click()
    slot.locator("input[type=file]").set_input_files({"name": name, "mimeType": kind, "buffer": body or pdf(name)})
    expect(page.locator(f"#i-{type} .files a").first).to_contain_text(name)


def answer(page: Page, **answers: str) -> None:
    """Fill in the questions of the page, whatever they are drawn as."""
    for id, value in answers.items():
        name = f"isian.{id.replace('__', '.')}"
        control = page.locator(f"[name='{name}']")
        if control.last.get_attribute("type") == "radio":
            page.check(f"[name='{name}'][value='{value}']")
        elif control.last.get_attribute("type") == "checkbox":
            page.check(f"[name='{name}'][type=checkbox]")
        elif control.first.evaluate("one => one.tagName") == "SELECT":
            page.select_option(f"[name='{name}']", value)
        else:
            page.fill(f"[name='{name}']", value)


def complete(page: Page, number: int) -> None:
    page.click("button[data-complete]")
    expect(page.locator(".message").first).to_contain_text(f"Langkah {number} selesai")


def take(page: Page, step: str) -> None:
    """Open the task whose name begins so, from the inbox."""
    page.goto("/")
    page.locator(".task", has=page.locator(".what a", has_text=step)).locator(".do button, .do a").first.click()
    expect(page.locator("h1")).to_contain_text(step)


# The pages that run an SOP; how they are looked at, and where the others stand, says looking.py.
PAGES = [
    (None, "/masuk"),
    ("sekcam", "/"),
    ("sekcam", f"/proses/mulai/{LKJPD}"),
    ("sekcam", "{task2}"),
    ("sekcam", "{task4}"),
    ("sekcam", "/kata-sandi"),
    ("camat", "/proses"),
    ("camat", "{task7}"),
    ("camat", "{task3}"),
    ("camat", "/tidak-ada"),
    ("camat", "/proses/{process7}"),
    ("camat", "/proses/{process7}/lembar-kendali"),
    ("camat", "/proses/{process7}/tertulis/surat_undangan"),
    ("tim1", "{task3}"),
    ("tim1", "{task5}"),
    ("tim1", "{task8}"),
    ("admin", "/pengaturan"),
    ("penerima", "/"),
]


@each_person(PAGES)
def test_every_page_is_sound_at_both_widths_and_in_both_schemes(served: Served, login: str | None) -> None:
    look_at_pages(served, login, PAGES)


def test_a_task_with_mistakes_is_sound_too(served: Served) -> None:
    page = served.person("sekcam")

    def come() -> None:
        page.goto(task_address(served, 2))
        page.click("button[data-complete]")
        expect(page.locator("#galat")).to_be_focused()

    look_at_all_four(page, "a task with mistakes", come)


def test_the_first_load_of_the_inbox_is_small(served: Served) -> None:
    page = served.person("camat")
    context = served.browser.new_context(base_url=served.address, storage_state=page.context.storage_state())
    served.contexts.append(context)
    fresh = context.new_page()
    sizes: dict[str, int] = {}
    fresh.on("response", lambda one: sizes.update({one.url: len(one.body())}))
    fresh.goto("/", wait_until="networkidle")
    assert len(sizes) >= 3, "page, sheet, script"
    assert sum(sizes.values()) < FIRST_LOAD_BYTES_MOST, sizes


def test_a_printed_page_leaves_out_what_paper_cannot_do(served: Served) -> None:
    page = served.person("camat")
    page.goto(f"/proses/{served.desk.waiting_at(7)}/lembar-kendali")
    page.emulate_media(media="print")
    assert not page.locator(".top").is_visible() and not page.locator("[data-print]").is_visible()
    assert page.locator("article table").is_visible()


# With JavaScript


def test_what_is_typed_saves_itself_and_is_there_after_a_reload(served: Served) -> None:
    page = served.person("tim1")
    page.goto(task_address(served, 3))
    page.fill("[name='isian.nomor_pengantar_reviu']", "700/88")
    expect(page.locator("#draf")).to_contain_text("Draf tersimpan 09.")
    page.reload()
    expect(page.locator("[name='isian.nomor_pengantar_reviu']")).to_have_value("700/88")


def test_a_cut_line_loses_nothing_and_says_so(served: Served) -> None:
    page = served.person("tim1")
    page.goto(task_address(served, 3))
    with served.cut_line(page):
        page.check("[name='isian.penanda_tangan_pengantar_reviu'][value=kepala_pd]")
        page.fill("[name='isian.nomor_pengantar_reviu']", "700/99")
        expect(page.locator("#draf")).to_contain_text("Belum terkirim")
    page.goto("/")
    page.goto(task_address(served, 3))
    expect(page.locator("[name='isian.nomor_pengantar_reviu']")).to_have_value("700/99")
    expect(page.locator("#draf")).to_contain_text("Draf tersimpan")
    assert page.evaluate("Object.keys(localStorage)") == []


def test_a_decision_shows_what_it_asks_at_once_and_what_is_missing_follows(served: Served) -> None:
    page = served.person("camat")
    page.goto(task_address(served, 7))
    expect(page.locator("#i-koreksi")).to_be_hidden()
    page.check("[value=kembalikan]")
    expect(page.locator("#i-koreksi")).to_be_visible()
    expect(page.locator("#kurang")).to_contain_text("Koreksi Kepala PD: belum diisi.")
    page.fill("[name='isian.koreksi.0.koreksi']", "Angka Bab III keliru.")
    expect(page.locator("#kurang")).to_contain_text("Lengkap, dapat diselesaikan")
    page.check("[value=setujui]")
    expect(page.locator("#i-koreksi")).to_be_hidden()
    expect(page.locator("[data-field=i-tanggal_tanda_tangan]")).to_be_visible()


def test_a_signed_document_may_follow_only_when_it_is_signed_by_hand(served: Served) -> None:
    page = served.person("camat")
    page.goto(task_address(served, 7))
    page.check("[value=setujui]")
    page.check("[name='isian.bentuk_tanda_tangan'][value=basah]")
    expect(page.locator("#i-dokumen_lkjpd summary", has_text="Nyatakan menyusul")).to_be_visible()
    page.check("[name='isian.bentuk_tanda_tangan'][value=elektronik]")
    expect(page.locator("#i-dokumen_lkjpd summary", has_text="Nyatakan menyusul")).to_have_count(0)


def test_files_go_up_by_themselves_and_photographs_become_one_document(served: Served) -> None:
    page = served.person("tim1")
    page.goto(task_address(served, 3))
    page.fill("[name='isian.nomor_pengantar_reviu']", "700/3")
    upload(page, "notulen", "Notulen rapat.pdf")
    expect(page.locator("#i-notulen")).to_contain_text("Sudah ada")
    expect(page.locator("[name='isian.nomor_pengantar_reviu']")).to_have_value("700/3")
    pictures = [{"name": f"foto{n}.jpg", "mimeType": "image/jpeg", "buffer": photo(n)} for n in (80, 160)]
    page.locator("#i-daftar_hadir input[type=file]").set_input_files(pictures)  # type: ignore[arg-type]
    expect(page.locator("#i-daftar_hadir .files a").first).to_contain_text("foto80.pdf")


def test_a_file_that_is_refused_says_why_beside_its_slot(served: Served) -> None:
    page = served.person("tim1")
    page.goto(task_address(served, 3))
    page.locator("#i-notulen input[type=file]").set_input_files(
        {"name": "x.pdf", "mimeType": "application/pdf", "buffer": b"<html>"}
    )
    expect(page.locator("#i-notulen .sending")).to_contain_text("bukan PDF yang utuh")


def test_what_a_stopped_server_did_not_get_is_sent_when_it_is_back(served: Served) -> None:
    page = served.person("camat")
    page.clock.install()
    page.goto(task_address(served, 1))
    served.was_cut = True
    page.route("**/draft", lambda route: route.abort("internetdisconnected"))
    page.fill("[name='isian.arahan']", "Siapkan rancangan.")
    page.clock.fast_forward(3_100)
    expect(page.locator("#draf")).to_contain_text("Belum terkirim")
    page.unroute("**/draft")
    page.clock.fast_forward(15_100)
    expect(page.locator("#draf")).to_contain_text("Draf tersimpan")
    assert page.evaluate("Object.keys(localStorage)") == []


def test_a_button_without_a_line_leaves_the_form_where_it_is(served: Served) -> None:
    page = served.person("camat", width=390)
    page.goto(task_address(served, 1))
    with served.cut_line(page):
        page.fill("[name='isian.arahan']", "Siapkan rancangan.")
        page.click("button[data-complete]")
        expect(page.locator("#draf")).to_contain_text("Tidak ada sambungan. Isian tersimpan di peramban ini")
        assert page.input_value("[name='isian.arahan']") == "Siapkan rancangan."
    complete(page, 1)


def test_enter_in_a_line_keeps_the_draft_and_completes_nothing(served: Served) -> None:
    page = served.person("sekcam")
    page.goto(task_address(served, 6))
    page.check("[name='isian.paraf_sekretaris'][type=checkbox]")
    page.goto(task_address(served, 2))
    page.fill("[name='isian.nomor_sk_tim']", "SK 5")
    page.press("[name='isian.nomor_sk_tim']", "Enter")
    expect(page.locator(".message").first).to_contain_text("Draf tersimpan")
    assert served.desk.instance(served.desk.waiting_at(2)).user_tasks


def test_who_signs_out_leaves_nothing_typed_in_the_browser(served: Served) -> None:
    page = served.person("tim1")
    page.goto(task_address(served, 3))
    with served.cut_line(page):
        page.fill("[name='isian.nomor_pengantar_reviu']", "rahasia")
        assert page.evaluate("Object.keys(localStorage).length") == 1
    page.click("text=Keluar")
    expect(page.locator("h1")).to_have_text("Masuk")
    assert page.evaluate("Object.keys(localStorage)") == []


def test_the_diagram_shows_where_the_process_stands_and_its_table_says_the_same(served: Served) -> None:
    page = served.person("camat")
    page.goto(f"/proses/{served.desk.waiting_at(5)}")
    page.wait_for_selector("body[data-ready]")
    classes = page.locator("g.djs-element[data-element-id='langkah_5']").get_attribute("class") or ""
    assert "st-active" in classes
    assert "st-done" in (page.locator("g.djs-element[data-element-id='langkah_4']").get_attribute("class") or "")
    expect(page.locator(".steps tr.here")).to_contain_text("Memperbaiki dan mencetak rancangan akhir")


# Without


def test_a_task_is_done_without_javascript(served: Served) -> None:
    page = served.person("sekcam", width=390, javascript=False)
    page.goto("/")
    page.locator(".task", has_text="Menyusun Tim").locator(".do button").click()
    answer(
        page,
        nomor_sk_tim="SK 900/12",
        tanggal_sk_tim=TODAY,
        susunan_tim__0__pegawai="tim1",
        susunan_tim__0__kedudukan="ketua",
        susunan_tim__1__pegawai="tim2",
        susunan_tim__1__kedudukan="anggota",
    )
    page.locator("#i-susunan_tim button", has_text="Tambah baris").click()
    expect(page.locator("[name='isian.susunan_tim.0.pegawai']")).to_have_value("tim1")
    answer(page, susunan_tim__2__kedudukan="anggota")
    page.fill("[name='isian.susunan_tim.2.pegawai.nama']", "Kepala Desa Soditan")
    answer(page, jadwal_rapat__0__tanggal="2026-12-09", jadwal_rapat__0__pukul="09:00", jadwal_rapat__0__tempat="Aula")
    for type in ("sk_tim", "surat_undangan"):
        page.locator(f"#i-{type} input[type=file]").set_input_files(
            {"name": f"{type}.pdf", "mimeType": "application/pdf", "buffer": pdf(type)}
        )
        page.locator(f"#i-{type} button", has_text="Lampirkan").click()
        expect(page.locator(f"#i-{type}")).to_contain_text(f"{type}.pdf")
    page.click("button[data-complete]")
    expect(page.locator(".message").first).to_contain_text("Langkah 2 selesai.")
    team = served.desk.instance(served.desk.waiting_at(2)).data["susunan_tim"]
    assert team[2]["pegawai"] == {"nama": "Kepala Desa Soditan"}


def test_without_javascript_a_decision_shows_all_it_may_ask(served: Served) -> None:
    page = served.person("camat", javascript=False)
    page.goto(task_address(served, 7))
    expect(page.locator("#i-koreksi")).to_be_visible()
    expect(page.locator("[data-field=i-tanggal_tanda_tangan]")).to_be_visible()


# Two people, and the whole


def test_the_slower_of_two_people_keeps_every_word(served: Served) -> None:
    quick, slow = served.person("tim1"), served.person("tim2")
    slow.goto(task_address(served, 3))
    slow.fill("[name='isian.nomor_pengantar_reviu']", "700/7")
    take(quick, "3 · Menyusun rancangan akhir")
    slow.click("button[data-complete]")
    expect(slow.locator("h1")).to_have_text("Tugas ini sedang dikerjakan orang lain")
    expect(slow.locator("main")).to_contain_text("700/7")
    expect(slow.locator("main")).to_contain_text(re.compile(r"sudah diambil Anggota Tim Penyusun 1 sejak hari ini"))
    axe(slow, "the page of who came second")


def test_four_people_carry_one_lkjpd_from_letter_to_archive_with_one_return(served: Served) -> None:
    people = {login: served.person(login) for login in ("sekcam", "camat", "tim1", "inspektorat")}
    sekcam, camat, tim, inspektorat = people.values()
    sekcam.goto(f"/proses/mulai/{LKJPD}")
    answer(
        sekcam,
        tahun_laporan="2035",
        status_surat_edaran="sudah",
        nomor_surat_edaran="000.8.6.3/1201",
        tanggal_surat_edaran="2026-12-01",
        tanggal_terima_surat_edaran="2026-12-04",
    )
    sekcam.set_input_files(
        "[name='berkas.surat_edaran']", {"name": "SE.pdf", "mimeType": "application/pdf", "buffer": pdf("SE")}
    )
    sekcam.click(".bar button.primary")
    expect(sekcam.locator(".message").first).to_contain_text("Tahun 2035 sudah dimulai. Sekarang menunggu Camat Lasem")
    id = sekcam.url.rsplit("/", 1)[-1]

    def at(page: Page, number: int) -> None:
        [task] = served.desk.instance(id).user_tasks
        page.goto(f"/tugas/{id}/{task}")
        expect(page.locator("h1")).to_contain_text(f"{number} · ")

    at(camat, 1)
    complete(camat, 1)
    at(sekcam, 2)
    answer(
        sekcam,
        nomor_sk_tim="SK 900/12",
        tanggal_sk_tim=TODAY,
        susunan_tim__0__pegawai="tim1",
        susunan_tim__0__kedudukan="ketua",
        susunan_tim__1__pegawai="tim2",
        susunan_tim__1__kedudukan="anggota",
        jadwal_rapat__0__tanggal="2026-12-09",
        jadwal_rapat__0__pukul="09:00",
        jadwal_rapat__0__tempat="Aula",
    )
    upload(sekcam, "sk_tim", "SK.pdf")
    upload(sekcam, "surat_undangan", "Undangan.pdf")
    complete(sekcam, 2)
    at(tim, 3)
    for type in (
        "bahan_rapat",
        "daftar_hadir",
        "bahan_data",
        "notulen",
        "daftar_pembagian_tugas",
        "rancangan_akhir",
        "surat_pengantar_reviu",
    ):
        upload(tim, type, f"{type}.pdf")
    answer(
        tim,
        tanggal_rapat_koordinasi=TODAY,
        tanggal_rancangan_selesai=TODAY,
        tanggal_kirim_reviu=TODAY,
        nomor_pengantar_reviu="700/1",
        penanda_tangan_pengantar_reviu="kepala_pd",
        cara_kirim_reviu="langsung",
    )
    complete(tim, 3)
    at(inspektorat, 4)
    upload(inspektorat, "lhr", "LHR.pdf")
    answer(
        inspektorat,
        tanggal_terima_rancangan=TODAY,
        nomor_lhr="700/LHR/1",
        tanggal_lhr=TODAY,
        ringkasan_reviu="Memadai.",
        ada_catatan_reviu="ya",
        tanggal_kirim_lhr=TODAY,
    )
    expect(inspektorat.locator("#i-catatan_reviu")).to_be_visible()
    answer(inspektorat, catatan_reviu__0__catatan="Tabel 3.2 tidak menjumlah.")
    complete(inspektorat, 4)
    for round, decision in ((1, "kembalikan"), (2, "setujui")):
        at(tim, 5)
        answer(tim, tindak_lanjut__0__hasil="sudah", tanggal_cetak=TODAY)
        if round == 2:
            expect(tim.locator(".came-back")).to_contain_text("oleh Camat Lasem")
            expect(tim.locator("#i-tindak_lanjut")).to_contain_text("Angka Bab III keliru.")
            answer(tim, mengubah_angka="tidak")
        upload(tim, "rancangan_akhir", f"Rancangan {round}.pdf")
        complete(tim, 5)
        at(sekcam, 6)
        answer(sekcam, paraf_sekretaris="1")
        complete(sekcam, 6)
        at(camat, 7)
        camat.check(f"[value={decision}]")
        if decision == "kembalikan":
            expect(camat.locator("#i-koreksi")).to_be_visible()
            answer(camat, koreksi__0__koreksi="Angka Bab III keliru.")
        else:
            expect(camat.locator("[data-field=i-tanggal_tanda_tangan]")).to_be_visible()
            answer(camat, bentuk_tanda_tangan="basah", tanggal_tanda_tangan=TODAY)
            upload(camat, "dokumen_lkjpd", "LKjPD bertanda tangan.pdf")
        complete(camat, 7)
    at(tim, 8)
    answer(
        tim,
        tanggal_kirim_bupati=TODAY,
        penerima_bupati="Staf Bagian Umum",
        tanggal_kirim_bagian_organisasi=TODAY,
        cara_kirim_bagian_organisasi="surel",
        penerima_bagian_organisasi="Bagian Organisasi",
        tanggal_unggah_esr=TODAY,
        tanggal_unggah_sapa_kinerja=TODAY,
    )
    for type in (
        "tanda_terima_bupati",
        "bukti_kirim_bagian_organisasi",
        "bukti_unggah_esr",
        "bukti_unggah_sapa_kinerja",
    ):
        upload(tim, type, f"{type}.pdf")
    complete(tim, 8)
    expect(tim.locator("h1")).to_contain_text("9 · Mengarsipkan")
    answer(tim, lokasi_hard_file="Ruang arsip, rak 2")
    complete(tim, 9)
    expect(tim.locator(".message").first).to_contain_text("Seluruh langkah selesai.")
    done: Any = served.desk.instance(id)
    assert done.status == "completed" and done.rounds["langkah_7"] == 2


def test_a_session_that_ends_while_somebody_types_keeps_the_words_and_sends_them_after(served: Served) -> None:
    page = served.person("camat")
    page.goto(task_address(served, 1))
    page.wait_for_load_state("networkidle")     # else a request on its way is one of the evening: nobody was away
    served.desk.later(hours=13)
    page.fill("[name='isian.arahan']", "Susun Tim dalam dua hari.")
    expect(page.locator("#draf")).to_contain_text("Belum terkirim")
    page.click("button[data-complete]")
    expect(page.locator("main")).to_contain_text("Isian Anda tidak hilang")
    page.fill("#nama", "camat")
    page.fill("#sandi", PASSWORD)
    page.click("main button.primary")
    expect(page.locator(".message").first).to_contain_text("Langkah 1 selesai.")
    assert served.desk.instance(served.desk.waiting_at(1)).data["arahan"] == "Susun Tim dalam dua hari."
