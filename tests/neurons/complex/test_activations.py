"""The nonlinearities against the paper's formulas in NumPy, and their slopes at 0."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.neurons.complex import activations


def numbers():
    parts = np.random.default_rng(0).normal(size=(2, 40))
    return parts[0] + 1j * parts[1]


def biases():
    return np.random.default_rng(1).normal(size=40)


def mod_relu(z, b):
    return np.array([max(abs(x) + c, 0) * np.exp(1j * np.angle(x)) for x, c in zip(z, b, strict=True)])


EXPECTED = {
    "hirose": lambda z: np.tanh(np.abs(z)) * np.exp(1j * np.angle(z)),
    "bound": lambda z: np.array([x if abs(x) < 1 else x / abs(x) for x in z]),
    "split_tanh": lambda z: np.tanh(z.real) + 1j * np.tanh(z.imag),
    "crelu": lambda z: np.maximum(z.real, 0) + 1j * np.maximum(z.imag, 0),
    "zrelu": lambda z: np.array([x if 0 < np.angle(x) < np.pi / 2 else 0 for x in z]),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_activation_is_the_formula(name, float64):
    actual = getattr(activations, name)(jnp.asarray(numbers()))
    np.testing.assert_allclose(actual, EXPECTED[name](numbers()), rtol=1e-13, atol=1e-15)


def test_mod_relu_is_the_formula_for_complex_and_for_real_numbers(float64):
    z, b = numbers(), biases()
    assert 0 < np.count_nonzero(np.abs(z) + b < 0) < z.size
    actual = activations.mod_relu(jnp.asarray(z), jnp.asarray(b))
    np.testing.assert_allclose(actual, mod_relu(z, b), rtol=1e-13, atol=1e-15)
    actual = activations.mod_relu(jnp.asarray(z.real), jnp.asarray(b))
    np.testing.assert_allclose(actual, np.sign(z.real) * np.maximum(np.abs(z.real) + b, 0), rtol=1e-13, atol=1e-15)


def test_mod_sigmoid_weighs_real_and_imaginary_part(float64):
    z, mixing = numbers(), biases()
    a = 1 / (1 + np.exp(-mixing))
    expected = 1 / (1 + np.exp(-(a * z.real + (1 - a) * z.imag)))
    np.testing.assert_allclose(activations.mod_sigmoid(jnp.asarray(z), jnp.asarray(mixing)), expected, rtol=1e-13)


@pytest.mark.parametrize(("bias", "slope"), [(-0.1, 0), (0.0, 1), (0.1, 1)])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "complex64"])
def test_mod_relu_has_a_finite_slope_at_zero(bias, slope, dtype):
    def value(z, bias):
        return jnp.sum(activations.mod_relu(z, bias)).real

    bias = jnp.full(1, bias, jnp.float32 if dtype == "complex64" else dtype)
    assert value(jnp.zeros(1, dtype), bias) == 0
    by_number, by_bias = jax.grad(value, argnums=(0, 1))(jnp.zeros(1, dtype), bias)
    np.testing.assert_array_equal(by_number, slope)
    np.testing.assert_array_equal(by_bias, 0)


@pytest.mark.parametrize("name", [*EXPECTED])
def test_slopes_at_zero_and_next_to_it_are_finite(name):
    function = getattr(activations, name)
    for number in (0, 1e-30, 1e-19, 1e-7):
        slope = jax.grad(lambda z: function(z).real)(jnp.asarray(number, jnp.complex64))
        assert np.isfinite(slope)
        if name in ("hirose", "bound", "split_tanh"):
            np.testing.assert_allclose(slope, 1, rtol=1e-6)


def test_mod_relu_keeps_the_phase_where_it_shortens(float64):
    z = jnp.asarray(numbers())
    shortened = np.asarray(activations.mod_relu(z, jnp.full(40, -0.3)))
    alive = np.abs(z) > 0.3
    np.testing.assert_allclose(np.angle(shortened[alive]), np.angle(z[alive]), rtol=1e-12)
    np.testing.assert_allclose(np.abs(shortened), np.maximum(np.abs(z) - 0.3, 0), rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(shortened[~alive], 0)


@pytest.mark.parametrize(("dtype", "expected"), [("bfloat16", "complex64"), ("float32", "complex64")])
def test_complex_numbers_of_single_and_half_precision_are_complex64(dtype, expected):
    assert activations.as_complex(jnp.ones((2, 3), dtype)).dtype == expected
    assert activations.phasor(jnp.ones(3, dtype)).dtype == expected
    assert activations.as_features(jnp.ones(3, expected), jnp.ones(3, dtype)).dtype == dtype


def test_complex_numbers_of_double_precision_are_complex128(float64):
    assert activations.as_complex(jnp.ones((2, 3))).dtype == jnp.complex128
    np.testing.assert_allclose(activations.phasor(jnp.asarray([0.0, np.pi / 2])), [1, 1j], atol=1e-15)
