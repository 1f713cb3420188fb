"""The LSTM without a forget gate against a recorded cell of the same weights; the sum that it never forgets."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_by_hand, sigmoid, size, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against


def equations(m, sequence):
    (w_i, w_g, w_o), (u_i, u_g, u_o) = np.split(m.input_weights, 3), np.split(m.recurrent_weights, 3)
    b_i, b_g, b_o = np.split(m.bias, 3)
    h, c = np.zeros(4), np.zeros(4)
    for x in sequence:
        g = 4 * sigmoid(w_g @ x + u_g @ h + b_g) - 2
        c = c + sigmoid(w_i @ x + u_i @ h + b_i) * g
        h = sigmoid(w_o @ x + u_o @ h + b_o) * (2 * sigmoid(c) - 1)
        yield h, h, c


def test_follows_the_equations():
    check_by_hand(lambda key: jn.gated.OriginalLSTM(3, 4, key=key), equations, "hidden", "cell")


def test_equals_the_recorded_cell():
    # It squashes by tanh(z) and tanh(c), where we have 2 tanh(z / 2) and tanh(c / 2): with twice the weights of the
    # candidate our cell is twice its cell, and the outputs are the same.
    def build(found):
        twice = np.repeat([1.0, 2.0, 1.0], UNITS)
        return with_weights(
            jn.gated.OriginalLSTM(INPUTS, UNITS, key=jax.random.key(0)),
            input_weights=twice[:, None] * found["weight_ih"],
            recurrent_weights=twice[:, None] * found["weight_hh"],
            bias=twice * (found["bias_ih"] + found["bias_hh"]),
        )

    check_against("OriginalLSTMCell", build, "hidden", None)


def test_keeps_its_sum_as_long_as_nothing_comes_in(key):
    machine = with_weights(jn.gated.OriginalLSTM(3, 4, key=key), bias=np.repeat([-200.0, 0.0, 0.0], 4))
    start = jax.tree.map(lambda leaf: leaf + 0.7, machine.init(key))
    state, _ = jn.run(machine, jax.random.normal(key, (2000, 3)), state=start)
    np.testing.assert_array_equal(state.cell, start.cell)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (20, 12)])
def test_has_three_gates_of_parameters(inputs, units):
    parameters = size(lambda key: jn.gated.OriginalLSTM(inputs, units, key=key))
    assert parameters == 3 * units * (inputs + units + 1)


def test_starts_orthogonal_and_at_zero(key):
    machine = jn.gated.OriginalLSTM(3, 20, key=key)
    for gate in np.split(np.asarray(machine.recurrent_weights), 3):
        np.testing.assert_allclose(gate @ gate.T, np.eye(20), atol=1e-5)
    np.testing.assert_array_equal(machine.bias, 0)
    np.testing.assert_array_equal(jn.run(machine, jnp.zeros((4, 3)))[1], 0)


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="OriginalLSTM got inputs=3, units=0; both must be at least 1"):
        jn.gated.OriginalLSTM(3, 0, key=key)
