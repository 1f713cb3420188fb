"""The light gated recurrent unit."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class LiGRUState(eqx.Module):
    """What the neuron shows, which is all it keeps."""

    hidden: Float[Array, "units"]


class LiGRU(Driven[LiGRUState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of light gated recurrent units: a GRU without reset gate, with a rectifier for tanh.

    `z = sigmoid(W x + U h + b)`, `n = relu(W x + U h + b)`, each with its own rows of W, U and b;
    `h <- z h + (1 - z) n`. The paper normalises W x over the batch, which a trained layer holds in W and b.

    Fields (the rows in the order z, n; all quantities dimensionless):
        input_weights: W, `[2 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[2 units, units]`, orthogonal for each (Saxe et al. 2014), so that h grows by no more
            than the input adds to it.
        bias: b, `[2 units]`, 0.

    Parameters: `2 units (inputs + units + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Ravanelli et al. 2018, IEEE Transactions on Emerging Topics in Computational Intelligence 2:92,
    arXiv:1803.10225.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    bias: Float[Array, "gates"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("LiGRU", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=2)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=2)
        self.bias = jnp.zeros(2 * units)

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.recurrent_weights.shape[-1]

    def init(self, key: PRNGKeyArray) -> LiGRUState:
        """Zero."""
        return LiGRUState(jnp.zeros(self.units, self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: LiGRUState, drive: Float[Array, "gates"]) -> tuple[LiGRUState, Float[Array, "units"]]:
        """The gate, the candidate, the new output."""
        z, n = jnp.split(drive + self.recurrent_weights @ state.hidden, 2)
        update = jax.nn.sigmoid(z)
        hidden = update * state.hidden + (1 - update) * jax.nn.relu(n)
        return LiGRUState(hidden), hidden
