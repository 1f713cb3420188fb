"""Which cells can be evaluated at all times at once: those whose states are linear in themselves.

Let the states of a cell be put in an order in which each next state reads, in the same step, no later one, but for
states that read one another; these are one part. If the next values of a part are linear in its old values, neuron by
neuron,

    s_t = A_t s_{t-1} + b_t,

with A and b made of the input and of the parts before, old and new, then the parts can be found one after the other,
each for all of time by an associative scan (Blelloch 1990): what a part needs is a whole sequence by then. The output
may depend on everything in any way.

What decides is the form of the lines, after what 0 and 1 make trivial has been folded: `h * h - h * h` counts as 0, and
`(a * h) * h - a * (h * h)`, in which squares cancel too, counts as a product of states.
"""

from typing import Literal, NamedTuple

from jaxneuro.search.genome import ACTIVATIONS, COMPLEMENT, FIRST_STATE, FORGET, IDENTITY, MULTIPLY, NEGATE, Genome
from jaxneuro.search.program import NOTHING, Node, Program, Slot, program
from jaxneuro.search.text import SHOWN

ParallelClass = Literal["parallel", "sequential"]

LARGEST_PART = 3  # states; a scan multiplies matrices of this size for each neuron
LINEAR = (IDENTITY, COMPLEMENT, NEGATE)


class SequentialError(ValueError):
    """A cell whose states cannot be found for all of time at once: the message says which, and what makes it so."""


class Part(NamedTuple):
    """States that read one another, found together over all of time.

    Attributes:
        states: their wires; a state that does not read itself is alone here, and needs no scan.
        lines: the wires between their old and their new values, each after those it reads.
    """

    states: tuple[int, ...]
    lines: tuple[int, ...]


def parallel_class(genome: Genome) -> ParallelClass:
    """Whether the states of a cell can be found for all of time at once.

    Args:
        genome: one genome, of concrete integers.

    Returns:
        "parallel" if they can, "sequential" if not; equal for genomes of one canonical form.

    Raises:
        ValueError: if the genome is out of range.
    """
    code = program(genome)
    try:
        parts(code)
    except SequentialError:
        return "sequential"
    return "parallel"


def parts(code: Program) -> tuple[Part, ...]:
    """The states of a program in the order in which they can be found for all of time.

    Args:
        code: the program of a cell.

    Returns:
        The parts; each reads the input and the parts before it.

    Raises:
        SequentialError: if a state is not linear in itself, naming it and the line that makes it so.
    """
    reads = _reads(code)
    found = []
    for states in _ordered(code, reads):
        own = frozenset(states)
        wanted, cone = [code.next[state - FIRST_STATE] for state in states], set()
        while wanted:
            wire = wanted.pop()
            if wire not in cone and reads[wire] & own and wire not in own:
                cone.add(wire)
                wanted += operands(code, wire)
        for wire in sorted(cone):
            reading = [operand for operand in operands(code, wire) if reads[operand] & own]
            if not _is_linear(code, wire, len(reading)):
                raise SequentialError(_words(code, states, wire))
        if len(states) > LARGEST_PART:
            names = ", ".join(code.names[state] for state in states)
            raise SequentialError(f"states {names} read one another; at most {LARGEST_PART} states may.")
        found.append(Part(states, tuple(sorted(cone))))
    return tuple(found)


def operands(code: Program, wire: int) -> tuple[int, ...]:
    """The wires that a wire reads in the same step.

    Args:
        code: the program of a cell.
        wire: the wire.
    """
    line = line_of(code, wire)
    if isinstance(line, Slot):
        return () if line.source == NOTHING else (line.source,)
    return () if line is None else line.operands


def line_of(code: Program, wire: int) -> Slot | Node | None:
    """The line that makes a wire; None for a number and a state.

    Args:
        code: the program of a cell.
        wire: the wire.
    """
    place = wire - FIRST_STATE - len(code.next)
    return code.lines[place] if place >= 0 else None


def shown(code: Program, wire: int) -> str:
    """A line as text, as `show` writes it.

    Args:
        code: the program of a cell.
        wire: the wire of a slot or a node.
    """
    line, names = line_of(code, wire), code.names
    if isinstance(line, Node):
        pair = names[line.first], names[line.operands[-1]]
        activation, inside = line.activation, SHOWN[line.combine].format(*pair)
    elif isinstance(line, Slot):
        terms = ["W x"] * line.input + [f"U {names[line.source]}"] * (line.source != NOTHING) + ["b"] * (line.bias > 0)
        activation, inside = line.squash, " + ".join(terms) or "0"
    else:
        return names[wire]
    called = inside if activation == IDENTITY else f"{list(ACTIVATIONS)[activation]}({inside})"
    return f"{names[wire]} = {called}"


def _reads(code: Program) -> list[frozenset[int]]:
    """For each wire the states before the step that it depends on."""
    states = range(FIRST_STATE, FIRST_STATE + len(code.next))
    reads = [frozenset({wire} & {*states}) for wire in range(states.stop)]
    for wire, _ in code.numbered:
        reads.append(frozenset[int]().union(*(reads[operand] for operand in operands(code, wire))))
    return reads


def _ordered(code: Program, reads: list[frozenset[int]]) -> list[tuple[int, ...]]:
    """The states, those that read one another together, each after those it reads."""
    before = {state: {state, *reads[wire]} for state, wire in enumerate(code.next, FIRST_STATE)}
    for _ in before:
        before = {state: set().union(*(before[other] for other in seen)) for state, seen in before.items()}
    # States that read one another have all the same before them, and one that reads another has more.
    groups = {frozenset(seen) for seen in before.values()}
    ordered = sorted(groups, key=lambda group: (len(group), sorted(group)))
    return [tuple(state for state, seen in before.items() if seen == group) for group in ordered]


def _is_linear(code: Program, wire: int, count: int) -> bool:
    """Whether a line is linear, neuron by neuron, in these many of its operands, if they are."""
    line = line_of(code, wire)
    if not isinstance(line, Node) or line.activation not in LINEAR:
        return False
    return count < 2 or line.combine not in (MULTIPLY, FORGET)


def _words(code: Program, states: tuple[int, ...], wire: int) -> str:
    """What is said of states that a line is not linear in."""
    names, many = ", ".join(code.names[state] for state in states), len(states) > 1
    is_linear = "are not linear in themselves" if many else "is not linear in itself"
    by_neuron = ", neuron by neuron" if isinstance(line_of(code, wire), Slot) else ""
    return f"{'states' if many else 'state'} {names} {is_linear}{by_neuron}: {shown(code, wire)}."
