"""Synapses that open channels instead of injecting a current."""

from typing import Any

from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.stimulus import Conductance


class ConductanceBased(StateMachine[PyTree, PyTree, Conductance]):
    """Any kinetics as a conductance: `I = g (E - V)`, where g is what the kinetics put out.

    Fields:
        kinetics: a machine whose output is g, such as `Exponential(weight=0.006)`; its weight is a conductance, in the
            neuron's unit of current per mV. A `Population` of kinetics serves one neuron each.
        reversal_mv: E (mV), about 0 for excitation (AMPA), -70 to -80 for inhibition (GABA A).

    Input: that of the kinetics. Output: a `Conductance` of the shape of g, a scalar or `[neurons]`.

    Reference: Destexhe, Mainen and Sejnowski 1994, Journal of Computational Neuroscience 1:195.
    """

    kinetics: StateMachine[Any, Any, Float[Array, "*neurons"]]
    reversal_mv: Scalar = parameter(0.0, unit="mV")

    def init(self, key: PRNGKeyArray) -> PyTree:
        """The kinetics' start."""
        return self.kinetics.init(key)

    def step(self, state: PyTree, input: PyTree) -> tuple[PyTree, Conductance]:
        """`(g, g E)`."""
        state, conductance = self.kinetics.step(state, input)
        return state, Conductance(conductance, conductance * self.reversal_mv)
