"""The leaky rate neuron: a similarity unit that keeps a share of what it was."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import Affine, Scalar, parameter


class LeakyRateState(eqx.Module):
    """What the neuron shows, dimensionless."""

    activity: Float[Array, ""]


class LeakyRate(Affine[LeakyRateState, Float[Array, ""], Float[Array, ""]]):
    """A leaky integrator of rates, `y <- k y + (1 - k) tanh(gain (u - threshold))`, with `k = sigma(memory)`.

    `k = exp(-dt / tau)` makes it the exact step of `tau dy/dt = -y + tanh(gain (u - threshold))`. With k going to 0 it
    is `Rate`. All quantities dimensionless.

    Fields:
        gain: slope at threshold.
        threshold: the drive at which the neuron tends to 0.
        memory: logit of the share that is kept in a step; any number will do.

    Input: u, a scalar, the weighted sum that its synapses deliver. Output: y, a scalar.

    Reference: Jaeger, Lukosevicius, Popovici and Siewert 2007, Neural Networks 20:335, section 2 (leaky integrators).
    """

    gain: Scalar = parameter(1.0)
    threshold: Scalar = parameter(0.0)
    memory: Scalar = parameter(0.0)

    def init(self, key: PRNGKeyArray) -> LeakyRateState:
        """Zero."""
        return LeakyRateState(jnp.zeros_like(self.memory))

    def affine(self, input: Float[Array, ""]) -> tuple[LeakyRateState, LeakyRateState]:
        """`(k, (1 - k) tanh(gain (u - threshold)))`."""
        tends_to = jnp.tanh(self.gain * (input - self.threshold))
        return LeakyRateState(jax.nn.sigmoid(self.memory)), LeakyRateState(jax.nn.sigmoid(-self.memory) * tends_to)

    def read(self, state: LeakyRateState, input: Float[Array, ""]) -> Float[Array, ""]:
        """Y."""
        return state.activity
