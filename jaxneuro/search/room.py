"""Room in a draft for a new node, a new slot or a new state: whatever is dead may be overwritten."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxneuro.search.choices import Draw, Wire, at, pick
from jaxneuro.search.draft import LEFT, NEW, RIGHT, Draft, by_place, numbers_of, reads_of, stage_of
from jaxneuro.search.genome import ADD, FIRST_STATE, IDENTITY, MULTIPLY, SIGMOID, ZERO


def stage_for(draft: Draft, readers: Bool[Array, "reads"], *operands: Wire) -> Int[Array, ""]:
    """The last stage with room for a node that reads these wires and is read there.

    Args:
        draft: the draft.
        readers: the reads that shall name the node.
        *operands: the wires that it shall read.

    Returns:
        The stage; -1 if there is no room.
    """
    space = draft.space
    stages = np.arange(space.stages, dtype=np.int32)
    lowest = jnp.max(jnp.stack([stage_of(space, wire) for wire in operands]))
    highest = jnp.min(jnp.where(readers, reads_of(space).stage, space.stages - 1))
    fits = (~draft.live_nodes).any(-1) & (stages >= lowest) & (stages <= highest)
    return jnp.max(jnp.where(fits, stages, -1))


def roomy(draft: Draft, nodes: int = 1, slots: int = 0) -> Bool[Array, "reads"]:
    """The used reads that can name a new node instead of their wire, and that node the wire.

    Args:
        draft: the draft.
        nodes: how many nodes there must be room for.
        slots: how many slots, at this node or before.

    Returns:
        `[reads]`.
    """
    space, stages = draft.space, np.arange(draft.space.stages, dtype=np.int32)
    free = (~draft.live_nodes).sum(-1) >= nodes
    free &= jnp.cumsum((~draft.live_slots).sum(-1)) >= slots
    lowest, highest = stage_of(space, draft.reads)[:, None], reads_of(space).stage[:, None]
    return draft.used & (free[None] & (stages[None] >= lowest) & (stages[None] <= highest)).any(-1)


def add_node(
    draft: Draft,
    readers: Bool[Array, "reads"],
    combine: Wire,
    first: Wire,
    second: Wire = ZERO,
    activation: Wire = IDENTITY,
) -> tuple[Draft, Int[Array, ""]]:
    """A new node, as near to its readers as there is room.

    Args:
        draft: the draft.
        readers: the reads that shall name the node.
        combine: how it joins its operands, an index into `COMBINES`.
        first: its first operand.
        second: its second operand.
        activation: its activation, an index into `ACTIVATIONS`.

    Returns:
        The draft, and the wire of the node. If there is no room, the draft is not done and else the same.
    """
    space, reads = draft.space, reads_of(draft.space)
    numbers = numbers_of(space)
    stage = stage_for(draft, readers, first, second)
    here = np.arange(space.stages, dtype=np.int32)[:, None] == stage
    names = by_place(space, numbers)[1]
    wire = at(here & ~draft.live_nodes, names)
    place = jnp.asarray(names == wire)
    operands = here & by_place(space, (numbers == first) | (numbers == second))[1]
    after = jnp.max(jnp.where(operands, draft.rank, -1), initial=-1)
    of_nodes = jnp.concatenate([draft.rank.ravel(), draft.rank.ravel()])
    last = np.full(space.stages, space.nodes, np.float32), np.full(space.states + 1, space.nodes, np.float32)
    ranks = jnp.concatenate([last[0], of_nodes, last[1]])
    before = jnp.min(jnp.where(readers & (reads.stage == stage), ranks, space.nodes))
    draft = draft.put(place, combine=combine, activation=activation, rank=(after + before) / 2)
    draft = draft.reading(readers & (wire > 0), wire)
    draft = draft.reading(read_by(draft, LEFT, wire), first).reading(read_by(draft, RIGHT, wire), second)
    return draft.revive(wire).need(wire > 0), wire


def add_slot(
    draws: Float[Array, "2"],
    draft: Draft,
    stage: Wire,
    squash: Wire = SIGMOID,
    bias: Wire = 1,
    linear: bool = True,
) -> tuple[Draft, Int[Array, ""]]:
    """A new slot, anywhere before the nodes of a stage.

    It reads what its stage reads; if that is nothing yet, then a live wire; if there is none, it has no recurrent term.

    Args:
        draws: two random numbers from 0 to 1.
        draft: the draft.
        stage: the last stage that it may be in.
        squash: its activation, an index into `ACTIVATIONS`.
        bias: what its bias starts at, an index into `BIASES`.
        linear: whether it has the terms W x and U v.

    Returns:
        The draft, and the wire of the slot. If there is no room, the draft is not done and else the same.
    """
    space = draft.space
    stages = np.arange(space.stages, dtype=np.int32)
    place = pick(draws[0], ~draft.live_slots & (stages <= stage)[:, None])
    wire = at(place, by_place(space, numbers_of(space))[0])
    if linear:
        draft, sourced = with_source(draws[1], draft, place.any(-1))
    else:
        sourced = jnp.asarray(False)
    terms = {"input": int(linear), "recurrent": sourced.astype(jnp.int32)}
    draft = draft.put(place, squash=squash, bias=bias, origin=NEW, **terms)
    return draft.revive(wire).need(place.any()), wire


def with_source(draw: Draw, draft: Draft, stage: Bool[Array, "stages"]) -> tuple[Draft, Bool[Array, ""]]:
    """The draft in which a stage reads something: what it read, or else a live wire.

    Args:
        draw: a random number from 0 to 1.
        draft: the draft.
        stage: the stage, as a mask.

    Returns:
        The draft, and whether the stage reads anything now.
    """
    space, reads = draft.space, reads_of(draft.space)
    has = (draft.used[: space.stages] & stage).any()
    start = at(stage, reads.limit[: space.stages])
    numbers = numbers_of(space)
    chosen = pick(draw, draft.live & (numbers >= FIRST_STATE) & (numbers <= start))
    readers = jnp.concatenate([stage & ~has & chosen.any(), np.zeros(len(reads.kind) - space.stages, bool)])
    return draft.reading(readers, at(chosen, numbers)), has | chosen.any()


def add_gate(
    draws: Float[Array, "2"], draft: Draft, readers: Bool[Array, "reads"], bias: Wire
) -> tuple[Draft, Int[Array, ""]]:
    """The wire that these readers read, times a new sigmoid slot.

    Args:
        draws: two random numbers from 0 to 1.
        draft: the draft.
        readers: reads of one wire; the draft is not done if there are none.
        bias: what the bias of the slot starts at, an index into `BIASES`.

    Returns:
        The draft, and the wire of the product.
    """
    wire = at(readers, draft.reads)
    draft, slot = add_slot(draws, draft, stage_for(draft, readers, wire), SIGMOID, bias)
    draft, node = add_node(draft, readers, MULTIPLY, slot, wire)
    return draft.need(readers.any()), node


def add_product(
    draws: Float[Array, "2"], draft: Draft, readers: Bool[Array, "reads"], factor: Wire, linear: bool = True
) -> tuple[Draft, Int[Array, ""]]:
    """The wire that these readers read, plus a factor times a new slot without activation.

    Args:
        draws: two random numbers from 0 to 1.
        draft: the draft.
        readers: reads of one wire; the draft is not done if there are none.
        factor: the wire that the slot is multiplied with.
        linear: whether the slot has the terms W x and U v; else it is a learned vector.

    Returns:
        The draft, and the wire of the sum.
    """
    wire = at(readers, draft.reads)
    draft, slot = add_slot(draws, draft, stage_for(draft, readers, wire), IDENTITY, linear=linear)
    draft, total = add_node(draft, readers, ADD, wire, slot)
    draft, _ = add_node(draft, read_by(draft, RIGHT, total), MULTIPLY, slot, factor)
    return draft.need(readers.any()), total


def unused_state(draw: Draw, draft: Draft) -> tuple[Draft, Int[Array, ""]]:
    """A state that is not live yet.

    Args:
        draw: a random number from 0 to 1.
        draft: the draft.

    Returns:
        The draft, not done if there is no such state, and the wire of the state.
    """
    states = np.arange(FIRST_STATE, draft.space.slot(0), dtype=np.int32)
    state = at(pick(draw, ~draft.live_states), states)
    return draft.need(state > 0), state


def read_by(draft: Draft, kind: int, owner: Wire) -> Bool[Array, "reads"]:
    """The read of this kind that a node or a state has.

    Args:
        draft: the draft.
        kind: `LEFT`, `RIGHT` or `NEXT`.
        owner: the wire of the node or state.

    Returns:
        A mask with at most one True.
    """
    table = reads_of(draft.space)
    return jnp.asarray((table.kind == kind) & (table.owner == owner))


def operand_of(draft: Draft, kind: int, owner: Wire) -> Int[Array, ""]:
    """The wire that this read of a node or a state names.

    Args:
        draft: the draft.
        kind: `LEFT`, `RIGHT` or `NEXT`.
        owner: the wire of the node or state.

    Returns:
        The wire; 0 if there is no such read.
    """
    return at(read_by(draft, kind, owner), draft.reads)
