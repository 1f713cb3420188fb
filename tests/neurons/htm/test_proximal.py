"""Synapses of columns: bits of words against plain counts, permanences against the unit tests of the first pooler."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.neurons.htm import proximal


@pytest.mark.parametrize("inputs", [1, 31, 33, 512, 700])
def test_bits_of_words_are_the_truth_values(inputs):
    generator = np.random.default_rng(inputs)
    synapses, bits = generator.uniform(size=(5, inputs)) < 0.4, generator.uniform(size=inputs) < 0.3
    words = proximal.pack(jnp.asarray(synapses))
    np.testing.assert_array_equal(proximal.unpack(words, inputs), synapses)
    np.testing.assert_array_equal(proximal.unpack(proximal.pack(jnp.asarray(bits)), inputs), bits)
    np.testing.assert_array_equal(proximal.overlap(words, jnp.asarray(bits)), (synapses & bits).sum(axis=1))


def test_synapses_grow_until_enough_are_connected(float64):
    before = [
        [0.0, 0.11, 0.095, 0.092, 0.01],
        [0.12, 0.15, 0.02, 0.12, 0.09],
        [0.51, 0.081, 0.025, 0.089, 0.31],
        [0.18, 0.0601, 0.11, 0.011, 0.03],
    ]
    after = [
        [0.01, 0.12, 0.105, 0.102, 0.02],
        [0.12, 0.15, 0.02, 0.12, 0.09],
        [0.53, 0.101, 0.045, 0.109, 0.33],
        [0.22, 0.1001, 0.15, 0.051, 0.07],
    ]
    numbers = [jnp.asarray(number) for number in (0.1, 0.01, 3.0)]
    found = proximal.raised(jnp.asarray(before), jnp.ones((4, 5), bool), *numbers)
    np.testing.assert_allclose(found, after, rtol=0, atol=1e-12)
    # Where the pool is smaller than the number asked for, all of it is connected.
    pool = jnp.asarray([[True, False, False, True, False]] * 4)
    found = proximal.raised(jnp.asarray(before), pool, *numbers)
    assert np.all(np.asarray(found)[:, [0, 3]] > 0.1 - 1e-6)
    np.testing.assert_array_equal(np.asarray(found)[:, [1, 2, 4]], np.asarray(before)[:, [1, 2, 4]])


def test_small_permanences_become_zero_and_large_ones_one():
    found = proximal.settled(
        jnp.asarray([[0.02, 0.03, 1.2, 0.5]]), jnp.asarray([[True, True, True, False]]), jnp.asarray(0.025)
    )
    np.testing.assert_allclose(found, [[0, 0.03, 1, 0]], rtol=1e-6)


def test_a_pool_is_a_share_of_what_is_near(key):
    near = jnp.asarray(np.random.default_rng(0).uniform(size=(50, 300)) < 0.5)
    pool = np.asarray(proximal.draw_pools(key, near, jnp.asarray(0.37)))
    assert not (pool & ~np.asarray(near)).any()
    np.testing.assert_array_equal(pool.sum(axis=1), np.floor(0.37 * np.asarray(near).sum(axis=1) + 0.5))
    np.testing.assert_array_equal(proximal.draw_pools(key, near, jnp.asarray(1.0)), near)
    assert not np.asarray(proximal.draw_pools(key, near, jnp.asarray(0.0))).any()


def test_rows_beyond_the_last_are_left_out():
    array = jnp.zeros((4, 2))
    found = proximal.put(array, jnp.asarray([1, 4, 5], jnp.int32), jnp.ones((3, 2)))
    np.testing.assert_array_equal(found, np.eye(4)[[1]].T @ np.ones((1, 2)))


def test_permanences_are_drawn_on_both_sides_of_the_threshold(key):
    potential = jnp.ones((100, 100), bool)
    found = np.asarray(proximal.draw_permanences(key, potential, jnp.asarray(0.2), jnp.asarray(0.25)))
    assert np.mean(found >= 0.2) == pytest.approx(0.25, abs=0.02)
    assert found.max() > 0.99
    assert found[found < 0.2].mean() == pytest.approx(0.1, abs=0.01)
    other = proximal.draw_permanences(jax.random.key(9), potential, jnp.asarray(0.2), jnp.asarray(0.25))
    assert not np.array_equal(found, other)
