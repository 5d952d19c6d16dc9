"""The canvas of the Perancang: the page on which a draft is drawn, and what its script asks for as JSON.

A save names the revision it began from, so two people on one draft are told and nobody overwrites anybody. What the
canvas shows as findings is what the gate of `alur deploy` says. Nothing here is a fact: no journal row is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson
from flask import Blueprint, Response, abort, current_app, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import generate_csrf
from sqlalchemy import Connection

from engine import diagram, drafting, expressions, gate, soundness
from engine.definition import DiagramError, Element, Field, Finding, ProcessDefinition
from engine.instance import Refused
from engine.store import definitions, drafts, records
from engine.store.definitions import Version
from engine.store.drafts import PROPOSED, Draft

from . import fields, words
from .processes import Names
from .session import me, office, tell

modeler = Blueprint("modeler", __name__, url_prefix="/perancang")

XML = "application/xml"
# The same diagram with each character written as JSON may do it.
MOST_JSON_BYTES = 6 * gate.MOST_BYTES
MOST_NAMES = 2_000  # of fields that the browser may name beside an expression
MOST_FIELDS = 300  # of a form that is previewed
TABS = (
    ("tabel", "sop_editor.table", _l("Tabel SOP")),
    ("kanvas", "modeler.canvas", _l("Kanvas")),
    ("periksa", "publishing.check", _l("Periksa")),
    ("simpanan", "modeler.revisions", _l("Simpanan")),
)
DRAWN = words.Mark("◇", _l("Rancangan"), "open")
PUT_FORWARD = words.Mark("▷", _l("Diusulkan, hanya dapat dilihat"), "working")


@modeler.before_request
def only_designers() -> None:
    """For anybody else these pages do not exist."""
    if g.get("visitor") is None or not me().designs:
        abort(404)


# The head that all pages of a draft share: templates/perancang/_draft.html


@modeler.app_template_global()
def draft_tabs(draft: Draft) -> list[tuple[str, Any, str]]:
    """(name, label, address) of the pages of a draft."""
    here = current_app.view_functions
    return [(name, label, url_for(endpoint, id=draft.id)) for name, endpoint, label in TABS if endpoint in here]


@modeler.app_template_global()
def draft_home() -> str | None:
    return url_for("publishing.home") if "publishing.home" in current_app.view_functions else None


@modeler.app_template_global()
def draft_mark(draft: Draft) -> words.Mark:
    return PUT_FORWARD if draft.state == PROPOSED else DRAWN


@modeler.app_template_global()
def draft_against(draft: Draft, version: Version | None) -> str:
    """How a draft stands to the newest version of its process."""
    if version is None:
        return _("belum pernah diberlakukan")
    if version.sha256 == draft.sha256:
        return _("sama dengan versi %(n)s", n=version.version)
    if version.sha256 == draft.base:
        return _("berbeda dari versi %(n)s", n=version.version)
    return _("dimulai dari versi lain; yang terbaru versi %(n)s", n=version.version)


@modeler.app_template_global()
def draft_saved_at(draft: Draft) -> datetime:
    return records.moment(draft.saved_at)


# The page


@modeler.get("/rancangan/<id>/kanvas")
def canvas(id: str) -> Any:
    """The canvas; ?pilih=ELEMENT begins at an element, ?simpanan=N shows an older revision, which cannot be changed."""
    older = request.args.get("simpanan", type=numbered)
    with office().database.read() as db:
        draft = found(db, id)
        if older is not None and not any(one.revision == older for one in drafts.revisions(db, id)):
            abort(404)
        why = why_not(db, draft, older)
        names = Names(db)
        page = render_template(
            "perancang/canvas.html",
            draft=draft,
            version=definitions.newest(db, draft.key),
            people={draft.saved_by: names(draft.saved_by)},
            why=why,
            page={
                "id": draft.id,
                "name": draft.name or draft.key,
                "revision": draft.revision,
                "person": me().id,
                "csrf": generate_csrf(),
                "readonly": bool(why),
                "proposed": draft.state == PROPOSED,
                "select": request.args.get("pilih", "")[:100],
                "urls": {
                    "isi": url_for(".content", id=id, simpanan=older),
                    "temuan": url_for(".findings", id=id),
                    "hadir": url_for(".presence", id=id),
                    "pratinjau": url_for(".preview", id=id),
                    "ungkapan": url_for(".expression"),
                    "unduh": url_for(".download", id=id, simpanan=older),
                    "kanvas": url_for(".canvas", id=id),
                    "masuk": url_for("door.sign_in", lanjut=url_for(".canvas", id=id)),
                },
            },
        )
    return page


def numbered(text: str) -> int:
    """The number of a revision, as an address or a form says it. Raises ValueError: none, or more than any has."""
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError(text)
    return int(text)


def found(db: Connection, id: str) -> Draft:
    draft = drafts.get(db, id) if id.isascii() and id.isprintable() else None  # PostgreSQL takes no NUL to look for
    if draft is None:
        abort(404)
    return draft


def why_not(db: Connection, draft: Draft, older: int | None = None) -> str:
    """Why this visitor may only look; "" where they may draw."""
    if older is not None:
        return _("Simpanan ke-%(n)s. Hanya dapat dilihat; pulihkan lewat halaman Simpanan.", n=older)
    if draft.state == PROPOSED:
        return _("Rancangan ini sedang diusulkan untuk pengesahan. Hanya dapat dilihat.")
    if not drafting.may_edit(db, me().id, draft):
        return _("Hanya pemilik SOP unit ini yang dapat mengubahnya. Anda dapat melihat.")
    if draft.unfinished:
        return _(
            "Tabel SOP rancangan ini memuat isian yang belum dapat digambar; gambar ini tabel terakhir yang utuh. "
            "Lengkapi atau buang isian itu di Tabel SOP, lalu gambar lagi di sini."
        )
    return ""


# Its bytes


@modeler.get("/rancangan/<id>/isi")
def content(id: str) -> Any:
    """The stored bytes; the ETag is their revision."""
    return stored(id)


@modeler.get("/rancangan/<id>/unduh")
def download(id: str) -> Any:
    """The stored bytes as a file, the same to the byte."""
    return stored(id)


def stored(id: str) -> Response:
    revision = request.args.get("simpanan", type=numbered)
    with office().database.read() as db:
        draft = found(db, id)
        data = drafts.content(db, id, revision)
    if data is None:
        abort(404)
    answer = Response(data, mimetype=XML)
    answer.set_etag(str(revision or draft.revision))
    # Never a page of its own: XML can hold what a browser would draw.
    name = re.sub(r"\W+", "_", draft.key or draft.name, flags=re.ASCII).strip("_") or "rancangan"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.bpmn"'
    return answer


@modeler.put("/rancangan/<id>/isi")
def save(id: str) -> Any:
    """Store the sent XML as the next revision.

    If-Match: the revision that was read. 200 {revision, saved_at, saved_by, findings}; 409 {revision, saved_by,
    saved_at, message} where somebody saved meanwhile; 422 {findings, message} of what is no XML; 403 and 428 {message}.
    """
    data = posted_xml()
    match = re.fullmatch(r'\s*"?(\d{1,9})"?\s*', request.headers.get("If-Match", ""))
    if match is None:
        return refused(_("Permintaan ini tidak menyebut simpanan yang diubahnya."), 428)
    with office().database.begin() as db:
        found(db, id)
        try:
            draft = drafting.save(db, id, data, revision=int(match[1]), person=me().id, at=office().now())
        except Refused as problem:
            now = drafts.get(db, id)
            status = {"conflict": 409, "unknown": 404}.get(problem.code, 403)
            return refused(str(problem), status, **(as_saved(db, now) if now else {}))
        except DiagramError as problem:
            return no_diagram(problem)
        return {**as_saved(db, draft), "findings": as_json(diagram.check(data))}


@modeler.post("/rancangan/<id>/isi")
def keep_as_new(id: str) -> Any:
    """Store the sent XML as a draft of its own, beside the one that somebody else saved: 201 {id, address}."""
    data = posted_xml()
    try:
        with office().database.begin() as db:  # both or neither
            found(db, id)
            copied = drafting.copy(db, id, person=me().id, at=office().now())
            at = office().now()
            draft = drafting.save(db, copied.id, data, revision=copied.revision, person=me().id, at=at, sheet="")
    except Refused as problem:
        return refused(str(problem), 403)
    except DiagramError as problem:
        return no_diagram(problem)
    return {"id": draft.id, "address": url_for(".canvas", id=draft.id)}, 201


def posted_xml() -> bytes:
    """The body, never more of it than a diagram may have."""
    bounded(gate.MOST_BYTES)
    return request.get_data(cache=False)


def bounded(most: int) -> None:
    """413 of a longer body, before any of it is read."""
    if (request.content_length or 0) > most:
        abort(413)


def as_saved(db: Connection, draft: Draft) -> dict[str, Any]:
    """Which revision is stored, by whom and since when: `saved_at` as it is read on the wall, `at` as it is written."""
    at = records.moment(draft.saved_at)
    return {
        "revision": draft.revision,
        "saved_at": words.near(at, office().now(), me().zone),
        "clock": words.clock(words.local(at, me().zone)),
        "at": draft.saved_at,
        "saved_by": Names(db)(draft.saved_by),
        "mine": draft.saved_by == me().id,
        "against": draft_against(draft, definitions.newest(db, draft.key)),
    }


def as_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [
        {"severity": one.severity, "element": one.element, "line": one.line, "message": one.message} for one in findings
    ]


def refused(message: str, status: int, **more: Any) -> tuple[dict[str, Any], int]:
    return {"message": message, **more}, status


def no_diagram(problem: DiagramError) -> tuple[dict[str, Any], int]:
    return refused(_("Isi ini bukan diagram yang dapat dibuka."), 422, findings=as_json(problem.findings))


# What is said of it


@modeler.post("/rancangan/<id>/temuan")
def findings(id: str) -> Any:
    """What deployment would say of the sent XML: {findings: [{severity, element, line, message}]}. Stores nothing."""
    data = posted_xml()
    with office().database.read() as db:
        found(db, id)
    return {"findings": as_json(diagram.check(data))}


@modeler.get("/rancangan/<id>/hadir")
def presence(id: str) -> Any:
    """Says that this visitor has the draft open, and tells who else has, and what is stored now.

    {person, csrf, others: [{name, since}], revision, saved_at, saved_by, at, mine, proposed}. The script asks every
    few seconds; `csrf` is the key of this session, which is another one after signing in again.
    """
    now = office().now()
    with office().database.begin() as db:
        draft = found(db, id)
        drafts.seen(db, id, me().id, now)
        names = Names(db)
        others = [
            {"name": names(person), "since": words.near(records.moment(since), now, me().zone)}
            for person, since in drafts.present(db, id, now)
            if person != me().id
        ]
        stands = as_saved(db, draft)
    return {
        "person": me().id,
        "csrf": generate_csrf(),
        "others": others,
        "proposed": draft.state == PROPOSED,
        **stands,
    }


@modeler.post("/ungkapan")
def expression() -> Any:
    """Whether a FEEL expression can be read and names what the draft has: {ok, message}, with the place in it.

    JSON {expression, element, id}: id of the draft, element where it stands (the condition of a flow must be true or
    false). `names` (may be absent) are fields that the browser has and the stored draft has not yet.
    """
    asked = posted_json()
    source, element = asked.get("expression"), asked.get("element")
    if not isinstance(source, str) or not isinstance(asked.get("id"), str):
        return refused(_("Permintaan tidak dapat dibaca."), 400)
    fresh = asked.get("names")
    names = [one for one in fresh[:MOST_NAMES] if isinstance(one, str)] if isinstance(fresh, list) else []
    with office().database.read() as db:
        draft = found(db, asked["id"])
        data = drafts.content(db, draft.id) or b""
    message = said_of(source, definition_of(data), str(element or ""), frozenset(names))
    return {"ok": not message, "message": message}


def said_of(source: str, definition: ProcessDefinition | None, element: str, fresh: frozenset[str]) -> str:
    """What is wrong with an expression, "" where nothing is."""
    text = source.strip().removeprefix("=").strip()
    if not text:
        return _("Ungkapan masih kosong.")
    if len(text) > expressions.SOURCE_CHARACTERS_MAX:
        most = expressions.SOURCE_CHARACTERS_MAX
        return _("Ungkapan terlalu panjang: paling banyak %(most)s huruf.", most=most)
    try:
        parsed = expressions.parse(text)
    except expressions.ExpressionError as problem:
        if problem.feature:  # FEEL, but not ours
            left_out = problem.feature
            return _("“%(what)s” tidak termasuk FEEL yang dipakai di sini. Tulis dengan cara lain.", what=left_out)
        return unreadable(text, problem.position)
    if definition is None:
        return ""
    wrong = soundness.of_expression(definition, parsed, fresh)
    if wrong:
        return " ".join(wrong)
    if element in definition.flows:
        kind = kind_of(parsed, definition, fresh)
        if kind:
            return _("Syarat panah harus benar atau salah, sedangkan ungkapan ini menghasilkan %(kind)s.", kind=kind)
    return ""


def unreadable(text: str, position: int | None) -> str:
    """Where an expression stops being one, and how it is written."""
    how = _('Contoh: jumlah >= 2, status = "sudah", a = 1 and b = 2.')
    if position is None or position >= len(text):
        return _("Ungkapan belum lengkap pada akhirnya.") + " " + how
    near = text[position : position + 20].split("\n")[0]
    return _("Ungkapan tidak dapat dibaca mulai huruf ke-%(n)s: “%(near)s”.", n=position + 1, near=near) + " " + how


def kind_of(parsed: expressions.Expression, definition: ProcessDefinition, fresh: frozenset[str]) -> str:
    """What an expression gives that is neither true nor false, tried on example values; "" where that is not so."""
    if fresh & (parsed.names | parsed.row_names):
        return ""  # of what type they are is not known yet
    names = {id: example(field) for id, field in definition.fields.items()}
    names |= {"putaran": 1, "tahun": 2026, "berkas": dict.fromkeys(definition.document_types, 1)}
    try:
        answer = expressions.to_json(expressions.evaluate(parsed, names, words.local(office().now(), me().zone)))
    except expressions.ExpressionError:
        return ""
    if isinstance(answer, bool):
        return ""
    kinds: Mapping[type, Any] = {str: _("teks atau tanggal"), list: _("daftar"), dict: _("kumpulan nilai")}
    return str(_("nilai kosong") if answer is None else kinds.get(type(answer), _("angka")))


def example(field: Field) -> Any:
    """A value that somebody may give."""
    if field.choices:
        return field.choices[0].value
    return {
        "long": 1,
        "decimal": "1.5",
        "boolean": True,
        "date": "2026-01-31",
        "time": "09:00",
        "table": [],
        "person": {"nama": "contoh"},
    }.get(field.type, "contoh")


@modeler.post("/rancangan/<id>/pratinjau")
def preview(id: str) -> Any:
    """A fragment of HTML: the task page of one element, as its performer will see it. JSON {xml, element}."""
    asked = posted_json()
    xml, id_of_element = asked.get("xml"), asked.get("element")
    if not isinstance(xml, str) or not isinstance(id_of_element, str):
        return refused(_("Permintaan tidak dapat dibaca."), 400)
    with office().database.read() as db:
        found(db, id)
    data = xml.encode()
    if len(data) > gate.MOST_BYTES:
        abort(413)
    definition = definition_of(data)
    element = definition.elements.get(id_of_element) if definition else None
    if definition is None or element is None:
        return refused(_("Elemen ini belum dapat ditampilkan. Perbaiki dahulu temuan pada diagram."), 422)
    if len(element.form) > MOST_FIELDS:
        return refused(_("Formulir ini terlalu panjang: paling banyak %(most)s isian.", most=MOST_FIELDS), 422)
    if element.kind not in ("userTask", "startEvent"):
        return refused(_("Hanya tugas dan awal proses yang mempunyai formulir."), 422)
    try:
        return fragment(definition, element)
    except (expressions.ExpressionError, ValueError, LookupError, TypeError):
        # A form half written: its expressions are judged while they are typed, and by the findings.
        return refused(_("Formulir ini belum dapat ditampilkan: ada isian atau ungkapan yang belum selesai."), 422)


def fragment(definition: ProcessDefinition, element: Element) -> str:
    """The form and the card of an element, as on its task page."""
    local = words.local(office().now(), me().zone)
    names = {
        **dict.fromkeys(definition.fields),
        "putaran": 1,
        "tahun": local.year,
        "berkas": dict.fromkeys(definition.document_types, 0),
    }
    asked = fields.questions(element, names, {}, local)
    slots = [one for one in element.form if one.type == "document"]
    lane = definition.lane(element.lane) if element.lane else None
    return render_template(
        "perancang/preview.html",
        element=element,
        lane=lane,
        decision=next((one for one in asked.values() if one.field.decision), None),
        groups=fields.groups(element, asked, slots),
        people=[],
    )


def definition_of(data: bytes) -> ProcessDefinition | None:
    """The process of a draft, findings or none; None where nothing can be read of it."""
    try:
        return diagram.reread(data)
    except (DiagramError, ValueError):
        return None


def posted_json() -> dict[str, Any]:
    """The object that was sent; {} of anything else: nested too deeply, or with half a character in a string."""
    bounded(MOST_JSON_BYTES)
    try:
        asked = orjson.loads(request.get_data(cache=False)) if request.is_json else None
    except orjson.JSONDecodeError:
        return {}
    return asked if isinstance(asked, dict) else {}


# What was saved before


@modeler.get("/rancangan/<id>/simpanan")
def revisions(id: str) -> Any:
    """Every revision that is kept: who, when; to look at, to download, to bring back."""
    with office().database.read() as db:
        draft = found(db, id)
        kept, names = drafts.revisions(db, id), Names(db)
        people = {one.saved_by: names(one.saved_by) for one in kept} | {draft.saved_by: names(draft.saved_by)}
        version = definitions.newest(db, draft.key)
        why = "" if draft.unfinished and drafting.may_edit(db, me().id, draft) else why_not(db, draft)
    return render_template(
        "perancang/revisions.html",
        draft=draft,
        version=version,
        people=people,
        kept=[(one, records.moment(one.saved_at)) for one in kept],
        why=why,
        most=drafts.MOST_REVISIONS,
    )


@modeler.post("/rancangan/<id>/simpanan")
def restore(id: str) -> Any:
    """Make an older revision the newest one."""
    of = request.form.get("simpanan", type=numbered)
    revision = request.form.get("dibaca", type=numbered)
    if of is None or revision is None:
        abort(400)
    try:
        with office().database.begin() as db:
            found(db, id)
            draft = drafting.restore(db, id, of, revision=revision, person=me().id, at=office().now())
    except Refused as problem:
        tell(str(problem), "warning")
    else:
        tell(_("Simpanan ke-%(of)s dipulihkan sebagai simpanan ke-%(n)s.", of=of, n=draft.revision))
    return redirect(url_for(".revisions", id=id), 303)
