import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.tasks.same_different import SameDifferent
from tests.tasks.rules import check_even, check_solved, draw

TASK = SameDifferent(symbols=5, features=5, pause=3)


def test_comparing_the_ends_solves_it_in_the_test_too():
    for task in (TASK, TASK.transfer()):
        batch = draw(task, 64)
        inputs = np.asarray(batch.inputs)
        assert not inputs[:, 1:-1].any()
        assert set(np.unique(inputs[:, [0, -1]])) == {-1.0, 1.0}
        same = (inputs[:, 0] == inputs[:, -1]).all(-1).astype(int)
        answers = np.full((64, 5), -1)
        answers[:, -1] = same
        check_solved(task, batch, answers)
    np.testing.assert_array_equal(np.asarray(batch.weights)[0], [0, 0, 0, 0, 1])


def vectors(task):
    inputs = np.asarray(draw(task, 500).inputs)[:, [0, -1]].reshape(-1, task.features)
    return {tuple(row) for row in inputs}


def test_symbols_of_training_and_test_all_differ():
    trained, tested = vectors(TASK), vectors(TASK.transfer())
    assert (len(trained), len(tested)) == (5, 5)
    assert not trained & tested
    assert vectors(SameDifferent(symbols=5, features=5, pause=3, book=1)) != trained


def test_the_baseline_is_even_odds_whatever_the_second_symbol_is():
    batch = draw(TASK, 8000)
    assert float(TASK.loss(jnp.zeros((8000, 5, 2)), batch)) == pytest.approx(TASK.baseline, rel=1e-6)
    second = np.asarray(batch.inputs)[:, -1]
    which = np.unique(second, axis=0, return_inverse=True)[1].reshape(-1)
    check_even(which, np.asarray(batch.targets)[:, -1], sizes=(5, 2))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"symbols": 17, "features": 5}, "symbols=17; with features=5 it must be at most 16"),
        ({"features": 21}, "features=21; it must be at most 20"),
    ],
)
def test_symbols_that_cannot_all_differ_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        SameDifferent(**wrong)
