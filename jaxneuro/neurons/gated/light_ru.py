"""Light recurrent unit: one gate, and a candidate that sees the input alone."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class LightRUState(eqx.Module):
    """The output, which is all that is kept."""

    hidden: Float[Array, "units"]


class LightRU(Driven[LightRUState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of light recurrent units.

    `g = tanh(W x)`, `f = sigmoid(W x + U h + b)`, each with its own rows of W; `h <- (1 - f) h + f g`.

    Fields (the rows of g before those of f; all quantities dimensionless):
        input_weights: W, `[2 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[units, units]`, orthogonal (Saxe et al. 2014).
        bias: b, `[units]`, 0.

    Parameters: `units (2 inputs + units + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Ye, Zhang, Liu, Li, Chang and Zheng 2024, Electronics 13:3204, section 3.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "units units"] = parameter()
    bias: Float[Array, "units"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("LightRU", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=2)
        self.recurrent_weights = orthogonal(recurrent_key, units)
        self.bias = jnp.zeros(units)

    def init(self, key: PRNGKeyArray) -> LightRUState:
        """Zero."""
        return LightRUState(jnp.zeros_like(self.bias))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x`, and b for the gate."""
        return self.input_weights @ input + jnp.concatenate([jnp.zeros_like(self.bias), self.bias])

    def transition(
        self, state: LightRUState, drive: Float[Array, "gates"]
    ) -> tuple[LightRUState, Float[Array, "units"]]:
        """The gate and the new state."""
        candidate, gate = jnp.split(drive, 2)
        gate = jax.nn.sigmoid(gate + self.recurrent_weights @ state.hidden)
        hidden = (1 - gate) * state.hidden + gate * jnp.tanh(candidate)
        return LightRUState(hidden), hidden
