"""The gate for diagrams: what is refused when one is uploaded, said as findings that an owner can act on.

Three doors, one behind the other: `opened` lets through bytes that are harmless XML of a bounded size, `of_tree` a
tree that holds only what we read, `of_definition` a process that will run to its end. What passes all three,
`diagram.py` reads without a doubt. Every rule says what is, what was expected and what to do, in the owners' language.
Time and memory are bounded by the size of the file and by counts, never by a clock.
"""
from __future__ import annotations

import re

from lxml import etree

from .definition import Finding

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


# --- Words ---------------------------------------------------------------------------------------------------------------

def local(node: etree._Element) -> str:
    return etree.QName(node).localname


def quoted(text: str, most: int = 80) -> str:
    """A name out of the file, short enough for a sentence."""
    return f'"{text if len(text) <= most else text[:most] + "..."}"'


def of_tree(root):
    return ()


def readable(root):
    return root.find(BPMN + "process") is not None


def of_definition(definition, root):
    return ()
