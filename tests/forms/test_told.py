"""What one was told, above the tasks of the inbox: reminders of what is open still, until they are marked as read."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine import notify
from engine.store import notices
from tests.desk import Desk, Reader

HEADING = "//h2[@id='pemberitahuan']"


def tell(desk: Desk, at: datetime | None = None) -> None:
    """What the worker does, once."""
    notify.notify(desk.database, desk.app.extensions["alur"].rules, at or desk.clock(), "https://alur.example")


def tell_about(desk: Desk, id: str, person: str) -> None:
    """What the worker does; of all that a person is told then, only what is about one instance is left unread."""
    tell(desk)
    with desk.database.begin() as db:
        others = [one.id for one in notices.unread(db, person) if one.instance != id]
        notices.mark_read(db, person, others, desk.clock())


def shown(reader: Reader) -> list[str]:
    reader.get("/")
    return [str(one) for one in reader.page.xpath(f"{HEADING}/ancestor::section//li//strong/a/text()")]


def unread(desk: Desk, person: str) -> int:
    with desk.database.read() as db:
        return notices.count_unread(db, person)


def test_a_reminder_stands_above_the_tasks_until_it_is_marked_as_read(desk: Desk) -> None:
    id = desk.waiting_at(3)
    [task] = desk.instance(id).user_tasks.values()
    assert task.late_at is not None
    desk.clock.at = task.late_at + timedelta(minutes=1)
    tell_about(desk, id, "tim1")
    reader = desk.reader("tim1")
    subjects = shown(reader)
    mine = f"Pengingat: Langkah 3 LKjPD Tahun {desk.instance(id).year} melewati batas waktu"
    assert mine in subjects
    assert f"/tugas/{id}/{task.number}" in reader.page.xpath(f"{HEADING}/ancestor::section//li//a/@href")
    assert "seharusnya telah disampaikan kepada Inspektorat Daerah" in reader.text
    before = unread(desk, "tim1")
    [button] = reader.page.xpath(f"{HEADING}/ancestor::section//li[.//strong/a/text()='{mine}']//form")
    reader.send({"pemberitahuan": button.xpath(".//input[@name='pemberitahuan']/@value")[0]},
                action="/tugas/pemberitahuan")
    assert (reader.status, reader.path) == (200, "/")
    assert mine not in shown(reader)
    assert unread(desk, "tim1") == before - 1


def test_that_a_task_came_is_not_said_above_it_once_more(desk: Desk) -> None:
    tell_about(desk, desk.waiting_at(9), "camat")
    id = desk.begin()
    tell(desk)
    with desk.database.read() as db:
        assert {(one.kind, one.instance) for one in notices.unread(db, "camat")} >= {("tugas_baru", id)}
    reader = desk.reader("camat")
    assert not [subject for subject in shown(reader) if subject.startswith("Tugas baru")]
    assert reader.page.xpath(f"//a[contains(@href, '/tugas/{id}/')]")


def test_a_reminder_of_what_is_done_does_not_press_any_more(desk: Desk) -> None:
    id = desk.waiting_at(1)
    [task] = desk.instance(id).user_tasks.values()
    assert task.late_at is not None
    desk.clock.at = task.late_at + timedelta(minutes=1)
    tell_about(desk, id, "camat")
    mine = f"Pengingat: Langkah 1 LKjPD Tahun {desk.instance(id).year} melewati batas waktu"
    assert mine in shown(desk.reader("camat"))
    desk.complete(id, 1)
    reader = desk.reader("camat")
    assert mine not in shown(reader)
    assert mine in reader.get("/pemberitahuan").text


def test_nobody_marks_what_another_was_told(desk: Desk) -> None:
    tell(desk)
    with desk.database.read() as db:
        [theirs, *_] = notices.unread(db, "sekcam")
    before = unread(desk, "sekcam")
    reader = desk.reader("camat")
    reader.get("/pemberitahuan")
    reader.send({"pemberitahuan": theirs.id}, action="/pemberitahuan/dibaca")
    assert unread(desk, "sekcam") == before
