"""The demo office at work: every interesting state is there, made by the real verbs, once, only in a demonstration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
from argon2 import PasswordHasher

from engine import calendars, demo, deploy, handle, organise, seed
from engine.instance import CANCELLED, COMPLETED, RUNNING, SUSPENDED, ProcessInstance, Refused
from engine.rules import Rules
from engine.store import definitions, documents, instances
from engine.store.database import Database, migrate, open_database
from tests.story import LKJPD, at

KEY = bytes(range(32))
NOW = at("2026-11-23 10.00")


@pytest.fixture
def office(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Database, Rules]]:
    monkeypatch.setattr(organise, "hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    database = open_database(database_url, KEY)
    migrate(database)
    with database.begin() as db:
        before = NOW - timedelta(days=1)
        deploy.seed_definitions(db, KEY, LKJPD.parent, before)
        seed.seed_office(db, KEY, before)
        for unit in (seed.KECAMATAN, seed.INSPEKTORAT):
            definitions.publish_calendar(
                db, KEY, unit, calendars.five_days(), actor=deploy.SYSTEM, reason="uji", at=before, command_id=unit
            )
    yield database, definitions.rules(database)
    database.close()


def told(database: Database, rules: Rules, made: list[str]) -> dict[str, ProcessInstance]:
    """Name of the tale -> its instance."""
    with database.read() as db:
        found = [instances.load(db, id) for id in made]
    return {tale.name: one for tale, one in zip(demo.tales(NOW), found, strict=True) if one}


def test_the_demo_shows_every_state_replays_and_is_made_once(office: tuple[Database, Rules], tmp_path: Path) -> None:
    database, rules = office
    made = demo.fill(database, rules, tmp_path, NOW)
    assert len(made) == len(demo.tales(NOW)) == 21
    there = told(database, rules, made)

    open_steps = {name: sorted(task.element for task in one.user_tasks.values()) for name, one in there.items()}
    assert {step for steps in open_steps.values() for step in steps} == {f"langkah_{n}" for n in range(1, 10)}
    assert {one.status for one in there.values()} == {RUNNING, SUSPENDED, CANCELLED, COMPLETED}
    assert (
        there["dikembalikan_satu_kali"].rounds["langkah_5"],
        there["dikembalikan_dua_kali"].rounds["langkah_7"],
    ) == (2, 3)
    assert set(there["langkah_8_dokumen_menyusul"].owed) == {"dokumen_lkjpd"}
    assert set(there["langkah_9_bukti_menyusul"].owed) == {"bukti_unggah_esr", "bukti_unggah_sapa_kinerja"}
    assert set(there["langkah_2_surat_edaran_menyusul"].owed) == {"surat_edaran"}
    (late,) = there["langkah_3_terlambat"].user_tasks.values()
    assert late.late_at and late.late_at < NOW and late.owner == "tim1"
    on_time, too_late = there["selesai_tepat_waktu"], there["selesai_terlambat"]
    for one, punctual in ((on_time, True), (too_late, False)):
        assert one.deadline_at is not None
        assert (one.passed["langkah_8"].at < one.deadline_at) is punctual
    assert there["baru"].year == 2026
    assert len({one.year for one in there.values() if one.status != CANCELLED}) == 20

    requests = {name: task.extension for name, one in there.items() for task in one.user_tasks.values()}
    decided = {name: asked.granted for name, asked in requests.items() if asked}
    assert decided == {"perpanjangan_diminta": None, "perpanjangan_diberikan": True, "perpanjangan_ditolak": False}
    (longer,) = there["perpanjangan_diberikan"].user_tasks.values()
    assert longer.extended and longer.norm_at and longer.late_at and longer.norm_at < NOW < longer.late_at

    with database.read() as db:
        for id in made:
            instance, steps = handle.replayed(db, rules, id)
            assert instance == instances.load(db, id)
            assert all(step.command.at <= NOW for step in steps)
            assert not instance.incidents
            assert not [one for one in instance.timers.values() if instance.status == RUNNING and one.due_at <= NOW]
        attachments = [one.attachment for instance in there.values() for one in instance.documents.values()]
        for file in {file for one in attachments for file in one.files}:
            with documents.open_document(db, tmp_path, file.sha256) as bytes_:
                assert "Contoh dokumen" in pypdf.PdfReader(BytesIO(bytes_.read())).pages[0].extract_text()
        assert documents.missing(db, tmp_path) == ()

    assert demo.fill(database, rules, tmp_path, NOW + timedelta(days=3)) == []


def test_a_year_that_somebody_has_begun_is_left_alone(office: tuple[Database, Rules], tmp_path: Path) -> None:
    database, rules = office
    (tale,) = [one for one in demo.tales(NOW) if one.name == "baru"]
    with database.begin() as db:
        opening = handle.opening(db, seed.KEY, seed.KECAMATAN, data={})
        theirs = demo.Desk(db, KEY, rules, demo.Shelf(tmp_path), opening, replace(tale, name="milik sendiri"))
        assert theirs.may_be_made()
        theirs.tell()
        assert not demo.Desk(db, KEY, rules, demo.Shelf(tmp_path), opening, tale).may_be_made()


def test_nothing_is_made_up_beside_real_records(database_url: str, tmp_path: Path) -> None:
    database = open_database(database_url, KEY)
    migrate(database)
    with pytest.raises(Refused, match="berkas sungguhan"):
        demo.fill(database, definitions.rules(database), tmp_path, NOW)
    database.close()


@pytest.mark.parametrize(
    ("now", "last"), [("2026-11-23 10.00", 2025), ("2027-02-28 23.59", 2025), ("2027-03-01 00.00", 2026)]
)
def test_the_newest_finished_year_is_the_one_whose_february_is_over(now: str, last: int) -> None:
    assert demo.last_deadline(at(now)) == last


def test_a_made_up_document_is_a_whole_pdf_and_always_the_same(tmp_path: Path) -> None:
    data = demo.pdf(r"Contoh (satu) \ dua: é")
    assert pypdf.PdfReader(BytesIO(data), strict=True).pages[0].extract_text() == r"Contoh (satu) \ dua: é"
    assert data == demo.pdf(r"Contoh (satu) \ dua: é")
    assert documents.store(BytesIO(data), "contoh.pdf", tmp_path).media_type == "application/pdf"


def test_every_act_of_the_demo_happens_in_working_hours() -> None:
    week = calendars.five_days()
    for tale in demo.tales(NOW):
        now: datetime = tale.starts_at(week)
        for duration, _ in tale.acts[1:]:
            now = calendars.due_at(duration, now, week)
            local = now.astimezone(demo.ZoneInfo(week.zone))
            assert any(start <= local.time() <= end for start, end in week.hours(local.date())), (tale.name, local)
