"""How minicolumns that hardly ever have an overlap come back: all their potential synapses grow."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, UInt32

from jaxneuro.neurons.htm.proximal import connected_words, put, settled

# Weak columns that are strengthened at one time.
TOGETHER = 32


@jax.custom_jvp
def strengthened(
    permanences: Float[Array, "columns inputs"],
    words: UInt32[Array, "columns words"],
    potential: Bool[Array, "columns inputs"],
    weak: Bool[Array, "columns"],
    connected: Float[Array, ""],
    trim: Float[Array, ""],
) -> tuple[Float[Array, "columns inputs"], UInt32[Array, "columns words"]]:
    """The synapses after those of weak columns have grown by `connected / 10`.

    The work is that of the weak columns alone, and mostly there is none; derivatives are those of the plain form.

    Args:
        permanences: of all synapses.
        words: the connected synapses, as bits.
        potential: the pools.
        weak: which columns are.
        connected: the permanence from which on a synapse is connected.
        trim: the permanence below which it is 0.

    Returns:
        The permanences and the connected synapses.
    """
    count = min(TOGETHER, len(weak))

    def some(found: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        permanences, words, weak = found
        _, rows = jax.lax.top_k(weak.astype(jnp.float32), count)
        rows = jnp.sort(rows)
        chosen = (permanences[rows], words[rows], potential[rows], weak[rows])
        grown, packed = plainly_strengthened(*chosen, connected, trim)
        return put(permanences, rows, grown), put(words, rows, packed), put(weak, rows, jnp.zeros(count, bool))

    return jax.lax.while_loop(lambda found: jnp.any(found[2]), some, (permanences, words, weak))[:2]


def plainly_strengthened(
    permanences: Float[Array, "columns inputs"],
    words: UInt32[Array, "columns words"],
    potential: Bool[Array, "columns inputs"],
    weak: Bool[Array, "columns"],
    connected: Float[Array, ""],
    trim: Float[Array, ""],
) -> tuple[Float[Array, "columns inputs"], UInt32[Array, "columns words"]]:
    """The same as `strengthened`, with work for every column."""
    grown = settled(permanences + connected / 10, potential, trim)
    chosen = weak[:, None]
    return jnp.where(chosen, grown, permanences), jnp.where(chosen, connected_words(grown, connected), words)


@strengthened.defjvp
def _derivative(primals: tuple, tangents: tuple) -> tuple:
    _, slopes = jax.jvp(plainly_strengthened, primals, tangents)
    return strengthened(*primals), slopes
