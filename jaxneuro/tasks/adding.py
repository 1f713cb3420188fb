"""The adding problem: the sum of two marked numbers in a long sequence of numbers."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.tasks.batch import Batch, Task, check_least, squared_error


class Adding(Task):
    """Read `T = steps` numbers, uniform from 0 to 1, of which two are marked; say the sum of these two at the end.

    One mark is in the first half, `[0, T // 2)`, the other in the second without its last step, `[T // 2, T - 1)`. Only
    the last step counts, and what it shows is no help.

    Input lines: the number, and 1 if it is marked, else 0. One output.

    Baseline: `2 Var(U) = 2 / 12 = 1/6`: without memory the best answer is the mean sum, 1, and the mean squared error
    its variance. Optimum: 0.

    Reference: Arjovsky, Shah and Bengio 2016, arXiv:1511.06464, section 5 (there the last step may be marked too);
    after Hochreiter and Schmidhuber 1997, Neural Computation 9:1735.
    """

    steps: int = eqx.field(static=True, default=100)

    def __check_init__(self) -> None:
        check_least(self, steps=3)

    @property
    def inputs(self) -> int:
        """Number and mark."""
        return 2

    @property
    def outputs(self) -> int:
        """The sum."""
        return 1

    @property
    def baseline(self) -> float:
        """Mean squared error without memory."""
        return 1 / 6

    @property
    def optimum(self) -> float:
        """The sum is certain."""
        return 0.0

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences of `steps` steps; targets `[size, steps, 1]`."""
        number_key, first_key, second_key = jax.random.split(key, 3)
        half = self.steps // 2
        numbers = jax.random.uniform(number_key, (size, self.steps))
        first = jax.random.randint(first_key, (size, 1), 0, half)
        second = jax.random.randint(second_key, (size, 1), half, self.steps - 1)
        step = jnp.arange(self.steps)[None]
        marks = ((step == first) | (step == second)).astype(numbers.dtype)
        sums = (marks * numbers).sum(1)[:, None, None]
        weights = jnp.broadcast_to((step == self.steps - 1).astype(numbers.dtype), numbers.shape)
        return Batch(jnp.stack([numbers, marks], -1), jnp.broadcast_to(sums, (size, self.steps, 1)), weights)

    def loss(self, outputs: Float[Array, "batch time outputs"], batch: Batch) -> Float[Array, ""]:
        """Mean squared error."""
        return squared_error(outputs, batch)
