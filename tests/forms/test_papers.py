"""The printed SOP, judged by others: pypdf reads its text, Pillow its QR code, the shapes of the DOCX its symbols.

Every fact of the SOP's own transcription stands in it; the flowchart is judged by arithmetic on its lines, over the
SOP and over tables that nobody drew by hand.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from dataclasses import dataclass, fields, replace
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from random import Random
from typing import Any

import docx
import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from openpyxl import load_workbook
from PIL import Image
from pypdf import PdfReader

from engine import diagram, organise, sop_import, sop_out
from engine.__main__ import alur as command_line
from engine.deploy import SYSTEM
from engine.organisation import Change, ConfirmReading
from engine.sop_table import DECISION, END, START, STEP, Identity, Performer, SopRow, SopTable, settled, table_of
from engine.store import definitions
from engine.terminal import run
from forms.papers import flowchart, sop
from forms.papers.flowchart import CONNECTOR, Band, Line, Page, Symbol
from forms.papers.sop import Laid, State, sop_document
from tests.desk import DIAGRAMS, KEY, LASEM, LKJPD, OPENING, Desk

FILE = DIAGRAMS / LKJPD / f"{LKJPD}.bpmn"
SOP = json.loads((Path(__file__).parents[1] / "data" / "sop-penyusunan-lkjpd.json").read_text(encoding="utf-8"))
STEPS = SOP["langkah"]
URL = "https://alur.example.go.id"
WPS = "{http://schemas.microsoft.com/office/word/2010/wordprocessingShape}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
PRESETS = {
    START: "flowChartTerminator",
    STEP: "flowChartProcess",
    DECISION: "flowChartDecision",
    END: "flowChartTerminator",
}


@cache
def lkjpd() -> SopTable:
    return table_of(diagram.read(FILE.read_bytes()))


def state(version: int = 0) -> State:
    return State(sha256=diagram.read(FILE.read_bytes()).sha256, url=URL, version=version)


@cache
def printed(kind: str, version: int = 0) -> bytes:
    return sop_document(lkjpd(), {}, state(version), kind)


def squeezed(text: str) -> str:
    """Without the spaces, which a page sets as it needs them."""
    return re.sub(r"[\s\u200b]+", "", text)


def pages_of(data: bytes) -> list[str]:
    return [squeezed(page.extract_text()) for page in PdfReader(io.BytesIO(data)).pages]


def grid(data: bytes) -> list[list[Any]]:
    """The cells of a DOCX's procedure table, row by row, without the heads."""
    table = docx.Document(io.BytesIO(data)).tables[-1]
    return [list(row.cells) for row in table.rows[3:]]


def shapes(cell: Any) -> list[tuple[str, bool]]:
    """(preset form, whether its outline is dashed) of what is anchored in a cell, lines aside."""
    found = []
    for shape in cell._tc.iter(f"{WPS}wsp"):
        preset = shape.find(f"{WPS}spPr/{A}prstGeom")
        if preset is not None and preset.get("prst") != "straightConnector1":
            found.append((preset.get("prst"), shape.find(f".//{A}prstDash") is not None))
    return found


# Every fact of the SOP

IDENTITY = [one for one in SOP if one not in ("pelaksana", "langkah") and SOP[one]]


@pytest.mark.parametrize("fact", IDENTITY)
def test_the_identity_part_stands_on_the_first_page_and_in_the_word_file(fact: str) -> None:
    document = docx.Document(io.BytesIO(printed("docx")))
    cells = [c.text for table in document.tables[:-1] for row in table.rows for c in row.cells]
    said = squeezed("\n".join(cells))
    for one in SOP[fact] if isinstance(SOP[fact], list) else [SOP[fact]]:
        assert squeezed(one) in pages_of(printed("pdf"))[0]
        assert squeezed(one) in said


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"langkah_{step['no']}")
def test_every_cell_of_a_step_stands_in_every_form(step: dict[str, Any]) -> None:
    whole = "".join(pages_of(printed("pdf")))
    row = next(cells for cells in grid(printed("docx")) if cells[0].text == str(step["no"]))
    sheet = load_workbook(io.BytesIO(printed("xlsx")))["Prosedur"]
    line = [cell.value or "" for cell in sheet[3 + step["no"]]]
    assert squeezed(f"{step['no']}{step['uraian']}") in whole
    for place, name in ((1, "uraian"), (6, "kelengkapan"), (7, "waktu"), (8, "output"), (9, "keterangan")):
        assert squeezed(step[name]) in whole
        assert row[place].text == line[place] == step[name]


def test_the_cells_of_a_row_stand_side_by_side_in_the_pdf() -> None:
    whole = "".join(pages_of(printed("pdf")))
    for step in STEPS:
        cells = [step[name] for name in ("uraian", "kelengkapan", "waktu", "output", "keterangan")]
        assert squeezed(f"{step['no']}{''.join(cells)}") in whole


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"langkah_{step['no']}")
def test_the_symbol_of_a_step_is_drawn_in_the_column_of_its_performer(step: dict[str, Any]) -> None:
    kind = DECISION if step["no"] == 7 else {1: START, 9: END}.get(step["no"], STEP)
    row = next(cells for cells in grid(printed("docx")) if cells[0].text == str(step["no"]))
    drawn = [shapes(cell) for cell in row[2:6]]
    assumed = step["pelaksana_asumsi"]
    expected = [[(PRESETS[kind], assumed)] if name == step["pelaksana"] else [] for name in SOP["pelaksana"]]
    assert drawn == expected
    sheet = load_workbook(io.BytesIO(printed("xlsx")))["Prosedur"]
    words = [sheet.cell(3 + step["no"], 3 + n).value for n in range(4)]
    assert [bool(one) for one in words] == [name == step["pelaksana"] for name in SOP["pelaksana"]]
    assert ("belum dikonfirmasi" in "".join(filter(None, words))) == assumed


def test_the_pdf_shows_ink_where_the_symbols_are_and_nowhere_else_in_their_columns() -> None:
    """The picture of the pages, asked at the left border of where a symbol of each column would stand."""
    laid = Laid(lkjpd(), state(1))
    pictures = [Image.open(io.BytesIO(one)).convert("L") for one in sop.set_in(laid, "png")]
    scale = pictures[0].width / laid.size[0]
    left = sop.MARGIN + laid.widths[0] + laid.widths[1]
    for picture, page in zip(pictures[1:], laid.pages, strict=True):
        for symbol in page.symbols:
            if symbol.kind not in (STEP, START, END) or symbol.assumption:
                continue
            for column in range(4):
                x = (left + laid.column * (column + 0.5) - symbol.width / 2) * scale
                y = (11 + laid.head + symbol.y + symbol.height / 4) * scale
                if symbol.kind != STEP:
                    y = (11 + laid.head + symbol.y) * scale
                ink = min(picture.getpixel((round(x) + dx, round(y))) for dx in (-2, -1, 0, 1, 2))
                across = any(
                    a[1] == b[1] and abs(a[1] - symbol.y) < 2 and min(a[0], b[0]) <= laid.column * (column + 0.5)
                    for line in page.lines
                    for a, b in pairwise(line.points)
                )
                if column == symbol.column:
                    assert ink < 100, (symbol, column)
                elif not across:
                    assert ink > 200, (symbol, column)


def test_heads_and_numbers_of_the_columns_stand_on_every_page_of_the_table() -> None:
    _identity, *pages = pages_of(printed("pdf"))
    heads = squeezed("No Uraian Prosedur Pelaksana Mutu Baku Keterangan" + "".join(SOP["pelaksana"]))
    assert len(pages) > 1
    for text in pages:
        assert heads in text and "KelengkapanWaktuOutput12345678910" in text
    rows = docx.Document(io.BytesIO(printed("docx"))).tables[-1].rows
    repeated = [row._tr.find(f"{W}trPr/{W}tblHeader") is not None for row in rows]
    assert repeated == [True] * 3 + [False] * (len(rows) - 3)


def test_what_is_assumed_is_marked_beside_its_symbol_and_said_under_the_table() -> None:
    last = pages_of(printed("pdf"))[-1]
    assert last.count("asumsi") == 3 and squeezed("langkah 8 dan 9 adalah asumsi, belum dikonfirmasi") in last
    document = docx.Document(io.BytesIO(printed("docx")))
    assert any("belum dikonfirmasi" in one.text for one in document.paragraphs)


# Draft, version, hash, QR


def test_a_draft_is_marked_on_every_page_and_a_version_is_not() -> None:
    assert all("DRAF" in page for page in pages_of(printed("pdf")))
    assert not any("DRAF" in page for page in pages_of(printed("pdf", 3)))
    for version, marked in ((0, True), (3, False)):
        with zipfile.ZipFile(io.BytesIO(printed("docx", version))) as package:
            heads = [package.read(one).decode() for one in package.namelist() if "header" in one]
        assert any('string="DRAF"' in one for one in heads) == marked


def test_every_page_says_version_hash_address_and_its_number() -> None:
    pages = pages_of(printed("pdf", 3))
    sha256 = state().sha256
    for number, text in enumerate(pages, 1):
        assert f"Versi3.Sidikdigital(SHA-256){sha256[:12]}" in text
        assert sha256 in text and f"{URL}/verifikasi/sop/{sha256}" in text
        assert f"Halaman{number}dari{len(pages)}" in text
    footer = docx.Document(io.BytesIO(printed("docx", 3))).sections[0].footer
    said = "\n".join(cell.text for cell in footer.tables[0].rows[0].cells)
    assert "Versi 3" in said and sha256 in said and f"{URL}/verifikasi/sop/{sha256}" in said
    codes = [one.text.strip() for one in footer._element.iter(f"{W}instrText")]
    assert codes == ["PAGE", "NUMPAGES"]


def modules(picture: Image.Image, size: int, border: int) -> list[list[bool]]:
    """A QR code read back from its picture: which of its modules are dark."""
    grey = picture.convert("L")
    scale = grey.width / (size + 2 * border)
    return [
        [grey.getpixel((int((x + border + 0.5) * scale), int((y + border + 0.5) * scale))) < 128 for x in range(size)]
        for y in range(size)
    ]


def test_the_qr_code_of_every_page_holds_the_public_address() -> None:
    code = segno.make(f"{URL}/verifikasi/sop/{state().sha256}", error="m", micro=False)
    meant = [[bool(one) for one in row] for row in code.matrix]
    pages = PdfReader(io.BytesIO(printed("pdf"))).pages
    pictures = [image.image for page in pages for image in page.images]
    assert len(pictures) == len(pages)
    with zipfile.ZipFile(io.BytesIO(printed("docx"))) as package:
        found = [package.read(one) for one in package.namelist() if one.startswith("word/media/")]
    pictures += [Image.open(io.BytesIO(one)) for one in found]
    assert len(found) == 1
    for picture in pictures:
        assert picture is not None and modules(picture, len(meant), 4) == meant


@pytest.mark.parametrize("kind", sop.KINDS)
def test_the_same_input_gives_the_same_bytes(kind: str) -> None:
    assert sop_document(lkjpd(), {}, state(), kind) == sop_document(lkjpd(), {}, state(), kind)


def test_a_unit_prints_its_own_number_dates_and_ratifier() -> None:
    own = {"nomorSop": "900/7/2026", "disahkanOleh": "CAMAT PAMOTAN", "dasarHukum": "Perbup 1.\nPerbup 2."}
    facts = {f"sop.{name}": value for name, value in own.items()}
    first = pages_of(sop_document(lkjpd(), facts, state(2)))[0]
    assert "900/7/2026" in first and "CAMATPAMOTAN" in first and "1.Perbup1.2.Perbup2." in first
    assert squeezed(SOP["nomor_sop"]) not in first and squeezed(SOP["nama_sop"]) in first


def test_a4_and_f4_lie_on_their_side() -> None:
    for paper, (width, height) in sop.PAPERS.items():
        for page in PdfReader(io.BytesIO(sop_document(lkjpd(), {}, state(), paper=paper))).pages:
            box = page.mediabox
            assert (round(box.width * 25.4 / 72), round(box.height * 25.4 / 72)) == (width, height)


@pytest.mark.parametrize("kind", ["docx", "xlsx"])
def test_what_is_exported_is_imported_as_the_same_table(kind: str) -> None:
    [found] = sop_import.read(printed(kind), f"sop.{kind}")
    assert found.table is not None and found.findings == ()
    names = {one.id: one.name for one in (*found.table.performers, *lkjpd().performers)}
    assert [one.name for one in found.table.performers] == SOP["pelaksana"]
    for row, back in zip(lkjpd().rows, found.table.rows, strict=True):
        assert names[back.performer] == names[row.performer]
        for name in ("number", "uraian", "symbol", "then", "back_to", "kelengkapan", "waktu", "norm", "output",
                     "assumption"):
            assert getattr(back, name) == getattr(row, name)
        assert back.keterangan == row.keterangan
    for one in fields(Identity):
        if one.name != "judul_berkas":  # which no SOP says on paper
            assert getattr(found.table.identity, one.name) == getattr(lkjpd().identity, one.name)


# The flowchart, by arithmetic


def table(performers: int, rows: list[dict[str, Any]], name: str = "Contoh") -> SopTable:
    return settled(
        SopTable(
            key="contoh",
            name=name,
            identity=Identity(nama_sop=name),
            performers=tuple(Performer(id=f"p{n}", name=f"Pelaksana {n}") for n in range(performers)),
            rows=tuple(
                SopRow(**{"number": n, "uraian": f"Melakukan {n}", "name": f"Melakukan {n}", "performer": "p0", **row})
                for n, row in enumerate(rows, 1)
            ),
        )
    )


@st.composite
def tables(draw: st.DrawFn) -> SopTable:
    performers, count = draw(st.integers(1, 8)), draw(st.integers(2, 25))
    rows: list[dict[str, Any]] = []
    for number in range(1, count + 1):
        row: dict[str, Any] = {"performer": f"p{draw(st.integers(0, performers - 1))}"}
        if number > 1 and draw(st.integers(0, 3)) == 0:
            row |= {"symbol": DECISION, "back_to": draw(st.integers(1, number - 1))}
        rows.append(row)
    return table(performers, rows)


def crosses(symbol: Symbol, a: tuple[float, float], b: tuple[float, float]) -> bool:
    """Whether a piece of a line runs through the inside of a symbol's box."""
    slack = 0.05
    return (
        min(a[0], b[0]) < symbol.x + symbol.width / 2 - slack
        and max(a[0], b[0]) > symbol.x - symbol.width / 2 + slack
        and min(a[1], b[1]) < symbol.y + symbol.height / 2 - slack
        and max(a[1], b[1]) > symbol.y - symbol.height / 2 + slack
    )


def at(page: Page, point: tuple[float, float]) -> Symbol:
    """The symbol on whose border a line begins or ends."""
    found = [
        one
        for one in page.symbols
        if (abs(abs(point[0] - one.x) - one.width / 2) < 0.03 and abs(point[1] - one.y) < 0.03)
        or (abs(abs(point[1] - one.y) - one.height / 2) < 0.03 and abs(point[0] - one.x) < 0.03)
    ]
    assert len(found) == 1, (point, found)
    return found[0]


def overlap(one: Line, other: Line) -> bool:
    """Whether two lines run along the same track for a while."""
    for a, b in pairwise(one.points):
        for c, d in pairwise(other.points):
            for axis in (0, 1):
                along = 1 - axis
                same = a[axis] == b[axis] == c[axis] == d[axis]
                low = max(min(a[along], b[along]), min(c[along], d[along]))
                if same and low + 0.1 < min(max(a[along], b[along]), max(c[along], d[along])):
                    return True
    return False


@dataclass
class Drawn:
    """A flowchart over rows whose heights were not measured."""

    table: SopTable
    column: float
    room: float
    pages: tuple[Page, ...]


def judge(laid: Laid | Drawn) -> None:
    """What holds of every flowchart."""
    drawn: list[tuple[int, int | None]] = []
    for page in laid.pages:
        wide = laid.column * len(laid.table.performers)
        tall = page.top + sum(band.height for band in page.bands) + page.bottom
        assert tall <= laid.room + 0.01
        for band in page.bands:
            if band.first:
                [symbol] = [one for one in page.symbols if one.row == band.row.number]
                assert laid.table.performers[symbol.column].id == band.row.performer
                assert symbol.kind == band.row.symbol
        for line in page.lines:
            assert all((a[0] == b[0]) != (a[1] == b[1]) for a, b in pairwise(line.points)), line
            assert all(0 <= x <= wide and 0 <= y <= tall for x, y in line.points)
            begin, end = at(page, line.points[0]), at(page, line.points[-1])
            assert begin is not end
            for symbol in page.symbols:
                assert not any(crosses(symbol, a, b) for a, b in pairwise(line.points)), (line, symbol)
            if begin.row is not None:
                assert begin.row == line.row
                drawn.append((begin.row, line.to))
            if end.row is not None:
                assert end.row == line.to
        for one, other in combinations(page.lines, 2):
            assert at(page, one.points[-1]) is at(page, other.points[-1]) or not overlap(one, other), (one, other)
        letters = Counter((one.text, one.y < page.top) for one in page.symbols if one.kind == CONNECTOR)
        assert all(count == 1 for count in letters.values())
    meant = [
        (row.number, target)
        for row in laid.table.rows
        for _answer, target in laid.table.following(row)
        if target is not None or row.symbol == DECISION
    ]
    assert sorted(drawn, key=str) == sorted(meant, key=str)


def test_the_flowchart_of_the_sop_is_sound_and_returns_to_step_5_by_tidak() -> None:
    laid = Laid(lkjpd(), state())
    judge(laid)
    labels = {(line.row, line.to): line.label for page in laid.pages for line in page.lines if line.label}
    assert labels == {(7, 8): "Ya", (7, 5): "Tidak"}
    assert [[band.row.number for band in page.bands] for page in laid.pages] == [[1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_a_flow_that_crosses_pages_goes_through_connectors_with_one_letter() -> None:
    first, second = Laid(lkjpd(), state()).pages
    for page, strip in ((first, first.bottom), (second, second.top)):
        assert strip and [one.text for one in page.symbols if one.kind == CONNECTOR] == ["A"]
    connectors = [shapes(cell) for row in grid(printed("docx")) if row[0].text == "" for cell in row[2:6]]
    assert [one for one in connectors if one] == [[("flowChartOffpageConnector", False)]] * 2


# The same tables every time: among millions there are some so tangled that two lines must share a track.
@settings(max_examples=40, deadline=None, derandomize=True)
@given(tables(), st.randoms(use_true_random=False))
def test_any_flowchart_is_orthogonal_whole_and_runs_through_no_symbol(one: SopTable, chance: Random) -> None:
    column, room = min(22.0, 273 * 0.51 / len(one.performers)), 135.0
    bands = [
        Band(height=max(flowchart.least_height(one, row), chance.choice([17.0, 20.0, 28.0, 45.0])), row=row)
        for row in one.rows
    ]
    judge(Drawn(one, column, room, flowchart.pages(one, bands, room, column)))


def test_the_words_beside_a_decision_are_struck_by_no_line() -> None:
    laid = Laid(lkjpd(), state())
    for page in laid.pages:
        for labelled in (line for line in page.lines if line.label):
            x, y, width, height = labelled.label_at
            box = Symbol(kind="", x=x + width / 2, y=y + height / 2, width=width, height=height, column=0)
            assert not any(crosses(box, a, b) for line in page.lines for a, b in pairwise(line.points)), labelled


@pytest.mark.parametrize("count", [1, 2, 25, 80])
def test_short_and_long_tables_print_whole(count: int) -> None:
    rows: list[dict[str, Any]] = [
        {"performer": f"p{n % 3}", "uraian": f"Mengerjakan-bagian-{n}.", "waktu": "1 hari"}
        for n in range(1, count + 1)
    ]
    if count > 20:
        rows[-3] |= {"symbol": DECISION, "back_to": 2}
    laid = Laid(table(3, rows), state(1))
    judge(laid)
    pages = pages_of(sop.pdf(laid))
    assert len(pages) == 1 + len(laid.pages)
    assert all("".join(pages).count(f"Mengerjakan-bagian-{n}.") == 1 for n in range(1, count + 1))
    numbers = [cells[0].text for cells in grid(sop_document(laid.table, {}, state(1), "docx")) if cells[0].text]
    assert numbers == [str(n) for n in range(1, count + 1)]


def test_a_decision_at_either_end_has_its_kapsul_too() -> None:
    rows: list[dict[str, Any]] = [
        {"symbol": DECISION, "back_to": 2, "then": 3}, {"performer": "p1"}, {"symbol": DECISION, "back_to": 1},
    ]
    laid = Laid(table(2, rows), state())
    judge(laid)
    assert Counter(one.kind for page in laid.pages for one in page.symbols) == {DECISION: 2, STEP: 1, START: 1, END: 1}


# Hostile words

HOSTILE = [
    '#panic("x") #set page(width: 1cm) #read("/etc/passwd") $x^2$ *a* _b_ `c` @ref <label> \\ // /* "]',
    "</w:t></w:r><w:p/> & <script>alert(1)</script> ]]> &amp; '\"",
    "=HYPERLINK(\"http://x\") +1 -1 @SUM(A1)",
    "مرحبا بالعالم \u202eterbalik 😀 👩‍👩‍👧 日本語 ก็",
    "x" * 3000,
    "kata " * 700,
    "/".join(["tanpaspasi"] * 300),
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("kind", sop.KINDS)
def test_hostile_words_stay_words(text: str, kind: str) -> None:
    rows = [
        {"uraian": text, "kelengkapan": text, "waktu": text[:200], "output": text, "keterangan": text},
        {"uraian": "Selesai", "performer": "p1"},
    ]
    one = table(2, rows, text[:300])
    one = settled(
        replace(
            one,
            performers=tuple(replace(p, name=f"{text[:90]} {n}") for n, p in enumerate(one.performers)),
            identity=Identity(**dict.fromkeys(("pemerintah", "unit", "nomor_sop", "disahkan_oleh"), text[:400]),
                              nama_sop=text[:300], peringatan=(text[:1000], text[:1000])),
        )
    )
    data = sop_document(one, {}, state(), kind)
    assert len(data) < 3_000_000
    if kind == "pdf":
        whole = "".join(pages_of(data))
        if text.isascii():
            assert squeezed(one.rows[0].uraian)[:60] in whole
        assert all(round(page.mediabox.width * 25.4 / 72) == 297 for page in PdfReader(io.BytesIO(data)).pages)
    elif kind == "docx":
        assert grid(data)[0][1].text == one.rows[0].uraian
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            for name in package.namelist():
                if name.endswith((".xml", ".rels")):
                    etree.fromstring(package.read(name))
    else:
        cell = load_workbook(io.BytesIO(data))["Prosedur"]["B4"]
        assert (cell.value, cell.data_type) == (one.rows[0].uraian, "s")


def test_a_row_higher_than_a_page_goes_on_over_the_next_and_loses_no_word() -> None:
    words = " ".join(f"kata{n}" for n in range(570))
    laid = Laid(table(2, [{"uraian": words}, {"performer": "p1"}]), state(1))
    judge(laid)
    pages = pages_of(sop.pdf(laid))
    assert len(pages) > 2 and any("1(lanjutan)" in one for one in pages)
    whole = "".join(pages)
    assert all(f"kata{n}" in whole for n in range(570))


# The command, and the page


def ask(*words: str | Path) -> int:
    return run(command_line, [str(one) for one in words])


@pytest.mark.parametrize("kind", sop.KINDS)
def test_a_file_is_exported_as_a_draft_without_a_database(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ALUR_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("ALUR_URL", URL)
    out = tmp_path / f"sop.{kind}"
    assert ask("sop", "export", FILE, out, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert out.read_bytes() == printed(kind) and told["bytes"] == len(out.read_bytes())
    assert (told["version"], told["address"]) == (0, state().address)
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("{file}", "{folder}/sop.odt"), 2),
        (("{file}", "{folder}/nowhere/sop.pdf"), 2),
        (("nowhere.bpmn", "{folder}/sop.pdf"), 2),
        (("{file}", "{folder}/sop.pdf", "--unit", "x"), 2),
        (("{parallel}", "{folder}/sop.pdf"), 1),
    ],
)
def test_what_cannot_be_exported_is_said_and_nothing_is_written(
    words: tuple[str, ...], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALUR_DATA_DIR", str(tmp_path / "var"))
    parallel = Path(__file__).parents[1] / "diagrams" / "parallel.bpmn"
    filled = [one.format(file=FILE, folder=tmp_path, parallel=parallel) for one in words]
    assert ask("sop", "export", *filled) == code
    assert list(tmp_path.iterdir()) == []


@pytest.mark.database
def test_a_deployed_process_is_exported_with_the_data_of_its_unit_and_what_it_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ALUR_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("ALUR_URL", URL)
    for words in (
        ("migrate",),
        ("deploy", FILE, "--reason", "Pertama"),
        ("unit", "add", "kec", "Kantor Kecamatan", "--government", "Kabupaten"),
        ("unit", "allow", "kec", LKJPD, "--fact", "sop.nomorSop=01/SOP/2026"),
        ("unit", "add", "lain", "Kantor Lain", "--government", "Kabupaten"),
    ):
        assert ask(*words) == 0
    out = tmp_path / "sop.pdf"
    for extra in ((), ("--unit", "kec"), ("--version", "1")):
        assert ask("sop", "export", LKJPD, out, *extra) == 0
        assert out.read_bytes() == sop_document(lkjpd(), {"sop.nomorSop": "01/SOP/2026"}, state(1))
    for wrong in ((LKJPD, out, "--unit", "lain"), (LKJPD, out, "--version", "2"), ("tidak_ada", out)):
        capsys.readouterr()
        assert ask("sop", "export", *wrong, "--json") == 1
        assert json.loads(capsys.readouterr().out)["error"]["code"] == "unknown"


@pytest.mark.database
def test_a_performer_that_the_unit_confirmed_is_no_assumption_any_more(desk: Desk) -> None:
    with desk.database.read() as db:
        newest = definitions.newest(db, LKJPD)
        assert newest is not None
        definition = definitions.get(db, newest.sha256)
        before = [row.number for row in sop_out.of_unit(db, definition, LASEM).table.rows if row.assumption]
    act = ConfirmReading(
        key=LKJPD, unit=LASEM, subject="langkah_8", value="tim_penyusun", basis="SK 1", dated="2026-12-01"
    )
    with desk.database.begin() as db:
        organise.change(db, KEY, Change(id="konfirmasi-8", act=act, actor=SYSTEM, at=OPENING))
    with desk.database.read() as db:
        after = [row.number for row in sop_out.of_unit(db, definition, LASEM).table.rows if row.assumption]
    assert (before, after) == ([8, 9], [9])


on_sqlite = pytest.mark.parametrize("desk_url", ["sqlite"], indirect=True)


@pytest.mark.database
@on_sqlite
@pytest.mark.parametrize("kind", ["pdf", "docx"])
def test_the_sop_of_an_instance_is_downloaded_from_its_page_with_its_units_own_data(desk: Desk, kind: str) -> None:
    page = desk.reader("tim1").get(f"/proses/{desk.waiting_at(3)}")
    [link] = page.page.xpath(f"//a[contains(@href, 'sop.{kind}')]/@href")
    answer = page.get(link).response
    assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
    with desk.database.read() as db:
        newest = definitions.newest(db, LKJPD)
        assert newest is not None
        sheet = sop_out.of_unit(db, definitions.get(db, newest.sha256), LASEM)
    whole = State(sha256=newest.sha256, url=desk.app.extensions["alur"].settings.url, version=newest.version)
    assert sheet.version == newest.version == 1
    assert answer.data == sop_document(sheet.table, sheet.facts, whole, kind)


@pytest.mark.database
@on_sqlite
def test_nobody_gets_an_sop_without_signing_in_or_of_no_instance(desk: Desk) -> None:
    assert desk.reader("penerima").get("/proses/00000000-0000-4000-8000-000000000000/sop.pdf").status == 404
    assert desk.reader().get(f"/proses/{desk.waiting_at(3)}/sop.pdf").path.startswith("/masuk")
