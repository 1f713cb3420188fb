"""Cells that stand for objects: who becomes active, beside a loop over tiers; and objects that share what is sensed."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

INPUTS, CELLS, OBJECT = 48, 100, 6


@functools.cache
def layer(inertia=1.0):
    with jax.enable_x64(False):
        return jn.htm.ColumnPooler(
            INPUTS,
            CELLS,
            neighbours=1,
            object_cells=OBJECT,
            proximal_segments=12,
            distal_segments=6,
            synapses=8,
            inertia=inertia,
            proximal_threshold=5.0,
            distal_threshold=4.0,
            new_synapses=6.0,
        )


step = jax.jit(lambda state, sensed: layer().step(state, sensed))
PARTS = {name: tuple(range(8 * place, 8 * place + 8)) for place, name in enumerate("abcdef")}


def words(members, size):
    return jn.htm.pack(jnp.asarray(np.isin(np.arange(size), sorted(members))))


def sense(state, part, *, beside=(), learn=False, reset=False):
    """The state and the active cells after a part of an object, or nothing, is sensed."""
    members = PARTS[part] if part else ()
    candidates = jnp.asarray([*members, *[INPUTS] * (8 - len(members))], jnp.int32)
    sensed = jn.htm.Sensed(
        words(members, INPUTS), candidates, words(beside, CELLS)[None], jnp.asarray(learn), jnp.asarray(reset)
    )
    state, output = step(state, sensed)
    assert all(int(number) == 0 for number in jax.tree.leaves(output.lost))
    return state, set(np.flatnonzero(jn.htm.unpack(output.active, CELLS)).tolist())


# What the neighbouring column has for each object.
BESIDE = {"abc": range(6), "ade": range(10, 16), "bdf": range(20, 26)}


@functools.cache
def learnt():
    """Three objects that share parts, and the cells of each."""
    with jax.enable_x64(False):
        state, objects = layer().init(jax.random.key(2)), {}
        for thing, beside in BESIDE.items():
            for turn in range(2):
                for place, part in enumerate(thing):
                    state, active = sense(state, part, beside=beside, learn=True, reset=turn == place == 0)
                    objects.setdefault(thing, active)
                    assert active == objects[thing]
        return state, objects


def by_hand(fed, support, before, inertia):
    """The choice, by a loop that goes down from tier to tier."""
    active = set()

    def descend(members, lowest):
        for tier in range(max(support), lowest - 1, -1):
            if len(active) >= OBJECT:
                return
            active.update(cell for cell in members if support[cell] == tier)

    descend(fed, 1)
    staying = sorted(before - active, key=lambda cell: (-support[cell], cell))
    descend(set(staying[: int(inertia * len(staying))]), 0)
    descend(fed - active, 0)
    return active


@pytest.mark.parametrize("inertia", [1.0, 0.5, 0.0])
def test_the_choice_is_that_of_a_loop_over_tiers(inertia):
    generator = np.random.default_rng(3)
    choose = jax.jit(layer(inertia).chosen)
    sizes = set()
    for _ in range(60):
        shares = generator.choice([0.0, 0.03, 0.1, 0.3], size=2)
        fed, before = generator.random(CELLS) < shares[0], generator.random(CELLS) < shares[1]
        support = generator.integers(0, 5, CELLS) * (generator.random(CELLS) < 0.3)
        found = choose(jnp.asarray(fed), jnp.asarray(support, jnp.int32), jnp.asarray(before))
        expected = by_hand(
            set(np.flatnonzero(fed).tolist()), support.tolist(), set(np.flatnonzero(before).tolist()), inertia
        )
        assert set(np.flatnonzero(found).tolist()) == expected
        sizes.add(len(expected))
    assert len(sizes) > 5


def test_an_object_is_some_cells_at_random_which_stay_while_it_is_learnt():
    _, objects = learnt()
    assert [len(cells) for cells in objects.values()] == [OBJECT] * 3
    assert len(set().union(*objects.values())) == 3 * OBJECT


def test_a_part_of_one_object_alone_is_that_object_and_a_shared_part_is_all_that_have_it():
    state, objects = learnt()
    for part in "abcdef":
        expected = set().union(*[cells for thing, cells in objects.items() if part in thing])
        _, active = sense(state, part, reset=True)
        assert active == expected


def test_parts_one_after_the_other_leave_the_object_that_has_them_all():
    state, objects = learnt()
    after, active = sense(state, "a", reset=True)
    assert active == objects["abc"] | objects["ade"]
    after, active = sense(after, "d")
    assert active == objects["ade"]
    # It is known now: a part that others have too does not bring them back.
    after, active = sense(after, "a")
    assert active == objects["ade"]
    # And it stays when nothing is sensed.
    after, active = sense(after, None)
    assert active == objects["ade"]
    _, active = sense(after, None, reset=True)
    assert active == set()


def test_a_neighbour_that_knows_the_object_decides():
    state, objects = learnt()
    for thing in ("abc", "ade"):
        _, active = sense(state, "a", beside=BESIDE[thing], reset=True)
        assert active == objects[thing]


def test_recognising_changes_no_segment_and_learning_goes_on_after_it():
    state, objects = learnt()
    after, _ = sense(state, "c", reset=True)
    for one, other in ((state.proximal, after.proximal), (state.internal, after.internal)):
        for name in ("sources", "permanences", "sizes", "clock"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    # What is recognised can be learnt more about.
    after, active = sense(after, "f", learn=True)
    assert active == objects["abc"]
    _, active = sense(after, "f", reset=True)
    assert active == objects["abc"] | objects["bdf"]


@pytest.mark.parametrize(("name", "value"), [("neighbours", -1), ("object_cells", 0), ("object_cells", 11)])
def test_what_cannot_be_is_refused(name, value):
    with pytest.raises(ValueError, match=f"ColumnPooler.{name} is {value}; it must be from"):
        jn.htm.ColumnPooler(8, 10, **{"object_cells": 3, name: value})
