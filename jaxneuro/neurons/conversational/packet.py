"""What a neuron sends: a packet of fixed size that says to whom, what to do, and with which numbers."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


class Packet(eqx.Module):
    """A message, as code: an instruction and its operands (all dimensionless).

    Fields:
        key: to whom, `[address]`: receivers whose query is alike hear it.
        opcode: which instruction, `[8]`: shares that sum to 1, in the order of `INSTRUCTIONS`.
        payload: its operand, `[program]`: a number for every number of the receiver's program.
        program: the sender's own program, `[program]`, for the instruction that copies it.
    """

    key: Float[Array, "address"]
    opcode: Float[Array, "8"]
    payload: Float[Array, "program"]
    program: Float[Array, "program"]


def choose(logits: Float[Array, "choices"], hardness: Float[Array, ""]) -> Float[Array, "choices"]:
    """The shares of several choices: `softmax(logits)`, or the largest one alone.

    Whatever the hardness, the derivative is that of the softmax: with hardness 1 it passes straight through the choice.

    Args:
        logits: one per choice.
        hardness: 0 mixes by the softmax, 1 takes the largest, between them is between them.

    Returns:
        Shares that sum to 1.

    Reference: Bengio, Leonard and Courville 2013, arXiv:1308.3432, section 4.
    """
    soft = jax.nn.softmax(logits)
    largest = jax.nn.one_hot(jnp.argmax(logits), logits.shape[0], dtype=logits.dtype)
    # In this order the largest is exactly 1 and all others exactly 0 at hardness 1.
    hard = jax.lax.stop_gradient(largest) + (soft - jax.lax.stop_gradient(soft))
    return (1 - hardness) * soft + hardness * hard
