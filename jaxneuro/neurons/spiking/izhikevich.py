"""The simple model of Izhikevich, by the published scheme."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.flow import Flow
from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.reset import detached
from jaxneuro.stimulus import Reaching, jumped, net_current, stimulus
from jaxneuro.surrogate import FastSigmoid, Surrogate


class IzhikevichState(eqx.Module):
    """Membrane voltage v (mV) and recovery u (mV/ms)."""

    voltage_mv: Float[Array, ""]
    recovery: Float[Array, ""]


Spike = Float[Array, ""]


class Izhikevich(StateMachine[IzhikevichState, Reaching, Spike], Flow[IzhikevichState, Reaching, Spike]):
    """Two equations that fire in all the ways of cortical neurons.

    `v' = q v^2 + p v + r - u + I`, `u' = a (b (v - v_b) - l u)`; at `v >= v_peak` a spike, `v = c`, `u <- u + d`.

    `step` is the published scheme, forward Euler by `dt_ms` in which u already sees the new v, reset at the end of the
    step: `v <- v + dt v'(v, u)`, `u <- u + dt u'(v, u)`. The published firing patterns are patterns of this scheme:
    nine of the twenty change their number of spikes when the equations are solved accurately, as by
    `PreciseIzhikevich`. As a `Flow` the same equations run under any integrator,
    `RungeKutta4(Izhikevich(), dt_ms=0.01)`.

    Fields:
        rate_per_ms, sensitivity_per_ms: a, b (1/ms).
        reset_mv, increment: c (mV), d (mV/ms).
        quadratic, linear_per_ms, constant: q (1/(mV ms)), p (1/ms), r (mV/ms).
        recovery_mv: v_b (mV).
        recovery_leak: l, dimensionless; 0 for a recovery that does not decay.
        start_mv, start_recovery: v (mV) and u (mV/ms) before the first input.
        peak_mv: v_peak (mV).
        detach_reset: 1 stops the gradient at the reset and at the increment of u, 0 lets it through.
        dt_ms: step size (ms).
        spike: the peak's forward and pretended backward, on `v - v_peak` in mV.

    Input: current (mV/ms), a scalar; or a `Stimulus` with channels (1/ms, and mV/ms for `g E`) or a jump of v (mV).
    Output: 1.0 on a spike, else 0.0.

    Reference: Izhikevich 2003, IEEE Transactions on Neural Networks 14:1569, eqs. 1 to 3; Izhikevich 2004, IEEE
    Transactions on Neural Networks 15:1063, figure 1.
    """

    rate_per_ms: Scalar = parameter(0.02, unit="1/ms")
    sensitivity_per_ms: Scalar = parameter(0.2, unit="1/ms")
    reset_mv: Scalar = parameter(-65.0, unit="mV")
    increment: Scalar = parameter(8.0, unit="mV/ms")
    quadratic: Scalar = parameter(0.04, above=0.0)
    linear_per_ms: Scalar = parameter(5.0, unit="1/ms")
    constant: Scalar = parameter(140.0, unit="mV/ms")
    recovery_mv: Scalar = parameter(0.0, unit="mV")
    recovery_leak: Scalar = parameter(1.0, at_least=0.0)
    start_mv: Scalar = parameter(-70.0, unit="mV")
    start_recovery: Scalar = parameter(-14.0, unit="mV/ms")
    peak_mv: Scalar = parameter(30.0, unit="mV")
    detach_reset: Scalar = parameter(1.0, at_least=0.0, at_most=1.0)
    dt_ms: Scalar = parameter(0.25, above=0.0, unit="ms")
    spike: Surrogate = eqx.field(default_factory=FastSigmoid)

    def init(self, key: PRNGKeyArray) -> IzhikevichState:
        """At `start_mv` and `start_recovery`, which of the default cell are its rest."""
        return IzhikevichState(self.start_mv, self.start_recovery)

    def step(self, state: IzhikevichState, input: Reaching) -> tuple[IzhikevichState, Spike]:
        """The voltage, then the recovery that sees it, then the reset."""
        state = self.receive(state, input)
        voltage = state.voltage_mv + self.dt_ms * self._rise(state.voltage_mv, state.recovery, input)
        recovery = state.recovery + self.dt_ms * self._recover(voltage, state.recovery)
        return self.jump(IzhikevichState(voltage, recovery), input, self.dt_ms)

    def receive(self, state: IzhikevichState, input: Reaching) -> IzhikevichState:
        """A jump of the voltage."""
        return IzhikevichState(jumped(stimulus(input), state.voltage_mv), state.recovery)

    def derivative(self, state: IzhikevichState, input: Reaching) -> IzhikevichState:
        """`dv/dt` (mV/ms) and `du/dt` (mV/ms^2), both at the present v; beyond the peak those at the peak."""
        voltage = jnp.minimum(state.voltage_mv, self.peak_mv)
        rise, recover = self._rise(voltage, state.recovery, input), self._recover(voltage, state.recovery)
        return IzhikevichState(rise, recover)

    def jump(self, state: IzhikevichState, input: Reaching, dt_ms: Float[Array, ""]) -> tuple[IzhikevichState, Spike]:
        """Peak, reset, increment."""
        spike = self.spike(state.voltage_mv - self.peak_mv)
        attached = detached(spike, self.detach_reset)
        # As a mixture, not as a difference: far above the peak a difference would leave a rounding of v.
        voltage = (1 - attached) * state.voltage_mv + attached * self.reset_mv
        return IzhikevichState(voltage, state.recovery + attached * self.increment), spike

    def _rise(self, voltage: Float[Array, ""], recovery: Float[Array, ""], input: Reaching) -> Float[Array, ""]:
        parabola = self.quadratic * voltage**2 + self.linear_per_ms * voltage + self.constant
        return parabola - recovery + net_current(stimulus(input), voltage)

    def _recover(self, voltage: Float[Array, ""], recovery: Float[Array, ""]) -> Float[Array, ""]:
        driven = self.sensitivity_per_ms * (voltage - self.recovery_mv)
        return self.rate_per_ms * (driven - self.recovery_leak * recovery)
