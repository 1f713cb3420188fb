"""A recurrent network of any kind of neuron, however the neuron takes its inputs, as a config describes it."""

import inspect
from typing import Annotated, Any

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from jaxneuro.compose import Chain, Feedback, Population
from jaxneuro.launch.config import ConfigPart, Name, Positive
from jaxneuro.launch.kinds import Kind, MachineSpec, build
from jaxneuro.machine import StateMachine
from jaxneuro.networks.places import Fold, Total
from jaxneuro.synapses.dense import Dense

AnyNeuron = Annotated[MachineSpec, Kind(supplied=("inputs", "units", "outputs", "memories", "dendrites", "key"))]
# For neurons that take several numbers: an input of a neuron is the sum of all synapses onto one place of it.
PLACES = 3


class Contender(ConfigPart):
    """A network but for its number of neurons.

    A kind that takes `memories` is the whole network, one neuron with as many memories. One that takes `units` is a
    layer with synapses of its own. One that takes `dendrites` or `inputs` has three places, to each of which synapses
    from all inputs and all neurons lead. One that takes a single number has synapses onto that.

    Fields:
        recurrent: whether neurons that have no synapses of their own are joined all to all.
        input_gain, recurrent_gain: of such synapses.
        readout: a neuron for every output, such as a leaky one.
        shape: what stands for the neuron in a figure: its family.
    """

    name: Name
    neuron: AnyNeuron
    shape: str = "point"
    recurrent: bool = True
    input_gain: Positive = 1.0
    recurrent_gain: Positive = 1.0
    readout: Annotated[MachineSpec, Kind(supplied=())] | None = None

    @property
    def alone(self) -> bool:
        """Whether one neuron is the whole network."""
        return "memories" in inspect.signature(self.neuron.machine_class).parameters

    def draw(self, inputs: int, units: int, outputs: int, *, key: PRNGKeyArray) -> StateMachine:
        """Draw the network.

        Args:
            inputs: size of an input.
            units: number of neurons; of memories, if one neuron is all.
            outputs: size of an output.
            key: random key for the weights.

        Returns:
            A machine from `[inputs]` to `[outputs]`.
        """
        neuron_key, input_key, recurrent_key, output_key = jax.random.split(key, 4)
        takes = inspect.signature(self.neuron.machine_class).parameters
        if self.alone:
            return build(self.neuron, inputs=inputs, outputs=outputs, memories=units, key=neuron_key)
        tail = [] if self.readout is None else [Population(build(self.readout), outputs, shared=True)]
        if "units" in takes:
            layer = build(self.neuron, inputs=inputs, units=units, key=neuron_key)
            return Chain(layer, Dense(getattr(layer, "outputs", units), outputs, key=output_key), *tail)
        sizes: dict[str, Any] = {"dendrites": PLACES - 1} if "dendrites" in takes else {"inputs": PLACES}
        places = PLACES if {"dendrites", "inputs"} & takes.keys() else 1
        single = build(self.neuron, key=neuron_key, **(sizes if places > 1 else {}))
        body: StateMachine = Population(single, units, shared=True)
        if places > 1:
            body = Chain(Fold(places), body, Total())
        if self.recurrent:
            path = Dense(units, places * units, bias=False, gain=self.recurrent_gain, key=recurrent_key)
            body = Feedback(body, path, jnp.zeros(units, path.weights.dtype))
        synapses = Dense(inputs, places * units, gain=self.input_gain, key=input_key)
        return Chain(synapses, body, Dense(units, outputs, key=output_key), *tail)
