"""The EUNN against explicit matrices of rotations, and its recurrence against what unitary means."""

import jax
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.complex.test_rotations import matrix, pairs_of
from tests.neurons.complex.transcribed import (
    check_transcription,
    disturbed,
    drift,
    features,
    joined,
    matrix_of,
    mod_relu,
    some_state,
)


@pytest.mark.parametrize(("units", "layers", "style"), [(6, 3, "tunable"), (5, 2, "tunable"), (8, 2, "fft")])
def test_equals_the_product_of_the_matrices_of_the_paper(units, layers, style, key, float64):
    def eunn(p, sequence):
        w = np.diag(np.exp(1j * p["phases"])) @ matrix(units, pairs_of(units, layers, style), p["angles"], p["turns"])
        hidden, outputs = np.zeros(units), []
        for x in sequence:
            hidden = mod_relu(w @ hidden + joined(p["input_weights"]) @ x, p["bias"])
            outputs.append(features(hidden))
        return outputs

    check_transcription(disturbed(jn.complex.EUNN(3, units, layers=layers, style=style, key=key)), eunn)


@pytest.mark.parametrize("style", ["tunable", "fft"])
def test_the_recurrence_is_unitary(style, key, float64):
    w = matrix_of(jn.complex.EUNN(3, 16, layers=5, style=style, key=key).rotate, 16)
    np.testing.assert_allclose(w.conj().T @ w, np.eye(16), atol=1e-13)


@pytest.mark.parametrize("style", ["tunable", "fft"])
def test_the_linear_recurrence_keeps_the_length_of_a_state_for_100000_steps(style, key):
    machine = jn.complex.EUNN(3, 64, layers=4, style=style, key=key)
    assert drift(machine.rotate, some_state(64), 100_000) <= 2e-3


@pytest.mark.parametrize(("layers", "style", "rotations"), [(1, "tunable", 8), (3, "tunable", 23), (9, "fft", 32)])
def test_has_two_parameters_for_each_rotation(layers, style, rotations):
    machine = jax.eval_shape(lambda key: jn.complex.EUNN(3, 16, layers=layers, style=style, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 2 * 16 * 3 + 2 * 16 + 2 * rotations
    assert machine.outputs == 32


def test_angles_start_uniform_on_the_circle(key):
    machine = jn.complex.EUNN(3, 400, layers=8, key=key)
    for leaf in (machine.angles, machine.turns, machine.phases):
        assert np.abs(leaf).max() <= np.pi
        assert np.var(leaf) == pytest.approx(np.pi**2 / 3, rel=4 * (0.8 / leaf.size) ** 0.5)
    np.testing.assert_array_equal(machine.bias, 0)


def test_bad_arguments_are_refused(key):
    with pytest.raises(ValueError, match="EUNN got inputs=0, units=4; both must be at least 1"):
        jn.complex.EUNN(0, 4, key=key)
    with pytest.raises(ValueError, match='EUNN got units=6 with style="fft"; it must be a power of 2'):
        jn.complex.EUNN(3, 6, style="fft", key=key)
