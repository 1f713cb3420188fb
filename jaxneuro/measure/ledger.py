"""The cost ledger: what a machine holds, and what a step of it does and moves."""

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from jaxneuro.machine import StateMachine, count_parameters
from jaxneuro.measure.cost import Tally, state_numbers, tally


@dataclasses.dataclass(frozen=True)
class Ledger:
    """What a machine costs.

    Attributes:
        parameters: real numbers in its parameters; a complex one has two.
        parameter_bytes: their size, zeros included (the footprint of NeuroBench is this and `state_bytes`).
        state_numbers: real numbers in its state.
        state_bytes: its size, random keys and counters included.
        tally: operations of one step, by kind: all that are in the program, whatever the numbers are, and also those
            whose results only gradients need, such as the pretended slope of a spike.
        traffic_bytes: what one step reads and writes if nothing is kept near the arithmetic: all parameters once, the
            state twice, the input and the output.
    """

    parameters: int
    parameter_bytes: int
    state_numbers: int
    state_bytes: int
    tally: Tally
    traffic_bytes: int


def ledger(machine: StateMachine, input: PyTree) -> Ledger:
    """The ledger of a machine, counted in the program that JAX traces for one step of it.

    Args:
        machine: a machine, or its shapes.
        input: one input, or its shapes.

    Returns:
        The ledger.

    Reference: the metrics of NeuroBench, Yik et al. 2025, Nature Communications 16:1545.
    """
    state = jax.eval_shape(lambda m: m.init(jax.random.key(0)), machine)
    _, output = jax.eval_shape(lambda m, s, x: m.step(s, x), machine, state, input)
    parameter_bytes, state_bytes = size_in_bytes(machine), size_in_bytes(state)
    return Ledger(
        parameters=count_parameters(machine),
        parameter_bytes=parameter_bytes,
        state_numbers=state_numbers(machine),
        state_bytes=state_bytes,
        tally=tally(machine, input),
        traffic_bytes=parameter_bytes + 2 * state_bytes + size_in_bytes(input) + size_in_bytes(output),
    )


def size_in_bytes(tree: PyTree) -> int:
    """The bytes that the arrays of a pytree take.

    Args:
        tree: arrays, or their shapes.
    """
    return sum(math.prod(leaf.shape) * _width(leaf) for leaf in jax.tree.leaves(tree))


def _width(leaf: Any) -> int:
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        key = jax.eval_shape(jax.random.key_data, jax.ShapeDtypeStruct((), leaf.dtype))
        return math.prod(key.shape) * key.dtype.itemsize
    return leaf.dtype.itemsize
