"""Evidence of a process instance to take away: its history as a PDF, its events for tools of others, and the pack.

What is said is what was known at the checkpoint that the evidence rests on: names, positions and departures as the
organisation's stream stood then. So the same finished instance gives the same bytes whenever it is asked for.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from flask import Flask
from flask_babel import Babel
from flask_babel import gettext as _
from sqlalchemy import Connection

from engine import audit, event_log, events, packs, verifier
from engine.commands import Actor
from engine.conformance import Departure
from engine.definition import Field, ProcessDefinition
from engine.instance import CANCELLED, COMPLETED, RUNNING, SUSPENDED, ProcessInstance
from engine.ledger import Checkpoint
from engine.organisation import STREAM, Organisation, evolve
from engine.playback import Moment
from engine.rules import Rules
from engine.store import definitions, documents, instances, ledger, queries
from engine.store.ledger import Kept

from . import departures, verification, words
from .papers import timeline
from .papers.timeline import SIGNED_MOST, Paper, Row, Said, Signed, Timeline

KINDS = ("pdf", *event_log.KINDS, "zip")
MEDIA_TYPES = {"pdf": "application/pdf", **event_log.MEDIA_TYPES, "zip": "application/zip"}
UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
READ_ME = """PAKET BUKTI ALUR
{title}

Mulailah dari RINGKASAN.pdf: siapa mengesahkan apa, kapan, dalam jabatan apa dan atas dasar apa; penyimpangan dari SOP;
apa yang dibuktikan dan apa yang tidak; lalu seluruh catatan dalam kalimat.

ISI
  RINGKASAN.pdf              riwayat untuk dibaca
  documents/                 semua dokumen dalam semua versi, persis seperti saat dilampirkan; nama berkasnya SHA-256
  definitions/               diagram yang benar-benar dijalankan (BPMN)
  kejadian/dokumen.csv       daftar dokumen: nama aslinya, versi, dan letaknya di paket ini
  kejadian/kejadian.csv      kejadian untuk lembar sebar (Excel, LibreOffice)
  kejadian/kejadian.xes      kejadian untuk perkakas analisis proses (XES 2.0; alur.xesext menjelaskan isiannya)
  kejadian/kejadian.jsonocel kejadian untuk perkakas analisis proses (OCEL 2.0)
  journal.jsonl              baris jurnal, persis seperti yang dihitung sidiknya, dengan bukti letaknya di dalam log
  values.jsonl               isian orang di samping jurnal
  checkpoints/               titik periksa yang ditandatangani
  consistency.json           bukti bahwa titik periksa itu milik satu log yang terus bertambah
  verifier.py                pemeriksa; manifest.json: daftar berkas dengan SHA-256 masing-masing

CARA MEMERIKSA
Pakailah berkas verifier.py yang Anda terima dari pihak lain daripada kantor ini, di komputer Anda sendiri, tanpa
jaringan dan tanpa Alur (Python 3.10 atau lebih baru):

    python3 verifier.py PAKET.zip --checkpoint TITIK-PERIKSA-ANDA.txt

Jawabannya HASIL: SAH, atau temuan pertama dengan tempatnya. Tanpa titik periksa yang Anda simpan sendiri, riwayat yang
ditulis ulang seluruhnya oleh pemegang kunci tidak dapat diketahui.

Yang dibuktikan verifier.py adalah jurnal, isian, dokumen, dan diagram. RINGKASAN.pdf dan folder kejadian/ dibuat dari
jurnal itu untuk dibaca: bila keduanya berbeda, jurnallah yang berlaku.
"""


@contextmanager
def spoken(language: str) -> Iterator[None]:
    """Words in a language where no page is being made: for the command line."""
    app = Flask(__name__)
    Babel(app, default_locale=language, locale_selector=lambda: language)
    with app.app_context():
        yield


# What is known of an instance


@dataclass(frozen=True)
class Evidence:
    """An instance played again, and what was known of it at a checkpoint (None: nothing is signed; then as of now)."""

    db: Connection
    rules: Rules
    id: str
    key: str  # of its process
    title: str
    zone: str
    played: audit.Played
    departures: tuple[Departure, ...]
    organisation: Organisation
    kept: Kept | None
    url: str = ""  # where Alur answers, for the QR code of its papers; "" where that is not known

    @property
    def moments(self) -> tuple[Moment, ...]:
        return self.played.moments

    @property
    def last(self) -> ProcessInstance:
        return self.moments[-1].after if self.moments else ProcessInstance(id=self.id)

    @property
    def sequence(self) -> int:
        """The journal row that the evidence reaches."""
        return self.moments[-1].sequence if self.moments else 0

    @cached_property
    def definition(self) -> ProcessDefinition | None:
        return self.rules.definition(self.last.definition) if self.moments else None

    def names(self, id: str) -> str:
        """Of a person, a position or a unit."""
        if id in ("timer", "sistem"):
            return {"timer": _("Pengatur waktu"), "sistem": _("Sistem")}[id]
        known = self.organisation
        found = known.people.get(id) or known.positions.get(id) or known.units.get(id)
        return words.str_of(found.name) if found else id

    def version(self, sha256: str) -> str:
        found = definitions.of_bytes(self.db, sha256)
        return _("versi %(n)s", n=found.version) if found else _("versi %(hash)s", hash=sha256[:12])

    def log(self, named: bool) -> event_log.Log:
        return event_log.log_of(self.id, self.title, self.moments, self.names if named else None)


def of(db: Connection, rules: Rules, id: str, now: datetime, url: str = "") -> Evidence | None:
    """The evidence of an instance; None if there is none. `db` is in a snapshot, so that it is of one state."""
    instance = instances.load(db, id)
    if instance is None:
        return None
    kept = packs.covering(db, [instances.stream(id)])
    beside = audit.beside(db, instance.key)
    if kept is not None:
        beside = replace(beside, organisation=beside.organisation[:ledger.rows_within(db, STREAM, kept.size)])
    organisation = Organisation()
    for change in beside.organisation:
        organisation = evolve(organisation, change.act)
    heading, played = queries.heading(db, id), audit.played(db, rules, id)
    told = audit.departures(rules, id, played, beside, kept.at if kept else now)
    return Evidence(db=db, rules=rules, id=id, key=instance.key, title=heading.title, zone=heading.zone, played=played,
                    departures=told, organisation=organisation, kept=kept, url=url)


def written(it: Evidence, form: str, named: bool = False) -> bytes:
    """One file of it; `form` is pdf, xes, jsonocel or csv. In the PDF people always stand by their names."""
    return timeline.pdf(told(it)) if form == "pdf" else event_log.written(it.log(named), form)


def pack(it: Evidence, documents_dir: Path, file: Path, own: Sequence[Checkpoint] = ()) -> packs.Packed:
    """Write the pack of evidence. Raises Unavailable: `unsigned`, `file_exists`, `file_unwritable`."""
    # With the versions of its process: who deployed what it ran on.
    return packs.of_streams(it.db, documents_dir, file, [instances.stream(it.id)], [definitions.stream(it.key)],
                            own, lambda _kept: beside(it))


def beside(it: Evidence) -> packs.Beside:
    """What stands in the pack for readers."""
    places = {sha256: place for _row, sha256, place in papers(it)}
    files = {f"kejadian/kejadian.{kind}": written(it, kind) for kind in event_log.KINDS}
    return packs.Beside(documents=places, files={
        **files, "BACA_SAYA.txt": READ_ME.format(title=it.title).encode(), "RINGKASAN.pdf": written(it, "pdf"),
        "kejadian/alur.xesext": event_log.extension(), "kejadian/dokumen.csv": listing(it)})


def papers(it: Evidence) -> Iterator[tuple[list[str], str, str]]:
    """(line of the listing, SHA-256, place in the pack) of every file that was attached, in order. The place is made of
    the document type, version and hash; what its sender called it stands in the listing only."""
    extensions = {kind: extension for extension, kind in reversed(documents.BY_EXTENSION.items())}
    places: dict[str, str] = {}
    for moment in it.moments:
        for type, version, given in moment.attached:
            for one in given.files:
                folder = UNSAFE.sub("_", type)[:60]
                place = places.setdefault(one.sha256, f"documents/{folder}/versi-{version}/{one.sha256}."
                                                      f"{extensions.get(one.media_type, 'bin')}")
                line = [str(moment.sequence), type, words.document_name(moment.definition, type), str(version),
                        words.str_of(one.name), str(one.size_bytes), one.sha256, place]
                yield line, one.sha256, place


def listing(it: Evidence) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["baris", "jenis", "dokumen", "versi", "nama_berkas", "ukuran_bita", "sha256", "letak"])
    for line, _sha256, _place in papers(it):
        writer.writerow([event_log.harmless(one) for one in line])
    return out.getvalue().encode("utf-8-sig")


def fingerprint(file: Path) -> str:
    """The SHA-256 of a file."""
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


# The paper


def told(it: Evidence) -> Timeline:
    """What the PDF says."""
    signed = [one for moment in it.moments for one in signatures(it, moment)]
    shown, note = signed, ""
    if len(signed) > SIGNED_MOST:
        shown = sorted(dict(signed).items(), key=lambda pair: pair[1].row)
        note = _("Hanya putaran terakhir tiap langkah; semua %(n)s pengesahan ada di \u201cSeluruh catatan\u201d.",
                 n=len(signed))
    said = [(one, Said(row=one.sequence, name=departures.name(one.kind), text=sentence(it, one)))
            for one in it.departures]
    return Timeline(
        title=_("Ringkasan bukti"), subtitle=it.title, facts=facts(it), signed=[one for _element, one in shown],
        signed_note=note, departures=[text for one, text in said if not one.information],
        information=[text for one, text in said if one.information], proof=proof(it), checkpoint=checkpoint(it),
        documents=[one for moment in it.moments for one in attached(it, moment)],
        diagrams=[(it.version(sha256), sha256) for sha256 in dict.fromkeys(m.after.definition for m in it.moments)],
        moments=list(rows(it)), footer=[it.title, *checkpoint(it)[:1]],
        address=verification.checkpoint_address(it.kept, it.url))


def facts(it: Evidence) -> list[tuple[str, list[str]]]:
    last, zone = it.last, it.zone
    status = {RUNNING: _("Berjalan"), SUSPENDED: _("Ditangguhkan"), COMPLETED: _("Selesai"),
              CANCELLED: _("Dibatalkan")}[last.status]
    calendars = sorted({it.rules.calendar(one).title for one in last.calendars.values()})
    found = [
        (_("Unit"), [it.names(last.unit)]),
        (_("SOP"), [it.definition.name] if it.definition else []),
        (_("Nomor berkas proses"), [it.id]),
        (_("Keadaan"), [status]),
        (_("Dimulai"), [words.full(last.started_at, zone)] if last.started_at else []),
        (_("Berakhir"), [words.full(last.ended_at, zone)] if last.ended_at else []),
        (_("Tenggat"), [words.deadline(last.deadline_at, zone)] if last.deadline_at else []),
        (_("Kalender kerja"), calendars),
        (_("Kantor yang ikut mengerjakan"), [it.names(one) for one in offices(it.moments)]),
        (_("Catatan"), [_("%(n)s baris jurnal", n=it.sequence)]),
    ]
    return [(label, lines) for label, lines in found if lines]


def offices(moments: Sequence[Moment]) -> list[str]:
    """Ids of the units that had a hand in it, in the order in which they first did: those of the positions in which
    people acted, and those on whose behalf others recorded. An auditor who is of one of them can see it here."""
    found = dict.fromkeys(id for one in moments for id in (one.command.actor.unit, one.command.actor.on_behalf_of))
    return [id for id in found if id]


def signatures(it: Evidence, moment: Moment) -> Iterator[tuple[str, Signed]]:
    """(element, who stands for it) of each step that a moment finishes."""
    for event in moment.step.events:
        if not isinstance(event, events.UserTaskCompleted):
            continue
        element = moment.definition.elements[event.element]
        task = moment.before.user_tasks.get(event.user_task)
        what = [_upper(words.step_name(moment.definition, event.element))]
        what += [words.returned(task.round)] if task and task.round > 1 else []
        what += [f"{one.label}: {value_words(it.moments, it.names, one.id, moment.after.data.get(one.id))}"
                 for one in element.form if one.decision and one.id in moment.after.data]
        stated = getattr(moment.command.act, "done_at", None)
        at = day_and_time(it, moment)
        at += [_("Dikerjakan di luar aplikasi pada %(at)s", at=words.full(stated, it.zone))] if stated else []
        at += [_("Terlambat")] if event.late else []
        yield event.element, Signed(row=moment.sequence, what=what, who=who(it, moment.command.actor), at=at)


def who(it: Evidence, actor: Actor) -> list[str]:
    """The person, their position and capacity, on what basis, for whom, and by which door."""
    found = [it.names(actor.person)]
    if actor.position:
        found.append(_("sebagai %(position)s", position=words.position(actor.capacity, it.names(actor.position))))
    elif actor.capacity in ("tim", "administrator", "pemilik"):
        found.append({"tim": _("anggota tim"), "administrator": _("administrator"), "pemilik": _("pengelola SOP")}[
            actor.capacity])
    if actor.basis:
        found.append(_("dasar: %(basis)s", basis=actor.basis))
    if actor.on_behalf_of:
        found.append(_("atas nama %(office)s", office=it.names(actor.on_behalf_of)))
    if actor.signed_in_by == "cli" and actor.person not in ("timer", "sistem"):
        found.append(_("lewat baris perintah"))
    return found


def day_and_time(it: Evidence, moment: Moment) -> list[str]:
    at = words.local(moment.command.at, it.zone)
    return [words.full_day(at.date()), f"{words.clock(at)} {at.tzname() or ''}"]


def sentence(it: Evidence, one: Departure) -> str:
    assert it.definition is not None, "what departed has moments"
    return departures.sentence(one, it.definition, it.zone, it.names, it.version)


def proof(it: Evidence) -> list[tuple[str, str]]:
    if it.played.different:
        again = _("TIDAK SAMA: catatan ke-%(n)s keluar lain ketika dijalankan ulang; yang sesudahnya tidak dimuat.",
                  n=it.played.different)
    else:
        again = _("%(n)s catatan dijalankan ulang oleh mesin proses; hasilnya sama dengan yang tercatat.",
                  n=len(it.moments))
    shows, cannot = (verifier.TEXTS[name][0].partition(": ")[2] for name in ("shows", "cannot"))
    return [
        (_("Dijalankan ulang"), again),
        (_("Dibuktikan"), _upper(shows)),
        (_("Tidak dapat dibuktikan"), _upper(cannot)),
        (_("Tanda tangan"), _("Pengesahan di sini adalah catatan perbuatan di dalam aplikasi oleh orang yang masuk "
                              "dengan kata sandinya; bukan tanda tangan elektronik tersertifikasi.")),
        (_("Cara memeriksa"), _("Lembar ini untuk dibaca. Yang dapat diperiksa adalah paket bukti dengan verifier.py, "
                                "memakai titik periksa yang disimpan pihak luar.")),
    ]


def checkpoint(it: Evidence) -> list[str]:
    if it.kept is None:
        return [_("Belum semua catatan ini dicakup titik periksa yang ditandatangani.")]
    said = _("Titik periksa: %(size)s baris, akar %(root)s", size=it.kept.size, root=it.kept.text)
    at = words.full(it.kept.at, it.zone)
    return [said, _("Log %(origin)s, ditandatangani %(at)s", origin=Checkpoint.parse(it.kept.note).origin, at=at)]


def attached(it: Evidence, moment: Moment) -> Iterator[Paper]:
    for type, version, given in moment.attached:
        what = [words.document_name(moment.definition, type), _("versi %(n)s", n=version)]
        for one in given.files:
            file = f"{words.str_of(one.name)} ({words.size(one.size_bytes)})"
            yield Paper(row=moment.sequence, what=what, file=file, sha256=one.sha256)
        if not given.files:
            yield Paper(row=moment.sequence, what=what, file=words.attachment_words(given), sha256="")


def rows(it: Evidence) -> Iterator[Row]:
    said = sentences(it.moments, it.zone, it.names, it.rules.definition)
    nothing = [_("Tidak ada yang berubah bagi pelaksana.")]
    for moment in it.moments:
        entered = []
        for one in moment.entered:
            lines = value_words(it.moments, it.names, one.field, one.after).splitlines()
            if one.before is not None:
                before = value_words(it.moments, it.names, one.field, one.before)
                lines.append(_("(sebelumnya: %(value)s)", value=" · ".join(before.splitlines())))
            entered.append((one.label, lines))
        yield Row(row=moment.sequence, at=day_and_time(it, moment), who=who(it, moment.command.actor),
                  said=said.get(moment.sequence) or nothing, entered=entered)


def sentences(
    moments: Sequence[Moment],
    zone: str,
    names: Callable[[str], str],
    versions: Callable[[str], ProcessDefinition],
) -> dict[int, list[str]]:
    """Journal row -> what it says, for people."""
    found: dict[int, list[str]] = {}
    if moments:
        steps = [one.step for one in moments]
        for one in words.history(steps, moments[0].definition, zone, names, versions):
            found.setdefault(one.sequence, []).append(one.text)
    return found


def value_words(moments: Sequence[Moment], names: Callable[[str], str], id: str, stored: Any) -> str:
    """A value as it was entered, in words; of a table its rows, one a line."""
    found: Field | None = next((one.definition.fields[id] for one in reversed(moments) if id in one.definition.fields),
                               None)
    if stored is None or found is None:
        return "–" if stored is None else words.str_of(stored)
    if found.type == "table" and isinstance(stored, list):
        return "\n".join(" · ".join(words.cell_words(c.type, c.choices, row.get(c.id), names)
                                    for c in found.columns if row.get(c.id) not in (None, "")) for row in stored)
    return words.value_words(found, stored, names)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
