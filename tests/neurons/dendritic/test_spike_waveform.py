"""Waveforms of spikes against a plain sum over all spikes, and NumPy's convolution."""

import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons.dendritic import MultiThreshold, SpikeWaveform

KERNELS = np.asarray([[1.0, 4.0, 2.0, -1.0, -0.5], [0.5, 7.0, -3.0, -2.0, -1.0], [2.0, 3.0, 4.0, 1.0, 0.0]])


def test_is_a_convolution_per_origin(float64):
    generator = np.random.default_rng(0)
    fired = generator.uniform(size=(40, 3)) * (generator.uniform(size=(40, 3)) < 0.2)
    expected = -65 + sum(np.convolve(fired[:, i], KERNELS[i])[:40] for i in range(3))
    _, trace = jn.run(SpikeWaveform(jnp.asarray(KERNELS), -65.0), jnp.asarray(fired))
    np.testing.assert_allclose(trace, expected, rtol=1e-12)


def test_the_waveform_tells_the_dendrite(float64):
    neuron = MultiThreshold(2, threshold_mv=jnp.asarray([15.0, 9.0, 12.0]), sharpness_per_mv=100.0, dt_ms=1.0)
    recorded = jn.Chain(neuron, SpikeWaveform(jnp.asarray(KERNELS), 0.0))
    for site in range(3):
        currents = jnp.zeros((40, 3)).at[:4, site].set(160.0)
        first = int(np.flatnonzero(jn.run(neuron, currents)[1].sum(axis=1))[0])
        trace = jn.run(recorded, currents)[1]
        np.testing.assert_allclose(trace[:first], 0, atol=1e-12)
        np.testing.assert_allclose(trace[first : first + 3], KERNELS[site][:3], atol=1e-9)


def test_a_waveform_has_samples():
    with pytest.raises(ValueError, match=r"SpikeWaveform got kernels of shape \(2, 0\)"):
        SpikeWaveform(jnp.zeros((2, 0)))
