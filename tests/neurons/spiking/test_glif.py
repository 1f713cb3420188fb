"""Generalised leaky neurons: recorded spike counts of all levels, theory of level 1, an adaptive solver, a loop."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import jaxneuro as jn
from jaxneuro.neurons.spiking import GLIF, glif

CURRENTS = (260.0, 300.0, 400.0)
# Spikes in 1 s at these currents (pA), steps of 0.01 ms, of a separate numpy program for the cell 490626718.
COUNTS = ((33, 63, 99), (14, 79, 139), (3, 18, 40), (3, 17, 39), (0, 12, 36))
LEAK, CAPACITANCE, DEPTH = 9.43, 58.72, 78.85 - 51.68


def test_spike_counts_of_all_levels_are_the_recorded_ones(float64):
    cells = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(glif(level, GLIF(dt_ms=0.01)) for level in range(1, 6)))

    def count(cell, current):
        return jn.run(cell, jnp.full(100_000, current))[1].sum()

    counts = jax.vmap(jax.vmap(count, (None, 0)), (0, None))(cells, jnp.asarray(CURRENTS))
    np.testing.assert_array_equal(counts, COUNTS)


def test_level_one_fires_at_the_rate_of_theory_above_rheobase(float64):
    assert pytest.approx(256.213, abs=1e-3) == LEAK * DEPTH
    currents = np.asarray(CURRENTS)
    expected = 3.75 + CAPACITANCE / LEAK * np.log(currents / (currents - LEAK * DEPTH))
    assert 1000 / expected == pytest.approx([33.24, 63.56, 98.80], abs=0.005)
    cell = glif(1, GLIF(dt_ms=0.01))
    for current, interval in zip(currents, expected, strict=True):
        _, spikes = jn.run(cell, jnp.full(20_000, current))
        on_grid = np.diff(np.flatnonzero(spikes)) * 0.01
        assert len(on_grid) > 4
        assert np.all((on_grid > interval - 1e-9) & (on_grid < interval + 0.0101))
    assert jn.run(cell, jnp.full(20_000, LEAK * DEPTH - 0.01))[1].sum() == 0


def test_levels_lack_what_they_lack_and_no_more():
    names = [field.name for field in dataclasses.fields(GLIF) if field.name != "spike"]
    lacking = [{name for name in names if getattr(glif(level), name) != getattr(GLIF(), name)} for level in range(1, 6)]
    resets = {"reset_fraction", "reset_shift_mv", "threshold_step_mv"}
    currents, coupling = {"slow_step_pa", "fast_step_pa"}, {"threshold_coupling_per_ms"}
    assert lacking == [resets | currents | coupling, currents | coupling, resets | coupling, coupling, set()]
    assert glif(2, GLIF(capacitance_pf=100.0)).capacitance_pf == 100
    with pytest.raises(ValueError, match=r"glif got level 6; levels are 1 to 5\."):
        glif(6)


def started(cell):
    """A cell in the middle of everything."""
    state = cell.init(jax.random.key(0))
    values = [jnp.asarray(value) for value in (-70.0, -40.0, -150.0, 2.0, 1.0, 0.0)]
    return jax.tree.unflatten(jax.tree.structure(state), values)


def solution(times, current):
    """The five equations by an adaptive solver."""

    def slopes(time, y):
        v, slow, fast, spike, voltage = y
        return [(current + slow + fast - LEAK * (v + 78.85)) / CAPACITANCE, -0.003 * slow, -0.1 * fast, -0.009 * spike,
                0.005 * (v + 78.85) - 0.09 * voltage]  # fmt: skip

    start = [-70.0, -40.0, -150.0, 2.0, 1.0]
    return solve_ivp(slopes, (0, times[-1]), start, method="DOP853", rtol=1e-12, atol=1e-12, t_eval=times).y


def test_between_spikes_it_solves_its_equations_to_second_order(float64):
    steps, counts = 1.6 / 2 ** np.arange(5), 10 * 2 ** np.arange(5)

    def course(dt):
        return jn.run(GLIF(dt_ms=dt), jnp.full(160, 150.0), state=started(GLIF()), observe=jax.tree.leaves)

    _, spikes, record = jax.vmap(course)(jnp.asarray(steps))
    assert spikes.sum() == 0
    # All of them have come to 16 ms.
    reached = np.stack(record[:5])[:, np.arange(5), counts - 1]
    errors = np.abs(reached - solution(np.asarray([16 * (1 - 1e-15)]), 150.0))
    # Currents and the spike's share of the threshold are exact.
    assert errors[1:4].max() < 1e-10
    for variable in (0, 4):
        assert np.polyfit(np.log(steps), np.log(errors[variable]), 1)[0] == pytest.approx(2, abs=0.15)
    assert errors[[0, 4], -1].max() < 2e-3


def test_as_a_flow_it_is_the_same_neuron(float64):
    cell = GLIF(dt_ms=0.05)
    currents = jnp.full(8000, 350.0)
    own, flow = jn.run(cell, currents), jn.run(jn.RungeKutta4(cell, dt_ms=0.05), currents)
    assert own[1].sum() > 8
    assert np.abs(np.flatnonzero(own[1]) - np.flatnonzero(flow[1])).max() <= 1
    np.testing.assert_allclose(jax.tree.leaves(own[0]), jax.tree.leaves(flow[0]), rtol=0, atol=0.5)


@pytest.mark.parametrize("decay", [0.0, 1.0])
def test_resets_and_rests_as_an_explicit_loop_does(decay, float64):
    currents = np.random.default_rng(0).normal(400, 500, 3000)
    cell = GLIF(refractory_ms=2.0, current_fraction=0.7, refractory_decay=decay, dt_ms=0.5)
    v, slow, fast, rise, pull, held, expected, fired = -78.85, 0.0, 0.0, 0.0, 0.0, 0, [], []
    for current in currents:
        spike = False
        if held:
            held -= 1
        else:
            mean_slow, mean_fast = slow * -np.expm1(-0.0015) / 0.0015, fast * -np.expm1(-0.05) / 0.05
            slow, fast, rise = slow * np.exp(-0.0015), fast * np.exp(-0.05), rise * np.exp(-0.0045)
            x, target = LEAK / CAPACITANCE * 0.5, -78.85 + (current + mean_slow + mean_fast) / LEAK
            mean = target + (v - target) * (1 - np.exp(-x)) / x
            v = target + (v - target) * np.exp(-x)
            pull = pull * np.exp(-0.045) + 0.005 * (mean + 78.85) * (1 - np.exp(-0.045)) / 0.09
            spike = v >= -51.68 + rise + pull
        if spike:
            v, held = -78.85 + 0.2 * (v + 78.85) + 18.51, 4
            slow = 0.7 * slow * np.exp(-0.003 * 2 * decay) - 9.18
            fast = 0.7 * fast * np.exp(-0.1 * 2 * decay) - 198.94
            rise = rise * np.exp(-0.009 * 2 * decay) + 0.37
        expected.append((v, slow, fast, rise, pull))
        fired.append(float(spike))
    _, spikes, record = jn.run(cell, jnp.asarray(currents), observe=jax.tree.leaves)
    assert sum(fired) > 50
    np.testing.assert_array_equal(spikes, fired)
    np.testing.assert_allclose(np.stack(record[:5], axis=1), expected, rtol=0, atol=1e-8)


def test_open_channels_and_jumps_reach_it(float64):
    cell = glif(1, GLIF(dt_ms=0.3))
    channels = jn.Conductance(jnp.full(50, 20.0), jnp.full(50, 20.0 * -60.0))
    _, _, voltages = jn.run(cell, channels, observe="voltage_mv")
    target, rate = (LEAK * -78.85 + 20 * -60) / (LEAK + 20), (LEAK + 20) / CAPACITANCE
    closed = target + (-78.85 - target) * np.exp(-rate * 0.3 * np.arange(1, 51))
    np.testing.assert_allclose(voltages, closed, rtol=1e-12)
    start = cell.init(jax.random.key(0))
    assert cell.step(start, jn.VoltageJump(jnp.asarray(60.0)))[1] == 1
    held = eqx.tree_at(lambda state: state.refractory_ms, start, jnp.asarray(2.0))
    assert cell.step(held, jn.VoltageJump(jnp.asarray(60.0)))[1] == 0
