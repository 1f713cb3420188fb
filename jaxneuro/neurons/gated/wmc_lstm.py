"""LSTM whose gates see the memory, through a squashing function."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class WMCLSTMState(eqx.Module):
    """What the neuron shows (`hidden`) and what it keeps (`cell`)."""

    hidden: Float[Array, "units"]
    cell: Float[Array, "units"]


class WMCLSTM(Driven[WMCLSTMState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of LSTM neurons with working memory connections from the cells to the gates.

    `i, f = sigmoid(W x + U h + tanh(V c) + b)`, `g = tanh(W x + U h + b)`, each with its own rows of W, U, V and b;
    `c <- f c + i g`; with the new c, `o = sigmoid(W x + U h + tanh(V c) + b)`, `h <- o tanh(c)`.

    Fields (the rows of the gates in the order i, f, g, o, of V in the order i, f, o; all quantities dimensionless):
        input_weights: W, `[4 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[4 units, units]`, orthogonal for each gate (Saxe et al. 2014).
        cell_weights: V, `[3 units, units]`, orthogonal for each gate.
        bias: b, `[4 units]`, 0, and 1 for the forget gate (Jozefowicz et al. 2015).

    Parameters: `4 units (inputs + units + 1) + 3 units^2`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Landi, Baraldi, Cornia and Cucchiara 2021, arXiv:2109.00020, section 3.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    cell_weights: Float[Array, "gates units"] = parameter()
    bias: Float[Array, "gates"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("WMCLSTM", inputs=inputs, units=units)
        keys = jax.random.split(key, 3)
        self.input_weights = glorot(keys[0], units, inputs, gates=4)
        self.recurrent_weights = orthogonal(keys[1], units, gates=4)
        self.cell_weights = orthogonal(keys[2], units, gates=3)
        self.bias = jnp.zeros((4, units)).at[1].set(1).reshape(4 * units)

    def init(self, key: PRNGKeyArray) -> WMCLSTMState:
        """Zero."""
        zero = jnp.zeros(self.recurrent_weights.shape[-1], self.bias.dtype)
        return WMCLSTMState(zero, zero)

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(
        self, state: WMCLSTMState, drive: Float[Array, "gates"]
    ) -> tuple[WMCLSTMState, Float[Array, "units"]]:
        """The gates, the new cell, the new output."""
        units = state.cell.shape[0]
        i, f, g, o = jnp.split(drive + self.recurrent_weights @ state.hidden, 4)
        seen_i, seen_f = jnp.split(jnp.tanh(self.cell_weights[: 2 * units] @ state.cell), 2)
        cell = jax.nn.sigmoid(f + seen_f) * state.cell + jax.nn.sigmoid(i + seen_i) * jnp.tanh(g)
        seen_o = jnp.tanh(self.cell_weights[2 * units :] @ cell)
        hidden = jax.nn.sigmoid(o + seen_o) * jnp.tanh(cell)
        return WMCLSTMState(hidden, cell), hidden
