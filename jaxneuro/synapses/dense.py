"""All-to-all connections."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Stateless, parameter


class Dense(Stateless[Float[Array, "inputs"], Float[Array, "outputs"]]):
    """Dense synapses: `y = W x + b`.

    Fields:
        weights: W, `[outputs, inputs]`, drawn from a normal distribution of variance `gain^2 / inputs`, so that inputs
            of unit variance give outputs of variance `gain^2` (LeCun et al. 1998, Efficient BackProp, section 4.6).
        bias: b, `[outputs]`, zero at first; None without bias.

    The units are those of whatever the synapses feed: dimensionless, or nA when they drive a membrane.

    Reference: Rumelhart, Hinton and Williams 1986, Nature 323:533, eq. 1.
    """

    weights: Float[Array, "outputs inputs"] = parameter()
    bias: Float[Array, "outputs"] | None = parameter()

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True, gain: float = 1.0, key: PRNGKeyArray) -> None:
        check_sizes("Dense", inputs=inputs, outputs=outputs)
        self.weights = gain / inputs**0.5 * jax.random.normal(key, (outputs, inputs))
        self.bias = jnp.zeros(outputs) if bias else None

    def respond(self, input: Float[Array, "inputs"]) -> Float[Array, "outputs"]:
        """`W x + b`."""
        product = input @ self.weights.T
        return product if self.bias is None else product + self.bias
