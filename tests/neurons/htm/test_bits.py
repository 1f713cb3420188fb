"""Packed sets against plain NumPy and Python."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.neurons.htm import bits


def members(*shape, share=0.4):
    return np.random.default_rng(3).random(shape) < share


@pytest.mark.parametrize("size", [1, 31, 32, 33, 70])
def test_words_hold_the_members_lowest_bit_first(size):
    drawn = members(3, size)
    words = bits.pack(jnp.asarray(drawn))
    numbers = [sum(1 << int(place) for place in np.flatnonzero(row)) for row in drawn]
    held = [sum(int(word) << (32 * index) for index, word in enumerate(row)) for row in np.asarray(words)]
    assert held == numbers
    np.testing.assert_array_equal(bits.unpack(words, size), drawn)
    np.testing.assert_array_equal(bits.full(size), bits.pack(jnp.ones(size, bool)))
    index = jnp.arange(size + 40)
    np.testing.assert_array_equal(bits.is_member(words[0], index), np.append(drawn[0], np.zeros(40, bool)))


@pytest.mark.parametrize("size", [5, 64, 100])
def test_ranks_and_compaction(size):
    drawn = members(2, size)
    rank, total = bits.ranks(jnp.asarray(drawn))
    np.testing.assert_array_equal(rank, np.cumsum(drawn, axis=1) - drawn)
    np.testing.assert_array_equal(total, drawn.sum(axis=1))
    found, number = bits.compact(jnp.asarray(drawn[0]), 10)
    expected = [*np.flatnonzero(drawn[0]), *[size] * 10][:10]
    np.testing.assert_array_equal(found, expected)
    assert number == drawn[0].sum()


def test_running_sums_and_folds():
    numbers = np.random.default_rng(0).integers(0, 9, size=(7, 5))
    given = jnp.asarray(numbers, jnp.int32)
    np.testing.assert_array_equal(bits.running_sum(given, axis=0), np.cumsum(numbers, axis=0))
    np.testing.assert_array_equal(bits.running_sum(given, axis=-1), np.cumsum(numbers, axis=1))
    np.testing.assert_array_equal(bits.fold(jnp.minimum, given), numbers.min(axis=0))


def test_the_first_least_is_the_first_in_lexicographic_order():
    generator = np.random.default_rng(1)
    able = generator.random((9, 50)) < 0.3
    first, second = generator.integers(0, 3, size=(2, 9, 50))
    index, found = bits.first_least(jnp.asarray(able), (jnp.asarray(first, jnp.int32), jnp.asarray(second, jnp.int32)))
    for lane in range(50):
        ordered = sorted((first[i, lane], second[i, lane], i) for i in range(9) if able[i, lane])
        assert bool(found[lane]) == bool(ordered)
        assert int(index[lane]) == (ordered[0][2] if ordered else 0)


def test_scrambling_loses_nothing_and_spreads():
    numbers = np.asarray(bits.scrambled(jnp.arange(1 << 16, dtype=jnp.uint32)))
    assert len(np.unique(numbers)) == 1 << 16
    # Each bit is set in half of 65,536 numbers; five standard deviations are 640.
    for bit in range(32):
        assert abs(int((numbers >> bit & 1).sum()) - (1 << 15)) < 640
