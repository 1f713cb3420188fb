"""The dendrites of a kind: what their segments respond to, and how they learn, for cells that are told to learn."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, UInt16, UInt32

from jaxneuro.machine import Parameterised, Scalar, parameter
from jaxneuro.neurons.htm import bits
from jaxneuro.neurons.htm.segment_pool import Rows, SegmentPool, Segments, connected, potential


class Lost(eqx.Module):
    """How much had no room in a step. All 0: the dendrites did what ones without limits would have done.

    Attributes:
        learning: segments that did not learn (`learning_rows`).
        punished: segments that were not punished (`punished_rows`).
        evicted: segments of other cells that were given up, as there was no place (`segments`).
    """

    learning: Int[Array, ""]
    punished: Int[Array, ""]
    evicted: Int[Array, ""]


class Dendrites(Parameterised):
    """Segments with thresholds and rates of learning; the segments themselves are a `SegmentPool`.

    A segment is active if at least `activation_threshold` of its connected synapses come from active cells, and it
    matches if at least `min_threshold` of all its synapses do. A segment that learns has
    `p += permanence_increment` where the source is active, `p -= permanence_decrement` elsewhere, and grows synapses
    until it has `new_synapses` active ones. A segment that predicted wrongly has `p -= predicted_decrement` where the
    source is active. All are dimensionless.

    Reference: Hawkins, Ahmad, Why neurons have thousands of synapses, a theory of sequence memory in neocortex,
    Frontiers in Neural Circuits 10:23, 2016.
    """

    segments: Segments
    activation_threshold: Scalar = parameter(13.0, at_least=1.0)
    min_threshold: Scalar = parameter(10.0, at_least=1.0)
    new_synapses: Scalar = parameter(20.0, at_least=0.0)
    permanence_increment: Scalar = parameter(0.1, at_least=0.0, at_most=1.0)
    permanence_decrement: Scalar = parameter(0.1, at_least=0.0, at_most=1.0)
    predicted_decrement: Scalar = parameter(0.0, at_least=0.0, at_most=1.0)
    learning_rows: int = eqx.field(static=True, default=64)
    punished_rows: int = eqx.field(static=True, default=64)

    def __check_init__(self) -> None:
        for name in ("learning_rows", "punished_rows"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1.")

    def counted(self, pool: SegmentPool, active: UInt32[Array, "source_groups words"]) -> SegmentPool:
        """The pool with the activity of every segment, for these active sources, packed by group."""
        every = jnp.arange(self.segments.source_groups, dtype=jnp.int32)
        return self.segments.counted(pool, active, every)

    def active(self, activity: UInt16[Array, "*shape"]) -> Bool[Array, "*shape"]:
        """Which segments are active."""
        return connected(activity).astype(self.activation_threshold.dtype) >= self.activation_threshold

    def matching(self, activity: UInt16[Array, "*shape"]) -> Bool[Array, "*shape"]:
        """Which segments match."""
        return potential(activity).astype(self.min_threshold.dtype) >= self.min_threshold

    def supported(self, pool: SegmentPool, chosen: Bool[Array, "segments groups"]) -> Bool[Array, "groups cells"]:
        """Which cells own one of the chosen segments."""
        group = jnp.arange(self.segments.groups, dtype=jnp.int32)[None]
        cell = group * self.segments.cells + pool.owners.astype(jnp.int32)
        cell = jnp.where(chosen, cell, self.segments.groups * self.segments.cells)
        cells = jnp.zeros(self.segments.groups * self.segments.cells, bool)
        return cells.at[cell.ravel()].set(True, mode="drop").reshape(self.segments.groups, self.segments.cells)

    def learners(
        self,
        pool: SegmentPool,
        columns: Int[Array, "lanes"],
        burst: Bool[Array, "lanes"],
        expected: UInt32[Array, "lanes words"],
        seed: UInt32[Array, ""],
    ) -> tuple[UInt32[Array, "lanes words"], Int[Array, "lanes"], Bool[Array, "segments lanes"], Bool[Array, "lanes"]]:
        """Who learns in active minicolumns, of which each is a group of the segments.

        Args:
            pool: the segments, counted for the active sources.
            columns: the active minicolumns; a number outside of the groups for none.
            burst: whether none of its cells was expected.
            expected: its cells that were.
            seed: decides between cells that have equally few segments.

        Returns:
            The winner cells of each minicolumn; the cell that wins where it bursts; the segments that learn; and
            whether that cell gets a new one.
        """
        segments, lanes, cells = self.segments, columns.shape[0], self.segments.cells
        activity = segments.in_groups(pool.activity, columns)
        owners = segments.in_groups(pool.owners, columns).astype(jnp.int32)
        exists = segments.in_groups(pool.sizes, columns) > 0
        lane = jnp.arange(lanes, dtype=jnp.int32)
        active = exists & self.active(activity) & bits.unpack(expected, cells)[lane[None], owners] & ~burst[None]

        matching = exists & self.matching(activity) & burst[None]
        best, matched, winner = segments.best_or_fewest(pool, columns, matching, seed)
        index = jnp.arange(segments.segments, dtype=jnp.int32)[:, None]
        learning = active | ((index == best[None]) & matched[None])
        cell = jnp.arange(cells, dtype=jnp.int32)[None]
        won = bits.pack((cell == winner[:, None]) & burst[:, None])
        return won | expected, winner, learning, burst & ~matched

    def learn(
        self,
        pool: SegmentPool,
        groups: Int[Array, "lanes"],
        owners: Int[Array, "lanes"],
        chosen: Bool[Array, "segments lanes"],
        new: Bool[Array, "lanes"],
        active: UInt32[Array, "source_groups words"],
        candidates: Int[Array, "candidates"],
        seed: UInt32[Array, ""],
    ) -> tuple[SegmentPool, Lost]:
        """Chosen segments learn; lanes without one may get a new segment. No two new ones in one group.

        Args:
            pool: the segments, counted for the active sources.
            groups: the group of each lane; a number outside of the groups for none.
            owners: the cell of the group that gets the new segment.
            chosen: segments of the group that learn.
            new: whether the lane gets a new segment.
            active: the active sources, packed by group.
            candidates: sources for new synapses, ascending, filled up with numbers that are no source.
            seed: decides which candidates are taken if not all are wanted.

        Returns:
            The pool, and what had no room.
        """
        segments = self.segments
        new = new & jnp.any(candidates < segments.sources) & (self.new_synapses >= 1)
        place, evicted = segments.vacancy(pool, groups, owners)
        index = jnp.arange(segments.segments, dtype=jnp.int32)[:, None]
        made = (index == (place // segments.groups)[None]) & new[None]
        rule = (self.new_synapses, self.permanence_increment, self.permanence_decrement)
        activity = segments.in_groups(pool.activity, groups)
        rows, lost = segments.rows(groups, chosen | made, made, owners, activity, rule, self.learning_rows)
        pool, _ = segments.learn(pool, rows, active, candidates, seed)
        return pool, Lost(lost, jnp.zeros_like(lost), jnp.sum(evicted & new, dtype=jnp.int32))

    def learn_on_cells(
        self,
        pool: SegmentPool,
        cells: Int[Array, "cells"],
        active: UInt32[Array, "source_groups words"],
        candidates: Int[Array, "candidates"],
        seed: UInt32[Array, ""],
    ) -> tuple[SegmentPool, Lost]:
        """These cells learn: by their active segments, else by the best matching one, else by a new one.

        Args:
            pool: the segments, counted for the active sources.
            cells: numbers counted through all groups; those outside of the cells are none. At most one of each group.
            active: the active sources, packed by group.
            candidates: sources for new synapses, ascending, filled up with numbers that are no source.
            seed: decides which candidates are taken if not all are wanted.

        Returns:
            The pool, and what had no room.
        """
        segments = self.segments
        real = (cells >= 0) & (cells < segments.groups * segments.cells)
        groups, owners = jnp.where(real, cells // segments.cells, segments.groups), cells % segments.cells
        own = segments.in_groups(pool.owners, groups).astype(jnp.int32) == owners[None]
        own = own & (segments.in_groups(pool.sizes, groups) > 0) & real[None]
        activity = segments.in_groups(pool.activity, groups)
        active_segments = own & self.active(activity)
        has_active = bits.fold(jnp.logical_or, active_segments)
        keys = (-potential(activity), segments.in_groups(pool.created, groups))
        best, matched = bits.first_least(own & self.matching(activity), keys)
        index = jnp.arange(segments.segments, dtype=jnp.int32)[:, None]
        chosen = jnp.where(has_active[None], active_segments, (index == best[None]) & matched[None])
        new = real & ~has_active & ~matched
        return self.learn(pool, groups, owners, chosen, new, active, candidates, seed)

    def punished(
        self,
        pool: SegmentPool,
        wrong: Bool[Array, "segments groups"],
        active: UInt32[Array, "source_groups words"],
        seed: UInt32[Array, ""],
    ) -> tuple[SegmentPool, Lost]:
        """The pool after segments predicted wrongly.

        Args:
            pool: the segments.
            wrong: which of them.
            active: the active sources, packed by group.
            seed: of the pool's choices, of which none is taken here.

        Returns:
            The pool, and what had no room.
        """
        none = jnp.zeros((), jnp.int32)

        def punish() -> tuple[SegmentPool, Array]:
            places, number = bits.compact(wrong.ravel(), self.punished_rows)
            nothing = jnp.zeros_like(places)
            increase = jnp.broadcast_to(-self.predicted_decrement, places.shape)
            rows = Rows(places, nothing > 0, nothing, nothing, increase, jnp.zeros_like(increase))
            no_candidates = jnp.full(1, self.segments.sources, jnp.int32)
            changed, _ = self.segments.learn(pool, rows, active, no_candidates, seed)
            return changed, jnp.maximum(number - self.punished_rows, 0)

        needed = (self.predicted_decrement > 0) & jnp.any(wrong)
        pool, lost = jax.lax.cond(needed, punish, lambda: (pool, none))
        return pool, Lost(none, lost, none)


def sum_of(*lost: Lost) -> Lost:
    """What had no room in several places."""
    return jax.tree.map(lambda *numbers: sum(numbers[1:], numbers[0]), *lost)
