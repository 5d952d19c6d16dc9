"""When the clock jumps, forwards or backwards: each timer fires once, in order, and nothing is lost or doubled.

Nothing here waits. The worker is told the time, as by a machine that slept, was set, or lost its battery.
"""
from __future__ import annotations

import random
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from engine import organise
from engine.bench import Office, paper
from engine.commands import (
    AddComment,
    AskExtension,
    CompleteUserTask,
    GrantExtension,
    ResumeProcessInstance,
    StartProcessInstance,
    SuspendProcessInstance,
)
from engine.deploy import SYSTEM, deploy
from engine.events import TimerFired, UserTaskCompleted
from engine.handle import Request, handle, opening, replayed, start
from engine.instance import ProcessInstance, Step
from engine.organisation import AllowUnit, Bind, Change
from engine.store import instances
from engine.worker import Worker

CYCLE = Path(__file__).parent.parent / "diagrams" / "cycle_reminder.bpmn"
HOUR, DAY, MONTH, YEAR = timedelta(hours=1), timedelta(days=1), timedelta(days=30), timedelta(days=365)


def begin(office: Office, year: int = 2026) -> str:
    """A new LKjPD, at step 1: its norm of twenty minutes runs, and the deadline at the end of February."""
    data = {"tahun_laporan": year, "status_surat_edaran": "sudah", "nomor_surat_edaran": "900/1",
            "tanggal_surat_edaran": "2026-12-01", "tanggal_terima_surat_edaran": "2026-12-02"}
    with office.database.begin() as db:
        act: StartProcessInstance = opening(db, "penyusunan_lkjpd", "kecamatan_lasem", data=data,
                                            attachments={"surat_edaran": paper("surat_edaran")})
        id, _ = start(db, office.rules, office.database.key, office.request("sekcam", act))
    return id


def begin_cycle(office: Office) -> str:
    """An instance whose reminder repeats three times, a working hour apart."""
    acts = (AllowUnit(key="cycle_reminder", unit="kecamatan_lasem"),
            Bind(key="cycle_reminder", lane="staff", unit="kecamatan_lasem", position="camat_lasem"))
    with office.database.begin() as db:
        deploy(db, office.database.key, CYCLE.read_bytes(), actor=SYSTEM, reason="Uji", at=office.at)
        organise.change_all(db, office.database.key, [Change(id=str(n), at=office.at, actor=SYSTEM, act=act)
                                                      for n, act in enumerate(acts)])
    with office.database.begin() as db:
        act = opening(db, "cycle_reminder", "kecamatan_lasem", data={})
        id, _ = start(db, office.rules, office.database.key, office.request("camat", act))
    return id


def wake(office: Office, at: datetime) -> int:
    """What a worker that wakes at `at` fires, until nothing is left."""
    worker, fired = Worker(office.database, office.rules), 0
    while found := worker.fire_due(at):
        fired += found
    return fired


def say(office: Office, id: str, who: str, act: object, at: datetime) -> Step:
    """Somebody asks while the machine's clock says `at`."""
    request = Request(id=f"jump-{next(office.ids)}", act=act, person=who, at=at)    # type: ignore[arg-type]
    with office.database.begin() as db:
        [step] = handle(db, office.rules, office.database.key, id, [request])
    return step


def load(office: Office, id: str) -> ProcessInstance:
    instance, _ = office.open(id)
    return instance


def journal(office: Office, id: str) -> list[Step]:
    """The recorded Steps, proved: executed again they give the instance that stands there."""
    with office.database.read() as db:
        again, _ = replayed(db, office.rules, id)
        assert again == instances.load(db, id)
        return [step for step, _ in instances.steps(db, id)]


def fired(office: Office, id: str) -> list[str]:
    return [event.element for step in journal(office, id) for event in step.events if isinstance(event, TimerFired)]


def due(instance: ProcessInstance, at: datetime) -> list[str]:
    """The elements of the timers that are due at `at`, the longest due first."""
    running = sorted((one.due_at, one.number, one.element) for one in instance.timers.values() if one.due_at <= at)
    return [element for _, _, element in running]


@pytest.mark.parametrize("jump", [HOUR, DAY, MONTH, YEAR], ids=["an_hour", "a_day", "a_month", "a_year"])
def test_a_clock_that_jumps_forward_fires_what_became_due_once_and_in_order(office: Office, jump: timedelta) -> None:
    ids = [begin(office, year) for year in (2025, 2026, 2027)]
    at = office.at + jump
    expected = {id: due(load(office, id), at) for id in ids}
    assert any(expected.values())
    assert wake(office, at) == sum(map(len, expected.values()))
    assert {id: fired(office, id) for id in ids} == expected
    assert wake(office, at) == 0
    for id in ids:
        assert not due(load(office, id), at)


def test_one_long_jump_fires_what_a_clock_that_never_stopped_would_have_fired(office: Office) -> None:
    slow, fast = begin(office, 2026), begin(office, 2027)
    at = office.at
    while at < office.at + 3 * DAY:
        wake(office, at := at + HOUR)
    assert fired(office, slow) == fired(office, fast) == ["waktu_1"]
    third = begin(office, 2028)
    wake(office, office.at + 3 * DAY)
    assert fired(office, third) == fired(office, slow)


@pytest.mark.parametrize("jump", [HOUR, DAY, MONTH], ids=["an_hour", "a_day", "a_month"])
def test_a_clock_that_goes_back_fires_nothing_again_and_loses_nothing(office: Office, jump: timedelta) -> None:
    id = begin(office)
    there = load(office, id)
    (norm,) = [one for one in there.timers.values() if one.element == "waktu_1"]
    (deadline,) = [one for one in there.timers.values() if one.element != "waktu_1"]
    assert wake(office, norm.due_at) == 1
    stands = load(office, id)
    assert wake(office, norm.due_at - jump) == 0
    assert load(office, id) == stands
    assert wake(office, norm.due_at) == 0
    assert wake(office, deadline.due_at - timedelta(microseconds=1)) == 0
    assert wake(office, deadline.due_at) == 1
    assert fired(office, id) == ["waktu_1", "tenggat"]


def test_what_is_recorded_never_goes_back_and_says_what_the_clock_said(office: Office) -> None:
    id = begin(office)
    ahead = office.at + MONTH               # the clock was set a month ahead, a timer fired, and it was set right again
    assert wake(office, ahead) == 1
    step = say(office, id, "camat", CompleteUserTask(
        user_task=next(iter(load(office, id).user_tasks)), data={"arahan": "Susun Tim."}), office.at + HOUR)
    assert (step.command.at, step.command.read_at) == (ahead, office.at + HOUR)
    (task,) = load(office, id).user_tasks.values()
    assert task.opened_at == ahead and task.norm_at is not None and task.norm_at > ahead
    assert wake(office, office.at + 2 * HOUR) == 0      # the next norm is counted from where the record stands
    assert wake(office, task.norm_at) == 1
    assert fired(office, id) == ["waktu_1", "waktu_2"]


def test_a_clock_that_jumps_to_and_fro_loses_and_doubles_nothing(office: Office, seed: int) -> None:
    dice = random.Random(seed)
    ids = [begin(office, year) for year in (2025, 2026, 2027)]
    clock, furthest = office.at, office.at
    for _ in range(25):
        clock += dice.choice([HOUR, DAY, 9 * DAY, MONTH, -HOUR, -DAY, -MONTH]) * dice.randint(1, 3)
        furthest = max(furthest, clock)
        if dice.random() < 0.4:
            say(office, dice.choice(ids), "camat", AddComment(text="Sedang ditelaah."), clock)
        wake(office, clock)
    wake(office, furthest)
    for id in ids:
        instance, steps = load(office, id), journal(office, id)
        moments = [step.command.at for step in steps]
        assert moments == sorted(moments)
        told = [(event.timer, step.command.at) for step in steps for event in step.events
                if isinstance(event, TimerFired)]
        assert len({number for number, _ in told}) == len(told)
        assert not due(instance, furthest)
        assert len(told) + len(instance.timers) == 2    # the norm of step 1 and the deadline: each fired, or runs


def test_two_workers_whose_clocks_differ_fire_each_timer_once(office: Office) -> None:
    ids = [begin(office, year) for year in range(2026, 2038)]
    failed: list[Exception] = []
    barrier = threading.Barrier(3)

    def run(at: datetime) -> None:
        barrier.wait()
        try:
            wake(office, at)
        except Exception as error:          # an exception in a thread would pass unseen
            failed.append(error)

    threads = [threading.Thread(target=run, args=(office.at + jump,)) for jump in (DAY, DAY + HOUR, -DAY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wake(office, office.at + DAY)           # what the one left to the other
    assert failed == []
    assert [fired(office, id) for id in ids] == [["waktu_1"]] * len(ids)


def test_the_timer_of_a_suspended_instance_waits_through_any_jump_and_fires_once_after(office: Office) -> None:
    id, other = begin(office, 2026), begin(office, 2027)
    before = load(office, id).timers
    say(office, id, "camat", SuspendProcessInstance(reason="Menunggu pejabat baru"), office.at)
    for jump in (HOUR, DAY, MONTH, -MONTH, YEAR):
        wake(office, office.at + jump)
    assert fired(office, id) == [] and load(office, id).timers == before
    assert "waktu_1" in fired(office, other)            # nobody else waits
    say(office, id, "camat", ResumeProcessInstance(reason="Sudah dilantik"), office.at + MONTH)
    assert wake(office, office.at + MONTH) == 1
    assert wake(office, office.at + MONTH) == 0
    assert fired(office, id) == ["waktu_1"]


def test_what_is_completed_while_the_worker_sleeps_is_late_and_reminds_nobody(office: Office) -> None:
    id = begin(office)
    number = next(iter(load(office, id).user_tasks))
    step = say(office, id, "camat", CompleteUserTask(user_task=number, data={"arahan": "Susun Tim."}),
               office.at + 9 * DAY)
    assert [event.late for event in step.events if isinstance(event, UserTaskCompleted)] == [True]
    assert wake(office, office.at + 9 * DAY) == 0
    assert fired(office, id) == []


def test_a_cycle_that_was_slept_through_catches_up_once_and_then_goes_on(office: Office) -> None:
    id, at = begin_cycle(office), office.at
    for left in (2, 1):
        assert wake(office, at := at + 9 * DAY) == 1
        (timer,) = load(office, id).timers.values()
        assert timer.left == left and timer.due_at > at
    assert wake(office, at := at + 9 * DAY) == 1
    assert wake(office, at + MONTH) == 0
    assert fired(office, id) == ["every_hour"] * 3


def test_a_jump_over_the_old_limit_of_an_extended_step_fires_at_the_new_one(office: Office) -> None:
    id = office.begin(2026)
    (task,) = load(office, id).user_tasks.values()
    assert task.late_at is not None
    until = (task.late_at + 9 * DAY).date().isoformat()
    asked = AskExtension(user_task=task.number, until=until, reason="Data belum lengkap")
    say(office, id, "tim1", asked, office.at)
    say(office, id, "camat", GrantExtension(user_task=task.number), office.at)
    (now,) = load(office, id).user_tasks.values()
    assert now.norm_at == task.norm_at and now.late_at is not None and now.late_at > task.late_at
    assert wake(office, now.late_at - timedelta(microseconds=1)) == 0
    assert wake(office, now.late_at) == 1
    assert fired(office, id) == ["waktu_5"]
