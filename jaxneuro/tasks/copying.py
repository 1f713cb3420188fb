"""Copying memory: repeat what was read a long time ago."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from jaxneuro.tasks.batch import Batch, Classification, check_least
from jaxneuro.tasks.draw import one_hot


class Copy(Classification):
    """Read `K = length` symbols, wait, and repeat them in order.

    With `T = delay` the input is K symbols, T - 1 blanks, one marker, K blanks: T + 2K steps. The target is T + K
    blanks, then the K symbols. All steps count.

    Input lines: the symbols, blank, marker. Classes: the symbols, blank.

    Baseline: `K ln(symbols) / (T + 2K)`: without memory the blanks are certain, and every symbol is equally likely.
    Optimum: 0.

    Reference: Arjovsky, Shah and Bengio 2016, arXiv:1511.06464, section 5, with 8 symbols and K = 10; after Hochreiter
    and Schmidhuber 1997, Neural Computation 9:1735.
    """

    delay: int = eqx.field(static=True, default=100)
    symbols: int = eqx.field(static=True, default=8)
    length: int = eqx.field(static=True, default=10)

    def __check_init__(self) -> None:
        check_least(self, delay=1, symbols=2, length=1)

    @property
    def inputs(self) -> int:
        """Symbols, blank, marker."""
        return self.symbols + 2

    @property
    def outputs(self) -> int:
        """Symbols, blank."""
        return self.symbols + 1

    @property
    def baseline(self) -> float:
        """Cross-entropy without memory (nats)."""
        return self.length * math.log(self.symbols) / (self.delay + 2 * self.length)

    @property
    def optimum(self) -> float:
        """Nothing is random but what was read."""
        return 0.0

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences of `delay + 2 length` steps."""
        blank, marker = self.symbols, self.symbols + 1
        symbols = jax.random.randint(key, (size, self.length), 0, self.symbols)

        def blanks(steps: int) -> jax.Array:
            return jnp.full((size, steps), blank)

        codes = jnp.concatenate(
            [symbols, blanks(self.delay - 1), jnp.full((size, 1), marker), blanks(self.length)], axis=1
        )
        targets = jnp.concatenate([blanks(self.delay + self.length), symbols], axis=1)
        return Batch(one_hot(codes, self.inputs), targets, jnp.ones(targets.shape))
