"""What the canonical form folds, merges and removes, example by example."""

import dataclasses

import numpy as np
import pytest

from jaxneuro.search.canonical import canonical, digest
from jaxneuro.search.genome import IDENTITY, Space, empty, live_wires
from jaxneuro.search.text import parse, show
from tests.search.genomes import same_arrays

ROOM = Space(stages=3, slots=9, nodes=16, states=3)


def same(one, other):
    assert digest(parse(one)) == digest(parse(other))


def different(one, other):
    assert digest(parse(one)) != digest(parse(other))


SLOTS = "states h k\nstage reads h\ng = W x\nf = sigmoid(W x + U h + b)\n"


def cell(*lines, output):
    """Two slots, two states, these lines."""
    return SLOTS + "\n".join(lines) + f"\noutput {output}"


@pytest.mark.parametrize(
    ("line", "simple"),
    [
        ("n = g + 0", "g"),
        ("n = 0 + g", "g"),
        ("n = g - 0", "g"),
        ("n = g - g", "0"),
        ("n = g * 1", "g"),
        ("n = 1 * g", "g"),
        ("n = g * 0", "0"),
        ("n = 0 * g", "0"),
        ("n = (1 - 0) * g", "g"),
        ("n = (1 - 1) * g", "0"),
        ("n = (1 - g) * 0", "0"),
        ("n = g", "g"),
        ("n = tanh(0)", "0"),
        ("n = relu(0)", "0"),
        ("n = negate(0)", "0"),
        ("n = complement(0)", "1"),
        ("n = spike(0)", "1"),
        ("n = complement(1)", "0"),
        ("n = spike(1)", "1"),
        ("n = relu(1)", "1"),
        ("n = tanh(g - g)", "0"),
        ("n = complement(g * 0)", "1"),
        ("n = relu(1 * 1)", "1"),
        ("n = 1 - 0", "1"),
        ("n = h * g", "0"),  # h is never written: it stays 0
        ("n = g - h", "g"),
        ("n = complement(k)", "1"),
    ],
)
def test_zero_and_one_fold(line, simple):
    same(cell(line, output="n"), cell(output=simple))


@pytest.mark.parametrize(
    "line", ["n = 0 - g", "n = g - 1", "n = g + 1", "n = (1 - g) * 1", "n = (1 - g) * g", "n = g * g", "n = g + g"]
)
def test_what_is_no_folding_stays(line):
    for simple in ("g", "0", "1"):
        different(cell(line, output="n"), cell(output=simple))


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "negate"])
def test_numbers_that_are_neither_zero_nor_one_stay(activation):
    for simple in ("0", "1"):
        different(cell(f"n = {activation}(1)", output="n"), cell(output=simple))
    different(cell("n = sigmoid(0)", output="n"), cell("n = sigmoid(1)", output="n"))


@pytest.mark.parametrize(
    ("lines", "simple"),
    [
        (["a = g * f", "c = f * g", "n = a + c"], ["a = g * f", "n = a + a"]),
        (["a = g + f", "n = tanh(a)"], ["n = tanh(g + f)"]),
        (
            ["a = g + f", "c = tanh(a)", "d = sigmoid(a)", "n = c * d"],
            ["c = tanh(f + g)", "d = sigmoid(g + f)", "n = d * c"],
        ),
        (["a = g + f", "c = tanh(g + f)", "n = a * c"], ["a = g + f", "c = tanh(a)", "n = a * c"]),
        (["n = 1 - g"], ["n = complement(g)"]),
        (["n = 0 - g"], ["n = negate(g)"]),
        (["n = (1 - g) * 1"], ["n = complement(g)"]),
        (["a = complement(g)", "n = tanh(a)"], ["n = tanh(1 - g)"]),
        (["a = negate(g)", "n = tanh(a)"], ["n = tanh(0 - g)"]),
        (["a = complement(f)", "n = a * g"], ["n = (1 - f) * g"]),
        (["a = complement(f)", "n = g * a"], ["n = (1 - f) * g"]),
        (["a = 1 - f", "n = g + 0", "k <- a"], ["n = g"]),
        (["a = complement(f)", "c = complement(g)", "n = a * c"], ["a = complement(f)", "n = (1 - g) * a"]),
        (["a = complement(f)", "c = complement(g)", "n = a * c"], ["c = complement(g)", "n = (1 - f) * c"]),
        (["a = (1 - f) * g", "n = relu(a)"], ["n = relu((1 - f) * g)"]),
    ],
)
def test_nodes_that_say_the_same_are_one(lines, simple):
    one, other = canonical(parse(cell(*lines, output="n"), ROOM)), canonical(parse(cell(*simple, output="n"), ROOM))
    assert one.digest == other.digest
    assert same_arrays(one.genome, other.genome)


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        (["a = complement(f)", "n = a * g"], 1),
        (["a = g + f", "c = tanh(a)", "d = sigmoid(a)", "n = c * d"], 3),
        (["a = g + f", "c = tanh(a)", "n = a * c"], 3),
        (["n = tanh((1 - g) * 1)"], 1),
        (["n = tanh(0 - g)"], 1),
        (["a = complement(g + f)", "c = a * g", "d = a + f", "n = c - d"], 4),
        (["a = complement(g + f)", "c = tanh(a)", "d = a + f", "n = c - d"], 4),
        (["a = complement(f)", "c = complement(g)", "n = a * c"], 2),
        (["a = complement(f)", "c = complement(g)", "d = a * c", "n = d + c"], 3),
        (["a = complement(f)", "c = complement(g)", "d = a * c", "n = d + a"], 3),
        (["a = complement(f)", "n = a * a"], 2),
        (["a = complement(f)", "c = complement(a)", "n = c * g"], 2),
    ],
)
def test_as_few_nodes_are_left_as_can_be(lines, count):
    form = canonical(parse(cell(*lines, output="n"))).genome
    assert sum(wire >= form.space.node(0) for wire in live_wires(form)) == count


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (["a = g + f", "c = tanh(g + f)", "n = a * c"], ["n1 = g1 + g2", "n2 = tanh(n1)", "n3 = n1 * n2"]),
        (
            ["a = complement(f)", "c = (1 - f) * g", "n = a - c"],
            ["n1 = complement(g2)", "n2 = g1 * n1", "n3 = n1 - n2"],
        ),
    ],
)
def test_what_is_there_anyway_is_not_made_again(lines, shown):
    assert [line for line in show(parse(cell(*lines, output="n"))).splitlines() if line.startswith("n")] == shown


def test_slots_are_never_one():
    different("stage\ng = W x\nf = W x\nn = g + f\noutput n", "stage\ng = W x\nn = g + g\noutput n")


@pytest.mark.parametrize(
    ("lines", "simple"),
    [
        (["n = g + k", "h <- g", "k <- g"], ["n = g + h", "h <- g"]),
        (["n = h + k", "h <- g", "k <- g"], ["n = h + h", "h <- g"]),
        (["a = h + g", "c = k + g", "n = a * c", "h <- a", "k <- c"], ["a = h + g", "n = a * a", "h <- a"]),
        (["n = h + g", "h <- k", "k <- h"], ["n = g"]),
        (["n = g + h", "h <- h"], ["n = g"]),
        (["a = tanh(h)", "n = g + h", "h <- a"], ["n = g"]),
        (["a = h * k", "n = g + h", "h <- a", "k <- f"], ["n = g"]),
    ],
)
def test_states_that_are_always_equal_or_zero_are_one(lines, simple):
    start = SLOTS.replace("W x + U h + b", "W x + b")
    one, other = ("\n".join([start, *rest, "output n"]) for rest in (lines, simple))
    same(one, other)


@pytest.mark.parametrize(
    ("lines", "other"),
    [
        (["n = h + g", "h <- g"], ["n = g"]),
        (["n = h + k", "h <- g", "k <- f"], ["n = h + h", "h <- g"]),
        (["a = complement(h)", "n = h + g", "h <- a"], ["n = g"]),
        (["n = h + k", "h <- g", "k <- h"], ["n = h + h", "h <- g"]),
    ],
)
def test_states_that_differ_stay(lines, other):
    different(cell(*lines, output="n"), cell(*other, output="n"))


def test_dead_parts_are_gone():
    lines = ["a = tanh(f)", "k <- a", "n = tanh(g)"]
    form = canonical(parse(cell(*lines, output="n"), ROOM))
    assert form.slots == {(0, 0): (0, 0)}
    assert form.genome.input.sum() == 1
    assert not form.genome.recurrent.any()
    assert (form.genome.activation != IDENTITY).sum() == 1
    assert live_wires(form.genome) == {ROOM.slot(0), ROOM.node(0)}


@pytest.mark.parametrize("output", ["0", "1"])
def test_a_cell_of_no_use_is_empty(output):
    form = canonical(parse(cell("a = tanh(f)", "h <- a", output=output), ROOM))
    wanted = dataclasses.replace(empty(ROOM), output=np.asarray(int(output), np.int32))
    assert same_arrays(form.genome, wanted)
    assert form.slots == {}
