"""Sparse connections with a delay of their own each."""

import equinox as eqx
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array, Float, Int, PRNGKeyArray

from jaxneuro.machine import StateMachine
from jaxneuro.synapses.sparse import Sparse


def _whole(delays: Int[Array, "..."]) -> Int[Array, "..."]:
    return jnp.asarray(delays, jnp.int32)


class DelayedState(eqx.Module):
    """What is under way to each neuron, by step of arrival in a ring, and the place in it of the present step."""

    arriving: Float[Array, "steps outputs"]
    position: Int[Array, ""]


class Delayed(StateMachine[DelayedState, Float[Array, "inputs"], Float[Array, "outputs"]]):
    """Sparse synapses with delays: `y_j(t) = sum(w_ik x_i(t - d_ik))` over all i and k with `target_ik = j`.

    What an input sends is added at once to the sums of the steps at which it will arrive, in a ring of `longest + 1`
    steps. A delay of 0 arrives in the same step.

    Fields:
        connections: the lists of targets, and weights, whose units are those of what the synapses feed.
        delays: d, `[inputs, places]`, whole steps from 0 to `longest`.
        longest: the longest delay that there can be, in steps.

    Input `[inputs]`: spikes or any numbers. Output `[outputs]`.

    Reference: Morrison et al. 2005, Neural Computation 17:1776 (ring buffers).
    """

    connections: Sparse
    delays: Int[Array, "inputs places"] = eqx.field(converter=_whole)
    longest: int = eqx.field(static=True)

    def __check_init__(self) -> None:
        if self.delays.shape != self.connections.targets.shape:
            raise ValueError(
                f"Delayed got delays of shape {self.delays.shape} for connections of shape "
                f"{self.connections.targets.shape}; there must be one for each place."
            )
        if isinstance(self.delays, Tracer):
            return
        lowest, highest = int(self.delays.min()), int(self.delays.max())
        if not 0 <= lowest <= highest <= self.longest:
            raise ValueError(f"Delayed got delays of {lowest} to {highest} steps; they must be 0 to {self.longest}.")

    def init(self, key: PRNGKeyArray) -> DelayedState:
        """Nothing under way."""
        ring = jnp.zeros((self.longest + 1, self.connections.outputs), self.connections.weights.dtype)
        return DelayedState(ring, jnp.zeros((), jnp.int32))

    def step(self, state: DelayedState, input: Float[Array, "inputs"]) -> tuple[DelayedState, Float[Array, "outputs"]]:
        """Send, deliver what is due, and clear its place."""
        steps, now = self.longest + 1, state.position
        sent = self.connections.weights * input[:, None]
        due = (now + self.delays) % steps
        arriving = state.arriving.at[due, self.connections.targets].add(sent, mode="drop")
        return DelayedState(arriving.at[now].set(0), (now + 1) % steps), arriving[now]
