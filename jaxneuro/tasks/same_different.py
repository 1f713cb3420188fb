"""Same or different: a relation that holds for symbols never seen."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from jaxneuro.tasks.batch import Batch, check_least
from jaxneuro.tasks.draw import code_book
from jaxneuro.tasks.matching import Matching


class SameDifferent(Matching):
    """A symbol, a pause, a symbol: is it the same? In the test the symbols are others than those of the training.

    Symbols are vectors of `features` numbers, -1 or 1. With even odds the second symbol is the first again or another
    one. Its step counts. Input: the vector, zeros in the pause. Classes: different, same.

    Baseline: `ln 2`. Optimum: 0, in the test too: whoever has the relation needs no symbols.

    Fields:
        symbols, features, pause: numbers of symbols, of features of each, of steps between them.
        book: seed of the vectors.
        novel: whether the symbols are those of the test.

    Reference: Blough 1959, Journal of the Experimental Analysis of Behavior 2:151 (delayed matching); as a test of
    networks Kim, Ricci and Serre 2018, Interface Focus 8:20180011.
    """

    pause: int = eqx.field(static=True, default=4)

    def __check_init__(self) -> None:
        check_least(self, pause=0)

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences of `pause + 2` steps."""
        same_key, first_key, other_key = jax.random.split(key, 3)
        book = code_book(self.book, self.symbols, self.features, novel=self.novel)
        same = jax.random.bernoulli(same_key, shape=(size,))
        first = jax.random.randint(first_key, (size,), 0, self.symbols)
        apart = jax.random.randint(other_key, (size,), 1, self.symbols)
        second = jnp.where(same, first, (first + apart) % self.symbols)
        inputs = jnp.zeros((size, self.pause + 2, self.features), book.dtype)
        inputs = inputs.at[:, 0].set(book[first]).at[:, -1].set(book[second])
        targets = jnp.broadcast_to(same.astype(jnp.int32)[:, None], inputs.shape[:2])
        counts = (jnp.arange(self.pause + 2) == self.pause + 1).astype(book.dtype)
        return Batch(inputs, targets, jnp.broadcast_to(counts, targets.shape))
