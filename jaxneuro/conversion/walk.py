"""Going through a network layer by layer, to see what reaches each layer in one step of time."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from jaxneuro.compose import Chain, ChainState
from jaxneuro.conversion.clipped_steps import ClippedSteps
from jaxneuro.conversion.layers import AveragePool, Flat, Rectifier
from jaxneuro.conversion.residual import Residual, ResidualState
from jaxneuro.conversion.spiking_relu import SpikingReLU
from jaxneuro.machine import StateMachine
from jaxneuro.synapses.conv import Conv
from jaxneuro.synapses.dense import Dense

SYNAPSES = (Dense, Conv)
NEURONS = (Rectifier, ClippedSteps, SpikingReLU)


class Visit(NamedTuple):
    """A layer, and what reaches it.

    Attributes:
        machine: synapses, neurons, or a `Residual`, which stands for its shortcut without synapses.
        input: what reaches it in this step.
        output: what it answers.
        quantum: the part of a spike that inputs are whole multiples of; 0 if they are graded and the same in every
            step; None if they are graded.
    """

    machine: StateMachine
    input: Any
    output: Any
    quantum: float | None


def walk(
    machine: StateMachine, state: PyTree, input: Array, quantum: float | None, visits: list[Visit]
) -> tuple[PyTree, Array, float | None]:
    """One step of a network.

    Args:
        machine: `Chain` and `Residual` of synapses, neurons, `AveragePool` and `Flat`.
        state: its state.
        input: what reaches it.
        quantum: see `Visit`.
        visits: a visit of every layer is appended, in the order in which a signal meets them.

    Returns:
        The new state, the output and its quantum.

    Raises:
        TypeError: the network has a machine of another kind.
    """
    if isinstance(machine, Chain):
        states = []
        for part, part_state in zip(machine.machines, state.states, strict=True):
            part_state, input, quantum = walk(part, part_state, input, quantum, visits)
            states.append(part_state)
        return ChainState(tuple(states)), input, quantum
    if isinstance(machine, Residual):
        body_state, output, _ = walk(machine.body, state.body, input, quantum, visits)
        shortcut_state, around = state.shortcut, input
        if machine.shortcut is None:
            visits.append(Visit(machine, input, input, quantum))
        else:
            shortcut_state, around, _ = walk(machine.shortcut, state.shortcut, input, quantum, visits)
        return ResidualState(body_state, shortcut_state), output + machine.gain * around, None
    if isinstance(machine, SYNAPSES + NEURONS):
        state, output = machine.step(state, input)
        visits.append(Visit(machine, input, output, quantum))
        held = quantum if quantum == 0 else None
        return state, output, 1.0 if isinstance(machine, SpikingReLU) else held
    if isinstance(machine, AveragePool):
        state, output = machine.step(state, input)
        return state, output, None if quantum is None else quantum / machine.size**2
    if isinstance(machine, Flat):
        state, output = machine.step(state, input)
        return state, output, quantum
    raise TypeError(
        f"a network to convert has a {type(machine).__name__}; it may have Chain, Residual, Dense, Conv, Rectifier, "
        "ClippedSteps, SpikingReLU, AveragePool and Flat."
    )


def plan(network: StateMachine, inputs: tuple[int, ...], quantum: float | None = None) -> list[Visit]:
    """All layers of a network in order, with the shapes of what reaches them.

    Args:
        network: as for `walk`.
        inputs: shape of one input.
        quantum: of the input, see `Visit`.

    Returns:
        Visits, whose input and output have shapes but no numbers.
    """
    visits: list[Visit] = []

    def once(input: Float[Array, "..."]) -> Array:
        return walk(network, network.init(jax.random.key(0)), input, quantum, visits)[1]

    jax.eval_shape(once, jax.ShapeDtypeStruct(inputs, jnp.result_type(float)))
    return [visit._replace(input=_shape(visit.input), output=_shape(visit.output)) for visit in visits]


def _shape(array: Array) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(array.shape, array.dtype)
