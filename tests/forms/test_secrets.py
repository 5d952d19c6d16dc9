"""What stands in no log and on no page: passwords that were typed, cookies, keys, the addresses that are secrets."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from engine import serve
from tests.desk import Desk

CANARY = "kenari-rahasia-7391"


def test_neither_the_log_nor_a_page_says_what_was_typed_or_what_opens_a_session(
    site: Desk, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    serve.set_up_log("debug")
    site.app.testing = False

    @site.app.get("/uji/rusak")
    def broken() -> Any:
        raise RuntimeError("a mistake of ours")

    pages: list[str] = []

    def kept(reader: Any) -> Any:
        pages.append(reader.response.get_data(as_text=True))
        return reader

    stranger = site.reader()
    kept(stranger.get("/masuk").send({"nama": "tim1", "sandi": CANARY}))
    kept(stranger.get("/masuk").send({"nama": CANARY + "x" * 300, "sandi": CANARY}))
    known = site.reader("tim1")
    cookie = known.client.get_cookie("alur")
    assert cookie is not None
    kept(known.get("/kata-sandi").send({"sandi": CANARY, "baru": CANARY + "1", "ulang": CANARY + "2"}))

    kept(known.get(f"/uji/rusak?sandi={CANARY}"))
    kept(known.get(f"/agenda/{CANARY}.ics"))
    written = capfd.readouterr()
    said = written.out + written.err + caplog.text
    assert "a mistake of ours" in said, "the log was looked at"
    for secret in (CANARY, cookie.value, site.app.secret_key.hex(), site.database.key.hex()):  # type: ignore[union-attr]
        assert secret not in said
    for page in pages[:1] + pages[2:]:
        assert CANARY not in page and "RuntimeError" not in page and "Traceback" not in page
