"""The exponential integrate-and-fire neuron."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.flow import Euler, Flow
from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.reset import detached, refractory_left
from jaxneuro.stimulus import Reaching, jumped, net_current, stimulus
from jaxneuro.surrogate import FastSigmoid, Surrogate

# Slope factors above V_T at which the upstroke grows no steeper. There exp(20) carries V to any peak within a billionth
# of the membrane's time constant, and the exponential cannot overflow.
STEEPEST = 20.0


class EIFState(eqx.Module):
    """Membrane voltage (mV) and what is left of the refractory period (ms)."""

    voltage_mv: Float[Array, ""]
    refractory_ms: Float[Array, ""]


Spike = Float[Array, ""]


class EIF(StateMachine[EIFState, Reaching, Spike], Flow[EIFState, Reaching, Spike]):
    """Exponential integrate-and-fire: a leak, and a sodium current that rises exponentially.

    `C dV/dt = -g (V - E) + g Delta_T exp((V - V_T) / Delta_T) + I`; at `V >= V_peak` a spike, `V = V_r`, and a
    refractory period in which V is held. Repetitive firing begins at `I = g (V_T - E - Delta_T)`. As Delta_T goes to 0
    this becomes the leaky integrate-and-fire neuron with threshold V_T. The exponent is at most 20, and beyond V_peak
    the derivative is that at V_peak: nothing overflows.

    `step` is forward Euler by `dt_ms`, peak and reset at its end; another integrator, `RungeKutta4(EIF(), dt_ms=0.01)`,
    brings its own step size.

    Fields:
        capacitance_pf, leak_ns: C (pF), g (nS).
        rest_mv, threshold_mv, slope_mv: E, V_T, Delta_T (mV).
        peak_mv, reset_mv: V_peak, V_r (mV).
        refractory_ms: t_ref (ms), a whole number of steps, or it is rounded to that.
        detach_reset: 1 stops the gradient at the reset, 0 lets it through.
        dt_ms: step size (ms).
        spike: the peak's forward and pretended backward, on `V - V_peak` in mV.

    Input: current (pA), a scalar; or a `Stimulus` with channels (nS, and pA for `g E`), or with a jump of V (mV), which
    is lost on a cell that is refractory. Output: 1.0 on a spike, else 0.0.

    Reference: Fourcaud-Trocme et al. 2003, Journal of Neuroscience 23:11628.
    """

    capacitance_pf: Scalar = parameter(200.0, above=0.0, unit="pF")
    leak_ns: Scalar = parameter(20.0, above=0.0, unit="nS")
    rest_mv: Scalar = parameter(-65.0, unit="mV")
    threshold_mv: Scalar = parameter(-59.9, unit="mV")
    slope_mv: Scalar = parameter(3.48, above=0.0, unit="mV")
    peak_mv: Scalar = parameter(-30.0, unit="mV")
    reset_mv: Scalar = parameter(-68.0, unit="mV")
    refractory_ms: Scalar = parameter(1.7, at_least=0.0, unit="ms")
    detach_reset: Scalar = parameter(1.0, at_least=0.0, at_most=1.0)
    dt_ms: Scalar = parameter(0.05, above=0.0, unit="ms")
    spike: Surrogate = eqx.field(default_factory=FastSigmoid)

    def init(self, key: PRNGKeyArray) -> EIFState:
        """At E, not refractory."""
        return EIFState(self.rest_mv, jnp.zeros_like(self.rest_mv))

    def step(self, state: EIFState, input: Reaching) -> tuple[EIFState, Spike]:
        """Forward Euler, then peak, reset and refractory count."""
        return Euler(self, self.dt_ms).step(state, input)

    def receive(self, state: EIFState, input: Reaching) -> EIFState:
        """A jump of the voltage, unless the cell is refractory."""
        voltage = jnp.where(state.refractory_ms > 0, state.voltage_mv, jumped(stimulus(input), state.voltage_mv))
        return EIFState(voltage, state.refractory_ms)

    def derivative(self, state: EIFState, input: Reaching) -> EIFState:
        """`dV/dt` (mV/ms); the refractory time is counted by `jump`."""
        voltage = jnp.minimum(state.voltage_mv, self.peak_mv)
        exponent = jnp.minimum((voltage - self.threshold_mv) / self.slope_mv, STEEPEST)
        inward = self.leak_ns * (self.rest_mv - voltage + self.slope_mv * jnp.exp(exponent))
        slope = (inward + net_current(stimulus(input), voltage)) / self.capacitance_pf
        return EIFState(jnp.where(state.refractory_ms > 0, 0, slope), jnp.zeros_like(slope))

    def jump(self, state: EIFState, input: Reaching, dt_ms: Float[Array, ""]) -> tuple[EIFState, Spike]:
        """Peak, reset, refractory count."""
        held = state.refractory_ms > dt_ms / 2
        spike = jnp.where(held, 0, self.spike(state.voltage_mv - self.peak_mv))
        attached = detached(spike, self.detach_reset)
        # As a mixture, not as a difference: far above the peak a difference would leave a rounding of V.
        voltage = (1 - attached) * state.voltage_mv + attached * self.reset_mv
        refractory = refractory_left(state.refractory_ms, spike, self.refractory_ms, dt_ms)
        return EIFState(voltage, refractory), spike
