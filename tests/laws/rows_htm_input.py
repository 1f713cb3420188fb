"""Rows of the laws for what hierarchical temporal memory hears and how it is read."""

import jax.numpy as jnp
import numpy as np

import jaxneuro as jn
from tests.laws.row import Row, floats, vectors

htm = jn.htm


def patterns(inputs, share=0.5):
    """Random truth values."""
    return lambda generator, steps: jnp.asarray(generator.uniform(size=(steps, inputs)) < share)


def sometimes_learning(inputs):
    return lambda generator, steps: htm.Bits(
        patterns(inputs)(generator, steps), jnp.asarray(generator.uniform(size=steps) < 0.7)
    )


def moments(generator, steps):
    """Random seconds of half a century."""
    return jnp.asarray(generator.integers(0, 1_600_000_000, size=steps), jnp.int32)


def surprises(generator, steps):
    """Random values with random scores."""
    return htm.Surprise(floats(generator.normal(size=steps)), floats(generator.uniform(size=steps)))


def labelled(inputs, on, buckets):
    """Random patterns with random buckets."""

    def make(generator, steps):
        patterns = np.sort(generator.integers(0, inputs + 1, size=(steps, on)))
        return htm.Labelled(
            jnp.asarray(patterns, jnp.int32),
            jnp.asarray(generator.integers(0, buckets, size=steps), jnp.int32),
            floats(generator.normal(size=steps)),
            jnp.asarray(generator.uniform(size=steps) < 0.7),
        )

    return make


HTM_INPUT: tuple[Row, ...] = (
    Row(
        # Of so many inputs no two columns have the same overlap at the place where it matters.
        "SpatialPooler",
        lambda key: htm.SpatialPooler(60, 4, winners=2, boost_strength=2.0, update_period=3.0, stimulus_threshold=1.5),
        sometimes_learning(60),
        smooth=True,
        quick=False,
    ),
    Row(
        # Of so large a share no two neighbours have the same overlap at the place where it matters.
        "SpatialPooler of neighbours",
        lambda key: htm.SpatialPooler(
            (4, 16),
            (2, 3),
            winners=4,
            potential_radius=6,
            potential_share=0.7,
            local=True,
            density=0.35,
            boost_strength=2.0,
            update_period=3.0,
        ),
        sometimes_learning(64),
        smooth=True,
        quick=False,
    ),
    Row("ScalarEncoder", lambda key: htm.ScalarEncoder(9, 3, low=-1.0), vectors(), smooth=True, quick=False),
    Row("ScalarEncoder periodic", lambda key: htm.ScalarEncoder(9, 3, True), vectors(), smooth=True, quick=False),
    Row("RandomScalarEncoder", lambda key: htm.RandomScalarEncoder(9, 3, key=key), vectors(), smooth=True, quick=False),
    Row("DateEncoder", lambda key: htm.DateEncoder(9, 3, 1, 1), moments, smooth=True, quick=False),
    Row(
        "AnomalyLikelihood",
        lambda key: htm.AnomalyLikelihood(
            6, 3, learning_period=1.5, estimation_samples=1.0, estimation_period=2.0, least_change=0.0
        ),
        surprises,
        smooth=True,
        quick=False,
    ),
    Row(
        "SDRClassifier",
        lambda key: htm.SDRClassifier(6, 4, 2, (1, 3), rate=0.3),
        labelled(6, 2, 4),
        smooth=True,
        order=2,
        quick=False,
    ),
)
