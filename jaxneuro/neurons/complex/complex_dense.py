"""All-to-all connections with complex weights."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, Inexact, PRNGKeyArray

from jaxneuro.initial import check_choice, check_sizes
from jaxneuro.machine import Stateless, parameter
from jaxneuro.neurons.complex.activations import as_complex, crelu, mod_relu, zrelu

Activation = Literal["none", "crelu", "zrelu", "modrelu"]


class ComplexDense(Stateless[Inexact[Array, "inputs"], Complex[Array, "outputs"]]):
    """A layer of complex neurons: `y = f((A + i B) x + b)`.

    The activation f is none, `crelu(z) = relu(Re z) + i relu(Im z)`, `zrelu(z) = z` where both parts are above 0 and
    otherwise 0, or `modrelu(z) = relu(abs(z) + c) z / abs(z)`.

    Fields (complex ones with a leading axis of real and imaginary part; all quantities dimensionless):
        weights: A and B, `[2, outputs, inputs]`, of Rayleigh distributed modulus and uniform phase, with mean square
            `2 / inputs` before an activation (He), without one `2 / (inputs + outputs)` (Glorot). The authors' program
            forgets the root in the scale of the modulus.
        bias: b, `[2, outputs]`, 0; None without bias.
        modulus_bias: c, `[outputs]`, 0; None but with `activation="modrelu"`.

    Parameters: `2 outputs (inputs + 1)`, with modReLU `outputs` more. Input `[inputs]`, complex, or real for an
    imaginary part of 0. Output: y, `[outputs]`, complex.

    Reference: Trabelsi et al. 2018, arXiv:1705.09792, sections 3.2, 3.4 and 3.6.
    """

    activation: Activation = eqx.field(static=True)
    weights: Float[Array, "2 outputs inputs"] = parameter()
    bias: Float[Array, "2 outputs"] | None = parameter()
    modulus_bias: Float[Array, "outputs"] | None = parameter()

    def __init__(
        self, inputs: int, outputs: int, *, activation: Activation = "none", bias: bool = True, key: PRNGKeyArray
    ) -> None:
        check_sizes("ComplexDense", inputs=inputs, outputs=outputs)
        check_choice("ComplexDense", "activation", activation, ("none", "crelu", "zrelu", "modrelu"))
        # Two independent normal parts are a Rayleigh distributed modulus and a uniform phase.
        deviation = (inputs + (outputs if activation == "none" else 0)) ** -0.5
        self.weights = deviation * jax.random.normal(key, (2, outputs, inputs))
        self.bias = jnp.zeros((2, outputs)) if bias else None
        self.modulus_bias = jnp.zeros(outputs) if activation == "modrelu" else None
        self.activation = activation

    def respond(self, input: Inexact[Array, "inputs"]) -> Complex[Array, "outputs"]:
        """`f((A + i B) x + b)`."""
        sums = as_complex(self.weights) @ input if jnp.iscomplexobj(input) else as_complex(self.weights @ input)
        if self.bias is not None:
            sums = sums + as_complex(self.bias)
        if self.modulus_bias is not None:
            return mod_relu(sums, self.modulus_bias)
        return {"crelu": crelu, "zrelu": zrelu}[self.activation](sums) if self.activation != "none" else sums
