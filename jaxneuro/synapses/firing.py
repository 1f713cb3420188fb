"""What a plastic synapse sees of both sides, the traces that spikes leave, and the bounds of a weight.

A rule looks at the traces of spikes before the present step: two spikes in one step are no pair.
"""

import equinox as eqx
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array, Float

from jaxneuro.synapses.sparse import Sparse

# All to all, `[outputs, inputs]`, or the lists of a `Sparse`.
Connections = Float[Array, "outputs inputs"] | Sparse


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


def first_weights(connections: Connections) -> Float[Array, "..."]:
    """The weights of connections, `[outputs, inputs]`, or of a `Sparse`, `[inputs, places]`."""
    return connections.weights if isinstance(connections, Sparse) else connections


def unmarked(connections: Connections) -> tuple[Float[Array, "inputs"], Float[Array, "outputs"]]:
    """Traces of both sides without spikes so far."""
    weights = first_weights(connections)
    if isinstance(connections, Sparse):
        return jnp.zeros(len(weights), weights.dtype), jnp.zeros(connections.outputs, weights.dtype)
    return jnp.zeros(weights.shape[1], weights.dtype), jnp.zeros(len(weights), weights.dtype)


def pairs(
    connections: Connections, postsynaptic: Float[Array, "outputs"], presynaptic: Float[Array, "inputs"]
) -> Float[Array, "..."]:
    """For every synapse the product of a postsynaptic and a presynaptic number, in the shape of the weights."""
    if isinstance(connections, Sparse):
        return postsynaptic.at[connections.targets].get(mode="fill", fill_value=0) * presynaptic[:, None]
    return postsynaptic[:, None] * presynaptic[None]


def driven(
    connections: Connections, weights: Float[Array, "..."], presynaptic: Float[Array, "inputs"]
) -> Float[Array, "outputs"]:
    """`W x` over the connections, with the present weights."""
    if isinstance(connections, Sparse):
        return eqx.tree_at(lambda sparse: sparse.weights, connections, weights).respond(presynaptic)
    return presynaptic @ weights.T


def check_weights(rule: str, weights: Float[Array, "..."], largest: Float[Array, "..."]) -> None:
    """Refuse weights that the first step would cut off.

    Args:
        rule: name of the class, for the message.
        weights: the first weights.
        largest: the upper bound.

    Raises:
        ValueError: if a weight is above the bound.
    """
    concrete = not isinstance(weights, Tracer) and not isinstance(largest, Tracer) and weights.size and largest.size
    if concrete and bool(weights.max() > largest.max()):
        raise ValueError(f"{rule} got weights up to {weights.max():g}; they must be at most largest={largest.max():g}.")


def bounded(
    weights: Float[Array, "*synapses"],
    up: Float[Array, "*synapses"],
    down: Float[Array, "*synapses"],
    largest: Float[Array, ""],
    softness: Float[Array, ""],
) -> Float[Array, "*synapses"]:
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
