"""The leaky integrate-and-fire neuron."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.flow import Flow
from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.reset import detached, refractory_left
from jaxneuro.stimulus import Reaching, jumped, net_current, stimulus
from jaxneuro.surrogate import FastSigmoid, Surrogate


class LIFState(eqx.Module):
    """Membrane voltage (mV) and what is left of the refractory period (ms)."""

    voltage_mv: Float[Array, ""]
    refractory_ms: Float[Array, ""]


Spike = Float[Array, ""]


class LIF(StateMachine[LIFState, Reaching, Spike], Flow[LIFState, Reaching, Spike]):
    """Leaky integrate-and-fire: `tau dV/dt = -(V - E) + R I`; at `V >= theta` a spike, a reset, a refractory period.

    A step of `dt_ms`, with the input held constant over it, is exact below threshold:
    `V <- V_inf + (V - V_inf) exp(-dt / tau)`, `V_inf = E + R I`. Threshold, reset and refractory period are then
    applied at the end of the step, in this order. During the refractory period V is held. As a `Flow` the same neuron
    runs under any integrator, `Euler(LIF(), dt_ms=0.1)`; then the integrator's step size counts.

    Under constant input it fires every `t_ref + tau ln((V_inf - V_r) / (V_inf - theta))` ms, on the grid up to one step
    later.

    Fields:
        tau_ms: membrane time constant (ms).
        resistance_mohm: R (MOhm), so that a current in nA gives mV.
        rest_mv, threshold_mv, reset_mv: E, theta, V_r (mV).
        refractory_ms: t_ref (ms), a whole number of steps, or it is rounded to that.
        soft_reset: 0 sets V to V_r; 1 subtracts `theta - V_r`, which keeps the overshoot; between, a mixture.
        detach_reset: 1 stops the gradient at the reset, 0 lets it through.
        dt_ms: step size (ms).
        spike: the threshold's forward and pretended backward, on `V - theta` in mV.

    Input: current (nA), a scalar; or a `Stimulus` with channels (uS, and nA for `g E`), which make the step's V_inf and
    tau those of `E + R (I + g E_g)` and tau, both over `1 + R g`; or with a jump of V (mV), lost on a cell that is
    refractory. Output: 1.0 on a spike, else 0.0.

    Reference: Lapicque 1907; Gerstner et al. 2014, Neuronal Dynamics, eqs. 1.5 and 1.6; exact step: Rotter and Diesmann
    1999, Biological Cybernetics 81:381; detached reset: Zenke and Vogels 2021, Neural Computation 33:899.
    """

    tau_ms: Scalar = parameter(20.0, above=0.0, unit="ms")
    resistance_mohm: Scalar = parameter(1.0, above=0.0, unit="MOhm")
    rest_mv: Scalar = parameter(0.0, unit="mV")
    threshold_mv: Scalar = parameter(15.0, unit="mV")
    reset_mv: Scalar = parameter(0.0, unit="mV")
    refractory_ms: Scalar = parameter(2.0, at_least=0.0, unit="ms")
    soft_reset: Scalar = parameter(0.0, at_least=0.0, at_most=1.0)
    detach_reset: Scalar = parameter(1.0, at_least=0.0, at_most=1.0)
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")
    spike: Surrogate = eqx.field(default_factory=FastSigmoid)

    def init(self, key: PRNGKeyArray) -> LIFState:
        """At rest, not refractory."""
        return LIFState(self.rest_mv, jnp.zeros_like(self.rest_mv))

    def step(self, state: LIFState, input: Reaching) -> tuple[LIFState, Float[Array, ""]]:
        """The exact solution over `dt_ms`, then threshold and reset."""
        state, reached = self.receive(state, input), stimulus(input)
        target, rate = self.rest_mv + self.resistance_mohm * net_current(reached, jnp.zeros_like(self.rest_mv)), 1
        if reached.channels is not None:
            rate = 1 + self.resistance_mohm * reached.channels.conductance
            target = target / rate
        change = (state.voltage_mv - target) * jnp.expm1(-self.dt_ms * rate / self.tau_ms)
        held = self._held(state, self.dt_ms)
        voltage = state.voltage_mv + jnp.where(held, 0, change)
        return self.jump(LIFState(voltage, state.refractory_ms), input, self.dt_ms)

    def receive(self, state: LIFState, input: Reaching) -> LIFState:
        """A jump of the voltage, unless the cell is refractory."""
        reached = stimulus(input)
        if reached.jump is None:
            return state
        voltage = jumped(reached, state.voltage_mv)
        return LIFState(jnp.where(self._held(state, self.dt_ms), state.voltage_mv, voltage), state.refractory_ms)

    def derivative(self, state: LIFState, input: Reaching) -> LIFState:
        """`dV/dt` (mV/ms); the refractory time is counted by `jump`."""
        current = net_current(stimulus(input), state.voltage_mv)
        slope = (self.rest_mv - state.voltage_mv + self.resistance_mohm * current) / self.tau_ms
        held = state.refractory_ms > 0
        return LIFState(jnp.where(held, 0, slope), jnp.zeros_like(slope))

    def jump(self, state: LIFState, input: Reaching, dt_ms: Float[Array, ""]) -> tuple[LIFState, Float[Array, ""]]:
        """Threshold, reset, refractory count."""
        held = self._held(state, dt_ms)
        spike = jnp.where(held, 0, self.spike(state.voltage_mv - self.threshold_mv))
        attached = detached(spike, self.detach_reset)
        hard, soft = state.voltage_mv - self.reset_mv, self.threshold_mv - self.reset_mv
        voltage = state.voltage_mv - attached * ((1 - self.soft_reset) * hard + self.soft_reset * soft)
        refractory = refractory_left(state.refractory_ms, spike, self.refractory_ms, dt_ms)
        return LIFState(voltage, refractory), spike

    def _held(self, state: LIFState, dt_ms: Float[Array, ""]) -> Array:
        return state.refractory_ms > dt_ms / 2
