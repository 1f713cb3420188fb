"""One-to-one synapses against the diagonal matrix that they are."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.synapses import OneToOne


@pytest.mark.parametrize("weights", [2.0, [1.0, -2.0, 0.5]])
def test_each_neuron_reaches_the_one_of_the_same_number(weights):
    x = np.array([3.0, 0.0, -4.0], np.float32)
    expected = np.diag(np.broadcast_to(weights, 3)) @ x
    np.testing.assert_allclose(OneToOne(weights).respond(jnp.asarray(x)), expected, rtol=1e-6)
