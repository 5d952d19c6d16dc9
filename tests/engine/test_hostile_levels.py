"""Subprocesses, inclusive gateways and events of no type: what is drawn with them to do harm, and honestly.

Each hostile one is a sound diagram with one principle broken, and is refused at the element that breaks it. The honest
ones are drawn by lot, blocks in blocks and levels in levels; they are let through, run to their end, and rest only
where the gate's own game has rested.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from engine import diagram, execution
from engine.definition import DiagramError, ProcessDefinition, SequenceFlow
from engine.gate import MOST_NESTED
from engine.marking import ARMED, OPEN, WAITING
from engine.reduction import reduced
from engine.soundness import TooMany, _Game, resting_places
from tests.engine.test_gate import DEADLINE, changed, choices, form, shape, with_deadline
from tests.engine.test_gate import field as form_field
from tests.engine.test_hostile import CHECKING, ROOT, SOUND, WAYS, said_of, timer

KINDS = {
    "start": "startEvent", "end": "endEvent", "stop": "endEvent", "task": "userTask", "choose": "exclusiveGateway",
    "both": "parallelGateway", "any": "inclusiveGateway", "mark": "intermediateThrowEvent",
    "wait": "intermediateCatchEvent", "late": "boundaryEvent", "sub": "subProcess"}
SIZES = {"userTask": (100, 80), "subProcess": (0, 0)}
ASKED = form(form_field("jawaban", "enum", more=choices("ya", "tidak")))


@dataclass(frozen=True)
class Node:
    """One element: where it stands, what stands in it, and of a boundary event its host."""

    kind: str
    within: str | None = None
    inside: str = ""
    host: str = ""
    interrupts: bool = False
    attributes: str = ""


@dataclass
class Sheet:
    """A diagram of several levels: each level a row of its elements, a subprocess as large as what stands in it."""

    nodes: dict[str, Node] = field(default_factory=dict)
    flows: list[tuple[str, str, str]] = field(default_factory=list)     # source, target, condition or "default" or ""
    lanes: tuple[str, ...] = ("lane1",)
    lane_of: dict[str, str] = field(default_factory=dict)
    boxes: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)       # left top width height
    expanded: str = ' isExpanded="true"'
    process: str = ""

    def size(self, id: str) -> tuple[int, int]:
        if self.nodes[id].kind != "subProcess":
            return SIZES.get(self.nodes[id].kind, (50, 50) if self.nodes[id].kind.endswith("Gateway") else (36, 36))
        inside = [self.size(one) for one in self.level(id)]
        return 40 + sum(width + 60 for width, _ in inside), 100 + max([40, *(height for _, height in inside)])

    def level(self, within: str | None) -> list[str]:
        return [id for id, one in self.nodes.items() if one.within == within and one.kind != "boundaryEvent"]

    def place(self, within: str | None, left: int, middles: Callable[[str], int]) -> int:
        for id in self.level(within):
            width, height = self.size(id)
            self.boxes.setdefault(id, (left, middles(id) - height // 2, width, height))
            if self.nodes[id].kind == "subProcess":
                middle = middles(id)
                self.place(id, left + 40, lambda _, middle=middle: middle)
            left += width + 60
        hung: Counter[str] = Counter()
        for id, one in self.nodes.items():
            if one.kind == "boundaryEvent" and one.within == within and one.host in self.boxes:
                x, y, width, height = self.boxes[one.host]
                self.boxes.setdefault(id, (x + width - 50 - 40 * hung[one.host], y + height - 18, 36, 36))
                hung[one.host] += 1
        return left

    def point(self, id: str, leaving: bool) -> str:
        x, y, width, height = self.boxes.get(id, (0, 0, 0, 0))
        if id in self.nodes and self.nodes[id].kind == "subProcess":
            return f'<di:waypoint x="{x + width if leaving else x}" y="{y + height // 2}" />'
        return f'<di:waypoint x="{x + width // 2}" y="{y + height // 2}" />'

    def text(self, within: str | None) -> Iterator[str]:
        for id, one in self.nodes.items():
            if one.within != within:
                continue
            more = f' attachedToRef="{one.host}" cancelActivity="{str(one.interrupts).lower()}"' if one.host else ""
            default = next((f"{a}_{b}" for a, b, c in self.flows if a == id and c == "default"), "")
            more += f' default="{default}"' if default else ""
            yield f'<bpmn:{one.kind} id="{id}" name="{id}"{more}{one.attributes}>{one.inside}'
            if one.kind == "subProcess":
                yield from self.text(id)
            yield f"</bpmn:{one.kind}>"
        for source, target, condition in self.flows:
            if source in self.nodes and self.nodes[source].within == within:
                said = "" if condition in ("", "default") else (
                    f"<bpmn:conditionExpression>{condition}</bpmn:conditionExpression>")
                yield (f'<bpmn:sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">{said}'
                       "</bpmn:sequenceFlow>")

    def xml(self) -> str:
        tall = 200 + max([0, *(self.size(id)[1] for id in self.level(None))])
        homes = {id: self.lane_of.get(id, self.lanes[0]) for id in self.level(None)}
        right = self.place(None, 240, lambda id: 100 + tall * self.lanes.index(homes[id]) + tall // 2)
        homes |= {id: homes.get(one.host, self.lanes[0]) for id, one in self.nodes.items()
                  if one.kind == "boundaryEvent" and one.within is None}
        homes |= {id: lane for id, lane in self.lane_of.items() if id in self.nodes}
        lanes = "\n".join(
            f'<bpmn:lane id="{lane}" name="{lane}">\n' + "\n".join(
                f"<bpmn:flowNodeRef>{id}</bpmn:flowNodeRef>" for id in homes if homes[id] == lane) + "\n</bpmn:lane>"
            for lane in self.lanes)
        drawn = [shape(lane, f'x="160" y="{100 + tall * n}" width="{right}" height="{tall}"')
                 for n, lane in enumerate(self.lanes)]
        for id, (x, y, width, height) in self.boxes.items():
            one = shape(id, f'x="{x}" y="{y}" width="{width}" height="{height}"')
            drawn.append(one.replace("><dc", f"{self.expanded}><dc", 1) if self.nodes[id].kind == "subProcess" else one)
        drawn += [f'<bpmndi:BPMNEdge id="{a}_{b}_di" bpmnElement="{a}_{b}">{self.point(a, True)}{self.point(b, False)}'
                  "</bpmndi:BPMNEdge>" for a, b, _ in self.flows]
        newline = "\n"
        return f"""{SOUND[: SOUND.index("<bpmn:process")]}<bpmn:process id="proc" name="Percobaan" isExecutable="true">
<bpmn:laneSet id="lane_set">{lanes}</bpmn:laneSet>
{newline.join(self.text(None))}
{self.process}
</bpmn:process>
<bpmndi:BPMNDiagram id="page"><bpmndi:BPMNPlane id="plane" bpmnElement="proc">
{newline.join(drawn)}
</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
</bpmn:definitions>
"""


def sheet(*levels: str, conditions: dict[str, str] | None = None, inside: dict[str, str] | None = None,
          within: dict[str, str] | None = None) -> Sheet:
    """A sheet out of levels: "sub1: start2>task2 task2>end2" is what stands in sub1, without a name the process.

    conditions  by flow; those of inclusive and exclusive gateways that choose are else `jawaban = "ya"`
    inside      what stands in an element, besides what it must
    within      subprocess of a subprocess
    A boundary event late1_task1 interrupts task1, late0_task1 does not. The first task asks `jawaban`.
    """
    made, conditions, inside, within = Sheet(), conditions or {}, inside or {}, within or {}
    for level in levels:
        name, _, flows = level.rpartition(": ")
        pairs = [tuple(one.split(">")) for one in flows.split()]
        for id in dict.fromkeys(id for pair in pairs for id in pair):
            if id not in made.nodes:
                kind = next(kind for prefix, kind in KINDS.items() if id.startswith(prefix))
                what = {"wait": timer("timeDuration", "P1D"), "late": timer("timeDuration", "P2D"),
                        "stop": "<bpmn:terminateEventDefinition />"}.get(re.match("[a-z]+", id)[0], "")  # type: ignore[index]
                what = inside.get(id, ASKED if id == "task1" else "") + what
                made.nodes[id] = Node(kind, within.get(id) or name or None, what,
                                      host=id.partition("_")[2] if kind == "boundaryEvent" else "",
                                      interrupts=id.startswith("late1"))
        for source, target in pairs:
            ways = [b for a, b in pairs if a == source]
            chooses = source.startswith(("choose", "any")) and len(ways) > 1
            said = 'jawaban = "ya"' if chooses else ""
            made.flows.append((source, target, conditions.get(f"{source}>{target}", said)))
    return made


PLAIN = ("start1>task1 task1>sub1 sub1>end1", "sub1: start2>task2 task2>end2")
ANY = "start1>task1 task1>any1 any1>task2 any1>task3 task2>any2 task3>any2 any2>end1"
TWICE = ("start1>task1 task1>sub1 sub1>end1", "sub1: start2>sub2 sub2>end2", "sub2: start3>task3 task3>end3")


def test_what_the_hostile_ones_are_made_of_is_sound():
    for levels in (PLAIN, (ANY,), TWICE, (*PLAIN[:1], "sub1: start2>task2 task2>mark2 mark2>end2")):
        assert [(one.element, one.english) for one in said_of(sheet(*levels).xml())] == []


# --- Hostile ones ----------------------------------------------------------------------------------------------------

HOSTILE: list[tuple[str, str, str]] = []


def hostile(name: str, made: Sheet | str, element: str) -> None:
    HOSTILE.append((name, made if isinstance(made, str) else made.xml(), element))


def edited(made: Sheet, id: str, **change: str | None) -> Sheet:
    made.nodes[id] = replace(made.nodes[id], **change)      # type: ignore[arg-type]
    return made


def beside(made: Sheet, within: str, xml: str) -> str:
    return changed(made.xml(), f'<bpmn:subProcess id="{within}" name="{within}">',
                   f'<bpmn:subProcess id="{within}" name="{within}">{xml}')


# What a subprocess must hold
hostile("an empty subprocess", sheet(PLAIN[0]), "sub1")
hostile("no start", sheet(PLAIN[0], "sub1: task2>end2"), "sub1")
hostile("no end", sheet(PLAIN[0], "sub1: start2>task2 task2>task3 task3>task2"), "sub1")
hostile("two starts", sheet(PLAIN[0], "sub1: start2>task2 start3>choose4 choose4>task2 task2>end2"), "start3")
for kind in ("timeDuration", "timeDate", "timeCycle"):
    text = {"timeDuration": "P1D", "timeDate": "2027-03-01T08:00:00+07:00", "timeCycle": "R3/P1D"}[kind]
    hostile(f"a start that waits for a {kind}", edited(sheet(*PLAIN), "start2", inside=timer(kind, text)), "start2")
for event in ("message", "signal", "conditional", "error", "escalation", "compensate"):
    what = f'<bpmn:{event}EventDefinition id="what" />'
    hostile(f"a start of type {event}", edited(sheet(*PLAIN), "start2", inside=what), "what")
    hostile(f"an end of type {event}", edited(sheet(*PLAIN), "end2", inside=what), "what")
    hostile(f"an intermediate event that throws {event}", edited(
        sheet(PLAIN[0], "sub1: start2>task2 task2>mark2 mark2>end2"), "mark2", inside=what), "what")
    hostile(f"a boundary event of type {event}", edited(
        sheet(PLAIN[0] + " late1_sub1>end3", PLAIN[1]), "late1_sub1", inside=what), "what")
hostile("a throw event with a timer", edited(sheet(PLAIN[0], "sub1: start2>task2 task2>mark2 mark2>end2"), "mark2",
                                             inside='<bpmn:timerEventDefinition id="what" />'), "what")
hostile("a form at its start", edited(sheet(*PLAIN), "start2", inside=ASKED), "start2")
hostile("who may start it", edited(sheet(*PLAIN), "start2", inside=(
    "<bpmn:extensionElements><camunda:properties>"
    '<camunda:property name="sop.pemulai" value="lane1" /></camunda:properties></bpmn:extensionElements>')), "start2")
hostile("a property of the deadline", edited(sheet(*PLAIN), "sub1", inside=(
    "<bpmn:extensionElements><camunda:properties>"
    '<camunda:property name="sop.tenggatUntuk" value="task1" /></camunda:properties></bpmn:extensionElements>')),
    "sub1")
hostile("a form of its own", edited(sheet(*PLAIN), "sub1", inside=ASKED), "sub1")
hostile("lanes in it", beside(sheet(*PLAIN), "sub1", (
    '<bpmn:laneSet id="inner"><bpmn:lane id="lane9" name="Dalam"><bpmn:flowNodeRef>task2</bpmn:flowNodeRef></bpmn:lane>'
    "</bpmn:laneSet>")), "inner")
hostile("a deadline in it", beside(sheet(*PLAIN), "sub1", DEADLINE), "due")
for loop in ("multiInstanceLoopCharacteristics", "standardLoopCharacteristics", "ioSpecification"):
    hostile(f"{loop} of it", edited(sheet(*PLAIN), "sub1", inside=f'<bpmn:{loop} id="what" />'), "what")
for kind in ("transaction", "adHocSubProcess", "callActivity"):
    hostile(f"{kind} instead", edited(sheet(PLAIN[0]), "sub1", kind=kind), "sub1")
for kind in ("scriptTask", "serviceTask", "complexGateway", "eventBasedGateway", "callActivity", "adHocSubProcess",
             "transaction", "task", "manualTask"):
    hostile(f"{kind} in it", beside(sheet(*PLAIN), "sub1", f'<bpmn:{kind} id="what" />'), "what")
for attribute in ('isForCompensation="true"', 'startQuantity="2"', 'completionQuantity="3"',
                  'camunda:asyncBefore="${x}"', 'camunda:variableMappingClass="x"', 'onload="x"',
                  'default="sub1_end1"'):
    hostile(f"{attribute} of it", edited(sheet(*PLAIN), "sub1", attributes=f" {attribute}"), "sub1")
hostile("an event subprocess that is no deadline", edited(sheet(*PLAIN), "sub1", attributes=' triggeredByEvent="true"'),
        "sub1")
hostile("a user task in the deadline", with_deadline(DEADLINE.replace(
    "<bpmn:endEvent", '<bpmn:userTask id="hidden" /><bpmn:endEvent')), "hidden")
hostile("a subprocess in the deadline", with_deadline(DEADLINE.replace(
    "<bpmn:endEvent", '<bpmn:subProcess id="hidden" /><bpmn:endEvent')), "hidden")
hostile("a script hidden in extensions", edited(sheet(*PLAIN), "sub1", inside=(
    "<bpmn:extensionElements><bpmn:scriptTask id='what'><bpmn:script>1</bpmn:script></bpmn:scriptTask>"
    "</bpmn:extensionElements>")), "what")


def deep(levels: int) -> Sheet:
    rows = [PLAIN[0], *(f"sub{n}: start{n + 1}>sub{n + 1} sub{n + 1}>end{n + 1}" for n in range(1, levels)),
            f"sub{levels}: start{levels + 1}>task9 task9>end{levels + 1}"]
    return sheet(*rows)


hostile("one level too deep", deep(MOST_NESTED + 1), f"sub{MOST_NESTED + 1}")

# Borders
for source, target in (("task1", "task2"), ("task2", "end1"), ("start1", "start2"), ("end2", "end1"),
                       ("sub1", "task2"), ("task2", "sub1"), ("task2", "task6")):
    made = sheet("start1>task1 task1>both7 both7>sub1 both7>sub2 sub1>both8 sub2>both8 both8>end1", PLAIN[1],
                 "sub2: start6>task6 task6>end6")
    made.flows.append((source, target, ""))
    hostile(f"a flow from {source} to {target}", made, f"{source}_{target}")
made = sheet(*PLAIN)
hostile("a flow written in another level", changed(
    made.xml(), '<bpmn:sequenceFlow id="start2_task2" sourceRef="start2" targetRef="task2"></bpmn:sequenceFlow>', ""
).replace('<bpmn:sequenceFlow id="start1_task1"',
          '<bpmn:sequenceFlow id="start2_task2" sourceRef="start2" targetRef="task2" />\n'
          '<bpmn:sequenceFlow id="start1_task1"'), "start2_task2")
hostile("a boundary event outside of what it is attached to", edited(
    sheet(PLAIN[0] + " late1_task2>end3", PLAIN[1]), "late1_task2"), "late1_task2")
hostile("a boundary event inside of what it is attached to", edited(
    sheet(PLAIN[0], PLAIN[1] + " late1_sub1>end3"), "late1_sub1"), "late1_sub1")
hostile("a boundary event on a gateway", edited(sheet(ANY + " late1_any1>end3"), "late1_any1"), "late1_any1")
hostile("a boundary event on a throw event", edited(
    sheet("start1>task1 task1>mark1 mark1>end1 late1_mark1>end3"), "late1_mark1"), "late1_mark1")
hostile("two ways out of a subprocess", sheet(PLAIN[0] + " sub1>end3", PLAIN[1]), "sub1")
hostile("no way out of a subprocess", sheet("start1>task1 task1>choose1 choose1>sub1 choose1>end1", PLAIN[1]), "sub1")
hostile("no way into a subprocess", sheet("start1>task1 task1>end1 sub1>end1", PLAIN[1]), "sub1")
hostile("two ways out of a milestone", sheet("start1>task1 task1>mark1 mark1>end1 mark1>end2"), "mark1")
hostile("no way out of a milestone", sheet("start1>task1 task1>choose1 choose1>mark1 choose1>end1"), "mark1")
hostile("what nobody comes to in it", sheet(PLAIN[0], PLAIN[1] + " task3>end2"), "task3")
hostile("what does not end in it", sheet(
    PLAIN[0], "sub1: start2>choose2 choose2>end2 choose2>task2 task2>task3 task3>task2"), "task2")
hostile("a message out of it", changed(sheet(*PLAIN).xml(), "</bpmn:process>", (
    '<bpmn:messageFlow id="what" sourceRef="task2" targetRef="task1" /></bpmn:process>')), "what")
hostile("nobody performs in it", changed(sheet(*PLAIN).xml(), "<bpmn:flowNodeRef>sub1</bpmn:flowNodeRef>", ""), "task2")
hostile("two lanes for one step", changed(sheet(*PLAIN).xml(), "<bpmn:flowNodeRef>sub1</bpmn:flowNodeRef>", (
    "<bpmn:flowNodeRef>sub1</bpmn:flowNodeRef><bpmn:flowNodeRef>task2</bpmn:flowNodeRef>"
    "<bpmn:flowNodeRef>task2</bpmn:flowNodeRef>")), "task2")
hostile("one id on two levels", sheet(*PLAIN).xml().replace('"task2"', '"task1"'), "task1")
hostile("itself in itself", sheet(*TWICE).xml().replace('"sub2"', '"sub1"'), "sub1")

# Inclusive gateways
hostile("a way without a condition", sheet(ANY, conditions={"any1>task2": ""}), "any1_task2")
hostile("an empty condition", sheet(ANY, conditions={"any1>task2": "default", "any1>task3": " "}), "any1_task3")
hostile("a default with a condition", sheet(ANY).xml().replace(
    '<bpmn:inclusiveGateway id="any1"', '<bpmn:inclusiveGateway default="any1_task2" id="any1"'), "any1_task2")
hostile("a default that is another's", sheet(ANY).xml().replace(
    '<bpmn:inclusiveGateway id="any1"', '<bpmn:inclusiveGateway default="any2_end1" id="any1"'), "any1")
hostile("a default of a join", sheet(ANY).xml().replace(
    '<bpmn:inclusiveGateway id="any2"', '<bpmn:inclusiveGateway default="any2_end1" id="any2"'), "any2")
hostile("a condition behind a join", sheet(ANY, conditions={"any2>end1": "1 = 1"}), "any2_end1")
for condition in ('exec("x")', "jawaban ==", "1", "jawabn = 1", "__import__", "null"):
    hostile(f"the condition {condition}", sheet(ANY, conditions={"any1>task2": condition}), "any1_task2")
hostile("conditions of which none can hold", sheet(
    ANY, conditions={"any1>task2": "1 = 2", "any1>task3": "1 = 3"}), "any1")
MANY = " ".join(f"any1>task{n} task{n}>any2" for n in range(2, 11))
hostile("nine ways", sheet(f"start1>task1 task1>any1 {MANY} any2>end1"), "any1")
hostile("joined by a parallel gateway", sheet(ANY.replace("any2", "both2")), "both2")
hostile("not joined at all", sheet(
    ANY.replace("any2>end1", "any2>task4 task4>end1").replace("any2", "choose2")), "task4")
hostile("branches that meet at once", sheet(
    "start1>task1 task1>any1 any1>choose2 any1>choose3 choose3>choose2 choose2>task4 task4>end1"), "choose2")
hostile("branches that meet behind a milestone", sheet(
    "start1>task1 task1>any1 any1>mark2 any1>mark3 mark2>choose2 mark3>choose2 choose2>task4 task4>end1"), "choose2")
AGAIN = "start1>choose9 choose9>any1 any1>task2 any1>task3 task2>any2 task3>any2 any2>task1 task1>choose1 choose1>end1"
hostile("a join in a loop", sheet(AGAIN + " choose1>choose9"), "any2")
hostile("a join in a loop over a timer", sheet(
    "start1>choose9 choose9>task1 task1>any1 any1>task2 any1>task3 task2>any2 task3>any2 any2>task4 task4>end1 "
    "late1_task4>choose9"), "any2")
hostile("a join that leads to itself", sheet(
    "start1>task1 task1>any2 any2>task2 task2>choose1 choose1>any2 choose1>end1"), "any2")
hostile("a join in a loop in a subprocess", sheet(
    "start1>task1 task1>sub1 sub1>end1",
    "sub1: start2>choose9 choose9>any3 any3>task2 any3>task3 task2>any4 task3>any4 any4>task5 task5>choose5 "
    "choose5>choose9 choose5>end2"), "any4")
hostile("a loop that never waits, over an inclusive gateway", sheet(
    "start1>task1 task1>choose2 choose2>any1 any1>choose2 any1>end1"), "any1")
hostile("a loop that never waits, over a milestone", sheet(
    "start1>task1 task1>choose2 choose2>mark1 mark1>choose3 choose3>choose2 choose3>end1"), "choose2")
hostile("a loop over a subprocess that may be over at once", sheet(
    "start1>task1 task1>choose2 choose2>sub1 sub1>choose3 choose3>choose2 choose3>end1",
    "sub1: start2>choose4 choose4>task2 choose4>end2 task2>end2"), "choose2")
hostile("a loop over a subprocess of milestones", sheet(
    "start1>task1 task1>choose2 choose2>sub1 sub1>choose3 choose3>choose2 choose3>end1",
    "sub1: start2>mark2 mark2>sub2 sub2>end2", "sub2: start4>mark4 mark4>end4"), "choose2")
hostile("a loop over a subprocess that one branch ends", sheet(
    "start1>task1 task1>choose2 choose2>sub1 sub1>choose3 choose3>choose2 choose3>end1",
    "sub1: start2>both4 both4>task2 both4>stop2 task2>end2"), "choose2")

# Soundness on each level
hostile("stuck in a subprocess", sheet(
    PLAIN[0], "sub1: start2>choose4 choose4>task2 choose4>task3 task2>both5 task3>both5 both5>end2"), "both5")
hostile("doubled in a subprocess", sheet(
    PLAIN[0], "sub1: start2>both4 both4>task2 both4>task3 task2>choose5 task3>choose5 choose5>task4 task4>end2"),
    "task4")
hostile("a subprocess entered twice at a time", sheet(
    "start1>both1 both1>task1 both1>task3 task1>choose1 task3>choose1 choose1>sub1 sub1>end1", PLAIN[1]), "sub1")
hostile("a timer that opens it again", sheet(
    "start1>task1 task1>choose1 choose1>sub1 sub1>end1 late0_sub1>choose1", PLAIN[1]), "sub1")
hostile("an interrupting timer into a parallel join", sheet(
    "start1>both1 both1>sub1 both1>task3 sub1>both2 task3>both2 both2>end1 late1_sub1>end3", PLAIN[1]), "both2")
hostile("stuck two levels down", sheet(
    *TWICE[:2], "sub2: start3>choose4 choose4>task2 choose4>task3 task2>both5 task3>both5 both5>end3"), "both5")
hostile("a fork that always goes back", sheet(
    "start1>choose1 choose1>task1 task1>both1 both1>choose1 both1>end1"), "task1")
hostile("an inclusive gateway that always goes back, in a subprocess", sheet(
    PLAIN[0], "sub1: start2>choose1 choose1>task2 task2>both1 both1>choose1 both1>any1 any1>end2 any1>end3"), "task2")


# Drawings
def moved(made: Sheet, id: str, x: int, y: int, width: int = 0, height: int = 0) -> str:
    xml = made.xml()
    box = re.search(rf'bpmnElement="{id}"[^>]*><dc:Bounds x="(-?\d+)" y="(-?\d+)" width="(\d+)" height="(\d+)"', xml)
    assert box
    left, top, wide, high = map(int, box.groups())
    new = f'x="{left + x}" y="{top + y}" width="{width or wide}" height="{height or high}"'
    return xml.replace(box[0], re.sub(r'x="-?\d+" y="-?\d+" width="\d+" height="\d+"', new, box[0]))


folded = sheet(*PLAIN)
folded.expanded = ' isExpanded="false"'
hostile("folded", folded, "sub1")
inner = sheet(*PLAIN).xml()
for id in ("start2", "task2", "end2"):
    hostile(f"{id} is not drawn", re.sub(rf'<bpmndi:BPMNShape id="{id}_di".*?</bpmndi:BPMNShape>', "", inner), id)
    hostile(f"{id} is drawn outside of it", moved(sheet(*PLAIN), id, 0, 120), id)
hostile("a flow in it is not drawn", re.sub(
    r'<bpmndi:BPMNEdge id="task2_end2_di".*?</bpmndi:BPMNEdge>', "", inner), "task2_end2")
hostile("it is not drawn", re.sub(r'<bpmndi:BPMNShape id="sub1_di".*?</bpmndi:BPMNShape>', "", inner), "sub1")
hostile("what stands in it on another page", inner.replace("</bpmndi:BPMNDiagram>", (
    '</bpmndi:BPMNDiagram><bpmndi:BPMNDiagram id="more"><bpmndi:BPMNPlane id="plane9" bpmnElement="sub1" />'
    "</bpmndi:BPMNDiagram>")), "more")
hostile("smaller than what stands in it", moved(sheet(*PLAIN), "sub1", 60, 60, 20, 20), "task2")
hostile("a step of the process drawn in it", moved(sheet(*PLAIN), "task1", 260, 0), "task2")
wide = sheet("start1>sub1 sub1>task1 task1>end1", "sub1: start2>task2 task2>end2")
hostile("it covers a step behind it", moved(wide, "sub1", 0, 0, 560), "task1")
hostile("a step drawn over a step in it", moved(sheet(*PLAIN), "end2", -140, 0), "end2")
on_edge = sheet(PLAIN[0] + " late0_sub1>end3", PLAIN[1])
hostile("a timer in the middle of it", moved(on_edge, "late0_sub1", -60, -90), "late0_sub1")
step = re.search(r'bpmnElement="task2"><dc:Bounds x="(\d+)" y="(\d+)"', inner)
assert step
hostile("a flow that is drawn to a step in it", re.sub(
    r'(bpmnElement="task1_sub1">.*?)<di:waypoint [^>]*/>(</bpmndi:BPMNEdge>)',
    rf'\1<di:waypoint x="{int(step[1]) + 50}" y="{int(step[2]) + 40}" />\2', inner), "task1_sub1")
two = sheet(*PLAIN)
two.lanes = ("lane1", "lane2")
hostile("a step in it drawn in another lane", moved(two, "task2", 0, 340), "task2")
two = sheet(*PLAIN)
two.lanes, two.lane_of = ("lane1", "lane2"), {"task2": "lane2"}
hostile("a step in it named by another lane", two, "task2")
hostile("it is drawn in another lane", moved(two, "sub1", 0, 340), "sub1")
hostile("white on white", inner.replace('<bpmndi:BPMNShape id="sub1_di"', (
    '<bpmndi:BPMNShape xmlns:bioc="http://bpmn.io/schema/bpmn/biocolor/1.0" bioc:stroke="#fff" id="sub1_di"')), "sub1")
hostile("the deadline drawn in it", changed(inner, "</bpmn:process>", DEADLINE + "</bpmn:process>").replace(
    "</bpmndi:BPMNPlane>", "".join(shape(id, f'x="{x}" y="230" width="{width}" height="36"') for id, x, width in (
        ("due", 620, 260), ("due_start", 625, 36), ("due_end", 820, 36))) + "</bpmndi:BPMNPlane>"), "due")


@pytest.mark.parametrize("name, file, element", HOSTILE, ids=[name for name, _, _ in HOSTILE])
def test_a_hostile_diagram_is_refused_at_the_element_that_breaks_the_rule(name, file, element):
    found = said_of(file)
    assert element in {one.element for one in found}, [(one.element, one.english) for one in found]
    for one in found:
        assert 1 <= one.line <= file.count("\n") + 1 and one.message != one.english
        for text in (one.message, one.english):
            assert len(text) > 30 and text.rstrip()[-1] in '.)"', one
    with pytest.raises(DiagramError):
        diagram.read(file.encode())


def test_there_are_more_than_a_hundred_of_them():
    assert len(HOSTILE) > 100 and len({file for _, file, _ in HOSTILE}) == len(HOSTILE)


# --- Honest ones -----------------------------------------------------------------------------------------------------


class Lot:
    """A process of several levels drawn by lot: rows, choices, loops, forks, inclusive blocks, subprocesses, timers."""

    def __init__(self, seed: int):
        self.random, self.sheet = Random(seed), Sheet()
        self.scope: str | None = None
        self.looping = 0                    # an inclusive join stands in no loop of its own level
        self.level(None, self.random.randint(2, 4))
        if self.random.random() < 0.5:
            self.sheet.lanes = ("camat", "sekretaris")
            self.sheet.lane_of = {id: self.random.choice(self.sheet.lanes) for id in self.sheet.level(None)}
        else:
            self.sheet.lanes = ("camat",)
        for id in self.sheet.nodes:         # a step that its lane names although its subprocess does already
            around = self.sheet.nodes[id].within
            if around in self.sheet.level(None) and self.random.random() < 0.1:
                self.sheet.lane_of[id] = self.sheet.lane_of.get(around or "", self.sheet.lanes[0])

    def node(self, kind: str, inside: str = "", **more: object) -> str:
        id = f"{kind}_{len(self.sheet.nodes):02}"
        self.sheet.nodes[id] = Node(kind, self.scope, inside, **more)  # type: ignore[arg-type]
        return id

    def flow(self, source: str, target: str, condition: str = "") -> None:
        self.sheet.flows.append((source, target, condition))

    def level(self, scope: str | None, depth: int) -> None:
        before, self.scope = (self.scope, self.looping), scope
        self.looping = 0
        self.flow(self.node("startEvent"), (block := self.block(depth))[0])
        if scope is not None and self.random.random() < 0.3:        # several ends, one of which may end all in it
            split, more = self.node("parallelGateway"), self.block(0)
            self.flow(block[1], split)
            for last in (split, more[1]):
                self.flow(last, self.node("endEvent", self.random.choice(("", "<bpmn:terminateEventDefinition />"))))
            self.flow(split, more[0])
        else:
            self.flow(block[1], self.node("endEvent"))
        self.scope, self.looping = before

    def block(self, depth: int) -> tuple[str, str]:
        if depth <= 0:
            return self.step()
        kinds = (self.row, self.choose, self.both, self.again, self.any, self.any, self.sub, self.sub, self.step)
        return self.random.choice(kinds)(depth - 1)

    def step(self, depth: int = 0) -> tuple[str, str]:
        lot = self.random.random()
        if lot < 0.1:
            id = self.node("intermediateCatchEvent", timer("timeDuration", "PT4H"))
        elif lot < 0.2:
            first, last = self.node("intermediateThrowEvent"), self.node("userTask")
            self.flow(first, last)
            return first, last
        else:
            id = self.node("userTask")
            return id, self.timed(id)
        return id, id

    def timed(self, id: str) -> str:
        """Timers at the edge of a step or subprocess, and where its way goes on."""
        last = id
        if self.random.random() < 0.4:
            late = self.node("boundaryEvent", self.random.choice((
                timer("timeDuration", "P2D"), timer("timeCycle", "R3/P1D"))), host=id)
            self.flow(late, self.node("endEvent"))
        if self.random.random() < 0.3:
            late = self.node("boundaryEvent", timer("timeDuration", "P5D"), host=id, interrupts=True)
            last = self.node("exclusiveGateway")
            self.flow(id, last)
            self.flow(late, last)
        return last

    def row(self, depth: int) -> tuple[str, str]:
        (first, middle), (other, last) = self.block(depth), self.block(depth)
        self.flow(middle, other)
        return first, last

    def asked(self, kind: str) -> tuple[str, str, str]:
        name = f"putusan{len(self.sheet.nodes)}"
        ask = self.node("userTask", form(form_field(name, "enum", more=choices("ya", "tidak"))))
        gateway = self.node(kind)
        self.flow(ask, gateway)
        return ask, gateway, name

    def choose(self, depth: int) -> tuple[str, str]:
        (ask, split, name), merge = self.asked("exclusiveGateway"), self.node("exclusiveGateway")
        for condition in (f'={name} = "ya"', "default"):
            first, last = self.block(depth)
            self.flow(split, first, condition)
            self.flow(last, merge)
        return ask, merge

    def both(self, depth: int) -> tuple[str, str]:
        split, join = self.node("parallelGateway"), self.node(self.random.choice(
            ("parallelGateway", "parallelGateway", "parallelGateway" if self.looping else "inclusiveGateway")))
        for _ in range(self.random.randint(2, 3)):
            first, last = self.block(min(depth, 1))
            self.flow(split, first)
            self.flow(last, join)
        return split, join

    def any(self, depth: int) -> tuple[str, str]:
        if self.looping:
            return self.sub(depth, self.any)
        (ask, split, name), join = self.asked("inclusiveGateway"), self.node("inclusiveGateway")
        ways = self.random.randint(2, 3)
        for n in range(ways):
            first, last = self.block(min(depth, 2))
            self.flow(split, first, f'={name} {"!=" if n % 2 else "="} "ya"')
            self.flow(last, join)
        if self.random.random() < 0.5:
            self.flow(split, join, "default")
        return ask, join

    def again(self, depth: int) -> tuple[str, str]:
        merge = self.node("exclusiveGateway")
        self.looping += 1
        first, last = self.block(depth)
        ask, split, name = self.asked("exclusiveGateway")
        self.looping -= 1
        self.flow(merge, first)
        self.flow(last, ask)
        self.flow(split, merge, f'={name} = "tidak"')
        out = self.node("exclusiveGateway")
        self.flow(split, out, "default")
        return merge, out

    def sub(self, depth: int, inside: Callable[[int], tuple[str, str]] | None = None) -> tuple[str, str]:
        id = self.node("subProcess")
        if inside is None:
            self.level(id, depth)
        else:
            before, self.scope, self.looping = (self.scope, self.looping), id, 0
            self.flow(self.node("startEvent"), (block := inside(depth))[0])
            self.flow(block[1], self.node("endEvent"))
            self.scope, self.looping = before
        return id, self.timed(id)


def run(definition: ProcessDefinition, random: Random) -> Iterator[frozenset[str]]:
    """Where the tokens of one run by lot rest, reminders aside, after each act; until nothing is left to do."""
    transitions = execution.Transitions(definition, remember=False)
    attached = {id for id, one in definition.elements.items() if one.attached_to}
    acts = 0

    def choose(flow: SequenceFlow) -> bool:
        return flow == definition.outgoing[flow.source][-1] or random.random() < 0.5

    marking = transitions.start(choose).marking
    while True:
        yield frozenset(one.element for one in marking.tokens if one.status != ARMED and one.element not in attached)
        acting = [one for one in marking.tokens if one.status in (OPEN, WAITING)]
        if not acting:
            break
        acts += 1
        assert acts < 2_000
        on = [one for one in acting if one.element not in attached]
        token = random.choice(on if acts > 60 and on else acting)
        act = transitions.complete if token.status == OPEN else transitions.fire
        marking = act(marking, token.number, choose).marking
    assert marking.tokens == ()


@pytest.mark.parametrize("seed_of", range(100))
def test_an_honest_diagram_of_several_levels_is_let_through_and_runs_to_its_end(seed_of):
    way = list(WAYS)[seed_of % len(WAYS)]
    made = Lot(7_000 + seed_of).sheet.xml()
    if way not in ("a deadline", "everything", "pools and messages", "drawn data", "notes and groups"):
        made = WAYS[way](made)              # those place what they draw by another sheet's measures
    file = made if isinstance(made, bytes) else made.encode()
    assert [(one.element, one.english) for one in said_of(file)] == []
    definition = diagram.read(file)
    known = resting_places(definition)
    for n in range(2):
        for rests in run(definition, Random(seed_of * 10 + n)):
            assert known is None or rests in known, sorted(rests)


def test_they_hold_all_that_there_is():
    kinds, deepest, many = set[str](), 0, 0
    for seed_of in range(100):
        definition = diagram.reread(Lot(7_000 + seed_of).sheet.xml().encode())
        kinds |= {one.kind for one in definition.elements.values()}
        deepest = max([deepest, *(len(definition.around(id)) for id in definition.elements)])
        many += sum(one.kind == "inclusiveGateway" and len(definition.incoming[one.id]) > 1
                    for one in definition.elements.values())
    assert kinds == set(KINDS.values()) and deepest >= 3 and many > 50


def test_as_many_levels_as_are_read_are_let_through_and_run():
    definition = diagram.read(deep(MOST_NESTED).xml().encode())
    assert len(definition.inside) == MOST_NESTED + 1
    assert list(run(definition, Random(1)))[-1] == frozenset()


def test_a_subprocess_that_the_file_does_not_call_open_is_let_through_when_all_is_drawn_in_it():
    made = sheet(*PLAIN)
    made.expanded = ""
    assert said_of(made.xml()) == []


def test_data_and_notes_may_be_drawn_in_a_subprocess():
    made = beside(sheet(*PLAIN), "sub1", (
        '<bpmn:textAnnotation id="catatan"><bpmn:text>Lihat</bpmn:text></bpmn:textAnnotation>'
        '<bpmn:dataObject id="isi" /><bpmn:dataObjectReference id="surat" dataObjectRef="isi" />'))
    box = re.search(r'bpmnElement="sub1"[^>]*><dc:Bounds x="(\d+)" y="(\d+)"', made)
    assert box
    x, y = int(box[1]), int(box[2])
    assert said_of(changed(made, "</bpmndi:BPMNPlane>", shape(
        "catatan", f'x="{x + 10}" y="{y + 2}" width="100" height="30"') + shape(
        "surat", f'x="{x + 150}" y="{y + 4}" width="26" height="30"') + "</bpmndi:BPMNPlane>")) == []


# --- What is neither: one thing changed by lot -----------------------------------------------------------------------


@pytest.mark.parametrize("seed_of", range(5))
def test_a_diagram_with_one_thing_changed_is_refused_or_still_runs_to_its_end(seed_of):
    random, ended = Random(seed_of), 0
    for _ in range(20):
        made = Lot(random.randrange(10**9)).sheet
        changes_one(made, random)
        xml = made.xml()
        if said_of(xml):
            continue
        ended += 1
        definition = diagram.read(xml.encode())
        known = resting_places(definition)
        for _ in range(3):
            for rests in run(definition, Random(random.random())):
                assert known is None or rests in known, (sorted(rests), xml)
    assert 0 < ended < 20


def changes_one(made: Sheet, random: Random) -> None:
    """A flow leads elsewhere, or a gateway is of another kind."""
    gateways = [id for id, one in made.nodes.items() if one.kind.endswith("Gateway")]
    if gateways and random.random() < 0.5:
        id = random.choice(gateways)
        kind = random.choice(("exclusiveGateway", "parallelGateway", "inclusiveGateway"))
        made.nodes[id] = replace(made.nodes[id], kind=kind)
        ways = [n for n, (source, _, _) in enumerate(made.flows) if source == id]
        for n in ways:
            source, target, condition = made.flows[n]
            needs = kind != "parallelGateway" and len(ways) > 1
            made.flows[n] = source, target, (condition or "1 = 1") if needs else ""
        return
    at = random.randrange(len(made.flows))
    source, _, condition = made.flows[at]
    within = made.nodes[source].within
    targets = sorted({b for _, b, _ in made.flows if made.nodes[b].within == within} - {source})
    made.flows[at] = source, random.choice(targets), condition


@pytest.mark.parametrize("seed", [3, 11])
def test_what_is_played_of_a_reduced_level_is_what_the_whole_one_says(seed):
    random, said = Random(seed), {True: 0, False: 0}
    for _ in range(60):
        made = Lot(random.randrange(10**9)).sheet
        if random.random() < 0.7:
            changes_one(made, random)
        telling = said_of(made.xml())
        if any(not re.search("gather|for ever|never end", one.english) for one in telling):
            continue
        for scope in diagram.reread(made.xml().encode()).scopes.values():
            whole = _Game(scope)
            try:
                whole.play()
            except TooMany:
                continue
            small = _Game(reduced(scope, whole.harmless))
            small.play()
            unsound = bool(whole.doubled or whole.stuck or whole.endless)
            assert bool(small.doubled or small.stuck or small.endless) == unsound, scope.flows
            said[unsound] += 1
    assert min(said.values()) > 2, said


def test_the_ways_into_a_join_are_those_that_the_engine_waits_for():
    joins = 0
    for seed_of in range(40):
        definition = diagram.reread(Lot(7_000 + seed_of).sheet.xml().encode())
        for scope in definition.scopes.values():
            game = _Game(scope)
            for join in game.inclusive:
                joins += 1
                flows = {game.bit[flow.id]: flow.id for flow in scope.incoming[join]}
                ours = {id: frozenset(name for bit, name in flows.items() if ways & bit)
                        for id, ways in game._reach(join).items()}
                assert ours == {id: ways for id, ways in definition.ways_to[join].items() if ways}
    assert joins > 20


# --- What a file may cost --------------------------------------------------------------------------------------------

def splits(rows: int) -> str:
    """Inclusive splits of eight ways in a row, each way a step with a timer that leads elsewhere."""
    found, last = "start1>task1 task1>any10", ""
    for n in range(1, rows + 1):
        ways = range(2, 10)
        found += " " + " ".join(f"any{n}0>task{n}{k} task{n}{k}>any{n}1" for k in ways)
        found += f" any{n}1>any{n + 1}0" if n < rows else f" any{n}1>end1"
    return found + last


def grid(wide: int, long: int) -> str:
    """Inclusive joins that each wait for every one before."""
    found = "start1>task1 task1>any0001 "
    for n in range(1, long):
        found += " ".join(f"any00{n:02}>any{k}0{n:02} any{k}0{n:02}>any00{n + 1:02}" for k in range(1, wide)) + " "
    return found + f"any00{long:02}>end1"


def forks(ways: int) -> str:
    return "start{n}>both{n} " + " ".join(
        f"both{{n}}>task{{n}}{k} task{{n}}{k}>wait{{n}}{k} wait{{n}}{k}>any{{n}} "
        f"late1_task{{n}}{k}>task{{n}}{k}9 task{{n}}{k}9>end{{n}}" for k in range(1, ways + 1)) + " any{n}>end{n}"


DEAR: dict[str, Callable[[], str]] = {
    "splits in a row": lambda: sheet(splits(12)).xml(),
    "joins after joins": lambda: sheet(grid(8, 16)).xml(),
    "eight ways, each a loop": lambda: sheet("start1>task1 task1>any1 any2>end1 " + " ".join(
        f"any1>choose{k} choose{k}>task{k}0 task{k}0>choose{k}0 choose{k}0>choose{k} choose{k}0>any2 "
        f"late1_task{k}0>task{k}1 task{k}1>any2" for k in range(1, 9))).xml(),
    "levels that each are large": lambda: sheet(
        "start99>task99 task99>sub1 " + " ".join(f"sub{n}>sub{n + 1}" for n in range(1, 9)) + " sub9>end99",
        *(f"sub{n}: " + forks(6).format(n=n) for n in range(1, 10))).xml(),
    "as many subprocesses as there may be": lambda: sheet(
        "start9999>sub1 " + " ".join(f"sub{n}>sub{n + 1}" for n in range(1, 74)) + " sub74>end9999",
        *(f"sub{n}: start{n}>task{n} task{n}>end{n}" for n in range(1, 75))).xml(),
    "more of them than there may be": lambda: SOUND.replace("</bpmn:process>", "".join(
        f'<bpmn:subProcess id="s{n}"><bpmn:startEvent id="a{n}" /><bpmn:endEvent id="b{n}" /></bpmn:subProcess>'
        for n in range(3_500)) + "</bpmn:process>"),
    "one id in itself": lambda: SOUND.replace("</bpmn:process>", (
        '<bpmn:subProcess id="s">' * 30 + "</bpmn:subProcess>" * 30) * 150 + "</bpmn:process>"),
    "flows over many borders": lambda: SOUND.replace("</bpmn:process>", "".join(
        f'<bpmn:subProcess id="s{n}"><bpmn:userTask id="t{n}" /><bpmn:sequenceFlow id="f{n}" sourceRef="t{n - 1}" '
        f'targetRef="t{n + 1}" /></bpmn:subProcess>' for n in range(140)) + "</bpmn:process>"),
    "default and default": lambda: SOUND.replace("</bpmn:process>", "".join(
        f'<bpmn:inclusiveGateway id="g{n}" default="f{n}" />' for n in range(9_000)) + "</bpmn:process>"),
}


def test_no_file_of_several_levels_costs_more_than_a_moment_and_a_little_memory(tmp_path):
    files = []
    for name, made in DEAR.items():
        files.append(tmp_path / name)
        files[-1].write_text(made())
    done = subprocess.run([sys.executable, "-c", CHECKING, *map(str, files)], capture_output=True, cwd=ROOT)
    said = done.stdout.decode().splitlines()
    assert done.returncode == 0 and said[-1] == "done", (said[-1:], done.stderr.decode()[-2_000:])
