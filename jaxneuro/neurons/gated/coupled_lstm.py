"""Long short-term memory with coupled input and forget gates."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class CoupledLSTMState(eqx.Module):
    """What the neuron shows (`hidden`) and what it keeps (`cell`)."""

    hidden: Float[Array, "units"]
    cell: Float[Array, "units"]


class CoupledLSTM(Driven[CoupledLSTMState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of LSTM neurons that write as much as they forget (CIFG).

    `f, o = sigmoid(W x + U h + b)`, `g = tanh(W x + U h + b)`, each with its own rows of W, U and b;
    `c <- f c + (1 - f) g`, `h <- o tanh(c)`. The paper's cell has peepholes too, which are left out here.

    Fields (the rows in the order f, g, o; all quantities dimensionless):
        input_weights: W, `[3 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[3 units, units]`, orthogonal for each gate (Saxe et al. 2014).
        bias: b, `[3 units]`, 0, and 1 for the forget gate, as in an LSTM.

    Parameters: `3 units (inputs + units + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Greff et al. 2017, LSTM: a search space odyssey, IEEE Transactions on Neural Networks and Learning
    Systems 28:2222, arXiv:1503.04069, variant CIFG.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    bias: Float[Array, "gates"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("CoupledLSTM", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=3)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=3)
        self.bias = jnp.zeros((3, units)).at[0].set(1).reshape(3 * units)

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.recurrent_weights.shape[-1]

    def init(self, key: PRNGKeyArray) -> CoupledLSTMState:
        """Zero."""
        zero = jnp.zeros(self.units, self.bias.dtype)
        return CoupledLSTMState(zero, zero)

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(
        self, state: CoupledLSTMState, drive: Float[Array, "gates"]
    ) -> tuple[CoupledLSTMState, Float[Array, "units"]]:
        """The gates, the new cell, the new output."""
        f, g, o = jnp.split(drive + self.recurrent_weights @ state.hidden, 3)
        forget = jax.nn.sigmoid(f)
        cell = forget * state.cell + (1 - forget) * jnp.tanh(g)
        hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
        return CoupledLSTMState(hidden, cell), hidden
