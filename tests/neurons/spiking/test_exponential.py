"""The exponential neuron: intervals by quadrature, its rheobase, and the leaky neuron as its limit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

import jaxneuro as jn
from jaxneuro.neurons.spiking import EIF

# C 200 pF, g 20 nS, E -65, V_T -59.9, Delta_T 3.48, V_peak -30, V_r -68 mV, t_ref 1.7 ms.
RHEOBASE = 20 * (-59.9 + 65 - 3.48)


def exact_interval(current):
    """The time from reset to peak is the integral of `dV / (dV/dt)`."""

    def slowness(voltage):
        return 200 / (20 * (-65 - voltage + 3.48 * np.exp((voltage + 59.9) / 3.48)) + current)

    return 1.7 + quad(slowness, -68, -30, epsabs=1e-10, points=[-59.9], limit=200)[0]


def mean_interval(integrator, current, steps):
    _, spikes = jn.run(integrator, jnp.full(steps, current))
    times = np.flatnonzero(spikes) * float(integrator.dt_ms)
    assert len(times) >= 4
    return (times[-1] - times[0]) / (len(times) - 1)


@pytest.mark.parametrize("current", [40.0, 100.0, 300.0])
def test_intervals_are_those_of_quadrature(current, float64):
    expected = exact_interval(current)
    assert mean_interval(jn.RungeKutta4(EIF(), dt_ms=0.01), current, 60_000) == pytest.approx(expected, abs=0.011)
    # Forward Euler, the neuron's own step, is late by a few steps in the upstroke.
    assert mean_interval(EIF(dt_ms=0.01), current, 60_000) == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize(("share", "fires"), [(0.98, False), (1.05, True)])
def test_fires_above_rheobase_alone(share, fires, float64):
    assert pytest.approx(32.4) == RHEOBASE
    _, spikes = jn.run(EIF(), jnp.full(20_000, share * RHEOBASE))
    assert bool(spikes.sum() > 2) == fires


def test_becomes_the_leaky_neuron_as_the_upstroke_steepens(float64):
    # tau 20 ms, theta 15 mV, R I = 20 and 30 mV: the rates of the leaky neuron, 33.6407 and 63.04 Hz.
    def neuron(slope):
        return EIF(
            capacitance_pf=20_000.0, leak_ns=1000.0, rest_mv=0.0, threshold_mv=15.0, slope_mv=slope, peak_mv=30.0,
            reset_mv=0.0, refractory_ms=2.0,
        )  # fmt: skip

    for drive, rate in ((20_000.0, 33.6407), (30_000.0, 63.0400)):
        errors = [
            1000 / mean_interval(jn.RungeKutta4(neuron(slope), dt_ms=0.005), drive, 60_000) / rate - 1
            for slope in (0.5, 0.05, 0.0005)
        ]
        assert abs(errors[2]) < 1e-3
        assert abs(errors[0]) > 10 * abs(errors[2])


def test_nothing_overflows_and_the_reset_is_exact_in_single_precision():
    # (V_peak - V_T) / Delta_T is 100,000: e to that is no number.
    neuron = EIF(slope_mv=1e-3, threshold_mv=-60.0, peak_mv=40.0, refractory_ms=0.0, dt_ms=1.0)

    def total(current):
        state, spikes = jn.run(neuron, current)
        return spikes.sum() + state.voltage_mv, spikes

    slopes, spikes = jax.grad(total, has_aux=True)(jnp.full(400, 400.0))
    assert spikes.sum() > 10
    assert np.isfinite(slopes).all()
    _, _, voltages = jn.run(neuron, jnp.full(400, 400.0), observe="voltage_mv")
    np.testing.assert_array_equal(voltages[np.flatnonzero(spikes)], np.float32(-68))


def test_is_held_while_refractory_and_takes_jumps_and_channels_else(float64):
    neuron = EIF(refractory_ms=0.1, dt_ms=0.05)
    jumps = jn.VoltageJump(jnp.asarray([40.0, 40.0, 40.0, 3.0]))
    _, spikes, voltages = jn.run(neuron, jumps, observe="voltage_mv")
    np.testing.assert_array_equal(spikes, [1, 0, 0, 0])
    np.testing.assert_array_equal(voltages[:3], -68)
    slope = (20 * (-65 + 65 + 3.48 * np.exp((-65 + 59.9) / 3.48))) / 200
    assert voltages[3] == pytest.approx(-65 + 0.05 * slope, abs=1e-12)
    channels = jn.Conductance(jnp.asarray(10.0), jnp.asarray(0.0))
    start = neuron.init(jax.random.key(0))
    assert neuron.derivative(start, channels).voltage_mv == pytest.approx(slope + 10 * 65 / 200, rel=1e-12)
