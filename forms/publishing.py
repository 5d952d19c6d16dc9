"""Perancang: what an office works by, who changes it, and how a change comes into force.

A draft is checked (Periksa) and put forward as a proposal; somebody else verifies it, the head of the unit ratifies it,
and from the date that is said new process instances run it. Every page says who may act next, and whom it may not be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, abort, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Connection

from engine import changes, diagram, drafting, ratification, rehearse, sop_out
from engine.commands import Attachment
from engine.definition import DiagramError, Element, Field, ProcessDefinition
from engine.instance import Problem, Refused
from engine.organisation import local_date
from engine.sop_table import TableError
from engine.store import database, definitions, documents, drafts, organisation, records, stories
from engine.store.definitions import Version
from engine.store.drafts import Draft

from . import comparing, inbox, rehearsing, words
from .comparing import Listed
from .papers import sop as sop_papers
from .processes import Names, opened, printed, served_file, the_key
from .session import me, office, tell
from .words import Mark

publishing = Blueprint("publishing", __name__, url_prefix="/perancang")

FOR_EVERYBODY = frozenset({"publishing.register"})
SCANNED = (documents.PDF, documents.JPEG, documents.PNG)

IN_FORCE = Mark("●", _l("Berlaku"), "on-time")
NOT_YET = Mark("◷", _l("Belum berlaku"), "open")
FOLLOWED = Mark("○", _l("Sudah digantikan"), "done")
WITHDRAWN = Mark("×", _l("Dicabut"), "late")
PROPOSALS: Mapping[str, Mark] = {
    "proposed": Mark("▷", _l("Diajukan"), "working"),
    "verified": Mark("◐", _l("Sudah diverifikasi"), "working"),
    "returned": Mark("↩", _l("Dikembalikan untuk diperbaiki"), "returned"),
    "recalled": Mark("○", _l("Ditarik kembali"), "ahead"),
    "ratified": Mark("✓", _l("Disahkan"), "done"),
}
WAITING = ("proposed", "verified")
OPEN_MARK = Mark("◌", _l("Rancangan"), "open")


@publishing.before_request
def only_designers() -> None:
    """For anybody else these pages do not exist; the register is everybody's."""
    if request.endpoint not in FOR_EVERYBODY and (g.get("visitor") is None or not me().designs):
        abort(404)


@publishing.context_processor
def what_these_pages_know() -> dict[str, Any]:
    return {
        "proposal_marks": PROPOSALS,
        "iso_day": iso_day,
        "instant_of": lambda text: records.moment(text) if isinstance(text, str) else text,
        "summary": comparing.summary,
        "outcomes": OUTCOMES,
        "open_mark": OPEN_MARK,
    }


def today() -> date:
    """Where the visitor is."""
    return local_date(office().now(), me().zone)


def moment(db: Connection) -> datetime:
    """When something is done. On a demonstration or in a test the page's clock is the act's."""
    told_at = office().told_at
    return told_at() if told_at else database.now(db)


def iso_day(text: str | date | None) -> str:
    """`2 Februari 2027` of an ISO date; "" of none."""
    if not text:
        return ""
    return words.short_day(text if isinstance(text, date) else date.fromisoformat(text[:10]))


# The places of Perancang


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something that waits for the visitor."""

    what: str
    proposal: ratification.Proposal


@publishing.get("")
def home() -> Any:
    """What waits for the visitor, the drafts, and what is in force."""
    now = today()
    with office().database.read() as db:
        names = Names(db)
        waiting = ratification.proposals(db, states=WAITING)
        mine = [Task(what=what, proposal=one) for one in waiting for what in may_do(db, one)]
        asked = {one.proposal.id for one in mine}
        others = [(one, next_words(db, one, names)) for one in waiting if one.id not in asked]
        listed = drafts.listed(db)
        proposed = {one.draft: one for one in waiting}
        sent_back = {one.draft: one for one in reversed(ratification.proposals(db, states=("returned",))) if one.draft}
        rows = [
            (one, proposed.get(one.id), sent_back.get(one.id) if one.state == "open" else None, may_edit(db, one))
            for one in listed
        ]
        rows.sort(key=lambda row: (not row[3], row[0].name.casefold()))
        for id in {one for draft in listed for one in (draft.saved_by, draft.unit)} | {
            one.proposed_by for one in waiting
        }:
            names(id)
        entries = definitions.register(db, now)
        unit_names = {one.unit: names(one.unit) for one in entries if one.unit}
    return render_template(
        "perancang/home.html",
        tasks=mine,
        others=others,
        drafts=rows,
        entries=[(one, entry_mark(one)) for one in entries],
        unit_names=unit_names,
        names=names_known(names),
        may_make=bool(me().owner_of),
    )


def names_known(names: Names) -> Mapping[str, str]:
    return names.known


def may_edit(db: Connection, one: Draft | str) -> bool:
    return bool(drafting.may_edit(db, me().id, one))


def may_do(db: Connection, proposal: ratification.Proposal) -> list[str]:
    """What the visitor may do with a waiting proposal, as words for a list."""
    if proposal.state == "proposed":
        if proposal.cosmetic:
            return [_("Menunggu persetujuan Anda")] if ratification.may_approve_layout(db, me().id, proposal)[0] else []
        return [_("Menunggu verifikasi Anda")] if ratification.may_verify(db, me().id, proposal)[0] else []
    return [_("Menunggu pengesahan Anda")] if ratification.may_ratify(db, me().id, proposal, today())[0] else []


def next_words(db: Connection, proposal: ratification.Proposal, names: Names) -> str:
    """Who acts next on a proposal."""
    if proposal.state == "proposed" and proposal.cosmetic:
        return _("Menunggu persetujuan pemilik SOP lain; perubahan ini hanya menyangkut gambar.")
    if proposal.state == "proposed":
        return _("Menunggu verifikasi oleh verifikator (Bagian Organisasi).")
    if proposal.state == "verified":
        head = organisation.head_of(db, proposal.unit, today())
        if head is None:
            return _("Menunggu pengesahan oleh kepala %(unit)s, yang belum ditetapkan.", unit=names(proposal.unit))
        return _("Menunggu pengesahan oleh %(who)s.", who=words.position(head.capacity, head.position_name))
    return str(PROPOSALS[proposal.state].word)


# The register


def entry_mark(one: definitions.Registered) -> Mark:
    return WITHDRAWN if one.withdrawn_at else IN_FORCE if one.in_force else NOT_YET


@publishing.get("/daftar-sop")
def register() -> Any:
    """Daftar SOP: number, unit, version, since when, or that it was withdrawn; for everybody who is signed in."""
    on = today()
    asked = {name: request.args.get(name, "").strip() for name in ("cari", "unit", "keadaan")}
    states = {"berlaku": _("Berlaku"), "dicabut": _("Dicabut"), "evaluasi": _("Perlu dievaluasi")}
    with office().database.read() as db:
        found = definitions.register(db, on)
        names = Names(db)
        units = sorted({(one.unit, names(one.unit)) for one in found if one.unit}, key=lambda one: one[1])
    rows = []
    for one in found:
        due = bool(one.next_evaluation and str(one.next_evaluation) <= on.isoformat() and not one.withdrawn_at)
        state = "dicabut" if one.withdrawn_at else "berlaku"
        text = f"{one.name} {one.number} {names.known.get(one.unit, '')}".casefold()
        if asked["cari"].casefold() in text and asked["unit"] in ("", one.unit):
            if asked["keadaan"] in ("", state) or (asked["keadaan"] == "evaluasi" and due):
                rows.append((one, entry_mark(one), due))
    return render_template(
        "perancang/register.html",
        rows=rows,
        units=units,
        unit_names=dict(units),
        states=states,
        asked=asked,
        filtered=any(asked.values()),
        any=bool(found),
        on=on,
    )


# One SOP


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A version as its SOP's page tells it."""

    version: Version
    mark: Mark
    changed: Listed
    author: str
    verifier: str
    ratifier: str


def known_sop(db: Connection, key: str) -> Version:
    newest = definitions.newest(db, key)
    return newest or abort(404)


@publishing.get("/sop/<key>")
def sop(key: str) -> Any:
    """An SOP: its versions, what may be done with it."""
    return sop_page(key)


def sop_page(key: str, problem: Refused | None = None, place: str = "", status: int = 200, **places: str) -> Any:
    on = today()
    with office().database.read() as db:
        newest = known_sop(db, key)
        names = Names(db)
        force = definitions.in_force(db, key, on)
        gone = definitions.withdrawn(db, key)
        home_unit = drafting.home(db, key) or ""
        versions = definitions.versions(db, key)
        shown = [told(db, one, force, gone, on, names) for one in reversed(versions)]
        waiting = ratification.proposals(db, key=key, states=WAITING)
        open_drafts = [one for one in drafts.listed(db) if one.key == key]
        entry = next((one for one in definitions.register(db, on) if one.key == key), None)
        page = {
            "key": key,
            "newest": newest,
            "force": force,
            "gone": gone,
            "gone_by": names(gone.person) if gone else "",
            "unit_name": names(home_unit) if home_unit else "",
            "home_unit": home_unit,
            "versions": shown,
            "waiting": [(one, next_words(db, one, names)) for one in waiting],
            "drafts": open_drafts,
            "entry": entry,
            "evaluation_due": bool(entry and entry.next_evaluation and str(entry.next_evaluation) <= on.isoformat()),
            "may_change": may_edit(db, home_unit),
            "may_attach": ratification.may_attach_sheet(db, me().id, newest, on)[0],
            "may_withdraw": ratification.may_withdraw(db, me().id, key, on)[0],
            "may_evaluate": ratification.may_evaluate(db, me().id, key, on)[0],
            "stories": [(one, names(one.person)) for one in stories.listed(db, key)],
            "story_candidates": stories.candidates(db, key),
            "names": names.known,
            "today": on,
            "problem": problem,
            "problems": at_place(problem, place, **places),
            "typed": request.form,
        }
    return render_template("perancang/sop.html", **page), status


def told(
    db: Connection,
    one: Version,
    force: Version | None,
    gone: definitions.Withdrawal | None,
    on: date,
    names: Names,
) -> Shown:
    if one.holds_from and one.holds_from > on.isoformat():
        found = NOT_YET
    elif force and one.version == force.version:
        found = IN_FORCE
    else:
        found = FOLLOWED
    if gone and gone.version == one.version:
        found = WITHDRAWN
    return Shown(
        version=one,
        mark=found,
        changed=comparing.listed(one.changes, new=office().rules.definition(one.sha256)),
        author=names(one.deployed_by) if one.deployed_by else "",
        verifier=names(one.verified_by) if one.verified_by else "",
        ratifier=one.ratifier_name or (names(one.ratified_by) if one.ratified_by else ""),
    )


@publishing.get("/sop/<key>/versi/<int:number>")
def version(key: str, number: int) -> Any:
    """One version to look at: its diagram, its steps, its printed SOP."""
    on = today()
    with office().database.read() as db:
        it = version_of(db, key, str(number))
        shown = told(db, it, definitions.in_force(db, key, on), definitions.withdrawn(db, key), on, Names(db))
    definition = office().rules.definition(it.sha256)
    return render_template(
        "perancang/version.html",
        key=key,
        it=it,
        one=shown,
        steps=[step_words(definition, one) for one in definition.user_tasks],
        can_print=prints(definition),
    )


def step_words(definition: ProcessDefinition, one: Element) -> dict[str, str]:
    """A step as the table of a version says it."""
    lane, norm = definition.lane(one.lane), definition.norm(one.id)
    timer = norm.timer if norm else None
    return {
        "number": one.number,
        "name": one.name,
        "lane": lane.name if lane else "",
        "norm": words.length(timer.expression, timer.unit) if timer else "",
        "output": one.properties.get("sop.output", ""),
    }


@publishing.post("/sop/<key>/rancangan")
def begin(key: str) -> Any:
    """A new draft that begins from a version: the newest, or the one that the form names."""
    the_key()
    with office().database.read() as db:
        version = version_of(db, key, request.form.get("versi", ""))
        data = definitions.export(db, key, version.version)
        unit = drafting.home(db, key) or ""
    assert data is not None, "a version has its bytes"
    try:
        with office().database.begin() as db:
            made = drafting.begin(
                db, data, unit=unit, person=me().id, at=moment(db), base=version.sha256, name=version.name
            )
    except Refused as refused:
        return sop_page(key, refused, status=409)
    tell(_("Rancangan baru dimulai dari versi %(n)s. Yang berlaku tidak berubah sampai disahkan.", n=version.version))
    return redirect(url_for("sop_editor.open", id=made.id), 303)


def version_of(db: Connection, key: str, number: str) -> Version:
    """The version of a number; of none the newest."""
    if not number:
        return known_sop(db, key)
    return next((one for one in definitions.versions(db, key) if str(one.version) == number), None) or abort(404)


@publishing.post("/sop/<key>/ulang")
def again(key: str) -> Any:
    """Put an old version forward again, as a proposal."""
    form, number = request.form, request.form.get("versi", "")
    try:
        holds_from = typed_day("berlaku")
        with office().database.begin() as db:
            version = version_of(db, key, number)
            made = ratification.again(
                db,
                office().database.key,
                key,
                version.version,
                person=me().id,
                reason=form.get("alasan", "").strip(),
                holds_from=holds_from,
                at=moment(db),
                command_id=the_key(),
            )
    except Refused as refused:
        return sop_page(key, refused, "alasan", 422)
    tell(_("Versi %(n)s diajukan untuk disahkan lagi.", n=version.version))
    return redirect(url_for("publishing.proposal", id=made.id), 303)


@publishing.post("/sop/<key>/pencabutan")
def withdraw(key: str) -> Any:
    """Cabut SOP: nothing new begins by it, what runs goes on to its end."""
    try:
        with office().database.begin() as db:
            ratification.withdraw(
                db,
                office().database.key,
                key,
                person=me().id,
                reason=request.form.get("alasan_cabut", "").strip(),
                at=moment(db),
                command_id=the_key(),
            )
    except Refused as refused:
        return sop_page(key, refused, "alasan_cabut", 422, reason="alasan_cabut")
    tell(_("SOP ini dicabut. Berkas proses baru tidak dapat dimulai; yang sedang berjalan diselesaikan."))
    return redirect(url_for("publishing.sop", key=key), 303)


OUTCOMES: tuple[tuple[str, Any], ...] = (
    ("tetap", _l("Tetap dipakai tanpa perubahan")),
    ("diubah", _l("Perlu diubah")),
    ("dicabut", _l("Perlu dicabut")),
)


@publishing.post("/sop/<key>/contoh")
def keep_story(key: str) -> Any:
    """A finished instance is kept as an example, on which every later draft is tried; or one is no longer kept."""
    form, gone = request.form, request.form.get("hapus", "")
    try:
        with office().database.begin() as db:
            known_sop(db, key)
            if not may_edit(db, drafting.home(db, key) or ""):
                raise drafting.not_an_owner()
            if gone:
                stories.forget(db, key, gone)
            else:
                chosen = form.get("contoh", "")
                if chosen not in dict(stories.candidates(db, key)):
                    raise Refused("wrong", _("Pilih berkas proses yang sudah selesai."))
                rehearse.keep(db, chosen, name=form.get("nama_contoh", ""), person=me().id, at=moment(db))
    except Refused as refused:
        return sop_page(key, refused, "nama_contoh", 422)
    tell(_("Contoh %(name)s dihapus.", name=gone) if gone else
         _("Tersimpan. Setiap rancangan SOP ini dicoba juga dengan contoh itu."))
    return redirect(url_for("publishing.sop", key=key) + "#contoh")


@publishing.post("/sop/<key>/evaluasi")
def evaluated(key: str) -> Any:
    """A yearly evaluation took place."""
    form = request.form
    try:
        dated = typed_day("tanggal_evaluasi")
        with office().database.begin() as db:
            ratification.evaluated(
                db,
                office().database.key,
                key,
                person=me().id,
                dated=dated,
                outcome=form.get("hasil", ""),
                note=form.get("catatan", "").strip(),
                at=moment(db),
                command_id=the_key(),
            )
    except Refused as refused:
        return sop_page(key, refused, "tanggal_evaluasi", 422, dated="tanggal_evaluasi")
    tell(_("Evaluasi tahunan dicatat."))
    return redirect(url_for("publishing.sop", key=key), 303)


def typed_day(name: str) -> date:
    """The date that a form carries. Raises Refused at that place."""
    try:
        return date.fromisoformat(request.form.get(name, "").strip())
    except ValueError as error:
        message = _("Isikan tanggalnya, misalnya 2027-01-31.")
        raise Refused("wrong", message, (Problem(name, message),)) from error


PLACES: Mapping[str, str] = {
    "reason": "alasan",
    "holds_from": "berlaku",
    "dated": "tanggal",
    "number": "nomor",
    "scan": "berkas.pengesahan",
    "note": "catatan",
    "outcome": "hasil",
}


def at_place(problem: Refused | None, place: str, **otherwise: str) -> tuple[Problem, ...]:
    """What is wrong, each at its input, by the names of this page; what belongs to none stands at `place`."""
    if problem is None:
        return ()
    names = {**PLACES, **otherwise}
    told = tuple(Problem(names.get(one.place, one.place), one.message) for one in problem.problems)
    return told or (Problem(place or "kirim", problem.message),)


# Documents and diagrams


@dataclass(frozen=True, kw_only=True)
class Source:
    """Bytes that can be compared: a version, a draft, or what a proposal puts forward."""

    name: str  # as an address says it: v3, a draft's id, u-ID
    label: str
    data: bytes
    key: str
    version: Version | None = None
    draft: Draft | None = None


def source(db: Connection, key: str, name: str) -> Source:
    """What `v3`, the id of a draft or `u-ID` of a proposal names, of this process; else a 404."""
    if found := re.fullmatch(r"v(\d{1,6})", name):
        version = version_of(db, key, str(int(found[1])))
        data = definitions.export(db, key, version.version)
        assert data is not None, "a version has its bytes"
        return Source(name=name, label=_("Versi %(n)s", n=version.version), data=data, key=key, version=version)
    if name.startswith("u-"):
        proposal = ratification.proposal(db, name[2:])
        if proposal is None or proposal.key != key:
            abort(404)
        return Source(name=name, label=_("Usulan"), data=ratification.content(db, proposal.id), key=key)
    draft = drafts.get(db, name)
    data = drafts.content(db, name) if draft and draft.key == key else None
    if draft is None or data is None:
        abort(404)
    return Source(name=name, label=_("Rancangan"), data=data, key=key, draft=draft)


@publishing.get("/sop/<key>/diagram/<name>.bpmn")
def diagram_of(key: str, name: str) -> Response:
    """The stored bytes of a version, a draft or a proposal."""
    with office().database.read() as db:
        found = source(db, key, name)
    return Response(
        found.data,
        mimetype="application/xml",
        headers={"Content-Disposition": f'attachment; filename="{re.sub(r"[^A-Za-z0-9_-]", "_", key)}_{name}.bpmn"'},
    )


@publishing.get("/sop/<key>/dokumen/<name>.<any(pdf, docx):kind>")
def document_of(key: str, name: str, kind: str) -> Response:
    """The official document of a version, with the number and dates of its ratification; else one marked a draft."""
    paper = request.args.get("kertas", "a4")
    with office().database.read() as db:
        found = source(db, key, name)
        try:
            if found.version:
                unit = request.args.get("unit", "") or drafting.home(db, key) or ""
                sheet = of_version(db, found.version, unit)
            else:
                sheet = sop_out.of_file(diagram.reread(found.data))
        except (TableError, DiagramError):
            abort(404, _("Diagram ini memuat hal yang tidak dapat ditulis sebagai tabel SOP."))
    return printed(sheet, kind, paper if paper in sop_papers.PAPERS else "a4")


def of_version(db: Connection, version: Version, unit: str) -> sop_out.Sheet:
    """The document of one version for a unit: the same bytes may have been ratified twice, under two numbers."""
    own = next((one.facts for one in organisation.units_that_may_start(db, version.key) if one.unit == unit), {})
    sheet = sop_out.of_unit(db, office().rules.definition(version.sha256), unit)
    return replace(sheet, version=version.version, facts=definitions.unit_facts(version, unit, own))


# Compare


@publishing.get("/sop/<key>/banding")
def compare(key: str) -> Any:
    """Two versions, or a version and a draft: the changes in words, and two diagrams with marks."""
    with office().database.read() as db:
        newest = known_sop(db, key)
        versions = definitions.versions(db, key)
        own = [one for one in drafts.listed(db) if one.key == key]
        before = newest.version - 1 if newest.version > 1 else newest.version
        names = [request.args.get("dari") or f"v{before}", request.args.get("ke") or f"v{newest.version}"]
        old, new = (source(db, key, name) for name in names)
    choices = [(f"v{one.version}", _("Versi %(n)s", n=one.version)) for one in reversed(versions)]
    choices += [(one.id, _("Rancangan, disimpan %(at)s", at=saved_words(one))) for one in own]
    for one in (old, new):
        if one.name not in dict(choices):
            choices.append((one.name, one.label))
    try:
        found = comparing.compared(old.data, new.data)
    except DiagramError as error:
        return render_template(
            "perancang/compare.html",
            key=key,
            newest=newest,
            old=old,
            new=new,
            choices=choices,
            found=None,
            unreadable=[one.message for one in error.findings],
            powers=(),
        )
    return render_template(
        "perancang/compare.html",
        key=key,
        newest=newest,
        old=old,
        new=new,
        choices=choices,
        found=found,
        unreadable=(),
    )


def saved_words(draft: Draft) -> str:
    return words.near(moment_of(draft.saved_at), office().now(), me().zone)


def moment_of(text: str | datetime) -> datetime:
    return records.moment(text) if isinstance(text, str) else text


# Periksa


@publishing.get("/rancangan/<id>/periksa")
def check(id: str) -> Any:
    """What is to be said of a draft before anybody is touched, and the form that puts it forward."""
    return check_page(id)


def draft_of(db: Connection, id: str) -> tuple[Draft, bytes]:
    found = drafts.get(db, id)
    data = drafts.content(db, id) if found else None
    if found is None or data is None:
        abort(404)
    return found, data


def check_page(id: str, problem: Refused | None = None, status: int = 200) -> Any:
    now = office().now()
    with office().database.read() as db:
        draft, data = draft_of(db, id)
        newest = definitions.newest(db, draft.key)
        old = definitions.export(db, draft.key, newest.version) if newest else None
        about = rehearsing.given(db, data, draft.unit)
    found = rehearsing.checked(data, old, about, now)
    with office().database.read() as db:
        names = Names(db)
        proposal = next((one for one in ratification.proposals(db, key=draft.key, states=WAITING)), None)
        sent_back = [one for one in ratification.proposals(db, key=draft.key, states=("returned",)) if one.draft == id]
        returned = max(sent_back, key=lambda one: one.proposed_at, default=None)
        people = organisation.names(db, [draft.saved_by, draft.created_by])
        page = {
            "draft": draft,
            "newest": newest,
            "found": found,
            "fates": rehearsing.fates(db, found.definition) if newest and found.definition and not found.errors else (),
            "proposal": proposal,
            "returned": returned if draft.state == "open" else None,
            "returned_by": names(returned.decided_by) if returned and returned.decided_by else "",
            "next_words": next_words(db, proposal, names) if proposal else "",
            "may_change": may_edit(db, draft),
            "people": people,
            "problem": problem,
            "problems": at_place(problem, "alasan"),
            "typed": request.form,
            "today": today(),
        }
    return render_template("perancang/check.html", **page), status


@publishing.post("/rancangan/<id>/usulan")
def propose(id: str) -> Any:
    """Ajukan: put the draft's bytes forward for pengesahan."""
    form = request.form
    try:
        holds_from = typed_day("berlaku")
        with office().database.begin() as db:
            made = ratification.propose(
                db,
                office().database.key,
                id,
                person=me().id,
                reason=form.get("alasan", "").strip(),
                holds_from=holds_from,
                at=moment(db),
                command_id=the_key(),
                compared_with=form.get("dibandingkan") or None,
            )
    except Refused as refused:
        return check_page(id, refused, 422)
    except DiagramError as error:
        said = next((one.message for one in error.findings if one.severity == "error"), "")
        return check_page(id, Refused("wrong", said), 422)
    tell(
        _("Rancangan diajukan. Berikutnya: persetujuan pemilik SOP lain.")
        if made.cosmetic
        else _("Rancangan diajukan. Berikutnya: verifikasi oleh Bagian Organisasi, lalu pengesahan oleh kepala unit.")
    )
    return redirect(url_for("publishing.proposal", id=made.id), 303)


# A proposal


@dataclass(frozen=True, kw_only=True)
class Way:
    """What one kind of person may do with a proposal now, or why this one may not."""

    name: str  # verify | ratify | approve
    may: bool
    why: str


@publishing.get("/usulan/<id>")
def proposal(id: str) -> Any:
    """A proposal: what it changes, and who may do what with it next."""
    return proposal_page(id)


def known_proposal(db: Connection, id: str) -> ratification.Proposal:
    return ratification.proposal(db, id) or abort(404)


def ways(db: Connection, one: ratification.Proposal) -> list[Way]:
    """What the visitor may do next, and why not where they are of the kind that could."""
    if one.state == "proposed" and one.cosmetic:
        may, why = ratification.may_approve_layout(db, me().id, one)
        return [Way(name="approve", may=may, why=why)]
    if one.state == "proposed":
        may, why = ratification.may_verify(db, me().id, one)
        return [Way(name="verify", may=may, why=why)]
    if one.state == "verified":
        may, why = ratification.may_ratify(db, me().id, one, today())
        return [Way(name="ratify", may=may, why=why)]
    return []


def proposal_page(id: str, problem: Refused | None = None, place: str = "alasan", status: int = 200) -> Any:
    with office().database.read() as db:
        one = known_proposal(db, id)
        data = ratification.content(db, one.id)
        before = definitions.export(db, one.key, one.version_before) if one.version_before else None
        definition = diagram.reread(data)
        about = rehearsing.given(db, data, one.unit) if one.state in WAITING else None
    # As Periksa says it. What is decided is not tried again: the calendars and stories of today are no longer its own.
    found = rehearsing.checked(data, before, about, office().now()) if about else None
    with office().database.read() as db:
        names = Names(db)
        powers = changes.powers(diagram.reread(before), definition) if before else ()
        page = {
            "one": one,
            "names": names.known,
            "unit_name": names(one.unit) if one.unit else "",
            "proposer": names(one.proposed_by),
            "verifier": names(one.verified_by) if one.verified_by else "",
            "decider": names(one.decided_by) if one.decided_by else "",
            "changed": comparing.listed(one.changes, diagram.reread(before) if before else None, definition),
            "powers": [changes.power_words(power) for power in powers],
            "found": found,
            "remarks": found.remarks if found else rehearsing.remarks(diagram.check(data), definition),
            "next_words": next_words(db, one, names),
            "ways": ways(db, one),
            "may_recall": one.state in WAITING and one.proposed_by == me().id,
            "may_return": ratification.may_send_back(db, me().id, one, today())[0],
            "made": one.version,
            "can_print": prints(definition),
            "problem": problem,
            "problems": at_place(problem, place),
            "typed": request.form,
            "today": today(),
        }
    return render_template("perancang/proposal.html", **page), status


def prints(definition: ProcessDefinition) -> bool:
    """Whether an SOP's table can say it."""
    try:
        sop_out.of_file(definition)
    except TableError:
        return False
    return True


def decide(id: str, act: Callable[[Connection, Mapping[str, Any]], Any], said: str, place: str = "alasan") -> Any:
    """Ask one thing of a proposal, and go back to its page."""
    try:
        with office().database.begin() as db:
            known_proposal(db, id)
            act(db, {"person": me().id, "at": moment(db), "command_id": the_key()})
    except Refused as refused:
        return proposal_page(id, refused, place, 409 if refused.code in ("conflict", "not_open") else 422)
    tell(said)
    return redirect(url_for("publishing.proposal", id=id), 303)


@publishing.post("/usulan/<id>/verifikasi")
def verify(id: str) -> Any:
    note, key = request.form.get("catatan", "").strip(), office().database.key
    return decide(
        id,
        lambda db, by: ratification.verify(db, key, id, note=note, **by),
        _("Usulan diverifikasi. Berikutnya: pengesahan oleh kepala unit."),
        "catatan",
    )


@publishing.post("/usulan/<id>/pengembalian")
def send_back(id: str) -> Any:
    reason, key = request.form.get("alasan", "").strip(), office().database.key
    return decide(
        id,
        lambda db, by: ratification.send_back(db, key, id, reason=reason, **by),
        _("Usulan dikembalikan. Rancangannya dapat diperbaiki lagi oleh pemilik SOP."),
    )


@publishing.post("/usulan/<id>/penarikan")
def recall(id: str) -> Any:
    key = office().database.key
    return decide(
        id,
        lambda db, by: ratification.recall(db, key, id, **by),
        _("Usulan ditarik kembali. Rancangannya dapat diubah lagi."),
    )


@publishing.post("/usulan/<id>/persetujuan")
def approve(id: str) -> Any:
    key = office().database.key
    return decide(
        id,
        lambda db, by: ratification.approve_layout(db, key, id, **by),
        _("Perubahan gambar disetujui dan berlaku. Isi SOP tidak berubah."),
    )


SCAN = Field(id="pengesahan", label="", type="document")
SHEET = f"berkas.{SCAN.id}"


@publishing.post("/usulan/<id>/pengesahan")
def ratify(id: str) -> Any:
    """Pengesahan: number, dates, and the signed sheet."""
    form, key = request.form, office().database.key
    try:
        dated = typed_day("tanggal")
        holds_from = typed_day("berlaku")
        scan = scanned()
    except Refused as refused:
        return proposal_page(id, refused, "berkas.pengesahan", 422)
    number = form.get("nomor", "").strip()
    return decide(
        id,
        lambda db, by: ratification.ratify(
            db, key, id, number=number, dated=dated, holds_from=holds_from, scan=scan, **by
        ),
        _("SOP disahkan. Berkas proses baru memakainya mulai %(day)s.", day=iso_day(holds_from)),
        "nomor",
    )


def scanned() -> Attachment | None:
    """The signed sheet that the form brings: a PDF, or photographs that become one. Raises Refused."""
    for file in inbox.files_of(SCAN.id):
        if documents.expected(documents.clean_name(file.filename or "")) not in SCANNED:
            raise Refused("wrong", _("Lampirkan lembar pengesahan sebagai PDF atau foto (JPG atau PNG)."))
    return inbox.brought(SCAN)


@publishing.post("/sop/<key>/versi/<int:number>/pengesahan")
def attach_sheet(key: str, number: int) -> Any:
    """The signed sheet, where it came after the pengesahan: the official document is printed once it is in force."""
    try:
        scan = scanned()
        if scan is None:
            raise Refused("wrong", _("Pilih berkas lembar pengesahan, PDF atau foto."))
        with office().database.begin() as db:
            known_sop(db, key)
            ratification.attach_sheet(db, office().database.key, key, number, person=me().id, scan=scan,
                                      at=moment(db), command_id=the_key())
    except Refused as refused:
        return sop_page(key, refused, SHEET, 422)
    tell(_("Lembar pengesahan versi %(n)s tersimpan.", n=number))
    return redirect(url_for("publishing.sop", key=key) + f"#v{number}")


@publishing.get("/sop/<key>/versi/<int:number>/pengesahan")
def scan_of(key: str, number: int) -> Response:
    """The signed sheet of a version."""
    with office().database.read() as db:
        version = version_of(db, key, str(number))
    if version.scan is None or not version.scan.files:
        abort(404)
    one = version.scan.files[0]
    with office().database.read() as db:
        file = opened(db, one.sha256)
    return served_file(file, one.media_type, words.str_of(one.name), one.sha256)
