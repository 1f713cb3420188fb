"""Quasi-recurrent neuron: gates by convolution over time, a state that only they touch."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot
from jaxneuro.machine import StateMachine, parameter


class QRNNState(eqx.Module):
    """The inputs that are still in the window, oldest first, and what the neuron keeps."""

    past: Float[Array, "earlier inputs"]
    cell: Float[Array, "units"]


class QRNN(StateMachine[QRNNState, Float[Array, "inputs"], Float[Array, "units"]]):
    """A layer of quasi-recurrent neurons with fo-pooling.

    With X the last `width` inputs, oldest first: `z = tanh(W X + b)`, `f, o = sigmoid(W X + b)`, each with its own rows
    of W and b; `c <- f c + (1 - f) z`, `h = o c`.

    Fields (the rows in the order z, f, o; all quantities dimensionless):
        input_weights: W, `[3 units, width inputs]`, uniform of variance `2 / (width inputs + units)` (Glorot and Bengio
            2010).
        bias: b, `[3 units]`, 0, and 1 for f, so that it starts by remembering, as in an LSTM.

    Parameters: `3 units (width inputs + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Bradbury, Merity, Xiong and Socher 2017, arXiv:1611.01576, eqs. 1 and 4; the paper has no b.
    """

    width: int = eqx.field(static=True)
    input_weights: Float[Array, "gates window"] = parameter()
    bias: Float[Array, "gates"] = parameter()

    def __init__(self, inputs: int, units: int, *, width: int = 2, key: PRNGKeyArray) -> None:
        check_sizes("QRNN", inputs=inputs, units=units, width=width)
        self.input_weights = glorot(key, units, width * inputs, gates=3)
        self.bias = jnp.zeros((3, units)).at[1].set(1).reshape(3 * units)
        self.width = width

    def init(self, key: PRNGKeyArray) -> QRNNState:
        """Zero: before the first input there was silence."""
        inputs, dtype = self.input_weights.shape[-1] // self.width, self.bias.dtype
        return QRNNState(jnp.zeros((self.width - 1, inputs), dtype), jnp.zeros(self.bias.shape[0] // 3, dtype))

    def step(self, state: QRNNState, input: Float[Array, "inputs"]) -> tuple[QRNNState, Float[Array, "units"]]:
        """The convolution, the gates, the new cell."""
        window = jnp.concatenate([state.past, input[None]])
        z, f, o = jnp.split(self.input_weights @ window.reshape(-1) + self.bias, 3)
        forget = jax.nn.sigmoid(f)
        cell = forget * state.cell + (1 - forget) * jnp.tanh(z)
        return QRNNState(window[1:], cell), jax.nn.sigmoid(o) * cell
