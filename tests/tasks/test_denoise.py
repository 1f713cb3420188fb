import math

import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.tasks.denoise import Denoise
from tests.tasks.rules import check_even, check_solved, draw, symbols

TASK = Denoise(noise=12, symbols=5, length=3)


def test_forgetting_the_noise_solves_it():
    batch = draw(TASK, 32)
    codes, answers = symbols(batch), np.full((32, 18), TASK.symbols)
    for row in range(32):
        read = [code for code in codes[row] if code < TASK.symbols]
        assert len(read) == 3
        start = codes[row].tolist().index(TASK.symbols + 1) + 1
        answers[row, start:] = read
    check_solved(TASK, batch, answers)


def test_the_marker_comes_before_the_recall_and_symbols_anywhere_before_it():
    codes = symbols(draw(TASK, 4000))
    assert (codes[:, 14] == 6).all()
    assert (codes[:, 15:] == 5).all()
    # Three of fourteen places have a symbol, each place as often as any other: four standard errors.
    share, expected = (codes[:, :14] < 5).mean(0), 3 / 14
    assert np.abs(share - expected).max() < 4 * (expected * (1 - expected) / 4000) ** 0.5


def test_the_baseline_is_blanks_and_then_even_guesses():
    batch = draw(TASK, 4000)
    outputs = np.zeros((18, 6))
    outputs[:15, 5] = 100
    outputs[15:, 5] = -100
    loss = TASK.loss(jnp.broadcast_to(jnp.asarray(outputs), (4000, 18, 6)), batch)
    assert float(loss) == pytest.approx(TASK.baseline, rel=1e-5)
    targets = np.asarray(batch.targets)
    assert (targets[:, :15] == 5).all()
    check_even(*targets[:, 15:].T, sizes=(5,) * 3)


def test_the_baseline_at_the_published_size():
    assert Denoise().baseline == pytest.approx(10 * math.log(9) / 220)
