"""Machines with chosen weights, and their comparison with the equations of a paper, written out in NumPy."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn
from tests.neurons.gated.recorded import arrays, whole


def with_weights(machine, **weights):
    """The machine with some fields replaced."""
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


def check_transcription(build, step, start, *fields):
    """A machine goes through the states that the paper's equations give for the recorded inputs.

    Args:
        build: makes the machine.
        step: `(state, input) -> state` in NumPy, the state a tuple of arrays.
        start: the first of these states.
        fields: their names in our state; the first is the output.
    """
    expected, state = [], start
    for x in arrays()["sequence"]:
        state = step(state, x)
        expected.append(state)
    for dtype, tolerance in (("float32", 1e-6), ("float64", 1e-12)):
        with jax.enable_x64(dtype == "float64"):
            machine = jn.cast(build(), dtype)
            _, outputs, states = jn.run(machine, jnp.asarray(arrays()["sequence"], dtype), observe=whole)
            for field, parts in zip(fields, map(np.stack, zip(*expected, strict=True)), strict=True):
                actual = getattr(states, field)
                assert actual.dtype == dtype
                bound = tolerance * max(1, np.abs(parts).max())
                np.testing.assert_allclose(actual, parts, rtol=0, atol=bound, err_msg=f"{field} {dtype}")
            np.testing.assert_array_equal(outputs, getattr(states, fields[0]))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))
