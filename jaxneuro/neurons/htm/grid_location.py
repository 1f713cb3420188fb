"""Grid cells that know a location: moved by path integration, anchored by what is sensed."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, UInt32

from jaxneuro.machine import Numbers, Scalar, StateMachine, parameter
from jaxneuro.neurons.htm import bits
from jaxneuro.neurons.htm.dendrites import Dendrites, Lost
from jaxneuro.neurons.htm.segment_pool import SegmentPool, Segments

RAT_SIGMA = 0.18172  # width of a bump in a module of 6 x 6 cells, in edges of the rhombus
RAT_CELLS = 6
LARGEST_RATE = 1 - 1e-6


class Movement(eqx.Module):
    """How the sensor moved, and what it senses there. Sets of cells are bits of words, see `bits.pack`.

    Attributes:
        displacement: in the plane, in units of the scale.
        sensory: active sensory cells; none at all if nothing is sensed.
        candidates: of these the ones that new synapses may come from, ascending, filled up.
        learn: whether the location is associated with what is sensed, or else inferred from it.
        reset: whether the location is forgotten before the movement.
    """

    displacement: Float[Array, "*time 2"]
    sensory: UInt32[Array, "*time sensory_words"]
    candidates: Int[Array, "*time candidates"]
    learn: Bool[Array, "*time"]
    reset: Bool[Array, "*time"]


class GridLocationState(eqx.Module):
    """The segments; bumps lie at the anchor cells, all shifted by the phase of their module."""

    pool: SegmentPool
    anchors: Bool[Array, "modules cells cells"]
    phase: Float[Array, "modules 2"]
    drawn: Int[Array, ""]
    seed: UInt32[Array, ""]


class GridLocationOutput(eqx.Module):
    """Location cells as bits of words; cell `(i, j)` of module `m` has number `(m cells + i) cells + j`.

    Attributes:
        active: cells that fire strongly enough after the movement, before what is sensed changes the location.
        anchored: cells that what is sensed speaks for; when learning, the cell of each module that is nearest.
        lost: what had no room among the segments.
    """

    active: UInt32[Array, "words"]
    anchored: UInt32[Array, "words"]
    lost: Lost


class GridLocation(StateMachine[GridLocationState, Movement, GridLocationOutput]):
    """Modules of grid cells on a torus, each a rhombus of cells with its own scale and orientation.

        path integration   `phase <- phase + R^-1 dx / scale mod 1`, where the columns of R are the two axes of the
                           rhombus, 60 degrees apart, turned by `orientation_rad`
        firing rate        `rate = 1 - prod_b (1 - exp(-d_b^2 / (2 bump_sigma^2)))` over all bumps b, d the distance on
                           the torus in edges of the rhombus
        active cells       `rate >= firing_threshold`
        learning           the cell nearest to the bump of each module gets a segment onto the sensory cells; without
                           a location, one is drawn at random first
        inference          cells with an active segment become the places of the bumps, all others are given up

    The location of a sensor on an object is thus a set of bumps, one for each place where it could be.

    Input: `Movement`: a displacement [2] and sensory cells as words [words]. Output: `GridLocationOutput`. Phases and
    rates are dimensionless; the scale is the length of an edge in units of the displacement; orientations are in rad.

    Reference: Lewis, Purdy, Ahmad, Hawkins, Locations in the neocortex: a theory of sensorimotor object recognition
    using cortical grid cells, Frontiers in Neural Circuits 13:22, 2019.
    """

    dendrites: Dendrites
    modules: int = eqx.field(static=True)
    cells: int = eqx.field(static=True)
    reach: int = eqx.field(static=True)
    scale: Numbers = parameter(above=0.0)
    orientation_rad: Numbers = parameter(unit="rad")
    bump_sigma: Scalar = parameter(above=0.0)
    firing_threshold: Scalar = parameter(above=0.0, at_most=1.0)

    def __init__(
        self,
        modules: int = 10,
        cells: int = 40,
        sensory_cells: int = 2400,
        *,
        segments: int = 64,
        synapses: int = 10,
        learning_rows: int = 64,
        reach: int = 6,
        scale: float | Array = 40.0,
        orientation_rad: float | Array | None = None,
        bump_sigma: float | Array | None = None,
        firing_threshold: float | Array | None = None,
        activation_threshold: float | Array = 8.0,
        min_threshold: float | Array = 8.0,
        initial_permanence: float | Array = 1.0,
        connected_permanence: float | Array = 0.5,
        new_synapses: float | Array = 10.0,
        permanence_increment: float | Array = 0.1,
        permanence_decrement: float | Array = 0.0,
    ) -> None:
        """Modules without segments.

        Args:
            modules: number of modules.
            cells: along an axis of a module.
            sensory_cells: number of cells that what is sensed is told by.
            segments: room for segments per row of a module.
            synapses: most synapses of a segment.
            learning_rows: most segments that learn in a step.
            reach: how many cells away the effect of a bump ends.
            scale: of every module, or of all.
            orientation_rad: of every module; evenly over 60 degrees if not given.
            bump_sigma: width of a bump; as wide in cells as in a module of 6 x 6 cells of the rat if not given.
            firing_threshold: of active cells; if not given, the rate at twice the largest distance of a point from
                its nearest cell, so that a cell which learnt a place is active wherever its bump may have started.
            activation_threshold: active connected synapses of an active segment.
            min_threshold: active synapses of a matching segment.
            initial_permanence: of new synapses.
            connected_permanence: from which a synapse is connected.
            new_synapses: active synapses that a learning segment is to have after growth.
            permanence_increment: of synapses from active cells.
            permanence_decrement: of other synapses of a learning segment.

        Raises:
            ValueError: if a size or parameter is out of range.
        """
        for name, value in (("modules", modules), ("cells", cells), ("reach", reach)):
            if value < 1:
                raise ValueError(f"GridLocation.{name} is {value}; it must be at least 1.")
        sigma = RAT_SIGMA * RAT_CELLS / cells
        if bump_sigma is not None:
            sigma = bump_sigma
        if firing_threshold is None:
            # Cells form a triangular lattice: no point is further than 1 / sqrt(3) of their spacing from one.
            firing_threshold = jnp.exp(-((2 / (math.sqrt(3) * cells * jnp.asarray(sigma))) ** 2) / 2)
        if orientation_rad is None:
            orientation_rad = jnp.asarray((np.arange(modules) + 0.5) * (math.pi / 3 / modules), jnp.result_type(float))
        pool = Segments(
            initial_permanence,
            connected_permanence,
            groups=modules * cells,
            cells=cells,
            segments=segments,
            synapses=synapses,
            source_groups=1,
            source_cells=sensory_cells,
        )
        self.dendrites = Dendrites(
            pool,
            activation_threshold,
            min_threshold,
            new_synapses,
            permanence_increment,
            permanence_decrement,
            learning_rows=learning_rows,
        )
        self.scale = jnp.broadcast_to(jnp.asarray(scale, jnp.result_type(float)), modules)
        self.orientation_rad = jnp.broadcast_to(jnp.asarray(orientation_rad, jnp.result_type(float)), modules)
        self.bump_sigma, self.firing_threshold = sigma, firing_threshold
        self.modules, self.cells, self.reach = modules, cells, reach

    @property
    def size(self) -> int:
        """How many cells there are in all modules."""
        return self.modules * self.cells**2

    def init(self, key: PRNGKeyArray) -> GridLocationState:
        """No segments, no location."""
        return GridLocationState(
            pool=self.dendrites.segments.init(),
            anchors=jnp.zeros((self.modules, self.cells, self.cells), bool),
            phase=jnp.zeros((self.modules, 2), self.scale.dtype),
            drawn=jnp.zeros((), jnp.int32),
            seed=jax.random.bits(key, dtype=jnp.uint32),
        )

    def step(self, state: GridLocationState, input: Movement) -> tuple[GridLocationState, GridLocationOutput]:
        """Moves, then learns or infers."""
        state = self.moved(state, input.displacement, input.learn, input.reset)
        rates = self.rates(state)
        active = bits.pack(self.is_active(rates).ravel())
        state, anchored, lost = self.anchored(state, rates, input.sensory, input.candidates, input.learn)
        return state, GridLocationOutput(active, anchored, lost)

    def moved(
        self, state: GridLocationState, displacement: Float[Array, "2"], learn: Bool[Array, ""], reset: Bool[Array, ""]
    ) -> GridLocationState:
        """The state after a movement; when learning without a location, at a random one instead."""
        lost = reset | ~jnp.any(state.anchors)
        begins = lost & learn
        x, y = displacement[0], displacement[1]
        one, other = self.orientation_rad, self.orientation_rad + math.pi / 3
        across = jnp.stack([jnp.sin(other) * x - jnp.cos(other) * y, jnp.cos(one) * y - jnp.sin(one) * x], axis=-1)
        shift = across / (math.sin(math.pi / 3) * self.scale[:, None])
        phase = jnp.where(begins, self._random_phase(state), (state.phase + shift) % 1.0)
        first = jnp.zeros_like(state.anchors).at[:, 0, 0].set(begins)
        return eqx.tree_at(
            lambda state: (state.anchors, state.phase, state.drawn),
            state,
            (jnp.where(lost, first, state.anchors), phase, state.drawn + begins.astype(jnp.int32)),
        )

    def _random_phase(self, state: GridLocationState) -> Float[Array, "modules 2"]:
        number = jnp.arange(2 * self.modules, dtype=jnp.uint32)
        mix = bits.scrambled(state.seed + state.drawn.astype(jnp.uint32) * jnp.uint32(0x9E3779B9))
        chances = bits.scrambled(mix ^ bits.scrambled(number)) >> 8
        return (chances.astype(self.scale.dtype) / (1 << 24)).reshape(self.modules, 2)

    def rates(self, state: GridLocationState) -> Float[Array, "modules cells cells"]:
        """The firing rate of every cell, from 0 to 1."""
        shift = state.phase * self.cells
        whole = jnp.floor(shift)
        across = jnp.arange(1 - self.reach, self.reach + 1, dtype=shift.dtype)
        distance = (across[None, None] - (shift - whole)[..., None]) / self.cells
        first, second = distance[:, 0, :, None], distance[:, 1, None, :]
        squares = first**2 + first * second + second**2
        rate = jnp.minimum(jnp.exp(-squares / (2 * self.bump_sigma**2)), LARGEST_RATE)
        kernel = jnp.log1p(-rate)
        bumps = state.anchors.astype(kernel.dtype)
        bumps = jax.vmap(lambda bump, by: jnp.roll(bump, (by[0], by[1]), (0, 1)))(bumps, whole.astype(jnp.int32))
        padded = jnp.pad(bumps, ((0, 0), (self.reach, self.reach - 1), (self.reach, self.reach - 1)), mode="wrap")
        silence = jnp.zeros_like(bumps)
        for i in range(2 * self.reach):
            for j in range(2 * self.reach):
                # The bump lies `across` before the cell.
                start_i, start_j = 2 * self.reach - 1 - i, 2 * self.reach - 1 - j
                seen = padded[:, start_i : start_i + self.cells, start_j : start_j + self.cells]
                silence = silence + seen * kernel[:, i, j, None, None]
        return -jnp.expm1(silence)

    def is_active(self, rates: Float[Array, "modules cells cells"]) -> Bool[Array, "modules cells cells"]:
        """Which cells fire strongly enough."""
        return rates >= self.firing_threshold

    def nearest(self, rates: Float[Array, "modules cells cells"]) -> Int[Array, "modules"]:
        """The number of the cell of each module that fires most."""
        place = jnp.argmax(rates.reshape(self.modules, -1), axis=1).astype(jnp.int32)
        return jnp.arange(self.modules, dtype=jnp.int32) * self.cells**2 + place

    def anchored(
        self,
        state: GridLocationState,
        rates: Float[Array, "modules cells cells"],
        sensory: UInt32[Array, "sensory_words"],
        candidates: Int[Array, "candidates"],
        learn: Bool[Array, ""],
    ) -> tuple[GridLocationState, UInt32[Array, "words"], Lost]:
        """The state after what is sensed was associated with the location, or has corrected it.

        Args:
            state: after the movement.
            rates: of the cells in this state.
            sensory: active sensory cells.
            candidates: of these the ones that new synapses may come from, ascending, filled up with numbers that are no
                cell.
            learn: whether to associate, or to correct.

        Returns:
            The state, the cells that what is sensed speaks for, and what had no room.
        """
        pool = self.dendrites.counted(state.pool, sensory[None])
        nearest = self.nearest(rates)

        def associate() -> tuple[GridLocationState, UInt32[Array, "words"], Lost]:
            after, lost = self.dendrites.learn_on_cells(pool, nearest, sensory[None], candidates, state.seed)
            after = self.dendrites.segments.mark_used(after, self.dendrites.active(pool.activity))
            cells = jnp.zeros(self.size, bool).at[nearest].set(True)
            return eqx.tree_at(lambda state: state.pool, state, after), bits.pack(cells), lost

        def correct() -> tuple[GridLocationState, UInt32[Array, "words"], Lost]:
            spoken_for = self.dendrites.supported(pool, self.dendrites.active(pool.activity))
            senses = jnp.any(sensory > 0)
            after = eqx.tree_at(
                lambda state: (state.pool, state.anchors, state.phase),
                state,
                (
                    pool,
                    jnp.where(senses, spoken_for.reshape(state.anchors.shape), state.anchors),
                    jnp.where(senses, 0.0, state.phase),
                ),
            )
            return after, bits.pack(spoken_for.ravel()), Lost(*[jnp.zeros((), jnp.int32)] * 3)

        return jax.lax.cond(learn, associate, correct)
