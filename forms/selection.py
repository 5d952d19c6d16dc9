"""A pack of evidence of several process instances: all of a unit and a year, in one ZIP with one set of proofs.

Each instance has its folder with what its own pack would hold for readers; the first page lists them all. One instance
at a time is played and written, so that a year of a kabupaten needs no more memory than its largest instance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Blueprint, abort, redirect, request, send_file, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection

from engine import packs
from engine.ledger import Checkpoint
from engine.organisation import AuditScope
from engine.rules import Rules
from engine.store import access, definitions, instances, journal, organisation, queries
from engine.store.database import Unavailable
from engine.store.ledger import Kept

from . import audit, evidence
from .papers import disposal as paper
from .processes import auditor
from .session import me, office, tell

selection = Blueprint("selection", __name__)

MOST = 1_000  # instances of one pack on the command line
MOST_HERE = 100  # on a page
READ_ME = """PAKET BUKTI ALUR: {title}

RINGKASAN.pdf mendaftar semua berkas proses dalam paket ini. Folder berkas/NOMOR/ memuat, untuk setiap berkas proses,
ringkasannya dan kejadiannya; documents/NOMOR/ dokumennya. Dokumen yang sama pada beberapa berkas proses ada satu kali.

CARA MEMERIKSA
    python3 verifier.py PAKET.zip --checkpoint TITIK-PERIKSA-ANDA.txt

Pakailah berkas verifier.py yang Anda terima dari pihak lain daripada kantor ini. Yang dibuktikan adalah jurnal, isian,
dokumen, dan diagram; ringkasan dan folder kejadian/ dibuat dari jurnal itu untuk dibaca.
"""


@dataclass(frozen=True)
class Taken:
    """What was taken of one instance: for the stream `access`."""

    instance: str
    sequence: int


def of_unit(db: Connection, unit: str, year: int | None, most: int = MOST) -> list[str]:
    """The ids of the instances of a unit and a year of report (None: of all years), at most `most` and one more."""
    place = organisation.unit_of(db, unit)
    if place is None:
        return []
    scope = AuditScope(unit=unit, zone=place.zone, years=(year,) if year else ())
    return sorted(one.id for one in queries.instances(db, "", (), [scope], most=most + 1))


def pack(db: Connection, rules: Rules, ids: Sequence[str], title: str, now: datetime, documents_dir: Path, file: Path,
         own: Sequence[Checkpoint] = ()) -> tuple[packs.Packed, list[Taken]]:
    """Write the pack of some instances, in a snapshot; what was taken of each. Raises Unavailable as packs.of_streams.
    """
    taken: list[Taken] = []
    keys = sorted({found.key for id in ids if (found := instances.load(db, id))})

    def readable(kept: Kept) -> packs.Beside:
        places: dict[str, str] = {}
        readme = READ_ME.format(title=title).encode()
        return packs.Beside(files={"BACA_SAYA.txt": readme}, documents=places, more=each(kept, places))

    def each(kept: Kept, places: dict[str, str]) -> Iterator[tuple[str, bytes]]:
        lines = []
        for id in ids:
            it = evidence.of(db, rules, id, now)
            assert it is not None, "who asks names instances that are there"
            it = replace(it, kept=kept)
            beside = evidence.beside(it)
            for sha256, place in beside.documents.items():
                places.setdefault(sha256, f"documents/{id}/{place.removeprefix('documents/')}")
            for name, data in sorted(beside.files.items()):
                if name == "kejadian/dokumen.csv":
                    for sha256, place in beside.documents.items():
                        data = data.replace(f'"{place}"'.encode(), f'"{places[sha256]}"'.encode())
                if name not in ("BACA_SAYA.txt", "kejadian/alur.xesext"):
                    yield f"berkas/{id}/{name}", data
            if not taken:
                yield "alur.xesext", beside.files["kejadian/alur.xesext"]
            taken.append(Taken(id, it.sequence))
            lines.append(line(db, it, tuple(beside.documents)))
        yield "RINGKASAN.pdf", summary(title, kept, lines)

    packed = packs.of_streams(db, documents_dir, file, [instances.stream(id) for id in ids],
                              [definitions.stream(one) for one in keys], own, readable)
    return packed, taken


def line(db: Connection, it: evidence.Evidence, files: tuple[str, ...]) -> paper.Line:
    head = journal.head(db, instances.stream(it.id))[1]
    status = next((lines[0] for label, lines in evidence.facts(it) if label == _("Keadaan")), "")
    departed = sum(not one.information for one in it.departures)
    said = _("%(status)s, %(n)s penyimpangan", status=status, n=departed)
    return paper.Line(title=it.title, id=it.id, ended=said, values=0, rows=it.sequence, files=files,
                      head=head.hex() if head else "")


def summary(title: str, kept: Kept, lines: Sequence[paper.Line]) -> bytes:
    return paper.listing(
        _("Ringkasan bukti"), title,
        ((_("Berkas proses"), str(len(lines))), (_("Titik periksa"), _("%(size)s baris, akar %(root)s", size=kept.size,
                                                                      root=kept.text))),
        _("Setiap berkas proses mempunyai ringkasannya sendiri di dalam folder berkas/. Semua barisnya terbukti berada "
          "di dalam satu log yang ditandatangani; periksa dengan verifier.py dan titik periksa yang Anda simpan."),
        (_("No"), _("Berkas proses"), _("Dokumen"), _("Bukti")), _("Sidik baris jurnal terakhir (SHA-256)"), lines)


def trace(taken: Sequence[Taken], sha256: str) -> list[access.EvidenceTaken]:
    """The rows of the stream `access`: one for each instance, so that each knows who took it."""
    return [access.EvidenceTaken(instance=one.instance, form="zip", sequence=one.sequence, sha256=sha256, named=True)
            for one in taken]


@selection.get("/audit/pilihan.zip")
def download() -> Any:
    """The pack of a unit and a year: of what the visitor may audit of it, and nothing else."""
    visitor, now = me(), office().now()
    unit, year = request.args.get("unit", ""), request.args.get("tahun", "")
    if not audit.audits(visitor) or (year and not (year.isascii() and year.isdigit() and len(year) == 4)) \
            or "\x00" in unit:
        abort(404)
    def chosen(db: Connection) -> list[queries.Summary]:
        wanted: dict[str, str | int] = {**({"unit": unit} if unit else {}), **({"year": int(year)} if year else {})}
        found = [one for one in queries.instances(db, "", (), visitor.scopes, most=10_000, only=wanted)
                 if visitor.audit(one.unit, one.year, one.started_at) is not None]
        return found or abort(404)

    with office().database.read() as db:
        many = len(chosen(db))          # who may not have it waits for nobody, and nobody for them
    if many > MOST_HERE:
        tell(_("Pilihan ini memuat %(n)s berkas proses, paling banyak %(most)s sekali unduh. Persempit dengan unit dan "
               "tahun.", n=many, most=MOST_HERE), "error")
        return redirect(url_for("audit.listed", unit=unit, tahun=year))
    if not audit.making.acquire(timeout=audit.PATIENCE_SECONDS):
        tell(_("Bukti lain sedang disiapkan. Tunggu sebentar, lalu unduh lagi."), "error")
        return redirect(url_for("audit.listed", unit=unit, tahun=year))
    with ExitStack() as done:
        done.callback(audit.making.release)
        folder = done.enter_context(TemporaryDirectory(prefix="alur-", ignore_cleanup_errors=True))
        file = Path(folder) / "pilihan.zip"
        with office().database.snapshot() as db:
            found = chosen(db)
            title = ", ".join([*sorted({one.unit_name for one in found}), *([_("tahun %(year)s", year=year)]
                                                                           if year else [])])
            try:
                _packed, taken = pack(db, office().rules, sorted(one.id for one in found), title, now,
                                      office().settings.documents_dir, file)
            except Unavailable as error:
                if error.code != "unsigned":
                    raise
                tell(_("Belum semua catatan dicakup titik periksa yang ditandatangani. Tunggu satu menit, lalu unduh "
                       "lagi."), "error")
                return redirect(url_for("audit.listed", unit=unit, tahun=year))
        sha256 = evidence.fingerprint(file)
        answer = send_file(file.open("rb"), mimetype="application/zip", as_attachment=True,
                           download_name=f"bukti-{words_of(unit, year)}.zip")
    with office().database.begin() as db:
        for one, summary_ in zip(trace(taken, sha256), sorted(found, key=lambda one: one.id), strict=True):
            loaded = instances.load(db, summary_.id)
            assert loaded is not None
            access.record(db, office().database.key, one, auditor(loaded), office().now())
    return answer


def words_of(unit: str, year: str) -> str:
    """The end of a file's name: nothing in it that a name may not hold."""
    return "-".join(evidence.UNSAFE.sub("_", one)[:60] for one in (unit, year) if one) or "semua"
