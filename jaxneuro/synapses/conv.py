"""Two-dimensional convolution."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_choice, check_sizes
from jaxneuro.machine import Stateless, parameter


class Conv(Stateless[Float[Array, "height width inputs"], Float[Array, "rows columns outputs"]]):
    """Synapses shared over an image: `y = W * x + b`.

    `y[i, j, o] = b[o] + sum(W[k, l, c, o] x[i s + k - p, j s + l - p, c])` over k, l and c, with stride s; outside
    of the image x is 0.

    Fields:
        weights: W, `[size, size, inputs, outputs]`, drawn from a normal distribution of variance
            `gain^2 / (size^2 inputs)` (LeCun et al. 1998, Efficient BackProp, section 4.6).
        bias: b, `[outputs]`, zero at first; None without bias.

    With `padding="same"` an output has `ceil(height / stride)` rows, and as much padding p as that needs, the odd one
    behind; with "valid" there is none, and `ceil((height - size + 1) / stride)` rows.

    The units are those of whatever the synapses feed. Parameters: `outputs (size^2 inputs + 1)`. Input
    `[height, width, inputs]`. Output `[rows, columns, outputs]`.

    Reference: LeCun et al. 1989, Neural Computation 1:541.
    """

    stride: int = eqx.field(static=True)
    padding: Literal["same", "valid"] = eqx.field(static=True)
    weights: Float[Array, "size size inputs outputs"] = parameter()
    bias: Float[Array, "outputs"] | None = parameter()

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        size: int = 3,
        stride: int = 1,
        padding: Literal["same", "valid"] = "same",
        bias: bool = True,
        gain: float = 1.0,
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("Conv", inputs=inputs, outputs=outputs, size=size, stride=stride)
        check_choice("Conv", "padding", padding, ("same", "valid"))
        deviation = gain / (size * size * inputs) ** 0.5
        self.weights = deviation * jax.random.normal(key, (size, size, inputs, outputs))
        self.bias = jnp.zeros(outputs) if bias else None
        self.stride, self.padding = stride, padding

    def respond(self, input: Float[Array, "height width inputs"]) -> Float[Array, "rows columns outputs"]:
        """`W * x + b`."""
        result = jax.lax.conv_general_dilated(
            input[None],
            self.weights,
            window_strides=(self.stride, self.stride),
            padding=self.padding.upper(),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )[0]
        return result if self.bias is None else result + jnp.broadcast_to(self.bias, result.shape)
