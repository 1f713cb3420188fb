"""Triplet plasticity against a sum over spikes, and the experiment its parameters were fitted to."""

import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.synapses import PairSTDP, TripletSTDP
from tests.synapses.spike_trains import DT, at, earlier, firing, trains


@pytest.mark.parametrize("pairing", ["all", "nearest"])
def test_equals_a_sum_over_spikes(pairing, float64):
    before, behind = trains(seed=7)
    first = np.asarray([[0.9, 1.0, 1.1], [0.8, 1.0, 1.2]])
    rule = TripletSTDP(first, 0.01, 0.03, 0.02, 0.005, 16.0, 100.0, 33.0, 120.0, dt_ms=DT, pairing=pairing)
    expected = first.copy()
    for now in range(len(before)):
        for j, i in np.ndindex(*first.shape):
            r1, r2 = (earlier(before[:, i], now, tau, pairing) for tau in (16, 100))
            o1, o2 = (earlier(behind[:, j], now, tau, pairing) for tau in (33, 120))
            change = behind[now, j] * r1 * (0.01 + 0.03 * o2) - before[now, i] * o1 * (0.02 + 0.005 * r2)
            expected[j, i] = np.clip(expected[j, i] + change, 0, 2)
    state, _ = jn.run(rule, firing(before, behind))
    np.testing.assert_allclose(state.weights, expected, rtol=0, atol=1e-12)


def test_without_the_third_spike_it_is_the_pair_rule(float64):
    before, behind = trains(seed=8)
    first = jnp.full((2, 3), 0.5)
    triplet = TripletSTDP(first, 0.01, 0.0, 0.02, 0.0, dt_ms=DT, largest=1.0)
    pair = PairSTDP(first, 0.01, 0.02, 16.8, 33.7, dt_ms=DT)
    found, expected = (jn.run(rule, firing(before, behind))[0].weights for rule in (triplet, pair))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-15)


# Sjostrom, Turrigiano and Nelson 2001, Neuron 32:1149: relative change and its standard error after 60 pairs 10 ms
# apart, post before pre and pre before post, at five frequencies (Hz); as Pfister and Gerstner 2006 use them.
FREQUENCIES = (0.1, 10, 20, 40, 50)
MEASURED = {-10: ((-0.29, -0.41, -0.34, 0.56, 0.75), (0.08, 0.11, 0.10, 0.32, 0.19)),
            10: ((-0.04, 0.14, 0.29, 0.53, 0.56), (0.05, 0.10, 0.14, 0.11, 0.26))}  # fmt: skip


MINIMAL = {
    "pair_potentiation": 0.0, "triplet_potentiation": 6.5e-3, "pair_depression": 7.1e-3, "triplet_depression": 0.0,
    "tau_y_ms": 114.0,
}  # fmt: skip


@pytest.mark.parametrize("parameters", [{}, MINIMAL])
def test_reproduces_the_frequency_dependence_in_visual_cortex(parameters, float64):
    errors = []
    for lag, (measured, deviations) in MEASURED.items():
        for frequency, value, deviation in zip(FREQUENCIES, measured, deviations, strict=True):
            # After 2 s all is forgotten: longer silences change nothing.
            interval = min(round(200 / frequency), 400)
            starts = interval * np.arange(60) + 5
            steps = interval * 60 + 10
            rule = TripletSTDP(jnp.ones((1, 1)), **parameters, dt_ms=5.0)
            state, _ = jn.run(rule, firing(at(steps, *starts), at(steps, *(starts + lag // 5))))
            errors.append((float(state.weights[0, 0]) - 1 - value) / deviation)
    # As close as the standard errors of the measurements allow, on average and one by one.
    assert np.mean(np.square(errors)) < 0.4
    assert np.abs(errors).max() < 1.5


def test_weights_stay_within_bounds_under_violent_changes():
    before, behind = trains(20_000, share=0.3, seed=9)
    rule = TripletSTDP(jnp.full((2, 3), 0.1), 0.5, 0.4, 0.6, 0.5, largest=0.7, dt_ms=1.0)
    _, _, weights = jn.run(rule, firing(before, behind), observe="weights")
    assert float(weights.min()) >= 0
    assert float(weights.max()) <= np.float32(0.7)
    assert len(np.unique(weights)) > 2
