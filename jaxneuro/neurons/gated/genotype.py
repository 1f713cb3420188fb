"""Cells that architecture search found, read from their published genotypes."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_choice, check_sizes
from jaxneuro.machine import Driven, parameter

BOUND = 0.04  # of the initial weights
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "identity": lambda x: x,
}


class Genotype(NamedTuple):
    """Each node after the first: its activation and the number of the node it sees; and the nodes that are averaged."""

    nodes: tuple[tuple[str, int], ...]
    mean: tuple[int, ...]


DARTS_V1 = Genotype(
    (
        ("relu", 0),
        ("relu", 1),
        ("tanh", 2),
        ("relu", 3),
        ("relu", 4),
        ("identity", 1),
        ("relu", 5),
        ("relu", 1),
    ),
    (1, 2, 3, 4, 5, 6, 7, 8),
)
DARTS_V2 = Genotype(
    (
        ("sigmoid", 0),
        ("relu", 1),
        ("relu", 1),
        ("identity", 1),
        ("tanh", 2),
        ("sigmoid", 5),
        ("tanh", 3),
        ("relu", 5),
    ),
    (1, 2, 3, 4, 5, 6, 7, 8),
)
ENAS_PENN = Genotype(
    (
        ("tanh", 0),
        ("tanh", 1),
        ("relu", 1),
        ("tanh", 3),
        ("tanh", 3),
        ("relu", 3),
        ("relu", 4),
        ("relu", 7),
        ("relu", 8),
        ("relu", 8),
        ("relu", 8),
    ),
    (2, 5, 6, 9, 10, 11),
)


class GenotypeState(eqx.Module):
    """The output, which the next step starts from."""

    hidden: Float[Array, "units"]


class GenotypeCell(Driven[GenotypeState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of neurons whose inner graph is a genotype of differentiable architecture search.

    Node 0: `s_0 = h + sigmoid(W x + U h) (tanh(W x + U h) - h)`, the gate and the candidate with their own rows. Node i
    with activation a and predecessor p: `s_i = s_p + sigmoid(V_i s_p) (a(V_i s_p) - s_p)`, its own rows likewise. The
    output is the mean of the nodes that `genotype.mean` names: `h <- mean(s_i)`.

    Fields (the rows of the gate before those of the candidate; all quantities dimensionless, all weights uniform within
    0.04 of 0, as in the authors' program, which has no bias):
        input_weights: W, `[2 units, inputs]`.
        recurrent_weights: U, `[2 units, units]`.
        node_weights: V, `[nodes, 2 units, units]`.
        genotype: the graph.

    Parameters: `2 units (inputs + units) + 2 nodes units^2`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Liu, Simonyan and Yang 2019, arXiv:1806.09055, section 2.1 and appendix.
    """

    genotype: Genotype = eqx.field(static=True)
    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    node_weights: Float[Array, "nodes gates units"] = parameter()

    def __init__(self, inputs: int, units: int, *, genotype: Genotype, key: PRNGKeyArray) -> None:
        name = type(self).__name__
        check_sizes(name, inputs=inputs, units=units)
        for node, (activation, predecessor) in enumerate(genotype.nodes, 1):
            if activation not in ACTIVATIONS or not 0 <= predecessor < node:
                raise ValueError(
                    f"{name}: node {node} of genotype is ({activation!r}, {predecessor}); it must be one of"
                    f" {', '.join(ACTIVATIONS)} and a node from 0 to {node - 1}."
                )
        if not genotype.mean or not set(genotype.mean) <= set(range(len(genotype.nodes) + 1)):
            raise ValueError(
                f"{name}: genotype.mean is {genotype.mean}; it must name nodes from 0 to {len(genotype.nodes)}."
            )
        keys = jax.random.split(key, 3)
        shapes = (2 * units, inputs), (2 * units, units), (len(genotype.nodes), 2 * units, units)
        self.input_weights, self.recurrent_weights, self.node_weights = (
            jax.random.uniform(key, shape, minval=-BOUND, maxval=BOUND) for key, shape in zip(keys, shapes, strict=True)
        )
        self.genotype = genotype

    def init(self, key: PRNGKeyArray) -> GenotypeState:
        """Zero."""
        return GenotypeState(jnp.zeros(self.recurrent_weights.shape[-1], self.recurrent_weights.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x`."""
        return self.input_weights @ input

    def transition(
        self, state: GenotypeState, drive: Float[Array, "gates"]
    ) -> tuple[GenotypeState, Float[Array, "units"]]:
        """All nodes in order, and their mean."""
        nodes = [_node("tanh", state.hidden, drive + self.recurrent_weights @ state.hidden)]
        for weights, (activation, predecessor) in zip(self.node_weights, self.genotype.nodes, strict=True):
            seen = nodes[predecessor]
            nodes.append(_node(activation, seen, weights @ seen))
        hidden = sum((nodes[i] for i in self.genotype.mean[1:]), nodes[self.genotype.mean[0]])
        hidden = hidden / len(self.genotype.mean)
        return GenotypeState(hidden), hidden


def _node(activation: str, seen: Float[Array, "units"], sums: Float[Array, "gates"]) -> Float[Array, "units"]:
    gate, candidate = jnp.split(sums, 2)
    return seen + jax.nn.sigmoid(gate) * (ACTIVATIONS[activation](candidate) - seen)


class DARTS(GenotypeCell):
    """A layer of the neurons that differentiable architecture search found on Penn Treebank.

    A `GenotypeCell` of 8 nodes: `s_0 = h + sigmoid(W x + U h) (tanh(W x + U h) - h)`,
    `s_i = s_p + sigmoid(V_i s_p) (a(V_i s_p) - s_p)`, `h <- mean(s_1, ..., s_8)`, where `version` names the list of
    activations a and predecessors p: "v1" found with the first-order gradient, "v2" with the second-order one.

    Fields: those of `GenotypeCell`, dimensionless. Parameters: `2 units (inputs + units) + 16 units^2`. Input
    `[inputs]`. Output: h, `[units]`.

    Reference: Liu, Simonyan and Yang 2019, arXiv:1806.09055, and the genotypes in the authors' program.
    """

    def __init__(self, inputs: int, units: int, *, version: Literal["v1", "v2"] = "v2", key: PRNGKeyArray) -> None:
        versions = {"v1": DARTS_V1, "v2": DARTS_V2}
        check_choice("DARTS", "version", version, versions)
        super().__init__(inputs, units, genotype=versions[version], key=key)


class ENAS(GenotypeCell):
    """A layer of the neurons that efficient architecture search found on Penn Treebank.

    A `GenotypeCell` of 11 nodes: `s_0 = h + sigmoid(W x + U h) (tanh(W x + U h) - h)`,
    `s_i = s_p + sigmoid(V_i s_p) (a(V_i s_p) - s_p)`, `h <- mean(s_2, s_5, s_6, s_9, s_10, s_11)`, which are the nodes
    that no other node sees.

    Fields: those of `GenotypeCell`, dimensionless. Parameters: `2 units (inputs + units) + 22 units^2`. Input
    `[inputs]`. Output: h, `[units]`.

    Reference: Pham, Guan, Zoph, Le and Dean 2018, arXiv:1802.03268, as read by Liu et al. 2019, arXiv:1806.09055.
    """

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        super().__init__(inputs, units, genotype=ENAS_PENN, key=key)
