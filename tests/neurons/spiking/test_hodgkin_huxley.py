"""The squid membrane: spikes of six protocols, rest, rates, thresholds and Hopf points, each against an outside number.

Converged spike times are those of tests/neurons/spiking/squid.py; the peers' figures beside which they stand, and the
counts and rates under constant current, come from the project's measurements with fourth-order Runge-Kutta at 0.02 ms.
"""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from scipy.optimize import brentq

import jaxneuro as jn
from tests.neurons.spiking import squid

CONVERGED = {name: np.array(times) for name, times in json.loads(squid.FILE.read_text())["spikes_ms"].items()}
LONGEST_MS = 200
# Largest error of a spike time (ms) with the default step. NEURON, Jaxley and Arbor have 0.15 to 0.16 on step10.
LIMITS = {"step10": 0.02, "pulse": 0.02, "rebound": 0.02, "two_tone": 0.02, "near_rheobase": 0.1, "warm": 0.25}
DRIVES = np.array([2.24, 2.5, 6.2, 6.25, 6.3, 7.0, 10.0, 20.0, 50.0])


def started(flow, voltage_mv):
    """The state after a long time at a voltage."""
    state = flow.init(jax.random.key(0))
    voltage = jnp.asarray(voltage_mv, state.voltage_mv.dtype)
    return dataclasses.replace(state, gates=flow.steady(voltage), voltage_mv=voltage)


def protocol_spikes(integrator, dt, names=tuple(squid.PROTOCOLS)):
    """Interpolated spike times and the spikes put out, for several protocols in one program."""
    middles = (np.arange(round(LONGEST_MS / dt)) + 0.5) * dt
    currents = jnp.asarray(np.stack([squid.current(name, middles) for name in names]), jnp.result_type(float))

    @jax.vmap
    def voltages(currents, celsius):
        flow = jn.spiking.HodgkinHuxley(leak_mv=squid.LEAK_MV, temperature_celsius=celsius)
        state = started(flow, squid.START_MV)
        return jn.run(integrator(flow, dt_ms=dt), currents, state=state, observe="voltage_mv")[1:]

    spikes, voltage = voltages(currents, jnp.asarray([squid.PROTOCOLS[name][1] for name in names]))
    ends = [squid.PROTOCOLS[name][0][-1][1] for name in names]
    times = [jn.measure.crossing_times(v, 0.0, dt) for v in voltage]
    counts = [int(s[: round(end / dt)].sum()) for s, end in zip(spikes, ends, strict=True)]
    return {n: t[t <= e] for n, t, e in zip(names, times, ends, strict=True)}, dict(zip(names, counts, strict=True))


def check_protocols(dt, limits):
    times, counts = protocol_spikes(jn.SplitExponentialEuler, dt)
    assert counts == {name: len(found) for name, found in CONVERGED.items()}
    for name, limit in limits.items():
        np.testing.assert_allclose(times[name], CONVERGED[name], rtol=0, atol=limit, err_msg=name)


def test_every_spike_of_six_protocols_comes_in_time_with_the_default_step(float64):
    assert float(jn.SplitExponentialEuler(jn.spiking.HodgkinHuxley()).dt_ms) == 0.025
    check_protocols(0.025, LIMITS)


@pytest.mark.slow
def test_single_precision_keeps_the_same_spike_times():
    check_protocols(0.025, LIMITS)


@pytest.mark.slow
def test_the_references_are_those_of_the_equations():
    for name, times in CONVERGED.items():
        np.testing.assert_allclose(squid.solve(*squid.PROTOCOLS[name])[0], times, rtol=0, atol=1e-8)
    # Numbers handed down to be checked by hand.
    np.testing.assert_allclose(CONVERGED["step10"], [6.896665, 21.803870, 36.439014], atol=1e-6)
    assert CONVERGED["pulse"] == pytest.approx(6.457850, abs=1e-6)
    assert CONVERGED["rebound"] == pytest.approx(40.698447, abs=1e-6)


@pytest.mark.parametrize(
    ("integrator", "nominal", "steps"),
    [(jn.RungeKutta4, 4, 0.04 / 2 ** np.arange(4)), (jn.ExponentialEuler, 1, 0.01 / 2 ** np.arange(4))],
)
def test_the_order_of_convergence_is_the_nominal_one(integrator, nominal, steps, float64):
    # The voltage after 4 ms of 20 uA/cm2, which hold a whole spike.
    expected = squid.solve([(0, 4, 20.0)], leak_mv=-54.387)[1][0]
    flow, counts = jn.spiking.HodgkinHuxley(), np.round(4 / steps).astype(int)
    inputs, state = jnp.full(counts.max(), 20.0), started(flow, squid.START_MV)
    voltages = jax.vmap(lambda dt: jn.run(integrator(flow, dt_ms=dt), inputs, state=state, observe="voltage_mv")[2])(
        jnp.asarray(steps)
    )
    errors = np.abs(voltages[np.arange(len(steps)), counts - 1] - expected)
    assert np.polyfit(np.log(steps), np.log(errors), 1)[0] == pytest.approx(nominal, abs=0.2)


@pytest.mark.slow
def test_spike_times_of_gates_first_then_voltage_converge_with_order_two(float64):
    steps = [0.05, 0.025, 0.0125]
    errors = [
        np.abs(protocol_spikes(jn.SplitExponentialEuler, dt, ("step10",))[0]["step10"] - CONVERGED["step10"]).max()
        for dt in steps
    ]
    assert np.polyfit(np.log(steps), np.log(errors), 1)[0] == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize("leak_mv", [-54.387, -54.3, -50.0])
def test_the_initial_state_is_the_rest_of_the_parameters_own_equations(leak_mv, float64):
    flow = jn.spiking.HodgkinHuxley(leak_mv=leak_mv)
    state = flow.init(jax.random.key(0))
    assert state.voltage_mv == pytest.approx(squid.rest(leak_mv), abs=1e-10)
    np.testing.assert_allclose(jax.tree.leaves(state.gates), squid.steady(squid.rest(leak_mv)), rtol=1e-10)
    np.testing.assert_allclose(jax.tree.leaves(flow.derivative(state, jnp.asarray(0.0))), 0, atol=1e-12)
    if leak_mv == -54.387:
        np.testing.assert_allclose(state.voltage_mv, -64.9964, atol=1e-4)
        np.testing.assert_allclose(jax.tree.leaves(state.gates), [0.05296, 0.59599, 0.31773], atol=1e-5)


def test_the_rest_has_the_gradient_of_finite_differences(float64):
    slope = jax.grad(lambda leak: jn.spiking.HodgkinHuxley(leak_mv=leak).init(jax.random.key(0)).voltage_mv)(-54.387)
    assert slope == pytest.approx((squid.rest(-54.387 + 1e-4) - squid.rest(-54.387 - 1e-4)) / 2e-4, rel=1e-6)


def test_counts_and_rates_under_constant_current(float64):
    machine = jn.RungeKutta4(jn.spiking.HodgkinHuxley(), dt_ms=0.02)
    spikes, voltages = jax.vmap(lambda drive: jn.run(machine, jnp.full(25_000, drive), observe="voltage_mv")[1:])(
        jnp.asarray(DRIVES)
    )
    times = [jn.measure.crossing_times(voltage, 0.0, 0.02) for voltage in voltages]
    assert spikes.sum(axis=1).tolist() == [len(found) for found in times]
    assert [len(found) for found in times[:4]] == [0, 1, 3, 8]
    assert times[3][-1] < 250  # then it stops
    rates = [1000 / np.diff(found)[-1] for found in times[4:]]
    # Repetitive firing begins at a high rate: class 2.
    np.testing.assert_allclose(rates, [52.4, 58.3, 68.3, 86.5, 117.0], atol=0.05)


def pulses(*shape):
    """Currents of 60 ms in steps of 0.02 ms: pulses of 1 ms, given as (start in ms, uA/cm2)."""
    t = (np.arange(3000) + 0.5) * 0.02
    return jnp.asarray(sum(np.where((t > start) & (t < start + 1), value, 0.0) for start, value in shape))


def test_threshold_of_a_pulse_and_refractory_period(float64):
    machine = jn.RungeKutta4(jn.spiking.HodgkinHuxley(), dt_ms=0.02)
    below, above = pulses((0, 6.91)), pulses((0, 6.925))
    # Of a second pulse, 1, 2 and 4 times as strong as the first: too early, and in time.
    pairs = [
        pulses((0, 20.0), (start + late, times * 20.0)) for times, start in ((1, 10), (2, 8), (4, 6)) for late in (0, 2)
    ]
    _, spikes = jax.vmap(lambda currents: jn.run(machine, currents))(jnp.stack([below, above, *pairs]))
    assert spikes.sum(axis=1).tolist() == [0, 1, 1, 2, 1, 2, 1, 2]


def growth(flow, voltage_mv):
    """The largest real part of the eigenvalues of the flow where it stands still at a voltage, and the current."""
    state = started(flow, voltage_mv)
    vector, restore = ravel_pytree((state.gates, state.voltage_mv))

    def slopes(vector, current):
        gates, voltage = restore(vector)
        moved = flow.derivative(dataclasses.replace(state, gates=gates, voltage_mv=voltage), current)
        return ravel_pytree((moved.gates, moved.voltage_mv))[0]

    current = -slopes(vector, jnp.asarray(0.0))[-1]
    return np.linalg.eigvals(jax.jacfwd(slopes)(vector, current)).real.max(), float(current)


@pytest.mark.parametrize(
    ("low", "high", "current", "voltage"), [(-61, -58, 9.77544, -59.654), (-44, -42, 154.522, -43.058)]
)
def test_rest_loses_and_gains_stability_at_the_hopf_points(low, high, current, voltage, float64):
    flow = jn.spiking.HodgkinHuxley()
    found = brentq(lambda v: growth(flow, v)[0], low, high, xtol=1e-10)
    assert found == pytest.approx(voltage, abs=1e-3)
    assert growth(flow, found)[1] == pytest.approx(current, rel=1e-4 if current > 100 else 1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rates_and_gradients_are_finite_and_right_where_the_formulas_are_0_over_0(dtype, float64):
    flow = jn.cast(jn.spiking.HodgkinHuxley(), dtype)

    @jax.jit
    def kinetics(v):
        return jnp.stack([jnp.stack(jax.tree.leaves(part)) for part in flow.kinetics(v)])

    forward, reverse = jax.jit(jax.jacfwd(kinetics)), jax.jit(jax.jacrev(kinetics))
    for offset in (0.0, 1e-12, -1e-9, 1e-6, -1e-3, 0.05):
        for pole in (-40.0, -55.0):
            v = jnp.asarray(pole + offset, dtype)
            alpha_beta = np.array(squid.rates(float(v)))
            expected = [alpha_beta.sum(axis=1), alpha_beta[:, 0] / alpha_beta.sum(axis=1)]
            np.testing.assert_allclose(kinetics(v), expected, rtol=1e-12 if dtype == "float64" else 2e-6)
            slope = forward(v)
            assert np.isfinite(slope).all()
            assert np.isfinite(reverse(v)).all()
            if dtype == "float64":
                above, below = (np.array(squid.rates(float(v) + sign * 1e-3)) for sign in (1, -1))
                np.testing.assert_allclose(slope[0], (above - below).sum(axis=1) / 2e-3, rtol=1e-5, atol=1e-8)


def test_channels_and_jumps_reach_the_membrane(float64):
    flow = jn.spiking.HodgkinHuxley()
    state = flow.init(jax.random.key(0))
    open_ = jn.Stimulus(current=jnp.asarray(2.0), channels=jn.Conductance(jnp.asarray(0.5), jnp.asarray(0.5 * -10.0)))
    # At rest the currents of the membrane's own channels are 0.
    pushed = 2.0 + 0.5 * (-10.0 - float(state.voltage_mv))
    assert flow.derivative(state, open_).voltage_mv == pytest.approx(pushed, rel=1e-10)
    received = flow.receive(state, jn.VoltageJump(jnp.asarray(7.0)))
    assert received.voltage_mv == pytest.approx(float(state.voltage_mv) + 7, abs=1e-12)


def test_a_jump_past_threshold_is_one_spike():
    machine = jn.SplitExponentialEuler(jn.spiking.HodgkinHuxley())
    jumps = jn.VoltageJump(jnp.zeros(400).at[10].set(80.0))
    _, spikes = jn.run(machine, jumps)
    assert np.flatnonzero(spikes).tolist() == [10]
