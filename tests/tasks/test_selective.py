import math

import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.tasks.selective import SelectiveCopy
from tests.tasks.rules import check_even, check_solved, draw, symbols

TASK = SelectiveCopy(noise=12, symbols=5, length=3)


def test_remembering_the_symbols_solves_it():
    batch = draw(TASK, 32)
    codes, answers = symbols(batch), np.full((32, 18), -1)
    for row in range(32):
        queue = [code for code in codes[row] if code < TASK.symbols]
        for step, code in enumerate(codes[row]):
            if code == TASK.symbols + 1:
                answers[row, step] = queue.pop(0)
    check_solved(TASK, batch, answers)


def test_only_the_markers_count():
    batch = draw(TASK, 8)
    np.testing.assert_array_equal(np.asarray(batch.weights) == 1, symbols(batch) == TASK.symbols + 1)


def test_the_baseline_is_even_guesses():
    batch = draw(TASK, 4000)
    assert float(TASK.loss(jnp.zeros((4000, 18, 5)), batch)) == pytest.approx(TASK.baseline, rel=1e-6)
    check_even(*np.asarray(batch.targets)[:, 15:].T, sizes=(5,) * 3)
    assert SelectiveCopy().baseline == pytest.approx(math.log(14))


def test_the_number_of_noise_steps_may_be_zero():
    assert draw(SelectiveCopy(noise=0, length=2), 4).inputs.shape == (4, 4, 16)
