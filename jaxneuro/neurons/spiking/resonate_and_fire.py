"""The resonate-and-fire neuron."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.flow import Flow
from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.reset import detached
from jaxneuro.stimulus import Reaching, current_alone
from jaxneuro.surrogate import FastSigmoid, Surrogate


class ResonateAndFireState(eqx.Module):
    """A current-like x and a voltage-like y, dimensionless: the real and the imaginary part of z."""

    current: Float[Array, ""]
    voltage: Float[Array, ""]


Spike = Float[Array, ""]


class ResonateAndFire(StateMachine[ResonateAndFireState, Reaching, Spike], Flow[ResonateAndFireState, Reaching, Spike]):
    """A damped oscillator with a threshold: it fires to inputs in time with its own frequency.

    `dz/dt = (b + i omega) z + I`, that is `dx/dt = b x - omega y + I`, `dy/dt = omega x + b y`; at `y >= theta` a
    spike, and `z = x_r + i y_r`. A step of `dt_ms`, with the input held constant over it, is exact between spikes:
    `z <- z e + I (e - 1) / (b + i omega)`, `e = exp((b + i omega) dt)`. Threshold and reset come at its end. As a
    `Flow` the neuron runs under any integrator.

    Fields:
        damping_per_ms: b (1/ms), below 0.
        frequency_per_ms: omega (rad per ms: 1/ms).
        threshold: theta, dimensionless.
        reset_current, reset_voltage: x_r, y_r, dimensionless.
        detach_reset: 1 stops the gradient at the reset, 0 lets it through.
        dt_ms: step size (ms).
        spike: the threshold's forward and pretended backward, on `y - theta`.

    Input: current (1/ms), a scalar; a pulse of one step of height `A / dt` moves x by A. Output: 1.0 on a spike, else
    0.0.

    Reference: Izhikevich 2001, Neural Networks 14:883 (there b -1, omega 10, threshold 1 and reset to i).
    """

    damping_per_ms: Scalar = parameter(-0.1, at_most=0.0, unit="1/ms")
    frequency_per_ms: Scalar = parameter(1.0, above=0.0, unit="1/ms")
    threshold: Scalar = parameter(1.0)
    reset_current: Scalar = parameter(0.0)
    reset_voltage: Scalar = parameter(1.0)
    detach_reset: Scalar = parameter(1.0, at_least=0.0, at_most=1.0)
    dt_ms: Scalar = parameter(0.05, above=0.0, unit="ms")
    spike: Surrogate = eqx.field(default_factory=FastSigmoid)

    def init(self, key: PRNGKeyArray) -> ResonateAndFireState:
        """At rest, `z = 0`."""
        zero = jnp.zeros_like(self.threshold)
        return ResonateAndFireState(zero, zero)

    def step(self, state: ResonateAndFireState, input: Reaching) -> tuple[ResonateAndFireState, Spike]:
        """The exact solution over `dt_ms`, then threshold and reset."""
        b, omega, dt = self.damping_per_ms, self.frequency_per_ms, self.dt_ms
        decay = jnp.exp(b * dt)
        real, imaginary = decay * jnp.cos(omega * dt), decay * jnp.sin(omega * dt)
        # The real part of e, less 1, without loss of digits; then (e - 1) / (b + i omega), multiplied out.
        less = jnp.expm1(b * dt) * jnp.cos(omega * dt) - 2 * jnp.sin(omega * dt / 2) ** 2
        drive = current_alone(input, "ResonateAndFire") / (b**2 + omega**2)
        x = state.current * real - state.voltage * imaginary + drive * (b * less + omega * imaginary)
        y = state.current * imaginary + state.voltage * real + drive * (b * imaginary - omega * less)
        return self.jump(ResonateAndFireState(x, y), input, dt)

    def derivative(self, state: ResonateAndFireState, input: Reaching) -> ResonateAndFireState:
        """`dx/dt` and `dy/dt` (1/ms)."""
        b, omega, x, y = self.damping_per_ms, self.frequency_per_ms, state.current, state.voltage
        return ResonateAndFireState(b * x - omega * y + current_alone(input, "ResonateAndFire"), omega * x + b * y)

    def jump(
        self, state: ResonateAndFireState, input: Reaching, dt_ms: Float[Array, ""]
    ) -> tuple[ResonateAndFireState, Spike]:
        """Threshold and reset."""
        spike = self.spike(state.voltage - self.threshold)
        attached = detached(spike, self.detach_reset)
        x = (1 - attached) * state.current + attached * self.reset_current
        y = (1 - attached) * state.voltage + attached * self.reset_voltage
        return ResonateAndFireState(x, y), spike
