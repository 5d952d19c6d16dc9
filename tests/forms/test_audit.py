"""Audit: who may play an instance again, what each moment says, and what is told of departures."""
from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from engine import conformance
from engine.conformance import Departure
from engine.store import access, journal
from engine.store.schema import instance
from forms import departures
from tests.desk import OPENING, Desk
from tests.story import LKJPD, definition


@pytest.fixture
def returned(site: Desk) -> str:
    """An LKjPD that Camat Lasem sent back once."""
    id = site.waiting_at(7)
    site.complete(id, 7, **{"isian.keputusan": "kembalikan", "isian.koreksi.0.koreksi": "Angka Bab III keliru."})
    assert [task.element for task in site.instance(id).user_tasks.values()] == ["langkah_5"]
    return id


def test_an_auditor_sees_every_moment_proved_and_the_return_marked(site: Desk, returned: str) -> None:
    page = site.reader("auditor").get(f"/audit/{returned}")
    rows = site.instance(returned).sequence
    assert page.status == 200
    assert f"Terbukti: {rows} catatan dijalankan ulang, sama." in page.text
    assert f"Saat {rows} dari {rows}" in page.text and "Dikembalikan untuk diperbaiki" in page.text


def test_what_an_auditor_asks_for_is_found_behind_any_number_of_newer_ones(site: Desk, returned: str) -> None:
    year = site.instance(returned).year
    with site.database.begin() as db:
        rows = [row._asdict() for row in db.execute(select(instance).where(instance.c.id == returned))]
        db.execute(insert(instance), [
            {**rows[0], "id": f"lain-{n}", "year": 3000 + n % 2, "status": "cancelled" if n > 1 else "running",
             "started_at": "2999-01-01T00:00:00.000000Z"} for n in range(220)])
        db.execute(update(instance).where(instance.c.id == returned).values(status="cancelled"))
    auditor = site.reader("auditor")
    assert f"/audit/{returned}" in auditor.get(f"/audit?tahun={year}&unit=kecamatan_lasem").response.text
    assert {str(year), "3000", "3001"} <= set(auditor.page.xpath("//select[@name='tahun']/option/text()"))
    for nowhere in ("unit=%00", "tahun=%00", "keadaan=%00", "unit=tidak_ada", "tahun=1999"):
        assert "/audit/lain-" not in auditor.get(f"/audit?{nowhere}").response.text and auditor.status == 200


def test_one_moment_says_who_in_which_position_what_was_written_and_what_stood_there_before(
        site: Desk, returned: str) -> None:
    page = site.reader("auditor").get(f"/audit/{returned}?saat={site.instance(returned).sequence}")
    assert "sebagai Camat" in page.text
    assert "Angka Bab III keliru." in page.text
    assert "paling lambat" in page.text and "Perkiraan saat itu" in page.text
    assert "Lima hari kerja" in page.text and "lima_hari" not in page.text


def test_the_player_gets_every_moment_with_its_flows_and_a_part_of_a_page_for_each(site: Desk, returned: str) -> None:
    auditor = site.reader("auditor")
    moments = auditor.client.get(f"/audit/{returned}/putar.json").get_json()["moments"]
    assert [one["n"] for one in moments] == list(range(1, site.instance(returned).sequence + 1))
    last = moments[-1]
    assert last["returned"] == ["langkah_5"] and "langkah_7" in last["done"] and last["moves"]
    assert auditor.client.get(last["diagram"]).data == LKJPD.read_bytes()
    part = auditor.client.get(f"/audit/{returned}/saat/3", headers={"Sec-Fetch-Mode": "cors"})
    assert b"Saat 3 dari" in part.data and b"<html" not in part.data
    whole = auditor.client.get(f"/audit/{returned}/saat/3")
    assert whole.location.endswith(f"/audit/{returned}?saat=3")


def test_a_moment_that_there_is_not_is_the_nearest_and_a_diagram_that_never_ran_is_none(
        site: Desk, returned: str) -> None:
    auditor = site.reader("auditor")
    assert "Saat 1 dari" in auditor.get(f"/audit/{returned}?saat=-4").text
    assert auditor.get(f"/audit/{returned}?saat=99999").status == 200
    assert auditor.get(f"/audit/{returned}/diagram/{'0' * 64}").status == 404


@pytest.mark.parametrize("login", ["sekcam", "tim1", "inspektorat", "admin"])
def test_who_neither_audits_nor_heads_the_process_finds_no_such_page(site: Desk, login: str) -> None:
    id = site.waiting_at(5)
    reader = site.reader(login)
    for address in (f"/audit/{id}", f"/audit/{id}/putar.json", f"/audit/{id}/saat/1", "/audit",
                    f"/audit/{id}/diagram/{definition().sha256}"):
        assert reader.get(address).status == 404, address


def test_the_head_of_the_process_plays_his_own_office_and_leaves_no_trace(site: Desk) -> None:
    id = site.waiting_at(5)
    assert site.reader("camat").get(f"/audit/{id}").status == 200
    with site.database.read() as db:
        assert list(journal.read(db, access.STREAM)) == []


def test_an_auditors_playing_is_recorded(site: Desk) -> None:
    id = site.waiting_at(5)
    site.reader("auditor").get(f"/audit/{id}")
    with site.database.read() as db:
        (row,) = journal.read(db, access.STREAM)
    assert (row.command["act"]["type"], row.command["act"]["instance"]) == ("ProcessInstanceRead", id)


def test_behind_a_value_that_was_changed_nothing_counts_as_proved(site: Desk) -> None:
    id = site.waiting_at(5)
    with site.database.begin() as db:
        db.execute(text("DROP TRIGGER journal_value_only_erased"))
        db.execute(text("UPDATE journal_value SET value = :new WHERE stream = :stream AND path LIKE '%arahan%'"),
                   {"new": b'"Lain"', "stream": f"instance/{id}"})
    auditor = site.reader("auditor")
    page = auditor.get(f"/audit/{id}")
    assert page.status == 200 and "Tidak terbukti: catatan ke-" in page.text and "Terbukti:" not in page.text
    assert auditor.client.get(f"/audit/{id}/putar.json").get_json()["moments"]
    assert "Catatannya tidak utuh" in auditor.get("/audit").text


def test_the_list_counts_departures_and_is_narrowed_by_kind(site: Desk) -> None:
    site.later(days=90)
    auditor = site.reader("auditor")
    page = auditor.get("/audit")
    assert page.status == 200
    assert all(f"LKjPD Tahun {year}" in page.text for year in range(2021, 2030))
    assert "Terlambat" in page.text and "Melewati tenggat" in page.text
    none = auditor.get("/audit?penyimpangan=corrected")
    assert "Tidak ada berkas proses dengan saringan ini." in none.text
    late = auditor.get("/audit?penyimpangan=late&tahun=2025")
    assert "LKjPD Tahun 2025" in late.text and "LKjPD Tahun 2024" not in late.text


# Sentences

@pytest.mark.parametrize("kind", conformance.KINDS)
def test_every_kind_of_departure_has_a_name_and_a_sentence_with_its_evidence(site: Desk, kind: str) -> None:
    evidence: dict[str, Any] = {
        conformance.LATE: {"late_at": OPENING, "done_at": OPENING},
        conformance.DEADLINE: {"due_at": OPENING, "met_at": None},
        conformance.WAIVED: {"document": "daftar_hadir"},
        conformance.CORRECTED: {"fields": ("arahan",), "closed": ("langkah_2",), "opened": ("langkah_3",)},
        conformance.REASSIGNED: {"to": "tim2", "was": None},
        conformance.SKIPPED: {},
        conformance.CAPACITY: {"position": "camat", "capacity": "plh", "basis": None},
        conformance.AFTERWARDS: {"done_at": OPENING, "minutes": 60 * 27 + 5},
        conformance.ON_BEHALF: {"office": "inspektorat_daerah"},
        conformance.DEPLOYED: {"version": 2, "by": "admin"},
        conformance.COMMAND_LINE: {"acts": 3},
        conformance.RESET: {"reset_at": OPENING, "by": "admin"},
        conformance.UNCONFIRMED: {"reset_at": OPENING, "by": "admin", "what": "kredensial", "state": "menunggu"},
        conformance.SAME_PERSON: {"did": "langkah_6", "did_name": "Memeriksa"},
        conformance.MIGRATED: {"was": "a" * 64, "to": "b" * 64, "undone": False},
        conformance.EXTENDED: {"was": OPENING, "late_at": OPENING},
        conformance.OWED: {"document": "sk_tim", "promised": "2026-12-21"},
        conformance.SAME_HANDS: {"first": "Memperbaiki", "second": "Memeriksa"},
    }
    one = Departure(kind=kind, sequence=7, at=OPENING, element="langkah_5", element_name="Memperbaiki", person="tim1",
                    evidence=evidence[kind])
    with site.app.test_request_context("/"):
        said = departures.sentence(one, definition(), "Asia/Jakarta", str.title, lambda sha256: f"versi {sha256[0]}")
        assert said.endswith(".") and "%(" not in said and "None" not in said
        assert departures.name(kind)


def test_what_lies_between_is_said_in_the_largest_units(site: Desk) -> None:
    with site.app.test_request_context("/"):
        assert [departures.apart(n) for n in (0, 59, 60, 1627)] == [
            "kurang dari satu menit", "59 menit", "1 jam", "1 hari 3 jam"]
