"""Calendars that change under running instances: open due dates move, once and with a reason; what is over stays."""
from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from engine import organise, recalendar
from engine.bench import Office, paper
from engine.calendars import Calendar, Holiday, five_days, six_days
from engine.commands import (
    Actor,
    CancelProcessInstance,
    ChangeCalendar,
    ResumeProcessInstance,
    StartProcessInstance,
    SuspendProcessInstance,
)
from engine.deploy import SYSTEM
from engine.events import CalendarChanged, DueDatesMoved, TimerMoved
from engine.handle import Request, fire, handle, opening, replayed, start
from engine.instance import ProcessInstance, Refused, Step
from engine.organisation import Change, ConfirmReading, WithdrawReading
from engine.store import definitions, instances, schema
from engine.store.database import Database, open_database
from engine.store.prepared import heard
from engine.worker import Worker

LASEM, INSPEKTORAT, LKJPD = "kecamatan_lasem", "inspektorat_daerah", "penyusunan_lkjpd"
ADMIN = Actor(person="admin", capacity="administrator", administrator=True)
WHY = "Pemerintah menetapkan cuti bersama tambahan"


def with_holiday(calendar: Calendar, *days: date) -> Calendar:
    extra = tuple(Holiday(date=day, name="Libur daerah", kind="libur_daerah") for day in days)
    return replace(calendar, holidays=(*calendar.holidays, *extra))


def publish(office: Office, calendar: Calendar, *, id: str = "libur", unit: str = LASEM, over: str | None = None,
            actor: Actor = ADMIN, reason: str = WHY) -> recalendar.Published:
    return recalendar.publish(office.database, office.rules, unit, calendar, actor=actor, reason=reason, command_id=id,
                              at=office.at, over=over)


def record_only(office: Office, calendar: Calendar, *, id: str = "libur", unit: str = LASEM) -> None:
    """What a process leaves that ends right after the publication."""
    with office.database.begin() as db:
        definitions.publish_calendar(db, office.database.key, unit, calendar, actor=ADMIN, reason=WHY, at=office.at,
                                     command_id=id)


def load(office: Office, id: str) -> ProcessInstance:
    with office.database.read() as db:
        found = instances.load(db, id)
    assert found is not None
    return found


def task_of(instance: ProcessInstance) -> Any:
    [task] = instance.user_tasks.values()
    return task


def next_days(office: Office, count: int = 2) -> list[date]:
    """The next working days after the office's today: in the way of everything that is counted in days."""
    today = office.at.astimezone(ZoneInfo("Asia/Jakarta")).date()
    days = (today + timedelta(days=n) for n in range(1, 30))
    return [day for day in days if five_days().hours(day)][:count]


def steps(office: Office, id: str) -> list[Step]:
    with office.database.read() as db:
        return [step for step, _ in instances.steps(db, id)]


def changes(office: Office, id: str) -> list[Step]:
    return [step for step in steps(office, id) if any(isinstance(one, CalendarChanged) for one in step.events)]


def must_replay(office: Office, id: str) -> None:
    with office.database.read() as db:
        assert replayed(db, office.rules, id)[0] == instances.load(db, id)


def refusal(action: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        action()
    return caught.value


# Publishing

def test_a_holiday_added_moves_open_due_dates_and_timers_as_events_with_old_new_and_why(office: Office) -> None:
    id = office.begin(2026)
    before, recorded = load(office, id), steps(office, id)
    task = task_of(before)
    done = publish(office, with_holiday(five_days(), *next_days(office)))
    after = load(office, id)
    [(moved_id, step)] = done.moved
    [changed] = [one for one in step.events if isinstance(one, CalendarChanged)]
    [due] = [one for one in step.events if isinstance(one, DueDatesMoved)]
    timers = [one for one in step.events if isinstance(one, TimerMoved)]
    assert moved_id == id and done.left == ()
    assert {(old, new) for _, old, new in changed.changes} == {(five_days().sha256, done.sha256)}
    assert (due.norm_before, due.late_before) == (task.norm_at, task.late_at)
    assert (due.norm_at, due.late_at) == (task_of(after).norm_at, task_of(after).late_at)
    assert due.late_at > due.late_before
    [norm] = [one for one in timers if before.timers[one.timer].user_task == task.number and one.due_at == due.norm_at]
    assert (norm.before, norm.calendar) == (before.timers[norm.timer].due_at, done.sha256)
    assert isinstance(step.command.act, ChangeCalendar)
    assert WHY in step.command.act.reason and "Kantor Kecamatan Lasem" in step.command.act.reason
    assert steps(office, id)[:-1] == recorded               # what is over stays as it was computed
    assert set(after.calendars.values()) == {done.sha256}
    with office.database.read() as db:
        due_dates = db.execute(schema.user_task.select().where(schema.user_task.c.instance == id)).one()
        rows = db.execute(schema.timer.select().where(schema.timer.c.instance == id)).all()
    assert datetime.fromisoformat(due_dates.late_at) == due.late_at
    assert {row.number: datetime.fromisoformat(row.due_at) for row in rows} == \
        {one.number: one.due_at for one in after.timers.values()}
    must_replay(office, id)


def test_a_suspended_instance_is_changed_and_its_timers_wait_on(office: Office) -> None:
    id = office.begin(2026)
    office.do(id, "admin", SuspendProcessInstance(reason="Pejabat berganti"))
    before = task_of(load(office, id))
    [(_, step)] = publish(office, with_holiday(five_days(), *next_days(office))).moved
    after = load(office, id)
    assert task_of(after).late_at > before.late_at and after.status == "suspended"
    assert [one for one in step.events if isinstance(one, TimerMoved)]
    office.do(id, "admin", ResumeProcessInstance(reason="Sudah dilantik"))
    norm = next(one for one in after.timers.values() if one.user_task == task_of(after).number
                and one.due_at == task_of(after).norm_at)
    with office.database.begin() as db:
        assert fire(db, office.rules, office.database.key, id, norm.number, norm.due_at, norm.due_at)
    must_replay(office, id)


def test_what_has_ended_stays_as_it_was(office: Office) -> None:
    id = office.begin(2026)
    office.do(id, "admin", CancelProcessInstance(reason="Keliru"))
    recorded = steps(office, id)
    assert publish(office, with_holiday(five_days(), *next_days(office))).moved == ()
    assert recalendar.catch_up(office.database, office.rules) == (0, 0)
    assert steps(office, id) == recorded


def test_going_back_to_an_earlier_calendar_is_a_change_of_its_own(office: Office) -> None:
    id = office.begin(2026)
    before = task_of(load(office, id))
    busy = with_holiday(five_days(), *next_days(office))
    for number, calendar in enumerate([busy, five_days(), busy, five_days()]):
        assert len(publish(office, calendar, id=f"ke-{number}").moved) == 1
    assert len(changes(office, id)) == 4
    assert task_of(load(office, id)).late_at == before.late_at
    must_replay(office, id)


def begin_only(office: Office, year: int, **calendars: str) -> str:
    with office.database.begin() as db:
        data = {"tahun_laporan": year, "status_surat_edaran": "sudah", "nomor_surat_edaran": "900/1",
                "tanggal_surat_edaran": "2026-12-01", "tanggal_terima_surat_edaran": "2026-12-02"}
        act: StartProcessInstance = opening(db, LKJPD, LASEM, data=data,
                                            attachments={"surat_edaran": paper("surat_edaran")})
        act = replace(act, calendars={**act.calendars, **calendars})
        id, _ = start(db, office.rules, office.database.key, office.request("sekcam", act))
    return id


def test_another_office_moves_the_lane_that_it_performs_and_nothing_else(office: Office) -> None:
    id = office.begin(2026)
    kecamatan = load(office, id).calendars[""]
    done = publish(office, six_days(), unit=INSPEKTORAT)
    after = load(office, id)
    assert [one for one, _ in done.moved] == [id]
    assert after.calendars["inspektorat"] == six_days().sha256
    assert {sha for lane, sha in after.calendars.items() if lane != "inspektorat"} == {kecamatan}
    [(_, step)] = done.moved
    assert not [one for one in step.events if isinstance(one, DueDatesMoved)]      # step 5 is the team's
    publish(office, with_holiday(five_days(), *next_days(office)), id="kecamatan")
    assert load(office, id).calendars["inspektorat"] == six_days().sha256
    must_replay(office, id)


def test_a_calendar_that_nobody_published_is_left_alone(office: Office) -> None:
    own = with_holiday(five_days(), date(2027, 6, 2))
    with office.database.begin() as db:         # known, and no unit's
        db.execute(schema.calendar.insert().values(sha256=own.sha256, name=own.name, body=own.body))
    office.begin(2027)
    id = begin_only(office, 2026, **dict.fromkeys(
        ["", "kepala_pd", "sekretaris_pd", "tim_penyusun", "inspektorat"], own.sha256))
    moved = publish(office, with_holiday(five_days(), *next_days(office))).moved
    assert id not in [one for one, _ in moved] and len(moved) == 1
    assert set(load(office, id).calendars.values()) == {own.sha256}


# Left behind

def test_what_a_crash_left_between_publishing_and_changing_is_caught_up(office: Office) -> None:
    ids = [office.begin(year) for year in (2026, 2027)]
    calendar = with_holiday(five_days(), *next_days(office))
    record_only(office, calendar)
    assert [changes(office, id) for id in ids] == [[], []]
    assert recalendar.catch_up(office.database, office.rules, office.at) == (2, 0)
    assert recalendar.catch_up(office.database, office.rules, office.at) == (0, 0)
    for id in ids:
        assert set(load(office, id).calendars.values()) == {calendar.sha256}
        assert WHY in changes(office, id)[0].command.act.reason     # type: ignore[union-attr]
        must_replay(office, id)


def test_a_crash_half_way_leaves_the_rest_to_who_comes_next(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [office.begin(year) for year in (2026, 2027, 2028)]
    calendar = with_holiday(five_days(), *next_days(office))
    whole = recalendar.bring
    done: list[str] = []

    class Crash(BaseException):
        """Not an error that anybody handles: the process is gone."""

    def once(database: Database, rules: Any, id: str, at: datetime | None = None) -> Step | None:
        if done:
            raise Crash
        done.append(id)
        return whole(database, rules, id, at)

    monkeypatch.setattr(recalendar, "bring", once)
    with pytest.raises(Crash):
        publish(office, calendar)
    monkeypatch.undo()
    assert sum(len(changes(office, id)) for id in ids) == 1
    assert recalendar.catch_up(office.database, office.rules, office.at) == (2, 0)
    assert [len(changes(office, id)) for id in ids] == [1, 1, 1]


def test_the_worker_catches_up_and_then_asks_one_statement_a_round(office: Office) -> None:
    id = office.begin(2026)
    worker = Worker(office.database, office.rules)
    worker.follow_calendars()
    assert changes(office, id) == []
    record_only(office, with_holiday(five_days(), *next_days(office)))
    worker.follow_calendars()
    assert len(changes(office, id)) == 1
    worker.calendars_at = 0.0               # the second look, a little later
    worker.follow_calendars()
    with heard(office.database.engine) as said:
        worker.follow_calendars()
    assert [one.sql for one in said if "SELECT" in one.sql] == [one.sql for one in said][-1:]
    assert len([one for one in said if "SELECT" in one.sql]) == 1
    assert len(changes(office, id)) == 1


def test_an_instance_that_cannot_be_read_stops_nobody(office: Office) -> None:
    broken, healthy = office.begin(2026), office.begin(2027)
    with office.database.begin() as db:
        db.execute(update(schema.instance).where(schema.instance.c.id == broken).values(state=b"{"))
    assert [id for id, _ in publish(office, with_holiday(five_days(), *next_days(office))).moved] == [healthy]
    assert recalendar.catch_up(office.database, office.rules, office.at) == (0, 0)


def test_two_processes_at_once_change_once(office: Office) -> None:
    ids = [office.begin(year) for year in (2026, 2027, 2028, 2029)]
    calendar = with_holiday(five_days(), *next_days(office))
    url = office.database.engine.url.render_as_string(hide_password=False)
    barrier = threading.Barrier(3)
    told: list[object] = []

    def another(name: str) -> None:
        database = open_database(url, office.database.key)
        rules = definitions.rules(database)
        try:
            barrier.wait()
            if name == "publishes":
                told.append(recalendar.publish(database, rules, LASEM, calendar, actor=ADMIN, reason=WHY,
                                               command_id="libur", at=office.at))
            else:
                for _ in range(5):
                    recalendar.catch_up(database, rules, office.at)
        except Exception as error:          # an exception in a thread would pass unseen
            told.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=another, args=(name,)) for name in ("publishes", "catches up", "catches up too")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [published] = told
    assert isinstance(published, recalendar.Published), published
    recalendar.catch_up(office.database, office.rules, office.at)
    assert sorted(id for id, _ in published.moved) == sorted(ids)
    for id in ids:
        assert len(changes(office, id)) == 1
        must_replay(office, id)


# Beforehand, and what is refused

def test_a_rehearsal_says_what_will_happen_and_writes_nothing(office: Office) -> None:
    ids = [office.begin(year) for year in (2026, 2027)]
    calendar = with_holiday(five_days(), *next_days(office))
    before = {id: steps(office, id) for id in ids}
    with office.database.read() as db:
        rehearsal = recalendar.rehearse(db, office.rules, LASEM, calendar, office.at)
    assert {id: steps(office, id) for id in ids} == before and rehearsal.more == 0
    done = dict(publish(office, calendar).moved)
    assert {instance.id: step.events for instance, step in rehearsal.steps} == \
        {id: step.events for id, step in done.items()}


def test_a_repeat_changes_nothing_and_another_content_is_refused(office: Office) -> None:
    id = office.begin(2026)
    first, second = (with_holiday(five_days(), *next_days(office, n)) for n in (1, 2))
    publish(office, first, id="formulir", over=five_days().sha256)
    publish(office, second, id="lain")
    again = publish(office, first, id="formulir", over=five_days().sha256)
    with office.database.read() as db:
        assert definitions.calendar_of(db, LASEM) == second.sha256
        assert len(definitions.publications(db, LASEM)) == 3
    assert again.moved == () and len(changes(office, id)) == 2
    assert refusal(lambda: publish(office, five_days(), id="formulir")).code == "other"


def test_a_change_drawn_from_an_older_version_is_refused(office: Office) -> None:
    drawn_from = five_days().sha256
    publish(office, with_holiday(five_days(), *next_days(office, 1)), id="pertama", over=drawn_from)
    other = with_holiday(five_days(), *next_days(office, 2))
    assert refusal(lambda: publish(office, other, id="kedua", over=drawn_from)).code == "stale"
    with office.database.read() as db:
        assert len(definitions.publications(db, LASEM)) == 2


def test_only_administrators_publish_with_a_reason_for_a_unit_a_calendar_that_counts(office: Office) -> None:
    busy = with_holiday(five_days(), *next_days(office))
    idle = replace(five_days(), week=((),) * 7, seasons=())
    assert refusal(lambda: publish(office, busy, actor=Actor(person="camat", administrator=True))).code == "not_yours"
    assert refusal(lambda: publish(office, busy, reason=" ")).problems[0].place == "alasan"
    assert "paling banyak" in str(refusal(lambda: publish(office, busy, reason="x" * 501)))
    assert refusal(lambda: publish(office, busy, unit="nowhere")).code == "unknown"
    assert "tidak ada cukup hari kerja" in str(refusal(lambda: publish(office, idle)))
    publish(office, busy, actor=SYSTEM)
    with office.database.read() as db:
        assert [one.person for one in definitions.publications(db, LASEM)] == [SYSTEM.person, SYSTEM.person]


# Readings

def tell(office: Office) -> tuple[str, ...]:
    with office.database.read() as db:
        return recalendar.unconfirmed(db, office.rules, LKJPD, LASEM)


def test_what_is_not_confirmed_is_said_until_somebody_enters_the_basis(office: Office) -> None:
    calendar, days, steps_8_and_9 = tell(office)
    assert "Kalender kerja Kantor Kecamatan Lasem belum dikonfirmasi" in calendar
    assert "hari kerja: belum dikonfirmasi" in days
    assert "langkah 8 dan 9" in steps_8_and_9 and "Tim Penyusun" in steps_8_and_9
    publish(office, replace(five_days(), confirmed=True, legal_basis="Perbup 1/2026, 2 Januari 2026"), id="konfirmasi")
    assert tell(office) == (days, steps_8_and_9)

    def say(act: Any) -> None:
        with office.database.begin() as db:
            organise.change(db, office.database.key, Change(id=str(act), at=office.at, actor=ADMIN, act=act))

    def confirm(subject: str, value: str) -> None:
        say(ConfirmReading(key=LKJPD, unit=LASEM, subject=subject, value=value, basis="SK 1", dated="2026-12-01"))

    confirm("hari", "kerja")
    with office.database.read() as db:
        version = definitions.newest(db, LKJPD)
    assert version is not None
    eight, nine = recalendar.assumed(office.rules.definition(version.sha256))
    confirm(eight.id, eight.lane or "")
    assert len(tell(office)) == 1 and "langkah 9 (" in tell(office)[0]
    confirm(nine.id, "sekretaris_pd")               # of a diagram that named another performer
    assert "langkah 9 (" in tell(office)[0]
    confirm(nine.id, nine.lane or "")
    assert tell(office) == ()
    say(WithdrawReading(key=LKJPD, unit=LASEM, subject="hari", reason="Keliru"))
    assert tell(office) == (days,)


def test_the_calendar_of_another_office_that_performs_a_lane_is_named_too(office: Office) -> None:
    assert not any("Inspektorat" in one for one in tell(office))
    publish(office, six_days(), unit=INSPEKTORAT)
    assert any("Kalender kerja Inspektorat Daerah Kabupaten Rembang belum dikonfirmasi" in one for one in tell(office))


def test_a_process_that_was_never_deployed_has_nothing_to_confirm(office: Office) -> None:
    with office.database.read() as db:
        assert recalendar.unconfirmed(db, office.rules, "tak_ada", LASEM) == ()


def test_a_year_in_use_without_cuti_bersama_is_named(office: Office) -> None:
    def missing() -> dict[str, tuple[int, ...]]:
        with office.database.read() as db:
            return recalendar.without_cuti_bersama(db, office.rules, office.at)

    known = {one.date.year for one in five_days().holidays if one.kind == "cuti_bersama"}
    assert office.at.year in known and missing() == {}
    far = max(known) + 1
    begin_only(office, far - 1)             # its deadline lies in the year after the one it reports on
    assert missing() == {LASEM: (far,)}
    day = date(far, 3, 1)
    with_cuti = replace(five_days(), holidays=(*(one for one in five_days().holidays if one.date != day),
                                               Holiday(date=day, name="Cuti bersama", kind="cuti_bersama")))
    publish(office, with_cuti)
    assert missing() == {}


def test_the_history_tells_every_version_beside_the_one_before(office: Office) -> None:
    early = replace(five_days(), week=(((time(7), time(12)),), *five_days().week[1:]))
    publish(office, early)
    with office.database.read() as db:
        (newest, before, value), (_, none, oldest) = recalendar.history(db, office.rules, LASEM)
    assert (newest.person, newest.reason, before, value) == ("admin", WHY, oldest, early)
    assert (none, oldest) == (None, five_days())


def test_an_administrator_may_change_the_calendar_of_one_instance_and_nobody_else(office: Office) -> None:
    id = office.begin(2026)
    record_only(office, with_holiday(five_days(), *next_days(office)))
    act = ChangeCalendar(calendars={"": with_holiday(five_days(), *next_days(office)).sha256}, reason=WHY)
    with office.database.begin() as db, pytest.raises(Refused):
        handle(db, office.rules, office.database.key, id, [Request(id="camat", act=act, person="camat", at=office.at)])
    office.do(id, "admin", act)
    assert len(changes(office, id)) == 1
