"""What every answer says to the browser: each address of the URL map, every status, files and what is static."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import abort
from lxml import html
from werkzeug.test import TestResponse

from tests.desk import LASEM, LKJPD, Desk

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "forms" / "templates").rglob("*.html"))
POLICY = {"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self' blob:",
          "font-src": "'self'", "connect-src": "'self'", "form-action": "'self'", "base-uri": "'none'",
          "frame-ancestors": "'none'"}  # fmt: skip
TRUSTED_TYPES = {"require-trusted-types-for": "'script'", "trusted-types": "alur bpmn-js"}
VALUES: dict[str, Any] = {
    "id": UUID(int=7), "key": LKJPD, "unit": LASEM, "name": "v1", "kind": "docx", "number": 1, "version": 1,
    "sha256": "a" * 64, "form": "csv", "sequence": 1, "filename": "alur.css", "secret": "x" * 43, "year": 2027,
    "document": "lhr", "lane": "camat", "person": "tim1", "position": "camat_lasem",
}  # fmt: skip


def faults(answer: TestResponse, secure: bool = False) -> list[str]:
    """What an answer does not say, or says too much."""
    found, said = [], answer.headers
    policies = said.getlist("Content-Security-Policy")
    policy = dict(one.strip().partition(" ")[::2] for one in policies[0].split(";")) if len(policies) == 1 else {}
    if "sandbox" in policy:
        strict = {"sandbox": "", "default-src": "'none'", "frame-ancestors": "'none'"}
        found += [f"sandbox {name}" for name, value in strict.items() if policy.get(name) != value]
    # The modeler's own page asks for no trusted types, and is strict in all else.
    elif policy != (POLICY if b"dist/modeler-" in answer.data else {**POLICY, **TRUSTED_TYPES}):
        found.append(f"policy {policies}")
    for name, value in {"X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin",
                        "Cross-Origin-Resource-Policy": "same-origin"}.items():  # fmt: skip
        if said.get(name) != value:
            found.append(f"{name}: {said.get(name)}")
    if said.get("Referrer-Policy") not in ("same-origin", "no-referrer"):
        found.append("referrer")
    if not {"camera=()", "geolocation=()", "microphone=()"} <= set(said.get("Permissions-Policy", "").split(", ")):
        found.append("permissions")
    if ("Strict-Transport-Security" in said) != secure:
        found.append("HSTS")
    cache = said.get("Cache-Control", "")
    if not re.search("no-store|private|no-cache|immutable", cache):
        found.append(f"cache {cache}")
    if answer.mimetype == "text/html" and answer.get_data() and "no-store" not in cache:
        found.append(f"a page is kept: {cache}")
    for cookie in said.getlist("Set-Cookie"):
        if not all(one in cookie for one in ("HttpOnly", "SameSite=Lax", "Path=/")) or ("Secure" in cookie) != secure:
            found.append("cookie")
    if "Server" in said or "X-Powered-By" in said:
        found.append("names its software")
    if answer.mimetype not in SHOWN and answer.status_code == 200 and "attachment" not in said.get(
            "Content-Disposition", ""):
        found.append(f"{answer.mimetype} is shown and not saved")
    return found


# What a browser may open where it is: pages, what they are made of, and what their scripts ask for.
SHOWN = ("text/html", "text/css", "text/javascript", "image/svg+xml", "image/png", "application/json", "text/plain",
         "font/woff2", "text/calendar", "application/xml", "text/xml")


def rules(desk: Desk) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, an address) of all the URL map, each with every method that it knows and one that it does
    not."""
    with desk.app.test_request_context():
        for rule in desk.app.url_map.iter_rules():
            values: dict[str, Any] = {}
            for name in rule.arguments:
                converter = type(rule._converters[name]).__name__
                value = VALUES.get(name, "x")
                one_of = getattr(rule._converters[name], "items", None)
                values[name] = {"UUIDConverter": UUID(int=7), "IntegerConverter": 1}.get(
                    converter, sorted(one_of)[0] if one_of else str(value))
            built = rule.build(values)
            assert built is not None, rule
            for method in sorted((rule.methods or set()) | {"DELETE", "GET", "TRACE"}):
                yield rule.endpoint, method, built[1]


def test_every_address_says_it_whoever_asks_and_however(site: Desk) -> None:
    site.app.testing = False                # our own mistakes are a page too
    wrong: list[tuple[object, ...]] = []
    statuses = set()
    for login in (None, "tim1", "admin"):
        client = site.reader(login).client
        for endpoint, method, address in rules(site):
            if endpoint in ("door.sign_out",):
                continue
            answer = client.open(address, method=method, headers={"Sec-Fetch-Mode": "navigate"})
            statuses.add(answer.status_code)
            if answer.status_code >= 500:
                wrong.append((login, method, address, answer.status_code))
            wrong += [(login, method, address, one) for one in faults(answer)]
            answer.close()
    assert wrong == []
    assert {200, 302, 400, 404, 405} <= statuses


def test_what_people_open_and_take_says_it(site: Desk) -> None:
    wrong, seen, saved = [], set(), 0
    for login in ("camat", "auditor"):
        reader = site.reader(login)
        waiting = ["/", f"/proses/{site.waiting_at(4)}", "/perancang", "/audit", "/pemantauan", "/proses"]
        for _ in range(70):
            if not waiting:
                break
            address = waiting.pop(0)
            if address in seen:
                continue
            seen.add(address)
            answer = reader.client.get(address, follow_redirects=True)
            wrong += [(address, one) for one in faults(answer)]
            saved += "attachment" in answer.headers.get("Content-Disposition", "")
            if answer.mimetype == "text/html":
                links = html.fromstring(answer.get_data(as_text=True)).xpath("//a/@href | //link/@href | //script/@src")
                waiting += [one.partition("#")[0] for one in links if one.startswith("/")]
            answer.close()
    assert wrong == []
    assert len(seen) > 20 and saved > 0


def test_wrong_turns_say_it_too(site: Desk) -> None:
    site.app.testing = False

    @site.app.get("/uji/<int:status>")
    def turned(status: int) -> Any:
        if status == 999:
            raise RuntimeError("<script>alert(1)</script>")
        abort(status)

    reader = site.reader("tim1")
    for status in (400, 401, 403, 404, 405, 409, 413, 415, 418, 422, 429, 500, 503, 999):
        answer = reader.client.get(f"/uji/{status}")
        assert answer.status_code == (500 if status == 999 else status)
        assert faults(answer) == [], status
        assert "<script>alert" not in answer.get_data(as_text=True)
    for address in ("/tidak-ada", "/static/tidak-ada.js", "/static/../settings.py", "/%00", "/berkas/%2e%2e"):
        assert faults(reader.client.get(address)) == []
    large = reader.client.post("/masuk", data={"nama": "x" * 3_000_000})
    assert large.status_code in (400, 413) and faults(large) == []


def test_a_preflight_and_an_origin_elsewhere_get_nothing(site: Desk) -> None:
    client = site.reader("tim1").client
    asked = client.options("/", headers={"Origin": "https://jahat.example", "Access-Control-Request-Method": "POST"})
    assert not [name for name in asked.headers.keys() if name.startswith("Access-Control")]
    assert client.post("/keluar", headers={"Origin": "https://jahat.example"}).status_code == 403


def test_with_https_browsers_are_told_to_stay_with_it(site: Desk, folder: Path) -> None:
    desk = Desk.at(f"sqlite:///{site.database.engine.url.database}", folder, tls=True)
    answer = desk.app.test_client().get("/masuk", base_url="https://localhost")
    assert faults(answer, secure=True) == []
    assert int(re.findall(r"max-age=(\d+)", answer.headers["Strict-Transport-Security"])[0]) >= 31_536_000
    assert answer.headers["Set-Cookie"].startswith("__Host-")
    desk.database.close()


MARKUP = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def test_what_is_typed_wrong_comes_back_as_text(site: Desk) -> None:
    client = site.reader().client
    reader = site.reader()
    reader.get("/masuk").send({"nama": MARKUP, "sandi": "x"})
    addresses = (f"/masuk?lanjut={MARKUP}", f"/masuk?pesan={MARKUP}", f"/{MARKUP}", f"/static/{MARKUP}",
                 f"/verifikasi/{MARKUP}")
    pages = [reader.response.get_data(as_text=True), *(client.get(one).get_data(as_text=True) for one in addresses)]
    me = site.reader("admin").client
    pages += [me.get(f"{one}?q={MARKUP}&tahun={MARKUP}&unit={MARKUP}&halaman={MARKUP}").get_data(as_text=True)
              for one in ("/", "/proses", "/pemantauan", "/perancang", "/audit", "/pengaturan", "/pemberitahuan")]
    for page in pages:
        assert "<script>alert" not in page and "<img src=x" not in page


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.relative_to(ROOT / "forms/templates").as_posix())
def test_no_template_has_a_script_a_style_or_an_unescaped_value_in_it(file: Path) -> None:
    text = re.sub(r"\{#.*?#\}", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    wrong = re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", text)           # a script that is not a file
    wrong += re.findall(r"<style|\sstyle\s*=|javascript:|\|\s*safe\b|autoescape", text)
    wrong += re.findall(r"<[^>%{]*\son[a-z]+\s*=", text)                # onclick and its like
    wrong += re.findall(r"src\s*=\s*[\"']https?://|<link[^>]*https?://", text)  # nothing is loaded from elsewhere
    wrong += re.findall(r"<[^>]*\s[a-z-]+=\{\{", text)                   # a value that is not within quotes
    assert wrong == []
