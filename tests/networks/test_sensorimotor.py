"""A column that recognises objects keeps the locations that an ideal observer cannot exclude."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

OBJECTS, TOUCHED, POOL, WIDTH = 6, 5, 3, 3


@functools.cache
def world():
    """Places and features of objects, minicolumns of features, and in which order objects are touched."""
    generator = np.random.default_rng(5)
    places = np.stack([generator.permutation(WIDTH**2)[:TOUCHED] for _ in range(OBJECTS)])
    features = generator.integers(POOL, size=places.shape)
    codes = np.sort(generator.permutation(5 * POOL).reshape(POOL, 5), axis=1)
    orders = np.stack([generator.permutation(TOUCHED) for _ in range(OBJECTS)])
    return places, features, codes, orders


def touches(thing, order, learn):
    places, features, codes, _ = world()
    spots = 10.0 * np.stack([places[thing][order] % WIDTH, places[thing][order] // WIDTH], axis=-1)
    return jn.networks.Touch(
        jnp.asarray(np.diff(spots, axis=0, prepend=spots[:1]), jnp.float32),
        jnp.asarray(codes[features[thing][order]], jnp.int32),
        jnp.full(len(order), learn),
        jnp.arange(len(order)) == 0,
    )


@functools.cache
def learnt():
    """The column after all objects, and the location cells of each of their features."""
    with jax.enable_x64(False):
        column = jn.networks.sensorimotor_column(
            10, 24, 5 * POOL, 16, feature_columns=5, location_segments=24, sensory_segments=48, scale=40.0
        )
        lessons = jax.tree.map(
            lambda *parts: jnp.concatenate(parts),
            *[touches(thing, np.arange(TOUCHED), True) for thing in range(OBJECTS)],
        )
        run = jax.jit(lambda state, touch: jax.lax.scan(column.step, state, touch))
        state, output = run(column.init(jax.random.key(4)), lessons)
        known = jax.vmap(lambda words: jn.htm.unpack(words, column.location.size))(output.anchored)
        return column, run, state, output, np.asarray(known).reshape(OBJECTS, TOUCHED, -1)


def fitting(thing, order):
    """All features of all objects where the sensor may be after each touch, for one who knows them all."""
    places, features, _, _ = world()
    found = []
    for touch in range(1, len(order) + 1):
        fits = []
        for other in range(OBJECTS):
            at = {int(place): feature for feature, place in enumerate(places[other])}
            for start in places[other]:
                now = []
                for feature in order[:touch]:
                    row = start // WIDTH + places[thing][feature] // WIDTH - places[thing][order[0]] // WIDTH
                    column = start % WIDTH + places[thing][feature] % WIDTH - places[thing][order[0]] % WIDTH
                    inside = 0 <= row < WIDTH and 0 <= column < WIDTH
                    there = at.get(int(row * WIDTH + column)) if inside else None
                    now.append(there is not None and features[other][there] == features[thing][feature])
                if all(now):
                    fits.append((other, there))
        found.append(fits)
    return found


def test_what_is_left_after_each_touch_is_where_an_ideal_observer_may_be():
    _, run, state, _, known = learnt()
    column = learnt()[0]
    sizes = []
    for thing in range(OBJECTS):
        order = world()[3][thing]
        _, output = run(state, touches(thing, order, False))
        for touch, fits in enumerate(fitting(thing, order)):
            expected = np.zeros(column.location.size, bool)
            for other, feature in fits:
                expected |= known[other, feature]
            np.testing.assert_array_equal(jn.htm.unpack(output.anchored[touch], column.location.size), expected)
            sizes.append(len(fits))
    # Features alone say little, and in the end most objects are known.
    assert max(sizes) >= 8
    assert sizes[TOUCHED - 1 :: TOUCHED].count(1) >= OBJECTS // 2


def test_what_was_recognised_is_predicted_after_a_movement():
    column, run, state, _, _ = learnt()
    thing = next(thing for thing in range(OBJECTS) if len(fitting(thing, world()[3][thing])[-2]) == 1)
    order = world()[3][thing]
    _, output = run(state, touches(thing, order, False))
    predicted = jn.htm.unpack(output.predicted[-1], column.sensory.cells).any(axis=1)
    code = world()[2][world()[1][thing][order[-1]]]
    np.testing.assert_array_equal(np.flatnonzero(predicted), code)
    sensed = np.asarray(jn.htm.unpack(output.sensed[-1], column.sensory.cells))
    np.testing.assert_array_equal(sensed.sum(axis=1)[code], 1)
    # At first nothing is predicted: all cells of the feature's minicolumns are active.
    assert not output.predicted[0].any()
    assert np.asarray(jn.htm.unpack(output.sensed[0], column.sensory.cells)).sum() == 5 * 16


def test_learning_tells_a_feature_at_one_place_from_the_same_at_another_and_loses_nothing():
    column, _, _, output, known = learnt()
    assert (known.reshape(OBJECTS, TOUCHED, 10, -1).sum(axis=-1) == 1).all()
    sensed = np.asarray(jax.vmap(lambda words: jn.htm.unpack(words, column.sensory.cells))(output.sensed))
    assert len(np.unique(known.reshape(OBJECTS * TOUCHED, -1), axis=0)) == OBJECTS * TOUCHED
    assert sensed.shape[0] == OBJECTS * TOUCHED
    assert sum(int(number.sum()) for number in jax.tree.leaves(output.lost)) == 0


def test_recognising_changes_no_segment():
    _, run, state, _, _ = learnt()
    after, _ = run(state, touches(0, world()[3][0], False))
    for before, now in ((state.location.pool, after.location.pool), (state.sensory.basal, after.sensory.basal)):
        for name in ("sources", "permanences", "sizes", "owners", "created", "used", "clock"):
            np.testing.assert_array_equal(getattr(before, name), getattr(now, name))


def test_layers_that_do_not_fit_are_refused():
    location = jn.htm.GridLocation(2, 3, 10)
    with pytest.raises(ValueError, match="must have sensory_cells=12, not 10"):
        jn.networks.SensorimotorColumn(location, jn.htm.ApicalTiebreakMemory(4, 3, basal_inputs=18))
    location = jn.htm.GridLocation(2, 3, 12)
    for inputs in (17, None):
        with pytest.raises(ValueError, match=f"must have basal_inputs=18, not {inputs}"):
            jn.networks.SensorimotorColumn(location, jn.htm.ApicalTiebreakMemory(4, 3, basal_inputs=inputs))
