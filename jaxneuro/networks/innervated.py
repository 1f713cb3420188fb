"""A neuron of many compartments with synapses on it."""

from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import StateMachine
from jaxneuro.neurons.dendritic.cable import Cable, CableState
from jaxneuro.synapses.nmda import NMDA, ArrivingAt
from jaxneuro.synapses.receptors import Receptors, ReceptorsState


class InnervatedState(eqx.Module):
    """The states of the neuron and of its receptors."""

    neuron: CableState
    receptors: ReceptorsState


class Innervated(StateMachine[InnervatedState, tuple[Array, ...], Float[Array, ""]]):
    """A cable with receptors in every compartment: `C_i dV_i/dt = ... + sum_k g_ik (E_k - V_i)`.

    The receptors take what arrives at each compartment, those for NMDA the voltage there before the step too, and what
    they put out, conductances in uS, reaches the compartments in the same step.

    Fields:
        neuron: the cable.
        receptors: kinetics for all compartments, such as `Receptors(ConductanceBased(Population(DualExponential(0.001),
            n, shared=True)), NMDA(Population(DualExponential(0.001), n, shared=True)))`; weights in uS.

    Input: a tuple, for each receptor the spikes that arrive, each times the weight of its synapse (dimensionless),
    `[compartments]`. Output: the cable's spike.

    Reference: Destexhe, Mainen and Sejnowski 1994, Journal of Computational Neuroscience 1:195.
    """

    neuron: Cable
    receptors: Receptors

    def init(self, key: PRNGKeyArray) -> InnervatedState:
        """The neuron at rest, the synapses closed."""
        neuron, receptors = jax.random.split(key)
        return InnervatedState(self.neuron.init(neuron), self.receptors.init(receptors))

    def step(self, state: InnervatedState, input: tuple[Array, ...]) -> tuple[InnervatedState, Float[Array, ""]]:
        """The receptors, then the neuron."""
        voltage = state.neuron.voltage_mv
        arriving: list[Any] = [
            ArrivingAt(spikes, voltage) if isinstance(receptor, NMDA) else spikes
            for receptor, spikes in zip(self.receptors.receptors, input, strict=True)
        ]
        receptors, reached = self.receptors.step(state.receptors, tuple(arriving))
        neuron, spike = self.neuron.step(state.neuron, reached)
        return InnervatedState(neuron, receptors), spike
