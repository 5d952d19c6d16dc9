"""More time, on the pages: asked by a performer, decided once by a superior, with the norm beside it everywhere."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.commands import AskExtension, GrantExtension, RefuseExtension
from engine.handle import Request, handle
from engine.instance import Refused, UserTask
from tests.desk import Desk, Reader

pytestmark = pytest.mark.database
# What a page says no database changes: asked of one of them only, so that the suite stays short.
on_sqlite = pytest.mark.parametrize("desk_url", ["sqlite"], indirect=True)

WHY = "Data kinerja dari dua seksi belum lengkap."
UNTIL, SHORTER = "2026-12-30", "2026-12-22"  # the step's limit is in the week of the 14th
UNTIL_SAID, SHORTER_SAID = "Rabu, 30 Desember 2026 pukul 16.00 WIB", "Selasa, 22 Desember 2026 pukul 16.00 WIB"
REQUEST = "Permintaan perpanjangan waktu"


def task_of(desk: Desk, id: str) -> UserTask:
    [task] = desk.instance(id).user_tasks.values()
    return task


def page(desk: Desk, login: str, id: str, place: str = "") -> Reader:
    return desk.reader(login).get(f"/tugas/{id}/{task_of(desk, id).number}{place}")


def asks(desk: Desk, id: str, login: str = "tim1", until: str = UNTIL, why: str = WHY) -> Reader:
    reader = page(desk, login, id)
    return reader.send({"perpanjangan.sampai": until, "perpanjangan.alasan": why}, action="/extension")


def decision(desk: Desk, id: str, login: str = "camat") -> Reader:
    return page(desk, login, id, "/perpanjangan")


def text_of(reader: Reader, path: str) -> str:
    return " ".join(" ".join(one.text_content().split()) for one in reader.page.xpath(path))


def test_more_time_is_asked_granted_and_shown_beside_the_norm(desk: Desk) -> None:
    id = desk.waiting_at(5)
    before = task_of(desk, id)
    asked = asks(desk, id)
    assert f"Permintaan perpanjangan sampai {UNTIL_SAID} sudah tercatat." in asked.text
    assert "Sekarang menunggu keputusan Sekretaris Kecamatan Lasem atau Camat Lasem." in asked.text
    assert asked.page.xpath("//a[starts-with(@href,'https://wa.me/')]"), "who decides can be told"
    card = text_of(asked, "//*[@id='perpanjangan']")
    assert f"Anggota Tim Penyusun 1 meminta waktu sampai {UNTIL_SAID}. Menunggu keputusan" in card and WHY in card
    assert task_of(desk, id).late_at == before.late_at, "asking moves nothing"

    inbox = desk.reader("camat").get("/")
    assert "1 permintaan menunggu keputusan Anda." in inbox.text
    row = text_of(inbox, "//section[@aria-labelledby='permintaan']")
    assert REQUEST in row and "Anggota Tim Penyusun 1, hari ini" in row and WHY in row and "Putuskan" in row
    [link] = inbox.page.xpath("//section[@aria-labelledby='permintaan']//a[contains(@class,'primary')]/@href")
    done = inbox.get(link).send({}, action="/extension/grant")
    assert f"Perpanjangan diberikan: batas waktu langkah 5 sekarang {UNTIL_SAID}." in done.text
    assert REQUEST not in text_of(done, "//main//h2")

    after = task_of(desk, id)
    assert after.norm_at == before.norm_at and after.late_at is not None and before.late_at is not None
    assert after.late_at > before.late_at
    norm = "14 Desember 08.00"
    mine = desk.reader("tim1").get("/")
    [line] = mine.page.xpath(f"//li[contains(@class,'task')][.//a[contains(@href,'{id}')]]")
    assert "→Diperpanjang" in line.text_content() and f"waktu baku {norm}" in line.text_content()
    task = page(desk, "tim1", id)
    assert f"Waktu baku: Senin, 14 Desember 2026 pukul 08.00 WIB · Diperpanjang sampai: {UNTIL_SAID}" in task.text
    assert f"Diperpanjang sampai {UNTIL_SAID} oleh Camat Lasem, hari ini" in task.text
    table = text_of(desk.reader("camat").get(f"/proses/{id}"), "//table[contains(@class,'steps')]/tbody/tr[5]")
    assert "28" not in table and "30 Desember 16.00" in table and f"waktu baku {norm}" in table
    sheet = desk.reader("camat").get(f"/proses/{id}/lembar-kendali")
    assert "diperpanjang; waktu baku 14 Des 2026 08.00" in text_of(sheet, "//article//tbody/tr[5]")
    history = desk.reader("camat").get(f"/proses/{id}").text
    assert f"Anggota Tim Penyusun 1 meminta perpanjangan waktu langkah 5 sampai {UNTIL_SAID}. Alasan: {WHY}" in history
    assert "Camat Lasem memberikan perpanjangan: batas waktu langkah 5 dari Senin, 14 Desember 2026" in history


def test_another_day_may_be_given_with_a_reason(desk: Desk) -> None:
    id = desk.waiting_at(5)
    asks(desk, id)
    decision(desk, id).send({"sampai": SHORTER, "alasan": "Cukup satu minggu."}, action="/extension/grant")
    card = text_of(page(desk, "tim2", id), "//*[@id='perpanjangan']")
    assert f"Diperpanjang sampai {SHORTER_SAID} oleh Camat Lasem" in card and "Cukup satu minggu." in card


def test_a_refusal_says_why_and_moves_nothing(desk: Desk) -> None:
    id = desk.waiting_at(5)
    before = task_of(desk, id)
    asks(desk, id)
    page_ = decision(desk, id).send({"alasan": " "}, action="/extension/refusal")
    assert page_.status == 422 and page_.errors() == ["Alasan: belum diisi."]
    assert page_.page.xpath("//*[@id='i-tolak-alasan'][@aria-invalid='true']")
    page_.send({"alasan": "Tenggat sudah dekat."}, action="/extension/refusal")
    assert "Permintaan ditolak. Batas waktu langkah 5 tetap Senin, 14 Desember 2026 pukul 08.00 WIB." in page_.text
    card = text_of(page(desk, "tim1", id), "//*[@id='perpanjangan']")
    assert "×Perpanjangan ditolak" in card and "Tenggat sudah dekat." in card and "Minta perpanjangan waktu" in card
    assert (task_of(desk, id).late_at, task_of(desk, id).extended) == (before.late_at, False)


@on_sqlite
@pytest.mark.parametrize(
    ("until", "why", "said"),
    [
        ("", WHY, "Diperpanjang sampai: isi tanggal"),
        ("2026-12-09", WHY, "Diperpanjang sampai: harus sesudah batas waktu sekarang"),
        ("2029-01-01", WHY, "Diperpanjang sampai: paling lama satu tahun dari hari ini."),
        ("besok", WHY, "Diperpanjang sampai: isi tanggal"),
        ("30/12/2026", "", "Alasan: belum diisi."),
    ],
)
def test_what_is_wrong_with_a_request_stands_at_its_field_and_nothing_typed_is_lost(
    desk: Desk, until: str, why: str, said: str
) -> None:
    id = desk.waiting_at(5)
    answer = asks(desk, id, until=until, why=why)
    assert answer.status == 422 and [one for one in answer.errors() if one.startswith(said)], answer.errors()
    [link] = answer.page.xpath("//*[@id='galat']//a/@href")
    [field] = answer.page.xpath(f"//*[@id='{link[1:]}']")
    assert field.get("aria-invalid") == "true" and answer.page.xpath(f"//*[@id='{field.get('aria-describedby')}']")
    assert answer.page.xpath("//*[@id='perpanjangan']//details/@open"), "the form stays open"
    values = answer.values("/extension")
    assert values["perpanjangan.alasan"] == why
    assert values["perpanjangan.sampai"] == {"30/12/2026": "2026-12-30"}.get(until, until)
    assert task_of(desk, id).extension is None
    answer.send({"perpanjangan.sampai": UNTIL, "perpanjangan.alasan": WHY}, action="/extension")
    assert "sudah tercatat" in answer.text


@on_sqlite
def test_a_day_that_is_no_more_time_is_not_given_either(desk: Desk) -> None:
    id = desk.waiting_at(5)
    asks(desk, id)
    answer = decision(desk, id).send({"sampai": "2026-12-09", "alasan": "Sedikit saja"}, action="/extension/grant")
    assert answer.status == 422 and answer.values("/extension/grant")["alasan"] == "Sedikit saja"
    assert answer.values("/extension/grant")["sampai"] == "2026-12-09"
    assert answer.page.xpath("//*[@id='i-berikan-sampai'][@aria-invalid='true']")
    assert task_of(desk, id).extension is not None and not task_of(desk, id).extended


def test_of_two_superiors_one_decides_and_the_other_is_told(desk: Desk) -> None:
    id = desk.waiting_at(5)
    asks(desk, id)
    quick, slow = decision(desk, id, "camat"), decision(desk, id, "sekcam")
    assert slow.status == 200 and "Berikan perpanjangan" in slow.text
    quick.send({"sampai": SHORTER}, action="/extension/grant")
    slow.send({"alasan": "Menurut saya tidak perlu."}, action="/extension/refusal")
    assert slow.status == 409
    assert "Permintaan ini sudah diputuskan." in slow.text
    assert f"Diperpanjang sampai {SHORTER_SAID} oleh Camat Lasem" in slow.text
    assert "Menurut saya tidak perlu." in slow.text, "what was written is not lost"
    assert not slow.page.xpath("//form[contains(@action,'/extension/')]")
    assert decision(desk, id, "sekcam").path.endswith(f"/{task_of(desk, id).number}"), "nothing waits any more"


def test_two_superiors_in_the_same_instant_give_one_decision(desk: Desk) -> None:
    id = desk.waiting_at(5)
    asks(desk, id)
    number, rules, barrier = task_of(desk, id).number, desk.app.extensions["alur"].rules, threading.Barrier(2)
    became: dict[str, str] = {}

    def decide(who: str, act: GrantExtension | RefuseExtension) -> None:
        request = Request(id=f"putus-{who}", act=act, person=who, at=desk.clock())
        barrier.wait()
        try:
            with desk.database.begin() as db:
                handle(db, rules, desk.database.key, id, [request])
            became[who] = type(act).__name__
        except Refused as refused:
            became[who] = refused.code
        except Exception as error:  # an exception in a thread would pass unseen
            became[who] = repr(error)

    acts = {
        "camat": GrantExtension(user_task=number),
        "sekcam": RefuseExtension(user_task=number, reason="Tidak perlu."),
    }
    threads = [threading.Thread(target=decide, args=one) for one in acts.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (first,) = [who for who, what in became.items() if what != "not_open"]
    assert became[first] == type(acts[first]).__name__, became
    extension = task_of(desk, id).extension
    assert extension is not None and extension.decided_by == first
    assert extension.granted is isinstance(acts[first], GrantExtension)


def test_a_decision_sent_twice_is_one_decision(desk: Desk) -> None:
    id = desk.waiting_at(5)
    reader = asks(desk, id)
    again = reader.post(*reader.sent, follow=False)
    assert again.status == 303
    once = decision(desk, id).send({}, action="/extension/grant", follow=False)
    before = desk.instance(id).sequence
    twice = once.post(*once.sent, follow=False)
    assert twice.status == 303 and desk.instance(id).sequence == before


def test_a_request_of_a_step_that_was_completed_meanwhile_needs_no_decision(desk: Desk) -> None:
    id = desk.waiting_at(5)
    asks(desk, id)
    late = decision(desk, id)
    desk.complete(id, 5)
    late.send({"alasan": "Boleh."}, action="/extension/grant")
    assert late.status == 409 and "Langkah ini sudah tidak terbuka" in late.text and "Boleh." in late.text
    asking = page(desk, "tim1", id)
    assert "/extension" not in " ".join(asking.page.xpath("//form/@action"))


def test_nobody_decides_on_the_step_that_is_their_own(desk: Desk) -> None:
    """Of step 6 only the head decides: its performer is the secretary."""
    id = desk.waiting_at(6)
    asks(desk, id, "sekcam")
    assert "Menunggu keputusan Camat Lasem." in page(desk, "sekcam", id).text
    for login in ("sekcam", "tim1"):
        assert REQUEST not in text_of(desk.reader(login).get("/"), "//main//h2")
        assert decision(desk, id, login).path.endswith(f"/{task_of(desk, id).number}")
    camat = decision(desk, id, "camat")
    address, values = f"/tugas/{id}/{task_of(desk, id).number}/extension/grant", camat.values("/extension/grant")
    forged = page(desk, "sekcam", id)
    token = forged.values("/comments")
    answer = forged.post(address, {**values, **{k: token[k] for k in ("csrf_token", "key", "oleh")}})
    assert answer.status == 409 and "diputuskan oleh Kepala PD" in answer.text
    assert not task_of(desk, id).extended
    assert decision(desk, id, "penerima").path.endswith(f"/{task_of(desk, id).number}")


@on_sqlite
def test_a_step_of_minutes_offers_no_extension_and_a_reader_is_offered_none(desk: Desk) -> None:
    assert "Minta perpanjangan waktu" not in page(desk, "camat", desk.waiting_at(7)).text
    id = desk.waiting_at(5)
    assert "Minta perpanjangan waktu" in page(desk, "tim1", id).text
    assert "Minta perpanjangan waktu" not in page(desk, "camat", id).text
    number = task_of(desk, desk.waiting_at(7)).number
    reader = page(desk, "camat", desk.waiting_at(7))
    values = {k: v for k, v in reader.values("/comments").items() if k != "komentar"}
    asked = {"perpanjangan.sampai": UNTIL, "perpanjangan.alasan": WHY}
    answer = reader.post(f"/tugas/{desk.waiting_at(7)}/{number}/extension", {**values, **asked})
    assert answer.status == 422 and "perpanjangan waktu tidak disediakan" in answer.text


def test_another_office_asks_for_its_own_step_and_the_head_decides(desk: Desk) -> None:
    id = desk.waiting_at(4)
    asks(desk, id, "inspektorat", until="2027-01-08")
    decision(desk, id, "camat").send({}, action="/extension/grant")
    card = text_of(page(desk, "inspektorat", id), "//*[@id='perpanjangan']")
    assert "→Diperpanjang" in card and "oleh Camat Lasem" in card


def test_the_process_page_says_that_a_request_waits_and_leads_who_decides_to_it(desk: Desk) -> None:
    id = desk.waiting_at(5)
    asks(desk, id)
    said = "Langkah 5: Anggota Tim Penyusun 1 meminta waktu sampai"
    for login, may in (("camat", True), ("tim2", False)):
        reader = desk.reader(login).get(f"/proses/{id}")
        assert said in reader.text
        assert bool(reader.page.xpath("//main//a[contains(@href,'/perpanjangan')]")) is may
    assert said not in desk.reader("inspektorat").get(f"/proses/{id}").text


@on_sqlite
def test_while_it_is_suspended_nothing_is_asked_or_decided(desk: Desk) -> None:
    id = desk.waiting_at(5)
    asks(desk, id)
    waiting = decision(desk, id)
    desk.reader("camat").get(f"/proses/{id}").send({"alasan": "Menunggu audit"}, action="/suspension")
    assert REQUEST not in text_of(desk.reader("camat").get("/"), "//main//h2")
    assert "Minta perpanjangan" not in page(desk, "tim1", id).text
    waiting.send({}, action="/extension/grant")
    assert waiting.status == 409 and "sedang ditangguhkan" in waiting.text
    assert not task_of(desk, id).extended


@on_sqlite
def test_the_decision_page_says_what_is_left_until_the_deadline(desk: Desk) -> None:
    id = desk.waiting_at(6)  # the LKjPD of 2026: due at the end of February 2027
    asks(desk, id, "sekcam", until="2027-02-19")
    # 22 to 26 February are five working days.
    said = "Sesudah hari itu tersisa 5 hari kerja sampai tenggat, Minggu, 28 Februari 2027."
    assert said in decision(desk, id).text


@on_sqlite
def test_a_request_can_be_changed_while_it_waits(desk: Desk) -> None:
    id = desk.waiting_at(5)
    asks(desk, id)
    reader = page(desk, "tim1", id)
    assert "Ubah permintaan" in reader.text
    reader.send({"perpanjangan.sampai": SHORTER, "perpanjangan.alasan": "Ternyata cukup."}, action="/extension")
    assert f"meminta waktu sampai {SHORTER_SAID}" in reader.text
    assert len(desk.reader("camat").get("/").page.xpath("//section[@aria-labelledby='permintaan']//li")) == 1


@on_sqlite
def test_the_newest_of_many_requests_is_the_one_that_is_read(desk: Desk) -> None:
    """What the inbox lists comes from the rows, not from the journal: it follows every act."""
    id = desk.waiting_at(5)
    number = task_of(desk, id).number
    asked: list[Any] = [AskExtension(user_task=number, until=day, reason="Uji") for day in (SHORTER, UNTIL)]
    with desk.database.begin() as db:
        requests = [Request(id=f"minta-{n}", act=act, person="tim1", at=desk.clock()) for n, act in enumerate(asked)]
        handle(db, desk.app.extensions["alur"].rules, desk.database.key, id, requests)
    row = text_of(desk.reader("camat").get("/"), "//section[@aria-labelledby='permintaan']")
    assert "30 Desember 16.00" in row and "22 Desember" not in row
    extension = task_of(desk, id).extension
    assert extension is not None and extension.until == datetime(2026, 12, 30, 9, 0, tzinfo=UTC)
