"""Firing rates and spike times."""

import numpy as np
from jaxtyping import Array, Float


def rate(spikes: Float[Array, "*batch time"], dt_ms: Float[Array, ""] | float) -> Float[Array, "*batch"]:
    """The mean firing rate: `1000 sum(spikes) / (T dt_ms)`.

    Args:
        spikes: 1 on a spike, else 0; time last.
        dt_ms: step size (ms).

    Returns:
        The rate (Hz).
    """
    return 1000 * spikes.mean(axis=-1) / dt_ms


def crossing_times(
    voltage_mv: Float[Array, "time"] | Float[np.ndarray, "time"], level_mv: float, dt_ms: float
) -> Float[np.ndarray, "crossings"]:
    """When a voltage rises through a level, between the samples: on the straight line from one to the next.

    Args:
        voltage_mv: after each step (mV).
        level_mv: the level (mV), reached when V is at it or above.
        dt_ms: step size (ms).

    Returns:
        The times (ms) since the start of the first step.
    """
    voltage = np.asarray(voltage_mv, float)
    before = np.flatnonzero((voltage[:-1] < level_mv) & (voltage[1:] >= level_mv))
    share = (level_mv - voltage[before]) / (voltage[before + 1] - voltage[before])
    return (before + 1 + share) * dt_ms
