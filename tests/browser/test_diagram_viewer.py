"""The diagram of forms/web in a real Chromium, on a page of its own under the strict content policy."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

import bootstrap
from tests.browser.conftest import wait_until

POLICY = "default-src 'self'; style-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
DIAGRAM = Path(__file__).parents[1] / "diagrams" / "approval_loop.bpmn"
TYPES = {".js": "text/javascript", ".css": "text/css", ".bpmn": "application/xml"}

PAGE = """<!doctype html><html lang="id"><head><meta charset="utf-8"><title>Diagram</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/page.css"><link rel="stylesheet" href="/{css}">
<script type="module" src="/{js}"></script></head>
<body><main><h1>Diagram</h1>
<button type="button" data-diagram-zoom="in" hidden>Perbesar</button>
<button type="button" data-diagram-zoom="active" hidden>Ke tugas berjalan</button>
<button type="button" data-diagram-zoom="fit" hidden>Seluruhnya</button>
<div id="diagram" class="{kind}" data-src="{src}" data-failed="Diagram tidak dapat dimuat." data-state="{state}"></div>
</main></body></html>"""


class Site(ThreadingHTTPServer):
    """Serves one page about one diagram, the bundle and the test diagrams."""

    src = "/approval_loop.bpmn"
    state: str = "[]"
    kind = ""

    def page(self) -> str:
        viewer = json.loads((bootstrap.DIST / "manifest.json").read_text())["entries"]["viewer"]
        return PAGE.format(
            css=viewer["css"], js=viewer["js"], src=self.src, kind=self.kind, state=html.escape(self.state)
        )

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Answer(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        name = self.path.lstrip("/")
        file = (DIAGRAM.parent if name.endswith(".bpmn") else bootstrap.DIST) / name
        if not name:
            self.answer(200, "text/html; charset=utf-8", self.server.page().encode())
        elif name == "page.css":
            self.answer(200, "text/css", b":root { color-scheme: light dark } body { background: Canvas }")
        elif name == "favicon.ico":
            self.answer(200, "image/x-icon", b"")
        elif file.is_file():
            self.answer(200, TYPES[file.suffix], file.read_bytes())
        else:
            self.answer(404, "text/plain", b"nothing here")

    def answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    assert not bootstrap.bundle_is_stale(), "forms/static/dist is not built from these sources: run make test"
    with Site(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def complaints(page: Page, site: Site) -> list[str]:
    """What the browser objects to: errors, refusals of the content policy, requests that leave this server."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(f"error: {error}"))
    page.on("console", lambda said: found.append(f"console: {said.text}") if said.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith((site.address, "data:")) else found.append(asked.url))
    return found


def show(page: Page, site: Site, state: list[dict[str, Any]]) -> None:
    site.state = json.dumps(state)
    page.goto(site.address)
    page.wait_for_selector("body[data-ready]")


def shape(page: Page, element: str) -> Any:
    return page.locator(f"g.djs-element[data-element-id='{element}']")


STANDING = [
    {"id": "start", "status": "done", "label": "Selesai 1 Februari", "n": None},
    {"id": "write", "status": "returned", "label": "Dikembalikan <b>untuk</b> diperbaiki", "n": "<i>2</i>"},
    {"id": "decide", "status": "late", "label": "Terlambat", "n": 1},
    {"id": "approved", "status": "active", "label": "Sedang dikerjakan", "n": ""},
]


def test_a_diagram_shows_where_the_instance_stands(page: Page, site: Site, complaints: list[str]) -> None:
    show(page, site, STANDING)
    for row in STANDING:
        assert f"st-{row['status']}" in shape(page, row["id"]).get_attribute("class")
    assert page.locator(".diagram-badge").all_inner_texts() == ["", "<i>2</i>", "1", ""]
    assert page.locator(".diagram-badge").nth(1).get_attribute("title") == "Dikembalikan <b>untuk</b> diperbaiki"
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_ink_and_paper_follow_the_colour_scheme(page: Page, site: Site, complaints: list[str], scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    show(page, site, STANDING)
    colours = page.evaluate(
        """() => {
          const style = id => getComputedStyle(
            document.querySelector(`g.djs-element[data-element-id='${id}'] .djs-visual > :not(defs)`));
          return [style('merge').stroke, style('merge').fill, style('decide').stroke];
        }"""
    )
    light = ["rgb(29, 35, 41)", "rgb(255, 255, 255)", "rgb(163, 52, 31)"]
    dark = ["rgb(231, 234, 238)", "rgb(22, 25, 29)", "rgb(240, 144, 124)"]
    assert colours == (light if scheme == "light" else dark)
    assert Axe().run(page).response["violations"] == []
    assert complaints == []


def test_an_element_that_is_not_in_the_diagram_is_left_out(page: Page, site: Site, complaints: list[str]) -> None:
    show(page, site, [{"id": "long_gone", "status": "done", "label": "", "n": 1}, *STANDING[2:]])
    assert "st-late" in shape(page, "decide").get_attribute("class")
    assert page.locator(".diagram-badge").count() == 2
    assert complaints == []


@pytest.mark.parametrize("width", [390, 1280])
def test_the_whole_diagram_and_the_bpmn_io_mark_are_visible(page: Page, site: Site, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    show(page, site, STANDING)
    frame = page.locator("#diagram").bounding_box()
    assert frame
    for part in ("g.djs-element[data-element-id='pool'] .djs-visual", ".bjs-powered-by"):
        box = page.locator(part).bounding_box()
        assert box and box["width"] > 0
        assert box["x"] >= frame["x"] - 1 and box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
        assert box["y"] >= frame["y"] - 1 and box["y"] + box["height"] <= frame["y"] + frame["height"] + 1
    expect(page.locator(".bjs-powered-by")).to_be_in_viewport(ratio=1)
    on_top = page.evaluate(
        """() => { const box = document.querySelector('.bjs-powered-by').getBoundingClientRect();
          const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
          return Boolean(top.closest('.bjs-powered-by')); }"""
    )
    assert on_top, "something lies over the bpmn.io mark; its licence forbids that"


def test_buttons_move_the_view_and_bring_it_back(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    show(page, site, STANDING)

    def width_of(element: str) -> float:
        box = shape(page, element).bounding_box()
        assert box
        return float(box["width"])

    fitted = width_of("approved")
    page.get_by_role("button", name="Perbesar").click()
    assert width_of("approved") == pytest.approx(fitted * 1.25, rel=0.05)
    page.get_by_role("button", name="Ke tugas berjalan").click()
    assert width_of("approved") > 1.9 * fitted
    wait_until_centred(page, "approved")
    page.get_by_role("button", name="Seluruhnya").click()
    assert width_of("approved") == pytest.approx(fitted, rel=0.01)


def test_a_small_diagram_begins_where_one_is(page: Page, site: Site) -> None:
    site.kind = "small"
    show(page, site, STANDING)
    wait_until_centred(page, "approved")
    page.set_viewport_size({"width": 390, "height": 844})
    wait_until(page, "() => document.querySelector('#diagram').clientWidth < 390")
    wait_until_centred(page, "approved")


def test_a_small_diagram_begins_at_what_is_late_where_nothing_else_is_open(page: Page, site: Site) -> None:
    site.kind = "small"
    show(page, site, STANDING[:1] + STANDING[2:3])
    wait_until_centred(page, "decide")


def test_what_stopped_is_marked_with_a_sign_of_its_own(page: Page, site: Site, complaints: list[str]) -> None:
    show(page, site, [{"id": "decide", "status": "stopped", "label": "Gangguan", "n": None}])
    assert "st-stopped" in shape(page, "decide").get_attribute("class")
    badge = page.locator(".diagram-badge-stopped")
    assert badge.evaluate("one => getComputedStyle(one, '::before').content") == '"!"'
    assert badge.get_attribute("title") == "Gangguan"


def wait_until_centred(page: Page, element: str) -> None:
    wait_until(
        page,
        """element => {
          const [inside, frame] = [`g.djs-element[data-element-id='${element}']`, '#diagram']
            .map(part => document.querySelector(part).getBoundingClientRect());
          return Math.abs(inside.x + inside.width / 2 - frame.x - frame.width / 2) < 20
            && Math.abs(inside.y + inside.height / 2 - frame.y - frame.height / 2) < 20;
        }""",
        element,
    )


def test_a_diagram_that_cannot_be_had_leaves_a_sentence(page: Page, site: Site) -> None:
    site.src = "/nowhere.bpmn"
    show(page, site, STANDING)
    assert page.locator("#diagram").inner_text() == "Diagram tidak dapat dimuat."
    expect(page.get_by_role("button", name="Perbesar")).to_be_hidden()


def test_the_bundle_carries_the_licence_of_everything_in_it() -> None:
    notices = (bootstrap.DIST / "THIRD_PARTY_NOTICES.txt").read_text()
    for package in ("bpmn-js 18.31.1", "diagram-js 15.28.1", "bpmn-moddle", "tiny-svg", "inherits-browser"):
        assert f"==== {package}" in notices
    assert "MUST NOT be\nremoved or changed" in notices
