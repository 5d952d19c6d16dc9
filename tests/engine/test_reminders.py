"""Which notices an open user task causes, when, to whom and in which words; the texts are the diagram's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from engine import reminders
from engine.calendars import end_of_next_working_day, five_days, near_due
from engine.commands import (
    AskExtension,
    ClaimUserTask,
    GrantExtension,
    RecordValues,
    RefuseExtension,
    ResumeProcessInstance,
    SuspendProcessInstance,
)
from engine.reminders import (
    ASKED,
    DEADLINE,
    DECIDED,
    GONE_BACK,
    LATE,
    NEAR,
    NEW,
    RETURNED,
    TWICE,
    Facts,
    Reminder,
    Told,
)
from tests.story import CAMAT, KETUA, MONDAY, SEKCAM, TIM1, Case, definition, given, lkjpd_before

MOMENT = timedelta(seconds=2)
FIVE_DAYS = five_days()
NAMES = {"camat": "Camat Lasem", "sekcam": "Sekretaris Kecamatan Lasem", "tim1": "Anggota Tim Penyusun 1"}


def causes(case: Case) -> dict[str, Reminder]:
    return {one.kind: one for one in reminders.of_instance(case.rules, case.instance)}


def due(case: Case, at, *told: Told) -> list[str]:
    return [one.kind for one in reminders.due(reminders.of_instance(case.rules, case.instance), told, at)]


def told(one: Reminder, later: timedelta = MOMENT) -> Told:
    return Told(one.user_task, one.kind, one.about_at, one.about_at + later)


def said(case: Case, kind: str, late: timedelta = MOMENT, addressee: str = "Camat Lasem",
         copy_for: str = "") -> tuple[str, str]:
    one = causes(case)[kind]
    facts = Facts(title="LKjPD Tahun 2026", unit="Kantor Kecamatan Lasem", zone="Asia/Jakarta",
                  url="https://alur.example", at=one.about_at + late, names=NAMES)
    return reminders.letter(one, reminders.values(case.rules, case.instance, one, facts), addressee, copy_for)


# When


@pytest.mark.parametrize("step", [2, 3, 4, 5, 6, 8])
def test_a_step_of_days_is_said_to_have_come_to_be_near_to_be_late_and_twice_so(step: int) -> None:
    case = lkjpd_before(step)
    [task] = case.instance.user_tasks.values()
    found = causes(case)
    assert {kind: one.about_at for kind, one in found.items() if kind != DEADLINE} == {
        NEW: task.opened_at, LATE: task.late_at, TWICE: task.escalate_at,
        NEAR: near_due(task.opened_at, task.norm_at, task.late_at, FIVE_DAYS)}
    assert task.norm_at == task.late_at


@pytest.mark.parametrize("step", [1, 7, 9])
def test_a_step_of_minutes_is_never_near_and_says_nothing_before_the_end_of_the_next_working_day(step: int) -> None:
    case = lkjpd_before(step)
    [task] = case.instance.user_tasks.values()
    found = causes(case)
    assert NEAR not in found
    assert found[LATE].about_at == task.late_at == end_of_next_working_day(task.opened_at, FIVE_DAYS)
    # Twice the norm is over long before that: the superior learns of it a working day after the limit.
    assert task.escalate_at < task.late_at
    assert found[TWICE].about_at == end_of_next_working_day(task.late_at, FIVE_DAYS)
    came = told(found[NEW])
    assert due(case, task.escalate_at, came) == due(case, task.late_at - MOMENT, came) == []
    assert due(case, task.late_at, came) == [LATE]


def test_each_stage_is_told_once_and_when_it_has_come() -> None:
    case = lkjpd_before(5)
    found = causes(case)
    history: list[Told] = []
    for kind in (NEW, NEAR, LATE, TWICE):
        at = found[kind].about_at
        assert due(case, at - timedelta(microseconds=1), *history) == []
        assert due(case, at, *history) == [kind]
        history.append(told(found[kind]))
        assert due(case, at + timedelta(days=1), *history) == [] or kind != TWICE
    assert reminders.next_instant(found.values(), found[NEW].about_at) == found[NEAR].about_at
    assert reminders.next_instant([found[NEW]], found[NEW].about_at) is None


def test_who_is_told_late_is_told_once_of_the_newest_stage() -> None:
    case = lkjpd_before(5)
    found = causes(case)
    assert due(case, found[NEAR].about_at) == [NEAR]
    assert due(case, found[LATE].about_at) == [LATE]
    both = reminders.due(found.values(), [], found[TWICE].about_at)
    assert [one.kind for one in both] == [LATE, TWICE]
    assert both[0].besides == ("sekretaris_pd",)      # who learns more is not told less as well
    assert due(case, found[LATE].about_at - MOMENT, told(found[NEAR])) == []     # that it came is no news any more


def test_a_clock_that_jumps_back_tells_nothing_twice_and_loses_nothing() -> None:
    case = lkjpd_before(5)
    found = causes(case)
    came, near = told(found[NEW]), told(found[NEAR], timedelta(days=1))     # told by a clock a day ahead
    for back in (timedelta(hours=1), timedelta(days=1), timedelta(days=3)):
        assert due(case, found[NEAR].about_at - back, came, near) == []
    assert due(case, found[LATE].about_at, came, near) == [LATE]


def test_an_instance_that_is_suspended_causes_nothing_and_on_resume_only_the_newest_stage() -> None:
    case = lkjpd_before(5)
    late = causes(case)[LATE]
    away = case.when(SuspendProcessInstance(reason="Menunggu."), CAMAT)
    assert reminders.of_instance(away.rules, away.instance) == ()
    back = away.when(ResumeProcessInstance(reason="Lanjut."), CAMAT, late.about_at + timedelta(days=1))
    assert due(back, back.instance.last_at) == [LATE]


def test_a_completed_user_task_causes_nothing() -> None:
    case = given("three_tasks")
    number = case.task("write").number
    assert {one.user_task for one in reminders.of_instance(case.rules, case.instance)} == {number}
    after = case.completed("write", title="Surat")
    assert number not in {one.user_task for one in reminders.of_instance(after.rules, after.instance)}


def test_an_extension_moves_what_is_said_and_says_nothing_new_until_it_has_passed() -> None:
    case = lkjpd_before(5)
    [task] = case.instance.user_tasks.values()
    before = causes(case)
    until = (task.late_at + timedelta(days=5)).date().isoformat()
    asked = case.when(AskExtension(user_task=task.number, until=until, reason="Data belum lengkap."), TIM1)
    granted = asked.when(GrantExtension(user_task=task.number), SEKCAM)
    after = causes(granted)
    assert after[LATE].about_at > before[LATE].about_at
    assert before[NEAR].about_at < after[NEAR].about_at < after[LATE].about_at
    history = [told(before[kind]) for kind in (NEW, NEAR, LATE)]
    assert due(granted, before[LATE].about_at + MOMENT, *history, told(after[DECIDED])) == []
    assert LATE in due(granted, after[LATE].about_at, *history)


def test_a_request_for_more_time_is_told_to_who_decides_and_the_decision_to_who_performs() -> None:
    case = lkjpd_before(5)
    [task] = case.instance.user_tasks.values()
    until = (task.late_at + timedelta(days=5)).date().isoformat()
    asked = case.when(AskExtension(user_task=task.number, until=until, reason="Rahasia"), TIM1)
    request = causes(asked)[ASKED]
    assert (request.to, request.besides, request.not_to) == (("sekretaris_pd", "kepala_pd"), ("tim_penyusun",), "tim1")
    subject, text = said(asked, ASKED)
    assert subject == f"Permintaan perpanjangan waktu: langkah 5, {definition().elements['langkah_5'].name}, " \
                      "LKjPD Tahun 2026"
    assert "Anggota Tim Penyusun 1 meminta perpanjangan waktu" in text and "Rahasia" not in subject + text
    assert text.endswith(f"/tugas/{case.instance.id}/{task.number}/perpanjangan")
    granted = asked.when(GrantExtension(user_task=task.number), CAMAT)
    assert ASKED not in causes(granted)
    decision = causes(granted)[DECIDED]
    assert (decision.to, decision.owner, decision.not_to) == (("tim_penyusun",), "tim1", "camat")
    assert "diberikan. Batas waktu menjadi" in said(granted, DECIDED)[1]
    refused = asked.when(RefuseExtension(user_task=task.number, reason="Tenggat dekat"), CAMAT)
    assert "ditolak. Batas waktu tetap" in said(refused, DECIDED)[1]
    again = refused.when(AskExtension(user_task=task.number, until=until, reason="Masih kurang"), TIM1)
    at = again.instance.last_at + MOMENT
    assert ASKED in due(again, at, told(causes(asked)[ASKED]), told(causes(refused)[DECIDED]))


def test_an_instant_that_moves_back_behind_what_was_said_says_nothing_again() -> None:
    case = lkjpd_before(5)
    found = causes(case)
    earlier = replace(found[LATE], about_at=found[LATE].about_at - timedelta(hours=3))
    history = [told(found[kind]) for kind in (NEW, NEAR, LATE)]
    assert reminders.due([found[NEW], found[NEAR], earlier], history, found[LATE].about_at + MOMENT) == []


# To whom


TO = {1: ("kepala_pd", "sekretaris_pd"), 2: ("sekretaris_pd", "kepala_pd"), 3: ("tim_penyusun", "sekretaris_pd"),
      4: ("inspektorat", "kepala_pd"), 5: ("tim_penyusun", "sekretaris_pd"), 6: ("sekretaris_pd", "kepala_pd"),
      7: ("kepala_pd", "sekretaris_pd"), 8: ("tim_penyusun", "sekretaris_pd"), 9: ("tim_penyusun", "sekretaris_pd")}
SUPERIOR = {2: "kepala_pd", 6: "kepala_pd", 4: "inspektorat"}


@pytest.mark.parametrize("step", range(1, 10))
def test_the_addressees_are_those_of_the_sop(step: int) -> None:
    found = causes(lkjpd_before(step))
    to, copy = TO[step]
    assert (found[LATE].to, found[LATE].copy) == ((to,), (copy,))
    assert found[TWICE].to == (SUPERIOR.get(step, "sekretaris_pd"),)
    assert found[TWICE].copy == (("kepala_pd",) if step == 4 else ())
    assert found[NEW].to == (to,)


def test_who_opened_a_task_is_not_told_that_it_came_and_the_actual_owner_of_a_claimed_one_is_told_late() -> None:
    case = lkjpd_before(6)
    assert causes(case)[NEW].not_to == case.instance.passed["langkah_5"].person
    [number] = case.instance.user_tasks
    assert causes(case.when(ClaimUserTask(user_task=number), SEKCAM))[LATE].owner == "sekcam"


def test_the_deadline_goes_to_its_lanes_until_the_step_that_meets_it_is_done() -> None:
    case = lkjpd_before(8)
    one = causes(case)[DEADLINE]
    assert (one.user_task, one.to) == (None, ("kepala_pd", "sekretaris_pd", "tim_penyusun"))
    assert one.about_at == case.instance.deadline_at
    assert DEADLINE not in causes(lkjpd_before(9))


# In which words

FILLED = {1: "menunggu arahan Bapak/Ibu sejak ", 2: "Mohon SK Pembentukan Tim dan undangan",
          3: "tenggat penyampaian 28 Februari 2027.", 4: "Tahun 2026 Kantor Kecamatan Lasem telah melewati",
          5: "segera diteruskan kepada Sekretaris PD.", 6: "telah terlewati (kurang dari 1 jam kerja).",
          7: "kepada Bupati: 28 Februari 2027.", 8: "belum seluruhnya disampaikan: a.1 Tanggal hard file diterima",
          9: "belum diarsipkan."}


@pytest.mark.parametrize("step", range(1, 10))
def test_every_text_of_the_diagram_is_filled_in(step: int) -> None:
    case = lkjpd_before(step)
    [number] = case.instance.user_tasks
    for kind in causes(case):
        subject, text = said(case, kind)
        assert "{" not in subject + text
        assert "–" not in text
        assert "\n" not in subject
        lines = text.splitlines()
        assert lines[0] == "Yth. Camat Lasem,"
        place = f"proses/{case.instance.id}" if kind == DEADLINE else f"tugas/{case.instance.id}/{number}"
        assert lines[-1].endswith(f": https://alur.example/{place}")
    subject, text = said(case, LATE)
    assert subject == f"Pengingat: Langkah {step} LKjPD Tahun 2026 melewati batas waktu"
    assert FILLED[step] in text


def test_a_limit_is_said_with_its_weekday_and_zone_and_the_delay_in_working_days() -> None:
    case = lkjpd_before(2)
    [task] = case.instance.user_tasks.values()
    _, text = said(case, LATE, timedelta(days=7))
    assert f"batas waktu {reminders.full(task.late_at, 'Asia/Jakarta')} (" in text
    assert text.count("hari kerja") == 1 or "jam kerja" in text
    assert reminders.full(MONDAY, "Asia/Jakarta") == "Senin, 23 November 2026 pukul 08.00 WIB"
    assert reminders.full(MONDAY, "Asia/Makassar") == "Senin, 23 November 2026 pukul 09.00 WITA"
    assert reminders.full(MONDAY, "Asia/Jayapura") == "Senin, 23 November 2026 pukul 10.00 WIT"


def test_at_twice_a_norm_of_two_days_the_superior_reads_of_two_working_days_and_who_has_the_task() -> None:
    case = lkjpd_before(2)
    [number] = case.instance.user_tasks
    _, text = said(case.when(ClaimUserTask(user_task=number), SEKCAM), TWICE)
    assert "belum selesai, 2 hari kerja melewati batas waktu. Pelaksana: " in text
    assert "(Sekretaris Kecamatan Lasem). Mohon arahan." in text


@pytest.mark.parametrize(("days", "hours", "words"), [
    (0, 0.5, "kurang dari 1 jam kerja"), (0, 3, "3 jam kerja"), (1, 0, "1 hari kerja"), (2, 0, "2 hari kerja"),
    (1, 3.1, "1 hari 3 jam kerja")])
def test_working_time_is_said_as_it_is_counted(days: int, hours: float, words: str) -> None:
    start = MONDAY
    end = start + timedelta(days=days, hours=hours)
    assert reminders.span(start, end, FIVE_DAYS) == words
    assert reminders.span(end, start, FIVE_DAYS) == "kurang dari 1 jam kerja"


def test_what_was_delivered_is_not_asked_for_again() -> None:
    case = lkjpd_before(8)
    [number] = case.instance.user_tasks
    date = case.instance.last_at.date().isoformat()
    some = case.when(RecordValues(user_task=number, data={
        "tanggal_kirim_bupati": date, "penerima_bupati": "Bagian Umum"}), KETUA)
    before, after = said(case, LATE)[1], said(some, LATE)[1]
    assert "a.1 Tanggal hard file diterima" in before
    assert "a.1 Tanggal hard file diterima" not in after
    assert "b.1 Tanggal diunggah ke esr.menpan.go.id; b.2" in after


def test_a_task_that_came_back_says_from_whom_with_how_much_and_how_often() -> None:
    case = lkjpd_before(5, "02_dikembalikan_satu_kali.txt", nth=2)
    found = causes(case)
    assert NEW not in found
    assert found[RETURNED].not_to == "camat"
    _, text = said(case, RETURNED, addressee="Tim Penyusun LKjPD")
    assert "Dikembalikan untuk diperbaiki oleh Camat Lasem, " in text
    assert " koreksi. Pengembalian ke-1. Batas waktu perbaikan: " in text
    # Who will have it again is told, besides those who repair it.
    assert (found[GONE_BACK].to, found[GONE_BACK].besides) == (("sekretaris_pd",), ("tim_penyusun",))
    assert said(case, GONE_BACK)[1].splitlines()[2] == (
        "Rancangan akhir LKjPD Tahun 2026 dikembalikan Kepala PD kepada Tim. Setelah diperbaiki akan kembali kepada "
        "Bapak/Ibu untuk diparaf.")
    assert GONE_BACK not in causes(lkjpd_before(5))
    later = lkjpd_before(6, "02_dikembalikan_satu_kali.txt", nth=2)
    assert RETURNED not in causes(later)        # the second round of a step that follows is no return


def test_a_copy_speaks_to_the_addressee_and_names_who_reads_it() -> None:
    _, text = said(lkjpd_before(1), LATE, copy_for="Plh. Sekretaris Kecamatan Lasem")
    assert text.splitlines()[0] == "Yth. Camat Lasem,"
    assert text.splitlines()[-2] == "Tembusan: Plh. Sekretaris Kecamatan Lasem."


def test_a_placeholder_that_nobody_knows_is_a_dash_and_stops_nothing() -> None:
    case = lkjpd_before(2)
    one = replace(causes(case)[LATE], text="Batas {batass}, {tahun}.", subject="{x}\r\nBcc: semua {tahun}")
    facts = Facts(title="LKjPD", unit="Lasem", zone="Asia/Jakarta", url="https://alur.example", at=MONDAY, names={})
    subject, text = reminders.letter(one, reminders.values(case.rules, case.instance, one, facts), "Camat Lasem")
    assert "Batas –, 2026." in text
    assert subject == "– Bcc: semua 2026"


def test_every_placeholder_that_the_gate_lets_pass_has_a_value() -> None:
    case = lkjpd_before(8)
    one = causes(case)[LATE]
    facts = Facts(title="LKjPD", unit="Lasem", zone="Asia/Jakarta", url="https://alur.example", at=MONDAY, names={})
    known = reminders.values(case.rules, case.instance, one, facts)
    assert reminders.PLACEHOLDERS - known.keys() == {"jabatan"}
    assert "" not in {known[name] for name in reminders.PLACEHOLDERS - {"jabatan"}}


def test_a_step_without_a_limit_only_comes_and_one_whose_owner_wrote_no_text_says_no_more() -> None:
    assert list(causes(given("three_tasks"))) == [NEW]
    subject, text = said(given("three_tasks"), NEW)
    assert subject.startswith("Tugas baru: ")
    assert "Batas waktu" not in text
    silent = [one for one in definition().elements.values() if one.timer and not one.timer.reminder]
    assert silent == []
