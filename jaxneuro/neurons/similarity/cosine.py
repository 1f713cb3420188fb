"""The cosine neuron: similarity of direction, blind to size."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import Scalar, Stateless, parameter


class Cosine(Stateless[Float[Array, "inputs"], Float[Array, ""]]):
    """A cosine-similarity neuron: `y = tanh(s (w . x) / (|w| |x|) - theta)`. All quantities dimensionless.

    Positive scaling of the input or of the weights does not change the output. A zero vector is similar to nothing: its
    similarity, and the gradient through it, are 0.

    Fields:
        weights: w, `[inputs]`.
        scale: s.
        threshold: theta.

    Reference: Luo et al. 2017, Cosine Normalization, arXiv:1702.05870, eq. 3.
    """

    weights: Float[Array, "inputs"] = parameter()
    scale: Scalar = parameter()
    threshold: Scalar = parameter()

    def __init__(
        self, inputs: int, *, scale: float | Array = 1.0, threshold: float | Array = 0.0, key: PRNGKeyArray
    ) -> None:
        if inputs < 1:
            raise ValueError(f"Cosine got inputs={inputs}; it must be at least 1.")
        self.weights = jax.random.normal(key, (inputs,)) / inputs**0.5
        self.scale = jnp.asarray(scale, self.weights.dtype)
        self.threshold = jnp.asarray(threshold, self.weights.dtype)

    def respond(self, input: Float[Array, "inputs"]) -> Float[Array, ""]:
        """`tanh(s cos(w, x) - theta)`."""
        similarity = _direction(self.weights) @ _direction(input)
        return jnp.tanh(self.scale * similarity - self.threshold)


def _direction(vector: Float[Array, "inputs"]) -> Float[Array, "inputs"]:
    # Division by the largest element first: the squares of very small or large numbers do not fit the float range. Its
    # gradient cancels in the ratio, and is stopped because a maximum has none where two elements tie.
    largest = jax.lax.stop_gradient(jnp.max(jnp.abs(vector)))
    scaled = vector / jnp.where(largest > 0, largest, 1)
    squares = scaled @ scaled
    return jnp.where(squares > 0, scaled * jax.lax.rsqrt(jnp.where(squares > 0, squares, 1)), 0)
