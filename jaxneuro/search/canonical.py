"""One genome for all genomes that compute the same: what is dead is gone, twins are one, and the order is fixed.

Equal cells then have equal arrays, and so equal hashes, and none is trained twice.
"""

import dataclasses
import hashlib
from collections import Counter
from typing import NamedTuple

import numpy as np

from jaxneuro.search.genome import (
    ACTIVATIONS,
    ADD,
    COMPLEMENT,
    FIRST,
    FIRST_STATE,
    FORGET,
    IDENTITY,
    MULTIPLY,
    ONE,
    SPIKE,
    SUBTRACT,
    ZERO,
    Genome,
    Space,
    check,
    empty,
)

# What an activation makes of the numbers 0 and 1, where that is one of them.
OF_ZERO = {IDENTITY: ZERO, COMPLEMENT: ONE, SPIKE: ONE}
OF_ONE = {IDENTITY: ONE, COMPLEMENT: ZERO, SPIKE: ONE}
for _name in ("tanh", "relu", "negate"):
    OF_ZERO[list(ACTIVATIONS).index(_name)] = ZERO
OF_ONE[list(ACTIVATIONS).index("relu")] = ONE


class Wire(NamedTuple):
    """What makes a value: `kind` is "zero", "one", "state", "slot" or "node"; `what` says which one."""

    kind: str
    what: tuple[int, ...]
    operands: tuple[int, ...] = ()


class Canonical(NamedTuple):
    """A canonical genome, and where each of its slots was: `slots[(stage, slot)]` is the (stage, slot) before."""

    genome: Genome
    slots: dict[tuple[int, int], tuple[int, int]]
    digest: str


class Graph:
    """The distinct values of a cell, each made once."""

    def __init__(self) -> None:
        self.wires: list[Wire] = [Wire("zero", ()), Wire("one", ())]
        self.known = {wire: number for number, wire in enumerate(self.wires)}

    def add(self, wire: Wire) -> int:
        """The number of a value; an equal one is not made again."""
        if wire not in self.known:
            self.known[wire] = len(self.wires)
            self.wires.append(wire)
        return self.known[wire]

    def node(self, combine: int, first: int, second: int, activation: int) -> int:
        """The number of a node's value, after what can be said without computing it."""
        combine, first, second = _simplified(combine, first, second)
        if combine == FIRST:
            if activation == IDENTITY:
                return first
            folded = {ZERO: OF_ZERO, ONE: OF_ONE}.get(first, {}).get(activation)
            if folded is not None:
                return folded
            second = ZERO
        return self.add(Wire("node", (combine, activation), (first, second)))


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
    if combine == FORGET and (first in (ZERO, ONE) or second == ZERO):
        return FIRST, (second if first == ZERO else ZERO), ZERO
    if combine in (ADD, MULTIPLY) and second < first:
        return combine, second, first
    return combine, first, second


def canonical(genome: Genome) -> Canonical:
    """The canonical form of a genome, which computes the same.

    Removes nodes, slots and states that nothing reads, merges nodes that are equal and states that always are, folds
    what 0 and 1 make trivial, joins a node with the activation that alone reads it, and puts all in an order that does
    not depend on where it was. Slots are never merged: each has its own weights.

    Args:
        genome: one genome, of concrete integers.

    Returns:
        The genome, in the same space, and where each of its slots came from.

    Raises:
        ValueError: if the genome is out of range.
    """
    check(genome)
    genome = Genome(*(np.asarray(getattr(genome, field.name)) for field in dataclasses.fields(genome)))
    replaced: dict[int, int] = {}  # a state that is always 0, or always equal to an earlier one -> wire
    while True:
        graph, numbers = _read(genome, replaced)
        found = _constant_states(genome, graph, numbers, replaced)
        if not found:
            break
        replaced |= found
    states = {s: numbers[int(wire)] for s, wire in enumerate(genome.next) if s not in replaced}
    graph, states, output = _fused(graph, states, numbers[int(genome.output)])
    order = _ordered(graph, states, output)
    return _laid_out(genome, graph, states, output, order)


def digest(genome: Genome) -> str:
    """A hash of what a cell computes: equal for genomes of one canonical form, whatever their space.

    Args:
        genome: one genome, of concrete integers.

    Returns:
        64 hexadecimal digits (SHA-256).
    """
    return canonical(genome).digest


def _read(genome: Genome, replaced: dict[int, int]) -> tuple[Graph, dict[int, int]]:
    """The distinct values of a genome, and the number of each of its wires."""
    graph, space = Graph(), genome.space
    numbers = {ZERO: ZERO, ONE: ONE}
    for s in range(space.states):
        numbers[FIRST_STATE + s] = numbers[replaced[s]] if s in replaced else graph.add(Wire("state", (s,)))
    for stage in range(space.stages):
        source = numbers[int(genome.source[stage])]
        for slot in range(space.slots):
            place = stage, slot
            terms = [int(array[place]) for array in (genome.input, genome.recurrent, genome.bias, genome.squash)]
            terms[1] *= source != ZERO
            if any(terms[:3]):
                number = graph.add(Wire("slot", (*place, *terms), (source,) if terms[1] else ()))
            else:
                number = graph.node(FIRST, ZERO, ZERO, terms[3])
            numbers[space.slot(*place)] = number
        for node in range(space.nodes):
            place = stage, node
            first, second = (numbers[int(array[place])] for array in (genome.first, genome.second))
            operations = int(genome.combine[place]), int(genome.activation[place])
            numbers[space.node(*place)] = graph.node(operations[0], first, second, operations[1])
    return graph, numbers


def _constant_states(genome: Genome, graph: Graph, numbers: dict[int, int], replaced: dict[int, int]) -> dict[int, int]:
    """States that stay 0, and states that take what an earlier one takes; all start at 0."""
    takers: dict[int, int] = {}
    for s in range(genome.space.states):
        if s in replaced:
            continue
        taken, own = numbers[int(genome.next[s])], numbers[FIRST_STATE + s]
        if taken in (ZERO, own):
            return {s: ZERO}
        if taken in takers:
            return {s: FIRST_STATE + takers[taken]}
        takers[taken] = s
    return {}


def _live(graph: Graph, states: dict[int, int], output: int) -> list[int]:
    """The values that the output depends on, now or later, each after its operands."""
    number_of = {s: graph.known[Wire("state", (s,))] for s in states}
    wanted, found = [output], set()
    while wanted:
        number = wanted.pop()
        if number not in found:
            found.add(number)
            wire = graph.wires[number]
            wanted += wire.operands
            wanted += [states[wire.what[0]]] if wire.kind == "state" else []
    assert all(
        number_of[wire.what[0]] == n for n, wire in enumerate(graph.wires) if n in found and wire.kind == "state"
    )
    return sorted(found)


def _fused(graph: Graph, states: dict[int, int], output: int) -> tuple[Graph, dict[int, int], int]:
    """Activations joined to the node that they alone read, and products with a complement made one node."""
    while True:
        live = _live(graph, states, output)
        readers = Counter(operand for number in live for operand in graph.wires[number].operands)
        readers.update([output, *(states[graph.wires[n].what[0]] for n in live if graph.wires[n].kind == "state")])
        fused, numbers = Graph(), {ZERO: ZERO, ONE: ONE}

        def alone(number: int, combine: int, activation: int) -> Wire | None:
            """A node that has one reader, if it is of this kind."""
            wire = graph.wires[number]  # noqa: B023 - read before the next turn
            fits = wire.kind == "node" and readers[number] == 1  # noqa: B023
            return wire if fits and combine in (-1, wire.what[0]) and wire.what[1] == activation else None

        for number in live:
            wire = graph.wires[number]
            if wire.kind != "node":
                numbers[number] = fused.add(wire._replace(operands=tuple(numbers[o] for o in wire.operands)))
                continue
            (combine, activation), (first, second) = wire.what, wire.operands
            if combine == FIRST and (inner := alone(first, -1, IDENTITY)):
                (combine, _), (first, second) = inner.what, inner.operands
            elif combine == MULTIPLY and (inner := alone(first, FIRST, COMPLEMENT)):
                combine, first = FORGET, inner.operands[0]
            elif combine == MULTIPLY and (inner := alone(second, FIRST, COMPLEMENT)):
                combine, first, second = FORGET, inner.operands[0], first
            numbers[number] = fused.node(combine, numbers[first], numbers[second], activation)
        before, count = len(live), len(fused.wires)
        kept = {graph.wires[n].what[0] for n in live if graph.wires[n].kind == "state"}
        graph, states, output = fused, {s: numbers[states[s]] for s in states if s in kept}, numbers[output]
        if len(_live(graph, states, output)) == before or count == 0:
            return graph, states, output


def _ordered(graph: Graph, states: dict[int, int], output: int) -> list[int]:
    """The live values in an order that follows from the shape of the graph alone, each after its operands.

    Colours are refined by those of neighbours, as Weisfeiler and Leman do; of values that stay alike one is singled
    out. States come first, as they are there before the step.
    """
    live = _live(graph, states, output)
    taken_by: dict[int, list[int]] = {n: [] for n in live}
    reads: dict[int, list[tuple[int, int]]] = {n: [] for n in live}
    for number in live:
        wire = graph.wires[number]
        if wire.kind == "state":
            taken_by[states[wire.what[0]]].append(number)
        for position, operand in enumerate(wire.operands):
            commutes = wire.kind == "node" and wire.what[0] in (ADD, MULTIPLY)
            reads[operand].append((number, 0 if commutes else position))
    kinds = ["zero", "one", "state", "slot", "node"]
    own = {
        n: (kinds.index(w.kind), *(w.what[2:] if w.kind == "slot" else w.what if w.kind == "node" else ()))
        for n, w in enumerate(graph.wires)
    }
    colours = _ranks({n: (own[n], n == output) for n in live})
    while True:
        refined = colours
        while True:
            described = {}
            for number in live:
                wire = graph.wires[number]
                operands = [colours[o] for o in wire.operands]
                if wire.kind == "node" and wire.what[0] in (ADD, MULTIPLY):
                    operands.sort()
                taken = colours[states[wire.what[0]]] if wire.kind == "state" else -1
                takers = sorted(colours[n] for n in taken_by[number])
                readers = sorted((colours[n], position) for n, position in reads[number])
                described[number] = (colours[number], operands, taken, takers, readers)
            refined = _ranks(described)
            if len(set(refined.values())) == len(set(colours.values())):
                break
            colours = refined
        alike = Counter(colours.values())
        shared = [n for n in live if alike[colours[n]] > 1]
        if not shared:
            break
        chosen = min(shared, key=lambda n: (colours[n], n))
        colours = _ranks({n: (colours[n], n != chosen) for n in live})
    order: list[int] = []
    waiting = sorted(live, key=lambda n: (graph.wires[n].kind != "state", colours[n]))
    while waiting:
        following = next(n for n in waiting if all(o in order for o in graph.wires[n].operands))
        order.append(following)
        waiting.remove(following)
    return order


def _ranks(described: dict[int, tuple]) -> dict[int, int]:
    """Descriptions as numbers, equal for equal ones and in their order."""
    rank = {description: i for i, description in enumerate(sorted({_frozen(d) for d in described.values()}))}
    return {number: rank[_frozen(description)] for number, description in described.items()}


def _frozen(description: tuple) -> tuple:
    return tuple(tuple(part) if isinstance(part, list) else part for part in description)


def _laid_out(genome: Genome, graph: Graph, states: dict[int, int], output: int, order: list[int]) -> Canonical:
    """The values written as a genome of the same space."""
    space = genome.space
    place = {number: i for i, number in enumerate(order)}
    words = []
    for number in order:
        wire = graph.wires[number]
        what = wire.what[2:] if wire.kind == "slot" else () if wire.kind == "state" else wire.what
        taken = place[states[wire.what[0]]] if wire.kind == "state" else ""
        operands = [place[o] for o in wire.operands]
        if wire.kind == "node" and wire.what[0] in (ADD, MULTIPLY):
            operands.sort()
        words.append(f"{wire.kind} {what} {operands} {taken}")
    fingerprint = hashlib.sha256("\n".join([*words, str(place[output])]).encode()).hexdigest()
    stages = _stages(space, graph, order)
    if stages is None:  # as many nodes as the space can hold, in an order that it cannot
        same = {(r, g): (r, g) for r in range(space.stages) for g in range(space.slots)}
        return Canonical(genome, same, fingerprint)
    form, wires, slots = empty(space), {ZERO: ZERO, ONE: ONE}, {}
    kept = [number for number in order if graph.wires[number].kind == "state"]
    for s, number in enumerate(kept):
        wires[number] = FIRST_STATE + s
    for stage in range(space.stages):
        here = [number for number in order if stages.get(number) == stage]
        slot_count = node_count = 0
        for number in here:
            wire = graph.wires[number]
            if wire.kind == "slot":
                at = stage, slot_count
                slots[at] = wire.what[:2]
                for array, term in zip(
                    (form.input, form.recurrent, form.bias, form.squash), wire.what[2:], strict=True
                ):
                    array[at] = term
                if wire.operands:
                    form.source[stage] = wires[wire.operands[0]]
                wires[number] = space.slot(*at)
                slot_count += 1
        for number in here:
            wire = graph.wires[number]
            if wire.kind == "node":
                at = stage, node_count
                form.combine[at], form.activation[at] = wire.what
                operands = [wires[o] for o in wire.operands]
                if wire.what[0] in (ADD, MULTIPLY):
                    operands.sort()
                form.first[at], form.second[at] = operands
                wires[number] = space.node(*at)
                node_count += 1
    for s, number in enumerate(kept):
        form.next[s] = wires[states[graph.wires[number].what[0]]]
    form = dataclasses.replace(form, output=np.asarray(wires[output], np.int32))
    return Canonical(form, slots, fingerprint)


def _stages(space: Space, graph: Graph, order: list[int]) -> dict[int, int] | None:
    """The stage of each slot and node, as early as there is room; None if there is no room.

    Slots that read one wire share stages, in the order in which their wires can be there. Of the nodes those go first
    that are needed first, which finds a place for all wherever there is one.
    """
    depth: dict[int, int] = {}
    for number in order:
        wire = graph.wires[number]
        depth[number] = max((depth[o] for o in wire.operands), default=0) + (
            wire.kind == "slot" and bool(wire.operands)
        )
    slots = [number for number in order if graph.wires[number].kind == "slot"]
    sources = {graph.wires[n].operands[0] for n in slots if graph.wires[n].operands}
    stages: dict[int, int] = {}
    room = [space.slots] * space.stages
    stage = 0
    for source in sorted(sources, key=lambda n: (depth[n], order.index(n))):
        readers = [n for n in slots if graph.wires[n].operands == (source,)]
        for i, number in enumerate(readers):
            at = stage + i // space.slots
            if at >= space.stages:
                return None
            stages[number] = at
            room[at] -= 1
        stage += -(-len(readers) // space.slots)
    for number in slots:
        if not graph.wires[number].operands:
            at = next((r for r in range(space.stages) if room[r]), None)
            if at is None:
                return None
            stages[number] = at
            room[at] -= 1
    nodes = [number for number in order if graph.wires[number].kind == "node"]
    deadline = dict.fromkeys(order, space.stages - 1)
    for number in reversed(order):
        wire = graph.wires[number]
        for operand in wire.operands:
            limit = stages[number] - 1 if wire.kind == "slot" else deadline[number]
            deadline[operand] = min(deadline[operand], limit)
    if any(deadline[number] < stages[number] for number in slots):
        return None
    waiting = sorted(nodes, key=lambda n: (deadline[n], order.index(n)))
    for stage in range(space.stages):
        free = space.nodes
        while free:
            ready = (
                n
                for n in waiting
                if all(
                    graph.wires[o].kind in ("zero", "one", "state") or stages.get(o, space.stages) <= stage
                    for o in graph.wires[n].operands
                )
            )
            number = next(ready, None)
            if number is None:
                break
            stages[number] = stage
            waiting.remove(number)
            free -= 1
    late = any(stages[n] > deadline[n] for n in nodes if n in stages)
    return None if waiting or late else stages
