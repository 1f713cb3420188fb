"""Dense synapses against numpy, and their initialisation against its paper."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn


@pytest.mark.parametrize("bias", [True, False])
def test_responds_with_the_matrix_product(bias, key, float64):
    dense = jn.Dense(4, 3, bias=bias, key=key)
    if bias:
        dense = eqx.tree_at(lambda m: m.bias, dense, jnp.asarray([1.0, -2.0, 0.5]))
    points = jax.random.normal(key, (20, 4))
    expected = np.asarray(points) @ np.asarray(dense.weights).T + ([1.0, -2.0, 0.5] if bias else 0)
    np.testing.assert_allclose(jax.vmap(dense.respond)(points), expected, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(jn.run(dense, points)[1], expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("gain", [1.0, 2.5])
def test_inputs_of_unit_variance_give_outputs_of_variance_gain_squared(gain, key):
    dense = jn.Dense(400, 500, gain=gain, key=key)
    # The variance of a sample of a normal distribution has a relative standard error of sqrt(2 / n).
    assert np.var(dense.weights) == pytest.approx(gain**2 / 400, rel=4 * (2 / dense.weights.size) ** 0.5)
    outputs = jax.vmap(dense.respond)(jax.random.normal(jax.random.key(1), (200, 400)))
    assert np.var(outputs) == pytest.approx(gain**2, rel=0.05)
    np.testing.assert_array_equal(dense.bias, 0)


def test_counts_its_parameters(key):
    assert jn.count_parameters(jn.Dense(7, 5, key=key)) == 7 * 5 + 5
    assert jn.count_parameters(jn.Dense(7, 5, bias=False, key=key)) == 7 * 5


@pytest.mark.parametrize(("inputs", "outputs"), [(0, 3), (3, 0), (-1, 2)])
def test_bad_sizes_are_refused(inputs, outputs, key):
    with pytest.raises(ValueError, match=f"Dense got inputs={inputs}, outputs={outputs}; both must be at least 1"):
        jn.Dense(inputs, outputs, key=key)
