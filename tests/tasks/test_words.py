import itertools
import math

import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from jaxneuro.tasks.words import Words, multiplication, permutations
from tests.tasks.rules import check_even, check_solved, draw, symbols

groups = pytest.mark.parametrize(("group", "order"), [("S5", 120), ("A5", 60), ("A4xZ5", 60), ("Z60", 60)])


@groups
def test_the_tables_are_those_of_groups(group, order):
    table = multiplication(group)
    assert table.shape == (order, order)
    # Every row and column is a permutation, the first element is one, and the product is associative.
    assert (np.sort(table, axis=0) == np.arange(order)[:, None]).all()
    assert (np.sort(table, axis=1) == np.arange(order)).all()
    np.testing.assert_array_equal(table[0], np.arange(order))
    np.testing.assert_array_equal(table[table], table[np.arange(order)[:, None, None], table])


def derived(table):
    """The subgroup of all commutators, as a set of elements."""
    order = len(table)
    inverse = (table == 0).argmax(axis=1)
    found = {int(table[table[a, b], inverse[table[b, a]]]) for a in range(order) for b in range(order)}
    while True:
        larger = found | {int(table[a, b]) for a in found for b in found}
        if larger == found:
            return found
        found = larger


@pytest.mark.parametrize(("group", "commutators"), [("S5", 60), ("A5", 60), ("A4xZ5", 4), ("Z60", 1)])
def test_the_groups_are_solvable_or_not_as_they_should_be(group, commutators):
    # S5 has A5 as its commutators, A5 has itself, A4 the four of Klein, an abelian group none.
    assert len(derived(multiplication(group))) == commutators


def test_even_permutations_are_products_of_an_even_number_of_swaps():
    found = {tuple(row) for row in permutations(5, even=True).tolist()}
    swaps = [(i, j) for i, j in itertools.combinations(range(5), 2)]
    made = set()
    for first, second in itertools.product(swaps, swaps):
        items = list(range(5))
        for i, j in (first, second):
            items[i], items[j] = items[j], items[i]
        made.add(tuple(items))
    assert len(found) == 60
    assert made < found


@pytest.mark.parametrize("group", ["S5", "A5"])
def test_composing_permutations_solves_it(group):
    task = Words(group, steps=12)
    batch = draw(task, 16)
    elements = [tuple(row) for row in itertools.permutations(range(5))]
    if group == "A5":
        elements = [p for p in elements if round(np.linalg.det(np.eye(5)[list(p)])) == 1]
    codes, answers = symbols(batch), np.zeros((16, 12), int)
    for row in range(16):
        product = tuple(range(5))
        for step in range(12):
            element = elements[codes[row, step]]
            product = tuple(product[element[i]] for i in range(5))
            answers[row, step] = elements.index(product)
    check_solved(task, batch, answers)


@pytest.mark.parametrize("group", ["A4xZ5", "Z60"])
def test_multiplying_one_by_one_solves_the_controls(group):
    task = Words(group, steps=12)
    batch = draw(task, 16)
    codes, answers = symbols(batch), np.zeros((16, 12), int)
    table = multiplication(group)
    for row in range(16):
        product = 0
        for step in range(12):
            product = (product + codes[row, step]) % 60 if group == "Z60" else table[product, codes[row, step]]
            answers[row, step] = product
    check_solved(task, batch, answers)


@groups
def test_the_baseline_is_even_guesses(group, order):
    task = Words(group, steps=3)
    assert task.baseline == math.log(order)
    samples = 8 * order**2
    batch = draw(task, samples)
    assert float(task.loss(jnp.zeros((samples, 3, order)), batch)) == pytest.approx(math.log(order), rel=1e-5)
    present, product = np.asarray(batch.inputs)[:, -1].argmax(-1), np.asarray(batch.targets)[:, -1]
    check_even(present, product, sizes=(order, order))
    np.testing.assert_array_equal(batch.weights[0], [0, 1, 1])


def test_unknown_groups_are_refused(monkeypatch):
    # The types that only tests check would refuse it first.
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(ValueError, match="Words got group='S6'; it must be 'S5' or 'A5' or 'A4xZ5' or 'Z60'"):
        Words("S6")
