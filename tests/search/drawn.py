"""Random genomes for tests: a population of one space."""

import dataclasses

import numpy as np

from jaxneuro.search.genome import Genome, largest


def random_genomes(seed, count, space, late=False):
    """Genomes whose entries are drawn evenly, `[count, ...]`.

    Args:
        seed: of the generator.
        count: how many.
        space: their space.
        late: whether wires that are made late are read more often; then more of a cell is live.
    """
    generator, most, drawn = np.random.default_rng(seed), largest(space), {}
    for field in dataclasses.fields(most):
        limit = getattr(most, field.name)
        shape = (count, *limit.shape)
        entries = generator.integers(0, limit + 1, shape)
        if late and field.name in ("first", "second", "next", "output"):
            entries = np.maximum(limit - generator.geometric(0.3, shape) + 1, 0)
        drawn[field.name] = entries.astype(np.int32)
    return Genome(**drawn)


def one_of(genomes, number):
    """One genome of a population."""
    return Genome(*(np.asarray(getattr(genomes, field.name)[number]) for field in dataclasses.fields(genomes)))
