"""Two-dimensional convolution with complex weights."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, Inexact, PRNGKeyArray

from jaxneuro.initial import check_choice, check_sizes
from jaxneuro.machine import Stateless, parameter
from jaxneuro.neurons.complex.activations import as_complex, crelu, mod_relu, wide, zrelu

Activation = Literal["none", "crelu", "zrelu", "modrelu"]


class ComplexConv(Stateless[Inexact[Array, "height width inputs"], Complex[Array, "rows columns outputs"]]):
    """A convolution of an image with complex kernels: `y = f((A + i B) * x + b)`.

    `(A + i B) * (x + i y) = A * x - B * y + i (A * y + B * x)`, done as one real convolution. The activation f is none,
    `crelu(z) = relu(Re z) + i relu(Im z)`, `zrelu(z) = z` where both parts are above 0 and otherwise 0, or
    `modrelu(z) = relu(abs(z) + c) z / abs(z)`.

    Fields (complex ones with a leading axis of real and imaginary part; all quantities dimensionless):
        weights: A and B, `[2, size, size, inputs, outputs]`, of Rayleigh distributed modulus and uniform phase, with
            mean square `2 / (size^2 inputs)` before an activation (He), without one
            `2 / (size^2 (inputs + outputs))` (Glorot).
        bias: b, `[2, outputs]`, 0; None without bias.
        modulus_bias: c, `[outputs]`, 0; None but with `activation="modrelu"`.

    With `padding="same"` an output has `ceil(height / stride)` rows, with "valid" `ceil((height - size + 1) / stride)`.

    Parameters: `2 outputs (size^2 inputs + 1)`, with modReLU `outputs` more. Input `[height, width, inputs]`, complex,
    or real for an imaginary part of 0. Output: y, `[rows, columns, outputs]`, complex.

    Reference: Trabelsi et al. 2018, arXiv:1705.09792, sections 3.2, 3.4 and 3.6.
    """

    activation: Activation = eqx.field(static=True)
    stride: int = eqx.field(static=True)
    padding: Literal["same", "valid"] = eqx.field(static=True)
    weights: Float[Array, "2 size size inputs outputs"] = parameter()
    bias: Float[Array, "2 outputs"] | None = parameter()
    modulus_bias: Float[Array, "outputs"] | None = parameter()

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        size: int = 3,
        stride: int = 1,
        padding: Literal["same", "valid"] = "same",
        activation: Activation = "none",
        bias: bool = True,
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("ComplexConv", inputs=inputs, outputs=outputs, size=size, stride=stride)
        check_choice("ComplexConv", "activation", activation, ("none", "crelu", "zrelu", "modrelu"))
        check_choice("ComplexConv", "padding", padding, ("same", "valid"))
        # Two independent normal parts are a Rayleigh distributed modulus and a uniform phase.
        deviation = (size * size * (inputs + (outputs if activation == "none" else 0))) ** -0.5
        self.weights = deviation * jax.random.normal(key, (2, size, size, inputs, outputs))
        self.bias = jnp.zeros((2, outputs)) if bias else None
        self.modulus_bias = jnp.zeros(outputs) if activation == "modrelu" else None
        self.activation, self.stride, self.padding = activation, stride, padding

    def respond(self, input: Inexact[Array, "height width inputs"]) -> Complex[Array, "rows columns outputs"]:
        """`f((A + i B) * x + b)`."""
        a, b = self.weights
        kernel, image = jnp.concatenate([a, b], axis=-1), input
        if jnp.iscomplexobj(input):
            turned = jnp.concatenate([-b, a], axis=-1)
            kernel = wide(jnp.concatenate([kernel, turned], axis=-2))
            image = jnp.concatenate([input.real, input.imag], axis=-1)
        sums = jax.lax.conv_general_dilated(
            image[None],
            kernel,
            window_strides=(self.stride, self.stride),
            padding=self.padding.upper(),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )[0]
        z = as_complex(jnp.stack(jnp.split(sums, 2, axis=-1)))
        if self.bias is not None:
            z = z + jnp.broadcast_to(as_complex(self.bias), z.shape)
        if self.modulus_bias is not None:
            return mod_relu(z, self.modulus_bias)
        return {"crelu": crelu, "zrelu": zrelu}[self.activation](z) if self.activation != "none" else z
