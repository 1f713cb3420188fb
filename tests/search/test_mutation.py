"""Mutations give valid cells, the same for the same key, and compile once."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.search.draft import reads_of
from jaxneuro.search.genome import Space, check, largest, live_wires
from jaxneuro.search.mutation import OPERATORS, crossover, mutate, rates
from jaxneuro.search.named import named
from jaxneuro.search.text import parse
from tests.search.drawn import one_of, random_genomes
from tests.search.mutants import (
    DEFAULT,
    MANY,
    SPACE,
    TRACES,
    alive,
    changed,
    drawn,
    keys,
    many,
    mutated,
    populations,
    single,
    sizes,
    valid,
)

crossed = jax.jit(jax.vmap(crossover))


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
def test_a_hundred_thousand_mutations_are_valid():
    for genomes in populations().values():
        chain(genomes, 34)


@pytest.mark.slow
@pytest.mark.parametrize("space", [Space(1, 1, 0, 1), Space(3, 2, 4, 1), Space(1, 8, 3, 8)], ids=str)
def test_mutations_in_spaces_with_little_room_are_valid(space):
    apply, genomes = jax.jit(jax.vmap(mutate)), random_genomes(1, MANY, space, late=True)
    most = largest(space)
    for seed in range(20):
        genomes, _ = apply(keys(seed), genomes)
        for limit, entries in zip(jax.tree.leaves(most), jax.tree.leaves(genomes), strict=True):
            assert ((np.asarray(entries) >= 0) & (np.asarray(entries) <= limit)).all()


def test_what_is_not_read_is_valid_too():
    # A node with one operand names, as its second, the unused place that a new node after it comes from.
    space = Space(1, 2, 4, 1)
    form = parse("stage\n g = W x\n d = 0\n u = tanh(g)\n v = tanh(u)\n w = tanh(v)\n output w", space)
    second = form.second.copy()
    second[0, 1:] = space.node(0, 0)
    form = dataclasses.replace(form, second=second)
    check(form)
    after = jax.tree.map(np.asarray, jax.jit(jax.vmap(OPERATORS["term"], in_axes=(0, None)))(keys(0, 20), form))
    assert (after.first != form.first).any()
    for number in range(20):
        check(one_of(after, number))


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
    ends = np.concatenate([child.next, child.output[:, None]], 1)
    assert (ends[cut & ~whole] == 1).all()
    assert 0.3 < ends[whole & ~cut].mean() < 0.7


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
