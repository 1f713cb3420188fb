"""Sets of cells as packed words, the rank of each member of a set, and numbers that look random but are computed.

The memories of this wing never sort and never search a whole pool: what is found is counted by the population count of
words, and every random choice is a hash of what it is for, so that it depends neither on order nor on sizes.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, UInt32

WORD = 32


def words_of(size: int) -> int:
    """How many words hold so many bits."""
    return -(-size // WORD)


def pack(members: Bool[Array, "*shape size"]) -> UInt32[Array, "*shape words"]:
    """The last axis as bits of words, the first member as the lowest bit of the first word."""
    size = members.shape[-1]
    words = words_of(size)
    padded = jnp.pad(members, [(0, 0)] * (members.ndim - 1) + [(0, words * WORD - size)])
    bits = padded.reshape(*members.shape[:-1], words, WORD).astype(jnp.uint32)
    places = jax.lax.broadcasted_iota(jnp.uint32, bits.shape, bits.ndim - 1)
    return jnp.sum(bits << places, axis=-1, dtype=jnp.uint32)


def full(size: int) -> np.ndarray:
    """The words of a set of all members."""
    left = size - WORD * np.arange(words_of(size))
    return np.where(left >= WORD, 0xFFFFFFFF, (1 << np.minimum(left, WORD - 1)) - 1).astype(np.uint32)


def unpack(words: UInt32[Array, "*shape words"], size: int) -> Bool[Array, "*shape size"]:
    """The members again.

    Args:
        words: what `pack` made.
        size: how many bits there are.
    """
    places = jax.lax.broadcasted_iota(jnp.uint32, (*words.shape, WORD), words.ndim)
    bits = (words[..., None] >> places) & 1
    return bits.reshape(*words.shape[:-1], -1)[..., :size].astype(bool)


def is_member(words: UInt32[Array, "words"], index: Int[Array, "*shape"]) -> Bool[Array, "*shape"]:
    """Whether each bit is set; a bit outside of the words is not."""
    word = words.at[index // WORD].get(mode="fill", fill_value=0)
    return ((word >> (index % WORD).astype(jnp.uint32)) & 1).astype(bool)


def ranks(members: Bool[Array, "*shape size"]) -> tuple[Int[Array, "*shape size"], Int[Array, "*shape"]]:
    """How many members come before each place of the last axis, and how many there are in all."""
    words = pack(members)
    counts = jax.lax.population_count(words).astype(jnp.int32)
    through = running_sum(counts, axis=-1)
    below = (jnp.uint32(1) << jax.lax.broadcasted_iota(jnp.uint32, (*words.shape, WORD), words.ndim)) - 1
    within = jax.lax.population_count(words[..., None] & below).astype(jnp.int32)
    rank = (through - counts)[..., None] + within
    return rank.reshape(*members.shape[:-1], -1)[..., : members.shape[-1]], through[..., -1]


def compact(members: Bool[Array, "size"], capacity: int) -> tuple[Int[Array, "capacity"], Int[Array, ""]]:
    """The members' indices in ascending order, filled up with `size`; and how many members there are in all.

    Args:
        members: which indices are wanted.
        capacity: how many are given at most: the first ones.
    """
    size = members.shape[0]
    words = pack(members)
    counts = jax.lax.population_count(words).astype(jnp.int32)
    through = running_sum(counts, axis=0)
    wanted = jnp.arange(capacity, dtype=jnp.int32)
    # Where each one is, is looked up: few are wanted of many, and a scatter would go through all of them.
    word = jnp.minimum(jnp.searchsorted(through, wanted, side="right").astype(jnp.int32), words.shape[0] - 1)
    place = nth_bit(words[word], wanted - through[word] + counts[word])
    return jnp.where(wanted < through[-1], word * WORD + place, size), through[-1]


def nth_bit(words: UInt32[Array, "*shape"], number: Int[Array, "*shape"]) -> Int[Array, "*shape"]:
    """The place of the set bit that has so many set bits below it, by halves; anything if there is none."""
    place = jnp.zeros_like(number)
    for half in (16, 8, 4, 2, 1):
        below = jax.lax.population_count(words & jnp.uint32((1 << half) - 1)).astype(number.dtype)
        above = number >= below
        number = number - jnp.where(above, below, 0)
        words = jnp.where(above, words >> half, words)
        place = place + jnp.where(above, half, 0)
    return place


def running_sum(numbers: Int[Array, "*shape"], axis: int) -> Int[Array, "*shape"]:
    """The sums up to each place of an axis, that place included, by doubling: some additions of whole arrays."""
    axis %= numbers.ndim
    shift = 1
    while shift < numbers.shape[axis]:
        kept = jax.lax.slice_in_dim(numbers, 0, numbers.shape[axis] - shift, axis=axis)
        numbers = numbers + jnp.pad(kept, [(shift if each == axis else 0, 0) for each in range(numbers.ndim)])
        shift *= 2
    return numbers


def fold(combine: Callable[[Array, Array], Array], values: Array) -> Array:
    """The leading axis combined by halves: XLA makes a loop over single numbers of a reduction along this axis."""
    while values.shape[0] > 1:
        half = values.shape[0] // 2
        paired = combine(values[:half], values[half : 2 * half])
        odd = values[2 * half :]
        values = jnp.concatenate([paired, odd]) if odd.shape[0] else paired
    return values[0]


def scrambled(number: UInt32[Array, "*shape"]) -> UInt32[Array, "*shape"]:
    """A bijection of 32 bits that no eye can follow: shifts and products, as hash tables finish with."""
    number = (number ^ (number >> 16)) * jnp.uint32(0x7FEB352D)
    number = (number ^ (number >> 15)) * jnp.uint32(0x846CA68B)
    return number ^ (number >> 16)


def first_least(
    members: Bool[Array, "size lanes"], keys: Sequence[Array]
) -> tuple[Int[Array, "lanes"], Bool[Array, "lanes"]]:
    """In each lane the member with the smallest first key; of equals that with the smallest second one, and so on.

    Args:
        members: who may be chosen.
        keys: arrays [size, lanes] of integers, or that broadcast to it.

    Returns:
        The index of the first such member, 0 where there is none; and whether there is one.
    """
    size = members.shape[0]
    found = fold(jnp.logical_or, members)
    for key in keys:
        key = jnp.broadcast_to(key, members.shape)
        masked = jnp.where(members, key, jnp.iinfo(key.dtype).max)
        members = members & (masked == fold(jnp.minimum, masked)[None])
    index = fold(jnp.minimum, jnp.where(members, jnp.arange(size, dtype=jnp.int32)[:, None], size))
    return jnp.where(found, index, 0), found
