"""Monitoring and evaluation of an SOP: who may see the forms, that every figure opens its instances, and the papers."""

from __future__ import annotations

import io
from typing import Any

import pytest
from openpyxl import load_workbook

from engine.store import access, definitions, journal, passes
from forms import monitoring_forms as forms
from forms.papers import monitoring as paper
from tests.desk import LASEM, LKJPD, Desk

PAGE = "/audit/monitoring-sop"
HALF = f"{PAGE}?proses={LKJPD}&unit={LASEM}&tahun=2026&masa=2"
YEAR = f"{PAGE}?proses={LKJPD}&unit={LASEM}&tahun=2026&masa=tahun"


@pytest.fixture
def site(site: Desk) -> Desk:
    """The office, its finished passes counted as the worker does."""
    count(site)
    return site


def count(site: Desk) -> None:
    with site.database.begin() as db:
        passes.project(db, definitions.rules(site.database), 100)


def read(site: Desk) -> list[dict[str, Any]]:
    with site.database.read() as db:
        return [row.command["act"] for row in journal.read(db, access.STREAM)]


def test_the_form_counts_each_step_and_every_figure_opens_the_instances_behind_it(site: Desk) -> None:
    id = site.waiting_at(7)
    site.complete(id, 7, **{"isian.keputusan": "kembalikan", "isian.koreksi.0.koreksi": "Angka Bab III keliru."})
    assert "1 berkas punya catatan baru yang belum dihitung" in site.reader("auditor").get(HALF).text
    count(site)
    reader = site.reader("auditor").get(HALF)
    assert reader.status == 200 and "Monitoring pelaksanaan SOP (Tabel 7)" in reader.text
    assert "Selesai 8 kali dalam 8 berkas" in reader.text           # step 1 of eight of the nine instances
    assert "1 kali mengembalikan untuk diperbaiki" in reader.text and "Tidak dilalui pada masa ini" in reader.text
    links = reader.page.xpath("//main//section//a[contains(@href, 'monitoring-sop/berkas')]/@href")
    assert len(links) > 10
    for link in links:
        assert reader.get(link).status == 200, link
        assert reader.page.xpath("//main//table//a[starts-with(@href, '/audit/')]"), link
    [back] = [one for one in links if "angka=mengembalikan" in one]
    assert f"/audit/{id}" in reader.get(back).page.xpath("//main//table//a/@href")


def test_the_year_gives_the_material_of_each_criterion_and_leaves_the_judgement_to_a_person(site: Desk) -> None:
    reader = site.reader("camat").get(YEAR)
    for name in forms.CRITERIA.values():
        assert str(name) in reader.text
    assert "Tidak ada dalam catatan aplikasi." in reader.text and "diisi penilai" in reader.text
    assert "Langkah selesai terlambat: 0 dari 36" in reader.text


def test_who_may_evaluate_the_sop_sees_the_figures_but_opens_no_instance(site: Desk) -> None:
    reader = site.reader("pengelola1").get(HALF)
    assert reader.status == 200 and "Selesai 8 kali dalam 8 berkas" in reader.text
    assert not reader.page.xpath("//main//section//a[contains(@href, 'berkas')]")
    assert reader.get(f"{PAGE}/berkas?proses={LKJPD}&unit={LASEM}&tahun=2026&masa=2&angka=dimulai").status == 404
    assert "Formulir monitoring dan bahan evaluasi" in reader.get(f"/perancang/sop/{LKJPD}").text


@pytest.mark.parametrize("login", ["sekcam", "tim1", "inspektorat", "admin"])
def test_anybody_else_finds_no_such_form(site: Desk, login: str) -> None:
    reader = site.reader(login)
    for address in (HALF, HALF.replace("?", ".pdf?"), HALF.replace("?", "/berkas?") + "&angka=dimulai"):
        assert reader.get(address).status == 404, address


@pytest.mark.parametrize("more", ["unit=lain", "proses=lain", "proses=%00", "unit=%F0%9F%92%A9&tahun=abcd"])
def test_what_there_is_not_is_not_found(site: Desk, more: str) -> None:
    assert site.reader("auditor").get(f"{PAGE}?{more}").status == 404


def test_a_year_without_anything_is_an_empty_form_and_a_strange_year_or_half_is_todays(site: Desk) -> None:
    reader = site.reader("auditor")
    assert "0 berkas dimulai" in reader.get(HALF.replace("2026", "1999")).text
    odd = reader.get(f"{PAGE}?tahun=%EF%BC%92%EF%BC%90%EF%BC%92%EF%BC%96&masa=9")
    assert odd.status == 200 and "1 Juli 2026 sampai 31 Desember 2026" in odd.text


def test_the_papers_say_the_same_twice_and_who_took_them_is_recorded(site: Desk) -> None:
    reader = site.reader("auditor")
    first, again = (reader.get(HALF.replace("?", ".pdf?")).response for _ in range(2))
    assert first.data.startswith(b"%PDF-") and first.data == again.data
    sheet = reader.get(YEAR.replace("?", ".xlsx?")).response
    page = load_workbook(io.BytesIO(sheet.data)).active
    assert page is not None
    cells = [str(cell.value) for row in page.iter_rows() for cell in row if cell.value is not None]
    assert "Bahan Evaluasi Tahunan Penerapan SOP AP" in cells and any("☐ Ya" in one for one in cells)
    assert all(cell.data_type != "f" for row in page.iter_rows() for cell in row)
    taken = [one for one in read(site) if one["type"] == "OverviewTaken"]
    assert [(one["paper"], one["form"], one["begins"], one["ends"]) for one in taken] == [
        ("pemantauan", "pdf", "2026-07-01", "2026-12-31"), ("pemantauan", "pdf", "2026-07-01", "2026-12-31"),
        ("evaluasi", "xlsx", "2026-01-01", "2026-12-31")]


def test_what_only_a_person_can_say_is_dotted_and_the_paper_says_so(site: Desk) -> None:
    with site.app.test_request_context(HALF), site.database.read() as db:
        from flask import g

        from forms.session import visitor

        g.visitor = visitor(db, "auditor", site.clock())
        it = forms.look(db)
        assert it is not None
        sheet = forms.sheet(it)
    assert all(row[4].dotted for row in sheet.rows), "what must be done"
    assert all(row[2].lines[:2] == ["☐ Berjalan dengan baik", "☐ Tidak berjalan dengan baik"] for row in sheet.rows)
    assert [row[3].dotted for row in sheet.rows].count(True) == 1, "the step that nobody has done"
    assert "Aplikasi tidak menilai" in sheet.notes[0]
    assert len(paper.set_in(sheet, "png")) >= 1


def test_an_auditors_look_at_lists_is_recorded_once_a_day_for_each_page(site: Desk) -> None:
    reader = site.reader("auditor")
    for _ in range(3):
        for address in ("/audit", "/audit?tahun=2025", "/audit/lintas", HALF):
            assert reader.get(address).status == 200
    assert [one["page"] for one in read(site)] == ["audit", "audit/lintas", "audit/monitoring-sop"]
    site.later(days=1)
    site.reader("auditor").get("/audit")
    assert [one["page"] for one in read(site)][3:] == ["audit"]


def test_the_head_of_the_process_looks_at_lists_without_a_trace(site: Desk) -> None:
    reader = site.reader("camat")
    for address in ("/audit", "/audit/lintas", HALF):
        assert reader.get(address).status == 200
    assert read(site) == []
