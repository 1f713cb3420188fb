import jax
import jax.numpy as jnp
import numpy as np

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
