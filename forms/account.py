"""Akun saya: where the visitor is signed in, their second factors; and what others of the unit ask them to confirm.

Who changes how they sign in proves first who they are. What an administrator gave or reset is confirmed here by
somebody else of the unit: this page judges nothing itself, `engine.organisation.confirmers` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import segno
from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from sqlalchemy import Connection

from engine import credentials, organise
from engine import organisation as org
from engine.commands import Actor
from engine.instance import Refused
from engine.organisation import Confirmation, Organisation
from engine.store import database, factors, records, sessions
from engine.store import organisation as store

from . import security, words
from .session import idle_of, me, office, posted_key, tell, this_session

account = Blueprint("account", __name__)

SEVERAL = UUID("5a0c3f0e-0b54-5c0e-9d0b-6e0f6b1f7a52")  # of the answers of one form, by its key and what is answered
SHORT = 20  # of a session's id in an address: enough to tell somebody's own apart


@dataclass(frozen=True, kw_only=True)
class Place:
    """Somewhere the visitor is signed in."""

    key: str
    browser: str
    client: str
    begun: Any
    seen: Any
    shared: bool
    here: bool


@account.get("/akun")
def page() -> str:
    """Where the visitor is signed in, and how."""
    with office().database.read() as db:
        mine = places_of(db, me().id)
        has = factors.of_person(db, me().id)
        return render_template(
            "account.html",
            sign_ins=mine,
            factors=has,
            created={one.id: records.moment(one.created_at) for one in has},
            used={one.id: records.moment(one.used_at) for one in has if one.used_at},
            codes_left=factors.codes_left(db, me().id),
            credential=store.credential_of(db, me().id),
            required=factors.is_required(db, me().id),
        )


def places_of(db: Connection, person: str) -> list[Place]:
    """Where somebody is signed in now, this very browser first, then the newest."""
    now, row = office().now(), this_session().row
    known = sessions.of_person(db, person)
    found = [one for one in known if now < one.expires_at and now - one.seen_at <= idle_of(one)]
    places = [
        Place(
            key=one.id[:SHORT],
            browser=one.data.get("browser") or _("Peramban tidak dikenal"),
            client=one.data.get("client", ""),
            begun=one.created_at,
            seen=one.seen_at,
            shared=bool(one.data.get("shared")),
            here=row is not None and row.id == one.id,
        )
        for one in found
    ]
    return sorted(places, key=lambda one: (not one.here, -one.seen.timestamp()))


@account.post("/akun/masuk/<key>/akhiri")
def end_session(key: str) -> Any:
    """End one of the visitor's own sessions."""
    with office().database.begin() as db:
        mine = [one.id for one in sessions.of_person(db, me().id) if one.id[:SHORT] == key]
        for id in mine:
            sessions.forget(db, id)
    if mine:
        security.tell("session_ended")
    tell(_("Sesi itu sudah berakhir.") if mine else _("Sesi itu memang sudah berakhir."))
    return redirect(url_for("account.page"), 303)


@account.post("/akun/masuk-lainnya/akhiri")
def end_others() -> Any:
    """End all of the visitor's sessions but this one."""
    row = this_session().row
    with office().database.begin() as db:
        store.end_sessions(db, me().id, keep=row.id if row else None)
    security.tell("sessions_ended")
    tell(_("Anda keluar dari semua peramban lain."))
    return redirect(url_for("account.page"), 303)


# Second factors


def prove() -> None:
    """The visitor proves again who they are. Raises Refused."""
    row = this_session().row
    credentials.prove_again(
        office().database,
        me().id,
        request.form.get("sandi", ""),
        row.created_at if row else None,
        office().now(),
        request.remote_addr or "",
    )


def enrolled(done: credentials.Enrolled, what: str) -> Any:
    """The page after a second factor was enrolled: under a new session, with the recovery codes of the first one."""
    this_session().renew()
    this_session().pop("bare", None)
    security.tell("factor_enrolled", kind=what)
    tell(_("Faktor kedua sudah terpasang. Mulai sekarang ia diminta setiap kali Anda masuk."))
    if done.codes:
        return render_template("recovery_codes.html", codes=done.codes)
    return redirect(url_for("account.page"), 303)


def has_password() -> bool:
    with office().database.read() as db:
        return store.credential_of(db, me().id) is not None


@account.route("/akun/kode", methods=["GET", "POST"])
def codes_by_time() -> Any:
    """Enrol an authenticator app: scan, then type its code."""
    session, key, problem = this_session(), office().database.key, ""
    secret = credentials.unseal(key, me().id, session.get("enrol", ""))
    if secret is None:
        secret = credentials.new_secret()
        session["enrol"] = credentials.seal(key, me().id, secret)
    if request.method == "POST":
        try:
            prove()
            done = credentials.enrol_totp(
                office().database,
                me().id,
                secret,
                request.form.get("kode", ""),
                office().now(),
                id=posted_key(),
                client=request.remote_addr or "",
            )
        except Refused as refused:
            problem = str(refused)
        else:
            session.pop("enrol", None)
            return enrolled(done, "totp")
    picture = segno.make(credentials.address_of(me().person, secret), error="m")
    qr = Markup(picture.svg_inline(scale=5, light="#fff", omitsize=False, title=_("Kode QR untuk aplikasi kode")))
    page = render_template(
        "codes_by_time.html",
        qr=qr,
        secret=" ".join(secret[place : place + 4] for place in range(0, len(secret), 4)),
        problem=problem,
        password=has_password(),
    )
    return page, 422 if problem else 200


@account.route("/akun/kunci-sandi", methods=["GET", "POST"])
def passkey() -> Any:
    """Enrol a passkey: this device, a phone, or a security key."""
    session, problem = this_session(), ""
    if request.method == "POST":
        challenge = bytes.fromhex(session.pop("challenge", ""))
        try:
            prove()
            done = credentials.enrol_passkey(
                office().database,
                office().site,
                me().id,
                request.form.get("jawaban", ""),
                challenge,
                office().now(),
                id=posted_key(),
                name=request.form.get("nama_kunci", ""),
            )
        except Refused as refused:
            problem = str(refused)
        else:
            return enrolled(done, "passkey")
    with office().database.read() as db:
        known = tuple(one for one in factors.of_person(db, me().id) if one.kind == factors.PASSKEY)
    options, challenge = credentials.registration(office().site, me().person, known)
    session["challenge"] = challenge.hex()
    page = render_template("passkey.html", options=options, problem=problem, password=has_password())
    return page, 422 if problem else 200


@account.route("/akun/faktor/<id>/hapus", methods=["GET", "POST"])
def remove_factor(id: str) -> Any:
    """Remove one of the visitor's own second factors."""
    with office().database.read() as db:
        one = next((one for one in factors.of_person(db, me().id) if one.id == id), None)
    if one is None:
        abort(404)
    problem = ""
    if request.method == "POST":
        try:
            prove()
            with office().database.begin() as db:
                credentials.remove(
                    db,
                    office().database.key,
                    id=posted_key(),
                    person=me().id,
                    by=Actor(person=me().id),
                    at=office().now(),
                    factor=id,
                )
        except Refused as refused:
            problem = str(refused)
        else:
            this_session().renew()
            security.tell("factor_removed", kind=one.kind)
            tell(_("%(name)s sudah dihapus.", name=one.name))
            return redirect(url_for("account.page"), 303)
    return proof_page(
        _("Hapus faktor kedua"), _("%(name)s tidak dapat dipakai lagi untuk masuk.", name=one.name), _("Hapus"), problem
    )


@account.route("/akun/kode-pemulihan", methods=["GET", "POST"])
def recovery() -> Any:
    """New recovery codes, shown once; the old ones are void."""
    problem = ""
    if request.method == "POST":
        try:
            prove()
            with office().database.begin() as db:
                codes = credentials.new_codes(
                    db, office().database.key, me().id, office().now(), posted_key()
                )
        except Refused as refused:
            problem = str(refused)
        else:
            security.tell("recovery_codes_drawn")
            return render_template("recovery_codes.html", codes=codes)
    return proof_page(
        _("Buat kode pemulihan baru"),
        _("Kode pemulihan yang lama tidak berlaku lagi. Kode baru hanya tampil sekali."),
        _("Buat kode"),
        problem,
    )


def proof_page(title: str, lead: str, submit: str, problem: str) -> Any:
    page = render_template(
        "prove_again.html", title=title, lead=lead, submit=submit, problem=problem, password=has_password()
    )
    return page, 422 if problem else 200


# What others of the unit confirm


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A change that waits to be confirmed, in words."""

    id: str
    title: str
    text: str
    at: Any
    zone: str


def waiting(db: Connection) -> list[Asked]:
    """What the visitor is asked to confirm, the oldest first."""
    if not factors.any_pending(db):
        return []
    organisation, now = store.load(db), office().now()
    mine = [
        one
        for one in organisation.confirmations.values()
        if one.state == org.PENDING and me().id in org.confirmers(organisation, one, now)
    ]
    return [in_words(organisation, one) for one in sorted(mine, key=lambda one: (one.asked_at, one.id))]


def in_words(organisation: Organisation, one: Confirmation) -> Asked:
    """A change as its reader understands it: what is so now, who made it so, on what basis."""

    def person(id: str) -> str:
        return organisation.people[id].name if id in organisation.people else _("Baris perintah server")

    def position(id: str) -> str:
        return organisation.positions[id].name

    unit = organisation.units[one.unit].name if one.unit in organisation.units else ""
    by = person(one.asked_by)
    if one.kind == org.CREDENTIAL:
        title = _("Kata sandi %(who)s diatur ulang", who=person(one.person))
        text = _(
            "%(by)s memberi %(who)s kata sandi sementara. Benarkah %(who)s yang memintanya?",
            by=by,
            who=person(one.person),
        )
    elif one.kind == org.FACTOR:
        title = _("Faktor kedua %(who)s dilepas", who=person(one.person))
        text = _(
            "%(by)s melepas faktor kedua %(who)s. Benarkah %(who)s yang memintanya?", by=by, who=person(one.person)
        )
    elif one.kind == org.HOLDER:
        held = organisation.holdings[one.subject]
        what = words.position(held.capacity, position(held.position))
        title = _("%(who)s sebagai %(position)s", who=person(held.person), position=what)
        text = _(
            "%(by)s mencatat %(who)s sebagai %(position)s, %(when)s.",
            by=by,
            who=person(held.person),
            position=what,
            when=words.period(held.valid_from, held.valid_until),
        )
        text += " " + (_("Dasar: %(basis)s.", basis=held.basis.rstrip(".")) if held.basis else _("Tanpa dasar."))
    elif one.kind == org.HEAD:
        title = _("%(position)s sebagai kepala %(unit)s", position=position(one.subject), unit=unit)
        text = _("%(by)s menetapkan %(position)s sebagai kepala unit.", by=by, position=position(one.subject))
    elif one.kind == org.POWER:
        what = power_words(organisation, *one.subject.split("/"))
        title = _("%(who)s sebagai %(power)s", who=person(one.person), power=what)
        text = _("%(by)s memberi %(who)s kuasa %(power)s.", by=by, who=person(one.person), power=what)
    elif one.kind == org.ASSIGNMENT:
        letter = organisation.assignments[one.subject]
        title = _("Surat tugas audit %(number)s untuk %(who)s", number=letter.number, who=person(one.person))
        text = _(
            "%(by)s mencatat %(who)s sebagai auditor %(scope)s, %(when)s.",
            by=by,
            who=person(one.person),
            scope=assignment_words(organisation, letter),
            when=words.period(letter.valid_from, letter.valid_until),
        )
    else:
        key, lane, to = one.subject.split("/")
        bound = organisation.settings.get(org.lane_setting(key, one.unit, lane))
        name = (bound.value if bound else "") or (_("pemulai proses") if lane == org.STARTERS else lane)
        title = _("%(position)s sebagai pelaksana %(lane)s", position=position(to), lane=name)
        text = _(
            "%(by)s menetapkan %(position)s sebagai pelaksana %(lane)s untuk %(unit)s.",
            by=by,
            position=position(to),
            lane=name,
            unit=unit,
        )
    zone = organisation.units[one.unit].zone if one.unit in organisation.units else me().zone
    return Asked(id=one.id, title=title, text=text, at=records.moment(one.asked_at), zone=zone)


def power_words(organisation: Organisation, power: str, unit: str) -> str:
    """ "Administrator", "Auditor Kantor Kecamatan Lasem"."""
    if power == org.ADMINISTRATOR:
        return _("Administrator")
    of = organisation.units[unit].name if unit in organisation.units else _("semua unit")
    if power == org.OWNER:
        return _("Pemilik SOP %(unit)s", unit=of)
    if power == org.VERIFIER:
        return _("Verifikator SOP %(unit)s", unit=of)
    return _("Auditor %(unit)s", unit=of)


def assignment_words(organisation: Organisation, one: org.AuditAssignment | org.AssignAudit) -> str:
    """ "Kantor Kecamatan Lasem, tahun laporan 2025, 2026"."""
    units = ", ".join(organisation.units[id].name for id in one.units)
    if not one.years:
        return _("%(units)s, semua tahun laporan", units=units)
    return _("%(units)s, tahun laporan %(years)s", units=units, years=", ".join(map(str, one.years)))


@account.get("/konfirmasi")
def confirmations() -> str:
    """What the visitor is asked to confirm."""
    return confirmations_page()


def confirmations_page(wrong: str = "", problem: str = "") -> str:
    """wrong: the change to which the problem belongs; "" where it is of several."""
    with office().database.read() as db:
        asked = waiting(db)
    return render_template(
        "confirmations.html",
        asked=asked,
        wrong=wrong,
        problem=problem,
        typed=request.form.get("alasan", ""),
        ticked=request.form.getlist("perubahan"),
    )


@account.post("/konfirmasi")
def confirm_several() -> Any:
    """All ticked changes are right: every one of them is confirmed, or none."""
    ticked = list(dict.fromkeys(request.form.getlist("perubahan")))
    if not ticked:
        problem = _("Belum ada yang dicentang. Centang perubahan yang sudah Anda pastikan benar.")
        return confirmations_page(problem=problem), 422
    confirmed = []
    try:
        with office().database.begin() as db:
            for id in ticked:
                if settle(db, id, key=uuid5(SEVERAL, f"{posted_key()} {id}").hex, right=True):
                    confirmed.append(id)
    except Refused as refused:
        return confirmations_page(problem=str(refused)), 422
    for id in confirmed:
        security.tell("change_confirmed", confirmation=id)
    if confirmed:
        tell(
            ngettext(
                "Terima kasih. %(num)s perubahan sudah Anda konfirmasi.",
                "Terima kasih. %(num)s perubahan sudah Anda konfirmasi.",
                len(confirmed),
            )
        )
    if before := len(ticked) - len(confirmed):
        tell(ngettext("%(num)s perubahan sudah dijawab.", "%(num)s perubahan sudah dijawab.", before))
    return redirect(url_for("account.confirmations"), 303)


@account.post("/konfirmasi/<id>")
def answer(id: str) -> Any:
    """A change is right, or it is not and holds no longer."""
    right = request.form.get("jawaban") == "benar"
    try:
        with office().database.begin() as db:
            reason = request.form.get("alasan", "").strip()
            settled = settle(db, id, key=posted_key(), right=right, reason=reason)
    except Refused as refused:
        return confirmations_page(id, str(refused)), 422
    if settled:
        security.tell("change_confirmed" if right else "change_disputed", confirmation=id)
    tell(
        _("Perubahan ini sudah dijawab.")
        if not settled
        else _("Terima kasih. Perubahan itu sudah Anda konfirmasi.")
        if right
        else _("Perubahan itu tidak berlaku lagi. Administrator dan kepala unit sudah diberi tahu.")
    )
    return redirect(url_for("account.confirmations"), 303)


def settle(db: Connection, id: str, *, key: str, right: bool, reason: str = "") -> bool:
    """Record the visitor's answer, in a write transaction; False where somebody answered before. 404 where the visitor
    is not asked. Raises Refused."""
    one = organise.asked(db, id)
    at = told_at() if (told_at := office().told_at) else database.now(db)
    if one is None or me().id not in organise.who_confirms(db, one, at):
        abort(404)
    if one.state != org.PENDING:
        return False
    by = Actor(person=me().id, unit=me().unit or None)
    organise.answer(
        db, office().database.key, id=key, confirmation=id, right=right, reason=reason, by=by, at=at
    )
    return True


@account.post("/akun/diketahui/<id>")
def known(id: str) -> Any:
    """The visitor says that they know of a change that they were told of."""
    with office().database.begin() as db:
        factors.known(db, id, me().id, office().now())
    return redirect(url_for("inbox.tasks"), 303)


@account.post("/akun/diketahui")
def known_all() -> Any:
    """The visitor says that they know of the changes that were listed."""
    with office().database.begin() as db:
        for id in {*request.form.getlist("perubahan")} & {*factors.unknown_to(db, me().id)}:
            factors.known(db, id, me().id, office().now())
    return redirect(url_for("inbox.tasks"), 303)


# What stands at the top of every page until it is settled


@dataclass(frozen=True, kw_only=True)
class Banner:
    text: str
    known: str = ""  # the change that is acknowledged
    several: tuple[tuple[str, str], ...] = ()  # (its id, what it is) of changes that are acknowledged together
    link: tuple[str, str] | None = None


def banners() -> list[Banner]:
    """What the visitor was told at sign-in and has not settled; the database is asked only where something was."""
    session = this_session()
    if g.get("visitor") is None or session.get("temporary"):
        return []
    found = []
    link = (url_for("account.page"), _("Pasang faktor kedua"))
    if session.get("bare") == "must":
        found.append(Banner(text=_("Anda perlu memasang faktor kedua sebelum melanjutkan."), link=link))
    elif session.get("bare"):
        text = _("Akun administrator sebaiknya memakai faktor kedua: kata sandi saja mudah dicuri.")
        found.append(Banner(text=text, link=link))
    if session.get("told"):
        with office().database.read() as db:
            ids, recovered = factors.unknown_to(db, me().id), factors.unconfirmed_recovery(db, me().id)
            organisation = store.load(db) if ids else None
        if organisation is not None:
            told = [organisation.confirmations[id] for id in ids]
            alone = [one for one in told if len(told) == 1 or is_of_my_account(one)]
            found += [Banner(text=said_to_them(organisation, one), known=one.id) for one in alone]
            if several := [(one.id, said_to_them(organisation, one)) for one in told if one not in alone]:
                text = ngettext(
                    "%(num)s perubahan wewenang perlu Anda ketahui.",
                    "%(num)s perubahan wewenang perlu Anda ketahui.",
                    len(several),
                )
                found.append(Banner(text=text, several=tuple(several)))
        if recovered:
            found.append(
                Banner(
                    text=_(
                        "Akun Anda diatur ulang dan belum dikonfirmasi orang lain di unit Anda. Sampai dikonfirmasi, "
                        "yang Anda kerjakan dalam satu hari kerja tercatat sebagai penyimpangan."
                    )
                )
            )
        if not ids and not recovered:
            session.pop("told")
    return found


def is_of_my_account(one: Confirmation) -> bool:
    """Whether it is a reset of the visitor's own account, which no list of others' changes may hide."""
    return one.person == me().id and one.kind in (org.CREDENTIAL, org.FACTOR)


def said_to_them(organisation: Organisation, one: Confirmation) -> str:
    """What is told to whom a change concerns: their own account, or what they or their office got."""
    at = words.full(records.moment(one.asked_at), me().zone)
    by = organisation.people[one.asked_by].name if one.asked_by in organisation.people else _("Baris perintah server")
    if one.person == me().id and one.kind == org.CREDENTIAL:
        return _("Kata sandi Anda diatur ulang oleh %(by)s, %(at)s. Bila bukan Anda yang meminta, segera beri tahu "
                 "atasan Anda.", by=by, at=at)
    if one.person == me().id and one.kind == org.FACTOR:
        return _("Faktor kedua Anda dilepas oleh %(by)s, %(at)s. Bila bukan Anda yang meminta, segera beri tahu atasan "
                 "Anda.", by=by, at=at)
    return _("%(what)s, dicatat %(by)s, %(at)s.", what=in_words(organisation, one).title, by=by, at=at)


