"""The MinimalRNN."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class MinimalState(eqx.Module):
    """What the neurons show, which is all they keep."""

    hidden: Float[Array, "units"]


class MinimalRNN(Driven[MinimalState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "rows"]]):
    """A layer of neurons that mix what they were with an encoding of the input, and do nothing else.

    `z = tanh(W x + b_z)`, `u = sigmoid(U h + V z + b_u)`, `h <- u h + (1 - u) z`.

    Fields (all quantities dimensionless):
        input_weights: W, `[units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[units, units]`, orthogonal (Saxe et al. 2014).
        code_weights: V, `[units, units]`, uniform of variance `1 / units`.
        bias: first b_z, then b_u, `[2 units]`, 0.

    Parameters: `units (inputs + 2 units + 2)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Chen 2017, arXiv:1711.06788, section 2.
    """

    input_weights: Float[Array, "units inputs"] = parameter()
    recurrent_weights: Float[Array, "units units"] = parameter()
    code_weights: Float[Array, "units units"] = parameter()
    bias: Float[Array, "rows"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("MinimalRNN", inputs=inputs, units=units)
        input_key, recurrent_key, code_key = jax.random.split(key, 3)
        self.input_weights = glorot(input_key, units, inputs)
        self.recurrent_weights = orthogonal(recurrent_key, units)
        self.code_weights = glorot(code_key, units, units)
        self.bias = jnp.zeros(2 * units)

    def init(self, key: PRNGKeyArray) -> MinimalState:
        """Zero."""
        return MinimalState(jnp.zeros(self.recurrent_weights.shape[-1], self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "rows"]:
        """The encoding z, and below it `V z + b_u`."""
        b_z, b_u = jnp.split(self.bias, 2)
        code = jnp.tanh(self.input_weights @ input + b_z)
        return jnp.concatenate([code, self.code_weights @ code + b_u])

    def transition(
        self, state: MinimalState, drive: Float[Array, "rows"]
    ) -> tuple[MinimalState, Float[Array, "units"]]:
        """The gate, the mixture."""
        code, gate = jnp.split(drive, 2)
        keep = jax.nn.sigmoid(gate + self.recurrent_weights @ state.hidden)
        hidden = keep * state.hidden + (1.0 - keep) * code
        return MinimalState(hidden), hidden
