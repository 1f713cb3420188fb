"""What a cell costs, read off its genome."""

import numpy as np

from jaxneuro.search.genome import FIRST, FIRST_STATE, FORGET, MULTIPLY, Genome, live_wires, parameter_count
from jaxneuro.search.parallel import parallel_class


def operations(genome: Genome, inputs: int, units: int) -> int:
    """Arithmetic operations of one step of a cell: two per weight of a product, one per bias and per node.

    Args:
        genome: one genome, of concrete integers.
        inputs: inputs of the cell.
        units: units of the cell.

    Returns:
        The number; activations count nothing.
    """
    space, live = genome.space, live_wires(genome)
    biases = sum(space.slot(*place) in live and genome.bias[place] > 0 for place in np.ndindex(genome.bias.shape))
    nodes = sum(space.node(*place) in live for place in np.ndindex(genome.first.shape))
    return 2 * parameter_count(genome, inputs, units) - int(biases) * units + nodes * units


def depth(genome: Genome) -> int:
    """How many slots and nodes follow one another within a step, at most.

    Args:
        genome: one genome, of concrete integers.

    Returns:
        The length of the longest chain.
    """
    space, live = genome.space, live_wires(genome)
    reached: dict[int, int] = {}
    for wire in sorted(live):
        if wire < space.slot(0):
            reached[wire] = 0
            continue
        stage, place = divmod(wire - space.slot(0), space.slots + space.nodes)
        if place < space.slots:
            before = [int(genome.source[stage])] if genome.recurrent[stage, place] else []
        else:
            at = stage, place - space.slots
            before = [int(genome.first[at])] + ([int(genome.second[at])] if genome.combine[at] != FIRST else [])
        reached[wire] = 1 + max((reached[wire] for wire in before), default=0)
    return max(reached.values(), default=0)


def multiplicative(genome: Genome) -> float:
    """Share of a cell's nodes that multiply two wires.

    Args:
        genome: one genome, of concrete integers.

    Returns:
        Between 0 and 1; 0 for a cell without nodes.
    """
    space, live = genome.space, live_wires(genome)
    kinds = [int(genome.combine[p]) for p in np.ndindex(genome.first.shape) if space.node(*p) in live]
    return sum(kind in (MULTIPLY, FORGET) for kind in kinds) / len(kinds) if kinds else 0.0


def memory(genome: Genome) -> int:
    """How many states a cell has.

    Args:
        genome: one genome, of concrete integers.

    Returns:
        The number of live states.
    """
    return sum(FIRST_STATE <= wire < genome.space.slot(0) for wire in live_wires(genome))


def sequential(genome: Genome) -> int:
    """Whether a cell must go through time step by step.

    Args:
        genome: one genome, of concrete integers.

    Returns:
        1 if it must, 0 if all of time can be found at once, as its states are linear in themselves.
    """
    return int(parallel_class(genome) == "sequential")
