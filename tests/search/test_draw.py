"""Drawings: they are well formed, say what the cell computes, and nothing lies on anything else."""

import dataclasses
import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from jaxneuro.search import draw
from jaxneuro.search.draw import mermaid, svg
from jaxneuro.search.genome import ONE, ZERO, Space, empty
from jaxneuro.search.named import TEXTS, named
from jaxneuro.search.program import NOTHING, Slot, program
from tests.search.drawn import one_of, random_genomes
from tests.search.interpreted import types_unchecked

SPACE = Space(2, 4, 8, 3)
MARK = "{http://www.w3.org/2000/svg}"
every_name = pytest.mark.parametrize("name", TEXTS)
CHARACTER = 0.61  # width of a letter of the fonts named in the drawing, of its size


def random_ones(count, seed=31):
    for late in (False, True):
        genomes = random_genomes(seed, count, SPACE, late)
        yield from (one_of(genomes, i) for i in range(count))


@dataclasses.dataclass(frozen=True)
class Area:
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    def holds(self, other, slack=0.11):
        return (
            self.left - slack <= other.left
            and self.top - slack <= other.top
            and other.right <= self.right + slack
            and other.bottom <= self.bottom + slack
        )

    def meets(self, other):
        return not (
            self.right <= other.left or other.right <= self.left or self.bottom <= other.top or other.bottom <= self.top
        )


def numbers(element, *names):
    return [float(element.get(name)) for name in names]


def parts_of(text):
    """The canvas, the boxes, the texts with their areas, and the lines as points with whether a box reads it."""
    root = ElementTree.fromstring(text)
    width, height = numbers(root, "width", "height")
    drawing = root.find(f"{MARK}g")
    shift = float(re.search(r"translate\((\d+) \d+\)", drawing.get("transform")).group(1))
    boxes = []
    for rect in drawing.iter(f"{MARK}rect"):
        x, y, wide, high = numbers(rect, "x", "y", "width", "height")
        boxes.append(Area(x, y, x + wide, y + high))
    texts = []
    for label in drawing.iter(f"{MARK}text"):
        x, y, size = numbers(label, "x", "y", "font-size")
        texts.append((label.text, Area(x, y - 0.8 * size, x + CHARACTER * size * len(label.text), y + 0.25 * size)))
    return Area(-shift, -shift, width - shift, height - shift), boxes, texts, drawing


def lines_of(drawing):
    """Each line as points along it."""
    lines = []
    for path in drawing.iter(f"{MARK}path"):
        found = re.fullmatch(r"M(\S+) (\S+)H(\S+)C(\S+) (\S+) (\S+) (\S+) (\S+) (\S+)", path.get("d"))
        if found:
            x, y, level, *curve = map(float, found.groups())
            ends = np.array([[level, y], *np.reshape(curve, (3, 2))])
            t = np.linspace(0, 1, 41)[:, None]
            along = (
                (1 - t) ** 3 * ends[0] + 3 * (1 - t) ** 2 * t * ends[1] + 3 * (1 - t) * t**2 * ends[2] + t**3 * ends[3]
            )
            straight = np.stack([np.linspace(x, level, 20), np.full(20, y)], 1)
            lines.append(np.concatenate([straight, along]))
    return lines


def arrows(drawing):
    found = [re.fullmatch(r"M(\S+) (\S+)l-8 -4v8z", path.get("d")) for path in drawing.iter(f"{MARK}path")]
    return [tuple(map(float, match.groups())) for match in found if match]


def check_places(text):
    canvas, boxes, texts, drawing = parts_of(text)
    for box in boxes:
        assert canvas.holds(box)
    for one, other in itertools.combinations(boxes, 2):
        assert not one.meets(other)
    for label, area in texts:
        assert sum(box.holds(area) for box in boxes) == 1, label
    for (label, one), (_, other) in itertools.combinations(texts, 2):
        assert not one.meets(other), label
    for line in lines_of(drawing):
        for box in boxes:
            inside = (line[:, 0] > box.left + 0.2) & (line[:, 0] < box.right - 0.2)
            inside &= (line[:, 1] > box.top + 0.2) & (line[:, 1] < box.bottom - 0.2)
            assert not inside.any()
    for x, y in arrows(drawing):
        assert any(abs(x - box.left) < 0.11 and box.top < y < box.bottom for box in boxes)


def reads_of(code):
    """What each value reads, by name; x and what there is after the step included."""
    names = code.names
    reads = {}
    for wire, line in code.numbered:
        if isinstance(line, Slot):
            read = {"x"} if line.input else set()
            read |= {names[line.source]} if line.source not in (NOTHING, ONE, ZERO) else set()
        else:
            read = {names[operand] for operand in line.operands if operand > ONE}
        reads[names[wire]] = read
    ends = [(f"next_h{state + 1}", wire) for state, wire in enumerate(code.next)] + [("output", code.output)]
    return reads | {name: {names[wire]} if wire > ONE else set() for name, wire in ends}


@every_name
def test_in_the_drawing_of_a_known_cell_nothing_lies_on_anything_else(name):
    check_places(svg(named(name)))


def test_in_drawings_of_random_cells_nothing_lies_on_anything_else():
    for genome in random_ones(25):
        with types_unchecked():
            drawing = svg(genome)
        check_places(drawing)


@pytest.mark.parametrize("wire", [ZERO, ONE, 2])
def test_a_cell_that_computes_nothing_is_drawn(wire):
    genome = dataclasses.replace(empty(SPACE), output=np.asarray(wire, np.int32))
    check_places(svg(genome))
    assert "output = " in mermaid(genome)


@every_name
def test_the_drawing_shows_every_value_and_every_reader(name):
    code = program(named(name))
    _, _, texts, drawing = parts_of(svg(named(name)))
    shown = [label for label, _ in texts]
    for label in (*code.names[2:], "x"):
        assert label in shown
    boxes = {}  # slots that read one wire are one box
    for value, read in reads_of(code).items():
        line = next((line for wire, line in code.numbered if code.names[wire] == value), None)
        boxes.setdefault(line.source if isinstance(line, Slot) else value, set()).update(read)
    assert len(arrows(drawing)) == sum(map(len, boxes.values()))
    assert len({stroke.get("stroke") for stroke in drawing.iter(f"{MARK}rect")}) >= 3


def test_boxes_say_what_is_computed():
    labels = [label for label, _ in parts_of(svg(named("LIF")))[2]]
    assert {"σ(b)", "W x + U h1 + b", "(1 − n3) × n2", "spike(n2 − 1)", "h2 × g1", "next h1"} <= set(labels)


def test_what_is_written_is_escaped(monkeypatch):
    monkeypatch.setitem(draw.COMBINED, "add", '{0} <&"> {1}')
    labels = [label for label, _ in parts_of(svg(named("LSTM")))[2]]
    assert 'n1 <&"> n2' in labels
    assert 'n1 <&"> n2' not in mermaid(named("LSTM"))
    assert "n1 &lt;&amp;&quot;&gt; n2" in mermaid(named("LSTM"))


def test_a_drawing_with_things_on_each_other_is_noticed():
    text = svg(named("LSTM"))
    moved = re.sub(r'(<rect x=")[\d.]+(" y=")[\d.]+', r"\g<1>0.0\g<2>0.0", text)
    assert moved != text
    with pytest.raises(AssertionError):
        check_places(moved)


@every_name
def test_it_is_not_high_and_its_lines_are_nearly_level(name):
    _, boxes, _, drawing = parts_of(svg(named(name)))
    assert max(box.bottom for box in boxes) <= 520
    assert np.mean([abs(line[-1, 1] - line[0, 1]) for line in lines_of(drawing)]) < 50


NODE = re.compile(r'    (\w+)(?:\["([^"]+)"\]|\(\["([^"]+)"\]\))')
EDGE = re.compile(r"    (\w+) --> (\w+)")
STYLE = re.compile(r"    (?:classDef \w+ fill:#\w{6},stroke:#\w{6},color:#\w{3}|class [\w,]+ \w+)")


def check_chart(genome):
    first, *lines = mermaid(genome).splitlines()
    assert first == "flowchart LR"
    nodes, edges = {}, {}
    for line in lines:
        if node := NODE.fullmatch(line):
            assert node.group(1) not in nodes
            nodes[node.group(1)] = node.group(2) or node.group(3)
        elif edge := EDGE.fullmatch(line):
            edges.setdefault(edge.group(2), set()).add(edge.group(1))
        else:
            assert STYLE.fullmatch(line), line
    expected = reads_of(program(genome))
    assert edges == {name: read for name, read in expected.items() if read}
    assert set(expected) <= set(nodes)
    assert {source for read in edges.values() for source in read} <= set(nodes)
    styled = [name for line in lines if line.startswith("    class ") for name in line.split()[1].split(",")]
    assert sorted(styled) == sorted(nodes)


@every_name
def test_the_chart_of_a_known_cell_has_its_values_and_their_readers(name):
    check_chart(named(name))


def test_charts_of_random_cells_have_their_values_and_their_readers():
    for genome in random_ones(30):
        check_chart(genome)


@pytest.mark.parametrize("drawn", [svg, mermaid])
def test_equal_cells_have_equal_drawings(drawn):
    genome = named("MUT1", Space(3, 5, 12, 3))
    before = drawn(genome)
    genome.combine[2, 11], genome.first[2, 11] = 3, 2  # dead
    assert drawn(genome) == before
    assert drawn(named("GRU")) != before


@pytest.mark.parametrize("drawn", [svg, mermaid])
def test_a_genome_out_of_range_is_refused(drawn):
    bad = dataclasses.replace(named("LSTM"), output=np.asarray(99, np.int32))
    with pytest.raises(ValueError, match=r"Genome\.output is 99"):
        drawn(bad)
