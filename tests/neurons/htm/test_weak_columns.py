"""Weak columns against the permanences in the unit tests of the first spatial pooler, and against the plain form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.neurons.htm.proximal import connected_words
from jaxneuro.neurons.htm.weak_columns import plainly_strengthened, strengthened

POTENTIAL = [
    [1, 1, 1, 1, 0, 0, 0, 0],
    [1, 0, 0, 0, 1, 1, 0, 1],
    [0, 0, 1, 0, 1, 1, 1, 0],
    [1, 1, 1, 0, 0, 0, 1, 0],
    [1, 1, 1, 1, 1, 1, 1, 1],
]
BEFORE = [
    [0.200, 0.120, 0.090, 0.035, 0, 0, 0, 0],
    [0.150, 0, 0, 0, 0.180, 0.120, 0, 0.450],
    [0, 0, 0.074, 0, 0.062, 0.054, 0.110, 0],
    [0.051, 0, 0, 0, 0, 0, 0.178, 0],
    [0.100, 0.738, 0.085, 0.002, 0.052, 0.008, 0.208, 0.034],
]
AFTER = [
    [0.210, 0.130, 0.100, 0, 0, 0, 0, 0],
    [0.160, 0, 0, 0, 0.190, 0.130, 0, 0.460],
    [0, 0, 0.074, 0, 0.062, 0.054, 0.110, 0],
    [0.061, 0, 0, 0, 0, 0, 0.188, 0],
    [0.110, 0.748, 0.095, 0, 0.062, 0, 0.218, 0],
]


def test_potential_synapses_of_weak_columns_grow(float64):
    permanences, weak = jnp.asarray(BEFORE), jnp.asarray([True, True, False, True, True])
    connected, trim = jnp.asarray(0.1), jnp.asarray(0.05)
    words = connected_words(permanences, connected)
    found, words = strengthened(permanences, words, jnp.asarray(POTENTIAL, bool), weak, connected, trim)
    np.testing.assert_allclose(found, AFTER, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(words, connected_words(jnp.asarray(AFTER), connected))


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_any_number_of_weak_columns_and_their_derivatives_are_as_in_the_plain_form(share, float64):
    generator = np.random.default_rng(0)
    permanences = jnp.asarray(generator.uniform(size=(100, 20)))
    potential, weak = (jnp.asarray(generator.uniform(size=size) < p) for size, p in (((100, 20), 0.5), (100, share)))
    connected, trim = jnp.asarray(0.4), jnp.asarray(0.1)
    words = connected_words(permanences, connected)

    def total(form, permanences, connected):
        found, words_after = form(permanences, words, potential, weak, connected, trim)
        return jnp.sum(jnp.sin(found)), (found, words_after)

    gradients = [
        jax.value_and_grad(lambda p, c, form=form: total(form, p, c), argnums=(0, 1), has_aux=True)(
            permanences, connected
        )
        for form in (strengthened, plainly_strengthened)
    ]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=1e-12), *gradients)
    (_, (found, _)), _ = gradients[0]
    assert np.any(np.asarray(found) != np.asarray(permanences)) == (share > 0)
