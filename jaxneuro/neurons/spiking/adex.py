"""The adaptive exponential integrate-and-fire neuron."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.flow import Euler
from jaxneuro.located import Eventful
from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.reset import detached
from jaxneuro.stimulus import Reaching, jumped, net_current, stimulus
from jaxneuro.surrogate import FastSigmoid, Surrogate

# Slope factors above V_T at which the upstroke grows no steeper. There exp(30) carries V to any peak within a billionth
# of the membrane's time constant, and the exponential cannot overflow.
STEEPEST = 30.0


class AdExState(eqx.Module):
    """Membrane voltage (mV) and adaptation current (pA)."""

    voltage_mv: Float[Array, ""]
    adaptation_pa: Float[Array, ""]


Spike = Float[Array, ""]


class AdEx(StateMachine[AdExState, Reaching, Spike], Eventful[AdExState, Reaching, Spike]):
    """Adaptive exponential integrate-and-fire: an exponential upstroke, and a slow current that opposes it.

    `C dV/dt = -g (V - E) + g Delta_T exp((V - V_T) / Delta_T) - w + I`, `tau_w dw/dt = a (V - E) - w`; at
    `V >= V_peak` a spike, `V = V_r`, `w <- w + b`. The exponent is at most 30, and beyond V_peak the derivative is that
    at V_peak: nothing overflows.

    `step` is forward Euler by `dt_ms`, peak and reset at its end; spike counts depend on the step size, so a published
    count names it. Another integrator, `RungeKutta4(AdEx(), dt_ms=0.01)`, brings its own; `Located(AdEx())` finds the
    spikes inside the step.

    Fields:
        capacitance_pf, leak_ns: C (pF), g (nS).
        rest_mv, threshold_mv, slope_mv: E, V_T, Delta_T (mV).
        tau_adaptation_ms: tau_w (ms).
        coupling_ns: a (nS), negative where w amplifies.
        increment_pa: b (pA).
        peak_mv, reset_mv: V_peak, V_r (mV).
        detach_reset: 1 stops the gradient at the reset and at the increment of w, 0 lets it through.
        dt_ms: step size (ms).
        spike: the peak's forward and pretended backward, on `V - V_peak` in mV.

    Input: current (pA), a scalar; or a `Stimulus` with channels (nS, and pA for `g E`) or a jump of V (mV). Output: 1.0
    on a spike, else 0.0.

    Reference: Brette and Gerstner 2005, Journal of Neurophysiology 94:3637, eqs. 1 to 3; Naud et al. 2008, Biological
    Cybernetics 99:335.
    """

    capacitance_pf: Scalar = parameter(281.0, above=0.0, unit="pF")
    leak_ns: Scalar = parameter(30.0, above=0.0, unit="nS")
    rest_mv: Scalar = parameter(-70.6, unit="mV")
    threshold_mv: Scalar = parameter(-50.4, unit="mV")
    slope_mv: Scalar = parameter(2.0, above=0.0, unit="mV")
    tau_adaptation_ms: Scalar = parameter(144.0, above=0.0, unit="ms")
    coupling_ns: Scalar = parameter(4.0, unit="nS")
    increment_pa: Scalar = parameter(80.5, unit="pA")
    peak_mv: Scalar = parameter(0.0, unit="mV")
    reset_mv: Scalar = parameter(-70.6, unit="mV")
    detach_reset: Scalar = parameter(1.0, at_least=0.0, at_most=1.0)
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")
    spike: Surrogate = eqx.field(default_factory=FastSigmoid)

    def init(self, key: PRNGKeyArray) -> AdExState:
        """At E, without adaptation."""
        return AdExState(self.rest_mv, jnp.zeros_like(self.rest_mv))

    def step(self, state: AdExState, input: Reaching) -> tuple[AdExState, Spike]:
        """Forward Euler, then peak, reset and increment."""
        return Euler(self, self.dt_ms).step(state, input)

    def receive(self, state: AdExState, input: Reaching) -> AdExState:
        """A jump of the voltage."""
        return AdExState(jumped(stimulus(input), state.voltage_mv), state.adaptation_pa)

    def derivative(self, state: AdExState, input: Reaching) -> AdExState:
        """`dV/dt` (mV/ms) and `dw/dt` (pA/ms)."""
        voltage = jnp.minimum(state.voltage_mv, self.peak_mv)
        exponent = jnp.minimum((voltage - self.threshold_mv) / self.slope_mv, STEEPEST)
        inward = self.leak_ns * (self.rest_mv - voltage + self.slope_mv * jnp.exp(exponent)) - state.adaptation_pa
        slope = (inward + net_current(stimulus(input), voltage)) / self.capacitance_pf
        coupled = self.coupling_ns * (voltage - self.rest_mv)
        return AdExState(slope, (coupled - state.adaptation_pa) / self.tau_adaptation_ms)

    def jump(self, state: AdExState, input: Reaching, dt_ms: Float[Array, ""]) -> tuple[AdExState, Spike]:
        """Peak, reset, increment."""
        spike = self.spike(state.voltage_mv - self.peak_mv)
        attached = detached(spike, self.detach_reset)
        # As a mixture, not as a difference: far above the peak a difference would leave a rounding of V.
        voltage = (1 - attached) * state.voltage_mv + attached * self.reset_mv
        return AdExState(voltage, state.adaptation_pa + attached * self.increment_pa), spike

    def distance(self, state: AdExState) -> Float[Array, ""]:
        """`V - V_peak` (mV)."""
        return state.voltage_mv - self.peak_mv

    def fire(self, state: AdExState) -> AdExState:
        """V at V_r, w increased by b."""
        return AdExState(self.reset_mv, state.adaptation_pa + self.increment_pa)
