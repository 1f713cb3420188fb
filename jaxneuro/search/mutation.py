"""Variation of genomes: pure functions from a random key and a genome to a genome, for `jit` and `vmap`.

All are valid by construction. An operator that finds no place for what it does gives the genome as it was. To see what
an operator did, compare `jaxneuro.search.text.show` of both.
"""

import dataclasses
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from jaxneuro.search import compound, growth, small_changes
from jaxneuro.search.choices import DRAWS, Draws
from jaxneuro.search.draft import Draft, draft, finished
from jaxneuro.search.draw_genome import random_genome as random_genome
from jaxneuro.search.genome import Genome

Edit = Callable[[Draws, Draft], Draft]


@dataclasses.dataclass(frozen=True)
class Operator:
    """A mutation: `operator(key, genome)` is a genome.

    Args:
        edit: what it does to a draft.
        rate: how often `mutate` draws it, relative to the others.
    """

    edit: Edit
    rate: float | int = 1

    def __call__(self, key: PRNGKeyArray, genome: Genome) -> Genome:
        """Apply it.

        Args:
            key: random key.
            genome: one genome.

        Returns:
            The genome; as it was if there is no place for the mutation.
        """
        return kept(self.edit(jax.random.uniform(key, (DRAWS,), jnp.float32), draft(genome)), genome)


OPERATORS: dict[str, Operator] = {
    "combine": Operator(small_changes.change_combine, 2),
    "activation": Operator(small_changes.swap_activation, 2),
    "rewire_node": Operator(small_changes.rewire_node, 3),
    "rewire_state": Operator(small_changes.rewire_state),
    "rewire_output": Operator(small_changes.rewire_output),
    "rewire_source": Operator(small_changes.rewire_source),
    "input": Operator(small_changes.toggle_input),
    "recurrent": Operator(small_changes.toggle_recurrent),
    "bias": Operator(small_changes.change_bias),
    "delete": Operator(small_changes.delete_node, 3),
    "remove_state": Operator(small_changes.remove_state, 0.5),
    "insert": Operator(growth.insert, 2),
    "gate": Operator(growth.gate, 2),
    "term": Operator(growth.add_term),
    "add_state": Operator(growth.add_state),
    "skip": Operator(growth.skip),
    "duplicate": Operator(growth.duplicate),
    "nest": Operator(compound.nest, 0.5),
    "complexify": Operator(compound.complexify, 0.5),
}


def rates(**changed: float | int) -> Float[np.ndarray, "operators"]:
    """How often `mutate` draws each operator, relative to the others, in the order of `OPERATORS`.

    Args:
        **changed: other rates than the table has, by name; 0 turns an operator off.

    Returns:
        `[operators]`.

    Raises:
        ValueError: if there is no such operator, a rate is negative, or all are 0.
    """
    return table_rates({name: operator.rate for name, operator in OPERATORS.items()}, changed)


def table_rates(table: Mapping[str, float | int], changed: Mapping[str, float | int]) -> Float[np.ndarray, "operators"]:
    """The rates of a table, some of them changed.

    Args:
        table: rates by name.
        changed: those that shall be different.

    Returns:
        `[operators]`, in the order of the table.

    Raises:
        ValueError: if a name is not in the table, a rate is negative or not finite, or all are 0.
    """
    if unknown := sorted(set(changed) - set(table)):
        raise ValueError(f"There is no operator {unknown[0]!r}. Allowed: {', '.join(table)}.")
    numbers = np.array([changed.get(name, rate) for name, rate in table.items()], np.float32)
    if not np.isfinite(numbers).all() or (numbers < 0).any() or not numbers.any():
        raise ValueError(f"Rates must be finite, at least 0 and not all 0; got {dict(changed)}.")
    return numbers


def mutate(
    key: PRNGKeyArray, genome: Genome, rates: Float[Array | np.ndarray, "operators"] | None = None
) -> tuple[Genome, Int[Array, ""]]:
    """Apply one operator, drawn by rate.

    Args:
        key: random key.
        genome: one genome.
        rates: how often each operator is drawn, `[operators]`, as `rates()` gives them; None for those of the table.

    Returns:
        The genome, and which operator was drawn: `list(OPERATORS)[index]`. The genome is as it was if this operator
        found no place.
    """
    after, index = drawn_edit(key, draft(genome), list(OPERATORS.values()), rates)
    return kept(after, genome), index


def drawn_edit(
    key: PRNGKeyArray, before: Draft, operators: list[Operator], rates: Float[Array | np.ndarray, "operators"] | None
) -> tuple[Draft, Int[Array, ""]]:
    """Apply the edit of one operator, drawn by rate.

    Args:
        key: random key.
        before: the draft.
        operators: those to draw from.
        rates: how often each is drawn; None for their own rates.

    Returns:
        The draft, and the index of the operator.
    """
    draw, draws = jnp.split(jax.random.uniform(key, (1 + DRAWS,), jnp.float32), [1])
    weights = jnp.asarray([operator.rate for operator in operators] if rates is None else rates, jnp.float32)
    sums = jnp.cumsum(weights)
    index = (draw * sums[-1] >= sums).sum(dtype=jnp.int32)
    return jax.lax.switch(index, [operator.edit for operator in operators], draws, before), index


def crossover(key: PRNGKeyArray, a: Genome, b: Genome) -> Genome:
    """A child of two genomes of one space: of each stage all from one parent, or all before a wire from one parent.

    Either happens half the time. Reads keep their numbers, and so stay in range. In the first case each state takes
    what it takes in one parent or the other, and so does the output; in the second both are those of b.

    Args:
        key: random key.
        a: a genome.
        b: another one of the same space.

    Returns:
        The genome.

    Raises:
        ValueError: if the genomes are of different spaces.
    """
    return mixed(a, b, parents(key, a, b))


def parents(key: PRNGKeyArray, a: Genome, b: Genome) -> Genome:
    """From which parent `crossover` takes each entry, as a genome of 0 (a) and 1 (b).

    Args:
        key: random key.
        a: a genome.
        b: another one of the same space.

    Returns:
        The choices.

    Raises:
        ValueError: if the genomes are of different spaces.
    """
    space = a.space
    if b.space != space:
        raise ValueError(f"Parents must be of one space; got {space} and {b.space}.")
    coin_key, cut_key, *keys = jax.random.split(key, 5)
    stage = jax.random.bernoulli(keys[0], shape=(space.stages,))
    following = jax.random.bernoulli(keys[1], shape=(space.states,))
    output = jax.random.bernoulli(keys[2])
    cut = jax.random.randint(cut_key, (), space.slot(0) + 1, space.wires, jnp.int32)
    late = (np.arange(space.slot(0), space.wires, dtype=np.int32) >= cut).reshape(space.stages, -1)
    whole = jax.random.bernoulli(coin_key)
    choice = jnp.where(whole, stage[:, None], late).astype(jnp.int32)
    slots, nodes = choice[:, : space.slots], choice[:, space.slots :]
    return Genome(
        source=slots[:, 0],
        input=slots,
        recurrent=slots,
        bias=slots,
        squash=slots,
        combine=nodes,
        first=nodes,
        second=nodes,
        activation=nodes,
        next=(following | ~whole).astype(jnp.int32),
        output=(output | ~whole).astype(jnp.int32),
    )


def mixed(a: Genome, b: Genome, choice: Genome) -> Genome:
    """The genome that takes each entry from a where the choice is 0, from b where it is 1.

    Args:
        a: a genome.
        b: another one of the same space.
        choice: as `parents` gives it.

    Returns:
        The genome.
    """
    return jax.tree.map(lambda a, b, from_b: jnp.where(from_b > 0, b, a).astype(jnp.int32), a, b, choice)


def kept(after: Draft, before: Genome) -> Genome:
    """The genome of a draft if it is done, else the one before.

    Args:
        after: the draft.
        before: the genome that it started from.

    Returns:
        The genome.
    """
    return jax.tree.map(lambda new, old: jnp.where(after.done, new, old), finished(after), before)
