"""Variation of cells with their weights: what a parent has learned goes on in its child.

A morph makes a cell larger without a change of what it computes, so that training goes on where it was: the new slots
start with weights of 0, in places where this changes nothing as long as all values are finite. `mutate_cell` applies
any operator, and draws the weights of new slots.
"""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from jaxneuro.search import compound, growth
from jaxneuro.search.cell import EvolvedCell
from jaxneuro.search.choices import DRAWS
from jaxneuro.search.draft import NEW, Draft, draft
from jaxneuro.search.genome import BIASES
from jaxneuro.search.mutation import OPERATORS, Operator, drawn_edit, kept, mixed, parents

# All are exact but "open_gate", which multiplies what one reader reads by sigmoid(4) = 0.98201.
MORPHS: dict[str, Operator] = {
    "insert": Operator(functools.partial(growth.insert, exact=True), 0),  # a canonical form has no such nodes
    "gate": Operator(functools.partial(growth.gate, exact=True), 2),
    "open_gate": Operator(growth.open_gate, 2),
    "term": Operator(growth.add_term, 2),
    "add_state": Operator(functools.partial(growth.add_state, exact=True), 2),
    "skip": Operator(functools.partial(growth.skip, exact=True)),
    "duplicate": Operator(functools.partial(growth.duplicate, exact=True)),
    "complexify": Operator(functools.partial(compound.complexify, exact=True)),
}


def morph(
    key: PRNGKeyArray, cell: EvolvedCell, rates: Float[Array | np.ndarray, "morphs"] | None = None
) -> tuple[EvolvedCell, Int[Array, ""]]:
    """Apply one morph, drawn by rate.

    Args:
        key: random key.
        cell: a cell.
        rates: how often each morph is drawn, `[morphs]`, in the order of `MORPHS`; None for those of the table.

    Returns:
        The cell, and which morph was drawn: `list(MORPHS)[index]`. The cell is as it was if there is no place for it.
    """
    after, index = drawn_edit(key, draft(cell.genome), list(MORPHS.values()), rates)
    return grown(cell, after), index


def apply_morph(name: str, key: PRNGKeyArray, cell: EvolvedCell) -> EvolvedCell:
    """Apply one morph.

    Args:
        name: one of `MORPHS`.
        key: random key.
        cell: a cell.

    Returns:
        The cell; as it was if there is no place for the morph.

    Raises:
        ValueError: if there is no such morph.
    """
    if name not in MORPHS:
        raise ValueError(f"There is no morph {name!r}. Allowed: {', '.join(MORPHS)}.")
    return grown(cell, MORPHS[name].edit(jax.random.uniform(key, (DRAWS,), jnp.float32), draft(cell.genome)))


def grown(cell: EvolvedCell, after: Draft) -> EvolvedCell:
    """A cell after an edit: slots keep their weights, copies have those of the original, and new ones have 0.

    Args:
        cell: the cell that the edit started from.
        after: the draft that it led to.

    Returns:
        The cell; the bias of a new slot is the number that it starts from.
    """
    start = jnp.asarray(list(BIASES.values()), cell.bias.dtype)[kept(after, cell.genome).bias, 0]
    fresh = jnp.zeros_like(cell.input_weights), jnp.zeros_like(cell.recurrent_weights)
    return _inherited(cell, after, (*fresh, jnp.broadcast_to(start[..., None], cell.bias.shape)))


def mutate_cell(
    key: PRNGKeyArray, cell: EvolvedCell, rates: Float[Array | np.ndarray, "operators"] | None = None
) -> tuple[EvolvedCell, Int[Array, ""]]:
    """Apply one operator, drawn by rate, to a cell with its weights.

    Slots keep their weights, copies have those of the original. Those of new slots are drawn as `EvolvedCell` draws
    them, and so are biases that start at something else than before.

    Args:
        key: random key.
        cell: a cell.
        rates: how often each operator is drawn, `[operators]`, as `rates()` gives them; None for those of the table.

    Returns:
        The cell, and which operator was drawn: `list(OPERATORS)[index]`.
    """
    edit_key, weight_key = jax.random.split(key)
    after, index = drawn_edit(edit_key, draft(cell.genome), list(OPERATORS.values()), rates)
    inputs, units = cell.input_weights.shape[-1], cell.units
    fresh = EvolvedCell(inputs, units, kept(after, cell.genome), key=weight_key)
    return _inherited(cell, after, (fresh.input_weights, fresh.recurrent_weights, fresh.bias)), index


def cross_cells(key: PRNGKeyArray, a: EvolvedCell, b: EvolvedCell) -> EvolvedCell:
    """A child of two cells of one space and one size: `crossover`, each slot with the weights of the parent it is from.

    Args:
        key: random key.
        a: a cell.
        b: another one.

    Returns:
        The cell.

    Raises:
        ValueError: if the genomes are of different spaces, or the weights of different shapes.
    """
    if a.input_weights.shape != b.input_weights.shape:
        raise ValueError(f"Parents must be of one size; got {a.input_weights.shape} and {b.input_weights.shape}.")
    choice = parents(key, a.genome, b.genome)

    def weights(a: Array, b: Array) -> Array:
        return jnp.where(_over(jnp.asarray(choice.input) > 0, a), b, a)

    mixed_weights = (weights(one, other) for one, other in zip(_weights(a), _weights(b), strict=True))
    return eqx.tree_at(_leaves, a, [mixed(a.genome, b.genome, choice), *mixed_weights])


def _inherited(cell: EvolvedCell, after: Draft, fresh: tuple[Array, Array, Array]) -> EvolvedCell:
    """A cell after an edit; `fresh` are weights for new slots, and biases for those that start at something else."""
    genome = kept(after, cell.genome)
    stay = jnp.arange(after.origin.size, dtype=jnp.int32).reshape(after.origin.shape)
    origin = jnp.where(after.done, after.origin, stay)
    new, old = origin == NEW, jnp.maximum(origin, 0)
    restarts = new | (genome.bias != cell.genome.bias.ravel()[old])

    def moved(weights: Array, fresh: Array, new: Array) -> Array:
        return jnp.where(_over(new, weights), fresh.astype(weights.dtype), weights.reshape(-1, *weights.shape[2:])[old])

    weights = (moved(*arrays) for arrays in zip(_weights(cell), fresh, (new, new, restarts), strict=True))
    return eqx.tree_at(_leaves, cell, [genome, *weights])


def _over(mask: Array, weights: Array) -> Array:
    """A mask over slots with as many axes as weights have."""
    return mask.reshape(mask.shape + (1,) * (weights.ndim - mask.ndim))


def _weights(cell: EvolvedCell) -> list:
    return [cell.input_weights, cell.recurrent_weights, cell.bias]


def _leaves(cell: EvolvedCell) -> list:
    return [cell.genome, *_weights(cell)]
