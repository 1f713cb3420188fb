import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.search.canonical import canonical
from jaxneuro.search.cell import EvolvedCell
from jaxneuro.search.genome import ACTIVATIONS, SPIKE, Space
from jaxneuro.search.named import TEXTS, named
from jaxneuro.search.population import Weights, run_population
from jaxneuro.search.tape import slope_of, tape_of
from tests.search.drawn import one_of, random_genomes

SPACE = Space(stages=2, slots=3, nodes=6, states=2)
INPUTS, UNITS, STEPS, BATCH = 3, 4, 12, 2


def stacked(genomes):
    return jax.tree.map(lambda *leaves: jnp.asarray(np.stack(leaves)), *genomes)


def population(seed, count, space=SPACE):
    genomes = random_genomes(seed, count, space, late=True)
    return stacked([canonical(one_of(genomes, i)).genome for i in range(count)])


def cells_of(genomes, dtype=jnp.float32, inputs=INPUTS, units=UNITS):
    count = len(genomes.output)
    keys = jax.random.split(jax.random.key(3), count)
    cells = jax.jit(jax.vmap(lambda genome, key: EvolvedCell(inputs, units, genome, key=key)))(genomes, keys)
    return jax.tree.map(lambda a: a.astype(dtype) if jnp.issubdtype(a.dtype, jnp.floating) else a, cells)


def weights_of(cells):
    return Weights(cells.input_weights, cells.recurrent_weights, cells.bias)


def data(dtype=jnp.float32, inputs=INPUTS):
    return jnp.asarray(np.random.default_rng(0).normal(size=(STEPS, inputs, BATCH)), dtype)


def one_by_one(cells, weights, inputs):
    """The outputs of the machine, in the layout of `run_population`."""

    def of_one(cell, own):
        parts = (own.input, own.recurrent, own.bias)
        cell = eqx.tree_at(lambda c: (c.input_weights, c.recurrent_weights, c.bias), cell, parts)

        def sequence(xs):
            return jax.lax.scan(cell.step, cell.init(jax.random.key(0)), xs)[1]

        return jax.vmap(sequence, in_axes=2, out_axes=2)(inputs)

    return jnp.moveaxis(jax.vmap(of_one)(cells, weights), 0, 1)


def compared(genomes, dtype, spiking=True, inputs=INPUTS):
    """Outputs and gradients of both, and a weighting that makes a scalar of outputs."""
    cells, xs = cells_of(genomes, dtype, inputs), data(dtype, inputs)
    weights, tape = weights_of(cells), tape_of(genomes, dtype)
    mix = jnp.asarray(np.random.default_rng(1).normal(size=(STEPS, len(genomes.output), UNITS, BATCH)), dtype)

    def scalar(run, weights, xs):
        outputs = run(weights, xs)
        return (outputs * mix).sum(), outputs

    def fast(weights, xs):
        return run_population(weights, tape, xs, spiking)

    def slow(weights, xs):
        return one_by_one(cells, weights, xs)

    found = []
    for run in (fast, slow):
        slope = jax.jit(jax.value_and_grad(lambda w, x, run=run: scalar(run, w, x), argnums=(0, 1), has_aux=True))
        (_, outputs), gradients = slope(weights, xs)
        found.append((outputs, gradients))
    return found


def assert_close(found, expected, tolerance):
    """Lane by lane, by the scale of each lane."""
    for ours, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        for lane in range(len(theirs)):
            scale = max(1.0, float(jnp.abs(theirs[lane]).max()))
            np.testing.assert_allclose(ours[lane], theirs[lane], rtol=0, atol=tolerance * scale, err_msg=f"lane {lane}")


def test_outputs_and_gradients_of_known_cells_are_those_of_the_machine(float64):
    space = Space(stages=3, slots=9, nodes=16, states=3)
    genomes = stacked([named(name, space) for name in TEXTS])
    (fast, fast_slopes), (slow, slow_slopes) = compared(genomes, jnp.float64)
    np.testing.assert_allclose(fast, slow, rtol=0, atol=1e-12)
    assert_close(fast_slopes[0], slow_slopes[0], 1e-12)
    np.testing.assert_allclose(fast_slopes[1], slow_slopes[1], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)])
def test_outputs_and_gradients_of_random_cells_are_those_of_the_machine(seed, float64):
    genomes = population(seed, 60)
    (fast, fast_slopes), (slow, slow_slopes) = compared(genomes, jnp.float64)
    # Products of products leave all bounds within a few steps: those lanes are told apart, not compared.
    sane = np.asarray(jnp.abs(slow).max((0, 2, 3)) < 1e3)
    assert sane.sum() > 40

    def chosen(tree):
        return jax.tree.map(lambda leaf: leaf[sane], tree)

    np.testing.assert_allclose(fast[:, sane], slow[:, sane], rtol=1e-11, atol=1e-11)
    assert_close(chosen(fast_slopes[0]), chosen(slow_slopes[0]), 1e-10)


def test_single_precision_agrees_to_a_hundred_thousandth():
    genomes = stacked([named(name, Space(3, 9, 16, 3)) for name in ("LSTM", "GRU", "NestedLSTM", "NAS")])
    (fast, fast_slopes), (slow, slow_slopes) = compared(genomes, jnp.float32)
    np.testing.assert_allclose(fast, slow, rtol=0, atol=2e-6)
    assert_close(fast_slopes[0], slow_slopes[0], 1e-5)


def test_without_spikes_the_shorter_reverse_pass_gives_the_same():
    genomes = stacked([named(name, Space(2, 4, 5, 2)) for name in ("LSTM", "GRU")])
    (outputs, slopes), _ = compared(genomes, jnp.float32, spiking=False)
    (expected, expected_slopes), _ = compared(genomes, jnp.float32, spiking=True)
    np.testing.assert_array_equal(outputs, expected)
    for one, other in zip(jax.tree.leaves(slopes), jax.tree.leaves(expected_slopes), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_wire_with_many_readers_gets_something_back_from_each(float64):
    space = Space(stages=1, slots=1, nodes=12, states=1)
    genome = named("RNN", space)
    genome.first[0] = space.slot(0)
    genome.second[0] = [space.slot(0), *range(space.node(0), space.node(0) + 11)]
    genome.combine[0] = 1
    genome = dataclasses.replace(genome, output=np.asarray(space.node(0, 11), np.int32))
    genomes = stacked([genome, named("RNN", space)])
    tape = tape_of(genomes)
    # All twelve nodes (the first twice), the next state: fourteen readers.
    assert int(tape.readers[0, space.slot(0)]) == 14
    (fast, fast_slopes), (slow, slow_slopes) = compared(genomes, jnp.float64)
    np.testing.assert_allclose(fast, slow, rtol=1e-12)
    assert_close(fast_slopes[0], slow_slopes[0], 1e-12)


def test_weights_of_terms_that_are_not_there_have_no_gradient():
    genomes = stacked([named("MinGRU", Space(1, 4, 5, 2))])
    (_, (slopes, _)), _ = compared(genomes, jnp.float32)
    assert not np.asarray(slopes.recurrent).any()
    assert not np.asarray(slopes.input[:, :, 2:]).any()
    assert np.asarray(slopes.input[:, :, :2]).any()


def test_the_slope_of_each_activation_follows_from_its_value(float64):
    at = jnp.linspace(-2.0, 2.0, 41)[jnp.linspace(-2.0, 2.0, 41) != 0]
    for which, (name, row) in enumerate(ACTIVATIONS.items()):
        if which == SPIKE:
            continue

        def act(u, row=row):
            smooth = row.gain * jnp.tanh(row.scale * u) + row.linear * u
            return smooth + row.relu * jax.nn.relu(u) + row.constant

        y, (e0, e1, e2, e3) = act(at), slope_of(which)
        told = e0 + e1 * y + e2 * y**2 + e3 * (y > 0).astype(y.dtype)
        np.testing.assert_allclose(told, jax.vmap(jax.grad(act))(at), atol=1e-12, err_msg=name)


def test_a_lane_that_is_not_a_number_leaves_the_others_bit_for_bit():
    genomes = stacked([named("LSTM", Space(2, 4, 5, 2)), named("GRU", Space(2, 4, 5, 2))] * 2)
    cells, tape, xs = cells_of(genomes), tape_of(genomes), data()

    def slope(weights):
        return jax.grad(lambda w: (run_population(w, tape, xs, False) ** 2).sum((0, 2, 3)).sum())(weights)

    slope = jax.jit(slope)
    clean = slope(weights_of(cells))
    for lane in range(4):
        bad = jax.tree.map(lambda leaf, lane=lane: leaf.at[lane].set(jnp.nan), weights_of(cells))
        spoilt = slope(bad)
        for one, other in zip(jax.tree.leaves(clean), jax.tree.leaves(spoilt), strict=True):
            np.testing.assert_array_equal(np.delete(one, lane, 0), np.delete(other, lane, 0))
        assert np.isnan(np.asarray(spoilt.bias[lane])).any()


def test_other_graphs_do_not_compile_again():
    traces = 0

    @jax.jit
    def slope(weights, genomes, xs):
        nonlocal traces
        traces += 1
        tape = tape_of(genomes)
        return jax.grad(lambda w: run_population(w, tape, xs, True).sum())(weights)

    xs, weights = data(), None
    for seed in range(20):
        genomes = jax.tree.map(jnp.asarray, random_genomes(seed, 500, SPACE))
        weights = weights_of(cells_of(genomes)) if weights is None else weights
        jax.block_until_ready(slope(weights, genomes, xs))
    assert traces == 1
    assert slope._cache_size() == 1


def test_the_reverse_pass_keeps_nothing_of_its_steps_but_the_gradient_of_the_inputs():
    genomes = population(5, 3)
    weights, tape = weights_of(cells_of(genomes)), tape_of(genomes)

    def loss(weights, inputs):
        return run_population(weights, tape, inputs, False).sum()

    jaxpr = jax.make_jaxpr(jax.grad(loss, argnums=(0, 1)))(weights, data())
    (loop,) = (e for e in jaxpr.jaxpr.eqns if e.primitive.name == "scan" and e.params["reverse"])
    assert [v.aval.shape for v in loop.outvars[loop.params["num_carry"] :]] == [(STEPS, INPUTS, BATCH)]
