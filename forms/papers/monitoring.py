"""A form about an SOP with rows to be filled in by hand beside what the application counted: PDF and spreadsheet.

Set by Typst from `monitoring.typ`, as `sop.py` sets the SOP: texts go in as JSON and are never read as markup; the same
input gives the same bytes. Every text of the spreadsheet is a text: nothing that somebody wrote becomes a formula.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from .sheet import BOX, HEAD, _write
from .sop import qr
from .timeline import printable
from .typeset import typeset
from .word import unchanging

DOTS = "…………"  # what a person fills in; drawn as lines of dots where a cell is nothing else
KINDS = ("pdf", "xlsx")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Lines of text; `dotted`: left to a person."""

    lines: Sequence[str]
    dotted: bool = False

    @classmethod
    def of(cls, said: str | Sequence[str]) -> Cell:
        return cls(lines=[said] if isinstance(said, str) else list(said), dotted=said == DOTS)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Everything that the paper says; every text as people read it."""

    title: str
    basis: str
    facts: Sequence[tuple[str, str]]
    heads: Sequence[str]
    widths: Sequence[float]  # of the columns, in parts
    rows: Sequence[Sequence[Cell]]
    whole: Sequence[str]
    notes: Sequence[str]
    signature: Sequence[str]  # a line about the method, then what the assessor writes behind
    footer: Sequence[str]
    address: str  # of the public page that knows the checkpoint; "" of none


def written(of: Sheet, form: str) -> bytes:
    """The file; `form` is one of KINDS."""
    return {"pdf": pdf, "xlsx": xlsx}[form](of)


def pdf(of: Sheet) -> bytes:
    found: bytes = set_in(of, "pdf")
    return found


def set_in(of: Sheet, form: Literal["pdf", "png"]) -> Any:
    """The paper as Typst sets it: one PDF, or a PNG for each page."""
    data = _plain(asdict(of)) | {"qr": list(qr(of.address)) if of.address else []}
    return typeset("monitoring", data, form)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def xlsx(of: Sheet) -> bytes:
    """The same as a spreadsheet, one sheet."""
    book = Workbook()
    page = book.active
    assert page is not None, "a new book has a sheet"
    page.title = "Formulir"
    row = 1
    for text in (of.title, of.basis):
        _write(page, row, 1, text, bold=row == 1).alignment = None
        row += 1
    for label, text in of.facts:
        _write(page, row, 2, label, bold=True)
        _write(page, row, 3, text)
        row += 1
    row += 1
    page.print_title_rows = f"{row}:{row}"
    for column, head in enumerate(of.heads, 1):
        cell = _write(page, row, column, head, bold=True, centred=True)
        cell.border, cell.fill = BOX, HEAD
    for cells in of.rows:
        row += 1
        for column, one in enumerate(cells, 1):
            _write(page, row, column, "\n".join(one.lines)).border = BOX
    row += 1
    for text in (*of.whole, *of.notes, *of.signature, *of.footer, of.address):
        row += 1
        _write(page, row, 1, text).alignment = None
    for column, width in enumerate(of.widths, 1):
        page.column_dimensions[get_column_letter(column)].width = max(6, width * 0.6)
    page.page_setup.orientation, page.page_setup.paperSize = "landscape", 9
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    book.properties.title, book.properties.creator = of.title[:250], "Alur"
    out = io.BytesIO()
    book.save(out)
    return unchanging(out.getvalue())
