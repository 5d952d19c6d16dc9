"""Pemberitahuan: what the visitor was told, how they are told, and their due dates for a calendar program.

The agenda is served to whoever knows its secret address, without a cookie and without a session: a calendar program
cannot sign in. So it says no more than the inbox's lines, and its address stands in no log.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from engine import agenda
from engine.store import database, feeds
from engine.store import notices as store

from . import inbox
from .processes import Sight
from .session import me, office, tell

notices = Blueprint("notices", __name__)
# Gently: a program asks once an hour. What is counted is in this process's memory, and gone with it.
limiter = Limiter(get_remote_address, storage_uri="memory://", strategy="moving-window")

AT_ONCE_MOST = 60  # agendas a minute, for one address of the network


@notices.get("/pemberitahuan")
def listed() -> Any:
    """What the visitor was told, the newest first, and what they may wish for."""
    return page()


def page(secret: str = "", problem: str = "") -> str:
    """The whole page. `secret`: of the address that was made by this very request; it is told only here."""
    with office().database.read() as db:
        told = store.of_person(db, me().id)
        feed = feeds.of_person(db, me().id)
        wish = store.preference(db, me().id)
    address = office().settings.url + url_for("notices.agenda_of", secret=secret) if secret else ""
    return render_template(
        "notices.html",
        told=told,
        unread=sum(1 for one in told if one.seen_at is None),
        feed=feed,
        state=state_of(feed),
        wish=wish,
        ways=ways(),
        address=address,
        mails=bool(office().settings.smtp_url),
        problem=problem,
    )


def ways() -> list[tuple[str, str, str]]:
    """(value, name, what it means) of the ways to be told by e-mail."""
    return [
        (store.AT_ONCE, _("Langsung"), _("Satu surel untuk setiap pemberitahuan, hanya pada jam kerja.")),
        (store.SUMMARY, _("Ringkasan harian"), _("Satu surel pada awal jam kerja, bila ada yang perlu Anda ketahui.")),
        (store.NOTHING, _("Tidak lewat surel"), _("Pemberitahuan hanya tampil di aplikasi ini.")),
    ]


@notices.post("/pemberitahuan/dibaca")
def read() -> Any:
    """Mark as read: the notices that the form names, or all."""
    ids = request.form.getlist("pemberitahuan")
    with office().database.begin() as db:
        store.mark_read(db, me().id, ids or "all", office().now())
    return redirect(url_for("notices.listed"), 303)


@notices.post("/pemberitahuan/surel")
def wish() -> Any:
    """How the visitor is told by e-mail from now on."""
    mail = request.form.get("surel", "")
    if mail not in store.MAILS:
        return page(problem=_("Pilih salah satu cara pemberitahuan.")), 422
    with office().database.begin() as db:
        store.set_preference(db, me().id, mail, office().now())
    name = next(name for value, name, _meaning in ways() if value == mail)
    tell(_("Pemberitahuan lewat surel: %(how)s.", how=name.lower()))
    return redirect(url_for("notices.listed"), 303)


# The agenda


def state_of(feed: feeds.Feed | None) -> str:
    """Names the address that a page was drawn with, so that a form that is sent twice makes no second one."""
    return feed.secret_sha256[:16] if feed else ""


@notices.post("/pemberitahuan/kalender")
def make() -> Any:
    """A new secret address, shown on the answer itself: it is kept nowhere, so no other page could show it."""
    with office().database.begin() as db:
        database.lock(db, f"feed {me().id}")
        unchanged = request.form.get("keadaan", "") == state_of(feeds.of_person(db, me().id))
        secret = feeds.make(db, me().id, office().now()) if unchanged else ""
    if not unchanged:
        return page(problem=_("Alamat kalender sudah dibuat dan tidak dapat ditampilkan lagi. "
                              "Bila belum sempat disalin, buat alamat baru.")), 409
    return page(secret)


@notices.post("/pemberitahuan/kalender/cabut")
def revoke() -> Any:
    """The address opens nothing any more."""
    with office().database.begin() as db:
        feeds.revoke(db, me().id)
    tell(_("Alamat kalender dicabut. Program kalender tidak dapat lagi membaca tugas Anda."))
    return redirect(url_for("notices.listed"), 303)


@notices.get("/agenda/<secret>.ics")
@limiter.limit(f"{AT_ONCE_MOST} per minute")
def agenda_of(secret: str) -> Any:
    """A person's due dates as text/calendar, for a program that knows the secret."""
    now = office().now()
    with office().database.read() as db:
        feed = feeds.find(db, secret)
        if feed is None:
            return not_there()
        body = agenda.calendar(agenda.entries(db, office().rules, feed, now, office().settings.url))
    if feed.read_at is None or now - feed.read_at >= feeds.READ_EVERY:
        with office().database.begin() as db:
            feeds.was_read(db, feed.person, now)
    answer = Response(body, mimetype="text/calendar")
    answer.headers["Cache-Control"] = "private, max-age=300"
    answer.headers["Content-Disposition"] = 'inline; filename="alur.ics"'
    answer.set_etag(sha256(body).hexdigest()[:32])
    answer.make_conditional(request)
    return only_for_its_program(answer)


def not_there() -> Response:
    """The same for an address that was revoked and for one that never was."""
    text = _("Alamat kalender ini tidak berlaku. Buat yang baru pada halaman Pemberitahuan.")
    return only_for_its_program(Response(text + "\n", 404, mimetype="text/plain"))


def only_for_its_program(answer: Response) -> Response:
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


# A word to whoever has the task


@notices.app_template_global()
def reminder_text(sight: Sight, number: int) -> str:
    """A text for WhatsApp to whoever an open user task waits for; "" where there is nobody to remind."""
    task = sight.instance.user_tasks.get(number)
    if task is None or not sight.whole or sight.performs(task.lane):
        return ""
    return inbox.whatsapp(sight, [task])
