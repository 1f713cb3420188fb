import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.networks import Fold, Total


def test_currents_are_folded_neuron_by_neuron_and_outputs_added_up():
    folded = Fold(3).respond(jnp.arange(6.0))
    np.testing.assert_array_equal(folded, [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(Total().respond(folded), [3, 12])
    np.testing.assert_array_equal(Total().respond(jnp.asarray([1.0, 2.0])), [1, 2])


def test_a_neuron_without_places_is_refused():
    with pytest.raises(ValueError, match="Fold got places=0; it must be at least 1"):
        Fold(0)
