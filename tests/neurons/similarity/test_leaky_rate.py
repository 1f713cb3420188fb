"""The leaky rate neuron against the solution of its differential equation, and against the neuron without leak."""

import jax
import jax.numpy as jnp
import numpy as np
import scipy.integrate

import jaxneuro as jn


def test_it_is_the_exact_step_of_its_differential_equation(float64):
    tau, dt, drive = 7.0, 0.5, 0.8
    neuron = jn.LeakyRate(gain=1.7, threshold=0.3, memory=-np.log(np.expm1(dt / tau)))
    _, found = jn.run(neuron, jnp.full(20, drive))
    target = np.tanh(1.7 * (drive - 0.3))
    exact = scipy.integrate.solve_ivp(
        lambda t, y: (target - y) / tau, (0, 20 * dt), [0.0], t_eval=dt * np.arange(1, 21), rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(found, exact.y[0], rtol=1e-11)


def test_without_memory_it_is_the_rate_neuron(key):
    drives = jax.random.normal(key, (30,))
    _, found = jn.run(jn.LeakyRate(gain=1.7, threshold=0.3, memory=-100.0), drives)
    _, expected = jn.run(jn.Rate(gain=1.7, threshold=0.3), drives)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_with_a_great_memory_it_hardly_moves(key):
    _, found = jn.run(jn.LeakyRate(memory=100.0), jax.random.normal(key, (30,)))
    np.testing.assert_allclose(found, 0.0, atol=1e-30)
