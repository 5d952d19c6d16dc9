"""An SOP's table out of cells, wherever they came from: where its head is, what its rows say, who performs them.

Pages of cells come from `sop_import.py`. Symbols say who performs a row and whether it is a decision. Where none is
drawn the wording is asked, by the habits of these documents: whoever is handed the papers in one row performs the next,
the columns stand in the order of first action, a step goes back to whoever repairs. What was inferred so is marked as
an assumption and told, with its reason, to the owner.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .gate import folded
from .sop_table import (
    DECISION,
    END,
    MOST_ROWS,
    STEP,
    Identity,
    Performer,
    Remark,
    SopRow,
    SopTable,
    cleaned,
    lettered,
    named,
    norm_of,
    problems,
    settled,
    short_name,
    titled,
)

CAPSULE, CONNECTED = "kapsul", "sambungan"      # beside STEP and DECISION: what may be drawn


class Unreadable(Exception):
    """A file that gives no table: why, and what to do, with their places in it."""

    def __init__(self, message: str, line: int | None = None, column: str = "", others: Iterable[Remark] = ()):
        super().__init__(message)
        self.remarks = (Remark(message=message, row=line, column=column), *others)


@dataclass
class Symbol:
    """A shape that was drawn; and, where connectors say so, the shapes to which it leads."""
    kind: str                           # CAPSULE | STEP | DECISION | CONNECTED
    id: str = ""
    to: list[str] = field(default_factory=list)
    assumed: bool = False               # drawn as our own documents draw an assumption


@dataclass
class Cell:
    text: str = ""
    symbols: list[Symbol] = field(default_factory=list)


@dataclass
class Line:
    """A row of cells as it stands in the file."""
    number: int                         # its place there, from 1
    cells: dict[int, Cell] = field(default_factory=dict)        # by column, from 0
    numbered: bool = False              # its first cell is numbered by the word processor

    def text(self, column: int | None) -> str:
        cell = self.cells.get(column) if column is not None else None
        return cleaned(cell.text) if cell else ""

    @property
    def texts(self) -> list[str]:
        """What is written in it, from left to right."""
        return [text for n in sorted(self.cells) if (text := self.text(n))]


Page = list[Line]


def table_in(pages: Sequence[Page]) -> SopTable:
    """The table that stands in these pages, with its guesses.

    Raises Unreadable with findings when there is none, or none that holds together.
    """
    page = next((one for one in pages if _head(one)), None)
    head = _head(page) if page else None
    if page is None or head is None:
        raise Unreadable("Kepala tabel tidak ditemukan. Tabel SOP harus mempunyai baris kepala dengan kolom No, Uraian "
                         "Prosedur, Pelaksana, Mutu Baku (Kelengkapan, Waktu, Output) dan Keterangan.")
    guesses: list[Remark] = []
    rows = list(_rows(page, head))
    if not rows:
        raise Unreadable("Tabel tidak memuat langkah. Baris langkah diawali nomor pada kolom No.",
                         page[head.last].number, "No")
    other = [line for one in pages if one is not page for line in one]
    identity = identity_in([*page[:head.first], *other])
    name = titled(identity.nama_sop) or "SOP tanpa nama"
    if not identity.nama_sop:
        guesses.append(Remark(message="Nama SOP tidak ditemukan. Isi NAMA SOP pada bagian identitas."))
    key = named(name) or "sop"
    performers = _performers(head, rows, key)
    reading = _Reading(performers, rows, head, guesses)
    table = settled(SopTable(key=key, name=name, identity=identity, performers=performers, rows=reading.rows()))
    if problems(table) and any(one.symbol == END for one in table.rows[:-1]):
        # A capsule in the middle that ends what could not end: drawn as a box it says the same.
        table = settled(replace(table, rows=tuple(replace(one, symbol=STEP) if one.symbol == END else one
                                                  for one in table.rows)))
    if wrong := problems(table):
        raise Unreadable("Tabel terbaca, tetapi tidak dapat digambar.", others=wrong)
    return replace(table, guesses=tuple(sorted(guesses, key=lambda one: one.row or 0)))


# --- The head --------------------------------------------------------------------------------------------------------

@dataclass(frozen=True, kw_only=True)
class _Head:
    first: int                          # its first and its last line in the page
    last: int
    no: int
    uraian: int
    performers: tuple[tuple[int, str], ...]     # (column, name); one without a name: who performs is written in it
    cells: dict[str, int]               # kelengkapan, waktu, output, keterangan: those that are there
    words: frozenset[str]               # all that is written in it


_NO = re.compile(r"(no|nomor|no\. urut)\.?")
_URAIAN = re.compile(r"\b(uraian|kegiatan|prosedur|aktivitas|aktifitas|langkah)\b")
_COLUMNS = {
    "kelengkapan": re.compile(r"(kelengkapan|persyaratan|perlengkapan|syarat|input)\b.*"),
    "waktu": re.compile(r"waktu\b.*"), "output": re.compile(r"(output|keluaran|hasil)\b.*"),
    "keterangan": re.compile(r"(keterangan|ket)\b\.?.*"),
}


def _head(page: Page) -> _Head | None:
    """The first head in a page: a line that calls columns No and Uraian, and the lines below that call the others."""
    for n, line in enumerate(page):
        said = {column: folded(line.text(column)) for column in line.cells if line.text(column)}
        no = next((column for column, text in said.items() if _NO.fullmatch(text)), None)
        uraian = next((column for column, text in said.items() if _URAIAN.search(text) and len(text) < 60
                       and no is not None and column > no), None)
        if no is not None and uraian is not None and (found := _completed(page, n, no, uraian)):
            return found
    return None


def _completed(page: Page, first: int, no: int, uraian: int) -> _Head | None:
    cells: dict[str, int] = {}
    written: dict[int, str] = {}                        # the lowest text of every column
    last = first
    for n in range(first, min(first + 4, len(page))):
        line = page[n]
        if n > first and (line.text(no) or _numbers(line)):
            break
        last = n
        for column in sorted(line.cells):
            text = line.text(column)
            for name, pattern in _COLUMNS.items():
                if column > uraian and text and name not in cells and pattern.fullmatch(folded(text)):
                    cells[name] = column
            written |= {column: text} if text else {}
    if "waktu" not in cells and "kelengkapan" not in cells:
        return None
    edge = min(cells.values())
    between = [(column, text) for column, text in sorted(written.items()) if uraian < column < edge]
    performers = [(column, " ".join(text.split())) for column, text in between
                  if not re.fullmatch(r"(pelaksana|aktor|mutu baku)\b.*", folded(text))]
    if not performers and between:
        performers = [(between[0][0], "")]
    words = frozenset(folded(text) for n in range(first, last + 1) for text in page[n].texts)
    return _Head(first=first, last=last, no=no, uraian=uraian, performers=tuple(performers), cells=cells,
                 words=words) if performers else None


def _numbers(line: Line) -> bool:
    """The line of a head that numbers its columns: 1 2 3 4 ..."""
    texts = line.texts
    return len(texts) > 2 and all(text.isdigit() for text in texts) and [int(text) for text in texts] == list(
        range(int(texts[0]), int(texts[0]) + len(texts)))


# --- The rows --------------------------------------------------------------------------------------------------------

@dataclass
class _Row:
    """A row of the table as it was written, from one or more lines."""
    number: int
    line: int
    texts: dict[str, str] = field(default_factory=dict)         # uraian and the cells
    symbols: dict[int, list[Symbol]] = field(default_factory=dict)      # by performer
    marks: dict[int, str] = field(default_factory=dict)         # what is typed under performers
    spaced: list[int] = field(default_factory=list)             # performers whose cell holds but a space


def _rows(page: Page, head: _Head) -> Iterator[_Row]:
    row: _Row | None = None
    count = 0
    for line in page[head.last + 1:]:
        if not line.cells or _numbers(line) or (line.texts and all(folded(one) in head.words for one in line.texts)):
            continue                                    # empty, or a head that is repeated on the next page
        number = re.fullmatch(r"([0-9]{1,4})[.)]?", line.text(head.no))
        if number or (line.numbered and line.text(head.uraian) and not line.text(head.no)):
            if row:
                yield row
            count += 1
            if count > MOST_ROWS:
                raise Unreadable(f"Tabel memuat lebih dari {MOST_ROWS} langkah. Bagi menjadi beberapa SOP.",
                                 line.number, "No")
            row = _Row(int(number[1]) if number else count, line.number)
        elif row is None or line.text(head.no) or set(line.cells) == {head.no}:
            continue                                    # what stands before the first row, or below the table
        _added(row, line, head)
    if row:
        yield row


def _added(row: _Row, line: Line, head: _Head) -> None:
    """A line goes into the row that it belongs to."""
    for name, column in (("uraian", head.uraian), *head.cells.items()):
        if text := line.text(column):
            row.texts[name] = f"{row.texts[name]}\n{text}" if name in row.texts else text
    edge = min(head.cells.values())
    columns = [column for column, _ in head.performers]
    for column, cell in line.cells.items():
        if head.uraian < column < edge and columns:
            # What is drawn in a part of a merged column belongs to the performer whose column began before it.
            place = max([n for n, one in enumerate(columns) if one <= column], default=0)
            if cell.symbols:
                row.symbols.setdefault(place, []).extend(cell.symbols)
            if line.text(column):
                row.marks[place] = " ".join([row.marks.get(place, ""), line.text(column)]).strip()
            elif cell.text and not cell.text.strip() and not cell.symbols:
                row.spaced.append(place)


def _performers(head: _Head, rows: Sequence[_Row], key: str) -> tuple[Performer, ...]:
    names = [name for _, name in head.performers]
    if names == [""]:                                   # one column in which the performer is written
        names = list(dict.fromkeys(" ".join(row.marks[0].split()) for row in rows if row.marks.get(0)))
        if not names:
            raise Unreadable("Nama pelaksana tidak ditemukan. Tulis nama jabatan di bawah judul Pelaksana.",
                             rows[0].line, "Pelaksana")
    found: list[Performer] = []
    for n, name in enumerate(names, 1):
        id = named(name) or f"pelaksana_{n}"
        taken = {one.id for one in found} | {key}
        found.append(Performer(id=id if id not in taken else f"{id}_{n}", name=name))
    return tuple(found)


# --- Who performs, what is decided -----------------------------------------------------------------------------------

_DECISION_MARK = re.compile(r"◇|◊|⬦|♦|<>|\b(keputusan|belah ketupat|decision)\b", re.IGNORECASE)
_CAPSULE_MARK = re.compile(r"⬭|\b(mulai|selesai|start|end|kapsul)\b", re.IGNORECASE)
_ASSUMED_MARK = re.compile(r"\basumsi\b", re.IGNORECASE)
_YES_MARK = re.compile(r"\bya\s*:\s*langkah\s+([0-9]{1,3})\b", re.IGNORECASE)
_NO_MARK = re.compile(r"\btidak\s*:\s*langkah\s+([0-9]{1,3})\b", re.IGNORECASE)
_ONWARD_MARK = re.compile(r"\b(?:kotak|kapsul)\s+ke langkah\s+([0-9]{1,3})\b", re.IGNORECASE)
_CONDITION = re.compile(r"\b(?:jika|bila|apabila|kalau)\b[^.;]{0,160}\b(?:tidak|belum|ditolak)\b|"
                        r"\b(?:dikembalikan|ditolak)\b|\bkembali ke (?:langkah|nomor|no)\b")
_BACK_TO_NUMBER = re.compile(r"\bke(?:mbali ke)?\s+(?:langkah|nomor|no|prosedur|tahap)\.?\s*(?:ke-?\s*)?([0-9]{1,3})\b")
_REPAIRS = re.compile(r"\b(memperbaiki|perbaikan|merevisi|menyempurnakan|melengkapi|mengoreksi)\b")
_HANDS = (r"(?:kepada|ke|menugaskan|memerintahkan|mendisposisikan|menginstruksikan|disposisi ke)\s+"
          r"(?:bapak |ibu |sdr\.? |saudara )?")


class _Reading:
    """Rows on their way into the table; every guess is told."""

    def __init__(self, performers: Sequence[Performer], rows: Sequence[_Row], head: _Head, guesses: list[Remark]):
        self.performers, self.raw, self.guesses = performers, rows, guesses
        self.written = head.performers[0][1] == ""
        self.aliases = self._aliases()
        self.symbols: list[str] = [STEP] * len(rows)
        self.who: list[int | None] = [None] * len(rows)
        self.why: list[str] = [""] * len(rows)          # of a performer that was inferred
        self.by_symbol = [bool(one.symbols or one.marks) for one in rows]
        self.assumed = [False] * len(rows)              # the document itself says that the performer is assumed
        self.place = {symbol.id: n for n, row in enumerate(rows) for some in row.symbols.values()
                      for symbol in some if symbol.id}

    def guess(self, n: int, column: str, message: str) -> None:
        self.guesses.append(Remark(row=n + 1, column=column, message=message))

    def rows(self) -> tuple[SopRow, ...]:
        for n in range(len(self.raw)):
            self._by_symbols(n)
        for n in range(len(self.raw)):
            if not self.by_symbol[n] and _CONDITION.search(folded(self._all(n))):
                self.symbols[n] = DECISION
                self.guess(n, "Pelaksana", "Dibaca sebagai keputusan (belah ketupat), karena keterangannya menyebut "
                                           "apa yang terjadi bila tidak disetujui.")
        self._by_wording()
        return tuple(self._row(n) for n in range(len(self.raw)))

    def _row(self, n: int) -> SopRow:
        raw = self.raw[n]
        uraian = raw.texts.get("uraian", "")
        if raw.number != n + 1:
            self.guess(n, "No", f"Nomor {raw.number} dalam berkas menjadi {n + 1}, menurut urutannya.")
        waktu = raw.texts.get("waktu", "")
        norm, guess = norm_of(waktu)
        if guess:
            self.guess(n, "Waktu", guess)
        who = self.who[n]
        assert who is not None, "every row has a performer by now"
        if self.why[n]:
            self.guess(n, "Pelaksana", f"Pelaksana diasumsikan {self.performers[who].name}: {self.why[n]}.")
        back, then = self._ways(n) if self.symbols[n] == DECISION else (None, self._marked(n, _ONWARD_MARK))
        return SopRow(
            number=n + 1, uraian=uraian, name=short_name(uraian) if uraian else "", symbol=self.symbols[n],
            performer=self.performers[who].id, back_to=back, then=then, waktu=waktu, norm=norm,
            kelengkapan=raw.texts.get("kelengkapan", ""), output=raw.texts.get("output", ""),
            keterangan=raw.texts.get("keterangan", ""), assumption=bool(self.why[n]) or self.assumed[n])

    def _all(self, n: int) -> str:
        return f"{self.raw[n].texts.get('uraian', '')} {self.raw[n].texts.get('keterangan', '')}"

    # By what is drawn

    def _by_symbols(self, n: int) -> None:
        raw = self.raw[n]
        kinds: dict[int, str] = {}
        self.assumed[n] = (any(one.assumed for some in raw.symbols.values() for one in some)
                           or any(_ASSUMED_MARK.search(text) for text in raw.marks.values()))
        for place, some in raw.symbols.items():
            said = [one.kind for one in some if one.kind != CONNECTED]
            if said:
                kinds[place] = next((one for one in (DECISION, STEP, CAPSULE) if one in said), STEP)
        if not kinds and self.written:
            if raw.marks.get(0):
                name = " ".join(raw.marks[0].split())
                self.who[n] = next(place for place, one in enumerate(self.performers) if one.name == name)
            self.by_symbol[n] = False
            return
        if not kinds:
            for place, text in raw.marks.items():
                kinds[place] = DECISION if _DECISION_MARK.search(text) else CAPSULE if _CAPSULE_MARK.search(
                    text) else STEP
        if not kinds:
            self.by_symbol[n] = False
            return
        kind = next(one for one in (DECISION, STEP, CAPSULE) if one in kinds.values())
        places = sorted(place for place, one in kinds.items() if one == kind)
        self.who[n] = places[0]
        self.symbols[n] = DECISION if kind == DECISION else END if kind == CAPSULE and n > 0 else STEP
        if len(places) > 1:
            names = " dan ".join(self.performers[one].name for one in places)
            self.guess(n, "Pelaksana", f"Simbol ada pada {names}; dipakai {self.performers[places[0]].name}.")

    def _ways(self, n: int) -> tuple[int, int | None]:
        """(the row that "Tidak" leads to, the row that "Ya" leads to or None for the one below), from 1."""
        drawn = [self.place[id] for some in self.raw[n].symbols.values() for one in some if one.kind == DECISION
                 for id in one.to if id in self.place and self.place[id] != n]
        others = list(dict.fromkeys(one for one in drawn if one != n + 1))
        if others:
            back = min(others)
            onward = next((one for one in others if one != back), None)
            return back + 1, onward + 1 if onward is not None and n + 1 not in drawn else None
        if (said := self._marked(n, _NO_MARK)) is not None:
            return said, self._marked(n, _YES_MARK)
        back, why = self._returned(n)
        self.guess(n, "Pelaksana", f'"Tidak" dibaca kembali ke langkah {back + 1}: {why}.')
        return back + 1, None

    def _marked(self, n: int, pattern: re.Pattern[str]) -> int | None:
        """The row that is named under a performer, beside the symbol in words; None where none is, or it is not there.
        """
        named_there = (pattern.search(text) for text in self.raw[n].marks.values())
        number = next((int(one[1]) for one in named_there if one), 0)
        return number if 0 < number <= len(self.raw) else None

    def _returned(self, n: int) -> tuple[int, str]:
        """The row that a decision goes back to by its wording, and why."""
        said = folded(self._all(n))
        number = _BACK_TO_NUMBER.search(said)
        if number and 0 < int(number[1]) <= len(self.raw):
            return int(number[1]) - 1, "nomornya disebut"
        back = re.search(r"\b(?:di)?kembali(?:kan)?\b.*", said)
        named_there = self._named(back[0]) if back else []
        earlier = list(range(n - 1, -1, -1))
        for place in named_there:
            his = [one for one in earlier if self.who[one] == place]
            repairs = [one for one in his if _REPAIRS.search(folded(self.raw[one].texts.get("uraian", "")))]
            if his:
                why = "langkah perbaikan" if repairs else "langkah terakhir"
                return (repairs or his)[0], f"{why} {self.performers[place].name}, yang disebut menerimanya kembali"
        other = [one for one in earlier if self.who[one] != self.who[n]]
        if other:
            return other[0], "langkah terakhir sebelum ini yang dikerjakan pelaksana lain"
        return max(n - 1, 0), "langkah sebelumnya"

    # By what is written

    def _aliases(self) -> dict[str, int]:
        """The names by which a text may call a performer: the whole one, and every beginning that is only theirs."""
        words = [folded(one.name).split() for one in self.performers]
        found: dict[str, int] = {}
        for place, name in enumerate(words):
            for length in range(1, len(name) + 1):
                alias = " ".join(name[:length])
                if len(alias) > 2 and sum(other[:length] == name[:length] for other in words) == 1:
                    found[alias] = place
        return found

    def _named(self, text: str) -> list[int]:
        """The performers that a text names, in its order."""
        found = []
        for alias, place in self.aliases.items():
            found += [(one.start(), -len(alias), place) for one in re.finditer(rf"\b{re.escape(alias)}\b", text)]
        return list(dict.fromkeys(place for _, _, place in sorted(found)))

    def _receiver(self, n: int) -> int | None:
        """Who is handed the papers at the end of a row."""
        text = folded(self.raw[n].texts.get("uraian", ""))
        last: tuple[int, int] | None = None
        for alias, place in self.aliases.items():
            for one in re.finditer(rf"\b{_HANDS}{re.escape(alias)}\b", text):
                last = max(last or (-1, -1), (one.start(), place))
        return last[1] if last else None

    def _take(self, n: int, who: int, why: str) -> None:
        self.who[n], self.why[n] = who, why

    def _by_wording(self) -> None:
        for n, raw in enumerate(self.raw):
            if self.who[n] is not None:
                continue
            text = folded(re.sub(r"^\s*a[.)]\s+", "", raw.texts.get("uraian", "")))
            subject = next((place for alias, place in sorted(self.aliases.items(), key=lambda one: -len(one[0]))
                            if text.startswith(f"{alias} ")), None)
            receiver = self._receiver(n - 1) if n else None
            if subject is not None:
                self._take(n, subject, "disebut pada awal uraian")
            elif receiver is not None:
                self._take(n, receiver, "disebut sebagai penerima pada langkah sebelumnya")
            elif len(set(raw.spaced)) == 1:
                self._take(n, raw.spaced[0], "selnya tidak kosong sama sekali")
            elif n == 0:
                self._take(n, 0, "kolom pertama adalah pelaksana pertama")
        self._by_columns()
        for n in range(len(self.raw)):
            if self.who[n] is None:
                self._by_neighbours(n)

    def _by_columns(self) -> None:
        """Columns stand in the order of first action: who stands left of a newcomer has acted before."""
        for n, who in enumerate(self.who):
            if who is None:
                continue
            seen = {one for one in self.who[:n + 1] if one is not None}
            missing = [place for place in range(who) if place not in seen]
            open_rows = [one for one in range(n) if self.who[one] is None]
            if missing and len(missing) <= len(open_rows):
                for row, place in zip(open_rows[-len(missing):], missing, strict=True):
                    self._take(row, place, "kolom pelaksana tersusun menurut urutan kegiatan")

    def _by_neighbours(self, n: int) -> None:
        before = self.who[n - 1] if n else 0
        assert before is not None, "the rows above have their performers"
        if n and self.symbols[n - 1] == DECISION:
            verbs = self._verbs(n)
            for earlier in range(n - 2, -1, -1):
                place = self.who[earlier]
                if place is not None and place != before and verbs & self._verbs(earlier):
                    verb = sorted(verbs & self._verbs(earlier))[0]
                    self._take(n, place, f'langkah {earlier + 1} dengan kata kerja "{verb}" dikerjakan pelaksana ini')
                    return
            place = self.who[self._returned(n - 1)[0]]
            if place is not None:
                self._take(n, place, "sesudah keputusan, pekerjaan kembali kepada yang mengerjakannya")
                return
        self._take(n, before, "tidak ada penyerahan dari langkah sebelumnya")

    def _verbs(self, n: int) -> set[str]:
        """The verbs with which a row, and each of its lettered items, begins."""
        uraian = self.raw[n].texts.get("uraian", "")
        items = [text for _, text in lettered(uraian)] or [uraian]
        return {folded(one).split()[0].strip(".,;") for one in items if one.split()} - {"menerima"}


# --- The identity part -----------------------------------------------------------------------------------------------

_VALUES = {
    "nomor_sop": r"(nomor|no\.?) sop|nomor", "tanggal_pembuatan": r"(tanggal|tgl\.?) (pembuatan|dibuat)",
    "tanggal_revisi": r"(tanggal|tgl\.?) revisi", "tanggal_efektif": r"(tanggal|tgl\.?) efektif",
    "tanggal_pengesahan": r"(tanggal|tgl\.?) (pengesahan|disahkan)", "disahkan_oleh": r"disahkan( oleh)?",
    "nama_sop": r"(nama|judul) sop",
}
_BOXES = {
    "dasar_hukum": r"dasar hukum", "kualifikasi_pelaksana": r"kualifikasi pelaksana(an)?",
    "keterkaitan": r"keterkaitan( dengan sop lain| sop)?", "peringatan": r"peringatan",
    "peralatan_perlengkapan": r"peralatan\s*(/|dan)\s*perlengkapan|peralatan",
    "pencatatan_dan_pendataan": r"pencatatan\s*(dan|&|/)\s*pendataan|pencatatan",
}
_UNIT = re.compile(r"(kantor|dinas|badan|kecamatan|sekretariat|inspektorat|bagian|kelurahan|desa|rsud|rumah sakit|"
                   r"satuan|upt|uptd|puskesmas|kementerian|direktorat|balai)\b.*")


def identity_in(lines: Sequence[Line]) -> Identity:
    """The identity part, from what stands outside the table."""
    values: dict[str, str] = {}
    lists: dict[str, tuple[str, ...]] = {}
    texts: list[str] = []
    for n, line in enumerate(lines):
        columns = sorted(line.cells)
        for column in columns:
            text = line.text(column)
            if not text:
                continue
            texts += [one.strip() for one in text.split("\n") if one.strip()]
            for name, pattern in _VALUES.items():
                if name not in values and (found := _value(pattern, text, line, column)) is not None:
                    values[name] = found
            for name, pattern in _BOXES.items():
                if name not in lists and (content := _content(pattern, lines, n, column)) is not None:
                    lists[name] = items_in(content)
    government = next((n for n, one in enumerate(texts) if re.match(r"pemerintah\b", folded(one))), None)
    unit = next((one for one in texts[government + 1:government + 6] if _UNIT.fullmatch(folded(one))
                 and len(one) < 120), "") if government is not None else ""
    if not values.get("nama_sop"):
        title = next((n for n, one in enumerate(texts) if folded(one) == "standar operasional prosedur"), None)
        following = texts[title + 1:title + 2] if title is not None else []
        values["nama_sop"] = following[0] if following and len(following[0]) < 200 else ""
    boxes: dict[str, Any] = {**values, **lists}
    return Identity(pemerintah=texts[government] if government is not None else "", unit=unit, **boxes)


def _value(pattern: str, text: str, line: Line, column: int) -> str | None:
    """What stands after a label: behind its colon, or in the next cell that is not the colon. None: no such label."""
    found = re.fullmatch(rf"(?:{pattern})\s*(?::\s*(.*))?", " ".join(text.split()), re.IGNORECASE)
    if not found:
        return None
    if found[found.lastindex or 0] and ":" in text and (after := " ".join(text.split()).partition(":")[2].strip()):
        return after
    after_it = [line.text(one) for one in sorted(line.cells) if one > column]
    filled = [one.lstrip(":").strip() for one in after_it if one.strip() not in ("", ":")]
    # The next label is no value.
    labels = "|".join([*_VALUES.values(), *_BOXES.values()])
    return filled[0] if filled and not re.fullmatch(rf"(?:{labels})\s*:?", folded(filled[0])) else ""


def _content(pattern: str, lines: Sequence[Line], n: int, column: int) -> str | None:
    """What stands in a box: below its label in the same cell, else in the cells below it until the next label."""
    text = lines[n].text(column)
    head, _, rest = text.partition("\n")
    labelled = re.fullmatch(rf"(?:{pattern})\s*:?\s*", head.strip(), re.IGNORECASE)
    inline = re.fullmatch(rf"(?:{pattern})\s*:\s*(\S.*)", head.strip(), re.IGNORECASE)
    if inline:
        return f"{head.partition(':')[2].strip()}\n{rest}"
    if not labelled:
        return None
    if rest.strip():
        return rest
    found: list[str] = []
    labels = "|".join([*_VALUES.values(), *_BOXES.values()])
    place = sum(1 for one in sorted(lines[n].cells) if one < column and lines[n].text(one))
    for line in lines[n + 1:n + 40]:
        if any(re.match(rf"(?:{labels})\s*:?\s*(\n|$)", folded(one.partition(chr(10))[0])) for one in line.texts):
            break
        below = line.text(column)
        if not below and place < len(line.texts) and not any(line.text(one) for one in lines[n].cells):
            below = line.texts[place]                   # cells that do not stand straight under one another
        if not below and found:
            break
        found += [below] if below else []
    return "\n".join(found)


def items_in(text: str) -> tuple[str, ...]:
    """The items of a box, one a line or numbered in a line, without their numbers."""
    lines = [one.strip() for one in text.split("\n") if one.strip()]
    if len(lines) == 1:
        marks = [one for one in re.finditer(r"(?:^|\s)([0-9]{1,2})[.)]\s+", lines[0])
                 if one.start() == 0 or lines[0][:one.start()]]
        if len(marks) > 1 and marks[0].start() == 0 and [int(one[1]) for one in marks] == list(
                range(1, len(marks) + 1)):
            ends = [one.start() for one in marks[1:]] + [len(lines[0])]
            lines = [lines[0][one.end():end] for one, end in zip(marks, ends, strict=True)]
    found = (re.sub(r"^(?:[0-9]{1,2}[.)]|[a-z][.)]|[-•·*–])\s+", "", one).strip() for one in lines)
    return tuple(one for one in found if one and one != ":")
