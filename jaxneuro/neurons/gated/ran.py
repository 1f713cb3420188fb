"""The recurrent additive network."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_choice, check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class RANState(eqx.Module):
    """What the neuron shows (`hidden`) and what it keeps (`cell`)."""

    hidden: Float[Array, "units"]
    cell: Float[Array, "units"]


class RAN(Driven[RANState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of recurrent additive neurons: what they keep is a weighted sum of their inputs.

    `i, f = sigmoid(W x + U h + b)`, `g = W x`, each with its own rows of W; `c <- f c + i g`, `h <- act(c)`, where act
    is tanh or the identity.

    Fields (the rows in the order i, f, and in W then g; all quantities dimensionless):
        input_weights: W, `[3 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[2 units, units]`, orthogonal for each (Saxe et al. 2014).
        bias: b, `[2 units]`, 0.
        activation: act, "tanh" or "identity".

    Parameters: `units (3 inputs + 2 units + 2)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Lee, Levy and Zettlemoyer 2017, Recurrent additive networks, arXiv:1705.07393, section 2.
    """

    activation: Literal["tanh", "identity"] = eqx.field(static=True)
    input_weights: Float[Array, "three_units inputs"] = parameter()
    recurrent_weights: Float[Array, "two_units units"] = parameter()
    bias: Float[Array, "two_units"] = parameter()

    def __init__(
        self, inputs: int, units: int, *, activation: Literal["tanh", "identity"] = "tanh", key: PRNGKeyArray
    ) -> None:
        check_sizes("RAN", inputs=inputs, units=units)
        check_choice("RAN", "activation", activation, ("tanh", "identity"))
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=3)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=2)
        self.bias = jnp.zeros(2 * units)
        self.activation = activation

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.recurrent_weights.shape[-1]

    def init(self, key: PRNGKeyArray) -> RANState:
        """Zero."""
        zero = jnp.zeros(self.units, self.bias.dtype)
        return RANState(zero, zero)

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x`, and b for the gates."""
        return self.input_weights @ input + jnp.pad(self.bias, (0, self.units))

    def transition(self, state: RANState, drive: Float[Array, "gates"]) -> tuple[RANState, Float[Array, "units"]]:
        """The gates, the new cell, the new output."""
        gates_drive, candidate = jnp.split(drive, [2 * self.units])
        i, f = jnp.split(jax.nn.sigmoid(gates_drive + self.recurrent_weights @ state.hidden), 2)
        cell = f * state.cell + i * candidate
        hidden = jnp.tanh(cell) if self.activation == "tanh" else cell
        return RANState(hidden, cell), hidden
