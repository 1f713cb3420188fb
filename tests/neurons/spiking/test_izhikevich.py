"""The simple model by its published scheme: counts and first spikes of all twenty patterns, an explicit loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons.spiking import Izhikevich
from jaxneuro.neurons.spiking.patterns import izhikevich_patterns, stacked_currents, stacked_parameters

# Spikes, the first (ms) and up to five intervals after it (ms), A to T: of a separate numpy program with the semantics
# of the published figure (Euler, u sees the new v, reset at the end of the step; a spike has the time at its start).
RECORDED = (
    (5, 13.0, (4, 14.5, 27.75, 27.5)), (1, 43.75, ()), (28, 25.0, (1.5, 1.75, 1.75, 2, 2)),
    (6, 39.0, (3.8, 4.2, 4.8, 5.8, 9.6)), (6, 20.0, (2.75, 4.5, 39.75, 32.25, 32.25)),
    (6, 10.25, (2, 2.75, 4.75, 22.75, 29)), (10, 84.5, (40.5, 30.75, 25.25, 22.5, 20.25)),
    (14, 105.75, (20.75, 18.75, 17, 15.75, 14.75)), (1, 26.6, ()), (1, 26.5, ()), (1, 338.0, ()), (1, 20.0, ()),
    (1, 68.0, ()), (7, 68.0, (3, 3.2, 3.6, 4, 4.6)), (1, 93.25, ()), (5, 45.25, (40.75, 40.5, 40.75, 40.75)),
    (1, 11.3, ()), (1, 311.5, ()), (3, 94.5, (71.5, 70)), (12, 86.5, (2, 2, 2.5, 2.5, 3)),
)  # fmt: skip


def spike_times_of_all():
    """The twenty cells of one call, each with its own step size."""
    patterns = izhikevich_patterns()
    cells = jax.vmap(lambda parameters: Izhikevich(**parameters))(stacked_parameters(patterns))
    _, spikes = jax.vmap(jn.run)(cells, jnp.asarray(stacked_currents(patterns), jnp.result_type(float)))
    times = []
    for pattern, row in zip(patterns, np.asarray(spikes), strict=True):
        steps = np.flatnonzero(row)
        times.append(pattern.dt_ms * steps[steps < len(pattern.times())])
    return spikes.dtype, times


def test_all_twenty_published_patterns_have_their_counts_and_times(float64):
    dtype, times = spike_times_of_all()
    assert dtype == jnp.float64
    assert len(times) == len(RECORDED) == 20
    for found, (count, first, intervals) in zip(times, RECORDED, strict=True):
        assert len(found) == count
        np.testing.assert_allclose(found[0], first, rtol=1e-12)
        np.testing.assert_allclose(np.diff(found)[:5], intervals, rtol=1e-9)


def test_all_twenty_published_patterns_have_their_counts_in_single_precision():
    dtype, times = spike_times_of_all()
    assert dtype == jnp.float32
    assert [len(found) for found in times] == [count for count, _, _ in RECORDED]


def test_own_step_is_an_explicit_loop_in_which_the_recovery_sees_the_new_voltage(float64):
    currents = np.random.default_rng(0).normal(8, 6, 4000)
    v, u, expected, fired = -70.0, -14.0, [], []
    for current in currents:
        v += 0.5 * (0.04 * v * v + 5 * v + 140 - u + current)
        u += 0.5 * 0.02 * (0.2 * v - u)
        fired.append(float(v >= 30))
        if v >= 30:
            v, u = -65.0, u + 8
        expected.append((v, u))
    read = lambda state: (state.voltage_mv, state.recovery)  # noqa: E731
    _, spikes, record = jn.run(Izhikevich(dt_ms=0.5), jnp.asarray(currents), observe=read)
    assert sum(fired) > 20
    np.testing.assert_array_equal(spikes, fired)
    np.testing.assert_allclose(np.stack(record, axis=1), expected, rtol=0, atol=1e-7)


def test_as_a_flow_it_converges_to_the_located_spikes_of_its_equations(float64):
    # Tonic spiking: the first spike of the equations is at 12.630523653 ms (izhikevich.json).
    current = jnp.asarray(np.where(np.arange(15_000) >= 10_000, 14.0, 0.0))
    _, spikes = jn.run(jn.RungeKutta4(Izhikevich(increment=6.0), dt_ms=0.001), current)
    assert (np.flatnonzero(spikes)[0] + 1) * 0.001 == pytest.approx(12.630523653, abs=0.0011)


def test_rests_at_its_start_and_takes_jumps_and_channels(float64):
    neuron = Izhikevich()
    start = neuron.init(jax.random.key(0))
    state, spike = neuron.step(start, jnp.asarray(0.0))
    assert (state.voltage_mv, state.recovery, spike) == (pytest.approx(-70), pytest.approx(-14), 0)
    assert neuron.step(start, jn.VoltageJump(jnp.asarray(110.0)))[1] == 1
    channels = jn.Conductance(jnp.asarray(0.4), jnp.asarray(0.0))
    assert neuron.step(start, channels)[0].voltage_mv == pytest.approx(-70 + 0.25 * 0.4 * 70, rel=1e-12)
