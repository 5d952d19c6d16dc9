"""The bundle of evidence for the Lembar Kerja Evaluasi AKIP: what its part on reporting asks, from one instance.

The LKE asks whether the report of an office was reviewed, formalised, sent in time, published, and made by a process.
One ZIP answers in its order: an index page that names each document with version, SHA-256, date and who attached it;
the documents, the newest version of each; and the history as a PDF. What is missing is named, never left out.
Source: PermenPANRB 88/2021, evaluation of AKIP, component pelaporan kinerja.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from engine import event_log, events
from engine.commands import Attachment
from engine.definition import ProcessDefinition
from engine.packs import DATED
from engine.playback import Moment
from engine.store import documents
from engine.store.database import written_whole

from . import evidence, verification, words
from .evidence import Evidence
from .papers import monitoring as paper
from .papers.monitoring import Cell, Sheet

REVIEWED, FORMAL, SENT, PUBLISHED, MADE = "direviu", "diformalkan", "disampaikan", "dipublikasikan", "disusun"
NAMES = {
    REVIEWED: _l("Laporan kinerja telah direviu"),
    FORMAL: _l("Laporan kinerja telah diformalkan"),
    SENT: _l("Laporan kinerja telah disampaikan tepat waktu"),
    PUBLISHED: _l("Laporan kinerja telah dipublikasikan"),
    MADE: _l("Laporan kinerja disusun menurut prosedur"),
}
# What each component is shown by: document types of the diagram. The last is the history itself.
COMPONENTS: dict[str, tuple[str, ...]] = {
    REVIEWED: ("lhr",),
    FORMAL: ("dokumen_lkjpd",),
    SENT: ("tanda_terima_bupati", "bukti_kirim_bagian_organisasi"),
    PUBLISHED: ("bukti_unggah_esr", "bukti_unggah_sapa_kinerja"),
    MADE: (),
}
ASKED = tuple(type for types in COMPONENTS.values() for type in types)
HISTORY = "5-disusun/riwayat.pdf"
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Item:
    """A line of the index: a document as it stands, or that there is none.

    state  what is said instead of a file: why there is none; "" of one that is in the bundle
    """

    component: str
    type: str
    name: str
    version: int = 0
    sha256: str = ""
    place: str = ""  # in the ZIP
    day: str = ""
    who: str = ""
    state: str = ""


def has(definition: ProcessDefinition) -> bool:
    """Whether a process makes what the LKE asks for: all of its documents are fields of the diagram."""
    return set(ASKED) <= set(definition.fields)


def items(it: Evidence) -> list[Item]:
    """The index, in the order of the LKE: of each document its newest version, of one that is missing why."""
    newest: dict[str, tuple[Moment, int, Attachment]] = {}
    for moment in it.moments:
        for type, version, given in moment.attached:
            newest[type] = moment, version, given
    found = []
    for n, (component, types) in enumerate(COMPONENTS.items(), 1):
        for type in types:
            name = words.document_name(it.definition, type) if it.definition else type
            name = name[:1].upper() + name[1:]
            if type not in newest:
                owed = it.last.owed.get(type)
                state = _("BELUM ADA; dijanjikan %(day)s", day=owed.promised) if owed else _("BELUM ADA")
                found.append(Item(component=component, type=type, name=name, state=state))
                continue
            moment, version, given = newest[type]
            day, who = evidence.day_and_time(it, moment)[0], ", ".join(evidence.who(it, moment.command.actor))
            common = {"component": component, "type": type, "name": name, "day": day, "who": who}
            if not given.files:
                found.append(Item(**common, version=version, state=words.attachment_words(given)))
            for place, one in enumerate(given.files, 1):
                ending = _ending(one.media_type)
                part = f"-{place}" if len(given.files) > 1 else ""
                found.append(Item(**common, version=version, sha256=one.sha256,
                                  place=f"{n}-{component}/{type}-versi-{version}{part}.{ending}"))
    return found


def _ending(media_type: str) -> str:
    extensions = {kind: extension for extension, kind in reversed(documents.BY_EXTENSION.items())}
    return extensions.get(media_type, "bin")


def written(it: Evidence, documents_dir: Path, file: Path) -> list[Item]:
    """Write the bundle; its index. What cannot be given (not in the store, held by the scanner) is named in the index.

    The same finished instance gives the same bytes. Raises Unavailable: `file_exists`, `file_unwritable`.
    """
    with written_whole(file, "a bundle") as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        index = [_put(it, documents_dir, archive, one) for one in items(it)]
        for name, data in ((HISTORY, evidence.written(it, "pdf")), ("0-INDEKS.pdf", paper.pdf(sheet(it, index))),
                           ("0-INDEKS.csv", listing(index))):
            archive.writestr(_entry(name), data)
        if it.kept is not None:
            archive.writestr(_entry("titik-periksa.txt"), it.kept.note)
    return index


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, DATED)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return entry


def _put(it: Evidence, documents_dir: Path, archive: zipfile.ZipFile, one: Item) -> Item:
    """The item as it went in."""
    if not one.place:
        return one
    if why := it.last.erased_files.get(one.sha256):     # though another process may have the same content
        return _without(one, words.gone(why))
    try:
        with (documents.open_document(it.db, documents_dir, one.sha256) as source,
              archive.open(_entry(one.place), "w", force_zip64=True) as target):
            while chunk := source.read(CHUNK_BYTES):
                target.write(chunk)
    except documents.Held:
        return _without(one, _("TIDAK DISERTAKAN: belum dinyatakan aman oleh pemindai berkas"))
    except LookupError:
        return _without(one, _("TIDAK DISERTAKAN: berkasnya tidak ada di penyimpanan"))
    return one


def _without(one: Item, state: str) -> Item:
    return Item(component=one.component, type=one.type, name=one.name, version=one.version, sha256=one.sha256,
                day=one.day, who=one.who, state=state)


def in_time(it: Evidence) -> list[str]:
    """Whether what the deadline asks for was done before it, as lines."""
    last, drawn = it.last, it.definition.deadline if it.definition else None
    if drawn is None or last.deadline_at is None:
        return []
    due = words.deadline(last.deadline_at, it.zone)
    done = None         # the newest completion that was not taken back
    for one in it.moments:
        for event in one.step.events:
            if isinstance(event, events.UserTaskCompleted | events.UserTaskRecalled) \
                    and event.element == drawn.satisfied_by:
                done = one if isinstance(event, events.UserTaskCompleted) else None
    if done is None:
        return [_("Tenggat %(due)s. Belum disampaikan.", due=due)]
    at = getattr(done.command.act, "done_at", None) or done.command.at
    said = {"due": due, "at": words.full(at, it.zone)}
    return [_("Tenggat %(due)s. Disampaikan %(at)s: tepat waktu.", **said) if at <= last.deadline_at
            else _("Tenggat %(due)s. Disampaikan %(at)s: TERLAMBAT.", **said)]


def sheet(it: Evidence, index: Sequence[Item]) -> Sheet:
    """The index as a paper."""
    missing = [one for one in index if not one.place]
    notes = [*in_time(it), _("Indeks ini disusun aplikasi dari catatan berkas proses. Nilai pada LKE ditetapkan "
                             "evaluator. Keaslian setiap berkas dapat diperiksa dengan sidik digitalnya di halaman "
                             "pemeriksaan.")]
    if missing:
        notes.insert(0, _("Belum lengkap: %(names)s.", names=", ".join(one.name for one in missing)))
    return Sheet(
        title=_("Bundel bukti LKE: pelaporan kinerja"),
        basis=_("PermenPANRB 88 Tahun 2021, evaluasi AKIP, komponen pelaporan kinerja"),
        facts=[(label, "; ".join(lines)) for label, lines in [(_("Berkas proses"), [it.title]), *evidence.facts(it)]],
        heads=[_("No"), _("Komponen"), _("Dokumen"), _("Versi"), _("Tanggal"), _("Oleh"),
               _("Letak dan sidik digital (SHA-256)")],
        widths=(9, 44, 48, 12, 34, 52, 74),
        rows=[[Cell.of(one) for one in cells] for cells in _rows(index)],
        whole=[],
        notes=notes,
        signature=[],
        footer=[it.title, *evidence.checkpoint(it)[:1]],
        address=verification.checkpoint_address(it.kept, it.url),
    )


def _rows(index: Sequence[Item]) -> Iterator[list[str | list[str]]]:
    for n, component in enumerate(COMPONENTS, 1):
        mine = [one for one in index if one.component == component]
        for place, one in enumerate(mine):
            yield [str(n) if not place else "", str(NAMES[component]) if not place else "", one.name,
                   str(one.version or "–"), one.day or "–", one.who or "–",
                   [one.place or one.state, *([one.sha256] if one.sha256 else [])]]
        if component == MADE:
            yield [str(n), str(NAMES[component]), _("Ringkasan dan riwayat seluruh langkah"), "–", "–", "–", HISTORY]


def listing(index: Sequence[Item]) -> bytes:
    """The index as CSV, for a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["komponen", "dokumen", "jenis", "versi", "tanggal", "oleh", "sha256", "letak", "keadaan"])
    for one in index:
        row = [str(NAMES[one.component]), one.name, one.type, str(one.version or ""), one.day, one.who, one.sha256,
               one.place, one.state]
        writer.writerow([event_log.harmless(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig")
