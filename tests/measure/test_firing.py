"""Firing rates against counting by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn


def test_rate_is_spikes_per_second():
    # 3 spikes in 2000 steps of 0.5 ms, which are 1 s.
    spikes = jnp.zeros(2000).at[jnp.asarray([10, 500, 1999])].set(1.0)
    assert jn.measure.rate(spikes, 0.5) == pytest.approx(3.0)
    assert jn.measure.rate(spikes, jnp.asarray(0.5, jnp.float32)) == pytest.approx(3.0)


def test_rate_of_many_neurons_is_the_rate_of_each(key):
    spikes = jax.random.bernoulli(key, 0.1, (4, 3, 200)).astype(jnp.float32)
    expected = np.asarray(spikes).sum(axis=-1) / 0.2
    np.testing.assert_allclose(jn.measure.rate(spikes, 1.0), expected, rtol=1e-6)


def test_rate_of_a_regular_neuron_is_the_inverse_of_its_interval():
    _, spikes = jn.run(jn.LIF(dt_ms=0.1), jnp.full(10_000, 30.0))
    assert jn.measure.rate(spikes, jn.LIF().dt_ms) == pytest.approx(1000 / (2 + 20 * np.log(2)), rel=0.02)
