"""Migrating one process instance, fact by fact: what goes on, what moves, what is refused, and how it is undone."""
from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine import diagram, process
from engine.calendars import six_days
from engine.commands import (
    Act,
    AddComment,
    AskExtension,
    AttachDocument,
    CancelProcessInstance,
    ClaimUserTask,
    Command,
    CompleteUserTask,
    Correct,
    GrantExtension,
    MigrateProcessInstance,
    OweRequirement,
    Promise,
    ReleaseUserTask,
    ResumeProcessInstance,
    SuspendProcessInstance,
    UndoMigration,
    WaiveRequirement,
)
from engine.definition import ProcessDefinition
from engine.events import (
    DueDatesMoved,
    MigrationUndone,
    ProcessInstanceMigrated,
    TimerCancelled,
    TimerFired,
    TimerMoved,
    TimerStarted,
    UserTaskMoved,
    UserTaskOpened,
)
from engine.instance import COMPLETED, SUSPENDED, ProcessInstance
from engine.marking import ARMED, ARRIVED
from tests.story import (
    ADMINISTRATOR,
    CAMAT,
    CLOCK,
    DIAGRAMS,
    HEAD,
    LKJPD,
    SEKCAM,
    STAFF,
    TIM1,
    Case,
    at,
    definition,
    file,
    given,
    lkjpd_before,
    somebody,
    variant,
)

COSMETIC = ('<dc:Bounds x="', '<dc:Bounds x="0')
ONCE, TWICE = "02_dikembalikan_satu_kali.txt", "03_dikembalikan_dua_kali.txt"


def at_every_step() -> list[Case]:
    """The LKjPD before each step, with no return, after one and after two."""
    found = [lkjpd_before(number) for number in range(1, 10)]
    found += [lkjpd_before(number, ONCE, 2) for number in (5, 6, 7)]
    return [*found, *(lkjpd_before(number, TWICE, 3) for number in (5, 6, 7))]


def migrated(case: Case, new: ProcessDefinition, **mapping: str) -> Case:
    return case.knowing(new).when(to(new, **mapping), ADMINISTRATOR)


def to(new: ProcessDefinition, **mapping: str) -> MigrateProcessInstance:
    return MigrateProcessInstance(to=new.sha256, mapping=mapping, reason="Versi baru disahkan")


def undone(case: Case) -> Case:
    return case.when(UndoMigration(reason="Keliru"), ADMINISTRATOR)


def without_history(instance: ProcessInstance) -> ProcessInstance:
    """What an undo must give back: all but that something happened."""
    marking = replace(instance.marking, next=0)         # numbers are never used again
    return replace(instance, sequence=0, last_at=None, migrations=0, marking=marking,
                   before_completion=None)   # migrating is something that somebody did since


def replayed(case: Case) -> ProcessInstance:
    *_, (again, _) = process.replay(case.rules, [(step, step.marking.hash) for step in case.steps], "one")
    return replace(again, id=case.instance.id)


def drawn(name: str) -> str:
    return next(path for path in DIAGRAMS if path.stem == name).read_text()


# What goes on

def test_a_cosmetic_change_moves_nothing_at_any_step_after_any_number_of_returns() -> None:
    new = variant(LKJPD, COSMETIC)
    for case in at_every_step():
        after = migrated(case, new)
        assert after.events == (ProcessInstanceMigrated(definition().sha256, new.sha256, (), ()),)
        assert after.instance.marking == case.instance.marking and after.instance.user_tasks == case.instance.user_tasks
        assert after.instance.definition == new.sha256 and replayed(after) == after.instance


@pytest.mark.parametrize(("name", "nth", "returns"), [
    ("01_disetujui_langsung.txt", 1, 0), ("02_dikembalikan_satu_kali.txt", 2, 1),
    ("03_dikembalikan_dua_kali.txt", 3, 2)])
def test_an_edited_and_renamed_finished_step_keeps_nothing_back(name: str, nth: int, returns: int) -> None:
    new = variant(LKJPD, ("P20D", "P25D"), langkah_3="susun")
    case = lkjpd_before(7, name, nth)
    after = migrated(case, new, langkah_3="susun")
    (event,) = after.of(ProcessInstanceMigrated)
    assert len(after.events) == 1 and event.mapped == () and event.renamed == (("langkah_3", "susun"),)
    assert "langkah_3" not in after.instance.passed
    assert after.instance.passed["susun"] == case.instance.passed["langkah_3"]
    assert after.instance.rounds["langkah_5"] == returns + 1
    assert after.instance.user_tasks == case.instance.user_tasks


def test_a_finished_step_that_is_gone_stays_in_the_history_and_its_data_too() -> None:
    new = gone_write()
    case = given("three_tasks").completed("write", title="Surat", pages=3)
    after = migrated(case, new)
    assert after.instance.data == {"title": "Surat", "pages": 3}
    assert after.instance.passed == case.instance.passed
    assert after.completed("read", HEAD).completed("send", sent_on="2026-11-24").instance.status == COMPLETED


def gone_write() -> ProcessDefinition:
    """Three tasks without their first."""
    one = definition("three_tasks")
    text = drawn("three_tasks")
    text = re.sub(r'    <bpmn:userTask id="write".*?</bpmn:userTask>\n', "", text, flags=re.DOTALL)
    text = re.sub(r'    <bpmn:sequenceFlow id="f2"[^>]*/>\n', "", text)
    text = re.sub(r'<bpmn:flowNodeRef>write</bpmn:flowNodeRef>', "", text)
    text = text.replace('sourceRef="start" targetRef="write"', 'sourceRef="start" targetRef="read"')
    text = text.replace("<bpmn:incoming>f2</bpmn:incoming>", "<bpmn:incoming>f1</bpmn:incoming>")
    found = diagram.reread(text.encode())
    assert found.key == one.key and "write" not in found.elements
    return found


def test_a_finished_step_that_is_gone_keeps_nothing_back_though_the_loop_leads_over_it() -> None:
    """Step 6 lies in the loop of returns: what waits at 7 goes over though its last round went through 6."""
    text = LKJPD.read_text()
    for kind, id in (("userTask", "langkah_6"), ("boundaryEvent", "waktu_6")):
        text = re.sub(rf'    <bpmn:{kind} id="{id}".*?</bpmn:{kind}>\n', "", text, flags=re.DOTALL)
    text = re.sub(r"\s*<bpmn:flowNodeRef>(langkah_6|waktu_6|pengingat_6)</bpmn:flowNodeRef>", "", text)
    flows = {one.id: one for one in definition().flows.values()}
    into = next(one for one in flows.values() if one.target == "langkah_6")
    out = next(one for one in flows.values() if one.source == "langkah_6")
    text = re.sub(rf'    <bpmn:sequenceFlow id="{out.id}"[^>]*?/>\n', "", text)
    text = text.replace(f'sourceRef="{into.source}" targetRef="langkah_6"',
                        f'sourceRef="{into.source}" targetRef="{out.target}"')
    text = text.replace(f"<bpmn:incoming>{out.id}</bpmn:incoming>", f"<bpmn:incoming>{into.id}</bpmn:incoming>")
    new = diagram.reread(text.encode())
    assert "langkah_6" not in new.elements
    for case in (lkjpd_before(7), lkjpd_before(7, ONCE, 2), lkjpd_before(7, TWICE, 3)):
        after = migrated(case, new)
        assert after.open == case.open and after.instance.user_tasks == case.instance.user_tasks
        assert replayed(after) == after.instance


def test_number_claim_round_values_and_waiver_of_an_open_task_survive_its_new_id() -> None:
    new = variant(LKJPD, langkah_3="susun", waktu_3="waktu_susun")
    case = lkjpd_before(3)
    number = case.task("langkah_3").number
    case = case.when(WaiveRequirement(user_task=number, document="notulen", reason="Rapat batal"), CAMAT)
    if case.task("langkah_3").owner is None:
        case = case.claimed("langkah_3", TIM1)
    after = migrated(case, new, langkah_3="susun")
    before, task = case.task("langkah_3"), after.task("susun")
    assert task == replace(before, element="susun") and task.owner == before.owner is not None
    assert after.instance.waived == case.instance.waived == {"notulen": number}
    assert after.instance.rounds["susun"] == 1 and "langkah_3" not in after.instance.rounds
    (timer,) = [one for one in after.instance.timers.values() if one.user_task == number]
    assert timer.element == "waktu_susun"               # the Waktu of a step stays the Waktu whatever its id
    assert timer.due_at == case.instance.timers[timer.number].due_at
    assert {type(one) for one in after.events} == {ProcessInstanceMigrated, UserTaskMoved}
    assert replayed(after) == after.instance


def test_a_lane_that_changed_moves_the_open_task_and_leaves_the_claim() -> None:
    new = variant("three_tasks", ("<bpmn:flowNodeRef>write</bpmn:flowNodeRef>", ""),
                  ("<bpmn:flowNodeRef>read</bpmn:flowNodeRef>",
                   "<bpmn:flowNodeRef>read</bpmn:flowNodeRef><bpmn:flowNodeRef>write</bpmn:flowNodeRef>"))
    after = migrated(given("three_tasks").claimed("write"), new)
    assert after.of(UserTaskMoved) == [UserTaskMoved(2, "write", "write", "staff", "head", 1)]
    assert after.task("write").owner == STAFF.person
    # Who claimed it and does not perform the lane any more can give it back; the lane goes on.
    assert after.refuses(CompleteUserTask(user_task=2, data={"title": "x"})).code == "not_yours"
    assert after.refuses(ClaimUserTask(user_task=2), HEAD).code == "taken"
    freed = after.when(ReleaseUserTask(user_task=2), STAFF)
    assert freed.completed("write", HEAD, title="x").open == ["read"]


def test_a_new_lane_counts_in_the_calendar_that_is_given_and_a_vanished_one_is_forgotten() -> None:
    new = variant("escalation", staff="clerks")
    case = given("escalation").knowing(new)
    week = six_days().sha256
    act = replace(to(new), calendars={"clerks": week, "nowhere": week})
    case = case.when(act, ADMINISTRATOR)
    assert case.instance.calendars == {"": case.instance.calendars[""], "clerks": week}
    assert replayed(case) == case.instance


def test_an_owed_document_keeps_its_step_and_its_lane_under_their_new_ids() -> None:
    new = variant(LKJPD, langkah_9="arsip", sekretaris_pd="sekretariat")
    case = lkjpd_before(2)
    number = case.task("langkah_2").number
    promise = Promise(document="sk_tim", promised="2027-02-20", reason="Belum ditandatangani")
    case = case.when(OweRequirement(user_task=number, promise=promise), SEKCAM)
    owed = case.instance.owed["sk_tim"]
    after = migrated(case, new, langkah_9="arsip", sekretaris_pd="sekretariat").instance.owed["sk_tim"]
    assert after == replace(owed, until="arsip" if owed.until == "langkah_9" else owed.until, lane="sekretariat")


def test_a_document_that_is_owed_before_a_step_that_is_gone_needs_that_step_mapped() -> None:
    new = variant(LKJPD, langkah_3="susun", langkah_4="reviu")
    case = lkjpd_before(2)
    promise = Promise(document="sk_tim", promised="2027-02-20", reason="Belum ditandatangani")
    case = case.when(OweRequirement(user_task=case.task("langkah_2").number, promise=promise), SEKCAM).knowing(new)
    refused = case.refuses(to(new), ADMINISTRATOR)
    assert refused.code == "unmapped" and [one.place for one in refused.problems] == ["langkah_3"]
    assert "menyusul" in refused.message
    assert migrated(case, new, langkah_3="susun").instance.owed["sk_tim"].until == "susun"
    # Two steps became one: what was due before the one is due before the other.
    assert migrated(case, new, langkah_3="langkah_5").instance.owed["sk_tim"].until == "langkah_5"


def test_a_team_goes_with_its_lane() -> None:
    new = variant(LKJPD, tim_penyusun="tim")
    case = lkjpd_before(3)
    after = migrated(case, new, tim_penyusun="tim")
    assert after.instance.team == {"tim": case.instance.team["tim_penyusun"]}
    assert after.task("langkah_3").lane == "tim"


# Dates and timers

def test_a_changed_norm_moves_the_three_instants_and_the_timer() -> None:
    new = variant("escalation", ("P2D", "P4D"))
    case = given("escalation")
    before, after = case.task("answer"), migrated(case, new)
    (timer,) = case.instance.timers.values()
    task = after.task("answer")
    assert task.norm_at == at("2026-11-27 08.00") and before.norm_at == at("2026-11-25 08.00")
    assert after.events[1:] == (
        DueDatesMoved(2, before.norm_at, before.late_at, before.escalate_at, task.norm_at, task.late_at,
                      task.escalate_at),
        TimerMoved(timer.number, "late", before.norm_at, task.norm_at, timer.calendar))
    assert replayed(after) == after.instance


def test_nothing_that_is_over_moves_and_nothing_becomes_due_before_the_migration() -> None:
    long, short = variant("escalation", ("P2D", "P9D")), variant("escalation", ("P2D", "P1D"))
    when = at("2026-11-25 10.00")
    late = given("escalation").fired("late").knowing(long)
    after = late.when(to(long), ADMINISTRATOR, when)
    assert (after.task("answer").norm_at, after.task("answer").late_at) == (
        late.task("answer").norm_at, late.task("answer").late_at)
    assert not after.of(TimerStarted)                   # the reminder was sent: it is not armed again
    when = at("2026-11-24 10.00")
    early = given("escalation").knowing(short).when(to(short), ADMINISTRATOR, when)
    assert (early.task("answer").norm_at, early.task("answer").late_at) == (when, when)
    early.fired("late", when)


def test_an_extension_that_was_granted_stands_under_another_norm() -> None:
    new = variant(LKJPD, ("P20D", "P30D"))
    case = lkjpd_before(3)
    number = case.task("langkah_3").number
    case = case.when(AskExtension(user_task=number, until="2027-01-22", reason="Data belum ada"), TIM1)
    asked = migrated(case, new)
    assert asked.task("langkah_3").extension == case.task("langkah_3").extension
    case = case.when(GrantExtension(user_task=number), CAMAT)
    after = migrated(case, new)
    assert after.task("langkah_3").late_at == case.task("langkah_3").late_at == at("2027-01-22 16.30")
    assert after.task("langkah_3").norm_at != case.task("langkah_3").norm_at
    (norm,) = [one for one in after.instance.timers.values() if one.user_task == number]
    assert norm.due_at == after.task("langkah_3").late_at


def test_a_boundary_timer_that_appeared_counts_from_the_opening_and_one_that_vanished_is_cancelled() -> None:
    with_timer, without = definition("escalation"), without_timer()
    case = given(without).knowing(with_timer)
    after = case.when(to(with_timer), ADMINISTRATOR, at("2026-11-24 10.00"))
    task = after.task("answer")
    assert task.norm_at == at("2026-11-25 08.00")
    (started,) = after.of(TimerStarted)
    assert (started.element, started.user_task, started.due_at) == ("late", task.number, task.norm_at)
    assert after.instance.timers[started.timer].started_at == task.opened_at
    back = after.knowing(without).when(to(without), ADMINISTRATOR)
    assert back.of(TimerCancelled) == [TimerCancelled(started.timer, "late")]
    assert (back.task("answer").norm_at, back.task("answer").late_at) == (None, None)
    assert replayed(back) == back.instance and not back.instance.timers


def without_timer() -> ProcessDefinition:
    text = drawn("escalation")
    text = re.sub(r'    <bpmn:boundaryEvent.*?</bpmn:boundaryEvent>\n', "", text, flags=re.DOTALL)
    text = re.sub(r'    <bpmn:sequenceFlow id="escalate"[^>]*/>\n', "", text)
    text = text.replace("<bpmn:flowNodeRef>late</bpmn:flowNodeRef>", "")
    return diagram.reread(text.encode())


def test_a_cycle_goes_on_with_what_is_left_of_it() -> None:
    five, one = variant("cycle_reminder", ("R3/", "R5/")), variant("cycle_reminder", ("R3/", "R1/"))
    case = given("cycle_reminder").fired("every_hour")
    (timer,) = case.instance.timers.values()
    assert timer.left == 2
    after = migrated(case, five)
    (now,) = after.instance.timers.values()
    assert now.left == 4 and now.number > timer.number and now.due_at == timer.due_at
    assert migrated(case, one).instance.timers == {}    # it has rung as often as it should


def test_a_timer_on_the_way_goes_on_under_another_id_and_duration() -> None:
    new = variant("waiting_timer", ("PT2H", "PT3H"), two_hours="three_hours")
    case = given("waiting_timer").completed("prepare", publish_on="2026-12-01")
    (timer,) = case.instance.timers.values()
    assert case.knowing(new).refuses(to(new), ADMINISTRATOR).code == "unmapped"
    after = migrated(case, new, two_hours="three_hours")
    (moved,) = after.of(TimerMoved)
    assert (moved.timer, moved.element, moved.before) == (timer.number, "three_hours", timer.due_at)
    assert moved.due_at - timer.due_at == timedelta(hours=1)
    assert after.fired("three_hours").open == ["proofread"]


def test_the_deadline_moves_vanishes_and_appears_with_the_version() -> None:
    april = variant(LKJPD, ("tahun_laporan + 1, 3, 1", "tahun_laporan + 1, 4, 1"))
    case = lkjpd_before(3)
    (armed,) = [one for one in case.instance.marking.tokens if one.status == ARMED]
    after = migrated(case, april)
    assert after.instance.deadline_at == at("2027-04-01 00.00") and after.of(TimerMoved)[0].timer == armed.number
    text = re.sub(r'    <bpmn:subProcess.*?</bpmn:subProcess>\n', "", LKJPD.read_text(), flags=re.DOTALL)
    none = diagram.reread(text.encode())
    gone = migrated(case, none)
    assert gone.instance.deadline_at is None and gone.of(TimerCancelled) == [TimerCancelled(armed.number, "tenggat")]
    again = gone.knowing(definition()).when(to(definition()), ADMINISTRATOR)
    assert again.instance.deadline_at == case.instance.deadline_at
    assert again.instance.deadline_timer is not None and again.instance.deadline_timer.number > armed.number
    over = migrated(migrated(lkjpd_before(9), none), definition())
    assert over.instance.deadline_timer is None         # step 8 is done


# Mappings

def test_an_open_task_without_counterpart_needs_a_mapping_and_goes_on_there_in_its_next_round() -> None:
    new = gone_write()
    case = given("three_tasks").knowing(new)
    refused = case.refuses(to(new), ADMINISTRATOR)
    assert refused.code == "unmapped" and [one.place for one in refused.problems] == ["write"]
    after = case.when(to(new, write="read"), ADMINISTRATOR)
    assert after.of(UserTaskMoved) == [UserTaskMoved(2, "write", "read", "staff", "head", 1)]
    assert after.completed("read", HEAD).open == ["send"]


def test_a_task_that_joins_one_that_was_done_before_is_its_next_round_and_gets_its_timer() -> None:
    new = variant(LKJPD, COSMETIC)
    case = lkjpd_before(7, "02_dikembalikan_satu_kali.txt", 2)
    after = migrated(case, new, langkah_7="langkah_5")
    task = after.task("langkah_5")
    assert (task.round, after.instance.rounds["langkah_5"]) == (3, 3)
    assert task.number == case.task("langkah_7").number
    assert [one.element for one in after.of(TimerCancelled)] == ["waktu_7"]
    assert [one.element for one in after.of(TimerStarted)] == ["waktu_5"]
    assert after.instance.passed["langkah_5"] == case.instance.passed["langkah_5"]
    assert replayed(after) == after.instance


@pytest.mark.parametrize(("mapping", "said"), [
    ({"write": "end"}, "akhir proses"), ({"write": "nowhere"}, "tidak ada dalam versi tujuan"),
    ({"write": ""}, "tidak dapat dihilangkan"), ({"nothing": "read"}, "tidak ada dalam versi yang sedang dipakai"),
    ({"f1": "f9"}, "tidak ada dalam versi tujuan"), ({"staff": "f1"}, "tidak ada dalam versi tujuan")])
def test_a_mapping_that_makes_no_sense_is_refused_with_its_place(mapping: dict[str, str], said: str) -> None:
    new = variant("three_tasks", ("Write the letter", "Draft the letter"))
    refused = given("three_tasks").knowing(new).refuses(to(new, **mapping), ADMINISTRATOR)
    assert refused.code == "wrong" and said in refused.message
    assert [one.place for one in refused.problems] == list(mapping)


def test_a_branch_that_waits_in_a_join_goes_on_only_into_the_same_join() -> None:
    case = given("parallel").completed("count", stock=3)
    assert [one.status for one in case.instance.marking.tokens] == ["open", ARRIVED]
    renamed = variant("parallel", f4="counted", join="merge")
    assert case.knowing(renamed).refuses(to(renamed), ADMINISTRATOR).code == "unmapped"
    after = migrated(case, renamed, f4="counted", join="merge")
    assert after.completed("price", HEAD, price="1.50").instance.status == COMPLETED
    moved = variant("parallel", ('sourceRef="count" targetRef="join"', 'sourceRef="count" targetRef="end"'))
    assert case.knowing(moved).refuses(to(moved), ADMINISTRATOR).code == "unmapped"


def test_a_place_that_no_run_of_the_target_comes_to_is_refused() -> None:
    new = variant("nested_parallel", ("Write the plan", "Draft the plan"))
    case = given("nested_parallel").knowing(new)
    assert sorted(case.open) == ["budget", "judge", "write"]
    refused = case.refuses(to(new, write="sign"), ADMINISTRATOR)    # beside its own branches
    assert refused.code == "wrong" and "tidak pernah dicapai" in refused.message
    refused = case.refuses(to(new, judge="budget"), ADMINISTRATOR)  # two in one
    assert refused.code == "wrong" and "tidak pernah dicapai" in refused.message
    assert case.when(to(new), ADMINISTRATOR).open == case.open


@pytest.mark.parametrize(("act", "who", "code"), [
    (lambda new: to(new), STAFF, "not_yours"),
    (lambda new: replace(to(new), reason=""), ADMINISTRATOR, "incomplete"),
    (lambda new: to(definition("three_tasks")), ADMINISTRATOR, "wrong"),
    (lambda new: replace(to(new), to="0" * 64), ADMINISTRATOR, "wrong"),
    (lambda new: to(definition("parallel")), ADMINISTRATOR, "wrong"),
    (lambda new: to(new), somebody("pengelola", "staff"), "not_yours"),
    (lambda new: UndoMigration(reason="Keliru"), STAFF, "not_yours"),
    (lambda new: UndoMigration(reason=""), ADMINISTRATOR, "incomplete"),
    (lambda new: UndoMigration(reason="Keliru"), ADMINISTRATOR, "not_open")])
def test_what_cannot_be_migrated_or_undone_is_refused(act: Any, who: Any, code: str) -> None:
    new = variant("three_tasks", ("Write the letter", "Draft the letter"))
    case = given("three_tasks").knowing(new, definition("parallel"))
    assert case.refuses(act(new), who).code == code


def test_an_owner_migrates_and_undoes_in_that_capacity() -> None:
    new = variant("three_tasks", ("Write the letter", "Draft the letter"))
    owner = somebody("pengelola", capacity="pemilik")
    case = given("three_tasks").knowing(new).when(to(new), owner)
    assert case.instance.definition == new.sha256 and case.steps[-1].command.actor.capacity == "pemilik"
    back = case.when(UndoMigration(reason="Keliru"), owner)
    assert back.instance.definition == definition("three_tasks").sha256 and replayed(back) == back.instance
    assert case.refuses(CancelProcessInstance(reason="Salah"), owner).code == "not_yours"       # and nothing else


def test_a_version_that_does_not_ask_for_what_is_owed_is_refused() -> None:
    new = variant(LKJPD, ('id="sk_tim"', 'id="sk_lain"'))
    case = lkjpd_before(2)
    promise = Promise(document="sk_tim", promised="2027-02-20", reason="Belum ditandatangani")
    case = case.when(OweRequirement(user_task=case.task("langkah_2").number, promise=promise), SEKCAM)
    refused = case.knowing(new).refuses(to(new), ADMINISTRATOR)
    assert refused.code == "wrong" and "menyusul" in refused.message


def test_a_suspended_instance_is_migrated_and_an_ended_one_is_not() -> None:
    new = variant("three_tasks", ("Write the letter", "Draft the letter"))
    case = given("three_tasks").when(SuspendProcessInstance(reason="Audit"), ADMINISTRATOR)
    after = migrated(case, new)
    assert after.instance.status == SUSPENDED and after.instance.definition == new.sha256
    assert undone(after).instance.definition == case.instance.definition
    over = given("three_tasks").when(CancelProcessInstance(reason="Salah"), ADMINISTRATOR).knowing(new)
    assert over.refuses(to(new), ADMINISTRATOR).code == "not_running"


def test_a_suspended_instance_keeps_its_claim_its_dates_and_its_request_for_more_time() -> None:
    new = variant(LKJPD, ("P20D", "P25D"), langkah_3="susun")
    case = lkjpd_before(3)
    number = case.task("langkah_3").number
    if case.task("langkah_3").owner is None:
        case = case.claimed("langkah_3", TIM1)
    case = case.when(AskExtension(user_task=number, until="2027-01-29", reason="Data belum ada"), TIM1)
    case = case.when(SuspendProcessInstance(reason="Pejabat berganti"), ADMINISTRATOR)
    before, after = case.task("langkah_3"), migrated(case, new, langkah_3="susun")
    task = after.task("susun")
    assert (task.owner, task.extension, task.opened_at) == (before.owner, before.extension, before.opened_at)
    assert task.owner is not None and task.extension is not None and after.instance.status == SUSPENDED
    assert task.late_at is not None and before.late_at is not None and task.late_at > before.late_at
    assert after.instance.deadline_at == case.instance.deadline_at and replayed(after) == after.instance
    on = after.when(ResumeProcessInstance(), ADMINISTRATOR)
    granted = on.when(GrantExtension(user_task=number), CAMAT).task("susun")
    assert granted.extended and granted.late_at == at("2027-01-29 16.30")
    assert without_history(undone(after).instance) == without_history(case.instance)


def test_a_correction_that_no_run_comes_to_is_no_reason_to_stay() -> None:
    new = variant("three_tasks", ("Write the letter", "Draft the letter"))
    case = given("three_tasks").when(Correct(reason="Bersamaan", open=("send",)), ADMINISTRATOR)
    assert sorted(migrated(case, new).open) == ["send", "write"]


# Undoing

def every_position() -> list[tuple[str, Case]]:
    """The LKjPD before each step, also after one return and after two, with claims, extensions and fired timers."""
    found = [(f"before {n}", lkjpd_before(n)) for n in range(1, 10)]
    asked = "11_perpanjangan_diberikan.txt"
    found += [(f"{ONCE} {n}", lkjpd_before(n, ONCE, 2)) for n in (5, 6, 7)]
    found += [(f"{TWICE} {n}", lkjpd_before(n, TWICE, 3)) for n in (5, 6, 7)]
    return [*found, (f"{asked} 3", lkjpd_before(3, asked)), ("fired", lkjpd_before(3).fired("waktu_3"))]


@pytest.mark.parametrize("place", range(17))
def test_undoing_gives_back_what_stood_before_exactly(place: int) -> None:
    name, case = every_position()[place]
    new = variant(LKJPD, ("P20D", "P25D"), ("P5D", "P3D"), ("PT20M", "PT40M"), langkah_6="periksa", langkah_5="baiki",
                           waktu_7="batas_7", tim_penyusun="tim")
    after = migrated(case, new, langkah_6="periksa", langkah_5="baiki", tim_penyusun="tim")
    back = undone(after)
    assert isinstance(back.events[0], MigrationUndone)
    assert without_history(back.instance) == without_history(case.instance), name
    assert back.instance.marking.tokens == case.instance.marking.tokens
    assert replayed(back) == back.instance
    assert back.refuses(UndoMigration(reason="Lagi"), ADMINISTRATOR).code == "not_open"
    assert migrated(back, new, langkah_6="periksa", langkah_5="baiki", tim_penyusun="tim").open == after.open


def test_a_timer_that_fired_since_stays_fired_when_the_migration_is_undone() -> None:
    new = variant(LKJPD, langkah_3="susun")
    case = lkjpd_before(3)
    fired = migrated(case, new, langkah_3="susun").fired("waktu_3")
    number = next(one.number for one in case.instance.timers.values() if one.element == "waktu_3")
    assert fired.of(TimerFired)
    back = undone(fired)
    assert number not in back.instance.timers and back.instance.marking.token(number) is None
    assert back.task("langkah_3") == case.task("langkah_3") and replayed(back) == back.instance


def test_where_a_timer_has_led_on_or_somebody_did_something_nothing_is_undone() -> None:
    new = variant("escalation", ("Answer the request", "Reply to the request"))
    case = migrated(given("escalation"), new)
    assert case.fired("late").open == ["answer", "look_into"]
    assert case.fired("late").refuses(UndoMigration(reason="Keliru"), ADMINISTRATOR).code == "not_open"
    commented = undone(case.when(AddComment(text="Baik"), ADMINISTRATOR)).instance
    assert (commented.definition, commented.comments) == (case.definition.sha256, 1)
    done: list[tuple[Act, Any]] = [
        (ClaimUserTask(user_task=2), STAFF), (SuspendProcessInstance(reason="Audit"), ADMINISTRATOR)]
    for act, who in done:
        assert case.when(act, who).refuses(UndoMigration(reason="Keliru"), ADMINISTRATOR).code == "not_open"


def test_numbers_are_never_used_again_after_an_undo() -> None:
    new = definition("escalation")
    case = given(without_timer()).knowing(new)
    after = case.when(to(new), ADMINISTRATOR)
    (started,) = after.of(TimerStarted)
    back = undone(after)
    assert back.of(TimerCancelled) == [TimerCancelled(started.timer, "late")]
    assert back.instance.marking.next == after.instance.marking.next > started.timer
    again = back.when(to(new), ADMINISTRATOR)
    assert again.of(TimerStarted)[0].timer > started.timer


# Going on

def test_after_a_migration_the_whole_rest_is_gone_through_on_the_new_version() -> None:
    new = variant(LKJPD, langkah_3="susun", langkah_4="reviu")
    case = migrated(lkjpd_before(3), new, langkah_3="susun", langkah_4="reviu")
    number = case.task("susun").number
    documents = ("bahan_rapat", "daftar_hadir", "bahan_data", "notulen", "daftar_pembagian_tugas", "rancangan_akhir",
                 "surat_pengantar_reviu")
    for one in documents:
        if one not in case.instance.documents:
            case = case.when(AttachDocument(document=one, attachment=file(), user_task=number), TIM1)
    case = case.completed("susun", TIM1, tanggal_rapat_koordinasi="2026-12-09", tanggal_rancangan_selesai="2026-12-09",
                          tanggal_kirim_reviu="2026-12-09", nomor_pengantar_reviu="1",
                          penanda_tangan_pengantar_reviu="kepala_pd", cara_kirim_reviu="langsung")
    assert [one.element for one in case.of(UserTaskOpened)] == ["reviu"] and replayed(case) == case.instance


def test_supposing_goes_on_from_a_migrated_instance() -> None:
    new = variant("three_tasks", write="draft_letter")
    case = migrated(given("three_tasks"), new, write="draft_letter")
    last = case.instance.last_at
    assert last is not None
    command = Command(id="x", at=last, actor=CLOCK, act=CompleteUserTask(user_task=2))
    step = process.suppose(case.rules, case.instance, command, lambda flow: None)
    assert [one.element for one in step.events if isinstance(one, UserTaskOpened)] == ["read"]
