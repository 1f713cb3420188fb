"""Inhibitory plasticity that holds a firing rate."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.synapses.firing import (
    Connections,
    Firing,
    bounded,
    check_weights,
    driven,
    faded,
    first_weights,
    marked,
    pairs,
    unmarked,
)


class InhibitorySTDPState(eqx.Module):
    """The weights, and the traces of the spikes of both sides, dimensionless, as the last step left them."""

    weights: Float[Array, "*synapses"]
    presynaptic: Float[Array, "inputs"]
    postsynaptic: Float[Array, "outputs"]


class InhibitorySTDP(StateMachine[InhibitorySTDPState, Firing, Float[Array, "outputs"]]):
    """Inhibition that grows until its target fires at the rate rho: `dw = eta (x_post - alpha)` at a presynaptic spike.

    At a postsynaptic spike it is `dw = eta x_pre`; x are traces of all spikes before, of time constant tau, and
    `alpha = 2 rho tau`. Spikes near each other in either order make inhibition stronger, lone presynaptic ones weaker.
    The drive is `y = W x` with the weights from before the step: its sign is the matter of what it feeds.

    Fields:
        weights: W at first, `[outputs, inputs]` or a `Sparse`, in the unit of what they feed; 0 to `largest`.
        learning_rate: eta, in that unit.
        target_hz: rho (Hz).
        tau_ms: tau (ms).
        largest: the upper bound of a weight.
        dt_ms: step size (ms).

    Input: `Firing`, `[inputs]` and `[outputs]`. Output: the drive, `[outputs]`.

    Reference: Vogels, Sprekeler, Zenke, Clopath and Gerstner 2011, Science 334:1569, supplement.
    """

    weights: Connections = parameter(at_least=0.0)
    learning_rate: Scalar = parameter(0.01, at_least=0.0)
    target_hz: Scalar = parameter(3.0, at_least=0.0, unit="Hz")
    tau_ms: Scalar = parameter(20.0, above=0.0, unit="ms")
    largest: Scalar = parameter(100.0, above=0.0)
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")

    def __check_init__(self) -> None:
        check_weights("InhibitorySTDP", first_weights(self.weights), self.largest)

    def init(self, key: PRNGKeyArray) -> InhibitorySTDPState:
        """The first weights; no spikes so far."""
        return InhibitorySTDPState(first_weights(self.weights), *unmarked(self.weights))

    def step(self, state: InhibitorySTDPState, input: Firing) -> tuple[InhibitorySTDPState, Float[Array, "outputs"]]:
        """The drive, the change of the weights, and the marks of the present spikes."""
        before, behind = (faded(trace, self.dt_ms, self.tau_ms) for trace in (state.presynaptic, state.postsynaptic))
        alpha = 2 * self.target_hz * self.tau_ms / 1000
        near = pairs(self.weights, behind, input.presynaptic) + pairs(self.weights, input.postsynaptic, before)
        lone = pairs(self.weights, jnp.ones_like(behind), input.presynaptic)
        up, down = self.learning_rate * near, self.learning_rate * alpha * lone
        weights = bounded(state.weights, up, down, self.largest, jnp.zeros_like(self.largest))
        before, behind = marked(before, input.presynaptic, "all"), marked(behind, input.postsynaptic, "all")
        return InhibitorySTDPState(weights, before, behind), driven(self.weights, state.weights, input.presynaptic)
