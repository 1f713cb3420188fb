"""Law 7: numbers of one precision in, numbers of the same precision out, under strict type promotion.

Single, double and half-size (bfloat16) precision run, and a single-precision machine stays one where doubles are on.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn
from tests.laws import gradient
from tests.laws.compare import as_parts, numbers
from tests.laws.machines import HALF, every_machine, example, make

CLOSE = 1e-4


def wrong_types(tree, dtype):
    """Leaves that are inexact and of another real or complex precision."""
    allowed = {jnp.dtype(dtype), jnp.dtype(jnp.complex128 if dtype == jnp.float64 else jnp.complex64)}
    return {
        jax.tree_util.keystr(path): str(leaf.dtype)
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
        if jnp.issubdtype(leaf.dtype, jnp.inexact) and leaf.dtype not in allowed
    }


def check_precision(machine, inputs, dtype):
    """By shape evaluation alone: nothing is compiled."""
    machine, inputs = jn.cast(machine, dtype), jn.cast(inputs, dtype)
    try:
        outcome = jax.eval_shape(lambda machine, inputs: jn.run(machine, inputs), machine, inputs)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"a machine of {jnp.dtype(dtype)} meets a number of another type: {error}") from error
    assert not wrong_types(outcome, dtype), f"a machine of {jnp.dtype(dtype)} gives {wrong_types(outcome, dtype)}"


@functools.partial(jax.jit, static_argnums=2, compiler_options=gradient.QUICK)
def run_as(machine, inputs, dtype):
    return jn.run(jn.cast(machine, dtype), jn.cast(inputs, dtype))


def check_runs(machine, inputs, dtype):
    outcome = run_as(machine, inputs, dtype)
    assert not wrong_types(outcome, dtype)
    assert all(np.isfinite(numbers(leaf).astype(np.float64)).all() for leaf in jax.tree.leaves(as_parts(outcome)))
    return outcome[1]


@every_machine
def test_single_precision_stays_single(row):
    check_precision(*example(row), jnp.float32)


@every_machine
def test_single_precision_stays_single_where_doubles_are_on(row, float64):
    check_precision(*example(row), jnp.float32)


@every_machine
def test_machines_built_where_doubles_are_on_are_double(row, float64):
    machine, inputs = make(row, HALF)
    assert not wrong_types((machine, inputs), jnp.float64)
    check_precision(machine, inputs, jnp.float64)


@every_machine
def test_double_precision_stays_double_and_agrees_with_single(row):
    machine, inputs = example(row)
    _, single = jn.run(machine, inputs)
    with jax.enable_x64(True):
        double = check_runs(machine, inputs, jnp.float64)
    for a, b in zip(jax.tree.leaves(single), jax.tree.leaves(double), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=CLOSE * max(1.0, np.abs(b).max()))


@every_machine
def test_bfloat16_runs_and_stays_bfloat16(row):
    check_runs(*example(row), jnp.bfloat16)
