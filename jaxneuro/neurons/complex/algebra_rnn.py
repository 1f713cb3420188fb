"""The simple recurrent network of quaternions, and of any other algebra."""

from typing import Annotated

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.algebra import Algebra, algebra_called
from jaxneuro.initial import check_sizes, isometry, polar_weights
from jaxneuro.machine import Driven, parameter


class AlgebraRNNState(eqx.Module):
    """What the neurons show, which is all they keep: all first coordinates, then all second ones, and so on."""

    hidden: Float[Array, "features"]


class AlgebraRNN(Driven[AlgebraRNNState, Float[Array, "features"], Float[Array, "features"], Float[Array, "features"]]):
    """A layer of simple recurrent neurons whose activities and weights are elements of an algebra.

    `h <- tanh(W x + U h + b)`, tanh on each coordinate alone. With quaternions it is the QRNN.

    Fields (all quantities dimensionless):
        algebra: of the elements; in the constructor also its name, as for `AlgebraDense`.
        input_weights: W, `[dimension, units, inputs]`, of random length and direction, coordinates of mean
            square `2 / (size (inputs + units))`, size being that of the real matrix of an element.
        recurrent_weights: U, `[dimension, units, units]`; it keeps the length of a state at first.
        bias: b, `[dimension, units]`, 0.

    Parameters: `dimension units (inputs + units + 1)`. Input `[dimension inputs]`. Output: h, `[dimension units]`.

    Reference: Parcollet et al. 2019, arXiv:1806.04418 (there U starts as W).
    """

    algebra: Algebra = eqx.field(static=True)
    input_weights: Float[Array, "dimension units inputs"] = parameter()
    recurrent_weights: Float[Array, "dimension units units"] = parameter()
    bias: Float[Array, "dimension units"] = parameter()

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        algebra: Algebra | Annotated[str, algebra_called] = "quaternion",
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("AlgebraRNN", inputs=inputs, units=units)
        self.algebra = algebra_called(algebra) if isinstance(algebra, str) else algebra
        input_key, recurrent_key = jax.random.split(key)
        deviation = (2 / (self.algebra.size * (inputs + units))) ** 0.5
        self.input_weights = polar_weights(input_key, self.algebra, units, inputs, deviation)
        self.recurrent_weights = isometry(recurrent_key, self.algebra, units)
        self.bias = jnp.zeros((self.algebra.dimension, units))

    @property
    def outputs(self) -> int:
        """Size of an output."""
        return self.bias.size

    def init(self, key: PRNGKeyArray) -> AlgebraRNNState:
        """Zero."""
        return AlgebraRNNState(jnp.zeros_like(self.bias).reshape(-1))

    def drive(self, input: Float[Array, "features"]) -> Float[Array, "features2"]:
        """`W x + b`."""
        return self.algebra.apply(self.input_weights, input) + self.bias.reshape(-1)

    def transition(
        self, state: AlgebraRNNState, drive: Float[Array, "features"]
    ) -> tuple[AlgebraRNNState, Float[Array, "features"]]:
        """`tanh(U h + drive)`."""
        hidden = jnp.tanh(drive + self.algebra.apply(self.recurrent_weights, state.hidden))
        return AlgebraRNNState(hidden), hidden
