"""The alpha-function synapse."""

from typing import Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_choice
from jaxneuro.machine import Scalar, StateMachine, parameter


class AlphaState(eqx.Module):
    """What drives the opening, dimensionless, and what is open (ms), both at the start of the last step."""

    rise: Float[Array, ""]
    open: Float[Array, ""]


class Alpha(StateMachine[AlphaState, Float[Array, ""], Float[Array, ""]]):
    """A synapse whose response rises and falls with one time constant: `y(t) = weight k(t)`.

    `k(t) = t / tau e^(1 - t / tau)`, as two equal exponentials in series, `r' = -r / tau`, `s' = -s / tau + r`, by
    their exact propagator: `s <- e^(-dt / tau) (s + dt r)`, `r <- e^(-dt / tau) r + x`. The peak comes tau after the
    spike. y is the value at the start of the step, so that a spike is seen from the next step on, or in its middle:
    `e^(-dt / 2 tau) (s + dt r / 2)`.

    Fields:
        weight: height of the response to one spike over a connection of weight 1, in the unit of the output: the
            neuron's unit of current, or of conductance inside `ConductanceBased`. With `normalisation="charge"`
            `k(t) = t / tau^2 e^(-t / tau)`, and weight is the integral of the response, in that unit times ms.
        tau_ms: time constant, and time of the peak (ms).
        dt_ms: step size (ms).
        normalisation: "peak" or "charge".
        value_at: "start" or "middle" of the step, as of `Exponential`.

    Input: the spikes that arrive in the step, each times the weight of its connection, a scalar. Output: a scalar.

    Reference: Rall 1967, Journal of Neurophysiology 30:1138; exact step: Rotter and Diesmann 1999, Biological
    Cybernetics 81:381.
    """

    weight: Scalar = parameter(1.0)
    tau_ms: Scalar = parameter(2.0, above=0.0, unit="ms")
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")
    normalisation: Literal["peak", "charge"] = eqx.field(static=True, default="peak")
    value_at: Literal["start", "middle"] = eqx.field(static=True, default="start")

    def __check_init__(self) -> None:
        check_choice("Alpha", "normalisation", self.normalisation, ("peak", "charge"))
        check_choice("Alpha", "value_at", self.value_at, ("start", "middle"))

    def init(self, key: PRNGKeyArray) -> AlphaState:
        """Closed."""
        return AlphaState(jnp.zeros_like(self.tau_ms), jnp.zeros_like(self.tau_ms))

    def step(self, state: AlphaState, input: Float[Array, ""]) -> tuple[AlphaState, Float[Array, ""]]:
        """The last step's time passes, then the input arrives."""
        state = AlphaState(self._decay(self.dt_ms) * state.rise + input, self._later(state, self.dt_ms))
        opened = state.open if self.value_at == "start" else self._later(state, self.dt_ms / 2)
        scale = jnp.e / self.tau_ms if self.normalisation == "peak" else 1 / self.tau_ms**2
        return state, self.weight * scale * opened

    def _decay(self, ms: Float[Array, ""]) -> Float[Array, ""]:
        return jnp.exp(-ms / self.tau_ms)

    def _later(self, state: AlphaState, ms: Float[Array, ""]) -> Float[Array, ""]:
        """What is open so much later, without further input."""
        return self._decay(ms) * (state.open + ms * state.rise)
