"""Cables against closed forms of cable theory, Rallpacks 1 and 2, the speed of the squid's spike, and scipy."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import jaxneuro as jn
from jaxneuro.neurons.dendritic import Cable, Inserted, Morphology, ball_and_stick, cylinder, rall_tree
from tests.neurons.spiking import squid

# d = 1 um, R_i = 100 ohm cm, 1e-4 S/cm2, 1 uF/cm2: a length constant of 500 um, a time constant of 10 ms.
LENGTH_CONSTANT_UM, TAU_MS, REST_MV = 500.0, 10.0, -70.0


def passive():
    return (jn.spiking.Leak(0.1, REST_MV),)


def active(speed=1.0):
    return (jn.spiking.SquidSodium(speed=speed), jn.spiking.SquidPotassium(speed=speed), jn.spiking.Leak())


def middles(compartments, length_um):
    return (np.arange(compartments) + 0.5) * length_um / compartments


def resistance_mohm(resistivity_ohm_cm, length_constant_um, diameter_um):
    """Input resistance of a half-infinite cable."""
    return 4 * resistivity_ohm_cm * length_constant_um / (np.pi * diameter_um**2) * 1e-2


def at_end(compartments, steps, current_na):
    return jnp.zeros((steps, compartments)).at[:, 0].set(current_na)


def voltages(cable, inputs, state=None, **options):
    return np.asarray(jn.run(cable, inputs, state=state, observe="voltage_mv", **options)[2])


def steady_profile(compartments, length_um=1000.0, current_na=0.1):
    """A sealed cylinder after a long time, current into its first compartment, and what theory says."""
    cable = Cable(cylinder(length_um, 1.0, compartments), passive(), dt_ms=50.0, scheme="implicit_euler")
    found = voltages(cable, at_end(compartments, 30, current_na))[-1]
    x, full = middles(compartments, length_um) / LENGTH_CONSTANT_UM, length_um / LENGTH_CONSTANT_UM
    scale = resistance_mohm(100, LENGTH_CONSTANT_UM, 1) * current_na * np.cosh(x[0]) / np.sinh(full)
    return found, REST_MV + scale * np.cosh(full - x)


def test_the_steady_state_of_a_sealed_cylinder_with_an_error_of_second_order(float64):
    errors = []
    for compartments in (25, 50, 100):
        found, expected = steady_profile(compartments)
        errors.append(np.abs(found - expected).max())
    assert errors[-1] < 5e-3
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(orders, 2, atol=0.05)


def test_the_impulse_response_of_a_long_cable(float64):
    count, length_um, dt_ms, steps = 401, 8020.0, 0.05, 200
    cable = Cable(cylinder(length_um, 1.0, count), passive(), dt_ms=dt_ms)
    charge_nc = 1e-3
    start = cable.init(jax.random.key(0))
    capacitance_nf = np.pi * 1e-8 * length_um / count * 1e3
    state = eqx.tree_at(lambda s: s.voltage_mv, start, start.voltage_mv.at[count // 2].add(charge_nc / capacitance_nf))
    found = voltages(cable, jnp.zeros((steps, count)), state)[99::20] - REST_MV
    t = dt_ms * np.arange(100, steps + 1, 20)[:, None]
    x = (middles(count, length_um) - length_um / 2) / LENGTH_CONSTANT_UM
    per_length_constant_nf = np.pi * LENGTH_CONSTANT_UM * 1e-8 * 1e3
    spread = np.sqrt(TAU_MS / (4 * np.pi * t)) * np.exp(-t / TAU_MS - TAU_MS / (4 * t) * x**2)
    expected = charge_nc / per_length_constant_nf * spread
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-3 * expected.max())


def test_a_rall_tree_is_its_equivalent_cylinder(float64):
    levels, each, steps = 4, 3, 80
    tree, cable = rall_tree(150.0, 2.0, levels, each), cylinder(150.0 * levels, 2.0, each * levels)
    channels = (jn.spiking.SquidPotassium(), jn.spiking.Leak(0.1, REST_MV))
    noise = np.random.default_rng(0).normal(size=steps)
    found, expected = (
        voltages(Cable(shape, channels), at_end(shape.compartments, steps, 1.0) * noise[:, None])
        for shape in (tree, cable)
    )
    assert np.ptp(expected) > 10
    np.testing.assert_allclose(found[:, :each], expected[:, :each], rtol=0, atol=1e-9)
    np.testing.assert_allclose(found[:, -each:], expected[:, -each:], rtol=0, atol=1e-9)


def charging(x, source, full, t, resistance, current_na, modes=400):
    """A sealed cylinder `full` length constants long from the start of a current at `source`; t in time constants."""
    n = np.arange(1, modes)[:, None]
    rates = 1 + (n * np.pi / full) ** 2
    shape = 2 * np.cos(n * np.pi * x / full) * np.cos(n * np.pi * source / full) / rates
    steady = np.cosh(min(source, x)) * np.cosh(full - max(source, x)) / np.sinh(full)
    return resistance * current_na * (steady - (np.exp(-t) + (shape * np.exp(-rates * t)).sum(0)) / full)


RALLPACK = {"capacitance_uf_per_cm2": 1.0, "resistivity_ohm_cm": 100.0, "dt_ms": 0.05}


def rallpack_error(shape, length_um, diameter_um, first, last):
    """Root mean square of the error over 250 ms as a share of the range, at the ends of a cylinder or its equal."""
    cable, steps = Cable(shape, (jn.spiking.Leak(0.025, -65.0),), **RALLPACK), 5000
    inputs = jnp.zeros(steps)
    start = cable.init(jax.random.key(0))

    @jax.jit
    def simulate(cable, state, inputs):
        def step(state, _):
            state, _ = cable.step(state, jnp.zeros(shape.compartments).at[0].set(0.1))
            return state, state.voltage_mv[jnp.asarray([0, shape.compartments - 1])]

        return jax.lax.scan(step, state, inputs)[1]

    found = np.asarray(simulate(cable, start, inputs))
    constant_um = np.sqrt(diameter_um * 1e-4 * 40_000 / 400) * 1e4
    t = 0.05 * np.arange(1, steps + 1) / 40.0
    resistance, full = resistance_mohm(100, constant_um, diameter_um), length_um / constant_um

    def theory(at, source):
        return -65 + charging(at / constant_um, source / constant_um, full, t, resistance, 0.1)

    # In the middles of the outer compartments, which the current reaches too.
    expected = [theory(at, first) for at in (first, last)]
    errors = [
        np.sqrt(np.mean((one - other) ** 2)) / np.ptp(other) for one, other in zip(found.T, expected, strict=True)
    ]
    return max(errors), [theory(at, 0.0)[-1] for at in (0.0, length_um)]


@pytest.mark.computing
def test_rallpack_1_a_cable_of_a_thousand_compartments():
    error, ends = rallpack_error(cylinder(1000.0, 1.0, 1000), 1000.0, 1.0, 0.5, 999.5)
    np.testing.assert_allclose(ends, [101.935, 43.096], atol=0.01)
    assert error < 5e-4


@pytest.mark.computing
def test_rallpack_2_a_tree_of_a_thousand_branches():
    shape = rall_tree(32.0, 16.0, 10, 1)
    assert (np.asarray(shape.lengths_um) > 0).sum() == 1023
    error, ends = rallpack_error(shape, 320.0, 16.0, 16.0, 304.0)
    assert ends[0] == pytest.approx(-40.127, abs=0.01)
    assert error < 5e-4


@pytest.mark.parametrize(("scheme", "order"), [("trapezoidal", 2), ("implicit_euler", 1)])
def test_the_order_in_the_step_size(scheme, order, float64):
    shape, count = ball_and_stick(10.0, 200.0, 1.0, 4), 5
    exact, errors = None, []
    for dt_ms in (0.1, 0.05, 0.025):
        cable = Cable(shape, passive(), dt_ms=dt_ms, scheme=scheme)
        if exact is None:
            capacitance = np.asarray(shape.areas_cm2()) * 1e3
            joined = np.diag(np.ones(count)) - np.diag(np.ones(count - 1), -1)
            joined[0] = 0
            axial = joined.T @ np.diag(cable.morphology.axial_us(cable.resistivity_ohm_cm)) @ joined
            rates = -(axial + np.diag(0.1 * capacitance)) / capacitance[:, None]
            exact = np.linalg.solve(rates, (expm(4 * rates) - np.eye(count)) @ (np.eye(count)[0] * 0.05 / capacitance))
        found = voltages(cable, at_end(count, round(4 / dt_ms), 0.05))[-1] - REST_MV
        errors.append(np.abs(found - exact).max())
    np.testing.assert_allclose(np.log2(np.array(errors[:-1]) / errors[1:]), order, atol=0.15)


@pytest.mark.computing
def test_a_spike_travels_as_fast_as_hodgkin_and_huxley_computed():
    # An axon of 476 um at 18.5 degrees, 35.4 ohm cm: 18.8 m/s (1952, p. 528 and after).
    count, length_um, dt_ms = 160, 80_000.0, 0.01
    cable = Cable(cylinder(length_um, 476.0, count), active(3.0**1.22), resistivity_ohm_cm=35.4, dt_ms=dt_ms)
    found = voltages(cable, at_end(count, 600, 0.0).at[:30, 0].set(40_000.0))
    places = np.array([count // 4, 3 * count // 4])
    above = found[:, places] >= 0
    first = above.argmax(0)
    low, high = found[first - 1, places], found[first, places]
    times = dt_ms * (first + -low / (high - low))
    travelled_m_per_s = np.diff(middles(count, length_um)[places])[0] / np.diff(times)[0] * 1e-3
    assert travelled_m_per_s == pytest.approx(18.8, rel=0.01)


@pytest.mark.computing
def test_spikes_of_a_short_cable_are_those_of_an_adaptive_solver(float64):
    count, current_na, end_ms = 12, 0.3, 8.0
    shape = cylinder(600.0, 2.0, count)
    start = Cable(shape, active()).init(jax.random.key(0))
    area_cm2 = np.pi * 2 * 50 * 1e-8
    coupling = np.pi * 1e-8 / (100 * 50e-4) * 1e3  # mS

    def slopes(t, y):
        v, m, h, n = y.reshape(4, count)
        current = 120 * m**3 * h * (50 - v) + 36 * n**4 * (-77 - v) + 0.3 * (-54.387 - v)
        flow = coupling * np.diff(v, prepend=v[0], append=v[-1])
        total = current * area_cm2 + np.diff(flow)
        total[0] += current_na * 1e-3
        gates = [a * (1 - x) - b * x for (a, b), x in zip(squid.rates(v), (m, h, n), strict=True)]
        return np.concatenate([total / area_cm2, *gates])

    at_rest = np.asarray(start.voltage_mv)
    initial = np.concatenate([at_rest, *squid.steady(at_rest)])
    ends = [lambda t, y: y[0], lambda t, y: y[count - 1]]
    solution = solve_ivp(slopes, (0, end_ms), initial, "LSODA", events=ends, rtol=1e-8, atol=1e-8)
    expected = [times[0] for times in solution.t_events]
    errors = []
    for dt_ms in (0.025, 0.0125):
        steps = round(end_ms / dt_ms)
        found = voltages(Cable(shape, active(), dt_ms=dt_ms), at_end(count, steps, current_na), start)[:, [0, -1]]
        found = np.concatenate([at_rest[None, [0, -1]], found])
        first = (found >= 0).argmax(0)
        low, high = found[first - 1, [0, 1]], found[first, [0, 1]]
        errors.append(np.abs(dt_ms * (first - 1 - low / (high - low)) - expected).max())
    assert errors[0] < 0.02
    assert errors[1] < errors[0] / 3


def test_the_start_is_at_rest_and_its_gradient_is_that_of_finite_differences(float64):
    soma = (Inserted(jn.spiking.PyramidalSodium(), 1.0, (0,)), Inserted(jn.spiking.PyramidalPotassium(), 1.0, (0,)))
    cable = Cable(ball_and_stick(20.0, 500.0, 2.0, 6), (*soma, jn.spiking.Leak(0.05, -65.0)))
    start = cable.init(jax.random.key(0))
    assert float(start.voltage_mv[0]) < -60
    later = cable.step(start, jnp.zeros(7))[0]
    for one, other in zip(jax.tree.leaves(start), jax.tree.leaves(later), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-11)

    def leak(cable):
        return cable.channels[2].channel.conductance_ms_per_cm2

    @jax.jit
    @jax.value_and_grad
    def total(conductance):
        return eqx.tree_at(leak, cable, conductance).rest().voltage_mv.sum()

    at, step = leak(cable), 1e-5
    slope = float(total(at + step)[0] - total(at - step)[0]) / (2 * step)
    assert float(total(at)[1]) == pytest.approx(slope, rel=1e-6)


def test_channels_are_where_they_are_inserted_and_conductances_add_to_them(key):
    shape, open_ = ball_and_stick(10.0, 100.0, 1.0, 3), jn.spiking.Leak(0.2, -50.0)
    cable = Cable(shape, (Inserted(open_, jnp.asarray([1.0, 0.5]), (1, 3)), jn.spiking.Leak(0.1, -70.0)))
    bare = Cable(shape, passive())
    extra = 0.2 * np.asarray(shape.areas_cm2()) * 1e3 * np.array([0, 1, 0, 0.5])
    reached = jn.Conductance(jnp.asarray(extra, jnp.float32), jnp.asarray(-50 * extra, jnp.float32))
    state = bare.init(key)
    expected = bare.step(state, jn.Stimulus(channels=reached))[0].voltage_mv
    inserted = eqx.tree_at(lambda s: s.voltage_mv, cable.init(key), state.voltage_mv)
    found = cable.step(inserted, jnp.zeros(4))[0].voltage_mv
    assert float(expected[1]) > -69.99
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_one_spike_is_put_out_for_each_crossing(key):
    cable = Cable(cylinder(300.0, 2.0, 3), active(), output=2)
    _, spikes, voltage = jn.run(cable, at_end(3, 1000, 0.3), key=key, observe="voltage_mv")
    above = np.asarray(voltage)[:, 2] >= 0
    np.testing.assert_array_equal(spikes, above & ~np.concatenate([[False], above[:-1]]))
    assert 1 <= spikes.sum() <= 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda shape: Cable(shape, ()), "Cable got no channels"),
        (lambda shape: Cable(shape, passive(), output=3), "its morphology has 0 to 2"),
        (lambda shape: Cable(shape, (Inserted(passive()[0], 1.0, (0, 3)),)), "its morphology has 0 to 2"),
        (lambda shape: Inserted(passive()[0], 1.0, (1, 0)), "in rising order, each once"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make(Morphology(np.ones(3), np.ones(3), (-1, 0, 1)))
