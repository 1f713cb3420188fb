"""A breadth-first search of the states that a transition function can reach over a finite alphabet of inputs."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

Word = tuple[int, ...]
SMALLEST_BATCH, LARGEST_BATCH = 32, 4096  # states that are stepped together


class TooManyStates(ValueError):
    """The machine has more states than were allowed, or longer words lead to new ones."""


class Merged:
    """Vectors of numbers; those that are equal within a tolerance are taken for the first of them."""

    def __init__(self, tolerance: float) -> None:
        self.tolerance = tolerance
        self.vectors: list[np.ndarray] = []
        self.known: dict[bytes, int] = {}
        self.tables: dict[bytes, tuple[list[int], np.ndarray]] = {}

    def find(self, vector: np.ndarray, exact: bytes = b"") -> tuple[int, bool]:
        """The number of a vector, and whether it is a new one; it is equal to those alone with the same `exact`."""
        name = vector.tobytes() + exact
        if name in self.known:
            return self.known[name], False
        rows, table = self.tables.get(exact, ([], np.zeros((4, vector.size))))
        close = np.abs(table[: len(rows)] - vector).max(axis=1, initial=0) <= self.tolerance
        is_new = not close.any()
        if is_new:
            if len(rows) == len(table):
                table = np.concatenate([table, np.zeros_like(table)])
            table[len(rows)] = vector
            rows.append(len(self.vectors))
            self.tables[exact] = rows, table
            self.vectors.append(vector)
        self.known[name] = rows[-1 if is_new else int(close.argmax())]
        return self.known[name], is_new


class StateSearch:
    """The states of a step `(state, letter) -> (state, output)`; all states of a depth take all letters at once.

    Attributes:
        words: a shortest word for every state.
        transitions: next states, for every state that has been stepped letter after letter.
        outputs: for every depth that has been stepped `[states, letters, numbers]`.
        frontier: the states that have not been stepped, all of the same depth.
        depth: letters of the words that lead to them.
    """

    def __init__(self, step: Any, start: Any, alphabet: PyTree[Array], tolerance: float, limit: int) -> None:
        lengths = {jnp.shape(leaf)[0] if jnp.ndim(leaf) else 0 for leaf in jax.tree.leaves(alphabet)}
        if len(lengths) != 1 or 0 in lengths:
            raise ValueError(
                f"the leaves of the alphabet have {sorted(lengths)} letters; all must have as many, not 0."
            )
        (self.letters,) = lengths
        self.alphabet, self.limit = alphabet, limit

        def once(place: Any, state: Any, input: Any) -> Any:
            state, output = step(state, input)
            return jax.tree.map(_plain, state), (_reals(state), _wholes(state)), numbers_of(output)

        # The place in the batch is there for a state without numbers.
        self.step = jax.jit(jax.vmap(jax.vmap(once, in_axes=(None, None, 0)), in_axes=(0, 0, None)))
        self.merged = Merged(tolerance)
        self.merged.find(_finite(_reals(start)), np.asarray(_wholes(start)).tobytes())
        self.states = [jax.tree.map(lambda leaf: np.asarray(_plain(leaf)), start)]
        self.is_key = jax.tree.map(_is_key, start)
        self.words: list[Word] = [()]
        self.transitions: list[int] = []
        self.outputs: list[np.ndarray] = []
        self.frontier, self.depth = [0], 0

    def advance(self) -> None:
        """Step all states of the frontier with every letter.

        Raises:
            TooManyStates: there are more than the limit.
            ValueError: a state is not finite.
        """
        before, self.frontier = self.frontier, []
        self.outputs.append(np.zeros((0, self.letters, 0)))
        outputs = []
        for at in range(0, len(before), LARGEST_BATCH):
            chosen = before[at : at + LARGEST_BATCH]
            states, reals, wholes, output = self._batch(chosen)
            outputs.append(output)
            for row, state in enumerate(chosen):
                for letter in range(self.letters):
                    number, is_new = self.merged.find(reals[row, letter], wholes[row, letter].tobytes())
                    self.transitions.append(number)
                    if is_new:
                        found = jax.tree.map(lambda leaf, place=(row, letter): leaf[place], states)
                        self._add(found, (*self.words[state], letter))
        self.outputs[-1] = np.concatenate(outputs)
        self.depth += 1

    def _add(self, state: Any, word: Word) -> None:
        if len(self.states) == self.limit:
            raise TooManyStates(
                f"more than {self.limit} states after words of {len(word)} letters: allow more, or a larger tolerance. "
                "A state of real numbers may never come back."
            )
        self.frontier.append(len(self.states))
        self.words.append(word)
        self.states.append(state)

    def _batch(self, chosen: list[int]) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray]:
        # Filled up to a power of two: the program is compiled for a few sizes alone.
        size = max(SMALLEST_BATCH, 1 << (len(chosen) - 1).bit_length())
        full = chosen + chosen[:1] * (size - len(chosen))
        stacked = jax.tree.map(lambda *leaves: jnp.asarray(np.stack(leaves)), *(self.states[state] for state in full))
        stacked = jax.tree.map(lambda leaf, key: jax.random.wrap_key_data(leaf) if key else leaf, stacked, self.is_key)
        states, (reals, wholes), outputs = self.step(jnp.arange(len(full)), stacked, self.alphabet)
        states, wholes, outputs = jax.tree.map(np.asarray, (states, wholes, outputs))
        return states, _finite(reals)[: len(chosen)], wholes, outputs[: len(chosen)]


def _is_key(leaf: Any) -> bool:
    return bool(jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key))


def _plain(leaf: Any) -> Any:
    return jax.random.key_data(leaf) if _is_key(leaf) else leaf


def _flat(tree: PyTree[Array], real: bool) -> list[Array]:
    leaves = [_plain(leaf).ravel() for leaf in map(jnp.asarray, jax.tree.leaves(tree))]
    leaves = [leaf for leaf in leaves if jnp.issubdtype(leaf.dtype, jnp.inexact) == real]
    return [part for leaf in leaves for part in ((leaf.real, leaf.imag) if jnp.iscomplexobj(leaf) else (leaf,))]


def _reals(tree: PyTree[Array]) -> Array:
    """All real numbers of a tree in a row."""
    dtype = jnp.result_type(float)
    return jnp.concatenate([jnp.zeros(0, dtype), *(leaf.astype(dtype) for leaf in _flat(tree, True))])


def _wholes(tree: PyTree[Array]) -> Array:
    """All whole numbers of a tree in a row."""
    return jnp.concatenate([jnp.zeros(0, jnp.int32), *(leaf.astype(jnp.int32) for leaf in _flat(tree, False))])


def numbers_of(tree: PyTree[Array]) -> Array:
    """All numbers of a tree in a row, as real ones."""
    return jnp.concatenate([_reals(tree), _wholes(tree).astype(jnp.result_type(float))])


def _finite(numbers: Any) -> np.ndarray:
    numbers = np.asarray(numbers, np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError("the machine came to a state that is not finite.")
    return numbers
