"""Encoders: numbers and dates as sparse binary representations that overlap more, the more alike they are."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, UInt32

from jaxneuro.machine import Scalar, Stateless, parameter

SECONDS_OF_DAY = 86_400


def block(first: Int[Array, ""], on: int, bits: int) -> Bool[Array, "bits"]:
    """`on` bits in a row from `first` on, in a ring of `bits`."""
    return (jnp.arange(bits, dtype=jnp.int32) - first) % bits < on


def check_bits(encoder: str, bits: int, on: int) -> None:
    """Refuse an encoder with no bits on, or with more on than there are."""
    if not 1 <= on <= bits:
        raise ValueError(f"{encoder} got bits={bits} and on={on}; on must be at least 1 and at most bits.")


class ScalarEncoder(Stateless[Float[Array, ""], Bool[Array, "bits"]]):
    """A number between two limits as a block of bits that moves with it.

    The `on` bits from the `bucket = floor((x - low) / resolution + 1/2)`-th are on, with `resolution = (high - low) /
    (bits - on)`; x outside the limits counts as the limit. If `periodic` the bits are a ring and `bucket = floor((x -
    low) / resolution)`, with `resolution = (high - low) / bits`, is the middle of the block. Buckets i and j share
    `max(0, on - |i - j|)` bits. All quantities dimensionless.

    Fields:
        bits: the length of a representation.
        on: how many bits are on; odd, so that a block has a middle, if periodic.
        periodic: whether `low` and `high` are the same.
        low, high: the limits.

    Input: x, a scalar. Output: `[bits]`, true or false.

    Reference: Purdy 2016, arXiv:1602.05925, section 3 (encoding numbers).
    """

    bits: int = eqx.field(static=True, default=121)
    on: int = eqx.field(static=True, default=21)
    periodic: bool = eqx.field(static=True, default=False)
    low: Scalar = parameter(0.0)
    high: Scalar = parameter(1.0)

    def __check_init__(self) -> None:
        check_bits("ScalarEncoder", self.bits, self.on)
        if self.bits == self.on:
            raise ValueError(f"ScalarEncoder got on={self.on} of bits={self.bits}; it has no second representation.")

    def respond(self, input: Float[Array, ""]) -> Bool[Array, "bits"]:
        """The block of the bucket of x."""
        span = self.high - self.low
        if self.periodic:
            bucket = jnp.floor((input - self.low) / span * self.bits).astype(jnp.int32)
            return block(bucket - (self.on - 1) // 2, self.on, self.bits)
        share = jnp.clip((input - self.low) / span, 0, 1)
        return block(jnp.floor(share * (self.bits - self.on) + 0.5).astype(jnp.int32), self.on, self.bits)


def scattered(number: UInt32[Array, "..."]) -> UInt32[Array, "..."]:
    """A permutation of all 32-bit numbers that leaves no trace of their order.

    Args:
        number: any.

    Returns:
        Another, the same for the same number.

    Reference: Appleby 2011, the finaliser of MurmurHash3.
    """
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        number = (number ^ (number >> jnp.uint32(shift))) * jnp.uint32(factor)
    return number ^ (number >> jnp.uint32(16))


class RandomScalarEncoder(Stateless[Float[Array, ""], Bool[Array, "bits"]]):
    """A number without limits as bits at random places, of which like numbers share some.

    `bucket = floor((x - offset) / resolution + 1/2)`; the bits `hash(bucket + i) mod bits` for i from 0 to `on - 1` are
    on. Buckets i and j share `on - |i - j|` bits, but for places that coincide by chance; buckets further apart share
    what representations share by chance. A representation never changes. All quantities dimensionless.

    Fields:
        bits: the length of a representation.
        on: how many bits are on, or fewer where places coincide.
        salt: makes one encoder another than the next.
        resolution: the width of a bucket.
        offset: the middle of bucket 0.

    Input: x, a scalar, less than 2e9 resolutions from the offset. Output: `[bits]`, true or false.

    Reference: Purdy 2016, arXiv:1602.05925, section 3.2 (a random distributed encoder by hashing).
    """

    bits: int = eqx.field(static=True)
    on: int = eqx.field(static=True)
    salt: UInt32[Array, ""]
    resolution: Scalar = parameter(above=0.0)
    offset: Scalar = parameter()

    def __init__(
        self, bits: int = 400, on: int = 21, *, resolution: float = 1.0, offset: float = 0.0, key: PRNGKeyArray
    ) -> None:
        """Make the encoder.

        Args:
            bits: as in the fields.
            on: as in the fields.
            resolution: the width of a bucket.
            offset: the middle of bucket 0.
            key: random key of the places.

        Raises:
            ValueError: if there are more bits on than bits.
        """
        check_bits("RandomScalarEncoder", bits, on)
        self.bits, self.on, self.resolution, self.offset = bits, on, resolution, offset
        self.salt = jax.random.bits(key, (), jnp.uint32)

    def respond(self, input: Float[Array, ""]) -> Bool[Array, "bits"]:
        """The bits of the bucket of x."""
        bucket = jnp.floor((input - self.offset) / self.resolution + 0.5).astype(jnp.int32)
        order = (bucket + jnp.arange(self.on, dtype=jnp.int32)).astype(jnp.uint32)
        places = scattered(scattered(order) ^ self.salt) % jnp.uint32(self.bits)
        return jnp.zeros(self.bits, bool).at[places.astype(jnp.int32)].set(True)


class DateEncoder(Stateless[Int[Array, ""], Bool[Array, "bits"]]):
    """A moment as bits for the time of day, for the day of the week and for the weekend, side by side.

    With `hour = (t mod 86400) / 3600` and `day = floor(t / 86400 + 3) mod 7`, Monday 0: the hour is a block in a ring
    of `time_bits`; each day is a block of its own; and one of two blocks says whether it is weekend, which is Saturday,
    Sunday, and Friday from `weekend_from_h` (h) on. A part of which no bits are on is left out.

    Fields:
        time_bits, time_on: of the time of day; in all, and on.
        day_on: bits of a day.
        weekend_on: bits of the weekend, and of the rest of the week.
        weekend_from_h: the hour (h) of a Friday when the weekend begins.

    Input: t, a scalar, whole seconds since the first of January 1970. Output: `[bits]`, true or false.

    Reference: Purdy 2016, arXiv:1602.05925, section 6 (encoding dates and times).
    """

    time_bits: int = eqx.field(static=True, default=54)
    time_on: int = eqx.field(static=True, default=21)
    day_on: int = eqx.field(static=True, default=0)
    weekend_on: int = eqx.field(static=True, default=0)
    weekend_from_h: Scalar = parameter(19.0, at_least=0.0, at_most=24.0, unit="h")

    def __check_init__(self) -> None:
        if self.time_on:
            check_bits("DateEncoder", self.time_bits, self.time_on)
        if min(self.time_on, self.day_on, self.weekend_on) < 0 or not (self.time_on + self.day_on + self.weekend_on):
            raise ValueError(
                f"DateEncoder got time_on={self.time_on}, day_on={self.day_on}, weekend_on={self.weekend_on}; "
                "none may be below 0, and one must be above."
            )

    def respond(self, input: Int[Array, ""]) -> Bool[Array, "bits"]:
        """Time of day, day, weekend."""
        second, day = input % SECONDS_OF_DAY, (input // SECONDS_OF_DAY + 3) % 7
        # In whole seconds, and so exact.
        middle = second * self.time_bits // SECONDS_OF_DAY
        late = second.astype(self.weekend_from_h.dtype) >= self.weekend_from_h * 3600
        weekend = (day >= 5) | ((day == 4) & late)
        parts = []
        if self.time_on:
            parts.append(block(middle.astype(jnp.int32) - (self.time_on - 1) // 2, self.time_on, self.time_bits))
        if self.day_on:
            parts.append(block((day * self.day_on).astype(jnp.int32), self.day_on, 7 * self.day_on))
        if self.weekend_on:
            parts.append(block(weekend.astype(jnp.int32) * self.weekend_on, self.weekend_on, 2 * self.weekend_on))
        return jnp.concatenate(parts)
