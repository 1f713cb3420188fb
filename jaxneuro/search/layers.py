"""Places for a drawing in layers: boxes in columns, each column reads those to its left.

A value that is read further to the right than in the next column passes the columns between at bends, which take room
as boxes do, so that no line crosses a box. The order within columns is improved by sweeps from side to side.
"""

import dataclasses
import itertools
from collections.abc import Sequence

CHARACTER, ROW, ROOM, GAP, BEND = 7.4, 40.0, 10.0, 14.0, 10.0  # pixels
SWEEPS, STRAIGHTENINGS = 40, 100


@dataclasses.dataclass
class Row:
    """A value in a box: its wire (-1 for what is not read), its name, and what it is."""

    wire: int
    name: str
    text: str


@dataclasses.dataclass
class Box:
    """A box of one row or more, the wires that it reads, its column, and its place: left edge and middle."""

    kind: str
    rows: list[Row]
    reads: tuple[int, ...]
    layer: int
    x: float = 0.0
    y: float = 0.0

    @property
    def width(self) -> float:
        """Room for the longest text."""
        return max(len(text) for row in self.rows for text in (row.name, row.text)) * CHARACTER + 2 * ROOM

    @property
    def height(self) -> float:
        """Room for all rows."""
        return ROW * len(self.rows)

    def port(self, wire: int) -> float:
        """Where a wire leaves, from the middle down."""
        return ([row.wire for row in self.rows].index(wire) + 0.5) * ROW - self.height / 2


@dataclasses.dataclass
class Bend:
    """Where a wire passes a column."""

    wire: int
    layer: int
    y: float = 0.0
    height: float = BEND
    reads: tuple[int, ...] = ()

    def port(self, wire: int) -> float:
        """In the middle."""
        return 0.0


@dataclasses.dataclass(frozen=True)
class Line:
    """A wire from one column to the next.

    It is level from `start` to `leaves`, and curved from there to `enters`.
    """

    wire: int
    start: float
    leaves: float
    enters: float
    before: float  # height at the start
    after: float  # height at the end
    arrives: bool  # whether a box reads it there


def place(boxes: Sequence[Box], gap: float = 58.0) -> tuple[list[Line], float, float]:
    """Give every box its place.

    Args:
        boxes: the boxes, with columns from 0 on; what a box reads is further to the left. Their places are set, and
            their rows are put into the order that has fewer crossings.
        gap: room between columns, in pixels.

    Returns:
        The lines, and the width and the height of all.
    """
    columns, sources = _columns(boxes)
    _order(columns, sources)
    top = min(item.y - item.height / 2 for column in columns for item in column)
    for item in itertools.chain(*columns):
        item.y -= top
    edges, x = [], 0.0
    for column in columns:
        width = max((item.width for item in column if isinstance(item, Box)), default=0.0)
        edges.append((x, x + width))
        for item in column:
            if isinstance(item, Box):
                item.x = x
        x += width + gap
    height = max(item.y + item.height / 2 for column in columns for item in column)
    return _lines(columns, sources, edges), x - gap, height


Item = Box | Bend
Sources = dict[tuple[int, int], Item]


def _columns(boxes: Sequence[Box]) -> tuple[list[list[Item]], Sources]:
    """The columns with all bends, and the item from which a wire leaves each column."""
    columns: list[list[Item]] = [[] for _ in range(1 + max(box.layer for box in boxes))]
    sources: Sources = {}
    for box in boxes:
        columns[box.layer].append(box)
        for row in box.rows:
            last = max((reader.layer for reader in boxes if row.wire in reader.reads), default=0)
            sources[row.wire, box.layer] = box
            for layer in range(box.layer + 1, last):
                bend = Bend(row.wire, layer, reads=(row.wire,))
                sources[row.wire, layer] = bend
                columns[layer].append(bend)
    return columns, sources


def _segments(columns: list[list[Item]], sources: Sources, layer: int) -> list[tuple[Item, int, Item]]:
    """What leads from this column to the next: `(from, wire, to)`."""
    if not 0 <= layer < len(columns) - 1:
        return []
    return [(sources[wire, layer], wire, item) for item in columns[layer + 1] for wire in item.reads]


def _order(columns: list[list[Item]], sources: Sources) -> None:
    """Orders and heights: sweeps, of which the one with the fewest crossings is kept, and then straighter lines."""
    for column in columns:
        _spread(column, [0.0] * len(column))
    best: tuple[float, list[list[Item]], list[list[Row]]] | None = None
    boxes = [item for item in itertools.chain(*columns) if isinstance(item, Box)]
    for sweep in range(SWEEPS):
        ahead = sweep % 2 == 0
        for layer in range(len(columns)) if ahead else reversed(range(len(columns))):
            wanted = _wanted(columns, sources, layer, before=ahead, after=not ahead)
            columns[layer].sort(key=lambda item: wanted.get(id(item), item.y))
            _spread(columns[layer], [wanted.get(id(item), item.y) for item in columns[layer]])
        for box in boxes:
            _order_rows(columns, sources, box)
        crossings = sum(_crossings(_segments(columns, sources, layer)) for layer in range(len(columns)))
        if best is None or crossings < best[0]:
            best = crossings, [list(column) for column in columns], [list(box.rows) for box in boxes]
    assert best is not None
    for layer, column in enumerate(best[1]):
        columns[layer][:] = column
        _spread(column, [item.y for item in column])
    for box, rows in zip(boxes, best[2], strict=True):
        box.rows[:] = rows
    for _ in range(STRAIGHTENINGS):
        for layer in [*range(len(columns)), *reversed(range(len(columns)))]:
            wanted = _wanted(columns, sources, layer, before=True, after=True)
            _spread(columns[layer], [wanted.get(id(item), item.y) for item in columns[layer]])


def _wanted(columns: list[list[Item]], sources: Sources, layer: int, before: bool, after: bool) -> dict[int, float]:
    """The height at which each item of a column would have its lines level, on average."""
    found: dict[int, list[tuple[float, float]]] = {}
    if before:
        for source, wire, item in _segments(columns, sources, layer - 1):
            found.setdefault(id(item), []).append((source.y + source.port(wire), _weight(source, item)))
    if after:
        for source, wire, item in _segments(columns, sources, layer):
            found.setdefault(id(source), []).append((item.y - source.port(wire), _weight(source, item)))
    return {item: sum(y * w for y, w in pulls) / sum(w for _, w in pulls) for item, pulls in found.items()}


def _weight(source: Item, item: Item) -> float:
    """How much it matters that a line is level: most where it passes columns."""
    return {0: 1.0, 1: 3.0, 2: 12.0}[isinstance(source, Bend) + isinstance(item, Bend)]


def _order_rows(columns: list[list[Item]], sources: Sources, box: Box) -> None:
    """The rows of a box in the order of their readers."""
    readers = {row.wire: [] for row in box.rows}
    for source, wire, item in _segments(columns, sources, box.layer):
        if source is box:
            readers[wire].append(item.y)
    box.rows.sort(key=lambda row: sum(readers[row.wire]) / len(readers[row.wire]) if readers[row.wire] else box.y)


def _crossings(segments: Sequence[tuple[Item, int, Item]]) -> int:
    ends = [(source.y + source.port(wire), item.y) for source, wire, item in segments]
    return sum((a - c) * (b - d) < 0 for (a, b), (c, d) in itertools.combinations(ends, 2))


def _spread(column: Sequence[Item], wanted: Sequence[float]) -> None:
    """Heights as near as can be to those wanted (in least squares) for items in this order that do not touch.

    Reference: Barlow et al. 1972, pool adjacent violators.
    """
    blocks: list[list[float]] = []  # sum of what is wanted from the top of the block, how many
    offset, offsets = 0.0, []
    for i, item in enumerate(column):
        if i:
            offset += (column[i - 1].height + item.height) / 2 + GAP
        offsets.append(offset)
        blocks.append([wanted[i] - offset, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    tops = [total / count for total, count in blocks for _ in range(int(count))]
    for item, top, own in zip(column, tops, offsets, strict=True):
        item.y = top + own


def _lines(columns: list[list[Item]], sources: Sources, edges: Sequence[tuple[float, float]]) -> list[Line]:
    lines = []
    for layer in range(len(columns) - 1):
        (left, right), (enters, _) = edges[layer], edges[layer + 1]
        for item in columns[layer + 1]:
            came = sorted(item.reads, key=lambda wire: sources[wire, layer].y + sources[wire, layer].port(wire))
            for i, wire in enumerate(came):
                source = sources[wire, layer]
                start = source.x + source.width if isinstance(source, Box) else left
                after = item.y + (i - (len(came) - 1) / 2) * 12.0
                height = source.y + source.port(wire)
                lines.append(Line(wire, start, right, enters, height, after, isinstance(item, Box)))
    return lines
