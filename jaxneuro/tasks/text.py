"""Character text: encoding, batches for a language model, and the floors it has to beat."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray


def encode(text: str) -> tuple[np.ndarray, str]:
    """Text as integers.

    Args:
        text: any text.

    Returns:
        The index of every character (int32) and the alphabet: the distinct characters in order.
    """
    alphabet = "".join(sorted(set(text)))
    index = {character: i for i, character in enumerate(alphabet)}
    return np.fromiter((index[character] for character in text), np.int32, len(text)), alphabet


def windows(
    codes: Int[Array, "characters"], key: PRNGKeyArray, step: Int[Array, ""], batch: int, length: int
) -> Int[Array, "batch window"]:
    """Stretches of text from random places: a pure function of key and step.

    Args:
        codes: the encoded text, longer than `length`.
        key: the run's key for the order.
        step: number of the training step.
        batch: how many stretches.
        length: characters to predict; a window holds one more.

    Returns:
        `[batch, length + 1]`: characters `[:-1]` are the inputs, `[1:]` the targets.
    """
    starts = jax.random.randint(jax.random.fold_in(key, step), (batch,), 0, codes.shape[0] - length)
    return jax.vmap(lambda start: jax.lax.dynamic_slice_in_dim(codes, start, length + 1))(starts)


def unigram_bits(train: np.ndarray, test: np.ndarray, symbols: int) -> float:
    """Bits per character of a model that knows only how frequent each character is.

    Cross-entropy on `test` of the counts in `train`, with one added to each count (Laplace).
    """
    counts = np.bincount(train, minlength=symbols) + 1.0
    return float(-np.log2(counts / counts.sum())[test].mean())


def bigram_bits(train: np.ndarray, test: np.ndarray, symbols: int, prior: float = 0.1) -> float:
    """Bits per character of a model that knows the character before.

    Cross-entropy on `test` of the pair counts in `train`, with `prior` added to each count.
    """
    counts = np.bincount(train[:-1] * symbols + train[1:], minlength=symbols**2).reshape(symbols, symbols) + prior
    bits = -np.log(counts / counts.sum(axis=1, keepdims=True)) / math.log(2)
    return float(bits[test[:-1], test[1:]].mean())


def streams(codes: np.ndarray, count: int) -> np.ndarray:
    """The text cut in `count` equal consecutive streams, to be read side by side.

    Args:
        codes: encoded text.
        count: number of streams.

    Returns:
        `[count, length]`; each stream starts with the last character of the one before, so that every character but
        the very first is predicted once, apart from fewer than `count` at the end.
    """
    length = (len(codes) - 1) // count
    return np.stack([codes[i * length : (i + 1) * length + 1] for i in range(count)])


def one_hot(codes: Int[Array, "..."], symbols: int) -> Array:
    """One input line per character of the alphabet."""
    return jax.nn.one_hot(codes, symbols, dtype=jnp.result_type(float))
