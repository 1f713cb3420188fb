"""The LSTM with coupled gates against its paper's equations and Equinox's LSTM with opposite gates."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_equations, rows, sigmoid

CoupledLSTM = jn.gated.CoupledLSTM

INPUTS, UNITS = 3, 4


def test_equals_equinoxs_lstm_whose_input_gate_is_the_opposite_of_its_forget_gate(key):
    coupled = CoupledLSTM(INPUTS, UNITS, key=key)

    def expanded(matrix):
        forget, candidate, output = jnp.split(matrix, 3)
        return jnp.concatenate([-forget, forget, candidate, output])

    cell = eqx.tree_at(
        lambda m: (m.weight_ih, m.weight_hh, m.bias),
        eqx.nn.LSTMCell(INPUTS, UNITS, key=key),
        tuple(map(expanded, (coupled.input_weights, coupled.recurrent_weights, coupled.bias))),
    )

    def step(state, x):
        state = cell(x, state)
        return state, state

    sequence = jax.random.normal(key, (30, INPUTS))
    (_, memory), (expected, _) = jax.lax.scan(step, (jnp.zeros(UNITS), jnp.zeros(UNITS)), sequence)
    state, outputs = jn.run(coupled, sequence)
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(state.cell, memory, rtol=0, atol=1e-6)


def test_follows_the_equations_of_the_paper():
    def step(m, state, x):
        h, c = state
        wf, wg, wo = rows(m.input_weights, UNITS)
        uf, ug, uo = rows(m.recurrent_weights, UNITS)
        bf, bg, bo = rows(m.bias, UNITS)
        f = sigmoid(wf @ x + uf @ h + bf)
        c = f * c + (1 - f) * np.tanh(wg @ x + ug @ h + bg)
        return [sigmoid(wo @ x + uo @ h + bo) * np.tanh(c), c]

    check_equations(lambda key: CoupledLSTM(INPUTS, UNITS, key=key), step, "hidden", "cell")


def test_its_memory_stays_between_minus_one_and_one(key):
    coupled = CoupledLSTM(INPUTS, UNITS, key=key)
    _, _, cells = jn.run(coupled, 100 * jax.random.normal(key, (500, INPUTS)), observe="cell")
    assert 0.9 < np.abs(cells).max() <= 1


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (49, 100)])
def test_the_number_of_parameters(inputs, units):
    machine = jax.eval_shape(lambda key: CoupledLSTM(inputs, units, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 3 * units * (inputs + units + 1)


def test_starts_orthogonal_in_each_gate_and_by_remembering(key):
    machine = CoupledLSTM(3, 40, key=key)
    for gate in np.split(np.asarray(machine.recurrent_weights), 3):
        np.testing.assert_allclose(gate @ gate.T, np.eye(40), atol=1e-5)
    np.testing.assert_array_equal(machine.bias, np.repeat([1.0, 0.0, 0.0], 40))
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))


@pytest.mark.parametrize(("inputs", "units"), [(0, 3), (3, 0)])
def test_bad_sizes_are_refused(inputs, units, key):
    with pytest.raises(ValueError, match=f"CoupledLSTM got inputs={inputs}, units={units}; both must be at least 1"):
        CoupledLSTM(inputs, units, key=key)
