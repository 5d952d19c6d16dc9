"""Pages of accounts, health and incidents in a real Chromium: each of them sound."""

from __future__ import annotations

from tests.browser.conftest import Served
from tests.browser.looking import each_person, look_at_pages

PAGES = [
    ("sekcam", "/akun"),
    ("sekcam", "/konfirmasi"),
    ("admin", "/pengaturan/kesehatan"),
    ("admin", "/pengaturan/insiden"),
]


@each_person(PAGES)
def test_every_page_is_sound_at_both_widths_and_in_both_schemes(served: Served, login: str) -> None:
    look_at_pages(served, login, PAGES)
