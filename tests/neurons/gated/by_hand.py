"""Comparison of machines with the equations of a paper, written out in NumPy and double precision.

Three forms of the same: the equations as one step from a tuple of states (`check_transcription`, with weights that the
test chooses), as one step that reads the weights off the machine (`check_equations`, all parameters random), or over a
whole sequence (`check_by_hand`, for outputs that are no part of the state).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn
from tests.neurons.gated.recorded import arrays, whole

STEPS = 12


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def rows(matrix, units):
    """One matrix or vector for each gate."""
    return [matrix[k : k + units] for k in range(0, len(matrix), units)]


def size(build):
    """The number of parameters of a machine, without drawing them."""
    return jn.count_parameters(jax.eval_shape(build, jax.random.key(0)))


def with_weights(machine, **weights):
    """The machine with some fields replaced by arrays of the same shape."""
    values = [jnp.asarray(value, jnp.result_type(float)) for value in weights.values()]
    for value, name in zip(values, weights, strict=True):
        assert value.shape == getattr(machine, name).shape, name
    return eqx.tree_at(lambda m: [getattr(m, name) for name in weights], machine, values)


class InputOfOne(jn.StateMachine):
    """A machine that gets one more input, which is always 1: its weights do what a bias would."""

    machine: jn.StateMachine

    def init(self, key):
        """That of the machine."""
        return self.machine.init(key)

    def step(self, state, input):
        """That of the machine."""
        return self.machine.step(state, jnp.concatenate([input, jnp.ones(1, input.dtype)]))


def drawn(machine, generator):
    """The machine with every parameter drawn anew: NumPy arrays in double precision."""
    return jax.tree.map(lambda leaf: generator.normal(size=leaf.shape) / 2, machine)


def as_machine(exact, dtype):
    """The same with JAX arrays."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), exact)


def part(state, field):
    return field(state) if callable(field) else getattr(state, field)


def check(machine, sequence, outputs, states):
    """A machine gives these outputs and goes through these states, in single and in double precision.

    Args:
        machine: from a dtype to the machine.
        sequence: the inputs.
        outputs: what is expected.
        states: by name of a field of our state, or by a function of it, what is expected.
    """
    for dtype, tolerance in (("float32", 1e-6), ("float64", 1e-12)):
        with jax.enable_x64(dtype == "float64"):
            _, given, found = jn.run(machine(dtype), jnp.asarray(sequence, dtype), observe=whole)
            actual = [jax.vmap(lambda state, field=field: part(state, field))(found) for field in states]
            names = ("output", *map(str, states))
            for name, ours, theirs in zip(names, (given, *actual), (outputs, *states.values()), strict=True):
                assert ours.dtype == dtype
                bound = tolerance * max(1, np.abs(theirs).max())
                np.testing.assert_allclose(ours, theirs, rtol=0, atol=bound, err_msg=f"{name} {dtype}")


def followed(step, state, sequence):
    """The parts of the state after every step, each `[time, ...]`."""
    states = []
    for x in sequence:
        state = step(state, x)
        states.append(state)
    return [np.stack(parts) for parts in zip(*states, strict=True)]


def check_transcription(build, step, start, *fields):
    """A machine goes through the states that the equations give for the recorded inputs.

    Args:
        build: makes the machine.
        step: `(state, input) -> state` in NumPy, the state a tuple of arrays.
        start: the first of these states.
        fields: their names in our state; the first is the output.
    """
    sequence = arrays()["sequence"]
    expected = followed(step, start, sequence)
    check(lambda dtype: jn.cast(build(), dtype), sequence, expected[0], dict(zip(fields, expected, strict=True)))


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
        state = as_machine(exact, "float64").init(jax.random.key(0))
        start = [np.asarray(part(state, field)) for field in fields]
    sequence = generator.normal(size=(STEPS, inputs))
    expected = followed(lambda state, x: step(exact, state, x), start, sequence)
    states = dict(zip(fields, expected, strict=True))
    check(lambda dtype: as_machine(exact, dtype), sequence, expected[output], states)


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
    outputs, *states = [np.stack(parts) for parts in zip(*equations(exact, sequence), strict=True)]
    check(lambda dtype: as_machine(exact, dtype), sequence, outputs, dict(zip(fields, states, strict=True)))
