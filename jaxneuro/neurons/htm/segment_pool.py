"""Dendritic segments of fixed number: the primitive that the memories of this wing share.

A segment is a set of at most so many synapses from source cells, each with a permanence; the synapse is connected from
`connected_permanence` on. Segments are grouped by minicolumn, whose cells own them. What a memory needs of them:

    activity    of every segment, how many of its connected, and of all its synapses come from active cells
    learn       move the permanences of some segments, destroy synapses at 0, grow new ones
    vacancy     a place for a new segment, if need be that of a segment that is of little use

Activity is counted in one of two ways that give the same answer. Through the lists of what leaves each group of sources
(`fan_out` entries at most), in a time that depends on what is active, not on how much is stored: for a CPU. Or by
looking at every synapse of the pool: for an accelerator, for many streams in one vmapped program, and for small memory.

Nothing is lost in silence: what has no room is counted.

Reference: Hawkins, Ahmad, Why neurons have thousands of synapses, a theory of sequence memory in neocortex, Frontiers
in Neural Circuits 10:23, 2016, and Biological and Machine Intelligence (Numenta, 2016), Temporal memory.
"""

from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Shaped, UInt, UInt16, UInt32

from jaxneuro.machine import Parameterised, Scalar, parameter
from jaxneuro.neurons.htm import bits, fan_out, segment_growth
from jaxneuro.neurons.htm.fan_out import FanOut

EPSILON = 1e-5
GROWTH_WIDTHS = (64, 128, 256, 512)  # so many candidates are looked at where there are no more
SLOTS = 8  # slots of all segments that are counted at a time
Evict = Literal["least_recently_used", "least_useful"]


class SegmentPool(eqx.Module):
    """All segments and their synapses, and how active each was at the last count.

    The segment in place `p` belongs to group `p % groups`; its synapses are the first `sizes` ones of row `p`.
    """

    sources: UInt[Array, "places synapses"]
    permanences: Float[Array, "places synapses"]
    sizes: UInt[Array, "segments groups"]
    owners: UInt[Array, "segments groups"]
    created: Int[Array, "segments groups"]
    used: Int[Array, "segments groups"]
    activity: UInt16[Array, "segments groups"]
    fan_out: FanOut | None
    clock: Int[Array, ""]


class Rows(eqx.Module):
    """Segments that learn, and how: as arrays with one number per segment.

    Attributes:
        places: where they are; any number outside of the pool for none.
        new: whether the segment is created now, in place of any other that is there.
        owners: the cell of the group that owns it, where it is new.
        growth: how many synapses it is to grow.
        increase: of the permanence of synapses from active cells.
        decrease: of the permanence of the others.
    """

    places: Int[Array, "rows"]
    new: Bool[Array, "rows"]
    owners: Int[Array, "rows"]
    growth: Int[Array, "rows"]
    increase: Float[Array, "rows"]
    decrease: Float[Array, "rows"]


def potential(activity: UInt16[Array, "*shape"]) -> Int[Array, "*shape"]:
    """How many synapses of a segment come from active cells."""
    return (activity & 255).astype(jnp.int32)


def connected(activity: UInt16[Array, "*shape"]) -> Int[Array, "*shape"]:
    """How many connected synapses of a segment come from active cells."""
    return (activity >> 8).astype(jnp.int32)


class Segments(Parameterised):
    """What all segments of a memory have in common: their sizes and thresholds. The segments are a `SegmentPool`.

    Reference: Hawkins, Ahmad 2016, and the temporal memory of Biological and Machine Intelligence.
    """

    initial_permanence: Scalar = parameter(0.21, at_least=0.0, at_most=1.0)
    connected_permanence: Scalar = parameter(0.5, at_least=0.0, at_most=1.0)
    groups: int = eqx.field(static=True, default=2048)
    cells: int = eqx.field(static=True, default=32)
    segments: int = eqx.field(static=True, default=16)
    synapses: int = eqx.field(static=True, default=32)
    source_groups: int = eqx.field(static=True, default=2048)
    source_cells: int = eqx.field(static=True, default=32)
    fan_out: int | None = eqx.field(static=True, default=None)
    segments_per_cell: int = eqx.field(static=True, default=255)
    evict: Evict = eqx.field(static=True, default="least_recently_used")

    def __check_init__(self) -> None:
        limits = {
            "cells": (1, 256),
            "segments": (1, 1 << 20),
            "synapses": (1, 255),
            "source_cells": (1, 1 << 20),
            "segments_per_cell": (1, 1 << 20),
        }
        for name, (least, most) in limits.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"Segments.{name} is {getattr(self, name)}; it must be from {least} to {most}.")
        if self.evict not in Evict.__args__:
            raise ValueError(f"Segments.evict is {self.evict!r}; it must be one of {', '.join(Evict.__args__)}.")
        if self.fan_out is not None:
            jax.eval_shape(self._no_lists)

    @property
    def places(self) -> int:
        """How many segments there can be."""
        return self.groups * self.segments

    @property
    def sources(self) -> int:
        """How many cells synapses can come from."""
        return self.source_groups * self.source_cells

    def _no_lists(self) -> FanOut | None:
        if self.fan_out is None:
            return None
        return fan_out.empty(self.source_groups, self.source_cells, self.fan_out, self.places, self.synapses)

    def init(self) -> SegmentPool:
        """A pool without segments."""
        grid, rows = (self.segments, self.groups), (self.places, self.synapses)
        return SegmentPool(
            sources=jnp.zeros(rows, jnp.uint16 if self.sources <= 1 << 16 else jnp.uint32),
            permanences=jnp.zeros(rows, self.initial_permanence.dtype),
            sizes=jnp.zeros(grid, jnp.uint8),
            owners=jnp.zeros(grid, jnp.uint8),
            created=jnp.zeros(grid, jnp.int32),
            used=jnp.zeros(grid, jnp.int32),
            activity=jnp.zeros(grid, jnp.uint16),
            fan_out=self._no_lists(),
            clock=jnp.zeros((), jnp.int32),
        )

    def is_connected(self, permanences: Float[Array, "*shape"]) -> Bool[Array, "*shape"]:
        """Whether synapses of these permanences are connected: a hundred-thousandth below is still enough, no more."""
        return permanences > self.connected_permanence - jnp.asarray(EPSILON, permanences.dtype)

    def is_active(
        self, active: UInt32[Array, "source_groups words"], sources: Shaped[Array, "*shape"]
    ) -> Bool[Array, "*shape"]:
        """Whether these source cells are active."""
        cell = sources.astype(jnp.int32)
        bit = cell // self.source_cells * (active.shape[1] * bits.WORD) + cell % self.source_cells
        return bits.is_member(active.ravel(), bit)

    def counted(
        self, pool: SegmentPool, active: UInt32[Array, "source_groups words"], touched: Int[Array, "touched"]
    ) -> SegmentPool:
        """The pool with the activity of every segment.

        Args:
            pool: the segments.
            active: the active source cells, packed by group.
            touched: the groups that have active cells, filled up with numbers outside of the groups.
        """
        activity = self._count_all(pool, active) if pool.fan_out is None else pool.fan_out.activity(active, touched)
        return eqx.tree_at(lambda pool: pool.activity, pool, activity.reshape(self.segments, self.groups))

    def _count_all(self, pool: SegmentPool, active: Array) -> Array:
        # Some slots at a time, so that no array of all synapses is needed in between.
        sizes = pool.sizes.ravel()

        def add(slot: Array, number: Array) -> Array:
            sources = jax.lax.dynamic_index_in_dim(pool.sources, slot, axis=1, keepdims=False)
            permanences = jax.lax.dynamic_index_in_dim(pool.permanences, slot, axis=1, keepdims=False)
            on = self.is_active(active, sources) & (slot < sizes.astype(jnp.int32))
            strong = self.is_connected(permanences).astype(jnp.uint16)
            return number + jnp.where(on, 1 + (strong << 8), 0)

        return jax.lax.fori_loop(0, self.synapses, add, jnp.zeros(self.places, jnp.uint16), unroll=SLOTS)

    def mark_used(self, pool: SegmentPool, active: Bool[Array, "segments groups"]) -> SegmentPool:
        """The pool after a step: active segments were used now, and time goes on."""
        used = jnp.where(active, pool.clock, pool.used)
        return eqx.tree_at(lambda pool: (pool.used, pool.clock), pool, (used, pool.clock + 1))

    def in_groups(self, array: Shaped[Array, "segments groups"], groups: Int[Array, "lanes"]) -> Array:
        """The columns of these groups, 0 for groups that do not exist."""
        return array.at[:, groups].get(mode="fill", fill_value=0)

    def vacancy(
        self, pool: SegmentPool, groups: Int[Array, "lanes"], cells: Int[Array, "lanes"]
    ) -> tuple[Int[Array, "lanes"], Bool[Array, "lanes"]]:
        """Where in each group a new segment of a cell goes, and whether another cell's segment is lost by that.

        A cell that has `segments_per_cell` gives up one of its own. If the group is full, one of all its segments is
        given up: the least recently used one, or the one whose permanences have the smallest sum of squares.
        """
        sizes, owners = self.in_groups(pool.sizes, groups), self.in_groups(pool.owners, groups)
        exists = sizes > 0
        own = exists & (owners.astype(jnp.int32) == cells[None])
        number = fold_count(own)
        at_limit = number >= self.segments_per_cell
        free, has_free = bits.first_least(~exists, ())
        evicting = at_limit | ~has_free
        worst = jax.lax.cond(
            jnp.any(evicting),
            lambda: self._least_useful(pool, groups, exists & jnp.where(at_limit[None], own, True)),
            lambda: free,
        )
        return jnp.where(evicting, worst, free) * self.groups + groups, ~at_limit & ~has_free

    def _least_useful(self, pool: SegmentPool, groups: Array, members: Array) -> Array:
        """Which of the members of each group is given up."""
        created = self.in_groups(pool.created, groups)
        if self.evict == "least_recently_used":
            keys = (self.in_groups(pool.used, groups), created)
        else:
            place = jnp.arange(self.segments, dtype=jnp.int32)[:, None] * self.groups + groups[None]
            rows = pool.permanences.at[place].get(mode="fill", fill_value=0)
            sizes = self.in_groups(pool.sizes, groups).astype(jnp.int32)
            held = jnp.arange(self.synapses, dtype=jnp.int32)[None, None] < sizes[..., None]
            squares = jnp.sum(jnp.where(held, rows * rows, 0), axis=-1)
            keys = (jnp.round(squares * segment_growth.FINENESS).astype(jnp.int32), created)
        return bits.first_least(members, keys)[0]

    def best_or_fewest(
        self,
        pool: SegmentPool,
        groups: Int[Array, "lanes"],
        matching: Bool[Array, "segments lanes"],
        seed: UInt32[Array, ""],
    ) -> tuple[Int[Array, "lanes"], Bool[Array, "lanes"], Int[Array, "lanes"]]:
        """The segment that matches best in each group, and the cell that is to learn there.

        Args:
            pool: the segments, counted.
            groups: of each lane; a number outside of the groups for none.
            matching: which segments of the group match.
            seed: decides between cells that have equally few segments.

        Returns:
            The matching segment with the most active synapses, of equal ones that of the lowest cell, then the oldest;
            whether there is one; and its cell, or else one with the fewest segments.
        """
        owners = self.in_groups(pool.owners, groups).astype(jnp.int32)
        number = potential(self.in_groups(pool.activity, groups))
        best, matched = bits.first_least(matching, (-number, owners, self.in_groups(pool.created, groups)))
        lanes = groups.shape[0]
        lane = jnp.arange(lanes, dtype=jnp.int32)
        cell = jnp.arange(self.cells, dtype=jnp.int32)[:, None]
        exists = self.in_groups(pool.sizes, groups) > 0
        flat = jnp.where(exists, owners * lanes + lane[None], self.cells * lanes)
        counts = jnp.zeros(self.cells * lanes, jnp.int32).at[flat.ravel()].add(1, mode="drop").reshape(-1, lanes)
        mix = bits.scrambled(seed + pool.clock.astype(jnp.uint32) * jnp.uint32(0x85EBCA6B))
        chances = bits.scrambled(mix ^ bits.scrambled((groups[None] * self.cells + cell).astype(jnp.uint32))) >> 1
        fewest, _ = bits.first_least(jnp.ones_like(counts, bool), (counts, chances.astype(jnp.int32)))
        return best, matched, jnp.where(matched, owners[best, lane], fewest)

    def rows(
        self,
        groups: Int[Array, "lanes"],
        learning: Bool[Array, "segments lanes"],
        made: Bool[Array, "segments lanes"],
        owners: Int[Array, "lanes"],
        activity: UInt16[Array, "segments lanes"],
        rule: tuple[Float[Array, ""], Float[Array, ""], Float[Array, ""]],
        capacity: int,
    ) -> tuple[Rows, Int[Array, ""]]:
        """The segments of some groups that learn.

        Args:
            groups: of each lane.
            learning: which of its segments learn.
            made: which of these are new.
            owners: the cell that owns the new one.
            activity: of the segments.
            rule: active synapses that a segment is to have after growth, increase and decrease of permanences.
            capacity: how many can learn.

        Returns:
            The rows, and how many segments had no room among them.
        """
        lanes = groups.shape[0]
        found, number = bits.compact(learning.T.ravel(), capacity)
        lane, index = jnp.minimum(found // self.segments, lanes - 1), found % self.segments
        there = found < lanes * self.segments
        new = made[index, lane] & there
        known = jnp.where(new, 0, potential(activity)[index, lane])
        wanted, increase, decrease = rule
        rows = Rows(
            places=jnp.where(there, index * self.groups + groups[lane], self.places),
            new=new,
            owners=owners[lane],
            growth=jnp.where(there, jnp.floor(wanted).astype(jnp.int32) - known, 0),
            increase=jnp.broadcast_to(increase, found.shape),
            decrease=jnp.broadcast_to(decrease, found.shape),
        )
        return rows, jnp.maximum(number - capacity, 0)

    def learn(
        self,
        pool: SegmentPool,
        rows: Rows,
        active: UInt32[Array, "source_groups words"],
        candidates: Int[Array, "candidates"],
        seed: UInt32[Array, ""],
        initial: Float[Array, "candidates"] | None = None,
    ) -> tuple[SegmentPool, Int[Array, ""]]:
        """Moves permanences, destroys synapses whose permanence reaches 0, and grows new ones onto candidates.

        Args:
            pool: the segments.
            rows: which of them learn, and how.
            active: the source cells that were active, packed by group.
            candidates: source cells for new synapses, ascending, filled up with numbers that are no cell.
            seed: decides with the clock, the place and the cell which candidates are taken if not all are wanted.
            initial: permanences of the new synapses, instead of `initial_permanence`.

        Returns:
            The pool, and how many synapses had no room in the lists and were not made.
        """
        lists = None if pool.fan_out is None else pool.fan_out.swept(rows.places.shape[0])
        places = jnp.where(rows.places < self.places, rows.places, self.places)

        def take(array: Array) -> Array:
            return array.at[places].get(mode="fill", fill_value=0)

        sources, permanences = take(pool.sources).astype(jnp.int32), take(pool.permanences)
        held = jnp.arange(self.synapses, dtype=jnp.int32)[None] < take(pool.sizes.ravel()).astype(jnp.int32)[:, None]
        on = self.is_active(active, sources)
        moved = jnp.clip(permanences + jnp.where(on, rows.increase[:, None], -rows.decrease[:, None]), 0.0, 1.0)
        kept = held & (moved >= jnp.asarray(EPSILON, moved.dtype)) & ~rows.new[:, None]
        valid = (candidates >= 0) & (candidates < self.sources)
        wanted = jnp.where((places < self.places) & jnp.any(valid), rows.growth, 0)
        if initial is None:
            initial = jnp.broadcast_to(self.initial_permanence, candidates.shape)
        positions = None if lists is None else take(lists.positions).astype(jnp.int32)
        groups = jnp.where(valid, candidates // self.source_cells, self.source_groups)
        before = (sources, moved, positions)

        def unchanged() -> Any:
            sizes = fold_count(kept.T)
            return before, sizes, jnp.zeros_like(candidates), jnp.zeros((), jnp.int32), kept

        def grown(candidates: Array, valid: Array, groups: Array, initial: Array) -> Any:
            mix = bits.scrambled(seed + pool.clock.astype(jnp.uint32) * jnp.uint32(0x9E3779B9))
            row = mix ^ bits.scrambled(places.astype(jnp.uint32))
            chances = bits.scrambled(row[:, None] + candidates.astype(jnp.uint32)[None])
            stay, born = segment_growth.births(sources, moved, kept, wanted, candidates, valid, chances)
            asked, where, totals = born, None, jnp.zeros_like(candidates)
            if lists is not None and positions is not None:
                born, where, totals = lists.room(born, groups)
            totals = jnp.pad(totals, (0, number - totals.shape[0]))
            origin, sizes = segment_growth.repacked(stay, born)

            def repack(old: Any, new: Any) -> Any:
                if old is None:
                    return None
                new = jnp.broadcast_to(new.reshape(-1, born.shape[1]), born.shape)
                both = jnp.concatenate([old, new], axis=1)
                return jnp.take_along_axis(both, origin, axis=1)

            after = (repack(sources, candidates), repack(moved, initial), repack(positions, where))
            missing = jnp.sum(asked, dtype=jnp.int32) - jnp.sum(born, dtype=jnp.int32)
            return after, sizes, totals, missing, stay

        # What growth costs goes with the square of the candidates, of which most steps have few. In pools without lists
        # many streams share a program, which computes all branches.
        number = candidates.shape[0]
        narrow = () if lists is None else GROWTH_WIDTHS
        widths = [width for width in narrow if width < number] + [number]
        given = (candidates, valid, groups, initial)
        branches = [lambda w=w: grown(*(part[:w] for part in given)) for w in widths]
        last = jnp.max(jnp.where(valid, jnp.arange(number, dtype=jnp.int32), -1))
        branch = jnp.sum(jnp.asarray(widths[:-1], jnp.int32) <= last)
        needed = jnp.any(wanted > 0) | jnp.any(held & ~kept)
        after, sizes, totals, missing, stay = jax.lax.cond(needed, lambda: jax.lax.switch(branch, branches), unchanged)
        pool = self._written(pool, places, rows, after, sizes)
        if lists is not None and positions is not None:
            lengths = lists.lengths.at[groups].add(totals, mode="drop")
            lists = lists.listed(places, after[0], self.is_connected(after[1]), after[2], sizes, lengths)
            lists = lists.delisted(sources, positions, held & ~stay)
            pool = eqx.tree_at(lambda pool: pool.fan_out, pool, lists)
        return pool, missing

    def _written(self, pool: SegmentPool, places: Array, rows: Rows, after: Any, sizes: Array) -> SegmentPool:
        grid = (self.segments, self.groups)
        fresh = jnp.where(rows.new, places, self.places)

        def put(array: Array, index: Array, values: Array) -> Array:
            return array.at[index].set(values.astype(array.dtype), mode="drop")

        def put_in_grid(array: Array, index: Array, values: Array) -> Array:
            return put(array.ravel(), index, jnp.broadcast_to(values, index.shape)).reshape(grid)

        return eqx.tree_at(
            lambda pool: (pool.sources, pool.permanences, pool.sizes, pool.owners, pool.created, pool.used),
            pool,
            (
                put(pool.sources, places, after[0]),
                put(pool.permanences, places, after[1]),
                put_in_grid(pool.sizes, places, sizes),
                put_in_grid(pool.owners, fresh, rows.owners),
                put_in_grid(pool.created, fresh, pool.clock),
                put_in_grid(pool.used, fresh, pool.clock),
            ),
        )

    def placed(self, pool: SegmentPool, cell: int | Int[Array, ""], sources: Any, permanences: Any) -> SegmentPool:
        """The pool with one more segment, made by hand.

        Args:
            pool: the segments.
            cell: number of the cell that gets it, counted through all groups.
            sources: numbers of the source cells.
            permanences: of the synapses from them, or one for all.
        """
        order = jnp.argsort(jnp.asarray(sources, jnp.int32))
        sources = jnp.asarray(sources, jnp.int32)[order]
        strengths = jnp.broadcast_to(jnp.asarray(permanences, pool.permanences.dtype), sources.shape)[order]
        group, owner = jnp.full(1, cell // self.cells, jnp.int32), jnp.full(1, cell % self.cells, jnp.int32)
        place, _ = self.vacancy(pool, group, owner)
        none = jnp.zeros(1, pool.permanences.dtype)
        rows = Rows(place, jnp.full(1, True), owner, jnp.full(1, sources.size, jnp.int32), none, none)
        nothing = jnp.zeros((self.source_groups, bits.words_of(self.source_cells)), jnp.uint32)
        pool, _ = self.learn(pool, rows, nothing, sources, jnp.zeros((), jnp.uint32), strengths)
        return eqx.tree_at(lambda pool: pool.clock, pool, pool.clock + 1)


def fold_count(members: Bool[Array, "size lanes"]) -> Int[Array, "lanes"]:
    """How many members each lane has."""
    return bits.fold(jnp.add, members.astype(jnp.int32))
