"""The simple gated recurrent network."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class SGRNState(eqx.Module):
    """What the neurons show, which is all they keep."""

    hidden: Float[Array, "units"]


class SGRN(Driven[SGRNState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "units"]]):
    """A layer of neurons whose one gate shares the input weights with what it gates.

    `p = W x + b_p`, `f = sigmoid(p + U h + b_f)`, `h <- tanh((1 - f) p + f h)`.

    Fields (all quantities dimensionless):
        input_weights: W, `[units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[units, units]`, orthogonal (Saxe et al. 2014).
        bias: first b_p, then b_f, `[2 units]`, 0.

    Parameters: `units (inputs + units + 2)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Zu and Wei 2021, IET Generation, Transmission and Distribution 15:751.
    """

    input_weights: Float[Array, "units inputs"] = parameter()
    recurrent_weights: Float[Array, "units units"] = parameter()
    bias: Float[Array, "rows"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("SGRN", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs)
        self.recurrent_weights = orthogonal(recurrent_key, units)
        self.bias = jnp.zeros(2 * units)

    def init(self, key: PRNGKeyArray) -> SGRNState:
        """Zero."""
        return SGRNState(jnp.zeros(self.recurrent_weights.shape[-1], self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        """`W x + b_p`."""
        return self.input_weights @ input + jnp.split(self.bias, 2)[0]

    def transition(self, state: SGRNState, drive: Float[Array, "units"]) -> tuple[SGRNState, Float[Array, "units"]]:
        """The gate, the new state."""
        keep = jax.nn.sigmoid(drive + self.recurrent_weights @ state.hidden + jnp.split(self.bias, 2)[1])
        hidden = jnp.tanh((1.0 - keep) * drive + keep * state.hidden)
        return SGRNState(hidden), hidden
