"""The score of the Numenta Anomaly Benchmark: detections weighted by how early they are.

In float64 NumPy, as thresholds are compared with the scores of detectors bit by bit.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

PROBATION_SHARE, LONGEST_PROBATION = 0.15, 750
FAR = 3.0
OUTSIDE, PROBATION = -1, -2


class Profile(NamedTuple):
    """What detections and mistakes count.

    Attributes:
        name: of the profile.
        hit: of the earliest detection of a window.
        miss: of a window without detection, taken off.
        false_alarm: of a detection outside of windows, far from one, taken off.
    """

    name: str
    hit: float
    miss: float
    false_alarm: float


PROFILES = (
    Profile("standard", 1.0, 1.0, 0.11),
    Profile("reward low FP rate", 1.0, 1.0, 0.22),
    Profile("reward low FN rate", 1.0, 2.0, 0.11),
)


class Weighed(NamedTuple):
    """What a detection at each row of one stream is worth, before a profile.

    Attributes:
        weights: of a row inside a window from 0 to 1, outside from -1 to 0, `[rows]`.
        window: number of the row's window, -1 outside of all, -2 in the probation, `[rows]`.
    """

    weights: Float[np.ndarray, "rows"]
    window: Int[np.ndarray, "rows"]


class Curve(NamedTuple):
    """The score of a stream or corpus at every threshold that makes a difference.

    Attributes:
        thresholds: falling; the first is infinite, so that nothing is detected. A row is detected if its anomaly score
            is at least the threshold.
        scores: `[thresholds]`.
    """

    thresholds: Float[np.ndarray, "thresholds"]
    scores: Float[np.ndarray, "thresholds"]

    def at(self, threshold: float | np.ndarray) -> np.ndarray | np.floating:
        """The score at thresholds."""
        return self.scores[np.searchsorted(-self.thresholds, -np.asarray(threshold), side="right") - 1]

    @property
    def best(self) -> tuple[float, float]:
        """The highest threshold of the highest score, and that score."""
        # Sums in another order differ in their last bits: what is equal but for these is equal.
        place = int(np.argmax(self.scores >= self.scores.max() - 1e-9))
        return float(self.thresholds[place]), float(self.scores[place])


class Result(NamedTuple):
    """What a detector is worth under a profile.

    Attributes:
        final: score of the corpus at the best threshold of that corpus: 0 of a detector that says nothing, 100 of one
            that detects every window in its first row and nothing else.
        threshold: that one.
        final_left_out: the same, but each stream at the threshold that is best for all other streams.
        scores: of each stream at the threshold, not normalised, `[streams]`.
    """

    final: float
    threshold: float
    final_left_out: float
    scores: Float[np.ndarray, "streams"]


def probation(rows: int) -> int:
    """How many rows at the start are not scored: 15 % of them, at most 750."""
    return min(int(PROBATION_SHARE * rows), LONGEST_PROBATION)


def timeliness(position: Float[np.ndarray, "rows"]) -> Float[np.ndarray, "rows"]:
    """`2 / (1 + exp(5 y)) - 1`; -1 beyond `y = 3`.

    Args:
        position: y, from the right end of a window in units of its width; negative inside.

    Returns:
        From nearly 1 at the left end of a window, over 0 at its right end, to -1 far behind.

    Reference: Lavin and Ahmad 2015, arXiv:1510.03336, equation 1.
    """
    return np.where(position > FAR, -1.0, 2 / (1 + np.exp(5 * np.minimum(position, FAR))) - 1)


def weigh(rows: int, windows: Int[np.ndarray, "windows 2"]) -> Weighed:
    """The worth of a detection at each row.

    Inside a window of `n` rows that ends at row `r`, row `i` has the position `-(r - i + 1) / n` and the weight
    `timeliness(position) / timeliness(-1)`. Behind it the position is `(i - r) / (n - 1)`, of the nearest window
    before; without one before, the weight is -1.

    Args:
        rows: of the stream.
        windows: first and last row of each, apart from each other and in order.

    Returns:
        Weights and windows of the rows.

    Raises:
        ValueError: a window is not inside the stream, has one row only, or overlaps another.
    """
    ends = windows.ravel()
    if len(ends) and (ends[0] < 0 or ends[-1] >= rows or np.any(np.diff(ends) <= 0)):
        raise ValueError(
            f"weigh got the windows {windows.tolist()} of {rows} rows; they must be apart, in order, inside."
        )
    position, window = np.full(rows, np.inf), np.full(rows, OUTSIDE)
    for number, (first, last) in enumerate(windows):
        inside = np.arange(first, last + 1)
        position[inside] = -(last - inside + 1) / len(inside)
        window[inside] = number
        behind = np.arange(last + 1, rows)
        position[behind] = (behind - last) / (len(inside) - 1)
    weights = timeliness(position)
    weights = np.where(window >= 0, weights / timeliness(np.asarray([-1.0])), weights)
    window[: probation(rows)] = PROBATION
    return Weighed(weights, window)


def curve(anomaly: Float[np.ndarray, "rows"], weighed: Weighed, profile: Profile) -> Curve:
    """The score of one stream at all thresholds: each window counts its best detection, the rest adds up.

    Args:
        anomaly: the detector's score of each row.
        weighed: of the stream.
        profile: what counts how much.

    Returns:
        The curve.

    Raises:
        ValueError: there is not one finite score for every row.
    """
    if anomaly.shape != weighed.weights.shape or not np.isfinite(anomaly).all():
        raise ValueError(f"curve got anomaly scores {anomaly.shape} for {len(weighed.window)} rows; one finite each.")
    rows = np.flatnonzero(weighed.window != PROBATION)
    rows = rows[np.argsort(-anomaly[rows], kind="stable")]
    scores, window = anomaly[rows], weighed.window[rows]
    gains = np.where(window == OUTSIDE, profile.false_alarm * weighed.weights[rows], 0.0)
    numbers = np.unique(window[window >= 0])
    for number in numbers:
        (own,) = np.nonzero(window == number)
        reached = np.maximum.accumulate(np.append(-profile.miss, profile.hit * weighed.weights[rows[own]]))
        gains[own] = np.diff(reached)
    # All rows of one score are detected together.
    last = np.flatnonzero(np.append(np.diff(scores) != 0, True)) if len(scores) else np.zeros(0, int)
    start = -profile.miss * len(numbers)
    return Curve(np.append(np.inf, scores[last]), np.append(start, start + np.cumsum(gains)[last]))


def total(curves: Sequence[Curve]) -> Curve:
    """The score of a corpus, one threshold for all its streams."""
    thresholds = np.concatenate([one.thresholds for one in curves])
    steps = np.concatenate([np.diff(one.scores, prepend=0.0) for one in curves])
    order = np.argsort(-thresholds, kind="stable")
    thresholds, summed = thresholds[order], np.cumsum(steps[order])
    last = np.append(thresholds[1:] != thresholds[:-1], True)
    return Curve(thresholds[last], summed[last])


def score(
    anomaly: Sequence[Float[np.ndarray, "_"]], streams: Sequence[Weighed], profile: Profile = PROFILES[0]
) -> Result:
    """The final score of a detector.

    Args:
        anomaly: the detector's score of every row, stream by stream.
        streams: what `weigh` says of each.
        profile: what counts how much.

    Returns:
        Final scores.

    Raises:
        ValueError: streams and scores do not belong together, or there is no window.

    Example:
        >>> stream = weigh(100, np.asarray([[50, 59]]))
        >>> score([np.where(np.arange(100) == 50, 1.0, 0.0)], [stream]).final
        100.0

    Reference: Lavin and Ahmad 2015, arXiv:1510.03336, equations 1 to 3.
    """
    curves = [curve(one, stream, profile) for one, stream in zip(anomaly, streams, strict=True)]
    whole = total(curves)
    nothing = float(whole.scores[0])
    if not nothing:
        raise ValueError("score got streams without any window behind the probation: nothing can be detected.")
    perfect = -nothing / profile.miss * profile.hit
    threshold, best = whole.best
    left_out = 0.0
    for one in curves:
        others = Curve(whole.thresholds, whole.scores - one.at(whole.thresholds))
        left_out += float(one.at(others.best[0]))
    normalised = [100 * (value - nothing) / (perfect - nothing) for value in (best, left_out)]
    return Result(normalised[0], threshold, normalised[1], np.asarray([float(one.at(threshold)) for one in curves]))
