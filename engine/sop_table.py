"""The table of an SOP as a value: what an owner sees on paper, and what a diagram can be drawn from and read back as.

A row is a step: who performs it, its symbol, its Mutu Baku. `table_of` reads the table out of a process definition,
`problems` says why a table cannot be drawn; drawing is in `sop_drawing.py`, files of offices in `sop_import.py`.
Rows follow one another; a decision (belah ketupat) goes on by "Ya" and back by "Tidak".
Source: the form of a Standar Operasional Prosedur Administrasi Pemerintahan (PermenPANRB 35/2012).
"""
from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from . import sop
from .definition import Element, ProcessDefinition, SequenceFlow
from .gate import MOST_VALUE, UNSEEN, folded, quoted

START, STEP, DECISION, END = "mulai", "proses", "keputusan", "selesai"
SYMBOLS = {START: "kapsul", STEP: "kotak", DECISION: "belah ketupat", END: "kapsul"}
YES, NO = "Ya", "Tidak"
MOST_ROWS = 80                          # a row is up to five elements, and a process has 300 at most
MOST_PERFORMERS = 20
MOST_MINUTES = 3_650 * 24 * 60          # of a norm, a day counted as 24 hours
_UNITS = ("hari", "jam", "menit")


@dataclass(frozen=True, kw_only=True)
class Remark:
    """Something said of a table: a guess, or what is wrong. In Indonesian, for its owner."""
    message: str
    row: int | None = None              # of the table; of a file that cannot be read as one, its line
    column: str = ""                    # as the head calls it: "Waktu"

    def __str__(self) -> str:
        place = ", ".join(one for one in (f"baris {self.row}" if self.row else "", f"kolom {self.column}"
                                          if self.column else "") if one)
        return f"{place[:1].upper()}{place[1:]}: {self.message}" if place else self.message


class TableError(ValueError):
    """A table that cannot be drawn, or a diagram that no table can say; carries why."""

    def __init__(self, remarks: Iterable[Remark]):
        self.remarks = tuple(remarks)
        super().__init__("; ".join(map(str, self.remarks)))


@dataclass(frozen=True, kw_only=True)
class Norm:
    """A part of the Mutu Baku Waktu: 2 hari, 20 menit."""
    number: int
    unit: str                           # hari | jam | menit


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The identity part, named as the document names its boxes. A box that is left out is "" or ()."""
    pemerintah: str = ""
    unit: str = ""
    nomor_sop: str = ""
    tanggal_pembuatan: str = ""
    tanggal_revisi: str = ""
    tanggal_pengesahan: str = ""
    tanggal_efektif: str = ""
    disahkan_oleh: str = ""
    nama_sop: str = ""
    judul_berkas: str = ""              # how the office calls what one run makes
    dasar_hukum: tuple[str, ...] = ()
    kualifikasi_pelaksana: tuple[str, ...] = ()
    keterkaitan: tuple[str, ...] = ()
    peralatan_perlengkapan: tuple[str, ...] = ()
    peringatan: tuple[str, ...] = ()
    pencatatan_dan_pendataan: tuple[str, ...] = ()


# In the order in which a diagram says them; those in OPTIONAL are left out where they are empty.
PROPERTIES = {
    "pemerintah": "sop.pemerintah", "unit": "sop.unit", "nomor_sop": "sop.nomorSop",
    "tanggal_pembuatan": "sop.tanggalPembuatan", "tanggal_revisi": "sop.tanggalRevisi",
    "tanggal_pengesahan": "sop.tanggalPengesahan", "tanggal_efektif": "sop.tanggalEfektif",
    "disahkan_oleh": "sop.disahkanOleh", "nama_sop": "sop.namaSop", "judul_berkas": "sop.judulBerkas",
    "dasar_hukum": "sop.dasarHukum", "kualifikasi_pelaksana": "sop.kualifikasiPelaksana",
    "keterkaitan": "sop.keterkaitan", "peralatan_perlengkapan": "sop.peralatanPerlengkapan",
    "peringatan": "sop.peringatan", "pencatatan_dan_pendataan": "sop.pencatatanDanPendataan",
}
OPTIONAL = frozenset({"tanggal_efektif", "judul_berkas"})
CELLS = {"kelengkapan": "sop.kelengkapan", "waktu": "sop.waktu", "output": "sop.output",
         "keterangan": "sop.keterangan"}


@dataclass(frozen=True, kw_only=True)
class Performer:
    """A column under Pelaksana: a lane."""
    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class SopRow:
    """A row of the table: a step. The cells are verbatim."""
    number: int
    uraian: str                         # with its lettered items
    name: str                           # short, as drawn
    performer: str                      # Performer.id
    symbol: str = STEP
    then: int | None = None             # the row that follows ("Ya" of a decision); None: the one below, or the end
    back_to: int | None = None          # of a decision: the row that "Tidak" leads to
    kelengkapan: str = ""
    waktu: str = ""
    norm: tuple[Norm, ...] = ()         # what Waktu says, counted in working time; () has no limit
    output: str = ""
    keterangan: str = ""
    assumption: bool = False            # the performer is assumed; the owner is asked
    element: str = ""                   # BPMN id of the user task; "" for one that is not drawn yet


@dataclass(frozen=True, kw_only=True)
class SopTable:
    """The whole table. `rows` are numbered 1, 2, 3, ... in `settled` tables."""
    key: str                            # of the process
    name: str                           # of the process, as drawn
    performers: tuple[Performer, ...]   # in the order of their columns
    rows: tuple[SopRow, ...]
    identity: Identity = Identity()
    guesses: tuple[Remark, ...] = field(default=(), compare=False)

    def row(self, number: int | None) -> SopRow | None:
        return next((one for one in self.rows if one.number == number), None)

    def performer(self, id: str) -> Performer | None:
        return next((one for one in self.performers if one.id == id), None)

    def following(self, row: SopRow) -> tuple[tuple[str, int | None], ...]:
        """Where a row leads: (answer, number of the row or None for the end). An answer only of a decision."""
        if row.symbol == END:
            return (("", None),)
        place = self.rows.index(row)
        below = self.rows[place + 1].number if place + 1 < len(self.rows) else None
        onward = row.then if row.then is not None else below
        return ((YES, onward), (NO, row.back_to)) if row.symbol == DECISION else (("", onward),)


# --- Names -----------------------------------------------------------------------------------------------------------

def named(text: str, most: int = 50) -> str:
    """An id out of words: `tim_penyusun_lkjpd`. "" of a text without letters and digits."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    words = re.findall(r"[a-z0-9]+", plain)
    id = "_".join(words)[:most].strip("_")
    return f"n_{id}" if id[:1].isdigit() else id


_SMALL_WORDS = frozenset("dan atau di ke dari untuk pada atas yang dengan oleh bagi serta dalam tentang".split())


def titled(text: str) -> str:
    """A heading in capitals as a name: "Penyusunan Laporan Kinerja"; anything else as it is."""
    plain = " ".join(text.split())
    if not plain.isupper():
        return plain
    words = plain.split()
    return " ".join(word.lower() if n and word.lower() in _SMALL_WORDS else word.capitalize()
                    for n, word in enumerate(words))


_LETTERED = re.compile(r"(?:^|(?<=\s))([a-z])[.)]\s+")


def lettered(uraian: str) -> tuple[tuple[str, str], ...]:
    """The items a, b, c of an Uraian, () where it has none."""
    marks = list(_LETTERED.finditer(uraian))
    expected = [mark for n, mark in enumerate(marks) if mark[1] == chr(ord("a") + n)]
    if len(expected) < 2 or uraian[:expected[0].start()].strip():
        return ()
    ends = [one.start() for one in expected[1:]] + [len(uraian)]
    return tuple((mark[1], uraian[mark.end():end].strip()) for mark, end in zip(expected, ends, strict=True))


_TAIL = frozenset("dan atau serta ke kepada untuk yang di dari pada atas oleh dengan hal tentang sesuai guna".split())
_CUT = re.compile(r"[,;:.(\n]|\s(?:untuk|kepada|sesuai|berdasarkan|agar|guna|dari|melalui|selanjutnya|kemudian)\s")
NAME_LINES, NAME_WIDTH = 3, 16          # of a task as it is drawn


def short_name(uraian: str) -> str:
    """A verb phrase out of an Uraian, short enough for the box of a task."""
    items = lettered(uraian)
    text = " ".join((items[0][1] if items else uraian).split())
    clauses = [one.strip() for one in re.split(r"[,;]", text) if one.strip()] or [text]
    # What is received is not what is done.
    clause = clauses[1] if len(clauses) > 1 and folded(clauses[0]).startswith("menerima") else clauses[0]
    clause = re.sub(r"^(dan|serta|kemudian|lalu)\s+", "", clause)
    cut = _CUT.search(clause)
    words = (clause[:cut.start()] if cut and cut.start() > 8 else clause).split()
    taken: list[str] = []
    for word in words:
        if lines_of(" ".join([*taken, word])) > NAME_LINES and taken:
            break
        taken.append(word)
    while len(taken) > 1 and folded(taken[-1]) in _TAIL:
        taken.pop()
    said = " ".join(taken).strip(" .,;:(") or " ".join(uraian.split())[:40]
    return said[:1].upper() + said[1:]


def lines_of(text: str) -> int:
    """How many lines a name takes in the box of a task; a word that is too long takes one for each piece."""
    lines, room = 0, 0
    for word in text.split():
        if len(word) + 1 <= room:
            room -= len(word) + 1
            continue
        pieces = -(-len(word) // NAME_WIDTH)
        lines += pieces
        room = NAME_WIDTH * pieces - len(word)
    return lines


# --- Waktu -----------------------------------------------------------------------------------------------------------

_WORDS = {"satu": 1, "dua": 2, "tiga": 3, "empat": 4, "lima": 5, "enam": 6, "tujuh": 7, "delapan": 8, "sembilan": 9,
          "sepuluh": 10, "sebelas": 11, "dua belas": 12}
_AMOUNT = r"([0-9]{1,5}(?:[.,][0-9]{1,2})?)"
_UNIT = r"(hari|jam|menit|minggu|bulan|hr|hk|mnt)"
_PART = re.compile(rf"{_AMOUNT}(?:\s*(?:-|–|s/d|s\.d\.?|sampai(?:\s+dengan)?)\s*{_AMOUNT})?\s*{_UNIT}\b")
_FILLING = re.compile(r"\b(kerja|maksimal|maks|max|paling|lama|lambat|selambat-lambatnya|dan)\b|[.,±<≤]")
_SHORT = {"hr": "hari", "hk": "hari", "mnt": "menit"}


def norm_of(waktu: str) -> tuple[tuple[Norm, ...], str]:
    """(what a Waktu says, what was guessed in reading it, in Indonesian, or ""); () where it cannot be read."""
    text = re.sub(r"\([^()]{0,60}\)", " ", folded(waktu))
    text = re.sub(r"\b1\s*[/\u2044]\s*2\b|\bsetengah\b", "0,5", text)
    text = re.sub(r"\b(se)(hari|jam|menit|minggu)\b", r"1 \2", text)
    for word, number in _WORDS.items():
        text = re.sub(rf"\b{word}\s+(?={_UNIT}\b)", f"{number} ", text)
    if not text.strip(" -"):
        return (), ""
    found: list[Norm] = []
    guess = ""
    rest = text
    for one in _PART.finditer(text):
        rest = rest.replace(one[0], " ", 1)
        unit = _SHORT.get(one[3], one[3])
        if one[2]:
            guess = f"Waktu {quoted(waktu)} dibaca sebagai batas atasnya."
        amount = float((one[2] or one[1]).replace(",", "."))
        if unit in ("minggu", "bulan"):
            days = {"minggu": 5, "bulan": 20}[unit]
            amount, unit = amount * days, "hari"
            guess = f"Waktu {quoted(waktu)} dibaca sebagai {amount:g} hari kerja."
        if amount != int(amount):
            amount, unit = _smaller(amount, unit)
            guess = f"Waktu {quoted(waktu)} dibaca sebagai {amount:g} {unit}."
        if 0 < amount <= 99_999 and amount == int(amount):
            found.append(Norm(number=int(amount), unit=unit))
    units = [one.unit for one in found]
    if not found or units != [unit for unit in _UNITS if unit in units]:
        return (), (f"Waktu {quoted(waktu)} tidak dapat dibaca sebagai hari, jam atau menit; langkah ini tanpa batas "
                    "waktu.")
    if not guess and _FILLING.sub(" ", rest).strip():
        guess = f"Dari waktu {quoted(waktu)} hanya {in_words(tuple(found))} yang dibaca."
    return tuple(found), guess


def _smaller(amount: float, unit: str) -> tuple[float, str]:
    """Half an hour is 30 minutes; a part of a day is counted up to the whole one, whose hours nobody knows here."""
    return (round(amount * 60), "menit") if unit == "jam" else (float(int(amount) + 1), unit)


def duration(norm: tuple[Norm, ...]) -> str:
    """`P2D`, `PT20M`, `P1DT2H` in the dialect of timers; "" of no norm."""
    parts = {one.unit: one.number for one in norm}
    time = "".join(f"{parts[unit]}{letter}" for unit, letter in (("jam", "H"), ("menit", "M")) if unit in parts)
    days = f"{parts['hari']}D" if "hari" in parts else ""
    return f"P{days}{'T' + time if time else ''}" if parts else ""


def norm_of_duration(text: str) -> tuple[Norm, ...]:
    """The norm that a timer's duration says; () for one that is computed, or none."""
    words = sop.in_words(text).split()
    return tuple(Norm(number=int(number), unit=unit) for number, unit in zip(words[::2], words[1::2], strict=True))


def in_words(norm: tuple[Norm, ...]) -> str:
    """ "2 hari", "1 hari 2 jam"."""
    return " ".join(f"{one.number} {one.unit}" for one in norm)


# --- A table that holds together -------------------------------------------------------------------------------------

def settled(table: SopTable) -> SopTable:
    """The same table with rows numbered 1, 2, 3, ..., symbols as their place demands, and no space around texts.

    The first row begins, the last one ends; only a decision has a way back. Rows that are named keep being meant; one
    that is there no more becomes row 0, which `problems` asks about: its number is another row's now.
    """
    numbers = {one.number: n for n, one in enumerate(table.rows, 1)}
    rows = []
    for n, one in enumerate(table.rows, 1):
        then = numbers.get(one.then, 0) if one.then is not None else None
        back = numbers.get(one.back_to, 0) if one.back_to is not None else None
        rows.append(replace(
            one, number=n, uraian=cleaned(one.uraian), name=" ".join(cleaned(one.name).split()),
            then=None if then == n + 1 or one.symbol == END else then,
            back_to=back if one.symbol == DECISION else None,
            symbol=_symbol(one, n, len(table.rows)),
            kelengkapan=cleaned(one.kelengkapan), waktu=cleaned(one.waktu), output=cleaned(one.output),
            keterangan=cleaned(one.keterangan)))
    meant = {number for one in rows for number in (one.then, one.back_to)}
    # What ended while it was the last row goes on to a row that is put below it.
    rows = [replace(one, symbol=STEP) if one.symbol == END and one.number < len(rows) and one.number + 1 not in meant
            else one for one in rows]
    performers = tuple(replace(one, name=" ".join(cleaned(one.name).split())) for one in table.performers)
    return replace(table, rows=tuple(rows), performers=performers,
                   identity=_settled_identity(table.identity, table.name), name=" ".join(cleaned(table.name).split()))


def _settled_identity(identity: Identity, name_of_process: str) -> Identity:
    values: dict[str, Any] = {}
    for name in PROPERTIES:
        value = getattr(identity, name)
        # An item of a list is one line: that is how a diagram tells where the next begins.
        values[name] = (tuple(" ".join(cleaned(one).split()) for one in value if cleaned(one))
                        if isinstance(value, tuple) else cleaned(value))
    return replace(Identity(**values), nama_sop=values["nama_sop"] or " ".join(cleaned(name_of_process).split()))


def _symbol(row: SopRow, number: int, last: int) -> str:
    if row.symbol == DECISION:
        return DECISION
    if number == 1:
        return START
    if row.symbol == END or (number == last and row.then is None):
        return END
    return STEP


def cleaned(text: str) -> str:
    """A text without what nobody sees; its lines and words stay."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").replace("\u00a0", " ")
    text = text.replace("\u200b", "").replace("\u00ad", "").replace("\u2028", "\n").replace("\u2029", "\n")
    return UNSEEN.sub("", text).strip()


_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,89}")


def problems(table: SopTable) -> tuple[Remark, ...]:
    """Why a settled table cannot be drawn; () when it can."""
    found = [*_of_whole(table)]
    if not found:
        for row in table.rows:
            found += _of_row(table, row)
    return tuple(found or _of_ways(table))


def _of_whole(table: SopTable) -> Iterator[Remark]:
    if not table.rows:
        yield Remark(message="Tabel belum memuat langkah. Tulis paling sedikit satu langkah.")
    if len(table.rows) > MOST_ROWS:
        yield Remark(message=f"Tabel memuat {len(table.rows)} langkah; paling banyak {MOST_ROWS}. Bagi menjadi "
                             "beberapa SOP.")
    if not table.performers:
        yield Remark(message="Tabel belum memuat pelaksana. Tulis nama jabatan pada kolom Pelaksana.",
                     column="Pelaksana")
    if len(table.performers) > MOST_PERFORMERS:
        yield Remark(message=f"Tabel memuat {len(table.performers)} pelaksana; paling banyak {MOST_PERFORMERS}.",
                     column="Pelaksana")
    if not table.name.strip() or not _ID.fullmatch(table.key):
        yield Remark(message="SOP belum bernama. Isi NAMA SOP.")
    names, ids = [folded(one.name) for one in table.performers], [one.id for one in table.performers]
    for one in table.performers:
        if not one.name.strip() or not _ID.fullmatch(one.id):
            yield Remark(message="Ada kolom Pelaksana tanpa nama. Tulis nama jabatannya.", column="Pelaksana")
        elif names.count(folded(one.name)) > 1 or ids.count(one.id) > 1:
            yield Remark(message=f"Pelaksana {quoted(one.name)} tertulis dua kali. Gabungkan kolomnya.",
                         column="Pelaksana")
    if table.key in ids:
        yield Remark(message=f"Nama SOP dan pelaksana {quoted(table.key)} sama. Ubah salah satunya.")
    values = [getattr(table.identity, name) for name in PROPERTIES]
    for text in (table.name, *names, *("\n".join(one) if isinstance(one, tuple) else one for one in values)):
        if len(text) > MOST_VALUE:
            yield Remark(message=f"Bagian identitas memuat teks sepanjang {len(text)} huruf; paling panjang "
                                 f"{MOST_VALUE}. Persingkat.")


def _of_row(table: SopTable, row: SopRow) -> Iterator[Remark]:
    n = row.number
    if not row.uraian or not row.name:
        yield Remark(row=n, column="Uraian", message="Uraian kosong. Tulis kegiatannya.")
    for column, text in (("Uraian", row.uraian), *((cell.capitalize(), getattr(row, cell)) for cell in CELLS)):
        if len(text) > MOST_VALUE:
            yield Remark(row=n, column=column, message=f"Teks sepanjang {len(text)} huruf; paling panjang "
                                                       f"{MOST_VALUE}. Persingkat.")
    minutes = sum(one.number * {"hari": 24 * 60, "jam": 60, "menit": 1}.get(one.unit, 0) for one in row.norm)
    units = [one.unit for one in row.norm]
    if row.norm and (units != [unit for unit in _UNITS if unit in units] or not 0 < minutes <= MOST_MINUTES):
        yield Remark(row=n, column="Waktu", message="Waktu harus lebih dari nol dan paling lama 3.650 hari. Tulis "
                                                    "misalnya 2 hari, 4 jam atau 20 menit.")
    if table.performer(row.performer) is None:
        yield Remark(row=n, column="Pelaksana", message="Pelaksana langkah ini belum dipilih. Letakkan simbolnya pada "
                                                        "salah satu kolom Pelaksana.")
    for number in (row.then, row.back_to):
        if number is not None and table.row(number) is None:
            gone = f"langkah {number}, yang tidak ada" if number else "langkah yang sudah tidak ada"
            yield Remark(row=n, column="Pelaksana", message=f"Langkah ini menuju {gone}. Pilih langkah yang ada.")
    if row.symbol == DECISION:
        ways = dict(table.following(row))
        if row.back_to is None:
            yield Remark(row=n, column="Pelaksana", message='Keputusan ini belum menyebut langkah untuk "Tidak". '
                                                            "Pilih langkah tempat kembali.")
        elif ways[YES] == ways[NO]:
            yield Remark(row=n, column="Pelaksana", message='"Ya" dan "Tidak" menuju langkah yang sama. Ubah salah '
                                                            "satunya.")
    elif row.then == n:
        yield Remark(row=n, column="Pelaksana", message="Langkah ini menuju dirinya sendiri. Pilih langkah lain.")


def _of_ways(table: SopTable) -> list[Remark]:
    """Rows that nothing leads to, or that lead nowhere."""
    after = {row.number: [number for _, number in table.following(row)] for row in table.rows}
    reached = _reach([table.rows[0].number], after)
    before: dict[int, list[int | None]] = {number: [] for number in after}
    for number, ways in after.items():
        for one in ways:
            if one is not None:
                before[one].append(number)
    ending = _reach([number for number, ways in after.items() if None in ways], before)
    found = []
    for number in after:
        if number not in reached:
            found.append(Remark(row=number, column="Pelaksana", message="Tidak ada langkah yang menuju langkah ini. "
                                "Hubungkan atau hapus."))
        elif number not in ending:
            found.append(Remark(row=number, column="Pelaksana", message="Dari langkah ini tidak ada jalan ke akhir "
                                "prosedur. Periksa panah kembalinya."))
    return found


def _reach(starts: Iterable[int], after: Mapping[int, Iterable[int | None]]) -> set[int]:
    seen = set(starts)
    waiting = list(seen)
    while waiting:
        for one in after[waiting.pop()]:
            if one is not None and one not in seen:
                seen.add(one)
                waiting.append(one)
    return seen


# --- As it was typed, for a while -------------------------------------------------------------------------------------

def as_text(table: SopTable) -> str:
    """A table, whole or not, as JSON. The guesses stay behind."""
    told = asdict(replace(table, guesses=()))
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def of_text(text: str) -> SopTable:
    """The table that `as_text` wrote. Only what this program wrote itself is read so: nothing is judged here."""
    told = json.loads(text)
    rows = tuple(SopRow(**{**row, "norm": tuple(Norm(**one) for one in row["norm"])}) for row in told["rows"])
    identity: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in told["identity"].items()}
    return SopTable(key=told["key"], name=told["name"], rows=rows, identity=Identity(**identity),
                    performers=tuple(Performer(**one) for one in told["performers"]))


# --- Out of a process definition -------------------------------------------------------------------------------------

def table_of(definition: ProcessDefinition) -> SopTable:
    """The table that a definition says.

    Raises TableError when the diagram holds what no table can say (parallel branches, timers on the way, ...).
    """
    reader = _Reader(definition)
    reader.whole()
    if reader.remarks:
        raise TableError(reader.remarks)
    tasks = definition.user_tasks
    rows = tuple(reader.row(n, one) for n, one in enumerate(tasks, 1))
    if not rows:
        reader.cannot("Diagram tidak memuat langkah (user task).")
    elif target(definition, definition.start.id) != tasks[0].id:
        reader.cannot("Langkah pertama dalam diagram bukan langkah bernomor 1. Urutkan nomor langkahnya.")
    if reader.remarks:
        raise TableError(reader.remarks)
    facts = sop.facts(definition)
    identity = Identity(**{name: getattr(facts, name) for name in PROPERTIES if name != "judul_berkas"},
                        judul_berkas=definition.properties.get("sop.judulBerkas", ""))
    return settled(SopTable(
        key=definition.key, name=definition.name, identity=identity, rows=rows,
        performers=tuple(Performer(id=lane.id, name=lane.name) for lane in definition.lanes)))


def target(definition: ProcessDefinition, id: str) -> str:
    """Where the one flow of an element leads, through gateways that only merge."""
    for _ in definition.elements:
        flows = definition.outgoing[id]
        if len(flows) != 1:
            break
        id = flows[0].target
        if definition.elements[id].kind != "exclusiveGateway" or len(definition.outgoing[id]) > 1:
            break
    return id


def yes_and_no(definition: ProcessDefinition, gateway: str) -> tuple[SequenceFlow, SequenceFlow]:
    """The two flows out of a deciding gateway that mean "Ya" and "Tidak": by their names, else the one that goes on to
    the row below means "Ya", else the first."""
    flows = definition.outgoing[gateway]
    no = [one for one in flows if folded(one.name) in ("tidak", "tdk", "tolak", "ditolak", "kembalikan", "no")]
    yes = [one for one in flows if folded(one.name) in ("ya", "y", "setuju", "disetujui", "lanjut", "yes")]
    if len(yes) != 1 and len(no) == 1:
        yes = [one for one in flows if one not in no]
    if len(yes) != 1:
        tasks = [one.id for one in definition.user_tasks]
        before = next((n for n, id in enumerate(tasks) if target(definition, id) == gateway), -1)
        below = tasks[before + 1:before + 2]
        yes = [one for one in flows if [_through(definition, one.target)] == below] or list(flows)
    return yes[0], next(one for one in flows if one is not yes[0])


def _through(definition: ProcessDefinition, id: str) -> str:
    """An element, or where it leads when it only merges."""
    merges = definition.elements[id].kind == "exclusiveGateway" and len(definition.outgoing[id]) == 1
    return target(definition, id) if merges else id


class _Reader:
    """Reads rows out of elements and flows; what no table can say is remarked."""

    def __init__(self, definition: ProcessDefinition):
        self.definition = definition
        self.remarks: list[Remark] = []
        self.numbers = {one.id: n for n, one in enumerate(definition.user_tasks, 1)}

    def whole(self) -> None:
        """Remarks on a draft that does not hang together yet, and on elements that no table has a word for."""
        elements = self.definition.elements
        torn = [one for one in self.definition.flows.values()
                if one.source not in elements or one.target not in elements]
        starts = [one for one in elements.values() if one.kind == "startEvent" and one.within is None]
        ways = {id: len(flows) for id, flows in self.definition.outgoing.items()}
        if torn or len(starts) != 1 or any(
                ways[one.id] != 1 for one in elements.values() if one.kind in ("startEvent", "userTask")):
            self.cannot("Diagram belum utuh: ada langkah yang belum terhubung.")
            return
        for one in elements.values():
            if one.within is not None:
                continue                # of what no table has a word for as a whole
            if one.kind not in _TOLD:
                self.cannot(f"Diagram memuat {_KINDS.get(one.kind, one.kind)} {quoted(one.name or one.id)}.")
            elif one.kind == "boundaryEvent" and (one.interrupting or not self._only_ends(one)):
                self.cannot(f"Timer {quoted(one.name or one.id)} membelokkan jalannya proses.")
            elif one.kind == "exclusiveGateway" and not ways[one.id]:
                self.cannot(f"Gateway {quoted(one.name or one.id)} belum mempunyai panah keluar.")
            elif one.kind == "boundaryEvent" and one.attached_to not in self.numbers:
                self.cannot(f"Timer {quoted(one.name or one.id)} tidak menempel pada langkah.")
            elif one.kind == "userTask" and self.definition.lane(one.lane) is None:
                self.cannot(f"Langkah {quoted(one.name or one.id)} belum berada di lane mana pun.")
            elif one.kind == "endEvent" and one.terminate:
                self.cannot(f"End event {quoted(one.name or one.id)} menghentikan semuanya.")

    def cannot(self, what: str) -> None:
        self.remarks.append(Remark(message=f"{what} Itu tidak dapat ditulis dalam tabel SOP; ubah pada kanvas."))

    def _only_ends(self, event: Element) -> bool:
        return all(self.definition.elements[flow.target].kind == "endEvent"
                   for flow in self.definition.outgoing[event.id])

    def row(self, number: int, task: Element) -> SopRow:
        norm = self.definition.norm(task.id)
        counted = norm_of_duration(norm.timer.expression) if norm and norm.timer else ()
        row = SopRow(
            number=number, element=task.id, uraian=task.documentation or task.name, name=task.name or task.id,
            performer=task.lane or "", norm=counted, keterangan=task.properties.get("sop.keterangan", ""),
            kelengkapan=task.properties.get("sop.kelengkapan", ""), output=task.properties.get("sop.output", ""),
            waktu=task.properties.get("sop.waktu", "") or in_words(counted),
            assumption=task.properties.get("sop.asumsi", "").strip().casefold() == "ya")
        after = self.definition.elements[target(self.definition, task.id)]
        if after.kind == "exclusiveGateway":
            return self._decision(row, after)
        if after.kind == "endEvent":
            return replace(row, symbol=END)
        if after.kind != "userTask" or after.id == task.id:
            self.cannot(f"Sesudah langkah {number} diagram berlanjut dengan {quoted(after.name or after.id)}.")
            return row
        following = self.numbers[after.id]
        return replace(row, then=None if following == number + 1 else following)

    def _decision(self, row: SopRow, gateway: Element) -> SopRow:
        flows = self.definition.outgoing[gateway.id]
        if len(flows) != 2 or len(self.definition.incoming[gateway.id]) != 1:
            self.cannot(f"Gateway {quoted(gateway.name or gateway.id)} sesudah langkah {row.number} memilih di antara "
                        f"{len(flows)} jalan, atau didatangi dari beberapa langkah.")
            return row
        yes, no = yes_and_no(self.definition, gateway.id)
        onward, back = self._number(yes), self._number(no)
        if back is None:
            self.cannot(f'"Tidak" pada langkah {row.number} tidak menuju suatu langkah.')
        last = row.number == len(self.numbers)
        if onward is None and not last:
            self.cannot(f'"Ya" pada langkah {row.number} menuju akhir, padahal masih ada langkah sesudahnya.')
        return replace(row, symbol=DECISION, back_to=back, then=None if onward == row.number + 1 else onward)

    def _number(self, flow: SequenceFlow) -> int | None:
        """The row that a flow out of a decision leads to, None for the end."""
        id = _through(self.definition, flow.target)
        if self.definition.elements[id].kind == "exclusiveGateway":
            self.cannot(f"Dua keputusan berurutan tanpa langkah di antaranya: {quoted(id)}.")
        return self.numbers.get(id)


_TOLD = ("startEvent", "endEvent", "userTask", "exclusiveGateway", "boundaryEvent")
_KINDS = {"parallelGateway": "gateway paralel", "inclusiveGateway": "gateway inklusif",
          "intermediateCatchEvent": "timer di jalan", "intermediateThrowEvent": "penanda di jalan",
          "subProcess": "subproses"}
