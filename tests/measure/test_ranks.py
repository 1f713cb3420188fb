"""The area under the curve against its definition over all pairs, ties included, and in small and exact cases."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.measure import auc


def by_pairs(scores, labels):
    """Slow and plain: every positive against every negative."""
    won = [np.sign(p - n) / 2 + 0.5 for p in scores[labels == 1] for n in scores[labels == 0]]
    return np.mean(won)


@pytest.mark.parametrize("levels", [2, 5, 10_000])
def test_is_the_share_of_pairs_in_order(levels):
    generator = np.random.default_rng(levels)
    labels = (generator.random(120) < 0.3).astype(float)
    scores = np.round(generator.normal(size=120) + labels, 4) if levels > 5 else generator.integers(0, levels, 120)
    scores = scores.astype(np.float32)
    found = float(jax.jit(auc)(jnp.asarray(scores), jnp.asarray(labels, jnp.float32)))
    assert found == pytest.approx(by_pairs(scores, labels), abs=1e-6)
    # Only the order counts, and to turn it over turns the area over.
    assert float(auc(jnp.asarray(np.exp(scores)), jnp.asarray(labels))) == pytest.approx(found, abs=1e-6)
    assert float(auc(jnp.asarray(-scores), jnp.asarray(labels))) == pytest.approx(1 - found, abs=1e-6)


@pytest.mark.parametrize(
    ("scores", "labels", "area"),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1], 1.0),
        ([4, 3, 2, 1], [0, 0, 1, 1], 0.0),
        ([1, 1, 1, 1], [0, 1, 0, 1], 0.5),
        ([1, 2, 2, 3], [0, 0, 1, 1], 0.875),
        ([-np.inf, 0, np.inf], [0, 0, 1], 1.0),
    ],
)
def test_small_cases_are_exact(scores, labels, area):
    assert float(auc(jnp.asarray(scores, jnp.float32), jnp.asarray(labels, jnp.float32))) == area


def test_of_many_samples_nothing_is_lost():
    """Many samples, of which few are positive: the same as in whole numbers."""
    generator = np.random.default_rng(0)
    labels = generator.random(200_000) < 0.01
    scores = (generator.normal(size=labels.size) + labels).astype(np.float32)
    order = np.argsort(scores, kind="stable")
    below = np.cumsum(~labels[order])[labels[order]]
    expected = below.sum() / (labels.sum() * (~labels).sum())
    found = float(auc(jnp.asarray(scores), jnp.asarray(labels, jnp.float32)))
    assert found == pytest.approx(expected, abs=2e-6)


def test_without_one_of_the_classes_there_is_none():
    assert np.isnan(float(auc(jnp.zeros(3), jnp.ones(3))))
    assert np.isnan(float(auc(jnp.zeros(3), jnp.zeros(3))))
