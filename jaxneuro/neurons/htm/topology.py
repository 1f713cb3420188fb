"""Where minicolumns and inputs lie: grids of one or two dimensions, with or without their ends joined."""

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

Shape = tuple[int, ...]


def grid(sizes: int | Shape) -> Shape:
    """The shape of a grid: a number of places on a line, or the lengths of the sides."""
    return (sizes,) if isinstance(sizes, int) else tuple(sizes)


def places(shape: Shape) -> Int[Array, "places dimensions"]:
    """The coordinates of all places of a grid, row by row."""
    return jnp.asarray(np.indices(shape).reshape(len(shape), -1).T, jnp.int32)


def centres(columns: Shape, inputs: Shape) -> Int[Array, "columns dimensions"]:
    """The input that each column stands above: `floor((coordinate + 1/2) inputs / columns)` in each dimension.

    Args:
        columns: the grid of columns.
        inputs: the grid of inputs, of as many dimensions.

    Returns:
        Input coordinates, one row per column.
    """
    coordinates = np.indices(columns).reshape(len(columns), -1).T
    # In whole numbers: (2 c + 1) inputs / (2 columns), rounded down.
    return jnp.asarray((2 * coordinates + 1) * np.asarray(inputs) // (2 * np.asarray(columns)), jnp.int32)


def near(
    centre: Int[Array, "rows dimensions"],
    place: Int[Array, "places dimensions"],
    shape: Shape,
    radius: Int[Array, ""],
    wrap: bool,
) -> Bool[Array, "rows places"]:
    """Which places of a grid are in the square neighbourhood of which centres.

    Args:
        centre: coordinates of the centres.
        place: coordinates of the places.
        shape: of the grid that both are on.
        radius: the largest distance, in each dimension.
        wrap: whether the ends of the grid are joined.

    Returns:
        A truth value for each pair; a centre is in its own neighbourhood.
    """
    found = jnp.ones((len(centre), len(place)), bool)
    for dimension, size in enumerate(shape):
        distance = jnp.abs(centre[:, None, dimension] - place[None, :, dimension])
        distance = jnp.minimum(distance, size - distance) if wrap else distance
        found = found & (distance <= radius)
    return found


def columns_per_input(columns: Shape, inputs: Shape) -> float:
    """How many columns there are for one input along a side, on average over the dimensions."""
    return math.fsum(c / i for c, i in zip(columns, inputs, strict=True)) / len(columns)
