"""The quadratic integrate-and-fire neuron."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.flow import Euler
from jaxneuro.located import Eventful
from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.reset import detached
from jaxneuro.stimulus import Reaching, jumped, net_current, stimulus
from jaxneuro.surrogate import FastSigmoid, Surrogate


class QIFState(eqx.Module):
    """Membrane voltage (mV)."""

    voltage_mv: Float[Array, ""]


Spike = Float[Array, ""]


class QIF(StateMachine[QIFState, Reaching, Spike], Eventful[QIFState, Reaching, Spike]):
    """Quadratic integrate-and-fire: `tau dV/dt = k (V - E) (V - V_c) + R I`; at `V >= V_peak` a spike, and `V = V_r`.

    The normal form of a membrane at a saddle-node. Repetitive firing begins at `R I = k (V_c - E)^2 / 4` with a rate
    that grows as the square root of what is above it, `c = k (R I - k (V_c - E)^2 / 4)`: the interval is
    `tau (arctan(k x_peak / sqrt(c)) - arctan(k x_r / sqrt(c))) / sqrt(c)`, x the distance from `(E + V_c) / 2`. Beyond
    V_peak, where only the end of a step or a stage of an integrator can be, the derivative is that at V_peak.

    `step` is forward Euler by `dt_ms`, peak and reset at its end, so that V may end a step far above V_peak; another
    integrator, `RungeKutta4(QIF(), dt_ms=0.01)`, brings its own step size. Euler is stable above
    `V_c - tau / (k dt)`.

    Fields:
        tau_ms: tau (ms).
        curvature_per_mv: k (1/mV).
        rest_mv, critical_mv: E and V_c, stable and unstable without input (mV).
        peak_mv, reset_mv: V_peak, V_r (mV).
        resistance_mohm: R (MOhm), so that a current in nA gives mV.
        detach_reset: 1 stops the gradient at the reset, 0 lets it through.
        dt_ms: step size (ms).
        spike: the peak's forward and pretended backward, on `V - V_peak` in mV.

    Input: current (nA), a scalar; or a `Stimulus` with channels (uS, and nA for `g E`) or a jump of V (mV). Output: 1.0
    on a spike, else 0.0.

    Reference: Ermentrout and Kopell 1986, SIAM Journal on Applied Mathematics 46:233; Latham et al. 2000, Journal of
    Neurophysiology 83:808; Gerstner et al. 2014, Neuronal Dynamics, eq. 5.16.
    """

    tau_ms: Scalar = parameter(10.0, above=0.0, unit="ms")
    curvature_per_mv: Scalar = parameter(0.1, above=0.0, unit="1/mV")
    rest_mv: Scalar = parameter(-65.0, unit="mV")
    critical_mv: Scalar = parameter(-50.0, unit="mV")
    peak_mv: Scalar = parameter(0.0, unit="mV")
    reset_mv: Scalar = parameter(-65.0, unit="mV")
    resistance_mohm: Scalar = parameter(1.0, above=0.0, unit="MOhm")
    detach_reset: Scalar = parameter(1.0, at_least=0.0, at_most=1.0)
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")
    spike: Surrogate = eqx.field(default_factory=FastSigmoid)

    def init(self, key: PRNGKeyArray) -> QIFState:
        """At rest."""
        return QIFState(self.rest_mv)

    def step(self, state: QIFState, input: Reaching) -> tuple[QIFState, Spike]:
        """Forward Euler, then peak and reset."""
        return Euler(self, self.dt_ms).step(state, input)

    def receive(self, state: QIFState, input: Reaching) -> QIFState:
        """A jump of the voltage."""
        return QIFState(jumped(stimulus(input), state.voltage_mv))

    def derivative(self, state: QIFState, input: Reaching) -> QIFState:
        """`dV/dt` (mV/ms)."""
        voltage = jnp.minimum(state.voltage_mv, self.peak_mv)
        parabola = self.curvature_per_mv * (voltage - self.rest_mv) * (voltage - self.critical_mv)
        return QIFState((parabola + self.resistance_mohm * net_current(stimulus(input), voltage)) / self.tau_ms)

    def jump(self, state: QIFState, input: Reaching, dt_ms: Float[Array, ""]) -> tuple[QIFState, Spike]:
        """Peak and reset."""
        spike = self.spike(state.voltage_mv - self.peak_mv)
        attached = detached(spike, self.detach_reset)
        # As a mixture, not as a difference: far above the peak a difference would leave a rounding of V.
        return QIFState((1 - attached) * state.voltage_mv + attached * self.reset_mv), spike

    def distance(self, state: QIFState) -> Float[Array, ""]:
        """`V - V_peak` (mV)."""
        return state.voltage_mv - self.peak_mv

    def fire(self, state: QIFState) -> QIFState:
        """V at V_r."""
        return QIFState(self.reset_mv)
