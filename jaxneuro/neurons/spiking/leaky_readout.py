"""The leaky readout: a membrane without threshold."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import Affine, Scalar, parameter


class LeakyReadoutState(eqx.Module):
    """The filtered input, in the units of the input."""

    value: Float[Array, ""]


class LeakyReadout(Affine[LeakyReadoutState, Float[Array, ""], Float[Array, ""]]):
    """A leaky integrator that reads spikes out: `tau dy/dt = -y + x`, by exact steps.

    `y_t = a y_{t-1} + (1 - a) x_t`, `a = exp(-dt / tau)`: a constant input x is approached as `x (1 - exp(-t / tau))`.

    Fields:
        tau_ms: time constant (ms).
        dt_ms: step size (ms).

    Input: a scalar. Output: y, a scalar in the same units.

    Reference: Bellec et al. 2020, Nature Communications 11:3625, eq. 11 (output neurons).
    """

    tau_ms: Scalar = parameter(20.0, above=0.0, unit="ms")
    dt_ms: Scalar = parameter(1.0, above=0.0, unit="ms")

    def init(self, key: PRNGKeyArray) -> LeakyReadoutState:
        """Zero."""
        return LeakyReadoutState(jnp.zeros_like(self.tau_ms))

    def affine(self, input: Float[Array, ""]) -> tuple[LeakyReadoutState, LeakyReadoutState]:
        """`(a, (1 - a) x)`."""
        rate = -self.dt_ms / self.tau_ms
        return LeakyReadoutState(jnp.exp(rate)), LeakyReadoutState(-jnp.expm1(rate) * input)

    def read(self, state: LeakyReadoutState, input: Float[Array, ""]) -> Float[Array, ""]:
        """Y."""
        return state.value
