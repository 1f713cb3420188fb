"""Pair plasticity against its window, a sum over pairs, its bounds, and the two heaps of weights it ends in."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons.spiking.synaptic_lif import SynapticLIF
from jaxneuro.synapses import Firing, PairSTDP
from tests.synapses.spike_trains import DT, at, earlier, firing, trains


def changes(rule, before, behind):
    """The weights after each step."""
    return jn.run(rule, firing(before, behind), observe="weights")[2]


@pytest.mark.parametrize("lag", [-40, -7, -1, 0, 1, 3, 90])
@pytest.mark.parametrize("pairing", ["all", "nearest"])
def test_the_window_is_exact(lag, pairing, float64):
    rule = PairSTDP(jnp.full((1, 1), 0.5), 0.03, 0.02, 17.0, 34.0, dt_ms=DT, pairing=pairing)
    start = max(0, -lag)
    weights = changes(rule, at(140, start), at(140, start + lag))
    time = lag * DT
    expected = 0.03 * np.exp(-time / 17) if lag > 0 else -0.02 * np.exp(time / 34) if lag < 0 else 0
    assert float(weights[-1, 0, 0]) - 0.5 == pytest.approx(expected, abs=1e-15)
    assert float(weights[-1, 0, 0] - weights[max(start, start + lag), 0, 0]) == 0


@pytest.mark.parametrize("pairing", ["all", "nearest"])
@pytest.mark.parametrize("softness", [0.0, 1.0])
def test_equals_a_sum_over_pairs(pairing, softness, float64):
    before, behind = trains()
    first = np.asarray([[0.2, 0.5, 0.8], [0.4, 0.5, 0.6]])
    rule = PairSTDP(first, 0.03, 0.02, 17.0, 34.0, softness=softness, dt_ms=DT, pairing=pairing)
    expected = first.copy()
    for now in range(len(before)):
        for j, i in np.ndindex(*first.shape):
            up = 0.03 * behind[now, j] * earlier(before[:, i], now, 17, pairing)
            down = 0.02 * before[now, i] * earlier(behind[:, j], now, 34, pairing)
            w = expected[j, i]
            expected[j, i] = np.clip(w + up * (1 - w if softness else 1) - down * (w if softness else 1), 0, 1)
    np.testing.assert_allclose(changes(rule, before, behind)[-1], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("softness", [0.0, 0.4, 1.0])
def test_weights_stay_within_bounds_under_violent_changes(softness):
    before, behind = trains(20_000, share=0.3, seed=4)
    rule = PairSTDP(jnp.full((2, 3), 0.1), 0.9, 0.7, 20.0, 30.0, 0.4, softness, 1.0)
    weights = changes(rule, before, behind)
    assert float(weights.min()) >= 0
    assert float(weights.max()) <= np.float32(0.4)
    assert len(np.unique(weights)) > 2


def test_drives_with_the_weights_from_before_the_step():
    rule = PairSTDP(jnp.asarray([[0.5, 0.25]]), dt_ms=1.0)
    state = rule.init(jax.random.key(0))
    state, _ = rule.step(state, Firing(jnp.asarray([1.0, 0.0]), jnp.asarray([0.0])))
    after, drive = rule.step(state, Firing(jnp.asarray([1.0, 1.0]), jnp.asarray([1.0])))
    assert drive == jnp.asarray([0.75])
    assert after.weights[0, 0] > 0.5


def test_another_pairing_is_refused():
    with pytest.raises((ValueError, TypeError), match="some"):
        PairSTDP(jnp.ones((1, 1)), pairing="some")


@pytest.mark.slow
def test_competing_synapses_end_at_the_bounds():
    """Song, Miller and Abbott 2000, figure 2: 1000 Poisson inputs of 15 Hz, 100 s. The neuron takes a current."""
    largest, count, steps = 0.01, 1000, 100_000
    rule = PairSTDP(
        largest * jax.random.uniform(jax.random.key(0), (1, count)),
        0.01 * largest, 0.0105 * largest, largest=largest, dt_ms=1.0,
    )  # fmt: skip
    neuron = SynapticLIF(
        [5.0], tau_ms=10.0, resistance_mohm=60.0, rest_mv=-74.0, threshold_mv=-54.0, reset_mv=-60.0,
        refractory_ms=0.0, dt_ms=1.0,
    )  # fmt: skip

    def step(state, key):
        rule_state, neuron_state, fired = state
        spikes = jax.random.bernoulli(key, 0.015, (count,)).astype(jnp.float32)
        rule_state, drive = rule.step(rule_state, Firing(spikes, fired))
        neuron_state, fired = neuron.step(neuron_state, drive)
        return (rule_state, neuron_state, fired[None]), fired

    start = (rule.init(jax.random.key(0)), neuron.init(jax.random.key(0)), jnp.zeros(1))
    (state, _, _), fired = jax.jit(lambda: jax.lax.scan(step, start, jax.random.split(jax.random.key(1), steps)))()
    share = np.asarray(state.weights[0]) / largest
    rate = float(fired[-20_000:].mean()) * 1000
    assert 5 < rate < 60
    assert np.mean((share < 0.2) | (share > 0.8)) >= 0.6
    assert np.mean(share < 0.2) > 0.1
    assert np.mean(share > 0.8) > 0.1
