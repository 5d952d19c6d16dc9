"""Signing in with the office's account in a real browser: by the pages of a certified provider, under our policy."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from waitress import create_server

from engine import organise
from tests import node
from tests.browser.conftest import Served
from tests.browser.looking import look_at_all_four
from tests.desk import PASSWORD, QUICK_HASH, Desk

SECRET = "rahasia-untuk-uji-saja-0123456789"


@pytest.fixture
def federated(furnished: Path, tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The office, served, with a provider; the browser may go to both and has complained of nothing."""
    monkeypatch.setattr(organise, "hasher", QUICK_HASH)
    organise.unknown_hash.cache_clear()
    shutil.copy(furnished / "template.db", tmp_path / "alur.db")
    (tmp_path / "secret").write_text(SECRET)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with node.provider(f"{address}/masuk/sso/kembali", f"{address}/masuk", SECRET) as issuer:
        desk = Desk.at(f"sqlite:///{tmp_path / 'alur.db'}", furnished, port=port, oidc_issuer=issuer,
                       oidc_client_id="alur", oidc_client_secret_file=tmp_path / "secret")
        desk.clock.at = datetime.now(UTC)
        server = create_server(desk.app, host="127.0.0.1", port=port, threads=4)
        thread = Thread(target=server.run, daemon=True)
        thread.start()
        found = Served(desk, address, browser, furnished)
        monkeypatch.setattr(found, "asked", lambda url: None)   # `sits` asks in its place
        try:
            yield found
            assert found.complaints == []
        finally:
            for context in found.contexts:
                context.close()
            server.close()
            thread.join(timeout=5)
            desk.database.close()


def sits(office: Served, login: str | None = None) -> Page:
    """Somebody before a browser. Our pages ask nobody else; those of the provider want fonts from far away, in vain."""
    page = office.person(login)

    def asked(route: Route) -> None:
        if route.request.url.startswith((office.address, office.desk.app.extensions["provider"].settings.oidc_issuer)):
            route.continue_()
            return
        if route.request.frame.url.startswith(office.address):
            office.complaints.append(f"request: {route.request.url}")
        route.fulfill(body="", content_type="text/css")

    page.context.route("**/*", asked)
    return page


def at_the_provider(page: Page, account: str) -> None:
    """What somebody does there: says who they are, and agrees."""
    page.fill("input[name=login]", account)
    page.fill("input[name=password]", "apa saja")
    page.click("button[type=submit]")
    page.click("button[type=submit]")


def test_an_account_is_linked_used_and_left_in_a_browser(federated: Served) -> None:
    page = sits(federated, "tim1")
    look_at_all_four(page, "no account linked", lambda: page.goto("/akun/kantor"))
    page.click("text=Tautkan akun kantor")
    at_the_provider(page, "pegawai-31")
    expect(page.locator("main")).to_contain_text("Pegawai pegawai-31")
    look_at_all_four(page, "an account to confirm", lambda: page.goto("/akun/kantor"))
    page.fill("#sandi", PASSWORD)
    page.click("main button.primary")
    expect(page.locator("main")).to_contain_text("sudah ditautkan")
    look_at_all_four(page, "an account linked", lambda: page.goto("/akun/kantor"))

    other = sits(federated)
    look_at_all_four(other, "the way in", lambda: other.goto("/masuk"))
    other.click("text=Masuk dengan akun kantor")
    at_the_provider(other, "pegawai-31")
    expect(other.locator(".me")).to_contain_text("Anggota Tim Penyusun 1")
    other.click("text=Keluar >> nth=-1")
    other.click("text=Keluar juga dari akun kantor")
    expect(other.locator("form[action$='/session/end/confirm']")).to_be_attached()
