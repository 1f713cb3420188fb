"""The steps against a loop, their gradient against the one that the paper declares."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.conversion import ClippedSteps


@pytest.mark.parametrize(("ceiling", "levels"), [(1.0, 4.0), (2.5, 1.0), (0.75, 8.0)])
@pytest.mark.usefixtures("float64")
def test_the_steps_are_those_of_a_loop(ceiling, levels):
    inputs = np.linspace(-1.5, 4.0, 111) + 1e-3
    found = ClippedSteps(ceiling, levels).respond(jnp.asarray(inputs))
    expected = [ceiling * min(max(math.floor(x * levels / ceiling + 0.5) / levels, 0), 1) for x in inputs]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.usefixtures("float64")
def test_the_gradient_goes_straight_through_the_steps():
    # Bu et al. 2022, eq. 15 and 16: dh/dx = 1 for -lambda/2L <= x < lambda - lambda/2L, else 0;
    # dh/dlambda = (h - x) / lambda there, 1 above.
    steps = ClippedSteps(2.0, 4.0)
    inputs = jnp.asarray([-0.3, -0.2, 0.1, 0.7, 1.6, 1.8, 5.0])
    slopes = jax.vmap(jax.grad(lambda x: steps.respond(x)))(inputs)
    np.testing.assert_array_equal(slopes, [0, 1, 1, 1, 1, 0, 0])
    by_ceiling = jax.vmap(lambda x: jax.grad(lambda m: m.respond(x))(steps).ceiling)(inputs)
    answers = steps.respond(inputs)
    inside = (answers - inputs) / 2.0
    np.testing.assert_allclose(by_ceiling, [0, *inside[1:5], 1, 1], atol=1e-12)


def test_the_ramp_is_what_the_steps_are_on_the_mean():
    ramp = ClippedSteps(2.0, 4.0, rounding=0.0).respond(jnp.asarray([-1.0, 0.0, 1.0, 1.9, 3.0]))
    np.testing.assert_allclose(ramp, [0.0, 0.25, 1.25, 2.0, 2.0])
