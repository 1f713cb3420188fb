"""A cortical column that recognises objects by moving over them: a sensory layer and a layer of grid cells."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, UInt32

from jaxneuro.machine import StateMachine
from jaxneuro.neurons.htm import bits
from jaxneuro.neurons.htm.apical_tiebreak import ApicalTiebreakMemory, ApicalTiebreakState, ColumnsInContext
from jaxneuro.neurons.htm.dendrites import Lost, sum_of
from jaxneuro.neurons.htm.grid_location import GridLocation, GridLocationState


class Touch(eqx.Module):
    """How the sensor moved, and the feature that it senses there.

    Attributes:
        displacement: in the plane, in units of the scale of the grid cells.
        active: numbers of the minicolumns of the sensory layer that the feature activates, ascending, filled up.
        learn: whether the object is learnt, or else recognised.
        reset: whether this is the first touch of an object.
    """

    displacement: Float[Array, "*time 2"]
    active: Int[Array, "*time active"]
    learn: Bool[Array, "*time"]
    reset: Bool[Array, "*time"]


class SensorimotorState(eqx.Module):
    """Of the grid cells and of the sensory layer."""

    location: GridLocationState
    sensory: ApicalTiebreakState


class SensorimotorOutput(eqx.Module):
    """Cells as bits of words, see `jaxneuro.neurons.htm.bits.unpack`.

    Attributes:
        moved: location cells that are active after the movement.
        predicted: cells of the sensory layer that the location predicts.
        sensed: its active cells.
        anchored: location cells that what is sensed speaks for; when learning, those that stand for the location.
        lost: what had no room in either layer.
    """

    moved: UInt32[Array, "location_words"]
    predicted: UInt32[Array, "columns words"]
    sensed: UInt32[Array, "columns words"]
    anchored: UInt32[Array, "location_words"]
    lost: Lost


class SensorimotorColumn(StateMachine[SensorimotorState, Touch, SensorimotorOutput]):
    """Learns objects as sets of features at locations, and recognises them by movement and sensation.

        1  `location <- moved(location, displacement)`: all bumps of the grid cells shift
        2  location cells depolarise the sensory cells that have learnt a feature there
        3  `sensed = sensory(feature | location)`: the predicted cells of the feature's minicolumns; all, if none is
        4  when learning, location and sensory cells grow segments onto each other; else the bumps become the locations
           that the active sensory cells have learnt: what remains are the places of objects that fit all so far

    Input: `Touch`: a displacement [2] and minicolumns as integers [active]. Output: `SensorimotorOutput`. All numbers
    are dimensionless but the orientations of the grid cells, which are in rad.

    Reference: Lewis, Purdy, Ahmad, Hawkins, Locations in the neocortex: a theory of sensorimotor object recognition
    using cortical grid cells, Frontiers in Neural Circuits 13:22, 2019.
    """

    location: GridLocation
    sensory: ApicalTiebreakMemory

    def __check_init__(self) -> None:
        found, needed = self.location.dendrites.segments.sources, self.sensory.columns * self.sensory.cells
        if found != needed:
            raise ValueError(
                f"The sensory layer has {needed} cells: SensorimotorColumn.location must have sensory_cells={needed}, "
                f"not {found}."
            )
        found = None if self.sensory.sequence else self.sensory.basal.segments.sources
        if found != self.location.size:
            raise ValueError(
                f"There are {self.location.size} location cells: SensorimotorColumn.sensory must have "
                f"basal_inputs={self.location.size}, not {found}."
            )

    def init(self, key: PRNGKeyArray) -> SensorimotorState:
        """Nothing learnt, no location."""
        first, second = jax.random.split(key)
        return SensorimotorState(self.location.init(first), self.sensory.init(second))

    def step(self, state: SensorimotorState, input: Touch) -> tuple[SensorimotorState, SensorimotorOutput]:
        """One touch."""
        column, state = jax.lax.stop_gradient((self, state))
        location, sensory = column.location, column.sensory
        where = location.moved(state.location, input.displacement, input.learn, input.reset)
        rates = location.rates(where)
        cells = location.is_active(rates)
        learners = jnp.where(jnp.any(cells, axis=(1, 2)), location.nearest(rates), location.size)
        moved = bits.pack(cells.ravel())
        above = sensory.apical.segments.sources
        context = ColumnsInContext(
            input.active,
            apical=jnp.zeros(bits.words_of(above), jnp.uint32),
            apical_candidates=jnp.full(sensory.candidates, above, jnp.int32),
            basal=moved,
            basal_candidates=learners,
            learn=input.learn,
            reset=input.reset,
        )
        feature, sensed = sensory.step(state.sensory, context)
        words = jnp.where(input.learn, sensed.winners, sensed.active)
        speaking = bits.pack(bits.unpack(words, sensory.cells).ravel())
        where, anchored, lost = location.anchored(where, rates, speaking, sensed.winner_cells, input.learn)
        output = SensorimotorOutput(
            moved=moved,
            predicted=sensed.predicted,
            sensed=sensed.active,
            anchored=anchored,
            lost=sum_of(lost, sensed.basal_lost, sensed.apical_lost),
        )
        return SensorimotorState(where, feature), output


def sensorimotor_column(
    modules: int = 10,
    cells: int = 40,
    columns: int = 150,
    sensory_cells: int = 16,
    *,
    feature_columns: int = 10,
    location_segments: int = 64,
    sensory_segments: int = 128,
    scale: float = 40.0,
    orientation_rad: Float[Array, "modules"] | None = None,
) -> SensorimotorColumn:
    """The column of the paper: one touch is enough to learn, and eight of ten synapses are enough to predict.

    Args:
        modules: of grid cells.
        cells: along an axis of a module.
        columns: minicolumns of the sensory layer.
        sensory_cells: per minicolumn.
        feature_columns: how many minicolumns a feature activates.
        location_segments: room for segments per row of a module.
        sensory_segments: room for segments per minicolumn.
        scale: length of an edge of a module, in units of the displacement.
        orientation_rad: of the modules; evenly over 60 degrees if not given.

    Returns:
        The column, which has learnt nothing yet.
    """
    enough = 0.8 * feature_columns
    location = GridLocation(
        modules,
        cells,
        columns * sensory_cells,
        segments=location_segments,
        synapses=feature_columns,
        scale=scale,
        orientation_rad=orientation_rad,
        activation_threshold=enough,
        min_threshold=enough,
        new_synapses=float(feature_columns),
    )
    predicting = float(-(-8 * modules // 10))
    sensory = ApicalTiebreakMemory(
        columns,
        sensory_cells,
        basal_inputs=location.size,
        apical_inputs=1,
        segments=sensory_segments,
        apical_segments=1,
        synapses=modules,
        winners=2 * feature_columns,
        apical_candidates=1,
        activation_threshold=predicting,
        reduced_basal_threshold=predicting,
        min_threshold=float(modules),
        initial_permanence=1.0,
        new_synapses=float(modules),
        permanence_decrement=0.0,
    )
    return SensorimotorColumn(location, sensory)
