"""The rate neuron against its formula, and in a loop against Elman's network as flax has it."""

import equinox as eqx
import flax.linen
import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn


def test_responds_as_the_equation_says(float64):
    drives = jnp.linspace(-4, 4, 101)
    found = jax.vmap(jn.Rate(gain=1.7, threshold=0.3).respond)(drives)
    np.testing.assert_allclose(found, np.tanh(1.7 * (np.asarray(drives) - 0.3)), rtol=1e-13, atol=1e-15)


def test_is_steepest_at_threshold_with_the_slope_of_its_gain(float64):
    drives = jnp.linspace(-4, 4, 81)
    slopes = jax.vmap(jax.grad(jn.Rate(gain=2.5, threshold=0.3).respond))(drives)
    np.testing.assert_allclose(slopes, 2.5 / np.cosh(2.5 * (np.asarray(drives) - 0.3)) ** 2, atol=1e-14)
    assert slopes.max() == slopes[np.argmin(np.abs(drives - 0.3))]


def test_in_a_loop_it_is_the_simple_recurrent_network_of_flax(key):
    inputs, units, steps = 3, 5, 30
    into, back = jn.Dense(inputs, units, key=key), jn.Dense(units, units, bias=False, key=jax.random.key(1))
    into = eqx.tree_at(lambda dense: dense.bias, into, jax.random.normal(key, (units,)))
    network = jn.Chain(into, jn.Feedback(jn.Population(jn.Rate(), units, shared=True), back, jnp.zeros(units)))
    sequence = jax.random.normal(jax.random.key(2), (steps, inputs))
    cell = flax.linen.SimpleCell(units)
    copied = {"i": {"kernel": into.weights.T, "bias": into.bias}, "h": {"kernel": back.weights.T}}
    _, expected = jax.lax.scan(lambda h, x: cell.apply({"params": copied}, h, x), jnp.zeros(units), sequence)
    np.testing.assert_allclose(jn.run(network, sequence)[1], expected, rtol=1e-6, atol=1e-6)
