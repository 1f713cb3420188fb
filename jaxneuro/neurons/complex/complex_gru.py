"""The complex gated recurrent unit, cgRNN."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, PRNGKeyArray

from jaxneuro.initial import check_choice, check_sizes, glorot, unitary
from jaxneuro.machine import Driven, parameter
from jaxneuro.neurons.complex.activations import as_complex, as_features, hirose, mod_relu, mod_sigmoid, scaled


class ComplexGRUState(eqx.Module):
    """The complex state."""

    hidden: Complex[Array, "units"]


class ComplexGRU(Driven[ComplexGRUState, Float[Array, "inputs"], Float[Array, "features"], Complex[Array, "gates"]]):
    """A layer of complex gated neurons with real gates.

    `r, z = modSigmoid(V x + U h + b)`, `h <- (1 - z) h + z f(V x + W (r h) + b)`, with
    `modSigmoid(y) = sigmoid(a Re y + (1 - a) Im y)`, `a = sigmoid(mixing)`. The activation f is
    `modReLU(y) = relu(abs(y) + c) y / abs(y)`, or `hirose(y) = tanh(abs(y)) y / abs(y)`.

    Fields (rows of r, z and the candidate in this order; complex ones with a leading axis of real and imaginary part;
    all quantities dimensionless):
        input_weights: V, `[2, 3 units, inputs]`, each part uniform of variance `2 / (inputs + units)`.
        recurrent_weights: U of the gates, `[2, 2 units, units]`, each part uniform of variance `1 / units`.
        state_weights: W, `[2, units, units]`, unitary; drawn as U with `unitary=False`. It stays unitary if it is
            trained by `jaxneuro.learning.constrain.unitary`.
        bias: b, `[2, 3 units]`, 0, and 4 in both parts for the gates of a unitary W, so that they start open.
        mixing: of the gates r and z, `[2]`, 0: real and imaginary part count alike.
        modulus_bias: c, `[units]`, 0; None with `activation="hirose"`.

    Parameters: `6 units (inputs + units + 1) + units + 2`, with hirose `units` less. Input `[inputs]`. Output: real and
    imaginary parts of h, one behind the other, `[2 units]`.

    Reference: Wolter and Yao 2018, arXiv:1806.08267, section 4.
    """

    input_weights: Float[Array, "2 gates inputs"] = parameter()
    recurrent_weights: Float[Array, "2 gates2 units"] = parameter()
    state_weights: Float[Array, "2 units units"] = parameter()
    bias: Float[Array, "2 gates"] = parameter()
    mixing: Float[Array, "2"] = parameter()
    modulus_bias: Float[Array, "units"] | None = parameter()

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        unitary: bool = True,
        activation: Literal["modrelu", "hirose"] = "modrelu",
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("ComplexGRU", inputs=inputs, units=units)
        check_choice("ComplexGRU", "activation", activation, ("modrelu", "hirose"))
        input_key, recurrent_key, state_key = jax.random.split(key, 3)
        self.input_weights = glorot(input_key, units, inputs, gates=6).reshape(2, 3 * units, inputs)
        self.recurrent_weights = glorot(recurrent_key, units, units, gates=4).reshape(2, 2 * units, units)
        self.state_weights = _state_weights(state_key, units, unitary)
        self.bias = jnp.zeros((2, 3 * units)).at[:, : 2 * units].set(4.0 if unitary else 0.0)
        self.mixing = jnp.zeros(2)
        self.modulus_bias = jnp.zeros(units) if activation == "modrelu" else None

    @property
    def outputs(self) -> int:
        """Size of an output."""
        return 2 * self.state_weights.shape[-1]

    def init(self, key: PRNGKeyArray) -> ComplexGRUState:
        """Zero."""
        return ComplexGRUState(as_complex(jnp.zeros_like(self.state_weights[..., 0])))

    def drive(self, input: Float[Array, "inputs"]) -> Complex[Array, "gates"]:
        """`V x + b`."""
        return as_complex(self.input_weights @ input + self.bias)

    def transition(
        self, state: ComplexGRUState, drive: Complex[Array, "gates"]
    ) -> tuple[ComplexGRUState, Float[Array, "features"]]:
        """The gates, the candidate, the new state."""
        units = state.hidden.shape[0]
        sums = drive[: 2 * units] + as_complex(self.recurrent_weights) @ state.hidden
        reset, update = jnp.split(mod_sigmoid(sums, jnp.repeat(self.mixing, units)), 2)
        sums = drive[2 * units :] + as_complex(self.state_weights) @ scaled(state.hidden, reset)
        candidate = hirose(sums) if self.modulus_bias is None else mod_relu(sums, self.modulus_bias)
        hidden = scaled(state.hidden, 1 - update) + scaled(candidate, update)
        return ComplexGRUState(hidden), as_features(hidden, self.bias)


def _state_weights(key: PRNGKeyArray, units: int, is_unitary: bool) -> Float[Array, "2 units units"]:
    return unitary(key, units) if is_unitary else glorot(key, units, units, gates=2).reshape(2, units, units)
