"""The leaky integrate-and-fire neuron on the grid: closed forms, published rates, explicit loops, adjoints by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

TAU, REFRACTORY, THRESHOLD, RESET = 20.0, 2.0, 15.0, 0.0
# Firing rates (Hz) under constant R I (mV) for these four, to the digits usually printed.
RATES = {16.0: 17.4059, 20.0: 33.6407, 30.0: 63.0400, 60.0: 128.9717}


def interval(drive):
    return REFRACTORY + TAU * np.log((drive - RESET) / (drive - THRESHOLD))


def loop(lif, inputs):
    """The neuron as its documentation tells it, in numpy, with the refractory period counted in whole steps."""
    p = {name: float(getattr(lif, name)) for name in lif.__dataclass_fields__ if name != "spike"}
    decay, held_steps = np.exp(-p["dt_ms"] / p["tau_ms"]), round(p["refractory_ms"] / p["dt_ms"])
    voltage, held, voltages, spikes = p["rest_mv"], 0, [], []
    for current in np.asarray(inputs):
        spike = False
        if held:
            held -= 1
        else:
            target = p["rest_mv"] + p["resistance_mohm"] * current
            voltage = target + (voltage - target) * decay
            spike = voltage >= p["threshold_mv"]
        if spike:
            hard, soft = p["reset_mv"], voltage - (p["threshold_mv"] - p["reset_mv"])
            voltage, held = hard + p["soft_reset"] * (soft - hard), held_steps
        voltages.append(voltage)
        spikes.append(float(spike))
    return np.asarray(voltages), np.asarray(spikes)


@pytest.mark.parametrize(("drive", "published"), RATES.items())
def test_fires_at_the_rate_the_closed_form_predicts(drive, published, float64):
    expected = interval(drive)
    assert 1000 / expected == pytest.approx(published, rel=1e-4)
    dt = 0.1
    inputs = jnp.full(6000, drive)
    _, spikes, voltages = jn.run(jn.LIF(dt_ms=dt), inputs, observe="voltage_mv")
    steps, voltages = np.flatnonzero(spikes), np.asarray(voltages)
    # The step that ends in a spike starts at the voltage of the step before: threshold is crossed inside it after
    # tau ln((V_inf - V) / (V_inf - theta)). The reset comes at its end, and there the next interval begins.
    crossing = steps * dt + TAU * np.log((drive - voltages[steps - 1]) / (drive - THRESHOLD))
    intervals = crossing[1:] - (steps[:-1] + 1) * dt
    np.testing.assert_allclose(1000 / intervals, published, rtol=1e-4)
    np.testing.assert_allclose(intervals, expected, rtol=1e-10)
    # On the grid alone an interval is the first whole number of steps that is long enough.
    on_grid = np.diff(steps) * dt
    np.testing.assert_allclose(on_grid, np.ceil(expected / dt) * dt, rtol=1e-12)
    assert np.all(np.abs(expected / on_grid - 1) <= dt / expected)


@pytest.mark.parametrize("drive", [0.0, 14.0, 14.999])
def test_is_silent_below_threshold(drive):
    _, spikes = jn.run(jn.LIF(), jnp.full(6000, drive))
    assert spikes.sum() == 0


def test_default_parameters_of_nest_give_the_first_spike_of_nest(float64):
    # C 250 pF and tau 10 ms are R = 40 MOhm; threshold is 15 mV above rest. tau ln(R I / (R I - theta)) at 400 pA is
    # 10 ln 16 = 27.725887 ms: on the grid of 0.1 ms the spike belongs to the step that ends at 27.8 ms.
    nest = jn.LIF(
        tau_ms=10.0, resistance_mohm=10.0 / 0.250, rest_mv=-70.0, threshold_mv=-55.0, reset_mv=-70.0, dt_ms=0.1
    )
    _, spikes, voltages = jn.run(nest, jnp.full(300, 0.400), observe="voltage_mv")
    first = np.flatnonzero(spikes)[0]
    assert first + 1 == 278
    located = first * 0.1 + 10 * np.log((-54 - float(voltages[first - 1])) / (-54 + 55))
    assert located == pytest.approx(27.725887, abs=1e-6)


@pytest.mark.parametrize("dt", [0.5, 0.25, 0.125, 0.1, 0.0625, 0.05, 0.03125, 0.02, 0.01, 0.005, 0.002, 0.001])
def test_is_exact_below_threshold_at_every_step_size(dt, float64):
    # The input is constant over pieces of 0.5 ms, which every step size divides.
    pieces, per_piece = 1000, round(0.5 / dt)
    currents = np.random.default_rng(0).uniform(-30, 40, pieces)
    lif = jn.LIF(tau_ms=10.0, resistance_mohm=0.7, rest_mv=-65.0, threshold_mv=0.0, reset_mv=-65.0, dt_ms=dt)
    _, _, voltages = jn.run(lif, jnp.asarray(np.repeat(currents, per_piece)), observe="voltage_mv", every=per_piece)
    # V(t) - E = sum over pieces j of R I_j (e^(-(t - end_j) / tau) - e^(-(t - start_j) / tau)), at the ends of pieces.
    ends = 0.5 * (np.arange(pieces) + 1)
    since_end = ends[:, None] - ends[None, :]
    response = np.where(since_end >= 0, np.exp(-np.maximum(since_end, 0) / 10) * -np.expm1(-0.5 / 10), 0)
    errors = np.abs(voltages - (-65 + response @ (0.7 * currents)))
    assert errors[:10].max() <= 1e-12  # 5 ms
    assert errors.max() <= 1e-9  # 500 ms


def test_under_euler_it_is_of_first_order(float64):
    steps, counts = 10.0 / 2 ** np.arange(4, 10), 2 ** np.arange(4, 10)
    run = jax.vmap(lambda dt: jn.run(jn.Euler(jn.LIF(), dt_ms=dt), jnp.full(512, 10.0), observe="voltage_mv")[2])
    reached = np.asarray(run(jnp.asarray(steps)))[np.arange(6), counts - 1]
    errors = np.abs(reached - 10 * -np.expm1(-10 / TAU))
    assert np.polyfit(np.log(steps), np.log(errors), 1)[0] == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("integrator", [jn.ExponentialEuler, jn.Exact])
def test_under_an_exact_integrator_it_is_its_own_step(integrator, key, float64):
    inputs = 25 + 20 * jax.random.normal(key, (2000,))
    own = jn.run(jn.LIF(dt_ms=0.1), inputs, observe="voltage_mv")
    flow = jn.run(integrator(jn.LIF(dt_ms=77.0), dt_ms=0.1), inputs, observe="voltage_mv")
    np.testing.assert_array_equal(flow[1], own[1])
    np.testing.assert_allclose(flow[2], own[2], rtol=0, atol=1e-11)
    assert own[1].sum() > 5


@pytest.mark.parametrize("soft_reset", [0.0, 1.0, 0.3])
@pytest.mark.parametrize("refractory", [0.0, 0.5, 2.0])
def test_resets_and_rests_as_an_explicit_loop_does(soft_reset, refractory, float64):
    lif = jn.LIF(
        tau_ms=12.0, resistance_mohm=1.4, rest_mv=-60.0, threshold_mv=-48.0, reset_mv=-63.0,
        refractory_ms=refractory, soft_reset=soft_reset, dt_ms=0.25,
    )  # fmt: skip
    inputs = np.random.default_rng(1).normal(12, 30, 2000)
    _, spikes, voltages = jn.run(lif, jnp.asarray(inputs), observe="voltage_mv")
    expected_voltages, expected_spikes = loop(lif, inputs)
    np.testing.assert_array_equal(spikes, expected_spikes)
    np.testing.assert_allclose(voltages, expected_voltages, rtol=0, atol=1e-11)
    assert spikes.sum() > 20


def test_soft_reset_keeps_the_overshoot(float64):
    # One strong step from rest to 40 mV: 25 mV over threshold are left, which is another spike in the next step.
    lif = jn.LIF(soft_reset=1.0, refractory_ms=0.0)
    current = 40 / -jnp.expm1(-0.1 / 20)
    state, spike = lif.step(lif.init(jax.random.key(0)), current)
    assert spike == 1
    assert state.voltage_mv == pytest.approx(25, rel=1e-12)
    assert lif.step(state, jnp.asarray(25.0))[1] == 1


COUNTS = [(2.0, 0.1, 20), (0.7, 0.1, 7), (0.3, 0.1, 3), (1.0, 1.0, 1), (0.0, 0.1, 0), (0.4, 1.0, 0), (0.6, 1.0, 1),
          (2.0, 0.01, 200), (5.0, 0.001, 5000), (3.3, 0.3, 11), (0.24, 0.1, 2), (0.26, 0.1, 3)]  # fmt: skip


@pytest.mark.parametrize("build", [lambda t, dt: jn.LIF(refractory_ms=t, dt_ms=dt),
                                   lambda t, dt: jn.Euler(jn.LIF(refractory_ms=t, dt_ms=9.0), dt_ms=dt)])  # fmt: skip
@pytest.mark.parametrize(("refractory", "dt", "held"), COUNTS)
def test_refractory_period_is_the_right_number_of_steps_in_float32(refractory, dt, held, build):
    # An input that brings the neuron over threshold in every step in which it is not held.
    _, spikes, voltages = jn.run(build(refractory, dt), jnp.full(10_100, 1e7), observe="voltage_mv")
    assert spikes.dtype == jnp.float32
    np.testing.assert_array_equal(np.diff(np.flatnonzero(spikes)), held + 1)
    assert spikes[0] == 1
    np.testing.assert_array_equal(voltages, RESET)


@pytest.mark.parametrize("detach", [0.0, 1.0])
@pytest.mark.parametrize("soft_reset", [0.0, 1.0])
def test_gradient_is_that_of_backpropagation_by_hand(detach, soft_reset, float64):
    # The adjoint recursion in numpy, with u the voltage before the reset and v after it: v = u - s (hard or soft drop).
    lif = jn.LIF(
        tau_ms=5.0, threshold_mv=1.0, refractory_ms=0.0, soft_reset=soft_reset, detach_reset=detach, dt_ms=1.0,
        spike=jn.ArcTangent(2.0),
    )  # fmt: skip
    generator = np.random.default_rng(2)
    inputs, cotangents, steps = generator.normal(3, 2, 50), generator.normal(size=50), range(50)
    loss = jax.jit(lambda inputs: jn.run(lif, inputs)[1] @ jnp.asarray(cotangents))
    decay = np.exp(-1 / 5)
    before, after = np.zeros(50), 0.0
    for t in steps:
        before[t] = decay * after + (1 - decay) * inputs[t]
        spike = before[t] >= 1
        drop = 1.0 if soft_reset else before[t]
        after = before[t] - spike * drop
    spikes = (before >= 1).astype(float)
    kernel = 1 / (1 + (np.pi * (before - 1)) ** 2)
    expected, back = np.zeros(50), 0.0
    for t in reversed(steps):
        drop, drop_slope = (1.0, 0.0) if soft_reset else (before[t], 1.0)
        through_reset = 1 - spikes[t] * drop_slope - (1 - detach) * kernel[t] * drop
        back_before = cotangents[t] * kernel[t] + back * through_reset
        expected[t] = (1 - decay) * back_before
        back = decay * back_before
    assert spikes.sum() > 10
    np.testing.assert_allclose(jax.grad(loss)(jnp.asarray(inputs)), expected, rtol=1e-10, atol=1e-13)


def test_bad_parameters_are_refused_with_advice():
    with pytest.raises(ValueError, match=r"LIF.tau_ms is -1; it must be above 0 ms."):
        jn.LIF(tau_ms=-1.0)
    with pytest.raises(ValueError, match=r"LIF.soft_reset is 2; it must be at most 1."):
        jn.LIF(soft_reset=2.0)
