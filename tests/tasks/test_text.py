import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.tasks import data, text


def test_encoding_can_be_undone():
    codes, alphabet = text.encode("neuron")
    assert alphabet == "enoru"
    assert "".join(alphabet[code] for code in codes) == "neuron"


def test_windows_are_stretches_of_the_text_and_reach_both_ends(key):
    codes = jnp.arange(12, dtype=jnp.int32)
    windows = np.concatenate([np.asarray(text.windows(codes, key, jnp.int32(step), 16, 4)) for step in range(20)])
    assert (np.diff(windows) == 1).all()
    assert (windows.min(), windows.max()) == (0, 11)
    again = text.windows(codes, key, jnp.int32(3), 16, 4)
    np.testing.assert_array_equal(again, windows[48:64])


def test_streams_predict_every_character_once():
    streams = text.streams(np.arange(101), 4)
    assert sorted(streams[:, 1:].ravel().tolist()) == list(range(1, 101))


def test_the_unigram_floor_of_equal_frequencies_is_their_logarithm():
    codes = np.tile(np.arange(8), 10_000)
    assert text.unigram_bits(codes, codes, 8) == pytest.approx(3, abs=1e-6)


def test_the_bigram_floor_of_a_chain_is_its_entropy_rate():
    # From each of two characters the next is the same with probability 0.9: H = 0.9 log2(1/0.9) + 0.1 log2(1/0.1).
    generator = np.random.default_rng(0)
    codes = np.cumsum(generator.random(400_000) < 0.1) % 2
    entropy = -0.9 * np.log2(0.9) - 0.1 * np.log2(0.1)
    assert text.bigram_bits(codes[:300_000], codes[300_000:], 2) == pytest.approx(entropy, abs=0.01)
    assert text.unigram_bits(codes[:300_000], codes[300_000:], 2) == pytest.approx(1, abs=0.01)


def test_the_floors_of_the_help_texts_are_near_the_known_figures():
    # Unigram 4.67 and bigram 3.35 bits per character were found for the text of Python 3.11, by another count.
    codes, alphabet = text.encode(data.topics().text)
    cut = len(codes) * 9 // 10
    assert text.unigram_bits(codes[:cut], codes[cut:], len(alphabet)) == pytest.approx(4.67, abs=0.1)
    assert text.bigram_bits(codes[:cut], codes[cut:], len(alphabet)) == pytest.approx(3.35, abs=0.1)


def test_one_hot_has_one_line_per_character():
    np.testing.assert_array_equal(text.one_hot(jnp.array([2, 0]), 3), jax.nn.one_hot(jnp.array([2, 0]), 3))
