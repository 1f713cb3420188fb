"""The alpha-function synapse against its response function."""

import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.synapses import Alpha
from tests.synapses.kinetics import DT, SPIKES, summed


@pytest.mark.parametrize(("value_at", "late"), [("start", 0.0), ("middle", DT / 2)])
def test_responses_add_up(value_at, late, float64):
    _, out = jn.run(Alpha(weight=2.5, tau_ms=4.0, dt_ms=DT, value_at=value_at), jnp.asarray(SPIKES))
    expected = summed(lambda t: 2.5 * (t + late) / 4 * np.exp(1 - (t + late) / 4))
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-12)


def test_peak_and_charge(float64):
    spike = jnp.zeros(20_000).at[0].set(1.0)
    _, peaked = jn.run(Alpha(weight=0.7, tau_ms=4.0, dt_ms=0.01), spike)
    assert int(np.argmax(peaked)) == 400
    assert float(peaked[400]) == pytest.approx(0.7, rel=1e-10)
    _, charged = jn.run(Alpha(weight=0.7, tau_ms=4.0, dt_ms=0.01, normalisation="charge"), spike)
    assert np.trapezoid(charged, dx=0.01) == pytest.approx(0.7, rel=1e-6)


def test_another_normalisation_is_refused():
    with pytest.raises((ValueError, TypeError), match="area"):
        Alpha(normalisation="area")
    with pytest.raises((ValueError, TypeError), match="value_at"):
        Alpha(value_at="end")
