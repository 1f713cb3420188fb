"""A memory whose cells are predicted by basal segments, and whose apical segments choose among the predicted ones."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt32

from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.neurons.htm import bits
from jaxneuro.neurons.htm.columns_in_context import ColumnsInContext
from jaxneuro.neurons.htm.dendrites import Dendrites, Lost, sum_of
from jaxneuro.neurons.htm.segment_pool import SegmentPool, Segments, connected


class ApicalTiebreakState(eqx.Module):
    """The segments, and what the next step of the sequence form looks back at."""

    basal: SegmentPool
    apical: SegmentPool
    active: UInt32[Array, "columns words"]
    winners: Int[Array, "winners"]
    apical_input: UInt32[Array, "apical_words"]
    apical_candidates: Int[Array, "apical_candidates"]
    seed: UInt32[Array, ""]


class ApicalTiebreakOutput(eqx.Module):
    """Cells as bits of words, see `jaxneuro.neurons.htm.bits.unpack`.

    Attributes:
        active: active cells.
        winners: of these the ones that learn.
        winner_cells: their numbers, ascending, filled up with the number of all cells.
        predicted: cells that were expected in this step (pair form), or are expected in the next (sequence form).
        anomaly: the share of active minicolumns without a predicted cell; 0 if none is active.
        lost_winners: winner cells that had no room (`winners`).
        basal_lost: what had no room among the basal segments.
        apical_lost: what had no room among the apical segments.
    """

    active: UInt32[Array, "columns words"]
    winners: UInt32[Array, "columns words"]
    winner_cells: Int[Array, "winners"]
    predicted: UInt32[Array, "columns words"]
    anomaly: Float[Array, ""]
    lost_winners: Int[Array, ""]
    basal_lost: Lost
    apical_lost: Lost


class ApicalTiebreakMemory(StateMachine[ApicalTiebreakState, ColumnsInContext, ApicalTiebreakOutput]):
    """Minicolumns of cells with basal segments, which predict, and apical segments, which break ties.

        predicted cells    `predicted = basal >= activation_threshold`: some basal segment has so many active connected
                           synapses; of the predicted cells of a minicolumn only those with an active apical segment,
                           if there is one. Apical segments alone never predict. When nothing is learnt, cells with an
                           active apical segment need no more than `reduced_basal_threshold`
        active cells       in an active minicolumn the predicted ones; if there is none, all: it bursts
        winner cells       the predicted ones; in a bursting minicolumn the owner of the best matching basal segment,
                           or else one with the fewest basal segments, which gets a new one
        basal learning     of the active segments of predicted winners, of the best matching and of the new ones
        apical learning    of every winner cell: its active segments, else its best matching one, else a new one
        wrong segments     those that match in minicolumns that are not active lose their own `predicted_decrement`

    In the pair form basal inputs are external, such as a location. In the sequence form (`basal_inputs=None`) they are
    the memory's own last active cells, its last winner cells the candidates for growth, and apical inputs are those of
    the last step too: predictions are made one step ahead.

    Input: `ColumnsInContext`: active minicolumns as integers [active], inputs as words [words]. Output:
    `ApicalTiebreakOutput`. All numbers are dimensionless.

    Reference: Hawkins, Ahmad, Why neurons have thousands of synapses, Frontiers in Neural Circuits 10:23, 2016, for
    basal segments; Hawkins, Ahmad, Cui, A theory of how columns in the neocortex enable learning the structure
    of the world, Frontiers in Neural Circuits 11:81, 2017, for apical ones.
    """

    basal: Dendrites
    apical: Dendrites
    winners: int = eqx.field(static=True)
    candidates: int = eqx.field(static=True)
    sequence: bool = eqx.field(static=True)
    reduced_basal_threshold: Scalar = parameter(13.0, at_least=1.0)

    def __init__(
        self,
        columns: int = 2048,
        cells: int = 32,
        *,
        basal_inputs: int | None = None,
        apical_inputs: int = 4096,
        segments: int = 16,
        apical_segments: int = 2,
        synapses: int = 32,
        learning_rows: int = 64,
        punished_rows: int = 64,
        winners: int = 64,
        apical_candidates: int = 64,
        activation_threshold: float | Array = 13.0,
        reduced_basal_threshold: float | Array = 13.0,
        min_threshold: float | Array = 10.0,
        initial_permanence: float | Array = 0.21,
        connected_permanence: float | Array = 0.5,
        new_synapses: float | Array = 20.0,
        permanence_increment: float | Array = 0.1,
        permanence_decrement: float | Array = 0.1,
        basal_predicted_decrement: float | Array = 0.0,
        apical_predicted_decrement: float | Array = 0.0,
    ) -> None:
        """A memory without segments.

        Args:
            columns: number of minicolumns.
            cells: per minicolumn.
            basal_inputs: number of external cells; None for the sequence form.
            apical_inputs: number of apical input cells.
            segments: room for basal segments per minicolumn.
            apical_segments: room for apical segments per cell.
            synapses: most synapses of a segment.
            learning_rows: most segments of each kind that learn in a step.
            punished_rows: most segments of each kind that are punished in a step.
            winners: most winner cells of a step.
            apical_candidates: length of the list of apical candidates.
            activation_threshold: active connected synapses of an active segment.
            reduced_basal_threshold: of basal segments of apically supported cells, when nothing is learnt.
            min_threshold: active synapses of a matching segment.
            initial_permanence: of new synapses.
            connected_permanence: from which a synapse is connected.
            new_synapses: active synapses that a learning segment is to have after growth.
            permanence_increment: of synapses from active cells.
            permanence_decrement: of other synapses of a learning segment.
            basal_predicted_decrement: of active synapses of a basal segment that predicted wrongly.
            apical_predicted_decrement: of active synapses of such an apical segment.

        Raises:
            ValueError: if a size or parameter is out of range.
        """
        if winners < 1:
            raise ValueError(f"ApicalTiebreakMemory.winners is {winners}; it must be at least 1.")

        def dendrites(
            predicted_decrement: float | Array, groups: int, cells: int, segments: int, sources: tuple[int, int]
        ) -> Dendrites:
            pool = Segments(
                initial_permanence,
                connected_permanence,
                groups=groups,
                cells=cells,
                segments=segments,
                synapses=synapses,
                source_groups=sources[0],
                source_cells=sources[1],
            )
            return Dendrites(
                pool,
                activation_threshold,
                min_threshold,
                new_synapses,
                permanence_increment,
                permanence_decrement,
                predicted_decrement,
                learning_rows=learning_rows,
                punished_rows=punished_rows,
            )

        below = (columns, cells) if basal_inputs is None else (1, basal_inputs)
        self.basal = dendrites(basal_predicted_decrement, columns, cells, segments, below)
        # A group for each cell, so that several cells of a minicolumn can get a segment in one step.
        self.apical = dendrites(apical_predicted_decrement, columns * cells, 1, apical_segments, (1, apical_inputs))
        self.winners, self.candidates, self.sequence = winners, apical_candidates, basal_inputs is None
        self.reduced_basal_threshold = reduced_basal_threshold

    @property
    def columns(self) -> int:
        """How many minicolumns there are."""
        return self.basal.segments.groups

    @property
    def cells(self) -> int:
        """How many cells a minicolumn has."""
        return self.basal.segments.cells

    def init(self, key: PRNGKeyArray) -> ApicalTiebreakState:
        """No segments, nothing active."""
        return ApicalTiebreakState(
            basal=self.basal.segments.init(),
            apical=self.apical.segments.init(),
            active=jnp.zeros((self.columns, bits.words_of(self.cells)), jnp.uint32),
            winners=jnp.full(self.winners, self.columns * self.cells, jnp.int32),
            apical_input=jnp.zeros(bits.words_of(self.apical.segments.sources), jnp.uint32),
            apical_candidates=jnp.full(self.candidates, self.apical.segments.sources, jnp.int32),
            seed=jax.random.bits(key, dtype=jnp.uint32),
        )

    def step(
        self, state: ApicalTiebreakState, input: ColumnsInContext
    ) -> tuple[ApicalTiebreakState, ApicalTiebreakOutput]:
        """Activates cells and learns."""
        if input.apical_candidates.shape != (self.candidates,):
            raise ValueError(
                f"ColumnsInContext.apical_candidates has shape {input.apical_candidates.shape}; it must be "
                f"({self.candidates},), as ApicalTiebreakMemory(apical_candidates={self.candidates}) says."
            )
        return self._step(state, input)

    def _seen(self, state: ApicalTiebreakState, given: ColumnsInContext) -> tuple[SegmentPool, SegmentPool, Any, Any]:
        """Both pools as counted for what the cells see in this step, the basal inputs and their candidates."""
        if self.sequence:
            silent = (~given.reset).astype(jnp.uint16)
            pools = [eqx.tree_at(lambda p: p.activity, p, p.activity * silent) for p in (state.basal, state.apical)]
            basal = jnp.where(given.reset, 0, state.active)
            return *pools, basal, jnp.where(given.reset, self.columns * self.cells, state.winners)
        if given.basal is None or given.basal_candidates is None:
            raise ValueError("ApicalTiebreakMemory has basal_inputs: ColumnsInContext must have basal inputs too.")
        basal, apical = given.basal[None], given.apical[None]
        return (
            self.basal.counted(state.basal, basal),
            self.apical.counted(state.apical, apical),
            basal,
            given.basal_candidates,
        )

    def _predicted(self, basal: SegmentPool, apical: SegmentPool, learn: Any) -> UInt32[Array, "columns words"]:
        number = connected(basal.activity).astype(self.reduced_basal_threshold.dtype)
        supported = self.apical.supported(apical, self.apical.active(apical.activity)).reshape(self.columns, -1)
        eased = self.basal.supported(basal, number >= self.reduced_basal_threshold) & supported & ~learn
        predicted = self.basal.supported(basal, self.basal.active(basal.activity)) | eased
        preferred = predicted & supported
        return bits.pack(jnp.where(jnp.any(preferred, axis=1, keepdims=True), preferred, predicted))

    def _step(
        self, state: ApicalTiebreakState, given: ColumnsInContext
    ) -> tuple[ApicalTiebreakState, ApicalTiebreakOutput]:
        basal, apical, basal_input, candidates = self._seen(state, given)
        apical_input, apical_candidates = given.apical, given.apical_candidates
        if self.sequence:
            apical_input = jnp.where(given.reset, 0, state.apical_input)
            apical_candidates = jnp.where(given.reset, self.apical.segments.sources, state.apical_candidates)
        real = (given.active >= 0) & (given.active < self.columns)
        columns = jnp.where(real, given.active, self.columns).astype(jnp.int32)
        predicted = self._predicted(basal, apical, given.learn)
        expected = predicted.at[columns].get(mode="fill", fill_value=0)
        burst = real & ~jnp.any(expected > 0, axis=1)
        cells = jnp.where(burst[:, None], bits.pack(jnp.ones(self.cells, bool))[None], expected)
        now = jnp.zeros_like(predicted).at[columns].set(cells, mode="drop")

        winners, owners, chosen, new = self.basal.learners(basal, columns, burst, expected, state.seed)
        listed, number = bits.compact(bits.unpack(winners, self.cells).ravel(), self.winners)
        no_cell = self.columns * self.cells
        lane = jnp.minimum(listed // self.cells, columns.shape[0] - 1)
        there = listed < columns.shape[0] * self.cells
        listed = jnp.where(there, columns[lane] * self.cells + listed % self.cells, no_cell)

        silent = jnp.ones(self.columns, bool).at[columns].set(False, mode="drop")

        def learnt() -> tuple[SegmentPool, SegmentPool, Lost, Lost]:
            wrong = self.basal.matching(basal.activity) & silent[None]
            after, lost = self.basal.learn(basal, columns, owners, chosen, new, basal_input, candidates, state.seed)
            after, unpunished = self.basal.punished(after, wrong, basal_input, state.seed)
            wrong = self.apical.matching(apical.activity) & jnp.repeat(silent, self.cells)[None]
            inputs = (apical_input[None], apical_candidates, state.seed)
            above, above_lost = self.apical.learn_on_cells(apical, listed, *inputs)
            above, above_unpunished = self.apical.punished(above, wrong, apical_input[None], state.seed)
            after = self.basal.segments.mark_used(after, self.basal.active(basal.activity))
            above = self.apical.segments.mark_used(above, self.apical.active(apical.activity))
            return after, above, sum_of(lost, unpunished), sum_of(above_lost, above_unpunished)

        nothing = Lost(*[jnp.zeros((), jnp.int32)] * 3)
        basal, apical, basal_lost, apical_lost = jax.lax.cond(
            given.learn, learnt, lambda: (basal, apical, nothing, nothing)
        )
        if self.sequence:
            basal = self.basal.counted(basal, now)
            apical = self.apical.counted(apical, given.apical[None])
            predicted = self._predicted(basal, apical, given.learn)
        dtype = self.reduced_basal_threshold.dtype
        output = ApicalTiebreakOutput(
            active=now,
            winners=jnp.zeros_like(now).at[columns].set(winners, mode="drop"),
            winner_cells=listed,
            predicted=predicted,
            anomaly=jnp.sum(burst, dtype=dtype) / jnp.maximum(jnp.sum(real, dtype=dtype), 1),
            lost_winners=jnp.maximum(number - self.winners, 0),
            basal_lost=basal_lost,
            apical_lost=apical_lost,
        )
        return ApicalTiebreakState(
            basal, apical, now, listed, given.apical, given.apical_candidates, state.seed
        ), output
