"""Plastic synapses and the neurons they drive, closed into one machine."""

from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from jaxneuro.machine import StateMachine, explicit
from jaxneuro.synapses.firing import Firing


class PlasticState(eqx.Module):
    """The states of the synapses and of the neurons, and the spikes of the last step."""

    synapses: PyTree
    neurons: PyTree
    fired: Float[Array, "outputs"]


class Plastic(StateMachine[PlasticState, Float[Array, "inputs"], Float[Array, "outputs"]]):
    """Synapses that learn from the spikes they cause: `y_t = neurons(synapses(x_t, y_{t-1}))`.

    The postsynaptic spikes that a rule sees are one step old, as if they had to travel back from the soma.

    Fields:
        synapses: a rule that takes `Firing` and puts out a drive, such as `PairSTDP`.
        neurons: takes the drive and puts out spikes, such as a `Population` of `LIF`; the units are those between them.
        initial: y before the first step, `[outputs]`; zeros are silence.

    Input: presynaptic spikes, `[inputs]`. Output: postsynaptic spikes, `[outputs]`.

    Reference: back-propagating spikes as the signal of plasticity, Markram et al. 1997, Science 275:213.
    """

    synapses: StateMachine[Any, Firing, Float[Array, "outputs"]]
    neurons: StateMachine[Any, Any, Float[Array, "outputs"]]
    initial: Float[Array, "outputs"] = eqx.field(converter=explicit)

    def init(self, key: PRNGKeyArray) -> PlasticState:
        """Synapses and neurons at their starts, the spikes at `initial`."""
        first, second = jax.random.split(key)
        return PlasticState(self.synapses.init(first), self.neurons.init(second), self.initial)

    def step(self, state: PlasticState, input: Float[Array, "inputs"]) -> tuple[PlasticState, Float[Array, "outputs"]]:
        """The synapses first, then the neurons on their drive."""
        synapses, drive = self.synapses.step(state.synapses, Firing(input, state.fired))
        neurons, fired = self.neurons.step(state.neurons, drive)
        return PlasticState(synapses, neurons, fired), fired
