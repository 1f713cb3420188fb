import math

import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.tasks.dyck import Dyck, LongerDyck
from tests.tasks.rules import check_even, check_mean, check_solved, draw, symbols

TASK = Dyck(brackets=3, depth=3, steps=30)


def parsed(task, sequence):
    """The open brackets after each step, by a stack that complains."""
    stack, history = [], []
    for code in sequence:
        if code < task.brackets:
            stack.append(code)
        else:
            assert stack.pop() == code - task.brackets
        assert len(stack) <= task.depth
        history.append(list(stack))
    return history


def test_a_stack_solves_it():
    batch = draw(TASK, 64)
    codes, answers = symbols(batch), np.full((64, 30), -1)
    counts = np.zeros((64, 30))
    for row in range(64):
        for step, stack in enumerate(parsed(TASK, codes[row].tolist())):
            if stack:
                answers[row, step] = stack[-1]
                counts[row, step] = codes[row, step] >= TASK.brackets
    check_solved(TASK, batch, answers)
    np.testing.assert_array_equal(batch.weights, counts)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_baseline_is_even_guesses(depth):
    task = Dyck(brackets=3, depth=depth, steps=10)
    batch = draw(task, 4000)
    assert float(task.loss(jnp.zeros((4000, 10, 3)), batch)) == pytest.approx(math.log(3), rel=1e-5)
    assert task.baseline == math.log(3)
    # Whatever was closed just now, each kind is as likely to be open: at every step that counts.
    codes, targets = symbols(batch), np.asarray(batch.targets)
    for step in range(10):
        rows = np.asarray(batch.weights)[:, step] == 1
        if rows.any():
            check_even(codes[rows, step] - 3, targets[rows, step], sizes=(3, 3))


def test_words_have_the_lengths_that_the_grammar_gives_them():
    # A bracket pair in which nothing may be nested but to depth 2: from depth 1, half of the time it closes at once,
    # else a pair comes first. Its length is 2 + 2 n, with n geometric: P(n) = 1 / 2^(n + 1), of mean 1.
    codes = symbols(draw(Dyck(depth=2, steps=60), 2000))
    lengths = []
    for sequence in codes.tolist():
        heights = np.cumsum([1 if code < 2 else -1 for code in sequence])
        closed = np.flatnonzero(heights == 0)
        lengths.append(closed[0] + 1 if len(closed) else 62)
    # A word does not end within 60 steps with probability 2^-30.
    check_mean(lengths, 4)


def test_the_test_may_have_longer_words():
    task = LongerDyck(depth=3, steps=10, test_steps=25)
    assert draw(task, 2).inputs.shape == (2, 10, 4)
    longer = task.transfer()
    assert draw(longer, 2).inputs.shape == (2, 25, 4)
    assert (longer.depth, longer.baseline) == (3, task.baseline)
    with pytest.raises(ValueError, match="LongerDyck got test_steps=9; it must be at least 10"):
        LongerDyck(steps=10, test_steps=9)
