"""Phase planes and branches of fixed points: closed forms of FitzHugh's model, and the Hopf points of the squid."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn


class Pair(eqx.Module):
    """Two variables."""

    v: jax.Array
    w: jax.Array


class FitzHugh(jn.Flow):
    """`v' = v - v^3 / 3 - w + I`, `w' = e (v + 0.7 - 0.8 w)`."""

    e: jax.Array = jn.parameter(0.08)

    def init(self, key):
        return Pair(jnp.asarray(-1.2), jnp.asarray(-0.6))

    def derivative(self, state, input):
        return Pair(state.v - state.v**3 / 3 - state.w + input, self.e * (state.v + 0.7 - 0.8 * state.w))

    def jump(self, state, input, dt_ms):
        return state, state.v


def plane():
    x, y = jnp.linspace(-2.5, 2.5, 101), jnp.linspace(-1.5, 2.0, 71)
    return jn.measure.phase_plane(FitzHugh(), jnp.asarray(0.5), x, y, compose=Pair, read=lambda s: (s.v, s.w))


def test_the_grid_holds_the_slopes():
    found = plane()
    assert found.x_slope.shape == (71, 101)
    v, w = found.x[7], found.y[50]
    np.testing.assert_allclose(found.x_slope[50, 7], v - v**3 / 3 - w + 0.5, rtol=1e-5)
    np.testing.assert_allclose(found.y_slope[50, 7], 0.08 * (v + 0.7 - 0.8 * w), rtol=1e-5)


def test_points_of_the_nullclines_are_on_the_curves():
    cubic, line = jn.measure.nullclines(plane())
    assert len(cubic) > 100
    np.testing.assert_allclose(cubic[:, 1], cubic[:, 0] - cubic[:, 0] ** 3 / 3 + 0.5, atol=3e-3)
    np.testing.assert_allclose(line[:, 1], (line[:, 0] + 0.7) / 0.8, atol=1e-4)


def test_the_figure_has_both_nullclines():
    axes = jn.measure.draw_phase_plane(plane(), names=("V", "w"))
    assert axes.get_xlabel() == "V"
    curves = [path for collection in axes.collections for path in collection.get_paths() if len(path.vertices) > 20]
    nearest = min(np.abs(p.vertices[:, 1] - (p.vertices[:, 0] + 0.7) / 0.8).max() for p in curves)
    assert nearest < 1e-3


def fitzhugh(current):
    return FitzHugh(), current


def test_a_branch_follows_the_fixed_point_and_its_eigenvalues(float64):
    currents = jnp.linspace(0.0, 1.5, 151)
    found = jn.measure.branch(fitzhugh, currents, FitzHugh().init(jax.random.key(0)))
    v = np.asarray(found.states.v)
    # w = (v + 0.7) / 0.8 in the cubic; trace and determinant of [[1 - v^2, -1], [e, -0.8 e]].
    np.testing.assert_allclose(v - v**3 / 3 - (v + 0.7) / 0.8 + np.asarray(currents), 0, atol=1e-12)
    trace, determinant = 1 - v**2 - 0.064, -0.064 * (1 - v**2) + 0.08
    np.testing.assert_allclose(found.eigenvalues.sum(axis=1), trace, atol=1e-10)
    np.testing.assert_allclose(found.eigenvalues.prod(axis=1), determinant, atol=1e-10)
    assert found.residuals.max() < 1e-12
    # Hopf: v^2 = 1 - 0.064.
    hopf = [(w + 0.7) / 0.8 - w + w**3 / 3 for w in (-(0.936**0.5), 0.936**0.5)]
    np.testing.assert_allclose(found.changes_of_stability(), hopf, atol=2e-5)
    assert found.stable[0]
    assert not found.stable[75]


def squid(current):
    return jn.spiking.HodgkinHuxley(), current


def test_a_branch_finds_the_hopf_points_of_the_squid(float64):
    found = jn.measure.branch(
        squid,
        jnp.linspace(0.0, 160.0, 641),
        jn.spiking.HodgkinHuxley().init(jax.random.key(0)),
        where=lambda state: (state.gates, state.voltage_mv),
    )
    assert found.residuals.max() < 1e-9
    # The project's numbers, from the eigenvalues of the Jacobian.
    np.testing.assert_allclose(found.changes_of_stability(), [9.77544, 154.522], atol=5e-3)
    assert found.states.voltage_mv[0] == pytest.approx(-64.9964, abs=1e-4)


def test_a_section_through_more_variables_is_a_plane_too():
    flow = jn.spiking.HodgkinHuxley()
    rest = flow.init(jax.random.key(0))

    def compose(v, n):
        gates = dataclasses.replace(flow.steady(v), potassium_activation=n)
        return dataclasses.replace(rest, gates=gates, voltage_mv=v)

    found = jn.measure.phase_plane(
        flow,
        jnp.asarray(0.0),
        jnp.linspace(-80.0, 40.0, 61),
        jnp.linspace(0.2, 0.9, 41),
        compose=compose,
        read=lambda s: (s.voltage_mv, s.gates.potassium_activation),
    )
    _, gate = jn.measure.nullclines(found)
    steady = jax.vmap(flow.steady)(jnp.asarray(gate[:, 0])).potassium_activation
    np.testing.assert_allclose(gate[:, 1], steady, atol=2e-3)
