"""Layers without parameters: rectifier, average pooling, all numbers in a row."""

import equinox as eqx
import jax
from jaxtyping import Array, Float

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Stateless


class Rectifier(Stateless[Float[Array, "*neurons"], Float[Array, "*neurons"]]):
    """Rectified linear neurons: `y = max(x, 0)`.

    Input and output `[*neurons]`, of any shape; all quantities dimensionless.

    Reference: Nair and Hinton 2010, ICML, p. 807.
    """

    def respond(self, input: Float[Array, "*neurons"]) -> Float[Array, "*neurons"]:
        """`max(x, 0)`."""
        return jax.nn.relu(input)


class AveragePool(Stateless[Float[Array, "height width channels"], Float[Array, "rows columns channels"]]):
    """The mean over squares of an image: `y[i, j, c] = mean(x[i s + k, j s + l, c])` over k, l below the size s.

    Input `[height, width, channels]`; output `[height / s, width / s, channels]`, where rows and columns that fill no
    square are left out. All quantities dimensionless. Being linear it needs no neurons, and passes spikes on as parts
    of `1 / s^2`.

    Fields:
        size: s, the side of a square.

    Reference: LeCun et al. 1989, Neural Computation 1:541.
    """

    size: int = eqx.field(static=True, default=2)

    def __check_init__(self) -> None:
        check_sizes("AveragePool", size=self.size)

    def respond(self, input: Float[Array, "height width channels"]) -> Float[Array, "rows columns channels"]:
        """The mean of every square."""
        height, width, channels = input.shape
        rows, columns = height // self.size, width // self.size
        if not rows * columns:
            raise ValueError(f"AveragePool of size {self.size} got an image of {height} x {width}; it is too small.")
        cut = input[: rows * self.size, : columns * self.size]
        return cut.reshape(rows, self.size, columns, self.size, channels).mean(axis=(1, 3))


class Flat(Stateless[Float[Array, "..."], Float[Array, "features"]]):
    """All numbers of an array in a row, the last axis fastest: `y = reshape(x)`.

    Input of any shape; output `[features]`; all quantities dimensionless.

    Reference: the step from images to all-to-all connections, LeCun et al. 1989, Neural Computation 1:541.
    """

    def respond(self, input: Float[Array, "..."]) -> Float[Array, "features"]:
        """One vector."""
        return input.reshape(-1)
