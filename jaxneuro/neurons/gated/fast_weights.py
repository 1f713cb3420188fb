"""Recurrent neurons with fast weights, which attend to their own recent past."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_choice, check_sizes, glorot
from jaxneuro.machine import Driven, Scalar, parameter

LEAST_VARIANCE = 1e-5
ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh}


class FastWeightsState(eqx.Module):
    """The output, and the fast weights that it has not yet been written to."""

    hidden: Float[Array, "units"]
    fast: Float[Array, "units units"]


class FastWeights(Driven[FastWeightsState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "units"]]):
    """A layer of recurrent neurons whose fast weights store their last outputs.

    `A <- decay A + rate h h'`; `z = U h + W x`; `s = f(z)`, then `inner_steps` times `s <- f(gain N(z + A s) + bias)`,
    where N takes off the mean over the neurons and divides by the standard deviation; `h <- s`.

    Fields (all quantities dimensionless):
        input_weights: W, `[units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[units, units]`, the identity times 0.05 (section 4.1).
        gain: `[units]`, 1.
        bias: `[units]`, 0.
        decay: scalar, 0.95, at least 0 and below 1 for a matrix that stays bounded.
        rate: scalar, 0.5, at least 0.
        inner_steps: at least 1.
        activation: f, "relu" or "tanh".

    Parameters: `units (inputs + units + 2) + 2`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Ba, Hinton, Mnih, Leibo and Ionescu 2016, arXiv:1610.06258, section 3, eqs. 1 and 2 and section 3.2; the
    variance has 1e-5 added to it.
    """

    inner_steps: int = eqx.field(static=True)
    activation: Literal["relu", "tanh"] = eqx.field(static=True)
    input_weights: Float[Array, "units inputs"] = parameter()
    recurrent_weights: Float[Array, "units units"] = parameter()
    gain: Float[Array, "units"] = parameter()
    bias: Float[Array, "units"] = parameter()
    decay: Scalar = parameter(0.95, at_least=0.0, at_most=1.0)
    rate: Scalar = parameter(0.5, at_least=0.0)

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        inner_steps: int = 1,
        activation: Literal["relu", "tanh"] = "relu",
        decay: float = 0.95,
        rate: float = 0.5,
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("FastWeights", inputs=inputs, units=units, inner_steps=inner_steps)
        check_choice("FastWeights", "activation", activation, ACTIVATIONS)
        self.input_weights = glorot(key, units, inputs)
        self.recurrent_weights = 0.05 * jnp.eye(units)
        self.gain = jnp.ones(units)
        self.bias = jnp.zeros(units)
        self.decay = decay
        self.rate = rate
        self.inner_steps = inner_steps
        self.activation = activation

    def init(self, key: PRNGKeyArray) -> FastWeightsState:
        """Zero."""
        units, dtype = self.bias.shape[0], self.bias.dtype
        return FastWeightsState(jnp.zeros(units, dtype), jnp.zeros((units, units), dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        """`W x`."""
        return self.input_weights @ input

    def transition(
        self, state: FastWeightsState, drive: Float[Array, "units"]
    ) -> tuple[FastWeightsState, Float[Array, "units"]]:
        """Stores the last output, then settles."""
        fast = self.decay * state.fast + self.rate * state.hidden[:, None] * state.hidden[None, :]
        sums = drive + self.recurrent_weights @ state.hidden
        activation = ACTIVATIONS[self.activation]
        hidden = activation(sums)
        for _ in range(self.inner_steps):
            hidden = activation(self.gain * _normalised(sums + fast @ hidden) + self.bias)
        return FastWeightsState(hidden, fast), hidden


def _normalised(sums: Float[Array, "units"]) -> Float[Array, "units"]:
    centred = sums - sums.mean()
    return centred * jax.lax.rsqrt((centred * centred).mean() + LEAST_VARIANCE)
