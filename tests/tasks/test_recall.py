import math

import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.tasks.recall import Recall
from tests.tasks.rules import check_even, check_solved, draw, symbols

TASK = Recall(pairs=3, vocabulary=16, steps=24)


def test_a_dictionary_solves_it():
    batch = draw(TASK, 64)
    codes, answers = symbols(batch), np.full((64, 24), -1)
    for row in range(64):
        known = {}
        for step in range(24):
            code = codes[row, step]
            if step < 6 and step % 2:
                known[codes[row, step - 1]] = code
            elif step >= 6 and code:
                answers[row, step] = known[code] - 8
        assert len(known) == len(set(known.values())) == 3
        assert all(1 <= key < 8 <= value < 16 for key, value in known.items())
    check_solved(TASK, batch, answers)
    np.testing.assert_array_equal(np.asarray(batch.weights) == 1, answers >= 0)
    # Every key is asked once, at an even distance.
    assert ((answers >= 0).sum(1) == 3).all()
    assert not (answers[:, 7::2] >= 0).any()


def test_the_baseline_is_even_guesses():
    batch = draw(TASK, 4000)
    assert float(TASK.loss(jnp.zeros((4000, 24, 8)), batch)) == pytest.approx(math.log(8), rel=1e-5)
    assert TASK.baseline == math.log(8)
    # Whatever is asked first, each value is as likely.
    step = (np.asarray(batch.weights) == 1).argmax(1)
    rows = np.arange(4000)
    check_even(symbols(batch)[rows, step] - 1, np.asarray(batch.targets)[rows, step], sizes=(7, 8))


@pytest.mark.parametrize("power", [0.01, 1.0])
def test_queries_come_as_late_as_the_power_law_says(power):
    # With one pair the slot of its query is a single draw of weight (g + 1)^(power - 1).
    task = Recall(pairs=1, vocabulary=8, steps=16, power=power)
    slots = ((np.asarray(draw(task, 4000).weights) == 1).argmax(1) - 2) // 2
    weights = np.arange(1, 8) ** (power - 1.0)
    expected = weights / weights.sum()
    share = np.bincount(slots, minlength=7) / 4000
    assert (np.abs(share - expected) < 4 * (expected * (1 - expected) / 4000) ** 0.5).all()


def test_every_slot_may_be_a_query():
    weights = np.asarray(draw(Recall(pairs=2, vocabulary=8, steps=8), 4).weights)
    np.testing.assert_array_equal(weights, [[0, 0, 0, 0, 1, 0, 1, 0]] * 4)
