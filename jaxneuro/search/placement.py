"""The values of a cell written as a genome: which nodes make them, and in which stages."""

import dataclasses
import itertools
from collections import Counter
from typing import NamedTuple

import numpy as np

from jaxneuro.search.genome import (
    COMPLEMENT,
    FIRST,
    FIRST_STATE,
    FORGET,
    IDENTITY,
    MULTIPLY,
    NEGATE,
    ONE,
    SUBTRACT,
    ZERO,
    Genome,
    Space,
    empty,
)
from jaxneuro.search.graph import Graph, Wire

Wires = dict[int, Wire]  # by number, each after its operands


class Placement(NamedTuple):
    """A genome, and where each of its slots was: `slots[(stage, slot)]` is the (stage, slot) before."""

    genome: Genome
    slots: dict[tuple[int, int], tuple[int, int]]


def placed(space: Space, graph: Graph, states: dict[int, int], output: int, order: list[int]) -> Placement | None:
    """Live values as a genome.

    Args:
        space: the space of the genome.
        graph: the values.
        states: the value that each state takes.
        output: the value that is the output.
        order: the live values, each after its operands; states, slots and nodes come in this order.

    Returns:
        The genome; None if no place was found for all.
    """
    kept = [number for number in order if graph.wires[number].kind == "state"]
    taken = [states[graph.wires[number].what[0]] for number in kept]
    held = {output, *taken}
    fused, stages = _stages(space, _fused(graph, order, held, apart=False), _fused(graph, order, held, apart=True))
    if stages is None:
        return None
    form, slots = empty(space), {}
    wires = {ZERO: ZERO, ONE: ONE} | {number: FIRST_STATE + s for s, number in enumerate(kept)}
    for stage in range(space.stages):
        here = {number: wire for number, wire in fused.items() if stages.get(number) == stage}
        for slot, number in enumerate(number for number, wire in here.items() if wire.kind == "slot"):
            wire, at = here[number], (stage, slot)
            slots[at] = wire.what[:2]
            form.input[at], form.recurrent[at], form.bias[at], form.squash[at] = wire.what[2:]
            if wire.operands:
                form.source[stage] = wires[wire.operands[0]]
            wires[number] = space.slot(*at)
        for node, number in enumerate(number for number, wire in here.items() if wire.kind == "node"):
            wire, at = here[number], (stage, node)
            form.combine[at], form.activation[at] = wire.what
            operands = [wires[operand] for operand in wire.operands]
            operands = sorted(operands) if wire.commutes else operands
            form.first[at], form.second[at] = (*operands, ZERO)[:2]
            wires[number] = space.node(*at)
    form.next[: len(kept)] = [wires[number] for number in taken]
    return Placement(dataclasses.replace(form, output=np.asarray(wires[output], np.int32)), slots)


def _fused(graph: Graph, order: list[int], held: set[int], apart: bool) -> Wires:
    """As few nodes as make these values.

    An activation of `a + b` needs no node that adds, a product with `1 - a` none that subtracts, unless something else
    reads that.

    Args:
        graph: the values.
        order: those that are live.
        held: those that must be there as they are.
        apart: whether a node makes by itself even what another has made. The nodes are not more for that, and may find
            room where those that wait for another do not.
    """
    wires = {number: graph.wires[number] for number in (ZERO, ONE, *order)}
    product, place = (MULTIPLY, IDENTITY), {number: i for i, number in enumerate(order)}
    minuend: dict[tuple[int, ...], int] = {(FIRST, COMPLEMENT): ONE, (FIRST, NEGATE): ZERO}
    simple = {n for n, w in wires.items() if w.kind == "node" and (w.what[1] == IDENTITY or w.what in minuend)}
    complements = {n for n, w in wires.items() if w.what == (FIRST, COMPLEMENT) and w.kind == "node"}

    def made_within(number: int, wire: Wire) -> bool:
        """Whether a node can make an operand of its own."""
        if wire.what == product:
            return number in complements and wire.operands != (number, number)
        return wire.what[0] == FIRST and number in simple

    nodes = [wire for wire in wires.values() if wire.kind == "node"]
    needed = held | {wire.operands[0] for wire in wires.values() if wire.kind == "slot" and wire.operands}
    needed |= {number for wire in nodes for number in wire.operands if not made_within(number, wire)}

    def comes_free(number: int) -> bool:
        """Whether the operand of `1 - a` or `-a` is there anyway."""
        operand = wires[number].operands[0]
        return operand in needed or operand not in simple

    def bare(number: int) -> bool:
        """Whether its operand is `1 - a` or `-a` too, with which it does not make one node."""
        return wires[wires[number].operands[0]].what in minuend

    # Of two complements that are multiplied one must be there: one that would be dear within, or is in many products.
    rivals = [set(wire.operands) for wire in nodes if wire.what == product and complements.issuperset(wire.operands)]
    while open_pairs := [pair for pair in rivals if len(pair) == 2 and not pair & needed]:
        often = Counter(number for pair in open_pairs for number in pair)
        needed.add(min(often, key=lambda n: (comes_free(n), bare(n), -often[n], place[n])))

    def pays(number: int) -> bool:
        """Whether to make a value within; never if it is there anyway, and what it is made of is not."""
        return number not in needed or (apart and (wires[number].what[0] != FIRST or comes_free(number)))

    def fused(wire: Wire) -> Wire:
        if wire.what == product:
            found = [n for n in wire.operands if made_within(n, wire) and pays(n)]
            if found:
                chosen = min(found, key=lambda n: (n in needed, place[n]))
                other = next(n for n in wire.operands if n != chosen)
                return Wire("node", (FORGET, IDENTITY), (*wires[chosen].operands, other))
        elif wire.what[0] == FIRST and (number := wire.operands[0]) in simple and pays(number):
            inner = wires[number]
            if inner.what in minuend:
                return Wire("node", (SUBTRACT, wire.what[1]), (minuend[inner.what], *inner.operands))
            combined = fused(inner)
            return combined._replace(what=(combined.what[0], wire.what[1]))
        return wire

    wanted, made = set(held), {}
    wanted |= {wire.operands[0] for wire in wires.values() if wire.kind == "slot" and wire.operands}
    for number, wire in reversed(wires.items()):
        if wire.kind != "node":
            made[number] = wire
        elif number in wanted:
            made[number] = fused(wire)
            wanted.update(made[number].operands)
    return dict(reversed(made.items()))


def _stages(space: Space, *ways: Wires) -> tuple[Wires, dict[int, int] | None]:
    """The stage of each slot and node, as early as there is room; where that leads nowhere, slots stay where they were.

    Args:
        space: the room.
        ways: the nodes that make the values, the best way first.

    Returns:
        The nodes that were taken, and the stages, none left out between two; None if not even this finds room.
    """
    before = {number: wire.what[0] for number, wire in ways[0].items() if wire.kind == "slot"}
    early = ((wires, _slot_stages(space, wires)) for wires in ways)
    for wires, chosen in itertools.chain(early, ((wires, before) for wires in ways)):
        found = _node_stages(space, wires, chosen) if chosen.keys() == before.keys() else None
        if found is not None and all(wire.kind not in ("slot", "node") or n in found for n, wire in wires.items()):
            used = {stage: i for i, stage in enumerate(sorted(set(found.values())))}
            return wires, {number: used[stage] for number, stage in found.items()}
    return ways[0], None


def _slot_stages(space: Space, wires: Wires) -> dict[int, int]:
    """Slots one source after the other, each as soon as the nodes that make the source find room before."""
    waiting: dict[int | None, list[int]] = {}
    for number, wire in wires.items():
        if wire.kind == "slot":
            waiting.setdefault(wire.operands[0] if wire.operands else None, []).append(number)
    sourceless, stages = waiting.pop(None, []), {}
    sources = [number for number in wires if number in waiting]
    for stage in range(space.stages):
        room = space.slots
        for source in sources:
            trial = stages | dict.fromkeys(waiting[source][:room], stage)
            if _node_stages(space, wires, trial) is not None:
                room -= len(waiting[source][:room])
                stages, waiting[source] = trial, waiting[source][space.slots :]
                sources = [number for number in sources if waiting[number]]
                break
        stages |= dict.fromkeys(sourceless[:room], stage)
        sourceless = sourceless[room:]
    return stages


def _node_stages(space: Space, wires: Wires, slots: dict[int, int]) -> dict[int, int] | None:
    """The stage of each node, those first that are needed first: this finds room wherever there is room.

    Args:
        space: how many there may be in a stage.
        wires: the values.
        slots: the stages of slots; some may be without.

    Returns:
        The stages, those of the slots included, without those of nodes that read a slot without a stage, or that found
        no room in the end; None if a node or a slot is needed before it is there.
    """
    last = space.stages - 1
    needed = dict.fromkeys(wires, last)
    for number in reversed(wires):
        wire = wires[number]
        limit = slots.get(number, space.stages) - 1 if wire.kind == "slot" else needed[number]
        for operand in wire.operands:
            needed[operand] = min(needed[operand], limit)
    if any(needed[n] < slots.get(n, last) for n, wire in wires.items() if wire.kind == "slot"):
        return None
    stages = slots | {number: 0 for number, wire in wires.items() if wire.kind not in ("slot", "node")}
    waiting = sorted((n for n, wire in wires.items() if wire.kind == "node"), key=lambda n: needed[n])
    for stage in range(space.stages):
        if any(needed[number] < stage for number in waiting):
            return None
        free, rest = space.nodes, []
        for number in waiting:
            if free and all(stages.get(operand, space.stages) <= stage for operand in wires[number].operands):
                stages[number] = stage
                free -= 1
            else:
                rest.append(number)
        waiting = rest
    return {number: stage for number, stage in stages.items() if wires[number].kind in ("slot", "node")}
