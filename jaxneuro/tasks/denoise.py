"""Denoising: forget the noise between the symbols that are to be repeated."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from jaxneuro.tasks.batch import Batch, Classification, check_least
from jaxneuro.tasks.draw import one_hot, scattered


class Denoise(Classification):
    """Read `K = length` symbols at random places in a stretch of noise, and repeat them in order after the marker.

    With `T = noise` the input is T + K - 1 steps, of which K have a symbol and the others the noise character, then one
    marker, then K noise characters: T + 2K steps. The target is T + K blanks, then the K symbols. All steps count. The
    places are all different, so that no symbol is lost.

    Input lines: the symbols, noise, marker. Classes: the symbols, blank.

    Baseline: `K ln(symbols) / (T + 2K)`: without memory the blanks are certain, and every symbol is equally likely.
    Optimum: 0.

    Reference: Jing, Gulcehre, Peurifoy, Shen, Tegmark, Soljacic and Bengio 2019, Neural Computation 31:765 (denoise
    task), with 9 symbols and K = 10.
    """

    noise: int = eqx.field(static=True, default=200)
    symbols: int = eqx.field(static=True, default=9)
    length: int = eqx.field(static=True, default=10)

    def __check_init__(self) -> None:
        check_least(self, noise=1, symbols=2, length=1)

    @property
    def inputs(self) -> int:
        """Symbols, noise, marker."""
        return self.symbols + 2

    @property
    def outputs(self) -> int:
        """Symbols, blank."""
        return self.symbols + 1

    @property
    def baseline(self) -> float:
        """Cross-entropy without memory (nats)."""
        return self.length * math.log(self.symbols) / (self.noise + 2 * self.length)

    @property
    def optimum(self) -> float:
        """Nothing is random but what was read."""
        return 0.0

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences of `noise + 2 length` steps."""
        symbol_key, place_key = jax.random.split(key)
        blank, marker = self.symbols, self.symbols + 1
        symbols = jax.random.randint(symbol_key, (size, self.length), 0, self.symbols)
        noisy = scattered(place_key, symbols, self.noise + self.length - 1, blank)
        recall = jnp.full((size, self.length), blank)
        codes = jnp.concatenate([noisy, jnp.full((size, 1), marker), recall], axis=1)
        targets = jnp.concatenate([jnp.full((size, self.noise + self.length), blank), symbols], axis=1)
        return Batch(one_hot(codes, self.inputs), targets, jnp.ones(targets.shape))
