"""Machines made of machines: `Population`, `Chain`, `Feedback`, `Delay`, `Rewritable`."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Int, PRNGKeyArray, PyTree

from jaxneuro.machine import StateMachine, Tree, explicit


def stack(machine: Tree, size: int) -> Tree:
    """`size` equal copies of a machine: every leaf gets a leading axis of that length."""
    return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (size, *leaf.shape)), machine)


class Population(StateMachine[PyTree, PyTree, PyTree]):
    """`size` neurons of one kind, side by side: `s_i, y_i = machine_i.step(s_i, x_i)`, under `jax.vmap`.

    Every array leaf of `machine` has a leading axis of `size`: the neurons may all differ. Make it by
    `jax.vmap(lambda tau: LIF(tau_ms=tau))(taus)`, or by `stack(machine, size)` for equal ones. With `shared` the leaves
    have no such axis: all neurons use the same parameters, which count once. Inputs, outputs and states have the
    leading axis.

    Reference: the neuron as one unit of a layer, Rosenblatt 1958, Psychological Review 65:386.
    """

    machine: StateMachine
    size: int = eqx.field(static=True)
    shared: bool = eqx.field(static=True, default=False)

    def __check_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"Population got size={self.size}; it must be at least 1.")
        if self.shared:
            return
        for path, leaf in jax.tree_util.tree_leaves_with_path(self.machine):
            if isinstance(leaf, Array) and leaf.shape[:1] != (self.size,):
                raise ValueError(
                    f"Population of {self.size} got a machine whose leaf {jax.tree_util.keystr(path)} has shape "
                    f"{leaf.shape}; it must start with {self.size}. For equal neurons write "
                    f"Population(stack(machine, {self.size}), {self.size}), for shared parameters "
                    f"Population(machine, {self.size}, shared=True)."
                )

    def init(self, key: PRNGKeyArray) -> PyTree:
        """The states of all neurons, from one key each."""
        axes = (None if self.shared else 0, 0)
        return jax.vmap(lambda machine, key: machine.init(key), in_axes=axes)(
            self.machine, jax.random.split(key, self.size)
        )

    def step(self, state: PyTree, input: PyTree) -> tuple[PyTree, PyTree]:
        """`machine_i.step(state_i, input_i)` for every neuron i."""
        axes = (None if self.shared else 0, 0, 0)
        return jax.vmap(lambda machine, state, input: machine.step(state, input), in_axes=axes)(
            self.machine, state, input
        )


class ChainState(eqx.Module):
    """The states of the machines of a chain, in order."""

    states: tuple[PyTree, ...]


class Chain(StateMachine[ChainState, PyTree, PyTree]):
    """Machines in series: the output of one is, in the same time step, the input of the next.

    `y = f_n(... f_2(f_1(x)))`, without delay between layers.

    Reference: the layered network of Rosenblatt 1962, Principles of Neurodynamics, part III.
    """

    machines: tuple[StateMachine, ...]

    def __init__(self, *machines: StateMachine) -> None:
        if not machines:
            raise ValueError("Chain got no machines; it must have at least one: Chain(Dense(8, 4, key=key), ...).")
        self.machines = machines

    def init(self, key: PRNGKeyArray) -> ChainState:
        """Every machine from its own key."""
        keys = jax.random.split(key, len(self.machines))
        return ChainState(tuple(machine.init(k) for machine, k in zip(self.machines, keys, strict=True)))

    def step(self, state: ChainState, input: PyTree) -> tuple[ChainState, PyTree]:
        """All machines once, the first first."""
        if len(state.states) != len(self.machines):
            raise ValueError(
                f"Chain of {len(self.machines)} machines got {len(state.states)} states. Make them by chain.init(key)."
            )
        states = []
        for machine, machine_state in zip(self.machines, state.states, strict=True):
            machine_state, input = machine.step(machine_state, input)
            states.append(machine_state)
        return ChainState(tuple(states)), input


class FeedbackState(eqx.Module):
    """The states of the machine and of the path, and the output that the path carries back next."""

    machine: PyTree
    path: PyTree
    output: PyTree[Array]


class Feedback(StateMachine[FeedbackState, PyTree, PyTree]):
    """Recurrence: what a machine put out one step ago comes back through a path and is added to its input.

    `y_t = machine(x_t + path(y_{t-1}))`, with `y_0 = initial`.

    Fields:
        machine: takes `x + path(y)`, gives `y`.
        path: the recurrent connections, from outputs to inputs of `machine`; any machine, such as `Dense` or `Delay`.
        initial: the output before the first step; zeros of the output's shape start a network at rest.

    Reference: Elman 1990, Cognitive Science 14:179.
    """

    machine: StateMachine
    path: StateMachine
    initial: PyTree[Array] = eqx.field(converter=explicit)

    def init(self, key: PRNGKeyArray) -> FeedbackState:
        """The machine and the path at their starts, the output at `initial`."""
        machine_key, path_key = jax.random.split(key)
        return FeedbackState(self.machine.init(machine_key), self.path.init(path_key), self.initial)

    def step(self, state: FeedbackState, input: PyTree) -> tuple[FeedbackState, PyTree]:
        """The path first, then the machine on the sum."""
        path_state, returned = self.path.step(state.path, state.output)
        total = jax.tree.map(jnp.add, input, returned)
        machine_state, output = self.machine.step(state.machine, total)
        return FeedbackState(machine_state, path_state, output), output


class DelayState(eqx.Module):
    """The last `steps` inputs in a ring, and the place that is read and written next."""

    ring: PyTree[Array]
    position: Int[Array, ""]


class Delay(StateMachine[DelayState, PyTree, PyTree]):
    """A pure delay: what comes out at step t is what went in at step t - `steps`.

    `y_t = x_{t - steps}` for `t > steps`, and `initial` (zeros, if it is zeros) before that: with steps = 2 the inputs
    `x_1, x_2, x_3, x_4` give `0, 0, x_1, x_2`. With steps = 0 the input comes out at once. The ring is written in
    place, so a step costs the same for any length of delay.

    Fields:
        initial: what comes out before the first input arrives; gives the shape and dtype of one input.
        steps: the delay in time steps, at least 0.

    Reference: tapped delay line, Waibel et al. 1989, IEEE TASSP 37:328.
    """

    initial: PyTree[Array] = eqx.field(converter=explicit)
    steps: int = eqx.field(static=True, default=1)

    def __check_init__(self) -> None:
        if self.steps < 0:
            raise ValueError(f"Delay got steps={self.steps}; it must be at least 0 (0 passes the input on at once).")

    def init(self, key: PRNGKeyArray) -> DelayState:
        """A ring full of `initial`."""
        ring = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (self.steps, *leaf.shape)), self.initial)
        return DelayState(ring, jnp.zeros((), jnp.int32))

    def step(self, state: DelayState, input: PyTree) -> tuple[DelayState, PyTree]:
        """Read the oldest input, put the new one in its place."""
        if self.steps == 0:
            return state, input
        if self.steps == 1:  # no place to choose, which under `jax.vmap` would be a scatter
            output = jax.tree.map(lambda ring: ring[0], state.ring)
            return DelayState(jax.tree.map(_ring_of_one, state.ring, input), state.position), output
        at = state.position
        output = jax.tree.map(lambda ring: jax.lax.dynamic_index_in_dim(ring, at, keepdims=False), state.ring)
        ring = jax.tree.map(lambda ring, new: jax.lax.dynamic_update_index_in_dim(ring, new, at, 0), state.ring, input)
        return DelayState(ring, jnp.where(at == self.steps - 1, 0, at + 1)), output


def _ring_of_one(ring: Array, new: ArrayLike) -> Array:
    found, wanted = jax.typeof(new), jax.typeof(ring)
    if (found.dtype, found.shape) != (wanted.dtype, wanted.shape[1:]):
        raise TypeError(
            f"Delay got an input of {found.str_short()}; `initial` says {wanted.dtype.name}{list(wanted.shape[1:])}."
        )
    return jnp.asarray(new, ring.dtype)[None]


class Rewrite(eqx.Module):
    """An input to a `Rewritable`: what the neuron hears, and the edit that comes with it."""

    input: PyTree
    edit: PyTree


class RewritableState(eqx.Module):
    """The state of the machine, and the present values of the parameters that inputs may rewrite."""

    machine: PyTree
    parameters: tuple[PyTree, ...]


def add_edit(parameters: tuple[PyTree, ...], edit: tuple[PyTree, ...]) -> tuple[PyTree, ...]:
    """The parameters plus the edit; an edit of zeros changes nothing."""
    return jax.tree.map(jnp.add, parameters, edit)


class Rewritable(StateMachine[RewritableState, Rewrite, PyTree]):
    """A machine whose chosen parameters live in its state, where inputs can rewrite them.

    `p_t = apply(p_{t-1}, edit_t)`, then `(s_t, y_t) = machine[p_t].step(s_{t-1}, x_t)`.

    The parameters start at the values they have in `machine`, so gradients reach those through the whole history of
    edits. `apply` is a pure function `(parameters, edit) -> parameters` on the tuple of chosen fields.

    Fields:
        machine: the neuron.
        names: the fields of `machine` that can be rewritten, in the order of the tuple.
        apply: how an edit acts; by default it is added.

    Reference: fast weights that a network rewrites by its own messages, Schmidhuber 1992, Neural Computation 4:131.
    """

    machine: StateMachine
    names: tuple[str, ...] = eqx.field(static=True)
    apply: Callable[[Any, Any], Any] = eqx.field(static=True, default=add_edit)

    def __check_init__(self) -> None:
        fields = [name for name in self.machine.__dataclass_fields__ if hasattr(self.machine, name)]
        for name in self.names:
            if name not in fields:
                raise ValueError(
                    f"Rewritable got the name {name!r}, which {type(self.machine).__name__} does not have; "
                    f"it has {', '.join(fields)}."
                )

    def init(self, key: PRNGKeyArray) -> RewritableState:
        """The machine's own start and its own parameters."""
        return RewritableState(self.machine.init(key), self._chosen(self.machine))

    def step(self, state: RewritableState, input: Rewrite) -> tuple[RewritableState, PyTree]:
        """Rewrite first, then step with the new parameters."""
        parameters = self.apply(state.parameters, input.edit)
        machine = eqx.tree_at(self._chosen, self.machine, parameters)
        machine_state, output = machine.step(state.machine, input.input)
        return RewritableState(machine_state, parameters), output

    def _chosen(self, machine: StateMachine) -> tuple[PyTree, ...]:
        return tuple(getattr(machine, name) for name in self.names)
