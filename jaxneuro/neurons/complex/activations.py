"""Complex numbers from real parameters, and the nonlinearities of complex neurons.

Parameters are real: a complex one has a leading axis of 2, (real part, imaginary part). JAX has no complex numbers of
half size, so those of a bfloat16 machine are complex64. All functions have finite derivatives at 0.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float, Inexact


def wide(number: Float[Array, "..."]) -> Float[Array, "..."]:
    """The same numbers in a type that has a complex counterpart: float64 stays, all others become float32."""
    return number if number.dtype == jnp.float64 else number.astype(jnp.float32)


def as_complex(parts: Float[Array, "2 ..."]) -> Complex[Array, "..."]:
    """`parts[0] + i parts[1]`."""
    parts = wide(parts)
    return jax.lax.complex(parts[0], parts[1])


def as_features(z: Complex[Array, "units"], like: Float[Array, "..."]) -> Float[Array, "features"]:
    """`[Re z, Im z]`, one vector behind the other, in the dtype of `like`."""
    return jnp.concatenate([z.real, z.imag]).astype(like.dtype)


def phasor(angle: Float[Array, "..."]) -> Complex[Array, "..."]:
    """`exp(i angle)`."""
    angle = wide(angle)
    return jax.lax.complex(jnp.cos(angle), jnp.sin(angle))


def scaled(z: Inexact[Array, "..."], by: Float[Array, "..."]) -> Inexact[Array, "..."]:
    """`by z` with a real factor."""
    return jax.lax.complex(by * z.real, by * z.imag) if jnp.iscomplexobj(z) else by * z


def mod_relu(z: Inexact[Array, "..."], bias: Float[Array, "units"]) -> Inexact[Array, "..."]:
    """`relu(abs(z) + b) z / abs(z)`: shortens a number by -b, and keeps its phase (of a real number, its sign).

    `mod_relu(0) = 0`; its slope there is 0 for `b < 0`, as it is around 0, and is taken as 1 for `b >= 0`, as it is for
    `b = 0`, where the function is the identity.

    Args:
        z: real or complex, `[..., units]`.
        bias: b, `[units]`.

    Returns:
        The shape and type of z.

    Reference: Arjovsky, Shah and Bengio 2016, arXiv:1511.06464, section 4.
    """
    modulus, at_zero = _modulus(z)
    bias = jnp.broadcast_to(bias.astype(modulus.dtype), z.shape)
    shortened = jax.nn.relu(modulus + bias) / modulus
    return scaled(z, jnp.where(at_zero, (bias >= 0).astype(modulus.dtype), shortened))


def hirose(z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """`tanh(abs(z)) z / abs(z)`: bounds the modulus by 1, and keeps the phase.

    Reference: Hirose 1992, Electronics Letters 28:1492 (amplitude-phase activation).
    """
    modulus, at_zero = _modulus(z)
    return scaled(z, jnp.where(at_zero, 1, jnp.tanh(modulus) / modulus))


def bound(z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """`z / max(1, abs(z))`.

    Reference: Danihelka et al. 2016, arXiv:1602.03032, section 3.
    """
    modulus, _ = _modulus(z)
    return scaled(z, 1 / jnp.maximum(modulus, 1))


def split_tanh(z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """`tanh(Re z) + i tanh(Im z)`."""
    return jax.lax.complex(jnp.tanh(z.real), jnp.tanh(z.imag))


def crelu(z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """`relu(Re z) + i relu(Im z)`.

    Reference: Trabelsi et al. 2018, arXiv:1705.09792, section 3.4.
    """
    return jax.lax.complex(jax.nn.relu(z.real), jax.nn.relu(z.imag))


def zrelu(z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """Z where its phase is between 0 and pi/2, otherwise 0.

    Reference: Guberman 2016, arXiv:1602.09046.
    """
    return jnp.where((z.real > 0) & (z.imag > 0), z, jnp.zeros_like(z))


def mod_sigmoid(z: Complex[Array, "units"], mixing: Float[Array, "units"]) -> Float[Array, "units"]:
    """`sigmoid(a Re z + (1 - a) Im z)` with `a = sigmoid(mixing)`: a real gate from a complex number.

    Reference: Wolter and Yao 2018, arXiv:1806.08267, section 4.
    """
    a = jax.nn.sigmoid(mixing.astype(z.real.dtype))
    return jax.nn.sigmoid(a * z.real + (1 - a) * z.imag)


def _modulus(z: Inexact[Array, "..."]) -> tuple[Float[Array, "..."], Bool[Array, "..."]]:
    """`abs(z)`, but 1 where z is 0 or too small to be squared, and where that is; no derivative is infinite."""
    if jnp.iscomplexobj(z):
        square = z.real * z.real + z.imag * z.imag
        at_zero = square == 0
        return jnp.sqrt(jnp.where(at_zero, 1, square)), at_zero
    at_zero = z == 0
    return jnp.where(at_zero, 1, jnp.abs(z)), at_zero
