"""Diagrams that are drawn to do harm, several hundred of them, and as many honest ones beside them.

A hostile one is a sound diagram with one principle broken. It is refused: with an error at an element and a line of the
file that says in Indonesian and in English what is, what was expected and what to do. Nothing of it runs, nothing is
fetched. An honest one is drawn by lot, in the ways that modelers write; it is let through and runs to its end.
What a file may cost is bounded by the machine (RLIMIT_CPU, RLIMIT_AS), not by a watch.
"""

from __future__ import annotations

import codecs
import gzip
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from engine import diagram, execution
from engine.definition import DiagramError, Finding, SequenceFlow
from engine.gate import MOST_BYTES
from engine.marking import OPEN, WAITING
from engine.reduction import reduced
from engine.soundness import TooMany, _Game
from tests.engine.test_gate import (
    CHOICE,
    DEADLINE,
    TASK1,
    TIMER,
    changed,
    choices,
    constraint,
    drawn,
    field,
    form,
    in_lane,
    shape,
    timed_by,
    with_deadline,
)

ROOT = Path(__file__).parent.parent.parent
HOSTILE: list[tuple[str, str | bytes, str | None]] = []  # name, file, the element that is named ("any": whichever)


def hostile(name: str, file: str | bytes, element: str | None = "any") -> None:
    HOSTILE.append((f"{len(HOSTILE)} {name}"[:60], file, element))


def inside(xml: str, element: str = "task1") -> str:
    return drawn(inside={element: xml})


def extended(xml: str, element: str = "task1") -> str:
    return inside(f"<bpmn:extensionElements>{xml}</bpmn:extensionElements>", element)


def conditional(condition: str) -> str:
    fields = form(
        field("jawaban"), field("jumlah", "long"), field("kapan", "date"), field("baris", "table", kolom_a="A")
    )
    return drawn(CHOICE, conditions={"choose>task2": condition, "choose>end": "default"}, inside={"task1": fields})


# --- Bytes and declarations

SOUND = drawn()
for name, data in {
    "UTF-32": SOUND.encode("utf-32"),
    "UTF-32 without a mark": SOUND.encode("utf-32-be"),
    "UTF-16 without a mark": SOUND.encode("utf-16-le"),
    "UTF-7 declared": SOUND.replace("UTF-8", "UTF-7").encode(),
    "UTF-7 behind spaces": SOUND.replace('encoding="UTF-8"', " " * 300 + 'encoding="UTF-7"').encode(),
    "UTF-7 behind standalone": SOUND.replace('encoding="UTF-8"', 'standalone="yes" encoding="UTF-7"').encode(),
    "EBCDIC": SOUND.encode("cp037"),
    "EBCDIC declared": SOUND.replace("UTF-8", "cp037").encode("cp037"),
    "another encoding": SOUND.replace("UTF-8", "windows-1252").replace("Percobaan", "Percobaän").encode("cp1252"),
    "wide but declared narrow": SOUND.encode("utf-16"),
    "narrow but declared wide": SOUND.replace("8", "16", 1).encode(),
    "XML 1.1": SOUND.replace('version="1.0"', 'version="1.1"').encode(),
    "gzip": gzip.compress(SOUND.encode()),
    "zip": b"PK\x03\x04" + SOUND.encode(),
    "nothing": b"",
    "spaces": b" \n\t",
    "NUL": SOUND.encode() + b"\0",
    "half a letter": SOUND.encode() + b"\xc3",
    "two roots": (SOUND + "<a/>").encode(),
    "a mark twice": (codecs.BOM_UTF8 * 2 + SOUND.encode()),
    "cut": SOUND.encode()[:-9],
    "JSON": b'{"bpmn": true}',
    "HTML": b"<html/>",
    "another BPMN": SOUND.replace("BPMN/20100524/MODEL", "BPMN/20090101/MODEL").encode(),
    "too large": SOUND.encode() + b" " * MOST_BYTES,
    "a control as a reference": SOUND.replace("Percobaan", "&#1;").encode(),
    "space before the declaration": b" " + SOUND.encode(),
    "surrogate as a reference": SOUND.replace("Percobaan", "&#xD800;").encode(),
}.items():
    hostile(name, data, None)
for declaration in (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
    '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:9/">%a;]>',
    '<!DOCTYPE x PUBLIC "-//X" "http://127.0.0.1:9/x">',
    '<!DOCTYPE x [<!ATTLIST bpmn:userTask name CDATA "lain">]>',
    '<?xml-stylesheet type="text/xsl" href="http://127.0.0.1:9/x.xsl"?>',
    "<?php echo 1 ?>",
    "<?x?>",
):
    for place in ("<bpmn:definitions", "<bpmn:process ", "</bpmn:definitions>"):
        if place == "<bpmn:definitions" or declaration.startswith("<?"):
            hostile(declaration[:24], changed(SOUND, place, declaration + place), None)
for entity in ("&x;", "&nbsp;", "&#0;", "&#xFFFF;"):
    hostile(entity, changed(SOUND, 'name="Percobaan"', f'name="{entity}"'), None)

# --- What is not read, wherever it stands

for kind in (
    "task",
    "manualTask",
    "serviceTask",
    "scriptTask",
    "businessRuleTask",
    "sendTask",
    "receiveTask",
    "callActivity",
    "subProcess",
    "transaction",
    "adHocSubProcess",
    "complexGateway",
    "eventBasedGateway",
    "implicitThrowEvent",
    "choreographyTask",
    "subChoreography",
):
    hostile(kind, SOUND.replace("bpmn:userTask", f"bpmn:{kind}"), "task1")
    hostile(f"{kind} beside", drawn(process=f'<bpmn:{kind} id="extra" />'), "extra")
for event in ("message", "signal", "conditional", "error", "escalation", "link", "compensate", "cancel", "terminate"):
    what = f'<bpmn:{event}EventDefinition id="what" />'
    hostile(f"{event} between", drawn("start>task1 task1>wait wait>end").replace(TIMER.format(id="wait"), what))
    hostile(
        f"{event} at the edge",
        drawn("start>task1 task1>end late1_task1>end2").replace(TIMER.format(id="late1_task1"), what),
    )
    hostile(f"{event} at the start", inside(what, "start"))
    if event != "terminate":
        hostile(f"{event} at the end", inside(what, "end"))
for loop in (
    "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>1000000</bpmn:loopCardinality>"
    "</bpmn:multiInstanceLoopCharacteristics>",
    '<bpmn:standardLoopCharacteristics loopMaximum="-1" />',
    '<bpmn:multiInstanceLoopCharacteristics isSequential="true" />',
    '<bpmn:ioSpecification id="io" />',
    '<bpmn:potentialOwner id="who" />',
    '<bpmn:humanPerformer id="who" />',
    "<bpmn:script>1</bpmn:script>",
    '<bpmn:rendering id="r" />',
    '<bpmn:auditing id="a" />',
    '<bpmn:monitoring id="m" />',
    '<bpmn:property id="p" name="x" />',
    "<bpmn:dataInputAssociation><bpmn:sourceRef>tiada</bpmn:sourceRef>"
    "<bpmn:assignment><bpmn:from>1</bpmn:from></bpmn:assignment></bpmn:dataInputAssociation>",
):
    hostile(loop[6:40], inside(loop))
for extra in (
    "dataObjectReference",
    "correlationSubscription",
    "resourceRole",
    "property",
    "artifact",
    "flowNode",
    "supports",
    "ioSpecification",
    "ioBinding",
    "unheardOf",
):
    hostile(extra, drawn(process=f'<bpmn:{extra} id="extra" />'), "extra")
for extra in (
    "message",
    "signal",
    "error",
    "escalation",
    "itemDefinition",
    "interface",
    "import",
    "extension",
    "relationship",
    "globalScriptTask",
    "globalUserTask",
    "partnerEntity",
    "correlationProperty",
    "resource",
    "choreography",
    "globalConversation",
    "endPoint",
    "eventDefinition",
    "process",
):
    hostile(
        f"{extra} in the file", changed(SOUND, "</bpmn:definitions>", f'<bpmn:{extra} id="x" /></bpmn:definitions>')
    )
for prefix, uri, words in (
    (
        "camunda",
        "http://camunda.org/schema/1.0/bpmn",
        "executionListener taskListener inputOutput connector in out "
        "field "
        "failedJobRetryTimeCycle formRef potentialStarter script",
    ),
    (
        "zeebe",
        "http://camunda.org/schema/zeebe/1.0",
        "taskDefinition ioMapping script calledElement "
        "assignmentDefinition "
        "formDefinition taskSchedule executionListeners subscription calledDecision properties",
    ),
    (
        "spiff",
        "http://spiffworkflow.org/bpmn/schema/1.0/core",
        "preScript postScript serviceTaskOperator properties unitTests instructionsForEndUser",
    ),
    ("flowable", "http://flowable.org/bpmn", "executionListener formProperty"),
    ("x", "urn:x", "thing"),
    ("activiti", "http://activiti.org/bpmn", "field"),
    ("drools", "http://www.jboss.org/drools", "onEntry-script"),
):
    for word in words.split():
        thing = f'<{prefix}:{word} xmlns:{prefix}="{uri}">python</{prefix}:{word}>'
        hostile(f"{prefix}:{word}", extended(thing))
        hostile(
            f"{prefix}:{word} on the process",
            drawn(process=f"<bpmn:extensionElements>{thing}</bpmn:extensionElements>"),
        )
for hidden in (
    '<bpmn:scriptTask id="s"><bpmn:script>1</bpmn:script></bpmn:scriptTask>',
    '<bpmn:userTask id="t2" />',
    "<bpmn:conditionExpression>1 = 1</bpmn:conditionExpression>",
    '<bpmn:process id="p2" />',
):
    hostile(f"hidden {hidden[6:20]}", extended(hidden))
    hostile(
        f"hidden deeper {hidden[6:20]}",
        extended(f'<s:signavioMetaData xmlns:s="http://www.signavio.com">{hidden}</s:signavioMetaData>'),
    )
for attribute in (
    "assignee",
    "candidateUsers",
    "candidateGroups",
    "formKey",
    "formRef",
    "dueDate",
    "followUpDate",
    "class",
    "expression",
    "delegateExpression",
    "resultVariable",
    "type",
    "topic",
    "priority",
    "skipExpr",
):
    hostile(
        f"camunda:{attribute}",
        changed(SOUND, '<bpmn:userTask id="task1"', f'<bpmn:userTask camunda:{attribute}="x" id="task1"'),
        "task1",
    )
for attribute in (
    'xml:base="http://127.0.0.1:9/"',
    'xml:space="preserve"',
    'xsi:type="bpmn:tScriptTask"',
    'onload="x"',
    'isForCompensation="true"',
    'startQuantity="2"',
    'completionQuantity="0"',
    'default="task1_end"',
    'xlink:href="http://127.0.0.1:9/" xmlns:xlink="http://www.w3.org/1999/xlink"',
    'implementation="##x"',
    'bpmn:id="task2"',
    'script="1"',
    'operationRef="x"',
    'calledElement="proc"',
    'triggeredByEvent="true"',
):
    hostile(
        attribute[:24], changed(SOUND, '<bpmn:userTask id="task1"', f'<bpmn:userTask {attribute} id="task1"'), "task1"
    )
for language in ("python", "javascript", "http://www.java.com/javaTypes", "juel", "feelings", "notfeel"):
    hostile(
        f"language {language}",
        conditional("1 = 1").replace("<bpmn:conditionExpression>", f'<bpmn:conditionExpression language="{language}">'),
    )
    hostile(
        f"language of the file {language}", changed(SOUND, 'id="file"', f'id="file" expressionLanguage="{language}"')
    )

# --- Ids and texts

for id in (
    "Start",
    "End",
    "Root",
    "a.EndJoin",
    "a.BoundaryEventSplit",
    "constructor",
    "prototype",
    "typename",
    "toString",
    "valueOf",
    "hasOwnProperty",
    "__class__",
    "__builtins__",
    "__proto__",
    "../../../etc/passwd",
    "a..b",
    "a/b",
    "a\\b",
    "1a",
    "-a",
    "",
    " ",
    "a b",
    "a'b",
    "a]b",
    "\u0430bc",
    "\u03bfbc",
    "\uff41bc",
    "\u017fa",
    "\u2170a",
    "a" * 101,
    "a" * 399,
    "a\u0301",
    "tugas\u00e9",
    "a:b",
    "a;b",
    "a%2e",
    "$a",
    "a@b",
    "#a",
):
    hostile(f"id {id!r:.20}", SOUND.replace('"task1"', f'"{id}"').replace(">task1<", f">{id}<"))
for letter in (
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202d\u202e\u2060\u2061\u2064\u2066\u2069\ufeff\u00ad\u034f"
    "\u061c\u115f\u1160\u17b4\u180e\u2028\u2029\u2800\u3164\uffa0\ue000\ufff9\ufe00\u0085\u007f\U000e0041"
    "\U000e0100\U000f0000\U0001d173"
):
    hostile(f"name with {ord(letter):04X}", changed(SOUND, 'name="task1"', f'name="Setu{letter}ju"'), "task1")
    hostile(f"condition with {ord(letter):04X}", conditional(f'jawaban = "setu{letter}ju"'))
for text in ("Sekret\u0430ris", "\u041falsu", "P\u03b1raf", "Camat Lasem\u0405", "a\u0300\u0300\u0300\u0300\u0300"):
    hostile(f"mixed {text!r:.20}", changed(SOUND, 'name="task1"', f'name="{text}"'), "task1")
for text in ("<!-- x -->", "<bpmn:x/>", "<?x?>"):
    hostile(f"{text} in a condition", conditional(f'jawaban = "a"{text} and false'))
    hostile(f"{text} in a timer", timed_by("timeDuration", f"P1{text}D"))
    hostile(f"{text} in a lane", changed(SOUND, ">task1</bpmn:flowNodeRef>", f">task{text}1</bpmn:flowNodeRef>"))
    hostile(f"{text} in documentation", inside(f"<bpmn:documentation>a{text}b</bpmn:documentation>"))
hostile("long text", inside(f"<bpmn:documentation>{'x' * 4001}</bpmn:documentation>"))
hostile("loose text", changed(SOUND, "</bpmn:process>", "python</bpmn:process>"))
hostile(
    "loose text in a flow",
    changed(SOUND, 'targetRef="end"></bpmn:sequenceFlow>', 'targetRef="end">1 = 1</bpmn:sequenceFlow>'),
)
for twice in ("documentation", "extensionElements", "laneSet"):
    hostile(f"{twice} twice", drawn(process=f"<bpmn:{twice}></bpmn:{twice}>" * 2))
hostile("a form twice", extended("<camunda:formData /><camunda:formData />"))

# --- Expressions, timers, forms

for condition in (
    "null",
    "1",
    '"True"',
    "'False'",
    "[true]",
    "1 + 1",
    'duration("P1D")',
    'date("2027-01-01")',
    "{a: true}",
    "jumlah",
    "jumlah + 1",
    "jawaban",
    "kapan",
    "baris",
    "not(1)",
    "not(null)",
    "if true then 1 else 2",
    "1/0 = null and null",
    "__import__('os').system('x')",
    "eval(1)",
    "jawaban.__class__",
    "().__class__",
    "lambda: 1",
    "import os",
    "9**9**9",
    "${jawaban}",
    "#{jawaban}",
    "jawaban == 'a'",
    "jawaban &amp;&amp; true",
    "jawabann = 1",
    "environ = 1",
    "tiada = 1",
    "berkas.tiada = 1",
    "tahun_laporan = 2026",
    "(" * 100 + "1" + ")" * 100 + " = 1",
    "-" * 5000 + "1 = 1",
    "not(" * 80 + "true" + ")" * 80,
    "1 = ",
    "= = 1",
    "function(x) x = 1",
    "{" * 70 + "}" * 70,
    "[" * 70 + "1" + "]" * 70,
    'matches(jawaban, "(a+)+$")',
    "external(1)",
    "\u2019a\u2019 = 1",
    "jawaban \uff1d 1",
    '"a" + 1',
    "tru\u0435",
):
    hostile(f"condition {condition[:24]}", conditional(condition))
for text in (
    "P1Y",
    "P1M",
    "P1W",
    "PT5S",
    "P0D",
    "PT0S",
    "PT0M",
    "-P1D",
    "-PT5S",
    "P-1D",
    "PT\u0665M",
    "PT\u0661H",
    "P999999999Y",
    "P9999999D",
    "P3651D",
    "PT999999H",
    "P1DT",
    "PT",
    "P",
    "1D",
    "P1D2H",
    "p1d",
    "P1.5D",
    "R3/P1D",
    "",
    " ",
    "0 0 * * *",
    "P1D P1D",
    "timedelta(days=1)",
    "${x}",
    '=duration("P1Y")',
    '=duration("PT5S")',
    '=duration("-P1D")',
    '=duration("P9999D")',
    "=1",
    "=null",
    "=tiada",
    '="P1Y"',
    "=true",
    "=now()",
):
    hostile(f"duration {text[:20]}", timed_by("timeDuration", text))
    hostile(f"duration between {text[:20]}", drawn("start>task1 task1>wait wait>end").replace(">P1D<", f">{text}<"))
for text in (
    "2027-13-01T00:00:00Z",
    "2027-02-30T00:00:00Z",
    "2027-01-01",
    "2027-01-01T00:00:00",
    "1999-01-01T00:00:00Z",
    "2020-01-01T00:00:00Z",
    "99999-01-01T00:00:00Z",
    "2027-01-01T25:00:00Z",
    "\u0662027-01-01T00:00:00Z",
    "2300-01-01T00:00:00Z",
    "2027-01-01T00:00:00+99:00",
    "tomorrow",
    "0",
    '=date("2020-01-01")',
    "=1",
    "=null",
    '=date("9999-12-31")',
    '="besok"',
    "=tiada",
    "P1D",
    "",
):
    hostile(f"date {text[:20]}", timed_by("timeDate", text))
for text in (
    "R/PT0S",
    "R/P1D",
    "R0/P1D",
    "R-5/PT1M",
    "R100000/PT1M",
    "R10000/P1D",
    "R3/PT0S",
    "R3/PT59S",
    "R3/P1M",
    "R3",
    "R\u0663/P1D",
    "R3/-P1D",
    "R3/P1D/2027-01-01",
    "R3/2020-01-01T00:00:00Z/P1D",
    "0 * * * * ?",
    "P1D",
    '="R3/P1D"',
):
    hostile(f"cycle {text[:20]}", timed_by("timeCycle", text))
hostile("cycle that interrupts", timed_by("timeCycle", "R3/P1D", interrupting=True))
hostile(
    "cycle between",
    drawn("start>task1 task1>wait wait>end").replace("timeDuration", "timeCycle").replace("P1D", "R3/P1D"),
)
for id in (
    "__builtins__",
    "__class__",
    "typename",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "putaran",
    "berkas",
    "tahun",
    "true",
    "null",
    "for",
    "1a",
    "",
    "a-b",
    "a.b",
    "a b",
    "\u0430",
    "a" * 61,
    "_a",
    "a'",
    "a[0]",
):
    hostile(f"field {id[:16]!r}", inside(form(field(id))))
    hostile(
        f"column {id[:16]!r}",
        inside(
            form(field("baris", "table")).replace(
                'type="table">',
                f'type="table"><camunda:properties><camunda:property id="kolom.{id}" value="A" /></camunda:properties>',
            )
        ),
    )
for bad in (
    field() + field(),
    field(type="script"),
    field(type=""),
    field(type="file"),
    field(type="enum"),
    field(type="enum", more=choices("a", "a")),
    field(type="enum", more='<camunda:value id="a" name="Setuju" /><camunda:value id="b" name="SETUJU" />'),
    field(more=choices("a")),
    field(more=constraint("validator", "x")),
    field(more=constraint("min", "1")),
    field("a", "long", more=constraint("min", "1e9")),
    field("a", "long", more=constraint("max", "9" * 19)),
    field("a", "table"),
    field("a", "document"),
    field("a", "document", sop_peran="admin"),
    field(sop_unknown="1"),
    field(sop_tampilJika="1"),
    field(sop_wajibJika="null"),
    field(sop_benarJika="tiada = 1"),
    field(initial="={{"),
    field(initial="{tiada}"),
    field("a", "long", initial="1; drop"),
    field("a", "person", initial="P1"),
    field("a", "table", kolom_a="A | script"),
    field("a", "table", kolom_a="A | enum"),
    field(sop_pribadi="mungkin"),
    field("a", "document", sop_peran="output", sop_pelampir="tiada"),
    field("a", "table", kolom_a="A", sop_barisDari="a"),
    field("a", "table", kolom_a="A", sop_menunjukTim="tiada"),
    field("a", "document", sop_peran="output", sop_asal="x"),
    field().replace('label="Label"', 'label=" "'),
    field().replace("label=", 'onclick="x" label='),
    field(sop_pesan="x").replace('id="sop.pesan"', 'id="sop.pesan" name="sop.keputusan"'),
):
    hostile(f"form {bad[19:50]}", inside(form(bad)))
hostile(
    "a form at a gateway",
    drawn(CHOICE, inside={"choose": form(field())}, conditions={"choose>task2": "1 = 1", "choose>end": "default"}),
)
hostile(
    "a personal field in a condition",
    conditional('jawaban = "a"').replace(
        '<camunda:formField id="jawaban" label="Label" type="string">',
        '<camunda:formField id="jawaban" label="Label" '
        'type="string"><camunda:properties><camunda:property id="sop.pribadi" value="ya" /></camunda:properties>',
    ),
)
hostile(
    "two types of one field",
    drawn(
        "start>task1 task1>task2 task2>end",
        inside={"task1": form(field("a", "long")), "task2": form(field("a", "string"))},
    ),
)

# --- Flows and runs

YES = {"choose>task1": "1 = 1", "choose>task2": "1 = 1", "choose>end": "1 = 1", "choose1>choose2": "1 = 1"}
for flows, conditions in (
    ("task1>end", {}),
    ("start>task1", {}),
    ("start>task1 task1>end task2>end", {}),
    ("start>task1 task1>task1", {}),
    ("start>task1 task1>end task1>end2", {}),
    ("start>task1 task1>start", {}),
    ("start>task1 task1>end end>task2", {}),
    ("start>task1 task1>task2 task2>task1", {}),
    ("start>task1 start2>task1 task1>end", {}),
    ("start>task1 task1>end late1_task2>end2", {}),
    ("start>late1_task1 late1_task1>end start>task1 task1>end", {}),
    ("start>choose choose>task1 choose>end task1>end", {}),
    ("start>choose choose>task1 choose>end task1>end", {"choose>task1": "1 = 2", "choose>end": "1 = 2"}),
    ("start>task1 task1>end", {"task1>end": "1 = 1"}),
    ("start>both both>task1 both>task2 task1>end task2>end", {"both>task1": "1 = 1"}),
    ("start>choose choose>task1 choose>task2 task1>both task2>both both>end", YES),
    ("start>both both>task1 both>task2 task1>choose2 task2>choose2 choose2>task3 task3>end", {}),
    ("start>both both>task1 both>task2 task1>task3 task2>task3 task3>end", {}),
    ("start>choose1 choose1>choose2 choose2>choose1 choose2>end", {"choose2>choose1": "1 = 1", "choose2>end": "1 = 1"}),
    ("start>both both>choose1 both>choose2 choose1>choose3 choose2>choose3 choose3>end", {}),
    ("start>choose choose>both1 both1>task1 both1>choose choose>end", {"choose>both1": "1 = 1", "choose>end": "1 = 1"}),
    ("start>both1 both1>both2 both1>task1 task1>both2 both2>both1", {}),
    (
        "start>both1 both1>task1 both1>both2 task1>choose choose>both2 choose>end both2>end2",
        {"choose>both2": "1 = 1", "choose>end": "1 = 1"},
    ),
    ("start>task1 task1>end late1_task1>task1", {}),
    ("start>task1 task1>task2 task2>end late1_task1>task2", {}),
    ("start>both1 both1>task1 both1>task2 task1>both2 task2>both2 both2>end late1_task1>both2", {}),
    (
        "start>choose1 choose1>task1 choose1>task2 task1>both2 task2>both2 both2>task3 task3>end",
        {"choose1>task1": "1 = 1", "choose1>task2": "1 = 1"},
    ),
    (
        "start>both0 "
        + " ".join(
            f"both{n}>choose{n}0 both{n}>choose{n}1 choose{n}0>choose{n}2 choose{n}1>choose{n}2 choose{n}2>both{n + 1}"
            for n in range(16)
        )
        + " both16>end1 both16>end2",
        {},
    ),
    (
        "start>both "
        + " ".join(f"both>task{n}" for n in range(9))
        + " "
        + " ".join(f"task{n}>choose" for n in range(9))
        + " choose>both2 both2>task91 both2>task92 task91>end task92>end",
        {},
    ),
    (" ".join(["start>task0", *(f"task{n}>task{n + 1}" for n in range(400)), "task400>end"]), {}),
):
    hostile(f"flows {flows[:40]}", drawn(flows, conditions=conditions))
hostile(
    "a date makes nobody wait",
    drawn(
        "start>choose1 choose1>wait wait>choose2 choose2>choose1 choose2>task1 task1>end",
        conditions={"choose2>choose1": "1 = 1", "choose2>task1": "1 = 1"},
    )
    .replace("timeDuration", "timeDate")
    .replace("P1D", "2027-01-01T00:00:00Z"),
)
for old, new in (
    ('targetRef="end"', 'targetRef="tiada"'),
    ('sourceRef="task1"', 'sourceRef="tiada"'),
    ('targetRef="end"', 'targetRef="lane1"'),
    ('targetRef="end"', 'targetRef="proc"'),
    ('sourceRef="task1"', "sourceRef=\"task1' or '1'='1\""),
    ('targetRef="end"', ""),
):
    hostile(f"flow {new[:30]}", changed(SOUND, old, new))
for links in (
    "<bpmn:incoming>tiada</bpmn:incoming>",
    "<bpmn:incoming>task1_end</bpmn:incoming>",
    "<bpmn:incoming>start_task1</bpmn:incoming>" * 2,
    "<bpmn:outgoing>start_task1</bpmn:outgoing>",
    "<bpmn:outgoing>task1_end</bpmn:outgoing><bpmn:outgoing>tiada</bpmn:outgoing>",
):
    hostile(links[6:40], inside(links), "task1")
DEADLINES = (
    ('isInterrupting="false"', ""),
    ('isInterrupting="false"', 'isInterrupting="true"'),
    ("=date(tahun + 1, 3, 1)", ""),
    ('<bpmn:endEvent id="due_end" />', '<bpmn:userTask id="due_end" />'),
    ('value="task1"', 'value="tiada"'),
    (' triggeredByEvent="true"', ""),
    ('targetRef="due_end"', 'targetRef="task1"'),
    ("timeDate", "timeDuration"),
    ('sourceRef="due_start"', 'sourceRef="task1"'),
    ("timeDate", "timeCycle"),
)
for old, new in DEADLINES:
    hostile(f"deadline {new[:30]}", with_deadline(DEADLINE.replace(old, new)))
hostile("two deadlines", with_deadline(DEADLINE + DEADLINE.replace("due", "again")))
hostile("a flow into the deadline", with_deadline().replace('targetRef="end"', 'targetRef="due_end"'))
hostile(
    "a flow out of the deadline",
    with_deadline().replace('sourceRef="task1" targetRef="end"', 'sourceRef="due_start" targetRef="end"'),
)
hostile(
    "a boundary at the deadline",
    with_deadline(
        DEADLINE.replace(
            '<bpmn:endEvent id="due_end" />',
            '<bpmn:endEvent id="due_end" /><bpmn:boundaryEvent id="b" attachedToRef="due_start" />',
        )
    ),
)

# --- Lanes and pools

for one, other in (
    ("lane", "LANE"),
    ("Tim 1", "Tim l"),
    ("Tim I", "Tim 1"),
    ("Kasi O", "Kasi 0"),
    ("Camat", "\uff23amat"),
    ("\u0421\u0430\u0440", "Cap"),
    ("A  B", "A B"),
    ("\u0410\u0421", "AC"),
    ("x", " "),
    ("x", ""),
    ("\ufb01la", "fila"),
    ("Tim \u2460", "Tim 1"),
):
    xml = drawn(lanes=("lane1", "lane2"))
    hostile(
        f"lanes {one} {other}",
        changed(changed(xml, 'name="lane1"', f'name="{one}"'), 'name="lane2"', f'name="{other}"'),
    )
hostile("no lane", changed(SOUND, "<bpmn:flowNodeRef>task1</bpmn:flowNodeRef>", ""), "task1")
hostile(
    "only the outer lane", in_lane('<bpmn:lane id="lane1" name="l" />', "<bpmn:flowNodeRef>task1</bpmn:flowNodeRef>")
)
hostile(
    "in a lane and another's outer lane",
    in_lane(
        '<bpmn:lane id="lane1" name="l"><bpmn:flowNodeRef>task1</bpmn:flowNodeRef></bpmn:lane>'
        '<bpmn:lane id="lane2" name="m"><bpmn:childLaneSet id="more"><bpmn:lane id="lane3" '
        'name="n" /></bpmn:childLaneSet>'
        "<bpmn:flowNodeRef>task1</bpmn:flowNodeRef></bpmn:lane>"
    ),
)
for reference in ("tiada", "lane1", "task1", "proc", "start_task1"):
    hostile(
        f"lane names {reference}",
        changed(SOUND, "</bpmn:lane>", f"<bpmn:flowNodeRef>{reference}</bpmn:flowNodeRef></bpmn:lane>"),
    )
for pools in (
    '<bpmn:participant id="p" processRef="tiada" />',
    '<bpmn:participant id="p" />',
    "",
    '<bpmn:participant id="p" processRef="proc" /><bpmn:participant id="q" processRef="proc" />',
    '<bpmn:participant id="p" processRef="proc" /><bpmn:messageFlow id="m" sourceRef="task1" targetRef="end" />',
    '<bpmn:participant id="p" processRef="proc" /><bpmn:conversation id="c" />',
    '<bpmn:participant id="p" processRef="proc"><bpmn:participantMultiplicity maximum="9" /></bpmn:participant>',
):
    hostile(
        f"pools {pools[:40]}",
        changed(
            changed(SOUND, "<bpmn:process", f'<bpmn:collaboration id="col">{pools}</bpmn:collaboration><bpmn:process'),
            'bpmnElement="proc"',
            'bpmnElement="col"',
        ),
    )

# --- The drawing

TASK_BOX = 'x="350" y="160" width="100" height="80"'
for box in (
    'x="350" y="160" width="0" height="80"',
    'x="350" y="160" width="100" height="-80"',
    'x="NaN" y="160" width="100" height="80"',
    'x="350" y="inf" width="100" height="80"',
    'x="1e9" y="160" width="100" height="80"',
    'x="9999999" y="160" width="100" height="80"',
    'x="0x10" y="160" width="100" height="80"',
    'x="350" y="160"',
    'x="350" y="\u0661" width="100" height="80"',
    'x="350" y="160" width="1" height="1"',
    'x="350" y="900" width="100" height="80"',
    'x="350,5" y="160" width="100" height="80"',
    'x="" y="" width="" height=""',
):
    hostile(f"box {box[:40]}", changed(SOUND, TASK_BOX, box))
hostile("not drawn", changed(SOUND, TASK1, ""), "task1")
hostile("drawn twice", changed(SOUND, TASK1, TASK1 + TASK1.replace("task1_di", "again")), "task1")
hostile("no drawing", SOUND[: SOUND.index("<bpmndi:BPMNDiagram")] + "</bpmn:definitions>", "proc")
for ghost in ("tiada", "start_task1", "proc", "lane_set", "plane", "file"):
    hostile(f"ghost {ghost}", changed(SOUND, TASK1, TASK1 + shape(ghost, 'x="0" y="0" width="50" height="50"')))
    hostile(
        f"ghost line {ghost}",
        changed(
            SOUND,
            TASK1,
            TASK1 + f'<bpmndi:BPMNEdge id="g" bpmnElement="{ghost}x">'
            '<di:waypoint x="0" y="0" /><di:waypoint x="9" y="9" /></bpmndi:BPMNEdge>',
        ),
    )
ROW = drawn("start>task1 task1>task2 task2>choose1 choose1>end")
for id, x, y in (("task2", 350, 160), ("task2", 380, 170), ("choose1", 385, 185), ("end", 385, 185)):
    old = re.search(rf'bpmnElement="{id}"><dc:Bounds x="(\d+)" y="(\d+)"', ROW)
    assert old
    hostile(f"{id} over task1", changed(ROW, old[0], f'bpmnElement="{id}"><dc:Bounds x="{x}" y="{y}"'))
for attribute in ("jobPriority", "asyncBefore", "exclusive", "modelerTemplateIcon"):
    hostile(
        f"code in {attribute}", SOUND.replace("<bpmn:userTask ", f'<bpmn:userTask camunda:{attribute}="${{x.y()}}" ')
    )
hostile(
    "an icon to fetch",
    SOUND.replace("<bpmn:userTask ", '<bpmn:userTask camunda:modelerTemplateIcon="http://127.0.0.1:9/x.svg" '),
)
hostile(
    "a note in place of a task",
    drawn(process='<bpmn:textAnnotation id="n"><bpmn:text>Setuju</bpmn:text></bpmn:textAnnotation>').replace(
        TASK1, TASK1 + shape("n", TASK_BOX)
    ),
    "n",
)
hostile(
    "data over a task",
    changed(
        drawn(process='<bpmn:dataObject id="o" /><bpmn:dataObjectReference id="d" dataObjectRef="o" />'),
        TASK1,
        TASK1 + shape("d", TASK_BOX),
    ),
    "d",
)
LINE = '<di:waypoint x="400" y="200" /><di:waypoint x="600" y="200" />'
for points in (
    LINE.replace("600", "900"),
    LINE.replace('x="400"', 'x="200"'),
    '<di:waypoint x="400" y="200" />',
    "",
    LINE.replace("600", "NaN"),
    LINE.replace("600", "1e3"),
    LINE.replace('y="200"', 'y="500"'),
    '<di:waypoint x="400" y="200" />' * 600 + LINE,
):
    hostile(f"line {points[:44]}", changed(SOUND, LINE, points))
EDGE_END = f'<bpmndi:BPMNEdge id="task1_end_di" bpmnElement="task1_end">{LINE}</bpmndi:BPMNEdge>'
hostile("a flow not drawn", changed(SOUND, EDGE_END, ""), "task1_end")
hostile("a flow drawn twice", changed(SOUND, EDGE_END, EDGE_END + EDGE_END.replace("_di", "_2")), "task1_end")
BIO = 'xmlns:bioc="http://bpmn.io/schema/bpmn/biocolor/1.0"'
for colours in (
    'bioc:stroke="#fff"',
    'bioc:stroke="#ffffff" bioc:fill="#FFFFFF"',
    'bioc:stroke="#123456" bioc:fill="#123456"',
    'bioc:fill="url(http://127.0.0.1:9/x.svg#a)"',
    'bioc:stroke="javascript:x"',
    'bioc:stroke="transparent"',
    'bioc:stroke="none"',
    'bioc:fill="#00000000"',
    'bioc:stroke="rgba(0,0,0,0)"',
    'bioc:fill="expression(x)"',
    'bioc:fill="black"',
    'bioc:stroke="white"',
    'bioc:stroke="rgb(255, 255, 255)"',
    'bioc:stroke="var(--x)"',
):
    hostile(
        f"colour {colours[:30]}",
        changed(SOUND, '<bpmndi:BPMNShape id="task1_di"', f'<bpmndi:BPMNShape {BIO} {colours} id="task1_di"'),
        "task1",
    )
for old, new in (
    ("<bpmndi:BPMNDiagram", '<bpmndi:BPMNDiagram id="more" /><bpmndi:BPMNDiagram'),
    ("<bpmndi:BPMNPlane", '<bpmndi:BPMNPlane id="more" bpmnElement="proc" /><bpmndi:BPMNPlane'),
    ('bpmnElement="proc"', 'bpmnElement="tiada"'),
    ('bpmnElement="proc"', 'bpmnElement="task1"'),
):
    hostile(f"plane {new[:40]}", changed(SOUND, old, new))


def said_of(file: str | bytes) -> list[Finding]:
    return [one for one in diagram.check(file.encode() if isinstance(file, str) else file) if one.severity == "error"]


@pytest.mark.parametrize("name, file, element", HOSTILE, ids=[name for name, _, _ in HOSTILE])
def test_a_hostile_diagram_is_refused_in_two_languages_with_a_place(name, file, element):
    found = said_of(file)
    assert found, f"{name} was let through"
    lines = (file if isinstance(file, str) else file.decode("utf-8", "replace")).count("\n") + 1
    for one in found:
        assert 1 <= one.line <= lines, (name, one)
        for text in (one.message, one.english):
            assert len(text) > 30 and text.rstrip()[-1] in '.)"', (name, one)
        assert one.message != one.english
    if element != "any":
        assert element in {one.element for one in found}, [(one.element, one.english) for one in found]
    with pytest.raises(DiagramError):
        diagram.read(file.encode() if isinstance(file, str) else file)


def test_there_are_several_hundred_of_them():
    assert len(HOSTILE) > 600 and len({file for _, file, _ in HOSTILE}) > 0.97 * len(HOSTILE)


# --- Honest ones -----------------------------------------------------------------------------------------------------


class Drawing:
    """A process drawn by lot: blocks in blocks, in lanes, with forms that its conditions ask, and laid out."""

    def __init__(self, seed: int):
        self.random = Random(seed)
        self.lanes = ["Camat Lasem", "Kepala Seksi", "Sekretaris", "Bidang Umum (PD)"][: self.random.randint(1, 4)]
        self.nodes: list[tuple[str, str, str]] = []  # id, kind, what stands in it
        self.flows: list[tuple[str, str, str]] = []  # source, target, condition or "default" or ""
        self.hosts: dict[str, tuple[str, str]] = {}  # boundary event -> its task, whether it interrupts
        first, last = self.block(self.random.randint(1, 3))
        self.node("startEvent", "mulai")
        self.flow("mulai", first)
        self.flow(last, self.node("endEvent"))

    def node(self, kind: str, id: str = "", inside: str = "") -> str:
        id = id or f"{kind}_{len(self.nodes):02}"
        self.nodes.append((id, kind, inside))
        return id

    def flow(self, source: str, target: str, condition: str = "") -> None:
        self.flows.append((source, target, condition))

    def block(self, depth: int) -> tuple[str, str]:
        if depth == 0:
            return self.step()
        kinds = (self.row, self.row, self.choose, self.both, self.again, self.step)
        return self.random.choice(kinds)(depth - 1)

    def step(self, depth: int = 0) -> tuple[str, str]:
        if self.random.random() < 0.15:
            kind, text = self.random.choice(
                (
                    ("timeDuration", "PT4H"),
                    ("timeDate", "2027-03-01T08:00:00+07:00"),
                    ("timeDate", "=date(2027, 3, 1)"),
                    ("timeDuration", '=duration("P2D")'),
                )
            )
            id = self.node("intermediateCatchEvent", inside=timer(kind, text))
            return id, id
        id = self.node("userTask", inside=self.random.choice(("", form(field(f"isian{len(self.nodes)}", "text")))))
        lot = self.random.random()
        if lot < 0.5:
            late = self.node(
                "boundaryEvent",
                inside=self.random.choice(
                    (timer("timeDuration", "P2D"), timer("timeCycle", "R3/P1D"), timer("timeDuration", "P1DT2H30M"))
                ),
            )
            self.hosts[late] = id, "false"
            self.flow(late, self.node("endEvent"))
        elif lot < 0.6:
            late, merge = self.node("boundaryEvent", inside=timer("timeDuration", "P5D")), self.node("exclusiveGateway")
            self.hosts[late] = id, "true"
            self.flow(id, merge)
            self.flow(late, merge)
            return id, merge
        return id, id

    def row(self, depth: int) -> tuple[str, str]:
        (first, middle), (other, last) = self.block(depth), self.block(depth)
        self.flow(middle, other)
        return first, last

    def asked(self) -> tuple[str, str, str]:
        """A task that asks, the gateway after it and the name of the answer."""
        name = f"putusan{len(self.nodes)}"
        ask = self.node("userTask", inside=form(field(name, "enum", more=choices("ya", "tidak"))))
        gateway = self.node("exclusiveGateway")
        self.flow(ask, gateway)
        return ask, gateway, name

    def choose(self, depth: int) -> tuple[str, str]:
        (ask, split, name), merge = self.asked(), self.node("exclusiveGateway")
        first, last = self.block(depth)
        self.flow(split, first, f'={name} = "ya"')
        self.flow(last, merge)
        if self.random.random() < 0.5:
            self.flow(split, merge, self.random.choice(("default", f'{name} != "ya"')))
        else:
            other, end = self.block(depth)
            self.flow(split, other, self.random.choice(("default", f'not({name} = "ya")')))
            self.flow(end, merge)
        return ask, merge

    def both(self, depth: int) -> tuple[str, str]:
        split, join = self.node("parallelGateway"), self.node("parallelGateway")
        for _ in range(self.random.randint(2, 4)):
            first, last = self.block(min(depth, 1))
            self.flow(split, first)
            self.flow(last, join)
        return split, join

    def again(self, depth: int) -> tuple[str, str]:
        merge = self.node("exclusiveGateway")
        first, last = self.block(depth)
        ask, split, name = self.asked()
        self.flow(merge, first)
        self.flow(last, ask)
        self.flow(split, merge, f'={name} = "tidak"')
        out = self.node("exclusiveGateway")
        self.flow(split, out, "default")
        return merge, out

    def xml(self) -> str:
        places = {id: (n, self.random.randrange(len(self.lanes))) for n, (id, _, _) in enumerate(self.nodes)}
        listed = self.random.random() < 0.5
        text, boxes = [], []
        for id, kind, inner in self.nodes:
            column, lane = places[id]
            width, height = (100, 80) if kind == "userTask" else (50, 50) if kind.endswith("Gateway") else (36, 36)
            x, y = 260 + 160 * column, 200 + 200 * lane
            more = ""
            if id in self.hosts:
                (column, lane), (host, interrupts) = places[self.hosts[id][0]], self.hosts[id]
                places[id] = column, lane
                x, y = 260 + 160 * column + 30, 200 + 200 * lane + 40
                more = f' attachedToRef="{host}" cancelActivity="{interrupts}"'
            default = next((f"{a}_{b}" for a, b, c in self.flows if a == id and c == "default"), "")
            more += f' default="{default}"' if default else ""
            links = "".join(f"<bpmn:incoming>{a}_{b}</bpmn:incoming>" for a, b, _ in self.flows if b == id)
            links += "".join(f"<bpmn:outgoing>{a}_{b}</bpmn:outgoing>" for a, b, _ in self.flows if a == id)
            extension, _, rest = inner.rpartition("</bpmn:extensionElements>")
            extension += "</bpmn:extensionElements>" if extension else ""
            content = f"{extension}{links if listed else ''}{rest}"
            text.append(f'<bpmn:{kind} id="{id}" name="{kind.title()} {id[-2:]}"{more}>{content}</bpmn:{kind}>')
            boxes.append(shape(id, f'x="{x - width // 2}" y="{y - height // 2}" width="{width}" height="{height}"'))
            self.middle = getattr(self, "middle", {}) | {id: (x, y)}
        for source, target, condition in self.flows:
            asked = condition.replace("<", "&lt;")
            inner = (
                ""
                if condition in ("", "default")
                else f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{asked}</bpmn:conditionExpression>'
            )
            text.append(
                f'<bpmn:sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">{inner}'
                "</bpmn:sequenceFlow>"
            )
            points = "".join(f'<di:waypoint x="{x}" y="{y}" />' for x, y in (self.middle[source], self.middle[target]))
            boxes.append(
                f'<bpmndi:BPMNEdge id="{source}_{target}_di" bpmnElement="{source}_{target}">{points}</bpmndi:BPMNEdge>'
            )
        lanes = ""
        for n, name in enumerate(self.lanes):
            held = "".join(
                f"<bpmn:flowNodeRef>{id}</bpmn:flowNodeRef>\n" for id, (_, lane) in places.items() if lane == n
            )
            lanes += f'<bpmn:lane id="lane_{n}" name="{name}">{held}</bpmn:lane>\n'
            boxes.append(
                shape(f"lane_{n}", f'x="160" y="{100 + 200 * n}" width="{200 + 160 * len(self.nodes)}" height="200"')
            )
        newline = "\n"
        return f"""{SOUND[: SOUND.index("<bpmn:process")]}<bpmn:process id="proc" name="Percobaan" isExecutable="true">
<bpmn:laneSet id="lane_set">{lanes}</bpmn:laneSet>
{newline.join(text)}
</bpmn:process>
<bpmndi:BPMNDiagram id="page"><bpmndi:BPMNPlane id="plane" bpmnElement="proc">
{newline.join(boxes)}
</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
</bpmn:definitions>
"""


def timer(kind: str, text: str) -> str:
    return f"<bpmn:timerEventDefinition><bpmn:{kind}>{text}</bpmn:{kind}></bpmn:timerEventDefinition>"


def in_process(xml: str, more: str, boxes: str = "", first: bool = False) -> str:
    """A diagram with more in its process and its drawing."""
    xml = (
        xml.replace("</bpmn:laneSet>", "</bpmn:laneSet>" + more, 1)
        if first
        else changed(xml, "</bpmn:process>", more + "</bpmn:process>")
    )
    return changed(xml, "</bpmndi:BPMNPlane>", boxes + "</bpmndi:BPMNPlane>")


def default_namespace(xml: str) -> str:
    return (
        xml.replace("<bpmn:", "<")
        .replace("</bpmn:", "</")
        .replace("xmlns:bpmn=", "xmlns=")
        .replace("bpmn:tFormal", "tFormal")
    )


def with_pools(xml: str) -> str:
    height = 200 * xml.count("<bpmn:lane ")
    task = re.findall(r'<bpmn:(?:userTask|endEvent) id="([^"]+)"', xml)[0]
    found = re.search(rf'bpmnElement="{task}"><dc:Bounds x="(\d+)" y="(\d+)"', xml)
    assert found
    x, y = int(found[1]) + 9, int(found[2]) + 9
    at = f'<di:waypoint x="{x}" y="{y}" /><di:waypoint x="{x}" y="-200" />'
    pools = (
        '<bpmn:collaboration id="col"><bpmn:participant id="kami" name="Kantor" processRef="proc" />'
        '<bpmn:participant id="warga" name="Warga" />'
        f'<bpmn:messageFlow id="pesan" name="Surat" sourceRef="{task}" targetRef="warga" /></bpmn:collaboration>'
    )
    wide = re.search(r'bpmnElement="lane_0"><dc:Bounds x="160" y="100" width="(\d+)"', xml)
    assert wide
    boxes = (
        shape("kami", f'x="130" y="100" width="{int(wide[1]) + 30}" height="{height}"')
        + shape("warga", 'x="130" y="-260" width="900" height="60"')
        + f'<bpmndi:BPMNEdge id="pesan_di" bpmnElement="pesan">{at}</bpmndi:BPMNEdge>'
    )
    xml = changed(changed(xml, "<bpmn:process ", f"{pools}<bpmn:process "), 'bpmnElement="proc"', 'bpmnElement="col"')
    return in_process(xml, "", boxes)


def with_data(xml: str) -> str:
    task = re.findall(r'<bpmn:(?:userTask|endEvent) id="([^"]+)"', xml)[0]
    joined = (
        '<bpmn:property id="tujuan" name="__targetRef_placeholder" /><bpmn:dataInputAssociation id="masuk">'
        "<bpmn:sourceRef>arsip</bpmn:sourceRef><bpmn:targetRef>tujuan</bpmn:targetRef></bpmn:dataInputAssociation>"
    )
    whole = re.search(rf'<bpmn:(userTask|endEvent) id="{task}".*?</bpmn:\1>', xml, re.DOTALL)
    assert whole
    xml = changed(xml, whole[0], whole[0].replace(f"</bpmn:{whole[1]}>", f"{joined}</bpmn:{whole[1]}>"))
    data = (
        '<bpmn:dataObject id="surat_isi" /><bpmn:dataObjectReference id="surat" name="Surat" '
        'dataObjectRef="surat_isi" />'
        '<bpmn:dataStoreReference id="arsip" name="Arsip" />'
    )
    line = '<di:waypoint x="300" y="-100" /><di:waypoint x="260" y="200" />'
    return in_process(
        xml,
        data,
        shape("surat", 'x="200" y="-160" width="36" height="50"')
        + shape("arsip", 'x="280" y="-160" width="50" height="50"')
        + f'<bpmndi:BPMNEdge id="masuk_di" bpmnElement="masuk">{line}</bpmndi:BPMNEdge>',
    )


def with_notes(xml: str) -> str:
    notes = (
        '<bpmn:textAnnotation id="catatan"><bpmn:text>Lihat Perbup\nNomor 8</bpmn:text></bpmn:textAnnotation>'
        '<bpmn:association id="garis" sourceRef="mulai" targetRef="catatan" />'
        '<bpmn:group id="kelompok" categoryValueRef="nilai" />'
    )
    boxes = (
        shape("catatan", 'x="200" y="20" width="100" height="40"')
        + shape("kelompok", 'x="170" y="110" width="400" height="160"')
        + '<bpmndi:BPMNEdge id="garis_di" bpmnElement="garis"><di:waypoint x="1" y="1" />'
        '<di:waypoint x="2" y="2" /></bpmndi:BPMNEdge>'
    )
    xml = changed(
        xml,
        "<bpmn:process ",
        '<bpmn:category id="kategori"><bpmn:categoryValue id="nilai" value="Tahap 1" /></bpmn:category><bpmn:process ',
    )
    return in_process(xml, notes, boxes)


def with_due(xml: str) -> str:
    tasks = re.findall(r'<bpmn:userTask id="([^"]+)"', xml)
    if not tasks:
        return xml
    boxes = "".join(
        shape(id, f'x="{x}" y="-150" width="{width}" height="36"')
        for id, x, width in (("due", 600, 300), ("due_start", 620, 36), ("due_end", 820, 36))
    )
    return in_process(xml, DEADLINE.replace('"task1"', f'"{tasks[-1]}"'), boxes)


def with_lanes_in_lanes(xml: str) -> str:
    lanes = re.search(r"<bpmn:laneSet.*</bpmn:laneSet>", xml, re.DOTALL)
    assert lanes
    inner = lanes[0].replace('<bpmn:laneSet id="lane_set">', "").replace("</bpmn:laneSet>", "")
    return changed(
        xml,
        lanes[0],
        f'<bpmn:laneSet id="lane_set"><bpmn:lane id="kantor" name="Kantor Kecamatan">'
        f'<bpmn:childLaneSet id="dalam">{inner}</bpmn:childLaneSet></bpmn:lane></bpmn:laneSet>',
    )


def signed(xml: str) -> str:
    """As Signavio writes."""
    extension = (
        '<bpmn:extensionElements><signavio:signavioMetaData xmlns:signavio="http://www.signavio.com" '
        'metaKey="bgcolor" metaValue="#ffffff" /></bpmn:extensionElements>'
    )
    xml = xml.replace('<bpmn:process id="proc"', '<bpmn:process isClosed="false" processType="None" id="proc"').replace(
        'id="file"',
        'exporter="Signavio Process Editor, http://www.signavio.com" exporterVersion="17" id="file" '
        'expressionLanguage="http://www.w3.org/1999/XPath" typeLanguage="http://www.w3.org/2001/XMLSchema"',
    )
    return (
        xml.replace('<bpmn:laneSet id="lane_set">', f'{extension}<bpmn:laneSet id="lane_set">')
        .replace(
            "<bpmn:userTask ",
            '<bpmn:userTask completionQuantity="1" isForCompensation="false" startQuantity="1" '
            'implementation="webService" ',
        )
        .replace("<bpmndi:BPMNShape ", '<bpmndi:BPMNShape isHorizontal="true" ')
    )


def of_camunda(xml: str) -> str:
    return (
        xml.replace(
            'id="file"',
            'id="file" xmlns:modeler="http://camunda.org/schema/modeler/1.0" exporter="Camunda '
            'Modeler" exporterVersion="5.30.0" modeler:executionPlatform="Camunda Platform" '
            'modeler:executionPlatformVersion="7.22.0" camunda:diagramRelationId="1b2c"',
        )
        .replace('isExecutable="true"', 'isExecutable="true" camunda:historyTimeToLive="180" camunda:versionTag="2"')
        .replace("<bpmn:userTask ", '<bpmn:userTask camunda:asyncBefore="true" camunda:exclusive="false" ')
    )


def coloured(xml: str) -> str:
    pairs = (("#1e88e5", "#bbdefb"), ("#831311", "#ffcdd2"), ("#000000", "#ffffff"), ("black", "rgb(255, 200, 0)"))
    turn = iter(pairs * 1_000)

    def one(_: re.Match[str]) -> str:
        stroke, fill = next(turn)
        return f'<bpmndi:BPMNShape {BIO} bioc:stroke="{stroke}" bioc:fill="{fill}" '

    return re.sub("<bpmndi:BPMNShape ", one, xml)


WAYS: dict[str, Callable[[str], str | bytes]] = {
    "as it is": lambda xml: xml,
    "default namespace": default_namespace,
    "another prefix": lambda xml: re.sub(r"(?<![a-z])bpmn(?=:[a-zA-Z])|(?<=xmlns:)bpmn(?==)", "semantic", xml),
    "Windows lines": lambda xml: xml.replace("\n", "\r\n"),
    "UTF-16": lambda xml: xml.replace("UTF-8", "UTF-16").encode("utf-16"),
    "a mark before": lambda xml: codecs.BOM_UTF8 + xml.encode(),
    "no declaration": lambda xml: xml.split("?>\n", 1)[1],
    "comments": lambda xml: xml.replace("\n<bpmn", "\n<!-- lihat <b> & - -->\n<bpmn"),
    "pools and messages": with_pools,
    "drawn data": with_data,
    "notes and groups": with_notes,
    "a deadline": with_due,
    "lanes in lanes": with_lanes_in_lanes,
    "Signavio": signed,
    "Camunda": of_camunda,
    "colours": coloured,
    "everything": lambda xml: of_camunda(
        coloured(with_notes(with_due(with_data(with_pools(with_lanes_in_lanes(xml))))))
    ),
    "not executable": lambda xml: xml.replace('isExecutable="true"', 'isExecutable="false"'),
    "other letters": lambda xml: xml.replace("Kantor", "Kantor é ✔️ 事 “x” µ α").replace(
        "Percobaan", "Uji – Percobaan Ω"
    ),
}


def ran(file: bytes, random: Random) -> Iterator[int]:
    """The number of tokens after each act of one run by lot, until nothing is left to do."""
    definition = diagram.read(file)
    transitions = execution.Transitions(definition, remember=False)
    acts = 0

    def choose(flow: SequenceFlow) -> bool:
        ways = definition.outgoing[flow.source]
        return flow == ways[-1] or (acts < 60 and random.random() < 0.5)

    marking = transitions.start(choose).marking
    while acting := [token for token in marking.tokens if token.status in (OPEN, WAITING)]:
        acts += 1
        assert acts < 2_000
        # After a while what only reminds is let be, so that the run comes to its end.
        tasks = [one for one in acting if one.status == OPEN or definition.elements[one.element].attached_to is None]
        token = random.choice(tasks if acts > 60 else acting)
        act = transitions.complete if token.status == OPEN else transitions.fire
        marking = act(marking, token.number, choose).marking
        yield len(marking.tokens)
    assert marking.tokens == ()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed_of", range(12))
def test_an_honest_diagram_is_let_through_and_runs_to_its_end(way, seed_of):
    made = WAYS[way](Drawing(1_000 + seed_of * len(WAYS) + list(WAYS).index(way)).xml())
    file = made.encode() if isinstance(made, str) else made
    assert [(one.element, one.english) for one in said_of(file)] == []
    assert max(ran(file, Random(seed_of)), default=0) <= 40


# --- A smaller process is stuck and doubled exactly where the large one is ------------------------------------------


def test_what_is_played_of_a_reduced_process_is_what_the_whole_one_says(seed):
    random, said = Random(seed), {True: 0, False: 0}
    for _ in range(150):
        drawing = Drawing(random.randrange(10**9))
        if random.random() < 0.7:  # one flow leads elsewhere, so that it may or may not be sound
            at = random.randrange(len(drawing.flows) - 1)
            source, _, condition = drawing.flows[at]
            targets = sorted({b for _, b, _ in drawing.flows} - {source})
            drawing.flows[at] = (source, random.choice(targets), condition)
        found = said_of(drawing.xml())
        if any(
            "doubled" not in one.english and "twice at a time" not in one.english and "for ever" not in one.english
            for one in found
        ):
            continue
        definition = diagram.reread(drawing.xml().encode())
        whole = _Game(definition)
        try:
            whole.play()
        except TooMany:
            continue
        small = _Game(reduced(definition, whole.harmless))
        seen = small.play()
        assert bool(small.doubled or small.stuck) == bool(whole.doubled or whole.stuck), drawing.flows
        assert len(seen) <= 400
        said[bool(whole.doubled or whole.stuck)] += 1
    assert min(said.values()) > 2, said


# --- What a file may cost --------------------------------------------------------------------------------------------

CHECKING = """
import resource, sys
from pathlib import Path
from engine import diagram

held = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + 150_000_000, held + 150_000_000))
for file in sys.argv[1:]:
    data, spent = Path(file).read_bytes(), resource.getrusage(resource.RUSAGE_SELF)
    print(Path(file).name, flush=True)
    # The kernel ends what takes five seconds of the processor: a moment on any machine.
    resource.setrlimit(resource.RLIMIT_CPU, (int(spent.ru_utime + spent.ru_stime) + 5, resource.RLIM_INFINITY))
    diagram.check(data)
print("done")
"""
TAGS, MANY = 11_000, 250


def branches(many: int, more: str = "") -> str:
    rows = (f"both1>task{n} task{n}>both2 " + more.format(n=n) for n in range(many))
    return f"start>both1 both2>end {' '.join(rows)}"


def beside(text: str) -> str:
    return changed(SOUND, "</bpmn:process>", text + "</bpmn:process>")


def conditions_of(condition: str, many: int) -> str:
    flows = " ".join(f"choose>task{n} task{n}>end" for n in range(many))
    return drawn(f"start>choose {flows}", conditions={f"choose>task{n}": condition for n in range(many)})


DEAR = {
    "as large as may be": lambda: changed(SOUND, "?>", "?>" + " " * (MOST_BYTES - len(SOUND.encode()))),
    "as many lines as may be": lambda: changed(SOUND, "?>", "?>" + "\n" * (MOST_BYTES - len(SOUND.encode()))),
    "as many elements": lambda: beside("".join(f'<bpmn:userTask id="t{n}" />' for n in range(TAGS))),
    "as many flows": lambda: beside(
        "".join(f'<bpmn:sequenceFlow id="t{n}" sourceRef="start" targetRef="end" />' for n in range(TAGS))
    ),
    "as many processes": lambda: changed(
        SOUND,
        "</bpmn:definitions>",
        '<bpmn:process id="x" />' * TAGS + '<bpmn:collaboration id="c" /></bpmn:definitions>',
    ),
    "as many lanes": lambda: changed(
        SOUND, "<bpmn:lane ", "".join(f'<bpmn:lane id="l{n}" name="L {n}x" />' for n in range(TAGS)) + "<bpmn:lane "
    ),
    "as many references": lambda: changed(
        SOUND, "</bpmn:lane>", "<bpmn:flowNodeRef>task1</bpmn:flowNodeRef>" * TAGS + "</bpmn:lane>"
    ),
    "deep": lambda: beside("<bpmn:subProcess>" * TAGS + "</bpmn:subProcess>" * TAGS),
    "deep again and again": lambda: beside(("<bpmn:subProcess>" * 30 + "</bpmn:subProcess>" * 30) * MANY),
    "unknown attributes": lambda: beside(
        "<bpmn:textAnnotation " + " ".join(f'a{n}="x"' for n in range(40_000)) + " />"
    ),
    "unknown properties": lambda: inside(
        "<bpmn:extensionElements><camunda:properties>"
        + "".join(f'<camunda:property name="sop.kelengkapa{n}" value="1" />' for n in range(TAGS))
        + "</camunda:properties></bpmn:extensionElements>"
    ),
    "other alphabets": lambda: beside(
        "".join(
            f'<bpmn:textAnnotation id="x{n}"><bpmn:text>{"éà " * 1_300}</bpmn:text></bpmn:textAnnotation>'
            for n in range(MANY)
        )
    ),
    "fields": lambda: inside(form(*(field(f"f{n}") for n in range(TAGS // 2)))),
    "choices": lambda: inside(form(field(type="enum", more=choices(*(f"v{n}" for n in range(TAGS)))))),
    "points of a line": lambda: SOUND.replace(
        "</bpmndi:BPMNEdge>", '<di:waypoint x="1" y="2" />' * TAGS + "</bpmndi:BPMNEdge>", 1
    ),
    "branches": lambda: drawn(branches(60)),
    "branches with timers": lambda: drawn(branches(60, "late{n}_task{n}>task{n}00 task{n}00>end{n}")),
    "branches of rows": lambda: drawn(
        "start>both1 both2>end "
        + " ".join(
            f"both1>task{n}00 {' '.join(f'task{n}0{k}>task{n}0{k + 1}' for k in range(8))} task{n}08>both2"
            for n in range(14)
        )
    ),
    "gateways to gateways": lambda: drawn(
        "start>choose0 "
        + " ".join(f"choose{a}>choose{b}" for a in range(44) for b in range(a + 1, 44))
        + " choose43>task1 task1>end",
        conditions={f"choose{a}>choose{b}": "1 = 1" for a in range(42) for b in range(a + 1, 44)},
    ),
    "splits to splits": lambda: drawn(
        "start>both0 " + " ".join(f"both{a}>both{b}" for a in range(44) for b in range(a + 1, 44)) + " both43>end"
    ),
    "fuel": lambda: conditions_of("count(for i in 1..9999 return count(for j in 1..9999 return i + j)) = 1", MANY),
    "names that unfold": lambda: changed(
        SOUND,
        "<bpmn:lane ",
        "".join(f'<bpmn:lane id="l{n}" name="{"ﷺ" * 40}{n}" />' for n in range(8_000)) + "<bpmn:lane ",
    ),
    "long conditions": lambda: conditions_of(" and ".join(["(1 + 2 * 3 &lt; 4)"] * 130), 36),
    "unknown names": lambda: conditions_of(" and ".join(f"jawabam{n} = 1" for n in range(200)), 26),
}


def test_no_file_costs_more_than_a_moment_and_a_little_memory(tmp_path):
    for name, made in DEAR.items():
        assert (tmp_path / name).write_bytes(made().encode()) <= MOST_BYTES
    files = [str(tmp_path / name) for name in DEAR]
    done = subprocess.run([sys.executable, "-c", CHECKING, *files], capture_output=True, cwd=ROOT)
    said = done.stdout.decode().splitlines()
    assert done.returncode == 0 and said[-1] == "done", (said[-1:], done.stderr.decode()[-2_000:])


def test_what_would_cost_most_is_not_even_parsed():
    for piece in ("<a/>", "<a><b x=''/></a>", " a=''"):
        (found,) = said_of(f"<r>{piece * 60_000}</r>")
        assert "too many tags" in found.english


def test_no_more_is_said_than_can_be_read():
    found = diagram.check(DEAR["as many elements"]().encode())
    assert len(found) <= 602 and "more findings" in found[0].english + found[-1].english + found[1].english
