"""Minion recurrent units: gated recurrent units whose gates have become numbers."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, Scalar, parameter


class MiRUState(eqx.Module):
    """What the neurons show, which is all they keep."""

    hidden: Float[Array, "units"]


class MiRU1(Driven[MiRUState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of gated recurrent units with a number in place of the update gate.

    `r = sigmoid(W_r x + U_r h + b_r)`, `g = tanh(W x + U (r h) + b)`, `h <- k h + (1 - k) g`.

    Fields (rows in the order r, g; all quantities dimensionless):
        input_weights: W, `[2 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[2 units, units]`, orthogonal for each (Saxe et al. 2014).
        bias: b, `[2 units]`, 0.
        update_coefficient: k, how much of the state is kept.

    Parameters: `2 units (inputs + units + 1)`, and one number. Input `[inputs]`. Output: h, `[units]`.

    Reference: Zyarah and Kudithipudi 2026, Neurocomputing 673:132847.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    bias: Float[Array, "gates"] = parameter()
    update_coefficient: Scalar = parameter(at_least=0.0, at_most=1.0)

    def __init__(self, inputs: int, units: int, *, update_coefficient: float | Scalar = 0.5, key: PRNGKeyArray) -> None:
        check_sizes("MiRU1", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=2)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=2)
        self.bias = jnp.zeros(2 * units)
        self.update_coefficient = update_coefficient

    def init(self, key: PRNGKeyArray) -> MiRUState:
        """Zero."""
        return MiRUState(jnp.zeros(self.recurrent_weights.shape[-1], self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: MiRUState, drive: Float[Array, "gates"]) -> tuple[MiRUState, Float[Array, "units"]]:
        """The reset gate, the candidate, the mixture."""
        reset_weights, weights = jnp.split(self.recurrent_weights, 2)
        r, g = jnp.split(drive, 2)
        reset = jax.nn.sigmoid(r + reset_weights @ state.hidden)
        candidate = jnp.tanh(g + weights @ (reset * state.hidden))
        hidden = self.update_coefficient * state.hidden + (1.0 - self.update_coefficient) * candidate
        return MiRUState(hidden), hidden


class MiRU2(Driven[MiRUState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "units"]]):
    """A layer of gated recurrent units with numbers in place of both gates.

    `h <- k h + (1 - k) tanh(W x + U (r h) + b)`.

    Fields (all quantities dimensionless):
        input_weights: W, `[units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[units, units]`, orthogonal (Saxe et al. 2014).
        bias: b, `[units]`, 0.
        update_coefficient: k, how much of the state is kept.
        reset_coefficient: r, how much of the state the candidate sees.

    Parameters: `units (inputs + units + 1)`, and two numbers. Input `[inputs]`. Output: h, `[units]`.

    Reference: Zyarah and Kudithipudi 2026, Neurocomputing 673:132847.
    """

    input_weights: Float[Array, "units inputs"] = parameter()
    recurrent_weights: Float[Array, "units units"] = parameter()
    bias: Float[Array, "units"] = parameter()
    update_coefficient: Scalar = parameter(at_least=0.0, at_most=1.0)
    reset_coefficient: Scalar = parameter(at_least=0.0, at_most=1.0)

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        update_coefficient: float | Scalar = 0.5,
        reset_coefficient: float | Scalar = 0.5,
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("MiRU2", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs)
        self.recurrent_weights = orthogonal(recurrent_key, units)
        self.bias = jnp.zeros(units)
        self.update_coefficient, self.reset_coefficient = update_coefficient, reset_coefficient

    def init(self, key: PRNGKeyArray) -> MiRUState:
        """Zero."""
        return MiRUState(jnp.zeros_like(self.bias))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: MiRUState, drive: Float[Array, "units"]) -> tuple[MiRUState, Float[Array, "units"]]:
        """The candidate, the mixture."""
        candidate = jnp.tanh(drive + self.recurrent_weights @ (self.reset_coefficient * state.hidden))
        hidden = self.update_coefficient * state.hidden + (1.0 - self.update_coefficient) * candidate
        return MiRUState(hidden), hidden
