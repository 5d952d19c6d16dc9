"""Diagrams of other tools become drafts: what we carry stays, what is lost is listed with its line and reason, and
nothing in a file is run. The small files in tests/diagrams/interchange are written in each vendor's manner."""
from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from engine import bpmn_import, changes, cli_definition, diagram, element_templates, expressions, gate
from engine.bpmn_import import ImportedDiagram, feel_of, read
from engine.definition import ProcessDefinition
from engine.terminal import Stop, Terminal
from tests.node import ask
from tests.story import DIAGRAMS, LKJPD, MONDAY, ROOT

FOLDER = ROOT / "tests" / "diagrams" / "interchange"
MODEL = gate.BPMN[1:-1].encode()
FILES = tuple(sorted(FOLDER.glob("*.bpmn")))
by_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


@cache
def imported(name: str) -> ImportedDiagram:
    path = FOLDER / f"{name}.bpmn"
    return read(path.read_bytes(), path.name)


def drafted(name: str) -> ProcessDefinition:
    return diagram.reread(imported(name).data)


def lost(name: str) -> dict[str, str]:
    """what -> the sentences about it."""
    found: dict[str, str] = {}
    for one in imported(name).lost:
        found[one.what] = f"{found.get(one.what, '')} {one.message}".strip()
    return found


def errors(one: ImportedDiagram) -> list[str]:
    return [each.message for each in one.findings if each.severity == "error"]


def canonical(root: Any) -> str:
    return etree.canonicalize(root, strip_text=True)


# What every file becomes

@pytest.mark.parametrize("path", [LKJPD, *DIAGRAMS], ids=lambda path: path.stem)
def test_a_file_that_is_ours_comes_back_byte_for_byte(path: Path) -> None:
    one = read(path.read_bytes(), path.name)
    assert one.data == path.read_bytes() and one.lost == () and not one.refused and one.key


@by_file
def test_what_is_imported_stays_as_it_is_when_it_is_imported_again(path: Path) -> None:
    once = imported(path.stem)
    again = read(once.data, path.name)
    assert canonical(etree.fromstring(again.data)) == canonical(etree.fromstring(once.data))
    assert errors(again) == errors(once)


@cache
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(files("SpiffWorkflow.bpmn.parser") / "schema" / "BPMN20.xsd")))


@by_file
def test_a_draft_is_valid_bpmn_and_holds_only_what_the_gate_knows_or_names(path: Path) -> None:
    one = imported(path.stem)
    assert schema().validate(etree.fromstring(one.data)), schema().error_log
    not_here = [message for message in errors(one) if "belum didukung" in message]
    assert all("Gateway" in message or "gateway" in message for message in not_here), not_here


@pytest.fixture(scope="module")
def moddle() -> dict[str, Any]:
    drafts = {path.stem: imported(path.stem).data.decode() for path in FILES}
    return ask("moddle.mjs", drafts | {"lkjpd": LKJPD.read_text(encoding="utf-8")})


@pytest.mark.parametrize("name", ["lkjpd", *(path.stem for path in FILES)])
@pytest.mark.parametrize("descriptor", ["bare", "camunda"])
def test_stock_tools_save_a_draft_and_nothing_is_lost(moddle: dict[str, Any], name: str, descriptor: str) -> None:
    data = LKJPD.read_bytes() if name == "lkjpd" else imported(name).data
    seen = moddle[name][descriptor]
    assert seen["warnings"] == []
    assert canonical(etree.fromstring(seen["xml"].encode())) == canonical(etree.fromstring(data))
    if name in ("lkjpd", "camunda8", "signavio"):
        assert diagram.hashes(seen["xml"].encode())[2] == diagram.hashes(data)[2]


@by_file
def test_every_loss_says_where_what_and_why_in_the_owners_words(path: Path) -> None:
    lines = len(path.read_bytes().splitlines())
    for one in imported(path.stem).lost:
        assert 0 <= one.line <= lines and one.what and re.match(r"\S.*[.\]]$", one.message, re.DOTALL), one
        assert not re.search(r"\b(not|the|lost|None)\b", re.sub(r'"[^"]*"', "", one.message)), one.message


# What becomes of things

def test_systems_and_scripts_become_work_of_people_and_their_code_is_gone() -> None:
    data, said = imported("camunda7").data, lost("camunda7")
    assert b"Runtime" not in data and b"id.contoh" not in data and b"groovy" not in data
    assert drafted("camunda7").elements["hitung"].kind == drafted("camunda7").elements["catat"].kind == "userTask"
    assert "Runtime.getRuntime()" in said["scriptTask"] and "id.contoh.Simpan" in said["serviceTask"]
    assert "tidak ada kode" in said["camunda:executionListener"]


def test_who_was_named_is_listed_and_the_form_and_the_timer_stay() -> None:
    one, said = drafted("camunda7"), lost("camunda7")
    assert "atasan,kepegawaian" in said["camunda:candidateGroups"] and "lane" in said["camunda:assignee"]
    assert one.elements["ajukan"].form[0].minimum == "1" and one.norm("setujui") is not None
    assert [lane.name for lane in one.lanes] == ["Pegawai", "Atasan"]


def test_conditions_in_juel_become_feel_and_only_a_real_gap_is_left() -> None:
    one = drafted("camunda7")
    assert one.flows["ya"].condition == "disetujui" and one.flows["tidak"].condition == "not(disetujui)"
    (left,) = errors(imported("camunda7"))
    assert "tidak menunggu apa pun" in left


def test_an_id_that_the_engine_uses_itself_is_another_one_everywhere() -> None:
    one = drafted("camunda7")
    assert one.start.id == "id_Start" and one.flows["f1"].source == "id_Start" and one.start.lane == "pegawai"


def test_a_process_without_pool_and_lanes_gets_one_of_each_around_its_drawing() -> None:
    one, said = drafted("camunda8"), lost("camunda8")
    assert errors(imported("camunda8")) == [] and [lane.name for lane in one.lanes] == ["Surat keluar"]
    assert {each.lane for each in one.elements.values()} == {one.lanes[0].id}
    assert "candidateGroups = umum" in said["zeebe:assignmentDefinition"]
    assert "retries = 3" in said["zeebe:taskDefinition"]
    assert "arsip_surat" in said["zeebe:calledElement"] and "multiInstanceLoopCharacteristics" in said
    layout = diagram.beside(imported("camunda8").data).layout
    assert layout["konsep"]["position"] == "270 80", "what was drawn stays where it was"


def test_lanes_in_lanes_stand_side_by_side_and_other_pools_are_listed() -> None:
    one, said = drafted("signavio"), lost("signavio")
    assert [lane.name for lane in one.lanes] == ["Kecamatan / Loket", "Kecamatan / Kasi Pelayanan"]
    assert one.elements["sid-paraf"].lane == "sid-l2" and errors(imported("signavio")) == []
    assert "Pemohon" in said["participant"] and "Berkas" in said["messageFlow"] and "Fotokopi KTP" in said["dataObject"]
    assert "(4 kali)" in said["signavio:signavioMetaData"]
    assert "Loket buka" in str(diagram.beside(imported("signavio").data).others), "the note stays"


def test_old_letters_are_read_and_gateways_we_do_not_run_are_left_for_the_owner() -> None:
    one = drafted("bizagi")
    assert one.start.name == "Kebütúhan" and one.elements["Id_3"].kind == "inclusiveGateway"
    left = errors(imported("bizagi"))
    assert len(left) == 2 and all('dari "Menyusun HPS"' in one and "belum bersyarat" in one for one in left), left
    assert "Penyedia" in lost("bizagi")["process"] and [lane.name for lane in one.lanes][1] == "Pelaksana 2"


def test_an_expanded_subprocess_stays_one_and_a_folded_one_becomes_a_task_that_names_its_steps() -> None:
    one = drafted("bpmn_io")
    assert errors(imported("bpmn_io")) == []
    assert one.elements["Siapkan"].kind == "subProcess"
    assert [each.id for each in one.inside["Siapkan"]] == ["dalam_mulai", "undangan", "dalam_selesai"]
    assert one.elements["undangan"].kind == "userTask" and one.elements["undangan"].lane == one.lanes[0].id
    assert one.elements["Tindak"].documentation == "Langkah di dalamnya: Mengirim notulen"
    layout = diagram.beside(imported("bpmn_io").data).layout
    assert layout["Flow_1"]["waypoints"] == "218 200, 260 200"
    assert layout[one.lanes[0].id] == {"position": "150 60", "size": "870 280", "look": "isHorizontal=true"}


@pytest.mark.parametrize(("drawn", "otherwise"), [
    (r'<bpmndi:BPMNShape id="EndEvent_1_di".*?</bpmndi:BPMNShape>', ""),            # then all is drawn anew
    (r'(?<="undangan">)\s*<dc:Bounds x="380" y="160"', '<dc:Bounds x="380" y="240"'),    # outside of its box
])
def test_an_expanded_subprocess_that_is_not_drawn_so_becomes_its_steps(drawn: str, otherwise: str) -> None:
    text = next(path for path in FILES if path.stem == "bpmn_io").read_text()
    result = read(re.sub(drawn, otherwise, text, flags=re.DOTALL).encode(), "bpmn_io.bpmn")
    one = diagram.reread(result.data)
    assert errors(result) == [] and "Siapkan" not in one.elements
    assert one.flows["Flow_1"].target == "dalam_mulai" and one.flows["Flow_2"].source == "dalam_selesai"
    assert one.elements["undangan"].within is None and one.elements["undangan"].kind == "userTask"


def test_conditions_of_inclusive_gateways_and_what_stands_in_a_subprocess_are_translated() -> None:
    text = (ROOT / "tests" / "diagrams" / "subprocess.bpmn").read_text()
    text = text.replace(">=in_order = true<", ">${in_order == true}<").replace(
        '<bpmn:userTask id="mend"', '<bpmn:manualTask id="mend"').replace("</bpmn:userTask>\n      <bpmn:endEvent",
                                                                         "</bpmn:manualTask>\n      <bpmn:endEvent")
    one = read(text.encode(), "subprocess.bpmn")
    assert errors(one) == [] and {each.what for each in one.lost} == {"conditionExpression", "manualTask"}
    assert diagram.reread(one.data).flows["in_order_yes"].condition == "in_order = true"
    inclusive = (ROOT / "tests" / "diagrams" / "inclusive.bpmn").read_text().replace(">=site = true<", ">${site}<")
    assert errors(read(inclusive.encode(), "inclusive.bpmn")) == []


def test_a_file_without_a_drawing_is_laid_out_and_links_become_flows() -> None:
    one = drafted("visio")
    assert errors(imported("visio")) == [] and one.name == "visio" and one.key == "id_Root"
    flow = next(each for each in one.flows.values() if each.id.startswith("tautan"))
    assert one.elements[flow.source].kind == one.elements[flow.target].kind == "exclusiveGateway"
    assert "Telaah dikirim" in {each.name for each in one.user_tasks}


# What is refused

@pytest.mark.parametrize(("data", "said"), [
    (b"", "kosong"), (b"PK\x03\x04", "dimampatkan"), (b"<a/>", "bukan diagram BPMN"),
    (b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", "DOCTYPE"),
    (b"<?xml-stylesheet href='http://x.invalid/a.xsl'?><definitions xmlns='%s'/>" % MODEL, "instruksi pemrosesan"),
    (b"<definitions xmlns='%s'><choreography/></definitions>" % MODEL, "tidak memuat proses"),
])
def test_what_is_no_process_is_refused_with_a_reason_and_nothing_half_made(data: bytes, said: str) -> None:
    one = read(data, "berkas.bpmn")
    assert one.refused and one.lost == () and said in one.findings[0].message


def flat(inside: str) -> bytes:
    return (f'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p" name="P">{inside}'
            "</process></definitions>").encode()


@pytest.mark.parametrize("data", [
    flat("".join(f'<task id="t{n}"/>' for n in range(900)) + "".join(
        f'<sequenceFlow id="f{n}" sourceRef="t{n}" targetRef="t{n + 1}"/>' for n in range(899))),
    flat('<task id="t"/>' * 1_400), flat('<task id="a"/>' + '<dataObject id="d"/>' * 8_000),
    flat("<subProcess id='s'>" * 30 + "<task id='t'/>" + "</subProcess>" * 30),
    flat('<startEvent id="s"/>' + "".join(
        f'<subProcess id="u{n}"><startEvent id="a{n}"/><endEvent id="b{n}"/></subProcess>' for n in range(450))),
    flat("<task/>" * 24_000),
], ids=["long", "one id", "data", "deep", "subprocesses", "too many"])
def test_a_large_file_is_answered_with_a_list_of_bounded_length(data: bytes) -> None:
    one = read(data)
    assert one.refused == bool(not one.data) and len(one.lost) <= bpmn_import.MOST_LOSSES + 1


EDITS = st.lists(st.tuples(st.floats(0, 1), st.sampled_from([
    "", "<", ">", '"', 'id="Start" ', "subProcess", "userTask", "boundaryEvent", "laneSet", 'xmlns:a="b" ', "NaN",
    "-1e9", "&#10;", "${a}", "<lane id='x'/>", "<task id='y'/>", "<childLaneSet><lane/></childLaneSet>",
    "flowNodeRef"]),
    st.integers(0, 40)), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(FILES), EDITS)
def test_a_broken_file_is_a_draft_or_a_refusal_and_never_an_accident(path: Path,
                                                                    edits: list[tuple[float, str, int]]) -> None:
    text = path.read_bytes().decode("latin-1")
    for where, what, length in edits:
        place = int(where * len(text))
        text = text[:place] + what + text[place + length:]
    one = read(text.encode("latin-1"), path.name)
    assert one.refused or diagram.reread(one.data).key == one.key
    assert one.data or one.findings


# The way out, and the command

def alur(*words: str) -> int:
    command = next(one for one in cli_definition.commands if one.name == words[0])
    return command.main(list(words[1:]), obj=Terminal(), standalone_mode=False) or 0


def test_the_command_writes_the_draft_and_lists_what_is_lost(capsys: pytest.CaptureFixture[str],
                                                             tmp_path: Path) -> None:
    out = tmp_path / "draft.bpmn"
    assert alur("import", str(FOLDER / "camunda8.bpmn"), "-o", str(out)) == 0
    assert out.read_bytes() == imported("camunda8").data and "lost: Camunda 8" in capsys.readouterr().out
    assert alur("import", str(FOLDER / "bizagi.bpmn"), "-o", str(out)) == 1
    with pytest.raises(Stop):
        alur("import", str(FOLDER.parents[1] / "conftest.py"), "-o", str(out))


def test_the_templates_of_camunda_modeler_are_those_of_the_gate(tmp_path: Path) -> None:
    kept = ROOT / "bpmn" / ".camunda" / "element-templates" / "alur.json"
    assert kept.read_text(encoding="utf-8") == element_templates.written(), "run: alur definition templates"
    assert alur("templates", "-o", str(tmp_path / "a" / "alur.json")) == 0
    assert (tmp_path / "a" / "alur.json").read_bytes() == kept.read_bytes()
    assert ask("templates.mjs", element_templates.templates()) == {"valid": True, "problems": []}
    offered = {each["binding"]["name"] for one in element_templates.templates() for each in one["properties"]}
    left_out = {name for known in gate.ELEMENT_PROPERTIES.values() for name in known} - offered
    assert all(name in changes._LISTS for name in left_out), "only lists, one item a line, stay with its other panel"


def test_an_applied_template_is_let_through_and_changes_nothing() -> None:
    plain = LKJPD.read_bytes()
    applied = plain.replace(b'<bpmn:userTask id="langkah_1"', b'<bpmn:userTask id="langkah_1" '
                            b'camunda:modelerTemplate="alur.userTask" camunda:modelerTemplateVersion="1"')
    assert applied != plain and diagram.check(applied) == ()
    assert diagram.hashes(applied)[2] == diagram.hashes(plain)[2]


# JUEL

@pytest.mark.parametrize(("juel", "feel"), [
    ("${approved}", "approved"), ("#{ approved }", "approved"), ("${!approved}", "not(approved)"),
    ("${not approved}", "not(approved)"), ("${amount > 1000}", "amount > 1000"),
    ("${amount ge 10 && kind == 'besar'}", 'amount >= 10 and kind = "besar"'),
    ("${a == true || b != null}", "a = true or b != null"), ("${(a or b) and !(c)}", "(a or b) and not((c))"),
    ('${status eq "selesai"}', 'status = "selesai"'),
])
def test_juel_that_feel_says_too(juel: str, feel: str) -> None:
    assert feel_of(juel) == feel


@pytest.mark.parametrize("juel", [
    "${execution.getVariable('x')}", "${a.b}", "${f(a)}", "${a + 1 > 2}", "${a ? b : c}", "${empty a}", "${a == '5'}",
    "${a} and ${b}", "approved", "${}", "${a == b == c}", "${'x'}", "${a[0]}", "${!5}", "${for}", "${a ==}", "${(a}",
    "${a == 'it\\'s'}", "${a == -1}", "x" * 2_000, "${" + "(" * 50 + "a" + ")" * 50 + "}",
])
def test_juel_that_means_something_of_its_own_is_left(juel: str) -> None:
    assert feel_of(juel) is None


NAMES = ["a", "b", "beda"]
TRUTHS = st.recursive(
    st.sampled_from(NAMES).map(lambda one: (one, lambda data: data[one])),
    lambda inner: st.one_of(
        inner.map(lambda one: (f"!({one[0]})", lambda data: not one[1](data))),
        st.tuples(inner, st.sampled_from(["&&", "and"]), inner).map(
            lambda one: (f"({one[0][0]}) {one[1]} ({one[2][0]})", lambda data: one[0][1](data) and one[2][1](data))),
        st.tuples(inner, st.sampled_from(["||", "or"]), inner).map(
            lambda one: (f"({one[0][0]}) {one[1]} ({one[2][0]})", lambda data: one[0][1](data) or one[2][1](data)))),
    max_leaves=5)


@settings(max_examples=60, deadline=None)
@given(TRUTHS, st.lists(st.booleans(), min_size=3, max_size=3))
def test_the_feel_that_is_given_for_juel_answers_as_juel_does(truth: tuple[str, Any], values: list[bool]) -> None:
    juel, answer = truth
    data = dict(zip(NAMES, values, strict=True))
    feel = feel_of(f"${{{juel}}}")
    assert feel is not None and expressions.condition(feel, data, MONDAY) is answer(data)
