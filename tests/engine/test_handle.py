"""A command in one transaction, on both databases: who asks, what is written, what a repeat gets, what it costs."""
from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Table, delete, select, update

from engine.bench import OPENING, Office, paper
from engine.commands import (
    AddComment,
    AttachDocument,
    CancelProcessInstance,
    ClaimUserTask,
    CompleteUserTask,
    Correct,
    OweRequirement,
    Promise,
    ReassignUserTask,
    ReleaseUserTask,
    ResolveIncident,
    SettleRequirement,
    SuspendProcessInstance,
    WaiveRequirement,
)
from engine.definition import SequenceFlow
from engine.execution import ENGINE
from engine.handle import Request, fire, handle, opening, replayed, start
from engine.instance import Refused, Step
from engine.store import instances, journal, schema
from engine.store.prepared import heard

START = {"tahun_laporan": 2026, "status_surat_edaran": "sudah", "nomor_surat_edaran": "900/1",
         "tanggal_surat_edaran": "2026-12-01", "tanggal_terima_surat_edaran": "2026-12-02"}


def ask(office: Office, id: str, *requests: Request) -> list[Step]:
    with office.database.begin() as db:
        return handle(db, office.rules, office.database.key, id, requests)


def begin(office: Office, request_id: str = "start", who: str = "sekcam", year: int = 2026) -> str:
    with office.database.begin() as db:
        act = opening(db, "penyusunan_lkjpd", "kecamatan_lasem", data={**START, "tahun_laporan": year},
                      attachments={"surat_edaran": paper("surat_edaran")})
        id, _ = start(db, office.rules, office.database.key, replace(office.request(who, act), id=request_id))
    return id


def rows(office: Office, table: Table) -> list[Any]:
    with office.database.read() as db:
        return list(db.execute(select(table)))


def test_a_completion_costs_at_most_ten_statements_and_one_commit(office: Office) -> None:
    costs = []
    plain = office.do

    def counting(id: str, who: str, act) -> None:
        with heard(office.database.engine) as said:
            plain(id, who, act)
        if isinstance(act, CompleteUserTask):
            costs.append(len(said))
        assert not [one for one in said if one.sql.upper().startswith(("COMMIT", "BEGIN", "SAVEPOINT"))]
    office.do = counting
    id = office.begin(2026)         # steps 1 to 4, the appointment of the team among them
    office.round(id, lambda one: one())
    assert len(costs) == 4 and max(costs) <= 10, costs


def test_the_same_request_twice_gives_the_same_step_and_writes_once(office: Office) -> None:
    id = begin(office)
    request = office.request("camat", CompleteUserTask(user_task=office.open(id)[1], data={"arahan": "Susun."}))
    first, second = ask(office, id, request), ask(office, id, request)
    assert [s.sequence for s in first] == [s.sequence for s in second]
    assert first[0].events == second[0].events and first[0].command == second[0].command
    assert office.open(id)[0].sequence == first[0].sequence


def test_the_same_start_twice_gives_the_same_instance(office: Office) -> None:
    assert begin(office, "one") == begin(office, "one")
    assert len(rows(office, schema.instance)) == 1


def test_the_same_key_with_other_content_is_refused(office: Office) -> None:
    id = begin(office)
    number = office.open(id)[1]
    request = office.request("camat", CompleteUserTask(user_task=number, data={"arahan": "Susun."}))
    ask(office, id, request)
    with pytest.raises(Refused) as refused:
        ask(office, id, replace(request, act=CompleteUserTask(user_task=number, data={"arahan": "Lain."})))
    assert refused.value.code == "other"
    with pytest.raises(Refused) as refused:         # nor does the key of one person answer another
        ask(office, id, replace(request, person="sekcam"))
    assert refused.value.code == "other"


def test_a_refusal_writes_nothing_and_the_corrected_form_keeps_its_key(office: Office) -> None:
    id = begin(office)
    number = office.open(id)[1]
    request = office.request("camat", CompleteUserTask(user_task=number, data={}))
    before = rows(office, schema.journal)
    with pytest.raises(Refused) as refused:
        ask(office, id, request)
    assert refused.value.code == "incomplete" and [p.place for p in refused.value.problems] == ["arahan"]
    assert rows(office, schema.journal) == before
    (step,) = ask(office, id, replace(request, act=CompleteUserTask(user_task=number, data={"arahan": "Susun."})))
    assert step.sequence == 2


def test_several_requests_are_one_transaction_or_none(office: Office) -> None:
    id = begin(office)
    number = office.open(id)[1]
    claim = office.request("camat", ClaimUserTask(user_task=number))
    wrong = office.request("camat", CompleteUserTask(user_task=number, data={}))
    with pytest.raises(Refused):
        ask(office, id, claim, wrong)
    assert office.open(id)[0].user_tasks[number].owner is None
    steps = ask(office, id, claim, replace(wrong, act=CompleteUserTask(user_task=number, data={"arahan": "Susun."})))
    assert [s.sequence for s in steps] == [2, 3]


def test_a_unit_has_one_instance_for_a_year(office: Office) -> None:
    begin(office, "one")
    with pytest.raises(Refused, match="sudah mempunyai berkas proses untuk tahun 2026"):
        begin(office, "two")
    begin(office, "three", year=2025)


def test_a_cancelled_year_can_be_begun_again(office: Office) -> None:
    id = begin(office, "one")
    office.do(id, "camat", CancelProcessInstance(reason="Salah tahun"))
    assert begin(office, "two") != id


def test_only_who_may_start_starts(office: Office) -> None:
    with pytest.raises(Refused) as refused:
        begin(office, "one", who="tim1")
    assert refused.value.code == "not_yours"
    begin(office, "two", who="penerima")


def test_time_never_runs_backwards_in_an_instance_and_what_the_clock_said_is_kept(office: Office) -> None:
    id = begin(office)
    last = office.open(id)[0].last_at
    early = replace(office.request("camat", AddComment(text="Cepat.")), at=OPENING - timedelta(days=3))
    (step,) = ask(office, id, early)
    assert step.command.at == last and step.command.read_at == OPENING - timedelta(days=3)


def test_without_a_given_time_the_door_reads_its_own_clock(office: Office) -> None:
    id = begin(office)
    (step,) = ask(office, id, replace(office.request("camat", AddComment(text="Sekarang.")), at=None))
    command = step.command
    assert (command.at.utcoffset() == timedelta(0) and command.at >= OPENING) or command.read_at is not None


def test_the_actor_is_recorded_as_they_are_now(office: Office) -> None:
    id = begin(office)
    (step,) = ask(office, id, office.request("camat", ClaimUserTask(user_task=office.open(id)[1])))
    actor = step.command.actor
    assert (actor.person, actor.position, actor.unit, actor.capacity, actor.lanes) == (
        "camat", "camat_lasem", "kecamatan_lasem", "definitif", ("kepala_pd",))
    assert actor.basis and actor.signed_in_by == "web" and not actor.administrator


def test_a_performer_of_another_lane_is_refused(office: Office) -> None:
    id = begin(office)
    with pytest.raises(Refused) as refused:
        ask(office, id, office.request("tim1", ClaimUserTask(user_task=office.open(id)[1])))
    assert refused.value.code == "not_yours"


def test_an_unknown_instance_is_refused(office: Office) -> None:
    with pytest.raises(Refused) as refused:
        ask(office, "no-such-instance", office.request("camat", AddComment(text="?")))
    assert refused.value.code == "unknown"


def test_the_appointed_team_and_nobody_else_performs_its_lane(office: Office) -> None:
    id = begin(office)
    office.complete(id, "camat", arahan="Susun.")
    office.attach(id, "sekcam", "sk_tim", "surat_undangan")
    office.complete(id, "sekcam", nomor_sk_tim="SK 1", tanggal_sk_tim="2026-12-09", jadwal_rapat=[
        {"tanggal": "2026-12-10", "pukul": "09:00", "tempat": "Aula", "acara": "Rapat"}], susunan_tim=[
        {"pegawai": {"id": "sekcam"}, "kedudukan": "ketua"}, {"pegawai": {"id": "tim1"}, "kedudukan": "anggota"}])
    number = office.open(id)[1]
    with pytest.raises(Refused) as refused:         # holds the position, but is not in this year's team
        ask(office, id, office.request("tim2", ClaimUserTask(user_task=number)))
    assert refused.value.code == "not_yours"
    (step,) = ask(office, id, office.request("tim1", ClaimUserTask(user_task=number)))
    assert step.command.actor.capacity == "tim" and step.command.actor.lanes == ("tim_penyusun", "tim_penyusun:anggota")
    reassign = ReassignUserTask(user_task=number, person="sekcam", reason="Ketua mengambil alih")
    ask(office, id, office.request("sekcam", reassign))
    assert office.open(id)[0].user_tasks[number].owner == "sekcam"
    assert {(row.lane, row.person, row.role) for row in rows(office, schema.team)} == {
        ("tim_penyusun", "sekcam", "ketua"), ("tim_penyusun", "tim1", "anggota")}


def test_a_task_that_another_has_taken_names_them(office: Office) -> None:
    id = office.begin(2026)
    number = office.open(id)[1]
    ask(office, id, office.request("tim1", ClaimUserTask(user_task=number)))
    with pytest.raises(Refused) as refused:
        ask(office, id, office.request("tim2", ClaimUserTask(user_task=number)))
    assert (refused.value.code, refused.value.person) == ("taken", "tim1") and refused.value.at is not None
    ask(office, id, office.request("tim1", ReleaseUserTask(user_task=number)))
    ask(office, id, office.request("tim2", ClaimUserTask(user_task=number)))
    assert [row.owner for row in rows(office, schema.user_task)] == ["tim2"]


def test_the_shadows_say_what_the_instance_says(office: Office) -> None:
    id = office.begin(2026)
    office.round(id, lambda one: one())
    instance, _ = office.open(id)
    assert {row.number: (row.element, row.lane, row.owner, row.late_at) for row in rows(office, schema.user_task)} == {
        t.number: (t.element, t.lane, t.owner, instances.text(t.late_at)) for t in instance.user_tasks.values()}
    assert {row.number: (row.element, row.due_at, row.user_task) for row in rows(office, schema.timer)} == {
        t.number: (t.element, instances.text(t.due_at), t.user_task) for t in instance.timers.values()}
    newest = {}
    for row in rows(office, schema.document):
        newest[row.type] = max(newest.get(row.type, 0), row.version)
    assert newest == {type: d.version for type, d in instance.documents.items()}


def test_the_shadows_can_be_rebuilt_from_the_journal(office: Office) -> None:
    id = office.begin(2026)
    office.round(id, lambda one: one())
    tables = (schema.instance, schema.user_task, schema.timer, schema.team, schema.document, schema.document_file)
    before = [sorted(map(repr, rows(office, table))) for table in tables]
    with office.database.begin() as db:
        db.execute(update(schema.user_task).values(owner="nobody"))
        db.execute(delete(schema.document_file))
        db.execute(delete(schema.team))
        instance, told = replayed(db, office.rules, id)
        _, head, _ = journal.head(db, instances.stream(id))
        instances.rebuild(db, instance, head, office.rules.definition(instance.definition), told)
    assert [sorted(map(repr, rows(office, table))) for table in tables] == before


def test_replay_from_nothing_gives_the_instance_as_it_stands(office: Office) -> None:
    id = office.begin(2026)
    for _ in range(3):
        office.round(id, lambda one: one())
    with office.database.read() as db:
        again, told = replayed(db, office.rules, id)
        entries = list(journal.read(db, instances.stream(id), key=office.database.key))
    assert again == office.open(id)[0] and len(told) == len(entries)
    assert {entry.engine for entry in entries} == {ENGINE}


def test_a_due_timer_fires_once_whoever_asks(office: Office) -> None:
    id = begin(office)
    instance, _ = office.open(id)
    timer = next(t for t in instance.timers.values() if t.element == "waktu_1")
    early = timer.due_at - timedelta(seconds=1)
    with pytest.raises(Refused) as refused, office.database.begin() as db:
        fire(db, office.rules, office.database.key, id, timer.number, timer.due_at, at=early)
    assert refused.value.code == "not_due"
    for _ in range(2):              # a second worker asks for the same command
        with office.database.begin() as db:
            step = fire(db, office.rules, office.database.key, id, timer.number, timer.due_at, at=timer.due_at)
    assert step.sequence == 2 and office.open(id)[0].sequence == 2
    assert timer.number not in office.open(id)[0].timers and office.open(id)[0].user_tasks


def test_a_condition_without_an_answer_is_an_incident_and_keeps_what_was_typed(office: Office) -> None:
    id = begin(office)
    number = office.open(id)[1]
    before, _ = office.open(id)
    plain = office.rules.transitions

    class Broken:                   # a diagram that the gate would have refused: its gateway asks for what nobody knows
        def complete(self, marking, number, choose):
            return choose(SequenceFlow(id="x", source="a", target="b", condition="nobody_knows = 1"))
    office.rules.transitions = lambda sha256: Broken()
    (step,) = ask(office, id, office.request("camat", CompleteUserTask(user_task=number, data={"arahan": "Susun."})))
    office.rules.transitions = plain
    instance, _ = office.open(id)
    assert [type(event).__name__ for event in step.events] == ["IncidentRaised"] and step.command.act.data == {}
    assert instance.marking == before.marking and instance.data == before.data
    assert instance.incidents[1].kind == "condition"
    assert [(row.person, row.data) for row in rows(office, schema.draft)] == [("camat", '{"arahan":"Susun."}')]
    office.do(id, "admin", ResolveIncident(incident=1, reason="Diagram diperbaiki"))
    office.complete(id, "camat", arahan="Susun.")
    assert not office.open(id)[0].incidents and rows(office, schema.draft) == []


def test_an_administrators_correction_is_marked_and_always_has_a_reason(office: Office) -> None:
    id = office.begin(2026)
    with pytest.raises(Refused):
        office.do(id, "camat", Correct(reason="Bukan administrator", data={"nomor_lhr": "700/2"}))
    with pytest.raises(Refused):
        office.do(id, "admin", Correct(reason="", data={"nomor_lhr": "700/2"}))
    number = office.open(id)[1]
    again = Correct(reason="Reviu diulang", data={"nomor_lhr": "700/2"}, close=(number,), open=("langkah_4",))
    office.do(id, "admin", again)
    instance, _ = office.open(id)
    assert [t.element for t in instance.user_tasks.values()] == ["langkah_4"] and instance.data["nomor_lhr"] == "700/2"
    assert [row.element for row in rows(office, schema.timer)] == ["tenggat", "waktu_4"]


def test_owed_waived_and_settled_are_kept_with_the_instance(office: Office) -> None:
    id = begin(office)
    office.complete(id, "camat", arahan="Susun.")
    number = office.open(id)[1]
    promise = Promise(document="sk_tim", promised="2026-12-20", reason="Di Bupati")
    office.do(id, "sekcam", OweRequirement(user_task=number, promise=promise))
    assert office.open(id)[0].owed["sk_tim"].reason == "Di Bupati"
    with pytest.raises(Refused):    # by the step's own performer
        office.do(id, "sekcam", WaiveRequirement(user_task=number, document="surat_undangan", reason="Lisan"))
    office.do(id, "camat", WaiveRequirement(user_task=number, document="surat_undangan", reason="Undangan lisan"))
    office.do(id, "sekcam", SettleRequirement(document="sk_tim", attachment=paper("sk_tim")))
    instance, _ = office.open(id)
    assert not instance.owed and instance.waived == {"surat_undangan": number}
    assert instance.documents["sk_tim"].version == 1


def test_a_suspended_instance_takes_comments_and_nothing_else(office: Office) -> None:
    id = begin(office)
    office.do(id, "camat", SuspendProcessInstance(reason="Menunggu edaran baru"))
    office.do(id, "sekcam", AddComment(text="Baik."))
    order = AttachDocument(document="perintah_tertulis", user_task=office.open(id)[1], attachment=paper("p"))
    with pytest.raises(Refused) as refused:
        office.do(id, "camat", order)
    assert refused.value.code == "not_running"
    assert [row.status for row in rows(office, schema.instance)] == ["suspended"]
