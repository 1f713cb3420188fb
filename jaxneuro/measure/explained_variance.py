"""How much of a spike train's variance another one explains."""

import itertools

import numpy as np
from jaxtyping import Float


def smoothed(spikes: np.ndarray, dt_ms: float, width_ms: float = 10.0) -> np.ndarray:
    """Trains under a Gaussian, each by itself, then joined end to end.

    Args:
        spikes: 1 on a spike, else 0, `[..., trains, steps]`.
        dt_ms: step size (ms).
        width_ms: standard deviation of the Gaussian (ms).

    Returns:
        `[..., trains * steps]`, spikes per step.
    """
    from scipy.ndimage import gaussian_filter1d

    rates = gaussian_filter1d(np.asarray(spikes, float), width_ms / dt_ms, axis=-1, mode="constant")
    return rates.reshape(*rates.shape[:-2], -1)


def explained(
    first: Float[np.ndarray, "*lanes time"], second: Float[np.ndarray, "*lanes time"]
) -> Float[np.ndarray, "*lanes"]:
    """`(var a + var b - var(a - b)) / (var a + var b)`: 1 of equal signals, 0 of unrelated ones.

    Args:
        first: a, a smoothed train.
        second: b.

    Returns:
        The share of variance that they explain of each other; 0 where neither varies.

    Reference: Teeter et al. 2018, Nature Communications 9:709, Methods, "Explained variance".
    """
    total = first.var(axis=-1) + second.var(axis=-1)
    return np.where(total > 0, 1 - (first - second).var(axis=-1) / np.where(total > 0, total, 1), 0)


def reliability(data: Float[np.ndarray, "repetitions time"]) -> float:
    """What repetitions explain of each other, the mean over all pairs: what a model may at best explain."""
    return float(np.mean([explained(first, second) for first, second in itertools.combinations(data, 2)]))


def explained_variance(data: Float[np.ndarray, "repetitions time"], model: Float[np.ndarray, "time"]) -> float:
    """What a model explains of repetitions, relative to what these explain of each other.

    Args:
        data: the smoothed trains of a cell under one stimulus, at least 2.
        model: that of a model.

    Returns:
        The ratio: 1 of a model that is as near to the repetitions as they are to each other.

    Reference: Teeter et al. 2018, Nature Communications 9:709, Methods, "Explained variance".
    """
    return float(np.mean([explained(model, repetition) for repetition in data])) / reliability(data)
