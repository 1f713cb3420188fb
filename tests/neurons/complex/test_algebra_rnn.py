"""The recurrent network of an algebra against Hamilton's product written out, and against the complex and real ones."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.complex.transcribed import check_transcription, disturbed


def hamilton(w, x):
    """A matrix of quaternions times a vector of them, `[4, outputs, inputs]` and `[4, inputs]`, part by part."""
    r, i, j, k = w
    a, b, c, d = x
    return np.stack(
        [
            r @ a - i @ b - j @ c - k @ d,
            r @ b + i @ a + j @ d - k @ c,
            r @ c - i @ d + j @ a + k @ b,
            r @ d + i @ c - j @ b + k @ a,
        ]
    )


def test_equals_the_equations_of_quaternions(key, float64):
    def network(p, sequence):
        hidden, outputs = np.zeros((4, 3)), []
        for x in sequence:
            sums = hamilton(p["input_weights"], x.reshape(4, 2)) + hamilton(p["recurrent_weights"], hidden) + p["bias"]
            hidden = np.tanh(sums)
            outputs.append(hidden.ravel())
        return outputs

    check_transcription(disturbed(jn.complex.AlgebraRNN(2, 3, key=key)), network, inputs=8)


def test_over_complex_numbers_it_is_the_complex_network_with_split_activation(key, float64):
    machine = disturbed(jn.complex.AlgebraRNN(3, 4, algebra="complex", key=key))
    other = eqx.tree_at(
        lambda m: (m.input_weights, m.recurrent_weights, m.bias),
        jn.complex.ComplexRNN(3, 4, activation="split", key=key),
        (machine.input_weights, machine.recurrent_weights, machine.bias),
    )
    inputs = jax.random.normal(key, (20, 3))
    padded = jnp.concatenate([inputs, jnp.zeros_like(inputs)], axis=1)
    np.testing.assert_allclose(jn.run(machine, padded)[1], jn.run(other, inputs)[1], rtol=0, atol=1e-13)


def test_over_reals_it_is_the_network_of_elman(key, float64):
    machine = disturbed(jn.complex.AlgebraRNN(3, 4, algebra="real", key=key))
    other = eqx.tree_at(
        lambda m: (m.input_weights, m.recurrent_weights, m.bias),
        jn.gated.RNN(3, 4, key=key),
        (machine.input_weights[0], machine.recurrent_weights[0], machine.bias[0]),
    )
    inputs = jax.random.normal(key, (20, 3))
    np.testing.assert_allclose(jn.run(machine, inputs)[1], jn.run(other, inputs)[1], rtol=0, atol=1e-13)


@pytest.mark.parametrize(("name", "dimension"), [("real", 1), ("complex", 2), ("quaternion", 4), ("M3", 9)])
def test_sizes(name, dimension):
    machine = jax.eval_shape(
        lambda key: jn.complex.AlgebraRNN(3, 5, algebra=name, key=key),
        jax.random.key(0),
    )
    assert jn.count_parameters(machine) == dimension * 5 * (3 + 5 + 1)
    assert machine.outputs == dimension * 5


def test_starts_with_an_isometry_and_inputs_of_glorot(key):
    machine = jn.complex.AlgebraRNN(30, 20, key=key)
    u = np.asarray(machine.algebra.expand(machine.recurrent_weights))
    np.testing.assert_allclose(u.T @ u, np.eye(80), atol=1e-5)
    assert np.mean(np.asarray(machine.input_weights) ** 2) == pytest.approx(2 / (4 * 50), rel=0.1)
    np.testing.assert_array_equal(machine.bias, 0)


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="AlgebraRNN got inputs=0, units=4; both must be at least 1"):
        jn.complex.AlgebraRNN(0, 4, key=key)
