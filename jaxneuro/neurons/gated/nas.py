"""The neuron that neural architecture search found."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class NASState(eqx.Module):
    """What the neuron shows (`hidden`) and what it keeps (`cell`)."""

    hidden: Float[Array, "units"]
    cell: Float[Array, "units"]


class NAS(Driven[NASState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of the neurons found by reinforcement learning over trees of eight leaves.

    With `a_k = W x + b + U h`, each with its own rows, and `p_4 = (W x + b) (U h)`:
    `l_1 = tanh(sigmoid(a_1) relu(a_2))`, `l_2 = tanh(sigmoid(a_3) + relu(p_4))`, `l_3 = tanh(tanh(a_5) sigmoid(a_6))`,
    `l_4 = sigmoid(tanh(a_7) + sigmoid(a_8))`; `c <- tanh(l_1 + c) l_2`, `h <- tanh(c tanh(l_3 + l_4))`. In
    torchrecurrent's NASCell the fourth leaf adds, too.

    Fields (the rows in the order of the leaves; all quantities dimensionless):
        input_weights: W, `[8 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[8 units, units]`, orthogonal for each leaf (Saxe et al. 2014).
        bias: b, `[8 units]`, 0; the paper's has none.

    Parameters: `8 units (inputs + units + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Zoph and Le 2017, Neural architecture search with reinforcement learning, arXiv:1611.01578, appendix.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    bias: Float[Array, "gates"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("NAS", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=8)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=8)
        self.bias = jnp.zeros(8 * units)

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.recurrent_weights.shape[-1]

    def init(self, key: PRNGKeyArray) -> NASState:
        """Zero."""
        zero = jnp.zeros(self.units, self.bias.dtype)
        return NASState(zero, zero)

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: NASState, drive: Float[Array, "gates"]) -> tuple[NASState, Float[Array, "units"]]:
        """From the leaves of the tree to its root."""
        recurrent = self.recurrent_weights @ state.hidden
        a1, a2, a3, _, a5, a6, a7, a8 = jnp.split(drive + recurrent, 8)
        p4 = jnp.split(drive, 8)[3] * jnp.split(recurrent, 8)[3]
        # `maximum` has the slope 1/2 at 0, where the fourth leaf is at first, as finite differences have.
        first = jnp.tanh(jax.nn.sigmoid(a1) * jnp.maximum(a2, 0))
        second = jnp.tanh(jax.nn.sigmoid(a3) + jnp.maximum(p4, 0))
        third = jnp.tanh(jnp.tanh(a5) * jax.nn.sigmoid(a6))
        fourth = jax.nn.sigmoid(jnp.tanh(a7) + jax.nn.sigmoid(a8))
        cell = jnp.tanh(first + state.cell) * second
        hidden = jnp.tanh(cell * jnp.tanh(third + fourth))
        return NASState(hidden, cell), hidden
