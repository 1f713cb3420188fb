"""Sorting cards by a hidden rule that changes without notice."""

import itertools
import math
from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from jaxneuro.tasks.batch import Batch, Classification, check_least


class CardSorting(Classification):
    """A card has three features; which of them is asked for is hidden, and changes now and then.

    Each step has a card, whose features (colour, shape, number) have one of `values` values each, drawn evenly, and
    what would have been right for the card before. The target is the value of the feature that is asked for. Before
    each step but the first, with probability `hazard`, another feature is asked for from then on, either with even
    odds. All steps count.

    Input lines: the value of each feature, `[3 values]`, and what would have been right before, `[values]`, none at the
    first step. Classes: the values.

    Baseline: the entropy of the values on a card: without memory all three features are equally likely to be asked for.
    Optimum: the cross-entropy of the exact filter of the hidden rule, in the mean over 16,384 simulated sequences
    (standard error below 0.003 nats).

    Reference: Grant and Berg 1948, Journal of Experimental Psychology 38:404 (there 128 cards, and a rule holds for ten
    right answers); with a hazard, as here, the best that can be done is known.
    """

    steps: int = eqx.field(static=True, default=40)
    values: int = eqx.field(static=True, default=4)
    hazard: float = eqx.field(static=True, default=0.1)

    def __check_init__(self) -> None:
        check_least(self, steps=2, values=2)
        if not 0 < self.hazard < 2 / 3:
            raise ValueError(f"CardSorting got hazard={self.hazard}; it must be above 0 and below 2/3.")

    @property
    def inputs(self) -> int:
        """Three features, and what was right."""
        return 4 * self.values

    @property
    def outputs(self) -> int:
        """The values."""
        return self.values

    @property
    def baseline(self) -> float:
        """Of even odds for the three features (nats)."""
        cards = list(itertools.product(range(self.values), repeat=3))
        return sum(-math.log(card.count(card[0]) / 3) for card in cards) / len(cards)

    @property
    def optimum(self) -> float:
        """Of the exact filter (nats)."""
        return _filtered(self.steps, self.values, self.hazard)

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences of `steps` steps."""
        card_key, rule_key, change_key, other_key = jax.random.split(key, 4)
        shape = (size, self.steps)
        cards = jax.random.randint(card_key, (*shape, 3), 0, self.values)
        changes = jax.random.bernoulli(change_key, self.hazard, shape).at[:, 0].set(False)
        moves = jnp.where(changes, jax.random.randint(other_key, shape, 1, 3), 0)
        rule = (jax.random.randint(rule_key, (size, 1), 0, 3) + jnp.cumsum(moves, axis=1)) % 3
        right = jnp.take_along_axis(cards, rule[..., None], axis=-1)[..., 0]
        real = jnp.result_type(float)
        lines = jax.nn.one_hot(cards, self.values, dtype=real).reshape(*shape, 3 * self.values)
        told = jax.nn.one_hot(right[:, :-1], self.values, dtype=real)
        before = jnp.concatenate([jnp.zeros((size, 1, self.values), real), told], axis=1)
        return Batch(jnp.concatenate([lines, before], -1), right, jnp.ones(shape, real))


def asked_for(cards: np.ndarray, right: np.ndarray, hazard: float) -> np.ndarray:
    """The probability of each rule at each step, given cards and right answers of the steps before.

    Args:
        cards: `[batch, time, 3]`.
        right: `[batch, time]`.
        hazard: probability of a change.

    Returns:
        `[batch, time, 3]`.
    """
    belief, found = np.full((len(cards), 3), 1 / 3), []
    for step in range(cards.shape[1]):
        if step:
            belief = belief * (1 - hazard) + (1 - belief) * hazard / 2
        found.append(belief)
        belief = belief * (cards[:, step] == right[:, step, None])
        belief = belief / belief.sum(axis=1, keepdims=True)
    return np.stack(found, axis=1)


@cache
def _filtered(steps: int, values: int, hazard: float) -> float:
    random = np.random.default_rng(0)
    shape = (16_384, steps)
    cards = random.integers(0, values, (*shape, 3))
    moves = np.where(random.random(shape) < hazard, random.integers(1, 3, shape), 0)
    moves[:, 0] = random.integers(0, 3, shape[0])
    right = np.take_along_axis(cards, (moves.cumsum(axis=1) % 3)[..., None], axis=-1)[..., 0]
    odds = (asked_for(cards, right, hazard) * (cards == right[..., None])).sum(axis=-1)
    return float(-np.log(odds).mean())
