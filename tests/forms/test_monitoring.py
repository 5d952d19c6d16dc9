"""Pemantauan, Simulasi tenggat, and what the other pages say of a forecast."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from engine import forecast, handle
from engine.calendars import five_days
from engine.commands import Act, AskExtension, CancelProcessInstance, SuspendProcessInstance
from engine.handle import Request
from engine.store.prepared import heard
from forms import bands, charts, words
from tests.desk import LKJPD, Desk, Reader

pytestmark = pytest.mark.database
on_sqlite = pytest.mark.parametrize("desk_url", ["sqlite"], indirect=True)
WIB = "Asia/Jakarta"


def rows(reader: Reader) -> dict[str, str]:
    """Title of the instance -> what its line says."""
    found = {}
    for row in reader.page.xpath("//table[contains(@class,'watch')]/tbody/tr"):
        cells = [" ".join(cell.text_content().split()) for cell in row]
        found[" ".join(row.xpath(".//strong")[0].text_content().split())] = " | ".join(cells)
    return found


def act(desk: Desk, id: str, person: str, what: Act) -> None:
    with desk.database.begin() as db:
        request = Request(id=f"uji-{person}-{type(what).__name__}-{id}", act=what, person=person, at=desk.clock())
        handle.handle(db, desk.app.extensions["alur"].rules, desk.database.key, id, [request])


def foreseen(desk: Desk, id: str) -> forecast.Forecast:
    return forecast.of_instance(desk.app.extensions["alur"].rules, desk.instance(id), desk.clock.at)


# Pemantauan


def test_who_leads_sees_each_instance_where_it_stands_with_whom_and_what_is_forecast(desk: Desk) -> None:
    page = desk.reader("camat").get("/pemantauan")
    found = rows(page)
    assert len(found) == 9
    line = found["LKjPD Tahun 2026"]
    assert "Langkah 6 dari 9 · Memeriksa dan memaraf" in line and "menunggu Sekretaris PD sejak hari ini" in line
    definition = desk.app.extensions["alur"].rules.definition(desk.instance(desk.waiting_at(6)).definition)
    ahead = foreseen(desk, desk.waiting_at(6))
    with desk.app.test_request_context():
        finish, room = bands.finish_words(ahead, definition, WIB), bands.room(ahead, definition)
    assert finish in line and room in line and "Masih mungkin" in line and "tenggat 28 Februari 2027" in line
    assert "Diperkirakan tepat waktu" in line and "Paling banyak waktu: Tim Penyusun LKjPD" in line
    assert "Tenggat sudah lewat" in found["LKjPD Tahun 2021"]


@on_sqlite
def test_the_threatened_stand_first_and_are_counted(desk: Desk) -> None:
    page = desk.reader("camat").get("/pemantauan")
    order = list(rows(page))
    late = [title for title, line in rows(page).items() if "Tenggat sudah lewat" in line]
    assert order[: len(late)] == late and f"9 berkas proses berjalan, {len(late)} diperkirakan terlambat." in page.text


@on_sqlite
def test_only_who_leads_audits_or_administers_has_pemantauan(desk: Desk) -> None:
    for login in ("camat", "admin", "auditor"):
        reader = desk.reader(login).get("/pemantauan")
        assert reader.status == 200 and len(rows(reader)) == 9, login
        assert reader.page.xpath("//nav//a[@aria-current and @href='/pemantauan']")
    for login in ("sekcam", "tim1", "inspektorat", "penerima"):
        reader = desk.reader(login).get("/pemantauan")
        assert reader.status == 403 and not reader.page.xpath("//nav//a[@href='/pemantauan']"), login


@on_sqlite
def test_the_filters_stand_in_the_address(desk: Desk) -> None:
    reader = desk.reader("camat")
    assert list(rows(reader.get("/pemantauan?tahun=2024"))) == ["LKjPD Tahun 2024"]
    assert reader.page.xpath("//select[@id='tahun']/option[@selected]")[0].text == "2024"
    assert rows(reader.get("/pemantauan?keadaan=suspended")) == {}
    assert "Tidak ada berkas proses yang cocok" in reader.text
    act(desk, desk.waiting_at(4), "camat", SuspendProcessInstance(reason="audit"))
    assert "Ditangguhkan" in rows(reader.get("/pemantauan?keadaan=suspended"))["LKjPD Tahun 2024"]
    for odd in ("?tahun=abc", "?proses=%00", "?unit=../..", "?keadaan=" + "x" * 500):
        assert reader.get(f"/pemantauan{odd}").status == 200


@on_sqlite
def test_a_cancelled_instance_is_listed_without_a_forecast(desk: Desk) -> None:
    act(desk, desk.waiting_at(6), "camat", CancelProcessInstance(reason="diganti"))
    line = rows(desk.reader("camat").get("/pemantauan?keadaan=cancelled"))["LKjPD Tahun 2026"]
    assert "Dibatalkan" in line and "Perkiraan" not in line


def test_more_rows_cost_no_more_statements(desk: Desk) -> None:
    reader = desk.reader("camat")
    reader.get("/pemantauan")

    def statements() -> int:
        with heard(desk.database.engine) as found:
            assert reader.get("/pemantauan").status == 200
        return sum(one.sql.lstrip().upper().startswith("SELECT") for one in found)

    before, listed = statements(), len(rows(reader))
    for year in (2031, 2032, 2033):
        desk.begin(year)
    assert statements() == before and len(rows(reader)) == listed + 3
    assert before <= 30


@on_sqlite
def test_what_needs_the_visitor_stands_above(desk: Desk) -> None:
    reader = desk.reader("camat").get("/pemantauan")
    assert "Yang memerlukan Anda" not in reader.text
    id = desk.waiting_at(3)
    [number] = desk.instance(id).user_tasks
    act(desk, id, "tim1", AskExtension(user_task=number, until="2027-01-15", reason="Data terlambat"))
    reader.get("/pemantauan")
    [link] = reader.page.xpath("//section[@aria-labelledby='perlu']//li/a")
    assert link.get("href") == f"/tugas/{id}/{number}/perpanjangan"
    assert "Anggota Tim Penyusun 1 meminta tambahan waktu sampai 15 Januari 2027" in reader.text
    desk.later(days=30)
    needs = desk.reader("camat").get("/pemantauan").page.xpath("//section[@aria-labelledby='perlu']//li")
    texts = [" ".join(one.text_content().split()) for one in needs]
    assert len(texts) == 3 and "meminta tambahan waktu" in texts[0]
    assert all("Terlambat" in text and "tugas Anda" in text for text in texts[1:])
    assert {text.split(" · ")[0] for text in texts[1:]} == {"1", "7"}, "the steps of Kepala PD"
    assert "Yang memerlukan Anda" not in desk.reader("auditor").get("/pemantauan").text


@on_sqlite
def test_late_steps_are_counted(desk: Desk) -> None:
    desk.later(days=60)
    line = rows(desk.reader("camat").get("/pemantauan"))["LKjPD Tahun 2026"]
    assert "■Terlambat" in line.replace(" ", "") and "1 langkah terlambat sejauh ini" in line


# Simulasi tenggat


def simulated(desk: Desk, login: str = "camat", **asked: str) -> Reader:
    query = urlencode({name.replace("__", "."): value for name, value in asked.items()})
    return desk.reader(login).get(f"/simulasi/{LKJPD}?{query}")


def finish_of(reader: Reader) -> str:
    [found] = reader.page.xpath("//p[@class='finish']")
    return " ".join(found.text_content().split())


# DOMAIN 2.5 and 2.6: year, week, the finish of a start in its first working minute, late by, latest starts.
REFERENCE = [
    (
        "2024",
        "lima_hari",
        "Senin, 3 Maret 2025 pukul 10.20",
        1,
        [
            "Selasa, 31 Desember 2024 pukul 13.40",
            "Kamis, 19 Desember 2024 pukul 10.40",
            "Rabu, 11 Desember 2024 pukul 08.40",
        ],
    ),
    (
        "2025",
        "lima_hari",
        "Selasa, 3 Maret 2026 pukul 10.20",
        2,
        [
            "Selasa, 30 Desember 2025 pukul 11.40",
            "Kamis, 18 Desember 2025 pukul 09.40",
            "Rabu, 10 Desember 2025 pukul 07.40",
        ],
    ),
    (
        "2026",
        "lima_hari",
        "Selasa, 2 Maret 2027 pukul 10.20",
        2,
        [
            "Rabu, 30 Desember 2026 pukul 11.40",
            "Jumat, 18 Desember 2026 pukul 09.40",
            "Kamis, 10 Desember 2026 pukul 07.40",
        ],
    ),
    (
        "2026",
        "enam_hari",
        "Sabtu, 20 Februari 2027 pukul 09.50",
        0,
        [
            "Senin, 11 Januari 2027 pukul 08.10",
            "Kamis, 31 Desember 2026 pukul 12.10",
            "Selasa, 22 Desember 2026 pukul 10.10",
        ],
    ),
]


@on_sqlite
@pytest.mark.parametrize(("year", "week", "finish", "late", "latest"), REFERENCE)
def test_it_finds_what_the_reference_found(
    desk: Desk, year: str, week: str, finish: str, late: int, latest: list[str]
) -> None:
    page = simulated(desk, tahun=year, minggu=week, minggu_lain=week)
    assert (
        page.status == 200
        and f"{finish} WIB: {f'terlambat {late} hari kerja' if late else 'tepat waktu'}." in page.text
    )
    table = page.page.xpath("//section[@aria-labelledby='temuan']//tbody/tr")
    assert [" ".join(row[3].text_content().split()) for row in table] == [f"{at} WIB" for at in latest]
    assert f"Agar tepat waktu tanpa pengembalian, mulai paling lambat {latest[0]} WIB." in page.text


@on_sqlite
def test_as_it_opens_it_shows_a_start_now(desk: Desk) -> None:
    page = desk.reader("camat").get(f"/simulasi/{LKJPD}")
    rules, unit = desk.app.extensions["alur"].rules, five_days().sha256
    [version] = {desk.instance(desk.waiting_at(1)).definition}
    expected = forecast.standard(
        rules,
        rules.definition(version),
        {"": unit},
        desk.clock.at.replace(second=0, microsecond=0),
        data={"tahun_laporan": 2026},
    )
    assert expected.finish is not None
    with desk.app.test_request_context():
        assert words.full(expected.finish, WIB) in finish_of(page)
    assert "daripada rencana sekarang" not in page.text and "Tidak ada yang disimpan" in page.text
    assert len(page.page.xpath("//table[contains(@class,'plan')]/tbody/tr")) == len(expected.passes) == 9


@on_sqlite
def test_what_is_supposed_moves_the_end_against_the_present_plan(desk: Desk) -> None:
    shorter = simulated(desk, mulai="2026-12-07", pukul="09:00", norma__langkah_3="12 hari")
    assert (
        "8 hari kerja lebih cepat daripada rencana sekarang" in shorter.text and "menurut SOP 20 hari" in shorter.text
    )
    returned = simulated(desk, mulai="2026-12-07", pukul="09:00", pengembalian="1")
    assert "6 hari kerja lebih lambat daripada rencana sekarang" in returned.text
    assert "(putaran 2)" in returned.text
    holiday = simulated(desk, mulai="2026-12-07", pukul="09:00", libur="2026-12-22 Libur daerah\n2026-12-23 Libur")
    assert "2 hari kerja lebih lambat daripada rencana sekarang" in holiday.text
    working = simulated(desk, mulai="2026-12-07", pukul="09:00", masuk="2026-12-24")
    assert "1 hari kerja lebih cepat daripada rencana sekarang" in working.text
    same = simulated(desk, pengembalian="0")
    assert "Selesai pada saat yang sama dengan rencana sekarang" in same.text


@on_sqlite
@pytest.mark.parametrize(("returns", "said"), [
    ("0", "Masih mungkin 3 kali pengembalian."), ("1", "Masih mungkin 2 kali pengembalian lagi."),
    ("3", "Tidak ada ruang untuk pengembalian lagi."), ("4", "Pengembalian sebanyak itu melewati batas kerja.")])
def test_returns_that_are_supposed_already_take_from_those_that_are_possible(
        desk: Desk, returns: str, said: str) -> None:
    page = simulated(desk, mulai="2026-12-01", pukul="09:00", pengembalian=returns)
    assert said in page.text


def test_another_office_may_keep_another_week(desk: Desk) -> None:
    starts = {}
    for others in ("lima_hari", "enam_hari"):
        page = simulated(desk, tahun="2026", minggu="enam_hari", minggu_lain=others)
        starts[others] = page.page.xpath("string(//section[@aria-labelledby='temuan']//tbody/tr[1]/td[4])").strip()
    # DOMAIN 2.6, mixed: 9 January; both on six days: 11 January.
    assert starts["lima_hari"].startswith("Sabtu, 9 Januari 2027") and starts["enam_hari"].startswith(
        "Senin, 11 Januari"
    )


@on_sqlite
def test_everything_that_was_typed_stands_in_the_form_again(desk: Desk) -> None:
    asked = {
        "mulai": "2027-01-04",
        "pukul": "07:30",
        "tahun": "2026",
        "pengembalian": "2",
        "minggu": "enam_hari",
        "minggu_lain": "lima_hari",
        "libur": "2027-01-20 Libur\n2027-01-21",
        "masuk": "2027-02-05",
        "norma.langkah_3": "12 hari",
    }
    page = desk.reader("sekcam").get(f"/simulasi/{LKJPD}?{urlencode(asked)}")
    [form] = page.page.xpath("//main//form[@method='get']")
    filled = dict(form.form_values())
    assert {name: filled[name].replace("\r", "") for name in asked} == asked
    assert "12 hari kerja" in page.text


@on_sqlite
def test_a_mistake_is_said_with_its_line_and_what_was_typed_stays(desk: Desk) -> None:
    page = simulated(
        desk, libur="2027-01-20 Libur\nbesok lusa\n2027-13-01", norma__langkah_4="sepuluh", mulai="kemarin"
    )
    errors = page.errors()
    assert page.status == 422 and len(errors) == 4
    assert any('baris 2: "besok lusa" bukan tanggal' in one for one in errors)
    assert any("baris 3" in one for one in errors) and any("Waktu langkah 4" in one for one in errors)
    assert page.page.xpath("//textarea[@name='libur']")[0].text.strip().endswith("2027-13-01")
    assert page.page.xpath("//input[@name='norma.langkah_4']")[0].get("value") == "sepuluh"
    for anchor in page.page.xpath("//*[@id='galat']//a/@href"):
        assert page.page.xpath(f"//*[@id='{anchor[1:]}']"), anchor


WILD = [
    {"mulai": "9999-12-31"},
    {"mulai": "0001-01-01"},
    {"mulai": "2027-01-04", "pukul": "99:99"},
    {"tahun": "-1"},
    {"tahun": "2014"},
    {"tahun": "9" * 30},
    {"pengembalian": "6"},
    {"pengembalian": "x"},
    {"pukul": "07:30+09:00"},
    {"libur": "\n".join(["2027-01-01"] * 61)},
    {"libur": "2027-01-01 " + "x" * 50_000},
    {"norma.langkah_3": "99999 hari"},
    {"masuk": "\x00"},
    {"norma.langkah_3": "<script>"},
    {"libur": "²027-01-01"},
    {"tahun": "٢٠٢٦"},
]


@on_sqlite
def test_whatever_the_address_asks_is_answered(desk: Desk) -> None:
    reader = desk.reader("camat")
    for asked in WILD:
        reader.get(f"/simulasi/{LKJPD}?{urlencode(asked)}")
        if reader.status == 414:  # longer than any address may be
            assert len(urlencode(asked)) > 15_000 and "Simulasi tenggat" not in reader.text
            continue
        assert reader.status in (200, 422) and "Simulasi tenggat" in reader.text, asked
        assert (reader.status == 422) == bool(reader.errors()), asked
    assert reader.get(f"/simulasi/{LKJPD}?minggu=tujuh_hari&minggu_lain=x&unit=y&entah=apa").status == 200


@on_sqlite
def test_the_longest_plan_that_may_be_asked_for_is_drawn_and_a_longer_one_refused(desk: Desk) -> None:
    days = "\n".join(f"{datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=n):%Y-%m-%d}" for n in range(60))
    asked = {"mulai": "2026-12-07", "pengembalian": "5", "libur": days, "norma.langkah_5": "215 hari"}
    page = desk.reader("camat").get(f"/simulasi/{LKJPD}?{urlencode(asked)}")
    assert page.status == 200 and len(page.page.xpath("//table[contains(@class,'plan')]/tbody/tr")) == 24
    assert int(page.page.xpath("//svg[@role='img']/@width")[0]) <= charts.WIDTH_MOST
    page.get(f"/simulasi/{LKJPD}?{urlencode({**asked, 'norma.langkah_3': '21 hari'})}")
    assert page.status == 422 and "paling lama 250 hari kerja" in page.errors()[0]


@on_sqlite
def test_trying_a_plan_stores_nothing(desk: Desk) -> None:
    reader = desk.reader("camat")
    with heard(desk.database.engine) as found:
        assert reader.get(f"/simulasi/{LKJPD}?pengembalian=2&norma.langkah_3=12+hari").status == 200
    assert [one.sql for one in found if not re.match(r"\s*(SELECT|PRAGMA)", one.sql, re.I)] == []


def test_a_plan_is_tried_by_whoever_works_in_the_process_or_audits_it(desk: Desk) -> None:
    for login in ("camat", "sekcam", "tim1", "penerima", "inspektorat", "auditor", "admin"):
        assert desk.reader(login).get(f"/simulasi/{LKJPD}").status == 200, login
    for key in ("tidak_ada", "%00", "x" * 3000):
        assert desk.reader("camat").get(f"/simulasi/{key}").status == 404, key


@on_sqlite
def test_a_year_whose_cuti_bersama_is_not_known_says_so(desk: Desk) -> None:
    assert "belum memuat cuti bersama tahun 2029" in simulated(desk, mulai="2029-01-02", tahun="2028").text
    assert "belum memuat cuti bersama" not in simulated(desk, mulai="2027-01-04", tahun="2026").text


# On the other pages


@on_sqlite
def test_the_page_of_an_instance_has_the_band_and_its_plan(desk: Desk) -> None:
    id = desk.waiting_at(6)
    page = desk.reader("camat").get(f"/proses/{id}")
    assert finish_of(page).startswith("Perkiraan disampaikan") and "Sisa " in page.text
    assert "hari kerja sampai batas kerja Jumat, 26 Februari 2027" in page.text
    assert "belum cukup data" in page.text and "belum dikonfirmasi" in page.text
    plan = page.page.xpath("//table[contains(@class,'plan')]/tbody/tr")
    assert len(plan) == 9 == len(page.page.xpath("//svg[@role='img']//*[starts-with(@class,'pass ')]"))
    states = [" ".join(row[-1].text_content().split()) for row in plan]
    assert states[:5] == ["✓Selesai"] * 5 and states[5:] == ["◐Sedang berjalan", *["○Akan datang"] * 3]
    assert all(len(row.xpath(".//time")) == 3 for row in plan[5:8]), "start, end, and by when it must be done"


@on_sqlite
def test_the_band_says_what_one_return_would_do_and_that_a_suspended_one_waits(desk: Desk) -> None:
    id = desk.waiting_at(6)
    page = desk.reader("camat").get(f"/proses/{id}")
    once = forecast.of_instance(desk.app.extensions["alur"].rules, desk.instance(id), desk.clock.at, returns=1)
    assert once.finish is not None
    with desk.app.test_request_context():
        at = words.full(once.finish, WIB)
    assert f"Bila dikembalikan satu kali: disampaikan {at}, tepat waktu." in page.text
    assert "Bila dikembalikan" not in page.get(f"/proses/{desk.waiting_at(8)}").text
    act(desk, id, "camat", SuspendProcessInstance(reason="audit"))
    assert "perkiraan ini andaikata dilanjutkan sekarang" in page.get(f"/proses/{id}").text


@on_sqlite
def test_another_office_does_not_see_the_plan(desk: Desk) -> None:
    page = desk.reader("inspektorat").get(f"/proses/{desk.waiting_at(4)}")
    assert page.status == 200 and not page.page.xpath("//p[@class='finish'] | //table[contains(@class,'plan')]")


@on_sqlite
def test_a_start_says_what_would_come_of_it(desk: Desk) -> None:
    page = desk.reader("sekcam").get(f"/proses/mulai/{LKJPD}")
    assert finish_of(page).startswith("Bila dimulai sekarang: perkiraan disampaikan")
    assert "paling lambat mulai Rabu, 30 Desember 2026 pukul 11.40" in page.text and "belum dikonfirmasi" in page.text
    desk.clock.at = datetime(2027, 1, 4, 1, 0, tzinfo=UTC)
    late = desk.reader("sekcam").get(f"/proses/mulai/{LKJPD}")
    assert "Diperkirakan terlambat 2 hari kerja" in late.text and "Tanpa pengembalian pun" in finish_of(late)
    assert "seharusnya dimulai paling lambat Rabu, 30 Desember 2026 pukul 11.40" in late.text


@on_sqlite
def test_a_task_says_by_when_it_must_be_done_for_the_deadline(desk: Desk) -> None:
    page = desk.open(desk.waiting_at(6), 6)
    ahead = foreseen(desk, desk.waiting_at(6))
    window = next(one for one in ahead.windows if one.element == "langkah_6")
    [shown] = page.page.xpath("//p[contains(., 'Agar tenggat terpenuhi')]/time/@datetime")
    assert datetime.fromisoformat(shown) == window.latest_finish
    assert "Agar tenggat terpenuhi" not in desk.open(desk.waiting_at(9), 9).text, "it was delivered"


@on_sqlite
def test_an_empty_inbox_says_when_the_next_task_will_probably_come(desk: Desk) -> None:
    for step in range(1, 10):
        if step != 6:
            act(desk, desk.waiting_at(step), "camat", CancelProcessInstance(reason="uji"))
    page = desk.reader("camat").get("/")
    assert "Tidak ada tugas untuk Anda saat ini." in page.text
    assert "Tugas berikutnya kemungkinan datang besok (langkah 7, Memeriksa dan menandatangani)." in page.text
    assert "Tugas berikutnya" not in desk.reader("inspektorat").get("/").text, "nothing leads to them any more"
    assert "Tugas berikutnya" not in desk.reader("sekcam").get("/").text, "they have one"


@on_sqlite
def test_a_forecast_that_cannot_be_made_leaves_the_pages_without_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no(*_given: Any, **_named: Any) -> Any:
        raise forecast.ForecastError("tidak dapat")

    monkeypatch.setattr(forecast, "of_instance", no)
    monkeypatch.setattr(forecast, "standard", no)
    reader = desk.reader("camat")
    assert reader.get("/pemantauan").status == 200 and len(rows(reader)) == 9
    assert reader.get(f"/proses/{desk.waiting_at(6)}").status == 200
    assert desk.reader("sekcam").get(f"/proses/mulai/{LKJPD}").status == 200
    assert "tidak dapat dihitung" in reader.get(f"/simulasi/{LKJPD}").text


def test_a_band_speaks_of_returns_only_while_there_can_be_any(desk: Desk) -> None:
    definition = desk.app.extensions["alur"].rules.definition(desk.instance(desk.waiting_at(8)).definition)
    assert bands.may_return(foreseen(desk, desk.waiting_at(7)), definition)
    assert not bands.may_return(foreseen(desk, desk.waiting_at(8)), definition)
    assert "pengembalian" not in rows(desk.reader("camat").get("/pemantauan"))["LKjPD Tahun 2028"]
