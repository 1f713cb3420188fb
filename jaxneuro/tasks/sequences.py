"""High-order sequences: they share what is in their middle, so only what came long before tells how they end."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from jaxneuro.tasks.batch import Batch, Classification, check_least
from jaxneuro.tasks.draw import one_hot

MIDDLES = (5, 6)  # elements that are shared, in each of two groups of sequences
NOTHING = -1  # fills up the rows of shorter sequences


class Stream(eqx.Module):
    """One element after the other.

    Attributes:
        elements: the symbols of the sequences are numbered from 0, elements of noise after them.
        ends: whether an element is the last of its sequence.
    """

    elements: Int[Array, "time"]
    ends: Bool[Array, "time"]


def padded(sequences: Sequence[Sequence[int]], longest: int = 0) -> Int[Array, "sequences longest"]:
    """Sequences as rows, filled up with -1.

    Args:
        sequences: of symbols from 0.
        longest: length of the rows, if it is more than that of the longest sequence.
    """
    longest = max(longest, *map(len, sequences))
    return jnp.asarray([[*row, *[NOTHING] * (longest - len(row))] for row in sequences], jnp.int32)


def overlapping(key: PRNGKeyArray, endings: int = 1) -> Int[Array, "sets sequences longest"]:
    """Two sets of sequences of 7 and 8 elements, the second with other endings.

    A set has two groups. In a group all sequences share a middle, of 5 or 6 elements, which they go through forwards or
    backwards. Start and direction together decide the ending, neither alone does. In the second set the endings of the
    two starts are exchanged. All is made of `8 + 2 endings` symbols, so the groups share them, and what starts one
    sequence is in the middle of another or ends it.

    Args:
        key: decides which symbol is where.
        endings: how many elements are equally likely to follow the same beginning; there are `8 endings` sequences.

    Returns:
        Two arrays of rows, filled up with -1.
    """
    symbols = 8 + 2 * endings
    sets: list[list[Array]] = [[], []]
    for group_key, middle in zip(jax.random.split(key, len(MIDDLES)), MIDDLES, strict=True):
        order = jax.random.permutation(group_key, symbols).astype(jnp.int32)
        shared, starts, last = jnp.split(order, [middle, middle + 2])
        filler = jnp.full(max(MIDDLES) - middle, NOTHING, jnp.int32)
        for exchanged, rows in enumerate(sets):
            for start in (0, 1):
                for backwards in (0, 1):
                    first = endings * (start ^ backwards ^ exchanged)
                    through = shared[::-1] if backwards else shared
                    for end in range(first, first + endings):
                        rows.append(jnp.concatenate([starts[start, None], through, last[end, None], filler]))
    return jnp.stack([jnp.stack(rows) for rows in sets])


def stream(
    key: PRNGKeyArray,
    before: Int[Array, "sequences longest"],
    after: Int[Array, "others longest"],
    steps: int,
    *,
    symbols: int,
    noise: int,
    gap: int = 1,
    change_at: int | None = None,
) -> Stream:
    """Sequences drawn evenly from a set, with elements of noise between them.

    Args:
        key: of what is drawn.
        before: the set at first, rows filled up with -1.
        after: the set from which sequences are drawn that begin at `change_at` or later.
        steps: length of the stream.
        symbols: how many symbols sequences are made of.
        noise: how many elements noise is drawn from, evenly; with 0 every one is new.
        gap: elements of noise after each sequence.
        change_at: the number of an element; None for no change.
    """
    number_key, noise_key = jax.random.split(key)
    # Every sequence has two elements or more.
    keys = jax.random.split(number_key, steps // (2 + gap) + 1)

    def draw(begin: Array, key: Array) -> tuple[Array, tuple[Array, Array, Array]]:
        old, new = (rows[jax.random.randint(key, (), 0, rows.shape[0])] for rows in (before, after))
        row = old if change_at is None else jnp.where(begin >= change_at, new, old)
        length = jnp.sum(row != NOTHING, dtype=jnp.int32)
        return begin + length + gap, (begin, row, length)

    _, (begins, rows, lengths) = jax.lax.scan(draw, jnp.zeros((), jnp.int32), keys)
    time = jnp.arange(steps, dtype=jnp.int32)
    which = jnp.searchsorted(begins, time, side="right").astype(jnp.int32) - 1
    place = time - begins[which]
    in_sequence = place < lengths[which]
    symbol = rows[which, jnp.minimum(place, rows.shape[1] - 1)]
    other = symbols + (jax.random.randint(noise_key, (steps,), 0, noise, jnp.int32) if noise else time)
    return Stream(jnp.where(in_sequence, symbol, other), place == lengths[which] - 1)


class HighOrder(Classification):
    """Read a stream of sequences and noise, and name the last element of each sequence before it comes.

    Sequences are drawn evenly; after each follow `gap` elements of noise, drawn evenly from `noise` ones. The target is
    the next element; it counts where that is the last of its sequence.

    Input lines: the symbols, then the elements of noise. Classes: the symbols.

    Baseline: `H(last | last but one)`, the loss of a rule that knows the present element and that the next one ends a
    sequence. Optimum: `H(last | all of the sequence before)`.

    Reference: Cui, Ahmad and Hawkins 2016, Neural Computation 28:2474, section 3; Hawkins and Ahmad 2016, Frontiers in
    Neural Circuits 10:23, fig. 5.
    """

    sequences: Int[Array, "sequences longest"]
    symbols: int = eqx.field(static=True)
    noise: int = eqx.field(static=True)
    gap: int = eqx.field(static=True)
    steps: int = eqx.field(static=True)

    def __init__(
        self, sequences: np.ndarray | Int[Array, "sequences longest"], *, noise: int = 50, gap: int = 1, steps: int = 60
    ) -> None:
        """Hold the sequences.

        Args:
            sequences: rows of symbols from 0, filled up with -1; see `overlapping` and `padded`.
            noise: how many elements noise is drawn from.
            gap: elements of noise after each sequence.
            steps: of a stream.
        """
        self.sequences = jnp.asarray(sequences, jnp.int32)
        self.noise, self.gap, self.steps = noise, gap, steps
        self.symbols = int(jnp.max(self.sequences)) + 1
        check_least(self, noise=1, gap=0, steps=1)
        shortest = int(jnp.min(jnp.sum(self.sequences != NOTHING, axis=1)))
        if shortest < 2:
            raise ValueError(f"HighOrder got a sequence of {shortest} elements; it must have at least 2.")

    @property
    def inputs(self) -> int:
        """Symbols and elements of noise."""
        return self.symbols + self.noise

    @property
    def outputs(self) -> int:
        """The symbols."""
        return self.symbols

    @property
    def baseline(self) -> float:
        """Cross-entropy of a table of pairs (nats)."""
        return self._entropy(1)

    @property
    def optimum(self) -> float:
        """Cross-entropy of a table of whole sequences (nats)."""
        return self._entropy(self.sequences.shape[1])

    def _entropy(self, context: int) -> float:
        """Of the last element given so many before it."""
        rows = [tuple(row[row != NOTHING].tolist()) for row in np.asarray(self.sequences)]
        known = [row[:-1][-context:] for row in rows]
        both = list(zip(known, (row[-1] for row in rows), strict=True))
        shares = [both.count(pair) / known.count(pair[0]) for pair in both]
        return float(-np.log(shares).mean()) + 0.0

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` streams of `steps` steps."""

        def one(key: Array) -> Stream:
            return stream(
                key,
                self.sequences,
                self.sequences,
                self.steps + 1,
                symbols=self.symbols,
                noise=self.noise,
                gap=self.gap,
            )

        made = jax.vmap(one)(jax.random.split(key, size))
        inputs = one_hot(made.elements[:, :-1], self.inputs)
        targets = jnp.where(made.ends[:, 1:], made.elements[:, 1:], 0)
        return Batch(inputs, targets, made.ends[:, 1:].astype(inputs.dtype))
