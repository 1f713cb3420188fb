"""Spike nonlinearities: exactly Heaviside forwards, a documented pseudo-derivative backwards.

    spike(u) = 1 if u >= 0 else 0            d spike / d u := kernel(u)

`u` is the distance to threshold. Every kernel's numbers are array leaves, so sweeping a slope does not trace again;
they get no gradient: the spike passes gradients to `u` alone.
"""

from abc import abstractmethod

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxneuro.machine import Numbers, Parameterised, parameter


@jax.custom_jvp
def _spike(distance: Float[Array, "*shape"], slope: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    return (distance >= 0).astype(distance.dtype)


@_spike.defjvp
def _spike_jvp(
    primals: tuple[Float[Array, "*shape"], Float[Array, "*shape"]],
    tangents: tuple[Float[Array, "*shape"], Float[Array, "*shape"]],
) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
    (distance, slope), (change, _) = primals, tangents
    return _spike(distance, slope), slope * change


class Surrogate(Parameterised):
    """A spike nonlinearity: call it with the distance to threshold."""

    @abstractmethod
    def kernel(self, distance: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """The derivative that the spike pretends to have at this distance from threshold."""

    def __call__(self, distance: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """1 where `distance >= 0`, else 0."""
        return _spike(distance, self.kernel(distance))


class FastSigmoid(Surrogate):
    """SuperSpike: `1 / (1 + slope |u|)^2`, the derivative of a fast sigmoid up to a factor.

    Reference: Zenke and Ganguli 2018, Neural Computation 30:1514, eq. 3.3.
    """

    slope: Numbers = parameter(10.0, above=0.0)

    def kernel(self, distance: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """`1 / (1 + slope |u|)^2`."""
        return 1 / (1 + self.slope * jnp.abs(distance)) ** 2


class Triangular(Surrogate):
    """`height max(0, 1 - |u| / width)`.

    Reference: Bellec et al. 2018, arXiv:1803.09574, section 2 (height 0.3, width = the threshold).
    """

    height: Numbers = parameter(0.3, above=0.0)
    width: Numbers = parameter(1.0, above=0.0)

    def kernel(self, distance: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """`height max(0, 1 - |u| / width)`."""
        return self.height * jnp.maximum(1 - jnp.abs(distance) / self.width, 0)


class ArcTangent(Surrogate):
    """`(slope / 2) / (1 + (pi slope u / 2)^2)`, the derivative of `arctan(pi slope u / 2) / pi + 1/2`.

    Reference: Fang et al. 2021, arXiv:2007.05785.
    """

    slope: Numbers = parameter(2.0, above=0.0)

    def kernel(self, distance: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """`(slope / 2) / (1 + (pi slope u / 2)^2)`."""
        return self.slope / 2 / (1 + (jnp.pi / 2 * self.slope * distance) ** 2)


class MultiGaussian(Surrogate):
    """`gain [(1+h) N(u; 0, s^2) - h N(u; s, (k s)^2) - h N(u; -s, (k s)^2)]`, with `N(u; m, v)` the normal density.

    Reference: Yin, Corradi and Bohte 2021, Nature Machine Intelligence 3:905 (h 0.15, s 0.5, k 6, gain 0.5).
    """

    gain: Numbers = parameter(0.5, above=0.0)
    side_height: Numbers = parameter(0.15, at_least=0.0)
    width: Numbers = parameter(0.5, above=0.0)
    side_width: Numbers = parameter(6.0, above=0.0)

    def kernel(self, distance: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """A Gaussian hill with two shallow negative sides."""

        def normal(mean: Float[Array, "..."], deviation: Float[Array, "..."]) -> Float[Array, "*shape"]:
            return jnp.exp(-0.5 * ((distance - mean) / deviation) ** 2) / (deviation * (2 * jnp.pi) ** 0.5)

        side = self.side_width * self.width
        hill = (1 + self.side_height) * normal(jnp.zeros_like(self.width), self.width)
        return self.gain * (hill - self.side_height * (normal(self.width, side) + normal(-self.width, side)))


class StraightThrough(Surrogate):
    """The derivative is 1 everywhere: the spike passes gradients as if it were the identity.

    Reference: Bengio, Leonard and Courville 2013, arXiv:1308.3432, section 4.
    """

    def kernel(self, distance: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """1."""
        return jnp.ones_like(distance)
