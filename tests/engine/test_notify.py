"""Notices and summaries as they are made: once each, to who performs the lane at that moment, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from engine import notify, organise, reminders
from engine.bench import Office, paper
from engine.calendars import five_days, next_opening
from engine.commands import (
    AddComment,
    AskExtension,
    CompleteUserTask,
    GrantExtension,
    ResumeProcessInstance,
    SuspendProcessInstance,
)
from engine.deploy import SYSTEM
from engine.handle import Request, handle, opening, start
from engine.notify import Memory, summarise
from engine.organisation import Bind, Change, DeactivatePerson, EndHolding, Hold, Unbind
from engine.reminders import ASKED, DECIDED, LATE, NEAR, NEW, TWICE
from engine.store import instances, notices, schema
from engine.store.notices import AT_ONCE, MORNING, NOTHING, SUMMARY, Notice
from engine.store.prepared import heard

URL = "https://alur.example"
KEY, LASEM = "penyusunan_lkjpd", "kecamatan_lasem"
MOMENT = timedelta(seconds=2)
START = {"tahun_laporan": 2026, "status_surat_edaran": "sudah", "nomor_surat_edaran": "900/1",
         "tanggal_surat_edaran": "2026-12-01", "tanggal_terima_surat_edaran": "2026-12-02"}
SK = {"nomor_sk_tim": "SK 1", "tanggal_sk_tim": "2026-12-09", "jadwal_rapat": [
    {"tanggal": "2026-12-10", "pukul": "09:00", "tempat": "Aula", "acara": "Rapat"}], "susunan_tim": [
    {"pegawai": {"id": "tim1"}, "kedudukan": "ketua"}, {"pegawai": {"id": "tim2"}, "kedudukan": "anggota"}]}


def begin(office: Office, year: int = 2026) -> str:
    """A new instance, at step 1: a norm of twenty minutes, Kepala PD's."""
    with office.database.begin() as db:
        act = opening(db, KEY, LASEM, data={**START, "tahun_laporan": year},
                      attachments={"surat_edaran": paper("surat_edaran")})
        id, _ = start(db, office.rules, office.database.key, office.request("sekcam", act))
    return id


def at_step_2(office: Office, year: int = 2026) -> str:
    id = begin(office, year)
    office.complete(id, "camat", arahan="Susun Tim Penyusun LKjPD.")
    return id


def at_step_3(office: Office, year: int = 2026) -> str:
    id = at_step_2(office, year)
    office.attach(id, "sekcam", "sk_tim", "surat_undangan")
    office.complete(id, "sekcam", **SK)
    return id


def tell(office: Office, at: datetime, memory: Memory | None = None, mails: bool = True) -> int:
    return notify.notify(office.database, office.rules, at, URL, memory, mails)


def told(office: Office, id: str = "") -> set[tuple[str, str]]:
    """(kind, person) of every notice there is, or of those about one instance; each only once."""
    found = [(one.kind, one.person, one.about_at) for one in everything(office) if id in ("", one.instance)]
    assert len(found) == len(set(found))
    return {(kind, person) for kind, person, _ in found}


def everything(office: Office) -> list[Notice]:
    with office.database.read() as db:
        return [notices._notice(row) for row in db.execute(schema.notice.select().order_by(schema.notice.c.id))]


def task_of(office: Office, id: str) -> Any:
    instance, number = office.open(id)
    return instance.user_tasks[number]


def organise_(office: Office, *acts: Any) -> None:
    with office.database.begin() as db:
        organise.change_all(db, office.database.key, [
            Change(id=f"{office.at.isoformat()}-{n}", at=office.at, actor=SYSTEM, act=act)
            for n, act in enumerate(acts)])


def with_addresses(office: Office, *people: str) -> None:
    with office.database.begin() as db:
        for one in people:
            db.execute(update(schema.person).where(schema.person.c.id == one).values(email=f"{one}@lasem.example"))


# When, and to whom


def test_a_new_task_is_told_to_its_lane_and_not_to_who_sent_it(office: Office) -> None:
    id = at_step_3(office)
    assert tell(office, office.at + MOMENT) == 2
    assert told(office, id) == {(NEW, "tim1"), (NEW, "tim2")}
    assert tell(office, office.at + MOMENT) == 0
    other = at_step_2(office, 2027)
    tell(office, office.at + MOMENT)
    assert told(office, other) == {(NEW, "sekcam")}


def test_a_norm_in_minutes_tells_nothing_before_the_end_of_the_next_working_day(office: Office) -> None:
    id = begin(office)
    task, memory = task_of(office, id), Memory()
    tell(office, office.at + MOMENT, memory)
    assert told(office) == {(NEW, "camat")}
    for at in (task.norm_at, task.escalate_at, task.late_at - MOMENT):
        assert tell(office, at, memory) == 0
    assert tell(office, task.late_at, memory) == 2
    assert told(office) == {(NEW, "camat"), (LATE, "camat"), (LATE, "sekcam")}
    [copy] = [one for one in everything(office) if one.person == "sekcam"]
    assert copy.body.startswith("Yth. Camat Lasem,\n")
    assert "\nTembusan: Sekretaris Kecamatan Lasem.\n" in copy.body
    assert copy.body.endswith(f"Buka tugas: {URL}/tugas/{id}/{task.number}")
    assert copy.subject == "Pengingat: Langkah 1 LKjPD Tahun 2026 melewati batas waktu"


def test_each_instant_is_told_as_it_comes_and_never_again(office: Office) -> None:
    id = at_step_3(office)
    task, memory = task_of(office, id), Memory()
    near = reminders.of_instance(office.rules, office.open(id)[0])[1].about_at
    expected = [(task.opened_at + MOMENT, 2), (near - MOMENT, 0), (near, 2), (task.late_at - MOMENT, 0),
                (task.late_at, 3), (task.escalate_at - MOMENT, 0), (task.escalate_at, 1)]
    for at, count in expected:
        assert tell(office, at, memory) == count, at
        assert tell(office, at) == 0                # nor by another process that remembers nothing
    team = {(kind, person) for kind in (NEW, NEAR, LATE) for person in ("tim1", "tim2")}
    assert told(office) == team | {(LATE, "sekcam"), (TWICE, "sekcam")}
    [one] = [one for one in everything(office) if one.kind == NEAR and one.person == "tim1"]
    assert one.body.startswith("Yth. Ketua Tim Penyusun LKjPD,\n\nLangkah 3 LKjPD Tahun 2026 harus selesai paling lam")
    assert "sisa waktu 4 hari kerja." in one.body


def test_what_was_completed_before_it_was_due_tells_nothing(office: Office) -> None:
    id, memory = begin(office), Memory()
    task = task_of(office, id)
    tell(office, office.at + MOMENT, memory)
    office.complete(id, "camat", arahan="Susun Tim.")
    tell(office, task.late_at + MOMENT, memory)
    assert {kind for kind, _ in told(office)} <= {NEW, NEAR}
    assert LATE not in {kind for kind, _ in told(office)}


def test_a_task_completed_between_the_look_and_the_writing_tells_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = begin(office)
    late_at = task_of(office, id).late_at
    plain, once = notices.unchanged, []

    def meanwhile(db: Any, seen: Any) -> set[str]:
        if not once:
            once.append(True)
            request = office.request("camat", CompleteUserTask(user_task=task_of_db(db, id), data={"arahan": "Susun."}))
            handle(db, office.rules, office.database.key, id, [request])
        return plain(db, seen)

    def task_of_db(db: Any, id: str) -> int:
        found = instances.load(db, id)
        assert found is not None
        return next(iter(found.user_tasks))

    monkeypatch.setattr(notices, "unchanged", meanwhile)
    assert tell(office, late_at) == 0
    assert told(office) == set()


def test_an_instance_that_is_suspended_waits_and_catches_up_once(office: Office) -> None:
    id, memory = begin(office), Memory()
    task = task_of(office, id)
    tell(office, office.at + MOMENT, memory)
    office.do(id, "camat", SuspendProcessInstance(reason="Menunggu pejabat baru"))
    assert tell(office, task.late_at + timedelta(days=20), memory) == 0
    back = task.late_at + timedelta(days=20, hours=1)
    request = Request(id="lanjut", act=ResumeProcessInstance(reason="Dilantik"), person="camat", at=back)
    with office.database.begin() as db:
        handle(db, office.rules, office.database.key, id, [request])
    assert tell(office, back + MOMENT, memory) == 2
    # The superior learns that it is late twice over, and not also that it is late.
    assert told(office) == {(NEW, "camat"), (LATE, "camat"), (TWICE, "sekcam")}
    assert tell(office, back + timedelta(days=2), memory) == 0


def test_a_plh_is_told_instead_of_the_definitive_holder(office: Office) -> None:
    id = begin(office)
    task = task_of(office, id)
    organise_(office, Hold(holding="plh", position="camat_lasem", person="tim2", capacity="plh",
                           basis="SP 800/1", valid_from=office.at.date().isoformat(),
                           valid_until=(task.late_at + timedelta(days=3)).date().isoformat()))
    tell(office, task.late_at)
    assert told(office, id) == {(LATE, "tim2"), (LATE, "sekcam")}
    [one] = [one for one in everything(office) if one.person == "tim2" and one.instance == id]
    assert one.body.startswith("Yth. Plh. Camat Lasem,\n")


def test_a_lane_that_nobody_performs_is_told_as_soon_as_somebody_does(office: Office) -> None:
    id, memory = begin(office), Memory()
    organise_(office, Unbind(key=KEY, lane="kepala_pd", unit=LASEM))
    assert tell(office, office.at + MOMENT, memory) == 0
    office.at += timedelta(minutes=5)
    organise_(office, Bind(key=KEY, lane="kepala_pd", unit=LASEM, position="camat_lasem"))
    assert tell(office, office.at + MOMENT, memory) == 1
    assert told(office, id) == {(NEW, "camat")}


def test_who_is_no_longer_active_is_told_nothing(office: Office) -> None:
    id = at_step_3(office)
    organise_(office, DeactivatePerson(person="tim2", last_day=office.at.date().isoformat(), reason="Pindah"))
    tell(office, office.at + MOMENT)
    assert told(office, id) == {(NEW, "tim1")}


def test_another_office_that_does_not_use_the_product_is_told_through_who_may_record_for_it(office: Office) -> None:
    id = at_step_3(office)
    yesterday = (office.at - timedelta(days=1)).date().isoformat()
    organise_(office, EndHolding(holding="inspektorat_pemeriksa_inspektorat", valid_until=yesterday))
    office.attach(id, "tim1", "bahan_rapat", "daftar_hadir", "bahan_data", "notulen", "daftar_pembagian_tugas",
                  "rancangan_akhir", "surat_pengantar_reviu")
    office.complete(id, "tim1", tanggal_rapat_koordinasi="2026-12-09", tanggal_rancangan_selesai="2026-12-09",
                    tanggal_kirim_reviu="2026-12-09", nomor_pengantar_reviu="1",
                    penanda_tangan_pengantar_reviu="kepala_pd", cara_kirim_reviu="langsung")
    tell(office, office.at + MOMENT)
    assert (NEW, "sekcam") in told(office, id)
    assert (NEW, "inspektorat") not in told(office, id)


def test_an_extension_is_followed_by_a_notice_at_the_new_limit_only(office: Office) -> None:
    id, memory = at_step_3(office), Memory()
    task = task_of(office, id)
    tell(office, task.late_at, memory)
    office.at = task.late_at + timedelta(minutes=1)
    until = (task.late_at + timedelta(days=9)).date().isoformat()
    office.do(id, "tim1", AskExtension(user_task=task.number, until=until, reason="Data belum lengkap."))
    tell(office, office.at + MOMENT, memory)
    assert {person for kind, person in told(office, id) if kind == ASKED} == {"camat", "sekcam"}
    office.do(id, "camat", GrantExtension(user_task=task.number))
    extended = task_of(office, id)
    tell(office, office.at + MOMENT, memory)
    assert {person for kind, person in told(office, id) if kind == DECIDED} == {"tim1", "tim2"}
    assert tell(office, office.at + MOMENT, memory) == 0
    assert {one.kind for one in everything(office) if one.about_at > task.late_at} == {ASKED, DECIDED}
    tell(office, extended.late_at, memory)
    assert {one.about_at for one in everything(office) if one.kind == LATE} == {task.late_at, extended.late_at}


def test_the_deadline_is_told_to_its_lanes_with_what_is_not_delivered(office: Office) -> None:
    id, memory = at_step_3(office), Memory()
    deadline = office.open(id)[0].deadline_at
    assert deadline is not None
    tell(office, deadline - MOMENT, memory)
    assert "tenggat" not in {kind for kind, _ in told(office)}
    tell(office, deadline, memory)
    assert {person for kind, person in told(office) if kind == "tenggat"} == {"camat", "sekcam", "tim1", "tim2"}
    [one] = [one for one in everything(office) if one.kind == "tenggat" and one.person == "camat"]
    assert "(28 Februari 2027) telah tiba. Yang belum disampaikan: a.1 Tanggal hard file diterima" in one.body
    assert one.body.endswith(f"{URL}/proses/{id}")


# Whatever the clock does


def test_a_clock_that_jumps_doubles_nothing_and_loses_nothing(office: Office) -> None:
    ids = [at_step_3(office, year) for year in (2026, 2027)]
    task, memory = task_of(office, ids[0]), Memory()
    hour, day = timedelta(hours=1), timedelta(days=1)
    now = task.opened_at + timedelta(minutes=10)
    for jump in (0 * hour, hour, -hour, day, -day, 30 * day, -30 * day, 60 * day, 0 * hour):
        tell(office, now + jump, memory)
        tell(office, now + jump)
    for at in (task.late_at, task.escalate_at, task.escalate_at + 90 * day):
        tell(office, at, memory)
    for id in ids:
        assert {(LATE, "tim1"), (LATE, "tim2"), (TWICE, "sekcam"), (NEW, "tim1"), (NEW, "tim2")} <= told(office, id)


def test_a_first_round_over_an_old_database_tells_each_of_each_task_once_and_mails_nobody_at_once(
    office: Office
) -> None:
    ids = [at_step_3(office, year) for year in (2026, 2027, 2028)]
    with_addresses(office, "tim1", "tim2", "sekcam")
    later = next_opening(task_of(office, ids[-1]).escalate_at + timedelta(days=40), five_days())
    tell(office, later + timedelta(hours=1))
    for id in ids:
        people = [person for kind, person in told(office, id) if kind != "tenggat"]
        assert sorted(people) == ["sekcam", "tim1", "tim2"]
    old = [one for one in everything(office) if one.about_at < later - timedelta(days=3)]
    assert {one.mail for one in old if one.person != "camat"} == {"digest"}
    assert tell(office, later + timedelta(hours=2)) == 0


def test_an_instance_that_cannot_be_read_stops_nobody(office: Office) -> None:
    broken, healthy = begin(office, 2027), begin(office, 2026)
    with office.database.begin() as db:
        db.execute(update(schema.instance).where(schema.instance.c.id == broken).values(state=b"no JSON"))
    memory = Memory()
    assert tell(office, office.at + MOMENT, memory) == 1
    assert told(office) == {(NEW, "camat")}
    assert {one.instance for one in everything(office)} == {healthy}
    assert tell(office, office.at + MOMENT, memory) == 0


def test_a_round_in_which_nothing_is_due_asks_one_question_and_a_full_one_few(office: Office) -> None:
    for year in (2026, 2027, 2028):
        at_step_3(office, year)
    memory = Memory()
    with heard(office.database.engine) as said:
        assert tell(office, office.at + MOMENT, memory) == 6
    assert len(said) <= 10, [one.sql for one in said]
    with heard(office.database.engine) as said:
        assert tell(office, office.at + MOMENT, memory) == 0
    assert len(said) == 1


def test_a_round_looks_at_a_bounded_number_of_instances_and_the_next_one_goes_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "BATCH", 2)
    for year in (2026, 2027, 2028):
        begin(office, year)
    memory = Memory()
    assert [tell(office, office.at + MOMENT, memory) for _ in range(3)] == [2, 1, 0]


def test_a_comment_makes_no_notice(office: Office) -> None:
    id, memory = begin(office), Memory()
    tell(office, office.at + MOMENT, memory)
    office.do(id, "sekcam", AddComment(text="Mohon segera."))
    assert tell(office, office.at + MOMENT, memory) == 0


# What becomes of it outside the inbox


MORNING_OF = datetime(2026, 12, 9, 1, 30, tzinfo=UTC)       # Wednesday 08.30 WIB
EVENING, NOON = MORNING_OF.replace(hour=11), MORNING_OF.replace(hour=5, minute=20)


@pytest.mark.parametrize(("at", "mail", "after"), [
    (MORNING_OF, "waits", MORNING_OF), (NOON, "waits", MORNING_OF.replace(hour=6, minute=0)),
    (EVENING, "digest", None), (MORNING_OF - timedelta(hours=2), "digest", None),
    (MORNING_OF + timedelta(days=3), "digest", None)])
def test_mail_goes_in_working_hours_and_what_arises_outside_waits_for_the_morning(
    at: datetime, mail: str, after: datetime | None
) -> None:
    reader = notices.Reader("tim1", "Anggota Tim Penyusun 1", "tim1@lasem.example", AT_ONCE, None)
    assert notify.way_out(reader, at, at, five_days()) == (mail, after)
    assert notify.way_out(reader._replace(mail=SUMMARY), at, at, five_days()) == ("digest", None)
    assert notify.way_out(reader._replace(mail=NOTHING), at, at, five_days()) == ("none", None)
    assert notify.way_out(reader._replace(email=None), at, at, five_days()) == ("none", None)
    assert notify.way_out(reader, at - timedelta(days=4), at, five_days()) == ("digest", None)


def test_where_no_mail_server_is_set_nothing_waits_for_one(office: Office) -> None:
    begin(office)
    with_addresses(office, "camat")
    tell(office, office.at + MOMENT, mails=False)
    assert {one.mail for one in everything(office)} == {"none"}


def test_who_changes_their_wish_changes_what_waits(office: Office) -> None:
    begin(office)
    with_addresses(office, "camat")
    with office.database.read() as db:
        assert notices.preference(db, "camat") == AT_ONCE
    tell(office, office.at + MOMENT)
    for wish, mail in ((AT_ONCE, "waits"), (SUMMARY, "digest"), (SUMMARY, "digest"), (NOTHING, "none")):
        with office.database.begin() as db:
            notices.set_preference(db, "camat", wish, office.at)
            assert notices.preference(db, "camat") == wish
        assert [one.mail for one in everything(office)] == [mail]
    with office.database.begin() as db, pytest.raises(ValueError, match="kadang"):
        notices.set_preference(db, "camat", "kadang", office.at)


def test_notices_are_read_by_their_own_person_only(office: Office) -> None:
    at_step_3(office)
    tell(office, office.at + MOMENT)
    with office.database.begin() as db:
        [mine], [theirs] = notices.unread(db, "tim1"), notices.unread(db, "tim2")
        assert notices.mark_read(db, "tim1", [mine.id, theirs.id], office.at) == 1
        assert (notices.count_unread(db, "tim1"), notices.count_unread(db, "tim2")) == (0, 1)
        assert notices.mark_read(db, "tim1", "all", office.at) == 0
        assert notices.mark_read(db, "tim2", "all", office.at) == 1
        assert notices.of_person(db, "tim1") == [replace(mine, seen_at=office.at)]


# The morning's summary


def morning_after(at: datetime) -> datetime:
    return next_opening(at + timedelta(hours=9), five_days()) + timedelta(minutes=1)


def summaries(office: Office) -> list[Notice]:
    return [one for one in everything(office) if one.kind == MORNING]


def test_what_arose_overnight_is_one_mail_with_the_mornings_list(office: Office) -> None:
    with_addresses(office, "tim1", "tim2")
    id, other = at_step_3(office), at_step_3(office, 2027)
    late_at = task_of(office, id).late_at
    evening = late_at + timedelta(hours=10)
    tell(office, evening)
    assert {one.mail for one in everything(office) if one.person == "tim1"} == {"digest"}
    assert summarise(office.database, office.rules, evening, URL) == 0          # nobody works
    morning, memory = morning_after(late_at), Memory()
    assert summarise(office.database, office.rules, morning, URL, memory) == 2
    assert summarise(office.database, office.rules, morning + timedelta(hours=3), URL, memory) == 0
    assert summarise(office.database, office.rules, morning + timedelta(hours=3), URL) == 0
    [one] = [one for one in summaries(office) if one.person == "tim1"]
    assert (one.mail, one.mail_after, one.seen_at, one.instance) == ("waits", morning, morning, "")
    assert one.body.startswith("Yth. Anggota Tim Penyusun LKjPD,\n\nRingkasan tugas Bapak/Ibu, ")
    assert "Sejak jam kerja terakhir (2):\n- Rancangan akhir LKjPD Tahun " in one.body
    assert "- Rancangan akhir LKjPD Tahun 2026 seharusnya telah disampaikan" in one.body
    assert "Terlambat (2):\n- langkah 3, " in one.body
    assert f"{URL}/tugas/{other}/" in one.body
    assert one.body.endswith(f"\n\nKotak Tugas: {URL}/")
    assert "{" not in one.body
    joined = [one for one in everything(office) if one.person == "tim1" and one.kind == LATE]
    assert {one.mail for one in joined} == {"joined"}
    with office.database.read() as db:          # a summary is a mail, not one more notice to read
        assert len(notices.unread(db, "tim1")) == len(joined)
        assert notices.count_unread(db, "tim1") == len(joined)


def test_who_wants_a_summary_gets_one_a_working_day_and_only_when_there_is_something(office: Office) -> None:
    with_addresses(office, "tim1", "camat", "penerima")
    with office.database.begin() as db:
        for one in ("tim1", "camat", "penerima"):
            notices.set_preference(db, one, SUMMARY, office.at)
    at_step_3(office)
    tell(office, office.at + MOMENT)
    assert {one.mail for one in everything(office) if one.person == "tim1"} == {"digest"}
    morning = morning_after(office.at)
    assert summarise(office.database, office.rules, morning, URL) == 1
    assert [one.person for one in summaries(office)] == ["tim1"]
    assert "Menunggu (1):\n- langkah 3, " in summaries(office)[0].body
    assert "Sejak jam kerja" not in summaries(office)[0].body       # that it came is what the list says already
    begin(office, 2027)                     # something for Kepala PD, after the opening: tomorrow's
    assert summarise(office.database, office.rules, morning + timedelta(hours=2), URL) == 0
    assert summarise(office.database, office.rules, morning_after(morning + timedelta(hours=2)), URL) == 2
    assert [one.person for one in summaries(office)].count("tim1") == 2
    assert [one.person for one in summaries(office)].count("camat") == 1


def test_who_wants_mail_at_once_gets_a_summary_only_when_something_waited(office: Office) -> None:
    with_addresses(office, "tim1")
    at_step_3(office)
    tell(office, office.at + MOMENT)
    assert {one.mail for one in everything(office) if one.person == "tim1"} == {"waits"}
    assert summarise(office.database, office.rules, morning_after(office.at), URL) == 0


def test_a_document_promised_for_today_stands_in_the_summary_of_who_promised_it(office: Office) -> None:
    from engine.commands import OweRequirement, Promise

    with_addresses(office, "sekcam")
    id = at_step_2(office)
    task, morning = task_of(office, id), morning_after(office.at)
    promised = (morning + timedelta(hours=7)).date().isoformat()
    office.do(id, "sekcam", OweRequirement(user_task=task.number, promise=Promise(
        document="sk_tim", promised=promised, reason="Menunggu tanda tangan")))
    with office.database.begin() as db:
        notices.set_preference(db, "sekcam", SUMMARY, office.at)
    summarise(office.database, office.rules, morning, URL)
    [one] = summaries(office)
    assert "Dokumen menyusul yang dijanjikan hari ini (1):\n- SK Pembentukan Tim Penyusun LKjPD" in one.body
    assert "Menunggu tanda tangan" not in one.body


def test_a_summary_that_could_not_be_sent_is_not_sent_the_day_after(office: Office) -> None:
    with_addresses(office, "tim1")
    at_step_3(office)
    with office.database.begin() as db:
        notices.set_preference(db, "tim1", SUMMARY, office.at)
    first = morning_after(office.at)
    summarise(office.database, office.rules, first, URL)
    summarise(office.database, office.rules, morning_after(first + timedelta(hours=2)), URL)
    assert sorted(one.mail for one in summaries(office)) == ["none", "waits"]


def test_a_person_in_two_days_of_a_holiday_gets_no_summary(office: Office) -> None:
    with_addresses(office, "tim1")
    at_step_3(office)
    with office.database.begin() as db:
        notices.set_preference(db, "tim1", SUMMARY, office.at)
    christmas = datetime.combine(date(2026, 12, 25), MORNING_OF.timetz())
    saturday = datetime.combine(date(2026, 12, 12), MORNING_OF.timetz())
    assert [summarise(office.database, office.rules, at, URL) for at in (christmas, saturday)] == [0, 0]
    with office.database.read() as db:
        assert db.execute(schema.digest.select()).all() == []


def test_notices_are_no_facts_of_the_journal(office: Office) -> None:
    id = begin(office)
    sequence = office.open(id)[0].sequence
    tell(office, office.at + MOMENT)
    assert office.open(id)[0].sequence == sequence
    with office.database.begin() as db:
        db.execute(delete(schema.notice))
