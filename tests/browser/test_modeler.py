"""The canvas in a real Chromium: every feature, two people on one draft, a lost line, a crash, an ended session."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from engine import diagram, drafting
from engine.changes import between
from engine.store import definitions, drafts
from tests.browser.conftest import Served, wait_until
from tests.browser.looking import SCHEMES, axe, look_at_all_four
from tests.desk import DIAGRAMS, LASEM, LKJPD

DIAGRAM = DIAGRAMS / LKJPD / f"{LKJPD}.bpmn"
# BPMN's own names stand in brackets behind ours, and the mark of bpmn.io may not be changed (its licence).
ENGLISH = re.compile(
    r"\b(add|align|append|cancel|change|close|color|colour|connect|create|delete|distribute|divide|element is|entries|"
    r"entry|errors?|finish(ed)?|found|focus|issues?|loading|matching|missing|move|not|open|pause|play|powered|remove|"
    r"reset|search|select|set|show|simulation|start(ed)?|the|toggle|token|tool|unsupported|warnings?|with)\b",
    re.I,
)


def begin(served: Served, data: bytes | None = None, login: str = "pengelola1") -> str:
    """The id of a draft of the newest LKjPD, or of these bytes."""
    with served.desk.database.begin() as db:
        version = definitions.newest(db, LKJPD)
        assert version is not None
        given = data or definitions.export(db, LKJPD) or b""
        draft = drafting.begin(db, given, unit=LASEM, person=login, at=served.desk.clock(), base=version.sha256)
    return draft.id


def stored(served: Served, id: str) -> tuple[drafts.Draft, bytes]:
    with served.desk.database.read() as db:
        draft, data = drafts.get(db, id), drafts.content(db, id)
    assert draft is not None and data is not None
    return draft, data


def canvas(served: Served, id: str, page: Page | None = None, query: str = "", **person: Any) -> Page:
    page = page or served.person("pengelola1", **person)
    page.goto(f"/perancang/rancangan/{id}/kanvas{query}")
    page.wait_for_selector("body[data-ready]")
    checked(page)
    return page


def checked(page: Page) -> None:
    wait_until(page, "() => document.querySelector('.findings-summary').textContent")
    wait_until(page, "() => !document.querySelector('#temuan').dataset.asking")


def saved(page: Page) -> None:
    """Waits until the page says that everything is stored."""
    wait_until(page, "() => document.querySelector('#tersimpan').dataset.state === 'saved'")


def shape(page: Page, element: str) -> Any:
    return page.locator(f"#kanvas g.djs-element[data-element-id='{element}']").first


def middle(page: Page, element: str) -> tuple[float, float]:
    box = shape(page, element).locator("> .djs-visual").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def select(page: Page, *elements: str) -> None:
    page.evaluate(
        """ids => { const m = perancang.modeler, all = m.get('elementRegistry');
            m.get('selection').select(ids.map(id => all.get(id))); }""",
        list(elements),
    )


def pad(page: Page, action: str) -> None:
    page.locator(f".djs-context-pad [data-action='{action}']").click()


def style(page: Page, selector: str, name: str) -> str:
    found: str = page.evaluate("([s, n]) => getComputedStyle(document.querySelector(s))[n]", [selector, name])
    return found


def in_english(page: Page) -> list[str]:
    """What is read, or said by a title or a label, in English."""
    texts: list[str] = page.evaluate(
        """() => { const found = new Set(); const kept = '.bjs-powered-by, #kanvas svg, #properti';
          const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walk.nextNode()) {
            const at = walk.currentNode.parentElement;
            if (!at.closest(kept) && at.checkVisibility()) found.add(walk.currentNode.textContent.trim());
          }
          for (const one of document.querySelectorAll('[title], [aria-label], [placeholder]')) {
            if (!one.closest('.bjs-powered-by')) {
              for (const name of ['title', 'aria-label', 'placeholder']) found.add(one.getAttribute(name) ?? '');
            }
          }
          return [...found]; }"""
    )
    return sorted(one for one in texts if ENGLISH.search(re.sub(r"\([^)]*\)", "", one)))


def test_an_owner_draws_with_everything_the_canvas_has(served: Served) -> None:
    id = begin(served)
    page = canvas(served, id, query="?pilih=langkah_3")
    assert "selected" in (shape(page, "langkah_3").get_attribute("class") or "")
    frame = page.locator("#kanvas").bounding_box()
    x, y = middle(page, "langkah_3")
    assert frame and abs(x - frame["x"] - frame["width"] / 2) < 30 and abs(y - frame["y"] - frame["height"] / 2) < 30
    assert page.locator(".findings-summary").inner_text() == "Tidak ada temuan."
    english = in_english(page)

    # Move with the mouse; it is saved by itself, and means what it meant.
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 4, steps=4)
    page.mouse.move(x + 50, y + 10, steps=4)
    page.mouse.up()
    expect(page.locator("#tersimpan")).to_contain_text("Belum tersimpan")
    saved(page)
    expect(page.locator("#tersimpan")).to_have_text(re.compile(r"^Tersimpan \d\d\.\d\d$"))
    draft, moved = stored(served, id)
    assert draft.revision == 2
    assert diagram.hashes(moved)[2] == diagram.hashes(DIAGRAM.read_bytes())[2]
    touched = {one.element for one in between(DIAGRAM.read_bytes(), moved)}
    assert "langkah_3" in touched and "langkah_7" not in touched
    page.locator("[data-do=undo]").click()
    saved(page)
    assert between(DIAGRAM.read_bytes(), stored(served, id)[1]) == ()

    # Append by search; what no process here carries is not offered.
    page.locator("[data-do=fit]").click()
    select(page, "langkah_9")
    pad(page, "append")
    search = page.locator(".djs-popup input")
    expect(search).to_be_visible()
    english += in_english(page)
    offered = page.locator(".djs-popup .entry").all_inner_texts()
    assert any("gateway paralel" in one for one in offered) and not any("skrip" in one for one in offered)
    search.press_sequentially("paralel")
    expect(page.locator(".djs-popup .entry")).to_have_count(1)
    page.keyboard.press("Enter")
    new = page.evaluate("() => perancang.modeler.get('selection').get()[0].id")
    assert page.evaluate("id => perancang.modeler.get('elementRegistry').get(id).type", new) == "bpmn:ParallelGateway"

    # The gate and the style rules speak up, in the list and on the canvas; a click goes to the element.
    wait_until(page, "() => document.querySelector('.finding-row .finding-error')")
    row = page.locator(".finding-row", has_text="Kesalahan").first
    assert page.locator("#kanvas .finding-badge").count() > 0
    assert page.locator("#kanvas .finding-badge").first.get_attribute("title")
    saved(page)
    gate = [one.message for one in diagram.check(stored(served, id)[1])]
    shown = page.locator(".finding-row:not(:has(.finding-advice)) .finding-said").all_inner_texts()
    assert sorted(gate) == sorted(shown)
    row.click()
    english += in_english(page)

    # Change its kind, colour it, name it; the colour is seen.
    select(page, new)
    pad(page, "replace")
    page.locator(".djs-popup .entry", has_text="eksklusif").click()
    select(page, new)
    pad(page, "set-color")
    expect(page.locator(".djs-popup .entry")).to_have_count(6)
    swatch = ".djs-popup .entry[data-id='blue-color'] rect"
    assert style(page, swatch, "strokeWidth") == "2px"
    english += in_english(page)
    page.locator(".djs-popup .entry[data-id='blue-color']").click()
    visual = f"g.djs-element[data-element-id='{new}'] .djs-visual > :not(defs)"
    assert style(page, visual, "stroke") == "rgb(13, 67, 114)" and style(page, visual, "fill") == "rgb(187, 222, 251)"
    page.mouse.dblclick(*middle(page, new))
    page.keyboard.type("Lengkap?")
    page.keyboard.press("Enter")
    expect(shape(page, f"{new}_label")).to_contain_text("Lengkap?")

    # Align two: their icons have lines.
    page.locator("[data-do=fit]").click()
    select(page, "langkah_1", "langkah_2")
    pad(page, "align-elements")
    assert style(page, ".djs-popup .entry line", "strokeWidth") == "100px"
    english += in_english(page)
    page.locator(".djs-popup .entry").first.click()

    # Create from the palette, the map, find.
    page.locator(".djs-palette [data-action='create']").click()
    expect(page.locator(".djs-popup input")).to_be_visible()
    english += in_english(page)
    page.keyboard.press("Escape")
    page.locator(".djs-minimap .toggle").click()
    expect(page.locator(".djs-minimap.open .map")).to_be_visible()
    assert style(page, ".djs-minimap .viewport-dom", "position") == "absolute"
    page.locator(".djs-minimap .toggle").click()
    page.locator("[data-do=find]").click()
    page.locator(".djs-search-input input").press_sequentially("reviu")
    expect(page.locator(".djs-search-result").first).to_contain_text("reviu")
    english += in_english(page)
    page.keyboard.press("Escape")

    # Try it: where it stands is coloured, and nothing that is drawn changes.
    saved(page)
    before = stored(served, id)[0].revision
    page.locator("[data-do=simulate]").click()
    page.locator(".bts-context-pad[title='Jalankan dari sini']:visible").first.click()
    expect(page.locator(".bts-scopes .bts-scope").first).to_be_visible()
    background = style(page, ".bts-scopes .bts-scope", "backgroundColor")
    assert background not in ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)")
    page.emulate_media(color_scheme="dark")  # its shapes stay white, so the mark beside them stays dark
    assert style(page, ".bjs-powered-by", "color") == "rgb(28, 35, 38)"
    page.emulate_media(color_scheme="light")
    wait_until(page, "() => document.querySelector('.bts-notification, .bts-log .bts-entry:not(.placeholder)')")
    page.locator(".bts-entry[title='Catatan simulasi']").click()
    expect(page.locator(".bts-log")).to_be_visible()
    english += in_english(page)
    page.locator("[data-do=simulate]").click()
    expect(page.locator("[data-do=simulate]")).to_have_text("Coba jalankan")
    assert stored(served, id)[0].revision == before

    # bpmn-js says of itself that it calls something old; that is no fault of the page.
    served.complaints[:] = [one for one in served.complaints if "getPad is deprecated" not in one]
    assert english == []
    assert page.evaluate("() => [...perancang.untranslated]") == []


def test_the_canvas_fits_the_window_and_the_mark_is_seen(served: Served) -> None:
    id = begin(served)
    page = served.person("pengelola1")
    for width, height in ((1280, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        canvas(served, id, page)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            where = f"{width} px, {scheme}"
            expect(page.locator(".bjs-powered-by")).to_be_in_viewport(ratio=1)
            assert page.evaluate(
                """() => { const box = document.querySelector('.bjs-powered-by').getBoundingClientRect();
                  return Boolean(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
                    .closest('.bjs-powered-by')); }"""
            ), f"{where}: something lies over the bpmn.io mark; its licence forbids that"
            wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wider <= 0, f"{where}: {wider} px wider than the window"
            axe(page, where)
    look_at_all_four(page, "simpanan", lambda: page.goto(f"/perancang/rancangan/{id}/simpanan"))


def test_what_was_copied_or_changed_in_kind_keeps_its_form(served: Served) -> None:
    id = begin(served)
    page = canvas(served, id)
    # Opened and written again, untouched: the same canonical XML; and nothing was saved by only looking.
    written = page.evaluate("() => perancang.modeler.saveXML({ format: true }).then(one => one.xml)").encode()
    assert diagram.hashes(written)[1:] == diagram.hashes(DIAGRAM.read_bytes())[1:]
    assert stored(served, id)[0].revision == 1 and stored(served, id)[1] == DIAGRAM.read_bytes()
    copy = page.evaluate(
        """() => { const m = perancang.modeler, all = m.get('elementRegistry'), lane = all.get('tim_penyusun');
          m.get('copyPaste').copy([all.get('langkah_3')]);
          const [pasted] = m.get('copyPaste').paste({ element: lane, point: { x: lane.x + 150, y: lane.y + 60 } });
          m.get('bpmnReplace').replaceElement(all.get('langkah_4'), { type: 'bpmn:ServiceTask' });
          m.get('bpmnReplace').replaceElement(all.get('langkah_4'), { type: 'bpmn:UserTask' });
          return pasted.id; }"""
    )
    saved(page)
    process = diagram.reread(stored(served, id)[1])
    before = diagram.reread(DIAGRAM.read_bytes())

    def said(one: Any) -> Any:
        return [(f.id, f.label, f.type, f.choices, f.columns, f.hint, f.required, f.slot) for f in one.form], {
            name: value for name, value in one.properties.items() if name != "sop.nomor"
        }

    assert said(process.elements[copy]) == said(before.elements["langkah_3"])
    assert said(process.elements["langkah_4"]) == said(before.elements["langkah_4"])
    assert process.elements["langkah_4"].kind == "userTask"


def rename(page: Page, element: str, name: str) -> None:
    page.evaluate(
        """([id, name]) => { const m = perancang.modeler;
          m.get('modeling').updateLabel(m.get('elementRegistry').get(id), name); }""",
        [element, name],
    )


def name_of(data: bytes, element: str) -> str:
    return diagram.reread(data).elements[element].name


def test_of_two_people_on_one_draft_nobody_overwrites_the_other(served: Served) -> None:
    id = begin(served)
    one = canvas(served, id)
    two = canvas(served, id, served.person("pengelola2"))
    # Here the clock goes on at each look at it, so that loading a page lasts as long as somebody is taken to be there.
    for page in (one, two):
        with page.expect_response("**/hadir"):
            page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    expect(two.locator("#hadir")).to_have_text("Pengelola SOP 1 juga membuka rancangan ini")
    rename(one, "langkah_1", "Menelaah surat")
    saved(one)
    rename(two, "langkah_2", "Menyusun tim")
    dialog = two.locator("dialog.choice")
    expect(dialog).to_contain_text("Pengelola SOP 1 menyimpannya")
    axe(two, "the choice between two people's work")
    assert name_of(stored(served, id)[1], "langkah_2") != "Menyusun tim"
    dialog.locator("button", has_text="Simpan milik saya sebagai rancangan baru").click()
    expect(dialog).to_have_count(0)
    expect(two.locator("#perancang-kabar")).to_contain_text("tersimpan sebagai rancangan baru")
    with served.desk.database.read() as db:
        [mine] = [one for one in drafts.listed(db) if one.created_by == "pengelola2"]
        assert drafts.savers(db, mine.id) == {"pengelola1", "pengelola2"}
    assert name_of(stored(served, mine.id)[1], "langkah_2") == "Menyusun tim"
    assert name_of(stored(served, id)[1], "langkah_1") == "Menelaah surat"
    assert two.evaluate("() => perancang.modeler.get('elementRegistry').get('langkah_1').businessObject.name") == (
        "Menelaah surat"
    )

    # The second time theirs is loaded, and one's own can still be had.
    rename(one, "langkah_1", "Menelaah")
    saved(one)
    rename(two, "langkah_2", "Menyusun lagi")
    dialog.locator("button", has_text="Muat yang tersimpan").click()
    expect(dialog).to_have_count(0)
    expect(two.locator("[data-kind=left]")).to_contain_text("belum tersimpan")
    two.locator("[data-kind=left] button", has_text="Simpan sebagai rancangan baru").click()
    expect(two.locator("[data-kind=left]")).to_have_count(0)
    with served.desk.database.read() as db:
        names = {name_of(drafts.content(db, one.id) or b"", "langkah_2") for one in drafts.listed(db)}
    assert "Menyusun lagi" in names


def test_unsaved_work_outlives_a_lost_line_a_crash_and_a_session(served: Served) -> None:
    id = begin(served)
    page = canvas(served, id)
    page.on("dialog", lambda asked: asked.accept())
    with served.cut_line(page):
        rename(page, "langkah_1", "Tanpa sambungan")
        expect(page.locator("#tersimpan")).to_have_text("Belum terkirim. Akan dikirim saat tersambung.")
    saved(page)
    assert name_of(stored(served, id)[1], "langkah_1") == "Tanpa sambungan"

    # The page dies with work that never reached the server.
    with served.cut_line(page):
        rename(page, "langkah_1", "Sebelum mati")
        expect(page.locator("#tersimpan")).to_have_text("Belum terkirim. Akan dikirim saat tersambung.")
        page.close()
    again = canvas(served, id, page.context.new_page())
    offer = again.locator("[data-kind=left]")
    expect(offer).to_contain_text("belum tersimpan")
    assert name_of(stored(served, id)[1], "langkah_1") == "Tanpa sambungan"
    offer.locator("button", has_text="Pulihkan").click()
    saved(again)
    assert name_of(stored(served, id)[1], "langkah_1") == "Sebelum mati"
    expect(again.locator("[data-kind=left]")).to_have_count(0)

    # The session ends meanwhile; signing in again in another window is enough.
    cookies = again.context.cookies()
    again.context.clear_cookies()
    rename(again, "langkah_1", "Tanpa sesi")
    expect(again.locator("[data-kind=session]")).to_contain_text("Sesi Anda sudah berakhir")
    expect(again.locator("#tersimpan")).to_contain_text("sesi Anda sudah berakhir")
    again.context.add_cookies(cookies)  # type: ignore[arg-type]
    again.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    saved(again)
    expect(again.locator("[data-kind=session]")).to_have_count(0)
    assert name_of(stored(served, id)[1], "langkah_1") == "Tanpa sesi"


def test_what_may_not_be_changed_can_still_be_read(served: Served) -> None:
    id = begin(served)
    page = canvas(served, id, served.person("analis"), query="?pilih=langkah_5")
    expect(page.locator("#perancang-kabar")).to_contain_text("Hanya pemilik SOP")
    assert "selected" in (shape(page, "langkah_5").get_attribute("class") or "")
    expect(page.locator(".djs-palette")).to_be_hidden()
    expect(page.locator(".djs-context-pad .entry")).to_have_count(0)
    x, y = middle(page, "langkah_5")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=5)
    page.mouse.up()
    page.keyboard.press("Delete")
    page.mouse.dblclick(x, y)
    page.keyboard.type("lain")
    page.wait_for_timeout(300)
    written = page.evaluate("() => perancang.modeler.saveXML({ format: true }).then(one => one.xml)").encode()
    assert between(DIAGRAM.read_bytes(), written) == ()


def test_without_javascript_there_are_the_table_and_the_file(served: Served) -> None:
    id = begin(served)
    page = served.person("pengelola1", javascript=False)
    page.goto(f"/perancang/rancangan/{id}/kanvas")
    expect(page.locator("main .message").first).to_be_visible()
    assert "memerlukan JavaScript" in page.content()
    expect(page.locator("main .message a[href$='/tabel']")).to_be_visible()
    with page.expect_download() as downloaded:
        page.locator("main .message a[href$='/unduh']").click()
    assert Path(downloaded.value.path()).read_bytes() == DIAGRAM.read_bytes()
    expect(page.locator("#kanvas")).to_be_hidden()


def test_a_step_in_a_subprocess_belongs_to_the_lane_in_which_it_is_drawn(served: Served) -> None:
    file = (DIAGRAMS.parent / "tests" / "diagrams" / "subprocess_nested.bpmn").read_bytes()
    page = canvas(served, begin(served, file))
    act = """async ([id, x, y]) => { const { modeler } = window.perancang;
        if (id) modeler.get('modeling').moveShape(modeler.get('elementRegistry').get(id), { x, y });
        else modeler.get('commandStack').undo();
        return (await modeler.saveXML()).xml; }"""

    def after(*what: Any) -> Any:
        return diagram.read(page.evaluate(act, list(what)).encode())

    assert after("cost_review", 10, 0).elements["cost_review"].lane == "head", "moved in its lane it stays there"
    assert after("review", 0, 10).elements["cost_review"].lane == "head", "and when the subprocess is moved with it"
    for _ in range(2):
        undone = after(None, 0, 0)
    assert undone.meaning_sha256 == diagram.read(file).meaning_sha256, "and what comes back means what it meant"
    assert after("big_review", 110, -20).elements["big_review"].lane == "staff"
    expect(page.locator(".djs-palette [data-action='create.subprocess-expanded']")).to_be_visible()
