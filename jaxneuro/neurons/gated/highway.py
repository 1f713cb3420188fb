"""Recurrent highway network: a step of time that is several layers deep."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class RHNState(eqx.Module):
    """The output, which the next step starts from."""

    hidden: Float[Array, "units"]


class RHN(Driven[RHNState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of recurrent highway neurons with coupled gates.

    In each step `s = h`, then for every layer l of the depth `g = tanh(R_l s + b_l)`, `t = sigmoid(R_l s + b_l)`, each
    with its own rows of R and b, and `s <- g t + s (1 - t)`; at last `h <- s`. Only the first layer adds W x.

    Fields (the rows of g before those of t; all quantities dimensionless):
        input_weights: W, `[2 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: R, `[depth, 2 units, units]`, each block orthogonal (Saxe et al. 2014).
        bias: b, `[depth, 2 units]`, 0, and `transform_bias` for t: below 0, so that a layer starts by carrying its
            input on.

    Parameters: `2 units inputs + 2 depth units (units + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Zilly, Srivastava, Koutnik and Schmidhuber 2017, arXiv:1607.03474, section 4.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "depth gates units"] = parameter()
    bias: Float[Array, "depth gates"] = parameter()

    def __init__(
        self, inputs: int, units: int, *, depth: int = 5, transform_bias: float = -2.0, key: PRNGKeyArray
    ) -> None:
        check_sizes("RHN", inputs=inputs, units=units, depth=depth)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=2)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=2 * depth).reshape(depth, 2 * units, units)
        self.bias = jnp.zeros((depth, 2, units)).at[:, 1].set(transform_bias).reshape(depth, 2 * units)

    def init(self, key: PRNGKeyArray) -> RHNState:
        """Zero."""
        return RHNState(jnp.zeros(self.recurrent_weights.shape[-1], self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b` of the first layer."""
        return self.input_weights @ input + self.bias[0]

    def transition(self, state: RHNState, drive: Float[Array, "gates"]) -> tuple[RHNState, Float[Array, "units"]]:
        """All layers."""
        hidden = state.hidden
        for layer in range(len(self.bias)):
            given = self.bias[layer] if layer else drive
            candidate, transform = jnp.split(given + self.recurrent_weights[layer] @ hidden, 2)
            transform = jax.nn.sigmoid(transform)
            hidden = jnp.tanh(candidate) * transform + hidden * (1 - transform)
        return RHNState(hidden), hidden
