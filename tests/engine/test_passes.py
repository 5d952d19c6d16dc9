"""Finished passes: what the journal says of how long each step took, read once, whoever reads it; and the outlook."""
from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select

from engine import calendars, forecast, outlook
from engine.bench import Office
from engine.calendars import five_days, six_days
from engine.commands import AddComment, CancelProcessInstance, CompleteUserTask, Correct
from engine.deploy import SYSTEM
from engine.forecast import ENOUGH_PASSES
from engine.instance import ProcessInstance, Refused
from engine.store import definitions, instances, passes, records, schema
from engine.store.prepared import heard
from engine.worker import Worker
from tests.story import at

KEY, UNIT = "penyusunan_lkjpd", "kecamatan_lasem"
MONDAY = at("2026-12-14 08.00")
FIVE = {"tindak_lanjut": [{"hasil": "sudah"}], "tanggal_cetak": "2026-12-09"}
SIX = {"paraf_sekretaris": True, "bentuk_paraf": "basah", "tanggal_paraf": "2026-12-09"}
RETURN = {"keputusan": "kembalikan", "koreksi": [{"koreksi": "Perbaiki bab III."}]}


def project(office: Office, most: int = 100) -> int:
    with office.database.begin() as db:
        return passes.project(db, office.rules, most)


def rows(office: Office, id: str | None = None) -> list[dict[str, Any]]:
    table = schema.finished_pass
    found = select(table).order_by(table.c.instance, table.c.number)
    with office.database.read() as db:
        return [dict(row._mapping) for row in db.execute(found if id is None else found.where(table.c.instance == id))]


def load(office: Office, id: str) -> ProcessInstance:
    with office.database.read() as db:
        found = instances.load(db, id)
    assert found is not None
    return found


def complete(office: Office, id: str, who: str, when: datetime, done_at: datetime | None = None, **data: Any) -> None:
    office.at = when - timedelta(seconds=1)
    _, number = office.open(id)
    office.do(id, who, CompleteUserTask(user_task=number, data=data, done_at=done_at))


def at_step_5(office: Office, year: int = 2026, opened: datetime = MONDAY) -> str:
    """An LKjPD whose step 5 was opened on a Monday morning."""
    office.at = opened - timedelta(seconds=30)
    id = office.begin(year)
    office.attach(id, "tim1", "rancangan_akhir")
    return id


def returned_once(office: Office, year: int = 2026) -> str:
    """Steps 5, 6 and 7 took two days, one day and an hour, and came back."""
    id = at_step_5(office, year)
    opened = load(office, id).user_tasks[office.open(id)[1]].opened_at
    complete(office, id, "tim1", opened + timedelta(days=2), **FIVE)
    complete(office, id, "sekcam", opened + timedelta(days=3), **SIX)
    complete(office, id, "camat", opened + timedelta(days=3, hours=1), **RETURN)
    return id


# -- what is kept -----------------------------------------------------------------------------------------------------

def test_each_completed_user_task_is_one_finished_pass_with_its_working_minutes(office: Office) -> None:
    id = returned_once(office)
    assert project(office) == 1
    found = {(row["element"], row["round"]): row for row in rows(office, id)}
    assert list(found) == [(f"langkah_{n}", 1) for n in range(1, 8)]     # step 5 of round 2 is open
    assert [found[f"langkah_{n}", 1]["working_minutes"] for n in (5, 6, 7)] == [2 * 450, 450, 60]
    assert [found[f"langkah_{n}", 1]["returned"] for n in (4, 5, 6, 7)] == [0, 0, 0, 1]
    five = found["langkah_5", 1]
    assert (five["key"], five["unit"], five["lane"], five["late"]) == (KEY, UNIT, "tim_penyusun", 0)
    assert records.moment(five["ended_at"]) - records.moment(five["opened_at"]) == timedelta(days=2)
    # Completed unclaimed: all of it was waiting, and processing is unknown.
    assert (five["waiting_minutes"], five["processing_minutes"]) == (900, None)


def test_what_was_done_on_paper_counts_from_when_it_could_begin_to_when_it_was_done(office: Office) -> None:
    id = at_step_5(office)
    opened = load(office, id).user_tasks[office.open(id)[1]].opened_at
    # Both entered on Friday: step 5 was done on Tuesday, step 6 on Wednesday.
    friday = opened + timedelta(days=4)
    complete(office, id, "tim1", friday, done_at=opened + timedelta(days=1), **FIVE)
    complete(office, id, "sekcam", friday + timedelta(hours=1), done_at=opened + timedelta(days=2), **SIX)
    project(office)
    found = {row["element"]: row for row in rows(office, id)}
    assert found["langkah_5"]["working_minutes"] == 450
    assert found["langkah_6"]["working_minutes"] == 450         # from Tuesday, when it could begin
    assert records.moment(found["langkah_6"]["opened_at"]) == friday
    assert records.moment(found["langkah_6"]["ended_at"]) == opened + timedelta(days=2)


def test_what_was_cancelled_or_corrected_away_is_no_finished_pass(office: Office) -> None:
    one, other = at_step_5(office, 2026), at_step_5(office, 2027)
    _, number = office.open(one)
    office.do(one, "admin", Correct(reason="Salah langkah", close=(number,), open=("langkah_6",)))
    complete(office, one, "sekcam", MONDAY + timedelta(days=1), **SIX)
    office.do(other, "camat", CancelProcessInstance(reason="Digabung"))
    project(office)
    assert [row["element"] for row in rows(office, one)] == ["langkah_1", "langkah_2", "langkah_3", "langkah_4",
                                                             "langkah_6"]
    assert [row["element"] for row in rows(office, other)] == ["langkah_1", "langkah_2", "langkah_3", "langkah_4"]


def test_minutes_are_counted_in_the_calendar_that_the_lane_had_at_the_time(office: Office) -> None:
    with office.database.begin() as db:
        definitions.publish_calendar(db, office.database.key, UNIT, six_days(), actor=SYSTEM, reason="Perbup",
                                     at=MONDAY - timedelta(days=1), command_id="six")
    saturday = at("2026-12-19 07.30")
    id = at_step_5(office, opened=saturday)
    opened = load(office, id).user_tasks[office.open(id)[1]].opened_at
    complete(office, id, "tim1", opened + timedelta(hours=2), **FIVE)
    project(office)
    assert rows(office, id)[-1]["working_minutes"] == 120       # five days would say none


# -- how it is read ---------------------------------------------------------------------------------------------------

def test_what_was_read_is_not_read_again_and_dropped_it_comes_out_the_same(office: Office) -> None:
    for year in (2026, 2027):
        returned_once(office, year)
    assert project(office) == 2
    assert project(office) == 0
    found = rows(office)
    assert len(found) == 14
    with office.database.begin() as db:
        passes.forget(db)
    assert rows(office) == []
    assert project(office) == 2
    assert rows(office) == found


def test_reading_step_by_step_gives_what_reading_at_once_gives(office: Office) -> None:
    id = at_step_5(office)
    project(office)

    def read_after(act: Callable[[], None]) -> None:
        act()
        assert project(office) == 1

    for _ in range(2):
        office.round(id, read_after)
    step_by_step = rows(office)
    with office.database.begin() as db:
        passes.forget(db)
    project(office)
    assert rows(office) == step_by_step
    assert [(row["element"], row["round"]) for row in step_by_step][-3:] == [
        ("langkah_5", 2), ("langkah_6", 2), ("langkah_7", 2)]


def test_a_task_that_was_opened_many_rows_before_is_still_found(
        office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "PAGE", 3)
    id = at_step_5(office)
    for n in range(10):
        office.do(id, "tim1", AddComment(text=f"Catatan {n}"))
    project(office)
    opened = load(office, id).user_tasks[office.open(id)[1]].opened_at
    complete(office, id, "tim1", opened + timedelta(days=1), **FIVE)
    assert project(office) == 1
    assert records.moment(rows(office, id)[-1]["opened_at"]) == opened


def test_only_so_many_instances_are_read_at_once_and_none_is_forgotten(office: Office) -> None:
    ids = [at_step_5(office, year) for year in (2026, 2027, 2028)]
    assert [project(office, most=2) for _ in range(3)] == [2, 1, 0]
    assert {row["instance"] for row in rows(office)} == set(ids)


def test_two_workers_that_read_the_same_write_it_once(office: Office) -> None:
    for year in range(2026, 2030):
        returned_once(office, year)
    with office.database.read() as db:
        one, other = (passes.behind(db, office.rules, 100) for _ in range(2))
    gate, failed = threading.Barrier(2), []

    def write(found: list[passes.Read]) -> None:
        try:
            gate.wait()
            with office.database.begin() as db:
                passes.record(db, found)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(found,)) for found in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert len(rows(office)) == 4 * 7
    with office.database.read() as db:
        assert passes.behind(db, office.rules, 100) == []


def test_a_slower_worker_does_not_take_back_how_far_was_read(office: Office) -> None:
    id = at_step_5(office)
    with office.database.read() as db:
        old = passes.behind(db, office.rules, 100)
    opened = load(office, id).user_tasks[office.open(id)[1]].opened_at
    complete(office, id, "tim1", opened + timedelta(days=1), **FIVE)
    project(office)
    with office.database.begin() as db:
        passes.record(db, old)
    assert project(office) == 0


def spoil(office: Office, id: str) -> None:
    """An instance beside another whose journal cannot be read."""
    table = schema.instance
    with office.database.begin() as db:
        row = dict(db.execute(select(table).where(table.c.id == id)).one()._mapping)
        db.execute(insert(table).values(**row | {"id": "0-broken", "year": 1999, "sequence": 1}))
        db.execute(insert(schema.journal).values(stream="instance/0-broken", sequence=1, command_id="x", body=b"{",
                                                 hash=b"x", mac=b"x"))


def test_an_instance_whose_journal_cannot_be_read_keeps_nobody_else_from_being_read(office: Office) -> None:
    id = returned_once(office)
    spoil(office, id)
    with office.database.read() as db:
        broken, well = passes.behind(db, office.rules, 100)
    assert (broken.instance, broken.rows) == ("0-broken", ()) and "JSONDecodeError" in str(broken.error)
    assert well.instance == id
    assert Worker(office.database, office.rules).project() == 1
    assert Worker(office.database, office.rules).project() == 0
    assert {row["instance"] for row in rows(office)} == {id}


def test_the_worker_keeps_what_was_finished_within_seconds_and_goes_on_where_it_cannot(office: Office) -> None:
    id = returned_once(office)
    spoil(office, id)
    stop = threading.Event()
    worker = Worker(office.database, office.rules, poll_seconds=0.05)
    running = threading.Thread(target=worker.run, args=(stop,))
    running.start()
    try:
        for _ in range(600):
            if rows(office, id):
                break
            time.sleep(0.05)
        assert len(rows(office, id)) == 7
        assert running.is_alive()
    finally:
        stop.set()
        running.join(60)


# -- what is asked of it ----------------------------------------------------------------------------------------------

def test_samples_are_pooled_by_element_in_the_order_in_which_they_ended(office: Office) -> None:
    for year in range(2026, 2029):
        returned_once(office, year)
    project(office)
    with office.database.read() as db:
        found = passes.samples(db, KEY)
        assert passes.samples(db, "another_process") == forecast.Samples()
    assert found.minutes["langkah_5"] == (900,) * 3
    assert found.minutes["langkah_7"] == (60,) * 3
    assert found.returned["langkah_7"] == 3 and found.returned["langkah_6"] == 0
    assert not found.enough("langkah_5") and found.share_returned("langkah_7") == 0.0


def test_of_very_many_passes_the_newest_are_asked(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "MOST_SAMPLES", 3)
    returned_once(office)
    project(office)
    with office.database.read() as db:
        assert passes.samples(db, KEY).minutes == {"langkah_5": (900,), "langkah_6": (450,), "langkah_7": (60,)}


def test_the_passes_of_an_instance_are_complete_before_they_were_read(office: Office) -> None:
    id = returned_once(office)

    def told() -> tuple[forecast.PlannedPass, ...]:
        value = load(office, id)
        with office.database.read() as db:
            return passes.of_instance(db, office.rules, value)

    fresh = told()
    assert [(one.element, one.round, one.state, one.measured) for one in fresh] == [
        (f"langkah_{n}", 1, "selesai", True) for n in range(1, 8)]
    assert [one.minutes for one in fresh[4:]] == [900, 450, 60]
    project(office)
    assert told() == fresh
    opened = load(office, id).user_tasks[office.open(id)[1]].opened_at
    office.attach(id, "tim1", "rancangan_akhir")
    complete(office, id, "tim1", opened + timedelta(days=1), mengubah_angka="tidak", **FIVE)
    half_read = told()
    assert half_read[:7] == fresh and (half_read[7].element, half_read[7].round) == ("langkah_5", 2)
    project(office)
    assert told() == half_read


# -- the outlook ------------------------------------------------------------------------------------------------------

def outlook_of(office: Office, id: str, now: datetime, returns: int = 0) -> tuple[outlook.Outlook, int]:
    """The outlook and how many statements it took."""
    value = load(office, id)
    with office.database.read() as db, heard(office.database.engine) as said:
        return outlook.of_instance(db, office.rules, value, now, returns), len(said)


def test_an_outlook_is_the_forecast_with_its_finished_passes_in_front(office: Office) -> None:
    id = returned_once(office)
    project(office)
    value, now = load(office, id), MONDAY + timedelta(days=4)
    found, _ = outlook_of(office, id, now)
    alone = forecast.of_instance(office.rules, value, now, done=())
    assert found.likelihood is None
    assert found.forecast.finish == alone.finish and found.forecast.windows == alone.windows
    assert found.forecast.passes[7:] == alone.passes
    assert [one.state for one in found.forecast.passes[:7]] == ["selesai"] * 7


def test_twenty_instances_on_a_page_are_worked_out_once(office: Office) -> None:
    ids = [at_step_5(office, year) for year in range(2026, 2032)]
    project(office)
    now = MONDAY + timedelta(hours=1)
    first = [outlook_of(office, id, now)[1] for id in ids]
    assert first == [2, 1, 1, 1, 1, 1]          # the samples of the process once, then its own passes
    again = [outlook_of(office, id, now + timedelta(minutes=4)) for id in ids]
    assert [statements for _, statements in again] == [0] * 6
    moved, now = ids[0], now + timedelta(minutes=2)
    complete(office, moved, "tim1", now, **FIVE)
    later, statements = outlook_of(office, moved, now)
    assert statements > 0
    assert later.forecast.passes[4].state == "selesai"
    other, _ = outlook_of(office, moved, now, returns=1)
    assert len(other.forecast.passes) == len(later.forecast.passes) + 3


def test_a_forecast_is_worked_out_again_when_the_hour_is_over(office: Office) -> None:
    id = at_step_5(office)
    norm_at = load(office, id).user_tasks[office.open(id)[1]].norm_at
    assert norm_at is not None
    early, late = (outlook_of(office, id, norm_at + timedelta(hours=n))[0].forecast for n in (1, 3))
    assert early.finish is not None and late.finish is not None
    assert early.finish < late.finish


def test_a_likelihood_comes_with_the_fifth_finished_pass(office: Office) -> None:
    for year in range(2026, 2026 + ENOUGH_PASSES - 1):
        returned_once(office, year)
    id = at_step_5(office, 2040)
    project(office)
    now = MONDAY + timedelta(hours=1)
    assert outlook_of(office, id, now)[0].likelihood is None
    returned_once(office, 2039)
    project(office)
    now += outlook.SAMPLES_KEPT
    found = outlook_of(office, id, now)[0].likelihood
    assert found is not None
    assert found.measured == ("langkah_5", "langkah_6", "langkah_7")
    assert found.standard == ("langkah_8", "langkah_9")
    assert found.return_probability == {"langkah_7": 1.0}
    assert found.runs == outlook.RUNS
    again, statements = outlook_of(office, id, now)
    assert again.likelihood is found and statements == 0


def test_before_the_start_the_unit_sees_what_a_start_now_would_give(office: Office) -> None:
    start = calendars.next_opening(at("2027-01-02 00.00"), five_days())
    with office.database.read() as db:
        found = outlook.before_start(db, office.rules, KEY, UNIT, start, {"tahun_laporan": 2026})
        once = outlook.before_start(db, office.rules, KEY, UNIT, start, {"tahun_laporan": 2026}, returns=1)
        with pytest.raises(Refused):
            outlook.before_start(db, office.rules, KEY, "nowhere", start, {"tahun_laporan": 2026})
    assert found.forecast.finish == at("2027-03-02 10.20")
    assert found.forecast.latest_start == at("2026-12-30 11.40")
    assert once.forecast.finish == at("2027-03-18 11.50")
    assert found.likelihood is None
    for year in range(2026, 2031):
        returned_once(office, year)
    project(office)
    with office.database.read() as db:
        later = outlook.before_start(db, office.rules, KEY, UNIT, start + timedelta(hours=1), {"tahun_laporan": 2026})
    assert later.likelihood is not None and "langkah_5" in later.likelihood.measured


def test_what_is_remembered_is_bounded_and_of_one_database_only(
        office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlook, "MOST_REMEMBERED", 5)
    id = at_step_5(office)
    for hour in range(20):
        outlook_of(office, id, MONDAY + timedelta(hours=hour))
    with office.database.read() as db:
        assert len(outlook.Memory.of(db).known) == 5
        assert outlook.Memory.of(db) is outlook.Memory.of(db)


def test_the_tables_of_the_projection_may_be_empty_and_all_is_still_said(office: Office) -> None:
    id = returned_once(office)
    project(office)
    before, _ = outlook_of(office, id, MONDAY + timedelta(days=4))
    with office.database.begin() as db:
        db.execute(delete(schema.finished_pass))
        db.execute(delete(schema.projection))
        assert db.execute(select(func.count()).select_from(schema.finished_pass)).scalar() == 0
    value = load(office, id)
    with office.database.read() as db:
        assert passes.of_instance(db, office.rules, value) == before.forecast.passes[:7]
