"""A population of genomes as the evaluator reads them: coefficients, operands, and who reads each wire.

The transpose of reading by index would be a scatter, which is slow. Instead each wire knows who reads it, and how: a
node `act(z)`, `z = p a + q b + r a b`, passes `dz (p + r b)` to a and `dz (q + r a)` to b, so what a wire gets back is

    sum over its readers of dz_reader (alpha + beta other),    dz = act'(value) * that

which only reads by index again. `act'` follows from the value itself: for all activations but the spike it is
`e0 + e1 y + e2 y^2 + e3 [y > 0]`.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxneuro.search.genome import (
    ACTIVATIONS,
    COMBINES,
    FIRST,
    FIRST_STATE,
    IDENTITY,
    ONE,
    RELU,
    SIGMOID,
    SPIKE,
    TANH,
    ZERO,
    Genome,
    Space,
)

# `act'` as a function of the value: `e0 + e1 y + e2 y^2 + e3 [y > 0]`.
SLOPES = {TANH: (1.0, 0.0, -1.0, 0.0), SIGMOID: (0.0, 1.0, -1.0, 0.0), RELU: (0.0, 0.0, 0.0, 1.0)}


class Tape(eqx.Module):
    """A population of genomes as the evaluator reads them.

    Fields (the leading axis is the population; rows are wires, and behind them the cotangents of the next states, of
    the output and of what the stages read, and a row of zeros):
        source: the wire that a stage reads.
        has_input, has_recurrent, has_bias: 1 for the terms of a slot, else 0.
        squash: coefficients of the activations of slots.
        combine, activation: coefficients of nodes.
        spikes: 1 for wires that spike, else 0.
        first, second: the operands of nodes.
        count: nodes of a stage up to the last that does something.
        slope: coefficients of `act'` for each wire.
        reader, other, share: for each wire its readers' rows, the other operand's wires, and (alpha, beta).
        readers: how many readers a wire has.
        next, output: wires.
    """

    source: Int[Array, "population stages"]
    has_input: Float[Array, "population stages slots"]
    has_recurrent: Float[Array, "population stages slots"]
    has_bias: Float[Array, "population stages slots"]
    squash: Float[Array, "population stages slots 6"]
    combine: Float[Array, "population stages nodes 3"]
    activation: Float[Array, "population stages nodes 6"]
    spikes: Float[Array, "population wires"]
    first: Int[Array, "population stages nodes"]
    second: Int[Array, "population stages nodes"]
    count: Int[Array, "population stages"]
    slope: Float[Array, "population wires 4"]
    reader: Int[Array, "population wires most"]
    other: Int[Array, "population wires most"]
    share: Float[Array, "population wires most 2"]
    readers: Int[Array, "population wires"]
    next: Int[Array, "population states"]
    output: Int[Array, "population"]

    @property
    def space(self) -> Space:
        """The space of the genomes."""
        return Space(self.source.shape[1], self.squash.shape[2], self.first.shape[2], self.next.shape[1])


class Rows(NamedTuple):
    """Where the cotangents lie that are not those of wires."""

    next: int
    output: int
    source: int
    zero: int

    @classmethod
    def of(cls, space: Space) -> "Rows":
        """Behind the wires of a space."""
        output = space.wires + space.states
        return cls(space.wires, output, output + 1, output + 1 + space.stages)


def tape_of(genomes: Genome, dtype: Any = jnp.float32) -> Tape:
    """What the evaluator reads of a population of genomes; may be traced.

    Args:
        genomes: a population of one space, canonical for speed.
        dtype: of the coefficients.

    Returns:
        The tape.
    """
    genomes = jax.tree.map(jnp.asarray, genomes)
    space, population = genomes.space, genomes.output.shape[0]
    rows = Rows.of(space)
    combine = jnp.asarray(list(COMBINES.values()), dtype)[genomes.combine]
    idle = (genomes.combine == FIRST) & (genomes.activation == IDENTITY) & (genomes.first == ZERO)
    number = jnp.arange(1, space.nodes + 1, dtype=jnp.int32)
    count = jnp.where(idle, 0, number[None, None]).max(-1, initial=0)

    wires = jnp.arange(space.wires, dtype=jnp.int32)
    node_wires = jnp.stack([wires[space.node(r) : space.node(r) + space.nodes] for r in range(space.stages)])
    nowhere = space.wires
    p, q, r = combine[..., 0], combine[..., 1], combine[..., 2]
    first = jnp.where(idle, nowhere, genomes.first)
    second = jnp.where(idle | (genomes.combine == FIRST), nowhere, genomes.second)
    reads = jnp.where((genomes.recurrent > 0).any(-1), genomes.source, nowhere)
    edges = [
        (first, node_wires, genomes.second, p, r),
        (second, node_wires, genomes.first, q, r),
        (genomes.next, rows.next + np.arange(space.states), 0, 1, 0),
        (genomes.output[:, None], rows.output, 0, 1, 0),
        (reads, rows.source + np.arange(space.stages), 0, 1, 0),
    ]

    def joined(part: int, kind: Any) -> Array:
        parts = [jnp.broadcast_to(jnp.asarray(edge[part], kind), edge[0].shape) for edge in edges]
        return jnp.concatenate([part.reshape(population, -1) for part in parts], 1)

    wire, row, other = (joined(part, jnp.int32) for part in range(3))
    alpha, beta = (joined(part, dtype) for part in (3, 4))
    wire = jnp.where(wire <= ONE, nowhere, wire)
    most = wire.shape[1]
    same = (wire[:, :, None] == wire[:, None, :]) & jnp.tril(jnp.ones((1, most, most), bool), -1)
    rank = same.sum(-1, dtype=jnp.int32)
    at = (jnp.arange(population, dtype=jnp.int32)[:, None], wire, rank)

    def table(fill: int, values: Array) -> Array:
        return (
            jnp.full((population, space.wires, most, *values.shape[2:]), fill, values.dtype)
            .at[at]
            .set(values, mode="drop")
        )

    activations = jnp.asarray(np.array(list(ACTIVATIONS.values())), dtype)
    slopes = jnp.asarray([slope_of(which) for which in range(len(ACTIVATIONS))], dtype)

    def by_wire(start: Array, slots: Array, nodes: Array) -> Array:
        stages = [jnp.concatenate([slots[:, i], nodes[:, i]], 1) for i in range(space.stages)]
        states = jnp.broadcast_to(start, (population, FIRST_STATE + space.states, *start.shape))
        return jnp.concatenate([states, *stages], 1)

    return Tape(
        source=jnp.asarray(genomes.source),
        has_input=jnp.asarray(genomes.input > 0, dtype),
        has_recurrent=jnp.asarray(genomes.recurrent > 0, dtype),
        has_bias=jnp.asarray(genomes.bias > 0, dtype),
        squash=activations[genomes.squash],
        combine=combine,
        activation=activations[genomes.activation],
        spikes=by_wire(
            jnp.zeros((), dtype), (genomes.squash == SPIKE).astype(dtype), (genomes.activation == SPIKE).astype(dtype)
        ),
        first=jnp.asarray(genomes.first),
        second=jnp.asarray(genomes.second),
        count=count,
        slope=by_wire(slopes[IDENTITY], slopes[genomes.squash], slopes[genomes.activation]),
        reader=table(rows.zero, row),
        other=table(0, other),
        share=table(0, jnp.stack([alpha, beta], -1)),
        readers=(wire[:, :, None] == wires[None, None]).sum(1, dtype=jnp.int32),
        next=jnp.asarray(genomes.next),
        output=jnp.asarray(genomes.output),
    )


def slope_of(which: int) -> tuple[float, float, float, float]:
    """`act'` as `e0 + e1 y + e2 y^2 + e3 [y > 0]`; 0 for a spike, whose slope the value does not tell."""
    return SLOPES.get(which, (float(list(ACTIVATIONS.values())[which].linear), 0.0, 0.0, 0.0))
