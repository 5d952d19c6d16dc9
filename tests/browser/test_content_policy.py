"""What the content policy forbids, asked of Chromium: text that becomes HTML where nobody said so."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Served, wait_until
from tests.browser.looking import task_address
from tests.browser.test_modeler import begin, canvas

MAKING = {
    "HTML": "document.createElement('div').innerHTML = '<b>x</b>'",
    "a page": "new DOMParser().parseFromString('<b>x</b>', 'text/html')",
    "a part of one": "document.createRange().createContextualFragment('<b>x</b>')",
    "a policy": "trustedTypes.createPolicy('jahat', {createHTML: text => text})",
    "one that is there": "trustedTypes.createPolicy('default', {createHTML: text => text})",
}


def refused(served: Served, page: Page, text: str) -> bool:
    """Whether the browser refuses to do something, and says so."""
    said: bool = page.evaluate(
        f"() => {{ try {{ {text}; return false; }} catch (error) {{ return error instanceof TypeError; }} }}")
    page.wait_for_timeout(20)
    served.complaints[:] = [one for one in served.complaints if "Trusted" not in one]    # that it says so was asked for
    return said


@pytest.mark.parametrize("address", ["/", "/proses", "task", "instance", "/masuk"])
def test_text_becomes_html_only_where_it_is_said_so(served: Served, address: str) -> None:
    page = served.person(None if address == "/masuk" else "camat")
    places = {"task": task_address(served, 5), "instance": f"/proses/{served.desk.waiting_at(5)}"}
    page.goto(places.get(address, address))
    if address == "instance":
        wait_until(page, "() => 'ready' in document.body.dataset")
        assert page.locator("svg .djs-element").count() > 10, "the viewer has drawn all the same"
    assert {what: refused(served, page, text) for what, text in MAKING.items()} == dict.fromkeys(MAKING, True)
    assert not refused(served, page, "document.createElement('div').textContent = '<b>x</b>'")


def test_the_modelers_page_alone_goes_without_and_runs_no_script_from_text_either(served: Served) -> None:
    page = canvas(served, begin(served))
    assert not refused(served, page, MAKING["HTML"])
    page.evaluate("""() => { const part = document.createElement('div'); document.body.append(part);
                             part.innerHTML = '<img src="blob:none" onerror="window.ran = true">'; }""")
    page.wait_for_timeout(300)
    assert page.evaluate("window.ran === undefined")
    assert any("inline event handler" in one for one in served.complaints)
    served.complaints.clear()


def test_what_is_kept_in_the_browser_or_stands_in_the_address_changes_no_object_of_the_page(served: Served) -> None:
    page = served.person("camat")
    page.goto(task_address(served, 1))
    name = page.evaluate("""() => { const field = document.querySelector("[name='isian.arahan']"); field.value = 'x';
        field.dispatchEvent(new Event('input', { bubbles: true })); return Object.keys(localStorage)[0]; }""")
    hostile = """{"at": "2999-01-01T00:00:00Z", "__proto__": {"masuk": 1}, "constructor": {"prototype": {"masuk": 1}},
        "entries": [["__proto__", "1"], ["constructor", "2"], ["__proto__.masuk", "3"],
        ["isian.arahan", "dipulihkan"]]}"""
    page.wait_for_load_state("networkidle")
    page.evaluate("([name, kept]) => localStorage.setItem(name, kept)", [name, hostile])
    page.goto(task_address(served, 1) + "?__proto__[masuk]=1&constructor[prototype][masuk]=1#__proto__")
    wait_until(page, "() => document.querySelector(\"[name='isian.arahan']\").value === 'dipulihkan'")
    assert page.evaluate("({}).masuk === undefined")
