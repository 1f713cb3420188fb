"""What follows a spike: a reset, which may be kept out of the gradient, and a refractory period."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


@jax.custom_jvp
def detached(spike: Float[Array, "*shape"], share: Float[Array, ""]) -> Float[Array, "*shape"]:
    """The spike itself, through which only `1 - share` of the gradient goes: for resets, which nothing shall learn by.

    The value is `spike`, and `d detached / d spike := 1 - share`; share gets no gradient.

    Args:
        spike: 0 or 1, one or several.
        share: of the gradient that is stopped, from 0 to 1.

    Reference: Zenke and Vogels 2021, Neural Computation 33:899, section 2.2.
    """
    return spike


@detached.defjvp
def _detached_jvp(
    primals: tuple[Float[Array, "*shape"], Float[Array, ""]],
    tangents: tuple[Float[Array, "*shape"], Float[Array, ""]],
) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
    (spike, share), (change, _) = primals, tangents
    return spike, (1 - share) * change


def refractory_left(
    left_ms: Float[Array, ""], spike: Float[Array, ""], period_ms: Float[Array, ""], dt_ms: Float[Array, ""]
) -> Float[Array, ""]:
    """What is left of the refractory period after a step: the whole of it after a spike, else a step less.

    Less than half a step left is none: what rounding leaves of a count holds no cell.

    Args:
        left_ms: before the step; the cell was held if it is above `dt_ms / 2`.
        spike: 0 or 1.
        period_ms: the whole period.
        dt_ms: step size.
    """
    fresh, less = period_ms, left_ms - dt_ms
    fresh, less = (jnp.where(rest > dt_ms / 2, rest, 0) for rest in (fresh, less))
    return jnp.where(jax.lax.stop_gradient(spike) > 0, fresh, less)
