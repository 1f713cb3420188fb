"""The simple model of Izhikevich with spikes located inside the step."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.stimulus import Reaching, Stimulus, jumped, net_current, stimulus
from jaxneuro.timed import TimedSpike

# Newton's method doubles its digits: from a third of a step to those of double precision in six.
ITERATIONS = 6


class PreciseIzhikevichState(eqx.Module):
    """Membrane voltage v (mV) and recovery u (mV/ms) at the end of the step."""

    voltage_mv: Float[Array, ""]
    recovery: Float[Array, ""]


class PreciseIzhikevich(StateMachine[PreciseIzhikevichState, Reaching, TimedSpike]):
    """The equations of Izhikevich solved accurately: Runge-Kutta steps of order 4, and spikes off the grid.

    `v' = q v^2 + p v + r - u + I`, `u' = a (b (v - v_b) - l u)`; at `v = v_peak` a spike, `v = c`, `u <- u + d`. With
    the input held constant over a step, the time of the crossing is the root of `v(t) = v_peak`, v(t) a Runge-Kutta
    step of length t; v and u are reset there and integrated over what is left of the step. Gradients of spike times are
    those of the root; the spike itself has none.

    A step holds at most one spike: `dt_ms` must be at most the shortest interval between spikes. A second crossing
    counts as the spike of the next step, at its start.

    Fields:
        rate_per_ms, sensitivity_per_ms: a, b (1/ms).
        reset_mv, increment: c (mV), d (mV/ms).
        quadratic, linear_per_ms, constant: q (1/(mV ms)), p (1/ms), r (mV/ms).
        recovery_mv: v_b (mV).
        recovery_leak: l, dimensionless; 0 for a recovery that does not decay.
        start_mv, start_recovery: v (mV) and u (mV/ms) before the first input.
        peak_mv: v_peak (mV).
        dt_ms: step size (ms).

    Input: current (mV/ms), a scalar; or a `Stimulus` with channels (1/ms, and mV/ms for `g E`) or a jump of v (mV).
    Output: `TimedSpike`.

    Reference: Izhikevich 2003, IEEE Transactions on Neural Networks 14:1569, eqs. 1 to 3; spikes off the grid: Hansel
    et al. 1998, Neural Computation 10:467; Morrison et al. 2007, Neural Computation 19:47.
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
    dt_ms: Scalar = parameter(0.05, above=0.0, unit="ms")

    def init(self, key: PRNGKeyArray) -> PreciseIzhikevichState:
        """At `start_mv` and `start_recovery`, which of the default cell are its rest."""
        return PreciseIzhikevichState(self.start_mv, self.start_recovery)

    def step(self, state: PreciseIzhikevichState, input: Reaching) -> tuple[PreciseIzhikevichState, TimedSpike]:
        """Integration to the end of the step, or to the peak and, after the reset, over what is left of the step."""
        reached = stimulus(input)
        voltage = jnp.minimum(jumped(reached, state.voltage_mv), self.peak_mv)
        start = PreciseIzhikevichState(voltage, state.recovery)
        silent = self._after(start, reached, self.dt_ms)
        fires = jax.lax.stop_gradient(silent.voltage_mv >= self.peak_mv)
        offset = jnp.where(fires, self._crossing(start, reached), 0)
        before = self._after(start, reached, offset)
        reset = PreciseIzhikevichState(self.reset_mv, before.recovery + self.increment)
        restarted = self._after(reset, reached, self.dt_ms - offset)
        state = jax.tree.map(lambda after, without: jnp.where(fires, after, without), restarted, silent)
        return state, TimedSpike(fires.astype(offset.dtype), offset)

    def _crossing(self, start: PreciseIzhikevichState, reached: Stimulus) -> Float[Array, ""]:
        fixed, held, came = jax.lax.stop_gradient((self, start, reached))

        def improve(time: Float[Array, ""], _: None) -> tuple[Float[Array, ""], None]:
            # A slope of 1 mV/ms or more keeps the step finite where the neuron does not fire; it is steep at the peak.
            state = fixed._after(held, came, time)
            slope = jnp.maximum(fixed._slopes(state, came).voltage_mv, 1)
            return jnp.clip(time - (state.voltage_mv - fixed.peak_mv) / slope, 0, fixed.dt_ms), None

        time, _ = jax.lax.scan(improve, fixed.dt_ms, length=ITERATIONS, unroll=True)
        # One more step of Newton's, from which the gradient learns how the root moves: that of the numerical v(t).
        _, slope = jax.jvp(lambda t: fixed._after(held, came, t).voltage_mv, (time,), (jnp.ones_like(time),))
        slope = jnp.maximum(slope, 1)
        moved = time - (self._after(start, reached, time).voltage_mv - self.peak_mv) / slope
        return jnp.clip(moved, 0, self.dt_ms)

    def _after(
        self, state: PreciseIzhikevichState, reached: Stimulus, time: Float[Array, ""]
    ) -> PreciseIzhikevichState:
        """One step of the classical Runge-Kutta method, of any length."""

        def moved(length: Float[Array, ""], slope: PreciseIzhikevichState) -> PreciseIzhikevichState:
            return jax.tree.map(lambda s, k: s + length * k, state, slope)

        k1 = self._slopes(state, reached)
        k2 = self._slopes(moved(time / 2, k1), reached)
        k3 = self._slopes(moved(time / 2, k2), reached)
        k4 = self._slopes(moved(time, k3), reached)
        return moved(time / 6, jax.tree.map(lambda a, b, c, d: a + 2 * b + 2 * c + d, k1, k2, k3, k4))

    def _slopes(self, state: PreciseIzhikevichState, reached: Stimulus) -> PreciseIzhikevichState:
        v, u = state.voltage_mv, state.recovery
        rise = self.quadratic * v**2 + self.linear_per_ms * v + self.constant - u + net_current(reached, v)
        recover = self.rate_per_ms * (self.sensitivity_per_ms * (v - self.recovery_mv) - self.recovery_leak * u)
        return PreciseIzhikevichState(rise, recover)
