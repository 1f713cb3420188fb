"""The n-back task: has this symbol been here n steps ago?"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from jaxneuro.tasks.batch import Batch, check_least
from jaxneuro.tasks.draw import code_book
from jaxneuro.tasks.matching import Matching


class NBack(Matching):
    """At each step: is the symbol the one of `back` steps ago? In the test the symbols are others than in the training.

    The first `back` symbols are drawn evenly; each later one is with even odds that of `back` steps ago or another one.
    Steps from the second on that have a symbol `back` steps ago count. Input: the vector of the symbol, of `features`
    numbers -1 or 1. Classes: no, yes.

    Baseline: `ln 2`. Optimum: 0, in the test too.

    Fields: as of `SameDifferent`; `steps` in a sequence, `back` steps to look back.

    Reference: Kirchner 1958, Journal of Experimental Psychology 55:352.
    """

    steps: int = eqx.field(static=True, default=24)
    back: int = eqx.field(static=True, default=2)

    def __check_init__(self) -> None:
        check_least(self, back=1, steps=self.back + 1)

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences of `steps` steps."""
        first_key, same_key, other_key = jax.random.split(key, 3)
        book = code_book(self.book, self.symbols, self.features, novel=self.novel)
        first = jax.random.randint(first_key, (self.back, size), 0, self.symbols)
        later = (self.steps - self.back, size)
        same = jax.random.bernoulli(same_key, shape=later)
        apart = jnp.where(same, 0, jax.random.randint(other_key, later, 1, self.symbols))

        def follow(window: Array, apart: Array) -> tuple[Array, Array]:
            symbol = (window[0] + apart) % self.symbols
            return jnp.concatenate([window[1:], symbol[None]]), symbol

        _, rest = jax.lax.scan(follow, first, apart)
        symbols = jnp.concatenate([first, rest]).T
        targets = jnp.concatenate([jnp.zeros_like(first), same.astype(first.dtype)]).T
        counts = (jnp.arange(self.steps) >= self.back).astype(book.dtype)
        return Batch(book[symbols], targets, jnp.broadcast_to(counts, targets.shape))
