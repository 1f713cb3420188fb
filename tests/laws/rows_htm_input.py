"""Rows of the laws for what hierarchical temporal memory hears and how it is read."""

import jax.numpy as jnp

import jaxneuro as jn
from tests.laws.row import Row

htm = jn.htm


def patterns(inputs, share=0.5):
    """Random truth values."""
    return lambda generator, steps: jnp.asarray(generator.uniform(size=(steps, inputs)) < share)


def sometimes_learning(inputs):
    return lambda generator, steps: htm.Bits(
        patterns(inputs)(generator, steps), jnp.asarray(generator.uniform(size=steps) < 0.7)
    )


HTM_INPUT: tuple[Row, ...] = (
    Row(
        "SpatialPooler",
        lambda key: htm.SpatialPooler(24, 8, winners=2, boost_strength=2.0, update_period=3.0, stimulus_threshold=1.0),
        sometimes_learning(24),
        smooth=True,
        quick=False,
    ),
    Row(
        "SpatialPooler local",
        lambda key: htm.SpatialPooler(
            24, 8, winners=6, local=True, potential_radius=4, area_winners=1.0, boost_strength=2.0, update_period=3.0
        ),
        patterns(24),
        smooth=True,
        quick=False,
    ),
)
