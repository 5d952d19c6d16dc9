"""More time in a real Chromium: asked on the task's page, decided from the inbox, sound wherever it is shown."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from engine.commands import AskExtension, GrantExtension, RefuseExtension
from engine.handle import Request, handle
from tests.browser.conftest import Served
from tests.browser.looking import look_at, task_address


def ask(served: Served, step: int, who: str, until: str, decided: str = "") -> None:
    """A request for more time as it stands after somebody asked and, where it is said, the head has decided."""
    desk = served.desk
    id = desk.waiting_at(step)
    [number] = desk.instance(id).user_tasks
    requests = [
        Request(
            id=f"minta-{step}",
            act=AskExtension(user_task=number, until=until, reason="Data kinerja dari dua seksi belum lengkap."),
            person=who,
            at=desk.clock(),
        )
    ]
    if decided == "granted":
        requests.append(Request(id="beri", act=GrantExtension(user_task=number), person="camat", at=desk.clock()))
    elif decided == "refused":
        act = RefuseExtension(user_task=number, reason="Tenggat penyampaian sudah dekat.")
        requests.append(Request(id="tolak", act=act, person="camat", at=desk.clock()))
    with desk.database.begin() as db:
        handle(db, desk.app.extensions["alur"].rules, desk.database.key, id, requests)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_pages_about_more_time_are_sound_at_both_widths_and_schemes(
    served: Served, width: int, scheme: str
) -> None:
    ask(served, 5, "tim1", "2026-12-30")
    ask(served, 3, "tim1", "2027-01-22", "granted")
    ask(served, 8, "tim1", "2026-12-18", "refused")
    process = f"/proses/{served.desk.waiting_at(3)}"
    seen = {
        "camat": ["/", f"{task_address(served, 5)}/perpanjangan", task_address(served, 5), process],
        "tim1": ["/", *(task_address(served, step) for step in (3, 5, 8)), f"{process}/lembar-kendali"],
    }
    for login, addresses in seen.items():
        page = served.person(login, width, scheme)
        for address in addresses:
            page.goto(address)
            if page.locator("#diagram").count():
                page.locator("#diagram").scroll_into_view_if_needed()
                page.wait_for_selector("body[data-ready]")
            for folded in page.locator("#perpanjangan summary").all():
                folded.click()
            look_at(page, f"{login} {address}")
    page = served.person("tim1", width, scheme)
    page.goto(task_address(served, 5))
    page.locator("#perpanjangan summary").click()
    page.fill("#i-perpanjangan-sampai", "2026-12-08")
    page.locator("#perpanjangan button").click()
    expect(page.locator("#galat")).to_be_focused()
    look_at(page, "a request with mistakes")
    page = served.person("camat", width, scheme)
    page.goto(f"{task_address(served, 5)}/perpanjangan")
    page.get_by_role("button", name="Tolak permintaan").click()
    expect(page.locator("#i-tolak-alasan-galat")).to_be_visible()
    look_at(page, "a decision with mistakes")


def test_more_time_is_asked_and_given_without_javascript(served: Served) -> None:
    tim = served.person("tim1", javascript=False)
    tim.goto(task_address(served, 5))
    tim.locator("#perpanjangan summary").click()
    tim.fill("#i-perpanjangan-sampai", "2026-12-30")
    tim.fill("#i-perpanjangan-alasan", "Data belum lengkap.")
    tim.get_by_role("button", name="Kirim permintaan").click()
    expect(tim.locator(".message").first).to_contain_text("sudah tercatat")
    camat = served.person("camat", javascript=False)
    camat.get_by_role("link", name="Putuskan").click()
    camat.get_by_role("button", name="Berikan perpanjangan").click()
    expect(camat.locator(".message").first).to_contain_text("Perpanjangan diberikan")
    [task] = served.desk.instance(served.desk.waiting_at(5)).user_tasks.values()
    assert task.extended and task.norm_at and task.late_at and task.late_at - task.norm_at > timedelta(days=7)
