"""Pengaturan: where administrators keep the organisation: units, positions, people, holders, lanes, powers.

Every page is one subject. A form makes one act of `engine.organisation`; what the engine refuses comes back at its
field. A form's hidden key is the id of its change, so that sending it twice is sending it once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from itertools import groupby, islice
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import Connection

from engine import credentials, import_csv, organise, recalendar
from engine import organisation as org
from engine.commands import Actor
from engine.definition import ProcessDefinition
from engine.instance import Problem, Refused
from engine.organisation import STREAM, Act, Change, Organisation
from engine.store import database, definitions, factors, integrity, journal, records, sessions
from engine.store import organisation as store

from . import account, security, words
from .session import idle_of, me, office, tell

admin = Blueprint("admin", __name__, url_prefix="/pengaturan")

NAMESPACE = UUID("b7a4d2f6-50e1-5a57-8f0b-0c0a3c8f4f11")  # of ids drawn from a form's key
ROWS_ON_A_PAGE = 100
HISTORY_OF_ONE = 1_000  # newest changes that are searched for those of one person, position, unit
SOON = timedelta(days=7)
# The SOP's identity that a unit may say for itself, over the diagram's.
FACTS = (
    ("sop.pemerintah", _l("Pemerintah daerah")),
    ("sop.unit", _l("Nama unit pada SOP")),
    ("sop.nomorSop", _l("Nomor SOP")),
    ("sop.tanggalPembuatan", _l("Tanggal pembuatan")),
    ("sop.tanggalRevisi", _l("Tanggal revisi")),
    ("sop.tanggalPengesahan", _l("Tanggal pengesahan")),
    ("sop.disahkanOleh", _l("Disahkan oleh")),
)


@admin.before_request
def only_administrators() -> None:
    """For anybody else these pages do not exist."""
    if g.get("visitor") is None or not me().administrator:
        abort(404)


@admin.context_processor
def what_these_pages_know() -> dict[str, Any]:
    sections = (
        ("home", _("Ringkasan")),
        ("people", _("Orang")),
        ("positions", _("Jabatan")),
        ("holdings", _("Pemegang jabatan")),
        ("lanes", _("Pelaksana")),
        ("units", _("Unit")),
        ("calendars", _("Kalender")),
        ("powers", _("Kuasa")),
        ("assignments", _("Surat tugas audit")),
        ("imports", _("Impor CSV")),
        ("incidents", _("Insiden")),
        ("health", _("Kesehatan")),
        ("history", _("Riwayat")),
    )

    def whether_here(address: str) -> str:
        """`page` of the section's own page, `true` of a page inside it."""
        inside = request.path.startswith(address + "/") and address != url_for("admin.home")
        return "page" if request.path == address else "true" if inside else ""

    addresses = [(url_for(f"admin.{name}"), label) for name, label in sections]
    addresses.append((url_for("retention.page"), _("Arsip & penghapusan")))
    return {
        "sections": [(address, label, whether_here(address)) for address, label in addresses],
        "period": words.period,
        "awaits": awaits,
        "capacity": capacity,
    }


# What every view needs


def look() -> Organisation:
    with office().database.read() as db:
        return store.load(db)


def here() -> date:
    """Today, where the administrator is."""
    return org.local_date(office().now(), me().zone)


def found(table: Mapping[Any, Any], key: Any) -> Any:
    """The row, or no such page."""
    return table[key] if key in table else abort(404)


def administrator() -> Actor:
    position = me().positions[0] if me().positions else None
    return Actor(
        person=me().id,
        position=position.position if position else None,
        unit=me().unit or None,
        capacity="administrator",
        administrator=True,
    )


def form_id() -> str:
    """The form's key: the id of the change that it asks for."""
    key = request.form.get("key", "")
    if not re.fullmatch("[0-9a-f]{32}", key):
        abort(400)
    return key


def new_id(what: str) -> str:
    """The id of what a form makes: the same when it is sent again."""
    return uuid5(NAMESPACE, f"{what} {form_id()}").hex


def moment(db: Connection) -> datetime:
    """When a change is made. On a demonstration or in a test the page's clock is the change's."""
    told_at = office().told_at
    return told_at() if told_at else database.now(db)


def carry_out(act: Act) -> organise.Changed:
    """Make one change. Raises Refused."""
    with office().database.begin() as db:
        change = Change(id=form_id(), at=moment(db), actor=administrator(), act=act)
        return organise.change(db, office().database.key, change)


def slug(name: str) -> str:
    """`kantor_kecamatan_lasem` of "Kantor Kecamatan Lasem"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:60]


def capacity(name: str) -> str:
    return {"definitif": _("Definitif"), "plh": _("Plh."), "plt": _("Plt.")}.get(name, name)


# Forms: some inputs, one act


@dataclass(frozen=True, kw_only=True)
class Input:
    """One question of a form; its name is the place that a Problem names."""

    name: str
    label: str
    kind: str = "text"  # text | long | select | ticks (several of the options) | date | tick
    value: Any = ""
    hint: str = ""
    required: bool = True
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Form:
    title: str
    submit: str
    back: str  # address to go to without doing anything
    inputs: tuple[Input, ...] = ()
    lead: str = ""


def posted(inputs: Iterable[Input]) -> dict[str, Any]:
    """What was typed: a tick as bool, ticks as a tuple, an optional empty text as None."""
    values: dict[str, Any] = {}
    for one in inputs:
        if one.kind == "ticks":
            values[one.name] = tuple(request.form.getlist(one.name))
            continue
        text = unicodedata.normalize("NFC", request.form.get(one.name, "")).replace("\r\n", "\n").strip()
        values[one.name] = text == "ya" if one.kind == "tick" else text if text or one.required else None
    return values


def answer(
    form: Form,
    act_of: Callable[[dict[str, Any]], Act],
    said: Callable[[dict[str, Any]], str],
    then: Callable[[dict[str, Any]], str] | None = None,
) -> Any:
    """The form; or, when it was sent, the change and the next page (where one goes back to, unless `then` says
    another); or the form again with what is wrong."""
    values = {one.name: one.value for one in form.inputs}
    problems: tuple[Problem, ...] = ()
    if request.method == "POST":
        values = posted(form.inputs)
        try:
            done = carry_out(act_of(values))
        except Refused as refused:
            problems = at_inputs(refused, form.inputs)
        else:
            tell(said(values))
            for warning in done.warnings:
                tell(warning, "warning")
            return redirect(then(values) if then else form.back, 303)
    return form_page(form, values, problems)


def form_page(form: Form, values: Mapping[str, Any], problems: tuple[Problem, ...]) -> Any:
    page = render_template("admin/form.html", form=form, values=values, problems=problems)
    return page, 422 if problems else 200


def at_inputs(refused: Refused, inputs: Sequence[Input]) -> tuple[Problem, ...]:
    """The problems, each at an input of this form: what belongs to none of them stands at the first."""
    names = [one.name for one in inputs] or ["kirim"]
    problems = refused.problems or (Problem(names[0], str(refused)),)
    return tuple(one if one.place in names else Problem(names[0], one.message) for one in problems)


def reason_input() -> Input:
    return Input(name="reason", label=_("Alasan"), required=False)


def choice(options: Iterable[tuple[str, str]], empty: str | None = None) -> tuple[tuple[str, str], ...]:
    """Options of a select, sorted by what is read; `empty` words for none."""
    listed = sorted(options, key=lambda one: one[1].casefold())
    return (*([("", empty)] if empty is not None else []), *listed)


def people_options(organisation: Organisation) -> Iterator[tuple[str, str]]:
    for one in organisation.people.values():
        if one.active:
            yield one.id, f"{one.name} ({one.login})" if one.name.casefold() != one.login else one.name


def person_input(organisation: Organisation, label: str) -> Input:
    return Input(
        name="person",
        label=label,
        kind="select",
        value=request.args.get("orang", ""),
        options=choice(people_options(organisation), _("Pilih orang")),
    )


def position_options(organisation: Organisation, units: Iterable[str] | None = None) -> Iterator[tuple[str, str]]:
    wanted = None if units is None else set(units)
    for one in organisation.positions.values():
        if wanted is None or one.unit in wanted:
            yield one.id, f"{one.name}, {organisation.units[one.unit].name}"


def unit_options(organisation: Organisation, without: str | None = None) -> Iterator[tuple[str, str]]:
    return ((one.id, one.name) for one in organisation.units.values() if one.id != without)


# Ringkasan


@dataclass(frozen=True, kw_only=True)
class Concern:
    """Something that an administrator should look at, and where."""

    text: str
    address: str


@admin.get("")
def home() -> str:
    """What needs attention, and how much there is of everything."""
    with office().database.read() as db:
        organisation, processes = store.load(db), deployed(db)
        found = [*concerns(organisation, processes), *concerns_of_calendars(db, organisation)]
        found = [*[Concern(text=text, address=url_for(f"admin.{page}")) for page, text in trouble(db)], *found]
    counts = [
        (url_for("admin.people"), _("Orang"), sum(one.active for one in organisation.people.values())),
        (url_for("admin.positions"), _("Jabatan"), len(organisation.positions)),
        (url_for("admin.units"), _("Unit"), len(organisation.units)),
        (url_for("admin.lanes"), _("Proses"), len(processes)),
    ]
    return render_template("admin/home.html", concerns=found, counts=counts)


def trouble(db: Connection) -> Iterator[tuple[str, str]]:
    """(page of the settings, what it has): open incidents, and what does not hold."""
    if incidents := integrity.count_open_incidents(db):
        yield "incidents", ngettext("%(num)s insiden menunggu Anda.", "%(num)s insiden menunggu Anda.", incidents)
    if findings := len(integrity.findings(db)):
        yield "health", ngettext("Pemeriksaan menemukan %(num)s hal.", "Pemeriksaan menemukan %(num)s hal.", findings)


def concerns(organisation: Organisation, processes: Mapping[str, ProcessDefinition]) -> Iterator[Concern]:
    for table in lane_tables(organisation, processes):
        for row in table.rows:
            if row.concern:
                yield Concern(
                    text=_(
                        "%(process)s, %(unit)s, %(lane)s: %(what)s",
                        process=table.process,
                        unit=table.unit_name,
                        lane=row.name,
                        what=row.concern,
                    ),
                    address=row.address,
                )
    for key, definition in processes.items():
        if not any(one.key == key for one in organisation.starting_units.values()):
            yield Concern(
                text=_("%(process)s: belum ada unit yang dapat memulainya.", process=definition.name),
                address=url_for("admin.units"),
            )
    today = here()
    for holding in organisation.holdings.values():
        ends = date.fromisoformat(holding.valid_until) if holding.valid_until else None
        if holding.capacity != org.DEFINITIVE and ends and holding.holds(today.isoformat()) and ends - today <= SOON:
            yield Concern(
                text=_(
                    "%(capacity)s %(position)s, %(person)s, berakhir %(day)s.",
                    capacity=capacity(holding.capacity),
                    position=organisation.positions[holding.position].name,
                    day=words.near_day(ends, today),
                    person=organisation.people[holding.person].name,
                ),
                address=url_for("admin.position", id=holding.position),
            )
    idle = [
        one
        for one in organisation.people.values()
        if one.active
        and not any(h.person == one.id and h.holds(today.isoformat()) for h in organisation.holdings.values())
        and not any(p.person == one.id for p in organisation.powers.values())
        and not any(a.person == one.id and not over(organisation, a) for a in organisation.assignments.values())
    ]
    for person in sorted(idle, key=lambda one: one.name):
        yield Concern(
            text=_("%(person)s tidak memegang jabatan apa pun.", person=person.name),
            address=url_for("admin.person", id=person.id),
        )


def concerns_of_calendars(db: Connection, organisation: Organisation) -> Iterator[Concern]:
    for id, years in sorted(recalendar.without_cuti_bersama(db, office().rules, office().now()).items()):
        yield Concern(
            text=_(
                "Kalender %(unit)s belum memuat cuti bersama tahun %(years)s.",
                unit=organisation.units[id].name if id in organisation.units else id,
                years=org.listed(map(str, years)),
            ),
            address=url_for("admin.calendar", unit=id, tahun=years[0]),
        )
    for key, id in sorted(organisation.starting_units):
        if recalendar.unconfirmed(db, office().rules, key, id):
            yield Concern(
                text=_("%(unit)s: kalender atau bacaan SOP belum dikonfirmasi.", unit=organisation.units[id].name),
                address=url_for("admin.calendar", unit=id, _anchor="bacaan"),
            )


# Orang


@admin.get("/orang")
def people() -> str:
    organisation = look()
    wanted, inactive = request.args.get("cari", "").strip(), "nonaktif" in request.args
    rows = [
        one
        for one in organisation.people.values()
        if one.active is not inactive
        and (not wanted or wanted.casefold() in f"{one.name} {one.login} {one.nip or ''}".casefold())
    ]
    rows.sort(key=lambda one: one.name.casefold())
    page, pages = cut(rows)
    held = {one.id: now_held(organisation, one.id) for one in page}
    return render_template(
        "admin/people.html", people=page, pages=pages, held=held, wanted=wanted, inactive=inactive, count=len(rows)
    )


def cut(rows: Sequence[Any]) -> tuple[Sequence[Any], list[tuple[str, int, bool]]]:
    """(the rows of this page, [(address, number, whether it is this one)] of all pages, none where one is enough)."""
    number = max(request.args.get("halaman", 1, type=int), 1)
    last = max(-(-len(rows) // ROWS_ON_A_PAGE), 1)
    number = min(number, last)
    kept = [(name, value) for name, value in request.args.items() if name != "halaman"]
    pages = (
        [(f"{request.path}?{urlencode([*kept, ('halaman', one)])}", one, one == number) for one in range(1, last + 1)]
        if last > 1
        else []
    )
    return rows[(number - 1) * ROWS_ON_A_PAGE : number * ROWS_ON_A_PAGE], pages


def now_held(organisation: Organisation, person: str) -> list[str]:
    """The names of the positions that a person holds today."""
    return [
        words.position(one.capacity, organisation.positions[one.position].name)
        for one in organisation.holdings.values()
        if one.person == person and one.holds(here().isoformat())
    ]


def person_inputs(person: org.Person | None = None) -> tuple[Input, ...]:
    def before(name: str) -> str:
        return getattr(person, name) or "" if person else ""

    return (
        Input(
            name="name",
            label=_("Nama"),
            value=before("name"),
            hint=_("Seperti yang dibaca orang lain, dengan gelar bila ada."),
        ),
        Input(
            name="login",
            label=_("Nama pengguna"),
            value=before("login"),
            hint=_("Nama singkat untuk masuk: huruf kecil, angka, titik, garis bawah, garis hubung."),
        ),
        Input(
            name="nip",
            label=_("NIP"),
            value=before("nip"),
            required=False,
            hint=_("18 angka tanpa spasi. Dapat dipakai untuk masuk."),
        ),
        Input(name="rank", label=_("Pangkat/golongan"), value=before("rank"), required=False),
        Input(name="email", label=_("Surel"), value=before("email"), required=False),
    )


@admin.route("/orang/baru", methods=["GET", "POST"])
def add_person() -> Any:
    form = Form(
        title=_("Tambah orang"),
        submit=_("Simpan"),
        back=url_for("admin.people"),
        inputs=person_inputs(),
        lead=_("Setelah disimpan, catat jabatannya dan cetak kata sandi sekali pakai untuknya."),
    )
    return answer(
        form,
        lambda typed: org.AddPerson(person=new_id("person"), **typed),
        lambda typed: _(
            "%(name)s sudah ditambahkan. Catat jabatannya, lalu buat slip kata sandinya.", name=typed["name"]
        ),
        lambda typed: url_for("admin.person", id=new_id("person")),
    )


@admin.get("/orang/<id>")
def person(id: str) -> str:
    with office().database.read() as db:
        organisation = store.load(db)
        one = found(organisation.people, id)
        told = history_of(db, organisation, id)
        credential = store.credential_of(db, id)
        has, last = factors.of_person(db, id), factors.last_signed_in(db, id)
        now = office().now()
        begun = sum(
            now < one.expires_at and now - one.seen_at <= idle_of(one) for one in sessions.of_person(db, id)
        )
    held = sorted(
        (h for h in organisation.holdings.values() if h.person == id), key=lambda h: h.valid_from, reverse=True
    )
    power = [p for p in organisation.powers.values() if p.person == id]
    return render_template(
        "admin/person.html",
        person=one,
        held=held,
        organisation=organisation,
        powers=power,
        assignments=[
            (one, account.assignment_words(organisation, one), assignment_state(organisation, one))
            for one in sorted(organisation.assignments.values(), key=lambda one: one.valid_until, reverse=True)
            if one.person == id
        ],
        told=told,
        today=here().isoformat(),
        credential=credential,
        power_words=account.power_words,
        factors=has,
        required=id in organisation.requirements,
        last=last,
        begun=begun,
    )


@admin.route("/orang/<id>/ubah", methods=["GET", "POST"])
def change_person(id: str) -> Any:
    one = found(look().people, id)
    form = Form(
        title=_("Ubah data %(name)s", name=one.name),
        submit=_("Simpan"),
        back=url_for("admin.person", id=id),
        inputs=person_inputs(one),
    )
    return answer(
        form,
        lambda typed: org.ChangePerson(person=id, **typed),
        lambda typed: _("Data %(name)s sudah diubah.", name=typed["name"]),
    )


@admin.route("/orang/<id>/nonaktif", methods=["GET", "POST"])
def deactivate_person(id: str) -> Any:
    one = found(look().people, id)
    form = Form(
        title=_("Nonaktifkan %(name)s", name=one.name),
        submit=_("Nonaktifkan"),
        back=url_for("admin.person", id=id),
        lead=_(
            "Orang yang nonaktif tidak dapat masuk dan tidak mengerjakan apa pun. Yang pernah dikerjakannya tetap "
            "tercatat."
        ),
        inputs=(
            Input(
                name="last_day",
                label=_("Hari terakhir memegang jabatan"),
                kind="date",
                required=False,
                hint=_("Mengakhiri semua jabatan yang masih dipegang. Kosongkan bila tidak ada."),
            ),
            reason_input(),
        ),
    )
    return answer(
        form,
        lambda typed: org.DeactivatePerson(person=id, last_day=typed["last_day"], reason=typed["reason"] or ""),
        lambda typed: _("%(name)s sudah nonaktif dan tidak dapat masuk lagi.", name=one.name),
    )


@admin.route("/orang/<id>/aktif", methods=["GET", "POST"])
def reactivate_person(id: str) -> Any:
    one = found(look().people, id)
    form = Form(
        title=_("Aktifkan kembali %(name)s", name=one.name),
        submit=_("Aktifkan kembali"),
        back=url_for("admin.person", id=id),
        inputs=(reason_input(),),
        lead=_("Jabatan yang sudah diakhiri tidak ikut kembali; catat sebagai pemegang baru."),
    )
    return answer(
        form,
        lambda typed: org.ReactivatePerson(person=id, reason=typed["reason"] or ""),
        lambda typed: _("%(name)s aktif kembali.", name=one.name),
    )


@admin.route("/orang/<id>/slip", methods=["GET", "POST"])
def slip(id: str) -> Any:
    """A one-time password on paper: shown once, in the answer to the form."""
    one = found(look().people, id)
    form = Form(
        title=_("Buat slip kata sandi untuk %(name)s", name=one.name),
        submit=_("Buat slip"),
        back=url_for("admin.person", id=id),
        lead=_(
            "Kata sandi yang lama tidak berlaku lagi, dan %(name)s keluar dari semua perangkat. Slip hanya tampil "
            "sekali: cetak, lalu serahkan langsung.",
            name=one.name,
        ),
    )
    problems: tuple[Problem, ...] = ()
    if request.method == "POST":
        try:
            with office().database.begin() as db:
                at = moment(db)
                password = organise.reset_password(
                    db, office().database.key, id=form_id(), person=id, by=administrator(), at=at
                )
        except Refused as refused:
            problems = at_inputs(refused, ())
        else:
            security.tell("password_reset", person=id)
            until = org.local_date(at + organise.TEMPORARY, me().zone)
            return render_template(
                "admin/slip.html",
                person=one,
                password=password,
                until=words.full_day(until),
                address=office().settings.url,
                made=words.full(at, me().zone),
            )
    return form_page(form, {}, problems)


@admin.post("/orang/<id>/akhiri-sesi")
def end_sessions(id: str) -> Any:
    """End everything that somebody is signed in to."""
    one = found(look().people, id)
    with office().database.begin() as db:
        store.end_sessions(db, id)
    security.tell("sessions_ended", person=id)
    tell(_("%(name)s keluar dari semua peramban.", name=one.name))
    return redirect(url_for("admin.person", id=id), 303)


@admin.route("/orang/<id>/lepas-faktor", methods=["GET", "POST"])
def remove_factors(id: str) -> Any:
    """Take somebody's second factors away, who lost them: another person of the unit confirms that it was they."""
    one = found(look().people, id)
    form = Form(
        title=_("Lepas faktor kedua %(name)s", name=one.name),
        submit=_("Lepas faktor kedua"),
        back=url_for("admin.person", id=id),
        lead=_(
            "Semua faktor kedua dan kode pemulihannya tidak berlaku lagi, dan %(name)s keluar dari semua peramban. "
            "Perbuatan ini diberitahukan kepadanya dan atasannya, dan dikonfirmasi orang lain di unitnya.",
            name=one.name,
        ),
    )
    problems: tuple[Problem, ...] = ()
    if request.method == "POST":
        try:
            with office().database.begin() as db:
                credentials.remove(
                    db, office().database.key, id=form_id(), person=id, by=administrator(), at=moment(db)
                )
        except Refused as refused:
            problems = at_inputs(refused, ())
        else:
            security.tell("factors_removed", person=id)
            tell(_("Faktor kedua %(name)s sudah dilepas.", name=one.name))
            return redirect(url_for("admin.person", id=id), 303)
    return form_page(form, {}, problems)


@admin.route("/orang/<id>/wajib-faktor", methods=["GET", "POST"])
def require_factor(id: str) -> Any:
    """Whether somebody must have a second factor."""
    organisation = look()
    one = found(organisation.people, id)
    required = id not in organisation.requirements
    form = Form(
        title=_("Wajibkan faktor kedua bagi %(name)s", name=one.name)
        if required
        else _("Faktor kedua %(name)s tidak wajib lagi", name=one.name),
        submit=_("Wajibkan") if required else _("Tidak wajib lagi"),
        back=url_for("admin.person", id=id),
        lead=_(
            "%(name)s keluar dari semua peramban, dan saat masuk lagi memasang faktor kedua sebelum melanjutkan.",
            name=one.name,
        )
        if required
        else _("%(name)s boleh masuk tanpa faktor kedua, kecuali bila memasangnya sendiri.", name=one.name),
    )

    def act(_typed: dict[str, Any]) -> Act:
        security.tell("factor_required", person=id, required=required)
        return org.RequireSecondFactor(person=id, required=required)

    return answer(
        form,
        act,
        lambda typed: _("Faktor kedua sekarang wajib bagi %(name)s.", name=one.name)
        if required
        else _("Faktor kedua tidak wajib lagi bagi %(name)s.", name=one.name),
    )


# Jabatan


@admin.get("/jabatan")
def positions() -> str:
    organisation = look()
    groups = []
    for unit in sorted(organisation.units.values(), key=lambda one: one.name.casefold()):
        listed = sorted(
            (one for one in organisation.positions.values() if one.unit == unit.id), key=lambda one: one.name.casefold()
        )
        groups.append((unit, [(one, holders(organisation, one.id)) for one in listed]))
    return render_template("admin/positions.html", groups=groups)


def holders(organisation: Organisation, position: str) -> list[str]:
    """Who holds a position today: "Camat Lasem", "Sekretaris Kecamatan Lasem (Plh.)"."""
    today = here().isoformat()
    found = [one for one in organisation.holdings.values() if one.position == position and one.holds(today)]
    return [
        organisation.people[one.person].name
        + ("" if one.capacity == org.DEFINITIVE else f" ({capacity(one.capacity)})")
        for one in sorted(found, key=lambda one: (one.capacity != org.DEFINITIVE, organisation.people[one.person].name))
    ]


def many_input(value: bool) -> Input:
    return Input(
        name="many",
        label=_("Dipegang banyak orang sekaligus"),
        kind="tick",
        value=value,
        required=False,
        hint=_("Untuk tim. Jabatan tunggal mempunyai satu pemegang definitif, dan Plh. atau Plt. bila ia berhalangan."),
    )


@admin.route("/jabatan/baru", methods=["GET", "POST"])
def add_position() -> Any:
    organisation = look()
    form = Form(
        title=_("Tambah jabatan"),
        submit=_("Simpan"),
        back=url_for("admin.positions"),
        inputs=(
            Input(
                name="unit",
                label=_("Unit"),
                kind="select",
                options=choice(unit_options(organisation), _("Pilih unit")),
                value=request.args.get("unit", ""),
            ),
            Input(name="name", label=_("Nama jabatan"), hint=_("Contoh: Camat Pancur.")),
            many_input(False),
            id_input("position"),
        ),
    )

    def id(typed: Mapping[str, Any]) -> str:
        return typed["position"] or slug(typed["name"])

    return answer(
        form,
        lambda typed: org.AddPosition(position=id(typed), unit=typed["unit"], name=typed["name"], many=typed["many"]),
        lambda typed: _("Jabatan %(name)s sudah ditambahkan. Catat pemegangnya.", name=typed["name"]),
        lambda typed: url_for("admin.position", id=id(typed)),
    )


def id_input(name: str) -> Input:
    return Input(
        name=name,
        label=_("Tanda pengenal"),
        required=False,
        hint=_("Untuk impor dan laporan. Kosongkan: dibuat dari namanya. Tidak dapat diubah kemudian."),
    )


@admin.get("/jabatan/<id>")
def position(id: str) -> str:
    with office().database.read() as db:
        organisation = store.load(db)
        one = found(organisation.positions, id)
        told = history_of(db, organisation, id)
    today = organisation.today(office().now(), one.unit)
    held = sorted(
        (h for h in organisation.holdings.values() if h.position == id),
        key=lambda h: (h.valid_from, h.id),
        reverse=True,
    )
    bound = [b for b in organisation.bindings.values() if b.position == id]
    return render_template(
        "admin/position.html",
        position=one,
        unit=organisation.units[one.unit],
        organisation=organisation,
        now_held=[h for h in held if h.holds(today)],
        later=[h for h in held if h.valid_from > today],
        before=[h for h in held if not h.holds(today) and h.valid_from <= today],
        bound=bound,
        told=told,
    )


@admin.route("/jabatan/<id>/ubah", methods=["GET", "POST"])
def change_position(id: str) -> Any:
    one = found(look().positions, id)
    form = Form(
        title=_("Ubah jabatan %(name)s", name=one.name),
        submit=_("Simpan"),
        back=url_for("admin.position", id=id),
        inputs=(Input(name="name", label=_("Nama jabatan"), value=one.name), many_input(one.many)),
    )
    return answer(
        form,
        lambda typed: org.ChangePosition(position=id, **typed),
        lambda typed: _("Jabatan %(name)s sudah diubah.", name=typed["name"]),
    )


# Pemegang jabatan


@admin.get("/pemegang")
def holdings() -> str:
    organisation, today = look(), here().isoformat()
    which = request.args.get("waktu", "kini")
    keep = {
        "kini": lambda h: h.holds(today),
        "nanti": lambda h: h.valid_from > today,
        "lalu": lambda h: h.valid_from <= today and not h.holds(today),
    }.get(which) or abort(404)
    rows = sorted(
        filter(keep, organisation.holdings.values()),
        key=lambda h: (
            organisation.units[organisation.positions[h.position].unit].name,
            organisation.positions[h.position].name,
            h.valid_from,
        ),
    )
    page, pages = cut(rows)
    return render_template(
        "admin/holdings.html", rows=page, pages=pages, which=which, organisation=organisation, today=today
    )


@admin.route("/pemegang/baru", methods=["GET", "POST"])
def hold() -> Any:
    """A person begins to hold a position: definitively, or as Plh. or Plt. with a surat perintah."""
    organisation = look()
    asked = request.args.get("kedudukan", org.DEFINITIVE)
    acting = asked in (org.PLH, org.PLT)
    form = Form(
        title=_("Catat Plh. atau Plt.") if acting else _("Catat pemegang jabatan"),
        submit=_("Simpan"),
        back=url_for("admin.position", id=request.args["jabatan"])
        if request.args.get("jabatan") in organisation.positions
        else url_for("admin.holdings"),
        lead=_(
            "Selama Plh. atau Plt. berlaku, pemegang definitif hanya dapat membaca. Akses Plh. dan Plt. berakhir "
            "sendiri pada hari terakhirnya."
        )
        if acting
        else "",
        inputs=(
            Input(
                name="position",
                label=_("Jabatan"),
                kind="select",
                value=request.args.get("jabatan", ""),
                options=choice(position_options(organisation), _("Pilih jabatan")),
            ),
            person_input(organisation, _("Orang")),
            Input(
                name="capacity",
                label=_("Kedudukan"),
                kind="select",
                value=asked,
                options=(
                    (org.DEFINITIVE, _("Definitif")),
                    (org.PLH, _("Plh. (pelaksana harian): pemegang definitif berhalangan sementara")),
                    (org.PLT, _("Plt. (pelaksana tugas): pemegang definitif berhalangan tetap atau belum ada")),
                ),
            ),
            Input(name="valid_from", label=_("Mulai tanggal"), kind="date", value=here().isoformat()),
            Input(
                name="valid_until",
                label=_("Sampai tanggal"),
                kind="date",
                required=False,
                hint=_("Hari terakhir, termasuk hari itu. Wajib untuk Plh. dan Plt."),
            ),
            Input(
                name="basis",
                label=_("Dasar"),
                required=False,
                hint=_("Nomor SK atau surat perintah. Wajib untuk Plh. dan Plt."),
            ),
        ),
    )

    def said(typed: Mapping[str, Any]) -> str:
        return _(
            "%(person)s dicatat sebagai %(position)s %(when)s.",
            person=organisation.people[typed["person"]].name,
            position=words.position(typed["capacity"], organisation.positions[typed["position"]].name),
            when=words.period(typed["valid_from"], typed["valid_until"]),
        )

    return answer(
        form,
        lambda typed: org.Hold(holding=new_id("holding"), **{**typed, "basis": typed["basis"] or ""}),
        said,
        lambda typed: url_for("admin.position", id=typed["position"]),
    )


@admin.route("/pemegang/<id>/akhiri", methods=["GET", "POST"])
def end_holding(id: str) -> Any:
    organisation = look()
    one = found(organisation.holdings, id)
    who = organisation.people[one.person].name
    what = words.position(one.capacity, organisation.positions[one.position].name)
    form = Form(
        title=_("Akhiri %(position)s: %(person)s", position=what, person=who),
        submit=_("Akhiri"),
        back=url_for("admin.position", id=one.position),
        lead=_("Tercatat %(when)s.", when=words.period(one.valid_from, one.valid_until)),
        inputs=(
            Input(
                name="valid_until",
                label=_("Hari terakhir"),
                kind="date",
                value=here().isoformat(),
                hint=_("Termasuk hari itu. Untuk membatalkan catatan yang keliru, isi sehari sebelum tanggal mulai."),
            ),
            reason_input(),
        ),
    )
    return answer(
        form,
        lambda typed: org.EndHolding(holding=id, valid_until=typed["valid_until"], reason=typed["reason"] or ""),
        lambda typed: _(
            "%(person)s memegang %(position)s sampai %(day)s.",
            person=who,
            position=what,
            day=words.short_day(date.fromisoformat(typed["valid_until"])),
        ),
    )


# Pelaksana: which position performs a lane


@dataclass(frozen=True, kw_only=True)
class LaneRow:
    """A lane of a process for a unit, and who performs it today."""

    id: str
    name: str
    position: str | None  # id
    position_name: str  # with its unit where that is another
    people: tuple[str, ...]
    other_office: bool
    drawn: bool  # in the newest diagram
    renamed_from: str  # its name when it was bound, where the diagram now has another
    concern: str  # what an administrator should do about it
    address: str


@dataclass(frozen=True, kw_only=True)
class LaneTable:
    key: str
    process: str
    unit: str
    unit_name: str
    rows: tuple[LaneRow, ...]


def deployed(db: Connection) -> dict[str, ProcessDefinition]:
    """The newest version of every process, by key."""
    return {key: office().rules.definition(sha256) for key, sha256 in definitions.newest_hashes(db).items()}


def lane_tables(organisation: Organisation, processes: Mapping[str, ProcessDefinition]) -> list[LaneTable]:
    """Every process with every unit that may start it, or that has lanes bound."""
    pairs = {(one.key, one.unit) for one in organisation.starting_units.values()}
    pairs |= {(one.key, one.unit) for one in organisation.bindings.values()}
    tables = [lane_table(organisation, processes[key], unit) for key, unit in pairs if key in processes]
    return sorted(tables, key=lambda one: (one.process, one.unit_name))


def lane_table(organisation: Organisation, definition: ProcessDefinition, unit: str) -> LaneTable:
    drawn = [(one.id, one.name, one.other_office) for one in definition.lanes]
    drawn.append((org.STARTERS, _("Yang memulai proses (selain pelaksana lane)"), False))
    gone = [
        (one.lane, organisation_lane_name(organisation, one), False)
        for one in organisation.bindings.values()
        if one.key == definition.key and one.unit == unit and one.lane not in {id for id, _name, _other in drawn}
    ]
    rows = [
        lane_row(organisation, definition, unit, *one, drawn=number < len(drawn))
        for number, one in enumerate([*drawn, *gone])
    ]
    return LaneTable(
        key=definition.key,
        process=definition.name,
        unit=unit,
        unit_name=organisation.units[unit].name,
        rows=tuple(rows),
    )


def organisation_lane_name(organisation: Organisation, binding: org.Binding) -> str:
    """The name that a lane had when it was bound."""
    kept = organisation.settings.get(org.lane_setting(binding.key, binding.unit, binding.lane))
    return kept.value if kept and kept.value else binding.lane


def lane_row(
    organisation: Organisation,
    definition: ProcessDefinition,
    unit: str,
    lane: str,
    name: str,
    other: bool,
    *,
    drawn: bool,
) -> LaneRow:
    binding = organisation.bindings.get((definition.key, lane, unit))
    bound_as = organisation_lane_name(organisation, binding) if binding else ""
    starters = lane == org.STARTERS
    renamed_from = bound_as if binding and drawn and not starters and bound_as not in (name, lane) else ""
    position = organisation.positions[binding.position] if binding else None
    there = position and position.unit != unit
    people = tuple(holders(organisation, position.id)) if position else ()
    concern = ""
    if not drawn:
        concern = _("tidak ada lagi dalam diagram; dapat dilepas.")
    elif position is None and not starters:
        concern = _("belum ditetapkan: tidak ada yang dapat mengerjakan.")
    elif renamed_from:
        concern = _(
            "nama lane berubah dari “%(before)s”; periksa apakah pelaksananya masih benar.", before=renamed_from
        )
    elif position is not None and not people and not starters:
        concern = _("%(position)s sedang tidak ada pemegangnya.", position=position.name)
    return LaneRow(
        id=lane,
        name=name,
        position=position.id if position else None,
        other_office=other,
        drawn=drawn,
        people=people,
        position_name=(f"{position.name}, {organisation.units[position.unit].name}" if there else position.name)
        if position
        else "",
        renamed_from=renamed_from,
        concern=concern,
        address=url_for("admin.lane", key=definition.key, unit=unit, lane=lane),
    )


@admin.get("/pelaksana")
def lanes() -> str:
    with office().database.read() as db:
        organisation, processes = store.load(db), deployed(db)
    return render_template("admin/lanes.html", tables=lane_tables(organisation, processes), processes=processes)


def lane_of(key: str, unit: str, lane: str) -> tuple[Organisation, LaneTable, LaneRow]:
    with office().database.read() as db:
        organisation, processes = store.load(db), deployed(db)
    definition = found(processes, key)
    found(organisation.units, unit)
    table = lane_table(organisation, definition, unit)
    row = next((one for one in table.rows if one.id == lane), None)
    if row is None and request.method == "POST":  # it was unbound, and no diagram draws it: the form is sent again
        row = lane_row(organisation, definition, unit, lane, lane, False, drawn=False)
    return organisation, table, row or abort(404)


@admin.route("/pelaksana/<key>/<unit>/<lane>", methods=["GET", "POST"])
def lane(key: str, unit: str, lane: str) -> Any:
    """Set, or confirm after it was renamed, which position performs a lane for a unit."""
    organisation, table, row = lane_of(key, unit, lane)
    units = None if row.other_office else organisation.ancestors(unit)
    hint = (
        _("Jabatan dari kantor mana pun: lane ini milik kantor lain.")
        if row.other_office
        else _("Jabatan dari unit ini atau unit induknya.")
    )
    if row.renamed_from:
        hint += " " + _(
            "Lane ini dahulu bernama “%(before)s”. Simpan bila pelaksananya masih benar.", before=row.renamed_from
        )
    form = Form(
        title=_("Pelaksana %(lane)s", lane=row.name),
        submit=_("Simpan"),
        back=url_for("admin.lanes"),
        lead=f"{table.process}, {table.unit_name}",
        inputs=(
            Input(
                name="position",
                label=_("Jabatan"),
                kind="select",
                value=row.position or "",
                hint=hint,
                options=choice(position_options(organisation, units), _("Pilih jabatan")),
            ),
        ),
    )
    drawn_name = "" if lane == org.STARTERS else row.name
    return answer(
        form,
        lambda typed: org.Bind(
            key=key,
            lane=lane,
            unit=unit,
            position=typed["position"],
            lane_name=drawn_name,
            other_office=row.other_office,
        ),
        lambda typed: _(
            "%(lane)s untuk %(unit)s dikerjakan oleh %(position)s.",
            lane=row.name,
            unit=table.unit_name,
            position=organisation.positions[typed["position"]].name,
        ),
    )


@admin.route("/pelaksana/<key>/<unit>/<lane>/lepas", methods=["GET", "POST"])
def unbind(key: str, unit: str, lane: str) -> Any:
    _organisation, table, row = lane_of(key, unit, lane)
    form = Form(
        title=_("Lepaskan pelaksana %(lane)s", lane=row.name),
        submit=_("Lepaskan"),
        back=url_for("admin.lanes"),
        lead=_(
            "%(process)s, %(unit)s. Sesudahnya tidak ada yang dapat mengerjakan langkah pada lane ini.",
            process=table.process,
            unit=table.unit_name,
        ),
    )
    return answer(
        form,
        lambda typed: org.Unbind(key=key, lane=lane, unit=unit),
        lambda typed: _("%(lane)s untuk %(unit)s tidak lagi mempunyai pelaksana.", lane=row.name, unit=table.unit_name),
    )


# Unit


@admin.get("/unit")
def units() -> str:
    with office().database.read() as db:
        organisation, processes = store.load(db), deployed(db)
    rows = [
        (
            one,
            organisation.units[one.parent].name if one.parent else "",
            [
                processes[s.key].name
                for s in organisation.starting_units.values()
                if s.unit == one.id and s.key in processes
            ],
        )
        for one in sorted(organisation.units.values(), key=lambda one: one.name.casefold())
    ]
    return render_template("admin/units.html", rows=rows)


def unit_inputs(organisation: Organisation, unit: org.Unit | None = None) -> tuple[Input, ...]:
    government = (
        unit.government if unit else next((one.government for one in organisation.units.values() if one.government), "")
    )
    return (
        Input(
            name="name",
            label=_("Nama unit"),
            value=unit.name if unit else "",
            hint=_("Contoh: Kantor Kecamatan Pancur."),
        ),
        Input(
            name="government",
            label=_("Pemerintah daerah"),
            value=government or "",
            required=False,
            hint=_("Contoh: Kabupaten Rembang."),
        ),
        Input(
            name="parent",
            label=_("Unit induk"),
            kind="select",
            value=(unit.parent or "") if unit else "",
            required=False,
            options=choice(unit_options(organisation, unit.id if unit else None), _("Tidak ada")),
        ),
        Input(
            name="zone",
            label=_("Zona waktu"),
            kind="select",
            value=unit.zone if unit else "Asia/Jakarta",
            options=tuple((zone, f"{short} ({zone})") for zone, short in org.ZONES.items()),
        ),
    )


@admin.route("/unit/baru", methods=["GET", "POST"])
def add_unit() -> Any:
    form = Form(
        title=_("Tambah unit"),
        submit=_("Simpan"),
        back=url_for("admin.units"),
        inputs=(*unit_inputs(look()), id_input("unit")),
    )

    def id(typed: Mapping[str, Any]) -> str:
        return typed["unit"] or slug(typed["name"])

    return answer(
        form,
        lambda typed: org.AddUnit(**{**typed, "unit": id(typed)}),
        lambda typed: _("Unit %(name)s sudah ditambahkan. Tetapkan prosesnya dan jabatannya.", name=typed["name"]),
        lambda typed: url_for("admin.unit", id=id(typed)),
    )


@admin.get("/unit/<id>")
def unit(id: str) -> str:
    with office().database.read() as db:
        organisation, processes = store.load(db), deployed(db)
        one = found(organisation.units, id)
        told = history_of(db, organisation, id)
        calendar = definitions.calendar_of(db, id)
        calendar_name = office().rules.calendar(calendar).title if calendar else ""
    starts = [(definition, organisation.starting_units.get((key, id))) for key, definition in sorted(processes.items())]
    listed = sorted((p for p in organisation.positions.values() if p.unit == id), key=lambda p: p.name.casefold())
    return render_template(
        "admin/unit.html",
        unit=one,
        organisation=organisation,
        starts=starts,
        told=told,
        facts=FACTS,
        positions=[(p, holders(organisation, p.id)) for p in listed],
        calendar=calendar_name,
        zone=org.ZONES.get(one.zone, one.zone),
    )


@admin.route("/unit/<id>/ubah", methods=["GET", "POST"])
def change_unit(id: str) -> Any:
    organisation = look()
    one = found(organisation.units, id)
    form = Form(
        title=_("Ubah unit %(name)s", name=one.name),
        submit=_("Simpan"),
        back=url_for("admin.unit", id=id),
        inputs=unit_inputs(organisation, one),
    )
    return answer(
        form,
        lambda typed: org.ChangeUnit(unit=id, **typed),
        lambda typed: _("Unit %(name)s sudah diubah.", name=typed["name"]),
    )


@admin.route("/unit/<id>/kepala", methods=["GET", "POST"])
def head(id: str) -> Any:
    """The position that heads a unit: whoever acts in it ratifies and withdraws the unit's SOPs."""
    organisation = look()
    one = found(organisation.units, id)
    own = position_options(organisation, organisation.ancestors(id))
    single = [(one, said) for one, said in own if not organisation.positions[one].many]
    form = Form(
        title=_("Kepala %(unit)s", unit=one.name),
        submit=_("Simpan"),
        back=url_for("admin.unit", id=id),
        lead=_("Pemegang jabatan ini, atau Plh. dan Plt.-nya, mengesahkan dan mencabut SOP unit ini."),
        inputs=(
            Input(
                name="position",
                label=_("Jabatan kepala"),
                kind="select",
                value=one.head or "",
                required=False,
                options=choice(single, _("Belum ditetapkan")),
            ),
        ),
    )
    return answer(
        form,
        lambda typed: org.SetHead(unit=id, position=typed["position"] or None),
        lambda typed: _("Kepala %(unit)s sudah ditetapkan.", unit=one.name)
        if typed["position"]
        else _("%(unit)s tidak lagi mempunyai kepala.", unit=one.name),
    )


def unit_and_process(id: str, key: str) -> tuple[Organisation, org.Unit, ProcessDefinition]:
    with office().database.read() as db:
        organisation, processes = store.load(db), deployed(db)
    return organisation, found(organisation.units, id), found(processes, key)


@admin.route("/unit/<id>/proses/<key>", methods=["GET", "POST"])
def allow_unit(id: str, key: str) -> Any:
    """Let a unit start a process, with the facts of its own SOP where they differ from the diagram's."""
    organisation, one, definition = unit_and_process(id, key)
    known = organisation.starting_units.get((key, id))

    def drawn(name: str) -> str:
        value = definition.properties.get(name, "")
        return _("Menurut diagram: %(value)s", value=value) if value else _("Diagram tidak menyebutkannya.")

    form = Form(
        title=_("%(process)s untuk %(unit)s", process=definition.name, unit=one.name),
        submit=_("Simpan"),
        back=url_for("admin.unit", id=id),
        lead=_("Unit ini dapat memulai proses ini. Isi hanya yang berbeda dari diagram: identitas SOP unit ini."),
        inputs=tuple(
            Input(
                name=name,
                label=str(label),
                required=False,
                hint=drawn(name),
                value=known.facts.get(name, "") if known else "",
            )
            for name, label in FACTS
        ),
    )
    return answer(
        form,
        lambda typed: org.AllowUnit(key=key, unit=id, facts={n: v for n, v in typed.items() if v}),
        lambda typed: _(
            "%(unit)s dapat memulai %(process)s. Tetapkan pelaksana setiap lane.",
            unit=one.name,
            process=definition.name,
        ),
    )


@admin.route("/unit/<id>/proses/<key>/cabut", methods=["GET", "POST"])
def disallow_unit(id: str, key: str) -> Any:
    _organisation, one, definition = unit_and_process(id, key)
    form = Form(
        title=_("Hentikan %(process)s untuk %(unit)s", process=definition.name, unit=one.name),
        submit=_("Hentikan"),
        back=url_for("admin.unit", id=id),
        lead=_("Unit ini tidak dapat memulai proses ini lagi. Berkas proses yang sedang berjalan tetap berjalan."),
    )
    return answer(
        form,
        lambda typed: org.DisallowUnit(key=key, unit=id),
        lambda typed: _("%(unit)s tidak lagi dapat memulai %(process)s.", unit=one.name, process=definition.name),
    )


# Kuasa


@admin.get("/kuasa")
def powers() -> str:
    organisation = look()
    rows = sorted(
        organisation.powers.values(), key=lambda one: (one.power, one.unit, organisation.people[one.person].name)
    )
    return render_template(
        "admin/powers.html",
        rows=rows,
        organisation=organisation,
        power_words=account.power_words,
    )


@admin.route("/kuasa/baru", methods=["GET", "POST"])
def grant() -> Any:
    organisation = look()
    form = Form(
        title=_("Beri kuasa"),
        submit=_("Simpan"),
        back=url_for("admin.powers"),
        inputs=(
            person_input(organisation, _("Orang")),
            Input(
                name="power",
                label=_("Kuasa"),
                kind="select",
                value=org.OWNER,
                options=(
                    (org.OWNER, _("Pemilik SOP: menyusun dan mengusulkan SOP suatu unit")),
                    (org.VERIFIER, _("Verifikator SOP: memeriksa usulan orang lain sebelum disahkan")),
                    (org.ADMINISTRATOR, _("Administrator: mengurus orang, jabatan, pelaksana, dan unit")),
                ),
            ),
            Input(
                name="unit",
                label=_("Untuk unit"),
                kind="select",
                required=False,
                options=choice(unit_options(organisation), _("Semua unit")),
                hint=_("Kuasa atas SOP berlaku juga untuk unit di bawahnya. Kosongkan untuk administrator."),
            ),
        ),
        lead=_("Auditor tidak diberi kuasa di sini. Catat surat tugasnya pada halaman Surat tugas audit."),
    )
    return answer(
        form,
        lambda typed: org.GrantPower(**{**typed, "unit": typed["unit"] or ""}),
        lambda typed: _(
            "%(person)s sekarang %(power)s.",
            person=organisation.people[typed["person"]].name,
            power=account.power_words(organisation, typed["power"], typed["unit"] or ""),
        ),
    )


@admin.route("/kuasa/<person>/<power>/<unit>/cabut", methods=["GET", "POST"])
def revoke(person: str, power: str, unit: str) -> Any:
    """Take a power away. unit: its id, or `-` where the power is of all units."""
    organisation, of = look(), "" if unit == "-" else unit
    found(organisation.people, person)
    if request.method == "GET":
        found(organisation.powers, (person, power, of))
    who, what = organisation.people[person].name, account.power_words(organisation, power, of)
    form = Form(
        title=_("Cabut kuasa %(power)s dari %(person)s", power=what, person=who),
        submit=_("Cabut"),
        back=url_for("admin.powers"),
    )
    mine = person == me().id and power == org.ADMINISTRATOR
    return answer(
        form,
        lambda typed: org.RevokePower(person=person, power=power, unit=of),
        lambda typed: _("%(person)s bukan lagi %(power)s.", person=who, power=what),
        lambda typed: url_for("inbox.tasks") if mine else url_for("admin.powers"),
    )


# Surat tugas audit


def awaits(organisation: Organisation, kind: str, person: str, subject: str) -> bool:
    """Whether what somebody was given waits to be confirmed."""
    asked = organisation.confirmations.values()
    return any((one.state, one.kind, one.person, one.subject) == (org.PENDING, kind, person, subject) for one in asked)


def assignment_state(organisation: Organisation, one: org.AuditAssignment) -> str:
    """Whether it holds somewhere today: each unit has its own date."""
    day = words.short_day(date.fromisoformat(one.valid_until))
    todays = [organisation.today(office().now(), id) for id in one.units]
    if one.valid_until < one.valid_from:
        return _("tidak pernah berlaku")
    if any(one.holds(today) for today in todays):
        return _("berlaku sampai %(day)s", day=day)
    if all(today > one.valid_until for today in todays):
        return _("berakhir %(day)s", day=day)
    return _("mulai berlaku %(day)s", day=words.short_day(date.fromisoformat(one.valid_from)))


def over(organisation: Organisation, one: org.AuditAssignment) -> bool:
    return all(organisation.today(office().now(), id) > one.valid_until for id in one.units)


@admin.get("/surat-tugas")
def assignments() -> str:
    """Every surat tugas audit, the one that ends last first; and what was recorded of them."""
    with office().database.read() as db:
        organisation = store.load(db)
        days = history_of(db, organisation, *organisation.assignments)
    rows = sorted(organisation.assignments.values(), key=lambda one: (one.valid_until, one.valid_from), reverse=True)
    return render_template(
        "admin/assignments.html",
        rows=[
            (
                one,
                account.assignment_words(organisation, one),
                assignment_state(organisation, one),
                over(organisation, one),
            )
            for one in rows
        ],
        organisation=organisation,
        days=days,
    )


def years_of(text: str | None) -> tuple[int, ...]:
    """The years of "2025, 2026". Raises Refused."""
    parts = re.split(r"[\s,;]+", text) if text else []
    if len(text or "") > 400 or not all(re.fullmatch("[0-9]{4}", one) for one in parts):
        message = _("Tahun laporan ditulis empat angka, dipisahkan koma. Contoh: 2025, 2026.")
        raise Refused("wrong", message, (Problem("years", message),))
    return tuple(sorted(map(int, parts)))


@admin.route("/surat-tugas/baru", methods=["GET", "POST"])
def assign() -> Any:
    """A person may audit some units, by a surat tugas, from a day to a day."""
    organisation = look()
    form = Form(
        title=_("Catat surat tugas audit"),
        submit=_("Simpan"),
        back=url_for("admin.assignments"),
        lead=_("Auditor membaca semua berkas proses unit dan tahun yang dipilih, dan tidak mengubah apa pun. Yang "
               "dibaca dan diunduhnya dicatat. Hak itu berakhir sendiri sesudah hari terakhir."),
        inputs=(
            person_input(organisation, _("Auditor")),
            Input(name="number", label=_("Nomor surat tugas")),
            Input(name="units", label=_("Unit yang diaudit"), kind="ticks", options=choice(unit_options(organisation)),
                  hint=_("Unit di bawahnya tidak ikut terpilih.")),
            Input(name="years", label=_("Tahun laporan"), required=False,
                  hint=_("Dipisahkan koma, misalnya 2025, 2026. Kosongkan untuk semua tahun. Berkas tanpa tahun "
                         "laporan dihitung menurut tahun dimulainya.")),
            Input(name="valid_from", label=_("Mulai tanggal"), kind="date", value=here().isoformat()),
            Input(name="valid_until", label=_("Sampai tanggal"), kind="date",
                  hint=_("Hari terakhir, termasuk hari itu, menurut waktu setempat unit yang diaudit.")),
            Input(name="basis", label=_("Dasar"), required=False, hint=_("Misalnya program kerja pengawasan tahunan.")),
        ),
    )
    return answer(
        form,
        lambda typed: org.AssignAudit(
            assignment=new_id("assignment"),
            **{**typed, "years": years_of(typed["years"]), "basis": typed["basis"] or ""},
        ),
        lambda typed: _(
            "Surat tugas %(number)s dicatat untuk %(person)s.",
            number=typed["number"],
            person=organisation.people[typed["person"]].name,
        ),
    )


@admin.route("/surat-tugas/<id>/akhiri", methods=["GET", "POST"])
def end_assignment(id: str) -> Any:
    organisation = look()
    one = found(organisation.assignments, id)
    who = organisation.people[one.person].name
    form = Form(
        title=_("Akhiri surat tugas %(number)s", number=one.number),
        submit=_("Akhiri"),
        back=url_for("admin.assignments"),
        lead=f"{who}: {account.assignment_words(organisation, one)}, {words.period(one.valid_from, one.valid_until)}.",
        inputs=(
            Input(name="valid_until", label=_("Hari terakhir"), kind="date",
                  value=min(here().isoformat(), one.valid_until),
                  hint=_("Sehari sebelum mulai berarti tidak pernah berlaku.")),
            reason_input(),
        ),
    )
    return answer(
        form,
        lambda typed: org.EndAudit(
            assignment=id, valid_until=typed["valid_until"], reason=typed["reason"] or ""),
        lambda typed: _(
            "Surat tugas %(number)s berlaku sampai %(day)s.",
            number=one.number,
            day=words.short_day(date.fromisoformat(typed["valid_until"])),
        ),
    )


# Impor CSV


@admin.get("/impor")
def imports() -> str:
    return render_template("admin/imports.html", kinds=import_words())


def import_words() -> dict[str, tuple[str, str]]:
    """kind -> (what, what its columns mean)."""
    return {
        "unit": (_("Unit"), _("Dikenali dari kolom id. Kolom induk berisi id unit induk.")),
        "jabatan": (_("Jabatan"), _("Dikenali dari kolom id. Kolom unit berisi id unit; banyak berisi ya atau tidak.")),
        "orang": (
            _("Orang"),
            _(
                "Dikenali dari kolom nama_pengguna. Bila kolom jabatan berisi id jabatan, orang itu dicatat sebagai "
                "pemegang definitif sejak tanggal pada kolom mulai."
            ),
        ),
    }


@admin.get("/impor/<kind>/contoh.csv")
def import_template(kind: str) -> Response:
    found(import_csv.KINDS, kind)
    return Response(
        import_csv.template(kind),
        mimetype="text/csv",
        headers={"Content-Disposition": f"attachment; filename=alur-{kind}.csv"},
    )


def preview(kind: str, text: str, plan: import_csv.Plan, note: str = "") -> str:
    return render_template(
        "admin/preview.html",
        kind=kind,
        what=import_words()[kind][0],
        text=text,
        plan=plan,
        note=note,
        seen=fingerprint(plan),
        states=import_csv,
    )


def fingerprint(plan: import_csv.Plan) -> str:
    """What was shown: it must be what is done."""
    return sha256(repr(plan.lines).encode()).hexdigest()


def planned(db: Connection, kind: str, text: str, id: str) -> import_csv.Plan:
    numbers = iter(range(10**9))
    return import_csv.plan(
        store.load(db),
        kind,
        import_csv.read(kind, text),
        actor=administrator(),
        at=moment(db),
        id=id,
        new_id=lambda: uuid5(NAMESPACE, f"import {id} {next(numbers)}").hex,
    )


@admin.post("/impor/<kind>")
def import_preview(kind: str) -> Any:
    """What a file would change, line by line. Nothing is written."""
    found(import_csv.KINDS, kind)
    file = request.files.get("berkas")
    try:
        if file is None or not file.filename:
            raise Refused("wrong", _("Berkas belum dipilih."))
        text = import_csv.text_of(file.stream.read(import_csv.MOST_BYTES + 1))
        with office().database.read() as db:
            plan = planned(db, kind, text, form_id())
    except Refused as refused:
        problems = (Problem(f"berkas-{kind}", str(refused)),)
        return render_template("admin/imports.html", kinds=import_words(), problems=problems), 422
    return preview(kind, text, plan), 422 if plan.wrong else 200


@admin.post("/impor/<kind>/simpan")
def import_save(kind: str) -> Any:
    """Make the changes that the preview showed, all or none."""
    found(import_csv.KINDS, kind)
    id, text = form_id(), request.form.get("isi", "")
    target = url_for({"unit": "admin.units", "jabatan": "admin.positions", "orang": "admin.people"}[kind])
    try:
        with office().database.begin() as db:
            database.lock(db, STREAM)
            if journal.sequence_of(db, STREAM, f"{id}-0") is not None:
                tell(_("Impor ini sudah tersimpan."))
                return redirect(target, 303)
            plan = planned(db, kind, text, id)
            if plan.wrong or fingerprint(plan) != request.form.get("dilihat"):
                note = _(
                    "Sementara itu ada yang berubah, jadi belum ada yang disimpan. Periksa pratinjau yang baru ini."
                )
                return preview(kind, text, plan, note), 409
            organise.change_all(db, office().database.key, plan.changes)
    except Refused as refused:
        problems = (Problem(f"berkas-{kind}", str(refused)),)
        return render_template("admin/imports.html", kinds=import_words(), problems=problems), 422
    tell(
        _(
            "Impor selesai: %(new)s, %(changed)s.",
            new=ngettext("%(num)s baru", "%(num)s baru", plan.count(import_csv.NEW)),
            changed=ngettext("%(num)s berubah", "%(num)s berubah", plan.count(import_csv.CHANGED)),
        )
    )
    return redirect(target, 303)


# Riwayat


@dataclass(frozen=True, kw_only=True)
class Told:
    """One change of the organisation in words."""

    sequence: int
    at: datetime
    text: str


@admin.get("/riwayat")
def history() -> str:
    with office().database.read() as db:
        organisation, processes = store.load(db), deployed(db)
        newest = journal.head(db, STREAM)[0]
        last = min(request.args.get("sampai", newest, type=int), newest)
        first = max(last - ROWS_ON_A_PAGE, 0)
        told = [tell_change(sequence, change, organisation, processes) for sequence, change in changes(db, first, last)]
    older = url_for("admin.history", sampai=first) if first else ""
    newer = url_for("admin.history", sampai=min(last + ROWS_ON_A_PAGE, newest)) if last < newest else ""
    return render_template("admin/history.html", days=by_day(told[::-1]), older=older, newer=newer)


def changes(db: Connection, first: int, last: int) -> list[tuple[int, Change]]:
    """The recorded changes after row `first` up to row `last`, each checked against its hash."""
    rows = islice(journal.read(db, STREAM, after=first), last - first)
    return [(entry.sequence, records.decode(Change, entry.command)) for entry in rows]


def history_of(db: Connection, organisation: Organisation, *ids: str) -> list[tuple[date, list[Told]]]:
    """The newest changes of one person, position or unit, or of some surat tugas, by day, the newest first."""
    newest = journal.head(db, STREAM)[0]
    processes = deployed(db)
    held = {one.id for one in organisation.holdings.values() if {one.person, one.position} & {*ids}}
    held |= {one.id for one in organisation.assignments.values() if one.person in ids}
    about = ("person", "position", "unit", "holding", "parent", "assignment")
    told = [
        tell_change(sequence, change, organisation, processes)
        for sequence, change in changes(db, max(newest - HISTORY_OF_ONE, 0), newest)
        if {*ids, *held} & {getattr(change.act, name, None) for name in about}
    ]
    return by_day(told[::-1])


def by_day(told: Iterable[Told]) -> list[tuple[date, list[Told]]]:
    def day(one: Told) -> date:
        return org.local_date(one.at, me().zone)

    return [(at, list(group)) for at, group in groupby(told, key=day)]


@admin.app_template_filter()
def clock_of(at: datetime) -> str:
    """The time of day where the visitor is: `10.15`."""
    return words.clock(at.astimezone(ZoneInfo(me().zone)))


def tell_change(
    sequence: int, change: Change, organisation: Organisation, processes: Mapping[str, ProcessDefinition]
) -> Told:
    person = organisation.people.get(change.actor.person)
    who = person.name if person else _("Sistem")
    how = {"cli": _(" (lewat baris perintah)")}.get(change.actor.signed_in_by, "")
    what = sentence(change.act, organisation, processes)
    return Told(sequence=sequence, at=change.at, text=f"{who}{how} {what}")


def reading_words(subject: str, definition: ProcessDefinition | None) -> str:
    """What is read so: `“hari” = hari kerja`, `pelaksana langkah 8`."""
    if subject == org.DAYS:
        return _("“hari” = hari kerja")
    element = definition.elements.get(subject) if definition else None
    return _("pelaksana langkah %(step)s", step=element.number if element and element.number else subject)


def asked_words(organisation: Organisation, confirmation: str) -> str:
    """What was asked about: the title that those saw who could answer."""
    return account.in_words(organisation, organisation.confirmations[confirmation]).title


def sentence(act: Act, organisation: Organisation, processes: Mapping[str, ProcessDefinition]) -> str:
    """What an act did, as the rest of a sentence that begins with who did it. Names are those of today."""

    def person(id: str) -> str:
        return organisation.people[id].name

    def position(id: str) -> str:
        return organisation.positions[id].name

    def unit(id: str) -> str:
        return organisation.units[id].name

    def process(key: str) -> str:
        return processes[key].name if key in processes else key

    def lane(key: str, id: str, name: str = "") -> str:
        drawn = processes[key].lane(id) if key in processes else None
        return name or (drawn.name if drawn else _("pemulai proses") if id == org.STARTERS else id)

    def why(reason: Any) -> str:
        text = org.said(reason, _("(dihapus)"))
        return _(" Alasan: %(reason)s.", reason=text.rstrip(".")) if text else ""

    match act:
        case org.AddUnit():
            return _("menambah unit %(name)s.", name=act.name)
        case org.ChangeUnit():
            return _("mengubah unit %(name)s.", name=act.name)
        case org.AddPosition():
            return _("menambah jabatan %(name)s di %(unit)s.", name=act.name, unit=unit(act.unit))
        case org.ChangePosition():
            return _("mengubah jabatan %(name)s.", name=act.name)
        case org.AddPerson():
            return _(
                "menambah %(name)s (%(login)s).",
                name=org.said(act.name, _("(nama dihapus)")),
                login=org.said(act.login, "-"),
            )
        case org.ChangePerson():
            return _(
                "mengubah data %(name)s (%(login)s).",
                name=org.said(act.name, _("(nama dihapus)")),
                login=org.said(act.login, "-"),
            )
        case org.DeactivatePerson():
            ended = (
                _(" Jabatannya diakhiri pada %(day)s.", day=words.short_day(date.fromisoformat(act.last_day)))
                if act.last_day
                else ""
            )
            return _("menonaktifkan %(name)s.", name=person(act.person)) + ended + why(act.reason)
        case org.ReactivatePerson():
            return _("mengaktifkan kembali %(name)s.", name=person(act.person)) + why(act.reason)
        case org.Hold():
            return _(
                "mencatat %(name)s sebagai %(position)s, %(when)s.",
                name=person(act.person),
                position=words.position(act.capacity, position(act.position)),
                when=words.period(act.valid_from, act.valid_until),
            ) + (_(" Dasar: %(basis)s.", basis=act.basis.rstrip(".")) if act.basis else "")
        case org.EndHolding():
            held = organisation.holdings[act.holding]
            return _(
                "mengakhiri %(name)s sebagai %(position)s pada %(day)s.",
                name=person(held.person),
                position=words.position(held.capacity, position(held.position)),
                day=words.short_day(date.fromisoformat(act.valid_until)),
            ) + why(act.reason)
        case org.Bind():
            return _(
                "menetapkan %(position)s sebagai pelaksana %(lane)s untuk %(unit)s (%(process)s).",
                position=position(act.position),
                lane=lane(act.key, act.lane, act.lane_name),
                unit=unit(act.unit),
                process=process(act.key),
            )
        case org.Unbind():
            return _(
                "melepaskan pelaksana %(lane)s untuk %(unit)s (%(process)s).",
                lane=lane(act.key, act.lane),
                unit=unit(act.unit),
                process=process(act.key),
            )
        case org.SetHead():
            if act.position is None:
                return _("menetapkan bahwa %(unit)s belum mempunyai kepala.", unit=unit(act.unit))
            return _(
                "menetapkan %(position)s sebagai kepala %(unit)s.", position=position(act.position), unit=unit(act.unit)
            )
        case org.GrantPower():
            return _(
                "memberi %(name)s kuasa %(power)s.",
                name=person(act.person),
                power=account.power_words(organisation, act.power, act.unit),
            )
        case org.RevokePower():
            return _(
                "mencabut kuasa %(power)s dari %(name)s.",
                name=person(act.person),
                power=account.power_words(organisation, act.power, act.unit),
            )
        case org.AssignAudit():
            basis = org.said(act.basis, _("(dihapus)"))
            return _(
                "mencatat surat tugas audit %(number)s untuk %(name)s: %(scope)s, %(when)s.",
                number=act.number,
                name=person(act.person),
                scope=account.assignment_words(organisation, act),
                when=words.period(act.valid_from, act.valid_until),
            ) + (_(" Dasar: %(basis)s.", basis=basis.rstrip(".")) if basis else "")
        case org.EndAudit():
            ended = organisation.assignments[act.assignment]
            return _(
                "mengakhiri surat tugas audit %(number)s untuk %(name)s pada %(day)s.",
                number=ended.number,
                name=person(ended.person),
                day=words.short_day(date.fromisoformat(act.valid_until)),
            ) + why(act.reason)
        case org.AllowUnit():
            return _(
                "menetapkan bahwa %(unit)s dapat memulai %(process)s.", unit=unit(act.unit), process=process(act.key)
            )
        case org.DisallowUnit():
            return _(
                "menetapkan bahwa %(unit)s tidak lagi dapat memulai %(process)s.",
                unit=unit(act.unit),
                process=process(act.key),
            )
        case org.ConfirmReading():
            return _(
                "mengonfirmasi bacaan %(reading)s untuk %(unit)s (%(process)s). Dasar: %(basis)s, %(day)s.",
                reading=reading_words(act.subject, processes.get(act.key)),
                unit=unit(act.unit),
                process=process(act.key),
                basis=org.said(act.basis, _("(dihapus)")),
                day=words.short_day(date.fromisoformat(act.dated)),
            )
        case org.WithdrawReading():
            return _(
                "mencabut konfirmasi bacaan %(reading)s untuk %(unit)s (%(process)s).",
                reading=reading_words(act.subject, processes.get(act.key)),
                unit=unit(act.unit),
                process=process(act.key),
            ) + why(act.reason)
        case org.SetCredential():
            return (
                _("membuat kata sandi sekali pakai untuk %(name)s.", name=person(act.person))
                if act.temporary
                else _("menetapkan kata sandi %(name)s.", name=person(act.person))
            )
        case org.EnrolSecondFactor():
            return {
                "totp": _("memasang kode dari ponsel sebagai faktor kedua."),
                "passkey": _("memasang kunci sandi sebagai faktor kedua."),
            }.get(act.kind) or _("membuat kode pemulihan baru.")
        case org.RemoveSecondFactor():
            return (
                _("menghapus faktor kedua miliknya.")
                if act.factor
                else _("melepas semua faktor kedua %(name)s.", name=person(act.person))
            )
        case org.RequireSecondFactor():
            return (
                _("mewajibkan faktor kedua bagi %(name)s.", name=person(act.person))
                if act.required
                else _("tidak lagi mewajibkan faktor kedua bagi %(name)s.", name=person(act.person))
            )
        case org.AskConfirmation():
            return _("memerlukan konfirmasi orang lain: %(what)s.", what=asked_words(organisation, act.confirmation))
        case org.ConfirmChange():
            return _("mengonfirmasi: %(what)s.", what=asked_words(organisation, act.confirmation))
        case org.DisputeChange():
            return _("menyatakan tidak benar: %(what)s.", what=asked_words(organisation, act.confirmation)) + why(
                act.reason
            )
        case org.SetSetting():
            return (
                _("menandai basis data ini sebagai peragaan.")
                if act.value == "yes"
                else _("mengubah pengaturan %(name)s menjadi %(value)s.", name=act.name, value=act.value)
            )
