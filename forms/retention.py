"""Arsip & penghapusan: requests to erase, legal holds, retention classes, what is due, disposals; and who decides.

Administrators ask and set, on pages under Pengaturan. Who heads the unit decides, on a page of their own that shows
what would go; both pages show where things stand. What is shown here of an instance are labels and the words that were
looked for: an administrator sees no content otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection

from engine import retention as archive_
from engine.commands import Actor
from engine.instance import Problem, Refused
from engine.retention import (
    APPROVED,
    DESTROY,
    INSTANCE,
    PERMANENT,
    PERSON,
    REJECTED,
    REVIEW,
    WAITING,
    Archive,
    DecideDisposal,
    DecideErasure,
    DropRetention,
    Due,
    LiftHold,
    PlaceHold,
    ProposeDisposal,
    RequestErasure,
    SetRetention,
)
from engine.store import definitions, instances, organisation
from engine.store import retention as store
from engine.store.definitions import Change

from . import admin, words
from .admin import Form, Input
from .papers import disposal as paper
from .session import me, office, tell

retention = Blueprint("retention", __name__)

LONGEST_SEARCH = 200
MOST_SHOWN = 300  # values of one instance on a page


def only_administrators() -> None:
    if g.get("visitor") is None or not me().administrator:
        abort(404)


def may_decide() -> bool:
    visitor = g.get("visitor")
    return visitor is not None and bool(visitor.heads or visitor.administrator)


@retention.app_template_filter()
def iso_day(text: str) -> date:
    return date.fromisoformat(text)


@retention.app_context_processor
def what_the_inbox_knows() -> dict[str, Any]:
    def archive_waiting() -> int:
        """How many requests wait for the visitor's decision."""
        if not may_decide():
            return 0
        with office().database.read() as db:
            return archive_.waiting_for(db, me().id, office().now())

    return {"archive_waiting": archive_waiting}


@retention.context_processor
def what_these_pages_know() -> dict[str, Any]:
    return {**admin.what_these_pages_know(), "fates": fates(), "states": states(), "scope_of": scope_of}


def fates() -> dict[str, str]:
    return {DESTROY: _("Musnah"), PERMANENT: _("Permanen"), REVIEW: _("Dinilai kembali")}


def states() -> dict[str, str]:
    return {WAITING: _("Menunggu keputusan"), APPROVED: _("Disetujui"), REJECTED: _("Ditolak")}


@dataclass(frozen=True)
class Known:
    """What the pages say names and titles of."""

    archive: Archive
    people: Mapping[str, str]
    units: Mapping[str, str]
    processes: Mapping[str, str]
    titles: Mapping[str, str]
    holds: tuple[store.Hold, ...]
    due: tuple[Due, ...]

    def person(self, id: str) -> str:
        return self.people.get(id, id)

    def unit(self, id: str) -> str:
        return self.units.get(id, id) if id else _("semua unit")

    def process(self, key: str) -> str:
        return self.processes.get(key, key) if key else _("semua proses")

    def subject(self, one: archive_.Erasure) -> str:
        return self.person(one.act.id) if one.act.about == PERSON else self.titles.get(one.act.id, one.act.id)


def known(db: Connection, now: datetime) -> Known:
    found, there = archive_.load(db), organisation.load(db)
    ids = {one.act.id for one in found.erasures.values() if one.act.about == INSTANCE}
    ids |= {id for one in found.disposals.values() for id in one.act.instances}
    holds = tuple(store.holds(db))
    ids |= {one.instance for one in holds if one.instance}
    titles = {id: heading.title for id in ids if (heading := store.heading(db, id))}
    return Known(
        archive=found,
        people={one.id: one.name for one in there.people.values()},
        units={one.id: one.name for one in there.units.values()},
        processes={one.key: one.name for one in definitions.versions(db)},
        titles=titles,
        holds=holds,
        due=tuple(archive_.due(db, found, now)),
    )


def scope_of(it: Known, one: store.Hold) -> str:
    if one.scope == store.EVERYTHING:
        return _("Semua berkas proses")
    if one.scope == store.OF_INSTANCE:
        return it.titles.get(one.instance, one.instance)
    year = str(one.year) if one.year else _("semua tahun")
    return _("%(unit)s, %(year)s", unit=it.unit(one.unit), year=year)


def carry_out(act: Any) -> archive_.Done:
    """Make one act in the name of the visitor. Raises Refused."""
    with office().database.read() as db:
        at = admin.moment(db)
    settings = office().settings
    change = Change(id=admin.form_id(), at=at, actor=admin.administrator(), act=act)
    if not me().administrator:
        held = next((one for one in me().positions), None)
        change = Change(id=change.id, at=at, act=act, actor=Actor(
            person=me().id, position=held.position if held else None, unit=me().unit or None,
            capacity=held.capacity if held else None, basis=held.basis if held else None))
    return archive_.carry_out(office().database, office().rules, settings.documents_dir, change)


def answer(form: Form, act_of: Any, said: str, then: str) -> Any:
    """The form; or, when it was sent, the change and the next page; or the form again with what is wrong."""
    values = {one.name: one.value for one in form.inputs}
    problems: tuple[Problem, ...] = ()
    if request.method == "POST":
        values = admin.posted(form.inputs)
        try:
            carry_out(act_of(values))
        except Refused as refused:
            problems = admin.at_inputs(refused, form.inputs)
        else:
            tell(said)
            return redirect(then, 303)
    page = render_template("admin/form.html", form=form, values=values, problems=problems)
    return page, 422 if problems else 200


def number(text: str | None, place: str) -> int:
    """A small whole number that somebody typed. Raises Refused at its place."""
    if text and text.isascii() and text.isdigit() and len(text) <= 4:
        return int(text)
    message = _("Isi bilangan bulat, misalnya 5.")
    raise Refused("wrong", message, (Problem(place, message),))


def home() -> str:
    return url_for("retention.page")


# Pengaturan > Arsip & penghapusan


@retention.get("/pengaturan/arsip")
def page() -> Any:
    """Where everything stands."""
    only_administrators()
    now = office().now()
    with office().database.read() as db:
        it = known(db, now)
        ready = {one.unit for one in it.due if not one.held and one.kept.fate == DESTROY}
    return render_template("admin/retention.html", it=it, ready=sorted(ready, key=it.unit))


@retention.route("/pengaturan/arsip/penghapusan", methods=["GET", "POST"])
def ask() -> Any:
    """Ask to erase values of an instance: first which instance and which words, then what holds them."""
    only_administrators()
    id, searched = (request.values.get(one, "").strip()[:LONGEST_SEARCH] for one in ("berkas", "cari"))
    with office().database.read() as db:
        heading = store.heading(db, id) if id and "\x00" not in id else None
        found = archive_.found_in(db, office().rules, id) if heading else []
        files = store.attached(db, id) if heading else []
        instance = instances.load(db, id) if heading else None
        hold = store.held(db, id) if heading else None
        names = organisation.names(db, {one.person for one in found})
    definition = office().rules.definition(instance.definition) if instance else None
    shown = [one for one in found if searched and searched.casefold() in str(one.value).casefold()] if searched else [
        one for one in found if one.personal]
    problems: list[Problem] = []
    if request.method == "POST" and heading:
        try:
            carry_out(RequestErasure(
                request=admin.new_id("erasure"), about=INSTANCE, id=id, number=request.form.get("number", "").strip(),
                dated=request.form.get("dated", ""), basis=request.form.get("basis", "").strip(), subject=searched,
                values=tuple(request.form.getlist("isian")), files=tuple(request.form.getlist("file"))))
        except Refused as refused:
            problems = list(refused.problems or (Problem("values", str(refused)),))
        else:
            tell(_("Permintaan penghapusan dicatat dan menunggu keputusan kepala unit."))
            return redirect(home(), 303)
    answered = render_template(
        "admin/erasure.html", id=id, searched=searched, heading=heading, shown=shown[:MOST_SHOWN],
        files=[(sha256, words.document_name(definition, type), version, words.size(size))
               for sha256, type, version, size in files if definition],
        hold=hold, names=names, problems=problems, typed=request.form, place_of=place_of, many=len(shown))
    return answered, 422 if problems else 200


def place_of(one: archive_.Found) -> str:
    """What a value is: the label of its field, or what else was written."""
    if one.label:
        return one.label
    last = one.kept.path.rpartition(".")[2]
    return {
        "text": _("Komentar"), "reason": _("Alasan"), "name": _("Nama berkas"), "place": _("Tempat atau tautan"),
        "detail": _("Rincian"), "unit_facts": _("Data SOP unit"),
    }.get(last, one.field or last)


@retention.route("/pengaturan/arsip/orang", methods=["GET", "POST"])
def ask_person() -> Any:
    """Ask to erase the name of somebody who has left."""
    only_administrators()
    with office().database.read() as db:
        people = [one for one in organisation.load(db).people.values()
                  if not one.active and not one.login.startswith("dihapus-")]
    form = Form(
        title=_("Minta penghapusan nama"), submit=_("Ajukan"), back=home(),
        lead=_("Nama, NIP, pangkat, surel, dan nama pengguna dihapus untuk selamanya; di semua halaman ia disebut "
               "dengan jabatan terakhirnya. Hanya orang yang sudah dinonaktifkan yang ada di sini. Yang dilakukannya "
               "tetap tercatat."),
        inputs=(
            Input(name="id", label=_("Orang"), kind="select",
                  options=admin.choice(((one.id, one.name) for one in people), _("Pilih orang"))),
            *letter(),
        ),
    )
    return answer(
        form,
        lambda typed: RequestErasure(
            request=admin.new_id("erasure"), about=PERSON, id=typed["id"], number=typed["number"],
            dated=typed["dated"], basis=typed["basis"],
            subject=next((one.name for one in people if one.id == typed["id"]), "")),
        _("Permintaan penghapusan dicatat dan menunggu keputusan kepala unit."), home())


def letter() -> tuple[Input, ...]:
    return (
        Input(name="number", label=_("Nomor surat permintaan")),
        Input(name="dated", label=_("Tanggal surat"), kind="date"),
        Input(name="basis", label=_("Dasar hukum"), value="UU 27/2022 Pasal 8"),
    )


@retention.route("/pengaturan/arsip/penahanan", methods=["GET", "POST"])
def hold() -> Any:
    """Place a legal hold."""
    only_administrators()
    with office().database.read() as db:
        units = organisation.units(db)
    form = Form(
        title=_("Tahan untuk kepentingan hukum"), submit=_("Tahan"), back=home(),
        lead=_("Yang ditahan tidak dapat dihapus atau dimusnahkan, oleh siapa pun, sampai penahanan dicabut."),
        inputs=(
            Input(name="scope", label=_("Yang ditahan"), kind="select", value="unit", options=(
                ("unit", _("Satu unit")), ("instance", _("Satu berkas proses")), ("all", _("Semuanya")))),
            Input(name="unit", label=_("Unit"), kind="select", required=False,
                  options=admin.choice(((one.id, one.name) for one in units), _("Tidak dipilih"))),
            Input(name="year", label=_("Tahun laporan"), required=False, hint=_("Kosongkan untuk semua tahun.")),
            Input(name="instance", label=_("Nomor berkas proses"), required=False,
                  hint=_("Salin dari alamat halamannya; hanya untuk satu berkas proses.")),
            Input(name="number", label=_("Nomor surat")),
            Input(name="basis", label=_("Dasar"), hint=_("Misalnya penyelidikan, perkara, atau pemeriksaan.")),
            Input(name="since", label=_("Berlaku sejak"), kind="date", value=admin.here().isoformat()),
        ),
    )
    return answer(
        form,
        lambda typed: PlaceHold(
            hold=admin.new_id("hold"), scope=typed["scope"], unit=typed["unit"] or "",
            instance=typed["instance"] or "", year=number(typed["year"], "year") if typed["year"] else None,
            number=typed["number"], basis=typed["basis"], since=typed["since"]),
        _("Penahanan dicatat."), home())


@retention.route("/pengaturan/arsip/penahanan/<id>/cabut", methods=["GET", "POST"])
def lift(id: str) -> Any:
    only_administrators()
    with office().database.read() as db:
        one = next((one for one in store.holds(db) if one.id == id), None) or abort(404)
    form = Form(
        title=_("Cabut penahanan nomor %(number)s", number=one.number), submit=_("Cabut"), back=home(),
        inputs=(Input(name="number", label=_("Nomor surat pencabutan")),
                Input(name="reason", label=_("Alasan"), required=False)))
    return answer(form, lambda typed: LiftHold(hold=id, number=typed["number"], reason=typed["reason"] or ""),
                  _("Penahanan dicabut."), home())


@retention.route("/pengaturan/arsip/retensi", methods=["GET", "POST"])
def classify() -> Any:
    """Set how long the records of a process are kept."""
    only_administrators()
    with office().database.read() as db:
        processes = {one.key: one.name for one in definitions.versions(db)}
        units = organisation.units(db)
    form = Form(
        title=_("Tetapkan masa retensi"), submit=_("Simpan"), back=home(),
        lead=_("Menurut Jadwal Retensi Arsip (JRA) kantor ini. Tanpa ketetapan, semua disimpan selamanya. Sesudah "
               "masanya lewat pun tidak ada yang hilang sendiri: pemusnahan diusulkan dan diputuskan orang."),
        inputs=(
            Input(name="process", label=_("Proses"), kind="select", required=False,
                  options=admin.choice(processes.items(), _("Semua proses"))),
            Input(name="unit", label=_("Unit"), kind="select", required=False,
                  options=admin.choice(((one.id, one.name) for one in units), _("Semua unit"))),
            Input(name="name", label=_("Nama kelas"), hint=_("Sebagaimana dalam JRA, misalnya Laporan kinerja.")),
            Input(name="active", label=_("Retensi aktif (tahun)"), kind="long", value="2"),
            Input(name="inactive", label=_("Retensi inaktif (tahun)"), kind="long", value="3",
                  hint=_("Dihitung sesudah masa aktif, yang dimulai saat berkas proses berakhir.")),
            Input(name="fate", label=_("Nasib akhir"), kind="select", value=REVIEW, options=tuple(fates().items())),
            Input(name="basis", label=_("Dasar"), hint=_("Nomor peraturan yang menetapkan JRA.")),
        ),
    )
    return answer(
        form,
        lambda typed: SetRetention(
            key=typed["process"] or "", unit=typed["unit"] or "", name=typed["name"], fate=typed["fate"],
            active=number(typed["active"], "active"), inactive=number(typed["inactive"], "inactive"),
            basis=typed["basis"]),
        _("Masa retensi ditetapkan."), home())


@retention.post("/pengaturan/arsip/retensi/cabut")
def declassify() -> Any:
    only_administrators()
    try:
        carry_out(DropRetention(key=request.form.get("kunci", ""), unit=request.form.get("unit", "")))
    except Refused as refused:
        tell(str(refused), "error")
    else:
        tell(_("Ketetapan retensi dicabut: yang semula dicakupnya disimpan terus."))
    return redirect(home(), 303)


@retention.route("/pengaturan/arsip/pemusnahan/<unit>", methods=["GET", "POST"])
def propose(unit: str) -> Any:
    """Propose to dispose of what is past its retention in a unit."""
    only_administrators()
    with office().database.read() as db:
        it = known(db, office().now())
    if unit not in it.units:
        abort(404)
    over = [one for one in it.due if one.unit == unit and one.kept.fate == DESTROY and not one.held]
    form = Form(
        title=_("Usulkan pemusnahan"), submit=_("Usulkan"), back=home(),
        lead=_("Milik %(unit)s, sudah melewati retensi. Isian dan berkasnya dihapus sesudah kepala unit menyetujui; "
               "catatan jurnal dan sidiknya tetap ada.", unit=it.unit(unit)),
        inputs=(
            Input(name="instances", label=_("Berkas proses"), kind="ticks", value=tuple(one.id for one in over),
                  options=tuple((one.id, _("%(title)s (lewat sejak %(day)s)", title=one.title,
                                           day=words.short_day(one.due))) for one in over)),
            Input(name="number", label=_("Nomor berita acara")),
            Input(name="dated", label=_("Tanggal berita acara"), kind="date", value=admin.here().isoformat()),
            Input(name="basis", label=_("Dasar"), value="PP 28/2012"),
        ),
    )
    return answer(
        form,
        lambda typed: ProposeDisposal(
            disposal=admin.new_id("disposal"), unit=unit, instances=typed["instances"], number=typed["number"],
            dated=typed["dated"], basis=typed["basis"]),
        _("Usul pemusnahan dicatat dan menunggu keputusan kepala unit."), home())


# Who decides


@retention.get("/keputusan-arsip")
def decisions() -> Any:
    """What waits for the visitor's decision."""
    if not may_decide():
        abort(404)
    now = office().now()
    with office().database.read() as db:
        it = known(db, now)
        mine = [one for one in it.archive.erasures.values() if waits_for_me(db, one.decided, one.unit, one.by, now)]
        disposals = [(one, archive_.disposed(db, one)) for one in it.archive.disposals.values()
                     if waits_for_me(db, one.decided, one.act.unit, one.by, now)]
        found = {one.act.request: labels(db, one) for one in mine}
    return render_template("retention.html", it=it, erasures=mine, disposals=disposals, labels=found)


def labels(db: Connection, one: archive_.Erasure) -> list[tuple[str, int]]:
    """(what, how many) of what a request would erase."""
    if one.act.about == PERSON:
        return []
    wanted, counted = set(one.act.values), dict[str, int]()
    for found in archive_.found_in(db, office().rules, one.act.id):
        if found.name in wanted:
            counted[place_of(found)] = counted.get(place_of(found), 0) + 1
    return list(counted.items())


def waits_for_me(db: Connection, decided: archive_.Decided, unit: str, by: str, now: datetime) -> bool:
    return decided.state == WAITING and me().id in archive_.deciders(db, unit, now, by)


@retention.post("/keputusan-arsip/penghapusan/<id>")
def decide_erasure(id: str) -> Any:
    return decide(lambda approved, note: DecideErasure(request=id, approved=approved, note=note))


@retention.post("/keputusan-arsip/pemusnahan/<id>")
def decide_disposal(id: str) -> Any:
    return decide(lambda approved, note: DecideDisposal(disposal=id, approved=approved, note=note))


def decide(act_of: Any) -> Any:
    if not may_decide():
        abort(404)
    approved = request.form.get("putusan") == "setuju"
    try:
        done = carry_out(act_of(approved, request.form.get("note", "").strip()))
    except Refused as refused:
        tell(str(refused), "error")
    else:
        tell(outcome(done) if approved else _("Ditolak. Tidak ada yang dihapus."))
        if done.elsewhere:
            tell(_("Nama yang sama masih ada di %(places)s. Periksa apakah itu juga diminta dihapus.",
                   places=", ".join(said_of(done.elsewhere))),
                 "warning")
        if done.copies:
            tell(_("%(n)s paket atau bukti sudah diambil keluar sebelum penghapusan ini, yang terakhir %(at)s; "
                   "cadangan yang dibuat sebelum hari ini juga masih memuatnya.", n=len(done.copies),
                   at=words.full(done.copies[-1].at, me().zone)), "warning")
    return redirect(url_for("retention.decisions"), 303)


def said_of(elsewhere: Mapping[str, int]) -> list[str]:
    """Where the same words still stand, for people: no table has a name for them."""
    names = {
        "journal_value": _("isian berkas proses"), "instance": _("isian berkas proses"), "draft": _("draf isian"),
        "user_task": _("isian berkas proses"), "notice": _("pemberitahuan"), "person": _("daftar orang"),
        "position": _("daftar jabatan"), "unit": _("daftar unit"), "team": _("susunan tim"),
        "definition": _("SOP"), "definition_draft": _("rancangan SOP"), "definition_proposal": _("usulan SOP"),
        "definition_unit": _("data SOP unit"), "calendar": _("kalender"), "migration_run": _("alasan pindah versi"),
    }
    found = dict[str, int]()
    for table, count in sorted(elsewhere.items()):
        name = names.get(table, _("catatan lain"))
        found[name] = max(count, found.get(name, 0))
    return [f"{name} ({count})" for name, count in found.items()]


def outcome(done: archive_.Done) -> str:
    return _("Disetujui dan dilaksanakan: %(n)s isian dan %(files)s berkas dihapus.", n=done.values, files=done.files)


@retention.get("/arsip/berita-acara/<id>.pdf")
def minutes(id: str) -> Any:
    """The berita acara of a disposal; of one that waits, as it would be."""
    if not may_decide():
        abort(404)
    with office().database.read() as db:
        it = known(db, office().now())
        one = it.archive.disposals.get(id) or abort(404)
        if not me().administrator and one.act.unit not in me().heads:
            abort(404)
        listed = archive_.disposed(db, one)
    made = paper.pdf(paper.Minutes(
        number=one.act.number, dated=words.full_day(date.fromisoformat(one.act.dated)), unit=it.unit(one.act.unit),
        basis=one.act.basis, proposed=it.person(one.by), decided=it.person(one.decided.by) if one.decided.by else "",
        at=words.full(one.decided.at, me().zone) if one.decided.at else "", state=one.decided.state,
        rows=tuple(paper.Line(
            title=each.title, id=each.id, ended=words.full_day(words.local(each.ended_at, me().zone).date())
            if each.ended_at else "", values=each.values, rows=each.rows, head=each.head, files=each.files)
            for each in listed)))
    response = make_response(made)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="berita-acara-{id[:12]}.pdf"'
    return response
