"""The magnesium block against the numbers of its formula, and the conductance it leaves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.synapses import NMDA, ArrivingAt, Exponential

# 1 / (1 + e^(-0.062 V) / 3.57), computed by hand to five digits.
SHARES = {-80.0: 0.02442, -65.0: 0.05967, -40.0: 0.23016, 0.0: 0.78118}


@pytest.mark.parametrize(("voltage", "share"), SHARES.items())
def test_the_share_that_is_not_blocked(voltage, share, float64):
    found = float(NMDA().unblocked(jnp.asarray(voltage)))
    assert found == pytest.approx(share, abs=5e-6)
    assert found == pytest.approx(1 / (1 + np.exp(-0.062 * voltage) / 3.57), rel=1e-13)


def test_without_magnesium_nothing_is_blocked():
    unblocked = jax.value_and_grad(lambda m: NMDA(magnesium_mm=m).unblocked(jnp.asarray(-80.0)))(jnp.asarray(0.0))
    assert unblocked[0] == 1
    assert np.isfinite(unblocked[1])


def test_no_voltage_overflows():
    shares = NMDA().unblocked(jnp.asarray([-3e4, 3e4]))
    np.testing.assert_allclose(shares, [0, 1], atol=1e-6)
    assert np.isfinite(jax.vmap(jax.grad(NMDA().unblocked))(jnp.asarray([-3e4, 3e4]))).all()


def test_the_current_at_a_voltage(float64):
    synapse = NMDA(Exponential(weight=0.3, tau_ms=50.0, dt_ms=1.0), reversal_mv=5.0, magnesium_mm=2.0)
    voltages = np.asarray([-70.0, -20.0, 30.0])
    _, out = jn.run(synapse, ArrivingAt(jnp.asarray([1.0, 0.0, 2.0]), jnp.asarray(voltages)))
    open_ = 0.3 * np.asarray([1, np.exp(-1 / 50), np.exp(-2 / 50) + 2])
    expected = open_ / (1 + 2 / 3.57 * np.exp(-0.062 * voltages)) * (5 - voltages)
    np.testing.assert_allclose(out.driving - out.conductance * voltages, expected, rtol=1e-12)


def test_the_default_rises_and_decays_with_two_time_constants(float64):
    _, out = jn.run(NMDA(), ArrivingAt(jnp.zeros(2000).at[0].set(1.0), jnp.full(2000, 1e3)))
    # Peak of rise 2 ms and decay 100 ms: 200 / 98 ln 50 = 7.984 ms.
    assert int(np.argmax(out.conductance)) == 80
    assert float(out.conductance.max()) == pytest.approx(1, abs=1e-3)
