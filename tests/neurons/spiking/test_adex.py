"""The adaptive exponential neuron: its bifurcations, published spike counts, an explicit loop, no overflow."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

import jaxneuro as jn
from jaxneuro.neurons.spiking import AdEx

# C 281 pF, g 30 nS, E -70.6, V_T -50.4, Delta_T 2 mV, tau_w 144 ms, a 4 nS, b 80.5 pA, V_r -70.6 mV.
C, G, E, THRESHOLD, SLOPE, TAU, A = 281.0, 30.0, -70.6, -50.4, 2.0, 144.0, 4.0


def at(voltage):
    """The state of this voltage with the adaptation that belongs to it at rest."""
    kind = type(AdEx().init(jax.random.key(0)))
    return kind(voltage, A * (voltage - E))


def holding_current(voltage):
    """The current that keeps the cell at rest at a voltage."""
    return -C * AdEx().derivative(at(voltage), jnp.zeros_like(voltage)).voltage_mv


def test_rest_vanishes_at_the_saddle_node_of_the_closed_form(float64):
    highest = jnp.asarray(THRESHOLD + SLOPE * np.log(1 + A / G))
    closed = (G + A) * (THRESHOLD - E - SLOPE + SLOPE * np.log(1 + A / G))
    assert closed == pytest.approx(627.31, abs=0.005)
    assert holding_current(highest) == pytest.approx(closed, rel=1e-12)
    assert jax.grad(holding_current)(highest) == pytest.approx(0, abs=1e-10)
    voltages = jnp.linspace(-90.0, -20.0, 701)
    assert jax.vmap(holding_current)(voltages).max() <= closed


def test_rest_loses_its_stability_at_the_hopf_point_of_the_closed_form(float64):
    # a / g > tau_m / tau_w: before the saddle-node the Jacobian's trace vanishes, where exp(...) = 1 + tau_m / tau_w.
    share = C / G / TAU
    voltage = THRESHOLD + SLOPE * np.log(1 + share)
    closed = (G + A) * (THRESHOLD - E - SLOPE + SLOPE * np.log(1 + share)) + SLOPE * G * (A / G - share)
    assert closed == pytest.approx(627.2, abs=0.05)

    jacobian_at = jax.jit(
        lambda voltage: jax.jacfwd(lambda state: AdEx().derivative(state, jnp.zeros(())))(at(voltage))
    )

    def growth(voltage):
        jacobian = jacobian_at(voltage)
        rows = [[jacobian.voltage_mv.voltage_mv, jacobian.voltage_mv.adaptation_pa],
                [jacobian.adaptation_pa.voltage_mv, jacobian.adaptation_pa.adaptation_pa]]  # fmt: skip
        return np.linalg.eigvals(np.asarray(rows, float)).real.max()

    found = brentq(growth, voltage - 0.3, voltage + 0.05, xtol=1e-10)
    assert found == pytest.approx(voltage, abs=1e-7)
    assert holding_current(jnp.asarray(found)) == pytest.approx(closed, rel=1e-9)


def test_spike_counts_of_one_second_are_the_recorded_ones(float64):
    # Forward Euler, 0.01 ms, peak at 0 mV, reset at the end of the step; counts and times of a separate numpy program.
    currents = jnp.asarray([500.0, 600.0, 700.0, 800.0, 1000.0])
    _, spikes = jax.vmap(lambda current: jn.run(AdEx(dt_ms=0.01), jnp.full(100_000, current)))(currents)
    np.testing.assert_array_equal(spikes.sum(axis=1), [0, 1, 9, 17, 31])
    times = np.flatnonzero(spikes[-1]) * 0.01
    np.testing.assert_allclose(times[:3], [11.82, 25.45, 41.32], rtol=0, atol=0.011)
    assert np.diff(times)[-1] == pytest.approx(36.11, abs=0.011)


def test_own_step_is_an_explicit_loop(float64):
    currents = np.random.default_rng(0).normal(900, 900, 3000)
    voltage, adaptation, expected, fired = E, 0.0, [], []
    for current in currents:
        inward = G * (E - voltage + SLOPE * np.exp((voltage - THRESHOLD) / SLOPE)) - adaptation + current
        moved = voltage + 0.1 * inward / C
        adaptation += 0.1 * (A * (voltage - E) - adaptation) / TAU
        fired.append(float(moved >= 0))
        voltage = -70.6 if fired[-1] else moved
        adaptation += fired[-1] * 80.5
        expected.append((voltage, adaptation))
    observed = jn.run(AdEx(), jnp.asarray(currents), observe=lambda state: (state.voltage_mv, state.adaptation_pa))
    assert sum(fired) > 5
    np.testing.assert_array_equal(observed[1], fired)
    np.testing.assert_allclose(np.stack(observed[2], axis=1), expected, rtol=0, atol=1e-6)


def test_order_of_runge_kutta_is_four_below_the_upstroke(float64):
    steps, counts = 8.0 / 2 ** np.arange(3, 8), 2 ** np.arange(3, 8)
    run = jax.vmap(lambda dt: jn.run(jn.RungeKutta4(AdEx(), dt_ms=dt), jnp.full(1024, 600.0), observe="voltage_mv")[2])
    reached = np.asarray(run(jnp.asarray([*steps, 8 / 1024])))
    ends = reached[np.arange(6), [*(counts - 1), 1023]]
    assert np.polyfit(np.log(steps), np.log(np.abs(ends[:-1] - ends[-1])), 1)[0] == pytest.approx(4, abs=0.2)


@pytest.mark.parametrize("detach", [0.0, 1.0])
@pytest.mark.parametrize("build", [lambda neuron: neuron, lambda neuron: jn.RungeKutta4(neuron, dt_ms=1.0)])
def test_the_exponential_never_overflows_nor_do_its_gradients(detach, build):
    # (V_peak - V_T) / Delta_T is 10,000: e to that is no number. Steps of 1 ms throw V far above the peak.
    neuron = build(AdEx(slope_mv=0.01, peak_mv=50.0, threshold_mv=-50.0, detach_reset=detach, dt_ms=1.0))
    currents = jnp.asarray(np.random.default_rng(1).uniform(-2000, 40_000, 300), jnp.float32)

    def total(neuron, currents):
        state, spikes = jn.run(neuron, currents)
        return spikes.sum() + state.voltage_mv + state.adaptation_pa, spikes

    slopes, spikes = jax.jit(jax.grad(total, argnums=(0, 1), has_aux=True))(neuron, currents)
    assert spikes.sum() > 30
    for leaf in jax.tree.leaves(slopes):
        assert np.isfinite(leaf).all()


def test_jumps_and_channels_reach_it(float64):
    neuron = AdEx(dt_ms=0.1)
    start = neuron.init(jax.random.key(0))
    channels = jn.Stimulus(channels=jn.Conductance(jnp.asarray(10.0), jnp.asarray(0.0)))
    rate = (G * SLOPE * np.exp((E - THRESHOLD) / SLOPE) + 10 * 70.6) / C
    assert neuron.step(start, channels)[0].voltage_mv == pytest.approx(E + 0.1 * rate, rel=1e-12)
    assert neuron.step(start, jn.VoltageJump(jnp.asarray(100.0)))[1] == 1
