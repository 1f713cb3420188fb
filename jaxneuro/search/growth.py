"""Edits that make a cell larger by a node, a gate, a state or a copy.

Each takes random numbers and a draft. Those with an argument `exact` have a second form, which does not change what the
cell computes as long as the weights of the new slots are 0.
"""

import jax
import jax.numpy as jnp
import numpy as np

from jaxneuro.search.choices import Draws, another, at, integer, pick
from jaxneuro.search.draft import LEFT, NEXT, RIGHT, Draft, by_place, numbers_of, reads_of
from jaxneuro.search.genome import (
    ACTIVATIONS,
    ADD,
    BIASES,
    COMBINES,
    FIRST,
    FIRST_STATE,
    FORGET,
    IDENTITY,
    ONE,
    SUBTRACT,
    ZERO,
)
from jaxneuro.search.room import (
    add_gate,
    add_node,
    add_product,
    add_slot,
    operand_of,
    read_by,
    roomy,
    stage_for,
    unused_state,
)


def insert(draws: Draws, draft: Draft, *, exact: bool = False) -> Draft:
    """A node on an edge: an activation, or the wire and another live one combined. Exact: a node that changes nothing.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.
        exact: whether the cell shall compute the same.

    Returns:
        The draft.
    """
    reader = pick(draws[0], roomy(draft))
    wire = at(reader, draft.reads)
    if exact:
        return add_node(draft, reader, FIRST, wire)[0].need(reader.any())
    combine = integer(draws[1], len(COMBINES))
    unary = combine == FIRST
    # What is there before the nodes of the last stage with room.
    space = draft.space
    numbers = numbers_of(space)
    stage = stage_for(draft, reader, wire)
    end = space.slot(0) + (stage + 1) * (space.slots + space.nodes)
    limit = jnp.minimum(at(reader, reads_of(space).limit), end - 1)
    candidates = (draft.live | (numbers == ONE)) & (numbers > ZERO) & (numbers <= limit) & (numbers != wire)
    other = at(pick(draws[2], candidates), numbers)
    second = jnp.where(unary, ZERO, other)
    swapped = ~unary & (draws[3] < 0.5)
    activation = 1 + integer(draws[4], len(ACTIVATIONS) - 1)
    activation = jnp.where(~unary & (draws[5] < 0.5), IDENTITY, activation)
    first, second = jnp.where(swapped, second, wire), jnp.where(swapped, wire, second)
    return add_node(draft, reader, combine, first, second, activation)[0].need(reader.any())


def gate(draws: Draws, draft: Draft, *, exact: bool = False) -> Draft:
    """A wire, as one reader reads it, times a new sigmoid slot. Exact: `a + a u`, with u a new linear slot.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.
        exact: whether the cell shall compute the same.

    Returns:
        The draft.
    """
    reader = pick(draws[0], roomy(draft, nodes=1 + exact, slots=1))
    if exact:
        return add_product(draws[1:3], draft, reader, at(reader, draft.reads))[0]
    bias = 1 + integer(draws[3], len(BIASES) - 1)
    return add_gate(draws[1:3], draft, reader, bias)[0]


def open_gate(draws: Draws, draft: Draft) -> Draft:
    """A gate whose bias starts at 4: with weights of 0 it multiplies what one reader reads by sigmoid(4) = 0.98201.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.

    Returns:
        The draft.
    """
    return add_gate(draws[1:3], draft, pick(draws[0], roomy(draft, slots=1)), list(BIASES).index("4"))[0]


def add_term(draws: Draws, draft: Draft) -> Draft:
    """A wire, as one reader reads it, plus a new linear slot; exact as it is.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.

    Returns:
        The draft.
    """
    reader = pick(draws[0], roomy(draft, slots=1))
    wire = at(reader, draft.reads)
    draft, slot = add_slot(draws[1:3], draft, stage_for(draft, reader, wire), IDENTITY)
    return add_node(draft, reader, ADD, wire, slot)[0].need(reader.any())


def add_state(draws: Draws, draft: Draft, *, exact: bool = False) -> Draft:
    """A wire, as one reader reads it, joined with an unused state, which takes the result or another live wire.

    Exact: the result is `a + u s`, with s the state and u a new linear slot.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.
        exact: whether the cell shall compute the same.

    Returns:
        The draft.
    """
    draft, state = unused_state(draws[0], draft)
    reader = pick(draws[1], roomy(draft, nodes=1 + exact, slots=int(exact)))
    wire, takes = at(reader, draft.reads), read_by(draft, NEXT, state)
    if exact:
        draft, node = add_product(draws[2:4], draft, reader, state)
        return draft.reading(takes, node).revive(state)
    numbers = numbers_of(draft.space)
    other = at(pick(draws[2], draft.live & (numbers >= draft.space.slot(0))), numbers)
    combine = jnp.asarray([ADD, SUBTRACT, FORGET], jnp.int32)[integer(draws[3], 3)]
    forgets = combine == FORGET  # (1 - s) a, as (1 - a) s would stay at 0
    first, second = jnp.where(forgets, state, wire), jnp.where(forgets, wire, state)
    draft, node = add_node(draft, reader, combine, first, second)
    taken = jnp.where((other > 0) & (draws[4] < 0.5), other, node)
    return draft.reading(takes, taken).revive(state).need(reader.any())


def skip(draws: Draws, draft: Draft, *, exact: bool = False) -> Draft:
    """A reader reads a state that takes the wire it read before. Exact: it reads `a + k s`, k a learned vector.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.
        exact: whether the cell shall compute the same.

    Returns:
        The draft.
    """
    space, table, reads = draft.space, reads_of(draft.space), draft.reads
    allowed = roomy(draft, nodes=2, slots=1) if exact else draft.used
    reader = pick(draws[0], allowed & (reads >= FIRST_STATE))
    wire = at(reader, reads)
    # A state that takes the wire already will do, unless it is the reader itself.
    takes = draft.used & (table.kind == NEXT) & (reads == wire) & ~reader
    known = jnp.max(jnp.where(takes, table.owner, -1))
    unused = at(pick(draws[1], ~draft.live_states), np.arange(FIRST_STATE, space.slot(0), dtype=np.int32))
    state = jnp.where(known >= 0, known, unused)
    draft = draft.need(reader.any() & (state > 0))
    draft = draft.reading(read_by(draft, NEXT, state) & (known < 0), wire).revive(state)
    if exact:
        return add_product(draws[2:4], draft, reader, state, linear=False)[0]
    return draft.reading(reader, state)


def duplicate(draws: Draws, draft: Draft, *, exact: bool = False) -> Draft:
    """A slot or node with two readers or more is copied to a free place, and one of the readers reads the copy.

    The copy of a slot has weights of its own from now on, that of a node another activation or another first operand.
    Exact: it is the same as the original.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.
        exact: whether the cell shall compute the same.

    Returns:
        The draft.
    """
    space, reads = draft.space, draft.reads
    numbers = numbers_of(space)
    readers = (draft.used[:, None] & (reads[:, None] == numbers[None])).sum(0)
    room = [(~alive).any(-1, keepdims=True) & alive for alive in (draft.live_slots, draft.live_nodes)]
    room = jnp.concatenate([np.zeros(space.slot(0), bool), jnp.concatenate(room, -1).ravel()])
    target = pick(draws[0], room & (readers > 1))
    slot, node = by_place(space, target)
    reader = pick(draws[1], draft.used & (reads == at(target, numbers)))
    # As a slot.
    copy = at(slot.any(-1, keepdims=True) & ~draft.live_slots, by_place(space, numbers)[0])
    place = jnp.asarray(by_place(space, numbers)[0] == copy)
    terms = {name: at(slot, getattr(draft, name)) for name in ("input", "recurrent", "bias", "squash", "origin")}
    copied = draft.put(place, **terms).reading(reader & (copy > 0), copy).need(copy > 0)
    # As a node.
    combine, activation = at(node, draft.combine), at(node, draft.activation)
    first, second = (operand_of(draft, side, at(target, numbers)) for side in (LEFT, RIGHT))
    if not exact:
        bends = draws[2] < 0.5
        turned = another(draws[3], activation, len(ACTIVATIONS))
        within = draft.live & (numbers >= FIRST_STATE) & (numbers < at(target, numbers)) & (numbers != first)
        other = pick(draws[4], within)
        activation = jnp.where(bends | ~other.any(), turned, activation)
        first = jnp.where(bends | ~other.any(), first, at(other, numbers))
    added, _ = add_node(draft, reader, combine, first, second, activation)
    return jax.tree.map(lambda a, b: jnp.where(slot.any(), a, b), copied, added.need(node.any()))
