"""The time that decaying calcium spends above a threshold, counted on a fine grid."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.synapses.calcium import deviation, time_above


@pytest.mark.parametrize("calcium", [0.0, 0.5, 1.0, 1.5, 3.0, 900.0])
def test_equals_the_count_on_a_fine_grid(calcium, float64):
    times = np.arange(0, 12, 1e-4) + 5e-5
    expected = np.mean(calcium * np.exp(-times / 10) > 1) * 12
    found = time_above(*map(jnp.asarray, (calcium, 1.0, 10.0, 12.0)))
    assert float(found) == pytest.approx(expected, abs=2e-4)


def test_gradients_are_finite_where_there_is_nothing():
    slopes = jax.grad(time_above, argnums=(0, 1, 2, 3))(*map(jnp.asarray, (0.0, 1.0, 10.0, 0.0)))
    assert np.isfinite(slopes).all()
    assert jax.grad(deviation)(jnp.asarray(0.0)) == 0
    assert deviation(jnp.asarray(4.0)) == 2
