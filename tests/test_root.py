"""Roots: values and gradients against SciPy and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

from jaxneuro.root import root

FUNCTIONS = {
    "cubic": (lambda x: x**3 - 2, 0.0, 3.0),
    "steep": (lambda x: jnp.exp(20 * x) - 5, -10.0, 10.0),
    "flat": (lambda x: jnp.tanh(50 * (x - 0.9)), -1.0, 1.0),
    "at an end": (lambda x: x - 1, 0.0, 1.0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_root_is_the_one_another_method_finds(name, dtype, float64):
    function, low, high = FUNCTIONS[name]
    found = jax.jit(lambda low, high: root(function, low, high))(jnp.asarray(low, dtype), jnp.asarray(high, dtype))
    assert found.dtype == dtype
    expected = brentq(lambda x: float(function(jnp.asarray(x))), low, high + 1e-9, xtol=1e-15)
    assert found == pytest.approx(expected, rel=1e-12 if dtype == "float64" else 1e-6)


@pytest.mark.parametrize("differentiate", [jax.jacfwd, jax.jacrev])
def test_the_gradient_is_that_of_the_inverse_function_under_vmap_too(differentiate, float64):
    def cube_root(a):
        return root(lambda x: x**3 - a, jnp.asarray(0.0), jnp.asarray(10.0))

    a = np.array([0.5, 2.0, 700.0])
    np.testing.assert_allclose(jax.vmap(cube_root)(jnp.asarray(a)), np.cbrt(a), rtol=1e-12)
    slopes = jax.jit(jax.vmap(differentiate(cube_root)))(jnp.asarray(a))
    np.testing.assert_allclose(slopes, np.cbrt(a) / (3 * a), rtol=1e-12)


def test_without_a_change_of_sign_it_ends_with_a_number():
    found = root(lambda x: x + 5, jnp.asarray(0.0), jnp.asarray(1.0))
    assert np.isfinite(found)
