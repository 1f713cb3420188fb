"""The calcium rule against small Euler steps, its noise, its stable states, and the paper's set DP."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import jaxneuro as jn
from jaxneuro.synapses import CalciumPlasticity
from tests.synapses.spike_trains import at, firing, trains


def by_small_steps(rho, before, behind, dt, fine):
    """Parameters of the set DP without noise, and a delay of 4 ms, by Euler steps of dt / fine."""
    rho, calcium = rho.copy(), np.zeros_like(rho)
    delay = round(4 / dt)
    for now in range(len(before)):
        calcium = calcium + 2 * behind[now][:, None]
        if now >= delay:
            calcium = calcium + 1 * before[now - delay][None]
        for _ in range(fine):
            slope = -rho * (1 - rho) * (0.5 - rho) + 321.808 * (1 - rho) * (calcium > 1.3) - 200 * rho * (calcium > 1)
            rho = rho + dt / fine / 150_000 * slope
            calcium = calcium * np.exp(-dt / fine / 20)
    return rho


def test_equals_many_small_steps(float64):
    before, behind = trains(200, share=0.05, seed=2)
    first = np.asarray([[0.0, 0.5, 1.0], [0.2, 0.5, 0.7]])
    rule = CalciumPlasticity(first, delay_steps=8, noise=0.0, dt_ms=0.5)
    state, _ = jn.run(rule, firing(before, behind))
    expected = by_small_steps(first, before, behind, 0.5, 400)
    assert np.abs(expected - first).max() > 0.02
    np.testing.assert_allclose(state.efficacy, expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize(("lag_ms", "grows"), [(-20, False), (10, True), (-100, False)])
def test_the_set_dp_depresses_and_potentiates(lag_ms, grows, float64):
    # 60 pairs at 1 Hz, the mean of 0 and 1 at first, without noise: the mean over synapses that are noisy.
    start, train = 200 + np.arange(60) * 1000, np.zeros((60_400, 1), bool)
    before, behind = train.copy(), train.copy()
    before[start], behind[start + lag_ms] = True, True
    rule = CalciumPlasticity(jnp.full((1, 1), 0.5), 14, noise=0.0, dt_ms=1.0)
    state, _ = jn.run(rule, firing(before, behind))
    change = float(state.efficacy[0, 0]) - 0.5
    # In every second calcium is above theta_p for a share a of the time, above theta_d for b: the paper's mean field.
    times = np.arange(-150, 250, 1e-3)
    calcium = np.where(times >= 14, np.exp(-(times - 14) / 20), 0)
    calcium = calcium + np.where(times >= lag_ms, 2 * np.exp(-(times - lag_ms) / 20), 0)
    a, b = (1e-6 * np.sum(calcium > threshold) for threshold in (1.3, 1.0))

    def slope(t, rho):
        return (-rho * (1 - rho) * (0.5 - rho) + 321.808 * a * (1 - rho) - 200 * b * rho) / 150

    expected = solve_ivp(slope, (0, 60), [0.5], rtol=1e-10).y[0, -1] - 0.5
    # One pair moves rho by up to 0.01, in the order of its spikes, which the mean field does not know.
    assert change == pytest.approx(expected, abs=3e-3)
    assert (change > 0.01) if grows else (change < 0.01)


def test_noise_has_the_variance_of_the_time_above_the_thresholds(float64):
    inputs = 4000
    before = np.zeros((60, inputs), bool)
    before[0] = True
    behind = at(60, 2)
    rule = CalciumPlasticity(jnp.full((1, inputs), 0.5), 2, depression=1e-9, potentiation=1e-9, dt_ms=1.0)
    state, _ = jn.run(rule, firing(before, behind))
    # Calcium 3 from 2 ms on: above 1.3 for 20 ln(3 / 1.3), above 1 for 20 ln 3 ms.
    variance = 2.8284**2 * 20 * (np.log(3 / 1.3) + np.log(3)) / 150_000
    assert float(state.efficacy.var()) == pytest.approx(variance, rel=5 * (2 / inputs) ** 0.5)
    assert float(state.efficacy.mean()) == pytest.approx(0.5, abs=5 * (variance / inputs) ** 0.5)


def test_at_rest_there_are_two_stable_efficacies(float64):
    first = np.asarray([[0.2, 0.49, 0.51, 0.9]])
    rule = CalciumPlasticity(first, 1, dt_ms=1000.0)
    state, _ = jn.run(rule, firing(np.zeros((600, 4), bool), np.zeros((600, 1), bool)))
    for start, found in zip(first[0], state.efficacy[0], strict=True):
        exact = solve_ivp(lambda t, r: -r * (1 - r) * (0.5 - r) / 150, (0, 600), [start], rtol=1e-10).y[0, -1]
        assert float(found) == pytest.approx(exact, abs=2e-3)
        assert (found > start) == (start > 0.5)


def test_drives_between_the_weak_and_the_strong_weight():
    rule = CalciumPlasticity(jnp.asarray([[0.0, 0.25, 1.0]]))
    state = rule.init(jax.random.key(0))
    np.testing.assert_allclose(rule.weights(state), [[1, 2, 5]])
    _, drive = rule.step(state, firing(np.asarray([1, 1, 0]), np.asarray([0])))
    assert drive == jnp.asarray([3.0])


def test_weights_stay_within_bounds_under_violent_changes():
    before, behind = trains(20_000, share=0.3, seed=9)
    rule = CalciumPlasticity(jnp.full((2, 3), 0.1), 3, noise=300.0, dt_ms=1.0)
    _, _, weights = jn.run(rule, firing(before, behind), observe=rule.weights)
    assert float(weights.min()) >= 1
    assert float(weights.max()) <= 5
    assert len(np.unique(weights)) > 10


def test_a_delay_of_no_step_is_refused():
    with pytest.raises(ValueError, match="delay_steps=0; it must be at least 1"):
        CalciumPlasticity(jnp.ones((1, 1)), 0)
