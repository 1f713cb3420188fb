"""What follows a spike: values, gradients, and the count of a refractory period."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.reset import detached, refractory_left


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_detached_spike_is_the_spike_and_passes_the_rest_of_the_gradient(share):
    spike, stop = jnp.asarray(1.0), jnp.asarray(share)
    assert detached(spike, stop) == 1
    slopes = jax.grad(lambda s, d: 5 * detached(s, d), argnums=(0, 1))(spike, stop)
    np.testing.assert_allclose(slopes, (5 * (1 - share), 0), rtol=1e-6, atol=0)
    # The same in both directions, and of both orders: it is linear.
    forwards = jax.jvp(lambda s: detached(s, stop), (spike,), (jnp.asarray(2.0),))[1]
    np.testing.assert_allclose(forwards, 2 * (1 - share), rtol=1e-6, atol=0)
    assert jax.grad(jax.grad(lambda s: detached(s, stop)))(spike) == 0
    several = jnp.asarray([0.0, 1.0, 1.0])
    np.testing.assert_array_equal(detached(several, stop), several)


@pytest.mark.parametrize(("period", "steps"), [(2.0, 20), (0.0, 0), (0.04, 0), (0.06, 1), (0.1, 1), (0.14, 1)])
def test_a_period_holds_for_the_nearest_number_of_steps(period, steps):
    step, none = jnp.asarray(0.1), jnp.asarray(0.0)
    left, held = refractory_left(none, jnp.asarray(1.0), jnp.asarray(period), step), 0
    while left > step / 2:
        left, held = refractory_left(left, none, jnp.asarray(period), step), held + 1
    assert (held, float(left)) == (steps, 0.0)


def test_the_period_has_a_gradient_and_the_spike_has_none():
    one, step = jnp.asarray(1.0), jnp.asarray(0.1)
    slopes = jax.grad(refractory_left, argnums=(0, 1, 2))(jnp.asarray(0.5), one, jnp.asarray(2.0), step)
    assert [float(slope) for slope in slopes] == [0, 0, 1]
    slopes = jax.grad(refractory_left, argnums=(0, 1, 2))(jnp.asarray(0.5), 0 * one, jnp.asarray(2.0), step)
    assert [float(slope) for slope in slopes] == [1, 0, 0]
