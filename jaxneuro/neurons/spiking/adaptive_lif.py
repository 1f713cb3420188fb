"""The leaky integrate-and-fire neuron with an adaptive threshold."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.reset import detached, refractory_left
from jaxneuro.stimulus import Reaching, jumped, net_current, stimulus
from jaxneuro.surrogate import FastSigmoid, Surrogate


class AdaptiveLIFState(eqx.Module):
    """Membrane voltage (mV), what spikes added to the threshold (mV), what is left of the refractory period (ms)."""

    voltage_mv: Float[Array, ""]
    raised_mv: Float[Array, ""]
    refractory_ms: Float[Array, ""]


Spike = Float[Array, ""]


class AdaptiveLIF(StateMachine[AdaptiveLIFState, Reaching, Spike]):
    """Leaky integrate-and-fire with a threshold that every spike raises: the neuron of LSNNs.

    `tau dV/dt = -(V - E) + R I`, `tau_a dr/dt = -r`; at `V >= theta + r` a spike, a reset, a refractory period, and
    `r <- r + beta`. A step of `dt_ms`, with the input held constant over it, is exact between spikes for any dt:
    `V <- V_inf + (V - V_inf) exp(-dt / tau)`, `r <- rho r`, `rho = exp(-dt / tau_a)`. Threshold, reset, refractory
    period and `r + beta` then come at the end of the step. During the refractory period V is held and r decays.

    Other conventions count in steps. Bellec et al. 2020 (`a <- rho a + z`, threshold `v_th + beta' a`) is `beta =
    beta' / rho`, with its soft reset of v_th; Bellec et al. 2018 (`b <- rho b + (1 - rho) z`, threshold `b0 + beta' b`)
    is `beta = beta' (1 - rho) / rho`, with the soft reset of the raised threshold. Both have E, V_r = 0 and R = 1.

    Fields:
        tau_ms, tau_adaptation_ms: tau, tau_a (ms).
        resistance_mohm: R (MOhm), so that a current in nA gives mV.
        rest_mv, threshold_mv, reset_mv: E, theta, V_r (mV).
        increment_mv: beta (mV).
        refractory_ms: t_ref (ms), a whole number of steps, or it is rounded to that.
        soft_reset: 0 sets V to V_r; 1 subtracts `theta - V_r`, which keeps the overshoot; between, a mixture.
        raised_reset: how much of r a soft reset subtracts too: 0 in Bellec et al. 2020, 1 in Bellec et al. 2018.
        detach_reset: 1 stops the gradient at the reset, 0 lets it through. That of the threshold's rise always passes.
        dt_ms: step size (ms).
        spike: the threshold's forward and pretended backward, on `V - theta - r` in mV.

    Input: current (nA), a scalar; or a `Stimulus` with channels (uS, and nA for `g E`), which make the step's V_inf and
    tau those of `E + R (I + g E_g)` and tau, both over `1 + R g`; or with a jump of V (mV), lost on a cell that is
    refractory. Output: 1.0 on a spike, else 0.0.

    Reference: Bellec et al. 2018, arXiv:1803.09574, section 2; Bellec et al. 2020, Nature Communications 11:3625,
    Methods.
    """

    tau_ms: Scalar = parameter(20.0, above=0.0, unit="ms")
    tau_adaptation_ms: Scalar = parameter(200.0, above=0.0, unit="ms")
    resistance_mohm: Scalar = parameter(1.0, above=0.0, unit="MOhm")
    rest_mv: Scalar = parameter(0.0, unit="mV")
    threshold_mv: Scalar = parameter(15.0, unit="mV")
    reset_mv: Scalar = parameter(0.0, unit="mV")
    increment_mv: Scalar = parameter(1.0, at_least=0.0, unit="mV")
    refractory_ms: Scalar = parameter(2.0, at_least=0.0, unit="ms")
    soft_reset: Scalar = parameter(0.0, at_least=0.0, at_most=1.0)
    raised_reset: Scalar = parameter(0.0, at_least=0.0, at_most=1.0)
    detach_reset: Scalar = parameter(1.0, at_least=0.0, at_most=1.0)
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")
    spike: Surrogate = eqx.field(default_factory=FastSigmoid)

    def init(self, key: PRNGKeyArray) -> AdaptiveLIFState:
        """At rest, with the threshold at theta, not refractory."""
        zero = jnp.zeros_like(self.rest_mv)
        return AdaptiveLIFState(self.rest_mv, zero, zero)

    def step(self, state: AdaptiveLIFState, input: Reaching) -> tuple[AdaptiveLIFState, Spike]:
        """The exact solution over `dt_ms`, then threshold and reset."""
        reached, held = stimulus(input), state.refractory_ms > self.dt_ms / 2
        start = jnp.where(held, state.voltage_mv, jumped(reached, state.voltage_mv))
        target, rate = self.rest_mv + self.resistance_mohm * net_current(reached, jnp.zeros_like(start)), 1
        if reached.channels is not None:
            rate = 1 + self.resistance_mohm * reached.channels.conductance
            target = target / rate
        change = (start - target) * jnp.expm1(-self.dt_ms * rate / self.tau_ms)
        voltage = start + jnp.where(held, 0, change)
        raised = state.raised_mv * jnp.exp(-self.dt_ms / self.tau_adaptation_ms)
        spike = jnp.where(held, 0, self.spike(voltage - self.threshold_mv - raised))
        attached = detached(spike, self.detach_reset)
        hard = voltage - self.reset_mv
        soft = self.threshold_mv + self.raised_reset * raised - self.reset_mv
        voltage = voltage - attached * ((1 - self.soft_reset) * hard + self.soft_reset * soft)
        refractory = refractory_left(state.refractory_ms, spike, self.refractory_ms, self.dt_ms)
        return AdaptiveLIFState(voltage, raised + spike * self.increment_mv, refractory), spike
