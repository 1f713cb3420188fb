"""The genome of a cell: its graph as integer arrays of fixed shape.

The values that a cell computes in one step are its wires. They are numbered in the order in which they are made, so a
wire reads smaller numbers alone and every graph is free of cycles:

    0 the number 0 | 1 the number 1 | the states before the step | stage 1: its slots, its nodes | stage 2: ... | ...

A slot is a linear map with an activation, `act(W x + U v + b)`: x is the cell's input, v one earlier wire, the same for
all slots of a stage, so that a stage is one matrix product; each of the three terms may be absent, and a slot with b
alone is a learned vector. A node is elementwise: it combines two earlier wires and applies an activation. At the end of
the step each state takes the value of some wire, and so does the output.

Both tables below are data. A node is `act(p a + q b + r a b)` and an activation is
`gain tanh(scale u) + linear u + relu max(u, 0) + step [u >= 0] + constant`, so that one formula holds for all.
"""

import dataclasses
from typing import NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Array, Int

ZERO, ONE, FIRST_STATE = 0, 1, 2
Integers = Array | np.ndarray


class Combine(NamedTuple):
    """How a node joins two wires: `p a + q b + r a b`."""

    p: float
    q: float
    r: float


class Activation(NamedTuple):
    """A scalar function: `gain tanh(scale u) + linear u + relu max(u, 0) + step [u >= 0] + constant`."""

    gain: float = 0.0
    scale: float = 0.0
    linear: float = 0.0
    relu: float = 0.0
    step: float = 0.0
    constant: float = 0.0


COMBINES = {
    "first": Combine(1, 0, 0),
    "add": Combine(1, 1, 0),
    "subtract": Combine(1, -1, 0),
    "multiply": Combine(0, 0, 1),
    "forget": Combine(0, 1, -1),  # (1 - a) b
}
ACTIVATIONS = {
    "identity": Activation(linear=1),
    "tanh": Activation(gain=1, scale=1),
    "sigmoid": Activation(gain=0.5, scale=0.5, constant=0.5),
    "relu": Activation(relu=1),
    "complement": Activation(linear=-1, constant=1),
    "negate": Activation(linear=-1),
    "spike": Activation(step=1),
}
# What the bias of a slot starts at: a number, and how often the logarithm of a random time, one for each unit.
BIASES = {
    "none": (0, 0),
    "0": (0, 0),
    "1": (1, 0),
    "-1": (-1, 0),
    "4": (4, 0),
    "-4": (-4, 0),
    "long": (0, 1),
    "-long": (0, -1),
}

FIRST, ADD, SUBTRACT, MULTIPLY, FORGET = range(len(COMBINES))
IDENTITY, TANH, SIGMOID, RELU, COMPLEMENT, NEGATE, SPIKE = range(len(ACTIVATIONS))


@dataclasses.dataclass(frozen=True)
class Space:
    """The shape of a genome: cells of one space share their compiled programs.

    Args:
        stages: how many times linear maps follow one another within a step.
        slots: linear maps of a stage.
        nodes: elementwise nodes of a stage.
        states: vectors that the cell keeps.
    """

    stages: int = 2
    slots: int = 4
    nodes: int = 12
    states: int = 2

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            least, most = (0 if field.name == "nodes" else 1), LIMITS[field.name]
            if not least <= (came := getattr(self, field.name)) <= most:
                raise ValueError(f"Space got {field.name}={came}; it must be {least} to {most}.")

    @property
    def wires(self) -> int:
        """Number of wires."""
        return FIRST_STATE + self.states + self.stages * (self.slots + self.nodes)

    def slot(self, stage: int, slot: int = 0) -> int:
        """The wire of a slot."""
        return FIRST_STATE + self.states + stage * (self.slots + self.nodes) + slot

    def node(self, stage: int, node: int = 0) -> int:
        """The wire of a node."""
        return self.slot(stage, self.slots) + node


# What a file may ask for; a cell of these sizes still compiles in seconds.
LIMITS = {"stages": 8, "slots": 32, "nodes": 64, "states": 8}


class Genome(eqx.Module):
    """A cell graph; all leaves are integers, and may have leading axes for a population.

    Fields:
        source: the wire that the linear maps of a stage read.
        input, recurrent: whether a slot has the term W x, the term U v.
        bias: what the term b of a slot starts at, an index into `BIASES`.
        squash: the activation of a slot, an index into `ACTIVATIONS`.
        combine, first, second, activation: a node; `combine` is an index into `COMBINES`.
        next: the wire whose value a state takes.
        output: the wire that is the cell's output.
    """

    source: Int[Integers, "*population stages"]
    input: Int[Integers, "*population stages slots"]
    recurrent: Int[Integers, "*population stages slots"]
    bias: Int[Integers, "*population stages slots"]
    squash: Int[Integers, "*population stages slots"]
    combine: Int[Integers, "*population stages nodes"]
    first: Int[Integers, "*population stages nodes"]
    second: Int[Integers, "*population stages nodes"]
    activation: Int[Integers, "*population stages nodes"]
    next: Int[Integers, "*population states"]
    output: Int[Integers, "*population"]

    @property
    def space(self) -> Space:
        """The shape of the genome."""
        return Space(self.source.shape[-1], self.input.shape[-1], self.first.shape[-1], self.next.shape[-1])


def empty(space: Space) -> Genome:
    """A cell of this space that does nothing: no slot has a term, each node gives 0, each state keeps its value."""

    def zeros(*shape: int) -> np.ndarray:
        return np.zeros(shape, np.int32)

    slots, nodes = (space.stages, space.slots), (space.stages, space.nodes)
    return Genome(
        source=zeros(space.stages),
        input=zeros(*slots),
        recurrent=zeros(*slots),
        bias=zeros(*slots),
        squash=zeros(*slots),
        combine=zeros(*nodes),
        first=zeros(*nodes),
        second=zeros(*nodes),
        activation=zeros(*nodes),
        next=np.arange(space.states, dtype=np.int32) + FIRST_STATE,
        output=zeros(),
    )


def largest(space: Space) -> Genome:
    """The largest integer that each entry of a genome of this space may have; the smallest is 0 everywhere."""
    stages = np.arange(space.stages)
    start = FIRST_STATE + space.states + stages * (space.slots + space.nodes)
    operand = (start + space.slots)[:, None] + np.arange(space.nodes) - 1
    like = empty(space)

    def all_of(array: Integers, number: int) -> np.ndarray:
        return np.full_like(array, number)

    return Genome(
        source=(start - 1).astype(np.int32),
        input=all_of(like.input, 1),
        recurrent=all_of(like.recurrent, 1),
        bias=all_of(like.bias, len(BIASES) - 1),
        squash=all_of(like.squash, len(ACTIVATIONS) - 1),
        combine=all_of(like.combine, len(COMBINES) - 1),
        first=operand.astype(np.int32),
        second=operand.astype(np.int32),
        activation=all_of(like.activation, len(ACTIVATIONS) - 1),
        next=all_of(like.next, space.wires - 1),
        output=all_of(like.output, space.wires - 1),
    )


def check(genome: Genome) -> None:
    """Refuse a genome whose integers are out of range.

    Args:
        genome: one genome, of concrete integers.

    Raises:
        ValueError: naming the field, the place, what came and what is allowed.
    """
    most = largest(genome.space)
    for field in dataclasses.fields(genome):
        came, limit = np.asarray(getattr(genome, field.name)), getattr(most, field.name)
        if came.shape != limit.shape:
            raise ValueError(f"Genome.{field.name} has shape {list(came.shape)}; it must be {list(limit.shape)}.")
        wrong = (came < 0) | (came > limit)
        if wrong.any():
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            where = field.name + "".join(f"[{i}]" for i in place)
            raise ValueError(f"Genome.{where} is {came[place]}; it must be 0 to {limit[place]}.")


def live_wires(genome: Genome) -> set[int]:
    """The wires that the output of a cell depends on, now or later.

    Args:
        genome: one genome, of concrete integers.

    Returns:
        Their numbers.
    """
    space, live, wanted = genome.space, set(), [int(genome.output)]
    while wanted:
        wire = wanted.pop()
        if wire in live:
            continue
        live.add(wire)
        if FIRST_STATE <= wire < space.slot(0):
            wanted.append(int(genome.next[wire - FIRST_STATE]))
        elif wire >= space.slot(0):
            stage, place = divmod(wire - space.slot(0), space.slots + space.nodes)
            if place >= space.slots:
                at = stage, place - space.slots
                wanted += [int(genome.first[at])]
                wanted += [int(genome.second[at])] if genome.combine[at] != FIRST else []
            elif genome.recurrent[stage, place]:
                wanted.append(int(genome.source[stage]))
    return live


def parameter_count(genome: Genome, inputs: int, units: int) -> int:
    """Number of weights that a cell uses: those of the terms that its live slots have.

    Args:
        genome: one genome, of concrete integers.
        inputs: inputs of the cell.
        units: neurons of the cell.

    Returns:
        The number of scalars.
    """
    live, space, count = live_wires(genome), genome.space, 0
    for stage, slot in np.ndindex(space.stages, space.slots):
        if space.slot(stage, slot) in live:
            terms = (genome.input[stage, slot] > 0) * inputs + (genome.recurrent[stage, slot] > 0) * units
            count += units * int(terms + (genome.bias[stage, slot] > 0))
    return count
