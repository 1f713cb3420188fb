"""The adaptive threshold: both published conventions as their own loops, steady rates, the adjoint by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

import jaxneuro as jn
from jaxneuro.neurons.spiking import AdaptiveLIF

ALPHA, RHO = np.exp(-1 / 20), np.exp(-1 / 100)


def drives(seed=0, steps=1500):
    return np.random.default_rng(seed).normal(1.5, 2.5, steps)


def published_2020(drives, beta):
    """`v <- alpha v + (1 - alpha) I - z v_th`, `a <- rho a + z`, z where `v > v_th + beta a`; v_th 1, in step units."""
    voltage, adaptation, fired = 0.0, 0.0, []
    spike = 0.0
    for drive in drives:
        adaptation = RHO * adaptation + spike
        voltage = ALPHA * voltage + (1 - ALPHA) * drive
        spike = float(voltage >= 1 + beta * adaptation)
        voltage -= spike
        fired.append(spike)
    return fired, voltage


def published_2018(drives, beta):
    """The same with `b <- rho b + (1 - rho) z`, and a reset by the whole threshold `1 + beta b`."""
    voltage, adaptation, fired, spike = 0.0, 0.0, [], 0.0
    for drive in drives:
        adaptation = RHO * adaptation + (1 - RHO) * spike
        threshold = 1 + beta * adaptation
        voltage = ALPHA * voltage + (1 - ALPHA) * drive
        spike = float(voltage >= threshold)
        voltage -= spike * threshold
        fired.append(spike)
    return fired, voltage


def lsnn(**changes):
    return AdaptiveLIF(
        tau_adaptation_ms=100.0, threshold_mv=1.0, refractory_ms=0.0, soft_reset=1.0, dt_ms=1.0, **changes
    )


@pytest.mark.parametrize(
    ("published", "beta", "changes"),
    [
        (published_2020, 0.07, {"increment_mv": 0.07 / RHO}),
        (published_2018, 1.7, {"increment_mv": 1.7 * (1 - RHO) / RHO, "raised_reset": 1.0}),
    ],
)
def test_is_each_published_neuron_for_its_parameters(published, beta, changes, float64):
    fired, voltage = published(drives(), beta)
    state, spikes = jn.run(lsnn(**changes), jnp.asarray(drives()))
    assert 50 < sum(fired) < 1000
    np.testing.assert_array_equal(spikes, fired)
    assert state.voltage_mv == pytest.approx(voltage, abs=1e-10)


@pytest.mark.parametrize("dt", [0.01, 0.05])
def test_steady_rate_is_that_of_continuous_time_for_every_step_size(dt, float64):
    # Between spikes r falls from r_0 + beta to r_0 = beta / (e^(T / tau_a) - 1), and V meets theta + r_0 after T.
    tau, slow, beta, drive = 20.0, 150.0, 2.0, 40.0
    _, spikes = jn.run(
        AdaptiveLIF(tau_adaptation_ms=slow, increment_mv=beta, dt_ms=dt), jnp.full(int(1500 / dt), drive)
    )

    def mismatch(interval):
        rise = drive * -np.expm1(-(interval - 2) / tau)
        return rise - 15 - beta / np.expm1(interval / slow)

    found = np.diff(np.flatnonzero(spikes)[-20:]).mean() * dt
    # A spike is counted at the end of its step.
    assert found == pytest.approx(brentq(mismatch, 3, 200), abs=1.5 * dt)


def test_threshold_decays_exactly_while_the_cell_is_refractory(float64):
    neuron = AdaptiveLIF(tau_adaptation_ms=30.0, increment_mv=3.0, refractory_ms=5.0, dt_ms=0.5)
    state, spike = neuron.step(neuron.init(jax.random.key(0)), jnp.asarray(1e4))
    assert spike == 1
    state, spikes, raised = jn.run(neuron, jnp.full(10, 1e4), state=state, observe="raised_mv")
    assert spikes.sum() == 0
    np.testing.assert_allclose(raised, 3 * np.exp(-0.5 * np.arange(1, 11) / 30), rtol=1e-12)


def test_without_adaptation_it_is_the_leaky_neuron(float64):
    currents = jnp.asarray(np.random.default_rng(3).normal(40, 40, 2000))
    adaptive = jn.run(AdaptiveLIF(increment_mv=0.0), currents, observe="voltage_mv")
    plain = jn.run(jn.LIF(), currents, observe="voltage_mv")
    assert plain[1].sum() > 10
    np.testing.assert_array_equal(adaptive[1], plain[1])
    np.testing.assert_array_equal(adaptive[2], plain[2])
    channels = jn.Conductance(jnp.full(500, 0.7), jnp.full(500, 30.0))
    np.testing.assert_array_equal(jn.run(AdaptiveLIF(increment_mv=0.0), channels)[1], jn.run(jn.LIF(), channels)[1])


@pytest.mark.parametrize("detach", [0.0, 1.0])
def test_gradient_is_that_of_backpropagation_by_hand(detach, float64):
    # v the voltage after the reset, r after the increment; u and q before: v = u - s, r = q + beta s, s = H(u - 1 - q).
    beta = 0.05
    neuron = lsnn(increment_mv=beta, detach_reset=detach, spike=jn.ArcTangent(2.0))
    steps, inputs = 60, drives(2, 60) * 4
    cotangents = np.random.default_rng(4).normal(size=steps)
    distances, voltage, raised = np.zeros(steps), 0.0, 0.0
    for t in range(steps):
        before, threshold = ALPHA * voltage + (1 - ALPHA) * inputs[t], RHO * raised
        distances[t] = before - 1 - threshold
        spike = float(distances[t] >= 0)
        voltage, raised = before - spike, threshold + beta * spike
    kernel = 1 / (1 + (np.pi * distances) ** 2)
    expected, by_voltage, by_raised = np.zeros(steps), 0.0, 0.0
    for t in reversed(range(steps)):
        by_spike = cotangents[t] + beta * by_raised - (1 - detach) * by_voltage
        by_before, by_threshold = by_voltage + kernel[t] * by_spike, by_raised - kernel[t] * by_spike
        expected[t] = (1 - ALPHA) * by_before
        by_voltage, by_raised = ALPHA * by_before, RHO * by_threshold
    loss = jax.jit(lambda inputs: jn.run(neuron, inputs)[1] @ jnp.asarray(cotangents))
    assert (distances >= 0).sum() > 10
    np.testing.assert_allclose(jax.grad(loss)(jnp.asarray(inputs)), expected, rtol=1e-10, atol=1e-13)
