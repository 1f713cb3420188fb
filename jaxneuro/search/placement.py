"""The values of a cell written as a genome: which nodes make them, and in which stages."""

import dataclasses
from typing import NamedTuple

import numpy as np

from jaxneuro.search.genome import (
    COMPLEMENT,
    FIRST,
    FIRST_STATE,
    FORGET,
    IDENTITY,
    MULTIPLY,
    ONE,
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
    fused = _fused(graph, order, {output, *taken})
    stages = _stages(space, fused)
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


def _fused(graph: Graph, order: list[int], held: set[int]) -> Wires:
    """As few nodes as make these values: `1 - a` within the products that alone read it, `a + b` within activations.

    Args:
        graph: the values.
        order: those that are live.
        held: those that must be there as they are.
    """
    wires = {number: graph.wires[number] for number in order}
    held = held | {wire.operands[0] for wire in wires.values() if wire.kind == "slot" and wire.operands}

    def read_by(kind: tuple[int, ...]) -> dict[int, list[int]]:
        """Values of this kind that need not be there, and the nodes that read them."""
        found = {n: [] for n, w in wires.items() if w.kind == "node" and w.what == kind and n not in held}
        for number, wire in wires.items():
            for operand in wire.operands:
                if operand in found:
                    found[operand].append(number)
        return found

    product = (MULTIPLY, IDENTITY)
    found = read_by((FIRST, COMPLEMENT)).items()
    complements = {n: readers for n, readers in found if all(wires[r].what == product for r in readers)}
    # Of two complements that are multiplied one remains, rather that of many such products.
    rivals = {n: sum(len(complements.keys() & wires[r].operands) - 1 for r in complements[n]) for n in complements}
    for number in sorted(complements, key=lambda n: rivals[n]):
        readers = complements[number]
        if all(wires[r].what == product and wires[r].operands != (number, number) for r in readers):
            for reader in readers:
                other = next(operand for operand in wires[reader].operands if operand != number)
                wires[reader] = Wire("node", (FORGET, IDENTITY), (*wires[number].operands, other))
            del wires[number]
    for combine in {w.what[0] for w in wires.values() if w.kind == "node"} - {FIRST}:
        for number, readers in read_by((combine, IDENTITY)).items():
            if all(wires[reader].what[0] == FIRST for reader in readers):
                for reader in readers:
                    wires[reader] = wires[number]._replace(what=(combine, wires[reader].what[1]))
                del wires[number]
    return wires


def _stages(space: Space, wires: Wires) -> dict[int, int] | None:
    """The stage of each slot and node, as early as there is room; where that leads nowhere, slots stay where they were.

    Returns:
        The stages, none left out between two; None if not even this finds room.
    """
    before = {number: wire.what[0] for number, wire in wires.items() if wire.kind == "slot"}
    for chosen in (_slot_stages(space, wires), before):
        found = _node_stages(space, wires, chosen) if chosen.keys() == before.keys() else None
        if found is not None and all(wire.kind not in ("slot", "node") or n in found for n, wire in wires.items()):
            used = {stage: i for i, stage in enumerate(sorted(set(found.values())))}
            return {number: used[stage] for number, stage in found.items()}
    return None


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
