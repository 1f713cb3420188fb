"""Mutations give valid cells, and each does what it says."""

import dataclasses
import functools
import itertools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.search.draft import live, reads_of
from jaxneuro.search.genome import ACTIVATIONS, FIRST_STATE, Space, check, largest, live_wires
from jaxneuro.search.mutation import OPERATORS, crossover, mutate, random_genome, rates
from jaxneuro.search.named import named
from jaxneuro.search.text import parse, show
from tests.search.drawn import one_of, random_genomes

SPACE = Space(stages=2, slots=6, nodes=10, states=4)
MANY = 1000
TRACES = []


def traced(key, genome, weights):
    TRACES.append(genome)
    return mutate(key, genome, weights)


single, many = jax.jit(traced), jax.jit(jax.vmap(traced, in_axes=(0, 0, None)))
drawn = jax.jit(jax.vmap(random_genome, in_axes=(0, None)), static_argnums=1)
alive = jax.jit(jax.vmap(live))
crossed = jax.jit(jax.vmap(crossover))
DEFAULT = rates()


def keys(seed, count=MANY):
    return jax.random.split(jax.random.key(seed), count)


def only(name):
    """Rates that draw one operator."""
    return np.array([float(name == other) for other in OPERATORS], np.float32)


def mutated(name, genomes, seed=0):
    """The population after one operator, as NumPy arrays."""
    children, which = many(keys(seed), genomes, only(name))
    assert (np.asarray(which) == list(OPERATORS).index(name)).all()
    return jax.tree.map(np.asarray, children)


def copies(text):
    """The cell of a text, many times."""
    genome = parse(text, SPACE)
    return jax.tree.map(lambda array: np.broadcast_to(array, (MANY, *array.shape)), genome)


def children(name, text, count=200):
    """The texts of the children of a cell that differ from it."""
    population = mutated(name, copies(text))
    rows = np.concatenate([leaf.reshape(MANY, -1) for leaf in jax.tree.leaves(population)], 1)
    _, firsts = np.unique(rows, axis=0, return_index=True)
    return {show(one_of(population, number)) for number in np.sort(firsts)[:count]} - {show(parse(text, SPACE))}


def texts(*cells):
    return {show(parse(cell, SPACE)) for cell in cells}


def valid(genomes):
    most = largest(SPACE)
    for field in dataclasses.fields(most):
        entries, limit = np.asarray(getattr(genomes, field.name)), getattr(most, field.name)
        assert entries.dtype == np.int32, field.name
        assert (entries >= 0).all(), field.name
        assert (entries <= limit).all(), field.name


def changed(before, after):
    """Which genomes of a population are different."""
    pairs = zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True)
    return np.stack([(np.asarray(a) != np.asarray(b)).reshape(len(a), -1).any(1) for a, b in pairs]).any(0)


def sizes(genomes):
    """How many states, slots and nodes of each genome are live."""
    found = np.asarray(alive(genomes))
    table = found[:, SPACE.slot(0) :].reshape(len(found), SPACE.stages, -1)
    states = found[:, FIRST_STATE : SPACE.slot(0)].sum(1)
    return states, table[:, :, : SPACE.slots].sum((1, 2)), table[:, :, SPACE.slots :].sum((1, 2))


@functools.cache
def populations():
    return {
        "random": jax.tree.map(np.asarray, drawn(keys(7), SPACE)),
        "even": random_genomes(1, MANY, SPACE),
        "late": random_genomes(2, MANY, SPACE, late=True),
    }


@pytest.mark.parametrize("space", [SPACE, Space(1, 1, 0, 1), Space(1, 2, 3, 1), Space(4, 2, 3, 5)], ids=str)
def test_live_wires_are_those_of_the_reference(space):
    for late in (False, True):
        genomes = random_genomes(3, 1000, space, late)
        found = np.asarray(alive(genomes))
        for number in range(1000):
            assert set(np.flatnonzero(found[number]).tolist()) == live_wires(one_of(genomes, number))


def chain(genomes, rounds):
    """Mutations upon mutations, each population checked."""
    for seed in range(rounds):
        genomes, _ = many(keys(seed), genomes, DEFAULT)
        valid(genomes)
    return genomes


def test_twenty_thousand_mutations_are_valid():
    for genomes in populations().values():
        last = chain(genomes, 7)
        for number in range(20):
            check(one_of(jax.tree.map(np.asarray, last), number))


@pytest.mark.slow
def test_a_million_mutations_are_valid():
    for genomes in populations().values():
        chain(genomes, 334)


@pytest.mark.slow
@pytest.mark.parametrize("space", [Space(1, 1, 0, 1), Space(3, 2, 4, 1), Space(1, 8, 3, 8)], ids=str)
def test_mutations_in_spaces_with_little_room_are_valid(space):
    apply, genomes = jax.jit(jax.vmap(mutate)), random_genomes(1, MANY, space, late=True)
    most = largest(space)
    for seed in range(20):
        genomes, _ = apply(keys(seed), genomes)
        for limit, entries in zip(jax.tree.leaves(most), jax.tree.leaves(genomes), strict=True):
            assert ((np.asarray(entries) >= 0) & (np.asarray(entries) <= limit)).all()


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_does_something_on_most_genomes(name):
    # Those that need an unused state, a wire with two readers or a product of a state find fewer places.
    least = {"duplicate": 0.25, "nest": 0.4, "complexify": 0.2}.get(name, 0.5)
    for kind, genomes in populations().items():
        share = changed(genomes, mutated(name, genomes)).mean()
        assert share >= least, (name, kind, share)


# How many states, slots and nodes come in, at least and at most.
GROWTH = {
    "insert": ((0, 0), (0, 0), (1, 1)),
    "gate": ((0, 0), (1, 1), (1, 1)),
    "term": ((0, 0), (1, 1), (1, 1)),
    "add_state": ((1, 1), (0, 0), (1, 1)),
    "nest": ((1, 1), (1, 3), (2, 5)),
    "complexify": ((0, 1), (1, 2), (5, 7)),
}


@pytest.mark.parametrize("name", GROWTH)
def test_growth_adds_what_it_says_and_loses_nothing(name):
    for genomes in populations().values():
        after = mutated(name, genomes)
        where = changed(genomes, after)
        for (least, most), old, new in zip(GROWTH[name], sizes(genomes), sizes(after), strict=True):
            more = (new - old)[where]
            assert (more >= least).all()
            assert (more <= most).all()


@pytest.mark.parametrize(("name", "part"), [("delete", 2), ("remove_state", 0)])
def test_removal_makes_the_cell_smaller(name, part):
    for genomes in populations().values():
        after = mutated(name, genomes)
        where = changed(genomes, after)
        assert where.any()
        assert (sizes(after)[part] < sizes(genomes)[part])[where].all()


FIELDS = {
    "combine": {"combine", "second"},
    "activation": {"activation", "squash"},
    "rewire_node": {"first", "second"},
    "rewire_state": {"next"},
    "rewire_output": {"output"},
    "rewire_source": {"source"},
    "input": {"input", "bias"},
    "recurrent": {"recurrent", "bias", "source"},
    "bias": {"bias"},
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_small_change_changes_one_place(name):
    genomes = populations()["late"]
    after = mutated(name, genomes)
    counts = {
        field.name: (getattr(genomes, field.name) != getattr(after, field.name)).reshape(MANY, -1).sum(1)
        for field in dataclasses.fields(genomes)
    }
    assert all(not counts[field].any() for field in set(counts) - FIELDS[name])
    assert max(counts[field].max() for field in FIELDS[name]) == 1
    main = [counts[field] for field in FIELDS[name] if (name, field) not in {("input", "bias"), ("recurrent", "bias")}]
    assert set(np.unique(sum(main))) <= ({0, 1, 2} if name in {"combine", "recurrent"} else {0, 1})


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


RNN = "states h\n stage reads h\n u = tanh(W x + U h + b)\n h <- u\n output u"


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


def test_the_key_decides():
    genomes = populations()["random"]
    one, other, again = (many(keys(seed), genomes, DEFAULT) for seed in (1, 2, 1))
    assert not changed(one, again).any()
    assert changed(one, other).mean() > 0.5


def test_vmap_is_a_loop():
    genomes = jax.tree.map(np.asarray, populations()["random"])
    together, which = many(keys(3), genomes, DEFAULT)
    for number in range(200):
        alone, operator = single(keys(3)[number], one_of(genomes, number), DEFAULT)
        assert int(operator) == int(which[number])
        for a, b in zip(jax.tree.leaves(alone), jax.tree.leaves(together), strict=True):
            np.testing.assert_array_equal(a, b[number])


def test_ten_thousand_genomes_compile_once():
    single(keys(0)[0], named("LSTM", SPACE), DEFAULT)
    many(keys(0), populations()["random"], DEFAULT)
    before = len(TRACES)
    for seed in range(10):
        many(keys(seed), random_genomes(seed, MANY, SPACE), DEFAULT)
    genomes = random_genomes(11, 300, SPACE)
    for number in range(300):
        single(keys(0)[number], one_of(genomes, number), DEFAULT)
    assert len(TRACES) == before


def test_rates():
    weights = rates(gate=0, nest=5)
    assert weights[list(OPERATORS).index("nest")] == 5
    _, which = many(keys(4), populations()["random"], weights)
    shares = np.bincount(which, minlength=len(OPERATORS)) / MANY
    assert shares[list(OPERATORS).index("gate")] == 0
    np.testing.assert_allclose(shares, weights / weights.sum(), atol=4 * (0.25 / MANY) ** 0.5)
    for wrong in ({"gat": 1}, {"gate": -1}, {"gate": float("nan")}, dict.fromkeys(OPERATORS, 0)):
        with pytest.raises(ValueError, match=r"operator|Rates"):
            rates(**wrong)


def test_children_of_two_are_valid_and_of_both():
    a, b = random_genomes(1, MANY, SPACE, late=True), random_genomes(2, MANY, SPACE, late=True)
    child = jax.tree.map(np.asarray, crossed(keys(0), a, b))
    valid(child)
    assert changed(child, a).mean() > 0.9
    assert changed(child, b).mean() > 0.9
    for field in dataclasses.fields(child):
        entries = getattr(child, field.name)
        assert ((entries == getattr(a, field.name)) | (entries == getattr(b, field.name))).all(), field.name
    assert not changed(jax.tree.map(np.asarray, crossed(keys(0), a, a)), a).any()


def test_crossover_keeps_stages_whole_or_cuts_at_a_wire():
    ones = jax.tree.map(lambda limit: np.ones((MANY, *limit.shape), np.int32), largest(SPACE))
    zeros = jax.tree.map(np.zeros_like, ones)
    child = jax.tree.map(np.asarray, crossed(keys(0), zeros, ones))
    order = np.concatenate([child.input, child.first], 2).reshape(MANY, -1)
    cut = (np.diff(order, axis=1) >= 0).all(1)
    whole = (order.reshape(MANY, SPACE.stages, -1) == order.reshape(MANY, SPACE.stages, -1)[:, :, :1]).all((1, 2))
    assert (cut | whole).all()
    assert cut.mean() > 0.3
    assert whole.mean() > 0.3
    assert (child.output[cut & ~whole] == 1).all()


def test_crossover_is_of_one_space():
    with pytest.raises(ValueError, match="one space"):
        crossover(jax.random.key(0), named("RNN"), named("LSTM"))


def test_random_genomes_are_valid_mostly_live_and_different():
    genomes = jax.tree.map(np.asarray, drawn(keys(0), SPACE))
    valid(genomes)
    states, slots, nodes = sizes(genomes)
    assert len(np.unique(np.stack([states, slots, nodes]), axis=1).T) > 200
    assert {1, 2, 3, 4} <= set(states)
    assert (slots > 0).mean() > 0.98
    # Evenly drawn, the first stage has 3.5 slots and the second 3, and the two have 10 nodes.
    assert slots.mean() > 0.75 * 6.5
    assert nodes.mean() > 0.75 * 10
    assert states.mean() > 0.75 * 2.5


def test_reads_are_in_the_order_of_the_fields():
    table, most = reads_of(SPACE), largest(SPACE)
    expected = [most.source, most.first, most.second, most.next, most.output]
    np.testing.assert_array_equal(table.limit, np.concatenate([np.ravel(array) for array in expected]))
    assert (table.stage[table.kind == 0] == [-1, 0]).all()


def test_in_double_precision(float64):
    child, index = jax.eval_shape(mutate, jax.random.key(0), named("LSTM", SPACE))
    assert all(leaf.dtype == jnp.int32 for leaf in [index, *jax.tree.leaves(child)])
