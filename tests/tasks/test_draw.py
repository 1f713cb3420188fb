import jax
import jax.numpy as jnp
import numpy as np

from jaxneuro.tasks.draw import distinct, scattered
from tests.tasks.rules import check_even


def test_distinct_numbers_are_every_ordered_choice_equally_often(key):
    pairs = np.asarray(distinct(key, 6000, 4, 2))
    assert (pairs[:, 0] != pairs[:, 1]).all()
    # The second number as its rank among the three that are left.
    check_even(pairs[:, 0], pairs[:, 1] - (pairs[:, 1] > pairs[:, 0]), sizes=(4, 3))


def test_scattered_symbols_keep_their_order_at_every_choice_of_places(key):
    spread = np.asarray(scattered(key, jnp.broadcast_to(jnp.array([7, 5]), (6000, 2)), 4, 9))
    assert (np.sort(spread, axis=1) == [5, 7, 9, 9]).all()
    first, second = (spread == 7).argmax(1), (spread == 5).argmax(1)
    assert (first < second).all()
    choices = {pair: index for index, pair in enumerate([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)])}
    check_even(np.array([choices[pair] for pair in zip(first.tolist(), second.tolist(), strict=True)]), sizes=(6,))


def test_scattered_symbols_may_fill_everything(key):
    symbols = jax.random.randint(key, (3, 4), 0, 5)
    np.testing.assert_array_equal(scattered(key, symbols, 4, 9), symbols)
