"""What anybody may check without a sign-in: a file by its hash, a paper by its checkpoint; and that nothing personal
is told and nothing is found by less than the whole hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from engine.checkpoints import Keeper, Place
from engine.store import definitions, ledger, passes
from forms.verification import digest
from tests.desk import LASEM, LKJPD, Desk, pdf

ASK = "/verifikasi?sidik="
LHR = hashlib.sha256(pdf("lhr")).hexdigest()


def signed(site: Desk, folder: Path) -> ledger.Kept:
    Keeper(site.database, Place(folder / "checkpoint.key", "https://alur.example")).round(site.clock(), closing=True)
    with site.database.read() as db:
        kept = ledger.newest(db)
    assert kept is not None
    return kept


def test_whoever_holds_a_file_learns_what_it_is_of_which_sop_unit_and_year_and_nobodys_name(site: Desk) -> None:
    page = site.reader().get(ASK + LHR)
    assert page.status == 200
    assert "Berkas ini tercatat di Alur pada Senin, 7 Desember 2026, sebagai" in page.text
    assert "Laporan Hasil Reviu" in page.text and "Penyusunan Laporan Kinerja" in page.text
    assert "Kantor Kecamatan Lasem" in page.text and "Tahun laporan: 2025." in page.text
    for secret in ("Pemeriksa", "Inspektorat", "lhr.pdf", "LKjPD Tahun", site.waiting_at(5)):
        assert secret not in page.text, secret


@pytest.mark.parametrize("typed", [
    LHR.upper(), f"SHA-256: {LHR}", f"{LHR}  lhr.pdf", " ".join(LHR[n:n + 2] for n in range(0, 64, 2)),
    ":".join(LHR[n:n + 2] for n in range(0, 64, 2)), f"SHA256 hash of lhr.pdf:\r\n{LHR}\r\nCertUtil: -hashfile"])
def test_a_hash_is_understood_as_tools_write_it(typed: str) -> None:
    assert digest(typed) == LHR


@pytest.mark.parametrize("typed", ["", "x", LHR[:63], LHR + "0", LHR[:-1] + "g", "\0" * 64, "\u202e" + LHR[:10],
                                   "0" * 4_000_000])
def test_what_is_no_whole_hash_is_asked_for_again_and_finds_nothing(site: Desk, typed: str) -> None:
    page = site.reader()
    page.get("/verifikasi", query_string={"sidik": typed[:5_000]})
    assert page.status == 200 and "belum lengkap" in page.text and "tercatat di Alur pada" not in page.text
    assert digest(typed) == ""


def test_an_unknown_hash_is_told_as_unknown_and_asking_too_often_is_refused(site: Desk) -> None:
    reader = site.reader()
    assert "Berkas ini tidak tercatat di Alur." in reader.get(ASK + "0" * 64).text
    answers = [reader.get(ASK + "0" * 64).status for _ in range(40)]
    assert answers[0] == 200 and answers[-1] == 429
    assert reader.get("/verifikasi").status == 200, "the page itself stays"


def test_the_diagram_and_what_the_application_itself_gave_away_are_known_too(site: Desk) -> None:
    with site.database.begin() as db:
        newest = definitions.newest(db, LKJPD)
        passes.project(db, definitions.rules(site.database), 100)
    assert newest is not None
    assert "Diagram SOP versi 1" in site.reader().get(ASK + newest.sha256).text
    auditor = site.reader("auditor")
    history = auditor.get(f"/audit/{site.waiting_at(3)}/bukti.csv").response.data
    form = auditor.get(f"/audit/monitoring-sop.pdf?proses={LKJPD}&unit={LASEM}&tahun=2026&masa=2").response.data
    for data, name in ((history, "Daftar kejadian (CSV)"), (form, "Formulir monitoring SOP")):
        page = site.reader().get(ASK + hashlib.sha256(data).hexdigest())
        assert f"Berkas ini dibuat oleh Alur pada Senin, 7 Desember 2026, sebagai {name}" in page.text
        assert "Auditor" not in page.text


def test_the_checkpoint_of_a_paper_is_known_and_another_root_is_not(site: Desk, tmp_path: Path) -> None:
    kept, reader = signed(site, tmp_path), site.reader()
    page = reader.get(f"/verifikasi/titik-periksa/{kept.size}/{kept.root.hex()}")
    assert page.status == 200 and "ditandatangani oleh Alur kantor ini" in page.text
    for size, root in ((kept.size, "0" * 64), (kept.size + 1, kept.root.hex()), (10**30, kept.root.hex()),
                       (kept.size, "x")):
        page = reader.get(f"/verifikasi/titik-periksa/{size}/{root}")
        assert page.status == 404 and "tidak ada di kantor ini" in page.text


def test_a_history_and_an_sop_say_the_checkpoint_that_they_rest_on(site: Desk, tmp_path: Path) -> None:
    from engine import sop_out
    from forms import evidence
    from forms.papers import sop as paper
    from forms.papers import timeline

    id, kept = site.waiting_at(3), signed(site, tmp_path)
    rules = definitions.rules(site.database)
    with site.app.test_request_context("/"), site.database.snapshot() as db:
        it = evidence.of(db, rules, id, site.clock(), "https://alur.example")
        assert it is not None
        told = evidence.told(it)
        newest = definitions.newest(db, LKJPD)
        assert newest is not None
        sheet = sop_out.of_unit(db, rules.definition(newest.sha256), LASEM)
    assert told.address == f"https://alur.example/verifikasi/titik-periksa/{kept.size}/{kept.root.hex()}"
    assert timeline.data_of(told)["qr"][:4] == list(b"\x89PNG")
    assert sheet.checkpoint == f"{kept.size}, {kept.text}"
    laid = paper.Laid(paper.over(sheet.table, sheet.facts), paper.State(
        sha256=sheet.sha256, url="https://alur.example", version=1, checkpoint=sheet.checkpoint))
    assert paper.data_of(laid)["footer"]["checkpoint"] == f"Titik periksa: {sheet.checkpoint}"
