"""The gate for diagrams: what is refused when one is uploaded, said as findings that an owner can act on.

The doors, one behind the other: `opened` lets through bytes that are harmless XML of a bounded size, `of_tree` a tree
that holds only what we read, `gate_forms.of_forms` its forms, `soundness.of_definition` a process that hangs together
and runs to its end, `gate_drawing.of_drawing` one that is drawn as it runs. What passes all, `diagram.py` reads without
a doubt. Every rule says what is, what was expected and what to do, in the owners' language and in English.
What has no meaning for us and cannot mislead a reader is let be; what another engine would do and we would not is
refused. Time and memory are bounded by the size of the file and by counts, never by a clock.
"""
from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from lxml import etree

from .definition import Element, Finding, ProcessDefinition, SequenceFlow

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
# What drawing tools note about themselves: nothing that runs is ever written in these.
OF_TOOLS = (MODELER, "{http://www.signavio.com}", "{http://www.bizagi.com/bpmn20}")

TIMER_KINDS = {"timeDuration": "duration", "timeDate": "date", "timeCycle": "cycle"}
SUPPORTED_NODES = ("startEvent", "endEvent", "userTask", "exclusiveGateway", "parallelGateway", "inclusiveGateway",
                   "boundaryEvent", "intermediateCatchEvent", "intermediateThrowEvent", "subProcess")
# Drawn like any element, but not carried yet: read as elements so that the flows between them still make sense.
OTHER_NODES = ("task", "manualTask", "serviceTask", "scriptTask", "businessRuleTask", "sendTask", "receiveTask",
               "callActivity", "transaction", "adHocSubProcess", "complexGateway", "eventBasedGateway", "event",
               "implicitThrowEvent", "choreographyTask", "subChoreography", "callChoreography")
FLOW_NODES = frozenset(BPMN + name for name in SUPPORTED_NODES + OTHER_NODES)
DECIDING = frozenset((BPMN + "exclusiveGateway", BPMN + "inclusiveGateway"))    # may name a default flow

MOST_BYTES = 2_000_000
MOST_TAGS = 25_000              # a tag is at least one "<"; counted before anything is parsed
MOST_EQUALS = 50_000            # an attribute is at least one "="
MOST_DEPTH = 40
MOST_ATTRIBUTES = 40            # of one element
MOST_ATTRIBUTE = 400            # characters
MOST_VALUE = 4_000              # characters: of an attribute that holds an owner's words, and of a text
MOST_FINDINGS = 300
MOST_NAMES = 200                # of lanes that are compared
MOST_NESTED = 8                 # subprocesses in one another
MOST_BESIDE = 120               # elements and flows in which the neighbours of one without a name are looked for
MOST_GUESSES = 12               # how often a name that was probably meant is looked for
SMALLEST = 10                   # units of the drawing: less is not seen
EDGE = 30                       # units of the drawing: how far a line or a boundary event may be off its element
WORDY_ATTRIBUTES = frozenset({"name", "label", "value", "defaultValue", "metaValue"})
TEXTS = frozenset(BPMN + name for name in (
    "documentation", "text", "conditionExpression", "timeDuration", "timeDate", "timeCycle", "flowNodeRef", "incoming",
    "outgoing", "sourceRef", "targetRef"))

# What nobody sees: controls, soft hyphen, directions, zero width, tags, fillers, private use and no characters.
UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u08e2\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ue000-\uf8ff\ufe00-\ufe0e\ufeff\uffa0"
    "\ufff0-\uffff\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff]")
# Marks piled up on one letter, until they cover what stands around.
PILED = re.compile("[\u0300-\u036f\u0483-\u0489\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4}")
_LETTERS = re.compile(r"[^\W\d_]+")
# Letters of other alphabets that look like ours: what two names have in common for the eye.
_LOOK_ALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеѕіјкорсухԁһԛԝгпΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορτυχ",
    "ABESIJKMHOPCTYXaesijkopcyxdhqwrnABEZHIKMNOPTYXaiknoptux")


class Enough(Exception):
    """So many errors that nobody reads further; the findings say that there are more."""


class Findings:
    """What was found so far. The first MOST_FINDINGS warnings are kept, the rest counted; the error after as many
    raises Enough, so that what is said of a file is bounded however wrong it is."""

    def __init__(self) -> None:
        self.kept: dict[str, list[Finding]] = {"error": [], "warning": []}
        self.counts = {"error": 0, "warning": 0}
        self.guesses = 0

    @property
    def errors(self) -> int:
        return self.counts["error"]

    def error(self, place: tuple[str | None, int], message: str, english: str) -> None:
        """message is Indonesian; both say what is, what was expected and what to do."""
        self._add("error", place, message, english)
        if self.errors > MOST_FINDINGS:
            raise Enough

    def warning(self, place: tuple[str | None, int], message: str, english: str) -> None:
        self._add("warning", place, message, english)

    def _add(self, severity: str, place: tuple[str | None, int], message: str, english: str) -> None:
        self.counts[severity] += 1
        if len(self.kept[severity]) < MOST_FINDINGS:
            self.kept[severity].append(Finding(
                severity=severity, element=place[0] or None, line=place[1] or 1, message=sentence(message),
                english=sentence(english)))

    def nearest(self, name: str, known: Iterable[str]) -> str:
        """The known name that was probably meant, "" if none is near; looked for a few times only."""
        self.guesses += 1
        if self.guesses > MOST_GUESSES:
            return ""
        return next(iter(difflib.get_close_matches(name[:60], list(known)[:100], 1)), "")

    def all(self) -> tuple[Finding, ...]:
        kept = self.kept["error"] + self.kept["warning"]
        if sum(self.counts.values()) > len(kept):
            kept.append(Finding(
                severity="warning", element=None, line=1,
                message="Masih ada temuan lain. Perbaiki dahulu yang tercantum, lalu periksa lagi.",
                english="There are more findings. Mend those that are listed first, then check again."))
        return sorted_by_line(tuple(kept))


@dataclass(frozen=True)
class Judged:
    """A definition before its judges: what it says, where that stands in the file, what was found."""
    definition: ProcessDefinition
    lines: Mapping[str, int]            # of every BPMN id
    found: Findings
    words: dict[tuple[str, bool | None], tuple[str, str]] = field(default_factory=dict)     # what was said once

    def error(self, id: str, message: str, english: str, line: int = 0) -> None:
        self.found.error((id, line or self.lines.get(id, 0)), message, english)

    def warning(self, id: str, message: str, english: str, line: int = 0) -> None:
        self.found.warning((id, line or self.lines.get(id, 0)), message, english)

    def named(self, id: str) -> str:
        """An element as an owner knows it: by its name; without one by what it is and where it stands."""
        return self._spoken(id)[0]

    def said(self, id: str) -> str:
        """What an element is, and its name."""
        return self._spoken(id, True)[0]

    def flow(self, flow: SequenceFlow) -> str:
        """A flow by what it joins."""
        return self._flow(flow)[0]

    def in_english(self, id: str) -> str:
        return self._spoken(id)[1]

    def said_in_english(self, id: str) -> str:
        return self._spoken(id, True)[1]

    def flow_in_english(self, flow: SequenceFlow) -> str:
        return self._flow(flow)[1]

    def _spoken(self, id: str, kind: bool = False) -> tuple[str, str]:
        if (id, kind) not in self.words:
            self.words[id, kind] = spoken(self.definition, id, kind=kind)
        return self.words[id, kind]

    def _flow(self, flow: SequenceFlow) -> tuple[str, str]:
        if (flow.id, None) not in self.words:
            self.words[flow.id, None] = spoken_flow(self.definition, flow)
        return self.words[flow.id, None]

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
    root = None
    try:
        text = _decoded(data, found)
        root = None if text is None else _parsed(text, found)
        for rule in (_no_instructions, pruned, _bounded, _seen):
            # Each rule may count on what those before it bound: looking at 50,000 attributes of one element takes
            # minutes.
            if root is not None and not found.errors:
                rule(root, found)
    except Enough:
        pass
    return (None if found.errors else root), found.all()


# How a file may begin: with this declaration or none. Whoever reads it otherwise reads another text than we do.
_DECLARED = re.compile(
    r"<\?xml\s{1,9}version\s{0,9}=\s{0,9}[\"']1\.0[\"'](?:\s{1,9}encoding\s{0,9}=\s{0,9}[\"']([A-Za-z][A-Za-z0-9._-]{0,39})"
    r"[\"'])?(?:\s{1,9}standalone\s{0,9}=\s{0,9}[\"'](?:yes|no)[\"'])?\s{0,9}\?>")


def _decoded(data: bytes, found: Findings) -> str | None:
    """The text of the file, when it is of bounded size, in UTF-8 or UTF-16, and defines nothing of its own."""
    file = (None, 1)
    if not data.strip():
        found.error(file, "Berkas kosong. Unggah berkas BPMN yang disimpan dari pemodel.",
                    "The file is empty. Upload a BPMN file saved by a modeler.")
    elif len(data) > MOST_BYTES:
        found.error(file, f"Berkas berukuran {counted(len(data))} bita; paling besar {counted(MOST_BYTES)} bita. "
                          "Pecah proses menjadi beberapa diagram.",
                    f"The file has {len(data):,} bytes; at most {MOST_BYTES:,} are read. Split the process into "
                    "several "
                    "diagrams.")
    elif data.startswith((b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd")):
        found.error(file, "Berkas dimampatkan (gzip atau zip). Unggah berkas BPMN-nya sendiri, tidak dimampatkan.",
                    "The file is compressed (gzip or zip). Upload the BPMN file itself, not compressed.")
    elif (text := _text_of(data)) is None:
        found.error(file, "Huruf dalam berkas tidak ditulis dalam UTF-8 atau UTF-16 sebagaimana dinyatakannya. "
                          "Simpan ulang diagram dari pemodel (UTF-8).",
                    "The letters of the file are not in UTF-8 or UTF-16 as it declares. Save the diagram again in a "
                    "modeler (UTF-8).")
    elif (at := next((text.find(one) for one in ("<!DOCTYPE", "<!ENTITY") if one in text), -1)) >= 0:
        found.error((None, text.count("\n", 0, at) + 1),
                    "Berkas memuat DOCTYPE atau ENTITY, yang dapat menyembunyikan isi. Hapus deklarasi itu; "
                    "diagram BPMN tidak memerlukannya.",
                    "The file has a DOCTYPE or ENTITY, which can hide what it says. Delete that declaration; a BPMN "
                    "diagram needs none.")
    elif text.count("<") > MOST_TAGS or text.count("=") > MOST_EQUALS:
        found.error(file, f"Berkas memuat terlalu banyak tag atau atribut (paling banyak {counted(MOST_TAGS)} tag). "
                          "Pecah proses menjadi beberapa diagram.",
                    f"The file has too many tags or attributes (at most {MOST_TAGS:,} tags). Split the process into "
                    "several diagrams.")
    else:
        return text
    return None


def _text_of(data: bytes) -> str | None:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        return None
    if text.startswith("\ufeff") or "\0" in text:
        return None
    if not re.match(r"<\?xml\s", text):
        return text
    declared = _DECLARED.match(text)
    known = {"utf-16", "utf-16le", "utf-16be"} if wide else {"utf-8", "utf8", "us-ascii", "ascii"}
    if text.isascii() and not wide:
        # Plain letters are the same bytes in these two; every reader reads the same text.
        known |= {"iso-8859-1", "windows-1252"}
    return text if declared and (declared[1] is None or declared[1].casefold() in known) else None


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
                                  "Simpan ulang diagram dari pemodel.",
                    f"The file is no well-formed XML: reading stopped at line {line}, column {column}. Save the "
                    "diagram "
                    "again in a modeler.")
        return None
    if root.tag != BPMN + "definitions":
        found.error((None, root.sourceline or 0),
            "Berkas ini XML, tetapi bukan diagram BPMN 2.0. Unggah berkas yang disimpan dari pemodel sebagai BPMN "
            "2.0.",
            "The file is XML, but no BPMN 2.0 diagram. Upload a file that a modeler saved as BPMN 2.0.")
        return None
    return root


def _no_instructions(root: etree._Element, found: Findings) -> None:
    for node in root.getroottree().xpath("//processing-instruction()"):
        found.error((None, node.sourceline or 0),
            "Berkas memuat instruksi pemrosesan (<?...?>). Hapus; diagram BPMN tidak memerlukannya.",
            "The file has a processing instruction (<?...?>). Delete it; a BPMN diagram needs none.")


def _bounded(root: etree._Element, found: Findings) -> None:
    for node in root.xpath("/*" * (MOST_DEPTH + 1))[:1]:
        found.error(place(node), f"Unsur bersarang lebih dari {MOST_DEPTH} tingkat. Sederhanakan berkas.",
                    f"Elements are nested deeper than {MOST_DEPTH} levels. Make the file simpler.")
    for node in root.iter(etree.Element):
        if len(node.attrib) > MOST_ATTRIBUTES:
            found.error(place(node), f"Satu unsur memuat {len(node.attrib)} atribut; paling banyak {MOST_ATTRIBUTES}. "
                                     "Hapus yang tidak perlu.",
                        f"One element has {len(node.attrib)} attributes; at most {MOST_ATTRIBUTES} are read. Delete "
                        "those that are not needed.")
            return
        for name, value in node.attrib.items():
            most = MOST_VALUE if name in WORDY_ATTRIBUTES else MOST_ATTRIBUTE
            if len(value) > most:
                found.error(place(node),
                    f"Isi atribut {quoted(name)} sepanjang {len(value)} huruf; paling panjang {most}. Persingkat.",
                    f"The attribute {quoted(name)} has {len(value)} characters; at most {most} are read. Shorten it.")
        if node.text and len(node.text) > MOST_VALUE:
            found.error(place(node), f"Teks sepanjang {len(node.text)} huruf; paling panjang {MOST_VALUE}. Persingkat.",
                        f"A text has {len(node.text)} characters; at most {MOST_VALUE} are read. Shorten it.")


def _seen(root: etree._Element, found: Findings) -> None:
    """Every text reads as it looks: no letter that nobody sees, none that passes for another."""
    for node in root.iter(etree.Element):
        for text in (node.text, node.tail, *node.attrib.values()):
            if not text or (text.isascii() and text.isprintable()):
                continue
            if unseen := UNSEEN.search(text):
                found.error(place(node),
                    f"Ada huruf yang tidak terlihat (U+{ord(unseen[0]):04X}) di dalam teks atau atribut. Ketik ulang "
                    "bagian itu tanpa menyalin dari aplikasi lain.",
                    f"There is a letter that nobody sees (U+{ord(unseen[0]):04X}) in a text or attribute. Type that "
                    "part again, without copying it from elsewhere.")
                break
            if piled := PILED.search(text):
                found.error(place(node),
                    f"Ada tanda yang bertumpuk pada satu huruf (U+{ord(piled[0][0]):04X}) sehingga menutupi "
                    "sekelilingnya. Ketik ulang bagian itu.",
                    f"There are marks piled up on one letter (U+{ord(piled[0][0]):04X}), which cover what stands "
                    "around. Type that part again.")
                break
            if mixed := _mixed(text):
                found.error(place(node),
                    f"Kata {quoted(mixed, 40)} mencampur huruf latin dengan huruf lain yang rupanya sama. Ketik ulang "
                    "kata itu dengan huruf latin.",
                    f"The word {quoted(mixed, 40)} mixes Latin letters with others that look like them. Type that word "
                    "again in Latin letters.")
                break


def _mixed(text: str) -> str:
    """The first word whose letters are of two alphabets, "" if there is none."""
    if text.isascii():
        return ""
    for word in _LETTERS.findall(text):
        if not word.isascii():
            alphabets = {unicodedata.name(one, "").split(" ", 1)[0] for one in set(word)}
            if len(alphabets & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU"}) > 1:
                return word
    return ""


# --- The second door: a tree that holds only what we read ------------------------------------------------------------

# element | attributes | what may stand in it; a line that begins with "|" goes on with what may stand in it, and an
# element may have several lines. An element without prefix is bpmn. What is not here is refused.
_NODE = "documentation extensionElements incoming outgoing"
_COLOURS = "bioc:stroke bioc:fill color:background-color color:border-color color:color"
_NOTES = "textAnnotation association group"
_STEPS = ("startEvent endEvent userTask exclusiveGateway parallelGateway inclusiveGateway boundaryEvent "
          "intermediateCatchEvent intermediateThrowEvent subProcess sequenceFlow")
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
                         | documentation extensionElements laneSet {_STEPS} {_NOTES}
laneSet                  | id name                                 | documentation extensionElements lane
lane                     | id name                                 | documentation extensionElements flowNodeRef
startEvent               | id name isInterrupting parallelMultiple | {_NODE} timerEventDefinition
endEvent                 | id name                                 | {_NODE} terminateEventDefinition
userTask                 | id name isForCompensation startQuantity completionQuantity implementation
                         | {_NODE}
exclusiveGateway         | id name default gatewayDirection        | {_NODE}
inclusiveGateway         | id name default gatewayDirection        | {_NODE}
parallelGateway          | id name gatewayDirection                | {_NODE}
boundaryEvent            | id name attachedToRef cancelActivity parallelMultiple
                         | {_NODE} timerEventDefinition
intermediateCatchEvent   | id name parallelMultiple                | {_NODE} timerEventDefinition
intermediateThrowEvent   | id name                                 | {_NODE}
subProcess               | id name triggeredByEvent isForCompensation startQuantity completionQuantity
                         | {_NODE} {_STEPS} {_NOTES}
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

# What is let through besides, because it only draws or notes and nothing of ours runs by it: data that is drawn, other
# pools and what they are told, lanes in lanes. A foreign file that is imported leaves these behind (`bpmn_import.py`).
_JOBS = "camunda:asyncBefore camunda:asyncAfter camunda:exclusive camunda:jobPriority"
_DATA = "dataInputAssociation dataOutputAssociation"
_BESIDE = f"""
definitions              | camunda:diagramRelationId               | dataStore
process                  |                                         | dataObject dataObjectReference dataStoreReference
subProcess               |                                         | dataObject dataObjectReference dataStoreReference
collaboration            |                                         | messageFlow
messageFlow              | id name sourceRef targetRef             | documentation extensionElements
lane                     |                                         | childLaneSet
childLaneSet             | id name                                 | documentation extensionElements lane
dataObject               | id name isCollection                    | documentation extensionElements
dataObjectReference      | id name dataObjectRef                   | documentation extensionElements dataState
dataStore                | id name capacity isUnlimited            | documentation extensionElements
dataStoreReference       | id name dataStoreRef                    | documentation extensionElements dataState
dataState                | id name                                 | documentation extensionElements
userTask                 |                                         | property {_DATA}
startEvent               |                                         | dataOutputAssociation
endEvent                 |                                         | property dataInputAssociation
intermediateThrowEvent   |                                         | property dataInputAssociation
subProcess               |                                         | property {_DATA}
property                 | id name                                 |
dataInputAssociation     | id                                      | documentation extensionElements sourceRef targetRef
dataOutputAssociation    | id                                      | documentation extensionElements sourceRef targetRef
sourceRef                |                                         |
targetRef                |                                         |
process                  | camunda:jobPriority                     |
startEvent               | {_JOBS}                                 |
endEvent                 | {_JOBS}                                 |
userTask                 | {_JOBS}                                 |
exclusiveGateway         | {_JOBS}                                 |
parallelGateway          | {_JOBS}                                 |
inclusiveGateway         | {_JOBS}                                 |
boundaryEvent            | {_JOBS}                                 |
intermediateCatchEvent   | {_JOBS}                                 |
intermediateThrowEvent   | {_JOBS}                                 |
subProcess               | {_JOBS}                                 |
"""
ALLOWED = _rules(_GRAMMAR + _BESIDE)
# The deadline is written as an event subprocess, and that holds nothing else.
_IN_THE_DEADLINE = frozenset(_qualified(name, BPMN) for name in (
    f"{_NODE} startEvent endEvent sequenceFlow {_NOTES} dataObject dataObjectReference dataStoreReference").split())
_PLACEHOLDER = "__targetRef_placeholder"        # how modelers write a data association into a task

# Of these one is read; a second one would be drawn or kept by a tool, and ignored by us.
ONCE = frozenset(_qualified(name, BPMN) for name in (
    "collaboration process participant laneSet extensionElements documentation conditionExpression text "
    "timerEventDefinition terminateEventDefinition timeDuration timeDate timeCycle camunda:formData "
    "camunda:properties camunda:validation bpmndi:BPMNDiagram bpmndi:BPMNPlane dc:Bounds").split())
_ONCE = (ONCE - {BPMN + "participant"}) | {BPMN + name for name in ("childLaneSet", "targetRef", "sourceRef")} | {
    BPMNDI + "BPMNLabel"}
# The values under which an attribute changes nothing, or which we carry.
VALUES = {
    "isForCompensation": ("false",), "startQuantity": ("1",), "completionQuantity": ("1",),
    "parallelMultiple": ("false",), "implementation": ("##unspecified", "##WebService", "webService"),
    "isExecutable": ("true", "false"), "isClosed": ("true", "false"), "isImmediate": ("true", "false"),
    "processType": ("None", "Public", "Private"),
    "gatewayDirection": ("Unspecified", "Converging", "Diverging", "Mixed"),
    "cancelActivity": ("true", "false"), "isInterrupting": ("true", "false"), "triggeredByEvent": ("true", "false"),
}

_USER_TASK = "Pakai tugas (user task), yang diselesaikan oleh orang."
_TIMER = "Pakai timer, atau tugas (user task) yang mencatat kejadian itu."
_GATEWAY = ("Pakai percabangan pilihan (satu jalan dipilih), beberapa (setiap jalan yang syaratnya terpenuhi) atau "
            "sejajar (semua jalan).")
_DOCUMENT = "Nyatakan berkas sebagai isian berjenis berkas (document) pada tugas."
_LOOP = "Ulangi dengan panah kembali melalui percabangan pilihan (gateway eksklusif)."
_LANE = "Pelaksana ditentukan oleh lane."
_FORM = "Tulis isiannya pada bagian Formulir tugas (Generated Task Forms)."
_EDGE = "Pakai timer pada tepi tugas."
_FLAT = "Gambarkan langkah-langkahnya langsung di dalam proses atau di dalam subproses biasa."
_DELETE = "Hapus dari diagram."
_DELETE_IT = "Hapus atribut itu."
INSTEAD = {
    **dict.fromkeys((
        "task", "manualTask", "serviceTask", "scriptTask", "businessRuleTask", "sendTask", "receiveTask",
        "callActivity", "globalTask", "globalUserTask", "globalManualTask", "globalScriptTask",
        "globalBusinessRuleTask"), _USER_TASK),
    **dict.fromkeys((
        "transaction", "adHocSubProcess", "subChoreography", "choreographyTask", "callChoreography"), _FLAT),
    **dict.fromkeys(("complexGateway", "eventBasedGateway"), _GATEWAY),
    **dict.fromkeys((
        "messageEventDefinition", "signalEventDefinition", "conditionalEventDefinition",
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
    "candidateStarterGroups": "Isi Yang boleh memulai (sop.pemulai) pada awal proses.",
    "formKey": _FORM, "formRef": _FORM, "dueDate": _EDGE, "followUpDate": _EDGE,
}
_REMEDY = {                     # the same in English
    _USER_TASK: "Use a user task, which a person completes.",
    _TIMER: "Use a timer, or a user task that records what happened.",
    _GATEWAY: "Use an exclusive gateway (one way is chosen), an inclusive one (every way whose condition holds) or a "
              "parallel one (every way).",
    _DOCUMENT: "Declare the file as a form field of type document on a user task.",
    _LOOP: "Repeat by a flow back through an exclusive gateway.",
    _LANE: "Who performs is said by the lane.",
    _FORM: "Declare the fields as form data (generated task forms).",
    _EDGE: "Use a timer at the edge of the user task.",
    _FLAT: "Draw its steps directly in the process or in a plain subprocess.",
    _DELETE: "Delete it from the diagram.",
    _DELETE_IT: "Delete that attribute.",
    INSTEAD["childLaneSet"]: "Draw the lanes side by side.",
    INSTEAD["script"]: "There is no code in a diagram.",
    INSTEAD["import"]: "A diagram stands alone; delete the reference to another file.",
    INSTEAD_OF_ATTRIBUTES["candidateStarterGroups"]: "Use the property sop.pemulai on the start event.",
}


def of_tree(root: etree._Element, found: Findings) -> None:
    """What is to be said of an opened tree: what it holds that we do not read, and what is written wrongly in it."""
    _grammar(root, found)
    for rule in (_ids, _one_process, _pools, _events, _timers_drawn, _subprocesses, _deadline_shape, _defaults, _links,
                 _levels, _languages, _lanes, _data, _notes, _element_properties):
        rule(root, found)


def readable(root: etree._Element) -> bool:
    """Whether there is a process at all, so that it is worth looking for more findings in it."""
    return root.find(BPMN + "process") is not None


def _grammar(root: etree._Element, found: Findings) -> None:
    """Only the elements, attributes and values of the grammar; below what is not in it nothing is looked at."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        attributes, children = ALLOWED[node.tag]
        if is_event_subprocess(node):
            children = children & _IN_THE_DEADLINE
        for name, value in node.attrib.items():
            _attribute(node, name, value, attributes, found)
        _plain_text(node, found)
        once = set()
        for child in node.iterchildren(etree.Element):
            if child.tag not in children:
                if not (node.tag == BPMN + "extensionElements" and _of_a_tool(child)):
                    found.error(place(child), *_not_here(child))
                continue
            if child.tag in once:
                found.error(place(child),
                    f"{said(child)} adalah yang kedua di dalam {said(node)}; hanya satu {local(child)} yang dibaca. "
                    "Hapus yang lain.",
                    f"{in_english(child)} is the second in {in_english(node)}; only one {local(child)} is read. Delete "
                    "the other.")
            once |= {child.tag} & _ONCE
            waiting.append(child)


def _of_a_tool(node: etree._Element) -> bool:
    """Whether an extension is what a drawing tool notes for itself, and holds nothing else. That a user task of
    Camunda 8 is one of its own is such a note too."""
    if node.tag == ZEEBE + "userTask":
        return not len(node) and not node.attrib
    return all(one.tag.startswith(OF_TOOLS) for one in node.iter(etree.Element))


def _plain_text(node: etree._Element, found: Findings) -> None:
    """A text holds nothing but text, and nothing else holds text: a comment inside a condition hides half of it."""
    if node.tag in TEXTS:
        if len(node):
            found.error(place(node), f"Di dalam teks {quoted(local(node))} ada komentar atau unsur lain, yang dapat "
                                     "menyembunyikan sebagian isinya. Hapus.",
                        f"In the text {quoted(local(node))} there is a comment or another element, which can hide a "
                        "part "
                        "of it. Delete it.")
    elif (node.text and node.text.strip()) or any(one.tail and one.tail.strip() for one in node):
        found.error(place(node), f"Ada teks lepas di dalam {said(node)}, yang tidak akan dibaca. Hapus.",
                    f"There is loose text in {in_english(node)}, which would not be read. Delete it.")


_CODE = re.compile(r"[$#]\{")


def _attribute(node: etree._Element, name: str, value: str, known: frozenset[str], found: Findings) -> None:
    of_a_tool = name.startswith(OF_TOOLS) or (node.tag == BPMN + "definitions" and name.startswith(ZEEBE))
    if name not in known and not of_a_tool:
        word = name.rpartition("}")[2]
        remedy = INSTEAD_OF_ATTRIBUTES.get(word, _DELETE_IT)
        found.error(place(node), f"Atribut {quoted(word)} pada {said(node)} belum didukung. {remedy}",
                    f"The attribute {quoted(word)} of {in_english(node)} is not supported. {_REMEDY[remedy]}")
    elif name.startswith(CAMUNDA) and (_CODE.search(value) or (
            name == CAMUNDA + "modelerTemplateIcon" and not value.startswith("data:image/"))):
        word = name.rpartition("}")[2]
        found.error(place(node), f"Atribut {quoted(word)} pada {said(node)} memuat ungkapan atau alamat "
                                 f"({quoted(value)}), yang akan dijalankan atau diambil oleh alat lain. {_DELETE_IT}",
                    f"The attribute {quoted(word)} of {in_english(node)} holds an expression or an address "
                    f"({quoted(value)}), which other tools would run or fetch. {_REMEDY[_DELETE_IT]}")
    elif name in VALUES and value not in VALUES[name]:
        found.error(place(node), f"Atribut {quoted(name)} pada {said(node)} bernilai {quoted(value)}; yang didukung "
                                 f"{' atau '.join(VALUES[name])}. Ubah atau hapus.",
                    f"The attribute {quoted(name)} of {in_english(node)} is {quoted(value)}; what is supported is "
                    f"{' or '.join(VALUES[name])}. Change or delete it.")


def _not_here(node: etree._Element) -> tuple[str, str]:
    """Why an element is refused where it stands, and what to use instead."""
    name, around = local(node), node.getparent()
    if around.tag == BPMN + "extensionElements":
        return (f"Ekstensi {quoted(name)} pada {said(around.getparent())} belum didukung. Hapus; yang dibaca hanya "
                "camunda:formData dan camunda:properties.",
                f"The extension {quoted(name)} of {in_english(around.getparent())} is not supported. Delete it; only "
                "camunda:formData and camunda:properties are read.")
    if node.tag in ALLOWED:
        return (f"{said(node)} tidak dibaca di dalam {said(around)}. Pindahkan ke tempatnya atau hapus.",
                f"{in_english(node)} is not read in {in_english(around)}. Move it to its place or delete it.")
    remedy = (INSTEAD.get(name) if node.tag.startswith(BPMN) else None) or _DELETE
    return f"{said(node)} belum didukung. {remedy}", f"{in_english(node)} is not supported. {_REMEDY[remedy]}"


# Ids travel: into addresses, expressions, names of the engine, objects of the browser. Letters, digits, "_", "-" and
# "." survive everywhere.
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,99}")
# What SpiffWorkflow, Python or a browser's objects have a meaning of their own for.
_OF_OBJECTS = frozenset({"constructor", "prototype", "toString", "valueOf", "hasOwnProperty", "typename"})
_RESERVED = frozenset({"Start", "End", "Root"}) | _OF_OBJECTS
_NAMED = FLOW_NODES | {BPMN + name for name in ("process", "sequenceFlow", "lane", "participant")}


def sound_id(id: str) -> bool:
    """Whether an id travels, and the engine has no use of its own for it."""
    return (_ID.fullmatch(id) is not None and id not in _RESERVED and not id.endswith(".EndJoin")
            and ".BoundaryEvent" not in id and not (id.startswith("__") and id.endswith("__")) and ".." not in id)


def _ids(root: etree._Element, found: Findings) -> None:
    seen: set[str] = set()
    for node in root.iter(BPMN + "*", BPMNDI + "*"):
        id = node.get("id")
        if id is None:
            if node.tag in _NAMED:
                found.error(place(node), f"{said(node)} tidak mempunyai id. Beri id, misalnya langkah_1.",
                            f"{in_english(node)} has no id. Give it one, such as langkah_1.")
            continue
        if not _ID.fullmatch(id):
            found.error(place(node), f"Id {quoted(id)} tidak sah. Pakai huruf latin, angka, garis bawah, titik atau "
                                     "tanda hubung, diawali huruf, paling panjang 100.",
                        f"The id {quoted(id)} is not valid. Use Latin letters, digits, underscores, dots or hyphens, "
                        "beginning with a letter, at most 100 of them.")
        if id in seen:
            found.error(place(node), f"Id {quoted(id)} dipakai lebih dari sekali. Beri setiap unsur id sendiri.",
                        f"The id {quoted(id)} is used more than once. Give each element an id of its own.")
        seen.add(id)
        if _ID.fullmatch(id) and not sound_id(id):
            found.error(place(node), f"Id {quoted(id)} dipakai oleh mesin sendiri. Beri id lain.",
                        f"The id {quoted(id)} is one that the engine uses itself. Give it another.")


def _one_process(root: etree._Element, found: Findings) -> None:
    if not readable(root):
        found.error(place(root), "Diagram tidak memuat proses. Gambarkan satu proses dengan awal (start event), tugas "
                                 "dan akhir (end event).",
                    "The diagram has no process. Draw one process with a start event, user tasks and an end event.")
    for process in list(root.iterchildren(BPMN + "process"))[:1]:
        if not process_name(process):
            found.error(place(process), "Proses belum bernama. Tulis nama SOP pada proses atau bidang prosesnya "
                                        "(pool).",
                        "The process has no name. Write the SOP's name on the process or its pool.")
    language = root.get("expressionLanguage", "")
    if not _in_feel(language) and language.rstrip("/") not in ("", "http://www.w3.org/1999/XPath"):
        found.error(place(root), f"Diagram menyatakan bahasa ungkapan {quoted(language)}; yang dibaca hanya FEEL. "
                                 "Hapus "
                                 "pernyataan itu.",
                    f"The diagram declares the expression language {quoted(language)}; only FEEL is read. Delete that "
                    "declaration.")


def process_name(process: etree._Element) -> str:
    """The name of a process, else of the pool around it: modelers show the one or the other."""
    pools = process.getparent().iterfind(f"{BPMN}collaboration/{BPMN}participant")
    return process.get("name", "").strip() or next(
        (one.get("name", "").strip() for one in pools if one.get("processRef") is not None), "")


def _pools(root: etree._Element, found: Findings) -> None:
    """One pool holds the process; the others are drawn as who stands outside, and are told things by messages."""
    key = next((one.get("id") for one in root.iterchildren(BPMN + "process")), None)
    nodes = {one.get("id") for one in root.iter(*FLOW_NODES)}
    for collaboration in root.iterchildren(BPMN + "collaboration"):
        participants = list(collaboration.iterchildren(BPMN + "participant"))
        ours = [one for one in participants if one.get("processRef") is not None]
        outside = {one.get("id") for one in participants if one.get("processRef") is None}
        if not ours:
            found.error(place(collaboration),
                "Gambar ini memuat bidang proses (pool), tetapi tidak satu pun berisi proses. Gambarkan satu bidang "
                "yang "
                "memuat proses, atau hapus yang ada.",
                "The collaboration has no pool that holds the process. Draw one pool around the process, or delete "
                "the collaboration.")
        for n, one in enumerate(ours):
            if n or one.get("processRef") != key:
                found.error(place(one), f"Bidang proses (pool) {quoted(one.get('name', ''))} tidak menunjuk proses di "
                                        "dalam berkas "
                                        "ini, atau proses itu sudah mempunyai bidang. Pakai satu bidang yang "
                                        "memuat proses; pihak lain menjadi lane atau bidang kosong.",
                            f"The pool {quoted(one.get('name', ''))} holds no process of this file, or that process "
                            "has "
                            "a pool already. Use one pool for the process; others are lanes or empty pools.")
        for flow in collaboration.iterchildren(BPMN + "messageFlow"):
            ends = [flow.get("sourceRef"), flow.get("targetRef")]
            if (sum(one in outside for one in ends) < 1
                    or any(one not in outside and one not in nodes for one in ends)):
                found.error(place(flow),
                    f"{said(flow)} tidak menghubungkan proses dengan bidang proses (pool) lain yang kosong. Di dalam "
                    "proses pakai "
                    "panah "
                    "biasa; hubungkan ulang atau hapus.",
                    f"{in_english(flow)} does not join the process with another, empty pool. Use a sequence flow "
                    "inside the process; join it again or delete it.")


def _events(root: etree._Element, found: Findings) -> None:
    """A start event waits for nothing; boundary events and those that catch wait for a timer."""
    for process in root.iterchildren(BPMN + "process"):
        for start in process.iter(BPMN + "startEvent"):
            around = start.getparent()
            if is_event_subprocess(around) or start.find(BPMN + "timerEventDefinition") is None:
                continue
            if around is process:
                found.error(place(start),
                    f"{said(start)} memakai timer, yang belum didukung. Pakai awal (start event) biasa; proses "
                    "dimulai oleh "
                    "orang.",
                    f"{in_english(start)} has a timer, which is not supported. Use a plain start event; a person "
                    "starts "
                    "the process.")
            else:
                found.error(place(start),
                    f"{said(start)} memakai timer, padahal {said(around)} dimulai begitu dicapai. Pakai awal (start "
                    "event) "
                    "biasa; untuk menunggu, letakkan penantian (intermediate event) bertimer sesudahnya.",
                    f"{in_english(start)} has a timer, but {in_english(around)} starts as soon as it is reached. Use a "
                    "plain start event; to wait, put an intermediate timer event after it.")
        for event in process.iter(BPMN + "boundaryEvent", BPMN + "intermediateCatchEvent"):
            kinds = [one for one in event.iterchildren(BPMN + "*") if local(one).endswith("EventDefinition")]
            if not kinds:
                found.error(place(event),
                    f"{said(event)} tidak menunggu apa pun. Beri timer dengan lamanya, misalnya P2D (dua hari kerja).",
                    f"{in_english(event)} waits for nothing. Give it a timer with its duration, such as P2D (two "
                    "working days).")


def _timers_drawn(root: etree._Element, found: Findings) -> None:
    for timer in root.iter(BPMN + "timerEventDefinition"):
        texts = list(timer.iterchildren(*(BPMN + tag for tag in TIMER_KINDS)))
        if len(texts) != 1 or not (texts[0].text or "").strip():
            found.error(place(timer), "Timer harus memuat tepat satu isi: lama (P2D), tanggal, atau siklus (R3/P1D). "
                                      "Lengkapi pada panel properti.",
                        "A timer says exactly one thing: a duration (P2D), a date or a cycle (R3/P1D). Complete it in "
                        "the properties panel.")


def _deadline_shape(root: etree._Element, found: Findings) -> None:
    """The only event subprocess we carry: a non-interrupting timer start event with a date, straight to an end event,
    directly in the process."""
    drawn = [one for one in root.iter(BPMN + "subProcess") if is_event_subprocess(one)]
    inner = {one for one in drawn if one.getparent().tag != BPMN + "process"}
    for node in inner:
        found.error(place(node), f"{said(node)} adalah subproses tenggat (event sub-process) di dalam "
                                 f"{said(node.getparent())}; tenggat "
                                 "hanya untuk seluruh proses. Pindahkan ke luar, atau pakai timer pada tepi "
                                 "subprosesnya.",
                    f"{in_english(node)} is an event subprocess in {in_english(node.getparent())}; a deadline is for "
                    "the whole process only. Move it out, or use a timer at the edge of the subprocess.")
    outer = [one for one in drawn if one not in inner]
    for node in outer[1:]:
        found.error(place(node), "Hanya satu subproses tenggat yang didukung. Hapus yang lain.",
                    "Only one deadline subprocess is supported. Delete the other.")
    for node in outer[:1]:
        if not is_deadline(node):
            found.error(place(node), f"{said(node)} bukan bentuk tenggat yang didukung: satu awal (start event) "
                                     "bertimer "
                                     "tanggal yang tidak menghentikan proses, satu panah, satu akhir (end event) "
                                     "biasa. "
                                     "Gambarkan persis begitu.",
                        f"{in_english(node)} has not the shape of a deadline that is supported: one non-interrupting "
                        "start event with a timer date, one flow, one plain end event. Draw exactly that.")


def is_event_subprocess(node: etree._Element) -> bool:
    """Whether it is a subprocess that no flow leads to, because an event starts it."""
    return node.tag == BPMN + "subProcess" and node.get("triggeredByEvent") == "true"


def _subprocesses(root: etree._Element, found: Findings) -> None:
    """A subprocess is started by a token, not by a person: its start event says nothing of its own."""
    for node in root.iter(BPMN + "subProcess"):
        if is_event_subprocess(node):
            continue
        deep = sum(1 for _ in node.iterancestors(BPMN + "subProcess"))
        if deep == MOST_NESTED:
            found.error(place(node), f"{said(node)} berada {deep} tingkat di dalam subproses lain; paling dalam "
                                     f"{MOST_NESTED} tingkat. Gambarkan langkah-langkahnya satu tingkat di atasnya.",
                        f"{in_english(node)} stands {deep} levels deep in other subprocesses; at most {MOST_NESTED} "
                        "are read. Draw its steps one level higher.")
        for start in node.iterchildren(BPMN + "startEvent"):
            for form in start.iter(CAMUNDA + "formData"):
                found.error(place(form), f"Formulir pada {said(start)} tidak akan tampil: {said(node)} tidak "
                                         "dimulai oleh orang. Pindahkan ke tugas di dalamnya.",
                            f"Form data of {in_english(start)} would not be shown: {in_english(node)} is not started "
                            "by a person. Move it to a user task in it.")


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
    for node in root.iter(*DECIDING):
        if (default := node.get("default")) is not None and sources.get(default) != node.get("id"):
            found.error(place(node), f"{said(node)} menyebut {quoted(default)} sebagai jalan bawaan, yang bukan panah "
                                     "keluarnya. Pilih ulang jalan bawaannya di pemodel.",
                        f"{in_english(node)} names {quoted(default)} as its default flow, which does not leave it. "
                        "Choose its default flow again in the modeler.")


def _links(root: etree._Element, found: Findings) -> None:
    """What an element lists as its incoming and outgoing flows is what the flows say: other engines go by the list."""
    ends = {"incoming": "targetRef", "outgoing": "sourceRef"}
    drawn: dict[tuple[str, str | None], set[str]] = {}
    for flow in root.iter(BPMN + "sequenceFlow"):
        for kind, end in ends.items():
            drawn.setdefault((kind, flow.get(end)), set()).add(flow.get("id", ""))
    for node in root.iter(*FLOW_NODES):
        for kind in ends:
            listed = [(one.text or "").strip() for one in node.iterchildren(BPMN + kind)]
            real = drawn.get((kind, node.get("id")), set())
            if listed and (len(set(listed)) < len(listed) or set(listed) != real):
                wrong = next(iter([*(one for one in listed if one not in real), *real.difference(listed), *listed]))
                found.error(place(node),
                    f"{said(node)} mencantumkan panah ({kind}) yang berbeda dari panah yang ada, mulai dari "
                    f"{quoted(wrong)}. Hubungkan ulang panahnya di pemodel lalu simpan ulang.",
                    f"{in_english(node)} lists flows ({kind}) other than those there are, beginning with "
                    f"{quoted(wrong)}. Join the flows again in the modeler and save.")


_FEEL = re.compile(r"(?:.*[/:])?feel(?:[/:].*)?", re.DOTALL)


def _in_feel(language: str) -> bool:
    return _FEEL.fullmatch(language.casefold()) is not None


def _levels(root: etree._Element, found: Findings) -> None:
    """A flow is written where what it joins stands: else another engine would not find it there."""
    around = {one.get("id"): one.getparent() for one in root.iter(*FLOW_NODES)}
    for flow in root.iter(BPMN + "sequenceFlow"):
        ends = [around.get(flow.get(name), flow.getparent()) for name in ("sourceRef", "targetRef")]
        if ends[0] is ends[1] and ends[0] is not flow.getparent():
            found.error(place(flow), f"{said(flow)} tertulis di dalam {said(flow.getparent())}, padahal menghubungkan "
                                     f"unsur di dalam {said(ends[0])}. Hubungkan ulang di pemodel lalu simpan ulang.",
                        f"{in_english(flow)} is written in {in_english(flow.getparent())}, but joins elements in "
                        f"{in_english(ends[0])}. Join it again in the modeler and save.")


def _languages(root: etree._Element, found: Findings) -> None:
    for node in root.iter(*(BPMN + tag for tag in ("conditionExpression", *TIMER_KINDS))):
        type, language = node.get(XSI + "type", "tFormalExpression"), node.get("language", "feel")
        if type.rpartition(":")[2] not in ("tFormalExpression", "tExpression") or not _in_feel(language):
            found.error(place(node), f"Ungkapan pada {said(node)} ditulis dalam bahasa {quoted(language)}; yang "
                                     "dibaca hanya FEEL. Tulis dalam FEEL dan hapus pilihan bahasanya.",
                        f"The expression of {in_english(node)} is in the language {quoted(language)}; only FEEL is "
                        "read. Write it in FEEL and delete the choice of language.")


# Lanes

def folded(name: str) -> str:
    """A name as the eye reads it: NFKC, without regard to case or to how much space stands in it."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def looks(name: str) -> str:
    """What names have in common that nobody can tell apart: letters of other alphabets, I, l and 1, O and 0 are one."""
    plain = unicodedata.normalize("NFKC", name).replace("\ufe0f", "").translate(_LOOK_ALIKES)
    return " ".join(re.sub("[I1|]", "l", plain).replace("0", "O").casefold().split())


def leaf_lanes(process: etree._Element) -> Iterator[etree._Element]:
    """The lanes that hold no lanes, in document order: who performs."""
    for lane in process.iterfind(f"{BPMN}laneSet//{BPMN}lane"):
        if lane.find(f"{BPMN}childLaneSet/{BPMN}lane") is None:
            yield lane


def _lanes(root: etree._Element, found: Findings) -> None:
    for process in list(root.iterchildren(BPMN + "process"))[:1]:
        leaves = list(leaf_lanes(process))
        _lane_names(leaves, found)
        inner = set(leaves)
        for lane in process.iterfind(f"{BPMN}laneSet//{BPMN}lane"):
            if lane not in inner and lane.find(f"{BPMN}extensionElements/{CAMUNDA}properties") is not None:
                found.error(place(lane), f"{said(lane)} memuat lane lain, sehingga propertinya tidak dibaca. Pindahkan "
                                         "properti itu ke lane di dalamnya.",
                            f"{in_english(lane)} holds other lanes, so that its properties are not read. Move them to "
                            "the lanes in it.")
        _lane_of_each(process, leaves, found)


def _lane_names(leaves: list[etree._Element], found: Findings) -> None:
    names: set[str] = set()
    for lane in leaves[:MOST_NAMES]:            # a process has far fewer lanes (`soundness.of_bounded_size`)
        name = looks(lane.get("name", "")[:MOST_ATTRIBUTE])
        if not name:
            found.error(place(lane), "Lane belum bernama. Tulis nama pelaksananya, misalnya Sekretaris PD.",
                        "The lane has no name. Write who performs, such as Sekretaris PD.")
        elif name in names:
            found.error(place(lane), f"Nama lane {quoted(lane.get('name', ''))} dipakai dua kali, atau tidak dapat "
                                     "dibedakan dari nama lane lain. Gabungkan lane itu atau beri nama lain.",
                        f"The lane name {quoted(lane.get('name', ''))} is used twice, or cannot be told from another "
                        "lane's. Join the lanes or give one another name.")
        names.add(name)


def _lane_of_each(process: etree._Element, leaves: list[etree._Element], found: Findings) -> None:
    """A user task stands in exactly one lane without lanes in it, everything else in one at most."""
    nodes = {one.get("id"): one for one in process.iter(*FLOW_NODES) if not is_event_subprocess(one.getparent())}
    lanes_of: dict[str, list[etree._Element]] = {}
    for lane in process.iterfind(f"{BPMN}laneSet//{BPMN}lane"):
        for reference in lane.iterchildren(BPMN + "flowNodeRef"):
            id = (reference.text or "").strip()
            if id not in nodes:
                found.error(place(reference),
                    f"Lane {quoted(lane.get('name', ''))} menyebut {quoted(id)}, yang tidak ada di dalam proses. "
                    "Hapus sebutan itu (simpan ulang dari pemodel).",
                    f"The lane {quoted(lane.get('name', ''))} names {quoted(id)}, which is not in the process. Delete "
                    "that reference (save the diagram again in a modeler).")
            lanes_of.setdefault(id, []).append(lane)
    is_leaf = set(leaves)
    placed = {id for id, lanes in lanes_of.items() if any(one in is_leaf for one in lanes)}
    for id, node in nodes.items():
        lanes = lanes_of.get(id, [])
        inner = [one for one in lanes if one in is_leaf]
        # A lane around the one that an element stands in may name it too.
        around = set(inner[0].iterancestors()) if inner else set()
        if len(inner) > 1 or len(set(lanes)) < len(lanes) or (inner and any(
                one not in is_leaf and one not in around for one in lanes)):
            names = ", ".join(quoted(one.get("name", "")) for one in lanes[:4])
            found.error(place(node), f"{said(node)} tercantum di {len(lanes)} lane: {names}. Letakkan di satu lane "
                                     "saja.",
                        f"{in_english(node)} is listed in {len(lanes)} lanes: {names}. Put it into one lane only.")
        elif not inner and node.tag == BPMN + "userTask" and not any(
                one.get("id") in placed for one in node.iterancestors(BPMN + "subProcess")):
            found.error(place(node), f"{said(node)} tidak berada di lane mana pun, sehingga tidak ada pelaksananya. "
                                     "Letakkan di dalam satu lane (yang terdalam).",
                        f"{in_english(node)} is in no lane, so that nobody performs it. Put it into one lane (the "
                        "innermost).")


# What is only drawn

def _data(root: etree._Element, found: Findings) -> None:
    """Drawn data is a picture of documents: it refers to what is there, and moves nothing."""
    ids = {one.get("id") for one in root.iter(BPMN + "dataObject", BPMN + "dataStore")}
    drawn = {one.get("id") for one in root.iter(BPMN + "dataObjectReference", BPMN + "dataStoreReference")}
    # A shape of data that two tasks share is read from the tasks' placeholders.
    drawn |= ids | {one.get("id") for one in root.iter(BPMN + "property") if one.get("name") == _PLACEHOLDER}
    for node in root.iter(BPMN + "dataObjectReference", BPMN + "dataStoreReference"):
        named = node.get("dataObjectRef" if local(node) == "dataObjectReference" else "dataStoreRef")
        if named not in ids and not (named is None and local(node) == "dataStoreReference"):
            found.error(place(node), f"{said(node)} menunjuk {quoted(named or '')}, yang tidak ada di dalam berkas. "
                                     "Gambarkan ulang di pemodel.",
                        f"{in_english(node)} refers to {quoted(named or '')}, which is not in the file. Draw it again "
                        "in the modeler.")
    for node in root.iter(BPMN + "property"):
        if node.get("name") != _PLACEHOLDER:
            found.error(place(node), f"{said(node)} belum didukung. {_DOCUMENT}",
                        f"{in_english(node)} is not supported. {_REMEDY[_DOCUMENT]}")
    for node in root.iter(BPMN + "dataInputAssociation", BPMN + "dataOutputAssociation"):
        ends = [(one.text or "").strip() for one in node.iterchildren(BPMN + "sourceRef", BPMN + "targetRef")]
        if not ends or any(one not in drawn and one != node.getparent().get("id") for one in ends):
            found.error(place(node), f"{said(node)} tidak menghubungkan unsurnya dengan data yang tergambar. Hubungkan "
                                     "ulang di pemodel atau hapus.",
                        f"{in_english(node)} does not join its element with data that is drawn. Join it again in the "
                        "modeler or delete it.")


def _notes(root: etree._Element, found: Findings) -> None:
    ids: set[str] | None = None
    for node in root.iter(BPMN + "association"):
        ids = ids or {one.get("id", "") for one in root.iter(BPMN + "*")}
        for end in (node.get("sourceRef", ""), node.get("targetRef", "")):
            if end not in ids:
                found.error(place(node), f"{said(node)} menunjuk {quoted(end)}, yang tidak ada di dalam berkas. "
                                         "Hubungkan ulang di pemodel atau hapus.",
                            f"{in_english(node)} refers to {quoted(end)}, which is not in the file. Join it again in "
                            "the modeler or delete it.")
    for form in root.iter(CAMUNDA + "formData"):
        holder = form.getparent().getparent()
        if holder is not None and holder.tag not in (BPMN + "userTask", BPMN + "startEvent"):
            found.error(place(form), f"Formulir pada {said(holder)} tidak akan tampil. Pindahkan ke tugas atau awal "
                                     "(start event).",
                        f"Form data of {in_english(holder)} would not be shown. Move it to a user task or the start "
                        "event.")


# Properties

YES_NO = ("ya", "tidak")
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
    "lane": {"sop.kantorLain": YES_NO, "sop.dicatatOleh": None},
    "startEvent": {"sop.pemulai": None, **_TIMER_PROPERTIES},
    "userTask": {"sop.nomor": None, "sop.kelengkapan": None, "sop.waktu": None, "sop.output": None,
                 "sop.keterangan": None, "sop.asumsi": YES_NO},
    "boundaryEvent": _TIMER_PROPERTIES,
    "intermediateCatchEvent": _TIMER_PROPERTIES,
    "subProcess": {"sop.tenggatUntuk": None, **_TIMER_PROPERTIES},      # of the deadline; a plain one has none
}


def _element_properties(root: etree._Element, found: Findings) -> None:
    for properties in root.iter(CAMUNDA + "properties"):
        around = properties.getparent()
        if around.tag == BPMN + "extensionElements":
            holder = around.getparent()
            known = ELEMENT_PROPERTIES.get(local(holder), {})
            scope = holder.getparent() if holder.tag == BPMN + "startEvent" else holder
            if scope.tag == BPMN + "subProcess" and not is_event_subprocess(scope):
                known = {}              # nobody starts it, and no timer is its own
            of_properties(properties, partial(_said, holder), known, found)


Where = Callable[[], tuple[str, str]]


def of_properties(properties: etree._Element, where: Where, known: Known, found: Findings) -> None:
    """The properties of one element or field: known, each once, with a value that means something.

    where  gives the element or field, in Indonesian and in English, once there is something to say
    """
    names: set[str] = set()
    for one in properties.iterchildren(CAMUNDA + "property"):
        name, value = property_name(one), one.get("value", "")
        if name in names:
            found.error(place(one), f"Properti {quoted(name)} pada {where()[0]} tertulis dua kali. Hapus salah satu.",
                        f"The property {quoted(name)} of {where()[1]} is written twice. Delete one.")
        names.add(name)
        if name not in known:
            _unknown_property(one, name, where, known, found)
        elif (values := known[name]) and value.strip() and value.strip() not in values:
            found.error(place(one), f"Properti {quoted(name)} pada {where()[0]} bernilai {quoted(value)}; yang "
                                    "dikenal: "
                                    f"{', '.join(values)}. Pakai salah satu.",
                        f"The property {quoted(name)} of {where()[1]} is {quoted(value)}; known are: "
                        f"{', '.join(values)}. "
                        "Use one of these.")


def _unknown_property(node: etree._Element, name: str, where: Where, known: Known, found: Findings) -> None:
    near = found.nearest(name, known)
    remedy = f"Mungkin maksudnya {near}." if near else f"Yang dikenal di sini: {some(sorted(known))}."
    english = f"Probably {near} is meant." if near else f"Known here are: {some(sorted(known))}."
    if name.startswith(("sop.", "kolom.")) or local(node.getparent().getparent()) == "formField":
        found.error(place(node), f"Properti {quoted(name)} pada {where()[0]} tidak dikenal. {remedy}",
                    f"The property {quoted(name)} of {where()[1]} is not known. {english}")
    else:
        found.warning(place(node), f"Properti {quoted(name)} pada {where()[0]} tidak dibaca. Hapus bila tidak "
                                   f"diperlukan. {remedy if near else ''}".strip(),
                      f"The property {quoted(name)} of {where()[1]} is not read. Delete it if it is not needed. "
                      f"{english if near else ''}".strip())


# --- Words -----------------------------------------------------------------------------------------------------------

KINDS: Mapping[str, tuple[str, str]] = {            # Indonesian as Perancang's menus have it, English
    "startEvent": ("awal", "start event"), "endEvent": ("akhir", "end event"), "userTask": ("tugas", "user task"),
    "exclusiveGateway": ("percabangan pilihan", "exclusive gateway"),
    "parallelGateway": ("percabangan sejajar", "parallel gateway"),
    "inclusiveGateway": ("percabangan beberapa", "inclusive gateway"),
    "boundaryEvent": ("timer di tepi", "boundary event"), "intermediateCatchEvent": ("penantian", "intermediate event"),
    "intermediateThrowEvent": ("kejadian di tengah", "intermediate event"), "subProcess": ("subproses", "subprocess"),
    "task": ("tugas umum (task)", "task"), "manualTask": ("tugas manual (manual task)", "manual task"),
    "serviceTask": ("tugas sistem (service task)", "service task"),
    "scriptTask": ("tugas skrip (script task)", "script task"),
    "businessRuleTask": ("tugas aturan (business rule task)", "business rule task"),
    "sendTask": ("tugas mengirim (send task)", "send task"),
    "receiveTask": ("tugas menerima (receive task)", "receive task"),
    "callActivity": ("proses lain (call activity)", "call activity"), "transaction": ("transaksi", "transaction"),
    "adHocSubProcess": ("subproses bebas (ad-hoc sub-process)", "ad-hoc subprocess"),
    "complexGateway": ("percabangan rumit (gateway kompleks)", "complex gateway"),
    "eventBasedGateway": ("percabangan menurut kejadian (event-based gateway)", "event-based gateway"),
    "multiInstanceLoopCharacteristics": ("tanda banyak sekaligus (multi-instance)", "multi-instance marker"),
    "standardLoopCharacteristics": ("tanda berulang (loop)", "loop marker"),
    "messageEventDefinition": ("kejadian pesan (message)", "message event"),
    "signalEventDefinition": ("kejadian sinyal (signal)", "signal event"),
    "conditionalEventDefinition": ("kejadian syarat (conditional)", "conditional event"),
    "errorEventDefinition": ("kejadian kesalahan (error)", "error event"),
    "escalationEventDefinition": ("kejadian eskalasi (escalation)", "escalation event"),
    "linkEventDefinition": ("kejadian sambungan (link)", "link event"),
    "compensateEventDefinition": ("kejadian kompensasi (compensation)", "compensation event"),
    "cancelEventDefinition": ("kejadian pembatalan (cancel)", "cancel event"),
    "timerEventDefinition": ("timer", "timer"), "messageFlow": ("panah pesan (message flow)", "message flow"),
    "dataObjectReference": ("data", "data object"), "dataStoreReference": ("tempat data", "data store"),
    "dataInputAssociation": ("garis data", "data association"),
    "dataOutputAssociation": ("garis data", "data association"),
    "textAnnotation": ("catatan", "note"), "association": ("garis "
                                                           "catatan", "association"), "group": ("bingkai", "group"),
    "sequenceFlow": ("panah", "flow"), "process": ("proses", "process"), "lane": ("lane", "lane"),
    "participant": ("bidang proses (pool)", "pool"), "formField": ("isian", "field"), "definitions": ("berkas", "file"),
}


def local(node: etree._Element) -> str:
    return etree.QName(node).localname


def quoted(text: str, most: int = 80) -> str:
    """A name out of the file, short enough for a sentence."""
    return f'"{text if len(text) <= most else text[:most] + "..."}"'


def sentence(text: str) -> str:
    """A text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def said(node: etree._Element) -> str:
    """An XML element as an owner knows it: what it is and its name, or where it stands when it has none."""
    return _said(node)[0]


def in_english(node: etree._Element) -> str:
    return _said(node)[1]


def _said(node: etree._Element) -> tuple[str, str]:
    kind, english = KINDS.get(local(node), (local(node)[:80], local(node)[:80]))
    name, id = _name_of(node), (node.get("id") or "")[:80]
    if name:
        return f"{kind} {quoted(name)}", f"{english} {quoted(name)}"
    if node.tag not in FLOW_NODES and node.tag != BPMN + "sequenceFlow":
        return (f"{kind} ({id})", f"{english} ({id})") if id else (kind, english)
    return _unnamed((kind, english), id, _around(node), node.tag == BPMN + "sequenceFlow")


def _name_of(node: etree._Element) -> str:
    return " ".join((node.get("name") or "")[:200].split())


def _around(node: etree._Element) -> tuple[str, str]:
    """The names before and after an element or flow, "" of none; of the flows beside it the first MOST_BESIDE count."""
    level = node.getparent()
    flows = [] if level is None else list(islice(level.iterchildren(BPMN + "sequenceFlow"), MOST_BESIDE))
    names = {one.get("id", ""): _name_of(one) for one in islice(level.iterchildren(*FLOW_NODES), MOST_BESIDE)} \
        if flows else {}
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for flow in flows:
        before.setdefault(flow.get("targetRef", ""), []).append(flow.get("sourceRef", ""))
        after.setdefault(flow.get("sourceRef", ""), []).append(flow.get("targetRef", ""))
    def name(id: str) -> str:
        return names.get(id, "")

    def sources(id: str) -> Iterable[str]:
        return before.get(id, ())

    def targets(id: str) -> Iterable[str]:
        return after.get(id, ())

    if node.tag == BPMN + "sequenceFlow":
        source, target = node.get("sourceRef", ""), node.get("targetRef", "")
        return name(source) or _nearest(source, sources, name), name(target) or _nearest(target, targets, name)
    id = node.get("id", "")
    return _nearest(id, sources, name), _nearest(id, targets, name)


def _nearest(id: str, beside: Callable[[str], Iterable[str]], name: Callable[[str], str]) -> str:
    """The name of the first named element on the way from one, "" where none of MOST_BESIDE has one."""
    seen, waiting = {id}, [id]
    while waiting and len(seen) <= MOST_BESIDE:
        further = list(dict.fromkeys(other for one in waiting for other in beside(one) if other not in seen))
        if named := next(filter(None, map(name, further)), ""):
            return named
        seen.update(further)
        waiting = further
    return ""


def _unnamed(kind: tuple[str, str], id: str, around: tuple[str, str], flow: bool = False) -> tuple[str, str]:
    """What has no name: what it is, after or before which name it stands, and its id as a help."""
    help = f" ({id})" if id else ""
    before, after = (quoted(one) if one else "" for one in around)
    if flow:
        places = [" ".join(part for part in (
            f"{word} {before}" if before else "", f"{other} {after}" if after else "") if part)
            for word, other in (("dari", "ke"), ("from", "to"))]
    else:
        kind = (f"{kind[0]} tanpa nama", f"{kind[1]} without a name")
        places = [f"sesudah {before}", f"after {before}"] if before else (
            [f"sebelum {after}", f"before {after}"] if after else ["", ""])
    indonesian, english = (f"{what} {where}".rstrip() + help for what, where in zip(kind, places, strict=True))
    return indonesian, english


def spoken(definition: ProcessDefinition, id: str, *, kind: bool = False, help: bool = True) -> tuple[str, str]:
    """An element, lane, flow or the process as an owner knows it, in Indonesian and in English.

    kind  say what it is too, where it has a name
    help  give the id of what has no name
    """
    one, lane, flow = definition.elements.get(id), definition.lane(id), definition.flows.get(id)
    if flow is not None:
        return spoken_flow(definition, flow)
    if lane is not None and lane.name:
        return f"lane {quoted(lane.name)}", f"lane {quoted(lane.name)}"
    if one is None:
        deadline = definition.deadline
        if deadline is not None and id in (deadline.id, deadline.start_event):
            return "timer tenggat", "the timer of the deadline"
        return (quoted(definition.name), quoted(definition.name)) if id == definition.key and definition.name else (
            quoted(id), quoted(id))
    what, english = KINDS.get(one.kind, (one.kind, one.kind))
    name = " ".join(one.name.split())
    if name:
        return (f"{what} {quoted(name)}", f"the {english} {quoted(name)}") if kind else (quoted(name), quoted(name))
    host = definition.elements.get(one.attached_to or "")
    if host is not None and host.name.strip():
        shown, where = f" ({id})" if help else "", quoted(" ".join(host.name.split()))
        return f"timer tanpa nama di tepi {where}{shown}", f"the timer without a name at the edge of {where}{shown}"
    return _unnamed((what, f"the {english}"), id if help else "", _names_around(definition, id))


def spoken_flow(definition: ProcessDefinition, flow: SequenceFlow) -> tuple[str, str]:
    """A flow by its name and by what it joins, in Indonesian and in English."""
    around = (_own_name(definition, flow.source) or _names_around(definition, flow.source)[0],
              _own_name(definition, flow.target) or _names_around(definition, flow.target)[1])
    own = " ".join(flow.name.split())
    kind = (f"panah {quoted(own)}", f"the flow {quoted(own)}") if own else ("panah", "the flow")
    return _unnamed(kind, "" if own else flow.id, around, True)


def _own_name(definition: ProcessDefinition, id: str) -> str:
    one = definition.elements.get(id)
    return " ".join(one.name.split()) if one else ""


def _names_around(definition: ProcessDefinition, id: str) -> tuple[str, str]:
    """The nearest names before and after an element, "" of none."""
    if id not in definition.elements:
        return "", ""
    name = partial(_own_name, definition)

    def before(id: str) -> Iterable[str]:
        host = definition.elements[id].attached_to if id in definition.elements else None
        return [host] if host else [flow.source for flow in definition.incoming.get(id, ())]

    def after(id: str) -> Iterable[str]:
        return [flow.target for flow in definition.outgoing.get(id, ())]

    return _nearest(id, before, name), _nearest(id, after, name)


def listed(text: str) -> tuple[str, ...]:
    """The ids in a property that lists some: separated by spaces, lines, commas or semicolons."""
    return tuple(one for one in re.split(r"[\s,;]+", text) if one)


def some(ids: Iterable[str]) -> str:
    """The first ids of a list, for a sentence."""
    all = list(ids)
    return ", ".join(all[:12]) + (", ..." if len(all) > 12 else "") or "-"


def counted(number: int) -> str:
    """2.000.000: a number as Indonesian readers write it."""
    return f"{number:,}".replace(",", ".")


def property_name(node: etree._Element) -> str:
    """What a camunda:property is called: of an element it stands in `name`, of a form field in `id`."""
    name: str = node.get("name") or node.get("id") or ""
    return name.strip()
