"""LSTM with a shortcut from its input to its output."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class ResidualLSTMState(eqx.Module):
    """What the neuron shows (`hidden`) and what it keeps (`cell`)."""

    hidden: Float[Array, "units"]
    cell: Float[Array, "units"]


class ResidualDrive(eqx.Module):
    """What the input gives to the gates, and what it adds to the output."""

    sums: Float[Array, "gates"]
    shortcut: Float[Array, "units"]


class ResidualLSTM(Driven[ResidualLSTMState, Float[Array, "inputs"], Float[Array, "units"], ResidualDrive]):
    """A layer of LSTM neurons whose output gate lets the input itself through too.

    `i, f = sigmoid(W x + U h + p c + b)`, `g = tanh(W x + U h + b)`, each with its own rows of W, U, p and b;
    `c <- f c + i g`; with the new c, `o = sigmoid(W x + U h + p c + b)`, `h <- o (P tanh(c) + Q x)`. A layer with as
    many neurons as inputs has no Q: x itself is added.

    Fields (the rows of the gates in the order i, f, g, o, of p in the order i, f, o; all quantities dimensionless):
        input_weights: W, `[4 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[4 units, units]`, orthogonal for each gate (Saxe et al. 2014).
        bias: b, `[4 units]`, 0, and 1 for the forget gate (Jozefowicz et al. 2015).
        peephole: p, `[3 units]`, 0.
        projection_weights: P, `[units, units]`, orthogonal.
        shortcut_weights: Q, `[units, inputs]`, as W, or None.

    Parameters: `4 units (inputs + units + 1) + 3 units + units^2`, and `units inputs` for Q. Input `[inputs]`. Output:
    h, `[units]`.

    Reference: Kim, El-Khamy and Lee 2017, arXiv:1701.03360, section 3.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    bias: Float[Array, "gates"] = parameter()
    peephole: Float[Array, "peepholes"] = parameter()
    projection_weights: Float[Array, "units units"] = parameter()
    shortcut_weights: Float[Array, "units inputs"] | None = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("ResidualLSTM", inputs=inputs, units=units)
        keys = jax.random.split(key, 4)
        self.input_weights = glorot(keys[0], units, inputs, gates=4)
        self.recurrent_weights = orthogonal(keys[1], units, gates=4)
        self.bias = jnp.zeros((4, units)).at[1].set(1).reshape(4 * units)
        self.peephole = jnp.zeros(3 * units)
        self.projection_weights = orthogonal(keys[2], units)
        self.shortcut_weights = None if inputs == units else glorot(keys[3], units, inputs)

    def init(self, key: PRNGKeyArray) -> ResidualLSTMState:
        """Zero."""
        zero = jnp.zeros(self.recurrent_weights.shape[-1], self.bias.dtype)
        return ResidualLSTMState(zero, zero)

    def drive(self, input: Float[Array, "inputs"]) -> ResidualDrive:
        """`W x + b` and `Q x`."""
        shortcut = input if self.shortcut_weights is None else self.shortcut_weights @ input
        return ResidualDrive(self.input_weights @ input + self.bias, shortcut)

    def transition(
        self, state: ResidualLSTMState, drive: ResidualDrive
    ) -> tuple[ResidualLSTMState, Float[Array, "units"]]:
        """The gates, the new cell, the new output."""
        i, f, g, o = jnp.split(drive.sums + self.recurrent_weights @ state.hidden, 4)
        p_i, p_f, p_o = jnp.split(self.peephole, 3)
        cell = jax.nn.sigmoid(f + p_f * state.cell) * state.cell
        cell = cell + jax.nn.sigmoid(i + p_i * state.cell) * jnp.tanh(g)
        output = self.projection_weights @ jnp.tanh(cell) + drive.shortcut
        hidden = jax.nn.sigmoid(o + p_o * cell) * output
        return ResidualLSTMState(hidden, cell), hidden
