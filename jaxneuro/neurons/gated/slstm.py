"""Long short-term memory with exponential gates and a scalar memory."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter

# The logarithm of nothing, finite so that every state is.
NOTHING = -1e30


class SLSTMState(eqx.Module):
    """What the neuron shows (`hidden`), and what it keeps.

    `cell` is a weighted sum, `normaliser` the sum of its weights, `stabiliser` the logarithm of the scale of both.
    """

    hidden: Float[Array, "units"]
    cell: Float[Array, "units"]
    normaliser: Float[Array, "units"]
    stabiliser: Float[Array, "units"]


class SLSTM(Driven[SLSTMState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of sLSTM neurons: the input gate is an exponential, and the memory is divided by the sum of all weights.

    `i = exp(W x + R h + b)`, `f, o = sigmoid(W x + R h + b)`, `z = tanh(W x + R h + b)`, each with its own rows;
    `c <- f c + i z`, `n <- f n + i`, `h <- o c / n`. So that no exponential overflows, c and n are kept divided by
    `exp(m)`, where `m <- max(log f + m, log i)`; that changes no output. At first m is -1e30 and c and n are 0, so that
    the first step has `m = log i` and `n = 1`. R joins the neurons of one head; heads see each other in the next layer.

    Fields (the rows in the order i, f, z, o; all quantities dimensionless):
        input_weights: W, `[4 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: R, `[heads, 4 units / heads, units / heads]`, orthogonal for each gate of each head.
        bias: b, `[4 units]`, 0, and evenly spread from 3 to 6 over the forget gates of each head, as in an
            initialisation of the authors' code.

    Parameters: `4 units (inputs + units / heads + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Beck et al. 2024, xLSTM: extended long short-term memory, arXiv:2405.04517, section 2.2, with the sigmoid
    for the forget gate.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "heads rows columns"] = parameter()
    bias: Float[Array, "gates"] = parameter()

    def __init__(self, inputs: int, units: int, *, heads: int = 1, key: PRNGKeyArray) -> None:
        check_sizes("SLSTM", inputs=inputs, units=units, heads=heads)
        if units % heads:
            raise ValueError(f"SLSTM got units={units}, heads={heads}; units must be a multiple of heads.")
        input_key, recurrent_key = jax.random.split(key)
        size = units // heads
        self.input_weights = glorot(input_key, units, inputs, gates=4)
        self.recurrent_weights = orthogonal(recurrent_key, size, gates=4 * heads).reshape(heads, 4 * size, size)
        forget = jnp.tile(jnp.linspace(3.0, 6.0, size), heads)
        self.bias = jnp.zeros((4, units)).at[1].set(forget).reshape(4 * units)

    @property
    def units(self) -> int:
        """Number of neurons."""
        heads, _, size = self.recurrent_weights.shape
        return heads * size

    def init(self, key: PRNGKeyArray) -> SLSTMState:
        """Zero, and the stabiliser the logarithm of nothing."""
        zero = jnp.zeros(self.units, self.bias.dtype)
        return SLSTMState(zero, zero, zero, jnp.full_like(zero, NOTHING))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: SLSTMState, drive: Float[Array, "gates"]) -> tuple[SLSTMState, Float[Array, "units"]]:
        """The gates, the new memory, the new output."""
        heads, _, size = self.recurrent_weights.shape
        recurrent = jnp.einsum("hij,hj->hi", self.recurrent_weights, state.hidden.reshape(heads, size))
        recurrent = recurrent.reshape(heads, 4, size).swapaxes(0, 1).reshape(4, self.units)
        log_input, f, z, o = drive.reshape(4, self.units) + recurrent
        log_kept = jax.nn.log_sigmoid(f) + state.stabiliser
        stabiliser = jnp.maximum(log_kept, log_input)
        forget, write = jnp.exp(log_kept - stabiliser), jnp.exp(log_input - stabiliser)
        cell = forget * state.cell + write * jnp.tanh(z)
        normaliser = forget * state.normaliser + write
        hidden = jax.nn.sigmoid(o) * cell / normaliser
        return SLSTMState(hidden, cell, normaliser, stabiliser), hidden
