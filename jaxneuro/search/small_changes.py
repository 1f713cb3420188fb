"""Edits that keep the size of a cell or make it smaller. Each takes random numbers and a draft and gives a draft."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from jaxneuro.search.choices import Draws, another, at, pick
from jaxneuro.search.draft import LEFT, NEXT, OUTPUT, RIGHT, SOURCE, Draft, by_place, numbers_of, reads_of
from jaxneuro.search.genome import ACTIVATIONS, BIASES, COMBINES, FIRST, FIRST_STATE, ONE, ZERO
from jaxneuro.search.room import operand_of, read_by, with_source

LIVELY = 0.75  # how often a read is moved to a live wire, where it could go to any


def change_combine(draws: Draws, draft: Draft) -> Draft:
    """A node joins its operands in another way; one that had a single operand gets a live wire as its second.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.

    Returns:
        The draft.
    """
    space = draft.space
    numbers = numbers_of(space)
    node = pick(draws[0], draft.live_nodes)
    present = at(node, draft.combine)
    wire = at(node, by_place(space, numbers)[1])
    candidates = (draft.live | (numbers == ONE)) & (numbers > ZERO) & (numbers < wire)
    other = at(pick(draws[2], candidates), numbers)
    draft = draft.reading(read_by(draft, RIGHT, wire) & (present == FIRST), other)
    return draft.put(node, combine=another(draws[1], present, len(COMBINES))).need(node.any())


def swap_activation(draws: Draws, draft: Draft) -> Draft:
    """A node or a slot gets another activation.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.

    Returns:
        The draft.
    """
    made = numbers_of(draft.space) >= draft.space.slot(0)
    slot, node = by_place(draft.space, pick(draws[0], draft.live & made))
    present = at(slot, draft.squash) + at(node, draft.activation)
    activation = another(draws[1], present, len(ACTIVATIONS))
    return draft.put(slot, squash=activation).put(node, activation=activation).need(slot.any() | node.any())


def rewire_node(draws: Draws, draft: Draft) -> Draft:
    """An operand of a node becomes another wire, mostly a live one.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.

    Returns:
        The draft.
    """
    return _rewired(draws, draft, (LEFT, RIGHT), ONE)


def rewire_state(draws: Draws, draft: Draft) -> Draft:
    """A state takes another wire, mostly a live one.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.

    Returns:
        The draft.
    """
    return _rewired(draws, draft, (NEXT,), FIRST_STATE)


def rewire_output(draws: Draws, draft: Draft) -> Draft:
    """The output becomes another wire, mostly a live one.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.

    Returns:
        The draft.
    """
    return _rewired(draws, draft, (OUTPUT,), FIRST_STATE)


def rewire_source(draws: Draws, draft: Draft) -> Draft:
    """The linear maps of a stage read another wire, mostly a live one.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.

    Returns:
        The draft.
    """
    return _rewired(draws, draft, (SOURCE,), FIRST_STATE)


def toggle_input(draws: Draws, draft: Draft) -> Draft:
    """A slot loses its term W x, or gets one; where no term is left it gets a bias.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.

    Returns:
        The draft.
    """
    slot = pick(draws[0], draft.live_slots)
    return _with_a_term(draft.put(slot, input=1 - at(slot, draft.input)), slot)


def toggle_recurrent(draws: Draws, draft: Draft) -> Draft:
    """A slot loses its term U v, or gets one; where no term is left it gets a bias.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.

    Returns:
        The draft.
    """
    slot = pick(draws[0], draft.live_slots)
    adds = at(slot, draft.recurrent) == 0
    sourced, reads_something = with_source(draws[1], draft, slot.any(-1) & adds)
    recurrent = (adds & reads_something).astype(jnp.int32)
    return _with_a_term(sourced.put(slot, recurrent=recurrent).need(~adds | reads_something), slot)


def change_bias(draws: Draws, draft: Draft) -> Draft:
    """The bias of a slot starts at something else; it may go or come, but a slot without other terms keeps one.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.

    Returns:
        The draft.
    """
    slot = pick(draws[0], draft.live_slots)
    alone = (at(slot, draft.input) + at(slot, draft.recurrent) == 0).astype(jnp.int32)
    present = at(slot, draft.bias)
    bias = alone + another(draws[1], present - alone, len(BIASES) - alone)
    return draft.put(slot, bias=bias).need(slot.any())


def delete_node(draws: Draws, draft: Draft) -> Draft:
    """What read a node reads one of its operands instead.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.

    Returns:
        The draft.
    """
    node = pick(draws[0], draft.live_nodes)
    right = (draws[1] < 0.5) & (at(node, draft.combine) != FIRST)
    wire = at(node, by_place(draft.space, numbers_of(draft.space))[1])
    operand = jnp.where(right, operand_of(draft, RIGHT, wire), operand_of(draft, LEFT, wire))
    return draft.reading((draft.reads == wire) & node.any(), operand).need(node.any())


def remove_state(draws: Draws, draft: Draft) -> Draft:
    """A state goes: what read it reads another live state or the number 0; other states and the output what it took.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.

    Returns:
        The draft.
    """
    space, table = draft.space, reads_of(draft.space)
    states = np.arange(FIRST_STATE, space.slot(0), dtype=np.int32)
    gone = pick(draws[0], draft.live_states)
    state = at(gone, states)
    other = at(pick(draws[1], draft.live_states & ~gone), states)
    instead = jnp.where(draws[2] < 0.5, other, ZERO)
    taken = operand_of(draft, NEXT, state)
    taken = jnp.where(taken == state, instead, taken)
    late = (table.kind == NEXT) | (table.kind == OUTPUT)
    readers = (draft.reads == state) & gone.any()
    return draft.reading(readers & late, taken).reading(readers & ~late, instead).need(gone.any())


def _rewired(draws: Draws, draft: Draft, kinds: tuple[int, ...], least: int) -> Draft:
    """One used read of these kinds names another wire, none below `least`."""
    table, numbers = reads_of(draft.space), numbers_of(draft.space)
    reader = pick(draws[0], draft.used & np.isin(table.kind, kinds))
    allowed = (numbers >= least) & (numbers <= at(reader, table.limit)) & (numbers != at(reader, draft.reads))
    alive, some = pick(draws[1], allowed & draft.live), pick(draws[2], allowed)
    wire = jnp.where(alive.any() & (draws[3] < LIVELY), at(alive, numbers), at(some, numbers))
    found = reader.any() & some.any()
    return draft.reading(reader & found, wire).need(found)


def _with_a_term(draft: Draft, slot: Bool[Array, "stages slots"]) -> Draft:
    """The draft in which a slot has a bias if it has no other term."""
    terms = at(slot, draft.input) + at(slot, draft.recurrent) + at(slot, draft.bias)
    return draft.put(slot & (terms == 0), bias=list(BIASES).index("0")).need(slot.any())
