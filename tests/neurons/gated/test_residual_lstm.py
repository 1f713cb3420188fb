"""The residual LSTM against a recorded cell of the same weights, and the LSTM that it is without its shortcut."""

import equinox as eqx
import jax
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_by_hand, sigmoid, size, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against


def equations(m, sequence):
    (w_i, w_f, w_g, w_o), (u_i, u_f, u_g, u_o) = np.split(m.input_weights, 4), np.split(m.recurrent_weights, 4)
    (b_i, b_f, b_g, b_o), (p_i, p_f, p_o) = np.split(m.bias, 4), np.split(m.peephole, 3)
    shortcut = np.eye(4) if m.shortcut_weights is None else m.shortcut_weights
    h, c = np.zeros(4), np.zeros(4)
    for x in sequence:
        i = sigmoid(w_i @ x + u_i @ h + p_i * c + b_i)
        f = sigmoid(w_f @ x + u_f @ h + p_f * c + b_f)
        c = f * c + i * np.tanh(w_g @ x + u_g @ h + b_g)
        o = sigmoid(w_o @ x + u_o @ h + p_o * c + b_o)
        h = o * (m.projection_weights @ np.tanh(c) + shortcut @ x)
        yield h, h, c


@pytest.mark.parametrize("inputs", [3, 4])
def test_follows_the_equations(inputs):
    build = lambda key: jn.gated.ResidualLSTM(inputs, 4, key=key)  # noqa: E731
    check_by_hand(build, equations, "hidden", "cell", inputs=inputs)


def test_equals_the_recorded_cell():
    def build(found):
        return with_weights(
            jn.gated.ResidualLSTM(INPUTS, UNITS, key=jax.random.key(0)),
            input_weights=found["weight_ih"],
            recurrent_weights=found["weight_hh"],
            bias=found["bias_ih"] + found["bias_hh"],
            peephole=found["weight_ph"],
            projection_weights=found["weight_proj"],
            shortcut_weights=found["weight_res"],
        )

    check_against("ResLSTMCell", build, "hidden", "cell")


def test_is_an_lstm_without_projection_and_shortcut(key):
    machine, lstm = jn.gated.ResidualLSTM(3, 4, key=key), jn.LSTM(3, 4, key=jax.random.key(1))
    machine = with_weights(machine, projection_weights=np.eye(4), shortcut_weights=np.zeros((4, 3)))
    fields = lambda m: (m.input_weights, m.recurrent_weights, m.bias)  # noqa: E731
    machine = eqx.tree_at(fields, machine, fields(lstm))
    inputs = jax.random.normal(key, (20, 3))
    np.testing.assert_allclose(jn.run(machine, inputs)[1], jn.run(lstm, inputs)[1], atol=1e-6)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (12, 12)])
def test_has_the_parameters_of_the_equations(inputs, units):
    parameters = size(lambda key: jn.gated.ResidualLSTM(inputs, units, key=key))
    shortcut = 0 if inputs == units else units * inputs
    assert parameters == 4 * units * (inputs + units + 1) + 3 * units + units**2 + shortcut


def test_starts_by_remembering_without_peepholes(key):
    machine = jn.gated.ResidualLSTM(3, 20, key=key)
    np.testing.assert_array_equal(machine.bias, np.repeat([0.0, 1.0, 0.0, 0.0], 20))
    np.testing.assert_array_equal(machine.peephole, 0)
    for matrix in (*np.split(np.asarray(machine.recurrent_weights), 4), np.asarray(machine.projection_weights)):
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(20), atol=1e-5)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="ResidualLSTM got inputs=0, units=4; both must be at least 1"):
        jn.gated.ResidualLSTM(0, 4, key=key)
