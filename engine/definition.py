"""What a diagram says, as values: the only shape in which a diagram travels outside `diagram.py`.

A ProcessDefinition is made once from the uploaded bytes (`diagram.read`), never changed, and named by
their SHA-256. It knows BPMN's words and the SOP's facts; it knows no XML, no SpiffWorkflow, no person.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

STOCK_TYPES = frozenset({"string", "long", "boolean", "date", "enum"})
DECIDING = ("exclusiveGateway", "inclusiveGateway")     # whose outgoing flows have conditions, when there are several
OWN_TYPES = frozenset({"text", "decimal", "time", "person", "table", "document"})


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One value of an enum: what is stored and what a person reads."""
    value: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a `table` field (`camunda:property name="kolom.ID"`)."""
    id: str
    label: str
    type: str = "string"                    # string text date time enum person long decimal boolean
    required: bool = False
    required_if: str | None = None          # FEEL over the row's own values and the data document
    readonly: bool = False
    choices: tuple[Choice, ...] = ()
    initial: str | None = None


@dataclass(frozen=True, kw_only=True)
class Slot:
    """What a `document` field asks of its task. The field's id is the document type of the instance."""
    role: str                               # sop.peran: kelengkapan | output | bacaan
    origin: str | None = None               # sop.asal: mulai | langkah | the id of the user task it comes from
    forms: tuple[str, ...] = ("berkas",)    # sop.bentuk: berkas | teks | cetak | tautan
    many: bool = False                      # sop.jumlah: 1 | banyak
    version: str = "baru"                   # sop.versi: baru | sama
    same_if: str | None = None              # sop.samaJika: FEEL; true: the version that came in may be passed on
    owed_until: str | None = None           # sop.menyusul: the user task before whose completion an owed one is settled
    owed_if: str | None = None              # sop.menyusulJika: FEEL; it may be owed only then
    waivable: bool = True                   # sop.dispensasi=tidak: nobody can waive it
    attachers: tuple[str, ...] = ()         # sop.pelampir: lanes that may attach without completing
    text_from: str | None = None            # sop.teksDari: the field whose value makes this document


@dataclass(frozen=True, kw_only=True)
class Field:
    """A form field (`camunda:formField`)."""
    id: str
    label: str
    type: str                               # one of STOCK_TYPES or OWN_TYPES
    initial: str | None = None              # defaultValue; `{tahun_laporan}` is filled in; "=..." is FEEL
    choices: tuple[Choice, ...] = ()
    columns: tuple[Column, ...] = ()
    required: bool = False
    minimum: str | None = None
    maximum: str | None = None
    min_length: int | None = None           # of a table: the fewest rows
    max_length: int | None = None           # of a table: the most rows
    readonly: bool = False
    group: str | None = None                # sop.kelompok
    hint: str | None = None                 # sop.petunjuk
    required_if: str | None = None          # sop.wajibJika, FEEL
    shown_if: str | None = None             # sop.tampilJika, FEEL; a hidden value is not stored
    valid_if: str | None = None             # sop.benarJika, FEEL; what else must hold, asked when a value is given
    valid_message: str | None = None        # sop.pesan: said when `valid_if` does not hold
    decision: bool = False                  # sop.keputusan=ya: drawn as the decision, first
    personal: bool = False                  # sop.pribadi=ya
    rows_from: tuple[str, ...] = ()         # sop.barisDari: whose rows it answers; round 1 the first, later the next
    filler_row: str | None = None           # sop.barisBawaan: text of the one row made when nothing was typed
    filler_if: str | None = None            # sop.barisBawaanJika, FEEL
    appoints: str | None = None             # sop.menunjukTim: the lane whose team these rows appoint
    source: str | None = None               # sop.sumber: S | D | T (T is shown as "tambahan")
    slot: Slot | None = None                # only of type document
    line: int = 0


@dataclass(frozen=True, kw_only=True)
class Timer:
    """A timer event definition, as drawn."""
    kind: str                               # duration | date | cycle
    expression: str                         # "P2D", "=...", "R3/PT1H"
    unit: str = "kerja"                     # sop.satuanWaktu: kerja (working time) | kalender (wall clock)
    reminder: str | None = None             # sop.pengingat: the message, with {placeholders}
    reminder_to: str | None = None          # sop.kepada
    reminder_copy: str | None = None        # sop.tembusan
    subject: str | None = None              # sop.perihal
    near: str | None = None                 # sop.pengingatSebelum: said while there is time left; None: nothing is
    escalation: str | None = None           # sop.pengingatAtasan: said at twice the norm
    superior: tuple[str, ...] = ()          # sop.atasan: the lanes that it is said to
    superior_copy: tuple[str, ...] = ()     # sop.atasanTembusan
    returned: str | None = None             # sop.kabarKembali: said when its user task comes back
    returned_to: tuple[str, ...] = ()       # sop.kabarKembaliKepada: to whom, besides those who perform it
    extended_by: tuple[str, ...] = ()       # sop.perpanjangan: the lanes that may grant more time; (): none is offered


@dataclass(frozen=True, kw_only=True)
class SequenceFlow:
    id: str
    source: str
    target: str
    name: str = ""
    condition: str | None = None            # FEEL without its leading "="
    default: bool = False                   # the source names it as its default
    line: int = 0


@dataclass(frozen=True, kw_only=True)
class Element:
    """A flow node of the process, by its BPMN id."""
    id: str
    kind: str                               # startEvent endEvent userTask exclusiveGateway parallelGateway
    #                                         inclusiveGateway boundaryEvent intermediateCatchEvent
    #                                         intermediateThrowEvent (of no type) subProcess (embedded)
    name: str = ""
    lane: str | None = None                 # Lane.id; of user tasks never None; in a subprocess its own or that one's
    within: str | None = None               # the subprocess that it stands directly in; None: the process itself
    documentation: str = ""                 # the Uraian, verbatim
    form: tuple[Field, ...] = ()
    timer: Timer | None = None              # of boundaryEvent and intermediateCatchEvent
    attached_to: str | None = None          # of boundaryEvent
    interrupting: bool = True               # of boundaryEvent (cancelActivity)
    terminate: bool = False                 # of endEvent
    properties: Mapping[str, str] = field(default_factory=dict)   # sop.* verbatim: sop.nomor, sop.output, ...
    line: int = 0

    @property
    def number(self) -> str:
        """`sop.nomor`: the step's number in the SOP, "" if none."""
        return self.properties.get("sop.nomor", "")

    def field(self, id: str) -> Field | None:
        return next((one for one in self.form if one.id == id), None)

    @property
    def slots(self) -> tuple[Field, ...]:
        return tuple(one for one in self.form if one.slot is not None)


@dataclass(frozen=True, kw_only=True)
class Lane:
    """Who performs, as drawn. Which position that is, is an administrator's act."""
    id: str
    name: str
    other_office: bool = False              # sop.kantorLain=ya
    recorded_by: tuple[str, ...] = ()       # sop.dicatatOleh: lanes ("tim_penyusun:ketua") that may record for it
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """The process-wide deadline: a non-interrupting event subprocess with a timer start event."""
    id: str                                 # of the event subprocess
    timer: Timer                            # kind date
    satisfied_by: str                       # sop.tenggatUntuk: the user task whose completion meets it
    name: str = ""
    start_event: str = ""


@dataclass(frozen=True, kw_only=True)
class ProcessDefinition:
    """One version of a deployed diagram. `sha256` of the bytes is its identity."""
    key: str                                # the BPMN process id
    name: str
    sha256: str                             # of the uploaded bytes, hex
    canonical_sha256: str                   # of the canonical XML
    meaning_sha256: str                     # without layout: tells a cosmetic edit from a real one
    elements: Mapping[str, Element]         # in document order; what stands in a subprocess right after it
    flows: Mapping[str, SequenceFlow]       # in document order
    lanes: tuple[Lane, ...]                 # in drawing order (the SOP's columns)
    properties: Mapping[str, str] = field(default_factory=dict)   # sop.*: the identity part; lists one item a line
    documentation: str = ""
    deadline: Deadline | None = None
    starters: tuple[str, ...] = ()          # sop.pemulai of the start event: lanes whose performers may start

    @cached_property
    def start(self) -> Element:
        """Where an instance starts: no subprocess does."""
        return next(one for one in self.elements.values() if one.kind == "startEvent" and one.within is None)

    @cached_property
    def inside(self) -> Mapping[str | None, tuple[Element, ...]]:
        """What stands directly in each subprocess, and under None in the process itself; in document order."""
        places = (None, *(id for id, one in self.elements.items() if one.kind == "subProcess"))
        return {place: tuple(one for one in self.elements.values() if one.within == place) for place in places}

    def around(self, id: str) -> tuple[str, ...]:
        """The subprocesses that an element stands in, the innermost first."""
        found: list[str] = []
        within = self.elements[id].within
        while within is not None:
            found.append(within)
            within = self.elements[within].within
        return tuple(found)

    @cached_property
    def scopes(self) -> Mapping[str | None, ProcessDefinition]:
        """The process and each of its subprocesses as a process by itself (under its id; None: the process), in which
        a subprocess is one element among others. No flow leads from one scope into another."""
        return {place: replace(self, elements={one.id: replace(one, within=None) for one in inside},
                               flows={flow.id: flow for flow in self.flows.values()
                                      if self.elements[flow.source].within == place})
                for place, inside in self.inside.items()} if len(self.inside) > 1 else {None: self}

    @cached_property
    def user_tasks(self) -> tuple[Element, ...]:
        """In the SOP's order (`sop.nomor`, else document order)."""
        tasks = [one for one in self.elements.values() if one.kind == "userTask"]
        return tuple(sorted(tasks, key=lambda one: int(one.number) if one.number.isdigit() else 10_000))

    @cached_property
    def outgoing(self) -> Mapping[str, tuple[SequenceFlow, ...]]:
        return {id: tuple(f for f in self.flows.values() if f.source == id) for id in self.elements}

    @cached_property
    def incoming(self) -> Mapping[str, tuple[SequenceFlow, ...]]:
        return {id: tuple(f for f in self.flows.values() if f.target == id) for id in self.elements}

    @cached_property
    def boundary_events(self) -> Mapping[str, tuple[Element, ...]]:
        return {id: tuple(e for e in self.elements.values() if e.attached_to == id) for id in self.elements}

    @cached_property
    def behind(self) -> Mapping[str, tuple[str, ...]]:
        """What a run may come to next from each element, across the borders of subprocesses: from a subprocess to its
        start, from an end inside to what follows the subprocess. Boundary events not counted."""
        found: dict[str, tuple[str, ...]] = {}
        for one in self.elements.values():
            if one.kind == "subProcess":
                found[one.id] = tuple(start.id for start in self.inside[one.id] if start.kind == "startEvent")
            elif one.kind == "endEvent" and one.within is not None:
                found[one.id] = tuple(flow.target for flow in self.outgoing[one.within])
            else:
                found[one.id] = tuple(flow.target for flow in self.outgoing[one.id])
        return found

    @cached_property
    def ahead(self) -> Mapping[str, tuple[str, ...]]:
        """`behind` the other way round: what a run may have come from."""
        found: dict[str, list[str]] = {id: [] for id in self.elements}
        for id, targets in self.behind.items():
            for target in targets:
                found.setdefault(target, []).append(id)
        return {id: tuple(before) for id, before in found.items()}

    @cached_property
    def ways_to(self) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """Of each inclusive join: element -> the join's incoming flows that a token there may still come to, without
        passing the join itself; also over a timer at the edge of what lies on the way."""
        found: dict[str, dict[str, frozenset[str]]] = {}
        for join in self.elements.values():
            flows = self.incoming[join.id]
            if join.kind != "inclusiveGateway" or len(flows) < 2:
                continue
            ways = found[join.id] = {}
            for flow in flows:
                seen, waiting = {join.id}, [flow.source]
                while waiting:
                    id = waiting.pop()
                    if id not in seen:
                        seen.add(id)
                        ways[id] = ways.get(id, frozenset()) | {flow.id}
                        waiting += [one.source for one in self.incoming[id]]
                        waiting += [host] if (host := self.elements[id].attached_to) else []
        return found

    def norm(self, user_task: str) -> Element | None:
        """The boundary event that is the SOP's Waktu of a user task: its first that counts a duration and does not
        interrupt. None where it has none, or there is no such user task (any more)."""
        return next((e for e in self.boundary_events.get(user_task, ())
                     if not e.interrupting and e.timer and e.timer.kind == "duration"), None)

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """Every field by id, the first declaration of a shared one; the names that expressions may use."""
        found: dict[str, Field] = {}
        for element in self.elements.values():
            for one in element.form:
                found.setdefault(one.id, one)
        return found

    @cached_property
    def document_types(self) -> tuple[str, ...]:
        return tuple(id for id, one in self.fields.items() if one.type == "document")

    def lane(self, id: str | None) -> Lane | None:
        return next((one for one in self.lanes if one.id == id), None)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What `check` says of a diagram: where, what is, what was expected, what to do."""
    severity: str                           # error | warning
    element: str | None
    line: int
    message: str
    english: str = ""                       # the same in English; "" where only owners are told

    def __str__(self) -> str:
        return f"{self.line}: {self.severity}: {self.message}"


class DiagramError(ValueError):
    """A diagram that cannot be read as a process; carries its findings."""

    def __init__(self, findings: tuple[Finding, ...]):
        super().__init__("; ".join(str(one) for one in findings))
        self.findings = findings


# Names that every expression may use besides the field ids.
BUILT_IN_NAMES = frozenset({"putaran", "berkas", "tahun"})
"""putaran: the round of the user task (1 on the first pass); berkas: {document type: number of files attached in
this round}; tahun: the instance's tahun laporan, or null."""
