"""Pages of time in a real Chromium: each of them sound; a plan printed, and moved on a phone."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Served, wait_until
from tests.browser.looking import each_person, look_at_pages
from tests.desk import LKJPD

PAGES = [
    ("camat", "/pemantauan"),
    ("camat", f"/simulasi/{LKJPD}"),
    ("camat", f"/simulasi/{LKJPD}?pengembalian=2&minggu=enam_hari&norma.langkah_3=12+hari&libur=2027-01-20+Libur"),
    ("camat", f"/simulasi/{LKJPD}?norma.langkah_3=lama&libur=besok&mulai=kemarin"),
    ("tim1", "/hitung-batas-waktu?tanggal=2027-02-01&pukul=10:15&lama=5&satuan=hari"),
    ("sekcam", "/pemberitahuan"),
    ("admin", "/pengaturan/kalender"),
    ("admin", "/pengaturan/kalender/kecamatan_lasem"),
    ("admin", "/pengaturan/kalender/kecamatan_lasem/jam"),
    ("admin", "/pengaturan/unit/kecamatan_lasem/kepala"),
    ("admin", "/pengaturan/surat-tugas"),
    ("admin", "/pengaturan/surat-tugas/baru"),
]


@each_person(PAGES)
def test_every_page_is_sound_at_both_widths_and_in_both_schemes(served: Served, login: str) -> None:
    look_at_pages(served, login, PAGES)


def test_a_printed_plan_keeps_its_bars_and_names_its_lanes(served: Served) -> None:
    page = served.person("camat")
    page.goto(f"/simulasi/{LKJPD}")
    lanes = page.locator("svg .lane-name")
    expect(page.locator(".chart-lanes li").first).to_be_visible()
    expect(lanes.first).to_be_hidden()
    page.emulate_media(media="print")
    expect(page.locator("svg .pass rect").first).to_be_visible()
    expect(lanes.first).to_be_visible()
    expect(page.locator("main form[method=get]")).to_be_hidden()


def test_a_plan_is_moved_by_keyboard_on_a_phone(served: Served) -> None:
    page = served.person("camat", width=390)
    page.goto(f"/simulasi/{LKJPD}")
    scroller = page.locator(".chart-scroll")
    scroller.focus()
    page.keyboard.press("ArrowRight")
    wait_until(page, "() => document.querySelector('.chart-scroll').scrollLeft > 0")
    expect(page.locator(".chart-lanes li").first).to_be_in_viewport()
