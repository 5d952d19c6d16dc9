"""Pemberitahuan in a real Chromium: sound at both widths, and its copy buttons copy."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Served
from tests.browser.looking import look_at
from tests.forms.test_notices import tell


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (1280, "light"), (390, "dark"), (390, "light")])
def test_the_page_is_sound_and_its_new_address_is_copied_at_a_press(served: Served, width: int, scheme: str) -> None:
    tell(served.desk, "camat", "Langkah 3 LKjPD 2023 melewati batas waktu", served.desk.waiting_at(3))
    page = served.person("camat", width, scheme)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click(".told a")
    look_at(page, "notices")
    page.click("text=Buat alamat kalender")
    address = page.input_value("#alamat")
    look_at(page, "the new address")
    page.click("[data-copy=alamat]")
    expect(page.locator("[data-copy=alamat]")).to_have_text("Sudah disalin")
    assert page.evaluate("navigator.clipboard.readText()") == address and "/agenda/" in address


def test_where_a_browser_gives_no_clipboard_the_address_is_copied_the_older_way(served: Served) -> None:
    page = served.person("camat")
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'clipboard', { get: () => undefined });"
                         "addEventListener('copy', () => { window.copied = getSelection().toString(); });")
    page.goto("/pemberitahuan")
    page.click("text=Buat alamat kalender")
    page.click("[data-copy=alamat]")
    expect(page.locator("[data-copy=alamat]")).to_have_text("Sudah disalin")
    assert page.evaluate("window.copied") == page.input_value("#alamat")


def test_a_text_for_whatsapp_is_there_without_javascript_and_copied_with_it(served: Served) -> None:
    address = f"/proses/{served.desk.waiting_at(7)}"
    plain = served.person("sekcam", 390, javascript=False)
    plain.goto(address)
    plain.click("text=Ingatkan lewat WhatsApp")
    text = plain.input_value("textarea[readonly]")
    assert text.startswith("Yth. Camat Lasem") and plain.locator("[data-copy]").is_hidden()
    page = served.person("sekcam", 390)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(address)
    page.click("text=Ingatkan lewat WhatsApp")
    page.click("[data-copy]")
    expect(page.locator("[data-copy]")).to_have_text("Sudah disalin")
    assert page.evaluate("navigator.clipboard.readText()") == text
    look_at(page, "a process with the text unfolded")
