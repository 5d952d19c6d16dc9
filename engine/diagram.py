"""The reader of diagrams: the uploaded bytes become a ProcessDefinition, or findings that say why not.

What is refused is said in `gate.py`, `gate_forms.py`, `soundness.py` and `gate_drawing.py`; this file reads. Everything
is taken from our own tree of the XML, in document order: lanes from their flowNodeRef, flows with their ids, texts
stripped at both ends. Nothing else reads diagrams, and no XML leaves this file and the gate's.
"""
from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from lxml import etree

from . import gate, gate_drawing, gate_forms, soundness
from .definition import (
    Choice,
    Column,
    Deadline,
    DiagramError,
    Element,
    Field,
    Finding,
    Lane,
    ProcessDefinition,
    SequenceFlow,
    Slot,
    Timer,
)
from .gate import (
    BIOC,
    BPMN,
    BPMNDI,
    CAMUNDA,
    COLOR,
    DC,
    DECIDING,
    DI,
    FLOW_NODES,
    MODELER,
    TIMER_KINDS,
    XSI,
    is_event_subprocess,
    leaf_lanes,
    listed,
    property_name,
)
from .gate_forms import column_parts


def read(data: bytes) -> ProcessDefinition:
    """The process that a diagram says.

    data  the file as it was uploaded; its SHA-256 names the definition.
    Raises DiagramError with every finding (warnings too) when one of them is an error.
    """
    definition, findings = _judged(data)
    if definition is None or any(one.severity == "error" for one in findings):
        raise DiagramError(findings)
    return definition


def reread(data: bytes) -> ProcessDefinition:
    """The process of bytes that were let through when they were deployed: opened again, but not judged again.

    A gate that has become stricter since must not lose the instances that run by an older version.
    Raises DiagramError when the bytes are no XML that we open, or hold no process.
    """
    root, findings = gate.opened(data)
    if root is None or not gate.readable(root):
        raise DiagramError(findings)
    return definition_of(root, _hashes(data, root))


def titled(data: bytes) -> tuple[str, str]:
    """(id, name) of the process in a diagram that may still have errors; "" for what it does not say.

    Raises DiagramError when the bytes are no XML that we open.
    """
    root, findings = gate.opened(data)
    if root is None:
        raise DiagramError(findings)
    process = next(root.iterchildren(BPMN + "process"), None)
    return ("", "") if process is None else (process.get("id", ""), gate.process_name(process))


def check(data: bytes) -> tuple[Finding, ...]:
    """All that is to be said of a diagram, by line: errors and warnings. Answers for any bytes, in bounded time."""
    return _judged(data)[1]


def hashes(data: bytes) -> tuple[str, str, str]:
    """The three SHA-256 of a diagram, hex: of its bytes, of its canonical XML, of its meaning.

    Canonical is C14N 2.0 without comments. The meaning is the tree without drawing, colours, prefixes, tool names and
    the space around texts: equal for two files that differ only in their layout.
    Raises DiagramError when the bytes are no XML that we open.
    """
    root, findings = gate.opened(data)
    if root is None:
        raise DiagramError(findings)
    return _hashes(data, root)


def _judged(data: bytes) -> tuple[ProcessDefinition | None, tuple[Finding, ...]]:
    root, findings = gate.opened(data)
    if root is None:
        return None, findings
    found = gate.Findings()
    definition = None
    try:
        gate.of_tree(root, found)
        gate_forms.of_forms(root, found)
        if gate.readable(root):
            definition = definition_of(root, _hashes(data, root))
            it = gate.judged(definition, root, found)
            if soundness.of_bounded_size(it):
                soundness.of_definition(it)
                gate_drawing.of_drawing(it, root)
    except gate.Enough:
        pass
    return definition, found.all()


# --- The process ---------------------------------------------------------------------------------------------------

def definition_of(root: etree._Element, hashes: tuple[str, str, str]) -> ProcessDefinition:
    """The process of a tree. Of a tree with findings it is what could be read, good enough to look for more of them."""
    process = next(root.iterchildren(BPMN + "process"))
    lanes, lane_of = _lanes(process)
    defaults: set[tuple[str | None, str | None]] = set()
    elements: dict[str, Element] = {}
    drawn: list[etree._Element] = []
    for node, within in _standing(process, None):
        if node.tag == BPMN + "sequenceFlow":
            drawn.append(node)
            continue
        one = _element(node, lane_of, within)
        if one.lane is None and within is not None:
            one = replace(one, lane=elements[within].lane)
        # The first of an id stays, so that nothing stands in itself even where an id is used twice.
        elements.setdefault(one.id, one)
        if node.tag in DECIDING:
            defaults.add((node.get("id"), node.get("default")))
    start = next(process.iterchildren(BPMN + "startEvent"), None)
    deadlines = (one for one in process.iterchildren(BPMN + "subProcess") if is_event_subprocess(one))
    return ProcessDefinition(
        key=process.get("id", ""),
        name=gate.process_name(process),
        sha256=hashes[0],
        canonical_sha256=hashes[1],
        meaning_sha256=hashes[2],
        elements=elements,
        flows={one.id: one for one in (_flow(one, defaults) for one in drawn)},
        lanes=lanes,
        properties=_sop(process),
        documentation=_documentation(process),
        deadline=next((_deadline(one) for one in deadlines), None),
        starters=() if start is None else listed(_properties(start).get("sop.pemulai", "")),
    )


def _standing(around: etree._Element, within: str | None) -> Iterator[tuple[etree._Element, str | None]]:
    """The flow nodes and flows of a process in document order, each with the subprocess that it stands directly in.
    An event subprocess is no element but the deadline: no flow leads to it."""
    for node in around.iterchildren(*FLOW_NODES, BPMN + "sequenceFlow"):
        if is_event_subprocess(node):
            continue
        yield node, within
        if node.tag == BPMN + "subProcess":
            yield from _standing(node, node.get("id", ""))


def _lanes(process: etree._Element) -> tuple[tuple[Lane, ...], dict[str, str]]:
    lanes: list[Lane] = []
    lane_of: dict[str, str] = {}
    for lane in leaf_lanes(process):
        properties = _sop(lane)
        lanes.append(Lane(
            id=lane.get("id", ""),
            name=lane.get("name", "").strip(),
            other_office=_yes(properties.get("sop.kantorLain")),
            recorded_by=listed(properties.get("sop.dicatatOleh", "")),
            properties=properties,
        ))
        for reference in lane.iterchildren(BPMN + "flowNodeRef"):
            lane_of.setdefault(_text(reference), lane.get("id", ""))
    return tuple(lanes), lane_of


def _flow(node: etree._Element, defaults: set[tuple[str | None, str | None]]) -> SequenceFlow:
    condition = node.find(BPMN + "conditionExpression")
    return SequenceFlow(
        id=node.get("id", ""),
        source=node.get("sourceRef", ""),
        target=node.get("targetRef", ""),
        name=node.get("name", ""),
        condition=None if condition is None else expression(_text(condition)),
        default=(node.get("sourceRef"), node.get("id")) in defaults,
        line=node.sourceline or 0,
    )


def _element(node: etree._Element, lane_of: dict[str, str], within: str | None) -> Element:
    id = node.get("id", "")
    properties = _sop(node)
    return Element(
        id=id,
        kind=etree.QName(node).localname,
        name=node.get("name", ""),
        lane=lane_of.get(id),
        within=within,
        documentation=_documentation(node),
        form=tuple(_field(one) for one in _extensions(node, "formData", "formField")),
        timer=_timer(node, properties),
        attached_to=node.get("attachedToRef"),
        interrupting=node.get("cancelActivity", "true") not in ("false", "0"),
        terminate=node.find(BPMN + "terminateEventDefinition") is not None,
        properties=properties,
        line=node.sourceline or 0,
    )


def _timer(node: etree._Element, properties: dict[str, str]) -> Timer | None:
    drawn = node.find(BPMN + "timerEventDefinition")
    if drawn is None:
        return None
    for tag, kind in TIMER_KINDS.items():
        for one in drawn.iterchildren(BPMN + tag):
            return Timer(
                kind=kind,
                expression=_text(one),
                unit=properties.get("sop.satuanWaktu", "").strip() or "kerja",
                reminder=_or_none(properties.get("sop.pengingat")),
                reminder_to=_or_none(properties.get("sop.kepada")),
                reminder_copy=_or_none(properties.get("sop.tembusan")),
                subject=_or_none(properties.get("sop.perihal")),
                near=_or_none(properties.get("sop.pengingatSebelum")),
                escalation=_or_none(properties.get("sop.pengingatAtasan")),
                superior=listed(properties.get("sop.atasan", "")),
                superior_copy=listed(properties.get("sop.atasanTembusan", "")),
                returned=_or_none(properties.get("sop.kabarKembali")),
                returned_to=listed(properties.get("sop.kabarKembaliKepada", "")),
                extended_by=listed(properties.get("sop.perpanjangan", "")),
            )
    return None


def _deadline(subprocess: etree._Element) -> Deadline | None:
    """The event subprocess as the process-wide deadline; its properties may stand on it or on its start event."""
    start = next(subprocess.iterchildren(BPMN + "startEvent"), None)
    if start is None:
        return None
    properties = _sop(subprocess) | _sop(start)
    timer = _timer(start, properties)
    return None if timer is None else Deadline(
        id=subprocess.get("id", ""),
        timer=timer,
        satisfied_by=properties.get("sop.tenggatUntuk", "").strip(),
        name=subprocess.get("name", ""),
        start_event=start.get("id", ""),
    )


# --- Forms -----------------------------------------------------------------------------------------------------------

def _field(node: etree._Element) -> Field:
    type = node.get("type", "")
    properties = _properties(node)
    limits = {one.get("name", ""): one.get("config", "") for one in _inside(node, "validation", "constraint")}
    return Field(
        id=node.get("id", ""),
        label=node.get("label", ""),
        type=type,
        initial=_or_none(node.get("defaultValue")),
        choices=tuple(_choice(one) for one in node.iterchildren(CAMUNDA + "value")),
        columns=tuple(column(name.removeprefix("kolom."), value)
                      for name, value in properties.items() if name.startswith("kolom.")),
        required=_constrained(limits, "required"),
        minimum=_or_none(limits.get("min")),
        maximum=_or_none(limits.get("max")),
        min_length=_whole(limits.get("minlength")),
        max_length=_whole(limits.get("maxlength")),
        readonly=_constrained(limits, "readonly"),
        group=_or_none(properties.get("sop.kelompok")),
        hint=_or_none(properties.get("sop.petunjuk")),
        required_if=_expression_or_none(properties.get("sop.wajibJika")),
        shown_if=_expression_or_none(properties.get("sop.tampilJika")),
        valid_if=_expression_or_none(properties.get("sop.benarJika")),
        valid_message=_or_none(properties.get("sop.pesan")),
        decision=_yes(properties.get("sop.keputusan")),
        personal=_yes(properties.get("sop.pribadi")),
        rows_from=listed(properties.get("sop.barisDari", "")),
        filler_row=_or_none(properties.get("sop.barisBawaan")),
        filler_if=_expression_or_none(properties.get("sop.barisBawaanJika")),
        appoints=_or_none(properties.get("sop.menunjukTim")),
        source=_or_none(properties.get("sop.sumber")),
        slot=_slot(properties) if type == "document" else None,
        line=node.sourceline or 0,
    )


def _choice(node: etree._Element) -> Choice:
    value = node.get("id", "").strip()
    return Choice(value=value, label=node.get("name", "").strip() or value)


def _slot(properties: dict[str, str]) -> Slot:
    return Slot(
        role=properties.get("sop.peran", "").strip(),
        origin=_or_none(properties.get("sop.asal")),
        forms=listed(properties.get("sop.bentuk", "")) or ("berkas",),
        many=properties.get("sop.jumlah", "").strip() == "banyak",
        version=properties.get("sop.versi", "").strip() or "baru",
        same_if=_expression_or_none(properties.get("sop.samaJika")),
        owed_until=_or_none(properties.get("sop.menyusul")),
        owed_if=_expression_or_none(properties.get("sop.menyusulJika")),
        waivable=properties.get("sop.dispensasi", "").strip() != "tidak",
        attachers=listed(properties.get("sop.pelampir", "")),
        text_from=_or_none(properties.get("sop.teksDari")),
    )


def column(id: str, value: str) -> Column:
    """A column out of `Label | type | wajib, tidak, baca or wajib jika FEEL | options`; only the label is needed."""
    label, type, need, options = column_parts(value)
    condition = re.fullmatch(r"wajib\s+jika\b(.*)", need, re.DOTALL)
    choices, initial = _options(type, options)
    return Column(
        id=id,
        label=label,
        type=type,
        required=need == "wajib",
        required_if=expression(condition[1]) if condition else None,
        readonly=need == "baca",
        choices=choices,
        initial=initial,
    )


def _options(type: str, options: str) -> tuple[tuple[Choice, ...], str | None]:
    """`ketua=Ketua; anggota=Anggota` of an enum, `awal=text` of any other type (and, last, of an enum)."""
    if type != "enum":
        return (), _or_none(options.removeprefix("awal=")) if options.startswith("awal=") else None
    written = (one.partition("=") for one in options.split(";"))
    pairs = [(value.strip(), label.strip()) for value, _, label in written if value.strip()]
    initial = next((label for value, label in pairs if value == "awal"), None)
    return tuple(Choice(value=value, label=label or value) for value, label in pairs if value != "awal"), initial


# --- Words and texts -------------------------------------------------------------------------------------------------

def expression(text: str) -> str:
    """FEEL without its leading `=` and the space around it."""
    return text.strip().removeprefix("=").strip()


def _text(node: etree._Element) -> str:
    return (node.text or "").strip()


def _documentation(node: etree._Element) -> str:
    return next((_text(one) for one in node.iterchildren(BPMN + "documentation")), "")


def _inside(node: etree._Element, outer: str, inner: str) -> Iterator[etree._Element]:
    for one in node.iterchildren(CAMUNDA + outer):
        yield from one.iterchildren(CAMUNDA + inner)


def _extensions(node: etree._Element, outer: str, inner: str) -> Iterator[etree._Element]:
    for one in node.iterchildren(BPMN + "extensionElements"):
        yield from _inside(one, outer, inner)


def _properties(node: etree._Element) -> dict[str, str]:
    """The camunda:properties of an element or a form field, values verbatim."""
    read = _inside if node.tag == CAMUNDA + "formField" else _extensions
    return {property_name(one): one.get("value", "") for one in read(node, "properties", "property")}


def _sop(node: etree._Element) -> dict[str, str]:
    return {name: value for name, value in _properties(node).items() if name.startswith("sop.")}


def _yes(text: str | None) -> bool:
    return (text or "").strip().casefold() == "ya"


def _constrained(limits: dict[str, str], name: str) -> bool:
    """A constraint such as required holds when it is there, unless it says false."""
    return name in limits and limits[name].strip().casefold() != "false"


def _whole(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"\d{1,9}", text.strip(), re.ASCII) else None


def _or_none(text: str | None) -> str | None:
    return (text or "").strip() or None


def _expression_or_none(text: str | None) -> str | None:
    return expression(text or "") or None


# --- Hashes ----------------------------------------------------------------------------------------------------------

def _hashes(data: bytes, root: etree._Element) -> tuple[str, str, str]:
    canonical = etree.tostring(root, method="c14n2", with_comments=False)
    meaning = json.dumps(_meaning(root), ensure_ascii=True, separators=(",", ":")).encode()
    return hashlib.sha256(data).hexdigest(), hashlib.sha256(canonical).hexdigest(), hashlib.sha256(meaning).hexdigest()


# What only draws, or repeats what the flows say in an order of the tool's.
_DRAWN = frozenset({BPMNDI + "BPMNDiagram", BPMN + "incoming", BPMN + "outgoing"})


def _meaning(node: etree._Element) -> list[object]:
    """An element as [name, {attributes}, text, elements in it], whatever prefixes, space and drawing its file has."""
    return [
        node.tag,
        {name: node.attrib[name] for name in sorted(node.attrib) if not _of_the_tool(node, name)},
        _text(node),
        [_meaning(one) for one in node.iterchildren(etree.Element) if one.tag not in _DRAWN],
    ]


def _of_the_tool(node: etree._Element, name: str) -> bool:
    """What a tool writes about itself; and a type that says nothing, because every expression is FEEL."""
    if node.tag == BPMN + "definitions":
        return name in ("exporter", "exporterVersion") or name.startswith((MODELER, XSI))
    return name == XSI + "type" or name.startswith(CAMUNDA + "modelerTemplate")


# --- What stands in the file besides ---------------------------------------------------------------------------------

@dataclass(frozen=True, kw_only=True)
class Note:
    """What a file says of one thing and the process does not: its XML name, and texts by a path within it."""
    kind: str
    facts: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What a ProcessDefinition leaves out, by BPMN id: for who compares two versions, never for who runs one."""
    others: Mapping[str, Note]                      # notes, the pool, what nothing reads; in document order
    layout: Mapping[str, Mapping[str, str]]         # position size waypoints label colours look


def beside(data: bytes) -> Beside:
    """Notes and drawing of a diagram. Raises DiagramError when the bytes are no XML that we open."""
    root, findings = gate.opened(data)
    if root is None:
        raise DiagramError(findings)
    layout: dict[str, Mapping[str, str]] = {}
    for node in root.iter(BPMNDI + "BPMNShape", BPMNDI + "BPMNEdge"):
        layout.setdefault(node.get("bpmnElement", ""), _layout(node))
    owners = {one: one.get("id") or etree.QName(one).localname for one in _owners(root)}
    others = {id: Note(kind=etree.QName(one).localname, facts=dict(_facts(one, owners, "")))
              for one, id in owners.items()}
    return Beside(others=others, layout=layout)


def _layout(node: etree._Element) -> dict[str, str]:
    """How one thing is drawn. A number is a number, however it is written."""
    def numbers(one: etree._Element, *names: str) -> str:
        return " ".join(re.sub(r"\.0*$|(\.[0-9]*?)0+$", r"\1", one.get(name, "")) for name in names)

    label, bounds = node.find(f"{BPMNDI}BPMNLabel/{DC}Bounds"), node.find(DC + "Bounds")
    colours = {name.rpartition("}")[2]: text for name, text in node.attrib.items() if name.startswith((BIOC, COLOR))}
    look = {name: text for name, text in node.attrib.items() if name not in ("id", "bpmnElement") and name[0] != "{"}
    found = {
        "position": "" if bounds is None else numbers(bounds, "x", "y"),
        "size": "" if bounds is None else numbers(bounds, "width", "height"),
        "waypoints": ", ".join(numbers(one, "x", "y") for one in node.iterchildren(DI + "waypoint")),
        "label": "" if label is None else numbers(label, "x", "y", "width", "height"),
        "colours": " ".join(f"{name}={text}" for name, text in sorted(colours.items())),
        "look": " ".join(f"{name}={text}" for name, text in sorted(look.items())),
    }
    return {name: text for name, text in found.items() if text}


# What hangs on a thing rather than being one.
_HANGS_ON = _DRAWN | {BPMN + name for name in (
    "documentation", "extensionElements", "flowNodeRef", "property", "dataInputAssociation", "dataOutputAssociation")}
# What a ProcessDefinition carries, or whose changes always come with one that it carries.
_CARRIED = _DRAWN | {BPMN + name for name in ("flowNodeRef", "conditionExpression", "timerEventDefinition",
                                              "terminateEventDefinition")} | {CAMUNDA + "formData"}
_CARRIED_ATTRIBUTES = {BPMN + "participant": {"id", "processRef"}, BPMN + "sequenceFlow": {
    "id", "name", "sourceRef", "targetRef"}} | {
    tag: {"id", "name", "default", "attachedToRef", "cancelActivity"}
    for tag in (BPMN + "process", BPMN + "lane", *FLOW_NODES)}


def _owners(root: etree._Element) -> Iterator[etree._Element]:
    """The file, and what has a place of its own in it, in subprocesses too; what is inside the deadline belongs to
    that."""
    yield root
    for tag in ("collaboration", "category", "process"):
        for one in root.iterchildren(BPMN + tag):
            yield one
            if tag != "category":
                yield from _owned(one)


def _owned(around: etree._Element) -> Iterator[etree._Element]:
    for inside in around.iterchildren(BPMN + "*"):
        if inside.tag not in _HANGS_ON:
            yield inside
            yield from inside.iterchildren(BPMN + "lane")
            if inside.tag == BPMN + "subProcess" and not is_event_subprocess(inside):
                yield from _owned(inside)


def _facts(node: etree._Element, owners: Mapping[etree._Element, str], path: str) -> Iterator[tuple[str, str]]:
    carried = {"id", "sourceRef", "targetRef"} if path else _CARRIED_ATTRIBUTES.get(node.tag, {"id"})
    if node.tag == BPMN + "participant" and not any(
            one.get("name", "").strip() for one in node.getparent().getparent().iterchildren(BPMN + "process")):
        carried = carried | {"name"}                # then it is the name of the process
    for name, value in node.attrib.items():
        if name not in carried and not _of_the_tool(node, name) and value:
            yield f"{path}{etree.QName(name).localname}", value
    is_read = not path and (node.tag == BPMN + "process"
                            or (node.tag in FLOW_NODES and not is_event_subprocess(node)))
    seen: dict[str, int] = {}
    for child in node.iterchildren(etree.Element):
        name = etree.QName(child).localname
        if child in owners or child.tag in _CARRIED or (is_read and name == "documentation"):
            continue
        if child.tag == CAMUNDA + "property":
            if not property_name(child).startswith("sop."):
                yield f"property:{property_name(child)}", child.get("value", "")
        elif child.tag in (BPMN + "extensionElements", CAMUNDA + "properties"):
            yield from _facts(child, owners, path)
        else:
            seen[name] = seen.get(name, 0) + 1
            step = f"{path}{name}{seen[name] if seen[name] > 1 else ''}"
            if _text(child):
                yield step, _text(child)
            yield from _facts(child, owners, f"{step}.")
