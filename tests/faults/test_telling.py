"""Two processes that tell and mail at once, and one that is killed while it does: on PostgreSQL, nothing is told or
mailed twice, nothing is lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from engine.bench import Office
from engine.notify import LEASE
from engine.store import schema
from tests.conftest import PostgreSQL
from tests.engine.test_notify import MOMENT, begin, everything, task_of, told, with_addresses
from tests.smtp import served, wait_for

ROOT = Path(__file__).resolve().parents[2]
BPMN = ROOT / "bpmn" / "penyusunan_lkjpd" / "penyusunan_lkjpd.bpmn"
INSTANCES = 20


def teller(url: str, port: int) -> subprocess.Popen[str]:
    started = subprocess.Popen([sys.executable, "-m", "tests.faults.rival", "tell", url, str(BPMN), str(port)],
                               cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert heard(started) == {"ready": True}
    return started


def heard(one: subprocess.Popen[str]) -> Any:
    assert one.stdout is not None
    return json.loads(one.stdout.readline())


def ask(one: subprocess.Popen[str], at: datetime) -> None:
    assert one.stdin is not None
    one.stdin.write(json.dumps({"at": at.isoformat()}) + "\n")
    one.stdin.flush()


def ended(one: subprocess.Popen[str]) -> None:
    assert one.stdin is not None
    one.stdin.close()
    assert one.wait(timeout=20) == 0


def busy_office(url: str) -> tuple[Office, list[str]]:
    """Step 1 of many instances, and a Kepala PD and a Sekretaris PD with addresses."""
    office = Office.of(url, BPMN)
    ids = [begin(office, year) for year in range(2026, 2026 + INSTANCES)]
    with_addresses(office, "camat", "sekcam")
    return office, ids


@pytest.mark.faults
def test_two_processes_at_once_tell_and_mail_everything_once(postgresql: PostgreSQL) -> None:
    url = postgresql.create("telling")
    office, ids = busy_office(url)
    late_at = task_of(office, ids[0]).late_at
    with served() as post:
        tellers = [teller(url, post.port) for _ in range(2)]
        said: Counter[str] = Counter()
        for at in (office.at + MOMENT, late_at, late_at):
            for one in tellers:
                ask(one, at)
            for one in tellers:
                said.update(heard(one))
        for one in tellers:
            ended(one)
    for id in ids:
        assert told(office, id) == {("tugas_baru", "camat"), ("lewat_batas", "camat"), ("lewat_batas", "sekcam")}
    assert said == {"told": 3 * INSTANCES, "sent": 3 * INSTANCES}
    assert {one.mail for one in everything(office)} == {"sent"}
    assert set(Counter(one.message["Message-ID"] for one in post.taken).values()) == {1}
    assert len(post.taken) == 3 * INSTANCES
    office.database.close()


@pytest.mark.faults
def test_a_process_killed_while_it_mails_loses_nothing_and_repeats_at_most_the_mail_it_held(
    postgresql: PostgreSQL
) -> None:
    url = postgresql.create("killed_telling")
    office, ids = busy_office(url)
    at, kills = office.at + MOMENT, 4
    with served() as post:
        for n in range(kills):
            one, taken = teller(url, post.port), len(post.taken)
            ask(one, at)
            wait_for(lambda taken=taken, n=n: len(post.taken) >= taken + 1 + n)
            one.send_signal(signal.SIGKILL)
            one.communicate(timeout=20)
        assert len(everything(office)) == INSTANCES
        last = teller(url, post.port)
        ask(last, at + LEASE)           # what the killed ones held is free again
        heard(last)
        ended(last)
        assert {one.mail for one in everything(office)} == {"sent"}
        arrived = Counter(one.message["Message-ID"] for one in post.taken)
        assert arrived.keys() == {f"<{one.id}@alur.example>" for one in everything(office)}
        assert sum(arrived.values()) <= INSTANCES + kills
    with office.database.begin() as db:         # and what stands there can be changed: no lock was left behind
        db.execute(update(schema.notice).values(seen_at=None))
    assert len(ids) == INSTANCES
    office.database.close()
