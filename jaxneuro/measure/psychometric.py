"""How much each kind of evidence counts in choices: the slopes of a psychometric function of several variables."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def psychometric_slopes(
    evidence: Float[Array, "trials kinds"], choices: Float[Array, "trials"], ridge: float = 1e-3, rounds: int = 30
) -> Float[Array, "kinds"]:
    """Weights of a logistic regression of choices on evidence in units of its standard deviation.

    With `z` the evidence, centred and scaled, the weights `w` and the bias `b` lower

        mean log(1 + exp(-(2 c - 1) (b + w . z))) + ridge (|w|^2 + b^2) / 2

    by Newton's method. The ridge keeps them finite where evidence decides all choices, or all choices are the same.

    Args:
        evidence: what each trial spoke for, of each kind (any units).
        choices: 1 if the positive answer was chosen, 0 if the negative.
        ridge: penalty of large weights.
        rounds: of Newton's method.

    Returns:
        The weight of each kind: by how much a standard deviation of it changes the logarithm of the odds.

    Reference: for two streams of evidence, Mante, Sussillo, Shenoy and Newsome 2013, Nature 503:78, fig. 1.
    """
    spread = evidence.std(axis=0, keepdims=True)
    # The deviation of numbers that are all the same is what rounding makes of it.
    varies = spread > 10 * jnp.finfo(spread.dtype).eps * jnp.abs(evidence).max(axis=0, keepdims=True)
    centred = evidence - evidence.mean(axis=0, keepdims=True)
    scaled = jnp.where(varies, centred / jnp.where(varies, spread, 1), 0)
    design = jnp.concatenate([jnp.ones_like(scaled[:, :1]), scaled], axis=1)
    count = design.shape[1]

    def newton(weights: Array, _: None) -> tuple[Array, None]:
        chance = jax.nn.sigmoid(design @ weights)
        gradient = design.T @ (chance - choices) / len(choices) + ridge * weights
        curvature = (design.T * (chance * (1 - chance))[None]) @ design / len(choices) + ridge * jnp.eye(count)
        change = _solve(curvature, gradient)
        # Far from the optimum a whole step may overshoot; a bounded one cannot.
        return weights - change / jnp.maximum(1, jnp.linalg.norm(change)), None

    return jax.lax.scan(newton, jnp.zeros(count, design.dtype), length=rounds)[0][1:]


def _solve(matrix: Float[Array, "n n"], right: Float[Array, "n"]) -> Float[Array, "n"]:
    """Solve a small positive definite system by elimination; batches of LAPACK's calls may wait for each other."""
    rows = jnp.concatenate([matrix, right[:, None]], axis=1)
    for pivot in range(len(right)):
        own = rows[pivot] / rows[pivot, pivot]
        rows = (rows - rows[:, pivot, None] * own[None]).at[pivot].set(own)
    return rows[:, -1]
