"""Long sequences of patterns of many columns: what NuPIC's extensive test of the temporal memory asks for, row by row.

100 columns, 21 to 25 of them active. Learning is fast: what one pass sees, the next predicts. Sequences begin after a
reset, and their first element, which nothing can predict, does not count.

Reference: Numenta's NuPIC, `extensive_tm_test_base.py`, whose names (B1, H1, ...) are kept.
"""

from dataclasses import dataclass

import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.htm.memories import JaxMemory, OracleMemory

COLUMNS = 100
FAST = {
    "columns": COLUMNS,
    "cells": 1,
    "segments_per_cell": 128,
    "synapses": 32,
    "activation_threshold": 11,
    "min_threshold": 11,
    "initial_permanence": 0.8,
    "connected_permanence": 0.7,
    "new_synapses": 11,
    "permanence_increment": 0.4,
    "permanence_decrement": 0.0,
}
FOUR_CELLS = {"cells": 4}
SLOW = {"initial_permanence": 0.2, "permanence_increment": 0.2}
TOLERANT = FOUR_CELLS | {"activation_threshold": 8, "min_threshold": 8}


@dataclass
class Outcome:
    """How many columns were predicted and active, only active, only predicted: an array of the steps that count."""

    right: np.ndarray
    missed: np.ndarray
    wrong: np.ndarray
    by_sequence: list[np.ndarray]  # what was wrong, with the first element of each sequence

    def all_active_were_predicted(self):
        return self.missed.sum() == 0 and self.right.min() == 21 and self.right.max() == 25

    def no_active_was_predicted(self):
        return self.right.sum() == 0 and self.missed.min() == 21 and self.missed.max() == 25


def patterns(generator, count):
    sizes = generator.integers(21, 26, size=count)
    return [np.sort(generator.choice(COLUMNS, size, replace=False)).tolist() for size in sizes]


def noisy(generator, sequences):
    """Each active column is replaced by any column with a probability of 5 %."""

    def changed(pattern):
        return sorted({int(generator.integers(COLUMNS)) if generator.random() < 0.05 else each for each in pattern})

    return [[changed(pattern) for pattern in sequence] for sequence in sequences]


def sharing(generator, start, stop):
    """Two sequences of 20 new patterns, but for those from `start` to `stop`, which are the same in both."""
    first, second = patterns(generator, 20), patterns(generator, 20)
    second[start:stop] = first[start:stop]
    return [first, second]


def trained(memory, sequences, passes=1, **settings):
    made = memory(**FAST | settings, segments=128, fan_out=2048, winners=40, rows=64, widest=25, chunk=20)
    for _ in range(passes):
        for sequence in sequences:
            made.feed(sequence)
    return made


def recalled(made, sequences):
    traces = [made.feed(sequence, learn=False) for sequence in sequences]

    def counted(name):
        return np.concatenate([getattr(trace, name)[~trace.first] for trace in traces])

    return Outcome(counted("right"), counted("missed"), counted("wrong"), [trace.wrong for trace in traces])


@pytest.fixture(
    params=[pytest.param(OracleMemory, marks=pytest.mark.slow, id="oracle"), pytest.param(JaxMemory, id="machine")]
)
def memory(request):
    if request.param is JaxMemory and not hasattr(jn, "htm"):
        pytest.skip("there is no temporal memory yet")
    return request.param


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def test_b1_one_sequence_is_learned_in_one_pass(memory, generator):
    sequences = [patterns(generator, 100)]
    outcome = recalled(trained(memory, sequences), sequences)
    assert outcome.all_active_were_predicted()
    assert outcome.wrong.sum() == 0


@pytest.mark.slow
def test_b3_a_sequence_of_300_is_learned_in_one_pass(memory, generator):
    sequences = [patterns(generator, 300)]
    outcome = recalled(trained(memory, sequences), sequences)
    assert outcome.all_active_were_predicted()
    assert outcome.wrong.sum() == 0


@pytest.mark.slow
def test_b4_three_sequences_are_learned_in_one_pass(memory, generator):
    sequences = [patterns(generator, 100) for _ in range(3)]
    outcome = recalled(trained(memory, sequences), sequences)
    assert outcome.all_active_were_predicted()


def test_b5_one_sequence_is_learned_by_four_cells_in_a_column(memory, generator):
    sequences = [patterns(generator, 100)]
    outcome = recalled(trained(memory, sequences, **FOUR_CELLS), sequences)
    assert outcome.all_active_were_predicted()
    assert outcome.wrong.sum() == 0


@pytest.mark.slow
def test_b6_three_sequences_are_learned_by_four_cells_in_a_column(memory, generator):
    sequences = [patterns(generator, 100) for _ in range(3)]
    outcome = recalled(trained(memory, sequences, **FOUR_CELLS), sequences)
    assert outcome.all_active_were_predicted()
    assert outcome.wrong.sum() == 0


def test_b7_slow_learning_takes_four_passes(memory, generator):
    sequences = [patterns(generator, 100)]
    outcome = recalled(trained(memory, sequences, 4, **SLOW), sequences)
    assert outcome.all_active_were_predicted()
    assert outcome.wrong.sum() == 0


def test_b8_slow_learning_takes_four_passes_with_four_cells_in_a_column(memory, generator):
    sequences = [patterns(generator, 100)]
    outcome = recalled(trained(memory, sequences, 4, **SLOW | FOUR_CELLS), sequences)
    assert outcome.all_active_were_predicted()
    assert outcome.wrong.sum() == 0


def test_b9_after_three_passes_of_slow_learning_nothing_is_predicted(memory, generator):
    sequences = [patterns(generator, 100)]
    outcome = recalled(trained(memory, sequences, 3, **SLOW), sequences)
    assert outcome.no_active_was_predicted()
    assert outcome.wrong.sum() == 0


def test_b11_a_sequence_is_recognised_under_noise(memory, generator):
    sequences = [patterns(generator, 100)]
    outcome = recalled(trained(memory, sequences, **TOLERANT), noisy(generator, sequences))
    assert outcome.missed.mean() < 1


def test_h1_one_cell_in_a_column_predicts_both_ways_out_of_a_shared_part(memory, generator):
    sequences = sharing(generator, 10, 15)
    outcome = recalled(trained(memory, sequences), sequences)
    assert outcome.all_active_were_predicted()
    assert outcome.wrong.mean() > 0
    assert [wrong[15] > 0 for wrong in outcome.by_sequence] == [True, True]


def test_h2_four_cells_in_a_column_predict_the_right_way_out_of_a_shared_part(memory, generator):
    sequences = sharing(generator, 10, 15)
    outcome = recalled(trained(memory, sequences, 10, **FOUR_CELLS), sequences)
    assert outcome.all_active_were_predicted()
    assert outcome.wrong.sum() < 26
    assert outcome.by_sequence[1][15:].sum() == 0


def test_h3_after_a_shared_beginning_both_sequences_are_predicted(memory, generator):
    sequences = sharing(generator, 0, 5)
    outcome = recalled(trained(memory, sequences, **FOUR_CELLS), sequences)
    assert outcome.all_active_were_predicted()
    assert outcome.wrong.sum() < 52
    assert [wrong[5] > 0 for wrong in outcome.by_sequence] == [True, True]


def test_h4_two_orders_of_the_same_patterns(memory, generator):
    pool = patterns(generator, 20)
    sequences = [[pool[index] for index in generator.permutation(20)] for _ in range(2)]
    outcome = recalled(trained(memory, sequences, 20, **FOUR_CELLS), sequences)
    assert outcome.all_active_were_predicted()
    assert outcome.wrong.mean() < 3


def test_h5_two_orders_of_the_same_patterns_with_a_shared_part(memory, generator):
    pool, shared = patterns(generator, 15), patterns(generator, 5)
    orders = [generator.permutation(15) for _ in range(2)]
    sequences = [[*(pool[i] for i in order[:10]), *shared, *(pool[i] for i in order[10:])] for order in orders]
    outcome = recalled(trained(memory, sequences, 20, **FOUR_CELLS), sequences)
    assert outcome.all_active_were_predicted()
    assert outcome.wrong.mean() < 3


def test_h9_sequences_with_a_shared_part_are_recognised_under_noise(memory, generator):
    sequences = sharing(generator, 10, 15)
    outcome = recalled(trained(memory, sequences, 10, **TOLERANT), noisy(generator, sequences))
    assert outcome.missed.mean() < 3


def test_h10_punishment_of_wrong_predictions_costs_no_right_ones(memory, generator):
    sequences = sharing(generator, 10, 15)
    seen = [sequence for _ in range(10) for sequence in noisy(generator, sequences)]
    lenient = recalled(trained(memory, seen, **TOLERANT), sequences)
    strict = recalled(trained(memory, seen, **TOLERANT, predicted_decrement=0.04), sequences)
    assert 0 <= strict.wrong.mean() < lenient.wrong.mean()
    assert strict.right.mean() == pytest.approx(lenient.right.mean(), abs=1e-7)
