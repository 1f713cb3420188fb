"""Grids and neighbourhoods against the mappings of columns to inputs in the unit tests of the first spatial pooler."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.neurons.htm import topology


@pytest.mark.parametrize(
    ("columns", "inputs", "expected"),
    [
        ((4,), (12,), [1, 4, 7, 10]),
        ((4,), (4,), [0, 1, 2, 3]),
        ((3,), (10,), [1, 5, 8]),
        ((12,), (4,), [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]),
    ],
)
def test_a_column_stands_above_the_middle_of_its_share(columns, inputs, expected):
    np.testing.assert_array_equal(topology.centres(columns, inputs)[:, 0], expected)


def test_columns_of_a_grid_stand_above_a_grid():
    # 36 x 12 inputs, 12 x 4 columns: 3 x 3 inputs for each.
    found = np.asarray(topology.centres((12, 4), (36, 12)))
    assert found.shape == (48, 2)
    np.testing.assert_array_equal(found[[0, 4, 5, 7, 47]], [[1, 1], [4, 1], [4, 4], [4, 10], [34, 10]])


@pytest.mark.parametrize("wrap", [True, False])
@pytest.mark.parametrize("radius", [0, 1, 2, 9])
def test_a_neighbourhood_is_a_square(radius, wrap):
    shape = (4, 6)
    places = topology.places(shape)
    found = np.asarray(topology.near(places, places, shape, jnp.asarray(radius, jnp.int32), wrap))
    for row, (a, b) in enumerate(itertools.product(range(4), range(6))):
        steps = range(-radius, radius + 1)
        square = {(a + i, b + j) for i in steps for j in steps}
        square = {(i % 4, j % 6) for i, j in square} if wrap else square
        expected = [place in square for place in itertools.product(range(4), range(6))]
        np.testing.assert_array_equal(found[row], expected)


def test_columns_per_input_are_a_mean_over_dimensions():
    assert topology.columns_per_input((2, 2), (4, 4)) == pytest.approx(0.5)
    assert topology.columns_per_input((2, 2, 2), (7, 5, 1)) == pytest.approx((2 / 7 + 2 / 5 + 2) / 3)
