"""The weights a layer starts with, and what its arguments are checked for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.initial import check_choice, orthogonal, orthonormal, unitary


def test_a_word_that_a_layer_does_not_know_is_refused_with_those_that_it_knows():
    check_choice("RNN", "activation", "relu", ("tanh", "relu"))
    with pytest.raises(ValueError, match=r"^RNN got activation='sine'; it must be 'tanh' or 'relu'\.$"):
        check_choice("RNN", "activation", "sine", ("tanh", "relu"))


@pytest.mark.parametrize("kind", ["float64", "complex128"])
@pytest.mark.usefixtures("float64")
def test_orthonormal_columns_are_those_of_lapack(key, kind):
    matrix = jax.random.normal(key, (20, 20), kind)
    q, r = np.linalg.qr(matrix)
    phases = np.diagonal(r) / np.abs(np.diagonal(r))
    np.testing.assert_allclose(orthonormal(matrix), q * phases, atol=1e-12)


def test_columns_that_are_almost_parallel_become_orthonormal_too(key):
    matrix = jnp.ones((30, 30)) + 1e-4 * jax.random.normal(key, (30, 30))
    found = np.asarray(jax.jit(orthonormal)(matrix), np.float64)
    np.testing.assert_allclose(found.T @ found, np.eye(30), atol=1e-5)


def test_orthogonal_weights_keep_the_length_of_a_state_in_each_gate(key):
    weights = np.asarray(jax.jit(lambda key: orthogonal(key, 64, gates=2))(key), np.float64)
    assert weights.shape == (128, 64)
    for gate in np.split(weights, 2):
        np.testing.assert_allclose(gate.T @ gate, np.eye(64), atol=5e-6)
    assert not np.allclose(weights[:64], weights[64:])


def test_unitary_weights_keep_the_length_of_a_complex_state(key):
    real, imaginary = np.asarray(jax.jit(lambda key: unitary(key, 64))(key), np.float64)
    matrix = real + 1j * imaginary
    np.testing.assert_allclose(matrix.conj().T @ matrix, np.eye(64), atol=5e-6)


def test_weights_are_drawn_without_calls_that_can_wait_for_each_other_on_a_cpu_of_two_cores():
    """Two batched QR factorisations in one program can stop jaxlib 0.10.2 for ever where two threads share the work."""
    lowered = jax.jit(jax.vmap(lambda key: (orthogonal(key, 8, gates=4), unitary(key, 8)))).lower(
        jax.random.split(jax.random.key(0), 20)
    )
    assert "lapack" not in lowered.as_text()
