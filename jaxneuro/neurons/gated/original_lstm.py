"""Long short-term memory as it was first: without a forget gate."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class OriginalLSTMState(eqx.Module):
    """What the neuron shows (`hidden`) and what it adds up (`cell`)."""

    hidden: Float[Array, "units"]
    cell: Float[Array, "units"]


class OriginalLSTM(Driven[OriginalLSTMState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of LSTM neurons of 1997, which add up and never forget.

    `i, o = sigmoid(W x + U h + b)`, `g = 4 sigmoid(W x + U h + b) - 2`, each with its own rows of W, U and b;
    `c <- c + i g`, `h <- o (2 sigmoid(c) - 1)`.

    Fields (the rows of the gates in the order i, g, o; all quantities dimensionless):
        input_weights: W, `[3 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[3 units, units]`, orthogonal for each gate (Saxe et al. 2014).
        bias: b, `[3 units]`, 0.

    Parameters: `3 units (inputs + units + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Hochreiter and Schmidhuber 1997, Neural Computation 9:1735, section 4 and appendix A.1.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    bias: Float[Array, "gates"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("OriginalLSTM", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=3)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=3)
        self.bias = jnp.zeros(3 * units)

    def init(self, key: PRNGKeyArray) -> OriginalLSTMState:
        """Zero."""
        zero = jnp.zeros(self.recurrent_weights.shape[-1], self.bias.dtype)
        return OriginalLSTMState(zero, zero)

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(
        self, state: OriginalLSTMState, drive: Float[Array, "gates"]
    ) -> tuple[OriginalLSTMState, Float[Array, "units"]]:
        """The gates, the new sum, the new output."""
        i, g, o = jnp.split(drive + self.recurrent_weights @ state.hidden, 3)
        cell = state.cell + jax.nn.sigmoid(i) * 2 * jnp.tanh(g / 2)
        hidden = jax.nn.sigmoid(o) * jnp.tanh(cell / 2)
        return OriginalLSTMState(hidden, cell), hidden
