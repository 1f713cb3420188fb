import numpy as np
import pytest

from jaxneuro.search.pareto import crowding, dominates, fronts


def test_a_point_dominates_where_it_is_nowhere_worse_and_somewhere_better():
    points = np.array([[1.0, 1.0], [1.0, 2.0], [2.0, 1.0], [1.0, 1.0]])
    expected = np.array([[0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 1, 0]], bool)
    np.testing.assert_array_equal(dominates(points), expected)


@pytest.mark.parametrize("seed", range(5))
def test_fronts_are_those_of_the_definition(seed):
    points = np.random.default_rng(seed).integers(0, 6, (40, 3)).astype(float)
    layers = fronts(points)
    assert sorted(np.concatenate(layers)) == list(range(40))

    def beats(a, b):
        return all(a <= b) and any(a < b)

    left = set(range(40))
    for layer in layers:
        free = {i for i in left if not any(beats(points[j], points[i]) for j in left)}
        assert set(layer.tolist()) == free
        left -= free


def test_crowding_is_the_sum_of_the_gaps_to_both_neighbours():
    points = np.array([[0.0, 4.0], [1.0, 2.0], [4.0, 0.0], [2.0, 1.0]])
    # Of the second: (2 - 0) / 4 + (4 - 1) / 4; of the fourth: (4 - 1) / 4 + (2 - 0) / 4.
    np.testing.assert_allclose(crowding(points), [np.inf, 1.25, np.inf, 1.25])


def test_points_at_infinity_do_not_spoil_the_others():
    points = np.array([[0.0, 1.0], [1.0, 0.5], [2.0, 0.2], [np.inf, np.inf]])
    assert [set(layer.tolist()) for layer in fronts(points)] == [{0, 1, 2}, {3}]
    assert not np.isnan(crowding(points)).any()
