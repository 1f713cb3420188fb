"""A population of different cells in one program: run over time, with a reverse pass written by hand.

All wires of a cell lie in one array `[wires, units * batch]`, and a node is one kernel for a whole chunk of the
population: it reads its two operands by index, applies the one formula of all nodes, and writes its row. The loop over
nodes ends at the last node that any cell of the chunk has, a number that is data: other graphs never recompile.

The reverse pass reads by index too: it goes from each wire to its readers (`jaxneuro.search.tape`), one reader of one
node a round; how many rounds the chunk needs is data as well. The derivative of an activation follows from its value;
what a spike pretends needs z, which is made again for its node.

The products of a stage are one batched product, of both its terms: U v and W x are `[U W] [v; x]`. The gradients of the
weights are added up step by step, which costs less than to keep their factors for a product over all of time. Node
values are not kept for the reverse pass but made again.
"""

import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxneuro.search.genome import FIRST_STATE, ONE
from jaxneuro.search.tape import Rows, Tape
from jaxneuro.surrogate import FastSigmoid

AT_ONCE = 2  # readers of a slot or a state that one kernel takes; more take a kernel each


class Weights(eqx.Module):
    """The weights of a population, as those of `EvolvedCell` with a leading axis.

    Fields:
        input: W, `[population, stages, slots, units, inputs]`.
        recurrent: U, `[population, stages, slots, units, units]`.
        bias: b, `[population, stages, slots, units]`.
    """

    input: Float[Array, "*population stages slots units inputs"]
    recurrent: Float[Array, "*population stages slots units units"]
    bias: Float[Array, "*population stages slots units"]


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def run_population(
    weights: Weights, tape: Tape, inputs: Float[Array, "time inputs batch"], spiking: bool = False
) -> Float[Array, "time population units batch"]:
    """The outputs of a population of cells for one batch of sequences.

    Batches are the last axis here, so that the gates of a cell lie one below the other in one product.

    Args:
        weights: of all cells.
        tape: of all cells.
        inputs: `[time, inputs, batch]`, for all cells the same.
        spiking: whether any cell may have spikes; without them the reverse pass is shorter.

    Returns:
        `[time, population, units, batch]`; differentiable by the weights.
    """
    return _forward(weights, tape, inputs, spiking)[0]


def _forward(weights: Weights, tape: Tape, inputs: Array, spiking: bool) -> tuple[Array, Any]:
    population, units, batch = *weights.bias.shape[::3], inputs.shape[-1]
    evaluator = _Evaluator(tape, population, units, batch, weights.bias.dtype, spiking)
    space = evaluator.space
    matrix, bias = evaluator.matrices(weights)

    def step(carry: tuple[Array, Array], x: Array) -> tuple[tuple[Array, Array], Any]:
        # States beside the wires, not read from among them: what is kept of a step would cost a copy of all wires.
        wires, states = carry
        wires = _put(wires, states, FIRST_STATE)
        slots, kept = [], []
        for stage in range(space.stages):
            total = bias[:, stage] + jnp.einsum("pgm,pmb->pgb", matrix[:, stage], evaluator.read(wires, x, stage))
            total = total.reshape(population, space.slots, -1)
            value = evaluator.activate(total, tape.squash[:, stage])
            wires = _put(wires, value, space.slot(stage))
            wires = evaluator.nodes(wires, stage)
            slots.append(value)
            kept.append(total if spiking else ())
        output = _take(wires, tape.output)
        new = jnp.take_along_axis(wires, tape.next[..., None], 1, mode="clip")
        return (wires, new), (output, states, tuple(slots), tuple(kept))

    start = (evaluator.blank(), jnp.zeros((population, space.states, units * batch), weights.bias.dtype))
    _, (outputs, states, slots, totals) = jax.lax.scan(step, start, inputs)
    return outputs.reshape(-1, population, units, batch), (weights, tape, inputs, states, slots, totals)


def _backward(spiking: bool, saved: Any, cotangent: Array) -> tuple[Weights, None, Array]:
    weights, tape, inputs, states, slots, totals = saved
    population, units, batch = *weights.bias.shape[::3], inputs.shape[-1]
    evaluator = _Evaluator(tape, population, units, batch, weights.bias.dtype, spiking)
    space, rows = evaluator.space, Rows.of(evaluator.space)
    matrix, bias = evaluator.matrices(weights)
    back, into = jnp.swapaxes(matrix[..., :units], 2, 3), matrix[..., units:]
    size = units * batch

    def step(carry: tuple, now: tuple) -> tuple[tuple, Array]:
        wires, changes, later, of_matrix, of_bias = carry
        x, states, slots, totals, dy = now
        wires = _put(wires, states, FIRST_STATE)
        for stage in range(space.stages):
            wires = evaluator.nodes(_put(wires, slots[stage], space.slot(stage)), stage)
        changes = _put(changes, jnp.concatenate([later, dy.reshape(population, 1, size)], 1), rows.next)
        totals_back, reads = [], []
        for stage in reversed(range(space.stages)):
            changes = evaluator.nodes_back(wires, changes, stage)
            total = totals[stage] if spiking else None
            change = evaluator.rows_back(wires, changes, space.slot(stage), space.slots, total)
            changes = _put(changes, change, space.slot(stage))
            change = change.reshape(population, -1, batch)
            read = jnp.einsum("phg,pgb->phb", back[:, stage], change)
            changes = _put(changes, read.reshape(population, 1, size), rows.source + stage)
            totals_back.append(change)
            reads.append(evaluator.read(wires, x, stage))
        later = evaluator.rows_back(wires, changes, FIRST_STATE, space.states, None)
        change = jnp.stack(totals_back[::-1], 1)
        of_matrix = of_matrix + jnp.einsum("prgb,prmb->prgm", change, jnp.stack(reads[::-1], 1))
        of_bias = of_bias + change.sum(-1, keepdims=True)
        return (wires, changes, later, of_matrix, of_bias), jnp.einsum("prgi,prgb->ib", into, change)

    start = (
        evaluator.blank(),
        jnp.zeros((population, rows.zero + 1, size), weights.bias.dtype),
        jnp.zeros((population, space.states, size), weights.bias.dtype),
        jnp.zeros_like(matrix),
        jnp.zeros_like(bias),
    )
    (*_, change, change_of_bias), of_inputs = jax.lax.scan(
        step, start, (inputs, states, slots, totals, cotangent), reverse=True
    )
    found = Weights(
        input=change[..., units:].reshape(weights.input.shape),
        recurrent=change[..., :units].reshape(weights.recurrent.shape),
        bias=change_of_bias.reshape(weights.bias.shape),
    )
    # Terms that a genome does not have have no gradient.
    has_input, has_recurrent = tape.has_input[..., None, None], tape.has_recurrent[..., None, None]
    gradient = Weights(found.input * has_input, found.recurrent * has_recurrent, found.bias * tape.has_bias[..., None])
    return gradient, None, of_inputs


run_population.defvjp(_forward, _backward)


class _Evaluator:
    """The kernels of a chunk of the population."""

    def __init__(self, tape: Tape, population: int, units: int, batch: int, dtype: Any, spiking: bool) -> None:
        self.tape, self.space, self.spiking = tape, tape.space, spiking
        self.shape, self.dtype = (population, units, batch), dtype
        self.last = tape.count.max(0)
        self.most = tape.readers.max(0)
        self.rounds = tuple(self._rounds(stage) for stage in range(tape.space.stages))

    def blank(self) -> Array:
        """All wires, the numbers 0 and 1 set."""
        population, units, batch = self.shape
        wires = jnp.zeros((population, self.space.wires, units * batch), self.dtype)
        return wires.at[:, ONE].set(1)

    def matrices(self, weights: Weights) -> tuple[Array, Array]:
        """`[U W]` of all cells, `[population, stages, rows, units + inputs]`, and b; 0 for terms that are not there."""
        population, units, _ = self.shape
        stages, rows = self.space.stages, self.space.slots * units
        has_input, has_recurrent = self.tape.has_input[..., None, None], self.tape.has_recurrent[..., None, None]
        both = jnp.concatenate([weights.recurrent * has_recurrent, weights.input * has_input], -1)
        bias = weights.bias * self.tape.has_bias[..., None]
        return both.reshape(population, stages, rows, -1), bias.reshape(population, stages, rows, 1)

    def read(self, wires: Array, x: Array, stage: int) -> Array:
        """`[v; x]` of a stage, `[population, units + inputs, batch]`."""
        source = _take(wires, self.tape.source[:, stage]).reshape(self.shape)
        return jnp.concatenate([source, jnp.broadcast_to(x, (len(source), *x.shape))], 1)

    def _rounds(self, stage: int) -> tuple[Array, Array, Array, Array]:
        """The order of the reverse pass: of each round the node, which of its readers, whether that is its last.

        And how many rounds there are. A node without readers has one.
        """
        nodes, start = self.space.nodes, self.space.node(stage)
        order = jnp.arange(nodes - 1, -1, -1, dtype=jnp.int32)
        each = jnp.maximum(1, self.most[start : start + nodes])
        each = jnp.where(order < self.last[stage], each[::-1], 0)
        ends = jnp.cumsum(each)
        number = jnp.arange(nodes * self.tape.reader.shape[-1], dtype=jnp.int32)
        place = jnp.minimum((ends[None] <= number[:, None]).sum(1, dtype=jnp.int32), nodes - 1)
        return order[place], number - (ends - each)[place], number == ends[place] - 1, ends[-1]

    def activate(self, u: Array, coefficients: Array) -> Array:
        """The one formula; coefficients have one axis more than `u` has but the last."""
        gain, scale, linear, relu, step, constant = (c[..., None] for c in jnp.moveaxis(coefficients, -1, 0))
        value = gain * jnp.tanh(scale * u) + (jnp.where(u > 0, linear + relu, linear) * u + constant)
        return value + jnp.where(u >= 0, step, 0) if self.spiking else value

    def nodes(self, wires: Array, stage: int) -> Array:
        """The nodes of a stage, one after the other."""
        p = self.tape

        def body(node: Array, wires: Array) -> Array:
            value = self.activate(self.combined(wires, stage, node), _at(p.activation[:, stage], node))
            return _put(wires, value[:, None], self.space.node(stage) + node)

        return jax.lax.fori_loop(0, self.last[stage], body, wires)

    def combined(self, wires: Array, stage: int, node: Array) -> Array:
        """What a node is an activation of: `p a + q b + r a b`."""
        p = self.tape
        first, second, k = (_at(part[:, stage], node) for part in (p.first, p.second, p.combine))
        a, b = _take(wires, first), _take(wires, second)
        return a * (k[:, 0:1] + k[:, 2:3] * b) + k[:, 1:2] * b

    def nodes_back(self, wires: Array, changes: Array, stage: int) -> Array:
        """The cotangents of the nodes of a stage, from the last to the first: one reader of one node a round."""
        p, start = self.tape, self.space.node(stage)
        nodes, readers, final, rounds = self.rounds[stage]

        def body(i: Array, changes: Array) -> Array:
            node, wire = nodes[i], start + nodes[i]
            slope = self.slope(jax.lax.dynamic_index_in_dim(wires, wire, 1, keepdims=False), _at(p.slope, wire))
            if self.spiking:
                slope = slope + _at(p.spikes, wire)[:, None] * FastSigmoid().kernel(self.combined(wires, stage, node))
            before = jax.lax.dynamic_index_in_dim(changes, wire, 1, keepdims=False)
            back = jnp.where(readers[i] == 0, 0, before)
            back = back + self.term(wires, changes, lambda part: _at(part, wire), readers[i])
            return _put(changes, jnp.where(final[i], back * slope, back)[:, None], wire)

        return jax.lax.fori_loop(0, rounds, body, changes)

    def rows_back(self, wires: Array, changes: Array, start: int, length: int, totals: Array | None) -> Array:
        """The cotangents of neighbouring wires that do not read each other."""
        p, here = self.tape, slice(start, start + length)
        slope = self.slope(wires[:, here], p.slope[:, here])
        if totals is not None:
            slope = slope + p.spikes[:, here, None] * FastSigmoid().kernel(totals)
        return slope * self.received(wires, changes, lambda part: part[:, here], self.most[here].max())

    def slope(self, value: Array, e: Array) -> Array:
        """`act'`, from the value."""
        e0, e1, e2, e3 = (c[..., None] for c in jnp.moveaxis(e, -1, 0))
        return value * (e1 + e2 * value) + jnp.where(value > 0, e0 + e3, e0)

    def received(self, wires: Array, changes: Array, of: Callable[[Array], Array], most: Array) -> Array:
        """What the readers of wires pass back, the first few in one kernel."""
        term = functools.partial(self.term, wires, changes, of)
        zero = jnp.zeros((*of(self.tape.reader).shape[:-1], wires.shape[-1]), self.dtype)
        rest = jax.lax.fori_loop(AT_ONCE, jnp.maximum(most, AT_ONCE), lambda k, sum: sum + term(k), zero)
        return sum((term(k) for k in range(AT_ONCE)), rest)

    def term(self, wires: Array, changes: Array, of: Callable[[Array], Array], k: Any) -> Array:
        """What the k-th readers of wires pass back."""
        reader, other, share = of(self.tape.reader), of(self.tape.other), of(self.tape.share)
        back = _take(changes, jax.lax.dynamic_index_in_dim(reader, k, reader.ndim - 1, keepdims=False))
        across = _take(wires, jax.lax.dynamic_index_in_dim(other, k, other.ndim - 1, keepdims=False))
        part = jax.lax.dynamic_index_in_dim(share, k, share.ndim - 2, keepdims=False)
        return back * (part[..., 0:1] + part[..., 1:2] * across)


def _take(values: Array, index: Array) -> Array:
    """Rows of `[population, rows, size]` by an index `[population]` or `[population, some]`."""
    if index.ndim == 1:
        return jnp.take_along_axis(values, index[:, None, None], 1, mode="clip")[:, 0]
    return jnp.take_along_axis(values, index[..., None], 1, mode="clip")


def _at(part: Array, place: Array) -> Array:
    return jax.lax.dynamic_index_in_dim(part, place, 1, keepdims=False)


def _put(values: Array, rows: Array, start: Any) -> Array:
    """Rows written in place. What is written is made before; made inside of the write it would cost a copy of all."""
    return jax.lax.dynamic_update_slice_in_dim(values, jax.lax.optimization_barrier(rows), start, 1)
