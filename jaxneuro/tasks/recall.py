"""Associative recall with many queries: which value came with this key?"""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.tasks.batch import Batch, Classification, check_least
from jaxneuro.tasks.draw import distinct, one_hot


class Recall(Classification):
    """Read `D = pairs` keys, each followed by its value; when a key comes again, name its value (MQAR).

    The input is D keys and values in turn, then a stretch in which each key comes once more, at even distances from
    its beginning, among blanks. Distance 2g is drawn, without replacement, with weight `(g + 1)^(power - 1)`: most
    queries come soon, some late. Only the queries count. All keys of a sequence differ, and so do all values.

    Input lines (V = `vocabulary`): blank 0, keys 1 to V/2 - 1, values V/2 to V - 1. Classes: the V/2 values.

    Baseline: `ln(V/2)`: without memory every value is equally likely. A rule that remembers the values and not which
    is whose comes to `ln(D)`. Optimum: 0.

    Reference: Arora, Eyuboglu, Timalsina, Johnson, Poli, Zou, Rudra and Re 2023, arXiv:2312.04927 (there V = 8192, and
    `steps` from 64 with D = 4 to 512 with D = 64).
    """

    pairs: int = eqx.field(static=True, default=4)
    vocabulary: int = eqx.field(static=True, default=256)
    steps: int = eqx.field(static=True, default=64)
    power: float = eqx.field(static=True, default=0.01)

    def __check_init__(self) -> None:
        check_least(self, pairs=1, vocabulary=2 * self.pairs + 2, steps=4 * self.pairs)
        for name in ("vocabulary", "steps"):
            if getattr(self, name) % 2:
                raise ValueError(f"Recall got {name}={getattr(self, name)}; it must be even.")

    @property
    def inputs(self) -> int:
        """Blank, keys, values."""
        return self.vocabulary

    @property
    def outputs(self) -> int:
        """The values."""
        return self.vocabulary // 2

    @property
    def baseline(self) -> float:
        """Cross-entropy without memory (nats)."""
        return math.log(self.outputs)

    @property
    def optimum(self) -> float:
        """The value is certain."""
        return 0.0

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences of `steps` steps."""
        key_key, value_key, place_key = jax.random.split(key, 3)
        half = self.vocabulary // 2
        keys = 1 + distinct(key_key, size, half - 1, self.pairs)
        values = distinct(value_key, size, half, self.pairs)
        reading = jnp.stack([keys, half + values], axis=-1).reshape(size, 2 * self.pairs)
        # The largest of weights in Gumbel noise are draws without replacement.
        slots = self.steps // 2 - self.pairs
        noise = jax.random.gumbel(place_key, (size, slots)) + self._log_weights(slots)
        places = 2 * self.pairs + 2 * jax.lax.top_k(noise, self.pairs)[1]

        def spread(place: Array, symbol: Array) -> Array:
            return jnp.zeros(self.steps, symbol.dtype).at[place].set(symbol)

        codes = jax.vmap(spread)(places, keys).at[:, : 2 * self.pairs].set(reading)
        targets = jax.vmap(spread)(places, values)
        weights = jax.vmap(spread)(places, jnp.ones(places.shape))
        return Batch(one_hot(codes, self.inputs), targets, weights)

    def _log_weights(self, slots: int) -> Float[Array, "1 slots"]:
        return (self.power - 1) * jnp.log(jnp.arange(1, slots + 1, dtype=jnp.result_type(float)))[None]
