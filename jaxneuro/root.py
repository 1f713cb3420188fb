"""Roots of scalar functions, with exact gradients."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Function = Callable[[Float[Array, ""]], Float[Array, ""]]


def root(function: Function, low: Float[Array, ""], high: Float[Array, ""]) -> Float[Array, ""]:
    """Where a function rises through 0: `f(x) = 0`, by Newton steps that are kept inside a shrinking bracket.

    What the function closes over may be differentiated once, in either mode, by the implicit function theorem,
    `dx = -df / f'(x)`.

    Args:
        function: continuous, differentiable, with `f(low) <= 0 <= f(high)`.
        low: lower end.
        high: upper end.

    Returns:
        The root, as exact as the function is; some number between the ends if the function does not change sign.
    """
    low, high = jax.lax.stop_gradient((low, high))
    most = jnp.finfo(low.dtype).nmant + 10

    def open_(carry: tuple[Array, ...]) -> Array:
        _, _, before, at, count = carry
        return (count < most) & (before != at)

    def narrow(carry: tuple[Array, ...]) -> tuple[Array, ...]:
        low, high, _, at, count = carry
        value, slope = _slope(function, at)
        low, high = jnp.where(value < 0, at, low), jnp.where(value < 0, high, at)
        newton = at - value / jnp.where(slope == 0, 1, slope)
        inside = (newton > low) & (newton < high)
        following = jnp.where(value == 0, at, jnp.where(inside, newton, (low + high) / 2))
        return jax.lax.stop_gradient((low, high, at, following, count + 1))

    start = (low, high, low, (low + high) / 2, jnp.zeros((), jnp.int32))
    at = jax.lax.stop_gradient(jax.lax.while_loop(open_, narrow, start)[3])
    value, slope = _slope(function, at)
    # The value is next to nothing: what this step adds is its derivative.
    return at - value / jax.lax.stop_gradient(jnp.where(slope == 0, 1, slope))


def _slope(function: Function, at: Float[Array, ""]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    return jax.jvp(function, (at,), (jnp.ones_like(at),))
