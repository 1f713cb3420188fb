"""The leaky integrate-and-fire neuron off the grid: rates, spike times and their gradients are the closed forms."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import jaxneuro as jn

TAU, REFRACTORY, THRESHOLD, RESET = 20.0, 2.0, 15.0, 0.0
RATES = {16.0: 17.4059, 20.0: 33.6407, 30.0: 63.0400, 60.0: 128.9717}


def times(output, dt):
    """The spike times in ms, from steps and offsets."""
    steps = np.flatnonzero(output.spike)
    return steps * float(dt) + np.asarray(output.offset_ms)[steps]


@pytest.mark.parametrize(("drive", "published"), RATES.items())
@pytest.mark.parametrize("dt", [0.01, 0.1, 0.37, 1.0, 5.0])
def test_fires_at_the_rate_the_closed_form_predicts_whatever_the_step(drive, published, dt, float64):
    interval = REFRACTORY + TAU * np.log((drive - RESET) / (drive - THRESHOLD))
    assert 1000 / interval == pytest.approx(published, rel=1e-4)
    _, output = jn.run(jn.PreciseLIF(dt_ms=dt), jnp.full(round(600 / dt), drive))
    found = times(output, dt)
    expected = interval - REFRACTORY + interval * np.arange(len(found))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(np.diff(found), interval, rtol=1e-9)
    assert len(found) == 1 + (600 - expected[0]) // interval


def nest(dt=0.1):
    """The default neuron of NEST: C 250 pF and tau 10 ms are R = 40 MOhm; threshold 15 mV above rest."""
    return jn.PreciseLIF(
        tau_ms=10.0, resistance_mohm=10.0 / 0.250, rest_mv=-70.0, threshold_mv=-55.0, reset_mv=-70.0, dt_ms=dt
    )


@functools.partial(jax.jit, static_argnums=(2, 3))
@functools.partial(jax.value_and_grad, argnums=(0, 1))
def spike_time(neuron, current, steps, number=1):
    """When the neuron fires for the first or a later time, and the gradient of that."""
    _, output = jn.run(neuron, jnp.full(steps, current))
    starts = jnp.arange(steps, dtype=current.dtype) * neuron.dt_ms
    step = jnp.nonzero(output.spike, size=number)[0][-1]
    return starts[step] + output.offset_ms[step]


def test_first_spike_of_the_default_parameters_of_nest_and_its_gradient(float64):
    # tau ln(R I / (R I - theta)) = 10 ln 16 ms at 400 pA; tau (1 / I - R / (R I - theta)) = 10 / 400 - 0.4 ms/pA.
    time, (_, slope) = spike_time(nest(), jnp.asarray(0.400), 300)
    assert time == pytest.approx(27.725887, abs=1e-6)
    assert time == pytest.approx(10 * np.log(16), abs=1e-9)
    assert slope / 1000 == pytest.approx(-0.375, rel=1e-10)


@pytest.mark.parametrize("dt", [0.1, 2.03])
def test_gradients_of_the_first_spike_time_are_the_closed_forms(dt, float64):
    # 375 pA is rheobase: the first current is 0.5 pA above it.
    extra = np.random.default_rng(0).uniform(376, 2000, 11)
    currents = np.append([375.5, 376, 380, 400, 450, 500, 700, 1000, 2000], extra) / 1000
    neuron, steps = nest(dt), round(100 / dt)
    gradients = jax.vmap(lambda current: spike_time(neuron, current, steps)[1])
    by_neuron, by_current = gradients(jnp.asarray(currents))
    tau, resistance, threshold = 10.0, 40.0, 15.0
    excess = resistance * currents - threshold
    by_excess = tau * -threshold / (resistance * currents * excess)
    np.testing.assert_allclose(by_current, by_excess * resistance, rtol=1e-10)
    np.testing.assert_allclose(by_neuron.resistance_mohm, by_excess * currents, rtol=1e-10)
    np.testing.assert_allclose(by_neuron.tau_ms, np.log(resistance * currents / excess), rtol=1e-10)
    np.testing.assert_allclose(by_neuron.threshold_mv, tau / excess, rtol=1e-10)
    # The step size is no physics: the spike time does not depend on it.
    np.testing.assert_allclose(by_neuron.dt_ms, 0, atol=1e-7)


def test_gradient_of_a_later_spike_time_counts_all_intervals_before(float64):
    # t_3 = 3 tau ln(I / (I - theta)) + 2 t_ref, R = 1.
    neuron, current = jn.PreciseLIF(dt_ms=0.25), jnp.asarray(30.0)
    time, (_, slope) = spike_time(neuron, current, 400, 3)
    assert time == pytest.approx(3 * 20 * np.log(2) + 2 * 2, abs=1e-9)
    assert slope == pytest.approx(3 * 20 * (1 / 30 - 1 / 15), rel=1e-10)


def test_agrees_with_a_solver_that_locates_events_under_changing_input(float64):
    currents = np.random.default_rng(3).uniform(5, 60, 40)
    neuron = jn.PreciseLIF(
        tau_ms=8.0, resistance_mohm=0.9, rest_mv=-62.0, threshold_mv=-50.0, reset_mv=-66.0, refractory_ms=1.3, dt_ms=1.0
    )
    state, output = jn.run(neuron, jnp.asarray(currents))

    def crossing(time, voltage, current):
        return voltage[0] + 50

    crossing.terminal, crossing.direction = True, 1
    voltage, blocked_until, expected = -62.0, 0.0, []
    for step, current in enumerate(currents):
        time, end = max(float(step), blocked_until), step + 1.0
        while time < end:
            solution = solve_ivp(
                lambda t, v, current: (-(v + 62) + 0.9 * current) / 8, (time, end), [voltage],
                method="DOP853", rtol=1e-12, atol=1e-12, events=crossing, args=(current,),
            )  # fmt: skip
            time, voltage = solution.t[-1], solution.y[0, -1]
            if solution.t_events[0].size:
                expected.append(time)
                voltage, blocked_until = -66.0, time + 1.3
                time = blocked_until
    found = times(output, 1.0)
    assert len(expected) > 5
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)
    assert state.voltage_mv == pytest.approx(voltage, abs=1e-8)


@pytest.mark.parametrize(("refractory", "dt"), [(0.0, 0.1), (2.03, 0.1), (0.04, 0.1), (17.0, 5.0)])
def test_refractory_period_has_any_length(refractory, dt, float64):
    _, output = jn.run(jn.PreciseLIF(refractory_ms=refractory, dt_ms=dt), jnp.full(round(200 / dt), 30.0))
    np.testing.assert_allclose(np.diff(times(output, dt)), refractory + 20 * np.log(2), rtol=1e-10)


@pytest.mark.parametrize("dt", [0.1, 5.0, 20.0])
@pytest.mark.parametrize("drive", [15.0, 14.999, -3.0])
def test_input_that_leads_no_further_than_threshold_never_fires(drive, dt):
    state, output = jn.run(jn.PreciseLIF(dt_ms=dt), jnp.full(2000, drive))
    assert output.spike.sum() == 0
    assert output.offset_ms.sum() == 0
    assert state.voltage_mv == pytest.approx(drive, rel=1e-3)


def test_silent_steps_pass_finite_gradients():
    def voltage(current):
        return jn.run(jn.PreciseLIF(), jnp.full(100, current))[0].voltage_mv

    slopes = jax.vmap(jax.grad(voltage))(jnp.asarray([0.0, 10.0, 15.0, 30.0]))
    assert np.isfinite(slopes).all()


@pytest.mark.parametrize("drive", RATES)
def test_single_precision_keeps_times_to_its_own_rounding(drive):
    time, (_, slope) = spike_time(jn.PreciseLIF(), jnp.asarray(drive, jnp.float32), 600)
    expected, by_drive = TAU * np.log(drive / (drive - THRESHOLD)), TAU * (1 / drive - 1 / (drive - THRESHOLD))
    assert time.dtype == jnp.float32
    # A rounded voltage is a shifted time in proportion to how flat the voltage meets threshold.
    assert abs(time - expected) <= 16 * np.finfo(np.float32).eps * (expected + abs(drive * by_drive))
    assert slope == pytest.approx(by_drive, rel=1e-4)
