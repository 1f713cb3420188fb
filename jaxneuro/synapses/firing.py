"""What a plastic synapse sees of both sides, the traces that spikes leave, and the bounds of a weight.

A rule looks at the traces of spikes before the present step: two spikes in one step are no pair.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float


class Firing(eqx.Module):
    """The spikes of one step on both sides: 1.0 for a spike, else 0.0.

    In a network the drive of a step makes the neurons fire, so that the postsynaptic spikes given with it are those of
    the step before.
    """

    presynaptic: Float[Array, "*time inputs"]
    postsynaptic: Float[Array, "*time outputs"]


def faded(trace: Float[Array, "neurons"], dt_ms: Float[Array, ""], tau_ms: Float[Array, ""]) -> Float[Array, "neurons"]:
    """A trace one step later: `e^(-dt / tau) s`.

    Args:
        trace: s.
        dt_ms: the step (ms).
        tau_ms: the time constant (ms).

    Returns:
        What the present spikes meet.
    """
    return jnp.exp(-dt_ms / tau_ms) * trace


def marked(trace: Float[Array, "neurons"], spikes: Float[Array, "neurons"], pairing: str) -> Float[Array, "neurons"]:
    """A trace after the present spikes.

    Args:
        trace: before them.
        spikes: 1.0 or 0.0.
        pairing: "all": a spike adds 1, so that all spikes count. "nearest": a spike sets the trace to 1, so that only
            the last one counts.

    Returns:
        The trace.
    """
    return trace + spikes * (1 if pairing == "all" else 1 - trace)


def pairs(postsynaptic: Float[Array, "outputs"], presynaptic: Float[Array, "inputs"]) -> Float[Array, "outputs inputs"]:
    """The product of every postsynaptic with every presynaptic number, `[outputs, inputs]`."""
    return postsynaptic[:, None] * presynaptic[None]


def bounded(
    weights: Float[Array, "outputs inputs"],
    up: Float[Array, "outputs inputs"],
    down: Float[Array, "outputs inputs"],
    largest: Float[Array, ""],
    softness: Float[Array, ""],
) -> Float[Array, "outputs inputs"]:
    """Weights after a change, between 0 and the largest.

    `w + up (1 - softness w / largest) - down (1 - softness (1 - w / largest))`, then clipped: with softness 0 the
    change does not depend on the weight (hard bounds, van Rossum's additive rule), with 1 it shrinks towards the bound
    it moves to (soft bounds, the multiplicative rule), and between it is a mixture.

    Args:
        weights: w.
        up: potentiation, at least 0.
        down: depression, at least 0.
        largest: the upper bound.
        softness: 0 to 1.

    Returns:
        The new weights.

    Reference: Rubin, Lee and Sompolinsky 2001, Physical Review Letters 86:364; Kistler and van Hemmen 2000, Neural
    Computation 12:385.
    """
    filled = weights / largest
    return jnp.clip(weights + up * (1 - softness * filled) - down * (1 - softness * (1 - filled)), 0, largest)
