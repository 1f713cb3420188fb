import math

import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.tasks.modular import Modular
from tests.tasks.rules import check_even, check_solved, draw, symbols

moduli = pytest.mark.parametrize("modulus", [2, 3, 7])


@moduli
def test_counting_solves_it(modulus):
    task = Modular(modulus=modulus, steps=30)
    batch = draw(task, 16)
    codes, answers = symbols(batch), np.zeros((16, 30), int)
    for row in range(16):
        count = 0
        for step in range(30):
            count += codes[row, step]
            answers[row, step] = count % modulus
    check_solved(task, batch, answers)


@moduli
def test_the_baseline_is_even_guesses(modulus):
    task = Modular(modulus=modulus, steps=6)
    batch = draw(task, 4000)
    assert float(task.loss(jnp.zeros((4000, 6, modulus)), batch)) == pytest.approx(math.log(modulus), rel=1e-6)
    assert task.baseline == math.log(modulus)
    # Whatever the present number, each sum is as likely: at every step but the first, which does not count.
    for step in range(1, 6):
        check_even(symbols(batch)[:, step], np.asarray(batch.targets)[:, step], sizes=(modulus, modulus))
    np.testing.assert_array_equal(batch.weights[0], [0, 1, 1, 1, 1, 1])
