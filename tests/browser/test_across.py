"""Audit across instances in a real Chromium: the diagram shows five classes that can be told without colour, and each
number opens a list."""

from __future__ import annotations

from playwright.sync_api import expect

from engine.store import passes
from tests.browser.conftest import Served, wait_until
from tests.browser.looking import look_at_all_four

READY = "() => document.body.dataset.ready === '1'"


def test_the_heat_is_drawn_by_its_classes_and_every_page_of_it_is_sound(served: Served) -> None:
    with served.desk.database.begin() as db:
        passes.project(db, served.desk.app.extensions["alur"].rules, 100)
    page = served.person("auditor")
    page.goto("/audit")
    page.get_by_role("link", name="Kinerja lintas berkas").click()
    page.select_option("#l-ukuran", "dilalui")
    page.click("main form button")
    page.locator("#diagram").scroll_into_view_if_needed()
    wait_until(page, READY)
    # Finished eight, seven, six, five and four times: the last is too little.
    shown = page.evaluate("""() => [1, 2, 3, 4, 5].map(n => {
      const shape = document.querySelector(`[data-element-id=langkah_${n}]`);
      const badge = document.querySelector(`[data-container-id=langkah_${n}] .diagram-badge`);
      return [/st-(heat-\\d)/.exec(shape.className.baseVal)[1], badge.textContent, badge.title,
              getComputedStyle(shape.querySelector('.djs-visual > rect')).fill];
    })""")
    assert [one[:2] for one in shown] == [
        ["heat-5", "5"], ["heat-5", "5"], ["heat-4", "4"], ["heat-4", "4"], ["heat-0", "–"]]
    assert "8 kali" in shown[0][2] and shown[4][2] == "Belum cukup data"
    assert len({fill for *_rest, fill in shown}) == 3 and shown[0][3] == shown[1][3]
    address = page.url
    page.locator(".across a", has_text="5 kali").first.click()
    expect(page.locator("h1")).to_contain_text("4 · ")
    expect(page.locator("main tbody tr")).to_have_count(5)
    for where in (address, page.url):
        look_at_all_four(page, where, lambda where=where: page.goto(where))  # type: ignore[misc]
