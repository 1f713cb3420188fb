"""The neuron with synaptic currents: its postsynaptic potential is the closed form on every point of the grid."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons.spiking.synaptic_lif import SynapticLIF

RESISTANCE = 40.0


def potential(t, jump, membrane, synapse):
    """`R w tau_s / (tau_s - tau_m) (e^(-t/tau_s) - e^(-t/tau_m))` or `R w t / tau e^(-t/tau)`, from t = 0 on."""
    t = np.maximum(t, 0)
    if membrane == synapse:
        return RESISTANCE * jump * t / membrane * np.exp(-t / membrane)
    return RESISTANCE * jump * synapse / (synapse - membrane) * (np.exp(-t / synapse) - np.exp(-t / membrane))


def voltages(neuron, input):
    return jn.run(neuron, input, observe="voltage_mv")


@pytest.mark.parametrize("dt", [0.1, 0.7])
@pytest.mark.parametrize("synapses", [(2.0, 5.0), (10.0, 25.0)])
def test_a_potential_is_the_closed_form(dt, synapses, float64):
    arriving = np.zeros((400, 2))
    arriving[[0, 30, 31, 90], 0] = [0.1, 0.3, 0.2, 0.1]
    arriving[[10, 30], 1] = [-0.2, -0.1]
    neuron = SynapticLIF(tau_ms=10.0, tau_synapses_ms=synapses, threshold_mv=0.0, dt_ms=dt)
    _, spikes, voltage = voltages(neuron, jnp.asarray(arriving))
    times, expected = (np.arange(400) + 1) * dt, -70.0
    for step, receptor in zip(*np.nonzero(arriving), strict=True):
        expected = expected + potential(times - step * dt, arriving[step, receptor], 10.0, synapses[receptor])
    assert spikes.sum() == 0
    np.testing.assert_allclose(voltage, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("synapse", [2.0, 10.0, 10.0 + 1e-6, 23.0])
def test_the_peak_comes_when_the_closed_form_says(synapse, float64):
    near = abs(synapse - 10) < 1e-3
    peak = 10.0 if near else 10 * synapse / (10 - synapse) * np.log(10 / synapse)
    neuron = SynapticLIF(tau_synapses_ms=[synapse], threshold_mv=0.0, dt_ms=peak / 50)
    _, _, voltage = voltages(neuron, jnp.zeros((200, 1)).at[0, 0].set(0.1))
    assert int(np.argmax(voltage)) == 49
    height = potential(peak, 0.1, 10.0, 10.0 if near else synapse)
    assert float(voltage[49]) + 70 == pytest.approx(height, abs=1e-6 if near and synapse != 10 else 1e-12)


def test_where_time_constants_meet_values_and_gradients_are_smooth(float64):
    def voltage(synapse):
        neuron = SynapticLIF(tau_synapses_ms=synapse[None], threshold_mv=0.0, dt_ms=0.5)
        return jn.run(neuron, jnp.zeros((40, 1)).at[0, 0].set(0.1))[0].voltage_mv

    value, slope = jax.value_and_grad(voltage)(jnp.asarray(10.0))
    below, above = voltage(jnp.asarray(10.0 - 1e-4)), voltage(jnp.asarray(10.0 + 1e-4))
    assert float(value) == pytest.approx(float(below + above) / 2, abs=1e-8)
    assert float(slope) == pytest.approx(float(above - below) / 2e-4, abs=1e-8)


def test_a_constant_current_makes_it_fire_at_the_closed_forms_rate(float64):
    neuron = SynapticLIF([2.0, 2.0], bias_na=0.5, dt_ms=0.01)
    _, spikes = jn.run(neuron, jnp.zeros((30_000, 2)))
    interval = 2 + 10 * np.log(20 / 5)
    found = np.diff(np.flatnonzero(spikes)) * 0.01
    assert np.all((found >= interval - 1e-9) & (found <= interval + 0.01 + 1e-9))


def test_voltage_is_held_while_refractory_and_currents_decay(float64):
    arriving = np.zeros((30, 1))
    arriving[0] = 30.0
    _, spikes, record = jn.run(
        SynapticLIF(tau_synapses_ms=[5.0], dt_ms=0.5, refractory_ms=2.0), jnp.asarray(arriving), observe=lambda s: s
    )
    assert list(np.flatnonzero(spikes)[:2]) == [0, 5]
    np.testing.assert_array_equal(record.voltage_mv[:5], -70)
    np.testing.assert_allclose(record.currents_na[:, 0], 30 * np.exp(-np.arange(1, 31) * 0.1), rtol=1e-12)
