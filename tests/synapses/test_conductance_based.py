"""Channels with a reversal potential, and the membrane they pull."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import jaxneuro as jn
from jaxneuro.synapses import Alpha, ConductanceBased, DualExponential, Exponential


def test_puts_out_the_kinetics_and_their_driving_current():
    _, out = jn.run(ConductanceBased(Exponential(weight=0.3, tau_ms=5.0, dt_ms=1.0), -80.0), jnp.asarray([1.0, 0.0]))
    np.testing.assert_allclose(out.conductance, [0.3, 0.3 * np.exp(-0.2)], rtol=1e-6)
    np.testing.assert_allclose(out.driving, -80 * np.asarray(out.conductance), rtol=1e-6)


def test_a_population_of_kinetics_serves_a_neuron_each():
    kinetics = jn.Population(Exponential(dt_ms=1.0), 3, shared=True)
    synapse = ConductanceBased(kinetics, reversal_mv=10.0)
    _, out = synapse.step(synapse.init(jax.random.key(0)), jnp.asarray([0.0, 1.0, 2.0]))
    np.testing.assert_allclose(out.driving, [0, 10, 20])


KINETICS = {
    "exponential": (functools.partial(Exponential, tau_ms=5.0), lambda t: np.exp(-t / 5)),
    "alpha": (functools.partial(Alpha, tau_ms=2.0), lambda t: t / 2 * np.exp(1 - t / 2)),
    "dual": (
        functools.partial(DualExponential, tau_rise_ms=1.0, tau_decay_ms=4.0),
        lambda t: (np.exp(-t / 4) - np.exp(-t)) / (0.25 ** (1 / 3) - 0.25 ** (4 / 3)),
    ),
}


@pytest.mark.parametrize(
    ("name", "value_at", "order", "error_mv"),
    [("exponential", "start", 1, 0.1)] + [(name, "middle", 2, 1e-3) for name in KINETICS],
)
def test_a_membrane_follows_the_equation(name, value_at, order, error_mv, float64):
    kinetics, response = KINETICS[name]

    # tau V' = -(V - E_L) + R g(t) (E - V), with g held over steps of dt.
    def voltage(dt):
        synapse = ConductanceBased(kinetics(weight=0.05, dt_ms=dt, value_at=value_at), reversal_mv=0.0)
        cell = jn.LIF(tau_ms=20.0, resistance_mohm=40.0, rest_mv=-70.0, threshold_mv=50.0, reset_mv=-70.0, dt_ms=dt)
        spikes = jnp.zeros(round(10 / dt)).at[0].set(1.0)
        return float(jn.run(jn.Chain(synapse, cell), spikes)[0].states[1].voltage_mv)

    def slope(t, v):
        return (-(v + 70) - 40 * 0.05 * response(t) * v) / 20

    expected = solve_ivp(slope, (0, 10), [-70.0], rtol=1e-11, atol=1e-11).y[0, -1]
    coarse, fine = abs(voltage(0.1) - expected), abs(voltage(0.05) - expected)
    assert expected > -60
    assert fine < error_mv
    np.testing.assert_allclose(coarse / fine, 2**order, rtol=0.03)
