"""A genome while it is edited: who reads what, which places are free, and room for what is new.

A read is a place of a genome that names a wire. All of them in a row are the sources of the stages, the first operands
of all nodes, their second operands, what the states take, and the output. In a draft the wires keep their numbers while
nodes are added: a new node takes the number of a dead one and a rank between those of what it reads and of what reads
it. `finished` then sorts the nodes of each stage by rank and renames all reads once.
"""

import dataclasses
import functools
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxneuro.search.choices import Wire
from jaxneuro.search.genome import FIRST, FIRST_STATE, Genome, Space, largest

SOURCE, LEFT, RIGHT, NEXT, OUTPUT = range(5)
NEW = -1
KEPT = "input", "recurrent", "bias", "squash", "combine", "activation"


class Reads(NamedTuple):
    """The reads of a space, one entry each; what does not depend on the genome.

    Fields:
        limit: the largest wire that it may name.
        stage: the last stage whose nodes it may name; -1 if none.
        owner: the wire of the node or state that it belongs to; -1 for a source and the output.
        kind: `SOURCE`, `LEFT` (first operand), `RIGHT` (second operand), `NEXT` or `OUTPUT`.
    """

    limit: np.ndarray
    stage: np.ndarray
    owner: np.ndarray
    kind: np.ndarray


@functools.cache
def reads_of(space: Space) -> Reads:
    """The reads of a space.

    Args:
        space: the space.

    Returns:
        Integer arrays `[reads]`.
    """
    stages, wires = np.arange(space.stages), np.arange(space.wires)
    nodes = wires[space.slot(0) :].reshape(space.stages, -1)[:, space.slots :].ravel()
    in_stage, last = np.repeat(stages, space.nodes), space.stages - 1
    counts = [space.stages, len(nodes), len(nodes), space.states, 1]
    missing = np.full(space.stages, -1)
    columns = [
        np.concatenate([np.ravel(array) for array in _arrays(largest(space))]),
        np.concatenate([stages - 1, in_stage, in_stage, np.full(space.states + 1, last)]),
        np.concatenate([missing, nodes, nodes, wires[FIRST_STATE : space.slot(0)], [-1]]),
        np.repeat([SOURCE, LEFT, RIGHT, NEXT, OUTPUT], counts),
    ]
    return Reads(*(column.astype(np.int32) for column in columns))


def _arrays(genome: Genome) -> tuple:
    return genome.source, genome.first, genome.second, genome.next, genome.output


class Draft(eqx.Module):
    """A genome while it is edited.

    Fields:
        reads: the wire of each read. A node may read one of a larger number than its own.
        input, recurrent, bias, squash, combine, activation: as in `Genome`.
        rank: the order of the nodes of a stage; a node reads nodes of smaller rank alone.
        live: whether the output depends on a wire, now or later; what is not live may be overwritten.
        origin: the slot, counted through all stages, whose weights a slot has; `NEW` if it is new.
        done: whether the edit found all that it needs; if not, the genome shall stay as it was.
    """

    reads: Int[Array, "reads"]
    input: Int[Array, "stages slots"]
    recurrent: Int[Array, "stages slots"]
    bias: Int[Array, "stages slots"]
    squash: Int[Array, "stages slots"]
    combine: Int[Array, "stages nodes"]
    activation: Int[Array, "stages nodes"]
    rank: Float[Array, "stages nodes"]
    live: Bool[Array, "wires"]
    origin: Int[Array, "stages slots"]
    done: Bool[Array, ""]

    @property
    def space(self) -> Space:
        """The shape of the genome."""
        (stages, slots), nodes = self.input.shape, self.combine.shape[1]
        return Space(stages, slots, nodes, self.live.size - FIRST_STATE - stages * (slots + nodes))

    @property
    def live_slots(self) -> Bool[Array, "stages slots"]:
        """Which slots are live."""
        return by_place(self.space, self.live)[0]

    @property
    def live_nodes(self) -> Bool[Array, "stages nodes"]:
        """Which nodes are live."""
        return by_place(self.space, self.live)[1]

    @property
    def live_states(self) -> Bool[Array, "states"]:
        """Which states are live."""
        return self.live[FIRST_STATE : self.space.slot(0)]

    @property
    def used(self) -> Bool[Array, "reads"]:
        """Which reads matter: those of what is live, and of these not the second operand of a node that has one."""
        source = (self.live_slots & (self.recurrent > 0)).any(-1)
        second = self.live_nodes & (self.combine != FIRST)
        parts = [source, self.live_nodes.ravel(), second.ravel(), self.live_states, np.ones(1, bool)]
        return jnp.concatenate(parts)

    def reading(self, readers: Bool[Array, "reads"], wire: Wire | Int[Array, "reads"]) -> "Draft":
        """The draft in which these reads name this wire."""
        return dataclasses.replace(self, reads=jnp.where(readers, wire, self.reads))

    def put(self, place: Bool[Array, "..."], **values: Wire | Array) -> "Draft":
        """The draft with these values at a place, given as a mask over the fields named."""
        arrays = {name: jnp.where(place, value, getattr(self, name)) for name, value in values.items()}
        return dataclasses.replace(self, **arrays)

    def revive(self, wire: Wire) -> "Draft":
        """The draft with one more live wire."""
        return dataclasses.replace(self, live=self.live | (numbers_of(self.space) == wire))

    def need(self, condition: Bool[Array, ""]) -> "Draft":
        """The draft that is done only if this holds as well."""
        return dataclasses.replace(self, done=self.done & condition)


def draft(genome: Genome) -> Draft:
    """A draft of a genome.

    Args:
        genome: one genome.

    Returns:
        The draft, done as it is.
    """
    genome = jax.tree.map(lambda array: jnp.asarray(array, jnp.int32), genome)
    space = genome.space
    rank = jnp.broadcast_to(jnp.arange(space.nodes, dtype=jnp.float32)[None], (space.stages, space.nodes))
    return Draft(
        reads=jnp.concatenate([array.ravel() for array in _arrays(genome)]),
        **{name: getattr(genome, name) for name in KEPT},
        rank=rank,
        live=live(genome),
        origin=jnp.arange(space.stages * space.slots, dtype=jnp.int32).reshape(space.stages, space.slots),
        done=jnp.asarray(True),
    )


def finished(draft: Draft) -> Genome:
    """The genome of a draft: nodes in the order of their ranks, all reads renamed.

    Args:
        draft: the draft; whether it is done is not asked.

    Returns:
        A genome in range. What is dead may compute something else than before.
    """
    space, table = draft.space, reads_of(draft.space)
    order = jnp.argsort(draft.rank, axis=-1)
    places = jnp.argsort(order, axis=-1).astype(jnp.int32)
    numbers = numbers_of(space)
    slots, nodes = by_place(space, numbers)
    moved = jnp.concatenate([slots, nodes[:, :1] + places], axis=-1).ravel()
    reads = jnp.concatenate([numbers[: space.slot(0)], moved])[draft.reads]
    cuts = np.searchsorted(table.kind, [LEFT, RIGHT, NEXT, OUTPUT])
    source, first, second, following, output = jnp.split(reads, cuts)
    rows = {"first": first, "second": second, "combine": draft.combine, "activation": draft.activation}
    rows = {name: jnp.take_along_axis(row.reshape(order.shape), order, -1) for name, row in rows.items()}
    slot_terms = {name: getattr(draft, name) for name in KEPT[:4]}
    genome = Genome(source=source, next=following, output=output[0], **slot_terms, **rows)
    return jax.tree.map(jnp.minimum, genome, largest(space))


def live(genome: Genome) -> Bool[Array, "wires"]:
    """Which wires the output of a cell depends on, now or later; `live_wires` for `jit` and `vmap`.

    Args:
        genome: one genome.

    Returns:
        `[wires]`.
    """
    genome = jax.tree.map(lambda array: jnp.asarray(array, jnp.int32), genome)
    space = genome.space
    numbers = jnp.arange(space.wires, dtype=jnp.int32)
    slots, nodes = by_place(space, numbers)
    # A wire that reads nothing reads itself.
    source = jnp.where(genome.recurrent > 0, genome.source[:, None], slots)
    second = jnp.where(genome.combine == FIRST, nodes, genome.second)
    start = numbers[:FIRST_STATE], genome.next
    left = jnp.concatenate([*start, jnp.concatenate([source, genome.first], -1).ravel()])
    right = jnp.concatenate([*start, jnp.concatenate([source, second], -1).ravel()])

    def visit(i: Array, found: Array) -> Array:
        wire = space.wires - 1 - i
        return found | (found[wire] & ((numbers == left[wire]) | (numbers == right[wire])))

    def sweep(_: Array, found: Array) -> Array:
        return jax.lax.fori_loop(0, space.wires, visit, found)

    # One sweep from the last wire to the first finds all but what the states take, and each next one another state.
    return jax.lax.fori_loop(0, space.states + 1, sweep, numbers == genome.output)


def by_place(space: Space, wires: Array | np.ndarray) -> tuple[Any, Any]:
    """The part of a vector over wires that belongs to the slots, and that to the nodes.

    Args:
        space: the space.
        wires: `[wires]`.

    Returns:
        `[stages, slots]` and `[stages, nodes]`.
    """
    table = wires[space.slot(0) :].reshape(space.stages, space.slots + space.nodes)
    return table[:, : space.slots], table[:, space.slots :]


@functools.cache
def numbers_of(space: Space) -> np.ndarray:
    """The numbers of all wires of a space, `[wires]`."""
    return np.arange(space.wires, dtype=np.int32)


def stage_of(space: Space, wire: Wire | Int[Array, "..."]) -> Int[Array, "..."]:
    """The stage that makes a wire; 0 for numbers and states, which are there from the start.

    Args:
        space: the space.
        wire: the wire, or an array of wires.

    Returns:
        Numbers from 0.
    """
    after = jnp.maximum(jnp.asarray(wire, jnp.int32) - space.slot(0), 0)
    return jax.lax.div(after, jnp.full_like(after, space.slots + space.nodes))
