"""The distance of Victor and Purpura between spike trains."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def victor_purpura(
    first_ms: Float[Array, "first"], second_ms: Float[Array, "second"], cost_per_ms: Float[Array, ""] | float
) -> Float[Array, ""]:
    """The least cost of turning one train into the other: a spike comes or goes at 1, moves at `q |dt|`.

    `G[i, j] = min(G[i-1, j] + 1, G[i, j-1] + 1, G[i-1, j-1] + q |s_i - t_j|)`, `G[i, 0] = i`, `G[0, j] = j`. With q = 0
    it is the difference of the counts; with q large, spikes at unequal times have nothing to do with each other.

    Args:
        first_ms: spike times in order, padded with infinity (ms).
        second_ms: those of the other train.
        cost_per_ms: q, at least 0.

    Returns:
        The distance; differentiable in the times where the cheapest way is the only one.

    Reference: Victor and Purpura 1996, Journal of Neurophysiology 76:1310, D^spike.
    """
    there = jnp.isfinite(second_ms)
    # A padded time is out of the way, and finite, so that gradients are.
    second = jnp.where(there, second_ms, 0)
    places = jnp.arange(second.shape[0] + 1, dtype=second.dtype)
    cost = jnp.asarray(cost_per_ms, second.dtype)

    def row(above: Float[Array, "places"], time: Float[Array, ""]) -> tuple[Float[Array, "places"], None]:
        real = jnp.isfinite(time)
        moved = above[:-1] + cost * jnp.abs(jnp.where(real, time, 0) - second)
        reached = jnp.concatenate([above[:1] + 1, jnp.minimum(above[1:] + 1, moved)])
        # Spikes that only come: min over k <= j of reached[k] + (j - k).
        below = jax.lax.cummin(reached - places) + places
        return jnp.where(real, below, above), None

    last, _ = jax.lax.scan(row, places, first_ms)
    return last[there.sum()]
