"""The history of one process instance as a PDF that somebody reads who was not there, a judge for example.

First what it comes to (who signed what, departures, what is proved and what is not, documents with their SHA-256), then
every journal row in sentences. Set by Typst from `timeline.typ`, as `sop.py` sets the SOP: what people wrote goes in as
JSON and is never read as markup; the same input gives the same bytes.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from flask_babel import gettext as _

from engine.event_log import clean

from .sop import broken, qr
from .typeset import typeset

LONGEST = 2_000  # letters of one value; the whole of it stands in the data of the pack
NARROW = 34.0  # mm, of the column that words are broken for
SHORT = 3_000  # letters of a row that is never shared between pages: it is lower than a page
SIGNED_MOST = 40  # passes that the summary lists; of more, the newest of each step


@dataclass(frozen=True, kw_only=True)
class Signed:
    """Somebody finished a step, and stands for it."""

    row: int
    what: Sequence[str]
    who: Sequence[str]
    at: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Said:
    """A departure, or what is worth knowing."""

    row: int
    name: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A file of a version of a document; `sha256` is "" of what is no file."""

    row: int
    what: Sequence[str]
    file: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """A journal row in sentences."""

    row: int
    at: Sequence[str]
    who: Sequence[str]
    said: Sequence[str]
    entered: Sequence[tuple[str, Sequence[str]]]  # (label, lines of what was entered and what stood there before)


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """Everything that the paper says; every text as people read it."""

    title: str
    subtitle: str
    facts: Sequence[tuple[str, Sequence[str]]]
    signed: Sequence[Signed]
    signed_note: str
    departures: Sequence[Said]
    information: Sequence[Said]
    proof: Sequence[tuple[str, str]]  # (what is said of, sentence)
    checkpoint: Sequence[str]
    documents: Sequence[Paper]
    diagrams: Sequence[tuple[str, str]]  # (name, SHA-256)
    moments: Sequence[Row]
    footer: Sequence[str]
    address: str = ""  # of the public page that knows the checkpoint; "" of none


def pdf(of: Timeline) -> bytes:
    found: bytes = set_in(of, "pdf")
    return found


def set_in(of: Timeline, form: Literal["pdf", "png"]) -> Any:
    """The paper as Typst sets it: one PDF, or a PNG for each page."""
    return typeset("timeline", data_of(of), form)


def data_of(of: Timeline) -> dict[str, Any]:
    """What `timeline.typ` draws: plain texts, with places where long words may be broken."""
    data = {name.replace("_", "-"): value for name, value in _plain(asdict(of)).items()}
    for one in (*data["signed"], *data["departures"], *data["information"], *data["documents"], *data["moments"]):
        one["row"] = str(one["row"])
    for one in data["moments"]:
        one["short"] = len(json.dumps(one)) < SHORT
    return data | {"words": headings(), "qr": list(qr(of.address)) if of.address else []}


def headings() -> dict[str, Any]:
    return {
        "signed": _("Siapa mengesahkan apa"),
        "signed-heads": [_("Baris"), _("Langkah"), _("Oleh"), _("Waktu")],
        "none-signed": _("Belum ada langkah yang diselesaikan."),
        "departures": _("Penyimpangan dari SOP"),
        "departures-heads": [_("Baris"), _("Jenis"), _("Keterangan")],
        "no-departures": _("Tidak ada. Berkas ini berjalan menurut SOP."),
        "information": _("Yang perlu diketahui, bukan penyimpangan:"),
        "proof": _("Apa yang dibuktikan, dan apa yang tidak"),
        "documents": _("Dokumen"),
        "documents-heads": [_("Baris"), _("Dokumen"), _("Berkas dan SHA-256")],
        "no-documents": _("Tidak ada dokumen yang dilampirkan."),
        "diagrams": _("Diagram yang dijalankan"),
        "moments": _("Seluruh catatan"),
        "moments-note": _("Setiap baris jurnal, berurutan. Nomor baris sama dengan yang ada di dalam paket bukti."),
        "moments-heads": [_("Baris"), _("Waktu"), _("Oleh"), _("Yang terjadi")],
    }


def _plain(value: Any) -> Any:
    """The same shape with every text as it may be printed."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def printable(text: str) -> str:
    """A text without what would turn or hide the words beside it, cut where it is very long."""
    kept = "".join(one for one in clean(text[:LONGEST]) if unicodedata.category(one) != "Cf")
    return broken(kept, NARROW, 9.5) + (" …" if len(text) > LONGEST else "")
