"""Synaptic intelligence beside closed forms of quadratic losses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.learning.synaptic_intelligence import begin, consolidate, follow, pull


def descend(known, place, target, curvature, rate, steps, strength=0.0):
    """Gradient descent on `sum curvature (theta - target)^2 / 2` with the pull of earlier tasks."""

    def step(_, carry):
        known, place = carry
        gradient = {"theta": curvature * (place["theta"] - target)}
        held = pull(known, place, jnp.asarray(strength))
        change = jax.tree.map(lambda slope, back: -rate * (slope + back), gradient, held)
        return follow(known, gradient, change), jax.tree.map(jnp.add, place, change)

    return jax.jit(lambda carry: jax.lax.fori_loop(0, steps, step, carry))((known, place))


def test_the_path_is_what_each_parameter_has_lowered_the_loss_by(float64):
    start = {"theta": jnp.array([1.0, -2.0, 0.5])}
    curvature, target = jnp.array([1.0, 4.0, 0.0]), jnp.array([0.0, 1.0, 3.0])
    known, place = descend(begin(start), start, target, curvature, 1e-4, 2000)

    def losses(place):
        return curvature * (place["theta"] - target) ** 2 / 2

    # A sum over small steps is the integral, to the first order of their size.
    np.testing.assert_allclose(known.path["theta"], losses(start) - losses(place), rtol=1e-3)


def test_importance_is_the_path_over_the_way_and_the_second_task_stops_at_the_closed_form(float64):
    start = {"theta": jnp.array([1.0, -2.0])}
    curvature, target = jnp.array([1.0, 4.0]), jnp.array([0.0, 1.0])
    known, place = descend(begin(start), start, target, curvature, 0.01, 3000)
    path = np.asarray(known.path["theta"])
    damping = 0.1
    known = consolidate(known, place, jnp.asarray(damping))
    importance = path / ((np.array([0.0, 1.0]) - [1.0, -2.0]) ** 2 + damping)
    np.testing.assert_allclose(known.importance["theta"], importance, rtol=1e-6)
    assert not np.asarray(known.path["theta"]).any()
    np.testing.assert_allclose(known.anchor["theta"], [0.0, 1.0], atol=1e-6)
    other, strength = jnp.array([2.0, -1.0]), 0.7
    _, place = descend(known, place, other, curvature, 0.01, 4000, strength)
    # Where curvature (theta - other) + 2 c Omega (theta - anchor) = 0.
    held = 2 * strength * importance
    expected = (np.asarray(curvature * other) + held * np.array([0.0, 1.0])) / (np.asarray(curvature) + held)
    np.testing.assert_allclose(place["theta"], expected, rtol=1e-5)


def test_the_pull_is_the_gradient_of_the_penalty(key, float64):
    keys = jax.random.split(key, 3)
    importance, anchor, place = ({"a": jax.random.normal(key, (4,)), "b": jax.random.normal(key, ())} for key in keys)
    known = begin(anchor)
    known = type(known)(importance, known.path, anchor)

    def penalty(place):
        parts = jax.tree.map(lambda o, p, a: (o * (p - a) ** 2).sum(), importance, place, anchor)
        return 0.3 * sum(jax.tree.leaves(parts))

    expected = jax.grad(penalty)(place)
    for found, slope in zip(
        jax.tree.leaves(pull(known, place, jnp.asarray(0.3))), jax.tree.leaves(expected), strict=True
    ):
        np.testing.assert_allclose(found, slope, rtol=1e-12)


def test_a_parameter_whose_moves_raised_the_loss_is_of_no_importance():
    known = follow(begin(jnp.zeros(2)), jnp.array([1.0, -1.0]), jnp.array([0.5, 0.5]))
    found = consolidate(known, jnp.full(2, 0.5), jnp.asarray(0.25)).importance
    assert found.tolist() == pytest.approx([0.0, 0.5 / (0.25 + 0.25)])
