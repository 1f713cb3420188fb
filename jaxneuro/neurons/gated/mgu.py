"""The minimal gated unit."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class MGUState(eqx.Module):
    """What the neuron shows, which is all it keeps."""

    hidden: Float[Array, "units"]


class MGU(Driven[MGUState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of minimal gated units: a GRU with one gate for reset and update.

    `f = sigmoid(W x + U h + b)`, `n = tanh(W x + U (f h) + b)`, each with its own rows of W, U and b;
    `h <- (1 - f) h + f n`. With `reset_after`, as in libraries, the gate comes after the product,
    `n = tanh(W x + b + f (U h + d))`, so that both products are one. (Flax's MGUCell has this order, and is another
    machine still: there the gate keeps h, `h <- f h + (1 - f) n`.)

    Fields (the rows in the order f, n; all quantities dimensionless):
        input_weights: W, `[2 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[2 units, units]`, orthogonal for each (Saxe et al. 2014).
        bias: b, `[2 units]`, 0.
        recurrent_bias: d, `[units]`, 0; None without `reset_after`.

    Parameters: `2 units (inputs + units + 1)`, and `units` more with `reset_after`. Input `[inputs]`. Output: h,
    `[units]`.

    Reference: Zhou et al. 2016, International Journal of Automation and Computing 13:226, arXiv:1603.09420.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    bias: Float[Array, "gates"] = parameter()
    recurrent_bias: Float[Array, "units"] | None = parameter()

    def __init__(self, inputs: int, units: int, *, reset_after: bool = False, key: PRNGKeyArray) -> None:
        check_sizes("MGU", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=2)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=2)
        self.bias = jnp.zeros(2 * units)
        self.recurrent_bias = jnp.zeros(units) if reset_after else None

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.recurrent_weights.shape[-1]

    def init(self, key: PRNGKeyArray) -> MGUState:
        """Zero."""
        return MGUState(jnp.zeros(self.units, self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: MGUState, drive: Float[Array, "gates"]) -> tuple[MGUState, Float[Array, "units"]]:
        """The gate, the candidate, the new output."""
        gate_drive, candidate_drive = jnp.split(drive, 2)
        if self.recurrent_bias is None:
            gate_weights, candidate_weights = jnp.split(self.recurrent_weights, 2)
            forget = jax.nn.sigmoid(gate_drive + gate_weights @ state.hidden)
            candidate = jnp.tanh(candidate_drive + candidate_weights @ (forget * state.hidden))
        else:
            gate, past = jnp.split(self.recurrent_weights @ state.hidden, 2)
            forget = jax.nn.sigmoid(gate_drive + gate)
            candidate = jnp.tanh(candidate_drive + forget * (past + self.recurrent_bias))
        hidden = (1 - forget) * state.hidden + forget * candidate
        return MGUState(hidden), hidden
