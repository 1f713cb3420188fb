"""The two temporal memories that the tests ask the same of: the machine, and the oracle in plain Python."""

import functools
import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn
from tests.neurons.htm.oracle import Oracle, Segment, Synapse

Pattern = Sequence[int]
Synapses = dict[int, float]


@dataclass(frozen=True)
class Trace:
    """What happened over time, by column.

    Attributes:
        active: `[T, columns]`, the columns of the input.
        expected: `[T, columns]`, the columns that were predicted when the input came.
        first: `[T]`, whether a reset came before the step.
    """

    active: np.ndarray
    expected: np.ndarray
    first: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """How many columns were active and predicted, step by step."""
        return (self.active & self.expected).sum(1)

    @property
    def missed(self) -> np.ndarray:
        """How many were active and not predicted."""
        return (self.active & ~self.expected).sum(1)

    @property
    def wrong(self) -> np.ndarray:
        """How many were predicted and not active."""
        return (~self.active & self.expected).sum(1)


class Memory(ABC):
    """What a test may do with a temporal memory of `columns` columns of `cells` cells.

    A permanence is read as a Python float; a segment as its synapses, presynaptic cell to permanence.
    """

    columns: int
    cells: int
    active: list[int]
    winners: list[int]
    predicted: list[int]
    anomaly: float

    @abstractmethod
    def place(self, cell: int, synapses: Synapses):
        """Gives a cell one more segment, whose synapses count as made in ascending order, before the first step."""

    def step(self, pattern: Pattern, learn: bool = True, reset: bool = False):
        self.feed([pattern], learn, reset)

    @abstractmethod
    def feed(self, patterns: Sequence[Pattern], learn: bool = True, reset: bool = True) -> Trace:
        """Steps through patterns, with a reset before the first of them if asked."""

    @abstractmethod
    def segments(self, cell: int) -> list[Synapses]:
        """The segments of a cell, in no particular order."""

    def everything(self) -> list[tuple[int, Synapses]]:
        return [(cell, found) for cell in range(self.columns * self.cells) for found in self.segments(cell)]

    def traced(self, patterns: Sequence[Pattern], predicted: np.ndarray, before: Sequence[int], reset: bool) -> Trace:
        """Args: predicted `[T, columns * cells]` after every step; before: the cells predicted before the first."""
        active = np.array([[column in pattern for column in range(self.columns)] for pattern in patterns])
        start = np.zeros_like(predicted[:1])
        start[0, list(before)] = not reset
        expected = np.concatenate([start, predicted[:-1]]).reshape(len(patterns), self.columns, self.cells).any(2)
        return Trace(active, expected, np.arange(len(patterns)) < reset)


class OracleMemory(Memory):
    """The oracle; what it leaves to chance is drawn from a seed. It needs none of the machine's sizes."""

    SIZES = ("segments", "winners", "rows", "widest", "chunk", "fan_out")

    def __init__(self, *, columns, cells, seed=0, **settings):
        settings = {name: value for name, value in settings.items() if name not in self.SIZES}
        choose = random.Random(seed).sample
        self.columns, self.cells, self.oracle = columns, cells, Oracle(columns, cells, choose=choose, **settings)

    def place(self, cell, synapses):
        listed = [Synapse(presynaptic, np.float32(permanence)) for presynaptic, permanence in sorted(synapses.items())]
        self.oracle.segments[cell].append(Segment(cell, 0, listed))

    def feed(self, patterns, learn=True, reset=True):
        before = self.predicted
        predicted = np.zeros((len(patterns), self.columns * self.cells), bool)
        for time, pattern in enumerate(patterns):
            self.oracle.step(pattern, learn, reset and time == 0)
            predicted[time, self.predicted] = True
        return self.traced(patterns, predicted, before, reset)

    def segments(self, cell):
        listed = self.oracle.segments[cell]
        return [{synapse.presynaptic: float(synapse.permanence) for synapse in each.synapses} for each in listed]

    active = property(lambda self: self.oracle.active)
    winners = property(lambda self: self.oracle.winners)
    predicted = property(lambda self: self.oracle.predicted)
    anomaly = property(lambda self: float(self.oracle.anomaly))


def unpacked(words, cells):
    """Packed cells `[..., columns, words]` as booleans `[..., columns * cells]`."""
    bits = np.asarray(words)[..., None] >> np.arange(32, dtype=np.uint32) & np.uint32(1)
    by_column = bits.reshape(*words.shape[:-1], -1)[..., :cells]
    return by_column.reshape(*words.shape[:-2], -1).astype(bool)


@jax.jit
def placed(segments, pool, cell, sources, permanences):
    return segments.placed(pool, cell, sources, permanences)


def grown(machine, state, segments):
    """The state with these segments, `(cell, synapses)`, besides."""
    pool = state.pool
    for cell, synapses in segments:
        # Filled up with numbers that are no cell, so that one program serves for all.
        sources = np.full(machine.segments.synapses, machine.columns * machine.cells, np.int32)
        permanences = np.zeros(machine.segments.synapses, np.float32)
        sources[: len(synapses)], permanences[: len(synapses)] = list(synapses), list(synapses.values())
        pool = placed(machine.segments, pool, jnp.asarray(cell, jnp.int32), sources, permanences)
    return eqx.tree_at(lambda state: state.pool, state, pool)


def segments_of(pool, cells):
    """The segments of a pool by cell and age, each as `(cell, [(presynaptic cell, permanence)])`, the oldest first."""
    groups = pool.sizes.shape[1]
    sizes, owners, created = (np.asarray(grid).ravel() for grid in (pool.sizes, pool.owners, pool.created))
    sources, permanences = np.asarray(pool.sources), np.asarray(pool.permanences)
    found = []
    for place in np.flatnonzero(sizes):
        cell, size = int(place % groups * cells + owners[place]), sizes[place]
        synapses = list(zip(sources[place, :size].tolist(), permanences[place, :size], strict=True))
        found.append((cell, int(created[place]), synapses))
    return [(cell, synapses) for cell, _, synapses in sorted(found, key=lambda each: each[:2])]


@jax.jit
def advanced(machine, state, inputs):
    return jn.run(machine, inputs, state=state)


class JaxMemory(Memory):
    """The machine, some steps at a time: one program for machines of the same shape.

    Args:
        winners, rows: the most winner cells, and segments that learn or are punished, of a step.
        widest: the largest number of columns of a pattern.
        chunk: steps of one call; sequences are a whole number of them.
        segments: per column; as many as its cells may have unless given, so that none of them goes without.
    """

    def __init__(
        self,
        *,
        columns,
        cells,
        seed=0,
        segments=None,
        segments_per_cell=4,
        synapses=8,
        fan_out=256,
        winners=16,
        rows=16,
        widest=8,
        chunk=1,
        **settings,
    ):
        self.columns, self.cells, self.widest, self.chunk = columns, cells, widest, chunk
        self.machine = jn.htm.TemporalMemory(
            columns,
            cells,
            segments=segments or cells * segments_per_cell,
            segments_per_cell=segments_per_cell,
            synapses=synapses,
            fan_out=fan_out,
            winners=winners,
            learning_rows=rows,
            punished_rows=rows,
            **{name: float(value) for name, value in settings.items()},
        )
        self.state = self.machine.init(jax.random.key(seed))
        self.output = None

    def place(self, cell, synapses):
        self.state = grown(self.machine, self.state, [(cell, synapses)])

    def feed(self, patterns, learn=True, reset=True):
        assert len(patterns) % self.chunk == 0
        before, parts = self.predicted, []
        columns = np.full((len(patterns), self.widest), self.columns, np.int32)
        for row, pattern in zip(columns, patterns, strict=True):
            row[: len(pattern)] = sorted(pattern)
        learning, resets = np.full(len(patterns), learn), np.arange(len(patterns)) < reset
        for start in range(0, len(patterns), self.chunk):
            piece = slice(start, start + self.chunk)
            inputs = jn.htm.Columns(*(jnp.asarray(array[piece]) for array in (columns, learning, resets)))
            self.state, outputs = advanced(self.machine, self.state, inputs)
            outputs = jax.device_get(outputs)
            without_room = {name: int(number.sum()) for name, number in vars(outputs.overflow).items() if number.any()}
            assert not without_room, without_room
            self.output = jax.tree.map(lambda leaf: leaf[-1], outputs)
            parts.append(unpacked(outputs.predicted, self.cells))
        return self.traced(patterns, np.concatenate(parts), before, reset)

    def listed(self, name):
        if self.output is None:
            return []
        return np.flatnonzero(unpacked(getattr(self.output, name), self.cells)).tolist()

    def segments(self, cell):
        found = segments_of(self.state.pool, self.cells)
        return [{each: float(value) for each, value in synapses} for owner, synapses in found if owner == cell]

    active = property(functools.partial(listed, name="active"))
    winners = property(functools.partial(listed, name="winners"))
    predicted = property(functools.partial(listed, name="predicted"))
    anomaly = property(lambda self: 0.0 if self.output is None else float(self.output.anomaly))
