"""The flowchart of an SOP's table, laid out page by page: symbols in the columns of their performers, lines between.

Lengths are millimetres. A page is measured from the corner below the heads of its table, where column 0 of Pelaksana
begins; how high a row is was measured by who sets the text. Lines run orthogonally on tracks between the symbols, each
found as the cheapest way that meets no symbol and shares no track. A flow that leaves a page goes through a segi lima
at its edge, and comes in through one with the same letter. Source of the symbols: PermenPANRB 35/2012.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise
from string import ascii_uppercase

from engine.sop_table import DECISION, END, NO, START, STEP, SopRow, SopTable

CONNECTOR = "segi lima"
STRIP = 9.0  # height of the row at a page's edge in which the connectors stand
LEAST_ROW = 17.0  # room for a symbol and the lines above and below it
LEAST_ROW_WITH_END = 38.0  # a decision that begins or ends the procedure has a kapsul in its cell, too
SYMBOL_HEIGHT = {START: 6.5, STEP: 7.0, DECISION: 9.5, END: 6.5, CONNECTOR: 4.8}
# (Tracks on each side of the symbols, the long lines first): the next is tried where lines do not find their ways.
ATTEMPTS = ((2, False), (3, False), (3, True), (5, False), (5, True))

# What a way costs beside its length.
BEND, CROSSING, SHARED, LABEL, WRONG_SIDE, LAST_RESORT = 7.0, 30.0, 2.0, 25.0, 60.0, 2_000.0

Point = tuple[float, float]
Node = tuple[int, int]  # track in x, track in y
RIGHT, DOWN, LEFT, UP = (1, 0), (0, 1), (-1, 0), (0, -1)


@dataclass(frozen=True, kw_only=True)
class Band:
    """What stands beside one another on the page: a row, or the rest of a row that is higher than a page."""

    height: float
    row: SopRow
    first: bool = True  # the part of a row that has its symbol


@dataclass(frozen=True, kw_only=True)
class Symbol:
    kind: str  # START STEP DECISION END CONNECTOR
    x: float  # of its middle
    y: float
    width: float
    height: float
    column: int  # of Pelaksana, from 0
    row: int | None = None  # the row whose symbol it is
    text: str = ""  # the letter of a connector
    assumption: bool = False


@dataclass(frozen=True, kw_only=True)
class Line:
    """A flow on a page, with the arrow's head at its last point."""

    points: tuple[Point, ...]
    label: str = ""  # Ya | Tidak
    label_at: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)  # left, top, width, height of its box
    row: int | None = None  # that it comes from, None: through a connector
    to: int | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    bands: tuple[Band, ...]
    top: float  # height of the strip of connectors above the bands, 0 without
    bottom: float
    symbols: tuple[Symbol, ...]
    lines: tuple[Line, ...]
    tops: tuple[float, ...]  # where each band begins


@dataclass(frozen=True)
class Flow:
    source: int
    target: int | None  # None: the end
    label: str

    @property
    def forward(self) -> bool:
        return self.target is None or self.target > self.source


def flows(table: SopTable) -> tuple[Flow, ...]:
    """Every arrow between two rows, and those of a decision to the end."""
    return tuple(
        Flow(row.number, target, label)
        for row in table.rows
        for label, target in table.following(row)
        if target is not None or row.symbol == DECISION
    )


def least_height(table: SopTable, row: SopRow) -> float:
    ends = row.symbol == DECISION and (row is table.rows[0] or None in dict(table.following(row)).values())
    return LEAST_ROW_WITH_END if ends else LEAST_ROW


def label_size(column_width: float) -> float:
    """Of the words beside a decision, in points."""
    return 6.0 if column_width > 14 else 4.5


def symbol_width(column_width: float) -> float:
    return min(13.0, column_width * 0.62)


def symbol_height(kind: str, column_width: float) -> float:
    """Low enough in a narrow column that a kapsul still lies and a kotak is no tower."""
    wide = connector_width(column_width) if kind == CONNECTOR else symbol_width(column_width)
    return min(SYMBOL_HEIGHT[kind], wide * (1.3 if kind == CONNECTOR else 0.75 if kind != DECISION else 1.0))


def connector_width(column_width: float) -> float:
    return min(5.0, column_width * 0.36)


# Which bands stand on which page


def paged(table: SopTable, bands: Sequence[Band], room: float) -> list[tuple[Band, ...]]:
    """The bands in as few pages as hold them, broken where the fewest flows are cut and the pages are alike."""
    place = {band.row.number: n for n, band in enumerate(bands) if band.first}
    crossing = [0] * (len(bands) + 1)  # of a break before band n
    for flow in flows(table):
        if flow.target is not None:
            low, high = sorted((place[flow.source], place[flow.target]))
            for n in range(low + 1, high + 1):
                crossing[n] += 1
    # Best (pages, flows cut, unevenness) up to each break, and the break before it.
    best: list[tuple[tuple[int, int, float], int] | None] = [None] * (len(bands) + 1)
    best[0] = ((0, 0, 0.0), 0)
    for end in range(1, len(bands) + 1):
        height = STRIP if end < len(bands) else 0.0
        for begin in range(end - 1, -1, -1):
            height += bands[begin].height
            before = best[begin]
            if height + (STRIP if begin else 0.0) > room + 0.01 and end - begin > 1:
                break
            if before is not None:
                (pages, cut, uneven), _ = before
                cost = (pages + 1, cut + (crossing[begin] if begin else 0), uneven + (room - height) ** 2)
                known = best[end]
                if known is None or cost < known[0]:
                    best[end] = (cost, begin)
    found: list[tuple[Band, ...]] = []
    end = len(bands)
    while end:
        step = best[end]
        assert step is not None, "a band alone on its page always has a place"
        found.insert(0, tuple(bands[step[1] : end]))
        end = step[1]
    return found


def pages(table: SopTable, bands: Sequence[Band], room: float, column_width: float) -> tuple[Page, ...]:
    """The flowchart of a table whose bands have these heights, on pages with this much room below the heads."""
    parts = paged(table, bands, room)
    on = {band.row.number: n for n, part in enumerate(parts) for band in part if band.first}
    # One letter for all that leads from above, or from below, to the same row.
    letters: dict[tuple[int, bool], str] = {}
    for flow in flows(table):
        if flow.target is not None and on[flow.source] != on[flow.target]:
            letters.setdefault((flow.target, flow.forward), _letter(len(letters)))
    found = []
    for n, part in enumerate(parts):
        sheets = (_Sheet(table, part, on, n, letters, column_width, *attempt) for attempt in ATTEMPTS)
        tried: list[tuple[int, Page]] = []
        for sheet in sheets:
            page = sheet.drawn()
            tried.append((sheet.squeezed, page))
            if not sheet.squeezed:
                break
        found.append(min(tried, key=lambda one: one[0])[1])
    return tuple(found)


def _letter(n: int) -> str:
    return ascii_uppercase[n % 26] + (str(n // 26 + 1) if n >= 26 else "")


# The lines of one page


@dataclass
class _Net:
    """A flow on this page: from one node to another."""

    source: Node
    target: Node
    label: str
    row: int | None
    to: int | None
    forward: bool


@dataclass
class _Sheet:
    """One page being drawn. Nodes are where tracks meet; a symbol stands on one and stops every way but its own."""

    table: SopTable
    bands: tuple[Band, ...]
    on: dict[int, int]  # row -> page
    number: int
    letters: dict[tuple[int, bool], str]
    column_width: float
    sides: int
    long_first: bool
    squeezed: int = 0  # lines that found no way of their own
    within: set[Node] = field(default_factory=set)  # nodes inside a symbol that stands on another
    standing: dict[Node, Symbol] = field(default_factory=dict)
    used: dict[tuple[Node, Node], tuple[Node, bool]] = field(default_factory=dict)
    met: dict[Node, list[tuple[Node, str]]] = field(default_factory=dict)

    def drawn(self) -> Page:
        above, below = self._through_edges()
        self.top, self.bottom = (STRIP if above else 0.0), (STRIP if below else 0.0)
        self.tops = []
        y = self.top
        for band in self.bands:
            self.tops.append(y)
            y += band.height
        self.end = y
        self.xs, self.ys = self._xs(), self._ys()
        self.columns = {one.id: n for n, one in enumerate(self.table.performers)}
        self.rows = {band.row.number: n for n, band in enumerate(self.bands) if band.first}
        for band in self.bands:
            if band.first:
                self._stand(self._node(band.row.number), band.row.symbol, band.row)
        nets = [*self._nets(above, below)]
        if self.long_first:
            nets.sort(key=lambda one: -self._far(one.source, one.target))
        else:
            nets.sort(key=lambda one: (not one.forward, self._far(one.source, one.target)))
        lines = tuple(self._line(net) for net in nets)
        return Page(
            bands=self.bands,
            top=self.top,
            bottom=self.bottom,
            symbols=tuple(self.standing.values()),
            lines=lines,
            tops=tuple(self.tops),
        )

    def _through_edges(self) -> tuple[list[Flow], list[Flow]]:
        """The flows that come or go through the top of this page, and through its bottom."""
        above: list[Flow] = []
        below: list[Flow] = []
        for flow in flows(self.table):
            if flow.target is None:
                continue
            here, there = self.on[flow.source], self.on[flow.target]
            if here != there and self.number in (here, there):
                (below if min(here, there) == self.number else above).append(flow)
        return above, below

    def _xs(self) -> list[float]:
        width = self.column_width
        gap = (width - symbol_width(width)) / 2
        offsets = self._offsets(width, gap)
        return [n * width + offset for n in range(len(self.table.performers)) for offset in offsets]

    def _ys(self) -> list[float]:
        found = [self.top / 2]
        for top, band in zip(self.tops, self.bands, strict=True):
            high = symbol_height(band.row.symbol, self.column_width)
            gap = (band.height - high) / 2
            found += [top + offset for offset in self._offsets(band.height, gap)]
        return [*found, self.end + self.bottom / 2]

    def _offsets(self, room: float, gap: float) -> list[float]:
        """Where the tracks of a column or row lie, with this gap on both sides of its symbol."""
        near = [gap * n / (self.sides + 1) for n in range(1, self.sides + 1)]
        return [*near, room / 2, *(room - one for one in reversed(near))]

    @property
    def tracks(self) -> int:
        return 2 * self.sides + 1

    @property
    def outer(self) -> int:
        """How many tracks from a symbol the kapsul above or below it stands: at two thirds of the gap."""
        return min(range(1, self.sides + 1), key=lambda n: abs(n / (self.sides + 1) - 2 / 3))

    def _node(self, row: int) -> Node:
        found = self.table.row(row)
        assert found is not None, "a flow leads to a row that is there"
        column = self.columns[found.performer] * self.tracks
        return column + self.sides, 1 + self.rows[row] * self.tracks + self.sides

    def _stand(self, node: Node, kind: str, row: SopRow | None = None, text: str = "") -> Node:
        wide = symbol_width(self.column_width)
        self.standing[node] = Symbol(
            kind=kind,
            x=self.xs[node[0]],
            y=self.ys[node[1]],
            width=connector_width(self.column_width) if kind == CONNECTOR else wide,
            height=symbol_height(kind, self.column_width),
            column=node[0] // self.tracks,
            row=row.number if row else None,
            text=text,
            assumption=bool(row and row.assumption),
        )
        one = self.standing[node]
        self.within |= {
            (x, y)
            for x in self._near(self.xs, one.x, one.width)
            for y in self._near(self.ys, one.y, one.height)
            if (x, y) != node
        }
        return node

    def _near(self, tracks: Sequence[float], middle: float, size: float) -> list[int]:
        return [n for n, one in enumerate(tracks) if abs(one - middle) < size / 2 + 0.3]

    def _nets(self, above: list[Flow], below: list[Flow]) -> Iterator[_Net]:
        first = self.table.rows[0]
        if first.symbol == DECISION and first.number in self.rows:
            x, y = self._node(first.number)
            yield _Net(self._stand((x, y - self.outer), START), (x, y), "", None, first.number, True)
        for flow in flows(self.table):
            if flow.source in self.rows and flow.target is None:
                x, y = self._node(flow.source)
                yield _Net((x, y), self._stand((x, y + self.outer), END), flow.label, flow.source, None, True)
            elif flow.source in self.rows and flow.target in self.rows:
                yield _Net(
                    self._node(flow.source),
                    self._node(flow.target),
                    flow.label,
                    flow.source,
                    flow.target,
                    flow.forward,
                )
        for edge, through in ((0, above), (len(self.ys) - 1, below)):
            doors: dict[tuple[int, bool], Node] = {}
            for flow in through:
                assert flow.target is not None, "only what leads to a row crosses pages"
                key = (flow.target, flow.forward)
                comes = flow.source not in self.rows
                if key not in doors:
                    beside = self._node(flow.target if comes else flow.source)[0]
                    doors[key] = self._stand((self._free(beside, edge), edge), CONNECTOR, None, self.letters[key])
                    if comes:
                        yield _Net(
                            doors[key], self._node(flow.target), "", None, flow.target, flow.forward
                        )
                if not comes:
                    yield _Net(
                        self._node(flow.source), doors[key], flow.label, flow.source, flow.target, flow.forward
                    )

    def _free(self, x: int, edge: int) -> int:
        """The place in a strip nearest to a track, with one track between two connectors."""
        taken = [node[0] for node in self.standing if node[1] == edge]
        choices = sorted(range(len(self.xs)), key=lambda one: (abs(one - x), -one))
        usual = [one for one in choices if one % self.tracks in (0, self.sides, 2 * self.sides)]
        apart = [one for one in (*usual, *choices) if all(self._apart(one, other) for other in taken)]
        return next(one for one in (*apart, *choices) if one not in taken)

    def _apart(self, one: int, other: int) -> bool:
        return abs(self.xs[one] - self.xs[other]) > connector_width(self.column_width) + 0.4

    def _far(self, one: Node, other: Node) -> float:
        return abs(self.xs[one[0]] - self.xs[other[0]]) + abs(self.ys[one[1]] - self.ys[other[1]])

    @property
    def narrow(self) -> bool:
        """Whether a word has no room beside a symbol within its column."""
        return label_size(self.column_width) < 6

    # Ways

    def _line(self, net: _Net) -> Line:
        way = self._way(net)
        self._take(way, net.target)
        points = [(self.xs[x], self.ys[y]) for x, y in way]
        points[0] = self._border(self.standing[net.source], points[0], points[1])
        points[-1] = self._border(self.standing[net.target], points[-1], points[-2])
        found = _straightened(points)
        place = self._place_of_word(found, net.label) if net.label else (0.0, 0.0, 0.0, 0.0)
        return Line(points=found, label=net.label, label_at=place, row=net.row, to=net.to)

    def _place_of_word(self, points: Sequence[Point], word: str) -> tuple[float, float, float, float]:
        """Beside the corner of a belah ketupat that a line leaves, on the side to which the line does not turn."""
        size = label_size(self.column_width)
        width, height = len(word) * size * 0.165, size * 0.42
        (x, y), (x2, y2) = points[0], points[1]
        if x == x2:
            return x + 0.8, y + 0.4 if y2 > y else y - height - 0.4, width, height
        # The corner is narrow: the word may reach a little above or below the symbol.
        over = -0.2 if self.narrow else 1.3
        left = x - over if x2 > x else x + over - width
        turns_up = len(points) > 2 and points[2][1] < y
        return left, y + 1.0 if turns_up else y - height - 1.0, width, height

    def _border(self, symbol: Symbol, point: Point, towards: Point) -> Point:
        """Where a line from a symbol's middle leaves it."""
        x, y = point
        if towards[0] != x:
            return x + (symbol.width / 2 if towards[0] > x else -symbol.width / 2), y
        return x, y + (symbol.height / 2 if towards[1] > y else -symbol.height / 2)

    def _take(self, way: list[Node], target: Node) -> None:
        for one, other in pairwise(way):
            key, along = (one, other) if one < other else (other, one), one < other
            self.used.setdefault(key, (target, along))
        for before, node, after in zip(way, way[1:], way[2:], strict=False):
            straight = before[0] == after[0] or before[1] == after[1]
            kind = ("v" if before[0] == after[0] else "h") if straight else "bend"
            self.met.setdefault(node, []).append((target, kind))

    def _way(self, net: _Net) -> list[Node]:
        """The cheapest way: a search over (node, direction)."""
        order = count()
        waiting: list[tuple[float, int, Node, tuple[int, int]]] = []
        cost: dict[tuple[Node, tuple[int, int]], float] = {}
        came: dict[tuple[Node, tuple[int, int]], tuple[Node, tuple[int, int]]] = {}
        for way in (RIGHT, DOWN, LEFT, UP):
            cost[(net.source, way)] = self._leaving(net, way)
            heapq.heappush(waiting, (cost[(net.source, way)], next(order), net.source, way))
        while waiting:
            so_far, _, node, way = heapq.heappop(waiting)
            here = (node, way)
            if so_far > cost[here]:
                continue
            if node == net.target:
                self.squeezed += so_far >= LAST_RESORT
                return _back(came, here)
            for onward in (RIGHT, DOWN, LEFT, UP):
                if (onward[0] == -way[0] and onward[1] == -way[1]) or (node == net.source and onward != way):
                    continue
                then = (node[0] + onward[0], node[1] + onward[1])
                if not self._open(then, net):
                    continue
                price = so_far + self._price(net, node, way, onward, then)
                if price < cost.get((then, onward), float("inf")):
                    cost[(then, onward)] = price
                    came[(then, onward)] = here
                    heapq.heappush(waiting, (price, next(order), then, onward))
        raise AssertionError("two tracks of a page are always joined")

    def _open(self, node: Node, net: _Net) -> bool:
        x, y = node
        if not (0 <= x < len(self.xs) and 0 <= y < len(self.ys)):
            return False
        if y in (0, len(self.ys) - 1):  # in a strip only the connectors themselves
            return node in (net.source, net.target)
        return (node not in self.standing and node not in self.within) or node in (net.source, net.target)

    def _leaving(self, net: _Net, way: tuple[int, int]) -> float:
        kind = self.standing[net.source].kind
        if kind == CONNECTOR:
            return 0.0 if way == (DOWN if net.source[1] == 0 else UP) else LAST_RESORT
        if way == UP:
            return WRONG_SIDE if kind != DECISION or net.label != NO else BEND
        column, last = net.source[0] // self.tracks, len(self.table.performers) - 1
        outwards = (way == LEFT and column == 0) or (way == RIGHT and column == last)
        if net.label and outwards and self.narrow:
            return WRONG_SIDE  # its word would stand in the next column's text
        return BEND if way == DOWN and net.label == NO else 0.0

    def _price(
        self, net: _Net, node: Node, way: tuple[int, int], onward: tuple[int, int], then: Node
    ) -> float:
        price = self._far(node, then) + (BEND if onward != way else 0.0)
        if node != net.source:
            kind = ("v" if way[0] == 0 else "h") if onward == way else "bend"
            for target, other in self.met.get(node, ()):
                if target == net.target:
                    price += SHARED
                else:
                    price += CROSSING if {kind, other} == {"v", "h"} else LAST_RESORT
        key, along = ((node, then), True) if node < then else ((then, node), False)
        if key in self.used and self.used[key] != (net.target, along):
            price += LAST_RESORT
        if onward[0] == 0 and node != net.source:
            price += LABEL * (self._beside_a_decision(node, net) + self._beside_a_decision(then, net))
        if then == net.target:
            price += self._arriving(net, onward)
        return price

    def _beside_a_decision(self, node: Node, net: _Net) -> bool:
        """Whether a vertical piece here would strike the word beside a decision."""
        x, y = node
        middle = (x // self.tracks * self.tracks + self.sides, y)
        symbol = self.standing.get(middle)
        return symbol is not None and symbol.kind == DECISION and middle not in (net.source, net.target)

    def _arriving(self, net: _Net, way: tuple[int, int]) -> float:
        kind = self.standing[net.target].kind
        if kind == CONNECTOR:
            return 0.0 if way == (UP if net.target[1] == 0 else DOWN) else LAST_RESORT
        if way == UP:
            return WRONG_SIDE
        return 0.0 if way == DOWN or not net.forward else BEND / 2


def _back(
    came: dict[tuple[Node, tuple[int, int]], tuple[Node, tuple[int, int]]], here: tuple[Node, tuple[int, int]]
) -> list[Node]:
    found = [here[0]]
    while here in came:
        here = came[here]
        found.append(here[0])
    return found[::-1]


def _straightened(points: Sequence[Point]) -> tuple[Point, ...]:
    """Only the ends and the bends, to a hundredth of a millimetre."""
    rounded = [(round(x, 2), round(y, 2)) for x, y in points]
    kept = [rounded[0]]
    for before, one, after in zip(rounded, rounded[1:], rounded[2:], strict=False):
        if not (before[0] == one[0] == after[0] or before[1] == one[1] == after[1]):
            kept.append(one)
    return (*kept, rounded[-1])
