"""The sLSTM against its paper's equations without stabiliser, and its behaviour where exponentials overflow."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_equations, rows, sigmoid, with_weights

SLSTM = jn.gated.SLSTM
INPUTS, UNITS = 3, 4


def true_cell(state):
    return state.cell * jnp.exp(state.stabiliser)


def true_normaliser(state):
    return state.normaliser * jnp.exp(state.stabiliser)


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_follows_the_equations_of_the_paper(heads):
    size = UNITS // heads

    def step(m, state, x):
        h, c, n = state
        summed = np.zeros((4, UNITS))
        for gate, (w, b) in enumerate(zip(rows(m.input_weights, UNITS), rows(m.bias, UNITS), strict=True)):
            summed[gate] = w @ x + b
            for head in range(heads):
                own = slice(head * size, (head + 1) * size)
                summed[gate, own] += m.recurrent_weights[head, gate * size : (gate + 1) * size] @ h[own]
        i, f, z, o = np.exp(summed[0]), sigmoid(summed[1]), np.tanh(summed[2]), sigmoid(summed[3])
        c, n = f * c + i * z, f * n + i
        return [o * c / n, c, n]

    check_equations(lambda key: SLSTM(INPUTS, UNITS, heads=heads, key=key), step, "hidden", true_cell, true_normaliser)


def test_the_first_step_writes_the_whole_candidate(key):
    slstm, x = SLSTM(INPUTS, UNITS, key=key), jax.random.normal(key, (INPUTS,))
    state, _ = slstm.step(slstm.init(key), x)
    log_input, _, z, o = np.split(np.asarray(slstm.drive(x)), 4)
    np.testing.assert_array_equal(state.stabiliser, log_input)
    np.testing.assert_array_equal(state.normaliser, 1)
    np.testing.assert_allclose(state.hidden, sigmoid(o) * np.tanh(z), rtol=1e-6)


@pytest.mark.parametrize("shift", [-1000.0, 1000.0])
def test_the_same_factor_on_all_writing_changes_nothing_even_where_it_overflows(shift, key, float64):
    slstm = SLSTM(INPUTS, UNITS, key=key)
    shifted = with_weights(slstm, bias=slstm.bias.at[:UNITS].add(shift))
    sequence = jax.random.normal(key, (50, INPUTS))
    np.testing.assert_allclose(jn.run(shifted, sequence)[1], jn.run(slstm, sequence)[1], rtol=0, atol=1e-10)


@pytest.mark.parametrize("shift", [-1000.0, 1000.0])
def test_gradients_are_finite_where_exponentials_overflow(shift, key):
    slstm = SLSTM(INPUTS, UNITS, key=key)
    slstm = with_weights(slstm, bias=slstm.bias.at[:UNITS].add(shift))
    gradients = jax.grad(lambda m, s: jn.run(m, s)[1].sum(), argnums=(0, 1))(slstm, jnp.zeros((20, INPUTS)))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))


@pytest.mark.parametrize(("inputs", "units", "heads"), [(1, 1, 1), (3, 8, 2), (49, 100, 4)])
def test_the_number_of_parameters(inputs, units, heads):
    machine = jax.eval_shape(lambda key: SLSTM(inputs, units, heads=heads, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 4 * units * (inputs + units // heads + 1)


def test_starts_orthogonal_in_each_gate_of_each_head_and_by_remembering(key):
    machine = SLSTM(3, 20, heads=2, key=key)
    for gate in np.asarray(machine.recurrent_weights).reshape(8, 10, 10):
        np.testing.assert_allclose(gate @ gate.T, np.eye(10), atol=1e-5)
    i, f, z, o = np.split(np.asarray(machine.bias), 4)
    np.testing.assert_allclose(f, np.tile(np.linspace(3, 6, 10), 2), rtol=1e-6)
    assert not np.any([i, z, o])


@pytest.mark.parametrize(("inputs", "units", "heads"), [(0, 3, 1), (3, 0, 1), (3, 4, 0)])
def test_bad_sizes_are_refused(inputs, units, heads, key):
    message = f"SLSTM got inputs={inputs}, units={units}, heads={heads}; all must be at least 1"
    with pytest.raises(ValueError, match=message):
        SLSTM(inputs, units, heads=heads, key=key)


def test_heads_of_unequal_size_are_refused(key):
    with pytest.raises(ValueError, match="SLSTM got units=4, heads=3; units must be a multiple of heads"):
        SLSTM(3, 4, heads=3, key=key)
