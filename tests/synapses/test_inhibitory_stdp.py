"""Inhibitory plasticity against a sum over spikes, its balance in closed form, and the rate it is to hold."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons.spiking.synaptic_lif import SynapticLIF
from jaxneuro.synapses import Firing, InhibitorySTDP
from tests.synapses.spike_trains import DT, at, earlier, firing, trains


def test_equals_a_sum_over_spikes(float64):
    before, behind = trains(seed=5)
    first = np.asarray([[1.0, 2.0, 3.0], [0.5, 0.6, 0.7]])
    rule = InhibitorySTDP(first, learning_rate=0.02, target_hz=7.0, tau_ms=15.0, dt_ms=DT)
    expected, alpha = first.copy(), 2 * 7e-3 * 15
    for now in range(len(before)):
        for j, i in np.ndindex(*first.shape):
            change = before[now, i] * (earlier(behind[:, j], now, 15, "all") - alpha)
            change += behind[now, j] * earlier(before[:, i], now, 15, "all")
            expected[j, i] = max(0, expected[j, i] + 0.02 * change)
    state, _ = jn.run(rule, firing(before, behind))
    np.testing.assert_allclose(state.weights, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("lag", [-11, 11])
def test_the_window_is_even_and_a_lone_presynaptic_spike_weakens(lag, float64):
    rule = InhibitorySTDP(jnp.full((1, 1), 2.0), dt_ms=DT)
    lone, _ = jn.run(rule, firing(at(50, 20), at(50)))
    assert float(lone.weights[0, 0]) - 2 == pytest.approx(-0.01 * 2 * 3 * 0.020, abs=1e-15)
    paired, _ = jn.run(rule, firing(at(50, 20), at(50, 20 + lag)))
    assert float(paired.weights[0, 0] - lone.weights[0, 0]) == pytest.approx(0.01 * np.exp(-5.5 / 20), abs=1e-15)


def test_weights_stay_within_bounds_under_violent_changes():
    before, behind = trains(20_000, share=0.3, seed=9)
    rule = InhibitorySTDP(jnp.full((2, 3), 0.1), learning_rate=0.5, target_hz=250.0, largest=3.0, dt_ms=1.0)
    _, _, weights = jn.run(rule, firing(before, behind), observe="weights")
    assert float(weights.min()) >= 0
    assert float(weights.max()) <= 3
    assert len(np.unique(weights)) > 2


@pytest.mark.slow
def test_neurons_end_at_the_target_rate():
    """Neurons whose excitation differs are each held at 3 Hz by plastic synapses of 200 inhibitory inputs."""
    count, neurons, steps = 200, 4, 160_000
    rule = InhibitorySTDP(jnp.zeros((neurons, count)), learning_rate=5e-4, largest=1.0, dt_ms=1.0)
    cell = SynapticLIF([5.0, 10.0], tau_ms=20.0, resistance_mohm=10.0, dt_ms=1.0)
    population = jn.Population(cell, neurons, shared=True)
    excitation = jnp.linspace(0.8, 1.2, neurons) * 0.4

    def step(state, key):
        rule_state, cells, fired = state
        spikes = jax.random.bernoulli(key, 0.010, (count,)).astype(jnp.float32)
        rule_state, drive = rule.step(rule_state, Firing(spikes, fired))
        noise = excitation * jax.random.poisson(jax.random.fold_in(key, 1), 1.0, (neurons,)).astype(jnp.float32)
        cells, fired = population.step(cells, jnp.stack([noise, -drive], axis=1))
        return (rule_state, cells, fired), fired

    start = (rule.init(jax.random.key(0)), population.init(jax.random.key(0)), jnp.zeros(neurons))
    _, fired = jax.jit(lambda: jax.lax.scan(step, start, jax.random.split(jax.random.key(1), steps)))()
    first, last = (np.asarray(part).mean(axis=0) * 1000 for part in (fired[:2000], fired[-60_000:]))
    assert first.min() > 8
    assert abs(last.mean() - 3) < 0.5
    assert np.abs(last - 3).max() < 1
