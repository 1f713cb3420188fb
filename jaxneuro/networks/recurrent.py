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
    layers: int = 1,
    readout: StateMachine | None = None,
    input_gain: float = 1.0,
    recurrent_gain: float = 1.0,
    key: PRNGKeyArray,
) -> Chain:
    """A network of recurrent layers, each fed by the one before.

    Scalar neurons (`make()`): `Dense(inputs, units)`, then `units` of them that share their own parameters and are
    joined all to all through `Dense(units, units)` with one step of delay. A layer with synapses of its own
    (`make(inputs, units, key=...)`, such as an LSTM) stands for both; it may say in `outputs` that it puts out more
    numbers than it has neurons. Then `Dense(units, outputs)`, and a population of `readout` neurons if one is given.

    Args:
        make: makes the neuron or the layer.
        layer: whether `make` makes a layer.
        inputs: size of an input.
        units: number of neurons.
        outputs: size of an output.
        layers: how many recurrent layers.
        readout: a scalar machine for every output, such as `LeakyReadout()`.
        input_gain: gain of the input synapses of scalar neurons.
        recurrent_gain: gain of their recurrent synapses.
        key: random key for the weights.

    Returns:
        A machine from `[inputs]` to `[outputs]`.
    """
    if layers < 1:
        raise ValueError(f"recurrent_network got layers={layers}; it must be at least 1.")
    input_key, recurrent_key, output_key = jax.random.split(key, 3)
    body: list[StateMachine] = []
    width = inputs
    for index in range(layers):
        # The first layer's weights are those of the network that has no other.
        above, beside = (input_key, recurrent_key) if index == 0 else jax.random.split(jax.random.fold_in(key, index))
        if layer:
            body.append(make(inputs=width, units=units, key=above))
            width = getattr(body[-1], "outputs", units)
        else:
            synapses = Dense(width, units, gain=input_gain, key=above)
            path = Dense(units, units, bias=False, gain=recurrent_gain, key=beside)
            neurons = Population(make(), units, shared=True)
            body += [synapses, Feedback(neurons, path, jnp.zeros(units, synapses.weights.dtype))]
            width = units
    tail = [] if readout is None else [Population(readout, outputs, shared=True)]
    return Chain(*body, Dense(width, outputs, key=output_key), *tail)
