"""The cosine neuron: blind to size, exact against numpy in double precision, harmless at zero."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

import jaxneuro as jn

INPUTS = 32
SCALES = [1e-15, 1e-9, 1e-3, 0.7, 3.0, 1e3, 1e9, 1e15]


def neuron_with(weights, scale=1.0, threshold=0.0):
    neuron = jn.Cosine(INPUTS, scale=scale, threshold=threshold, key=jax.random.key(0))
    return eqx.tree_at(lambda cosine: cosine.weights, neuron, weights)


def numpy_cosine(weights, point, scale, threshold):
    weights, point = np.asarray(weights, np.float64), np.asarray(point, np.float64)
    return np.tanh(scale * (weights @ point) / np.linalg.norm(weights) / np.linalg.norm(point) - threshold)


def vectors(number):
    return jnp.asarray(np.random.default_rng(number).normal(size=(number, INPUTS)), jnp.result_type(float))


@jax.jit
def respond(neuron, points):
    return jax.vmap(neuron.respond)(points)


@pytest.fixture
def similar(key):
    """Weights and inputs that have a clear similarity, so that relative errors say something."""
    vectors = jax.random.uniform(key, (101, INPUTS), minval=0.1)
    return vectors[0], vectors[1:]


def test_responds_as_the_equation_says(float64):
    weights, points = vectors(1)[0], vectors(100)
    found = respond(neuron_with(weights, scale=3.0, threshold=0.4), points)
    expected = [numpy_cosine(weights, point, 3.0, 0.4) for point in points]
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("scale", SCALES)
def test_positive_scaling_of_input_or_weights_changes_nothing(scale, similar):
    weights, points = similar
    expected = respond(neuron_with(weights), points)
    np.testing.assert_allclose(respond(neuron_with(weights), points * scale), expected, rtol=1e-6)
    np.testing.assert_allclose(respond(neuron_with(weights * scale), points), expected, rtol=1e-6)
    np.testing.assert_allclose(respond(neuron_with(weights * scale), points / scale), expected, rtol=1e-6)


@pytest.mark.parametrize("exponent", [-60, -20, 20, 60])
def test_scaling_by_a_power_of_two_changes_no_bit(exponent):
    weights, points = vectors(1)[0], vectors(100)
    scaled = respond(neuron_with(weights * 2.0**-exponent), points * 2.0**exponent)
    np.testing.assert_array_equal(scaled, respond(neuron_with(weights), points))


def test_a_dot_product_neuron_is_not_blind_to_size(similar):
    weights, points = similar
    neuron = jn.Adaline(INPUTS, key=jax.random.key(0))
    plain, scaled = jax.vmap(neuron.respond)(points), jax.vmap(neuron.respond)(3.0 * points)
    assert jnp.all(jnp.abs(scaled - plain) > 0.1 * jnp.abs(plain))
    rate = jn.Rate()
    assert abs(rate.respond(weights @ points[0] / 100) - rate.respond(3 * weights @ points[0] / 100)) > 0.1


def test_vectors_of_zeros_are_similar_to_nothing_and_pass_no_gradient(key):
    @jax.jit
    @functools.partial(jax.value_and_grad, argnums=(0, 1))
    def slopes(weights, input):
        return neuron_with(weights, threshold=0.4).respond(input)

    nothing, point = jnp.zeros(INPUTS), jax.random.normal(key, (INPUTS,))
    for weights, input in ((nothing, point), (point, nothing), (nothing, nothing)):
        value, gradients = slopes(weights, input)
        assert value == pytest.approx(np.tanh(-0.4), rel=1e-6)
        assert all(jnp.isfinite(gradient).all() for gradient in gradients)
        if not input.any():
            np.testing.assert_array_equal(gradients[1], 0)
        if not weights.any():
            np.testing.assert_array_equal(gradients[0], 0)


@pytest.mark.parametrize("size", [1e-12, 1e-3, 1.0, 1e3, 1e12])
def test_gradient_is_the_closed_form_at_any_size(size, float64):
    weights, point = vectors(1)[0], size * vectors(2)[1]
    found = jax.jit(jax.grad(lambda point: neuron_with(weights, scale=2.0, threshold=0.1).respond(point)))(point)
    length = np.linalg.norm(point)
    w, x = np.asarray(weights) / np.linalg.norm(weights), np.asarray(point) / length
    expected = (1 - np.tanh(2.0 * w @ x - 0.1) ** 2) * 2.0 * (w - (w @ x) * x) / length
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13 / size)


def test_gradient_is_that_of_finite_differences(key, float64):
    neuron = jn.Cosine(INPUTS, scale=2.0, threshold=0.3, key=key)
    # The largest element is what the code divides by; a tie of two is where a careless maximum has the wrong gradient.
    point = jax.random.normal(key, (INPUTS,)).at[:2].set(4.0)
    check_grads(jax.jit(jn.Cosine.respond), (neuron, point), order=1, atol=1e-6, rtol=1e-5)


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="Cosine got inputs=0; it must be at least 1"):
        jn.Cosine(0, key=key)
