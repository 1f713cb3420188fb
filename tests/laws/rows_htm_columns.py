"""Rows of the laws for memories whose cells have several kinds of dendrites, and for grid cells."""

import jax.numpy as jnp
import numpy as np

import jaxneuro as jn
from tests.laws.row import Row, floats


def flags(generator, steps, share):
    return jnp.asarray(generator.random(steps) < share)


def some(generator, steps, size, number):
    """Sets of a fixed number of things, of three that come again and again, as sorted numbers."""
    drawn = np.stack([np.sort(generator.permutation(size)[:number]) for _ in range(3)])
    return jnp.asarray(drawn[np.arange(steps) % 3], jnp.int32)


def packed(members, size):
    return jn.htm.pack(jnp.zeros((len(members), size), bool).at[np.arange(len(members))[:, None], members].set(True))


def in_context(basal):
    def inputs(generator, steps):
        context, above = some(generator, steps, 12, 4), some(generator, steps, 7, 3)
        return jn.htm.ColumnsInContext(
            some(generator, steps, 6, 2),
            packed(above, 7),
            above,
            packed(context, 12) if basal else None,
            context if basal else None,
            learn=flags(generator, steps, 0.7),
            reset=flags(generator, steps, 0.1),
        )

    return inputs


def memory(basal_inputs, **sizes):
    return jn.htm.ApicalTiebreakMemory(
        6,
        3,
        basal_inputs=basal_inputs,
        apical_inputs=7,
        segments=4,
        apical_segments=2,
        synapses=4,
        learning_rows=8,
        punished_rows=6,
        winners=6,
        apical_candidates=3,
        # Finite differences must not meet a threshold.
        activation_threshold=1.5,
        reduced_basal_threshold=1.3,
        min_threshold=1.2,
        new_synapses=3.5,
        initial_permanence=0.45,
        connected_permanence=0.503,
        permanence_increment=0.137,
        permanence_decrement=0.071,
        basal_predicted_decrement=0.023,
        apical_predicted_decrement=0.013,
        **sizes,
    )


def movements(generator, steps):
    """A walk over landmarks, learnt at first."""
    landmarks = some(generator, steps, 9, 3)
    learn = jnp.arange(steps) < steps // 2
    return jn.htm.Movement(
        floats(generator.normal(size=(steps, 2))), packed(landmarks, 9), landmarks, learn, flags(generator, steps, 0.1)
    )


def grid_cells(key):
    return jn.htm.GridLocation(
        2,
        5,
        9,
        segments=4,
        synapses=3,
        scale=floats([3.0, 4.0]),
        activation_threshold=1.5,
        min_threshold=1.5,
        initial_permanence=0.6,
        connected_permanence=0.503,
        new_synapses=2.5,
        permanence_increment=0.0137,
        permanence_decrement=0.0071,
    )


def touches(generator, steps):
    return jn.networks.Touch(
        floats(generator.normal(size=(steps, 2))),
        some(generator, steps, 6, 2),
        jnp.arange(steps) < steps // 2,
        flags(generator, steps, 0.2),
    )


def column(key):
    return jn.networks.sensorimotor_column(
        3, 5, 6, 3, feature_columns=2, location_segments=4, sensory_segments=4, scale=3.0
    )


def sensations(generator, steps):
    """Parts of objects, learnt at first, beside one neighbouring column."""
    parts = some(generator, steps, 9, 3)
    return jn.htm.Sensed(
        packed(parts, 9),
        parts,
        packed(some(generator, steps, 20, 4), 20)[:, None],
        jnp.arange(steps) < steps // 2,
        flags(generator, steps, 0.2),
    )


def pooler(key):
    return jn.htm.ColumnPooler(
        9,
        20,
        neighbours=1,
        object_cells=4,
        proximal_segments=3,
        distal_segments=2,
        synapses=4,
        proximal_threshold=1.5,
        distal_threshold=1.5,
        new_synapses=3.5,
        permanence_increment=0.0137,
        permanence_decrement=0.0071,
    )


HTM_COLUMNS: tuple[Row, ...] = (
    Row("ApicalTiebreakMemory pairs", lambda key: memory(12), in_context(True), smooth=True, quick=False),
    Row("ApicalTiebreakMemory sequences", lambda key: memory(None), in_context(False), smooth=True, quick=False),
    Row("ColumnPooler", pooler, sensations, smooth=True, quick=False),
    Row("GridLocation", grid_cells, movements, smooth=True, quick=False),
    Row("SensorimotorColumn", column, touches, quick=False),
)
