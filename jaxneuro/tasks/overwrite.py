"""Overwriting: the value that counts is the last one."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from jaxneuro.tasks.batch import Batch, Classification, check_least
from jaxneuro.tasks.draw import distinct


class Overwrite(Classification):
    """Read keys with their values, each key `writes` times with values that differ, in random order; name the last.

    Each of `keys * writes` steps has a key and a value. Then each key comes once, alone and in random order: the target
    is the value that came with it last. Only these steps count. A memory that adds what it reads, and never erases,
    keeps all `writes` values of a key.

    Input lines: keys, values. Classes: values.

    Baseline: `ln(values)`. A rule that knows the values of each key, and not which was last, comes to `ln(writes)`.
    Optimum: 0.

    Reference: Schlag, Irie and Schmidhuber 2021, arXiv:2102.11174, section 6.1 (setting 2, keys with replacement).
    """

    keys: int = eqx.field(static=True, default=4)
    values: int = eqx.field(static=True, default=8)
    writes: int = eqx.field(static=True, default=3)

    def __check_init__(self) -> None:
        check_least(self, keys=1, writes=1, values=max(2, self.writes))

    @property
    def inputs(self) -> int:
        """Keys and values."""
        return self.keys + self.values

    @property
    def outputs(self) -> int:
        """The values."""
        return self.values

    @property
    def baseline(self) -> float:
        """Cross-entropy without memory (nats)."""
        return math.log(self.values)

    @property
    def optimum(self) -> float:
        """The last value is certain."""
        return 0.0

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences of `keys (writes + 1)` steps."""
        order_key, value_key, query_key = jax.random.split(key, 3)
        order = distinct(order_key, size, self.keys * self.writes, self.keys * self.writes)
        written = order % self.keys
        # Value number n of a key is the n-th that is drawn for it; the last is where the key is written last.
        drawn = distinct(value_key, size * self.keys, self.values, self.writes).reshape(size, self.keys, self.writes)
        number = order // self.keys
        values = drawn[jnp.arange(size)[:, None], written, number]
        steps = jnp.arange(self.keys * self.writes)
        of_key = jax.nn.one_hot(written, self.keys, axis=1, dtype=steps.dtype)
        last = (of_key * steps[None, None]).max(-1)
        asked = distinct(query_key, size, self.keys, self.keys)
        answers = jnp.take_along_axis(values, jnp.take_along_axis(last, asked, axis=1), axis=1)
        real = jnp.result_type(float)
        keys = jax.nn.one_hot(jnp.concatenate([written, asked], axis=1), self.keys, dtype=real)
        # A code beyond the last value has no line on.
        shown = jnp.concatenate([values, jnp.full_like(asked, self.values)], axis=1)
        inputs = jnp.concatenate([keys, jax.nn.one_hot(shown, self.values, dtype=real)], axis=-1)
        targets = jnp.concatenate([jnp.zeros_like(values), answers], axis=1)
        counts = (jnp.arange(targets.shape[1]) >= values.shape[1]).astype(real)
        return Batch(inputs, targets, jnp.broadcast_to(counts, targets.shape))
