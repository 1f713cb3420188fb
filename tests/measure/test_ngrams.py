"""Tables of the last symbols: by hand, and against the entropy of a chain."""

import numpy as np
import pytest

from jaxneuro.measure.ngrams import Table


def test_probabilities_are_counts_and_what_shorter_contexts_say():
    table = Table(2, 2)
    for past, answer in (([7, 3], 0), ([7, 3], 0), ([8, 3], 1)):
        table.learn(past, answer)
    # By hand. After 3: counts 2 and 1; of one symbol (2 + 1/2) / 4; after 7, 3: counts 2 and 0.
    after = np.array([2.5, 1.5]) / 4
    np.testing.assert_allclose(table.probabilities([3]), after)
    np.testing.assert_allclose(table.probabilities([7, 3]), (np.array([2, 0]) + after) / 3)
    np.testing.assert_allclose(table.probabilities([1, 8, 3]), (np.array([0, 1]) + after) / 2)
    # Never seen: the shorter one, or even odds.
    np.testing.assert_allclose(table.probabilities([9, 3]), after)
    np.testing.assert_allclose(table.probabilities([5]), [0.5, 0.5])


def test_a_table_looks_back_so_far_and_no_further():
    answers = np.random.default_rng(0).integers(0, 2, 1500).tolist()
    # The answer is the symbol of two steps ago: three symbols with the present one.
    losses = {}
    for order in (1, 2, 3):
        table, found = Table(order, 2), []
        for place in range(2, 1500):
            past = answers[place - 2 : place + 1]
            found.append(-np.log(table.probabilities(past)[past[0]]))
            table.learn(past, past[0])
        losses[order] = np.mean(found[-700:])
    assert losses[1] == pytest.approx(np.log(2), abs=0.03)
    assert losses[2] == pytest.approx(np.log(2), abs=0.03)
    assert losses[3] < 0.01


def test_it_comes_to_the_entropy_of_a_chain():
    random = np.random.default_rng(1)
    odds = np.array([[0.9, 0.1], [0.3, 0.7]])
    state, losses, table = 0, [], Table(2, 2)
    past = [0, 0]
    for _ in range(6000):
        answer = int(random.random() < odds[state, 1])
        losses.append(-np.log(table.probabilities(past)[answer]))
        table.learn(past, answer)
        past, state = [past[-1], answer], answer
    # The chain is in state 0 three quarters of the time.
    rows = -(odds * np.log(odds)).sum(axis=1)
    assert np.mean(losses[1000:]) == pytest.approx(0.75 * rows[0] + 0.25 * rows[1], abs=0.02)


@pytest.mark.parametrize("wrong", [{"order": 0}, {"classes": 1}, {"strength": 0.0}])
def test_tables_of_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match="they must be at least 1, at least 2, and above 0"):
        Table(**({"order": 1, "classes": 2} | wrong))
