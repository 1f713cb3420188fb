"""The perceptron: a threshold on a dot product, and the rule that learns from mistakes."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import Scalar, Stateless, parameter
from jaxneuro.surrogate import StraightThrough, Surrogate


class Perceptron(Stateless[Float[Array, "inputs"], Float[Array, ""]]):
    """Rosenblatt's perceptron: `y = H(w . x + b)`, with `H(u) = 1` for `u >= 0`, else 0. All quantities dimensionless.

    Fields:
        weights: w, `[inputs]`.
        bias: b.
        spike: H, with the derivative it pretends to have.

    Reference: Rosenblatt 1958, Psychological Review 65:386; learning rule and its bound: Novikoff 1962, Symposium on
    the Mathematical Theory of Automata 12:615.
    """

    weights: Float[Array, "inputs"] = parameter()
    bias: Scalar = parameter()
    spike: Surrogate = eqx.field(default_factory=StraightThrough)

    def __init__(self, inputs: int, *, spike: Surrogate | None = None, key: PRNGKeyArray) -> None:
        if inputs < 1:
            raise ValueError(f"Perceptron got inputs={inputs}; it must be at least 1.")
        self.weights = jax.random.normal(key, (inputs,)) / inputs**0.5
        self.bias = jnp.zeros(())
        self.spike = StraightThrough() if spike is None else spike

    def respond(self, input: Float[Array, "inputs"]) -> Float[Array, ""]:
        """`H(w . x + b)`."""
        return self.spike(self.weights @ input + self.bias)

    def learn(
        self, input: Float[Array, "inputs"], label: Float[Array, ""], *, bias_rate: float = 1.0
    ) -> tuple["Perceptron", Float[Array, ""]]:
        """The mistake-driven rule: if `label (w . x + b) <= 0`, then `w += label x` and `b += bias_rate label`.

        Args:
            input: x.
            label: -1 or +1.
            bias_rate: how far the bias moves; 0 learns a separating plane through the origin.

        Returns:
            The perceptron after the example, and 1 if it was a mistake, else 0. A point on the plane is a mistake.
        """
        mistake = (label * (self.weights @ input + self.bias) <= 0).astype(input.dtype)
        change = mistake * label
        learned = eqx.tree_at(
            lambda perceptron: (perceptron.weights, perceptron.bias),
            self,
            (self.weights + change * input, self.bias + bias_rate * change),
        )
        return learned, mistake
