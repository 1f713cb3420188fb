"""Comparing a machine with a transcription of its paper in NumPy, in both precisions."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn


def disturbed(machine, seed=5):
    """The machine with every parameter moved at random, so that none is 0 or 1 by design."""
    generator = np.random.default_rng(seed)

    def move(leaf):
        return leaf + jnp.asarray(generator.uniform(-0.4, 0.4, size=leaf.shape), leaf.dtype)

    return jax.tree.map(lambda leaf: move(leaf) if eqx.is_inexact_array(leaf) else leaf, machine)


def check_transcription(machine, transcribe, steps=25, inputs=3):
    """`transcribe(parameters, inputs)` gives all outputs; parameters are float64 arrays by field name."""
    sequence = np.random.default_rng(6).normal(size=(steps, inputs))
    for dtype, tolerance in (("float32", 1e-6), ("float64", 1e-12)):
        with jax.enable_x64(dtype == "float64"):
            cell = jn.cast(machine, dtype)
            rounded = sequence.astype(dtype)
            # The machine's own rounded numbers: the comparison is of the equations, not of their data.
            fields = {
                name: np.asarray(leaf, leaf.dtype if leaf.dtype.kind == "i" else np.float64)
                for name, leaf in vars(cell).items()
                if eqx.is_array(leaf)
            }
            expected = np.asarray(transcribe(fields, rounded.astype(np.float64)))
            _, outputs = jn.run(cell, jnp.asarray(rounded))
        assert outputs.dtype == dtype
        np.testing.assert_allclose(outputs, expected, rtol=0, atol=tolerance * max(1, np.abs(expected).max()))


def features(z):
    """Real and imaginary parts, one behind the other."""
    return np.concatenate([z.real, z.imag])


def joined(parts):
    """The complex array that a parameter with a leading axis of real and imaginary part stands for."""
    return parts[0] + 1j * parts[1]


def mod_relu(z, b):
    """Element by element."""
    return np.array([max(abs(x) + c, 0) * np.exp(1j * np.angle(x)) for x, c in zip(z, b, strict=True)])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def matrix_of(map_, units, dtype=complex):
    """A linear map as a matrix."""
    return np.asarray(jax.vmap(map_)(jnp.eye(units, dtype=dtype))).T


def drift(rotate, hidden, steps):
    """How far the length of a vector moves, relative to it, under `steps` repetitions of a rotation."""
    final = jax.jit(lambda hidden: jax.lax.fori_loop(0, steps, lambda _, h: rotate(h), hidden))(hidden)
    before, after = (np.linalg.norm(np.asarray(h, complex)) for h in (hidden, final))
    return abs(after / before - 1)


def some_state(units):
    parts = np.random.default_rng(8).normal(size=(2, units))
    return jnp.asarray(parts[0] + 1j * parts[1], jnp.result_type(complex))
