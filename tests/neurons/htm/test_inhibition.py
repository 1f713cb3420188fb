"""The competition of columns against the winners in the unit tests of the first spatial pooler, and against a scan."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.neurons.htm.inhibition import local_winners, strongest
from jaxneuro.neurons.htm.topology import near, places


def floats(numbers):
    return jnp.asarray(numbers, jnp.result_type(float))


@pytest.mark.parametrize(
    ("scores", "count", "expected"),
    [
        ([1, 2, 1, 4, 8, 3, 12, 5, 4, 1], 3, [4, 6, 7]),
        (range(10), 5, [5, 6, 7, 8, 9]),
        ([3] * 6, 2, [4, 5]),
        ([5, 1, 5, 1, 5, 0], 2, [2, 4]),
        ([0] * 4, 1, [3]),
    ],
)
def test_the_strongest_win_and_of_equals_the_last(scores, count, expected):
    np.testing.assert_array_equal(strongest(floats(scores), count, floats(0)), expected)


def test_who_is_below_the_threshold_does_not_win():
    np.testing.assert_array_equal(strongest(floats([1, 5, 2, 7]), 3, floats(3)), [1, 3, 4])
    np.testing.assert_array_equal(strongest(floats([1, 1, 2, 1]), 2, floats(3)), [4, 4])


def winners(scores, radius, density, wrap=True, threshold=0.0):
    line = places((len(scores),))
    around = near(line, line, (len(scores),), jnp.asarray(radius, jnp.int32), wrap)
    return np.flatnonzero(local_winners(floats(scores), around, floats(density), floats(threshold)))


def test_local_winners_are_ahead_of_their_neighbours():
    scores = [1, 2, 7, 0, 3, 4, 16, 1, 1.5, 1.7]
    np.testing.assert_array_equal(winners(scores, 2, 0.4), [1, 2, 5, 6, 9])
    # Of equals the first win, then those with fewer winners around them than there are places.
    np.testing.assert_array_equal(winners([1] * 10, 3, 3 / 7), [0, 1, 2, 4, 5, 6])
    np.testing.assert_array_equal(winners([1] * 10, 2, 0.4), [0, 1, 3, 4, 6, 7])


def scanned(scores, radius, density, wrap, threshold):
    won = []
    for column, score in enumerate(scores):
        around = range(column - radius, column + radius + 1)
        around = {i % len(scores) for i in around} if wrap else {i for i in around if 0 <= i < len(scores)}
        ahead = sum(scores[i] > score or (scores[i] == score and i in won) for i in around)
        if score >= threshold and ahead < int(0.5 + density * len(around)):
            won.append(column)
    return won


@pytest.mark.parametrize("wrap", [True, False])
@pytest.mark.parametrize("values", [1, 3, 50])
def test_equals_a_scan_of_the_columns_also_among_equals(values, wrap):
    generator = np.random.default_rng(values)
    for radius, density, threshold in [(2, 0.5, 0.0), (5, 0.3, 1.0), (9, 0.1, 0.0), (15, 0.05, 2.0)]:
        scores = generator.integers(0, values, size=30).astype(float)
        found = winners(scores, radius, density, wrap, threshold)
        np.testing.assert_array_equal(found, scanned(list(scores), radius, density, wrap, threshold))
