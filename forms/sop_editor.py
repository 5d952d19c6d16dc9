"""The SOP as its owners know it: a table in which rows are steps and columns are who performs them.

`new` makes a draft out of what an office has (a pasted table, files, a diagram of another tool, nothing at all);
`table` edits a draft as a table. The page holds everything that was typed: its buttons change the page, "Simpan" draws
the diagram from it and keeps the draft. A table with a gap is kept too, as it was typed, beside the diagram that it
began from. What the table does not say (forms, texts, layout by hand) stays as it is.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Connection
from werkzeug.datastructures import FileStorage, MultiDict

from engine import bpmn_import, diagram, drafting, sop_import
from engine.definition import DiagramError, Element, Finding, ProcessDefinition
from engine.gate import MOST_BYTES
from engine.instance import Problem, Refused
from engine.sop_drawing import draw, under_key
from engine.sop_table import (
    DECISION,
    END,
    MOST_PERFORMERS,
    MOST_ROWS,
    PROPERTIES,
    STEP,
    SYMBOLS,
    Identity,
    Performer,
    Remark,
    SopRow,
    SopTable,
    TableError,
    as_text,
    in_words,
    named,
    norm_of,
    of_text,
    problems,
    settled,
    short_name,
    table_of,
)
from engine.store import definitions, drafts, organisation, records

from . import words
from .admin import moment
from .modeler import draft_against
from .session import me, office, tell

sop_editor = Blueprint("sop_editor", __name__, url_prefix="/perancang")

NEW = "*"  # before the place of a performer that no lane is drawn for yet
ENDS = "selesai"
LISTS = frozenset(name for name, value in vars(Identity()).items() if isinstance(value, tuple))
CARRIED_MOST = 1_500_000  # characters of diagrams that one page carries from what was read to the drafts
FILES_MOST = 20  # chosen at once; many more go into a ZIP


@sop_editor.before_request
def only_designers() -> None:
    """For anybody else these pages do not exist."""
    if not me().designs:
        abort(404)


# --- The table in the page -------------------------------------------------------------------------------------------


def sheet_of(posted: Mapping[str, str], before: SopTable) -> SopTable:
    """The table as it stands in the page, as it was typed: nothing is refused here.

    Rows are numbered by their places. A performer without an id yet is called by NEW and its place; a row that is said
    to be the last one of its way has the symbol END. `before` is what the draft says: the Mutu Baku Waktu that nobody
    touched keeps meaning what its timer says.
    """
    names = [posted.get(f"pelaksana.{n}.nama", "") for n in _places(posted, r"pelaksana\.(\d+)\.nama", MOST_PERFORMERS)]
    ids = [posted.get(f"pelaksana.{n}.id", "") for n in range(len(names))]
    performers = tuple(
        Performer(id=id if id and ids.count(id) == 1 else f"{NEW}{n}", name=name)
        for n, (id, name) in enumerate(zip(ids, names, strict=True))
    )
    said = {one.element: (one.waktu, one.norm) for one in before.rows}
    rows = tuple(
        _row(posted, n, performers, said) for n in range(len(_places(posted, r"baris\.(\d+)\.uraian", MOST_ROWS)))
    )
    texts = {name: posted.get(f"identitas.{name}", "") for name in PROPERTIES}
    identity: dict[str, Any] = {
        name: tuple(text.replace("\r", "").split("\n")) if name in LISTS else text for name, text in texts.items()
    }
    return SopTable(
        key=before.key,
        name=posted.get("nama", ""),
        performers=performers,
        rows=rows,
        identity=Identity(**identity),
    )


def _places(posted: Mapping[str, str], pattern: str, most: int) -> list[int]:
    """0, 1, 2, ... as far as the page goes on without a gap, a little beyond what a table may hold."""
    there = {int(one[1]) for name in posted if (one := re.fullmatch(pattern, name)) and len(one[1]) < 4}
    places: list[int] = []
    while len(places) in there and len(places) < most + 20:
        places.append(len(places))
    return places


def _row(posted: Mapping[str, str], n: int, performers: Sequence[Performer], said: Mapping[str, Any]) -> SopRow:
    def typed(name: str) -> str:
        return posted.get(f"baris.{n}.{name}", "").replace("\r\n", "\n").lstrip("\n")

    place, _dot, symbol = typed("simbol").partition(".")
    performer = performers[int(place)].id if place.isdecimal() and int(place) < len(performers) else ""
    onward, back = typed("lanjut"), typed("tidak")
    decides = symbol == DECISION
    waktu, element = typed("waktu"), typed("elemen")
    kept = said.get(element)
    return SopRow(
        number=n + 1,
        uraian=typed("uraian"),
        name=typed("nama"),
        performer=performer,
        symbol=DECISION if decides else END if onward == ENDS else STEP,
        then=int(onward) if onward.isdecimal() else None,
        back_to=int(back) if back.isdecimal() else None,
        kelengkapan=typed("kelengkapan"),
        waktu=waktu,
        norm=kept[1] if kept and kept[0] == waktu.strip() else norm_of(waktu)[0],
        output=typed("output"),
        keterangan=typed("keterangan"),
        assumption=typed("asumsi") == "ya",
        element=element,
    )


def acted(sheet: SopTable, act: str) -> tuple[SopTable, str]:
    """(the page's table after a button was pressed, the id of the control that is meant next)."""
    what, _colon, place = act.partition(":")
    n = int(place) if place.isdecimal() and len(place) < 4 else -1
    rows, performers = list(sheet.rows), list(sheet.performers)
    if what.startswith("baris."):
        new = SopRow(number=len(rows) + 1, uraian="", name="", performer="")
        at = min(n, len(rows) - 1)
        if what == "baris.tambah":
            rows, focus = [*rows, new], f"baris-{len(rows)}-uraian"
        elif at < 0:
            return sheet, ""
        elif what == "baris.sisip":
            rows, focus = [*rows[: at + 1], new, *rows[at + 1 :]], f"baris-{at + 1}-uraian"
        elif what == "baris.hapus":
            rows, focus = [*rows[:at], *rows[at + 1 :]], f"baris-{max(at - 1, 0)}-uraian"
        else:
            other = _swapped(rows, at, -1 if what == "baris.naik" else 1)
            focus = f"baris-{other}-{'naik' if what == 'baris.naik' else 'turun'}"
        return replace(sheet, rows=renumbered(rows)), focus
    at = min(n, len(performers) - 1)
    if what == "pelaksana.tambah":
        performers.append(Performer(id=f"{NEW}{len(performers)}", name=""))
        focus = f"pelaksana-{len(performers) - 1}-nama"
    elif at < 0 or not what.startswith("pelaksana."):
        return sheet, ""
    elif what == "pelaksana.hapus":
        gone = performers.pop(at).id
        rows = [replace(one, performer="") if one.performer == gone else one for one in rows]
        focus = f"pelaksana-{max(at - 1, 0)}-nama"
    else:
        other = _swapped(performers, at, -1 if what == "pelaksana.kiri" else 1)
        focus = f"pelaksana-{other}-{'kiri' if what == 'pelaksana.kiri' else 'kanan'}"
    return replace(sheet, performers=tuple(performers), rows=tuple(rows)), focus


def _swapped(items: list[Any], at: int, by: int) -> int:
    """Moves an item by one place, where there is one; its place after that."""
    other = at + by
    if not 0 <= other < len(items):
        return at
    items[at], items[other] = items[other], items[at]
    return other


def renumbered(rows: Iterable[SopRow]) -> tuple[SopRow, ...]:
    """Rows numbered by their places; a way to a row that went leads nowhere, and is asked for again."""
    rows = tuple(rows)
    numbers = {one.number: n for n, one in enumerate(rows, 1)}
    return tuple(
        replace(one, number=n, then=numbers.get(one.then or 0), back_to=numbers.get(one.back_to or 0))
        for n, one in enumerate(rows, 1)
    )


def holding(sheet: SopTable) -> tuple[SopTable, tuple[Remark, ...]]:
    """(the table that the page means, why it cannot be drawn): new performers have ids, steps their short names."""
    ids = {one.id for one in sheet.performers if not one.id.startswith(NEW)} | {sheet.key}
    called: dict[str, str] = {}
    for n, one in enumerate(sheet.performers, 1):
        wanted = named(one.name) or f"pelaksana_{n}"
        free = (wanted, *(f"{wanted}_{m}" for m in range(2, len(sheet.performers) + 3)))
        called[one.id] = next(id for id in free if id not in ids) if one.id.startswith(NEW) else one.id
        ids.add(called[one.id])
    rows = tuple(
        replace(one, performer=called.get(one.performer, ""), name=one.name.strip() or _short(one.uraian))
        for one in sheet.rows
    )
    performers = tuple(replace(one, id=called[one.id]) for one in sheet.performers)
    table = settled(replace(sheet, performers=performers, rows=rows))
    wrong: list[Remark] = []
    for typed, row in zip(sheet.rows, table.rows, strict=True):
        if typed.symbol == END and row.symbol != END and row.number < len(table.rows):
            message = _("Prosedur berakhir di sini, padahal tidak ada langkah lain yang menuju langkah berikutnya.")
            wrong.append(Remark(row=row.number, column="Sesudah ini", message=message))
    wrong += problems(table)
    return table, tuple(sorted(wrong, key=lambda one: one.row or 0))


def _short(uraian: str) -> str:
    return short_name(uraian) if uraian.strip() else ""


# --- The page of a draft's table -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A draft as one request sees it."""

    draft: drafts.Draft
    data: bytes  # of the revision that the page was drawn from
    definition: ProcessDefinition
    table: SopTable  # what the bytes say
    typed: SopTable | None  # what was typed over them and cannot be drawn yet
    works: bool  # whether this visitor may change it


def opened(db: Connection, id: str, revision: int | None = None) -> Opened | tuple[str, ...]:
    """The draft with its table, or why no table can say it. 404 where there is no such draft.

    revision  the one that a page was drawn from; where it is no longer kept, the newest.
    """
    draft = drafts.get(db, id) or abort(404)
    works = draft.state == "open" and drafting.may_edit(db, me().id, draft)
    data = drafts.content(db, id, revision)
    if data is None:
        data, revision = drafts.content(db, id), None
    assert data is not None, "a draft has its newest bytes"
    text = drafts.sheet(db, id, draft.revision if revision is None else revision)
    try:
        definition = diagram.reread(data)
        said, typed = table_of(definition), of_text(text) if text else None
        return Opened(draft=draft, data=data, definition=definition, table=said, typed=typed, works=works)
    except TableError as error:
        return tuple(map(str, error.remarks))
    except DiagramError as error:
        return tuple(map(str, error.findings))


@sop_editor.get("/rancangan/<id>")
def open(id: str) -> Any:
    """The draft where its owners know it best: as a table where a table can say it, else on the canvas."""
    with office().database.read() as db:
        found = opened(db, id)
    return redirect(url_for("modeler.canvas" if isinstance(found, tuple) else "sop_editor.table", id=id))


@sop_editor.get("/rancangan/<id>/tabel")
def table(id: str) -> Any:
    """The draft as a table."""
    with office().database.begin() as db:
        found = opened(db, id)
        drafts.seen(db, id, me().id, moment(db))
    if isinstance(found, tuple):
        return page(id, told=found)
    if found.typed is None:
        return page(id, found, found.table, unsaved=False)
    return page(id, found, found.typed, unsaved=False, wrong=undrawable(found.typed, found.data))


@sop_editor.post("/rancangan/<id>/tabel")
def change(id: str) -> Any:
    """One button of the page: keep the draft, or change what stands in the page."""
    posted, act = request.form, request.form.get("aksi", "simpan")
    revision = posted.get("revisi", "")
    of = int(revision) if re.fullmatch(r"[0-9]{1,9}", revision) else None
    with office().database.read() as db:
        found = opened(db, id, of)
        if isinstance(found, tuple):
            return page(id, told=found, status=409)
        if not drafting.may_edit(db, me().id, found.draft):
            abort(403)
    sheet = sheet_of(posted, found.table)
    if act not in ("simpan", "salin", "kanvas", "periksa", "buang"):
        sheet, focus = acted(sheet, act)
        return page(id, found, sheet, revision=revision, focus=focus)
    data, wrong = (found.data, ()) if act == "buang" else drawn(sheet, found.data)
    text = as_text(sheet) if wrong else ""
    try:
        with office().database.begin() as db:
            at = moment(db)
            if act == "salin":
                into = drafting.copy(db, id, person=me().id, at=at)
                kept = drafting.save(db, into.id, data, revision=into.revision, person=me().id, at=at, sheet=text)
            else:
                last = -1 if of is None else of
                kept = drafting.save(db, id, data, revision=last, person=me().id, at=at, sheet=text)
            saved = opened(db, kept.id)
            against = draft_against(kept, definitions.newest(db, kept.key))
    except Refused as problem:
        return overtaken(id, found, sheet, revision, problem)
    assert not isinstance(saved, tuple), "what a table drew, or began from, is a table"
    if wants_json():
        return state_of(saved, wrong) | {"against": against}
    if act == "salin":
        tell(_("Isian Anda disimpan sebagai rancangan baru. Rancangan semula tidak berubah."))
    elif act == "buang":
        tell(_("Isian yang belum dapat digambar dibuang. Yang terakhir ada di Simpanan."))
    elif not wrong:
        tell(_("Rancangan tersimpan."))
    onward = {"kanvas": "modeler.canvas", "periksa": "publishing.check"} if not wrong else {}
    return redirect(url_for(onward.get(act, "sop_editor.table"), id=kept.id), 303)


def drawn(sheet: SopTable, data: bytes) -> tuple[bytes, tuple[Remark, ...]]:
    """(the diagram that the page's table means, ()); (the bytes that it began from, why it cannot be drawn yet)."""
    meant, wrong = holding(sheet)
    if wrong:
        return data, wrong
    try:
        return draw(meant, data), ()
    except TableError as error:
        return data, error.remarks


def undrawable(sheet: SopTable, data: bytes) -> tuple[Remark, ...]:
    """Why a table that was kept as it was typed cannot be drawn yet."""
    return drawn(sheet, data)[1]


def wants_json() -> bool:
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def overtaken(id: str, found: Opened, sheet: SopTable, revision: str, problem: Refused) -> Any:
    """Somebody else saved meanwhile, or the draft is put forward: what was typed stays in the page."""
    if wants_json():
        return {"said": problem.message, "code": problem.code}, 409
    return page(id, found, sheet, revision=revision, overtaken=problem, status=409)


def state_of(saved: Opened, wrong: Sequence[Remark] = ()) -> dict[str, Any]:
    """What a page that goes on being typed in has to know after it was saved: whole, or as it was typed."""
    table = saved.typed or saved.table
    time = words.clock(words.local(records.moment(saved.draft.saved_at), me().zone))
    saying = ngettext(
        "Tersimpan %(time)s; %(num)d hal perlu diperbaiki sebelum dapat digambar",
        "Tersimpan %(time)s; %(num)d hal perlu diperbaiki sebelum dapat digambar",
        len(wrong),
        time=time,
    )
    return {
        "revision": saved.draft.revision,
        "head": _("disimpan %(time)s oleh %(who)s", time=time, who=me().person.name),
        "said": saying if wrong else _("Tersimpan %(time)s", time=time),
        "elements": [one.element for one in table.rows],
        "names": [] if wrong else [one.name for one in table.rows],
        "performers": ["" if one.id.startswith(NEW) else one.id for one in table.performers],
        "norms": norms(table),
        "problems": [{"place": place_of(one), "message": str(one)} for one in wrong],
    }


def place_of(one: Remark) -> str:
    """The id of the control that a remark is about."""
    if one.row is None:
        return "pelaksana-0-nama" if one.column == "Pelaksana" else "nama-sop"
    controls = {"Pelaksana": "simbol", "Sesudah ini": "lanjut"}
    return f"baris-{one.row - 1}-{controls.get(one.column, one.column.lower() or 'uraian')}"


def norms(sheet: SopTable) -> list[dict[str, str]]:
    """What is understood by each row's Waktu: {text, look}."""
    return [norm_told(one) for one in sheet.rows]


def norm_told(row: SopRow) -> dict[str, str]:
    read, guess = norm_of(row.waktu)
    if row.norm and row.norm != read:
        return {"text": _("timer pada kanvas: %(norm)s kerja", norm=in_words(row.norm)), "look": "warning"}
    if not row.norm:
        return {"text": guess or _("tanpa batas waktu"), "look": "warning" if guess else ""}
    text = guess or _("dibaca %(norm)s kerja", norm=in_words(row.norm))
    return {"text": text, "look": "warning" if guess else ""}


def page(
    id: str,
    found: Opened | None = None,
    sheet: SopTable | None = None,
    *,
    revision: str = "",
    unsaved: bool = True,
    focus: str = "",
    wrong: Sequence[Remark] = (),
    overtaken: Refused | None = None,
    told: Sequence[str] = (),
    status: int = 200,
) -> Any:
    """The page, with what is typed in it; `told` says why a diagram has no table."""
    with office().database.read() as db:
        draft = drafts.get(db, id) or abort(404)
        version = definitions.newest(db, draft.key)
        present = [person for person, _since in drafts.present(db, id, office().now()) if person != me().id]
        people = organisation.names(db, [draft.saved_by, draft.created_by, *present])
        may = drafting.may_edit(db, me().id, draft)
    shown = {
        "draft": draft,
        "version": version,
        "people": people,
        "present": [people[one] for one in present if one in people],
        "may": may,
    }
    if found is None or sheet is None:
        return render_template("perancang/table_none.html", told=told, **shown), status
    by_row: dict[int, list[Remark]] = {}
    for one in wrong:
        by_row.setdefault(one.row or 0, []).append(one)
    return (
        render_template(
            "perancang/table.html",
            sheet=sheet,
            rows=[_shown(sheet, one, found.definition, by_row.get(one.number, [])) for one in sheet.rows],
            identity=[(name, label, name in LISTS, _boxed(sheet.identity, name)) for name, label in boxes()],
            new=NEW,
            works=found.works,
            revision=revision or str(draft.revision),
            unsaved=unsaved,
            focus=focus,
            problems=[Problem(place_of(one), str(one)) for one in wrong],
            columns={one.column for one in wrong if one.row is None},
            overtaken=overtaken,
            room=(len(sheet.rows) < MOST_ROWS, len(sheet.performers) < MOST_PERFORMERS),
            **shown,
        ),
        status,
    )


def _boxed(identity: Identity, name: str) -> str:
    value = getattr(identity, name)
    return "\n".join(value) if isinstance(value, tuple) else value


def boxes() -> tuple[tuple[str, str], ...]:
    """The boxes of the identity part, as the document calls them."""
    return (
        ("pemerintah", _("Pemerintah daerah")),
        ("unit", _("Unit")),
        ("nomor_sop", _("Nomor SOP")),
        ("tanggal_pembuatan", _("Tanggal pembuatan")),
        ("tanggal_revisi", _("Tanggal revisi")),
        ("tanggal_pengesahan", _("Tanggal pengesahan")),
        ("tanggal_efektif", _("Tanggal efektif")),
        ("disahkan_oleh", _("Disahkan oleh")),
        ("nama_sop", _("Nama SOP pada dokumen")),
        ("judul_berkas", _("Sebutan satu berkas proses")),
        ("dasar_hukum", _("Dasar hukum")),
        ("kualifikasi_pelaksana", _("Kualifikasi pelaksana")),
        ("keterkaitan", _("Keterkaitan")),
        ("peralatan_perlengkapan", _("Peralatan/perlengkapan")),
        ("peringatan", _("Peringatan")),
        ("pencatatan_dan_pendataan", _("Pencatatan dan pendataan")),
    )


def _shown(sheet: SopTable, row: SopRow, definition: ProcessDefinition, wrong: Sequence[Remark]) -> dict[str, Any]:
    """A row as the template draws it."""
    last = row.number == len(sheet.rows)
    onward = str(row.then) if row.then is not None else ENDS if row.symbol == END and not last else ""
    element = definition.elements.get(row.element)
    return {
        "row": row,
        "n": row.number - 1,
        "place": next((n for n, one in enumerate(sheet.performers) if one.id == row.performer), None),
        "decides": row.symbol == DECISION,
        "onward": onward,
        "norm": norm_told(row),
        "wrong": wrong,
        "columns": {one.column for one in wrong},
        "asked": asked(element) if element else None,
    }


def asked(element: Element) -> dict[str, list[str]]:
    """What a step asks of its performer, in the words of its form: {questions, in, out}."""
    slots = [one for one in element.form if one.slot is not None]
    return {
        "questions": [one.label for one in element.form if one.slot is None],
        "in": [one.label for one in slots if one.slot and one.slot.role == "kelengkapan"],
        "read": [one.label for one in slots if one.slot and one.slot.role == "bacaan"],
        "out": [one.label for one in slots if one.slot and one.slot.role == "output"],
    }


# --- A new SOP -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Found:
    """What came of one file or text: a diagram to begin a draft with, or why there is none."""

    file: str
    data: bytes = b""
    name: str = ""
    table: SopTable | None = None  # None too of a diagram that no table can say
    guesses: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    payload: str = ""  # the diagram, as the page carries it to the next one
    key: str = ""  # of a diagram: the process it says it is
    changes: str = ""  # the name of the SOP that it may be a change of


@sop_editor.get("/baru")
def new() -> Any:
    """Where a new SOP begins: a pasted table, files, or nothing."""
    return new_page()


@sop_editor.post("/baru")
def read_or_begin() -> Any:
    """Show what was read; or begin the drafts that were chosen from what was shown."""
    with office().database.read() as db:
        mine = units_to_design(db)
    if not mine:
        abort(403)
    unit = request.form.get("unit", "")
    if unit not in dict(mine):
        unit = mine[0][0]
    act = request.form.get("aksi", "")
    if act == "mulai":
        return begun(unit, request.form)
    if act == "kosong":
        return blank(unit)
    if act == "teks":
        text = request.form.get("teks", "")
        results = [*from_office(text.encode(), _("Teks yang ditempel"))]
        return new_page(results, text=text, unit=unit, status=200 if results[0].data else 422)
    chosen = [one for one in request.files.getlist("berkas") if one.filename]
    if not chosen or len(chosen) > FILES_MOST:
        message = _("Pilih 1 sampai %(most)d berkas; yang lebih banyak masukkan ke dalam satu ZIP.", most=FILES_MOST)
        return new_page(problems=[Problem("berkas", message)], unit=unit, status=422)
    results = [result for one in chosen for result in from_file(one)]
    return new_page(results, unit=unit, status=200 if any(one.data for one in results) else 422)


def from_file(chosen: FileStorage) -> Iterator[Found]:
    """What one file holds; never more of it is read than may be."""
    name = (chosen.filename or "").replace("\\", "/").rsplit("/", 1)[-1][:200]
    data = chosen.stream.read(sop_import.MOST_BYTES + 1)
    if name.casefold().endswith((".bpmn", ".bpmn20.xml", ".xml")) or data.lstrip()[:5] in (b"<?xml", b"<bpmn"):
        yield from from_diagram(data, name)
    else:
        yield from from_office(data, name)


def from_diagram(data: bytes, file: str) -> Iterator[Found]:
    """A diagram of another tool: what it loses on the way is told."""
    read = bpmn_import.read(data, file)
    wrong = tuple(in_the_file(one) for one in read.findings if one.severity == "error")
    said = tuple(in_the_file(one) for one in read.findings if one.severity != "error")
    lost = tuple(one.message for one in read.lost)
    if not read.data:
        yield Found(file=file, lost=lost, problems=wrong or (_("Diagram ini tidak dapat dibuka."),))
        return
    table: SopTable | None = None
    key, name = diagram.titled(read.data)
    name = name or key or file
    try:
        definition = diagram.reread(read.data)
        table = table_of(definition)
    except TableError as error:
        said += tuple(str(one) for one in error.remarks)
    except DiagramError as error:
        said += tuple(in_the_file(one) for one in error.findings)
    yield Found(file=file, data=read.data, name=name, table=table, lost=lost, guesses=wrong + said, key=key)


def in_the_file(finding: Finding) -> str:
    """What was found, with the line of the file it stands on where there is one."""
    said = finding.message
    return _("Baris %(number)s: %(what)s", number=finding.line, what=said) if finding.line else said


def from_office(data: bytes, file: str) -> Iterator[Found]:
    """Tables of SOPs in a text, an Excel or Word file, or a ZIP of many."""
    for one in sop_import.read(data, file):
        if one.table is None:
            yield Found(file=one.file, problems=tuple(map(str, one.findings)))
            continue
        table = one.table
        guesses = tuple(map(str, one.guesses))
        try:
            drawn = draw(table)
        except TableError as error:
            yield Found(file=one.file, guesses=guesses, problems=tuple(map(str, error.remarks)))
            continue
        wrong = tuple(one.message for one in diagram.check(drawn) if one.severity == "error")
        if wrong:
            yield Found(file=one.file, guesses=guesses, problems=wrong)
        else:
            yield Found(file=one.file, data=drawn, name=table.name, table=table, guesses=guesses)


def blank(unit: str) -> Any:
    """A draft out of a name, who performs, and how many steps."""
    posted = request.form
    name, lines = posted.get("nama", "").strip(), posted.get("pelaksana", "").replace("\r", "").split("\n")
    who = list(dict.fromkeys(" ".join(one.split()) for one in lines if one.strip()))
    count = posted.get("langkah", "").strip()
    wrong = []
    if not named(name):
        wrong.append(Problem("nama", _("Tuliskan nama SOP.")))
    if not 0 < len(who) <= MOST_PERFORMERS:
        message = _("Tuliskan 1 sampai %(most)d pelaksana, satu jabatan sebaris.", most=MOST_PERFORMERS)
        wrong.append(Problem("pelaksana", message))
    if not (count.isdecimal() and len(count) < 4 and 0 < int(count) <= MOST_ROWS):
        wrong.append(Problem("langkah", _("Jumlah langkah 1 sampai %(most)d.", most=MOST_ROWS)))
    if wrong:
        return new_page(problems=wrong, typed=posted, unit=unit, status=422)
    key = named(name)
    performers = tuple(Performer(id=f"{NEW}{n}", name=one) for n, one in enumerate(who))
    rows = tuple(
        SopRow(
            number=n,
            uraian=_("Langkah %(n)d: tuliskan kegiatannya", n=n),
            name=_("Langkah %(n)d", n=n),
            performer=performers[(n - 1) % len(performers)].id,
            assumption=len(performers) > 1,
        )
        for n in range(1, int(count) + 1)
    )
    table, remarks = holding(SopTable(key=key, name=name, performers=performers, rows=rows))
    if remarks:
        return new_page(problems=[Problem("nama", str(one)) for one in remarks], typed=posted, unit=unit, status=422)
    with office().database.begin() as db:
        data = draw(replace(table, key=free_key(db, key)))
        draft = drafting.begin(db, data, unit=unit, person=me().id, at=moment(db), name=name)
    tell(_("Rancangan dimulai. Isi langkah-langkahnya, lalu simpan."))
    return redirect(url_for("sop_editor.table", id=draft.id), 303)


def begun(unit: str, posted: MultiDict[str, str]) -> Any:
    """Begin a draft of each diagram that was chosen on the page that showed what was read."""
    chosen = posted.getlist("pilih")[: sop_import.MOST_FILES]
    carried = ((unpacked(posted.get(f"isi.{n}", "")), posted.get(f"sebagai.{n}", "")) for n in chosen)
    contents = [(data, change_of) for data, change_of in carried if data]
    if not contents or len(contents) < len(chosen):
        message = _("Pilih paling sedikit satu hasil bacaan. Bila halaman ini sudah lama terbuka, baca ulang.")
        return new_page(problems=[Problem("berkas", message)], unit=unit, status=422)
    made = []
    try:
        with office().database.begin() as db:
            for data, change_of in contents:
                newest = definitions.newest(db, change_of) if change_of else None
                if newest is None or diagram.titled(data)[0] != change_of:
                    made.append(drafting.begin(db, rekeyed(db, data), unit=unit, person=me().id, at=moment(db)))
                    continue
                home, base = drafting.home(db, change_of) or "", newest.sha256
                made.append(drafting.begin(db, data, unit=home, person=me().id, at=moment(db), base=base))
    except Refused as refused:
        return new_page(problems=[Problem("berkas", str(refused))], unit=unit, status=403)
    except DiagramError as error:
        wrong = [Problem("berkas", in_the_file(one)) for one in error.findings[:20]]
        return new_page(problems=wrong, unit=unit, status=422)
    if len(made) == 1:
        tell(_("Rancangan dimulai dari hasil bacaan. Periksa setiap langkah dan tanda asumsinya."))
        return redirect(url_for("sop_editor.open", id=made[0].id), 303)
    tell(ngettext("%(num)d rancangan dimulai.", "%(num)d rancangan dimulai.", len(made)))
    return redirect(url_for("publishing.home"), 303)


def rekeyed(db: Connection, data: bytes) -> bytes:
    """The diagram under a key that no other SOP has: a new SOP never becomes a version of another one."""
    wanted, _name = diagram.titled(data)
    return data if not wanted or (key := free_key(db, wanted)) == wanted else under_key(data, key)


def free_key(db: Connection, wanted: str) -> str:
    """The key, or the first one after it that neither a version nor a draft has."""
    taken = {one.key for one in definitions.newest_of_all(db)} | {one.key for one in drafts.listed(db)}
    keys = (wanted, *(f"{wanted[:80]}_{n}" for n in range(2, len(taken) + 3)))
    return next(key for key in keys if key not in taken)


def units_to_design(db: Connection) -> list[tuple[str, str]]:
    """(id, name) of the units whose SOPs the visitor may make, their own first."""
    found = [(one.id, one.name) for one in organisation.units(db) if drafting.may_edit(db, me().id, one.id)]
    return sorted(found, key=lambda one: (one[0] != me().unit, one[1]))


def new_page(
    results: Sequence[Found] = (),
    *,
    text: str = "",
    problems: Sequence[Problem] = (),
    typed: Mapping[str, str] | None = None,
    unit: str = "",
    status: int = 200,
) -> Any:
    with office().database.read() as db:
        mine = units_to_design(db)
        theirs = {one.key: may_be_changed(db, one.key) for one in results if one.key}
    if not mine:
        abort(403)
    carried, room = [], CARRIED_MOST
    for one in results:
        payload = packed(one.data) if one.data else ""
        room -= len(payload)
        fits = room >= 0
        late = (_("Tidak ikut terbawa: hasil bacaan terlalu banyak sekaligus. Baca berkas ini tersendiri."),)
        problems_of = one.problems + (() if fits else late)
        name = theirs.get(one.key, "")
        carried.append(replace(one, payload=payload if fits else "", problems=problems_of, changes=name))
    shown = render_template(
        "perancang/new.html",
        results=carried,
        text=text,
        problems=problems,
        wrong_at={one.place: one.message for one in problems},
        typed=typed or {},
        units=mine,
        unit=unit or mine[0][0],
        symbols=SYMBOLS,
        files_most=FILES_MOST,
        megabytes=sop_import.MOST_BYTES // 1_000_000,
    )
    return shown, status


def may_be_changed(db: Connection, key: str) -> str:
    """The name of the SOP with this key, where the visitor is one of its owners; else ""."""
    newest = definitions.newest(db, key)
    if newest is None or not drafting.may_edit(db, me().id, drafting.home(db, key) or ""):
        return ""
    return newest.name or key


def packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(data, 9)).decode()


def unpacked(text: str) -> bytes:
    """The bytes that a page carried; b"" where they are none, or more than a diagram may be."""
    try:
        machine = zlib.decompressobj()
        data = machine.decompress(base64.urlsafe_b64decode(text.encode()), MOST_BYTES + 1)
    except (binascii.Error, zlib.error, ValueError):
        return b""
    return data if machine.eof and len(data) <= MOST_BYTES else b""
