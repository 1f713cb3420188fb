"""What leaves each group of source cells, as lists: what a step costs depends on what is active, not on all there is.

An entry is one word: the number of the synapse, the source cell within its group, and whether the synapse is connected.
A synapse that is destroyed leaves a hole; new ones are put at the end; lists with many holes are swept when one of them
could become too long.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Bool, Int, PyTree, UInt16, UInt32

from jaxneuro.neurons.htm import bits

HOLE = np.uint32(0xFFFFFFFF)
BLOCK = 128  # entries of a list that are read at a time
LONGEST = 1 << 16  # as positions are numbers of 16 bits


class FanOut(eqx.Module):
    """The lists, and the position in them of every synapse of the pool."""

    entries: UInt32[Array, "source_groups capacity"]
    lengths: Int[Array, "source_groups"]
    holes: Int[Array, "source_groups"]
    positions: UInt16[Array, "places synapses"]
    source_cells: int = eqx.field(static=True)

    @property
    def _groups(self) -> int:
        return self.entries.shape[0]

    @property
    def _capacity(self) -> int:
        return self.entries.shape[1]

    @property
    def _synapses(self) -> int:
        return self.positions.shape[1]

    def _decoded(self, entries: Array) -> tuple[Array, Array, Array]:
        """Number of the synapse, cell within the group, whether connected."""
        width = cell_bits(self.source_cells)
        cell = (entries >> 1) & np.uint32((1 << width) - 1)
        return entries >> (width + 1), cell.astype(jnp.int32), entries & 1

    def activity(
        self, active: UInt32[Array, "source_groups words"], touched: Int[Array, "touched"]
    ) -> UInt16[Array, "places"]:
        """Of every segment how many synapses come from active cells, plus 256 times how many connected ones.

        Args:
            active: the active source cells, packed by group.
            touched: the groups that have active cells, filled up with numbers that are no group.
        """
        places = self.positions.shape[0]
        block = min(self._capacity & -self._capacity, BLOCK)
        words = active.at[touched].get(mode="fill", fill_value=0)
        longest = jnp.max(self.lengths.at[touched].get(mode="fill", fill_value=0), initial=0)
        group = jnp.minimum(touched, self._groups - 1)

        def body(carry: tuple[Array, Array]) -> tuple[Array, Array]:
            start, counts = carry
            read = jax.vmap(lambda group: jax.lax.dynamic_slice(self.entries, (group, start), (1, block))[0])(group)
            synapse, cell, strong = self._decoded(read)
            word = jnp.take_along_axis(words, cell // bits.WORD, axis=1) if words.shape[1] > 1 else words
            on = ((word >> (cell % bits.WORD).astype(jnp.uint32)) & 1) > 0
            place = jnp.where(on, (synapse // self._synapses).astype(jnp.int32), places)
            counts = counts.at[place.ravel()].add((1 + (strong << 8)).astype(jnp.uint16).ravel(), mode="drop")
            return start + block, counts

        start = (jnp.zeros((), jnp.int32), jnp.zeros(places, jnp.uint16))
        return jax.lax.while_loop(lambda carry: carry[0] < longest, body, start)[1]

    def room(
        self, born: Bool[Array, "rows candidates"], groups: Int[Array, "candidates"]
    ) -> tuple[Bool[Array, "rows candidates"], Int[Array, "rows candidates"], Int[Array, "candidates"]]:
        """Where new synapses are listed: behind all others of their source's group.

        Args:
            born: which candidates get a synapse in which rows.
            groups: the group of each candidate.

        Returns:
            The new synapses that have room, their positions, and how many each candidate gets.
        """
        earlier_rows, totals = bits.ranks(born.T)
        order = jnp.arange(groups.shape[0], dtype=jnp.int32)
        earlier = (groups[:, None] == groups[None]) & (order[:, None] < order[None])
        before = jnp.sum(jnp.where(earlier, totals[:, None], 0), axis=0, dtype=jnp.int32)
        start = self.lengths.at[groups].get(mode="fill", fill_value=0) + before
        position = start[None] + earlier_rows.T
        return born & (position < self._capacity), position, jnp.clip(self._capacity - start, 0, totals)

    def listed(
        self,
        places: Int[Array, "rows"],
        sources: Int[Array, "rows synapses"],
        connected: Bool[Array, "rows synapses"],
        positions: Int[Array, "rows synapses"],
        sizes: Int[Array, "rows"],
        lengths: Int[Array, "source_groups"],
    ) -> "FanOut":
        """The lists with the entries of all synapses of some segments, and of these lengths."""
        slot = jnp.arange(self._synapses, dtype=jnp.int32)[None]
        held = (slot < sizes[:, None]) & (places < self.positions.shape[0])[:, None]
        group = jnp.where(held, sources // self.source_cells, self._groups)
        synapse = (places[:, None] * self._synapses + slot).astype(jnp.uint32)
        cell = (sources % self.source_cells).astype(jnp.uint32)
        entry = (synapse << (cell_bits(self.source_cells) + 1)) | (cell << 1) | connected.astype(jnp.uint32)
        return eqx.tree_at(
            lambda fan_out: (fan_out.entries, fan_out.positions, fan_out.lengths),
            self,
            (
                self.entries.at[group.ravel(), positions.ravel()].set(entry.ravel(), mode="drop"),
                self.positions.at[places].set(positions.astype(self.positions.dtype), mode="drop"),
                lengths,
            ),
        )

    def delisted(
        self,
        sources: Int[Array, "rows synapses"],
        positions: Int[Array, "rows synapses"],
        dead: Bool[Array, "rows synapses"],
    ) -> "FanOut":
        """The lists with holes where synapses were that are no more."""
        group = jnp.where(dead, sources // self.source_cells, self._groups).ravel()
        entries = self.entries.at[group, positions.ravel()].set(HOLE, mode="drop")
        holes = self.holes.at[group].add(1, mode="drop")
        return eqx.tree_at(lambda fan_out: (fan_out.entries, fan_out.holes), self, (entries, holes))

    def weakened(self, sources: Bool[Array, "source_groups source_cells"], segments: Bool[Array, "places"]) -> "FanOut":
        """The lists with all synapses from these cells and of these segments as not connected."""
        synapse, cell, _ = self._decoded(self.entries)
        place = jnp.minimum(synapse // self._synapses, segments.shape[0] - 1).astype(jnp.int32)
        there = self.entries != HOLE
        weak = there & (jnp.take_along_axis(sources, cell % self.source_cells, axis=1) | segments[place])
        return eqx.tree_at(
            lambda lists: lists.entries, self, jnp.where(weak, self.entries & ~np.uint32(1), self.entries)
        )

    def swept(self, births: int) -> "FanOut":
        """The lists without holes, if one with many holes could become too long by so many new synapses."""
        full = self.lengths > self._capacity - min(births, self._capacity // 4)
        needed = jnp.any(full & (self.holes > self._capacity // 8))

        def sweep(lists: FanOut, needed: Array) -> FanOut:
            there = lists.entries != HOLE
            rank, number = bits.ranks(there)
            group = jnp.arange(lists._groups, dtype=jnp.int32)[:, None]
            place = jnp.where(there, rank, lists._capacity)
            entries = jnp.full_like(lists.entries, HOLE).at[group, place].set(lists.entries, mode="drop")
            synapse = jnp.where(there, lists._decoded(lists.entries)[0].astype(jnp.int32), lists.positions.size)
            positions = lists.positions.ravel().at[synapse.ravel()].set(rank.astype(jnp.uint16).ravel(), mode="drop")
            positions = positions.reshape(lists.positions.shape)
            swept = FanOut(entries, number, jnp.zeros_like(number), positions, lists.source_cells)
            return jax.tree.map(lambda new, old: jnp.where(needed, new, old), swept, lists)

        return where_needed(sweep, needed, self, needed)


def cell_bits(source_cells: int) -> int:
    """How many bits number the cells of a group."""
    return (source_cells - 1).bit_length()


def empty(source_groups: int, source_cells: int, capacity: int, places: int, synapses: int) -> FanOut:
    """Lists without entries.

    Args:
        source_groups: number of lists.
        source_cells: cells of each group.
        capacity: how long a list may become: a multiple of 32.
        places: segments of the pool.
        synapses: of a segment.

    Raises:
        ValueError: if an entry or a position would not fit into its word.
    """
    if capacity < 1 or capacity % 32 or capacity > LONGEST:
        raise ValueError(f"Segments.fan_out is {capacity}; it must be a multiple of 32 up to {LONGEST}, or None.")
    most = (1 << (31 - cell_bits(source_cells))) - 1
    if places * synapses > most:
        raise ValueError(
            f"Segments cannot list {places * synapses} synapses from groups of {source_cells} cells in words of 32 "
            f"bits, at most {most}. Use fewer segments or synapses, or fan_out=None."
        )
    # Two arrays, as memory that is given away can be given away once.
    lengths, holes = jnp.zeros(source_groups, jnp.int32), jnp.zeros(source_groups, jnp.int32)
    entries, positions = jnp.full((source_groups, capacity), HOLE), jnp.zeros((places, synapses), jnp.uint16)
    return FanOut(entries, lengths, holes, positions, source_cells)


def where_needed(change: Callable[..., PyTree], needed: Bool[Array, ""], tree: PyTree, *others: Any) -> Any:
    """`change(tree, *others)` if needed, else the tree as it is, in the memory where it is.

    `lax.cond` would copy the tree, and does where a derivative is taken, which a loop has not backwards. Under `vmap`
    every lane is changed, so that `change` must do nothing where there is nothing to do. It must hold no arrays.
    """

    @custom_vmap
    def looped(needed: Any, tree: Any, others: Any) -> Any:
        def body(carry: Any) -> Any:
            return jnp.zeros_like(carry[0]), change(carry[1], *others)

        return jax.lax.while_loop(lambda carry: carry[0], body, (needed, tree))[1]

    @looped.def_vmap
    def _(size: int, batched: Any, needed: Any, tree: Any, others: Any) -> Any:
        def spread(leaf: Any, batch: bool) -> Any:
            return leaf if batch else jnp.broadcast_to(leaf, (size, *leaf.shape))

        tree = jax.tree.map(spread, tree, batched[1])
        axes = jax.tree.map(lambda batch: 0 if batch else None, batched[2])
        changed = jax.vmap(lambda tree, others: change(tree, *others), in_axes=(0, axes))(tree, others)
        return changed, jax.tree.map(lambda _: True, tree)

    @jax.custom_jvp
    def run(needed: Any, tree: Any, others: Any) -> Any:
        return looped(needed, tree, others)

    def branched(needed: Any, tree: Any, others: Any) -> Any:
        return jax.lax.cond(needed, lambda tree, others: change(tree, *others), lambda tree, others: tree, tree, others)

    run.defjvp(lambda primals, tangents: jax.jvp(branched, primals, tangents))
    return run(needed, tree, others)
