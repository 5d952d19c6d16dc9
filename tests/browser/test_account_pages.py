"""Passkeys in a real browser, with a virtual authenticator; and the pages about one's own account."""

from __future__ import annotations

from functools import partial
from typing import Any

from playwright.sync_api import CDPSession, Page, expect

from engine import organisation as org
from engine import organise
from engine.commands import Actor
from engine.store import factors
from tests.browser.conftest import Served
from tests.browser.looking import look_at_all_four
from tests.desk import KEY, LASEM, LKJPD, PASSWORD


def at_home(served: Served) -> None:
    """The office's public address is the one under which it is served: passkeys are made for it."""
    served.address = served.address.replace("127.0.0.1", "localhost")
    settings = served.desk.app.extensions["alur"].settings
    object.__setattr__(settings, "url", served.address)


def authenticator(page: Page, verified: bool = True) -> tuple[CDPSession, str]:
    """A virtual authenticator of this page's browser: a phone that knows its person."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
               "isUserVerified": verified, "automaticPresenceSimulation": True}
    found: dict[str, Any] = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return devtools, found["authenticatorId"]


def enrol(page: Page, name: str = "Ponsel saya") -> None:
    page.goto("/akun/kunci-sandi")
    page.fill("#nama_kunci", name)
    page.fill("#sandi", PASSWORD)
    page.click("[data-passkey=create]")
    expect(page.locator("main ol code")).to_have_count(10)


def sign_out(page: Page) -> None:
    page.click("header button[name=ganti]")
    expect(page.locator("#nama")).to_be_visible()


def test_a_passkey_signs_in_instead_of_a_password_and_after_one(served: Served) -> None:
    at_home(served)
    page = served.person("camat")
    devtools, _ = authenticator(page)
    enrol(page)
    sign_out(page)
    page.click("[data-passkey=get]")
    expect(page.locator("h1")).to_have_text("Kotak Tugas")
    sign_out(page)
    page.fill("#nama", "camat")
    page.fill("#sandi", PASSWORD)
    page.click("main button.primary")
    expect(page.locator("h1")).to_have_text("Langkah kedua masuk")
    page.click("[data-passkey=get]")
    expect(page.locator("h1")).to_have_text("Kotak Tugas")
    page.goto("/akun")
    expect(page.locator("main")).to_contain_text("Ponsel saya")
    with served.desk.database.read() as db:
        [one] = factors.of_person(db, "camat")
    assert one.last_step == 3 or one.last_step == 2, "the authenticator counted, and we with it"
    devtools.detach()


def test_a_copied_passkey_is_known_by_its_counter(served: Served) -> None:
    at_home(served)
    page = served.person("camat")
    authenticator(page)
    enrol(page)
    with served.desk.database.begin() as db:
        [one] = factors.of_person(db, "camat")
        assert factors.use(db, one.id, before=one.last_step, step=1_000, at=served.desk.clock())
    sign_out(page)
    page.click("[data-passkey=get]")
    expect(page.locator("[role=alert]").first).to_contain_text("Kunci sandi tidak cocok")


def test_an_answer_is_taken_once(served: Served) -> None:
    at_home(served)
    page = served.person("camat")
    authenticator(page)
    enrol(page)
    sign_out(page)
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.post_data or "") if one.url.endswith("/masuk/kunci") else None)
    page.click("[data-passkey=get]")
    expect(page.locator("h1")).to_have_text("Kotak Tugas")
    assert len(sent) == 1 and "jawaban=" in sent[0]
    thief = served.person()
    thief.goto("/masuk")
    status = thief.evaluate(
        """async body => {
            const own = new URLSearchParams(body);
            own.set('csrf_token', document.querySelector('[name=csrf_token]').value);
            return (await fetch('/masuk/kunci', { method: 'POST', body: own })).status;
        }""",
        sent[0],
    )
    assert status == 401, "another session drew another challenge"


def test_an_authenticator_that_did_not_verify_its_person_is_no_password(served: Served) -> None:
    at_home(served)
    page = served.person("camat")
    devtools, id = authenticator(page)
    enrol(page)
    sign_out(page)
    devtools.send("WebAuthn.setUserVerified", {"authenticatorId": id, "isUserVerified": False})
    page.click("[data-passkey=get]")
    expect(page.locator("[data-passkey-problem]")).to_be_visible()
    expect(page.locator("#nama")).to_be_visible()


def test_the_pages_of_the_account_are_sound(served: Served) -> None:
    with served.desk.database.begin() as db:
        administrator = Actor(person="admin", capacity="administrator", administrator=True)
        acts = (org.Hold(holding="plh", position="camat_lasem", person="tim1", capacity="plh", basis="SP 800/1",
                         valid_from="2026-12-07", valid_until="2026-12-11"),
                org.Bind(key=LKJPD, lane="sekretaris_pd", unit=LASEM, position="pengelola_sop",
                         lane_name="Sekretaris PD"))
        for n, act in enumerate(acts):
            organise.change(db, KEY, org.Change(id=f"c{n}", at=served.desk.clock(), actor=administrator, act=act))
        organise.reset_password(db, KEY, id="r", person="penerima", by=administrator, at=served.desk.clock())
    page = served.person("sekcam")
    for address in ("/", "/akun", "/akun/kode", "/akun/kunci-sandi", "/akun/kode-pemulihan", "/konfirmasi"):
        look_at_all_four(page, address, partial(page.goto, address))
    at_the_top = served.person("camat")
    look_at_all_four(at_the_top, "what is told at sign-in", partial(at_the_top.goto, "/proses"))
    admin = served.person("admin")
    for address in ("/pengaturan/orang/sekcam", "/pengaturan/orang/sekcam/wajib-faktor"):
        look_at_all_four(admin, address, partial(admin.goto, address))


def test_the_second_step_of_signing_in_is_sound(served: Served) -> None:
    at_home(served)
    page = served.person("camat")
    authenticator(page)
    enrol(page)
    sign_out(page)

    def come() -> None:
        page.goto("/masuk")
        page.fill("#nama", "camat")
        page.fill("#sandi", PASSWORD)
        page.click("main button.primary")

    look_at_all_four(page, "the second step", come)
