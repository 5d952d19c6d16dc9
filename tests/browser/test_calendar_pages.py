"""Kalender and the calculator in a real Chromium: sound at both widths, and whole without JavaScript."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Served
from tests.browser.looking import look_at
from tests.desk import LASEM, LKJPD

K = f"/pengaturan/kalender/{LASEM}"
# Besides those in test_time_pages.py.
PAGES = (
    *("/pengaturan/kalender/inspektorat_daerah", f"{K}/pola"),
    *(f"{K}/masa/2027-02-08", f"{K}/libur/baru", f"{K}/libur/2026-12-25/hapus", f"{K}/libur-nasional"),
    *(f"{K}/konfirmasi", f"{K}/bacaan/{LKJPD}/hari"),
)
COUNT = "/hitung-batas-waktu?tanggal=2027-02-02&pukul=10:15&lama=3&satuan=hari&kalender=pola:lima_hari&akhir=2027-02-26"


def add_holiday(page: Page, day: str) -> None:
    page.goto(f"{K}/libur/baru")
    page.fill("[name=tanggal]", day)
    page.fill("[name=nama]", "Pemilihan kepala desa")
    page.fill("[name=alasan]", "Keputusan Bupati")
    page.click("main button.primary")
    expect(page.locator("h1")).to_have_text("Periksa sebelum disimpan")


BOTH = pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])


@BOTH
def test_the_pages_of_calendars_are_sound(served: Served, width: int, scheme: str) -> None:
    page = served.person("admin", width, scheme)
    for address in PAGES:
        page.goto(address)
        look_at(page, address)


@BOTH
def test_the_calculator_is_sound(served: Served, width: int, scheme: str) -> None:
    page = served.person("tim1", width, scheme)
    for address in ("/hitung-batas-waktu", COUNT, "/hitung-batas-waktu?tanggal=x&lama=x&kalender=x&akhir=x"):
        page.goto(address)
        look_at(page, address)


@BOTH
def test_a_change_with_mistakes_its_preview_and_its_history_are_sound(served: Served, width: int, scheme: str) -> None:
    page = served.person("admin", width, scheme)
    page.goto(f"{K}/jam")
    page.fill("[name='jam.2.1']", "siang")
    page.click("main button.primary")
    look_at(page, "the week with a mistake")
    add_holiday(page, "2026-12-09")
    look_at(page, "the preview")
    page.click("button[value=simpan]")
    expect(page.locator("main .message").first).to_contain_text("sudah disimpan")
    look_at(page, "the calendar after a change")


def test_a_calendar_is_changed_without_javascript(served: Served) -> None:
    page = served.person("admin", javascript=False)
    add_holiday(page, "2026-12-10")
    page.click("button[value=ubah]")
    expect(page.locator("[name=nama]")).to_have_value("Pemilihan kepala desa")
    page.fill("[name=nama]", "Pemilihan kepala desa serentak")
    page.click("main button.primary")
    page.click("button[value=simpan]")
    expect(page.locator("#riwayat")).to_contain_text("Pemilihan kepala desa serentak")
    page.goto(COUNT)
    expect(page.locator("#hasil")).to_contain_text("Selesai")
