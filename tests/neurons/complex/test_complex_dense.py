"""Complex dense connections against NumPy's complex product, and their initialisation against its paper."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.complex.test_activations import EXPECTED
from tests.neurons.complex.transcribed import joined, mod_relu


def points(dtype):
    parts = np.random.default_rng(2).normal(size=(2, 20, 3))
    return parts[0] if dtype == "float64" else parts[0] + 1j * parts[1]


@pytest.mark.parametrize("activation", ["none", "crelu", "zrelu", "modrelu"])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_responds_with_the_activation_of_the_complex_product(activation, dtype, key, float64):
    dense = jn.complex.ComplexDense(3, 4, activation=activation, key=key)
    bias, offset = np.random.default_rng(3).normal(size=(2, 4)), np.array([-0.5, 0.3, -1.5, 0.0])
    dense = eqx.tree_at(lambda m: m.bias, dense, jnp.asarray(bias))
    if activation == "modrelu":
        dense = eqx.tree_at(lambda m: m.modulus_bias, dense, jnp.asarray(offset))
    sums = points(dtype) @ joined(np.asarray(dense.weights)).T + joined(bias)
    expected = {
        "none": lambda z: z,
        "crelu": EXPECTED["crelu"],
        "zrelu": EXPECTED["zrelu"],
        "modrelu": lambda z: mod_relu(z, offset),
    }[activation]
    for actual in (jn.run(dense, jnp.asarray(points(dtype)))[1], jax.vmap(dense.respond)(jnp.asarray(points(dtype)))):
        assert actual.dtype == jnp.complex128
        np.testing.assert_allclose(actual, [expected(z) for z in sums], rtol=1e-13, atol=1e-14)


def test_single_precision_is_close_to_double(key):
    dense = jn.complex.ComplexDense(3, 4, key=key)
    expected = points("complex128") @ joined(np.asarray(dense.weights, np.float64)).T
    actual = jn.run(dense, jnp.asarray(points("complex128"), jnp.complex64))[1]
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("bias", "activation", "more"), [(True, "none", 8), (False, "crelu", 0), (True, "modrelu", 12)]
)
def test_has_twice_the_parameters_of_real_connections(bias, activation, more):
    dense = jax.eval_shape(
        lambda key: jn.complex.ComplexDense(3, 4, bias=bias, activation=activation, key=key), jax.random.key(0)
    )
    assert jn.count_parameters(dense) == 2 * 3 * 4 + more


@pytest.mark.parametrize(("activation", "scale"), [("none", 1 / (300 + 200)), ("crelu", 1 / 300), ("modrelu", 1 / 300)])
def test_weights_start_with_a_rayleigh_modulus_and_a_uniform_phase(activation, scale, key):
    weights = joined(np.asarray(jn.complex.ComplexDense(300, 200, activation=activation, key=key).weights, np.float64))
    count = weights.size
    # The mean square of a Rayleigh distribution of scale sigma is 2 sigma^2; the relative standard error, 1 / sqrt(n).
    assert np.mean(np.abs(weights) ** 2) == pytest.approx(2 * scale, rel=4 / count**0.5)
    # The fraction below r is 1 - exp(-r^2 / (2 sigma^2)): half at sigma sqrt(2 log 2).
    assert np.mean(np.abs(weights) < (2 * scale * np.log(2)) ** 0.5) == pytest.approx(0.5, abs=4 * 0.5 / count**0.5)
    quarters, _ = np.histogram(np.angle(weights), bins=8, range=(-np.pi, np.pi))
    np.testing.assert_allclose(quarters, count / 8, atol=4 * (count / 8) ** 0.5)


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="ComplexDense got inputs=3, outputs=0; both must be at least 1"):
        jn.complex.ComplexDense(3, 0, key=key)
