"""Context-dependent decisions: of two noisy streams, one counts, and a cue says which."""

import math
from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from jaxneuro.tasks.batch import Batch, Classification, check_least

# Strengths of motion and of colour, as for the first monkey of the experiment; taken at second hand.
MOTION = (0.05, 0.15, 0.5)
COLOUR = (0.06, 0.18, 0.5)


class ContextDecision(Classification):
    """Motion and colour, in noise; the context says which of both decides. Is it positive?

    Each stream has a strength, drawn evenly from plus and minus its three, that all its steps have in common, and noise
    of standard deviation `noise` in each step. The context is drawn evenly and shown in all steps. The last step
    counts. The other stream says nothing.

    Input lines: motion, colour, the two contexts. Classes: negative, positive.

    Baseline: the cross-entropy of whoever sees the last step alone. Optimum: that of the mean over all steps, which has
    noise of `noise / sqrt(steps)`; both by numerical integration over the posterior of the six strengths.

    Reference: Mante, Sussillo, Shenoy and Newsome 2013, Nature 503:78, fig. 1 and supplementary information 1.
    """

    steps: int = eqx.field(static=True, default=30)
    noise: float = eqx.field(static=True, default=1.0)

    def __check_init__(self) -> None:
        check_least(self, steps=1)
        if not 0 < self.noise <= 1000:
            raise ValueError(f"ContextDecision got noise={self.noise}; it must be above 0 and at most 1000.")

    @property
    def inputs(self) -> int:
        """Motion, colour, two contexts."""
        return 4

    @property
    def outputs(self) -> int:
        """Negative, positive."""
        return 2

    @property
    def baseline(self) -> float:
        """From one step (nats)."""
        return (_decided(MOTION, self.noise)[0] + _decided(COLOUR, self.noise)[0]) / 2

    @property
    def optimum(self) -> float:
        """From all steps (nats)."""
        noise = self.noise / math.sqrt(self.steps)
        return (_decided(MOTION, noise)[0] + _decided(COLOUR, noise)[0]) / 2

    @property
    def best_accuracy(self) -> float:
        """Share of right answers of whoever takes the sign of the mean over all steps."""
        noise = self.noise / math.sqrt(self.steps)
        return (_decided(MOTION, noise)[1] + _decided(COLOUR, noise)[1]) / 2

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences of `steps` steps."""
        strength_key, sign_key, noise_key, context_key = jax.random.split(key, 4)
        real = jnp.result_type(float)
        levels = jnp.asarray([MOTION, COLOUR], real)
        chosen = jax.random.randint(strength_key, (size, 2), 0, levels.shape[1])
        positive = jax.random.bernoulli(sign_key, shape=(size, 2))
        strength = jnp.where(positive, 1, -1) * levels[jnp.arange(2), chosen]
        streams = strength[:, None] + self.noise * jax.random.normal(noise_key, (size, self.steps, 2))
        context = jax.random.bernoulli(context_key, shape=(size,)).astype(jnp.int32)
        cue = jnp.broadcast_to(jax.nn.one_hot(context, 2, dtype=real)[:, None], streams.shape)
        right = jnp.take_along_axis(positive, context[:, None], axis=1).astype(jnp.int32)
        counts = (jnp.arange(self.steps) == self.steps - 1).astype(real)
        shape = (size, self.steps)
        return Batch(
            jnp.concatenate([streams, cue], -1), jnp.broadcast_to(right, shape), jnp.broadcast_to(counts, shape)
        )


@cache
def _decided(levels: tuple[float, ...], noise: float) -> tuple[float, float]:
    """Cross-entropy and accuracy of the sign of a strength, given itself in Gaussian noise."""
    means = np.asarray([sign * level for sign in (1, -1) for level in levels])
    edge = max(levels) + 9 * noise
    seen = np.linspace(-edge, edge, 20_001)
    density = np.exp(-0.5 * ((seen[:, None] - means) / noise) ** 2) / (noise * math.sqrt(2 * math.pi))
    both = density.reshape(len(seen), 2, -1).mean(axis=2)
    posterior = both / np.maximum(both.sum(axis=1, keepdims=True), 1e-300)
    width = seen[1] - seen[0]
    entropy = -(both / 2 * np.log(np.maximum(posterior, 1e-300))).sum() * width
    return float(entropy), float((both.max(axis=1) / 2).sum() * width)
