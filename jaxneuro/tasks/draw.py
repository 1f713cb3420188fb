"""Random draws that several tasks make."""

import jax
import jax.numpy as jnp
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
