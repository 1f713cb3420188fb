"""Dead cells: what is left predicts as the segments' own synapses say when the dead are taken out of them."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

COLUMNS, CELLS = 40, 4


def memory(fan_out):
    return jn.htm.TemporalMemory(
        COLUMNS,
        CELLS,
        segments=8,
        synapses=8,
        fan_out=fan_out,
        learning_rows=32,
        punished_rows=16,
        winners=16,
        activation_threshold=3.0,
        min_threshold=3.0,
        new_synapses=5.0,
        initial_permanence=0.45,
        predicted_decrement=0.01,
    )


def trained(machine):
    """A memory that has seen two sequences with a shared middle, some times."""
    random = np.random.default_rng(0)
    codes = np.sort(random.permuted(np.tile(np.arange(COLUMNS), (7, 1)), axis=1)[:, :5], axis=1)
    order = np.array([0, 1, 2, 3, 4, 1, 2, 5] * 12)
    return jax.jit(jn.run)(machine, jnp.asarray(codes[order], jnp.int32))[0], codes


@jax.jit
def without(machine, state, dead):
    left = jn.htm.without_cells(machine.segments, state.pool, state.active, jnp.asarray(dead))
    return eqx.tree_at(lambda state: (state.pool, state.active), state, left)


def expected(state, dead, active):
    """Living cells with a segment that has enough connected synapses from living active cells."""
    pool = jax.tree.map(np.asarray, state.pool)
    found = np.zeros((COLUMNS, CELLS), bool)
    for segment, column in np.ndindex(8, COLUMNS):
        size, row = pool.sizes[segment, column], segment * COLUMNS + column
        sources = pool.sources[row][:size][pool.permanences[row][:size] >= 0.49999]
        strong = (active & ~dead).ravel()[sources].sum()
        owner = column, pool.owners[segment, column]
        found[owner] |= strong >= 3 and not dead[owner]
    return found


@pytest.mark.parametrize("fan_out", [None, 256])
def test_what_is_left_predicts_as_its_synapses_say(fan_out):
    machine = memory(fan_out)
    state, codes = trained(machine)
    dead = np.random.default_rng(1).random((COLUMNS, CELLS)) < 0.1
    columns = jn.htm.Columns(jnp.asarray(codes[:4], jnp.int32), learn=False)
    run = jax.jit(lambda state: jn.run(machine, columns, state=state)[1])
    whole, left = run(state), run(without(machine, state, dead))
    differ = some = 0
    for step in range(4):
        active = np.asarray(jn.htm.unpack(left.active[step], CELLS))
        predicted = np.asarray(jn.htm.unpack(left.predicted[step], CELLS))
        np.testing.assert_array_equal(predicted, expected(state, dead, active))
        differ += (predicted != np.asarray(jn.htm.unpack(whole.predicted[step], CELLS))).any()
        some += predicted.any()
    assert differ
    assert some


@pytest.mark.parametrize("fan_out", [None, 256])
def test_without_dead_cells_nothing_changes(fan_out):
    machine = memory(fan_out)
    state, _ = trained(machine)
    same = without(machine, state, np.zeros((COLUMNS, CELLS), bool))
    for before, after in zip(jax.tree.leaves(state), jax.tree.leaves(same), strict=True):
        np.testing.assert_array_equal(before, after)


def test_dead_cells_predict_nothing_from_the_step_before_their_death():
    machine = memory(256)
    state, codes = trained(machine)
    nobody = without(machine, state, np.ones((COLUMNS, CELLS), bool))
    columns = jn.htm.Columns(jnp.asarray(codes[6], jnp.int32), learn=False)
    step = jax.jit(machine.step)
    assert np.asarray(step(state, jn.htm.Columns(jnp.asarray(codes[0], jnp.int32), learn=False))[1].predicted).any()
    _, output = step(nobody, columns)
    assert float(output.anomaly) == 1
    assert not np.asarray(output.predicted).any()
