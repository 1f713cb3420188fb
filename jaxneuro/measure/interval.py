"""What a few repetitions say of a mean."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Interval(NamedTuple):
    """A mean and the ends of its confidence interval."""

    mean: float
    low: float
    high: float


def mean_interval(values: Sequence[float] | np.ndarray, level: float = 0.95) -> Interval:
    """The mean and its confidence interval `mean ± t s / sqrt(n)`, with Student's t of n - 1 degrees of freedom.

    For the difference of two contenders that were run on the same seeds, give the differences seed by seed.

    Args:
        values: independent repetitions, at least 2.
        level: of confidence.

    Returns:
        Mean, lower and upper end.

    Raises:
        ValueError: fewer than two values.

    Reference: Student 1908, Biometrika 6:1.
    """
    from scipy.stats import t

    numbers = np.asarray(values, float)
    if numbers.ndim != 1 or numbers.size < 2:
        raise ValueError(f"mean_interval got values of shape {numbers.shape}; it needs a list of at least 2.")
    mean = float(numbers.mean())
    half = float(t.ppf((1 + level) / 2, numbers.size - 1) * numbers.std(ddof=1) / numbers.size**0.5)
    return Interval(mean, mean - half, mean + half)
