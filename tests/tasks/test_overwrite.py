import math

import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.tasks.overwrite import Overwrite
from tests.tasks.rules import check_even, check_solved, draw

TASK = Overwrite(keys=3, values=5, writes=2)


def read(batch, task):
    """Keys and values of all steps; -1 where none is shown."""
    inputs = np.asarray(batch.inputs)
    keys, values = inputs[..., : task.keys], inputs[..., task.keys :]
    assert (keys.sum(-1) == 1).all()
    return keys.argmax(-1), np.where(values.any(-1), values.argmax(-1), -1)


def test_keeping_the_last_value_of_each_key_solves_it():
    batch = draw(TASK, 64)
    answers = np.full((64, 9), -1)
    for row, (keys, values) in enumerate(zip(*read(batch, TASK), strict=True)):
        memory = {}
        for step, (key, value) in enumerate(zip(keys, values, strict=True)):
            if value >= 0:
                memory[key] = value
            else:
                answers[row, step] = memory[key]
    check_solved(TASK, batch, answers)


def test_keys_are_written_equally_often_with_values_that_differ_and_asked_once():
    keys, values = read(draw(TASK, 64), TASK)
    for row in range(64):
        assert sorted(keys[row, :6]) == [0, 0, 1, 1, 2, 2]
        assert sorted(keys[row, 6:]) == [0, 1, 2]
        for key in range(3):
            assert len(set(values[row, :6][keys[row, :6] == key])) == 2
    assert (values[:, 6:] == -1).all()


def test_the_sum_of_what_was_written_leaves_as_many_values_as_writes():
    batch = draw(TASK, 2000)
    keys, values = read(batch, TASK)
    outputs = np.full((2000, 9, 5), -1e9)
    for row in range(2000):
        for step in range(6, 9):
            outputs[row, step, values[row, :6][keys[row, :6] == keys[row, step]]] = 0
    assert float(TASK.loss(jnp.asarray(outputs), batch)) == pytest.approx(math.log(2), rel=1e-3)


def test_the_baseline_is_even_guesses():
    batch = draw(TASK, 4000)
    assert float(TASK.loss(jnp.zeros((4000, 9, 5)), batch)) == pytest.approx(TASK.baseline, rel=1e-6)
    check_even(np.asarray(batch.inputs)[:, 6, :3].argmax(-1), np.asarray(batch.targets)[:, 6], sizes=(3, 5))


def test_values_must_suffice_for_the_writes():
    with pytest.raises(ValueError, match="Overwrite got values=2; it must be at least 3"):
        Overwrite(values=2, writes=3)
