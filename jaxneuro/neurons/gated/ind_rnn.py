"""The independently recurrent neural network."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_choice, check_sizes, glorot
from jaxneuro.machine import Driven, parameter

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh}


class IndRNNState(eqx.Module):
    """What the neurons show, which is all they keep."""

    hidden: Float[Array, "units"]


class IndRNN(Driven[IndRNNState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "units"]]):
    """A layer of neurons each of which hears only itself; layers on top of it bring them together.

    `h <- activation(W x + u h + b)`, u h element by element.

    Fields (all quantities dimensionless):
        input_weights: W, `[units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: u, `[units]`, uniform from 0 to 1: memories of all lengths, none that explodes.
        bias: b, `[units]`, 0.
        activation: `relu`, the paper's choice, or `tanh`.

    Parameters: `units (inputs + 2)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Li, Li, Cook, Zhu and Gao 2018, CVPR, 5457, arXiv:1803.04831.
    """

    input_weights: Float[Array, "units inputs"] = parameter()
    recurrent_weights: Float[Array, "units"] = parameter()
    bias: Float[Array, "units"] = parameter()
    activation: Literal["relu", "tanh"] = eqx.field(static=True, default="relu")

    def __init__(
        self, inputs: int, units: int, *, activation: Literal["relu", "tanh"] = "relu", key: PRNGKeyArray
    ) -> None:
        check_sizes("IndRNN", inputs=inputs, units=units)
        check_choice("IndRNN", "activation", activation, ACTIVATIONS)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs)
        self.recurrent_weights = jax.random.uniform(recurrent_key, (units,))
        self.bias = jnp.zeros(units)
        self.activation = activation

    def init(self, key: PRNGKeyArray) -> IndRNNState:
        """Zero."""
        return IndRNNState(jnp.zeros_like(self.bias))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: IndRNNState, drive: Float[Array, "units"]) -> tuple[IndRNNState, Float[Array, "units"]]:
        """The new state."""
        hidden = ACTIVATIONS[self.activation](drive + self.recurrent_weights * state.hidden)
        return IndRNNState(hidden), hidden
