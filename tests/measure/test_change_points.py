"""Covering and F1 against figures of the benchmark's own examples, and by hand.

Figures marked "benchmark" stand as examples in analysis/scripts/metrics.py of alan-turing-institute/TCPDBench (commit
1709f406), the program that scored van den Burg and Williams 2020.
"""

import itertools

import numpy as np
import pytest

from jaxneuro.measure.change_points import covering, f1, matched


@pytest.mark.parametrize(
    ("seen", "found", "met"),
    [  # benchmark
        ({1, 10, 20, 23}, {3, 8, 20}, {1, 10, 20}),
        ({1, 10, 20, 23}, {1, 3, 8, 20}, {1, 10, 20}),
        ({1, 10, 20, 23}, {1, 3, 5, 8, 20}, {1, 10, 20}),
        (set(), {1, 2, 3}, set()),
        ({1, 2, 3}, set(), set()),
    ],
)
def test_nothing_found_is_counted_twice(seen, found, met):
    assert matched(seen, found) == met


def test_the_margin_is_inclusive_and_of_two_equally_near_the_earlier_is_taken():
    assert matched([10], [15]) == {10}
    assert matched([10], [16]) == set()
    assert matched([10, 12], [11], margin=1) == {10}
    # 10 is as near to 8 as to 12; had it taken 12, there would be none for 13.
    assert matched([10, 13], [8, 12], margin=2) == {10, 13}


@pytest.mark.parametrize(
    ("annotations", "found", "expected"),
    [  # benchmark
        ([[10, 20], [11, 20], [10], [0, 5]], [10, 20], 1.0),
        ([[], [10], [50]], [10], 0.9090909090909091),
        ([[], [10], [50]], [], 0.8),
    ],
)
def test_f1_is_that_of_the_benchmark(annotations, found, expected):
    assert f1(annotations, found).f1 == pytest.approx(expected, rel=1e-12)


def test_precision_asks_any_annotator_and_recall_each_of_them():
    # By hand, margin 5. Found, with 0: {0, 30, 60, 90}; any annotator saw {0, 31, 58}: 3 of 4.
    # The first saw {0, 31}, both found; the second {0, 31, 58}, all found; the third {0, 40}: half.
    told = f1([[31], [31, 58], [40]], np.array([30, 60, 90]))
    assert told.precision == pytest.approx(3 / 4)
    assert told.recall == pytest.approx((1 + 1 + 1 / 2) / 3)
    assert told.f1 == pytest.approx(2 / (4 / 3 + 6 / 5))
    assert f1([[31], [31, 58], [40]], [30, 60, 90], margin=0).recall == pytest.approx((1 / 2 + 1 / 3 + 1 / 2) / 3)


@pytest.mark.parametrize(
    ("annotations", "found", "observations", "expected"),
    [  # benchmark
        ([[10, 20], [10], [0, 5]], [10, 20], 45, 0.7962962962962963),
        ([[], [10], [40]], [10], 45, 0.7954144620811286),
        ([[], [10], [40]], [], 45, 0.8189300411522634),
        # benchmark, one annotator, segments given as sets of six observations
        ([[3]], [3, 5], 6, 0.8333333333333334),
        ([[]], [4], 6, 0.6666666666666666),
        ([[3]], [2, 4], 6, 0.6666666666666666),
        ([[1, 2, 3]], [], 6, 0.3333333333333333),
        # by hand: 4 of 4 / 6, and 2 of 2 / 6
        ([[4]], [], 6, (4 * 4 / 6 + 2 * 2 / 6) / 6),
    ],
)
def test_covering_is_that_of_the_benchmark(annotations, found, observations, expected):
    assert covering(annotations, found, observations) == pytest.approx(expected, rel=1e-12)


def test_covering_agrees_with_sets_of_observations():
    def by_sets(points, observations):
        edges = [0, *sorted(set(points) - {0}), observations]
        return [set(range(first, last)) for first, last in itertools.pairwise(edges)]

    random = np.random.default_rng(0)
    for _ in range(30):
        length = int(random.integers(5, 40))
        seen, found = (random.integers(0, length, random.integers(0, 6)).tolist() for _ in range(2))
        ours, theirs = by_sets(seen, length), by_sets(found, length)
        expected = sum(len(a) * max(len(a & b) / len(a | b) for b in theirs) for a in ours) / length
        assert covering([seen], found, length) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("judge", "message"),
    [
        (lambda: f1([], [1]), "f1 got no annotator"),
        (lambda: covering([], [1], 5), "covering got no annotator"),
        (lambda: covering([[1]], [5], 5), "change points from 0 to 5; they must be from 0 to 4"),
        (lambda: covering([[-1]], [], 5), "change points from -1 to 0"),
        (lambda: matched([1], [1], margin=-1), "margin=-1; it must be at least 0"),
    ],
)
def test_what_cannot_be_judged_is_refused(judge, message):
    with pytest.raises(ValueError, match=message):
        judge()
