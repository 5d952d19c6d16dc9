"""Tables out of the files of offices: Excel and Word with symbols drawn in them, pasted text, ZIPs, hostile ones."""

from __future__ import annotations

import io
import json
import socket
import zipfile
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest
from docx.oxml import parse_xml
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import diagram
from engine.__main__ import alur
from engine.sop_drawing import draw
from engine.sop_import import MOST_LINES, Imported, read
from engine.sop_table import DECISION, END, PROPERTIES, START, STEP, SopTable, table_of
from engine.terminal import run
from tests.story import LKJPD

SOP = json.loads((Path(__file__).parents[1] / "data" / "sop-penyusunan-lkjpd.json").read_text(encoding="utf-8"))
STEPS = SOP["langkah"]
SHIPPED = table_of(diagram.read(LKJPD.read_bytes()))
COLUMNS = ["No", "Uraian Prosedur", "Pelaksana", "", "", "", "Mutu Baku", "", "", "Keterangan"]
BELOW = ["", "", *SOP["pelaksana"], "Kelengkapan", "Waktu", "Output", ""]
VALUES = {"NOMOR SOP": "nomor_sop", "TANGGAL PEMBUATAN": "tanggal_pembuatan", "TANGGAL REVISI": "tanggal_revisi",
          "TANGGAL PENGESAHAN": "tanggal_pengesahan", "DISAHKAN OLEH": "disahkan_oleh", "NAMA SOP": "nama_sop"}
BOXES = [("DASAR HUKUM", "dasar_hukum", "KUALIFIKASI PELAKSANA", "kualifikasi_pelaksana"),
         ("KETERKAITAN", "keterkaitan", "PERALATAN/PERLENGKAPAN", "peralatan_perlengkapan"),
         ("PERINGATAN", "peringatan", "PENCATATAN DAN PENDATAAN", "pencatatan_dan_pendataan")]
W = ('xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
     'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
     'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
     'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
     'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
     'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"')


def only(data: bytes | str, name: str = "sop") -> Imported:
    (found,) = read(data.encode() if isinstance(data, str) else data, name)
    return found


def table(data: bytes | str) -> SopTable:
    found = only(data)
    assert found.table is not None, found.findings
    return found.table


def numbered(items: list[str]) -> str:
    return "".join(f"<li>{n}. {one}</li>" for n, one in enumerate(items, 1))


def cells(step: dict[str, Any], performers: list[str] | None = None) -> list[str]:
    """A row of the SOP's table; what stands under Pelaksana is empty where nothing else is said."""
    return [str(step["no"]), step["uraian"], *(performers or [""] * 4), step["kelengkapan"], step["waktu"],
            step["output"], step["keterangan"]]


def pasted(*rows: list[str]) -> str:
    """The SOP as it was copied out of its document: lists as web pages write them, the head on every page."""
    lines = [f"**{SOP['pemerintah']}  ", f"{SOP['unit']}**", "", "**STANDAR OPERASIONAL PROSEDUR  ",
             f"{SOP['nama_sop']}**", "", SOP["pemerintah"], ""]
    lines += [f"{label}\t:\t{SOP[name]}" for label, name in VALUES.items()]
    for left, one, right, other in BOXES:
        lines += ["", f"{left} :\t{right} :", f"<ol>{numbered(SOP[one])}</ol>\t<ol>{numbered(SOP[other])}</ol>"]
    head = ["\t".join(COLUMNS), "\t".join(BELOW), "\t".join(map(str, range(1, 11)))]
    written = ["\t".join(one) for one in rows or [cells(step) for step in STEPS]]
    return "\n".join([*lines, "", *head, *written[:4], "", *head, *written[4:]])


# --- The SOP's own text ----------------------------------------------------------------------------------------------


def told(one: SopTable) -> list[tuple[Any, ...]]:
    names = {performer.id: performer.name for performer in one.performers}
    return [(row.number, row.uraian, names[row.performer], row.symbol, row.back_to, row.then, row.norm, row.kelengkapan,
             row.waktu, row.output, row.keterangan) for row in one.rows]


def test_the_text_of_the_sop_gives_the_shipped_table() -> None:
    one = table(pasted())
    assert told(one) == told(SHIPPED)
    assert [performer.name for performer in one.performers] == SOP["pelaksana"]
    assert {name: getattr(one.identity, name) for name in PROPERTIES if name in SOP} == {
        name: tuple(value) if isinstance(value, list) else value for name, value in SOP.items() if name in PROPERTIES}


def test_the_text_of_the_sop_is_drawn_as_the_shipped_diagram() -> None:
    drawn, shipped = diagram.read(draw(table(pasted()))), diagram.read(LKJPD.read_bytes())
    assert diagram.check(draw(table(pasted()))) == ()
    names = [{lane.id: lane.name for lane in one.lanes} for one in (drawn, shipped)]
    elements = [{id: (e.kind, names[n].get(e.lane or ""), e.timer and e.timer.expression)
                 for id, e in one.elements.items()} for n, one in enumerate((drawn, shipped))]
    assert elements[0] == elements[1]
    assert {id: (f.source, f.target, f.condition) for id, f in drawn.flows.items()} == {
        id: (f.source, f.target, f.condition) for id, f in shipped.flows.items()}


def test_every_performer_that_was_inferred_is_an_assumption_with_its_reason() -> None:
    one = table(pasted())
    assert all(row.assumption for row in one.rows)
    reasons = {guess.row: guess.message for guess in one.guesses if "diasumsikan" in guess.message}
    assert set(reasons) == set(range(1, 10))
    assert "penerima pada langkah sebelumnya" in reasons[6]
    assert "kolom pelaksana tersusun menurut urutan kegiatan" in reasons[3]
    assert any(guess.row == 7 and "kembali ke langkah 5" in guess.message for guess in one.guesses)


def test_drawn_over_the_shipped_diagram_only_the_assumptions_are_new() -> None:
    now = diagram.read(draw(table(pasted()), LKJPD.read_bytes()))
    shipped = diagram.read(LKJPD.read_bytes())
    assert (now.key, [lane.id for lane in now.lanes]) == (shipped.key, [lane.id for lane in shipped.lanes])
    assert {id: one.form for id, one in now.elements.items()}.keys() == shipped.elements.keys()
    assert [[field.id for field in one.form] for one in now.elements.values()] == [
        [field.id for field in one.form] for one in shipped.elements.values()]


# --- Marks that are typed --------------------------------------------------------------------------------------------

PATH = [0, 1, 2, 3, 2, 1, 0, 2, 2]


def marked(n: int, mark: str) -> list[str]:
    return [mark if place == PATH[n] else "" for place in range(4)]


def test_marks_under_performers_are_no_guesses() -> None:
    rows = [cells(step, marked(n, "◇" if n == 6 else "✓")) for n, step in enumerate(STEPS)]
    one = table(pasted(*rows))
    assert told(one) == told(SHIPPED)
    assert not any(row.assumption for row in one.rows)


def test_performers_may_stand_in_a_column_of_their_own() -> None:
    head = "No\tKegiatan\tPelaksana\tKelengkapan\tWaktu\tOutput\tKet"
    one = table("\n".join([head, "1\tMenulis surat\tStaf\t\t10 menit\tSurat\t",
                           "2\tMenandatangani\tCamat\tSurat\t1 jam\tSurat\tJika tidak setuju kembali ke Staf"]))
    assert [(row.performer, row.symbol, row.back_to) for row in one.rows] == [
        ("staf", START, None), ("camat", DECISION, 1)]


def test_a_row_without_number_goes_on_with_the_one_above() -> None:
    head = "No\tUraian\tStaf\tCamat\tKelengkapan\tWaktu\tOutput\tKeterangan"
    rows = ["1\ta. Menulis.\tx\t\tKonsep\t1 hari\tSurat\t", "\tb. Membaca.\t\t\t\t\tArsip\t", "2\tSelesai\t\tx"]
    one = table("\n".join([head, *rows]))
    assert [(row.uraian, row.output) for row in one.rows] == [("a. Menulis.\nb. Membaca.", "Surat\nArsip"),
                                                             ("Selesai", "")]


def test_a_table_between_bars_is_a_table() -> None:
    head = "| No | Uraian | Staf | Camat | Kelengkapan | Waktu | Output | Keterangan |"
    rows = ["| 1 | Menulis surat | x | | Konsep A\\|B | 1 hari | Surat | |",
            "| 2 | Menandatangani | | ◇ | Surat | 1 jam | Surat | Jika tidak, kembali ke langkah 1 |"]
    one = table("\n".join([head, "|---|:---|---|---|---|---|---|---|", *rows]))
    assert [(row.uraian, row.performer, row.symbol, row.back_to, row.kelengkapan, row.output) for row in one.rows] == [
        ("Menulis surat", "staf", START, None, "Konsep A|B", "Surat"),
        ("Menandatangani", "camat", DECISION, 1, "Surat", "Surat")]


def test_a_cell_of_several_lines_comes_whole_out_of_a_sheet() -> None:
    head = "No\tUraian\tStaf\tCamat\tKelengkapan\tWaktu\tOutput\tKeterangan"
    row = '1\t"a. Menulis ""konsep"".\nb. Membaca."\tx\t\t"Konsep\nATK"\t1 hari\tSurat\t'
    one = table("\r\n".join([head, row, '2\t"Menutup" rapat\t\tx\t\t1 jam\t\t']))
    assert [(row.uraian, row.kelengkapan) for row in one.rows] == [
        ('a. Menulis "konsep".\nb. Membaca.', "Konsep\nATK"), ('"Menutup" rapat', "")]


def test_what_stands_beside_a_symbol_in_words_is_read_before_anything_is_guessed() -> None:
    head = "No\tUraian\tStaf\tCamat\tKelengkapan\tWaktu\tOutput\tKeterangan"
    rows = ["1\tMenulis\tkapsul\t\t\t1 hari\t\t", "2\tMemeriksa\t\tkotak ke langkah 4\t\t1 hari\t\t",
            "3\tMenambah\tkotak asumsi, belum dikonfirmasi\t\t\t1 hari\t\t",
            "4\tMemutus\t\tbelah ketupat Ya: langkah 5 Tidak: langkah 3\t\t1 hari\t\t", "5\tTamat\tkapsul\t\t\t\t\t"]
    one = table("\n".join([head, *rows]))
    assert [(row.then, row.back_to, row.assumption) for row in one.rows] == [
        (None, None, False), (4, None, False), (None, None, True), (None, 3, False), (None, None, False)]
    assert [guess.row for guess in one.guesses] == [None]      # only that the SOP has no name


# --- Word ------------------------------------------------------------------------------------------------------------


def floating(preset: str, offset: int = 0) -> Any:
    """A shape as newer Word draws it, with the older drawing beside it."""
    return parse_xml(
        f'<w:r {W}><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:anchor>'
        f'<wp:positionH relativeFrom="column"><wp:posOffset>{offset}</wp:posOffset></wp:positionH>'
        '<wp:extent cx="300000" cy="200000"/><a:graphic><a:graphicData uri="u"><wps:wsp><wps:spPr>'
        f'<a:prstGeom prst="{preset}"/></wps:spPr></wps:wsp></a:graphicData></a:graphic></wp:anchor></w:drawing>'
        '</mc:Choice><mc:Fallback><w:pict><v:rect/></w:pict></mc:Fallback></mc:AlternateContent></w:r>')


def old_shape(type: int) -> Any:
    return parse_xml(f'<w:r {W}><w:pict><v:shape type="#_x0000_t{type}" o:spid="s"/></w:pict></w:r>')


def word(shape_of: Any, at: Any = None, steps: list[dict[str, Any]] = STEPS) -> bytes:
    """The SOP as a Word file. shape_of(n): what is drawn in row n; at(n): the performer's column that it hangs in."""
    made = docx.Document()
    for line in (SOP["pemerintah"], SOP["unit"], "STANDAR OPERASIONAL PROSEDUR"):
        made.add_paragraph(line)
    identity = made.add_table(rows=0, cols=3)
    for label, name in VALUES.items():
        for cell, text in zip(identity.add_row().cells, (label, ":", SOP[name]), strict=True):
            cell.text = text
    boxes = made.add_table(rows=0, cols=2)
    for left, one, right, other in BOXES:
        for cell, label, name in zip(boxes.add_row().cells, (left, right), (one, other), strict=True):
            cell.text = f"{label} :\n" + "\n".join(f"{n}. {item}" for n, item in enumerate(SOP[name], 1))
    grid = made.add_table(rows=0, cols=10)
    for texts in (COLUMNS, BELOW, [str(n) for n in range(1, 11)], *(cells(step) for step in steps)):
        for cell, text in zip(grid.add_row().cells, texts, strict=True):
            cell.text = text
    head = grid.rows[0].cells
    head[2].merge(head[5])
    head[6].merge(head[8])
    for n, _ in enumerate(steps):
        if (shape := shape_of(n)) is not None:
            cell = grid.rows[n + 3].cells[2 + (PATH[n] if at is None else at(n))]
            cell.paragraphs[0]._p.append(shape)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def preset(n: int) -> str:
    return "flowChartTerminator" if n in (0, 8) else "flowChartDecision" if n == 6 else "flowChartProcess"


def test_shapes_in_word_say_who_performs_and_what_is_decided() -> None:
    one = table(word(lambda n: floating(preset(n))))
    assert told(one) == told(SHIPPED)
    assert not any(row.assumption for row in one.rows)
    assert {guess.row for guess in one.guesses} == {7}          # only where "Tidak" leads was not drawn
    assert {name: getattr(one.identity, name) for name in PROPERTIES if name in SOP} == {
        name: tuple(value) if isinstance(value, list) else value for name, value in SOP.items() if name in PROPERTIES}


def test_shapes_of_older_word_are_read_by_their_type() -> None:
    one = table(word(lambda n: old_shape({0: 116, 8: 116, 6: 110}.get(n, 109))))
    assert told(one) == told(SHIPPED)


def test_a_shape_that_was_moved_to_another_column_counts_there() -> None:
    width = docx.Document(io.BytesIO(word(lambda n: None))).tables[2].columns[0].width
    one = table(word(lambda n: floating(preset(n), offset=width * PATH[n] + width // 4), at=lambda n: 0))
    assert told(one) == told(SHIPPED)


def test_a_connector_between_pages_is_no_step_of_its_own() -> None:
    one = table(word(lambda n: floating(preset(n)) if n != 3 else floating("flowChartOffpageConnector")))
    assert (one.rows[3].performer, one.rows[3].assumption) == ("inspektorat_daerah", True)


# --- Excel -----------------------------------------------------------------------------------------------------------

OPC = "http://schemas.openxmlformats.org"
XDR = ('xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" '
       'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"')


def excel(drawing: str = "", steps: list[dict[str, Any]] = STEPS) -> bytes:
    """The SOP as an Excel file: the head begins in row 8, the steps in row 11."""
    book = openpyxl.Workbook()
    sheet = book.active
    for label, name in VALUES.items():
        sheet.append([label, ":", SOP[name]])
    sheet.append([])
    for texts in (COLUMNS, BELOW, list(range(1, 11)), *(cells(step) for step in steps)):
        sheet.append([int(text) if str(text).isdigit() else text or None for text in texts])
    sheet.merge_cells("C8:F8")
    sheet.merge_cells("G8:I8")
    file = io.BytesIO()
    book.save(file)
    if not drawing:
        return file.getvalue()
    relation = (f'<Relationships xmlns="{OPC}/package/2006/relationships"><Relationship Id="rId1" '
                f'Type="{OPC}/officeDocument/2006/relationships/drawing" Target="../drawings/drawing1.xml"/>'
                '</Relationships>')
    return with_parts(file.getvalue(), {"xl/worksheets/_rels/sheet1.xml.rels": relation,
                                        "xl/drawings/drawing1.xml": f"<xdr:wsDr {XDR}>{drawing}</xdr:wsDr>"})


def with_parts(data: bytes, parts: dict[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.namelist():
            if one not in parts:
                new.writestr(one, old.read(one))
        for name, text in parts.items():
            new.writestr(name, text)
    return file.getvalue()


def over(n: int, column: int, shape: str) -> str:
    """A shape over the cell of a performer, a little off its edges."""
    return (f"<xdr:twoCellAnchor><xdr:from><xdr:col>{column}</xdr:col><xdr:colOff>90000</xdr:colOff>"
            f"<xdr:row>{n + 10}</xdr:row><xdr:rowOff>30000</xdr:rowOff></xdr:from><xdr:to><xdr:col>{column}</xdr:col>"
            f"<xdr:colOff>400000</xdr:colOff><xdr:row>{n + 10}</xdr:row><xdr:rowOff>120000</xdr:rowOff></xdr:to>"
            f'<xdr:sp><xdr:nvSpPr><xdr:cNvPr id="{n + 1}" name="s"/></xdr:nvSpPr><xdr:spPr>'
            f'<a:prstGeom prst="{shape}"/></xdr:spPr></xdr:sp><xdr:clientData/></xdr:twoCellAnchor>')


def connector(one: int, other: int) -> str:
    return ("<xdr:twoCellAnchor><xdr:from><xdr:col>3</xdr:col><xdr:row>5</xdr:row></xdr:from>"
            "<xdr:to><xdr:col>4</xdr:col><xdr:row>6</xdr:row></xdr:to><xdr:cxnSp><xdr:nvCxnSpPr><xdr:cNvCxnSpPr>"
            f'<a:stCxn id="{one}" idx="0"/><a:endCxn id="{other}" idx="0"/></xdr:cNvCxnSpPr></xdr:nvCxnSpPr>'
            "</xdr:cxnSp></xdr:twoCellAnchor>")


SHAPES = "".join(over(n, 2 + PATH[n], preset(n)) for n in range(9))


def test_shapes_over_the_cells_of_excel_say_who_performs() -> None:
    one = table(excel(SHAPES))
    assert told(one) == told(SHIPPED)
    assert one.identity.nomor_sop == SOP["nomor_sop"]


def test_a_connector_says_where_no_leads() -> None:
    one = table(excel(SHAPES + connector(7, 3) + connector(7, 8)))
    assert (one.rows[6].back_to, one.rows[6].then) == (3, None)
    assert one.guesses == ()


def test_without_symbols_excel_is_read_by_its_wording() -> None:
    assert told(table(excel())) == told(SHIPPED)


def test_a_capsule_in_the_middle_ends_only_what_can_end() -> None:
    middle = "".join(over(n, 2 + PATH[n], "flowChartTerminator" if n == 3 else preset(n)) for n in range(9))
    assert [row.symbol for row in table(excel(middle)).rows] == [
        START, STEP, STEP, STEP, STEP, STEP, DECISION, STEP, END]


def test_two_symbols_in_a_row_are_told() -> None:
    one = table(excel(SHAPES + over(1, 4, "flowChartProcess")))
    assert one.rows[1].performer == "sekretaris_pd"
    assert any(guess.row == 2 and "Simbol ada pada" in guess.message for guess in one.guesses)


# --- What is broken, huge or hostile ---------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a file made us look elsewhere")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def zipped(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in parts.items():
            made.writestr(name, data)
    return file.getvalue()


ENTITY = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
BOMB = zipped({f"xl/media/{n}.bin": b"\0" * 20_000_000 for n in range(5)} | {"xl/workbook.xml": b"<x/>"})
GOOD_WORD, GOOD_EXCEL = word(lambda n: None), excel()
HOSTILE = {
    "empty": (b"", "kosong"), "spaces": (b"  \n ", "kosong"), "no head": (b"halo\tdunia\n1\t2", "Kepala tabel"),
    "binary": (b"\x7fELF\x00\x00\x01", "bukan Excel"), "pdf": (b"%PDF-1.7", "PDF"),
    "old office": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "Office lama"),
    "cut word": (GOOD_WORD[:900], "rusak"), "cut excel": (GOOD_EXCEL[: len(GOOD_EXCEL) // 2], "rusak"),
    "bomb": (BOMB, "terlalu banyak"),
    "entity in word": (with_parts(GOOD_WORD, {"word/document.xml": ENTITY}), "DOCTYPE"),
    "entity in excel": (with_parts(GOOD_EXCEL, {"xl/sharedStrings.xml": ENTITY}), "DOCTYPE"),
    "entity in wide letters": (with_parts(GOOD_WORD, {"word/styles.xml": ENTITY.decode().encode("utf-16")}), "DOCTYPE"),
    "not xml": (with_parts(GOOD_WORD, {"word/document.xml": b"<w:document"}), "rusak"),
    "not xml in excel": (with_parts(GOOD_EXCEL, {"xl/worksheets/sheet1.xml": b"<worksheet"}), "rusak"),
    "lines": (b"x\ty\n" * 10_000, "10001 baris"),
    "columns": (("No\tUraian" + "\tx" * 500).encode(), "kolom"),
    "excel lines": (excel(steps=[STEPS[0]] * (MOST_LINES + 5)), "baris"),
    "word lines": (with_parts(GOOD_WORD, {"word/document.xml": b"<w:tr >" * 10_000}), "10000 baris"),
    "steps": (pasted(*(cells({**STEPS[0], "no": n}) for n in range(1, 100))).encode(), "lebih dari 80 langkah"),
    "no steps": (pasted().split("\n1\t")[0].encode(), "tidak memuat langkah"),
    "no performer names": (b"No\tUraian\tPelaksana\tKelengkapan\tWaktu\n1\tMenulis\t\t\t1 hari", "Nama pelaksana"),
    "nothing in the zip": (zipped({"__MACOSX/x": b"1"}), "tidak memuat berkas"),
    "no uraian": (b"No\tUraian\tStaf\tCamat\tWaktu\n1\t\tx\t\t1 hari\n2\tMenulis\tx\t\t1 hari", "tidak dapat digambar"),
}


@pytest.mark.parametrize(("data", "words"), HOSTILE.values(), ids=HOSTILE)
def test_what_cannot_be_read_gives_a_finding_and_no_table(data: bytes, words: str) -> None:
    found = only(data)
    assert found.table is None
    assert words in " ".join(map(str, found.findings))


def test_a_finding_has_its_row_and_column() -> None:
    found = only(HOSTILE["no uraian"][0])
    assert [(one.row, one.column) for one in found.findings[1:]] == [(1, "Uraian")]
    assert only(HOSTILE["no performer names"][0]).findings[0].column == "Pelaksana"


def test_a_link_to_elsewhere_is_not_followed() -> None:
    relations = zipfile.ZipFile(io.BytesIO(GOOD_WORD)).read("word/_rels/document.xml.rels").decode()
    link = ('<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image" '
            'Target="http://alamat.invalid/gambar.png" TargetMode="External"/></Relationships>')
    linked = with_parts(GOOD_WORD, {"word/_rels/document.xml.rels": relations.replace("</Relationships>", link)})
    assert told(table(linked)) == told(SHIPPED)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_a_file_is_it_is_answered(data: st.DataObject) -> None:
    good = data.draw(st.sampled_from([GOOD_WORD, GOOD_EXCEL, pasted().encode(), zipped({"a.txt": pasted().encode()})]))
    place, length = data.draw(st.integers(0, len(good))), data.draw(st.integers(0, 40))
    damaged = good[:place] + data.draw(st.binary(max_size=40)) + good[place + length:]
    for one in read(damaged, "x"):
        assert (one.table is None) == bool(one.findings)
        if one.table:
            assert not [f for f in diagram.check(draw(one.table)) if f.severity == "error"]


def test_a_zip_of_many_gives_one_result_a_file() -> None:
    inside = {"a.txt": pasted().encode(), "b/c.docx": GOOD_WORD, "d.txt": b"apa", "e.zip": zipped({"x": b"1"})}
    found = read(zipped({**inside, "__MACOSX/a.txt": b""}), "banyak.zip")
    assert [(one.file, one.table is not None) for one in found] == [
        ("a.txt", True), ("b/c.docx", True), ("d.txt", False), ("e.zip", False)]


# --- The command -----------------------------------------------------------------------------------------------------


def test_the_command_writes_a_draft_and_says_what_was_guessed(
        tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sop.txt").write_text(pasted(), encoding="utf-8")
    assert run(alur, ["sop", "import", str(tmp_path / "sop.txt"), "-o", str(tmp_path / "sop.bpmn"), "--json"]) == 0
    (row,) = json.loads(capfd.readouterr().out)["results"]
    assert (row["ok"], row["steps"], row["performers"]) == (True, 9, SOP["pelaksana"])
    assert {guess["row"] for guess in row["guesses"]} == set(range(1, 10))
    assert diagram.read((tmp_path / "sop.bpmn").read_bytes()).key == "penyusunan_laporan_kinerja_perangkat_daerah"


def test_the_command_keeps_an_earlier_diagram(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sop.docx").write_bytes(word(lambda n: floating(preset(n))))
    out = tmp_path / "sop.bpmn"
    assert run(alur, ["sop", "import", str(tmp_path / "sop.docx"), "-o", str(out), "--before", str(LKJPD)]) == 0
    assert "guessed: Baris 7" in capfd.readouterr().out
    assert diagram.read(out.read_bytes()).elements["langkah_2"].field("susunan_tim") is not None


def test_a_folder_gives_one_row_a_file_and_exit_1_when_one_is_wrong(
        tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(pasted(), encoding="utf-8")
    (tmp_path / "in" / "b.xlsx").write_bytes(GOOD_EXCEL)
    (tmp_path / "in" / "c.txt").write_text("apa", encoding="utf-8")
    assert run(alur, ["sop", "import", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--json"]) == 1
    rows = json.loads(capfd.readouterr().out)["results"]
    assert [(Path(row["file"]).name, row["ok"]) for row in rows] == [
        ("a.txt", True), ("b.xlsx", True), ("c.txt", False)]
    assert "Kepala tabel tidak ditemukan" in rows[2]["findings"][0]["message"]
    assert len({row["output"] for row in rows[:2]}) == len(list((tmp_path / "out").iterdir())) == 2
