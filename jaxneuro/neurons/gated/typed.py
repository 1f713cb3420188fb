"""Strongly typed recurrent neurons: no matrix mixes the state of one moment with the state of another."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot
from jaxneuro.machine import Affine, Driven, parameter


class TRNNState(eqx.Module):
    """The output, which is also all that is kept."""

    hidden: Float[Array, "units"]


class TGRUState(eqx.Module):
    """The output, and the last input."""

    hidden: Float[Array, "units"]
    previous: Float[Array, "inputs"]


class TLSTMState(eqx.Module):
    """What the neuron shows, what it keeps, and the last input."""

    hidden: Float[Array, "units"]
    cell: Float[Array, "units"]
    previous: Float[Array, "inputs"]


class TypedDrive(eqx.Module):
    """The input, to be kept, and what it gives to the gates."""

    input: Float[Array, "inputs"]
    sums: Float[Array, "gates"]


class TRNN(Affine[TRNNState, Float[Array, "inputs"], Float[Array, "units"]]):
    """A layer of strongly typed recurrent neurons: a running average of features, forgotten as the input says.

    `z = W x`, `f = sigmoid(W x + b)`, each with its own rows of W; `h <- f h + (1 - f) z`.

    Fields (the rows of z before those of f; all quantities dimensionless):
        input_weights: W, `[2 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        bias: b, `[units]`, 1, so that it starts by remembering, as in an LSTM.

    Parameters: `units (2 inputs + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Balduzzi and Ghifary 2016, arXiv:1602.02218, section 3; z has no bias there.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    bias: Float[Array, "units"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("TRNN", inputs=inputs, units=units)
        self.input_weights = glorot(key, units, inputs, gates=2)
        self.bias = jnp.ones(units)

    def init(self, key: PRNGKeyArray) -> TRNNState:
        """Zero."""
        return TRNNState(jnp.zeros_like(self.bias))

    def affine(self, input: Float[Array, "inputs"]) -> tuple[TRNNState, TRNNState]:
        """`f` and `(1 - f) z`."""
        feature, forget = jnp.split(self.input_weights @ input, 2)
        forget = jax.nn.sigmoid(forget + self.bias)
        return TRNNState(forget), TRNNState((1 - forget) * feature)

    def read(self, state: TRNNState, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        """The state."""
        return state.hidden


class TGRU(Driven[TGRUState, Float[Array, "inputs"], Float[Array, "units"], TypedDrive]):
    """A layer of strongly typed gated neurons, whose gates see this input and the last, but no state.

    With x the input and x' the one before, `z = W x + V x' + b`, `f = sigmoid(W x + V x' + b)`,
    `o = tanh(W x + V x' + b)`, each with its own rows of W, V and b; `h <- f h + z o`.

    Fields (the rows in the order z, f, o; all quantities dimensionless):
        input_weights: W, `[3 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        previous_weights: V, `[3 units, inputs]`, likewise.
        bias: b, `[3 units]`, 0, and 1 for f, so that it starts by remembering.

    Parameters: `3 units (2 inputs + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Balduzzi and Ghifary 2016, arXiv:1602.02218, section 3.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    previous_weights: Float[Array, "gates inputs"] = parameter()
    bias: Float[Array, "gates"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("TGRU", inputs=inputs, units=units)
        self.input_weights, self.previous_weights, self.bias = _weights(key, inputs, units)

    def init(self, key: PRNGKeyArray) -> TGRUState:
        """Zero: before the first input there was silence."""
        zero = jnp.zeros(self.bias.shape[0] // 3, self.bias.dtype)
        return TGRUState(zero, jnp.zeros(self.input_weights.shape[-1], self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> TypedDrive:
        """`W x + b`."""
        return TypedDrive(input, self.input_weights @ input + self.bias)

    def transition(self, state: TGRUState, drive: TypedDrive) -> tuple[TGRUState, Float[Array, "units"]]:
        """The gates and the new state."""
        z, f, o = jnp.split(drive.sums + self.previous_weights @ state.previous, 3)
        hidden = jax.nn.sigmoid(f) * state.hidden + z * jnp.tanh(o)
        return TGRUState(hidden, drive.input), hidden


class TLSTM(Driven[TLSTMState, Float[Array, "inputs"], Float[Array, "units"], TypedDrive]):
    """A layer of strongly typed LSTM neurons, whose gates see this input and the last, but no state.

    With x the input and x' the one before, `z = W x + V x' + b`, `f = sigmoid(W x + V x' + b)`,
    `o = tanh(W x + V x' + b)`, each with its own rows of W, V and b; `c <- f c + (1 - f) z`, `h <- c o`.

    Fields (the rows in the order z, f, o; all quantities dimensionless):
        input_weights: W, `[3 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        previous_weights: V, `[3 units, inputs]`, likewise.
        bias: b, `[3 units]`, 0, and 1 for f, so that it starts by remembering.

    Parameters: `3 units (2 inputs + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Balduzzi and Ghifary 2016, arXiv:1602.02218, section 3.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    previous_weights: Float[Array, "gates inputs"] = parameter()
    bias: Float[Array, "gates"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("TLSTM", inputs=inputs, units=units)
        self.input_weights, self.previous_weights, self.bias = _weights(key, inputs, units)

    def init(self, key: PRNGKeyArray) -> TLSTMState:
        """Zero: before the first input there was silence."""
        zero = jnp.zeros(self.bias.shape[0] // 3, self.bias.dtype)
        return TLSTMState(zero, zero, jnp.zeros(self.input_weights.shape[-1], self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> TypedDrive:
        """`W x + b`."""
        return TypedDrive(input, self.input_weights @ input + self.bias)

    def transition(self, state: TLSTMState, drive: TypedDrive) -> tuple[TLSTMState, Float[Array, "units"]]:
        """The gates, the new cell, the new output."""
        z, f, o = jnp.split(drive.sums + self.previous_weights @ state.previous, 3)
        forget = jax.nn.sigmoid(f)
        cell = forget * state.cell + (1 - forget) * z
        hidden = cell * jnp.tanh(o)
        return TLSTMState(hidden, cell, drive.input), hidden


def _weights(
    key: PRNGKeyArray, inputs: int, units: int
) -> tuple[Float[Array, "gates inputs"], Float[Array, "gates inputs"], Float[Array, "gates"]]:
    input_key, previous_key = jax.random.split(key)
    bias = jnp.zeros((3, units)).at[1].set(1).reshape(3 * units)
    return glorot(input_key, units, inputs, gates=3), glorot(previous_key, units, inputs, gates=3), bias
