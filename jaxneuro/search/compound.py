"""Edits that put a whole circuit into a cell: an inner memory, and a complex number in place of a real one."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from jaxneuro.search.choices import Draws, at, pick
from jaxneuro.search.draft import LEFT, NEXT, RIGHT, Draft, numbers_of, reads_of
from jaxneuro.search.genome import ADD, BIASES, FIRST, FIRST_STATE, IDENTITY, MULTIPLY, SIGMOID, SUBTRACT, TANH, ZERO
from jaxneuro.search.room import add_gate, add_node, add_slot, operand_of, read_by, roomy, stage_for, unused_state

FROM_0, FROM_1 = (list(BIASES).index(name) for name in ("0", "1"))


def nest(draws: Draws, draft: Draft) -> Draft:
    """A wire that a state takes becomes the input of an inner memory, whose output is read instead, as in nested LSTMs.

    The inner memory has an unused state d and, as far as there is room, the gates of an LSTM: `d <- f d + i a`, and
    `o tanh(d)` is read. At least there is f; then come tanh, i and o.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.

    Returns:
        The draft.
    """
    table, reads = reads_of(draft.space), draft.reads
    draft, state = unused_state(draws[0], draft)
    room = roomy(draft, nodes=2, slots=1)
    written = pick(draws[1], room & (table.kind == NEXT) & (reads >= draft.space.slot(0)))
    wire = at(written, reads)
    readers = draft.used & (reads == wire) & written.any()
    draft, forget = add_slot(draws[2:4], draft, stage_for(draft, readers, wire), SIGMOID, FROM_1)
    draft, memory = add_node(draft, readers, ADD, wire, forget)
    draft, _ = add_node(draft, read_by(draft, RIGHT, memory), MULTIPLY, forget, state)
    draft = draft.reading(read_by(draft, NEXT, state), memory).revive(state).need(written.any())
    takes = read_by(draft, NEXT, state)
    shown, tip = add_node(draft, draft.used & (draft.reads == memory) & ~takes, FIRST, memory, ZERO, TANH)
    draft, tip = if_done(shown, draft), jnp.where(shown.done, tip, memory)
    draft = if_done(add_gate(draws[4:6], draft, read_by(draft, LEFT, memory), FROM_0)[0], draft)
    return if_done(add_gate(draws[6:8], draft, draft.used & (draft.reads == tip) & ~takes, FROM_0)[0], draft)


def complexify(draws: Draws, draft: Draft, *, exact: bool = False) -> Draft:
    """A state and its factor become complex: where `a re` was read, `a re - b im` is, and im takes `b re + a im`.

    The state im is an unused one or, if there is none, another, which then adds this to what it takes. b is a new tanh
    slot, and a is what multiplies the state re in some node; if nothing does, a new gate. Exact: im must be unused and
    a there, and `a re - c im` is read, with c a second new slot: were b 0, no gradient would reach it.

    Args:
        draws: random numbers from 0 to 1.
        draft: the draft.
        exact: whether the cell shall compute the same.

    Returns:
        The draft.
    """
    space = draft.space
    numbers = numbers_of(space)
    of_state = draft.used & (draft.reads >= FIRST_STATE) & (draft.reads < space.slot(0))
    product = products_of_states(draft)
    if not exact:
        gated, node = add_gate(draws[1:3], draft, pick(draws[0], of_state & roomy(draft, slots=1)), FROM_1)
        missing = ~product.any()
        draft = jax.tree.map(lambda a, b: jnp.where(missing, a, b), gated, draft)
        product = jnp.where(missing, numbers == node, product)
    node = at(pick(draws[3], product), numbers)
    left, right = operand_of(draft, LEFT, node), operand_of(draft, RIGHT, node)
    swapped = (left >= FIRST_STATE) & (left < space.slot(0))
    re, factor = jnp.where(swapped, left, right), jnp.where(swapped, right, left)
    states = np.arange(FIRST_STATE, space.slot(0), dtype=np.int32)
    unused = pick(draws[4], ~draft.live_states)
    others = pick(draws[5], draft.live_states & (states != re))
    im = at(unused | others & ~unused.any() & ~jnp.asarray(exact), states)
    takes = read_by(draft, NEXT, im)
    readers = draft.used & (draft.reads == node) & (node > 0)
    draft, turn = add_slot(draws[6:8], draft, stage_for(draft, readers, node), TANH, FROM_1 if exact else FROM_0)
    back = turn
    if exact:
        draft, back = add_slot(draws[8:10], draft, stage_for(draft, readers, node), IDENTITY)
    draft, real = add_node(draft, readers, SUBTRACT, node, back)
    draft, _ = add_node(draft, read_by(draft, RIGHT, real), MULTIPLY, back, im)
    summed, total = add_node(draft, takes, ADD, at(takes, draft.reads))
    draft = jax.tree.map(lambda a, b: jnp.where(unused.any(), a, b), draft.revive(im), summed)
    to = jnp.where(unused.any(), takes, read_by(draft, RIGHT, total))
    draft, imaginary = add_node(draft, to, ADD, turn, factor)
    draft, _ = add_node(draft, read_by(draft, LEFT, imaginary), MULTIPLY, turn, re)
    draft, _ = add_node(draft, read_by(draft, RIGHT, imaginary), MULTIPLY, factor, im)
    return draft.need((im > 0) & (node > 0))


def products_of_states(draft: Draft) -> Bool[Array, "wires"]:
    """The live nodes that multiply a state with some wire.

    Args:
        draft: the draft.

    Returns:
        `[wires]`.
    """
    space, table = draft.space, reads_of(draft.space)
    of_state = (draft.reads >= FIRST_STATE) & (draft.reads < space.slot(0))
    left, right = (of_state[table.kind == side].reshape(draft.combine.shape) for side in (LEFT, RIGHT))
    nodes = draft.live_nodes & (draft.combine == MULTIPLY) & (left | right)
    table = jnp.concatenate([jnp.zeros((space.stages, space.slots), bool), nodes], -1)
    return jnp.concatenate([jnp.zeros(space.slot(0), bool), table.ravel()])


def if_done(draft: Draft, before: Draft) -> Draft:
    """A draft if it is done, else the one before."""
    return jax.tree.map(lambda new, old: jnp.where(draft.done, new, old), draft, before)
