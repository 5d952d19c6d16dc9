"""What changed between two versions: seeded edits of the shipped diagram, each named once and none missed.

An edit is what an owner does in the modeler or the panel, made on the XML. It says what it must be called, and what
it touches, so that any edits that touch different things can be made together: then all of them are named, and
nothing else is.
"""
from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from engine import changes, diagram
from engine.__main__ import main
from engine.changes import Change, Power, between, power_words, powers, words
from engine.definition import ProcessDefinition
from engine.gate import BIOC, BPMN, BPMNDI, CAMUNDA, DC, DI, XSI
from tests.engine.test_gate import drawn

ROOT = Path(__file__).parent.parent.parent
FILE = ROOT / "bpmn" / "penyusunan_lkjpd" / "penyusunan_lkjpd.bpmn"
DATA = FILE.read_bytes()
KEY = "penyusunan_lkjpd"

Made = Callable[[etree._Element], None]
Named = tuple[str, str, str, str | None, str | None]


@dataclasses.dataclass(frozen=True)
class Edit:
    """One edit: how it is made, what it must be called, and what nothing else may touch at the same time."""
    made: Made
    named: tuple[Change, ...]
    touches: frozenset[str]


SHIPPED = "(as shipped)"                    # a long text that the diagram has
EDITS: dict[str, Edit] = {}


def seed(title: str, made: Made, *named: Named, touches: str = "", cosmetic: bool = False) -> None:
    told = tuple(Change(element=element, kind=kind, property=property, old=old, new=new, cosmetic=cosmetic)
                 for element, kind, property, old, new in named)
    own = {f"{one.element}/{one.property.split('.')[0]}" if one.kind in ("field", "slot", "choice", "column")
           else f"{one.element}/{one.property if one.kind == 'process' else one.kind}" for one in told}
    assert title not in EDITS, title
    EDITS[title] = Edit(made, told, frozenset(own | set(touches.split())))


# --- The XML, by hand ------------------------------------------------------------------------------------------------

def leaf(name: str, value: str) -> etree._Element:
    node = etree.Element(BPMN + name)
    node.text = value
    return node


def at(root: etree._Element, id: str) -> etree._Element:
    return next(one for one in root.iter(BPMN + "*") if one.get("id") == id)


def form_field(root: etree._Element, element: str, id: str) -> etree._Element:
    return next(one for one in at(root, element).iter(CAMUNDA + "formField") if one.get("id") == id)


def inside(node: etree._Element, *path: str) -> etree._Element:
    """The first child of each name, made where it is missing."""
    for name in path:
        found = node.find(name)
        node = etree.SubElement(node, name) if found is None else found
    return node


def attribute(id: str, name: str, value: str) -> Made:
    return lambda root: at(root, id).set(name, value)


def set_property(holder: etree._Element, key: str, name: str, value: str | None) -> None:
    for one in list(holder):
        if one.get(key) == name:
            holder.remove(one) if value is None else one.set("value", value)
            return
    etree.SubElement(holder, CAMUNDA + "property", {key: name, "value": value or ""})


def sop(id: str, name: str, value: str | None) -> Made:
    """A property of an element; None takes it away."""
    return lambda root: set_property(
        inside(at(root, id), BPMN + "extensionElements", CAMUNDA + "properties"), "name", name, value)


def of_field(element: str, id: str, name: str, value: str | None) -> Made:
    """A property of a form field; None takes it away."""
    return lambda root: set_property(inside(form_field(root, element, id), CAMUNDA + "properties"), "id", name, value)


def label(element: str, id: str, name: str, value: str) -> Made:
    return lambda root: form_field(root, element, id).set(name, value)


def constraint(element: str, id: str, name: str, config: str | None) -> Made:
    def made(root: etree._Element) -> None:
        holder = inside(form_field(root, element, id), CAMUNDA + "validation")
        for one in list(holder):
            if one.get("name") == name:
                holder.remove(one)
        if config is not None:
            etree.SubElement(holder, CAMUNDA + "constraint", {"name": name, **({"config": config} if config else {})})
    return made


def item(name: str, change: Callable[[list[str]], list[str]]) -> Made:
    """The lines of a list of the SOP's identity."""
    def made(root: etree._Element) -> None:
        holder = inside(at(root, KEY), BPMN + "extensionElements", CAMUNDA + "properties")
        one = next(one for one in holder if one.get("name") == name)
        one.set("value", "\n".join(change(one.get("value").splitlines())))
    return made


def text(id: str, path: str, value: str) -> Made:
    def made(root: etree._Element) -> None:
        inside(at(root, id), *(BPMN + one for one in path.split("/"))).text = value
    return made


def everywhere(old: str, new: str, *tags: str) -> Made:
    """An id, wherever the file writes it as one."""
    def made(root: etree._Element) -> None:
        for one in root.iter(etree.Element):
            for name, value in one.attrib.items():
                if name not in ("name", "label", "defaultValue") and old in value.replace(":", " ").split():
                    one.set(name, value.replace(old, new))
            if (one.text or "").strip() == old:
                one.text = new
    return made


def moved_in(parent: Callable[[etree._Element], etree._Element], tag: str, start: int, end: int) -> Made:
    def made(root: etree._Element) -> None:
        holder = parent(root)
        siblings = [one for one in holder if one.tag == tag]
        one = siblings.pop(start)
        holder.remove(one)
        if end < len(siblings):
            siblings[end].addprevious(one)
        else:
            siblings[-1].addnext(one)
    return made


def form_of(element: str) -> Callable[[etree._Element], etree._Element]:
    return lambda root: next(at(root, element).iter(CAMUNDA + "formData"))


def together(*all: Made) -> Made:
    def made(root: etree._Element) -> None:
        for one in all:
            one(root)
    return made


def gone(*ids: str) -> Made:
    """Elements, lanes or flows taken out, with what names and draws them."""
    def made(root: etree._Element) -> None:
        for one in list(root.iter(etree.Element)):
            named = one.get("id") if one.tag.startswith(BPMN) else one.get("bpmnElement")
            refers = one.tag in (BPMN + "flowNodeRef", BPMN + "incoming", BPMN + "outgoing")
            if named in ids or (refers and (one.text or "").strip() in ids):
                if one.getparent() is not None:
                    one.getparent().remove(one)
    return made


def added(parent: str, xml: str) -> Made:
    """A piece of XML as the last child of an element."""
    def made(root: etree._Element) -> None:
        spaces = f'xmlns:bpmn="{BPMN[1:-1]}" xmlns:camunda="{CAMUNDA[1:-1]}"'
        holder = next(one for one in root.iter(etree.Element)
                      if one.tag.startswith(BPMN) and one.get("id") == parent)
        holder.extend(etree.fromstring(f"<x {spaces}>{xml}</x>"))
    return made


def in_form(element: str, xml: str) -> Made:
    def made(root: etree._Element) -> None:
        form_of(element)(root).extend(etree.fromstring(f'<x xmlns:camunda="{CAMUNDA[1:-1]}">{xml}</x>'))
    return made


def lane_of(element: str, lane: str) -> Made:
    def made(root: etree._Element) -> None:
        for one in list(root.iter(BPMN + "flowNodeRef")):
            if one.text == element:
                one.getparent().remove(one)
        etree.SubElement(at(root, lane), BPMN + "flowNodeRef").text = element
    return made


def choice(element: str, owner: str, value: str, **attributes: str | None) -> Made:
    def made(root: etree._Element) -> None:
        field = form_field(root, element, owner)
        one = next((one for one in field.iterchildren(CAMUNDA + "value") if one.get("id") == value), None)
        if attributes.get("id", "") is None:
            field.remove(one)
            return
        if one is None:
            one = etree.SubElement(field, CAMUNDA + "value", id=value)
        one.attrib.update({name: text for name, text in attributes.items() if text is not None})
    return made


def timer(id: str, tag: str, value: str) -> Made:
    def made(root: etree._Element) -> None:
        holder = next(at(root, id).iter(BPMN + "timerEventDefinition"))
        for one in list(holder):
            holder.remove(one)
        etree.SubElement(holder, BPMN + tag, {XSI + "type": "bpmn:tFormalExpression"}).text = value
    return made


def shape(id: str, change: Callable[[etree._Element], None]) -> Made:
    return lambda root: change(next(one for one in root.iter(BPMNDI + "BPMNShape", BPMNDI + "BPMNEdge")
                                    if one.get("bpmnElement") == id))


# --- The edits -------------------------------------------------------------------------------------------------------

PROCESS = (KEY, "process")
# The process and the identity part of the SOP
seed("the process is renamed", attribute(KEY, "name", "Penyusunan LKjPD"),
     (*PROCESS, "name", "Penyusunan Laporan Kinerja Perangkat Daerah", "Penyusunan LKjPD"))
seed("the process is described", lambda root: at(root, KEY).insert(0, leaf("documentation", "Untuk kecamatan.")),
     (*PROCESS, "documentation", None, "Untuk kecamatan."))
seed("the SOP has another number", sop(KEY, "sop.nomorSop", "000.8.3.3/04"),
     (*PROCESS, "sop.nomorSop", "000.8.3.3/03.1 /1/2025", "000.8.3.3/04"))
seed("the SOP was revised", sop(KEY, "sop.tanggalRevisi", "03 Maret 2027"),
     (*PROCESS, "sop.tanggalRevisi", None, "03 Maret 2027"))
seed("the date of ratification is taken away", sop(KEY, "sop.tanggalPengesahan", None),
     (*PROCESS, "sop.tanggalPengesahan", "06 Januari 2025", None))
seed("a file is called otherwise", sop(KEY, "sop.judulBerkas", "Laporan Kinerja"),
     (*PROCESS, "sop.judulBerkas", "LKjPD", "Laporan Kinerja"))
seed("a law is added", item("sop.dasarHukum", lambda items: [*items[:2], "Peraturan Presiden Nomor 21 Tahun 2023.",
                                                          *items[2:]]),
     (*PROCESS, "sop.dasarHukum.added", None, "Peraturan Presiden Nomor 21 Tahun 2023."))
seed("a related SOP is removed", item("sop.keterkaitan", lambda items: items[1:]),
     (*PROCESS, "sop.keterkaitan.removed", "SOP Pembentukan Tim Kerja.", None))
seed("a piece of equipment is written otherwise",
     item("sop.peralatanPerlengkapan", lambda items: [one.replace("Jaringan Internet", "Internet") for one in items]),
     (*PROCESS, "sop.peralatanPerlengkapan", "Jaringan Internet.", "Internet."))
seed("a qualification is moved to the front",
     item("sop.kualifikasiPelaksana", lambda items: [items[4], *items[:4]]),
     (*PROCESS, "sop.kualifikasiPelaksana.moved", "5", "1"))
seed("of two registers one is edited and one added",
     item("sop.pencatatanDanPendataan", lambda items: ["Notulen rapat", "Buku agenda", *items[1:]]),
     (*PROCESS, "sop.pencatatanDanPendataan", "Notulen", "Notulen rapat"),
     (*PROCESS, "sop.pencatatanDanPendataan.added", None, "Buku agenda"))
seed("the process gets a version tag", attribute(KEY, f"{CAMUNDA}versionTag", "2"),
     (*PROCESS, "versionTag", None, "2"))
seed("the pool is renamed", attribute("perangkat_daerah", "name", "LKjPD"),
     ("perangkat_daerah", "participant", "name", "Penyusunan Laporan Kinerja Perangkat Daerah", "LKjPD"))
seed("a note is written", added(KEY, '<bpmn:textAnnotation id="catatan"><bpmn:text>Tunggu surat</bpmn:text>'
                                     "</bpmn:textAnnotation>"),
     ("catatan", "textAnnotation", "added", None, "Tunggu surat"))
seed("a flow is described", lambda root: at(root, "mulai_ke_langkah_1").append(leaf("documentation", "Langsung.")),
     ("mulai_ke_langkah_1", "sequenceFlow", "documentation", None, "Langsung."))
seed("a property that nothing reads is set", sop("langkah_6", "warna_map", "merah"),
     ("langkah_6", "userTask", "property:warna_map", None, "merah"), touches="langkah_6/property")
seed("what starts the deadline is renamed", attribute("tenggat_tiba", "name", "Tenggat tiba"),
     ("tenggat", "subProcess", "startEvent.name", "Februari berakhir", "Tenggat tiba"), touches="deadline")

# Lanes
seed("a lane is renamed", attribute("kepala_pd", "name", "Camat"), ("kepala_pd", "lane", "name", "Kepala PD", "Camat"))
seed("a lane is added", added("pelaksana", '<bpmn:lane id="bagian_umum" name="Bagian Umum" />'),
     ("bagian_umum", "lane", "added", None, "Bagian Umum"), touches="lanes")
seed("a lane is moved to the front", moved_in(lambda root: at(root, "pelaksana"), BPMN + "lane", 3, 0),
     ("inspektorat", "lane", "moved", "4", "1"), touches="lanes")
seed("a lane is of this office", sop("inspektorat", "sop.kantorLain", None),
     ("inspektorat", "lane", "other_office", "ya", "tidak"))
seed("another one may record for a lane", sop("inspektorat", "sop.dicatatOleh", "sekretaris_pd"),
     ("inspektorat", "lane", "recorded_by", "sekretaris_pd tim_penyusun:ketua", "sekretaris_pd"))
seed("a lane gets another id", everywhere("inspektorat", "inspektorat_daerah"),
     ("inspektorat_daerah", "lane", "id", "inspektorat", "inspektorat_daerah"),
     touches="inspektorat/lane lanes langkah_4/userTask")
seed("a lane is removed and its step moves", together(
        lane_of("langkah_4", "tim_penyusun"), lane_of("waktu_4", "tim_penyusun"),
        lane_of("pengingat_4", "tim_penyusun"), gone("inspektorat")),
     ("inspektorat", "lane", "removed", "Inspektorat Daerah", None),
     ("langkah_4", "userTask", "lane", "inspektorat", "tim_penyusun"),
     ("waktu_4", "boundaryEvent", "lane", "inspektorat", "tim_penyusun"),
     ("pengingat_4", "endEvent", "lane", "inspektorat", "tim_penyusun"), touches="lanes waktu_4 pengingat_4")

# Elements
seed("a step is renamed", attribute("langkah_2", "name", "Menyusun Tim"),
     ("langkah_2", "userTask", "name", "Menyusun Tim dan mengoordinasikan rapat", "Menyusun Tim"))
seed("a step's uraian is written anew", text("langkah_5", "documentation", "Memperbaiki rancangan akhir."),
     ("langkah_5", "userTask", "documentation", SHIPPED, "Memperbaiki rancangan akhir."), touches="langkah_5/uraian")
seed("a step is moved to another lane", lane_of("langkah_9", "sekretaris_pd"),
     ("langkah_9", "userTask", "lane", "tim_penyusun", "sekretaris_pd"), touches="langkah_9/order")
seed("a step is numbered otherwise", sop("langkah_9", "sop.nomor", "10"),
     ("langkah_9", "userTask", "sop.nomor", "9", "10"))
seed("the kelengkapan of a step is another", sop("langkah_1", "sop.kelengkapan", "Surat Edaran Bupati"),
     ("langkah_1", "userTask", "sop.kelengkapan", "Surat Edaran Bupati dan Lembar Disposisi", "Surat Edaran Bupati"))
seed("the waktu of a step is written otherwise", sop("langkah_3", "sop.waktu", "20 hari kerja"),
     ("langkah_3", "userTask", "sop.waktu", "20 hari", "20 hari kerja"))
seed("the output of a step is another", sop("langkah_7", "sop.output", "Dokumen LKjPD dan lembar koreksi"),
     ("langkah_7", "userTask", "sop.output", "Dokumen LKjPD", "Dokumen LKjPD dan lembar koreksi"))
seed("a keterangan is written", sop("langkah_1", "sop.keterangan", "Segera."),
     ("langkah_1", "userTask", "sop.keterangan", None, "Segera."), touches="langkah_1/keterangan")
seed("an assumption is confirmed", sop("langkah_9", "sop.asumsi", None),
     ("langkah_9", "userTask", "sop.asumsi", "ya", None))
seed("a gateway is renamed", attribute("disetujui", "name", "Disetujui Camat?"),
     ("disetujui", "exclusiveGateway", "name", "Disetujui?", "Disetujui Camat?"))
seed("a gateway without a name gets another id", everywhere("gabung", "bertemu"),
     ("bertemu", "exclusiveGateway", "id", "gabung", "bertemu"), touches="gabung")
seed("a gateway becomes one that waits for all", lambda root: at(root, "gabung").__setattr__(
        "tag", BPMN + "parallelGateway"),
     ("gabung", "parallelGateway", "kind", "exclusiveGateway", "parallelGateway"), touches="gabung")
seed("a step gets another id, and all that name it follow", everywhere("langkah_4", "reviu"),
     ("reviu", "userTask", "id", "langkah_4", "reviu"), touches="langkah_4/*")
seed("an end event ends everything", added("selesai", "<bpmn:terminateEventDefinition />"),
     ("selesai", "endEvent", "terminate", "tidak", "ya"))
seed("an end event is renamed", attribute("pengingat_1", "name", "Diingatkan"),
     ("pengingat_1", "endEvent", "name", "Pengingat 1", "Diingatkan"))
seed("a reminder is removed whole", gone("waktu_9", "pengingat_9", "waktu_9_ke_pengingat_9"),
     ("waktu_9", "boundaryEvent", "removed", "15 menit kerja", None),
     ("pengingat_9", "endEvent", "removed", "Pengingat 9", None),
     ("waktu_9_ke_pengingat_9", "sequenceFlow", "removed", "waktu_9_ke_pengingat_9", None), touches="waktu_9")
seed("a step is put in between", together(
        added(KEY, '<bpmn:userTask id="langkah_baru" name="Menggandakan" />'
                   '<bpmn:sequenceFlow id="baru_ke_9" sourceRef="langkah_baru" targetRef="langkah_9" />'),
        lane_of("langkah_baru", "tim_penyusun"), attribute("langkah_8_ke_langkah_9", "targetRef", "langkah_baru")),
     ("langkah_baru", "userTask", "added", None, "Menggandakan"),
     ("langkah_8_ke_langkah_9", "sequenceFlow", "target", "langkah_9", "langkah_baru"),
     ("baru_ke_9", "sequenceFlow", "added", None, "baru_ke_9"))
seed("another lane may start", sop("mulai", "sop.pemulai", "sekretaris_pd kepala_pd"),
     ("mulai", "startEvent", "sop.pemulai", "sekretaris_pd", "sekretaris_pd kepala_pd"))

# Timers and the deadline
seed("a norm is longer", timer("waktu_2", "timeDuration", "P3D"), ("waktu_2", "timer", "expression", "P2D", "P3D"))
seed("a norm becomes a cycle", timer("waktu_3", "timeCycle", "R3/P1D"),
     ("waktu_3", "timer", "expression", "P20D", "R3/P1D"))
seed("a norm counts calendar time", sop("waktu_5", "sop.satuanWaktu", "kalender"),
     ("waktu_5", "timer", "unit", "kerja", "kalender"))
seed("a timer interrupts", attribute("waktu_6", "cancelActivity", "true"),
     ("waktu_6", "boundaryEvent", "interrupting", "tidak", "ya"))
seed("a timer hangs on another step", attribute("waktu_7", "attachedToRef", "langkah_6"),
     ("waktu_7", "boundaryEvent", "attached_to", "langkah_7", "langkah_6"))
seed("a reminder says something else", sop("waktu_8", "sop.pengingat", "Mohon disampaikan."),
     ("waktu_8", "timer", "reminder", SHIPPED, "Mohon disampaikan."))
seed("a reminder goes to others", sop("waktu_1", "sop.kepada", "kepala_pd sekretaris_pd"),
     ("waktu_1", "timer", "reminder_to", "kepala_pd", "kepala_pd sekretaris_pd"))
seed("a copy goes to nobody", sop("waktu_4", "sop.tembusan", None),
     ("waktu_4", "timer", "reminder_copy", SHIPPED, None), touches="waktu_4")
seed("a reminder has another subject", sop("waktu_1", "sop.perihal", "Pengingat"),
     ("waktu_1", "timer", "subject", "Pengingat: Langkah {n} LKjPD Tahun {tahun} melewati batas waktu", "Pengingat"),
     touches="waktu_1/subject")
seed("one is told before it is late", sop("waktu_7", "sop.pengingatSebelum", "Sisa {sisa}."),
     ("waktu_7", "timer", "near", None, "Sisa {sisa}."))
seed("the superior is not told", sop("waktu_2", "sop.pengingatAtasan", None),
     ("waktu_2", "timer", "escalation", SHIPPED, None), touches="waktu_2/escalation")
seed("another one is the superior", sop("waktu_3", "sop.atasan", "kepala_pd"),
     ("waktu_3", "timer", "superior", "sekretaris_pd", "kepala_pd"))
seed("a superior's copy is sent", sop("waktu_5", "sop.atasanTembusan", "kepala_pd"),
     ("waktu_5", "timer", "superior_copy", None, "kepala_pd"), touches="waktu_5/copy")
seed("a return is told in other words", sop("waktu_5", "sop.kabarKembali", "Dikembalikan."),
     ("waktu_5", "timer", "returned", SHIPPED, "Dikembalikan."))
seed("a return is told to another lane", sop("waktu_5", "sop.kabarKembaliKepada", "kepala_pd"),
     ("waktu_5", "timer", "returned_to", "sekretaris_pd", "kepala_pd"))
seed("fewer may give more time", sop("waktu_3", "sop.perpanjangan", "kepala_pd"),
     ("waktu_3", "timer", "extended_by", "sekretaris_pd kepala_pd", "kepala_pd"))
seed("the deadline is a month later", timer("tenggat", "timeDate", "=date(tahun_laporan + 1, 4, 1)"),
     ("tenggat", "deadline", "expression", "=date(tahun_laporan + 1, 3, 1)", "=date(tahun_laporan + 1, 4, 1)"),
     touches="deadline")
seed("another step meets the deadline", sop("tenggat", "sop.tenggatUntuk", "langkah_9"),
     ("tenggat", "deadline", "satisfied_by", "langkah_8", "langkah_9"), touches="deadline")
seed("the deadline is renamed", attribute("tenggat", "name", "Batas akhir"),
     ("tenggat", "deadline", "name", "Tenggat penyampaian", "Batas akhir"), touches="deadline")
seed("the deadline is removed", gone("tenggat"),
     ("tenggat", "deadline", "removed", "Tenggat penyampaian", None), touches="deadline")

# Flows
seed("a flow is renamed", attribute("disetujui_ya", "name", "Setuju"),
     ("disetujui_ya", "sequenceFlow", "name", "Ya", "Setuju"))
seed("a condition is another", text("disetujui_tidak", "conditionExpression", '=keputusan != "setujui"'),
     ("disetujui_tidak", "sequenceFlow", "condition", 'keputusan = "kembalikan"', 'keputusan != "setujui"'))
seed("a condition is removed", lambda root: at(root, "disetujui_ya").remove(at(root, "disetujui_ya")[0]),
     ("disetujui_ya", "sequenceFlow", "condition", 'keputusan = "setujui"', None))
seed("a gateway has a default", attribute("disetujui", "default", "disetujui_tidak"),
     ("disetujui", "exclusiveGateway", "default", None, "disetujui_tidak"))
seed("a return leads further back", attribute("disetujui_tidak", "targetRef", "langkah_3"),
     ("disetujui_tidak", "sequenceFlow", "target", "gabung", "langkah_3"), touches="gabung")
seed("a flow begins elsewhere", attribute("langkah_6_ke_langkah_7", "sourceRef", "langkah_5"),
     ("langkah_6_ke_langkah_7", "sequenceFlow", "source", "langkah_6", "langkah_5"))
seed("a flow gets another id", everywhere("langkah_2_ke_langkah_3", "ke_3"),
     ("ke_3", "sequenceFlow", "id", "langkah_2_ke_langkah_3", "ke_3"))
seed("a flow is added", added(KEY, '<bpmn:sequenceFlow id="pintas" sourceRef="disetujui" targetRef="selesai" />'),
     ("pintas", "sequenceFlow", "added", None, "pintas"))
seed("a flow is removed", gone("langkah_5_ke_langkah_6"),
     ("langkah_5_ke_langkah_6", "sequenceFlow", "removed", "langkah_5_ke_langkah_6", None))

# Form fields
FIELD = "field"
seed("a field is added", in_form("langkah_6", '<camunda:formField id="jam_paraf" label="Pukul paraf" type="time" />'),
     ("langkah_6", FIELD, "jam_paraf.added", None, "Pukul paraf"), touches="langkah_6/form")
seed("a field is removed", lambda root: form_of("langkah_8")(root).remove(form_field(root, "langkah_8",
                                                                                     "nomor_bukti_esr")),
     ("langkah_8", FIELD, "nomor_bukti_esr.removed", "b.1 Nomor atau tautan bukti", None), touches="langkah_8/form")
seed("a field is moved up", moved_in(form_of("langkah_1"), CAMUNDA + "formField", 4, 1),
     ("langkah_1", FIELD, "perintah_tertulis.moved", "5", "2"), touches="langkah_1/form")
seed("a field is moved to another step", lambda root: form_of("langkah_5")(root).append(
        form_field(root, "langkah_9", "nomor_berkas")),
     ("langkah_5", FIELD, "nomor_berkas.element", "langkah_9", "langkah_5"), touches="langkah_5/form langkah_9/form")
seed("a field gets another id, and expressions follow", together(
        label("langkah_7", "keputusan", "id", "putusan"), *(
            text(flow, "conditionExpression", f'=putusan = "{value}"')
            for flow, value in (("disetujui_ya", "setujui"), ("disetujui_tidak", "kembalikan"))),
        *(of_field("langkah_7", id, name, f'=putusan = "{value}"') for id, name, value in (
            ("bentuk_tanda_tangan", "sop.wajibJika", "setujui"), ("bentuk_tanda_tangan", "sop.tampilJika", "setujui"),
            ("tanggal_tanda_tangan", "sop.wajibJika", "setujui"), ("tanggal_tanda_tangan", "sop.tampilJika", "setujui"),
            ("koreksi", "sop.wajibJika", "kembalikan"), ("koreksi", "sop.tampilJika", "kembalikan"),
            ("dokumen_lkjpd", "sop.wajibJika", "setujui"), ("lembar_koreksi", "sop.wajibJika", "kembalikan"))),
        of_field("langkah_7", "koreksi", "sop.wajibJika", '=putusan = "kembalikan" and berkas.lembar_koreksi = 0')),
     ("langkah_7", FIELD, "putusan.id", "keputusan", "putusan"),
     touches="langkah_7/keputusan langkah_7/bentuk_tanda_tangan langkah_7/tanggal_tanda_tangan langkah_7/koreksi "
             "langkah_7/dokumen_lkjpd langkah_7/lembar_koreksi disetujui_ya/sequenceFlow disetujui_tidak/sequenceFlow")
seed("a field is labelled otherwise", label("langkah_1", "arahan", "label", "Perintah"),
     ("langkah_1", FIELD, "arahan.label", "Arahan kepada Sekretaris PD", "Perintah"))
seed("a field has another type", label("langkah_8", "penerima_bupati", "type", "text"),
     ("langkah_8", FIELD, "penerima_bupati.type", "string", "text"))
seed("a document becomes a text", label("langkah_4", "formulir_lhr", "type", "string"),
     ("langkah_4", FIELD, "formulir_lhr.type", "document", "string"))
seed("a field is filled in beforehand", label("langkah_9", "kode_klasifikasi", "defaultValue", "000.8"),
     ("langkah_9", FIELD, "kode_klasifikasi.initial", "000.8.6.3", "000.8"))
seed("a field need not be filled in", constraint("langkah_9", "lokasi_hard_file", "required", None),
     ("langkah_9", FIELD, "lokasi_hard_file.required", "ya", "tidak"))
seed("a field is only shown", constraint("langkah_4", "nomor_lhr", "readonly", SHIPPED),
     ("langkah_4", FIELD, "nomor_lhr.readonly", "tidak", "ya"))
seed("a smallest value is another", constraint("mulai", "tahun_laporan", "min", "2020"),
     ("mulai", FIELD, "tahun_laporan.minimum", "2000", "2020"))
seed("a largest value is set", constraint("langkah_4", "tanggal_lhr", "max", "2030-12-31"),
     ("langkah_4", FIELD, "tanggal_lhr.maximum", None, "2030-12-31"))
seed("a table needs more rows", constraint("langkah_2", "susunan_tim", "minlength", "3"),
     ("langkah_2", FIELD, "susunan_tim.min_length", "2", "3"))
seed("a text may not be longer", constraint("langkah_4", "ringkasan_reviu", "maxlength", "500"),
     ("langkah_4", FIELD, "ringkasan_reviu.max_length", None, "500"))
seed("a field is needed under a condition", of_field("mulai", "nomor_agenda", "sop.wajibJika", "=tahun_laporan > 2026"),
     ("mulai", FIELD, "nomor_agenda.required_if", None, "tahun_laporan > 2026"))
seed("a field is shown under another condition", of_field("langkah_5", "mengubah_angka", "sop.tampilJika",
                                                          "=putaran >= 3"),
     ("langkah_5", FIELD, "mengubah_angka.shown_if", "putaran >= 2", "putaran >= 3"))
seed("a value need not hold", of_field("langkah_3", "tanggal_kirim_reviu", "sop.benarJika", None),
     ("langkah_3", FIELD, "tanggal_kirim_reviu.valid_if", SHIPPED, None))
seed("what is said when it does not hold", of_field("langkah_4", "tanggal_terima_rancangan", "sop.pesan", "Keliru."),
     ("langkah_4", FIELD, "tanggal_terima_rancangan.valid_message", SHIPPED, "Keliru."))
seed("a hint is another", of_field("langkah_8", "tanggal_kirim_bupati", "sop.petunjuk", "Lihat tanda terima."),
     ("langkah_8", FIELD, "tanggal_kirim_bupati.hint", "Tanggal pada tanda terima.", "Lihat tanda terima."))
seed("a field stands in another group", of_field("langkah_3", "nomor_pengantar_reviu", "sop.kelompok", "Surat"),
     ("langkah_3", FIELD, "nomor_pengantar_reviu.group", "c. Penyampaian kepada Inspektorat Daerah", "Surat"))
seed("a field is personal", of_field("langkah_8", "penerima_bagian_organisasi", "sop.pribadi", "ya"),
     ("langkah_8", FIELD, "penerima_bagian_organisasi.personal", "tidak", "ya"))
seed("a field decides", of_field("langkah_6", "bentuk_paraf", "sop.keputusan", "ya"),
     ("langkah_6", FIELD, "bentuk_paraf.decision", "tidak", "ya"))
seed("a table answers other rows", of_field("langkah_5", "tindak_lanjut", "sop.barisDari", "catatan_reviu"),
     ("langkah_5", FIELD, "tindak_lanjut.rows_from", "catatan_reviu koreksi", "catatan_reviu"))
seed("a table appoints nobody", of_field("langkah_2", "susunan_tim", "sop.menunjukTim", None),
     ("langkah_2", FIELD, "susunan_tim.appoints", "tim_penyusun", None))
seed("a field has another source", of_field("langkah_6", "tanggal_paraf", "sop.sumber", "T"),
     ("langkah_6", FIELD, "tanggal_paraf.source", SHIPPED, "T"))

# Choices and columns
seed("a choice is added", choice("langkah_8", "cara_kirim_bagian_organisasi", "pos", name="Pos"),
     ("langkah_8", "choice", "cara_kirim_bagian_organisasi.pos.added", None, "Pos"))
seed("a choice is removed", choice("langkah_3", "cara_kirim_reviu", "surel", id=None),
     ("langkah_3", "choice", "cara_kirim_reviu.surel.removed", "Surel", None))
seed("a choice is labelled otherwise", choice("mulai", "status_surat_edaran", "belum", name="Belum"),
     ("mulai", "choice", "status_surat_edaran.belum.label", "Belum diterima (menyusul)", "Belum"))
seed("a choice stores another value", choice("langkah_3", "penanda_tangan_pengantar_reviu", "plh_plt", id="plh"),
     ("langkah_3", "choice", "penanda_tangan_pengantar_reviu.plh.id", "plh_plt", "plh"))
seed("a choice is moved to the front", moved_in(
        lambda root: form_field(root, "langkah_1", "sifat_disposisi"), CAMUNDA + "value", 2, 0),
     ("langkah_1", "choice", "sifat_disposisi.sangat_segera.moved", "3", "1"))
seed("a column is added", of_field("langkah_2", "jadwal_rapat", "kolom.pimpinan", "Pimpinan | person | tidak"),
     ("langkah_2", "column", "jadwal_rapat.pimpinan.added", None, "Pimpinan"))
seed("a column is removed", of_field("langkah_4", "catatan_reviu", "kolom.saran", None),
     ("langkah_4", "column", "catatan_reviu.saran.removed", "Saran perbaikan", None), touches="langkah_4/catatan_reviu")
seed("a column is labelled otherwise", of_field("langkah_3", "pembagian_tugas", "kolom.uraian",
                                               "Tugas | string | wajib"),
     ("langkah_3", "column", "pembagian_tugas.uraian.label", "Bagian/tugas", "Tugas"))
seed("a column has another type", of_field("langkah_2", "jadwal_rapat", "kolom.tempat", "Tempat | text | wajib"),
     ("langkah_2", "column", "jadwal_rapat.tempat.type", "string", "text"))
seed("a column must be filled in under a condition", of_field(
        "langkah_3", "pembagian_tugas", "kolom.batas", "Batas waktu | date | wajib jika pegawai != null"),
     ("langkah_3", "column", "pembagian_tugas.batas.required_if", None, "pegawai != null"),
     touches="langkah_3/batas")
seed("a column has another choice", of_field(
        "langkah_2", "susunan_tim", "kolom.kedudukan",
        "Kedudukan dalam Tim | enum | wajib | ketua=Ketua; sekretaris=Sekretaris; anggota=Anggota; ahli=Ahli"),
     ("langkah_2", "choice", "susunan_tim.kedudukan.ahli.added", None, "Ahli"))

# Document slots
SLOT = "slot"
seed("a document is an output", of_field("langkah_1", "lembar_disposisi", "sop.peran", "output"),
     ("langkah_1", SLOT, "lembar_disposisi.role", SHIPPED, "output"))
seed("a document comes from elsewhere", of_field("langkah_8", "dokumen_lkjpd", "sop.asal", "langkah_6"),
     ("langkah_8", SLOT, "dokumen_lkjpd.origin", "langkah_7", "langkah_6"))
seed("a document may be a link", of_field("langkah_3", "notulen", "sop.bentuk", "berkas tautan"),
     ("langkah_3", SLOT, "notulen.forms", "berkas", "berkas tautan"))
seed("a document is several files", of_field("langkah_3", "rancangan_akhir", "sop.jumlah", "banyak"),
     ("langkah_3", SLOT, "rancangan_akhir.many", "tidak", "ya"))
seed("a document is passed on as it is", of_field("langkah_9", "dokumen_lkjpd", "sop.versi", "baru"),
     ("langkah_9", SLOT, "dokumen_lkjpd.version", "sama", "baru"))
seed("a document may be owed longer", of_field("mulai", "surat_edaran", "sop.menyusul", "langkah_5"),
     ("mulai", SLOT, "surat_edaran.owed_until", "langkah_3", "langkah_5"))
seed("a document may always be owed", of_field("langkah_7", "dokumen_lkjpd", "sop.menyusulJika", None),
     ("langkah_7", SLOT, "dokumen_lkjpd.owed_if", 'bentuk_tanda_tangan = "basah"', None))
seed("a document can be waived", of_field("langkah_8", "bukti_unggah_esr", "sop.dispensasi", None),
     ("langkah_8", SLOT, "bukti_unggah_esr.waivable", "tidak", "ya"))
seed("one more lane may attach", of_field("langkah_8", "tanda_terima_bupati", "sop.pelampir", "sekretaris_pd"),
     ("langkah_8", SLOT, "tanda_terima_bupati.attachers", None, "sekretaris_pd"))
seed("a document is made from another field", of_field("langkah_3", "daftar_pembagian_tugas", "sop.teksDari", None),
     ("langkah_3", SLOT, "daftar_pembagian_tugas.text_from", "pembagian_tugas", None))

# The drawing
seed("a step is moved on the canvas", shape("langkah_1", lambda one: one.find(DC + "Bounds").set("x", "340")),
     ("langkah_1", "drawing", "position", "335 130", "340 130"), cosmetic=True)
seed("a step is drawn larger", shape("langkah_2", lambda one: one.find(DC + "Bounds").set("width", "150")),
     ("langkah_2", "drawing", "size", "140 90", "150 90"), cosmetic=True)
seed("an arrow is bent", shape("mulai_ke_langkah_1", lambda one: one.insert(
        1, one.makeelement(DI + "waypoint", {"x": "300", "y": "175"}))),
     ("mulai_ke_langkah_1", "drawing", "waypoints", "290 175, 335 175", "290 175, 300 175, 335 175"), cosmetic=True)
seed("a label is moved", shape("disetujui", lambda one: one.find(f"{BPMNDI}BPMNLabel/{DC}Bounds").set("y", "170")),
     ("disetujui", "drawing", "label", "1754 168 66 14", "1754 170 66 14"), cosmetic=True)
seed("a step is coloured", shape("langkah_3", lambda one: one.set(BIOC + "fill", "#ffe0b2")),
     ("langkah_3", "drawing", "colours", None, "fill=#ffe0b2"), cosmetic=True)
seed("an arrow is not drawn", shape("langkah_8_ke_langkah_9", lambda one: one.getparent().remove(one)),
     ("langkah_8_ke_langkah_9", "drawing", "drawn", "ya", None), cosmetic=True)


# --- Each edit alone -------------------------------------------------------------------------------------------------

@dataclasses.dataclass(frozen=True)
class Version:
    """A version of the shipped diagram, read once."""
    definition: ProcessDefinition
    beside: diagram.Beside

    @property
    def meaning(self) -> str:
        return self.definition.meaning_sha256


def edited(*titles: str) -> bytes:
    root = etree.fromstring(DATA)
    # What gets another id was found by its old one until then.
    for one in sorted(titles, key=lambda title: "another id" in title):
        EDITS[one].made(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


@cache
def version(*titles: str) -> Version:
    data = edited(*titles)
    return Version(diagram.reread(data), diagram.beside(data))


def told(before: Version, after: Version) -> tuple[Change, ...]:
    return changes.changes(before.definition, after.definition, before.beside, after.beside)


def expected(*titles: str) -> list[Change]:
    return [one for title in titles for one in EDITS[title].named]


def shown(found: list[Change] | tuple[Change, ...]) -> list[str]:
    """The six values of each, sorted: what is told, whatever the order."""
    return sorted(json.dumps([one.element, one.kind, one.property, one.old, one.new, one.cosmetic]) for one in found)


def as_told(found: tuple[Change, ...], wanted: list[Change]) -> list[str]:
    """What was found, with the long texts of the shipped diagram left out where the edit leaves them out."""
    left_out = {(one.element, one.kind, one.property) for one in wanted if one.old == SHIPPED}
    return shown([dataclasses.replace(one, old=SHIPPED) if (one.element, one.kind, one.property) in left_out and one.old
                  else one for one in found])


def inverse(one: Change) -> Change:
    """The same change on the way back."""
    property, _, name = one.property.rpartition(".")
    swap = {"added": "removed", "removed": "added"}
    if one.property in ("id", *swap):
        element = one.old if one.property == "id" else one.element
        return dataclasses.replace(one, element=element, property=swap.get(one.property, "id"), old=one.new,
                                   new=one.old)
    if name in swap:
        return dataclasses.replace(one, property=f"{property}.{swap[name]}", old=one.new, new=one.old)
    if name == "id":
        around = property.rpartition(".")[0]
        return dataclasses.replace(one, property=f"{around}.{one.old}.id".lstrip("."), old=one.new, new=one.old)
    element = one.old if name == "element" else one.element
    kind = one.old if one.property == "kind" else one.kind
    return dataclasses.replace(one, element=element, kind=kind, old=one.new, new=one.old)


def test_a_hundred_edits_are_seeded():
    assert len(EDITS) >= 100


@pytest.mark.parametrize("title", EDITS)
def test_an_edit_is_named_once_and_undone_by_its_inverse(title):
    found = told(version(), version(title))
    assert as_told(found, expected(title)) == shown(expected(title))
    assert shown(told(version(title), version())) == shown([inverse(one) for one in found])


@pytest.mark.parametrize("title", EDITS)
def test_only_what_is_cosmetic_keeps_the_meaning(title):
    assert (version(title).meaning == version().meaning) == all(one.cosmetic for one in EDITS[title].named)


def test_every_change_has_a_sentence_of_its_own():
    for title in EDITS:
        said = [words(one) for one in told(version(), version(title))]
        assert len(set(said)) == len(said)
        for one in said:
            assert one[0].isupper() and one.endswith(".") and "None" not in one and "  " not in one
            assert not any(word in one for word in ("boundary", "ateway", "userTask", "sop.", "BPMN"))


def test_a_version_and_itself_differ_in_nothing():
    for path in sorted((ROOT / "tests" / "diagrams").glob("*.bpmn")):
        assert between(path.read_bytes(), path.read_bytes()) == ()
    assert between(DATA, DATA) == ()


# --- Edits together --------------------------------------------------------------------------------------------------

def same_thing(one: str, other: str) -> bool:
    """Whether two edits get in each other's way: "langkah_4/*" is everything about that step."""
    return one == other or any(a.endswith("/*") and b.startswith(a[:-1]) for a, b in ((one, other), (other, one)))


@st.composite
def some_edits(draw: st.DrawFn) -> tuple[str, ...]:
    """Edits of which no two touch the same thing."""
    random = Random(draw(st.integers(0, 2**32)))
    many = draw(st.integers(0, 40))
    chosen: list[str] = []
    touched: set[str] = set()
    for title in random.sample(sorted(EDITS), len(EDITS)):
        if len(chosen) < many and not any(same_thing(a, b) for a in touched for b in EDITS[title].touches):
            chosen.append(title)
            touched |= EDITS[title].touches
    return tuple(chosen)


@settings(max_examples=25, deadline=None)
@given(some_edits())
def test_edits_made_together_are_all_named(titles):
    after, wanted = version(*titles), expected(*titles)
    found = told(version(), after)
    assert as_told(found, wanted) == shown(wanted)
    assert shown(told(after, version())) == shown([inverse(one) for one in found])


@settings(max_examples=15, deadline=None)
@given(some_edits(), some_edits())
def test_between_any_two_versions_the_meaning_differs_exactly_if_a_change_is_not_cosmetic(one, other):
    before, after = version(*one), version(*other)
    found = told(before, after)
    assert (before.meaning == after.meaning) == all(each.cosmetic for each in found)
    assert len(shown(found)) == len(set(shown(found)))
    assert [each.property for each in found].count("file") == 0
    # The law holds for the values alone, too: what is only in the file is then said of the file.
    assert (before.meaning == after.meaning) == (changes.changes(before.definition, after.definition) == ())


def test_the_changes_are_told_in_the_order_in_which_the_sop_is_read():
    titles = ("an arrow is bent", "a condition is another", "a step is numbered otherwise", "a field decides",
              "a norm is longer", "a step is renamed", "another lane may start", "a lane is renamed",
              "a law is added", "a field is labelled otherwise", "a note is written")
    assert [one.element for one in told(version(), version(*titles))] == [
        KEY, "kepala_pd", "mulai", "langkah_1", "langkah_2", "waktu_2", "langkah_6", "langkah_9", "disetujui_tidak",
        "catatan", "mulai_ke_langkah_1"]


def test_a_step_that_got_another_id_and_another_output_is_still_that_step():
    root = etree.fromstring(edited("a step gets another id, and all that name it follow"))
    sop("reviu", "sop.output", "LHR")(root)
    found = between(DATA, etree.tostring(root))
    assert [(one.element, one.property, one.new) for one in found] == [
        ("reviu", "id", "reviu"), ("reviu", "sop.output", "LHR")]


def test_a_string_in_a_condition_is_no_name_of_a_field():
    """The field `pilih` becomes `jawab`: the condition follows it, the value that it is compared with does not."""
    def of(name: str, value: str) -> bytes:
        form = (f'<bpmn:extensionElements><camunda:formData><camunda:formField id="{name}" label="Pilih" '
                'type="string" /></camunda:formData></bpmn:extensionElements>')
        return drawn("start>task1 task1>choose choose>task2 choose>end task2>end", inside={"task1": form},
                     conditions={"choose>task2": f'={name} = "{value}"', "choose>end": "default"}).encode()

    assert [one.property for one in between(of("pilih", "pilih"), of("jawab", "pilih"))] == ["jawab.id"]
    assert [one.property for one in between(of("pilih", "pilih"), of("jawab", "jawab"))] == ["jawab.id", "condition"]


# --- Nothing is missed -----------------------------------------------------------------------------------------------

def test_every_attribute_of_every_value_is_compared():
    for value, table in changes.TABLES.items():
        own = {one.name for one in dataclasses.fields(value)}
        assert own == set(table) | changes.ELSEWHERE[value]
        assert not set(table) & changes.ELSEWHERE[value]


# What the file may say in another way without saying anything else: it is told of the file as a whole.
NOT_READ = {
    ("timerEventDefinition", "id"), ("endEvent", "id"), ("sequenceFlow", "id"), ("sequenceFlow", "sourceRef"),
    ("sequenceFlow", "targetRef"), ("startEvent", "isInterrupting"), ("subProcess", "triggeredByEvent"),
    ("participant", "processRef"),
}


@cache
def kinds_of_places() -> dict[tuple[str, str], int]:
    """(element, attribute or property): where it stands first in the shipped diagram, in document order."""
    found: dict[tuple[str, str], int] = {}
    for n, node in enumerate(etree.fromstring(DATA).iter(etree.Element)):
        if node.tag.startswith((BPMN, CAMUNDA)):
            tag = etree.QName(node).localname
            inner = "/in subprocess" if any(one.tag == BPMN + "subProcess" for one in node.iterancestors()) else ""
            for name in node.attrib:
                if tag == "property" and name != "value":
                    continue                    # another property, one more and one less: the edits say that
                key = node.get("name", node.get("id", "")) if tag == "property" else node.get("name", "")
                part = f" {key}" if tag in ("property", "constraint") else ""
                found.setdefault((f"{tag}{part}{inner}", name), n)
            if (node.text or "").strip():
                found.setdefault((f"{tag}{inner}", "text"), n)
    return found


@pytest.mark.parametrize("place", kinds_of_places(), ids=" ".join)
def test_whatever_is_written_otherwise_in_the_file_is_told(place):
    """Every kind of attribute and text of the shipped diagram, written otherwise once."""
    root, (element, name) = etree.fromstring(DATA), place
    node = next(one for n, one in enumerate(root.iter(etree.Element)) if n == kinds_of_places()[place])
    was = (node.text or "").strip() if name == "text" else node.get(name)
    becomes = {"true": "false", "false": "true", "ya": "tidak", "tidak": "ya", "enum": "string", "1": "banyak",
               "berkas": "teks", "sama": "baru", "baru": "sama"}.get(was, f"{was}7")
    if "kolom." in element:
        node.set(name, f"7 {was}")              # its label stands first
    elif name == "text":
        node.text = becomes
    else:
        node.set(name, becomes)
    data = etree.tostring(root)
    after = Version(diagram.reread(data), diagram.beside(data))
    found = told(version(), after)
    assert (after.meaning == version().meaning) == all(one.cosmetic for one in found)
    if any(one.property == "file" for one in found):
        assert (element.partition("/")[0], name) in NOT_READ


@given(st.permutations(range(8)))
def test_what_keeps_its_order_is_the_most_that_can_and_the_same_on_the_way_back(order):
    kept = changes._kept(list(range(8)), order)
    assert [one for one in order if one in kept] == sorted(kept)
    assert kept == changes._kept(order, list(range(8)))
    longest = [1] * 8
    for n in range(8):
        longest[n] = 1 + max((longest[m] for m in range(n) if order[m] < order[n]), default=0)
    assert len(kept) == max(longest)


# --- Powers ----------------------------------------------------------------------------------------------------------

def gained(*titles: str) -> list[tuple[str, str, str, str]]:
    return [(one.lane, one.right, one.element, one.part) for one in powers(version().definition,
                                                                          version(*titles).definition)]


def test_a_lane_that_gets_a_step_gets_what_the_step_decides_and_appoints():
    root = etree.fromstring(DATA)
    lane_of("langkah_7", "sekretaris_pd")(root)
    lane_of("langkah_2", "kepala_pd")(root)
    found = powers(version().definition, diagram.reread(etree.tostring(root)))
    assert [(one.lane, one.right, one.element, one.part) for one in found] == [
        ("kepala_pd", "task", "langkah_2", ""), ("kepala_pd", "appoint", "langkah_2", "susunan_tim"),
        ("sekretaris_pd", "task", "langkah_7", ""), ("sekretaris_pd", "decide", "langkah_7", "keputusan")]
    assert power_words(found[3]) == (
        'Lane "Sekretaris PD" kini memutuskan "Keputusan" pada langkah 7 "Memeriksa dan menandatangani".')


def test_who_may_start_attach_decide_record_and_extend_is_a_power():
    assert gained("another lane may start") == [("kepala_pd", "start", "mulai", "")]
    assert gained("one more lane may attach") == [("sekretaris_pd", "attach", "langkah_8", "tanda_terima_bupati")]
    assert gained("a field decides") == [("sekretaris_pd", "decide", "langkah_6", "bentuk_paraf")]
    assert gained("a step is put in between") == [("tim_penyusun", "task", "langkah_baru", "")]
    back = [(one.lane, one.right, one.element) for one in powers(
        version("fewer may give more time").definition, version().definition)]
    assert back == [("sekretaris_pd", "extend", "langkah_3")]
    back = [(one.lane, one.right, one.element) for one in powers(
        version("another one may record for a lane").definition, version().definition)]
    assert back == [("tim_penyusun:ketua", "record", "inspektorat")]


@pytest.mark.parametrize("title", [
    "a lane is renamed", "a lane gets another id", "a lane is moved to the front", "a step is renamed",
    "a step gets another id, and all that name it follow", "a field gets another id, and expressions follow",
    "fewer may give more time", "a flow is removed", "a step is moved on the canvas"])
def test_other_names_and_fewer_rights_are_no_new_power(title):
    assert gained(title) == []


def test_what_a_whole_lane_might_is_no_new_power_of_one_of_its_members():
    before, after = etree.fromstring(DATA), etree.fromstring(DATA)
    sop("inspektorat", "sop.dicatatOleh", "tim_penyusun")(before)
    sop("inspektorat", "sop.dicatatOleh", "tim_penyusun:ketua")(after)
    old, new = (diagram.reread(etree.tostring(one)) for one in (before, after))
    assert powers(old, new) == ()
    assert powers(new, old) == (Power(lane="tim_penyusun", right="record", element="inspektorat"),)


# --- Words -----------------------------------------------------------------------------------------------------------

def test_of_a_long_text_only_what_differs_is_said():
    root = etree.fromstring(DATA)
    item("sop.dasarHukum", lambda items: [one.replace("Nomor 53 Tahun 2014", "Nomor 88 Tahun 2021")
                                       for one in items])(root)
    (change,) = between(DATA, etree.tostring(root))
    assert words(change) == (
        'Identitas SOP: dasar hukum diubah dari "... Aparatur Negara dan Reformasi Birokrasi Nomor 53 Tahun '
        '2014 tentang Petunjuk Teknis Perjanjian Kine ..." menjadi "... Aparatur Negara dan Reformasi Birokrasi Nomor '
        '88 Tahun 2021 tentang Petunjuk Teknis Perjanjian Kine ...".')


def test_what_moves_into_a_subprocess_is_said_with_the_subprocess_around_it():
    outside, inside = (_nested(moved) for moved in (False, True))
    told = [(one.element, one.property, one.old, one.new) for one in changes.changes(outside, inside)]
    assert ("mend", "within", None, "examination") in told
    said = [words(one) for one in changes.changes(outside, inside)]
    assert 'Langkah 3 "Mend" dipindah ke dalam subproses "Examination".' in said
    assert 'Langkah 3 "Mend" dipindah ke luar subproses "Examination".' in [
        words(one) for one in changes.changes(inside, outside)]
    assert changes.changes(inside, inside) == ()


def _nested(inside: bool) -> ProcessDefinition:
    """The small diagram with a subprocess; its step of mending in it, or outside."""
    root = etree.fromstring((ROOT / "tests" / "diagrams" / "subprocess.bpmn").read_bytes())
    if not inside:
        at(root, "subprocess").append(at(root, "mend"))
    return diagram.reread(etree.tostring(root))


# --- The command -----------------------------------------------------------------------------------------------------

def test_the_command_says_each_change_and_exits_with_one(tmp_path, capsys):
    file = tmp_path / "new.bpmn"
    file.write_bytes(edited("a norm is longer", "another lane may start", "a step is moved on the canvas"))
    assert main(["diff", str(FILE), str(file)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        'Awal proses "Surat Edaran Bupati diterima": yang boleh memulai diubah dari "Sekretaris PD" menjadi '
        '"Sekretaris PD", "Kepala PD".',
        'Pengatur waktu "2 hari kerja" pada langkah 2 "Menyusun Tim dan mengoordinasikan rapat": waktu diubah dari '
        "2 hari menjadi 3 hari.",
        '(gambar) Langkah 1 "Menelaah Surat Edaran dan memberikan arahan" hanya digeser pada gambar.',
        "",
        "Kewenangan baru:",
        '  Lane "Kepala PD" kini boleh memulai awal proses "Surat Edaran Bupati diterima".',
    ]


def test_the_command_answers_in_json(tmp_path, capsys):
    file = tmp_path / "new.bpmn"
    file.write_bytes(edited("a norm is longer"))
    assert main(["diff", str(FILE), str(file), "--json"]) == 1
    told_ = json.loads(capsys.readouterr().out)
    assert told_["powers"] == []
    (change,) = told_["changes"]
    assert change.pop("says").startswith("Pengatur waktu")
    assert change == {"element": "waktu_2", "kind": "timer", "property": "expression", "old": "P2D", "new": "P3D",
                      "cosmetic": False}


def test_equal_files_exit_with_zero(capsys):
    assert main(["diff", str(FILE), str(FILE)]) == 0
    assert capsys.readouterr().out == "Tidak ada yang berubah.\n"


def test_a_broken_file_gives_its_findings(tmp_path, capsys):
    file = tmp_path / "broken.bpmn"
    file.write_bytes(edited("a flow is removed"))
    assert main(["diff", str(FILE), str(file), "--json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "diagram" and str(file) in error["message"]
    assert any(one["severity"] == "error" for one in error["details"])


def test_one_file_alone_is_a_wrong_call(capsys):
    assert main(["diff", str(FILE)]) == 2
    assert main(["diff", str(FILE), "there_is_none.bpmn"]) == 2
    capsys.readouterr()
