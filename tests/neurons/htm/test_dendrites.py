"""Dendrites of a few cells: thresholds, who is supported, which segment of a cell learns, and what has no room."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons.htm import bits
from jaxneuro.neurons.htm.dendrites import Dendrites, sum_of

GROUPS, CELLS, SOURCES = 4, 2, 16
SEED = jnp.uint32(3)


def dendrites(**changes):
    pool = jn.htm.Segments(
        0.4, 0.5, groups=GROUPS, cells=CELLS, segments=3, synapses=6, source_groups=1, source_cells=SOURCES
    )
    return Dendrites(pool, 3.0, 2.0, new_synapses=5.0, permanence_decrement=0.05, predicted_decrement=0.2, **changes)


def words(sources):
    return bits.pack(jnp.asarray(np.isin(np.arange(SOURCES), sources)))[None]


def numbers(members, size=4):
    return jnp.asarray([*members, *[GROUPS * CELLS + SOURCES] * (size - len(members))], jnp.int32)


def with_segments(*segments):
    own = dendrites().segments
    pool = own.init()
    for cell, sources, permanence in segments:
        pool = own.placed(pool, cell, sources, permanence)
    return pool


@functools.partial(jax.jit, static_argnames="rows")
def learnt(pool, active, cells, candidates, rows=8):
    machine = dendrites(learning_rows=rows)
    return machine.learn_on_cells(machine.counted(pool, active), cells, active, candidates, SEED)


def row(pool, place):
    size = int(np.asarray(pool.sizes).ravel()[place])
    pairs = zip(np.asarray(pool.sources[place]).tolist(), np.asarray(pool.permanences[place]).tolist(), strict=True)
    return {source: round(permanence, 4) for source, permanence in list(pairs)[:size]}


def test_a_segment_needs_connected_synapses_to_be_active_and_any_to_match():
    pool = with_segments((0, [1, 2, 3], 0.6), (3, [1, 2, 3], 0.45), (4, [1, 2, 9], 0.6), (6, [1, 8, 9], 0.6))
    machine = dendrites()
    pool = jax.jit(machine.counted)(pool, words([1, 2, 3]))
    supported = machine.supported(pool, machine.active(pool.activity))
    assert np.flatnonzero(supported).tolist() == [0]
    supported = machine.supported(pool, machine.matching(pool.activity))
    assert np.flatnonzero(supported).tolist() == [0, 3, 4]


def test_a_cell_learns_by_active_segments_else_by_the_best_matching_one_else_by_a_new_one():
    pool = with_segments(
        (0, [1, 2, 3, 9], 0.6), (0, [1, 2, 8, 9], 0.6), (3, [1, 2, 9], 0.6), (3, [1, 2, 3], 0.45), (5, [8, 9], 0.6)
    )
    after, lost = learnt(pool, words([1, 2, 3]), numbers([0, 3, 5]), numbers([1, 2]))
    # Places are numbered through groups first: the second segment of a group is GROUPS further on.
    assert row(after, 0) == {1: 0.7, 2: 0.7, 3: 0.7, 9: 0.55}
    assert row(after, GROUPS) == row(pool, GROUPS)
    assert row(after, 1) == row(pool, 1)
    assert row(after, 1 + GROUPS) == {1: 0.55, 2: 0.55, 3: 0.55}
    assert row(after, 2) == row(pool, 2)
    assert row(after, 2 + GROUPS) == {1: 0.4, 2: 0.4}
    assert int(after.owners[1, 2]) == 1
    assert [int(number) for number in jax.tree.leaves(lost)] == [0, 0, 0]


def test_without_candidates_nothing_new_is_made_and_strangers_are_no_cells():
    pool = with_segments((0, [1, 2, 3], 0.6))
    after, _ = learnt(pool, words([1, 2, 3]), numbers([4, 6]), numbers([]))
    np.testing.assert_array_equal(after.sizes, pool.sizes)
    after, _ = learnt(pool, words([1, 2, 3]), numbers([]), numbers([1, 2]))
    np.testing.assert_array_equal(after.permanences, pool.permanences)


def test_what_has_no_room_is_counted():
    pool = with_segments((0, [1, 2], 0.6), (0, [3, 4], 0.6), (0, [5, 6], 0.6))
    after, lost = learnt(pool, words([8, 9]), numbers([1]), numbers([8, 9]))
    assert int(lost.evicted) == 1
    assert row(after, 0) == {8: 0.4, 9: 0.4}
    _, lost = learnt(with_segments(), words([8, 9]), numbers([0, 2, 4]), numbers([8, 9]), rows=2)
    assert int(lost.learning) == 1
    assert [int(number) for number in jax.tree.leaves(sum_of(lost, lost))] == [2, 0, 0]


def test_wrong_segments_lose_where_the_source_is_active_and_die_without_synapses():
    pool = with_segments((0, [1, 2, 9], 0.6), (3, [1, 2], 0.15), (5, [1, 2], 0.6))
    machine = dendrites(punished_rows=2)
    wrong = np.zeros((3, GROUPS), bool)
    wrong[0, :2] = True
    after, lost = jax.jit(machine.punished)(pool, jnp.asarray(wrong), words([1, 2]), SEED)
    assert row(after, 0) == {1: 0.4, 2: 0.4, 9: 0.6}
    assert row(after, 1) == {}
    assert row(after, 2) == row(pool, 2)
    wrong[0, 2] = True
    _, lost = jax.jit(machine.punished)(pool, jnp.asarray(wrong), words([1, 2]), SEED)
    assert int(lost.punished) == 1


def test_the_winner_of_a_burst_has_the_best_matching_segment_or_the_fewest():
    pool = with_segments((0, [1, 2, 8], 0.6), (1, [1, 2, 3], 0.45), (2, [8, 9], 0.6), (4, [1, 2, 3], 0.6))
    machine = dendrites()
    active = words([1, 2, 3])
    columns = jnp.asarray([0, 1, 2, 3, GROUPS], jnp.int32)
    burst = jnp.asarray([True, True, False, True, False])
    expected = jnp.asarray([[0], [0], [1], [0], [0]], jnp.uint32)
    winners, cell, learning, new = jax.jit(machine.learners)(
        machine.counted(pool, active), columns, burst, expected, SEED
    )
    found = np.asarray(bits.unpack(winners, CELLS))
    assert found.sum(axis=1).tolist() == [1, 1, 1, 1, 0]
    assert found[0].tolist() == [False, True]
    assert found[1].tolist() == [False, True]
    assert found[2].tolist() == [True, False]
    assert new.tolist() == [False, True, False, True, False]
    assert np.argwhere(learning).tolist() == [[0, 2], [1, 0]]
    assert cell[:2].tolist() == [1, 1]


@pytest.mark.parametrize("name", ["learning_rows", "punished_rows"])
def test_rows_that_cannot_be_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} is 0; it must be at least 1"):
        dendrites(**{name: 0})
