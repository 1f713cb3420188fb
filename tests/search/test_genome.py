"""The genome's tables, spaces, checks, and what of a cell is alive."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.search.cell import activate
from jaxneuro.search.genome import (
    ACTIVATIONS,
    ADD,
    BIASES,
    COMBINES,
    COMPLEMENT,
    FIRST,
    FORGET,
    IDENTITY,
    LIMITS,
    MULTIPLY,
    NEGATE,
    RELU,
    SIGMOID,
    SPIKE,
    SUBTRACT,
    TANH,
    Space,
    check,
    empty,
    largest,
    live_wires,
    parameter_count,
)
from jaxneuro.search.named import named
from jaxneuro.search.text import parse
from tests.search.genomes import SPACES, some

ROOM = Space(2, 3, 4, 2)


def test_names_and_numbers_of_the_tables_agree():
    combined = {"first": FIRST, "add": ADD, "subtract": SUBTRACT, "multiply": MULTIPLY, "forget": FORGET}
    assert combined == {name: i for i, name in enumerate(COMBINES)}
    names = ("identity", "tanh", "sigmoid", "relu", "complement", "negate", "spike")
    assert dict(zip(names, (IDENTITY, TANH, SIGMOID, RELU, COMPLEMENT, NEGATE, SPIKE), strict=True)) == {
        name: i for i, name in enumerate(ACTIVATIONS)
    }
    assert next(iter(BIASES)) == "none", "a slot without this gene has no bias"


def test_the_tables_are_the_functions_that_their_names_say():
    u = np.linspace(-3.0, 3.0, 13, dtype=np.float32)
    expected = {
        "identity": u,
        "tanh": np.tanh(u),
        "sigmoid": 1 / (1 + np.exp(-u)),
        "relu": np.maximum(u, 0),
        "complement": 1 - u,
        "negate": -u,
        "spike": np.where(u >= 0, 1.0, 0.0),
    }
    assert expected.keys() == ACTIVATIONS.keys()
    for i, name in enumerate(ACTIVATIONS):
        np.testing.assert_allclose(activate(jnp.asarray(u), jnp.asarray(i)), expected[name], atol=2e-7, err_msg=name)
        gain, scale, linear, relu, step, constant = ACTIVATIONS[name]
        table = gain * np.tanh(scale * u) + linear * u + relu * np.maximum(u, 0) + step * (u >= 0) + constant
        np.testing.assert_allclose(table, expected[name], atol=2e-7, err_msg=name)
    a, b = 0.3, -1.7
    expected = {"first": a, "add": a + b, "subtract": a - b, "multiply": a * b, "forget": (1 - a) * b}
    for name, (p, q, r) in COMBINES.items():
        assert p * a + q * b + r * a * b == pytest.approx(expected[name])


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_wires_are_numbered_without_gaps(space):
    wires = [0, 1, *range(2, 2 + space.states)]
    for stage in range(space.stages):
        wires += [space.slot(stage, slot) for slot in range(space.slots)]
        wires += [space.node(stage, node) for node in range(space.nodes)]
    assert wires == list(range(space.wires))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"stages": 0}, "Space got stages=0; it must be 1 to 8."),
        ({"slots": 33}, "Space got slots=33; it must be 1 to 32."),
        ({"nodes": -1}, "Space got nodes=-1; it must be 0 to 64."),
        ({"nodes": 65}, "Space got nodes=65; it must be 0 to 64."),
        ({"states": 0}, "Space got states=0; it must be 1 to 8."),
    ],
)
def test_a_space_has_limits(sizes, message):
    with pytest.raises(ValueError, match=message):
        Space(**sizes)
    assert Space(nodes=0, **{name: limit for name, limit in LIMITS.items() if name != "nodes"}).wires == 10 + 8 * 32


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_a_genome_knows_its_space_and_what_is_in_range_passes(space):
    for genome in (empty(space), largest(space), *some(5, 1, (space,))):
        assert genome.space == space
        assert all(leaf.dtype == np.int32 for leaf in jax.tree.leaves(genome))
        check(genome)
        check(jax.tree.map(jnp.asarray, genome))


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(empty(ROOM))])
def test_what_is_out_of_range_is_named(field):
    most = getattr(largest(ROOM), field)
    for place in np.ndindex(most.shape):
        for value in (-1, most[place] + 1, 2**31 - 1):
            wrong = np.zeros_like(most)
            wrong[place] = value
            where = "".join(rf"\[{i}\]" for i in place)
            with pytest.raises(
                ValueError, match=rf"^Genome.{field}{where} is {value}; it must be 0 to {most[place]}.$"
            ):
                check(dataclasses.replace(empty(ROOM), **{field: wrong}))


def test_shapes_that_do_not_agree_are_named():
    population = jax.tree.map(lambda leaf: np.stack([leaf, leaf]), empty(ROOM))
    with pytest.raises(ValueError, match=r"Genome.source has shape \[2, 2\]; it must be \[2\]."):
        check(population)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_a_wire_reads_only_wires_before_it(space):
    most = largest(space)
    for stage in range(space.stages):
        assert most.source[stage] == space.slot(stage) - 1
        for node in range(space.nodes):
            assert most.first[stage, node] == most.second[stage, node] == space.node(stage, node) - 1
    assert most.output == most.next.max() == space.wires - 1


def test_what_is_alive_is_what_the_output_depends_on_now_or_later():
    text = """
        states h k
        stage reads h
        g = W x
        f = U h + b
        n = g + 0
        m = tanh(f)
        h <- k
        k <- m
        output n
    """
    genome = parse(text)
    space = genome.space
    g, f, n, m = space.slot(0, 0), space.slot(0, 1), space.node(0, 0), space.node(0, 1)
    assert live_wires(genome) == {n, g, 0}
    assert live_wires(dataclasses.replace(genome, output=np.asarray(2, np.int32))) == {2, 3, m, f}
    first = dataclasses.replace(genome, output=np.asarray(m, np.int32), second=np.full_like(genome.second, n))
    assert live_wires(first) == {m, f, 2, 3}, "a node of one operand does not read the second"


def test_dead_slots_and_absent_terms_have_no_parameters():
    genome = parse("states h\nstage reads h\ng = W x + b\nf = U h\ndead = W x + U h + b\nn = g + f\nh <- n\noutput n")
    assert parameter_count(genome, 5, 7) == 7 * (5 + 1) + 7 * 7
    assert parameter_count(dataclasses.replace(genome, output=np.asarray(1, np.int32)), 5, 7) == 0
    assert parameter_count(named("LSTM"), 5, 7) == 4 * 7 * (5 + 7 + 1)
