"""Errors of forecasts, and forecasts that any other must beat.

A forecast stands at the row it is for: `predicted[t]`, `ahead` steps ahead, was made from `values[: t - ahead + 1]`
alone. Where there was not enough to make one of, it is NaN.
"""

import numpy as np
from jaxtyping import Float

Values = Float[np.ndarray, "rows"]


def relative_error(values: Values, predicted: Values) -> float:
    """`sum |y - p| / sum |y|`: a mean absolute percentage error that zeros do not break.

    Args:
        values: y.
        predicted: p, of the same rows.

    Returns:
        The share, not in percent.

    Reference: Cui, Ahmad and Hawkins 2016, Neural Computation 28:2474, section 3.3.
    """
    return float(np.abs(values - predicted).sum() / np.abs(values).sum())


def normalised_error(values: Values, predicted: Values) -> float:
    """`sqrt(mean((y - p)^2)) / deviation(y)`: 1 of a forecast that always says the mean.

    Args:
        values: y.
        predicted: p, of the same rows.

    Returns:
        The ratio.
    """
    return float(np.sqrt(np.square(values - predicted).mean()) / values.std())


def as_before(values: Values, lag: int) -> Values:
    """The value `lag` steps ago: of a lag of `ahead` the last one known, of a period what was there a period ago.

    Args:
        values: a series.
        lag: steps, at least how far ahead the forecast is.

    Returns:
        The forecasts.
    """
    return np.concatenate([np.full(min(lag, len(values)), np.nan), values[: max(len(values) - lag, 0)]])


def nearest(values: Values, ahead: int, *, past: int, neighbours: int, start: int) -> Values:
    """What followed on the stretches most like the last one: k nearest neighbours.

    At each row the last `past` values are compared, by the sum of squared differences, with all stretches whose
    continuation is known already. The forecast is the mean of what came `ahead` steps after the nearest ones.

    Args:
        values: a series.
        ahead: steps.
        past: values that are compared.
        neighbours: how many are averaged.
        start: the first row to forecast; earlier ones are NaN.

    Returns:
        The forecasts.

    Raises:
        ValueError: too few stretches come before the first row.
    """
    if start - 2 * ahead - past + 2 < neighbours:
        raise ValueError(f"nearest got start={start}: before it there are fewer than {neighbours} known stretches.")
    # In one block of memory, and many rows at a time: products of vectors with a strided view are many times slower.
    stretches = np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(values, past))
    squares = np.square(stretches).sum(axis=1)
    predicted = np.full(len(values), np.nan)
    for begin in range(start, len(values), 256):
        rows = np.arange(begin, min(begin + 256, len(values)))
        # Stretch i ends at row i + past - 1, and its continuation is known if that plus `ahead` is.
        now = rows - ahead - past + 1
        distances = squares - 2 * stretches[now] @ stretches.T
        for row, known, distance in zip(rows, now - ahead + 1, distances, strict=True):
            best = np.argpartition(distance[:known], neighbours - 1)[:neighbours]
            predicted[row] = values[best + past - 1 + ahead].mean()
    return predicted
