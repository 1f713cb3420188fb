"""How little must an input change for a network to err? Attacks along the gradient of its loss."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

Loss = Callable[[Float[Array, "*shape"]], Float[Array, ""]]


def fgsm(
    loss: Loss, inputs: Float[Array, "*shape"], epsilon: float | Float[Array, ""], low: float = 0.0, high: float = 1.0
) -> Float[Array, "*shape"]:
    """The fast gradient sign method: `clip(x + epsilon sign(d loss / d x), low, high)`.

    Args:
        loss: to be raised; of several samples the sum or the mean, so that each has its own gradient.
        inputs: of all samples.
        epsilon: the largest change of a number (units of the input).
        low: what no number of the input may be below.
        high: nor above.

    Returns:
        The inputs, changed.

    Reference: Goodfellow, Shlens and Szegedy 2015, arXiv:1412.6572, section 4.
    """
    return jnp.clip(inputs + epsilon * jnp.sign(jax.grad(loss)(inputs)), low, high)


def pgd(
    loss: Loss,
    inputs: Float[Array, "*shape"],
    epsilon: float | Float[Array, ""],
    key: PRNGKeyArray,
    steps: int = 20,
    low: float = 0.0,
    high: float = 1.0,
) -> Float[Array, "*shape"]:
    """Projected gradient descent: small steps along the sign of the gradient, within epsilon of the input.

    From a random start in the box it is `x <- project(x + 2.5 epsilon / steps sign(d loss / d x))`, where the box is
    `[x - epsilon, x + epsilon]` and `[low, high]`.

    Args:
        loss: to be raised, see `fgsm`.
        inputs: of all samples.
        epsilon: the largest change of a number (units of the input).
        key: of the start.
        steps: how many.
        low: what no number of the input may be below.
        high: nor above.

    Returns:
        The inputs, changed.

    Reference: Madry, Makelov, Schmidt, Tsipras and Vladu 2018, arXiv:1706.06083, section 2.1; the size of a step:
    their section 5 (2.5 epsilon / steps).
    """
    lowest, highest = jnp.maximum(inputs - epsilon, low), jnp.minimum(inputs + epsilon, high)

    def climb(changed: Array, _: None) -> tuple[Array, None]:
        moved = changed + 2.5 * epsilon / steps * jnp.sign(jax.grad(loss)(changed))
        return jnp.clip(moved, lowest, highest), None

    noise = jax.random.uniform(key, inputs.shape, inputs.dtype, -1, 1)
    start = jnp.clip(inputs + epsilon * noise, lowest, highest)
    return jax.lax.scan(climb, start, length=steps)[0]
