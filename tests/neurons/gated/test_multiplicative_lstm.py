"""The multiplicative LSTM against its paper's equations and Equinox's LSTM."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_equations, rows, sigmoid, with_weights

MultiplicativeLSTM = jn.gated.MultiplicativeLSTM

INPUTS, UNITS = 3, 4


def test_follows_the_equations_of_the_paper():
    def step(m, state, x):
        h, c = state
        wm, wi, wf, wg, wo = rows(m.input_weights, UNITS)
        vi, vf, vg, vo = rows(m.multiplicative_weights, UNITS)
        bi, bf, bg, bo = rows(m.bias, UNITS)
        product = (wm @ x) * (m.recurrent_weights @ h)
        i, f = sigmoid(wi @ x + vi @ product + bi), sigmoid(wf @ x + vf @ product + bf)
        o = sigmoid(wo @ x + vo @ product + bo)
        c = f * c + i * np.tanh(wg @ x + vg @ product + bg)
        return [np.tanh(c * o), c]

    check_equations(lambda key: MultiplicativeLSTM(INPUTS, UNITS, key=key), step, "hidden", "cell")


def test_under_one_constant_input_its_memory_is_that_of_an_lstm_with_the_product_of_the_matrices(key):
    machine = MultiplicativeLSTM(1, UNITS, key=key)
    # With an open output gate in both, `tanh(o c)` and `o tanh(c)` are the same.
    bias = machine.bias.at[-UNITS:].set(100.0)
    machine = with_weights(machine, bias=bias)
    factor = machine.input_weights[:UNITS]
    cell = eqx.tree_at(
        lambda m: (m.weight_ih, m.weight_hh, m.bias),
        eqx.nn.LSTMCell(1, UNITS, key=key),
        (
            machine.input_weights[UNITS:],
            machine.multiplicative_weights @ (factor * machine.recurrent_weights),
            bias,
        ),
    )

    def step(state, x):
        state = cell(x, state)
        return state, state[0]

    ones = jnp.ones((30, 1))
    (_, memory), expected = jax.lax.scan(step, (jnp.zeros(UNITS), jnp.zeros(UNITS)), ones)
    state, outputs = jn.run(machine, ones)
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(state.cell, memory, rtol=0, atol=3e-6)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (49, 100)])
def test_the_number_of_parameters(inputs, units):
    machine = jax.eval_shape(lambda key: MultiplicativeLSTM(inputs, units, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 5 * units * (inputs + units) + 4 * units


def test_starts_orthogonal_in_each_gate_and_by_remembering(key):
    machine = MultiplicativeLSTM(3, 40, key=key)
    for gate in np.split(np.asarray(machine.recurrent_weights), 1):
        np.testing.assert_allclose(gate @ gate.T, np.eye(40), atol=1e-5)
    np.testing.assert_array_equal(machine.bias, np.repeat([0.0, 1.0, 0.0, 0.0], 40))
    for gate in np.split(np.asarray(machine.multiplicative_weights), 4):
        np.testing.assert_allclose(gate @ gate.T, np.eye(40), atol=1e-5)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))


@pytest.mark.parametrize(("inputs", "units"), [(0, 3), (3, 0)])
def test_bad_sizes_are_refused(inputs, units, key):
    with pytest.raises(
        ValueError, match=f"MultiplicativeLSTM got inputs={inputs}, units={units}; both must be at least 1"
    ):
        MultiplicativeLSTM(inputs, units, key=key)
