"""Simple recurrent unit: no neuron sees another's state."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Driven, Scalar, parameter


class SRUState(eqx.Module):
    """What the neuron keeps."""

    cell: Float[Array, "units"]


class SRUDrive(eqx.Module):
    """What the input gives to the candidate and the two gates, and what goes past the neuron."""

    sums: Float[Array, "gates"]
    highway: Float[Array, "units"]


class SRU(Driven[SRUState, Float[Array, "inputs"], Float[Array, "units"], SRUDrive]):
    """A layer of simple recurrent units.

    `f, r = sigmoid(W x + v c + b)`, elementwise in c; `c <- f c + (1 - f) W x`; then, with the new c,
    `h = r c + (1 - r) scale x`. Each of the three products has its own rows of W; where the layer has not as many
    neurons as inputs, a fourth stands for the last x.

    Fields (the rows in the order candidate, f, r, highway; all quantities dimensionless):
        input_weights: W, `[3 units, inputs]` or `[4 units, inputs]`, uniform of variance `1 / inputs`; half of that for
            the gates, which v c reaches too.
        cell_weights: v, `[2 units]`, uniform of variance 1/2.
        bias: b, `[2 units]`, 0 for f and `highway_bias` for r.
        scale: scalar, `sqrt(1 + 2 exp(highway_bias))`, so that h starts with the variance of x; 1 without `rescale`.

    Parameters: `3 units inputs + 4 units + 1` as many inputs as neurons, else `4 units inputs + 4 units + 1`. Input
    `[inputs]`. Output: h, `[units]`.

    Reference: Lei, Zhang, Wang, Dai and Artzi 2018, arXiv:1709.02755, section 3; variances of the gates as in the
    authors' program.
    """

    input_weights: Float[Array, "rows inputs"] = parameter()
    cell_weights: Float[Array, "gates"] = parameter()
    bias: Float[Array, "gates"] = parameter()
    scale: Scalar = parameter()

    def __init__(
        self, inputs: int, units: int, *, highway_bias: float = 0.0, rescale: bool = True, key: PRNGKeyArray
    ) -> None:
        check_sizes("SRU", inputs=inputs, units=units)
        input_key, cell_key = jax.random.split(key)
        rows, bound = 3 if inputs == units else 4, (3 / inputs) ** 0.5
        weights = jax.random.uniform(input_key, (rows, units, inputs), minval=-bound, maxval=bound)
        self.input_weights = weights.at[1:3].multiply(0.5**0.5).reshape(rows * units, inputs)
        self.cell_weights = jax.random.uniform(cell_key, (2 * units,), minval=-(1.5**0.5), maxval=1.5**0.5)
        self.bias = jnp.zeros((2, units)).at[1].set(highway_bias).reshape(2 * units)
        self.scale = math.sqrt(1 + 2 * math.exp(highway_bias)) if rescale else 1.0

    def init(self, key: PRNGKeyArray) -> SRUState:
        """Zero."""
        return SRUState(jnp.zeros(self.bias.shape[0] // 2, self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> SRUDrive:
        """`W x`, with the bias where there is one, and `scale x`."""
        units = self.bias.shape[0] // 2
        offsets = jnp.concatenate([jnp.zeros(units, self.bias.dtype), self.bias])
        if self.input_weights.shape[0] == 3 * units:
            return SRUDrive(self.input_weights @ input + offsets, self.scale * input)
        sums = self.input_weights @ input
        return SRUDrive(sums[: 3 * units] + offsets, self.scale * sums[3 * units :])

    def transition(self, state: SRUState, drive: SRUDrive) -> tuple[SRUState, Float[Array, "units"]]:
        """The gates, the new cell, the output."""
        candidate, f, r = jnp.split(drive.sums, 3)
        forget_weights, reset_weights = jnp.split(self.cell_weights, 2)
        forget = jax.nn.sigmoid(f + forget_weights * state.cell)
        reset = jax.nn.sigmoid(r + reset_weights * state.cell)
        cell = forget * state.cell + (1 - forget) * candidate
        return SRUState(cell), reset * cell + (1 - reset) * drive.highway
