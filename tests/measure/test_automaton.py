"""Automata of machines against counts made by hand, and minimisation against the table of pairs that differ."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.measure import TooManyStates, distinguishing_word, effective_states, extract, minimise
from jaxneuro.measure.automaton import Automaton

BITS = jnp.array([0.0, 1.0])


class Place(eqx.Module):
    at: jax.Array


class Table(jn.StateMachine):
    """A Mealy machine from a table."""

    transitions: jax.Array
    labels: jax.Array

    def init(self, key):
        return Place(jnp.zeros((), jnp.int32))

    def step(self, state, input):
        return Place(self.transitions[state.at, input]), self.labels[state.at, input]


def table(transitions, labels):
    return Table(jnp.asarray(transitions, jnp.int32), jnp.asarray(labels, jnp.int32))


class Counter(jn.StateMachine):
    """The sum so far modulo m, in a state of real numbers that counts to `many m`."""

    modulus: int = eqx.field(static=True)
    many: int = eqx.field(static=True, default=1)

    def init(self, key):
        return Place(jnp.zeros(()))

    def step(self, state, input):
        at = (state.at + input) % (self.many * self.modulus)
        return Place(at), at % self.modulus


class ShiftRegister(jn.StateMachine):
    """The last k bits; the output is the oldest of them."""

    bits: int = eqx.field(static=True)

    def init(self, key):
        return Place(jnp.zeros(self.bits))

    def step(self, state, input):
        return Place(jnp.append(state.at[1:], input)), state.at[0]


def letters(count):
    return jnp.arange(count, dtype=jnp.int32)


@pytest.mark.parametrize("modulus", [2, 3, 5])
def test_sums_modulo_m_need_m_states(modulus):
    assert extract(Counter(modulus), BITS).states == modulus
    # A machine with more states of the same behaviour: minimised it is the same table.
    wasteful = extract(Counter(modulus, many=4), BITS)
    assert wasteful.states == 4 * modulus
    smallest, expected = minimise(wasteful), minimise(extract(Counter(modulus), BITS))
    np.testing.assert_array_equal(smallest.transitions, expected.transitions)
    np.testing.assert_array_equal(smallest.labels, expected.labels)
    assert smallest.states == modulus


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_a_delay_of_k_bits_needs_2_to_the_k_states(steps):
    ring = extract(jn.Delay(jnp.zeros(()), steps=steps), BITS)
    # The ring is the same contents at k places.
    assert ring.states == steps * 2**steps
    assert minimise(ring).states == effective_states(ShiftRegister(steps), BITS) == 2**steps
    assert distinguishing_word(jn.Delay(jnp.zeros(()), steps=steps), ShiftRegister(steps), BITS) is None


def test_a_machine_without_state_is_one_state(key):
    assert effective_states(jn.Dense(1, 1, key=key), BITS[:, None]) == 1


@pytest.mark.parametrize("refractory", [0, 1, 4])
def test_a_refractory_neuron_that_fires_at_once_counts_its_refractory_steps(refractory):
    neuron = jn.LIF(dt_ms=1.0, refractory_ms=float(refractory))
    found = extract(neuron, jnp.array([0.0, 1e4]))
    assert found.states == minimise(found).states == refractory + 1


@pytest.mark.parametrize(("inputs", "refractory"), [(3, 0), (3, 2), (5, 1)])
def test_an_integrator_counts_its_inputs_and_its_refractory_steps(inputs, refractory):
    # Each input adds 1 mV; almost nothing leaks. States: 0 .. n - 1 mV, and each refractory step.
    neuron = jn.LIF(
        tau_ms=1e7, resistance_mohm=1e7, threshold_mv=inputs - 0.5, refractory_ms=float(refractory), dt_ms=1.0
    )
    assert effective_states(neuron, BITS, tolerance=1e-2) == inputs + refractory


def test_a_turnstile_by_hand():
    # Locked, unlocked; letters push, coin; it opens (1) at a push when it is unlocked.
    machine = table([[0, 1], [0, 1]], [[0, 0], [1, 0]])
    found = extract(machine, letters(2))
    np.testing.assert_array_equal(found.transitions, [[0, 1], [0, 1]])
    np.testing.assert_array_equal(found.outputs[found.labels][..., 0], [[0, 0], [1, 0]])
    assert found.words == ((), (1,))
    np.testing.assert_array_equal(found.outputs[found.run((0, 1, 1, 0, 0))][:, 0], [0, 0, 0, 1, 0])


def pairs_that_differ(transitions, labels):
    """Moore's table, filled pair by pair until nothing changes."""
    states, count = range(len(transitions)), len(transitions[0])
    differ = {(a, b) for a in states for b in states if list(labels[a]) != list(labels[b])}
    while True:
        more = {
            (a, b)
            for a, b in itertools.product(states, repeat=2)
            if (a, b) not in differ
            and any((transitions[a][letter], transitions[b][letter]) in differ for letter in range(count))
        }
        if not more:
            return differ
        differ |= more


def reached(transitions):
    found, new = {0}, [0]
    while new:
        new = [int(target) for state in new for target in transitions[state]]
        new = list(dict.fromkeys(target for target in new if target not in found))
        found |= set(new)
    return sorted(found)


@pytest.mark.parametrize("seed", range(12))
def test_random_machines_are_minimised_as_by_the_table_of_pairs(seed):
    generator = np.random.default_rng(seed)
    states, count = generator.integers(2, 14), generator.integers(1, 4)
    transitions = generator.integers(0, states, (states, count))
    labels = (generator.random((states, count)) < 0.15).astype(int)
    seen = reached(transitions)
    differ = pairs_that_differ(transitions, labels)
    # One state of each class: those that no earlier one equals.
    classes = [a for a in seen if all((a, b) in differ for b in seen if b < a)]
    given = Automaton(transitions, labels, np.array([[0.0], [1.0]]), ((),) * states)
    smallest = minimise(given)
    assert smallest.states == len(classes)
    assert len(pairs_that_differ(smallest.transitions, smallest.labels)) == smallest.states * (smallest.states - 1)
    words = generator.integers(0, count, (20, 40))
    for word in words:
        np.testing.assert_array_equal(smallest.run(word), given.run(word))
    for state, word in enumerate(smallest.words):
        at = 0
        for letter in word:
            at = smallest.transitions[at, letter]
        assert at == state


@pytest.mark.parametrize("seed", [0, 1])
def test_extraction_of_a_random_machine_and_of_its_smallest_form_are_equivalent(seed):
    generator = np.random.default_rng(seed)
    machine = table(generator.integers(0, 9, (9, 2)), generator.integers(0, 2, (9, 2)))
    found = extract(machine, letters(2))
    smallest = minimise(found)
    other = table(smallest.transitions, smallest.outputs[smallest.labels][..., 0].astype(int))
    assert distinguishing_word(machine, other, letters(2)) is None
    assert sorted(map(len, found.words)) == list(map(len, found.words))


def shortest_difference(first, second, count, longest):
    """By trying all words."""
    for length in range(1, longest + 1):
        for word in itertools.product(range(count), repeat=length):
            said = []
            for transitions, labels in (first, second):
                at, said_here = 0, []
                for letter in word:
                    said_here.append(labels[at][letter])
                    at = transitions[at][letter]
                said.append(said_here)
            if said[0] != said[1]:
                return word
    return None


@pytest.mark.parametrize("seed", range(4))
def test_a_distinguishing_word_is_a_shortest_one(seed):
    generator = np.random.default_rng(seed)
    transitions = generator.integers(0, 6, (6, 2))
    labels = np.zeros((6, 2), int)
    labels[5, 1] = 1
    changed = labels.copy()
    changed[reached(transitions)[-1], 0] = 1
    first, second = (transitions.tolist(), labels.tolist()), (transitions.tolist(), changed.tolist())
    expected = shortest_difference(first, second, 2, 8)
    word = distinguishing_word(table(transitions, labels), table(transitions, changed), letters(2))
    assert expected is not None
    assert len(word) == len(expected)
    # Shorter words do not tell them apart.
    short = distinguishing_word(
        table(transitions, labels), table(transitions, changed), letters(2), length=len(word) - 1
    )
    assert short is None


def test_parity_and_a_counter_to_4_differ_after_two_ones():
    read = lambda output: output > 1.5  # noqa: E731
    assert distinguishing_word(Counter(4), Counter(2), BITS, read=read) == (1, 1)
    assert distinguishing_word(Counter(4), Counter(2), BITS, read=lambda output: output % 2) is None


def test_a_small_difference_of_outputs_does_not_count():
    one, other = jn.LeakyReadout(tau_ms=1e6), jn.LeakyReadout(tau_ms=1.01e6)
    assert distinguishing_word(one, other, BITS, tolerance=1e-9, length=3) is None
    word = distinguishing_word(one, other, BITS, tolerance=1e-9, output_tolerance=1e-9, length=3)
    assert word is not None


def test_what_never_comes_back_is_told():
    leaky = jn.LeakyReadout(tau_ms=20.0)
    with pytest.raises(TooManyStates, match="more than 50 states after words of 6 letters: allow more, or a larger"):
        extract(leaky, BITS, limit=50)
    with pytest.raises(TooManyStates, match="words of 3 letters still lead to new states: 8 so far, 4 of them"):
        extract(leaky, BITS, length=3)
    # With a tolerance it is an approximation of a few states.
    assert extract(leaky, BITS, tolerance=0.2, output_tolerance=0.2).states < 30


class Random(jn.StateMachine):
    """A state with a random key that does not change, and one number that does."""

    def init(self, key):
        return key, jnp.zeros(())

    def step(self, state, input):
        key, number = state
        return (key, 1 - number), number + jax.random.uniform(key)


def test_keys_are_states_too(key):
    found = extract(Random(), BITS, key=key)
    assert found.states == 2
    np.testing.assert_allclose(found.outputs[:, 0], float(jax.random.uniform(key)) + np.array([0, 1]), rtol=1e-6)


class Growing(jn.StateMachine):
    def init(self, key):
        return Place(jnp.ones(()))

    def step(self, state, input):
        return Place(1e30 * state.at), input


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: extract(Counter(2), BITS, tolerance=-1.0), "extract got tolerance=-1"),
        (lambda: extract(Counter(2), BITS, limit=0), "limit=0"),
        (lambda: extract(Counter(2), BITS[:0]), r"the leaves of the alphabet have \[0\] letters"),
        (lambda: extract(Counter(2), (BITS, jnp.zeros(3))), r"have \[2, 3\] letters; all must have as many"),
        (lambda: extract(Growing(), BITS), "the machine came to a state that is not finite"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
