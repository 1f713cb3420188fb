"""One genome for all genomes that compute the same: what is dead is gone, twins are one, and the order is fixed.

Equal cells then have equal arrays, and so equal hashes, and none is trained twice.
"""

import dataclasses
import hashlib
from collections import Counter
from typing import NamedTuple

import numpy as np

from jaxneuro.search.genome import FIRST_STATE, ZERO, Genome, check
from jaxneuro.search.graph import Graph, live_values, read
from jaxneuro.search.placement import placed

KINDS = ("zero", "one", "state", "slot", "node")


class Canonical(NamedTuple):
    """A canonical genome, and where each of its slots was: `slots[(stage, slot)]` is the (stage, slot) before."""

    genome: Genome
    slots: dict[tuple[int, int], tuple[int, int]]
    digest: str


def canonical(genome: Genome) -> Canonical:
    """The canonical form of a genome, which computes the same.

    Removes nodes, slots and states that nothing reads, merges nodes that are equal and states that always are, folds
    what 0 and 1 make trivial, joins a node with the activations that alone read it, and puts all in an order that does
    not depend on where it was. Slots are never merged: each has its own weights.

    Args:
        genome: one genome, of concrete integers.

    Returns:
        The genome, in the same space, and where each of its slots came from. Should the new order find no room in the
        space, the genome is what it was; the digest holds all the same.

    Raises:
        ValueError: if the genome is out of range.
    """
    check(genome)
    genome = Genome(*(np.asarray(getattr(genome, field.name)) for field in dataclasses.fields(genome)))
    space = genome.space
    # Supposed to be 0 for ever until found to be not, or to be equal to others until found to be not.
    replaced = dict.fromkeys(range(space.states), ZERO)
    while True:
        graph, numbers = read(genome, replaced)
        refined = _equal_states(genome, numbers, replaced)
        if refined == replaced:
            break
        replaced = refined
    states = {s: numbers[int(wire)] for s, wire in enumerate(genome.next) if s not in replaced}
    output = numbers[int(genome.output)]
    order = _ordered(graph, states, output)
    found = placed(space, graph, states, output, order)
    if found is None:
        found = genome, {place: place for place in np.ndindex(space.stages, space.slots)}
    return Canonical(*found, _fingerprint(graph, states, output, order))


def digest(genome: Genome) -> str:
    """A hash of what a cell computes: equal for genomes of one canonical form, whatever their space.

    Args:
        genome: one genome, of concrete integers.

    Returns:
        64 hexadecimal digits (SHA-256).
    """
    return canonical(genome).digest


def _equal_states(genome: Genome, numbers: list[int], replaced: dict[int, int]) -> dict[int, int]:
    """Of the states that were supposed to be equal, or 0, those that take equal values, or 0; all start at 0."""
    refined: dict[int, int] = {}
    leaders: dict[tuple[int, int], int] = {}
    for s, wire in enumerate(genome.next):
        now, taken = replaced.get(s, FIRST_STATE + s), numbers[int(wire)]
        leader = leaders.setdefault((now, taken), s)
        if now == taken == ZERO:
            refined[s] = ZERO
        elif leader != s:
            refined[s] = FIRST_STATE + leader
    return refined


def _ordered(graph: Graph, states: dict[int, int], output: int) -> list[int]:
    """The live values in an order that follows from the shape of the graph alone, each after its operands.

    Colours are refined by those of neighbours, as Weisfeiler and Leman do; of values that stay alike one is singled
    out. States come first, as they are there before the step.
    """
    live = live_values(graph, states, output)
    taken_by: dict[int, list[int]] = {n: [] for n in live}
    reads: dict[int, list[tuple[int, int]]] = {n: [] for n in live}
    for number in live:
        wire = graph.wires[number]
        if wire.kind == "state":
            taken_by[states[wire.what[0]]].append(number)
        for position, operand in enumerate(wire.operands):
            reads[operand].append((number, 0 if wire.commutes else position))

    def described(number: int, colours: dict[int, int]) -> tuple:
        wire = graph.wires[number]
        operands = [colours[o] for o in wire.operands]
        return (
            colours[number],
            tuple(sorted(operands) if wire.commutes else operands),
            colours[states[wire.what[0]]] if wire.kind == "state" else -1,
            tuple(sorted(colours[n] for n in taken_by[number])),
            tuple(sorted((colours[n], position) for n, position in reads[number])),
        )

    colours = _ranks({n: (*_own(graph, n), n == output) for n in live})
    while True:
        count = 0
        while count < (count := len(set(colours.values()))):
            colours = _ranks({number: described(number, colours) for number in live})
        alike = Counter(colours.values())
        shared = [n for n in live if alike[colours[n]] > 1]
        if not shared:
            break
        chosen = min(shared, key=lambda n: (colours[n], n))
        colours = _ranks({n: (colours[n], n != chosen) for n in live})
    order: list[int] = []
    done: set[int] = set()
    waiting = sorted(live, key=lambda n: (graph.wires[n].kind != "state", colours[n]))
    while waiting:
        following = next(n for n in waiting if done.issuperset(graph.wires[n].operands))
        order.append(following)
        done.add(following)
        waiting.remove(following)
    return order


def _own(graph: Graph, number: int) -> tuple[int, tuple[int, ...]]:
    """What a value is, but for its place and its operands."""
    wire = graph.wires[number]
    return KINDS.index(wire.kind), {"slot": wire.what[2:], "node": wire.what}.get(wire.kind, ())


def _ranks(described: dict[int, tuple]) -> dict[int, int]:
    """Descriptions as numbers, equal for equal ones and in their order."""
    rank = {description: i for i, description in enumerate(sorted(set(described.values())))}
    return {number: rank[description] for number, description in described.items()}


def _fingerprint(graph: Graph, states: dict[int, int], output: int, order: list[int]) -> str:
    """A hash of the values and their operands, in this order."""
    place = {number: i for i, number in enumerate(order)}
    words = []
    for number in order:
        wire = graph.wires[number]
        operands = [place[o] for o in wire.operands]
        taken = [place[states[wire.what[0]]]] if wire.kind == "state" else []
        words.append(f"{_own(graph, number)} {sorted(operands) if wire.commutes else operands} {taken}")
    return hashlib.sha256("\n".join([*words, str(place[output])]).encode()).hexdigest()
