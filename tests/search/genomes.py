"""Random genomes, and other genomes of the same cell, for the tests of the search."""

import dataclasses

import numpy as np

from jaxneuro.search.genome import ADD, FIRST_STATE, MULTIPLY, Genome, Space, largest, live_wires

# Small ones, where a place is soon taken, and one that holds all named cells.
SPACES = (Space(1, 3, 5, 2), Space(2, 4, 12, 2), Space(3, 2, 4, 2), Space(4, 2, 3, 3), Space(3, 9, 16, 3))


def uniform(space, generator):
    """Every entry drawn evenly: most of such a cell is dead."""
    most = largest(space)
    entries = (np.asarray(generator.integers(0, getattr(most, f.name) + 1)) for f in dataclasses.fields(most))
    return Genome(*(entry.astype(np.int32) for entry in entries))


def lively(space, generator):
    """Late wires are read more often, so that most of the cell matters."""
    genome, most = uniform(space, generator), largest(space)

    def late(name):
        limit = getattr(most, name)
        back = np.minimum(generator.geometric(0.25, np.shape(limit)) - 1, limit)
        return np.asarray(limit - back, np.int32)

    early = generator.random(space.stages) < 0.5
    source = np.where(early, genome.source, late("source")).astype(np.int32)
    return dataclasses.replace(
        genome, source=source, **{name: late(name) for name in ("first", "second", "next", "output")}
    )


def some(count, seed=0, spaces=SPACES):
    """This many random genomes, of all these spaces in turn."""
    generator = np.random.default_rng(seed)
    return [(lively if i % 4 else uniform)(spaces[i % len(spaces)], generator) for i in range(count)]


def relabelled(genome, generator, space=None):
    """The same cell in other places, with operands that commute swapped, and other values where nothing was.

    Args:
        genome: one genome.
        generator: of the places.
        space: a space at least as large; that of the genome unless given.
    """
    old, new = genome.space, space or genome.space
    made = uniform(new, generator)
    wires = {0: 0, 1: 1}
    states = generator.permutation(new.states)[: old.states]
    wires |= {FIRST_STATE + s: FIRST_STATE + int(at) for s, at in enumerate(states)}
    stages = np.sort(generator.permutation(new.stages)[: old.stages])
    for stage, at in enumerate(stages.tolist()):
        made.source[at] = wires[int(genome.source[stage])]
        for slot, place in enumerate(generator.permutation(new.slots)[: old.slots]):
            for array in ("input", "recurrent", "bias", "squash"):
                getattr(made, array)[at, place] = getattr(genome, array)[stage, slot]
            wires[old.slot(stage, slot)] = new.slot(at, int(place))
        places = np.sort(generator.permutation(new.nodes)[: old.nodes])
        for node, place in zip(_some_order(genome, stage, generator), places, strict=True):
            operands = [wires[int(array[stage, node])] for array in (genome.first, genome.second)]
            if genome.combine[stage, node] in (ADD, MULTIPLY) and generator.random() < 0.5:
                operands.reverse()
            made.combine[at, place] = genome.combine[stage, node]
            made.activation[at, place] = genome.activation[stage, node]
            made.first[at, place], made.second[at, place] = operands
            wires[old.node(stage, node)] = new.node(at, int(place))
    for s, at in enumerate(states):
        made.next[at] = wires[int(genome.next[s])]
    return dataclasses.replace(made, output=np.asarray(wires[int(genome.output)], np.int32))


def _some_order(genome, stage, generator):
    """The nodes of a stage in a random order in which each comes after those it reads."""
    space, order = genome.space, []
    reads = [
        {int(array[stage, n]) - space.node(stage) for array in (genome.first, genome.second)}
        for n in range(space.nodes)
    ]
    while len(order) < space.nodes:
        ready = [
            n for n in range(space.nodes) if n not in order and not any(m >= 0 and m not in order for m in reads[n])
        ]
        order.append(int(generator.choice(ready)))
    return order


def same_arrays(one, other):
    """Whether two genomes are equal entry for entry."""
    return all(np.array_equal(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(one))


def is_tidy(genome):
    """Whether nothing is dead, so that the genome is a canonical form, and not one that found no room."""
    space, live = genome.space, live_wires(genome)
    terms = (genome.input | genome.recurrent | genome.bias) > 0
    genes = (genome.combine | genome.first | genome.second | genome.activation) > 0
    slots = all(terms[at] == (space.slot(*at) in live) for at in np.ndindex(terms.shape))
    return slots and all(genes[at] == (space.node(*at) in live) for at in np.ndindex(genes.shape))
