"""Nested long short-term memory."""

import dataclasses
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_choice, check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, StateMachine, parameter


class NestedLSTMState(eqx.Module):
    """What the neuron shows (`hidden`), and the state of the machine inside it, whose own `hidden` is the cell."""

    hidden: Float[Array, "units"]
    inner: Any


class NestedLSTM(Driven[NestedLSTMState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of LSTM neurons whose memory cell is itself a machine, such as an LSTM.

    `i, f, o = sigmoid(W x + U h + b)`, `g = W x + U h + b` or its tanh, each with its own rows of W, U and b. Where an
    LSTM adds, `c <- f c + i g`, the inner machine takes a step: its output of the last step is replaced by `f c`, its
    input is `i g`, and its new output is the new c; `h <- o tanh(c)`. With an LSTM inside the depth is 2, with a Nested
    LSTM inside more. The inner machine is one from `[units]` to `[units]` whose state has its output in a field
    `hidden`: `NestedLSTM(inputs, units, LSTM(units, units, key=k1), key=k2)`.

    Fields (the rows of the gates in the order i, f, g, o; all quantities dimensionless):
        input_weights: W, `[4 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[4 units, units]`, orthogonal for each gate (Saxe et al. 2014).
        bias: b, `[4 units]`, 0, and 1 for the forget gate, as in an LSTM.
        inner: the machine that keeps the memory.
        candidate: "linear", for the outermost machine, or "tanh", for one inside another.

    Parameters: `4 units (inputs + units + 1)` and those of the inner machine: of LSTMs to depth d,
    `4 units (inputs + units + 1) + (d - 1) 4 units (2 units + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Moniz and Krueger 2017, Nested LSTMs, Proceedings of Machine Learning Research 77:530, arXiv:1801.10308.
    """

    inner: StateMachine[Any, Float[Array, "units"], Float[Array, "units"]]
    candidate: Literal["linear", "tanh"] = eqx.field(static=True)
    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    bias: Float[Array, "gates"] = parameter()

    def __init__(
        self,
        inputs: int,
        units: int,
        inner: StateMachine[Any, Float[Array, "units"], Float[Array, "units"]],
        *,
        candidate: Literal["linear", "tanh"] = "linear",
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("NestedLSTM", inputs=inputs, units=units)
        check_choice("NestedLSTM", "candidate", candidate, ("linear", "tanh"))
        _check_inner(inner, units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=4)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=4)
        self.bias = jnp.zeros((4, units)).at[1].set(1).reshape(4 * units)
        self.inner = inner
        self.candidate = candidate

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.recurrent_weights.shape[-1]

    def init(self, key: PRNGKeyArray) -> NestedLSTMState:
        """Zero, around what the inner machine starts with."""
        return NestedLSTMState(jnp.zeros(self.units, self.bias.dtype), self.inner.init(key))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(
        self, state: NestedLSTMState, drive: Float[Array, "gates"]
    ) -> tuple[NestedLSTMState, Float[Array, "units"]]:
        """The gates, the step of the inner machine, the new output."""
        i, f, g, o = jnp.split(drive + self.recurrent_weights @ state.hidden, 4)
        candidate = jnp.tanh(g) if self.candidate == "tanh" else g
        kept = dataclasses.replace(state.inner, hidden=jax.nn.sigmoid(f) * state.inner.hidden)
        inner, cell = self.inner.step(kept, jax.nn.sigmoid(i) * candidate)
        hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
        return NestedLSTMState(hidden, inner), hidden


def _check_inner(inner: StateMachine[Any, Any, Any], units: int) -> None:
    """Refuse a machine that is not one from `[units]` to `[units]` with its output in its state, without running it."""
    name = type(inner).__name__
    wanted = (
        f"it must go from [{units}] to [{units}] and keep its output in a field `hidden` of its state, such as "
        f"NestedLSTM(inputs, {units}, LSTM({units}, {units}, key=...), key=...)"
    )
    state = jax.eval_shape(lambda: inner.init(jax.random.key(0)))
    hidden = getattr(state, "hidden", None)
    if hidden is None:
        raise ValueError(f"NestedLSTM got inner={name}, whose state has no field `hidden`; {wanted}.")
    if hidden.shape != (units,):
        raise ValueError(f"NestedLSTM got inner={name} with hidden of shape {list(hidden.shape)}; {wanted}.")
    try:
        output = jax.eval_shape(lambda state: inner.step(state, jnp.zeros(units, hidden.dtype))[1], state)
    except (TypeError, ValueError) as error:
        raise ValueError(f"NestedLSTM got inner={name}, which takes no input of shape [{units}]; {wanted}.") from error
    shape = getattr(output, "shape", None)
    if shape != hidden.shape:
        raise ValueError(f"NestedLSTM got inner={name} with another output than its hidden; {wanted}.")
