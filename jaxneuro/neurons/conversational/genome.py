"""The small genome that all neurons of a conversation share: what a neuron in some condition says, and hears."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Parameterised, parameter
from jaxneuro.neurons.conversational.instructions import INSTRUCTIONS
from jaxneuro.neurons.conversational.packet import Packet, choose


class Condition(eqx.Module):
    """How a neuron is: its Arc, what it puts out, what it has put out in the last hours, and its program."""

    arc: Float[Array, "*neurons"]
    activity: Float[Array, "*neurons"]
    calcium: Float[Array, "*neurons"]
    program: Float[Array, "*neurons program"]


class PacketGenome(Parameterised):
    """From a neuron's condition to the packet that it packs and to the query by which it is addressed.

    `k, q, o, v = W2 tanh(W1 (arc, activity, calcium / 2) + b1) + b2`, each with its own rows, and `softmax(o)`.

    Fields (all quantities dimensionless):
        inner_weights: W1, `[hidden, 3]`, normal of variance 1.
        inner_bias: b1, `[hidden]`.
        outer_weights: W2, `[2 address + 8 + program, hidden]`, normal of variance `0.01 / hidden`.
        outer_bias: b2, 0 but for NOP, which starts at `caution`: a neuron that has not learnt what to say says little.
        address: numbers of a key and of a query.

    Reference: one small rule that all cells share, Kirsch and Schmidhuber 2021, arXiv:2012.14905.
    """

    address: int = eqx.field(static=True)
    inner_weights: Float[Array, "hidden 3"] = parameter()
    inner_bias: Float[Array, "hidden"] = parameter()
    outer_weights: Float[Array, "rows hidden"] = parameter()
    outer_bias: Float[Array, "rows"] = parameter()

    def __init__(
        self, program: int, *, address: int = 4, hidden: int = 16, caution: float = 1.0, key: PRNGKeyArray
    ) -> None:
        check_sizes("PacketGenome", program=program, address=address, hidden=hidden)
        inner, outer = jax.random.split(key)
        rows = 2 * address + len(INSTRUCTIONS) + program
        self.inner_weights = jax.random.normal(inner, (hidden, 3))
        self.inner_bias = jnp.zeros(hidden)
        self.outer_weights = 0.1 * jax.random.normal(outer, (rows, hidden)) / hidden**0.5
        self.outer_bias = jnp.zeros(rows).at[2 * address].set(caution)
        self.address = address

    def write(
        self, condition: Condition, hardness: Float[Array, ""], noise: Float[Array, "8"]
    ) -> tuple[Packet, Float[Array, "address"]]:
        """The packet and the query of a neuron.

        Args:
            condition: of the neuron.
            hardness: of the choice of an instruction, from 0 (shares) to 1 (one of them).
            noise: added to the logits of the instructions.

        Returns:
            The packet, and the query, `[address]`.
        """
        summary = jnp.stack([condition.arc, condition.activity, 0.5 * condition.calcium])
        hidden = jnp.tanh(self.inner_weights @ summary + self.inner_bias)
        parts = self.outer_weights @ hidden + self.outer_bias
        key, query, logits, payload = jnp.split(
            parts, [self.address, 2 * self.address, 2 * self.address + len(INSTRUCTIONS)]
        )
        return Packet(key, choose(logits + noise, hardness), payload, condition.program), query
