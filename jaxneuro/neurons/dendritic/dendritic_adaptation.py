"""A neuron that learns by its dendrites: one weight for all links that reach it by one tree."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.reset import detached, refractory_left
from jaxneuro.surrogate import FastSigmoid, Surrogate


class DendriticAdaptationState(eqx.Module):
    """Weights of the dendrites, voltage (mV), time left in the refractory period (ms), and traces of what came."""

    strengths: Float[Array, "dendrites"]
    voltage_mv: Float[Array, ""]
    refractory_ms: Float[Array, ""]
    arrived: Float[Array, "dendrites"]
    fired: Float[Array, ""]


class DendriticAdaptation(StateMachine[DendriticAdaptationState, Float[Array, "inputs"], Float[Array, ""]]):
    """A leaky integrate-and-fire neuron whose dendrites adapt, and not its links: `W_D <- W_D (1 + dW)`.

    A pulse on input j raises the voltage at once by `W_j W_D` mV, with the weight W_j of the link, which stays, and the
    weight W_D of the dendrite that it reaches. Between pulses the voltage decays to rest with tau. Every pair of a
    spike and a sub-threshold pulse changes the dendrite of the pulse by

        `dW = rate sign(lag) exp(-|lag| / window)`,   lag = time of the spike less that of the pulse

    so that a pulse before a spike strengthens its dendrite, and one after it weakens it. A pulse in the step of a spike
    is above threshold, and changes nothing. A neuron with as many dendrites as inputs learns by its links, as synapses
    do. What learns are N_D numbers in a neuron of N_D dendrites, however many links it has.

    Fields:
        weights: W (mV), `[inputs]`.
        dendrite: the number of the dendrite that each input reaches, `[inputs]`.
        strengths: W_D at first (dimensionless), `[dendrites]`.
        rate: 0.05 (dimensionless).
        window_ms: 15 (ms).
        smallest, largest: bounds of W_D.
        tau_ms: of the membrane (ms).
        rest_mv, threshold_mv: the voltage is reset to rest (mV).
        refractory_ms: a whole number of steps (ms), or it is rounded to that; pulses then move nothing.
        detach_reset: 1 stops the gradient at the reset, 0 lets it through.
        dt_ms: step size (ms).
        spike: the threshold's forward and pretended backward, on `V - theta` in mV.

    Input: 1.0 for a pulse, else 0.0, `[inputs]`. Output: 1.0 on a spike, else 0.0.

    Reference: Sardi et al. 2018, Scientific Reports 8:5100, figure 2.
    """

    dendrite: Int[Array, "inputs"]
    spike: Surrogate
    weights: Float[Array, "inputs"] = parameter(unit="mV")
    strengths: Float[Array, "dendrites"] = parameter(at_least=0.0)
    rate: Scalar = parameter(at_least=0.0)
    window_ms: Scalar = parameter(above=0.0, unit="ms")
    smallest: Scalar = parameter(at_least=0.0)
    largest: Scalar = parameter(above=0.0)
    tau_ms: Scalar = parameter(above=0.0, unit="ms")
    rest_mv: Scalar = parameter(unit="mV")
    threshold_mv: Scalar = parameter(unit="mV")
    refractory_ms: Scalar = parameter(at_least=0.0, unit="ms")
    detach_reset: Scalar = parameter(at_least=0.0, at_most=1.0)
    dt_ms: Scalar = parameter(above=0.0, unit="ms")

    def __init__(
        self,
        inputs: int,
        dendrites: int,
        *,
        weights: Float[Array, "inputs"] | None = None,
        dendrite: Int[Array, "inputs"] | None = None,
        rate: float | Float[Array, ""] = 0.05,
        window_ms: float | Float[Array, ""] = 15.0,
        smallest: float | Float[Array, ""] = 1e-3,
        largest: float | Float[Array, ""] = 100.0,
        tau_ms: float | Float[Array, ""] = 20.0,
        rest_mv: float | Float[Array, ""] = -72.0,
        threshold_mv: float | Float[Array, ""] = -54.0,
        refractory_ms: float | Float[Array, ""] = 2.0,
        detach_reset: float | Float[Array, ""] = 1.0,
        dt_ms: float | Float[Array, ""] = 0.1,
        spike: Surrogate | None = None,
    ) -> None:
        check_sizes("DendriticAdaptation", inputs=inputs, dendrites=dendrites)
        self.weights = jnp.full(inputs, 10.0) if weights is None else weights
        self.dendrite = jnp.arange(inputs) * dendrites // inputs if dendrite is None else dendrite
        self.strengths = jnp.ones(dendrites, self.weights.dtype)
        self.rate, self.window_ms, self.smallest, self.largest = rate, window_ms, smallest, largest
        self.tau_ms, self.rest_mv, self.threshold_mv = tau_ms, rest_mv, threshold_mv
        self.refractory_ms, self.detach_reset, self.dt_ms = refractory_ms, detach_reset, dt_ms
        self.spike = FastSigmoid() if spike is None else spike

    def init(self, key: PRNGKeyArray) -> DendriticAdaptationState:
        """At rest, all dendrites as strong as given."""
        zero = jnp.zeros_like(self.strengths)
        return DendriticAdaptationState(
            self.strengths, self.rest_mv, jnp.zeros_like(self.rest_mv), zero, jnp.zeros_like(self.rest_mv)
        )

    def step(
        self, state: DendriticAdaptationState, input: Float[Array, "inputs"]
    ) -> tuple[DendriticAdaptationState, Float[Array, ""]]:
        """Pulses on the voltage, threshold, then the pairs that this step completes."""
        held = state.refractory_ms > self.dt_ms / 2
        decay = jnp.exp(-self.dt_ms / self.tau_ms)
        pulse = (self.weights * state.strengths[self.dendrite]) @ input
        voltage = self.rest_mv + jnp.where(held, 0, decay * (state.voltage_mv - self.rest_mv) + pulse)
        spike = jnp.where(held, 0, self.spike(voltage - self.threshold_mv))
        attached = detached(spike, self.detach_reset)
        refractory = refractory_left(state.refractory_ms, spike, self.refractory_ms, self.dt_ms)

        forgotten = jnp.exp(-self.dt_ms / self.window_ms)
        before, behind = forgotten * state.arrived, forgotten * state.fired
        below = jnp.zeros_like(before).at[self.dendrite].add(input) * (1 - spike)
        grown = state.strengths * (1 + self.rate * (spike * before - behind * below))
        state = DendriticAdaptationState(
            jnp.clip(grown, self.smallest, self.largest),
            self.rest_mv + (voltage - self.rest_mv) * (1 - attached),
            refractory,
            before + below,
            behind + spike,
        )
        return state, spike
