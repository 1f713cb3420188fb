"""The values of a cell as a graph in which equal values are one, and what 0 and 1 make trivial is folded."""

from typing import NamedTuple

import numpy as np

from jaxneuro.search.genome import (
    ACTIVATIONS,
    ADD,
    COMPLEMENT,
    FIRST,
    FORGET,
    IDENTITY,
    MULTIPLY,
    NEGATE,
    ONE,
    SPIKE,
    SUBTRACT,
    ZERO,
    Genome,
)

# What an activation makes of the numbers 0 and 1, where that is one of them.
OF_ZERO = {IDENTITY: ZERO, COMPLEMENT: ONE, SPIKE: ONE}
OF_ONE = {IDENTITY: ONE, COMPLEMENT: ZERO, SPIKE: ONE}
for _name in ("tanh", "relu", "negate"):
    OF_ZERO[list(ACTIVATIONS).index(_name)] = ZERO
OF_ONE[list(ACTIVATIONS).index("relu")] = ONE


class Wire(NamedTuple):
    """What makes a value.

    Attributes:
        kind: "zero", "one", "state", "slot" or "node".
        what: of a state its number; of a slot its stage, its place there, and its four genes; of a node how it combines
            and its activation.
        operands: the values that it reads; of a node of one operand that alone.
    """

    kind: str
    what: tuple[int, ...]
    operands: tuple[int, ...] = ()

    @property
    def commutes(self) -> bool:
        """Whether the order of the operands is no matter."""
        return self.kind == "node" and self.what[0] in (ADD, MULTIPLY)


class Graph:
    """The distinct values of a cell, each made once and after those it reads.

    A node does one thing here: it combines two values, or it is an activation of one. So `tanh(a + b)` is the same
    value whether one node of the genome makes it or two.
    """

    def __init__(self) -> None:
        self.wires: list[Wire] = [Wire("zero", ()), Wire("one", ())]
        self.known = {wire: number for number, wire in enumerate(self.wires)}

    def add(self, wire: Wire) -> int:
        """The number of a value; an equal one is not made again."""
        number = self.known.setdefault(wire, len(self.wires))
        if number == len(self.wires):
            self.wires.append(wire)
        return number

    def node(self, combine: int, first: int, second: int, activation: int) -> int:
        """The number of a node's value, after what can be said without computing it."""
        if combine == FORGET:
            combine, first = MULTIPLY, self.node(FIRST, first, ZERO, COMPLEMENT)
        combine, first, second = _simplified(combine, first, second)
        if combine == SUBTRACT and first in (ZERO, ONE):
            combine, first = FIRST, self.node(FIRST, second, ZERO, COMPLEMENT if first == ONE else NEGATE)
        value = first if combine == FIRST else self.add(Wire("node", (combine, IDENTITY), (first, second)))
        if activation == IDENTITY:
            return value
        folded = {ZERO: OF_ZERO, ONE: OF_ONE}.get(value, {}).get(activation)
        return self.add(Wire("node", (FIRST, activation), (value,))) if folded is None else folded


def _simplified(combine: int, first: int, second: int) -> tuple[int, int, int]:
    """A simpler way to combine two wires if one of them is 0 or 1, or both are the same; else operands in order."""
    if combine == ADD and ZERO in (first, second):
        return FIRST, max(first, second), ZERO
    if combine == SUBTRACT and (second == ZERO or first == second):
        return FIRST, (first if second == ZERO else ZERO), ZERO
    if combine == MULTIPLY and ZERO in (first, second):
        return FIRST, ZERO, ZERO
    if combine == MULTIPLY and ONE in (first, second):
        return FIRST, (second if first == ONE else first), ZERO
    if combine in (ADD, MULTIPLY) and second < first:
        return combine, second, first
    return combine, first, second


def read(genome: Genome, replaced: dict[int, int]) -> tuple[Graph, list[int]]:
    """The distinct values of a genome.

    Args:
        genome: one genome, of NumPy integers.
        replaced: for states that always equal another wire, 0 or an earlier state, that wire.

    Returns:
        The values, and the number of the value on each wire.
    """
    graph, numbers = Graph(), [ZERO, ONE]
    for s in range(genome.next.shape[0]):
        numbers.append(numbers[replaced[s]] if s in replaced else graph.add(Wire("state", (s,))))
    slots = np.stack([genome.input, genome.recurrent, genome.bias, genome.squash], -1).tolist()
    nodes = np.stack([genome.combine, genome.first, genome.second, genome.activation], -1).tolist()
    for stage, source in enumerate(genome.source.tolist()):
        source = numbers[source]
        for slot, (has_input, recurrent, bias, squash) in enumerate(slots[stage]):
            recurrent *= source != ZERO
            if has_input or recurrent or bias:
                what = (stage, slot, has_input, recurrent, bias, squash)
                numbers.append(graph.add(Wire("slot", what, (source,) if recurrent else ())))
            else:
                numbers.append(graph.node(FIRST, ZERO, ZERO, squash))
        for combine, first, second, activation in nodes[stage]:
            numbers.append(graph.node(combine, numbers[first], numbers[second], activation))
    return graph, numbers


def live_values(graph: Graph, states: dict[int, int], output: int) -> list[int]:
    """The values that the output depends on, now or later, each after its operands.

    Args:
        graph: the values.
        states: the value that each state takes.
        output: the value that is the output.
    """
    wanted, found = [output], set()
    while wanted:
        number = wanted.pop()
        if number not in found:
            found.add(number)
            wire = graph.wires[number]
            wanted += wire.operands
            wanted += [states[wire.what[0]]] if wire.kind == "state" else []
    return sorted(found)
