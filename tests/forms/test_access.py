"""What auditors read, and that administrators signed in, stands in the stream `access`."""
from __future__ import annotations

from typing import Any

import pytest

from engine import organise
from engine.commands import Actor
from engine.organisation import Act, AddPosition, AssignAudit, Change, EndAudit, Hold
from engine.store import access, journal
from tests.desk import KEY, LASEM, OPENING, Desk


def rows(desk: Desk) -> list[tuple[str, str, str]]:
    """(act, person, instance) of every row, each checked against its hash and seal."""
    with desk.database.read() as db:
        entries = list(journal.read(db, access.STREAM, key=desk.database.key))
    told = [(entry.command["act"], entry.command["actor"]["person"]) for entry in entries]
    return [(act["type"], person, act.get("instance", "")) for act, person in told]


def test_an_auditors_look_at_a_process_and_its_papers_is_recorded(desk: Desk) -> None:
    id = desk.waiting_at(3)
    auditor = desk.reader("auditor")
    assert auditor.get(f"/proses/{id}").status == 200
    assert auditor.get(f"/dokumen/{id}/surat_edaran/1/0").status == 200
    assert rows(desk) == [("ProcessInstanceRead", "auditor", id), ("DocumentRead", "auditor", id)]


def test_what_is_read_of_an_instance_by_its_parts_is_recorded_once_a_day(desk: Desk) -> None:
    id, other = desk.waiting_at(3), desk.waiting_at(4)
    auditor = desk.reader("auditor")
    part = {"headers": {"Sec-Fetch-Mode": "cors"}}
    for _ in range(3):
        assert auditor.get(f"/audit/{id}/putar.json").status == 200
        assert auditor.get(f"/audit/{id}/saat/2", **part).status == 200
    assert rows(desk) == [("ProcessInstanceRead", "auditor", id)]
    for _ in range(2):      # of the page each opening, and its parts are parts of it
        assert auditor.get(f"/audit/{other}").status == 200
        assert auditor.get(f"/audit/{other}/putar.json").status == 200
    assert rows(desk)[1:] == [("ProcessInstanceRead", "auditor", other)] * 2
    desk.later(days=1)
    assert auditor.get("/masuk").status == 200
    assert desk.reader("auditor").get(f"/audit/{id}/putar.json").status == 200
    assert rows(desk)[3:] == [("ProcessInstanceRead", "auditor", id)]


def test_who_performs_a_lane_reads_without_a_trace(desk: Desk) -> None:
    id = desk.waiting_at(3)
    assert desk.reader("camat").get(f"/proses/{id}").status == 200
    assert rows(desk) == []


def test_the_sign_in_of_an_administrator_is_recorded_and_nobody_elses(desk: Desk) -> None:
    desk.reader("sekcam")
    desk.reader("admin")
    assert rows(desk) == [("SignedIn", "admin", "")]


def test_a_look_at_what_is_not_there_leaves_no_trace(desk: Desk) -> None:
    id = desk.waiting_at(3)
    assert desk.reader("auditor").get(f"/dokumen/{id}/lhr/7/0").status == 404
    assert rows(desk) == []


# By surat tugas


def do(desk: Desk, *acts: Act) -> None:
    with desk.database.begin() as db:
        requests = [Change(id=f"uji-{type(act).__name__}-{number}", at=OPENING, actor=Actor(person="admin"), act=act)
                    for number, act in enumerate(acts)]
        organise.change_all(db, KEY, requests)


def surat_tugas(**other: Any) -> AssignAudit:
    """Of today and tomorrow, for somebody who performs nothing here and audits nothing yet."""
    good: dict[str, Any] = {"assignment": "st1", "person": "analis", "number": "700/15/2026", "units": (LASEM,),
                            "valid_from": "2026-12-07", "valid_until": "2026-12-08"}
    return AssignAudit(**{**good, **other})


def opened(desk: Desk, *ids: str) -> list[list[int]]:
    """What each page of each instance answers to them."""
    reader = desk.reader("analis")
    return [[reader.get(address).status for address in (
        f"/proses/{id}", f"/dokumen/{id}/surat_edaran/1/0", f"/audit/{id}", f"/audit/{id}/putar.json",
        f"/audit/{id}/bukti.csv")] for id in ids]


ALL, NONE = [200] * 5, [404] * 5


def test_a_surat_tugas_opens_its_years_from_its_first_to_its_last_day(desk: Desk) -> None:
    inside, outside = desk.waiting_at(3), desk.waiting_at(4)        # of 2023 and 2024
    do(desk, surat_tugas(years=(2023,), valid_from="2026-12-08"))
    assert opened(desk, inside, outside) == [NONE, NONE]
    assert desk.reader("analis").get("/audit").status == 404
    desk.later(days=1)
    assert opened(desk, inside, outside) == [ALL, NONE]
    page = desk.reader("analis").get("/audit")
    assert "LKjPD Tahun 2023" in page.text and "LKjPD Tahun 2024" not in page.text
    assert "Surat tugas 700/15/2026: Kantor Kecamatan Lasem, tahun laporan 2023, berlaku sampai 8 Desember 2026." \
        in page.text
    assert "2024" not in desk.reader("analis").get("/audit/lintas").text
    listed = desk.reader("analis").get("/proses").text
    assert "LKjPD Tahun 2023" in listed and "LKjPD Tahun 2024" not in listed
    desk.later(days=1)
    assert opened(desk, inside, outside) == [NONE, NONE]
    assert [desk.reader("analis").get(one).status for one in ("/audit", "/audit/lintas")] == [404, 404]


def test_what_an_auditor_reads_and_takes_is_recorded_with_the_surat_tugas_it_rests_on(desk: Desk) -> None:
    id = desk.waiting_at(3)
    do(desk, surat_tugas())
    assert opened(desk, id) == [ALL]
    assert rows(desk) == [(act, "analis", id)
                          for act in ("ProcessInstanceRead", "DocumentRead", "ProcessInstanceRead", "EvidenceTaken")]
    with desk.database.read() as db:
        found = {(entry.command["actor"]["capacity"], entry.command["actor"]["basis"])
                 for entry in journal.read(db, access.STREAM)}
    assert found == {("auditor", "700/15/2026")}


def test_who_performs_a_lane_and_audits_it_too_leaves_a_trace(desk: Desk) -> None:
    do(desk, surat_tugas(person="camat"))
    desk.reader("camat").get(f"/audit/{desk.waiting_at(3)}")
    assert rows(desk) == [("ProcessInstanceRead", "camat", desk.waiting_at(3))]


@pytest.mark.parametrize("act", [
    surat_tugas(units=("inspektorat_daerah",)), surat_tugas(years=(1999,)), surat_tugas(person="tim2")])
def test_a_surat_tugas_opens_nothing_outside_its_units_years_and_person(desk: Desk, act: AssignAudit) -> None:
    do(desk, act)
    assert opened(desk, desk.waiting_at(3)) == [NONE]
    assert rows(desk) == []
    assert "LKjPD Tahun" not in desk.reader("analis").get("/proses").text


def test_a_surat_tugas_that_was_ended_opens_nothing_more(desk: Desk) -> None:
    do(desk, surat_tugas(), EndAudit(assignment="st1", valid_until="2026-12-07"))
    assert opened(desk, desk.waiting_at(3)) == [ALL]
    desk.later(days=1)
    assert opened(desk, desk.waiting_at(3)) == [NONE]


def test_an_auditor_whose_office_took_part_is_told_so_and_everybody_sees_which_offices_did(desk: Desk) -> None:
    do(desk, AddPosition(position="auditor_madya", unit="inspektorat_daerah", name="Auditor Madya"),
       Hold(holding="h1", position="auditor_madya", person="analis", capacity="definitif", valid_from="2026-01-01"),
       surat_tugas(), surat_tugas(assignment="st2", person="inspektorat"))
    before, after = desk.waiting_at(4), desk.waiting_at(5)          # step 4 is the Inspektorat's
    reader = desk.reader("analis")
    assert "Kantor Anda ikut mengerjakan" not in reader.get(f"/audit/{before}").text
    assert "Kantor Anda ikut mengerjakan" in reader.get(f"/audit/{after}").text
    assert "Anda sendiri ikut mengerjakan" in desk.reader("inspektorat").get(f"/audit/{after}").text
    page = desk.reader("auditor").get(f"/audit/{after}").text
    assert "ikut mengerjakan berkas proses ini" not in page
    assert "Kantor yang ikut mengerjakan: Kantor Kecamatan Lasem, Inspektorat Daerah" in page
