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
from jaxneuro.search.genome import Space, check, empty, largest, live_wires
from jaxneuro.search.named import TEXTS, named
from jaxneuro.search.text import parse
from tests.search.genomes import SPACES, is_tidy, relabelled, same_arrays, some
from tests.search.unchecked import unchecked

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


def test_computes_the_same(float64):
    check_computes_the_same(SPACES[2], 100)


@pytest.mark.slow
@pytest.mark.parametrize("space", range(len(SPACES)))
def test_computes_the_same_for_very_many(space):
    unchecked("test_canonical", f"check_computes_the_same(SPACES[{space}], 1000)")


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
        if is_tidy(form.genome):
            assert same_arrays(other.genome, form.genome)
        else:
            assert same_arrays(form.genome, genome)
            fallen_back += 1
    return fallen_back


def test_is_the_same_for_all_genomes_of_one_cell():
    assert check_is_one_for_all(20) == 0


@pytest.mark.slow
def test_is_the_same_for_very_many():
    unchecked("test_canonical", "assert check_is_one_for_all(2000) < 5")


@pytest.mark.parametrize("name", TEXTS)
def test_known_cells_are_the_same_in_any_room(name):
    genome = named(name)
    form = canonical(named(name, ROOM))
    assert form.digest == digest(genome) == digest(relabelled(genome, np.random.default_rng(1), ROOM))
    assert len(live_wires(form.genome)) <= len(live_wires(genome))


def test_of_two_halves_that_mirror_each_other_either_may_be_the_output():
    text = "states h k\nstage\nn = h * k\nstage reads n\ng = W x + U n\nf = W x + U n\nh <- g\nk <- f\noutput "
    one, other = canonical(parse(text + "g")), canonical(parse(text + "f"))
    assert one.digest == other.digest
    assert same_arrays(one.genome, other.genome)
    assert one.slots != other.slots


def test_all_known_cells_differ():
    assert len({digest(named(name)) for name in TEXTS}) == len(TEXTS)


def test_what_matters_makes_another_digest():
    """Every gene of a cell is changed in several ways."""
    genome = canonical(named("MGU")).genome
    most, same = largest(genome.space), []
    for field in dataclasses.fields(genome):
        array = getattr(genome, field.name)
        for at in np.ndindex(array.shape):
            largest_value = int(getattr(most, field.name)[at])
            for value in {0, largest_value // 2, largest_value}:
                if value != array[at]:
                    changed = array.copy()
                    changed[at] = value
                    other = dataclasses.replace(genome, **{field.name: changed})
                    if digest(other) == digest(genome):
                        same.append(f"{field.name}{list(at)}={value}")
    assert not [change for change in same if not is_dead(genome, change)]


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
