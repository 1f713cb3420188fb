"""Recurrent neurons with a weighted residual connection, with and without a gate."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, Scalar, parameter


class FastState(eqx.Module):
    """What the neurons show, which is all they keep."""

    hidden: Float[Array, "units"]


class FastRNN(Driven[FastState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "units"]]):
    """A layer of neurons that add a little to what they were.

    `h <- sigmoid(alpha) tanh(W x + U h + b) + sigmoid(beta) h`.

    Fields (all quantities dimensionless):
        input_weights: W, `[units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[units, units]`, orthogonal (Saxe et al. 2014).
        bias: b, `[units]`, 1 as in the authors' code.
        alpha: scalar, -3: little is added.
        beta: scalar, 3: most is kept.

    Parameters: `units (inputs + units + 1) + 2`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Kusupati, Singh, Bhatia, Kumar, Jain and Varma 2018, NeurIPS 31, arXiv:1901.02358, section 3.1.
    """

    input_weights: Float[Array, "units inputs"] = parameter()
    recurrent_weights: Float[Array, "units units"] = parameter()
    bias: Float[Array, "units"] = parameter()
    alpha: Scalar = parameter()
    beta: Scalar = parameter()

    def __init__(
        self, inputs: int, units: int, *, alpha: float | Scalar = -3.0, beta: float | Scalar = 3.0, key: PRNGKeyArray
    ) -> None:
        check_sizes("FastRNN", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs)
        self.recurrent_weights = orthogonal(recurrent_key, units)
        self.bias = jnp.ones(units)
        self.alpha, self.beta = alpha, beta

    def init(self, key: PRNGKeyArray) -> FastState:
        """Zero."""
        return FastState(jnp.zeros_like(self.bias))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: FastState, drive: Float[Array, "units"]) -> tuple[FastState, Float[Array, "units"]]:
        """The candidate and the past, weighted."""
        candidate = jnp.tanh(drive + self.recurrent_weights @ state.hidden)
        hidden = jax.nn.sigmoid(self.alpha) * candidate + jax.nn.sigmoid(self.beta) * state.hidden
        return FastState(hidden), hidden


class FastGRNN(Driven[FastState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "units"]]):
    """A layer of neurons whose gate and candidate share all weights but the bias.

    `s = W x + U h`, `z = sigmoid(s + b_z)`, `g = tanh(s + b_h)`,
    `h <- (sigmoid(zeta) (1 - z) + sigmoid(nu)) g + z h`.

    Fields (all quantities dimensionless):
        input_weights: W, `[units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[units, units]`, orthogonal (Saxe et al. 2014).
        bias: first b_z, then b_h, `[2 units]`, 1 as in the authors' code.
        zeta: scalar, 1.
        nu: scalar, -4.

    Parameters: `units (inputs + units + 2) + 2`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Kusupati, Singh, Bhatia, Kumar, Jain and Varma 2018, NeurIPS 31, arXiv:1901.02358, section 3.2.
    """

    input_weights: Float[Array, "units inputs"] = parameter()
    recurrent_weights: Float[Array, "units units"] = parameter()
    bias: Float[Array, "gates"] = parameter()
    zeta: Scalar = parameter()
    nu: Scalar = parameter()

    def __init__(
        self, inputs: int, units: int, *, zeta: float | Scalar = 1.0, nu: float | Scalar = -4.0, key: PRNGKeyArray
    ) -> None:
        check_sizes("FastGRNN", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs)
        self.recurrent_weights = orthogonal(recurrent_key, units)
        self.bias = jnp.ones(2 * units)
        self.zeta, self.nu = zeta, nu

    def init(self, key: PRNGKeyArray) -> FastState:
        """Zero."""
        return FastState(jnp.zeros(self.recurrent_weights.shape[-1], self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        """`W x`."""
        return self.input_weights @ input

    def transition(self, state: FastState, drive: Float[Array, "units"]) -> tuple[FastState, Float[Array, "units"]]:
        """The gate, the candidate, the new state."""
        b_z, b_h = jnp.split(self.bias, 2)
        shared = drive + self.recurrent_weights @ state.hidden
        z, candidate = jax.nn.sigmoid(shared + b_z), jnp.tanh(shared + b_h)
        hidden = (jax.nn.sigmoid(self.zeta) * (1.0 - z) + jax.nn.sigmoid(self.nu)) * candidate + z * state.hidden
        return FastState(hidden), hidden
