"""Sequences of elements in a sparse code, in pairs that share their middle, shown with noise."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray


class NoisySequences(eqx.Module):
    """The minicolumns of each element, and the elements of each sequence.

    Reference: sequences of this kind, Hawkins and Ahmad 2016, Frontiers in Neural Circuits 10:23.
    """

    patterns: Int[Array, "elements active"]
    sequences: Int[Array, "sequences length"]
    columns: int = eqx.field(static=True)

    def shown(self, key: PRNGKeyArray, noise: Float[Array, ""] | float) -> Int[Array, "sequences length active"]:
        """Every sequence once, in noise: numbers of the active minicolumns, ascending."""
        right = self.patterns[self.sequences]
        wrong_key, place_key = jax.random.split(key)
        wrong = jax.random.bernoulli(wrong_key, noise, right.shape)
        # Others in a random order: those of the element come last.
        inside = (right[..., None] == jnp.arange(self.columns)).any(axis=-2)
        order = jnp.argsort(jax.random.uniform(place_key, inside.shape) + inside, axis=-1)
        return jnp.sort(jnp.where(wrong, order[..., : right.shape[-1]].astype(right.dtype), right), axis=-1)

    def accuracy(self, expected: Float[Array, "sequences length columns"]) -> Float[Array, "2"]:
        """Of all elements but the first, and of the last ones: how often it is the one that is expected most.

        Args:
            expected: how much each minicolumn is expected after each element. Equal elements share the point.
        """
        votes = expected[:, :-1, self.patterns].sum(axis=-1)
        best = votes >= votes.max(axis=-1, keepdims=True) - 1e-6
        right = jnp.take_along_axis(best, self.sequences[:, 1:, None], axis=-1)[..., 0]
        points = right / best.sum(axis=-1)
        return jnp.stack([points.mean(), points[:, -1].mean()])


def noisy_pairs(key: PRNGKeyArray, columns: int, active: int, pairs: int, length: int) -> NoisySequences:
    """Pairs of sequences: another first and last element, the same ones between.

    Args:
        key: random key for the elements.
        columns: how many minicolumns there are.
        active: how many of them are active for an element.
        pairs: how many pairs; no two pairs have an element in common.
        length: elements of a sequence.

    Raises:
        ValueError: a sequence has no middle, or an element more minicolumns than there are.
    """
    if length < 3 or active > columns:
        raise ValueError(
            f"noisy_pairs got length={length}, active={active}; they must be at least 3, and at most columns={columns}."
        )
    middle, count = length - 2, length + 2
    pair = np.asarray([[0, *range(4, 4 + middle), 2], [1, *range(4, 4 + middle), 3]])
    sequences = np.concatenate([pair + count * number for number in range(pairs)])
    keys = jax.random.split(key, count * pairs)
    patterns = jax.vmap(lambda key: jax.random.permutation(key, columns)[:active])(keys)
    return NoisySequences(jnp.sort(patterns, axis=1).astype(jnp.int32), jnp.asarray(sequences, jnp.int32), columns)
