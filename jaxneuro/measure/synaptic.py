"""Synaptic operations: how many of a layer's connections have something to do."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxneuro.machine import Stateless


class SynapticOperations(eqx.Module):
    """Operations per sample, mean over samples.

    Attributes:
        dense: all connections.
        macs: those with a weight and an input that are not 0, where inputs are graded: multiply and add.
        accumulates: the same where all inputs are 0, 1 or -1, such as spikes: add the weight.
    """

    dense: Float[Array, ""]
    macs: Float[Array, ""]
    accumulates: Float[Array, ""]


def fan_out(layer: Stateless, inputs: tuple[int, ...], *, zeros: bool = False) -> Float[Array, "..."]:
    """How many connections leave each input of a layer of synapses.

    Args:
        layer: linear in its input but for a bias: `Dense`, `Conv` and their like.
        inputs: shape of one input.
        zeros: whether connections of weight 0 count.

    Returns:
        The numbers, in the shape of an input; connections to what lies outside of an image are none.
    """
    counted = jax.tree.map(lambda w: jnp.ones_like(w) if zeros else (w != 0).astype(w.dtype), layer)
    # The layer is linear: the slope of the sum of all outputs is the number of connections, and the bias has none.
    return jax.grad(lambda x: counted.respond(x).sum())(jnp.zeros(inputs, jnp.result_type(float)))


def synaptic_operations(layer: Stateless, inputs: Float[Array, "samples ..."]) -> SynapticOperations:
    """The synaptic operations of a layer, per sample.

    Args:
        layer: as for `fan_out`; a bias is not counted.
        inputs: what reaches it.

    Returns:
        Dense and effective operations.

    Reference: NeuroBench, Yik et al. 2025, Nature Communications 16:1545, "synaptic operations".
    """
    shape = inputs.shape[1:]
    active = (inputs != 0).astype(inputs.dtype).mean(axis=0)
    effective = (active * fan_out(layer, shape).astype(inputs.dtype)).sum()
    binary = jnp.all((inputs == 0) | (jnp.abs(inputs) == 1))
    dense = fan_out(layer, shape, zeros=True).sum()
    return SynapticOperations(dense, jnp.where(binary, 0, effective), jnp.where(binary, effective, 0))
