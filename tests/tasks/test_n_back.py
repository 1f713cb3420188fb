import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.tasks.n_back import NBack
from tests.tasks.rules import certain, check_even, check_solved, draw

TASK = NBack(steps=9, back=2, symbols=4, features=4)


def compared(batch, back):
    """Whether a symbol is the one of so many steps before."""
    inputs = np.asarray(batch.inputs)
    answers = np.full(inputs.shape[:2], -1)
    answers[:, back:] = (inputs[:, back:] == inputs[:, :-back]).all(-1)
    return answers


def test_looking_so_many_steps_back_solves_it_in_the_test_too():
    for task in (TASK, TASK.transfer()):
        batch = draw(task, 64)
        check_solved(task, batch, compared(batch, 2))
        np.testing.assert_array_equal(np.asarray(batch.weights)[0], [0, 0] + 7 * [1])


def test_looking_another_number_of_steps_back_does_not():
    batch = draw(TASK, 2000)
    for back in (1, 3):
        right = float(TASK.accuracy(certain(compared(batch, back), 2), batch))
        assert right == pytest.approx(0.5, abs=0.1)


def test_half_of_all_steps_match_whatever_the_symbol_is():
    batch = draw(TASK, 8000)
    assert float(TASK.loss(jnp.zeros((8000, 9, 2)), batch)) == pytest.approx(TASK.baseline, rel=1e-6)
    which = np.unique(np.asarray(batch.inputs)[:, 6], axis=0, return_inverse=True)[1].reshape(-1)
    check_even(which, np.asarray(batch.targets)[:, 6], sizes=(4, 2))


def test_symbols_of_training_and_test_all_differ():
    both = [
        {tuple(row) for row in np.asarray(draw(task, 100).inputs).reshape(-1, 4)} for task in (TASK, TASK.transfer())
    ]
    assert [len(vectors) for vectors in both] == [4, 4]
    assert not both[0] & both[1]


def test_there_must_be_a_step_to_look_back_from():
    with pytest.raises(ValueError, match="NBack got steps=2; it must be at least 3"):
        NBack(steps=2)
