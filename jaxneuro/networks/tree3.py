"""Tree-3: three layers in which one route joins an output and a weight."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_choice, check_sizes
from jaxneuro.machine import Stateless, parameter
from jaxneuro.neurons.dendritic.tree_layer import TreeLayer
from jaxneuro.synapses.dense import Dense


class Tree3(Stateless[Float[Array, "height width colours"], Float[Array, "outputs"]]):
    """Filters of each colour, max-pooling, a layer of trees, a readout: `y = W f(tree(pool(f(F * x)))) + b`.

    `(F * x)[i, j, c, k] = sum(F[a, b, c, k] x[i + a, j + b, c])`: every colour has K filters of its own, whose results
    are pooled in squares of 2 x 2. Trees sample them in strips without overlap; f is rectification or a sigmoid.

    Fields (dimensionless):
        filters: F, `[size, size, colours, K]`, normal of variance `2 / size^2`.
        filter_bias: `[colours, K]`, 0.
        trees: the second layer.
        readout: the third layer, from all strips of all trees.
        activation: f.

    An image of 32 x 32 x 3 with `K = 6`, 16 trees and strips of 2 rows gives 28 x 28, 14 x 14, 16 x 3 x 7 and 10
    numbers. Input `[height, width, colours]`. Output `[outputs]`.

    Reference: Meir et al. 2023, Scientific Reports 13:962, fig. 1c and Methods.
    """

    activation: Literal["relu", "sigmoid"] = eqx.field(static=True)
    trees: TreeLayer
    readout: Dense
    filters: Float[Array, "size size colours K"] = parameter()
    filter_bias: Float[Array, "colours K"] = parameter()

    def __init__(
        self,
        height: int = 32,
        width: int = 32,
        outputs: int = 10,
        *,
        colours: int = 3,
        filters: int = 6,
        size: int = 5,
        trees: int = 16,
        rows: int = 2,
        activation: Literal["relu", "sigmoid"] = "relu",
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("Tree3", height=height, width=width, outputs=outputs, colours=colours, filters=filters, size=size)
        check_choice("Tree3", "activation", activation, ("relu", "sigmoid"))
        high, wide = (height - size + 1) // 2, (width - size + 1) // 2
        if min(high, wide) < 1:
            raise ValueError(f"Tree3 got size={size}; a filter and a pool leave nothing of {height} x {width}.")
        filter_key, tree_key, readout_key = jax.random.split(key, 3)
        self.activation = activation
        self.filters = (2 / size**2) ** 0.5 * jax.random.normal(filter_key, (size, size, colours, filters))
        self.filter_bias = jnp.zeros((colours, filters))
        self.trees = TreeLayer(high, wide, colours=colours, filters=filters, trees=trees, rows=rows, key=tree_key)
        self.readout = Dense(self.trees.bias.size, outputs, gain=2**0.5, key=readout_key)

    def pooled(self, input: Float[Array, "height width colours"]) -> Float[Array, "high wide colours K"]:
        """The first layer."""
        size, _, colours, count = self.filters.shape
        found = jax.lax.conv_general_dilated(
            input[None],
            self.filters.reshape(size, size, 1, colours * count),
            window_strides=(1, 1),
            padding="VALID",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=colours,
        )[0]
        found = self._squash(
            found.reshape(*found.shape[:2], colours, count)
            + jnp.broadcast_to(self.filter_bias, (*found.shape[:2], colours, count))
        )
        high, wide = found.shape[0] // 2, found.shape[1] // 2
        squares = found[: 2 * high, : 2 * wide].reshape(high, 2, wide, 2, colours, count)
        return squares.max(axis=(1, 3))

    def respond(self, input: Float[Array, "height width colours"]) -> Float[Array, "outputs"]:
        """All three layers."""
        return self.readout.respond(self._squash(self.trees.respond(self.pooled(input))).reshape(-1))

    def _squash(self, drive: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        return jax.nn.relu(drive) if self.activation == "relu" else jax.nn.sigmoid(drive)
