"""Linear recurrences, beside a loop in plain Python, in both ways of computing them."""

import contextlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.recurrence import recurrence, stepwise

STEPS, UNITS = 7, 3
WAYS = {"associative": contextlib.nullcontext, "stepwise": stepwise}


@pytest.fixture(params=WAYS)
def solve(request):
    def solved(factors, added):
        with WAYS[request.param]():
            return recurrence(factors, added)

    return solved


def drawn(states, dtype=float):
    generator = np.random.default_rng(states)

    def normal():
        values = generator.normal(size=(STEPS, UNITS)) + 1j * generator.normal(size=(STEPS, UNITS))
        return jnp.asarray(values if dtype is complex else values.real, dtype)

    return [[normal() for _ in range(states)] for _ in range(states)], [normal() for _ in range(states)]


def looped(factors, added):
    state, found = [jnp.zeros_like(b[0]) for b in added], []
    for t in range(STEPS):
        rows = [sum(a[t] * s for a, s in zip(row, state, strict=True)) for row in factors]
        state = [row + b[t] for row, b in zip(rows, added, strict=True)]
        found.append(state)
    return [jnp.stack(values) for values in zip(*found, strict=True)]


def objective(solve):
    def squares(factors, added):
        return sum(jnp.sum(jnp.abs(s) ** 2 * jnp.arange(1.0, s.shape[1] + 1)[None]) for s in solve(factors, added))

    return squares


@pytest.mark.parametrize(("states", "dtype"), [(1, float), (1, complex), (2, float), (3, complex)])
def test_states_and_derivatives_are_those_of_a_loop(states, dtype, solve, float64):
    problem = drawn(states, dtype)
    for one, other in zip(jax.jit(solve)(*problem), looped(*problem), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
    gradients, expected = (jax.jit(jax.grad(objective(way), argnums=(0, 1)))(*problem) for way in (solve, looped))
    for one, other in zip(jax.tree.leaves(gradients), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9 * float(jnp.abs(other).max()))


@pytest.mark.slow
def test_second_derivatives_and_lanes_too(solve, float64):
    factors, added = drawn(1)

    def curvature(way):
        return jax.hessian(lambda a, b: objective(way)([[a[:, None]]], [b[:, None]]), argnums=(0, 1))

    lanes = [jax.jit(jax.vmap(curvature(way), in_axes=1))(factors[0][0], added[0]) for way in (solve, looped_one)]
    for one, other in zip(*map(jax.tree.leaves, lanes), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9 * float(jnp.abs(other).max()))


def looped_one(factors, added):
    state, found = jnp.zeros(1), []
    for a, b in zip(factors[0][0], added[0], strict=True):
        state = a * state + b
        found.append(state)
    return [jnp.stack(found)]


def test_only_the_stepwise_way_has_a_loop():
    problem = drawn(1)

    def loops(way):
        def solved(*problem):
            with way():
                return recurrence(*problem)

        return str(jax.make_jaxpr(solved)(*problem)).count(" scan[")

    assert [loops(way) for way in WAYS.values()] == [0, 1]
