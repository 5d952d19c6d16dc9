"""Kalender, as an administrator keeps it, and the page that counts a due date so that a person can check it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import given
from hypothesis import strategies as st

from engine import calendars as working
from engine import recalendar
from engine.calendars import Calendar, Holiday, five_days, six_days
from engine.deploy import SYSTEM
from engine.events import CalendarChanged, DueDatesMoved
from engine.store import definitions, instances
from forms import calendars
from tests.desk import LASEM, LKJPD, OPENING, Desk, Reader

K = f"/pengaturan/kalender/{LASEM}"
HOLIDAY = date(2026, 12, 9)  # a Wednesday, two days after the desk's today
TYPED = {"tanggal": HOLIDAY.isoformat(), "nama": "Pemilihan kepala desa", "alasan": "Keputusan Bupati"}
PAGES = (
    *("", f"/{LASEM}", f"/{LASEM}?tahun=2027&riwayat=semua", "/inspektorat_daerah", "/inspektorat_daerah/pola"),
    *(f"/{LASEM}/{page}" for page in ("pola", "jam", "masa/baru", "masa/2027-02-08", "masa/2027-02-08/hapus")),
    *(f"/{LASEM}/{page}" for page in ("libur/baru", "libur/2026-12-25", "libur/2026-12-25/hapus", "libur-nasional")),
    *(f"/{LASEM}/{page}" for page in ("konfirmasi", "konfirmasi/cabut", f"bacaan/{LKJPD}/hari")),
    f"/{LASEM}/bacaan/{LKJPD}/hari/cabut",
)
NO_PAGES = ("/x", "/x/jam", f"/{LASEM}/libur/2026-12-09", f"/{LASEM}/masa/2020-01-01", "/inspektorat_daerah/jam")


def calendar(desk: Desk, unit: str = LASEM) -> Calendar:
    with desk.database.read() as db:
        sha256 = definitions.calendar_of(db, unit)
        assert sha256 is not None
        return definitions.calendar(db, sha256)


def late_at(desk: Desk, step: int) -> datetime:
    [task] = desk.instance(desk.waiting_at(step)).user_tasks.values()
    assert task.late_at is not None
    return task.late_at


def versions(desk: Desk) -> int:
    with desk.database.read() as db:
        return len(definitions.publications(db, LASEM))


def meanwhile(desk: Desk, **changed: Any) -> Calendar:
    """Somebody else publishes a version."""
    other = replace(calendar(desk), **changed)
    recalendar.publish(
        desk.database,
        definitions.rules(desk.database),
        LASEM,
        other,
        actor=SYSTEM,
        reason="Diubah orang lain",
        command_id=f"lain-{other.sha256}",
        at=OPENING,
    )
    return other


def preview(desk: Desk, page: str, typed: dict[str, str]) -> Reader:
    admin = desk.reader("admin").get(f"{K}/{page}")
    admin.send(typed)
    assert admin.status == 200 and "Periksa sebelum disimpan" in admin.text, admin.text
    return admin


# Pages


def test_only_administrators_see_calendars_and_everybody_may_count(desk: Desk) -> None:
    for login, expected in (("admin", 200), ("camat", 404), ("auditor", 404)):
        reader = desk.reader(login)
        assert {one: reader.get(f"/pengaturan/kalender{one}").status for one in PAGES} == dict.fromkeys(PAGES, expected)
        assert reader.get("/hitung-batas-waktu").status == 200
    admin = desk.reader("admin")
    assert {one: admin.get(f"/pengaturan/kalender{one}").status for one in NO_PAGES} == dict.fromkeys(NO_PAGES, 404)


def test_the_list_says_who_works_when_and_what_is_not_confirmed(desk: Desk) -> None:
    text = desk.reader("admin").get("/pengaturan/kalender").text
    assert "Senin–Kamis 07.30–12.00, 13.00–16.00" in text
    assert "Belum dikonfirmasi" in text
    assert "Kantor Kecamatan Lasem belum memuat cuti bersama tahun" in text  # the desk's instances reach past 2027


# A change, from the form to what it moved


def test_a_change_shows_what_it_moves_before_it_is_saved_and_says_it_afterwards(desk: Desk) -> None:
    before, count = late_at(desk, 3), versions(desk)
    admin = preview(desk, "libur/baru", {**TYPED, "jenis": "libur_daerah"})
    assert "Menambah libur 9 Desember 2026, Pemilihan kepala desa (libur daerah)." in admin.text
    [row] = [one for one in admin.page.xpath("//tbody/tr") if "3 · Menyusun" in one.text_content()]
    then, now = (datetime.fromisoformat(at) for at in row.xpath(".//time/@datetime"))
    assert then == before < now
    assert (late_at(desk, 3), versions(desk)) == (before, count)  # nothing is saved yet
    admin.press("tahap", "simpan")
    assert admin.path == K and late_at(desk, 3) == now
    [message] = admin.messages()[:1]
    assert "Kalender Kantor Kecamatan Lasem sudah disimpan. Batas waktu" in message and "langkah 2" in message
    assert "Alasan: Keputusan Bupati" in admin.text
    assert versions(desk) == count + 1
    told = desk.reader("admin").get(f"/proses/{desk.waiting_at(3)}")
    assert told.status == 200


def test_every_task_of_the_preview_gets_the_date_that_was_shown(desk: Desk) -> None:
    admin = preview(desk, "libur/baru", {**TYPED, "jenis": "libur_lain"})
    shown = {
        row.xpath("string(td[1])"): datetime.fromisoformat(row.xpath(".//time/@datetime")[1])
        for row in admin.page.xpath("//tbody/tr")
    }
    admin.press("tahap", "simpan")
    moved = {}
    for step in range(1, 10):
        id = desk.waiting_at(step)
        with desk.database.read() as db:
            told = [one for one, _ in instances.steps(db, id)]
        assert any(isinstance(event, CalendarChanged) for event in told[-1].events)
        for event in told[-1].events:
            if isinstance(event, DueDatesMoved) and event.late_at != event.late_before:
                moved[f"LKjPD Tahun {2020 + step}"] = late_at(desk, step)
    assert moved == shown and moved


def test_sending_it_twice_is_saving_it_once(desk: Desk) -> None:
    admin = preview(desk, "libur/baru", {**TYPED, "jenis": "libur_daerah"})
    address, values = admin.path, {**admin.values(), "tahap": "simpan"}
    admin.post(address, values)
    count, messages = versions(desk), admin.messages()
    admin.post(address, values)
    assert admin.path == K and versions(desk) == count == 2
    assert "Batas waktu" in messages[0] and "sudah disimpan" in admin.messages()[0]


def test_what_was_typed_survives_a_step_back(desk: Desk) -> None:
    admin = preview(desk, "libur/baru", {**TYPED, "jenis": "libur_lain", "sumber": "Surat bupati"})
    admin.press("tahap", "ubah")
    values = admin.values()
    assert {name: values[name] for name in (*TYPED, "jenis", "sumber")} == {
        **TYPED,
        "jenis": "libur_lain",
        "sumber": "Surat bupati",
    }


def test_errors_stand_at_their_inputs_and_keep_what_was_typed(desk: Desk) -> None:
    admin = desk.reader("admin").get(f"{K}/jam")
    admin.send({"judul": "", "jam.2.0": "07.30", "jam.4.0": "13.00-07.30", "zona": "Asia/Jakarta"})
    assert admin.status == 422
    assert [one.split(":")[0] for one in admin.errors()] == ["Nama kalender", "Rabu", "Jumat", "Alasan"]
    assert admin.values()["jam.2.0"] == "07.30" and admin.values()["jam.4.0"] == "13.00-07.30"
    targets = admin.page.xpath("//*[@id='galat']//a/@href")
    assert all(admin.page.xpath(f"//*[@id='{one[1:]}']") for one in targets)

    admin.get(f"{K}/libur/baru")
    admin.send({"tanggal": "2026-12-25", "nama": "Natal", "jenis": "x", "alasan": "uji"})
    assert [one.split(":")[0] for one in admin.errors()] == ["Jenis", "Tanggal"]
    admin.get(f"{K}/masa/baru")
    admin.send({"nama": "Puasa", "awal": "2027-03-01", "akhir": "2027-03-20", "alasan": "uji"})
    assert "bertumpuk dengan Ramadan 1448 H" in admin.errors()[0]
    admin.send({"nama": "Puasa", "awal": "2027-05-20", "akhir": "2027-05-01", "alasan": "uji"})
    assert admin.errors() == ["Hari terakhir: sebelum hari pertama."]
    admin.get(f"{K}/jam")
    admin.send({f"jam.{day}.{spell}": "" for day in range(7) for spell in range(3)} | {"alasan": "uji"})
    assert admin.errors() == ["Isi jam kerja paling sedikit satu hari."]
    admin.get(f"{K}/jam")
    admin.send({"alasan": "uji"})
    assert "sama dengan kalender sekarang" in admin.errors()[0]
    assert versions(desk) == 1


# Who was quicker


def test_a_form_drawn_from_an_older_version_is_shown_again_with_what_changed(desk: Desk) -> None:
    admin = desk.reader("admin").get(f"{K}/libur/baru")
    meanwhile(desk, title="Jam kerja kecamatan")
    admin.send({**TYPED, "jenis": "libur_daerah"})
    assert admin.status == 409
    assert "Nama: Lima hari kerja (Perpres 21/2023) menjadi Jam kerja kecamatan." in admin.text
    assert admin.values()["nama"] == TYPED["nama"]
    admin.send()
    assert admin.status == 200 and "Periksa sebelum disimpan" in admin.text
    admin.press("tahap", "simpan")
    now = calendar(desk)
    assert now.title == "Jam kerja kecamatan" and now.holiday(HOLIDAY) is not None


def test_a_version_published_between_preview_and_saving_is_a_conflict_too(desk: Desk) -> None:
    admin = preview(desk, "libur/baru", {**TYPED, "jenis": "libur_daerah"})
    other = meanwhile(desk, title="Jam kerja kecamatan")
    admin.press("tahap", "simpan")
    assert admin.status == 409 and admin.values()["nama"] == TYPED["nama"]
    assert calendar(desk) == other


# Each thing that can be changed


def save(desk: Desk, page: str, typed: dict[str, str]) -> Calendar:
    preview(desk, page, {"alasan": "Uji", **typed}).press("tahap", "simpan")
    return calendar(desk)


def test_the_week_is_written_as_people_write_it(desk: Desk) -> None:
    typed = {"jam.4.0": "7:30 s.d. 11:00", "jam.4.1": "1300–1500", "jam.5.0": "08.00 sampai 10"}
    now = save(desk, "jam", typed)
    assert now.week[4] == ((time(7, 30), time(11)), (time(13), time(15)))
    assert now.week[5] == ((time(8), time(10)),)
    assert now.week[:4] == five_days().week[:4] and now.holidays == five_days().holidays


def test_changed_hours_have_to_be_confirmed_again_and_a_holiday_has_not(desk: Desk) -> None:
    confirmed = save(desk, "konfirmasi", {"nomor": "Perbup 46/2017", "tanggal": "2017-11-30"})
    assert confirmed.confirmed and confirmed.legal_basis == "Perbup 46/2017, 30 November 2017"
    assert save(desk, "libur/baru", {**TYPED, "jenis": "libur_daerah"}).confirmed
    assert not save(desk, "jam", {"jam.4.0": "07.30-11.00"}).confirmed
    assert save(desk, "konfirmasi", {"nomor": "SE 1", "tanggal": "2026-12-01"}).confirmed
    assert not save(desk, "konfirmasi/cabut", {}).confirmed


def test_a_preset_replaces_hours_and_keeps_holidays(desk: Desk) -> None:
    save(desk, "libur/baru", {**TYPED, "jenis": "libur_daerah"})
    now = save(desk, "pola", {"pola": "enam_hari"})
    assert (now.week, now.seasons) == (six_days().week, six_days().seasons)
    assert now.holiday(HOLIDAY) is not None


def test_a_unit_without_a_calendar_begins_with_a_preset(desk: Desk) -> None:
    admin = desk.reader("admin").get("/pengaturan/kalender/inspektorat_daerah/pola")
    admin.send({"alasan": "Kantor lain"})
    assert admin.errors() == ["Pola jam kerja: belum dipilih."]
    admin.send({"pola": "enam_hari", "alasan": "Kantor lain"})
    assert "Kalender pertama: Enam hari kerja" in admin.text and "Melakukan reviu" in admin.text
    admin.press("tahap", "simpan")
    assert calendar(desk, "inspektorat_daerah").week == six_days().week
    assert desk.instance(desk.waiting_at(4)).calendars["inspektorat"] == calendar(desk, "inspektorat_daerah").sha256


def test_seasons_are_added_changed_and_removed(desk: Desk) -> None:
    week = {f"jam.{day}.0": "08.00-14.00" for day in range(5)} | {f"jam.{day}.1": "" for day in range(5)}
    added = save(desk, "masa/baru", {"nama": "Uji", "awal": "2026-12-14", "akhir": "2026-12-18", **week})
    season = added.season(date(2026, 12, 16))
    assert season is not None and season.week[0] == ((time(8), time(14)),)
    moved = save(desk, "masa/2026-12-14", {"awal": "2026-12-15"})
    assert moved.season(date(2026, 12, 14)) is None and moved.season(date(2026, 12, 15)) is not None
    assert save(desk, "masa/2026-12-15/hapus", {}).seasons == five_days().seasons


def test_holidays_are_changed_and_removed(desk: Desk) -> None:
    changed = save(desk, "libur/2026-12-25", {"nama": "Natal", "dasar": "SKB", "sumber": "Surat edaran"})
    assert changed.holiday(date(2026, 12, 25)) == Holiday(
        date=date(2026, 12, 25), name="Natal", kind="libur_nasional", legal_basis="SKB", source="Surat edaran"
    )
    assert save(desk, "libur/2026-12-25/hapus", {}).holiday(date(2026, 12, 25)) is None


def test_the_national_list_fills_gaps_and_overwrites_nothing(desk: Desk) -> None:
    save(desk, "libur/2027-02-05", {"nama": "Cuti bersama menurut kami", "jenis": "libur_lain"})
    save(desk, "libur/2027-02-06/hapus", {})
    now = save(desk, "libur-nasional", {"tahun.2027": "ya", "dasar": "SKB baru"})
    kept, filled = now.holiday(date(2027, 2, 5)), now.holiday(date(2027, 2, 6))
    assert kept is not None and kept.name == "Cuti bersama menurut kami"
    assert filled is not None and filled.legal_basis == "SKB baru"
    admin = desk.reader("admin").get(f"{K}/libur-nasional")
    admin.send({"alasan": "Lagi"})
    assert admin.errors() == ["Tahun: semua tanggal dari daftar nasional sudah tercatat."]


# Confirmed readings, and where they are said


def test_what_is_not_confirmed_stands_on_papers_until_it_is(desk: Desk) -> None:
    sheet = f"/proses/{desk.waiting_at(8)}/lembar-kendali"
    camat = desk.reader("camat")
    told = camat.get(sheet)
    assert told.status == 200, told.path
    assert "Kalender kerja Kantor Kecamatan Lasem belum dikonfirmasi" in told.text
    assert "Pelaksana langkah 8 dan 9" in told.text
    save(desk, "konfirmasi", {"nomor": "Perbup 46/2017", "tanggal": "2017-11-30"})
    admin = desk.reader("admin")
    for address in admin.get(K).page.xpath("//section[@id='bacaan']//a/@href"):
        admin.get(address)
        admin.send({"basis": "SK Camat 1", "dated": "2026-12-02"})
        assert "sudah dikonfirmasi" in admin.messages()[0]
    assert "Belum dikonfirmasi" not in camat.get(sheet).text
    admin.get(f"{K}/bacaan/{LKJPD}/hari/cabut")
    admin.send({"reason": "Keliru"})
    assert "dibaca sebagai hari kerja: belum dikonfirmasi" in camat.get(sheet).text
    assert "mengonfirmasi bacaan “hari” = hari kerja" in admin.get("/pengaturan/riwayat").text


def test_a_reading_without_its_basis_is_refused_at_its_input(desk: Desk) -> None:
    admin = desk.reader("admin").get(f"{K}/bacaan/{LKJPD}/hari")
    admin.send({"basis": "", "dated": "2026-12-02"})
    assert admin.status == 422 and admin.errors() == ["Dasar hukum belum diisi."]
    assert admin.get(f"{K}/bacaan/{LKJPD}/langkah_1").status == 404


def test_pengaturan_names_the_calendars_that_need_attention(desk: Desk) -> None:
    text = desk.reader("admin").get("/pengaturan").text
    assert "kalender atau bacaan SOP belum dikonfirmasi" in text
    assert "belum memuat cuti bersama tahun" in text


# The calculator


def count(site: Desk, **asked: str) -> Reader:
    return site.reader("tim1").get("/hitung-batas-waktu", query_string=asked)


def days(reader: Reader) -> list[tuple[str, str]]:
    return [(row.xpath("string(td[1])"), row.xpath("string(td[2])")) for row in reader.page.xpath("//tbody/tr")]


def test_every_day_is_counted_or_skipped_with_its_reason(site: Desk) -> None:
    reader = count(site, tanggal="2027-02-03", pukul="10:00", lama="3", satuan="hari", kalender="pola:lima_hari")
    assert "Selesai Selasa, 9 Februari 2027 pukul 10.30 WIB" in reader.text
    assert days(reader) == [
        ("mulai", "Rabu, 3 Februari 2027"),
        ("hari ke-1", "Kamis, 4 Februari 2027"),
        ("tidak", "Jumat, 5 Februari 2027"),
        ("tidak", "Sabtu, 6 Februari 2027"),
        ("tidak", "Minggu, 7 Februari 2027"),
        ("hari ke-2", "Senin, 8 Februari 2027"),
        ("hari ke-3", "Selasa, 9 Februari 2027"),
    ]
    assert "Cuti bersama: Cuti Bersama Tahun Baru Imlek" in reader.text
    assert "Mulai 150 menit kerja sesudah kantor buka" in reader.text


def test_minutes_name_the_norm_the_limit_and_the_word_to_the_superior(site: Desk) -> None:
    reader = count(site, tanggal="2026-12-07", pukul="15.50", lama="20", satuan="menit", kalender=f"unit:{LASEM}")
    start = datetime(2026, 12, 7, 15, 50, tzinfo=ZoneInfo("Asia/Jakarta"))
    norm, late, escalate = working.three_instants("PT20M", start, five_days())
    assert norm != late
    for at, said in (
        (norm, "Selesai"),
        (late, "Dianggap terlambat sesudah"),
        (escalate, "Diberitahukan kepada atasan"),
    ):
        there = at.astimezone(ZoneInfo("Asia/Jakarta"))
        assert f"{there:%H.%M} WIB" in reader.text and said in reader.text
    assert [one for one, _ in days(reader)] == ["10 menit", "10 menit"]


@pytest.mark.parametrize(
    ("pattern", "make"), [("lima_hari", five_days), ("enam_hari", six_days)], ids=["five days", "six days"]
)
@pytest.mark.parametrize("lama", ["P1D", "P20D", "PT20M", "PT2H", "P1DT30M"])
def test_the_page_says_what_the_engine_counts(site: Desk, pattern: str, make: Any, lama: str) -> None:
    start = datetime(2026, 12, 30, 11, 40, tzinfo=ZoneInfo("Asia/Jakarta"))
    reader = count(site, tanggal="2026-12-30", pukul="11:40", lama=lama, kalender=f"pola:{pattern}")
    there = working.due_at(lama, start, make()).astimezone(ZoneInfo("Asia/Jakarta"))
    assert f"{there.year} pukul {there:%H.%M} WIB" in reader.page.xpath("string(//h2)")
    explained = working.explain(lama, start, make())
    skipped = [day for said, day in days(reader) if said == "tidak"]
    assert len(skipped) == len(explained.skipped)


def test_the_latest_start_for_an_end(site: Desk) -> None:
    reader = count(site, tanggal="2026-12-07", pukul="09:00", lama="20", kalender="pola:lima_hari", akhir="2027-02-26")
    by = datetime(2027, 2, 26, 23, 59, tzinfo=ZoneInfo("Asia/Jakarta"))
    there = working.latest_start([("P20D", five_days())], by).astimezone(ZoneInfo("Asia/Jakarta"))
    assert f"{there.year} pukul {there:%H.%M} WIB (agar selesai" in reader.text


def test_what_cannot_be_counted_is_said_at_its_input_and_kept(site: Desk) -> None:
    reader = count(site, tanggal="2027-02-30", lama="banyak", kalender="unit:x", akhir="2027-01-01", akhir_pukul="9")
    assert reader.status == 422
    assert [one.split(":")[0] for one in reader.errors()] == ["Kalender", "Tanggal mulai", "Lama", "Pukul"]
    assert reader.page.xpath("//input[@name='lama']/@value") == ["banyak"]
    for lama in ("0", "-1", "9999999", "P1M", "P99999D", "PT0M"):
        bad = count(site, tanggal="2027-02-01", pukul="09:00", lama=lama, kalender="pola:lima_hari")
        assert bad.status == 422 and bad.errors()[0].startswith("Lama"), lama
    assert count(site, tanggal="2027-02-01", pukul="09:00", lama="P3660D", kalender="pola:lima_hari").status == 200
    assert count(site, kalender="f" * 64, lama="1").errors() == ["Kalender: pilih dari daftar."]


def test_without_a_duration_nothing_is_counted_yet(site: Desk) -> None:
    reader = count(site)
    assert reader.status == 200 and not days(reader)
    assert reader.page.xpath("//select[@name='kalender']/option[@selected]/@value") == [f"unit:{LASEM}"]


def test_the_task_page_leads_to_the_calculation_of_its_own_limit(site: Desk) -> None:
    for step in (1, 2, 3):  # minutes and days
        reader = site.open(site.waiting_at(step), step)
        [address] = reader.page.xpath("//a[contains(., 'Bagaimana batas ini dihitung')]/@href")
        assert parse_qs(urlsplit(address).query)["kalender"] == [five_days().sha256]
        text = reader.get(address).text
        there = late_at(site, step).astimezone(ZoneInfo("Asia/Jakarta"))
        assert f"{there.year} pukul {there:%H.%M} WIB" in text


def test_an_older_calendar_of_an_instance_can_still_be_counted_in(site: Desk) -> None:
    old = calendar(site).sha256
    meanwhile(site, title="Lain")
    reader = count(site, tanggal="2026-12-07", pukul="09:00", lama="P2D", kalender=old)
    [chosen] = reader.page.xpath("//select[@name='kalender']/option[@selected]")
    assert reader.status == 200 and "Kalender yang dipakai berkas proses" in chosen.text_content()


# What people write


@pytest.mark.parametrize(
    ("text", "spell"),
    [
        ("07.30-12.00", (time(7, 30), time(12))),
        ("7:30 – 12:00", (time(7, 30), time(12))),
        ("0730-1200", (time(7, 30), time(12))),
        ("7.30 s.d. 12", (time(7, 30), time(12))),
        ("7.30 sd 12", (time(7, 30), time(12))),
        ("08.00 sampai 10.00", (time(8), time(10))),
        ("08.00 hingga 23.59", (time(8), time(23, 59))),
        *((wrong, None) for wrong in ("", "7.30", "24.00-25.00", "07.60-12.00", "7-8-9", "pagi-siang", "07.30-")),
    ],
)
def test_a_spell_is_read_as_people_write_it(text: str, spell: tuple[time, time] | None) -> None:
    assert calendars.spell_of(text) == spell


@pytest.fixture(scope="module")
def indonesian() -> Flask:
    """An app that only speaks."""
    app = Flask(__name__)
    Babel(app, default_locale="id")
    return app


CLOCKS = st.integers(0, 24 * 60 - 1)
DAYS = st.lists(CLOCKS, max_size=8, unique=True).map(
    lambda edges: tuple(
        zip(
            *[iter([time(n // 60, n % 60) for n in sorted(edges)[: len(edges) // 2 * 2]])] * 2,
            strict=True,
        )
    )
)


@given(st.tuples(*[DAYS] * 7).filter(any))
def test_a_week_survives_being_shown_in_inputs_and_read_again(indonesian: Flask, week: Any) -> None:
    with indonesian.test_request_context():
        assert calendars.week_of(calendars.week_typed(week)) == week
