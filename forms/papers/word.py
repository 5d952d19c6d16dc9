"""The SOP's document for Word: the same pages, with the symbols drawn in the cells of their performers.

Each symbol is a shape anchored in its own cell (flowChartTerminator, flowChartProcess, flowChartDecision,
flowChartOffpageConnector), so that who moves a row moves its symbol, and `alur sop import` reads them back. What Word
reserves for a row is at least what was measured for the PDF, so that the lines meet the symbols.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable
from itertools import count
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import docx as word_files
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from engine.sop_table import DECISION, END, OPTIONAL, START, STEP, SYMBOLS

from .flowchart import CONNECTOR, Line, Page, Symbol, label_size
from .sop import BOXES, DATES, MARGIN, Laid, qr, words_in

FONT = "Times New Roman"
EMU = 36_000  # in a millimetre
TWIPS = 1440 / 25.4
SHAPES = {
    START: "flowChartTerminator",
    STEP: "flowChartProcess",
    DECISION: "flowChartDecision",
    END: "flowChartTerminator",
    CONNECTOR: "flowChartOffpageConnector",
}
NAMES = {**SYMBOLS, CONNECTOR: CONNECTOR}
NAMESPACES = " ".join(
    f'xmlns:{prefix}="{address}"'
    for prefix, address in {
        "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
        "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
        "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
        "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
        "v": "urn:schemas-microsoft-com:vml",
        "o": "urn:schemas-microsoft-com:office:office",
    }.items()
)
WATERMARK = (
    f'<w:r {NAMESPACES}><w:pict><v:shapetype id="_x0000_t136" coordsize="21600,21600" o:spt="136" adj="10800" '
    'path="m@7,l@8,m@5,21600l@6,21600e"><v:formulas><v:f eqn="sum #0 0 10800"/><v:f eqn="prod #0 2 1"/>'
    '<v:f eqn="sum 21600 0 @1"/><v:f eqn="sum 0 0 @2"/><v:f eqn="sum 21600 0 @3"/><v:f eqn="if @0 @3 0"/>'
    '<v:f eqn="if @0 21600 @1"/><v:f eqn="if @0 0 @2"/><v:f eqn="if @0 @4 21600"/></v:formulas>'
    '<v:path textpathok="t" o:connecttype="rect"/><v:textpath on="t" fitshape="t"/></v:shapetype>'
    '<v:shape id="draf" o:spid="_x0000_s2049" type="#_x0000_t136" alt="DRAF" style="position:absolute;margin-left:0;'
    "margin-top:0;width:480pt;height:160pt;rotation:330;z-index:-251658752;mso-position-horizontal:center;"
    "mso-position-horizontal-relative:margin;mso-position-vertical:center;mso-position-vertical-relative:margin"
    '" fillcolor="#d9d9d9" stroked="f"><v:fill opacity=".5"/>'
    f'<v:textpath style="font-family:&quot;{FONT}&quot;;font-size:1pt" string="DRAF"/></v:shape></w:pict></w:r>'
)


def docx(laid: Laid) -> bytes:
    """The document of a table that was laid out, as DOCX. The same input gives the same bytes."""
    document = word_files.Document()
    width, height = laid.size
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(width), Mm(height)
    section.left_margin = section.right_margin = Mm(MARGIN)
    section.top_margin, section.bottom_margin = Mm(11), Mm(27)
    section.header_distance, section.footer_distance = Mm(5), Mm(5)
    style = document.styles["Normal"]
    style.font.name, style.font.size = FONT, Pt(8.5)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), FONT)
    style.paragraph_format.space_after = style.paragraph_format.space_before = Pt(0)
    style.paragraph_format.line_spacing = 1.0
    properties = document.core_properties
    properties.title, properties.author, properties.comments = laid.title[:250], "", ""
    properties.language = "id-ID"
    if laid.state.draft:
        section.header.paragraphs[0]._p.append(parse_xml(WATERMARK))
    _footer(section.footer, laid)
    _identity(document, laid)
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.page_break_before = True
    paragraph.paragraph_format.line_spacing = Pt(1)
    _procedure(document, laid)
    out = io.BytesIO()
    document.save(out)
    return unchanging(out.getvalue())


def unchanging(package: bytes) -> bytes:
    """An Office file without the instants at which it was written: the same content, the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"(<dcterms:(created|modified)[^>]*>)[^<]*", rb"\g<1>2000-01-01T00:00:00Z", data)
            new.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


# Small parts


def _say(paragraph: Any, text: str, *, bold: bool = False, italic: bool = False, size: float = 0) -> Any:
    """Adds a text; its line breaks become Word's."""
    run = paragraph.add_run(text)
    run.bold, run.italic = bold or None, italic or None
    if size:
        run.font.size = Pt(size)
    return run


def _cell(cell: Any, lines: Iterable[str], *, centred: bool = False, **looks: Any) -> None:
    """Puts lines into an empty cell: a paragraph each."""
    for n, line in enumerate(lines):
        paragraph = cell.paragraphs[0] if n == 0 else cell.add_paragraph()
        if centred:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        _say(paragraph, line, **looks)


def _fixed(table: Any, widths: list[float], grid: bool) -> Any:
    """A table with columns of exactly these widths in mm."""
    if grid:
        table.style = "Table Grid"
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.LEFT, False
    properties = table._tbl.tblPr
    side = round(1.2 * TWIPS)
    margins = parse_xml(
        f'<w:tblCellMar {NAMESPACES}><w:left w:w="{side}" w:type="dxa"/><w:right w:w="{side}" w:type="dxa"/>'
        "</w:tblCellMar>"
    )
    # Word takes these in one order only: w:tblInd, w:tblLayout, w:tblCellMar, w:tblLook.
    layout = properties.find(qn("w:tblLayout"))
    layout.addprevious(parse_xml(f'<w:tblInd {NAMESPACES} w:w="0" w:type="dxa"/>'))
    layout.addnext(margins)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
    for row in table.rows:
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = Mm(width)
    return table


def _field(paragraph: Any, code: str) -> None:
    for kind in ("begin", code, "end"):
        inner = (
            f'<w:instrText xml:space="preserve"> {code} </w:instrText>' if kind == code
            else f'<w:fldChar w:fldCharType="{kind}"/>'
        )
        paragraph._p.append(
            parse_xml(f'<w:r {NAMESPACES}><w:rPr><w:sz w:val="14"/></w:rPr>{inner}</w:r>')
        )


def _footer(footer: Any, laid: Laid) -> None:
    """Title, version, SHA-256, address, page x of y; the QR code at the right."""
    inner = laid.size[0] - 2 * MARGIN
    table = _fixed(footer.add_table(1, 2, Mm(inner)), [inner - 22, 22.0], grid=False)
    words, picture = table.rows[0].cells
    _cell(words, [laid.title[:200]], bold=True, size=7)
    for text in (
        f"{laid.state.words} {laid.state.sha256}",
        f"Pindai QR untuk memeriksa keutuhan dokumen ini: {laid.state.address}",
    ):
        _say(words.add_paragraph(), text, size=7)
    pages = words.add_paragraph()
    _say(pages, "Halaman ", size=7)
    _field(pages, "PAGE")
    _say(pages, " dari ", size=7)
    _field(pages, "NUMPAGES")
    picture.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    shape = picture.paragraphs[0].add_run().add_picture(io.BytesIO(qr(laid.state.address)), width=Mm(17))
    shape._inline.docPr.set("descr", laid.state.address)
    first = footer.paragraphs[0]
    first._p.getparent().remove(first._p)
    _say(footer.add_paragraph(), "", size=1)  # Word wants a paragraph after a table


def _identity(document: Any, laid: Laid) -> None:
    identity, half = laid.table.identity, (laid.size[0] - 2 * MARGIN) / 2
    name = (identity.nama_sop or laid.table.name).splitlines()
    for text, size in (("STANDAR OPERASIONAL PROSEDUR", 12), *((one, 11) for one in name)):
        paragraph = document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        _say(paragraph, text, bold=True, size=size)
    facts = [
        ("NOMOR SOP", identity.nomor_sop),
        *((label, getattr(identity, key)) for label, key in DATES if getattr(identity, key) or key not in OPTIONAL),
        ("DISAHKAN OLEH", identity.disahkan_oleh),
        ("NAMA SOP", identity.nama_sop or laid.table.name),
    ]
    table = _fixed(document.add_table(len(facts), 4), [half, 42.0, 4.0, half - 46], grid=True)
    logo = table.cell(0, 0).merge(table.cell(len(facts) - 1, 0))
    _cell(logo, ["", "(Logo)", ""], centred=True, size=7)
    for text in (*identity.pemerintah.splitlines(), *identity.unit.splitlines()):
        paragraph = logo.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        _say(paragraph, text, bold=True, size=12)
    for n, (label, text) in enumerate(facts):
        _, left, colon, right = (table.cell(n, m) for m in range(4))
        _cell(left, [label], bold=True)
        _cell(colon, [":"])
        _cell(right, text.splitlines() or [""], bold=label == "NAMA SOP")
        if label == "DISAHKAN OLEH":
            _height(table.rows[n], 26.0)  # room to sign
    spacer = document.add_paragraph()
    _say(spacer, "", size=1)
    boxes = _fixed(document.add_table(len(BOXES) // 2, 2), [half, half], grid=True)
    for n, (label, key) in enumerate(BOXES):
        cell = boxes.cell(n // 2, n % 2)
        _cell(cell, [f"{label} :"], bold=True)
        for m, item in enumerate(getattr(identity, key), 1):
            paragraph = cell.add_paragraph()
            paragraph.paragraph_format.left_indent, paragraph.paragraph_format.first_line_indent = Mm(5), Mm(-5)
            paragraph.paragraph_format.tab_stops.add_tab_stop(Mm(5))
            _say(paragraph, f"{m}.\t{item}")


# The table and its flowchart


def _procedure(document: Any, laid: Laid) -> None:
    n = len(laid.table.performers)
    number, uraian, *rest = laid.widths
    widths = [number, uraian, *([laid.column] * n), *rest]
    pages = laid.pages
    count_of_rows = 3 + sum(len(page.bands) + bool(page.top) + bool(page.bottom) for page in pages)
    table = _fixed(document.add_table(count_of_rows, len(widths)), widths, grid=True)
    rows = list(table.rows)
    _heads(table, rows, laid, n)
    ids = count(1)
    place = 3
    for m, page in enumerate(pages):
        first = place
        if page.top:
            _height(rows[place], page.top)
            place += 1
        for band in page.bands:
            cells = rows[place].cells
            _height(rows[place], band.height)
            _cell(cells[0], [str(band.row.number)], centred=True)
            for cell, text in zip((cells[1], *cells[2 + n :]), laid.texts(band), strict=True):
                _cell(cell, text.splitlines() or [""], centred=cell is cells[3 + n])
            place += 1
        if page.bottom:
            _height(rows[place], page.bottom)
            place += 1
        if m:
            # The break stands in the number's cell: a row begins where its first paragraph does.
            rows[first].cells[0].paragraphs[0].paragraph_format.page_break_before = True
        _drawings(page, [list(row.cells)[2 : 2 + n] for row in rows[first:place]], laid, ids)
    for note in filter(None, (laid.notes(page) for page in pages)):
        _say(document.add_paragraph(), note, italic=True, size=7)


def _heads(table: Any, rows: list[Any], laid: Laid, n: int) -> None:
    """Three rows that Word repeats on every page: the names, the performers, the numbers of the columns."""
    last = n + 5
    for column, text in ((0, "No"), (1, "Uraian Prosedur"), (last, "Keterangan")):
        _cell(table.cell(0, column).merge(table.cell(1, column)), [text], centred=True, bold=True, size=8)
    for begin, end, text in ((2, 1 + n, "Pelaksana"), (2 + n, 4 + n, "Mutu Baku")):
        _cell(table.cell(0, begin).merge(table.cell(0, end)), [text], centred=True, bold=True, size=8)
    names = [*(one.name for one in laid.table.performers), "Kelengkapan", "Waktu", "Output"]
    for column, text in enumerate(names, 2):
        cell = table.cell(1, column)
        _cell(cell, [text], centred=True, bold=True, size=laid.name_size if column < 2 + n else 8)
        if laid.upright and column < 2 + n:
            cell._tc.get_or_add_tcPr().append(parse_xml(f'<w:textDirection {NAMESPACES} w:val="btLr"/>'))
    for column in range(last + 1):
        _cell(table.cell(2, column), [str(column + 1)], centred=True, bold=True, size=6.5)
    for row, height in zip(rows, (6.0, laid.head - 11.0, 5.0), strict=False):
        _height(row, height)
        row._tr.get_or_add_trPr().append(parse_xml(f"<w:tblHeader {NAMESPACES}/>"))


def _height(row: Any, height: float) -> None:
    properties = row._tr.get_or_add_trPr()
    properties.append(parse_xml(f"<w:cantSplit {NAMESPACES}/>"))
    properties.append(parse_xml(f'<w:trHeight {NAMESPACES} w:val="{round(height * TWIPS)}" w:hRule="atLeast"/>'))


def _drawings(page: Page, cells: list[list[Any]], laid: Laid, ids: Any) -> None:
    """The lines, then the symbols, each in the cell where it stands or begins."""
    tops = [0.0] if page.top else []
    tops += page.tops
    if page.bottom:
        tops.append(page.tops[-1] + page.bands[-1].height)

    def at(x: float, y: float) -> tuple[Any, float, float]:
        """The cell of a point, and the point measured from that cell's corner."""
        row = max(n for n, top in enumerate(tops) if top <= y + 0.01 or n == 0)
        column = min(len(cells[0]) - 1, max(0, int(x / laid.column)))
        return cells[row][column].paragraphs[0], column * laid.column + 1.2, tops[row]

    names = {one.number: one.uraian for one in laid.table.rows}
    for line in page.lines:
        paragraph, left, top = at(*line.points[0])
        _put(paragraph, _line(line, left, top, next(ids)))
        if line.label:
            _put(paragraph, _label(line, left, top, laid, next(ids)))
    for one in page.symbols:
        paragraph, left, top = at(one.x, one.y)
        said = f"langkah {one.row}: {names.get(one.row or 0, '')[:80]}" if one.row else one.text
        _put(paragraph, _symbol(one, left, top, next(ids), f"{NAMES[one.kind].capitalize()}, {said}"))


def _put(paragraph: Any, drawing: str) -> None:
    paragraph._p.append(
        parse_xml(
            f'<w:r {NAMESPACES}><w:rPr><w:noProof/></w:rPr><mc:AlternateContent><mc:Choice Requires="wps">{drawing}'
            "</mc:Choice></mc:AlternateContent></w:r>"
        )
    )


def _anchor(id: int, x: float, y: float, width: float, height: float, name: str, told: str, shape: str) -> str:
    """A drawing that floats, its left upper corner measured from its cell."""
    emu = [round(one * EMU) for one in (x, y, width, height)]
    return (
        '<w:drawing><wp:anchor distT="0" distB="0" distL="0" distR="0" simplePos="0" '
        f'relativeHeight="{251_658_240 + id}" behindDoc="0" locked="0" layoutInCell="1" allowOverlap="1">'
        '<wp:simplePos x="0" y="0"/>'
        f'<wp:positionH relativeFrom="column"><wp:posOffset>{emu[0]}</wp:posOffset></wp:positionH>'
        f'<wp:positionV relativeFrom="paragraph"><wp:posOffset>{emu[1]}</wp:posOffset></wp:positionV>'
        f'<wp:extent cx="{emu[2]}" cy="{emu[3]}"/><wp:effectExtent l="0" t="0" r="0" b="0"/><wp:wrapNone/>'
        f"<wp:docPr id=\"{id}\" name={quoteattr(name)} descr={quoteattr(told)}/><wp:cNvGraphicFramePr/>"
        '<a:graphic><a:graphicData uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape">'
        f"{shape}</a:graphicData></a:graphic></wp:anchor></w:drawing>"
    )


def _frame(width: float, height: float, flips: str = "") -> str:
    return (
        f'<a:xfrm{flips}><a:off x="0" y="0"/>'
        f'<a:ext cx="{round(width * EMU)}" cy="{round(height * EMU)}"/></a:xfrm>'
    )


def _words(text: str, size: float, italic: bool) -> str:
    look = f'<w:rPr>{"<w:i/>" if italic else ""}<w:sz w:val="{round(size * 2)}"/></w:rPr>'
    return (
        f'<wps:txbx><w:txbxContent><w:p><w:pPr><w:jc w:val="center"/></w:pPr><w:r>{look}'
        f"<w:t>{escape(text)}</w:t></w:r></w:p></w:txbxContent></wps:txbx>"
    )


INSIDE = '<wps:bodyPr lIns="0" tIns="0" rIns="0" bIns="0" anchor="ctr" wrap="{wrap}"><a:noAutofit/></wps:bodyPr>'
INK = '<a:solidFill><a:srgbClr val="000000"/></a:solidFill>'


def _symbol(one: Symbol, left: float, top: float, id: int, told: str) -> str:
    text = words_in(one)
    dash = '<a:prstDash val="dash"/>' if one.assumption else ""
    shape = (
        f'<wps:wsp><wps:cNvSpPr/><wps:spPr>{_frame(one.width, one.height)}'
        f'<a:prstGeom prst="{SHAPES[one.kind]}"><a:avLst/></a:prstGeom>'
        f'<a:solidFill><a:srgbClr val="FFFFFF"/></a:solidFill><a:ln w="9525">{INK}{dash}</a:ln></wps:spPr>'
        f"{_words(text, 6 if one.width > 4 else 4.5, one.assumption) if text else ''}"
        f"{INSIDE.format(wrap='none')}</wps:wsp>"
    )
    x, y = one.x - one.width / 2 - left, one.y - one.height / 2 - top
    return _anchor(id, x, y, one.width, one.height, f"Simbol {id}", told, shape)


def _line(line: Line, left: float, top: float, id: int) -> str:
    """A flow: a straight connector, or a path with its bends; the arrow's head at its end."""
    xs, ys = [x for x, _ in line.points], [y for _, y in line.points]
    x, y, width, height = min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
    if len(line.points) == 2:
        flips = (' flipH="1"' if xs[1] < xs[0] else "") + (' flipV="1"' if ys[1] < ys[0] else "")
        frame, shape = _frame(width, height, flips), '<a:prstGeom prst="straightConnector1"><a:avLst/></a:prstGeom>'
    else:
        way = [(round((px - x) * EMU), round((py - y) * EMU)) for px, py in line.points]
        steps = "".join(
            f'<a:{"moveTo" if n == 0 else "lnTo"}><a:pt x="{px}" y="{py}"/></a:{"moveTo" if n == 0 else "lnTo"}>'
            for n, (px, py) in enumerate(way)
        )
        frame = _frame(width, height)
        shape = (
            "<a:custGeom><a:avLst/><a:gdLst/><a:ahLst/><a:cxnLst/><a:rect l=\"0\" t=\"0\" r=\"r\" b=\"b\"/><a:pathLst>"
            f'<a:path w="{round(width * EMU)}" h="{round(height * EMU)}" fill="none">{steps}</a:path></a:pathLst>'
            "</a:custGeom>"
        )
    body = (
        f"<wps:wsp><wps:cNvCnPr/><wps:spPr>{frame}{shape}<a:noFill/><a:ln w=\"9525\">{INK}"
        '<a:tailEnd type="triangle" w="med" len="med"/></a:ln></wps:spPr><wps:bodyPr/></wps:wsp>'
    )
    leads = f"Panah {'dari langkah ' + str(line.row) if line.row else 'dari luar halaman'} "
    leads += f"ke langkah {line.to}" if line.to else "ke akhir"
    return _anchor(id, x - left, y - top, width, height, f"Panah {id}", leads, body)


def _label(line: Line, left: float, top: float, laid: Laid, id: int) -> str:
    """Ya or Tidak. Drawn without a preset form, so that nobody takes it for a symbol."""
    x, y, width, height = line.label_at
    width, height = width + 1.0, height + 0.6
    corners = ((0, 0), (width, 0), (width, height), (0, height))
    steps = "".join(
        f'<a:{"moveTo" if n == 0 else "lnTo"}><a:pt x="{round(px * EMU)}" y="{round(py * EMU)}"/>'
        f'</a:{"moveTo" if n == 0 else "lnTo"}>'
        for n, (px, py) in enumerate(corners)
    )
    shape = (
        f'<wps:wsp><wps:cNvSpPr txBox="1"/><wps:spPr>{_frame(width, height)}<a:custGeom><a:avLst/><a:gdLst/><a:ahLst/>'
        f'<a:cxnLst/><a:rect l="0" t="0" r="r" b="b"/><a:pathLst><a:path w="{round(width * EMU)}" '
        f'h="{round(height * EMU)}">{steps}<a:close/></a:path></a:pathLst></a:custGeom><a:noFill/>'
        f"<a:ln><a:noFill/></a:ln></wps:spPr>{_words(line.label, label_size(laid.column), False)}"
        f"{INSIDE.format(wrap='none')}</wps:wsp>"
    )
    return _anchor(id, x - 0.5 - left, y - 0.3 - top, width, height, f"Jawaban {id}", line.label, shape)
