"""Equinox: machines in its argument order, `(input, hidden) -> hidden`, and its cells as machines.

| from | to |
|---|---|
| a machine | `EquinoxCell(machine)`; back: its `machine` |
| any module with `(input, hidden) -> hidden` | `EquinoxMachine(cell, hidden)`; back: its `cell` |
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray, PyTree

from jaxneuro.interop.stepping import advising, check_kept, start, step
from jaxneuro.machine import StateMachine, explicit


class EquinoxCell(eqx.Module):
    """A machine from `[inputs]` to `[outputs]`, called as `eqx.nn.LSTMCell` is: `hidden = cell(input, hidden)`.

    `hidden` is the machine's state, with names: `hidden.hidden` of an LSTM is its output too. For a machine whose
    output is not in its state, such as a spike, use `with_output`. Batches are `jax.vmap`, as ever in Equinox.
    """

    machine: StateMachine

    def init(self, key: PRNGKeyArray) -> Any:
        """The hidden state before the first input."""
        return start(self.machine, key)

    def __call__(self, input: Array, hidden: Any, *, key: PRNGKeyArray | None = None) -> Any:
        """One step.

        Args:
            input: `[inputs]`.
            hidden: the state, of `init` or of the step before.
            key: ignored: random numbers come from a key in the state. It is here so that this cell can take the place
                of Equinox's own.

        Returns:
            The new state.
        """
        return self.with_output(input, hidden)[1]

    def with_output(self, input: Array, hidden: Any) -> tuple[Any, Any]:
        """One step that tells the output, in the order of Equinox's stateful layers: `(output, hidden)`."""
        if jnp.ndim(input) != 1:
            raise ValueError(
                f"EquinoxCell got an input of shape {jnp.shape(input)}; it must be one input, a vector. "
                "For a batch write jax.vmap(cell), for time jax.lax.scan."
            )
        new, output = step(self.machine, hidden, input, "EquinoxCell")
        return output, new


class EquinoxState(eqx.Module):
    """The hidden state, as the cell has it."""

    hidden: PyTree[Array]


def first_array(hidden: PyTree[Array]) -> Array:
    """What a recurrent cell shows: `h` of the LSTM's `(h, c)`, all of the GRU's `h`."""
    return jax.tree.leaves(hidden)[0]


class EquinoxMachine(StateMachine[EquinoxState, PyTree, PyTree]):
    """A recurrent cell of Equinox as a machine: `hidden <- cell(x, hidden)`, `y = read(hidden)`.

    Fields:
        parameters: the arrays of the cell, at their places in it: `parameters.weight_ih`.
        initial: the hidden state before the first input; an LSTM's is `(h, c)`. Like any leaf it can be trained.
        rest: what is not an array in the cell.
        read: the output, as a function of the hidden state; by default its first array.

    Input: as the cell has it. Output: by default h, `[hidden_size]`.

    Reference: Kidger and Garcia 2021, arXiv:2111.00254.
    """

    parameters: PyTree
    initial: PyTree[Array]
    rest: PyTree = eqx.field(static=True)
    read: Callable[[Any], Any] = eqx.field(static=True)

    def __init__(self, cell: eqx.Module, hidden: PyTree, *, read: Callable[[Any], Any] = first_array) -> None:
        parameters, self.rest = eqx.partition(cell, eqx.is_array)
        self.parameters, self.initial = explicit((parameters, jax.tree.map(jnp.asarray, hidden)))
        self.read = read
        if not callable(cell):
            raise ValueError(
                f"EquinoxMachine got a {type(cell).__name__}, which cannot be called; it must have "
                "__call__(input, hidden), as eqx.nn.GRUCell and eqx.nn.LSTMCell have."
            )

    @property
    def cell(self) -> Any:
        """The cell with the present parameters, for Equinox."""
        return eqx.combine(self.parameters, self.rest)

    def init(self, key: PRNGKeyArray) -> EquinoxState:
        """The hidden state that the machine was made with."""
        return EquinoxState(self.initial)

    def step(self, state: EquinoxState, input: PyTree) -> tuple[EquinoxState, PyTree]:
        """One call of the cell."""
        cell = self.cell
        came = f"EquinoxMachine({type(cell).__name__}) got an input of shape {jax.tree.map(jnp.shape, input)}"
        hint = "; an LSTMCell needs two hidden arrays, (zeros, zeros)" if isinstance(cell, eqx.nn.LSTMCell) else ""
        with advising(
            f"{came} and a hidden state of shape {jax.tree.map(jnp.shape, state.hidden)}, which the cell cannot take. "
            f"There must be no batch axis (jax.vmap adds one), and all must be of one number type{hint}"
        ):
            hidden = cell(input, state.hidden)
        check_kept(came, state.hidden, hidden)
        return EquinoxState(hidden), self.read(hidden)
