"""The leaky readout against the exponential it is made of."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import lfilter

import jaxneuro as jn


@pytest.mark.parametrize("dt", [0.1, 1.0, 7.0])
def test_step_response_is_the_closed_form(dt, float64):
    state, outputs = jn.run(jn.LeakyReadout(tau_ms=20.0, dt_ms=dt), jnp.full(200, 3.0))
    np.testing.assert_allclose(outputs, 3 * -np.expm1(-dt * np.arange(1, 201) / 20), rtol=1e-12)
    assert state.value == outputs[-1]


def test_is_a_first_order_filter_of_any_input(key, float64):
    inputs = jax.random.normal(key, (500,))
    decay = np.exp(-0.5 / 8)
    _, outputs = jn.run(jn.LeakyReadout(tau_ms=8.0, dt_ms=0.5), inputs)
    np.testing.assert_allclose(outputs, lfilter([1 - decay], [1, -decay], inputs), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("steps", [1, 2, 1000])
def test_parallel_in_time_it_is_the_same(steps, key, float64):
    inputs, readout = jax.random.normal(key, (steps,)), jn.LeakyReadout()
    start, _ = jn.run(readout, jnp.ones(3))
    for state in (None, start):
        serial = jn.run(readout, inputs, state=state, executor="sequential", observe="value")
        parallel = jn.run(readout, inputs, state=state, executor="parallel", observe="value")
        for one, other in zip(jax.tree.leaves(serial), jax.tree.leaves(parallel), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)


def test_gradient_with_respect_to_the_time_constant_is_the_closed_form(float64):
    def settled(tau):
        return jn.run(jn.LeakyReadout(tau_ms=tau, dt_ms=1.0), jnp.ones(30))[1][-1]

    assert jax.grad(settled)(jnp.asarray(20.0)) == pytest.approx(-np.exp(-30 / 20) * 30 / 20**2, rel=1e-11)
