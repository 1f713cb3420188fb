import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.tasks.adding import Adding
from tests.tasks.rules import check_mean, draw

TASK = Adding(steps=11)


def test_adding_the_marked_numbers_solves_it():
    batch = draw(TASK, 64)
    outputs = np.zeros((64, 11, 1), np.float32)
    for row, sequence in enumerate(np.asarray(batch.inputs)):
        marked = [number for number, mark in sequence if mark == 1]
        assert len(marked) == 2
        outputs[row, -1] = marked[0] + marked[1]
    assert float(TASK.loss(jnp.asarray(outputs), batch)) == TASK.optimum == 0


def test_the_best_constant_has_the_baseline():
    batch = draw(TASK, 4000)
    errors = (1 - np.asarray(batch.targets)[:, -1, 0]) ** 2
    assert float(TASK.loss(jnp.ones((4000, 11, 1)), batch)) == pytest.approx(errors.mean(), rel=1e-5)
    check_mean(errors, TASK.baseline)
    check_mean(np.asarray(batch.targets)[:, -1, 0], 1)


def test_what_the_last_step_shows_is_no_help():
    batch = draw(TASK, 4000)
    numbers, marks = np.moveaxis(np.asarray(batch.inputs)[:, -1], -1, 0)
    assert not marks.any()
    # A correlation of independent samples has a standard error of n^(-1/2).
    assert abs(np.corrcoef(numbers, np.asarray(batch.targets)[:, -1, 0])[0, 1]) < 4 * 4000**-0.5


def test_one_mark_is_in_each_half():
    for steps in (3, 4, 11):
        marks = np.asarray(draw(Adding(steps=steps), 500).inputs)[:, :, 1]
        assert (marks[:, : steps // 2].sum(1) == 1).all()
        assert (marks[:, steps // 2 : -1].sum(1) == 1).all()


def test_only_the_last_step_counts():
    weights = np.asarray(draw(TASK, 3).weights)
    np.testing.assert_array_equal(weights, np.eye(11)[[10] * 3])
