"""The unitary network of full capacity against a transcription, and its recurrence against what unitary means."""

import jax
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons.complex.activations import as_complex
from tests.neurons.complex.transcribed import (
    check_transcription,
    disturbed,
    drift,
    features,
    joined,
    mod_relu,
    some_state,
)


def network(p, sequence):
    w, v, hidden, outputs = joined(p["recurrent_weights"]), joined(p["input_weights"]), np.zeros(p["bias"].size), []
    for x in sequence:
        hidden = mod_relu(w @ hidden + v @ x, p["bias"])
        outputs.append(features(hidden))
    return outputs


def test_equals_the_equations_of_the_paper(key, float64):
    machine = disturbed(jn.complex.FullUnitaryRNN(3, 5, key=key))
    check_transcription(jax.tree.map(lambda leaf: leaf * 0.7, machine), network)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (40, 16)])
def test_has_a_full_complex_matrix(inputs, units):
    machine = jax.eval_shape(lambda key: jn.complex.FullUnitaryRNN(inputs, units, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 2 * units**2 + 2 * units * inputs + units
    assert machine.outputs == 2 * units


def test_starts_unitary_without_a_preferred_phase(key, float64):
    machine = jn.complex.FullUnitaryRNN(3, 200, key=key)
    w = joined(np.asarray(machine.recurrent_weights))
    np.testing.assert_allclose(w.conj().T @ w, np.eye(200), atol=1e-13)
    # The eigenvalues of a matrix drawn evenly lie evenly on the circle: their sum is of order 1, not sqrt(200).
    values = np.linalg.eigvals(w)
    np.testing.assert_allclose(np.abs(values), 1, atol=1e-12)
    assert abs(values.sum()) < 5
    np.testing.assert_array_equal(machine.bias, 0)


# How roundings add up is a matter of the program as users have it.
@pytest.mark.computing
@pytest.mark.parametrize(("units", "seed"), [(20, 0), (20, 1), (64, 0), (64, 1), (100, 0)])
def test_the_linear_recurrence_keeps_the_length_of_a_state_for_100000_steps(units, seed):
    w = as_complex(jn.complex.FullUnitaryRNN(3, units, key=jax.random.key(seed)).recurrent_weights)
    assert drift(lambda hidden: w @ hidden, some_state(units), 100_000) <= 2e-3


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="FullUnitaryRNN got inputs=3, units=0; both must be at least 1"):
        jn.complex.FullUnitaryRNN(3, 0, key=key)
