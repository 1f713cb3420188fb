"""The canonical form computes the same, and is the same for all genomes of one cell."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.search.canonical import canonical, digest
from jaxneuro.search.cell import EvolvedCell
from jaxneuro.search.genome import IDENTITY, Space, check, empty, largest, live_wires
from jaxneuro.search.named import TEXTS, named
from jaxneuro.search.text import parse
from tests.search.genomes import SPACES, relabelled, same_arrays, some

INPUTS = UNITS = 2
STEPS = 4
ROOM = Space(stages=3, slots=9, nodes=16, states=3)


def stacked(trees):
    return jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *trees)


def with_leaves(cell, genomes, **weights):
    """A cell with the genomes and weights of many."""
    leaves = [stacked(genomes), *weights.values()]
    return eqx.tree_at(lambda m: [m.genome, *(getattr(m, name) for name in weights)], cell, leaves)


def moved(weights, places):
    """The weights of each slot, where the slot is now; 0 where none is."""
    result = np.zeros_like(weights)
    for cell, slots in enumerate(places):
        for now, before in slots.items():
            result[(cell, *now)] = weights[(cell, *before)]
    return jnp.asarray(result)


@jax.jit
def outputs(cells, inputs):
    return jax.vmap(lambda cell: jn.run(cell, inputs)[1])(cells)


def check_computes_the_same(space, count):
    genomes = some(count, 3, (space,))
    found = [canonical(genome) for genome in genomes]
    shell = EvolvedCell(INPUTS, UNITS, genomes[0], key=jax.random.key(0))
    generator = np.random.default_rng(4)
    names = ("input_weights", "recurrent_weights", "bias")
    weights = {name: generator.normal(size=(count, *getattr(shell, name).shape)) for name in names}
    places = [form.slots for form in found]
    changed = {name: moved(array, places) for name, array in weights.items()}
    inputs = jnp.asarray(generator.normal(size=(STEPS, INPUTS)))
    before = np.asarray(outputs(with_leaves(shell, genomes, **weights), inputs))
    after = np.asarray(outputs(with_leaves(shell, [form.genome for form in found], **changed), inputs))
    # Products of products leave every range, and a cell that is always the same says little.
    tame = np.abs(before).max((1, 2)) < 1e3
    assert tame.mean() > 0.9
    assert (np.ptp(before[tame], axis=1) > 0).any(1).mean() > 0.3
    np.testing.assert_allclose(after[tame], before[tame], rtol=0, atol=1e-12)


@pytest.mark.parametrize("space", SPACES[1:3], ids=str)
def test_computes_the_same(space, float64):
    check_computes_the_same(space, 200)


@pytest.mark.slow
@pytest.mark.parametrize("space", SPACES, ids=str)
def test_computes_the_same_for_very_many(space, float64):
    check_computes_the_same(space, 2000)


def check_is_one_for_all(count):
    generator, fallen_back = np.random.default_rng(5), 0
    for genome in some(count):
        form, space = canonical(genome), genome.space
        check(form.genome)
        again = canonical(form.genome)
        assert same_arrays(again.genome, form.genome), "the canonical form of a canonical form is another"
        assert again.digest == form.digest
        other = canonical(relabelled(genome, generator))
        assert other.digest == form.digest
        larger = Space(space.stages + 1, space.slots + 1, space.nodes + 3, space.states + 1)
        assert digest(relabelled(genome, generator, larger)) == form.digest
        fallen_back += same_arrays(form.genome, genome) and not is_tidy(form.genome)
        if is_tidy(form.genome):
            assert same_arrays(other.genome, form.genome)
    return fallen_back


def is_tidy(genome):
    """Whether nothing is dead: a genome that found no room is what it was."""
    space, live = genome.space, live_wires(genome)
    slots = [space.slot(*at) in live for at in np.ndindex(space.stages, space.slots)]
    terms = (genome.input | genome.recurrent | genome.bias).ravel() > 0
    return slots == terms.tolist()


def test_is_the_same_for_all_genomes_of_one_cell():
    assert check_is_one_for_all(100) == 0


@pytest.mark.slow
def test_is_the_same_for_very_many():
    assert check_is_one_for_all(5000) < 10


@pytest.mark.parametrize("name", TEXTS)
def test_known_cells_are_the_same_in_any_room(name):
    genome = named(name)
    form = canonical(named(name, ROOM))
    assert form.digest == digest(genome) == digest(relabelled(genome, np.random.default_rng(1), ROOM))
    assert len(live_wires(form.genome)) <= len(live_wires(genome))


def test_all_known_cells_differ():
    assert len({digest(named(name)) for name in TEXTS}) == len(TEXTS)


def test_what_matters_makes_another_digest():
    """Every gene of a cell is changed in every way; what stays equal must compute the same, which is judged by hand."""
    genome = canonical(named("MGU")).genome
    most, same = largest(genome.space), []
    for field in dataclasses.fields(genome):
        array = getattr(genome, field.name)
        for at in np.ndindex(array.shape):
            for value in range(int(getattr(most, field.name)[at]) + 1):
                if value != array[at]:
                    changed = array.copy()
                    changed[at] = value
                    other = dataclasses.replace(genome, **{field.name: changed})
                    if digest(other) == digest(genome):
                        same.append(f"{field.name}{list(at)}={value}")
    space = genome.space
    dead = [f"slot[{i}, {j}]" for i, j in np.ndindex(space.stages, space.slots) if not genome.input[i, j]]
    assert not [change for change in same if not is_dead(genome, change)], (same, dead)


def is_dead(genome, change):
    """Whether a change is of what nothing reads."""
    name, rest = change.split("[")
    at = [int(number) for number in rest.split("]")[0].split(",") if number]
    space, live = genome.space, live_wires(genome)
    if name in ("input", "recurrent", "bias", "squash"):
        return space.slot(*at) not in live
    if name in ("combine", "first", "second", "activation"):
        return space.node(*at) not in live or (name == "second" and not genome.combine[tuple(at)])
    return name == "source" and not genome.recurrent[at[0]].any()


def same(one, other):
    assert digest(parse(one)) == digest(parse(other))


def different(one, other):
    assert digest(parse(one)) != digest(parse(other))


SLOTS = "states h k\nstage reads h\ng = W x\nf = sigmoid(W x + U h + b)\n"


def cell(*lines, output):
    """Two slots, two states, these lines."""
    return SLOTS + "\n".join(lines) + f"\noutput {output}"


@pytest.mark.parametrize(
    ("line", "simple"),
    [
        ("n = g + 0", "g"),
        ("n = 0 + g", "g"),
        ("n = g - 0", "g"),
        ("n = g - g", "0"),
        ("n = g * 1", "g"),
        ("n = 1 * g", "g"),
        ("n = g * 0", "0"),
        ("n = 0 * g", "0"),
        ("n = (1 - 0) * g", "g"),
        ("n = (1 - 1) * g", "0"),
        ("n = (1 - g) * 0", "0"),
        ("n = g", "g"),
        ("n = tanh(0)", "0"),
        ("n = relu(0)", "0"),
        ("n = negate(0)", "0"),
        ("n = complement(0)", "1"),
        ("n = spike(0)", "1"),
        ("n = complement(1)", "0"),
        ("n = spike(1)", "1"),
        ("n = relu(1)", "1"),
        ("n = tanh(g - g)", "0"),
        ("n = complement(g * 0)", "1"),
        ("n = relu(1 * 1)", "1"),
        ("n = 1 - 0", "1"),
        ("n = h * g", "0"),  # h is never written: it stays 0
        ("n = g - h", "g"),
        ("n = complement(k)", "1"),
    ],
)
def test_zero_and_one_fold(line, simple):
    same(cell(line, output="n"), cell(output=simple))


@pytest.mark.parametrize(
    "line", ["n = 0 - g", "n = g - 1", "n = g + 1", "n = (1 - g) * 1", "n = (1 - g) * g", "n = g * g", "n = g + g"]
)
def test_what_is_no_folding_stays(line):
    for simple in ("g", "0", "1"):
        different(cell(line, output="n"), cell(output=simple))


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "negate"])
def test_numbers_that_are_neither_zero_nor_one_stay(activation):
    for simple in ("0", "1"):
        different(cell(f"n = {activation}(1)", output="n"), cell(output=simple))
    different(cell("n = sigmoid(0)", output="n"), cell("n = sigmoid(1)", output="n"))


@pytest.mark.parametrize(
    ("lines", "simple"),
    [
        (["a = g * f", "c = f * g", "n = a + c"], ["a = g * f", "n = a + a"]),
        (["a = g + f", "n = tanh(a)"], ["n = tanh(g + f)"]),
        (
            ["a = g + f", "c = tanh(a)", "d = sigmoid(a)", "n = c * d"],
            ["c = tanh(f + g)", "d = sigmoid(g + f)", "n = d * c"],
        ),
        (["a = g + f", "c = tanh(g + f)", "n = a * c"], ["a = g + f", "c = tanh(a)", "n = a * c"]),
        (["a = complement(f)", "n = a * g"], ["n = (1 - f) * g"]),
        (["a = complement(f)", "n = g * a"], ["n = (1 - f) * g"]),
        (["a = 1 - f", "n = g + 0", "k <- a"], ["n = g"]),
        (["a = complement(f)", "c = complement(g)", "n = a * c"], ["a = complement(f)", "n = (1 - g) * a"]),
        (["a = complement(f)", "c = complement(g)", "n = a * c"], ["c = complement(g)", "n = (1 - f) * c"]),
        (["a = (1 - f) * g", "n = relu(a)"], ["n = relu((1 - f) * g)"]),
    ],
)
def test_nodes_that_say_the_same_are_one(lines, simple):
    one, other = canonical(parse(cell(*lines, output="n"), ROOM)), canonical(parse(cell(*simple, output="n"), ROOM))
    assert one.digest == other.digest
    assert same_arrays(one.genome, other.genome)


def test_a_complement_in_a_product_takes_no_node():
    form = canonical(parse(cell("a = complement(f)", "n = a * g", output="n"))).genome
    assert sum(wire >= form.space.node(0) for wire in live_wires(form)) == 1


def test_an_activation_takes_no_node_even_if_there_are_two():
    lines = ["a = g + f", "c = tanh(a)", "d = sigmoid(a)", "n = c * d"]
    form = canonical(parse(cell(*lines, output="n"))).genome
    assert sum(wire >= form.space.node(0) for wire in live_wires(form)) == 3


def test_slots_are_never_one():
    different("stage\ng = W x\nf = W x\nn = g + f\noutput n", "stage\ng = W x\nn = g + g\noutput n")


@pytest.mark.parametrize(
    ("lines", "simple"),
    [
        (["n = g + k", "h <- g", "k <- g"], ["n = g + h", "h <- g"]),
        (["n = h + k", "h <- g", "k <- g"], ["n = h + h", "h <- g"]),
        (["a = h + g", "c = k + g", "n = a * c", "h <- a", "k <- c"], ["a = h + g", "n = a * a", "h <- a"]),
        (["n = h + g", "h <- k", "k <- h"], ["n = g"]),
        (["n = g + h", "h <- h"], ["n = g"]),
        (["a = tanh(h)", "n = g + h", "h <- a"], ["n = g"]),
        (["a = h * k", "n = g + h", "h <- a", "k <- f"], ["n = g"]),
    ],
)
def test_states_that_are_always_equal_or_zero_are_one(lines, simple):
    without = lambda lines: SLOTS.replace("W x + U h + b", "W x + b") + "\n".join(lines) + "\noutput n"  # noqa: E731
    same(without(lines), without(simple))


@pytest.mark.parametrize(
    ("lines", "other"),
    [
        (["n = h + g", "h <- g"], ["n = g"]),
        (["n = h + k", "h <- g", "k <- f"], ["n = h + h", "h <- g"]),
        (["a = complement(h)", "n = h + g", "h <- a"], ["n = g"]),
        (["n = h + k", "h <- g", "k <- h"], ["n = h + h", "h <- g"]),
    ],
)
def test_states_that_differ_stay(lines, other):
    different(cell(*lines, output="n"), cell(*other, output="n"))


def test_dead_parts_are_gone():
    lines = ["a = tanh(f)", "k <- a", "n = tanh(g)"]
    form = canonical(parse(cell(*lines, output="n"), ROOM))
    assert form.slots == {(0, 0): (0, 0)}
    assert form.genome.input.sum() == 1
    assert not form.genome.recurrent.any()
    assert (form.genome.activation != IDENTITY).sum() == 1
    assert live_wires(form.genome) == {ROOM.slot(0), ROOM.node(0)}


@pytest.mark.parametrize("output", ["0", "1"])
def test_a_cell_of_no_use_is_empty(output):
    form = canonical(parse(cell("a = tanh(f)", "h <- a", output=output), ROOM))
    wanted = dataclasses.replace(empty(ROOM), output=np.asarray(int(output), np.int32))
    assert same_arrays(form.genome, wanted)
    assert form.slots == {}


def test_stages_come_as_early_as_they_can():
    late = "states h\nstage\nstage\ng = W x\nstage reads h\nf = U h + b\nn = f + g\nh <- n\noutput n"
    early = "states h\nstage reads h\ng = W x\nf = U h + b\nn = f + g\nh <- n\noutput n"
    one, other = canonical(parse(late, ROOM)), canonical(parse(early, ROOM))
    assert same_arrays(one.genome, other.genome)
    assert sorted(one.slots.values()) == [(1, 0), (2, 0)]


def test_a_map_of_what_comes_from_a_state_alone_has_a_stage_before_it():
    text = "states h\nstage\nshown = tanh(h)\nstage reads shown\ng = W x + U shown\nh <- g\noutput g"
    form = canonical(parse(text))
    assert form.slots == {(1, 0): (1, 0)}
    assert same_arrays(canonical(parse(text, ROOM)).genome, canonical(parse(text, ROOM)).genome)


def test_what_finds_no_room_is_what_it_was_with_the_digest_of_all():
    """Half is a node, for which this space has no room."""
    space = Space(1, 1, 0, 1)
    genome = dataclasses.replace(empty(space), output=np.asarray(space.slot(0), np.int32))
    genome.squash[0, 0] = 2
    form = canonical(genome)
    assert same_arrays(form.genome, genome)
    assert form.slots == {(0, 0): (0, 0)}
    assert form.digest == digest(parse("stage\nn = sigmoid(0)\noutput n"))


def test_a_genome_out_of_range_is_refused():
    genome = dataclasses.replace(named("RNN"), output=np.asarray(99, np.int32))
    with pytest.raises(ValueError, match=r"Genome.output is 99; it must be 0 to 3."):
        canonical(genome)
