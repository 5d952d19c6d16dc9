"""The SOP as the official document: identity part, then the table with its flowchart, as PDF.

Set by Typst from `sop.typ`: a wheel without system libraries, with its own fonts, that fetches nothing; what people
wrote goes in as JSON and is never read as markup. The same input gives the same bytes. `word.py` and `sheet.py` write
the same document for Word and for spreadsheets, on the pages that were laid out here.
Source: the form of a Standar Operasional Prosedur Administrasi Pemerintahan (PermenPANRB 35/2012).
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import segno

from engine import sop
from engine.sop_table import DECISION, OPTIONAL, PROPERTIES, Identity, SopRow, SopTable, lettered, settled

from . import flowchart
from .flowchart import CONNECTOR, Band, Page
from .typeset import queried, typeset

KINDS = ("pdf", "docx", "xlsx")
PAPERS = {"a4": (297.0, 210.0), "f4": (330.0, 215.0)}  # landscape
MARGIN = 12.0
ROOM_BESIDE = 11.0 + 25.0 + 6.0  # margins above and below, and the note under the table
UNDER = 0.9  # what the last line of a cell reaches below its own height
SHORT = 60  # letters of a cell that is never shared between pages
LOOSE = 1.08
LEAST_HEAD = 6.0 + 8.0 + 5.0
CELLS = ("kelengkapan", "waktu", "output", "keterangan")
DATES = (
    ("TANGGAL PEMBUATAN", "tanggal_pembuatan"),
    ("TANGGAL REVISI", "tanggal_revisi"),
    ("TANGGAL PENGESAHAN", "tanggal_pengesahan"),
    ("TANGGAL EFEKTIF", "tanggal_efektif"),
)
BOXES = (
    ("DASAR HUKUM", "dasar_hukum"),
    ("KUALIFIKASI PELAKSANA", "kualifikasi_pelaksana"),
    ("KETERKAITAN", "keterkaitan"),
    ("PERALATAN/PERLENGKAPAN", "peralatan_perlengkapan"),
    ("PERINGATAN", "peringatan"),
    ("PENCATATAN DAN PENDATAAN", "pencatatan_dan_pendataan"),
)


@dataclass(frozen=True, kw_only=True)
class State:
    """Which diagram a document is of, and where anybody can check it."""

    sha256: str  # of the diagram's bytes
    url: str  # where Alur answers, without a slash at its end
    version: int = 0  # 0: of no published version, a draft
    checkpoint: str = ""  # "1234, ROOT" of the log that it rests on; "" of none

    @property
    def draft(self) -> bool:
        return self.version == 0

    @property
    def address(self) -> str:
        """The public page on which the document can be checked."""
        return f"{self.url}/verifikasi/sop/{self.sha256}"

    @property
    def words(self) -> str:
        said = "DRAF, belum disahkan" if self.draft else f"Versi {self.version}"
        return f"{said}. Sidik digital (SHA-256) {self.sha256[:12]}, lengkapnya:"


def over(table: SopTable, facts: Mapping[str, str]) -> SopTable:
    """The table with a unit's own data (`sop.nomorSop`, dates, ratifier, its name) over the diagram's."""
    changed: dict[str, Any] = {}
    for name, key in PROPERTIES.items():
        if key in facts:
            lists = isinstance(getattr(Identity(), name), tuple)
            changed[name] = sop.items(facts[key]) if lists else facts[key].strip()
    return settled(replace(table, identity=replace(table.identity, **changed)))


def sop_document(
    table: SopTable, facts: Mapping[str, str], state: State, kind: str = "pdf", paper: str = "a4"
) -> bytes:
    """The document of a settled table.

    facts  the unit's own data over the identity part, by the names of the properties (`sop.nomorSop`)
    kind   pdf | docx | xlsx
    paper  a4 | f4
    """
    from . import sheet, word

    laid = Laid(over(table, facts), state, paper, loose=kind == "docx")
    return {"pdf": pdf, "docx": word.docx, "xlsx": sheet.xlsx}[kind](laid)


# What stands where


@dataclass(frozen=True)
class Laid:
    """A document laid out: which rows stand on which page, how wide the columns are, how high the rows."""

    table: SopTable
    state: State
    paper: str = "a4"
    loose: bool = False  # for Word, which sets the text itself: more room, and rows that it breaks where it must

    @property
    def size(self) -> tuple[float, float]:
        return PAPERS[self.paper]

    @property
    def column(self) -> float:
        """The width of a column of Pelaksana, in mm."""
        count, inner = len(self.table.performers), self.size[0] - 2 * MARGIN
        return min(22.0, inner * 0.51 / count)

    @property
    def widths(self) -> tuple[float, ...]:
        """The widths of No, Uraian, Kelengkapan, Waktu, Output and Keterangan."""
        rest = self.size[0] - 2 * MARGIN - self.column * len(self.table.performers) - 8.0 - 15.0
        return (8.0, rest * 0.36, rest * 0.23, 15.0, rest * 0.21, rest * 0.20)

    @property
    def upright(self) -> bool:
        """Whether the performers' names stand upright, because their columns are narrow."""
        return self.column < 14.5

    @property
    def name_size(self) -> float:
        return 7.5 if self.column > 7.5 else 6.0

    @cached_property
    def head(self) -> float:
        """The height of the heads with the numbers of the columns."""
        if self.upright:
            return LEAST_HEAD + 18.0
        names = [
            {"text": broken(one.name, self.column - 1.4, self.name_size), "width": self.column, "size": self.name_size}
            for one in self.table.performers
        ]
        most = max(measured("heads", heads=names))
        return LEAST_HEAD + min(40.0, max(0.0, most - 6.0))

    @property
    def room(self) -> float:
        return self.size[1] - ROOM_BESIDE - self.head

    @cached_property
    def bands(self) -> tuple[tuple[Band, tuple[str, ...]], ...]:
        """Every row with its texts; one that is higher than a page in several parts."""
        most = self.room - 2 * flowchart.STRIP
        waiting = [(row, texts_of(row), True) for row in self.table.rows]
        heights = self._heights([texts for _, texts, _ in waiting])
        found: list[tuple[Band, tuple[str, ...]]] = []
        for (row, texts, _), height in zip(waiting, heights, strict=True):
            parts = [(texts, height)]
            pieces = 1
            while not self.loose and max(high for _, high in parts) > most:
                pieces += max(1, int(height / most))
                cut = split(texts, pieces)
                parts = list(zip(cut, self._heights(cut), strict=True))
            for n, (part, high) in enumerate(parts):
                least = flowchart.least_height(self.table, row) if n == 0 else 6.0
                high = min(most, high * LOOSE) if self.loose else high
                found.append((Band(height=round(max(least, high), 2), row=row, first=n == 0), part))
        return tuple(found)

    def _heights(self, texts: Sequence[tuple[str, ...]]) -> list[float]:
        widths = self.widths[1:]
        cells = [
            {"lines": self.lines(text, width), "width": width}
            for row in texts
            for text, width in zip(row, widths, strict=True)
        ]
        flat = measured("heights", cells=cells)
        return [max(flat[n : n + len(widths)]) + UNDER for n in range(0, len(flat), len(widths))]

    def lines(self, text: str, width: float) -> list[str]:
        """The lines of a cell this wide: its own, and each lettered item on one of its own."""
        return [broken(one, width - 2.4) for one in lined(text)]

    @cached_property
    def pages(self) -> tuple[Page, ...]:
        return flowchart.pages(self.table, [band for band, _ in self.bands], self.room, self.column)

    def texts(self, band: Band) -> tuple[str, ...]:
        """Uraian, Kelengkapan, Waktu, Output and Keterangan of a band."""
        return next(texts for one, texts in self.bands if one is band)

    def number(self, band: Band) -> str:
        return str(band.row.number) if band.first else f"{band.row.number} (lanjutan)"

    def notes(self, page: Page) -> str:
        """What stands under the table of a page: which performers are assumed."""
        assumed = [str(band.row.number) for band in page.bands if band.first and band.row.assumption]
        if not assumed:
            return ""
        named = assumed[0] if len(assumed) == 1 else f"{', '.join(assumed[:-1])} dan {assumed[-1]}"
        return f"Simbol bergaris putus: pelaksana langkah {named} adalah asumsi, belum dikonfirmasi."

    def strip(self, page: Page, above: bool) -> str:
        """What the strip of connectors at an edge of a page says."""
        leaving, coming = [], []
        for one in page.symbols:
            if one.kind == CONNECTOR and (one.y < page.top) == above:
                line = next(i for i in page.lines if _touches(i.points[0], one) or _touches(i.points[-1], one))
                if _touches(line.points[0], one):
                    coming.append(one.text)
                else:
                    leaving.append(f"{one.text} ke langkah {line.to}")
        return "; ".join([*leaving, *([f"{', '.join(coming)} dari halaman lain"] if coming else [])])

    @property
    def title(self) -> str:
        return "SOP " + " ".join((self.table.identity.nama_sop or self.table.name).split())


def _touches(point: tuple[float, float], symbol: flowchart.Symbol) -> bool:
    x, y = point
    return abs(x - symbol.x) <= symbol.width / 2 + 0.02 and abs(y - symbol.y) <= symbol.height / 2 + 0.02


def texts_of(row: SopRow) -> tuple[str, ...]:
    return (row.uraian, *(getattr(row, name) for name in CELLS))


def lined(text: str) -> list[str]:
    """The lines of a text; where it has lettered items, each begins one."""
    found = []
    for line in text.splitlines():
        items, rest = lettered(line), line
        for letter, item in items[1:]:
            place = next(
                (p for p in range(len(line) - len(rest) + 1, len(line)) if line[p] == letter
                 and line[p - 1].isspace() and line[p + 2 :].lstrip().startswith(item)),
                None,
            )
            if place is not None:
                found.append(line[len(line) - len(rest) : place].strip())
                rest = line[place:]
        found.append(rest.strip())
    return found or [""]


def broken(text: str, width: float, size: float = 8.5) -> str:
    """A text that may be broken inside words that are wider than a column of so many mm (size in points)."""
    most = max(2, int(width / (size * 0.3528 * 0.56)))
    return " ".join(
        word if len(word) <= most else "\u200b".join(word[n : n + most] for n in range(0, len(word), most))
        for word in text.split(" ")
    )


def split(texts: Sequence[str], pieces: int) -> list[tuple[str, ...]]:
    """The texts of a row in so many parts, each part with its share of every long text; words stay whole."""
    shares = []
    for text in texts:
        if len(text) <= SHORT:
            shares.append([text, *[""] * (pieces - 1)])
            continue
        words = [word[n : n + 40] for word in text.split(" ") for n in range(0, max(1, len(word)), 40)]
        each = -(-len(words) // pieces)
        shares.append([" ".join(words[n * each : (n + 1) * each]) for n in range(pieces)])
    return [part for part in zip(*shares, strict=True) if any(part)]


# PDF


def measured(what: str, **given: Any) -> list[float]:
    """How high cells or heads are, in mm."""
    data = {"title": "", "cells": [], "heads": [], **given}
    found: list[float] = queried("sop", what, data, mode="measure")
    return found


def qr(address: str) -> bytes:
    """The QR code of an address as a PNG, each module four pixels, with the quiet zone that scanners need."""
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(out, kind="png", scale=4, border=4)
    return out.getvalue()


def pdf(laid: Laid) -> bytes:
    return set_in(laid, "pdf")


def set_in(laid: Laid, form: Literal["pdf", "png"]) -> Any:
    """The document as Typst sets it: one PDF, or a PNG for each page."""
    return typeset("sop", data_of(laid), form, ppi=110, mode="set")


def data_of(laid: Laid) -> dict[str, Any]:
    """Everything that `sop.typ` draws."""
    identity, state, half = laid.table.identity, laid.state, (laid.size[0] - 2 * MARGIN) / 2
    narrow = half - 42 - 4 - 4

    def lines(text: str, width: float, size: float = 8.5) -> list[str]:
        return [broken(one, width, size) for one in text.splitlines()]

    return {
        "title": laid.title,
        "draft": state.draft,
        "paper": {"width": laid.size[0], "height": laid.size[1]},
        "margin": MARGIN,
        "qr": list(qr(state.address)),
        "address": state.address,
        "address-lines": broken(state.address, laid.size[0] - 2 * MARGIN - 50, 6),
        "footer": {
            "title": broken(laid.title[:200], laid.size[0] - 2 * MARGIN - 24, 7),
            "edition": state.words,
            "sha256": state.sha256,
            "checkpoint": f"Titik periksa: {state.checkpoint}" if state.checkpoint else "",
            "check": "Pindai QR untuk memeriksa keutuhan dokumen ini: ",
        },
        "identity": {
            "government": lines(identity.pemerintah, half - 8, 12),
            "unit": lines(identity.unit, half - 8, 12),
            "number": lines(identity.nomor_sop, narrow),
            "dates": [
                {"label": label, "lines": lines(getattr(identity, name), narrow)}
                for label, name in DATES
                if getattr(identity, name) or name not in OPTIONAL
            ],
            "ratifier": lines(identity.disahkan_oleh, narrow),
            "name": lines(identity.nama_sop or laid.table.name, narrow, 11),
            "boxes": [
                {"label": label, "items": [lines(one, half - 9) for one in getattr(identity, name)]}
                for label, name in BOXES
            ],
        },
        "widths": laid.widths,
        "column": laid.column,
        "head": laid.head,
        "upright": laid.upright,
        "name-size": laid.name_size,
        "label-size": flowchart.label_size(laid.column),
        "performers": [
            broken(one.name, 20.0 if laid.upright else laid.column - 1.4, laid.name_size)
            for one in laid.table.performers
        ],
        "pages": [page_of(laid, page) for page in laid.pages],
    }


def page_of(laid: Laid, page: Page) -> dict[str, Any]:
    return {
        "top": page.top,
        "bottom": page.bottom,
        "above": laid.strip(page, True),
        "below": laid.strip(page, False),
        "note": laid.notes(page),
        "bands": [
            {
                "height": band.height,
                "number": laid.number(band).split(" "),
                "cells": [
                    laid.lines(text, width)
                    for text, width in zip(laid.texts(band), laid.widths[1:], strict=True)
                ],
            }
            for band in page.bands
        ],
        "symbols": [
            {
                "kind": one.kind, "x": one.x, "y": one.y, "width": one.width, "height": one.height,
                "assumption": one.assumption, "text": words_in(one), "size": 6 if one.width > 4 else 4.5,
            }
            for one in page.symbols
        ],
        "lines": [{"points": one.points, "label": one.label, "at": one.label_at} for one in page.lines],
    }


def words_in(symbol: flowchart.Symbol) -> str:
    """What stands in a symbol: the letter of a connector, "asumsi" where there is room."""
    if symbol.assumption:
        return "asumsi" if symbol.width >= (12 if symbol.kind == DECISION else 8.5) else "?"
    return symbol.text
