"""The heart, fact by fact: what each command does, what each event says, what is refused and why."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any, get_args

import pytest

from engine import calendars, commands, events, process
from engine.calendars import six_days
from engine.commands import (
    AddComment,
    AskExtension,
    AttachDocument,
    Attachment,
    CancelProcessInstance,
    ChangeCalendar,
    ClaimUserTask,
    Command,
    CompleteUserTask,
    Correct,
    Erased,
    EraseValues,
    FireTimer,
    GrantExtension,
    MigrateProcessInstance,
    OweRequirement,
    Promise,
    RaiseIncident,
    ReassignUserTask,
    RecallUserTask,
    RecordValues,
    RefuseExtension,
    ReleaseUserTask,
    ResolveIncident,
    ResumeProcessInstance,
    SettleRequirement,
    StartProcessInstance,
    SuspendProcessInstance,
    UndoMigration,
    WaiveRequirement,
)
from engine.definition import Timer
from engine.events import (
    CalendarChanged,
    CommentAdded,
    ConditionEvaluated,
    DocumentAttached,
    DueDatesMoved,
    ElementEntered,
    ElementLeft,
    ExtensionAsked,
    ExtensionGranted,
    ExtensionRefused,
    IncidentRaised,
    IncidentResolved,
    MigrationUndone,
    ProcessInstanceCancelled,
    ProcessInstanceCompleted,
    ProcessInstanceCorrected,
    ProcessInstanceMigrated,
    ProcessInstanceResumed,
    ProcessInstanceStarted,
    ProcessInstanceSuspended,
    RequirementOwed,
    RequirementSettled,
    RequirementWaived,
    TeamAppointed,
    TimerCancelled,
    TimerFired,
    TimerMoved,
    TimerStarted,
    TokenConsumed,
    UserTaskCancelled,
    UserTaskClaimed,
    UserTaskCompleted,
    UserTaskMoved,
    UserTaskOpened,
    UserTaskReassigned,
    UserTaskRecalled,
    UserTaskReleased,
    ValuesRecorded,
)
from engine.instance import CANCELLED, COMPLETED, RUNNING, SUSPENDED, Problem, ProcessInstance
from engine.marking import ARMED, Marking, Token
from tests.story import (
    ADMINISTRATOR,
    CAMAT,
    CLOCK,
    FIVE_DAYS,
    HEAD,
    INSPEKTORAT,
    KETUA,
    MONDAY,
    OTHER_STAFF,
    PENERIMA,
    SEKCAM,
    STAFF,
    STRANGER,
    TIM1,
    TIM2,
    Case,
    at,
    definition,
    file,
    fresh,
    given,
    lkjpd_before,
    rules,
    rules_of,
    somebody,
    variant,
)


def starting(name: str, **more: Any) -> StartProcessInstance:
    one = definition(name)
    return StartProcessInstance(
        **{"key": one.key, "definition": one.sha256, "unit": "unit", "calendars": {"": FIVE_DAYS}, **more}
    )


# Start


def test_a_start_enters_the_diagram_and_opens_the_first_user_task() -> None:
    given("three_tasks").then(
        ProcessInstanceStarted(None),
        ElementEntered(1, "start", ""),
        ElementLeft(1, "start", "f1"),
        ElementEntered(2, "write", "f1"),
        UserTaskOpened(2, "write", "staff", 1, None, None, None),
    )


def test_a_start_keeps_what_it_was_given_and_when() -> None:
    instance = fresh(definition("three_tasks")).when(starting("three_tasks", unit_facts={"sop.nomorSop": "1"})).instance
    assert (instance.key, instance.unit, instance.definition) == (
        "three_tasks",
        "unit",
        definition("three_tasks").sha256,
    )
    assert (instance.calendars, instance.unit_facts) == ({"": FIVE_DAYS}, {"sop.nomorSop": "1"})
    assert (instance.status, instance.started_at, instance.last_at, instance.ended_at) == (
        RUNNING,
        MONDAY,
        MONDAY,
        None,
    )
    assert instance.marking == Marking((Token(2, "write", 0, "open"),), 3)


def test_an_instance_starts_once() -> None:
    assert given("three_tasks").refuses(starting("three_tasks")).code == "unknown"


def test_nothing_else_can_be_asked_before_the_start() -> None:
    assert fresh(definition("three_tasks")).refuses(ClaimUserTask(user_task=1)).code == "unknown"


def test_only_a_starting_lane_starts() -> None:
    case = fresh(definition("three_tasks"))
    assert case.refuses(starting("three_tasks"), HEAD).code == "not_yours"
    assert case.when(starting("three_tasks"), PENERIMA).instance.status == RUNNING


def test_an_incomplete_start_names_every_field() -> None:
    refused = fresh(definition()).refuses(replace(starting("three_tasks"), definition=definition().sha256), PENERIMA)
    assert (refused.code, [one.place for one in refused.problems]) == (
        "incomplete",
        ["tahun_laporan", "status_surat_edaran"],
    )


def lkjpd_start(**more: Any) -> StartProcessInstance:
    data = {"tahun_laporan": 2026, "status_surat_edaran": "belum"}
    return StartProcessInstance(
        **{
            "key": "penyusunan_lkjpd",
            "definition": definition().sha256,
            "unit": "unit",
            "calendars": {"": FIVE_DAYS},
            "data": data,
            **more,
        }
    )


def test_a_start_may_attach_and_owe() -> None:
    promise = Promise(document="surat_edaran", promised="2026-12-01", reason="Belum diterima.")
    owing = fresh(definition()).when(lkjpd_start(promises=(promise,)), PENERIMA)
    assert owing.of(RequirementOwed) == [RequirementOwed("surat_edaran", "langkah_3", "2026-12-01", None)]
    assert owing.instance.owed["surat_edaran"].reason == "Belum diterima."
    attached = fresh(definition()).when(
        lkjpd_start(attachments={"surat_edaran": file(), "lembar_disposisi": file("b.pdf")}), PENERIMA
    )
    assert attached.of(DocumentAttached) == [
        DocumentAttached("lembar_disposisi", 1, 0),
        DocumentAttached("surat_edaran", 1, 0),
    ]
    assert attached.instance.documents["surat_edaran"].attachment == file()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({}, "incomplete"),  # neither attached nor owed
        ({"attachments": {"lhr": file()}}, "wrong"),  # no slot of the start form
        ({"attachments": {"surat_edaran": Attachment(form="cetak", place="Rak")}}, "wrong"),
        ({"promises": (Promise(document="lembar_disposisi", promised="2026-12-01", reason="x"),)}, "wrong"),
        ({"promises": (Promise(document="surat_edaran", promised="2026-11-01", reason="x"),)}, "wrong"),  # in the past
    ],
)
def test_a_start_with_documents_that_do_not_fit_is_refused(more: dict[str, Any], code: str) -> None:
    assert fresh(definition()).refuses(lkjpd_start(**more), PENERIMA).code == code


def test_a_start_that_the_engine_cannot_carry_out_is_refused_and_not_an_incident() -> None:
    lost = replace(
        definition("default_flow"),
        flows={
            **definition("default_flow").flows,
            "f1": replace(definition("default_flow").flows["f1"], target="large"),
        },
    )
    broken = replace(lost, flows={**lost.flows, "yes": replace(lost.flows["yes"], condition="nowhere > 1")})
    assert fresh(broken).refuses(starting("default_flow")).code == "wrong"


# Claim, release, reassign


def test_a_claim_makes_its_person_the_actual_owner() -> None:
    case = given("three_tasks").claimed("write").then(UserTaskClaimed(2, "staff-1"))
    assert (case.task("write").owner, case.task("write").claimed_at) == ("staff-1", MONDAY + timedelta(minutes=1))


def test_claiming_ones_own_task_again_changes_nothing() -> None:
    case = given("three_tasks").claimed("write")
    assert case.claimed("write").then().task("write") == case.task("write")


def test_a_task_of_another_lane_cannot_be_claimed() -> None:
    refused = given("three_tasks").refuses(ClaimUserTask(user_task=2), HEAD)
    assert (refused.code, "Staff" in refused.message) == ("not_yours", True)


def test_nobody_claims_what_another_has_and_is_told_who() -> None:
    case = given("three_tasks").claimed("write")
    refused = case.refuses(ClaimUserTask(user_task=2), OTHER_STAFF)
    assert (refused.code, refused.person, refused.at) == ("taken", "staff-1", case.task("write").claimed_at)


def test_the_owner_releases_and_another_may_claim() -> None:
    case = given("three_tasks").claimed("write").when(ReleaseUserTask(user_task=2)).then(UserTaskReleased(2, "staff-1"))
    assert (case.task("write").owner, case.task("write").claimed_at) == (None, None)
    assert case.claimed("write", OTHER_STAFF).task("write").owner == "staff-2"


def test_only_the_owner_or_an_administrator_releases() -> None:
    case = given("three_tasks").claimed("write")
    assert case.refuses(ReleaseUserTask(user_task=2), OTHER_STAFF).code == "not_yours"
    case.when(ReleaseUserTask(user_task=2), ADMINISTRATOR).then(UserTaskReleased(2, "staff-1"))


def test_an_administrator_releasing_an_unclaimed_task_changes_nothing() -> None:
    given("three_tasks").when(ReleaseUserTask(user_task=2), ADMINISTRATOR).then()


def test_a_task_is_reassigned_by_its_owner_by_the_head_of_the_team_and_by_an_administrator() -> None:
    case = given("three_tasks").claimed("write")
    case.when(ReassignUserTask(user_task=2, person="staff-2")).then(UserTaskReassigned(2, "staff-2", "staff-1"))
    case.when(ReassignUserTask(user_task=2, person="staff-2"), ADMINISTRATOR)
    case.when(ReassignUserTask(user_task=2, person="staff-2"), somebody("boss", "staff:ketua"))
    assert case.refuses(ReassignUserTask(user_task=2, person="staff-2"), OTHER_STAFF).code == "not_yours"


def test_a_task_reassigned_to_nobody_is_back_in_its_lane() -> None:
    case = given("three_tasks").claimed("write").when(ReassignUserTask(user_task=2, person=None))
    assert (case.task("write").owner, case.task("write").claimed_at) == (None, None)


def test_a_task_of_an_appointed_team_is_reassigned_within_the_team() -> None:
    case = lkjpd_before(5)
    number = case.task("langkah_5").number
    assert case.refuses(ReassignUserTask(user_task=number, person="camat"), KETUA).code == "wrong"
    assert case.when(ReassignUserTask(user_task=number, person="tim2"), KETUA).task("langkah_5").owner == "tim2"


# Complete


def test_completing_says_how_long_it_waited_and_was_worked_on() -> None:
    case = (
        given("three_tasks")
        .claimed("write", when=at("2026-11-23 09.30"))
        .completed("write", when=at("2026-11-24 08.00"), title="Hal")
    )
    case.then(
        UserTaskCompleted(2, "write", 90, 360, False),
        ElementLeft(2, "write", "f2"),
        ElementEntered(3, "read", "f2"),
        UserTaskOpened(3, "read", "head", 1, None, None, None),
    )


def test_completing_unclaimed_records_the_claim_with_it_and_no_processing_time() -> None:
    case = given("three_tasks").completed("write", when=at("2026-11-23 10.00"), title="Hal")
    assert case.events[:2] == (UserTaskClaimed(2, "staff-1"), UserTaskCompleted(2, "write", 120, None, False))


def test_the_data_document_and_the_latest_pass_are_kept() -> None:
    case = given("three_tasks").completed("write", title="Hal", pages=3)
    assert case.instance.data == {"title": "Hal", "pages": 3}
    passed = case.instance.passed["write"]
    assert (passed.round, passed.user_task, passed.person, passed.at) == (
        1,
        2,
        "staff-1",
        MONDAY + timedelta(minutes=1),
    )


def test_a_completed_user_task_cannot_be_completed_again_and_says_who_did() -> None:
    case = given("three_tasks").completed("write", title="Hal")
    refused = case.refuses(CompleteUserTask(user_task=2, data={"title": "Lain"}), OTHER_STAFF)
    assert (refused.code, refused.person, refused.at) == ("not_open", "staff-1", case.instance.passed["write"].at)


def test_an_incomplete_form_is_refused_with_its_problems_and_nothing_changes() -> None:
    case = given("three_tasks")
    refused = case.refuses(CompleteUserTask(user_task=2, data={"pages": "tiga"}))
    assert refused.code == "incomplete"
    assert refused.problems == (
        Problem("title", "Title: belum diisi."),
        Problem("pages", "Pages: harus berupa bilangan bulat, misalnya 2026."),
    )


def test_who_does_not_perform_the_lane_cannot_complete() -> None:
    assert given("three_tasks").refuses(CompleteUserTask(user_task=2, data={"title": "Hal"}), HEAD).code == "not_yours"
    assert (
        given("three_tasks").refuses(CompleteUserTask(user_task=2, data={"title": "Hal"}), STRANGER).code == "not_yours"
    )


def test_what_another_has_claimed_cannot_be_completed() -> None:
    case = given("three_tasks").claimed("write")
    assert case.refuses(CompleteUserTask(user_task=2, data={"title": "Hal"}), OTHER_STAFF).code == "taken"


def test_unknown_fields_are_not_stored() -> None:
    assert given("three_tasks").completed("write", title="Hal", secret="x").instance.data == {"title": "Hal"}


def test_values_beyond_the_limit_are_refused() -> None:
    refused = given("three_tasks").refuses(CompleteUserTask(user_task=2, data={"title": "x" * 200_001}))
    assert refused.code == "wrong"


def test_the_last_completion_ends_the_instance() -> None:
    case = (
        given("three_tasks")
        .completed("write", title="Hal")
        .completed("read", HEAD)
        .completed("send", sent_on="2026-11-23")
    )
    assert case.events[-4:] == (
        ElementLeft(4, "send", "f4"),
        ElementEntered(5, "end", "f4"),
        ElementLeft(5, "end", ""),
        ProcessInstanceCompleted(),
    )
    assert (case.instance.status, case.instance.ended_at, case.instance.marking.tokens) == (
        COMPLETED,
        case.instance.last_at,
        (),
    )


# Deciding and returning


def decided(decision: str, **more: str) -> Case:
    return given("approval_loop").completed("write", draft="Satu").completed("decide", HEAD, decision=decision, **more)


def test_a_decision_tells_each_condition_and_the_flow_that_was_taken() -> None:
    case = decided("return", reason="Kurang")
    assert case.events[2:] == (
        ElementLeft(4, "decide", "f4"),
        ElementEntered(5, "approved", "f4"),
        ConditionEvaluated(5, "approved", "yes", False),
        ConditionEvaluated(5, "approved", "no", True),
        ElementLeft(5, "approved", "no"),
        ElementEntered(6, "merge", "no"),
        ElementLeft(6, "merge", "f2"),
        ElementEntered(7, "write", "f2"),
        UserTaskOpened(7, "write", "staff", 2, None, None, None),
    )


def test_a_redo_replaces_values_and_hidden_ones_are_gone() -> None:
    case = decided("return", reason="Kurang")
    assert case.instance.data == {"draft": "Satu", "decision": "return", "reason": "Kurang"}
    case = case.completed("write", draft="Dua").completed("decide", HEAD, decision="approve", reason="Kurang")
    assert case.instance.data == {"draft": "Dua", "decision": "approve"}
    assert case.instance.passed["write"].round == 2


def test_the_default_flow_is_taken_when_no_condition_holds() -> None:
    case = given("default_flow").completed("measure", amount=10)
    assert case.of(ConditionEvaluated) == [ConditionEvaluated(3, "large", "yes", False)]
    assert ElementLeft(3, "large", "no") in case.events
    assert case.instance.status == COMPLETED


# Incidents


def broken(condition: str) -> Case:
    one = definition("default_flow")
    return given(replace(one, flows={**one.flows, "yes": replace(one.flows["yes"], condition=condition)}))


@pytest.mark.parametrize("condition", ["nowhere > 1", "amount", "null"])
def test_a_condition_that_is_neither_true_nor_false_is_an_incident_and_never_the_default_flow(condition: str) -> None:
    case = broken(condition)
    after = case.completed("measure", amount=10)
    (incident,) = after.of(IncidentRaised)
    assert (incident.number, incident.kind, incident.element) == (1, "condition", "measure")
    assert after.instance.marking == case.instance.marking
    assert after.instance.user_tasks == case.instance.user_tasks
    assert (after.instance.data, after.steps[-1].command.act.data) == ({}, {})  # a draft is no fact
    assert after.instance.incidents[1].at == after.instance.last_at


def test_no_way_out_of_a_gateway_is_an_incident() -> None:
    one = definition("approval_loop")
    case = given(replace(one, flows={**one.flows, "no": replace(one.flows["no"], condition='decision = "x"')}))
    case = case.completed("write", draft="Satu").completed("decide", HEAD, decision="return", reason="Kurang")
    (incident,) = case.of(IncidentRaised)
    assert (incident.kind, incident.element, case.open) == ("stuck", "decide", ["decide"])


def test_a_loop_that_nobody_stops_is_an_incident_and_not_a_wait() -> None:
    one = definition("approval_loop")
    case = given(
        replace(
            one,
            flows={
                **one.flows,
                "f1": replace(one.flows["f1"], target="write"),
                "f2": replace(one.flows["f2"], target="approved"),
            },
        )
    )
    case = case.completed("write", draft="Satu").completed("decide", HEAD, decision="return", reason="Kurang")
    assert [one.kind for one in case.of(IncidentRaised)] == ["stuck"]
    assert case.open == ["decide"]


def test_a_join_that_can_never_be_complete_is_an_alarm() -> None:
    one = definition("parallel")
    case = given(replace(one, flows={id: flow for id, flow in one.flows.items() if flow.target != "price"}))
    case = case.completed("count", stock=1)
    assert case.of(IncidentRaised)[0].kind == "alarm"
    assert case.instance.status == RUNNING


def test_an_incident_is_raised_by_the_system_or_an_administrator_and_resolved_with_a_reason() -> None:
    case = (
        given("three_tasks")
        .when(RaiseIncident(kind="watchdog", detail="10 detik"), CLOCK)
        .then(IncidentRaised(1, "watchdog", None, ""))
    )
    assert case.refuses(RaiseIncident(kind="alarm"), STAFF).code == "not_yours"
    assert case.refuses(ResolveIncident(incident=1, reason="x"), STAFF).code == "not_yours"
    assert case.refuses(ResolveIncident(incident=1, reason=""), ADMINISTRATOR).code == "incomplete"
    case = case.when(ResolveIncident(incident=1, reason="Diperiksa"), ADMINISTRATOR).then(IncidentResolved(1))
    assert case.instance.incidents == {}
    assert case.refuses(ResolveIncident(incident=1, reason="Lagi"), ADMINISTRATOR).code == "not_open"
    case.when(RaiseIncident(kind="alarm"), ADMINISTRATOR).then(IncidentRaised(2, "alarm", None, ""))


# Values recorded on the way


def test_values_may_be_recorded_while_the_task_goes_on() -> None:
    case = given("three_tasks").when(RecordValues(user_task=2, data={"pages": 4})).then(ValuesRecorded(2, ("pages",)))
    assert (case.instance.data, case.open) == ({"pages": 4}, ["write"])
    assert case.instance.user_tasks[2].recorded == ("pages",)


def test_recorded_values_are_judged_and_empty_ones_are_not_recorded() -> None:
    case = given("three_tasks")
    assert case.refuses(RecordValues(user_task=2, data={"pages": "empat"})).code == "incomplete"
    assert case.refuses(RecordValues(user_task=2, data={"pages": None, "title": ""})).code == "wrong"
    assert case.refuses(RecordValues(user_task=2, data={"pages": 4}), HEAD).code == "not_yours"


def test_a_hidden_value_is_not_recorded_and_what_was_recorded_is_recorded_again_the_same() -> None:
    case = given("approval_loop").completed("write", draft="Satu")
    number = case.task("decide").number
    act = RecordValues(user_task=number, data={"decision": "approve", "reason": "Kurang"})
    case = case.when(act, HEAD).then(ValuesRecorded(number, ("decision",)))
    assert case.steps[-1].command.act.data == {"decision": "approve"}


# Timers


def test_a_boundary_timer_starts_with_its_task_and_is_cancelled_with_it() -> None:
    case = given("interrupting_timer")
    assert case.of(TimerStarted) == [TimerStarted(3, "too_late", 2, at("2026-11-23 12.00"), FIVE_DAYS, 1)]
    done = case.completed("answer", reply="Ya")
    assert done.of(TimerCancelled) == [TimerCancelled(3, "too_late")]
    assert done.instance.timers == {}


def test_an_interrupting_timer_cancels_its_user_task() -> None:
    case = given("interrupting_timer").fired("too_late")
    case.then(
        TimerFired(3, "too_late"),
        UserTaskCancelled(2, "answer"),
        ElementLeft(3, "too_late", "late"),
        ElementEntered(4, "take_over", "late"),
        UserTaskOpened(4, "take_over", "head", 1, None, None, None),
    )


def test_a_non_interrupting_timer_leaves_its_user_task_open() -> None:
    case = given("escalation").fired("late")
    assert case.events[0] == TimerFired(3, "late")
    assert (case.open, case.instance.timers) == (["answer", "look_into"], {})


def test_a_timer_does_not_fire_before_it_is_due_nor_twice() -> None:
    case = given("escalation")
    early = case.instance.timers[3].due_at - timedelta(microseconds=1)
    assert case.refuses(FireTimer(timer=3), CLOCK, early).code == "not_due"
    assert case.fired("late").refuses(FireTimer(timer=3), CLOCK).code == "not_open"


def test_a_cycle_counts_down_from_one_firing_to_the_next() -> None:
    case = given("cycle_reminder")
    assert case.of(TimerStarted) == [TimerStarted(3, "every_hour", 2, at("2026-11-23 09.00"), FIVE_DAYS, 3)]
    case = case.fired("every_hour")
    assert case.of(TimerStarted)[0].due_at == at("2026-11-23 10.00")
    assert [one.left for one in case.of(TimerStarted)] == [2]
    case = case.fired("every_hour").fired("every_hour")
    assert (case.of(TimerStarted), case.instance.timers, case.open) == ([], {}, ["answer"])


def test_a_cycle_that_was_missed_is_caught_up_once() -> None:
    case = given("cycle_reminder").fired("every_hour", at("2026-11-25 14.00"))
    assert [(one.due_at, one.left) for one in case.of(TimerStarted)] == [(at("2026-11-25 15.00"), 2)]
    assert case.instance.timers[case.timer("every_hour")].user_task == case.task("answer").number


def test_completing_the_task_ends_its_cycle() -> None:
    case = given("cycle_reminder").fired("every_hour").completed("answer", reply="Ya")
    assert (case.instance.status, case.instance.timers) == (COMPLETED, {})


def test_timers_on_the_way_wait_for_working_hours_and_for_a_date() -> None:
    case = given("waiting_timer").completed("prepare", publish_on="2026-12-03", when=at("2026-11-23 15.00"))
    assert case.of(TimerStarted)[0].due_at == at("2026-11-24 08.30")
    case = case.fired("two_hours").completed("proofread")
    assert case.of(TimerStarted)[0].due_at == at("2026-12-03 00.00")
    assert case.fired("the_day").open == ["publish"]


def test_a_timer_without_an_instant_is_an_incident() -> None:
    one = definition("waiting_timer")
    never = replace(one.elements["the_day"], timer=Timer(kind="date", expression='="kapan saja"'))
    case = given(replace(one, elements={**one.elements, "the_day": never}))
    case = case.completed("prepare", publish_on="2026-12-03").fired("two_hours").completed("proofread")
    assert [incident.kind for incident in case.of(IncidentRaised)] == ["timer"]
    assert case.open == ["proofread"]


def test_a_timer_whose_firing_failed_waits_for_an_administrator() -> None:
    one = definition("waiting_timer")
    never = replace(one.elements["the_day"], timer=Timer(kind="date", expression='="kapan saja"'))
    flows = {**one.flows, "f3": replace(one.flows["f3"], target="the_day")}
    case = given(replace(one, elements={**one.elements, "the_day": never}, flows=flows))
    case = case.completed("prepare", publish_on="2026-12-03").fired("two_hours")
    assert case.of(IncidentRaised)[0].element == "two_hours"
    number = case.timer("two_hours")
    assert case.refuses(FireTimer(timer=number), CLOCK).code == "parked"
    case = case.when(ResolveIncident(incident=1, reason="Diperbaiki"), ADMINISTRATOR)
    assert case.when(FireTimer(timer=number), CLOCK).instance.incidents[2].kind == "timer"


def test_the_times_of_a_task_of_days_are_its_norm_and_twice_its_norm() -> None:
    (opened,) = lkjpd_before(2).when(SuspendProcessInstance(reason="x"), CAMAT).steps[2].events[-2:-1]
    assert isinstance(opened, UserTaskOpened)
    assert (opened.norm_at, opened.late_at, opened.escalate_at) == (
        at("2026-12-16 08.25"),
        at("2026-12-16 08.25"),
        at("2026-12-18 08.25"),
    )


def test_a_task_of_minutes_is_late_only_at_the_end_of_the_next_working_day() -> None:
    task = lkjpd_before(1).task("langkah_1")
    assert (task.norm_at, task.late_at, task.escalate_at) == (
        at("2026-12-14 08.25"),
        at("2026-12-15 16.00"),
        at("2026-12-14 08.45"),
    )
    case = lkjpd_before(1)
    number = task.number
    on_time = case.when(
        CompleteUserTask(user_task=number, data={"arahan": "Susun Tim."}), CAMAT, at("2026-12-15 16.00")
    )
    assert on_time.of(UserTaskCompleted)[0].late is False
    too_late = case.when(
        CompleteUserTask(user_task=number, data={"arahan": "Susun Tim."}), CAMAT, at("2026-12-16 07.30")
    )
    assert too_late.of(UserTaskCompleted)[0].late is True


def test_a_timer_counts_in_the_calendar_of_its_lane() -> None:
    one = definition("escalation")
    case = fresh(one).when(
        starting("escalation", calendars={"": FIVE_DAYS, "staff": six_days().sha256}), STAFF, at("2026-11-20 09.00")
    )
    (started,) = case.of(TimerStarted)
    assert (started.calendar, started.due_at) == (
        six_days().sha256,
        at("2026-11-23 09.00"),
    )  # Saturday is a working day


# The deadline


def test_the_deadline_is_armed_at_the_start_and_never_seen_by_the_engine() -> None:
    case = fresh(definition()).when(lkjpd_start(attachments={"surat_edaran": file()}), PENERIMA)
    assert case.events[-1] == TimerStarted(4, "tenggat", None, at("2027-03-01 00.00"), FIVE_DAYS, 1)
    assert case.instance.marking.tokens[-1] == Token(4, "tenggat", 0, ARMED)
    assert (case.instance.deadline_at, case.instance.year) == (at("2027-03-01 00.00"), 2026)
    assert case.instance.deadline_timer == case.instance.timers[4]


def test_a_deadline_that_fires_is_recorded_and_moves_nothing() -> None:
    case = lkjpd_before(3)
    fired = case.fired("tenggat").then(TimerFired(4, "tenggat"))
    assert fired.open == case.open
    assert fired.instance.deadline_timer is None
    assert fired.instance.deadline_at == at("2027-03-01 00.00")


def test_the_deadline_is_met_when_its_element_is_done() -> None:
    case = lkjpd_before(9)
    assert case.instance.deadline_timer is None
    assert [one.element for step in case.steps for one in step.events if isinstance(one, TimerCancelled)].count(
        "tenggat"
    ) == 1


def test_an_armed_deadline_does_not_keep_an_instance_from_completing() -> None:
    one = definition()
    case = given_lkjpd(replace(one, deadline=replace(one.deadline, satisfied_by="nothing")))
    case = case.when(
        Correct(reason="Langsung ke arsip", close=(case.task("langkah_1").number,), open=("langkah_9",)), ADMINISTRATOR
    )
    case = case.when(
        AttachDocument(document="dokumen_lkjpd", attachment=file(), user_task=case.task("langkah_9").number),
        somebody("t", "tim_penyusun"),
    )
    case = case.completed(
        "langkah_9",
        somebody("t", "tim_penyusun"),
        lokasi_hard_file="Rak",
        lokasi_soft_file="Berkas",
        kode_klasifikasi="000.8.6.3",
        tanggal_arsip="2026-11-23",
    )
    assert case.events[-2:] == (TimerCancelled(4, "tenggat"), ProcessInstanceCompleted())
    assert case.instance.timers == {}


def given_lkjpd(one: Any) -> Case:
    return Case(rules_of(one), one, ProcessInstance(id="one")).when(
        lkjpd_start(attachments={"surat_edaran": file()}), PENERIMA
    )


# Recall


def as_before(case: Case, before: Case) -> None:
    """Everything stands as it stood before the newest completion but one, which was recalled; the one that completed it
    holds it."""
    now, was = case.instance, before.instance
    assert (now.marking.tokens, now.data, now.rounds, now.passed, now.documents, now.owed, now.waived, now.team) == (
        was.marking.tokens, was.data, was.rounds, was.passed, was.documents, was.owed, was.waived, was.team
    )
    assert now.timers == was.timers and now.deadline_at == was.deadline_at and now.status == was.status
    assert {n: replace(one, owner=None, claimed_at=None) for n, one in now.user_tasks.items()} == {
        n: replace(one, owner=None, claimed_at=None) for n, one in was.user_tasks.items()
    }
    assert now.marking.next > was.marking.next, "no number is used twice"


def test_who_completed_a_user_task_takes_it_back_before_anybody_went_on() -> None:
    before = given("three_tasks").claimed("write")
    case = before.completed("write", title="Hal", pages=3).when(RecallUserTask(user_task=2))
    case.then(UserTaskRecalled(2, "write", 1), UserTaskCancelled(3, "read"))
    as_before(case, before)
    assert case.task("write").owner == "staff-1"
    again = case.completed("write", title="Hal lain")
    assert again.open == ["read"] and again.task("read").round == 1 and again.instance.data == {"title": "Hal lain"}
    assert again.task("read").number == 4, "no number is used twice"


def test_a_completion_is_recalled_by_nobody_else_and_only_by_who_still_performs_its_lane() -> None:
    case = given("three_tasks").completed("write", title="Hal")
    assert case.refuses(RecallUserTask(user_task=2), OTHER_STAFF).code == "not_yours"
    assert case.refuses(RecallUserTask(user_task=2), ADMINISTRATOR).code == "not_yours"
    assert case.refuses(RecallUserTask(user_task=2), somebody("staff-1", "head")).code == "not_yours"
    assert case.refuses(RecallUserTask(user_task=3)).code == "not_open"


@pytest.mark.parametrize(
    "act",
    [
        ClaimUserTask(user_task=3),
        RaiseIncident(kind="alarm"),
        SuspendProcessInstance(reason="Menunggu"),
        Correct(reason="Salah", data={"title": "Lain"}),
        CompleteUserTask(user_task=3, data={}),
    ],
    ids=lambda act: type(act).__name__,
)
def test_what_somebody_has_done_since_is_not_taken_from_them(act: Any) -> None:
    who = ADMINISTRATOR if not isinstance(act, ClaimUserTask | CompleteUserTask) else HEAD
    case = given("three_tasks").completed("write", title="Hal").when(act, who)
    assert case.refuses(RecallUserTask(user_task=2)).code in ("not_open", "not_running")


def test_a_comment_keeps_nobody_from_recalling_and_a_recall_happens_once() -> None:
    case = given("three_tasks").completed("write", title="Hal").when(AddComment(text="Sudah saya kirim."), STAFF)
    case = case.when(RecallUserTask(user_task=2))
    assert case.open == ["write"] and case.refuses(RecallUserTask(user_task=2)).code == "not_open"


def test_the_completion_that_ended_the_instance_stays() -> None:
    case = given("approval_loop").completed("write", draft="Satu").completed("decide", HEAD, decision="approve")
    assert case.instance.status == COMPLETED
    assert case.refuses(RecallUserTask(user_task=4), HEAD).code == "not_running"


def test_a_return_is_recalled_and_its_round_with_it() -> None:
    before = given("approval_loop").completed("write", draft="Satu")
    number = before.task("decide").number
    case = before.completed("decide", HEAD, decision="return", reason="Kurang").when(
        RecallUserTask(user_task=number), HEAD)
    as_before(case, before)
    assert case.instance.rounds["write"] == 1 and case.instance.passed["write"].round == 1
    assert case.completed("decide", HEAD, decision="return", reason="Lagi").task("write").round == 2


def lkjpd_after(step: int) -> Case:
    """The LKjPD right after somebody completed a step, with the case before it."""
    number, later = lkjpd_before(step).task(f"langkah_{step}").number, lkjpd_before(step + 1)
    done = next(n for n, one in enumerate(later.steps) if isinstance(one.command.act, CompleteUserTask)
                and one.command.act.user_task == number)  # fmt: skip
    return replace(later, steps=later.steps[: done + 1], instance=folded(later, done + 1))


def folded(case: Case, steps: int) -> ProcessInstance:
    instance = ProcessInstance(id=case.instance.id)
    for step in case.steps[:steps]:
        instance = process.evolve(instance, step)
    return instance


def recalled(case: Case, step: int) -> Case:
    """The same, after whoever completed a step took it back."""
    passed = case.instance.passed[f"langkah_{step}"]
    who = next(one.command.actor for one in case.steps if one.command.actor.person == passed.person)
    return case.when(RecallUserTask(user_task=passed.user_task), replace(who, lanes=(
        *who.lanes, case.definition.elements[f"langkah_{step}"].lane or "")))  # fmt: skip


def test_every_step_of_the_lkjpd_stands_again_as_it_stood_and_goes_on_as_it_went() -> None:
    for step in range(1, 9):
        case = lkjpd_after(step)
        before = folded(case, len(case.steps) - 1)
        again = recalled(case, step)
        as_before(again, replace(case, instance=before))
        completion = case.steps[-1].command
        on = again.when(completion.act, completion.actor)
        assert on.open == case.open and on.instance.data == case.instance.data
        assert on.instance.team == case.instance.team and on.instance.rounds == case.instance.rounds


def test_the_team_that_a_recalled_step_appointed_is_one_no_more() -> None:
    case = lkjpd_after(2)
    assert "tim_penyusun" in case.instance.team
    assert "tim_penyusun" not in recalled(case, 2).instance.team


def test_a_deadline_that_a_recalled_step_had_met_runs_on() -> None:
    case = lkjpd_after(8)
    assert case.instance.deadline_timer is None
    again = recalled(case, 8)
    running = again.instance.deadline_timer
    assert running is not None and running in again.instance.timers.values()
    assert TimerStarted(running.number, running.element, None, running.due_at, running.calendar, 1) in again.events


def test_what_fired_since_has_fired_when_a_step_is_recalled() -> None:
    # The reminder of the next step goes with that step; the deadline, which ran before and after, has passed.
    case = lkjpd_after(7)
    armed = case.instance.deadline_timer
    assert armed is not None
    reminded = case.fired("waktu_8")
    assert recalled(reminded, 7).instance.timers == folded(case, len(case.steps) - 1).timers
    passed = reminded.fired("tenggat")
    again = recalled(passed, 7)
    assert again.open == ["langkah_7"] and again.instance.deadline_timer is None
    assert all(token.status != ARMED for token in again.instance.marking.tokens)


def test_what_a_timer_has_moved_on_since_is_not_taken_back() -> None:
    case = given("waiting_timer").completed("prepare", publish_on="2026-12-01")
    number = case.instance.passed["prepare"].user_task
    again = case.when(RecallUserTask(user_task=number))
    assert again.open == ["prepare"] and again.of(TimerCancelled) == [
        TimerCancelled(case.timer("two_hours"), "two_hours")]
    assert case.fired("two_hours").refuses(RecallUserTask(user_task=number)).code == "not_open"


def test_work_that_a_recalled_completion_had_ended_is_open_again_for_who_had_it() -> None:
    before = given("subprocess_parallel").claimed("ask", OTHER_STAFF)
    case = before.completed("archive", found=True)
    assert case.of(UserTaskCancelled) == [UserTaskCancelled(6, "ask")], "found: nobody need ask any more"
    again = case.when(RecallUserTask(user_task=5))
    assert again.of(UserTaskRecalled) == [UserTaskRecalled(5, "archive", 1), UserTaskRecalled(6, "ask", 1)]
    assert again.task("ask") == before.task("ask")
    as_before(again, before)


def test_a_branch_that_waited_before_a_join_waits_there_again() -> None:
    before = given("nested_parallel").completed("judge", HEAD).completed("write")
    number = before.task("budget").number
    case = before.completed("budget", HEAD)
    assert case.open == ["sign"]
    again = case.when(RecallUserTask(user_task=number), HEAD)
    as_before(again, before)
    assert again.completed("budget", HEAD).open == ["sign"]


# Work done outside


def test_work_done_on_paper_is_judged_by_the_time_that_was_said() -> None:
    case = lkjpd_before(1)
    act = CompleteUserTask(
        user_task=case.task("langkah_1").number, data={"arahan": "Susun Tim."}, done_at=at("2026-12-15 09.00")
    )
    case = case.when(act, CAMAT, at("2026-12-20 10.00"))
    assert case.of(UserTaskCompleted)[0].late is False
    assert case.instance.passed["langkah_1"].at == at("2026-12-15 09.00")
    assert case.instance.last_at == at("2026-12-20 10.00")


def test_work_on_paper_was_neither_in_the_future_nor_before_the_task_was_open() -> None:
    case = given("three_tasks")
    for done_at in (at("2026-11-23 08.02"), MONDAY - timedelta(seconds=1)):
        refused = case.refuses(CompleteUserTask(user_task=2, data={"title": "Hal"}, done_at=done_at))
        assert (refused.code, [one.place for one in refused.problems]) == ("incomplete", ["done_at"])


def test_several_steps_done_on_paper_are_entered_after_an_outage_as_they_were() -> None:
    late = at("2026-11-25 15.00")
    case = given("three_tasks").when(
        CompleteUserTask(user_task=2, data={"title": "Hal"}, done_at=at("2026-11-23 09.00")), when=late)
    number = case.task("read").number
    refused = case.refuses(CompleteUserTask(user_task=number, done_at=at("2026-11-23 08.59")), HEAD, late)
    assert [one.place for one in refused.problems] == ["done_at"]
    case = case.when(CompleteUserTask(user_task=number, done_at=at("2026-11-23 10.00")), HEAD, late)
    assert case.of(UserTaskCompleted) == [UserTaskCompleted(number, "read", 60, None, False)]


def test_work_on_paper_before_the_claim_has_no_negative_times() -> None:
    case = given("three_tasks").claimed("write", when=at("2026-11-24 08.00"))
    case = case.when(
        CompleteUserTask(user_task=2, data={"title": "Hal"}, done_at=at("2026-11-23 09.00")),
        when=at("2026-11-24 09.00"),
    )
    assert case.of(UserTaskCompleted) == [UserTaskCompleted(2, "write", 60, 0, False)]


# People


def test_completing_step_2_appoints_the_team() -> None:
    case = lkjpd_before(3)
    appointed = [one for step in case.steps for one in step.events if isinstance(one, TeamAppointed)]
    assert appointed == [
        TeamAppointed("tim_penyusun", (("sekcam", "ketua"), ("tim1", "sekretaris"), ("tim2", "anggota")), 5)
    ]
    assert case.instance.team == {"tim_penyusun": (("sekcam", "ketua"), ("tim1", "sekretaris"), ("tim2", "anggota"))}


def test_a_member_without_an_account_is_in_the_form_but_not_in_the_team() -> None:
    case = lkjpd_before(2)
    number = case.task("langkah_2").number
    rows = [
        {"pegawai": {"id": "sekcam"}, "kedudukan": "ketua"},
        {"pegawai": {"nama": "Pendamping Desa"}, "kedudukan": "anggota"},
    ]
    meeting = [{"tanggal": "2026-12-17", "pukul": "09:00", "tempat": "Aula", "acara": "Rapat"}]
    for document in ("sk_tim", "surat_undangan"):
        case = case.when(AttachDocument(document=document, attachment=file(), user_task=number), SEKCAM)
    case = case.completed(
        "langkah_2", SEKCAM, nomor_sk_tim="1", tanggal_sk_tim="2026-12-15", susunan_tim=rows, jadwal_rapat=meeting
    )
    assert case.of(TeamAppointed) == [TeamAppointed("tim_penyusun", (("sekcam", "ketua"),), number)]


def test_a_team_in_which_nobody_has_an_account_is_not_appointed() -> None:
    case = lkjpd_before(2)
    number = case.task("langkah_2").number
    rows = [
        {"pegawai": {"nama": "Tamu 1"}, "kedudukan": "ketua"},
        {"pegawai": {"nama": "Tamu 2"}, "kedudukan": "anggota"},
    ]
    refused = case.refuses(CompleteUserTask(user_task=number, data={"susunan_tim": rows}), SEKCAM)
    assert [one.message for one in refused.problems if one.place == "susunan_tim"] == [
        "Susunan Tim Penyusun LKjPD: pilih paling sedikit satu pegawai yang mempunyai akun, agar ada yang mengerjakan "
        "langkah Tim."
    ]


def review(case: Case) -> CompleteUserTask:
    return CompleteUserTask(
        user_task=case.task("langkah_4").number,
        data={
            "tanggal_terima_rancangan": "2027-01-12",
            "nomor_lhr": "1",
            "tanggal_lhr": "2027-01-12",
            "ringkasan_reviu": "Baik",
            "ada_catatan_reviu": "tidak",
            "tanggal_kirim_lhr": "2027-01-12",
        },
    )


def test_who_may_record_for_another_office_does_so_only_on_its_behalf() -> None:
    case = lkjpd_before(4)
    number = case.task("langkah_4").number
    for_inspektorat = replace(KETUA, on_behalf_of="inspektorat_daerah")
    case = case.when(AttachDocument(document="lhr", attachment=file(), user_task=number), for_inspektorat)
    assert case.refuses(review(case), KETUA).code == "not_yours"
    assert case.refuses(review(case), replace(TIM2, on_behalf_of="inspektorat_daerah")).code == "not_yours"
    step = case.when(review(case), for_inspektorat).steps[-1]
    assert (step.command.actor.person, step.command.actor.on_behalf_of) == ("sekcam", "inspektorat_daerah")
    assert case.when(review(case), INSPEKTORAT).open == ["langkah_5"]


def test_on_behalf_of_counts_only_for_a_lane_of_another_office() -> None:
    case = lkjpd_before(7)
    assert (
        case.refuses(
            ClaimUserTask(user_task=case.task("langkah_7").number), replace(SEKCAM, on_behalf_of="kecamatan_lasem")
        ).code
        == "not_yours"
    )


def test_the_actor_is_recorded_as_they_were_with_capacity_and_basis() -> None:
    plh = somebody(
        "sekcam",
        "kepala_pd",
        "sekretaris_pd",
        capacity="plh",
        basis="800/17/2027",
        position="camat_lasem",
        unit="kecamatan_lasem",
    )
    case = lkjpd_before(7)
    case = case.claimed("langkah_7", plh)
    assert case.steps[-1].command.actor == plh


# Documents


def test_attaching_again_is_a_new_version_of_the_same_type() -> None:
    case = lkjpd_before(4)
    number = case.task("langkah_4").number
    case = case.when(AttachDocument(document="lhr", attachment=file("satu.pdf"), user_task=number), INSPEKTORAT).then(
        DocumentAttached("lhr", 1, number)
    )
    case = case.when(AttachDocument(document="lhr", attachment=file("dua.pdf"), user_task=number), INSPEKTORAT).then(
        DocumentAttached("lhr", 2, number)
    )
    document = case.instance.documents["lhr"]
    assert (document.attachment, document.element, document.person, document.at) == (
        file("dua.pdf"),
        "langkah_4",
        "inspektorat",
        case.instance.last_at,
    )


def test_several_files_of_one_pass_are_one_version() -> None:
    case = lkjpd_before(3)
    number = case.task("langkah_3").number
    before = case.instance.documents["daftar_hadir"]
    case = case.when(AttachDocument(document="daftar_hadir", attachment=file("tiga.jpg"), user_task=number), TIM2)
    assert case.instance.documents["daftar_hadir"].version == before.version == 1
    assert len(case.instance.documents["daftar_hadir"].attachment.files) == len(before.attachment.files) + 1


@pytest.mark.parametrize(
    ("document", "attachment", "who", "code"),
    [
        ("lhr", Attachment(form="cetak", place="Lemari"), INSPEKTORAT, "wrong"),
        ("lhr", Attachment(), INSPEKTORAT, "wrong"),
        ("lhr", Attachment(files=file("a.pdf").files + file("b.pdf").files), INSPEKTORAT, "wrong"),
        ("bahan_data", file(), INSPEKTORAT, "wrong"),  # only to be read here
        ("notulen", file(), INSPEKTORAT, "wrong"),  # not asked for in this task
        ("lhr", file(), TIM1, "not_yours"),
        ("lhr", file(), STRANGER, "not_yours"),
    ],
)
def test_what_does_not_fit_the_slot_is_refused(document: str, attachment: Attachment, who: Any, code: str) -> None:
    case = lkjpd_before(4)
    act = AttachDocument(document=document, attachment=attachment, user_task=case.task("langkah_4").number)
    assert case.refuses(act, who).code == code


def test_paper_and_links_say_where_they_are() -> None:
    case = lkjpd_before(3, "02_dikembalikan_satu_kali.txt")
    number = case.task("langkah_3").number
    assert (
        case.refuses(
            AttachDocument(document="bahan_rapat", attachment=Attachment(form="cetak"), user_task=number), TIM1
        ).code
        == "wrong"
    )
    link = Attachment(form="tautan", place="https://contoh.invalid/data")
    case = case.when(AttachDocument(document="bahan_data", attachment=link, user_task=number), TIM1)
    assert case.instance.documents["bahan_data"].attachment == link


def test_named_lanes_may_attach_to_a_task_that_they_cannot_complete() -> None:
    case = lkjpd_before(6)
    number = case.task("langkah_6").number
    case = case.when(
        AttachDocument(document="rancangan_akhir", attachment=file("lebih-baik.pdf"), user_task=number), TIM2
    )
    assert case.instance.documents["rancangan_akhir"].version == 2
    assert case.refuses(CompleteUserTask(user_task=number, data={}), TIM2).code == "not_yours"


def test_a_document_is_attached_to_an_open_task_or_settles_what_is_owed() -> None:
    case = lkjpd_before(4)
    assert (
        case.refuses(AttachDocument(document="lhr", attachment=file(), user_task=999), INSPEKTORAT).code == "not_open"
    )
    assert case.refuses(AttachDocument(document="lhr", attachment=file()), INSPEKTORAT).code == "not_open"


# Owed, settled, waived


def promise(document: str, promised: str = "2026-12-21", reason: str = "Menunggu tanda tangan.") -> Promise:
    return Promise(document=document, promised=promised, reason=reason)


def owing_sk() -> Case:
    case = lkjpd_before(2)
    return case.when(OweRequirement(user_task=case.task("langkah_2").number, promise=promise("sk_tim")), SEKCAM)


def test_an_owed_document_stays_visible_with_its_promise() -> None:
    case = owing_sk()
    case.then(RequirementOwed("sk_tim", "langkah_3", "2026-12-21", case.task("langkah_2").number))
    owed = case.instance.owed["sk_tim"]
    assert (owed.reason, owed.lane, owed.person) == ("Menunggu tanda tangan.", "sekretaris_pd", "sekcam")


@pytest.mark.parametrize(
    ("given_promise", "who", "code"),
    [
        (promise("surat_undangan"), SEKCAM, "wrong"),  # may not be owed
        (promise("sk_tim", promised="2026-12-01"), SEKCAM, "wrong"),  # promised for yesterday
        (promise("sk_tim", promised="besok"), SEKCAM, "wrong"),
        (promise("sk_tim", reason=""), SEKCAM, "wrong"),
        (promise("lhr"), SEKCAM, "wrong"),  # not asked for here
        (promise("sk_tim"), CAMAT, "not_yours"),
    ],
)
def test_a_promise_that_cannot_be_given_is_refused(given_promise: Promise, who: Any, code: str) -> None:
    case = lkjpd_before(2)
    assert (
        case.refuses(OweRequirement(user_task=case.task("langkah_2").number, promise=given_promise), who).code == code
    )


def test_attaching_settles_and_so_does_handing_in_outside_a_task() -> None:
    case = owing_sk()
    number = case.task("langkah_2").number
    case.when(AttachDocument(document="sk_tim", attachment=file(), user_task=number), SEKCAM).then(
        DocumentAttached("sk_tim", 1, number), RequirementSettled("sk_tim")
    )
    for act in (
        SettleRequirement(document="sk_tim", attachment=file()),
        AttachDocument(document="sk_tim", attachment=file()),
    ):
        settled = case.when(act, SEKCAM).then(DocumentAttached("sk_tim", 1, None), RequirementSettled("sk_tim"))
        assert settled.instance.owed == {}


def test_only_who_works_on_the_instance_hands_in_and_only_what_is_owed() -> None:
    case = owing_sk()
    assert case.refuses(SettleRequirement(document="sk_tim", attachment=file()), STRANGER).code == "not_yours"
    assert case.refuses(SettleRequirement(document="sk_tim", attachment=file()), INSPEKTORAT).code == "not_yours"
    assert (
        case.refuses(SettleRequirement(document="sk_tim", attachment=Attachment(form="cetak", place="x")), SEKCAM).code
        == "wrong"
    )
    assert case.refuses(SettleRequirement(document="lhr", attachment=file()), SEKCAM).code == "not_open"


def test_a_promise_that_turned_out_not_to_be_needed_is_settled_with_the_task() -> None:
    case = lkjpd_before(7)
    number = case.task("langkah_7").number
    case = case.when(OweRequirement(user_task=number, promise=promise("dokumen_lkjpd", "2027-01-25")), CAMAT)
    case = case.completed("langkah_7", CAMAT, keputusan="kembalikan", koreksi=[{"koreksi": "Perbaiki Bab III."}])
    assert case.of(RequirementSettled) == [RequirementSettled("dokumen_lkjpd")]
    assert case.instance.owed == {}


def test_a_waiver_is_given_by_the_head_with_a_reason_for_this_task() -> None:
    case = lkjpd_before(3)
    number = case.task("langkah_3").number
    case = case.when(WaiveRequirement(user_task=number, document="notulen", reason="Rapat batal"), CAMAT).then(
        RequirementWaived("notulen", number)
    )
    assert case.instance.waived == {"notulen": number}


@pytest.mark.parametrize(
    ("step", "document", "reason", "who", "code"),
    [
        (3, "notulen", "x", SEKCAM, "not_yours"),
        (3, "notulen", "x", KETUA, "not_yours"),
        (3, "notulen", "", CAMAT, "wrong"),
        (3, "lhr", "x", CAMAT, "wrong"),  # not asked for here
        (4, "lhr", "x", CAMAT, "wrong"),  # can never be waived
        (3, "notulen", "x", ADMINISTRATOR, "not_yours"),  # an administrator repairs; Kepala PD waives
        (7, "dokumen_lkjpd", "x", ADMINISTRATOR, "not_yours"),
        (8, "bukti_unggah_esr", "x", CAMAT, "wrong"),
        (7, "lembar_koreksi", "x", CAMAT, "not_yours"),  # their own step
    ],
)
def test_a_waiver_that_nobody_may_give_is_refused(step: int, document: str, reason: str, who: Any, code: str) -> None:
    case = lkjpd_before(step)
    act = WaiveRequirement(user_task=case.task(f"langkah_{step}").number, document=document, reason=reason)
    assert case.refuses(act, who).code == code


# The instance as a whole


def test_a_comment_is_counted_and_possible_even_when_all_is_over() -> None:
    case = given("three_tasks").when(AddComment(text="Mohon segera.", user_task=2), HEAD).then(CommentAdded(1))
    case = (
        case.when(CancelProcessInstance(reason="Salah mulai"), ADMINISTRATOR)
        .when(AddComment(text="Baik."), STAFF)
        .then(CommentAdded(2))
    )
    assert case.instance.comments == 2


def test_a_comment_says_something_and_comes_from_somebody_of_the_process() -> None:
    case = given("three_tasks")
    assert case.refuses(AddComment(text="")).code == "wrong"
    assert case.refuses(AddComment(text="x" * 20_001)).code == "wrong"
    assert case.refuses(AddComment(text="Halo"), STRANGER).code == "not_yours"
    case.when(AddComment(text="Diperiksa."), ADMINISTRATOR).then(CommentAdded(1))


def suspended(name: str = "escalation") -> Case:
    leader = somebody("head", definition(name).lanes[0].id)
    return given(name).when(SuspendProcessInstance(reason="Menunggu petunjuk"), leader).then(ProcessInstanceSuspended())


def test_while_suspended_nothing_goes_on_and_no_timer_fires() -> None:
    case = suspended()
    assert case.instance.status == SUSPENDED
    for act in (
        ClaimUserTask(user_task=2),
        CompleteUserTask(user_task=2, data={"reply": "Ya"}),
        SuspendProcessInstance(reason="x"),
    ):
        assert case.refuses(act).code == "not_running"
    assert case.refuses(FireTimer(timer=3), CLOCK, case.instance.timers[3].due_at).code == "not_running"
    case.when(AddComment(text="Masih menunggu."))


def test_resuming_moves_no_date() -> None:
    before = given("escalation").instance
    case = (
        suspended().when(ResumeProcessInstance(), ADMINISTRATOR, at("2026-12-01 09.00")).then(ProcessInstanceResumed())
    )
    assert (case.instance.status, case.instance.timers, case.instance.user_tasks) == (
        RUNNING,
        before.timers,
        before.user_tasks,
    )


def test_suspending_and_cancelling_are_for_the_first_lane_or_an_administrator_with_a_reason() -> None:
    case = given("three_tasks")
    for act in (SuspendProcessInstance, CancelProcessInstance):
        assert case.refuses(act(reason="x"), HEAD).code == "not_yours"
        assert case.refuses(act(reason=""), STAFF).code == "incomplete"
    assert case.refuses(ResumeProcessInstance(), STAFF).code == "wrong"
    assert case.refuses(ResumeProcessInstance(), HEAD).code == "not_yours"


def test_cancelling_cancels_every_open_task_and_timer() -> None:
    case = lkjpd_before(3).when(CancelProcessInstance(reason="Dobel"), CAMAT)
    number = lkjpd_before(3).task("langkah_3").number
    case.then(
        UserTaskCancelled(number, "langkah_3"),
        TimerCancelled(4, "tenggat"),
        TimerCancelled(number + 1, "waktu_3"),
        ProcessInstanceCancelled(),
    )
    assert (case.instance.status, case.instance.marking.tokens, case.instance.timers, case.instance.user_tasks) == (
        CANCELLED,
        (),
        {},
        {},
    )
    assert case.instance.ended_at == case.instance.last_at


def test_a_finished_instance_takes_no_command_but_a_comment() -> None:
    case = given("three_tasks").when(CancelProcessInstance(reason="x"), STAFF)
    for act in (
        ClaimUserTask(user_task=2),
        ResumeProcessInstance(),
        Correct(reason="x", open=("write",)),
        RaiseIncident(kind="alarm"),
    ):
        assert case.refuses(act, ADMINISTRATOR).code == "not_running"


# Correction


def test_a_correction_rewrites_the_marking_without_running_the_engine() -> None:
    case = given("interrupting_timer")
    case = case.when(
        Correct(reason="Salah langkah", data={"measure": "Segera"}, close=(2,), open=("take_over",)), ADMINISTRATOR
    )
    case.then(
        ProcessInstanceCorrected(("measure",), (2,), ("take_over",)),
        UserTaskCancelled(2, "answer"),
        TimerCancelled(3, "too_late"),
        UserTaskOpened(4, "take_over", "head", 1, None, None, None),
    )
    assert case.instance.data == {"measure": "Segera"}
    assert case.instance.marking == Marking((Token(4, "take_over", 0, "open"),), 5)


def test_a_correction_opens_a_task_with_its_timers_and_next_round() -> None:
    case = given("interrupting_timer").when(Correct(reason="Ulangi", close=(2,), open=("answer",)), ADMINISTRATOR)
    assert case.of(UserTaskOpened)[0].round == 2
    assert case.of(TimerStarted) == [
        TimerStarted(5, "too_late", 4, at("2026-11-23 13.01"), FIVE_DAYS, 1)
    ]  # after the break
    case = case.fired("too_late")
    assert case.open == ["take_over"]


def test_a_corrected_field_may_be_emptied() -> None:
    case = (
        given("three_tasks")
        .completed("write", title="Hal", pages=2)
        .when(Correct(reason="Salah", data={"pages": None}), ADMINISTRATOR)
    )
    assert case.instance.data == {"title": "Hal"}


@pytest.mark.parametrize(
    ("act", "who", "code"),
    [
        (Correct(reason="x", open=("read",)), STAFF, "not_yours"),
        (Correct(reason="", open=("read",)), ADMINISTRATOR, "incomplete"),
        (Correct(reason="x", data={"nowhere": 1}), ADMINISTRATOR, "wrong"),
        (Correct(reason="x", open=("end",)), ADMINISTRATOR, "wrong"),
        (Correct(reason="x", close=(99,)), ADMINISTRATOR, "wrong"),
        (Correct(reason="x", close=(2,)), ADMINISTRATOR, "wrong"),  # leaves nothing open
    ],
)
def test_a_correction_that_makes_no_sense_is_refused(act: Correct, who: Any, code: str) -> None:
    assert given("three_tasks").refuses(act, who).code == code


def test_a_suspended_instance_may_be_corrected() -> None:
    case = suspended("three_tasks").when(Correct(reason="x", close=(2,), open=("read",)), ADMINISTRATOR)
    assert (case.open, case.instance.status) == (["read"], SUSPENDED)


def test_what_a_correction_reports_does_not_depend_on_the_order_of_its_data() -> None:
    case = given("three_tasks")
    first = case.when(Correct(reason="x", data={"title": "a", "pages": 1}), ADMINISTRATOR)
    second = case.when(Correct(reason="x", data={"pages": 1, "title": "a"}), ADMINISTRATOR)
    assert first.events == second.events


# Branches


def test_a_fork_opens_all_branches_and_a_join_waits_for_all() -> None:
    case = given("parallel")
    assert case.open == ["count", "price"]
    case = case.completed("price", HEAD, price="1.50")
    assert (case.open, case.instance.status) == (["count"], RUNNING)
    case = case.completed("count", stock=1)
    assert case.of(TokenConsumed) == [TokenConsumed(5, "join", "f5")]
    assert case.instance.status == COMPLETED


def test_a_terminate_end_event_cancels_all_the_rest() -> None:
    case = given("terminate").completed("withdraw", HEAD)
    assert case.of(UserTaskCancelled) == [UserTaskCancelled(3, "work")]
    assert (case.instance.status, case.instance.user_tasks) == (COMPLETED, {})


def test_an_ordinary_end_event_ends_only_its_own_branch() -> None:
    case = given("terminate").completed("work")
    assert (case.instance.status, case.open) == (RUNNING, ["withdraw"])


def test_a_join_in_a_loop_waits_again_for_all_branches_in_every_round() -> None:
    case = given("parallel_loop")
    for round in (1, 2, 3):
        assert case.open == ["count", "ask"]
        case = case.completed("ask", HEAD, answered=False)
        assert case.open == ["count", "ask"]  # the inner loop
        case = case.completed("ask", HEAD, answered=True)
        assert case.open == ["count"], f"round {round}: the join fired early"
        case = case.completed("count", stock=round)
        assert case.open == ["check"]
        case = case.completed("check", order_complete=round == 3)
    assert case.instance.status == COMPLETED


def test_inner_and_outer_joins_each_wait_for_their_own_branches() -> None:
    case = given("nested_parallel")
    assert sorted(case.open) == ["budget", "judge", "write"]
    case = case.completed("judge", HEAD)
    assert sorted(case.open) == ["budget", "write"]
    case = case.completed("write")
    case = case.completed("budget", HEAD)
    assert case.open == ["sign"]


# Proving


def recorded(case: Case) -> list[tuple[Any, str | None]]:
    return [(step, step.marking.hash) for step in case.steps]


def test_replaying_recorded_steps_gives_the_same_instance() -> None:
    case = lkjpd_before(9)
    *_, (again, _) = process.replay(rules(), recorded(case), case.instance.id)
    assert again == case.instance


def test_replay_names_the_step_at_which_it_comes_out_otherwise() -> None:
    case = given("three_tasks").completed("write", title="Hal")
    steps = recorded(case)
    steps[1] = (replace(steps[1][0], events=steps[1][0].events[:-1]), None)
    with pytest.raises(
        process.ReplayDiverged, match=r"Step 2 of one: recorded .*, executed again gave .*UserTaskOpened"
    ):
        list(process.replay(case.rules, steps, "one"))


def test_replay_sees_another_marking_and_a_command_that_is_refused_now() -> None:
    case = given("three_tasks").claimed("write")
    with pytest.raises(process.ReplayDiverged, match="Step 1 of one: the marking"):
        list(process.replay(case.rules, [(case.steps[0], "0" * 64)], "one"))
    with pytest.raises(process.ReplayDiverged, match="now refused"):
        list(process.replay(case.rules, [(case.steps[1], None)], "one"))


def test_under_another_engine_version_only_events_must_agree() -> None:
    case = given("three_tasks")
    assert len(list(process.replay(case.rules, [(replace(case.steps[0], marking=Marking()), None)], "one"))) == 1


def test_erased_values_are_opaque_and_replay_still_agrees() -> None:
    case = given("three_tasks").completed("write", title="Hal", pages=3).completed("read", HEAD, remark="Rahasia")
    act = case.steps[2].command.act
    gone = replace(act, data={**act.data, "remark": Erased("ab" * 32)})
    steps = [*case.steps[:2], replace(case.steps[2], command=replace(case.steps[2].command, act=gone))]
    *_, (again, _) = process.replay(case.rules, [(one, one.marking.hash) for one in steps], "one")
    assert again.data == {"title": "Hal", "pages": 3, "remark": Erased("ab" * 32)}


APPROVER = somebody("camat", capacity="penyetuju")


def test_erasing_moves_nothing_and_remembers_which_files_went_and_why() -> None:
    case = given("three_tasks").completed("write", title="Hal", pages=3)
    act = EraseValues(request="r1", number="12/PDP/2027", basis="UU 27/2022", values=("2:command.act.data.title",),
                      files=("ab" * 32,))
    after = case.when(act, APPROVER)
    assert after.steps[-1].events == (events.ValuesErased(1, ("ab" * 32,), False),)
    assert after.instance.marking == case.instance.marking and after.instance.data == case.instance.data
    assert after.instance.erased_files == {"ab" * 32: "request 12/PDP/2027"} and after.instance.disposed == ""
    gone = after.when(replace(act, number="3/BA/2040", disposal=True), APPROVER).instance
    assert gone.disposed == "3/BA/2040" and gone.erased_files == {"ab" * 32: "disposal 3/BA/2040"}


@pytest.mark.parametrize("who", [STAFF, HEAD, somebody("admin", administrator=True, capacity="administrator")])
def test_erasing_comes_only_from_what_two_people_decided(who: Any) -> None:
    act = EraseValues(request="r1", number="12", basis="UU 27/2022", values=("2:command.act.data.title",))
    assert given("three_tasks").refuses(act, who).code == "not_yours"


@pytest.mark.parametrize("act", [
    EraseValues(request="r", number="12", basis="UU"), EraseValues(request="", number="12", basis="UU", files=("a",)),
    EraseValues(request="r", number="", basis="UU", files=("a",)), EraseValues(request="r", number="1", basis="",
                                                                               files=("a",))])
def test_erasing_names_its_letter_its_basis_and_what_goes(act: Any) -> None:
    assert given("three_tasks").refuses(act, APPROVER).code == "wrong"


def test_deciding_changes_nothing_and_asking_twice_gives_the_same() -> None:
    case = lkjpd_before(7)
    before = replace(case.instance)
    one = case.completed("langkah_7", CAMAT, keputusan="kembalikan", koreksi=[{"koreksi": "Perbaiki."}])
    two = case.completed("langkah_7", CAMAT, keputusan="kembalikan", koreksi=[{"koreksi": "Perbaiki."}])
    assert (one, case.instance) == (two, before)


# More time


def asked_for_step_3() -> Case:
    case = lkjpd_before(3)
    ask = AskExtension(user_task=case.task("langkah_3").number, until="2027-01-22", reason="Data belum lengkap")
    return case.when(ask, TIM1, at("2027-01-06 10.00"))


def test_the_performer_asks_for_more_time_and_nothing_moves_yet() -> None:
    before = lkjpd_before(3).task("langkah_3")
    case = asked_for_step_3()
    case.then(ExtensionAsked(before.number, at("2027-01-22 16.30")))
    task = case.task("langkah_3")
    assert replace(task, extension=None) == before
    assert task.extension is not None and task.extension.granted is None
    assert (task.extension.person, task.extension.reason, task.extension.until) == (
        "tim1", "Data belum lengkap", at("2027-01-22 16.30"))


def test_a_granted_extension_moves_what_is_late_and_the_reminder_and_leaves_the_norm() -> None:
    case = asked_for_step_3()
    before, timer = case.task("langkah_3"), case.timer("waktu_3")
    case = case.when(GrantExtension(user_task=before.number), CAMAT)
    until = at("2027-01-22 16.30")
    # Twenty working days after Friday's close: the close of Friday 19 February, past two holidays and into Ramadan.
    twice = calendars.due_at("P20D", until, calendars.five_days())
    case.then(ExtensionGranted(before.number, before.late_at, until, twice),
              TimerMoved(timer, "waktu_3", before.late_at, until, FIVE_DAYS))
    task = case.task("langkah_3")
    assert (task.norm_at, task.late_at, task.escalate_at) == (before.norm_at, until, twice)
    assert task.extended and task.extension is not None and task.extension.decided_by == "camat"
    assert case.instance.timers[timer].due_at == until
    assert case.refuses(FireTimer(timer=timer), CLOCK, before.late_at).code == "not_due"
    case.fired("waktu_3", until)


def test_the_superior_may_grant_another_day_than_was_asked() -> None:
    case = asked_for_step_3()
    number = case.task("langkah_3").number
    granted = case.when(GrantExtension(user_task=number, until="2027-01-31"), CAMAT)    # a Sunday: Friday's close
    assert granted.task("langkah_3").late_at == at("2027-01-29 16.30")


def test_a_refused_extension_says_why_and_moves_nothing() -> None:
    case = asked_for_step_3()
    before = case.task("langkah_3")
    assert case.refuses(RefuseExtension(user_task=before.number, reason=""), CAMAT).code == "incomplete"
    case = case.when(RefuseExtension(user_task=before.number, reason="Tenggat dekat"), CAMAT)
    case.then(ExtensionRefused(before.number))
    task = case.task("langkah_3")
    assert (task.late_at, task.extended) == (before.late_at, False)
    assert task.extension is not None and (task.extension.granted, task.extension.why) == (False, "Tenggat dekat")


def test_what_was_decided_once_is_not_decided_again_but_may_be_asked_again() -> None:
    case = asked_for_step_3()
    number = case.task("langkah_3").number
    case = case.when(GrantExtension(user_task=number), CAMAT)
    assert case.refuses(GrantExtension(user_task=number), CAMAT).code == "not_open"
    assert case.refuses(RefuseExtension(user_task=number, reason="Tidak"), CAMAT).code == "not_open"
    again = case.when(AskExtension(user_task=number, until="2027-01-26", reason="Masih kurang"), TIM1)
    assert again.task("langkah_3").extension.granted is None


def test_nobody_decides_on_more_time_for_work_of_their_own_lane() -> None:
    case = asked_for_step_3()
    number = case.task("langkah_3").number
    # Sekretaris PD may decide as such, but not as ketua of the very team.
    assert case.refuses(GrantExtension(user_task=number), KETUA).code == "not_yours"
    assert case.refuses(GrantExtension(user_task=number), TIM2).code == "not_yours"
    assert case.refuses(GrantExtension(user_task=number), replace(SEKCAM, person="tim1")).code == "not_yours"
    case.when(GrantExtension(user_task=number), SEKCAM)


@pytest.mark.parametrize("until", ["", "besok", "2027-13-01", "2026-12-01", "2027-01-05", "2028-06-01"])
def test_a_day_that_is_no_more_time_is_refused_at_its_field(until: str) -> None:
    case = lkjpd_before(3)
    ask = AskExtension(user_task=case.task("langkah_3").number, until=until, reason="Data belum lengkap")
    refused = case.refuses(ask, TIM1, at("2027-01-06 10.00"))
    assert (refused.code, [one.place for one in refused.problems]) == ("incomplete", ["until"])


def test_more_time_is_asked_by_who_performs_with_a_reason_and_where_the_diagram_offers_it() -> None:
    case = lkjpd_before(3)
    number = case.task("langkah_3").number
    assert case.refuses(AskExtension(user_task=number, until="2027-01-22", reason="x"), CAMAT).code == "not_yours"
    assert case.refuses(AskExtension(user_task=number, until="2027-01-22", reason=""), TIM1).code == "incomplete"
    first = lkjpd_before(1)
    ask = AskExtension(user_task=first.task("langkah_1").number, until="2026-12-30", reason="Dinas luar")
    assert "tidak disediakan" in first.refuses(ask, CAMAT).message


def test_an_extended_task_is_late_only_after_its_new_day() -> None:
    case = asked_for_step_3()
    number = case.task("langkah_3").number
    case = case.when(GrantExtension(user_task=number), CAMAT)
    supposed = process.suppose(case.rules, case.instance, Command(
        id="x", at=at("2027-01-22 16.00"), actor=TIM1, act=CompleteUserTask(user_task=number)), lambda flow: None)
    assert [one.late for one in supposed.events if isinstance(one, UserTaskCompleted)] == [False]


# Another calendar


def with_holiday(*days: str) -> calendars.Calendar:
    national = calendars.five_days()
    local = tuple(calendars.Holiday(date=date.fromisoformat(day), name="Hari jadi", kind="libur_daerah")
                  for day in days)
    return replace(national, holidays=(*national.holidays, *local))


def counting_in(calendar: calendars.Calendar, case: Case) -> Case:
    return replace(case, rules=rules_of(case.definition, calendars=(calendar,)))


def test_another_calendar_moves_open_due_dates_and_timers_and_says_from_where_to_where() -> None:
    calendar = with_holiday("2026-11-24")
    case = counting_in(calendar, given("escalation"))               # two days from Monday 23 November 08.00
    case = case.when(ChangeCalendar(calendars={"": calendar.sha256}, reason="Hari jadi"), ADMINISTRATOR)
    before, after = at("2026-11-25 08.00"), at("2026-11-26 08.00")
    four, five = at("2026-11-27 08.00"), at("2026-11-30 08.00")
    timer = case.timer("late")
    case.then(CalendarChanged((("", FIVE_DAYS, calendar.sha256),)),
              DueDatesMoved(2, before, before, four, after, after, five),
              TimerMoved(timer, "late", before, after, calendar.sha256))
    assert case.instance.calendars == {"": calendar.sha256}
    assert (case.task("answer").norm_at, case.task("answer").late_at) == (after, after)
    assert case.instance.timers[timer].due_at == after


def test_what_is_over_stays_as_it_was_computed() -> None:
    calendar = with_holiday("2026-11-24")
    case = counting_in(calendar, given("escalation").fired("late"))
    before = case.task("answer")
    case = case.when(ChangeCalendar(calendars={"": calendar.sha256}, reason="Terlambat diketahui"), CLOCK,
                     at("2026-11-25 09.00"))
    assert case.of(DueDatesMoved) == [DueDatesMoved(
        2, before.norm_at, before.late_at, before.escalate_at, before.norm_at, before.late_at,
        at("2026-11-30 08.00"))]
    assert case.of(TimerMoved) == []


def test_a_calendar_makes_nothing_due_before_it_was_changed() -> None:
    slow = with_holiday("2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27")
    case = fresh(definition("escalation"))
    case = counting_in(slow, case).when(starting("escalation", calendars={"": slow.sha256}))
    assert case.task("answer").norm_at == at("2026-12-01 08.00")
    changed = at("2026-11-28 10.00")
    case = case.when(ChangeCalendar(calendars={"": FIVE_DAYS}, reason="Keliru"), ADMINISTRATOR, changed)
    assert (case.task("answer").norm_at, case.task("answer").escalate_at) == (changed, changed)
    case.fired("late", changed)


def test_a_lane_whose_calendar_did_not_change_keeps_its_dates() -> None:
    calendar = with_holiday("2026-11-24")
    case = counting_in(calendar, given("escalation"))
    case = case.when(ChangeCalendar(calendars={"head": calendar.sha256}, reason="Hari jadi"), ADMINISTRATOR)
    case.then(CalendarChanged((("head", FIVE_DAYS, calendar.sha256),)))
    assert case.task("answer").norm_at == at("2026-11-25 08.00")


def test_an_extension_that_was_granted_stands_under_another_calendar() -> None:
    calendar = with_holiday("2027-01-11", "2027-01-25")
    case = asked_for_step_3()
    number = case.task("langkah_3").number
    case = counting_in(calendar, case.when(GrantExtension(user_task=number), CAMAT))
    before = case.task("langkah_3")
    changed = ChangeCalendar(calendars={"": calendar.sha256, "tim_penyusun": calendar.sha256}, reason="Hari jadi")
    after = case.when(changed, ADMINISTRATOR).task("langkah_3")
    assert after.late_at == before.late_at == at("2027-01-22 16.30")
    assert after.norm_at > before.norm_at and after.escalate_at > before.escalate_at


def test_a_request_that_another_calendar_has_overtaken_grants_no_less_time() -> None:
    days = [f"2027-01-{day:02}" for day in (7, 8, 11, 12, 13, 14, 15, 18, 19, 20, 21, 22)]
    calendar = with_holiday(*days)
    case = counting_in(calendar, asked_for_step_3())
    number = case.task("langkah_3").number
    case = case.when(ChangeCalendar(calendars={"": calendar.sha256, "tim_penyusun": calendar.sha256}, reason="Bencana"),
                     ADMINISTRATOR)
    task = case.task("langkah_3")
    assert task.extension is not None and task.late_at > task.extension.until
    assert case.refuses(GrantExtension(user_task=number), CAMAT).code == "incomplete"
    granted = case.when(GrantExtension(user_task=number, until="2027-02-26"), CAMAT)
    assert granted.task("langkah_3").late_at > task.late_at


def test_a_request_whose_day_has_passed_is_granted_only_with_another_day() -> None:
    case = asked_for_step_3()
    number, late = case.task("langkah_3").number, at("2027-01-25 09.00")
    assert case.refuses(GrantExtension(user_task=number), CAMAT, late).code == "incomplete"
    assert case.when(GrantExtension(user_task=number, until="2027-01-29"), CAMAT, late).of(ExtensionGranted)


def test_a_suspended_instance_takes_another_calendar_and_a_finished_one_does_not() -> None:
    calendar = with_holiday("2026-11-24")
    change = ChangeCalendar(calendars={"": calendar.sha256}, reason="Hari jadi")
    suspended = counting_in(calendar, given("escalation").when(SuspendProcessInstance(reason="Audit"), ADMINISTRATOR))
    assert suspended.when(change, ADMINISTRATOR).instance.calendars == {"": calendar.sha256}
    over = counting_in(calendar, given("escalation").when(CancelProcessInstance(reason="Salah"), ADMINISTRATOR))
    assert over.refuses(change, ADMINISTRATOR).code == "not_running"


@pytest.mark.parametrize(("act", "who", "code"), [
    (ChangeCalendar(calendars={"": FIVE_DAYS}, reason="Sama"), ADMINISTRATOR, "wrong"),
    (ChangeCalendar(calendars={"": "0" * 64}, reason="Tidak ada"), ADMINISTRATOR, "wrong"),
    (ChangeCalendar(calendars={"nowhere": calendars.six_days().sha256}, reason="Lain"), ADMINISTRATOR, "wrong"),
    (ChangeCalendar(calendars={"": calendars.six_days().sha256}, reason=""), ADMINISTRATOR, "incomplete"),
    (ChangeCalendar(calendars={"": calendars.six_days().sha256}, reason="Perbup"), STAFF, "not_yours"),
])
def test_a_calendar_that_cannot_be_changed_to_is_refused(act: ChangeCalendar, who: Any, code: str) -> None:
    assert given("escalation").refuses(act, who).code == code


def test_the_deadline_and_the_first_firing_of_a_cycle_move_with_the_calendar() -> None:
    calendar = with_holiday("2026-11-23", "2026-11-24")
    case = counting_in(calendar, given("cycle_reminder"))
    (timer,) = case.instance.timers.values()
    case = case.when(ChangeCalendar(calendars={"": calendar.sha256}, reason="Hari jadi"), ADMINISTRATOR)
    assert [one.timer for one in case.of(TimerMoved)] == [timer.number]
    assert case.of(TimerMoved)[0].due_at > timer.due_at
    east = replace(calendars.five_days(), zone="Asia/Jayapura")
    lkjpd = counting_in(east, lkjpd_before(3))
    deadline = lkjpd.instance.deadline_at
    lkjpd = lkjpd.when(ChangeCalendar(calendars={"": east.sha256}, reason="Pindah zona"), ADMINISTRATOR)
    assert deadline is not None and lkjpd.instance.deadline_at == deadline - timedelta(hours=2)


# Another version of the diagram (more of it in test_migration.py)


def test_a_migration_gives_the_open_task_its_new_id_and_lane_and_undoing_gives_them_back() -> None:
    old, new = definition("three_tasks"), variant("three_tasks", write="draft_letter", staff="typists")
    case = given("three_tasks").claimed("write").knowing(new)
    act = MigrateProcessInstance(to=new.sha256, mapping={"write": "draft_letter"}, reason="Versi baru")
    case = case.when(act, ADMINISTRATOR)
    moved = UserTaskMoved(2, "write", "draft_letter", "staff", "typists", 1)
    renamed = (("write", "draft_letter"),)
    case.then(ProcessInstanceMigrated(old.sha256, new.sha256, ((2, "write", "draft_letter"),), renamed), moved)
    case = case.when(UndoMigration(reason="Keliru"), ADMINISTRATOR)
    case.then(
        MigrationUndone(new.sha256, old.sha256, ((2, "draft_letter", "write"),)),
        UserTaskMoved(2, "draft_letter", "write", "typists", "staff", 1),
    )


# Supposing


def test_supposing_asks_for_nothing_and_takes_the_planned_way() -> None:
    case = lkjpd_before(7)
    command = Command(id="x", at=case.instance.last_at + timedelta(minutes=1), actor=CLOCK,
                      act=CompleteUserTask(user_task=case.task("langkah_7").number))

    def opened(condition: str) -> list[str]:
        step = process.suppose(case.rules, case.instance, command, lambda flow: condition in (flow.condition or ""))
        return [one.element for one in step.events if isinstance(one, UserTaskOpened)]

    assert (opened("setujui"), opened("kembalikan")) == (["langkah_8"], ["langkah_5"])


def test_a_start_can_be_supposed_with_what_the_deadline_needs() -> None:
    one = definition()
    act = StartProcessInstance(key=one.key, definition=one.sha256, unit="unit", calendars={"": FIVE_DAYS},
                               data={"tahun_laporan": 2026})
    command = Command(id="x", at=MONDAY, actor=CLOCK, act=act)
    step = process.suppose(rules(), ProcessInstance(id="one"), command, lambda flow: None)
    instance = process.evolve(ProcessInstance(id="one"), step)
    assert (instance.year, instance.deadline_at) == (2026, at("2027-03-01 00.00"))
    assert [task.element for task in instance.user_tasks.values()] == ["langkah_1"]


# The closed lists


def test_every_command_and_every_event_has_a_fact_here() -> None:
    """A new command or event needs facts of its own before it may be added."""
    names = {one.__name__ for one in (*get_args(commands.Act), *get_args(events.Event))}
    text = open(__file__, encoding="utf-8").read()
    assert {one for one in names if text.count(f"{one}(") < 1} == set()


def test_events_are_flat_values_without_anything_that_somebody_typed() -> None:
    for kind in get_args(events.Event):
        assert {one.name for one in fields(kind)}.isdisjoint({"data", "reason", "text", "value", "name"}), kind
