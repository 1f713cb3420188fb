"""A membrane made of channels: any list of them, each with gates, a largest conductance and a reversal potential."""

from typing import ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.flow import Relaxing
from jaxneuro.located import Eventful
from jaxneuro.machine import Parameterised, Scalar, parameter
from jaxneuro.root import root
from jaxneuro.stimulus import Reaching, Stimulus, jumped, net_current, stimulus

Spike = Float[Array, ""]

FARTHEST_MV = 300.0  # gates take a voltage beyond this, or below its negative, for it: no exponential overflows


class Kinetics(NamedTuple):
    """How a gate moves at one voltage: `dx/dt = rate (target - x)`, the rate in 1/ms, the target from 0 to 1."""

    rate: Float[Array, ""]
    target: Float[Array, ""]


class Gates(eqx.Module):
    """The gates of one channel, each from 0 (shut) to 1 (open); None for one that it does not have."""

    activation: Float[Array, ""] | None = None
    inactivation: Float[Array, ""] | None = None


def opening_and_closing(alpha: Float[Array, ""], beta: Float[Array, ""]) -> Kinetics:
    """The kinetics of a gate that opens and closes at given rates: `dx/dt = alpha (1 - x) - beta x`.

    Args:
        alpha: rate of opening (1/ms).
        beta: rate of closing (1/ms).

    Returns:
        `alpha + beta` and `alpha / (alpha + beta)`.
    """
    return Kinetics(alpha + beta, alpha / (alpha + beta))


class Channel(Parameterised):
    """A kind of channel in a membrane: its current is `g m^power h (V - E)`, outward positive.

    m and h are its activation and its inactivation, 1 for a gate that it does not have; without gates it is a leak.
    Conductances are in mS/cm2, voltages in mV, times in ms.
    """

    power: ClassVar[int] = 1
    conductance_ms_per_cm2: eqx.AbstractVar[Float[Array, ""]]
    reversal_mv: eqx.AbstractVar[Float[Array, ""]]

    def activation(self, voltage_mv: Float[Array, ""]) -> Kinetics | None:
        """The gate that depolarisation opens, or the only gate; none unless a channel says otherwise."""
        return None

    def inactivation(self, voltage_mv: Float[Array, ""]) -> Kinetics | None:
        """The gate that depolarisation shuts; none unless a channel says otherwise."""
        return None

    def conductance(self, gates: Gates) -> Float[Array, ""]:
        """What is open of the largest conductance (mS/cm2)."""
        conductance = self.conductance_ms_per_cm2
        if gates.activation is not None:
            conductance = conductance * gates.activation**self.power
        return conductance if gates.inactivation is None else conductance * gates.inactivation

    def kinetics(self, voltage_mv: Float[Array, ""]) -> tuple[Gates, Gates]:
        """Rates and targets of all gates at a voltage."""
        voltage = jnp.clip(voltage_mv, -FARTHEST_MV, FARTHEST_MV)
        moves = (self.activation(voltage), self.inactivation(voltage))
        rates, targets = zip(*(move or (None, None) for move in moves), strict=True)
        return Gates(*rates), Gates(*targets)


class MembraneState(eqx.Module):
    """The gates of every channel, the membrane voltage (mV), and 1.0 while that is at threshold or above."""

    channels: tuple[Gates, ...]
    voltage_mv: Float[Array, ""]
    above: Float[Array, ""]


class Membrane(Parameterised, Relaxing[MembraneState, Reaching, Spike], Eventful[MembraneState, Reaching, Spike]):
    """A patch of membrane with channels k: `C dV/dt = I - sum_k g_k open_k (V - E_k)`.

    It is a flow: `SplitExponentialEuler(Membrane(channels))` is the machine, "gates first, then V", and
    `Located(Membrane(channels))` one with exact spike times. It starts at the rest of its own parameters, which is
    solved for; gradients go through it.

    Fields:
        channels: a tuple of them, such as `(SquidSodium(), SquidPotassium(), Leak())`; at least one is always open.
        capacitance_uf_per_cm2: C (uF/cm2).
        threshold_mv: the voltage whose upward crossing is a spike (mV).

    Input: current (uA/cm2), a scalar; or a `Stimulus` with channels (mS/cm2, and uA/cm2 for `g E`) or a jump of V (mV).
    Output: 1.0 in the step in which V reaches threshold from below, else 0.0; it has no gradient, the voltage has.

    Reference: Hodgkin and Huxley 1952, Journal of Physiology 117:500, eq. 26, for any number of channels.
    """

    channels: tuple[Channel, ...]
    capacitance_uf_per_cm2: Scalar = parameter(1.0, above=0.0, unit="uF/cm2")
    threshold_mv: Scalar = parameter(0.0, unit="mV")

    def __check_init__(self) -> None:
        if not self.channels:
            raise ValueError("Membrane got no channels; it must have at least one: Membrane((Leak(),)).")

    def init(self, key: PRNGKeyArray) -> MembraneState:
        """At rest without input."""
        return self.rest()

    @jax.jit  # always compiled, so that inside other programs it has the same last digits
    def rest(self) -> MembraneState:
        """Where the steady currents of all channels add up to 0."""
        reversals = jnp.stack([channel.reversal_mv for channel in self.channels])
        voltage = root(lambda v: v - self._voltage(self.steady(v), Stimulus())[1], reversals.min(), reversals.max())
        return MembraneState(self.steady(voltage), voltage, (voltage >= self.threshold_mv).astype(voltage.dtype))

    def receive(self, state: MembraneState, input: Reaching) -> MembraneState:
        """A jump of the voltage."""
        return MembraneState(state.channels, jumped(stimulus(input), state.voltage_mv), state.above)

    def relaxation(self, state: MembraneState, input: Reaching) -> tuple[MembraneState, MembraneState]:
        """Rates (1/ms) and targets of gates and voltage."""
        moves = [channel.kinetics(state.voltage_mv) for channel in self.channels]
        rate, target = self._voltage(state.channels, stimulus(input))
        rates = MembraneState(tuple(rates for rates, _ in moves), rate, jnp.zeros_like(state.above))
        return rates, MembraneState(tuple(targets for _, targets in moves), target, state.above)

    def jump(self, state: MembraneState, input: Reaching, dt_ms: Float[Array, ""]) -> tuple[MembraneState, Spike]:
        """A spike where V has come up to threshold."""
        above = (state.voltage_mv >= self.threshold_mv).astype(state.above.dtype)
        return MembraneState(state.channels, state.voltage_mv, above), above * (1 - state.above)

    def distance(self, state: MembraneState) -> Float[Array, ""]:
        """`V - threshold` (mV)."""
        return state.voltage_mv - self.threshold_mv

    def fire(self, state: MembraneState) -> MembraneState:
        """A spike of a membrane with channels resets nothing."""
        return state

    def steady(self, voltage_mv: Float[Array, ""]) -> tuple[Gates, ...]:
        """The gates after a long time at one voltage."""
        return tuple(channel.kinetics(voltage_mv)[1] for channel in self.channels)

    def _voltage(self, gates: tuple[Gates, ...], reached: Stimulus) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Rate `sum(g) / C` (1/ms) and target `(I + sum(g E)) / sum(g)` (mV) of the voltage."""
        open_ = [channel.conductance(own) for channel, own in zip(self.channels, gates, strict=True)]
        total = sum(open_[1:], open_[0])
        driving = [conductance * channel.reversal_mv for conductance, channel in zip(open_, self.channels, strict=True)]
        current = sum(driving[1:], driving[0]) + net_current(reached, jnp.zeros_like(total))
        if reached.channels is not None:
            total = total + reached.channels.conductance
        return total / self.capacitance_uf_per_cm2, current / total
