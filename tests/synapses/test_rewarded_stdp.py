"""Rewarded plasticity against its closed form, and the credit for what came seconds before the reward."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import jaxneuro as jn
from jaxneuro.synapses import RewardedFiring, RewardedSTDP
from tests.synapses.spike_trains import at, firing, trains


@pytest.mark.parametrize("lag", [-9, 9])
@pytest.mark.parametrize("delay", [0, 1000, 3000])
def test_credit_fades_with_the_delay_of_the_reward(lag, delay, float64):
    steps = 8000
    dopamine = np.zeros(steps)
    dopamine[100 + delay] = 0.5
    rule = RewardedSTDP(jnp.full((1, 1), 2.0))
    inputs = RewardedFiring(firing(at(steps, 100 - max(lag, 0)), at(steps, 100 + min(lag, 0))), jnp.asarray(dopamine))
    state, _ = jn.run(rule, inputs)
    eligible = (0.1 if lag > 0 else -0.15) * np.exp(-9 / 20) * np.exp(-delay / 1000)
    # The product of both decays lasts 1 / (1/1000 + 1/200) ms = 1/6 s; what is left at the end of the run is missing.
    seconds = (1 - np.exp(-(steps - 100 - delay) * 0.006)) / 6
    assert float(state.weights[0, 0]) - 2 == pytest.approx(eligible * 0.5 * seconds, abs=1e-12)


def test_without_dopamine_nothing_changes():
    before, behind = trains()
    inputs = RewardedFiring(firing(before, behind), jnp.zeros(len(before)))
    state, _ = jn.run(RewardedSTDP(jnp.full((2, 3), 2.0)), inputs)
    np.testing.assert_array_equal(state.weights, 2)
    assert float(jnp.abs(state.eligibility).max()) > 0.01


def test_the_step_integrates_the_product_of_both_decays(float64):
    dopamine = np.zeros(40)
    dopamine[[3, 20]] = [0.4, 0.7]
    before, behind = at(40, 2, 15, 16), at(40, 8, 14, 30)
    rule = RewardedSTDP(jnp.full((1, 1), 2.0), 1.0, 2.0, 20.0, 30.0, 40.0, 25.0, dt_ms=2.0)
    state, _ = jn.run(rule, RewardedFiring(firing(before, behind), jnp.asarray(dopamine)))
    values = np.asarray([2.0, 0.0, 0.0])  # w, c, d; time in ms, dopamine in seconds
    for now in range(40):
        earlier, later = np.flatnonzero(before[:now, 0]), np.flatnonzero(behind[:now, 0])
        values[1] += behind[now, 0] * np.exp(-(now - earlier) * 2 / 20).sum()
        values[1] -= before[now, 0] * 2 * np.exp(-(now - later) * 2 / 30).sum()
        values[2] += dopamine[now]
        solution = solve_ivp(
            lambda t, y: [y[1] * y[2] / 1000, -y[1] / 40, -y[2] / 25], (0, 2), values, rtol=1e-12, atol=1e-14
        )
        values = solution.y[:, -1]
    assert float(state.weights[0, 0]) == pytest.approx(values[0], abs=1e-12)


def test_weights_stay_within_bounds_under_violent_changes():
    before, behind = trains(20_000, share=0.3, seed=9)
    dopamine = np.random.default_rng(3).normal(size=20_000)
    rule = RewardedSTDP(jnp.full((2, 3), 0.1), 9.0, 9.0)
    inputs = RewardedFiring(firing(before, behind), jnp.asarray(dopamine, jnp.float32))
    _, _, weights = jn.run(rule, inputs, observe="weights")
    assert float(weights.min()) >= 0
    assert float(weights.max()) <= 4
    assert len(np.unique(weights)) > 2


@pytest.mark.slow
def test_a_synapse_is_found_among_many_by_rewards_seconds_later():
    """Izhikevich 2007, figure 1D, with Poisson spikes for the network.

    Whenever one synapse's presynaptic spike is followed by the postsynaptic one within 10 ms, dopamine comes 1 to 3 s
    later.
    """
    generator, dt, neurons, steps = np.random.default_rng(0), 2.0, 20, 500_000
    before, behind = (generator.uniform(size=(steps, neurons)) < 0.003 * dt for _ in range(2))
    dopamine = np.zeros(steps, np.float32)
    for now in np.flatnonzero(before[:-2000, 0]):
        if behind[now + 1 : now + 6, 0].any():
            dopamine[now + round(generator.uniform(1000, 3000) / dt)] += 0.5
    rule = RewardedSTDP(jnp.full((neurons, neurons), 0.5), 1.0, 1.05, largest=1.0, dt_ms=dt)
    state, _ = jn.run(rule, RewardedFiring(firing(before, behind), jnp.asarray(dopamine)))
    weights = np.asarray(state.weights)
    others = np.delete(weights.ravel(), 0)
    assert weights[0, 0] > 0.95
    assert abs(others.mean() - 0.5) < 0.2 * 0.5
    assert np.mean(others >= weights[0, 0]) < 0.05
