"""Integrators: their order, and where they are exact, against the matrix exponential and an adaptive solver."""

from fractions import Fraction
from math import factorial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import jaxneuro as jn
from jaxneuro.flow import exprel, inverse_exprel, relayed


class Pair(eqx.Module):
    """Two variables."""

    first: jax.Array
    second: jax.Array


class Relaxation(jn.Flow):
    """FitzHugh's nerve model: two coupled variables, one of them cubic."""

    def init(self, key):
        return Pair(jnp.asarray(-1.0), jnp.asarray(1.0))

    def derivative(self, state, input):
        v, w = state.first, state.second
        return Pair(v - v**3 / 3 - w + input, 0.08 * (v + 0.7 - 0.8 * w))

    def jump(self, state, input, dt_ms):
        return state, state.first


class Linear(jn.Flow):
    """`s' = A s + b x`."""

    rates: jax.Array = jn.parameter()
    gains: jax.Array = jn.parameter()

    def init(self, key):
        return Pair(jnp.asarray(1.0), jnp.asarray(-0.5))

    def derivative(self, state, input):
        slope = self.rates @ jnp.stack([state.first, state.second]) + self.gains * input
        return Pair(slope[0], slope[1])

    def jump(self, state, input, dt_ms):
        return state, jnp.stack([state.first, state.second])


COUPLED = Linear(np.asarray([[-0.3, 0.9], [-1.1, -0.2]]), np.asarray([0.5, -0.4]))
STEPS = 1.0 / 2 ** np.arange(1, 7)


INTEGRATORS = [jn.Euler, jn.ExponentialEuler, jn.SplitExponentialEuler, jn.RungeKutta4, jn.Exact]


def whole(state):
    return state


def order(integrator, flow, exact, steps):
    """The slope of the error at 4 ms over the step size; one program for all step sizes."""
    counts = np.round(4 / steps).astype(int)
    run = jax.vmap(lambda dt: jn.run(integrator(flow, dt_ms=dt), jnp.full(counts.max(), 0.5), observe=whole)[2])
    states = run(jnp.asarray(steps))
    reached = np.stack([leaf[np.arange(len(steps)), counts - 1] for leaf in (states.first, states.second)], axis=1)
    errors = np.abs(reached - exact).max(axis=1)
    return np.polyfit(np.log(steps), np.log(errors), 1)[0]


@pytest.mark.parametrize(
    ("integrator", "nominal"),
    [(jn.Euler, 1), (jn.ExponentialEuler, 1), (jn.SplitExponentialEuler, 1), (jn.RungeKutta4, 4), (jn.Exact, 2)],
)
def test_order_on_a_coupled_nonlinear_flow_is_the_nominal_one(integrator, nominal, float64):
    solution = solve_ivp(
        lambda t, s: [s[0] - s[0] ** 3 / 3 - s[1] + 0.5, 0.08 * (s[0] + 0.7 - 0.8 * s[1])],
        (0, 4), [-1.0, 1.0], method="DOP853", rtol=1e-13, atol=1e-13,
    )  # fmt: skip
    # The first halvings are still on the way to the asymptotic slope when the order is low.
    steps = STEPS if nominal == 4 else STEPS / 16
    assert order(integrator, Relaxation(), solution.y[:, -1], steps) == pytest.approx(nominal, abs=0.15)


@pytest.mark.parametrize("dt", [0.01, 0.1, 1.0, 7.0])
def test_exact_is_the_matrix_exponential_on_a_coupled_linear_flow(dt, key, float64):
    inputs = jax.random.normal(key, (50,))
    rates, gains = np.asarray(COUPLED.rates, np.float64), np.asarray(COUPLED.gains, np.float64)
    propagator = expm(rates * dt)
    state, expected = np.asarray([1.0, -0.5]), []
    for x in np.asarray(inputs):
        settled = -np.linalg.solve(rates, gains * x)
        state = settled + propagator @ (state - settled)
        expected.append(state)
    _, outputs = jn.run(jn.Exact(jn.cast(COUPLED, jnp.float64), dt_ms=dt), inputs)
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-12)


def test_exact_needs_no_inverse_of_the_rates(float64):
    # x' = v, v' = input: the rates have no inverse and no decay; a body under constant force.
    falling = Linear(np.asarray([[0.0, 1.0], [0.0, 0.0]]), np.asarray([0.0, 1.0]))
    _, outputs = jn.run(jn.Exact(falling, dt_ms=0.5), jnp.full(20, 3.0))
    t = 0.5 * np.arange(1, 21)
    np.testing.assert_allclose(outputs, np.stack([1 - 0.5 * t + 1.5 * t**2, -0.5 + 3 * t], axis=1), rtol=1e-12)


@pytest.mark.parametrize("dt", [1e-4, 1e-2, 1.0, 30.0])
def test_exponential_euler_is_exact_on_uncoupled_linear_flows(dt, float64):
    uncoupled = Linear(np.asarray([[-0.3, 0.0], [0.0, 0.05]]), np.asarray([0.5, -0.4]))
    _, outputs = jn.run(jn.ExponentialEuler(uncoupled, dt_ms=dt), jnp.full(100, 2.0))
    t, rates, gains, start = dt * np.arange(1, 101)[:, None], np.array([-0.3, 0.05]), np.array([0.5, -0.4]), [1.0, -0.5]
    exact = start * np.exp(rates * t) + 2.0 * gains * np.expm1(rates * t) / rates
    np.testing.assert_allclose(outputs, exact, rtol=1e-12, atol=1e-13)


def test_exponential_euler_is_stable_where_euler_is_not():
    stiff = Linear(np.asarray([[-50.0, 0.0], [0.0, -0.1]]), np.asarray([1.0, 1.0]))
    inputs = jnp.ones(400)
    assert jnp.abs(jn.run(jn.ExponentialEuler(stiff, dt_ms=0.5), inputs)[1]).max() <= 10.001
    assert not jnp.isfinite(jn.run(jn.Euler(stiff, dt_ms=0.5), inputs)[1]).all()


POINTS = [sign * 10.0**exponent for exponent in range(-12, 1) for sign in (1, -1)] + [
    0.0,
    0.00999,
    0.0999,
    -0.0999,
    0.1001,
    -0.1001,
    3.0,
    -3.0,
]


@pytest.mark.parametrize(
    ("dtype", "value_digits", "slope_digits"), [("float64", 1e-14, 1e-12), ("float32", 1e-6, 1e-4)]
)
def test_the_quotient_of_exponential_euler_keeps_its_digits_near_zero(dtype, value_digits, slope_digits, float64):
    points = np.asarray(POINTS, dtype)
    # phi(z) = (e^z - 1) / z = sum z^k / (k + 1)!, in exact fractions.
    terms = range(40)
    values = [float(sum(Fraction(float(z)) ** k / factorial(k + 1) for k in terms)) for z in points]
    slopes = [float(sum(k * Fraction(float(z)) ** (k - 1) / factorial(k + 1) for k in terms[1:])) for z in points]
    found, slope = jax.jit(jax.vmap(jax.value_and_grad(exprel)))(jnp.asarray(points))
    np.testing.assert_allclose(found, values, rtol=value_digits)
    np.testing.assert_allclose(slope, slopes, rtol=slope_digits)
    # And 1 / phi, whose slope is -phi' / phi^2, with an exponential of its own or a given one.
    for inverse in (inverse_exprel, lambda z: inverse_exprel(z, jnp.exp(z))):
        found, slope = jax.jit(jax.vmap(jax.value_and_grad(inverse)))(jnp.asarray(points))
        np.testing.assert_allclose(found, 1 / np.asarray(values), rtol=value_digits)
        np.testing.assert_allclose(slope, -np.asarray(slopes) / np.asarray(values) ** 2, rtol=slope_digits)


@pytest.mark.parametrize("integrator", INTEGRATORS)
def test_gradients_are_those_of_finite_differences(integrator, float64):
    machine = integrator(jn.cast(COUPLED, jnp.float64), dt_ms=0.2)

    @jax.jit
    def loss(machine, inputs):
        return jnp.sum(jn.run(machine, inputs)[1] ** 2)

    check_grads(loss, (machine, jnp.sin(jnp.arange(5.0))), order=1, modes=("rev",), atol=1e-6, rtol=1e-6)


def test_the_jump_sees_the_step_size_of_the_integrator():
    # 20 steps of 0.1 ms are held by the integrator's clock, not 2 of the neuron's own 1 ms.
    machine = jn.Euler(jn.LIF(refractory_ms=2.0, dt_ms=1.0), dt_ms=0.1)
    _, spikes = jn.run(machine, jnp.full(200, 1e6))
    np.testing.assert_array_equal(np.diff(np.flatnonzero(spikes)), 21)


def test_a_rate_far_too_fast_has_a_finite_step_and_gradient():
    def end(dt):
        return jn.run(jn.SplitExponentialEuler(Gated(), dt_ms=dt), jnp.ones(3))[0].second

    for dt in (1e-6, 1e12, 1e30):
        value, slope = jax.value_and_grad(end)(jnp.asarray(dt))
        assert np.isfinite(value)
        assert np.isfinite(slope)


def test_split_exponential_euler_lets_each_variable_see_the_new_values_before_it(float64):
    inputs, dt, (v, w), expected = np.linspace(0.0, 1.0, 20), 0.7, (-1.0, 1.0), []
    for x in inputs:
        b = 1 - v**2
        v = v + (np.expm1(dt * b) / b if b else dt) * (v - v**3 / 3 - w + x)
        w = (v + 0.7) / 0.8 + (w - (v + 0.7) / 0.8) * np.exp(-0.08 * 0.8 * dt)
        expected.append([v, w])
    _, _, states = jn.run(jn.SplitExponentialEuler(Relaxation(), dt_ms=dt), jnp.asarray(inputs), observe=whole)
    np.testing.assert_allclose(np.stack([states.first, states.second], axis=1), expected, rtol=1e-12)


class Gated(jn.Relaxing):
    """Two variables, the second of which follows the first."""

    def init(self, key):
        return Pair(jnp.asarray(-1.0), jnp.asarray(1.0))

    def relaxation(self, state, input):
        return Pair(jnp.asarray(0.3), 1 + state.first**2), Pair(state.second + input, jnp.tanh(state.first))

    def jump(self, state, input, dt_ms):
        return state, state.first


class GatedByDerivative(jn.Flow):
    """The same, as a flow that does not tell its rates and targets."""

    def init(self, key):
        return Gated().init(key)

    def derivative(self, state, input):
        return Pair(
            0.3 * (state.second + input - state.first), (1 + state.first**2) * (jnp.tanh(state.first) - state.second)
        )

    def jump(self, state, input, dt_ms):
        return state, state.first


@pytest.mark.parametrize("integrator", INTEGRATORS)
def test_rates_and_targets_give_the_steps_that_differentiation_finds(integrator, float64):
    inputs = jnp.linspace(-1.0, 1.0, 30)
    told, found = (
        jn.run(integrator(flow, dt_ms=0.4), inputs, observe=whole)[2] for flow in (Gated(), GatedByDerivative())
    )
    np.testing.assert_allclose(told.first, found.first, rtol=1e-12)
    np.testing.assert_allclose(told.second, found.second, rtol=1e-12)


def test_split_exponential_euler_refuses_a_state_without_fields():
    class Alone(Relaxation):
        def init(self, key):
            return jnp.asarray(0.0)

    with pytest.raises(ValueError, match=r"SplitExponentialEuler got a state of type .*; it needs an eqx.Module"):
        jn.run(jn.SplitExponentialEuler(Alone()), jnp.zeros(4))


def test_exponential_euler_refuses_a_variable_that_is_not_a_scalar():
    class Vector(Relaxation):
        def init(self, key):
            return Pair(jnp.zeros(3), jnp.zeros(3))

    with pytest.raises(ValueError, match=r"state variable of shape \(3,\); it takes scalars.*Population"):
        jn.run(jn.ExponentialEuler(Vector()), jnp.zeros(4))


@pytest.mark.parametrize("integrator", INTEGRATORS)
def test_a_step_size_must_be_above_zero(integrator):
    with pytest.raises(ValueError, match=rf"{integrator.__name__}.dt_ms is 0; it must be above 0 ms"):
        integrator(Relaxation(), dt_ms=0.0)


@pytest.mark.parametrize(("first", "second"), [(5.0, 20.0), (20.0, 5.0), (7.0, 7.0), (7.0, 7.0 + 1e-9), (0.001, 900.0)])
def test_what_is_relayed_is_the_integral_and_smooth_where_both_decays_are_equal(first, second, float64):
    exact = -first * second / (second - first) * (np.exp(-3 / first) - np.exp(-3 / second)) if second != first else 0
    far = abs(second - first) > 1e-6
    expected = exact if far else 3 * np.exp(-3 / 7)
    value, slopes = jax.value_and_grad(relayed, argnums=(0, 1, 2))(*map(jnp.asarray, (3.0, first, second)))
    assert float(value) == pytest.approx(expected, rel=1e-13 if far else 1e-8)
    for index, slope in enumerate(slopes):
        at = [3.0, first, second]
        below, above = ([x + sign * 1e-5 * x * (i == index) for i, x in enumerate(at)] for sign in (-1, 1))
        difference = relayed(*map(jnp.asarray, above)) - relayed(*map(jnp.asarray, below))
        assert float(slope) == pytest.approx(float(difference) / (2e-5 * at[index]), abs=1e-7)
