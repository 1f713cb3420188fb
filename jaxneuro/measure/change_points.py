"""How well change points that were found agree with those of several annotators: covering, and F1 with a margin.

A change point is the first observation of a new regime, counted from 0. Every score is from 0 to 1.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

Points = Collection[int] | Int[np.ndarray, "_"]


class Agreement(NamedTuple):
    """Precision, recall, and their harmonic mean.

    Attributes:
        f1: `2 precision recall / (precision + recall)`.
        precision: share of what was found that some annotator saw too.
        recall: share of what an annotator saw that was found, in the mean over annotators.
    """

    f1: float
    precision: float
    recall: float


def matched(seen: Points, found: Points, margin: int = 5) -> set[int]:
    """Change points that were found, each change that was found standing for one at most.

    In ascending order each change point takes the nearest of what was found and is left within the margin, of two
    equally near ones the earlier.

    Args:
        seen: by an annotator.
        found: by a detector.
        margin: how far apart both may be.

    Returns:
        Those of `seen` that have a partner.

    Raises:
        ValueError: the margin is negative.
    """
    if margin < 0:
        raise ValueError(f"matched got margin={margin}; it must be at least 0.")
    left, met = set(map(int, found)), set()
    for point in sorted(set(map(int, seen))):
        nearest = min(left, key=lambda other: (abs(point - other), other), default=None)
        if nearest is not None and abs(point - nearest) <= margin:
            met.add(point)
            left.remove(nearest)
    return met


def f1(annotations: Sequence[Points], found: Points, margin: int = 5) -> Agreement:
    """The F1 score with a margin, against several annotators.

    With observation 0 in all sets, so that none is empty, `T_k` what annotator k of K saw, `T*` what any of them saw
    and `TP` as `matched` has it:

        P = |TP(T*, X)| / |X|        R = 1/K sum_k |TP(T_k, X)| / |T_k|        F = 2 P R / (P + R)

    Args:
        annotations: change points of each annotator.
        found: X, those of a detector.
        margin: how far apart both may be.

    Returns:
        F1, precision and recall.

    Raises:
        ValueError: there is no annotator.

    Example:
        >>> f1([[10, 20], [11, 20], [10], [0, 5]], [10, 20]).f1
        1.0

    Reference: van den Burg and Williams 2020, arXiv:2003.06222 (evaluation metrics, with a margin of 5).
    """
    _check("f1", annotations)
    given, every = {0, *map(int, found)}, [{0, *map(int, seen)} for seen in annotations]
    precision = len(matched(set().union(*every), given, margin)) / len(given)
    recall = float(np.mean([len(matched(seen, given, margin)) / len(seen) for seen in every]))
    # Observation 0 is matched always, so that neither is 0.
    return Agreement(2 * precision * recall / (precision + recall), precision, recall)


def covering(annotations: Sequence[Points], found: Points, observations: int) -> float:
    """How well the segments between found change points cover those of the annotators.

    For segments A of an annotator and B of the detector, in the mean over annotators:

        1/T sum_A |A| max_B |A and B| / |A or B|

    Args:
        annotations: change points of each annotator.
        found: those of a detector.
        observations: T, of the series.

    Returns:
        1 where both agree everywhere.

    Raises:
        ValueError: there is no annotator, or a change point is not in the series.

    Example:
        >>> covering([[], [3]], [], 6)
        0.75

    Reference: Arbelaez, Maire, Fowlkes and Malik 2011, IEEE TPAMI 33:898 (the covering); van den Burg and Williams
    2020, arXiv:2003.06222 (its mean over annotators).
    """
    _check("covering", annotations)
    starts, ends = _segments(found, observations)
    scores = []
    for seen in annotations:
        first, last = _segments(seen, observations)
        shared = np.minimum(last[:, None], ends) - np.maximum(first[:, None], starts)
        sizes, others = last - first, ends - starts
        shared = np.maximum(shared, 0)
        overlap = (shared / (sizes[:, None] + others - shared)).max(axis=1)
        scores.append(float((sizes * overlap).sum() / observations))
    return float(np.mean(scores))


def _segments(points: Points, observations: int) -> tuple[Int[np.ndarray, "_"], Int[np.ndarray, "_"]]:
    """First observations of all segments, and the ones after their last."""
    starts = np.unique(np.asarray([0, *points], int))
    if starts[0] < 0 or starts[-1] >= observations:
        raise ValueError(
            f"covering got change points from {starts[0]} to {starts[-1]}; they must be from 0 to {observations - 1}."
        )
    return starts, np.append(starts[1:], observations)


def _check(name: str, annotations: Sequence[Points]) -> None:
    if not len(annotations):
        raise ValueError(f"{name} got no annotator; it needs the change points of one at least.")
