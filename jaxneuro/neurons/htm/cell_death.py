"""The death of cells: what a temporal memory still knows when some of them are gone."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, UInt32

from jaxneuro.neurons.htm import bits
from jaxneuro.neurons.htm.segment_pool import SegmentPool, Segments


def without_cells(
    segments: Segments,
    pool: SegmentPool,
    active: UInt32[Array, "columns words"],
    dead: Bool[Array, "columns cells"],
) -> tuple[SegmentPool, UInt32[Array, "columns words"]]:
    """The segments after the death of cells: every synapse from or to one of them is disconnected.

    A dead cell is then never predicted, and its activity in a bursting minicolumn reaches no segment as a connected
    synapse; so for a memory that no longer learns (`Columns.learn` false) nothing tells it from a cell that is not
    there. A memory that learns would let dead cells win in bursting minicolumns.

    Args:
        segments: of a memory whose cells have synapses from each other, such as `TemporalMemory.segments`.
        pool: of its state, before the death.
        active: the cells that are active, packed by minicolumn.
        dead: which cells die.

    Returns:
        The pool, in which the activity is counted anew from the cells that are left; and those of them that are active.

    Reference: Cui, Ahmad, Hawkins, Continuous online sequence learning with an unsupervised neural network model,
    Neural Computation 28:2474, 2016.
    """
    flat = dead.ravel()
    column = jnp.broadcast_to(jnp.arange(segments.groups, dtype=jnp.int32)[None], pool.owners.shape)
    owner_dead = flat[(column * segments.cells + pool.owners.astype(jnp.int32)).ravel()]
    source_dead = flat[pool.sources.astype(jnp.int32)]
    permanences = jnp.where(owner_dead[:, None] | source_dead, 0.0, pool.permanences)
    lists = None if pool.fan_out is None else pool.fan_out.weakened(dead, owner_dead)
    pool = eqx.tree_at(lambda pool: pool.permanences, pool, permanences)
    pool = eqx.tree_at(lambda pool: pool.fan_out, pool, lists, is_leaf=lambda part: part is None)
    alive = active & ~bits.pack(dead)
    return segments.counted(pool, alive, jnp.arange(segments.groups, dtype=jnp.int32)), alive
