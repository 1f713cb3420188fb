"""The recurrent network with any unitary matrix."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, unitary
from jaxneuro.machine import Driven, parameter
from jaxneuro.neurons.complex.activations import as_complex, as_features, mod_relu


class FullUnitaryRNNState(eqx.Module):
    """The complex state."""

    hidden: Complex[Array, "units"]


class FullUnitaryRNN(
    Driven[FullUnitaryRNNState, Float[Array, "inputs"], Float[Array, "features"], Complex[Array, "units"]]
):
    """A layer of complex neurons joined by a full unitary matrix: the uRNN of full capacity.

    `h <- modReLU(W h + V x)`, `modReLU(z) = relu(abs(z) + b) z / abs(z)`. W stays unitary if it is trained by
    `jaxneuro.learning.constrain.unitary`, on the Stiefel manifold.

    Fields (complex ones with a leading axis of real and imaginary part; all quantities dimensionless):
        input_weights: V, `[2, units, inputs]`, each part uniform of variance `2 / (inputs + units)`.
        recurrent_weights: W, `[2, units, units]`, unitary, drawn evenly from all unitary matrices (Haar measure).
        bias: b, `[units]`, 0: the network starts linear.

    Parameters: `2 units (inputs + units) + units`. Input `[inputs]`. Output: real and imaginary parts of h, one behind
    the other, `[2 units]`.

    Reference: Wisdom et al. 2016, arXiv:1611.00035, section 4.
    """

    input_weights: Float[Array, "2 units inputs"] = parameter()
    recurrent_weights: Float[Array, "2 units units"] = parameter()
    bias: Float[Array, "units"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("FullUnitaryRNN", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=2).reshape(2, units, inputs)
        self.recurrent_weights = unitary(recurrent_key, units)
        self.bias = jnp.zeros(units)

    @property
    def outputs(self) -> int:
        """Size of an output."""
        return 2 * self.bias.shape[-1]

    def init(self, key: PRNGKeyArray) -> FullUnitaryRNNState:
        """Zero."""
        return FullUnitaryRNNState(as_complex(jnp.zeros_like(self.input_weights[..., 0])))

    def drive(self, input: Float[Array, "inputs"]) -> Complex[Array, "units"]:
        """`V x`."""
        return as_complex(self.input_weights @ input)

    def transition(
        self, state: FullUnitaryRNNState, drive: Complex[Array, "units"]
    ) -> tuple[FullUnitaryRNNState, Float[Array, "features"]]:
        """`modReLU(W h + drive)`."""
        hidden = mod_relu(as_complex(self.recurrent_weights) @ state.hidden + drive, self.bias)
        return FullUnitaryRNNState(hidden), as_features(hidden, self.bias)
