"""The agenda that a calendar program reads, as ical.js reads it: what stands in it, what moves, what is taken out."""
from __future__ import annotations

from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from engine import agenda, organise
from engine.bench import OPENING, Office
from engine.calendars import six_days
from engine.commands import (
    Actor,
    AskExtension,
    CancelProcessInstance,
    ChangeCalendar,
    ClaimUserTask,
    GrantExtension,
    ReleaseUserTask,
    SuspendProcessInstance,
)
from engine.deploy import SYSTEM
from engine.organisation import Change, DeactivatePerson, EndHolding
from engine.store import definitions, feeds
from engine.store.schema import feed, holding
from tests.node import ask

URL = "https://alur.example.go.id"
SOME_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n,;:\\\"😀é"), max_size=200)


def read(*files: bytes) -> list[Any]:
    """What ical.js makes of files."""
    told = ask("agenda.mjs", {str(n): b64encode(file).decode() for n, file in enumerate(files)})
    return [told[str(n)] for n in range(len(files))]


def file_of(office: Office, person: str, at: datetime | None = None) -> bytes:
    """A person's agenda as it is served. They have given its address to a calendar program when the office opened."""
    with office.database.begin() as db:
        if feeds.of_person(db, person) is None:
            feeds.make(db, person, OPENING)
        who = feeds.of_person(db, person)
        assert who is not None
        return agenda.calendar(agenda.entries(db, office.rules, who, at or office.at, URL))


def events(office: Office, person: str, at: datetime | None = None) -> dict[str, Any]:
    """UID -> event, as ical.js reads it."""
    return {one["uid"]: one for one in read(file_of(office, person, at))[0]["events"]}


def of_task(office: Office, id: str, person: str, number: int | None = None, at: datetime | None = None) -> Any:
    """The event of the open user task, or of that with the number; None where the agenda has none."""
    return events(office, person, at).get(f"{id}-{number or office.open(id)[1]}@alur")


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def folded_lines(file: bytes) -> list[bytes]:
    assert file.endswith(b"\r\n") and b"\n" not in file.replace(b"\r\n", b"")
    return file.split(b"\r\n")[:-1]


def change(office: Office, *acts: Any) -> None:
    with office.database.begin() as db:
        for act in acts:
            by = Actor(person="admin", capacity="administrator", administrator=True)
            organise.change(db, office.database.key,
                            Change(id=f"ubah-{next(office.ids)}", at=office.at, act=act, actor=by))


# What stands in it


def test_a_user_task_stands_where_its_limit_is_and_says_step_and_process(office: Office) -> None:
    id = office.begin(2026)
    instance, number = office.open(id)
    task = instance.user_tasks[number]
    event = of_task(office, id, "tim1")
    assert task.late_at is not None
    assert instant(event["end"]) == task.late_at.replace(microsecond=0)
    assert instant(event["end"]) - instant(event["start"]) == agenda.LASTS
    assert (event["summary"], event["status"]) == (
        "5 · Memperbaiki dan mencetak rancangan akhir · LKjPD 2026", "CONFIRMED")
    assert event["url"] == f"{URL}/tugas/{id}/{number}" and event["url"] in event["description"]
    assert event["sequence"] >= instance.sequence


def test_nothing_that_anybody_typed_stands_in_it(office: Office) -> None:
    id = office.begin(2026)
    typed = [str(value) for value in office.open(id)[0].data.values() if isinstance(value, str) and len(value) > 3]
    file = b"".join(line.removeprefix(b" ") for line in folded_lines(file_of(office, "tim1"))).decode()
    assert typed and [one for one in typed if one in file] == []


def test_the_deadline_of_the_process_is_a_whole_day_for_those_who_perform_in_it(office: Office) -> None:
    id = office.begin(2026)
    for person in ("camat", "sekcam", "tim1", "inspektorat"):
        event = events(office, person)[f"{id}-tenggat@alur"]
        assert (event["allDay"], event["start"], event["end"]) == (True, "2027-02-28", "2027-03-01")
        assert (event["summary"], event["status"]) == ("Tenggat penyampaian LKjPD Tahun 2026", "CONFIRMED")
    assert events(office, "auditor") == {}


def test_what_waits_for_somebody_else_is_not_in_it(office: Office) -> None:
    id = office.begin(2026)                 # waits for the team, which the instance has appointed: tim1 and tim2
    assert of_task(office, id, "tim2") is not None
    assert of_task(office, id, "camat") is None and of_task(office, id, "inspektorat") is None
    assert of_task(office, id, "penerima") is None


def test_a_program_is_told_its_name_and_how_often_to_look(office: Office) -> None:
    [told] = read(file_of(office, "camat"))
    properties = told["properties"]
    assert properties["x-wr-calname"] == properties["name"] == "Tugas Alur"
    assert (properties["version"], properties["refresh-interval"]) == ("2.0", "PT1H")
    assert properties["x-published-ttl"] == "PT1H"


def test_the_same_state_is_the_same_file(office: Office) -> None:
    office.begin(2026)
    assert file_of(office, "tim1") == file_of(office, "tim1")


def test_the_past_of_an_instance_is_read_once_for_each_state(office: Office) -> None:
    id = office.begin(2026)

    def past() -> agenda.Past:
        with office.database.read() as db:
            [stand] = feeds.stands(db, "sekcam", [("penyusunan_lkjpd", "kecamatan_lasem")], OPENING)
            return agenda.past_of(db, stand)

    before = past()
    assert past() is before
    office.do(id, "tim1", ClaimUserTask(user_task=office.open(id)[1]))
    assert past() is not before and past().tasks.keys() == before.tasks.keys()


# What moves


def test_more_time_moves_the_event_under_the_same_uid_and_a_higher_sequence(office: Office) -> None:
    id = office.begin(2026)
    number, before = office.open(id)[1], of_task(office, id, "tim1")
    until = instant(before["end"]).date() + timedelta(days=9)
    office.do(id, "tim1", AskExtension(user_task=number, until=until.isoformat(), reason="Data belum lengkap."))
    asked = of_task(office, id, "tim1")
    office.do(id, "camat", GrantExtension(user_task=number))
    granted = of_task(office, id, "tim1")
    assert asked["end"] == before["end"] < granted["end"]
    assert before["uid"] == asked["uid"] == granted["uid"]
    assert before["sequence"] < asked["sequence"] < granted["sequence"]
    assert granted["status"] == "CONFIRMED" and instant(granted["stamp"]) > instant(before["stamp"])


def test_another_calendar_moves_the_event_under_the_same_uid_and_a_higher_sequence(office: Office) -> None:
    id = office.begin(2026)
    before = of_task(office, id, "tim1")
    with office.database.begin() as db:
        sha256 = definitions.publish_calendar(db, office.database.key, "kecamatan_lasem", six_days(), actor=SYSTEM,
                                              reason="uji", at=office.at, command_id="enam-hari")
    lanes = ("", *office.open(id)[0].calendars)
    office.do(id, "admin", ChangeCalendar(calendars=dict.fromkeys(lanes, sha256), reason="Perbup 46/2017."))
    moved = of_task(office, id, "tim1")
    assert moved["end"] < before["end"] and moved["uid"] == before["uid"] and moved["sequence"] > before["sequence"]


def test_a_suspended_process_says_so_and_keeps_its_dates(office: Office) -> None:
    id = office.begin(2026)
    before = of_task(office, id, "tim1")
    office.do(id, "camat", SuspendProcessInstance(reason="Menunggu Bupati."))
    after = of_task(office, id, "tim1")
    assert after["summary"] == before["summary"] + " (ditangguhkan)"
    assert (after["end"], after["status"]) == (before["end"], "CONFIRMED")
    assert events(office, "tim1")[f"{id}-tenggat@alur"]["summary"].endswith(" (ditangguhkan)")


# What is taken out


def test_a_completed_task_is_cancelled_and_forgotten_after_sixty_days(office: Office) -> None:
    id = office.begin(2026)
    number, before = office.open(id)[1], of_task(office, id, "tim1")
    office.attach(id, "tim1", "rancangan_akhir")
    office.complete(id, "tim1", tindak_lanjut=[{"hasil": "sudah"}], tanggal_cetak="2026-12-09")
    after = of_task(office, id, "tim1", number)
    assert (after["status"], after["end"]) == ("CANCELLED", before["end"]) and after["sequence"] > before["sequence"]
    assert of_task(office, id, "tim2", number)["status"] == "CANCELLED"
    assert of_task(office, id, "sekcam")["status"] == "CONFIRMED"   # the next step
    late = office.at + timedelta(days=59)
    assert of_task(office, id, "tim1", number, late)["status"] == "CANCELLED"
    assert of_task(office, id, "tim1", number, late + timedelta(days=2)) is None


def test_what_was_over_before_the_address_was_made_never_stands_in_it(office: Office) -> None:
    id = office.begin(2026)
    with office.database.begin() as db:
        feeds.make(db, "camat", office.at)
    assert [uid for uid in events(office, "camat") if not uid.endswith("-tenggat@alur")] == []
    with office.database.begin() as db:
        feeds.make(db, "camat", OPENING)
    assert [one["status"] for uid, one in events(office, "camat").items() if uid != f"{id}-tenggat@alur"] == [
        "CANCELLED"]


def test_a_task_that_another_takes_is_cancelled_and_comes_back_when_they_release_it(office: Office) -> None:
    id = office.begin(2026)
    number = office.open(id)[1]
    free = of_task(office, id, "tim2")
    office.do(id, "tim1", ClaimUserTask(user_task=number))
    taken = of_task(office, id, "tim2")
    assert (taken["status"], of_task(office, id, "tim1")["status"]) == ("CANCELLED", "CONFIRMED")
    office.do(id, "tim1", ReleaseUserTask(user_task=number))
    back = of_task(office, id, "tim2")
    assert back["status"] == "CONFIRMED" and back["uid"] == free["uid"]
    assert free["sequence"] < taken["sequence"] < back["sequence"]


def test_who_leaves_a_position_loses_its_tasks_though_no_step_of_the_process_says_so(office: Office) -> None:
    id = office.begin(2026)
    office.attach(id, "tim1", "rancangan_akhir")
    office.complete(id, "tim1", tindak_lanjut=[{"hasil": "sudah"}], tanggal_cetak="2026-12-09")
    before, steps = of_task(office, id, "sekcam"), office.open(id)[0].sequence
    with office.database.read() as db:
        held = db.execute(select(holding.c.id).where(holding.c.person == "sekcam")).scalar_one()
    today = (office.at + timedelta(hours=7)).date()
    change(office, EndHolding(holding=held, valid_until=today.isoformat()))
    still = of_task(office, id, "sekcam")
    gone = of_task(office, id, "sekcam", at=office.at + timedelta(days=1))  # the last day is over: nobody did anything
    assert (still["status"], gone["status"]) == ("CONFIRMED", "CANCELLED")
    assert before["sequence"] < still["sequence"] < gone["sequence"] and office.open(id)[0].sequence == steps


def test_a_cancelled_process_takes_its_tasks_and_its_deadline_out(office: Office) -> None:
    id = office.begin(2026)
    before = events(office, "tim1")
    office.do(id, "camat", CancelProcessInstance(reason="Salah tahun."))
    after = events(office, "tim1")
    assert before[f"{id}-tenggat@alur"]["status"] == "CONFIRMED"
    assert {one["status"] for one in after.values()} == {"CANCELLED"} and after.keys() >= before.keys()
    assert all(after[uid]["sequence"] > before[uid]["sequence"] for uid in before)


def test_of_a_long_past_only_the_newest_rows_are_read_and_what_is_open_stays(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = office.begin(2026)
    number = office.open(id)[1]
    monkeypatch.setattr(agenda, "ROWS_MOST", 1)
    agenda.remembered.clear()
    office.do(id, "tim1", ClaimUserTask(user_task=number))     # the one row that is read says nothing of its opening
    assert events(office, "tim1").keys() == {f"{id}-{number}@alur", f"{id}-tenggat@alur"}
    assert of_task(office, id, "tim1")["status"] == "CONFIRMED"
    assert of_task(office, id, "tim2")["status"] == "CANCELLED"
    agenda.remembered.clear()


# The secret


def test_a_secret_opens_its_persons_agenda_until_it_is_renewed_or_revoked(office: Office) -> None:
    with office.database.begin() as db:
        first = feeds.make(db, "camat", OPENING)
        assert feeds.find(db, first) == feeds.of_person(db, "camat")
        second = feeds.make(db, "camat", OPENING)
        assert feeds.find(db, first) is None and feeds.find(db, second) is not None
        assert feeds.revoke(db, "camat") is True and feeds.revoke(db, "camat") is False
        assert feeds.find(db, second) is None and feeds.of_person(db, "camat") is None


def test_the_secret_itself_stands_in_no_table(office: Office) -> None:
    with office.database.begin() as db:
        secret = feeds.make(db, "camat", OPENING)
        [row] = db.execute(select(feed)).all()
    assert len(secret) == 43 and secret not in str(row) and feeds.hashed(secret) in str(row)


@pytest.mark.parametrize("secret", ["", "x", "x" * 43, "x" * 44, "../../etc/passwd", "é" * 43, "a" * 100_000])
def test_what_is_no_secret_opens_nothing(office: Office, secret: str) -> None:
    with office.database.begin() as db:
        feeds.make(db, "camat", OPENING)
        assert feeds.find(db, secret) is None


def test_who_may_no_longer_sign_in_has_no_agenda(office: Office) -> None:
    with office.database.begin() as db:
        secret = feeds.make(db, "penerima", OPENING)
    change(office, DeactivatePerson(person="penerima", last_day="2026-12-08", reason="Pensiun."))
    with office.database.read() as db:
        assert feeds.find(db, secret) is None


# The file


@given(texts=st.lists(st.tuples(SOME_TEXT, SOME_TEXT), min_size=1, max_size=30))
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_survives_and_no_line_is_longer_than_75_octets(texts: list[tuple[str, str]]) -> None:
    at = datetime(2027, 2, 2, 3, 15, tzinfo=UTC)
    written = [agenda.Entry(uid=f"{n}@alur", sequence=n, changed_at=at, summary=summary, description=description,
                            address=f"{URL}/tugas/{n}", category="Penyusunan, LKjPD", starts=at, ends=at + agenda.LASTS)
               for n, (summary, description) in enumerate(texts)]
    file = agenda.calendar(written)
    for line in folded_lines(file):
        assert len(line) <= 75
        line.decode("utf-8")                # a character that was cut in two would not
    [told] = read(file)
    assert [(one["summary"], one["description"], one["sequence"]) for one in told["events"]] == [
        (*text, n) for n, text in enumerate(texts)]
    assert all(one["categories"] == ["Penyusunan, LKjPD"] and one["url"] == f"{URL}/tugas/{one['uid'][:-5]}"
               for one in told["events"])


def test_a_whole_day_and_a_cancelled_event_are_read_as_such() -> None:
    at = datetime(2027, 2, 2, 3, 15, 7, 999_999, tzinfo=UTC)
    one = agenda.Entry(uid="a@alur", sequence=2, changed_at=at, summary="Tenggat", description="", address=URL,
                       category="LKjPD", starts=date(2027, 2, 28), ends=date(2027, 3, 1), cancelled=True)
    [event] = read(agenda.calendar([one]))[0]["events"]
    assert (event["allDay"], event["start"], event["end"]) == (True, "2027-02-28", "2027-03-01")
    assert (event["status"], event["stamp"]) == ("CANCELLED", "2027-02-02T03:15:07.000Z")
