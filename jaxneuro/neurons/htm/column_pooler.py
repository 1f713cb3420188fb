"""Cells that stand for an object as long as it is sensed, whatever of it is sensed: the output layer of a column."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PRNGKeyArray, UInt32

from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.neurons.htm import bits
from jaxneuro.neurons.htm.dendrites import Dendrites, Lost, sum_of
from jaxneuro.neurons.htm.segment_pool import SegmentPool, Segments


class Sensed(eqx.Module):
    """What an object shows of itself. Sets of cells are bits of words, see `bits.pack`.

    Attributes:
        inputs: active input cells.
        candidates: of these the ones that new synapses may come from, ascending, filled up.
        lateral: active cells of each neighbouring column, `[neighbours, words]`.
        learn: whether the object is learnt, or else recognised.
        reset: whether this is the first that is sensed of an object.
    """

    inputs: UInt32[Array, "*time input_words"]
    candidates: Int[Array, "*time candidates"]
    lateral: UInt32[Array, "*time neighbours words"]
    learn: Bool[Array, "*time"]
    reset: Bool[Array, "*time"]


class ColumnPoolerState(eqx.Module):
    """Segments of each kind, and the active cells."""

    proximal: SegmentPool
    internal: SegmentPool
    lateral: tuple[SegmentPool, ...]
    active: Bool[Array, "cells"]
    drawn: Int[Array, ""]
    seed: UInt32[Array, ""]


class ColumnPoolerOutput(eqx.Module):
    """The object.

    Attributes:
        active: active cells, packed.
        lost: what had no room among the segments; active cells that had none to learn count as segments.
    """

    active: UInt32[Array, "words"]
    lost: Lost


class ColumnPooler(StateMachine[ColumnPoolerState, Sensed, ColumnPoolerOutput]):
    """A layer of cells that pools over what is sensed of an object.

        support          `support = n_internal + sum_c n_lateral[c]`: of a cell, how many of its distal segments are
                         active: those onto cells of its own layer as they were, and of each neighbouring column
        fed cells        those with an active proximal segment
        recognising      of the fed cells with support those with the most, and so on tier by tier, until there are
                         `object_cells`; if there are too few, cells that were active, up to the share `inertia` of
                         them, tier by tier; if there are still too few, the other fed cells, tier by tier
        learning         a new object is `object_cells` cells at random, which stay until the reset. Each learns on
                         proximal segments what is sensed, and on distal ones what was active in its own layer and is
                         active in the neighbouring columns

    Whatever is sensed of an object so far narrows the objects that it may be, here and, through lateral segments, in
    all columns that sense the same.

    Input: `Sensed`: input cells as words [words]. Output: `ColumnPoolerOutput`. All numbers are dimensionless.

    Reference: Hawkins, Ahmad, Cui, A theory of how columns in the neocortex enable learning the structure of the
    world, Frontiers in Neural Circuits 11:81, 2017.
    """

    proximal: Dendrites
    distal: Dendrites
    neighbours: int = eqx.field(static=True)
    object_cells: int = eqx.field(static=True)
    inertia: Scalar = parameter(1.0, at_least=0.0, at_most=1.0)

    def __init__(
        self,
        inputs: int = 65536,
        cells: int = 4096,
        *,
        neighbours: int = 0,
        object_cells: int = 40,
        proximal_segments: int = 16,
        distal_segments: int = 4,
        synapses: int = 20,
        inertia: float | Array = 1.0,
        proximal_threshold: float | Array = 10.0,
        distal_threshold: float | Array = 13.0,
        initial_permanence: float | Array = 0.6,
        connected_permanence: float | Array = 0.5,
        new_synapses: float | Array = 20.0,
        permanence_increment: float | Array = 0.1,
        permanence_decrement: float | Array = 0.001,
    ) -> None:
        """A layer that knows no object.

        Args:
            inputs: number of input cells.
            cells: of the layer, and of the same layer in each neighbouring column.
            neighbours: number of neighbouring columns.
            object_cells: how many cells stand for an object.
            proximal_segments: room per cell: about one for everything that is to be sensed of its objects.
            distal_segments: room per cell and source: about one for each of its objects.
            synapses: most synapses of a segment.
            inertia: the share of the active cells that may stay active without being fed.
            proximal_threshold: active connected synapses of an active proximal segment.
            distal_threshold: of an active distal one.
            initial_permanence: of new synapses.
            connected_permanence: from which a synapse is connected.
            new_synapses: active synapses that a learning segment is to have after growth.
            permanence_increment: of synapses from active cells.
            permanence_decrement: of other synapses of a learning segment.

        Raises:
            ValueError: if a size or parameter is out of range.
        """
        for name, value, least in (("neighbours", neighbours, 0), ("object_cells", object_cells, 1)):
            if not least <= value <= cells:
                raise ValueError(f"ColumnPooler.{name} is {value}; it must be from {least} to {cells}.")

        def dendrites(threshold: float | Array, segments: int, sources: int) -> Dendrites:
            pool = Segments(
                initial_permanence,
                connected_permanence,
                groups=cells,
                cells=1,
                segments=segments,
                synapses=synapses,
                source_groups=1,
                source_cells=sources,
            )
            return Dendrites(
                pool,
                threshold,
                threshold,
                new_synapses,
                permanence_increment,
                permanence_decrement,
                learning_rows=2 * object_cells,
            )

        self.proximal = dendrites(proximal_threshold, proximal_segments, inputs)
        self.distal = dendrites(distal_threshold, distal_segments, cells)
        self.neighbours, self.object_cells, self.inertia = neighbours, object_cells, inertia

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return self.proximal.segments.groups

    def init(self, key: PRNGKeyArray) -> ColumnPoolerState:
        """No segments, no object."""
        return ColumnPoolerState(
            proximal=self.proximal.segments.init(),
            internal=self.distal.segments.init(),
            lateral=tuple(self.distal.segments.init() for _ in range(self.neighbours)),
            active=jnp.zeros(self.cells, bool),
            drawn=jnp.zeros((), jnp.int32),
            seed=jax.random.bits(key, dtype=jnp.uint32),
        )

    def step(self, state: ColumnPoolerState, input: Sensed) -> tuple[ColumnPoolerState, ColumnPoolerOutput]:
        """Recognises or learns."""
        before = state.active & ~input.reset
        own = bits.pack(before)
        proximal = self.proximal.counted(state.proximal, input.inputs[None])
        internal = self.distal.counted(state.internal, own[None])
        lateral = tuple(
            self.distal.counted(pool, words[None]) for pool, words in zip(state.lateral, input.lateral, strict=True)
        )
        fed = self.proximal.supported(proximal, self.proximal.active(proximal.activity))[:, 0]
        number = [jnp.sum(self.distal.active(pool.activity), axis=0, dtype=jnp.int32) for pool in (internal, *lateral)]
        recognised = self.chosen(fed, sum(number[1:], number[0]), before)

        known = jnp.sum(before, dtype=jnp.int32) >= self.object_cells
        learnt = jnp.where(known, before, self._random_object(state))
        active = jnp.where(input.learn, learnt, recognised)
        listed, total = bits.compact(active, 2 * self.object_cells)
        earlier, _ = bits.compact(before, 2 * self.object_cells)

        def learn() -> tuple[SegmentPool, SegmentPool, tuple[SegmentPool, ...], Lost]:
            seed, wanted = state.seed, jnp.where(listed < self.cells, listed, self.cells)
            below, lost = self.proximal.learn_on_cells(proximal, wanted, input.inputs[None], input.candidates, seed)
            within, more = self.distal.learn_on_cells(internal, wanted, own[None], earlier, seed)
            beside = []
            for pool, words in zip(lateral, input.lateral, strict=True):
                sources, _ = bits.compact(bits.unpack(words, self.cells), 2 * self.object_cells)
                pool, others = self.distal.learn_on_cells(pool, wanted, words[None], sources, seed)
                beside.append(self.distal.segments.mark_used(pool, self.distal.active(pool.activity)))
                more = sum_of(more, others)
            below = self.proximal.segments.mark_used(below, self.proximal.active(proximal.activity))
            within = self.distal.segments.mark_used(within, self.distal.active(internal.activity))
            crowd = Lost(jnp.maximum(total - 2 * self.object_cells, 0), *[jnp.zeros((), jnp.int32)] * 2)
            return below, within, tuple(beside), sum_of(lost, more, crowd)

        nothing = Lost(*[jnp.zeros((), jnp.int32)] * 3)
        proximal, internal, lateral, lost = jax.lax.cond(
            input.learn, learn, lambda: (proximal, internal, lateral, nothing)
        )
        drawn = state.drawn + (input.learn & ~known).astype(jnp.int32)
        after = ColumnPoolerState(proximal, internal, lateral, active, drawn, state.seed)
        return after, ColumnPoolerOutput(bits.pack(active), lost)

    def _random_object(self, state: ColumnPoolerState) -> Bool[Array, "cells"]:
        mix = bits.scrambled(state.seed + state.drawn.astype(jnp.uint32) * jnp.uint32(0x9E3779B9))
        chances = bits.scrambled(mix ^ bits.scrambled(jnp.arange(self.cells, dtype=jnp.uint32))) >> 1
        found = jax.lax.top_k(chances.astype(jnp.int32), self.object_cells)[1]
        return jnp.zeros(self.cells, bool).at[found].set(True)

    def chosen(
        self, fed: Bool[Array, "cells"], support: Int[Array, "cells"], before: Bool[Array, "cells"]
    ) -> Bool[Array, "cells"]:
        """The cells that become active when nothing is learnt.

        Args:
            fed: which cells have an active proximal segment.
            support: of each cell, how many of its distal segments are active.
            before: which cells were active.

        Returns:
            Which cells are active.
        """
        active = self._tiers(fed & (support > 0), support, jnp.zeros_like(fed))
        staying = before & ~active
        most = jnp.floor(self.inertia * jnp.sum(staying, dtype=self.inertia.dtype)).astype(jnp.int32)
        order = jnp.argsort(jnp.where(staying, -support, 1), stable=True)
        staying = staying & jnp.zeros_like(staying).at[order].set(jnp.arange(self.cells, dtype=jnp.int32) < most)
        active = active | self._tiers(staying, support, active)
        return active | self._tiers(fed & ~active, support, active)

    def _tiers(
        self, members: Bool[Array, "cells"], support: Int[Array, "cells"], already: Bool[Array, "cells"]
    ) -> Bool[Array, "cells"]:
        """Of the members those with the most support, then all with the next most, until there are enough cells."""
        highest = self.distal.segments.segments * (1 + self.neighbours)
        counts = jnp.zeros(highest + 1, jnp.int32).at[support].add(members.astype(jnp.int32))
        above = jnp.sum(counts, dtype=jnp.int32) - jnp.cumsum(counts, dtype=jnp.int32)
        have = jnp.sum(already, dtype=jnp.int32)
        return members & (above[support] + have < self.object_cells)
