"""The chaos-free network."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class CFNState(eqx.Module):
    """What the neurons show, which is all they keep."""

    hidden: Float[Array, "units"]


class CFN(Driven[CFNState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "rows"]]):
    """A layer of neurons that has no chaos: without input every neuron decays to 0, on its own.

    `t, e = sigmoid(W x + U h + b)`, `h <- t tanh(h) + e tanh(W x)`, each with its own rows of W, U and b.

    Fields (rows in the order t, e, candidate; all quantities dimensionless):
        input_weights: W, `[3 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[2 units, units]`, orthogonal for each gate (Saxe et al. 2014).
        bias: b, `[2 units]`, 1 for t and -1 for e. The candidate has none, or the silent neuron would not decay.

    Parameters: `units (3 inputs + 2 units + 2)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Laurent and von Brecht 2017, ICLR, arXiv:1612.06212.
    """

    input_weights: Float[Array, "rows inputs"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    bias: Float[Array, "gates"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("CFN", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=3)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=2)
        self.bias = jnp.repeat(jnp.array([1.0, -1.0]), units)

    def init(self, key: PRNGKeyArray) -> CFNState:
        """Zero."""
        return CFNState(jnp.zeros(self.recurrent_weights.shape[-1], self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "rows"]:
        """`W x`."""
        return self.input_weights @ input

    def transition(self, state: CFNState, drive: Float[Array, "rows"]) -> tuple[CFNState, Float[Array, "units"]]:
        """The two gates, the new state."""
        past_t, past_e = jnp.split(self.recurrent_weights @ state.hidden + self.bias, 2)
        t, e, x = jnp.split(drive, 3)
        hidden = jax.nn.sigmoid(t + past_t) * jnp.tanh(state.hidden) + jax.nn.sigmoid(e + past_e) * jnp.tanh(x)
        return CFNState(hidden), hidden
