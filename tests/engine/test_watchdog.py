"""The watchdog in seconds: a decision that never ends is taken back, and the office goes on."""
from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import select

from engine import handle as verbs
from engine import process
from engine.bench import Office
from engine.commands import CompleteUserTask, RaiseIncident, ResolveIncident
from engine.store import schema
from engine.watchdog import TookTooLong, Watchdog
from tests.engine.test_worker import begin, load


def busy() -> None:
    while True:
        sum(range(100))


def swallowing() -> None:
    while True:
        try:
            sum(range(100))
        except Exception:       # what nobody on the way may do to it
            continue


@pytest.mark.parametrize("work", [busy, swallowing])
def test_work_that_never_ends_is_ended_and_nothing_is_left_behind(work: Any) -> None:
    dog = Watchdog(seconds=0.2, patrol_seconds=0.02)
    for _ in range(3):
        with pytest.raises(TookTooLong, match=r"at most 0\.2"):
            dog.watch(work)
    assert dog.at_work == {}
    assert dog.watch(lambda: 1 + 1) == 2
    assert sum(range(200_000)) > 0 and dog.watch(lambda: "still here") == "still here"


def test_each_thread_is_ended_for_itself() -> None:
    dog, told = Watchdog(seconds=0.3, patrol_seconds=0.02), []

    def run(work: Any) -> None:
        try:
            told.append(dog.watch(work))
        except TookTooLong:
            told.append("ended")
    threads = [threading.Thread(target=run, args=(work,)) for work in (busy, lambda: "quick", busy)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(told) == ["ended", "ended", "quick"] and dog.at_work == {}


def test_waiting_is_not_working() -> None:
    dog, never = Watchdog(seconds=0.05, patrol_seconds=0.01), threading.Event()
    assert dog.watch(lambda: never.wait(0.3)) is False


def test_a_decision_without_an_end_is_an_incident_that_is_recorded_once(
        office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    id, other = begin(office), begin(office, 2027)
    before, number = load(office, id), office.open(id)[1]
    decide, asked = process.decide, []

    def endless(rules: Any, instance: Any, command: Any) -> Any:
        if instance.id == id and isinstance(command.act, CompleteUserTask):
            asked.append(command.id)
            busy()
        return decide(rules, instance, command)
    monkeypatch.setattr(process, "decide", endless)
    monkeypatch.setattr(verbs, "watchdog", Watchdog(seconds=0.2, patrol_seconds=0.02))
    request = office.request("camat", CompleteUserTask(user_task=number, data={"arahan": "Susun."}))
    for _ in range(3):          # the page is sent again, and once more
        with office.database.begin() as db:
            (step,) = verbs.handle(db, office.rules, office.database.key, id, [request])
        assert isinstance(step.command.act, RaiseIncident) and step.sequence == 2
    stood = load(office, id)
    assert len(asked) == 1 and stood.marking == before.marking and stood.user_tasks == before.user_tasks
    assert [one.kind for one in stood.incidents.values()] == ["watchdog"]
    with office.database.read() as db:
        assert [(row.person, row.data) for row in db.execute(select(schema.draft))] == [
            ("camat", '{"arahan":"Susun."}')]
        assert [row.sequence for row in db.execute(select(schema.incident))] == [2]
    office.complete(other, "camat", arahan="Susun.")
    assert [task.element for task in load(office, other).user_tasks.values()] == ["langkah_2"]
    monkeypatch.setattr(process, "decide", decide)
    office.do(id, "admin", ResolveIncident(incident=1, reason="Aplikasi diperbarui"))
    with office.database.begin() as db:         # the very same form, once the cause is gone
        (step,) = verbs.handle(db, office.rules, office.database.key, id, [request])
    assert isinstance(step.command.act, CompleteUserTask)
    assert [task.element for task in load(office, id).user_tasks.values()] == ["langkah_2"]
    with office.database.read() as db:
        assert verbs.replayed(db, office.rules, id)[0] == load(office, id)


def test_a_stack_that_is_too_deep_is_an_incident_too(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    id, decide = begin(office), process.decide
    number = office.open(id)[1]

    def deep(rules: Any, instance: Any, command: Any) -> Any:
        return deep(rules, instance, command) if isinstance(command.act, CompleteUserTask) else decide(
            rules, instance, command)
    monkeypatch.setattr(process, "decide", deep)
    with office.database.begin() as db:
        request = office.request("camat", CompleteUserTask(user_task=number, data={"arahan": "Susun."}))
        verbs.handle(db, office.rules, office.database.key, id, [request])
    assert [one.kind for one in load(office, id).incidents.values()] == ["watchdog"]
