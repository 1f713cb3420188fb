"""Linear recurrences over all of time, by an associative scan or one step after the other."""

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Shaped

Factors = Sequence[Sequence[Shaped[Array, "time *state"]]]
Values = Sequence[Shaped[Array, "time *state"]]

_stepwise = ContextVar("stepwise", default=False)


@contextmanager
def stepwise() -> Iterator[None]:
    """Within it, recurrences are computed one step after the other."""
    token = _stepwise.set(True)
    try:
        yield
    finally:
        _stepwise.reset(token)


def recurrence(factors: Factors, added: Values) -> list[Shaped[Array, "time *state"]]:
    """All `s_t = A_t s_{t-1} + b_t` with `s_0 = 0`, for each element of a state by itself.

    The derivative is the same recurrence, `ds_t = A_t ds_{t-1} + (dA_t s_{t-1} + db_t)`, so that of a forward pass only
    the states are kept. An associative scan has a depth that grows as log T; see `stepwise` for the other way.

    Args:
        factors: A, a list of rows; each entry is an array `[T, *state]`.
        added: b, a list of arrays `[T, *state]`.

    Returns:
        s, a list of arrays `[T, *state]`. All quantities dimensionless.

    Reference: Blelloch 1990, Prefix sums and their applications, CMU-CS-90-190, section 1.4; Martin and Cundy 2018,
    arXiv:1709.04057.
    """
    return _recurrence(_stepwise.get(), [list(row) for row in factors], list(added))


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _recurrence(in_steps: bool, factors: list[list[Array]], added: list[Array]) -> list[Array]:
    return _solved(in_steps, factors, added)


@_recurrence.defjvp
def _recurrence_jvp(in_steps: bool, primals: tuple, tangents: tuple) -> tuple[list[Array], list[Array]]:
    (factors, added), (moved, pushed) = primals, tangents
    states = _recurrence(in_steps, factors, added)
    before = [jnp.concatenate([jnp.zeros_like(s[:1]), s[:-1]]) for s in states]
    pushed = [push + _row(row, before) for push, row in zip(pushed, moved, strict=True)]
    return states, _solved(in_steps, factors, pushed)


def _solved(in_steps: bool, factors: list[list[Array]], added: list[Array]) -> list[Array]:
    if in_steps:

        def step(states: list[Array], now: tuple[list[list[Array]], list[Array]]) -> tuple[list[Array], list[Array]]:
            states = [_row(row, states) + b for row, b in zip(*now, strict=True)]
            return states, states

        return jax.lax.scan(step, [jnp.zeros_like(b[0]) for b in added], (factors, added))[1]
    return jax.lax.associative_scan(_composed, (factors, added))[1]


def _composed(first: tuple[list, list], second: tuple[list, list]) -> tuple[list[list[Array]], list[Array]]:
    """Two maps `s -> A s + b`, one after the other, as one."""
    (a1, b1), (a2, b2) = first, second
    columns = list(zip(*a1, strict=True))
    factors = [[_row(row, column) for column in columns] for row in a2]
    return factors, [_row(row, b1) + b for row, b in zip(a2, b2, strict=True)]


def _row(row: Sequence[Array], values: Sequence[Array]) -> Array:
    return functools.reduce(jnp.add, [a * value for a, value in zip(row, values, strict=True)])
