"""High-order sequences: a table of whole sequences attains the optimum, a table of pairs the baseline."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.tasks.sequences import overlapping, padded, stream
from tests.tasks.rules import check_even, check_solved, draw, symbols

every_number = pytest.mark.parametrize("endings", [1, 2, 4])


def rows(sequences):
    return [tuple(row[row >= 0].tolist()) for row in np.asarray(sequences)]


def task_of(endings, **sizes):
    return jn.tasks.HighOrder(overlapping(jax.random.key(1), endings)[0], noise=20, **sizes)


def since_noise(inputs, task):
    """For every step the symbols since the last element of noise."""
    found = []
    for line in inputs:
        seen = []
        for element in line:
            seen = [*seen, int(element)] if element < task.symbols else []
            found.append(tuple(seen))
    return found


@every_number
def test_start_and_direction_together_decide_the_ending(endings):
    before, after = map(rows, overlapping(jax.random.key(3), endings))
    assert len(set(before)) == len(before) == len(after) == 8 * endings
    assert sorted(map(len, before)) == sorted([7] * 4 * endings + [8] * 4 * endings)
    assert len(set(itertools.chain(*before))) == 8 + 2 * endings
    assert {row[:-1] for row in before} == {row[:-1] for row in after}
    for beginning in {row[:-1] for row in before}:
        possible = {row[-1] for row in before if row[:-1] == beginning}
        assert len(possible) == endings
        # After the change none of them follows, nor does any without the other start.
        assert not possible & {row[-1] for row in after if row[:-1] == beginning}
        start, middle = beginning[0], beginning[1:]
        other_start = {row[-1] for row in before if row[1:-1] == middle and row[0] != start}
        backwards = {row[-1] for row in before if row[1:-1] == middle[::-1] and row[0] == start}
        assert other_start == backwards == {row[-1] for row in after if row[:-1] == beginning}


def test_a_table_of_sequences_solves_it():
    task = task_of(1)
    batch = draw(task, 20)
    table = {row[:-1]: row[-1] for row in rows(task.sequences)}
    answers = np.array([table.get(seen, -1) for seen in since_noise(symbols(batch), task)]).reshape(20, -1)
    assert (answers >= 0).sum() > 100
    np.testing.assert_array_equal(answers >= 0, np.asarray(batch.weights) == 1)
    check_solved(task, batch, answers)


@pytest.mark.parametrize("endings", [2, 4])
def test_of_several_endings_the_table_knows_which_may_come(endings):
    task = task_of(endings)
    batch = draw(task, 20)
    table = np.zeros((20 * task.steps, task.symbols))
    for place, seen in enumerate(since_noise(symbols(batch), task)):
        for row in rows(task.sequences):
            table[place, row[-1]] += row[:-1] == seen
    outputs = 30 * jnp.asarray(table, jnp.float32).reshape(20, -1, task.symbols)
    assert float(task.loss(outputs, batch)) == pytest.approx(task.optimum, abs=1e-6)
    assert task.optimum == pytest.approx(np.log(endings))


def test_a_table_of_pairs_has_the_baseline(float64):
    task = task_of(1, steps=100)
    batch = draw(task, 300)
    counts = np.zeros((task.inputs, task.symbols))
    for row in rows(task.sequences):
        counts[row[-2], row[-1]] += 1
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    counted = np.asarray(batch.weights) == 1
    told = shares[symbols(batch)[counted], np.asarray(batch.targets)[counted]]
    assert -np.log(told).mean() == pytest.approx(task.baseline, rel=1e-6)
    assert task.baseline >= np.log(2) - 1e-9


def test_sequences_and_noise_are_drawn_evenly_and_alternate():
    task = task_of(1, steps=300)
    batch = draw(task, 50)
    inputs = symbols(batch)
    known, found = rows(task.sequences), []
    for line in inputs:
        borders = np.flatnonzero(line >= task.symbols)
        assert (np.diff(borders) >= 8).all()
        found += [known.index(tuple(line[a + 1 : b])) for a, b in itertools.pairwise(borders)]
    check_even(np.array(found), sizes=(8,))
    check_even(inputs[inputs >= task.symbols] - task.symbols, sizes=(20,))


def test_the_change_comes_at_the_first_sequence_from_its_element_on():
    before, after = padded([[0, 1, 2], [3, 4]]), padded([[5, 6]], 3)
    made = jax.jit(lambda key: stream(key, before, after, 100, symbols=7, noise=0, gap=2, change_at=50))(
        jax.random.key(0)
    )
    elements, ends = np.asarray(made.elements), np.asarray(made.ends)
    first = np.flatnonzero(elements == 5)[0]
    assert 50 <= first < 50 + 5
    assert np.isin(elements[:first], [0, 1, 2, 3, 4, *range(7, 107)]).all()
    assert np.isin(elements[first:], [5, 6, *range(7, 107)]).all()
    np.testing.assert_array_equal(ends, np.isin(elements, (2, 4, 6)))
    noise = elements >= 7
    np.testing.assert_array_equal(elements[noise], 7 + np.flatnonzero(noise))
    np.testing.assert_array_equal(elements[first:][:8] >= 7, [False, False, True, True] * 2)
