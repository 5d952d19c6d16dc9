"""Large files over bad lines, in a real Chromium: sent in parts, on by themselves after a lost line and a new page."""

from __future__ import annotations

from time import sleep

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Served
from tests.browser.looking import look_at, task_address
from tests.desk import pdf

LARGE = pdf("besar") + b"\n%" + bytes(ord("a") + n % 26 for n in range(1_000)) * 7_500
FILE = {"name": "bahan rapat.pdf", "mimeType": "application/pdf", "buffer": LARGE}


def slowly(page: Page) -> None:
    """A line on which every part takes a while."""
    def hold(route: Route) -> None:
        sleep(0.2)
        route.continue_()

    page.route("**/unggahan/*", hold)


def choose(page: Page) -> None:
    page.locator("#i-bahan_rapat input[type=file]").set_input_files(FILE)  # type: ignore[arg-type]


def attached(served: Served, page: Page) -> None:
    """The whole file stands in the slot, one version of it."""
    expect(page.locator("#i-bahan_rapat .files a").first).to_contain_text("bahan rapat.pdf")
    document = served.desk.instance(served.desk.waiting_at(3)).documents["bahan_rapat"]
    assert document.version == 1 and [one.size_bytes for one in document.attachment.files] == [len(LARGE)]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_an_upload_goes_on_by_itself_after_the_line_was_cut(served: Served, width: int, scheme: str) -> None:
    page = served.person("tim1", width, scheme)
    page.goto(task_address(served, 3))
    slowly(page)
    choose(page)
    said = page.locator("#i-bahan_rapat .sending")
    expect(said).to_contain_text("2 dari 8 MB")
    with served.cut_line(page):
        expect(said).to_contain_text("sambungan terputus, dilanjutkan sendiri")
        look_at(page, "an upload whose line is cut")
    attached(served, page)


def test_an_upload_goes_on_after_the_page_was_loaded_again(served: Served) -> None:
    page = served.person("tim1")
    page.on("dialog", lambda asked: asked.accept())
    page.goto(task_address(served, 3))
    slowly(page)
    choose(page)
    expect(page.locator("#i-bahan_rapat .sending")).to_contain_text("3 dari 8 MB")
    page.reload()
    # What the server had it was not sent again.
    offsets: list[int] = []
    page.on("request", lambda asked: offsets.append(int(asked.headers["upload-offset"]))
            if asked.method == "PATCH" else None)
    attached(served, page)
    assert offsets == sorted(offsets) and (not offsets or offsets[0] >= 2_000_000)
    page.reload()
    expect(page.locator("#i-bahan_rapat .files a").first).to_contain_text("bahan rapat.pdf")
    expect(page.locator("#i-bahan_rapat .sending")).to_be_empty()


def test_a_file_beyond_the_limit_is_told_before_it_is_sent(served: Served) -> None:
    page = served.person("tim1")
    page.goto(task_address(served, 3))
    page.evaluate("document.getElementById('tugas').dataset.most = '5000000'")
    sent: list[str] = []
    page.on("request", lambda asked: sent.append(asked.url) if "unggahan" in asked.url else None)
    choose(page)
    expect(page.locator("#i-bahan_rapat .sending")).to_contain_text("lebih besar dari 5 MB")
    assert sent == []


def test_without_javascript_the_plain_form_takes_the_same_file(served: Served) -> None:
    page = served.person("tim1", javascript=False)
    page.goto(task_address(served, 3))
    choose(page)
    page.locator("#i-bahan_rapat button", has_text="Lampirkan").first.click()
    attached(served, page)
