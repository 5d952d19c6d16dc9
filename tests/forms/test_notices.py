"""Pemberitahuan: what one was told and wishes for, and the agenda that a calendar program reads without signing in."""

from __future__ import annotations

import logging
import re
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from sqlalchemy import func, insert, select, update
from werkzeug.test import TestResponse

from engine import agenda
from engine.store import feeds, notices, records, schema
from forms.notices import AT_ONCE_MOST
from tests.desk import PERFORMERS, Desk, Reader
from tests.node import ask


def tell(desk: Desk, person: str, subject: str, instance: str, user_task: int | None = None) -> str:
    """Put a notice where a person finds it; its id."""
    row = {
        "id": f"{person}-{subject}",
        "instance": instance,
        "user_task": user_task,
        "kind": "lewat_batas",
        "person": person,
        "about_at": records.instant(desk.clock()),
        "subject": subject,
        "body": f"{subject}, selengkapnya.",
        "created_at": records.instant(desk.clock()),
        "mail": "none",
        "tries": 0,
    }
    with desk.database.begin() as db:
        db.execute(insert(schema.notice).values(row))
    return str(row["id"])


def unread(desk: Desk, person: str) -> list[str]:
    with desk.database.read() as db:
        return sorted(one.subject for one in notices.unread(db, person))


def make(reader: Reader) -> str:
    """Make a secret address on the page; its path."""
    reader.get("/pemberitahuan").send(action="/kalender")
    [address] = reader.page.xpath("//input[@id='alamat']/@value")
    return str(address).removeprefix("http://127.0.0.1:8080")


def program(desk: Desk, path: str, **more: Any) -> TestResponse:
    """A calendar program: it knows an address, has no cookie and keeps none."""
    return desk.app.test_client(use_cookies=False).get(path, **more)


def events(answer: TestResponse) -> dict[str, Any]:
    """UID -> event, as ical.js reads the answer."""
    assert answer.status_code == 200, answer.text
    read = ask("agenda.mjs", {"it": b64encode(answer.data).decode()})
    return {one["uid"]: one for one in read["it"]["events"]}


def sessions(desk: Desk) -> int:
    with desk.database.read() as db:
        return int(db.execute(select(func.count()).select_from(schema.session)).scalar_one())


# What one was told


def test_the_frame_says_how_many_are_unread_and_leads_to_the_page(desk: Desk) -> None:
    id = desk.waiting_at(3)
    reader = desk.reader("camat")
    assert reader.page.xpath("//p[@class='told']//span[@class='count']") == []
    tell(desk, "camat", "Langkah 3 terlambat", id)
    tell(desk, "camat", "Langkah 3 sangat terlambat", id)
    [link] = reader.get("/").page.xpath("//p[@class='told']/a")
    assert re.sub(r"\s+", " ", link.text_content()).strip() == "Pemberitahuan 2 belum dibaca"
    reader.get(link.get("href"))
    assert "2 belum dibaca." in reader.text and "Langkah 3 sangat terlambat, selengkapnya." in reader.text
    assert f"/proses/{id}" in reader.page.xpath("//ul[contains(@class, 'comments')]//a/@href")


def test_a_notice_about_a_task_leads_to_the_task(site: Desk) -> None:
    id = site.waiting_at(3)
    [number] = site.instance(id).user_tasks
    tell(site, "tim1", "Tugas Anda terlambat", id, number)
    reader = site.reader("tim1").get("/pemberitahuan")
    assert reader.page.xpath("//ul[contains(@class, 'comments')]//a/@href") == [f"/tugas/{id}/{number}"]


def test_the_page_says_the_words_once_without_salutation_and_address(site: Desk) -> None:
    id = site.waiting_at(3)
    told = tell(site, "tim2", "Tenggat telah tiba", id)
    body = f"Yth. Anggota Tim,\n\nTenggat telah tiba.\nTembusan: Camat Lasem.\nBuka berkas proses: http://alur.test/{id}"
    with site.database.begin() as db:
        db.execute(update(schema.notice).where(schema.notice.c.id == told).values(body=body))
    reader = site.reader("tim2").get("/pemberitahuan")
    [said] = reader.page.xpath("//ul[contains(@class, 'comments')]/li/p[1]/text()")
    assert said == "Tenggat telah tiba. Tembusan: Camat Lasem."


def test_a_change_of_powers_keeps_what_to_do_about_it(site: Desk) -> None:
    told = tell(site, "tim2", "Kata sandi diatur ulang", "")
    body = "Yth. Anggota Tim,\n\nKata sandi Anda diatur ulang.\n\nBila tidak benar, segera beri tahu atasan Anda."
    with site.database.begin() as db:
        db.execute(update(schema.notice).where(schema.notice.c.id == told).values(body=body))
    assert "Bila tidak benar, segera beri tahu atasan Anda." in site.reader("tim2").get("/pemberitahuan").text


def test_one_is_marked_as_read_or_all_and_nobody_elses(desk: Desk) -> None:
    id = desk.waiting_at(3)
    one = tell(desk, "camat", "Satu", id)
    for person, subject in (("camat", "Dua"), ("camat", "Tiga"), ("sekcam", "Empat")):
        tell(desk, person, subject, id)
    reader = desk.reader("camat").get("/pemberitahuan")
    action, values = "/pemberitahuan/dibaca", reader.values("/dibaca")
    reader.post(action, {**values, "pemberitahuan": [one, "sekcam-Empat"]})
    assert (unread(desk, "camat"), unread(desk, "sekcam")) == (["Dua", "Tiga"], ["Empat"])
    reader.get("/pemberitahuan").send(action="/dibaca")
    assert (unread(desk, "camat"), unread(desk, "sekcam")) == ([], ["Empat"])
    assert "Semua sudah dibaca." in reader.text


def test_nobody_sees_what_another_was_told(site: Desk) -> None:
    tell(site, "camat", "Hanya untuk Camat", site.waiting_at(3))
    assert "Hanya untuk Camat" not in site.reader("sekcam").get("/pemberitahuan").text


def test_the_page_is_for_those_who_have_signed_in(site: Desk) -> None:
    assert site.reader().get("/pemberitahuan").path == "/masuk"
    for login in ("camat", "inspektorat", "penerima", "admin", "auditor"):
        assert site.reader(login).get("/pemberitahuan").status == 200


# How one is told


def test_the_way_of_being_told_by_mail_is_kept(desk: Desk) -> None:
    reader = desk.reader("camat").get("/pemberitahuan")
    assert reader.values("/surel")["surel"] == "langsung"
    reader.send({"surel": "ringkasan"}, action="/surel")
    assert "Pemberitahuan lewat surel: ringkasan harian." in reader.messages()
    assert reader.values("/surel")["surel"] == "ringkasan"
    with desk.database.read() as db:
        assert (notices.preference(db, "camat"), notices.preference(db, "sekcam")) == ("ringkasan", "langsung")


def test_a_way_that_is_none_is_refused_and_changes_nothing(site: Desk) -> None:
    reader = site.reader("camat").get("/pemberitahuan")
    reader.send({"surel": "merpati"}, action="/surel")
    assert reader.status == 422 and "Pilih salah satu cara pemberitahuan." in reader.messages()
    assert reader.values("/surel")["surel"] == "langsung"


def test_an_office_without_a_mail_server_says_so(site: Desk) -> None:
    assert "Surel belum disiapkan pada aplikasi ini" in site.reader("camat").get("/pemberitahuan").text


def test_the_address_of_the_mail_is_shown_and_who_may_change_it(desk_url: str, folder: Path, quick_hash: None) -> None:
    site = Desk.at(desk_url, folder, smtp_url="smtp://127.0.0.1:25")
    assert "Alamat surel Anda belum dicatat" in site.reader("camat").get("/pemberitahuan").text
    with site.database.begin() as db:
        db.execute(update(schema.person).values(email="orang@contoh.go.id"))
    reader = site.reader("camat").get("/pemberitahuan")
    assert "Dikirim ke orang@contoh.go.id." in reader.text and "diubah oleh administrator" in reader.text
    assert "/pengaturan/" not in "".join(reader.page.xpath("//main//aside//a/@href"))
    [link] = site.reader("admin").get("/pemberitahuan").page.xpath("//main//aside//a/@href")
    assert site.reader("admin").get(link).status == 200
    site.database.close()


# The secret address


def test_an_address_is_shown_once_and_opened_without_a_cookie_or_a_session(desk: Desk) -> None:
    reader = desk.reader("sekcam")
    path, before = make(reader), sessions(desk)
    assert path not in reader.get("/pemberitahuan").text and "Belum pernah dibaca" in reader.text
    answer = program(desk, path)
    assert answer.status_code == 200 and "Set-Cookie" not in answer.headers and sessions(desk) == before
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, max-age=300"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Terakhir dibaca program kalender hari ini" in reader.get("/pemberitahuan").text


def test_it_gives_what_waits_for_its_person_and_nothing_of_others(desk: Desk) -> None:
    waiting = {number: desk.waiting_at(number) for number in range(1, 10)}
    agendas = {login: events(program(desk, make(desk.reader(login)))) for login in ("camat", "sekcam", "tim1")}
    for number, id in waiting.items():
        [task] = desk.instance(id).user_tasks
        uid, performer = f"{id}-{task}@alur", PERFORMERS[number]
        assert [login for login, found in agendas.items() if uid in found] == (
            [performer] if performer in agendas else []
        )
        if performer in agendas:
            assert agendas[performer][uid]["summary"].startswith(f"{number} · ")


def test_its_deadline_goes_once_the_report_is_delivered(desk: Desk) -> None:
    id = desk.waiting_at(8)
    path = make(desk.reader("tim1"))
    before = events(program(desk, path))[f"{id}-tenggat@alur"]
    desk.later(minutes=10)
    desk.complete(id, 8)
    after = events(program(desk, path))[f"{id}-tenggat@alur"]
    assert (before["status"], after["status"]) == ("CONFIRMED", "CANCELLED")
    assert after["sequence"] > before["sequence"] and after["start"] == before["start"]


def test_what_has_not_changed_is_not_sent_again(site: Desk) -> None:
    path = make(site.reader("tim1"))
    first = program(site, path)
    again = program(site, path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    site.complete(site.waiting_at(8), 8)
    changed = program(site, path, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200 and changed.headers["ETag"] != first.headers["ETag"]


def test_a_new_address_ends_the_old_one_and_revoking_ends_both(desk: Desk) -> None:
    reader = desk.reader("camat")
    old = make(reader)
    new = make(reader)
    assert old != new and (program(desk, old).status_code, program(desk, new).status_code) == (404, 200)
    reader.get("/pemberitahuan").send(action="/cabut")
    assert "Alamat kalender dicabut." in " ".join(reader.messages())
    assert program(desk, new).status_code == 404


def test_a_form_that_is_sent_twice_does_not_end_the_address_that_was_just_copied(desk: Desk) -> None:
    reader = desk.reader("camat").get("/pemberitahuan")
    reader.send(action="/kalender")
    [address] = reader.page.xpath("//input[@id='alamat']/@value")
    reader.post(*reader.sent)
    assert reader.status == 409 and "sudah dibuat" in " ".join(reader.messages())
    assert reader.page.xpath("//input[@id='alamat']") == []
    assert program(desk, str(address).removeprefix("http://127.0.0.1:8080")).status_code == 200


@pytest.mark.parametrize("path", ["/agenda/x.ics", f"/agenda/{'A' * 43}.ics", f"/agenda/{'A' * 5000}.ics"])
def test_a_wrong_address_says_so_and_nothing_else(site: Desk, path: str) -> None:
    make(site.reader("camat"))
    answer = program(site, path)
    assert (answer.status_code, answer.mimetype) == (404, "text/plain")
    assert answer.text == "Alamat kalender ini tidak berlaku. Buat yang baru pada halaman Pemberitahuan.\n"
    assert answer.headers["Cache-Control"] == "no-store" and "Set-Cookie" not in answer.headers


def test_that_it_was_read_is_noted_once_an_hour(site: Desk) -> None:
    path = make(site.reader("camat"))

    def noted() -> Any:
        program(site, path)
        with site.database.read() as db:
            feed = feeds.of_person(db, "camat")
        assert feed is not None and feed.read_at is not None
        return feed.read_at

    first = noted()
    assert noted() == first
    site.later(minutes=61)
    assert noted() - first >= timedelta(hours=1)


def test_a_program_that_asks_all_the_time_is_asked_to_wait(site: Desk) -> None:
    path = make(site.reader("camat"))
    answers = {program(site, path).status_code for _ in range(AT_ONCE_MOST)}
    assert answers == {200} and program(site, path).status_code == 429
    elsewhere = program(site, path, environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert elsewhere.status_code == 200 and site.reader("camat").get("/").status == 200


def test_a_mistake_of_ours_is_logged_without_the_secret(
    site: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = make(site.reader("camat"))
    monkeypatch.setattr(agenda, "calendar", lambda _entries: 1 / 0)
    site.app.testing = False
    with caplog.at_level(logging.DEBUG):
        assert program(site, path).status_code == 500
    secret = path.removeprefix("/agenda/").removesuffix(".ics")
    assert "/agenda/<secret>.ics" in caplog.text and "ZeroDivisionError" in caplog.text
    assert secret not in caplog.text


# A word to whoever has the task


def test_a_process_page_has_a_text_for_whoever_the_step_waits_for(site: Desk) -> None:
    id = site.waiting_at(7)
    [number] = site.instance(id).user_tasks
    reader = site.reader("sekcam").get(f"/proses/{id}")
    [text] = reader.page.xpath("//textarea[@readonly]/text()")
    assert text.strip() == (
        "Yth. Camat Lasem, ada tugas yang menunggu Bapak/Ibu di aplikasi Alur: "
        f"http://127.0.0.1:8080/tugas/{id}/{number}. Terima kasih."
    )
    for login in ("camat", "inspektorat"):  # who has it, and who is of another office
        assert site.reader(login).get(f"/proses/{id}").page.xpath("//textarea[@readonly]") == []


def test_who_comes_next_can_be_told_once_a_step_is_done_and_only_then(site: Desk) -> None:
    id = site.waiting_at(6)
    reader = site.complete(id, 6)
    [number] = site.instance(id).user_tasks
    [address] = reader.page.xpath("//a[starts-with(@href, 'https://wa.me/')]/@href")
    text = unquote(address.removeprefix("https://wa.me/?text="))
    assert text.startswith("Yth. Camat Lasem, ada tugas") and f"/tugas/{id}/{number}" in text
    reader.get("/pemberitahuan").send({"surel": "tidak"}, action="/surel")
    assert reader.messages() and reader.page.xpath("//a[starts-with(@href, 'https://wa.me/')]") == []
