"""What a task asks when only the table is known: a decision, a date, a checklist, and the documents of its cells.

A first form, meant to be changed by its owner. Kelengkapan and Output name papers in a sentence; each that can be told
apart becomes a document of the instance, the same one wherever it is named again. What is no paper (a printer, a result
that "was carried out") becomes none, and what is there only "if any" keeps nobody from going on.
"""
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .definition import Choice, Column, Field, Slot
from .gate import folded
from .gate_forms import NO_NAMES
from .sop_table import DECISION, NO, SopRow, SopTable, lettered, named

APPROVE, RETURN = "setujui", "kembalikan"
MOST_DOCUMENTS = 12             # of one cell
MOST_FIELDS = 900               # of all rows, columns of tables included; the gate lets 1,000 through
MOST_LABEL = 160                # characters of a field's label
_NO_PAPER = re.compile(
    r"\b(komputer|pc|laptop|lap top|notebook|printer|scanner|mesin|atk|alat tulis|alat-alat|internet|jaringan|wifi|"
    r"telepon|hp|handphone|kendaraan|mobil|motor|ruang|ruangan|meja|kursi|proyektor|lcd|kamera|aplikasi|listrik|"
    r"lisan|konsumsi|snack|anggaran|stempel|cap dinas|kertas|tinta)\b")
_RESULT = re.compile(r"^(ter\w+nya|ter(susun|laksana|sedia|kirim|arsip|catat|bayar|input|upload|unggah)|ter\w+kan)\b")
_IF_ANY = re.compile(r"\((?:jika|bila|apabila|kalau)\s+(?:ada|perlu|diperlukan|dibutuhkan)\)|"
                     r"\b(?:jika|bila|apabila)\s+(?:ada|perlu|diperlukan|dibutuhkan)\b|\bopsional\b")
_ITEM = re.compile(r"^\s*(?:[0-9]{1,2}[.)]|[a-z][.)]|[-•·*–])\s*")
_ABBREVIATED = re.compile(r"\(([A-Z][A-Za-z]{1,9})\)")


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A document that a cell names."""
    label: str
    needed: bool                        # not only "jika ada"


def papers(cell: str) -> tuple[Paper, ...]:
    """The documents that a Kelengkapan or Output names."""
    found: list[Paper] = []
    for line in re.split(r"\n|;", cell):
        for part in _parts(_ITEM.sub("", line)):
            label = _ITEM.sub("", part).strip(" .,;:")
            said = folded(label)
            if not re.search(r"[a-z0-9]{2}", said) or _NO_PAPER.search(said) or _RESULT.search(said):
                continue
            if all(kind_of(label) != kind_of(one.label) for one in found):
                found.append(Paper(label=label[:MOST_LABEL], needed=_IF_ANY.search(said) is None))
    return tuple(found[:MOST_DOCUMENTS])


def _parts(line: str) -> list[str]:
    """The parts of a list in a sentence: at commas, and at "dan" before a capital; nothing inside brackets is cut."""
    found, depth, start = [], 0, 0
    for one in re.finditer(r"[()]|,\s+|\s+(?:dan|serta|&)\s+(?=[A-Z0-9])|,?\s+(?:dan|serta)\s+(?=[a-z]+/)", line):
        if one[0] in "()":
            depth += 1 if one[0] == "(" else -1
        elif depth <= 0:
            found.append(line[start:one.start()])
            start = one.end()
    return [*found, line[start:]]


def kind_of(label: str) -> str:
    """What a document is called, whatever its spelling: "Draft/rancangan", "Draf/ rancangan" are one."""
    plain = _IF_ANY.sub(" ", folded(label))
    plain = re.sub(r"\([^()]*\)", " ", plain)
    plain = re.sub(r"\bdraft\b", "draf", plain)
    return " ".join(re.findall(r"[a-z0-9]+", plain)) or folded(label)


def forms(table: SopTable, tasks: Mapping[int, str], decisions: Mapping[int, str],
          before: Mapping[str, Field] | None = None) -> dict[int, tuple[Field, ...]]:
    """The form of every row, by its number.

    tasks      the BPMN id of each row's user task
    decisions  the id of each decision's field
    before     the fields that an earlier diagram has, by id: a document that it has already is that one, and no other
               field is made over into a document
    """
    corrected: dict[int, list[int]] = {}
    for row in table.rows:
        if row.symbol == DECISION and row.back_to is not None and row.back_to != row.number:
            corrected.setdefault(row.back_to, []).append(row.number)
    found: dict[int, tuple[Field, ...]] = {}
    for row in table.rows:
        decided = row.symbol == DECISION
        asked = _decision(table, row, decisions[row.number]) if decided else _done(row, tasks[row.number])
        # Of corrections out of two places nobody could say which are meant.
        if len(corrected.get(row.number, [])) == 1:
            asked.insert(0, _answered(tasks[row.number], decisions[corrected[row.number][0]]))
        found[row.number] = tuple(asked)
    documents = _Documents(table, tasks, decisions, {one.id for fields in found.values() for one in fields},
                           before or {})
    whole = {row.number: (*found[row.number], *documents.of(row)) for row in table.rows}
    return _bounded(whole)


def _bounded(forms: Mapping[int, tuple[Field, ...]]) -> dict[int, tuple[Field, ...]]:
    """No more than a diagram may ask: items to tick and documents are left out from where there is no more room."""
    def spare(one: Field) -> bool:
        return one.type in ("boolean", "document")

    room = MOST_FIELDS - sum(1 + len(one.columns) for form in forms.values() for one in form if not spare(one))
    found: dict[int, tuple[Field, ...]] = {}
    for number, form in forms.items():
        kept = []
        for one in form:
            room -= spare(one)
            if room >= 0 or not spare(one):
                kept.append(one)
        found[number] = tuple(kept)
    return found


def corrections(decision: str) -> str:
    """The id of the table of corrections that goes with a decision's field."""
    return decision.replace("keputusan", "koreksi") if "keputusan" in decision else f"koreksi_{decision}"


def _decision(table: SopTable, row: SopRow, id: str) -> list[Field]:
    performer = table.performer(row.performer)
    returned = f'{id} = "{RETURN}"'
    return [
        Field(id=id, label="Keputusan", type="enum", required=True, decision=True, source="S", choices=(
            Choice(value=APPROVE, label="Setujui"), Choice(value=RETURN, label="Kembalikan untuk diperbaiki"))),
        Field(id=corrections(id), label=f"Koreksi {performer.name if performer else ''}".strip()[:MOST_LABEL],
              type="table", required_if=returned, shown_if=returned, source="D",
              hint="Tuliskan paling sedikit satu koreksi.", columns=(
                  Column(id="bagian", label="Bagian/halaman"),
                  Column(id="koreksi", label="Koreksi", type="text", required=True))),
    ]


def _answered(task: str, decision: str) -> Field:
    """Each correction is answered by who repairs."""
    return Field(
        id=f"tindak_lanjut_{named(task)}", label="Tindak lanjut atas koreksi", type="table", source="D",
        required_if="putaran >= 2", shown_if="putaran >= 2", rows_from=(corrections(decision),), columns=(
            Column(id="koreksi", label="Koreksi", type="text", readonly=True),
            Column(id="hasil", label="Hasil", type="enum", required=True, choices=(
                Choice(value="sudah", label="Sudah diperbaiki"), Choice(value="sebagian", label="Diperbaiki sebagian"),
                Choice(value="tidak", label="Tidak diperbaiki"))),
            Column(id="penjelasan", label="Penjelasan", type="text", required_if='hasil != "sudah"')))


def _done(row: SopRow, task: str) -> list[Field]:
    """What a step without a decision asks: its lettered items ticked, the day, a remark."""
    id = named(task)
    found = [Field(id=f"butir_{id}_{letter}", label=f"{letter}. {item}"[:MOST_LABEL], type="boolean", required=True,
                   source="S") for letter, item in lettered(row.uraian)]
    return [*found, Field(id=f"tanggal_{id}", label="Tanggal selesai dikerjakan", type="date", required=True,
                          initial="=today()", source="D"),
            Field(id=f"catatan_{id}", label="Catatan", type="text", source="T")]


class _Documents:
    """The documents of all cells. One that is named again is the same one, and comes from where it was last."""

    def __init__(self, table: SopTable, tasks: Mapping[int, str], decisions: Mapping[int, str], taken: set[str],
                 before: Mapping[str, Field]):
        self.table, self.tasks, self.decisions = table, tasks, decisions
        self.shorter = self._abbreviations()
        drawn = {id: one for id, one in before.items() if one.type == "document" and id not in taken}
        # kind -> id of the document: the first that is called so, one called so in whole before one called so for short
        whole = {id: one for id, one in drawn.items() if self._kind(one.label) == kind_of(one.label)}
        self.ids = {self._kind(one.label): id for id, one in (*reversed(drawn.items()), *reversed(whole.items()))}
        self.taken = taken | (set(before) - set(drawn)) | NO_NAMES
        self.slots: dict[int, dict[str, Field]] = {}
        for row in table.rows:
            self.slots[row.number] = self._slots(row)

    def of(self, row: SopRow) -> tuple[Field, ...]:
        return tuple(self.slots[row.number].values())

    def _abbreviations(self) -> dict[str, str]:
        """ "Laporan Hasil Reviu (LHR)" is meant by "LHR" too."""
        cells = [cell for row in self.table.rows for cell in (row.kelengkapan, row.output)]
        labels = [one.label for cell in cells for one in papers(cell)]
        # The first name of a document is its name, whatever it is called further down.
        return {folded(short): kind_of(label) for label in reversed(labels) for short in _ABBREVIATED.findall(label)
                if kind_of(label) != folded(short)}

    def _kind(self, label: str) -> str:
        short = _ABBREVIATED.search(label)
        kind = kind_of(label)
        return self.shorter.get(folded(short[1]), kind) if short else self.shorter.get(kind, kind)

    def _id(self, kind: str) -> str:
        if kind not in self.ids:
            wanted = named(kind) or "berkas_lain"
            wanted = f"dokumen_{wanted}" if wanted in NO_NAMES else wanted
            id, n = wanted, 2
            while id in self.taken:
                id, n = f"{wanted}_{n}", n + 1
            self.ids[kind] = id
            self.taken.add(id)
        return self.ids[kind]

    def _slots(self, row: SopRow) -> dict[str, Field]:
        made = {self._kind(one.label): one for one in papers(row.output)}
        used = {self._kind(one.label): one for one in papers(row.kelengkapan)}
        found: dict[str, Field] = {}
        for kind, paper in used.items():
            holder = self._holder(row, kind)
            if kind in made:
                continue                                # it goes out again, so it is asked for once, as Output
            # What an earlier row may have left out on its way cannot be demanded of this one.
            sure = holder is None or self._certain(holder, row, self._id(kind))
            found[self._id(kind)] = Field(
                id=self._id(kind), label=paper.label, type="document", required=paper.needed and sure, source="S",
                slot=Slot(role="kelengkapan", origin=self.tasks[holder] if holder else "langkah",
                          forms=("berkas", "cetak", "tautan"), many=True))
        for kind, paper in made.items():
            holder = self._holder(row, kind)
            needed = paper.needed
            decided = row.symbol == DECISION
            found[self._id(kind)] = Field(
                id=self._id(kind), label=paper.label, type="document", required=needed and not decided, source="S",
                required_if=f'{self.decisions[row.number]} = "{APPROVE}"' if needed and decided else None,
                slot=Slot(role="output", origin=self.tasks[holder] if holder else None, many=True,
                          forms=("berkas", "cetak", "tautan"), version="sama" if holder else "baru"))
        return found

    def _holder(self, row: SopRow, kind: str) -> int | None:
        """The last row before this one that has the document."""
        id = self.ids.get(kind)
        rows = [n for n, slots in self.slots.items() if n < row.number and id in slots]
        return max(rows, default=None)

    def _certain(self, holder: int, row: SopRow, id: str) -> bool:
        """Whether every way to a row leads through the holder, and with the document made there."""
        slot = self.slots[holder][id]
        if not slot.required and slot.required_if is None:
            return False
        seen, waiting = set(), [self.table.rows[0].number]
        while waiting:
            number = waiting.pop()
            if number == row.number:
                return False
            one = self.table.row(number)
            if one is None or number in seen:
                continue
            seen.add(number)
            ways = self.table.following(one)
            if number == holder:                        # returned, a decision has made nothing
                ways = tuple(way for way in ways if way[0] == NO and slot.required_if is not None)
            waiting += [to for _, to in ways if to is not None]
        return True
