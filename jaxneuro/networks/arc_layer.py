"""A recurrent layer whose neurons send each other code: any task of sequences can be put to it, and trained through it.

It is what `RNN` and `LSTM` are among neurons that keep to themselves, so that it stands where they stand.
"""

from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.compose import Population
from jaxneuro.initial import check_choice, check_sizes, glorot, orthogonal
from jaxneuro.machine import StateMachine, parameter
from jaxneuro.neurons.conversational import Conversation, Heard, PacketGenome
from jaxneuro.neurons.similarity.leaky_rate import LeakyRate

PROGRAM = ("gain", "threshold", "memory")
LIMITS = (4.0, 4.0, 6.0)
PACKETS = ("instructions", "numbers", "none")
CAUTION = 4.0  # with less, untrained packets would erase programs within a sequence
EXPRESSED = 0.0  # expression threshold at birth: every neuron has some Arc, and so its packets have a gradient


class ArcLayerState(eqx.Module):
    """The neurons, their programs and mail if they send any, and what they put out last."""

    neurons: Any
    output: Float[Array, "units"]


class ArcLayer(StateMachine[ArcLayerState, Float[Array, "inputs"], Float[Array, "units"]]):
    """Leaky rate neurons with trained synapses that rewrite each other's gain, threshold and memory by packets.

    `y <- neurons(W x + U y + b)`, where the neurons are a `Conversation` of `LeakyRate` neurons; a step is an hour of
    its clock. Every neuron hears all others. Within a sequence packets change programs; by gradient the layer learns
    weights, the programs that neurons start with, and the genome that writes the packets.

    Fields (all quantities dimensionless):
        neurons: the conversation, or without packets the population.
        input_weights: W, `[units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[units, units]`, orthogonal (Saxe et al. 2014).
        bias: b, `[units]`, 0.

    Args:
        packets: "instructions" are executed on the receiver's program; "numbers" are data, the first of which is added
            to what drives the receiver, and change no program, so that the others and the opcodes do nothing; with
            "none" neurons have no genome.
        address, hidden: of `PacketGenome`.
        capacity: packets that a neuron reads in a step.
        memory: that of every neuron at birth.

    Input `[inputs]`. Output: y, `[units]`.

    Reference: as of `Conversation`; Pastuzyn et al. 2018, Cell 172:275 (Arc); Schmidhuber 1992, Neural Computation
        4:131 (a network that rewrites itself within a sequence). The layer is ours.
    """

    neurons: Conversation | Population
    input_weights: Float[Array, "units inputs"] = parameter()
    recurrent_weights: Float[Array, "units units"] = parameter()
    bias: Float[Array, "units"] = parameter()

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        packets: Literal["instructions", "numbers", "none"] = "instructions",
        address: int = 2,
        hidden: int = 4,
        capacity: int = 4,
        memory: float = -1.0,
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("ArcLayer", inputs=inputs, units=units, address=address, hidden=hidden, capacity=capacity)
        check_choice("ArcLayer", "packets", packets, PACKETS)
        input_key, recurrent_key, genome_key = jax.random.split(key, 3)
        self.input_weights = glorot(input_key, units, inputs)
        self.recurrent_weights = orthogonal(recurrent_key, units)
        self.bias = jnp.zeros(units)
        neurons = LeakyRate(gain=jnp.ones(units), threshold=jnp.zeros(units), memory=jnp.full(units, memory))
        if packets == "none":
            self.neurons = Population(neurons, units)
            return
        self.neurons = Conversation(
            neurons,
            PacketGenome(len(PROGRAM), address=address, hidden=hidden, caution=CAUTION, key=genome_key),
            1 - jnp.eye(units),
            jnp.negative(jnp.asarray(LIMITS)),
            LIMITS,
            tau_calcium_h=4.0,
            tau_arc_h=4.0,
            expression_threshold=EXPRESSED,
            names=PROGRAM,
            hear=driven if packets == "numbers" else None,
            capacity=min(capacity, units),
        )

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.recurrent_weights.shape[-1]

    def init(self, key: PRNGKeyArray) -> ArcLayerState:
        """Neurons as they are born."""
        return ArcLayerState(self.neurons.init(key), jnp.zeros_like(self.bias))

    def step(self, state: ArcLayerState, input: Float[Array, "inputs"]) -> tuple[ArcLayerState, Float[Array, "units"]]:
        """Synapses, then neurons."""
        drive = self.input_weights @ input + self.recurrent_weights @ state.output + self.bias
        if isinstance(self.neurons, Conversation):
            neurons, output = self.neurons.step(
                state.neurons, Heard(drive, jnp.zeros_like(drive), jnp.ones_like(drive[0]))
            )
        else:
            neurons, output = self.neurons.step(state.neurons, drive)
        return ArcLayerState(neurons, output), output


def driven(input: Float[Array, ""], numbers: Float[Array, "program"]) -> Float[Array, ""]:
    """The input with the first of the numbers added."""
    return input + numbers[0]
