"""What changed between two versions of a diagram, each change once and in a sentence.

Compared are values, not files: what an owner has drawn, written or set. Every value that `definition.py` knows is in
one of the tables below; what stands in the file besides (notes, the pool, unread properties) and the drawing come from
`diagram.beside`. Who was renamed or got another id is still who they are, and what names them by the new id has not
changed. The law: definitions that mean the same differ cosmetically at most, and others in at least one thing that is
not cosmetic. Knows no XML and no database; the sentences are for owners, in Indonesian.
"""
from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from . import diagram
from .definition import Choice, Column, Deadline, Element, Field, Lane, ProcessDefinition, SequenceFlow, Slot, Timer
from .diagram import Beside
from .gate import quoted
from .sop import in_words, items

ADDED, REMOVED, MOVED, ID = "added", "removed", "moved", "id"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that is not as it was."""
    element: str                            # BPMN id of what it is about, as the new version has it (removed: the old)
    kind: str                               # userTask lane sequenceFlow process timer deadline field slot choice column
    #                                         or, of what only the file says, the name of its XML element
    property: str                           # "name", "arahan.label" of a field, "status.sudah.added" of a choice
    old: str | None                         # None: nothing stood there
    new: str | None
    cosmetic: bool = False                  # only the drawing: runs, prints and reads as before
    where: str = field(default="", compare=False)           # what it is about, as an owner knows it
    old_said: str | None = field(default=None, compare=False)   # the values as they are read: names for ids
    new_said: str | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class Power:
    """A right that the performers of a lane have in the new version, and had not in the old one."""
    lane: str                               # Lane.id, with ":ketua" where only that member of a team has it
    right: str                              # task decide attach start extend record appoint
    element: str                            # BPMN id of what it is a right to: an element, a lane (record)
    part: str = ""                          # the field that decides, is attached, appoints
    lane_name: str = field(default="", compare=False)
    where: str = field(default="", compare=False)


def changes(old: ProcessDefinition, new: ProcessDefinition, before: Beside | None = None,
            after: Beside | None = None) -> tuple[Change, ...]:
    """What changed, in an order to read it in: the process, its lanes, its elements in the SOP's order, flows, drawing.

    before, after  what the files say besides (`diagram.beside`). Without them notes and the drawing are not compared,
                   and a difference that is only there is said as one of the file.
    """
    names = _matched(old, new)
    told = _Telling(old, new, names, _shifted(old, new, names))
    found = list(_of_process(told))
    if before is not None and after is not None:
        found += _beside(told, before, after)
    if old.meaning_sha256 != new.meaning_sha256 and all(one.cosmetic for one in found):
        found.append(Change(element=new.key, kind="process", property="file", old=old.meaning_sha256,
                            new=new.meaning_sha256, where="Berkas diagram"))
    if before is not None and after is not None:
        found += _drawn(told, before, after)
    return tuple(found)


def between(old: bytes, new: bytes) -> tuple[Change, ...]:
    """What changed between two files, drawing and all. They are read, not judged.

    Raises DiagramError when one of them is no XML that we open, or holds no process.
    """
    return changes(diagram.reread(old), diagram.reread(new), diagram.beside(old), diagram.beside(new))


def powers(old: ProcessDefinition, new: ProcessDefinition) -> tuple[Power, ...]:
    """What the lanes of the new version may do that they might not before, lane by lane as they are drawn."""
    names = _matched(old, new)
    had = {(names.translated("lane", lane), right, names.element.get(element, names.lane.get(element, element)),
            names.form.get(part, part)) for lane, right, element, part in _rights(old)}
    order = {lane.id: n for n, lane in enumerate(new.lanes)}
    got = [one for one in _rights(new)
           if one not in had and (one[0].partition(":")[0], *one[1:]) not in had]
    got.sort(key=lambda one: order.get(one[0].partition(":")[0], len(order)))
    return tuple(Power(lane=lane, right=right, element=element, part=part, lane_name=_lanes_said(new, lane),
                       where=_right_to(new, element, part)) for lane, right, element, part in got)


# --- Sentences -------------------------------------------------------------------------------------------------------

def words(change: Change) -> str:
    """A change as a sentence for an owner, in Indonesian."""
    name = "" if change.property.startswith(_UNREAD) else change.property.rpartition(".")[2]
    old, new = _shortened(change.old, change.new)
    old, new = change.old_said or old, change.new_said or new
    subject = change.where or f"{change.kind} {quoted(change.element)}"
    match name:
        case "added":
            sentence = f"{subject} ditambahkan"
        case "removed":
            sentence = f"{subject} dihapus"
        case "moved":
            sentence = f"{subject} dipindah dari urutan ke-{change.old} ke urutan ke-{change.new}"
        case "id":
            sentence = f"{subject}: id berubah dari {old} menjadi {new}"
        case "file":
            sentence = f"{subject} ditulis lain di tempat yang tidak mengubah langkah, isian, waktu atau pelaksana"
        case "element":
            sentence = f"{subject} dipindah dari {old} ke {new}"
        case "within" if change.old and change.new:
            sentence = f"{subject} dipindah dari {old} ke {new}"
        case "within":
            sentence = f"{subject} dipindah ke {f'dalam {new}' if change.new else f'luar {old}'}"
        case "lane" if change.old and change.new:
            sentence = f"{subject} dipindah dari lane {old} ke lane {new}"
        case "source" | "target" if change.kind == "sequenceFlow":
            sentence = f"{subject} {'berpangkal' if name == 'source' else 'menuju'} {new}, semula {old}"
        case "position" if change.cosmetic:
            sentence = f"{subject} hanya digeser pada gambar"
        case "drawn":
            sentence = f"{subject} {'kini tergambar' if change.new else 'tidak lagi tergambar'}"
        case _ if change.cosmetic:
            sentence = f"{subject}: {_DRAWING_WORDS.get(name, name)} diubah pada gambar"
        case _:
            what = _word(change.kind, change.property)
            if change.old in _YES_NO and change.new in _YES_NO:
                sentence = f"{subject}: {what} kini {change.new}, semula {change.old}"
            elif change.old is None:
                sentence = f"{subject}: {what} ditambahkan, {new}"
            elif change.new is None:
                sentence = f"{subject}: {what} dihapus, semula {old}"
            else:
                sentence = f"{subject}: {what} diubah dari {old} menjadi {new}"
    return f"{sentence[0].upper()}{sentence[1:]}."


def power_words(power: Power) -> str:
    """A new right as a sentence for who approves it, in Indonesian."""
    return f"Lane {power.lane_name} kini {_RIGHTS[power.right]} {power.where}."


def to_json(change: Change) -> dict[str, object]:
    """A change as it is stored and printed; `says` is its sentence."""
    return {"element": change.element, "kind": change.kind, "property": change.property, "old": change.old,
            "new": change.new, "cosmetic": change.cosmetic, "says": words(change)}


_YES_NO = ("ya", "tidak")
_UNREAD = "property:"                       # a property in the file that nothing reads
_RIGHTS = {
    "task": "mengerjakan", "decide": "memutuskan", "attach": "boleh melampirkan", "start": "boleh memulai",
    "extend": "boleh memberi perpanjangan waktu untuk", "record": "boleh mencatat atas nama",
    "appoint": "menunjuk tim pada",
}
_DRAWING_WORDS = {"size": "ukuran", "waypoints": "jalur panah", "label": "letak tulisan", "colours": "warna",
                  "look": "tampilan"}
_VALUE_WORDS: Mapping[str, Mapping[str, str]] = {
    "type": {"string": "teks pendek", "text": "teks panjang", "long": "bilangan bulat", "decimal": "bilangan desimal",
             "boolean": "ya/tidak", "date": "tanggal", "time": "pukul", "enum": "pilihan", "person": "pegawai",
             "table": "tabel", "document": "berkas"},
    "kind": {"duration": "lama", "date": "tanggal", "cycle": "siklus", "userTask": "langkah",
             "exclusiveGateway": "percabangan", "parallelGateway": "percabangan paralel",
             "inclusiveGateway": "percabangan inklusif", "subProcess": "subproses", "startEvent": "awal",
             "endEvent": "akhir", "boundaryEvent": "pengatur waktu", "intermediateCatchEvent": "pengatur waktu",
             "intermediateThrowEvent": "penanda"},
    "unit": {"kerja": "waktu kerja", "kalender": "waktu kalender"},
}
_KIND_WORDS = {
    "textAnnotation": "catatan", "association": "garis catatan", "group": "kelompok gambar", "participant": "pool",
    "collaboration": "kolaborasi", "laneSet": "susunan lane", "category": "kategori", "definitions": "berkas diagram",
}


_OTHER_WORDS = {
    "default": "jalan bawaan", "text": "tulisan", "documentation": "uraian", "name": "nama", "versionTag": "versi",
    "startEvent.name": "nama pemicu", "endEvent.name": "nama akhir", "isExecutable": "dapat dijalankan",
    "sourceRef": "pangkal", "targetRef": "tujuan",
}


def _shortened(old: str | None, new: str | None) -> tuple[str, str]:
    """Both texts for a sentence; of long ones what both begin and end with is left out."""
    if old is None or new is None or max(len(old), len(new)) <= 160:
        return _in_quotes(old or ""), _in_quotes(new or "")
    ahead = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    behind, most = 0, min(len(old), len(new)) - ahead
    while behind < most and old[-1 - behind] == new[-1 - behind]:
        behind += 1
    # A few words around the difference, so that it is found in the text.
    begin, end = max(0, ahead - 40), max(0, behind - 40)
    begin = begin and old.rfind(" ", 0, begin) + 1
    cut = [text[begin:len(text) - end] for text in (old, new)]
    left, right = ("... " if begin else ""), (" ..." if end else "")
    return _in_quotes(f"{left}{cut[0]}{right}"), _in_quotes(f"{left}{cut[1]}{right}")


def _in_quotes(text: str) -> str:
    """A text in other quotes than it has in itself."""
    return f"\u201c{text}\u201d" if '"' in text else quoted(text, 400)


# --- What is compared ------------------------------------------------------------------------------------------------

# attribute: (its word, what it names by id: lane, element, field, flow; FEEL names fields; "" nothing)
_FIELD_FACTS = {
    "label": ("label", ""), "type": ("jenis", ""), "initial": ("isi awal", "text"), "required": ("wajib diisi", ""),
    "minimum": ("batas terkecil", ""), "maximum": ("batas terbesar", ""), "min_length": ("panjang paling sedikit", ""),
    "max_length": ("panjang paling banyak", ""), "readonly": ("hanya dibaca", ""), "group": ("kelompok", ""),
    "hint": ("petunjuk", ""), "required_if": ("syarat wajib", "feel"), "shown_if": ("syarat tampil", "feel"),
    "valid_if": ("syarat benar", "feel"), "valid_message": ("pesan bila tidak benar", ""),
    "decision": ("keputusan", ""), "personal": ("data pribadi", ""), "rows_from": ("baris dari", "field"),
    "filler_row": ("baris bawaan", ""), "filler_if": ("syarat baris bawaan", "feel"),
    "appoints": ("menunjuk tim", "lane"), "source": ("sumber", ""),
}
_SLOT_FACTS = {
    "role": ("peran berkas", ""), "origin": ("asal berkas", "element"), "forms": ("bentuk berkas", ""),
    "many": ("boleh beberapa berkas", ""), "version": ("versi berkas", ""), "same_if": ("syarat versi sama", "feel"),
    "owed_until": ("batas menyusul", "element"), "owed_if": ("syarat menyusul", "feel"),
    "waivable": ("dapat didispensasi", ""), "attachers": ("yang boleh melampirkan", "lane"),
    "text_from": ("dibuat dari isian", "field"),
}
_COLUMN_FACTS = {
    "label": ("label", ""), "type": ("jenis", ""), "required": ("wajib diisi", ""),
    "required_if": ("syarat wajib", "feel"), "readonly": ("hanya dibaca", ""), "initial": ("isi awal", "text"),
}
_CHOICE_FACTS = {"label": ("label", "")}
_TIMER_FACTS = {
    "kind": ("jenis waktu", ""), "expression": ("waktu", "text"), "unit": ("satuan waktu", ""),
    "reminder": ("pengingat", ""), "reminder_to": ("penerima pengingat", "lane"),
    "reminder_copy": ("tembusan pengingat", "lane"), "subject": ("perihal pengingat", ""),
    "near": ("pengingat sebelum batas waktu", ""), "escalation": ("pengingat kepada atasan", ""),
    "superior": ("atasan", "lane"), "superior_copy": ("tembusan atasan", "lane"),
    "returned": ("kabar pengembalian", ""), "returned_to": ("penerima kabar pengembalian", "lane"),
    "extended_by": ("yang boleh memberi perpanjangan", "lane"),
}
_TIMER_PROPERTIES = frozenset({
    "sop.satuanWaktu", "sop.pengingat", "sop.kepada", "sop.tembusan", "sop.perihal", "sop.pengingatSebelum",
    "sop.pengingatAtasan", "sop.atasan", "sop.atasanTembusan", "sop.perpanjangan",
    "sop.kabarKembali", "sop.kabarKembaliKepada"})
_DEADLINE_FACTS = {"name": ("nama", ""), "satisfied_by": ("langkah yang memenuhi tenggat", "element"),
                   "start_event": ("id pemicu", "")}
_ELEMENT_FACTS = {
    "kind": ("jenis unsur", ""), "name": ("nama", ""), "lane": ("lane", "lane"), "documentation": ("uraian", ""),
    "within": ("subproses di sekelilingnya", "element"), "attached_to": ("tempat menempel", "element"),
    "interrupting": ("menghentikan langkah", ""), "terminate": ("mengakhiri seluruh proses", ""),
}
_FLOW_FACTS = {"name": ("nama", ""), "source": ("pangkal", "element"), "target": ("tujuan", "element"),
               "condition": ("syarat", "feel")}
_LANE_FACTS = {"name": ("nama", ""), "other_office": ("kantor lain", ""),
               "recorded_by": ("yang boleh mencatatkan", "lane")}
_LANE_PROPERTIES = frozenset({"sop.kantorLain", "sop.dicatatOleh"})
_PROCESS_FACTS = {"name": ("nama", ""), "documentation": ("uraian", "")}
# Compared elsewhere than in its own table: by id, as parts, as the gateway's default, or not part of what is meant.
ELSEWHERE: Mapping[type, frozenset[str]] = {
    Field: frozenset({"id", "choices", "columns", "slot", "line"}), Slot: frozenset(),
    Column: frozenset({"id", "choices"}), Choice: frozenset({"value"}), Timer: frozenset(),
    Deadline: frozenset({"id", "timer"}), Element: frozenset({"id", "form", "timer", "properties", "line"}),
    SequenceFlow: frozenset({"id", "default", "line"}), Lane: frozenset({"id", "properties"}),
    ProcessDefinition: frozenset({"key", "sha256", "canonical_sha256", "meaning_sha256", "elements", "flows", "lanes",
                                  "properties", "deadline", "starters"}),
}
TABLES: Mapping[type, Mapping[str, tuple[str, str]]] = {
    Field: _FIELD_FACTS, Slot: _SLOT_FACTS, Column: _COLUMN_FACTS, Choice: _CHOICE_FACTS, Timer: _TIMER_FACTS,
    Deadline: _DEADLINE_FACTS, Element: _ELEMENT_FACTS, SequenceFlow: _FLOW_FACTS, Lane: _LANE_FACTS,
    ProcessDefinition: _PROCESS_FACTS,
}
# sop.* of the process and of elements that no value repeats. A list is compared item by item.
_PROPERTIES = {
    "sop.pemerintah": "pemerintah", "sop.unit": "unit kerja", "sop.nomorSop": "nomor SOP", "sop.namaSop": "nama SOP",
    "sop.judulBerkas": "judul berkas", "sop.tanggalPembuatan": "tanggal pembuatan",
    "sop.tanggalRevisi": "tanggal revisi", "sop.tanggalPengesahan": "tanggal pengesahan",
    "sop.tanggalEfektif": "tanggal efektif", "sop.disahkanOleh": "disahkan oleh", "sop.dasarHukum": "dasar hukum",
    "sop.kualifikasiPelaksana": "kualifikasi pelaksana", "sop.keterkaitan": "keterkaitan",
    "sop.peralatanPerlengkapan": "peralatan/perlengkapan", "sop.peringatan": "peringatan",
    "sop.pencatatanDanPendataan": "pencatatan dan pendataan", "sop.nomor": "nomor", "sop.kelengkapan": "kelengkapan",
    "sop.waktu": "waktu", "sop.output": "output", "sop.keterangan": "keterangan", "sop.asumsi": "asumsi",
    "sop.pemulai": "yang boleh memulai",
}
_LISTS = frozenset({"sop.dasarHukum", "sop.kualifikasiPelaksana", "sop.keterkaitan", "sop.peralatanPerlengkapan",
                    "sop.peringatan", "sop.pencatatanDanPendataan"})
_WORDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "field": _FIELD_FACTS, "slot": _SLOT_FACTS, "column": _COLUMN_FACTS, "choice": _CHOICE_FACTS,
    "timer": _TIMER_FACTS, "deadline": {**_TIMER_FACTS, **_DEADLINE_FACTS}, "sequenceFlow": _FLOW_FACTS,
    "lane": _LANE_FACTS, "process": _PROCESS_FACTS,
}


def _word(kind: str, property: str) -> str:
    """What a property is called, in the middle of a sentence."""
    if property in _PROPERTIES:
        return _PROPERTIES[property]
    if property.startswith(_UNREAD):
        return f"properti {quoted(property.removeprefix(_UNREAD))}"
    name = property.rpartition(".")[2]
    known = _WORDS.get(kind, _ELEMENT_FACTS).get(name)
    return known[0] if known else _OTHER_WORDS.get(property) or _OTHER_WORDS.get(name, property)


@dataclass(frozen=True)
class _Fact:
    """A value as text, and what kind of id it names."""
    text: str | None
    of: str = ""


@dataclass(frozen=True)
class _Part:
    """A thing with an id, its facts, and the things in it: a field with its choices, say."""
    id: str
    kind: str
    title: str
    facts: Mapping[str, _Fact]
    parts: tuple[_Part, ...] = ()


def _facts(value: object) -> dict[str, _Fact]:
    return {name: _Fact(_text(getattr(value, name)), of) for name, (_, of) in TABLES[type(value)].items()}


def _text(value: object) -> str | None:
    match value:
        case None | "" | ():
            return None
        case bool():
            return _YES_NO[0] if value else _YES_NO[1]
        case tuple():
            return " ".join(str(one) for one in value)
    return str(value)


def _field(one: Field) -> _Part:
    return _Part(one.id, "field", one.label or one.id, _facts(one),
                 tuple(_choice(each) for each in one.choices) + tuple(_column(each) for each in one.columns))


def _choice(one: Choice) -> _Part:
    return _Part(one.value, "choice", one.label or one.value, _facts(one))


def _column(one: Column) -> _Part:
    return _Part(one.id, "column", one.label or one.id, _facts(one), tuple(_choice(each) for each in one.choices))


def _element_facts(definition: ProcessDefinition, one: Element) -> dict[str, _Fact]:
    facts = _facts(one)
    default = next((flow.id for flow in definition.outgoing[one.id] if flow.default), None)
    facts["default"] = _Fact(default, "flow")
    for name, value in one.properties.items():
        if not (one.timer and name in _TIMER_PROPERTIES):
            facts[name] = _Fact(value.strip() or None, "lane" if name == "sop.pemulai" else "")
    return facts


# --- Who is who ------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class _Names:
    """By an id of the old version the id of the same thing in the new one; what is not here is gone."""
    lane: dict[str, str] = field(default_factory=dict)
    element: dict[str, str] = field(default_factory=dict)
    flow: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict)          # of fields

    def table(self, of: str) -> dict[str, str]:
        return {"lane": self.lane, "element": self.element, "flow": self.flow}.get(of, self.form)

    def translated(self, of: str, text: str) -> str:
        """A text of the old version with the ids that the new one has."""
        return _renamed(of, text, lambda id: self.table(of).get(id, id))

    def same(self, old: _Fact, new: _Fact) -> bool:
        if old.text == new.text:
            return True
        return old.text is not None and new.text is not None and self.translated(new.of, old.text) == new.text


_NAME_OR_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|[A-Za-z_][A-Za-z0-9_]*')


def _renamed(of: str, text: str, name: Callable[[str], str]) -> str:
    """A text with every id of that kind in it renamed; within FEEL, strings are no names."""
    if of == "text":
        if not text.startswith("="):
            return re.sub(r"\{(\w+)\}", lambda found: f"{{{name(found[1])}}}", text)
        of = "feel"
    if of == "feel":
        return _NAME_OR_STRING.sub(lambda found: found[0] if found[0][0] == '"' else name(found[0]), text)
    if of in ("lane", "field"):
        parts = (one.partition(":") for one in text.split())
        return " ".join(f"{name(id)}{colon}{rest}" for id, colon, rest in parts)
    return name(text) if of else text


MOST_ROUNDS = 40            # each looks at what is next to what the last one recognised


def _matched(old: ProcessDefinition, new: ProcessDefinition) -> _Names:
    """Who is who: by id, else by being the same in everything but the id, else by name and place."""
    names = _Names()
    names.element.update((id, id) for id in old.elements if id in new.elements)
    names.flow.update((id, id) for id in old.flows if id in new.flows)
    names.form.update((id, id) for id in old.fields if id in new.fields)
    lanes = [{one.id: one for one in definition.lanes} for definition in (old, new)]
    names.lane.update((id, id) for id in lanes[0] if id in lanes[1])
    sides = (_Side(old, names, True), _Side(new, names, False))
    for of_lane in (_Side.lane, _Side.lane_name):
        _match(names.lane, *([(id, of_lane(side, one)) for id, one in known.items()]
                             for side, known in zip(sides, lanes, strict=True)))
    for _ in range(MOST_ROUNDS):
        known = len(names.element) + len(names.form)
        for signature in (_Side.element_in_place, _Side.element, _Side.name_in_place):
            taken = (names.element, set(names.element.values()))
            _match(names.element, *([(id, signature(side, one)) for id, one in side.definition.elements.items()
                                     if id not in mine] for side, mine in zip(sides, taken, strict=True)))
        for id, other in names.element.items():
            # Expressions follow a field that got another id everywhere.
            names.form.update((one, two) for one, two in _fields_matched(sides, old.elements[id],
                                                                        new.elements[other]).items()
                              if one not in new.fields and two not in old.fields)
        if len(names.element) + len(names.form) == known:
            break
    _match(names.flow, *([(id, side.flow(one)) for id, one in side.definition.flows.items()] for side in sides))
    return names


Signature = tuple[object, ...] | None


def _match(table: dict[str, str], old: Iterable[tuple[str, Signature]], new: Iterable[tuple[str, Signature]]) -> None:
    """Pair what is not paired yet and has the same signature; of several alike the first with the first."""
    taken = set(table.values())
    waiting: dict[Signature, deque[str]] = {}
    for id, signature in new:
        if id not in taken and signature is not None:
            waiting.setdefault(signature, deque()).append(id)
    for id, signature in old:
        if id not in table and waiting.get(signature):
            table[id] = waiting[signature].popleft()


def _fields_matched(sides: tuple[_Side, _Side], old: Element, new: Element) -> dict[str, str]:
    """Which fields of two forms are the same: by id, else by everything but it, else by what they are called."""
    known = {one.id for one in new.form}
    table = {one.id: one.id for one in old.form if one.id in known}
    if len(table) < min(len(old.form), len(new.form)):
        _match(table, *([(one.id, side.part(_field(one), one)) for one in element.form if one.id not in table]
                        for side, element in zip(sides, (old, new), strict=True)))
        _match(table, *([(one.id, (one.type, one.label)) for one in element.form] for element in (old, new)))
    return table


@dataclass(frozen=True)
class _Side:
    """One of the two versions, as it looks when only the ids that both know are read, in the new version's words."""
    definition: ProcessDefinition
    names: _Names
    old: bool

    def fact(self, one: _Fact) -> str | None:
        if one.text is None or not one.of:
            return one.text
        table = self.names.table(one.of)
        here = {"lane": {lane.id for lane in self.definition.lanes}, "element": self.definition.elements,
                "flow": self.definition.flows}.get(one.of, self.definition.fields)
        known = table if self.old else {id: id for id in table.values()}
        return _renamed(one.of, one.text, lambda id: known.get(id, "?") if id in here else id)

    def facts(self, facts: Mapping[str, _Fact]) -> tuple[object, ...]:
        return tuple((name, text) for name, one in sorted(facts.items()) if (text := self.fact(one)) is not None)

    def part(self, one: _Part, field: Field | None = None) -> Signature:
        slot = self.facts(_facts(field.slot)) if field and field.slot else ()
        return (one.kind, self.facts(one.facts), slot, tuple((each.id, self.part(each)) for each in one.parts))

    def lane(self, one: Lane) -> Signature:
        return self.facts(_facts(one))

    def lane_name(self, one: Lane) -> Signature:
        return (one.name,) if one.name else None

    def flow(self, one: SequenceFlow) -> Signature:
        return (*self.facts(_facts(one)), one.default)

    def element(self, one: Element) -> Signature:
        """None where there is too little to know it by."""
        return self.content(one) if one.name or one.documentation or one.form else None

    def element_in_place(self, one: Element) -> Signature:
        """With the flows to and from it, so that it is known where it has no name."""
        place = self.place(one)
        return (self.content(one), place) if place else None

    def name_in_place(self, one: Element) -> Signature:
        """Something else about it was changed, too."""
        place = self.place(one)
        is_known = one.name or any(id not in ("?", None) for flow in place for id in flow)
        return (one.kind, one.name, place) if place and is_known else None

    def content(self, one: Element) -> tuple[object, ...]:
        timer = self.facts(_facts(one.timer)) if one.timer else None
        return (self.facts(_element_facts(self.definition, one)), timer,
                tuple((each.id, self.part(_field(each), each)) for each in one.form))

    def place(self, one: Element) -> tuple[tuple[str | None, ...], ...]:
        """The flows to and from an element, each with its ends."""
        flows = (*self.definition.incoming[one.id], *self.definition.outgoing[one.id])
        return tuple(sorted(tuple(self.fact(fact) or "" for fact in (
            _Fact(flow.id, "flow"), _Fact(flow.source, "element"), _Fact(flow.target, "element"))) for flow in flows))


# --- The comparison --------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class _Telling:
    """Two versions, who is who in them, and how a change is said."""
    old: ProcessDefinition
    new: ProcessDefinition
    names: _Names
    shifted: Mapping[tuple[str, str], str]      # (element and field in the new version): the element it stood at before

    def facts(self, element: str, kind: str, where: str, old: Mapping[str, _Fact], new: Mapping[str, _Fact],
              prefix: str = "") -> Iterator[Change]:
        for name in dict.fromkeys([*old, *new]):
            before, after = old.get(name, _Fact(None)), new.get(name, _Fact(None))
            if not self.names.same(before, after):
                of = after.of or before.of
                yield Change(element=element, kind=kind, property=prefix + name, old=before.text, new=after.text,
                             where=where, old_said=_value_said(self.old, of, name, before.text),
                             new_said=_value_said(self.new, of, name, after.text))

    def parts(self, element: str, around: str, old: Sequence[_Part], new: Sequence[_Part], table: Mapping[str, str],
              prefix: str = "", inside: Callable[[_Part, _Part], Iterator[Change]] | None = None) -> Iterator[Change]:
        """Of two lists of parts what was added, removed, moved in order, given another id, or changed."""
        here, there = {one.id: one for one in old}, {one.id: one for one in new}
        places = ({one.id: n for n, one in enumerate(old, 1)}, {one.id: n for n, one in enumerate(new, 1)})
        moved = _moved([one.id for one in old], [one.id for one in new], table)
        for id, other in _merged([one.id for one in old], [one.id for one in new], table):
            if id is None or other is None:
                one = there[other] if other is not None else here[id or ""]
                name = REMOVED if other is None else ADDED
                if one.kind == "field" and (came := self.came(element, one.id, other is None)):
                    if other is not None:
                        yield Change(element=element, kind="field", property=f"{one.id}.element", old=came, new=element,
                                     where=f"{_PART_WORDS[one.kind]} {quoted(one.title)}",
                                     old_said=_place(self.old, came), new_said=_place(self.new, element))
                    continue
                yield Change(element=element, kind=one.kind, property=f"{prefix}{one.id}.{name}",
                             old=one.title if other is None else None, new=None if other is None else one.title,
                             where=f"{_PART_WORDS[one.kind]} {quoted(one.title)} {around}")
                continue
            before, after = here[id], there[other]
            where = f"{_PART_WORDS[after.kind]} {quoted(after.title)} {around}"
            path = f"{prefix}{other}."
            if id != other:
                yield Change(element=element, kind=after.kind, property=path + ID, old=id, new=other, where=where)
            if (id, other) in moved:
                yield Change(element=element, kind=after.kind, property=path + MOVED, old=str(places[0][id]),
                             new=str(places[1][other]), where=where)
            yield from self.facts(element, after.kind, where, before.facts, after.facts, path)
            if inside is not None:
                yield from inside(before, after)
            for kind in ("choice", "column"):
                mine, yours = ([each for each in one.parts if each.kind == kind] for one in (before, after))
                # Choices and columns come and go with the type of their field, which is said.
                if (mine and yours) or before.facts.get("type") == after.facts.get("type"):
                    yield from self.parts(element, f"dari {where}", mine, yours, self.alike(mine, yours), path)

    def came(self, element: str, field: str, gone: bool) -> str | None:
        """The element that a field moved from, or None; `gone`: asked at the element that it moved away from."""
        if not gone:
            return self.shifted.get((element, field))
        return next((old for (_, id), old in self.shifted.items()
                     if id == field and self.names.element[old] == element), None)

    def alike(self, old: Sequence[_Part], new: Sequence[_Part]) -> dict[str, str]:
        """Which parts of two lists are the same: by id, else by everything but it, else by what they are called."""
        known = {one.id for one in new}
        table = {one.id: one.id for one in old if one.id in known}
        if len(table) < min(len(old), len(new)):
            sides = _Side(self.old, self.names, True), _Side(self.new, self.names, False)
            _match(table, *([(one.id, side.part(one)) for one in parts if one.id not in table]
                            for side, parts in zip(sides, (old, new), strict=True)))
            _match(table, *([(one.id, (one.kind, one.title)) for one in parts] for parts in (old, new)))
        return table


def _shifted(old: ProcessDefinition, new: ProcessDefinition, names: _Names) -> dict[tuple[str, str], str]:
    """Fields that stand unchanged in the form of one other element now."""
    back = {other: id for id, other in names.element.items()}
    sides = _Side(old, names, True), _Side(new, names, False)
    held = [{id: {one.id for one in element.form} for id, element in side.definition.elements.items()}
            for side in sides]
    gone, come = ({(id, one.id): side.part(_field(one), one)
                   for id, element in side.definition.elements.items() if id in known
                   for one in element.form if one.id not in there[known[id]]}
                  for side, known, there in zip(sides, (names.element, back), reversed(held), strict=True))
    leaving: dict[str, list[str]] = {}
    coming: dict[str, list[str]] = {}
    for moves, found in ((leaving, gone), (coming, come)):
        for id, field_ in found:
            moves.setdefault(field_, []).append(id)
    return {(coming[one][0], one): leaving[one][0] for one in leaving
            if len(leaving[one]) == len(coming.get(one, ())) == 1
            and gone[leaving[one][0], one] == come[coming[one][0], one]}


_PART_WORDS = {"field": "isian", "choice": "pilihan", "column": "kolom"}


def _of_process(it: _Telling) -> Iterator[Change]:
    old, new = it.old, it.new
    if old.key != new.key:
        yield Change(element=new.key, kind="process", property=ID, old=old.key, new=new.key, where="Proses")
    yield from it.facts(new.key, "process", "Proses", _facts(old), _facts(new))
    for name in dict.fromkeys([*_PROPERTIES, *old.properties, *new.properties]):
        before, after = (one.properties.get(name, "").strip() for one in (old, new))
        if name in _LISTS:
            yield from _list(new.key, name, items(before), items(after))
        else:
            yield from it.facts(new.key, "process", "Identitas SOP", {name: _Fact(before or None)},
                                {name: _Fact(after or None)})
    yield from _deadline(it)
    yield from _lanes(it)
    for id, other in _merged(_in_order(old), _in_order(new), it.names.element):
        yield from _element(it, id, other)
    for id, other in _merged(list(old.flows), list(new.flows), it.names.flow):
        yield from _flow(it, id, other)


def _list(element: str, name: str, old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[Change]:
    """A box of the SOP's identity that lists some, item by item."""
    if old == new:
        return
    tokens = [list(_numbered(one)) for one in (old, new)]
    common = set(tokens[0]) & set(tokens[1])
    kept = _kept([one for one in tokens[0] if one in common], [one for one in tokens[1] if one in common])
    table = {one: one for one in common}
    # What stands between the same two items and reads alike was edited.
    gaps: dict[int, tuple[list[tuple[str, int]], list[tuple[str, int]]]] = {}
    for side, listed in enumerate(tokens):
        gap = 0
        for item in listed:
            gap += item in kept
            if item not in common:
                gaps.setdefault(gap, ([], []))[side].append(item)
    for gone, come in gaps.values():
        table |= _edited(gone, come)
    places = [{one: n for n, one in enumerate(listed, 1)} for listed in tokens]
    word = _PROPERTIES.get(name, name)
    for one, other in _merged(tokens[0], tokens[1], table):
        if one is None or other is None:
            text = next(each[0] for each in (one, other) if each is not None)
            yield Change(element=element, kind="process", property=f"{name}.{ADDED if one is None else REMOVED}",
                         old=None if one is None else text, new=None if other is None else text,
                         where=f"Butir {quoted(text, 400)} pada {word}")
        elif one != other:
            yield Change(element=element, kind="process", property=name, old=one[0], new=other[0],
                         where="Identitas SOP")
        elif one not in kept:
            yield Change(element=element, kind="process", property=f"{name}.{MOVED}",
                         old=str(places[0][one]), new=str(places[1][one]),
                         where=f"Butir {quoted(one[0])} pada {word}")


def _numbered(texts: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Each text with how often it stood there before, so that two alike are two."""
    seen: dict[str, int] = {}
    for one in texts:
        seen[one] = seen.get(one, 0) + 1
        yield one, seen[one]


def _edited(old: list[tuple[str, int]], new: list[tuple[str, int]]) -> dict[tuple[str, int], tuple[str, int]]:
    """Which items of a gap became which: as many as before one by one, else those that share most of their words."""
    if len(old) == len(new):
        return dict(zip(old, new, strict=True))
    bags = {one: set(one[0].split()) for one in [*old, *new]}
    alike = sorted(((2 * len(bags[a] & bags[b]) / (len(bags[a]) + len(bags[b])), a, b) for a in old for b in new),
                   key=lambda one: (-one[0], sorted(one[1:])))
    table: dict[tuple[str, int], tuple[str, int]] = {}
    for likeness, a, b in alike:
        if likeness >= 0.5 and a not in table and b not in table.values():
            table[a] = b
    return table


def _deadline(it: _Telling) -> Iterator[Change]:
    old, new = it.old.deadline, it.new.deadline
    if old is None or new is None:
        if one := old or new:
            title = one.name or one.id
            yield Change(element=one.id, kind="deadline", property=REMOVED if new is None else ADDED,
                         old=title if new is None else None, new=None if new is None else title,
                         where=f"Tenggat {quoted(title)}")
        return
    where = f"Tenggat {quoted(new.name or new.id)}"
    if old.id != new.id:
        yield Change(element=new.id, kind="deadline", property=ID, old=old.id, new=new.id, where=where)
    yield from it.facts(new.id, "deadline", where, _facts(old), _facts(new))
    yield from _timer(it, new.id, "deadline", where, old.timer, new.timer)


def _timer(it: _Telling, element: str, kind: str, where: str, old: Timer, new: Timer) -> Iterator[Change]:
    before, after = _facts(old), _facts(new)
    if not it.names.same(before["expression"], after["expression"]):
        del before["kind"], after["kind"]           # R3/P1D is no duration: the expression says it
    yield from it.facts(element, kind, where, before, after)


def _lanes(it: _Telling) -> Iterator[Change]:
    here, there = ({lane.id: lane for lane in one.lanes} for one in (it.old, it.new))
    places = [{id: n for n, id in enumerate(ids, 1)} for ids in (here, there)]
    moved = _moved(list(here), list(there), it.names.lane)
    for id, other in _merged(list(here), list(there), it.names.lane):
        if id is None or other is None:
            one = there[other] if other is not None else here[id or ""]
            yield Change(element=one.id, kind="lane", property=REMOVED if other is None else ADDED,
                         old=one.name if other is None else None, new=None if other is None else one.name,
                         where=f"Lane {quoted(one.name)}")
            continue
        before, after = here[id], there[other]
        where = f"Lane {quoted(after.name)}"
        if id != other:
            yield Change(element=other, kind="lane", property=ID, old=id, new=other, where=where)
        if (id, other) in moved:
            yield Change(element=other, kind="lane", property=MOVED, old=str(places[0][id]), new=str(places[1][other]),
                         where=where)
        yield from it.facts(other, "lane", where, _lane_facts(before), _lane_facts(after))


def _lane_facts(lane: Lane) -> dict[str, _Fact]:
    others = {name: _Fact(value.strip() or None) for name, value in lane.properties.items()
              if name not in _LANE_PROPERTIES}
    return _facts(lane) | others


def _element(it: _Telling, id: str | None, other: str | None) -> Iterator[Change]:
    if id is None or other is None:
        definition, own = (it.old, id or "") if other is None else (it.new, other)
        one = definition.elements[own]
        title = one.name or one.id
        lane = f" (lane {_lanes_said(definition, one.lane)})" if one.lane and one.kind == "userTask" else ""
        yield Change(element=own, kind=one.kind, property=REMOVED if other is None else ADDED,
                     old=title if other is None else None, new=None if other is None else title,
                     where=_place(definition, own) + lane)
        return
    before, after = it.old.elements[id], it.new.elements[other]
    where = _place(it.new, other)
    if id != other:
        yield Change(element=other, kind=after.kind, property=ID, old=id, new=other, where=where)
    yield from it.facts(other, after.kind, where, _element_facts(it.old, before), _element_facts(it.new, after))
    if before.timer and after.timer:
        yield from _timer(it, other, "timer", where, before.timer, after.timer)
    elif timer := before.timer or after.timer:
        lasts = quoted(_value_said(it.new, "", "expression", timer.expression) or timer.expression)
        yield Change(element=other, kind="timer", property=ADDED if after.timer else REMOVED,
                     old=timer.expression if before.timer else None, new=timer.expression if after.timer else None,
                     where=f"Waktu {lasts} pada {where}")
    here, there = {one.id: one for one in before.form}, {one.id: one for one in after.form}

    def slots(old: _Part, new: _Part) -> Iterator[Change]:
        first, second = here[old.id].slot, there[new.id].slot
        # A slot comes and goes with the type of its field, which is said.
        if first and second:
            yield from it.facts(other, "slot", f"Berkas {quoted(new.title)} pada {where}", _facts(first),
                                _facts(second), f"{new.id}.")

    table = _fields_matched((_Side(it.old, it.names, True), _Side(it.new, it.names, False)), before, after)
    yield from it.parts(other, f"pada {where}", [_field(one) for one in here.values()],
                        [_field(one) for one in there.values()], table, inside=slots)


def _flow(it: _Telling, id: str | None, other: str | None) -> Iterator[Change]:
    definition = it.old if other is None else it.new
    own = other if other is not None else id or ""
    one = definition.flows[own]
    where = f"Panah {_flow_said(definition, one)}"
    if id is None or other is None:
        title = one.name or own
        yield Change(element=own, kind="sequenceFlow", property=REMOVED if other is None else ADDED,
                     old=title if other is None else None, new=None if other is None else title, where=where)
        return
    before, after = it.old.flows[id], it.new.flows[other]
    if id != other:
        yield Change(element=other, kind="sequenceFlow", property=ID, old=id, new=other, where=where)
    # A flow that changed its ends is known by the ends that it had.
    where = f"Panah {_flow_said(it.old, before)}"
    yield from it.facts(other, "sequenceFlow", where, _facts(before), _facts(after))


# --- What the file says besides, and the drawing ---------------------------------------------------------------------

def _beside(it: _Telling, before: Beside, after: Beside) -> Iterator[Change]:
    """Notes, the pool, and what stands on elements that nothing reads."""
    known = {**it.names.element, **it.names.flow, **it.names.lane, it.old.key: it.new.key}
    if it.old.deadline and it.new.deadline:
        known[it.old.deadline.id] = it.new.deadline.id
    table = {id: id for id in before.others if id in after.others} | {
        id: other for id, other in known.items() if id in before.others and other in after.others}
    for kind in ("definitions", "collaboration", "participant", "laneSet"):
        alone = [[id for id, one in side.others.items() if one.kind == kind] for side in (before, after)]
        if len(alone[0]) == len(alone[1]) == 1:
            table[alone[0][0]] = alone[1][0]
    _match(table, *([(id, _note(it, one.kind, one.facts, side)) for id, one in each.others.items()]
                    for side, each in ((True, before), (False, after))))
    # What is an element, a flow or a lane was said to be added or removed already.
    told = [{*one.elements, *one.flows, *(lane.id for lane in one.lanes), one.key,
             *([one.deadline.id] if one.deadline else [])} for one in (it.old, it.new)]
    for id, other in _merged(list(before.others), list(after.others), table):
        if id is None or other is None:
            side, own, said = (after, other or "", told[1]) if id is None else (before, id, told[0])
            if own not in said:
                note = side.others[own]
                title = note.facts.get("text") or note.facts.get("name") or own
                yield Change(element=own, kind=note.kind, property=ADDED if id is None else REMOVED,
                             old=None if id is None else title, new=title if id is None else None,
                             where=_note_said(note.kind, title))
            continue
        first, second = before.others[id], after.others[other]
        title = second.facts.get("text") or second.facts.get("name") or other
        where = (_place(it.new, other) if other in told[1] else _note_said(second.kind, title))
        if id != other and id not in told[0]:
            yield Change(element=other, kind=second.kind, property=ID, old=id, new=other, where=where)
        ends = {name: table.get(text, text) for name, text in first.facts.items() if name in ("sourceRef", "targetRef")}
        yield from it.facts(other, second.kind, where,
                            {name: _Fact(text) for name, text in ({**first.facts, **ends}).items()},
                            {name: _Fact(text) for name, text in second.facts.items()})


def _note(it: _Telling, kind: str, facts: Mapping[str, str], old: bool) -> Signature:
    """What a note is known by when it got another id."""
    ends = {name: it.names.element.get(text, text) if old else text for name, text in facts.items()
            if name in ("sourceRef", "targetRef")}
    return (kind, *sorted({**facts, **ends}.items())) if facts else None


def _note_said(kind: str, title: str) -> str:
    return f"{_KIND_WORDS.get(kind, kind)} {quoted(title)}"


def _drawn(it: _Telling, before: Beside, after: Beside) -> Iterator[Change]:
    """What only moved, grew or was coloured on the canvas."""
    known = {**it.names.element, **it.names.flow, **it.names.lane}
    if it.old.deadline and it.new.deadline:
        known |= {it.old.deadline.id: it.new.deadline.id, it.old.deadline.start_event: it.new.deadline.start_event}
    for id, other in ({id: id for id in before.layout if id in after.layout} | known).items():
        old, new = before.layout.get(id), after.layout.get(other)
        where = _place(it.new, other)
        if old is None or new is None:
            if old is not new:
                yield Change(element=other, kind="drawing", property="drawn", old=None if old is None else "ya",
                             new=None if new is None else "ya", cosmetic=True, where=where)
            continue
        for name in dict.fromkeys([*old, *new]):
            if old.get(name) != new.get(name):
                yield Change(element=other, kind="drawing", property=name, old=old.get(name), new=new.get(name),
                             cosmetic=True, where=where)


# --- Order -----------------------------------------------------------------------------------------------------------

def _in_order(definition: ProcessDefinition) -> list[str]:
    """The elements as the SOP is read: the start, each user task with what hangs on it, then the others as written."""
    ids = [one.id for one in definition.elements.values() if one.kind == "startEvent" and one.within is None]
    for task in definition.user_tasks:
        ids += [task.id, *(one.id for one in definition.boundary_events[task.id])]
    return list(dict.fromkeys([*ids, *definition.elements]))


Key = TypeVar("Key", str, tuple[str, int])


def _merged(old: Sequence[Key], new: Sequence[Key], table: Mapping[Key, Key]) -> list[tuple[Key | None, Key | None]]:
    """Both lists as one: pairs of the same thing in the order of the new one, what is gone behind what it followed."""
    back = {other: id for id, other in table.items()}
    behind: dict[Key | None, list[Key]] = {}
    last: Key | None = None
    for id in old:
        if id in table:
            last = id
        else:
            behind.setdefault(last, []).append(id)
    pairs: list[tuple[Key | None, Key | None]] = [(id, None) for id in behind.get(None, ())]
    for other in new:
        own = back.get(other)
        pairs.append((own, other))
        if own is not None:
            pairs += [(id, None) for id in behind.get(own, ())]
    return pairs


def _moved(old: Sequence[str], new: Sequence[str], table: Mapping[str, str]) -> set[tuple[str, str]]:
    """The pairs that changed their place among those that both lists have."""
    ids = set(new)
    pairs = {id: (id, table[id]) for id in old if id in table and table[id] in ids}
    back = {other: id for id, other in pairs.values()}
    # One name for a pair, the same whichever version is the old one.
    names = {id: tuple(sorted(pair)) for id, pair in pairs.items()}
    kept = _kept(list(names.values()), [names[back[id]] for id in new if id in back])
    return {pair for id, pair in pairs.items() if names[id] not in kept}


Token = TypeVar("Token")


def _kept(old: Sequence[Token], new: Sequence[Token]) -> set[Token]:
    """The largest part of two lists of the same things that stands in the same order in both.

    Of two that changed places either could have moved: which one, a sum over names decides, so that the way back
    names the same one. In n log n: prefix maxima in a binary indexed tree.
    """
    if list(old) == list(new):
        return set(old)
    at = {one: n for n, one in enumerate(new, 1)}
    best: list[tuple[int, int]] = [(0, -1)] * (len(new) + 1)
    chain: list[tuple[int, int]] = []           # by place in old: (weight up to here, the one before)
    for n, one in enumerate(old):
        weight = (1 << 64) + int.from_bytes(hashlib.sha256(repr(one).encode()).digest()[:7])
        before, place = (0, -1), at[one] - 1
        while place > 0:
            before, place = max(before, best[place]), place & (place - 1)
        chain.append((before[0] + weight, before[1]))
        place = at[one]
        while place < len(best):
            best[place] = max(best[place], (chain[n][0], n))
            place += place & -place
    kept, n = set(), max(range(len(old)), key=lambda one: chain[one][0], default=-1)
    while n >= 0:
        kept.add(old[n])
        n = chain[n][1]
    return kept


# --- Rights ----------------------------------------------------------------------------------------------------------

def _rights(definition: ProcessDefinition) -> list[tuple[str, str, str, str]]:
    """(lane, right, element, part): all that performers of lanes may do, as the SOP is read."""
    start = next((one.id for one in definition.elements.values() if one.kind == "startEvent" and one.within is None),
                 "")
    found = [(lane, "start", start, "") for lane in definition.starters]
    for id in _in_order(definition):
        one = definition.elements[id]
        if one.kind == "userTask" and one.lane:
            found.append((one.lane, "task", id, ""))
            found += [(one.lane, "decide", id, each.id) for each in one.form if each.decision]
            found += [(one.lane, "appoint", id, each.id) for each in one.form if each.appoints]
        found += [(lane, "attach", id, each.id) for each in one.slots if each.slot for lane in each.slot.attachers]
        if one.timer:
            found += [(lane, "extend", one.attached_to or id, "") for lane in one.timer.extended_by]
    found += [(entry, "record", lane.id, "") for lane in definition.lanes for entry in lane.recorded_by]
    return list(dict.fromkeys(found))


def _right_to(definition: ProcessDefinition, element: str, part: str) -> str:
    one = definition.elements.get(element)
    of = one.field(part) if one and part else None
    return f"{quoted(of.label)} pada {_place(definition, element)}" if of else _place(definition, element)


# --- Names for a sentence --------------------------------------------------------------------------------------------

def _place(definition: ProcessDefinition, id: str) -> str:
    """A thing of the diagram as an owner knows it."""
    one = definition.elements.get(id)
    if one is None:
        if flow := definition.flows.get(id):
            return f"panah {_flow_said(definition, flow)}"
        if lane := definition.lane(id):
            return f"lane {quoted(lane.name)}"
        if definition.deadline and id in (definition.deadline.id, definition.deadline.start_event):
            return f"tenggat {quoted(definition.deadline.name or id)}"
        return "proses" if id == definition.key else f"gambar {quoted(id)}"
    name = quoted(" ".join(one.name.split()) or one.id)
    match one.kind:
        case "userTask":
            return f"langkah {one.number} {name}" if one.number else f"langkah {name}"
        case "boundaryEvent":
            host = definition.elements.get(one.attached_to or "")
            on = f" pada {_place(definition, host.id)}" if host and host.kind != "boundaryEvent" else ""
            return f"pengatur waktu {name}{on}"
        case "intermediateCatchEvent":
            return f"pengatur waktu {name}"
        case "startEvent":
            return f"awal {'proses' if one.within is None else 'subproses'} {name}"
        case "endEvent":
            return f"akhir {name}"
    return f"{_VALUE_WORDS['kind'].get(one.kind, 'percabangan')} {name}"


def _flow_said(definition: ProcessDefinition, flow: SequenceFlow) -> str:
    name = f"{quoted(flow.name)} " if flow.name else ""
    return f"{name}dari {_place(definition, flow.source)} ke {_place(definition, flow.target)}"


def _lanes_said(definition: ProcessDefinition, lanes: str) -> str:
    """ "Tim Penyusun LKjPD" (ketua), "Kepala PD": lanes by their names."""
    said = []
    for one in lanes.split():
        id, _, member = one.partition(":")
        lane = definition.lane(id)
        said.append(quoted(lane.name if lane else id) + (f" ({member})" if member else ""))
    return ", ".join(said)


def _value_said(definition: ProcessDefinition, of: str, name: str, text: str | None) -> str | None:
    """A value as it is read: names for ids, a duration in words. None: as it is."""
    if text is None:
        return None
    if of == "lane":
        return _lanes_said(definition, text)
    if of in ("element", "flow") and (text in definition.elements or text in definition.flows):
        return _place(definition, text)
    if of == "field":
        labels = (definition.fields[one].label if one in definition.fields else one for one in text.split())
        return ", ".join(quoted(one) for one in labels)
    if name == "expression":
        return in_words(text) or None
    return _VALUE_WORDS.get(name, {}).get(text)
