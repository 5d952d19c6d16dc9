"""kill -9 in the middle of completions: nothing acknowledged is lost, nothing doubled, every hash follows."""
from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.bench import Office
from engine.handle import replayed
from engine.store import instances, journal
from engine.store.schema import instance as instance_table
from engine.store.schema import journal as journal_table
from engine.store.schema import timer, user_task

ROOT = Path(__file__).resolve().parents[2]
BPMN = ROOT / "bpmn" / "penyusunan_lkjpd" / "penyusunan_lkjpd.bpmn"


def life(url: str, id: str, name: str, seconds: float) -> set[str]:
    """Work on the instance until killed; the command ids that were acknowledged."""
    worker = subprocess.Popen([sys.executable, "-m", "tests.faults.rival", "work", url, str(BPMN), id, name], cwd=ROOT,
                              text=True, stdout=subprocess.PIPE)
    assert json.loads(worker.stdout.readline()) == {"ready": True}
    try:
        worker.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        pass
    assert worker.poll() is None, "it works until it is killed; it ended by itself"
    worker.send_signal(signal.SIGKILL)
    rest, _ = worker.communicate(timeout=20)
    whole = rest[:rest.rfind("\n") + 1].splitlines()        # the last line may be cut
    return {json.loads(line)["acknowledged"] for line in whole}


def crash(url: str, kills: int, seed: int) -> int:
    """Kill as often, and look; how many completions were acknowledged."""
    chance = random.Random(seed)
    office = Office.of(url, BPMN)
    id = office.begin(2026)
    acknowledged: set[str] = set()
    for n in range(kills):
        acknowledged |= life(url, id, f"life-{n}", chance.uniform(0.05, 0.6))
    with office.database.read() as db:
        written = select(journal_table.c.command_id).where(journal_table.c.stream == instances.stream(id))
        ids = db.execute(written).scalars().all()
        assert len(acknowledged) >= kills, f"{len(acknowledged)} acknowledged: the lives were too short to say anything"
        assert acknowledged <= set(ids), "acknowledged and lost"
        assert len(ids) == len(set(ids)), "doubled"
        for name in journal.streams(db):
            for _ in journal.read(db, name):                # each row against its hash and the row before
                pass
        again, told = replayed(db, office.rules, id)
        now = instances.load(db, id)
        assert again == now and len(told) == len(ids)
        assert db.execute(select(instance_table.c.sequence).where(instance_table.c.id == id)).scalar() == len(ids)
        for table, numbers in ((user_task, now.user_tasks), (timer, now.timers)):
            rows = db.execute(select(table.c.number).where(table.c.instance == id))
            assert set(rows.scalars()) == set(numbers), table.name
    office.database.close()
    return len(acknowledged)


@pytest.mark.faults
def test_ten_kills_lose_and_double_nothing(database_url: str, seed: int) -> None:
    crash(database_url, 10, seed)


@pytest.mark.soak
def test_two_hundred_kills_lose_and_double_nothing(database_url: str, seed: int, soak_table: dict[str, str]) -> None:
    acknowledged = crash(database_url, 200, seed)
    soak_table[f"kill -9 in the middle of completions, {database_url.split(':')[0].split('+')[0]}, 200 kills"] = (
        f"{acknowledged:,} acknowledged, none lost, none doubled, every hash follows, replay equal")
