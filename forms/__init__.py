"""What is shown: one thin Flask app. `create_app(settings, database, rules)` gives it, ready to be served.

A view asks, calls one verb of the engine, and answers; it decides nothing. Pages work without JavaScript, load nothing
from elsewhere, and obey a policy without exceptions.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from flask import Flask, Response, g, render_template, request, url_for
from flask_babel import Babel
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError, CSRFProtect
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from engine.rules import Rules
from engine.settings import Settings
from engine.store.database import Database, Unavailable

from . import (
    account,
    admin,
    audit,
    calendars,
    federation,
    health,  # noqa: F401  # its pages stand on the blueprint of admin
    inbox,
    migration,
    modeler,
    monitoring,
    monitoring_forms,
    notices,
    performance,
    processes,
    publishing,
    retention,
    security,
    selection,
    session,
    sop_editor,
    uploads,
    verification,
    words,
)
from .session import Office, door, goes_on, know_who_asks, messages, office

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Text becomes HTML only where it is said so: by forms/static/trusted.js, and in one place of the viewers' libraries.
# The modeler's libraries do it everywhere; its page alone goes without (`bundle`).
TRUSTED_TYPES = "; require-trusted-types-for 'script'; trusted-types alur bpmn-js"
HEADERS = {
    "Content-Security-Policy": POLICY + TRUSTED_TYPES,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
FOREVER = "public, max-age=31536000, immutable"
PERANCANG = ("publishing", "modeler", "sop_editor", "migration")  # the blueprints of one place
ADDRESS_MOST = 16_000  # characters of an address with its question: nobody types or filters by more
FORM_MOST = 2_000_000  # bytes of one posted form, its files apart
FORM_PARTS_MOST = 20_000  # of one posted form: a long table is many


def create_app(
    settings: Settings, database: Database, rules: Rules, now: Callable[[], datetime] | None = None
) -> Flask:
    """The app.

    now  a clock for a demonstration or a test; None: the machine's (and for commands the database's own).
    """
    app = Flask(__name__, static_folder="static")
    app.url_map.strict_slashes = False  # an address typed with a slash at its end is the same page
    app.config.update(
        SECRET_KEY=hmac.digest(database.key, b"alur web", "sha256"),
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,  # asked for in `guard`, after it is known who asks
        BABEL_DEFAULT_LOCALE=settings.language,
        MAX_CONTENT_LENGTH=(settings.upload_megabytes + 1) * 1_000_000 * 2,
        MAX_FORM_MEMORY_SIZE=FORM_MOST,
        MAX_FORM_PARTS=FORM_PARTS_MOST,
    )
    app.extensions["alur"] = Office(settings, database, rules, now or (lambda: datetime.now(UTC)), now)
    app.session_interface = session.Sessions()
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    Babel(app, locale_selector=lambda: settings.language)
    protect = CSRFProtect(app)
    notices.limiter.init_app(app)

    @app.before_request
    def guard() -> Any:
        if len(request.query_string) + len(request.path) > ADDRESS_MOST:
            return error_page(414)
        # Werkzeug would read such a form as an empty one, and its sender would be told of an old page.
        if request.mimetype == "application/x-www-form-urlencoded" and (request.content_length or 0) > FORM_MOST:
            return error_page(413)
        answer = know_who_asks()
        if answer is None and request.method not in ("GET", "HEAD", "OPTIONS", "TRACE"):
            from_elsewhere = request.headers.get("Origin", "null") not in ("null", request.host_url.rstrip("/"))
            if from_elsewhere and "Origin" in request.headers and request.headers["Origin"] != settings.url:
                security.tell("foreign_origin", endpoint=request.endpoint)
                return error_page(403, _("Permintaan ini datang dari alamat lain. Buka halamannya dari aplikasi ini."))
            if uploads.has_nameless_part():
                return error_page(400)  # what checks the form's seal takes every name for a text
            protect.protect()
        return answer

    app.after_request(add_headers)
    app.after_request(security.of_answer)
    app.context_processor(what_every_page_knows)
    app.register_error_handler(CSRFError, send_again)
    app.register_error_handler(Unavailable, lambda _error: error_page(503))
    app.register_error_handler(OSError, uploads.nothing_can_be_written)
    app.register_error_handler(HTTPException, lambda error: error if error.response else error_page(error.code or 500))
    app.register_error_handler(Exception, something_broke)
    pages = (door, inbox.inbox, processes.processes, monitoring.monitoring, notices.notices, admin.admin, audit.audit)
    across = (account.account, performance.performance, monitoring_forms.monitoring_forms)
    perancang = (modeler.modeler, publishing.publishing, sop_editor.sop_editor, migration.migration)
    elsewhere = (uploads.uploads, federation.federation, calendars.calculator, verification.verification,
                 retention.retention, selection.selection)
    for blueprint in (*pages, *across, *perancang, *elsewhere):
        app.register_blueprint(blueprint)
    return app


def add_headers(response: Response) -> Response:
    """What every answer says to the browser; a view may have said something stricter."""
    if g.get("draws_with_the_modeler"):
        response.headers.setdefault("Content-Security-Policy", POLICY)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if office().settings.secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint == "static" and response.status_code in (200, 206, 304):
        hashed = "dist/" in request.path or "v" in request.args
        response.headers["Cache-Control"] = FOREVER if hashed else "no-cache"
    else:
        response.headers.setdefault("Cache-Control", "no-store")
        if not response.cache_control.no_store:  # what one person may read, no cache keeps for another
            response.cache_control.public, response.cache_control.private = False, True
    return response


# What every page knows


def what_every_page_knows() -> dict[str, Any]:
    visitor = g.get("visitor")
    now = office().now()

    def drawn_for() -> Markup:
        """The hidden fields of a form that changes something: its command id, and for whom it was drawn."""
        key = session.form_key()
        return Markup(render_template("_key.html", key=key, sealed=session.drawn_for(key)))

    return {
        "visitor": visitor,
        "places": places(),
        "messages": messages,
        "banners": account.banners,
        "asset": asset,
        "bundle": bundle,
        "words": words,
        "now": now,
        "key_fields": drawn_for,
        "office_accounts": bool(office().settings.oidc_issuer),
        "plain_http": visitor is not None and visitor.administrator and not office().settings.secure,
    }


def places() -> list[tuple[str, str, bool]]:
    """(address, name, whether this page is in it) of the places that the visitor has."""
    visitor = g.get("visitor")
    if visitor is None:
        return []
    found = [("inbox.tasks", "inbox", _("Kotak Tugas")), ("processes.listed", "processes", _("Proses"))]
    if monitoring.watches(visitor):
        found.append(("monitoring.page", "monitoring", _("Pemantauan")))
    if audit.audits(visitor):
        found.append(("audit.listed", "audit", _("Audit")))
    if visitor.designs:
        found.append(("publishing.home", "perancang", _("Perancang")))
    if visitor.administrator:
        found.append(("admin.home", "admin", _("Pengaturan")))
    here = "perancang" if request.blueprint in PERANCANG else request.blueprint
    here = "audit" if here in ("performance", "monitoring_forms") else here
    here = "admin" if here == "retention" and visitor.administrator else here
    return [(url_for(endpoint), name, here == place) for endpoint, place, name in found]


@cache
def version_of(name: str) -> str:
    """The beginning of a static file's hash: its address changes when it does, so that browsers may keep it forever."""
    return sha256((Path(__file__).parent / "static" / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    return url_for("static", filename=name, v=version_of(name))


def bundle(entry: str) -> dict[str, str] | None:
    """Addresses of the built browser sources ("js", "css"); None where they were not built: pages do without."""
    g.draws_with_the_modeler = entry == "modeler" or g.get("draws_with_the_modeler", False)
    manifest = Path(__file__).parent / "static" / "dist" / "manifest.json"
    try:
        files = orjson.loads(manifest.read_bytes())["entries"][entry]
    except (FileNotFoundError, KeyError):
        return None
    return {kind: url_for("static", filename=f"dist/{name}") for kind, name in files.items() if isinstance(name, str)}


# Wrong turns


def wrong_turns() -> dict[int, tuple[str, str]]:
    """What each wrong turn is called, and what one can do."""
    return {
        400: (_("Permintaan tidak dapat dibaca"), _("Kembali ke halaman sebelumnya, lalu kirim lagi.")),
        401: (_("Anda belum masuk"), _("Masuk dahulu, lalu buka halaman ini lagi.")),
        403: (
            _("Halaman ini bukan bagian dari tugas Anda"),
            _("Jabatan Anda saat ini tidak memberi akses ke sini. Bila keliru, hubungi administrator."),
        ),
        404: (
            _("Halaman tidak ditemukan"),
            _("Mungkin alamatnya keliru, atau berkas proses ini bukan bagian dari tugas unit Anda."),
        ),
        405: (_("Halaman ini tidak dapat dibuka langsung"), _("Mulailah dari Kotak Tugas.")),
        409: (_("Keadaan sudah berubah"), _("Orang lain lebih dahulu mengubahnya. Periksa keadaan terbaru.")),
        413: (
            _("Yang dikirim terlalu besar"),
            _(
                "Satu berkas paling besar %(size)s MB: perkecil atau bagi berkasnya, atau lampirkan satu per satu. "
                "Satu isian paling panjang 20.000 huruf: persingkat, atau lampirkan sebagai berkas.",
                size=office().settings.upload_megabytes,
            ),
        ),
        414: (
            _("Alamat terlalu panjang"),
            _("Yang dicari atau disaring terlalu panjang. Persingkat, lalu cari lagi."),
        ),
        423: (_("Berkas ini belum dapat dibuka"), _("Pemeriksa virus belum menyatakannya bersih.")),
        429: (_("Terlalu banyak percobaan"), _("Tunggu beberapa menit, lalu coba lagi.")),
        500: (
            _("Terjadi gangguan pada aplikasi"),
            _("Yang sudah tersimpan tidak hilang. Coba lagi; bila berulang, sebutkan nomor ini kepada administrator."),
        ),
        503: (
            _("Aplikasi sedang tidak dapat melayani"),
            _("Basis data tidak menjawab. Tunggu sebentar, lalu muat ulang."),
        ),
        507: (
            _("Ruang penyimpanan server penuh"),
            _("Tidak ada yang hilang, tetapi yang baru saja dikirim belum tersimpan. Beri tahu administrator."),
        ),
    }


def error_page(status: int, detail: str = "", number: str = "") -> tuple[str, int]:
    title, remedy = wrong_turns().get(status) or wrong_turns()[400]
    return render_template("error.html", title=title, remedy=detail or remedy, number=number), status


def something_broke(error: Exception) -> tuple[str, int]:
    """Our own mistake: the transaction has protected the data; the person gets a number, the log gets the rest."""
    from flask import current_app

    if current_app.testing:
        raise error
    number = secrets.token_hex(4).upper()
    secret = request.url_rule is not None and "secret" in request.url_rule.arguments
    where = request.url_rule if secret else request.path  # a secret address stands in no log
    current_app.logger.error("error %s on %s %s", number, request.method, where, exc_info=error)
    try:
        return error_page(500, number=number)
    except Exception:  # the page itself needs what is broken
        current_app.logger.exception("no page for error %s", number)
        return f"{_('Terjadi gangguan pada aplikasi')}. {number}", 500


def send_again(error: CSRFError) -> Any:
    """A form from before its person signed in again elsewhere: shown once more, to be sent with one press.

    Only a form that we drew for this very person; anything else was not theirs to send.
    """
    visitor = g.get("visitor")
    security.tell("csrf_failed", endpoint=request.endpoint)
    if visitor is not None and goes_on(visitor.id, request.form):
        carrying = session.carried(request.form)
        return render_template("send_again.html", address=request.full_path.rstrip("?"), carrying=carrying), 400
    if request.endpoint == "door.sign_in":
        return session.sign_in_page(_("Halaman ini sudah terlalu lama terbuka. Coba masuk sekali lagi.")), 400
    return error_page(400, _("Halaman ini sudah terlalu lama terbuka. Kembali, muat ulang, lalu kirim lagi."))
