"""Generalised leaky integrate-and-fire neurons of five levels."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.flow import Flow
from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.reset import detached, refractory_left
from jaxneuro.stimulus import Reaching, jumped, net_current, stimulus
from jaxneuro.surrogate import FastSigmoid, Surrogate

RESET_RULES = ("reset_fraction", "reset_shift_mv", "threshold_step_mv")
AFTER_SPIKE_CURRENTS = ("slow_step_pa", "fast_step_pa")
ADAPTIVE_THRESHOLD = ("threshold_coupling_per_ms",)
# What each level does without.
ABSENT = {
    1: (*RESET_RULES, *AFTER_SPIKE_CURRENTS, *ADAPTIVE_THRESHOLD),
    2: (*AFTER_SPIKE_CURRENTS, *ADAPTIVE_THRESHOLD),
    3: (*RESET_RULES, *ADAPTIVE_THRESHOLD),
    4: ADAPTIVE_THRESHOLD,
    5: (),
}


class GLIFState(eqx.Module):
    """Membrane voltage (mV), after-spike currents (pA), what the threshold has gained (mV), refractory rest (ms)."""

    voltage_mv: Float[Array, ""]
    slow_pa: Float[Array, ""]
    fast_pa: Float[Array, ""]
    threshold_spike_mv: Float[Array, ""]
    threshold_voltage_mv: Float[Array, ""]
    refractory_ms: Float[Array, ""]


Spike = Float[Array, ""]


class GLIF(StateMachine[GLIFState, Reaching, Spike], Flow[GLIFState, Reaching, Spike]):
    """A leaky neuron with reset rules, after-spike currents and a threshold that spikes and voltage move.

    `C dV/dt = I + I_1 + I_2 - G (V - E)`, `dI_j/dt = -k_j I_j`, `dtheta_s/dt = -b_s theta_s`,
    `dtheta_v/dt = a_v (V - E) - b_v theta_v`; at `V >= theta + theta_s + theta_v` a spike, all are held for t_ref, and
    `V <- E + f_v (V - E) + dV`, `I_j <- f_j I_j exp(-h k_j t_ref) + dI_j`,
    `theta_s <- theta_s exp(-h b_s t_ref) + dtheta_s`. With h = 1 old currents and thresholds decay over the refractory
    period and new ones do not, as in the published model and in NEST; with h = 0 neither does.

    All five levels are this machine; `glif(level)` sets what a level does not have to 0: level 1 is the leaky neuron, 2
    has the reset rules, 3 the after-spike currents, 4 both, 5 the voltage's hold on the threshold too. The defaults are
    level 5 of the mouse neuron 490626718.

    A step of `dt_ms` takes I_j as its exact mean over the step, and the voltage's mean for theta_v: exact but for terms
    in dt^2. Threshold and resets are applied at its end. As a `Flow` the neuron runs under any integrator.

    Fields:
        capacitance_pf, leak_ns: C (pF), G (nS).
        rest_mv, threshold_mv: E, theta (mV).
        refractory_ms: t_ref (ms), a whole number of steps, or it is rounded to that.
        reset_fraction, reset_shift_mv: f_v, dV (mV).
        threshold_step_mv, threshold_decay_per_ms: dtheta_s (mV), b_s (1/ms).
        slow_decay_per_ms, fast_decay_per_ms: k_1, k_2 (1/ms).
        slow_step_pa, fast_step_pa: dI_1, dI_2 (pA).
        current_fraction: f_j of both.
        threshold_coupling_per_ms, threshold_voltage_decay_per_ms: a_v, b_v (1/ms).
        refractory_decay: h.
        detach_reset: 1 stops the gradient at all that a spike resets, 0 lets it through.
        dt_ms: step size (ms).
        spike: the threshold's forward and pretended backward, on `V - theta - theta_s - theta_v` in mV.

    Input: current (pA), a scalar; or a `Stimulus` with channels (nS, and pA for `g E`), or with a jump of V (mV), which
    is lost on a cell that is refractory. Output: 1.0 on a spike, else 0.0.

    Reference: Teeter et al. 2018, Nature Communications 9:709, Methods; Mihalas and Niebur 2009, Neural Computation
    21:704.
    """

    capacitance_pf: Scalar = parameter(58.72, above=0.0, unit="pF")
    leak_ns: Scalar = parameter(9.43, above=0.0, unit="nS")
    rest_mv: Scalar = parameter(-78.85, unit="mV")
    threshold_mv: Scalar = parameter(-51.68, unit="mV")
    refractory_ms: Scalar = parameter(3.75, at_least=0.0, unit="ms")
    reset_fraction: Scalar = parameter(0.20)
    reset_shift_mv: Scalar = parameter(18.51, unit="mV")
    threshold_step_mv: Scalar = parameter(0.37, unit="mV")
    threshold_decay_per_ms: Scalar = parameter(0.009, above=0.0, unit="1/ms")
    slow_decay_per_ms: Scalar = parameter(0.003, above=0.0, unit="1/ms")
    fast_decay_per_ms: Scalar = parameter(0.1, above=0.0, unit="1/ms")
    slow_step_pa: Scalar = parameter(-9.18, unit="pA")
    fast_step_pa: Scalar = parameter(-198.94, unit="pA")
    current_fraction: Scalar = parameter(1.0)
    threshold_coupling_per_ms: Scalar = parameter(0.005, unit="1/ms")
    threshold_voltage_decay_per_ms: Scalar = parameter(0.09, above=0.0, unit="1/ms")
    refractory_decay: Scalar = parameter(1.0, at_least=0.0, at_most=1.0)
    detach_reset: Scalar = parameter(1.0, at_least=0.0, at_most=1.0)
    dt_ms: Scalar = parameter(0.05, above=0.0, unit="ms")
    spike: Surrogate = eqx.field(default_factory=FastSigmoid)

    def init(self, key: PRNGKeyArray) -> GLIFState:
        """At E, without after-spike currents, the threshold at theta, not refractory."""
        zero = jnp.zeros_like(self.rest_mv)
        return GLIFState(self.rest_mv, zero, zero, zero, zero, zero)

    def step(self, state: GLIFState, input: Reaching) -> tuple[GLIFState, Spike]:
        """The solution over `dt_ms` under mean after-spike currents, then threshold and resets."""
        state, reached = self.receive(state, input), stimulus(input)
        slow, slow_mean = _decayed(self.slow_decay_per_ms * self.dt_ms)
        fast, fast_mean = _decayed(self.fast_decay_per_ms * self.dt_ms)
        leak = self.leak_ns if reached.channels is None else self.leak_ns + reached.channels.conductance
        current = net_current(reached, jnp.zeros_like(self.rest_mv))
        current = current + state.slow_pa * slow_mean + state.fast_pa * fast_mean
        target = (self.leak_ns * self.rest_mv + current) / leak
        kept, kept_mean = _decayed(leak * self.dt_ms / self.capacitance_pf)
        distance = state.voltage_mv - target
        above_rest = target + distance * kept_mean - self.rest_mv
        remembered, gathered = _decayed(self.threshold_voltage_decay_per_ms * self.dt_ms)
        moved = GLIFState(
            target + distance * kept,
            state.slow_pa * slow,
            state.fast_pa * fast,
            state.threshold_spike_mv * jnp.exp(-self.threshold_decay_per_ms * self.dt_ms),
            state.threshold_voltage_mv * remembered
            + self.threshold_coupling_per_ms * above_rest * gathered * self.dt_ms,
            state.refractory_ms,
        )
        held = state.refractory_ms > self.dt_ms / 2
        moved = jax.tree.map(lambda old, new: jnp.where(held, old, new), state, moved)
        return self.jump(moved, input, self.dt_ms)

    def receive(self, state: GLIFState, input: Reaching) -> GLIFState:
        """A jump of the voltage, unless the cell is refractory."""
        voltage = jnp.where(state.refractory_ms > 0, state.voltage_mv, jumped(stimulus(input), state.voltage_mv))
        return eqx.tree_at(lambda state: state.voltage_mv, state, voltage)

    def derivative(self, state: GLIFState, input: Reaching) -> GLIFState:
        """All slopes per ms, 0 while the cell is refractory; the refractory time is counted by `jump`."""
        current = net_current(stimulus(input), state.voltage_mv) + state.slow_pa + state.fast_pa
        above_rest = state.voltage_mv - self.rest_mv
        slopes = GLIFState(
            (current - self.leak_ns * above_rest) / self.capacitance_pf,
            -self.slow_decay_per_ms * state.slow_pa,
            -self.fast_decay_per_ms * state.fast_pa,
            -self.threshold_decay_per_ms * state.threshold_spike_mv,
            self.threshold_coupling_per_ms * above_rest
            - self.threshold_voltage_decay_per_ms * state.threshold_voltage_mv,
            jnp.zeros_like(state.refractory_ms),
        )
        return jax.tree.map(lambda slope: jnp.where(state.refractory_ms > 0, 0, slope), slopes)

    def jump(self, state: GLIFState, input: Reaching, dt_ms: Float[Array, ""]) -> tuple[GLIFState, Spike]:
        """Threshold, resets, refractory count."""
        held = state.refractory_ms > dt_ms / 2
        distance = state.voltage_mv - self.threshold_mv - state.threshold_spike_mv - state.threshold_voltage_mv
        spike = jnp.where(held, 0, self.spike(distance))
        attached = detached(spike, self.detach_reset)
        waited = self.refractory_decay * self.refractory_ms
        refractory = refractory_left(state.refractory_ms, spike, self.refractory_ms, dt_ms)
        reset = GLIFState(
            self.rest_mv + self.reset_fraction * (state.voltage_mv - self.rest_mv) + self.reset_shift_mv,
            self.current_fraction * state.slow_pa * jnp.exp(-self.slow_decay_per_ms * waited) + self.slow_step_pa,
            self.current_fraction * state.fast_pa * jnp.exp(-self.fast_decay_per_ms * waited) + self.fast_step_pa,
            state.threshold_spike_mv * jnp.exp(-self.threshold_decay_per_ms * waited) + self.threshold_step_mv,
            state.threshold_voltage_mv,
            state.refractory_ms,
        )
        state = jax.tree.map(lambda old, new: old + attached * (new - old), state, reset)
        return eqx.tree_at(lambda state: state.refractory_ms, state, refractory), spike


def glif(level: int, cell: GLIF | None = None) -> GLIF:
    """A cell of a level: what the level does not have is set to 0.

    Args:
        level: 1 to 5.
        cell: with all mechanisms; the default one unless given.

    Returns:
        The cell.

    Raises:
        ValueError: there is no such level.
    """
    if level not in ABSENT:
        raise ValueError(f"glif got level {level}; levels are 1 to 5.")
    cell, names = GLIF() if cell is None else cell, ABSENT[level]
    zeros = [jnp.zeros_like(getattr(cell, name)) for name in names]
    return eqx.tree_at(lambda cell: [getattr(cell, name) for name in names], cell, zeros) if names else cell


def _decayed(exponent: Float[Array, ""]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """`e^-x` and its mean over the step, `(1 - e^-x) / x`; x is above 0."""
    return jnp.exp(-exponent), -jnp.expm1(-exponent) / exponent
