"""The Hodgkin-Huxley membrane of the squid giant axon."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.flow import Relaxing, inverse_exprel
from jaxneuro.located import Eventful
from jaxneuro.machine import Parameterised, Scalar, parameter
from jaxneuro.root import root
from jaxneuro.stimulus import Reaching, Stimulus, jumped, net_current, stimulus

Spike = Float[Array, ""]

FARTHEST_MV = 300.0  # gates take a voltage beyond this, or below its negative, for it: no exponential overflows


class HodgkinHuxleyGates(eqx.Module):
    """m, h and n: activation and inactivation of sodium, activation of potassium, each from 0 to 1."""

    sodium_activation: Float[Array, ""]
    sodium_inactivation: Float[Array, ""]
    potassium_activation: Float[Array, ""]


class HodgkinHuxleyState(eqx.Module):
    """The gates, the membrane voltage (mV), and 1.0 while that is at threshold or above."""

    gates: HodgkinHuxleyGates
    voltage_mv: Float[Array, ""]
    above: Float[Array, ""]


class HodgkinHuxley(
    Parameterised, Relaxing[HodgkinHuxleyState, Reaching, Spike], Eventful[HodgkinHuxleyState, Reaching, Spike]
):
    """A patch of squid axon: `C dV/dt = I - g_Na m^3 h (V - E_Na) - g_K n^4 (V - E_K) - g_L (V - E_L)`.

    Every gate obeys `dx/dt = q (alpha (1 - x) - beta x)`, `q = Q10^((T - 6.3) / 10)`, with rates in 1/ms, V in mV:

        m: alpha = 0.1 (V + 40) / (1 - exp(-(V + 40) / 10))       beta = 4 exp(-(V + 65) / 18)
        h: alpha = 0.07 exp(-(V + 65) / 20)                       beta = 1 / (1 + exp(-(V + 35) / 10))
        n: alpha = 0.01 (V + 55) / (1 - exp(-(V + 55) / 10))      beta = 0.125 exp(-(V + 65) / 80)

    Rates and their gradients are finite at V = -40 and -55 too. It is a flow: `SplitExponentialEuler(HodgkinHuxley())`
    is the machine, "gates first, then V", and `Located(HodgkinHuxley())` one with exact spike times. It starts at the
    rest of its own parameters, which is solved for; gradients go through it.

    Fields:
        sodium_ms_per_cm2, potassium_ms_per_cm2, leak_ms_per_cm2: g_Na, g_K, g_L (mS/cm2).
        sodium_mv, potassium_mv, leak_mv: reversal potentials E_Na, E_K, E_L (mV).
        capacitance_uf_per_cm2: C (uF/cm2).
        temperature_celsius: T (celsius).
        q10: how many times faster the gates are 10 degrees warmer (dimensionless).
        threshold_mv: the voltage whose upward crossing is a spike (mV).

    Input: current (uA/cm2), a scalar; or a `Stimulus` with channels (mS/cm2, and uA/cm2 for `g E`) or a jump of V (mV).
    Output: 1.0 in the step in which V reaches threshold from below, else 0.0; it has no gradient, the voltage has.

    Reference: Hodgkin and Huxley 1952, Journal of Physiology 117:500, eqs. 26 and 7 to 24, voltage counted from outside
    and upwards with rest near -65 mV.
    """

    sodium_ms_per_cm2: Scalar = parameter(120.0, at_least=0.0, unit="mS/cm2")
    potassium_ms_per_cm2: Scalar = parameter(36.0, at_least=0.0, unit="mS/cm2")
    leak_ms_per_cm2: Scalar = parameter(0.3, above=0.0, unit="mS/cm2")
    sodium_mv: Scalar = parameter(50.0, unit="mV")
    potassium_mv: Scalar = parameter(-77.0, unit="mV")
    leak_mv: Scalar = parameter(-54.387, unit="mV")
    capacitance_uf_per_cm2: Scalar = parameter(1.0, above=0.0, unit="uF/cm2")
    temperature_celsius: Scalar = parameter(6.3, unit="celsius")
    q10: Scalar = parameter(3.0, above=0.0)
    threshold_mv: Scalar = parameter(0.0, unit="mV")

    def init(self, key: PRNGKeyArray) -> HodgkinHuxleyState:
        """At rest without input."""
        return self.rest()

    @jax.jit  # always compiled, so that inside other programs it has the same last digits
    def rest(self) -> HodgkinHuxleyState:
        """Where the steady currents of all channels add up to 0."""
        reversals = jnp.stack([self.sodium_mv, self.potassium_mv, self.leak_mv])
        voltage = root(lambda v: v - self._voltage(self.steady(v), Stimulus())[1], reversals.min(), reversals.max())
        return HodgkinHuxleyState(self.steady(voltage), voltage, (voltage >= self.threshold_mv).astype(voltage.dtype))

    def receive(self, state: HodgkinHuxleyState, input: Reaching) -> HodgkinHuxleyState:
        """A jump of the voltage."""
        return HodgkinHuxleyState(state.gates, jumped(stimulus(input), state.voltage_mv), state.above)

    def relaxation(self, state: HodgkinHuxleyState, input: Reaching) -> tuple[HodgkinHuxleyState, HodgkinHuxleyState]:
        """Rates (1/ms) and targets of gates and voltage."""
        gate_rates, gate_targets = self.kinetics(state.voltage_mv)
        rate, target = self._voltage(state.gates, stimulus(input))
        rates = HodgkinHuxleyState(gate_rates, rate, jnp.zeros_like(state.above))
        return rates, HodgkinHuxleyState(gate_targets, target, state.above)

    def jump(
        self, state: HodgkinHuxleyState, input: Reaching, dt_ms: Float[Array, ""]
    ) -> tuple[HodgkinHuxleyState, Spike]:
        """A spike where V has come up to threshold."""
        above = (state.voltage_mv >= self.threshold_mv).astype(state.above.dtype)
        return HodgkinHuxleyState(state.gates, state.voltage_mv, above), above * (1 - state.above)

    def distance(self, state: HodgkinHuxleyState) -> Float[Array, ""]:
        """`V - threshold` (mV)."""
        return state.voltage_mv - self.threshold_mv

    def fire(self, state: HodgkinHuxleyState) -> HodgkinHuxleyState:
        """A spike of a membrane with channels resets nothing."""
        return state

    def steady(self, voltage_mv: Float[Array, ""]) -> HodgkinHuxleyGates:
        """The gates after a long time at one voltage."""
        return self.kinetics(voltage_mv)[1]

    def kinetics(self, voltage_mv: Float[Array, ""]) -> tuple[HodgkinHuxleyGates, HodgkinHuxleyGates]:
        """Rates `q (alpha + beta)` (1/ms) and targets `alpha / (alpha + beta)` of the gates at a voltage."""
        v = jnp.clip(voltage_mv, -FARTHEST_MV, FARTHEST_MV)
        # Three rates change e-fold within 10 mV: one exponential serves them all.
        z = -(v + 40) / 10
        power = jnp.exp(z)
        alpha = HodgkinHuxleyGates(
            inverse_exprel(z, power),
            0.07 * jnp.exp(-(v + 65) / 20),
            0.1 * inverse_exprel(-(v + 55) / 10, math.exp(-1.5) * power),
        )
        beta = HodgkinHuxleyGates(
            4 * jnp.exp(-(v + 65) / 18), 1 / (1 + math.exp(0.5) * power), 0.125 * jnp.exp(-(v + 65) / 80)
        )
        speed = self.q10 ** ((self.temperature_celsius - 6.3) / 10)
        rates = jax.tree.map(lambda a, b: speed * (a + b), alpha, beta)
        return rates, jax.tree.map(lambda a, b: a / (a + b), alpha, beta)

    def _voltage(self, gates: HodgkinHuxleyGates, reached: Stimulus) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Rate `sum(g) / C` (1/ms) and target `(I + sum(g E)) / sum(g)` (mV) of the voltage."""
        sodium = self.sodium_ms_per_cm2 * gates.sodium_activation**3 * gates.sodium_inactivation
        potassium = self.potassium_ms_per_cm2 * gates.potassium_activation**4
        total = sodium + potassium + self.leak_ms_per_cm2
        driving = sodium * self.sodium_mv + potassium * self.potassium_mv + self.leak_ms_per_cm2 * self.leak_mv
        driving = driving + net_current(reached, jnp.zeros_like(driving))
        if reached.channels is not None:
            total = total + reached.channels.conductance
        return total / self.capacitance_uf_per_cm2, driving / total
