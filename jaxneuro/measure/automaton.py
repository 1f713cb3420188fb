"""A machine over a finite alphabet of inputs as an automaton: its table of transitions, and how many states it needs.

A neuron is a state machine, but its state is made of real numbers. `extract` runs it on all words of a few letters,
breadth first, takes states for one that are equal within a tolerance, and gives the table; `minimise` merges the states
that no word can tell apart. What is left counts the neuron's effective states: parity needs 2, a delay of k bits 2^k.

Reference: Mealy 1955, Bell System Technical Journal 34:1045 (outputs on transitions); Moore 1956, Automata Studies,
129 (what experiments can tell apart); Omlin and Giles 1996, Neural Networks 9:41 (automata out of trained networks).
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray, PyTree

from jaxneuro.machine import StateMachine
from jaxneuro.measure.state_search import Merged, StateSearch, TooManyStates, Word, numbers_of


@dataclasses.dataclass(frozen=True)
class Automaton:
    """A Mealy machine: `s, label = transitions[s, letter], labels[s, letter]`. It starts in state 0.

    Attributes:
        transitions: the next state, `[states, letters]`.
        labels: which output comes, `[states, letters]`.
        outputs: what the labels stand for, `[number of labels, numbers of an output]`.
        words: for every state a shortest word of letters that leads to it.
    """

    transitions: np.ndarray
    labels: np.ndarray
    outputs: np.ndarray
    words: tuple[Word, ...]

    @property
    def states(self) -> int:
        """How many."""
        return len(self.transitions)

    def run(self, word: Word | np.ndarray) -> np.ndarray:
        """The labels of the outputs for a word."""
        state, found = 0, []
        for letter in word:
            found.append(self.labels[state, letter])
            state = self.transitions[state, letter]
        return np.asarray(found, int)


def extract(
    machine: StateMachine,
    alphabet: PyTree[Array],
    *,
    read: Callable[[Any], Any] = lambda output: output,
    tolerance: float = 1e-6,
    output_tolerance: float = 1e-6,
    limit: int = 4096,
    length: int | None = None,
    key: PRNGKeyArray | None = None,
) -> Automaton:
    """The automaton that a machine is over an alphabet.

    States are found breadth first. A state whose real numbers all lie within `tolerance` of a known one, and whose
    whole numbers are the same, is taken for the first such: with a tolerance the automaton is an approximation, since
    small differences may grow later; compare it with the machine on long words. Outputs are merged in the same way.

    Args:
        machine: any machine whose step is a function of its state and its input alone.
        alphabet: the inputs it may get, each leaf with a leading axis of letters.
        read: what counts of an output, such as `jnp.argmax`.
        tolerance: largest difference of a number of state that does not count.
        output_tolerance: largest difference of a number of output that does not count.
        limit: largest number of states.
        length: longest word that may lead to a new state; as long as it takes unless given.
        key: of `machine.init`; `jax.random.key(0)` unless given.

    Returns:
        The automaton of all states that can be reached.

    Raises:
        TooManyStates: there are more than `limit`, or words of `length` letters still lead to new ones.
        ValueError: no letters, a tolerance below 0, or a state that is not finite.
    """
    if min(tolerance, output_tolerance) < 0 or limit < 1:
        raise ValueError(
            f"extract got tolerance={tolerance:g}, output_tolerance={output_tolerance:g}, limit={limit}; tolerances "
            "must be at least 0, and the limit at least 1."
        )

    def step(state: Any, input: Any) -> tuple[Any, Any]:
        state, output = machine.step(state, input)
        return state, read(output)

    start = machine.init(jax.random.key(0) if key is None else key)
    search = StateSearch(step, start, alphabet, tolerance, limit)
    while search.frontier:
        if length is not None and search.depth >= length:
            raise TooManyStates(
                f"words of {length} letters still lead to new states: {len(search.states)} so far, "
                f"{len(search.frontier)} of them at the end of such words. Allow longer words or a larger tolerance."
            )
        search.advance()
    numbers = np.concatenate(search.outputs)
    outputs = Merged(output_tolerance)
    labels = [outputs.find(output)[0] for output in numbers.reshape(-1, numbers.shape[-1])]
    return Automaton(
        np.asarray(search.transitions, int).reshape(-1, search.letters),
        np.asarray(labels, int).reshape(-1, search.letters),
        np.stack(outputs.vectors),
        tuple(search.words),
    )


def minimise(automaton: Automaton) -> Automaton:
    """The smallest automaton with the same outputs for every word; equal behaviours give equal tables.

    Classes of states start as those with the same outputs, and are split as long as a letter leads from one class to
    several. States are numbered in the order in which words reach them, breadth first.

    Args:
        automaton: all of whose states can be reached, or not.

    Returns:
        The automaton of the classes that can be reached.

    Reference: Moore 1956, Automata Studies, 129.
    """
    classes = np.unique(automaton.labels, axis=0, return_inverse=True)[1].reshape(-1)
    count = 0
    while classes.max() + 1 > count:
        count = classes.max() + 1
        signatures = np.concatenate([classes[:, None], classes[automaton.transitions]], axis=1)
        classes = np.unique(signatures, axis=0, return_inverse=True)[1].reshape(-1)
    # Breadth first from the start: the names of classes are those of the order in which they are reached.
    representatives, names = [0], {int(classes[0]): 0}
    words: list[Word] = [()]
    for at, state in enumerate(representatives):
        for letter, target in enumerate(automaton.transitions[state]):
            if int(classes[target]) not in names:
                names[int(classes[target])] = len(names)
                representatives.append(int(target))
                words.append((*words[at], letter))
    transitions = [[names[int(classes[target])] for target in automaton.transitions[r]] for r in representatives]
    return Automaton(np.asarray(transitions, int), automaton.labels[representatives], automaton.outputs, tuple(words))


def effective_states(machine: StateMachine, alphabet: PyTree[Array], **options: Any) -> int:
    """How many states a machine needs over an alphabet: those of its smallest automaton.

    Args:
        machine: any machine.
        alphabet: the inputs it may get, each leaf with a leading axis of letters.
        options: of `extract`.

    Returns:
        The number.
    """
    return minimise(extract(machine, alphabet, **options)).states


def distinguishing_word(
    first: StateMachine,
    second: StateMachine,
    alphabet: PyTree[Array],
    *,
    read: Callable[[Any], Any] = lambda output: output,
    tolerance: float = 1e-6,
    output_tolerance: float = 1e-6,
    limit: int = 65536,
    length: int | None = None,
    key: PRNGKeyArray | None = None,
) -> Word | None:
    """A shortest word for which the outputs of two machines differ; None if there is none.

    Pairs of states are searched breadth first; pairs that are equal within `tolerance` are taken for one.

    Args:
        first: a machine.
        second: another one, with outputs of the same form.
        alphabet: the inputs they may get, each leaf with a leading axis of letters.
        read: what counts of an output, such as `jnp.argmax`.
        tolerance: largest difference of a number of state that does not count.
        output_tolerance: largest difference between the outputs of both machines that does not count.
        limit: largest number of pairs of states.
        length: length of the longest word that is tried; all words unless given.
        key: of `init` of both; `jax.random.key(0)` unless given.

    Returns:
        The letters of the word; with None the machines are equivalent, up to words of `length` letters if it is given.

    Raises:
        TooManyStates: there are more than `limit` pairs.
    """

    def step(states: Any, input: Any) -> tuple[Any, Any]:
        one, one_output = first.step(states[0], input)
        other, other_output = second.step(states[1], input)
        pair = numbers_of(read(one_output)), numbers_of(read(other_output))
        return (one, other), jnp.abs(pair[0] - pair[1]).max()

    key = jax.random.key(0) if key is None else key
    search = StateSearch(step, (first.init(key), second.init(key)), alphabet, tolerance, limit)
    while search.frontier and (length is None or search.depth < length):
        words = [search.words[state] for state in search.frontier]
        search.advance()
        at, letter = np.nonzero(~(search.outputs[-1][..., 0] <= output_tolerance))
        if len(at):
            return (*words[at[0]], int(letter[0]))
    return None
