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


def slope_interval(x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray, level: float = 0.95) -> Interval:
    """The slope of the line of least squares and its confidence interval, Student's t of n - 2 degrees of freedom.

    `b = sum (x - mean x) (y - mean y) / sum (x - mean x)^2`, with standard error `sqrt(s^2 / sum (x - mean x)^2)` where
    s^2 is the sum of squared residuals over n - 2.

    Args:
        x: what is given, at least 3 numbers that are not all equal.
        y: what goes with it.
        level: of confidence.

    Returns:
        Slope, lower and upper end.

    Raises:
        ValueError: fewer than three points, different lengths, or all x equal.

    Reference: Draper and Smith 1998, Applied Regression Analysis, eq. 1.4.8.
    """
    from scipy.stats import t

    given, found = np.asarray(x, float), np.asarray(y, float)
    if given.shape != found.shape or given.ndim != 1 or given.size < 3 or not np.ptp(given):
        raise ValueError(
            f"slope_interval got shapes {given.shape} and {found.shape}; it needs two lists of one length, at least 3, "
            "and numbers of x that are not all equal."
        )
    apart = given - given.mean()
    square = float(apart @ apart)
    slope = float(apart @ found / square)
    residuals = found - found.mean() - slope * apart
    error = (float(residuals @ residuals) / (given.size - 2) / square) ** 0.5
    half = float(t.ppf((1 + level) / 2, given.size - 2)) * error
    return Interval(slope, slope - half, slope + half)


def paired_p_value(ours: Sequence[float] | np.ndarray, theirs: Sequence[float] | np.ndarray) -> float:
    """How likely a mean difference this far from 0 is if there is none: Student's two-sided paired t-test.

    Args:
        ours: scores of one contender, at least 2.
        theirs: scores of another on the same seeds, in the same order.

    Returns:
        The p-value; 1 if all differences are 0, and 0 if they are all the same but not 0.

    Raises:
        ValueError: the lists are shorter, or of different lengths.

    Reference: Student 1908, Biometrika 6:1.
    """
    from scipy.stats import t

    differences = np.subtract(np.asarray(ours, float), np.asarray(theirs, float))
    if np.shape(ours) != np.shape(theirs) or differences.ndim != 1 or differences.size < 2:
        raise ValueError(
            f"paired_p_value got shapes {np.shape(ours)} and {np.shape(theirs)}; it needs two lists of one length, at "
            "least 2."
        )
    error = differences.std(ddof=1) / differences.size**0.5
    if not error:
        return 0.0 if differences[0] else 1.0
    return float(2 * t.sf(abs(differences.mean()) / error, differences.size - 1))


def holm(p_values: Sequence[float] | np.ndarray) -> list[float]:
    """p-values of several tests, corrected so that a false alarm among all of them stays as rare as in one.

    The k-th smallest of m becomes `max over j <= k of min(1, (m - j + 1) p_j)`.

    Args:
        p_values: of the tests.

    Returns:
        The corrected ones, in the same order.

    Raises:
        ValueError: one is not from 0 to 1.

    Reference: Holm 1979, Scandinavian Journal of Statistics 6:65.
    """
    values = np.asarray(p_values, float)
    if not np.all((values >= 0) & (values <= 1)):
        raise ValueError(f"holm got p-values {list(p_values)}; they must be from 0 to 1.")
    order = np.argsort(values)
    scaled = np.minimum(1.0, values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty(len(values))
    corrected[order] = np.maximum.accumulate(scaled)
    return corrected.tolist()
