"""All-to-all connections whose weights are complex numbers, quaternions, matrices or Clifford numbers."""

from typing import Annotated

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.algebra import Algebra, algebra_called
from jaxneuro.initial import check_sizes, polar_weights
from jaxneuro.machine import Stateless, parameter


class AlgebraDense(Stateless[Float[Array, "features"], Float[Array, "features"]]):
    """Dense synapses between neurons whose activities are elements of an algebra: `y = W x + b`.

    All of W, x, y and b are elements; a product has the weight on the left. A vector of elements is one of real
    numbers: all first coordinates, then all second ones, and so on. With quaternions the layer has a quarter of the
    weights of `Dense` between as many real numbers, and as many biases; with elements of dimension d, `1 / d`. A matrix
    weighs the columns of an element each alone: layers of n x n matrices never mix the n columns.

    Fields (all quantities dimensionless):
        algebra: of the elements; in the constructor also its name: "real", "complex", "quaternion", "M2" (matrices) to
            "M8", or such as "Cl(1,1)" (Clifford).
        weights: W, `[dimension, outputs, inputs]`, of random length and direction, with a mean square that
            makes of coordinates of unit variance such of variance `gain^2`.
        bias: b, `[dimension, outputs]`, 0; None without bias.

    Parameters: `dimension outputs (inputs + 1)`. Input `[dimension inputs]`. Output `[dimension outputs]`.

    Reference: Parcollet et al. 2019, arXiv:1806.04418 (quaternions); Trabelsi et al. 2018,
    arXiv:1705.09792 (complex numbers).
    """

    algebra: Algebra = eqx.field(static=True)
    weights: Float[Array, "dimension outputs inputs"] = parameter()
    bias: Float[Array, "dimension outputs"] | None = parameter()

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        algebra: Algebra | Annotated[str, algebra_called] = "quaternion",
        bias: bool = True,
        gain: float = 1.0,
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("AlgebraDense", inputs=inputs, outputs=outputs)
        self.algebra = algebra_called(algebra) if isinstance(algebra, str) else algebra
        self.weights = polar_weights(key, self.algebra, outputs, inputs, gain / (self.algebra.size * inputs) ** 0.5)
        self.bias = jnp.zeros((self.algebra.dimension, outputs)) if bias else None

    def respond(self, input: Float[Array, "features"]) -> Float[Array, "features2"]:
        """`W x + b`."""
        product = self.algebra.apply(self.weights, input)
        return product if self.bias is None else product + self.bias.reshape(-1)
