import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxneuro.search.adam import adam, no_moments


@pytest.mark.parametrize("scale", [0.01, 10.0])
def test_updates_are_those_of_optax(scale, float64):
    """With gradients below the bound, and above."""
    reference = optax.chain(optax.clip_by_global_norm(1.0), optax.scale_by_adam())
    model = {"a": jnp.zeros((3, 2)), "b": jnp.zeros(4)}
    moments, state, random = no_moments(model), reference.init(model), np.random.default_rng(0)
    ours = jax.jit(lambda slope, moments: adam(slope, moments, 1.0))
    with jax.numpy_dtype_promotion("standard"):  # Optax raises floats to integer powers
        theirs = jax.jit(reference.update)
        for _ in range(20):
            slope = jax.tree.map(lambda p: jnp.asarray(scale * random.normal(size=p.shape)), model)
            change, moments = ours(slope, moments)
            expected, state = theirs(slope, state)
            jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12), change, expected)
    assert int(moments.count) == 20


def test_the_first_update_goes_one_unit_against_every_slope():
    change, _ = adam({"a": jnp.asarray([0.3, -0.002])}, no_moments({"a": jnp.zeros(2)}), 1.0)
    np.testing.assert_allclose(change["a"], [1, -1], rtol=1e-4)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_no_number_is_not_hidden(bad):
    change, _ = adam({"a": jnp.asarray([bad, 1.0])}, no_moments({"a": jnp.zeros(2)}), 1.0)
    assert np.isnan(change["a"][0])
