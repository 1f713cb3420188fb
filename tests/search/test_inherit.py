"""Cells that grow with their weights: morphs keep what a cell computes, and what is new can learn."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.search.cell import EvolvedCell
from jaxneuro.search.draft import live
from jaxneuro.search.genome import Space
from jaxneuro.search.inherit import MORPHS, apply_morph, cross_cells, morph, mutate_cell
from jaxneuro.search.mutation import OPERATORS, crossover, mutate, random_genome
from jaxneuro.search.named import named
from jaxneuro.search.text import parse, show
from tests.search.drawn import random_genomes

SPACE = Space(stages=2, slots=6, nodes=10, states=4)
INPUTS, UNITS, STEPS, MANY = 2, 3, 8, 400
OPEN = float(jax.nn.sigmoid(4.0))

grow = jax.jit(jax.vmap(morph, in_axes=(0, 0, None)))
vary = jax.jit(jax.vmap(mutate_cell, in_axes=(0, 0, None)))
build = jax.jit(jax.vmap(lambda key, genome: EvolvedCell(INPUTS, UNITS, genome, key=key)))
inputs = jax.random.normal(jax.random.key(5), (STEPS, INPUTS))


@jax.jit
def outputs(cells):
    return jax.vmap(lambda cell: jn.run(cell, inputs)[1])(cells)


def keys(seed):
    return jax.random.split(jax.random.key(seed), MANY)


def only(table, name):
    return np.array([float(name == other) for other in table], np.float32)


@functools.cache
def parents():
    """Cells of three kinds, with random biases."""
    drawn = jax.jit(jax.vmap(random_genome, in_axes=(0, None)), static_argnums=1)(keys(1), SPACE)
    known = jax.tree.map(lambda array: np.broadcast_to(array, (MANY, *array.shape)), named("LSTM", SPACE))
    cells = [build(keys(2), genomes) for genomes in (drawn, random_genomes(3, MANY, SPACE, late=True), known)]
    return [with_bias(cell, cell.bias + jax.random.normal(jax.random.key(6), cell.bias.shape)) for cell in cells]


def with_bias(cell, bias):
    return eqx.tree_at(lambda cell: cell.bias, cell, bias)


def changed(before, after):
    pairs = zip(jax.tree.leaves(before.genome), jax.tree.leaves(after.genome), strict=True)
    return np.stack([(np.asarray(a) != np.asarray(b)).reshape(MANY, -1).any(1) for a, b in pairs]).any(0)


def gap(before, after):
    """How far apart outputs are, as a share of their size if that is above 1; of cells that do not run away."""
    before, after = np.asarray(before), np.asarray(after)
    sound = np.isfinite(before).all((1, 2)) & (np.abs(before).max((1, 2)) < 1e4)
    assert sound.mean() > 0.9
    size = np.maximum(1, np.abs(before[sound]).max((1, 2)))
    return np.abs(after[sound] - before[sound]).max((1, 2)) / size


@pytest.mark.parametrize("name", [name for name in MORPHS if name != "open_gate"])
def test_a_morph_keeps_what_a_cell_computes(name):
    grew = 0
    for cells in parents():
        children, which = grow(keys(7), cells, only(MORPHS, name))
        assert (np.asarray(which) == list(MORPHS).index(name)).all()
        grew += changed(cells, children).sum()
        assert gap(outputs(cells), outputs(children)).max() <= 1e-6
    assert grew > (0.1 if name == "complexify" else 0.5) * 3 * MANY


def test_an_open_gate_is_open_but_for_a_little():
    for cells in parents():
        children, _ = grow(keys(7), cells, only(MORPHS, "open_gate"))
        assert changed(cells, children).mean() > 0.8
        new = np.asarray(jax.vmap(live)(children.genome)) & ~np.asarray(jax.vmap(live)(cells.genome))
        slots = new[:, SPACE.slot(0) :].reshape(MANY, SPACE.stages, -1)[:, :, : SPACE.slots]
        np.testing.assert_array_equal(np.asarray(children.bias)[slots], 4)
        # A sigmoid of 100 is 1 in single precision.
        wide = with_bias(children, jnp.where(slots[..., None], 100, children.bias))
        assert gap(outputs(cells), outputs(wide)).max() <= 1e-6


def test_an_open_gate_at_the_output_scales_it():
    # Nothing but the output reads anything here.
    text = "stage\n u = tanh(W x + b)\n output u"
    genome = jax.tree.map(lambda array: np.broadcast_to(array, (MANY, *array.shape)), parse(text, SPACE))
    cells = build(keys(2), genome)
    children, _ = grow(keys(7), cells, only(MORPHS, "open_gate"))
    assert changed(cells, children).all()
    np.testing.assert_allclose(outputs(children), OPEN * np.asarray(outputs(cells)), rtol=1e-5)


@pytest.mark.parametrize("name", ["gate", "open_gate", "term", "add_state", "skip", "complexify"])
def test_new_weights_can_learn(name):
    # Cells of few states, so that there is one to spare.
    text = show(named("LSTM"))
    genome = jax.tree.map(lambda array: np.broadcast_to(array, (MANY, *array.shape)), parse(text, SPACE))
    cells = build(keys(2), genome)
    children, _ = grow(keys(7), cells, only(MORPHS, name))
    slopes = np.asarray(bias_slopes(children))
    new = np.asarray(jax.vmap(live)(children.genome)) & ~np.asarray(jax.vmap(live)(cells.genome))
    slots = new[:, SPACE.slot(0) :].reshape(MANY, SPACE.stages, -1)[:, :, : SPACE.slots]
    assert slots.any()
    # Of a complex product the gradient of b is 0 at first, that of c is not.
    share = (slopes[slots] != 0).all(-1).mean()
    assert share >= (0.5 if name == "complexify" else 0.95)


@jax.jit
def bias_slopes(cells):
    def loss(bias, cell):
        return (jn.run(with_bias(cell, bias), inputs)[1] ** 2).sum()

    return jax.vmap(jax.grad(loss))(cells.bias, cells)


def test_a_copy_has_the_weights_of_the_original():
    text = "states h\n stage reads h\n u = tanh(W x + U h + b)\n h <- u\n output u"
    genome = jax.tree.map(lambda array: np.broadcast_to(array, (MANY, *array.shape)), parse(text, SPACE))
    cells = build(keys(2), genome)
    children, _ = grow(keys(7), cells, only(MORPHS, "duplicate"))
    genomes = jax.tree.map(np.asarray, children.genome)
    copies = np.where(genomes.output == SPACE.slot(0), genomes.next[:, 0], genomes.output) - SPACE.slot(0)
    assert ((copies > 0) & (copies < SPACE.slots)).all()
    for name in ("input_weights", "recurrent_weights", "bias"):
        weights = np.asarray(getattr(children, name))
        np.testing.assert_array_equal(weights[np.arange(MANY), 0, copies], weights[:, 0, 0], err_msg=name)


@pytest.mark.slow
def test_a_mutated_cell_has_the_mutated_genome():
    cells = parents()[0]
    children, which = vary(keys(8), cells, None)
    edit_keys = jax.vmap(jax.random.split)(keys(8))[:, 0]
    genomes, operators = jax.jit(jax.vmap(mutate))(edit_keys, cells.genome)
    np.testing.assert_array_equal(which, operators)
    jax.tree.map(np.testing.assert_array_equal, children.genome, genomes)


def test_slots_keep_their_weights_and_new_ones_are_drawn():
    cells, names = parents()[2], ("input_weights", "recurrent_weights", "bias")
    before = {name: np.asarray(getattr(cells, name)) for name in names}
    for operator, fields in (("rewire_node", ()), ("bias", ("bias",)), ("gate", names)):
        children, _ = vary(keys(8), cells, only(OPERATORS, operator))
        for name in names:
            after = np.asarray(getattr(children, name))
            differs = (after != before[name]).reshape(MANY, SPACE.stages, SPACE.slots, -1).any(-1)
            assert differs.sum((1, 2)).max() == (name in fields), (operator, name)
            if operator == "gate" and name != "bias":
                assert differs.sum((1, 2)).mean() > 0.8
                assert (np.abs(after[differs]).reshape(differs.sum(), -1).max(1) > 0).all()


def test_a_child_of_two_cells_has_the_weights_of_each_slots_parent():
    one, two = parents()[0], build(keys(10), parents()[1].genome)
    children = jax.jit(jax.vmap(cross_cells))(keys(9), one, two)
    genomes = jax.jit(jax.vmap(crossover))(keys(9), one.genome, two.genome)
    jax.tree.map(np.testing.assert_array_equal, children.genome, genomes)
    from_two = (np.asarray(children.bias) == np.asarray(two.bias)).all(-1)
    assert 0.2 < from_two.mean() < 0.8
    for name in ("input_weights", "recurrent_weights", "bias"):
        a, b, child = (np.asarray(getattr(cells, name)) for cells in (one, two, children))
        np.testing.assert_array_equal(child, np.where(from_two.reshape(*from_two.shape, *[1] * (a.ndim - 3)), b, a))
    for name in ("input", "recurrent", "bias", "squash"):
        a, b, child = (np.asarray(getattr(cells.genome, name)) for cells in (one, two, children))
        np.testing.assert_array_equal(child, np.where(from_two, b, a))


def test_the_type_of_the_weights_stays():
    cell = jn.cast(EvolvedCell(INPUTS, UNITS, named("RNN", SPACE), key=jax.random.key(0)), jnp.bfloat16)
    for child in (jax.eval_shape(change, jax.random.key(0), cell)[0] for change in (morph, mutate_cell)):
        assert [leaf.dtype for leaf in jax.tree.leaves(child)] == [leaf.dtype for leaf in jax.tree.leaves(cell)]


def test_one_cell():
    cell = EvolvedCell(INPUTS, UNITS, parse("stage\n u = W x + b\n output u", SPACE), key=jax.random.key(0))
    child = jax.jit(functools.partial(apply_morph, "term"))(jax.random.key(0), cell)
    assert show(jax.tree.map(np.asarray, child.genome)).count("W x") == 2
    np.testing.assert_allclose(jn.run(child, inputs)[1], jn.run(cell, inputs)[1], atol=1e-6)


def test_what_does_not_fit_is_refused():
    cell = EvolvedCell(INPUTS, UNITS, named("RNN"), key=jax.random.key(0))
    wider = EvolvedCell(INPUTS, UNITS + 1, named("RNN"), key=jax.random.key(0))
    with pytest.raises(ValueError, match="no morph 'grow'"):
        apply_morph("grow", jax.random.key(0), cell)
    with pytest.raises(ValueError, match="one size"):
        cross_cells(jax.random.key(0), cell, wider)
