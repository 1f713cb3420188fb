"""Grid cells beside the geometry of the plane: matrices inverted by NumPy, and every image of every bump counted."""

import functools
import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

MODULES, CELLS, SENSORY = 3, 7, 12
SCALES, TURNS = np.array([4.0, 5.5, 7.0]), np.array([0.1, 0.5, 0.9])


@functools.cache
def layer():
    with jax.enable_x64(False):
        return jn.htm.GridLocation(
            MODULES,
            CELLS,
            SENSORY,
            segments=8,
            synapses=4,
            scale=jnp.asarray(SCALES, jnp.float32),
            orientation_rad=jnp.asarray(TURNS, jnp.float32),
            activation_threshold=3.0,
            min_threshold=3.0,
            new_synapses=4.0,
        )


step = jax.jit(lambda state, movement: layer().step(state, movement))
rates = jax.jit(lambda state: layer().rates(state))


def movement(displacement, landmark=(), *, learn=False, reset=False):
    cells = jnp.asarray(landmark, jnp.int32)
    members = jnp.zeros(SENSORY, bool).at[cells].set(True) if landmark else jnp.zeros(SENSORY, bool)
    candidates = cells if landmark else jnp.full(4, SENSORY, jnp.int32)
    return jn.htm.Movement(
        jnp.asarray(displacement, jnp.float32), jn.htm.pack(members), candidates, jnp.asarray(learn), jnp.asarray(reset)
    )


def axes(module):
    """The edges of the rhombus of a module in the plane, as columns."""
    angles = TURNS[module] + np.array([0, np.pi / 3])
    return SCALES[module] * np.stack([np.cos(angles), np.sin(angles)])


def cells_of(words):
    return np.asarray(jn.htm.unpack(words, layer().size)).reshape(MODULES, -1)


def learnt(*landmarks, key=0):
    """The state after some landmarks were learnt at places of their own."""
    state, known = layer().init(jax.random.key(key)), []
    for landmark in landmarks:
        state, output = step(state, movement([0, 0], landmark, learn=True, reset=True))
        known.append(cells_of(output.anchored))
    return state, known


LANDMARKS = (0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11)


def test_phases_are_what_the_inverse_matrix_of_the_axes_makes_of_the_movements():
    state, _ = learnt(LANDMARKS[0])
    start = np.asarray(state.phase, float)
    moves = np.random.default_rng(1).normal(size=(20, 2)) * 3
    for move in moves:
        state, _ = step(state, movement(move))
    for module in range(MODULES):
        expected = start[module] + np.linalg.inv(axes(module)) @ moves.sum(axis=0)
        apart = (np.asarray(state.phase[module]) - expected + 0.5) % 1 - 0.5
        np.testing.assert_allclose(apart, 0, atol=2e-5)


def test_a_way_that_closes_or_crosses_the_rhombus_ends_in_the_same_phases():
    state, _ = learnt(LANDMARKS[0])
    after = state
    for move in ([1, 2], [-4, 0.5], [3, -2.5]):
        after, _ = step(after, movement(move))
    np.testing.assert_allclose((after.phase - state.phase + 0.5) % 1, 0.5, atol=1e-5)
    for module in range(MODULES):
        for edge in axes(module).T:
            after, _ = step(state, movement(edge))
            np.testing.assert_allclose((after.phase[module] - state.phase[module] + 0.5) % 1, 0.5, atol=1e-5)


def test_rates_are_those_of_every_image_of_every_bump_on_the_plane():
    generator = np.random.default_rng(2)
    anchors = generator.random((MODULES, CELLS, CELLS)) < 0.08
    phase = generator.random((MODULES, 2))
    state = layer().init(jax.random.key(0))
    state = eqx.tree_at(
        lambda state: (state.anchors, state.phase), state, (jnp.asarray(anchors), jnp.asarray(phase, jnp.float32))
    )
    found = np.asarray(rates(state))
    sigma, edges = float(layer().bump_sigma), np.array([[1, 0.5], [0, np.sqrt(0.75)]])
    images = np.array(list(itertools.product((-2, -1, 0, 1, 2), repeat=2)))
    for module in range(MODULES):
        bumps = np.argwhere(anchors[module]) / CELLS + phase[module]
        for i, j in itertools.product(range(CELLS), repeat=2):
            apart = np.array([i, j]) / CELLS - bumps[:, None] + images[None]
            squares = np.sum((apart @ edges.T) ** 2, axis=-1)
            expected = 1 - np.prod(1 - np.exp(-squares / (2 * sigma**2)))
            assert found[module, i, j] == pytest.approx(expected, abs=2e-4)


def test_the_cell_that_learns_is_the_nearest_one_and_its_landmark_brings_the_bumps_back_to_it():
    state, (known, other) = learnt(*LANDMARKS[:2])
    assert (known.sum(axis=1) == 1).all()
    edges = np.array([[1, 0.5], [0, np.sqrt(0.75)]])
    for module in range(MODULES):
        i, j = divmod(other[module].argmax(), CELLS)
        apart = (np.array([i, j]) / CELLS - np.asarray(state.phase[module]) + 0.5) % 1 - 0.5
        images = apart + np.array(list(itertools.product((-1, 0, 1), repeat=2)))
        # No point of a triangular lattice is further from its nearest one than this.
        assert np.linalg.norm(images @ edges.T, axis=1).min() <= 1 / np.sqrt(3) / CELLS + 1e-6
    for cells, landmark in ((known, LANDMARKS[0]), (other, LANDMARKS[1])):
        after, output = step(state, movement([0.3, 2], landmark))
        np.testing.assert_array_equal(cells_of(output.anchored), cells)
        np.testing.assert_array_equal(np.asarray(after.anchors).reshape(MODULES, -1), cells)
        assert not np.asarray(after.phase).any()


def test_two_landmarks_at_once_make_a_union_which_moves_as_one():
    state, (known, other) = learnt(*LANDMARKS[:2])
    state, output = step(state, movement([0, 0], LANDMARKS[0] + LANDMARKS[1]))
    np.testing.assert_array_equal(cells_of(output.anchored), known | other)
    moved, _ = step(state, movement([0.4, -0.2]))
    np.testing.assert_array_equal(moved.anchors, state.anchors)
    assert np.asarray(moved.phase).any()


def test_what_is_unknown_leaves_no_location_and_nothing_sensed_leaves_it_as_it_is():
    state, _ = learnt(LANDMARKS[0])
    after, output = step(state, movement([0, 0]))
    np.testing.assert_array_equal(after.anchors, state.anchors)
    np.testing.assert_array_equal(after.phase, state.phase)
    assert not cells_of(output.anchored).any()
    after, output = step(state, movement([0, 0], LANDMARKS[2]))
    assert not np.asarray(after.anchors).any()
    after, output = step(state, movement([0, 0], reset=True))
    assert not cells_of(output.active).any()


def test_a_cell_that_learnt_a_place_is_active_there_wherever_the_bump_set_out():
    for key in range(12):
        state, _ = learnt(*LANDMARKS[:1], key=key)
        there = np.random.default_rng(key).normal(size=2)
        state, output = step(state, movement(there, LANDMARKS[1], learn=True))
        place = cells_of(output.anchored)
        # The bump now sets out from the middle of the first cell, not from where it was.
        state, _ = step(state, movement([0, 0], LANDMARKS[0]))
        _, output = step(state, movement(there))
        active = cells_of(output.active)
        assert (active & place).any(axis=1).all()
        assert active.sum(axis=1).max() <= 7


def test_objects_begin_at_places_of_their_own():
    state = layer().init(jax.random.key(3))
    phases = []
    for _ in range(4):
        state, _ = step(state, movement([1, 1], LANDMARKS[0], learn=True, reset=True))
        phases.append(np.asarray(state.phase))
    assert len(np.unique(np.stack(phases))) == 4 * MODULES * 2
    assert int(state.drawn) == 4
    assert all(((phase >= 0) & (phase < 1)).all() for phase in phases)


@pytest.mark.parametrize(("name", "value"), [("modules", 0), ("cells", 0), ("reach", 0), ("scale", 0.0)])
def test_what_cannot_be_is_refused(name, value):
    with pytest.raises(ValueError, match=f"GridLocation.{name} is 0"):
        jn.htm.GridLocation(**{"modules": 2, "cells": 3, "sensory_cells": 4, name: value})
