"""Products of rotations against explicit matrices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.neurons.complex.activations import phasor
from jaxneuro.neurons.complex.rotations import pairings, rotate, rotations


def pairs_of(units, layers, style):
    """The pairs of each layer by the paper's description, one by one."""
    if style == "tunable":
        return [[(i, i + 1) for i in range(layer % 2, units - 1, 2)] for layer in range(layers)]
    found, stride = [], units // 2
    while stride:
        starts = range(0, units, 2 * stride)
        found.append([(start + i, start + i + stride) for start in starts for i in range(stride)])
        stride //= 2
    return found


def matrix(units, pairs, theta, phi):
    """The product of all rotations as a matrix."""
    product, index = np.eye(units, dtype=complex), 0
    for layer in pairs:
        for a, b in layer:
            turn = np.eye(units, dtype=complex)
            c, s, p = np.cos(theta[index]), np.sin(theta[index]), np.exp(1j * phi[index])
            turn[[a, a, b, b], [a, b, a, b]] = p * c, -s, p * s, c
            product, index = turn @ product, index + 1
    assert index == len(theta)
    return product


@pytest.mark.parametrize(
    ("units", "layers", "style"),
    [(6, 4, "tunable"), (7, 3, "tunable"), (2, 3, "tunable"), (8, 0, "fft"), (2, 0, "fft")],
)
def test_equals_the_product_of_the_matrices(units, layers, style, float64):
    pattern, pairs = pairings("X", units, layers, style), pairs_of(units, layers, style)
    count = rotations(units, pattern)
    assert count == sum(map(len, pairs))
    generator = np.random.default_rng(3)
    theta, phi = generator.uniform(-np.pi, np.pi, size=(2, count))
    z = generator.normal(size=units)
    complex_z = z + 1j * generator.normal(size=units)
    actual = rotate(jnp.asarray(complex_z), jnp.asarray(theta), phasor(jnp.asarray(phi)), pattern)
    np.testing.assert_allclose(actual, matrix(units, pairs, theta, phi) @ complex_z, rtol=0, atol=1e-13)
    actual = rotate(jnp.asarray(z), jnp.asarray(theta), None, pattern)
    np.testing.assert_allclose(actual, matrix(units, pairs, theta, 0 * phi).real @ z, rtol=0, atol=1e-13)


@pytest.mark.parametrize("units", [4, 5, 8])
def test_as_many_tunable_layers_as_units_have_the_dimension_of_the_unitary_matrices(units, float64):
    pattern = pairings("X", units, units, "tunable")
    count = rotations(units, pattern)
    # Together with a diagonal of phases these are as many parameters as a unitary matrix has: units squared.
    assert 2 * count + units == units**2
    angles = jnp.asarray(np.random.default_rng(0).uniform(-3, 3, size=2 * count + units))

    def product(angles):
        theta, phi, omega = jnp.split(angles, [count, 2 * count])
        columns = jax.vmap(lambda z: phasor(omega) * rotate(z, theta, phasor(phi), pattern))
        matrix = columns(jnp.eye(units, dtype=complex))
        return jnp.stack([matrix.real, matrix.imag])

    jacobian = jax.jacobian(product)(angles).reshape(-1, angles.size)
    assert np.linalg.matrix_rank(jacobian) == units**2


def test_the_fft_style_joins_every_number_with_every_other(float64):
    pattern = pairings("X", 16, 0, "fft")
    angles = jnp.full(rotations(16, pattern), 0.7)
    product = jax.vmap(lambda z: rotate(z, angles, None, pattern))(jnp.eye(16))
    assert np.abs(product).min() > 0


@pytest.mark.parametrize(
    ("units", "layers", "style", "message"),
    [
        (6, 2, "fft", 'X got units=6 with style="fft"; it must be a power of 2'),
        (1, 2, "fft", "power of 2, at least 2"),
        (6, 0, "tunable", "X got units=6, layers=0; there must be at least 2 units and 1 layer"),
        (1, 2, "tunable", "at least 2 units"),
    ],
)
def test_bad_arguments_are_refused(units, layers, style, message):
    with pytest.raises(ValueError, match=message):
        pairings("X", units, layers, style)
