"""A recurrent network of any kind of neuron, as a config describes it."""

import functools
from typing import Annotated

import jax
from jaxtyping import PRNGKeyArray

from jaxneuro.compose import Chain
from jaxneuro.launch.config import ConfigPart, Count, LearningRate, Name, NonNegative, Positive, Within
from jaxneuro.launch.kinds import Kind, MachineSpec, build
from jaxneuro.networks.recurrent import recurrent_network, takes_vectors

Neuron = Annotated[MachineSpec, Kind(supplied=("inputs", "units"))]
Readout = Annotated[MachineSpec, Kind(supplied=())]


class Architecture(ConfigPart):
    """A recurrent network but for its number of neurons: which kind, in how many layers, joined how strongly."""

    name: Name
    neuron: Neuron
    layers: Annotated[int, Within(at_least=1, at_most=100)] = 1
    readout: Readout | None = None
    input_gain: Positive = 1.0
    recurrent_gain: Positive = 1.0

    def draw(self, inputs: int, units: int, outputs: int, *, key: PRNGKeyArray) -> Chain:
        """Draw the network.

        Args:
            inputs: size of an input.
            units: number of neurons in a layer.
            outputs: size of an output.
            key: random key for the weights.

        Returns:
            A machine from `[inputs]` to `[outputs]`.
        """
        network_key, neuron_key, readout_key = jax.random.split(key, 3)
        layer = takes_vectors(self.neuron.machine_class)
        make = functools.partial(build, self.neuron) if layer else functools.partial(build, self.neuron, key=neuron_key)
        return recurrent_network(
            make,
            layer,
            inputs,
            units,
            outputs,
            layers=self.layers,
            readout=None if self.readout is None else build(self.readout, key=readout_key),
            input_gain=self.input_gain,
            recurrent_gain=self.recurrent_gain,
            key=network_key,
        )


class Network(Architecture):
    """One network of an experiment: what it is, how many neurons it has, and how fast it learns."""

    units: Count
    learning_rate: LearningRate
    weight_decay: NonNegative = 0.0

    def build(self, inputs: int, outputs: int, *, key: PRNGKeyArray) -> Chain:
        """Draw the network.

        Args:
            inputs: size of an input.
            outputs: size of an output.
            key: random key for the weights.

        Returns:
            A machine from `[inputs]` to `[outputs]`.
        """
        return self.draw(inputs, self.units, outputs, key=key)
