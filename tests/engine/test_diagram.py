"""The reader of diagrams: the LKjPD diagram reads whole, and what a value says is what stands in the file."""
from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from engine import diagram, sop
from engine.definition import (
    Choice,
    Column,
    Deadline,
    DiagramError,
    Field,
    ProcessDefinition,
    SequenceFlow,
    Slot,
    Timer,
)
from tests.engine.test_gate import changed, drawn, field, form, properties

ROOT = Path(__file__).parent.parent.parent
DATA = (ROOT / "bpmn" / "penyusunan_lkjpd" / "penyusunan_lkjpd.bpmn").read_bytes()
FACTS = json.loads((ROOT / "tests" / "data" / "sop-penyusunan-lkjpd.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def lkjpd() -> ProcessDefinition:
    return diagram.read(DATA)


# --- The LKjPD diagram -----------------------------------------------------------------------------------------------


def test_the_definition_is_named_by_its_process_and_its_bytes(lkjpd):
    assert (lkjpd.key, lkjpd.name) == ("penyusunan_lkjpd", "Penyusunan Laporan Kinerja Perangkat Daerah")
    assert lkjpd.sha256 == hashlib.sha256(DATA).hexdigest()


def test_the_lanes_stand_in_the_order_of_the_sop(lkjpd):
    assert [lane.name for lane in lkjpd.lanes] == FACTS["pelaksana"]


def test_each_step_is_a_user_task_in_its_lane(lkjpd):
    performers = {lane.id: lane.name for lane in lkjpd.lanes}
    read = [(one.number, one.documentation, performers[one.lane]) for one in lkjpd.user_tasks]
    assert read == [(str(one["no"]), one["uraian"], one["pelaksana"]) for one in FACTS["langkah"]]


def test_each_step_has_its_time_as_a_timer_that_leaves_it_open(lkjpd):
    for task, fact in zip(lkjpd.user_tasks, FACTS["langkah"], strict=True):
        (timer,) = lkjpd.boundary_events[task.id]
        assert (timer.timer.kind, timer.timer.expression, timer.timer.unit) == ("duration", fact["waktu_iso"], "kerja")
        assert not timer.interrupting
        assert timer.timer.reminder and timer.timer.reminder_to
        (flow,) = lkjpd.outgoing[timer.id]
        assert lkjpd.elements[flow.target].kind == "endEvent"


def test_the_decision_has_two_conditions_and_no_default(lkjpd):
    (gateway,) = (one for one in lkjpd.elements.values() if len(lkjpd.outgoing[one.id]) > 1)
    assert gateway.name == "Disetujui?"
    assert [(flow.name, flow.condition, flow.default) for flow in lkjpd.outgoing[gateway.id]] == [
        ("Ya", 'keputusan = "setujui"', False),
        ("Tidak", 'keputusan = "kembalikan"', False),
    ]


def test_the_return_leads_through_a_merge_back_to_the_fifth_step(lkjpd):
    (back,) = (flow for flow in lkjpd.flows.values() if flow.condition == 'keputusan = "kembalikan"')
    merge = lkjpd.elements[back.target]
    assert (merge.kind, merge.name) == ("exclusiveGateway", "")
    assert [lkjpd.elements[flow.target].number for flow in lkjpd.outgoing[merge.id]] == ["5"]


def test_the_deadline_stands_apart_from_the_elements(lkjpd):
    assert lkjpd.deadline == Deadline(
        id="tenggat",
        name="Tenggat penyampaian",
        start_event="tenggat_tiba",
        satisfied_by="langkah_8",
        timer=Timer(
            kind="date",
            expression="=date(tahun_laporan + 1, 3, 1)",
            reminder="Tenggat penyampaian LKjPD Tahun {tahun} ({tenggat}) telah tiba. Yang belum disampaikan: "
            "{belum_disampaikan}.",
            reminder_to="kepala_pd sekretaris_pd tim_penyusun",
            subject="Tenggat penyampaian LKjPD Tahun {tahun} telah tiba",
        ),
    )
    assert not {"tenggat", "tenggat_tiba", "pengingat_tenggat"} & set(lkjpd.elements)
    assert "tenggat_ke_pengingat" not in lkjpd.flows


def test_inspektorat_is_another_office_and_who_records_for_it_is_read(lkjpd):
    assert [lane.other_office for lane in lkjpd.lanes] == [False, False, False, True]
    assert lkjpd.lanes[3].recorded_by == ("sekretaris_pd", "tim_penyusun:ketua")
    assert lkjpd.starters == ("sekretaris_pd",)


def test_a_table_field_is_read_with_its_columns(lkjpd):
    read = lkjpd.elements["langkah_5"].field("tindak_lanjut")
    assert dataclasses.replace(read, line=0, hint=None) == Field(
        id="tindak_lanjut",
        label="Tindak lanjut atas catatan",
        type="table",
        columns=(
            Column(id="catatan", label="Catatan", type="text", readonly=True),
            Column(
                id="hasil",
                label="Hasil",
                type="enum",
                required=True,
                choices=(
                    Choice(value="sudah", label="Sudah diperbaiki"),
                    Choice(value="sebagian", label="Diperbaiki sebagian"),
                    Choice(value="tidak", label="Tidak diperbaiki"),
                ),
            ),
            Column(id="penjelasan", label="Penjelasan", type="text", required_if='hasil != "sudah"'),
            Column(id="halaman", label="Halaman"),
        ),
        required_if='putaran >= 2 or ada_catatan_reviu = "ya"',
        shown_if='putaran >= 2 or ada_catatan_reviu = "ya"',
        rows_from=("catatan_reviu", "koreksi"),
        source="S",
    )


def test_a_document_field_is_read_with_its_slot(lkjpd):
    slot = lkjpd.elements["langkah_7"].field("dokumen_lkjpd").slot
    assert slot == Slot(
        role="output",
        owed_until="langkah_8",
        owed_if='bentuk_tanda_tangan = "basah"',
        waivable=False,
        attachers=("sekretaris_pd", "tim_penyusun"),
    )
    assert lkjpd.elements["langkah_5"].field("rancangan_akhir").slot.same_if == (
        'putaran = 1 and ada_catatan_reviu = "tidak"'
    )


def test_the_start_event_has_a_form_whose_first_value_is_an_expression(lkjpd):
    year = lkjpd.start.field("tahun_laporan")
    assert (year.type, year.required, year.minimum, year.maximum) == ("long", True, "2000", "2100")
    assert year.initial == "=if today().month <= 6 then today().year - 1 else today().year"


def test_elements_and_flows_stand_in_the_order_of_the_document(lkjpd):
    written = [node.get("id") for node in etree.fromstring(DATA).iter("{*}sequenceFlow")]
    assert list(lkjpd.flows) == [id for id in written if id != "tenggat_ke_pengingat"]
    lines = [one.line for one in lkjpd.elements.values()]
    assert lines == sorted(lines)


def test_the_sop_comes_out_of_the_diagram_cell_by_cell(lkjpd):
    read = sop.facts(lkjpd)
    for name in ("pemerintah", "unit", "nomor_sop", "tanggal_pembuatan", "tanggal_revisi", "tanggal_pengesahan",
                 "disahkan_oleh", "nama_sop"):
        assert getattr(read, name) == FACTS[name]
    for name in ("dasar_hukum", "kualifikasi_pelaksana", "keterkaitan", "peralatan_perlengkapan", "peringatan",
                 "pencatatan_dan_pendataan", "pelaksana"):
        assert getattr(read, name) == tuple(FACTS[name])
    assert [
        (one.number, one.uraian, one.pelaksana, one.kelengkapan, one.waktu, one.output, one.keterangan, one.assumption)
        for one in read.steps
    ] == [
        (str(one["no"]), *(one[name] for name in ("uraian", "pelaksana", "kelengkapan", "waktu", "output", "keterangan",
                                                  "pelaksana_asumsi")))
        for one in FACTS["langkah"]
    ]


def test_the_definition_is_the_same_every_time(lkjpd):
    assert diagram.read(DATA) == lkjpd


def test_a_stored_diagram_is_read_again_without_being_judged_again(lkjpd):
    assert diagram.reread(DATA) == lkjpd
    refused_today = changed(drawn(), "<bpmn:flowNodeRef>task1</bpmn:flowNodeRef>", "").encode()
    assert diagram.reread(refused_today).elements["task1"].lane is None
    with pytest.raises(DiagramError):
        diagram.reread(b"<a/>")


# --- What a value says -----------------------------------------------------------------------------------------------


def read(xml: str) -> ProcessDefinition:
    return diagram.read(xml.encode())


def only_field(more: str) -> Field:
    return dataclasses.replace(read(drawn(inside={"task1": form(more)})).elements["task1"].form[0], line=0)


def test_lines_inside_a_property_are_kept():
    xml = changed(drawn(), '<bpmn:laneSet id="lane_set">',
                  properties(**{"sop.dasarHukum": "Pertama.&#10; Kedua.&#10;&#10;"}) + '<bpmn:laneSet id="lane_set">')
    definition = read(xml)
    assert definition.properties["sop.dasarHukum"] == "Pertama.\n Kedua.\n\n"
    assert sop.facts(definition).dasar_hukum == ("Pertama.", "Kedua.")


def test_documentation_is_verbatim_but_for_its_ends():
    text = "\n  Menelaah  ( hard file )\n  dan mengarsipkan. \n"
    element = read(drawn(inside={"task1": f"<bpmn:documentation>{text}</bpmn:documentation>"})).elements["task1"]
    assert element.documentation == "Menelaah  ( hard file )\n  dan mengarsipkan."


def test_conditions_lose_their_sign_and_timers_keep_it():
    xml = drawn("start>task1 task1>choose choose>end choose>task2 task2>end late1_task1>end2",
                conditions={"choose>end": "\n  =1 = 1  ", "choose>task2": "default"})
    definition = read(changed(xml, "<bpmn:timeDuration>P1D", '<bpmn:timeDuration> =duration("P1D")\n'))
    assert dataclasses.replace(definition.flows["choose_end"], line=0) == SequenceFlow(
        id="choose_end", source="choose", target="end", condition="1 = 1")
    assert definition.flows["choose_task2"].default
    assert definition.elements["late1_task1"].timer.expression == '=duration("P1D")'


def test_a_property_of_a_field_is_named_by_its_id_or_its_name():
    one = field("a", sop_petunjuk="Tulis")
    assert only_field(one).hint == only_field(one.replace('property id="', 'property name="')).hint == "Tulis"


@pytest.mark.parametrize("value, column", [
    ("Nama", Column(id="x", label="Nama")),
    ("Nama | person | wajib", Column(id="x", label="Nama", type="person", required=True)),
    ("Nama|text|tidak|", Column(id="x", label="Nama", type="text")),
    ("Catatan | text | baca", Column(id="x", label="Catatan", type="text", readonly=True)),
    ("Alasan | text | wajib jika a != \"b\"", Column(id="x", label="Alasan", type="text", required_if='a != "b"')),
    ("Acara | string | wajib | awal=Rapat; pleno", Column(
        id="x", label="Acara", required=True, initial="Rapat; pleno")),
    ("Hasil | enum | tidak | ya=Ya; tidak = Tidak ;", Column(
        id="x", label="Hasil", type="enum",
        choices=(Choice(value="ya", label="Ya"), Choice(value="tidak", label="Tidak")))),
    ("Hasil | enum | tidak | ya; awal=ya", Column(
        id="x", label="Hasil", type="enum", choices=(Choice(value="ya", label="ya"),), initial="ya")),
])
def test_a_column_is_described_in_four_parts(value, column):
    assert diagram.column("x", value) == column


def test_a_slot_has_the_usual_answers_where_nothing_is_written():
    assert only_field(field("a", "document", sop_peran="bacaan")).slot == Slot(role="bacaan")


@pytest.mark.parametrize("config, required", [(None, True), ("true", True), ("", True), ("false", False)])
def test_a_constraint_holds_unless_it_says_false(config, required):
    attribute = "" if config is None else f' config="{config}"'
    more = f'<camunda:validation><camunda:constraint name="required"{attribute} /></camunda:validation>'
    assert only_field(field("a", more=more)).required is required


@pytest.mark.parametrize("duration, words", [
    ("PT20M", "20 menit"), ("P2D", "2 hari"), ("P1DT2H30M", "1 hari 2 jam 30 menit"), ("R3/P1D", ""), ("2 hari", "")])
def test_a_duration_is_said_in_the_words_of_the_sop(duration, words):
    assert sop.in_words(duration) == words


def test_an_sop_without_written_times_takes_them_from_the_timers():
    (step,) = sop.facts(read(drawn("start>task1 task1>end late1_task1>end2"))).steps
    assert (step.waktu, step.uraian, step.pelaksana, step.assumption) == ("1 hari", "task1", "lane1", False)


# --- Hashes ----------------------------------------------------------------------------------------------------------


def test_the_canonical_hash_is_of_c14n_2():
    canonical = etree.canonicalize(DATA.decode().partition("?>")[2])
    assert diagram.hashes(DATA)[1] == hashlib.sha256(canonical.encode()).hexdigest()


def test_a_definition_carries_the_hashes_of_its_file(lkjpd):
    assert diagram.hashes(DATA) == (lkjpd.sha256, lkjpd.canonical_sha256, lkjpd.meaning_sha256)


def test_the_frozen_meaning_of_a_small_diagram():
    """A stored hash must be found again by every later version: this figure never changes."""
    assert diagram.hashes(drawn().encode())[2] == FROZEN


FROZEN = "794d9e1d602ed2411979a9d06cfd9c2f62b2cdbd0bcc74b62d95e89fe8421a88"


@pytest.mark.parametrize("old, new, canonical", [
    ('x="350"', 'x="352"', False),
    ('<bpmndi:BPMNShape id="task1_di"',
     '<bpmndi:BPMNShape xmlns:c="http://bpmn.io/schema/bpmn/biocolor/1.0" c:fill="#fff" id="task1_di"', False),
    ('id="file" targetNamespace', 'exporter="Modeler" exporterVersion="2" id="file" targetNamespace', False),
    ('<bpmn:laneSet id="lane_set">', '<bpmn:laneSet\n    id="lane_set" >', True),
    ("<bpmn:flowNodeRef>task1<", "<bpmn:flowNodeRef>\n  task1\n<", False),
    ("</bpmn:laneSet>", "</bpmn:laneSet>\n\n   <!-- langkah -->", False),
    ('isExecutable="true">', 'isExecutable="true" >', True),
])
def test_a_change_of_layout_alone_keeps_the_meaning(old, new, canonical):
    before, after = diagram.hashes(drawn().encode()), diagram.hashes(changed(drawn(), old, new).encode())
    assert (before[0] == after[0], before[1] == after[1], before[2] == after[2]) == (False, canonical, True)


def test_another_prefix_keeps_the_meaning():
    xml = drawn().replace("bpmn:", "b:").replace("xmlns:bpmn=", "xmlns:b=")
    assert diagram.hashes(xml.encode())[2] == diagram.hashes(drawn().encode())[2]


@pytest.mark.parametrize("old, new", [
    ('name="task1"', 'name="task one"'),
    ('targetRef="end"', 'targetRef="task1"'),
    ("<bpmn:flowNodeRef>task1</bpmn:flowNodeRef>", ""),
    ("<bpmn:timeDuration>P1D", "<bpmn:timeDuration>P2D"),
])
def test_a_change_of_what_runs_changes_the_meaning(old, new):
    xml = drawn("start>task1 task1>end late1_task1>end2")
    assert diagram.hashes(xml.encode())[2] != diagram.hashes(changed(xml, old, new).encode())[2]


@given(st.permutations(["a", "b", "c"]))
def test_the_order_of_attributes_changes_only_the_bytes(names):
    written = " ".join(f'{name}="{name}"' for name in names)
    data = changed(drawn(), 'targetNamespace="urn:test"', f'targetNamespace="urn:test" {written}').encode()
    other = changed(drawn(), 'targetNamespace="urn:test"', 'targetNamespace="urn:test" a="a" b="b" c="c"').encode()
    assert diagram.hashes(data)[1:] == diagram.hashes(other)[1:]


def test_what_is_no_diagram_has_no_hashes():
    with pytest.raises(DiagramError):
        diagram.hashes(b"words")


def test_a_refusal_tells_every_finding_in_one_text():
    with pytest.raises(DiagramError, match="tidak berada di lane") as caught:
        read(changed(drawn(), "<bpmn:flowNodeRef>task1</bpmn:flowNodeRef>", ""))
    assert {one.severity for one in caught.value.findings} == {"error", "warning"}
