"""Adam behind a bound on the norm of the gradient, for one lane.

    g <- g min(1, clip / |g|)
    m <- 0.9 m + 0.1 g,   v <- 0.999 v + 0.001 g^2
    change = (m / (1 - 0.9^n)) / (sqrt(v / (1 - 0.999^n)) + 1e-8)   at the n-th update

What all parameters of a lane are divided by is turned into a factor first. Left to itself the compiler does so in some
programs and not in others, and the last bits of a lane would depend on the number of devices.

Reference: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1; Pascanu, Mikolov and Bengio 2013, ICML, algorithm 1.
"""

from typing import Generic, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

FIRST_DECAY, SECOND_DECAY, LEAST = 0.9, 0.999, 1e-8
Model = TypeVar("Model")


class Moments(eqx.Module, Generic[Model]):
    """The state of the optimiser.

    Fields:
        count: updates so far.
        first: m, of the structure of the model.
        second: v, the same.
    """

    count: Int[Array, "*lanes"]
    first: Model
    second: Model


def no_moments(model: Model) -> Moments[Model]:
    """The state before the first update."""
    zeros = jax.tree.map(jnp.zeros_like, model)
    return Moments(jnp.asarray(0, jnp.int32), zeros, zeros)


def adam(slope: Model, moments: Moments[Model], clip: float) -> tuple[Model, Moments[Model]]:
    """One update.

    Args:
        slope: g, the gradient.
        moments: the state.
        clip: largest norm of the gradient.

    Returns:
        What to take off the parameters, times a learning rate; and the state after.
    """
    norm = jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(slope)))
    factor = jnp.where(norm < clip, 1, clip / norm)
    slope = jax.tree.map(lambda g: factor * g, slope)
    first = jax.tree.map(lambda m, g: FIRST_DECAY * m + (1 - FIRST_DECAY) * g, moments.first, slope)
    second = jax.tree.map(lambda v, g: SECOND_DECAY * v + (1 - SECOND_DECAY) * g * g, moments.second, slope)
    count = moments.count + 1
    number = count.astype(norm.dtype)
    of_first, of_second = 1 / (1 - FIRST_DECAY**number), 1 / (1 - SECOND_DECAY**number)
    change = jax.tree.map(lambda m, v: of_first * m / (jnp.sqrt(of_second * v) + LEAST), first, second)
    return change, Moments(count, first, second)
