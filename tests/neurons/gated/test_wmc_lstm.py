"""The LSTM with working memory connections against its equations, and the LSTM that it is without them."""

import equinox as eqx
import jax
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_by_hand, sigmoid, size, with_weights


def equations(m, sequence):
    (w_i, w_f, w_g, w_o), (u_i, u_f, u_g, u_o) = np.split(m.input_weights, 4), np.split(m.recurrent_weights, 4)
    (b_i, b_f, b_g, b_o), (v_i, v_f, v_o) = np.split(m.bias, 4), np.split(m.cell_weights, 3)
    h, c = np.zeros(4), np.zeros(4)
    for x in sequence:
        i = sigmoid(w_i @ x + u_i @ h + np.tanh(v_i @ c) + b_i)
        f = sigmoid(w_f @ x + u_f @ h + np.tanh(v_f @ c) + b_f)
        c = f * c + i * np.tanh(w_g @ x + u_g @ h + b_g)
        h = sigmoid(w_o @ x + u_o @ h + np.tanh(v_o @ c) + b_o) * np.tanh(c)
        yield h, h, c


def test_follows_the_equations():
    check_by_hand(lambda key: jn.gated.WMCLSTM(3, 4, key=key), equations, "hidden", "cell")


def test_is_an_lstm_without_the_connections(key):
    machine, lstm = jn.gated.WMCLSTM(3, 4, key=key), jn.LSTM(3, 4, key=jax.random.key(1))
    fields = lambda m: (m.input_weights, m.recurrent_weights, m.bias)  # noqa: E731
    machine = eqx.tree_at(fields, with_weights(machine, cell_weights=np.zeros((12, 4))), fields(lstm))
    inputs = jax.random.normal(key, (20, 3))
    np.testing.assert_allclose(jn.run(machine, inputs)[1], jn.run(lstm, inputs)[1], atol=1e-6)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (20, 12)])
def test_has_an_lstms_parameters_and_three_connections(inputs, units):
    parameters = size(lambda key: jn.gated.WMCLSTM(inputs, units, key=key))
    assert parameters == 4 * units * (inputs + units + 1) + 3 * units**2


def test_starts_orthogonal_and_by_remembering(key):
    machine = jn.gated.WMCLSTM(3, 20, key=key)
    np.testing.assert_array_equal(machine.bias, np.repeat([0.0, 1.0, 0.0, 0.0], 20))
    both = np.concatenate([machine.recurrent_weights, machine.cell_weights])
    for matrix in np.split(both, 7):
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(20), atol=1e-5)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="WMCLSTM got inputs=0, units=4; both must be at least 1"):
        jn.gated.WMCLSTM(0, 4, key=key)
