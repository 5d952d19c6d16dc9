"""Departures from the SOP: each kind seeded and found with its evidence, and none on a clean run."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from engine import story
from engine.calendars import due_at, five_days
from engine.commands import (
    Actor,
    ClaimUserTask,
    CompleteUserTask,
    Correct,
    MigrateProcessInstance,
    ReassignUserTask,
    StartProcessInstance,
    UndoMigration,
)
from engine.conformance import (
    COMMAND_LINE,
    INFORMATION,
    KINDS,
    SAME_HANDS,
    SAME_PERSON,
    Beside,
    Departure,
    Deployment,
    decided_upon,
    departures,
    did_before,
    unavoidable,
)
from engine.instance import Step
from engine.organisation import (
    AddPerson,
    AddPosition,
    AddUnit,
    AskConfirmation,
    Change,
    ConfirmChange,
    DisputeChange,
    EndHolding,
    Hold,
    SetCredential,
)
from tests.story import (
    ADMINISTRATOR,
    CAMAT,
    FIVE_DAYS,
    KETUA,
    LKJPD,
    MONDAY,
    STAFF,
    Case,
    definition,
    fresh,
    given,
    lkjpd_before,
    rules,
    variant,
)


def of_case(case: Case, beside: Beside | None = None, after: timedelta = timedelta()) -> list[Departure]:
    last = case.instance.last_at
    assert last is not None
    return list(departures(case.rules, case.instance.id, case.steps, beside or Beside(), last + after))


def kinds(found: Iterable[Departure], without: tuple[str, ...] = (COMMAND_LINE,)) -> list[str]:
    """The kinds that were found; what stories are told by is no browser, and that is not what is asked here."""
    return [one.kind for one in found if one.kind not in without]


def told(name: str) -> list[Departure]:
    run = story.run((LKJPD.parent / "stories" / name).read_text(), rules(), definition().sha256)
    assert run.instance.last_at is not None
    return list(departures(rules(), "one", run.steps, Beside(), run.instance.last_at))


# None on clean ones

@pytest.mark.parametrize("name", ["01_disetujui_langsung.txt", "02_dikembalikan_satu_kali.txt",
                                  "03_dikembalikan_dua_kali.txt", "16_kalender_kerja_berubah.txt"])
def test_a_clean_run_departs_from_nothing_though_it_was_returned(name: str) -> None:
    assert kinds(told(name)) == []


def test_what_is_asked_twice_is_answered_the_same() -> None:
    assert told("04_terlambat_dengan_pengingat.txt") == told("04_terlambat_dengan_pengingat.txt")


# What the stories hold

@pytest.mark.parametrize(("name", "expected"), [
    ("04_terlambat_dengan_pengingat.txt", ["reassigned", "late", "deadline", "late"]),
    ("05_sekretaris_sebagai_plh.txt", ["same_person"]),
    ("07_halaman_bertanda_tangan_menyusul.txt", ["owed", "owed"]),
    ("08_lhr_dicatat_atas_nama_inspektorat.txt", ["on_behalf"]),
    ("09_dispensasi_daftar_hadir.txt", ["waived"]),
    ("10_dikerjakan_di_luar_aplikasi.txt", ["afterwards"]),
    ("11_perpanjangan_diberikan.txt", ["extended", "extended", "late"]),
])
def test_each_story_departs_where_it_says_so(name: str, expected: list[str]) -> None:
    assert kinds(told(name)) == expected


def test_what_was_late_says_its_limit_and_when_it_was_done() -> None:
    (late, _) = (one for one in told("04_terlambat_dengan_pengingat.txt") if one.kind == "late")
    assert (late.element_name, late.sequence) == ("Menyusun rancangan akhir LKjPD", 17)
    assert late.evidence["late_at"] < late.evidence["done_at"] == late.at


def test_what_was_recorded_afterwards_says_how_long_lies_between() -> None:
    (one,) = (one for one in told("10_dikerjakan_di_luar_aplikasi.txt") if one.kind == "afterwards")
    assert one.at - one.evidence["done_at"] == timedelta(minutes=one.evidence["minutes"])


def test_who_signs_as_plh_what_he_initialled_is_named_with_both_steps() -> None:
    (one,) = (one for one in told("05_sekretaris_sebagai_plh.txt") if one.kind == "same_person")
    assert (one.person, one.element_name, one.evidence["did_name"]) == (
        "sekcam", "Memeriksa dan menandatangani", "Memeriksa dan memaraf")


def test_an_act_by_the_command_line_is_told_once_a_person_with_how_many_there_were() -> None:
    found = [one for one in told("01_disetujui_langsung.txt") if one.kind == COMMAND_LINE]
    assert len(found) == len({one.person for one in found})
    assert sum(one.evidence["acts"] for one in found) == 27


# Seeded one by one

def test_an_open_task_beyond_its_limit_is_late_before_it_is_done() -> None:
    case = lkjpd_before(5)
    assert kinds(of_case(case)) == []
    (late,) = [one for one in of_case(case, after=timedelta(days=30)) if one.kind == "late"]
    assert (late.element, late.evidence["done_at"], late.sequence) == ("langkah_5", None, case.steps[-1].sequence)


def test_a_deadline_that_passes_unmet_is_told_once() -> None:
    found = of_case(lkjpd_before(8), after=timedelta(days=90))
    assert kinds(found).count("deadline") == 1


def test_an_administrators_correction_and_the_step_it_skipped_are_both_told() -> None:
    first, second, third = (one.id for one in definition("three_tasks").user_tasks)
    case = given("three_tasks").completed(first, STAFF, title="Undangan rapat")
    closed = case.task(second).number
    case = case.when(Correct(reason="sudah diperiksa di atas kertas", close=(closed,), open=(third,)), ADMINISTRATOR)
    case = case.completed(third, STAFF, sent_on="2026-11-23")
    corrected, skipped = of_case(case)
    assert (corrected.kind, corrected.evidence["closed"], corrected.evidence["opened"]) == (
        "corrected", (second,), (third,))
    assert (skipped.kind, skipped.element, skipped.sequence) == ("skipped", second, case.steps[-1].sequence)


def test_a_task_that_a_superior_gives_to_somebody_else_was_reassigned() -> None:
    case = lkjpd_before(3)
    given_to = ReassignUserTask(user_task=case.task("langkah_3").number, person="tim2", reason="dinas luar")
    case = case.when(given_to, KETUA)
    (one,) = [one for one in of_case(case) if one.kind == "reassigned"]
    assert one.evidence["to"] == "tim2" and one.person == "sekcam"


def test_a_migration_and_its_undoing_are_told_with_both_versions() -> None:
    old = definition()
    new = variant(LKJPD, ("<bpmn:timeDuration xsi:type=\"bpmn:tFormalExpression\">P5D<",
                          "<bpmn:timeDuration xsi:type=\"bpmn:tFormalExpression\">P6D<"))
    case = lkjpd_before(5).knowing(new)
    case = case.when(MigrateProcessInstance(to=new.sha256, reason="versi baru"), ADMINISTRATOR)
    case = case.when(UndoMigration(reason="keliru"), ADMINISTRATOR)
    found = [one for one in of_case(case) if one.kind == "migrated"]
    assert [(one.evidence["was"], one.evidence["to"], one.evidence["undone"]) for one in found] == [
        (old.sha256, new.sha256, False), (new.sha256, old.sha256, True)]


@pytest.mark.parametrize(("by", "ratified", "expected"), [
    ("admin", False, ["deployed"]), ("admin", True, []), ("sistem", False, [])])
def test_a_version_from_the_command_line_is_a_departure_unless_it_was_ratified_or_shipped(
        by: str, ratified: bool, expected: list[str]) -> None:
    case = given("three_tasks")
    came = Deployment(version=2, by=by, signed_in_by="cli", ratified=ratified)
    assert kinds(of_case(case, Beside(deployments={case.definition.sha256: came}))) == expected


# The people

def office(*more: Change) -> tuple[Change, ...]:
    """A unit with a head and somebody who stands in for them for a week."""
    acts = [AddUnit(unit="unit", name="Kecamatan"), AddPosition(position="camat", unit="unit", name="Camat"),
            AddPerson(person="staff-1", name="Staf 1", login="staf1"),
            Hold(holding="h1", position="camat", person="staff-1", capacity="plh", valid_from="2026-11-20",
                 valid_until="2026-11-30", basis="SP 1")]
    return (*(change(n, one) for n, one in enumerate(acts)), *more)


def change(n: int, act: object, person: str = "admin") -> Change:
    return Change(id=f"c{n}", at=MONDAY - timedelta(days=30) + timedelta(minutes=n), actor=Actor(person=person),
                  act=act)  # type: ignore[arg-type]


ACTING = replace(STAFF, position="camat", unit="unit", capacity="plh", basis="SP 1")


def started_by(actor: Actor, after: int = 0) -> Case:
    """An instance that this actor has just started, so many minutes after Monday 08.00."""
    one = definition("three_tasks")
    return fresh(one).when(
        StartProcessInstance(key=one.key, definition=one.sha256, unit="unit", calendars={"": FIVE_DAYS}), actor,
        MONDAY + timedelta(minutes=after))


def test_who_acted_within_their_appointment_did_not_go_beyond_it() -> None:
    assert kinds(of_case(started_by(ACTING), Beside(organisation=office()))) == []


@pytest.mark.parametrize("actor", [
    replace(ACTING, capacity="definitif"), replace(ACTING, person="staff-2"), replace(ACTING, position="bupati")])
def test_an_act_in_a_position_that_nobody_gave_is_beyond_capacity(actor: Actor) -> None:
    (one,) = of_case(started_by(actor), Beside(organisation=office()))
    assert (one.kind, one.evidence["position"]) == ("capacity", actor.position)


def test_an_appointment_that_was_ended_afterwards_for_days_before_uncovers_the_act() -> None:
    ended = change(99, EndHolding(holding="h1", valid_until="2026-11-21", reason="surat perintah dicabut"))
    (one,) = of_case(started_by(ACTING), Beside(organisation=office(ended)))
    assert (one.kind, one.person) == ("capacity", "staff-1")


def credential(at_minutes: int, by: str, temporary: bool) -> Change:
    return Change(id=f"s{at_minutes}", at=MONDAY + timedelta(minutes=at_minutes), actor=Actor(person=by),
                  act=SetCredential(person="staff-1", temporary=temporary))


def test_an_act_within_a_working_day_of_a_reset_is_told_and_a_later_one_is_not() -> None:
    beside = Beside(organisation=office(credential(-9_000, "admin", True), credential(-8_000, "staff-1", False),
                                        credential(-1, "admin", True)))
    (one,) = of_case(started_by(ACTING), beside)
    assert (one.kind, one.evidence["by"]) == ("reset", "admin")


def test_an_act_a_working_day_and_a_minute_after_a_reset_is_not_told() -> None:
    day = due_at("P1D", MONDAY, five_days()) - MONDAY
    minutes = int(day.total_seconds() // 60)
    reset = credential(-9_000, "admin", True), credential(-8_000, "staff-1", False), credential(0, "admin", True)
    beside = Beside(organisation=office(*reset))
    assert [one.kind for one in of_case(started_by(ACTING, after=minutes), beside)] == ["reset"]
    assert of_case(started_by(ACTING, after=minutes + 1), beside) == []


def test_the_first_slip_of_a_newcomer_is_no_reset() -> None:
    beside = Beside(organisation=office(credential(-1, "admin", True)))
    assert of_case(started_by(ACTING), beside) == []


def question(kind: str = "kredensial", at_minutes: int = -1) -> Change:
    at = MONDAY + timedelta(minutes=at_minutes)
    return Change(id="q", at=at, actor=Actor(person="admin"), act=AskConfirmation(
        confirmation="s-tanya", kind=kind, person="staff-1", unit="unit", subject="staff-1", asked_by="admin",
        asked_at="2027-02-01T00:59:00.000000Z"))


def answer(act: ConfirmChange | DisputeChange) -> Change:
    return Change(id="a", at=MONDAY + timedelta(hours=1), actor=Actor(person="staff-2"), act=act)


@pytest.mark.parametrize("kind", ["kredensial", "faktor"])
def test_every_act_within_a_working_day_of_an_unconfirmed_credential_reset_is_a_departure(kind: str) -> None:
    case = started_by(ACTING)
    task = next(iter(case.instance.user_tasks))
    case = case.when(ClaimUserTask(user_task=task), ACTING, MONDAY + timedelta(minutes=5))
    found = of_case(case, Beside(organisation=office(question(kind))))
    assert [one.sequence for one in found if one.kind == "unconfirmed_reset"] == [1, 2]
    assert {one.evidence["state"] for one in found if one.kind == "unconfirmed_reset"} == {"menunggu"}


def test_a_reset_that_somebody_of_the_unit_confirmed_is_no_departure_any_more() -> None:
    confirmed = office(question(), answer(ConfirmChange(confirmation="s-tanya")))
    assert of_case(started_by(ACTING), Beside(organisation=confirmed)) == []


def test_a_reset_that_was_called_not_right_stays_a_departure_with_its_answer() -> None:
    disputed = DisputeChange(confirmation="s-tanya", last_day="2026-11-30", reason="Bukan saya")
    (one,) = of_case(started_by(ACTING), Beside(organisation=office(question(), answer(disputed))))
    assert (one.kind, one.evidence["state"]) == ("unconfirmed_reset", "tidak_benar")


def test_an_act_a_working_day_and_a_minute_after_an_unconfirmed_reset_is_no_departure() -> None:
    minutes = int((due_at("P1D", MONDAY, five_days()) - MONDAY).total_seconds() // 60)
    beside = Beside(organisation=office(question(at_minutes=0)))
    assert kinds(of_case(started_by(ACTING, after=minutes), beside)) == ["unconfirmed_reset"]
    assert of_case(started_by(ACTING, after=minutes + 1), beside) == []


# What is decided upon, and what cannot be gone around

def test_the_signature_is_a_decision_upon_the_draft_and_its_check() -> None:
    one = definition()
    assert decided_upon(one, "langkah_7") == ("langkah_5", "langkah_6")
    assert all(decided_upon(one, task.id) == () for task in one.user_tasks if task.id != "langkah_7")


def test_who_is_about_to_decide_upon_their_own_work_is_warned_and_nobody_else() -> None:
    case = lkjpd_before(7)
    did = case.instance.passed["langkah_6"].person
    assert did_before(case.definition, case.instance, "langkah_7", did) == ("langkah_6",)
    assert did_before(case.definition, case.instance, "langkah_7", CAMAT.person) == ()


def test_one_person_in_the_draft_and_in_its_check_is_information_and_no_departure() -> None:
    case = lkjpd_before(7)
    same: list[Step] = []
    drafted = case.instance.passed["langkah_5"].person
    for step in case.steps:
        mine = isinstance(step.command.act, CompleteUserTask) and step.command.actor.person == "sekcam"
        actor = replace(step.command.actor, person=drafted) if mine else step.command.actor
        same.append(replace(step, command=replace(step.command, actor=actor)))
    text = (LKJPD.parent / "stories" / "01_disetujui_langsung.txt").read_text()
    run = story.run(text, rules(), definition().sha256)
    decided = next(one for one in run.steps if isinstance(one.command.act, CompleteUserTask)
                   and one.command.actor.person == CAMAT.person and one.sequence > case.steps[-1].sequence)
    rest = [one for one in run.steps if case.steps[-1].sequence < one.sequence <= decided.sequence]
    found = list(departures(rules(), "one", [*same, *rest], Beside(), decided.command.at))
    (one,) = [one for one in found if one.kind == SAME_HANDS]
    assert one.information and (one.person, one.evidence["second"]) == (drafted, "Memeriksa dan memaraf")


def test_who_signs_the_draft_that_they_wrote_is_named_with_both_steps() -> None:
    # Steps 5 and 7 in one hand, as where a Kepala PD drafts; steps 6 and 7 are told by the story of the Plh.
    run = story.run((LKJPD.parent / "stories" / "01_disetujui_langsung.txt").read_text(), rules(), definition().sha256)
    drafted = next(one.command.actor.person for one in run.steps for event in one.events
                   if getattr(event, "element", "") == "langkah_5" and type(event).__name__ == "UserTaskCompleted")
    same = [replace(one, command=replace(one.command, actor=replace(one.command.actor, person=drafted)))
            if one.command.actor.person == CAMAT.person else one for one in run.steps]
    found = [one for one in departures(rules(), "one", same, Beside(), run.steps[-1].command.at)
             if one.kind == SAME_PERSON]
    (one,) = found
    assert (one.element, one.person, one.evidence["did"], one.information) == (
        "langkah_7", drafted, "langkah_5", False)


def test_every_step_of_a_straight_process_is_unavoidable_and_a_branch_is_not() -> None:
    assert len(unavoidable(definition())) == 9
    for name in ("parallel", "default_flow"):
        one = definition(name)
        assert set(unavoidable(one)) <= {task.id for task in one.user_tasks}
    assert set(unavoidable(definition("default_flow"))) < {task.id for task in definition("default_flow").user_tasks}


def test_only_what_is_no_departure_is_information() -> None:
    assert set(INFORMATION) < set(KINDS)
    assert {one.kind for one in told("11_perpanjangan_diberikan.txt") if one.information} == {"extended"}
