"""The exponential synapse."""

from typing import Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_choice
from jaxneuro.machine import Affine, Scalar, parameter


class ExponentialState(eqx.Module):
    """What is open: the sum of the decayed inputs so far, dimensionless."""

    open: Float[Array, ""]


class Exponential(Affine[ExponentialState, Float[Array, ""], Float[Array, ""]]):
    """A synapse that opens at once and closes exponentially: `y(t) = weight k(t)`, `k(t) = exp(-t / tau)`.

    `s_t = exp(-dt / tau) s_{t-1} + x_t`, `y_t = weight s_t`, exact for inputs that come at the starts of steps; y is
    the value at the start of the step, with what has just arrived, or in its middle: `weight exp(-dt / 2 tau) s_t`.

    Fields:
        weight: height of the response to one spike over a connection of weight 1, in the unit of the output: the
            neuron's unit of current, or of conductance inside `ConductanceBased`. With `normalisation="charge"` k is
            divided by tau, and weight is the integral of the response, in that unit times ms.
        tau_ms: time constant (ms).
        dt_ms: step size (ms).
        normalisation: "peak" or "charge".
        value_at: "start" or "middle" of the step. A membrane holds what it gets for a whole step: half a step late from
            the start, an error of first order; of second order from the middle.

    Input: the spikes that arrive in the step, each times the weight of its connection, a scalar. Output: a scalar.

    Reference: Destexhe, Mainen and Sejnowski 1994, Journal of Computational Neuroscience 1:195; exact step: Rotter and
    Diesmann 1999, Biological Cybernetics 81:381.
    """

    weight: Scalar = parameter(1.0)
    tau_ms: Scalar = parameter(5.0, above=0.0, unit="ms")
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")
    normalisation: Literal["peak", "charge"] = eqx.field(static=True, default="peak")
    value_at: Literal["start", "middle"] = eqx.field(static=True, default="start")

    def __check_init__(self) -> None:
        check_choice("Exponential", "normalisation", self.normalisation, ("peak", "charge"))
        check_choice("Exponential", "value_at", self.value_at, ("start", "middle"))

    def init(self, key: PRNGKeyArray) -> ExponentialState:
        """Closed."""
        return ExponentialState(jnp.zeros_like(self.tau_ms))

    def affine(self, input: Float[Array, ""]) -> tuple[ExponentialState, ExponentialState]:
        """`(exp(-dt / tau), x)`."""
        return ExponentialState(jnp.exp(-self.dt_ms / self.tau_ms)), ExponentialState(input)

    def read(self, state: ExponentialState, input: Float[Array, ""]) -> Float[Array, ""]:
        """`weight s`, or `weight s / tau`; half a step later in the middle."""
        height = self.weight if self.normalisation == "peak" else self.weight / self.tau_ms
        decay = 1 if self.value_at == "start" else jnp.exp(-self.dt_ms / (2 * self.tau_ms))
        return height * decay * state.open
