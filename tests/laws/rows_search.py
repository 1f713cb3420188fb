"""Rows of the laws for cells whose structure is data or was found by a search."""

import jax.numpy as jnp

from jaxneuro.search.cell import EvolvedCell
from jaxneuro.search.genome import Space
from jaxneuro.search.named import named
from jaxneuro.search.parallel_cell import ParallelCell
from jaxneuro.search.straight import StraightCell
from jaxneuro.search.text import parse
from tests.laws.row import Row, floats, vectors
from tests.search.linear_cells import CASCADE

# With room to spare: what the genome does not use must be of no effect under every law.
ROOM = Space(stages=2, slots=5, nodes=7, states=2)


def leak(bias):
    """What a spiking neuron keeps of its voltage."""
    return 1 / (1 + jnp.exp(-bias))


def evolved_distance(machine, state, input):
    """The voltage after the step, above the threshold of 1."""
    fired, voltage = state.values[1], state.values[0]
    drive = machine.input_weights[0, 0] @ input + machine.recurrent_weights[0, 0] @ fired + machine.bias[0, 0]
    return leak(machine.bias[0, 1]) * voltage + drive - 1


def strong(*shape):
    """Inputs that lead to both sides of the threshold."""
    return lambda generator, steps: floats(generator.uniform(-4, 4, size=(steps, *shape)))


SEARCH: tuple[Row, ...] = (
    Row("EvolvedCell LSTM", lambda key: EvolvedCell(3, 4, named("LSTM", ROOM), key=key), vectors(3), smooth=True),
    Row(
        "EvolvedCell LIF",
        lambda key: EvolvedCell(3, 4, named("LIF", ROOM), key=key),
        strong(3),
        distance=evolved_distance,
        quick=False,
    ),
    Row(
        "EvolvedCell GRU",
        lambda key: EvolvedCell(3, 4, named("GRU", ROOM), key=key),
        vectors(3),
        smooth=True,
        quick=False,
    ),
    Row("StraightCell GRU", lambda key: StraightCell(3, 4, named("GRU"), key=key), vectors(3), smooth=True),
    Row("ParallelCell cascade", lambda key: ParallelCell(3, 4, parse(CASCADE), key=key), vectors(3), smooth=True),
    Row(
        "ParallelCell MinGRU",
        lambda key: ParallelCell(3, 4, named("MinGRU"), key=key),
        vectors(3),
        smooth=True,
        quick=False,
    ),
)
