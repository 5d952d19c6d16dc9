"""The gate: what is refused, one fact a test, each with the element, the line and a remedy.

`drawn` makes a whole diagram, drawing included, out of its flows; a test changes one thing in it and says what the gate
answers. The whole finding is for owners, in Indonesian; a test holds on to the words that carry the fact.
"""

from __future__ import annotations

import copy
import gzip
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from engine import diagram, execution, gate
from engine.definition import DiagramError, Finding, SequenceFlow
from engine.marking import OPEN, WAITING

ROOT = Path(__file__).parent.parent.parent
LKJPD = (ROOT / "bpmn" / "penyusunan_lkjpd" / "penyusunan_lkjpd.bpmn").read_bytes()
SMALL = sorted((ROOT / "tests" / "diagrams").glob("*.bpmn"))

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"'
    ' xmlns:di="http://www.omg.org/spec/DD/20100524/DI" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:camunda="http://camunda.org/schema/1.0/bpmn" id="file" targetNamespace="urn:test">'
)
TIMER = (
    '<bpmn:timerEventDefinition id="{id}_timer"><bpmn:timeDuration>P1D</bpmn:timeDuration></bpmn:timerEventDefinition>'
)
# By the first letters of an id, what it is and what stands in it.
KINDS = {
    "start": ("startEvent", ""),
    "end": ("endEvent", ""),
    "task": ("userTask", ""),
    "stop": ("endEvent", '<bpmn:terminateEventDefinition id="{id}_all" />'),
    "choose": ("exclusiveGateway", ""),
    "both": ("parallelGateway", ""),
    "wait": ("intermediateCatchEvent", TIMER),
    "late": ("boundaryEvent", TIMER),
}
STRAIGHT = "start>task1 task1>end"
CHOICE = "start>task1 task1>choose choose>task2 choose>end task2>end"


def drawn(
    flows: str = STRAIGHT,
    *,
    inside: dict[str, str] | None = None,
    conditions: dict[str, str] | None = None,
    process: str = "",
    lanes: tuple[str, ...] = ("lane1",),
    timed: bool = False,
) -> str:
    """A diagram of `flows` ("start>task1 task1>end"), everything in the first of its lanes and drawn on a grid.

    inside      by id of an element, what else stands in it; a boundary event is called late1_task1 after its task
    conditions  by flow ("choose>task2"), its FEEL, or "default"
    process     what else stands in the process
    timed       every user task gets a number and a reminder, so that nothing is left to warn about
    """
    conditions, inside = dict(conditions or {}), dict(inside or {})
    pairs = [tuple(one.split(">")) for one in flows.split()]
    tasks = sorted({id for pair in pairs for id in pair if id.startswith("task")})
    if timed:
        pairs += [(f"late0_{id}", f"end_{id}") for id in tasks]
        for n, id in enumerate(tasks):
            inside[id] = inside.get(id, "") or properties(**{"sop.nomor": str(n + 1)})
    ids = list(dict.fromkeys(id for pair in pairs for id in pair))
    nodes = "\n".join(node(id, inside.get(id, ""), pairs, conditions) for id in ids)
    edges = "\n".join(flow(source, target, conditions.get(f"{source}>{target}")) for source, target in pairs)
    lane_set = "\n".join(
        f'<bpmn:lane id="{id}" name="{id}">\n'
        + "\n".join(f"<bpmn:flowNodeRef>{one}</bpmn:flowNodeRef>" for one in ids if id == lanes[0])
        + "\n</bpmn:lane>"
        for id in lanes
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
{HEAD}
<bpmn:process id="proc" name="Percobaan" isExecutable="true">
<bpmn:laneSet id="lane_set">
{lane_set}
</bpmn:laneSet>
{nodes}
{edges}
{process}
</bpmn:process>
<bpmndi:BPMNDiagram id="page"><bpmndi:BPMNPlane id="plane" bpmnElement="proc">
{shapes(ids, lanes)}
{lines(pairs, ids)}
</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
</bpmn:definitions>
"""


def node(id: str, inside: str, pairs: list[tuple[str, ...]], conditions: dict[str, str]) -> str:
    kind, own = next(value for prefix, value in KINDS.items() if id.startswith(prefix))
    default = next((f' default="{a}_{b}"' for a, b in pairs if a == id and conditions.get(f"{a}>{b}") == "default"), "")
    edge = f' cancelActivity="false" attachedToRef="{id.split("_", 1)[1]}"' if kind == "boundaryEvent" else ""
    return f'<bpmn:{kind} id="{id}" name="{id}"{default}{edge}>{inside}{own.format(id=id)}</bpmn:{kind}>'


def flow(source: str, target: str, condition: str | None) -> str:
    text = (
        f"<bpmn:conditionExpression>{condition}</bpmn:conditionExpression>"
        if condition not in (None, "default")
        else ""
    )
    ends = f'sourceRef="{source}" targetRef="{target}"'
    return f'<bpmn:sequenceFlow id="{source}_{target}" {ends}>{text}</bpmn:sequenceFlow>'


def middle(id: str, ids: list[str]) -> tuple[int, int]:
    if id.startswith("late"):
        x, y = middle(id.split("_", 1)[1], ids)
        return x + 20, y + 40
    return 200 + 200 * (ids.index(id) if id in ids else 0), 200


def shapes(ids: list[str], lanes: tuple[str, ...]) -> str:
    boxes = [(id, 100, 100 + 200 * n, 200 * len(ids) + 200, 200) for n, id in enumerate(lanes)]
    for id in ids:
        x, y = middle(id, ids)
        width, height = (100, 80) if id.startswith("task") else (36, 36)
        boxes.append((id, x - width // 2, y - height // 2, width, height))
    return "\n".join(
        shape(id, f'x="{x}" y="{y}" width="{width}" height="{height}"') for id, x, y, width, height in boxes
    )


def shape(id: str, box: str) -> str:
    return f'<bpmndi:BPMNShape id="{id}_di" bpmnElement="{id}"><dc:Bounds {box} /></bpmndi:BPMNShape>'


def lines(pairs: list[tuple[str, ...]], ids: list[str]) -> str:
    return "\n".join(
        f'<bpmndi:BPMNEdge id="{a}_{b}_di" bpmnElement="{a}_{b}">'
        + "".join(f'<di:waypoint x="{x}" y="{y}" />' for x, y in (middle(a, ids), middle(b, ids)))
        + "</bpmndi:BPMNEdge>"
        for a, b in pairs
    )


def properties(**values: str) -> str:
    return (
        "<bpmn:extensionElements><camunda:properties>"
        + "".join(f'<camunda:property name="{name}" value="{value}" />' for name, value in values.items())
        + "</camunda:properties></bpmn:extensionElements>"
    )


def form(*fields: str) -> str:
    return f"<bpmn:extensionElements><camunda:formData>{''.join(fields)}</camunda:formData></bpmn:extensionElements>"


def field(
    id: str = "jawaban", type: str = "string", more: str = "", initial: str | None = None, **properties: str
) -> str:
    """A form field; a property "sop.x" is written sop_x, a column kolom_x."""
    default = "" if initial is None else f' defaultValue="{initial}"'
    rows = "".join(
        f'<camunda:property id="{name.replace("_", ".", 1)}" value="{value}" />' for name, value in properties.items()
    )
    inner = (f"<camunda:properties>{rows}</camunda:properties>" if rows else "") + more
    return f'<camunda:formField id="{id}" label="Label" type="{type}"{default}>{inner}</camunda:formField>'


def choices(*values: str) -> str:
    return "".join(f'<camunda:value id="{one}" name="{one}" />' for one in values)


def constraint(name: str, config: str | None = None) -> str:
    return (
        f'<camunda:validation><camunda:constraint name="{name}"'
        + ("" if config is None else f' config="{config}"')
        + " /></camunda:validation>"
    )


def changed(xml: str, old: str, new: str) -> str:
    assert xml.count(old) == 1, f"{old!r} stands {xml.count(old)} times in the diagram"
    return xml.replace(old, new)


def found(xml: str | bytes, severity: str) -> list[Finding]:
    data = xml.encode() if isinstance(xml, str) else xml
    return [one for one in diagram.check(data) if one.severity == severity]


def refused(xml: str | bytes, words: str, element: str | None = "any") -> None:
    """Exactly one error says `words`, at the element, on a line of the file; and it is not read."""
    errors = found(xml, "error")
    told = [one for one in errors if words in one.message and element in ("any", one.element)]
    assert len(told) == 1, [(one.element, str(one)) for one in errors]
    assert told[0].line > 0 or told[0].element is None
    data = xml.encode() if isinstance(xml, str) else xml
    with pytest.raises(DiagramError) as caught:
        diagram.read(data)
    assert told[0] in caught.value.findings


def warned(xml: str, words: str, element: str) -> None:
    assert not found(xml, "error")
    assert [one.element for one in found(xml, "warning") if words in one.message] == [element]


def accepted(xml: str) -> None:
    assert [str(one) for one in found(xml, "error")] == []


# --- What is let through ---------------------------------------------------------------------------------------------


def test_a_numbered_and_timed_process_gives_no_finding_at_all():
    assert diagram.check(drawn(timed=True).encode()) == ()


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.stem)
def test_the_small_diagrams_are_accepted(path):
    accepted(path.read_text(encoding="utf-8"))


def test_the_diagram_of_the_sop_gives_no_finding_at_all():
    assert diagram.check(LKJPD) == ()


@pytest.mark.parametrize(
    "flows, conditions",
    [
        (CHOICE, {"choose>task2": "=1 = 1", "choose>end": "1 = 2"}),
        (CHOICE, {"choose>task2": "=1 = 1", "choose>end": "default"}),
        ("start>both1 both1>task1 both1>task2 task1>both2 task2>both2 both2>end", {}),
        (
            "start>choose1 choose1>task1 task1>choose2 choose2>choose1 choose2>end",
            {"choose2>choose1": "1 = 1", "choose2>end": "1 = 2"},
        ),
        ("start>task1 task1>wait wait>end", {}),
        ("start>both1 both1>task1 both1>task2 task1>stop task2>stop", {}),
        ("start>task1 task1>end late1_task1>task2 task2>end", {}),
        ("start>both1 both1>task1 both1>task2 task1>end task2>end", {}),
    ],
)
def test_what_the_engine_carries_is_accepted(flows, conditions):
    accepted(drawn(flows, conditions=conditions))


def test_prefixes_are_free_and_comments_may_stand_between_elements():
    xml = drawn().replace("bpmn:", "b:").replace("xmlns:bpmn=", "xmlns:b=")
    accepted(changed(xml, "<b:laneSet", "<!-- pelaksana --><b:laneSet"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_encodings_that_modelers_write_are_read(encoding):
    xml = drawn().replace('encoding="UTF-8"', f'encoding="{encoding.removesuffix("-sig")}"')
    assert found(xml.encode(encoding), "error") == []


def test_an_older_encoding_is_read_when_every_letter_is_plain():
    accepted(drawn().replace('encoding="UTF-8"', 'encoding="ISO-8859-1"'))
    with_accent = drawn().replace('encoding="UTF-8"', 'encoding="ISO-8859-1"').replace("Percobaan", "Café")
    refused(with_accent.encode("latin-1"), "UTF-8", None)


def test_what_modelers_write_about_themselves_and_colours_are_let_be():
    xml = changed(
        drawn(),
        'targetNamespace="urn:test"',
        (
            'targetNamespace="urn:test" exporter="Camunda Modeler" exporterVersion="5.42.0"'
            ' xmlns:modeler="http://camunda.org/schema/modeler/1.0" modeler:executionPlatform="Camunda Platform"'
            ' xmlns:bioc="http://bpmn.io/schema/bpmn/biocolor/1.0"'
        ),
    )
    xml = changed(xml, 'id="proc" name', 'id="proc" camunda:historyTimeToLive="180" name')
    accepted(changed(xml, 'bpmnElement="task1">', 'bpmnElement="task1" bioc:fill="#ffffff">'))


def test_notes_and_associations_are_let_be():
    accepted(
        drawn(
            process=(
                '<bpmn:textAnnotation id="note"><bpmn:text>Perlu konfirmasi</bpmn:text></bpmn:textAnnotation>'
                '<bpmn:association id="tie" sourceRef="task1" targetRef="note" />'
            )
        )
    )


# --- The first door: bytes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "kosong"),
        (b"  \n ", "kosong"),
        (b"<a>" + b" " * 2_000_000 + b"</a>", "2.000.007 bita"),
        (gzip.compress(drawn().encode()), "dimampatkan"),
        (b"PK\x03\x04rest", "dimampatkan"),
        (drawn().encode("utf-16")[2:], "UTF-8 atau UTF-16"),
        (drawn().replace("UTF-8", "UTF-7").encode(), "UTF-8"),
        (b"\xff" + drawn().encode(), "UTF-8"),
        (drawn().encode()[:-40], "bukan XML yang utuh"),
        (b"just words", "bukan XML yang utuh"),
        (b"<html><body>diagram</body></html>", "bukan diagram BPMN"),
        (b"<a>" + b"<b/>" * 30_000 + b"</a>", "terlalu banyak tag"),
        (b"<a " + b" ".join(b'a%d=""' % n for n in range(50_001)) + b"/>", "terlalu banyak tag"),
        (b"<a>" * 20_000, "bukan XML yang utuh"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bytes_that_are_no_small_plain_xml_are_refused(data, words):
    refused(data, words, None)


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE bpmn:definitions [<!ENTITY x "True">]>',
        '<!DOCTYPE bpmn:definitions SYSTEM "http://127.0.0.1/x.dtd">',
        '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
    ],
)
def test_a_document_type_is_refused_before_anything_is_parsed(declaration):
    refused(changed(drawn(), "?>\n", f"?>\n{declaration}\n"), "DOCTYPE", None)


def test_an_entity_that_nobody_declared_is_refused():
    refused(changed(drawn(), 'name="Percobaan"', 'name="&x;"'), "bukan XML yang utuh", None)


@pytest.mark.parametrize("where", ["?>\n", '<bpmn:laneSet id="lane_set">', "</bpmn:definitions>"])
def test_processing_instructions_are_refused_wherever_they_stand(where):
    refused(changed(drawn(), where, where + '<?xml-stylesheet href="x"?>'), "instruksi pemrosesan")


def test_depth_attributes_and_lengths_are_bounded():
    refused(drawn(process="<bpmn:group>" * 45 + "</bpmn:group>" * 45), "lebih dari 40 tingkat")
    many = " ".join(f'a{n}="x"' for n in range(50))
    refused(
        changed(drawn(), '<bpmn:userTask id="task1"', f'<bpmn:userTask {many} id="task1"'),
        "atribut; paling banyak",
        "task1",
    )
    refused(changed(drawn(), 'sourceRef="start"', f'sourceRef="{"s" * 401}"'), "sepanjang 401 huruf")
    refused(changed(drawn(), 'name="task1"', f'name="{"n" * 4_001}"'), "sepanjang 4001 huruf", "task1")
    refused(
        drawn(inside={"task1": f"<bpmn:documentation>{'d' * 4_001}</bpmn:documentation>"}),
        "Teks sepanjang 4001 huruf",
        "task1",
    )


@pytest.mark.parametrize(
    "letter", ["&#x202E;", "\u200b", "\u00ad", "\u2066", "&#xFEFF;", "\u007f", "\ue000", "&#xE0041;"]
)
def test_letters_that_nobody_sees_are_refused(letter):
    refused(changed(drawn(), 'name="task1"', f'name="Setujui{letter}"'), "tidak terlihat", "task1")


# --- The second door: the tree ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind, remedy",
    [
        ("task", "user task"),
        ("serviceTask", "user task"),
        ("scriptTask", "user task"),
        ("callActivity", "user task"),
        ("manualTask", "user task"),
        ("receiveTask", "user task"),
        ("businessRuleTask", "user task"),
        ("complexGateway", "percabangan pilihan"),
        ("eventBasedGateway", "percabangan pilihan"),
        ("implicitThrowEvent", "Hapus"),
        ("transaction", "langsung di dalam proses"),
    ],
)
def test_other_elements_are_not_carried_yet_and_the_remedy_is_named(kind, remedy):
    xml = drawn().replace("bpmn:userTask", f"bpmn:{kind}")
    refused(xml, "belum didukung", "task1")
    assert remedy in next(one.message for one in found(xml, "error") if one.element == "task1")


@pytest.mark.parametrize(
    "inside, element",
    [
        ("<bpmn:multiInstanceLoopCharacteristics />", "task1"),
        ('<bpmn:standardLoopCharacteristics loopMaximum="5" />', "task1"),
        ('<bpmn:ioSpecification id="io" />', "io"),
        ('<bpmn:potentialOwner id="who" />', "who"),
    ],
)
def test_what_would_change_a_user_task_is_refused(inside, element):
    refused(drawn(inside={"task1": inside}), "belum didukung", element)


@pytest.mark.parametrize(
    "extra, words",
    [
        ('<bpmn:ioSpecification id="data" />', "isian berjenis berkas"),
        ('<bpmn:property id="data" name="x" />', "isian berjenis berkas"),
        ('<bpmn:adHocSubProcess id="data" />', "langsung di dalam proses"),
        ('<bpmn:unheardOf id="data" />', "Hapus dari diagram"),
        ('<other:thing xmlns:other="urn:other" id="data" />', "Hapus dari diagram"),
    ],
)
def test_what_else_a_process_may_hold_in_bpmn_is_refused(extra, words):
    refused(drawn(process=extra), words)


@pytest.mark.parametrize(
    "definition", ["message", "signal", "conditional", "error", "escalation", "link", "compensate"]
)
def test_events_that_wait_for_something_else_than_a_timer_are_refused(definition):
    xml = drawn("start>task1 task1>wait wait>end")
    timer = KINDS["wait"][1].format(id="wait")
    refused(changed(xml, timer, f'<bpmn:{definition}EventDefinition id="other" />'), "belum didukung", "other")


def test_an_event_that_waits_for_nothing_is_refused():
    xml = drawn("start>task1 task1>wait wait>end")
    refused(changed(xml, KINDS["wait"][1].format(id="wait"), ""), "tidak menunggu apa pun", "wait")


def test_a_timer_start_event_is_refused():
    refused(drawn(inside={"start": KINDS["wait"][1].format(id="start")}), "memakai timer", "start")


def test_elements_hidden_in_extensions_are_refused():
    hidden = '<bpmn:process id="hidden"><bpmn:userTask id="x" /></bpmn:process>'
    hidden = f"<bpmn:extensionElements>{hidden}</bpmn:extensionElements>"
    refused(drawn(inside={"task1": hidden}), 'Ekstensi "process"', "hidden")
    hidden = (
        "<bpmn:extensionElements><bpmn:conditionExpression>true</bpmn:conditionExpression></bpmn:extensionElements>"
    )
    refused(drawn(inside={"task1": hidden}), 'Ekstensi "conditionExpression"', "task1")


@pytest.mark.parametrize(
    "extension",
    [
        '<camunda:executionListener class="x" event="start" />',
        "<camunda:inputOutput />",
        '<camunda:script scriptFormat="python">x</camunda:script>',
        '<spiff:preScript xmlns:spiff="http://spiffworkflow.org/bpmn/schema/1.0/core">x</spiff:preScript>',
        '<zeebe:userTask xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" x="1" />',
    ],
)
def test_extensions_that_we_do_not_read_are_refused(extension):
    refused(
        drawn(inside={"task1": f"<bpmn:extensionElements>{extension}</bpmn:extensionElements>"}), "Ekstensi", "task1"
    )


@pytest.mark.parametrize(
    "attribute, remedy",
    [
        ('camunda:assignee="orang"', "lane"),
        ('camunda:candidateGroups="tim"', "lane"),
        ('camunda:formKey="f"', "Formulir"),
        ('camunda:dueDate="2027-01-01"', "timer"),
        ('isForCompensation="true"', "yang didukung false"),
        ('startQuantity="2"', "yang didukung 1"),
        ('unheard="of"', "Hapus atribut itu"),
    ],
)
def test_attributes_that_we_do_not_carry_are_refused(attribute, remedy):
    refused(changed(drawn(), '<bpmn:userTask id="task1"', f'<bpmn:userTask {attribute} id="task1"'), remedy, "task1")


def test_a_comment_inside_a_condition_is_refused():
    xml = drawn(CHOICE, conditions={"choose>task2": "true<!-- and amount &lt; 100 -->", "choose>end": "false"})
    refused(xml, "komentar", "choose_task2")


def test_a_condition_in_cdata_is_read_as_the_text_it_is():
    xml = drawn(CHOICE, conditions={"choose>task2": "<![CDATA[=1 < 2]]>", "choose>end": "false"})
    assert diagram.read(xml.encode()).flows["choose_task2"].condition == "1 < 2"


def test_loose_text_is_refused():
    refused(drawn(process="loose words"), "teks lepas", "proc")
    refused(changed(drawn(), '<bpmn:lane id="lane1"', 'loose words<bpmn:lane id="lane1"'), "teks lepas", "lane_set")


def test_a_second_of_what_is_read_once_is_refused():
    twice = "<bpmn:documentation>satu</bpmn:documentation><bpmn:documentation>dua</bpmn:documentation>"
    refused(drawn(inside={"task1": twice}), "yang kedua", "task1")
    refused(drawn(process='<bpmn:laneSet id="more" />'), "yang kedua", "more")
    refused(
        changed(drawn(), "<bpmndi:BPMNDiagram", '<bpmn:process id="second" name="Dua" /><bpmndi:BPMNDiagram'),
        "yang kedua",
        "second",
    )


def test_conditions_in_another_language_are_refused():
    xml = drawn(CHOICE, conditions={"choose>task2": "true", "choose>end": "false"})
    xml = xml.replace("<bpmn:conditionExpression>true", '<bpmn:conditionExpression language="javascript">true')
    refused(xml, "hanya FEEL", "choose_task2")


@pytest.mark.parametrize("id", ["Start", "End", "Root", "task.EndJoin", "task.BoundaryEventSplit"])
def test_ids_that_the_engine_uses_itself_are_refused(id):
    refused(drawn().replace('"task1"', f'"{id}"').replace(">task1<", f">{id}<"), "dipakai oleh mesin sendiri", id)


@pytest.mark.parametrize("id", ["1task", "task one", "../../etc/passwd", "tugas\u0131", "\uff34ask", "t" * 101, ""])
def test_ids_are_names_in_plain_letters(id):
    refused(drawn().replace('"task1"', f'"{id}"').replace(">task1<", f">{id}<"), "tidak sah")


def test_an_id_stands_once():
    refused(drawn(process='<bpmn:textAnnotation id="task1" />'), "dipakai lebih dari sekali", "task1")


def test_an_element_without_an_id_is_refused():
    refused(drawn(process="<bpmn:endEvent />"), "tidak mempunyai id")


def test_a_file_without_a_process_is_refused():
    refused(f"{HEAD}</bpmn:definitions>", "tidak memuat proses", "file")


def test_a_process_without_a_name_takes_that_of_its_pool():
    xml = changed(drawn(), ' name="Percobaan"', "")
    refused(xml, "belum bernama", "proc")
    pool = '<bpmn:participant id="pool" name="Kantor" processRef="proc" />'
    pool = f'<bpmn:collaboration id="col">{pool}</bpmn:collaboration>'
    xml = changed(
        changed(xml, '<bpmn:process id="proc"', pool + '<bpmn:process id="proc"'),
        'bpmnElement="proc"',
        'bpmnElement="col"',
    )
    assert diagram.read(xml.encode()).name == "Kantor"


def test_a_second_pool_and_a_pool_without_our_process_are_refused():
    def with_pools(*pools: str) -> str:
        text = "".join(f'<bpmn:participant id="pool{n}" name="Pool" {one} />' for n, one in enumerate(pools))
        xml = changed(
            drawn(), "<bpmn:process", f'<bpmn:collaboration id="col">{text}</bpmn:collaboration><bpmn:process'
        )
        return changed(xml, 'bpmnElement="proc"', 'bpmnElement="col"')

    accepted(with_pools('processRef="proc"'))
    accepted(with_pools('processRef="proc"', ""))
    refused(with_pools('processRef="proc"', 'processRef="other"'), "tidak menunjuk proses", "pool1")
    refused(with_pools('processRef="proc"', 'processRef="proc"'), "sudah mempunyai bidang", "pool1")
    refused(with_pools('processRef="other"'), "tidak menunjuk proses", "pool0")
    refused(with_pools(""), "tidak satu pun berisi proses", "col")
    refused(with_pools(), "tidak satu pun berisi proses", "col")


# Lanes


def test_a_user_task_in_no_lane_is_refused():
    refused(changed(drawn(), "<bpmn:flowNodeRef>task1</bpmn:flowNodeRef>", ""), "tidak berada di lane", "task1")


def test_an_element_in_two_lanes_is_refused():
    xml = drawn(lanes=("lane1", "lane2"))
    xml = changed(
        xml,
        '<bpmn:lane id="lane2" name="lane2">',
        '<bpmn:lane id="lane2" name="lane2"><bpmn:flowNodeRef> task1\n</bpmn:flowNodeRef>',
    )
    refused(xml, "tercantum di 2 lane", "task1")


def test_a_pretty_printed_reference_still_puts_a_task_into_its_lane():
    xml = changed(
        drawn(), "<bpmn:flowNodeRef>task1</bpmn:flowNodeRef>", "<bpmn:flowNodeRef>\n   task1\n</bpmn:flowNodeRef>"
    )
    assert diagram.read(xml.encode()).elements["task1"].lane == "lane1"


def test_a_lane_that_names_what_is_not_there_is_refused():
    refused(
        changed(
            drawn(), "<bpmn:flowNodeRef>task1<", "<bpmn:flowNodeRef>gone</bpmn:flowNodeRef><bpmn:flowNodeRef>task1<"
        ),
        "tidak ada di dalam proses",
        "lane1",
    )


@pytest.mark.parametrize(
    "name, words",
    [
        ("", "belum bernama"),
        ("  ", "belum bernama"),
        ("LANE1", "dipakai dua kali"),
        ("\uff4c\uff41\uff4e\uff45\uff11", "dipakai dua kali"),
    ],
)
def test_lanes_have_names_of_their_own_as_the_eye_reads_them(name, words):
    refused(changed(drawn(lanes=("lane1", "lane2")), 'name="lane2"', f'name="{name}"'), words, "lane2")


def in_lane(inner: str, more: str = "") -> str:
    """lane1 stands in a lane "bidang", which says `more`."""
    lane = drawn()[drawn().index("<bpmn:lane ") : drawn().index("</bpmn:lane>") + len("</bpmn:lane>")]
    outer = f'<bpmn:lane id="bidang" name="Bidang">{more}<bpmn:childLaneSet id="inner">{inner}</bpmn:childLaneSet>'
    return changed(drawn(), lane, f"{outer}</bpmn:lane>")


LANE1 = '<bpmn:lane id="lane1" name="lane1"><bpmn:flowNodeRef>task1</bpmn:flowNodeRef></bpmn:lane>'


def test_of_lanes_in_lanes_the_innermost_perform():
    for outer in ("", "<bpmn:flowNodeRef>task1</bpmn:flowNodeRef>"):
        definition = diagram.read(in_lane(LANE1, outer).encode())
        assert [one.id for one in definition.lanes] == ["lane1"] and definition.elements["task1"].lane == "lane1"


def test_a_task_that_only_the_outer_lane_names_has_no_performer():
    empty = LANE1.replace("<bpmn:flowNodeRef>task1</bpmn:flowNodeRef>", "")
    refused(in_lane(empty, "<bpmn:flowNodeRef>task1</bpmn:flowNodeRef>"), "tidak berada di lane", "task1")


def test_properties_of_an_outer_lane_would_not_be_read():
    refused(in_lane(LANE1, properties(**{"sop.kantorLain": "ya"})), "propertinya tidak dibaca", "bidang")


# Properties and forms


@pytest.mark.parametrize(
    "inside, words",
    [
        (properties(**{"sop.nomer": "1"}), "Mungkin maksudnya sop.nomor"),
        (properties(**{"sop.kepada": "lane1"}), "tidak dikenal"),
        (properties(**{"sop.asumsi": "mungkin"}), "yang dikenal: ya, tidak"),
        (properties(**{"sop.nomor": "satu"}), "angka 1 sampai 999"),
        (form(field("a", "strng")), "Jenis isian"),
        (form(field("tahun")), "arti sendiri"),
        (form(field("some")), "arti sendiri"),
        (form(field("nama lengkap")), "tidak sah"),
        (form(field("a"), field("a")), "dua kali dalam satu formulir"),
        (form(field("a", "enum")), "memerlukan pilihan"),
        (form(field("a", "enum", choices("x", "x"))), "memerlukan pilihan"),
        (form(field("a", "string", choices("x"))), "bukan enum"),
        (form(field("a", more=constraint("requird"))), "tidak dikenal"),
        (form(field("a", more=constraint("min", "1"))), "tidak berlaku"),
        (form(field("a", "long", constraint("min", "satu"))), "tidak dapat dibaca"),
        (form(field("a", "date", constraint("max", "28-02-2027"))), "tidak dapat dibaca"),
        (form(field("a", sop_wajibjika="true")), "Mungkin maksudnya sop.wajibJika"),
        (form(field("a", sop_peran="output")), "tidak dikenal"),
        (form(field("a", sop_sumber="X")), "yang dikenal: S, D, T"),
        (form(field("a", sop_keputusan="benar")), "yang dikenal: ya, tidak"),
        (form(field("a", "table")), "tidak mempunyai kolom"),
        (form(field("a", "table", kolom_b="Nama | orang | wajib")), "tidak dapat dibaca"),
        (form(field("a", "table", kolom_b="Nama | string | harus")), "tidak dapat dibaca"),
        (form(field("a", "table", kolom_b="Hasil | enum | wajib")), "Pilihan kolom"),
        (form(field("a", "table", kolom_b="Hasil | string | wajib | Rapat")), "Pilihan kolom"),
        (form(field("a", "table", kolom_null="Nama | string | wajib")), "arti sendiri"),
        (form(field("a", "document")), "tidak menyebut perannya"),
        (form(field("a", "document", sop_peran="output", sop_bentuk="berkas fax")), 'Bentuk "fax"'),
        (form(field("a", "document", sop_peran="output", sop_jumlah="2")), "yang dikenal: 1, banyak"),
        (form(field("a", "document", sop_peran="output", sop_menyusulJika="true")), "tanpa sop.menyusul"),
    ],
)
def test_forms_and_properties_hold_only_what_is_known(inside, words):
    refused(drawn(inside={"task1": inside}), words, "task1")


def test_a_column_needs_no_more_than_a_label():
    accepted(drawn(inside={"task1": form(field("a", "table", kolom_b="Nama"))}))


def test_a_property_that_is_not_ours_is_only_warned_about():
    warned(drawn(inside={"task1": properties(warna="merah")}), "tidak dibaca", "task1")


def test_a_property_of_the_pool_would_not_be_read_and_is_refused():
    pool = '<bpmn:participant id="pool" name="Kantor" processRef="proc">' + properties(**{"sop.unit": "Kantor"})
    xml = changed(
        drawn(),
        "<bpmn:process",
        f'<bpmn:collaboration id="col">{pool}</bpmn:participant></bpmn:collaboration><bpmn:process',
    )
    refused(
        changed(xml, 'bpmnElement="proc"', 'bpmnElement="col"'),
        '"sop.unit" pada bidang proses (pool) "Kantor" tidak dikenal',
        "pool",
    )


def test_a_form_elsewhere_than_on_a_start_event_or_user_task_is_refused():
    refused(drawn(inside={"end": form(field("a"))}), "tidak akan tampil", "end")


# --- The third door: soundness ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "flows, conditions, words, element",
    [
        ("task1>end", {}, "tidak mempunyai awal", "proc"),
        ("start>task1", {}, "tidak mempunyai akhir", "proc"),
        ("start>task1 start2>task1 task1>end", {}, "2 awal (start event)", "start2"),
        ("start>task1 start>task2 task1>end task2>end", {}, "2 panah keluar", "start"),
        ("start>task1 task1>start", {}, "panah masuk", "start"),
        ("start>task1 task1>end end>task1", {}, "panah keluar", "end"),
        ("start>task1 task1>end task1>task2 task2>end", {}, "2 panah keluar", "task1"),
        ("start>task1 task1>end late1_task1>task2", {}, "tidak mempunyai panah keluar", "task2"),
        ("start>task1 task1>late1_task1 late1_task1>end", {}, "panah masuk", "late1_task1"),
        ("start>task1 task1>end late1_end>end2", {}, "tidak menempel pada tugas", "late1_end"),
        ("start>task1 task1>choose", {}, "tidak mempunyai panah keluar", "choose"),
        ("start>task1 task1>task1", {}, "ke asalnya sendiri", "task1_task1"),
        (CHOICE, {"choose>task2": "true"}, "belum bersyarat", "choose_end"),
        (STRAIGHT, {"task1>end": "true"}, "tidak keluar dari percabangan", "task1_end"),
        ("start>task1 task1>choose choose>end", {"choose>end": "true"}, "tidak keluar dari percabangan", "choose_end"),
        ("start>task1 task1>end task2>end", {}, "tidak dapat dicapai", "task2"),
        (
            "start>task1 task1>choose1 choose1>task2 choose1>end task2>choose2 choose2>task3 task3>choose2",
            {"choose1>task2": "true", "choose1>end": "false"},
            "tidak ada jalan ke akhir",
            "task2",
        ),
        (
            "start>task1 task1>choose1 choose1>choose2 choose2>choose1 choose2>end",
            {"choose2>choose1": "true", "choose2>end": "false"},
            "berputar tanpa tugas",
            "choose1",
        ),
    ],
)
def test_a_process_that_hangs_apart_is_refused(flows, conditions, words, element):
    refused(drawn(flows, conditions=conditions), words, element)


def test_two_flows_between_the_same_elements_are_refused():
    xml = drawn(
        CHOICE,
        conditions={"choose>task2": "true", "choose>end": "false"},
        process=flow("choose", "task2", "1 = 2").replace("choose_task2", "again"),
    )
    refused(xml, "Ada dua panah", "again")


def test_a_flow_to_nowhere_is_refused():
    refused(
        changed(drawn(), 'sourceRef="task1" targetRef="end"', 'sourceRef="task1" targetRef="gone"'),
        'tujuan "gone"',
        "task1_end",
    )


def test_a_default_flow_of_another_gateway_is_refused():
    xml = drawn(CHOICE, conditions={"choose>task2": "true", "choose>end": "false"})
    refused(
        changed(xml, '<bpmn:exclusiveGateway id="choose"', '<bpmn:exclusiveGateway default="task1_choose" id="choose"'),
        "bukan panah keluarnya",
        "choose",
    )


def test_a_default_flow_has_no_condition():
    xml = drawn(CHOICE, conditions={"choose>task2": "true", "choose>end": "default"})
    refused(
        changed(
            xml,
            'sourceRef="choose" targetRef="end">',
            'sourceRef="choose" targetRef="end"><bpmn:conditionExpression>true</bpmn:conditionExpression>',
        ),
        "juga bersyarat",
        "choose_end",
    )


@pytest.mark.parametrize(
    "flows, element",
    [
        # One way is chosen, both are awaited.
        ("start>task1 task1>choose choose>task2 choose>task3 task2>both task3>both both>end", "both"),
        # A branch may leave before the join.
        ("start>both1 both1>task1 both1>task2 task1>choose choose>both2 choose>end task2>both2 both2>end", "both2"),
        # An interrupting way around the join: see below for the boundary event.
    ],
)
def test_a_parallel_join_that_may_wait_for_ever_is_refused(flows, element):
    conditions = {
        one: "true" if n % 2 else "false"
        for n, one in enumerate(one for one in flows.split() if one.startswith("choose"))
    }
    refused(drawn(flows, conditions=conditions), "menunggu selamanya", element)


def test_an_interrupting_timer_that_leads_around_a_join_is_refused():
    xml = drawn("start>both1 both1>task1 both1>task2 task1>both2 task2>both2 both2>end late1_task1>end2")
    accepted(xml)
    refused(changed(xml, 'cancelActivity="false"', 'cancelActivity="true"'), "menunggu selamanya", "both2")


@pytest.mark.parametrize(
    "flows, conditions, element",
    [
        # Two branches merged without a join.
        ("start>both1 both1>task1 both1>task2 task1>choose task2>choose choose>task3 task3>end", {}, "task3"),
        ("start>both1 both1>task1 both1>task2 task1>task3 task2>task3 task3>end", {}, "task3"),
        # A reminder that leads back into the process.
        ("start>task1 task1>task2 task2>end late1_task1>task2", {}, "task2"),
        # A split inside a loop that never joins.
        ("start>choose1 choose1>both1 both1>task1 both1>choose2 task1>end choose2>wait wait>choose1", {}, "task1"),
    ],
)
def test_tokens_that_multiply_are_refused(flows, conditions, element):
    refused(drawn(flows, conditions=conditions), "dua kali sekaligus", element)


def test_a_join_inside_a_loop_is_sound():
    accepted(
        drawn(
            "start>choose1 choose1>both1 both1>task1 both1>task2 task1>both2 task2>both2 both2>choose2"
            " choose2>choose1 choose2>end",
            conditions={"choose2>choose1": "true", "choose2>end": "false"},
        )
    )


def test_more_parallel_branches_than_can_be_played_are_refused():
    def branches(many: int, timer: str = "") -> str:
        rows = [f"both1>task{n} task{n}>both2 {timer.format(n=n)}" for n in range(many)]
        return drawn("start>both1 both2>end " + " ".join(rows))

    accepted(branches(12))
    accepted(branches(60))
    asking = "late{n}_task{n}>task{n}00 task{n}00>end{n}"
    refused(branches(20, asking), "terlalu banyak untuk diperiksa", "proc")


@pytest.mark.parametrize(
    "flows",
    [
        "start>task1 task301>end " + " ".join(f"task{n}>task{n + 1}" for n in range(1, 301)),
    ],
)
def test_a_process_larger_than_the_engine_builds_is_refused(flows):
    refused(drawn(flows), "303 unsur; paling banyak 300", "proc")


# Timers


@pytest.mark.parametrize(
    "kind, text",
    [
        ("timeDuration", "P2D"),
        ("timeDuration", "PT20M"),
        ("timeDuration", "P1DT2H30M"),
        ("timeDuration", "P3650D"),
        ("timeDuration", '=duration("P1D")'),
        ("timeDate", "2027-03-01T00:00:00+07:00"),
        ("timeDate", "=date(tahun + 1, 3, 1)"),
        ("timeCycle", "R1/P1D"),
        ("timeCycle", "R9999/PT1M"),
    ],
)
def test_timers_that_can_be_counted_are_accepted(kind, text):
    accepted(timed_by(kind, text))


@pytest.mark.parametrize(
    "kind, text",
    [
        ("timeDuration", "P1W"),
        ("timeDuration", "P1M"),
        ("timeDuration", "P999999999Y"),
        ("timeDuration", "PT5S"),
        ("timeDuration", "-PT5M"),
        ("timeDuration", "P0D"),
        ("timeDuration", "P"),
        ("timeDuration", "P1DT"),
        ("timeDuration", "P3651D"),
        ("timeDuration", "PT\u0665H"),
        ("timeDuration", "2 hari"),
        ("timeDuration", "P1.5D"),
        ("timeDuration", "P9999999D"),
        ("timeDate", "2027-03-01"),
        ("timeDate", "2027-13-01T00:00:00Z"),
        ("timeDate", "2027-03-01T00:00:00"),
        ("timeDate", "besok"),
        ("timeCycle", "R/P1D"),
        ("timeCycle", "R0/P1D"),
        ("timeCycle", "R10000/P1D"),
        ("timeCycle", "R-5/P1D"),
        ("timeCycle", "R3/PT0S"),
        ("timeCycle", "R3/PT0M"),
        ("timeCycle", "0 0 9 * * ?"),
        ("timeCycle", '=cycle("P1D")'),
    ],
)
def test_timers_that_nobody_can_count_are_refused(kind, text):
    refused(timed_by(kind, text), "timer", "late1_task1")


@pytest.mark.parametrize(
    "inner",
    [
        "",
        "<bpmn:timeDuration> </bpmn:timeDuration>",
        "<bpmn:timeDuration>P1D</bpmn:timeDuration><bpmn:timeCycle>R1/P1D</bpmn:timeCycle>",
    ],
)
def test_a_timer_says_exactly_one_thing(inner):
    xml = drawn("start>task1 task1>end late1_task1>end2")
    refused(changed(xml, "<bpmn:timeDuration>P1D</bpmn:timeDuration>", inner), "tepat satu isi", "late1_task1_timer")


def test_only_a_timer_that_leaves_its_task_open_may_repeat():
    refused(timed_by("timeCycle", "R3/P1D", interrupting=True), "berulang", "late1_task1")
    xml = drawn("start>task1 task1>wait wait>end")
    refused(
        changed(xml, "<bpmn:timeDuration>P1D</bpmn:timeDuration>", "<bpmn:timeCycle>R3/P1D</bpmn:timeCycle>"),
        "berulang",
        "wait",
    )


def timed_by(kind: str, text: str, interrupting: bool = False) -> str:
    xml = drawn("start>task1 task1>end late1_task1>end2")
    xml = changed(xml, "<bpmn:timeDuration>P1D</bpmn:timeDuration>", f"<bpmn:{kind}>{text}</bpmn:{kind}>")
    return changed(xml, 'cancelActivity="false"', 'cancelActivity="true"') if interrupting else xml


# The deadline

DEADLINE = (
    '<bpmn:subProcess id="due" name="Tenggat" triggeredByEvent="true">'
    "<bpmn:extensionElements><camunda:properties>"
    '<camunda:property name="sop.tenggatUntuk" value="task1" />'
    "</camunda:properties></bpmn:extensionElements>"
    '<bpmn:startEvent id="due_start" isInterrupting="false"><bpmn:timerEventDefinition id="due_timer">'
    "<bpmn:timeDate>=date(tahun + 1, 3, 1)</bpmn:timeDate></bpmn:timerEventDefinition></bpmn:startEvent>"
    '<bpmn:endEvent id="due_end" />'
    '<bpmn:sequenceFlow id="due_flow" sourceRef="due_start" targetRef="due_end" /></bpmn:subProcess>'
)


def with_deadline(deadline: str = DEADLINE) -> str:
    boxes = "".join(
        shape(id, f'x="{x}" y="150" width="{width}" height="36"')
        for id, x, width in (("due", 600, 300), ("due_start", 620, 36), ("due_end", 820, 36))
    )
    return changed(drawn(process=deadline), "</bpmndi:BPMNPlane>", boxes + "</bpmndi:BPMNPlane>")


def test_a_deadline_of_exactly_its_shape_is_read():
    assert diagram.read(with_deadline().encode()).deadline.satisfied_by == "task1"


@pytest.mark.parametrize(
    "old, new, words, element",
    [
        (' isInterrupting="false"', "", "bukan bentuk tenggat", "due"),
        ("timeDate>", "timeDuration>", "bukan bentuk tenggat", "due"),
        (
            '<bpmn:endEvent id="due_end" />',
            '<bpmn:endEvent id="due_end" /><bpmn:endEvent id="more" />',
            "bukan bentuk tenggat",
            "due",
        ),
        ('targetRef="due_end"', 'targetRef="due_start"', "bukan bentuk tenggat", "due"),
        ("<bpmn:endEvent", '<bpmn:userTask id="hidden" /><bpmn:endEvent', "tidak dibaca di dalam", "hidden"),
        (' triggeredByEvent="true"', "", "memakai timer", "due_start"),
        ('value="task1"', 'value="task9"', "sop.tenggatUntuk", "due"),
        ("=date(tahun + 1, 3, 1)", "=date(tahunn + 1, 3, 1)", "Mungkin maksudnya tahun", "due_start"),
        ("=date(tahun + 1, 3, 1)", "akhir Februari", "tidak dapat dibaca", "due_start"),
    ],
)
def test_any_other_subprocess_is_refused(old, new, words, element):
    text = DEADLINE.replace(old, new)
    assert text != DEADLINE
    refused(with_deadline(text), words, element)


def test_beside_a_deadline_every_run_is_still_played():
    stuck = "start>both1 both1>task1 both1>task2 task1>both2 task2>both2 both2>end late1_task1>end2"
    xml = changed(drawn(stuck, process=DEADLINE), 'cancelActivity="false"', 'cancelActivity="true"')
    refused(xml, "menunggu selamanya", "both2")


def test_a_second_deadline_is_refused():
    refused(with_deadline(DEADLINE + DEADLINE.replace("due", "second")), "Hanya satu", "second")


# Expressions and references


@pytest.mark.parametrize(
    "source, words",
    [
        ("=a ==", "tidak dapat dibaca sebagai FEEL"),
        ("import os", "tidak dapat dibaca sebagai FEEL"),
        ("__import__('os').system('x')", "tidak dapat dibaca sebagai FEEL"),
        ("jawabn = 1", "Mungkin maksudnya jawaban"),
        ("zzz = 1", "bukan isian dalam proses ini"),
        ("laporan = 1", "berkas.laporan"),
        ("berkas.lapor = 0", "bukan berkas dalam proses ini"),
        ("telepon = null", "bersifat pribadi"),
    ],
)
def test_expressions_name_what_there_is(source, words):
    fields = form(
        field("jawaban", "long"), field("telepon", sop_pribadi="ya"), field("laporan", "document", sop_peran="output")
    )
    refused(
        drawn(CHOICE, inside={"task1": fields}, conditions={"choose>task2": source, "choose>end": "default"}),
        words,
        "choose_task2",
    )


def test_expressions_may_use_fields_rows_and_what_is_built_in():
    table = field(
        "tim",
        "table",
        kolom_peran="Peran | enum | wajib | ketua=Ketua; anggota=Anggota",
        kolom_alasan="Alasan | text | wajib jika peran = &quot;ketua&quot;",
        sop_benarJika="=count(tim[peran = &quot;ketua&quot;]) = 1",
    )
    fields = form(
        field("jawaban", "long"),
        table,
        field("laporan", "document", sop_peran="output", sop_wajibJika="putaran &gt; 1"),
    )
    accepted(
        drawn(
            CHOICE,
            inside={"task1": fields},
            conditions={"choose>task2": "jawaban = tahun and berkas.laporan = 0", "choose>end": "default"},
        )
    )


@pytest.mark.parametrize(
    "inside, words",
    [
        (form(field("a", "document", sop_peran="output", sop_asal="task2")), "sop.asal"),
        (form(field("a", "document", sop_peran="output", sop_asal="mulai")), "sop.asal"),
        (form(field("a", "document", sop_peran="output", sop_menyusul="end")), "sop.menyusul"),
        (form(field("a", "document", sop_peran="output", sop_pelampir="lane1 lane9")), "sop.pelampir"),
        (form(field("a", "document", sop_peran="output", sop_teksDari="b")), "sop.teksDari"),
        (form(field("a", "table", kolom_x="X | text", sop_barisDari="b")), "sop.barisDari"),
        (form(field("a", "table", kolom_x="X | text", sop_barisDari="a")), "sop.barisDari"),
        (form(field("a", "table", kolom_x="X | person", sop_menunjukTim="lane9")), "sop.menunjukTim"),
        (form(field("a", "table", kolom_x="X | text", sop_menunjukTim="lane1")), "kolom berjenis person"),
        (form(field("a", "table", kolom_x="X | person", sop_menunjukTim="lane1", sop_pribadi="ya")),
         "Hapus sop.pribadi"),
        (form(field("a", "string", initial="Tahun {taun}")), "{taun}"),
        (form(field("a", "long", initial="dua")), "tidak cocok"),
        (form(field("a", "enum", choices("x", "y"), initial="z")), "tidak cocok"),
        (form(field("a", "date", initial="besok")), "tidak cocok"),
        (form(field("a", "document", initial="x", sop_peran="output")), "tidak dapat bernilai awal"),
        (form(field("a", "long", initial="=tahunn")), "Mungkin maksudnya tahun"),
    ],
)
def test_what_a_form_refers_to_is_there(inside, words):
    refused(drawn(inside={"task1": inside}), words, "task1")


@pytest.mark.parametrize(
    "id, values, words",
    [
        ("start", {"sop.pemulai": "lane1 lane9"}, "sop.pemulai"),
        ("late1_task1", {"sop.kepada": "lane9"}, "sop.kepada"),
        ("late1_task1", {"sop.tembusan": "lane9:ketua"}, "sop.tembusan"),
        ("late1_task1", {"sop.pengingat": "Tahun {taun}"}, "{taun}"),
        ("late1_task1", {"sop.satuanWaktu": "minggu"}, "yang dikenal: kerja, kalender"),
    ],
)
def test_lanes_and_placeholders_of_reminders_are_there(id, values, words):
    refused(drawn("start>task1 task1>end late1_task1>end2", inside={id: properties(**values)}), words, id)


def test_who_records_for_another_office_is_a_lane():
    lane = '<bpmn:lane id="lane2" name="lane2">'
    xml = changed(
        drawn(lanes=("lane1", "lane2")),
        lane,
        lane + properties(**{"sop.kantorLain": "ya", "sop.dicatatOleh": "lane1:ketua lane7"}),
    )
    refused(xml, "sop.dicatatOleh", "lane2")
    accepted(xml.replace(" lane7", ""))


def test_the_same_field_in_two_forms_is_one_value():
    def twice(first: str, second: str) -> str:
        return drawn("start>task1 task1>task2 task2>end", inside={"task1": form(first), "task2": form(second)})

    warned(twice(field("a"), field("a")), "juga ada di", "task2")
    refused(twice(field("a"), field("a", "long")), "berbeda jenis", "task2")
    refused(twice(field("a", "enum", choices("x")), field("a", "enum", choices("y"))), "berbeda jenis", "task2")
    refused(twice(field("a"), field("a", "document", sop_peran="output")), "berbeda jenis", "task2")
    document = field("a", "document", sop_peran="output")
    assert not [one for one in diagram.check(twice(document, document).encode()) if '"a"' in one.message]


def test_the_numbers_of_steps_are_their_own():
    number = properties(**{"sop.nomor": "1"})
    refused(
        drawn("start>task1 task1>task2 task2>end", inside={"task1": number, "task2": number}),
        "lebih dari satu tugas",
        "task2",
    )


# --- The last door: the drawing --------------------------------------------------------------------------------------


TASK1 = shape("task1", 'x="350" y="160" width="100" height="80"')
TASK2 = shape("task2", 'x="550" y="160" width="100" height="80"')


@pytest.mark.parametrize(
    "new, words, element",
    [
        ("", "tidak tergambar", "task1"),
        (TASK1 + TASK1.replace("task1_di", "again"), "lebih dari sekali", "task1"),
        (TASK1.replace('width="100"', 'width="1"'), "terlalu kecil", "task1"),
        (TASK1.replace('width="100"', 'width="NaN"'), "bukan angka yang wajar", "task1"),
        (TASK1.replace('x="350"', 'x="1e400"'), "bukan angka yang wajar", "task1"),
        (TASK1.replace('width="100"', 'width="-100"'), "terlalu kecil", "task1"),
        (TASK1.replace('y="160"', 'y="900"'), "di luar semua lane", "task1"),
        (TASK1 + shape("ghost", 'x="0" y="0" width="10" height="10"'), "tidak ada di dalam proses", "ghost"),
    ],
)
def test_every_element_is_drawn_once_and_where_it_belongs(new, words, element):
    refused(changed(drawn(), TASK1, new), words, element)


def test_a_task_drawn_in_one_lane_and_listed_in_another_is_refused():
    xml = drawn(lanes=("lane1", "lane2"))
    refused(changed(xml, TASK1, TASK1.replace('y="160"', 'y="360"')), 'tergambar di "lane2"', "task1")


def test_lanes_drawn_over_each_other_are_refused():
    xml = drawn(lanes=("lane1", "lane2"))
    refused(
        changed(
            xml, 'bpmnElement="lane2"><dc:Bounds x="100" y="300"', 'bpmnElement="lane2"><dc:Bounds x="100" y="110"'
        ),
        'tergambar di "lane1", "lane2"',
        "task1",
    )


def test_a_task_that_covers_another_is_refused():
    xml = drawn("start>task1 task1>task2 task2>end")
    refused(changed(xml, TASK2, TASK2.replace('x="550"', 'x="380"')), "menutupi", "task2")


def test_a_boundary_event_is_drawn_at_its_task():
    xml = drawn("start>task1 task1>end late1_task1>end2")
    late = shape("late1_task1", 'x="402" y="222" width="36" height="36"')
    refused(changed(xml, late, late.replace('x="402"', 'x="702"')), "tergambar jauh dari", "late1_task1")


def test_a_flow_is_drawn_between_its_elements():
    line = '<di:waypoint x="400" y="200" /><di:waypoint x="600" y="200" />'
    refused(changed(drawn(), line, line.replace('x="600"', 'x="800"')), "tidak menyentuh", "task1_end")
    refused(changed(drawn(), line, '<di:waypoint x="400" y="200" />'), "tanpa titik awal dan akhir", "task1_end")
    edge = f'<bpmndi:BPMNEdge id="task1_end_di" bpmnElement="task1_end">{line}</bpmndi:BPMNEdge>'
    refused(changed(drawn(), edge, ""), "tidak tergambar", "task1_end")
    ghost = edge.replace("task1_end", "start_end").replace('x="400"', 'x="200"')
    refused(changed(drawn(), edge, edge + ghost), "tidak ada di dalam proses", "start_end")


def test_a_diagram_without_a_drawing_is_refused():
    xml = drawn()
    start, end = xml.index("<bpmndi:BPMNDiagram"), xml.index("</bpmn:definitions>")
    refused(xml[:start] + xml[end:], "tidak memuat gambar", "proc")
    refused(changed(xml, 'bpmnElement="proc"', 'bpmnElement="other"'), "Gambar menunjuk", "proc")


# --- Advice ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "xml, words, element",
    [
        (drawn(), "tidak mempunyai batas waktu", "task1"),
        (drawn(), "belum bernomor", "task1"),
        (drawn("start>task1 task1>both both>end"), "hanya dilewati", "both"),
        (changed(drawn(), 'name="task1"', 'name=" "'), "belum bernama", "task1"),
        (
            drawn("start>task1 task1>end late1_task1>end2", inside={"task1": properties(**{"sop.waktu": "2 hari"})}),
            "berbeda dari timernya",
            "task1",
        ),
    ],
)
def test_what_runs_but_was_hardly_meant_is_warned_about(xml, words, element):
    warned(xml, words, element)


@pytest.mark.parametrize("written", ["1 hari", "1 (satu) hari kerja", "1 Hari", "secepatnya", ""])
def test_a_written_time_that_says_what_the_timer_says_is_let_be(written):
    xml = drawn("start>task1 task1>end late1_task1>end2", inside={"task1": properties(**{"sop.waktu": written})})
    assert not [one for one in diagram.check(xml.encode()) if "timernya" in one.message]


# --- Bounds ----------------------------------------------------------------------------------------------------------


def test_findings_come_by_line_and_no_more_than_can_be_read():
    many = "".join(f'<bpmn:serviceTask id="s{n}" />\n' for n in range(2_000))  # 2,000 of these
    findings = diagram.check(drawn(process=many).encode())
    assert [one.line for one in findings] == sorted(one.line for one in findings)
    assert sum(one.severity == "error" for one in findings) == gate.MOST_FINDINGS
    assert "temuan lain" in findings[0].message


def test_a_huge_diagram_stops_at_its_counts():
    """The work behind the second door grows with elements, flows, fields and letters: each has an end."""
    tasks = " ".join(f"task{n}>end" for n in range(1, 400))
    refused(drawn(f"start>task1 {tasks}"), "unsur; paling banyak 300", "proc")
    fields = "".join(field(f"f{n}") for n in range(1_001))
    refused(drawn(inside={"task1": form(fields)}), "1.001 isian dan kolom", "proc")
    long = "1 = 1" + " and 1 = 1" * 300
    fields = "".join(field(f"f{n}", sop_wajibJika=long) for n in range(50))
    refused(drawn(inside={"task1": form(fields)}), "huruf dalam ungkapan", "proc")


BASE = drawn(
    CHOICE,
    conditions={"choose>task2": "=jawaban = 1", "choose>end": "default"},
    inside={
        "task1": form(field("jawaban", "long"), field("tim", "table", kolom_a="A | enum | wajib jika a = 1 | x=X; y=Y"))
    },
    timed=True,
).encode()


def answers(data: bytes) -> None:
    """check answers for any bytes, by line; read agrees with it."""
    findings = diagram.check(data)
    assert [one.line for one in findings] == sorted(one.line for one in findings)
    if any(one.severity == "error" for one in findings):
        with pytest.raises(DiagramError):
            diagram.read(data)
    else:
        assert diagram.read(data).key


@given(st.binary(max_size=2_000))
def test_any_bytes_get_an_answer(data):
    answers(data)


@given(st.lists(st.tuples(st.integers(0, len(BASE) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_changed_bytes_get_an_answer(changes):
    data = bytearray(BASE)
    for at, byte in changes:
        data[at] = byte
    answers(bytes(data))


@given(st.integers(0, len(BASE)), st.integers(0, 400))
def test_cut_and_closed_up_bytes_get_an_answer(at, length):
    answers(BASE[:at])
    answers(BASE[:at] + BASE[at + length :])


@settings(max_examples=50)  # a whole SOP at each; another seed at each run
@given(
    st.integers(0, len(LKJPD) - 1),
    st.sampled_from([b"<", b"&", b'"', b"", b"\x00", b"=", b"langkah_1", b"999999999", b"P1Y"]),
    st.integers(0, 40),
)
def test_the_diagram_of_the_sop_with_a_piece_replaced_gets_an_answer(at, piece, length):
    answers(LKJPD[:at] + piece + LKJPD[at + length :])


PLACES = st.integers(0, 10_000)
VALUES = st.sampled_from(["", "task1", "proc", "due", "true", "=1", "=", "P1D", "table", "document", "enum", "x y"])


@settings(max_examples=50)
@given(
    st.sampled_from([BASE, with_deadline().encode(), LKJPD]),
    st.lists(
        st.tuples(st.sampled_from(["remove", "repeat", "move", "rename", "value", "text"]), PLACES, PLACES, VALUES),
        min_size=1,
        max_size=4,
    ),
)
def test_trees_with_parts_moved_about_get_an_answer(data, changes):
    root = etree.fromstring(data)
    for what, at, other, value in changes:
        nodes = [one for one in root.iter(etree.Element) if one is not root]
        if not nodes:
            break
        node, target = nodes[at % len(nodes)], nodes[other % len(nodes)]
        if what == "remove":
            node.getparent().remove(node)
        elif what == "repeat":
            target.append(copy.deepcopy(node))
        elif what == "move" and node not in (target, *target.iterancestors()):
            target.append(node)
        elif what == "rename":
            node.tag = target.tag
        elif what == "value" and node.attrib:
            node.set(list(node.attrib)[other % len(node.attrib)], value)
        elif what == "text":
            node.text = value
    answers(etree.tostring(root))


WORDS = st.sampled_from(
    ["start", "task1", "task2", "task3", "choose1", "choose2", "both1", "both2", "wait", "end", "stop", "late1_task1"]
)


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=14, unique=True))
def test_any_flows_between_any_elements_get_an_answer(pairs):
    answers(drawn(" ".join(f"{a}>{b}" for a, b in pairs)).encode())


# --- What the gate lets through, the engine carries to its end -------------------------------------------------------


class Block:
    """Draws blocks of a process, each with one way in and one way out, and counts their ids."""

    def __init__(self, draw: st.DrawFn):
        self.draw, self.number = draw, 0
        self.pairs: list[tuple[str, str]] = []

    def id(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}{self.number}"

    def any(self, depth: int) -> tuple[str, str]:
        shape = self.draw(
            st.sampled_from(["task", "wait", "late", "row", "choose", "both", "again"] if depth else ["task"])
        )
        return getattr(self, shape)(depth - 1)

    def task(self, depth: int) -> tuple[str, str]:
        id = self.id("task")
        return id, id

    def wait(self, depth: int) -> tuple[str, str]:
        id = self.id("wait")
        return id, id

    def late(self, depth: int) -> tuple[str, str]:
        """A user task with a reminder that leads to an end of its own."""
        id = self.id("task")
        self.pairs.append((f"{self.id('late')}_{id}", self.id("end")))
        return id, id

    def row(self, depth: int) -> tuple[str, str]:
        (first, middle), (other, last) = self.any(depth), self.any(depth)
        self.pairs.append((middle, other))
        return first, last

    def choose(self, depth: int) -> tuple[str, str]:
        return self.branches("choose", depth)

    def both(self, depth: int) -> tuple[str, str]:
        return self.branches("both", depth)

    def branches(self, kind: str, depth: int) -> tuple[str, str]:
        split, merge = self.id(kind), self.id(kind)
        for _ in range(2):
            first, last = self.any(depth)
            self.pairs += [(split, first), (last, merge)]
        return split, merge

    def again(self, depth: int) -> tuple[str, str]:
        """A loop: a way back over what was done."""
        merge, split = self.id("choose"), self.id("choose")
        first, last = self.any(depth)
        self.pairs += [(merge, first), (last, split), (split, merge)]
        return merge, split


@st.composite
def processes(draw: st.DrawFn, spoiled: bool = False) -> str:
    """A process of nested blocks; spoiled: one flow leads elsewhere, so that it may or may not run."""
    block = Block(draw)
    first, last = block.any(3)
    pairs = [("start", first), *block.pairs, (last, "end")]
    if spoiled:
        at = draw(st.integers(1, len(pairs) - 1))
        targets = sorted({b for _, b in pairs} - {pairs[at][0]})
        pairs[at] = (pairs[at][0], draw(st.sampled_from(targets)))
    ways = [a for a, _ in pairs]
    conditions = {f"{a}>{b}": "1 = 1" for a, b in pairs if a.startswith("choose") and ways.count(a) > 1}
    return drawn(" ".join(f"{a}>{b}" for a, b in pairs), conditions=conditions)


def walked(xml: str, random: Random) -> None:
    """One run, by lot: no element ever holds two tokens, and where nothing waits any more nothing is left."""
    definition = diagram.read(xml.encode())
    transitions = execution.Transitions(definition, remember=False)

    def choose(flow: SequenceFlow) -> bool:
        return flow == definition.outgoing[flow.source][-1] or random.random() < 0.5

    marking = transitions.start(choose).marking
    for _ in range(60):
        places = [token.element for token in marking.tokens]
        assert len(set(places)) == len(places), places
        acting = [token for token in marking.tokens if token.status in (OPEN, WAITING)]
        if not acting:
            assert marking.tokens == ()
            return
        token = random.choice(acting)
        act = transitions.complete if token.status == OPEN else transitions.fire
        marking = act(marking, token.number, choose).marking


@given(processes(), st.randoms(use_true_random=False))
def test_nested_blocks_are_let_through_and_run_to_their_end(xml, random):
    accepted(xml)
    walked(xml, random)


@given(processes(spoiled=True), st.randoms(use_true_random=False))
def test_whatever_is_let_through_runs_to_its_end(xml, random):
    if not found(xml, "error"):
        walked(xml, random)


def test_what_has_no_name_is_called_by_what_it_is_and_where_it_stands() -> None:
    xml = drawn(CHOICE, conditions={"choose>task2": "true"}).replace('name="choose"', "").replace(
        'id="task1" name="task1"', 'id="task1" name="Memeriksa"')
    said = {one.element: (one.message, one.english) for one in diagram.check(xml.encode()) if one.severity == "error"}
    message, english = said["choose_end"]
    assert message.startswith('Panah dari "') and "(choose_end) belum bersyarat" in message
    assert english.startswith('The flow from "') and "(choose_end) has no condition" in english
    assert "token" not in message and 'gateway "' not in message


def test_a_thousand_findings_of_nameless_steps_are_said_in_as_many_looks() -> None:
    count = 290
    nodes = "".join(
        f'<bpmn:exclusiveGateway id="t{n}" />'
        + "".join(
            f'<bpmn:sequenceFlow id="f{n}_{m}" sourceRef="t{n}" targetRef="t{(n + m) % count}" />' for m in (1, 2, 3)
        )
        for n in range(count)
    )
    xml = f'''<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="x">
        <bpmn:process id="p" name="P" isExecutable="true">{nodes}</bpmn:process></bpmn:definitions>'''
    found = diagram.check(xml.encode())
    assert len(found) > 290 and all(one.message[0].isupper() or one.message[0] == '"' for one in found)
    assert any("(f1_1)" in one.message for one in found)
