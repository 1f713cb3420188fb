"""Character text as batches: which character is next?"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray

from jaxneuro.tasks.batch import Batch, Classification, check_least
from jaxneuro.tasks.draw import one_hot


class NextCharacter(Classification):
    """Read `steps` characters from a random place of a text, and name after each the next one. All steps count.

    Input lines and classes: the characters of the alphabet.

    Baseline: `H(next | present)`, the conditional entropy of the pairs of characters that are in the text: the least
    that a table of all pairs can have on this very text. The optimum is not known.

    Reference: Shannon 1951, Bell System Technical Journal 30:50 (F_2, with pairs).
    """

    codes: Int[Array, "characters"]
    symbols: int = eqx.field(static=True)
    steps: int = eqx.field(static=True)

    def __init__(self, codes: np.ndarray, symbols: int, *, steps: int = 128) -> None:
        """Hold the text.

        Args:
            codes: the text as whole numbers below `symbols`, as `text.encode` makes it.
            symbols: size of the alphabet.
            steps: characters of a sequence, fewer than the text has.
        """
        self.codes = jnp.asarray(codes, jnp.int32)
        self.symbols, self.steps = symbols, steps
        check_least(self, symbols=2, steps=1)
        if len(codes) <= steps:
            raise ValueError(f"NextCharacter got steps={steps}; it must be below the {len(codes)} characters.")
        if codes.min() < 0 or codes.max() >= symbols:
            raise ValueError(
                f"NextCharacter got codes from {codes.min()} to {codes.max()}; they must be from 0 to {symbols - 1}."
            )

    @property
    def inputs(self) -> int:
        """The alphabet."""
        return self.symbols

    @property
    def outputs(self) -> int:
        """The alphabet."""
        return self.symbols

    @property
    def baseline(self) -> float:
        """Conditional entropy of the pairs in the text (nats)."""
        codes = np.asarray(self.codes)
        pairs = np.bincount(codes[:-1] * self.symbols + codes[1:], minlength=self.symbols**2)
        pairs = pairs.reshape(self.symbols, self.symbols)
        present, follower = pairs.nonzero()
        counts = pairs[present, follower]
        return float(-(counts * np.log(counts / pairs.sum(axis=1)[present])).sum() / counts.sum())

    @property
    def optimum(self) -> None:
        """Not known."""
        return

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` stretches from random places."""
        return self.take(jax.random.randint(key, (size,), 0, self.codes.shape[0] - self.steps))

    def take(self, starts: Int[Array, "batch"]) -> Batch:
        """The stretches that begin there."""
        windows = jax.vmap(lambda start: jax.lax.dynamic_slice_in_dim(self.codes, start, self.steps + 1))(starts)
        targets = windows[:, 1:]
        return Batch(one_hot(windows[:, :-1], self.symbols), targets, jnp.ones(targets.shape))
