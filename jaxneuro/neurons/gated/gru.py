"""The gated recurrent unit."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class GRUState(eqx.Module):
    """What the neuron shows, which is all it keeps."""

    hidden: Float[Array, "units"]


class GRU(Driven[GRUState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of gated recurrent units.

    `r, z = sigmoid(W x + U h + b)`, `n = tanh(W x + U (r h) + b)`, each with its own rows of W, U and b;
    `h <- z h + (1 - z) n`. With `reset_after`, as in cuDNN and most libraries, the reset gate comes after the product,
    `n = tanh(W x + b + r (U h + d))`, so that all three products are one.

    Fields (the rows of the gates in the order r, z, n; all quantities dimensionless):
        input_weights: W, `[3 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[3 units, units]`, orthogonal for each gate (Saxe et al. 2014).
        bias: b, `[3 units]`, 0.
        recurrent_bias: d, `[units]`, 0; None without `reset_after`.

    Parameters: `3 units (inputs + units + 1)`, and `units` more with `reset_after`. Input `[inputs]`. Output: h,
    `[units]`.

    Reference: Cho et al. 2014, arXiv:1406.1078, eq. 5 to 8, where there are no biases.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    bias: Float[Array, "gates"] = parameter()
    recurrent_bias: Float[Array, "units"] | None = parameter()

    def __init__(self, inputs: int, units: int, *, reset_after: bool = False, key: PRNGKeyArray) -> None:
        check_sizes("GRU", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=3)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=3)
        self.bias = jnp.zeros(3 * units)
        self.recurrent_bias = jnp.zeros(units) if reset_after else None

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.recurrent_weights.shape[-1]

    def init(self, key: PRNGKeyArray) -> GRUState:
        """Zero."""
        return GRUState(jnp.zeros(self.units, self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: GRUState, drive: Float[Array, "gates"]) -> tuple[GRUState, Float[Array, "units"]]:
        """The gates, the candidate, the new output."""
        gates_drive, candidate_drive = jnp.split(drive, [2 * self.units])
        if self.recurrent_bias is None:
            gates_weights, candidate_weights = jnp.split(self.recurrent_weights, [2 * self.units])
            r, z = jnp.split(jax.nn.sigmoid(gates_drive + gates_weights @ state.hidden), 2)
            candidate = jnp.tanh(candidate_drive + candidate_weights @ (r * state.hidden))
        else:
            gates, past = jnp.split(self.recurrent_weights @ state.hidden, [2 * self.units])
            r, z = jnp.split(jax.nn.sigmoid(gates_drive + gates), 2)
            candidate = jnp.tanh(candidate_drive + r * (past + self.recurrent_bias))
        hidden = z * state.hidden + (1 - z) * candidate
        return GRUState(hidden), hidden
