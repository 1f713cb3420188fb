"""The stackable recurrent cell."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class STARState(eqx.Module):
    """What the neurons show, which is all they keep."""

    hidden: Float[Array, "units"]


class STAR(Driven[STARState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "rows"]]):
    """A layer of neurons made to be stacked: gradients keep their size from layer to layer.

    `z = tanh(W_z x + b_z)`, `k = sigmoid(W_k x + U h + b_k)`, `h <- tanh((1 - k) h + k z)`.

    Fields (rows in the order z, k; all quantities dimensionless):
        input_weights: W, `[2 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[units, units]`, orthogonal (Saxe et al. 2014).
        bias: b, `[2 units]`, 0 for z and -1 for k: a neuron that starts by remembering.

    Parameters: `units (2 inputs + units + 2)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Turkoglu, D'Aronco, Wegner and Schindler 2021, IEEE TPAMI, doi:10.1109/TPAMI.2021.3064878,
    arXiv:1911.11033.
    """

    input_weights: Float[Array, "rows inputs"] = parameter()
    recurrent_weights: Float[Array, "units units"] = parameter()
    bias: Float[Array, "rows"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("STAR", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=2)
        self.recurrent_weights = orthogonal(recurrent_key, units)
        self.bias = jnp.repeat(jnp.array([0.0, -1.0]), units)

    def init(self, key: PRNGKeyArray) -> STARState:
        """Zero."""
        return STARState(jnp.zeros(self.recurrent_weights.shape[-1], self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "rows"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: STARState, drive: Float[Array, "rows"]) -> tuple[STARState, Float[Array, "units"]]:
        """The gate, the new state."""
        z, k = jnp.split(drive, 2)
        gate = jax.nn.sigmoid(k + self.recurrent_weights @ state.hidden)
        hidden = jnp.tanh((1.0 - gate) * state.hidden + gate * jnp.tanh(z))
        return STARState(hidden), hidden
