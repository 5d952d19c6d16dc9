"""The edits of the properties panel without a browser: what they make of a file, and that they know what the gate does.

Asked of the very files that go into the bundle, by a Node from PyPI.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine import diagram, gate, gate_forms
from engine.definition import ProcessDefinition
from tests.node import ask

SHIPPED = Path(__file__).parents[1] / "bpmn" / "penyusunan_lkjpd" / "penyusunan_lkjpd.bpmn"
TASK = {"element": "langkah_6"}
FIELD = {"field": "bentuk_paraf", "of": "langkah_6"}


def edited(*edits: list[Any], xml: str = "") -> ProcessDefinition:
    """The process after these edits, each of which was taken back and done again on its way without a trace."""
    said = ask("properties.mjs", {"xml": xml or SHIPPED.read_text(encoding="utf-8"), "edits": list(edits)})
    assert [one["undone"] for one in said["steps"]] == [True] * len(edits)
    return diagram.reread(said["xml"].encode())


def answers(*questions: list[Any]) -> list[Any]:
    said = ask("properties.mjs", {"xml": SHIPPED.read_text(encoding="utf-8"), "ask": list(questions)})
    found: list[Any] = said["answers"]
    return found


def test_the_panel_writes_what_the_gate_lets_through_and_nothing_else() -> None:
    tables = ask("properties.mjs", {"xml": SHIPPED.read_text(encoding="utf-8")})["tables"]
    assert {kind: set(names) for kind, names in tables["ELEMENT_PROPERTIES"].items()} == {
        kind: set(names) for kind, names in gate.ELEMENT_PROPERTIES.items()}
    every = set(tables["EVERY_FIELD"])
    assert {kind: every | set(names) for kind, names in tables["FIELD_PROPERTIES"].items()} == {
        kind: set(names) for kind, names in gate_forms.FIELD_PROPERTIES.items()}
    assert {name: set(types) for name, types in tables["CONSTRAINTS"].items()} == {
        name: set(types) for name, types in gate_forms.CONSTRAINTS.items()}
    assert set(tables["TYPES"]) == gate_forms.FIELD_TYPES and set(tables["SLOT_FORMS"]) == gate_forms.SLOT_FORMS
    assert set(tables["NO_NAMES"]) == gate_forms.NO_NAMES


def test_an_edit_that_changes_nothing_is_none() -> None:
    said = ask("properties.mjs", {"xml": SHIPPED.read_text(encoding="utf-8"), "edits": [
        ["setProperties", TASK, {"sop.nomor": "6", "sop.asumsi": None}],
        ["setDocumentation", TASK, "Memeriksa rancangan akhir LKjPD, memaraf dan meneruskannya ke Kepala PD"],
        ["setCondition", {"element": "disetujui_ya"}, 'keputusan = "setujui"'],
        ["setConstraints", FIELD, {"required": "", "min": None}],
        ["setType", FIELD, "enum"],
        ["moveField", TASK, {"field": "paraf_sekretaris", "of": "langkah_6"}, -1],
    ]})
    assert [one["changed"] for one in said["steps"]] == [0] * 6
    assert diagram.hashes(said["xml"].encode())[2] == diagram.hashes(SHIPPED.read_bytes())[2]


def test_what_held_a_property_comes_with_the_first_and_goes_with_the_last() -> None:
    bare = {"element": "disetujui"}
    said = edited(["setProperties", bare, {"sop.x": "1", "sop.y": "2"}], ["setProperties", bare, {"sop.x": None}])
    assert said.elements["disetujui"].properties == {"sop.y": "2"}
    back = ask("properties.mjs", {"xml": SHIPPED.read_text(encoding="utf-8"), "edits": [
        ["setProperties", bare, {"sop.x": "1"}], ["setProperties", bare, {"sop.x": None}],
        ["setProperties", FIELD, {"sop.petunjuk": "P"}], ["setProperties", FIELD, {"sop.petunjuk": None}],
        ["addField", bare, {"id": "a", "label": "A"}], ["removeField", bare, {"field": "a", "of": "disetujui"}],
    ]})["xml"]
    assert diagram.hashes(back.encode())[2] == diagram.hashes(SHIPPED.read_bytes())[2]


def test_another_type_brings_what_it_needs_and_drops_what_it_cannot_have() -> None:
    table = edited(["setConstraints", FIELD, {"minlength": "2"}], ["setType", FIELD, "table"]).elements["langkah_6"]
    field = table.field("bentuk_paraf")
    assert field and [one.id for one in field.columns] == ["uraian"] and field.choices == () and field.min_length == 2
    paper = edited(["setType", FIELD, "table"], ["setConstraints", FIELD, {"minlength": "2"}],
                   ["setType", FIELD, "document"]).elements["langkah_6"].field("bentuk_paraf")
    assert paper and paper.slot and paper.slot.role == "output"
    assert paper.columns == () and paper.min_length is None and paper.required
    again = edited(["setType", FIELD, "document"], ["setType", FIELD, "enum"])
    back = again.elements["langkah_6"].field("bentuk_paraf")
    assert back and back.slot is None and len(back.choices) == 1


def test_durations_conditions_and_columns_are_said_as_the_engine_reads_them() -> None:
    assert answers(
        ["ofDuration", "P2D"], ["ofDuration", "PT20M"], ["ofDuration", "PT4H"], ["ofDuration", "P1DT2H"],
        ["ofDuration", "=jumlah"], ["duration", {"number": 3, "unit": "jam"}], ["inWords", "P1DT2H"],
        ["timerName", "P5D", "kalender"], ["written", " = a = 1 "], ["written", "  "], ["expression", "=a = 1"],
    ) == [{"number": 2, "unit": "hari"}, {"number": 20, "unit": "menit"}, {"number": 4, "unit": "jam"}, None, None,
          "PT3H", "1 hari 2 jam", "5 hari kalender", "=a = 1", "", "a = 1"]
    [text] = answers(["columnText", {
        "label": "Hasil | akhir", "type": "enum", "need": "jika", "when": "=hasil = null", "options": "a=A; b=B"}])
    column = diagram.column("hasil", text)
    assert (column.label, column.type, column.required_if) == ("Hasil / akhir", "enum", "hasil = null")
    assert [(one.value, one.label) for one in column.choices] == [("a", "A"), ("b", "B")]


def test_ids_come_from_labels_and_say_where_they_are_used() -> None:
    assert answers(
        ["idOf", "Tanggal LHR (Inspektorat)"], ["idOf", "2 rangkap"], ["idOf", "Éléments"], ["idOf", "..."],
        ["free", "lhr", ["lhr", "lhr_2"]],
    ) == ["tanggal_lhr_inspektorat", "n_2_rangkap", "elements", "", "lhr_3"]
    names: list[tuple[str, list[str]]] = [("1a", []), ("tahun", []), ("a", ["a"]), ("a", [])]
    wrong = answers(*(["wrongName", id, others] for id, others in names))
    assert [bool(one) for one in wrong] == [True, True, True, False]
    uses, none = answers(
        ["usesOf", {"process": True}, "keputusan", {"field": "keputusan", "of": "langkah_7"}],
        ["usesOf", {"process": True}, "nomor_agenda", {"field": "nomor_agenda", "of": "mulai"}])
    assert {'isian "Koreksi Kepala PD"', '"Ya"', '"Tidak"'} <= set(uses) and none == []


def test_a_new_id_of_a_lane_or_a_step_is_said_by_all_that_named_it() -> None:
    before = diagram.read(SHIPPED.read_bytes())
    [lanes, steps] = [ask("properties.mjs", {"xml": SHIPPED.read_text(encoding="utf-8"), "ask": [
        ["renamed", {"process": True}, old, new]]})["answers"][0] for old, new in (
            ("tim_penyusun", "tim"), ("langkah_8", "penyampaian"))]
    values = [one["set"]["value"] for one in lanes]
    assert "sekretaris_pd tim:ketua" in values and not any("tim_penyusun" in one for one in values)
    assert len(values) == sum("tim_penyusun" in value for value in _texts(before))
    assert {one["set"]["value"] for one in steps} == {"penyampaian"}


def _texts(definition: ProcessDefinition) -> list[str]:
    """Every property that names lanes, of elements, lanes and slots."""
    holders = [*definition.elements.values(), *definition.lanes]
    found = [value for one in holders for name, value in one.properties.items() if "tim_penyusun" in value]
    deadline = definition.deadline
    found += [deadline.timer.reminder_to or ""] if deadline else []
    for element in definition.elements.values():
        for field in element.form:
            found += [" ".join(field.slot.attachers)] if field.slot else []
            found += [field.appoints or ""]
    return found


def test_what_no_panel_knows_survives_every_edit() -> None:
    foreign = SHIPPED.read_text(encoding="utf-8").replace(
        '<camunda:property name="sop.nomor" value="6" />',
        '<camunda:property name="sop.nomor" value="6" /><camunda:property name="vendor.a" value="b" />').replace(
        "xmlns:camunda=", 'xmlns:v="urn:v" xmlns:camunda=', 1).replace(
        "</camunda:formData>", '</camunda:formData><v:x y="z"><v:d>e</v:d></v:x>'
                               '<camunda:inputOutput><camunda:inputParameter name="p">q</camunda:inputParameter>'
                               "</camunda:inputOutput>")
    said = ask("properties.mjs", {"xml": foreign, "edits": [
        ["setProperties", TASK, {"sop.nomor": "66", "sop.asumsi": "ya"}], ["setDocumentation", TASK, "Lain"],
        ["addField", TASK, {"id": "a", "label": "A", "type": "table"}], ["setType", FIELD, "string"],
    ], "ask": [["strangers", TASK]]})
    for kept in ('name="vendor.a" value="b"', '<v:x y="z">', "<v:d>e</v:d>", '<camunda:inputParameter name="p">q'):
        assert said["xml"].count(kept) == foreign.count(kept) > 0
    assert [one["name"] for one in said["answers"][0]] == ["vendor.a", "v:x", "camunda:InputOutput"]
