"""The proximal synapses of minicolumns: pools of potential synapses, their permanences, and the connected ones as bits.

A synapse is connected if its permanence is at least `connected`. The connected synapses of a column are kept as bits of
32-bit words, input i in bit `i // words` of word `i % words`: then the overlap with an input is a count of bits.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped, UInt32

# Permanences this much below a threshold have reached it.
CLOSE = 1e-6
BITS = 32
# Words come in groups of this many, which a CPU handles at one time.
LANES = 16


def pack(bits: Bool[Array, "... inputs"]) -> UInt32[Array, "... words"]:
    """The truth values along the last axis as bits of words, whose number is the least multiple of `LANES`."""
    inputs = bits.shape[-1]
    words = LANES * -(-inputs // (LANES * BITS))
    padding = [(0, 0)] * (bits.ndim - 1) + [(0, words * BITS - inputs)]
    planes = jnp.pad(bits, padding).astype(jnp.uint32).reshape(*bits.shape[:-1], BITS, words)
    if bits.ndim == 1:
        # As a sum, which a CPU does not do again for every column that meets these words.
        return jnp.sum(planes << jnp.arange(BITS, dtype=jnp.uint32)[:, None], axis=0, dtype=jnp.uint32)
    packed = planes[..., 0, :]
    # One after the other: of many rows, sums take several times as long.
    for bit in range(1, BITS):
        packed = packed | (planes[..., bit, :] << jnp.uint32(bit))
    return packed


def unpack(words: UInt32[Array, "... words"], inputs: int) -> Bool[Array, "... inputs"]:
    """What `pack` made words of.

    Args:
        words: the words.
        inputs: the number of truth values.

    Returns:
        The truth values.
    """
    shifts = jnp.arange(BITS, dtype=jnp.uint32).reshape(BITS, 1)
    planes = (words[..., None, :] >> shifts.reshape((1,) * (words.ndim - 1) + shifts.shape)) & jnp.uint32(1)
    return planes.reshape(*words.shape[:-1], BITS * words.shape[-1])[..., :inputs] != 0


def overlap(connected: UInt32[Array, "columns words"], bits: Bool[Array, "inputs"]) -> Int[Array, "columns"]:
    """How many connected synapses of each column are on inputs that are on."""
    both = jax.lax.population_count(connected & pack(bits)[None, :]).astype(jnp.int32)
    groups = both.reshape(len(connected), -1, LANES)
    # Group by group, not as one sum, for which a CPU would write all terms to memory first.
    total = groups[:, 0]
    for group in range(1, groups.shape[1]):
        total = total + groups[:, group]
    return jnp.sum(total, axis=1, dtype=jnp.int32)


def draw_pools(
    key: PRNGKeyArray, near: Bool[Array, "columns inputs"], share: Float[Array, ""]
) -> Bool[Array, "columns inputs"]:
    """A random share of the inputs near each column, rounded to a whole number of them.

    Args:
        key: random key.
        near: the inputs that a column may have synapses on.
        share: of these that it has.

    Returns:
        The potential synapses.
    """
    inputs = near.shape[1]
    # Random numbers that end in the number of the input: no two of a row are equal.
    low = max(1, (inputs - 1).bit_length())
    draws = jax.random.bits(key, near.shape, jnp.uint32)
    draws = (draws >> low << low) | jnp.arange(inputs, dtype=jnp.uint32)[None, :]
    ranked = jnp.sort(jnp.where(near, draws, jnp.uint32(0xFFFFFFFF)), axis=1)
    sizes = jnp.sum(near, axis=1, dtype=jnp.int32).astype(share.dtype)
    count = jnp.floor(share * sizes + 0.5).astype(jnp.int32)
    last = jnp.take_along_axis(ranked, jnp.maximum(count - 1, 0)[:, None], axis=1)
    return near & (draws <= last) & (count > 0)[:, None]


def draw_permanences(
    key: PRNGKeyArray, potential: Bool[Array, "columns inputs"], connected: Float[Array, ""], share: Float[Array, ""]
) -> Float[Array, "columns inputs"]:
    """Permanences of new synapses, evenly from `[connected, 1]` for a share of them, else from `[0, connected]`.

    Args:
        key: random key.
        potential: the potential synapses; others have permanence 0.
        connected: the permanence from which on a synapse is connected.
        share: the probability that a potential synapse is connected.

    Returns:
        Permanences of five decimals, rounded down.
    """
    which, where = jax.random.split(key)
    # Drawn in single precision: the start does not depend on the precision of the machine.
    above = jax.random.uniform(which, potential.shape, jnp.float32).astype(connected.dtype) < share
    place = jax.random.uniform(where, potential.shape, jnp.float32).astype(connected.dtype)
    drawn = jnp.where(above, connected + (1 - connected) * place, connected * place)
    decimals = drawn + jax.lax.stop_gradient(jnp.floor(drawn * 1e5) / 1e5 - drawn)
    return jnp.where(potential, decimals, 0)


def settled(
    permanences: Float[Array, "columns inputs"],
    potential: Bool[Array, "columns inputs"],
    trim: Float[Array, ""],
) -> Float[Array, "columns inputs"]:
    """Permanences below `trim` become 0, those above 1 become 1; 0 outside the pool."""
    kept = potential & (permanences >= trim)
    return jnp.where(kept, jnp.minimum(permanences, 1), 0)


def raised(
    permanences: Float[Array, "columns inputs"],
    potential: Bool[Array, "columns inputs"],
    connected: Float[Array, ""],
    increment: Float[Array, ""],
    threshold: Float[Array, ""],
) -> Float[Array, "columns inputs"]:
    """All potential synapses of a column grow alike until `threshold` of them are connected.

    Args:
        permanences: clipped to `[0, 1]` first.
        potential: the pools.
        connected: the permanence from which on a synapse is connected.
        increment: by which they grow, as often as it takes.
        threshold: how many there must be; all of a smaller pool.

    Returns:
        The permanences, which may be above 1.
    """
    permanences = jnp.clip(permanences, 0, 1)
    fixed, step, limit = jax.lax.stop_gradient((permanences, increment, connected - CLOSE))
    wanted = jnp.ceil(jax.lax.stop_gradient(threshold)).astype(jnp.int32)

    def find(permanences: Array, potential: Array) -> Array:
        need = jnp.minimum(wanted, jnp.sum(potential, axis=1, dtype=jnp.int32))

        def grow(found: tuple[Array, Array]) -> tuple[Array, Array]:
            times, _ = found
            grown = permanences + (times.astype(step.dtype) * step)[:, None]
            short = jnp.sum(potential & (grown > limit), axis=1, dtype=jnp.int32) < need
            return times + short.astype(jnp.int32), short

        start = (jnp.zeros(len(permanences), jnp.int32), jnp.ones(len(permanences), bool))
        return jax.lax.while_loop(lambda found: jnp.any(found[1]), grow, start)[0]

    def none(permanences: Array, potential: Array) -> Array:
        return jnp.zeros(len(permanences), jnp.int32)

    times = jax.lax.cond(wanted > 0, find, none, fixed, potential)
    return permanences + jnp.where(potential, (times.astype(step.dtype) * increment)[:, None], 0)


def adapted(
    permanences: Float[Array, "columns inputs"],
    potential: Bool[Array, "columns inputs"],
    bits: Bool[Array, "inputs"],
    increment: Float[Array, ""],
    decrement: Float[Array, ""],
) -> Float[Array, "columns inputs"]:
    """The rule of Hebb: `p <- p + increment` on inputs that are on, `p <- p - decrement` on others, inside the pool."""
    change = jnp.where(bits, increment, -decrement)
    return permanences + jnp.where(potential, change[None, :], 0)


def connected_words(
    permanences: Float[Array, "columns inputs"], connected: Float[Array, ""]
) -> UInt32[Array, "columns words"]:
    """Which synapses have reached the permanence `connected`, as bits of words."""
    return pack(permanences >= connected - CLOSE)


def put(array: Shaped[Array, "..."], rows: Int[Array, "rows"], values: Shaped[Array, "..."]) -> Shaped[Array, "..."]:
    """The array with other rows, whose numbers ascend; those beyond the last are left out."""
    return array.at[rows].set(values, mode="drop", unique_indices=True, indices_are_sorted=True)
