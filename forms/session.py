"""Who is asking: the session behind the one cookie, signing in and out, and how a form outlives its session.

The cookie holds 256 random bits; the row holds their SHA-256. There is a session before sign-in too, so that Flask-WTF
protects the sign-in form with it; at sign-in its name changes, so that a cookie planted before is worth nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import flask
from flask import Blueprint, Flask, Request, Response, current_app, g, redirect, render_template, request, url_for
from flask.ctx import RequestContext
from flask.sessions import SessionInterface, SessionMixin
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.datastructures import CallbackDict, Headers, MultiDict
from werkzeug.test import EnvironBuilder

from engine import credentials, organise
from engine.commands import Actor
from engine.instance import Refused
from engine.organisation import ADMINISTRATOR, OWNER, VERIFIER, AuditScope, Person
from engine.store import access, database, definitions, factors, notices, organisation, queries, sessions

from . import security

KEPT = ("method", "browser", "client", "shared", "bare")  # of a session that is renewed
HALFWAY = timedelta(minutes=10)  # how long a second factor may take after the first
DAYS_LONGEST = 2  # idle sessions end after settings.session_hours; all end after this
SEEN_EVERY = timedelta(minutes=1)  # a row written at each look would make every reader a writer
CARRIED_BYTES_MOST = 400_000  # of typed text that the sign-in page carries over

door = Blueprint("door", __name__)


# The session behind the cookie


class Session(CallbackDict[str, Any], SessionMixin):
    """A session as Flask uses it: a dictionary that knows whether it changed, and whose it is."""

    def __init__(self, row: sessions.Session | None = None, cookie: str | None = None):
        def changed(_self: Any) -> None:
            self.modified = True

        super().__init__(dict(row.data) if row else None, changed)
        self.row = row
        self.cookie = cookie
        self.person: str | None = row.person if row else None
        self.modified = False
        self.new = row is None
        self.expired = False  # the browser sent a cookie whose session is over
        self.forget: set[str] = set()  # rows to drop
        self.broken: Exception | None = None  # why it could not be read

    def belong_to(self, person: str | None) -> None:
        """From now on another person's (None: nobody's), under another name and with nothing in it."""
        if self.row:
            self.forget.add(self.row.id)
        self.clear()
        self.row, self.cookie, self.person, self.modified = None, None, person, True

    def renew(self) -> None:
        """The same person goes on under another name; how and where they signed in stays."""
        kept = {name: self[name] for name in KEPT if name in self}
        self.belong_to(self.person)
        self.update(kept)


class Sessions(SessionInterface):
    """Flask's sessions, kept in the table `session`."""

    def get_cookie_name(self, app: Flask) -> str:
        # A __Host- cookie cannot be set by a neighbouring site; browsers want https for it.
        return "__Host-alur" if self.get_cookie_secure(app) else "alur"

    def get_cookie_secure(self, app: Flask) -> bool:
        return bool(office(app).settings.secure)

    def open_session(self, app: Flask, request: Request) -> Session:
        cookie = request.cookies.get(self.get_cookie_name(app))
        if not cookie or request.endpoint in ("static", "door.alive", "door.ready"):
            return Session()
        try:
            with office(app).database.read() as db:
                row = sessions.find(db, named(cookie))
        except Exception as error:  # said by a page, which Flask cannot show before there is a session
            broken = Session()
            broken.broken = error
            return broken
        now = office(app).now()
        if row is None or now >= row.expires_at or now - row.seen_at > idle_of(row, app):
            over = Session()
            over.expired = True
            if row:
                over.forget.add(row.id)
            return over
        return Session(row, cookie)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, Session)
        if session.broken:
            return
        now, name = office(app).now(), self.get_cookie_name(app)
        if not (session.modified or session.forget):
            if session.row and now - session.row.seen_at > SEEN_EVERY:
                with office(app).database.begin() as db:
                    sessions.seen(db, session.row.id, now)
            return
        with office(app).database.begin() as db:
            for id in session.forget:
                sessions.forget(db, id)
            session.forget.clear()
            if not session and session.person is None:
                self.take_back(app, response)
                return
            new = session.cookie is None
            if session.cookie is None:
                session.cookie = secrets.token_urlsafe(32)
                sessions.forget_old(db, now, now - office(app).idle)
            begun = session.row.created_at if session.row else now
            session.row = sessions.Session(
                id=named(session.cookie),
                person=session.person,
                data=dict(session),
                created_at=begun,
                seen_at=now,
                expires_at=begun + max(office(app).idle, timedelta(days=DAYS_LONGEST)),
            )
            if not sessions.keep(db, session.row, new):  # somebody, or this very request, has ended it
                self.take_back(app, response)
                return
        session.modified = False
        secure = self.get_cookie_secure(app)
        response.set_cookie(name, session.cookie, path="/", secure=secure, httponly=True, samesite="Lax")
        response.vary.add("Cookie")

    def take_back(self, app: Flask, response: Response) -> None:
        """The browser forgets its cookie."""
        response.delete_cookie(
            self.get_cookie_name(app), path="/", secure=self.get_cookie_secure(app), httponly=True, samesite="Lax"
        )


def idle_of(row: sessions.Session, app: Flask | None = None) -> timedelta:
    """After how long without a click a session ends: on a shared computer soon."""
    return office(app).idle_shared if row.data.get("shared") else office(app).idle


def named(cookie: str) -> str:
    """The id of the session that a cookie opens."""
    return hashlib.sha256(cookie.encode()).hexdigest()


def this_session() -> Session:
    found = flask.session._get_current_object()  # type: ignore[attr-defined]
    assert isinstance(found, Session)
    return found


@dataclass(frozen=True)
class Office:
    """What every page stands on: the settings, the database, the rules, the clock."""

    settings: Any
    database: database.Database
    rules: Any
    now: Callable[[], datetime]
    told_at: Callable[[], datetime] | None = None  # a clock that commands are told of; None: the database's own

    @property
    def idle(self) -> timedelta:
        return timedelta(hours=self.settings.session_hours)

    @property
    def idle_shared(self) -> timedelta:
        return timedelta(minutes=self.settings.shared_session_minutes)

    @property
    def site(self) -> credentials.Site:
        """For whom passkeys are made."""
        parts = urlsplit(self.settings.url)
        return credentials.Site(parts.hostname or "localhost", f"{parts.scheme}://{parts.netloc}")


def office(app: Flask | None = None) -> Office:
    found: Office = (app or current_app).extensions["alur"]
    return found


# Who that is


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """The person signed in, as they are now: for the frame, and to know which places they have."""

    person: Person
    positions: tuple[organisation.Staff, ...]
    unit: str  # of the first position; "" of someone without any
    unit_name: str
    zone: str
    administrator: bool
    scopes: tuple[AuditScope, ...]  # what they may audit now, by surat tugas
    unread: int  # notices
    leads: frozenset[tuple[str, str]] = frozenset()  # (process key, unit): whose first lane they perform
    owner_of: tuple[str, ...] = ()  # of SOPs; unit ids as granted, "" of all
    verifier_of: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()  # unit ids: whose head they are today, also as Plh. or Plt.

    @property
    def id(self) -> str:
        return self.person.id

    def audit(self, unit: str, year: int | None, started_at: datetime | None) -> AuditScope | None:
        """What lets them audit an instance today, a surat tugas rather than the old power; None: nothing does."""
        assert started_at is not None, "an instance that is there was started"
        found = [one for one in self.scopes if one.covers(unit, year, started_at)]
        return max(found, key=lambda one: bool(one.number), default=None)

    @property
    def designs(self) -> bool:
        """Whether they see the place Perancang."""
        return bool(self.owner_of or self.verifier_of or self.heads or self.administrator)


NOBODY_NEEDED = frozenset(
    {"static", "door.sign_in", "door.sign_out", "door.alive", "door.ready", "notices.agenda_of", "verification.sop",
     "verification.file", "verification.checkpoint", "federation.start", "federation.back", "federation.leave"}
)


# Where somebody goes who must have a second factor and has none yet.
ENROLMENT = frozenset({"account.page", "account.codes_by_time", "account.passkey"})


def know_who_asks() -> Any:
    """Before every request: the visitor, or the sign-in page, carrying what was typed when the session was over."""
    session = this_session()
    g.visitor = None
    if session.broken:
        raise session.broken
    if request.endpoint in NOBODY_NEEDED and request.endpoint != "door.sign_in":
        return None
    if request.endpoint == "door.second_factor" and halfway(session) is not None:
        return None
    if request.endpoint == "door.passkey" and session.person is None and "challenge" in session:
        return None
    if session.person is not None:
        with office().database.read() as db:
            g.visitor = visitor(db, session.person, office().now())
        if g.visitor is None:
            session.belong_to(None)
    if g.visitor is None:
        if request.endpoint in NOBODY_NEEDED:
            return None
        if request.method != "POST" and request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate":
            return _("Anda belum masuk."), 401  # a script asks, and cannot use a page
        if request.method != "POST":
            session.modified = session.modified or session.expired
            wish = request.full_path.rstrip("?") if request.method == "GET" else ""
            return redirect(url_for("door.sign_in", lanjut=wish if wish not in ("", "/") else None))
        return sign_in_page(carrying=carried(request.form), wish=request.path), 401
    if session.get("temporary") and request.endpoint not in ("door.password", *NOBODY_NEEDED):
        return redirect(url_for("door.password"))
    if session.get("bare") == "must" and request.endpoint not in (*ENROLMENT, "door.password", *NOBODY_NEEDED):
        return redirect(url_for("account.page"))
    return None


def visitor(db: Any, person_id: str, now: datetime) -> Visitor | None:
    """The person with their positions and powers; None where they may no longer sign in."""
    person = organisation.person_of(db, person_id)
    if person is None or not person.active:
        return None
    today = now.astimezone(ZoneInfo("Asia/Jakarta")).date()
    positions = organisation.positions_of(db, person_id, today)
    first = queries.unit_of_position(db, positions[0].position) if positions else None
    powers = organisation.powers(db, person_id)
    return Visitor(
        person=person,
        positions=positions,
        unit=first.id if first else "",
        unit_name=first.name if first else "",
        zone=first.zone if first else "Asia/Jakarta",
        administrator=any(p.power == ADMINISTRATOR for p in powers),
        scopes=organisation.audits(db, person_id, now),
        unread=notices.count_unread(db, person_id),
        leads=leading(db, person_id, today) if positions else frozenset(),
        owner_of=tuple(p.unit for p in powers if p.power == OWNER),
        verifier_of=tuple(p.unit for p in powers if p.power == VERIFIER),
        heads=organisation.heads(db, person_id, today) if positions else (),
    )


def leading(db: Any, person_id: str, today: date) -> frozenset[tuple[str, str]]:
    """(process key, unit) of the processes whose head somebody is: they perform the first lane as drawn, Kepala PD's;
    who is represented by a Plh. or Plt. for now goes on seeing them."""
    mine = organisation.serves(db, person_id, today)
    if not mine:
        return frozenset()
    newest = {key: office().rules.definition(sha256) for key, sha256 in definitions.newest_hashes(db).items()}
    heads = {key: one.lanes[0].id for key, one in newest.items() if one.lanes}
    return frozenset((one.key, one.unit) for one in mine if heads.get(one.key) == one.lane)


def me() -> Visitor:
    """The visitor of a page that asks for one."""
    found: Visitor | None = g.visitor
    assert found is not None, "know_who_asks lets nobody else pass"
    return found


# A form that outlives its session: it says for whom it was drawn, and only our server can say that


def seal() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or b"", salt="oleh")


def form_key() -> str:
    """A command id for one form on one page."""
    return secrets.token_hex(16)


def posted_key() -> str:
    """The command id that the posted form carries; a fresh one in place of what no form of ours has."""
    key = request.form.get("key", "")
    return key if 8 <= len(key) <= 64 and key.isascii() and key.isprintable() else form_key()


def drawn_for(key: str) -> str:
    """Says that a form with this key was drawn for the person who is signed in."""
    sealed = seal().dumps([me().id, key])
    return sealed if isinstance(sealed, str) else sealed.decode()


def carried(posted: MultiDict[str, str]) -> list[tuple[str, str]]:
    """The names and values of a form to carry over a sign-in: only of a form that we drew, and not the password."""
    typed = [(name, value) for name, value in posted.items(multi=True) if name not in ("csrf_token", "sandi")]
    if "oleh" not in posted or sum(len(n) + len(v) for n, v in typed) > CARRIED_BYTES_MOST:
        return []
    return typed


def goes_on(person: str, form: MultiDict[str, str]) -> bool:
    """Whether a carried form was drawn for this very person, with this very key: nobody else's goes on."""
    try:
        sealed = seal().loads(form.get("oleh", ""))
    except BadSignature:
        return False
    return bool(sealed == [person, form.get("key", "")])


PREFIX = "bawa."  # of carried names on the sign-in page


def sign_in_page(problem: str = "", carrying: Iterable[tuple[str, str]] = (), wish: str = "") -> str:
    options, challenge = credentials.asking(office().site)
    if this_session().person is None:
        this_session()["challenge"] = challenge.hex()
    return render_template(
        "sign_in.html",
        problem=problem,
        carrying=list(carrying),
        wish=wish,
        login=request.form.get("nama", ""),
        prefix=PREFIX,
        shared="bersama" in request.form,
        options=options,
    )


def typed_fields() -> list[tuple[str, str]]:
    """The fields of another form that the sign-in page carries along."""
    return [
        (name.removeprefix(PREFIX), value) for name, value in request.form.items(multi=True) if name.startswith(PREFIX)
    ]


def own_path(wish: str) -> str:
    """A path of this site, or the inbox: a link cannot send anybody elsewhere."""
    if not wish.startswith("/") or wish.startswith(("//", "/\\")) or "\n" in wish or "\r" in wish:
        return url_for("inbox.tasks")
    return wish


@door.route("/masuk", methods=["GET", "POST"])
def sign_in() -> Any:
    """The sign-in form; with the right words, the page that was wanted."""
    wish = request.values.get("lanjut", "")
    if request.method == "GET":
        return redirect(own_path(wish)) if g.visitor else sign_in_page(wish=wish)
    brought, client = typed_fields(), request.remote_addr or ""
    try:
        who = organise.sign_in(
            office().database, request.form.get("nama", ""), request.form.get("sandi", ""), office().now(), client
        )
    except Refused as refused:
        security.tell("throttled" if refused.code == "throttled" else "sign_in_failed", method="sandi")
        return sign_in_page(str(refused), brought, wish), 429 if refused.code == "throttled" else 401
    shared = "bersama" in request.form
    return signed_in(who.person.id, "sandi", wish=wish, brought=brought, temporary=who.temporary, shared=shared)


@door.post("/masuk/kunci")
def passkey() -> Any:
    """Signing in with a passkey instead of a password: it has verified its person."""
    wish, session = request.form.get("lanjut", ""), this_session()
    challenge = bytes.fromhex(session.pop("challenge", ""))  # answered once, right or wrong
    brought = typed_fields()
    try:
        who = credentials.verify_passkey(
            office().database,
            office().site,
            request.form.get("jawaban", ""),
            challenge,
            office().now(),
            request.remote_addr or "",
        )
    except Refused as refused:
        security.tell("throttled" if refused.code == "throttled" else "sign_in_failed", method="kunci")
        return sign_in_page(str(refused), brought, wish), 429 if refused.code == "throttled" else 401
    return signed_in(who.id, "kunci", wish=wish, brought=brought, shared="bersama" in request.form)


def signed_in(
    person: str,
    method: str,
    *,
    wish: str = "",
    brought: Sequence[tuple[str, str]] = (),
    temporary: bool = False,
    shared: bool = False,
) -> Any:
    """The answer to somebody who has just proved who they are: their second factor is asked for, or a new session
    begins and the page that was wanted comes.

    method     how: "sandi" (a password), "oidc" (the office's accounts), "kunci" (a passkey that verified its person,
               which is two factors by itself).
    wish       the path that was wanted. brought: the typed fields of a form whose session was over.
    temporary  a one-time password: they choose their own first.
    shared     on a computer that others use: the session ends after minutes without a click.
    """
    with office().database.read() as db:
        has, credential = factors.of_person(db, person), organisation.credential_of(db, person)
    if not has or method == "kunci":
        return begin(person, method, wish=wish, brought=brought, temporary=temporary, shared=shared)
    session = this_session()
    session.belong_to(None)
    session["halfway"] = {
        "person": person,
        "method": method,
        "temporary": temporary,
        "shared": shared,
        "until": (office().now() + HALFWAY).isoformat(),
        "password": credential.changed_at if credential else "",
    }
    return second_factor_page(brought=brought, wish=wish)


def begin(
    person: str, method: str, *, wish: str, brought: Sequence[tuple[str, str]], temporary: bool, shared: bool
) -> Any:
    """A session of somebody who has proved all that is asked of them, and the page that was wanted."""
    now, client = office().now(), request.remote_addr or ""
    with office().database.begin() as db:
        administrator = organisation.is_administrator(db, person)
        if administrator:
            by = Actor(person=person, capacity="administrator", administrator=True)
            access.record(db, office().database.key, access.SignedIn(), by, now)
        factors.signed_in(db, person, now, method)
        has, required = factors.of_person(db, person), factors.is_required(db, person)
        told = bool(factors.unknown_to(db, person)) or factors.unconfirmed_recovery(db, person)
    security.tell("signed_in", person=person, method=method, shared=shared)
    session = this_session()
    session.belong_to(person)
    session.update(method=method, browser=browser_of(request.headers.get("User-Agent", "")), client=client)
    if shared:
        session["shared"] = True
    if told:
        session["told"] = True
    if not has and (required or administrator):
        session["bare"] = "must" if required else "should"
    if temporary:
        session["temporary"] = True
        return redirect(url_for("door.password"), 303)
    form = MultiDict(brought)
    if not brought:
        return redirect(own_path(wish), 303)
    if not goes_on(person, form):
        tell(
            _("Anda masuk sebagai orang lain daripada yang mengisi formulir sebelumnya. Isian itu tidak dikirim."),
            "warning",
        )
        return redirect(url_for("inbox.tasks"), 303)
    return again(own_path(wish), form, session)


def browser_of(agent: str) -> str:
    """A browser in plain words, from what it says of itself: "Firefox di Windows"."""
    names = (("Edg/", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("Firefox/", "Firefox"),
             ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
               ("CrOS", "ChromeOS"), ("Mac OS X", "Mac"), ("Linux", "Linux"))
    name = next((said for sign, said in names if sign in agent), "")
    system = next((said for sign, said in systems if sign in agent), "")
    return " · ".join(one for one in (name, system) if one)


# The second factor


def halfway(session: Session) -> dict[str, Any] | None:
    """Who has shown their first factor in this session and is asked for the second; None: nobody, or too long ago."""
    found: dict[str, Any] | None = session.get("halfway")
    if found is None or session.person is not None or office().now() > datetime.fromisoformat(found["until"]):
        return None
    return found


def second_factor_page(problem: str = "", brought: Iterable[tuple[str, str]] = (), wish: str = "") -> str:
    session = this_session()
    known = session["halfway"]
    with office().database.read() as db:
        has = factors.of_person(db, known["person"])
    keys = tuple(one for one in has if one.kind == factors.PASSKEY)
    options = ""
    if keys:
        options, challenge = credentials.asking(office().site, keys)
        session["challenge"] = challenge.hex()
    return render_template(
        "second_factor.html",
        problem=problem,
        carrying=list(brought),
        wish=wish,
        prefix=PREFIX,
        options=options,
        codes=any(one.kind == factors.TOTP for one in has),
    )


@door.route("/masuk/faktor", methods=["GET", "POST"])
def second_factor() -> Any:
    """The second factor, after the first was right: a code by time, a recovery code, or a passkey."""
    session = this_session()
    known = halfway(session)
    if known is None:  # signed in already, or it took too long
        return redirect(url_for("door.sign_in"), 303)
    wish, brought, client = request.values.get("lanjut", ""), typed_fields(), request.remote_addr or ""
    if request.method == "GET":
        return second_factor_page(wish=wish)
    answer, challenge = request.form.get("jawaban", ""), bytes.fromhex(session.pop("challenge", ""))
    try:
        if answer:
            credentials.verify_passkey(
                office().database, office().site, answer, challenge, office().now(), client, person=known["person"]
            )
            proved = "kunci"
        else:
            proved = credentials.verify_code(
                office().database, known["person"], request.form.get("kode", ""), office().now(), client
            )
    except Refused as refused:
        event: security.Event = "throttled" if refused.code == "throttled" else "second_factor_failed"
        security.tell(event, person=known["person"], method="kunci" if answer else "kode")
        return second_factor_page(str(refused), brought, wish), 429 if refused.code == "throttled" else 401
    with office().database.read() as db:
        who, credential = organisation.person_of(db, known["person"]), organisation.credential_of(db, known["person"])
    # Whoever was let halfway in by a password that was changed meanwhile begins again.
    if who is None or not who.active or (credential.changed_at if credential else "") != known["password"]:
        session.belong_to(None)
        return redirect(url_for("door.sign_in"), 303)
    security.tell("second_factor", person=known["person"], method=proved)
    return begin(
        known["person"],
        f"{known['method']}+{proved}",
        wish=wish,
        brought=brought,
        temporary=known["temporary"],
        shared=known["shared"],
    )


def again(path: str, form: MultiDict[str, str], session: Session) -> Response:
    """The answer to a form that was posted when its session was over, now that its person has signed in again."""
    form["csrf_token"] = generate_csrf()
    base = request.host_url
    headers = Headers({"Referer": request.url, "Origin": base.rstrip("/")})
    builder = EnvironBuilder(path=path, base_url=base, method="POST", data=form, headers=headers)
    environment = builder.get_environ()
    environment["REMOTE_ADDR"] = request.remote_addr or ""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    with app.app_context(), RequestContext(app, environment, session=session):
        response: Response = app.full_dispatch_request()
    return response


@door.post("/keluar")
def sign_out() -> Any:
    """End this session. "Ganti pengguna" says the same to the server and other words to the person."""
    if this_session().person is not None:
        security.tell("signed_out", person=this_session().person)
    this_session().belong_to(None)
    change = "ganti" in request.form
    answer = redirect(url_for("door.sign_in", pesan="ganti" if change else "keluar"), 303)
    # What scripts kept goes by itself when the form is sent; this is for where they did not run to their end.
    answer.headers["Clear-Site-Data"] = '"storage"'
    return answer


@door.route("/kata-sandi", methods=["GET", "POST"])
def password() -> Any:
    """Change one's own password; with a temporary one there is no other page."""
    problem = ""
    if request.method == "POST":
        session, form = this_session(), request.form
        told = session.get("told")
        try:
            if form.get("baru") != form.get("ulang"):
                raise Refused("wrong", _("Kedua isian kata sandi baru tidak sama."))
            organise.change_password(
                office().database,
                me().id,
                form.get("sandi", ""),
                form.get("baru", ""),
                office().now(),
                session.row.id if session.row else None,
                id=posted_key(),
                client=request.remote_addr or "",
                stolen=stolen,
            )
        except Refused as refused:
            problem = str(refused)
        else:
            session.renew()
            if told:
                session["told"] = True
            security.tell("password_changed", person=me().id)
            tell(_("Kata sandi Anda sudah diganti."))
            return redirect(url_for("inbox.tasks"), 303)
    page = render_template("password.html", problem=problem, forced=bool(this_session().get("temporary")))
    return page, 422 if problem else 200


def stolen(password: str) -> bool:
    """Whether a password is among those that were stolen elsewhere.

    Where their file broke since the start nobody is kept from choosing a password, since who has a one-time one could
    do nothing else: the security log and Kesehatan say it.
    """
    breached = office().settings.breached
    try:
        return breached is not None and breached.holds(password)
    except database.Unavailable:
        security.tell("breached_passwords_unreadable")
        return False


# Messages: what is true now, on the next page


def tell(
    text: str, look: str = "", link: tuple[str, str] | None = None, copy: str = "", done: str = "", recall: str = ""
) -> None:
    """A message at the top of the next page.

    link  (address, words). copy: a ready text for WhatsApp. done: the task whose copy in the browser can go.
    recall  the address that takes back what was done
    """
    session = this_session()
    session["messages"] = [
        *session.get("messages", []),
        {"text": text, "look": look, "link": link, "copy": copy, "done": done, "recall": recall},
    ]


def messages() -> list[dict[str, Any]]:
    """The messages for this page; asking takes them."""
    return list(this_session().pop("messages", [])) if "messages" in this_session() else []


# Whether the server is there


@door.get("/healthz")
def alive() -> Any:
    return {"alive": True}


@door.get("/readyz")
def ready() -> Any:
    """Whether the database answers and has the tables of this version."""
    try:
        with office().database.read() as db:
            found = database.revision(db)
    except Exception:  # whatever it is, this process cannot serve now
        current_app.logger.exception("not ready")
        return {"ready": False}, 503
    there = found == database.newest_revision()
    return {"ready": there, "revision": found}, 200 if there else 503
