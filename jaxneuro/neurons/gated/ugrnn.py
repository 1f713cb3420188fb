"""The update gate recurrent neuron."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class UGRNNState(eqx.Module):
    """What the neuron shows, which is all it keeps."""

    hidden: Float[Array, "units"]


class UGRNN(Driven[UGRNNState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of simple recurrent neurons with an update gate.

    `g = sigmoid(W x + U h + b)`, `n = tanh(W x + U h + b)`, each with its own rows of W, U and b;
    `h <- g h + (1 - g) n`.

    Fields (the rows in the order n, g; all quantities dimensionless):
        input_weights: W, `[2 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[2 units, units]`, orthogonal for each (Saxe et al. 2014).
        bias: b, `[2 units]`, 0, and 1 for the gate, which starts by remembering; the paper has it as a constant beside
            the trained bias.

    Parameters: `2 units (inputs + units + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Collins, Sohl-Dickstein and Sussillo 2017, arXiv:1611.09913.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    bias: Float[Array, "gates"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("UGRNN", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=2)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=2)
        self.bias = jnp.concatenate([jnp.zeros(units), jnp.ones(units)])

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.recurrent_weights.shape[-1]

    def init(self, key: PRNGKeyArray) -> UGRNNState:
        """Zero."""
        return UGRNNState(jnp.zeros(self.units, self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: UGRNNState, drive: Float[Array, "gates"]) -> tuple[UGRNNState, Float[Array, "units"]]:
        """The candidate, the gate, the new output."""
        n, g = jnp.split(drive + self.recurrent_weights @ state.hidden, 2)
        gate = jax.nn.sigmoid(g)
        hidden = gate * state.hidden + (1 - gate) * jnp.tanh(n)
        return UGRNNState(hidden), hidden
