"""The table of an SOP: read out of a diagram, drawn as one, and changed without touching anything else.

Judged by the gate, by bpmn-moddle and bpmnlint, by arithmetic on the drawing, and by running it.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from lxml import etree

from engine import diagram, sop_forms
from engine.commands import Actor, AttachDocument, Attachment, CompleteUserTask, StartProcessInstance
from engine.definition import DiagramError, Field, ProcessDefinition
from engine.instance import COMPLETED
from engine.sop_drawing import draw, written
from engine.sop_layout import Box
from engine.sop_table import (
    DECISION,
    END,
    STEP,
    Norm,
    Performer,
    SopRow,
    SopTable,
    TableError,
    duration,
    named,
    norm_of,
    problems,
    settled,
    short_name,
    table_of,
)
from tests.node import ask
from tests.story import FIVE_DAYS, LKJPD, Case, fresh, somebody

SHIPPED = LKJPD.read_bytes()
DEFINITION = diagram.read(SHIPPED)
TABLE = table_of(DEFINITION)

DI = {"bpmn": "http://www.omg.org/spec/BPMN/20100524/MODEL", "di": "http://www.omg.org/spec/DD/20100524/DI", "dc": "http://www.omg.org/spec/DD/20100524/DC",
      "bpmndi": "http://www.omg.org/spec/BPMN/20100524/DI"}


def table(name: str, performers: list[str], *rows: tuple[Any, ...]) -> SopTable:
    """Of rows (performer, Waktu, symbol, back to, then), the first two needed."""
    made = []
    for n, (who, waktu, *rest) in enumerate(rows, 1):
        symbol, back, then = (*rest, *[None] * 3)[:3]
        made.append(SopRow(
            number=n, uraian=f"Mengerjakan langkah ke-{n} pada {performers[who]}", name=f"Mengerjakan langkah {n}",
            performer=named(performers[who]), symbol=symbol or STEP, back_to=back, then=then, waktu=waktu,
            norm=norm_of(waktu)[0], kelengkapan=f"Berkas {n - 1}" if n > 1 else "Surat Permohonan",
            output=f"Berkas {n}"))
    return settled(SopTable(key=named(name), name=name, rows=tuple(made),
                            performers=tuple(Performer(id=named(one), name=one) for one in performers)))


TWO_ROWS = table("Peminjaman ruang rapat", ["Pemohon", "Kasubbag Umum"], (0, "10 menit"), (1, "1 hari"))
TWO_DECISIONS = table(
    "Surat keterangan domisili", ["Petugas", "Kepala Seksi", "Sekretaris", "Camat"],
    (0, "10 menit", DECISION, 1), (0, "2 hari"), (1, "1 jam"), (2, "120 menit", DECISION, 3),
    (3, "2 hari", DECISION, 3), (0, "1 hari 2 jam"), (0, ""))
WIDE = table(
    "Pengadaan barang", ["PPK", "Kasubbag", "Bendahara", "Pejabat", "Penyedia", "Camat", "Sekretaris", "Tim"],
    *((n % 8, "1 hari", *((DECISION, 3) if n == 6 else ())) for n in range(14)))
LONG = table(
    "Rencana kerja tahunan", ["Kepala", "Sekretaris", "Kasubbag", "Kepala Seksi"],
    *(((n * n) % 4, "2 hari", *((DECISION, back) if (back := {7: 4, 16: 11, 20: 2}.get(n)) else ()))
      for n in range(25)))
REFUSED = table(
    "Pengaduan masyarakat", ["Petugas", "Camat", "Kepala Seksi"],
    (0, "1 hari"), (1, "2 hari", DECISION, 6, 3), (2, "1 hari"), (1, "1 hari"), (0, "1 jam", END), (0, "1 jam"),
    (0, "10 menit"))
TANGLED = table(
    "Penilaian berselang", ["Camat", "Sekretaris", "Staf"],
    (0, "1 hari"), (2, "1 hari"), (1, "1 jam"), (0, "1 hari"), (2, "1 hari"), (1, "1 hari", DECISION, 3), (1, "1 hari"),
    (0, "1 hari", DECISION, 5), (2, "1 hari"), (1, "1 hari", DECISION, 11, 12), (0, "1 hari"), (1, ""), (2, "1 hari"))
DRAWN = {one.key: one for one in (TWO_ROWS, TWO_DECISIONS, WIDE, LONG, REFUSED, TANGLED)}
by_table = pytest.mark.parametrize("one", DRAWN.values(), ids=DRAWN)


def errors(data: bytes) -> list[str]:
    return [str(one) for one in diagram.check(data) if one.severity == "error"]


def undrawn(one: SopTable) -> SopTable:
    """A table without the ids of elements, as it was before it was drawn."""
    return replace(one, rows=tuple(replace(row, element="") for row in one.rows))


def changed(one: SopTable, number: int, **cells: Any) -> SopTable:
    return replace(one, rows=tuple(replace(row, **cells) if row.number == number else row for row in one.rows))


# --- The shipped diagram ---------------------------------------------------------------------------------------------


def test_the_shipped_table_is_read_cell_by_cell() -> None:
    assert [(row.performer, row.symbol, row.back_to, row.then) for row in TABLE.rows] == [
        ("kepala_pd", "mulai", None, None), ("sekretaris_pd", STEP, None, None), ("tim_penyusun", STEP, None, None),
        ("inspektorat", STEP, None, None), ("tim_penyusun", STEP, None, None), ("sekretaris_pd", STEP, None, None),
        ("kepala_pd", DECISION, 5, None), ("tim_penyusun", STEP, None, None), ("tim_penyusun", END, None, None)]
    assert [duration(row.norm) for row in TABLE.rows] == [
        "PT20M", "P2D", "P20D", "P10D", "P5D", "P1D", "PT120M", "P1D", "PT15M"]
    assert [row.assumption for row in TABLE.rows] == [False] * 7 + [True] * 2


def structure(one: ProcessDefinition) -> dict[str, Any]:
    return {
        "elements": {id: (e.kind, e.lane, e.attached_to, e.interrupting, e.timer and e.timer.expression)
                     for id, e in one.elements.items()},
        "flows": {id: (f.source, f.target, f.name, f.condition) for id, f in one.flows.items()},
        "lanes": [(lane.id, lane.name) for lane in one.lanes],
    }


def test_the_shipped_table_drawn_anew_has_the_shipped_structure() -> None:
    assert structure(diagram.read(draw(TABLE))) == structure(DEFINITION)


def test_an_unchanged_table_changes_no_byte() -> None:
    assert draw(TABLE, SHIPPED) == SHIPPED


def test_the_writer_writes_what_modelers_write() -> None:
    assert written(etree.fromstring(SHIPPED)) == SHIPPED


def lines_changed(data: bytes) -> list[str]:
    """The lines of the shipped file that are written otherwise, as they are now, and what was added."""
    before = SHIPPED.decode().splitlines()
    return [line.strip() for line in data.decode().splitlines() if line not in before]


@pytest.mark.parametrize(("number", "cells", "lines"), [
    (9, {"output": "Arsip"}, ['<camunda:property name="sop.output" value="Arsip" />']),
    (4, {"keterangan": "Sesuai SOP Reviu"}, ['<camunda:property name="sop.keterangan" value="Sesuai SOP Reviu" />']),
    (6, {"name": "Memaraf"}, ['<bpmn:userTask id="langkah_6" name="Memaraf">']),
    (8, {"assumption": False}, []),
    (2, {"waktu": "3 hari", "norm": (Norm(number=3, unit="hari"),)}, [
        '<camunda:property name="sop.waktu" value="3 hari" />',
        '<bpmn:boundaryEvent id="waktu_2" name="3 hari kerja" cancelActivity="false" attachedToRef="langkah_2">',
        '<bpmn:timeDuration xsi:type="bpmn:tFormalExpression">P3D</bpmn:timeDuration>']),
])
def test_one_cell_changes_one_thing(number: int, cells: dict[str, Any], lines: list[str]) -> None:
    data = draw(changed(TABLE, number, **cells), SHIPPED)
    assert lines_changed(data) == lines
    assert errors(data) == []


def test_another_way_back_keeps_the_decision_and_its_form() -> None:
    data = draw(changed(TABLE, 7, back_to=3), SHIPPED)
    now = diagram.read(data)
    assert errors(data) == []
    assert (now.flows["disetujui_tidak"].condition, table_of(now).rows[6].back_to) == ('keputusan = "kembalikan"', 3)
    assert now.elements["langkah_7"].form[0].choices == DEFINITION.elements["langkah_7"].form[0].choices


def test_a_new_row_makes_room_and_leaves_the_rest_as_it_was() -> None:
    new = SopRow(number=99, uraian="Membubuhkan cap dinas", name="Membubuhkan cap", performer="sekretaris_pd",
                 waktu="10 menit", norm=norm_of("10 menit")[0])
    rows = (*TABLE.rows[:7], new, *TABLE.rows[7:])
    data = draw(replace(TABLE, rows=rows), SHIPPED)
    now = diagram.read(data)
    assert errors(data) == []
    assert [row.name for row in table_of(now).rows] == [row.name for row in rows]
    kept = {id: one for id, one in now.elements.items() if id in DEFINITION.elements}
    assert {id: [field.id for field in one.form] for id, one in kept.items()} == {
        id: [field.id for field in one.form] for id, one in DEFINITION.elements.items()}
    assert now.deadline and now.deadline.satisfied_by == "langkah_8"
    was, there = shapes(SHIPPED), shapes(data)
    assert {id for id in was if there[id] != was[id]} & {f"langkah_{n}" for n in range(1, 8)} == set()


def test_a_row_and_a_lane_that_go_are_named_nowhere_any_more() -> None:
    rows = tuple(row for row in TABLE.rows if row.number != 4)
    data = draw(replace(TABLE, rows=rows, performers=TABLE.performers[:3]), SHIPPED)
    # What its form was read by elsewhere is for the owner to decide: it is a finding, not a silent loss.
    assert {one.element for one in diagram.check(data) if one.severity == "error"} <= {"langkah_5"}
    assert b"inspektorat" not in data and b"langkah_4" not in data


def test_what_was_moved_by_hand_stays_moved() -> None:
    moved = SHIPPED.replace(b'<dc:Bounds x="500" y="355" width="140" height="90" />',
                            b'<dc:Bounds x="510" y="365" width="150" height="90" />')
    assert errors(moved) == [] and moved != SHIPPED
    wider = changed(TABLE, 9, symbol=DECISION, back_to=8)
    there = shapes(draw(wider, moved))
    assert there["langkah_2"] == Box(510, 365, 150, 90)
    assert there["langkah_1"] == shapes(SHIPPED)["langkah_1"]


def test_the_deadline_stays_clear_of_what_moves_beside_it() -> None:
    data = draw(replace(TABLE, rows=tuple(row for row in TABLE.rows if row.number not in (2, 6))), SHIPPED)
    there = shapes(data)
    flows = {id: pieces for id, pieces in lines(data).items() if id != "tenggat_ke_pengingat"}
    assert not any(there["tenggat"].meets(piece) for pieces in flows.values() for piece in pieces)
    assert there["kepala_pd"].y < there["tenggat"].y and there["tenggat_tiba"].x > there["tenggat"].x


NAMED = "//bpmn:*[@id] | //bpmndi:*[@id]"
# Some of each kind; without its process a file is no diagram at all.
PARTS = [id for one in etree.fromstring(SHIPPED).xpath(NAMED, namespaces=DI)
         if (id := one.get("id")) != TABLE.key][3::4]


@pytest.mark.parametrize("part", PARTS)
def test_a_diagram_with_a_part_missing_is_changed_or_refused_with_a_reason(part: str) -> None:
    root = etree.fromstring(SHIPPED)
    (one,) = [one for one in root.xpath(NAMED, namespaces=DI) if one.get("id") == part]
    one.getparent().remove(one)
    data = etree.tostring(root)
    try:
        now = draw(changed(table_of(diagram.reread(data)), 1, output="Arsip"), data)
    except (TableError, DiagramError) as refused:
        assert str(refused)
    else:
        assert diagram.reread(now).elements["langkah_1"].properties["sop.output"] == "Arsip"


@pytest.mark.parametrize("name", ["approval_loop", "three_tasks", "cycle_reminder"])
def test_a_diagram_that_others_drew_gets_a_row_more(name: str) -> None:
    before = (LKJPD.parents[2] / "tests" / "diagrams" / f"{name}.bpmn").read_bytes()
    was = table_of(diagram.read(before))
    more = SopRow(number=99, uraian="Mengarsipkan", name="Mengarsipkan", performer=was.rows[-1].performer)
    data = draw(replace(was, rows=(*was.rows, more)), before)
    assert errors(data) == []
    assert [row.name for row in table_of(diagram.read(data)).rows] == [*(row.name for row in was.rows), "Mengarsipkan"]


def test_a_new_step_names_the_documents_that_are_there_and_makes_no_other_field_one() -> None:
    cell = "LHR, Draf/rancangan akhir LKjPD, Surat Edaran Bupati, Koreksi, Arahan, Nomor SK Tim, Berita Acara"
    new = SopRow(number=99, uraian="Mencocokkan berkas", name="Mencocokkan berkas", performer="sekretaris_pd",
                 kelengkapan=cell, output="Tanda Terima, Paraf Sekretaris, LHR")
    data = draw(replace(TABLE, rows=(*TABLE.rows[:7], new, *TABLE.rows[7:])), SHIPPED)
    assert errors(data) == []
    [form] = [one.form for one in diagram.read(data).elements.values() if one.name == "Mencocokkan berkas"]
    came = {one.id: one.slot.origin for one in form if one.slot}
    assert {"lhr": "langkah_5", "rancangan_akhir": "langkah_7"}.items() <= came.items()
    assert {one.type for one in form if one.id in DEFINITION.fields} == {"document"}


def test_a_way_to_a_row_that_went_is_asked_about_and_never_another_rows() -> None:
    less = settled(replace(TABLE, rows=tuple(row for row in TABLE.rows if row.number != 5)))
    assert [(one.row, "langkah yang sudah tidak ada" in one.message) for one in problems(less)] == [(6, True)]


def test_a_new_performer_may_be_called_like_anything_in_the_diagram() -> None:
    called = ("pelaksana", "selesai", "mulai", "disetujui_tidak", "langkah_2_di")
    performers = (*TABLE.performers, *(Performer(id=one, name=f"Jabatan {one}") for one in called))
    rows = tuple(replace(row, performer="selesai") if row.number == 9 else row for row in TABLE.rows)
    data = draw(replace(TABLE, performers=performers, rows=rows), SHIPPED)
    now = table_of(diagram.read(data))
    assert errors(data) == []
    assert [one.name for one in now.performers] == [one.name for one in performers]
    assert now.performer(now.rows[8].performer) == now.performers[5]


def test_rows_without_ids_are_known_by_what_they_say() -> None:
    reworded = changed(undrawn(TABLE), 5, uraian=TABLE.rows[4].uraian.replace("reuiu", "reviu"))
    now = diagram.read(draw(reworded, SHIPPED))
    assert list(now.elements) == list(DEFINITION.elements)
    fields = [[one.id for one in definition.elements["langkah_5"].form] for definition in (now, DEFINITION)]
    assert fields[0] == fields[1]


# --- Any table -------------------------------------------------------------------------------------------------------


@by_table
def test_a_table_becomes_a_diagram_that_says_the_same(one: SopTable) -> None:
    data = draw(one)
    assert errors(data) == []
    assert undrawn(table_of(diagram.read(data))) == one
    assert draw(table_of(diagram.read(data)), data) == data


def test_stock_tools_have_nothing_to_say() -> None:
    drawn = {name: draw(one).decode() for name, one in DRAWN.items()} | {"lkjpd": draw(TABLE).decode()}
    assert ask("lint.mjs", drawn) == {name: [] for name in drawn}
    seen = ask("moddle.mjs", drawn)
    assert {name: one[how]["warnings"] for name, one in seen.items() for how in ("bare", "camunda")} == {
        name: [] for name in drawn}


WORDS = st.text(alphabet="abcde fgh'\"<>&,ij.k-\nAÉ/()", min_size=1, max_size=40).filter(str.strip)
NORMS = st.sampled_from([(), (Norm(number=2, unit="hari"),), (Norm(number=120, unit="menit"),),
                         (Norm(number=1, unit="hari"), Norm(number=4, unit="jam"))])


@st.composite
def tables(asked: st.DrawFn) -> SopTable:
    count, lanes = asked(st.integers(1, 9)), asked(st.integers(1, 4))
    rows = []
    for n in range(1, count + 1):
        symbol = asked(st.sampled_from([STEP] * 4 + [DECISION] * 2 + [END]))
        rows.append(SopRow(
            number=n, uraian=asked(WORDS), name=asked(WORDS), performer=f"p{asked(st.integers(1, lanes))}",
            symbol=symbol, back_to=asked(st.integers(1, count)) if symbol == DECISION else None,
            then=None if asked(st.integers(0, 5)) else asked(st.integers(1, count)), norm=asked(NORMS), waktu="x",
            kelengkapan=asked(WORDS), output=asked(WORDS), keterangan=asked(WORDS), assumption=asked(st.booleans())))
    performers = tuple(Performer(id=f"p{n}", name=f"Jabatan {n}") for n in range(1, lanes + 1))
    return settled(SopTable(key="percobaan", name="Percobaan", performers=performers, rows=tuple(rows)))


RANDOM = settings(max_examples=25, deadline=None,
                  suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large])


def test_the_largest_table_is_drawn_and_let_through() -> None:
    rows = [(n % 20, "1 hari", *((DECISION, n - 3) if n % 8 == 7 else ())) for n in range(80)]
    one = table("Besar", [f"Jabatan {n}" for n in range(20)], *rows)
    many = ", ".join(f"Dokumen {n}" for n in range(12))
    full = tuple(replace(row, kelengkapan=f"{many}, {row.output}", uraian="a. Satu. b. Dua.") for row in one.rows)
    assert errors(draw(replace(one, rows=full))) == []


@RANDOM
@given(tables())
def test_any_table_that_holds_together_is_drawn_and_read_back(one: SopTable) -> None:
    assume(not problems(one))
    data = draw(one)
    assert errors(data) == []
    assert undrawn(table_of(diagram.read(data))) == one


@RANDOM
@given(tables(), tables(), st.randoms(use_true_random=False))
def test_any_diagram_can_become_any_other_table(one: SopTable, other: SopTable, lots: Random) -> None:
    assume(not problems(one) and not problems(other))
    before = draw(one)
    ids = [row.element for row in table_of(diagram.read(before)).rows]
    lots.shuffle(ids)
    known = [*ids[: len(ids) // 2], *[""] * len(other.rows)]
    wanted = replace(other, rows=tuple(replace(row, element=known[n]) for n, row in enumerate(other.rows)))
    data = draw(wanted, before)
    assert errors(data) == []
    assert undrawn(table_of(diagram.read(data))) == other


@RANDOM
@given(tables(), tables(), st.randoms(use_true_random=False))
def test_a_diagram_that_was_moved_can_become_any_other_table(one: SopTable, other: SopTable, lots: Random) -> None:
    assume(not problems(one) and not problems(other))
    root = etree.fromstring(draw(one))
    for shape in root.iterfind(".//bpmndi:BPMNShape", DI):
        if shape.get("isHorizontal") is None and "waktu" not in shape.get("bpmnElement"):
            bounds = shape.find("dc:Bounds", DI)
            for axis in "xy":
                bounds.set(axis, str(float(bounds.get(axis)) + lots.randint(-9, 9)))
    moved = written(root)
    assert errors(moved) == []
    ids = [row.element for row in table_of(diagram.read(moved)).rows]
    wanted = replace(other, rows=tuple(replace(row, element=ids[n] if n < len(ids) else "")
                                       for n, row in enumerate(other.rows)))
    assert errors(draw(wanted, moved)) == []


@pytest.mark.parametrize(("one", "row", "words"), [
    (replace(TWO_ROWS, rows=()), None, "belum memuat langkah"),
    (replace(TWO_ROWS, performers=()), None, "belum memuat pelaksana"),
    (replace(TWO_ROWS, performers=TWO_ROWS.performers * 2), None, "tertulis dua kali"),
    (changed(TWO_ROWS, 2, performer="siapa"), 2, "belum dipilih"),
    (changed(TWO_ROWS, 2, symbol=DECISION), 2, "Tidak"),
    (changed(TWO_ROWS, 2, symbol=DECISION, back_to=7), 2, "tidak ada"),
    (changed(TWO_ROWS, 1, symbol=DECISION, back_to=2), 1, "yang sama"),
    (changed(TWO_DECISIONS, 3, then=6), 4, "Tidak ada langkah yang menuju"),
    (changed(TWO_ROWS, 2, symbol=STEP, then=1), 1, "tidak ada jalan ke akhir"),
    (changed(TWO_ROWS, 1, uraian=""), 1, "Uraian kosong"),
    (changed(TWO_ROWS, 1, norm=(Norm(number=0, unit="hari"),)), 1, "lebih dari nol"),
    (changed(TWO_ROWS, 1, output="x" * 5_000), 1, "Persingkat"),
    (replace(LONG, rows=tuple(replace(LONG.rows[1], number=n) for n in range(1, 90))), None, "paling banyak 80"),
])
def test_a_table_that_does_not_hold_together_is_refused_with_its_place(one: SopTable, row: int, words: str) -> None:
    with pytest.raises(TableError) as found:
        draw(one)
    assert found.value.remarks[0].row == row and words in str(found.value)


@pytest.mark.parametrize("name", ["parallel", "interrupting_timer", "waiting_timer", "inclusive", "subprocess"])
def test_what_no_table_can_say_is_told(name: str) -> None:
    path = LKJPD.parents[2] / "tests" / "diagrams" / f"{name}.bpmn"
    with pytest.raises(TableError, match="tidak dapat ditulis dalam tabel SOP"):
        table_of(diagram.read(path.read_bytes()))


# --- Words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("waktu", "read", "guessed"), [
    ("20 menit", "PT20M", False), ("2 (dua) hari kerja", "P2D", False), ("1,5 jam", "PT90M", True),
    ("5-10 menit", "PT10M", True), ("1 minggu", "P5D", True), ("1 hari 2 jam", "P1DT2H", False),
    ("sehari", "P1D", False), ("maks. 3 Hari Kerja", "P3D", False), ("½ hari", "P1D", True), ("secepatnya", "", True),
    ("", "", False), ("-", "", False), ("0 hari", "", True),
])
def test_a_waktu_is_read_as_it_is_meant(waktu: str, read: str, guessed: bool) -> None:
    norm, guess = norm_of(waktu)
    assert (duration(norm), bool(guess)) == (read, guessed)


@pytest.mark.parametrize(("uraian", "name"), [
    ("Menelaah surat masuk, memberi arahan kepada Sekretaris", "Menelaah surat masuk"),
    ("Menerima berkas dari Petugas, memeriksa kelengkapan berkas", "Memeriksa kelengkapan berkas"),
    ("a. Melaksanakan rapat. b. Menyusun notulen.", "Melaksanakan rapat"),
    ("Mempertanggungjawabkan pelaksanaan kegiatan", "Mempertanggungjawabkan pelaksanaan"),
])
def test_a_task_is_called_by_what_is_done(uraian: str, name: str) -> None:
    assert short_name(uraian) == name


@pytest.mark.parametrize(("cell", "found"), [
    ("Surat Edaran Bupati dan Lembar Disposisi", ["Surat Edaran Bupati", "Lembar Disposisi"]),
    ("1. Surat Tugas\n2. Daftar Hadir, Notulen", ["Surat Tugas", "Daftar Hadir", "Notulen"]),
    ("Laporan (asli dan salinan)", ["Laporan (asli dan salinan)"]),
    ("Komputer, ATK", []), ("Terlaksananya rapat", []), ("-", []),
    ("Berita Acara (jika ada)", ["Berita Acara (jika ada)"]),
])
def test_the_papers_of_a_cell_are_told_apart(cell: str, found: list[str]) -> None:
    assert [one.label for one in sop_forms.papers(cell)] == found


def test_what_is_there_only_if_any_keeps_nobody_from_going_on() -> None:
    one = changed(TWO_ROWS, 1, kelengkapan="Surat Tugas, Nota Dinas (jika ada)")
    form = diagram.read(draw(one)).elements["langkah_1"].form
    assert {field.label: field.required for field in form if field.slot and field.slot.role == "kelengkapan"} == {
        "Surat Tugas": True, "Nota Dinas (jika ada)": False}


# --- The drawing -----------------------------------------------------------------------------------------------------


def shapes(data: bytes) -> dict[str, Box]:
    return {one.get("bpmnElement"): Box(*(float(bounds.get(name)) for name in ("x", "y", "width", "height")))
            for one in etree.fromstring(data).iterfind(".//bpmndi:BPMNShape", DI)
            for bounds in one.iterfind("dc:Bounds", DI)}


def lines(data: bytes) -> dict[str, list[Box]]:
    """The straight pieces of every flow, each a box without width or height."""
    found = {}
    for edge in etree.fromstring(data).iterfind(".//bpmndi:BPMNEdge", DI):
        points = [(float(one.get("x")), float(one.get("y"))) for one in edge.iterfind("di:waypoint", DI)]
        found[edge.get("bpmnElement")] = [Box(min(ax, bx), min(ay, by), abs(ax - bx), abs(ay - by))
                                          for (ax, ay), (bx, by) in pairwise(points)]
    return found


def labels(data: bytes) -> dict[str, Box]:
    return {one.getparent().getparent().get("bpmnElement"): Box(*(float(one.get(name)) for name in (
        "x", "y", "width", "height"))) for one in etree.fromstring(data).iterfind(".//bpmndi:BPMNLabel/dc:Bounds", DI)}


def touch(one: Box, other: Box) -> bool:
    return one.x <= other.right and other.x <= one.right and one.y <= other.bottom and other.y <= one.bottom


@by_table
def test_the_drawing_is_on_a_grid_with_right_angles_and_nothing_lies_on_anything(one: SopTable) -> None:
    data = draw(one)
    definition, boxes, flows, named_at = diagram.read(data), shapes(data), lines(data), labels(data)
    lanes = {lane.id for lane in definition.lanes}
    nodes = {id: boxes[id] for id in definition.elements}
    assert len({(boxes[id].width, boxes[id].height) for id in lanes}) == 1
    tasks = [boxes[task.id] for task in definition.user_tasks]
    assert {(box.cx - tasks[0].cx) % 165 for box in tasks} == {0}
    assert all(piece.width == 0 or piece.height == 0 for pieces in flows.values() for piece in pieces)
    for (id, box), (other, another) in combinations(nodes.items(), 2):
        on_its_task = definition.elements[other].attached_to == id or definition.elements[id].attached_to == other
        assert on_its_task or not box.meets(another), (id, other)
    through = [(id, node) for id, pieces in flows.items() for node, box in nodes.items()
               for piece in pieces if box.meets(piece)]
    assert through == []
    struck = [(id, what) for id, label in named_at.items() for what, pieces in flows.items()
              if any(touch(label, piece) for piece in pieces)]
    covered = [(id, other) for id, label in named_at.items() for other, box in [*nodes.items(), *named_at.items()]
               if other != id and label.meets(box)] + [
              (id, id) for id, label in named_at.items() if id in nodes and label.meets(nodes[id])]
    assert (struck, covered) == ([], [])


@by_table
def test_flows_cross_only_where_returns_come_together(one: SopTable) -> None:
    data = draw(one)
    definition, flows = diagram.read(data), lines(data)
    met = [(a, b) for a, b in combinations(flows, 2) if any(touch(x, y) for x in flows[a] for y in flows[b])
           and definition.flows[a].target != definition.flows[b].target]
    assert met == []


# --- A run -----------------------------------------------------------------------------------------------------------


def answer(field: Field, decide: str) -> Any:
    if field.decision:
        return decide
    if field.type == "table":
        return [{column.id: "sudah" if column.type == "enum" else "Perbaiki halaman 2" for column in field.columns
                 if not column.readonly}]
    return {"date": "2026-11-23", "boolean": True}.get(field.type)


PAPER = Attachment(form="cetak", place="Lemari 1")


@pytest.mark.parametrize("one", [*DRAWN.values(), TABLE], ids=[*DRAWN, "lkjpd"])
@pytest.mark.parametrize("seed", range(3))
def test_a_drawn_table_runs_to_its_end_by_any_answers(one: SopTable, seed: int) -> None:
    definition, lots = diagram.read(draw(one)), Random(seed)
    everybody = somebody("siapa-saja", *(lane.id for lane in definition.lanes), "pemulai")
    case = begun(definition, everybody)
    for _ in range(200):
        if case.instance.status == COMPLETED:
            break
        (task,) = case.instance.user_tasks.values()
        form = definition.elements[task.element].form
        decide = "kembalikan" if task.round < 3 and lots.random() < 0.5 else "setujui"
        for field in form:
            # What comes from an earlier step is there; what this one makes, or brings, is attached.
            if field.slot and field.slot.origin in (None, "langkah") and (decide == "setujui" or not field.required_if):
                case = case.when(AttachDocument(user_task=task.number, document=field.id, attachment=PAPER), everybody)
        data = {field.id: answer(field, decide) for field in form if field.type != "document"}
        case = case.when(CompleteUserTask(user_task=task.number, data=data), everybody)
    assert case.instance.status == COMPLETED


def begun(definition: ProcessDefinition, who: Actor) -> Case:
    return fresh(definition).when(StartProcessInstance(
        key=definition.key, definition=definition.sha256, unit="unit", calendars={"": FIVE_DAYS}), who)
