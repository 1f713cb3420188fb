"""Firing rates."""

import jax.numpy as jnp
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


def population_rate(
    spikes: Float[Array, "steps neurons"], dt_ms: Float[Array, ""] | float, *, window: int = 1
) -> Float[Array, "windows"]:
    """The rate of a population in each window of time: `1000 sum(spikes) / (neurons window dt_ms)`.

    Args:
        spikes: 1 on a spike, else 0.
        dt_ms: step size (ms).
        window: its length in steps; steps that fill no window at the end are left out.

    Returns:
        The rate per neuron (Hz).

    Reference: Gerstner et al. 2014, Neuronal Dynamics, eq. 7.11 (population activity).
    """
    return 1000 * windows(spikes, window).mean(axis=(1, 2)) / jnp.asarray(dt_ms, spikes.dtype)


def windows(spikes: Float[Array, "steps neurons"], window: int) -> Float[Array, "windows window neurons"]:
    """The train cut in windows of so many steps; what is left over at the end is dropped.

    Args:
        spikes: 1 on a spike, else 0.
        window: length of a window in steps.

    Returns:
        `[windows, window, neurons]`.

    Raises:
        ValueError: there is not one window.
    """
    steps, neurons = spikes.shape
    if not 1 <= window <= steps:
        raise ValueError(f"window is {window} steps; it must be from 1 to the {steps} steps of the train.")
    count = steps // window
    return spikes[: count * window].reshape(count, window, neurons)
