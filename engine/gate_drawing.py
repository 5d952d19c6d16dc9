"""The gate's last door: a process is drawn as it runs. Staff see the picture, the engine runs the process; they say
the same, or the diagram is refused.

Every element and flow is drawn once, where it belongs, large enough and in colours that can be seen; nothing is drawn
that is not there; nothing covers what people go by.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from .definition import ProcessDefinition, SequenceFlow
from .gate import (
    BIOC,
    BPMN,
    BPMNDI,
    COLOR,
    DC,
    DI,
    EDGE,
    FLOW_NODES,
    SMALLEST,
    Judged,
    is_event_subprocess,
    quoted,
)

MOST_COVERED = 0.2              # of the smaller of two shapes
INSIDE = 0.9                    # of a shape: so much of it lies in the box of its subprocess
FEWEST_CONTRAST = 1.25          # of a line to what it stands on; black on white has 21
MOST_POINTS = 500               # of one line
MOST_OTHERS = 200               # shapes of notes, data and other pools
_NUMBER = re.compile(r"-?[0-9]{1,6}(\.[0-9]{1,20})?")
_DRAWN_AS_SHAPES = FLOW_NODES | {BPMN + name for name in (
    "participant", "lane", "textAnnotation", "group", "dataObjectReference", "dataStoreReference", "dataObject")}
_DRAWN_AS_EDGES = frozenset(BPMN + name for name in (
    "sequenceFlow", "association", "messageFlow", "dataInputAssociation", "dataOutputAssociation"))


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

    def on_edge(self, point: tuple[float, float]) -> bool:
        """Whether the point is so near its edge that nobody takes it to lie inside."""
        return self.holds(point, margin=EDGE) and not self.holds(point, margin=-EDGE)

    def shared(self, other: Box) -> float:
        """The area that both cover."""
        width = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        height = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        return width * height if width > 0 and height > 0 else 0.0


def of_drawing(it: Judged, root: etree._Element) -> None:
    """What is to be said of the drawing of a definition."""
    _numbers(it, root)
    plane = root.find(f"{BPMNDI}BPMNDiagram/{BPMNDI}BPMNPlane")
    if plane is None:
        it.error(it.definition.key, "Diagram tidak memuat gambar. Buka dan simpan di pemodel, sehingga setiap unsur "
                                    "tergambar.",
                 "The diagram has no drawing. Open and save it in a modeler, so that every element is drawn.")
        return
    around = root.find(BPMN + "collaboration")
    expected = it.definition.key if around is None else around.get("id")
    if plane.get("bpmnElement") != expected:
        it.error(it.definition.key, f"Gambar menunjuk {quoted(plane.get('bpmnElement', ''))}, bukan "
                                    f"{quoted(expected or '')}. Simpan ulang dari pemodel.",
                 f"The drawing is of {quoted(plane.get('bpmnElement', ''))}, not of {quoted(expected or '')}. Save it "
                 "again in a modeler.", plane.sourceline or 0)
    kinds = {one.get("id", ""): one.tag for one in root.iter(BPMN + "*")}
    boxes = _boxes(it, plane, kinds)
    _all_drawn(it, boxes, root)
    _open(it, plane, boxes)
    _in_lanes(it, boxes, root)
    _apart(it, boxes, kinds, root)
    _edges(it, plane, boxes, kinds, root)
    _colours(it, plane)


def _numbers(it: Judged, root: etree._Element) -> None:
    for node in root.iter(DC + "Bounds", DI + "waypoint"):
        names = ("x", "y", "width", "height") if node.tag == DC + "Bounds" else ("x", "y")
        if not all(_NUMBER.fullmatch(node.get(one, "")) for one in names):
            drawn = next((one for one in node.iterancestors() if one.get("bpmnElement")), None)
            id = it.definition.key if drawn is None else drawn.get("bpmnElement", "")
            it.error(id, f"Letak atau ukuran gambar {it.named(id)} bukan angka yang wajar. Geser unsur itu di pemodel "
                         "lalu simpan ulang.",
                     f"The place or size of the drawing of {it.in_english(id)} is no sensible number. Move that "
                     "element in "
                     "the modeler and save.", node.sourceline or 0)


def _boxes(it: Judged, plane: etree._Element, kinds: Mapping[str, str]) -> dict[str, Box]:
    boxes: dict[str, Box] = {}
    for shape in plane.iterchildren(BPMNDI + "BPMNShape"):
        id, bounds = shape.get("bpmnElement", ""), shape.find(DC + "Bounds")
        values = [] if bounds is None else [bounds.get(name, "") for name in ("x", "y", "width", "height")]
        if id in boxes:
            it.error(id, f"{it.named(id)} tergambar lebih dari sekali. Hapus salah satu gambarnya.",
                     f"{it.in_english(id)} is drawn more than once. Delete one of its shapes.", shape.sourceline or 0)
        elif kinds.get(id) not in _DRAWN_AS_SHAPES:
            it.error(id, f"Ada gambar untuk {quoted(id)}, yang tidak ada di dalam proses. Hapus gambar itu.",
                     f"There is a shape of {quoted(id)}, which is not in the process. Delete that shape.",
                     shape.sourceline or 0)
        elif values and all(_NUMBER.fullmatch(one) for one in values):
            boxes[id] = Box(*map(float, values))
    return boxes


def _all_drawn(it: Judged, boxes: Mapping[str, Box], root: etree._Element) -> None:
    ids = [*it.definition.elements, *(lane.id for lane in it.definition.lanes)]
    if it.definition.deadline:
        ids += [one.get("id", "") for node in _deadlines(root) for one in node.iter(*FLOW_NODES)]
    for id in dict.fromkeys(ids):
        box = boxes.get(id)
        if box is None:
            it.error(id, f"{it.named(id)} tidak tergambar, sehingga tidak terlihat oleh siapa pun. Gambarkan di "
                         "pemodel.",
                     f"{it.in_english(id)} is not drawn, so that nobody sees it. Draw it in the modeler.")
        elif box.width < SMALLEST or box.height < SMALLEST:
            it.error(id, f"{it.named(id)} tergambar terlalu kecil untuk dilihat. Perbesar paling sedikit {SMALLEST} "
                         "satuan.",
                     f"{it.in_english(id)} is drawn too small to be seen. Make it at least {SMALLEST} units large.")


def _deadlines(root: etree._Element) -> list[etree._Element]:
    return [one for one in root.iter(BPMN + "subProcess") if is_event_subprocess(one)]


def _open(it: Judged, plane: etree._Element, boxes: Mapping[str, Box]) -> None:
    """A subprocess is drawn open, with all that stands in it inside its box: what is folded runs unseen."""
    for shape in plane.iterchildren(BPMNDI + "BPMNShape"):
        one = it.definition.elements.get(shape.get("bpmnElement", ""))
        if one and one.kind == "subProcess" and shape.get("isExpanded", "true") != "true":
            it.error(one.id, f"{it.said(one.id)} tergambar tertutup, sehingga langkah di dalamnya tidak "
                             "terlihat. Buka (expand) di pemodel, sehingga semuanya tergambar di dalam kotaknya.",
                     f"{it.said_in_english(one.id)} is drawn folded, so that the steps in it are not seen. "
                     "Expand it in the modeler, so that all is drawn inside its box.", shape.sourceline or 0)
    for one in it.definition.elements.values():
        box, around = boxes.get(one.id), boxes.get(one.within or "")
        if box and around and one.kind != "boundaryEvent" and not (
                box.shared(around) >= INSIDE * box.width * box.height and around.holds(box.centre)
                and box.width <= around.width and box.height <= around.height):
            it.error(one.id, f"{it.named(one.id)} berada di dalam {it.said(one.within or '')}, tetapi "
                             "tergambar di luar kotaknya. Geser ke dalam kotak itu atau perbesar kotaknya.",
                     f"{it.in_english(one.id)} stands in {it.said_in_english(one.within or '')} but is drawn outside "
                     "of its box. Move it into that box or make the box larger.")


def _in_lanes(it: Judged, boxes: Mapping[str, Box], root: etree._Element) -> None:
    lanes = {lane.id: boxes[lane.id] for lane in it.definition.lanes if lane.id in boxes}
    names = {lane.id: lane.name for lane in it.definition.lanes}
    placed = {(one.text or "").strip() for one in root.iter(BPMN + "flowNodeRef")}
    for one in it.definition.elements.values():
        box, host = boxes.get(one.id), boxes.get(one.attached_to or "")
        if box is None:
            continue
        if one.kind == "boundaryEvent":
            # A subprocess is large: what stands in the middle of it is seen as a step of its own.
            large = one.attached_to in it.definition.inside
            if host and not (host.on_edge(box.centre) if large else host.holds(box.centre, margin=EDGE)):
                it.error(one.id, f"{it.said(one.id)} tergambar jauh dari "
                                 f"{it.named(one.attached_to or '')}, tempatnya menempel. Tempelkan kembali di "
                                 "pemodel.",
                         f"{it.said_in_english(one.id)} is drawn far from {it.in_english(one.attached_to or '')}, "
                         "to which it is attached. Attach it again in the modeler.")
        elif one.lane in lanes and (one.within is None or one.kind == "userTask" or one.id in placed):
            drawn = [id for id, lane in lanes.items() if lane.holds(box.centre)]
            if drawn != [one.lane]:
                seen = [quoted(names[id]) for id in drawn]
                it.error(one.id, f"{it.named(one.id)} tercantum di lane {quoted(names[one.lane])}, tetapi tergambar "
                                 f"di {', '.join(seen) or 'di luar semua lane'}. Geser ke dalam lane-nya lalu simpan "
                                 "ulang.",
                         f"{it.in_english(one.id)} is listed in the lane {quoted(names[one.lane])} but drawn in "
                         f"{', '.join(seen) or 'no lane at all'}. Move it into its lane and save.")
    pool = next((boxes.get(one.get("id", "")) for one in root.iter(BPMN + "participant")
                 if one.get("processRef") is not None), None)
    for id, lane in lanes.items() if pool else ():
        if pool and not pool.holds(lane.centre):
            it.error(id, f"Lane {quoted(names[id])} tergambar di luar bidang proses (pool). Geser ke dalamnya lalu "
                         "simpan "
                         "ulang.",
                     f"The lane {quoted(names[id])} is drawn outside the pool of its process. Move it into the pool "
                     "and "
                     "save.")


def _apart(it: Judged, boxes: Mapping[str, Box], kinds: Mapping[str, str], root: etree._Element) -> None:
    """Nothing covers an element: no other element, no drawn data, no box of another pool or of the deadline."""
    outside = {one.get("id", "") for one in root.iter(BPMN + "participant") if one.get("processRef") is None}
    note = BPMN + "textAnnotation"
    data = {note} | {BPMN + name for name in ("dataObjectReference", "dataStoreReference", "dataObject")}
    elements = [id for id in it.definition.elements if id in boxes]
    around = {id: it.definition.around(id) for id in elements}
    others = [id for id in boxes if id not in it.definition.elements
              and (kinds[id] in data or id in outside or kinds[id] == BPMN + "subProcess")]
    for id in others[MOST_OTHERS:][:1]:
        it.error(id, f"Di samping prosesnya tergambar lebih dari {MOST_OTHERS} catatan, data dan bidang proses lain. "
                     "Kurangi.",
                 f"Beside the process more than {MOST_OTHERS} notes, data and other pools are drawn. Draw fewer.")
    for n, id in enumerate(elements + others[:MOST_OTHERS]):
        box, host = boxes[id], it.definition.elements[id].attached_to if id in it.definition.elements else None
        for other in elements[:n]:
            shared, area = box.shared(boxes[other]), boxes[other].width * boxes[other].height
            if not shared or other in around.get(id, ()) or id in around[other]:
                continue            # what stands in a subprocess is drawn in it
            # A note is seen through: it misleads where its text stands in place of the element's. Data in a subprocess
            # hides little of it.
            most = area / 2 if kinds[id] == note else area * MOST_COVERED if (
                kinds[id] in data and kinds[other] == BPMN + "subProcess") else (
                min(area, box.width * box.height) * MOST_COVERED)
            if shared > most and other != host and it.definition.elements[other].attached_to != id:
                it.error(id, f"Gambar {it.named(id)} menutupi {it.named(other)}. Geser salah satunya.",
                         f"The drawing of {it.in_english(id)} covers {it.in_english(other)}. Move one of them.")


def _edges(it: Judged, plane: etree._Element, boxes: Mapping[str, Box], kinds: Mapping[str, str],
           root: etree._Element) -> None:
    edges: dict[str, etree._Element] = {}
    for edge in plane.iterchildren(BPMNDI + "BPMNEdge"):
        id = edge.get("bpmnElement", "")
        if edges.setdefault(id, edge) is not edge:
            it.error(id, "Panah ini tergambar lebih dari sekali. Hapus salah satu gambarnya.",
                     "This flow is drawn more than once. Delete one of its drawings.", edge.sourceline or 0)
        elif kinds.get(id) not in _DRAWN_AS_EDGES:
            it.error(id, f"Ada gambar panah untuk {quoted(id)}, yang tidak ada di dalam proses. Hapus gambar itu.",
                     f"There is a drawing of a flow {quoted(id)}, which is not in the process. Delete that drawing.",
                     edge.sourceline or 0)
    elements = {id: boxes[id] for id in it.definition.elements if id in boxes}
    for flow in (*it.definition.flows.values(), *_flows_of_others(root)):
        edge = edges.get(flow.id)
        if edge is None and flow.id not in it.definition.flows:
            continue            # a message, or what its shape says already: nobody goes by it
        if edge is None:
            it.error(flow.id, f"{it.flow(flow)} tidak tergambar, sehingga tidak terlihat oleh "
                              "siapa "
                              "pun. Gambarkan di pemodel.",
                     f"{it.flow_in_english(flow)} is not drawn, so that nobody sees it. Draw it in the "
                     "modeler.", flow.line)
            continue
        points = [(one.get("x", ""), one.get("y", "")) for one in edge.iterchildren(DI + "waypoint")]
        if len(points) < 2 or not all(_NUMBER.fullmatch(x) and _NUMBER.fullmatch(y) for x, y in points):
            it.error(flow.id, f"{it.flow(flow)} tergambar tanpa titik awal dan akhir. Gambarkan "
                              "ulang di pemodel.",
                     f"{it.flow_in_english(flow)} is drawn without where it begins and ends. Draw it "
                     "again "
                     "in the modeler.", edge.sourceline or 0)
            continue
        if len(points) > MOST_POINTS:
            it.error(flow.id, f"{it.flow(flow)} tergambar dengan {len(points)} titik; paling "
                              "banyak "
                              f"{MOST_POINTS}. Gambarkan ulang di pemodel.",
                     f"{it.flow_in_english(flow)} is drawn with {len(points)} points; at most "
                     f"{MOST_POINTS} "
                     "are read. Draw it again in the modeler.", edge.sourceline or 0)
            continue
        for id, (x, y) in ((flow.source, points[0]), (flow.target, points[-1])):
            if id in boxes and not _touches(it.definition, id, (float(x), float(y)), boxes[id], elements):
                it.error(flow.id, f"Gambar {it.flow(flow)} tidak menyentuh {it.named(id)}, "
                                  "padahal panah itu menghubungkannya. Sambungkan kembali di pemodel.",
                         f"The drawing of {it.flow_in_english(flow)} does not touch {it.in_english(id)}, which "
                         "it joins. Join it again in the modeler.", edge.sourceline or 0)


def _touches(definition: ProcessDefinition, id: str, point: tuple[float, float], box: Box,
             elements: Mapping[str, Box]) -> bool:
    """Whether a line ends at its element: on it (on the edge of a subprocess, not at a step in it), or so near that
    nobody takes it for another's."""
    one = definition.elements.get(id)
    if box.holds(point):
        return one is None or one.kind != "subProcess" or box.on_edge(point)
    around = () if one is None else definition.around(id)
    return box.holds(point, margin=EDGE) and not any(
        other.holds(point, margin=-1) for at, other in elements.items() if at not in around)


def _flows_of_others(root: etree._Element) -> Iterator[SequenceFlow]:
    """The flows that are no part of the definition: inside the deadline, and messages to other pools."""
    inside = [one for node in _deadlines(root) for one in node.iterchildren(BPMN + "sequenceFlow")]
    for one in [*inside, *root.iter(BPMN + "messageFlow")]:
        yield SequenceFlow(id=one.get("id", ""), source=one.get("sourceRef", ""), target=one.get("targetRef", ""),
                           name=one.get("name", ""), line=one.sourceline or 0)


# Colours

_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_RGB = re.compile(r"rgb\(\s{0,3}([0-9]{1,3})\s{0,3},\s{0,3}([0-9]{1,3})\s{0,3},\s{0,3}([0-9]{1,3})\s{0,3}\)")
_NAMES = {"black": "#000", "white": "#fff", "red": "#f00", "green": "#008000", "blue": "#00f", "yellow": "#ff0",
          "orange": "#ffa500", "purple": "#800080", "gray": "#808080", "grey": "#808080", "navy": "#000080",
          "teal": "#008080", "maroon": "#800000", "olive": "#808000", "silver": "#c0c0c0", "lime": "#0f0",
          "aqua": "#0ff", "cyan": "#0ff", "fuchsia": "#f0f", "magenta": "#f0f", "brown": "#a52a2a", "pink": "#ffc0cb"}
_STROKES = (BIOC + "stroke", COLOR + "border-color")
_FILLS = (BIOC + "fill", COLOR + "background-color")


def _light(text: str) -> float | None:
    """The relative luminance (0 to 1) of a colour that a drawing names, None if it is none.

    Source: WCAG 2.2, relative luminance.
    """
    text = _NAMES.get(text.casefold(), text)
    if _HEX.fullmatch(text):
        digits = text[1:] if len(text) == 7 else "".join(2 * one for one in text[1:])
        parts = [int(digits[n:n + 2], 16) for n in (0, 2, 4)]
    elif found := _RGB.fullmatch(text):
        parts = [min(int(one), 255) for one in found.groups()]
    else:
        return None
    linear = [one / 255 / 12.92 if one <= 10 else ((one / 255 + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _colours(it: Judged, plane: etree._Element) -> None:
    """Colours are colours (no addresses that a browser would fetch), and a line is seen on what it is drawn on."""
    for node in plane.iter(BPMNDI + "BPMNShape", BPMNDI + "BPMNEdge", BPMNDI + "BPMNLabel"):
        colours = {name: value for name, value in node.attrib.items() if name.startswith((BIOC, COLOR))}
        if not colours:
            continue
        shown = node if node.get("bpmnElement") else node.getparent()
        id, line = shown.get("bpmnElement", ""), node.sourceline or 0
        lights = {name: _light(value) for name, value in colours.items()}
        if wrong := next((name for name, light in lights.items() if light is None), None):
            it.error(id, f"Warna {quoted(colours[wrong])} pada gambar {it.named(id)} bukan warna biasa. Tulis misalnya "
                         "#1e88e5, atau hapus.",
                     f"The colour {quoted(colours[wrong])} of the drawing of {it.in_english(id)} is no plain colour. "
                     "Write "
                     "one such as #1e88e5, or delete it.", line)
            continue
        # A line stands on the white page, what is in a shape on its fill, a label on that of its shape.
        fills = {name: _light(shown.get(name, "")) for name in _FILLS}
        below = 1.0 if shown.tag == BPMNDI + "BPMNEdge" else _first(fills, _FILLS, 1.0)
        if _contrast(_first(lights, _STROKES, 0.0), below) < FEWEST_CONTRAST or (
                COLOR + "color" in colours and _contrast(lights[COLOR + "color"] or 0.0, below) < FEWEST_CONTRAST):
            it.error(id, f"Gambar {it.named(id)} berwarna sama dengan latarnya, sehingga tidak terlihat. Pilih warna "
                         "yang terlihat.",
                     f"The drawing of {it.in_english(id)} has the colour of its background, so that nobody sees it. "
                     "Choose a "
                     "colour that is seen.", line)


def _first(lights: Mapping[str, float | None], names: Iterable[str], otherwise: float) -> float:
    return next((light for name in names if (light := lights.get(name)) is not None), otherwise)


def _contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)
