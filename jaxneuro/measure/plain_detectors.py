"""Detectors of anomalies that any other must beat: functions from the values of a stream to a score for each row."""

import numpy as np
from jaxtyping import Float

Values = Float[np.ndarray, "rows"]


def silent(values: Values) -> Values:
    """0.5 for every row: the zero of the Numenta Anomaly Benchmark."""
    return np.full(len(values), 0.5)


def uniform(values: Values, generator: np.random.Generator) -> Values:
    """A number from 0 to 1 for every row."""
    return generator.uniform(size=len(values))


def windowed_gaussian(values: Values, window: int = 6400, step: int = 100) -> Values:
    """How far a value is from the Gaussian of the values before it.

    `1 - Q(|x - mean| / deviation)` with the tail `Q` of the normal distribution: mean and standard deviation of
    all values before, until there are `window` of them; then of a window that moves on by `step` values at a time. A
    deviation of 0 counts as 1e-6. The first value gets 0. Twelve digits, with which the benchmark's figures are made:
    more of them would rank apart what is published as equal.

    Args:
        values: of a stream.
        window: values in the Gaussian.
        step: values by which it moves.

    Returns:
        Scores from 0.5 to 1.

    Reference: Lavin and Ahmad 2015, arXiv:1510.03336; the baseline `windowedGaussian` of the benchmark.
    """
    from scipy.special import ndtr

    row = np.arange(len(values))
    moved = np.maximum(row - window, 0) // step * step
    last = np.where(row <= window, row, window + moved)
    count = np.maximum(last - moved, 1)
    # About the first value, so that large numbers that hardly vary keep their digits.
    centred = values - values[:1]
    sums, squares = (np.concatenate([[0.0], np.cumsum(powers)]) for powers in (centred, centred**2))
    mean = (sums[last] - sums[moved]) / count
    deviation = np.sqrt(np.maximum((squares[last] - squares[moved]) / count - mean**2, 0))
    distance = np.abs(centred - mean) / np.where(deviation == 0, 1e-6, deviation)
    scores = np.round(1 - ndtr(-distance), 12)
    scores[:1] = 0.0
    return scores


def out_of_range(values: Values, tolerance: float = 0.05) -> Values:
    """1 where a value is outside of all values before it by more than a share of their range, else 0.5.

    `x > max + tolerance (max - min)` or `x < min - tolerance (max - min)`; while all values before are equal, 0.5.

    Args:
        values: of a stream.
        tolerance: share of the range.

    Returns:
        A score for each row.

    Reference: the rule for spatial anomalies of the detector `numenta` of the Numenta Anomaly Benchmark.
    """
    highest = np.maximum.accumulate(values)[:-1]
    lowest = np.minimum.accumulate(values)[:-1]
    margin = tolerance * (highest - lowest)
    outside = (values[1:] > highest + margin) | (values[1:] < lowest - margin)
    return np.append(np.full(min(1, len(values)), 0.5), np.where(outside & (highest > lowest), 1.0, 0.5))
