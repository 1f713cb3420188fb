"""Event mode: spike times and their gradients against converged solutions, quadrature and finite differences."""

import dataclasses
import itertools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

import jaxneuro as jn
from tests.neurons.spiking import squid

pytestmark = pytest.mark.slow
CONVERGED = {name: np.array(times) for name, times in json.loads(squid.FILE.read_text())["spikes_ms"].items()}
# C pF, g_L nS, E_L, V_T, Delta_T mV, a nS, tau_w ms, b pA, V_r mV; current pA: Naud et al. 2008, Biological Cybernetics
# 99:335, table 1, with the shifts of Brian's example of these patterns. The spike is where V is 0 mV.
PATTERNS = {
    "tonic": ((200.0, 10.0, -70.0, -50.0, 2.0, 2.0, 30.0, 0.0, -58.0), 500.0),
    "adaptation": ((200.0, 12.0, -70.0, -50.0, 2.0, 2.0, 300.0, 60.0, -58.0), 500.0),
    "initial burst": ((130.0, 18.0, -58.0, -50.0, 2.0, 4.0, 150.0, 120.0, -50.0), 400.0),
}


NAMES = (
    "capacitance_pf", "leak_ns", "rest_mv", "threshold_mv", "slope_mv", "coupling_ns", "tau_adaptation_ms",
    "increment_pa", "reset_mv",
)  # fmt: skip


def cell(numbers):
    return jn.spiking.AdEx(**dict(zip(NAMES, numbers, strict=True)), peak_mv=0.0)


def adaptive(name):
    numbers, current = PATTERNS[name]
    return cell(numbers), current


def times(output, dt):
    steps = np.flatnonzero(output.spike)
    return steps * dt + np.asarray(output.offset_ms)[steps]


def solved(name, span):
    """Spikes of a pattern by a solver that is started anew after each."""
    (c, g, e, t, d, a, tau, b, r), current = PATTERNS[name]

    def slope(time, y):
        return [(g * (e - y[0] + d * np.exp((y[0] - t) / d)) - y[1] + current) / c, (a * (y[0] - e) - y[1]) / tau]

    def spike(time, y):
        return y[0]

    spike.terminal, spike.direction = True, 1
    now, y, found = 0.0, [e, 0.0], []
    while now < span:
        solution = solve_ivp(slope, (now, span), y, method="DOP853", rtol=1e-12, atol=1e-12, events=spike)
        now, y = solution.t[-1], [r, solution.y[1, -1] + b]
        if solution.t_events[0].size:
            found.append(now)
    return np.array(found)


@pytest.mark.parametrize("dt", [0.1, pytest.param(1.0, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", PATTERNS)
def test_spikes_of_an_exponential_neuron_are_the_converged_ones_whatever_the_step(name, dt, float64):
    flow, current = adaptive(name)
    expected = solved(name, 150)
    _, output = jn.run(jn.Located(flow, dt_ms=dt), jnp.full(round(150 / dt), current))
    assert len(expected) >= 4
    np.testing.assert_allclose(times(output, dt), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("celsius", [6.3, 18.5])
def test_spikes_of_the_squid_membrane_are_the_converged_ones(celsius, float64):
    names = [name for name, (_, own) in squid.PROTOCOLS.items() if own == celsius and name != "two_tone"]
    flow = jn.spiking.HodgkinHuxley(leak_mv=squid.LEAK_MV, temperature_celsius=celsius)
    start, v = flow.init(jax.random.key(0)), jnp.asarray(squid.START_MV)
    start, dt = dataclasses.replace(start, gates=flow.steady(v), voltage_mv=v), 0.5
    machine = jn.Located(flow, dt_ms=dt)
    currents = jnp.asarray(np.stack([squid.current(name, (np.arange(400) + 0.5) * dt) for name in names]))
    outputs = jax.vmap(lambda currents: jn.run(machine, currents, state=start)[1])(currents)
    for i, name in enumerate(names):
        found = times(jax.tree.map(lambda leaf, i=i: leaf[i], outputs), dt)
        found = found[found < squid.PROTOCOLS[name][0][-1][1]]
        np.testing.assert_allclose(found, CONVERGED[name], rtol=0, atol=1e-6, err_msg=name)


def spike_time(flow, current, steps, number, dt=0.5):
    """When a spike comes, as a function to differentiate."""
    _, output = jn.run(jn.Located(flow, dt_ms=dt, digits=12.0), jnp.full(steps, current))
    step = jnp.nonzero(output.spike, size=number)[0][-1]
    return step.astype(float) * dt + output.offset_ms[step]


FIRST = jax.jit(jax.value_and_grad(lambda flow, current: spike_time(flow, current, 500, 1), argnums=1))


@pytest.mark.parametrize("above_rheobase", [5.0, 20.0, 400.0])
def test_the_first_spike_and_its_gradient_are_integrals_over_the_voltage(above_rheobase, float64):
    # Without adaptation t = integral of dV / V', and d t / d I = - integral of dV / (C V'^2), from rest to 0 mV.
    c, g, e, t, d = 200.0, 10.0, -70.0, -50.0, 2.0
    current = g * (t - e - d) + above_rheobase

    def slope(v):
        return (g * (e - v + d * np.exp((v - t) / d)) + current) / c

    def integral(power):
        pieces = itertools.pairwise([-70, -60, -55, -52, -50, -48, -44, -30, 0])
        return sum(quad(lambda v: slope(v) ** power, *pair, epsabs=0, epsrel=1e-12)[0] for pair in pieces)

    flow = cell([c, g, e, t, d, 0.0, 30.0, 0.0, -58.0])
    found, by_current = FIRST(flow, jnp.asarray(current))
    assert found == pytest.approx(integral(-1), abs=1e-8)
    assert by_current == pytest.approx(-integral(-2) / c, rel=1e-8)


@pytest.mark.parametrize("differentiate", [jax.grad, pytest.param(jax.jacfwd, marks=pytest.mark.slow)])
def test_gradients_of_a_later_spike_are_those_of_finite_differences(differentiate, float64):
    numbers, current = PATTERNS["adaptation"]

    @jax.jit
    def fourth(numbers):
        return spike_time(cell(numbers), jnp.asarray(current), 300, 4)

    numbers = np.asarray(numbers)
    offsets = 1e-5 * np.eye(9)
    expected = [(fourth(numbers + offset) - fourth(numbers - offset)) / 2e-5 for offset in offsets]
    np.testing.assert_allclose(jax.jit(differentiate(fourth))(jnp.asarray(numbers)), expected, rtol=1e-5, atol=1e-6)


def test_a_jump_over_the_threshold_spikes_at_once(float64):
    flow = jn.spiking.HodgkinHuxley()
    jumps = jn.VoltageJump(jnp.zeros(10).at[3].set(80.0))
    _, output = jn.run(jn.Located(flow, dt_ms=0.25), jumps)
    assert np.flatnonzero(output.spike).tolist() == [3]
    assert output.offset_ms[3] == 0


def test_numbers_that_are_none_end(float64):
    state, output = jn.run(jn.Located(adaptive("tonic")[0]), jnp.asarray([500.0, np.nan, 500.0]))
    assert output.spike.sum() == 0
    assert state.voltage_mv.shape == ()


def test_single_precision_locates_to_its_own_rounding():
    flow, current = adaptive("tonic")
    _, output = jn.run(jn.Located(flow, dt_ms=0.5), jnp.full(60, current))
    assert output.offset_ms.dtype == jnp.float32
    np.testing.assert_allclose(times(output, 0.5), solved("tonic", 30), rtol=0, atol=1e-3)
