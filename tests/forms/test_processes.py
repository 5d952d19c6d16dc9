"""The list of process instances and the page of one: who sees it, what it says, what may be done to it as a whole."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from engine import checkpoints, forecast, migrate, outlook, ratification, reminders
from engine.commands import Actor, RaiseIncident
from engine.deploy import SYSTEM, deploy
from engine.handle import Request, handle
from engine.instance import Incident
from engine.store import definitions, queries
from forms.processes import Names, Sight, diagram_state, where_stopped
from tests.desk import ANSWERS, DIAGRAMS, LKJPD, Desk, files

pytestmark = pytest.mark.database
# What a page says no database changes: asked of one of them only, so that the suite stays short.
on_sqlite = pytest.mark.parametrize("desk_url", ["sqlite"], indirect=True)


def test_the_list_says_where_each_instance_stands_and_who_has_it(desk: Desk) -> None:
    page = desk.reader("camat").get("/proses")
    assert page.text.count("▸Berjalan") == 9
    assert "7 · Memeriksa dan menandatanganiKepala PD" in page.text
    assert "Tidak ada berkas proses yang cocok" in page.get("/proses?keadaan=cancelled").text
    assert desk.reader("penerima").get("/proses").status == 200


@on_sqlite
def test_the_table_of_steps_says_what_the_diagram_shows(desk: Desk) -> None:
    id = desk.waiting_at(5)
    page = desk.reader("camat").get(f"/proses/{id}")
    rows = [
        " ".join(row.text_content().split()) for row in page.page.xpath("//table[contains(@class,'steps')]/tbody/tr")
    ]
    assert len(rows) == 9 and all("✓Selesai" in row for row in rows[:4])
    assert "○Menunggu diambil" in rows[4] and "·Belum tiba" in rows[5]


def test_the_diagram_is_handed_out_as_it_was_uploaded(desk: Desk) -> None:
    answer = desk.reader("tim1").get(f"/proses/{desk.waiting_at(2)}/diagram.bpmn").response
    assert answer.data == (DIAGRAMS / LKJPD / f"{LKJPD}.bpmn").read_bytes()
    assert answer.mimetype == "application/xml" and "attachment" in answer.headers["Content-Disposition"]


def test_every_version_of_a_document_stays_to_be_read(desk: Desk) -> None:
    id = desk.waiting_at(6)
    page = desk.reader("camat").get(f"/proses/{id}")
    links = page.page.xpath("//a[contains(@href,'/rancangan_akhir/')]/@href")
    assert links == [f"/dokumen/{id}/rancangan_akhir/{n}/0" for n in (2, 1)]


@on_sqlite
def test_the_corrections_print_as_a_sheet_and_are_answered_only_in_their_own_round(desk: Desk) -> None:
    id = desk.waiting_at(7)
    correction = {"isian.keputusan": "kembalikan", "isian.koreksi.0.koreksi": "Angka Bab III keliru."}
    desk.complete(id, 7, **correction)
    sheet = desk.reader("tim1").get(f"/proses/{id}/tertulis/lembar_koreksi")
    assert "Angka Bab III keliru." in sheet.text and "Tindak lanjut Tim" not in sheet.text
    desk.complete(id, 5)
    sheet = desk.reader("tim1").get(f"/proses/{id}/tertulis/lembar_koreksi")
    assert "Tindak lanjut Tim" in sheet.text and "Sudah diperbaiki" in sheet.text


@on_sqlite
def test_the_control_sheet_has_a_line_a_step_and_room_for_a_paraf(desk: Desk) -> None:
    sheet = desk.reader("sekcam").get(f"/proses/{desk.waiting_at(3)}/lembar-kendali")
    assert (
        len(sheet.page.xpath("//article//tbody/tr")) == 9 and len(sheet.page.xpath("//tbody//td[@class='paraf']")) == 9
    )
    assert "000.8.3.3/03.1 /1/2025" in sheet.text


@on_sqlite
def test_what_is_printed_says_on_which_signed_checkpoint_it_rests(desk: Desk, tmp_path: Path) -> None:
    sheet = f"/proses/{desk.waiting_at(3)}/lembar-kendali"
    assert "Titik periksa" not in desk.reader("sekcam").get(sheet).text
    place = checkpoints.Place(tmp_path / "keys" / "checkpoint.key", "https://alur.example.go.id")
    kept = checkpoints.sign(desk.database, place)
    printed = desk.reader("sekcam").get(sheet).text
    assert f"Titik periksa: ukuran {kept.size}, akar" in printed and kept.note.splitlines()[2] in printed


def test_the_head_suspends_resumes_and_cancels_with_a_reason(desk: Desk) -> None:
    id = desk.waiting_at(3)
    page = desk.reader("camat").get(f"/proses/{id}").send({"alasan": "Menunggu audit"}, action="/suspension")
    assert "Berkas proses ditangguhkan." in page.text and desk.instance(id).status == "suspended"
    refused = desk.reader("tim1").get(f"/tugas/{id}/{next(iter(desk.instance(id).user_tasks))}")
    assert "sedang ditangguhkan" in refused.text and "Selesaikan" not in refused.text
    page.send(action="/resumption")
    page.send({"alasan": ""}, action="/cancellation")
    assert "Tuliskan alasannya." in page.text and desk.instance(id).status == "running"
    page.send({"alasan": "Diganti SOP baru"}, action="/cancellation")
    assert desk.instance(id).status == "cancelled"
    assert "Camat Lasem membatalkan berkas proses. Alasan: Diganti SOP baru." in page.text


@on_sqlite
def test_nobody_but_the_head_or_an_administrator_is_offered_that(desk: Desk) -> None:
    id = desk.waiting_at(3)
    page = desk.reader("tim1").get(f"/proses/{id}")
    assert "/suspension" not in page.response.text
    token = page.values("/comments")
    page.post(f"/proses/{id}/suspension", {**token, "alasan": "iseng"})
    assert "hanya dapat dilakukan Kepala PD atau administrator" in page.text
    assert desk.instance(id).status == "running"
    assert "/suspension" in desk.reader("admin").get(f"/proses/{id}").response.text


def test_an_owed_document_is_settled_when_it_comes_and_its_promise_is_gone(desk: Desk) -> None:
    id = desk.waiting_at(7)
    answers = {k: v for k, v in ANSWERS[7](None).items() if not k.startswith("berkas.")}
    owed = {"menyusul.dokumen_lkjpd.alasan": "Menunggu pindai", "menyusul.dokumen_lkjpd.tanggal": "2026-12-09"}
    desk.open(id, 7).send({**answers, **owed}, action="/completion")
    assert "dokumen_lkjpd" in desk.instance(id).owed
    desk.open(id, 8).send(files("dokumen_lkjpd"), action="/documents/dokumen_lkjpd")
    assert not desk.instance(id).owed
    history = desk.reader("camat").get(f"/proses/{id}").text
    assert "yang menyusul sudah terpenuhi." in history
    assert "menyatakan Dokumen LKjPD (telah ditandatangani) menyusul, dijanjikan 9 Desember 2026" in history


@on_sqlite
def test_the_disposition_sheet_is_written_from_the_start_form(desk: Desk) -> None:
    sheet = desk.reader("camat").get(f"/proses/{desk.waiting_at(1)}/tertulis/lembar_disposisi")
    assert sheet.status == 200 and "000.8.6.3/1201" in sheet.text and "Isi disposisi:" in sheet.text
    assert desk.reader("inspektorat").get(f"/proses/{desk.waiting_at(4)}/tertulis/lembar_disposisi").status == 404


def test_an_instance_with_a_long_history_still_shows_every_step(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forms.processes.HISTORY_MOST", 4)
    id = desk.waiting_at(8)
    page = desk.reader("camat").get(f"/proses/{id}")
    assert len(page.page.xpath("//table[contains(@class,'steps')]/tbody/tr")) == 9
    [steps] = page.page.xpath("//table[contains(@class,'steps')]")
    assert "".join(steps.text_content().split()).count("✓Selesai") == 7 and "Riwayat yang lebih lama" in page.text
    assert desk.open(id, 8).status == 200


def test_an_incident_is_said_to_all_and_dealt_with_by_an_administrator(desk: Desk) -> None:
    id = desk.waiting_at(3)
    raised = Request(
        id="gangguan-1", act=RaiseIncident(kind="watchdog", detail="terlalu lama"), person="admin", at=desk.clock()
    )
    with desk.database.begin() as db:
        handle(db, desk.app.extensions["alur"].rules, desk.database.key, id, [raised])
    assert "Ada gangguan sejak hari ini" in desk.reader("tim1").get(f"/proses/{id}").text
    page = desk.reader("admin").get(f"/proses/{id}").send({"alasan": "Dimulai ulang"}, action="/resolution")
    assert "Gangguan dicatat sudah ditangani." in page.text and not desk.instance(id).incidents


@on_sqlite
def test_an_instance_that_migrated_is_told_in_the_words_of_each_version(desk: Desk) -> None:
    id = desk.waiting_at(6)
    text = (DIAGRAMS / LKJPD / f"{LKJPD}.bpmn").read_text()
    # Step 6 has another id and name; step 4 is another one that nobody recognises.
    text = text.replace("Memeriksa dan memaraf", "Meneliti naskah").replace("Melakukan reviu", "Menilai rancangan")
    text = text.replace("P10D", "P11D").replace("ringkasan_reviu", "ringkasan_penilaian")
    for before, now in (("langkah_6", "teliti"), ("langkah_4", "nilai")):
        text = re.sub(rf'(?<=[">]){before}(?=["<])', now, text)
    with desk.database.begin() as db:
        version = deploy(db, desk.database.key, text.encode(), actor=SYSTEM, reason="Versi 2", at=desk.clock())
    known = definitions.rules(desk.database)
    to, number = version.version.sha256, next(iter(desk.instance(id).user_tasks))
    migrate.apply(desk.database, known, [id], to, {"langkah_6": "teliti"}, person="admin",
                  reason="SOP baru", at=desk.clock())
    assert "langkah_4" in desk.instance(id).passed and desk.instance(id).user_tasks[number].element == "teliti"
    page = desk.reader("camat").get(f"/proses/{id}")
    assert page.status == 200 and "Melakukan reviu" in page.text and "Meneliti naskah" in page.text
    assert "memindahkan berkas proses ini dari versi 1 ke versi 2. Alasan: SOP baru." in page.text
    assert "langkah_4" not in page.text
    pages = (("sekcam", "/"), ("sekcam", f"/tugas/{id}/{number}"), ("camat", "/proses"), ("camat", "/pemantauan"))
    for who, address in pages:
        assert desk.reader(who).get(address).status == 200, address
    assert reminders.of_instance(known, desk.instance(id))
    with desk.database.read() as db:
        assert forecast.of_instance(known, desk.instance(id), desk.clock()).finish
        assert outlook.of_instance(db, known, desk.instance(id), desk.clock()).forecast


@on_sqlite
def test_a_withdrawn_sop_is_offered_to_nobody_and_its_instances_stay(desk: Desk) -> None:
    sekcam = desk.reader("sekcam")
    assert f"/proses/mulai/{LKJPD}" in sekcam.get("/proses").page.xpath("//a/@href")
    with desk.database.begin() as db:
        ratification.withdraw(db, desk.database.key, LKJPD, person="camat", reason="Digabung", at=desk.clock(),
                              command_id="cabut")
    assert f"/proses/mulai/{LKJPD}" not in sekcam.get("/proses").page.xpath("//a/@href")
    assert sekcam.get(f"/proses/mulai/{LKJPD}").status == 409
    assert "SOP ini sudah dicabut" in sekcam.text
    desk.complete(desk.waiting_at(1), 1)


@on_sqlite
def test_an_incident_is_marked_where_it_stopped_the_process(desk: Desk) -> None:
    instance = desk.instance(desk.waiting_at(7))
    definition = desk.app.extensions["alur"].rules.definition(instance.definition)
    timer = next(one for one in definition.elements.values() if one.attached_to == "langkah_7")
    with desk.app.test_request_context(), desk.database.read() as db:
        def sight(element: str | None) -> Sight:
            stopped = Incident(number=1, kind="limit", element=element, detail="", at=desk.clock())
            return Sight(db=db, instance=replace(instance, incidents={1: stopped}), definition=definition,
                         heading=queries.heading(db, instance.id), actor=Actor(person="camat"), lanes=frozenset(),
                         whole=True, reads=True, names=Names(db), now=desk.clock())

        marked = diagram_state(sight(timer.id), [])
        assert marked == [{"id": timer.id, "status": "stopped", "label": "Gangguan"}]
        said = "langkah 7, Memeriksa dan menandatangani"
        assert [where_stopped(sight(id), *sight(id).instance.incidents.values())
                for id in (timer.id, "langkah_7", None, "tidak_ada")] == [said, said, "", ""]
        assert diagram_state(sight(None), []) == []
