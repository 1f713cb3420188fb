"""The synapse with a rise and a decay time."""

from typing import Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.flow import exprel, relayed
from jaxneuro.initial import check_choice
from jaxneuro.machine import Scalar, StateMachine, parameter


class DualExponentialState(eqx.Module):
    """What drives the opening, dimensionless, and what is open (ms), both at the start of the last step."""

    rise: Float[Array, ""]
    open: Float[Array, ""]


class DualExponential(StateMachine[DualExponentialState, Float[Array, ""], Float[Array, ""]]):
    """A synapse that rises and falls with two time constants: `y(t) = weight k(t)`, k a difference of exponentials.

    `k(t) = c (e^(-t / tau_decay) - e^(-t / tau_rise))`, as two exponentials in series, `r' = -r / tau_rise`,
    `s' = -s / tau_decay + r`, by their exact propagator. With equal time constants it is the alpha function; values and
    gradients pass that limit smoothly. The peak comes
    `tau_rise tau_decay / (tau_decay - tau_rise) ln(tau_decay / tau_rise)` after the spike. y is the value at the start
    of the step, so that a spike is seen from the next step on, or that in its middle.

    Fields:
        weight: height of the response to one spike over a connection of weight 1, in the unit of the output: the
            neuron's unit of current, or of conductance inside `ConductanceBased`. With `normalisation="charge"` weight
            is the integral of the response, in that unit times ms.
        tau_rise_ms, tau_decay_ms: time constants (ms); exchanged they give the same.
        dt_ms: step size (ms).
        normalisation: "peak" or "charge".
        value_at: "start" or "middle" of the step, as of `Exponential`.

    Input: the spikes that arrive in the step, each times the weight of its connection, a scalar. Output: a scalar.

    Reference: Roth and van Rossum 2009, Modeling Synapses, in Computational Modeling Methods for Neuroscientists,
    chapter 6; exact step: Rotter and Diesmann 1999, Biological Cybernetics 81:381.
    """

    weight: Scalar = parameter(1.0)
    tau_rise_ms: Scalar = parameter(1.0, above=0.0, unit="ms")
    tau_decay_ms: Scalar = parameter(5.0, above=0.0, unit="ms")
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")
    normalisation: Literal["peak", "charge"] = eqx.field(static=True, default="peak")
    value_at: Literal["start", "middle"] = eqx.field(static=True, default="start")

    def __check_init__(self) -> None:
        check_choice("DualExponential", "normalisation", self.normalisation, ("peak", "charge"))
        check_choice("DualExponential", "value_at", self.value_at, ("start", "middle"))

    def init(self, key: PRNGKeyArray) -> DualExponentialState:
        """Closed."""
        zero = jnp.zeros_like(self.tau_rise_ms)
        return DualExponentialState(zero, zero)

    def step(
        self, state: DualExponentialState, input: Float[Array, ""]
    ) -> tuple[DualExponentialState, Float[Array, ""]]:
        """The last step's time passes, then the input arrives."""
        rise = jnp.exp(-self.dt_ms / self.tau_rise_ms) * state.rise + input
        state = DualExponentialState(rise, self._later(state, self.dt_ms))
        opened = state.open if self.value_at == "start" else self._later(state, self.dt_ms / 2)
        return state, self.weight * self._scale() * opened

    def _later(self, state: DualExponentialState, ms: Float[Array, ""]) -> Float[Array, ""]:
        """What is open so much later, without further input."""
        decayed = jnp.exp(-ms / self.tau_decay_ms) * state.open
        return decayed + relayed(ms, self.tau_rise_ms, self.tau_decay_ms) * state.rise

    def peak_ms(self) -> Float[Array, ""]:
        """How long after a spike the response is greatest (ms)."""
        return self.tau_rise_ms / exprel(jnp.log(self.tau_rise_ms / self.tau_decay_ms))

    def _scale(self) -> Float[Array, ""]:
        if self.normalisation == "charge":
            return 1 / (self.tau_rise_ms * self.tau_decay_ms)
        return 1 / relayed(self.peak_ms(), self.tau_rise_ms, self.tau_decay_ms)
