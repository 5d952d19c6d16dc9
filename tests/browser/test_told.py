"""Reminders above the tasks, in a real Chromium: sound at both widths, and read without JavaScript too."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from engine.store import notices
from tests.browser.conftest import Served
from tests.browser.looking import look_at
from tests.forms.test_told import tell


@pytest.mark.parametrize(("width", "scheme", "javascript"), [(1280, "light", True), (390, "dark", True),
                                                             (390, "light", False)])
def test_reminders_are_read_one_by_one_and_all_at_once(
    served: Served, width: int, scheme: str, javascript: bool
) -> None:
    desk = served.desk
    [task] = desk.instance(desk.waiting_at(3)).user_tasks.values()
    assert task.late_at is not None
    desk.clock.at = task.late_at + timedelta(minutes=1)
    tell(desk)
    page = served.person("tim1", width, scheme, javascript)
    reminders = page.locator("section[aria-labelledby=pemberitahuan] li")
    expect(reminders).to_have_count(3)
    if javascript:
        look_at(page, "the inbox with reminders")
    first = reminders.first.locator("strong").inner_text()
    one = reminders.first.get_by_role("button", name="Tandai sudah dibaca")
    if width > 500:
        one.click()
    else:                                   # a phone has the tasks next; one by one they are marked on their own page
        expect(one).to_have_count(0)
        page.get_by_role("link", name="Semua pemberitahuan").click()
        page.locator("main li", has_text=first).get_by_role("button", name="Sudah dibaca").click()
        expect(page.locator("main li", has_text=first).get_by_role("button", name="Sudah dibaca")).to_have_count(0)
        page.goto("/")
    expect(page.locator("section[aria-labelledby=pemberitahuan]")).not_to_contain_text(first)
    expect(reminders).to_have_count(3)      # the next one has moved up
    with served.desk.database.read() as db:
        before = notices.count_unread(db, "tim1")
    page.get_by_role("button", name="Tandai semua sudah dibaca").click()
    expect(page.locator("h1")).to_have_text("Kotak Tugas")
    with served.desk.database.read() as db:
        assert notices.count_unread(db, "tim1") == before - 3
