"""Receptors side by side, and a population with excitation and inhibition against a plain loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.synapses import ConductanceBased, Delta, Exponential, Receptors, Sparse
from jaxneuro.synapses.receptors import joined


def test_kinds_add_up_each_with_its_own():
    channels = jn.Conductance(jnp.asarray(2.0), jnp.asarray(-3.0))
    total = joined(joined(jnp.asarray(1.0), channels), jn.Stimulus(jnp.asarray(4.0), channels=channels))
    total = joined(total, jn.VoltageJump(jnp.asarray(0.5)))
    assert (total.current, total.jump.mv) == (5.0, 0.5)
    assert (total.channels.conductance, total.channels.driving) == (4.0, -6.0)
    assert joined(jn.Stimulus(), jnp.asarray(1.0)).jump is None


def test_a_population_with_excitation_and_inhibition_equals_a_plain_loop(float64):
    inputs, neurons, steps, dt = 12, 5, 300, 0.2
    keys = jax.random.split(jax.random.key(0), 2)
    exciting, inhibiting = (Sparse(inputs, neurons, fan_out=3, weight=w, key=k) for w, k in zip((4.0, 9.0), keys))  # noqa: B905
    receptors = Receptors(
        *(
            jn.Chain(
                sparse, ConductanceBased(jn.Population(Exponential(0.004, tau, dt), neurons, shared=True), reversal)
            )
            for sparse, tau, reversal in ((exciting, 5.0, 0.0), (inhibiting, 10.0, -80.0))
        )
    )
    cell = jn.LIF(20.0, 100.0, -60.0, -50.0, -60.0, refractory_ms=5.0, dt_ms=dt)
    network = jn.Chain(receptors, jn.Population(cell, neurons, shared=True))
    trains = np.random.default_rng(0).uniform(size=(2, steps, inputs)) < [[[0.05]], [[0.02]]]
    _, fired = jn.run(network, tuple(jnp.asarray(train, jnp.float64) for train in trains))

    weights = [0.004 * np.asarray(sparse.matrix()) for sparse in (exciting, inhibiting)]
    opened, voltage, refractory = np.zeros((2, neurons)), np.full(neurons, -60.0), np.zeros(neurons, int)
    expected = np.zeros((steps, neurons))
    for now in range(steps):
        for k, tau in enumerate((5.0, 10.0)):
            opened[k] = opened[k] * np.exp(-dt / tau) + weights[k] @ trains[k, now]
        slope = 1 + 100 * opened.sum(0)
        target = (-60 + 100 * opened[1] * -80) / slope
        free = refractory == 0
        voltage = np.where(free, target + (voltage - target) * np.exp(-dt * slope / 20), voltage)
        refractory = np.maximum(refractory - 1, 0)
        expected[now] = free & (voltage >= -50)
        voltage = np.where(expected[now] > 0, -60, voltage)
        refractory = np.where(expected[now] > 0, 25, refractory)
    assert expected.sum() > 10
    np.testing.assert_array_equal(fired, expected)


def test_a_wrong_number_of_inputs_is_told():
    receptors = Receptors(Delta(), Delta())
    with pytest.raises(ValueError, match="Receptors of 2 machines got 1 inputs"):
        receptors.step(receptors.init(jax.random.key(0)), (jnp.ones(()),))
    with pytest.raises(ValueError, match="Receptors got no machines"):
        Receptors()
