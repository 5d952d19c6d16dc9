"""Pages of process owners in a real Chromium: each of them sound."""

from __future__ import annotations

from tests.browser.conftest import Served
from tests.browser.looking import each_person, look_at_pages
from tests.desk import LKJPD

PAGES = [
    ("pengelola1", f"/perancang/sop/{LKJPD}/pindahkan"),
    ("penerima", "/perancang/daftar-sop"),
    ("pengelola1", "/perancang"),
    ("pengelola1", "/perancang/baru"),
    ("pengelola1", f"/perancang/sop/{LKJPD}"),
    ("pengelola1", f"/perancang/sop/{LKJPD}/versi/1"),
]


@each_person(PAGES)
def test_every_page_is_sound_at_both_widths_and_in_both_schemes(served: Served, login: str) -> None:
    look_at_pages(served, login, PAGES)
