"""A neuron is a state machine: a pure transition function `(parameters, state, input) -> (state, output)`.

    state_0       = machine.init(key)
    state_t, y_t  = machine.step(state_{t-1}, x_t)

The array leaves of a machine are its parameters, so `LIF.step` is `(parameters, state, input) -> (state, output)` and
the bound `lif.step` is a body for `jax.lax.scan`. Plain `jax.jit`, `vmap`, `grad`, `checkpoint` and optax work on it.
"""

import functools
from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from jaxneuro.recurrence import recurrence

State = TypeVar("State")
Input = TypeVar("Input")
Output = TypeVar("Output")
Drive = TypeVar("Drive")
Tree = TypeVar("Tree")

# What a parameter is: an array, which may be given as a plain number. A type checker is told the latter.
if TYPE_CHECKING:
    Scalar = Any
    Numbers = Any
else:
    Scalar = Float[Array, ""]
    Numbers = Float[Array, "..."]


class Bounds(NamedTuple):
    """What a parameter may be: read by the constructor's check and by the config reader."""

    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    unit: str = ""

    def violation(self, lowest: float, highest: float) -> str | None:
        """The rule that values between `lowest` and `highest` break, in words; None if they keep all."""
        unit = f" {self.unit}" if self.unit else ""
        if not (np.isfinite(lowest) and np.isfinite(highest)):
            return "must be finite"
        if self.above is not None and lowest <= self.above:
            return f"must be above {self.above:g}{unit}"
        if self.at_least is not None and lowest < self.at_least:
            return f"must be at least {self.at_least:g}{unit}"
        if self.at_most is not None and highest > self.at_most:
            return f"must be at most {self.at_most:g}{unit}"
        return None


def explicit(tree: Tree) -> Tree:
    """The same arrays without weak types.

    A weakly typed array changes its type inside a scan, and makes every program trace twice.
    """

    def convert(leaf: Any) -> Any:
        return jnp.asarray(leaf, leaf.dtype) if getattr(leaf, "weak_type", False) else leaf

    return jax.tree.map(convert, tree)


def _as_parameter(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return jnp.asarray(value, dtype=jnp.result_type(float))
    if isinstance(value, np.ndarray | np.generic | list | tuple):
        array = np.asarray(value)
        return jnp.asarray(array, dtype=None if array.dtype.kind in "fcV" else jnp.result_type(float))
    if isinstance(value, Array):
        return explicit(value if jnp.issubdtype(value.dtype, jnp.inexact) else value.astype(jnp.result_type(float)))
    return value


def parameter(
    default: float | None = None,
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    unit: str = "",
) -> Any:
    """A field that holds a parameter: an array of explicit dtype, with the range and the unit it is given in.

    Python numbers and whole numbers become arrays of the default float type (float32, or float64 under
    `jax_enable_x64`); other arrays keep the type they have. Values outside the range raise `ValueError` when the
    machine is built.

    Args:
        default: value when none is given; None makes the field required.
        above: exclusive lower bound.
        at_least: inclusive lower bound.
        at_most: inclusive upper bound.
        unit: physical unit, for messages and listings.

    Returns:
        A dataclass field, as `equinox.field` makes it.
    """
    metadata = {"parameter": Bounds(above, at_least, at_most, unit)}
    if default is None:
        return eqx.field(converter=_as_parameter, metadata=metadata)
    return eqx.field(default=default, converter=_as_parameter, metadata=metadata)


class Bound(eqx.Module):
    """A method bound to its module: a pytree of the module's leaves, which is equal to itself alone.

    JAX looks functions up by hash and equality. Equinox compares bound methods by the values of their arrays: these
    cannot be hashed, and under `jit` their comparison is not a boolean, so that `lax.scan(machine.step, ...)` would
    fail with "unhashable type", and a second one with the same machine with a tracer error. Identity has neither fault.
    """

    function: Callable[..., Any] = eqx.field(static=True)
    module: eqx.Module

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: D102 - the docstring is the method's own
        return self.function(self.module, *args, **kwargs)

    def __hash__(self) -> int:
        return hash((self.function, id(self.module)))

    def __eq__(self, other: object) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        return isinstance(other, Bound) and self.function is other.function and self.module is other.module

    @property
    def __name__(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.function.__name__

    @property
    def __wrapped__(self) -> Callable[..., Any]:
        return functools.partial(self.function, self.module)


class Parameterised(eqx.Module):
    """A module whose `parameter` fields are checked against their bounds when it is built from concrete numbers."""

    __hash__ = object.__hash__

    if not TYPE_CHECKING:

        def __getattribute__(self, name: str) -> Any:
            value = super().__getattribute__(name)
            function = getattr(value, "__func__", None)
            if function is None or isinstance(value, Bound) or value.__self__ is not self:
                return value
            return Bound(function, self)

    def __check_init__(self) -> None:
        for name, field in self.__dataclass_fields__.items():
            bounds, value = field.metadata.get("parameter"), getattr(self, name, None)
            if bounds is None or not isinstance(value, Array) or isinstance(value, Tracer) or not value.size:
                continue
            if not jnp.issubdtype(value.dtype, jnp.floating):
                continue
            # By NumPy: a number that is known is known inside `jit` too.
            numbers = np.asarray(value)
            lowest, highest = float(numbers.min()), float(numbers.max())
            rule = bounds.violation(lowest, highest)
            if rule is not None:
                came = f"{lowest:g}" if lowest == highest or np.isnan(lowest) else f"{lowest:g} to {highest:g}"
                raise ValueError(f"{type(self).__name__}.{name} is {came}; it {rule}.")


class StateMachine(Parameterised, Generic[State, Input, Output]):
    """A neuron, a synapse or a network of them: a pure transition function with named, typed, complete state.

    A machine is written for one neuron and one time step, without batch axes; `jax.vmap` and `Population` make many.
    Its array leaves are its parameters; only what changes the shape of arrays is a static field. Its state holds all
    that is needed to go on: random keys, delay lines, plastic weights, traces, messages in flight.
    """

    @abstractmethod
    def init(self, key: PRNGKeyArray) -> State:
        """The state before the first input, a function of `key` alone."""

    @abstractmethod
    def step(self, state: State, input: Input) -> tuple[State, Output]:
        """The transition function: one step of time."""


class NoState(eqx.Module):
    """The state of a machine that remembers nothing."""


class Stateless(StateMachine[NoState, Input, Output]):
    """A machine whose output depends on the present input alone; `run` evaluates all of time in one batched call."""

    @abstractmethod
    def respond(self, input: Input) -> Output:
        """The output for one input."""

    @final
    def init(self, key: PRNGKeyArray) -> NoState:
        """The empty state."""
        return NoState()

    @final
    def step(self, state: NoState, input: Input) -> tuple[NoState, Output]:
        """`(state, respond(input))`."""
        return state, self.respond(input)


class Driven(StateMachine[State, Input, Output], Generic[State, Input, Output, Drive]):
    """A machine whose step starts with a part that sees no state: `step = transition(state, drive(input))`.

    `run` may compute the drives of all time steps in one product before the time loop.
    """

    @abstractmethod
    def drive(self, input: Input) -> Drive:
        """The part of the step that needs the input alone, such as `W x + b` for all gates."""

    @abstractmethod
    def transition(self, state: State, drive: Drive) -> tuple[State, Output]:
        """The rest of the step."""

    @final
    def step(self, state: State, input: Input) -> tuple[State, Output]:
        """`transition(state, drive(input))`."""
        return self.transition(state, self.drive(input))


class Parallel(StateMachine[State, Input, Output]):
    """A machine with a way to find its states of all time steps together, in a depth that grows as log T.

    `over_time` gives what as many steps give one after the other; `run` takes it where that is faster.
    """

    @abstractmethod
    def over_time(self, state: State, inputs: Input) -> tuple[State, Output]:
        """All steps of time at once.

        Args:
            state: before the first step.
            inputs: of all steps, at least one, along a leading axis.

        Returns:
            The state after each step and the output of each, along a leading axis.
        """


class Affine(Parallel[State, Input, Output]):
    """A machine that is linear in its own state, leaf by leaf: `state_t = a_t * state_{t-1} + b_t`.

    `a` and `b` have the structure of the state; a leaf of `a` has the shape of that leaf or is a scalar. Because the
    composition of two such maps is a third, `(a2 a1, a2 b1 + b2)`, all of time can be evaluated by a parallel scan.
    """

    @abstractmethod
    def affine(self, input: Input) -> tuple[State, State]:
        """`(a, b)` of the step with this input."""

    @abstractmethod
    def read(self, state: State, input: Input) -> Output:
        """The output from the new state and the input that led to it."""

    @final
    def step(self, state: State, input: Input) -> tuple[State, Output]:
        """`a * state + b`, then `read`."""
        a, b = self.affine(input)
        state = jax.tree.map(lambda a, s, b: a * s + b, a, state, b)
        return state, self.read(state, input)

    @final
    def over_time(self, state: State, inputs: Input) -> tuple[State, Output]:
        """The recurrence for all of time (`jaxneuro.recurrence`), then `read` of all states."""
        a, b = jax.vmap(self.affine)(inputs)
        # The first step absorbs the initial state, so that the scan composes maps of one kind only.
        b = jax.tree.map(lambda b, a, s: b.at[0].add(a[0] * s), b, a, state)
        a = jax.tree.map(lambda a, b: jnp.broadcast_to(a.reshape(a.shape + (1,) * (b.ndim - a.ndim)), b.shape), a, b)
        states = jax.tree.map(lambda a, b: recurrence([[a]], [b])[0], a, b)
        return states, jax.vmap(self.read)(states, inputs)


def cast(tree: Tree, dtype: Any) -> Tree:
    """The same machine or state with every real leaf in `dtype` and every complex leaf in its complex counterpart.

    Args:
        tree: any pytree of arrays.
        dtype: a real floating dtype, such as `jnp.float64` (needs `jax_enable_x64`) or `jnp.bfloat16`.

    Returns:
        The pytree; integers, booleans and random keys stay as they are.
    """
    real = jnp.dtype(dtype)
    complex_ = jnp.complex128 if real == jnp.float64 else jnp.complex64

    def convert(leaf: Array) -> Array:
        if jnp.issubdtype(leaf.dtype, jnp.complexfloating):
            return leaf.astype(complex_)
        return leaf.astype(real) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf

    return jax.tree.map(convert, tree)


def count_parameters(machine: PyTree, trained: Callable[[str], bool] = lambda path: True) -> int:
    """Number of real parameters: float leaves count once per element, complex ones twice.

    Args:
        machine: a machine.
        trained: says by a leaf's path, such as `.machines[0].weights`, whether it counts.

    Returns:
        The number of scalars.
    """
    total = 0
    for path, leaf in jax.tree_util.tree_leaves_with_path(machine):
        if jnp.issubdtype(leaf.dtype, jnp.inexact) and trained(jax.tree_util.keystr(path)):
            total += leaf.size * (2 if jnp.issubdtype(leaf.dtype, jnp.complexfloating) else 1)
    return total
