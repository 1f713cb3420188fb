"""An LSTM with the forget gate alone."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, chrono, glorot, orthogonal
from jaxneuro.machine import Driven, Scalar, parameter


class JANETState(eqx.Module):
    """What the neuron shows, which is all it keeps."""

    hidden: Float[Array, "units"]


class JANET(Driven[JANETState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of JANET neurons, "just another network": LSTM neurons of which the forget gate alone is left.

    `s = W x + U h + b`, `g = tanh(W x + U h + b)`, each with its own rows of W, U and b;
    `h <- sigmoid(s) h + (1 - sigmoid(s - beta)) g`.

    Fields (the rows in the order s, g; all quantities dimensionless):
        input_weights: W, `[2 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[2 units, units]`, orthogonal for each (Saxe et al. 2014).
        bias: b, `[2 units]`, 0, and 1 for s. With `longest`, the longest dependency T in steps, s has `log u`, u
            uniform on [1, T - 1] (chrono initialisation, Tallec and Ollivier 2018), which the paper recommends.
        beta: how much wider the input is open than forgetting demands, scalar, 1; at 0 the two gates are coupled.

    Parameters: `2 units (inputs + units + 1) + 1`. Input `[inputs]`. Output: h, `[units]`.

    Reference: van der Westhuizen and Lasenby 2018, The unreasonable effectiveness of the forget gate, arXiv:1804.04849.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    bias: Float[Array, "gates"] = parameter()
    beta: Scalar = parameter()

    def __init__(
        self, inputs: int, units: int, *, beta: float = 1.0, longest: float | None = None, key: PRNGKeyArray
    ) -> None:
        check_sizes("JANET", inputs=inputs, units=units)
        input_key, recurrent_key, bias_key = jax.random.split(key, 3)
        self.input_weights = glorot(input_key, units, inputs, gates=2)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=2)
        forget = jnp.ones(units) if longest is None else chrono(bias_key, units, longest)
        self.bias = jnp.concatenate([forget, jnp.zeros(units)])
        self.beta = beta

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.recurrent_weights.shape[-1]

    def init(self, key: PRNGKeyArray) -> JANETState:
        """Zero."""
        return JANETState(jnp.zeros(self.units, self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: JANETState, drive: Float[Array, "gates"]) -> tuple[JANETState, Float[Array, "units"]]:
        """The gate, the candidate, the new output."""
        s, g = jnp.split(drive + self.recurrent_weights @ state.hidden, 2)
        # 1 - sigmoid(z) is sigmoid(-z), without the loss of digits.
        hidden = jax.nn.sigmoid(s) * state.hidden + jax.nn.sigmoid(self.beta - s) * jnp.tanh(g)
        return JANETState(hidden), hidden
