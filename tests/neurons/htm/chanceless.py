"""Settings and inputs with which a temporal memory leaves nothing to chance.

A new synapse is not chosen at random where there are as many to grow as candidates: `new_synapses` and the size of a
segment are not below the number of winners. A winner is not where its column has one cell; or where a segment always
matches (all were placed beforehand, on most cells), and before that, and after a reset, one cell has fewer segments
than all others.
"""

from dataclasses import dataclass, field

import numpy as np

STEPS = 500


@dataclass(frozen=True)
class Shape:
    """What decides how a program is compiled.

    Attributes:
        most: the largest number of columns in a pattern.
        winners, rows: the most winner cells, and segments that learn or are punished, of a step.
        fan_out: the most synapses from one column.
    """

    columns: int
    cells: int
    segments_per_cell: int
    synapses: int
    most: int
    winners: int
    rows: int
    fan_out: int


SINGLE = Shape(24, 1, segments_per_cell=8, synapses=12, most=10, winners=10, rows=64, fan_out=192)
SMALL = Shape(24, 1, segments_per_cell=2, synapses=6, most=6, winners=6, rows=32, fan_out=64)
THREE = Shape(12, 3, segments_per_cell=6, synapses=12, most=4, winners=8, rows=128, fan_out=512)
FORTY = Shape(6, 40, segments_per_cell=2, synapses=40, most=2, winners=40, rows=384, fan_out=4096)


@dataclass(frozen=True)
class Setting:
    """One machine and its input.

    Attributes:
        values: the numbers of the machine that are not its defaults.
        novel: probability of a step to a pattern of any columns, which is not the next of the sequence.
        reset, empty, unlearned: probability of a step with a reset before it, without active columns, without learning.
    """

    name: str
    shape: Shape
    values: dict[str, float]
    novel: float = 0.1
    reset: float = 0.0
    empty: float = 0.0
    unlearned: float = 0.0
    seed: int = 0
    numbers: dict[str, float] = field(init=False)

    def __post_init__(self):
        base = {
            "activation_threshold": 3.0,
            "min_threshold": 2.0,
            "initial_permanence": 0.21,
            "connected_permanence": 0.5,
            "new_synapses": 100.0,
            "permanence_increment": 0.1,
            "permanence_decrement": 0.1,
            "predicted_decrement": 0.0,
        }
        object.__setattr__(self, "numbers", base | self.values)

    def stream(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Columns `[STEPS, most]`, padded with the number of columns; learn and reset `[STEPS]`."""
        generator = np.random.default_rng([self.seed, *self.name.encode()])

        def pattern():
            size = generator.integers(max(2, self.shape.most // 2), self.shape.most + 1)
            return np.sort(generator.choice(self.shape.columns, size, replace=False))

        sequence = [pattern() for _ in range(15)]
        columns = np.full((STEPS, self.shape.most), self.shape.columns, np.int32)
        for time in range(STEPS):
            found = pattern() if generator.random() < self.novel else sequence[time % len(sequence)]
            found = found[:0] if generator.random() < self.empty else found
            columns[time, : len(found)] = found
        return columns, generator.random(STEPS) >= self.unlearned, generator.random(STEPS) < self.reset

    def placed(self) -> list[tuple[int, dict[int, float]]]:
        """Segments to begin with, where there are several cells: fewest on the first of a column."""
        generator = np.random.default_rng([self.seed, 1, *self.name.encode()])
        shape, segments, fewest = self.shape, [], self.shape.segments_per_cell // 4
        for cell in range(shape.columns * shape.cells) if shape.cells > 1 else []:
            more = generator.integers(fewest + 1, shape.segments_per_cell + 1)
            for _ in range(more if cell % shape.cells else fewest):
                size = generator.integers(4, 13)
                onto = generator.choice(shape.columns * shape.cells, size, replace=False)
                permanences = generator.uniform(0.2, 0.7, size).round(2)
                segments.append((cell, dict(zip(onto.tolist(), permanences.tolist(), strict=True))))
        return segments


ALWAYS = {"min_threshold": 1.0}
SETTINGS = [
    Setting("plain", SINGLE, {}),
    Setting("punished", SINGLE, {"predicted_decrement": 0.03}),
    Setting("punished to death", SINGLE, {"predicted_decrement": 0.2, "initial_permanence": 0.3}, novel=0.3),
    Setting("resets", SINGLE, {"predicted_decrement": 0.01}, reset=0.1),
    Setting("pauses of learning", SINGLE, {"predicted_decrement": 0.01}, unlearned=0.3),
    Setting("empty inputs", SINGLE, {}, empty=0.15),
    Setting("always novel", SINGLE, {"permanence_decrement": 0.03}, novel=1.0),
    Setting("never novel", SINGLE, {"permanence_decrement": 0.02}, novel=0.0),
    Setting("connected at birth", SINGLE, {"initial_permanence": 0.5, "permanence_decrement": 0.015}),
    Setting("forgetful", SINGLE, {"permanence_increment": 0.05, "permanence_decrement": 0.2}),
    Setting("high thresholds", SINGLE, {"activation_threshold": 6.0, "min_threshold": 5.0}, novel=0.2),
    Setting("few segments", SMALL, {"min_threshold": 3.0, "permanence_decrement": 0.02}, novel=0.1),
    Setting("few synapses", SMALL, ALWAYS | {"permanence_decrement": 0.007}, novel=0.3),
    Setting("little of all", SMALL, {"predicted_decrement": 0.02}, novel=0.4, reset=0.03, empty=0.03, unlearned=0.1),
    Setting("three cells", THREE, ALWAYS),
    Setting("three cells, punished", THREE, ALWAYS | {"predicted_decrement": 0.01, "permanence_decrement": 0.02}),
    Setting("three cells, resets", THREE, ALWAYS | {"permanence_decrement": 0.0}, reset=0.05, unlearned=0.1),
    Setting("forty cells", FORTY, ALWAYS | {"permanence_decrement": 0.02}),
    Setting("forty cells, punished", FORTY, ALWAYS | {"predicted_decrement": 0.01, "permanence_decrement": 0.02}),
    Setting("forty cells, resets", FORTY, ALWAYS | {"permanence_decrement": 0.0}, reset=0.05, empty=0.05),
]
