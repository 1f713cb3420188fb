"""Dense synapses for few spikes that are known beforehand, as those of recordings and of encoded data are.

A product with inputs of which a few in a hundred are not zero mostly multiplies zeros. From lists of the spikes, it is
a sum of the weights of those that spike, and its gradient a sum over those steps in which an input did.
"""

import functools
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxneuro.synapses.dense import Dense

TOGETHER = 8  # rows that are added in one pass over the sums


class SpikeLists(eqx.Module):
    """Who spikes in which row, as two lists; a row is a step of a sequence.

    Fields:
        inputs_of_rows: inputs that spike, `[places, rows]`; their number where there is none.
        rows_of_inputs: rows in which an input spikes, `[places, inputs]`; their number where there is none.
        leading: the axes that rows are made of, such as time and batch.
    """

    inputs_of_rows: Int[Array, "_ rows"]
    rows_of_inputs: Int[Array, "_ inputs"]
    leading: tuple[int, ...] = eqx.field(static=True)


def list_spikes(spikes: np.ndarray, room: Sequence[int] = (0, 0)) -> SpikeLists:
    """Both lists of some spikes, made by NumPy, not inside of a compiled function: once for a batch that returns.

    Args:
        spikes: `[..., inputs]`, 0 or 1.
        room: places that the lists of rows and of inputs have at least. Batches that have room for the same take one
            compiled program.

    Returns:
        The lists, with as many places as the fullest needs, a multiple of 8.

    Raises:
        ValueError: if a number is neither 0 nor 1, or there is no axis before that of inputs.
    """
    spikes = np.asarray(spikes)
    if spikes.ndim < 2 or not ((spikes == 0) | (spikes == 1)).all():
        raise ValueError(f"list_spikes got numbers of shape {spikes.shape}; it takes zeros and ones, [..., inputs].")
    rows = spikes.reshape(-1, spikes.shape[-1]) != 0
    return SpikeLists(_listed(rows, room[0]), _listed(rows.T, room[1]), spikes.shape[:-1])


def dense_of_lists(synapses: Dense, spikes: SpikeLists) -> Float[Array, "*leading outputs"]:
    """`W x + b` for every row x, as `jax.vmap(synapses.respond)` of the spikes themselves gives it, to rounding.

    Gradients go to weights and bias, in reverse mode; there is none by the spikes. On a CPU it pays where less than
    about one input in ten spikes.

    Args:
        synapses: the weights, and the bias, if there is one.
        spikes: made by `list_spikes`.

    Returns:
        What reaches the targets, with the leading axes of the spikes.

    Raises:
        ValueError: if the synapses have other inputs than the lists.
    """
    inputs = spikes.rows_of_inputs.shape[1]
    if synapses.weights.shape[1] != inputs:
        raise ValueError(f"dense_of_lists got lists of {inputs} inputs for weights {synapses.weights.shape}.")
    sums = _sums(synapses.weights.T, spikes.inputs_of_rows, spikes.rows_of_inputs)
    sums = sums if synapses.bias is None else sums + synapses.bias[None]
    return sums.reshape(*spikes.leading, len(synapses.weights))


def _listed(marks: np.ndarray, room: int) -> Array:
    """The places of the marks of each line, `[places, lines]`."""
    counts = np.count_nonzero(marks, axis=1)
    places = -(-max(1, room, int(counts.max(initial=0))) // TOGETHER) * TOGETHER
    lines, marked = np.nonzero(marks)
    first = np.cumsum(counts) - counts
    found = np.full((places, len(marks)), marks.shape[1], np.int32)
    found[np.arange(len(lines)) - np.repeat(first, counts), lines] = marked
    return jnp.asarray(found)


@jax.custom_vjp
def _sums(table: Float[Array, "inputs outputs"], inputs_of_rows: Array, rows_of_inputs: Array) -> Float[Array, "_ _"]:
    return _sum_of_rows(table, inputs_of_rows)


def _forward(table: Array, inputs_of_rows: Array, rows_of_inputs: Array) -> tuple[Array, Array]:
    return _sum_of_rows(table, inputs_of_rows), rows_of_inputs


def _backward(rows_of_inputs: Array, slope: Array) -> tuple[Array, None, None]:
    return _sum_of_rows(slope, rows_of_inputs), None, None


_sums.defvjp(_forward, _backward)


def _sum_of_rows(table: Float[Array, "_ columns"], places: Int[Array, "_ lines"]) -> Float[Array, "lines columns"]:
    """For every line the sum of the rows of a table that it lists; the row after the last is zero."""
    table = jnp.concatenate([table, jnp.zeros_like(table[:1])])

    # One gather of whole rows for each place: a CPU adds them several times faster than a gather of all, then summed.
    def add(sums: Array, some: Array) -> tuple[Array, None]:
        rows = [table.at[place].get(mode="promise_in_bounds", wrap_negative_indices=False) for place in some]
        return sums + functools.reduce(jnp.add, rows), None

    start = jnp.zeros((places.shape[1], table.shape[1]), table.dtype)
    return jax.lax.scan(add, start, places.reshape(-1, TOGETHER, places.shape[1]))[0]
