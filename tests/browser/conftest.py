"""The demo office served to a real Chromium, and browsers that complain: about errors, about the content policy, about
every request that leaves this server."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from time import monotonic

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from waitress import create_server

from engine import organise
from tests.desk import PASSWORD, QUICK_HASH, Desk, furnish

# What a page is answered when something is missing or somebody was quicker is no fault of the page.
EXPECTED = re.compile(
    r"Failed to load resource: the server responded with a status of (401|404|409|422)|diagram: .* answered 401"
)

# How long what is expected may take to be seen: a machine may be busy with something else. Nobody waits who sees it.
PATIENCE = 30_000   # ms
expect.set_options(timeout=PATIENCE)

ADDED_TO_ALL = "() => [Object, Array, Function, String].flatMap((one) => Object.keys(one.prototype))"

CSRF = re.compile(r'name="csrf_token"[^>]* value="([^"]+)"')


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the furnished office: its database, to be copied, and its documents."""
    folder = tmp_path_factory.mktemp("office")
    furnish(f"sqlite:///{folder / 'template.db'}", folder)
    return folder


def wait_until(page: Page, holds: str, given: object = None) -> None:
    """Waits until a function of the page gives true. Asked from here again and again: the content policy forbids the
    page itself to evaluate text, which Playwright's own waiting does from its second look on."""
    until = monotonic() + PATIENCE / 1000
    while monotonic() < until:
        if page.evaluate(holds, given):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"This did not come true: {holds}")


@dataclass
class Served:
    """An office at an address, and who sits before it."""

    desk: Desk
    address: str
    browser: Browser
    folder: Path
    complaints: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)
    was_cut: bool = False       # whether this test has cut a line

    def person(
        self, login: str | None = None, width: int = 1280, scheme: str = "light", javascript: bool = True
    ) -> Page:
        """A browser of somebody's own, signed in where a login is given; at the page that they come to first.

        Without JavaScript they fill in the form. With it the two requests of the form are sent without drawing a page:
        what is seen of signing in has tests of its own (test_account_pages.py, and a session that ends).
        """
        context = self.browser.new_context(
            base_url=self.address,
            viewport={"width": width, "height": 844 if width < 500 else 900},
            color_scheme=scheme,  # type: ignore[arg-type]
            java_script_enabled=javascript,
            locale="id-ID",
            timezone_id="Asia/Jakarta",
            reduced_motion="reduce",
        )
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("console", lambda said: self.heard(said.type, said.text))
        page.on("request", lambda asked: self.asked(asked.url))
        if login and javascript:
            token = CSRF.search(context.request.get("/masuk").text())
            assert token, "the form of signing in has its token"
            typed = {"csrf_token": token[1], "nama": login, "sandi": PASSWORD}
            said = context.request.post("/masuk", form=typed, max_redirects=0)
            assert said.status in (302, 303), said.text()
            page.goto(said.headers["location"])
        elif login:
            page.goto("/masuk")
            page.fill("#nama", login)
            page.fill("#sandi", PASSWORD)
            page.click("main button.primary")
        return page

    @contextmanager
    def cut_line(self, page: Page) -> Iterator[None]:
        """Within, the page reaches nothing; that it says so is no complaint."""
        self.was_cut = True     # the browser may say so only after the line is back
        page.context.set_offline(True)
        yield
        page.context.set_offline(False)

    def heard(self, kind: str, text: str) -> None:
        if self.was_cut and "ERR_INTERNET_DISCONNECTED" in text:
            return
        if kind in ("error", "warning") and not EXPECTED.search(text):
            self.complaints.append(f"console: {text}")

    def asked(self, url: str) -> None:
        if not url.startswith((self.address, "blob:")):
            self.complaints.append(f"request: {url}")


@pytest.fixture
def served(furnished: Path, tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The office, served; at the end no browser has complained."""
    monkeypatch.setattr(organise, "hasher", QUICK_HASH)
    organise.unknown_hash.cache_clear()
    shutil.copy(furnished / "template.db", tmp_path / "alur.db")
    desk = Desk.at(f"sqlite:///{tmp_path / 'alur.db'}", furnished)
    server = create_server(desk.app, host="127.0.0.1", port=0, threads=6)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    found = Served(desk, f"http://127.0.0.1:{server.effective_port}", browser, furnished)
    try:
        yield found
        assert found.complaints == []
        # Whatever came from outside, by a form, an address, a diagram or a copy kept here, is no part of every object.
        open_pages = [page for context in found.contexts for page in context.pages]
        assert {added for page in open_pages for added in page.evaluate(ADDED_TO_ALL)} == set()
    finally:
        for context in found.contexts:
            context.close()
        server.close()
        thread.join(timeout=5)
        desk.database.close()
