"""Channels: gates against plain NumPy, written from the papers' formulas with their poles, away from them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

VOLTAGES = np.linspace(-93.7, 41.3, 28)


def alpha_beta(alpha, beta):
    return alpha + beta, alpha / (alpha + beta)


def squid_sodium(v):
    m = alpha_beta(0.1 * (v + 40) / (1 - np.exp(-(v + 40) / 10)), 4 * np.exp(-(v + 65) / 18))
    return m, alpha_beta(0.07 * np.exp(-(v + 65) / 20), 1 / (1 + np.exp(-(v + 35) / 10)))


def squid_potassium(v):
    return (alpha_beta(0.01 * (v + 55) / (1 - np.exp(-(v + 55) / 10)), 0.125 * np.exp(-(v + 65) / 80)),)


def pyramidal_sodium(v):
    v = v + 63
    m = alpha_beta(0.32 * (13 - v) / (np.exp((13 - v) / 4) - 1), 0.28 * (v - 40) / (np.exp((v - 40) / 5) - 1))
    return m, alpha_beta(0.128 * np.exp((17 - v) / 18), 4 / (1 + np.exp((40 - v) / 5)))


def pyramidal_potassium(v):
    v = v + 63
    return (alpha_beta(0.032 * (15 - v) / (np.exp((15 - v) / 5) - 1), 0.5 * np.exp((10 - v) / 40)),)


def m_current(v):
    tau = 1000 / (3.3 * np.exp((v + 35) / 20) + np.exp(-(v + 35) / 20))
    return ((1 / tau, 1 / (1 + np.exp(-(v + 35) / 10))),)


def a_current(v):
    a = (0.0761 * np.exp(0.0314 * (v + 94.22)) / (1 + np.exp(0.0346 * (v + 1.17)))) ** (1 / 3)
    b = (1 / (1 + np.exp(0.0688 * (v + 53.3)))) ** 4
    tau_a = 0.3632 + 1.158 / (1 + np.exp(0.0497 * (v + 55.96)))
    return (1 / tau_a, a), (1 / (1.24 + 2.678 / (1 + np.exp(0.0624 * (v + 50)))), b)


CHANNELS = {
    "SquidSodium": (jn.spiking.SquidSodium(), squid_sodium, 3),
    "SquidPotassium": (jn.spiking.SquidPotassium(), squid_potassium, 4),
    "PyramidalSodium": (jn.spiking.PyramidalSodium(), pyramidal_sodium, 3),
    "PyramidalPotassium": (jn.spiking.PyramidalPotassium(), pyramidal_potassium, 4),
    "MCurrent": (jn.spiking.MCurrent(), m_current, 1),
    "ACurrent": (jn.spiking.ACurrent(), a_current, 3),
}
POLES = (-55.0, -50.0, -48.0, -40.0, -23.0)


@pytest.mark.parametrize("name", CHANNELS)
def test_gates_move_as_the_formulas_say(name, float64):
    channel, formulas, power = CHANNELS[name]
    channel = jn.cast(channel, jnp.float64)
    rates, targets = jax.vmap(channel.kinetics)(jnp.asarray(VOLTAGES))
    expected = formulas(VOLTAGES)
    for found, which in ((rates, 0), (targets, 1)):
        np.testing.assert_allclose(jax.tree.leaves(found), [gate[which] for gate in expected], rtol=1e-6)
    for target in jax.tree.leaves(targets):
        assert ((target >= 0) & (target <= 1)).all() or name == "ACurrent"
    opened = expected[0][1] ** power * (expected[1][1] if len(expected) > 1 else 1)
    conductance = np.asarray(jax.vmap(channel.conductance)(targets))
    np.testing.assert_allclose(conductance, float(channel.conductance_ms_per_cm2) * opened, rtol=1e-6)


@pytest.mark.parametrize("name", CHANNELS)
def test_rates_and_their_gradients_are_finite_at_the_poles(name):
    def kinetics(v):
        return jnp.stack(jax.tree.leaves(CHANNELS[name][0].kinetics(v)))

    values, slopes = jax.jit(jax.vmap(lambda v: (kinetics(v), jax.jacrev(kinetics)(v))))(jnp.asarray(POLES))
    assert np.isfinite(values).all()
    assert np.isfinite(slopes).all()


def test_speed_is_a_factor_of_all_rates_and_of_no_target(float64):
    for kind in (jn.spiking.SquidSodium, jn.spiking.SquidPotassium):
        slow, fast = (kind(speed=speed).kinetics(jnp.asarray(-47.0)) for speed in (1.0, 3.0))
        np.testing.assert_allclose(jax.tree.leaves(fast[0]), 3 * np.array(jax.tree.leaves(slow[0])), rtol=1e-12)
        np.testing.assert_allclose(jax.tree.leaves(fast[1]), jax.tree.leaves(slow[1]), rtol=1e-12)


def test_a_leak_has_no_gates():
    rates, targets = jn.spiking.Leak().kinetics(jnp.asarray(-60.0))
    assert jax.tree.leaves((rates, targets)) == []
    assert jn.spiking.Leak().conductance(targets) == np.float32(0.3)
