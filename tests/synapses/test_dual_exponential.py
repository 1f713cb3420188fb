"""The synapse of two time constants against the difference of exponentials, and its limit, the alpha function."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import jaxneuro as jn
from jaxneuro.synapses import DualExponential
from tests.synapses.kinetics import DT, SPIKES, summed


def difference(t, rise, decay):
    return np.exp(-t / decay) - np.exp(-t / rise)


@pytest.mark.parametrize(("value_at", "late"), [("start", 0.0), ("middle", DT / 2)])
@pytest.mark.parametrize(("rise", "decay"), [(1.5, 6.0), (0.02, 9.0), (2.0, 100.0)])
def test_responses_add_up_to_a_peak_of_one(rise, decay, value_at, late, float64):
    best = minimize_scalar(lambda t: -difference(t, rise, decay), bounds=(0, decay), options={"xatol": 1e-10})
    _, out = jn.run(DualExponential(2.5, rise, decay, DT, value_at=value_at), jnp.asarray(SPIKES))
    expected = summed(lambda t: 2.5 * difference(t + late, rise, decay) / -best.fun)
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-12 * 2.5 / 0.01)
    peak = DualExponential(1.0, rise, decay).peak_ms()
    assert float(peak) == pytest.approx(rise * decay / (decay - rise) * np.log(decay / rise), rel=1e-12)


def test_charge_is_the_integral_of_the_response(float64):
    _, out = jn.run(DualExponential(0.7, 1.5, 6.0, 0.01, "charge"), jnp.zeros(20_000).at[0].set(1.0))
    assert np.trapezoid(out, dx=0.01) == pytest.approx(0.7, rel=1e-5)
    np.testing.assert_allclose(out, 0.7 * difference(np.arange(20_000) * 0.01, 1.5, 6.0) / 4.5, rtol=0, atol=1e-13)


@pytest.mark.parametrize("normalisation", ["peak", "charge"])
def test_equal_time_constants_are_an_alpha_function_and_the_limit_is_smooth(normalisation, float64):
    def response(rise, decay):
        return jn.run(DualExponential(1.0, rise, decay, DT, normalisation), jnp.asarray(SPIKES))[1]

    height = np.e / 4 if normalisation == "peak" else 1 / 16
    equal = response(4.0, 4.0)
    np.testing.assert_allclose(equal, summed(lambda t: height * t * np.exp(-t / 4)), rtol=0, atol=1e-12)
    np.testing.assert_allclose(response(4.0, 4.0 + 1e-7), equal, rtol=0, atol=1e-6)
    slopes = jax.jacfwd(lambda rise, decay: response(rise, decay), argnums=(0, 1))(jnp.asarray(4.0), jnp.asarray(4.0))
    by_rise = (response(4.0 + 1e-5, 4.0) - response(4.0 - 1e-5, 4.0)) / 2e-5
    by_decay = (response(4.0, 4.0 + 1e-5) - response(4.0, 4.0 - 1e-5)) / 2e-5
    np.testing.assert_allclose(slopes[0], by_rise, rtol=0, atol=1e-8)
    np.testing.assert_allclose(slopes[1], by_decay, rtol=0, atol=1e-8)


def test_time_constants_can_be_exchanged(float64):
    one, other = (jn.run(DualExponential(1.0, *taus, DT), jnp.asarray(SPIKES))[1] for taus in ((1, 6), (6, 1)))
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


def test_another_normalisation_is_refused():
    with pytest.raises((ValueError, TypeError), match="area"):
        DualExponential(normalisation="area")
    with pytest.raises((ValueError, TypeError), match="value_at"):
        DualExponential(value_at="end")
