"""Whether neurons are active together."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxneuro.measure.firing import windows


def synchrony(spikes: Float[Array, "steps neurons"], *, window: int = 1) -> Float[Array, ""]:
    """The synchrony index: `chi = sqrt(var_t(mean_i x_i) / mean_i(var_t x_i))`, x the activity in windows of time.

    1 if all neurons do the same; near `1 / sqrt(neurons)` if they are independent and equally active.

    Args:
        spikes: 1 on a spike, else 0; a voltage or any other activity will do as well.
        window: length in steps over which activity is summed up.

    Returns:
        chi, between 0 and 1; NaN if nothing changes.

    Reference: Golomb and Rinzel 1994, Physica D 72:259 (of voltages; here also of spike counts).
    """
    activity = windows(spikes, window).sum(axis=1)
    each, together = activity.var(axis=0).mean(), activity.mean(axis=1).var()
    return jnp.where(each > 0, jnp.sqrt(together / jnp.where(each > 0, each, 1)), jnp.nan)
