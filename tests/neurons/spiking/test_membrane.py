"""The membrane of channels: the squid's is HodgkinHuxley, others are a plain NumPy loop and what is known of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import jaxneuro as jn
from tests.neurons.spiking.test_channels import a_current, m_current, pyramidal_potassium, pyramidal_sodium

LEAK = {"conductance_ms_per_cm2": 0.05, "reversal_mv": -60.0}


def squid():
    return jn.spiking.Membrane((jn.spiking.SquidSodium(), jn.spiking.SquidPotassium(), jn.spiking.Leak()))


def pyramidal(*more):
    channels = (jn.spiking.PyramidalSodium(), jn.spiking.PyramidalPotassium(), jn.spiking.Leak(**LEAK))
    return jn.spiking.Membrane((*channels, *more))


@pytest.mark.parametrize("integrator", [jn.SplitExponentialEuler, jn.RungeKutta4])
def test_three_squid_channels_are_the_hodgkin_huxley_membrane(integrator, float64):
    drives = jnp.asarray(np.random.default_rng(0).uniform(-5, 25, 2000).repeat(2))
    one, spikes, voltage = jn.run(integrator(squid(), dt_ms=0.02), drives, observe="voltage_mv")
    other, expected, reference = jn.run(
        integrator(jn.spiking.HodgkinHuxley(), dt_ms=0.02), drives, observe="voltage_mv"
    )
    # The one shares an exponential among its rates, the other does not: the last digit differs, and every rise of a
    # spike, by e within some 0.1 ms, multiplies that.
    np.testing.assert_allclose(voltage[:400], reference[:400], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(voltage, reference, rtol=1e-10, atol=1e-10)
    np.testing.assert_array_equal(spikes, expected)
    assert spikes.sum() > 2
    gates = (one.channels[0].activation, one.channels[0].inactivation, one.channels[1].activation)
    np.testing.assert_allclose(gates, jax.tree.leaves(other.gates), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("membrane", [jn.spiking.HodgkinHuxley(), squid(), pyramidal(jn.spiking.MCurrent())])
def test_currents_far_beyond_life_leave_all_gates_between_shut_and_open(membrane):
    drives = jnp.asarray(np.random.default_rng(2).normal(size=600) * 10.0 ** (np.arange(600) // 100), jnp.float32)

    @jax.jit
    @jax.value_and_grad
    def course(drives):
        return jn.run(jn.SplitExponentialEuler(membrane), drives)[0].voltage_mv

    value, slope = course(drives)
    assert np.isfinite(value)
    assert np.isfinite(slope).all()
    states = jn.run(jn.SplitExponentialEuler(membrane), drives, observe=whole)[2]
    gates = np.stack(jax.tree.leaves(states.channels if isinstance(membrane, jn.spiking.Membrane) else states.gates))
    assert gates.min() >= 0
    assert gates.max() <= 1 + 1e-6


def whole(state):
    return state


def test_conductances_and_jumps_reach_both_alike(float64):
    generator = np.random.default_rng(5)
    inputs = jn.Stimulus(
        current=jnp.asarray(generator.uniform(-5, 20, 400)),
        jump=jn.VoltageJump(jnp.asarray(generator.uniform(-1, 1, 400))),
        channels=jn.Conductance(*jnp.asarray(generator.uniform(0, 0.5, (2, 400)))),
    )
    ours, theirs = (
        jn.run(jn.SplitExponentialEuler(membrane), inputs, observe="voltage_mv")[2]
        for membrane in (squid(), jn.spiking.HodgkinHuxley())
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_gradients_of_both_are_the_same(float64):
    drives = jnp.full(300, 10.0)

    @jax.grad
    def end(membrane):
        return jn.run(jn.SplitExponentialEuler(membrane), drives)[0].voltage_mv

    ours, theirs = end(squid()), end(jn.spiking.HodgkinHuxley())
    sodium, potassium, leak = ours.channels
    pairs = [
        (sodium.conductance_ms_per_cm2, theirs.sodium_ms_per_cm2),
        (potassium.reversal_mv, theirs.potassium_mv),
        (leak.reversal_mv, theirs.leak_mv),
        (ours.capacitance_uf_per_cm2, theirs.capacitance_uf_per_cm2),
    ]
    np.testing.assert_allclose(*np.array(pairs).T, rtol=1e-9)


def test_gates_first_then_voltage_is_the_loop_written_by_hand(float64):
    drives, dt = np.random.default_rng(1).uniform(0, 12, 400).repeat(3), 0.025
    channels = ((100, 50, 3, pyramidal_sodium), (30, -90, 4, pyramidal_potassium), (0.07, -90, 1, m_current))
    channels = (*channels, (2.0, -75, 3, a_current))
    membrane = pyramidal(jn.spiking.MCurrent(), jn.spiking.ACurrent(conductance_ms_per_cm2=2.0))
    start = membrane.init(jax.random.key(0))
    v, expected = float(start.voltage_mv), []
    gates = [[target for _, target in formulas(v)] for *_, formulas in channels]
    np.testing.assert_allclose(np.concatenate(gates), jax.tree.leaves(start.channels), rtol=1e-9)
    for drive in drives:
        total, driving = 0.05, 0.05 * -60 + drive
        for own, (g, reversal, power, formulas) in zip(gates, channels, strict=True):
            for i, (rate, target) in enumerate(formulas(v)):
                own[i] = target + (own[i] - target) * np.exp(-dt * rate)
            open_ = g * own[0] ** power * (own[1] if len(own) > 1 else 1)
            total, driving = total + open_, driving + open_ * reversal
        v = driving / total + (v - driving / total) * np.exp(-dt * total)
        expected.append(v)
    _, spikes, voltage = jn.run(jn.SplitExponentialEuler(membrane), jnp.asarray(drives), observe="voltage_mv")
    np.testing.assert_allclose(voltage, expected, rtol=0, atol=1e-6)
    assert spikes.sum() > 2


def test_the_pyramidal_cell_fires_when_a_solver_says_so(float64):
    def slope(t, y):
        v, m, h, n = y
        gates = (*pyramidal_sodium(v), *pyramidal_potassium(v))
        outward = 100 * m**3 * h * (v - 50) + 30 * n**4 * (v + 90) + 0.05 * (v + 60)
        return [5 - outward, *(rate * (target - x) for (rate, target), x in zip(gates, y[1:], strict=True))]

    def spike(t, y):
        return y[0]

    spike.direction = 1
    start = pyramidal().init(jax.random.key(0))
    y = [float(x) for x in (start.voltage_mv, *jax.tree.leaves(start.channels))]
    expected = solve_ivp(slope, (0, 100), y, method="DOP853", rtol=1e-9, atol=1e-10, events=spike).t_events[0]
    _, _, voltage = jn.run(jn.RungeKutta4(pyramidal(), dt_ms=0.01), jnp.full(10_000, 5.0), observe="voltage_mv")
    found = jn.measure.crossing_times(voltage, 0.0, 0.01)
    assert len(expected) > 5
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)


def test_the_m_current_makes_spikes_rarer(float64):
    strengths = jnp.asarray([0.0, 0.07, 0.3])

    @jax.vmap
    def count(strength):
        membrane = pyramidal(jn.spiking.MCurrent(conductance_ms_per_cm2=strength))
        return jn.run(jn.SplitExponentialEuler(membrane), jnp.full(8_000, 5.0))[1].sum()

    none, weak, strong = count(strengths)
    assert strong < 0.6 * none
    assert strong < weak < none


def test_a_membrane_needs_channels():
    with pytest.raises(ValueError, match=r"Membrane got no channels.*Membrane\(\(Leak\(\),\)\)"):
        jn.spiking.Membrane(())
