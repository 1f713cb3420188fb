"""Days in the life of a network that must remember, and be told: one-shot associations, and changes of behaviour.

A few of the neurons, the commanders, hear what the others do not: that what is now seen matters, or that from now on
every answer must be reversed.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray


class Day(eqx.Module):
    """What a network of neurons is told, step by step, and what it should answer.

    Fields:
        presynaptic: active lines, `[steps, neurons]`.
        teacher, drive: of every neuron, `[steps, neurons]`.
        hours: since the step before, `[steps]`.
        clock: hours since the lesson began, `[steps]`.
        answers: right answers, `[classes, neurons]` of a memory, `[probes, neurons]` of a behaviour.
    """

    presynaptic: Float[Array, "steps neurons"]
    teacher: Float[Array, "steps neurons"]
    drive: Float[Array, "steps neurons"]
    hours: Float[Array, "steps"]
    clock: Float[Array, "steps"]
    answers: Float[Array, "classes neurons"]


class Hours(NamedTuple):
    """A kind of day.

    Attributes:
        neurons: how many; a quarter of them, the first ones, are commanders.
        associations: how many are learnt.
        bit_noise: share of the key's signs that are wrong in a test.
        drive_noise: deviation of what drives neurons besides.
        restlessness: deviation of what drives them at rest.
        command: size of what commanders hear.
        gap_hours: between two things that are shown.
    """

    neurons: int = 32
    associations: int = 4
    bit_noise: float = 0.1
    drive_noise: float = 0.3
    restlessness: float = 0.7
    command: float = 3.0
    gap_hours: float = 0.1

    @property
    def commanders(self) -> Float[Array, "neurons"]:
        """1 for neurons that hear commands."""
        return (jnp.arange(self.neurons) < self.neurons // 4).astype(jnp.result_type(float))

    @property
    def tests(self) -> tuple[slice, slice]:
        """The steps of the tests after one hour and after a day, in a day of memory."""
        n = self.associations
        return slice(2 * n + 3, 3 * n + 3), slice(4 * n + 7, 5 * n + 7)

    def memory(self, key: PRNGKeyArray) -> Day:
        """Associations to keep, between two times when the same keys go with other answers that do not matter.

        Three hours before the lesson and four after it, every key is shown with the answer to the next key. In the
        lesson itself commanders hear that it matters.
        """
        parts = jax.random.split(key, 7)
        shape = (self.associations, self.neurons)
        keys, values = jax.random.rademacher(parts[0], (2, *shape), jnp.float32)
        wrong = jax.random.bernoulli(parts[1], self.bit_noise, (2, *shape))
        noisy = jnp.where(wrong, -keys, keys)
        none, other = jnp.zeros(shape), jnp.roll(values, 1, axis=0)
        matters = jnp.broadcast_to(self.command * self.commanders, shape)
        blocks = [
            self._shown(-3.0, keys, other, none),
            self._rests((-2.5, -1.5)),
            self._shown(0.0, keys, values, matters),
            self._rests((0.6,)),
            self._shown(1.0, noisy[0], none, none),
            self._rests((2.0, 3.0)),
            self._shown(4.0, keys, other, none),
            self._rests((5.0, 6.0)),
            self._shown(24.0, noisy[1], none, none),
        ]
        return self._day(blocks, values, parts[2])

    def behaviour(self, key: PRNGKeyArray) -> tuple[Day, Float[Array, ""]]:
        """Commanders may hear a command; an hour and a day later the behaviour of all is probed, in two steps each.

        Every other neuron is driven to 1 or -1 all the while, and the right answer is that sign, or after the command
        to reverse the other one.

        Returns:
            The day, whose answers are those of the four probes, and the command: -1 reverses, 1 and 0 do not.
        """
        pattern_key, command_key, noise_key = jax.random.split(key, 3)
        patterns = jax.random.rademacher(pattern_key, (8, self.neurons), jnp.float32)
        command = jax.random.choice(command_key, jnp.asarray([-1.0, -1.0, 0.0, 1.0]))
        heard = jnp.where((self.commanders > 0) & (command != 0), self.command * command, patterns[:4])
        none = jnp.zeros((4, self.neurons))
        blocks = [
            self._shown(0.0, none, none, heard),
            self._rests((0.6,)),
            self._shown(1.0, none[:2], none[:2], patterns[4:6]),
            self._rests((2.0, 4.0)),
            self._shown(24.0, none[:2], none[:2], patterns[6:]),
        ]
        sign = jnp.where(command < 0, -1.0, 1.0)
        return self._day(blocks, sign * patterns[4:], noise_key), command

    @property
    def probes(self) -> tuple[slice, slice]:
        """The steps of the probes after one hour and after a day, in a day of behaviour."""
        return slice(5, 7), slice(9, 11)

    def _shown(self, at: float, keys: Array, teacher: Array, drive: Array) -> tuple[Array, ...]:
        clock = at + self.gap_hours * jnp.arange(len(keys), dtype=jnp.result_type(float))
        return keys, teacher, drive, clock, jnp.full(len(keys), self.drive_noise)

    def _rests(self, at: tuple[float, ...]) -> tuple[Array, ...]:
        none = jnp.zeros((len(at), self.neurons))
        return none, none, none, jnp.asarray(at), jnp.full(len(at), self.restlessness)

    def _day(self, blocks: list[tuple[Array, ...]], answers: Array, key: PRNGKeyArray) -> Day:
        keys, teacher, drive, clock, noise = (jnp.concatenate(parts) for parts in zip(*blocks, strict=True))
        # Where there is a teacher, it decides; elsewhere neurons are driven by other things too.
        untaught = (1 - teacher * teacher) * noise[:, None]
        drive = drive + untaught * jax.random.normal(key, drive.shape)
        hours = jnp.diff(clock, prepend=clock[:1])
        return Day(keys, teacher, drive, hours, clock, answers)
