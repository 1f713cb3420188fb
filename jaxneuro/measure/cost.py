"""What a machine costs: numbers of state, and operations per step, counted in the program that JAX traces.

An operation is one real addition, multiplication, comparison or elementary function (tanh, exp ...). A product of
`[m, k]` and `[k, n]` has `2 m k n`; a complex addition has 2, a complex multiplication 6; a Fourier transform of n
points `5 n log2 n` (Cooley and Tukey 1965, Mathematics of Computation 19:297, radix 2). Copying numbers costs nothing.
"""

import math
from collections.abc import Callable, Iterator
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


def operations(machine: StateMachine, input: PyTree) -> int:
    """Operations of one step.

    Args:
        machine: a machine, or its shapes.
        input: one input, or its shapes.

    Returns:
        The number of operations. A branch of a `cond` counts as its costliest one, a `while` loop once.
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


def _count(jaxpr: Jaxpr) -> int:
    return sum(_of_equation(equation) for equation in jaxpr.eqns)


def _of_equation(equation: JaxprEqn) -> int:
    name = equation.primitive.name
    inner = [_count(jaxpr) for jaxpr in _inner(equation.params)]
    if inner:
        return max(inner) if name == "cond" else sum(inner) * equation.params.get("length", 1)
    if name in FREE or name.startswith("random_"):
        return 0
    if name in COUNTS:
        return COUNTS[name](equation)
    reduced = name.startswith(("reduce_", "arg", "cum", "scatter"))
    counted = equation.invars[0] if reduced else equation.outvars[0]
    each = max(_parts(_array(variable)) for variable in (*equation.invars, *equation.outvars))
    if each == 2 and name in ("mul", "div"):
        each = 6
    return each * math.prod(_array(counted).shape)


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


def _product(equation: JaxprEqn) -> int:
    left, right = map(_array, equation.invars)
    ((contracted, _), _) = equation.params["dimension_numbers"]
    length = math.prod(left.shape[axis] for axis in contracted)
    each = {2: 2, 3: 4, 4: 8}[_parts(left) + _parts(right)]
    return each * length * math.prod(_array(equation.outvars[0]).shape)


def _convolution(equation: JaxprEqn) -> int:
    image, kernel, output = (*map(_array, equation.invars), _array(equation.outvars[0]))
    outputs = kernel.shape[equation.params["dimension_numbers"].rhs_spec[0]]
    each = {2: 2, 3: 4, 4: 8}[_parts(image) + _parts(kernel)]
    return each * math.prod(output.shape) * math.prod(kernel.shape) // outputs


def _fourier(equation: JaxprEqn) -> int:
    lengths = equation.params["fft_lengths"]
    return round(5 * math.prod(_array(equation.outvars[0]).shape) * math.log2(max(2, math.prod(lengths))))


COUNTS: dict[str, Callable[[JaxprEqn], int]] = {
    "dot_general": _product,
    "conv_general_dilated": _convolution,
    "fft": _fourier,
}
