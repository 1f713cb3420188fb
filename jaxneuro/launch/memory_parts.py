"""What a config says of a spatial pooler and a temporal memory that are built to fit each other.

Defaults are those of the detector `numenta` of the Numenta Anomaly Benchmark; an experiment may have its own.
"""

from typing import Annotated

from pydantic import Field

from jaxneuro.launch.config import ConfigPart, Count, Fraction, NonNegative, Positive, Within


class Pooler(ConfigPart):
    """The spatial pooler."""

    columns: Count = Field(default=2048, le=100_000)
    winners: Count = Field(default=40, le=1000)
    potential_share: Fraction = 0.8
    connected_permanence: Fraction = 0.2
    increment: Fraction = 0.003
    decrement: Fraction = 0.0005


class Memory(ConfigPart):
    """The temporal memory; `segments` is the room in each minicolumn, `synapses` that in each segment."""

    cells: Count = Field(default=32, le=256)
    segments: Count = Field(default=64, le=10_000)
    synapses: Count = Field(default=32, le=1000)
    segments_per_cell: Count = 128
    fan_out: Annotated[int, Within(at_least=32, at_most=1_000_000)] = 2048
    winners: Count = 256
    learning_rows: Count = 384
    punished_rows: Count = 256
    activation_threshold: Positive = 13.0
    min_threshold: Positive = 10.0
    initial_permanence: Fraction = 0.21
    connected_permanence: Fraction = 0.5
    new_synapses: NonNegative = 20.0
    permanence_increment: Fraction = 0.1
    permanence_decrement: Fraction = 0.1
    predicted_decrement: Fraction = 0.0
