"""Long short-term memory with layer normalisation."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class LayerNormLSTMState(eqx.Module):
    """What the neuron shows (`hidden`) and what it keeps (`cell`)."""

    hidden: Float[Array, "units"]
    cell: Float[Array, "units"]


class LayerNormLSTM(Driven[LayerNormLSTMState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of LSTM neurons whose summed inputs have mean 0 and variance 1 over the layer.

    `i, f, o = sigmoid(a LN(W x) + r LN(U h) + b)`, `g = tanh(a LN(W x) + r LN(U h) + b)`, each with its own rows;
    `c <- f c + i g`, `h <- o tanh(k LN(c) + d)`. `LN(z) = (z - mean(z)) / sqrt(var(z) + 1e-5)` over all entries of z,
    those of the four gates together; the small number keeps gradients finite where all entries are equal, as those of
    U h are at first. The paper's three offsets of the gates are one sum, b.

    Fields (the rows of the gates in the order i, f, g, o; all quantities dimensionless):
        input_weights: W, `[4 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[4 units, units]`, orthogonal for each gate (Saxe et al. 2014).
        bias: b, `[4 units]`, 0, and 1 for the forget gate, as in an LSTM.
        input_gain: a, `[4 units]`, 1.
        recurrent_gain: r, `[4 units]`, 1.
        cell_gain: k, `[units]`, 1.
        cell_bias: d, `[units]`, 0.

    Parameters: `4 units (inputs + units + 1) + 10 units`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Ba, Kiros and Hinton 2016, Layer normalization, arXiv:1607.06450, supplement.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    bias: Float[Array, "gates"] = parameter()
    input_gain: Float[Array, "gates"] = parameter()
    recurrent_gain: Float[Array, "gates"] = parameter()
    cell_gain: Float[Array, "units"] = parameter()
    cell_bias: Float[Array, "units"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("LayerNormLSTM", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=4)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=4)
        self.bias = jnp.zeros((4, units)).at[1].set(1).reshape(4 * units)
        self.input_gain = jnp.ones(4 * units)
        self.recurrent_gain = jnp.ones(4 * units)
        self.cell_gain = jnp.ones(units)
        self.cell_bias = jnp.zeros(units)

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.recurrent_weights.shape[-1]

    def init(self, key: PRNGKeyArray) -> LayerNormLSTMState:
        """Zero."""
        zero = jnp.zeros(self.units, self.bias.dtype)
        return LayerNormLSTMState(zero, zero)

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`a LN(W x) + b`."""
        return self.input_gain * _normalised(self.input_weights @ input) + self.bias

    def transition(
        self, state: LayerNormLSTMState, drive: Float[Array, "gates"]
    ) -> tuple[LayerNormLSTMState, Float[Array, "units"]]:
        """The gates, the new cell, the new output."""
        recurrent = self.recurrent_gain * _normalised(self.recurrent_weights @ state.hidden)
        i, f, g, o = jnp.split(drive + recurrent, 4)
        cell = jax.nn.sigmoid(f) * state.cell + jax.nn.sigmoid(i) * jnp.tanh(g)
        hidden = jax.nn.sigmoid(o) * jnp.tanh(self.cell_gain * _normalised(cell) + self.cell_bias)
        return LayerNormLSTMState(hidden, cell), hidden


def _normalised(values: Float[Array, "entries"]) -> Float[Array, "entries"]:
    centred = values - values.mean()
    return centred * jax.lax.rsqrt((centred * centred).mean() + 1e-5)
