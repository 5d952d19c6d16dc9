"""Audit across instances: who sees it, what it says of too little, and that each number opens what is behind it."""
from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from engine.organisation import AuditScope
from engine.store import passes
from tests.desk import LASEM, LKJPD, Desk, Reader

PAGE = "/audit/lintas"


@pytest.fixture
def counted(site: Desk) -> Desk:
    """The furnished office, an LKjPD waiting at each of its nine steps, read by the worker: step 1 was finished eight
    times, step 4 five times, step 5 four times."""
    with site.database.begin() as db:
        passes.project(db, site.app.extensions["alur"].rules, 100)
    return site


def row(reader: Reader, name: str) -> str:
    """What is read in the row of a table that begins so."""
    found = [" ".join(one.itertext()) for one in reader.page.xpath("//main//tbody/tr")]
    return next(re.sub(r"\s+", " ", one).strip() for one in found if one.strip().startswith(name))


def links(reader: Reader) -> list[str]:
    return [one.get("href") for one in reader.page.xpath("//main//a[contains(@href, '/audit/lintas/berkas')]")]


def test_a_step_has_figures_from_five_finished_passes_on(counted: Desk) -> None:
    page = counted.reader("auditor").get(PAGE)
    assert page.status == 200
    assert " 1 8 kali 0 menit kerja" in row(page, "1 · ")  # its class, how often, how long it waited
    assert "5 kali" in row(page, "4 · ")
    assert row(page, "5 · ").endswith("belum cukup data") and not any("langkah=langkah_5" in one for one in links(page))


def test_every_number_opens_instances_and_the_heat_says_its_class_in_the_table(counted: Desk) -> None:
    page = counted.reader("auditor").get(f"{PAGE}?ukuran=dilalui")
    assert re.search(r"1 · .* 5 8 kali", row(page, "1 · "))
    addresses = links(page)
    assert len(addresses) > 20
    for address in dict.fromkeys(addresses):
        page.get(address)
        assert page.status == 200 and page.page.xpath("//main//tbody/tr"), address


def test_a_list_holds_exactly_the_instances_behind_its_number(counted: Desk) -> None:
    auditor = counted.reader("auditor")
    auditor.get(f"{PAGE}/berkas?proses={LKJPD}&langkah=langkah_4&angka=dilalui")
    shown = [one.rsplit("/", 1)[-1] for one in auditor.page.xpath("//main//tbody//a/@href")]
    assert sorted(shown) == sorted(counted.waiting_at(step) for step in range(5, 10))
    auditor.get(f"{PAGE}/berkas?proses={LKJPD}&tahun=2025")
    assert auditor.page.xpath("//main//tbody//a/@href") == [f"/audit/{counted.waiting_at(5)}"]


@pytest.mark.parametrize("query", [
    "angka=apa", "langkah=langkah_5&angka=dilalui", "langkah=tidak_ada&angka=dilalui", "jalan=000000000000",
    "pelaksana=tidak_ada&angka=waktu", "langkah=langkah_1&angka="])
def test_behind_a_number_that_is_not_shown_there_is_no_page(counted: Desk, query: str) -> None:
    assert counted.reader("auditor").get(f"{PAGE}/berkas?proses={LKJPD}&{query}").status == 404


@pytest.mark.parametrize("login", ["sekcam", "inspektorat", "admin"])
def test_who_neither_audits_nor_heads_the_process_finds_no_such_page(counted: Desk, login: str) -> None:
    reader = counted.reader(login)
    for address in (PAGE, f"{PAGE}/berkas", f"{PAGE}/diagram.bpmn?proses={LKJPD}"):
        assert reader.get(address).status == 404, address


def test_the_head_sees_the_own_office_and_nothing_of_another(counted: Desk) -> None:
    camat = counted.reader("camat").get(PAGE)
    assert camat.status == 200 and "8 kali" in row(camat, "1 · ")
    elsewhere = camat.get(f"{PAGE}?proses={LKJPD}&unit=unit_lain")
    assert "Tidak ada berkas proses dengan saringan ini." in elsewhere.text
    assert camat.get(f"{PAGE}?proses=proses_lain").status == 404
    assert camat.get(f"{PAGE}/diagram.bpmn?proses={LKJPD}").status == 200
    assert camat.get(f"{PAGE}/diagram.bpmn?proses=proses_lain").status == 404


def test_a_reach_holds_what_it_names_and_nothing_else(counted: Desk) -> None:
    def seen(reach: passes.Reach) -> int:
        with counted.database.read() as db:
            assert sum(one.instances for one in passes.places(db, reach)) == len(passes.cases(db, LKJPD, reach)[0])
            return len(passes.cases(db, LKJPD, reach)[0])

    assert seen(passes.Reach(everything=True)) == 9
    assert seen(passes.Reach(scopes=(AuditScope(unit=LASEM),))) == 9
    assert seen(passes.Reach(pairs=frozenset({(LKJPD, LASEM)}))) == 9
    assert seen(passes.Reach()) == 0
    assert seen(passes.Reach(scopes=(AuditScope(unit=LASEM, years=(2023, 2026), number="1"),))) == 2
    assert seen(passes.Reach(scopes=(AuditScope(unit="unit_lain"),), pairs=frozenset({("lain", LASEM)}))) == 0


def test_what_the_worker_has_not_read_yet_is_said(site: Desk) -> None:
    page = site.reader("auditor").get(PAGE)
    assert "9 berkas punya catatan baru yang belum dihitung" in page.text
    assert "Belum ada langkah yang selesai dengan saringan ini." in page.text


def test_a_return_and_the_way_that_was_taken_are_told_of_a_finished_instance(site: Desk) -> None:
    id = site.waiting_at(7)
    site.complete(id, 7, **{"isian.keputusan": "kembalikan", "isian.koreksi.0.koreksi": "Angka keliru."})
    for step in (5, 6, 7, 8, 9):
        site.complete(id, step)
    with site.database.begin() as db:
        passes.project(db, site.app.extensions["alur"].rules, 100)
    page = site.reader("auditor").get(PAGE)
    assert "1 → 2 → 3 → 4 → 5 → 6 → 7 → ↩ 5 → ↩ 6 → ↩ 7 → 8 → 9" in re.sub(r"\s*→\s*", " → ", page.text)
    (way,) = [one for one in links(page) if "jalan=" in one]
    assert page.get(way).page.xpath("//main//tbody//a/@href") == [f"/audit/{id}"]
    page.get(PAGE)
    back = [one for one in links(page) if "langkah" in parse_qs(urlsplit(one).query) and "angka=mengembalikan" in one]
    assert back == []  # step 7 was finished four times: nothing is told of it alone
    (of_unit,) = {one for one in links(page) if "angka=mengembalikan" in one and "unit=" in one}
    assert page.get(of_unit).page.xpath("//main//tbody//a/@href") == [f"/audit/{id}"]
