"""The release check: journals that earlier releases recorded come out the same when this one runs their commands."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine import handle
from engine.execution import ENGINE
from engine.process import ReplayDiverged
from engine.store import instances, journal, records
from tests.recorded import KEY, Recording, opened, recordings

RECORDED = recordings()
pytestmark = pytest.mark.database


def test_what_is_recorded_shows_every_kind_of_act_on_an_instance_that_a_release_may_break() -> None:
    acts = {json.loads(body)["command"]["act"]["type"] for one in RECORDED for body, _hash, _mac in one.rows}
    assert acts >= {
        "StartProcessInstance", "CompleteUserTask", "FireTimer", "AttachDocument", "OweRequirement",
        "SettleRequirement", "WaiveRequirement", "AskExtension", "GrantExtension", "SuspendProcessInstance",
        "ResumeProcessInstance", "ChangeCalendar", "MigrateProcessInstance", "UndoMigration", "Correct",
        "ReassignUserTask", "ClaimUserTask", "ReleaseUserTask", "AddComment", "CancelProcessInstance"}
    capacities = {json.loads(body)["command"]["actor"]["capacity"] for one in RECORDED for body, *_ in one.rows}
    assert {"definitif", "plh", "tim", "administrator"} <= capacities
    statuses = {one.status for one in RECORDED}
    assert {"completed", "cancelled"} <= statuses


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda one: one.name)
def test_a_recorded_journal_replays_to_the_same_events_and_markings(recorded: Recording, tmp_path: Path) -> None:
    database = opened(tmp_path / "alur.db")
    with database.begin() as db:
        recorded.put(db)
    with database.read() as db:
        entries = list(journal.read(db, instances.stream(recorded.id), key=KEY))     # hashes, values and seals
        instance, steps = handle.replayed(db, recorded.rules, recorded.id)
    database.close()
    assert len(steps) == len(entries) == len(recorded.rows)
    assert {entry.engine for entry in entries} == {recorded.engine}
    assert (instance.marking.hash, instance.status) == (recorded.marking, recorded.status)


def rewritten(recorded: Recording, engine: str, marking: str) -> Recording:
    """The same journal as another engine would have written it, its chain and hashes made anew."""
    rows, prev = [], None
    for body, _hash, mac in recorded.rows:
        shape = {**json.loads(body), "engine": engine, "marking_hash": marking, "prev": prev}
        data = records.canonical(shape)
        prev = hashlib.sha256(b"\0" + data).hexdigest()
        rows.append((data.decode(), prev, mac))
    return replace(recorded, rows=tuple(rows), engine=engine)


def test_under_another_engine_version_the_events_must_agree_and_the_marking_comes_out_converted(
        tmp_path: Path) -> None:
    recorded = next(one for one in RECORDED if "dikembalikan" in one.name)
    other = rewritten(recorded, "alur 0, SpiffWorkflow 0.0", "0" * 64)
    database = opened(tmp_path / "alur.db")
    with database.begin() as db:
        other.put(db)
    with database.read() as db:
        instance, _steps = handle.replayed(db, other.rules, other.id)
    database.close()
    assert instance.marking.hash == recorded.marking


def test_under_the_same_engine_version_another_marking_is_seen_at_its_first_row(tmp_path: Path) -> None:
    recorded = next(one for one in RECORDED if "dikembalikan" in one.name)
    database = opened(tmp_path / "alur.db")
    with database.begin() as db:
        rewritten(recorded, ENGINE, "0" * 64).put(db)
    with database.read() as db, pytest.raises(ReplayDiverged, match="Step 1 of"):
        handle.replayed(db, recorded.rules, recorded.id)
    database.close()


def test_a_release_that_decides_otherwise_is_seen_at_the_row(tmp_path: Path) -> None:
    # As if this release ended where the recorded one did not: the same command gives another event.
    recorded = next(one for one in RECORDED if "dikembalikan" in one.name)
    rows = list(recorded.rows)
    shape = json.loads(rows[-1][0])
    assert shape["events"].pop()["type"] == "ProcessInstanceCompleted"
    data = records.canonical(shape)
    rows[-1] = (data.decode(), hashlib.sha256(b"\0" + data).hexdigest(), rows[-1][2])
    database = opened(tmp_path / "alur.db")
    with database.begin() as db:
        replace(recorded, rows=tuple(rows)).put(db)
    with database.read() as db, pytest.raises(ReplayDiverged, match=f"Step {len(rows)} of"):
        handle.replayed(db, recorded.rules, recorded.id)
    database.close()
