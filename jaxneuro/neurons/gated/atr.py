"""The addition-subtraction twin-gated recurrent network."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class ATRState(eqx.Module):
    """What the neurons show, which is all they keep."""

    hidden: Float[Array, "units"]


class ATR(Driven[ATRState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "units"]]):
    """A layer of neurons with two gates and no weights of their own for them: one adds, the other subtracts.

    `p = W x`, `q = U h + b`, `i = sigmoid(p + q)`, `f = sigmoid(p - q)`, `h <- i p + f h`.

    Fields (all quantities dimensionless):
        input_weights: W, `[units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[units, units]`, orthogonal (Saxe et al. 2014).
        bias: b, `[units]`, 0. The equations of the paper have none, its authors' code has this one.

    Parameters: `units (inputs + units + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Zhang, Xiong, Su, Lin and Zhang 2018, EMNLP, arXiv:1810.12546, section 3.
    """

    input_weights: Float[Array, "units inputs"] = parameter()
    recurrent_weights: Float[Array, "units units"] = parameter()
    bias: Float[Array, "units"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("ATR", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs)
        self.recurrent_weights = orthogonal(recurrent_key, units)
        self.bias = jnp.zeros(units)

    def init(self, key: PRNGKeyArray) -> ATRState:
        """Zero."""
        return ATRState(jnp.zeros_like(self.bias))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        """`W x`."""
        return self.input_weights @ input

    def transition(self, state: ATRState, drive: Float[Array, "units"]) -> tuple[ATRState, Float[Array, "units"]]:
        """The two gates, the new state."""
        past = self.recurrent_weights @ state.hidden + self.bias
        hidden = jax.nn.sigmoid(drive + past) * drive + jax.nn.sigmoid(drive - past) * state.hidden
        return ATRState(hidden), hidden
