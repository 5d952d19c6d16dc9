"""The player in a real Chromium: it plays, steps, is sent as a link, is worked by keys, and has a twin in a table."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect

from engine import handle
from engine.commands import Act, AttachDocument, CompleteUserTask
from engine.handle import Request
from tests.browser.conftest import Served, wait_until
from tests.browser.looking import look_at
from tests.desk import ANSWERS, KEY, PERFORMERS, attachment, parsed

READY = "() => document.body.dataset.ready === '1'"


def sent_back(served: Served) -> str:
    """An LKjPD that came back once from the signature."""
    id = served.desk.waiting_at(7)
    served.desk.complete(id, 7, **{"isian.keputusan": "kembalikan", "isian.koreksi.0.koreksi": "Angka keliru."})
    return id


def opened(served: Served, id: str, at: int | None = None, **how: object) -> Page:
    page = served.person("auditor", **how)  # type: ignore[arg-type]
    page.goto(f"/audit/{id}" + (f"?saat={at}" if at else ""))
    return page


def marked(page: Page, status: str) -> list[str]:
    """Ids of the shapes that the diagram marks so."""
    found: list[str] = page.evaluate(
        "status => [...document.querySelectorAll(`.djs-shape.st-${status}`)].map(one => one.dataset.elementId)", status)
    return found


def test_an_instance_plays_from_its_start_to_where_it_came_back(served: Served) -> None:
    id = sent_back(served)
    page = opened(served, id, at=1)
    wait_until(page, READY)
    last = served.desk.instance(id).sequence
    assert "langkah_1" in marked(page, "active") and marked(page, "done") == []
    page.select_option("#laju", "350")
    page.click("[data-do=play]")
    expect(page.locator("[data-do=play]")).to_have_text("Jeda")
    expect(page.locator("#garis")).to_have_value(str(last))
    expect(page.locator("[data-do=play]")).to_have_text("Putar")
    assert marked(page, "returned") == ["langkah_5"] and "langkah_7" in marked(page, "done")
    expect(page.locator("#saat")).to_contain_text(f"Saat {last} dari {last}")
    expect(page.locator("#saat")).to_contain_text("Angka keliru.")
    assert page.url.endswith(f"saat={last}")


def test_a_moment_is_reached_by_keys_by_its_mark_by_the_table_and_by_a_link(served: Served) -> None:
    id = sent_back(served)
    last = served.desk.instance(id).sequence
    page = opened(served, id, at=3)
    wait_until(page, READY)
    page.focus("#saat")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#saat")).to_contain_text("Saat 4 dari")
    page.keyboard.press("Home")
    expect(page.locator("#saat")).to_contain_text("Saat 1 dari")
    page.keyboard.press("End")
    expect(page.locator("#saat")).to_contain_text(f"Saat {last} dari")
    page.click(".moments a[data-moment='2']")
    expect(page.locator("#saat")).to_contain_text("Saat 2 dari")
    assert page.url.endswith("saat=2")
    page.click(".player-mark[title^='Dikembalikan']")
    expect(page.locator("#saat")).to_contain_text(f"Saat {last} dari")
    shown = opened(served, id, at=2)
    wait_until(shown, READY)
    assert "langkah_2" in marked(shown, "active") or "langkah_1" in marked(shown, "active")


def test_tokens_move_along_the_flows_for_who_did_not_ask_for_less_motion(served: Served) -> None:
    id = served.desk.waiting_at(3)
    page = opened(served, id, at=1)
    page.emulate_media(reduced_motion="no-preference")
    page.reload()
    wait_until(page, READY)
    page.evaluate("""() => {
      window.seen = 0;
      new MutationObserver(all => all.forEach(one => one.addedNodes.forEach(node => {
        if (node.classList?.contains('player-token')) { window.seen += 1; window.fill = getComputedStyle(node).fill; }
      }))).observe(document.querySelector('#diagram'), { childList: true, subtree: true });
    }""")
    moved = next(one for one in page.evaluate("fetch(document.querySelector('[data-player]').dataset.src)"
                                              ".then(one => one.json())")["moments"][1:] if one["moves"])
    page.click(f".moments a[data-moment='{moved['n'] - 1}']")
    page.click("[data-do=on]")
    wait_until(page, "n => window.seen >= n", len(moved["moves"]))
    assert page.evaluate("window.fill") not in ("", "none", "rgb(0, 0, 0)")


def test_the_mark_of_the_diagram_library_is_seen_and_nothing_covers_it(served: Served) -> None:
    page = opened(served, served.desk.waiting_at(5))
    wait_until(page, READY)
    page.locator(".bjs-powered-by").scroll_into_view_if_needed()
    assert page.evaluate("""() => {
      const mark = document.querySelector('.bjs-powered-by'), box = mark.getBoundingClientRect();
      return mark.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
    }""")


def test_all_of_it_is_there_without_javascript(served: Served) -> None:
    id = sent_back(served)
    page = opened(served, id, at=2, width=390, javascript=False)
    expect(page.locator("#saat")).to_contain_text("Saat 2 dari")
    assert page.locator(".player-bar").is_hidden()
    page.click(".moments a[data-moment='5']")
    expect(page.locator("#saat")).to_contain_text("Saat 5 dari")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_the_player_is_sound_at_both_widths_and_in_both_schemes(served: Served, width: int, scheme: str) -> None:
    page = opened(served, served.desk.waiting_at(6), width=width, scheme=scheme)
    wait_until(page, READY)
    look_at(page, f"the player, {width} {scheme}")
    page.goto("/audit")
    look_at(page, f"the list, {width} {scheme}")


# How long


def returned_often(served: Served, rows: int) -> str:
    """An LKjPD that went round between its steps 5 and 7 until its journal has that many rows."""
    desk = served.desk
    id, number = desk.waiting_at(5), 0
    rules, folder = desk.app.extensions["alur"].rules, desk.app.extensions["alur"].settings.data_dir
    back = {"isian.keputusan": "kembalikan", "isian.koreksi.0.koreksi": "Angka keliru."}
    while desk.instance(id).sequence < rows:
        with desk.database.begin() as db:
            instance = desk.instance(id)
            [(task, one)] = instance.user_tasks.items()
            step = int(one.element.removeprefix("langkah_"))
            answers = {**ANSWERS[step](None), "isian.mengubah_angka": "tidak"} if step != 7 else back
            form = rules.definition(instance.definition).elements[one.element].form
            acts: list[Act] = [AttachDocument(document=type, user_task=task, attachment=attachment(db, folder, type))
                               for type in (name.removeprefix("berkas.") for name in answers
                                            if name.startswith("berkas."))]
            acts.append(CompleteUserTask(user_task=task, data=parsed(form, answers)))
            requests = []
            for act in acts:
                number += 1
                requests.append(Request(id=f"putaran-{number}", act=act, person=PERFORMERS[step], at=desk.clock()))
            handle.handle(db, rules, KEY, id, requests)
    return id


@pytest.mark.soak
def test_five_hundred_events_open_whole(served: Served, soak_table: dict[str, str]) -> None:
    id = returned_often(served, 500)
    rows = served.desk.instance(id).sequence
    opened(served, served.desk.waiting_at(3))  # the app and the browser have seen a player before
    page = served.person("auditor")
    began, worked = time.monotonic(), time.process_time()
    page.goto(f"/audit/{id}")
    wait_until(page, READY)
    seconds, server = time.monotonic() - began, time.process_time() - worked  # the server is a thread of this process
    assert page.locator("table.moments tbody tr").count() == rows >= 500
    expect(page.locator("#garis")).to_have_attribute("max", str(rows))
    soak_table["500 events opened in the player: proved again, on the page and drawn, sqlite"] = (
        f"{seconds:.1f} s, of it {server:.1f} s of the server's processor")
