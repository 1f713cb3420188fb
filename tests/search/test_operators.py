"""Each mutation does what it says, on cells small enough to write down."""

import itertools
import re

import jax
import numpy as np
import pytest

from jaxneuro.search.genome import ACTIVATIONS, Space
from jaxneuro.search.mutation import OPERATORS
from jaxneuro.search.named import named
from jaxneuro.search.text import parse, show
from tests.search.drawn import one_of
from tests.search.mutants import RNN, SPACE, children, keys, texts


def test_combine():
    cell = "states h\n stage reads h\n u = tanh(W x + U h)\n n = {}\n h <- n\n output n"
    others = ["u + h", "u * h", "(1 - u) * h", "u"]
    assert children("combine", cell.format("u - h")) == texts(*map(cell.format, others))


def test_combine_gives_a_node_with_one_operand_a_second():
    cell = "states h\n stage reads h\n u = tanh(W x + U h)\n n = {}\n h <- n\n output n"
    found = children("combine", cell.format("relu(u)"))
    wires = ["1", "h", "u"]
    forms = ["relu(u + {})", "relu(u - {})", "relu(u * {})", "relu((1 - u) * {})"]
    made = texts(*(cell.format(form.format(wire)) for form in forms for wire in wires))
    assert found == made - texts(cell.format("relu(u)"))


def test_activation():
    cell = "states h\n stage reads h\n u = {}(W x + U h)\n n = {}(u + h)\n h <- n\n output n"
    names = ["tanh", "sigmoid", "relu", "complement", "negate", "spike"]
    found = children("activation", cell.format("relu", "tanh"))
    expected = [cell.format(name, "tanh") for name in names] + [cell.format("relu", name) for name in names]
    plain = [
        cell.format("relu", "tanh").replace("relu(W x + U h)", "W x + U h"),
        cell.format("relu", "tanh").replace("tanh(u + h)", "u + h"),
    ]
    assert found == texts(*expected, *plain) - texts(cell.format("relu", "tanh"))


def test_rewire_state_and_output():
    two = "states h c\n stage reads h\n u = tanh(W x + U h + b)\n n = u + c\n h <- {}\n c <- {}\n output {}"
    found = children("rewire_output", two.format("u", "n", "n"))
    # Wires that nothing makes are the number 0.
    assert found == texts(*(two.format("u", "n", wire) for wire in ("h", "c", "u", "0")))
    found = children("rewire_state", two.format("u", "n", "n"))
    places = itertools.chain((("u", w) for w in ("h", "c", "u", "0")), ((w, "n") for w in ("h", "c", "n", "0")))
    assert found == texts(*(two.format(*place, "n") for place in places)) - texts(two.format("u", "n", "n"))


def test_rewire_source():
    cell = "states h c\n stage reads {}\n u = tanh(W x + U {} + b)\n n = u + c\n h <- u\n c <- n\n output n"
    assert children("rewire_source", cell.format("h", "h")) == texts(
        cell.format("c", "c"), cell.replace("U {} + ", "").format("h")
    )


def test_rewire_node():
    cell = "states h c\n stage reads h\n u = tanh(W x + U h)\n n = {} - {}\n h <- n\n c <- u\n output n"
    pairs = [(w, "c") for w in ("0", "1", "h", "c")] + [("u", w) for w in ("0", "1", "h", "u")]
    assert children("rewire_node", cell.format("u", "c")) <= texts(*(cell.format(*pair) for pair in pairs))
    assert len(children("rewire_node", cell.format("u", "c"))) >= 6


def test_toggles_and_biases():
    cell = "states h\n stage reads h\n u = tanh({})\n h <- u\n output u"
    assert children("input", RNN) == texts(cell.format("U h + b"))
    assert children("input", cell.format("W x")) == texts(cell.format("b"))
    assert children("recurrent", RNN) == texts(cell.format("W x + b"))
    assert children("recurrent", cell.format("U h")) == texts(cell.format("b"))
    starts = ["1", "-1", "4", "-4", "long", "-long"]
    with_starts = [cell.format(f"W x + U h + b from {start}") for start in starts]
    assert children("bias", RNN) == texts(*with_starts, cell.format("W x + U h"))
    assert children("bias", cell.format("b")) == texts(*(cell.format(f"b from {start}") for start in starts))


def test_recurrence_of_a_stage_that_reads_nothing():
    cell = "states c\n stage\n u = tanh(W x)\n n = u + c\n c <- n\n output n"
    reads = "states c\n stage reads c\n u = tanh(W x + U c)\n n = u + c\n c <- n\n output n"
    assert children("recurrent", cell) == texts(reads)


def test_delete():
    cell = (
        """states h c\n stage reads h\n u = tanh(W x + U h)\n f = sigmoid(W x + b)\n {} h <- {}\n c <- {}\n output {}"""
    )
    made = cell.format("k = f * c\n n = k + u\n", "n", "n", "n")
    smaller = [
        cell.format("n = f + u\n", "n", "n", "n"),
        cell.format("n = c + u\n", "n", "n", "n"),
        cell.format("k = f * c\n", "k", "k", "k"),
        cell.format("", "u", "u", "u"),
    ]
    assert children("delete", made) == texts(*smaller)


def test_remove_state():
    cell = "states h c\n stage reads h\n u = tanh(W x + U h)\n n = u + c\n h <- u\n c <- n\n output c"
    no_c = "states h\n stage reads h\n u = tanh(W x + U h)\n n = u + {}\n h <- u\n output n"
    no_h = "states c\n stage reads c\n u = tanh(W x{})\n n = u + c\n c <- n\n output c"
    expected = texts(no_c.format("h"), no_c.format("0"), no_h.format(" + U c"), no_h.format(""))
    assert children("remove_state", cell) == expected


def test_insert():
    found = children("insert", RNN, 60)
    before = "states h1\nstage reads h1\ng1 = tanh\\(W x \\+ U h1 \\+ b\\)\n"
    # The canonical form of (1 - u) * 1 has a node more.
    at_output = re.compile(before + "n1 = .*\n(n2 = .*\n)?h1 <- g1\noutput n[12]\n")
    at_state = re.compile(before + "n1 = .*\n(n2 = .*\n)?h1 <- n[12]\noutput g1\n")
    # The state stays 0 with h * u, and the output with (1 - 1) * u.
    trivial = texts("stage\n u = tanh(W x + b)\n output u", "output 0")
    assert all(at_output.fullmatch(text) or at_state.fullmatch(text) for text in found - trivial)
    for what in (
        *(name for name in ACTIVATIONS if name != "identity"),
        "h1 + g1",
        "h1 - g1",
        "g1 - h1",
        "h1 * g1",
        "1 + g1",
    ):
        assert any(what in text for text in found), what


STARTS = ["b", "b from 1", "b from -1", "b from 4", "b from -4", "b from long", "b from -long"]


def test_gate():
    cell = "states h\n stage reads h\n u = tanh(W x + U h + b)\n {} n = g * u\n h <- {}\n output {}"
    made = []
    for start, ends in itertools.product(STARTS, (("n", "u"), ("u", "n"))):
        made.append(cell.format(f"g = sigmoid(W x + U h + {start})\n", *ends))
        made.append(cell.format(f"stage reads u\n g = sigmoid(W x + U u + {start})\n", *ends))
    found = children("gate", RNN, 80)
    assert found <= texts(*made)
    assert len(found) > 20


def test_term():
    cell = "states h\n stage reads h\n u = tanh(W x + U h + b)\n {} n = u + g\n h <- {}\n output {}"
    made = []
    for ends in (("n", "u"), ("u", "n")):
        made.append(cell.format("g = W x + U h + b\n", *ends))
        made.append(cell.format("stage reads u\n g = W x + U u + b\n", *ends))
    assert children("term", RNN) == texts(*made)


def test_add_state():
    cell = "states h s\n stage reads h\n u = tanh(W x + U h + b)\n n = {}\n h <- {}\n s <- {}\n output {}"
    made = []
    for node, taken, ends in itertools.product(("u + s", "u - s", "(1 - s) * u"), "nu", (("n", "u"), ("u", "n"))):
        made.append(cell.format(node, ends[0], taken, ends[1]))
    assert children("add_state", RNN) == texts(*made)


def test_skip():
    delayed = "states h s\n stage reads {}\n u = tanh(W x + U {} + b)\n h <- {}\n s <- {}\n output {}"
    made = [
        delayed.format("s", "s", "u", "h", "u"),
        delayed.format("h", "h", "s", "u", "u"),
        delayed.format("h", "h", "u", "u", "h"),  # h takes this wire already
    ]
    assert children("skip", RNN) == texts(*made)


def test_duplicate_a_slot():
    twin = "states h\n stage reads h\n u = tanh(W x + U h + b)\n v = tanh(W x + U h + b)\n h <- u\n output v"
    assert children("duplicate", RNN) == texts(twin)


def test_duplicate_a_node():
    cell = "states h c\n stage reads h\n u = tanh(W x + U h)\n n = {} - c\n {} h <- {}\n c <- u\n output {}"
    names = ["tanh", "sigmoid", "relu", "complement", "negate", "spike"]
    copies_of_n = [f"m = {name}(u - c)\n" for name in names] + ["m = h - c\n", "m = c - c\n"]
    ends = [("m", "n"), ("n", "m")]
    made = [cell.format("u", copy, *end) for copy, end in itertools.product(copies_of_n, ends)]
    # The slot has two readers too, the node and the state c.
    slot = "states h c\n stage reads h\n u = tanh(W x + U h)\n v = tanh(W x + U h)\n n = u - c\n h <- n\n c <- v\n"
    assert children("duplicate", cell.format("u", "", "n", "n")) == texts(*made, slot + "output n")


NESTED = """
    states h d
    stage reads h
    u = tanh(W x + U h + b)
    f = sigmoid(W x + U h + b from 1)
    i = sigmoid(W x + U h + b)
    o = sigmoid(W x + U h + b)
    kept = f * d
    written = i * u
    new = kept + written
    shown = tanh(new)
    out = o * shown
    h <- out
    d <- new
    output out
"""


def test_nest():
    found = children("nest", RNN, 100)
    assert show(parse(NESTED, SPACE)) in found
    assert all("h2 <-" in text and text.count("sigmoid(") == 3 and "+ b from 1)" in text for text in found)


LEAST_NESTED = """
    states h d
    stage reads h
    u = tanh(W x + U h + b)
    f = sigmoid(W x + U h + b from 1)
    kept = f * d
    new = kept + u
    h <- new
    d <- new
    output new
"""


@pytest.mark.parametrize(
    ("slots", "nodes", "expected"),
    [
        (2, 2, LEAST_NESTED),
        pytest.param(4, 5, NESTED, marks=pytest.mark.slow),
        pytest.param(1, 2, RNN, marks=pytest.mark.slow),
        pytest.param(4, 1, RNN, marks=pytest.mark.slow),
    ],
)
def test_nest_as_far_as_there_is_room(slots, nodes, expected):
    space = Space(1, slots, nodes, 2)
    apply = jax.jit(jax.vmap(OPERATORS["nest"], in_axes=(0, None)))
    population = jax.tree.map(np.asarray, apply(keys(0, 50), parse(RNN, space)))
    assert {show(one_of(population, number)) for number in range(50)} == {show(parse(expected, SPACE))}


COMPLEX = """
    states re im
    stage
    a = sigmoid(W x + b)
    v = W x
    b_ = tanh(W x{})
    re_re = a * re
    im_im = b_ * im
    turned_re = re_re - im_im
    re_new = turned_re + v
    im_re = b_ * re
    re_im = a * im
    im_new = im_re + re_im
    re <- re_new
    im <- im_new
    output re_new
"""


def test_complexify():
    leaky = """
        states re
        stage
        a = sigmoid(W x + b)
        v = W x
        kept = a * re
        new = kept + v
        re <- new
        output new
    """
    found = children("complexify", leaky)
    # The slot reads what its stage reads, which is a live wire.
    assert show(parse(COMPLEX.replace("stage", "stage reads re").format(" + U re + b"), SPACE)) in found
    assert all(text.count("tanh(") == 1 and "h2 <-" in text for text in found)


def test_complexify_makes_a_factor_where_there_is_none():
    found = children("complexify", "states c\n stage\n v = W x\n n = v + c\n c <- n\n output n")
    assert found
    assert all(text.count("sigmoid(") == 1 and text.count("tanh(") == 1 and "h2 <-" in text for text in found)


def test_complexify_takes_a_second_state_if_none_is_unused():
    space = Space(1, 6, 12, 2)
    population = jax.jit(jax.vmap(OPERATORS["complexify"], in_axes=(0, None)))(keys(0, 100), named("LSTM", space))
    found = {show(one_of(jax.tree.map(np.asarray, population), number)) for number in range(100)}
    grown = found - {show(named("LSTM", space))}
    assert grown
    # Two nodes for the product that the cell had, four for the other state; a gate more if it had none.
    assert all("h3" not in text and text.count("\nn") == 5 + 6 for text in grown)
