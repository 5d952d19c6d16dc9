"""The gate for diagrams: what is refused when one is uploaded, said as findings that an owner can act on.

Three doors, one behind the other: `opened` lets through bytes that are harmless XML of a bounded size, `of_tree` a
tree that holds only what we read, `of_definition` a process that will run to its end. What passes all three,
`diagram.py` reads without a doubt. Every rule says what is, what was expected and what to do, in the owners' language.
Time and memory are bounded by the size of the file and by counts, never by a clock.
"""
from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from lxml import etree

from . import expressions
from .definition import (
    BUILT_IN_NAMES,
    OWN_TYPES,
    STOCK_TYPES,
    Element,
    Field,
    Finding,
    ProcessDefinition,
    SequenceFlow,
    Timer,
)

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
MOST_TAGS = 50_000              # a tag is at least one "<"; counted before anything is parsed
MOST_EQUALS = 100_000           # an attribute is at least one "="
MOST_DEPTH = 40
MOST_ATTRIBUTES = 40            # of one element
MOST_ATTRIBUTE = 400            # characters
MOST_VALUE = 4_000              # characters: of an attribute that holds an owner's words, and of a text
MOST_FINDINGS = 300
MOST_NODES = 300                # the engine's own way of building a process ends at about 450 in a row
MOST_MARKINGS = 20_000          # of the token game
MOST_MOVES = 200_000            # of tokens in it
SMALLEST = 10                   # units of the drawing: less is not seen
EDGE = 30                       # units of the drawing: how far a line or a boundary event may be off its element
MOST_COVERED = 0.2              # of the smaller of two user tasks
WORDY_ATTRIBUTES = frozenset({"name", "label", "value", "defaultValue"})
TEXTS = frozenset(BPMN + name for name in (
    "documentation", "text", "conditionExpression", "timeDuration", "timeDate", "timeCycle", "flowNodeRef", "incoming", "outgoing"))

# Characters that nobody sees: controls, soft hyphen, directions, zero width, tags, fillers, private use and no characters.
UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ue000-\uf8ff\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff\U000f0000-\U0010ffff]")


class Findings:
    """What was found so far; keeps the first MOST_FINDINGS and counts the rest."""

    def __init__(self) -> None:
        self.kept: list[Finding] = []
        self.left_out = 0
        self.errors = 0

    def error(self, place: tuple[str | None, int], message: str) -> None:
        self._add("error", place, message)

    def warning(self, place: tuple[str | None, int], message: str) -> None:
        self._add("warning", place, message)

    def _add(self, severity: str, place: tuple[str | None, int], message: str) -> None:
        self.errors += severity == "error"
        # An error is never crowded out by warnings: at the limit the newest warning makes room.
        if len(self.kept) >= MOST_FINDINGS:
            self.left_out += 1
            warning = next((n for n in range(len(self.kept) - 1, -1, -1) if self.kept[n].severity == "warning"), None)
            if severity == "warning" or warning is None:
                return
            del self.kept[warning]
        self.kept.append(Finding(severity=severity, element=place[0], line=place[1], message=message))

    def all(self) -> tuple[Finding, ...]:
        rest = [Finding(severity="warning", element=None, line=0, message=f"Masih ada {self.left_out} temuan lain. Perbaiki dahulu yang tercantum, lalu periksa lagi.")]
        return sorted_by_line((*self.kept, *(rest if self.left_out else ())))


def sorted_by_line(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: (one.line, one.severity)))


def place(node: etree._Element) -> tuple[str | None, int]:
    """Where an XML element stands: the id of the nearest BPMN element around it, and its line."""
    around = node
    while around is not None and not (isinstance(around.tag, str) and around.tag.startswith((BPMN, BPMNDI)) and around.get("id")):
        around = around.getparent()
    return (None if around is None else around.get("id")), node.sourceline or 0


# --- The first door: bytes that are harmless XML ---------------------------------------------------------------------

def opened(data: bytes) -> tuple[etree._Element | None, tuple[Finding, ...]]:
    """The tree of a file, or None and why it was not opened."""
    found = Findings()
    text = _decoded(data, found)
    root = None if text is None else _parsed(text, found)
    if root is not None:
        for rule in (_no_instructions, _bounded, _seen, _plain_texts):
            rule(root, found)
    return (None if found.errors else root), found.all()


def _decoded(data: bytes, found: Findings) -> str | None:
    """The text of the file, when it is of bounded size, in UTF-8 or UTF-16, and defines nothing of its own."""
    file = (None, 0)
    if not data.strip():
        found.error(file, "Berkas kosong. Unggah berkas BPMN yang disimpan dari pemodel.")
    elif len(data) > MOST_BYTES:
        found.error(file, f"Berkas berukuran {len(data):,} bita; paling besar {MOST_BYTES:,} bita. Pecah proses menjadi beberapa diagram.".replace(",", "."))
    elif data.startswith((b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ")):
        found.error(file, "Berkas dimampatkan (gzip atau zip). Unggah berkas BPMN-nya sendiri, tidak dimampatkan.")
    elif (text := _text_of(data)) is None:
        found.error(file, "Huruf dalam berkas tidak ditulis dalam UTF-8 atau UTF-16 sebagaimana dinyatakannya. Simpan ulang diagram dari pemodel (UTF-8).")
    elif "<!DOCTYPE" in text or "<!ENTITY" in text:
        found.error(file, "Berkas memuat DOCTYPE atau ENTITY, yang dapat menyembunyikan isi. Hapus deklarasi itu; diagram BPMN tidak memerlukannya.")
    elif text.count("<") > MOST_TAGS or text.count("=") > MOST_EQUALS:
        found.error(file, f"Berkas memuat terlalu banyak tag atau atribut (paling banyak {MOST_TAGS:,} tag). Pecah proses menjadi beberapa diagram.".replace(",", "."))
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
    known = ("utf-16", "utf-16le", "utf-16be") if wide else ("utf-8", "utf8", "us-ascii", "ascii")
    # Plain letters are the same bytes in these two; then every reader reads the same text.
    known += ("iso-8859-1", "windows-1252") if text.isascii() and not wide else ()
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
        found.error((None, line), f"Berkas bukan XML yang utuh: pembacaan berhenti di baris {line}, kolom {column}. Simpan ulang diagram dari pemodel.")
        return None
    if root.tag != BPMN + "definitions":
        found.error((None, root.sourceline or 0), "Berkas ini XML, tetapi bukan diagram BPMN 2.0. Unggah berkas yang disimpan dari pemodel sebagai BPMN 2.0.")
        return None
    return root


def _no_instructions(root: etree._Element, found: Findings) -> None:
    for node in root.getroottree().xpath("//processing-instruction()"):
        found.error((None, node.sourceline or 0), "Berkas memuat instruksi pemrosesan (<?...?>). Hapus; diagram BPMN tidak memerlukannya.")


def _bounded(root: etree._Element, found: Findings) -> None:
    for node in root.xpath("/*" * (MOST_DEPTH + 1))[:1]:
        found.error(place(node), f"Unsur bersarang lebih dari {MOST_DEPTH} tingkat. Sederhanakan berkas.")
    for node in root.iter(etree.Element):
        if len(node.attrib) > MOST_ATTRIBUTES:
            found.error(place(node), f"Satu unsur memuat {len(node.attrib)} atribut; paling banyak {MOST_ATTRIBUTES}. Hapus yang tidak perlu.")
        for name, value in node.attrib.items():
            most = MOST_VALUE if name in WORDY_ATTRIBUTES else MOST_ATTRIBUTE
            if len(value) > most:
                found.error(place(node), f"Isi atribut {quoted(name)} sepanjang {len(value)} huruf; paling panjang {most}. Persingkat.")
        if node.text and len(node.text) > MOST_VALUE:
            found.error(place(node), f"Teks sepanjang {len(node.text)} huruf; paling panjang {MOST_VALUE}. Persingkat.")


def _seen(root: etree._Element, found: Findings) -> None:
    for node in root.iter(etree.Element):
        for text in (node.text, node.tail, *node.attrib.values()):
            unseen = UNSEEN.search(text) if text else None
            if unseen:
                found.error(place(node), f"Ada huruf yang tidak terlihat (U+{ord(unseen[0]):04X}) di dalam teks atau atribut. Ketik ulang bagian itu tanpa menyalin dari aplikasi lain.")
                break


def _plain_texts(root: etree._Element, found: Findings) -> None:
    """Texts hold nothing but text, and nothing else holds text: a comment inside a condition hides half of it."""
    for node in root.iter(etree.Element):
        if node.tag in TEXTS:
            if len(node):
                found.error(place(node), f"Di dalam teks {quoted(local(node))} ada komentar atau unsur lain, yang dapat menyembunyikan sebagian isinya. Hapus.")
        elif (node.text and node.text.strip()) or any(one.tail and one.tail.strip() for one in node):
            found.error(place(node), f"Ada teks lepas di dalam {quoted(local(node))}, yang tidak akan dibaca. Hapus.")


# --- The second door: a tree that holds only what we read -----------------------------------------------------------

# element | attributes | what may stand in it. An element without prefix is bpmn. What is not here is refused.
_NODE = "documentation extensionElements incoming outgoing"
_COLOURS = "bioc:stroke bioc:fill color:background-color color:border-color color:color"
_NOTES = "textAnnotation association group"
_GRAMMAR = f"""
definitions            | id name targetNamespace exporter exporterVersion expressionLanguage typeLanguage xsi:schemaLocation | documentation extensionElements collaboration process category bpmndi:BPMNDiagram
collaboration          | id name isClosed                       | documentation extensionElements participant {_NOTES}
participant            | id name processRef                     | documentation extensionElements
process                | id name isExecutable isClosed processType camunda:historyTimeToLive camunda:versionTag camunda:isStartableInTasklist | documentation extensionElements laneSet startEvent endEvent userTask exclusiveGateway parallelGateway boundaryEvent intermediateCatchEvent subProcess sequenceFlow {_NOTES}
laneSet                | id name                                | documentation extensionElements lane
lane                   | id name                                | documentation extensionElements flowNodeRef
startEvent             | id name isInterrupting parallelMultiple | {_NODE} timerEventDefinition
endEvent               | id name                                | {_NODE} terminateEventDefinition
userTask               | id name isForCompensation startQuantity completionQuantity implementation | {_NODE}
exclusiveGateway       | id name default gatewayDirection       | {_NODE}
parallelGateway        | id name gatewayDirection               | {_NODE}
boundaryEvent          | id name attachedToRef cancelActivity parallelMultiple | {_NODE} timerEventDefinition
intermediateCatchEvent | id name parallelMultiple               | {_NODE} timerEventDefinition
subProcess             | id name triggeredByEvent isForCompensation startQuantity completionQuantity | {_NODE} startEvent endEvent sequenceFlow {_NOTES}
sequenceFlow           | id name sourceRef targetRef isImmediate | documentation extensionElements conditionExpression
conditionExpression    | id language xsi:type                   |
timerEventDefinition   | id                                     | documentation extensionElements timeDuration timeDate timeCycle
timeDuration           | id language xsi:type                   |
timeDate               | id language xsi:type                   |
timeCycle              | id language xsi:type                   |
terminateEventDefinition | id                                   | documentation extensionElements
documentation          | id textFormat                          |
flowNodeRef            |                                        |
incoming               |                                        |
outgoing               |                                        |
textAnnotation         | id textFormat                          | documentation extensionElements text
text                   |                                        |
association            | id sourceRef targetRef associationDirection | documentation extensionElements
group                  | id categoryValueRef                    | documentation extensionElements
category               | id name                                | documentation extensionElements categoryValue
categoryValue          | id value                               | documentation extensionElements
extensionElements      |                                        | camunda:formData camunda:properties
camunda:formData       |                                        | camunda:formField
camunda:formField      | id label type defaultValue             | camunda:properties camunda:validation camunda:value
camunda:properties     |                                        | camunda:property
camunda:property       | id name value                          |
camunda:validation     |                                        | camunda:constraint
camunda:constraint     | name config                            |
camunda:value          | id name                                |
bpmndi:BPMNDiagram     | id name documentation resolution       | bpmndi:BPMNPlane bpmndi:BPMNLabelStyle
bpmndi:BPMNPlane       | id bpmnElement                         | bpmndi:BPMNShape bpmndi:BPMNEdge
bpmndi:BPMNShape       | id bpmnElement isHorizontal isExpanded isMarkerVisible isMessageVisible {_COLOURS} | dc:Bounds bpmndi:BPMNLabel
bpmndi:BPMNEdge        | id bpmnElement sourceElement targetElement messageVisibleKind {_COLOURS} | di:waypoint bpmndi:BPMNLabel
bpmndi:BPMNLabel       | id labelStyle {_COLOURS}               | dc:Bounds
bpmndi:BPMNLabelStyle  | id                                     | dc:Font
dc:Font                | name size isBold isItalic isUnderline isStrikeThrough |
dc:Bounds              | x y width height                       |
di:waypoint            | x y                                    |
"""
_PREFIXES = {"bpmndi": BPMNDI, "dc": DC, "di": DI, "camunda": CAMUNDA, "bioc": BIOC, "color": COLOR, "xsi": XSI}


def _qualified(name: str, otherwise: str) -> str:
    prefix, _, rest = name.rpartition(":")
    return (_PREFIXES[prefix] if prefix else otherwise) + rest


GRAMMAR = {
    _qualified(element.strip(), BPMN): (frozenset(_qualified(one, "") for one in attributes.split()),
                                        frozenset(_qualified(one, BPMN) for one in children.split()))
    for element, attributes, children in (line.split("|") for line in _GRAMMAR.strip().splitlines())}

# Of these one is read; a second one would be drawn or kept by a tool, and ignored by us.
_ONCE = frozenset(_qualified(name, BPMN) for name in (
    "collaboration process participant laneSet extensionElements documentation conditionExpression timerEventDefinition "
    "terminateEventDefinition timeDuration timeDate timeCycle text camunda:formData camunda:properties camunda:validation "
    "bpmndi:BPMNDiagram bpmndi:BPMNPlane dc:Bounds").split())
# The values under which an attribute changes nothing, or which we carry.
_VALUES = {
    "isForCompensation": ("false",), "startQuantity": ("1",), "completionQuantity": ("1",), "parallelMultiple": ("false",),
    "implementation": ("##unspecified", "##WebService"), "cancelActivity": ("true", "false"),
    "isInterrupting": ("true", "false"), "triggeredByEvent": ("true", "false"),
}

_USER_TASK = "Pakai user task, yang diselesaikan oleh orang."
_TIMER = "Pakai timer, atau user task yang mencatat kejadian itu."
_GATEWAY = "Pakai gateway eksklusif (satu jalan dipilih) atau gateway paralel (semua jalan)."
_DOCUMENT = "Nyatakan berkas sebagai isian berjenis document pada user task."
_PLAIN_TASK = "Ulangi dengan panah kembali melalui gateway eksklusif."
INSTEAD = {
    **dict.fromkeys(("task", "manualTask", "serviceTask", "scriptTask", "businessRuleTask", "sendTask", "receiveTask",
                     "callActivity", "globalUserTask", "globalTask", "globalManualTask", "globalScriptTask"), _USER_TASK),
    **dict.fromkeys(("transaction", "adHocSubProcess", "subChoreography", "choreographyTask", "callChoreography"),
                    "Gambarkan langkah-langkahnya langsung di dalam proses."),
    **dict.fromkeys(("inclusiveGateway", "complexGateway", "eventBasedGateway"), _GATEWAY),
    **dict.fromkeys(("intermediateThrowEvent", "messageEventDefinition", "signalEventDefinition", "conditionalEventDefinition",
                     "errorEventDefinition", "escalationEventDefinition", "linkEventDefinition", "compensateEventDefinition",
                     "cancelEventDefinition", "message", "signal", "error", "escalation", "messageFlow"), _TIMER),
    **dict.fromkeys(("dataObject", "dataObjectReference", "dataStoreReference", "dataStore", "dataInputAssociation",
                     "dataOutputAssociation", "ioSpecification", "property"), _DOCUMENT),
    **dict.fromkeys(("multiInstanceLoopCharacteristics", "standardLoopCharacteristics"), _PLAIN_TASK),
    **dict.fromkeys(("potentialOwner", "performer", "humanPerformer", "resourceRole"), "Pelaksana ditentukan oleh lane."),
    "childLaneSet": "Lane bersarang belum didukung: gambarkan lane sejajar.",
    "script": "Tidak ada kode di dalam diagram.",
    "import": "Diagram berdiri sendiri; hapus rujukan ke berkas lain.",
}
INSTEAD_OF_ATTRIBUTES = {
    "assignee": "Pelaksana ditentukan oleh lane.", "candidateUsers": "Pelaksana ditentukan oleh lane.",
    "candidateGroups": "Pelaksana ditentukan oleh lane.", "candidateStarterGroups": "Pakai properti sop.pemulai pada start event.",
    "formKey": "Nyatakan isian sebagai Form Data (Generated Task Forms).", "formRef": "Nyatakan isian sebagai Form Data (Generated Task Forms).",
    "dueDate": "Pakai timer pada tepi user task.", "followUpDate": "Pakai timer pada tepi user task.",
}


def of_tree(root: etree._Element) -> tuple[Finding, ...]:
    """What is to be said of an opened tree: what it holds that we do not read, and what is written wrongly in it."""
    found = Findings()
    _grammar(root, found)
    for rule in (_ids, _one_process, _participant, _events, _timers_drawn, _deadline_shape, _languages, _extensions_in_place, _numbers):
        rule(root, found)
    for process in root.iterchildren(BPMN + "process"):
        for rule in (_lanes, _element_properties, _form_fields):
            rule(process, found)
    return found.all()


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
        once = set()
        for child in node.iterchildren(etree.Element):
            if child.tag not in children:
                found.error(place(child), _not_here(child))
                continue
            if child.tag in once:
                found.error(place(child), f"Unsur {quoted(local(child))} tertulis lebih dari sekali di dalam {said(node)}; hanya yang pertama akan dibaca. Hapus yang lain.")
            once |= {child.tag} & _ONCE
            waiting.append(child)


def _attribute(node: etree._Element, name: str, value: str, known: frozenset[str], found: Findings) -> None:
    if name not in known and not (node.tag == BPMN + "definitions" and name.startswith((MODELER, ZEEBE))):
        word = name.rpartition("}")[2]
        remedy = INSTEAD_OF_ATTRIBUTES.get(word, "Hapus atribut itu.")
        found.error(place(node), f"Atribut {quoted(word)} pada {said(node)} belum didukung. {remedy}")
    elif name in _VALUES and value not in _VALUES[name]:
        expected = " atau ".join(_VALUES[name])
        found.error(place(node), f"Atribut {quoted(name)} pada {said(node)} bernilai {quoted(value)}; yang didukung {expected}. Ubah atau hapus.")


def _not_here(node: etree._Element) -> str:
    """Why an element is refused where it stands, and what to use instead."""
    name, around = local(node), node.getparent()
    if around.tag == BPMN + "extensionElements":
        return f"Ekstensi {quoted(name)} pada {said(around.getparent())} belum didukung. Hapus; yang dibaca hanya camunda:formData dan camunda:properties."
    if node.tag in GRAMMAR:
        return f"{said(node)} tidak dibaca di dalam {said(around)}. Pindahkan ke tempatnya atau hapus."
    remedy = INSTEAD.get(name) if node.tag.startswith(BPMN) else None
    return f"{said(node)} belum didukung. {remedy or 'Hapus dari diagram.'}"


# Ids travel: into addresses, expressions, names of the engine. Letters, digits, "_", "-" and "." survive everywhere.
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,99}")
_RESERVED = frozenset({"Start", "End", "Root"})
_NAMED = FLOW_NODES | {BPMN + name for name in ("process", "sequenceFlow", "lane", "participant")}


def _ids(root: etree._Element, found: Findings) -> None:
    seen: set[str] = set()
    for node in root.iter(BPMN + "*", BPMNDI + "*"):
        id = node.get("id")
        if id is None:
            if node.tag in _NAMED:
                found.error(place(node), f"{said(node)} tidak mempunyai id. Beri id, misalnya langkah_1.")
            continue
        if not _ID.fullmatch(id):
            found.error(place(node), f"Id {quoted(id)} tidak sah. Pakai huruf latin, angka, garis bawah, titik atau tanda hubung, diawali huruf, paling panjang 100.")
        if id in seen:
            found.error(place(node), f"Id {quoted(id)} dipakai lebih dari sekali. Beri setiap unsur id sendiri.")
        seen.add(id)
        if id in _RESERVED or id.endswith(".EndJoin") or ".BoundaryEvent" in id:
            found.error(place(node), f"Id {quoted(id)} dipakai oleh mesin sendiri. Beri id lain.")


def _one_process(root: etree._Element, found: Findings) -> None:
    if not readable(root):
        found.error(place(root), "Diagram tidak memuat proses. Gambarkan satu proses dengan start event, user task dan end event.")
    for process in root.iterchildren(BPMN + "process"):
        if not process.get("name", "").strip():
            found.error(place(process), "Proses belum bernama. Tulis nama SOP pada proses atau pool.")


def _participant(root: etree._Element, found: Findings) -> None:
    keys = {one.get("id") for one in root.iterchildren(BPMN + "process")}
    for collaboration in root.iterchildren(BPMN + "collaboration"):
        participants = list(collaboration.iterchildren(BPMN + "participant"))
        if not participants:
            found.error(place(collaboration), "Kolaborasi tidak memuat pool. Gambarkan satu pool yang memuat proses, atau hapus kolaborasi.")
        for one in participants[:1]:
            if one.get("processRef") not in keys:
                found.error(place(one), f"Pool {quoted(one.get('name', ''))} tidak menunjuk proses di dalam berkas ini. Pakai satu pool yang memuat proses; pihak lain menjadi lane.")


def _events(root: etree._Element, found: Findings) -> None:
    """A start event of the process waits for nothing; the other events we carry wait for a timer."""
    for process in root.iterchildren(BPMN + "process"):
        for start in process.iterchildren(BPMN + "startEvent"):
            if start.find(BPMN + "timerEventDefinition") is not None:
                found.error(place(start), f"{said(start)} memakai timer, yang belum didukung. Pakai start event biasa; proses dimulai oleh orang.")
        for event in process.iterchildren(BPMN + "boundaryEvent", BPMN + "intermediateCatchEvent"):
            kinds = [one for one in event.iterchildren(BPMN + "*") if local(one).endswith("EventDefinition")]
            if not kinds:
                found.error(place(event), f"{said(event)} tidak menunggu apa pun. Beri timer dengan lamanya, misalnya P2D (dua hari kerja).")


def _timers_drawn(root: etree._Element, found: Findings) -> None:
    for timer in root.iter(BPMN + "timerEventDefinition"):
        texts = [one for one in timer.iterchildren(*(BPMN + tag for tag in TIMER_KINDS))]
        if len(texts) != 1 or not (texts[0].text or "").strip():
            found.error(place(timer), "Timer harus memuat tepat satu isi: lama (P2D), tanggal, atau siklus (R3/P1D). Lengkapi pada panel properti.")


def _deadline_shape(root: etree._Element, found: Findings) -> None:
    """The only subprocess we carry: a non-interrupting timer start event with a date, straight to an end event."""
    drawn = list(root.iter(BPMN + "subProcess"))
    for node in drawn[1:]:
        found.error(place(node), "Hanya satu subproses tenggat yang didukung. Hapus yang lain.")
    for node in drawn[:1]:
        if node.get("triggeredByEvent") != "true":
            found.error(place(node), f"{said(node)} belum didukung. Gambarkan langkah-langkahnya langsung di dalam proses; subproses hanya untuk tenggat (event subprocess).")
        elif not _is_deadline(node):
            found.error(place(node), f"{said(node)} bukan bentuk tenggat yang didukung: satu start event bertimer tanggal yang tidak menghentikan proses, satu panah, satu end event biasa. Gambarkan persis begitu.")


def _is_deadline(node: etree._Element) -> bool:
    starts, ends, flows = (list(node.iterchildren(BPMN + tag)) for tag in ("startEvent", "endEvent", "sequenceFlow"))
    links = [one for one in node.iterchildren(BPMN + "incoming", BPMN + "outgoing")]
    return (len(starts) == len(ends) == len(flows) == 1 and not links
            and starts[0].get("isInterrupting") == "false"
            and starts[0].find(f"{BPMN}timerEventDefinition/{BPMN}timeDate") is not None
            and not list(starts[0].iter(CAMUNDA + "formData"))
            and ends[0].find(BPMN + "terminateEventDefinition") is None
            and (flows[0].get("sourceRef"), flows[0].get("targetRef")) == (starts[0].get("id"), ends[0].get("id"))
            and flows[0].find(BPMN + "conditionExpression") is None)


def _languages(root: etree._Element, found: Findings) -> None:
    for node in root.iter(*(BPMN + tag for tag in ("conditionExpression", *TIMER_KINDS))):
        type, language = node.get(XSI + "type", "tFormalExpression"), node.get("language", "feel")
        if type.rpartition(":")[2] != "tFormalExpression" or "feel" not in language.casefold():
            found.error(place(node), f"Ungkapan pada {said(node)} ditulis dalam bahasa {quoted(language)}; yang dibaca hanya FEEL. Tulis dalam FEEL dan hapus pilihan bahasanya.")


def _extensions_in_place(root: etree._Element, found: Findings) -> None:
    for form in root.iter(CAMUNDA + "formData"):
        around = form.getparent().getparent()
        if around is not None and around.tag not in (BPMN + "userTask", BPMN + "startEvent"):
            found.error(place(form), f"Isian (Form Data) pada {said(around)} tidak akan tampil. Pindahkan ke user task atau start event.")


_NUMBER = re.compile(r"-?[0-9]{1,6}(\.[0-9]{1,20})?")


def _numbers(root: etree._Element, found: Findings) -> None:
    for node in root.iter(DC + "Bounds", DI + "waypoint"):
        values = [node.get(name, "") for name in (("x", "y", "width", "height") if node.tag == DC + "Bounds" else ("x", "y"))]
        if not all(_NUMBER.fullmatch(one) for one in values):
            found.error(place(node), "Letak atau ukuran gambar bukan angka yang wajar. Geser unsur itu di pemodel lalu simpan ulang.")


# Lanes

def folded(name: str) -> str:
    """A name as the eye reads it: NFKC, without regard to case or to how much space stands in it."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _lanes(process: etree._Element, found: Findings) -> None:
    nodes = {one.get("id"): one for one in process.iterchildren(etree.Element) if one.tag in FLOW_NODES}
    lanes_of: dict[str, list[str]] = {}
    names: set[str] = set()
    for lane in process.iterfind(f"{BPMN}laneSet/{BPMN}lane"):
        name = folded(lane.get("name", ""))
        if not name:
            found.error(place(lane), "Lane belum bernama. Tulis nama pelaksananya, misalnya Sekretaris PD.")
        elif name in names:
            found.error(place(lane), f"Nama lane {quoted(lane.get('name', ''))} dipakai dua kali. Gabungkan lane itu atau beri nama lain.")
        names.add(name)
        for reference in lane.iterchildren(BPMN + "flowNodeRef"):
            id = (reference.text or "").strip()
            if id not in nodes:
                found.error(place(reference), f"Lane {quoted(lane.get('name', ''))} menyebut {quoted(id)}, yang tidak ada di dalam proses. Hapus sebutan itu (simpan ulang dari pemodel).")
            lanes_of.setdefault(id, []).append(lane.get("name", ""))
    for id, node in nodes.items():
        lanes = lanes_of.get(id, [])
        if len(lanes) > 1:
            found.error(place(node), f"{said(node)} tercantum di {len(lanes)} lane: {', '.join(quoted(one) for one in lanes[:4])}. Letakkan di satu lane saja.")
        elif not lanes and node.tag == BPMN + "userTask":
            found.error(place(node), f"{said(node)} tidak berada di lane mana pun, sehingga tidak ada pelaksananya. Letakkan di dalam satu lane.")


# Properties

_YES_NO = ("ya", "tidak")
_TIMER_PROPERTIES = {"sop.pengingat": None, "sop.kepada": None, "sop.tembusan": None, "sop.satuanWaktu": ("kerja", "kalender")}
# By element, the properties that are read and the values they may have (None: any text).
ELEMENT_PROPERTIES: Mapping[str, Mapping[str, tuple[str, ...] | None]] = {
    "process": dict.fromkeys((
        "sop.pemerintah", "sop.unit", "sop.nomorSop", "sop.namaSop", "sop.tanggalPembuatan", "sop.tanggalRevisi",
        "sop.tanggalPengesahan", "sop.tanggalEfektif", "sop.disahkanOleh", "sop.dasarHukum", "sop.kualifikasiPelaksana", "sop.keterkaitan",
        "sop.peralatanPerlengkapan", "sop.peringatan", "sop.pencatatanDanPendataan")),
    "lane": {"sop.kantorLain": _YES_NO, "sop.dicatatOleh": None},
    "startEvent": {"sop.pemulai": None, **_TIMER_PROPERTIES},
    "userTask": {"sop.nomor": None, "sop.kelengkapan": None, "sop.waktu": None, "sop.output": None, "sop.keterangan": None,
                 "sop.asumsi": _YES_NO},
    "boundaryEvent": _TIMER_PROPERTIES,
    "intermediateCatchEvent": _TIMER_PROPERTIES,
    "subProcess": {"sop.tenggatUntuk": None, **_TIMER_PROPERTIES},
}


def _element_properties(process: etree._Element, found: Findings) -> None:
    for properties in process.iter(CAMUNDA + "properties"):
        holder = properties.getparent()
        if holder.tag == BPMN + "extensionElements" and holder.getparent() is not None:
            _properties(properties, said(holder.getparent()), ELEMENT_PROPERTIES.get(local(holder.getparent()), {}), found)


def _properties(properties: etree._Element, where: str, known: Mapping[str, tuple[str, ...] | None], found: Findings) -> None:
    """The properties of one element or field: known, each once, with a value that means something."""
    names: set[str] = set()
    for one in properties.iterchildren(CAMUNDA + "property"):
        name, value = (one.get("name") or one.get("id") or "").strip(), one.get("value", "")
        if name in names:
            found.error(place(one), f"Properti {quoted(name)} pada {where} tertulis dua kali. Hapus salah satu.")
        names.add(name)
        if name not in known:
            _unknown_property(one, name, where, known, found)
        elif (values := known[name]) and value.strip() and value.strip() not in values:
            found.error(place(one), f"Properti {quoted(name)} pada {where} bernilai {quoted(value)}; yang dikenal: {', '.join(values)}. Pakai salah satu.")


def _unknown_property(node: etree._Element, name: str, where: str, known: Mapping[str, object], found: Findings) -> None:
    near = difflib.get_close_matches(name[:100], known, 1)
    remedy = f"Mungkin maksudnya {near[0]}." if near else f"Yang dikenal di sini: {', '.join(sorted(known)) or 'tidak ada'}."
    if name.startswith(("sop.", "kolom.")) or local(node.getparent().getparent()) == "formField":
        found.error(place(node), f"Properti {quoted(name)} pada {where} tidak dikenal. {remedy}")
    else:
        found.warning(place(node), f"Properti {quoted(name)} pada {where} tidak dibaca. Hapus bila tidak diperlukan. {remedy if near else ''}".strip())


# Form fields, as written

FIELD_TYPES = STOCK_TYPES | OWN_TYPES
COLUMN_TYPES = FIELD_TYPES - {"table", "document"}
_EVERY_FIELD = {"sop.kelompok": None, "sop.petunjuk": None, "sop.wajibJika": None, "sop.tampilJika": None, "sop.benarJika": None,
                "sop.pesan": None, "sop.keputusan": _YES_NO, "sop.pribadi": _YES_NO, "sop.sumber": ("S", "D", "T")}
FIELD_PROPERTIES: Mapping[str, Mapping[str, tuple[str, ...] | None]] = {
    "table": {**_EVERY_FIELD, "sop.barisDari": None, "sop.barisBawaan": None, "sop.barisBawaanJika": None, "sop.menunjukTim": None},
    "document": {**_EVERY_FIELD, "sop.peran": ("kelengkapan", "output", "bacaan"), "sop.asal": None, "sop.bentuk": None,
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
_NO_NAMES = BUILT_IN_NAMES | expressions.RESERVED_NAMES | {"typename"}


def _form_fields(process: etree._Element, found: Findings) -> None:
    for form in process.iter(CAMUNDA + "formData"):
        ids: set[str] = set()
        for node in form.iterchildren(CAMUNDA + "formField"):
            id = node.get("id", "")
            if id in ids:
                found.error(place(node), f"Isian {quoted(id)} tertulis dua kali dalam satu formulir. Beri id lain atau hapus salah satu.")
            ids.add(id)
            for rule in (_field_name, _field_type, _choices, _constraints, _field_properties, _columns, _slot_properties):
                rule(node, found)


def _field_name(node: etree._Element, found: Findings) -> None:
    _name(node, node.get("id", ""), "isian", found)
    if not node.get("label", "").strip():
        found.error(place(node), f"Isian {quoted(node.get('id', ''))} tidak mempunyai label. Tulis label yang dibaca pelaksana.")


def _name(node: etree._Element, id: str, what: str, found: Findings) -> None:
    if not _NAME.fullmatch(id):
        found.error(place(node), f"Id {what} {quoted(id)} tidak sah. Pakai huruf latin, angka dan garis bawah, diawali huruf, paling panjang 60.")
    elif id in _NO_NAMES:
        found.error(place(node), f"Id {what} {quoted(id)} mempunyai arti sendiri dalam ungkapan. Beri id lain.")


def _field_type(node: etree._Element, found: Findings) -> None:
    if node.get("type") not in FIELD_TYPES:
        found.error(place(node), f"Jenis isian {quoted(node.get('type', ''))} pada {quoted(node.get('id', ''))} tidak dikenal. Pakai salah satu: {', '.join(sorted(FIELD_TYPES))}.")


def _choices(node: etree._Element, found: Findings) -> None:
    id, values = node.get("id", ""), [one.get("id", "").strip() for one in node.iterchildren(CAMUNDA + "value")]
    if node.get("type") != "enum":
        if values:
            found.error(place(node), f"Isian {quoted(id)} mempunyai pilihan tetapi jenisnya bukan enum. Ubah jenisnya atau hapus pilihannya.")
    elif not values or not all(values) or len(set(values)) < len(values):
        found.error(place(node), f"Isian {quoted(id)} memerlukan pilihan yang bernilai dan tidak kembar. Lengkapi daftar pilihannya.")


def _constraints(node: etree._Element, found: Findings) -> None:
    id, type, names = quoted(node.get("id", "")), node.get("type", ""), set()
    for one in node.iterfind(f"{CAMUNDA}validation/{CAMUNDA}constraint"):
        name, config = one.get("name", ""), one.get("config", "").strip()
        if name in names:
            found.error(place(one), f"Batasan {quoted(name)} pada isian {id} tertulis dua kali. Hapus salah satu.")
        names.add(name)
        if name not in CONSTRAINTS:
            found.error(place(one), f"Batasan {quoted(name)} pada isian {id} tidak dikenal. Pakai salah satu: {', '.join(CONSTRAINTS)}.")
        elif type not in CONSTRAINTS[name]:
            found.error(place(one), f"Batasan {quoted(name)} tidak berlaku untuk isian {id} yang berjenis {quoted(type)}. Hapus batasan itu.")
        elif not _limit(name, type, config):
            found.error(place(one), f"Batasan {quoted(name)} pada isian {id} bernilai {quoted(config)}, yang tidak dapat dibaca. Tulis angka, tanggal (2027-02-28), atau true/false sesuai batasannya.")


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
    for properties in node.iterchildren(CAMUNDA + "properties"):
        columns = {one.get("name") or one.get("id") or "" for one in properties.iterchildren(CAMUNDA + "property")} if node.get("type") == "table" else set()
        known = {**known, **{one.strip(): None for one in columns if one.strip().startswith("kolom.")}}
        _properties(properties, f"isian {quoted(node.get('id', ''))}", known, found)


def _columns(node: etree._Element, found: Findings) -> None:
    """`kolom.ID` of a table: `Label | type | wajib, tidak, baca or wajib jika FEEL | options`."""
    if node.get("type") != "table":
        return
    columns = [one for one in node.iterfind(f"{CAMUNDA}properties/{CAMUNDA}property") if (one.get("name") or one.get("id") or "").strip().startswith("kolom.")]
    if not columns:
        found.error(place(node), f"Tabel {quoted(node.get('id', ''))} tidak mempunyai kolom. Tambahkan properti kolom.ID, misalnya kolom.uraian = Uraian | text | wajib.")
    for one in columns:
        id = (one.get("name") or one.get("id") or "").strip().removeprefix("kolom.")
        _name(one, id, "kolom", found)
        label, type, need, options = ([part.strip() for part in one.get("value", "").split("|", 3)] + [""] * 3)[:4]
        if not label or type not in COLUMN_TYPES or not re.fullmatch(r"(wajib|tidak|baca|wajib\s+jika\s+\S.*)?", need, re.DOTALL):
            found.error(place(one), f"Kolom {quoted(id)} tidak dapat dibaca. Tulis: Label | jenis | wajib, tidak, baca atau wajib jika UNGKAPAN | pilihan. Jenis: {', '.join(sorted(COLUMN_TYPES))}.")
        elif not _column_options(type, options):
            found.error(place(one), f"Pilihan kolom {quoted(id)} tidak dapat dibaca. Untuk enum tulis ketua=Ketua; anggota=Anggota, untuk jenis lain awal=ISI atau kosong.")


def _column_options(type: str, options: str) -> bool:
    if type != "enum":
        return not options or options.startswith("awal=") and plain_value(type, options.removeprefix("awal=").strip())
    values = [one.partition("=")[0].strip() for one in options.split(";") if one.strip()]
    return bool(set(values) - {"awal"}) and all(values) and len(set(values)) == len(values)


def _slot_properties(node: etree._Element, found: Findings) -> None:
    if node.get("type") != "document":
        return
    properties = {(one.get("name") or one.get("id") or "").strip(): one.get("value", "").strip() for one in node.iterfind(f"{CAMUNDA}properties/{CAMUNDA}property")}
    id = quoted(node.get("id", ""))
    if not properties.get("sop.peran"):
        found.error(place(node), f"Berkas {id} tidak menyebut perannya. Isi sop.peran: kelengkapan, output atau bacaan.")
    unknown = [one for one in listed(properties.get("sop.bentuk", "")) if one not in SLOT_FORMS]
    if unknown:
        found.error(place(node), f"Bentuk {quoted(unknown[0])} pada berkas {id} tidak dikenal. Pakai: {', '.join(sorted(SLOT_FORMS))}.")
    if properties.get("sop.menyusulJika") and not properties.get("sop.menyusul"):
        found.error(place(node), f"Berkas {id} mempunyai sop.menyusulJika tanpa sop.menyusul. Sebut user task yang menjadi batas menyusulnya.")


# --- The third door: a process that runs to its end -----------------------------------------------------------------

@dataclass(frozen=True)
class Judged:
    """A definition on its way through the third door: what it says, where that stands, what was found."""
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


def of_definition(definition: ProcessDefinition, root: etree._Element) -> tuple[Finding, ...]:
    """What is to be said of a definition: that it hangs together, that its forms and expressions refer to what there
    is, that every run of it ends, and that it is drawn as it runs. `root` is the tree it was read from."""
    lines = {one.get("id", ""): one.sourceline or 0 for one in root.iter(BPMN + "*")}
    it = Judged(definition, lines, Findings())
    for rule in (_counted, _start_and_ends, _ways_out, _boundaries, _flow_ends, _conditions):
        rule(it)
    if not it.found.errors and all(one.kind in SUPPORTED_NODES for one in definition.elements.values()):
        for rule in (_reached, _loops_that_wait):
            rule(it)
        if not it.found.errors:
            _sound(it)
    for rule in (_timers, _shared_fields, _initial_values, _references, _slots_refer, _tables_refer, _deadline_refers,
                 _placeholders, _expressions, _numbers_of_tasks, _advice):
        rule(it)
    _drawing(it, root)
    return it.found.all()


# How it hangs together

def _counted(it: Judged) -> None:
    if len(it.definition.elements) > MOST_NODES:
        it.error(it.definition.key, f"Proses memuat {len(it.definition.elements)} unsur; paling banyak {MOST_NODES}. Pecah menjadi beberapa proses.")


def _start_and_ends(it: Judged) -> None:
    starts = it.nodes("startEvent")
    if not starts:
        it.error(it.definition.key, "Proses tidak mempunyai start event. Tambahkan satu start event.")
    for one in starts[1:]:
        it.error(one.id, f"Proses mempunyai {len(starts)} start event; yang didukung tepat satu. Hapus yang lain.")
    for one in starts:
        if it.definition.incoming[one.id]:
            it.error(one.id, f"Start event {it.named(one.id)} mempunyai panah masuk. Arahkan panah itu ke langkah pertama yang diulang.")
    if not it.nodes("endEvent"):
        it.error(it.definition.key, "Proses tidak mempunyai end event. Tambahkan end event setelah langkah terakhir.")
    for one in it.nodes("endEvent"):
        if it.definition.outgoing[one.id]:
            it.error(one.id, f"End event {it.named(one.id)} mempunyai panah keluar. Hapus panah itu atau ganti end event dengan gateway.")


def _ways_out(it: Judged) -> None:
    """Where one token leaves by one flow. A task with two would split in silence."""
    for one in it.nodes("startEvent", "userTask", "boundaryEvent", "intermediateCatchEvent"):
        ways = len(it.definition.outgoing[one.id])
        if ways == 0:
            it.error(one.id, f"{it.named(one.id)} tidak mempunyai panah keluar. Hubungkan ke langkah berikutnya atau ke end event.")
        elif ways > 1:
            it.error(one.id, f"{it.named(one.id)} mempunyai {ways} panah keluar; yang didukung satu. Letakkan gateway sesudahnya: eksklusif untuk memilih, paralel untuk serentak.")
    for one in it.nodes("exclusiveGateway", "parallelGateway"):
        if not it.definition.outgoing[one.id]:
            it.error(one.id, f"Gateway {it.named(one.id)} tidak mempunyai panah keluar. Hubungkan ke langkah berikutnya.")


def _boundaries(it: Judged) -> None:
    for one in it.nodes("boundaryEvent"):
        host = it.definition.elements.get(one.attached_to or "")
        if host is None or host.kind != "userTask":
            it.error(one.id, f"Boundary event {it.named(one.id)} tidak menempel pada user task. Tempelkan pada tepi user task.")
        elif host.lane and one.lane and one.lane != host.lane:
            it.warning(one.id, f"Boundary event {it.named(one.id)} tercantum di lane lain daripada {it.named(host.id)}. Simpan ulang dari pemodel.")
        if it.definition.incoming[one.id]:
            it.error(one.id, f"Boundary event {it.named(one.id)} mempunyai panah masuk. Arahkan panah itu ke user task-nya.")


def _flow_ends(it: Judged) -> None:
    pairs: set[tuple[str, str]] = set()
    for flow in it.definition.flows.values():
        for end, word in ((flow.source, "asal"), (flow.target, "tujuan")):
            if end not in it.definition.elements:
                it.error(flow.id, f"Panah {quoted(flow.id)} menyebut {word} {quoted(end)}, yang tidak ada di dalam proses. Hubungkan ulang panah itu.", flow.line)
        if flow.source == flow.target:
            it.error(flow.id, f"Panah {quoted(flow.id)} kembali ke unsur asalnya sendiri. Untuk mengulang, pakai gateway eksklusif.", flow.line)
        if (flow.source, flow.target) in pairs:
            it.error(flow.id, f"Ada dua panah dari {it.named(flow.source)} ke {it.named(flow.target)}. Hapus salah satu; gabungkan syaratnya dengan or.", flow.line)
        pairs.add((flow.source, flow.target))


def _conditions(it: Judged) -> None:
    """A condition on every flow out of a deciding gateway, but the default; and nowhere else."""
    for element in it.definition.elements.values():
        flows = it.definition.outgoing[element.id]
        deciding = element.kind == "exclusiveGateway" and len(flows) > 1
        if sum(flow.default for flow in flows) > 1 or not deciding and any(flow.default for flow in flows):
            it.error(element.id, f"{it.named(element.id)} mempunyai jalan bawaan (default) yang tidak berarti. Jalan bawaan hanya untuk satu panah keluar gateway eksklusif yang memilih.")
        for flow in flows:
            named = quoted(flow.name or flow.id)
            if flow.condition is None:
                if deciding and not flow.default:
                    it.error(flow.id, f"Panah {named} keluar dari gateway eksklusif {it.named(element.id)} tanpa syarat. Tulis syaratnya, misalnya =keputusan = \"setujui\", atau jadikan jalan bawaan.", flow.line)
            elif not deciding:
                it.error(flow.id, f"Panah {named} bersyarat, padahal tidak keluar dari gateway eksklusif yang memilih. Hapus syaratnya atau tambahkan gateway.", flow.line)
            elif flow.default:
                it.error(flow.id, f"Panah {named} adalah jalan bawaan tetapi juga bersyarat. Hapus salah satunya.", flow.line)


# That every run ends

def _after(it: Judged, element: str) -> Iterator[str]:
    """Where a token may go from an element, its boundary events included."""
    yield from (flow.target for flow in it.definition.outgoing[element])
    yield from (one.id for one in it.definition.boundary_events[element])


def _walk(starts: Iterable[str], step: Callable[[str], Iterable[str]]) -> set[str]:
    seen, waiting = set(starts), list(starts)
    while waiting:
        for one in step(waiting.pop()):
            if one not in seen:
                seen.add(one)
                waiting.append(one)
    return seen


def _reached(it: Judged) -> None:
    before: dict[str, list[str]] = {id: [] for id in it.definition.elements}
    for id in it.definition.elements:
        for one in _after(it, id):
            before[one].append(id)
    reached = _walk([it.definition.start.id], lambda id: _after(it, id))
    ending = _walk([one.id for one in it.nodes("endEvent")], lambda id: before[id])
    for id in it.definition.elements:
        if id not in reached:
            it.error(id, f"{it.named(id)} tidak dapat dicapai dari start event. Hubungkan dengan panah masuk atau hapus.")
        elif id not in ending:
            it.error(id, f"Dari {it.named(id)} tidak ada jalan ke end event. Hubungkan lanjutannya sampai end event.")


WAITING = ("userTask", "intermediateCatchEvent")


def _loops_that_wait(it: Judged) -> None:
    """A loop without a user task or timer in it would turn for ever in one moment."""
    left = {one.id for one in it.definition.elements.values() if one.kind not in WAITING}
    while True:
        # What nothing in `left` leads to, or what leads to nothing in it, is on no loop.
        off = {id for id in left if not any(flow.source in left for flow in it.definition.incoming[id])
               or not any(flow.target in left for flow in it.definition.outgoing[id])}
        if not off:
            break
        left -= off
    if left:
        names = ", ".join(it.named(id) for id in sorted(left)[:5])
        it.error(min(left), f"Panah-panah antara {names} berputar tanpa user task atau timer, sehingga proses berputar tanpa henti. Letakkan user task atau timer di dalam putaran itu.")


class TooMany(Exception):
    """More markings than we look at."""


def _sound(it: Judged) -> None:
    """Plays every run with tokens, whatever the conditions say: none gets stuck at a join, none meets another."""
    game = _Game(it.definition)
    try:
        game.play()
    except TooMany:
        it.error(it.definition.key, f"Proses mempunyai lebih dari {MOST_MARKINGS:,} keadaan yang mungkin, terlalu banyak untuk diperiksa. Kurangi cabang paralel yang berjalan bersamaan.".replace(",", ".", 1))
    for id in sorted(game.doubled):
        it.error(id, f"Di {it.named(id)} dapat berkumpul lebih dari satu token: dua cabang yang berjalan bersamaan tiba di sini sendiri-sendiri. Satukan kedua cabang dengan gateway paralel sebelum unsur ini.")
    for id in sorted(game.stuck):
        it.error(id, f"Gateway paralel {it.named(id)} dapat menunggu selamanya: tidak semua panah masuknya pasti dilalui, misalnya karena sebelumnya satu jalan dipilih. Satukan jalan pilihan dengan gateway eksklusif.")


class _Game:
    """A bounded token game. A marking is the set of where tokens rest: at a waiting element (its id), at a parallel
    join (the id of the flow it came by), and for a reminder that fired once, the id of its boundary event."""

    def __init__(self, definition: ProcessDefinition):
        self.definition = definition
        self.doubled: set[str] = set()
        self.stuck: set[str] = set()
        self.moves = 0
        self.harmless = {id for id in definition.elements if self._only_ends(id)}

    def play(self) -> None:
        """Looks at every marking that can be reached. Raises TooMany past the limit."""
        waiting = list(self._settle(frozenset(), (self.definition.outgoing[self.definition.start.id][0],)))
        seen = set(waiting)
        while waiting:
            marking = waiting.pop()
            for after in self._after(marking):
                if after not in seen:
                    seen.add(after)
                    waiting.append(after)
            if len(seen) > MOST_MARKINGS:
                raise TooMany
            self._look(marking)

    def _look(self, marking: frozenset[str]) -> None:
        if any(one in self.definition.elements and self.definition.elements[one].kind in WAITING for one in marking):
            return
        self.stuck |= {self.definition.flows[one].target for one in marking if one in self.definition.flows}

    def _after(self, marking: frozenset[str]) -> Iterator[frozenset[str]]:
        """The markings one act further: a waiting element goes on, or a timer at its edge fires."""
        for id in marking:
            element = self.definition.elements.get(id)
            if element is None or element.kind not in WAITING:
                continue
            edges = self.definition.boundary_events[id]
            gone = marking - {id} - {one.id for one in edges}
            yield from self._settle(gone, self.definition.outgoing[id])
            for edge in edges:
                if edge.interrupting:
                    yield from self._settle(gone, self.definition.outgoing[edge.id])
                elif edge.id not in marking and edge.id not in self.harmless:
                    # A cycle fires again and again, other timers once while their task is open.
                    fired = marking if edge.timer and edge.timer.kind == "cycle" else marking | {edge.id}
                    yield from self._settle(fired, self.definition.outgoing[edge.id])

    def _settle(self, tokens: frozenset[str], moving: tuple[SequenceFlow, ...]) -> Iterator[frozenset[str]]:
        """Every marking in which the moving tokens may come to rest. Which way a gateway decides is not known here."""
        waiting = [(tokens, moving)]
        while waiting:
            self.moves += 1
            if self.moves > MOST_MOVES:
                raise TooMany
            tokens, moving = waiting.pop()
            if not moving:
                yield tokens
                continue
            flow, rest = moving[0], moving[1:]
            element = self.definition.elements[flow.target]
            out = self.definition.outgoing[element.id]
            if element.kind in WAITING or element.kind == "parallelGateway" and len(self.definition.incoming[element.id]) > 1:
                waiting += self._rest(tokens, flow, element, out, rest)
            elif element.kind == "exclusiveGateway":
                waiting += [(tokens, (way, *rest)) for way in out]
            elif element.kind == "parallelGateway":
                waiting.append((tokens, (*out, *rest)))
            elif element.terminate:
                yield frozenset()
            else:
                waiting.append((tokens, rest))

    def _rest(self, tokens: frozenset[str], flow: SequenceFlow, element: Element, out: tuple[SequenceFlow, ...],
              moving: tuple[SequenceFlow, ...]) -> list[tuple[frozenset[str], tuple[SequenceFlow, ...]]]:
        """A token comes to a waiting element, or to a join: then it goes on when the others are there."""
        place = element.id if element.kind in WAITING else flow.id
        if place in tokens:
            self.doubled.add(element.id)
            return []
        tokens |= {place}
        awaited = {one.id for one in self.definition.incoming[element.id]}
        if element.kind in WAITING or not awaited <= tokens:
            return [(tokens, moving)]
        return [(tokens - awaited, (*out, *moving))]

    def _only_ends(self, id: str) -> bool:
        """Whether a token that leaves here just ends, so that it need not be played."""
        behind = _walk([id], lambda one: () if self.definition.elements[one].kind in WAITING
                       else [flow.target for flow in self.definition.outgoing[one]])
        return all(one.kind in ("boundaryEvent", "exclusiveGateway") or one.kind == "endEvent" and not one.terminate
                   for one in (self.definition.elements[id] for id in behind))


# Timers

_DURATION = re.compile(r"P(?:([0-9]{1,6})D)?(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?)?")
_CYCLE = re.compile(r"R([1-9][0-9]{0,3})/(\S+)")
_INSTANT = re.compile(r"2[01][0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})")
MOST_MINUTES = 3_650 * 24 * 60


def minutes(duration: str) -> int | None:
    """A duration of the working-time dialect in minutes, a day counted as 24 hours; None if it is none.

    `P<n>D`, `PT<n>H`, `PT<n>M` and their combinations: no weeks, months, years and seconds, whose working time nobody
    could say.
    """
    found = _DURATION.fullmatch(duration)
    if not found or not any(found.groups()) or duration.endswith("T"):
        return None
    days, hours, rest = (int(one or 0) for one in found.groups())
    return (days * 24 + hours) * 60 + rest


def _timers(it: Judged) -> None:
    timed: list[tuple[str, Timer, bool]] = [(one.id, one.timer, one.kind == "boundaryEvent" and not one.interrupting)
                                            for one in it.definition.elements.values() if one.timer]
    if it.definition.deadline:
        timed.append((it.definition.deadline.start_event, it.definition.deadline.timer, False))
    for id, timer, repeats in timed:
        if timer.kind == "cycle" and not repeats:
            it.error(id, f"Timer {it.named(id)} berulang, padahal hanya dapat lewat sekali. Pakai lama (P2D); siklus hanya untuk boundary event yang tidak menghentikan user task.")
        elif not timer.expression.startswith("=") or timer.kind == "cycle":
            _timer_literal(it, id, timer)


def _timer_literal(it: Judged, id: str, timer: Timer) -> None:
    written = quoted(timer.expression)
    if timer.kind == "duration":
        length = minutes(timer.expression)
        if length is None or not 0 < length <= MOST_MINUTES:
            it.error(id, f"Lama {written} pada timer {it.named(id)} tidak dapat dihitung. Tulis hari, jam atau menit: P2D, PT4H, PT20M, P1DT2H; lebih dari nol dan paling lama 3.650 hari.")
    elif timer.kind == "date":
        if not _is_instant(timer.expression):
            it.error(id, f"Tanggal {written} pada timer {it.named(id)} tidak dapat dibaca. Tulis ungkapan (=date(tahun + 1, 3, 1)) atau tanggal lengkap dengan selisih waktunya (2027-03-01T00:00:00+07:00).")
    else:
        cycle = _CYCLE.fullmatch(timer.expression)
        length = minutes(cycle[2]) if cycle else None
        if length is None or not 1 <= length <= MOST_MINUTES:
            it.error(id, f"Siklus {written} pada timer {it.named(id)} tidak dapat dihitung. Tulis berapa kali dan setiap berapa lama: R3/P1D; 1 sampai 9999 kali, paling singkat PT1M.")


def _is_instant(text: str) -> bool:
    try:
        return _INSTANT.fullmatch(text) is not None and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


# Forms

def _form_places(it: Judged) -> Iterator[tuple[Element, Field]]:
    for element in it.definition.elements.values():
        for one in element.form:
            yield element, one


def _shared_fields(it: Judged) -> None:
    """One data document for the whole process: the same id in two forms is the same value."""
    first: dict[str, tuple[Element, Field]] = {}
    for element, one in _form_places(it):
        there, other = first.setdefault(one.id, (element, one))
        if there is element or one.type == other.type == "document":
            continue
        if (one.type, one.choices, one.columns) != (other.type, other.choices, other.columns):
            it.error(element.id, f"Isian {quoted(one.id)} di {it.named(element.id)} berbeda jenis, pilihan atau kolomnya dari yang di {it.named(there.id)}, padahal nilainya satu. Samakan atau beri id lain.", one.line)
        else:
            it.warning(element.id, f"Isian {quoted(one.id)} juga ada di {it.named(there.id)}: nilainya satu dan yang belakangan menggantikan. Beri id lain bila itu bukan maksudnya.", one.line)


def _initial_values(it: Judged) -> None:
    known = set(it.definition.fields) | BUILT_IN_NAMES
    for element, one in _form_places(it):
        text = one.initial
        if text is None or text.startswith("="):
            continue
        unknown = [name for name in _PLACEHOLDER.findall(text) if name not in known]
        if one.type in ("table", "document"):
            it.error(element.id, f"Isian {quoted(one.id)} berjenis {one.type} tidak dapat bernilai awal. Hapus nilai awalnya.", one.line)
        elif unknown:
            it.error(element.id, f"Nilai awal isian {quoted(one.id)} menyebut {{{unknown[0][:60]}}}, yang bukan isian dalam proses ini. Perbaiki namanya.", one.line)
        elif one.type == "enum" and text not in {choice.value for choice in one.choices} or not plain_value(one.type, text):
            it.error(element.id, f"Nilai awal {quoted(text)} tidak cocok dengan jenis isian {quoted(one.id)} ({one.type}). Perbaiki nilainya.", one.line)
        elif one.type == "person":
            it.error(element.id, f"Isian {quoted(one.id)} memilih orang, sehingga tidak dapat bernilai awal. Hapus nilai awalnya.", one.line)


def _references(it: Judged) -> None:
    """Lanes that starters, recorders and reminders name."""
    definition = it.definition
    start = next(iter(it.nodes("startEvent")), None)
    named: list[tuple[str, str, Iterable[str]]] = [(lane.id, "sop.dicatatOleh", lane.recorded_by) for lane in definition.lanes]
    if start:
        named.append((start.id, "sop.pemulai", definition.starters))
    timers = [(one.id, one.timer) for one in definition.elements.values()]
    timers += [(definition.deadline.id, definition.deadline.timer)] if definition.deadline else []
    for id, timer in timers:
        if timer:
            named += [(id, "sop.kepada", listed(timer.reminder_to or "")), (id, "sop.tembusan", listed(timer.reminder_copy or ""))]
    for id, property, lanes in named:
        for lane in lanes:
            if definition.lane(lane.partition(":")[0]) is None:
                it.error(id, f"Properti {property} menyebut lane {quoted(lane)}, yang tidak ada. Lane dalam proses ini: {_some(one.id for one in definition.lanes)}.")
    for lane in definition.lanes:
        if lane.recorded_by and not lane.other_office:
            it.warning(lane.id, f"Lane {quoted(lane.name)} mempunyai sop.dicatatOleh tetapi bukan kantor lain. Tambahkan sop.kantorLain = ya atau hapus.")


def _slots_refer(it: Judged) -> None:
    tasks, start = {one.id: one for one in it.nodes("userTask")}, next(iter(it.nodes("startEvent")), None)
    for element, one in _form_places(it):
        if (slot := one.slot) is None:
            continue
        said = f"Berkas {quoted(one.id)}"
        source = start if slot.origin == "mulai" else tasks.get(slot.origin or "")
        if slot.origin not in (None, "langkah") and (source is None or source.field(one.id) is None):
            it.error(element.id, f"{said} di {it.named(element.id)} berasal dari {quoted(slot.origin or '')}, yang tidak mempunyai berkas itu. Isi sop.asal dengan mulai, langkah, atau id user task yang menghasilkannya.", one.line)
        if slot.owed_until is not None and slot.owed_until not in tasks:
            it.error(element.id, f"{said} boleh menyusul sampai {quoted(slot.owed_until)}, yang bukan user task dalam proses ini. Isi sop.menyusul dengan id user task.", one.line)
        for lane in slot.attachers:
            if it.definition.lane(lane) is None:
                it.error(element.id, f"{said} boleh dilampirkan oleh lane {quoted(lane)}, yang tidak ada. Isi sop.pelampir dengan: {_some(one.id for one in it.definition.lanes)}.", one.line)
        text = it.definition.fields.get(slot.text_from or "")
        if slot.text_from is not None and (text is None or text.type == "document"):
            it.error(element.id, f"{said} dibuat dari isian {quoted(slot.text_from)}, yang tidak ada. Isi sop.teksDari dengan id isian dalam proses ini.", one.line)


def _tables_refer(it: Judged) -> None:
    for element, one in _form_places(it):
        for id in one.rows_from:
            other = it.definition.fields.get(id)
            if other is None or other.type != "table" or id == one.id:
                it.error(element.id, f"Tabel {quoted(one.id)} menjawab baris {quoted(id)}, yang bukan tabel lain dalam proses ini. Perbaiki sop.barisDari.", one.line)
        if one.appoints is None:
            continue
        if it.definition.lane(one.appoints) is None:
            it.error(element.id, f"Tabel {quoted(one.id)} menunjuk tim untuk lane {quoted(one.appoints)}, yang tidak ada. Isi sop.menunjukTim dengan: {_some(lane.id for lane in it.definition.lanes)}.", one.line)
        if not any(column.type == "person" for column in one.columns):
            it.error(element.id, f"Tabel {quoted(one.id)} menunjuk tim tetapi tidak mempunyai kolom berjenis person. Tambahkan kolom itu.", one.line)


def _deadline_refers(it: Judged) -> None:
    if (deadline := it.definition.deadline) and deadline.satisfied_by not in {one.id for one in it.nodes("userTask")}:
        it.error(deadline.id, f"Tenggat menyebut {quoted(deadline.satisfied_by)} sebagai langkah yang memenuhinya, yang bukan user task dalam proses ini. Isi sop.tenggatUntuk dengan id user task.")


_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
REMINDER_WORDS = frozenset("n tahun unit mulai batas lewat sisa tenggat belum_disampaikan pelaksana jabatan tautan".split())


def _placeholders(it: Judged) -> None:
    timers = [(one.id, one.timer) for one in it.definition.elements.values() if one.timer]
    if it.definition.deadline:
        timers.append((it.definition.deadline.id, it.definition.deadline.timer))
    for id, timer in timers:
        for name in _PLACEHOLDER.findall(timer.reminder or ""):
            if name not in REMINDER_WORDS:
                it.error(id, f"Pengingat menyebut {{{name[:60]}}}, yang tidak dikenal. Yang dikenal: {', '.join(sorted(REMINDER_WORDS))}.")


# Expressions

@dataclass(frozen=True)
class _Written:
    """An expression where it is written: the element and line, what it is for, and names only it may use."""
    element: str
    line: int
    what: str
    source: str
    names: frozenset[str] = frozenset()


def _written(it: Judged) -> Iterator[_Written]:
    for flow in it.definition.flows.values():
        if flow.condition is not None:
            yield _Written(flow.id, flow.line, f"syarat panah {quoted(flow.name or flow.id)}", flow.condition)
    timers = [(one.id, one.timer) for one in it.definition.elements.values()]
    timers += [(one.start_event, one.timer) for one in (it.definition.deadline,) if one]
    for id, timer in timers:
        if timer and timer.expression.startswith("="):
            yield _Written(id, it.lines.get(id, 0), f"timer {it.named(id)}", timer.expression)
    for element, one in _form_places(it):
        for source, property in _field_expressions(one):
            yield _Written(element.id, one.line, f"{property} isian {quoted(one.id)}", source)
        for column in one.columns:
            if column.required_if is not None:
                yield _Written(element.id, one.line, f"kolom {quoted(column.id)} tabel {quoted(one.id)}", column.required_if, frozenset(other.id for other in one.columns))


def _field_expressions(one: Field) -> Iterator[tuple[str, str]]:
    slot = one.slot
    written = [(one.required_if, "sop.wajibJika"), (one.shown_if, "sop.tampilJika"), (one.valid_if, "sop.benarJika"),
               (one.filler_if, "sop.barisBawaanJika"), (one.initial if (one.initial or "").startswith("=") else None, "nilai awal")]
    written += [(slot.same_if, "sop.samaJika"), (slot.owed_if, "sop.menyusulJika")] if slot else []
    return ((source, property) for source, property in written if source is not None)


def _expressions(it: Judged) -> None:
    columns = frozenset(column.id for one in it.definition.fields.values() for column in one.columns)
    for written in _written(it):
        try:
            parsed = expressions.parse(written.source)
        except expressions.ExpressionError as problem:
            where = "" if problem.position is None else f", mulai huruf ke-{problem.position + 1}"
            it.error(written.element, f"Ungkapan {written.what} tidak dapat dibaca sebagai FEEL{where}: {quoted(written.source)}. Periksa penulisannya (a = b, a >= 2, \"teks\", and, or). Rincian: {problem.message[:200]}", written.line)
            continue
        _names(it, written, parsed, columns)


def _names(it: Judged, written: _Written, parsed: expressions.Expression, columns: frozenset[str]) -> None:
    fields = it.definition.fields
    for name in sorted(parsed.names | parsed.row_names):
        one = fields.get(name)
        if name in BUILT_IN_NAMES or name in written.names or name in columns and name in parsed.row_names:
            continue
        if one is None:
            near = difflib.get_close_matches(name[:100], [*fields, *BUILT_IN_NAMES], 1)
            it.error(written.element, f"Ungkapan {written.what} menyebut {quoted(name)}, yang bukan isian dalam proses ini. {f'Mungkin maksudnya {near[0]}.' if near else 'Tulis id isian yang ada.'}", written.line)
        elif one.type == "document":
            it.error(written.element, f"Ungkapan {written.what} menyebut berkas {quoted(name)} sebagai nilai. Tulis berkas.{name[:60]}, yaitu jumlah berkas yang dilampirkan.", written.line)
        elif one.personal:
            it.error(written.element, f"Ungkapan {written.what} membaca {quoted(name)}, padahal isian itu bersifat pribadi dan kelak dapat dihapus. Pakai isian lain atau hapus sop.pribadi.", written.line)
    for path in sorted(parsed.paths):
        name, _, member = path.partition(".")
        if name == "berkas" and member.partition(".")[0] not in it.definition.document_types:
            it.error(written.element, f"Ungkapan {written.what} menyebut {quoted(path)}, yang bukan berkas dalam proses ini. Berkas yang ada: {_some(it.definition.document_types)}.", written.line)


# The SOP's facts, and advice

def _numbers_of_tasks(it: Judged) -> None:
    seen: set[str] = set()
    for one in it.nodes("userTask"):
        if not one.number:
            it.warning(one.id, f"User task {it.named(one.id)} belum bernomor. Isi sop.nomor dengan nomor langkah dalam SOP.")
        elif not re.fullmatch(r"[1-9][0-9]{0,2}", one.number):
            it.error(one.id, f"Nomor langkah {quoted(one.number)} pada {it.named(one.id)} tidak sah. Isi sop.nomor dengan angka 1 sampai 999.")
        elif one.number in seen:
            it.error(one.id, f"Nomor langkah {one.number} dipakai lebih dari satu user task. Beri setiap langkah nomor sendiri.")
        seen.add(one.number)


def _advice(it: Judged) -> None:
    """What runs, but probably was not meant."""
    for one in it.nodes("userTask"):
        if not one.name.strip():
            it.warning(one.id, f"User task {quoted(one.id)} belum bernama. Tulis kata kerja yang singkat.")
        if not it.definition.boundary_events[one.id]:
            it.warning(one.id, f"User task {it.named(one.id)} tidak mempunyai batas waktu. Tempelkan timer (Mutu Baku Waktu), misalnya P2D, yang tidak menghentikan user task.")
    for one in it.nodes("parallelGateway"):
        if len(it.definition.incoming[one.id]) == len(it.definition.outgoing[one.id]) == 1:
            it.warning(one.id, f"Gateway paralel {it.named(one.id)} hanya dilewati, tidak membagi dan tidak menyatukan. Hapus bila tidak diperlukan.")
    for element in it.definition.elements.values():
        decisions = [one for one in element.form if one.decision]
        for one in decisions[1:]:
            it.warning(element.id, f"{it.named(element.id)} mempunyai {len(decisions)} isian keputusan; hanya satu yang digambar sebagai keputusan.", one.line)


# That it is drawn as it runs

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


def _drawing(it: Judged, root: etree._Element) -> None:
    """Staff see the picture, the engine runs the process: they say the same, or the diagram is refused."""
    plane = root.find(f"{BPMNDI}BPMNDiagram/{BPMNDI}BPMNPlane")
    if plane is None:
        it.error(it.definition.key, "Diagram tidak memuat gambar. Buka dan simpan di pemodel, sehingga setiap unsur tergambar.")
        return
    around = root.find(BPMN + "collaboration")
    expected = it.definition.key if around is None else around.get("id")
    if plane.get("bpmnElement") != expected:
        it.error(it.definition.key, f"Gambar menunjuk {quoted(plane.get('bpmnElement', ''))}, bukan {quoted(expected or '')}. Simpan ulang dari pemodel.", plane.sourceline or 0)
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
            it.error(id, f"{it.named(id)} tergambar lebih dari sekali. Hapus salah satu gambarnya.", shape.sourceline or 0)
        elif id not in it.lines:
            it.error(id, f"Ada gambar untuk {quoted(id)}, yang tidak ada di dalam proses. Hapus gambar itu.", shape.sourceline or 0)
        elif values and all(_NUMBER.fullmatch(one) for one in values):
            boxes[id] = Box(*map(float, values))
    return boxes


def _all_drawn(it: Judged, boxes: Mapping[str, Box]) -> None:
    ids = [*it.definition.elements, *(lane.id for lane in it.definition.lanes)]
    ids += [it.definition.deadline.id, it.definition.deadline.start_event] if it.definition.deadline else []
    for id in ids:
        box = boxes.get(id)
        if box is None:
            it.error(id, f"{it.named(id)} tidak tergambar, sehingga tidak terlihat oleh siapa pun. Gambarkan di pemodel.")
        elif box.width < SMALLEST or box.height < SMALLEST:
            it.error(id, f"{it.named(id)} tergambar terlalu kecil untuk dilihat. Perbesar paling sedikit {SMALLEST} satuan.")


def _in_lanes(it: Judged, boxes: Mapping[str, Box]) -> None:
    lanes = {lane.id: boxes[lane.id] for lane in it.definition.lanes if lane.id in boxes}
    names = {lane.id: lane.name for lane in it.definition.lanes}
    for one in it.definition.elements.values():
        box, host = boxes.get(one.id), boxes.get(one.attached_to or "")
        if box is None:
            continue
        if one.kind == "boundaryEvent":
            if host and not host.holds(box.centre, margin=EDGE):
                it.error(one.id, f"Boundary event {it.named(one.id)} tergambar jauh dari {it.named(one.attached_to or '')}, tempatnya menempel. Tempelkan kembali di pemodel.")
        elif one.lane in lanes:
            drawn = [id for id, lane in lanes.items() if lane.holds(box.centre)]
            if drawn != [one.lane]:
                seen = ", ".join(quoted(names[id]) for id in drawn) or "di luar semua lane"
                it.error(one.id, f"{it.named(one.id)} tercantum di lane {quoted(names[one.lane])}, tetapi tergambar di {seen}. Geser ke dalam lane-nya lalu simpan ulang.")


def _apart(it: Judged, boxes: Mapping[str, Box]) -> None:
    tasks = [(one.id, boxes[one.id]) for one in it.nodes("userTask") if one.id in boxes]
    for n, (id, box) in enumerate(tasks):
        for other, covered in tasks[:n]:
            smaller = min(box.width * box.height, covered.width * covered.height)
            if box.shared(covered) > smaller * MOST_COVERED:
                it.error(id, f"Gambar {it.named(id)} menutupi {it.named(other)}. Geser salah satunya.")


def _edges(it: Judged, plane: etree._Element, boxes: Mapping[str, Box]) -> None:
    edges = {edge.get("bpmnElement", ""): edge for edge in plane.iterchildren(BPMNDI + "BPMNEdge")}
    for flow in it.definition.flows.values():
        edge = edges.get(flow.id)
        if edge is None:
            it.warning(flow.id, f"Panah {quoted(flow.name or flow.id)} tidak tergambar. Gambarkan di pemodel.", flow.line)
            continue
        points = [(one.get("x", ""), one.get("y", "")) for one in edge.iterchildren(DI + "waypoint")]
        if len(points) < 2 or not all(_NUMBER.fullmatch(x) and _NUMBER.fullmatch(y) for x, y in points):
            it.error(flow.id, f"Panah {quoted(flow.name or flow.id)} tergambar tanpa titik awal dan akhir. Gambarkan ulang di pemodel.", edge.sourceline or 0)
            continue
        for id, (x, y) in ((flow.source, points[0]), (flow.target, points[-1])):
            if id in boxes and not boxes[id].holds((float(x), float(y)), margin=EDGE):
                it.error(flow.id, f"Gambar panah {quoted(flow.name or flow.id)} tidak menyentuh {it.named(id)}, padahal panah itu menghubungkannya. Sambungkan kembali di pemodel.", edge.sourceline or 0)


# --- Words ---------------------------------------------------------------------------------------------------------------

_KINDS = {
    "startEvent": "Start event", "endEvent": "End event", "userTask": "User task", "exclusiveGateway": "Gateway eksklusif",
    "parallelGateway": "Gateway paralel", "boundaryEvent": "Boundary event", "intermediateCatchEvent": "Event antara",
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


def _some(ids: Iterable[str]) -> str:
    """The first ids of a list, for a sentence."""
    some = list(ids)
    return ", ".join(some[:12]) + (", ..." if len(some) > 12 else "") or "tidak ada"
