"""Short sequences of single columns, learned element by element: what NuPIC's tutorial of the temporal memory shows.

Six columns of four cells, and one synapse is enough for everything: a cell then learns whom it follows.

Reference: Numenta's NuPIC, `tutorial_temporal_memory_test.py`.
"""

import pytest

SETTINGS = {
    "columns": 6,
    "cells": 4,
    "segments_per_cell": 8,
    "synapses": 8,
    "activation_threshold": 1,
    "min_threshold": 1,
    "initial_permanence": 0.3,
    "connected_permanence": 0.5,
    "new_synapses": 6,
    "permanence_increment": 0.1,
    "permanence_decrement": 0.05,
}
ABCD, XBCY = [[0], [1], [2], [3]], [[4], [1], [2], [5]]

pytestmark = pytest.mark.parametrize("seed", [0, 1])


def test_a_first_order_sequence_is_predicted_after_three_passes(memory, seed):
    made = memory(**SETTINGS, seed=seed)
    for _ in range(3):
        assert made.feed(ABCD).right.tolist() == [0, 0, 0, 0]
    for _ in range(6):
        trace = made.feed(ABCD)
        assert trace.right.tolist() == [0, 1, 1, 1]
        assert trace.wrong.tolist() == [0, 0, 0, 0]


def test_a_second_sequence_that_shares_its_middle_is_learned_after_the_first(memory, seed):
    made = memory(**SETTINGS, seed=seed)
    for _ in range(5):
        made.feed(ABCD)
    assert made.feed(ABCD, learn=False).right.tolist() == [0, 1, 1, 1]
    for _ in range(3):
        made.feed(XBCY)
    assert made.feed(XBCY, learn=False).right[1] == 1
    for _ in range(3):
        made.feed(XBCY)
    assert made.feed(XBCY, learn=False).right[2] == 1
    for _ in range(3):
        made.feed(XBCY)
    assert made.feed(XBCY, learn=False).right[3] == 1
    after = made.feed(ABCD, learn=False)
    assert (after.right[3], after.wrong[3]) == (1, 1)  # what followed while X B C was still new is not forgotten
    for _ in range(10):
        made.feed(ABCD)
    assert made.feed(ABCD, learn=False).right[3] == 1


def test_two_sequences_that_share_their_middle_are_learned_in_turns(memory, seed):
    made = memory(**SETTINGS, seed=seed)
    for _ in range(11):
        made.feed(ABCD)
        made.feed(XBCY)
    assert made.feed(ABCD, learn=False).right[3] == 1
    assert made.feed(XBCY, learn=False).right[3] == 1


def test_two_elements_in_endless_repetition_predict_each_other(memory, seed):
    made = memory(**SETTINGS, seed=seed)
    for _ in range(7):
        made.feed([[0], [1]], reset=False)
    trace = made.feed([[0], [1]] * 50, reset=False)
    assert trace.right.tolist() == [1] * 100
    assert trace.wrong.sum() == 0
    assert [len(synapses) for _, synapses in made.everything()] == [1, 1]


def test_two_elements_in_endless_repetition_with_one_new_synapse_at_a_time(memory, seed):
    made = memory(**SETTINGS | {"cells": 10, "new_synapses": 1}, seed=seed)
    for _ in range(7):
        made.feed([[0], [1]], reset=False)
    trace = made.feed([[0], [1]] * 100, reset=False)
    assert trace.missed.mean() < 0.2
    assert trace.wrong.sum() == 0
    assert {len(synapses) for _, synapses in made.everything()} == {1}


def test_a_long_repetition_with_a_novel_ending(memory, seed):
    made = memory(**SETTINGS, seed=seed)
    sequence = [[0], [1]] * 10 + [[2]]
    for _ in range(4):
        made.feed(sequence)
    for _ in range(10):
        trace = made.feed(sequence)
        assert trace.right.tolist() == [0] + [1] * 20
        assert trace.wrong[1:].tolist() == [0, 1] * 9 + [0, 1]  # one cell cannot count: the ending is always possible
    assert len(made.everything()) == 3


def test_a_single_pattern_in_endless_repetition_predicts_itself(memory, seed):
    made = memory(**SETTINGS, seed=seed)
    assert made.feed([[0]] * 4, reset=False).right.tolist() == [0, 0, 0, 0]
    trace = made.feed([[0]] * 20, reset=False)
    assert trace.right.tolist() == [1] * 20
    assert len(made.active) == 1
