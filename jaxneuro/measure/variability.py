"""How irregular spiking is: the variation of intervals, and of counts."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxneuro.measure.firing import windows


def interval_variation(spikes: Float[Array, "steps neurons"]) -> Float[Array, "neurons"]:
    """The coefficient of variation of the intervals between spikes: `CV = sd(intervals) / mean(intervals)`.

    0 for a clock, 1 for a Poisson process of low rate (`sqrt(1 - p)` if a step has a spike with probability p).

    Args:
        spikes: above 0 on a spike.

    Returns:
        CV of each neuron, with the deviation of the intervals that are there (not of a larger population); NaN for a
        neuron with fewer than 2 intervals.

    Reference: Softky and Koch 1993, Journal of Neuroscience 13:334.
    """
    fired = spikes > 0
    steps = jnp.arange(len(spikes), dtype=jnp.int32)[:, None]
    latest = jax.lax.cummax(jnp.where(fired, steps, -1))
    before = jnp.concatenate([jnp.full_like(latest[:1], -1), latest[:-1]])
    intervals = (steps - before).astype(spikes.dtype)
    return _variation(intervals, fired & (before >= 0))


def interval_variation_of_times(times_ms: Float[Array, "neurons spikes"]) -> Float[Array, "neurons"]:
    """The same of lists of spike times.

    Args:
        times_ms: in order, padded with infinity (ms).

    Returns:
        CV of each neuron; NaN with fewer than 2 intervals.
    """
    there = jnp.isfinite(times_ms)
    times = jnp.where(there, times_ms, 0)
    return _variation(jnp.diff(times, axis=1).T, there[:, 1:].T)


def _variation(intervals: Float[Array, "intervals neurons"], there: Bool[Array, "intervals neurons"]) -> Array:
    count = there.sum(axis=0).astype(intervals.dtype)
    divisor = jnp.maximum(count, 1)
    mean = jnp.where(there, intervals, 0).sum(axis=0) / divisor
    variance = jnp.where(there, (intervals - mean[None]) ** 2, 0).sum(axis=0) / divisor
    return jnp.where(count >= 2, jnp.sqrt(variance) / jnp.where(mean > 0, mean, 1), jnp.nan)


def fano_factor(spikes: Float[Array, "steps neurons"], *, window: int) -> Float[Array, "neurons"]:
    """The variance of the spike count over its mean: `F = var(n) / mean(n)`, n the counts in windows of time.

    0 for a clock, 1 for a Poisson process (`1 - p` if a step has a spike with probability p).

    Args:
        spikes: 1 on a spike, else 0.
        window: its length in steps.

    Returns:
        F of each neuron, with the unbiased variance; NaN for a silent neuron, or if there are not 2 windows.

    Reference: Fano 1947, Physical Review 72:26.
    """
    counts = windows(spikes, window).sum(axis=1)
    mean = counts.mean(axis=0)
    squares = ((counts - mean[None]) ** 2).sum(axis=0)
    enough = (mean > 0) & (len(counts) > 1)
    return jnp.where(enough, squares / max(len(counts) - 1, 1) / jnp.where(mean > 0, mean, 1), jnp.nan)
