"""The NMDA synapse: a conductance that magnesium blocks at rest."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.stimulus import Conductance
from jaxneuro.synapses.dual_exponential import DualExponential


class ArrivingAt(eqx.Module):
    """What arrives, and the voltage (mV) of the membrane it arrives at, both a scalar or `[neurons]`."""

    arriving: PyTree[Array]
    voltage_mv: Float[Array, "*neurons"]


class NMDA(StateMachine[PyTree, ArrivingAt, Conductance]):
    """Channels that open with glutamate and with depolarisation: `I = g B(V) (E - V)`.

    `B(V) = 1 / (1 + [Mg] / 3.57 e^(-0.062 V))`, the share of channels that magnesium does not block; g is what the
    kinetics put out. B is taken at the voltage given, and held for the step.

    Fields:
        kinetics: a machine whose output is g, in the neuron's unit of current per mV.
        reversal_mv: E (mV).
        magnesium_mm: [Mg], the concentration outside (mM).
        half_block_mm: the concentration that blocks half of the channels at 0 mV (mM).
        steepness_per_mv: 0.062 (1/mV).

    Input: `ArrivingAt`: what the kinetics take, and the postsynaptic voltage, of shape `[neurons]` or a scalar. Output:
    a `Conductance` of g B and g B E.

    Reference: Jahr and Stevens 1990, Journal of Neuroscience 10:3178.
    """

    kinetics: StateMachine[Any, Any, Float[Array, "*neurons"]] = eqx.field(
        default_factory=lambda: DualExponential(tau_rise_ms=2.0, tau_decay_ms=100.0)
    )
    reversal_mv: Scalar = parameter(0.0, unit="mV")
    magnesium_mm: Scalar = parameter(1.0, at_least=0.0, unit="mM")
    half_block_mm: Scalar = parameter(3.57, above=0.0, unit="mM")
    steepness_per_mv: Scalar = parameter(0.062, above=0.0, unit="1/mV")

    def init(self, key: PRNGKeyArray) -> PyTree:
        """The kinetics' start."""
        return self.kinetics.init(key)

    def step(self, state: PyTree, input: ArrivingAt) -> tuple[PyTree, Conductance]:
        """`(g B, g B E)`."""
        state, conductance = self.kinetics.step(state, input.arriving)
        conductance = conductance * self.unblocked(input.voltage_mv)
        return state, Conductance(conductance, conductance * self.reversal_mv)

    def unblocked(self, voltage_mv: Float[Array, "*neurons"]) -> Float[Array, "*neurons"]:
        """B, as a logistic function of `0.062 V - ln([Mg] / 3.57)`, which overflows at no voltage."""
        share = self.magnesium_mm / self.half_block_mm
        # Without magnesium nothing is blocked; the logarithm is then taken of a harmless number.
        blockable = share > 0
        depth = jnp.log(jnp.where(blockable, share, 1))
        return jnp.where(blockable, jax.nn.sigmoid(self.steepness_per_mv * voltage_mv - depth), 1)
