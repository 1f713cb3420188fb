"""The leaky integrate-and-fire neuron with spikes located inside the step."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.timed import TimedSpike


class PreciseLIFState(eqx.Module):
    """Membrane voltage (mV) and what is left of the refractory period (ms) at the end of the step."""

    voltage_mv: Float[Array, ""]
    refractory_ms: Float[Array, ""]


class PreciseLIF(StateMachine[PreciseLIFState, Float[Array, ""], TimedSpike]):
    """Leaky integrate-and-fire off the grid: `tau dV/dt = -(V - E) + R I`, solved exactly, spikes included.

    With the input held constant over a step, `V_inf = E + R I`, threshold is crossed
    `t* = tau ln((V_inf - V) / (V_inf - theta))` after integration begins; V is then reset to V_r, held for t_ref, and
    integrated again over what is left of the step. Intervals under constant input are
    `t_ref + tau ln((V_inf - V_r) / (V_inf - theta))` to machine precision, whatever the step size. Gradients of spike
    times are exact; the spike itself has none.

    A step holds at most one spike: `dt_ms` must be at most the shortest interval between spikes.

    Fields:
        tau_ms: membrane time constant (ms).
        resistance_mohm: R (MOhm).
        rest_mv, threshold_mv, reset_mv: E, theta, V_r (mV), V_r below theta.
        refractory_ms: t_ref (ms), any length.
        dt_ms: step size (ms).

    Input: current (nA), a scalar. Output: `TimedSpike`.

    Reference: Gerstner et al. 2014, Neuronal Dynamics, section 1.3; spikes off the grid: Morrison et al. 2007, Neural
    Computation 19:47.
    """

    tau_ms: Scalar = parameter(20.0, above=0.0, unit="ms")
    resistance_mohm: Scalar = parameter(1.0, above=0.0, unit="MOhm")
    rest_mv: Scalar = parameter(0.0, unit="mV")
    threshold_mv: Scalar = parameter(15.0, unit="mV")
    reset_mv: Scalar = parameter(0.0, unit="mV")
    refractory_ms: Scalar = parameter(2.0, at_least=0.0, unit="ms")
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")

    def init(self, key: PRNGKeyArray) -> PreciseLIFState:
        """At rest, not refractory."""
        return PreciseLIFState(self.rest_mv, jnp.zeros_like(self.rest_mv))

    def step(self, state: PreciseLIFState, input: Float[Array, ""]) -> tuple[PreciseLIFState, TimedSpike]:
        """Refractory rest, integration, and after a spike the rest of the step."""
        target = self.rest_mv + self.resistance_mohm * input
        waited = jnp.minimum(state.refractory_ms, self.dt_ms)
        voltage = self._relax(state.voltage_mv, target, self.dt_ms - waited)
        # An input that leads exactly to threshold takes for ever, though rounding may let the voltage arrive.
        fires = (voltage >= self.threshold_mv) & (target > self.threshold_mv)
        # Where the neuron does not fire the logarithm is taken of harmless numbers, to keep NaN out of its gradient.
        ratio = (target - state.voltage_mv) / jnp.where(fires, target - self.threshold_mv, 1)
        until = self.tau_ms * jnp.log(jnp.where(fires, ratio, 1))
        offset = jnp.where(fires, waited + until, 0)
        after = self.dt_ms - offset - self.refractory_ms
        restarted = self._relax(self.reset_mv, target, jnp.maximum(after, 0))
        voltage = jnp.where(fires, restarted, voltage)
        refractory = jnp.where(fires, jnp.maximum(-after, 0), state.refractory_ms - waited)
        return PreciseLIFState(voltage, refractory), TimedSpike(fires.astype(voltage.dtype), offset)

    def _relax(self, voltage: Float[Array, ""], target: Float[Array, ""], time: Float[Array, ""]) -> Float[Array, ""]:
        return voltage + (voltage - target) * jnp.expm1(-time / self.tau_ms)
