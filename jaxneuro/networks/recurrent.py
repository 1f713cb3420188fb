"""One recurrent network for any neuron: input synapses, neurons with feedback, output synapses, readout."""

import inspect
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from jaxneuro.compose import Chain, Feedback, Population
from jaxneuro.machine import StateMachine
from jaxneuro.synapses.dense import Dense


def takes_vectors(neuron: type[StateMachine]) -> bool:
    """Whether a kind of neuron is a layer with synapses of its own, made by `neuron(inputs, units, key=key)`."""
    return {"inputs", "units"} <= set(inspect.signature(neuron).parameters)


def recurrent_network(
    make: Callable[..., StateMachine],
    layer: bool,
    inputs: int,
    units: int,
    outputs: int,
    *,
    readout: StateMachine | None = None,
    input_gain: float = 1.0,
    recurrent_gain: float = 1.0,
    key: PRNGKeyArray,
) -> Chain:
    """A network with one recurrent layer.

    Scalar neurons (`make()`): `Dense(inputs, units)`, then `units` of them that share their own parameters and are
    joined all to all through `Dense(units, units)` with one step of delay. A layer with synapses of its own
    (`make(inputs, units, key=...)`, such as an LSTM) stands for both. Then `Dense(units, outputs)`, and a population of
    `readout` neurons if one is given.

    Args:
        make: makes the neuron or the layer.
        layer: whether `make` makes a layer.
        inputs: size of an input.
        units: number of neurons.
        outputs: size of an output.
        readout: a scalar machine for every output, such as `LeakyReadout()`.
        input_gain: gain of the input synapses of scalar neurons.
        recurrent_gain: gain of their recurrent synapses.
        key: random key for the weights.

    Returns:
        A machine from `[inputs]` to `[outputs]`.
    """
    input_key, recurrent_key, output_key = jax.random.split(key, 3)
    if layer:
        body = [make(inputs=inputs, units=units, key=input_key)]
    else:
        synapses = Dense(inputs, units, gain=input_gain, key=input_key)
        path = Dense(units, units, bias=False, gain=recurrent_gain, key=recurrent_key)
        neurons = Population(make(), units, shared=True)
        body = [synapses, Feedback(neurons, path, jnp.zeros(units, synapses.weights.dtype))]
    tail = [] if readout is None else [Population(readout, outputs, shared=True)]
    return Chain(*body, Dense(units, outputs, key=output_key), *tail)
