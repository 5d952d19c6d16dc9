"""Kesehatan and Insiden: what administrators are shown of what went wrong, and what they can do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from engine import invariants
from engine.commands import RaiseIncident
from engine.handle import Request, handle
from engine.store import definitions, integrity, ledger, schema
from engine.worker import Worker
from forms import health
from tests.desk import LASEM, LKJPD, Desk


def broken(desk: Desk, number: int, **columns: Any) -> str:
    """The LKjPD at a step, with its stored row spoilt."""
    id = desk.waiting_at(number)
    with desk.database.begin() as db:
        db.execute(update(schema.instance).where(schema.instance.c.id == id).values(**(columns or {"state": b"{"})))
    return id


def stop(desk: Desk, number: int, kind: str = "watchdog") -> str:
    id = desk.waiting_at(number)
    with desk.database.begin() as db:
        request = Request(id=f"gangguan-{number}", act=RaiseIncident(kind=kind, detail="Timer 3: lama <b>sekali</b>"),
                          person="admin", at=desk.clock())
        handle(db, desk.app.extensions["alur"].rules, desk.database.key, id, [request])
    return id


def caught_up(desk: Desk) -> Desk:
    """The office after its worker has fired what is due."""
    worker = Worker(desk.database, desk.app.extensions["alur"].rules)
    while worker.fire_due(desk.clock()):
        pass
    return desk


def look(desk: Desk) -> invariants.Looked:
    settings = caught_up(desk).app.extensions["alur"]
    return invariants.look(desk.database, settings.rules, settings.settings.documents_dir, desk.clock(), whole=True)


@pytest.mark.parametrize("address", ["/pengaturan/kesehatan", "/pengaturan/insiden"])
@pytest.mark.parametrize("login", ["camat", "tim1", "auditor", "pengelola1", None])
def test_for_who_is_no_administrator_these_pages_are_not_there(site: Desk, address: str, login: str | None) -> None:
    reader = site.reader(login) if login else site.reader()
    assert reader.get(address, follow=False).status in ((404,) if login else (302, 303, 401, 404))


def test_a_log_that_was_never_signed_is_no_good_health_after_a_day(site: Desk) -> None:
    reader = site.reader("admin")
    with site.database.read() as db:
        since = ledger.unsigned_since(db)
        assert since is not None
        assert [ledger.never_signed(db, since + timedelta(hours=hours)) for hours in (23, 25)] == [False, True]
    site.clock.at = max(site.clock.at, since + timedelta(days=2))
    page = reader.get("/pengaturan/kesehatan").text
    assert "belum pernah ada sejak lebih dari sehari: jalankan pekerja latar" in page


def test_health_says_what_was_looked_at_and_is_well(site: Desk) -> None:
    reader = caught_up(site).reader("admin").get("/pengaturan/kesehatan")
    assert "Belum ada yang diperiksa" in reader.text
    reader.send(action="/kesehatan/periksa")
    page = reader.get("/pengaturan/kesehatan")
    assert "Semua yang sudah diperiksa baik." in page.text and "Tindakan:" not in page.text
    rows = page.page.xpath("//table[2]//tbody/tr | //section[@aria-labelledby='periksa']//tbody/tr")
    assert len(rows) == len(invariants.INVARIANTS)
    assert "SQLite, revisi" in page.text and "Ruang kosong" in page.text


def test_what_cannot_be_read_is_named_with_its_remedy_and_made_again_from_the_journal(desk: Desk) -> None:
    id = broken(desk, 5)
    assert [one.invariant for one in look(desk).found if one.subject] == ["readable"]
    before = dict(desk.instance(desk.waiting_at(4)).user_tasks)
    reader = desk.reader("admin")
    assert "Pemeriksaan menemukan 1 hal." in reader.get("/pengaturan").text
    page = reader.get("/pengaturan/kesehatan")
    assert "Buat ulang dari jurnal" in page.text and "Tahun 2025" in page.text
    assert "Berkas yang tidak dapat dibaca" in reader.get("/pengaturan/insiden").text
    reader.get("/pengaturan/kesehatan").send({"alasan": "Baris rusak sesudah listrik padam"}, action="/perbaikan")
    assert reader.messages() == ["Berkas proses dibuat ulang dari jurnalnya. Tindakan ini tercatat dalam riwayatnya."]
    assert next(iter(desk.instance(id).user_tasks.values())).element == "langkah_5"
    assert look(desk).found == () and desk.instance(desk.waiting_at(4)).user_tasks == before
    assert "menangani gangguan" in reader.get(f"/proses/{id}").text


@pytest.mark.parametrize("columns, in_lists", [
    ({"state": b"{"}, True), ({"state": b" " * 17_000_000}, True), ({"definition": "0" * 64}, True),
    ({"marking": b'{"v":9,"next":1,"tokens":[]}'}, False)])
def test_a_broken_instance_is_said_and_the_others_are_listed(
        site: Desk, columns: dict[str, Any], in_lists: bool) -> None:
    id = broken(site, 3, **columns)
    sentence, other = "tidak dapat dibaca dan sedang ditangani administrator", "Tahun 2025"
    people = {login: site.reader(login) for login in ("tim1", "camat", "auditor", "admin", "analis")}
    for login, address in [("tim1", "/"), ("camat", "/proses"), ("camat", "/pemantauan"), ("admin", "/proses")]:
        page = people[login].get(address)
        assert page.status == 200 and other in page.text, (login, address)
        assert sentence in page.text or (not in_lists and address != "/pemantauan"), (login, address)
    assert other in people["auditor"].get("/audit").text
    for login, status in [("camat", 503), ("admin", 503), ("analis", 404)]:
        found = people[login].get(f"/proses/{id}")
        assert found.status == status, login
        assert status == 404 or "Administrator menanganinya" in found.text


def test_an_incident_is_listed_with_its_cause_and_no_document(desk: Desk) -> None:
    id = stop(desk, 7)
    reader = desk.reader("admin")
    assert "1 insiden menunggu Anda." in reader.get("/pengaturan").text
    page = reader.get("/pengaturan/insiden")
    assert "Perhitungan tidak selesai dalam waktunya" in page.text and "Tahun 2027" in page.text
    assert "lama <b>sekali</b>" in page.text and not page.page.xpath("//main//b")     # told as text, never as markup
    assert not page.page.xpath("//a[contains(@href, '/dokumen/')]")
    [command] = page.page.xpath("//code/text()")
    assert command == f'alur correct {id} --as admin --reason "ALASAN" --data ISIAN=NILAI'
    reader.send({"alasan": "Diagram diperbaiki"}, action="/penyelesaian")
    assert reader.messages() == ["Insiden ditandai selesai, dengan alasannya."]
    assert not desk.instance(id).incidents and "Tidak ada insiden yang terbuka." in reader.text
    with desk.database.read() as db:
        assert db.execute(select(schema.incident)).all() == []


@pytest.mark.parametrize("kind, element, more, words", [
    ("condition", "langkah_7", {"user_task": 9}, "--data keputusan=NILAI"),
    ("timer", "waktu_3", {"timer": 12}, "--close 12"),
    ("stuck", "langkah_5", {}, "--open langkah_5"),
    ("alarm", None, {}, "--open LANGKAH")])
def test_the_command_that_corrects_names_the_instance_and_the_place(
        site: Desk, kind: str, element: str | None, more: dict[str, Any], words: str) -> None:
    with site.database.read() as db:
        sha256 = definitions.newest_hashes(db)[LKJPD]
    drawn = site.app.extensions["alur"].rules.definition(sha256)
    one = integrity.OpenIncident(
        instance="i1", number=1, kind=kind, element=element, detail="", raised_at=site.clock(), title="", key=LKJPD,
        definition=sha256, unit=LASEM, unit_name="", zone="Asia/Jakarta", status="running", **more)
    place = drawn.elements.get(element or "")
    host = drawn.elements[place.attached_to] if place and place.attached_to else place
    with site.app.test_request_context():
        said = " ".join(health.correction(one, drawn, place, host, "admin"))
    assert said == f'alur correct i1 --as admin --reason "ALASAN" {words}'


def test_resolving_asks_for_a_reason_and_trying_again_has_one_of_its_own(site: Desk) -> None:
    id = stop(site, 7)
    reader = site.reader("admin").get("/pengaturan/insiden")
    reader.send({"alasan": "  "}, action="/penyelesaian")
    assert reader.messages() == ["Tuliskan alasannya."] and site.instance(id).incidents
    reader.get("/pengaturan/insiden").send(action="/coba-lagi")
    assert not site.instance(id).incidents
    assert reader.messages()[0].startswith("Insiden ditandai selesai")


def test_hostile_reasons_are_stored_as_text_or_left_out(site: Desk) -> None:
    id = stop(site, 7)
    reader = site.reader("admin").get("/pengaturan/insiden")
    reader.send({"alasan": "a\x00b\u202e<script>" + "x" * 5_000}, action="/penyelesaian")
    assert not site.instance(id).incidents and reader.status == 200


def test_the_list_of_incidents_agrees_with_the_instances(desk: Desk) -> None:
    first, second = stop(desk, 2), stop(desk, 8)
    with desk.database.read() as db:
        found = integrity.open_incidents(db, 10)
    assert [(one.instance, one.number, one.kind) for one in found] == [(first, 1, "watchdog"), (second, 1, "watchdog")]
    assert [one.detail for one in found] == ["Timer 3: lama <b>sekali</b>"] * 2
