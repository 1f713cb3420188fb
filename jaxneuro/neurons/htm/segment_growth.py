"""What learning does to the synapses of some segments: new ones onto cells, weak old ones given up for them.

Rows are `[segments, synapses]`, filled from the left in the order in which the synapses were made. Loops over the
synapses of a row, or over the candidates, are written out: as reductions XLA makes loops over single numbers of them.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, UInt32

from jaxneuro.neurons.htm import bits

LATEST = np.uint32(0xFFFFFFFF)
WRITTEN_OUT = 8192  # comparisons of a row; where there are more, a search among the candidates is faster
FINENESS = 1e5  # permanences are equal when they round to the same hundred-thousandth


def have_synapses(
    sources: Int[Array, "rows synapses"], kept: Bool[Array, "rows synapses"], candidates: Int[Array, "candidates"]
) -> Bool[Array, "rows candidates"]:
    """Which candidates have a synapse in each row; candidates are ascending."""
    there = jnp.zeros((sources.shape[0], candidates.shape[0]), bool)
    if sources.shape[1] * candidates.shape[0] > WRITTEN_OUT:
        place, member = _place_among(sources, candidates)
        row = jnp.arange(sources.shape[0], dtype=jnp.int32)[:, None]
        return there.at[row, jnp.where(kept & member, place, candidates.shape[0])].set(True, mode="drop")
    for slot in range(sources.shape[1]):
        there = there | ((sources[:, slot, None] == candidates[None]) & kept[:, slot, None])
    return there


def come_from(
    sources: Int[Array, "rows synapses"], candidates: Int[Array, "candidates"]
) -> Bool[Array, "rows synapses"]:
    """Which synapses come from a candidate; candidates are ascending."""
    if sources.shape[1] * candidates.shape[0] > WRITTEN_OUT:
        return _place_among(sources, candidates)[1]
    members = jnp.zeros(sources.shape, bool)
    for candidate in range(candidates.shape[0]):
        members = members | (sources == candidates[candidate])
    return members


def _place_among(
    sources: Int[Array, "rows synapses"], candidates: Int[Array, "candidates"]
) -> tuple[Int[Array, "rows synapses"], Bool[Array, "rows synapses"]]:
    place = jnp.searchsorted(candidates, sources).astype(jnp.int32)
    place = jnp.minimum(place, candidates.shape[0] - 1)
    return place, candidates[place] == sources


def chosen(
    available: Bool[Array, "rows candidates"], wanted: Int[Array, "rows"], chances: UInt32[Array, "rows candidates"]
) -> Bool[Array, "rows candidates"]:
    """As many of the available candidates of each row as are wanted: those of the smallest chances."""
    width = available.shape[1]
    # Chances that differ in all but their lowest bits, which number the candidates.
    numbering = jnp.uint32((1 << (width - 1).bit_length()) - 1)
    chances = (chances & ~numbering) | jnp.arange(width, dtype=jnp.uint32)[None]
    chances = jnp.where(available, chances, LATEST)
    rank = jnp.zeros(available.shape, jnp.int32)
    for other in range(width):
        rank = rank + (chances[:, other, None] < chances).astype(jnp.int32)
    return available & (rank < wanted[:, None])


def weakest(
    permanences: Float[Array, "rows synapses"], eligible: Bool[Array, "rows synapses"], number: Int[Array, "rows"]
) -> Bool[Array, "rows synapses"]:
    """So many eligible synapses of each row with the lowest permanences; of equal ones the oldest."""
    level = jnp.where(eligible, jnp.round(permanences * FINENESS).astype(jnp.int32), jnp.iinfo(jnp.int32).max)
    slot = jnp.arange(level.shape[1], dtype=jnp.int32)[None]
    rank = jnp.zeros(level.shape, jnp.int32)
    for other in range(level.shape[1]):
        that = level[:, other, None]
        rank = rank + ((that < level) | ((that == level) & (other < slot))).astype(jnp.int32)
    return eligible & (rank < number[:, None])


def births(
    sources: Int[Array, "rows synapses"],
    permanences: Float[Array, "rows synapses"],
    kept: Bool[Array, "rows synapses"],
    wanted: Int[Array, "rows"],
    candidates: Int[Array, "candidates"],
    valid: Bool[Array, "candidates"],
    chances: UInt32[Array, "rows candidates"],
) -> tuple[Bool[Array, "rows synapses"], Bool[Array, "rows candidates"]]:
    """Which synapses stay, and which candidates get a new synapse in each row.

    A row without room for all that are wanted gives up its weakest synapses, but none from a candidate.
    """
    available = valid[None] & ~have_synapses(sources, kept, candidates)
    wanted = jnp.minimum(wanted, bits.ranks(available)[1])
    sizes = bits.ranks(kept)[1]
    excess = sizes + wanted - sources.shape[1]

    def without_weakest() -> Array:
        eligible = kept & ~come_from(sources, candidates)
        return kept & ~weakest(permanences, eligible, jnp.maximum(excess, 0))

    kept = jax.lax.cond(jnp.any(excess > 0), without_weakest, lambda: kept)
    wanted = jnp.minimum(wanted, sources.shape[1] - bits.ranks(kept)[1])
    return kept, chosen(available, wanted, chances)


def repacked(
    kept: Bool[Array, "rows synapses"], born: Bool[Array, "rows candidates"]
) -> tuple[Int[Array, "rows synapses"], Int[Array, "rows"]]:
    """For each slot of the new rows the place that its synapse has among the old synapses and the candidates.

    The old ones come first, in their order, then the new ones in the order of the candidates. The second result is
    how many there are.
    """
    both = jnp.concatenate([kept, born], axis=1)
    rank, sizes = bits.ranks(both)
    rows, width = both.shape
    slots = kept.shape[1]
    flat = jnp.where(both, jnp.arange(rows, dtype=jnp.int32)[:, None] * slots + rank, rows * slots)
    column = jnp.broadcast_to(jnp.arange(width, dtype=jnp.int32)[None], both.shape)
    start = jnp.zeros(rows * slots, jnp.int32)
    return start.at[flat.ravel()].set(column.ravel(), mode="drop").reshape(rows, slots), sizes
