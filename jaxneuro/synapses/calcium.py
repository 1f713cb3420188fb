"""How long calcium that decays stays above a threshold."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def time_above(
    calcium: Float[Array, "*synapses"],
    threshold: Float[Array, "*threshold"],
    tau_ms: Float[Array, ""],
    duration_ms: Float[Array, ""],
) -> Float[Array, "*synapses"]:
    """The time within a step that `c e^(-t / tau)` spends above a threshold: `tau ln(c / threshold)`, in 0 to duration.

    Args:
        calcium: c, at the start.
        threshold: above 0.
        tau_ms: the time constant of calcium (ms).
        duration_ms: how long the step is (ms).

    Returns:
        The time (ms), with finite gradients everywhere.
    """
    # Below threshold the logarithm is taken of 1.
    above = jnp.where(calcium > threshold, calcium, threshold) / threshold
    return jnp.minimum(tau_ms * jnp.log(above), duration_ms)


def deviation(variance: Float[Array, "*synapses"]) -> Float[Array, "*synapses"]:
    """The square root, with gradient 0 at 0.

    Args:
        variance: at least 0.

    Returns:
        The standard deviation.
    """
    some = variance > 0
    return jnp.where(some, jnp.sqrt(jnp.where(some, variance, 1)), 0)
