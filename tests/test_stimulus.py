"""Currents, conductances and jumps of the voltage are told apart."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.stimulus import current_alone


def lif(**changes):
    return jn.LIF(tau_ms=10.0, resistance_mohm=2.0, rest_mv=-70.0, reset_mv=-70.0, threshold_mv=-50.0, **changes)


def first(machine, input):
    state = machine.init(jax.random.key(0))
    return machine.step(state, input)


def test_a_jump_comes_before_the_step(float64):
    state, spike = first(lif(), jn.VoltageJump(jnp.asarray(5.0)))
    assert float(state.voltage_mv) == pytest.approx(-70 + 5 * np.exp(-0.01), abs=1e-12)
    assert spike == 0
    assert first(lif(), jn.VoltageJump(jnp.asarray(20.3)))[1] == 1


def test_a_jump_is_lost_on_a_refractory_cell():
    cell = lif()
    state, _ = first(cell, jn.VoltageJump(jnp.asarray(25.0)))
    after, _ = cell.step(state, jn.VoltageJump(jnp.asarray(10.0)))
    assert after.voltage_mv == state.voltage_mv == -70


def test_channels_pull_towards_their_reversal_potential_at_the_closed_forms_rate(float64):
    g, reversal, current = 0.3, 0.0, 0.7
    input = jn.Stimulus(
        current=jnp.asarray(current), channels=jn.Conductance(jnp.asarray(g), jnp.asarray(g * reversal))
    )
    cell = lif(dt_ms=1.5)
    target = (-70 + 2 * (current + g * reversal)) / (1 + 2 * g)
    expected = target + (-70 - target) * np.exp(-1.5 * (1 + 2 * g) / 10)
    assert float(first(cell, input)[0].voltage_mv) == pytest.approx(expected, abs=1e-12)
    fine, state = jn.RungeKutta4(cell, dt_ms=0.01), cell.init(jax.random.key(0))
    for _ in range(150):
        state, _ = fine.step(state, input)
    assert float(state.voltage_mv) == pytest.approx(expected, abs=1e-9)


def test_a_jump_counts_under_any_integrator(float64):
    state, _ = first(jn.RungeKutta4(lif(), dt_ms=0.1), jn.VoltageJump(jnp.asarray(5.0)))
    assert float(state.voltage_mv) == pytest.approx(-70 + 5 * np.exp(-0.01), abs=1e-9)


def test_they_cannot_be_added():
    back = jn.Dense(1, 1, key=jax.random.key(0))
    network = jn.Feedback(jn.Population(lif(), 1, shared=True), back, jnp.zeros(1))
    with pytest.raises(ValueError, match="VoltageJump"):
        network.step(network.init(jax.random.key(0)), jn.VoltageJump(jnp.ones(1)))


@pytest.mark.parametrize(
    ("input", "came"),
    [
        (jn.VoltageJump(jnp.ones(())), "a jump of the voltage"),
        (jn.Conductance(jnp.ones(()), jnp.ones(())), "a conductance"),
        (jn.Stimulus(jnp.ones(()), jump=jn.VoltageJump(jnp.ones(()))), "a jump of the voltage"),
    ],
)
def test_a_neuron_without_use_for_it_says_so(input, came):
    with pytest.raises(TypeError, match=f"Rate got {came}"):
        current_alone(input, "Rate")
    assert current_alone(jnp.asarray(2.0), "Rate") == 2
