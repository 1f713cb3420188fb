"""The temporal memory: cells that predict which minicolumns come next, by segments that know what came before."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, UInt32

from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.neurons.htm import bits
from jaxneuro.neurons.htm.fan_out import where_needed
from jaxneuro.neurons.htm.segment_pool import Evict, Rows, SegmentPool, Segments, connected, potential

CHANGED_TOGETHER = 64  # rows


class Columns(eqx.Module):
    """Active minicolumns, whether the memory learns from them, and whether it first forgets what came before.

    Attributes:
        active: their numbers, ascending, filled up with numbers that are no column.
        learn: whether segments change.
        reset: whether a new sequence begins.
    """

    active: Int[Array, "*time active"]
    learn: Bool[Array, "*time"]
    reset: Bool[Array, "*time"]

    def __init__(
        self, active: Int[Array, "*time active"], learn: bool | Array = True, reset: bool | Array = False
    ) -> None:
        """One step, or with a leading axis of time many; one answer for all of them is enough."""
        self.active = active
        self.learn = jnp.broadcast_to(jnp.asarray(learn), active.shape[:-1])
        self.reset = jnp.broadcast_to(jnp.asarray(reset), active.shape[:-1])


class Overflow(eqx.Module):
    """How much had no room in this step. All 0: the memory did what one without limits would have done.

    Attributes:
        winners: winner cells that were not remembered for the growth of synapses (`winners`).
        learning: segments that did not learn (`learning_rows`).
        punished: segments that were not punished (`punished_rows`).
        evicted: segments given up because their minicolumn was full (`segments`).
        synapses: synapses not made because too many leave one minicolumn (`fan_out`).
    """

    winners: Int[Array, ""]
    learning: Int[Array, ""]
    punished: Int[Array, ""]
    evicted: Int[Array, ""]
    synapses: Int[Array, ""]


class TemporalMemoryState(eqx.Module):
    """The segments, and what was active in the last step."""

    pool: SegmentPool
    active: UInt32[Array, "columns words"]
    winners: Int[Array, "winners"]
    seed: UInt32[Array, ""]


class TemporalMemoryOutput(eqx.Module):
    """Cells as bits of words, see `jaxneuro.neurons.htm.bits.unpack`.

    Attributes:
        active: active cells.
        winners: of these the ones that learn, one or more in each active minicolumn.
        predicted: cells that are expected to be active in the next step.
        anomaly: the share of active minicolumns without a predicted cell; 0 if none is active.
        overflow: what had no room.
    """

    active: UInt32[Array, "columns words"]
    winners: UInt32[Array, "columns words"]
    predicted: UInt32[Array, "columns words"]
    anomaly: Float[Array, ""]
    overflow: Overflow


class _Chosen(eqx.Module):
    """What happens in each active minicolumn."""

    winners: UInt32[Array, "active words"]
    learning: Bool[Array, "segments active"]
    new: Bool[Array, "active"]
    owners: Int[Array, "active"]
    evicted: Int[Array, ""]


class TemporalMemory(StateMachine[TemporalMemoryState, Int[Array, "active"] | Columns, TemporalMemoryOutput]):
    """Sequence memory of minicolumns of cells with many dendritic segments.

        a segment is active    if at least `activation_threshold` of its connected synapses (permanence at least
                               `connected_permanence`) come from cells active in the last step
        a segment matches      if at least `min_threshold` of all its synapses do
        active cells           in an active minicolumn those with an active segment; if there is none, all: it bursts
        winner cells           those with an active segment; in a bursting minicolumn the cell of the best matching
                               segment, or else one with the fewest segments, which grows a new segment
        learning segments      `p <- p + permanence_increment` for synapses from cells active before, for others
                               `p <- p - permanence_decrement`; growth onto the last winner cells, up to
                               `new_synapses` active synapses
        wrong segments         `p <- p - predicted_decrement` for synapses from cells active before, of matching
                               segments in minicolumns that did not become active

    Input: numbers of the active minicolumns, integers `[active]`, ascending, filled up with `columns`; or `Columns`.
    Output: `TemporalMemoryOutput`; its anomaly is a share from 0 to 1. All parameters are dimensionless; permanences p
    are from 0 to 1, and a synapse is destroyed at 0.

    All decisions are thresholds: permanences have derivatives, what is active has none. Random choices are hashes of
    what they are for, so that runs of other sizes, platforms and orders are equal as long as all `Overflow` counters
    are 0.

    Reference: Hawkins, Ahmad, Why neurons have thousands of synapses, a theory of sequence memory in neocortex,
    Frontiers in Neural Circuits 10:23, 2016; order of operations and tie-breaks as in the temporal memory of
    Biological and Machine Intelligence (Numenta, 2016).
    """

    segments: Segments
    learning_rows: int = eqx.field(static=True)
    punished_rows: int = eqx.field(static=True)
    winners: int = eqx.field(static=True)
    activation_threshold: Scalar = parameter(13.0, at_least=1.0)
    min_threshold: Scalar = parameter(10.0, at_least=1.0)
    new_synapses: Scalar = parameter(20.0, at_least=0.0)
    permanence_increment: Scalar = parameter(0.1, at_least=0.0, at_most=1.0)
    permanence_decrement: Scalar = parameter(0.1, at_least=0.0, at_most=1.0)
    predicted_decrement: Scalar = parameter(0.0, at_least=0.0, at_most=1.0)

    def __init__(
        self,
        columns: int = 2048,
        cells: int = 32,
        *,
        segments: int = 16,
        synapses: int = 32,
        segments_per_cell: int = 255,
        fan_out: int | None = 1024,
        learning_rows: int = 64,
        punished_rows: int = 256,
        winners: int = 64,
        evict: Evict = "least_recently_used",
        activation_threshold: float | Array = 13.0,
        min_threshold: float | Array = 10.0,
        initial_permanence: float | Array = 0.21,
        connected_permanence: float | Array = 0.5,
        new_synapses: float | Array = 20.0,
        permanence_increment: float | Array = 0.1,
        permanence_decrement: float | Array = 0.1,
        predicted_decrement: float | Array = 0.0,
    ) -> None:
        """A memory without segments.

        Args:
            columns: number of minicolumns.
            cells: per minicolumn.
            segments: room for segments per minicolumn. With `cells * segments_per_cell` or more, none is ever given up
                but where a cell has too many.
            synapses: most synapses of a segment.
            segments_per_cell: most segments of a cell.
            fan_out: room for synapses that come from one minicolumn, a multiple of 32; None for memories that look at
                every synapse in every step: accelerators, and many streams in one vmapped program.
            learning_rows: most segments that learn in a step.
            punished_rows: most segments that are punished in a step.
            winners: most winner cells that are remembered for a step.
            evict: which segment is given up.
            activation_threshold: active connected synapses of an active segment.
            min_threshold: active synapses of a matching segment.
            initial_permanence: of new synapses.
            connected_permanence: from which a synapse is connected.
            new_synapses: active synapses that a learning segment is to have after growth.
            permanence_increment: of synapses from active cells.
            permanence_decrement: of other synapses of a learning segment.
            predicted_decrement: of active synapses of a segment that predicted wrongly.

        Raises:
            ValueError: if a size or parameter is out of range.
        """
        for name, value in (("learning_rows", learning_rows), ("punished_rows", punished_rows), ("winners", winners)):
            if value < 1:
                raise ValueError(f"TemporalMemory.{name} is {value}; it must be at least 1.")
        self.segments = Segments(
            initial_permanence,
            connected_permanence,
            groups=columns,
            cells=cells,
            segments=segments,
            synapses=synapses,
            source_groups=columns,
            source_cells=cells,
            fan_out=fan_out,
            segments_per_cell=segments_per_cell,
            evict=evict,
        )
        self.activation_threshold = activation_threshold
        self.min_threshold = min_threshold
        self.new_synapses = new_synapses
        self.permanence_increment = permanence_increment
        self.permanence_decrement = permanence_decrement
        self.predicted_decrement = predicted_decrement
        self.learning_rows, self.punished_rows, self.winners = learning_rows, punished_rows, winners

    @property
    def columns(self) -> int:
        """How many minicolumns there are."""
        return self.segments.groups

    @property
    def cells(self) -> int:
        """How many cells a minicolumn has."""
        return self.segments.cells

    def init(self, key: PRNGKeyArray) -> TemporalMemoryState:
        """No segments, nothing active."""
        return TemporalMemoryState(
            pool=self.segments.init(),
            active=jnp.zeros((self.columns, bits.words_of(self.cells)), jnp.uint32),
            winners=jnp.full(self.winners, self.columns * self.cells, jnp.int32),
            seed=jax.random.bits(key, dtype=jnp.uint32),
        )

    def step(
        self, state: TemporalMemoryState, input: Int[Array, "active"] | Columns
    ) -> tuple[TemporalMemoryState, TemporalMemoryOutput]:
        """Activates cells, learns, and predicts."""
        given = input if isinstance(input, Columns) else Columns(input)
        segments, pool = self.segments, state.pool
        real = (given.active >= 0) & (given.active < self.columns)
        columns = jnp.where(real, given.active, self.columns).astype(jnp.int32)
        before = jnp.where(given.reset, 0, state.active)
        no_cell = self.columns * self.cells
        candidates = jnp.where(given.reset, no_cell, state.winners)

        activity = segments.in_groups(pool.activity, columns) * (~given.reset).astype(jnp.uint16)
        active, matching = self._active(activity), self._matching(activity)
        predicted = self._owners(segments.in_groups(pool.owners, columns), active)
        burst = real & ~jnp.any(predicted > 0, axis=1)
        cells = jnp.where(burst[:, None], bits.full(self.cells)[None], predicted)
        chosen = self._chosen(state, columns, burst, predicted, active, matching & burst[None], candidates)

        seed = state.seed
        learning = chosen.learning & given.learn
        rule = (self.new_synapses, self.permanence_increment, self.permanence_decrement)
        rows, unlearned = segments.rows(
            columns, learning, learning & chosen.new[None], chosen.owners, activity, rule, self.learning_rows
        )
        # A loop of one round costs time, and of many rounds too where many streams share a program.
        at_once = self.learning_rows <= CHANGED_TOGETHER or segments.fan_out is None
        learn = segments.learn if at_once else self._in_blocks
        pool, missing = learn(pool, rows, before, candidates, seed)
        pool, unpunished, also_missing = self._punished(pool, state, columns, before, given)

        now = jnp.zeros_like(state.active).at[columns].set(cells, mode="drop")
        winners, number = bits.compact(bits.unpack(chosen.winners, self.cells).ravel(), self.winners)
        lane = jnp.minimum(winners // self.cells, columns.shape[0] - 1)
        winners = jnp.where(
            winners < columns.shape[0] * self.cells, columns[lane] * self.cells + winners % self.cells, no_cell
        )
        pool = segments.counted(pool, now, columns)
        depolarised = self._active(pool.activity)
        marked = segments.mark_used(pool, depolarised)
        pool = eqx.tree_at(
            lambda pool: (pool.used, pool.clock),
            pool,
            (jnp.where(given.learn, marked.used, pool.used), jnp.where(given.learn, marked.clock, pool.clock)),
        )
        dtype = self.new_synapses.dtype
        share = jnp.sum(burst, dtype=dtype) / jnp.maximum(jnp.sum(real, dtype=dtype), 1)
        output = TemporalMemoryOutput(
            active=now,
            winners=jnp.zeros_like(now).at[columns].set(chosen.winners, mode="drop"),
            predicted=self._owners(pool.owners, depolarised),
            anomaly=share,
            overflow=Overflow(
                winners=jnp.maximum(number - self.winners, 0),
                learning=unlearned,
                punished=unpunished,
                evicted=chosen.evicted,
                synapses=missing + also_missing,
            ),
        )
        return TemporalMemoryState(pool, now, winners, seed), output

    def _active(self, activity: Array) -> Array:
        return connected(activity).astype(self.activation_threshold.dtype) >= self.activation_threshold

    def _matching(self, activity: Array) -> Array:
        return potential(activity).astype(self.min_threshold.dtype) >= self.min_threshold

    def _owners(self, owners: Array, segments: Bool[Array, "segments lanes"]) -> UInt32[Array, "lanes words"]:
        """The cells that own these segments."""
        cell = owners.astype(jnp.uint32)
        words = []
        for word in range(bits.words_of(self.cells)):
            there = segments & (cell // bits.WORD == word)
            words.append(bits.fold(jnp.bitwise_or, jnp.where(there, jnp.uint32(1) << (cell % bits.WORD), 0)))
        return jnp.stack(words, axis=1)

    def _chosen(
        self,
        state: Any,
        columns: Any,
        burst: Any,
        predicted: Any,
        active: Any,
        matching: Any,
        candidates: Any,
    ) -> _Chosen:
        """Winner cells and learning segments of each active minicolumn."""
        segments, pool = self.segments, state.pool

        def bursting() -> _Chosen:
            best, matched, winner = segments.best_or_fewest(pool, columns, matching, state.seed)
            new = burst & ~matched & jnp.any(candidates < self.columns * self.cells) & (self.new_synapses >= 1)
            place, evicted = segments.vacancy(pool, columns, winner)
            index = jnp.where(new, place // self.columns, best)
            slot = jnp.arange(segments.segments, dtype=jnp.int32)[:, None]
            learning = (slot == index[None]) & (new | matched)[None]
            bit = jnp.where(burst, jnp.uint32(1) << (winner % bits.WORD).astype(jnp.uint32), 0)
            words = jnp.arange(predicted.shape[1], dtype=jnp.int32)[None] == (winner // bits.WORD)[:, None]
            return _Chosen(
                winners=jnp.where(words, bit[:, None], 0) | predicted,
                learning=active | learning,
                new=new,
                owners=winner,
                evicted=jnp.sum(evicted & new, dtype=jnp.int32),
            )

        def none_bursts() -> _Chosen:
            nowhere = jnp.zeros_like(columns)
            return _Chosen(predicted, active, nowhere > 0, nowhere, jnp.zeros((), jnp.int32))

        return jax.lax.cond(jnp.any(burst), bursting, none_bursts)

    def _punished(
        self, pool: SegmentPool, state: Any, columns: Any, before: Any, given: Columns
    ) -> tuple[SegmentPool, Int[Array, ""], Int[Array, ""]]:
        """Lower permanences of the segments that matched in minicolumns that did not become active."""
        due = given.learn & ~given.reset & (self.predicted_decrement > 0)
        limit = self.punished_rows

        def find() -> tuple[Array, Array]:
            matching = self._matching(pool.activity)
            expected = bits.fold(jnp.logical_or, matching).at[columns].set(False, mode="drop")
            lanes, number = bits.compact(expected, limit)
            found, total = bits.compact(self.segments.in_groups(matching, lanes).T.ravel(), limit)
            lane, index = jnp.minimum(found // self.segments.segments, limit - 1), found % self.segments.segments
            there = found < limit * self.segments.segments
            lost = jnp.maximum(total - limit, 0) + jnp.maximum(number - limit, 0)
            return jnp.where(there, index * self.columns + lanes[lane], self.segments.places), lost

        def none() -> tuple[Array, Array]:
            return jnp.full(limit, self.segments.places, jnp.int32), jnp.zeros((), jnp.int32)

        places, lost = jax.lax.cond(due, find, none)

        nothing = jnp.zeros_like(places)
        rows = Rows(
            places=places,
            new=nothing > 0,
            owners=nothing,
            growth=nothing,
            increase=jnp.broadcast_to(-self.predicted_decrement, places.shape),
            decrease=jnp.zeros(places.shape, self.predicted_decrement.dtype),
        )
        no_candidates = jnp.full(1, self.segments.sources, jnp.int32)
        pool, missing = self._in_blocks(pool, rows, before, no_candidates, state.seed)
        return pool, lost, missing

    def _in_blocks(
        self, pool: SegmentPool, rows: Rows, before: Any, candidates: Any, seed: Any
    ) -> tuple[SegmentPool, Int[Array, ""]]:
        """`Segments.learn`, some rows after the other: most steps need no more than one block, or none."""
        limit = rows.places.shape[0]
        block = min(limit, CHANGED_TOGETHER)

        def blocks(array: Array, fill: Any) -> Array:
            return jnp.pad(array, (0, -limit % block), constant_values=fill).reshape(-1, block)

        parts = jax.tree.map(lambda array: blocks(array, 0), rows)
        parts = eqx.tree_at(lambda parts: parts.places, parts, blocks(rows.places, self.segments.places))

        def learn(carry: Any, segments: Any, rows: Any, before: Any, candidates: Any, seed: Any) -> Any:
            pool, missing = segments.learn(carry[0], rows, before, candidates, seed)
            return pool, carry[1] + missing

        def learn_if_any(carry: Any, rows: Rows) -> tuple[Any, None]:
            needed = rows.places[0] < self.segments.places
            return where_needed(learn, needed, carry, self.segments, rows, before, candidates, seed), None

        return jax.lax.scan(learn_if_any, (pool, jnp.zeros((), jnp.int32)), parts)[0]
