"""Objects to be learnt by touch and recognised by touch: features at places of a grid, from a pool that all share."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, UInt32

from jaxneuro.networks.sensorimotor import SensorimotorColumn, SensorimotorState, Touch, sensorimotor_column


class TouchedObjects:
    """Objects, and the order in which they are touched.

    Args:
        objects: how many there are.
        touched: features of an object.
        pool: how many features there are in all.
        width: places along an edge of an object.
        columns: minicolumns of a sensory layer, of which a feature activates `feature_columns`.
        feature_columns: minicolumns of a feature.
        seed: what they are drawn from.

    Attributes:
        width, columns: as given.
        places: of the features of each object, `[objects, touched]`.
        features: that are there, `[objects, touched]`.
        codes: minicolumns of each feature, `[pool, feature_columns]`.
        order: in which an object's features are touched, `[objects, touched]`.

    Raises:
        ValueError: an object has fewer places than features.

    Reference: Lewis et al. 2019, Frontiers in Neural Circuits 13:22.
    """

    def __init__(
        self,
        objects: int,
        touched: int,
        pool: int,
        *,
        width: int,
        columns: int,
        feature_columns: int,
        seed: int | list[int],
    ) -> None:
        """Draw them."""
        generator = np.random.default_rng(seed)
        spots = width**2
        if touched > spots:
            raise ValueError(f"touched is {touched}; an object has {spots} places only. Use a larger width.")
        self.width, self.columns = width, columns
        self.places = np.stack([generator.permutation(spots)[:touched] for _ in range(objects)])
        self.features = generator.integers(pool, size=self.places.shape)
        drawn = [generator.permutation(columns)[:feature_columns] for _ in range(pool)]
        self.codes = np.sort(np.stack(drawn), axis=1)
        self.order = np.stack([generator.permutation(touched) for _ in range(objects)])

    def lessons(self, spacing: float) -> Touch:
        """Every object touched from its first feature to its last, to be learnt, `[objects, touched]`.

        Args:
            spacing: of the places, in the units in which a column is told of movements.
        """
        return self._touches(np.tile(np.arange(self.places.shape[1]), (len(self.places), 1)), spacing, learn=True)

    def tests(self, spacing: float) -> Touch:
        """Every object touched in its own order, to be recognised, `[objects, touched]`.

        Args:
            spacing: of the places, in the units in which a column is told of movements.
        """
        return self._touches(self.order, spacing, learn=False)

    def _touches(self, order: np.ndarray, spacing: float, *, learn: bool) -> Touch:
        places = np.take_along_axis(self.places, order, 1)
        spots = spacing * np.stack([places % self.width, places // self.width], axis=-1)
        reset = np.zeros(order.shape, bool)
        reset[:, 0] = True
        return Touch(
            jnp.asarray(np.diff(spots, axis=1, prepend=spots[:, :1]), jnp.result_type(float)),
            jnp.asarray(self.codes[np.take_along_axis(self.features, order, 1)], jnp.int32),
            jnp.full(order.shape, learn),
            jnp.asarray(reset),
        )

    def most_loaded(self) -> int:
        """How many features on objects the minicolumn that stands for most of them stands for."""
        load = np.zeros(self.codes.max() + 1, int)
        for feature in self.features.ravel():
            load[self.codes[feature]] += 1
        return int(load.max())


def column_for(
    worlds: Sequence[TouchedObjects], modules: int, cells: int, *, sensory_cells: int, scale: float
) -> SensorimotorColumn:
    """A column with room for all objects of any of some worlds of equal size.

    Args:
        worlds: objects; a column learns those of one.
        modules: of grid cells.
        cells: along an axis of a module.
        sensory_cells: per minicolumn.
        scale: length of an edge of a module.

    Returns:
        The column, which has learnt nothing yet.
    """
    touches, feature_columns = worlds[0].places.size, worlds[0].codes.shape[1]
    # Which row of a module a place falls on is chance: six deviations more than the mean.
    per_row = touches / cells
    return sensorimotor_column(
        modules,
        cells,
        worlds[0].columns,
        sensory_cells,
        feature_columns=feature_columns,
        location_segments=min(int(per_row + 6 * per_row**0.5) + 8, touches),
        sensory_segments=max(world.most_loaded() for world in worlds),
        scale=scale,
    )


def learn_objects(
    column: SensorimotorColumn, state: SensorimotorState, lessons: Touch
) -> tuple[SensorimotorState, UInt32[Array, "objects touched words"], Int[Array, ""]]:
    """Touch objects one after the other to learn them.

    Args:
        column: what learns.
        state: what it has learnt so far.
        lessons: touches `[objects, touched]`.

    Returns:
        The state, the location cells that stand for each place of each object, and how much had no room.
    """
    one_by_one = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), lessons)
    state, output = jax.lax.scan(column.step, state, one_by_one)
    lost = [jnp.sum(number) for number in jax.tree.leaves(output.lost)]
    return state, output.anchored.reshape(*lessons.learn.shape, -1), sum(lost[1:], lost[0])


def recognised(
    column: SensorimotorColumn,
    state: SensorimotorState,
    tests: Touch,
    order: Int[Array, "objects touched"],
    known: UInt32[Array, "objects touched words"],
) -> Bool[Array, "objects touched"]:
    """Which touches tell an object: in every module the cells that the touch speaks for are the one that was learnt.

    Args:
        column: what recognises.
        state: what it has learnt; every object starts from it.
        tests: touches `[objects, touched]`.
        order: the place of each touch among those of the lesson.
        known: the location cells of the lesson, as `learn_objects` returns them.

    Returns:
        Whether a touch told the object.
    """

    def one(given: tuple[Touch, Array, Array]) -> Bool[Array, "touched"]:
        touches, order, known = given
        _, told = jax.lax.scan(column.step, state, touches)
        return jnp.all(told.anchored == known[order], axis=-1)

    return jax.lax.map(one, (tests, order, known))
