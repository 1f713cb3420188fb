"""A mailbox of fixed size: what arrives is read some steps later, and what does not fit is lost, and counted."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from jaxneuro.compose import Delay, DelayState
from jaxneuro.machine import StateMachine, explicit


class Mail(eqx.Module):
    """Packets, and how strongly each is meant for this receiver; a weight of 0 is no packet (dimensionless)."""

    weights: Float[Array, "*time packets"]
    packets: PyTree[Array]


class InboxState(eqx.Module):
    """Packets on their way, and how many there have been: `sent = delivered + dropped + on their way`."""

    line: DelayState
    sent: Int[Array, ""]
    delivered: Int[Array, ""]
    dropped: Int[Array, ""]


class Inbox(StateMachine[InboxState, Mail, Mail]):
    """A ring of mail of one receiver: `capacity` packets of every step are read `steps` steps later.

    `read_t = top(sent_{t - steps})`: of the packets of a step, those with the largest weights are kept, the first of
    equal ones; the others are dropped. Packets are counted where their weight is above 0.

    Fields:
        empty: a packet without meaning, which gives the shape of all; any pytree of arrays (dimensionless).
        capacity: how many packets of a step are kept.
        steps: how long they travel, in steps; 0 reads them at once.

    Input: `Mail` from `[senders]`, at least `capacity` of them. Output: `Mail` of `[capacity]`.

    Reference: capsids that carry messages from neuron to neuron, Pastuzyn et al. 2018, Cell 172:275; Ashley et al.
        2018, Cell 172:262. The mailbox is Hewitt, Bishop and Steiger's actor, 1973, IJCAI 235.
    """

    empty: PyTree[Array] = eqx.field(converter=explicit, default_factory=lambda: jnp.zeros(()))
    capacity: int = eqx.field(static=True, default=4)
    steps: int = eqx.field(static=True, default=1)

    def __check_init__(self) -> None:
        if self.capacity < 1 or self.steps < 0:
            raise ValueError(
                f"Inbox got capacity={self.capacity}, steps={self.steps}; the first must be at least 1, the second at "
                "least 0."
            )

    def init(self, key: PRNGKeyArray) -> InboxState:
        """Nothing on its way."""
        none = jnp.zeros((), jnp.int32)
        return InboxState(self._line().init(key), none, none, none)

    def step(self, state: InboxState, input: Mail) -> tuple[InboxState, Mail]:
        """Keeps the packets with the largest weights, reads those that have arrived."""
        if input.weights.shape[0] < self.capacity:
            raise ValueError(
                f"Inbox of capacity {self.capacity} got {input.weights.shape[0]} packets; write capacity="
                f"{input.weights.shape[0]} to keep all."
            )
        weights, places = jax.lax.top_k(input.weights, self.capacity)
        kept = Mail(weights, jax.tree.map(lambda leaf: leaf[places], input.packets))
        line, read = self._line().step(state.line, kept)
        sent, held = _count(input.weights), _count(kept.weights)
        return InboxState(
            line, state.sent + sent, state.delivered + _count(read.weights), state.dropped + sent - held
        ), read

    def on_their_way(self, state: InboxState) -> Int[Array, ""]:
        """How many packets have been kept and not yet been read."""
        return _count(state.line.ring.weights)  # pyright: ignore[reportAttributeAccessIssue]

    def _line(self) -> Delay:
        def many(leaf: Array) -> Array:
            return jnp.broadcast_to(leaf, (self.capacity, *leaf.shape))

        dtype: Any = jax.tree.leaves(self.empty)[0].dtype
        return Delay(Mail(jnp.zeros(self.capacity, dtype), jax.tree.map(many, self.empty)), steps=self.steps)


def _count(weights: Float[Array, "..."]) -> Int[Array, ""]:
    return (weights > 0).sum(dtype=jnp.int32)
