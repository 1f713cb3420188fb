"""The neuron without leak: its closed-form rate, the conservation of charge, an explicit loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import jaxneuro as jn
from jaxneuro.neurons.spiking import IntegrateAndFire


@pytest.mark.parametrize("refractory", [0.0, 2.0])
@pytest.mark.parametrize("current", [1.3, 5.0, 37.0])
def test_fires_at_the_rate_the_closed_form_predicts(current, refractory, float64):
    dt, capacitance, threshold = 0.01, 2.0, 15.0
    neuron = IntegrateAndFire(capacitance_nf=capacitance, refractory_ms=refractory, dt_ms=dt)
    _, spikes = jn.run(neuron, jnp.full(20_000, current))
    interval = refractory + capacitance * threshold / current
    on_grid = np.diff(np.flatnonzero(spikes)) * dt
    assert len(on_grid) >= 7
    np.testing.assert_array_less(np.abs(on_grid - interval), dt * (1 + 1e-9))
    # A hard reset loses the overshoot: the interval is the closed form, up to the next step.
    np.testing.assert_allclose(on_grid, refractory + np.ceil(capacitance * threshold / current / dt - 1e-9) * dt)


def test_with_a_soft_reset_no_charge_is_lost(float64):
    currents = np.random.default_rng(0).normal(3, 8, 5000)
    neuron = IntegrateAndFire(soft_reset=1.0, start_mv=7.5, dt_ms=0.1)
    state, spikes = jn.run(neuron, jnp.asarray(currents))
    assert spikes.sum() > 50
    assert state.voltage_mv - 7.5 == pytest.approx(currents.sum() * 0.1 - float(spikes.sum()) * 15, abs=1e-9)


@pytest.mark.parametrize("threshold", [0.5, 1.0, 4.0])
def test_counts_of_a_soft_reset_are_within_one_of_the_drive(threshold, float64):
    # A neuron started at half its threshold fires floor(T a / theta + 1/2) times in T steps of a <= theta.
    drives = np.linspace(0, 1, 17) * threshold
    neuron = IntegrateAndFire(threshold_mv=threshold, start_mv=threshold / 2, soft_reset=1.0, dt_ms=1.0)
    counts = jax.vmap(lambda drive: jn.run(neuron, jnp.full(8, drive))[1].sum())(jnp.asarray(drives))
    np.testing.assert_array_equal(counts, np.floor(8 * drives / threshold + 0.5))


@pytest.mark.parametrize("soft_reset", [0.0, 0.3])
def test_resets_and_rests_as_an_explicit_loop_does(soft_reset, float64):
    currents = np.random.default_rng(1).normal(5, 30, 2000)
    neuron = IntegrateAndFire(
        capacitance_nf=0.8, threshold_mv=-48.0, reset_mv=-63.0, start_mv=-60.0, refractory_ms=1.0,
        soft_reset=soft_reset, dt_ms=0.25,
    )  # fmt: skip
    voltage, held, expected, fired = -60.0, 0, [], []
    for current in currents:
        spike = False
        if held:
            held -= 1
        else:
            voltage += current * 0.25 / 0.8
            spike = voltage >= -48
        if spike:
            voltage, held = (1 - soft_reset) * -63 + soft_reset * (voltage - 15), 4
        expected.append(voltage)
        fired.append(float(spike))
    _, spikes, voltages = jn.run(neuron, jnp.asarray(currents), observe="voltage_mv")
    np.testing.assert_array_equal(spikes, fired)
    np.testing.assert_allclose(voltages, expected, rtol=0, atol=1e-10)
    assert sum(fired) > 20


def test_open_channels_are_integrated_exactly(float64):
    # C dV/dt = I + g (E - V): a leak that only channels bring.
    steps, dt, conductance, reversal, current, capacitance = 40, 0.7, 0.3, 12.0, 0.5, 2.0
    neuron = IntegrateAndFire(capacitance_nf=capacitance, dt_ms=dt)
    channels = jn.Conductance(jnp.full(steps, conductance), jnp.full(steps, conductance * reversal))
    stimuli = jn.Stimulus(current=jnp.full(steps, current), channels=channels)
    _, spikes, voltages = jn.run(neuron, stimuli, observe="voltage_mv")
    solution = solve_ivp(
        lambda t, v: (current + conductance * (reversal - v)) / capacitance, (0, steps * dt), [0.0], method="DOP853",
        rtol=1e-12, atol=1e-12, t_eval=dt * np.arange(1, steps + 1) * (1 - 1e-15),
    )  # fmt: skip
    assert spikes.sum() == 0
    np.testing.assert_allclose(voltages, solution.y[0], rtol=0, atol=1e-9)


def test_a_jump_moves_the_voltage_unless_the_cell_is_refractory(float64):
    neuron = IntegrateAndFire(refractory_ms=0.3, dt_ms=0.1)
    jumps = jn.VoltageJump(jnp.asarray([9.0, 8.0, 8.0, 8.0, 8.0, 8.0]))
    _, spikes, voltages = jn.run(neuron, jumps, observe="voltage_mv")
    np.testing.assert_array_equal(spikes, [0, 1, 0, 0, 0, 0])
    np.testing.assert_allclose(voltages, [9, 0, 0, 0, 0, 8])
