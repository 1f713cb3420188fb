"""Word problems of groups: the running product of a sequence of group elements."""

import functools
import itertools
import math
from typing import Literal, get_args

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from jaxneuro.initial import check_choice
from jaxneuro.tasks.batch import Batch, Classification, check_least
from jaxneuro.tasks.draw import one_hot

Group = Literal["S5", "A5", "A4xZ5", "Z60"]


def permutations(items: int, even: bool = False) -> np.ndarray:
    """All permutations of `items` things in lexical order, or the even ones only, `[order, items]`."""
    every = np.array(list(itertools.permutations(range(items))))
    upper = np.triu_indices(items, 1)
    inversions = (every[:, upper[0]] > every[:, upper[1]]).sum(axis=1)
    return every[inversions % 2 == 0] if even else every


def _table_of_permutations(elements: np.ndarray) -> np.ndarray:
    index = {tuple(element): i for i, element in enumerate(elements.tolist())}
    # (a b)(i) = a(b(i))
    return np.array([[index[tuple(a[b])] for b in elements] for a in elements])


def _table_of_sums(order: int) -> np.ndarray:
    return np.add.outer(np.arange(order), np.arange(order)) % order


@functools.cache
def multiplication(group: Group) -> np.ndarray:
    """The multiplication table of a group: `table[a, b]` is the index of the product a b.

    Args:
        group: "S5", all 120 permutations of five things, and "A5", its 60 even ones, not solvable; "A4xZ5", of order
            60, solvable and not abelian; "Z60", abelian.

    Returns:
        `[order, order]`. Permutations are in lexical order, and `(a b)(i) = a(b(i))`; element `5 a + b` of A4 x Z5 is
        the pair (a, b).
    """
    if group == "Z60":
        return _table_of_sums(60)
    if group == "A4xZ5":
        left, right = _table_of_permutations(permutations(4, even=True)), _table_of_sums(5)
        return (5 * left[:, None, :, None] + right[None, :, None, :]).reshape(60, 60)
    return _table_of_permutations(permutations(5, even=group == "A5"))


class Words(Classification):
    """Read elements of a group, all equally likely, and say after each the product so far: `y_t = x_1 x_2 ... x_t`.

    For "S5" and "A5" this is complete for NC1: at all lengths, no linear recurrence of fixed depth with diagonal
    transitions can do it, unless TC0 = NC1. "A4xZ5" and "Z60" are as large as A5 and easier. The first step, whose
    answer is its input, does not count. The elements are numbered as `multiplication` says.

    Input lines and classes: the elements of the group.

    Baseline: `ln(order)`: the product before is uniform and independent of the input, so the product is too.
    Optimum: 0.

    Reference: Merrill, Petty and Sabharwal 2024, arXiv:2404.08819.
    """

    group: Group = eqx.field(static=True, default="S5")
    steps: int = eqx.field(static=True, default=32)

    def __check_init__(self) -> None:
        check_choice("Words", "group", self.group, get_args(Group))
        check_least(self, steps=2)

    @property
    def order(self) -> int:
        """Elements of the group."""
        return len(multiplication(self.group))

    @property
    def inputs(self) -> int:
        """The elements."""
        return self.order

    @property
    def outputs(self) -> int:
        """The products."""
        return self.order

    @property
    def baseline(self) -> float:
        """Cross-entropy without memory (nats)."""
        return math.log(self.order)

    @property
    def optimum(self) -> float:
        """The product is certain."""
        return 0.0

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences of `steps` steps."""
        elements = jax.random.randint(key, (size, self.steps), 0, self.order)
        table = jnp.asarray(multiplication(self.group), elements.dtype)
        products = jax.lax.associative_scan(lambda a, b: table[a, b], elements, axis=1)
        weights = jnp.ones(elements.shape).at[:, 0].set(0)
        return Batch(one_hot(elements, self.inputs), products, weights)
