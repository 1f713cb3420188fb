"""The simple recurrent network with complex weights."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, PRNGKeyArray

from jaxneuro.initial import check_choice, check_sizes, glorot, unitary
from jaxneuro.machine import Driven, parameter
from jaxneuro.neurons.complex.activations import as_complex, as_features, hirose, mod_relu, split_tanh

Activation = Literal["hirose", "split", "modrelu"]


class ComplexRNNState(eqx.Module):
    """The complex state."""

    hidden: Complex[Array, "units"]


class ComplexRNN(Driven[ComplexRNNState, Float[Array, "inputs"], Float[Array, "features"], Complex[Array, "units"]]):
    """A layer of complex neurons, the counterpart of the real simple recurrent network.

    `h <- f(W x + U h + b)`; the activation f is `hirose(z) = tanh(abs(z)) z / abs(z)`, or
    `split(z) = tanh(Re z) + i tanh(Im z)`, or `modReLU(z) = relu(abs(z) + c) z / abs(z)`.

    Fields (all but the last with a leading axis of real and imaginary part; all quantities dimensionless):
        input_weights: W, `[2, units, inputs]`, each part uniform of variance `2 / (inputs + units)`.
        recurrent_weights: U, `[2, units, units]`, unitary at first: it keeps the length of a state.
        bias: b, `[2, units]`, 0.
        modulus_bias: c, `[units]`, 0; None but with `activation="modrelu"`.

    Parameters: `2 units (inputs + units + 1)`, with modReLU `units` more. Input `[inputs]`. Output: real and imaginary
    parts of h, one behind the other, `[2 units]`.

    Reference: Wolter and Yao 2018, arXiv:1806.08267, section 3; Hirose 1992, Electronics Letters 28:1492.
    """

    activation: Activation = eqx.field(static=True)
    input_weights: Float[Array, "2 units inputs"] = parameter()
    recurrent_weights: Float[Array, "2 units units"] = parameter()
    bias: Float[Array, "2 units"] = parameter()
    modulus_bias: Float[Array, "units"] | None = parameter()

    def __init__(self, inputs: int, units: int, *, activation: Activation = "hirose", key: PRNGKeyArray) -> None:
        check_sizes("ComplexRNN", inputs=inputs, units=units)
        check_choice("ComplexRNN", "activation", activation, ("hirose", "split", "modrelu"))
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=2).reshape(2, units, inputs)
        self.recurrent_weights = unitary(recurrent_key, units)
        self.bias = jnp.zeros((2, units))
        self.modulus_bias = jnp.zeros(units) if activation == "modrelu" else None
        self.activation = activation

    @property
    def outputs(self) -> int:
        """Size of an output."""
        return 2 * self.bias.shape[-1]

    def init(self, key: PRNGKeyArray) -> ComplexRNNState:
        """Zero."""
        return ComplexRNNState(as_complex(jnp.zeros_like(self.bias)))

    def drive(self, input: Float[Array, "inputs"]) -> Complex[Array, "units"]:
        """`W x + b`."""
        return as_complex(self.input_weights @ input + self.bias)

    def transition(
        self, state: ComplexRNNState, drive: Complex[Array, "units"]
    ) -> tuple[ComplexRNNState, Float[Array, "features"]]:
        """`f(U h + drive)`."""
        sums = drive + as_complex(self.recurrent_weights) @ state.hidden
        if self.modulus_bias is not None:
            hidden = mod_relu(sums, self.modulus_bias)
        else:
            hidden = hirose(sums) if self.activation == "hirose" else split_tanh(sums)
        return ComplexRNNState(hidden), as_features(hidden, self.bias)
