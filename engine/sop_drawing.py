"""An SOP's table drawn as a diagram: BPMN 2.0 in the dialect of `bpmn/`, or an earlier diagram of it, changed.

`draw(table)` makes everything: lanes, tasks with their timers, gateways, first forms. `draw(table, before)` edits the
earlier file: what the table does not say (forms, texts of reminders, ids, what was moved by hand) stays, and what says
the same as before stays byte for byte. The XML of somebody's file is opened by the gate's first door only.
"""
from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import chain, count

from lxml import etree

from . import diagram, gate, sop_forms, sop_layout
from .definition import Column, DiagramError, Field, ProcessDefinition
from .gate import BPMN, BPMNDI, CAMUNDA, DC, DI, XSI, folded, listed
from .sop_forms import APPROVE, RETURN
from .sop_layout import Box, Course, Picture, Station, Way
from .sop_table import (
    CELLS,
    DECISION,
    OPTIONAL,
    PROPERTIES,
    YES,
    Remark,
    SopRow,
    SopTable,
    TableError,
    duration,
    in_words,
    named,
    problems,
    settled,
    table_of,
    yes_and_no,
)

NAMESPACES = {"bpmn": BPMN[1:-1], "bpmndi": BPMNDI[1:-1], "dc": DC[1:-1], "di": DI[1:-1], "xsi": XSI[1:-1],
              "camunda": CAMUNDA[1:-1]}
SAME_TEXT = 0.6                 # how alike two Uraian are that are the same step, reworded


def draw(table: SopTable, before: bytes | None = None) -> bytes:
    """The diagram of a table.

    before  the bytes of an earlier diagram of the same process, of which everything is kept that the table does not
            change; its rows are known by `SopRow.element`, else by their Uraian.
    Raises TableError when the table cannot be drawn, or `before` holds what no table can say; DiagramError when
    `before` cannot be read.
    """
    table = settled(table)
    if before is None:
        _must_hold(table)
        return _Sheet.blank(table).drawn()
    definition = diagram.reread(before)
    old = table_of(definition)
    table = settled(_known(table, old))
    _must_hold(table)
    return before if table == old else _Sheet.of(before, _apart(table, old, before), old, definition).drawn()


def under_key(data: bytes, key: str) -> bytes:
    """The same diagram as another process: its id, and what names it. An id that something in it has already gets a
    number after it. Raises DiagramError when it cannot be read."""
    root = _tree(data)
    process = next(root.iterchildren(BPMN + "process"), None)
    if process is None:
        return data
    old, key = process.get("id", ""), _Ids(id for node in root.iter(etree.Element) if (id := node.get("id"))).take(key)
    process.set("id", key)
    for node in root.iter(etree.Element):
        for name in ("processRef", "bpmnElement"):
            if node.get(name) == old:
                node.set(name, key)
    return written(root)


def _must_hold(table: SopTable) -> None:
    if wrong := problems(table):
        raise TableError(wrong)


def _known(table: SopTable, old: SopTable) -> SopTable:
    """The table in the ids of the earlier diagram: lanes by their names, rows by element, Uraian, or likeness."""
    ids = {one.id for one in old.performers}
    free = {folded(one.name): one.id for one in old.performers
            if one.id not in {performer.id for performer in table.performers}}
    renamed = {one.id: free[folded(one.name)] for one in table.performers
               if one.id not in ids and folded(one.name) in free}
    performers = tuple(replace(one, id=renamed.get(one.id, one.id)) for one in table.performers)
    tasks = {one.element for one in old.rows}
    claimed = {one.element for one in table.rows} & tasks
    found: dict[int, str] = {one.number: one.element for one in table.rows if one.element in claimed}
    for alike in (1.0, SAME_TEXT):
        for row in table.rows:
            if row.number in found:
                continue
            for one in old.rows:
                near = one.number == row.number and _alike(one.uraian, row.uraian) >= alike
                if one.element not in claimed and (near or folded(one.uraian) == folded(row.uraian)):
                    found[row.number] = one.element
                    claimed.add(one.element)
                    break
    rows = tuple(replace(one, performer=renamed.get(one.performer, one.performer),
                         element=found.get(one.number, "")) for one in table.rows)
    return replace(table, key=old.key, performers=performers, rows=rows)


def _apart(table: SopTable, old: SopTable, before: bytes) -> SopTable:
    """The table with new performers called by ids that nothing in the earlier diagram has: a lane "Selesai" is not its
    end event."""
    lanes = {one.id for one in old.performers}
    ids = _Ids({id for node in _tree(before).iter(etree.Element) if (id := node.get("id"))} - lanes)
    ids.taken |= lanes
    called = {one.id: one.id if one.id in lanes else ids.take(one.id) for one in table.performers}
    return replace(table, performers=tuple(replace(one, id=called[one.id]) for one in table.performers),
                   rows=tuple(replace(one, performer=called[one.performer]) for one in table.rows))


def _alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, folded(one)[:400], folded(other)[:400], autojunk=False).ratio()


# --- Which elements there are ----------------------------------------------------------------------------------------

class _Ids:
    """Ids that are free: the one that is wanted, else with a number after it."""

    def __init__(self, taken: Iterable[str]):
        self.taken = set(taken)

    def take(self, wanted: str, *others: str) -> str:
        """The first of these that is free."""
        choices = chain((wanted, *others), (f"{wanted[:85]}_{n}" for n in count(2)))
        id = next(one for one in choices if one not in self.taken and f"{one}_di" not in self.taken)
        self.taken |= {id, f"{id}_di"}
        return id


class _Plan:
    """The elements and flows that a table asks for, by the ids of the earlier diagram where it had them."""

    def __init__(self, table: SopTable, ids: _Ids, before: ProcessDefinition | None = None):
        self.table, self.ids, self.before = table, ids, before
        self.start = before.start.id if before else ids.take("mulai")
        coming: dict[int, int] = {table.rows[0].number: 1}
        for row in table.rows:
            for _, to in table.following(row):
                if to is not None:
                    coming[to] = coming.get(to, 0) + 1
        self.tasks = {row.number: row.element or ids.take(f"langkah_{row.number}") for row in table.rows}
        self.free_ends = self._free_ends()
        self.stations = {row.number: self._station(row, coming.get(row.number, 0)) for row in table.rows}
        self.decisions = self._decisions()
        self.answers: dict[str, str] = {}               # flow -> Ya or Tidak
        self.ways = [*self._main_ways(), *self._timer_ways()]

    def _free_ends(self) -> list[str]:
        """The end events of the earlier diagram whose steps went, or go on now: the procedure still ends so."""
        if self.before is None:
            return []
        going_on = {row.element for row in self.table.rows
                    if all(to is not None for _, to in self.table.following(row))}
        ending = {row.element for row in self.table.rows} - going_on
        ends = (_Drawn(self.before, one.id).end for one in self.before.user_tasks if one.id not in ending)
        return [end for end in ends if end is not None]

    def _station(self, row: SopRow, coming: int) -> Station:
        task, ids = self.tasks[row.number], self.ids
        drawn = _Drawn(self.before, row.element) if self.before and row.element else None
        timer = drawn.timer if drawn else None
        number = str(row.number) if task == f"langkah_{row.number}" else task
        if row.norm and timer is None:
            timer = ids.take(f"waktu_{number}")
        # A timer whose expression is computed says no norm that a table could; it stays.
        elif not row.norm and timer and drawn and drawn.counted:
            timer = None
        reminder = (drawn.reminder if drawn and drawn.timer else None) or (
            ids.take(f"pengingat_{number}") if timer else None)
        merge = drawn.merge if drawn else None
        if coming > 1 and merge is None:
            merge = ids.take("gabung", f"gabung_{number}")
        ends = any(to is None for _, to in self.table.following(row))
        end = drawn.end if drawn else None
        if ends and end is None and self.free_ends:
            end = self.free_ends.pop(0)
        elif ends and end is None:
            last = row is self.table.rows[-1]
            end = ids.take("selesai" if last else f"selesai_{number}", f"selesai_{number}")
        gate_ = drawn.gate if drawn else None
        if row.symbol == DECISION and gate_ is None:
            gate_ = ids.take("disetujui", f"disetujui_{number}")
        return Station(lane=row.performer, task=task, timer=timer, reminder=reminder if timer else None,
                       merge=merge if coming > 1 else None, gate=gate_ if row.symbol == DECISION else None,
                       end=end if ends else None)

    def _decisions(self) -> dict[int, str]:
        """The field of each decision, by the number of its row."""
        taken = set(self.before.fields) if self.before else set()
        found: dict[int, str] = {}
        for row in self.table.rows:
            if row.symbol != DECISION:
                continue
            element = self.before.elements.get(row.element) if self.before and row.element else None
            drawn = next((one.id for one in element.form if one.decision), None) if element else None
            number = named(self.tasks[row.number].removeprefix("langkah_")) or str(row.number)
            choices = ["keputusan", f"keputusan_{number}", *(f"keputusan_{number}_{n}" for n in range(2, 99))]
            found[row.number] = drawn or next(
                one for one in choices if one not in taken and sop_forms.corrections(one) not in taken)
            taken |= {found[row.number], sop_forms.corrections(found[row.number])}
        return found

    def _main_ways(self) -> Iterator[Way]:
        rows = self.table.rows
        yield self._way(self.start, self.stations[rows[0].number].entry)
        for row in rows:
            one = self.stations[row.number]
            if one.merge:
                yield self._way(one.merge, one.task)
            if one.gate:
                yield self._way(one.task, one.gate)
            for answer, to in self.table.following(row):
                target = one.end if to is None else self.stations[to].entry
                assert target is not None, "a row that ends has its end event"
                yield self._way(one.exit, target, answer)

    def _timer_ways(self) -> Iterator[Way]:
        for one in self.stations.values():
            if one.timer and one.reminder:
                yield self._way(one.timer, one.reminder)

    def _way(self, source: str, target: str, answer: str = "") -> Way:
        flow = self._drawn_flow(source, target, answer)
        if flow:
            id, name = flow
        else:
            id, name = self.ids.take(f"{source}_{answer.lower()}" if answer else f"{source}_ke_{target}"), answer
        if answer:
            self.answers[id] = answer
        return Way(id, source, target, name)

    def _drawn_flow(self, source: str, target: str, answer: str) -> tuple[str, str] | None:
        """(id, name) of the flow that says this in the earlier diagram: between the same two, or by the same answer."""
        if self.before is None or source not in self.before.elements:
            return None
        flows = self.before.outgoing[source]
        if answer and len(flows) == 2:
            yes, no = yes_and_no(self.before, source)
            return (yes.id, yes.name) if answer == YES else (no.id, no.name)
        return next(((one.id, one.name) for one in flows if one.target == target), None)

    def course(self, pool: str, names: Mapping[str, str]) -> Course:
        return Course(pool=pool, lanes=tuple(one.id for one in self.table.performers), start=self.start,
                      stations=tuple(self.stations.values()), ways=tuple(self.ways), names=names)

    def of(self, number: int) -> list[str]:
        """The elements of a row, in the order in which they are written."""
        one = self.stations[number]
        return [id for id in (one.merge, one.task, one.timer, one.reminder, one.gate, one.end) if id]

    @property
    def nodes(self) -> list[str]:
        """Every element in the order in which it is written."""
        return [self.start, *(id for number in self.stations for id in self.of(number))]

    @cached_property
    def forms(self) -> dict[int, tuple[Field, ...]]:
        """What every row asks by default."""
        return sop_forms.forms(self.table, self.tasks, self.decisions, self.before.fields if self.before else None)


class _Drawn:
    """What stands around one user task of the earlier diagram."""

    def __init__(self, definition: ProcessDefinition, task: str):
        self.definition = definition
        norm = definition.norm(task)
        self.timer = norm.id if norm else None
        self.counted = bool(norm and norm.timer and not norm.timer.expression.startswith("="))
        self.reminder = next((flow.target for flow in definition.outgoing[norm.id]), None) if norm else None
        before = [flow.source for flow in definition.incoming[task]]
        self.merge = before[0] if len(before) == 1 and self._merges(before[0]) else None
        after = definition.outgoing[task][0].target
        deciding = definition.elements[after].kind == "exclusiveGateway" and len(definition.outgoing[after]) > 1
        self.gate = after if deciding else None
        ways = [flow.target for flow in definition.outgoing[self.gate or task]]
        self.end = next((id for id in ways if definition.elements[id].kind == "endEvent"
                         and len(definition.incoming[id]) == 1), None)

    def _merges(self, id: str) -> bool:
        return (self.definition.elements[id].kind == "exclusiveGateway"
                and len(self.definition.outgoing[id]) == 1)


# --- The file --------------------------------------------------------------------------------------------------------

_BLANK = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions {namespaces} id="{file}" targetNamespace="urn:sop:{key}">
  <bpmn:collaboration id="{around}"><bpmn:participant id="{pool}" processRef="{key}" /></bpmn:collaboration>
  <bpmn:process id="{key}" isExecutable="true"><bpmn:laneSet id="{lanes}" /></bpmn:process>
  <bpmndi:BPMNDiagram id="{page}"><bpmndi:BPMNPlane id="{plane}" bpmnElement="{around}" /></bpmndi:BPMNDiagram>
</bpmn:definitions>"""
# What may name lanes, in the properties of any element.
_NAMES_LANES = ("sop.kepada", "sop.tembusan", "sop.atasan", "sop.atasanTembusan", "sop.perpanjangan",
                "sop.kabarKembaliKepada", "sop.dicatatOleh", "sop.pemulai", "sop.pelampir", "sop.menunjukTim")
_BEFORE_FLOWS = ("documentation", "extensionElements")


class _Sheet:
    """A diagram being written: a tree, the table it says so far, and the one it shall say."""

    def __init__(self, root: etree._Element, table: SopTable, old: SopTable | None,
                 definition: ProcessDefinition | None, ids: _Ids):
        self.root, self.table, self.old, self.definition = root, table, old, definition
        self.process = next(root.iterchildren(BPMN + "process"))
        self.plane = root.find(f"{BPMNDI}BPMNDiagram/{BPMNDI}BPMNPlane")
        self.ids = ids
        self.elements = {one.get("id"): one for one in self.process.iterchildren(etree.Element)}
        self.plan = _Plan(table, ids, definition)
        self.old_plan = _Plan(old, _Ids(ids.taken), definition) if old else None

    @classmethod
    def blank(cls, table: SopTable) -> _Sheet:
        ids = _Ids([table.key, *(one.id for one in table.performers), *(f"{one.id}_di" for one in table.performers),
                    *(row.element for row in table.rows if row.element)])
        text = _BLANK.format(
            key=table.key, file=ids.take(f"{table.key[:80]}_berkas"), around=ids.take("kolaborasi"),
            pool=ids.take("perangkat_daerah", "kolam"), lanes=ids.take("pelaksana", "kolom_pelaksana"),
            page=ids.take("halaman_1"), plane=ids.take("bidang_1"),
            namespaces=" ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items()))
        return cls(_tree(text.encode()), table, None, None, ids)

    @classmethod
    def of(cls, data: bytes, table: SopTable, old: SopTable, definition: ProcessDefinition) -> _Sheet:
        root = _tree(data)
        if root.find(f"{BPMNDI}BPMNDiagram/{BPMNDI}BPMNPlane") is None:
            raise TableError([Remark(message="Diagram sebelumnya tidak memuat gambar. Buka dan simpan di pemodel.")])
        taken = {id for node in root.iter(etree.Element) if (id := node.get("id"))}
        return cls(root, table, old, definition, _Ids([*taken, *(one.id for one in table.performers)]))

    def drawn(self) -> bytes:
        before = None if self.old is None else self._picture()
        self._identity()
        self._lanes()
        gone = self._nodes()
        self._flows()
        self._flow_node_refs()
        self._references(gone)
        self._drawing(before)
        return written(self.root)

    # Finding and making

    def node(self, id: str | None) -> etree._Element | None:
        """The element of the process with this id."""
        return self.elements.get(id) if id else None

    def _remove(self, node: etree._Element) -> None:
        self.process.remove(node)
        self.elements.pop(node.get("id"), None)

    def _insert(self, new: etree._Element, after: etree._Element) -> None:
        after.addnext(new)
        self.elements[new.get("id")] = new

    # The identity part and the lanes

    def _identity(self) -> None:
        name, identity = self.table.name, self.table.identity
        for node in (self.process, *self.root.iterfind(f"{BPMN}collaboration/{BPMN}participant")):
            if self.old is None or (self.old.name != name and node.get("name") in (self.old.name, None)):
                node.set("name", name)
        if self.old is None:                    # `name` stands after the id, as modelers write it
            for node in (self.process, *self.root.iterfind(f"{BPMN}collaboration/{BPMN}participant")):
                _reordered(node, "id", "name")
        for one, property in PROPERTIES.items():
            value = getattr(identity, one)
            text = "\n".join(value) if isinstance(value, tuple) else value
            if self.old is None:
                if text or one not in OPTIONAL:
                    _set_property(self.process, property, text)
            elif value != getattr(self.old.identity, one):
                _set_property(self.process, property, text)

    def _lanes(self) -> None:
        lanes = next(self.process.iterchildren(BPMN + "laneSet"), None)
        if lanes is None:
            lanes = etree.SubElement(self.process, BPMN + "laneSet", id=self.ids.take("pelaksana", "kolom_pelaksana"))
            self.process.remove(lanes)
            first = [one for one in self.process if one.tag in (BPMN + "documentation", BPMN + "extensionElements")]
            self.process.insert(len(first), lanes)
        drawn = {one.get("id"): one for one in lanes.iterchildren(BPMN + "lane")}
        wanted = [one.id for one in self.table.performers]
        for id, node in drawn.items():
            if id not in wanted:
                lanes.remove(node)
        for one in self.table.performers:
            if one.id not in drawn:
                drawn[one.id] = etree.SubElement(lanes, BPMN + "lane", id=one.id, name=one.name)
            elif folded(drawn[one.id].get("name", "")) != folded(one.name) or self._renamed(one.id, one.name):
                drawn[one.id].set("name", one.name)
        if [one.get("id") for one in lanes.iterchildren(BPMN + "lane")] != wanted:
            for id in wanted:
                lanes.append(drawn[id])

    def _renamed(self, id: str, name: str) -> bool:
        was = self.old.performer(id) if self.old else None
        return was is not None and was.name != name

    def _flow_node_refs(self) -> None:
        """What stands in which lane, in the order in which it is written."""
        plan, homes = self.plan, self.plan.course("", {}).homes
        ours = set(self.old_plan.nodes) if self.old_plan else set()
        there = {one.get("id") for one in self.process.iterchildren(etree.Element)}
        for lane in self.process.iterfind(f"{BPMN}laneSet/{BPMN}lane"):
            drawn = [(one.text or "").strip() for one in lane.iterchildren(BPMN + "flowNodeRef")]
            wanted = [id for id in plan.nodes if homes[id] == lane.get("id")]
            wanted += [id for id in drawn if id not in ours and id not in homes and id in there]
            if set(drawn) != set(wanted) or len(drawn) != len(wanted):
                for one in list(lane.iterchildren(BPMN + "flowNodeRef")):
                    lane.remove(one)
                for id in wanted:
                    etree.SubElement(lane, BPMN + "flowNodeRef").text = id
        strangers = there - {None} - set(plan.nodes) - ours
        placed = {(one.text or "").strip() for one in self.process.iter(BPMN + "flowNodeRef")}
        deadline = self.definition.deadline if self.definition else None
        first = self.process.find(f"{BPMN}laneSet/{BPMN}lane")
        # The lane that the deadline was drawn in is gone: it moves to the first.
        if deadline and deadline.id in strangers and deadline.id not in placed and self._gone_lanes:
            assert first is not None, "a table has a performer"
            etree.SubElement(first, BPMN + "flowNodeRef").text = deadline.id

    @property
    def _gone_lanes(self) -> set[str]:
        return {one.id for one in self.old.performers if self.table.performer(one.id) is None} if self.old else set()

    # Elements

    def _nodes(self) -> set[str]:
        """Makes what is new, changes what changed, removes what is gone. The ids of the tasks that are gone."""
        gone = set(self.old_plan.nodes) - set(self.plan.nodes) if self.old_plan else set()
        for id in gone:
            if (node := self.node(id)) is not None:
                self._remove(node)
        tasks = {one.element for one in self.old.rows} - set(self.plan.tasks.values()) if self.old else set()
        for node in list(self.process.iterchildren(BPMN + "boundaryEvent")):
            if node.get("attachedToRef") in tasks:          # another timer of a task that is gone
                for flow in list(self.process.iterchildren(BPMN + "sequenceFlow")):
                    if flow.get("sourceRef") == node.get("id"):
                        self._remove_end(flow.get("targetRef", ""))
                        self._remove(flow)
                self._remove(node)
        last: etree._Element | None = None
        rows = {id: row for row in self.table.rows for id in self.plan.of(row.number)}
        for id in self.plan.nodes:
            node = self.node(id)
            if node is None:
                node = self._made(id, rows.get(id))
                self._insert(node, last if last is not None else self._head())
            last = node
        for row in self.table.rows:
            self._row(row)
        return tasks

    def _remove_end(self, id: str) -> None:
        node = self.node(id)
        coming = [one for one in self.process.iterchildren(BPMN + "sequenceFlow") if one.get("targetRef") == id]
        if node is not None and node.tag == BPMN + "endEvent" and len(coming) == 1 and id not in self.plan.nodes:
            self._remove(node)

    def _head(self) -> etree._Element:
        return next(self.process.iterchildren(BPMN + "laneSet"))

    def _made(self, id: str, row: SopRow | None) -> etree._Element:
        """A new element: of a row, or the start event."""
        if row is None:
            return self._event("startEvent", id, "Mulai")
        one = self.plan.stations[row.number]
        if id == one.task:
            return etree.Element(BPMN + "userTask", id=id)
        if id == one.timer:
            return self._timer(id, row)
        if id == one.merge:
            return etree.Element(BPMN + "exclusiveGateway", id=id)
        if id == one.gate:
            return self._event("exclusiveGateway", id, "Disetujui?")
        return self._event("endEvent", id, f"Pengingat {row.number}" if id == one.reminder else "Selesai")

    def _event(self, kind: str, id: str, name: str) -> etree._Element:
        return etree.Element(BPMN + kind, id=id, name=name)

    def _timer(self, id: str, row: SopRow) -> etree._Element:
        """The Mutu Baku Waktu: leaves its task open, reminds the performer, and tells whoever stands above."""
        node = etree.Element(BPMN + "boundaryEvent", id=id, name=_timer_name(row), cancelActivity="false",
                             attachedToRef=self.plan.tasks[row.number])
        above = self._above(row)
        _set_property(node, "sop.pengingat", f"Langkah {{n}} ({row.name}) telah melewati batas waktu {{batas}} "
                                             "({lewat}). Mohon segera diselesaikan.")
        _set_property(node, "sop.kepada", row.performer)
        _set_property(node, "sop.perihal", f"Pengingat: Langkah {{n}} {self.table.name} melewati batas waktu")
        in_days = any(one.unit == "hari" for one in row.norm)
        if in_days:
            _set_property(node, "sop.pengingatSebelum", f"Langkah {{n}} ({row.name}) harus selesai paling lambat "
                                                        "{batas}; sisa waktu {sisa}.")
        if above:
            _set_property(node, "sop.pengingatAtasan", f"Langkah {{n}} ({row.name}) belum selesai, {{lewat}} melewati "
                                                       "batas waktu. Pelaksana: {pelaksana}. Mohon arahan.")
            _set_property(node, "sop.atasan", above)
            if in_days:
                _set_property(node, "sop.perpanjangan", above)
        timer = etree.SubElement(node, BPMN + "timerEventDefinition", id=self.ids.take(f"{id}_lewat"))
        lasts = etree.SubElement(timer, BPMN + "timeDuration", {XSI + "type": self._expression_type()})
        lasts.text = duration(row.norm)
        return node

    def _above(self, row: SopRow) -> str:
        """Whom a delay is told to: who decides over this step, else who gave the first order; "" for nobody else."""
        deciders = [one.performer for one in self.table.rows if one.symbol == DECISION and one.number >= row.number]
        return next((one for one in [*deciders, self.table.rows[0].performer] if one != row.performer), "")

    def _expression_type(self) -> str:
        prefix = next((prefix for prefix, uri in self.root.nsmap.items() if uri == BPMN[1:-1]), None)
        return f"{prefix}:tFormalExpression" if prefix else "tFormalExpression"

    # Rows

    def _row(self, row: SopRow) -> None:
        """What the cells of a row say: in the task, in its timer, in its form."""
        was = next((one for one in self.old.rows if one.element == row.element), None) if self.old else None
        task = self.node(self.plan.tasks[row.number])
        assert task is not None, "every row has its task by now"
        if was is None or was.name != row.name:
            task.set("name", row.name)
        if was is None or was.uraian != row.uraian:
            _documented(task, row.uraian)
        self._form(row, task)
        if was is None or was.number != row.number:
            _set_property(task, "sop.nomor", str(row.number))
        for cell, property in CELLS.items():
            if was is None or getattr(was, cell) != getattr(row, cell):
                _set_property(task, property, getattr(row, cell))
        if (was.assumption if was else False) != row.assumption:
            _set_property(task, "sop.asumsi", "ya" if row.assumption else None)
        one = self.plan.stations[row.number]
        if was and row.norm and was.norm != row.norm:
            self._retimed(one, was, row)
        reminder = self.node(one.reminder)
        if was and reminder is not None and reminder.get("name") == f"Pengingat {was.number}":
            reminder.set("name", f"Pengingat {row.number}")
        if was and was.performer != row.performer and (timer := self.node(one.timer)) is not None:
            if _property(timer, "sop.kepada") == was.performer:
                _set_property(timer, "sop.kepada", row.performer)

    def _retimed(self, one: Station, was: SopRow, row: SopRow) -> None:
        timer = self.node(one.timer)
        assert timer is not None, "a row with a norm has its timer"
        said = next(timer.iter(BPMN + "timeDuration"))
        said.text = duration(row.norm)
        if timer.get("name") in (_timer_name(was), None):
            timer.set("name", _timer_name(row))

    def _form(self, row: SopRow, task: etree._Element) -> None:
        """The fields that the table asks for, where nobody has made other ones of them."""
        wanted = {one.id: _field(one) for one in self.plan.forms[row.number]}
        if self.old_plan is None or self.old is None or not row.element:
            asked = {}
        else:
            number = next(one.number for one in self.old.rows if one.element == row.element)
            asked = {one.id: _field(one) for one in self.old_plan.forms[number]}
        if {id: canonical(one) for id, one in wanted.items()} == {id: canonical(one) for id, one in asked.items()}:
            return
        form = _form_data(task)
        there = {one.get("id", ""): one for one in form.iterchildren(CAMUNDA + "formField")}
        # A form that an owner has made over is the owner's: the cell changes, the form does not.
        as_made = all(id in there and canonical(there[id]) == canonical(one) for id, one in asked.items())
        for id, one in asked.items():
            ours = id in there and canonical(there[id]) == canonical(one)
            if ours and id not in wanted:
                form.remove(there.pop(id))
            elif ours and canonical(wanted[id]) != canonical(one):
                there[id].addnext(wanted[id])
                form.remove(there[id])
        decisions = [id for id in wanted if id not in asked and id not in there and id in self._decided(row)]
        for n, id in enumerate(decisions):
            form.insert(n, wanted[id])
        fields = {one.id: one for one in self.plan.forms[row.number]}
        for id in wanted:
            if as_made and id not in asked and id not in there and id not in decisions:
                form.append(_field(self._sourced(fields[id], row)))

    def _sourced(self, one: Field, row: SopRow) -> Field:
        """A document that comes from where it is: a form above that its owner made over may not have it."""
        if one.slot is None or one.slot.origin in (None, "langkah"):
            return one
        above = [self.plan.tasks[other.number] for other in self.table.rows if other.number < row.number]
        if one.slot.origin in above and self._asks(one.slot.origin, one.id):
            return one
        origin = next((id for id in reversed(above) if self._asks(id, one.id)), None)
        if origin is None and self._asks(self.plan.start, one.id):
            origin = "mulai"
        slot = replace(one.slot, origin=origin) if origin or one.slot.role == "output" else replace(
            one.slot, origin="langkah")
        return replace(one, slot=replace(slot, version="sama" if origin else "baru") if slot.role == "output" else slot)

    def _asks(self, id: str, field: str) -> bool:
        """Whether the form of an element, as it is by now, has a field."""
        node = self.node(id)
        return node is not None and any(one.get("id") == field for one in node.iter(CAMUNDA + "formField"))

    def _decided(self, row: SopRow) -> tuple[str, ...]:
        id = self.plan.decisions.get(row.number)
        return (id, sop_forms.corrections(id)) if id else ()

    # Flows

    def _flows(self) -> None:
        drawn = {one.get("id", ""): one for one in self.process.iterchildren(BPMN + "sequenceFlow")}
        ours = {one.id for one in self.old_plan.ways} if self.old_plan else set()
        wanted = {one.id for one in self.plan.ways}
        for id in [one for one in ours - wanted if one in drawn]:
            self._remove(drawn.pop(id))
        last: etree._Element | None = None
        for way in self.plan.ways:
            node = drawn.get(way.id)
            if node is None:
                node = etree.Element(BPMN + "sequenceFlow", {
                    "id": way.id, **({"name": way.name} if way.name else {}),
                    "sourceRef": way.source, "targetRef": way.target})
                if way.id in self.plan.answers:
                    self._conditioned(node, way)
                self._insert(node, last if last is not None else self._last_element())
            elif (node.get("sourceRef"), node.get("targetRef")) != (way.source, way.target):
                node.set("sourceRef", way.source)
                node.set("targetRef", way.target)
            last = node
        self._ends_of_flows()

    def _last_element(self) -> etree._Element:
        """After what a first flow is written: flow elements stand before notes."""
        notes = {BPMN + name for name in ("textAnnotation", "association", "group")}
        return [one for one in self.process.iterchildren(etree.Element) if one.tag not in notes][-1]

    def _conditioned(self, node: etree._Element, way: Way) -> None:
        number = next(n for n, one in self.plan.stations.items() if one.gate == way.source)
        value = APPROVE if self.plan.answers[way.id] == YES else RETURN
        condition = etree.SubElement(node, BPMN + "conditionExpression", {XSI + "type": self._expression_type()})
        condition.text = f'={self.plan.decisions[number]} = "{value}"'

    def _ends_of_flows(self) -> None:
        """`incoming` and `outgoing` of every element that a changed flow touches."""
        coming: dict[str, list[str]] = {}
        going: dict[str, list[str]] = {}
        for flow in self.process.iterchildren(BPMN + "sequenceFlow"):
            going.setdefault(flow.get("sourceRef", ""), []).append(flow.get("id", ""))
            coming.setdefault(flow.get("targetRef", ""), []).append(flow.get("id", ""))
        for id in self.plan.nodes:
            node = self.node(id)
            assert node is not None, "every element is there by now"
            for tag, wanted in (("incoming", coming.get(id, [])), ("outgoing", going.get(id, []))):
                drawn = list(node.iterchildren(BPMN + tag))
                said = [(one.text or "").strip() for one in drawn]
                for one in drawn:
                    if (one.text or "").strip() not in wanted:
                        node.remove(one)
                for flow in wanted:
                    if flow not in said and (said or self.old is None or id not in self._kept()
                                             or not self._silent(node)):
                        new = etree.Element(BPMN + tag)
                        new.text = flow
                        before = {BPMN + name for name in (*_BEFORE_FLOWS, "incoming",
                                                           *(["outgoing"] if tag == "outgoing" else []))}
                        node.insert(sum(one.tag in before for one in node), new)

    def _kept(self) -> set[str]:
        return set(self.old_plan.nodes) if self.old_plan else set()

    def _silent(self, node: etree._Element) -> bool:
        """Whether a tool wrote this element that does not repeat the flows in it."""
        return node.find(BPMN + "incoming") is None and node.find(BPMN + "outgoing") is None

    # What names what is gone

    def _references(self, gone: set[str]) -> None:
        """Properties that name a lane or a step which is no more: the name goes, the rest stays."""
        lanes, last = self._gone_lanes, self.plan.tasks[self.table.rows[-1].number]
        for node in list(self.process.iter(CAMUNDA + "property")) if lanes or gone else ():
            name, value = gate.property_name(node), node.get("value", "")
            if name in _NAMES_LANES:
                stay = [one for one in listed(value) if one.partition(":")[0] not in lanes]
                if not stay and listed(value):
                    node.getparent().remove(node)
                elif len(stay) < len(listed(value)):
                    node.set("value", " ".join(stay))
            elif name in ("sop.asal", "sop.menyusul", "sop.tenggatUntuk") and value.strip() in gone:
                node.set("value", "langkah" if name == "sop.asal" else last)

    # The drawing

    def _picture(self) -> Picture:
        """What the file shows."""
        found = Picture()
        for shape in self.plane.iterchildren(BPMNDI + "BPMNShape"):
            id = shape.get("bpmnElement", "")
            if (box := _box(shape)) is not None:
                found.shapes[id] = box
            if (label := shape.find(BPMNDI + "BPMNLabel")) is not None and (box := _box(label)) is not None:
                found.labels[id] = box
        for edge in self.plane.iterchildren(BPMNDI + "BPMNEdge"):
            id = edge.get("bpmnElement", "")
            points = [(_number(one.get("x")), _number(one.get("y"))) for one in edge.iterchildren(DI + "waypoint")]
            if len(points) > 1:
                found.flows[id] = points
            if (label := edge.find(BPMNDI + "BPMNLabel")) is not None and (box := _box(label)) is not None:
                found.labels[id] = box
        return found

    def _names(self, names: Iterable[str]) -> dict[str, str]:
        wanted = set(names)
        return {one.get("id", ""): one.get("name", "") for one in self.root.iter(BPMN + "*")
                if one.get("id") in wanted and one.get("name")}

    def _drawing(self, before: Picture | None) -> None:
        pool = self.root.find(f"{BPMN}collaboration/{BPMN}participant")
        holder = self.table.key if pool is None else pool.get("id", "")
        course = self.plan.course(holder, {})
        ids = [holder, *course.lanes, *course.homes, *(way.id for way in course.ways)]
        course = replace(course, names=self._names(ids))
        now = sop_layout.laid_out(course)
        if before is not None and self.old_plan is not None:
            old = self.old_plan.course(holder, self._old_names())
            if holder not in before.shapes:                     # a process without a pool around it
                before.shapes[holder] = _around(before.shapes[id] for id in old.lanes if id in before.shapes)
            for id in old.lanes:                                # a lane that nobody drew
                before.shapes.setdefault(id, before.shapes[holder])
            now = sop_layout.carried(now, course, sop_layout.laid_out(old), old, before)
        if pool is None:
            now.shapes.pop(holder, None)
        _draw(self.plane, now, course, {id for node in self.root.iter(etree.Element) if (id := node.get("id"))})

    def _old_names(self) -> dict[str, str]:
        assert self.definition is not None and self.old is not None, "asked of an earlier diagram only"
        found = {one.id: one.name for one in self.definition.elements.values()}
        found |= {one.id: one.name for one in self.definition.lanes}
        return found | {one.id: one.name for one in self.definition.flows.values()}


# --- Pieces of XML ---------------------------------------------------------------------------------------------------

def _tree(data: bytes) -> etree._Element:
    root, findings = gate.opened(data)
    if root is None:
        raise DiagramError(findings)
    return root


def _box(around: etree._Element) -> Box | None:
    bounds = around.find(DC + "Bounds")
    return None if bounds is None else Box(*(_number(bounds.get(one)) for one in ("x", "y", "width", "height")))


def _around(boxes: Iterable[Box]) -> Box:
    found = list(boxes) or [Box(sop_layout.POOL_LEFT, sop_layout.POOL_TOP, 600, sop_layout.LANE)]
    left, top = min(one.x for one in found), min(one.y for one in found)
    return Box(left - sop_layout.HEADER, top, max(one.right for one in found) - left + sop_layout.HEADER,
               max(one.bottom for one in found) - top)


def _number(text: str | None) -> float:
    return float(text) if text and re.fullmatch(r"-?[0-9]{1,6}(\.[0-9]{1,20})?", text) else 0.0


def _timer_name(row: SopRow) -> str:
    return f"{in_words(row.norm)} kerja"


def _reordered(node: etree._Element, *first: str) -> None:
    """The attributes in another order: these first."""
    values = dict(node.attrib)
    node.attrib.clear()
    for name in [*first, *(one for one in values if one not in first)]:
        node.set(name, values[name])


def _documented(node: etree._Element, text: str) -> None:
    said = node.find(BPMN + "documentation")
    if said is None:
        said = etree.Element(BPMN + "documentation")
        node.insert(0, said)
    said.text = text


def _extension(node: etree._Element) -> etree._Element:
    found = node.find(BPMN + "extensionElements")
    if found is None:
        found = etree.Element(BPMN + "extensionElements")
        node.insert(sum(one.tag == BPMN + "documentation" for one in node), found)
    return found


def _form_data(node: etree._Element) -> etree._Element:
    around = _extension(node)
    found = around.find(CAMUNDA + "formData")
    if found is None:
        found = etree.Element(CAMUNDA + "formData")
        around.insert(0, found)
    return found


def _property(node: etree._Element, name: str) -> str | None:
    return next((one.get("value", "") for one in node.iterfind(
        f"{BPMN}extensionElements/{CAMUNDA}properties/{CAMUNDA}property") if gate.property_name(one) == name), None)


def _set_property(node: etree._Element, name: str, value: str | None) -> None:
    """Sets a property of an element; None removes it."""
    around = _extension(node)
    properties = around.find(CAMUNDA + "properties")
    if properties is None:
        properties = etree.SubElement(around, CAMUNDA + "properties")
    for one in properties.iterchildren(CAMUNDA + "property"):
        if gate.property_name(one) == name:
            if value is None:
                properties.remove(one)
            else:
                one.set("value", value)
            return
    if value is not None:
        etree.SubElement(properties, CAMUNDA + "property", name=name, value=value)


def _field(one: Field) -> etree._Element:
    """A field as Camunda's form data says it."""
    node = etree.Element(CAMUNDA + "formField", {
        "id": one.id, "label": one.label, "type": one.type,
        **({"defaultValue": one.initial} if one.initial is not None else {})})
    said: dict[str, str] = {f"kolom.{column.id}": _column(column) for column in one.columns}
    for name, value in (("sop.petunjuk", one.hint), ("sop.keputusan", "ya" if one.decision else None),
                        ("sop.wajibJika", one.required_if and f"={one.required_if}"),
                        ("sop.tampilJika", one.shown_if and f"={one.shown_if}"),
                        ("sop.barisDari", " ".join(one.rows_from) or None)):
        said |= {name: value} if value else {}
    if one.slot is not None:
        said["sop.peran"] = one.slot.role
        said |= {"sop.asal": one.slot.origin} if one.slot.origin else {}
        said |= {"sop.bentuk": " ".join(one.slot.forms), "sop.jumlah": "banyak" if one.slot.many else "1"}
        said |= {"sop.versi": one.slot.version} if one.slot.role == "output" else {}
    said |= {"sop.sumber": one.source} if one.source else {}
    if said:
        properties = etree.SubElement(node, CAMUNDA + "properties")
        for name, value in said.items():
            etree.SubElement(properties, CAMUNDA + "property", id=name, value=value)
    if one.required:
        validation = etree.SubElement(node, CAMUNDA + "validation")
        etree.SubElement(validation, CAMUNDA + "constraint", name="required")
    for choice in one.choices:
        etree.SubElement(node, CAMUNDA + "value", id=choice.value, name=choice.label)
    return node


def _column(one: Column) -> str:
    need = "wajib" if one.required else "baca" if one.readonly else (
        f"wajib jika {one.required_if}" if one.required_if else "tidak")
    choices = "; ".join(f"{choice.value}={choice.label}" for choice in one.choices)
    return " | ".join([one.label, one.type, need, *([choices] if choices else [])])


Canonical = tuple[str, tuple[tuple[str, str], ...], str, tuple["Canonical", ...]]


def canonical(node: etree._Element) -> Canonical:
    """What two writers of the same element agree on: name, attributes, text, and what stands in it."""
    return (node.tag, tuple(sorted(node.attrib.items())), (node.text or "").strip(),
            tuple(canonical(one) for one in node.iterchildren(etree.Element)))


def _draw(plane: etree._Element, picture: Picture, course: Course, taken: set[str]) -> None:
    """Brings the drawing to the picture: what is the same stays as it is written."""
    drawn = {one.get("bpmnElement", ""): one for one in plane.iterchildren(etree.Element)}
    flows = {way.id for way in course.ways}
    gates = {id for one in course.stations for id in (one.merge, one.gate) if id}
    order = [course.pool, *course.lanes, course.start,
             *(id for one in course.stations for id in (one.merge, one.task, one.gate, one.end) if id),
             *(one.reminder for one in course.stations if one.reminder),
             *(one.timer for one in course.stations if one.timer), *(way.id for way in course.ways)]
    known = {*picture.shapes, *picture.flows}
    for id, node in drawn.items():
        if id not in known:
            plane.remove(node)
    for id in [*order, *(one for one in known if one not in order)]:
        if id not in known:
            continue
        node = drawn.get(id)
        if node is None:
            own = next(one for one in (f"{id}_di", *(f"{id}_di_{n}" for n in range(2, 99))) if one not in taken)
            taken.add(own)
            node = etree.SubElement(plane, BPMNDI + ("BPMNEdge" if id in flows else "BPMNShape"), id=own,
                                    bpmnElement=id)
            if id == course.pool or id in course.lanes:
                node.set("isHorizontal", "true")
            if id in gates:
                node.set("isMarkerVisible", "true")
        if id in picture.flows:
            _lined(node, picture.flows[id])
        else:
            _boxed(node, picture.shapes[id])
        _labelled(node, picture.labels.get(id))


def _lined(edge: etree._Element, points: list[tuple[float, float]]) -> None:
    drawn = list(edge.iterchildren(DI + "waypoint"))
    if [(_number(one.get("x")), _number(one.get("y"))) for one in drawn] == points:
        return
    for one in drawn:
        edge.remove(one)
    for n, (x, y) in enumerate(points):
        node = etree.Element(DI + "waypoint", x=_said(x), y=_said(y))
        edge.insert(n, node)


def _boxed(around: etree._Element, box: Box) -> None:
    bounds = around.find(DC + "Bounds")
    if bounds is None:
        bounds = etree.Element(DC + "Bounds")
        around.insert(0, bounds)
    for name in ("x", "y", "width", "height"):
        if bounds.get(name) is None or _number(bounds.get(name)) != getattr(box, name):
            bounds.set(name, _said(getattr(box, name)))


def _labelled(node: etree._Element, box: Box | None) -> None:
    label = node.find(BPMNDI + "BPMNLabel")
    if box is None:
        return
    if label is None:
        label = etree.SubElement(node, BPMNDI + "BPMNLabel")
    _boxed(label, box)


def _said(number: float) -> str:
    return str(int(number)) if number == int(number) else f"{number:.2f}".rstrip("0")


# --- The writer ------------------------------------------------------------------------------------------------------

def written(root: etree._Element) -> bytes:
    """A tree as text, the way modelers write it: two spaces, one element a line, nothing lost but the space between."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    _write(root, 0, {}, lines)
    return ("\n".join(lines) + "\n").encode()


def _write(node: etree._Element, depth: int, around: Mapping[str | None, str], lines: list[str]) -> None:
    space = "  " * depth
    if not isinstance(node.tag, str):
        lines.append(f"{space}<!--{node.text}-->")
        return
    name = _name(node.tag, node.nsmap, node.prefix)
    head = [name]
    head += [f'xmlns{":" + prefix if prefix else ""}="{_attribute(uri)}"'
             for prefix, uri in node.nsmap.items() if around.get(prefix) != uri]
    head += [f'{_name(one, node.nsmap)}="{_attribute(value)}"' for one, value in node.attrib.items()]
    opening = f"{space}<{' '.join(head)}"
    children = list(node)
    if children:
        lines.append(opening + ">")
        for one in children:
            _write(one, depth + 1, node.nsmap, lines)
        lines.append(f"{space}</{name}>")
    elif node.text and (node.text.strip() or node.tag in gate.TEXTS):
        lines.append(f"{opening}>{_text(node.text)}</{name}>")
    else:
        lines.append(opening + " />")


def _name(tag: str, nsmap: Mapping[str | None, str], prefix: str | None = None) -> str:
    if not tag.startswith("{"):
        return tag
    uri, _, local = tag[1:].partition("}")
    if prefix is None or nsmap.get(prefix) != uri:
        # An attribute has no default namespace: it needs a prefix.
        prefix = next((one for one, known in nsmap.items() if known == uri and one is not None), None)
    return f"{prefix}:{local}" if prefix else local


def _text(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def _attribute(value: str) -> str:
    return _text(value).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
