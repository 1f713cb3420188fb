"""Slopes of choices on evidence: against a general optimiser, and where evidence decides everything."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize

from jaxneuro.measure import psychometric_slopes


def trials(weights, count=2000, seed=0):
    drawn = np.random.default_rng(seed)
    evidence = drawn.normal(size=(count, len(weights))) * [3.0, 0.5][: len(weights)] + 1
    odds = (evidence - 1) / [3.0, 0.5][: len(weights)] @ np.asarray(weights)
    return evidence, (drawn.random(count) < 1 / (1 + np.exp(-odds))).astype(float)


@pytest.mark.parametrize("weights", [(2.0, -0.5), (0.0, 0.0), (6.0, 0.1)])
def test_slopes_are_those_of_a_general_optimiser(float64, weights):
    evidence, choices = trials(weights)
    scaled = (evidence - evidence.mean(0)) / evidence.std(0)

    def loss(all_weights):
        margin = (2 * choices - 1) * (all_weights[0] + scaled @ all_weights[1:])
        return np.logaddexp(0, -margin).mean() + 1e-3 * (all_weights**2).sum() / 2

    best = optimize.minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-10}).x
    found = psychometric_slopes(jnp.asarray(evidence), jnp.asarray(choices))
    np.testing.assert_allclose(found, best[1:], rtol=0, atol=1e-5)
    # What the choices were drawn with, to within five standard errors of the larger.
    np.testing.assert_allclose(found, weights, rtol=0.15, atol=0.3)


def test_slopes_stay_finite_where_evidence_decides_all_or_nothing_varies():
    evidence = jax.random.normal(jax.random.key(0), (500, 2))
    decided = psychometric_slopes(evidence, (evidence[:, 0] > 0).astype(jnp.float32))
    assert 5 < decided[0] < 100
    assert jnp.abs(decided[1]) < 0.2 * decided[0]
    np.testing.assert_allclose(psychometric_slopes(evidence, jnp.ones(500)), 0, rtol=0, atol=0.05)
    constant = psychometric_slopes(evidence.at[:, 1].set(3.0), (evidence[:, 0] > 0).astype(jnp.float32))
    assert constant[1] == 0


def test_many_networks_are_measured_at_once():
    evidence = jax.random.normal(jax.random.key(0), (300, 2))
    choices = jnp.stack([(evidence[:, place] > 0).astype(jnp.float32) for place in range(2)])
    found = jax.vmap(psychometric_slopes, (None, 0))(evidence, choices)
    assert found[0, 0] > 5 > abs(found[0, 1])
    assert found[1, 1] > 5 > abs(found[1, 0])
