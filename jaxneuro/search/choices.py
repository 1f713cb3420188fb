"""Random choices among the places of an array, as masks: no gather, no scatter, and one random number for each."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

DRAWS = 12  # random numbers that an edit may use
Wire = Int[Array, ""] | int
Draw = Float[Array, ""]  # from 0 to 1
Draws = Float[Array, "12"]


def pick(draw: Draw, mask: Bool[Array, "*shape"]) -> Bool[Array, "*shape"]:
    """One of the places that are True, each as likely.

    Args:
        draw: a random number from 0 to 1.
        mask: the places to choose from.

    Returns:
        A mask with that place alone; all False if there is none.
    """
    count = jnp.cumsum(mask.ravel(), dtype=jnp.int32).reshape(mask.shape)
    return mask & (count == 1 + integer(draw, count.max(initial=0)))


def integer(draw: Float[Array, "*shape"], count: Wire | Int[np.ndarray, "*shape"]) -> Int[Array, "*shape"]:
    """A number from 0 to `count - 1`, each as likely; 0 if there is none.

    Args:
        draw: a random number from 0 to 1, or an array of them.
        count: how many numbers there are, for all or for each.

    Returns:
        The number.
    """
    return jnp.floor(draw * jnp.asarray(count, jnp.float32)).astype(jnp.int32)


def another(draw: Draw, present: Wire, count: Wire) -> Int[Array, ""]:
    """A number from 0 to `count - 1` that is not the present one, each as likely.

    Args:
        draw: a random number from 0 to 1.
        present: the number now.
        count: how many numbers there are.

    Returns:
        The number.
    """
    following = present + 1 + integer(draw, count - 1)
    return jnp.where(following >= count, following - count, following)


def at(place: Bool[Array, "*shape"], array: Array | np.ndarray) -> Int[Array, ""]:
    """The entry of an array of counting numbers at a place.

    Args:
        place: a mask with at most one True.
        array: numbers from 0, of the shape of `place`.

    Returns:
        The number; 0 if there is no such place.
    """
    return jnp.max(jnp.where(place, array, 0), initial=0)
