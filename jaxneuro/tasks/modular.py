"""Counting in a circle: parity, and sums modulo any number."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from jaxneuro.tasks.batch import Batch, Classification, check_least
from jaxneuro.tasks.draw import one_hot


class Modular(Classification):
    """Read whole numbers from 0 to m - 1, all equally likely, and say after each the sum so far modulo `m = modulus`.

    `y_t = (x_1 + ... + x_t) mod m`. Modulus 2 is parity. The first step, whose answer is its input, does not count.

    Input lines and classes: the m numbers.

    Baseline: `ln(m)`: the sum before is uniform and independent of the input, so the sum is too. Optimum: 0.

    Reference: Grazzi, Siems, Zela, Franke, Hutter and Pontil 2024, arXiv:2411.12537: with finite precision, a linear
    recurrence with only positive eigenvalues cannot do modulus 2, one with triangular transitions cannot do modulus 3.
    """

    modulus: int = eqx.field(static=True, default=2)
    steps: int = eqx.field(static=True, default=40)

    def __check_init__(self) -> None:
        check_least(self, modulus=2, steps=2)

    @property
    def inputs(self) -> int:
        """The numbers."""
        return self.modulus

    @property
    def outputs(self) -> int:
        """The sums."""
        return self.modulus

    @property
    def baseline(self) -> float:
        """Cross-entropy without memory (nats)."""
        return math.log(self.modulus)

    @property
    def optimum(self) -> float:
        """The sum is certain."""
        return 0.0

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences of `steps` steps."""
        numbers = jax.random.randint(key, (size, self.steps), 0, self.modulus)
        sums = numbers.cumsum(axis=1) % self.modulus
        weights = jnp.ones(numbers.shape).at[:, 0].set(0)
        return Batch(one_hot(numbers, self.inputs), sums, weights)
