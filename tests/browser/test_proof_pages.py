"""Pages of proof in a real Chromium, of auditors and of whoever holds a printed paper: each of them sound."""

from __future__ import annotations

from tests.browser.conftest import Served
from tests.browser.looking import each_person, look_at_pages

PAGES = [
    (None, "/verifikasi/sop/" + "0" * 64),
    (None, "/verifikasi"),
    (None, "/verifikasi?sidik=" + "0" * 64),
    (None, "/verifikasi?sidik=pendek"),
    (None, "/verifikasi/titik-periksa/9/" + "0" * 64),
    ("auditor", "/audit"),
    ("auditor", "/audit/monitoring-sop"),
    ("auditor", "/audit/monitoring-sop?masa=tahun"),
    ("auditor", "/audit/monitoring-sop/berkas?angka=dimulai"),
    ("admin", "/pengaturan/arsip"),
    ("admin", "/pengaturan/arsip/penghapusan?berkas={process7}&cari=a"),
    ("admin", "/pengaturan/arsip/penahanan"),
    ("admin", "/pengaturan/arsip/retensi"),
    ("camat", "/keputusan-arsip"),
]


@each_person(PAGES)
def test_every_page_is_sound_at_both_widths_and_in_both_schemes(served: Served, login: str | None) -> None:
    look_at_pages(served, login, PAGES)
