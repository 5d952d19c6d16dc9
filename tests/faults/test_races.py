"""Eight rivals on one task, in two processes, on PostgreSQL: on SQLite this would prove nothing."""
from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from engine.bench import Office
from engine.handle import replayed
from tests.conftest import PostgreSQL

ROOT = Path(__file__).resolve().parents[2]
BPMN = ROOT / "bpmn" / "penyusunan_lkjpd" / "penyusunan_lkjpd.bpmn"


def rivals(url: str, threads: int) -> subprocess.Popen:
    started = subprocess.Popen([sys.executable, "-m", "tests.faults.rival", "race", url, str(BPMN), str(threads)],
                               cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert json.loads(started.stdout.readline()) == {"ready": True}
    return started


def race(url: str, rounds: int) -> None:
    office = Office.of(url, BPMN)
    id = office.begin(2026)
    processes = [rivals(url, 4) for _ in range(2)]
    try:
        for n in range(rounds):
            office.attach(id, "tim1", "rancangan_akhir")
            instance, number = office.open(id)
            data = {"tindak_lanjut": [{"hasil": "sudah"}], "tanggal_cetak": "2026-12-09"}
            if instance.rounds["langkah_5"] > 1:
                data["mengubah_angka"] = "tidak"
            at = office.request("tim1", None).at
            for place, one in enumerate(processes):
                one.stdin.write(json.dumps({"instance": id, "number": number, "data": data, "at": at.isoformat(),
                                            "name": f"round-{n}-{place}"}) + "\n")
                one.stdin.flush()
            told = Counter(code for one in processes for code in json.loads(one.stdout.readline())["told"])
            assert told == {"done": 1, "not_open": 7}, f"round {n}: {told}"
            after, _ = office.open(id)
            assert [task.element for task in after.user_tasks.values()] == ["langkah_6"]
            office.round(id, lambda one: one(), at="langkah_6")
        with office.database.read() as db:
            again, _ = replayed(db, office.rules, id)
        assert again == office.open(id)[0]
    finally:
        for one in processes:
            one.stdin.close()
            one.wait(timeout=20)
        office.database.close()


@pytest.mark.faults
def test_of_eight_rivals_one_completes_and_seven_are_told(postgresql: PostgreSQL) -> None:
    race(postgresql.create("races"), rounds=20)


@pytest.mark.soak
def test_of_eight_rivals_one_completes_and_seven_are_told_500_times(postgresql: PostgreSQL,
                                                                    soak_table: dict[str, str]) -> None:
    race(postgresql.create("many_races"), rounds=500)
    said = "500 completions, 3,500 told, replay equal"
    soak_table["eight rivals on one task, two processes, PostgreSQL, 500 rounds"] = said
