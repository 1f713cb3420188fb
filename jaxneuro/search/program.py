"""A genome as a straight-line program: what its cell computes in one step, line after line, without what is dead."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from jaxneuro.search.canonical import canonical
from jaxneuro.search.genome import (
    ACTIVATIONS,
    ADD,
    FIRST,
    FIRST_STATE,
    FORGET,
    MULTIPLY,
    ONE,
    SUBTRACT,
    ZERO,
    Genome,
    live_wires,
)

NOTHING = -1  # the source of a slot without U v
Place = tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Slot:
    """`squash(W x + U v + b)`; `source` is the wire v or `NOTHING`, `bias` and `squash` are as in a genome."""

    input: bool
    source: int
    bias: int
    squash: int


@dataclasses.dataclass(frozen=True)
class Node:
    """`activation(combine(first, second))`, as in a genome."""

    combine: int
    first: int
    second: int
    activation: int

    @property
    def operands(self) -> tuple[int, ...]:
        """The wires that it reads."""
        return (self.first,) if self.combine == FIRST else (self.first, self.second)


@dataclasses.dataclass(frozen=True)
class Program:
    """What a cell computes in one step, without what is dead; equal for genomes of one space that compute the same.

    Wires are numbered 0, 1, then the states, then the lines: a line is computed from wires of smaller numbers.

    Attributes:
        lines: slots and nodes, in an order in which they can be computed.
        next: the wire whose value each state takes.
        output: the wire that is the cell's output.
    """

    lines: tuple[Slot | Node, ...]
    next: tuple[int, ...]
    output: int

    @property
    def numbered(self) -> list[tuple[int, Slot | Node]]:
        """The lines with their wires."""
        return list(enumerate(self.lines, FIRST_STATE + len(self.next)))

    @functools.cached_property
    def slots(self) -> dict[int, Slot]:
        """The slots by wire, in the order of their weights: readers of one wire together, those with W x first."""
        slots = {wire: line for wire, line in self.numbered if isinstance(line, Slot)}
        sources = list(dict.fromkeys(slot.source for slot in slots.values()))
        order = sorted(slots, key=lambda wire: (sources.index(slots[wire].source), not slots[wire].input, wire))
        return {wire: slots[wire] for wire in order}

    @property
    def with_input(self) -> list[int]:
        """The wires of the slots with W x, in the order of W."""
        return [wire for wire, slot in self.slots.items() if slot.input]

    @property
    def recurrent(self) -> list[int]:
        """The wires of the slots with U v, in the order of U."""
        return [wire for wire, slot in self.slots.items() if slot.source != NOTHING]

    @property
    def biased(self) -> list[int]:
        """The wires of the slots with b, in the order of b."""
        return [wire for wire, slot in self.slots.items() if slot.bias]

    @functools.cached_property
    def names(self) -> list[str]:
        """A short name for each wire, as `show` gives them: h1.. for states, g1.. for slots, n1.. for nodes."""
        names = ["0", "1", *(f"h{s}" for s in range(1, len(self.next) + 1))]
        for letter in ("g" if isinstance(line, Slot) else "n" for line in self.lines):
            names.append(f"{letter}{1 + sum(name[0] == letter for name in names)}")
        return names


def program(genome: Genome) -> Program:
    """The straight-line program of a genome.

    Args:
        genome: one genome, of concrete integers.

    Returns:
        The program of its canonical form.

    Raises:
        ValueError: if the genome is out of range.
    """
    return read(canonical(genome).genome)[0]


def read(genome: Genome) -> tuple[Program, dict[int, Place]]:
    """The live part of a genome as it is.

    Args:
        genome: one genome, of concrete integers.

    Returns:
        The program, and the (stage, slot) of each of its slots by wire.
    """
    space, live = genome.space, live_wires(genome)
    numbers: dict[int, int] = {ZERO: ZERO, ONE: ONE}
    for wire in sorted(live - {ZERO, ONE}):
        numbers[wire] = len(numbers)
    lines: list[Slot | Node] = []
    places: dict[int, Place] = {}
    for wire in sorted(wire for wire in live if wire >= space.slot(0)):
        stage, place = divmod(wire - space.slot(0), space.slots + space.nodes)
        if place < space.slots:
            at = stage, place
            terms = (int(array[at]) for array in (genome.input, genome.recurrent, genome.bias, genome.squash))
            input, recurrent, bias, squash = terms
            source = numbers[int(genome.source[stage])] if recurrent else NOTHING
            lines.append(Slot(bool(input), source, bias, squash))
            places[numbers[wire]] = at
        else:
            at = stage, place - space.slots
            combine, first, activation = (int(array[at]) for array in (genome.combine, genome.first, genome.activation))
            second = ZERO if combine == FIRST else int(genome.second[at])
            lines.append(Node(combine, numbers[first], numbers[second], activation))
    kept = [s for s in range(space.states) if FIRST_STATE + s in live]
    following = tuple(numbers[int(genome.next[s])] for s in kept)
    return Program(tuple(lines), following, numbers[int(genome.output)]), places


class Functions(NamedTuple):
    """What a program is computed with; those of NumPy do as well as those of JAX."""

    tanh: Callable[[Any], Any]
    sigmoid: Callable[[Any], Any]
    relu: Callable[[Any], Any]
    spike: Callable[[Any], Any]
    concatenate: Callable[[Sequence[Any]], Any]
    full: Callable[[int, float, Any], Any]


class Weights(NamedTuple):
    """The weights of the slots of a program, in the orders that the program says.

    Attributes:
        input: W, `[slots, units, inputs]`.
        recurrent: U, `[slots, units, units]`.
        bias: b, `[slots, units]`.
    """

    input: Any
    recurrent: Any
    bias: Any


def evaluate(
    program: Program, weights: Weights, states: Sequence[Any], x: Any, functions: Functions
) -> tuple[list[Any], Any]:
    """One step of a program.

    Args:
        program: what to compute.
        weights: arrays of the kind that `functions` takes.
        states: the states before, each `[units]`.
        x: the input, `[inputs]`.
        functions: of NumPy or of JAX.

    Returns:
        The states after and the output, each `[units]`.
    """
    return evaluate_rest(program, weights, states, evaluate_drive(program, weights, x, functions), functions)


def evaluate_drive(program: Program, weights: Weights, x: Any, functions: Functions) -> Any:
    """`W x + b` of all slots with W x, one after the other.

    Args:
        program: what to compute.
        weights: arrays of the kind that `functions` takes.
        x: the input, `[inputs]`.
        functions: of NumPy or of JAX.

    Returns:
        `[slots with W x * units]`.
    """
    product = weights.input.reshape(-1, weights.input.shape[-1]) @ x
    bias = _bias(program, program.with_input, weights.bias, functions)
    return product if bias is None else product + bias


def _bias(program: Program, wires: Sequence[int], bias: Any, functions: Functions) -> Any | None:
    """The biases of these slots, one after the other, 0 for those without; None if none has one."""
    rows = [program.biased.index(wire) if program.slots[wire].bias else NOTHING for wire in wires]
    if all(row == NOTHING for row in rows):
        return None
    if NOTHING not in rows and rows == list(range(rows[0], rows[0] + len(rows))):
        return bias[rows[0] : rows[-1] + 1].reshape(-1)
    zero = functions.full(bias.shape[-1], 0, bias.dtype)
    return functions.concatenate([zero if row == NOTHING else bias[row] for row in rows])


def sums(
    program: Program,
    weights: Weights,
    source: int,
    wires: Sequence[Any] | Mapping[int, Any],
    drive: Any,
    functions: Functions,
) -> dict[int, Any]:
    """`W x + U v + b` of all slots that read one wire.

    Args:
        program: what to compute.
        weights: arrays of the kind that `functions` takes.
        source: the wire v, or `NOTHING`.
        wires: the values of wires; that of v is read.
        drive: what `evaluate_drive` gives.
        functions: of NumPy or of JAX.

    Returns:
        The sums by the wires of the slots, each `[units]`.
    """
    units, product = weights.bias.shape[-1], None
    readers = [wire for wire, slot in program.slots.items() if slot.source == source]
    if source != NOTHING:
        at = program.recurrent.index(readers[0])
        product = weights.recurrent[at : at + len(readers)].reshape(-1, units) @ wires[source]
    driven = [wire for wire in readers if program.slots[wire].input]
    found: dict[int, Any] = {}
    for part in filter(None, (driven, readers[len(driven) :])):
        if part is driven:
            first = _part(drive, program.with_input.index(part[0]), len(part), units)
        else:
            first = _bias(program, part, weights.bias, functions)
        second = None if product is None else _part(product, readers.index(part[0]), len(part), units)
        terms = [term for term in (first, second) if term is not None]
        total = sum(terms[1:], terms[0]) if terms else functions.full(len(part) * units, 0, weights.bias.dtype)
        found |= {wire: _part(total, i, 1, units) for i, wire in enumerate(part)}
    return found


def _part(array: Any, slot: int, count: int, units: int) -> Any:
    """What belongs to some slots of an array that has `units` entries for each."""
    return array if count * units == len(array) else array[slot * units : (slot + count) * units]


def evaluate_rest(
    program: Program, weights: Weights, states: Sequence[Any], drive: Any, functions: Functions
) -> tuple[list[Any], Any]:
    """The rest of a step.

    Args:
        program: what to compute.
        weights: arrays of the kind that `functions` takes.
        states: the states before, each `[units]`.
        drive: what `evaluate_drive` gives.
        functions: of NumPy or of JAX.

    Returns:
        The states after and the output, each `[units]`.
    """
    wires = evaluate_wires(program, weights, states, drive, functions)
    return [wires[wire] for wire in program.next], wires[program.output]


def evaluate_wires(
    program: Program, weights: Weights, states: Sequence[Any], drive: Any, functions: Functions
) -> list[Any]:
    """All wires of a step, line after line.

    Args:
        program: what to compute.
        weights: arrays of the kind that `functions` takes.
        states: the states before, each `[units]`.
        drive: what `evaluate_drive` gives.
        functions: of NumPy or of JAX.

    Returns:
        The value of each wire by its number, `[units]`: 0, 1, the states before, and the lines.
    """
    units, dtype = weights.bias.shape[-1], weights.bias.dtype
    wires = [functions.full(units, 0, dtype), functions.full(units, 1, dtype), *states]
    summed: dict[int, Any] = {}
    for wire, line in program.numbered:
        if isinstance(line, Node):
            value = combined(line.combine, wires[line.first], wires[line.second])
            wires.append(activated(line.activation, value, functions))
            continue
        if wire not in summed:
            summed |= sums(program, weights, line.source, wires, drive, functions)
        wires.append(activated(line.squash, summed[wire], functions))
    return wires


def combined(combine: int, a: Any, b: Any) -> Any:
    """Two values, or the first alone, joined as a node does.

    Args:
        combine: an index into `COMBINES`.
        a: the first value.
        b: the second.
    """
    if combine == ADD:
        return a + b
    if combine == SUBTRACT:
        return a - b
    if combine == MULTIPLY:
        return a * b
    return (1 - a) * b if combine == FORGET else a


def activated(activation: int, u: Any, functions: Functions) -> Any:
    """An activation of a value.

    Args:
        activation: an index into `ACTIVATIONS`.
        u: the value.
        functions: of NumPy or of JAX.
    """
    name = list(ACTIVATIONS)[activation]
    if name == "identity":
        return u
    if name == "complement":
        return 1 - u
    return -u if name == "negate" else getattr(functions, name)(u)
