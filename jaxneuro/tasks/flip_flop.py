"""Flip-flop language: write, ignore, read."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from jaxneuro.tasks.batch import Batch, Classification, check_least


class FlipFlop(Classification):
    """Each step has an instruction: write this symbol, ignore this symbol, or read, for the symbol written last.

    The first step writes. Each later one ignores with probability `ignore`, and writes or reads with half of the rest
    each. Steps that read count.

    Input lines: write, ignore, read; the symbols, none in a step that reads. Classes: the symbols.

    Baseline: `ln(symbols)`. A rule that does not tell writing from ignoring, and gives the symbol that came last,
    is wrong after most of them. Optimum: 0.

    For the test `ignore` is `test_ignore`, unless that is None.

    Reference: Liu, Ash, Goel, Krishnamurthy and Zhang 2023, arXiv:2306.00946, section 3 (there two symbols, 512 steps,
    0.8, and 0.98 and 0.1 for the test).
    """

    steps: int = eqx.field(static=True, default=40)
    symbols: int = eqx.field(static=True, default=4)
    ignore: float = eqx.field(static=True, default=0.6)
    test_ignore: float | None = eqx.field(static=True, default=None)

    def __check_init__(self) -> None:
        check_least(self, steps=2, symbols=2)
        for name in ("ignore", "test_ignore"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1:
                raise ValueError(f"FlipFlop got {name}={value}; it must be at least 0 and below 1.")

    @property
    def inputs(self) -> int:
        """Instructions and symbols."""
        return 3 + self.symbols

    @property
    def outputs(self) -> int:
        """The symbols."""
        return self.symbols

    @property
    def baseline(self) -> float:
        """Cross-entropy without memory (nats)."""
        return math.log(self.symbols)

    @property
    def optimum(self) -> float:
        """What was written is certain."""
        return 0.0

    def transfer(self) -> "FlipFlop":
        """With more, or less, to be ignored."""
        if self.test_ignore is None:
            return self
        return FlipFlop(self.steps, self.symbols, self.test_ignore)

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences of `steps` steps."""
        kind_key, symbol_key = jax.random.split(key)
        half = (1 - self.ignore) / 2
        odds = jax.random.uniform(kind_key, (size, self.steps))
        instruction = jnp.where(odds < half, 0, jnp.where(odds < 2 * half, 2, 1)).at[:, 0].set(0)
        symbols = jax.random.randint(symbol_key, (size, self.steps), 0, self.symbols)
        writes = jnp.where(instruction == 0, jnp.arange(self.steps), 0)
        last = jax.lax.cummax(writes, axis=1)
        targets = jnp.take_along_axis(symbols, last, axis=1)
        real, reads = jnp.result_type(float), instruction == 2
        shown = jax.nn.one_hot(jnp.where(reads, self.symbols, symbols), self.symbols, dtype=real)
        inputs = jnp.concatenate([jax.nn.one_hot(instruction, 3, dtype=real), shown], axis=-1)
        return Batch(inputs, targets, reads.astype(real))
