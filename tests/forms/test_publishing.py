"""Perancang: a change is checked, put forward, verified by somebody else, ratified by the head, and then in force."""

from __future__ import annotations

import io
import re

import pytest
from pypdf import PdfReader

from engine import drafting, organise, ratification
from engine.commands import Actor, Attachment, File
from engine.instance import Refused
from engine.organisation import Change, RevokePower
from engine.store import definitions, documents, drafts, stories
from forms.papers import kept
from tests.desk import LASEM, LKJPD, Desk, Reader, pdf

SOP = f"/perancang/sop/{LKJPD}"
RENAMED = ("Memperbaiki dan mencetak rancangan akhir", "Memperbaiki rancangan akhir")
NUDGED = ('x="1160" y="580" width="140"', 'x="1160" y="590" width="140"')
BROKEN = (">PT20M<", ">besok<")


def begun(desk: Desk, *edits: tuple[str, str], login: str = "pengelola1") -> str:
    """The id of a new draft of the LKjPD that somebody began on the SOP's page and edited."""
    owner = desk.reader(login).get(SOP)
    owner.send(action="/rancangan", follow=False)
    assert owner.status == 303, owner.text
    id: str = owner.response.location.rsplit("/", 1)[-1]
    if edits:
        edit(desk, id, *edits, login=login)
    return id


def edit(desk: Desk, id: str, *edits: tuple[str, str], login: str = "pengelola1") -> None:
    with desk.database.begin() as db:
        draft, data = drafts.get(db, id), drafts.content(db, id)
        assert draft is not None and data is not None
        text = data.decode()
        for old, new in edits:
            assert old in text, old
            text = text.replace(old, new, 1)
        drafting.save(db, id, text.encode(), revision=draft.revision, person=login, at=desk.clock.at)


def proposed(desk: Desk, *edits: tuple[str, str], holds_from: str = "2026-12-07") -> str:
    """The address of a proposal that pengelola1 made."""
    owner = desk.reader("pengelola1").get(f"/perancang/rancangan/{begun(desk, *edits)}/periksa")
    owner.send({"alasan": "Rapat evaluasi 1 Desember", "berlaku": holds_from}, action="/usulan")
    assert owner.status == 200 and "/usulan/" in owner.path, owner.text
    return owner.path


def verified(desk: Desk, *edits: tuple[str, str]) -> str:
    address = proposed(desk, *edits)
    other = desk.reader("analis").get(address)
    other.send({"catatan": "Sesuai pedoman"}, action="/verifikasi")
    assert "diverifikasi" in other.text, other.text
    return address


def ratified(desk: Desk, *edits: tuple[str, str]) -> str:
    address = verified(desk, *edits)
    head = desk.reader("camat").get(address)
    head.send({"nomor": "000.8.3.3/7/2026", "tanggal": "2026-12-07", "berlaku": "2026-12-07"}, action="/pengesahan")
    assert "SOP disahkan" in head.text, head.text
    return address


def versions(desk: Desk) -> tuple[definitions.Version, ...]:
    with desk.database.read() as db:
        return definitions.versions(db, LKJPD)


def offers(reader: Reader, action: str) -> bool:
    return any(one.get("action", "").endswith(action) for one in reader.page.xpath("//main//form"))


# The whole journey


def test_a_change_is_verified_by_another_ratified_by_the_head_and_run_from_its_date(desk: Desk) -> None:
    address = proposed(desk, RENAMED, holds_from="2026-12-10")
    own = desk.reader("pengelola1").get(address)
    assert "Menunggu verifikasi" in own.text and not offers(own, "/verifikasi") and offers(own, "/penarikan")
    assert own.page.xpath("//*[contains(@class, 'why')]"), "who may not is told why"

    other = desk.reader("analis").get("/perancang")
    assert "1 usulan menunggu Anda" in other.text
    other.get(address)
    assert "Langkah 5 · Memperbaiki rancangan akhir" in other.text and "Rapat evaluasi 1 Desember" in other.text
    other.send({"catatan": "Sesuai pedoman"}, action="/verifikasi")
    assert "Menunggu pengesahan" in other.text and not offers(other, "/pengesahan")

    head = desk.reader("camat").get(address)
    assert "Sesuai pedoman" in head.text
    scan = {"berkas.pengesahan": (io.BytesIO(pdf("disahkan")), "pengesahan.pdf")}
    signed = {"nomor": "000.8.3.3/7/2026", "tanggal": "2026-12-07", "berlaku": "2026-12-10", **scan}
    head.send(signed, action="/pengesahan")
    assert "SOP disahkan" in head.text and "10 Desember 2026" in head.text

    first, second = versions(desk)
    assert desk.instance(desk.begin(2031)).definition == first.sha256
    desk.later(days=3)
    assert desk.instance(desk.begin(2032)).definition == second.sha256

    page = desk.reader("pengelola2").get(SOP)
    for said in ("Pengelola SOP 1", "Analis Tata Laksana", "Camat Lasem", "000.8.3.3/7/2026", "Berlaku: versi 2"):
        assert said in page.text, said
    page.get(f"{SOP}/versi/2/pengesahan")
    assert page.response.data == pdf("disahkan") and page.response.mimetype == documents.PDF
    listed = desk.reader("tim1").get("/perancang/daftar-sop")
    assert "000.8.3.3/7/2026" in listed.text and "mulai 10 Desember 2026" in listed.text


def test_the_public_page_says_what_holds_and_which_position_ratified_it(site: Desk) -> None:
    address = verified(site, RENAMED)
    head = site.reader("camat").get(address)
    head.send({"nomor": "7/2026", "tanggal": "2026-12-07", "berlaku": "2026-12-10"}, action="/pengesahan")
    first, second = versions(site)
    anybody = site.reader().get(f"/verifikasi/sop/{second.sha256}")
    assert "belum berlaku" in anybody.text and "Camat Lasem, Senin, 7 Desember 2026" in anybody.text
    assert "7/2026" in anybody.text
    anybody.get(f"/verifikasi/sop/{first.sha256}")
    assert "sesuai dengan SOP yang berlaku" in anybody.text and "digantikan versi 2" in anybody.text
    site.later(days=3)
    assert "sudah digantikan" in anybody.get(f"/verifikasi/sop/{first.sha256}").text
    assert "sesuai dengan SOP yang berlaku" in anybody.get(f"/verifikasi/sop/{second.sha256}").text


# Ways that end otherwise


def test_a_proposal_says_what_periksa_says_of_its_draft(site: Desk) -> None:
    address = proposed(site, ('<camunda:property name="sop.nomor" value="6" />', ""))
    page = site.reader("analis").get(address)
    (check,) = [link for link in page.page.xpath("//a/@href") if link.endswith("/periksa#temuan")]
    told = site.reader("pengelola1").get(check.split("#")[0]).text
    said = re.search(r"(\d+) hal patut diperhatikan", page.text)
    tried = re.search(r"(\d+) contoh jalan dari versi yang berlaku dicoba lagi", told)
    assert said and tried and int(said[1]) == 1 + int(tried[1])  # no number, and every story
    for one in ("belum bernomor", "diagram ini tidak mempunyai langkah '6'"):
        assert one in page.text and one in told
    assert "tidak ada yang perlu diperhatikan" not in page.text


def test_a_proposal_that_is_sent_back_is_open_again_with_what_is_to_be_mended(site: Desk) -> None:
    address = proposed(site, RENAMED)
    other = site.reader("analis").get(address)
    other.send({"alasan": ""}, action="/pengembalian")
    assert other.status == 422 and other.errors()
    other.send({"alasan": "Sebutkan keluarannya"}, action="/pengembalian")
    assert "dikembalikan" in other.text
    owner = site.reader("pengelola1").get("/perancang")
    assert "Sebutkan keluarannya" in owner.text
    owner.get(owner.page.xpath("//a[contains(@href, '/periksa')]/@href")[0])
    assert "Dikembalikan untuk diperbaiki oleh Analis Tata Laksana" in owner.text and offers(owner, "/usulan")


def test_who_proposed_may_take_it_back_and_change_it_again(site: Desk) -> None:
    address = proposed(site, RENAMED)
    assert not offers(site.reader("pengelola2").get(address), "/penarikan")
    owner = site.reader("pengelola1").get(address)
    owner.send(action="/penarikan")
    assert "ditarik kembali" in owner.text and "Ditarik kembali" in owner.text
    assert not offers(site.reader("analis").get(address), "/verifikasi")


def test_what_is_only_drawn_otherwise_takes_a_second_owner_and_no_pengesahan(site: Desk) -> None:
    address = proposed(site, NUDGED)
    assert "Menunggu persetujuan pemilik SOP lain" in site.reader("pengelola1").get(address).text
    assert not offers(site.reader("pengelola1").get(address), "/persetujuan")
    assert not offers(site.reader("analis").get(address), "/verifikasi")
    second = site.reader("pengelola2").get(address)
    second.send(action="/persetujuan")
    assert "disetujui" in second.text
    assert [one.cosmetic for one in versions(site)] == [False, True]
    assert "hanya gambar" in second.get(SOP).text


def test_an_error_blocks_ajukan_and_says_where_it_is(site: Desk) -> None:
    owner = site.reader("pengelola1").get(f"/perancang/rancangan/{begun(site, BROKEN)}/periksa")
    assert "Belum dapat diajukan: masih ada" in owner.text and not offers(owner, "/usulan")
    assert owner.page.xpath("//a[contains(@href, '/kanvas') and contains(@href, 'pilih=')]")


def test_a_draft_that_changes_nothing_is_not_put_forward(site: Desk) -> None:
    owner = site.reader("pengelola1").get(f"/perancang/rancangan/{begun(site)}/periksa")
    assert "sama dengan versi 1" in owner.text and not offers(owner, "/usulan")


def test_what_was_typed_is_kept_when_a_proposal_is_refused(site: Desk) -> None:
    owner = site.reader("pengelola1").get(f"/perancang/rancangan/{begun(site, RENAMED)}/periksa")
    owner.send({"alasan": "Rapat evaluasi", "berlaku": "2020-01-01"}, action="/usulan")
    assert owner.status == 422 and owner.errors()
    assert owner.values("/usulan")["alasan"] == "Rapat evaluasi" and owner.values("/usulan")["berlaku"] == "2020-01-01"
    owner.send({"berlaku": "besok"}, action="/usulan")
    assert owner.status == 422 and "Isikan tanggalnya" in owner.text


# Periksa


def test_periksa_tells_changes_powers_stories_walks_the_forecast_and_the_running(site: Desk) -> None:
    attaching = ('id="sop.pelampir" value="tim_penyusun"', 'id="sop.pelampir" value="tim_penyusun inspektorat"')
    id = begun(site, attaching, (">P5D<", ">P9D<"))
    page = site.reader("pengelola1").get(f"/perancang/rancangan/{id}/periksa")
    assert "Lane “Inspektorat Daerah” kini boleh melampirkan" in page.text.replace('"Ins', "“Ins").replace('h"', "h”")
    assert "Siapa yang menjalankan setiap lane tetap ditetapkan oleh administrator" in page.text
    assert "contoh jalan dari versi yang berlaku" in page.text
    assert "kali dijalankan dengan isian acak" in page.text
    assert "lebih lama" in page.text
    assert "9 berkas proses" in page.text and "Dapat dipindahkan begitu saja" in page.text


# Withdraw, go back, evaluate


def test_a_withdrawn_sop_starts_nothing_more_and_what_runs_goes_on(site: Desk) -> None:
    running = site.waiting_at(6)
    assert not offers(site.reader("pengelola1").get(SOP), "/pencabutan")
    head = site.reader("camat").get(SOP)
    head.send({"alasan_cabut": ""}, action="/pencabutan")
    assert head.status == 422 and head.errors()
    head.send({"alasan_cabut": "Diganti aplikasi kabupaten"}, action="/pencabutan")
    assert "SOP ini dicabut" in head.text and "Diganti aplikasi kabupaten" in head.text
    secretary = site.reader("sekcam").get("/proses")
    assert not secretary.page.xpath("//a[contains(@href, '/proses/mulai/')]")
    site.complete(running, 6)
    listed = site.reader("tim1").get("/perancang/daftar-sop?keadaan=dicabut")
    assert "Dicabut" in listed.text and "sejak 7 Desember 2026" in listed.text
    version = versions(site)[0]
    assert "sudah dicabut" in site.reader().get(f"/verifikasi/sop/{version.sha256}").text


def test_an_old_version_is_put_forward_again_and_goes_the_same_way(site: Desk) -> None:
    ratified(site, RENAMED)
    owner = site.reader("pengelola1").get(SOP)
    form = next(one for one in owner.page.xpath("//form[contains(@action, '/ulang')]"))
    sent = {**dict(form.form_values()), "alasan": "Perubahan itu keliru", "berlaku": "2026-12-07"}
    owner.post(form.get("action"), sent)
    assert "/usulan/" in owner.path and "Versi 1 diajukan" in owner.text
    address = owner.path
    site.reader("analis").get(address).send(action="/verifikasi")
    head = site.reader("camat").get(address)
    head.send({"nomor": "8/2026", "tanggal": "2026-12-07", "berlaku": "2026-12-07"}, action="/pengesahan")
    first, _second, third = versions(site)
    assert third.sha256 == first.sha256 and "Berlaku: versi 3" in owner.get(SOP).text


def test_a_yearly_evaluation_moves_the_next_one_on(site: Desk) -> None:
    listed = site.reader("tim1").get("/perancang/daftar-sop?keadaan=evaluasi")
    assert "Tidak ada SOP yang cocok" in listed.text
    site.later(days=400)
    assert "Perlu dievaluasi" in site.reader("tim1").get("/perancang/daftar-sop?keadaan=evaluasi").text
    owner = site.reader("pengelola1").get(SOP)
    today = owner.values("/evaluasi")["tanggal_evaluasi"]
    owner.send({"hasil": "tetap", "catatan": "Masih sesuai"}, action="/evaluasi")
    assert "Evaluasi tahunan dicatat" in owner.text
    with site.database.read() as db:
        [one] = definitions.evaluations(db, LKJPD)
    assert one.dated == today
    assert "Tidak ada SOP yang cocok" in site.reader("tim1").get("/perancang/daftar-sop?keadaan=evaluasi").text


# Compare, print


def test_two_versions_are_compared_in_words_and_with_marks_for_the_canvas(site: Desk) -> None:
    ratified(site, RENAMED, NUDGED)
    page = site.reader("analis").get(f"{SOP}/banding?dari=v1&ke=v2")
    assert "Langkah 5 · Memperbaiki rancangan akhir" in page.text and "Hanya gambar" in page.text
    id = begun(site, ("Memperbaiki rancangan akhir", "Memperbaiki naskah"))
    page.get(f"{SOP}/banding?dari=v2&ke={id}")
    assert "Memperbaiki naskah" in page.text and "1 perubahan" in page.text
    assert page.get(f"{SOP}/banding?dari=v9&ke=v1").status == 404
    assert page.get(f"{SOP}/banding?dari=v1&ke=tidak-ada").status == 404


def test_the_stored_bytes_of_a_version_come_back_as_they_were(site: Desk) -> None:
    with site.database.read() as db:
        data = definitions.export(db, LKJPD)
    assert site.reader("camat").get(f"{SOP}/diagram/v1.bpmn").response.data == data


def text_of(reader: Reader) -> str:
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(reader.response.data)).pages)


def test_what_is_not_ratified_is_printed_as_a_draft_and_what_is_with_its_number(site: Desk) -> None:
    address = proposed(site, RENAMED)
    id = address.rsplit("/", 1)[-1]
    reader = site.reader("camat").get(f"{SOP}/dokumen/u-{id}.pdf")
    assert "DRAF" in text_of(reader)
    site.reader("analis").get(address).send(action="/verifikasi")
    head = site.reader("camat").get(address)
    head.send({"nomor": "000.8.3.3/99/2026", "tanggal": "2026-12-07", "berlaku": "2026-12-07"}, action="/pengesahan")
    said = text_of(reader.get(f"{SOP}/dokumen/v2.pdf"))
    assert "000.8.3.3/99/2026" in said and "DRAF" not in said and "Versi 2" in said
    assert "000.8.3.3/99/2026" not in text_of(reader.get(f"{SOP}/dokumen/v1.pdf"))


def test_while_one_document_is_made_who_asks_for_another_is_asked_to_come_again(
    site: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "PATIENCE_SECONDS", 0.01)
    kept._kept.clear()
    reader = site.reader("camat")
    with kept._computing:
        reader.get(f"{SOP}/dokumen/v1.docx")
        assert reader.status == 503 and int(reader.response.headers["Retry-After"]) > 0
    made = reader.get(f"{SOP}/dokumen/v1.docx").response.data
    with kept._computing:  # kept: nothing is computed
        assert reader.get(f"{SOP}/dokumen/v1.docx").response.data == made


# Who may see


@pytest.mark.parametrize("login", ["tim1", "sekcam", "auditor"])
def test_for_who_designs_nothing_there_is_no_perancang_but_the_register(site: Desk, login: str) -> None:
    reader = site.reader(login)
    for address in ("/perancang", SOP, f"{SOP}/banding", f"{SOP}/diagram/v1.bpmn", f"{SOP}/versi/1"):
        assert reader.get(address).status == 404, address
    assert reader.get("/perancang/daftar-sop").status == 200
    assert "Daftar SOP" in reader.get("/proses").text


def test_who_designs_has_the_place_and_only_owners_begin_a_draft(site: Desk) -> None:
    for login, owns in (("pengelola1", True), ("analis", False), ("camat", False)):
        reader = site.reader(login).get("/perancang")
        assert reader.page.xpath("//nav[@class='places']/a[@aria-current]/text()") == ["Perancang"]
        assert offers(reader.get(SOP), "/rancangan") is owns


def test_a_draft_without_a_process_is_told_what_it_lacks(site: Desk) -> None:
    empty = b'<?xml version="1.0"?><bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"/>'
    with site.database.begin() as db:
        draft = drafting.begin(db, empty, unit=LASEM, person="pengelola1", at=site.clock.at, name="Surat masuk")
    owner = site.reader("pengelola1").get("/perancang")
    assert "Surat masuk" in owner.text
    owner.get(f"/perancang/rancangan/{draft.id}/periksa")
    assert "Belum dapat diajukan: masih ada" in owner.text and not offers(owner, "/usulan")


def test_who_may_decide_on_a_proposal_reads_so_in_their_inbox_and_nobody_else(site: Desk) -> None:
    address = proposed(site, RENAMED)

    def told(login: str) -> bool:
        page = site.reader(login).get("/")
        return "menunggu Anda." in page.text and bool(page.page.xpath(f"//main//a[@href='{address}']"))

    assert [one for one in ("analis", "camat", "pengelola1", "pengelola2", "sekcam") if told(one)] == ["analis"]
    site.reader("analis").get(address).send({}, action="/verifikasi")
    assert [one for one in ("analis", "camat", "pengelola1", "pengelola2", "sekcam") if told(one)] == ["camat"]


def test_a_finished_instance_is_kept_as_an_example_tried_on_every_draft_and_taken_away_again(site: Desk) -> None:
    id = site.waiting_at(9)
    site.complete(id, 9)
    owner = site.reader("pengelola1").get(SOP)
    owner.send({"contoh": id, "nama_contoh": "  "}, action="/contoh")
    assert owner.status == 422 and "Beri cerita itu nama" in owner.text
    owner.send({"contoh": id, "nama_contoh": "LKjPD tanpa pengembalian"}, action="/contoh")
    assert "LKjPD tanpa pengembalian" in owner.text and "Setiap rancangan SOP ini dicoba juga" in owner.text
    checked = owner.get(f"/perancang/rancangan/{begun(site, RENAMED)}/periksa")
    assert "17 contoh" in checked.text
    assert "Contoh jalan" not in site.reader("analis").get(SOP).text
    owner.get(SOP).press("hapus", "LKjPD tanpa pengembalian")
    assert "Contoh LKjPD tanpa pengembalian dihapus." in owner.text


def test_who_keeps_no_sop_keeps_no_example(site: Desk) -> None:
    id = site.waiting_at(9)
    site.complete(id, 9)
    owner = site.reader("pengelola1").get(SOP)
    hidden = owner.values("/contoh")
    other = site.reader("analis")
    other.get("/perancang")
    assert other.client.post(f"{SOP}/contoh", data={**hidden, "contoh": id, "nama_contoh": "x"}).status_code == 400
    with site.database.begin() as db:
        revoked = Change(id="cabut", at=site.clock.at, actor=Actor(person="admin", administrator=True),
                         act=RevokePower(person="pengelola1", power="pemilik", unit=LASEM))
        organise.change(db, site.database.key, revoked)
    owner.post(f"{SOP}/contoh", {**hidden, "contoh": id, "nama_contoh": "x"})
    assert owner.status == 401  # who loses a power signs in again
    owner.sign_in("pengelola1").post(f"{SOP}/contoh", {**hidden, "contoh": id, "nama_contoh": "x"})
    assert owner.status in (400, 404)
    with site.database.read() as db:
        assert stories.listed(db, LKJPD) == ()


def test_the_signed_sheet_may_come_after_the_pengesahan_and_another_replaces_it(desk: Desk) -> None:
    ratified(desk, RENAMED)
    owner = desk.reader("pengelola2").get(SOP)
    assert "Lembar pengesahan belum dilampirkan" in owner.text
    owner.send({}, action="/versi/2/pengesahan")
    assert owner.status == 422 and "Pilih berkas lembar pengesahan" in owner.text
    owner.send({"berkas.pengesahan": (io.BytesIO(b"MZ"), "lembar.exe")}, action="/versi/2/pengesahan")
    assert owner.status == 422
    for sheet in (pdf("lembar"), pdf("lembar kedua")):
        owner.get(SOP).send({"berkas.pengesahan": (io.BytesIO(sheet), "lembar.pdf")}, action="/versi/2/pengesahan")
        assert "Lembar pengesahan versi 2 tersimpan." in owner.text
        assert owner.get(f"{SOP}/versi/2/pengesahan").response.data == sheet
    assert not offers(desk.reader("analis").get(SOP), "/versi/2/pengesahan")
    with desk.database.read() as db:
        told = ratification.told(db, LKJPD, desk.database.key)
        assert told.versions[-1].scan == definitions.versions(db, LKJPD)[-1].scan
        assert len(told.versions) == 2


def test_a_version_that_nobody_ratified_takes_no_sheet(site: Desk) -> None:
    with site.database.begin() as db, pytest.raises(Refused) as refused:
        scan = Attachment(files=(File(sha256="a" * 64, size_bytes=3, media_type="application/pdf", name="a.pdf"),))
        ratification.attach_sheet(db, site.database.key, LKJPD, 1, person="pengelola1", scan=scan, at=site.clock.at,
                                  command_id="lembar-1")
    assert refused.value.code == "not_yours" and "tidak disahkan di aplikasi ini" in refused.value.message


def test_what_runs_can_be_moved_only_where_there_is_another_version(site: Desk) -> None:
    assert "/pindahkan" not in "".join(site.reader("pengelola1").get(SOP).page.xpath("//main//a/@href"))
    ratified(site, RENAMED)
    assert f"{SOP}/pindahkan?ke=2" in site.reader("pengelola1").get(SOP).page.xpath("//main//a/@href")
