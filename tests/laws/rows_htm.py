"""Rows of the laws for memories of dendritic segments."""

import jax.numpy as jnp
import numpy as np

import jaxneuro as jn
from tests.laws.row import Row


def columns(generator, steps):
    """Three patterns of three of nine minicolumns, again and again, with one column wrong now and then."""
    drawn = np.stack([np.sort(generator.permutation(9)[:3]) for _ in range(steps + 3)])
    wrong = generator.random(steps) < 0.2
    active = np.where(wrong[:, None], drawn[3:], drawn[np.arange(steps) % 3])
    return jnp.asarray(active, jnp.int32)


def steps(generator, number):
    """The same, not always learnt from, and with new beginnings."""
    learn, reset = generator.random(number) < 0.8, generator.random(number) < 0.1
    return jn.htm.Columns(columns(generator, number), jnp.asarray(learn), jnp.asarray(reset))


def memory(**sizes):
    return jn.htm.TemporalMemory(
        9,
        3,
        segments=4,
        synapses=5,
        learning_rows=8,
        punished_rows=6,
        winners=6,
        # Finite differences must not meet a threshold: counts are whole, and no sum of steps is 0, 1 or 0.503.
        activation_threshold=1.5,
        min_threshold=1.2,
        new_synapses=3.5,
        connected_permanence=0.503,
        permanence_increment=0.137,
        permanence_decrement=0.071,
        predicted_decrement=0.023,
        **sizes,
    )


HTM: tuple[Row, ...] = (
    Row("TemporalMemory", lambda key: memory(fan_out=64), columns, smooth=True, quick=False),
    Row("TemporalMemory without lists", lambda key: memory(fan_out=None), steps, smooth=True, quick=False),
    Row(
        "TemporalMemory least useful",
        lambda key: memory(fan_out=64, evict="least_useful"),
        steps,
        smooth=True,
        quick=False,
    ),
)
