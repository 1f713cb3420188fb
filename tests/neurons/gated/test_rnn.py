"""The simple recurrent neuron against PyTorch's and flax's cells, and the identity initialisation against its paper."""

import flax.linen
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.launch.config import ConfigError
from jaxneuro.launch.kinds import Kind, build, parse
from tests.neurons.gated.by_hand import check_equations, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against

RNN = jn.gated.RNN
LAYER = Kind(supplied=("inputs", "units"))


def test_equals_pytorchs_cell():
    def build(found):
        return with_weights(
            RNN(INPUTS, UNITS, key=jax.random.key(0)),
            input_weights=found["weight_ih"],
            recurrent_weights=found["weight_hh"],
            bias=found["bias_ih"] + found["bias_hh"],
        )

    check_against("RNNCell", build, "hidden")


def test_equals_flaxs_cell_with_a_rectifier(key):
    rnn = RNN(5, 7, activation="relu", key=key)
    cell = flax.linen.SimpleCell(7, activation_fn=jax.nn.relu)
    weights = {"i": {"kernel": rnn.input_weights.T, "bias": rnn.bias}, "h": {"kernel": rnn.recurrent_weights.T}}
    sequence = jax.random.normal(key, (20, 5))
    _, expected = jax.lax.scan(lambda s, x: cell.apply({"params": weights}, s, x), jnp.zeros(7), sequence)
    np.testing.assert_allclose(jn.run(rnn, sequence)[1], expected, rtol=0, atol=1e-6 * max(1, np.abs(expected).max()))


@pytest.mark.parametrize(("activation", "function"), [("tanh", np.tanh), ("relu", lambda z: np.maximum(z, 0))])
def test_follows_its_equation(activation, function):
    def step(m, state, x):
        return [function(m.input_weights @ x + m.recurrent_weights @ state[0] + m.bias)]

    check_equations(lambda key: RNN(INPUTS, UNITS, activation=activation, key=key), step, "hidden")


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (49, 100)])
def test_has_one_set_of_parameters(inputs, units):
    rnn = jax.eval_shape(lambda key: RNN(inputs, units, key=key), jax.random.key(0))
    assert jn.count_parameters(rnn) == units * (inputs + units + 1)


def test_starts_with_an_orthogonal_recurrence(key):
    recurrent = np.asarray(RNN(3, 50, key=key).recurrent_weights)
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(50), atol=1e-5)


def test_the_identity_layer_keeps_what_it_has_seen(key):
    rnn = RNN(300, 100, activation="relu", identity=True, key=key)
    np.testing.assert_array_equal(rnn.recurrent_weights, np.eye(100))
    # The standard deviation of a sample has a relative standard error of 1 / sqrt(2 n).
    assert np.asarray(rnn.input_weights).std() == pytest.approx(0.001, rel=4 * (2 * 30_000) ** -0.5)
    start = type(rnn.init(key))(jax.random.uniform(key, (100,)))
    state, _ = jn.run(rnn, jnp.zeros((1000, 300)), state=start)
    np.testing.assert_array_equal(state.hidden, start.hidden)


def test_a_config_chooses_the_activation(key):
    spec = parse({"kind": "RNN", "activation": "relu", "identity": True}, LAYER)
    assert build(spec, key=key, inputs=3, units=4).activation == "relu"
    with pytest.raises((ConfigError, ValueError), match="relu"):
        parse({"kind": "RNN", "activation": "relo"}, LAYER)


@pytest.mark.parametrize(("inputs", "units"), [(0, 3), (3, 0)])
def test_bad_sizes_are_refused(inputs, units, key):
    with pytest.raises(ValueError, match=f"RNN got inputs={inputs}, units={units}; both must be at least 1"):
        RNN(inputs, units, key=key)
