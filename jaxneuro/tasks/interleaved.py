"""A task as one stream of symbols: what is shown, and after each step that counts its answer."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from jaxneuro.tasks.batch import Batch


class Stream(NamedTuple):
    """Symbols one after the other, sequence after sequence.

    Attributes:
        symbols: numbers of what is shown from 0; those of the answers come after all of these.
        first: whether a sequence begins.
        asks: whether the next element is an answer.
        told: whether this element is an answer.
        answers: the class that the next element tells, where it is an answer, else 0.
    """

    symbols: Int[np.ndarray, "elements"]
    first: Bool[np.ndarray, "elements"]
    asks: Bool[np.ndarray, "elements"]
    told: Bool[np.ndarray, "elements"]
    answers: Int[np.ndarray, "elements"]


def interleaved(batches: list[Batch]) -> tuple[list[Stream], int]:
    """Batches of a task of classes as streams.

    Every input that differs from all others is a symbol of its own, the same in all batches.

    Args:
        batches: of the same inputs.

    Returns:
        A stream for each batch, and how many symbols are shown in all; class c has the number of that and c more.

    Raises:
        ValueError: targets are no classes.
    """
    inputs = [np.asarray(batch.inputs) for batch in batches]
    rows = np.concatenate([part.reshape(-1, part.shape[-1]) for part in inputs])
    distinct, numbers = np.unique(rows, axis=0, return_inverse=True)
    sizes = [part.shape[0] * part.shape[1] for part in inputs]
    parts = np.split(numbers.reshape(-1), np.cumsum(sizes)[:-1])
    return [_stream(batch, part, len(distinct)) for batch, part in zip(batches, parts, strict=True)], len(distinct)


def _stream(batch: Batch, shown: Int[np.ndarray, "steps"], symbols: int) -> Stream:
    targets, counts = np.asarray(batch.targets), np.asarray(batch.weights) > 0
    if targets.ndim != 2 or targets.dtype.kind != "i":
        raise ValueError(f"interleaved got targets of {targets.dtype} with {targets.ndim} axes; they must be classes.")
    shown = shown.reshape(targets.shape)
    here = np.stack([np.ones_like(counts), counts], axis=-1)
    begins = np.zeros(here.shape, bool)
    begins[:, 0, 0] = True
    nothing = np.zeros_like(counts)
    laid = (
        np.stack([shown, symbols + targets], axis=-1),
        begins,
        np.stack([counts, nothing], axis=-1),
        np.stack([nothing, counts], axis=-1),
        np.stack([np.where(counts, targets, 0), np.zeros_like(targets)], axis=-1),
    )
    return Stream(*(array[here] for array in laid))
