"""The simple recurrent neuron."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_choice, check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter

ACTIVATIONS = {"tanh": jnp.tanh, "relu": jax.nn.relu}


class RNNState(eqx.Module):
    """What the neuron shows, which is all it keeps."""

    hidden: Float[Array, "units"]


class RNN(Driven[RNNState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "units"]]):
    """A layer of simple recurrent neurons.

    `h <- act(W x + U h + b)`, where act is tanh or `relu(z) = max(z, 0)`.

    Fields (all quantities dimensionless):
        input_weights: W, `[units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[units, units]`, orthogonal (Saxe et al. 2014).
        bias: b, `[units]`, 0.
        activation: act, "tanh" or "relu".

    With `identity` the layer starts by remembering: U is the identity and W is normal of standard deviation 0.001. With
    relu this is the IRNN (Le, Jaitly and Hinton 2015, arXiv:1504.00941).

    Parameters: `units (inputs + units + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Elman 1990, Cognitive Science 14:179, where act is the logistic function.
    """

    activation: Literal["tanh", "relu"] = eqx.field(static=True)
    input_weights: Float[Array, "units inputs"] = parameter()
    recurrent_weights: Float[Array, "units units"] = parameter()
    bias: Float[Array, "units"] = parameter()

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        activation: Literal["tanh", "relu"] = "tanh",
        identity: bool = False,
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("RNN", inputs=inputs, units=units)
        check_choice("RNN", "activation", activation, ACTIVATIONS)
        input_key, recurrent_key = jax.random.split(key)
        if identity:
            self.input_weights = 0.001 * jax.random.normal(input_key, (units, inputs))
            self.recurrent_weights = jnp.eye(units)
        else:
            self.input_weights = glorot(input_key, units, inputs)
            self.recurrent_weights = orthogonal(recurrent_key, units)
        self.bias = jnp.zeros(units)
        self.activation = activation

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.recurrent_weights.shape[-1]

    def init(self, key: PRNGKeyArray) -> RNNState:
        """Zero."""
        return RNNState(jnp.zeros(self.units, self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: RNNState, drive: Float[Array, "units"]) -> tuple[RNNState, Float[Array, "units"]]:
        """The new output."""
        hidden = ACTIVATIONS[self.activation](drive + self.recurrent_weights @ state.hidden)
        return RNNState(hidden), hidden
