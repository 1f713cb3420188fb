"""A cable with synapses on it against the sum of its parts, written out."""

import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn
from jaxneuro.networks import Innervated
from jaxneuro.neurons.dendritic import Cable, ball_and_stick

COUNT = 4


def everywhere(weight_us, rise_ms, decay_ms, dt_ms):
    return jn.Population(jn.synapses.DualExponential(weight_us, rise_ms, decay_ms, dt_ms), COUNT, shared=True)


def make(dt_ms=0.1):
    receptors = jn.synapses.Receptors(
        jn.synapses.ConductanceBased(everywhere(2e-3, 0.3, 3.0, dt_ms), 0.0),
        jn.synapses.NMDA(everywhere(1e-3, 2.0, 70.0, dt_ms)),
    )
    neuron = Cable(ball_and_stick(10.0, 150.0, 1.0, 3), (jn.spiking.Leak(0.05, -70.0),), dt_ms=dt_ms)
    return Innervated(neuron, receptors)


def plain(cell, spikes, dt_ms=0.1):
    """The same by dense algebra and impulse responses, in NumPy."""
    shape, steps = cell.neuron.morphology, len(spikes)
    areas, axial = np.asarray(shape.areas_cm2(), float), np.asarray(shape.axial_us(jnp.asarray(100.0)), float)
    joined = np.eye(COUNT) - np.eye(COUNT, k=-1)
    joined[0] = 0
    laplacian, capacitance, leak = joined.T @ np.diag(axial) @ joined, 1e3 * areas, 0.05e3 * areas

    def response(t, rise, decay):
        peak = rise * decay / (decay - rise) * np.log(decay / rise)
        return (np.exp(-t / decay) - np.exp(-t / rise)) / (np.exp(-peak / decay) - np.exp(-peak / rise))

    voltage, trace = np.full(COUNT, -70.0), []
    for now in range(steps):
        since = dt_ms * (now - np.arange(now + 1))[:, None]
        ampa = 2e-3 * (spikes[: now + 1] * response(since, 0.3, 3.0)).sum(0)
        nmda = 1e-3 * (spikes[: now + 1] * response(since, 2.0, 70.0)).sum(0)
        opened = ampa + nmda / (1 + np.exp(-0.062 * voltage) / 3.57)
        matrix = laplacian + np.diag(leak + opened)
        left, right = np.diag(capacitance) / dt_ms + matrix / 2, np.diag(capacitance) / dt_ms - matrix / 2
        voltage = np.linalg.solve(left, right @ voltage + leak * -70.0)
        trace.append(voltage)
    return np.array(trace)


def test_synapses_depolarise_by_their_conductances():
    spikes = (np.random.default_rng(0).random((150, COUNT)) < 0.05).astype(np.float32)
    cell = make()
    inputs = (jnp.asarray(spikes), jnp.asarray(spikes))
    found = jn.run(cell, inputs, observe="neuron.voltage_mv")[2]
    expected = plain(cell, spikes)
    assert np.ptp(expected) > 10
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-3)


def test_nmda_makes_two_spikes_more_than_the_sum_of_each(key):
    cell = make()
    one = jnp.zeros((400, COUNT)).at[0, 3].set(1.2)

    def peak(spikes):
        return jn.run(cell, (0 * spikes, spikes), key=key, observe="neuron.voltage_mv")[2][:, 0].max() + 70

    assert float(peak(2 * one)) > 2.2 * float(peak(one)) > 0.2
    assert jax.tree.structure(cell.init(key)) == jax.tree.structure(cell.step(cell.init(key), (one[0], one[0]))[0])
