"""Perancang in a real Chromium: a change on its way into force, what two diagrams differ in, and without JavaScript."""

from __future__ import annotations

from functools import partial

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Served, wait_until
from tests.browser.looking import look_at, look_at_all_four
from tests.desk import LKJPD, pdf
from tests.forms.test_publishing import NUDGED, RENAMED, SOP, begun, edit, ratified, versions

NOTE = (
    (
        '      <bpmndi:BPMNShape id="langkah_5_di"',
        '      <bpmndi:BPMNShape id="catatan_di" bpmnElement="catatan"><dc:Bounds x="700" y="20" '
        'width="120" height="40" />'
        '</bpmndi:BPMNShape>\n      <bpmndi:BPMNShape id="langkah_5_di"',
    ),
    (
        "  </bpmn:process>",
        '    <bpmn:textAnnotation id="catatan"><bpmn:text>Lihat SOP Reviu</bpmn:text></bpmn:textAnnotation>\n'
        "  </bpmn:process>",
    ),
)

MOVED = ('x="1490" y="130"', 'x="1496" y="130"')


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_an_owner_changes_the_sop_another_verifies_it_and_the_head_ratifies_it(served: Served) -> None:
    desk, owner = served.desk, served.person("pengelola1")
    owner.goto(SOP)
    owner.locator(".head button.primary").click()
    owner.wait_for_url("**/perancang/rancangan/**")
    id = owner.url.split("/perancang/rancangan/")[1].split("/")[0]
    edit(desk, id, RENAMED)

    look_at_all_four(owner, "Periksa", partial(owner.goto, f"/perancang/rancangan/{id}/periksa"))
    owner.fill("[name=alasan]", "Rapat evaluasi 1 Desember")
    owner.fill("[name=berlaku]", "2026-12-10")
    press(owner, "Ajukan")
    expect(owner.locator(".message").first).to_contain_text("Rancangan diajukan")
    address = owner.url
    expect(owner.get_by_role("button", name="Verifikasi", exact=True)).to_have_count(0)

    other = served.person("analis")
    other.goto("/perancang")
    expect(other.locator("main")).to_contain_text("Menunggu verifikasi Anda")
    other.goto(address)
    look_at(other, "a proposal to verify")
    other.fill("[name=catatan]", "Sesuai pedoman")
    press(other, "Verifikasi")
    expect(other.locator(".lead")).to_contain_text("Menunggu pengesahan oleh Camat Lasem")

    head = served.person("camat")
    look_at_all_four(head, "a proposal to ratify", partial(head.goto, address))
    head.fill("[name=nomor]", "000.8.3.3/7/2026")
    head.locator("input[type=file]").set_input_files(
        {"name": "pengesahan.pdf", "mimeType": "application/pdf", "buffer": pdf("disahkan")}
    )
    press(head, "Sahkan")
    expect(head.locator(".message").first).to_contain_text("mulai 10 Desember 2026")

    first, second = versions(desk)
    assert desk.instance(desk.begin(2031)).definition == first.sha256
    desk.later(days=3)
    assert desk.instance(desk.begin(2032)).definition == second.sha256
    owner = served.person("pengelola1")  # three days later: the session before is over
    owner.goto(SOP)
    expect(owner.locator("#v2")).to_contain_text("Disahkan Camat Lasem, 7 Desember 2026, nomor 000.8.3.3/7/2026")
    look_at(owner, "the SOP with two versions")


STROKE = """id => {
    const shape = document.querySelector(`[data-diagram=after] [data-element-id="${id}"] .djs-visual > :not(defs)`);
    const style = getComputedStyle(shape);
    return [style.stroke, style.strokeWidth, style.strokeDasharray];
}"""
BADGE = """side => [...document.querySelectorAll(`[data-diagram=${side}] .change-badge`)]
    .map(one => getComputedStyle(one, '::before').content.replaceAll('"', '') + one.textContent).sort()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_changed_is_marked_on_both_diagrams_with_a_line_a_shape_and_a_word(served: Served, scheme: str) -> None:
    id = begun(served.desk, RENAMED, *NOTE, MOVED)
    page = served.person("analis", scheme=scheme)
    page.goto(f"{SOP}/banding?dari=v1&ke={id}")
    page.wait_for_selector("body[data-ready]")
    plain, changed, added = (page.evaluate(STROKE, one) for one in ("langkah_2", "langkah_5", "catatan"))
    assert len({tuple(plain), tuple(changed), tuple(added)}) == 3, (plain, changed, added)
    assert changed[1] == added[1] == "4px" and changed[2] != added[2]
    before, after = page.evaluate(BADGE, "before"), page.evaluate(BADGE, "after")
    assert "≠berubah" in before and "≠berubah" in after
    assert "+baru" in after and "+baru" not in before and "↔digeser" in after
    assert (
        page.evaluate(
            """() => [...document.querySelectorAll('[data-diagram] .bjs-powered-by')].filter(one => {
            const box = one.getBoundingClientRect(); return box.width > 20 && one.checkVisibility(); }).length"""
        )
        == 2
    ), "the bpmn.io mark stays visible on every diagram"
    look_at(page, f"the comparison, {scheme}")


def test_the_diagrams_move_together_and_take_turns_in_one_place(served: Served) -> None:
    id = begun(served.desk, RENAMED)
    page = served.person("analis")
    page.goto(f"{SOP}/banding?dari=v1&ke={id}")
    page.wait_for_selector("body[data-ready]")
    matrix = "side => document.querySelector(`[data-diagram=${side}] .viewport`).getAttribute('transform')"
    at_first = page.evaluate(matrix, "before")
    page.get_by_role("link", name="Tunjukkan pada gambar").first.click()
    wait_until(page, f"first => ({matrix})('before') !== first", at_first)
    assert page.evaluate(matrix, "before") == page.evaluate(matrix, "after")
    press(page, "Bergantian")
    expect(page.locator("[data-diagram=before]")).to_be_hidden()
    press(page, "Tukar sebelum dan sesudah")
    expect(page.locator("[data-diagram=before]")).to_be_visible()
    expect(page.locator("[data-diagram=after]")).to_be_hidden()


def test_without_javascript_the_list_says_it_all_and_the_ways_into_force_work(served: Served) -> None:
    desk = served.desk
    ratified(desk, RENAMED)
    owner = served.person("pengelola1", javascript=False)
    owner.goto(f"{SOP}/banding?dari=v1&ke=v2")
    expect(owner.locator("main")).to_contain_text("nama diubah dari")
    expect(owner.locator("[data-diagram]").first).to_be_hidden()

    # Only the drawing: a second owner, and no pengesahan.
    id = begun(desk, NUDGED)
    owner.goto(f"/perancang/rancangan/{id}/periksa")
    owner.fill("[name=alasan]", "Agar lebih rapi")
    press(owner, "Ajukan")
    second = served.person("pengelola2", javascript=False)
    second.goto(owner.url)
    press(second, "Setujui perubahan gambar")
    expect(second.locator(".message").first).to_contain_text("disetujui")

    # Back to the first version: a proposal like any other.
    owner.goto(f"{SOP}#v1")
    again = owner.locator("#v1")
    again.locator("summary", has_text="Sahkan lagi versi ini").click()
    again.locator("[name=alasan]").fill("Perubahan itu keliru")
    again.get_by_role("button").click()
    expect(owner.locator(".message").first).to_contain_text("Versi 1 diajukan")

    head = served.person("camat", javascript=False)
    head.goto(SOP)
    head.locator("summary", has_text="Cabut SOP ini").click()
    head.fill("[name=alasan_cabut]", "Diganti aplikasi kabupaten")
    press(head, "Cabut SOP")
    expect(head.locator(".lead")).to_contain_text("SOP ini dicabut")
    assert [one.cosmetic for one in versions(desk)] == [False, False, True]
    secretary = served.person("sekcam", javascript=False)
    secretary.goto("/proses")
    expect(secretary.locator(f"a[href='/proses/mulai/{LKJPD}']")).to_have_count(0)
