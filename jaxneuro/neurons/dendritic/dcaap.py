"""The branch whose calcium action potential is largest at threshold."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Scalar, Stateless, parameter


class DCaAP(Stateless[Float[Array, "inputs"], Float[Array, ""]]):
    """A dendritic branch that answers best to one strength of input: `y = f(w . x + b)`, all dimensionless.

    `f(u) = 0` for u < 1 and `exp(-(u - 1) / width)` from there on: more input than needed makes the action potential
    smaller. With `onset` above 0 the jump is `f(u) = sigma((u - 1) / onset) exp(-max(u - 1, 0) / width)` with the
    logistic sigma, which can be trained by gradient. The unit with w = (1, 1) and b = 0 is an exclusive or.

    Fields:
        weights: w, `[inputs]`.
        bias: b.
        width: how fast the amplitude falls, in units of the threshold.
        onset: the width of the rise; 0 is the jump, which has no gradient below threshold.

    Input: `[inputs]`. Output: the amplitude, a scalar.

    Reference: Gidon et al. 2020, Science 367:83, figure 3.
    """

    weights: Float[Array, "inputs"] = parameter()
    bias: Scalar = parameter()
    width: Scalar = parameter(above=0.0)
    onset: Scalar = parameter(at_least=0.0)

    def __init__(
        self,
        inputs: int,
        *,
        width: float | Float[Array, ""] = 0.3,
        onset: float | Float[Array, ""] = 0.0,
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("DCaAP", inputs=inputs)
        self.weights = jax.random.normal(key, (inputs,))
        self.bias = jnp.zeros(())
        self.width, self.onset = width, onset

    def respond(self, input: Float[Array, "inputs"]) -> Float[Array, ""]:
        """`f(w . x + b)`."""
        above = self.weights @ input + self.bias - 1
        smooth = self.onset > 0
        rise = jax.nn.sigmoid(above / jnp.where(smooth, self.onset, 1))
        jump = (above >= 0).astype(above.dtype)
        return jnp.where(smooth, rise, jump) * jnp.exp(-jnp.maximum(above, 0) / self.width)
