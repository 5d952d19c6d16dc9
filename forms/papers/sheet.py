"""The SOP's document as a spreadsheet, in a simple form: one sheet for the identity part, one for the table.

The symbols are words in the cells of their performers ("kapsul", "kotak", "belah ketupat"), beside them where a
decision leads back to; every text is a text, so that nothing that somebody wrote becomes a formula.
"""

from __future__ import annotations

import io
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from engine.sop_table import DECISION, NO, OPTIONAL, SYMBOLS, YES, SopRow, SopTable

from .sop import BOXES, CELLS, DATES, Laid
from .word import unchanging

EDGE = Side(style="thin")
BOX = Border(left=EDGE, right=EDGE, top=EDGE, bottom=EDGE)
HEAD = PatternFill("solid", fgColor="EEEEEE")


def xlsx(laid: Laid) -> bytes:
    """The document of a table as XLSX. The same input gives the same bytes."""
    book = Workbook()
    identity = book.active
    assert identity is not None, "a new book has a sheet"
    identity.title = "Identitas"
    _identity(identity, laid)
    _procedure(book.create_sheet("Prosedur"), laid)
    for page in book.worksheets:
        page.page_setup.orientation, page.page_setup.paperSize = "landscape", 9
        page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
        page.sheet_properties.pageSetUpPr.fitToPage = True
        edition = "DRAF" if laid.state.draft else f"Versi {laid.state.version}"
        page.oddFooter.left.text = f"{edition} {laid.state.sha256[:12]}"
        page.oddFooter.right.text = "Halaman &P dari &N"
    book.properties.title, book.properties.creator = laid.title[:250], "Alur"
    out = io.BytesIO()
    book.save(out)
    return unchanging(out.getvalue())


def _write(page: Any, row: int, column: int, text: str, *, bold: bool = False, centred: bool = False) -> Any:
    cell = page.cell(row, column)
    cell.value = text
    cell.data_type = "s"  # also what begins with "="
    cell.font = Font(name="Times New Roman", size=10, bold=bold)
    cell.alignment = Alignment(wrap_text=True, vertical="center" if centred else "top",
                               horizontal="center" if centred else None)
    return cell


def _identity(page: Any, laid: Laid) -> None:
    identity, state = laid.table.identity, laid.state
    row = 1
    for text in ("STANDAR OPERASIONAL PROSEDUR", identity.pemerintah, identity.unit):
        _write(page, row, 1, text, bold=True)
        row += 1
    facts = [
        ("NOMOR SOP", identity.nomor_sop),
        *((label, getattr(identity, key)) for label, key in DATES if getattr(identity, key) or key not in OPTIONAL),
        ("DISAHKAN OLEH", identity.disahkan_oleh),
        ("NAMA SOP", identity.nama_sop or laid.table.name),
        ("KEADAAN", "DRAF, belum disahkan" if state.draft else f"Versi {state.version}"),
        ("SIDIK DIGITAL (SHA-256)", state.sha256),
        ("ALAMAT PEMERIKSAAN", state.address),
    ]
    for label, text in facts:
        _write(page, row, 1, label, bold=True).border = BOX
        _write(page, row, 2, text).border = BOX
        row += 1
    for n, (label, key) in enumerate(BOXES):
        items = [f"{m}. {one}" for m, one in enumerate(getattr(identity, key), 1)]
        # A cell holds 32,767 characters at most; a box of the gate's longest texts is shorter.
        _write(page, row + n // 2, 1 + n % 2, "\n".join([f"{label} :", *items])).border = BOX
    page.column_dimensions["A"].width, page.column_dimensions["B"].width = 80, 80


def _procedure(page: Any, laid: Laid) -> None:
    table = laid.table
    n = len(table.performers)
    heads: list[tuple[str, str]] = [("No", ""), ("Uraian Prosedur", "")]
    heads += [("Pelaksana", one.name) for one in table.performers]
    heads += [("Mutu Baku", "Kelengkapan"), ("Mutu Baku", "Waktu"), ("Mutu Baku", "Output"), ("Keterangan", "")]
    for column, (above, below) in enumerate(heads, 1):
        # Of cells that are joined, the first one speaks.
        first = column == 1 or heads[column - 2][0] != above
        for row, text in ((1, above if first else ""), (2, below), (3, str(column))):
            cell = _write(page, row, column, text, bold=True, centred=True)
            cell.border, cell.fill = BOX, HEAD
        if not below:
            page.merge_cells(start_row=1, end_row=2, start_column=column, end_column=column)
    for begin, end in ((3, 2 + n), (3 + n, 5 + n)):
        page.merge_cells(start_row=1, end_row=1, start_column=begin, end_column=end)
    for place, one in enumerate(table.rows, 4):
        _write(page, place, 1, str(one.number), centred=True)
        _write(page, place, 2, one.uraian)
        for column, performer in enumerate(table.performers, 3):
            _write(page, place, column, symbol(table, one) if performer.id == one.performer else "", centred=True)
        for column, name in enumerate(CELLS, 3 + n):
            _write(page, place, column, getattr(one, name))
        for column in range(1, 7 + n):
            page.cell(place, column).border = BOX
    for column, width in enumerate((6, 55, *([18] * n), 32, 12, 30, 30), 1):
        page.column_dimensions[get_column_letter(column)].width = width
    page.freeze_panes = "C4"
    page.print_title_rows = "1:3"


def symbol(table: SopTable, row: SopRow) -> str:
    """The symbol of a row in words, with where a decision leads, and whether its performer is assumed."""
    said = [SYMBOLS[row.symbol]]
    if row.symbol == DECISION:
        ways = dict(table.following(row))
        said.append(f"{YES}: {f'langkah {ways[YES]}' if ways[YES] else 'selesai'}")
        said.append(f"{NO}: {f'langkah {ways[NO]}' if ways[NO] else 'selesai'}")
    elif row.then is not None:
        said.append(f"ke langkah {row.then}")
    if row.assumption:
        said.append("asumsi, belum dikonfirmasi")
    return "\n".join(said)
