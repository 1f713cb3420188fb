"""Selective copying: repeat symbols that came at times which nobody announced."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from jaxneuro.tasks.batch import Batch, Classification, check_least
from jaxneuro.tasks.draw import one_hot, scattered


class SelectiveCopy(Classification):
    """Read `M = length` symbols at random places among blanks, and name them in order while M markers go by.

    The input is noise + M steps, of which M have a symbol and the others a blank, then M markers: noise + 2M steps. The
    target at each marker is the next symbol; only these steps count.

    Input lines: the symbols, blank, marker. Classes: the symbols.

    Baseline: `ln(symbols)`: without memory every symbol is equally likely. Optimum: 0.

    Reference: Gu and Dao 2023, arXiv:2312.00752, section 4.1.1: M = 16 of 14 symbols, noise = 4096.
    """

    noise: int = eqx.field(static=True, default=256)
    symbols: int = eqx.field(static=True, default=14)
    length: int = eqx.field(static=True, default=8)

    def __check_init__(self) -> None:
        check_least(self, noise=0, symbols=2, length=1)

    @property
    def inputs(self) -> int:
        """Symbols, blank, marker."""
        return self.symbols + 2

    @property
    def outputs(self) -> int:
        """Symbols."""
        return self.symbols

    @property
    def baseline(self) -> float:
        """Cross-entropy without memory (nats)."""
        return math.log(self.symbols)

    @property
    def optimum(self) -> float:
        """Nothing is random but what was read."""
        return 0.0

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences of `noise + 2 length` steps."""
        symbol_key, place_key = jax.random.split(key)
        symbols = jax.random.randint(symbol_key, (size, self.length), 0, self.symbols)
        reading = scattered(place_key, symbols, self.noise + self.length, self.symbols)
        codes = jnp.concatenate([reading, jnp.full((size, self.length), self.symbols + 1)], axis=1)
        targets = jnp.concatenate([jnp.zeros_like(reading), symbols], axis=1)
        counts = jnp.arange(codes.shape[1]) >= reading.shape[1]
        weights = jnp.broadcast_to(counts.astype(jnp.result_type(float)), codes.shape)
        return Batch(one_hot(codes, self.inputs), targets, weights)
