"""What a machine costs: numbers of state, and operations per step, counted in the program that JAX traces.

An operation is one real addition, multiplication, comparison or elementary function (tanh, exp ...). A product of
`[m, k]` and `[k, n]` has `2 m k n`; a complex addition has 2, a complex multiplication 6; a Fourier transform of n
points `5 n log2 n` (Cooley and Tukey 1965, Mathematics of Computation 19:297, radix 2). Copying numbers costs nothing.
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn
from jaxtyping import PyTree

from jaxneuro.machine import StateMachine

# Primitives that move, choose, convert or make up numbers without computing any.
FREE = frozenset(
    (
        "bitcast_convert_type",
        "broadcast_in_dim",
        "complex",
        "concatenate",
        "convert_element_type",
        "copy",
        "device_put",
        "dynamic_slice",
        "dynamic_update_slice",
        "expand_dims",
        "gather",
        "imag",
        "iota",
        "optimization_barrier",
        "pad",
        "random_bits",
        "random_fold_in",
        "random_seed",
        "random_split",
        "random_unwrap",
        "random_wrap",
        "real",
        "reduce_precision",
        "reshape",
        "rev",
        "select_n",
        "sharding_constraint",
        "slice",
        "split",
        "squeeze",
        "stop_gradient",
        "transpose",
    )
)

ADDITIONS = frozenset(
    ("abs", "add", "add_any", "cumsum", "neg", "reduce_sum", "scatter-add", "scatter-sub", "scatter_add", "sub")
)
# What compares, chooses or rounds, and logic.
COMPARISONS = frozenset(
    (
        "and",
        "argmax",
        "argmin",
        "ceil",
        "clamp",
        "cummax",
        "cummin",
        "eq",
        "floor",
        "ge",
        "gt",
        "is_finite",
        "le",
        "lt",
        "max",
        "min",
        "ne",
        "not",
        "or",
        "reduce_and",
        "reduce_max",
        "reduce_min",
        "reduce_or",
        "round",
        "sign",
        "sort",
        "xor",
    )
)
TRANSCENDENTALS = frozenset(
    (
        "acos",
        "acosh",
        "asin",
        "asinh",
        "atan",
        "atan2",
        "atanh",
        "cbrt",
        "cos",
        "cosh",
        "digamma",
        "erf",
        "erf_inv",
        "erfc",
        "exp",
        "exp2",
        "expm1",
        "lgamma",
        "log",
        "log1p",
        "logistic",
        "pow",
        "rsqrt",
        "sin",
        "sinh",
        "sqrt",
        "tan",
        "tanh",
    )
)


@dataclasses.dataclass(frozen=True)
class Tally:
    """Operations by kind.

    Attributes:
        macs: multiplications whose result is added up, in matrix products and convolutions; each is two operations.
        additions: and subtractions, one by one.
        multiplications: and divisions, and all that has no name elsewhere.
        comparisons: also logic and rounding.
        transcendentals: elementary functions, such as exp and the square root.
    """

    macs: int = 0
    additions: int = 0
    multiplications: int = 0
    comparisons: int = 0
    transcendentals: int = 0

    @property
    def operations(self) -> int:
        """All of them."""
        return 2 * self.macs + self.additions + self.multiplications + self.comparisons + self.transcendentals

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(a + b for a, b in zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)))

    def __mul__(self, times: int) -> "Tally":
        return Tally(*(times * number for number in dataclasses.astuple(self)))


def operations(machine: StateMachine, input: PyTree) -> int:
    """Operations of one step.

    Args:
        machine: a machine, or its shapes.
        input: one input, or its shapes.

    Returns:
        The number of operations. A branch of a `cond` counts as its costliest one, a `while` loop once.
    """
    return tally(machine, input).operations


def tally(machine: StateMachine, input: PyTree) -> Tally:
    """Operations of one step, by kind.

    Args:
        machine: a machine, or its shapes.
        input: one input, or its shapes.
    """
    state = jax.eval_shape(lambda m: m.init(jax.random.key(0)), machine)
    traced = jax.make_jaxpr(lambda m, s, x: m.step(s, x))(machine, state, input)
    return _count(traced.jaxpr)


def state_numbers(machine: StateMachine) -> int:
    """How many real numbers the state holds: a complex number counts twice, random keys not at all.

    Args:
        machine: a machine, or its shapes.
    """
    state = jax.eval_shape(lambda m: m.init(jax.random.key(0)), machine)
    leaves = [leaf for leaf in jax.tree.leaves(state) if not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)]
    return sum(leaf.size * _parts(leaf) for leaf in leaves)


def _parts(value: Any) -> int:
    return 2 if jnp.issubdtype(value.dtype, jnp.complexfloating) else 1


def _count(jaxpr: Jaxpr) -> Tally:
    return _sum(_of_equation(equation) for equation in jaxpr.eqns)


def _sum(tallies: Iterable[Tally]) -> Tally:
    return sum(tallies, Tally())


def _of_equation(equation: JaxprEqn) -> Tally:
    name = equation.primitive.name
    inner = [_count(jaxpr) for jaxpr in _inner(equation.params)]
    if inner:
        costliest = name == "cond"
        whole = max(inner, key=lambda branch: branch.operations) if costliest else _sum(inner)
        return whole if costliest else whole * equation.params.get("length", 1)
    if name in FREE or name.startswith("random_"):
        return Tally()
    if name in COUNTS:
        return COUNTS[name](equation)
    reduced = name.startswith(("reduce_", "arg", "cum", "scatter"))
    counted = equation.invars[0] if reduced else equation.outvars[0]
    size = math.prod(_array(counted).shape)
    parts = max(_parts(_array(variable)) for variable in (*equation.invars, *equation.outvars))
    if parts == 2 and name in ("mul", "div"):
        return Tally(multiplications=4 * size, additions=2 * size)
    if name in ADDITIONS:
        return Tally(additions=parts * size)
    if name in COMPARISONS:
        return Tally(comparisons=parts * size)
    if name in TRANSCENDENTALS:
        return Tally(transcendentals=parts * size)
    return Tally(multiplications=parts * size)


def _array(variable: Any) -> Any:
    """The shape and the type of a variable."""
    return variable.aval


def _inner(parameters: dict[str, Any]) -> Iterator[Jaxpr]:
    """The programs inside an equation, such as the body of a scan."""
    for value in parameters.values():
        for part in value if isinstance(value, tuple | list) else (value,):
            if isinstance(part, ClosedJaxpr):
                yield part.jaxpr
            elif isinstance(part, Jaxpr):
                yield part


def _product(equation: JaxprEqn) -> Tally:
    left, right = map(_array, equation.invars)
    ((contracted, _), _) = equation.params["dimension_numbers"]
    length = math.prod(left.shape[axis] for axis in contracted)
    each = {2: 1, 3: 2, 4: 4}[_parts(left) + _parts(right)]
    return Tally(macs=each * length * math.prod(_array(equation.outvars[0]).shape))


def _convolution(equation: JaxprEqn) -> Tally:
    image, kernel, output = (*map(_array, equation.invars), _array(equation.outvars[0]))
    outputs = kernel.shape[equation.params["dimension_numbers"].rhs_spec[0]]
    each = {2: 1, 3: 2, 4: 4}[_parts(image) + _parts(kernel)]
    return Tally(macs=each * math.prod(output.shape) * math.prod(kernel.shape) // outputs)


def _fourier(equation: JaxprEqn) -> Tally:
    lengths = equation.params["fft_lengths"]
    total = round(5 * math.prod(_array(equation.outvars[0]).shape) * math.log2(max(2, math.prod(lengths))))
    # A butterfly has 4 multiplications and 6 additions.
    return Tally(multiplications=2 * total // 5, additions=total - 2 * total // 5)


COUNTS: dict[str, Callable[[JaxprEqn], Tally]] = {
    "dot_general": _product,
    "conv_general_dilated": _convolution,
    "fft": _fourier,
}
