"""Complex convolution against SciPy's, and its initialisation against its paper."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import correlate2d

import jaxneuro as jn
from tests.neurons.complex.test_activations import EXPECTED
from tests.neurons.complex.transcribed import joined, mod_relu


def images(dtype):
    parts = np.random.default_rng(2).normal(size=(2, 2, 6, 5, 2))
    return parts[0] if dtype == "float64" else parts[0] + 1j * parts[1]


def convolved(image, kernels, padding):
    """One output after the other, summed over inputs; SciPy's correlation conjugates the kernel."""
    inputs, outputs = kernels.shape[2:]
    return np.stack(
        [
            sum(correlate2d(image[..., c], kernels[..., c, o].conj(), padding) for c in range(inputs))
            for o in range(outputs)
        ],
        axis=-1,
    )


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("activation", ["none", "crelu", "zrelu", "modrelu"])
def test_responds_with_the_activation_of_the_complex_convolution(dtype, padding, activation, key, float64):
    conv = jn.complex.ComplexConv(2, 3, padding=padding, activation=activation, key=key)
    bias, offset = np.random.default_rng(3).normal(size=(2, 3)), np.array([-0.5, 0.3, -1.5])
    conv = eqx.tree_at(lambda m: m.bias, conv, jnp.asarray(bias))
    if activation == "modrelu":
        conv = eqx.tree_at(lambda m: m.modulus_bias, conv, jnp.asarray(offset))
    actual = jn.run(conv, jnp.asarray(images(dtype)))[1]
    for image, response in zip(images(dtype), actual, strict=True):
        z = convolved(image, joined(np.asarray(conv.weights)), padding) + joined(bias)
        expected = {
            "none": lambda z: z,
            "crelu": EXPECTED["crelu"],
            "zrelu": lambda z: EXPECTED["zrelu"](z.ravel()).reshape(z.shape),
            "modrelu": lambda z: np.stack(
                [
                    mod_relu(c.ravel(), [b] * c.size).reshape(c.shape)
                    for c, b in zip(np.moveaxis(z, -1, 0), offset, strict=True)
                ],
                axis=-1,
            ),
        }[activation](z)
        np.testing.assert_allclose(response, expected, rtol=1e-12, atol=1e-13)


def test_a_stride_leaves_out_responses(key, float64):
    dense = jn.complex.ComplexConv(2, 3, padding="valid", key=key)
    sparse = jn.complex.ComplexConv(2, 3, padding="valid", stride=2, key=key)
    image = jnp.asarray(images("complex128")[0])
    np.testing.assert_allclose(sparse.respond(image), dense.respond(image)[::2, ::2], rtol=1e-13)


def test_a_kernel_of_one_point_is_a_dense_layer_at_every_point(key, float64):
    conv, dense = jn.complex.ComplexConv(2, 3, size=1, key=key), jn.complex.ComplexDense(2, 3, key=key)
    dense = eqx.tree_at(lambda m: m.weights, dense, conv.weights[:, 0, 0].swapaxes(1, 2))
    image = jnp.asarray(images("complex128")[0])
    np.testing.assert_allclose(conv.respond(image), jax.vmap(jax.vmap(dense.respond))(image), rtol=0, atol=1e-13)


def test_half_precision_gives_complex64_close_to_single(key):
    conv, image = jn.complex.ComplexConv(2, 3, key=key), jnp.asarray(images("complex128")[0], jnp.complex64)
    half, single = jn.cast(conv, jnp.bfloat16).respond(image), conv.respond(image)
    assert half.dtype == jnp.complex64
    np.testing.assert_allclose(half, single, rtol=0, atol=0.02 * np.abs(single).max())


@pytest.mark.parametrize(
    ("bias", "activation", "more"), [(True, "none", 8), (False, "crelu", 0), (True, "modrelu", 12)]
)
def test_has_twice_the_parameters_of_a_real_convolution(bias, activation, more):
    conv = jax.eval_shape(
        lambda key: jn.complex.ComplexConv(3, 4, size=5, bias=bias, activation=activation, key=key), jax.random.key(0)
    )
    assert jn.count_parameters(conv) == 2 * 25 * 3 * 4 + more


@pytest.mark.parametrize(("activation", "scale"), [("none", 1 / (9 * 70)), ("crelu", 1 / (9 * 40))])
def test_weights_start_with_the_variance_of_the_paper(activation, scale, key):
    weights = joined(np.asarray(jn.complex.ComplexConv(40, 30, activation=activation, key=key).weights, np.float64))
    assert np.mean(np.abs(weights) ** 2) == pytest.approx(2 * scale, rel=4 / weights.size**0.5)


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="ComplexConv got inputs=2, outputs=3, size=0, stride=1; all must be at least"):
        jn.complex.ComplexConv(2, 3, size=0, key=key)
