"""The gate for diagrams: what is refused when one is uploaded, said as findings that an owner can act on.

The doors, one behind the other: `opened` lets through bytes that are harmless XML of a bounded size, `of_tree` a tree
that holds only what we read, `soundness.of_definition` a process that hangs together and runs to its end,
`of_drawing` one that is drawn as it runs. What passes all, `diagram.py` reads without a doubt. Every rule says what
is, what was expected and what to do, in the owners' language.
Time and memory are bounded by the size of the file and by counts, never by a clock.
"""
from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time

from lxml import etree

from .definition import BUILT_IN_NAMES, OWN_TYPES, STOCK_TYPES, Element, Finding, ProcessDefinition
from .expressions import RESERVED_NAMES

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
BPMNDI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DC = "{http://www.omg.org/spec/DD/20100524/DC}"
DI = "{http://www.omg.org/spec/DD/20100524/DI}"
CAMUNDA = "{http://camunda.org/schema/1.0/bpmn}"
MODELER = "{http://camunda.org/schema/modeler/1.0}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
BIOC = "{http://bpmn.io/schema/bpmn/biocolor/1.0}"
COLOR = "{http://www.omg.org/spec/BPMN/non-normative/color/1.0}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"

TIMER_KINDS = {"timeDuration": "duration", "timeDate": "date", "timeCycle": "cycle"}
SUPPORTED_NODES = ("startEvent", "endEvent", "userTask", "exclusiveGateway", "parallelGateway", "boundaryEvent",
                   "intermediateCatchEvent")
# Drawn like any element, but not carried yet: read as elements so that the flows between them still make sense.
OTHER_NODES = ("task", "manualTask", "serviceTask", "scriptTask", "businessRuleTask", "sendTask", "receiveTask",
               "callActivity", "subProcess", "transaction", "adHocSubProcess", "inclusiveGateway", "complexGateway",
               "eventBasedGateway", "intermediateThrowEvent", "event", "implicitThrowEvent", "choreographyTask",
               "subChoreography", "callChoreography")
FLOW_NODES = frozenset(BPMN + name for name in SUPPORTED_NODES + OTHER_NODES)

MOST_BYTES = 2_000_000
MOST_TAGS = 25_000              # a tag is at least one "<"; counted before anything is parsed
MOST_EQUALS = 50_000            # an attribute is at least one "="
MOST_DEPTH = 40
MOST_ATTRIBUTES = 40            # of one element
MOST_ATTRIBUTE = 400            # characters
MOST_VALUE = 4_000              # characters: of an attribute that holds an owner's words, and of a text
MOST_FINDINGS = 300
SMALLEST = 10                   # units of the drawing: less is not seen
EDGE = 30                       # units of the drawing: how far a line or a boundary event may be off its element
MOST_COVERED = 0.2              # of the smaller of two user tasks
WORDY_ATTRIBUTES = frozenset({"name", "label", "value", "defaultValue"})
TEXTS = frozenset(BPMN + name for name in (
    "documentation", "text", "conditionExpression", "timeDuration", "timeDate", "timeCycle", "flowNodeRef", "incoming",
    "outgoing"))

# What nobody sees: controls, soft hyphen, directions, zero width, tags, fillers, private use and no characters.
UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ue000-\uf8ff\ufeff\uffa0\ufff0-\uffff"
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff]")


class Findings:
    """What was found so far. Of errors, and of warnings, the first MOST_FINDINGS are kept, the rest counted."""

    def __init__(self) -> None:
        self.kept: dict[str, list[Finding]] = {"error": [], "warning": []}
        self.counts = {"error": 0, "warning": 0}

    @property
    def errors(self) -> int:
        return self.counts["error"]

    def error(self, place: tuple[str | None, int], message: str) -> None:
        self._add("error", place, message)

    def warning(self, place: tuple[str | None, int], message: str) -> None:
        self._add("warning", place, message)

    def _add(self, severity: str, place: tuple[str | None, int], message: str) -> None:
        self.counts[severity] += 1
        if len(self.kept[severity]) < MOST_FINDINGS:
            self.kept[severity].append(Finding(severity=severity, element=place[0], line=place[1], message=message))

    def all(self) -> tuple[Finding, ...]:
        kept = self.kept["error"] + self.kept["warning"]
        if left_out := sum(self.counts.values()) - len(kept):
            kept.append(Finding(severity="warning", element=None, line=0, message=(
                f"Masih ada {counted(left_out)} temuan lain. Perbaiki dahulu yang tercantum, lalu periksa lagi.")))
        return sorted_by_line(tuple(kept))


@dataclass(frozen=True)
class Judged:
    """A definition before its judges: what it says, where that stands in the file, what was found."""
    definition: ProcessDefinition
    lines: Mapping[str, int]            # of every BPMN id
    found: Findings

    def error(self, id: str, message: str, line: int = 0) -> None:
        self.found.error((id, line or self.lines.get(id, 0)), message)

    def warning(self, id: str, message: str, line: int = 0) -> None:
        self.found.warning((id, line or self.lines.get(id, 0)), message)

    def named(self, id: str) -> str:
        """An element as an owner knows it."""
        one = self.definition.elements.get(id)
        return quoted(" ".join(one.name.split()) or id) if one else quoted(id)

    def nodes(self, *kinds: str) -> tuple[Element, ...]:
        return tuple(one for one in self.definition.elements.values() if one.kind in kinds)


def judged(definition: ProcessDefinition, root: etree._Element, found: Findings) -> Judged:
    """A definition, with the lines of the tree that it was read from and what was found in that."""
    return Judged(definition, {one.get("id", ""): one.sourceline or 0 for one in root.iter(BPMN + "*")}, found)


def sorted_by_line(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: (one.line, one.severity)))


def place(node: etree._Element) -> tuple[str | None, int]:
    """Where an XML element stands: the id of the nearest BPMN element around it, and its line."""
    for around in (node, *node.iterancestors()):
        if isinstance(around.tag, str) and around.tag.startswith((BPMN, BPMNDI)) and around.get("id"):
            return around.get("id"), node.sourceline or 0
    return None, node.sourceline or 0


# --- The first door: bytes that are harmless XML ---------------------------------------------------------------------

def opened(data: bytes, without: Callable[[etree._Element], None] | None = None) \
        -> tuple[etree._Element | None, tuple[Finding, ...]]:
    """The tree of a file, or None and why it was not opened.

    without  takes away what is not wanted of a foreign file, before the rest is measured and read.
    """
    def pruned(root: etree._Element, found: Findings) -> None:
        if without is not None:
            without(root)

    found = Findings()
    text = _decoded(data, found)
    root = None if text is None else _parsed(text, found)
    for rule in (_no_instructions, pruned, _bounded, _seen):
        # Each rule may count on what those before it bound: looking at 50,000 attributes of one element takes minutes.
        if root is not None and not found.errors:
            rule(root, found)
    return (None if found.errors else root), found.all()


def _decoded(data: bytes, found: Findings) -> str | None:
    """The text of the file, when it is of bounded size, in UTF-8 or UTF-16, and defines nothing of its own."""
    file = (None, 0)
    if not data.strip():
        found.error(file, "Berkas kosong. Unggah berkas BPMN yang disimpan dari pemodel.")
    elif len(data) > MOST_BYTES:
        found.error(file, f"Berkas berukuran {counted(len(data))} bita; paling besar {counted(MOST_BYTES)} bita. "
                          "Pecah proses menjadi beberapa diagram.")
    elif data.startswith((b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ")):
        found.error(file, "Berkas dimampatkan (gzip atau zip). Unggah berkas BPMN-nya sendiri, tidak dimampatkan.")
    elif (text := _text_of(data)) is None:
        found.error(file, "Huruf dalam berkas tidak ditulis dalam UTF-8 atau UTF-16 sebagaimana dinyatakannya. "
                          "Simpan ulang diagram dari pemodel (UTF-8).")
    elif "<!DOCTYPE" in text or "<!ENTITY" in text:
        found.error(file, "Berkas memuat DOCTYPE atau ENTITY, yang dapat menyembunyikan isi. Hapus deklarasi itu; "
                          "diagram BPMN tidak memerlukannya.")
    elif text.count("<") > MOST_TAGS or text.count("=") > MOST_EQUALS:
        found.error(file, f"Berkas memuat terlalu banyak tag atau atribut (paling banyak {counted(MOST_TAGS)} tag). "
                          "Pecah proses menjadi beberapa diagram.")
    else:
        return text
    return None


def _text_of(data: bytes) -> str | None:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        return None
    declared = re.match(r"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([^\"'>]{0,40})", text)
    known = {"utf-16", "utf-16le", "utf-16be"} if wide else {"utf-8", "utf8", "us-ascii", "ascii"}
    if text.isascii() and not wide:
        # Plain letters are the same bytes in these two; every reader reads the same text.
        known |= {"iso-8859-1", "windows-1252"}
    return text if declared is None or declared[1].casefold() in known else None


def _parsed(text: str, found: Findings) -> etree._Element | None:
    # The text is decoded already, so what the file says of its encoding no longer counts.
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
        attribute_defaults=False, huge_tree=False, recover=False, remove_comments=False, remove_pis=False)
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as problem:
        line, column = problem.position
        found.error((None, line), f"Berkas bukan XML yang utuh: pembacaan berhenti di baris {line}, kolom {column}. "
                                  "Simpan ulang diagram dari pemodel.")
        return None
    if root.tag != BPMN + "definitions":
        found.error((None, root.sourceline or 0),
            "Berkas ini XML, tetapi bukan diagram BPMN 2.0. Unggah berkas yang disimpan dari pemodel sebagai BPMN "
            "2.0.")
        return None
    return root


def _no_instructions(root: etree._Element, found: Findings) -> None:
    for node in root.getroottree().xpath("//processing-instruction()"):
        found.error((None, node.sourceline or 0),
            "Berkas memuat instruksi pemrosesan (<?...?>). Hapus; diagram BPMN tidak memerlukannya.")


def _bounded(root: etree._Element, found: Findings) -> None:
    for node in root.xpath("/*" * (MOST_DEPTH + 1))[:1]:
        found.error(place(node), f"Unsur bersarang lebih dari {MOST_DEPTH} tingkat. Sederhanakan berkas.")
    for node in root.iter(etree.Element):
        if len(node.attrib) > MOST_ATTRIBUTES:
            found.error(place(node), f"Satu unsur memuat {len(node.attrib)} atribut; paling banyak {MOST_ATTRIBUTES}. "
                                     "Hapus yang tidak perlu.")
            return
        for name, value in node.attrib.items():
            most = MOST_VALUE if name in WORDY_ATTRIBUTES else MOST_ATTRIBUTE
            if len(value) > most:
                found.error(place(node),
                    f"Isi atribut {quoted(name)} sepanjang {len(value)} huruf; paling panjang {most}. Persingkat.")
        if node.text and len(node.text) > MOST_VALUE:
            found.error(place(node), f"Teks sepanjang {len(node.text)} huruf; paling panjang {MOST_VALUE}. Persingkat.")


def _seen(root: etree._Element, found: Findings) -> None:
    for node in root.iter(etree.Element):
        for text in (node.text, node.tail, *node.attrib.values()):
            unseen = UNSEEN.search(text) if text else None
            if unseen:
                found.error(place(node),
                    f"Ada huruf yang tidak terlihat (U+{ord(unseen[0]):04X}) di dalam teks atau atribut. Ketik ulang "
                    "bagian itu tanpa menyalin dari aplikasi lain.")
                break


# --- The second door: a tree that holds only what we read ------------------------------------------------------------

# element | attributes | what may stand in it; a line that begins with "|" goes on with what may stand in it, and an
# element may have several lines. An element without prefix is bpmn. What is not here is refused.
_NODE = "documentation extensionElements incoming outgoing"
_COLOURS = "bioc:stroke bioc:fill color:background-color color:border-color color:color"
_NOTES = "textAnnotation association group"
# What Camunda Modeler notes of an element template that was applied: said of the tool, read by nobody.
_TEMPLATE = "camunda:modelerTemplate camunda:modelerTemplateVersion camunda:modelerTemplateIcon"
_GRAMMAR = f"""
definitions              | id name targetNamespace exporter exporterVersion expressionLanguage typeLanguage |
definitions              | xsi:schemaLocation                      | documentation extensionElements collaboration
                         | process category bpmndi:BPMNDiagram
collaboration            | id name isClosed
                         | documentation extensionElements participant {_NOTES}
participant              | id name processRef
                         | documentation extensionElements
process                  | id name isExecutable isClosed processType |
process                  | camunda:historyTimeToLive camunda:versionTag camunda:isStartableInTasklist
                         | documentation extensionElements laneSet startEvent endEvent userTask exclusiveGateway
                         | parallelGateway boundaryEvent intermediateCatchEvent subProcess sequenceFlow {_NOTES}
laneSet                  | id name                                 | documentation extensionElements lane
lane                     | id name                                 | documentation extensionElements flowNodeRef
startEvent               | id name isInterrupting parallelMultiple | {_NODE} timerEventDefinition
endEvent                 | id name                                 | {_NODE} terminateEventDefinition
userTask                 | id name isForCompensation startQuantity completionQuantity implementation
                         | {_NODE}
exclusiveGateway         | id name default gatewayDirection        | {_NODE}
parallelGateway          | id name gatewayDirection                | {_NODE}
boundaryEvent            | id name attachedToRef cancelActivity parallelMultiple
                         | {_NODE} timerEventDefinition
intermediateCatchEvent   | id name parallelMultiple                | {_NODE} timerEventDefinition
subProcess               | id name triggeredByEvent isForCompensation startQuantity completionQuantity
                         | {_NODE} startEvent endEvent sequenceFlow {_NOTES}
sequenceFlow             | id name sourceRef targetRef isImmediate | documentation extensionElements conditionExpression
conditionExpression      | id language xsi:type                    |
timerEventDefinition     | id                                      | documentation extensionElements
                         | timeDuration timeDate timeCycle
timeDuration             | id language xsi:type                    |
timeDate                 | id language xsi:type                    |
timeCycle                | id language xsi:type                    |
terminateEventDefinition | id                                      | documentation extensionElements
documentation            | id textFormat                           |
flowNodeRef              |                                         |
incoming                 |                                         |
outgoing                 |                                         |
textAnnotation           | id textFormat                           | documentation extensionElements text
text                     |                                         |
association              | id sourceRef targetRef associationDirection
                         | documentation extensionElements
group                    | id categoryValueRef                     | documentation extensionElements
category                 | id name                                 | documentation extensionElements categoryValue
categoryValue            | id value                                | documentation extensionElements
process                  | {_TEMPLATE}                             |
lane                     | {_TEMPLATE}                             |
startEvent               | {_TEMPLATE}                             |
userTask                 | {_TEMPLATE}                             |
boundaryEvent            | {_TEMPLATE}                             |
intermediateCatchEvent   | {_TEMPLATE}                             |
subProcess               | {_TEMPLATE}                             |
extensionElements        |                                         | camunda:formData camunda:properties
camunda:formData         |                                         | camunda:formField
camunda:formField        | id label type defaultValue              | camunda:properties camunda:validation camunda:value
camunda:properties       |                                         | camunda:property
camunda:property         | id name value                           |
camunda:validation       |                                         | camunda:constraint
camunda:constraint       | name config                             |
camunda:value            | id name                                 |
bpmndi:BPMNDiagram       | id name documentation resolution        | bpmndi:BPMNPlane bpmndi:BPMNLabelStyle
bpmndi:BPMNPlane         | id bpmnElement                          | bpmndi:BPMNShape bpmndi:BPMNEdge
bpmndi:BPMNShape         | id bpmnElement isHorizontal isExpanded isMarkerVisible isMessageVisible {_COLOURS}
                         | dc:Bounds bpmndi:BPMNLabel
bpmndi:BPMNEdge          | id bpmnElement sourceElement targetElement messageVisibleKind {_COLOURS}
                         | di:waypoint bpmndi:BPMNLabel
bpmndi:BPMNLabel         | id labelStyle {_COLOURS}
                         | dc:Bounds
bpmndi:BPMNLabelStyle    | id                                      | dc:Font
dc:Font                  | name size isBold isItalic isUnderline isStrikeThrough |
dc:Bounds                | x y width height                        |
di:waypoint              | x y                                     |
"""
_PREFIXES = {"bpmndi": BPMNDI, "dc": DC, "di": DI, "camunda": CAMUNDA, "bioc": BIOC, "color": COLOR, "xsi": XSI}


def _qualified(name: str, otherwise: str) -> str:
    prefix, _, rest = name.rpartition(":")
    return (_PREFIXES[prefix] if prefix else otherwise) + rest


def _rules(grammar: str) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """The grammar as {element: (attributes, children)}, names as lxml says them."""
    rules: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
    element = ""
    for line in grammar.strip().splitlines():
        first, *rest = (part.strip() for part in line.split("|"))
        attributes = rest.pop(0) if first else ""
        element = _qualified(first, BPMN) if first else element
        known, inside = rules.get(element, (frozenset(), frozenset()))
        rules[element] = (known | {_qualified(one, "") for one in attributes.split()},
                          inside | {_qualified(one, BPMN) for part in rest for one in part.split()})
    return rules


GRAMMAR = _rules(_GRAMMAR)

# Of these one is read; a second one would be drawn or kept by a tool, and ignored by us.
ONCE = frozenset(_qualified(name, BPMN) for name in (
    "collaboration process participant laneSet extensionElements documentation conditionExpression text "
    "timerEventDefinition terminateEventDefinition timeDuration timeDate timeCycle camunda:formData "
    "camunda:properties camunda:validation bpmndi:BPMNDiagram bpmndi:BPMNPlane dc:Bounds").split())
# The values under which an attribute changes nothing, or which we carry.
VALUES = {
    "isForCompensation": ("false",), "startQuantity": ("1",), "completionQuantity": ("1",),
    "parallelMultiple": ("false",), "implementation": ("##unspecified", "##WebService"),
    "cancelActivity": ("true", "false"), "isInterrupting": ("true", "false"), "triggeredByEvent": ("true", "false"),
}

_USER_TASK = "Pakai user task, yang diselesaikan oleh orang."
_TIMER = "Pakai timer, atau user task yang mencatat kejadian itu."
_GATEWAY = "Pakai gateway eksklusif (satu jalan dipilih) atau gateway paralel (semua jalan)."
_DOCUMENT = "Nyatakan berkas sebagai isian berjenis document pada user task."
_LOOP = "Ulangi dengan panah kembali melalui gateway eksklusif."
_LANE = "Pelaksana ditentukan oleh lane."
_FORM = "Nyatakan isian sebagai Form Data (Generated Task Forms)."
_EDGE = "Pakai timer pada tepi user task."
INSTEAD = {
    **dict.fromkeys((
        "task", "manualTask", "serviceTask", "scriptTask", "businessRuleTask", "sendTask", "receiveTask",
        "callActivity", "globalTask", "globalUserTask", "globalManualTask", "globalScriptTask",
        "globalBusinessRuleTask"), _USER_TASK),
    **dict.fromkeys((
        "transaction", "adHocSubProcess", "subChoreography", "choreographyTask", "callChoreography"),
        "Gambarkan langkah-langkahnya langsung di dalam proses."),
    **dict.fromkeys(("inclusiveGateway", "complexGateway", "eventBasedGateway"), _GATEWAY),
    **dict.fromkeys((
        "intermediateThrowEvent", "messageEventDefinition", "signalEventDefinition", "conditionalEventDefinition",
        "errorEventDefinition", "escalationEventDefinition", "linkEventDefinition", "compensateEventDefinition",
        "cancelEventDefinition", "message", "signal", "error", "escalation", "messageFlow"), _TIMER),
    **dict.fromkeys((
        "dataObject", "dataObjectReference", "dataStoreReference", "dataStore", "dataInputAssociation",
        "dataOutputAssociation", "ioSpecification", "property"), _DOCUMENT),
    **dict.fromkeys(("multiInstanceLoopCharacteristics", "standardLoopCharacteristics"), _LOOP),
    **dict.fromkeys(("potentialOwner", "performer", "humanPerformer", "resourceRole"), _LANE),
    "childLaneSet": "Lane bersarang belum didukung: gambarkan lane sejajar.",
    "script": "Tidak ada kode di dalam diagram.",
    "import": "Diagram berdiri sendiri; hapus rujukan ke berkas lain.",
}
INSTEAD_OF_ATTRIBUTES = {
    "assignee": _LANE, "candidateUsers": _LANE, "candidateGroups": _LANE,
    "candidateStarterGroups": "Pakai properti sop.pemulai pada start event.",
    "formKey": _FORM, "formRef": _FORM, "dueDate": _EDGE, "followUpDate": _EDGE,
}


def of_tree(root: etree._Element, found: Findings) -> None:
    """What is to be said of an opened tree: what it holds that we do not read, and what is written wrongly in it."""
    _grammar(root, found)
    for rule in (_ids, _one_process, _participant, _events, _timers_drawn, _deadline_shape, _defaults, _languages,
                 _numbers, _lanes, _extensions_in_place, _element_properties, _form_fields):
        rule(root, found)


def readable(root: etree._Element) -> bool:
    """Whether there is a process at all, so that it is worth looking for more findings in it."""
    return root.find(BPMN + "process") is not None


def _grammar(root: etree._Element, found: Findings) -> None:
    """Only the elements, attributes and values of the grammar; below what is not in it nothing is looked at."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        attributes, children = GRAMMAR[node.tag]
        for name, value in node.attrib.items():
            _attribute(node, name, value, attributes, found)
        _plain_text(node, found)
        once = set()
        for child in node.iterchildren(etree.Element):
            if child.tag not in children:
                found.error(place(child), _not_here(child))
                continue
            if child.tag in once:
                found.error(place(child),
                    f"{said(child)} adalah yang kedua di dalam {said(node)}; hanya satu {local(child)} yang dibaca. "
                    "Hapus yang lain.")
            once |= {child.tag} & ONCE
            waiting.append(child)


def _plain_text(node: etree._Element, found: Findings) -> None:
    """A text holds nothing but text, and nothing else holds text: a comment inside a condition hides half of it."""
    if node.tag in TEXTS:
        if len(node):
            found.error(place(node), f"Di dalam teks {quoted(local(node))} ada komentar atau unsur lain, yang dapat "
                                     "menyembunyikan sebagian isinya. Hapus.")
    elif (node.text and node.text.strip()) or any(one.tail and one.tail.strip() for one in node):
        found.error(place(node), f"Ada teks lepas di dalam {said(node)}, yang tidak akan dibaca. Hapus.")


def _attribute(node: etree._Element, name: str, value: str, known: frozenset[str], found: Findings) -> None:
    if name not in known and not (node.tag == BPMN + "definitions" and name.startswith((MODELER, ZEEBE))):
        word = name.rpartition("}")[2]
        remedy = INSTEAD_OF_ATTRIBUTES.get(word, "Hapus atribut itu.")
        found.error(place(node), f"Atribut {quoted(word)} pada {said(node)} belum didukung. {remedy}")
    elif name in VALUES and value not in VALUES[name]:
        expected = " atau ".join(VALUES[name])
        found.error(place(node), f"Atribut {quoted(name)} pada {said(node)} bernilai {quoted(value)}; yang didukung "
                                 f"{expected}. Ubah atau hapus.")


def _not_here(node: etree._Element) -> str:
    """Why an element is refused where it stands, and what to use instead."""
    name, around = local(node), node.getparent()
    if around.tag == BPMN + "extensionElements":
        return (f"Ekstensi {quoted(name)} pada {said(around.getparent())} belum didukung. Hapus; yang dibaca hanya "
                "camunda:formData dan camunda:properties.")
    if node.tag in GRAMMAR:
        return f"{said(node)} tidak dibaca di dalam {said(around)}. Pindahkan ke tempatnya atau hapus."
    remedy = INSTEAD.get(name) if node.tag.startswith(BPMN) else None
    return f"{said(node)} belum didukung. {remedy or 'Hapus dari diagram.'}"


# Ids travel: into addresses, expressions, names of the engine. Letters, digits, "_", "-" and "." survive everywhere.
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,99}")
_RESERVED = frozenset({"Start", "End", "Root"})
_NAMED = FLOW_NODES | {BPMN + name for name in ("process", "sequenceFlow", "lane", "participant")}


def sound_id(id: str) -> bool:
    """Whether an id travels, and the engine has no use of its own for it."""
    return (_ID.fullmatch(id) is not None and id not in _RESERVED and not id.endswith(".EndJoin")
            and ".BoundaryEvent" not in id)


def _ids(root: etree._Element, found: Findings) -> None:
    seen: set[str] = set()
    for node in root.iter(BPMN + "*", BPMNDI + "*"):
        id = node.get("id")
        if id is None:
            if node.tag in _NAMED:
                found.error(place(node), f"{said(node)} tidak mempunyai id. Beri id, misalnya langkah_1.")
            continue
        if not _ID.fullmatch(id):
            found.error(place(node), f"Id {quoted(id)} tidak sah. Pakai huruf latin, angka, garis bawah, titik atau "
                                     "tanda hubung, diawali huruf, paling panjang 100.")
        if id in seen:
            found.error(place(node), f"Id {quoted(id)} dipakai lebih dari sekali. Beri setiap unsur id sendiri.")
        seen.add(id)
        if _ID.fullmatch(id) and not sound_id(id):
            found.error(place(node), f"Id {quoted(id)} dipakai oleh mesin sendiri. Beri id lain.")


def _one_process(root: etree._Element, found: Findings) -> None:
    if not readable(root):
        found.error(place(root), "Diagram tidak memuat proses. Gambarkan satu proses dengan start event, user task "
                                 "dan end event.")
    for process in root.iterchildren(BPMN + "process"):
        if not process_name(process):
            found.error(place(process), "Proses belum bernama. Tulis nama SOP pada proses atau pool.")


def process_name(process: etree._Element) -> str:
    """The name of a process, else of the pool around it: modelers show the one or the other."""
    pools = process.getparent().iterfind(f"{BPMN}collaboration/{BPMN}participant")
    return process.get("name", "").strip() or next((one.get("name", "").strip() for one in pools), "")


def _participant(root: etree._Element, found: Findings) -> None:
    keys = {one.get("id") for one in root.iterchildren(BPMN + "process")}
    for collaboration in root.iterchildren(BPMN + "collaboration"):
        participants = list(collaboration.iterchildren(BPMN + "participant"))
        if not participants:
            found.error(place(collaboration),
                "Kolaborasi tidak memuat pool. Gambarkan satu pool yang memuat proses, atau hapus kolaborasi.")
        for one in participants[:1]:
            if one.get("processRef") not in keys:
                found.error(place(one), f"Pool {quoted(one.get('name', ''))} tidak menunjuk proses di dalam berkas "
                                        "ini. Pakai satu pool yang memuat proses; pihak lain menjadi lane.")


def _events(root: etree._Element, found: Findings) -> None:
    """A start event of the process waits for nothing; the other events we carry wait for a timer."""
    for process in root.iterchildren(BPMN + "process"):
        for start in process.iterchildren(BPMN + "startEvent"):
            if start.find(BPMN + "timerEventDefinition") is not None:
                found.error(place(start),
                    f"{said(start)} memakai timer, yang belum didukung. Pakai start event biasa; proses dimulai oleh "
                    "orang.")
        for event in process.iterchildren(BPMN + "boundaryEvent", BPMN + "intermediateCatchEvent"):
            kinds = [one for one in event.iterchildren(BPMN + "*") if local(one).endswith("EventDefinition")]
            if not kinds:
                found.error(place(event),
                    f"{said(event)} tidak menunggu apa pun. Beri timer dengan lamanya, misalnya P2D (dua hari kerja).")


def _timers_drawn(root: etree._Element, found: Findings) -> None:
    for timer in root.iter(BPMN + "timerEventDefinition"):
        texts = list(timer.iterchildren(*(BPMN + tag for tag in TIMER_KINDS)))
        if len(texts) != 1 or not (texts[0].text or "").strip():
            found.error(place(timer), "Timer harus memuat tepat satu isi: lama (P2D), tanggal, atau siklus (R3/P1D). "
                                      "Lengkapi pada panel properti.")


def _deadline_shape(root: etree._Element, found: Findings) -> None:
    """The only subprocess we carry: a non-interrupting timer start event with a date, straight to an end event."""
    drawn = list(root.iter(BPMN + "subProcess"))
    for node in drawn[1:]:
        found.error(place(node), "Hanya satu subproses tenggat yang didukung. Hapus yang lain.")
    for node in drawn[:1]:
        if node.get("triggeredByEvent") != "true":
            found.error(place(node), f"{said(node)} belum didukung. Gambarkan langkah-langkahnya langsung di dalam "
                                     "proses; subproses hanya untuk tenggat (event subprocess).")
        elif not is_deadline(node):
            found.error(place(node), f"{said(node)} bukan bentuk tenggat yang didukung: satu start event bertimer "
                                     "tanggal yang tidak menghentikan proses, satu panah, satu end event biasa. "
                                     "Gambarkan persis begitu.")


def is_deadline(node: etree._Element) -> bool:
    """Whether an event subprocess has the one shape that we carry."""
    starts, ends, flows = (list(node.iterchildren(BPMN + tag)) for tag in ("startEvent", "endEvent", "sequenceFlow"))
    links = list(node.iterchildren(BPMN + "incoming", BPMN + "outgoing"))
    return (len(starts) == len(ends) == len(flows) == 1 and not links
            and starts[0].get("isInterrupting") == "false"
            and starts[0].find(f"{BPMN}timerEventDefinition/{BPMN}timeDate") is not None
            and not list(starts[0].iter(CAMUNDA + "formData"))
            and ends[0].find(BPMN + "terminateEventDefinition") is None
            and (flows[0].get("sourceRef"), flows[0].get("targetRef")) == (starts[0].get("id"), ends[0].get("id"))
            and flows[0].find(BPMN + "conditionExpression") is None)


def _defaults(root: etree._Element, found: Findings) -> None:
    sources = {one.get("id"): one.get("sourceRef") for one in root.iter(BPMN + "sequenceFlow")}
    for node in root.iter(BPMN + "exclusiveGateway"):
        if (default := node.get("default")) is not None and sources.get(default) != node.get("id"):
            found.error(place(node), f"{said(node)} menyebut {quoted(default)} sebagai jalan bawaan, yang bukan panah "
                                     "keluarnya. Pilih ulang jalan bawaannya di pemodel.")


def _languages(root: etree._Element, found: Findings) -> None:
    for node in root.iter(*(BPMN + tag for tag in ("conditionExpression", *TIMER_KINDS))):
        type, language = node.get(XSI + "type", "tFormalExpression"), node.get("language", "feel")
        if type.rpartition(":")[2] != "tFormalExpression" or "feel" not in language.casefold():
            found.error(place(node), f"Ungkapan pada {said(node)} ditulis dalam bahasa {quoted(language)}; yang "
                                     "dibaca hanya FEEL. Tulis dalam FEEL dan hapus pilihan bahasanya.")


def _extensions_in_place(root: etree._Element, found: Findings) -> None:
    for form in root.iter(CAMUNDA + "formData"):
        around = form.getparent().getparent()
        if around is not None and around.tag not in (BPMN + "userTask", BPMN + "startEvent"):
            found.error(place(form), f"Isian (Form Data) pada {said(around)} tidak akan tampil. Pindahkan ke user "
                                     "task atau start event.")


_NUMBER = re.compile(r"-?[0-9]{1,6}(\.[0-9]{1,20})?")


def _numbers(root: etree._Element, found: Findings) -> None:
    for node in root.iter(DC + "Bounds", DI + "waypoint"):
        names = ("x", "y", "width", "height") if node.tag == DC + "Bounds" else ("x", "y")
        if not all(_NUMBER.fullmatch(node.get(one, "")) for one in names):
            found.error(place(node), "Letak atau ukuran gambar bukan angka yang wajar. Geser unsur itu di pemodel "
                                     "lalu simpan ulang.")


# Lanes

def folded(name: str) -> str:
    """A name as the eye reads it: NFKC, without regard to case or to how much space stands in it."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _lanes(root: etree._Element, found: Findings) -> None:
    for process in root.iterchildren(BPMN + "process"):
        _lane_names(process, found)
        _lane_of_each(process, found)


def _lane_names(process: etree._Element, found: Findings) -> None:
    names: set[str] = set()
    for lane in process.iterfind(f"{BPMN}laneSet/{BPMN}lane"):
        name = folded(lane.get("name", ""))
        if not name:
            found.error(place(lane), "Lane belum bernama. Tulis nama pelaksananya, misalnya Sekretaris PD.")
        elif name in names:
            found.error(place(lane), f"Nama lane {quoted(lane.get('name', ''))} dipakai dua kali. Gabungkan lane itu "
                                     "atau beri nama lain.")
        names.add(name)


def _lane_of_each(process: etree._Element, found: Findings) -> None:
    """A user task stands in exactly one lane, everything else in one at most."""
    nodes = {one.get("id"): one for one in process.iterchildren(etree.Element) if one.tag in FLOW_NODES}
    lanes_of: dict[str, list[str]] = {}
    for lane in process.iterfind(f"{BPMN}laneSet/{BPMN}lane"):
        for reference in lane.iterchildren(BPMN + "flowNodeRef"):
            id = (reference.text or "").strip()
            if id not in nodes:
                found.error(place(reference),
                    f"Lane {quoted(lane.get('name', ''))} menyebut {quoted(id)}, yang tidak ada di dalam proses. "
                    "Hapus sebutan itu (simpan ulang dari pemodel).")
            lanes_of.setdefault(id, []).append(lane.get("name", ""))
    for id, node in nodes.items():
        lanes = lanes_of.get(id, [])
        if len(lanes) > 1:
            found.error(place(node), f"{said(node)} tercantum di {len(lanes)} lane: "
                                     f"{', '.join(quoted(one) for one in lanes[:4])}. Letakkan di satu lane saja.")
        elif not lanes and node.tag == BPMN + "userTask":
            found.error(place(node), f"{said(node)} tidak berada di lane mana pun, sehingga tidak ada pelaksananya. "
                                     "Letakkan di dalam satu lane.")


# Properties

_YES_NO = ("ya", "tidak")
Known = Mapping[str, tuple[str, ...] | None]
"""Names of properties and the values they may have (None: any text)."""
_TIMER_PROPERTIES: Known = {
    "sop.pengingat": None, "sop.kepada": None, "sop.tembusan": None, "sop.satuanWaktu": ("kerja", "kalender"),
    "sop.perihal": None, "sop.pengingatSebelum": None, "sop.pengingatAtasan": None, "sop.atasan": None,
    "sop.atasanTembusan": None, "sop.perpanjangan": None, "sop.kabarKembali": None, "sop.kabarKembaliKepada": None}
ELEMENT_PROPERTIES: Mapping[str, Known] = {
    "process": dict.fromkeys((
        "sop.pemerintah", "sop.unit", "sop.nomorSop", "sop.namaSop", "sop.judulBerkas", "sop.tanggalPembuatan",
        "sop.tanggalRevisi", "sop.tanggalPengesahan", "sop.tanggalEfektif", "sop.disahkanOleh", "sop.dasarHukum",
        "sop.kualifikasiPelaksana", "sop.keterkaitan", "sop.peralatanPerlengkapan", "sop.peringatan",
        "sop.pencatatanDanPendataan")),
    "lane": {"sop.kantorLain": _YES_NO, "sop.dicatatOleh": None},
    "startEvent": {"sop.pemulai": None, **_TIMER_PROPERTIES},
    "userTask": {"sop.nomor": None, "sop.kelengkapan": None, "sop.waktu": None, "sop.output": None,
                 "sop.keterangan": None, "sop.asumsi": _YES_NO},
    "boundaryEvent": _TIMER_PROPERTIES,
    "intermediateCatchEvent": _TIMER_PROPERTIES,
    "subProcess": {"sop.tenggatUntuk": None, **_TIMER_PROPERTIES},
}


def _element_properties(root: etree._Element, found: Findings) -> None:
    for properties in root.iter(CAMUNDA + "properties"):
        around = properties.getparent()
        if around.tag == BPMN + "extensionElements":
            holder = around.getparent()
            _properties(properties, said(holder), ELEMENT_PROPERTIES.get(local(holder), {}), found)


def _properties(properties: etree._Element, where: str, known: Known, found: Findings) -> None:
    """The properties of one element or field: known, each once, with a value that means something."""
    names: set[str] = set()
    for one in properties.iterchildren(CAMUNDA + "property"):
        name, value = property_name(one), one.get("value", "")
        if name in names:
            found.error(place(one), f"Properti {quoted(name)} pada {where} tertulis dua kali. Hapus salah satu.")
        names.add(name)
        if name not in known:
            _unknown_property(one, name, where, known, found)
        elif (values := known[name]) and value.strip() and value.strip() not in values:
            found.error(place(one), f"Properti {quoted(name)} pada {where} bernilai {quoted(value)}; yang dikenal: "
                                    f"{', '.join(values)}. Pakai salah satu.")


def _unknown_property(node: etree._Element, name: str, where: str, known: Known, found: Findings) -> None:
    near = nearest(name, known)
    remedy = f"Mungkin maksudnya {near}." if near else f"Yang dikenal di sini: {some(sorted(known))}."
    if name.startswith(("sop.", "kolom.")) or local(node.getparent().getparent()) == "formField":
        found.error(place(node), f"Properti {quoted(name)} pada {where} tidak dikenal. {remedy}")
    else:
        found.warning(place(node), f"Properti {quoted(name)} pada {where} tidak dibaca. Hapus bila tidak diperlukan. "
                                   f"{remedy if near else ''}".strip())


# Form fields, as written

FIELD_TYPES = STOCK_TYPES | OWN_TYPES
COLUMN_TYPES = FIELD_TYPES - {"table", "document"}
_EVERY_FIELD: Known = {
    "sop.kelompok": None, "sop.petunjuk": None, "sop.wajibJika": None, "sop.tampilJika": None, "sop.benarJika": None,
    "sop.pesan": None, "sop.keputusan": _YES_NO, "sop.pribadi": _YES_NO, "sop.sumber": ("S", "D", "T")}
FIELD_PROPERTIES: Mapping[str, Known] = {
    "table": {
        **_EVERY_FIELD, "sop.barisDari": None, "sop.barisBawaan": None, "sop.barisBawaanJika": None,
        "sop.menunjukTim": None},
    "document": {
        **_EVERY_FIELD, "sop.peran": ("kelengkapan", "output", "bacaan"), "sop.asal": None, "sop.bentuk": None,
        "sop.jumlah": ("1", "banyak"), "sop.versi": ("baru", "sama"), "sop.samaJika": None, "sop.menyusul": None,
        "sop.menyusulJika": None, "sop.dispensasi": _YES_NO, "sop.pelampir": None, "sop.teksDari": None},
}
SLOT_FORMS = frozenset({"berkas", "teks", "cetak", "tautan"})
CONSTRAINTS = {                 # and the types they say something about
    "required": FIELD_TYPES, "readonly": FIELD_TYPES,
    "min": frozenset({"long", "decimal", "date"}), "max": frozenset({"long", "decimal", "date"}),
    "minlength": frozenset({"string", "text", "table"}), "maxlength": frozenset({"string", "text", "table"}),
}
# A field's id is a name in expressions and a key of the data document.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
_NO_NAMES = BUILT_IN_NAMES | RESERVED_NAMES | {"typename"}


def _form_fields(root: etree._Element, found: Findings) -> None:
    for form in root.iter(CAMUNDA + "formData"):
        ids: set[str] = set()
        for node in form.iterchildren(CAMUNDA + "formField"):
            id = node.get("id", "")
            if id in ids:
                found.error(place(node),
                    f"Isian {quoted(id)} tertulis dua kali dalam satu formulir. Beri id lain atau hapus salah satu.")
            ids.add(id)
            for rule in (_field_name, _field_type, _choices, _constraints, _field_properties, _columns, _slot):
                rule(node, found)


def _field_name(node: etree._Element, found: Findings) -> None:
    _name(node, node.get("id", ""), "isian", found)
    if not node.get("label", "").strip():
        found.error(place(node), f"Isian {quoted(node.get('id', ''))} tidak mempunyai label. Tulis label yang dibaca "
                                 "pelaksana.")


def _name(node: etree._Element, id: str, what: str, found: Findings) -> None:
    if not _NAME.fullmatch(id):
        found.error(place(node), f"Id {what} {quoted(id)} tidak sah. Pakai huruf latin, angka dan garis bawah, "
                                 "diawali huruf, paling panjang 60.")
    elif id in _NO_NAMES:
        found.error(place(node), f"Id {what} {quoted(id)} mempunyai arti sendiri dalam ungkapan. Beri id lain.")


def _field_type(node: etree._Element, found: Findings) -> None:
    if node.get("type") not in FIELD_TYPES:
        found.error(place(node), f"Jenis isian {quoted(node.get('type', ''))} pada {quoted(node.get('id', ''))} tidak "
                                 f"dikenal. Pakai salah satu: {', '.join(sorted(FIELD_TYPES))}.")


def _choices(node: etree._Element, found: Findings) -> None:
    id, values = node.get("id", ""), [one.get("id", "").strip() for one in node.iterchildren(CAMUNDA + "value")]
    if node.get("type") != "enum":
        if values:
            found.error(place(node), f"Isian {quoted(id)} mempunyai pilihan tetapi jenisnya bukan enum. Ubah jenisnya "
                                     "atau hapus pilihannya.")
    elif not values or not all(values) or len(set(values)) < len(values):
        found.error(place(node), f"Isian {quoted(id)} memerlukan pilihan yang bernilai dan tidak kembar. Lengkapi "
                                 "daftar pilihannya.")


def _constraints(node: etree._Element, found: Findings) -> None:
    id, type, names = quoted(node.get("id", "")), node.get("type", ""), set()
    for one in node.iterfind(f"{CAMUNDA}validation/{CAMUNDA}constraint"):
        name, config = one.get("name", ""), one.get("config", "").strip()
        if name in names:
            found.error(place(one), f"Batasan {quoted(name)} pada isian {id} tertulis dua kali. Hapus salah satu.")
        names.add(name)
        if name not in CONSTRAINTS:
            found.error(place(one), f"Batasan {quoted(name)} pada isian {id} tidak dikenal. Pakai salah satu: "
                                    f"{', '.join(CONSTRAINTS)}.")
        elif type not in CONSTRAINTS[name]:
            found.error(place(one), f"Batasan {quoted(name)} tidak berlaku untuk isian {id} yang berjenis "
                                    f"{quoted(type)}. Hapus batasan itu.")
        elif not _limit(name, type, config):
            found.error(place(one), f"Batasan {quoted(name)} pada isian {id} bernilai {quoted(config)}, yang tidak "
                                    "dapat dibaca. Tulis angka, tanggal (2027-02-28), atau true/false sesuai "
                                    "batasannya.")


def _limit(name: str, type: str, config: str) -> bool:
    if name in ("required", "readonly"):
        return config.casefold() in ("", "true", "false")
    if name in ("minlength", "maxlength"):
        return re.fullmatch(r"[0-9]{1,6}", config) is not None
    return plain_value(type, config)


def plain_value(type: str, text: str) -> bool:
    """Whether a text written in the diagram is a value of this type of field."""
    match type:
        case "long":
            return re.fullmatch(r"-?[0-9]{1,18}", text) is not None
        case "decimal":
            return re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,15})?", text) is not None
        case "boolean":
            return text in ("true", "false")
        case "date" | "time":
            try:
                (date if type == "date" else time).fromisoformat(text)
            except ValueError:
                return False
            return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2}:[0-9]{2}", text) is not None
    return type in ("string", "text", "enum", "person")


def _field_properties(node: etree._Element, found: Findings) -> None:
    known = FIELD_PROPERTIES.get(node.get("type", ""), _EVERY_FIELD)
    if node.get("type") == "table":
        known = {**known, **{property_name(one): None for one in _own_properties(node) if _is_column(one)}}
    for properties in node.iterchildren(CAMUNDA + "properties"):
        _properties(properties, f"isian {quoted(node.get('id', ''))}", known, found)


def _own_properties(node: etree._Element) -> Iterator[etree._Element]:
    yield from node.iterfind(f"{CAMUNDA}properties/{CAMUNDA}property")


def _is_column(property: etree._Element) -> bool:
    return property_name(property).startswith("kolom.")


def _columns(node: etree._Element, found: Findings) -> None:
    """`kolom.ID` of a table: `Label | type | wajib, tidak, baca or wajib jika FEEL | options`."""
    if node.get("type") != "table":
        return
    columns = [one for one in _own_properties(node) if _is_column(one)]
    if not columns:
        found.error(place(node), f"Tabel {quoted(node.get('id', ''))} tidak mempunyai kolom. Tambahkan properti "
                                 "kolom.ID, misalnya kolom.uraian = Uraian | text | wajib.")
    for one in columns:
        id = property_name(one).removeprefix("kolom.")
        _name(one, id, "kolom", found)
        label, type, need, options = column_parts(one.get("value", ""))
        if not label or type not in COLUMN_TYPES or not _NEED.fullmatch(need):
            found.error(place(one), f"Kolom {quoted(id)} tidak dapat dibaca. Tulis: Label | jenis | wajib, tidak, baca "
                                    "atau wajib jika UNGKAPAN | pilihan. "
                                    f"Jenis: {', '.join(sorted(COLUMN_TYPES))}.")
        elif not _column_options(type, options):
            found.error(place(one), f"Pilihan kolom {quoted(id)} tidak dapat dibaca. Untuk enum tulis "
                                    "ketua=Ketua; anggota=Anggota, untuk jenis lain awal=ISI atau kosong.")


_NEED = re.compile(r"(wajib|tidak|baca|wajib\s+jika\s+\S.*)?", re.DOTALL)


def column_parts(value: str) -> tuple[str, str, str, str]:
    """The four parts of a column's description; what is not written is empty, the type then string."""
    label, type, need, options, *_ = ([part.strip() for part in value.split("|", 3)] + [""] * 3)
    return label, type or "string", need, options


def _column_options(type: str, options: str) -> bool:
    if type != "enum":
        return not options or (options.startswith("awal=") and plain_value(type, options.removeprefix("awal=").strip()))
    values = [one.partition("=")[0].strip() for one in options.split(";") if one.strip()]
    return bool(set(values) - {"awal"}) and all(values) and len(set(values)) == len(values)


def _slot(node: etree._Element, found: Findings) -> None:
    if node.get("type") != "document":
        return
    properties = {property_name(one): one.get("value", "").strip() for one in _own_properties(node)}
    id = quoted(node.get("id", ""))
    if not properties.get("sop.peran"):
        found.error(place(node), f"Berkas {id} tidak menyebut perannya. Isi sop.peran: kelengkapan, output atau "
                                 "bacaan.")
    unknown = [one for one in listed(properties.get("sop.bentuk", "")) if one not in SLOT_FORMS]
    if unknown:
        found.error(place(node), f"Bentuk {quoted(unknown[0])} pada berkas {id} tidak dikenal. Pakai: "
                                 f"{', '.join(sorted(SLOT_FORMS))}.")
    if properties.get("sop.menyusulJika") and not properties.get("sop.menyusul"):
        found.error(place(node), f"Berkas {id} mempunyai sop.menyusulJika tanpa sop.menyusul. Sebut user task yang "
                                 "menjadi batas menyusulnya.")


# --- The last door: it is drawn as it runs ---------------------------------------------------------------------------

@dataclass(frozen=True)
class Box:
    """A rectangle of the drawing, in its units."""
    left: float
    top: float
    width: float
    height: float

    @property
    def centre(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2

    def holds(self, point: tuple[float, float], margin: float = 0) -> bool:
        return (self.left - margin <= point[0] <= self.left + self.width + margin
                and self.top - margin <= point[1] <= self.top + self.height + margin)

    def shared(self, other: Box) -> float:
        """The area that both cover."""
        width = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        height = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        return width * height if width > 0 and height > 0 else 0.0


def of_drawing(it: Judged, root: etree._Element) -> None:
    """Staff see the picture, the engine runs the process: they say the same, or the diagram is refused."""
    plane = root.find(f"{BPMNDI}BPMNDiagram/{BPMNDI}BPMNPlane")
    if plane is None:
        it.error(it.definition.key, "Diagram tidak memuat gambar. Buka dan simpan di pemodel, sehingga setiap unsur "
                                    "tergambar.")
        return
    around = root.find(BPMN + "collaboration")
    expected = it.definition.key if around is None else around.get("id")
    if plane.get("bpmnElement") != expected:
        it.error(it.definition.key, f"Gambar menunjuk {quoted(plane.get('bpmnElement', ''))}, bukan "
                                    f"{quoted(expected or '')}. Simpan ulang dari pemodel.", plane.sourceline or 0)
    boxes = _boxes(it, plane)
    _all_drawn(it, boxes)
    _in_lanes(it, boxes)
    _apart(it, boxes)
    _edges(it, plane, boxes)


def _boxes(it: Judged, plane: etree._Element) -> dict[str, Box]:
    boxes: dict[str, Box] = {}
    for shape in plane.iterchildren(BPMNDI + "BPMNShape"):
        id, bounds = shape.get("bpmnElement", ""), shape.find(DC + "Bounds")
        values = [] if bounds is None else [bounds.get(name, "") for name in ("x", "y", "width", "height")]
        if id in boxes:
            it.error(id, f"{it.named(id)} tergambar lebih dari sekali. Hapus salah satu gambarnya.",
                     shape.sourceline or 0)
        elif id not in it.lines:
            it.error(id, f"Ada gambar untuk {quoted(id)}, yang tidak ada di dalam proses. Hapus gambar itu.",
                     shape.sourceline or 0)
        elif values and all(_NUMBER.fullmatch(one) for one in values):
            boxes[id] = Box(*map(float, values))
    return boxes


def _all_drawn(it: Judged, boxes: Mapping[str, Box]) -> None:
    ids = [*it.definition.elements, *(lane.id for lane in it.definition.lanes)]
    ids += [it.definition.deadline.id, it.definition.deadline.start_event] if it.definition.deadline else []
    for id in ids:
        box = boxes.get(id)
        if box is None:
            it.error(id, f"{it.named(id)} tidak tergambar, sehingga tidak terlihat oleh siapa pun. Gambarkan di "
                         "pemodel.")
        elif box.width < SMALLEST or box.height < SMALLEST:
            it.error(id, f"{it.named(id)} tergambar terlalu kecil untuk dilihat. Perbesar paling sedikit {SMALLEST} "
                         "satuan.")


def _in_lanes(it: Judged, boxes: Mapping[str, Box]) -> None:
    lanes = {lane.id: boxes[lane.id] for lane in it.definition.lanes if lane.id in boxes}
    names = {lane.id: lane.name for lane in it.definition.lanes}
    for one in it.definition.elements.values():
        box, host = boxes.get(one.id), boxes.get(one.attached_to or "")
        if box is None:
            continue
        if one.kind == "boundaryEvent":
            if host and not host.holds(box.centre, margin=EDGE):
                it.error(one.id, f"Boundary event {it.named(one.id)} tergambar jauh dari "
                                 f"{it.named(one.attached_to or '')}, tempatnya menempel. Tempelkan kembali di "
                                 "pemodel.")
        elif one.lane in lanes:
            drawn = [id for id, lane in lanes.items() if lane.holds(box.centre)]
            if drawn != [one.lane]:
                seen = ", ".join(quoted(names[id]) for id in drawn) or "di luar semua lane"
                it.error(one.id, f"{it.named(one.id)} tercantum di lane {quoted(names[one.lane])}, tetapi tergambar "
                                 f"di {seen}. Geser ke dalam lane-nya lalu simpan ulang.")


def _apart(it: Judged, boxes: Mapping[str, Box]) -> None:
    tasks = [(one.id, boxes[one.id]) for one in it.nodes("userTask") if one.id in boxes]
    for n, (id, box) in enumerate(tasks):
        for other, covered in tasks[:n]:
            smaller = min(box.width * box.height, covered.width * covered.height)
            if box.shared(covered) > smaller * MOST_COVERED:
                it.error(id, f"Gambar {it.named(id)} menutupi {it.named(other)}. Geser salah satunya.")


def _edges(it: Judged, plane: etree._Element, boxes: Mapping[str, Box]) -> None:
    edges: dict[str, etree._Element] = {}
    for edge in plane.iterchildren(BPMNDI + "BPMNEdge"):
        if edges.setdefault(edge.get("bpmnElement", ""), edge) is not edge:
            it.error(edge.get("bpmnElement", ""), "Panah ini tergambar lebih dari sekali. Hapus salah satu gambarnya.",
                     edge.sourceline or 0)
    for flow in it.definition.flows.values():
        edge = edges.get(flow.id)
        if edge is None:
            it.warning(flow.id, f"Panah {quoted(flow.name or flow.id)} tidak tergambar. Gambarkan di pemodel.",
                       flow.line)
            continue
        points = [(one.get("x", ""), one.get("y", "")) for one in edge.iterchildren(DI + "waypoint")]
        if len(points) < 2 or not all(_NUMBER.fullmatch(x) and _NUMBER.fullmatch(y) for x, y in points):
            it.error(flow.id, f"Panah {quoted(flow.name or flow.id)} tergambar tanpa titik awal dan akhir. Gambarkan "
                              "ulang di pemodel.", edge.sourceline or 0)
            continue
        for id, (x, y) in ((flow.source, points[0]), (flow.target, points[-1])):
            if id in boxes and not boxes[id].holds((float(x), float(y)), margin=EDGE):
                it.error(flow.id, f"Gambar panah {quoted(flow.name or flow.id)} tidak menyentuh {it.named(id)}, "
                                  "padahal panah itu menghubungkannya. Sambungkan kembali di pemodel.",
                                  edge.sourceline or 0)


# --- Words -----------------------------------------------------------------------------------------------------------

_KINDS = {
    "startEvent": "Start event", "endEvent": "End event", "userTask": "User task",
    "exclusiveGateway": "Gateway eksklusif", "parallelGateway": "Gateway paralel",
    "boundaryEvent": "Boundary event", "intermediateCatchEvent": "Event antara",
    "subProcess": "Subproses", "sequenceFlow": "Panah", "process": "Proses", "lane": "Lane", "participant": "Pool",
    "formField": "Isian", "definitions": "Berkas",
}


def local(node: etree._Element) -> str:
    return etree.QName(node).localname


def quoted(text: str, most: int = 80) -> str:
    """A name out of the file, short enough for a sentence."""
    return f'"{text if len(text) <= most else text[:most] + "..."}"'


def said(node: etree._Element) -> str:
    """An XML element as an owner knows it: what it is, and its name or id."""
    name = " ".join((node.get("name") or node.get("id") or "").split())
    return f"{_KINDS.get(local(node), local(node))} {quoted(name)}" if name else _KINDS.get(local(node), local(node))


def listed(text: str) -> tuple[str, ...]:
    """The ids in a property that lists some: separated by spaces, lines, commas or semicolons."""
    return tuple(one for one in re.split(r"[\s,;]+", text) if one)


def some(ids: Iterable[str]) -> str:
    """The first ids of a list, for a sentence."""
    all = list(ids)
    return ", ".join(all[:12]) + (", ..." if len(all) > 12 else "") or "tidak ada"


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant, "" if none is near; looked for among the first few only."""
    return next(iter(difflib.get_close_matches(name[:100], list(known)[:200], 1)), "")


def counted(number: int) -> str:
    """2.000.000: a number as Indonesian readers write it."""
    return f"{number:,}".replace(",", ".")


def property_name(node: etree._Element) -> str:
    """What a camunda:property is called: of an element it stands in `name`, of a form field in `id`."""
    name: str = node.get("name") or node.get("id") or ""
    return name.strip()
