"""The real-gated linear recurrent unit."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot
from jaxneuro.machine import Affine, parameter

# The exponent by which the recurrence gate sharpens the decay.
SHARPNESS = 8.0
STEEPEST = 1000.0


class RGLRUState(eqx.Module):
    """What the neurons show, which is all they keep."""

    hidden: Float[Array, "units"]


class RGLRU(Affine[RGLRUState, Float[Array, "inputs"], Float[Array, "units"]]):
    """A layer of real-gated linear recurrent units.

    `r, i = sigmoid(W x + b)`, each with its own rows, W in diagonal blocks; `a = exp(-8 r softplus(Lambda))`;
    `h <- a h + sqrt(1 - a^2) (i x)`. The square root keeps the variance of h whatever the gate does; its slope is
    taken as at most 1000, so that a gate that closes (a = 1) has a gradient.

    With `negative`, a is `2 exp(-8 r softplus(Lambda)) - 1`, between -1 and 1, so that a neuron can change its sign
    with every input of one kind (parity). The input must be as wide as the layer; where it is not, `x <- P x` comes
    first, the linear layer that stands before this one in its paper.

    Fields (all quantities dimensionless):
        input_weights: W of r, then of i, `[2, blocks, width, width]`, width = units / blocks, normal of variance
            `1 / width` (LeCun).
        bias: b of r, then of i, `[2 units]`, 0.
        decay: Lambda, `[units]`: `exp(-8 softplus(Lambda))` starts uniform between 0.9 and 0.999, as the paper says;
            the authors' program leaves out the 8 and draws uniformly in area.
        projection_weights: P, `[units, inputs]`, uniform of variance `2 / (inputs + units)`; None where inputs = units.

    Parameters: `2 units^2 / blocks + 3 units`, and `units inputs` for P. Input `[inputs]`. Output: h, `[units]`.

    Reference: De et al. 2024 (Griffin), arXiv:2402.19427, section 2.4 and appendix A; `negative`: Grazzi et al. 2024,
    arXiv:2411.12537.
    """

    negative: bool = eqx.field(static=True)
    input_weights: Float[Array, "2 blocks width width"] = parameter()
    bias: Float[Array, "rows"] = parameter()
    decay: Float[Array, "units"] = parameter()
    projection_weights: Float[Array, "units inputs"] | None = parameter()

    def __init__(self, inputs: int, units: int, *, blocks: int = 1, negative: bool = False, key: PRNGKeyArray) -> None:
        check_sizes("RGLRU", inputs=inputs, units=units, blocks=blocks)
        if units % blocks:
            raise ValueError(f"RGLRU got units={units}, blocks={blocks}; the units must be a multiple of the blocks.")
        gates, ring, projection = jax.random.split(key, 3)
        width = units // blocks
        self.input_weights = jax.random.normal(gates, (2, blocks, width, width)) / width**0.5
        self.bias = jnp.zeros(2 * units)
        rate = -jnp.log(jax.random.uniform(ring, (units,), minval=0.9, maxval=0.999)) / SHARPNESS
        self.decay = jnp.log(jnp.expm1(rate))
        self.projection_weights = None if inputs == units else glorot(projection, units, inputs)
        self.negative = negative

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.decay.shape[-1]

    def init(self, key: PRNGKeyArray) -> RGLRUState:
        """Zero."""
        return RGLRUState(jnp.zeros_like(self.decay))

    def affine(self, input: Float[Array, "inputs"]) -> tuple[RGLRUState, RGLRUState]:
        """`(a, sqrt(1 - a^2) i x)`."""
        x = input if self.projection_weights is None else self.projection_weights @ input
        blocks, width = self.input_weights.shape[1:3]
        gates = jnp.einsum("gbij,bj->gbi", self.input_weights, x.reshape(blocks, width)).reshape(2 * self.units)
        r, i = jnp.split(jax.nn.sigmoid(gates + self.bias), 2)
        log_a = -SHARPNESS * r * jax.nn.softplus(self.decay)
        a = jnp.exp(log_a)
        if self.negative:
            return RGLRUState(2 * a - 1), RGLRUState(2 * _root(-a * jnp.expm1(log_a)) * i * x)
        return RGLRUState(a), RGLRUState(_root(-jnp.expm1(2 * log_a)) * i * x)

    def read(self, state: RGLRUState, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        """All neurons."""
        return state.hidden


@jax.custom_jvp
def _root(square: Float[Array, "units"]) -> Float[Array, "units"]:
    """The square root, with a slope of at most 1000."""
    return jnp.sqrt(square)


@_root.defjvp
def _root_slope(
    primals: tuple[Float[Array, "units"]], tangents: tuple[Float[Array, "units"]]
) -> tuple[Float[Array, "units"], Float[Array, "units"]]:
    root = _root(primals[0])
    return root, tangents[0] * 0.5 / jnp.maximum(root, 0.5 / STEEPEST)
