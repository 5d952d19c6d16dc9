"""Where everything of an SOP's diagram is drawn: lanes, a grid of tasks, orthogonal flows. Geometry only, no XML.

`laid_out` draws a whole diagram anew: the rows of the table from left to right, one column each, every performer a
lane, returns over the top of the pool so that nothing crosses them. `carried` keeps what somebody moved by hand: how
far a shape stood from where it would have been laid stays the same when rows come and go beside it. Units are those of
the drawing (pixels at 100 %); y grows downwards.
"""
from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

Point = tuple[float, float]

POOL_LEFT, POOL_TOP = 160, 80
HEADER = 30                     # of a pool and of a lane: its name, written upwards
START, FIRST, COLUMN = 272, 405, 165
TASK_WIDTH, TASK_HEIGHT = 140, 90
EVENT, GATEWAY = 36, 50
LANE, ABOVE = 225, 50           # the height of a lane, and what it leaves free above its tasks
TO_END = 116                    # from the middle of the last element to that of the end event
MARGIN = 36                     # right of the last element
CHANNEL = 12                    # between two flows that run side by side above or below the lanes
LETTER, LINE = 6.5, 14          # a letter's mean width in a wide font; the height of a line of a label


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def cx(self) -> float:
        return self.x + self.width / 2

    @property
    def cy(self) -> float:
        return self.y + self.height / 2

    def moved(self, dx: float, dy: float) -> Box:
        return replace(self, x=self.x + dx, y=self.y + dy)

    def meets(self, other: Box) -> bool:
        return (self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom)


@dataclass(frozen=True, kw_only=True)
class Station:
    """What is drawn of one row of the table, by BPMN ids; None is not drawn."""
    lane: str
    task: str
    timer: str | None = None
    reminder: str | None = None
    merge: str | None = None            # the gateway before the task, where flows come together
    gate: str | None = None             # the gateway after it, where one is decided
    end: str | None = None

    @property
    def entry(self) -> str:
        return self.merge or self.task

    @property
    def exit(self) -> str:
        return self.gate or self.task


@dataclass(frozen=True)
class Way:
    """A sequence flow between elements of stations, or from the start event."""
    id: str
    source: str
    target: str
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Course:
    """All that has to be laid out."""
    pool: str
    lanes: tuple[str, ...]
    start: str
    stations: tuple[Station, ...]
    ways: tuple[Way, ...]               # the timers' own flows too
    names: Mapping[str, str]            # of pool, lanes and elements

    @property
    def homes(self) -> dict[str, str]:
        """The lane of every element."""
        found = {self.start: self.stations[0].lane}
        for one in self.stations:
            for id in (one.merge, one.task, one.timer, one.reminder, one.gate, one.end):
                if id is not None:
                    found[id] = one.lane
        return found


@dataclass
class Picture:
    """Boxes of shapes and labels, and the points of flows, by BPMN id."""
    shapes: dict[str, Box] = field(default_factory=dict)
    labels: dict[str, Box] = field(default_factory=dict)
    flows: dict[str, list[Point]] = field(default_factory=dict)


def laid_out(course: Course) -> Picture:
    """The whole diagram, drawn anew."""
    return _Layout(course).drawn()


class _Layout:
    """One laying out. `far` are the ways that leave the row of neighbours: they run above (or below) all lanes."""

    def __init__(self, course: Course):
        self.course = course
        self.picture = Picture()
        self.homes = course.homes
        self.lanes = {id: n for n, id in enumerate(course.lanes)}
        self.places = {id: n for n, one in enumerate(course.stations)
                       for id in (one.merge, one.task, one.gate, one.end) if id is not None}
        self.kinds = {one.task: "task" for one in course.stations}
        self.kinds |= {id: "gateway" for one in course.stations for id in (one.merge, one.gate) if id}
        self.near, self.over, self.under = self._sorted_ways()
        self.columns = self._columns()
        self.used: dict[str, set[str]] = {}             # element -> sides where a flow touches it

    # Which way goes where

    def _sorted_ways(self) -> tuple[list[Way], list[Way], list[Way]]:
        """The ways between neighbours, those over the top and those below."""
        near: list[Way] = []
        far: list[Way] = []
        for way in self.course.ways:
            if way.source in self.places or way.source == self.course.start:
                (near if self._neighbours(way) else far).append(way)
        over: list[Way] = []
        under: list[Way] = []
        # "Tidak" first: it is the one that people look for above.
        for way in sorted(far, key=lambda one: one.name == "Ya"):
            twin = any(other.source == way.source for other in over)
            tangled = any(self._tangled(way, other) for other in over)
            free = not any(self._tangled(way, other) or other.target == way.target for other in under)
            (under if (twin or (tangled and free)) and way.source not in self._tasks() else over).append(way)
        return near, over, under

    def _tasks(self) -> set[str]:
        return {one.task for one in self.course.stations}

    def _neighbours(self, way: Way) -> bool:
        stations = self.course.stations
        if way.source == self.course.start:
            return True
        n = self.places[way.source]
        below = stations[n + 1].entry if n + 1 < len(stations) else None
        return (way.target in (stations[n].gate, stations[n].end, below)
                or (way.source == stations[n].merge and way.target == stations[n].task))

    def _span(self, way: Way) -> tuple[float, float]:
        """From the first to the last column that a far way passes; a gateway stands right of its row's task."""
        ends = sorted((self.places[way.source] + 0.5, self.places[way.target] - 0.0))
        return ends[0], ends[1]

    def _tangled(self, one: Way, other: Way) -> bool:
        """Whether two far ways above the same lanes would cross: each begins inside the other, and goes out of it."""
        (a, b), (c, d) = self._span(one), self._span(other)
        return one.target != other.target and (a < c < b < d or c < a < d < b)

    # Columns and lanes

    def _columns(self) -> dict[str, float]:
        """The middle of every element, from left to right."""
        stations, found, x = self.course.stations, {self.course.start: float(START)}, float(FIRST)
        direct = {(way.source, way.target) for way in self.near}
        below = {way.source for way in self.under}
        for n, one in enumerate(stations):
            if one.merge:
                found[one.merge] = x
                x += COLUMN
            found[one.task] = last = x
            if one.gate:
                found[one.gate] = last = x + COLUMN
            following = stations[n + 1] if n + 1 < len(stations) else None
            if one.end:
                found[one.end] = last + (COLUMN if following else TO_END)
            if (one.gate and following and not following.merge and (one.gate, following.task) in direct
                    and self.lanes[following.lane] > self.lanes[one.lane] and one.gate not in below):
                x = last                # straight under the gateway
            else:
                x = last + COLUMN * (2 if one.end and following else 1)
            for id in (one.timer, one.reminder):
                if id:
                    found[id] = found[one.task] - TASK_WIDTH / 2 + 25
        return found

    def _levels(self, ways: list[Way]) -> dict[str, int]:
        """How many channels from the lanes each far way runs: a longer one outside a shorter one."""
        spans = {way.id: sorted((self.columns[way.source], self.columns[way.target])) for way in ways}
        found: dict[str, int] = {}
        for way in sorted(ways, key=lambda one: spans[one.id][1] - spans[one.id][0]):
            left, right = spans[way.id]
            inside = [level for id, level in found.items() if spans[id][0] <= right and left <= spans[id][1]]
            found[way.id] = max(inside, default=-1) + 1
        return found

    def drawn(self) -> Picture:
        over, under = self._levels(self.over), self._levels(self.under)
        channels = max(over.values(), default=-1) + 1
        higher = CHANNEL * max(0, channels - 3)
        deeper = CHANNEL * (max(under.values(), default=-1) + 2) if under else 0
        course, names = self.course, self.course.names
        room = max([_tall(names.get(id, "")) for id in course.lanes] + [_tall(names.get(course.pool, ""))
                                                                        / len(course.lanes)])
        height = max(LANE + higher + deeper, math.ceil(room))
        shapes = self.picture.shapes
        for id, x in self.columns.items():
            shapes[id] = self._box(id, x, POOL_TOP + self.lanes[self.homes[id]] * height + ABOVE + higher)
        width = max(one.right for one in shapes.values()) + MARGIN - POOL_LEFT
        shapes[course.pool] = Box(POOL_LEFT, POOL_TOP, width, height * len(course.lanes))
        for id, n in self.lanes.items():
            shapes[id] = Box(POOL_LEFT + HEADER, POOL_TOP + n * height, width - HEADER, height)
        # One runs where the eye expects it; several share the space above the tasks.
        step, lowest = (CHANNEL, ABOVE + higher - 16) if channels > 1 else (0, 22)
        for way in self.over:
            self._far(way, "top", POOL_TOP + lowest - step * over[way.id])
        for way in self.under:
            floor = POOL_TOP + height * len(course.lanes)
            self._far(way, "bottom", floor - CHANNEL * (max(under.values()) - under[way.id] + 1))
        for way in self.near:
            self._near(way)
        for way in course.ways:
            if way.id not in self.picture.flows:            # a timer's own, straight down
                source, target = shapes[way.source], shapes[way.target]
                self.picture.flows[way.id] = [(source.cx, source.bottom), (target.cx, target.y)]
        self._labels()
        return self.picture

    def _box(self, id: str, x: float, top: float) -> Box:
        station = next((one for one in self.course.stations if id in (one.timer, one.reminder)), None)
        if station:
            return Box(x - EVENT / 2, top + (72 if id == station.timer else 128), EVENT, EVENT)
        width, height = {"task": (TASK_WIDTH, TASK_HEIGHT), "gateway": (GATEWAY, GATEWAY)}.get(
            self.kinds.get(id, ""), (EVENT, EVENT))
        return Box(x - width / 2, top + (TASK_HEIGHT - height) / 2, width, height)

    # Flows

    def _take(self, id: str, side: str) -> None:
        self.used.setdefault(id, set()).add(side)

    def _free(self, id: str, side: str) -> bool:
        return side not in self.used.get(id, set())

    def _draw(self, way: Way, out: str, into: str, *points: Point) -> None:
        self._take(way.source, out)
        self._take(way.target, into)
        self.picture.flows[way.id] = list(points)

    def _far(self, way: Way, side: str, y: float) -> None:
        """Up (or down) from the gateway, along the channel, and down (or up) into the gateway that merges."""
        source, target = self.picture.shapes[way.source], self.picture.shapes[way.target]
        end = (target.cx, target.y if side == "top" else target.bottom)
        if self.kinds[way.source] == "task":
            # A task's own top and bottom belong to its neighbours and its timer.
            x = source.right + (COLUMN - TASK_WIDTH) / 2
            self._draw(way, "right", side, (source.right, source.cy), (x, source.cy), (x, y), (target.cx, y), end)
        else:
            start = (source.cx, source.y if side == "top" else source.bottom)
            self._draw(way, side, side, start, (source.cx, y), (target.cx, y), end)

    def _near(self, way: Way) -> None:
        s, t = self.picture.shapes[way.source], self.picture.shapes[way.target]
        down = self.lanes[self.homes[way.target]] - self.lanes[self.homes[way.source]]
        gate, merge = self.kinds.get(way.source) == "gateway", self.kinds.get(way.target) == "gateway"
        if s.cx == t.cx:
            self._draw(way, "bottom", "top", (s.cx, s.bottom), (t.cx, t.y))
        elif down == 0:
            self._draw(way, "right", "left", (s.right, s.cy), (t.x, t.cy))
        elif down > 0 and gate and self._free(way.source, "bottom"):
            self._draw(way, "bottom", "left", (s.cx, s.bottom), (s.cx, t.cy), (t.x, t.cy))
        elif (down > 0 and not gate and self._free(way.target, "top")) or (
                down < 0 and merge and self._free(way.target, "bottom")):
            side, y = ("top", t.y) if down > 0 else ("bottom", t.bottom)
            self._draw(way, "right", side, (s.right, s.cy), (t.cx, s.cy), (t.cx, y))
        elif down < 0 and not gate and self._free(way.source, "top"):
            self._draw(way, "top", "left", (s.cx, s.y), (s.cx, t.cy), (t.x, t.cy))
        else:
            x = t.x - 14 if gate else (s.right + t.x) / 2       # an answer needs room before the corner
            self._draw(way, "right", "left", (s.right, s.cy), (x, s.cy), (x, t.cy), (t.x, t.cy))

    # Labels

    def _labels(self) -> None:
        shapes, labels, names = self.picture.shapes, self.picture.labels, self.course.names
        for one in self.course.stations:
            if one.timer:
                box = shapes[one.timer]
                labels[one.timer] = Box(box.x + 40, box.y + 22, *label_size(names.get(one.timer, ""), 115))
            if one.reminder:
                box = shapes[one.reminder]
                labels[one.reminder] = Box(box.x + 40, box.y + 11, *label_size(names.get(one.reminder, ""), 115))
            if one.gate and names.get(one.gate):
                labels[one.gate] = self._beside(one.gate, names[one.gate])
            if one.end and names.get(one.end):
                labels[one.end] = _under(shapes[one.end], names[one.end], 70)
            if one.merge and names.get(one.merge):
                labels[one.merge] = _under(shapes[one.merge], names[one.merge], 70)
        if names.get(self.course.start):
            labels[self.course.start] = _under(shapes[self.course.start], names[self.course.start], 100)
        for way in self.course.ways:
            if way.name:
                labels[way.id] = label_of_way(way.name, self.picture.flows[way.id])

    def _beside(self, gate: str, name: str) -> Box:
        """Where nothing else is: right of the gateway, below it, or above the flow that comes to it."""
        box = self.picture.shapes[gate]
        width, height = label_size(name, 66)
        places = (Box(box.right + 4, box.cy - height / 2, width, height),
                  Box(box.cx - width / 2, box.bottom + 4, width, height),
                  Box(box.x - width - 1, box.cy - 8 - height, width, height))
        return next((one for one in places if self._is_clear(one)), places[-1])

    def _is_clear(self, label: Box) -> bool:
        lines = (Box(min(ax, bx), min(ay, by), abs(ax - bx), abs(ay - by)) for points in self.picture.flows.values()
                 for (ax, ay), (bx, by) in pairwise(points))
        return not any(one.x <= label.right and label.x <= one.right and one.y <= label.bottom
                       and label.y <= one.bottom for one in lines)


def label_of_way(name: str, points: Sequence[Point]) -> Box:
    """Where the name of a flow stands: beside its first piece, near where it leaves."""
    (x, y), (_, after) = points[0], points[1]
    width, height = label_size(name, 66)
    if y == after:
        return Box(x + 6, y - 4 - height, width, height)
    return Box(x + 8, y + 7 if after > y else y - 8 - height, width, height)


def label_size(text: str, widest: float) -> tuple[float, float]:
    """The room that a label needs: one line where it fits, else as many as it takes."""
    lines = textwrap.wrap(" ".join(text.split()), max(1, int(widest / LETTER)), break_long_words=False) or [""]
    return max(18, math.ceil(max(map(len, lines)) * LETTER)), max(LINE, math.ceil(13.5 * len(lines)))


def _under(box: Box, name: str, width: float) -> Box:
    wide, height = label_size(name, width)
    wide = max(wide, width)
    return Box(box.cx - wide / 2, box.bottom + 6, wide, height)


def _tall(name: str) -> float:
    """How high a name is that is written upwards in two lines at most."""
    return len(name) * LETTER / 2 + 40


# --- What was moved by hand ------------------------------------------------------------------------------------------

def carried(now: Picture, course: Course, was: Picture, before: Course, drawn: Picture) -> Picture:
    """`now` as somebody would have it who had moved `was` to `drawn`.

    now, was  laid out anew from the new and the old course.
    drawn     what the file shows; shapes that no course knows are in it too, and move with what stands left of them.
    """
    moved = {id: (box.x - was.shapes[id].x, box.y - was.shapes[id].y) for id, box in drawn.shapes.items()
             if id in was.shapes}
    result = Picture()
    lanes = _lanes(now, course, was, before, drawn)
    kept = [one for one in course.homes if one in drawn.shapes and before.homes.get(one) == course.homes[one]]
    for id, box in now.shapes.items():
        if id in lanes:
            result.shapes[id] = lanes[id]
        elif id in course.homes:
            home = course.homes[id]
            sideways = moved[id][0] if id in kept else _nearest(box, {one: now.shapes[one] for one in kept}, moved)
            old = drawn.shapes[id] if id in kept else box
            top = lanes[home].y + (old.y - drawn.shapes[home].y if id in kept else box.y - now.shapes[home].y)
            result.shapes[id] = Box(box.x + sideways, top, old.width, old.height)
    _flows(result, course, now, before, was, drawn)
    _strangers(result, course, drawn, was, lanes)
    right = max([one.right for id, one in result.shapes.items() if id not in lanes], default=0) + MARGIN
    wide = drawn.shapes[course.pool].width - was.shapes[course.pool].width + now.shapes[course.pool].width
    pool = lanes[course.pool]
    width = max(wide, right - pool.x) if right - pool.x > wide or course != before else pool.width
    result.shapes[course.pool] = replace(pool, width=width)
    for id in course.lanes:
        inset = lanes[id].x - pool.x
        result.shapes[id] = replace(lanes[id], width=width - inset)
    _names(result, course, now, before, drawn)
    return result


def _lanes(now: Picture, course: Course, was: Picture, before: Course, drawn: Picture) -> dict[str, Box]:
    """Pool and lanes: as high as they were made, a new one as high as laid out, one under the other."""
    pool = drawn.shapes[course.pool]
    taller = now.shapes[course.lanes[0]].height - was.shapes[before.lanes[0]].height
    y, found = pool.y, {}
    for id in course.lanes:
        old = drawn.shapes.get(id)
        height = old.height + taller if old else now.shapes[id].height
        left = old.x if old else pool.x + HEADER
        found[id] = Box(left, y, pool.right - left, height)
        y += height
    found[course.pool] = replace(pool, height=y - pool.y)
    return found


def _nearest(box: Box, kept: Mapping[str, Box], moved: Mapping[str, Point]) -> float:
    """How far what stands next to a place was moved sideways."""
    near = min(kept, key=lambda id: abs(kept[id].cx - box.cx), default=None)
    return moved[near][0] if near else 0


def _strangers(result: Picture, course: Course, drawn: Picture, was: Picture, lanes: Mapping[str, Box]) -> None:
    """What the table does not know (a deadline, a note) keeps its place in its lane, clear of what was clear before."""
    tops = [(drawn.shapes[id], lanes[id]) for id in course.lanes if id in drawn.shapes]
    shifts: dict[str, Point] = {}
    inside = {id: box for id, box in drawn.shapes.items() if id not in was.shapes}
    known = {way.id for way in course.ways} | set(was.flows)
    now, then = _obstacles(result, set(lanes), known), _obstacles(drawn, {*lanes, *inside}, known)
    for id, box in sorted(inside.items(), key=lambda one: -one[1].width * one[1].height):
        around = next((other for other in shifts if _holds(inside[other], box)), None)
        if around is None:
            down = next((new.y - old.y for old, new in tops if old.y <= box.cy < old.bottom), 0.0)
            was_clear = not any(box.meets(one) for one in then)
            least = lanes[course.lanes[0]].x + HEADER
            shifts[id] = (_clear(box.moved(0, down), now, least) if was_clear else 0.0, down)
        else:
            shifts[id] = shifts[around]
        result.shapes[id] = box.moved(*shifts[id])
        if id in drawn.labels:
            result.labels[id] = drawn.labels[id].moved(*shifts[id])
    for id, points in drawn.flows.items():
        if id not in known:
            near = min(inside, key=lambda one: abs(inside[one].cx - points[0][0]), default=None)
            dx, dy = shifts[near] if near else (0.0, 0.0)
            result.flows[id] = [(x + dx, y + dy) for x, y in points]


def _obstacles(picture: Picture, but: set[str], flows: set[str]) -> list[Box]:
    """Shapes and the straight pieces of flows, which have a little width."""
    pieces = [Box(min(ax, bx) - 1, min(ay, by) - 1, abs(ax - bx) + 2, abs(ay - by) + 2)
              for id, points in picture.flows.items() if id in flows for (ax, ay), (bx, by) in pairwise(points)]
    return [one for id, one in picture.shapes.items() if id not in but] + pieces


def _holds(outer: Box, inner: Box) -> bool:
    return (outer != inner and outer.x <= inner.x and outer.y <= inner.y
            and inner.right <= outer.right and inner.bottom <= outer.bottom)


def _clear(box: Box, others: Sequence[Box], least: float) -> float:
    """The shortest way to the side where nothing of the process lies under a box; not left of `least`."""
    beside = [0.0]
    for one in others:
        if one.y < box.bottom and box.y < one.bottom:
            beside += [one.right + 20 - box.x, one.x - 20 - box.right]
    free = [dx for dx in sorted(beside, key=abs) if box.x + dx >= least
            and not any(box.moved(dx, 0).meets(one) for one in others)]
    return free[0] if free else 0.0


def _flows(result: Picture, course: Course, now: Picture, before: Course, was: Picture, drawn: Picture) -> None:
    """A flow whose way is laid out as before keeps what was made of it; any other is laid out anew."""
    ends = {way.id: (way.source, way.target) for way in before.ways}
    for way in course.ways:
        points = now.flows[way.id]
        shown = drawn.flows.get(way.id)
        there = way.source in drawn.shapes and way.target in drawn.shapes
        same = there and ends.get(way.id) == (way.source, way.target)
        if shown and same and _turns(points) == _turns(was.flows[way.id]):
            result.flows[way.id] = _joined(
                shown, _shift(drawn, result, way.source), _shift(drawn, result, way.target))
        else:
            result.flows[way.id] = _joined(points, _carried_to(now, result, way.source, points[0]),
                                           _carried_to(now, result, way.target, points[-1]))


def _turns(points: Sequence[Point]) -> list[tuple[bool, bool, bool]]:
    """The directions in which a flow runs, piece by piece."""
    return [(bx > ax, by > ay, by == ay) for (ax, ay), (bx, by) in pairwise(points)]


def _carried_to(one: Picture, other: Picture, id: str, point: Point) -> Point:
    """How far a point on the edge of an element goes with it, when the element is of another size too."""
    old, new = one.shapes[id], other.shapes[id]
    return (new.x + (point[0] - old.x) / old.width * new.width - point[0],
            new.y + (point[1] - old.y) / old.height * new.height - point[1])


def _shift(one: Picture, other: Picture, id: str) -> Point:
    return other.shapes[id].x - one.shapes[id].x, other.shapes[id].y - one.shapes[id].y


def _joined(points: Sequence[Point], source: Point, target: Point) -> list[Point]:
    """A flow whose ends moved, right angles kept: a straight piece goes with the end to which it is tied; one between
    others with the end that moved less."""
    if source == target:
        return [(x + source[0], y + source[1]) for x, y in points]
    shifts = [_shifts([point[axis] for point in points], source[axis], target[axis]) for axis in (0, 1)]
    found: list[Point] = []
    for n, (x, y) in enumerate(points):
        x, y = x + shifts[0][n], y + shifts[1][n]
        if found and found[-1][0] != x and found[-1][1] != y:
            # A straight piece between ends that moved apart: it gets a corner on either side of its middle.
            (ax, ay), level = found[-1], points[n - 1][1] == points[n][1]
            found += [((ax + x) / 2, ay), ((ax + x) / 2, y)] if level else [(ax, (ay + y) / 2), (x, (ay + y) / 2)]
        found.append((x, y))
    return found


def _shifts(values: Sequence[float], source: float, target: float) -> list[float]:
    """How far each point of a flow goes along one axis; points with the same value in a row go together."""
    found = [min(source, target, key=abs)] * len(values)
    for n, value in enumerate(values):
        if value != values[0]:
            break
        found[n] = source
    for n in range(len(values) - 1, -1, -1):
        if values[n] != values[-1] or n == 0:
            break
        found[n] = target
    return found


def _names(result: Picture, course: Course, now: Picture, before: Course, drawn: Picture) -> None:
    """Labels go with what they name; a new name gets the room that it needs, at the place of the old."""
    for id, box in now.labels.items():
        old = drawn.labels.get(id)
        if id in result.flows:
            moved = _shift_of_flow(drawn.flows.get(id), result.flows[id])
            result.labels[id] = old.moved(*moved) if old and moved else (
                label_of_way(course_name(course, id), result.flows[id]))
        elif old and id in drawn.shapes and id in before.names:
            place = old.moved(*_shift(drawn, result, id))
            fits = len(course.names.get(id, "")) <= len(before.names[id])
            result.labels[id] = place if fits else replace(place, width=box.width, height=box.height)
        else:
            result.labels[id] = box.moved(*_shift(now, result, id))


def course_name(course: Course, id: str) -> str:
    """The name of a flow."""
    return next((way.name for way in course.ways if way.id == id), "")


def _shift_of_flow(old: Sequence[Point] | None, new: Sequence[Point]) -> Point | None:
    """How far the beginning of a flow moved; None where it leaves by another side."""
    if not old or len(old) < 2:
        return None
    same = (old[0][0] == old[1][0]) == (new[0][0] == new[1][0])
    return (new[0][0] - old[0][0], new[0][1] - old[0][1]) if same else None
