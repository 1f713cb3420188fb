"""Spike trains as lists of times: padded with infinity, so that all have one length."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def spike_times(
    spikes: Float[Array, "steps neurons"], dt_ms: Float[Array, ""] | float, *, most: int
) -> Float[Array, "neurons most"]:
    """When each neuron fires: the ends of the steps with a spike, in order, then infinity.

    Args:
        spikes: above 0 on a spike.
        dt_ms: step size (ms).
        most: room for so many spikes of a neuron; later ones are dropped, see `spikes_dropped`.

    Returns:
        Times (ms); the step t, from 0, ends at `(t + 1) dt_ms`.
    """

    def one(train: Float[Array, "steps"]) -> Float[Array, "most"]:
        steps = train.shape[0]
        (found,) = jnp.nonzero(train > 0, size=most, fill_value=steps)
        times = (found + 1).astype(spikes.dtype) * jnp.asarray(dt_ms, spikes.dtype)
        return jnp.where(found < steps, times, jnp.inf)

    return jax.vmap(one, in_axes=1)(spikes)


def spikes_dropped(spikes: Float[Array, "steps neurons"], *, most: int) -> Float[Array, "neurons"]:
    """How many spikes of each neuron `spike_times` has no room for.

    Args:
        spikes: above 0 on a spike.
        most: its room.
    """
    return jnp.maximum((spikes > 0).sum(axis=0) - most, 0).astype(spikes.dtype)
