"""The class of a cell against the derivatives of its step: of many random cells, and of all known ones."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.search import cost
from jaxneuro.search.canonical import canonical
from jaxneuro.search.cell import EvolvedState
from jaxneuro.search.genome import FIRST_STATE, empty, live_wires
from jaxneuro.search.named import TEXTS, named
from jaxneuro.search.parallel import LARGEST_PART, SequentialError, parallel_class, parts
from jaxneuro.search.program import program
from jaxneuro.search.text import parse
from tests.laws import gradient
from tests.search.drawn import one_of, random_genomes
from tests.search.evolved import one_cell
from tests.search.interpreted import types_unchecked
from tests.search.linear_cells import CASCADE, FOUR, PARALLEL, SEQUENTIAL, edited, joined, mutants, random_cells
from tests.search.mutants import SPACE

INPUTS, UNITS, POINTS = 2, 2, 16


@functools.cache
def classes():
    return {name: parallel_class(named(name)) for name in TEXTS}


def test_of_the_known_cells_these_are_parallel():
    assert {name for name, kind in classes().items() if kind == "parallel"} == {"MinGRU", "ComplexLinear"}


@pytest.mark.parametrize("name", PARALLEL)
def test_cells_that_are_linear_in_their_states_are_parallel(name):
    assert parallel_class(parse(PARALLEL[name])) == "parallel"
    assert cost.sequential(parse(PARALLEL[name])) == 0


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_cells_that_are_not_are_sequential_and_the_line_is_named(name):
    text, line = SEQUENTIAL[name]
    assert parallel_class(parse(text)) == "sequential"
    assert cost.sequential(parse(text)) == 1
    with pytest.raises(SequentialError, match="not linear in") as error:
        parts(program(parse(text)))
    assert line in str(error.value)


def test_the_message_says_what_to_change():
    with pytest.raises(SequentialError) as error:
        parts(program(named("RNN")))
    assert str(error.value) == "state h1 is not linear in itself, neuron by neuron: g1 = tanh(W x + U h1 + b)."
    with pytest.raises(SequentialError) as error:
        parts(program(named("LIF")))
    assert str(error.value).startswith("states h1, h2 are not linear in themselves")


def test_parts_are_the_states_that_read_one_another_in_the_order_of_reading():
    code = program(parse(CASCADE))
    first, second = parts(code)
    assert (len(first.states), len(second.states)) == (1, 2)
    assert {*first.lines}.isdisjoint(second.lines)
    assert code.next[first.states[0] - FIRST_STATE] in first.lines
    delays = parts(program(parse(PARALLEL["DELAYS"])))
    assert [len(part.states) for part in delays] == [1, 1, 1]
    assert [len(part.lines) > 0 for part in delays] == [False, False, True]
    assert [len(part.states) for part in parts(program(parse(PARALLEL["RING"])))] == [3]
    assert parts(program(parse(PARALLEL["FEEDFORWARD"]))) == ()


def test_more_states_than_that_do_not_read_one_another_in_parallel():
    assert LARGEST_PART == 3
    assert parallel_class(parse(FOUR)) == "sequential"
    with pytest.raises(SequentialError, match="read one another; at most 3 states may"):
        parts(program(parse(FOUR)))


def test_what_zero_and_one_make_trivial_does_not_count():
    text = PARALLEL["SWAP"].replace("next = half * new", "no = half * 0\n square = new * new\n gone = no * square\n"
                                    " next = gone + new")  # fmt: skip
    assert parallel_class(parse(text)) == "parallel"


def test_a_genome_out_of_range_is_refused():
    genome = parse(CASCADE)
    genome.next[0] = 99
    with pytest.raises(ValueError, match=r"Genome\.next\[0\] is 99"):
        parallel_class(genome)


def changes(cell, genome, states, inputs):
    """Derivatives `[new state, its unit, old state, its unit]` of a step."""
    alone = eqx.tree_at(lambda c: c.genome, cell, genome)
    return jax.jacfwd(lambda values: alone.step(EvolvedState(values), inputs)[0].values)(states)


@functools.partial(jax.jit, compiler_options=gradient.QUICK)
def at_points(cells, genomes, states, inputs):
    """`[genomes, points, ...]`, with other weights at each point."""
    points = jax.vmap(changes, in_axes=(0, None, 0, 0))
    return jax.vmap(points, in_axes=(None, 0, 0, None))(cells, genomes, states, inputs)


def seen_in_derivatives(genomes, seed=0):
    """Which cells are parallel by the derivatives of their steps at random points.

    What a state reads is where a derivative is not 0; the derivatives of the next states of a part by its old values
    must be diagonal and must not change with its old values.
    """
    generator, count, size = np.random.default_rng(seed), len(genomes.output), genomes.next.shape[-1]
    cell = one_cell(empty(genomes.space), inputs=INPUTS, units=UNITS, dtype="float64")
    cells = jax.tree.map(lambda leaf: jnp.asarray(generator.normal(size=(POINTS, *leaf.shape)), leaf.dtype), cell)
    # From small to large, so that each side of each kink and each threshold is met.
    scale = np.geomspace(0.1, 4, POINTS)[:, None]
    states = generator.normal(size=(count, POINTS, size, UNITS)) * scale[..., None]
    inputs = generator.normal(size=(POINTS, INPUTS)) * scale
    here = np.asarray(at_points(cells, genomes, jnp.asarray(states), jnp.asarray(inputs)))
    reads = np.abs(here).max((1, 3, 5)) > 1e-12
    alive = np.zeros((count, size), bool)
    for i in range(count):
        live = live_wires(one_of(genomes, i))
        alive[i] = [FIRST_STATE + s in live for s in range(size)]
    reads &= alive[:, :, None]
    ever = np.eye(size, dtype=bool) | reads
    for _ in range(size):
        ever = ever @ ever
    together = ever & ever.transpose(0, 2, 1)
    parallel = together.sum(-1).max(-1) <= LARGEST_PART
    apart = ~np.eye(UNITS, dtype=bool)
    for s in range(size):
        own = together[:, s]
        other = np.where(own[:, None, :, None], generator.normal(size=states.shape) * scale[..., None], states)
        there = np.asarray(at_points(cells, genomes, jnp.asarray(other), jnp.asarray(inputs)))
        row, moved = (np.where(own[:, None, None, :, None], j[:, :, s], 0) for j in (here, there))
        tolerance = 1e-9 * np.maximum(1, np.abs(row).max((1, 2, 3, 4)))
        mixed = np.abs(row.transpose(0, 1, 3, 2, 4)[..., apart]).max((1, 2, 3), initial=0)
        bent = np.abs(row - moved).max((1, 2, 3, 4))
        parallel &= ~alive[:, s] | ((mixed <= tolerance) & (bent <= tolerance))
    return parallel


def canonicals(genomes):
    """The canonical forms, and what `parallel_class` says of them."""
    with types_unchecked():
        forms = [canonical(one_of(genomes, i)).genome for i in range(len(genomes.output))]
        said = np.array([parallel_class(form) == "parallel" for form in forms])
    return jax.tree.map(lambda *leaves: np.stack(leaves), *forms), said


def check_against_derivatives(genomes):
    """How many are parallel, how many are not, and how many of these are by their lines alone."""
    genomes, said = canonicals(genomes)
    seen = seen_in_derivatives(genomes)
    assert not (said & ~seen).any(), "parallel, but a derivative changes with what it must not"
    # What never changes its sign, as -sigmoid(h), is rectified to what never changes; and in sums a state may cancel.
    return said.sum(), (~said).sum(), (seen & ~said).sum()


def test_the_class_is_what_derivatives_of_the_step_show(float64):
    parallel, sequential, by_lines = check_against_derivatives(
        joined(120, edited(120, 0), random_genomes(0, 120, SPACE, late=True))
    )
    assert min(parallel, sequential) > 40
    assert by_lines <= 8


@pytest.mark.slow
def test_the_class_of_thousands_of_cells_is_what_derivatives_show(float64):
    for genomes, most in ((mutants(350, 1), 5), (random_cells(350, 1), 15)):
        parallel, sequential, by_lines = check_against_derivatives(genomes)
        assert min(parallel, sequential) > 125
        assert by_lines <= most
