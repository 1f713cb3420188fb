"""The neuron as a collection of independent threshold units, and what it was taken for before."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.reset import detached, refractory_left
from jaxneuro.surrogate import FastSigmoid, Surrogate

FAR = -15.0  # heights below which terms of the third order do not count, in units of 1 / beta
WRITTEN_OUT = 16  # sites up to which a reduction over them is written out, term by term


class MultiThresholdState(eqx.Module):
    """Voltages of the soma and of each dendrite above rest (mV), and what is left of the refractory period (ms)."""

    voltage_mv: Float[Array, "sites"]
    refractory_ms: Float[Array, ""]


class MultiThreshold(StateMachine[MultiThresholdState, Float[Array, "sites"], Float[Array, "sites"]]):
    """One neuron that sums (model I), sums what its dendrites let through (II), or fires where any site does (III).

    Site 0 is the soma, the others are dendrites. Each is leaky, `tau_i dV_i/dt = -V_i + R I_i`, and is solved exactly
    over a step of `dt_ms`. The neuron fires where its distance to threshold `u = (1 - h) u_sum + h u_any` is at least
    0, with

        u_sum = V_0 + sum_i V_i (1 - g + g sigma(beta (V_i - theta_i))) - theta_0
        u_any = ln(s / (1 - s)) / beta,   s = 1 - prod_i (1 - sigma(beta (V_i - theta_i)))

    where the sum is over dendrites and the product, the noisy or, over all sites; sigma is the logistic function. Then
    all V_i are reset to 0 and held for the refractory period. Model I is g = h = 0, the leaky integrate-and-fire neuron
    of the summed currents; II is g = 1, h = 0, a spring per dendrite and a central one; III is h = 1, where s is at
    least 1/2. For beta to infinity `u_any = max_i (V_i - theta_i)`, and all springs are switches. Between the models
    the mixture is convex, and it has a gradient.

    A spike has origins: to the part `1 - h` the soma, to the part h the sites by `softmax(beta (V_i - theta_i))`.

    Fields:
        threshold_mv: theta (mV above rest), `[sites]`.
        tau_ms: tau (ms), `[sites]`.
        resistance_mohm: R (MOhm), `[sites]`.
        gating, independence: g and h, 0 to 1 (dimensionless).
        sharpness_per_mv: beta (1/mV).
        refractory_ms: a whole number of steps (ms), or it is rounded to that.
        detach_reset: 1 stops the gradient at the reset, 0 lets it through.
        dt_ms: step size (ms).
        spike: the threshold's forward and pretended backward, on u in mV.

    Input: current (nA) into the soma and each dendrite, `[sites]`. Output: the spike by its origins, `[sites]`, which
    adds up to 1 on a spike and to 0 else.

    Reference: Sardi et al. 2017, Scientific Reports 7:18036, figure 1.
    """

    spike: Surrogate
    threshold_mv: Float[Array, "sites"] = parameter(above=0.0, unit="mV")
    tau_ms: Float[Array, "sites"] = parameter(above=0.0, unit="ms")
    resistance_mohm: Float[Array, "sites"] = parameter(above=0.0, unit="MOhm")
    gating: Scalar = parameter(at_least=0.0, at_most=1.0)
    independence: Scalar = parameter(at_least=0.0, at_most=1.0)
    sharpness_per_mv: Scalar = parameter(above=0.0, unit="1/mV")
    refractory_ms: Scalar = parameter(at_least=0.0, unit="ms")
    detach_reset: Scalar = parameter(at_least=0.0, at_most=1.0)
    dt_ms: Scalar = parameter(above=0.0, unit="ms")

    def __init__(
        self,
        dendrites: int,
        *,
        threshold_mv: float | Float[Array, "..."] = 15.0,
        tau_ms: float | Float[Array, "..."] = 20.0,
        resistance_mohm: float | Float[Array, "..."] = 1.0,
        gating: float | Float[Array, ""] = 1.0,
        independence: float | Float[Array, ""] = 1.0,
        sharpness_per_mv: float | Float[Array, ""] = 2.0,
        refractory_ms: float | Float[Array, ""] = 2.0,
        detach_reset: float | Float[Array, ""] = 1.0,
        dt_ms: float | Float[Array, ""] = 0.1,
        spike: Surrogate | None = None,
    ) -> None:
        check_sizes("MultiThreshold", dendrites=dendrites)

        def each(value: float | Float[Array, "..."]) -> Float[Array, "sites"]:
            numbers = jnp.asarray(value, jnp.result_type(float) if isinstance(value, float) else None)
            return jnp.broadcast_to(numbers, (dendrites + 1,))

        self.threshold_mv, self.tau_ms, self.resistance_mohm = map(each, (threshold_mv, tau_ms, resistance_mohm))
        self.gating, self.independence, self.sharpness_per_mv = gating, independence, sharpness_per_mv
        self.refractory_ms, self.detach_reset, self.dt_ms = refractory_ms, detach_reset, dt_ms
        self.spike = FastSigmoid() if spike is None else spike

    def init(self, key: PRNGKeyArray) -> MultiThresholdState:
        """At rest, not refractory."""
        return MultiThresholdState(jnp.zeros_like(self.threshold_mv), jnp.zeros_like(self.dt_ms))

    def step(
        self, state: MultiThresholdState, input: Float[Array, "sites"]
    ) -> tuple[MultiThresholdState, Float[Array, "sites"]]:
        """The exact solution over `dt_ms`, then threshold, origin and reset."""
        held = state.refractory_ms > self.dt_ms / 2
        target = self.resistance_mohm * input
        change = (state.voltage_mv - target) * jnp.expm1(-self.dt_ms / self.tau_ms)
        voltage = state.voltage_mv + jnp.where(held, 0, change)
        distance, origins = self.distance(voltage)
        spike = jnp.where(held, 0, self.spike(distance))
        attached = detached(spike, self.detach_reset)
        refractory = refractory_left(state.refractory_ms, spike, self.refractory_ms, self.dt_ms)
        return MultiThresholdState(voltage * (1 - attached), refractory), spike * origins

    def distance(self, voltage_mv: Float[Array, "sites"]) -> tuple[Float[Array, ""], Float[Array, "sites"]]:
        """How far the neuron is above its threshold, and where a spike would come from.

        Args:
            voltage_mv: of the sites (mV above rest).

        Returns:
            u (mV), and the weights of the sites as origins of the spike, which add up to 1.
        """
        height = self.sharpness_per_mv * (voltage_mv - self.threshold_mv)
        top = jax.lax.stop_gradient(_largest(height))
        raised = jnp.exp(height - top)
        total = _sum(raised)
        # One exponential for the switches and for the silences, -ln(1 - sigma(y)) = max(y, 0) + ln(1 + e^-|y|).
        small = jnp.exp(-jnp.abs(height))
        opened = jnp.where(height > 0, 1, small) / (1 + small)
        silence = _sum(jnp.maximum(height, 0) + jnp.log1p(small))
        # Far below all thresholds the silence is too small for a number; prod(1 + e^y) - 1 is its first terms there.
        far = top < FAR
        pairs = jnp.exp(jnp.minimum(top, FAR)) * (total**2 - _sum(raised**2)) / 2
        near = jnp.where(far, 1, silence)
        log_odds = jnp.where(far, top + jnp.log(total + pairs), near + jnp.log(-jnp.expm1(-near)))

        passed = voltage_mv * (1 - self.gating + self.gating * opened)
        u_sum = voltage_mv[0] + _sum(passed[1:]) - self.threshold_mv[0]
        distance = u_sum + self.independence * (log_odds / self.sharpness_per_mv - u_sum)
        soma = jnp.zeros_like(raised).at[0].set(1)
        return distance, soma + self.independence * (raised / total - soma)


# A CPU is slow in reducing short rows, and quick in adding up a few columns.


def _sum(sites: Float[Array, "sites"]) -> Float[Array, ""]:
    return functools.reduce(jnp.add, sites) if len(sites) <= WRITTEN_OUT else sites.sum()


def _largest(sites: Float[Array, "sites"]) -> Float[Array, ""]:
    return functools.reduce(jnp.maximum, sites) if len(sites) <= WRITTEN_OUT else sites.max()
