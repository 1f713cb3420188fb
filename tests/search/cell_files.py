"""Files of cells to damage."""

import functools
import json

import numpy as np
import pytest

from jaxneuro.search.cell_file import CellFileError, Contents, Weights, from_bytes
from jaxneuro.search.genome import Space
from jaxneuro.search.named import named
from jaxneuro.search.storage import to_text

SMALL = Space(2, 2, 3, 2)


def weights_of(space, generator, inputs=2, units=2):
    slots = (space.stages, space.slots, units)
    shapes = {"input_weights": (*slots, inputs), "recurrent_weights": (*slots, units), "bias": slots}
    return Weights(inputs, units, "float32", {name: generator.normal(size=shape) for name, shape in shapes.items()})


@functools.cache
def written(genome=None, weights=False):
    genome = named("MGU", SMALL) if genome is None else genome
    generator = np.random.default_rng(1)
    return to_text(Contents(genome, weights_of(genome.space, generator) if weights else None, "a note"))


def refusal(text, match):
    with pytest.raises(CellFileError, match=match) as caught:
        from_bytes(text if isinstance(text, bytes) else text.encode(), "cell.json")
    assert str(caught.value).startswith("cell.json")
    assert len(str(caught.value)) < 500
    return str(caught.value)


def changed(*path, to, weights=False):
    """The text of a file with one value replaced."""
    parts = json.loads(written(weights=weights))
    inside = parts
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = to
    return json.dumps(parts)
