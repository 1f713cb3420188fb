"""Lists of what leaves groups of cells, against lists in Python."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.neurons.htm import bits, fan_out

GROUPS, CELLS, PLACES, SYNAPSES = 4, 6, 8, 5


def lists(capacity=32):
    return fan_out.empty(GROUPS, CELLS, capacity, PLACES, SYNAPSES)


def filled(seed=0):
    """Lists of random synapses, and (place, source, connected) of each."""
    generator = np.random.default_rng(seed)
    sources = np.stack([generator.permutation(GROUPS * CELLS)[:SYNAPSES] for _ in range(PLACES)]).astype(np.int32)
    strong = generator.random((PLACES, SYNAPSES)) < 0.5
    positions = np.zeros((PLACES, SYNAPSES), np.int32)
    lengths = np.zeros(GROUPS, np.int32)
    for place, slot in np.ndindex(PLACES, SYNAPSES):
        group = sources[place, slot] // CELLS
        positions[place, slot], lengths[group] = lengths[group], lengths[group] + 1
    full = jnp.full(PLACES, SYNAPSES, jnp.int32)
    parts = map(jnp.asarray, (np.arange(PLACES, dtype=np.int32), sources, strong, positions))
    return lists().listed(*parts, full, jnp.asarray(lengths)), sources, strong, positions


def counts(listed, active):
    found = listed.activity(bits.pack(jnp.asarray(active)), jnp.arange(GROUPS, dtype=jnp.int32))
    return np.asarray(found & 255), np.asarray(found >> 8)


def test_activity_is_counted_through_the_lists():
    listed, sources, strong, _ = filled()
    active = np.random.default_rng(1).random((GROUPS, CELLS)) < 0.5
    on = active.ravel()[sources]
    every, connected = counts(listed, active)
    np.testing.assert_array_equal(every, on.sum(axis=1))
    np.testing.assert_array_equal(connected, (on & strong).sum(axis=1))


def test_holes_do_not_count_and_are_swept():
    listed, sources, strong, positions = filled()
    dead = np.random.default_rng(2).random((PLACES, SYNAPSES)) < 0.6
    listed = listed.delisted(jnp.asarray(sources), jnp.asarray(positions), jnp.asarray(dead))
    active = np.ones((GROUPS, CELLS), bool)
    every, connected = counts(listed, active)
    np.testing.assert_array_equal(every, (~dead).sum(axis=1))
    np.testing.assert_array_equal(connected, (strong & ~dead).sum(axis=1))
    np.testing.assert_array_equal(listed.holes.sum(), dead.sum())
    # With 32 entries at most, lists of about ten are not in need: the same lists with less room are.
    assert jax.tree.all(jax.tree.map(jnp.array_equal, listed.swept(8), listed))
    short = fan_out.FanOut(listed.entries[:, :16], listed.lengths, listed.holes, listed.positions, CELLS)
    swept = short.swept(8)
    assert int(swept.holes.sum()) == 0
    np.testing.assert_array_equal(swept.lengths.sum(), (~dead).sum())
    for found, expected in zip(counts(swept, active), (every, connected), strict=True):
        np.testing.assert_array_equal(found, expected)
    # The synapses know where they are now: without them nothing is left.
    empty = swept.delisted(jnp.asarray(sources), swept.positions.astype(jnp.int32), jnp.asarray(~dead))
    assert counts(empty, active)[0].sum() == 0


def test_new_synapses_have_room_behind_the_others():
    listed = lists()
    born = jnp.asarray([[True, False, True], [True, True, True]])
    groups = jnp.asarray([0, 0, 2], jnp.int32)
    kept, positions, totals = listed.room(born, groups)
    assert bool((kept == born).all())
    assert totals.tolist() == [2, 1, 2]
    # Of group 0 the first candidate's two come first, then the second one's.
    assert [int(positions[0, 0]), int(positions[1, 0]), int(positions[1, 1])] == [0, 1, 2]
    assert [int(positions[0, 2]), int(positions[1, 2])] == [0, 1]
    nearly = fan_out.FanOut(listed.entries, listed.lengths + 31, listed.holes, listed.positions, CELLS)
    kept, _, totals = nearly.room(born, groups)
    assert kept.tolist() == [[True, False, True], [False, False, False]]
    assert totals.tolist() == [1, 0, 1]


@pytest.mark.parametrize("needed", [True, False])
def test_a_change_is_made_where_it_is_needed(needed):
    def change(tree, by):
        return {"sum": tree["sum"] + by, "count": tree["count"] + 1}

    def total(start, by):
        tree = {"sum": start, "count": jnp.zeros((), jnp.int32)}
        return fan_out.where_needed(change, jnp.asarray(needed), tree, by)["sum"]

    assert total(jnp.asarray(1.0), jnp.asarray(2.0)) == (3.0 if needed else 1.0)
    assert jax.grad(total, argnums=1)(jnp.asarray(1.0), jnp.asarray(2.0)) == (1.0 if needed else 0.0)
