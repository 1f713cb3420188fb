"""The quadratic neuron: its arc tangent intervals, the square root at onset, an explicit loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons.spiking import QIF


def normal_form(tau=10.0, peak=100.0, reset=-100.0):
    """`tau V' = V^2 + I`."""
    return QIF(tau_ms=tau, curvature_per_mv=1.0, rest_mv=0.0, critical_mv=0.0, peak_mv=peak, reset_mv=reset)


def intervals(integrator, currents, steps):
    """The mean interval between spikes for each current, in ms."""
    _, spikes = jax.vmap(lambda current: jn.run(integrator, jnp.full(steps, current)))(jnp.asarray(currents))
    times = [np.flatnonzero(row) * float(integrator.dt_ms) for row in spikes]
    assert min(map(len, times)) >= 4
    return np.asarray([(row[-1] - row[0]) / (len(row) - 1) for row in times])


def test_intervals_are_the_arc_tangents(float64):
    currents = np.asarray([0.5, 1.0, 4.0, 25.0])
    root = np.sqrt(currents)
    expected = 10 / root * (np.arctan(100 / root) - np.arctan(-100 / root))
    found = intervals(jn.RungeKutta4(normal_form(), dt_ms=0.005), currents, 60_000)
    # The mean of the reset's delay until the end of a step is at most one step.
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.005)


def test_rate_grows_as_the_square_root_of_the_current_at_onset(float64):
    # With peak and reset far away it is f = sqrt(I) / (pi tau); the peaks cut 2 / V_peak off pi / sqrt(I).
    currents = np.geomspace(0.02, 0.2, 5)
    found = 1 / intervals(jn.RungeKutta4(normal_form(peak=300.0, reset=-300.0), dt_ms=0.02), currents, 60_000)
    assert np.polyfit(np.log(currents), np.log(found), 1)[0] == pytest.approx(0.5, abs=0.005)
    np.testing.assert_allclose(found, np.sqrt(currents) / (np.pi * 10), rtol=3e-3)


def test_in_millivolts_it_is_the_same_neuron_shifted(float64):
    # tau x' = k x^2 + R I - k (V_c - E)^2 / 4, x = V - (E + V_c) / 2.
    neuron = QIF(resistance_mohm=2.0)
    rheobase = 0.1 * 15**2 / 4 / 2
    currents = rheobase + np.asarray([0.5, 2.0, 10.0])
    above = np.sqrt(0.1 * 2 * (currents - rheobase))
    expected = 10 / above * (np.arctan(0.1 * 57.5 / above) - np.arctan(0.1 * -7.5 / above))
    found = intervals(jn.RungeKutta4(neuron, dt_ms=0.005), currents, 120_000)
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.005)
    _, spikes = jn.run(neuron, jnp.full(20_000, rheobase - 0.01))
    assert spikes.sum() == 0


def test_own_step_is_forward_euler_with_the_reset_at_its_end(float64):
    currents = np.random.default_rng(0).normal(12, 20, 3000)
    neuron = QIF(tau_ms=8.0, resistance_mohm=1.5, dt_ms=0.2)
    voltage, expected, fired = -65.0, [], []
    for current in currents:
        voltage += 0.2 * (0.1 * (voltage + 65) * (voltage + 50) + 1.5 * current) / 8
        fired.append(float(voltage >= 0))
        voltage = -65.0 if fired[-1] else voltage
        expected.append(voltage)
    _, spikes, voltages = jn.run(neuron, jnp.asarray(currents), observe="voltage_mv")
    assert sum(fired) > 10
    np.testing.assert_array_equal(spikes, fired)
    np.testing.assert_allclose(voltages, expected, rtol=0, atol=1e-8)


def test_jumps_and_channels_reach_it(float64):
    neuron = QIF(dt_ms=0.1)
    start = neuron.init(jax.random.key(0))
    # At rest the parabola is 0: open channels alone drive it.
    channels = jn.Conductance(jnp.asarray(0.5), jnp.asarray(0.5 * -20.0))
    assert neuron.step(start, channels)[0].voltage_mv == pytest.approx(-65 + 0.1 * 0.5 * 45 / 10, rel=1e-12)
    assert neuron.step(start, jn.VoltageJump(jnp.asarray(15.0)))[0].voltage_mv == pytest.approx(-50, rel=1e-12)


def test_off_the_grid_intervals_are_those_of_the_closed_form(float64):
    neuron = QIF(resistance_mohm=2.0)
    current = 0.1 * 15**2 / 4 / 2 + 10
    above = np.sqrt(0.1 * 2 * 10)
    expected = 10 / above * (np.arctan(0.1 * 57.5 / above) - np.arctan(0.1 * -7.5 / above))
    _, timed = jn.run(jn.Located(neuron, dt_ms=1.0), jnp.full(100, current))
    steps = np.flatnonzero(timed.spike)
    assert len(steps) > 5
    np.testing.assert_allclose(np.diff(steps + np.asarray(timed.offset_ms)[steps]), expected, rtol=0, atol=1e-7)
