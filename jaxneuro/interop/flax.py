"""Flax: machines as cells of `nnx.RNN` and `linen.RNN`, and the cells of both as machines.

| from | to |
|---|---|
| a machine | `NNXCell(machine)`, `LinenCell(machine)`; back, with what was learned: `machine_of` |
| an `nnx.RNNCellBase` | `NNXMachine(cell)`; back: its `cell` |
| a `linen.RNNCellBase` | `LinenMachine(cell, variables)`; back: its `variables` |

Flax is batch-major, `[*batch, time, features]`; a machine knows no batch, and `run` has time first.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from flax import linen, nnx
from flax.core import unfreeze
from jaxtyping import Array, PRNGKeyArray, PyTree

from jaxneuro.interop.stepping import advising, check_kept, start, step
from jaxneuro.machine import StateMachine, cast, explicit


class Form(NamedTuple):
    """How a machine is put together from its leaves: their dotted names, such as "machines.0.weights", in order."""

    names: tuple[str, ...]
    structure: Any


def _taken_apart(machine: StateMachine) -> tuple[dict[str, Array], Form]:
    paths, structure = jax.tree_util.tree_flatten_with_path(machine)
    leaves = {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in paths}
    return leaves, Form(tuple(leaves), structure)


def _put_together(leaves: Mapping[str, Array], form: Form) -> Any:
    return jax.tree.unflatten(form.structure, [leaves[name] for name in form.names])


class Constant(nnx.Variable):
    """A leaf of a machine that no optimiser moves: an integer, a boolean, a random key."""


class NNXCell(nnx.RNNCellBase):
    """A machine from `[inputs]` to `[outputs]` as a cell for `nnx.RNN`; the carry is the machine's state.

    Every leaf is a variable by its dotted name, `cell.parameters["input_weights"]`: floating ones are `nnx.Param`,
    others `Constant`. Each element of a batch starts from a random key of its own.
    """

    def __init__(self, machine: StateMachine) -> None:
        leaves, self.form = _taken_apart(machine)
        self.parameters = nnx.Dict({name: _kind(leaf)(leaf) for name, leaf in leaves.items()})

    def initialize_carry(
        self,
        input_shape: tuple[int, ...],
        rngs: nnx.Rngs | nnx.RngStream | None = None,
        carry_init: Any = None,
    ) -> Any:
        """The states of a batch.

        Args:
            input_shape: `(*batch, inputs)`.
            rngs: gives the key, of its stream "carry"; `jax.random.key(0)` unless given, as in `run`.
            carry_init: not allowed: a machine knows how it starts.

        Returns:
            The state; all its leaves start with the batch axes.

        Raises:
            ValueError: if `carry_init` is given.
        """
        if carry_init is not None:
            raise ValueError("NNXCell got a carry_init; leave it out: a machine starts by its own init.")
        stream = rngs.carry if isinstance(rngs, nnx.Rngs) else rngs
        return start(machine_of(self), jax.random.key(0) if stream is None else stream(), input_shape[:-1])

    def __call__(self, carry: Any, inputs: Array) -> tuple[Any, Any]:
        """One step of the whole batch; `inputs` is `[*batch, inputs]`."""
        return step(machine_of(self), carry, inputs, "NNXCell")

    @property
    def num_feature_axes(self) -> int:
        """One: an input is a vector."""
        return 1


def _kind(leaf: Array) -> type[nnx.Variable]:
    return nnx.Param if jnp.issubdtype(leaf.dtype, jnp.inexact) else Constant


class LinenCell(linen.RNNCellBase):
    """A machine from `[inputs]` to `[outputs]` as a cell for `linen.RNN`; the carry is the machine's state.

    Its floating leaves are in "params" by their dotted names, `params["input_weights"]`, and start at the values that
    they have in the machine; the others stay as they are there. Each element of a batch starts from a random key of
    its own.

    Attributes:
        machine: the machine before training.
    """

    machine: StateMachine

    @linen.nowrap
    def initialize_carry(self, rng: PRNGKeyArray, input_shape: tuple[int, ...]) -> Any:
        """The states of a batch, as the learned parameters start them; in a cell without variables, the first ones.

        Args:
            rng: random key.
            input_shape: `(*batch, inputs)`.

        Returns:
            The state; all its leaves start with the batch axes.
        """
        learned = {} if self.scope is None else self.variables.get("params", {})
        return start(machine_of(self, learned) if learned else self.machine, rng, input_shape[:-1])

    @linen.compact
    def __call__(self, carry: Any, inputs: Array) -> tuple[Any, Any]:
        """One step of the whole batch; `inputs` is `[*batch, inputs]`."""
        leaves = _trained(_taken_apart(self.machine)[0])
        learned = {name: self.param(name, lambda key, leaf: leaf, leaf) for name, leaf in leaves.items()}
        return step(machine_of(self, learned), carry, inputs, "LinenCell")

    @property
    def num_feature_axes(self) -> int:
        """One: an input is a vector."""
        return 1


def _trained(leaves: dict[str, Array]) -> dict[str, Array]:
    return {name: leaf for name, leaf in leaves.items() if _kind(leaf) is nnx.Param}


def machine_of(cell: NNXCell | LinenCell, parameters: Mapping[str, Any] | None = None) -> Any:
    """The machine that a cell is, with what it learned.

    Args:
        cell: the cell that was made of the machine; of an `nnx.RNN` or a `linen.RNN` its `cell`.
        parameters: of a `LinenCell`, which holds none: `variables["params"]`, in a `linen.RNN`
            `variables["params"]["cell"]`.

    Returns:
        The machine.

    Raises:
        ValueError: the parameters are those of something else.
    """
    if isinstance(cell, NNXCell):
        if parameters is not None:
            raise ValueError("machine_of got an NNXCell and parameters; it holds its own: write machine_of(cell).")
        return _put_together(nnx.to_pure_dict(nnx.state(cell.parameters)), cell.form)
    leaves, form = _taken_apart(cell.machine)
    wanted = _trained(leaves)
    if parameters is None or set(parameters) != set(wanted):
        came = "no parameters" if parameters is None else f"the parameters {', '.join(map(str, parameters)) or '{}'}"
        raise ValueError(
            f"machine_of got a LinenCell and {came}; it has {', '.join(wanted)}. "
            'Give variables["params"], or of a linen.RNN variables["params"]["cell"].'
        )
    return _put_together({**leaves, **parameters}, form)


class FlaxState(eqx.Module):
    """The carry of a cell of Flax, and those of its variables that are not parameters: running means, random keys."""

    carry: PyTree[Array]
    mutable: PyTree[Array]


class NNXMachine(StateMachine[FlaxState, PyTree, PyTree]):
    """A cell of `flax.nnx` as a machine: `carry, y = cell(carry, x)`.

    Fields:
        parameters: the cell's `nnx.Param`, by name: `parameters["dense_h"]["kernel"]`.
        mutable: its other variables before the first input, such as those of a dropout's random numbers.
        graph: how the cell is put together.
        input_shape: shape of one input, which a cell may ask for to start its carry.

    Input and output: as the cell has them, without batch axes. The carry takes the number type of the parameters.
    Results are reproducible: what changes in the cell, the random numbers of a dropout too, is in the state.

    Reference: Heek et al. 2020, Flax: a neural network library and ecosystem for JAX.
    """

    parameters: dict[Any, Any]
    mutable: dict[Any, Any]
    graph: Any = eqx.field(static=True)
    input_shape: tuple[int, ...] = eqx.field(static=True)

    def __init__(self, cell: nnx.Module, *, input_shape: tuple[int, ...] | None = None) -> None:
        self.input_shape = _input_shape("NNXMachine", cell, nnx.RNNCellBase, input_shape)
        self.graph, parameters, mutable = nnx.split(cell, nnx.Param, ...)
        self.parameters, self.mutable = explicit((nnx.to_pure_dict(parameters), nnx.to_pure_dict(mutable)))

    @property
    def cell(self) -> Any:
        """The cell with the present parameters, for Flax."""
        return nnx.merge(self.graph, self.parameters, self.mutable)

    def init(self, key: PRNGKeyArray) -> FlaxState:
        """The cell's own start."""
        carry = self.cell.initialize_carry(self.input_shape, nnx.Rngs(key))
        return FlaxState(_in_the_type_of(self.parameters, carry), self.mutable)

    def step(self, state: FlaxState, input: PyTree) -> tuple[FlaxState, PyTree]:
        """One call of the cell."""
        cell = nnx.merge(self.graph, self.parameters, state.mutable)
        with advising(_advice(self, cell, input)):
            carry, output = cell(state.carry, input)
        mutable = nnx.to_pure_dict(nnx.state(cell, nnx.Not(nnx.Param)))
        return _next(self, cell, input, state, FlaxState(carry, mutable)), output


class LinenMachine(StateMachine[FlaxState, PyTree, PyTree]):
    """A cell of `flax.linen` as a machine: `carry, y = cell(carry, x)`.

    Fields:
        parameters: the collection "params" of its variables, by name: `parameters["hf"]["kernel"]`.
        mutable: the other collections before the first input, such as "batch_stats".
        cell: the cell, which holds no numbers.
        input_shape: shape of one input, which a cell may ask for to start its carry.

    Input and output: as the cell has them, without batch axes. The carry takes the number type of the parameters. The
    cell may not ask for random numbers (`make_rng`) in its step.

    Reference: Heek et al. 2020, Flax: a neural network library and ecosystem for JAX.
    """

    parameters: dict[str, Any]
    mutable: dict[str, Any]
    cell: Any = eqx.field(static=True)
    input_shape: tuple[int, ...] = eqx.field(static=True)

    def __init__(
        self, cell: linen.Module, variables: Mapping[str, Any], *, input_shape: tuple[int, ...] | None = None
    ) -> None:
        self.input_shape = _input_shape("LinenMachine", cell, linen.RNNCellBase, input_shape)
        if "params" not in variables:
            raise ValueError(
                f"LinenMachine got variables with {', '.join(map(str, variables)) or 'nothing in them'}; there must be "
                '"params". Give what cell.init(key, carry, input) returned, or of a linen.RNN '
                '{"params": variables["params"]["cell"]}.'
            )
        plain = jax.tree.map(jnp.asarray, unfreeze(linen.meta.unbox(variables)))
        self.cell = cell
        self.parameters, self.mutable = explicit((plain.pop("params"), plain))

    @property
    def variables(self) -> dict[str, Any]:
        """The present parameters and the other collections, for Flax."""
        return {"params": self.parameters, **self.mutable}

    def init(self, key: PRNGKeyArray) -> FlaxState:
        """The cell's own start."""
        carry = self.cell.initialize_carry(key, self.input_shape)
        return FlaxState(_in_the_type_of(self.parameters, carry), self.mutable)

    def step(self, state: FlaxState, input: PyTree) -> tuple[FlaxState, PyTree]:
        """One call of the cell."""
        variables = {"params": self.parameters, **state.mutable}
        with advising(_advice(self, self.cell, input)):
            (carry, output), mutable = self.cell.apply(variables, state.carry, input, mutable=list(state.mutable))
        return _next(self, self.cell, input, state, FlaxState(carry, unfreeze(mutable))), output


def _input_shape(machine: str, cell: Any, kind: type, shape: tuple[int, ...] | None) -> tuple[int, ...]:
    """What a cell is asked to start for; a cell of vectors looks at the batch axes alone, of which there are none."""
    name = f"{kind.__module__.split('.')[1]}.{kind.__name__}"
    if not isinstance(cell, kind):
        tip = " Give the cell that it runs, its `cell`." if isinstance(cell, nnx.RNN | linen.RNN) else ""
        raise ValueError(
            f"{machine} got a {type(cell).__name__}; it must be an {name}, which has initialize_carry and a call "
            f"(carry, inputs) -> (carry, outputs).{tip}"
        )
    axes = cell.num_feature_axes
    if shape is None and axes == 1:
        return (1,)
    if shape is None or len(shape) != axes:
        raise ValueError(
            f"{machine} got input_shape={shape} for a {type(cell).__name__}, whose inputs have {axes} axes; "
            "give the shape of one input, without batch and time, such as "
            f"{machine}(..., input_shape={(8,) * (axes - 1) + (3,)})."
        )
    return shape


def _in_the_type_of(parameters: Any, carry: Any) -> Any:
    """The carry in the number type of the parameters: a cell starts it in that which the parameters once had."""
    types = {leaf.dtype for leaf in jax.tree.leaves(parameters) if jnp.issubdtype(leaf.dtype, jnp.floating)}
    return cast(carry, types.pop()) if len(types) == 1 else carry


def _came(machine: StateMachine, cell: Any, input: Any) -> str:
    shapes = jax.tree.map(jnp.shape, input)
    return f"{type(machine).__name__}({type(cell).__name__}) got an input of shape {shapes}"


def _advice(machine: StateMachine, cell: Any, input: Any) -> str:
    return (
        f"{_came(machine, cell, input)}, which the cell cannot take with this state. There must be no batch axis "
        "(jax.vmap adds one), and input, state and parameters must be of one number type"
    )


def _next(machine: StateMachine, cell: Any, input: Any, old: FlaxState, new: FlaxState) -> FlaxState:
    dtype = getattr(cell, "dtype", None)
    fixed = f" whose dtype={jnp.dtype(dtype)} is fixed (None follows the parameters)" if dtype is not None else ""
    check_kept(_came(machine, cell, input) + fixed, old, new)
    return new
