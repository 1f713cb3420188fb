"""One step on behalf of another library: the whole batch at once, and advice when what comes does not fit."""

import contextlib
import textwrap
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from jaxneuro.machine import StateMachine


def start(machine: StateMachine, key: PRNGKeyArray, batch: tuple[int, ...] = ()) -> Any:
    """The states of a batch before the first input, each from a key of its own.

    Args:
        machine: any machine.
        key: random key.
        batch: the batch axes.

    Returns:
        The state; all its leaves start with the batch axes.
    """
    init, keys = machine.init, jax.random.split(key, batch) if batch else key
    for _ in batch:
        init = jax.vmap(init)
    return init(keys)


def step(machine: StateMachine, state: Any, inputs: Array, caller: str) -> tuple[Any, Any]:
    """One step of a machine from `[inputs]` to `[outputs]`, mapped over all axes of `inputs` but the last.

    Args:
        machine: the machine.
        state: as `start` makes it.
        inputs: `[*batch, inputs]`.
        caller: the class that was called, for messages.

    Returns:
        The new state and the outputs `[*batch, outputs]`.

    Raises:
        ValueError: the machine takes no such inputs, or the state is not one of its own.
    """
    one = machine.step
    for _ in jnp.shape(inputs)[:-1]:
        one = jax.vmap(one)
    came = f"{caller}({type(machine).__name__}) got inputs of shape {jnp.shape(inputs)}"
    try:
        with advising(
            f"{came}, which it cannot take with this state. The last axis must have the size of one input, the axes "
            "before it must be those of the state, and all numbers must have the type of the machine's"
        ):
            new, outputs = one(state, inputs)
        check_kept(came, state, new)
    except ValueError as error:
        if not _takes_scalars(machine, inputs):
            raise
        size = jnp.shape(inputs)[-1] if jnp.ndim(inputs) else 3
        raise ValueError(
            f"{came}; the last axis must be one input of the machine, a vector. A machine of scalars becomes one of "
            f"vectors by Population(stack(machine, {size}), {size})."
        ) from error
    return new, outputs


@contextlib.contextmanager
def advising(advice: str) -> Iterator[None]:
    """Errors inside say in whose call they came up, and what would be right.

    Args:
        advice: sentences without the last full stop.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        said = textwrap.shorten(str(error), 300) or type(error).__name__
        raise ValueError(f"{advice} ({said}).") from error


def check_kept(came: str, old: Any, new: Any) -> None:
    """Refuse a step that gives back a state of another form than it got.

    Args:
        came: who got what, for the message.
        old: the state before.
        new: the state after.

    Raises:
        ValueError: they differ in structure, shapes or dtypes.
    """
    before, after = _form(old), _form(new)
    if jax.tree.structure(old) != jax.tree.structure(new) or before != after:
        changes = [f"{a} becomes {b}" for a, b in zip(before, after, strict=False) if a != b]
        raise ValueError(
            f"{came}, and a step changes the form of the state ({', '.join(changes) or 'its structure'}). The state "
            "must be one that the cell itself started, and inputs, state and parameters of one shape and number type."
        )


def _form(tree: Any) -> list[str]:
    return [f"{jnp.result_type(leaf)}{list(jnp.shape(leaf))}" for leaf in jax.tree.leaves(tree)]


def _takes_scalars(machine: StateMachine, inputs: Array) -> bool:
    """Whether the machine's input is a scalar: then a step keeps the state."""
    state = jax.eval_shape(machine.init, jax.random.key(0))
    try:
        new, _ = jax.eval_shape(machine.step, state, jax.ShapeDtypeStruct((), jnp.result_type(inputs)))
    except (TypeError, ValueError):
        return False
    return _form(new) == _form(state)
