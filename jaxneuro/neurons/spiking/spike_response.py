"""The spike response model with escape noise."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.stimulus import Reaching, current_alone
from jaxneuro.surrogate import FastSigmoid, Surrogate

# Half the distance of two single-precision uniform numbers: a draw is neither 0 nor 1.
HALF = 2.0**-24


class SpikeResponseState(eqx.Module):
    """Filtered input and after-potential (mV), and the key of the noise to come."""

    input_mv: Float[Array, ""]
    after_mv: Float[Array, ""]
    key: PRNGKeyArray


Spike = Float[Array, ""]


class SpikeResponse(StateMachine[SpikeResponseState, Reaching, Spike]):
    """A filter of the input, an after-potential of each spike, and spikes that come at random, the likelier the higher.

    `u = E + h + eta`, `tau dh/dt = -h + R I`, `tau_eta deta/dt = -eta`, spikes at the rate
    `rho = rho_0 exp((u - theta) / Delta)`; each spike changes eta by `eta_0`, the input's filter knows nothing of it.
    A step of `dt_ms` is exact but for the rate, which is that of its end: it fires with probability
    `1 - exp(-rho dt)`. This is a threshold at a random height, `u >= theta + Delta ln(z / (rho_0 dt))` with z from the
    exponential distribution; the surrogate's gradient is taken at that height.

    Fields:
        tau_ms, tau_after_ms: tau, tau_eta (ms).
        resistance_mohm: R (MOhm), so that a current in nA gives mV.
        rest_mv, threshold_mv: E, theta (mV).
        softness_mv: Delta (mV).
        rate_per_ms: rho_0, the rate at threshold (1/ms).
        after_step_mv: eta_0 (mV), below 0 where a spike makes the next less likely.
        dt_ms: step size (ms).
        spike: the threshold's forward and pretended backward, on `u` minus the random height in mV.

    Input: current (nA), a scalar. Output: 1.0 on a spike, else 0.0.

    Reference: Gerstner and van Hemmen 1992, Network 3:139; Gerstner et al. 2014, Neuronal Dynamics, sections 6.4 and
    9.1; fitting by likelihood: Paninski 2004, Network 15:243.
    """

    tau_ms: Scalar = parameter(10.0, above=0.0, unit="ms")
    tau_after_ms: Scalar = parameter(30.0, above=0.0, unit="ms")
    resistance_mohm: Scalar = parameter(1.0, above=0.0, unit="MOhm")
    rest_mv: Scalar = parameter(0.0, unit="mV")
    threshold_mv: Scalar = parameter(15.0, unit="mV")
    softness_mv: Scalar = parameter(2.0, above=0.0, unit="mV")
    rate_per_ms: Scalar = parameter(0.1, above=0.0, unit="1/ms")
    after_step_mv: Scalar = parameter(-10.0, unit="mV")
    dt_ms: Scalar = parameter(0.5, above=0.0, unit="ms")
    spike: Surrogate = eqx.field(default_factory=FastSigmoid)

    def init(self, key: PRNGKeyArray) -> SpikeResponseState:
        """At rest."""
        zero = jnp.zeros_like(self.rest_mv)
        return SpikeResponseState(zero, zero, key)

    def step(self, state: SpikeResponseState, input: Reaching) -> tuple[SpikeResponseState, Spike]:
        """Both filters, then a random threshold."""
        key, own = jax.random.split(state.key)
        filtered, after = self._filtered(state.input_mv, state.after_mv, current_alone(input, "SpikeResponse"))
        # In single precision whatever the machine's own, so that all precisions see the same noise.
        draw = jax.random.uniform(own, dtype=jnp.float32)
        patience = -jnp.log1p(-(draw + HALF)).astype(after.dtype)
        height = self.threshold_mv + self.softness_mv * jnp.log(patience / (self.rate_per_ms * self.dt_ms))
        spike = self.spike(self.rest_mv + filtered + after - height)
        return SpikeResponseState(filtered, after + spike * self.after_step_mv, key), spike

    def log_likelihood(self, currents: Float[Array, "time"], spikes: Float[Array, "time"]) -> Float[Array, ""]:
        """How likely it is that this neuron fires these spikes, from rest: the sum of the steps' log probabilities.

        Its gradient fits the parameters to recorded spikes.

        Args:
            currents: input (nA).
            spikes: 1 on a spike, else 0.

        Returns:
            The natural logarithm of the probability.
        """

        def step(
            filters: tuple[Float[Array, ""], Float[Array, ""]], seen: tuple[Float[Array, ""], Float[Array, ""]]
        ) -> tuple[tuple[Float[Array, ""], Float[Array, ""]], Float[Array, ""]]:
            current, spike = seen
            filtered, after = self._filtered(*filters, current)
            return (filtered, after + spike * self.after_step_mv), filtered + after

        start = jnp.zeros_like(self.rest_mv)
        _, potentials = jax.lax.scan(step, (start, start), (currents, spikes))
        log_expected = (self.rest_mv + potentials - self.threshold_mv) / self.softness_mv
        log_expected = log_expected + jnp.log(self.rate_per_ms * self.dt_ms)
        return jnp.where(spikes > 0, _log_of_a_spike(log_expected), -jnp.exp(log_expected)).sum()

    def _filtered(
        self, filtered: Float[Array, ""], after: Float[Array, ""], current: Float[Array, ""]
    ) -> tuple[Float[Array, ""], Float[Array, ""]]:
        target = self.resistance_mohm * current
        filtered = filtered + (filtered - target) * jnp.expm1(-self.dt_ms / self.tau_ms)
        return filtered, after * jnp.exp(-self.dt_ms / self.tau_after_ms)


def _log_of_a_spike(log_expected: Float[Array, "time"]) -> Float[Array, "time"]:
    """`ln(1 - exp(-x))` from ln x; by its series where x is small, so that x may be too small for a number."""
    small = log_expected < -6
    expected = jnp.exp(jnp.where(small, 0, log_expected))
    short = jnp.exp(jnp.where(small, log_expected, -6))
    series = log_expected - short / 2 + short**2 / 24
    return jnp.where(small, series, jnp.log(-jnp.expm1(-expected)))
