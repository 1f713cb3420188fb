"""What all tasks have in common: the form of a batch, and the losses that are measured on it.

A task is a pure generator: `task.batch(key, size)` depends on nothing but its arguments, has fixed shapes, and runs
under `jax.jit`. A rule without memory sees the present input and the number of the step, and nothing else; `baseline`
is the least loss that such a rule can have, unless the task says whose loss it is.
"""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray


class Batch(eqx.Module):
    """Sequences, the answers to them, and the steps at which an answer counts."""

    inputs: Float[Array, "batch time features"]
    targets: Int[Array, "batch time"] | Float[Array, "batch time outputs"]
    weights: Float[Array, "batch time"]  # 1 where the answer counts, else 0


def _mean(values: Float[Array, "batch time"], weights: Float[Array, "batch time"]) -> Float[Array, ""]:
    # A batch may happen to have no step that counts.
    return (values * weights).sum() / jnp.maximum(weights.sum(), 1)


def cross_entropy(outputs: Float[Array, "batch time classes"], batch: Batch) -> Float[Array, ""]:
    """Mean cross-entropy (nats) over the steps that count.

    Args:
        outputs: logits of the classes.
        batch: targets are the right classes.

    Returns:
        The mean, 0 if no step counts; in the precision of the batch.
    """
    logits = outputs.astype(batch.weights.dtype)
    return _mean(optax.softmax_cross_entropy_with_integer_labels(logits, batch.targets), batch.weights)


def accuracy(outputs: Float[Array, "batch time classes"], batch: Batch) -> Float[Array, ""]:
    """Share of right answers among the steps that count; the answer is the largest output.

    Args:
        outputs: one number per class.
        batch: targets are the right classes.

    Returns:
        The share, 0 if no step counts.
    """
    right = outputs.argmax(-1) == batch.targets
    return _mean(right.astype(batch.weights.dtype), batch.weights)


def squared_error(outputs: Float[Array, "batch time outputs"], batch: Batch) -> Float[Array, ""]:
    """Mean squared error over the steps that count; errors of several outputs are summed.

    Args:
        outputs: the answers.
        batch: targets are the right answers.

    Returns:
        The mean, 0 if no step counts; in the precision of the batch.
    """
    error = outputs.astype(batch.weights.dtype) - batch.targets
    return _mean((error**2).sum(-1), batch.weights)


def frame_cross_entropy(outputs: Float[Array, "batch time notes"], batch: Batch) -> Float[Array, ""]:
    """Mean negative log-likelihood (nats) of a frame of notes that sound or not, over the frames that count.

    Args:
        outputs: logits, one per note: each note is an event of its own.
        batch: targets are 1 for a note that sounds, else 0.

    Returns:
        The sum over notes, averaged over frames; 0 if no frame counts; in the precision of the batch.
    """
    logits = outputs.astype(batch.weights.dtype)
    return _mean(optax.sigmoid_binary_cross_entropy(logits, batch.targets).sum(-1), batch.weights)


class Task(eqx.Module):
    """A generator of batches, with what is known of their difficulty."""

    @property
    @abstractmethod
    def inputs(self) -> int:
        """Features of the input at each step."""

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Outputs that the loss wants at each step."""

    @property
    @abstractmethod
    def baseline(self) -> float:
        """The least expected loss without memory."""

    @property
    @abstractmethod
    def optimum(self) -> float | None:
        """The least expected loss with memory, None if it is not known."""

    @abstractmethod
    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences, a pure function of `key`."""

    @abstractmethod
    def loss(self, outputs: Float[Array, "batch time outputs"], batch: Batch) -> Float[Array, ""]:
        """What is to be made small."""

    def transfer(self) -> "Task":
        """The task of the test: itself, or one that asks for what was not trained, such as longer sequences."""
        return self


class Classification(Task):
    """A task whose answers are classes."""

    def loss(self, outputs: Float[Array, "batch time classes"], batch: Batch) -> Float[Array, ""]:
        """Mean cross-entropy (nats)."""
        return cross_entropy(outputs, batch)

    def accuracy(self, outputs: Float[Array, "batch time classes"], batch: Batch) -> Float[Array, ""]:
        """Share of right answers."""
        return accuracy(outputs, batch)


def check_least(task: Task, **least: int) -> None:
    """Refuse a task whose numbers are too small.

    Args:
        task: the task.
        least: the smallest value allowed, by name of the field.

    Raises:
        ValueError: naming the first field that is below.
    """
    for name, bound in least.items():
        value: Any = getattr(task, name)
        if value < bound:
            raise ValueError(f"{type(task).__name__} got {name}={value}; it must be at least {bound}.")
