"""Pindahkan in a real Chromium: a counterpart is chosen on two diagrams, many go over, and a closed page loses none."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from engine import drafting, migrate
from engine.deploy import SYSTEM, deploy
from engine.events import ProcessInstanceMigrated
from engine.store import drafts, instances
from tests.browser.conftest import Served, wait_until
from tests.browser.looking import look_at, look_at_all_four
from tests.desk import LASEM, LKJPD
from tests.forms.test_migration import PAGE, drawn


def deployed(served: Served, data: bytes, reason: str = "Versi 2") -> str:
    with served.desk.database.begin() as db:
        at = served.desk.clock()
        return deploy(db, served.desk.database.key, data, actor=SYSTEM, reason=reason, at=at).version.sha256


def moved(served: Served, id: str) -> list[ProcessInstanceMigrated]:
    with served.desk.database.read() as db:
        told = [one for step, _ in instances.steps(db, id) for one in step.events]
    return [one for one in told if isinstance(one, ProcessInstanceMigrated)]


def everything(served: Served) -> list[str]:
    with served.desk.database.read() as db:
        return [id for id, _title, _instance in migrate.open_instances(db, LKJPD)]


def standing_still(page: Page) -> None:
    """From now on nothing goes on by itself: as if the line were too slow for the script."""

    def refuse(route: Route) -> None:
        route.fulfill(status=200, content_type="text/javascript", body="")

    page.route("**/goes_on.js*", refuse)


def shape(page: Page, side: str, element: str) -> Any:
    return page.locator(f"[data-map-{side}] g.djs-element[data-element-id='{element}'] .djs-hit").first


def test_an_owner_maps_on_two_diagrams_takes_a_dozen_over_and_one_back(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "TOGETHER", 5)
    for year in (2031, 2032, 2033):
        served.desk.begin(year)
    to = deployed(served, drawn())
    page = served.person("pengelola1")
    page.goto(f"{PAGE}?ke=2")
    page.wait_for_selector("body[data-ready]")
    expect(page.locator("[data-map-said]")).to_contain_text("Tekan unsur bertanda pada diagram lama")
    shape(page, "new", "pengesahan").click()                # nothing is picked yet: it says what to do first
    expect(page.locator("select[name='peta.langkah_7']")).to_have_value("")
    shape(page, "old", "langkah_7").click()
    expect(page.locator("[data-map-said]")).to_contain_text("Pilih padanan untuk: Langkah 7")
    expect(page.locator("[data-map-new] .map-may")).to_have_count(9)
    page.click("[data-map-zoom=fit]")
    shape(page, "new", "mulai").click()                     # a start is no counterpart of a step
    expect(page.locator("[data-map-said]")).to_contain_text("tidak dapat menjadi padanannya")
    shape(page, "new", "pengesahan").click()
    expect(page.locator("select[name='peta.langkah_7']")).to_have_value("pengesahan")
    expect(page.locator(".map-badge-done")).to_have_count(2)
    page.click("form[data-map] button:not([type=button])")
    expect(page.locator("table.migrating")).to_contain_text("langkah 7, Mengesahkan")
    assert "peta.langkah_7=pengesahan" in page.url
    page.fill("#alasan", "Versi 2 disahkan")
    page.click("button[value=semua]")
    expect(page.locator(".progress")).to_contain_text("12 dari 12 berkas")      # by itself, five at a time
    expect(page.locator(".message")).to_contain_text("12 berkas sudah dipindahkan.")
    expect(page.locator("main")).to_contain_text("Dijalankan ulang dari catatannya: 12 dari 12 berkas sama.")
    ids = everything(served)
    assert len(ids) == 12 and all(served.desk.instance(id).definition == to for id in ids)
    look_at(page, "a run that is done")

    page.click("text=Kembalikan ke versi sebelumnya")
    box = page.locator("#kembali ~ form .tick", has_text="LKjPD Tahun 2027")
    box.click()
    page.fill("#alasan_kembali", "Camat belum setuju")
    page.click("#kembali ~ form button[value=dicentang]")
    expect(page.locator(".message")).to_contain_text("1 berkas sudah dikembalikan.")
    assert [id for id in ids if served.desk.instance(id).definition != to] == [served.desk.waiting_at(7)]


def test_two_owners_at_once_take_each_instance_over_once(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "TOGETHER", 2)
    to = deployed(served, drawn())
    pages = [served.person(who) for who in ("pengelola1", "pengelola2")]
    for page in pages:
        standing_still(page)
        page.goto(f"{PAGE}?ke=2&peta.langkah_7=pengesahan")
        page.fill("#alasan", "Versi 2 disahkan")
    for page in pages:                              # both press before either of them has begun
        page.click("button[value=semua]")
        expect(page.locator(".progress")).to_contain_text("0 dari 9 berkas")
    for page in pages:
        page.unroute("**/goes_on.js*")
        page.reload(wait_until="commit")
    for page in pages:
        expect(page.locator(".progress")).to_contain_text("9 dari 9 berkas")
        expect(page.locator("main")).not_to_contain_text("Ditolak")
    for id in everything(served):
        assert len(moved(served, id)) == 1 and served.desk.instance(id).definition == to


def test_a_page_that_was_closed_in_the_middle_goes_on_when_it_is_opened_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "TOGETHER", 2)
    to = deployed(served, drawn())
    page = served.person("pengelola1")
    standing_still(page)
    page.goto(f"{PAGE}?ke=2&peta.langkah_7=pengesahan")
    page.fill("#alasan", "Versi 2 disahkan")
    page.click("button[value=semua]")
    page.click("form[data-goes-on] button")
    expect(page.locator(".progress")).to_contain_text("2 dari 9 berkas")
    page.context.close()
    assert sum(served.desk.instance(id).definition == to for id in everything(served)) == 2
    other = served.person("pengelola2")             # another day, another owner
    other.goto(PAGE)
    expect(other.locator(".message")).to_contain_text("Pemindahan ke versi 2 belum selesai: 2 dari 9 berkas.")
    other.click(".message a.button")
    expect(other.locator(".progress")).to_contain_text("9 dari 9 berkas")
    assert all(len(moved(served, id)) == 1 for id in everything(served))


def test_without_javascript_lists_and_buttons_do_the_same(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "TOGETHER", 5)
    to = deployed(served, drawn())
    page = served.person("pengelola1", javascript=False)
    page.goto(f"{PAGE}?ke=2")
    expect(page.locator("[data-map-pair]")).to_be_hidden()
    page.select_option("select[name='peta.langkah_7']", "pengesahan")
    page.click("form[data-map] button:not([type=button])")
    page.fill("#alasan", "Versi 2 disahkan")
    page.click("button[value=semua]")
    expect(page.locator(".progress")).to_contain_text("0 dari 9 berkas")
    for done in (5, 9):
        page.click("form[data-goes-on] button")
        expect(page.locator(".progress")).to_contain_text(f"{done} dari 9 berkas")
    assert all(served.desk.instance(id).definition == to for id in everything(served))


def test_a_mapping_is_chosen_by_keyboard_and_shown_on_both_diagrams(served: Served) -> None:
    deployed(served, drawn())
    page = served.person("pengelola1")
    page.goto(f"{PAGE}?ke=2")
    page.wait_for_selector("body[data-ready]")
    page.locator("select[name='peta.langkah_7']").focus()
    page.keyboard.press("End")
    expect(page.locator("[data-map-said]")).to_contain_text("Padanan dipilih:")
    wait_until(page, "() => document.querySelectorAll('[data-map-new] .map-done').length === 1")


def test_the_pages_are_sound_at_both_widths_and_in_both_schemes(served: Served) -> None:
    deployed(served, drawn())
    with served.desk.database.begin() as db:
        at = served.desk.clock()
        draft = drafting.begin(db, drawn(("P10D", "P11D")), unit=LASEM, person="pengelola1", at=at)
        assert drafts.get(db, draft.id)
    page = served.person("pengelola1")

    def come(address: str) -> None:
        page.goto(address)
        if page.locator("[data-map-pair]").count():
            page.wait_for_selector("body[data-ready]")

    for address in (
        f"{PAGE}?ke=2",
        f"{PAGE}?ke=2&peta.langkah_7=pengesahan&peta.langkah_6=langkah_5",
        f"{PAGE}?ke=2&peta.tidak_ada=pengesahan&hasil=stays",
        f"/perancang/rancangan/{draft.id}/pindahkan",
    ):
        look_at_all_four(page, address, partial(come, address))
    standing_still(page)
    come(f"{PAGE}?ke=2")
    page.click("button[value=semua]")
    expect(page.locator("#alasan")).to_have_attribute("aria-invalid", "true")
    look_at(page, "without a reason")
    page.fill("#alasan", "Versi 2 disahkan")
    page.click("button[value=semua]")
    look_at_all_four(page, "a run under way", partial(come, page.url))
