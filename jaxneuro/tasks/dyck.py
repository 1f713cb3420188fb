"""Nested brackets: which bracket is to be closed next?"""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from jaxneuro.tasks.batch import Batch, Classification, check_least
from jaxneuro.tasks.draw import one_hot


class Dyck(Classification):
    """Read brackets of k = `brackets` kinds, nested to at most `depth`, and name the innermost one that is open.

    The words come from the grammar `S -> a S a' S | nothing`, with even odds, one after the other; at the greatest
    depth only nothing is possible. The sequence is cut after `steps` steps. The target is the kind of bracket that may
    be closed next. It counts after each closing bracket if some bracket is still open: after an opening bracket it is
    that bracket itself, which takes no memory.

    Input lines: the k opening brackets, then the k closing ones. Classes: the k kinds.

    Baseline: `ln(k)`: the kinds are drawn independently, so the one closed just now says nothing of the one around it.
    Optimum: 0.

    Reference: Hewitt, Hahn, Ganguli, Liang and Manning 2020, arXiv:2010.07515 (the distribution over Dyck-(k, m)).
    """

    brackets: int = eqx.field(static=True, default=2)
    depth: int = eqx.field(static=True, default=4)
    steps: int = eqx.field(static=True, default=40)

    def __check_init__(self) -> None:
        check_least(self, brackets=2, depth=2, steps=3)

    @property
    def inputs(self) -> int:
        """Opening and closing brackets."""
        return 2 * self.brackets

    @property
    def outputs(self) -> int:
        """The kinds."""
        return self.brackets

    @property
    def baseline(self) -> float:
        """Cross-entropy without memory (nats)."""
        return math.log(self.brackets)

    @property
    def optimum(self) -> float:
        """The open bracket is certain."""
        return 0.0

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences of `steps` steps."""
        coin_key, kind_key = jax.random.split(key)
        coins = jax.random.bernoulli(coin_key, 0.5, (size, self.steps))
        kinds = jax.random.randint(kind_key, (size, self.steps), 0, self.brackets)
        codes, targets, counts = jax.vmap(self._word)(coins, kinds)
        return Batch(one_hot(codes, self.inputs), targets, counts.astype(jnp.result_type(float)))

    def _word(
        self, coins: Bool[Array, "steps"], kinds: Int[Array, "steps"]
    ) -> tuple[Int[Array, "steps"], Int[Array, "steps"], Bool[Array, "steps"]]:
        """Brackets, the innermost open ones, and whether these count."""

        def step(carry: tuple[Array, Array], drawn: tuple[Array, Array]) -> tuple[tuple[Array, Array], tuple]:
            stack, height = carry
            coin, kind = drawn
            opens = (height == 0) | (coin & (height < self.depth))
            bracket = jnp.where(opens, kind, self.brackets + stack[jnp.maximum(height - 1, 0)])
            stack = jnp.where(opens, stack.at[height].set(kind, mode="drop"), stack)
            height = height + jnp.where(opens, 1, -1)
            return (stack, height), (bracket, stack[jnp.maximum(height - 1, 0)], ~opens & (height > 0))

        start = jnp.zeros(self.depth, kinds.dtype), jnp.zeros((), kinds.dtype)
        return jax.lax.scan(step, start, (coins, kinds))[1]


class LongerDyck(Dyck):
    """`Dyck`, tested on longer words: `test_steps` steps instead of `steps`.

    Baseline and optimum do not depend on the length.

    Reference: as of `Dyck`; longer tests: Suzgun, Gehrmann, Belinkov and Shieber 2019, arXiv:1911.03329, section 4.
    """

    test_steps: int = eqx.field(static=True, default=100)

    def __check_init__(self) -> None:
        check_least(self, brackets=2, depth=2, steps=3, test_steps=self.steps)

    def transfer(self) -> Dyck:
        """With longer words."""
        return Dyck(self.brackets, self.depth, self.test_steps)
