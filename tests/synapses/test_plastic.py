"""Plastic synapses with their neurons against a plain loop over both."""

import jax.numpy as jnp
import numpy as np

import jaxneuro as jn
from jaxneuro.synapses import PairSTDP, Plastic


def test_equals_a_plain_loop_over_synapses_and_neurons(float64):
    first = np.random.default_rng(0).uniform(1, 5, (2, 6))
    rule = PairSTDP(first, 0.4, 0.3, 20.0, 30.0, largest=6.0, dt_ms=1.0)
    cell = jn.LIF(tau_ms=10.0, resistance_mohm=10.0, threshold_mv=5.0, refractory_ms=0.0, dt_ms=1.0)
    network = Plastic(rule, jn.Population(cell, 2, shared=True), jnp.zeros(2))
    before = np.random.default_rng(1).uniform(size=(200, 6)) < 0.1
    state, fired = jn.run(network, jnp.asarray(before, jnp.float64))

    weights, voltage, last = first.copy(), np.zeros(2), np.zeros(2)
    ahead, behind, expected = np.zeros(6), np.zeros(2), np.zeros((200, 2))
    for now in range(200):
        ahead, behind = ahead * np.exp(-1 / 20), behind * np.exp(-1 / 30)
        drive = weights @ before[now]
        change = 0.4 * np.outer(last, ahead) - 0.3 * np.outer(behind, before[now])
        weights = np.clip(weights + change, 0, 6)
        ahead, behind = ahead + before[now], behind + last
        voltage = 10 * drive + (voltage - 10 * drive) * np.exp(-0.1)
        last = (voltage >= 5).astype(float)
        voltage = np.where(last, 0, voltage)
        expected[now] = last
    assert 20 < expected.sum() < 380
    np.testing.assert_array_equal(fired, expected)
    np.testing.assert_allclose(state.synapses.weights, weights, rtol=0, atol=1e-12)
