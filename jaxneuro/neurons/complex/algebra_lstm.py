"""Long short-term memory of quaternions, and of any other algebra."""

from typing import Annotated

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.algebra import Algebra, algebra_called
from jaxneuro.initial import check_sizes, isometry, polar_weights
from jaxneuro.machine import Driven, parameter


class AlgebraLSTMState(eqx.Module):
    """What the neurons show and what they keep: all first coordinates, then all second ones, and so on."""

    hidden: Float[Array, "features"]
    cell: Float[Array, "features"]


class AlgebraLSTM(Driven[AlgebraLSTMState, Float[Array, "features"], Float[Array, "features"], Float[Array, "gates"]]):
    """A layer of LSTM neurons whose activities and weights are elements of an algebra.

    `i, f, o = sigmoid(W x + U h + b)`, `g = tanh(W x + U h + b)`, each with its own rows of W, U and b;
    `c <- f c + i g`, `h <- o tanh(c)`. Products of weights are those of the algebra; gates and nonlinearities act on
    each coordinate alone. With quaternions it is the QLSTM, with real numbers the LSTM.

    Fields (the rows of the gates in the order i, f, g, o; all quantities dimensionless):
        algebra: of the elements; in the constructor also its name, as for `AlgebraDense`.
        input_weights: W, `[dimension, 4 units, inputs]`, of random length and direction, coordinates of mean
            square `2 / (size (inputs + units))`, size being that of the real matrix of an element.
        recurrent_weights: U, `[dimension, 4 units, units]`; for each gate it keeps the length of a state at first.
        bias: b, `[dimension, 4 units]`, 0, and 1 for the forget gate.

    Parameters: `4 dimension units (inputs + units + 1)`. Input `[dimension inputs]`. Output: h, `[dimension units]`.

    Reference: Parcollet, Morchid, Linares and De Mori 2018, arXiv:1811.02566; Parcollet et al. 2019, arXiv:1806.04418
    (in the authors' program U starts as W, and all biases as 0).
    """

    algebra: Algebra = eqx.field(static=True)
    input_weights: Float[Array, "dimension gates inputs"] = parameter()
    recurrent_weights: Float[Array, "dimension gates units"] = parameter()
    bias: Float[Array, "dimension gates"] = parameter()

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        algebra: Algebra | Annotated[str, algebra_called] = "quaternion",
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("AlgebraLSTM", inputs=inputs, units=units)
        self.algebra = algebra_called(algebra) if isinstance(algebra, str) else algebra
        input_key, recurrent_key = jax.random.split(key)
        deviation = (2 / (self.algebra.size * (inputs + units))) ** 0.5
        self.input_weights = polar_weights(input_key, self.algebra, 4 * units, inputs, deviation)
        self.recurrent_weights = isometry(recurrent_key, self.algebra, units, gates=4)
        self.bias = jnp.zeros((self.algebra.dimension, 4 * units)).at[:, units : 2 * units].set(1)

    @property
    def outputs(self) -> int:
        """Size of an output."""
        return self.bias.size // 4

    def init(self, key: PRNGKeyArray) -> AlgebraLSTMState:
        """Zero."""
        zero = jnp.zeros(self.outputs, self.bias.dtype)
        return AlgebraLSTMState(zero, zero)

    def drive(self, input: Float[Array, "features"]) -> Float[Array, "gates"]:
        """`W x + b`."""
        return self.algebra.apply(self.input_weights, input) + self.bias.reshape(-1)

    def transition(
        self, state: AlgebraLSTMState, drive: Float[Array, "gates"]
    ) -> tuple[AlgebraLSTMState, Float[Array, "features"]]:
        """The gates, the new cell, the new output."""
        sums = drive + self.algebra.apply(self.recurrent_weights, state.hidden)
        i, f, g, o = sums.reshape(self.algebra.dimension, 4, -1).swapaxes(0, 1).reshape(4, -1)
        cell = jax.nn.sigmoid(f) * state.cell + jax.nn.sigmoid(i) * jnp.tanh(g)
        hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
        return AlgebraLSTMState(hidden, cell), hidden
