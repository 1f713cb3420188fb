"""The GORU against a transcription gate by gate, and its rotation against what orthogonal means."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.complex.test_rotations import matrix, pairs_of
from tests.neurons.complex.transcribed import check_transcription, disturbed, matrix_of, sigmoid


@pytest.mark.parametrize(("units", "layers", "style"), [(6, 3, "tunable"), (5, 2, "tunable"), (8, 2, "fft")])
def test_equals_the_equations_of_the_paper(units, layers, style, key, float64):
    def goru(p, sequence):
        q = matrix(units, pairs_of(units, layers, style), p["angles"], 0 * p["angles"]).real
        w_r, w_z, w = np.split(p["input_weights"], 3)
        (u_r, u_z), (b_r, b_z) = np.split(p["recurrent_weights"], 2), np.split(p["bias"], 2)
        hidden, outputs = np.zeros(units), []
        for x in sequence:
            r = sigmoid(w_r @ x + u_r @ hidden + b_r)
            z = sigmoid(w_z @ x + u_z @ hidden + b_z)
            y = w @ x + r * (q @ hidden)
            candidate = np.sign(y) * np.maximum(np.abs(y) + p["modulus_bias"], 0)
            hidden = z * hidden + (1 - z) * candidate
            outputs.append(hidden)
        return outputs

    check_transcription(disturbed(jn.complex.GORU(3, units, layers=layers, style=style, key=key)), goru)


@pytest.mark.parametrize("style", ["tunable", "fft"])
def test_the_rotation_is_orthogonal(style, key, float64):
    q = matrix_of(jn.complex.GORU(3, 16, layers=5, style=style, key=key).rotate, 16, float)
    assert q.dtype == np.float64
    np.testing.assert_allclose(q.T @ q, np.eye(16), atol=1e-14)


def test_keeps_its_state_with_the_update_gate_closed_and_its_length_with_it_open_in_silence(key, float64):
    machine = jn.complex.GORU(3, 6, key=key)
    machine = eqx.tree_at(lambda m: m.recurrent_weights, machine, replace_fn=jnp.zeros_like)
    start = type(machine.init(key))(jax.random.normal(key, (6,)))
    for bias, check in ((40.0, lambda h: h), (-40.0, np.linalg.norm)):
        fixed = eqx.tree_at(lambda m: m.bias, machine, jnp.asarray([40.0] * 6 + [bias] * 6))
        state, _ = jn.run(fixed, jnp.zeros((50, 3)), state=start)
        np.testing.assert_allclose(check(state.hidden), check(start.hidden), rtol=1e-12)


@pytest.mark.parametrize(("layers", "style", "rotations"), [(1, "tunable", 8), (3, "tunable", 23), (9, "fft", 32)])
def test_has_the_parameters_of_two_gates_and_of_the_rotations(layers, style, rotations):
    machine = jax.eval_shape(lambda key: jn.complex.GORU(3, 16, layers=layers, style=style, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 16 * (3 * 3 + 2 * 16 + 3) + rotations
    assert machine.outputs == 16


def test_starts_with_an_open_reset_gate_and_orthogonal_gates(key, float64):
    machine = jn.complex.GORU(3, 20, key=key)
    np.testing.assert_array_equal(machine.bias, np.repeat([2.0, 0.0], 20))
    np.testing.assert_array_equal(machine.modulus_bias, 0)
    for gate in np.split(np.asarray(machine.recurrent_weights), 2):
        np.testing.assert_allclose(gate @ gate.T, np.eye(20), atol=1e-13)
    assert np.abs(machine.angles).max() <= np.pi


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="GORU got inputs=3, units=0; both must be at least 1"):
        jn.complex.GORU(3, 0, key=key)
