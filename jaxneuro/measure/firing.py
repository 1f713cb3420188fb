"""Firing rates."""

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
