"""Long short-term memory whose gates see the memory."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class PeepholeLSTMState(eqx.Module):
    """What the neuron shows (`hidden`) and what it keeps (`cell`)."""

    hidden: Float[Array, "units"]
    cell: Float[Array, "units"]


class PeepholeLSTM(Driven[PeepholeLSTMState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of LSTM neurons with peepholes: each gate sees the memory of its own neuron.

    `i, f = sigmoid(W x + U h + b + p c)`, `g = tanh(W x + U h + b)`, each with its own rows of W, U, b and p;
    `c <- f c + i g`; then `o = sigmoid(W x + U h + b + p c)` sees the new c, and `h <- o tanh(c)`. This is the form of
    Greff et al. 2017; the first paper leaves out the tanh of c.

    Fields (the rows of the gates in the order i, f, g, o, of the peepholes i, f, o; all quantities dimensionless):
        input_weights: W, `[4 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[4 units, units]`, orthogonal for each gate (Saxe et al. 2014).
        bias: b, `[4 units]`, 0, and 1 for the forget gate, as in an LSTM.
        peephole_weights: p, `[3 units]`, 0: the layer starts as an LSTM.

    Parameters: `4 units (inputs + units + 1) + 3 units`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Gers, Schraudolph and Schmidhuber 2002, Journal of Machine Learning Research 3:115.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    bias: Float[Array, "gates"] = parameter()
    peephole_weights: Float[Array, "peepholes"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("PeepholeLSTM", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=4)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=4)
        self.bias = jnp.zeros((4, units)).at[1].set(1).reshape(4 * units)
        self.peephole_weights = jnp.zeros(3 * units)

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.recurrent_weights.shape[-1]

    def init(self, key: PRNGKeyArray) -> PeepholeLSTMState:
        """Zero."""
        zero = jnp.zeros(self.units, self.bias.dtype)
        return PeepholeLSTMState(zero, zero)

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(
        self, state: PeepholeLSTMState, drive: Float[Array, "gates"]
    ) -> tuple[PeepholeLSTMState, Float[Array, "units"]]:
        """The gates, the new cell, the new output."""
        i, f, g, o = jnp.split(drive + self.recurrent_weights @ state.hidden, 4)
        see_i, see_f, see_o = jnp.split(self.peephole_weights, 3)
        remembered = jax.nn.sigmoid(f + see_f * state.cell) * state.cell
        cell = remembered + jax.nn.sigmoid(i + see_i * state.cell) * jnp.tanh(g)
        hidden = jax.nn.sigmoid(o + see_o * cell) * jnp.tanh(cell)
        return PeepholeLSTMState(hidden, cell), hidden
