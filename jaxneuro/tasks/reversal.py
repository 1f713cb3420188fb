"""Reversal learning: what was right yesterday is wrong today."""

import math
from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from jaxneuro.tasks.batch import Batch, Classification, check_least


class Reversal(Classification):
    """Two cues, two answers; which cue wants which answer is hidden, and reverses now and then.

    At each step a cue is drawn evenly, and with probability `hazard` the pairing reverses before it. After the answer
    the right one is told, in the next step, and with probability `1 - valid` the wrong one instead. Whoever never
    forgets averages over pairings that no longer hold. All steps count.

    Input lines: the two cues, what was told of the last step (two; none at the first). Classes: the two answers.

    Baseline: `ln 2`: what was told says nothing without the cue that it was told of. Optimum: the cross-entropy of the
    exact filter of the hidden pairing, in the mean over 32,768 simulated sequences (standard error below 0.001 nats).

    Reference: Izquierdo, Brigman, Radke, Rudebeck and Holmes 2017, Neuroscience 345:12; the filter: Rabiner 1989,
    Proceedings of the IEEE 77:257, eq. 20.
    """

    steps: int = eqx.field(static=True, default=40)
    hazard: float = eqx.field(static=True, default=0.1)
    valid: float = eqx.field(static=True, default=0.9)

    def __check_init__(self) -> None:
        check_least(self, steps=2)
        for name, low, high in (("hazard", 0, 0.5), ("valid", 0.5, 1)):
            if not low < getattr(self, name) <= high:
                raise ValueError(
                    f"Reversal got {name}={getattr(self, name)}; it must be above {low} and at most {high}."
                )

    @property
    def inputs(self) -> int:
        """Two cues, two lines of what was told."""
        return 4

    @property
    def outputs(self) -> int:
        """Two answers."""
        return 2

    @property
    def baseline(self) -> float:
        """Even odds (nats)."""
        return math.log(2)

    @property
    def optimum(self) -> float:
        """Of the exact filter (nats)."""
        return _filtered(self.steps, self.hazard, self.valid)

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences of `steps` steps."""
        cue_key, start_key, reverse_key, valid_key = jax.random.split(key, 4)
        cue = jax.random.bernoulli(cue_key, shape=(size, self.steps))
        reverses = jax.random.bernoulli(reverse_key, self.hazard, (size, self.steps))
        pairing = (jnp.cumsum(reverses, axis=1) % 2 == 1) ^ jax.random.bernoulli(start_key, shape=(size, 1))
        right = cue ^ pairing
        told = right ^ ~jax.random.bernoulli(valid_key, self.valid, (size, self.steps))
        real = jnp.result_type(float)
        shown = jax.nn.one_hot(told[:, :-1].astype(jnp.int32), 2, dtype=real)
        before = jnp.concatenate([jnp.zeros((size, 1, 2), real), shown], axis=1)
        inputs = jnp.concatenate([jax.nn.one_hot(cue.astype(jnp.int32), 2, dtype=real), before], axis=-1)
        return Batch(inputs, right.astype(jnp.int32), jnp.ones((size, self.steps), real))


def reversed_odds(told: np.ndarray, hazard: float, valid: float) -> np.ndarray:
    """The probability that the pairing is reversed at each step, given what was told of the steps before.

    Args:
        told: `[batch, time]`, 1 where what was told speaks for the reversed pairing, else 0.
        hazard: probability that the pairing reverses before a step.
        valid: probability that the right answer is told.

    Returns:
        `[batch, time]`.
    """
    belief, found = np.full(len(told), 0.5), []
    for step in range(told.shape[1]):
        belief = belief * (1 - hazard) + (1 - belief) * hazard
        found.append(belief)
        reversed_says = np.where(told[:, step] == 1, valid, 1 - valid)
        belief = belief * reversed_says / (belief * reversed_says + (1 - belief) * (1 - reversed_says))
    return np.stack(found, axis=1)


@cache
def _filtered(steps: int, hazard: float, valid: float) -> float:
    random = np.random.default_rng(0)
    size = 32_768
    pairing = (random.random((size, steps)) < hazard).cumsum(axis=1) + random.integers(0, 2, (size, 1))
    told = (pairing + (random.random((size, steps)) >= valid)) % 2
    odds = reversed_odds(told, hazard, valid)
    return float(-np.log(np.where(pairing % 2 == 1, odds, 1 - odds)).mean())
