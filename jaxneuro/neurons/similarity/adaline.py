"""ADALINE: the adaptive linear neuron and the least-mean-squares rule."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import Scalar, Stateless, parameter


class Adaline(Stateless[Float[Array, "inputs"], Float[Array, ""]]):
    """The adaptive linear neuron: `y = w . x + b`. All quantities dimensionless.

    Fields:
        weights: w, `[inputs]`.
        bias: b.

    Reference: Widrow and Hoff 1960, IRE WESCON Convention Record 4:96.
    """

    weights: Float[Array, "inputs"] = parameter()
    bias: Scalar = parameter()

    def __init__(self, inputs: int, *, key: PRNGKeyArray) -> None:
        if inputs < 1:
            raise ValueError(f"Adaline got inputs={inputs}; it must be at least 1.")
        self.weights = jax.random.normal(key, (inputs,)) / inputs**0.5
        self.bias = jnp.zeros(())

    def respond(self, input: Float[Array, "inputs"]) -> Float[Array, ""]:
        """`w . x + b`."""
        return self.weights @ input + self.bias

    def learn(
        self, input: Float[Array, "inputs"], target: Float[Array, ""], rate: float | Float[Array, ""]
    ) -> tuple["Adaline", Float[Array, ""]]:
        """The least-mean-squares rule: `e = target - y`, `w += rate e x`, `b += rate e`.

        This is gradient descent on `e^2 / 2`; it converges in the mean while `rate < 2 / (largest eigenvalue of
        E[x x'])`.

        Args:
            input: x.
            target: the output wanted.
            rate: the learning rate, above 0.

        Returns:
            The neuron after the example, and the error e before it.
        """
        error = target - self.respond(input)
        learned = eqx.tree_at(
            lambda adaline: (adaline.weights, adaline.bias),
            self,
            (self.weights + rate * error * input, self.bias + rate * error),
        )
        return learned, error
