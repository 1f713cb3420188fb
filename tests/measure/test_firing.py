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


@pytest.mark.parametrize("machine", [jn.LIF(dt_ms=0.1), jn.PreciseLIF(dt_ms=0.1)])
def test_an_f_i_curve_is_the_closed_form(machine):
    currents = np.array([10.0, 16.0, 20.0, 30.0, 60.0])
    found = jn.measure.f_i_curve(machine, jnp.asarray(currents, jnp.float32), 1000.0)
    expected = [0] + [1000 / (2 + 20 * np.log(drive / (drive - 15))) for drive in currents[1:]]
    # Spikes of one second are whole numbers.
    np.testing.assert_allclose(found, expected, atol=1.01)
    late = jn.measure.f_i_curve(machine, jnp.asarray([60.0]), 300.0, 100.0)
    assert late[0] == pytest.approx(128.97, abs=5)


def test_crossing_times_are_interpolated():
    t = 0.1 * np.arange(1, 400)
    found = jn.measure.crossing_times(np.sin(t), 0.5, 0.1)
    np.testing.assert_allclose(found, np.pi / 6 + 2 * np.pi * np.arange(len(found)), atol=1e-3)
    assert len(found) == 7
