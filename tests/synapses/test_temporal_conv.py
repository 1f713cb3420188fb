"""Convolution over time against SciPy's, step by step and all at once, and what it can see."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import lfilter

import jaxneuro as jn

TemporalConv = jn.synapses.TemporalConv


@pytest.mark.parametrize("executor", ["sequential", "parallel"])
@pytest.mark.parametrize("size", [1, 4])
def test_is_a_sum_of_filters(size, executor, key, float64):
    layer = TemporalConv(3, 2, size=size, key=key)
    inputs = np.random.default_rng(0).normal(size=(20, 3))
    # SciPy's filters start with the present.
    taps = np.asarray(layer.weights)[::-1]
    expected = [sum(lfilter(taps[:, i, o], [1], inputs[:, i]) for i in range(3)) for o in range(2)]
    state, outputs = jn.run(layer, jnp.asarray(inputs), executor=executor)
    np.testing.assert_allclose(outputs, np.stack(expected, -1), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(state.past, inputs[len(inputs) - size + 1 :])


def test_layers_see_as_far_as_their_sizes_add_up_to(key):
    network = jn.Chain(TemporalConv(1, 2, size=3, key=key), TemporalConv(2, 1, size=4, key=key))
    seen = jax.jacobian(lambda x: jn.run(network, x)[1][-1, 0])(jnp.ones((12, 1)))[:, 0]
    np.testing.assert_array_equal(np.asarray(seen) != 0, np.arange(12) >= 12 - 6)


def test_the_number_of_parameters(key):
    assert jn.count_parameters(TemporalConv(5, 3, size=4, key=key)) == 3 * (4 * 5 + 1)


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="TemporalConv got inputs=1, outputs=1, size=0; all must be at least 1"):
        TemporalConv(1, 1, size=0, key=key)
