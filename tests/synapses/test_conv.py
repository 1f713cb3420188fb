"""Convolution against that of flax with the same weights, and against SciPy's."""

import flax.linen
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import correlate2d

import jaxneuro as jn


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("size", "stride"), [(3, 1), (2, 2), (5, 3)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-12)])
def test_equals_flax_with_the_same_weights(padding, size, stride, bias, dtype, tolerance, key, float64):
    conv = jn.cast(jn.Conv(2, 3, size=size, stride=stride, padding=padding, bias=bias, key=key), dtype)
    images = jax.random.normal(key, (4, 7, 6, 2), dtype)
    parameters = {"kernel": conv.weights} | ({"bias": conv.bias} if bias else {})
    peer = flax.linen.Conv(3, (size, size), stride, padding.upper(), use_bias=bias, dtype=dtype, param_dtype=dtype)
    expected = peer.apply({"params": parameters}, images)
    actual = jn.run(conv, images)[1]
    assert actual.dtype == dtype
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * np.abs(expected).max())


def test_is_a_sum_of_two_dimensional_correlations(key, float64):
    conv, image = jn.Conv(2, 3, key=key), np.asarray(jax.random.normal(key, (7, 6, 2)))
    w = np.asarray(conv.weights)
    for o in range(3):
        expected = sum(correlate2d(image[..., c], w[..., c, o], "same") for c in range(2))
        np.testing.assert_allclose(conv.respond(jnp.asarray(image))[..., o], expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("gain", [1.0, 2.5])
def test_weights_start_with_the_variance_that_keeps_that_of_the_inputs(gain, key):
    weights = jn.Conv(20, 50, size=5, gain=gain, key=key).weights
    # The variance of a sample of a normal distribution has a relative standard error of sqrt(2 / n).
    assert np.var(weights) == pytest.approx(gain**2 / (25 * 20), rel=4 * (2 / weights.size) ** 0.5)


def test_has_a_kernel_for_every_pair_of_channels():
    conv = jax.eval_shape(lambda key: jn.Conv(3, 4, size=5, key=key), jax.random.key(0))
    assert jn.count_parameters(conv) == 4 * (25 * 3 + 1)


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="Conv got inputs=2, outputs=3, size=3, stride=0; all must be at least 1"):
        jn.Conv(2, 3, stride=0, key=key)
