"""The intersection network against a recorded cell of the same weights."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_by_hand, sigmoid, size, with_weights
from tests.neurons.gated.recorded import INPUTS, check_against


def equations(m, sequence):
    (w_p, w_q, w_d, w_r), (u_p, u_q, u_d, u_r) = np.split(m.input_weights, 4), np.split(m.recurrent_weights, 4)
    b_p, b_q, b_d, b_r = np.split(m.bias, 4)
    h = np.zeros(4)
    for given in sequence:
        x = m.projection_weights @ given
        d, r = sigmoid(w_d @ x + u_d @ h + b_d), sigmoid(w_r @ x + u_r @ h + b_r)
        p, q = np.maximum(w_p @ x + u_p @ h + b_p, 0), np.tanh(w_q @ x + u_q @ h + b_q)
        y, h = d * x + (1 - d) * p, r * h + (1 - r) * q
        yield y, h


def test_follows_the_equations():
    check_by_hand(lambda key: jn.gated.IntersectionRNN(3, 4, key=key), equations, "hidden")


def test_equals_the_recorded_cell():
    def build(found):
        return with_weights(
            jn.gated.IntersectionRNN(INPUTS, INPUTS, key=jax.random.key(0)),
            input_weights=found["weight_ih"],
            recurrent_weights=found["weight_hh"],
            bias=found["bias_ih"] + found["bias_hh"],
        )

    check_against("IntersectionRNNCell", build, "hidden")


def test_open_gates_carry_input_and_state_on(key):
    machine = with_weights(jn.gated.IntersectionRNN(4, 4, key=key), bias=np.repeat([0.0, 0.0, 200.0, 200.0], 4))
    inputs = jax.random.normal(key, (50, 4))
    start = jax.tree.map(lambda leaf: leaf + 0.5, machine.init(key))
    state, outputs = jn.run(machine, inputs, state=start)
    np.testing.assert_array_equal(outputs, inputs)
    np.testing.assert_array_equal(state.hidden, 0.5)


def test_a_projection_is_a_layer_before_the_square_one(key):
    machine = jn.gated.IntersectionRNN(3, 4, key=key)
    fields = lambda m: (m.input_weights, m.recurrent_weights, m.bias)  # noqa: E731
    square = eqx.tree_at(fields, jn.gated.IntersectionRNN(4, 4, key=key), fields(machine))
    inputs = jax.random.normal(key, (20, 3))
    projected = inputs @ jnp.asarray(machine.projection_weights).T
    np.testing.assert_allclose(jn.run(machine, inputs)[1], jn.run(square, projected)[1], atol=1e-5)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (12, 12)])
def test_has_the_parameters_of_the_equations(inputs, units):
    parameters = size(lambda key: jn.gated.IntersectionRNN(inputs, units, key=key))
    assert parameters == 4 * units * (2 * units + 1) + (0 if inputs == units else units * inputs)


def test_starts_by_carrying_on(key):
    machine = jn.gated.IntersectionRNN(3, 20, key=key)
    np.testing.assert_array_equal(machine.bias, np.repeat([0.0, 0.0, 1.0, 1.0], 20))
    for matrix in np.split(np.asarray(machine.recurrent_weights), 4):
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(20), atol=1e-5)
    assert not np.any(machine.init(key).hidden)


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="IntersectionRNN got inputs=0, units=4; both must be at least 1"):
        jn.gated.IntersectionRNN(0, 4, key=key)
