"""A file is checked in a real Chromium: its hash is computed there, the file is never sent."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Served
from tests.desk import pdf


def test_a_chosen_file_is_hashed_in_the_browser_and_known_without_being_sent(served: Served) -> None:
    page = served.person(None)
    sent: list[str] = []
    page.on("request", lambda asked: sent.append(asked.method))
    page.goto("/verifikasi")
    page.set_input_files("#berkas", {"name": "rahasia.pdf", "mimeType": "application/pdf", "buffer": pdf("lhr")})
    expect(page.locator("main")).to_contain_text("Berkas ini tercatat di Alur pada")
    expect(page.locator("main")).to_contain_text("Laporan Hasil Reviu")
    assert set(sent) == {"GET"} and "rahasia" not in page.url
    page.set_input_files("#berkas", {"name": "lain.pdf", "mimeType": "application/pdf", "buffer": b"lain"})
    expect(page.locator("main")).to_contain_text("Berkas ini tidak tercatat di Alur.")


def test_without_javascript_no_chooser_is_shown_and_a_pasted_hash_is_answered(served: Served) -> None:
    page = served.person(None, javascript=False)
    page.goto("/verifikasi")
    expect(page.locator("#berkas")).to_be_hidden()
    page.click("summary")
    expect(page.locator("main")).to_contain_text("certutil")
    page.fill("#sidik", "0" * 64)
    page.click("main button.primary")
    expect(page.locator("main")).to_contain_text("Berkas ini tidak tercatat di Alur.")
