"""Compiled mutations of one space, for the tests of the search."""

import dataclasses
import functools

import jax
import numpy as np

from jaxneuro.search.draft import live
from jaxneuro.search.genome import FIRST_STATE, Space, largest
from jaxneuro.search.mutation import OPERATORS, mutate, random_genome, rates
from jaxneuro.search.text import parse, show
from tests.search.drawn import one_of, random_genomes

SPACE = Space(stages=2, slots=6, nodes=10, states=4)
MANY = 1000
TRACES = []


def traced(key, genome, weights):
    TRACES.append(genome)
    return mutate(key, genome, weights)


single, many = jax.jit(traced), jax.jit(jax.vmap(traced, in_axes=(0, 0, None)))
drawn = jax.jit(jax.vmap(random_genome, in_axes=(0, None)), static_argnums=1)
alive = jax.jit(jax.vmap(live))
DEFAULT = rates()
RNN = "states h\n stage reads h\n u = tanh(W x + U h + b)\n h <- u\n output u"


def keys(seed, count=MANY):
    return jax.random.split(jax.random.key(seed), count)


def only(name):
    """Rates that draw one operator."""
    return np.array([float(name == other) for other in OPERATORS], np.float32)


def mutated(name, genomes, seed=0):
    """The population after one operator, as NumPy arrays."""
    children, which = many(keys(seed), genomes, only(name))
    assert (np.asarray(which) == list(OPERATORS).index(name)).all()
    return jax.tree.map(np.asarray, children)


def copies(text):
    """The cell of a text, many times."""
    genome = parse(text, SPACE)
    return jax.tree.map(lambda array: np.broadcast_to(array, (MANY, *array.shape)), genome)


def children(name, text, count=200):
    """The texts of the children of a cell that differ from it."""
    population = mutated(name, copies(text))
    rows = np.concatenate([leaf.reshape(MANY, -1) for leaf in jax.tree.leaves(population)], 1)
    _, firsts = np.unique(rows, axis=0, return_index=True)
    return {show(one_of(population, number)) for number in np.sort(firsts)[:count]} - {show(parse(text, SPACE))}


def texts(*cells):
    return {show(parse(cell, SPACE)) for cell in cells}


def valid(genomes):
    most = largest(SPACE)
    for field in dataclasses.fields(most):
        entries, limit = np.asarray(getattr(genomes, field.name)), getattr(most, field.name)
        assert entries.dtype == np.int32, field.name
        assert (entries >= 0).all(), field.name
        assert (entries <= limit).all(), field.name


def changed(before, after):
    """Which genomes of a population are different."""
    pairs = zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True)
    return np.stack([(np.asarray(a) != np.asarray(b)).reshape(len(a), -1).any(1) for a, b in pairs]).any(0)


def sizes(genomes):
    """How many states, slots and nodes of each genome are live."""
    found = np.asarray(alive(genomes))
    table = found[:, SPACE.slot(0) :].reshape(len(found), SPACE.stages, -1)
    states = found[:, FIRST_STATE : SPACE.slot(0)].sum(1)
    return states, table[:, :, : SPACE.slots].sum((1, 2)), table[:, :, SPACE.slots :].sum((1, 2))


@functools.cache
def populations():
    return {
        "random": jax.tree.map(np.asarray, drawn(keys(7), SPACE)),
        "even": random_genomes(1, MANY, SPACE),
        "late": random_genomes(2, MANY, SPACE, late=True),
    }
