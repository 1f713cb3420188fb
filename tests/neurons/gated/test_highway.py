"""The recurrent highway network against its equations, and against a recorded cell that one layer of it is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_by_hand, sigmoid, size, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against


def equations(m, sequence):
    s = np.zeros(4)
    w_h, w_t = np.split(m.input_weights, 2)
    for x in sequence:
        for layer in range(3):
            r_h, r_t = np.split(m.recurrent_weights[layer], 2)
            b_h, b_t = np.split(m.bias[layer], 2)
            h = np.tanh((w_h @ x if layer == 0 else 0) + r_h @ s + b_h)
            t = sigmoid((w_t @ x if layer == 0 else 0) + r_t @ s + b_t)
            s = h * t + s * (1 - t)
        yield s, s


def test_follows_the_equations():
    check_by_hand(lambda key: jn.gated.RHN(3, 4, depth=3, key=key), equations, "hidden")


def test_one_layer_is_an_update_gate_neuron():
    # Its gate keeps where ours renews.
    def build(found):
        signs = np.repeat([1.0, -1.0], UNITS)
        return with_weights(
            jn.gated.RHN(INPUTS, UNITS, depth=1, key=jax.random.key(0)),
            input_weights=signs[:, None] * found["weight_ih"],
            recurrent_weights=(signs[:, None] * found["weight_hh"])[None],
            bias=(signs * (found["bias_ih"] + found["bias_hh"]))[None],
        )

    check_against("UGRNNCell", build, "hidden")


def test_closed_layers_carry_the_state_on(key):
    machine = jn.gated.RHN(3, 4, depth=10, transform_bias=-40.0, key=key)
    start = jax.tree.map(lambda leaf: leaf + 0.5, machine.init(key))
    state, _ = jn.run(machine, jnp.ones((100, 3)), state=start)
    np.testing.assert_allclose(state.hidden, 0.5, rtol=1e-6)


@pytest.mark.parametrize(("inputs", "units", "depth"), [(1, 1, 1), (3, 8, 2), (20, 12, 10)])
def test_has_two_products_per_layer(inputs, units, depth):
    parameters = size(lambda key: jn.gated.RHN(inputs, units, depth=depth, key=key))
    assert parameters == 2 * units * inputs + 2 * units**2 * depth + 2 * units * depth


def test_starts_orthogonal_and_with_a_negative_transform_bias(key):
    machine = jn.gated.RHN(3, 10, depth=2, transform_bias=-3.0, key=key)
    np.testing.assert_array_equal(machine.bias, np.tile(np.repeat([0.0, -3.0], 10), (2, 1)))
    for block in np.asarray(machine.recurrent_weights).reshape(4, 10, 10):
        np.testing.assert_allclose(block @ block.T, np.eye(10), atol=1e-5)
    assert not np.any(machine.init(key).hidden)


def test_a_depth_of_nothing_is_refused(key):
    with pytest.raises(ValueError, match="RHN got inputs=3, units=4, depth=0; all must be at least 1"):
        jn.gated.RHN(3, 4, depth=0, key=key)
