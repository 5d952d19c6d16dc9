"""Looking at pages: what holds on every page, whoever looks and however wide their window is.

The rule: every page there is stands in one line of one list, `(who looks, where)`, and is looked at in four ways, at
1280 and 390 px, light and dark. The lists are called PAGES and stand with the subject that brought the page:
test_inbox_pages.py has those that run an SOP; test_time_pages.py, test_drawing_pages.py, test_proof_pages.py and
test_safety_pages.py those of the suites of that name. In an address {task3} is the task that waits at step 3,
{process3} its instance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page

from tests.browser.conftest import Served

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
Pages = Iterable[tuple[str | None, str]]


def task_address(served: Served, step: int) -> str:
    id = served.desk.waiting_at(step)
    return f"/tugas/{id}/{next(iter(served.desk.instance(id).user_tasks))}"


def axe(page: Page, where: str) -> None:
    """axe finds nothing. Its half megabyte is read once a page; only what it found comes back."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate("() => axe.run({resultTypes: ['violations']}).then(all => all.violations)")
    assert found == [], f"{where}: {AxeResults({'violations': found}).generate_report()}"


def look_at(page: Page, where: str) -> None:
    """What holds on every page: axe finds nothing, nothing sticks out sideways, what is pressed is large enough."""
    axe(page, where)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{where}: {wider} px wider than the window"
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, .button, select, .places a, input:not([type=hidden])')]
            .filter(one => one.checkVisibility() && !one.closest('.unseen') && !one.matches('.unseen'))
            .filter(one => !one.matches('[type=checkbox], [type=radio], [type=file]'))
            .filter(one => one.getBoundingClientRect().height < 43.5).map(one => one.outerHTML.slice(0, 120))"""
    )
    assert small == [], f"{where}: smaller than 44 px"


def look_at_all_four(page: Page, where: str, come: Callable[[], object]) -> None:
    """Come to a page at both widths, and look at it in both schemes."""
    for width, height in ((1280, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        come()
        if page.locator("#diagram").count():
            page.locator("#diagram").scroll_into_view_if_needed()
            page.wait_for_selector("body[data-ready]")
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            look_at(page, f"{where}, {width} px, {scheme}")


def each_person(pages: Pages) -> pytest.MarkDecorator:
    """Once for each person who looks at pages of a list."""
    return pytest.mark.parametrize("login", dict.fromkeys(login for login, _ in pages))


def look_at_pages(served: Served, login: str | None, pages: Pages) -> None:
    """Look, as one person, at each page of a list that is theirs."""
    places = {f"task{step}": task_address(served, step) for step in range(1, 10)}
    places |= {f"process{step}": served.desk.waiting_at(step) for step in range(1, 10)}
    page = served.person(login)
    for address in [address.format(**places) for who, address in pages if who == login]:
        look_at_all_four(page, f"{login} {address}", partial(page.goto, address))
