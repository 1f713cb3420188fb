"""Comparison of a machine that has random parameters with equations written out in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn

STEPS = 12


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def rows(matrix, units):
    """One matrix or vector for each gate."""
    return [matrix[k : k + units] for k in range(0, len(matrix), units)]


def drawn(machine, generator):
    """The machine with every parameter drawn anew: NumPy arrays in double precision."""
    return jax.tree.map(lambda leaf: generator.normal(size=leaf.shape) / 2, machine)


def as_machine(exact, dtype):
    """The same with JAX arrays."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), exact)


def whole(state):
    return state


def part(state, field):
    return field(state) if callable(field) else getattr(state, field)


def check_equations(build, step, *fields, output=0, inputs=3):
    """A machine with random parameters goes through the states that the equations give.

    Args:
        build: from a random key to the machine.
        step: the equations: `(machine, state, input)` to the next state, where the machine's parameters are NumPy
            arrays in float64, and a state is a list of arrays.
        fields: the names of our state's fields for the parts of that state, or functions of our state.
        output: which part of the state is the output.
        inputs: size of the input.
    """
    generator = np.random.default_rng(7)
    exact = drawn(build(jax.random.key(0)), generator)
    with jax.enable_x64(True):
        start = as_machine(exact, "float64").init(jax.random.key(0))
        state = [np.asarray(part(start, field)) for field in fields]
    sequence = generator.normal(size=(STEPS, inputs))
    states = []
    for x in sequence:
        state = step(exact, state, x)
        states.append(state)
    expected = [np.stack(parts) for parts in zip(*states, strict=True)]
    for dtype, tolerance in (("float32", 1e-6), ("float64", 1e-12)):
        with jax.enable_x64(dtype == "float64"):
            _, outputs, found = jn.run(as_machine(exact, dtype), jnp.asarray(sequence, dtype), observe=whole)
            actual = [jax.vmap(lambda state, field=field: part(state, field))(found) for field in fields]
            for ours, theirs in zip([*actual, outputs], [*expected, expected[output]], strict=True):
                assert ours.dtype == dtype
                np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * max(1, np.abs(theirs).max()))
