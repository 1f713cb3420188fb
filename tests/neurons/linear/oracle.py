"""What the tests of linear neurons share: the comparison with other programs, and of the two ways to run over time."""

import functools
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn

FILE = Path(__file__).with_name("lrnnx.npz")
LONG = 4096


@functools.cache
def recorded(layer):
    """What lrnnx's layer was and gave, by name, and the sequence that it got."""
    with np.load(FILE, allow_pickle=False) as found:
        parts = {name.split("/")[1]: found[name] for name in found if name.startswith(f"{layer}/")}
        return parts | {"sequence": found["sequence"]}


def drawn(machine, scale=0.5):
    """The same machine with other parameters, all of them normal and in float64, so that none is 0 by chance."""
    generator = np.random.default_rng(7)
    return jax.tree.map(lambda leaf: jnp.asarray(generator.normal(size=leaf.shape) * scale, jnp.float64), machine)


def sequence(steps, inputs, scale=1.0):
    return np.random.default_rng(8).normal(size=(steps, inputs)) * scale


def check_outputs(machine, inputs, expected):
    """Both executors give the expected outputs, to 1e-6 in single and 1e-12 in double precision."""
    bound = max(1.0, np.abs(expected).max())
    for dtype, tolerance in (("float32", 1e-6), ("float64", 1e-12)):
        with jax.enable_x64(dtype == "float64"):
            as_dtype = jn.cast(machine, dtype)
            for executor in ("sequential", "parallel"):
                _, outputs = jn.run(as_dtype, jnp.asarray(inputs, dtype), executor=executor)
                assert outputs.dtype == dtype
                np.testing.assert_allclose(outputs, expected, rtol=0, atol=tolerance * bound, err_msg=executor)


@functools.partial(jax.jit, static_argnums=2)
def outcome_and_gradient(machine, inputs, executor):
    weights = jnp.cos(jnp.arange(LONG, dtype=inputs.dtype))

    def loss(machine, inputs):
        state, outputs = jn.run(machine, inputs, executor=executor)
        return jnp.sum(weights * outputs.sum(1)), (state, outputs)

    gradient, outcome = jax.grad(loss, argnums=(0, 1), has_aux=True)(machine, inputs)
    return eqx.filter(gradient, eqx.is_inexact_array), outcome


def check_executors(machine):
    """One step after the other or in parallel, 4,096 steps give the same outputs, states and gradients to 1e-5."""
    inputs = jnp.asarray(sequence(LONG, 3), jnp.float32)
    expected, actual = (outcome_and_gradient(machine, inputs, name) for name in ("sequential", "parallel"))
    for (path, a), b in zip(jax.tree_util.tree_leaves_with_path(actual), jax.tree.leaves(expected), strict=True):
        assert a.dtype in (jnp.float32, jnp.complex64)
        bound = 1e-5 * max(1.0, float(np.abs(b).max()))
        np.testing.assert_allclose(a, b, rtol=0, atol=bound, err_msg=jax.tree_util.keystr(path))
