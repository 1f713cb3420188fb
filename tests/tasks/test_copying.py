import math

import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.tasks.copying import Copy
from tests.tasks.rules import check_even, check_solved, draw, symbols

TASK = Copy(delay=12, symbols=5, length=4)


def test_the_layout_is_the_published_one():
    batch = draw(Copy(delay=100), 3)
    codes = symbols(batch)
    assert codes.shape == (3, 120)
    assert (codes[:, :10] < 8).all()
    assert (np.delete(codes, [*range(10), 109], axis=1) == 8).all()
    assert (codes[:, 109] == 9).all()
    assert np.asarray(batch.weights).all()


def test_remembering_the_first_symbols_solves_it():
    batch = draw(TASK, 32)
    codes, answers = symbols(batch), np.full((32, 20), TASK.symbols)
    for row in range(32):
        read = [code for code in codes[row] if code < TASK.symbols]
        start = codes[row].tolist().index(TASK.symbols + 1) + 1
        for place, symbol in enumerate(read):
            answers[row, start + place] = symbol
    check_solved(TASK, batch, answers)


def test_the_baseline_is_blanks_and_then_even_guesses():
    batch = draw(TASK, 4000)
    outputs = np.zeros((20, 6))
    outputs[:16, 5] = 100
    outputs[16:, 5] = -100
    loss = TASK.loss(jnp.broadcast_to(jnp.asarray(outputs), (4000, 20, 6)), batch)
    assert float(loss) == pytest.approx(TASK.baseline, rel=1e-5)
    # At the end the inputs are the same for all, and no guess is better than another.
    targets = np.asarray(batch.targets)
    assert (targets[:, :16] == 5).all()
    check_even(*targets[:, 16:].T, sizes=(5,) * 4)


def test_the_baseline_is_the_published_one():
    assert Copy(delay=500).baseline == pytest.approx(10 * math.log(8) / 520)
