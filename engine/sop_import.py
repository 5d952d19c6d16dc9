"""SOPs out of the files that offices have: Excel, Word, a ZIP of many, text that was pasted. Nothing is fetched.

Whatever the file is, it becomes pages of cells, with the flowchart symbols that are drawn in (or over) them, each by
its shape and its anchor; `sop_reading.py` makes the table of that. A file that is broken, huge or hostile gives
findings: it is counted before it is parsed, and parsed without entities, DTDs or network.
"""
from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import docx
import openpyxl
from lxml import etree

from .gate import quoted
from .sop_reading import CAPSULE, CONNECTED, Cell, Line, Page, Symbol, Unreadable, table_in
from .sop_table import DECISION, STEP, Remark, SopTable, cleaned

MOST_BYTES = 20_000_000         # of a file
MOST_UNPACKED = 80_000_000      # of everything in it
MOST_XML = 12_000_000           # of one part of it that is parsed
MOST_PARTS = 2_000
MOST_FILES = 200                # in a ZIP of many
MOST_LINES = 4_000              # rows of cells, of all pages
MOST_COLUMNS = 60
MOST_CELLS = 60_000
MOST_SHAPES = 3_000
MOST_TEXT = 1_000_000           # characters of a pasted text
EMU_A_COLUMN, EMU_A_ROW = 609_600, 190_500      # of a sheet whose widths are not said

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
WPS = "{http://schemas.microsoft.com/office/word/2010/wordprocessingShape}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
XDR = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
V = "{urn:schemas-microsoft-com:vml}"

# Symbols by the names of preset shapes (DrawingML) and by the numbers of shape types (VML).
SHAPES = {
    "flowChartTerminator": CAPSULE, "roundRect": CAPSULE, "ellipse": CAPSULE, "flowChartConnector": CAPSULE,
    "flowChartProcess": STEP, "rect": STEP, "flowChartPredefinedProcess": STEP, "flowChartAlternateProcess": CAPSULE,
    "flowChartDecision": DECISION, "diamond": DECISION,
    "flowChartOffpageConnector": CONNECTED, "homePlate": CONNECTED, "pentagon": CONNECTED,
}
VML_TYPES = {"t116": CAPSULE, "t109": STEP, "t1": STEP, "t110": DECISION, "t4": DECISION, "t2": CAPSULE,
             "t3": CAPSULE, "t177": CONNECTED, "t15": CONNECTED}
VML_TAGS = {"rect": STEP, "roundrect": CAPSULE, "oval": CAPSULE}


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What came of one file: a table with its guesses, or findings and no table."""
    file: str
    table: SopTable | None = None
    findings: tuple[Remark, ...] = ()

    @property
    def guesses(self) -> tuple[Remark, ...]:
        return self.table.guesses if self.table else ()


def read(data: bytes, file: str = "") -> tuple[Imported, ...]:
    """What a file holds: one result, or one for each file of a ZIP. Never raises for what the file is."""
    try:
        if data[:4] == b"PK\x03\x04":
            archive = _Archive(data)
            if not archive.has("xl/workbook.xml") and not archive.has("word/document.xml"):
                return tuple(one for name, content in archive.files() for one in read_one(content, name))
        return read_one(data, file)
    except Unreadable as problem:
        return (Imported(file=file, findings=problem.remarks),)


def read_one(data: bytes, file: str = "") -> tuple[Imported, ...]:
    """What one file holds that is no ZIP of many."""
    try:
        pages = _pages(data)
        return (Imported(file=file, table=table_in(pages)),)
    except Unreadable as problem:
        return (Imported(file=file, findings=problem.remarks),)


def _pages(data: bytes) -> list[Page]:
    if not data.strip():
        raise Unreadable("Berkas kosong. Pilih berkas yang memuat tabel SOP.")
    if len(data) > MOST_BYTES:
        raise Unreadable(f"Berkas terlalu besar ({len(data) // 1_000_000} MB); paling besar "
                         f"{MOST_BYTES // 1_000_000} MB. Hapus gambar di dalamnya, lalu simpan ulang.")
    if data[:4] == b"PK\x03\x04":
        archive = _Archive(data)
        if archive.has("xl/workbook.xml"):
            return _workbook(archive, data)
        if archive.has("word/document.xml"):
            return _document(archive, data)
        raise Unreadable("ZIP di dalam ZIP tidak dibaca. Keluarkan berkas di dalamnya.")
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise Unreadable("Berkas Office lama (.doc, .xls) atau berkas berkata sandi tidak dapat dibaca. Simpan sebagai "
                         ".docx atau .xlsx tanpa kata sandi.")
    if data[:5] == b"%PDF-":
        raise Unreadable("Berkas PDF tidak dapat dibaca sebagai tabel. Pakai berkas Word atau Excel-nya, atau salin "
                         "tabelnya sebagai teks.")
    if b"\x00" in data[:4096]:
        raise Unreadable("Berkas ini bukan Excel, Word, ZIP atau teks. Simpan sebagai .xlsx atau .docx.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    return [text_page(text)]


# --- A ZIP, counted before it is opened ------------------------------------------------------------------------------

# What libraries raise over a file that is not what it says: SyntaxError is what both XML parsers call it.
_BROKEN = (zipfile.BadZipFile, RuntimeError, EOFError, zlib.error, struct.error, LookupError, ValueError, OSError,
           ArithmeticError, SyntaxError, AttributeError, TypeError, AssertionError)


class _Archive:
    """A ZIP whose parts are counted, and read only up to what they said of themselves."""

    def __init__(self, data: bytes):
        if len(data) > MOST_BYTES:
            raise Unreadable(f"Berkas terlalu besar ({len(data) // 1_000_000} MB); paling besar "
                             f"{MOST_BYTES // 1_000_000} MB. Hapus gambar di dalamnya, lalu simpan ulang.")
        try:
            self.zip = zipfile.ZipFile(io.BytesIO(data))
            self.parts = {one.filename: one for one in self.zip.infolist() if not one.is_dir()}
        except _BROKEN as problem:
            raise Unreadable("Berkas rusak: isinya tidak dapat dibuka. Buka di aplikasi asalnya, lalu simpan ulang."
                             ) from problem
        if len(self.zip.infolist()) > MOST_PARTS or sum(one.file_size for one in self.parts.values()) > MOST_UNPACKED:
            raise Unreadable("Isi berkas terlalu banyak setelah dibuka. Bagi menjadi beberapa berkas yang lebih kecil.")

    def has(self, name: str) -> bool:
        return name in self.parts

    def content(self, name: str, most: int = MOST_BYTES) -> bytes:
        if self.parts[name].file_size > most:
            raise Unreadable(f"Bagian {quoted(name)} terlalu besar. Bagi menjadi beberapa berkas yang lebih kecil.")
        try:
            with self.zip.open(self.parts[name]) as part:
                return part.read(most + 1)[:most + 1]
        except _BROKEN as problem:
            raise Unreadable(f"Berkas rusak: bagian {quoted(name)} tidak dapat dibuka. Simpan ulang dari aplikasi "
                             "asalnya.") from problem

    def files(self) -> Iterator[tuple[str, bytes]]:
        """The files of a ZIP of many; what the system put in itself is left out."""
        names = [one for one in self.parts if not re.search(r"(^|/)(\.|__MACOSX/|~\$|Thumbs\.db|desktop\.ini)", one)]
        if not names:
            raise Unreadable("ZIP tidak memuat berkas. Masukkan berkas SOP (.docx, .xlsx, .txt) ke dalamnya.")
        if len(names) > MOST_FILES:
            raise Unreadable(f"ZIP memuat {len(names)} berkas; paling banyak {MOST_FILES}. Bagi menjadi beberapa ZIP.")
        for name in sorted(names):
            yield name, self.content(name)

    def checked(self) -> None:
        """Every part that a library would parse: of bounded size, in UTF-8, without definitions of its own."""
        for name in self.parts:
            if name.endswith((".xml", ".rels", ".vml")):
                text = self.content(name, MOST_XML)
                if len(text) > MOST_XML:
                    raise Unreadable("Isi berkas terlalu banyak setelah dibuka. Bagi menjadi beberapa berkas.")
                _harmless(text)

    def tree(self, name: str) -> etree._Element:
        return _tree(self.content(name, MOST_XML))


def _harmless(text: bytes) -> None:
    head = text[:200].lower()
    wide = text[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in text[:64]
    other = re.search(rb"encoding\s*=\s*[\"'](?!utf-8|us-ascii|ascii)", head)
    if wide or other or b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise Unreadable("Berkas memuat DOCTYPE, ENTITY atau huruf yang tidak dikenal, yang dapat menyembunyikan isi. "
                         "Simpan ulang dari Word atau Excel.")


def _tree(data: bytes) -> etree._Element:
    _harmless(data)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
                             huge_tree=False, recover=False, remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as problem:
        raise Unreadable("Berkas rusak: isinya bukan XML yang utuh. Simpan ulang dari aplikasi asalnya.") from problem


def _counted(tags: int, cells: int) -> None:
    if tags > MOST_LINES or cells > MOST_CELLS:
        raise Unreadable(f"Berkas memuat {tags} baris; paling banyak {MOST_LINES}. Sisakan tabel SOP-nya saja.")


# --- Text ------------------------------------------------------------------------------------------------------------

_BREAKS = re.compile(r"<\s*(?:li|br|/?ol|/?ul|p|/p|/li|/?tr|/?div)\b[^<>]{0,200}>", re.IGNORECASE)
_TAGS = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")


# A cell that a sheet puts on the clipboard: in quotes where it holds line breaks or quotes.
_QUOTED = re.compile(r'(?:(?<=\t)|^)"((?:[^"]|"")*+)"(?=\t|$)', re.MULTILINE)
_RULE = re.compile(r"[\s|:+=-]*-[\s|:+=-]*")           # under the head of a table that is drawn with bars
_BAR = re.compile(r"(?<!\\)\|")
_INSIDE = "\u2028"                                    # a line break within a cell, while lines are told apart


def text_page(text: str) -> Page:
    """A pasted text: cells between tabs (or bars), rows between lines; marks of web pages are taken off."""
    if len(text) > MOST_TEXT:
        raise Unreadable(f"Teks sepanjang {len(text)} huruf; paling panjang {MOST_TEXT}. Sisakan tabel SOP-nya saja.")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\t" in text:
        text = _QUOTED.sub(lambda one: one[1].replace('""', '"').replace("\n", _INSIDE).replace("\t", " "), text)
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        raise Unreadable(f"Teks memuat {len(lines)} baris; paling banyak {MOST_LINES}. Sisakan tabel SOP-nya saja.")
    barred = "\t" not in text and sum(line.count("|") > 2 for line in lines) > 1
    page = []
    for number, line in enumerate(lines, 1):
        if barred and _RULE.fullmatch(line):
            continue
        plain = _TAGS.sub("", _BREAKS.sub("\n", line)).replace("**", "").replace(_INSIDE, "\n")
        texts = _barred(plain) if barred else plain.split("\t")
        cells = {n: Cell(cell.strip(" ") if cell.strip() else cell) for n, cell in enumerate(texts)}
        if len(cells) > MOST_COLUMNS:
            raise Unreadable(f"Baris ini memuat {len(cells)} kolom; paling banyak {MOST_COLUMNS}.", number)
        page.append(Line(number, cells))
    return page


def _barred(line: str) -> list[str]:
    """The cells of a line between bars; outer bars stand around the line."""
    inner = line.strip()
    inner = inner[1:] if inner.startswith("|") else inner
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [one.strip().replace("\\|", "|") for one in _BAR.split(inner)]


# --- Word ------------------------------------------------------------------------------------------------------------

def _document(archive: _Archive, data: bytes) -> list[Page]:
    """The tables of a document, and the paragraphs between them as rows of one cell."""
    archive.checked()
    body = archive.content("word/document.xml", MOST_XML)
    _counted(body.count(b"<w:tr ") + body.count(b"<w:tr>"), body.count(b"<w:tc>") + body.count(b"<w:tc "))
    if body.count(b":wsp>") + body.count(b"<v:") > MOST_SHAPES * 4:
        raise Unreadable("Berkas memuat terlalu banyak gambar. Sisakan tabel SOP-nya saja.")
    try:
        root = docx.Document(io.BytesIO(data)).element.body
    except _BROKEN as problem:
        raise Unreadable("Berkas Word rusak atau tidak lengkap. Buka di Word, lalu simpan ulang sebagai .docx."
                         ) from problem
    page: Page = []
    for block in root.iterchildren(W + "p", W + "tbl"):
        if block.tag == W + "p":
            page.append(Line(len(page) + 1, {0: Cell(_words(block))}))
        else:
            page += _word_table(block, len(page))
    return [page]


def _word_table(table: Any, before: int) -> list[Line]:
    widths = [_whole(one.get(W + "w")) for one in table.iterfind(f"{W}tblGrid/{W}gridCol")]
    lines = []
    for n, row in enumerate(table.iterchildren(W + "tr"), 1):
        line = Line(before + n)
        column = _whole_of(row.find(f"{W}trPr/{W}gridBefore"))
        for cell in row.iter(W + "tc"):
            if next(cell.iterancestors(W + "tr")) is not row:
                continue                                # a table inside the cell
            texts = [_words(one) for one in cell.iterchildren(W + "p")]
            numbered = cell.find(f"{W}p/{W}pPr/{W}numPr") is not None
            if numbered and len(texts) > 1 and not any(re.match(r"[a-z][.)]", one) for one in texts):
                texts = [f"{chr(97 + place)}. {one}" for place, one in enumerate(texts) if one][:26]
            if column not in line.cells:
                line.cells[column] = Cell()
            line.cells[column].text = "\n".join(one for one in texts if one)
            line.numbered |= numbered and column == 0
            for shape, kind in _word_shapes(cell):
                at = _column_at(shape, column, widths)
                line.cells.setdefault(at, Cell()).symbols.append(Symbol(kind, assumed=_assumed(shape)))
            column += max(1, _whole_of(cell.find(f"{W}tcPr/{W}gridSpan")))
        if column > MOST_COLUMNS:
            raise Unreadable(f"Tabel memuat {column} kolom; paling banyak {MOST_COLUMNS}.", line.number)
        lines.append(line)
    return lines


def _words(paragraph: Any) -> str:
    """The text of a paragraph, without what is written in shapes."""
    found = []
    for node in paragraph.iter(W + "t", W + "br", W + "tab"):
        if any(one.tag in (W + "txbxContent", MC + "Fallback") for one in node.iterancestors()):
            continue
        found.append(node.text or "" if node.tag == W + "t" else "\n" if node.tag == W + "br" else " ")
    return cleaned("".join(found))


def _word_shapes(cell: Any) -> Iterator[tuple[Any, str]]:
    """The symbols that are anchored in a cell: what newer Word draws, else what older Word drew."""
    for node in cell.iter(WPS + "wsp", *(V + tag for tag in ("shape", *VML_TAGS))):
        if any(one.tag == MC + "Fallback" for one in node.iterancestors()):
            continue
        if node.tag == WPS + "wsp":
            preset = node.find(f"{WPS}spPr/{A}prstGeom")
            kind = SHAPES.get(preset.get("prst", "")) if preset is not None else None
        else:
            type = re.search(r"_t([0-9]{1,3})$", node.get("type", ""))
            kind = VML_TYPES.get(f"t{type[1]}") if type else VML_TAGS.get(etree.QName(node).localname)
        if kind:
            yield node, kind


def _assumed(shape: Any) -> bool:
    """Whether a symbol is drawn as our own documents draw one whose performer is assumed: dashed, and marked so."""
    text = "".join(one.text or "" for one in shape.iter(W + "t")).strip()
    return text in ("asumsi", "?") and shape.find(f"{WPS}spPr/{A}ln/{A}prstDash") is not None


def _column_at(shape: Any, column: int, widths: Sequence[int]) -> int:
    """The column over which a shape floats: where it is anchored, and how far to the right it was moved from there."""
    anchor = next(shape.iterancestors(WP + "anchor"), None)
    if anchor is None or not widths:
        return column
    offset = anchor.find(f"{WP}positionH/{WP}posOffset")
    extent = anchor.find(WP + "extent")
    relative = anchor.find(WP + "positionH")
    if offset is None or relative is None or relative.get("relativeFrom") not in ("column", "character"):
        return column
    middle = _whole(offset.text) + (_whole(extent.get("cx")) // 2 if extent is not None else 0)
    left = sum(widths[:column]) * 635 + middle              # 635 EMU are a twentieth of a point
    edge = 0
    for n, width in enumerate(widths):
        edge += width * 635
        if left < edge:
            return n
    return column


def _whole(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"-?[0-9]{1,12}", text.strip()) else 0


def _whole_of(node: Any) -> int:
    return min(_whole(node.get(W + "val")), MOST_COLUMNS + 1) if node is not None else 0


# --- Excel -----------------------------------------------------------------------------------------------------------

def _workbook(archive: _Archive, data: bytes) -> list[Page]:
    archive.checked()
    for name in archive.parts:
        if name.startswith("xl/worksheets/") and name.endswith(".xml"):
            text = archive.content(name, MOST_XML)
            # Rows that only carry colours are counted too, but a sheet may have some.
            _counted(len(re.findall(rb"<(?:\w+:)?row\b(?=[^>]*[^/]>)", text)), text.count(b"<c ") // 4)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        return [_sheet(sheet, _drawn(archive, sheet)) for sheet in book.worksheets]
    except _BROKEN as problem:
        raise Unreadable("Berkas Excel rusak atau tidak lengkap. Buka di Excel, lalu simpan ulang sebagai .xlsx."
                         ) from problem


def _sheet(sheet: Any, drawn: list[tuple[int, int, Symbol]]) -> Page:
    lines: dict[int, Line] = {}
    sheet.reset_dimensions()            # what a sheet says of its own size may be wrong
    for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
        if number > MOST_LINES and any(value is not None for value in row):
            raise Unreadable(f"Lembar {quoted(sheet.title)} memuat lebih dari {MOST_LINES} baris. Sisakan tabel "
                             "SOP-nya saja.", number)
        cells = {n: Cell(_said(value)) for n, value in enumerate(row[:MOST_COLUMNS]) if value is not None}
        if cells:
            lines[number] = Line(number, cells)
    for number, column, symbol in drawn:
        if column < MOST_COLUMNS:
            lines.setdefault(number, Line(number)).cells.setdefault(column, Cell()).symbols.append(symbol)
    return [lines[number] for number in sorted(lines)]


def _said(value: Any) -> str:
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    if hasattr(value, "strftime") and hasattr(value, "year"):
        return f"{value.day:02d}-{value.month:02d}-{value.year}"
    return str(value)


def _drawn(archive: _Archive, sheet: Any) -> list[tuple[int, int, Symbol]]:
    """(row from 1, column from 0, symbol) of every flowchart shape over a sheet, by where its middle is."""
    path = sheet._worksheet_path.lstrip("/")
    relations = f"{path.rpartition('/')[0]}/_rels/{path.rpartition('/')[2]}.rels"
    if not archive.has(relations):
        return []
    found: list[tuple[int, int, Symbol]] = []
    connected: list[tuple[str, str]] = []
    columns, rows = _sizes(archive.tree(path))
    for relation in archive.tree(relations).iterchildren():
        if not relation.get("Type", "").endswith("/drawing") or relation.get("TargetMode") == "External":
            continue
        target = _joined_path(path.rpartition("/")[0], relation.get("Target", ""))
        if not archive.has(target):
            continue
        for anchor in archive.tree(target).iterchildren(*(XDR + one for one in (
                "twoCellAnchor", "oneCellAnchor", "absoluteAnchor"))):
            box = _anchored(anchor, columns, rows)
            for link in anchor.iter(XDR + "cxnSp"):
                start, end = link.find(f".//{A}stCxn"), link.find(f".//{A}endCxn")
                if start is not None and end is not None:
                    connected.append((start.get("id", ""), end.get("id", "")))
            for shape in anchor.iter(XDR + "sp"):
                preset = shape.find(f"{XDR}spPr/{A}prstGeom")
                kind = SHAPES.get(preset.get("prst", "")) if preset is not None else None
                if kind and len(found) < MOST_SHAPES:
                    x, y = _middle(shape, anchor, box)
                    about = shape.find(f"{XDR}nvSpPr/{XDR}cNvPr")
                    id = about.get("id", "") if about is not None else ""
                    found.append((_index(rows, y, EMU_A_ROW) + 1, _index(columns, x, EMU_A_COLUMN), Symbol(kind, id)))
    by_id = {symbol.id: symbol for _, _, symbol in found}
    for begin, finish in connected:
        if begin in by_id:
            by_id[begin].to.append(finish)
    return found


def _joined_path(folder: str, target: str) -> str:
    if target.startswith("/"):
        return target[1:]
    parts = folder.split("/")
    for one in target.split("/"):
        parts = parts[:-1] if one == ".." else [*parts, one]
    return "/".join(parts)


def _sizes(sheet: etree._Element) -> tuple[dict[int, int], dict[int, int]]:
    """Widths of columns and heights of rows that are said, in EMU, by index from 0."""
    space = sheet.tag.rpartition("}")[0] + "}"
    columns: dict[int, int] = {}
    for one in sheet.iterfind(f"{space}cols/{space}col"):
        wide = float(one.get("width") or 8.43)
        for n in range(_whole(one.get("min")) - 1, min(_whole(one.get("max")), MOST_COLUMNS)):
            columns[n] = int((wide * 7 + 5) * 9525)
    rows = {_whole(one.get("r")) - 1: int(float(one.get("ht") or 15) * 12700)
            for one in islice(sheet.iterfind(f"{space}sheetData/{space}row"), MOST_LINES) if one.get("ht")}
    return columns, rows


def _at(sizes: Mapping[int, int], index: int, usual: int) -> int:
    """Where a column or row begins, in EMU."""
    said = [size for n, size in sizes.items() if n < index]
    return sum(said) + (index - len(said)) * usual


def _index(sizes: Mapping[int, int], place: float, usual: int) -> int:
    edge, n = 0.0, 0
    while n < MOST_LINES:
        edge += sizes.get(n, usual)
        if place < edge:
            break
        n += 1
    return n


def _anchored(anchor: etree._Element, columns: Mapping[int, int], rows: Mapping[int, int]
              ) -> tuple[float, float, float, float]:
    """Left, top, width and height of an anchor, in EMU."""
    def corner(name: str) -> tuple[int, int]:
        numbers = [min(_whole(anchor.findtext(f"{XDR}{name}/{XDR}{one}")), 10 ** 9)
                   for one in ("col", "colOff", "row", "rowOff")]
        return (_at(columns, min(numbers[0], 20_000), EMU_A_COLUMN) + numbers[1],
                _at(rows, min(numbers[2], 2_000_000), EMU_A_ROW) + numbers[3])

    extent = anchor.find(XDR + "ext")
    width, height = (_whole(extent.get("cx")), _whole(extent.get("cy"))) if extent is not None else (0, 0)
    position = anchor.find(XDR + "pos")
    if position is not None:
        return _whole(position.get("x")), _whole(position.get("y")), width, height
    left, top = corner("from")
    if anchor.find(XDR + "to") is not None:
        right, bottom = corner("to")
        width, height = right - left, bottom - top
    return left, top, width, height


def _middle(shape: etree._Element, anchor: etree._Element, box: tuple[float, float, float, float]
            ) -> tuple[float, float]:
    """The middle of a shape; in a group, by its part of the group's space."""
    left, top, width, height = box
    group = next((one for one in shape.iterancestors(XDR + "grpSp") if one.getparent() is anchor), None)
    if group is not None:
        inner, place = group.find(f"{XDR}grpSpPr/{A}xfrm"), shape.find(f"{XDR}spPr/{A}xfrm")
        if inner is not None and place is not None:
            values = [_whole(node.get(name)) for parent, part, names in (
                (inner, "chOff", "xy"), (inner, "chExt", ("cx", "cy")), (place, "off", "xy"),
                (place, "ext", ("cx", "cy"))) for node in parent.iterfind(A + part) for name in names]
            if len(values) == 8 and values[2] > 0 and values[3] > 0:
                return (left + width * (values[4] + values[6] / 2 - values[0]) / values[2],
                        top + height * (values[5] + values[7] / 2 - values[1]) / values[3])
    return left + width / 2, top + height / 2
