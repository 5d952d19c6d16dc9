"""Signing in with the office's own accounts: against a certified provider that runs, and against one that lies.

The provider of the first part is npm's oidc-provider in a process of its own; its pages are used as a person does. The
liar of the second part answers what a test says, signed with a key of its own.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, get_args
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey
from lxml import html

from engine.settings import read
from engine.store import access, office_accounts, organisation
from engine.store.database import Unavailable
from forms import federation
from tests import node
from tests.desk import PASSWORD, Desk, Reader

URL, SECRET = "http://127.0.0.1:8080", "rahasia-untuk-uji-saja-0123456789"
BACK = f"{URL}/masuk/sso/kembali"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The address of a certified provider that runs on this machine."""
    with node.provider(BACK, f"{URL}/masuk", SECRET) as address:
        yield address


Opens = Callable[[str], Desk]


@pytest.fixture
def opened(sqlite_desk: Path, tmp_path: Path, folder: Path, quick_hash: None) -> Iterator[Opens]:
    """Gives the office with a provider; its clock is this machine's, as the provider's is."""
    made: list[Desk] = []

    def opening(issuer: str) -> Desk:
        (tmp_path / "secret").write_text(SECRET + "\n")
        file = tmp_path / f"{len(made)}.db"
        file.write_bytes(sqlite_desk.read_bytes())
        desk = Desk.at(f"sqlite:///{file}", folder, oidc_issuer=issuer, oidc_client_id="alur",
                       oidc_client_secret_file=tmp_path / "secret")
        desk.clock.at = datetime.now(UTC)
        made.append(desk)
        return desk

    yield opening
    for desk in made:
        desk.database.close()


def at_the_provider(address: str, account: str) -> str:
    """What somebody does at the provider: sign in there and agree; the address that they are sent back to."""
    browser = requests.Session()
    answer = browser.get(address, allow_redirects=False)
    for _ in range(20):
        if answer.is_redirect:
            address = urljoin(answer.url, answer.headers["Location"])
            if address.startswith(BACK):
                return address
            answer = browser.get(address, allow_redirects=False)
            continue
        assert answer.status_code == 200, answer.text
        [form] = html.fromstring(answer.text).forms[:1]
        typed = {**dict(form.form_values()), **({"login": account, "password": "apa saja"} if "login" in form.fields
                                               else {})}
        answer = browser.post(urljoin(answer.url, form.action), data=typed, allow_redirects=False)
    raise AssertionError("the provider did not send anybody back")


def start(reader: Reader, path: str = "/masuk/sso") -> str:
    """Where the browser is sent."""
    answer = reader.client.get(path)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def come_back(reader: Reader, address: str) -> Reader:
    return reader.get(address.removeprefix(URL))


def sign_out(reader: Reader) -> Reader:
    token = reader.page.xpath("string(//form[contains(@action, '/keluar')]//input[@name='csrf_token']/@value)")
    return reader.post("/keluar", {"csrf_token": token})


def link(desk: Desk, login: str, account: str) -> Reader:
    reader = desk.reader(login)
    come_back(reader, at_the_provider(start(reader, "/masuk/sso?maksud=tautkan"), account))
    assert f"Pegawai {account}" in reader.text or account in reader.text
    reader.send({"sandi": PASSWORD, "tindakan": "tautkan"})
    assert "sudah ditautkan" in reader.text, reader.text
    return reader


# A provider as it should be


def test_who_linked_their_account_signs_in_with_it_and_is_who_they_are_here(issuer: str, opened: Opens) -> None:
    desk = opened(issuer)
    link(desk, "tim1", "pegawai-17")
    reader = desk.reader()
    assert "Masuk dengan akun kantor" in reader.get("/masuk").text
    come_back(reader, at_the_provider(start(reader, "/masuk/sso?lanjut=/pemberitahuan"), "pegawai-17"))
    assert reader.status == 200 and reader.path.startswith("/pemberitahuan"), reader.text
    # The provider said "administrator" of them; here they are what they were.
    assert reader.get("/pengaturan").status in (403, 404)
    with desk.database.read() as db:
        person = organisation.by_login(db, "tim1")
        assert person is not None and not organisation.is_administrator(db, person.id)


def test_an_account_that_nobody_linked_makes_nobody(issuer: str, opened: Opens) -> None:
    desk = opened(issuer)

    def people() -> list[Any]:
        with desk.database.read() as db:
            return list(db.exec_driver_sql("SELECT id, login FROM person ORDER BY id"))

    before = people()
    reader = desk.reader()
    come_back(reader, at_the_provider(start(reader), "camat"))      # the same name as a login here proves nothing
    assert reader.status == 403 and "belum ditautkan" in reader.text
    assert "Masuk" in reader.get("/").text and reader.path.startswith("/masuk")
    assert people() == before


def test_a_link_wants_the_persons_password_and_stands_in_the_journal_without_the_account(
    issuer: str, opened: Opens
) -> None:
    desk = opened(issuer)
    reader = desk.reader("tim1")
    come_back(reader, at_the_provider(start(reader, "/masuk/sso?maksud=tautkan"), "pegawai-18"))
    reader.send({"sandi": "bukan ini", "tindakan": "tautkan"})
    assert reader.status == 422 and "tidak cocok" in reader.text
    with desk.database.read() as db:
        assert office_accounts.find(db, issuer, "pegawai-18") is None
    reader.send({"sandi": PASSWORD, "tindakan": "tautkan"})
    with desk.database.read() as db:
        linked = office_accounts.find(db, issuer, "pegawai-18")
        bodies = [bytes(row.body).decode() for row in db.exec_driver_sql(
            "SELECT body FROM journal WHERE stream = 'access' ORDER BY sequence")]
    assert linked is not None
    assert "OfficeAccountLinked" in bodies[-1] and issuer in bodies[-1] and "pegawai-18" not in "".join(bodies)
    reader.send({"tindakan": "lepas"})
    assert "sudah dilepas" in reader.text
    other = desk.reader()
    come_back(other, at_the_provider(start(other), "pegawai-18"))
    assert other.status == 403


def test_an_account_is_one_persons_and_a_person_has_one(issuer: str, opened: Opens) -> None:
    desk = opened(issuer)
    link(desk, "tim1", "pegawai-19")
    for login, account, said in (("camat", "pegawai-19", "orang lain"), ("tim1", "pegawai-20", "yang lain")):
        reader = desk.reader(login)
        come_back(reader, at_the_provider(start(reader, "/masuk/sso?maksud=tautkan"), account))
        reader.send({"sandi": PASSWORD, "tindakan": "tautkan"})
        assert reader.status == 422 and said in reader.text


def test_a_deactivated_person_does_not_come_in_by_the_provider(issuer: str, opened: Opens) -> None:
    desk = opened(issuer)
    link(desk, "tim1", "pegawai-21")
    with desk.database.begin() as db:
        db.exec_driver_sql("UPDATE person SET active = 0 WHERE login = 'tim1'")
    reader = desk.reader()
    come_back(reader, at_the_provider(start(reader), "pegawai-21"))
    assert reader.status == 403 and "belum ditautkan" in reader.text


def test_the_cookie_before_is_dead_after(issuer: str, opened: Opens) -> None:
    desk = opened(issuer)
    link(desk, "tim1", "pegawai-22")
    reader = desk.reader().get("/masuk")
    planted = reader.client.get_cookie("alur")
    assert planted is not None
    come_back(reader, at_the_provider(start(reader), "pegawai-22"))
    assert reader.status == 200
    thief = desk.app.test_client()
    thief.set_cookie("alur", planted.value)
    assert "/masuk" in thief.get("/").headers.get("Location", "")


def test_an_answer_counts_once_and_only_in_the_browser_that_asked(issuer: str, opened: Opens) -> None:
    desk = opened(issuer)
    link(desk, "tim1", "pegawai-23")
    reader = desk.reader()
    answer = at_the_provider(start(reader), "pegawai-23")
    thief = desk.reader().get("/masuk")
    assert come_back(thief, answer).status == 400           # who steals the address has not the cookie
    assert come_back(desk.reader(), answer).status == 400
    assert come_back(reader, answer).status == 200
    sign_out(reader)
    assert come_back(desk.reader(), answer).status == 400   # nor does it count again


def test_a_code_that_was_used_is_refused_by_the_provider_and_by_us(issuer: str, opened: Opens) -> None:
    desk = opened(issuer)
    link(desk, "tim1", "pegawai-24")
    reader = desk.reader()
    used = parse_qs(urlsplit(at_the_provider(start(reader), "pegawai-24")).query)
    come_back(reader, f"{BACK}?{urlencode({name: value[0] for name, value in used.items()})}")
    other = desk.reader()
    state = parse_qs(urlsplit(start(other)).query)["state"][0]
    come_back(other, f"{BACK}?{urlencode({'state': state, 'code': used['code'][0], 'iss': issuer})}")
    assert other.status == 403 and "tidak dapat dipercaya" in other.text


def test_pkce_state_and_nonce_go_out_fresh_and_the_secret_does_not(issuer: str, opened: Opens) -> None:
    desk = opened(issuer)
    asked = [parse_qs(urlsplit(start(desk.reader())).query) for _ in range(2)]
    for one in asked:
        assert one["code_challenge_method"] == ["S256"] and one["response_type"] == ["code"]
        assert one["redirect_uri"] == [BACK] and SECRET not in str(one)
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name] and len(asked[0][name][0]) >= 43


def test_after_signing_out_here_one_can_sign_out_there(issuer: str, opened: Opens) -> None:
    desk = opened(issuer)
    reader = link(desk, "tim1", "pegawai-25")
    sign_out(reader)
    assert "Keluar juga dari akun kantor" in reader.text
    address = start(reader, "/masuk/sso/keluar")
    assert address.startswith(f"{issuer}/session/end?")
    page = requests.get(address, timeout=10)
    assert page.status_code == 200 and f'action="{issuer}/session/end/confirm"' in page.text


def test_somebody_else_is_signed_in_by_the_time_the_answer_comes(issuer: str, opened: Opens) -> None:
    desk = opened(issuer)
    reader = desk.reader("tim1")
    answer = at_the_provider(start(reader, "/masuk/sso?maksud=tautkan"), "pegawai-26")
    sign_out(reader)
    reader.sign_in("camat")
    assert come_back(reader, answer).status == 400
    with desk.database.read() as db:
        assert office_accounts.find(db, issuer, "pegawai-26") is None


def test_without_a_provider_these_addresses_are_not_there(site: Desk) -> None:
    reader = site.reader("tim1")
    for path in ("/masuk/sso", "/masuk/sso/kembali", "/masuk/sso/keluar", "/akun/kantor"):
        assert reader.get(path).status == 404
    assert "akun kantor" not in site.reader().get("/masuk").text.lower()


@pytest.mark.parametrize("issuer", ["http://masuk.example.go.id", "masuk", "https://a@b/", "https://x/?y"])
def test_a_provider_is_believed_over_https_only(issuer: str) -> None:
    with pytest.raises(Unavailable, match="ALUR_OIDC_ISSUER"):
        read({"ALUR_OIDC_ISSUER": issuer, "ALUR_OIDC_CLIENT_ID": "alur"})


# A provider that lies


class Liar:
    """A provider that answers as a test says. What it signs, it signs with its published key unless told otherwise."""

    def __init__(self) -> None:
        self.keys = KeySet([RSAKey.generate_key(2048, {"kid": "satu"})])
        self.described: dict[str, Any] = {}
        self.asked: dict[str, list[str]] = {}
        self.claims: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
        self.token: Callable[[dict[str, Any]], str] = self.signed
        self.fetched: list[str] = []
        self.answer: Callable[[BaseHTTPRequestHandler], bool] = lambda _: False
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                liar.fetched.append(self.path)
                if liar.answer(self):
                    return
                if self.path.endswith("/openid-configuration"):
                    self.say(liar.description())
                elif self.path == "/jwks":
                    self.say(liar.keys.as_dict(private=False))
                else:
                    self.send_error(404)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                claims = liar.claims(liar.true_claims())
                self.say({"access_token": "a", "token_type": "Bearer", "id_token": liar.token(claims)})

            def say(self, value: Any) -> None:
                body = json.dumps(value).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def description(self) -> dict[str, Any]:
        return {"issuer": self.url, "authorization_endpoint": f"{self.url}/auth", "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks", **self.described}

    def true_claims(self) -> dict[str, Any]:
        now = int(time.time())
        return {"iss": self.url, "aud": "alur", "sub": "u1", "iat": now, "exp": now + 300,
                "nonce": self.asked["nonce"][0]}

    def signed(self, claims: dict[str, Any], kid: str = "satu", key: Any = None, alg: str = "RS256") -> str:
        return jwt.encode({"alg": alg, "kid": kid}, claims, key or self.keys.keys[0], algorithms=[alg])

    def attempt(self, reader: Reader) -> Reader:
        self.asked = parse_qs(urlsplit(start(reader)).query)
        return come_back(reader, f"{BACK}?{urlencode({'state': self.asked['state'][0], 'code': 'c'})}")


@pytest.fixture
def liar() -> Iterator[Liar]:
    found = Liar()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def lied_to(liar: Liar, opened: Opens) -> Desk:
    """The office that trusts the liar; the account u1 there is tim1's."""
    desk = opened(liar.url)
    with desk.database.begin() as db:
        person = organisation.by_login(db, "tim1")
        assert person is not None
        account = office_accounts.OfficeAccount(liar.url, "u1", person.id, "Pegawai", desk.clock.at)
        office_accounts.link(db, desk.database.key, account, "tautan-uji")
    return desk


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda claims: {key: value for key, value in claims.items() if key != name}


LIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another nonce": lambda claims: {**claims, "nonce": "x" * 43},
    "no nonce": without("nonce"),
    "another issuer": lambda claims: {**claims, "iss": "https://lain.example.go.id"},
    "another audience": lambda claims: {**claims, "aud": "lain"},
    "audiences without us": lambda claims: {**claims, "aud": ["lain", "lagi"]},
    "for us and given to another": lambda claims: {**claims, "aud": ["alur", "lain"], "azp": "lain"},
    "expired": lambda claims: {**claims, "iat": claims["iat"] - 9_000, "exp": claims["iat"] - 3_600},
    "made tomorrow": lambda claims: {**claims, "iat": claims["iat"] + 86_400, "exp": claims["exp"] + 90_000},
    "not yet": lambda claims: {**claims, "nbf": claims["iat"] + 86_400},
    "without an end": without("exp"),
    "of nobody": without("sub"),
    "of an empty name": lambda claims: {**claims, "sub": ""},
    "of a name that is no text": lambda claims: {**claims, "sub": ["u1"]},
    "of a name with NUL": lambda claims: {**claims, "sub": "u1\0"},
    "of a very long name": lambda claims: {**claims, "sub": "u" * 5_000},
    "of another access token": lambda claims: {**claims, "at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


def test_the_liar_is_believed_while_it_says_the_truth(liar: Liar, lied_to: Desk) -> None:
    assert liar.attempt(lied_to.reader()).status == 200


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_is_not_for_this_attempt_opens_nothing(lie: str, liar: Liar, lied_to: Desk) -> None:
    liar.claims = LIES[lie]
    reader = liar.attempt(lied_to.reader())
    assert reader.status == 403 and "tidak dapat dipercaya" in reader.text
    assert reader.get("/").path.startswith("/masuk")


def unsigned(claims: dict[str, Any]) -> str:
    parts = [{"alg": "none"}, claims]
    return ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in parts) + "."


def as_secret(liar: Liar) -> OctKey:
    return OctKey.import_key(RSAKey.import_key(liar.keys.keys[0].as_dict()).as_pem(private=False))


FORGED: dict[str, Callable[[Liar, dict[str, Any]], str]] = {
    "alg none": lambda liar, claims: unsigned(claims),
    "the key's own name with another key": lambda liar, claims: liar.signed(claims, key=RSAKey.generate_key(2048)),
    "a key that nobody published": lambda liar, claims: liar.signed(claims, "dua", RSAKey.generate_key(2048)),
    "our secret as the key": lambda liar, claims: liar.signed(claims, key=OctKey.import_key(SECRET), alg="HS256"),
    "the public key as a secret": lambda liar, claims: liar.signed(claims, key=as_secret(liar), alg="HS256"),
    "no token at all": lambda liar, claims: "...",
    "five megabytes": lambda liar, claims: "e30." * 1_250_000,
    "a cut signature": lambda liar, claims: liar.signed(claims)[:-8],
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_token_that_the_provider_did_not_sign_opens_nothing(forged: str, liar: Liar, lied_to: Desk) -> None:
    liar.token = lambda claims: FORGED[forged](liar, claims)
    reader = liar.attempt(lied_to.reader())
    assert reader.status in (403, 503) and ("tidak dapat dipercaya" in reader.text or "kata sandi" in reader.text)
    assert reader.get("/").path.startswith("/masuk")


def test_keys_are_exchanged_and_the_old_one_is_worth_nothing_then(
    liar: Liar, lied_to: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(federation, "AGAIN_SECONDS", 0.0)
    assert liar.attempt(lied_to.reader()).status == 200
    old, new = liar.keys.keys[0], RSAKey.generate_key(2048, {"kid": "dua"})
    liar.keys = KeySet([new])
    liar.token = lambda claims: liar.signed(claims, "dua", new)
    assert liar.attempt(lied_to.reader()).status == 200
    liar.token = lambda claims: liar.signed(claims, "satu", old)
    assert liar.attempt(lied_to.reader()).status == 403


def test_tokens_with_unknown_keys_do_not_make_us_fetch_again_and_again(liar: Liar, lied_to: Desk) -> None:
    assert liar.attempt(lied_to.reader()).status == 200
    liar.token = lambda claims: liar.signed(claims, "dua", RSAKey.generate_key(2048))
    for _ in range(3):
        assert liar.attempt(lied_to.reader()).status == 403
    assert liar.fetched.count("/jwks") == 1


def redirected(handler: BaseHTTPRequestHandler) -> bool:
    if handler.path.startswith("/elsewhere"):
        return False
    handler.send_response(302)
    handler.send_header("Location", "/elsewhere" + handler.path)
    handler.end_headers()
    return True


def endless(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(2_000):
            handler.wfile.write(b" " * 65_536)
    except OSError:
        pass
    return True


def dripping(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(100):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.1)
    except OSError:
        pass
    return True


def silent(handler: BaseHTTPRequestHandler) -> bool:
    time.sleep(2)
    handler.close_connection = True
    return True


def broken(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"[" * 10_000)
    return True


@pytest.mark.parametrize("answer", [redirected, endless, dripping, silent, broken])
def test_a_provider_that_answers_badly_keeps_nobody_and_passwords_still_work(
    answer: Callable[[BaseHTTPRequestHandler], bool], liar: Liar, lied_to: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(federation, "READ_SECONDS", 0.5)
    monkeypatch.setattr(federation, "WHOLE_SECONDS", 0.6)
    liar.answer = answer
    reader = lied_to.reader()
    before = time.monotonic()
    reader.get("/masuk/sso")
    assert reader.status == 503 and "kata sandi" in reader.text
    assert time.monotonic() - before < 5
    assert not any(path.startswith("/elsewhere") for path in liar.fetched)
    fetched = len(liar.fetched)
    assert reader.get("/masuk/sso").status == 503 and len(liar.fetched) == fetched, "asked again at once"
    assert lied_to.reader("tim1").status == 200


@pytest.mark.parametrize("said", [
    {"issuer": "https://lain.example.go.id"}, {"authorization_endpoint": "javascript:alert(1)"},
    {"token_endpoint": "http://lain.example.go.id/token"}, {"jwks_uri": "file:///etc/passwd"},
    {"authorization_endpoint": None}, {"token_endpoint": ["x"]}, {"jwks_uri": "http://[::1/"}])
def test_a_provider_that_describes_itself_oddly_is_not_used(said: dict[str, Any], liar: Liar, lied_to: Desk) -> None:
    liar.described = said
    assert lied_to.reader().get("/masuk/sso").status == 503


def test_an_answer_in_the_name_of_another_provider_is_refused(liar: Liar, lied_to: Desk) -> None:
    reader = lied_to.reader()
    liar.asked = parse_qs(urlsplit(start(reader)).query)
    answer = {"state": liar.asked["state"][0], "code": "c", "iss": "https://lain.example.go.id"}
    assert come_back(reader, f"{BACK}?{urlencode(answer)}").status == 403


@pytest.mark.parametrize("odd", ["", "x" * 5_000, "\0", "é\u202e", "%"])
def test_odd_states_and_codes_are_a_sentence(odd: str, liar: Liar, lied_to: Desk) -> None:
    assert come_back(lied_to.reader(), f"{BACK}?{urlencode({'state': odd, 'code': odd})}").status == 400
    reader = lied_to.reader()
    state = parse_qs(urlsplit(start(reader)).query)["state"][0]
    liar.asked = {"nonce": ["falsch"]}
    assert come_back(reader, f"{BACK}?{urlencode({'state': state, 'code': odd})}").status == 403


def test_what_was_begun_long_ago_is_begun_anew(liar: Liar, lied_to: Desk) -> None:
    reader = lied_to.reader()
    liar.asked = parse_qs(urlsplit(start(reader)).query)
    lied_to.later(minutes=11)
    answer = {"state": liar.asked["state"][0], "code": "c"}
    assert come_back(reader, f"{BACK}?{urlencode(answer)}").status == 400


def test_a_provider_that_breaks_off_in_the_middle_of_an_answer_is_said_to_be_away(
        liar: Liar, lied_to: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(federation, "READ_SECONDS", 0.3)
    monkeypatch.setattr(federation, "AGAIN_SECONDS", 0.0)

    def begun(handler: BaseHTTPRequestHandler, then: Callable[[], None], *more: tuple[str, str]) -> bool:
        handler.send_response(200)
        for name, value in more:
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(b'{"issuer":')
        handler.wfile.flush()
        then()
        return True

    for how in (lambda one: begun(one, lambda: time.sleep(1), ("Content-Length", "999")),       # it falls silent
                lambda one: begun(one, lambda: None, ("Content-Length", "999")),                # it hangs up
                lambda one: begun(one, lambda: None, ("Transfer-Encoding", "chunked"))):        # it babbles
        liar.answer = how
        reader = lied_to.reader()
        reader.get("/masuk/sso")
        assert reader.status == 503 and "sedang tidak dapat dihubungi" in reader.text


def test_no_more_than_two_wait_for_a_provider_that_hangs(liar: Liar, lied_to: Desk) -> None:
    provider: federation.Provider = lied_to.app.extensions["provider"]
    with lied_to.app.test_request_context(), provider.talk(), provider.talk():
        with pytest.raises(federation.Unanswered, match="at once"), provider.talk():
            pass


def test_the_name_that_is_shown_is_one_short_printable_line() -> None:
    assert federation.called({"sub": "u1", "name": "A\u202e\n\0" + "b" * 500}) == "A" + "b" * 119
    assert federation.called({"sub": "u1", "name": 7, "email": "a@b"}) == "a@b"
    assert federation.called({"sub": "u1"}) == "u1"


def test_the_acts_are_those_of_the_access_stream() -> None:
    names = {act.__name__ for act in get_args(access.Act)}
    assert {"OfficeAccountLinked", "OfficeAccountUnlinked"} <= names
