"""The integrate-and-fire neuron without leak."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.flow import Euler, ExponentialEuler, Flow
from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.reset import detached, refractory_left
from jaxneuro.stimulus import Reaching, jumped, net_current, stimulus
from jaxneuro.surrogate import FastSigmoid, Surrogate


class IntegrateAndFireState(eqx.Module):
    """Membrane voltage (mV) and what is left of the refractory period (ms)."""

    voltage_mv: Float[Array, ""]
    refractory_ms: Float[Array, ""]


Spike = Float[Array, ""]


class IntegrateAndFire(
    StateMachine[IntegrateAndFireState, Reaching, Spike], Flow[IntegrateAndFireState, Reaching, Spike]
):
    """A capacitor with a threshold: `C dV/dt = I`; at `V >= theta` a spike, a reset, a refractory period.

    A step of `dt_ms`, with the input held constant over it, is exact below threshold: `V <- V + I dt / C`. Threshold,
    reset and refractory period are then applied at the end of the step; during the refractory period V is held. Under
    constant input it fires every `t_ref + C (theta - V_r) / I` ms, on the grid up to one step later. With a soft reset
    and without a refractory period no charge is lost: `C (V_T - V_0) = sum(I) dt - count C (theta - V_r)`.

    Fields:
        capacitance_nf: C (nF).
        threshold_mv, reset_mv: theta, V_r (mV).
        start_mv: V before the first input (mV).
        refractory_ms: t_ref (ms), a whole number of steps, or it is rounded to that.
        soft_reset: 0 sets V to V_r; 1 subtracts `theta - V_r`, which keeps the overshoot; between, a mixture.
        detach_reset: 1 stops the gradient at the reset, 0 lets it through.
        dt_ms: step size (ms); another integrator, `RungeKutta4(IntegrateAndFire(), dt_ms=0.1)`, brings its own.
        spike: the threshold's forward and pretended backward, on `V - theta` in mV.

    Input: current (nA), a scalar; or a `Stimulus` with channels (uS, and nA for `g E`), or with a jump of V (mV), which
    is lost on a cell that is refractory. Output: 1.0 on a spike, else 0.0.

    Reference: Lapicque 1907; Abbott 1999, Brain Research Bulletin 50:303 (its leak left out).
    """

    capacitance_nf: Scalar = parameter(1.0, above=0.0, unit="nF")
    threshold_mv: Scalar = parameter(15.0, unit="mV")
    reset_mv: Scalar = parameter(0.0, unit="mV")
    start_mv: Scalar = parameter(0.0, unit="mV")
    refractory_ms: Scalar = parameter(0.0, at_least=0.0, unit="ms")
    soft_reset: Scalar = parameter(0.0, at_least=0.0, at_most=1.0)
    detach_reset: Scalar = parameter(1.0, at_least=0.0, at_most=1.0)
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")
    spike: Surrogate = eqx.field(default_factory=FastSigmoid)

    def init(self, key: PRNGKeyArray) -> IntegrateAndFireState:
        """At `start_mv`, not refractory."""
        return IntegrateAndFireState(self.start_mv, jnp.zeros_like(self.start_mv))

    def step(self, state: IntegrateAndFireState, input: Reaching) -> tuple[IntegrateAndFireState, Spike]:
        """The exact solution over `dt_ms`, then threshold and reset."""
        # A current charges at a constant rate; open channels make the flow linear in V. Each has its exact integrator.
        exact = Euler if stimulus(input).channels is None else ExponentialEuler
        return exact(self, self.dt_ms).step(state, input)

    def receive(self, state: IntegrateAndFireState, input: Reaching) -> IntegrateAndFireState:
        """A jump of the voltage, unless the cell is refractory."""
        voltage = jnp.where(state.refractory_ms > 0, state.voltage_mv, jumped(stimulus(input), state.voltage_mv))
        return IntegrateAndFireState(voltage, state.refractory_ms)

    def derivative(self, state: IntegrateAndFireState, input: Reaching) -> IntegrateAndFireState:
        """`dV/dt` (mV/ms); the refractory time is counted by `jump`."""
        slope = net_current(stimulus(input), state.voltage_mv) / self.capacitance_nf
        return IntegrateAndFireState(jnp.where(state.refractory_ms > 0, 0, slope), jnp.zeros_like(slope))

    def jump(
        self, state: IntegrateAndFireState, input: Reaching, dt_ms: Float[Array, ""]
    ) -> tuple[IntegrateAndFireState, Spike]:
        """Threshold, reset, refractory count."""
        held = state.refractory_ms > dt_ms / 2
        spike = jnp.where(held, 0, self.spike(state.voltage_mv - self.threshold_mv))
        attached = detached(spike, self.detach_reset)
        hard, soft = state.voltage_mv - self.reset_mv, self.threshold_mv - self.reset_mv
        voltage = state.voltage_mv - attached * ((1 - self.soft_reset) * hard + self.soft_reset * soft)
        refractory = refractory_left(state.refractory_ms, spike, self.refractory_ms, dt_ms)
        return IntegrateAndFireState(voltage, refractory), spike
