"""Objects to touch: a movement leads from place to place, and learning goes on where it stopped."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.tasks.touch import TouchedObjects, column_for, learn_objects, recognised

OBJECTS, TOUCHED, POOL, WIDTH, SPACING = 6, 5, 4, 3, 10.0


@functools.cache
def drawn():
    return TouchedObjects(OBJECTS, TOUCHED, POOL, width=WIDTH, columns=20, feature_columns=5, seed=[3, 1])


def small():
    return column_for([drawn()], 6, 16, sensory_cells=8, scale=40.0)


@pytest.mark.parametrize("learn", [True, False])
def test_movements_add_up_to_the_places_of_an_object(learn):
    objects = drawn()
    touches = objects.lessons(SPACING) if learn else objects.tests(SPACING)
    assert touches.learn.shape == (OBJECTS, TOUCHED)
    assert np.all(np.asarray(touches.learn) == learn)
    np.testing.assert_array_equal(np.asarray(touches.reset), np.arange(TOUCHED) == np.zeros((OBJECTS, 1)))
    found = np.cumsum(np.asarray(touches.displacement), axis=1) / SPACING
    order = np.tile(np.arange(TOUCHED), (OBJECTS, 1)) if learn else objects.order
    for each in range(OBJECTS):
        places, features = objects.places[each, order[each]], objects.features[each, order[each]]
        # The first movement is 0: where an object is touched first is not told.
        origin = np.array([places[0] % WIDTH, places[0] // WIDTH])
        np.testing.assert_allclose(found[each], np.stack([places % WIDTH, places // WIDTH], axis=-1) - origin)
        np.testing.assert_array_equal(np.asarray(touches.active)[each], objects.codes[features])


def test_every_place_of_an_object_has_one_feature_and_every_feature_its_minicolumns():
    objects = drawn()
    assert all(len(set(places)) == TOUCHED for places in objects.places.tolist())
    assert objects.places.max() < WIDTH**2
    assert objects.features.max() < POOL
    assert (np.diff(objects.codes, axis=1) > 0).all()
    loads = [sum(column in objects.codes[f] for f in objects.features.ravel()) for column in range(20)]
    assert objects.most_loaded() == max(loads)


def test_learning_goes_on_where_it_stopped(key):
    column, lessons = small(), drawn().lessons(SPACING)
    learn = jax.jit(learn_objects)
    whole, known, lost = learn(column, column.init(key), lessons)
    first, known_first, _ = learn(column, column.init(key), jax.tree.map(lambda leaf: leaf[:4], lessons))
    second, known_second, _ = learn(column, first, jax.tree.map(lambda leaf: leaf[4:], lessons))
    assert lost == 0
    np.testing.assert_array_equal(known, jnp.concatenate([known_first, known_second]))
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(second), strict=True):
        if not jnp.issubdtype(a.dtype, jax.dtypes.prng_key):
            np.testing.assert_array_equal(a, b)


def test_what_was_learnt_is_recognised_and_what_was_not_is_not(key):
    column, objects = small(), drawn()
    order = jnp.asarray(objects.order, jnp.int32)
    half = jax.tree.map(lambda leaf: leaf[:3], objects.lessons(SPACING))
    state, known, _ = jax.jit(learn_objects)(column, column.init(key), half)
    asked = jax.jit(recognised)
    tests = objects.tests(SPACING)
    right = asked(column, state, jax.tree.map(lambda leaf: leaf[:3], tests), order[:3], known)
    assert np.asarray(right)[:, -1].all()
    # The others, asked for the cells of those that were learnt.
    wrong = asked(column, state, jax.tree.map(lambda leaf: leaf[3:], tests), order[3:], known)
    assert not np.asarray(wrong).any()


def test_more_features_than_places_are_refused():
    with pytest.raises(ValueError, match=r"touched is 10; an object has 9 places only\. Use a larger width\."):
        TouchedObjects(2, 10, 4, width=3, columns=20, feature_columns=5, seed=0)
