"""The leaky integrate-and-fire neuron with its synaptic currents inside, solved together."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.flow import relayed
from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.reset import refractory_left
from jaxneuro.surrogate import FastSigmoid, Surrogate


class SynapticLIFState(eqx.Module):
    """Voltage (mV), what is left of the refractory period (ms) and the current of each receptor (nA)."""

    voltage_mv: Float[Array, ""]
    refractory_ms: Float[Array, ""]
    currents_na: Float[Array, "receptors"]


class SynapticLIF(StateMachine[SynapticLIFState, Float[Array, "receptors"], Float[Array, ""]]):
    """Leaky integrate-and-fire with exponential synaptic currents: `tau V' = -(V - E) + R (I_0 + sum(I_k))`.

    `I_k' = -I_k / tau_k`, and spikes make I_k jump at the start of a step. Voltage and currents are one linear system,
    advanced by its exact propagator:
    `V <- V_inf + (V - V_inf) e^(-dt / tau) + R / tau sum(P_k I_k)`, `V_inf = E + R I_0`, where
    `P_k = (e^(-dt / tau_k) - e^(-dt / tau)) / (1 / tau - 1 / tau_k)`, and `dt e^(-dt / tau)` where `tau_k = tau`. So a
    postsynaptic potential is right to rounding on every point of the grid, whatever the step. After a jump V
    peaks `tau tau_k / (tau - tau_k) ln(tau / tau_k)` later. At `V >= theta` at the end of a step come a spike, the
    reset and the refractory period, in which V is held and the currents decay.

    Fields:
        tau_synapses_ms: tau_k, `[receptors]` (ms), such as one for excitation and one for inhibition.
        tau_ms: membrane time constant (ms).
        resistance_mohm: R (MOhm).
        bias_na: I_0, a constant current (nA).
        rest_mv, threshold_mv, reset_mv: E, theta, V_r (mV).
        refractory_ms: t_ref (ms), a whole number of steps, or it is rounded to that.
        dt_ms: step size (ms).
        spike: the threshold's forward and pretended backward, on `V - theta` in mV; the reset passes no gradient.

    Input: by how much the currents jump at the start of the step (nA), `[receptors]`. Output: 1.0 on a spike, else 0.0.

    Reference: Rotter and Diesmann 1999, Biological Cybernetics 81:381; the same neuron and grid as
    `iaf_psc_exp` of NEST: Tsodyks, Uziel and Markram 2000, Journal of Neuroscience 20:RC50.
    """

    tau_synapses_ms: Float[Array, "receptors"] = parameter(above=0.0, unit="ms")
    tau_ms: Scalar = parameter(10.0, above=0.0, unit="ms")
    resistance_mohm: Scalar = parameter(40.0, above=0.0, unit="MOhm")
    bias_na: Scalar = parameter(0.0, unit="nA")
    rest_mv: Scalar = parameter(-70.0, unit="mV")
    threshold_mv: Scalar = parameter(-55.0, unit="mV")
    reset_mv: Scalar = parameter(-70.0, unit="mV")
    refractory_ms: Scalar = parameter(2.0, at_least=0.0, unit="ms")
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")
    spike: Surrogate = eqx.field(default_factory=FastSigmoid)

    def init(self, key: PRNGKeyArray) -> SynapticLIFState:
        """At rest, without synaptic currents, not refractory."""
        return SynapticLIFState(self.rest_mv, jnp.zeros_like(self.rest_mv), jnp.zeros_like(self.tau_synapses_ms))

    def step(
        self, state: SynapticLIFState, input: Float[Array, "receptors"]
    ) -> tuple[SynapticLIFState, Float[Array, ""]]:
        """The currents jump, the exact solution over `dt_ms`, then threshold and reset."""
        currents = state.currents_na + input
        held = state.refractory_ms > self.dt_ms / 2
        voltage = jnp.where(held, state.voltage_mv, self._advanced(state.voltage_mv, currents))
        spike = jnp.where(held, 0, self.spike(voltage - self.threshold_mv))
        fired = jax.lax.stop_gradient(spike)
        voltage = voltage - fired * (voltage - self.reset_mv)
        refractory = refractory_left(state.refractory_ms, spike, self.refractory_ms, self.dt_ms)
        decayed = currents * jnp.exp(-self.dt_ms / self.tau_synapses_ms)
        return SynapticLIFState(voltage, refractory, decayed), spike

    def _advanced(self, voltage_mv: Float[Array, ""], currents_na: Float[Array, "receptors"]) -> Float[Array, ""]:
        target = self.rest_mv + self.resistance_mohm * self.bias_na
        passed = relayed(self.dt_ms, self.tau_synapses_ms, self.tau_ms)
        change = (voltage_mv - target) * jnp.expm1(-self.dt_ms / self.tau_ms)
        return voltage_mv + change + self.resistance_mohm / self.tau_ms * jnp.sum(passed * currents_na)
