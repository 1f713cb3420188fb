"""The exponential synapse against its response function."""

import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.synapses import Exponential
from tests.synapses.kinetics import DT, SPIKES, summed


@pytest.mark.parametrize(("value_at", "late"), [("start", 0.0), ("middle", DT / 2)])
@pytest.mark.parametrize("executor", ["sequential", "parallel"])
def test_responses_add_up(executor, value_at, late, float64):
    synapse = Exponential(weight=2.5, tau_ms=4.0, dt_ms=DT, value_at=value_at)
    _, out = jn.run(synapse, jnp.asarray(SPIKES), executor=executor)
    np.testing.assert_allclose(out, summed(lambda t: 2.5 * np.exp(-(t + late) / 4)), rtol=0, atol=1e-12)


def test_charge_is_the_integral_of_the_response(float64):
    synapse = Exponential(weight=0.7, tau_ms=4.0, dt_ms=0.01, normalisation="charge")
    _, out = jn.run(synapse, jnp.zeros(20_000).at[0].set(1.0))
    assert float(out[0]) == pytest.approx(0.7 / 4, rel=1e-12)
    assert np.trapezoid(out, dx=0.01) == pytest.approx(0.7, rel=1e-6)


def test_another_normalisation_is_refused():
    with pytest.raises((ValueError, TypeError), match="area"):
        Exponential(normalisation="area")
    with pytest.raises((ValueError, TypeError), match="value_at"):
        Exponential(value_at="end")
