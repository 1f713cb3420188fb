"""The death of cells: what a temporal memory still knows when some of them are gone."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool

from jaxneuro.neurons.htm import bits
from jaxneuro.neurons.htm.temporal_memory import TemporalMemory, TemporalMemoryState


def without_cells(
    memory: TemporalMemory, state: TemporalMemoryState, dead: Bool[Array, "columns cells"]
) -> TemporalMemoryState:
    """The state after the death of cells: every synapse from or to one of them is disconnected.

    A dead cell is then never predicted, and its activity in a bursting minicolumn reaches no segment as a connected
    synapse; so for a memory that no longer learns (`Columns.learn` false) nothing tells it from a cell that is not
    there. A memory that learns would let dead cells win in bursting minicolumns.

    Args:
        memory: whose state it is.
        state: before the death.
        dead: which cells die.

    Reference: Cui, Ahmad, Hawkins, Continuous online sequence learning with an unsupervised neural network model,
    Neural Computation 28:2474, 2016, section 3.5.
    """
    segments, pool = memory.segments, state.pool
    flat = dead.ravel()
    column = jnp.broadcast_to(jnp.arange(segments.groups, dtype=jnp.int32)[None], pool.owners.shape)
    owner_dead = flat[(column * segments.cells + pool.owners.astype(jnp.int32)).ravel()]
    source_dead = flat[pool.sources.astype(jnp.int32)]
    permanences = jnp.where(owner_dead[:, None] | source_dead, 0.0, pool.permanences)
    lists = pool.fan_out
    if lists is not None:
        lists = lists.weakened(dead, owner_dead)
    alive = state.active & ~bits.pack(dead)
    pool = eqx.tree_at(lambda pool: pool.permanences, pool, permanences)
    pool = eqx.tree_at(lambda pool: pool.fan_out, pool, lists, is_leaf=lambda part: part is None)
    # What the last step predicts is counted anew, from the cells that are left.
    pool = segments.counted(pool, alive, jnp.arange(segments.groups, dtype=jnp.int32))
    return eqx.tree_at(lambda state: (state.pool, state.active), state, (pool, alive))
