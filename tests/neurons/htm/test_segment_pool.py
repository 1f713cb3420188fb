"""The pool of segments against sets of synapses in Python."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons.htm import bits, segment_growth, segment_pool
from jaxneuro.neurons.htm.segment_pool import Rows, connected, potential
from tests.laws.compare import assert_same

SOURCES = 24  # in four groups of six


def segments(fan_out, **options):
    given = {"groups": 3, "cells": 2, "segments": 4, "synapses": 5, "source_groups": 4, "source_cells": 6}
    return jn.htm.Segments(fan_out=fan_out, **(given | options))


def filled(machine):
    """A pool with six segments, and what they are: (cell, sources, permanences)."""
    generator, pool, known = np.random.default_rng(0), machine.init(), []
    for cell in (0, 1, 0, 5, 4, 5):
        sources = np.sort(generator.permutation(SOURCES)[: generator.integers(2, 6)])
        strengths = generator.random(len(sources)).astype(np.float32)
        pool = machine.placed(pool, cell, sources, strengths)
        known.append((cell, sources, strengths))
    return pool, known


def seen(machine, pool, part):
    """An array of the pool as (group, owner, number of sources) to value, of segments that exist."""
    found = []
    for segment, group in zip(*np.nonzero(np.asarray(pool.sizes)), strict=True):
        place = segment * machine.groups + group
        size = int(pool.sizes[segment, group])
        cell = int(group) * machine.cells + int(pool.owners[segment, group])
        found.append((cell, tuple(np.asarray(pool.sources[place, :size]).tolist()), int(part[segment, group])))
    return sorted(found)


@pytest.mark.parametrize("fan_out", [None, 32])
def test_activity_counts_synapses_from_active_cells(fan_out):
    machine = segments(fan_out)
    pool, known = filled(machine)
    active = np.random.default_rng(1).random((4, 6)) < 0.5
    words = bits.pack(jnp.asarray(active))
    counted = machine.counted(pool, words, jnp.arange(4, dtype=jnp.int32))
    on = active.ravel()
    strong = [(c, tuple(s.tolist()), int((on[s] & (p >= 0.5)).sum())) for c, s, p in known]
    every = [(c, tuple(s.tolist()), int(on[s].sum())) for c, s, p in known]
    assert seen(machine, counted, np.asarray(connected(counted.activity))) == sorted(strong)
    assert seen(machine, counted, np.asarray(potential(counted.activity))) == sorted(every)


@pytest.mark.parametrize("fan_out", [None, 32])
def test_learning_moves_permanences_and_removes_synapses_at_0(fan_out):
    machine = segments(fan_out)
    pool, known = filled(machine)
    active = np.random.default_rng(1).random((4, 6)) < 0.5
    places = jnp.arange(machine.places, dtype=jnp.int32)
    nothing = jnp.zeros_like(places)
    rows = Rows(places, nothing > 0, nothing, nothing, jnp.full(places.shape, 0.2), jnp.full(places.shape, 0.4))
    none = jnp.full(1, SOURCES, jnp.int32)
    pool, missing = machine.learn(pool, rows, bits.pack(jnp.asarray(active)), none, jnp.zeros((), jnp.uint32))
    expected = []
    for cell, sources, strengths in known:
        moved = np.clip(strengths + np.where(active.ravel()[sources], np.float32(0.2), np.float32(-0.4)), 0, 1)
        kept = moved >= 1e-5
        if kept.any():
            expected.append((cell, tuple(sources[kept].tolist()), [float(p) for p in moved[kept]]))
    found = []
    for segment, group in zip(*np.nonzero(np.asarray(pool.sizes)), strict=True):
        place, size = segment * machine.groups + group, int(pool.sizes[segment, group])
        cell = int(group) * machine.cells + int(pool.owners[segment, group])
        held = tuple(np.asarray(pool.sources[place, :size]).tolist())
        found.append((cell, held, [float(p) for p in pool.permanences[place, :size]]))
    assert sorted(found) == sorted(expected)
    assert missing == 0


@pytest.mark.parametrize(
    ("evict", "used", "expected"),
    [("least_recently_used", [5, 3, 4, 6], 1), ("least_useful", [5, 3, 4, 6], 2)],
)
def test_a_full_group_gives_up_one_segment(evict, used, expected):
    machine = segments(None, groups=1, cells=4, evict=evict)
    pool = machine.init()
    for cell, strength in enumerate([0.5, 0.4, 0.3, 0.6]):
        pool = machine.placed(pool, cell, [1, 2], strength)
    pool = eqx.tree_at(lambda pool: pool.used, pool, jnp.asarray(used, jnp.int32)[:, None])
    place, evicted = machine.vacancy(pool, jnp.zeros(1, jnp.int32), jnp.zeros(1, jnp.int32))
    assert (int(place[0]), bool(evicted[0])) == (expected, True)


def test_a_cell_with_its_number_of_segments_gives_up_one_of_its_own():
    machine = segments(None, segments_per_cell=2)
    pool = machine.init()
    for cell in (0, 1, 1):
        pool = machine.placed(pool, cell, [3, 4], 0.5)
    zero = jnp.zeros(1, jnp.int32)
    place, evicted = machine.vacancy(pool, zero, zero + 1)
    assert (int(place[0]) // machine.groups, bool(evicted[0])) == (1, False)
    place, evicted = machine.vacancy(pool, zero, zero)
    assert (int(place[0]) // machine.groups, bool(evicted[0])) == (3, False)


@pytest.mark.parametrize("written_out", [0, 10**6])
@pytest.mark.parametrize("number", [0, 3, 4, 5, 8, 9, 16, 17, 24])
def test_growth_does_not_depend_on_how_many_candidates_it_looks_at(number, written_out, monkeypatch):
    machine = segments(32)
    pool, _ = filled(machine)
    taken = np.sort(np.random.default_rng(number).permutation(SOURCES)[:number])
    candidates = jnp.asarray(np.concatenate([taken, np.full(SOURCES - number, SOURCES)]), jnp.int32)
    places = jnp.asarray(np.flatnonzero(np.asarray(pool.sizes).ravel())[:4], jnp.int32)
    nothing = jnp.zeros(4, jnp.int32)
    rows = Rows(places, nothing > 0, nothing, nothing + 3, jnp.full(4, 0.1), jnp.full(4, 0.05))
    words = bits.pack(jnp.asarray(np.isin(np.arange(SOURCES), taken).reshape(4, 6)))

    def learnt(widths, written_out):
        monkeypatch.setattr(segment_pool, "GROWTH_WIDTHS", widths)
        monkeypatch.setattr(segment_growth, "WRITTEN_OUT", written_out)
        return machine.learn(pool, rows, words, candidates, jnp.zeros((), jnp.uint32))

    expected, lost = learnt((), 10**6)
    assert int(lost) == 0
    assert (int(expected.sizes.sum()) > int(pool.sizes.sum())) == (number > 0)
    # Chances end in as many bits as number all candidates, here 5, for any of these widths.
    found, _ = learnt((17, 18, 20, 22), written_out)
    assert_same(found, expected)
    # With fewer bits for fewer candidates too, but for chances that are equal in all others.
    found, _ = learnt((4, 8, 16), written_out)
    assert_same(found, expected)
