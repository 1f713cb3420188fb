"""Exclusive or of two rates that are far apart in time, among noise."""

import math
from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from jaxneuro.tasks.batch import Batch, Classification, check_least


class RateXOR(Classification):
    """What both tasks share: codes of high or low rate, and how well they can at best be read.

    A code lasts for `code` steps; while it does, its `channels` spike independently with probability `low` or `high` in
    a step, beside noise that is always there, of probability `noise`. What counts of a code is its number of spikes.
    """

    channels: int = eqx.field(static=True, default=20)
    code: int = eqx.field(static=True, default=10)
    low: float = eqx.field(static=True, default=0.2)
    high: float = eqx.field(static=True, default=0.6)
    noise: float = eqx.field(static=True, default=0.01)

    def __check_init__(self) -> None:
        check_least(self, channels=1, code=2, low=0, noise=0)
        name = type(self).__name__
        if not self.low < self.high <= 1:
            raise ValueError(
                f"{name} got low={self.low}, high={self.high}; low must be below high, and high at most 1."
            )
        if self.noise >= 1:
            raise ValueError(f"{name} got noise={self.noise}; it must be below 1.")

    @property
    def rates(self) -> tuple[float, float]:
        """Probability that a channel spikes in a step of a code, low or high, by the code or by noise."""
        return tuple(1 - (1 - rate) * (1 - self.noise) for rate in (self.low, self.high))  # pyright: ignore[reportReturnType]

    @property
    def outputs(self) -> int:
        """Equal, different."""
        return 2

    @property
    def baseline(self) -> float:
        """One code alone says nothing (nats)."""
        return math.log(2)

    @property
    def optimum(self) -> float:
        """The cross-entropy of the answer given all spikes until then, by the binomial distribution of their number."""
        return best(self.channels, self.code, self.rates)[0]

    @property
    def best_accuracy(self) -> float:
        """Share of right answers of whoever takes the likelier one at each step."""
        return best(self.channels, self.code, self.rates)[1]

    def _spikes(
        self, key: PRNGKeyArray, high: Bool[Array, "*batch"], steps: int
    ) -> Bool[Array, "*batch steps channels"]:
        """A code, before noise."""
        rate = jnp.where(high, self.high, self.low)[..., None, None]
        return jax.random.bernoulli(key, jnp.broadcast_to(rate, (*high.shape, steps, self.channels)))


class DelayedXOR(RateXOR):
    """Two codes, one at the start, one at the end, on the same channels: are they different?

    Each is high or low with equal chance. The steps of the second code count, but for its first. Classes: equal,
    different. Input: `[channels]` spikes.

    Baseline: `ln 2`. Optimum: the entropy that is left of the answer, a sum over binomial distributions.

    Reference: Zheng et al. 2024, Nature Communications 15:277, delayed spiking XOR problem.
    """

    steps: int = eqx.field(static=True, default=200)

    def __check_init__(self) -> None:
        super().__check_init__()
        check_least(self, steps=2 * self.code)

    @property
    def inputs(self) -> int:
        """The channels, which both codes share."""
        return self.channels

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences of `steps` steps."""
        noise_key, which_key, first_key, second_key = jax.random.split(key, 4)
        first, second = jax.random.bernoulli(which_key, shape=(2, size))
        spikes = jax.random.bernoulli(noise_key, self.noise, (size, self.steps, self.channels))
        spikes = spikes.at[:, : self.code].max(self._spikes(first_key, first, self.code))
        spikes = spikes.at[:, -self.code :].max(self._spikes(second_key, second, self.code))
        counts = jnp.arange(self.steps) > self.steps - self.code
        return _batch(spikes, jnp.broadcast_to((first ^ second)[:, None], spikes.shape[:2]), counts)


class MultiTimescaleXOR(RateXOR):
    """A code at the start, then code after code on other channels: is each of them different from the first?

    After the first code come, until the end, a pause of `pause` steps and a code, again and again, high or low with
    equal chance. The steps of these codes count, but for the first of each. What is to be remembered long and what is
    to be forgotten soon arrives side by side. Classes: equal, different. Input: `[2 channels]` spikes, those of the
    first code first.

    Baseline: `ln 2`. Optimum: as of `DelayedXOR`, since later codes say nothing of the first.

    Reference: Zheng et al. 2024, Nature Communications 15:277, multi-timescale spiking XOR problem.
    """

    pause: int = eqx.field(static=True, default=5)
    codes: int = eqx.field(static=True, default=6)

    def __check_init__(self) -> None:
        super().__check_init__()
        check_least(self, pause=0, codes=1)

    @property
    def inputs(self) -> int:
        """The channels of the first code, then those of the others."""
        return 2 * self.channels

    @property
    def steps(self) -> int:
        """Length of a sequence."""
        return self.code + self.codes * (self.pause + self.code)

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences of `steps` steps."""
        noise_key, first_key, later_key, spike_key, code_key = jax.random.split(key, 5)
        first = jax.random.bernoulli(first_key, shape=(size,))
        later = jax.random.bernoulli(later_key, shape=(size, self.codes))
        spikes = jax.random.bernoulli(noise_key, self.noise, (size, self.steps, 2 * self.channels))
        spikes = spikes.at[:, : self.code, : self.channels].max(self._spikes(spike_key, first, self.code))
        shown = jnp.pad(self._spikes(code_key, later, self.code), ((0, 0), (0, 0), (self.pause, 0), (0, 0)))
        rest = shown.reshape(size, self.steps - self.code, self.channels)
        spikes = spikes.at[:, self.code :, self.channels :].max(rest)
        period = self.pause + self.code
        time = jnp.arange(self.steps) - self.code
        different = (first[:, None] ^ later)[:, jnp.maximum(time, 0) // period]
        return _batch(spikes, different, (time >= 0) & (time % period > self.pause))


def _batch(
    spikes: Bool[Array, "batch time channels"], different: Bool[Array, "batch time"], counts: Bool[Array, "time"]
) -> Batch:
    real = jnp.result_type(float)
    return Batch(
        spikes.astype(real), different.astype(jnp.int32), jnp.broadcast_to(counts.astype(real), different.shape)
    )


def evidence(
    spikes: Float[np.ndarray, "*batch"], seen: Float[np.ndarray, "*batch"], rates: tuple[float, float]
) -> Float[np.ndarray, "*batch"]:
    """`log P(spikes | high) / P(spikes | low)` of so many spikes in so many chances.

    Args:
        spikes: how many there were.
        seen: channels times steps.
        rates: low, high.

    Returns:
        The logarithm of the ratio.
    """
    low, high = rates
    return spikes * np.log(high / low) + (seen - spikes) * np.log((1 - high) / (1 - low))


@cache
def best(channels: int, code: int, rates: tuple[float, float]) -> tuple[float, float]:
    """What can at best be known of whether two codes differ, the first one seen in whole, the second until now.

    Args:
        channels: of a code.
        code: its steps; those from the second on are averaged.
        rates: low, high; above 0 and below 1.

    Returns:
        The expected cross-entropy (nats), and the share of right answers.
    """
    from scipy.stats import binom

    def belief(steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Chance of each number of spikes, and the probability of a high code given that number."""
        seen = float(channels * steps)
        spikes = np.arange(seen + 1)
        chance = sum(binom.pmf(spikes, seen, rate) for rate in rates) / 2
        return np.asarray(chance), 1 / (1 + np.exp(-evidence(spikes, np.full_like(spikes, seen), rates)))

    chance, first = belief(code)
    losses, right = [], []
    for steps in range(2, code + 1):
        other, second = belief(steps)
        joint = chance[:, None] * other
        different = first[:, None] * (1 - second) + (1 - first[:, None]) * second
        sure = np.clip(different, 1e-300, 1 - 1e-16)
        losses.append(-(joint * (sure * np.log(sure) + (1 - sure) * np.log1p(-sure))).sum())
        right.append((joint * np.maximum(different, 1 - different)).sum())
    return float(np.mean(losses)), float(np.mean(right))
