import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.tasks.noisy_sequences import noisy_pairs


@pytest.fixture
def pairs(key):
    return noisy_pairs(key, columns=50, active=6, pairs=3, length=5)


def test_pairs_share_the_middle_and_nothing_else(pairs):
    sequences = np.asarray(pairs.sequences)
    assert sequences.shape == (6, 5)
    for first, second in zip(sequences[::2], sequences[1::2], strict=True):
        np.testing.assert_array_equal(first[1:-1], second[1:-1])
        assert first[0] != second[0]
        assert first[-1] != second[-1]
    assert len(np.unique(sequences)) == 3 * (3 + 4) == len(pairs.patterns)
    for pattern in np.asarray(pairs.patterns):
        assert len(set(pattern.tolist())) == 6
        assert (np.diff(pattern) > 0).all()


@pytest.mark.parametrize("noise", [0.0, 0.3, 1.0])
def test_so_many_minicolumns_are_wrong_and_none_comes_twice(pairs, noise, key):
    shown = np.asarray(jax.vmap(lambda key: pairs.shown(key, noise))(jax.random.split(key, 100)))
    assert shown.shape == (100, 6, 5, 6)
    assert (np.diff(shown, axis=-1) > 0).all()
    assert shown.min() >= 0
    assert shown.max() < 50
    right = np.asarray(pairs.patterns[pairs.sequences])
    wrong = 1 - (shown[..., None] == right[None, ..., None, :]).any(axis=-1).mean()
    assert wrong == pytest.approx(noise, abs=0.01)


def test_whoever_expects_the_next_element_is_right_and_a_tie_shares_the_point(pairs):
    codes = np.zeros((len(pairs.patterns), 50))
    np.put_along_axis(codes, np.asarray(pairs.patterns), 1, axis=1)
    following = np.roll(np.asarray(pairs.sequences), -1, axis=1)
    assert pairs.accuracy(jnp.asarray(codes[following], jnp.float32)).tolist() == [1.0, 1.0]
    # Both ends of a pair after its middle, as without memory of how it began.
    both = codes[following]
    both[:, 3] = np.maximum(codes[following][:, 3], codes[following][[1, 0, 3, 2, 5, 4], 3])
    overall, last = pairs.accuracy(jnp.asarray(both, jnp.float32)).tolist()
    assert last == pytest.approx(0.5, abs=0.01)
    assert overall == pytest.approx(0.875, abs=0.01)
    nothing = pairs.accuracy(jnp.zeros((6, 5, 50)))
    np.testing.assert_allclose(nothing, 1 / 21, rtol=1e-5)


def test_impossible_sizes_are_refused(key):
    with pytest.raises(ValueError, match="length=2"):
        noisy_pairs(key, 10, 2, 1, 2)
    with pytest.raises(ValueError, match="active=11"):
        noisy_pairs(key, 10, 11, 1, 3)
