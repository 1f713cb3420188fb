"""Random draws that several tasks make."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray


def one_hot(codes: Int[Array, "batch time"], symbols: int) -> Float[Array, "batch time symbols"]:
    """One input line per symbol."""
    return jax.nn.one_hot(codes, symbols, dtype=jnp.result_type(float))


def distinct(key: PRNGKeyArray, size: int, available: int, count: int) -> Int[Array, "batch count"]:
    """`count` different whole numbers below `available`, in random order, for each of `size` samples."""
    keys = jax.random.split(key, size)
    return jax.vmap(lambda key: jax.random.permutation(key, available)[:count])(keys)


def scattered(
    key: PRNGKeyArray, symbols: Int[Array, "batch count"], length: int, blank: int
) -> Int[Array, "batch length"]:
    """Sequences of blanks with the symbols, in their order, at random places.

    Args:
        key: random key.
        symbols: what to place.
        length: length of the sequences, at least the number of symbols.
        blank: what stands everywhere else.

    Returns:
        `[batch, length]`; every choice of places is equally likely.
    """
    size, count = symbols.shape
    places = jnp.sort(distinct(key, size, length, count), axis=-1)
    return jax.vmap(lambda place, symbol: jnp.full(length, blank).at[place].set(symbol))(places, symbols)


def code_book(seed: int, symbols: int, features: int, *, novel: bool) -> Float[Array, "symbols features"]:
    """Symbols as vectors of -1 and 1 that all differ; the same for the same seed.

    Args:
        seed: of the vectors.
        symbols: how many, at most `2^(features - 1)`.
        features: their length.
        novel: other vectors than those that are not novel; none is in both books.

    Returns:
        One vector for each symbol.
    """
    codes = np.random.default_rng(seed).permutation(2**features)[: 2 * symbols].reshape(2, symbols)[int(novel)]
    return jnp.asarray(2.0 * (codes[:, None] >> np.arange(features) & 1) - 1, jnp.result_type(float))


def check_book(name: str, symbols: int, features: int) -> None:
    """Refuse a code book that cannot be.

    Args:
        name: of the task.
        symbols: how many there are in the training, and as many others in the test.
        features: length of their vectors.

    Raises:
        ValueError: there are not so many different vectors, or too many to choose from.
    """
    if features > 20:
        raise ValueError(f"{name} got features={features}; it must be at most 20.")
    if 2 * symbols > 2**features:
        raise ValueError(
            f"{name} got symbols={symbols}; with features={features} it must be at most {2 ** (features - 1)}: those "
            "of training and test all differ."
        )
