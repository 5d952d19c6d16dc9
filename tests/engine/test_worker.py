"""The worker: what is due fires once, what cannot fire stops nothing, what waits for nothing raises the alarm."""
from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from engine import organise
from engine import worker as workers
from engine.bench import Office, paper
from engine.commands import (
    AddComment,
    Correct,
    ResolveIncident,
    ResumeProcessInstance,
    StartProcessInstance,
    SuspendProcessInstance,
)
from engine.deploy import SYSTEM, deploy
from engine.events import IncidentRaised, TimerFired
from engine.handle import Request, handle, opening, replayed, start
from engine.instance import ProcessInstance
from engine.marking import Marking
from engine.organisation import AllowUnit, Bind, Change
from engine.store import due, instances, schema
from engine.worker import ATTEMPTS, Worker, is_stalled

START = {"tahun_laporan": 2026, "status_surat_edaran": "sudah", "nomor_surat_edaran": "900/1",
         "tanggal_surat_edaran": "2026-12-01", "tanggal_terima_surat_edaran": "2026-12-02"}
SOON = timedelta(days=2)
DIAGRAMS = Path(__file__).parent.parent / "diagrams"


def begin(office: Office, year: int = 2026) -> str:
    with office.database.begin() as db:
        act: StartProcessInstance = opening(db, "penyusunan_lkjpd", "kecamatan_lasem",
                                            data={**START, "tahun_laporan": year},
                                            attachments={"surat_edaran": paper("surat_edaran")})
        id, _ = start(db, office.rules, office.database.key, office.request("sekcam", act))
    return id


def worker(office: Office) -> Worker:
    return Worker(office.database, office.rules)


def load(office: Office, id: str) -> ProcessInstance:
    with office.database.read() as db:
        found = instances.load(db, id)
    assert found is not None
    return found


def fired(office: Office, id: str) -> list[str]:
    with office.database.read() as db:
        events = [event for step, _ in instances.steps(db, id) for event in step.events]
    return [event.element for event in events if isinstance(event, TimerFired)]


def administer(office: Office, id: str, act: object, at: datetime) -> None:
    with office.database.begin() as db:
        handle(db, office.rules, office.database.key, id, [Request(id=f"admin-{at}", act=act, person="admin", at=at)])


def test_what_is_due_fires_once_and_what_is_not_waits(office: Office) -> None:
    ids = [begin(office, year) for year in (2026, 2027, 2028)]
    assert worker(office).fire_due(office.at) == 0
    assert worker(office).fire_due(office.at + SOON) == 3
    assert worker(office).fire_due(office.at + SOON) == 0
    assert [fired(office, id) for id in ids] == [["waktu_1"]] * 3
    with office.database.read() as db:
        assert due.next_due(db) > office.at + SOON      # the deadlines remain


def test_a_batch_is_one_commit(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "BATCH", 2)
    for year in (2026, 2027, 2028):
        begin(office, year)
    one = worker(office)
    assert [one.fire_due(office.at + SOON) for _ in range(3)] == [2, 1, 0]


def test_two_workers_fire_each_timer_once(office: Office) -> None:
    ids = [begin(office, year) for year in range(2026, 2046)]
    at, counts, barrier = office.at + SOON, [], threading.Barrier(2)

    def run() -> None:
        one = worker(office)
        barrier.wait()
        try:
            counts.append(sum(one.fire_due(at) for _ in range(3)))
        except Exception as error:      # an exception in a thread would pass unseen
            counts.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    worker(office).fire_due(at)
    assert all(isinstance(count, int) for count in counts), counts
    assert [fired(office, id) for id in ids] == [["waktu_1"]] * 20


def test_nothing_fires_while_suspended_and_all_does_afterwards(office: Office) -> None:
    id = begin(office)
    administer(office, id, SuspendProcessInstance(reason="Menunggu pejabat baru"), office.at)
    assert worker(office).fire_due(office.at + SOON) == 0
    administer(office, id, ResumeProcessInstance(reason="Pejabat sudah dilantik"), office.at + SOON)
    assert worker(office).fire_due(office.at + SOON) == 1
    assert fired(office, id) == ["waktu_1"]


def test_a_timer_that_cannot_fire_becomes_one_incident_and_stops_nobody(office: Office) -> None:
    broken, healthy = begin(office, 2027), begin(office, 2026)
    with office.database.begin() as db:     # a row whose timer the instance does not know
        db.execute(insert(schema.timer).values(instance=broken, number=999, element="waktu_1",
                                               due_at="2020-01-01T00:00:00.000000Z", user_task=None))
    at, one = office.at + SOON, worker(office)
    assert one.fire_due(at) == 2
    for _ in range(ATTEMPTS + 2):
        assert one.fire_due(at) == 0
    assert fired(office, healthy) == fired(office, broken) == ["waktu_1"]
    (incident,) = load(office, broken).incidents.values()
    assert incident.kind == "watchdog"
    assert one.parked.keys() == {(broken, 999)}
    other = worker(office)                  # another worker meets the same timer: still one incident
    for _ in range(ATTEMPTS + 1):
        other.fire_due(at)
    assert len(load(office, broken).incidents) == 1
    assert load(office, healthy).incidents == {}


def decides_when_late() -> bytes:
    """A timer that leads to a gateway which asks for a value that may be missing."""
    text = (DIAGRAMS / "interrupting_timer.bpmn").read_text(encoding="utf-8")
    condition = '<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">={}</bpmn:conditionExpression>'
    return text.replace(
        '<bpmn:sequenceFlow id="late" sourceRef="too_late" targetRef="take_over" />',
        '<bpmn:sequenceFlow id="late" sourceRef="too_late" targetRef="which" />'
        f'<bpmn:sequenceFlow id="long" sourceRef="which" targetRef="take_over">{condition.format("days &gt; 3")}'
        '</bpmn:sequenceFlow>'
        f'<bpmn:sequenceFlow id="short" sourceRef="which" targetRef="taken_over">{condition.format("days &lt;= 3")}'
        '</bpmn:sequenceFlow>',
    ).replace(
        '<bpmn:incoming>late</bpmn:incoming>', '<bpmn:incoming>long</bpmn:incoming>',
    ).replace(
        '<bpmn:incoming>f3</bpmn:incoming>', '<bpmn:incoming>f3</bpmn:incoming><bpmn:incoming>short</bpmn:incoming>',
    ).replace(
        '<bpmn:flowNodeRef>take_over</bpmn:flowNodeRef>',
        '<bpmn:flowNodeRef>take_over</bpmn:flowNodeRef><bpmn:flowNodeRef>which</bpmn:flowNodeRef>',
    ).replace(
        '<bpmn:userTask id="take_over"',
        '<bpmn:exclusiveGateway id="which" name="Long?"><bpmn:incoming>late</bpmn:incoming>'
        '<bpmn:outgoing>long</bpmn:outgoing><bpmn:outgoing>short</bpmn:outgoing></bpmn:exclusiveGateway>'
        '<bpmn:userTask id="take_over"',
    ).replace(
        '<camunda:formField id="reply"', '<camunda:formField id="days" label="Days" type="long" />'
        '<camunda:formField id="reply"',
    ).replace(
        '<di:waypoint x="465" y="380" />\n        <di:waypoint x="540" y="380" />', '<di:waypoint x="465" y="355" />',
    ).replace(
        '<bpmndi:BPMNShape id="staff_di"',
        '<bpmndi:BPMNShape id="which_di" bpmnElement="which" isMarkerVisible="true">'
        '<dc:Bounds x="440" y="355" width="50" height="50" /></bpmndi:BPMNShape><bpmndi:BPMNShape id="staff_di"',
    ).replace(
        '</bpmndi:BPMNPlane>',
        '<bpmndi:BPMNEdge id="long_di" bpmnElement="long"><di:waypoint x="490" y="380" />'
        '<di:waypoint x="540" y="380" /></bpmndi:BPMNEdge><bpmndi:BPMNEdge id="short_di" bpmnElement="short">'
        '<di:waypoint x="465" y="405" /><di:waypoint x="465" y="440" /><di:waypoint x="740" y="440" />'
        '<di:waypoint x="740" y="398" /></bpmndi:BPMNEdge></bpmndi:BPMNPlane>',
    ).encode()


def test_a_timer_whose_condition_had_no_answer_fires_once_that_is_mended(office: Office) -> None:
    with office.database.begin() as db:
        deploy(db, office.database.key, decides_when_late(), actor=SYSTEM, reason="Uji", at=office.at)
        organise.change_all(db, office.database.key, [
            Change(id=str(n), at=office.at, actor=SYSTEM, act=act) for n, act in enumerate((
                AllowUnit(key="interrupting_timer", unit="kecamatan_lasem"),
                Bind(key="interrupting_timer", lane="staff", unit="kecamatan_lasem", position="camat_lasem"),
                Bind(key="interrupting_timer", lane="head", unit="kecamatan_lasem", position="camat_lasem")))])
    with office.database.begin() as db:
        act = opening(db, "interrupting_timer", "kecamatan_lasem", data={})
        id, _ = start(db, office.rules, office.database.key, office.request("camat", act))
    at = office.at + SOON
    assert worker(office).fire_due(at) == 0
    assert [one.kind for one in load(office, id).incidents.values()] == ["condition"]
    stood = load(office, id)
    assert [worker(office).fire_due(at) for _ in range(3)] == [0, 0, 0]
    assert load(office, id) == stood                            # nothing is recorded twice while nobody acts
    administer(office, id, AddComment(text="Sedang diperiksa."), at)
    assert worker(office).fire_due(at) == 0                     # still parked: the incident is open
    administer(office, id, ResolveIncident(incident=1, reason="Dicoba lagi"), at + timedelta(seconds=1))
    assert worker(office).fire_due(at) == 0                     # mended by nobody: a second incident
    assert list(load(office, id).incidents) == [2]
    administer(office, id, Correct(data={"days": 9}, reason="Isian yang kurang"), at + timedelta(seconds=2))
    administer(office, id, ResolveIncident(incident=2, reason="Isian sudah lengkap"), at + timedelta(seconds=3))
    assert worker(office).fire_due(at) == 1
    assert [task.element for task in load(office, id).user_tasks.values()] == ["take_over"]
    with office.database.read() as db:
        again, _ = replayed(db, office.rules, id)
    assert again == load(office, id)


def test_an_instance_whose_row_cannot_be_read_stops_nobody(office: Office) -> None:
    broken, healthy = begin(office, 2027), begin(office, 2026)
    with office.database.begin() as db:
        db.execute(update(schema.instance).where(schema.instance.c.id == broken).values(state=b"no JSON"))
    one = worker(office)
    for _ in range(ATTEMPTS + 1):
        one.fire_due(office.at + SOON)
    one.raise_alarms(office.at + SOON)
    assert fired(office, healthy) == ["waktu_1"]
    assert fired(office, broken) == []


def test_an_instance_that_waits_for_nothing_raises_the_alarm_once(office: Office) -> None:
    stalled, healthy = begin(office, 2027), begin(office, 2026)
    one = worker(office)
    assert one.raise_alarms(office.at) == 0
    with office.database.begin() as db:
        for table in (schema.timer, schema.user_task):
            db.execute(delete(table).where(table.c.instance == stalled))
        row = update(schema.instance).where(schema.instance.c.id == stalled)
        db.execute(row.values(marking=Marking(next=9).to_bytes()))
    assert is_stalled(load(office, stalled))
    assert not is_stalled(load(office, healthy))
    assert one.raise_alarms(office.at) == 1
    assert one.raise_alarms(office.at) == 0
    with office.database.read() as db:
        last = list(instances.steps(db, stalled))[-1][0]
    assert [event.kind for event in last.events if isinstance(event, IncidentRaised)] == ["alarm"]
    assert last.command.actor.person == "timer"
    assert load(office, healthy).incidents == {}


def test_the_worker_fires_and_sweeps_by_the_clock_until_it_is_told_to_stop(office: Office, tmp_path: Path) -> None:
    office.at = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
    id, past = begin(office), "2020-01-01T00:00:00.000000Z"
    with office.database.begin() as db:
        db.execute(insert(schema.session).values(id="s", data="{}", created_at=past, seen_at=past, expires_at=past))
    stop = threading.Event()
    one = Worker(office.database, office.rules, tmp_path, poll_seconds=0.05)
    thread = threading.Thread(target=one.run, args=(stop,))
    thread.start()
    end = datetime.now(UTC) + timedelta(seconds=20)
    while not (tmp_path / "worker.alive").exists() and datetime.now(UTC) < end:
        stop.wait(0.05)
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert "waktu_1" in fired(office, id)
    with office.database.read() as db:
        assert db.execute(select(schema.session)).all() == []


def test_a_worker_whose_rounds_all_fail_gives_up_aloud(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "FAILED_ROUNDS", 3)
    monkeypatch.setattr(workers, "LONGEST_PAUSE_SECONDS", 0.01)
    with office.database.begin() as db:
        db.exec_driver_sql("ALTER TABLE timer RENAME TO gone")
    with pytest.raises(Exception, match="timer"):
        worker(office).run(threading.Event())
