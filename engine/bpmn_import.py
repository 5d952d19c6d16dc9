"""A BPMN file of another tool as a draft of ours: Camunda Modeler (7 and 8), bpmn.io, Bizagi, Signavio, Visio, others.

`read` opens the file by the gate's first door, edits its tree until it holds only what we read, and says of everything
that is not as it was: which element, on which line, what, and why. What we carry stays. What has a near relation of
ours becomes that (a plain task a user task, a pool without lanes one lane, an embedded subprocess its steps, a JUEL
condition FEEL where both say exactly the same). What has none stays in the drawing and is a finding of the gate, so
that the owner decides (inclusive and complex gateways, foreign conditions), or is taken out and listed (data, messages,
other pools, what other vendors added). Where shapes are missing everything is laid out anew.

Nothing in a file is run, fetched or resolved. A file that is ours already comes back byte for byte.
"""
from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from lxml import etree

from . import diagram, gate
from .definition import DiagramError, Finding
from .expressions import RESERVED_NAMES
from .gate import BPMN, BPMNDI, CAMUNDA, DC, DI, GRAMMAR, MODELER, XSI, ZEEBE, local, quoted
from .sop_drawing import written

MOST_NODES, MOST_FLOWS, MOST_LANES = 1_500, 3_000, 200      # of a file, all its processes together
MOST_LOSSES = 300               # listed; more are counted
SHORT = 160                     # characters of what stood there, in a message
MOST_INSIDE = 12                # steps of a subprocess that are named


@dataclass(frozen=True, kw_only=True)
class Loss:
    """One thing that is not in the draft as it was in the file.

    element  BPMN id, None of the file as a whole
    what     the XML name of what it is about: "messageFlow", "camunda:assignee", "id"
    message  what became of it and why, for the owner
    """
    element: str | None
    line: int
    what: str
    message: str


@dataclass(frozen=True, kw_only=True)
class ImportedDiagram:
    """A draft, with what was lost on the way and what the gate finds in it. `data` is b"" where the file was refused:
    then `findings` say why."""
    data: bytes
    file: str = ""
    key: str = ""
    name: str = ""
    lost: tuple[Loss, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def refused(self) -> bool:
        return not self.data


def read(data: bytes, file: str = "") -> ImportedDiagram:
    """The draft that a .bpmn file gives, in a time bounded by its size.

    file  its name, which names a process that has none.
    """
    findings = diagram.check(data)
    if not any(one.severity == "error" for one in findings):
        ours = diagram.reread(data)
        return ImportedDiagram(data=data, file=file, key=ours.key, name=ours.name, findings=findings)
    return _Import(file).read(data)


# ---------------------------------------------------------------------------------------------------------------------
# What is known of BPMN
# ---------------------------------------------------------------------------------------------------------------------

VENDORS = {                     # by a part of the namespace
    "camunda.org/schema/zeebe": "Camunda 8", "camunda.org": "Camunda", "bpmn.io": "bpmn.io", "bizagi": "Bizagi",
    "signavio": "Signavio", "visio": "Visio", "trisotech": "Trisotech", "activiti": "Activiti", "flowable": "Flowable",
    "bonita": "Bonita", "w4.eu": "W4", "bpsim": "BPSim", "drools": "jBPM", "jboss": "jBPM", "omg.org": "OMG",
    "yaoqiang": "Yaoqiang", "ibm": "IBM", "oracle": "Oracle", "sparx": "Enterprise Architect", "aris": "ARIS",
    "adonis": "ADONIS", "boc-": "ADONIS", "processmaker": "ProcessMaker", "mid.de": "Innovator"}
TASKS = {                       # what becomes a user task, and what it was
    "task": "tugas umum", "manualTask": "tugas manual", "serviceTask": "tugas sistem", "scriptTask": "skrip",
    "businessRuleTask": "aturan bisnis", "sendTask": "tugas kirim", "receiveTask": "tugas terima",
    "callActivity": "pemanggilan proses lain", "subProcess": "subproses", "transaction": "transaksi",
    "adHocSubProcess": "subproses ad hoc"}
CALLS = frozenset({             # what a system would have been asked
    "implementation", "class", "delegateExpression", "expression", "topic", "type", "calledElement", "decisionRef",
    "scriptFormat", "operationRef"})
INSIDES = ("subProcess", "transaction", "adHocSubProcess")
LEFT = ("complexGateway", "eventBasedGateway")      # kept, and refused by the gate with a remedy
EVENTS = {
    "messageEventDefinition": "pesan", "signalEventDefinition": "sinyal", "conditionalEventDefinition": "kondisi",
    "errorEventDefinition": "kesalahan", "escalationEventDefinition": "eskalasi", "linkEventDefinition": "tautan",
    "compensateEventDefinition": "kompensasi", "cancelEventDefinition": "pembatalan",
    "terminateEventDefinition": "penghentian", "timerEventDefinition": "waktu"}
NODES = frozenset(gate.SUPPORTED_NODES + gate.OTHER_NODES)
WHY = {
    "messageFlow": "yang dijalankan hanya satu pool, sehingga tidak ada pihak yang menerima atau mengirim",
    "dataObject": "berkas dinyatakan sebagai isian berjenis document pada user task",
    "dataObjectReference": "berkas dinyatakan sebagai isian berjenis document pada user task",
    "dataStoreReference": "berkas dinyatakan sebagai isian berjenis document pada user task",
    "dataStore": "tempat penyimpanan tidak dijalankan",
    "dataInputAssociation": "berkas dinyatakan sebagai isian berjenis document pada user task",
    "dataOutputAssociation": "berkas dinyatakan sebagai isian berjenis document pada user task",
    "ioSpecification": "masukan dan keluaran dinyatakan sebagai isian pada user task",
    "multiInstanceLoopCharacteristics": "pengulangan dinyatakan dengan panah kembali melalui gateway eksklusif",
    "standardLoopCharacteristics": "pengulangan dinyatakan dengan panah kembali melalui gateway eksklusif",
    "message": "pesan antarpihak tidak dijalankan", "signal": "sinyal tidak dijalankan",
    "error": "kesalahan sistem tidak dijalankan", "escalation": "eskalasi dinyatakan dengan timer pada tepi user task",
    "script": "tidak ada kode di dalam diagram", "import": "diagram berdiri sendiri",
    "assignee": "pelaksana ditentukan oleh lane", "candidateGroups": "pelaksana ditentukan oleh lane",
    "candidateUsers": "pelaksana ditentukan oleh lane", "assignmentDefinition": "pelaksana ditentukan oleh lane",
    "potentialOwner": "pelaksana ditentukan oleh lane", "performer": "pelaksana ditentukan oleh lane",
    "humanPerformer": "pelaksana ditentukan oleh lane", "resourceRole": "pelaksana ditentukan oleh lane",
    "dueDate": "batas waktu dinyatakan dengan timer pada tepi user task",
    "followUpDate": "pengingat dinyatakan dengan timer pada tepi user task",
    "formKey": "isian dinyatakan di dalam diagram (Form Data)",
    "formRef": "isian dinyatakan di dalam diagram (Form Data)",
    "formDefinition": "isian dinyatakan di dalam diagram (Form Data)",
    "executionListener": "tidak ada kode di dalam diagram", "taskListener": "tidak ada kode di dalam diagram",
    "inputOutput": "isian dinyatakan di dalam diagram (Form Data)", "calledElement": "proses lain tidak dipanggil",
}
QUIET = frozenset({             # what says nothing: dropped without a word
    "itemDefinition", "partitionElement", "supportedInterfaceRef", "ioBinding", "inputSet", "outputSet",
    "startQuantity", "completionQuantity", "isForCompensation", "isImmediate", "gatewayDirection", "isExecutable",
    "completionType", "isCollection", "capacity", "isUnlimited", "parallelMultiple", "instantiate", "isSequential",
    "targetNamespace", "schemaLocation", "evaluatesToTypeRef", "outputSetRefs", "inputSetRefs", "participantBandKind",
    "choreographyActivityShape", "processType", "isClosed"})
DEFAULTS = {                    # what an attribute says when it is not written: tools drop it when they save
    "completionQuantity": "1", "startQuantity": "1", "isForCompensation": "false", "associationDirection": "None",
    "isClosed": "false", "processType": "None", "gatewayDirection": "Unspecified", "parallelMultiple": "false",
    "textFormat": "text/plain", "isInterrupting": "true", "cancelActivity": "true", "triggeredByEvent": "false",
    "implementation": "##unspecified", "typeLanguage": "http://www.w3.org/2001/XMLSchema",
    "expressionLanguage": "http://www.w3.org/1999/XPath"}


class _Import:
    """One file on its way to a draft."""

    def __init__(self, file: str):
        self.file = file
        self.lost: list[Loss] = []
        self.more = 0
        self.foreign: Counter[tuple[str, str]] = Counter()      # (vendor, name) -> how often
        self.foreign_lines: dict[tuple[str, str], int] = {}
        self.taken = Taken()
        self.led = set[str]()                   # flows that lead elsewhere than they were drawn
        self.kept: list[etree._Element] = []    # subprocesses that stay what they are

    def read(self, data: bytes) -> ImportedDiagram:
        root, findings = gate.opened(self.as_utf8(data), without=self.prune)
        if root is None:
            return ImportedDiagram(data=b"", file=self.file, findings=findings)
        self.taken.ids = {one.get("id", "") for one in root.iter(etree.Element)}
        processes = list(root.iterchildren(BPMN + "process"))
        counts = Counter(local(one) for one in root.iter(BPMN + "*"))
        nodes = sum(count for name, count in counts.items() if name in NODES)
        if nodes > MOST_NODES or counts["sequenceFlow"] > MOST_FLOWS or counts["lane"] > MOST_LANES:
            return ImportedDiagram(data=b"", file=self.file, findings=(_refusal(
                f"Berkas memuat {gate.counted(nodes)} unsur, {gate.counted(counts['sequenceFlow'])} panah dan "
                f"{gate.counted(counts['lane'])} lane; yang dibaca paling banyak {gate.counted(MOST_NODES)}, "
                f"{gate.counted(MOST_FLOWS)} dan {MOST_LANES}. Pecah menjadi beberapa berkas."),))
        if not any(_nodes(one) for one in processes):
            return ImportedDiagram(data=b"", file=self.file, findings=(_refusal(
                "Berkas ini tidak memuat proses yang dapat dijalankan: tidak ada satu pun langkah di dalamnya. Pilih "
                "berkas yang memuat alur kerja (bukan hanya percakapan atau koreografi)."),))
        for step in (self.one_process, self.ids, self.extensions, self.subprocesses, self.activities, self.events,
                     self.gateways, self.conditions, self.lanes, self.flows_and_notes, self.names, self.grammar,
                     self.drawing):
            step(root)
        for (vendor, name), count in self.foreign.items():
            times = f" ({gate.counted(count)} kali)" if count > 1 else ""
            self.lose(None, self.foreign_lines[vendor, name], name,
                      f"Tambahan {vendor} {quoted(name)}{times} tidak dibawa: hanya berarti bagi aplikasi itu.")
        result = written(root)
        try:
            ours = diagram.reread(result)
        except DiagramError as error:           # nothing half-made is handed on
            return ImportedDiagram(data=b"", file=self.file, findings=error.findings)
        if self.more:
            self.lost.append(Loss(element=None, line=0, what="", message=(
                f"Masih ada {gate.counted(self.more)} hal lain yang tidak dibawa; yang pertama sudah tercantum.")))
        lost = tuple(sorted(self.lost, key=lambda one: (one.line == 0, one.line)))
        return ImportedDiagram(data=result, file=self.file, key=ours.key, name=ours.name, lost=lost,
                               findings=diagram.check(result))

    # Telling

    def lose(self, element: str | None, line: int, what: str, message: str) -> None:
        if len(self.lost) < MOST_LOSSES:
            self.lost.append(Loss(element=element, line=line, what=what, message=gate.sentence(message)))
        else:
            self.more += 1

    def lose_node(self, node: etree._Element, message: str, what: str = "") -> None:
        element, line = gate.place(node)
        self.lose(element, line, what or local(node), message)

    def take_out(self, node: etree._Element, instead: str = "") -> None:
        """Removes a node and says so."""
        why = instead or WHY.get(local(node), "belum didukung")
        self.lose_node(node, f"{gate.said(node)} tidak dibawa: {why}.{_held(node)}")
        _remove(node)

    def strange(self, node: etree._Element, name: str) -> None:
        """Counts what a vendor added: one line in the list for all of its kind."""
        uri, _, word = name[1:].partition("}") if name.startswith("{") else ("", "", name)
        vendor = next((title for part, title in VENDORS.items() if part in uri.casefold()), uri[:60] or "aplikasi lain")
        prefix = next((one for one, known in node.nsmap.items() if known == uri and one), "")
        key = vendor, f"{prefix}:{word}" if prefix else word
        self.foreign[key] += 1
        self.foreign_lines.setdefault(key, node.sourceline or 0)

    # The door

    def as_utf8(self, data: bytes) -> bytes:
        """A file in the letters of western Windows, as UTF-8: what older tools write."""
        declared = re.match(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([^\"'>]{0,40})[\"']", data)
        known = {b"iso-8859-1": "iso-8859-1", b"latin1": "iso-8859-1", b"windows-1252": "windows-1252"}
        coding = known.get(declared[1].lower()) if declared else None
        if declared is None or coding is None or data.isascii() or len(data) > gate.MOST_BYTES:
            return data
        try:
            text = data.decode(coding)
        except UnicodeDecodeError:
            return data
        start, end = declared.span(1)
        return (text[:start] + "UTF-8" + text[end:]).encode()

    def prune(self, root: etree._Element) -> None:
        """Takes out what is not BPMN, before the rest is measured: texts of vendors may be of any length."""
        comments = 0
        for node in list(root.iter()):
            if node.getparent() is None:
                continue
            if not isinstance(node.tag, str):
                if node.tag is etree.Comment:
                    comments += 1
                    _remove(node)
            elif not node.tag.startswith((BPMN, BPMNDI, DC, DI, CAMUNDA)):
                if any(not isinstance(one.tag, str) or one.tag.startswith((BPMN, BPMNDI))
                       for one in node.iterancestors()):
                    self.vendor(node)
                _remove(node)
        if comments:
            self.lose(None, 0, "comment", f"{comments} komentar di dalam berkas XML tidak dibawa.")

    def vendor(self, node: etree._Element) -> None:
        """What the outermost element of a vendor said; of Camunda 8 element by element, for it says who and what."""
        around = node.getparent()
        if node.tag.startswith(ZEEBE):
            values = ", ".join(f"{local_name(name)} = {value}" for name, value in node.attrib.items())
            if not values:
                values = ", ".join(f"{local(one)} {next(iter(one.attrib.values()), '')}".strip()
                                   for one in node.iterchildren(etree.Element))
            why = WHY.get(local(node), "belum didukung")
            self.lose_node(around, f"Camunda 8 {quoted(local(node))} pada {_owner(node)} tidak dibawa: {why}."
                                   f"{_short(values)}", f"zeebe:{local(node)}")
        else:
            self.strange(node, node.tag)

    # Which process

    def one_process(self, root: etree._Element) -> None:
        processes = list(root.iterchildren(BPMN + "process"))

        def weight(one: etree._Element) -> tuple[bool, int]:
            return one.get("isExecutable") == "true" and bool(_nodes(one)), len(_nodes(one))

        chosen = max(processes, key=weight)
        self.process = chosen
        participants = list(root.iterfind(f"{BPMN}collaboration/{BPMN}participant"))
        for one in processes:
            if one is not chosen:
                name = next((each.get("name") for each in participants
                             if each.get("processRef") == one.get("id")), None)
                named = quoted(name or one.get("name") or one.get("id") or "")
                self.lose_node(one, f"Proses {named} ({len(_nodes(one))} unsur) tidak dibawa: satu rancangan memuat "
                                    "satu proses, yaitu yang dapat dijalankan atau yang terbesar. Untuk proses itu, "
                                    f"simpan dari pemodelnya sebagai berkas sendiri.{_steps(one)}")
                _remove(one)
        pool = next((one for one in participants if one.get("processRef") == chosen.get("id")), None)
        for one in participants:
            if one is not pool:
                self.take_out(one, "hanya pool dari proses yang dibawa yang digambar; pihak lain menjadi lane bila "
                                   "ikut mengerjakan langkah")
        for collaboration in list(root.iterchildren(BPMN + "collaboration")):
            if pool is not None and pool.getparent() is collaboration:
                for child in list(collaboration.iterchildren(etree.Element)):
                    if child is not pool and local(child) not in (
                            "documentation", "extensionElements", "textAnnotation", "association", "group"):
                        self.take_out(child)
            else:
                _remove(collaboration)
        for child in list(root.iterchildren(etree.Element)):
            if local(child) not in ("documentation", "extensionElements", "collaboration", "process", "category",
                                    "BPMNDiagram"):
                if local(child) not in QUIET:
                    self.take_out(child)
                else:
                    _remove(child)
        if pool is None:
            self.make_pool(root)

    def make_pool(self, root: etree._Element) -> None:
        """A pool around a process that has none: lanes are drawn in it."""
        collaboration = etree.Element(BPMN + "collaboration", id=self.taken.new("kolaborasi"))
        etree.SubElement(collaboration, BPMN + "participant", id=self.taken.new("pool"),
                         name=self.process.get("name", ""), processRef=self.process.get("id", ""))
        self.process.addprevious(collaboration)

    # Ids

    def ids(self, root: etree._Element) -> None:
        """Every element has an id of its own that the engine and addresses can carry."""
        taken: set[str] = set()
        renamed: dict[str, str] = {}
        for node in root.iter(BPMN + "*", BPMNDI + "*"):
            id = node.get("id")
            if id is None:
                if local(node) in NODES | {"process", "sequenceFlow", "lane", "participant"}:
                    node.set("id", self.taken.new(local(node)))
                    taken.add(node.get("id", ""))
                continue
            if gate.sound_id(id) and id not in taken:
                taken.add(id)
                continue
            plain = re.sub(r"[^A-Za-z0-9_.\-]", "_", id)[:80].replace(".BoundaryEvent", "_BoundaryEvent")
            plain = plain if re.match(r"[A-Za-z_]", plain) else f"id_{plain}"
            plain = plain.removesuffix(".EndJoin") if plain.endswith(".EndJoin") else plain
            new = self.taken.new(plain if gate.sound_id(plain) else f"id_{plain}")
            if node.tag.startswith(BPMN):
                if id not in taken:
                    renamed[id] = new
                if local(node) in NODES | {"process", "lane"}:
                    self.lose_node(node, f"Id {quoted(id)} menjadi {quoted(new)}: yang lama tidak dapat dipakai mesin "
                                         "atau dipakai dua kali.", "id")
            node.set("id", new)
            taken.add(new)
        if renamed:
            for node in root.iter(etree.Element):
                for name in ("sourceRef", "targetRef", "default", "attachedToRef", "processRef", "bpmnElement",
                             "categoryValueRef", "labelStyle"):
                    if node.get(name) in renamed:
                        node.set(name, renamed[node.get(name, "")])
                if node.tag in gate.TEXTS and node.text and node.text.strip() in renamed:
                    node.text = renamed[node.text.strip()]

    # Extensions

    def extensions(self, root: etree._Element) -> None:
        """Of Camunda's extensions the form and the properties are read; the others are said one by one."""
        for holder in root.iter(BPMN + "extensionElements"):
            for child in list(holder.iterchildren(etree.Element)):
                name = local(child)
                if child.tag.startswith(CAMUNDA) and name not in ("formData", "properties"):
                    why = WHY.get(name, "belum didukung")
                    self.lose_node(holder.getparent(), f"Camunda {quoted(name)} pada {_owner(child)} tidak dibawa: "
                                   f"{why}.{_held(child)}", f"camunda:{name}")
                    _remove(child)
            if not len(holder):
                _remove(holder)

    # Subprocesses

    def subprocesses(self, root: etree._Element) -> None:
        """An embedded subprocess that is drawn open stays one; another that one token runs through becomes its steps;
        the innermost first."""
        drawn = {one.get("bpmnElement") for plane in _planes(root)[:1] for one in plane}
        shapes = {one.get("bpmnElement"): one for plane in _planes(root)[:1]
                  for one in plane.iterchildren(BPMNDI + "BPMNShape")}
        boxes = _boxes(root) if self.well_drawn(root) else {}
        for inner in reversed(list(self.process.iter(*(BPMN + one for one in INSIDES)))):
            if inner.get("triggeredByEvent") == "true":
                if not gate.is_deadline(inner) or inner.getparent() is not self.process:
                    self.take_out(inner, "subproses peristiwa hanya didukung untuk tenggat" + _steps(inner))
            elif self.stays(inner, boxes) and shapes[inner.get("id")].get("isExpanded") != "false":
                shapes[inner.get("id")].set("isExpanded", "true")
                inner.attrib.pop("triggeredByEvent", None)
                self.kept.append(inner)
            elif self.is_plain(inner, drawn):
                self.flatten(inner)

    def levels(self) -> list[etree._Element]:
        """The process, and the subprocesses that stay in it."""
        return [self.process, *(one for one in self.kept if self.process in one.iterancestors())]

    def standing(self) -> list[etree._Element]:
        """Every flow node of every level, in document order."""
        kept = {*self.levels()}
        return [one for one in self.process.iterdescendants(BPMN + "*") if one.getparent() in kept
                and local(one) in NODES and one.get("triggeredByEvent") != "true"]

    def well_drawn(self, root: etree._Element) -> bool:
        """Whether the drawing can be kept: everything is drawn, and the lanes around it if there are any."""
        boxes = _boxes(root)
        lanes = [one for one in self.process.iterfind(f".//{BPMN}lane") if one.find(f".//{BPMN}lane") is None]
        around = [boxes[id] for one in lanes if (id := one.get("id", "")) in boxes]
        return len(around) == len(lanes) and all(
            (box := boxes.get(one.get("id", ""))) is not None and (
                not lanes or local(one) == "boundaryEvent" or sum(lane.holds(box.centre) for lane in around) == 1)
            for one in _nodes(self.process))

    def stays(self, inner: etree._Element, boxes: Mapping[str, Box]) -> bool:
        """Whether the gate lets a subprocess through as it is drawn, what stands in it aside."""
        nodes, id, around = _nodes(inner), inner.get("id", ""), inner.getparent()
        box = boxes.get(id)
        starts = [one for one in nodes if local(one) == "startEvent"]
        ways = [one for one in around.iterchildren(BPMN + "sequenceFlow") if one.get("sourceRef") == id]
        into = {one.get("targetRef") for one in inner.iterchildren(BPMN + "sequenceFlow")}
        return (local(inner) == "subProcess" and inner.get("isForCompensation") != "true" and box is not None
                and not any(local(one).endswith("LoopCharacteristics") for one in inner)
                and len(starts) == 1 and not _definitions(starts[0]) and len(ways) == 1
                and any(local(one) == "endEvent" for one in nodes)
                and all(_definitions(one) in ([], ["terminateEventDefinition"])
                        for one in nodes if local(one) == "endEvent")
                and all(one.get("id") in into for one in nodes if local(one) not in ("startEvent", "boundaryEvent"))
                and sum(1 for _ in inner.iterancestors(BPMN + "subProcess")) < gate.MOST_NESTED
                and all((own := boxes.get(one.get("id", ""))) is not None and (
                    local(one) == "boundaryEvent" or (box.holds((own.x, own.y), 1) and box.holds(
                        (own.x + own.width, own.y + own.height), 1))) for one in nodes))

    def is_plain(self, inner: etree._Element, drawn: set[str | None]) -> bool:
        around = inner.getparent()
        nodes = _nodes(inner)
        kinds = Counter(local(one) for one in nodes)
        id = inner.get("id")
        attached = any(one.get("attachedToRef") == id for one in around.iterchildren(BPMN + "boundaryEvent"))
        outgoing = [one for one in around.iterchildren(BPMN + "sequenceFlow") if one.get("sourceRef") == id]
        ends = [one for one in nodes if local(one) == "endEvent"]
        loops = any(local(one).endswith("LoopCharacteristics") for one in inner)
        splits = Counter(one.get("sourceRef") for one in inner.iterchildren(BPMN + "sequenceFlow"))
        forks = any(splits[one.get("id")] > 1 for one in nodes
                    if local(one) not in ("exclusiveGateway", "eventBasedGateway"))
        entries = [one for one in nodes if local(one) not in ("startEvent", "boundaryEvent") and not any(
            flow.get("targetRef") == one.get("id") for flow in inner.iterchildren(BPMN + "sequenceFlow"))]
        plain_events = all(not _definitions(one) for one in nodes if local(one) in ("startEvent", "endEvent"))
        return (local(inner) == "subProcess" and inner.get("isForCompensation") != "true" and not attached and not loops
                and kinds["startEvent"] == 1 and bool(ends) and plain_events and not entries
                and not (forks and len(ends) > 1) and len(outgoing) == 1
                and all(one.get("id") in drawn for one in nodes))

    def flatten(self, inner: etree._Element) -> None:
        around, id = inner.getparent(), inner.get("id", "")
        flows = list(around.iterchildren(BPMN + "sequenceFlow"))
        (after,) = [one for one in flows if one.get("sourceRef") == id]
        start = next(inner.iterchildren(BPMN + "startEvent"))
        first, *others = inner.iterchildren(BPMN + "endEvent")
        self.lose_node(inner, f"{gate.said(inner)} dibuka: langkah-langkah di dalamnya kini berdiri langsung di dalam "
                              "proses, dan batas subprosesnya tidak digambar lagi.")
        for one in (start, first):
            one.tag = BPMN + "exclusiveGateway"
        for flow in flows:
            if flow.get("targetRef") == id:
                flow.set("targetRef", start.get("id", ""))
                self.led.add(flow.get("id", ""))
        after.set("sourceRef", first.get("id", ""))
        self.led.add(after.get("id", ""))
        for end in others:
            for flow in inner.iterchildren(BPMN + "sequenceFlow"):
                if flow.get("targetRef") == end.get("id"):
                    flow.set("targetRef", first.get("id", ""))
                    self.led.add(flow.get("id", ""))
            _remove(end)
        self.relane(id, [one.get("id", "") for one in _nodes(inner)])
        for child in list(inner.iterchildren(etree.Element)):
            if local(child) in ("laneSet", "incoming", "outgoing", "documentation", "extensionElements"):
                continue
            inner.addprevious(child)
        _remove(inner)

    def relane(self, old: str, new: list[str]) -> None:
        for reference in list(self.process.iter(BPMN + "flowNodeRef")):
            if (reference.text or "").strip() == old:
                for id in new:
                    one = etree.Element(BPMN + "flowNodeRef")
                    one.text = id
                    reference.addnext(one)
                _remove(reference)

    # Activities

    def activities(self, root: etree._Element) -> None:
        for node in self.standing():
            name = local(node)
            if name not in TASKS or node in self.kept or self.process not in node.iterancestors():
                continue
            held = [f"{local_name(one)} = {value}" for one, value in node.attrib.items()
                    if local_name(one) in CALLS
                    and value not in ("##unspecified", "##WebService")]
            script = next((one.text.strip() for one in node.iterchildren(BPMN + "script") if one.text), "")
            inside = _steps(node) if name in INSIDES else ""
            self.lose_node(node, f"{gate.said(node)} ({TASKS[name]}) menjadi user task, yang diselesaikan oleh orang."
                                 f"{_short(', '.join(held))}{_short(script)}{inside}")
            if name in INSIDES:
                self.tell_inside(node)
            node.tag = BPMN + "userTask"
            for one in list(node.iterchildren(BPMN + "script")):
                _remove(one)
            for attribute in list(node.attrib):
                if local_name(attribute) in CALLS or attribute == "triggeredByEvent":
                    del node.attrib[attribute]

    def tell_inside(self, node: etree._Element) -> None:
        """The steps of a subprocess that becomes one task, in its documentation; then they go."""
        names = _names(node)
        for child in list(node.iterchildren(etree.Element)):
            if local(child) not in ("documentation", "extensionElements", "incoming", "outgoing") and not local(
                    child).endswith("LoopCharacteristics"):
                _remove(child)
        if not names:
            return
        documentation = next(node.iterchildren(BPMN + "documentation"), None)
        if documentation is None:
            documentation = etree.Element(BPMN + "documentation")
            node.insert(0, documentation)
        said = "Langkah di dalamnya: " + "; ".join(names)
        before = "".join(documentation.itertext()).strip()
        documentation.text = f"{before}\n{said}".strip()[:gate.MOST_VALUE]

    # Events

    def events(self, root: etree._Element) -> None:
        for level in self.levels():
            self.links(level)
        for node in self.standing():
            name, kinds = local(node), _definitions(node)
            if name not in ("startEvent", "endEvent", "intermediateThrowEvent", "intermediateCatchEvent",
                            "boundaryEvent"):
                continue
            keep = {"endEvent": ("terminateEventDefinition",), "intermediateCatchEvent": ("timerEventDefinition",),
                    "boundaryEvent": ("timerEventDefinition",)}.get(name, ())
            strange = [one for one in kinds if one not in keep]
            if len(kinds) > 1 or strange:
                for child in list(node.iterchildren(etree.Element)):
                    if local(child).endswith(("EventDefinition", "eventDefinitionRef")) and (
                            local(child) not in keep or len(kinds) > 1):
                        _remove(child)
            said, who = ", ".join(EVENTS.get(one, one) for one in kinds), gate.said(node)
            if name in ("startEvent", "endEvent") and strange:
                self.lose_node(node, f"{gate.said(node)} menunggu atau mengirim {said}, yang belum didukung: menjadi "
                                     f"{'mulai' if name == 'startEvent' else 'akhir'} biasa.")
            elif name == "boundaryEvent" and (strange or not kinds):
                self.lose_node(node, f"{gate.said(node)} menunggu {said or 'sesuatu'}, yang belum didukung: gambarnya "
                                     "tetap ada dan menunggu Anda beri timer atau hapus.")
            elif (name == "intermediateThrowEvent" and kinds) or (name == "intermediateCatchEvent" and (
                    strange or not kinds or len(kinds) > 1)):
                verb = "mengirim" if name == "intermediateThrowEvent" else "menunggu"
                node.tag = BPMN + "userTask"
                self.lose_node(node, f"{who} ({verb} {said or 'sesuatu'}) menjadi user task: orang mencatat kejadian "
                                     "itu.", name)

    def links(self, level: etree._Element) -> None:
        """A pair of link events is a flow between two gateways that are only passed."""
        throws, catches = dict[str, list[etree._Element]](), dict[str, etree._Element]()
        for node in level.iterchildren(BPMN + "intermediateThrowEvent", BPMN + "intermediateCatchEvent"):
            link = node.find(BPMN + "linkEventDefinition")
            if link is not None and len(_definitions(node)) == 1:
                name = (link.get("name") or node.get("name") or "").strip()
                if local(node) == "intermediateThrowEvent":
                    throws.setdefault(name, []).append(node)
                else:
                    catches[name] = node
        for name, catch in catches.items():
            for throw in throws.get(name, []):
                flow = etree.SubElement(level, BPMN + "sequenceFlow", sourceRef=throw.get("id", ""),
                                        targetRef=catch.get("id", ""))
                flow.set("id", self.taken.new(f"tautan_{throw.get('id')}"))
                self.lose_node(throw, f"Tautan {quoted(name)} menjadi panah biasa.", "linkEventDefinition")
            for node in (*throws.get(name, []), *([catch] if throws.get(name) else [])):
                for one in list(node.iterchildren(BPMN + "linkEventDefinition")):
                    _remove(one)
                node.tag = BPMN + "exclusiveGateway"

    def gateways(self, root: etree._Element) -> None:
        """A default is read only of a gateway that chooses; of an event-based one what it waits for stays drawn."""
        for node in self.standing():
            if node.get("default") and node.tag not in gate.DECIDING:
                if local(node) not in LEFT:
                    self.lose_node(node, f"Jalan bawaan pada {gate.said(node)} tidak dibawa: jalan dipilih di gateway "
                                         "eksklusif.", "default")
                del node.attrib["default"]
        outgoing = Counter(one.get("sourceRef") for one in self.process.iter(BPMN + "sequenceFlow"))
        for node in self.process.iter(*gate.DECIDING):
            if node.get("default") and outgoing[node.get("id")] < 2:
                del node.attrib["default"]              # a choice of one is none

    # Conditions and times

    def conditions(self, root: etree._Element) -> None:
        for node in list(self.process.iter(BPMN + "conditionExpression", *(BPMN + one for one in gate.TIMER_KINDS))):
            text = "".join(node.itertext()).strip()
            for child in list(node):
                _remove(child)
            node.text = text
            if not text:
                if local(node) == "conditionExpression":
                    _remove(node)               # it says nothing
                continue
            self.expression(node, text)
        for timer in list(self.process.iter(BPMN + "timerEventDefinition")):
            if not any((one.text or "").strip() for one in timer):
                self.lose_node(timer, f"Timer pada {_owner(timer)} tidak menyebut lamanya. Isi lamanya, misalnya P2D.")

    def expression(self, node: etree._Element, text: str) -> None:
        feel = feel_of(text)
        language = node.get("language", "")
        if feel is not None:
            node.text = f"={feel}"
            node.attrib.pop("language", None)
            self.lose_node(node, f"Ungkapan {quoted(text)} pada {_owner(node)} menjadi FEEL: {quoted('=' + feel)}.")
        elif local(node) != "conditionExpression" and not text.startswith(("$", "#", "=")):
            node.attrib.pop("language", None)   # a duration or date is the same in every language
        elif re.match(r"[$#]\{", text) or (language and "feel" not in language.casefold()):
            self.lose_node(node, f"Ungkapan {quoted(text, SHORT)} pada {_owner(node)} tidak dapat dijadikan FEEL "
                                 "dengan arti yang persis sama, sehingga dibiarkan. Tulis ulang, misalnya =keputusan "
                                 "= \"setujui\".")

    # Lanes

    def lanes(self, root: etree._Element) -> None:
        sets = list(self.process.iterchildren(BPMN + "laneSet"))
        leaves: list[tuple[etree._Element, str]] = [leaf for one in sets for leaf in self.leaves(one, "")]
        if leaves:
            first = sets[0]
            for one in sets[1:]:
                _remove(one)
            for child in list(first):
                if local(child) == "lane":
                    first.remove(child)
            for leaf, name in leaves:
                leaf.set("name", name)
                first.append(leaf)
        else:
            for one in sets:
                _remove(one)
            first = etree.Element(BPMN + "laneSet", id=self.taken.new("lanes"))
            pool = root.find(f"{BPMN}collaboration/{BPMN}participant")
            name = (pool.get("name", "") if pool is not None else "").strip() or "Pelaksana"
            etree.SubElement(first, BPMN + "lane", id=self.taken.new("pelaksana"), name=name)
            place = next((n for n, one in enumerate(self.process) if local(one) not in (
                "documentation", "extensionElements")), len(self.process))
            self.process.insert(place, first)
            self.lose_node(self.process, f"Proses ini tidak mempunyai lane: semua langkah diletakkan di satu lane "
                                         f"{quoted(name)}. Bagi menurut pelaksananya.", "laneSet")
        self.house(root, list(first.iterchildren(BPMN + "lane")))

    def leaves(self, lanes: etree._Element, above: str) -> Iterator[tuple[etree._Element, str]]:
        """The lanes that hold no lanes, with their names; what they stand in goes before the name."""
        for lane in lanes.iterchildren(BPMN + "lane"):
            name = " ".join(lane.get("name", "").split())
            inside = [one for one in lane.iterchildren(BPMN + "childLaneSet") if len(one)]
            if inside:
                self.lose_node(lane, f"Lane {quoted(name)} yang memuat lane lain tidak dibawa: yang di dalamnya "
                                     "berdiri sejajar dan menyebut namanya.", "childLaneSet")
                for one in inside:
                    yield from self.leaves(one, f"{above}{name} / " if name else above)
            else:
                yield lane, f"{above}{name}".strip()

    def house(self, root: etree._Element, lanes: list[etree._Element]) -> None:
        """Every node in one lane: the one that it is drawn in, else that names it, else the first. What stands in a
        subprocess is named only where that says something."""
        boxes = _boxes(root)
        nodes = {one.get("id", ""): one for one in self.standing()}
        within = {id: one.getparent().get("id", "") for id, one in nodes.items() if one.getparent() is not self.process}
        home: dict[str, etree._Element] = {}
        for lane in lanes:
            for reference in list(lane.iterchildren(BPMN + "flowNodeRef")):
                home.setdefault((reference.text or "").strip(), lane)
                _remove(reference)
        drawn_in = {id: [lane for lane in lanes if (around := boxes.get(lane.get("id", ""))) is not None
                         and around.holds(boxes[id].centre)] for id in nodes if id in boxes}
        names = Counter(gate.folded(one.get("name", "")) for one in lanes)
        for n, lane in enumerate(lanes, 1):
            if not gate.folded(lane.get("name", "")):
                lane.set("name", f"Pelaksana {n}" if len(lanes) > 1 else "Pelaksana")
                self.lose_node(lane, f"Lane tanpa nama diberi nama {quoted(lane.get('name', ''))}. Tulis nama "
                                     "pelaksananya.", "lane")
            elif names[gate.folded(lane.get("name", ""))] > 1:
                lane.set("name", f"{lane.get('name', '')} ({n})")
                self.lose_node(lane, f"Nama lane yang dipakai dua kali menjadi {quoted(lane.get('name', ''))}.", "lane")
        silent = {id for id in within if nodes[id].get("attachedToRef") in nodes and id not in home}
        for id, node in nodes.items():
            host = node.get("attachedToRef")
            if host in nodes:
                continue
            seen = drawn_in.get(id, [])
            lane = home.get(id)
            if len(seen) == 1 and (id not in within or lane is not None or seen[0] is not home.get(within[id])):
                lane = seen[0]
            if lane is None and id in within:
                home[id] = home[within[id]]
                silent.add(id)
                continue
            home[id] = lane if lane is not None and lane in lanes else lanes[0]
        for id, node in nodes.items():
            if id in silent:
                continue
            lane = home.get(node.get("attachedToRef", ""), home.get(id, lanes[0]))
            reference = etree.SubElement(lane, BPMN + "flowNodeRef")
            reference.text = id

    # What connects, and what is only written beside it

    def flows_and_notes(self, root: etree._Element) -> None:
        for level in self.levels():
            ids = {one.get("id") for one in _nodes(level)}
            for flow in list(level.iterchildren(BPMN + "sequenceFlow")):
                if flow.get("sourceRef") not in ids or flow.get("targetRef") not in ids:
                    self.take_out(flow, "unsur asal atau tujuannya tidak dibawa, atau berada di tingkat lain")
        for node in self.standing():
            for child in list(node.iterchildren(BPMN + "incoming", BPMN + "outgoing")):
                _remove(child)
        nodes = {one.get("id"): one for one in self.standing()}
        for level in self.levels():
            for flow in level.iterchildren(BPMN + "sequenceFlow"):
                for name, tag in (("targetRef", "incoming"), ("sourceRef", "outgoing")):
                    _link(nodes[flow.get(name)], tag, flow.get("id", ""))
        for level in self.levels():
            own = {"laneSet"} if level is self.process else {"incoming", "outgoing"}
            for node in list(level.iterchildren(etree.Element)):
                if local(node) not in NODES | own | {"sequenceFlow", "documentation", "extensionElements",
                                                     "textAnnotation", "association", "group"}:
                    if local(node) in QUIET:
                        _remove(node)
                    else:
                        self.take_out(node)
            order = {"documentation": 0, "extensionElements": 1, "laneSet": 2, "incoming": 2, "outgoing": 2,
                     "textAnnotation": 4, "association": 4, "group": 4}
            for node in sorted(level.iterchildren(etree.Element), key=lambda one: order.get(local(one), 3)):
                level.append(node)              # as the standard has it: what is written beside the flow comes last
        known = {one.get("id") for one in root.iter(BPMN + "*")}
        for node in list(root.iter(BPMN + "association")):
            if node.get("sourceRef") not in known or node.get("targetRef") not in known:
                self.take_out(node, "yang dihubungkannya tidak dibawa")
        values = {one.get("id") for one in root.iter(BPMN + "categoryValue")}
        for node in root.iter(BPMN + "group"):
            if node.get("categoryValueRef") not in values:
                node.attrib.pop("categoryValueRef", None)

    def names(self, root: etree._Element) -> None:
        pool = root.find(f"{BPMN}collaboration/{BPMN}participant")
        if pool is not None and not pool.get("name", "").strip():
            pool.attrib.pop("name", None)
        if not gate.process_name(self.process):
            stem = re.split(r"[/\\]", self.file)[-1].rpartition(".")[0].strip()
            name = (root.get("name", "").strip() or stem or "Proses impor")[:200]
            self.process.set("name", name)
            self.lose_node(self.process, f"Proses belum bernama; dinamai {quoted(name)}. Tulis nama SOP-nya.", "name")
        if pool is not None and not pool.get("name"):
            pool.set("name", gate.process_name(self.process))

    # Only what we read

    def grammar(self, root: etree._Element) -> None:
        """Takes out whatever is left that the gate does not read; what no gate would say stands in the list."""
        kept, levels = frozenset(BPMN + one for one in LEFT), {*self.levels()}
        waiting = [root]
        while waiting:
            node = waiting.pop()
            left = node.tag in kept
            attributes, children = GRAMMAR[BPMN + "exclusiveGateway" if left else node.tag]
            for name in list(node.attrib):
                self.attribute(node, name, attributes)
            if node.tag in gate.TEXTS:
                if len(node):
                    node.text = " ".join("".join(node.itertext()).split())
                    for child in list(node):
                        _remove(child)
                continue
            self.loose_text(node)
            once: set[str] = set()
            for child in list(node.iterchildren(etree.Element)):
                if child.tag not in children and not (child.tag in kept and node in levels):
                    if local(child) in QUIET or child.tag.startswith((DI, DC)):
                        _remove(child)
                    elif child.tag.startswith(BPMNDI):
                        self.strange(child, child.tag)
                        _remove(child)
                    else:
                        self.take_out(child)
                elif child.tag in once and child.tag in gate.ONCE:
                    if local(child) != "BPMNDiagram":       # the drawing has its own rule
                        self.take_out(child, "hanya satu yang dibaca")
                    else:
                        waiting.append(child)
                else:
                    once.add(child.tag)
                    waiting.append(child)

    def attribute(self, node: etree._Element, name: str, known: Iterable[str]) -> None:
        word, value = local_name(name), node.get(name, "")
        allowed = name in known or (node.tag == BPMN + "definitions" and name.startswith((MODELER, ZEEBE)))
        if DEFAULTS.get(name) == value:
            del node.attrib[name]
            return
        if allowed and not (name in gate.VALUES and value not in gate.VALUES[name]):
            return
        del node.attrib[name]
        if word in QUIET and word != "isForCompensation":
            return
        if word == "isForCompensation" and value != "true":
            return
        if name.startswith("{") and not name.startswith((CAMUNDA, BPMN, XSI)):
            self.strange(node, name)
        elif name.startswith(XSI) or node.tag.startswith((BPMNDI, DC, DI)):
            return
        else:
            why = WHY.get(word, "belum didukung")
            prefix = "camunda:" if name.startswith(CAMUNDA) else ""
            self.lose_node(node, f"Atribut {quoted(prefix + word)} = {quoted(value)} pada {gate.said(node)} tidak "
                                 f"dibawa: {why}.", prefix + word)

    def loose_text(self, node: etree._Element) -> None:
        if (node.text and node.text.strip()) or any(one.tail and one.tail.strip() for one in node):
            self.lose_node(node, f"Teks lepas di dalam {gate.said(node)} tidak dibawa.", "text")
        node.text = None
        for one in node:
            one.tail = None

    # The drawing

    def drawing(self, root: etree._Element) -> None:
        planes = _planes(root)
        for one in list(root.iterchildren(BPMNDI + "BPMNDiagram")):
            if not planes or one is not planes[0].getparent():
                _remove(one)
        collaboration = root.find(BPMN + "collaboration")
        if not planes:
            drawn = etree.SubElement(root, BPMNDI + "BPMNDiagram", id=self.taken.new("gambar"))
            planes = [etree.SubElement(drawn, BPMNDI + "BPMNPlane", id=self.taken.new("bidang"))]
        plane = planes[0]
        plane.set("bpmnElement", collaboration.get("id", "") if collaboration is not None else "")
        if collaboration is not None and not collaboration.get("id"):
            collaboration.set("id", self.taken.new("kolaborasi"))
            plane.set("bpmnElement", collaboration.get("id", ""))
        _Drawing(self, root, plane, self.process).draw()


# ---------------------------------------------------------------------------------------------------------------------
# Drawing
# ---------------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2

    def holds(self, point: tuple[float, float], margin: float = 0) -> bool:
        return (self.x - margin <= point[0] <= self.x + self.width + margin
                and self.y - margin <= point[1] <= self.y + self.height + margin)

    def meets(self, other: Box) -> bool:
        return (self.x < other.x + other.width and other.x < self.x + self.width
                and self.y < other.y + other.height and other.y < self.y + self.height)


SIZES = {"userTask": (120.0, 80.0), "startEvent": (36.0, 36.0), "endEvent": (36.0, 36.0), "boundaryEvent": (36.0, 36.0),
         "intermediateCatchEvent": (36.0, 36.0)}
GATEWAY = (50.0, 50.0)
COLUMN, ROW, HEADER, EDGE = 180.0, 130.0, 30.0, 40.0
FARTHEST = 900_000.0            # of the gate's six digits


class _Drawing:
    """The picture of a process whose tree is done: what is drawn stays, what is missing is drawn."""

    def __init__(self, importing: _Import, root: etree._Element, plane: etree._Element, process: etree._Element):
        self.it, self.root, self.plane, self.process = importing, root, plane, process
        self.nodes = {one.get("id", ""): one for one in importing.standing()}
        self.lanes = list(process.iterfind(f"{BPMN}laneSet/{BPMN}lane"))
        self.flows = {one.get("id", ""): one for level in importing.levels()
                      for one in level.iterchildren(BPMN + "sequenceFlow")}
        self.pool = root.find(f"{BPMN}collaboration/{BPMN}participant")
        self.drawn: dict[str, etree._Element] = {}      # what the plane draws, by BPMN id

    def draw(self) -> None:
        self.clean()
        self.drawn = {one.get("bpmnElement", ""): one for one in self.plane}
        boxes = _boxes(self.root)
        if any(id not in boxes for id in self.nodes):
            if boxes:
                self.it.lose(None, self.plane.sourceline or 0, "BPMNShape",
                             "Sebagian unsur tidak tergambar di dalam berkas, sehingga seluruh gambar disusun baru.")
            else:
                self.it.lose(None, 0, "BPMNDiagram", "Berkas tidak memuat gambar: gambarnya disusun baru.")
            self.anew()
            return
        self.grow(boxes)
        self.around(boxes)
        self.edges(boxes)

    def clean(self) -> None:
        """Only shapes and edges of what there is, each once, with numbers that are numbers."""
        known = {one.get("id") for one in self.root.iter(BPMN + "*")}
        inside = {*self.nodes, *(one.get("id") for one in self.lanes)}
        seen: set[str] = set()
        for node in list(self.plane):
            id = node.get("bpmnElement", "")
            if id not in known or id in seen or node.tag not in (BPMNDI + "BPMNShape", BPMNDI + "BPMNEdge"):
                _remove(node)
                continue
            for one in list(node.iter(DC + "Bounds", DI + "waypoint")):
                if not _plain_numbers(one):
                    _remove(one)
            for label in list(node.iterchildren(BPMNDI + "BPMNLabel")):
                if label.find(DC + "Bounds") is None:
                    _remove(label)
            is_shape = node.tag == BPMNDI + "BPMNShape"
            if (is_shape and node.find(DC + "Bounds") is None) or (
                    not is_shape and len(node.findall(DI + "waypoint")) < 2) or (id in inside and not is_shape):
                _remove(node)
                continue
            seen.add(id)
        styles = {one.get("id") for one in self.root.iter(BPMNDI + "BPMNLabelStyle")}
        for node in self.root.iter(BPMNDI + "BPMNLabel"):
            if node.get("labelStyle") not in styles:
                node.attrib.pop("labelStyle", None)
        for node in self.plane:
            if not node.get("id"):
                node.set("id", self.it.taken.new("gambar"))

    def grow(self, boxes: dict[str, Box]) -> None:
        """What became a user task is drawn as large as one, where there is room."""
        for id, node in self.nodes.items():
            box = boxes[id]
            if local(node) != "userTask" or box.width >= 60:
                continue
            width, height = 100.0, 80.0
            x, y = box.centre
            wish = Box(x - width / 2, y - height / 2, width, height)
            around = {one.get("id") for one in node.iterancestors(BPMN + "subProcess")}
            if not any(wish.meets(other) for one, other in boxes.items()
                       if one != id and one in self.nodes and one not in around):
                boxes[id] = wish
                self.shape(id, wish)

    def around(self, boxes: dict[str, Box]) -> None:
        """The pool and its lanes: kept where every node stands in its lane as drawn, else drawn around the nodes."""
        lanes = [one.get("id", "") for one in self.lanes]
        pool = self.pool.get("id", "") if self.pool is not None else ""
        homes = {(ref.text or "").strip(): lane.get("id", "") for lane in self.lanes
                 for ref in lane.iterchildren(BPMN + "flowNodeRef")}
        fits = all(lane in boxes for lane in lanes) and all(
            local(node) == "boundaryEvent" or id not in homes or [
                lane for lane in lanes if boxes[lane].holds(boxes[id].centre)] == [homes[id]]
            for id, node in self.nodes.items())
        if not fits and len(lanes) > 1:
            self.it.lose(None, self.plane.sourceline or 0, "lane", (
                "Lane tidak tergambar di sekeliling langkahnya, sehingga seluruh gambar disusun baru."))
            self.anew()
            boxes.clear()
            boxes.update(_boxes(self.root))
            return
        if not fits:
            hull = _around(boxes[id] for id in self.nodes)
            lane = Box(hull.x - EDGE, hull.y - EDGE, hull.width + 2 * EDGE, hull.height + 2 * EDGE)
            whole = boxes.get(pool)
            if whole is not None and self.drawn[pool].get("isHorizontal") != "false":
                inner = Box(whole.x + HEADER, whole.y, whole.width - HEADER, whole.height)
                if all(inner.holds(boxes[id].centre) for id in self.nodes):
                    lane = inner            # the pool as it was drawn has room for it
            self.shape(lanes[0], lane, horizontal=True)
            boxes[lanes[0]] = lane
        hull = _around(boxes[id] for id in lanes)
        drawn = boxes.get(pool)
        if drawn is None or not (drawn.holds((hull.x, hull.y), 1) and drawn.holds(
                (hull.x + hull.width, hull.y + hull.height), 1)):
            boxes[pool] = Box(hull.x - HEADER, hull.y, hull.width + HEADER, hull.height)
            self.shape(pool, boxes[pool], horizontal=True)
        # The pool first, then its lanes: what is drawn later lies above.
        for id in reversed([pool, *lanes]):
            shape = self.drawn.get(id)
            if shape is not None:
                self.plane.insert(0, shape)

    def edges(self, boxes: dict[str, Box]) -> None:
        """An edge whose end does not touch what it connects is drawn anew, and one that is missing."""
        drawn = {one.get("bpmnElement", ""): one for one in self.plane.iterchildren(BPMNDI + "BPMNEdge")}
        for id, flow in self.flows.items():
            source, target = boxes[flow.get("sourceRef", "")], boxes[flow.get("targetRef", "")]
            edge = drawn.get(id)
            if edge is not None:
                points = [(float(one.get("x", "0")), float(one.get("y", "0"))) for one in edge.iterchildren(
                    DI + "waypoint")]
                if source.holds(points[0], gate.EDGE) and target.holds(points[-1], gate.EDGE):
                    if id in self.it.led:       # near enough to be let through, but drawn to what is no longer there
                        before = [] if source.holds(points[0], 1) else [_border(source, points[0])]
                        behind = [] if target.holds(points[-1], 1) else [_border(target, points[-1])]
                        self.edge(id, [*before, *points, *behind])
                    continue
            self.edge(id, _straight(source, target))

    # Anew

    def anew(self) -> None:
        """Lanes one below the other, nodes from left to right by how far they are from the start."""
        for node in list(self.plane):
            if node.get("bpmnElement") in self.nodes or local(node) == "BPMNEdge":
                self.drawn.pop(node.get("bpmnElement", ""), None)
                _remove(node)
        notes = [one for one in self.plane if one.tag == BPMNDI + "BPMNShape"]
        ranks = self.ranks()
        homes = {(ref.text or "").strip(): n for n, lane in enumerate(self.lanes)
                 for ref in lane.iterchildren(BPMN + "flowNodeRef")}
        rows: Counter[tuple[int, int]] = Counter()
        slot: dict[str, int] = {}
        for id, node in self.nodes.items():
            if local(node) != "boundaryEvent":
                place = homes.get(id, 0), ranks[id]
                slot[id] = rows[place]
                rows[place] += 1
        tall = [max([1, *(count for (lane, _), count in rows.items() if lane == n)]) for n in range(len(self.lanes))]
        tops = [EDGE * 2 + sum(tall[:n]) * ROW for n in range(len(self.lanes))]
        left = EDGE * 4 + 2 * HEADER
        boxes: dict[str, Box] = {}
        for id in slot:
            width, height = SIZES.get(local(self.nodes[id]), GATEWAY)
            x = left + ranks[id] * COLUMN + COLUMN / 2
            y = tops[homes.get(id, 0)] + slot[id] * ROW + ROW / 2
            boxes[id] = Box(x - width / 2, y - height / 2, width, height)
        self.hang(boxes)
        right = left + (max(ranks.values(), default=0) + 1) * COLUMN + EDGE
        pool_box = Box(EDGE * 4, EDGE * 2, right - EDGE * 4, sum(tall) * ROW)
        if self.pool is not None:
            self.shape(self.pool.get("id", ""), pool_box, horizontal=True)
        for n, lane in enumerate(self.lanes):
            self.shape(lane.get("id", ""), Box(pool_box.x + HEADER, tops[n], pool_box.width - HEADER, tall[n] * ROW),
                       horizontal=True)
        for id, box in boxes.items():
            self.shape(id, box)
        bottom = pool_box.y + pool_box.height
        for id, flow in self.flows.items():
            source, target = flow.get("sourceRef", ""), flow.get("targetRef", "")
            self.edge(id, self.way(boxes, source, target, ranks, bottom))
        notes_left = pool_box.x
        for one in notes:                       # notes stand below the pool, side by side
            if one.get("bpmnElement") not in {lane.get("id") for lane in self.lanes} | {
                    self.pool.get("id") if self.pool is not None else ""}:
                note = _box(one)
                if note is not None:
                    self.shape(one.get("bpmnElement", ""), replace(note, x=notes_left, y=bottom + 2 * EDGE))
                    notes_left += note.width + EDGE
        boxes |= {id: box for id, box in _boxes(self.root).items() if id not in boxes}
        for one in self.root.iter(BPMN + "association"):
            source_box, target_box = boxes.get(one.get("sourceRef", "")), boxes.get(one.get("targetRef", ""))
            if source_box and target_box:
                self.edge(one.get("id", ""), _straight(source_box, target_box))

    def ranks(self) -> dict[str, int]:
        """How many flows a node is from a start, along the first way that comes there."""
        after: dict[str, list[str]] = {id: [] for id in self.nodes}
        entered: set[str] = set()
        for flow in self.flows.values():
            after[flow.get("sourceRef", "")].append(flow.get("targetRef", ""))
            entered.add(flow.get("targetRef", ""))
        hung: dict[str, list[str]] = {}
        for id, node in self.nodes.items():
            if (host := node.get("attachedToRef")) in self.nodes:
                hung.setdefault(host, []).append(id)
        found: dict[str, int] = {}
        starts = [id for id, node in self.nodes.items() if local(node) == "startEvent"]
        starts += [id for id, node in self.nodes.items() if id not in entered and local(node) != "boundaryEvent"]
        for start in [*starts, *self.nodes]:
            ahead = [start] if start not in found else []
            found.setdefault(start, 0)
            while ahead:
                later: list[str] = []
                for id in ahead:
                    for one in hung.get(id, []):
                        if one not in found:
                            found[one] = found[id]
                            later.append(one)
                    for one in after[id]:
                        if one not in found:
                            found[one] = found[id] + 1
                            later.append(one)
                ahead = later
        return found

    def hang(self, boxes: dict[str, Box]) -> None:
        """Boundary events on the lower edge of what they are attached to, side by side."""
        count: Counter[str] = Counter()
        for id, node in self.nodes.items():
            if local(node) != "boundaryEvent":
                continue
            host = node.get("attachedToRef", "")
            around = boxes.get(host, Box(EDGE * 5, EDGE * 3, 120, 80))
            width, height = SIZES["boundaryEvent"]
            x = around.x + around.width - 30 - 26 * (count[host] % 4)
            boxes[id] = Box(x - width / 2, around.y + around.height - height / 2, width, height)
            count[host] += 1

    def way(self, boxes: dict[str, Box], source: str, target: str, ranks: dict[str, int],
            bottom: float) -> list[tuple[float, float]]:
        a, b = boxes[source], boxes[target]
        if ranks[target] > ranks[source] and local(self.nodes[source]) != "boundaryEvent":
            middle = b.x - (COLUMN - b.width) / 4
            straight = a.centre[1] == b.centre[1]
            return [(a.x + a.width, a.centre[1]), *([] if straight else [(middle, a.centre[1]), (middle, b.centre[1])]),
                    (b.x, b.centre[1])]
        return [(a.centre[0], a.y + a.height), (a.centre[0], bottom - 8), (b.centre[0], bottom - 8),
                (b.centre[0], b.y + b.height)]

    # Writing

    def shape(self, id: str, box: Box, horizontal: bool = False) -> None:
        found = self.drawn.get(id)
        if found is None:
            found = self.drawn[id] = etree.SubElement(
                self.plane, BPMNDI + "BPMNShape", id=self.it.taken.new(f"{id}_di"), bpmnElement=id)
            if horizontal:
                found.set("isHorizontal", "true")
            if id in self.nodes and local(self.nodes[id]) == "exclusiveGateway":
                found.set("isMarkerVisible", "true")
        for one in list(found.iterchildren(DC + "Bounds", BPMNDI + "BPMNLabel")):
            _remove(one)
        bounds = etree.Element(DC + "Bounds")
        for name, value in (("x", box.x), ("y", box.y), ("width", box.width), ("height", box.height)):
            bounds.set(name, _number(value))
        found.insert(0, bounds)

    def edge(self, id: str, points: list[tuple[float, float]]) -> None:
        found = self.drawn.get(id)
        if found is None:
            found = self.drawn[id] = etree.SubElement(
                self.plane, BPMNDI + "BPMNEdge", id=self.it.taken.new(f"{id}_di"), bpmnElement=id)
        for one in list(found):
            _remove(one)
        for x, y in points:
            etree.SubElement(found, DI + "waypoint", x=_number(x), y=_number(y))


def _straight(source: Box, target: Box) -> list[tuple[float, float]]:
    """From the edge of one box to the edge of the other, on the line between their middles."""
    return [_border(source, target.centre), _border(target, source.centre)]


def _border(box: Box, towards: tuple[float, float]) -> tuple[float, float]:
    (x, y), (tx, ty) = box.centre, towards
    dx, dy = tx - x, ty - y
    if dx == dy == 0:
        return box.x + box.width, y
    scale = min(box.width / 2 / abs(dx) if dx else 1e9, box.height / 2 / abs(dy) if dy else 1e9)
    return x + dx * scale, y + dy * scale


def _planes(root: etree._Element) -> list[etree._Element]:
    """The planes of a file, the one that draws most in front."""
    planes = list(root.iterfind(f"{BPMNDI}BPMNDiagram/{BPMNDI}BPMNPlane"))
    return sorted(planes, key=len, reverse=True)


def _boxes(root: etree._Element) -> dict[str, Box]:
    found: dict[str, Box] = {}
    for plane in _planes(root)[:1]:
        for shape in plane.iterchildren(BPMNDI + "BPMNShape"):
            box = _box(shape)
            if box is not None:
                found.setdefault(shape.get("bpmnElement", ""), box)
    return found


def _box(shape: etree._Element) -> Box | None:
    bounds = shape.find(DC + "Bounds")
    if bounds is None:
        return None
    try:
        box = Box(*(float(bounds.get(name, "")) for name in ("x", "y", "width", "height")))
    except ValueError:
        return None
    return box if box.width >= gate.SMALLEST and box.height >= gate.SMALLEST else None


def _plain_numbers(node: etree._Element) -> bool:
    """Writes the numbers of a drawing as plain decimals. False where one is none, or far away."""
    for name in ("x", "y", "width", "height") if node.tag == DC + "Bounds" else ("x", "y"):
        try:
            value = float(node.get(name, ""))
        except ValueError:
            return False
        if not abs(value) < FARTHEST:           # not a number neither
            return False
        node.set(name, _number(value))
    return True


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.3f}".rstrip("0").rstrip(".")


def _around(boxes: Iterable[Box]) -> Box:
    found = list(boxes)
    left, top = min(one.x for one in found), min(one.y for one in found)
    right, bottom = max(one.x + one.width for one in found), max(one.y + one.height for one in found)
    return Box(left, top, right - left, bottom - top)


# ---------------------------------------------------------------------------------------------------------------------
# JUEL that FEEL says too
# ---------------------------------------------------------------------------------------------------------------------

_JUEL = re.compile(r"""\s*(?:(?P<number>\d{1,15}(?:\.\d{1,12})?)|(?P<text>'[^'\\"]{0,200}'|"[^"\\]{0,200}")
    |(?P<sign>==|!=|<=|>=|&&|\|\||[<>!()])|(?P<word>[A-Za-z_][A-Za-z0-9_]{0,99}))""", re.VERBOSE)
_SIGNS = {"==": "=", "eq": "=", "!=": "!=", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">=", "<": "<",
          ">": ">", "<=": "<=", ">=": ">="}
_RESERVED = {"empty", "div", "mod", "instanceof", "and", "or", "not", *_SIGNS, *RESERVED_NAMES} - {
    "true", "false", "null"}


def feel_of(text: str) -> str | None:
    """The FEEL that says exactly what a JUEL expression `${...}` says; None where none does, or we cannot tell.

    Names, literals, comparisons, and, or, not. No members, calls, arithmetic and ternaries: what they mean depends on
    Java. A text that looks like a number is compared by JUEL as one, by FEEL never.
    """
    inside = re.fullmatch(r"\s*[$#]\{([^{}]*)\}\s*", text)
    if inside is None or len(text) > 1_000:
        return None
    tokens: list[tuple[str, str]] = []
    place, source = 0, inside[1].rstrip()
    while place < len(source):
        found = _JUEL.match(source, place)
        if found is None:
            return None
        tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
        place = found.end()
    return _Juel(tokens).whole() if 0 < len(tokens) <= 100 else None


class _Juel:
    """A parser of the part of JUEL that has an exact counterpart."""

    def __init__(self, tokens: list[tuple[str, str]]):
        self.tokens, self.place, self.depth = tokens, 0, 0

    def whole(self) -> str | None:
        try:
            found = self.either()
        except ValueError:
            return None
        return found if self.place == len(self.tokens) else None

    def next(self, *words: str) -> str:
        """Takes the next token if it is one of these; "" if not."""
        if self.place < len(self.tokens) and self.tokens[self.place][0] in ("sign", "word") and (
                self.tokens[self.place][1] in words):
            self.place += 1
            return self.tokens[self.place - 1][1]
        return ""

    def either(self) -> str:
        parts = [self.both()]
        while self.next("||", "or"):
            parts.append(self.both())
        return " or ".join(parts)

    def both(self) -> str:
        parts = [self.negated()]
        while self.next("&&", "and"):
            parts.append(self.negated())
        return " and ".join(parts)

    def negated(self) -> str:
        if self.next("!", "not"):
            return f"not({self.atom(truth=True)})"
        return self.compared()

    def compared(self) -> str:
        start = self.place
        left = self.atom()
        sign = self.next(*_SIGNS)
        if not sign:
            if self.place == start + 1 and self.tokens[start][0] != "word":
                raise ValueError("a number or text is no truth")
            return left
        return f"{left} {_SIGNS[sign]} {self.atom()}"

    def atom(self, truth: bool = False) -> str:
        if self.next("("):
            self.depth += 1
            if self.depth > 20:
                raise ValueError("nested too deep")
            found = self.either()
            if not self.next(")"):
                raise ValueError("a bracket stays open")
            self.depth -= 1
            return f"({found})"
        if self.place >= len(self.tokens):
            raise ValueError("it ends too early")
        kind, text = self.tokens[self.place]
        self.place += 1
        if kind == "word" and text not in _RESERVED:
            return text
        if kind == "number" and not truth:
            return text
        if kind == "text" and not truth and not re.fullmatch(r"\s*-?[0-9.]+\s*|true|false", text[1:-1]):
            return f'"{text[1:-1]}"'
        raise ValueError("no counterpart")


# ---------------------------------------------------------------------------------------------------------------------
# Small things about trees
# ---------------------------------------------------------------------------------------------------------------------

def _nodes(process: etree._Element) -> list[etree._Element]:
    return [one for one in process.iterchildren(BPMN + "*") if local(one) in NODES
            and one.get("triggeredByEvent") != "true"]


def _definitions(event: etree._Element) -> list[str]:
    return [local(one) for one in event.iterchildren(BPMN + "*") if local(one).endswith(
        ("EventDefinition", "eventDefinitionRef"))]


def _names(process: etree._Element) -> list[str]:
    """What the steps in a process are called, subprocesses too."""
    return [" ".join(one.get("name", "").split()) for one in process.iterdescendants(BPMN + "*")
            if local(one) in NODES and one.get("name", "").strip()]


def _steps(process: etree._Element) -> str:
    names = _names(process)
    more = f" dan {len(names) - MOST_INSIDE} lainnya" if len(names) > MOST_INSIDE else ""
    return f" Di dalamnya: {', '.join(quoted(one) for one in names[:MOST_INSIDE])}{more}." if names else ""


def _held(node: etree._Element) -> str:
    """What stood in a node that is taken out, short."""
    return _short(" ".join("".join(node.itertext()).split()))


def _short(text: str) -> str:
    return f" Isinya: {quoted(text, SHORT)}." if text.strip() else ""


def _owner(node: etree._Element) -> str:
    """The element that something belongs to, as an owner knows it."""
    around = next((one for one in node.iterancestors() if local(one) in NODES | {
        "sequenceFlow", "process", "lane", "participant", "definitions"}), None)
    return gate.said(around) if around is not None else "berkas"


class Taken:
    """The ids of a file, so that a new one is new."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.next: Counter[str] = Counter()

    def new(self, wish: str) -> str:
        found = wish
        while found in self.ids:
            self.next[wish] += 1
            found = f"{wish}_{self.next[wish] + 1}"
        self.ids.add(found)
        return found


def _remove(node: etree._Element) -> None:
    """Takes a node out of its tree; the text behind it stays."""
    around = node.getparent()
    if node.tail and node.tail.strip():
        before = node.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + node.tail
        else:
            around.text = (around.text or "") + node.tail
    around.remove(node)


def _link(node: etree._Element, tag: str, flow: str) -> None:
    """Writes incoming or outgoing of a node where the standard has it: after documentation and extensions."""
    one = etree.Element(BPMN + tag)
    one.text = flow
    place = 0
    for n, child in enumerate(node):
        if local(child) in ("documentation", "extensionElements", "incoming") or (
                tag == "outgoing" and local(child) == "outgoing"):
            place = n + 1
    node.insert(place, one)


def local_name(name: str) -> str:
    return name.rpartition("}")[2]


def _refusal(message: str) -> Finding:
    return Finding(severity="error", element=None, line=0, message=message)
