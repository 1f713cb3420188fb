"""Comparison of a machine that has random weights with its equations, written out in NumPy over a whole sequence."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn

STEPS = 12


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def check_by_hand(build, equations, *fields, sequence=None, inputs=3):
    """A machine gives the outputs, and goes through the states, that the equations give.

    Args:
        build: from a random key to the machine; its arrays, but not its single numbers, are moved at random.
        equations: `(machine, sequence)` to one tuple for each step, output first, then states; the leaves of this
            machine are NumPy arrays in float64.
        fields: the names of our state's fields for these states.
        sequence: the inputs; random ones of size `inputs` if None.
        inputs: see there.
    """
    generator = np.random.default_rng(5)

    def moved(leaf):
        leaf = np.asarray(leaf, np.float64)
        return leaf + generator.normal(size=leaf.shape) / 2 if leaf.ndim else leaf

    exact = jax.tree.map(moved, build(jax.random.key(0)))
    sequence = generator.normal(size=(STEPS, inputs)) if sequence is None else sequence
    expected = [np.stack(parts) for parts in zip(*equations(exact, sequence), strict=True)]
    for dtype, tolerance in (("float32", 1e-6), ("float64", 1e-12)):
        with jax.enable_x64(dtype == "float64"):
            machine = jax.tree.map(lambda leaf, dtype=dtype: jnp.asarray(leaf, dtype), exact)
            _, outputs, states = jn.run(machine, jnp.asarray(sequence, dtype), observe=lambda state: state)
            found = [outputs, *(getattr(states, field) for field in fields)]
            for name, ours, theirs in zip(("output", *fields), found, expected, strict=True):
                assert ours.dtype == dtype
                bound = tolerance * max(1, np.abs(theirs).max())
                np.testing.assert_allclose(ours, theirs, rtol=0, atol=bound, err_msg=f"{name} {dtype}")


def replaced(machine, **arrays):
    """The machine with some fields replaced by arrays of the same shape."""
    for name, array in arrays.items():
        assert np.shape(array) == getattr(machine, name).shape, name
    values = [jnp.asarray(array, jnp.result_type(float)) for array in arrays.values()]
    return eqx.tree_at(lambda m: [getattr(m, name) for name in arrays], machine, values)


def size(build):
    """The number of parameters of a machine, without drawing them."""
    return jn.count_parameters(jax.eval_shape(build, jax.random.key(0)))
