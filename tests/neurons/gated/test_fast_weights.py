"""Fast weights against their equations, and against the attention to past outputs that they are."""

import jax
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.launch.kinds import Kind, parse
from tests.neurons.gated.by_hand import check_by_hand, size

FUNCTIONS = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0)}


def equations(m, sequence):
    f = FUNCTIONS[m.activation]
    h, a = np.zeros(4), np.zeros((4, 4))
    for x in sequence:
        a = m.decay * a + m.rate * np.outer(h, h)
        boundary = m.recurrent_weights @ h + m.input_weights @ x
        h = f(boundary)
        for _ in range(m.inner_steps):
            z = boundary + a @ h
            h = f(m.gain * (z - z.mean()) / np.sqrt(z.var() + 1e-5) + m.bias)
        yield h, h, a


@pytest.mark.parametrize(("activation", "inner_steps"), [("tanh", 1), ("relu", 1), ("relu", 3)])
def test_follows_the_equations(activation, inner_steps):
    def build(key):
        return jn.gated.FastWeights(3, 4, activation=activation, inner_steps=inner_steps, rate=0.3, key=key)

    check_by_hand(build, equations, "hidden", "fast")


def test_fast_weights_attend_to_past_outputs(key):
    machine = jn.gated.FastWeights(3, 5, decay=0.8, rate=0.25, key=key)
    state, outputs = jn.run(machine, jax.random.normal(key, (20, 3)))
    past, query = np.asarray(outputs[:-1], np.float64), np.linspace(-1, 1, 5)
    ages = np.arange(len(past))[::-1]
    attended = 0.25 * (0.8**ages * (past @ query)) @ past
    np.testing.assert_allclose(state.fast @ query, attended, atol=1e-5)


def test_the_size_of_the_input_does_not_matter_when_nothing_is_stored(key):
    machine = jn.gated.FastWeights(3, 5, key=key)
    inputs = 10 + jax.random.normal(key, (1, 3))
    np.testing.assert_allclose(jn.run(machine, 100 * inputs)[1], jn.run(machine, inputs)[1], atol=1e-4)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (20, 12)])
def test_has_the_parameters_of_a_plain_layer_gain_bias_decay_and_rate(inputs, units):
    parameters = size(lambda key: jn.gated.FastWeights(inputs, units, key=key))
    assert parameters == units * (inputs + units) + 2 * units + 2


def test_starts_with_a_small_identity(key):
    machine = jn.gated.FastWeights(3, 5, key=key)
    np.testing.assert_allclose(machine.recurrent_weights, 0.05 * np.eye(5), rtol=1e-6)
    np.testing.assert_array_equal(machine.gain, 1)
    np.testing.assert_array_equal(machine.bias, 0)
    assert (float(machine.decay), float(machine.rate)) == pytest.approx((0.95, 0.5))
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))


def test_bad_arguments_are_refused(key):
    with pytest.raises(ValueError, match="FastWeights got inputs=3, units=4, inner_steps=0; all must be at least 1"):
        jn.gated.FastWeights(3, 4, inner_steps=0, key=key)
    with pytest.raises(ValueError, match="is 'gelu'; it must be one of relu, tanh"):
        parse({"kind": "FastWeights", "activation": "gelu"}, Kind(supplied=("inputs", "units")))
    with pytest.raises(ValueError, match=r"FastWeights\.decay is 1\.5; it must be at most 1"):
        jn.gated.FastWeights(3, 4, decay=1.5, key=key)
