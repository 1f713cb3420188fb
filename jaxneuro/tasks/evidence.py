"""Evidence accumulation: which side had more cues, asked after a delay."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from jaxneuro.tasks.batch import Batch, Classification, check_least


class Evidence(Classification):
    """Spikes of cues at the left and the right, then nothing for a while, then a question: which were more?

    In steps of 1 ms: `cues` times a cue of `cue_ms` and a gap of `gap_ms`; a delay, drawn evenly between `shortest_ms`
    and `longest_ms`; the question, for `question_ms`; silence until the end, where the longest delay would have led. A
    side is drawn for the sequence, and each cue is on it with probability `favour`. The target is the side of most
    cues, which the steps of the question count.

    Input lines, `lines` each: left, right, question, noise. While a cue or the question lasts its lines spike with
    `rate_hz`, the noise always with `noise_hz`: at each step independently with probability `rate / 1000`. Classes:
    left, right.

    Baseline: `ln 2`, as the sides are drawn evenly. Optimum: 0, but for the chance of about
    `exp(-lines rate_hz cue_ms / 1000)` that a cue has no spikes.

    Reference: Morcos and Harvey 2016, Nature Neuroscience 19:1672; as a task for spiking networks Bellec et al. 2020,
    Nature Communications 11:3625, fig. 3.
    """

    cues: int = eqx.field(static=True, default=7)
    cue_ms: int = eqx.field(static=True, default=100)
    gap_ms: int = eqx.field(static=True, default=50)
    shortest_ms: int = eqx.field(static=True, default=500)
    longest_ms: int = eqx.field(static=True, default=1500)
    question_ms: int = eqx.field(static=True, default=150)
    lines: int = eqx.field(static=True, default=10)
    rate_hz: float = eqx.field(static=True, default=40.0)
    noise_hz: float = eqx.field(static=True, default=10.0)
    favour: float = eqx.field(static=True, default=0.7)

    def __check_init__(self) -> None:
        check_least(self, cues=1, cue_ms=1, gap_ms=0, shortest_ms=0, longest_ms=self.shortest_ms)
        check_least(self, question_ms=1, lines=1, rate_hz=0, noise_hz=0)
        if self.cues % 2 == 0:
            raise ValueError(f"Evidence got cues={self.cues}; it must be odd, or neither side may have more.")
        for name, most in (("rate_hz", 1000), ("noise_hz", 1000), ("favour", 1)):
            if getattr(self, name) > most:
                raise ValueError(f"Evidence got {name}={getattr(self, name)}; it must be at most {most}.")
        if self.favour < 0.5:
            raise ValueError(f"Evidence got favour={self.favour}; it must be at least 0.5.")

    @property
    def inputs(self) -> int:
        """Lines of left, right, question and noise."""
        return 4 * self.lines

    @property
    def outputs(self) -> int:
        """Left and right."""
        return 2

    @property
    def baseline(self) -> float:
        """Cross-entropy without memory (nats)."""
        return math.log(2)

    @property
    def optimum(self) -> float:
        """The count decides."""
        return 0.0

    @property
    def steps(self) -> int:
        """Length of a sequence (ms)."""
        return self.cues * (self.cue_ms + self.gap_ms) + self.longest_ms + self.question_ms

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences of `steps` steps."""
        side_key, cue_key, delay_key, spike_key = jax.random.split(key, 4)
        side = jax.random.bernoulli(side_key, shape=(size, 1))
        right = side ^ ~jax.random.bernoulli(cue_key, self.favour, (size, self.cues))
        delay = jax.random.randint(delay_key, (size, 1), self.shortest_ms, self.longest_ms + 1)
        time, period = jnp.arange(self.steps), self.cue_ms + self.gap_ms
        number = time // period
        cue = (number < self.cues) & (time % period < self.cue_ms)
        at_right = right[:, jnp.minimum(number, self.cues - 1)]
        start = self.cues * period + delay
        asked = (time[None] >= start) & (time[None] < start + self.question_ms)
        active = jnp.stack([cue[None] & ~at_right, cue[None] & at_right, asked], -1)
        rates = jnp.where(active, self.rate_hz, 0.0)
        rates = jnp.concatenate([rates, jnp.full_like(rates[..., :1], self.noise_hz)], -1)
        spikes = jax.random.bernoulli(spike_key, jnp.repeat(rates / 1000, self.lines, axis=-1))
        more = (2 * right.sum(1, dtype=jnp.int32) > self.cues).astype(jnp.int32)
        real = jnp.result_type(float)
        targets = jnp.broadcast_to(more[:, None], asked.shape)
        return Batch(spikes.astype(real), targets, asked.astype(real))
