"""Signing in with the office's own accounts: OpenID Connect by the code flow, with PKCE, state and nonce.

The provider (settings.oidc_issuer) says who somebody is there. Who that is here they said themself, signed in with
their password; the provider makes nobody, and gives no position and no power. Where it is down, passwords still work.
Without a provider in the settings these addresses are not there.
"""
from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
import requests
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from flask import Blueprint, abort, current_app, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests.adapters import HTTPAdapter
from structlog import get_logger
from urllib3.exceptions import HTTPError

from engine import organise
from engine.instance import Refused
from engine.settings import Settings, is_loopback
from engine.store import office_accounts, organisation

from . import security
from .notices import limiter
from .session import form_key, me, office, own_path, sign_in_page, signed_in, tell, this_session

federation = Blueprint("federation", __name__)
log = get_logger("alur.federation")

CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 3.0, 5.0, 10.0   # of one answer of the provider
ANSWER_BYTES_MOST = 512_000
TALKS_AT_ONCE = 2                       # a provider that hangs holds no more of our threads than these
KNOWN_SECONDS = 3600.0                  # how long its description and keys are believed to be as they were
AGAIN_SECONDS = 15.0                    # after a failure, or since the keys were last fetched for a token
TO_COME_BACK = timedelta(minutes=10)    # within which who went to the provider must be back
TO_CONFIRM = timedelta(minutes=10)
LEEWAY_SECONDS = 60                     # between the provider's clock and ours
SIGNED_BY = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
CODE_LONGEST = 4_000
SUBJECT_LONGEST = 255                   # OpenID Connect Core 2


class Unanswered(Exception):
    """The provider did not answer, or not as a provider does; the message is for the log."""


class Untrusted(Exception):
    """What was brought from the provider does not prove who somebody is; the message is for the log."""


# The provider


class Bounded(HTTPAdapter):
    """Answers of bounded size, in bounded time; nothing is unpacked."""

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        end = time.monotonic() + WHOLE_SECONDS
        options |= {"stream": True, "timeout": (CONNECT_SECONDS, READ_SECONDS)}
        response = super().send(request, **options)
        body = bytearray()
        # Each read is given what has come, so that a drip is noticed at its next drop.
        try:
            while some := response.raw.read1(65_536, decode_content=False):
                body += some
                if len(body) > ANSWER_BYTES_MOST or time.monotonic() > end:
                    raise requests.exceptions.ContentDecodingError("an answer without an end")
        except (HTTPError, requests.RequestException, OSError) as error:
            response.close()
            raise requests.ConnectionError(type(error).__name__) from error
        response._content = bytes(body)
        response._content_consumed = True
        return response


class Provider:
    """The provider of the settings: what it says of itself, its keys, and what it says of somebody."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.talks = threading.BoundedSemaphore(TALKS_AT_ONCE)
        self.described: dict[str, Any] = {}
        self.described_at = self.failed_at = self.keys_at = float("-inf")
        self.keys: KeySet | None = None

    @property
    def callback(self) -> str:
        return self.settings.url + url_for("federation.back")

    @contextmanager
    def talk(self) -> Iterator[OAuth2Session]:
        """A client of the provider. Raises Unanswered for whatever goes wrong on the way, or when too many talk."""
        if not self.talks.acquire(timeout=1):
            raise Unanswered("too many talks at once")
        try:
            methods = self.described.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
            secret = self.settings.oidc_client_secret()
            how = "none" if not secret else next(
                (one for one in ("client_secret_basic", "client_secret_post") if one in methods), "client_secret_basic")
            with OAuth2Session(self.settings.oidc_client_id, secret, token_endpoint_auth_method=how,
                               scope="openid profile", redirect_uri=self.callback,
                               code_challenge_method="S256") as client:
                client.trust_env = False        # nothing but our settings configures, no password of a .netrc goes out
                client.headers["Accept-Encoding"] = "identity"
                client.mount("https://", Bounded())
                client.mount("http://", Bounded())
                yield client
        except (requests.RequestException, OSError) as error:
            raise Unanswered(type(error).__name__) from error
        finally:
            self.talks.release()

    def described_now(self) -> Mapping[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery). Raises Unanswered."""
        now = time.monotonic()
        if self.described and now - self.described_at < KNOWN_SECONDS:
            return self.described
        if now - self.failed_at < AGAIN_SECONDS:
            raise Unanswered("it did not answer a moment ago")
        try:
            found = self._fetch(self.settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration")
            if str(found.get("issuer", "")).rstrip("/") != self.settings.oidc_issuer.rstrip("/"):
                raise Unanswered("it names itself otherwise than the settings do")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not self._fair(found.get(name)):
                    raise Unanswered(f"its {name} is no address with https")
        except Unanswered:
            self.failed_at = now
            raise
        self.described, self.described_at = found, now
        return found

    def _fetch(self, url: str) -> dict[str, Any]:
        with self.talk() as client:
            answer = client.get(url, withhold_token=True, allow_redirects=False)
        if answer.status_code != 200:
            raise Unanswered(f"it answered {answer.status_code}")
        try:
            found = orjson.loads(answer.content)
        except orjson.JSONDecodeError as error:
            raise Unanswered("its answer is no JSON") from error
        if not isinstance(found, dict):
            raise Unanswered("its answer is no JSON object")
        return found

    def _fair(self, url: Any) -> bool:
        """Whether an address that the provider names may be used: https, or a provider on this machine to itself."""
        if not isinstance(url, str) or not url.isprintable():
            return False
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        ours = self.settings.oidc_issuer.startswith("http://") and is_loopback(parts.hostname or "")
        return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and ours))

    def keys_now(self, anew: bool = False) -> KeySet:
        """Its public keys; fetched anew when a token names one that is not known, but not at every such token."""
        now = time.monotonic()
        age = now - self.keys_at
        if self.keys is None or age > KNOWN_SECONDS or (anew and age > AGAIN_SECONDS):
            found = self._fetch(self.described_now()["jwks_uri"]).get("keys")
            # A shared secret is no key that we would believe; and what is for encryption signs nothing.
            usable = [one for one in found if isinstance(one, dict) and one.get("kty") in ("RSA", "EC", "OKP")
                      and one.get("use", "sig") == "sig"] if isinstance(found, list) else []
            try:
                self.keys = KeySet.import_key_set({"keys": usable})
            except (JoseError, ValueError, TypeError, KeyError) as error:
                raise Unanswered("its keys cannot be read") from error
            self.keys_at = now
        return self.keys

    def address(self, begun: Mapping[str, str]) -> str:
        """Where somebody is sent to say who they are. Raises Unanswered."""
        described = self.described_now()
        with self.talk() as client:
            address, _state = client.create_authorization_url(
                described["authorization_endpoint"], state=begun["state"], code_verifier=begun["verifier"],
                nonce=begun["nonce"])
        return str(address)

    def who(self, code: str, begun: Mapping[str, str], now: datetime) -> CodeIDToken:
        """The claims about who came back with a code. Raises Unanswered, Untrusted."""
        described = self.described_now()
        try:
            with self.talk() as client:
                given = client.fetch_token(described["token_endpoint"], grant_type="authorization_code", code=code,
                                           code_verifier=begun["verifier"], allow_redirects=False)
        except AuthlibBaseError as error:
            raise Untrusted(f"the code was refused: {str(error.error)[:80]!r}") from error
        except ValueError as error:
            raise Unanswered("its answer to the code is no JSON object") from error
        token = given.get("id_token")
        if not isinstance(token, str):
            raise Untrusted("no token came with the code")
        access_token = given.get("access_token")
        return self.judged(token, begun["nonce"], access_token if isinstance(access_token, str) else None, now)

    def judged(self, token: str, nonce: str, access_token: str | None, now: datetime) -> CodeIDToken:
        """The claims of a token that this provider signed, now, for us, for this very attempt.

        Raises Unanswered where its keys cannot be had, Untrusted for every other token.
        """
        said = self.described_now().get("id_token_signing_alg_values_supported")
        algorithms = [one for one in SIGNED_BY if not isinstance(said, list) or one in said]
        for anew in (False, True):
            keys = self.keys_now(anew)
            try:
                read = jwt.decode(token, keys, algorithms=algorithms)
                break
            except (JoseError, ValueError, TypeError, KeyError) as error:
                if anew:
                    raise Untrusted(f"the signature does not hold: {type(error).__name__}") from error
        us, issuer = self.settings.oidc_client_id, self.described_now()["issuer"]
        claims = CodeIDToken(
            read.claims, read.header,
            {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": us}},
            {"nonce": nonce, "client_id": us, "access_token": access_token})
        try:
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise Untrusted(f"the token is not for this attempt: {error}"[:200]) from error
        # Said once more in our own words: a change of the library must not open the door.
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if claims["iss"] != issuer or us not in audience or not nonce or claims.get("nonce") != nonce:
            raise Untrusted("the token is another's")
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_LONGEST or not subject.isprintable():
            raise Untrusted("the token names nobody")
        return claims


@federation.record_once
def know_the_provider(state: Any) -> None:
    settings = state.app.extensions["alur"].settings
    state.app.extensions["provider"] = Provider(settings) if settings.oidc_issuer else None


@federation.before_request
def only_with_a_provider() -> None:
    if current_app.extensions["provider"] is None:
        abort(404)


def provider() -> Provider:
    found = current_app.extensions["provider"]
    assert isinstance(found, Provider), "only_with_a_provider lets nobody else pass"
    return found


# Pages


@federation.get("/masuk/sso")
@limiter.limit("30 per minute")
def start() -> Any:
    """To the provider: to sign in, or (`maksud=tautkan`, signed in already) to link the account there."""
    person = this_session().person
    linking = bool(person) and request.args.get("maksud") == "tautkan"
    if person and not linking:
        return redirect(own_path(request.args.get("lanjut", "")))
    begun = {"state": secrets.token_urlsafe(32), "nonce": secrets.token_urlsafe(32),
             "verifier": secrets.token_urlsafe(48), "wish": request.args.get("lanjut", "")[:2_000],
             "person": person if linking and person else "", "until": (office().now() + TO_COME_BACK).isoformat()}
    try:
        address = provider().address(begun)
    except Unanswered as why:
        return unanswered(why)
    session["sso"] = begun
    return redirect(address, 303)


@federation.get("/masuk/sso/kembali")
@limiter.limit("30 per minute")
def back() -> Any:
    """From the provider: who came is signed in, or asked to confirm the link."""
    begun = session.pop("sso", None)    # one answer to one question
    state, code, now = request.args.get("state", ""), request.args.get("code", ""), office().now()
    if not begun or now > datetime.fromisoformat(begun["until"]) \
            or not hmac.compare_digest(begun["state"].encode(), state.encode("utf-8", "replace")):
        return refused("state", _("Permintaan masuk ini sudah lewat, atau tidak dimulai di peramban ini. "
                                  "Mulailah sekali lagi."), 400)
    if begun["person"] != (this_session().person or ""):
        return refused("person", _("Selama Anda di halaman akun kantor, yang masuk di peramban ini berganti. "
                                   "Mulailah sekali lagi."), 400)
    try:
        named = request.args.get("iss")
        described = provider().described_now()
        must = described.get("authorization_response_iss_parameter_supported") is True
        if (must or named is not None) and named != described["issuer"]:
            raise Untrusted("the answer names another provider")
        if "error" in request.args:
            return refused("cancelled", _("Masuk dengan akun kantor dibatalkan."), 403)
        if not 0 < len(code) <= CODE_LONGEST:
            raise Untrusted("no code")
        claims = provider().who(code, begun, now)
    except Unanswered as why:
        return unanswered(why)
    except Untrusted as why:
        return refused(str(why), _("Jawaban dari layanan akun kantor tidak dapat dipercaya, jadi tidak dipakai. Coba "
                                   "sekali lagi; bila berulang, beri tahu administrator."), 403)
    issuer, subject = claims["iss"], claims["sub"]
    if begun["person"]:
        session["sso_found"] = {"issuer": issuer, "subject": subject, "name": called(claims),
                                "until": (now + TO_CONFIRM).isoformat()}
        return redirect(url_for("federation.account"), 303)
    with office().database.read() as db:
        account = office_accounts.find(db, issuer, subject)
        person = organisation.person_of(db, account.person) if account else None
    if person is None or not person.active:
        return refused("unknown", _("Akun kantor Anda belum ditautkan dengan akun di sini. Masuklah sekali dengan kata "
                                    "sandi, lalu tautkan di Akun kantor."), 403)
    return signed_in(person.id, "oidc", wish=begun["wish"])


@federation.get("/masuk/sso/keluar")
@limiter.limit("30 per minute")
def leave() -> Any:
    """To the provider's own sign-out, for who has signed out here: on a shared computer the next one could go on."""
    try:
        end = provider().described_now().get("end_session_endpoint")
    except Unanswered as why:
        return unanswered(why)
    if this_session().person or not provider()._fair(end):
        return redirect(url_for("door.sign_in"))
    wish = {"client_id": provider().settings.oidc_client_id,
            "post_logout_redirect_uri": provider().settings.url + url_for("door.sign_in")}
    return redirect(f"{end}{'&' if '?' in str(end) else '?'}{urlencode(wish)}", 303)


@federation.route("/akun/kantor", methods=["GET", "POST"])
def account() -> Any:
    """One's own link with an account of the office's provider: what it is, to confirm it, to take it away."""
    issuer, problem, now = provider().described.get("issuer", provider().settings.oidc_issuer), "", office().now()
    found = session.get("sso_found")
    if found and now > datetime.fromisoformat(found["until"]):
        del session["sso_found"]
        found = None
    if request.method == "POST":
        key = request.form.get("key", "")
        id = key if key.isalnum() and len(key) <= 64 else form_key()
        if request.form.get("tindakan") == "lepas":
            with office().database.begin() as db:
                gone = office_accounts.unlink(db, office().database.key, issuer, me().id, now, id)
            tell(_("Tautan dengan akun kantor sudah dilepas.") if gone else _("Tidak ada tautan yang dilepas."))
            return redirect(url_for("federation.account"), 303)
        if request.form.get("tindakan") == "batal" or not found:
            session.pop("sso_found", None)
            return redirect(url_for("federation.account"), 303)
        try:
            confirm(request.form.get("sandi", ""), now)
            with office().database.begin() as db:
                office_accounts.link(db, office().database.key, office_accounts.OfficeAccount(
                    found["issuer"], found["subject"], me().id, found["name"], now), id)
        except Refused as why:
            problem = str(why)
        else:
            session.pop("sso_found", None)
            tell(_("Akun kantor Anda sudah ditautkan. Lain kali Anda dapat masuk dengannya."))
            return redirect(url_for("federation.account"), 303)
    with office().database.read() as db:
        linked = office_accounts.of_person(db, issuer, me().id)
    page = render_template("office_account.html", linked=linked, found=found, problem=problem,
                           provider=urlsplit(issuer).hostname)
    return page, 422 if problem else 200


def confirm(password: str, now: datetime) -> None:
    """See that it is still the person who signed in. Raises Refused."""
    try:
        organise.sign_in(office().database, me().person.login, password, now, request.remote_addr or "")
    except Refused as why:
        if why.code == "throttled":
            raise
        security.tell("sign_in_failed", method="sandi")
        raise Refused("wrong", _("Kata sandi tidak cocok, jadi akun kantor belum ditautkan.")) from why


def called(claims: Mapping[str, Any]) -> str:
    """What the provider calls somebody, for them to recognise; short, on one line, and never used for anything else."""
    for name in ("name", "preferred_username", "email"):
        value = claims.get(name)
        if isinstance(value, str) and (shown := "".join(c for c in value if c.isprintable()).strip()[:120]):
            return shown
    return str(claims["sub"])[:120]


def unanswered(why: Unanswered) -> Any:
    log.warning("the provider of accounts did not answer", why=str(why))
    problem = _("Layanan akun kantor sedang tidak dapat dihubungi. Masuklah dengan kata sandi, atau coba lagi nanti.")
    return at_the_door(problem), 503


def refused(why: str, problem: str, status: int) -> Any:
    log.warning("sign-in with an account of the office refused", why=why, client=request.remote_addr)
    security.tell("sign_in_failed", method="oidc")
    return at_the_door(problem), status


def at_the_door(problem: str) -> Any:
    """The sign-in page with what went wrong; for who is signed in, the page of their link."""
    if this_session().person is None:
        return sign_in_page(problem)
    g.visitor = None                    # these addresses ask nobody who they are; the frame is the one of the door
    return render_template("error.html", title=_("Akun kantor"), remedy=problem)
