"""The complex recurrent network against a transcription, and against the real one that it contains."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.complex.transcribed import check_transcription, disturbed, features, joined, mod_relu

ACTIVATIONS = ("hirose", "split", "modrelu")


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_equals_the_equations(activation, key, float64):
    def network(p, sequence):
        w, u, b = (joined(p[name]) for name in ("input_weights", "recurrent_weights", "bias"))
        hidden, outputs = np.zeros(b.size), []
        for x in sequence:
            z = w @ x + u @ hidden + b
            hidden = {
                "hirose": lambda z: np.tanh(np.abs(z)) * np.exp(1j * np.angle(z)),
                "split": lambda z: np.tanh(z.real) + 1j * np.tanh(z.imag),
                "modrelu": lambda z: mod_relu(z, p["modulus_bias"]),
            }[activation](z)
            outputs.append(features(hidden))
        return outputs

    machine = disturbed(jn.complex.ComplexRNN(3, 5, activation=activation, key=key))
    check_transcription(jax.tree.map(lambda leaf: 0.6 * leaf, machine), network)


@pytest.mark.parametrize("activation", ["hirose", "split"])
def test_with_imaginary_parts_of_zero_it_is_the_real_network_of_elman(activation, key, float64):
    machine = jn.complex.ComplexRNN(3, 5, activation=activation, key=key)
    real = eqx.tree_at(
        lambda m: (m.input_weights, m.recurrent_weights, m.bias),
        machine,
        replace_fn=lambda leaf: jnp.stack([leaf[0], 0 * leaf[1]]),
    )
    inputs, hidden, expected = np.asarray(jax.random.normal(key, (20, 3))), np.zeros(5), []
    for x in inputs:
        hidden = np.tanh(np.asarray(machine.input_weights[0]) @ x + np.asarray(machine.recurrent_weights[0]) @ hidden)
        expected.append(np.concatenate([hidden, np.zeros(5)]))
    np.testing.assert_allclose(jn.run(real, jnp.asarray(inputs))[1], expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("activation", "more"), [("hirose", 0), ("split", 0), ("modrelu", 8)])
def test_has_twice_the_parameters_of_the_real_network(activation, more):
    machine = jax.eval_shape(lambda key: jn.complex.ComplexRNN(3, 8, activation=activation, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 2 * 8 * (3 + 8 + 1) + more
    assert machine.outputs == 16


def test_starts_unitary(key, float64):
    machine = jn.complex.ComplexRNN(30, 50, activation="modrelu", key=key)
    u = joined(np.asarray(machine.recurrent_weights))
    np.testing.assert_allclose(u.conj().T @ u, np.eye(50), atol=1e-13)
    weights = machine.input_weights
    assert np.var(weights) == pytest.approx(2 / 80, rel=4 * (0.8 / weights.size) ** 0.5)
    np.testing.assert_array_equal(machine.bias, 0)
    np.testing.assert_array_equal(machine.modulus_bias, 0)


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="ComplexRNN got inputs=0, units=4; both must be at least 1"):
        jn.complex.ComplexRNN(0, 4, key=key)
