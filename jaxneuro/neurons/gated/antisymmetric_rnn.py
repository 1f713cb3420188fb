"""Antisymmetric recurrent neurons, with and without a gate."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Driven, Scalar, parameter


class AntisymmetricState(eqx.Module):
    """What the neurons show, which is all they keep."""

    hidden: Float[Array, "units"]


def _coupling(upper: Float[Array, "pairs"], hidden: Float[Array, "units"]) -> Float[Array, "units"]:
    """`(U - U') h`, U strictly upper triangular."""
    units = hidden.shape[-1]
    matrix = jnp.zeros((units, units), upper.dtype).at[jnp.triu_indices(units, 1)].set(upper)
    return (matrix - matrix.T) @ hidden


def _drawn(key: PRNGKeyArray, inputs: int, units: int, gates: int) -> tuple[Array, Array]:
    input_key, recurrent_key = jax.random.split(key)
    input_weights = jax.random.normal(input_key, (gates * units, inputs)) / inputs**0.5
    return input_weights, jax.random.normal(recurrent_key, (units * (units - 1) // 2,)) / units**0.5


class AntisymmetricRNN(
    Driven[AntisymmetricState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "units"]]
):
    """A layer of neurons with antisymmetric coupling: small changes neither grow nor fade.

    `h <- h + epsilon tanh(W x + (U - U') h - gamma h + b)`, one Euler step of a differential equation whose Jacobian
    has eigenvalues with real parts near 0.

    Fields (all quantities dimensionless):
        input_weights: W, `[units, inputs]`, normal of variance `1 / inputs`.
        recurrent_weights: the part of U above its diagonal, row by row, `[units (units - 1) / 2]`, normal of variance
            `1 / units`; the rest of U is 0.
        bias: b, `[units]`, 0.
        epsilon: step of time.
        gamma: diffusion, which makes the Euler step stable.

    Parameters: `units (inputs + 1) + units (units - 1) / 2`, and two numbers. Input `[inputs]`. Output: h, `[units]`.

    Reference: Chang, Chen, Haber and Chi 2019, ICLR, arXiv:1902.09689, section 4.
    """

    input_weights: Float[Array, "units inputs"] = parameter()
    recurrent_weights: Float[Array, "pairs"] = parameter()
    bias: Float[Array, "units"] = parameter()
    epsilon: Scalar = parameter(above=0.0)
    gamma: Scalar = parameter(at_least=0.0)

    def __init__(
        self, inputs: int, units: int, *, epsilon: float | Scalar = 0.1, gamma: float | Scalar = 0.01, key: PRNGKeyArray
    ) -> None:
        check_sizes("AntisymmetricRNN", inputs=inputs, units=units)
        self.input_weights, self.recurrent_weights = _drawn(key, inputs, units, gates=1)
        self.bias = jnp.zeros(units)
        self.epsilon, self.gamma = epsilon, gamma

    def init(self, key: PRNGKeyArray) -> AntisymmetricState:
        """Zero."""
        return AntisymmetricState(jnp.zeros_like(self.bias))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(
        self, state: AntisymmetricState, drive: Float[Array, "units"]
    ) -> tuple[AntisymmetricState, Float[Array, "units"]]:
        """One Euler step."""
        coupling = _coupling(self.recurrent_weights, state.hidden) - self.gamma * state.hidden
        hidden = state.hidden + self.epsilon * jnp.tanh(drive + coupling)
        return AntisymmetricState(hidden), hidden


class GatedAntisymmetricRNN(
    Driven[AntisymmetricState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]
):
    """A layer of neurons with antisymmetric coupling and an input gate that shares it.

    `z = sigmoid(W_z x + (U - U') h - gamma h + b_z)`,
    `h <- h + epsilon z tanh(W_h x + (U - U') h - gamma h + b_h)`.

    Fields (rows in the order z, h; all quantities dimensionless):
        input_weights: W, `[2 units, inputs]`, normal of variance `1 / inputs`.
        recurrent_weights: the part of U above its diagonal, row by row, `[units (units - 1) / 2]`, normal of variance
            `1 / units`; the rest of U is 0.
        bias: b, `[2 units]`, 0.
        epsilon: step of time.
        gamma: diffusion, which makes the Euler step stable.

    Parameters: `2 units (inputs + 1) + units (units - 1) / 2`, and two numbers. Input `[inputs]`. Output: h, `[units]`.

    Reference: Chang, Chen, Haber and Chi 2019, ICLR, arXiv:1902.09689, section 4.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "pairs"] = parameter()
    bias: Float[Array, "gates"] = parameter()
    epsilon: Scalar = parameter(above=0.0)
    gamma: Scalar = parameter(at_least=0.0)

    def __init__(
        self, inputs: int, units: int, *, epsilon: float | Scalar = 0.1, gamma: float | Scalar = 0.01, key: PRNGKeyArray
    ) -> None:
        check_sizes("GatedAntisymmetricRNN", inputs=inputs, units=units)
        self.input_weights, self.recurrent_weights = _drawn(key, inputs, units, gates=2)
        self.bias = jnp.zeros(2 * units)
        self.epsilon, self.gamma = epsilon, gamma

    def init(self, key: PRNGKeyArray) -> AntisymmetricState:
        """Zero."""
        return AntisymmetricState(jnp.zeros(self.bias.shape[-1] // 2, self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(
        self, state: AntisymmetricState, drive: Float[Array, "gates"]
    ) -> tuple[AntisymmetricState, Float[Array, "units"]]:
        """One Euler step, as long as the gate allows."""
        z, h = jnp.split(drive, 2)
        coupling = _coupling(self.recurrent_weights, state.hidden) - self.gamma * state.hidden
        hidden = state.hidden + self.epsilon * jax.nn.sigmoid(z + coupling) * jnp.tanh(h + coupling)
        return AntisymmetricState(hidden), hidden
