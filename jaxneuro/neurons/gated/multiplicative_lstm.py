"""Multiplicative long short-term memory."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class MultiplicativeLSTMState(eqx.Module):
    """What the neuron shows (`hidden`) and what it keeps (`cell`)."""

    hidden: Float[Array, "units"]
    cell: Float[Array, "units"]


class MultiplicativeLSTM(
    Driven[MultiplicativeLSTMState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "rows"]]
):
    """A layer of LSTM neurons with another recurrent matrix for every input.

    `m = (W x) (U h)`, `i, f, o = sigmoid(W x + V m + b)`, `g = tanh(W x + V m + b)`, each with its own rows of W, V
    and b; `c <- f c + i g`, `h <- tanh(o c)`. Libraries mostly have `o tanh(c)` for the last.

    Fields (the rows of W in the order m, i, f, g, o, of the others i, f, g, o; all quantities dimensionless):
        input_weights: W, `[5 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[units, units]`, orthogonal (Saxe et al. 2014).
        multiplicative_weights: V, `[4 units, units]`, orthogonal for each gate.
        bias: b, `[4 units]`, 0, and 1 for the forget gate, as in an LSTM.

    Parameters: `5 units (inputs + units) + 4 units`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Krause et al. 2016, Multiplicative LSTM for sequence modelling, arXiv:1609.07959.
    """

    input_weights: Float[Array, "rows inputs"] = parameter()
    recurrent_weights: Float[Array, "units units"] = parameter()
    multiplicative_weights: Float[Array, "gates units"] = parameter()
    bias: Float[Array, "gates"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("MultiplicativeLSTM", inputs=inputs, units=units)
        input_key, recurrent_key, multiplicative_key = jax.random.split(key, 3)
        self.input_weights = glorot(input_key, units, inputs, gates=5)
        self.recurrent_weights = orthogonal(recurrent_key, units)
        self.multiplicative_weights = orthogonal(multiplicative_key, units, gates=4)
        self.bias = jnp.zeros((4, units)).at[1].set(1).reshape(4 * units)

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.recurrent_weights.shape[-1]

    def init(self, key: PRNGKeyArray) -> MultiplicativeLSTMState:
        """Zero."""
        zero = jnp.zeros(self.units, self.bias.dtype)
        return MultiplicativeLSTMState(zero, zero)

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "rows"]:
        """`W x`, and b for the gates."""
        return self.input_weights @ input + jnp.pad(self.bias, (self.units, 0))

    def transition(
        self, state: MultiplicativeLSTMState, drive: Float[Array, "rows"]
    ) -> tuple[MultiplicativeLSTMState, Float[Array, "units"]]:
        """The product of input and past, the gates, the new cell, the new output."""
        factor, gates_drive = jnp.split(drive, [self.units])
        product = factor * (self.recurrent_weights @ state.hidden)
        i, f, g, o = jnp.split(gates_drive + self.multiplicative_weights @ product, 4)
        cell = jax.nn.sigmoid(f) * state.cell + jax.nn.sigmoid(i) * jnp.tanh(g)
        hidden = jnp.tanh(jax.nn.sigmoid(o) * cell)
        return MultiplicativeLSTMState(hidden, cell), hidden
