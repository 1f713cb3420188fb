"""Long short-term memory with exponential gates and a matrix memory."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot
from jaxneuro.machine import Driven, parameter

# The logarithm of nothing, finite so that every state is.
NOTHING = -1e30


class MLSTMState(eqx.Module):
    """What each head keeps.

    `memory` is a sum of outer products, `normaliser` the sum of their keys, `stabiliser` the logarithm of the scale of
    both.
    """

    memory: Float[Array, "heads size size"]
    normaliser: Float[Array, "heads size"]
    stabiliser: Float[Array, "heads"]


class MLSTMDrive(eqx.Module):
    """What a step needs, all from the input alone."""

    query: Float[Array, "heads size"]
    key: Float[Array, "heads size"]
    value: Float[Array, "heads size"]
    output: Float[Array, "units"]
    log_input: Float[Array, "heads"]
    log_forget: Float[Array, "heads"]


class MLSTM(Driven[MLSTMState, Float[Array, "inputs"], Float[Array, "units"], MLSTMDrive]):
    """A layer of mLSTM heads: each writes values under keys into a matrix, and reads it with a query.

    `q, v = W x + b`, `k = (W x + b) / sqrt(d)`, d = units / heads, `o = sigmoid(W x + b)`, each with its own rows of W
    and b; one `i = exp(W_g x + b_g)` and one `f = sigmoid(W_g x + b_g)` for each head. `C <- f C + i v k'`,
    `n <- f n + i k`, `h = o (C q) / max(|n' q|, 1)`. So that no exponential overflows, C and n are kept divided by
    `exp(m)`, where `m <- max(log f + m, log i)`; that changes no output. At first m is -1e30 and C and n are 0, so that
    the first step has `m = log i`. No gate sees the past.

    Fields (the rows in the order q, k, v, o, and i, f; all quantities dimensionless):
        input_weights: W, `[4 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        bias: b, `[4 units]`, 0.
        gate_weights: W_g, `[2 heads, inputs]`, 0, as in the authors' code: the gates start as constants.
        gate_bias: b_g, `[2 heads]`, normal of standard deviation 0.1 for i, and evenly spread from 3 to 6 over the
            heads for f, as in the authors' code.

    Parameters: `4 units (inputs + 1) + 2 heads (inputs + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Beck et al. 2024, xLSTM: extended long short-term memory, arXiv:2405.04517, section 2.3, with the sigmoid
    for the forget gate.
    """

    input_weights: Float[Array, "rows inputs"] = parameter()
    bias: Float[Array, "rows"] = parameter()
    gate_weights: Float[Array, "gates inputs"] = parameter()
    gate_bias: Float[Array, "gates"] = parameter()

    def __init__(self, inputs: int, units: int, *, heads: int = 1, key: PRNGKeyArray) -> None:
        check_sizes("MLSTM", inputs=inputs, units=units, heads=heads)
        if units % heads:
            raise ValueError(f"MLSTM got units={units}, heads={heads}; units must be a multiple of heads.")
        input_key, gate_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=4)
        self.bias = jnp.zeros(4 * units)
        self.gate_weights = jnp.zeros((2 * heads, inputs))
        self.gate_bias = jnp.concatenate([0.1 * jax.random.normal(gate_key, (heads,)), jnp.linspace(3.0, 6.0, heads)])

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.input_weights.shape[0] // 4

    @property
    def heads(self) -> int:
        """Number of heads."""
        return self.gate_weights.shape[0] // 2

    def init(self, key: PRNGKeyArray) -> MLSTMState:
        """Zero, and the stabiliser the logarithm of nothing."""
        size = self.units // self.heads
        zero = jnp.zeros((self.heads, size, size), self.bias.dtype)
        return MLSTMState(zero, zero[:, 0], jnp.full_like(zero[:, 0, 0], NOTHING))

    def drive(self, input: Float[Array, "inputs"]) -> MLSTMDrive:
        """Query, key, value, and the gates."""
        rows = jnp.split(self.input_weights @ input + self.bias, 4)
        query, key, value = (row.reshape(self.heads, -1) for row in rows[:3])
        log_input, f = jnp.split(self.gate_weights @ input + self.gate_bias, 2)
        scaled = key / (self.units // self.heads) ** 0.5
        return MLSTMDrive(query, scaled, value, jax.nn.sigmoid(rows[3]), log_input, jax.nn.log_sigmoid(f))

    def transition(self, state: MLSTMState, drive: MLSTMDrive) -> tuple[MLSTMState, Float[Array, "units"]]:
        """The new memory, and what the query reads from it."""
        log_kept = drive.log_forget + state.stabiliser
        stabiliser = jnp.maximum(log_kept, drive.log_input)
        forget, write = jnp.exp(log_kept - stabiliser)[:, None], jnp.exp(drive.log_input - stabiliser)[:, None]
        written = (write * drive.value)[:, :, None] * drive.key[:, None, :]
        memory = forget[:, :, None] * state.memory + written
        normaliser = forget * state.normaliser + write * drive.key
        # `C q / max(|n' q|, 1)` of the true C and n, above and below divided by what keeps both exponentials below 1,
        # and the divisor so far from 0 that its inverse square is a number in single precision.
        scale = jnp.exp(jnp.minimum(stabiliser, 0.0))[:, None]
        least = jnp.exp(-jnp.clip(stabiliser, 0.0, 40.0))[:, None]
        read = jnp.einsum("hij,hj->hi", memory, drive.query) * scale
        weight = jnp.einsum("hi,hi->h", normaliser, drive.query)[:, None] * scale
        hidden = drive.output * (read / jnp.maximum(jnp.abs(weight), least)).reshape(self.units)
        return MLSTMState(memory, normaliser, stabiliser), hidden
