"""The inbox and the pages of tasks, as people use them: without JavaScript, on both databases."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from engine.store import documents, instances
from tests.desk import ANSWERS, LKJPD, OPENING, START, TODAY, Desk, Reader, file, files, pdf, photo

pytestmark = pytest.mark.database
# What a page says no database changes: asked of one of them only, so that the suite stays short.
on_sqlite = pytest.mark.parametrize("desk_url", ["sqlite"], indirect=True)


def page_of(desk: Desk, login: str, id: str) -> Reader:
    """The page of the only open task of an instance, as somebody sees it."""
    [task] = desk.instance(id).user_tasks
    return desk.reader(login).get(f"/tugas/{id}/{task}")


def test_the_whole_lkjpd_goes_from_letter_to_archive_with_one_return(desk: Desk) -> None:
    id = desk.begin()
    for number in range(1, 7):
        desk.complete(id, number)
    correction = {"isian.keputusan": "kembalikan", "isian.koreksi.0.koreksi": "Angka Bab III keliru."}
    sent_back = desk.complete(id, 7, **correction)
    assert "Langkah 7 selesai: dikembalikan untuk diperbaiki. Sekarang menunggu Tim Penyusun" in sent_back.text
    page = desk.open(id, 5)
    assert "Dikembalikan untuk diperbaiki oleh Camat Lasem" in page.text
    assert "pengembalian ke-1 · 1 koreksi" in page.text and "Angka Bab III keliru." in page.text
    for number in range(5, 10):
        desk.complete(id, number)
    done = desk.instance(id)
    assert done.status == "completed" and done.rounds["langkah_5"] == 2
    history = desk.reader("camat").get(f"/proses/{id}").text
    assert "Camat Lasem menyelesaikan langkah 7, Memeriksa dan menandatangani." in history
    assert "Seluruh langkah selesai." in history


@on_sqlite
def test_a_redo_begins_with_no_decision_no_paraf_and_no_old_correction(desk: Desk) -> None:
    id = desk.waiting_at(7)
    desk.complete(id, 7, **{"isian.keputusan": "kembalikan", "isian.koreksi.0.koreksi": "Angka Bab III keliru."})
    desk.complete(id, 5)
    assert desk.open(id, 6).values("/completion")["isian.paraf_sekretaris"] == "0"
    desk.complete(id, 6)
    page = desk.open(id, 7)
    again = page.values("/completion")
    assert again.get("isian.keputusan") is None and not again.get("isian.koreksi.0.koreksi")
    assert "Belum lengkap" in page.text
    assert "Angka Bab III keliru." in page.text, "the first round stays readable beside it"


# The inbox


def test_the_inbox_says_how_many_tasks_wait_and_how_many_are_late(desk: Desk) -> None:
    desk.later(days=3)  # Thursday: the steps of minutes are late since Tuesday, those of one day too
    reader = desk.reader("camat").get("/")
    assert "2 tugas untuk Anda, 2 terlambat." in reader.text
    assert [one.text_content() for one in reader.page.xpath("//main//h2")] == ["Terlambat"]
    assert "■Terlambat○Menunggu diambil" in reader.text and "dari Sekretaris PD" in reader.text


@on_sqlite
def test_the_inbox_can_be_filtered_and_says_so_when_nothing_is_left(desk: Desk) -> None:
    reader = desk.reader("camat").get("/?cari=menandatangani")
    assert "7 · Memeriksa dan menandatangani" in reader.text and "1 · Menelaah" not in reader.text
    assert "Tidak ada tugas yang cocok" in reader.get("/?cari=tidakada").text


@on_sqlite
def test_an_empty_inbox_says_where_to_look(desk: Desk) -> None:
    assert "Tidak ada tugas untuk Anda saat ini." in desk.reader("penerima").get("/").text


def test_a_task_of_a_team_is_in_the_inbox_of_its_members_only(desk: Desk) -> None:
    id = desk.waiting_at(3)
    assert f"/tugas/{id}/" in desk.reader("tim2").get("/").response.text
    assert f"/tugas/{id}/" not in desk.reader("camat").get("/").response.text


# Taking, giving back, being quicker


def test_a_task_is_taken_and_given_back_without_losing_what_was_typed(desk: Desk) -> None:
    id = desk.waiting_at(3)
    reader = page_of(desk, "tim1", id).send(action="/claim")
    assert "Sedang dikerjakan" in reader.text
    reader.send({"isian.nomor_pengantar_reviu": "700/9"}, action="/release")
    assert reader.path == "/" and "Isian Anda tetap tersimpan" in reader.text
    assert "700/9" in page_of(desk, "tim1", id).response.text
    assert "700/9" not in page_of(desk, "tim2", id).response.text


def test_who_comes_second_is_told_who_was_quicker_and_keeps_every_word(desk: Desk) -> None:
    id = desk.waiting_at(3)
    slow = page_of(desk, "tim2", id)
    page_of(desk, "tim1", id).send(action="/claim")
    slow.send({"isian.nomor_pengantar_reviu": "700/2"}, action="/completion")
    assert slow.status == 409
    assert "Tugas ini sudah diambil Anggota Tim Penyusun 1 sejak hari ini" in slow.text and "700/2" in slow.text
    assert "700/2" in page_of(desk, "tim2", id).response.text, "kept as a draft"


def test_a_task_done_by_another_meanwhile_keeps_what_was_typed(desk: Desk) -> None:
    id = desk.waiting_at(6)
    slow = page_of(desk, "sekcam", id)
    desk.complete(id, 6)
    slow.send({"isian.catatan_sekretaris": "Periksa lampiran."}, action="/completion")
    assert slow.status == 409 and "Periksa lampiran." in slow.text
    assert "Tugas ini sudah diselesaikan Sekretaris Kecamatan Lasem" in slow.text


def test_who_completed_too_early_takes_it_back_and_finds_what_was_sent_as_a_draft(desk: Desk) -> None:
    id = desk.waiting_at(1)
    done = desk.complete(id, 1, **{"isian.arahan": "Susun Tim segera."})
    [next_one] = desk.instance(id).user_tasks
    assert "Langkah 1 selesai." in done.text and "Tarik kembali" in done.text
    done.send(action="/tarik")
    assert "Tugas ditarik kembali." in done.text and done.path.startswith(f"/tugas/{id}/")
    assert done.values("/completion")["isian.arahan"] == "Susun Tim segera."
    assert [task.owner is not None for task in desk.instance(id).user_tasks.values()] == [True]
    page = desk.reader("camat").get(f"/proses/{id}").text
    assert "Camat Lasem menarik kembali langkah 1" in page and "Sedang dikerjakan" in page
    assert "arahan" not in desk.instance(id).data
    gone = desk.reader("sekcam").get(f"/tugas/{id}/{next_one}")
    assert "Langkah sebelumnya ditarik kembali oleh Camat Lasem" in gone.text, "who follows a link is told why"
    again = desk.complete(id, 1, **{"isian.arahan": "Susun Tim dalam dua hari."})
    assert "Langkah 1 selesai." in again.text and desk.instance(id).rounds["langkah_2"] == 1


def test_what_the_next_one_has_begun_to_type_is_not_taken_away(desk: Desk) -> None:
    id = desk.waiting_at(1)
    done = desk.complete(id, 1)
    typed = {"isian.nomor_sk_tim": "800/1"}
    page_of(desk, "sekcam", id).send(typed, action="/draft", headers={"Accept": "application/json"})
    done.send(action="/tarik")
    assert "langkah sesudahnya sudah mulai diisi orang lain" in done.text and done.path == f"/proses/{id}"
    assert [task.element for task in desk.instance(id).user_tasks.values()] == ["langkah_2"]


def test_who_was_typing_when_the_step_before_was_taken_back_keeps_every_word(desk: Desk) -> None:
    id = desk.waiting_at(1)
    done = desk.complete(id, 1)
    slow = page_of(desk, "sekcam", id)
    done.send(action="/tarik")
    slow.send({"isian.nomor_sk_tim": "800/77"}, action="/completion")
    assert slow.status == 409 and "800/77" in slow.text
    assert "Langkah sebelumnya baru saja ditarik kembali oleh Camat Lasem" in slow.text


def test_a_recall_is_offered_to_who_completed_and_to_nobody_else(desk: Desk) -> None:
    id = desk.waiting_at(1)
    [number] = desk.instance(id).user_tasks
    desk.complete(id, 1)
    for address in (f"/proses/{id}", f"/tugas/{id}/{number}"):
        assert "Tarik kembali" in desk.reader("camat").get(address).text
        assert "Tarik kembali" not in desk.reader("sekcam").get(address).text
    page_of(desk, "sekcam", id).send(action="/claim")
    for address in (f"/proses/{id}", f"/tugas/{id}/{number}"):
        assert "Tarik kembali" not in desk.reader("camat").get(address).text


def test_a_double_click_is_told_the_same_answer_and_nothing_is_doubled(desk: Desk) -> None:
    id = desk.waiting_at(1)
    reader = page_of(desk, "camat", id)
    once = reader.send(action="/completion", follow=False)
    first = (once.status, once.response.headers["Location"])
    before = desk.instance(id).sequence
    twice = reader.post(*reader.sent, follow=False)
    assert (twice.status, twice.response.headers["Location"]) == first
    assert desk.instance(id).sequence == before


def test_the_same_key_with_other_content_is_refused_and_the_text_kept(desk: Desk) -> None:
    id = desk.waiting_at(1)
    reader = page_of(desk, "camat", id).send(action="/completion", follow=False)
    address, values = reader.sent
    reader.post(address, {**values, "isian.arahan": "Lain sama sekali."})
    assert reader.status in (409, 422) and "Lain sama sekali." in reader.response.text
    assert desk.instance(id).data["arahan"] != "Lain sama sekali."


# What is missing, what is owed, what is waived


@on_sqlite
def test_what_is_missing_stands_beside_the_button_before_it_is_pressed(desk: Desk) -> None:
    page = page_of(desk, "sekcam", desk.waiting_at(2))
    [beside] = page.page.xpath("//*[@id='kurang']")
    assert "Belum lengkap:" in beside.text_content()
    assert "SK Pembentukan Tim Penyusun LKjPD belum dilampirkan." in beside.text_content()


@on_sqlite
def test_an_incomplete_form_lists_its_problems_with_links_and_keeps_everything(desk: Desk) -> None:
    page = page_of(desk, "sekcam", desk.waiting_at(2))
    page.send(
        {"isian.nomor_sk_tim": "SK 77", "isian.susunan_tim.0.pegawai.nama": "Pegawai Kelurahan"}, action="/completion"
    )
    assert page.status == 422 and page.response.text.count("SK 77") == 1 and "Pegawai Kelurahan" in page.response.text
    assert "Tanggal SK Pembentukan Tim: belum diisi." in page.errors()
    for link in page.page.xpath("//*[@id='galat']//a/@href"):
        assert page.page.xpath(f"//*[@id='{link[1:]}']"), f"{link} leads nowhere"


def test_an_owed_document_needs_a_reason_and_a_day_and_then_lets_the_task_go_on(desk: Desk) -> None:
    id = desk.waiting_at(2)
    answers = {k: v for k, v in ANSWERS[2](None).items() if k != "berkas.sk_tim"}
    page = page_of(desk, "sekcam", id).send(
        {**answers, "menyusul.sk_tim.alasan": "Menunggu tanda tangan"}, action="/completion"
    )
    assert page.errors() == ["SK Pembentukan Tim Penyusun LKjPD: tuliskan tanggal yang dijanjikan."]
    assert "Menunggu tanda tangan" in page.response.text
    page.send({"menyusul.sk_tim.tanggal": "2026-12-14"}, action="/completion")
    assert "Langkah 2 selesai." in page.text, page.errors()
    assert desk.instance(id).owed["sk_tim"].promised == "2026-12-14"
    shown = page.get(f"/proses/{id}").text
    assert "SK Pembentukan Tim Penyusun LKjPD masih menyusul, dijanjikan 14 Desember 2026." in shown


def test_what_is_still_owed_is_asked_for_at_the_step_that_needs_it(desk: Desk) -> None:
    id = desk.waiting_at(2)
    answers = {k: v for k, v in ANSWERS[2](None).items() if k != "berkas.sk_tim"}
    owed = {"menyusul.sk_tim.alasan": "Menunggu tanda tangan", "menyusul.sk_tim.tanggal": "2026-12-14"}
    page_of(desk, "sekcam", id).send({**answers, **owed}, action="/completion")
    page = page_of(desk, "tim1", id).send(ANSWERS[3](None), action="/completion")
    assert any("SK Pembentukan Tim Penyusun LKjPD masih menyusul." in one for one in page.errors())
    page.send(files("sk_tim"), action="/completion")
    assert "Langkah 3 selesai." in page.text, page.errors()
    assert not desk.instance(id).owed


def test_the_head_waives_a_document_and_the_performer_cannot(desk: Desk) -> None:
    id = desk.waiting_at(3)
    performer = page_of(desk, "tim1", id)
    assert "/waiver/" not in performer.response.text
    head = page_of(desk, "camat", id)
    head.send({"alasan": "Rapat digabung dengan rapat lain."}, action="/waiver/daftar_hadir")
    assert "Dispensasi untuk Daftar Hadir diberikan." in head.text
    assert desk.instance(id).waived == {"daftar_hadir": next(iter(desk.instance(id).user_tasks))}


# Files


def test_a_file_is_attached_by_itself_and_the_typed_text_stays(desk: Desk) -> None:
    id = desk.waiting_at(3)
    page = page_of(desk, "tim1", id)
    page.send({"isian.nomor_pengantar_reviu": "700/5", **files("notulen")}, action="/documents/notulen")
    assert "Notulen sudah dilampirkan." in page.text and "700/5" in page.response.text
    assert desk.instance(id).documents["notulen"].attachment.files[0].name == "notulen.pdf"


@on_sqlite
def test_several_photographs_in_one_slot_become_one_pdf(desk: Desk) -> None:
    id = desk.waiting_at(3)
    photos = [(io.BytesIO(photo(shade)), f"foto {shade}.jpg") for shade in (100, 150, 200)]
    page_of(desk, "tim1", id).send({"berkas.daftar_hadir": photos}, action="/documents/daftar_hadir")
    [one] = desk.instance(id).documents["daftar_hadir"].attachment.files
    assert (one.media_type, one.name) == ("application/pdf", "foto 100.pdf")
    folder = desk.app.extensions["alur"].settings.documents_dir
    with desk.database.read() as db, documents.open_document(db, folder, one.sha256) as stored:
        assert len(PdfReader(stored).pages) == 3


def test_files_are_kept_although_the_rest_of_the_form_is_incomplete(desk: Desk) -> None:
    id = desk.waiting_at(3)
    page = page_of(desk, "tim1", id).send(files("notulen", "bahan_rapat"), action="/completion")
    assert page.status == 422
    assert {"notulen", "bahan_rapat"} <= desk.instance(id).documents.keys()
    assert not any(one.startswith("Notulen") for one in page.errors())


@on_sqlite
def test_a_file_that_is_not_what_its_name_says_is_refused_in_words(desk: Desk) -> None:
    id = desk.waiting_at(3)
    page = page_of(desk, "tim1", id)
    page.send({"berkas.notulen": (io.BytesIO(b"<html>"), "notulen.pdf")}, action="/documents/notulen")
    assert page.status == 422 and "Notulen: Isi berkas ini bukan PDF yang utuh." in page.errors()[0]
    assert "notulen" not in desk.instance(id).documents


@on_sqlite
def test_a_slot_takes_the_place_of_paper_or_a_link_instead_of_a_file(desk: Desk) -> None:
    id = desk.waiting_at(3)
    page = page_of(desk, "tim1", id)
    page.send(
        {"cetak.bahan_rapat": "Lemari 2", "tautan.bahan_data": "https://data.example.go.id/x"},
        action="/documents/bahan_rapat",
    )
    found = desk.instance(id).documents
    assert (found["bahan_rapat"].attachment.form, found["bahan_rapat"].attachment.place) == ("cetak", "Lemari 2")
    assert found["bahan_data"].attachment.form == "tautan"
    assert "naskah cetak: Lemari 2" in page.text


def test_an_attacher_of_another_lane_adds_a_version_but_cannot_complete(desk: Desk) -> None:
    id = desk.waiting_at(6)
    page = page_of(desk, "tim1", id)
    assert "/completion" not in "".join(page.page.xpath("//button/@formaction")) and "Selesaikan" not in page.text
    page.send(files("rancangan_akhir"), action="/documents/rancangan_akhir")
    assert desk.instance(id).documents["rancangan_akhir"].version == 3


def test_a_download_is_safe_to_open_and_only_for_who_may_see_it(desk: Desk) -> None:
    id = desk.waiting_at(4)
    address = f"/dokumen/{id}/rancangan_akhir/1/0"
    answer = desk.reader("tim1").get(address).response
    assert answer.data == pdf("rancangan_akhir")
    assert answer.headers["Content-Disposition"] == "attachment; filename=rancangan_akhir.pdf"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and "no-cache" in answer.headers["Cache-Control"]
    assert desk.reader("inspektorat").get(address).status == 200
    assert desk.reader("inspektorat").get(f"/dokumen/{id}/notulen/1/0").status == 404
    assert desk.reader("penerima").get(address).status == 200
    assert desk.reader("tim1").get(f"/dokumen/{id}/rancangan_akhir/9/0").status == 404


# Drafts and rows


@on_sqlite
def test_a_row_is_added_and_removed_without_losing_what_was_typed(desk: Desk) -> None:
    page = page_of(desk, "sekcam", desk.waiting_at(2))
    page.press("tambah", "susunan_tim", {"isian.susunan_tim.0.pegawai": "tim1", "isian.nomor_sk_tim": "SK 5"})
    assert "isian.susunan_tim.2.pegawai" in page.names("/completion") and "SK 5" in page.response.text
    page.press("buang", "susunan_tim.1")
    names = page.names("/completion")
    assert "isian.susunan_tim.1.pegawai" in names and "isian.susunan_tim.2.pegawai" not in names
    chosen = page.page.xpath("//select[@name='isian.susunan_tim.0.pegawai']/option[@selected]/@value")
    assert chosen == ["tim1"]


@on_sqlite
def test_a_row_that_names_a_colleague_gets_their_position(desk: Desk) -> None:
    id = desk.waiting_at(2)
    desk.complete(id, 2)
    first = desk.instance(id).data["susunan_tim"][0]
    assert first == {"pegawai": {"id": "tim1"}, "jabatan": "Anggota Tim Penyusun LKjPD", "kedudukan": "ketua"}


@on_sqlite
def test_a_draft_is_saved_for_the_page_script_and_says_what_to_show(desk: Desk) -> None:
    id = desk.waiting_at(7)
    page = page_of(desk, "camat", id)
    values = {**page.values("/completion"), "isian.keputusan": "kembalikan"}
    [task] = desk.instance(id).user_tasks
    answer = page.post(f"/tugas/{id}/{task}/draft", values, headers={"Accept": "application/json"}).response.json
    assert answer["saved"].startswith("Draf tersimpan 09.")
    assert answer["shown"]["i-koreksi"] is True and answer["shown"]["i-tanggal_tanda_tangan"] is False
    assert "Koreksi Kepala PD: belum diisi." in answer["lacking"]
    with desk.database.read() as db:
        assert instances.load(db, id).sequence == desk.instance(id).sequence, "a draft is no fact"


@on_sqlite
def test_without_javascript_every_question_that_may_be_asked_is_there(desk: Desk) -> None:
    page = page_of(desk, "camat", desk.waiting_at(7))
    assert page.page.xpath("//*[@data-field='i-koreksi' and @data-conditional]")
    assert page.page.xpath("//noscript/link[contains(@href, 'noscript.css')]")


def test_values_of_one_delivery_are_recorded_while_the_task_goes_on(desk: Desk) -> None:
    id = desk.waiting_at(8)
    page = page_of(desk, "tim1", id)
    typed = {"isian.tanggal_unggah_esr": TODAY, "isian.nomor_bukti_esr": "ESR-1", "isian.penerima_bupati": "Staf"}
    page.press("kelompok", "b.1 Unggah ke esr.menpan.go.id", typed)
    found = desk.instance(id)
    assert found.data["tanggal_unggah_esr"] == TODAY and "penerima_bupati" not in found.data and found.user_tasks
    assert "Staf" in page.response.text, "the rest is a draft"


# Time and place of the work


def test_work_done_on_paper_is_judged_by_the_time_that_is_stated(desk: Desk) -> None:
    id = desk.waiting_at(1)
    desk.later(days=7)
    desk.complete(id, 1, **{"luar.tanggal": TODAY, "luar.pukul": "09.30"})
    assert desk.instance(id).passed["langkah_1"].at == datetime(2026, 12, 7, 2, 30, tzinfo=UTC)
    history = desk.reader("camat").get(f"/proses/{id}").text
    assert "Dikerjakan di luar aplikasi pada Senin, 7 Desember 2026 pukul 09.30 WIB." in history
    assert "Terlambat." not in history and "dicatat hari ini" in history


@on_sqlite
def test_half_a_stated_time_is_refused_with_an_example(desk: Desk) -> None:
    page = page_of(desk, "camat", desk.waiting_at(1)).send({"luar.tanggal": TODAY}, action="/completion")
    assert page.errors() == [
        "Waktu pengerjaan di luar aplikasi: isi tanggal dan pukulnya, misalnya 2 Februari 2027 pukul 10.15."
    ]


def test_the_review_is_recorded_on_behalf_of_the_inspectorate(desk: Desk) -> None:
    id = desk.waiting_at(4)
    page = page_of(desk, "sekcam", id)
    assert "Catat atas nama Inspektorat Daerah" in page.text
    page.send(ANSWERS[4](None), action="/completion")
    assert "Langkah 4 selesai." in page.text, page.errors()
    shown = page.get(f"/proses/{id}").text
    assert "atas nama Inspektorat Daerah Kabupaten Rembang" in shown
    assert "Sekretaris Kecamatan Lasem mencatat langkah 4, Melakukan reviu" in shown


@on_sqlite
def test_a_comment_is_possible_on_somebody_elses_task(desk: Desk) -> None:
    page = page_of(desk, "camat", desk.waiting_at(3))
    page.send({"komentar": "Mohon <b>Bab II</b> diperhatikan."}, action="/comments")
    assert "Mohon <b>Bab II</b> diperhatikan." in page.text and "<b>Bab" not in page.response.text


# Starting


@on_sqlite
def test_a_start_form_with_mistakes_keeps_its_text_and_its_file(desk: Desk) -> None:
    reader = desk.reader("sekcam").get(f"/proses/mulai/{LKJPD}")
    assert reader.values()["isian.tahun_laporan"] == "2026", "the year that is reported now"
    reader.send({**START, "isian.tahun_laporan": "dua ribu", "berkas.surat_edaran": file("Edaran")})
    assert reader.status == 422 and "dua ribu" in reader.response.text and "Edaran.pdf" in reader.text
    reader.send({"isian.tahun_laporan": "2.032"})
    assert reader.status == 200 and "Tahun 2032 sudah dimulai. Sekarang menunggu Camat Lasem" in reader.text


@on_sqlite
def test_a_start_form_takes_nobody_elses_file(desk: Desk) -> None:
    other = desk.reader("penerima").get(f"/proses/mulai/{LKJPD}")
    other.send({"berkas.surat_edaran": file("Rahasia")})
    [sealed] = other.page.xpath("//input[@name='simpan.surat_edaran']/@value")
    reader = desk.reader("sekcam").get(f"/proses/mulai/{LKJPD}")
    reader.send({**START, "isian.tahun_laporan": "2033", "simpan.surat_edaran": sealed})
    assert reader.errors() == [
        "Surat Edaran Bupati belum dilampirkan. Lampirkan berkasnya, atau nyatakan menyusul dengan alasan dan tanggal."
    ]


def test_one_lkjpd_a_year_is_enough(desk: Desk) -> None:
    reader = desk.reader("sekcam").get(f"/proses/mulai/{LKJPD}")
    reader.send({**START, "isian.tahun_laporan": "2021", **files("surat_edaran")})
    assert reader.status == 422 and "sudah mempunyai berkas proses untuk tahun 2021" in reader.errors()[0]


def test_a_letter_that_has_not_come_is_owed_from_the_start(desk: Desk) -> None:
    reader = desk.reader("penerima").get(f"/proses/mulai/{LKJPD}")
    owed = {"menyusul.surat_edaran.alasan": "Belum diterima", "menyusul.surat_edaran.tanggal": "2026-12-20"}
    reader.send({"isian.tahun_laporan": "2034", "isian.status_surat_edaran": "belum", **owed})
    assert reader.status == 200 and "Tahun 2034 sudah dimulai." in reader.text
    assert desk.instance(reader.path.rsplit("/", 1)[-1]).owed["surat_edaran"].promised == "2026-12-20"


@on_sqlite
def test_who_may_not_start_finds_no_such_page(desk: Desk) -> None:
    assert desk.reader("tim1").get(f"/proses/mulai/{LKJPD}").status == 404
    assert desk.reader("sekcam").get("/proses/mulai/tidak_ada").status == 404


# Who sees what


def test_every_page_of_an_instance_is_only_there_for_those_it_concerns(desk: Desk) -> None:
    id = desk.waiting_at(4)
    [task] = desk.instance(id).user_tasks
    pages = [
        f"/proses/{id}",
        f"/tugas/{id}/{task}",
        f"/proses/{id}/lembar-kendali",
        f"/proses/{id}/diagram.bpmn",
        f"/proses/{id}/tertulis/perintah_tertulis",
        f"/dokumen/{id}/rancangan_akhir/1/0",
    ]
    expected = {
        "camat": [200, 200, 200, 200, 200, 200],
        "tim2": [200, 200, 200, 200, 200, 200],
        "auditor": [200, 200, 200, 200, 200, 200],
        "admin": [200, 200, 200, 200, 404, 404],  # keeps the process, reads none of its papers
        "inspektorat": [200, 200, 200, 200, 404, 200],
    }
    for login, statuses in expected.items():
        reader = desk.reader(login)
        assert [reader.get(one).status for one in pages] == statuses, login
    stranger = "/proses/00000000-0000-4000-8000-000000000000"
    assert desk.reader("camat").get(stranger).status == 404


@on_sqlite
def test_another_office_sees_dates_and_its_own_documents_but_no_words(desk: Desk) -> None:
    id = desk.waiting_at(4)
    desk.reader("camat").get(f"/proses/{id}").send({"komentar": "Jangan dibocorkan."}, action="/comments")
    shown = desk.reader("inspektorat").get(f"/proses/{id}")
    assert "Menyusun rancangan akhir LKjPD" in shown.text and "rancangan_akhir.pdf" in shown.text
    assert "Jangan dibocorkan." not in shown.text and "notulen.pdf" not in shown.text and "Riwayat" not in shown.text
    [task] = desk.instance(id).user_tasks
    mine = desk.reader("inspektorat").get(f"/tugas/{id}/{task}")
    assert "Yang sudah dikerjakan" not in mine.text and "Jangan dibocorkan." not in mine.text
    assert (
        desk.reader("inspektorat")
        .get(f"/tugas/{desk.waiting_at(3)}/{next(iter(desk.instance(desk.waiting_at(3)).user_tasks))}")
        .status
        == 404
    )


@on_sqlite
def test_who_only_looks_is_told_so_and_cannot_write(desk: Desk) -> None:
    id = desk.waiting_at(3)
    [task] = desk.instance(id).user_tasks
    page = page_of(desk, "auditor", id)
    assert "Anda melihatnya tanpa dapat mengisinya." in page.text and "Selesaikan" not in page.text
    values = page.values("/completion") if page.page.xpath("//form[@id='tugas']") else {}
    answer = page.post(f"/tugas/{id}/{task}/completion", values)
    assert answer.status == 409 and desk.instance(id).user_tasks[task].owner is None


@on_sqlite
def test_an_undeclared_field_is_not_stored(desk: Desk) -> None:
    id = desk.waiting_at(1)
    desk.complete(id, 1, **{"isian.keputusan": "setujui", "isian.status": "x"})
    assert not {"keputusan", "status"} & desk.instance(id).data.keys()


@on_sqlite
def test_a_task_that_is_done_can_be_read_and_not_written(desk: Desk) -> None:
    id = desk.waiting_at(2)
    done = next(n for n in range(1, 10) if desk.reader("camat").get(f"/tugas/{id}/{n}").status == 200)
    page = desk.reader("sekcam").get(f"/tugas/{id}/{done}")
    assert re.search(r"Tugas ini sudah diselesaikan Camat Lasem, Senin, 7 Desember 2026 pukul 08\.\d\d WIB", page.text)
    assert "Susun Tim Penyusun LKjPD." in page.text and not page.page.xpath("//main//form")


def test_a_plh_signs_in_the_place_of_the_head_who_then_only_reads(desk: Desk) -> None:
    from engine.commands import Actor
    from engine.organisation import Change, Hold
    from engine.organise import change

    acting = Hold(
        holding="plh",
        position="camat_lasem",
        person="sekcam",
        capacity="plh",
        valid_from="2026-12-07",
        valid_until="2026-12-11",
        basis="SP 800/1",
    )
    with desk.database.begin() as db:
        change(
            db,
            desk.database.key,
            Change(id="plh-1", at=OPENING, actor=Actor(person="admin", administrator=True), act=acting),
        )
    id = desk.waiting_at(7)
    assert "Selesaikan" not in page_of(desk, "camat", id).text
    assert ("Sampai 11 Desember 2026, Sekretaris Kecamatan Lasem bertindak sebagai Plh. Camat Lasem. Tugas jabatan itu "
            "dikerjakan olehnya; Anda tetap dapat membacanya.") in desk.reader("camat").get("/").text
    before = page_of(desk, "sekcam", id)
    assert "Anda mengerjakan langkah ini sebagai Plh. Camat Lasem." in before.text
    assert "bertindak sebagai" not in desk.reader("sekcam").get("/").text
    own = page_of(desk, "sekcam", desk.waiting_at(6))
    assert "Anda mengerjakan langkah ini sebagai" not in own.text, "step 6 is the Sekretaris's own"
    assert "Anda sendiri yang mengerjakan langkah 6, Memeriksa dan memaraf." in before.text
    signed = before.send(ANSWERS[7](None), action="/completion")
    assert "Langkah 7 selesai." in signed.text, signed.errors()
    history = signed.get(f"/proses/{id}").text
    assert "Sekretaris Kecamatan Lasem (Plh. Camat Lasem) menyelesaikan langkah 7" in history


def test_who_decides_upon_the_work_of_others_is_not_warned(site: Desk) -> None:
    assert "Anda sendiri yang mengerjakan" not in page_of(site, "camat", site.waiting_at(7)).text


def test_the_head_of_a_team_hands_a_task_to_a_member_and_a_member_cannot(desk: Desk) -> None:
    id = desk.waiting_at(3)
    assert "/reassignment" not in page_of(desk, "tim2", id).response.text
    page = page_of(desk, "tim1", id).send({"kepada": "tim2", "alasan": "Sedang dinas luar"}, action="/reassignment")
    assert "Tugas dialihkan kepada Anggota Tim Penyusun 2." in page.text
    [task] = desk.instance(id).user_tasks.values()
    assert task.owner == "tim2"
    page.send({"kepada": "tim1"}, action="/reassignment")
    assert next(iter(desk.instance(id).user_tasks.values())).owner == "tim1"


@on_sqlite
def test_another_office_opens_the_version_that_was_handed_over_and_none_before_it(desk: Desk) -> None:
    id = desk.waiting_at(3)
    page_of(desk, "tim1", id).send({"berkas.rancangan_akhir": file("Coretan")}, action="/documents/rancangan_akhir")
    desk.complete(id, 3)
    reader = desk.reader("inspektorat")
    assert reader.get(f"/dokumen/{id}/rancangan_akhir/1/0").status == 404
    assert reader.get(f"/dokumen/{id}/rancangan_akhir/2/0").status == 200
    assert "Coretan" not in reader.get(f"/proses/{id}").text
