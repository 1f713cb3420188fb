"""Random cells of which most is live: what is made is read, wherever there is something left to read it."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from jaxneuro.search.choices import Draw, at, integer, pick
from jaxneuro.search.draft import numbers_of
from jaxneuro.search.genome import ACTIVATIONS, BIASES, COMBINES, FIRST, FIRST_STATE, IDENTITY, TANH, Genome, Space

# How often each is drawn.
COMBINE_RATES = {"first": 1, "add": 3, "subtract": 1, "multiply": 4, "forget": 1}
NODE_RATES = {"identity": 6, "tanh": 2, "sigmoid": 1, "relu": 0.5, "complement": 0.25, "negate": 0.25}
SLOT_RATES = {"identity": 2, "tanh": 3, "sigmoid": 4, "relu": 1}
BIAS_RATES = {"none": 1, "0": 4, "1": 1, "-1": 0.5, "4": 0.25, "-4": 0.25, "long": 0.25, "-long": 0.25}
TERM = 0.8  # how often a slot has W x, and how often U v


def random_genome(key: PRNGKeyArray, space: Space) -> Genome:
    """A random cell.

    The numbers of its states, slots and nodes are drawn evenly; the first stage has a slot at least. A node reads what
    nothing has read yet, as its first operand always, as its second as long as there is more of it than states; the
    states and the output take what is left.

    Args:
        key: random key.
        space: the space of the genome.

    Returns:
        The genome. Places that it does not need hold what was drawn for them, but nothing reads them.
    """
    slot_key, node_key, end_key, count_key = jax.random.split(key, 4)
    shape = space.stages, space.slots
    draws = jax.random.uniform(slot_key, (5, *shape), jnp.float32)
    counts = jax.random.uniform(count_key, (3, space.stages), jnp.float32)
    numbers = numbers_of(space)
    states = 1 + integer(counts[2, 0], space.states)
    least = (np.arange(space.stages) == 0).astype(np.int32)
    slots = least + integer(counts[0], space.slots + 1 - least)
    nodes = integer(counts[1], space.nodes + 1)
    input, bias = (draws[0] < TERM).astype(jnp.int32), _drawn(draws[2], BIASES, BIAS_RATES)
    recurrent = ((draws[1] < TERM) | (input + bias == 0)).astype(jnp.int32)
    made = jnp.asarray((numbers >= FIRST_STATE) & (numbers < FIRST_STATE + states))
    unread, sources, rows = made, [], []
    for stage in range(space.stages):
        start = space.slot(stage)
        source = _preferred(draws[4, stage, 0], unread, made)
        has = np.arange(space.slots) < slots[stage]
        unread &= (numbers != source) | ~(has & (recurrent[stage] > 0)).any()
        new = (numbers >= start) & (numbers < start + slots[stage])
        made, unread = made | new, unread | new
        sources.append(source)

        def visit(
            carry: tuple[Array, Array], turn: tuple[Array, Array], count: Array = nodes[stage]
        ) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
            made, unread = carry
            (wire, place), draws = turn[0], turn[1]
            first = _preferred(draws[0], unread, made)
            left = unread & (numbers != first)
            second = _preferred(draws[1], left & (left.sum() > states), made)
            new = (numbers == wire) & (place < count)
            left &= numbers != second
            return (made | new, jnp.where(place < count, left, unread) | new), (first, second)

        places = np.arange(space.nodes, dtype=np.int32)
        turns = np.stack([space.node(stage) + places, places], 1)
        node_draws = jax.random.uniform(jax.random.fold_in(node_key, stage), (space.nodes, 4), jnp.float32)
        (made, unread), operands = jax.lax.scan(visit, (made, unread), (jnp.asarray(turns), node_draws))
        combine = _drawn(node_draws[:, 2], COMBINES, COMBINE_RATES)
        activation = _drawn(node_draws[:, 3], ACTIVATIONS, NODE_RATES)
        rows.append((*operands, combine, jnp.where((combine == FIRST) & (activation == IDENTITY), TANH, activation)))
    first, second, combine, activation = (jnp.stack(row) for row in zip(*rows, strict=True))
    ends = []
    for draw in jax.random.uniform(end_key, (1 + space.states,), jnp.float32):
        ends.append(_preferred(draw, unread & (numbers >= space.slot(0)), made & (numbers >= space.slot(0))))
        unread &= numbers != ends[-1]
    return Genome(
        source=jnp.stack(sources),
        input=input,
        recurrent=recurrent,
        bias=bias,
        squash=_drawn(draws[3], ACTIVATIONS, SLOT_RATES),
        combine=combine,
        first=first,
        second=second,
        activation=activation,
        next=jnp.stack(ends[1:]),
        output=ends[0],
    )


def _preferred(draw: Draw, wanted: Bool[Array, "wires"], allowed: Bool[Array, "wires"]) -> Int[Array, ""]:
    """One of the wanted wires, or if there is none, of the allowed ones."""
    mask = jnp.where(wanted.any(), wanted, allowed)
    return at(pick(draw, mask), np.arange(mask.size, dtype=np.int32))


def _drawn(
    draws: Float[Array, "*shape"], table: Mapping[str, object], rates: Mapping[str, float | int]
) -> Int[Array, "*shape"]:
    """Indices into a table, each drawn as often as its rate says."""
    sums = np.cumsum([rates.get(name, 0) for name in table]).astype(np.float32)
    return (draws[..., None] * sums[-1] >= np.expand_dims(sums, tuple(range(draws.ndim)))).sum(-1, dtype=jnp.int32)
