import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.networks.recurrent import recurrent_network, takes_vectors


def test_layers_and_scalar_neurons_are_told_apart_by_their_signature():
    assert takes_vectors(jn.LSTM)
    assert not takes_vectors(jn.LIF)
    assert not takes_vectors(jn.Rate)


def test_a_network_of_rate_neurons_is_the_simple_recurrent_network_of_elman(key):
    network = recurrent_network(jn.Rate, False, 3, 5, 2, key=key)
    inputs = np.asarray(jax.random.normal(key, (7, 3)), np.float64)
    synapses, feedback, output = network.machines
    W, b, U, V, c = (
        np.asarray(leaf, np.float64)
        for leaf in (synapses.weights, synapses.bias, feedback.path.weights, output.weights, output.bias)
    )
    hidden, expected = np.zeros(5), []
    for x in inputs:
        hidden = np.tanh(W @ x + b + U @ hidden)
        expected.append(V @ hidden + c)
    np.testing.assert_allclose(jn.run(network, jnp.asarray(inputs, jnp.float32))[1], expected, rtol=1e-5, atol=1e-6)


def test_parameter_counts_follow_from_the_sizes(key):
    trained = jn.count_parameters(
        recurrent_network(jn.Rate, False, 8, 82, 10, key=key), lambda path: "initial" not in path
    )
    assert trained == 82 * 8 + 82 + 82 * 82 + 82 * 10 + 10 + 2
    assert jn.count_parameters(recurrent_network(jn.LSTM, True, 8, 40, 10, key=key)) == 4 * 40 * 49 + 410


def test_layers_feed_one_another_and_the_first_is_the_same_as_alone(key):
    alone = recurrent_network(jn.LSTM, True, 3, 5, 2, key=key)
    stacked = recurrent_network(jn.LSTM, True, 3, 5, 2, layers=3, key=key)
    inputs = jax.random.normal(key, (7, 3))
    signal = inputs
    for machine in stacked.machines:
        _, signal = jn.run(machine, signal)
    np.testing.assert_allclose(jn.run(stacked, inputs)[1], signal, rtol=1e-6)
    np.testing.assert_array_equal(stacked.machines[0].input_weights, alone.machines[0].input_weights)
    assert [machine.input_weights.shape for machine in stacked.machines[:3]] == [(20, 3), (20, 5), (20, 5)]
    assert not np.array_equal(
        stacked.machines[1].bias @ stacked.machines[1].input_weights,
        stacked.machines[2].bias @ stacked.machines[2].input_weights,
    )
    rates = recurrent_network(jn.Rate, False, 3, 5, 2, layers=2, key=key)
    assert [type(machine).__name__ for machine in rates.machines] == ["Dense", "Feedback", "Dense", "Feedback", "Dense"]


def test_a_network_without_layers_is_refused(key):
    with pytest.raises(ValueError, match="layers=0; it must be at least 1"):
        recurrent_network(jn.LSTM, True, 3, 5, 2, layers=0, key=key)


def test_a_readout_filters_every_output(key):
    readout = jn.LeakyReadout(tau_ms=4.0, dt_ms=1.0)
    plain = recurrent_network(jn.Rate, False, 3, 5, 2, key=key)
    filtered = recurrent_network(jn.Rate, False, 3, 5, 2, readout=readout, key=key)
    inputs = jax.random.normal(key, (9, 3))
    value, expected, keep = np.zeros(2), [], np.exp(-1 / 4)
    for y in np.asarray(jn.run(plain, inputs)[1]):
        value = keep * value + (1 - keep) * y
        expected.append(value)
    np.testing.assert_allclose(jn.run(filtered, inputs)[1], expected, rtol=1e-5, atol=1e-6)
