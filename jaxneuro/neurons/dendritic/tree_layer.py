"""A layer of dendritic trees: every input is on one branch of each tree, and nowhere else."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Scalar, Stateless, parameter


class TreeLayer(Stateless[Float[Array, "height width colours filters"], Float[Array, "trees colours strips"]]):
    """Trees that sample an image of features in rectangles that do not overlap, each with weights of its own.

    `y[m, c, s] = b[m, c, s] + sum(w[m, i, j, c, f] x[i, j, c, f])` over all filters f, columns j, and the `rows`
    consecutive rows i of strip s. Nothing is shared: each weight has one output, and each input one in each tree.

    Fields (dimensionless):
        rows: height of a rectangle, which is as wide as the image; it divides the height.
        weights: w, `[trees, height, width, colours, filters]`, normal of variance `2 / (rows width filters)` (He et al.
            2015).
        bias: b, `[trees, colours, strips]`, 0.

    Input `[height, width, colours, filters]`. Output `[trees, colours, strips]`, with `height / rows` strips.

    Reference: Meir et al. 2023, Scientific Reports 13:962, fig. 1c and Methods: 16 trees of an image of 14 x 14, 2 rows
    high, that is 2 x 2 x 7 places of K filters, give 16 x 3 x 7 outputs.
    """

    rows: int = eqx.field(static=True)
    weights: Float[Array, "trees height width colours filters"] = parameter()
    bias: Float[Array, "trees colours strips"] = parameter()

    def __init__(
        self,
        height: int,
        width: int,
        *,
        colours: int = 1,
        filters: int = 1,
        trees: int = 16,
        rows: int = 1,
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("TreeLayer", height=height, width=width, colours=colours, filters=filters, trees=trees, rows=rows)
        if height % rows:
            raise ValueError(f"TreeLayer got rows={rows}; it must divide the height, {height}.")
        deviation = (2 / (rows * width * filters)) ** 0.5
        self.rows = rows
        self.weights = deviation * jax.random.normal(key, (trees, height, width, colours, filters))
        self.bias = jnp.zeros((trees, colours, height // rows))

    def respond(self, input: Float[Array, "height width colours filters"]) -> Float[Array, "trees colours strips"]:
        """The sums of all rectangles."""
        trees, colours, strips = self.bias.shape
        along = jnp.einsum("mijcf,ijcf->mci", self.weights, input)
        return along.reshape(trees, colours, strips, self.rows).sum(axis=-1) + self.bias


class AmplifiedTree(Stateless[Float[Array, "inputs"], Float[Array, "outputs"]]):
    """Dendritic trees whose sub-dendrites amplify: a product of all their inputs is made where they meet.

    `y_o = b_o + sum(v[o, d] a(sum(w[o, d, i] x[d k + i]) + c[o, d]))`: each output has a tree of its own, whose
    sub-dendrites d take k neighbouring inputs each, that no other takes. The amplification `a(u) = u + gain u^2` makes
    crosses, products of two inputs of one sub-dendrite; with gain 0 the tree is a linear neuron.

    Fields (dimensionless):
        weights: w, `[outputs, dendrites, inputs / dendrites]`, normal of variance `dendrites / inputs`.
        bias: c, `[outputs, dendrites]`, 0.
        trunk_weights: v, `[outputs, dendrites]`, normal of variance `1 / dendrites`.
        trunk_bias: b, `[outputs]`, 0.
        gain: of the amplification.

    Between an output and a weight there is one route. Input `[inputs]`. Output: y, `[outputs]`.

    Reference: sub-dendritic adaptation with nonlinear amplification, Hodassman et al. 2022, Scientific Reports 12:6571;
    the quadratic amplification stands for theirs.
    """

    weights: Float[Array, "outputs dendrites each"] = parameter()
    bias: Float[Array, "outputs dendrites"] = parameter()
    trunk_weights: Float[Array, "outputs dendrites"] = parameter()
    trunk_bias: Float[Array, "outputs"] = parameter()
    gain: Scalar = parameter(1.0)

    def __init__(self, inputs: int, outputs: int, *, dendrites: int = 1, gain: float = 1.0, key: PRNGKeyArray) -> None:
        check_sizes("AmplifiedTree", inputs=inputs, outputs=outputs, dendrites=dendrites)
        if inputs % dendrites:
            raise ValueError(f"AmplifiedTree got dendrites={dendrites}; it must divide the {inputs} inputs.")
        leaf_key, trunk_key = jax.random.split(key)
        each = inputs // dendrites
        self.weights = each**-0.5 * jax.random.normal(leaf_key, (outputs, dendrites, each))
        self.bias = jnp.zeros((outputs, dendrites))
        self.trunk_weights = dendrites**-0.5 * jax.random.normal(trunk_key, (outputs, dendrites))
        self.trunk_bias = jnp.zeros(outputs)
        self.gain = gain

    def respond(self, input: Float[Array, "inputs"]) -> Float[Array, "outputs"]:
        """Sub-dendrites, amplification, trunk."""
        shared = input.reshape(self.weights.shape[1:])
        drive = jnp.einsum("odi,di->od", self.weights, shared) + self.bias
        amplified = drive + self.gain * drive**2
        return (self.trunk_weights * amplified).sum(axis=1) + self.trunk_bias
