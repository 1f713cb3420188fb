"""The complex GRU against a transcription gate by gate, and in the limits of its gates."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.complex.transcribed import (
    check_transcription,
    disturbed,
    features,
    joined,
    mod_relu,
    sigmoid,
    some_state,
)


def cgrnn(p, sequence):
    v_r, v_z, v = np.split(joined(p["input_weights"]), 3)
    u_r, u_z = np.split(joined(p["recurrent_weights"]), 2)
    b_r, b_z, b = np.split(joined(p["bias"]), 3)
    a_r, a_z = sigmoid(p["mixing"])
    w = joined(p["state_weights"])
    hidden, outputs = np.zeros(b.size, complex), []
    for x in sequence:
        y_r, y_z = v_r @ x + u_r @ hidden + b_r, v_z @ x + u_z @ hidden + b_z
        g_r, g_z = sigmoid(a_r * y_r.real + (1 - a_r) * y_r.imag), sigmoid(a_z * y_z.real + (1 - a_z) * y_z.imag)
        y = w @ (g_r * hidden) + v @ x + b
        activated = mod_relu(y, p["modulus_bias"]) if "modulus_bias" in p else np.tanh(np.abs(y)) * y / np.abs(y)
        hidden = g_z * activated + (1 - g_z) * hidden
        outputs.append(features(hidden))
    return outputs


@pytest.mark.parametrize("unitary", [True, False])
@pytest.mark.parametrize("activation", ["modrelu", "hirose"])
def test_equals_the_equations_of_the_paper(unitary, activation, key, float64):
    machine = jn.complex.ComplexGRU(3, 5, unitary=unitary, activation=activation, key=key)
    check_transcription(jax.tree.map(lambda leaf: 0.6 * leaf, disturbed(machine)), cgrnn)


def test_with_open_gates_it_is_the_unitary_network(key, float64):
    gru, plain = jn.complex.ComplexGRU(3, 5, key=key), jn.complex.FullUnitaryRNN(3, 5, key=key)
    gru = eqx.tree_at(
        lambda m: (m.input_weights, m.state_weights, m.modulus_bias, m.bias),
        gru,
        (
            jnp.concatenate([jnp.zeros((2, 10, 3)), plain.input_weights], axis=1),
            plain.recurrent_weights,
            plain.bias,
            gru.bias.at[:, :10].set(500.0),
        ),
    )
    inputs = jax.random.normal(key, (20, 3))
    np.testing.assert_allclose(jn.run(gru, inputs)[1], jn.run(plain, inputs)[1], rtol=0, atol=1e-13)


def test_with_a_closed_update_gate_it_keeps_its_state(key, float64):
    gru = jn.complex.ComplexGRU(3, 5, key=key)
    gru = eqx.tree_at(lambda m: m.bias, gru, gru.bias.at[:, 5:10].set(-500.0))
    start = type(gru.init(key))(some_state(5))
    state, _ = jn.run(gru, jax.random.normal(key, (20, 3)), state=start)
    np.testing.assert_array_equal(state.hidden, start.hidden)


@pytest.mark.parametrize(("activation", "more"), [("modrelu", 8), ("hirose", 0)])
def test_has_three_complex_gates_of_parameters(activation, more):
    machine = jax.eval_shape(lambda key: jn.complex.ComplexGRU(3, 8, activation=activation, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 2 * 3 * 8 * (3 + 8 + 1) + 2 + more
    assert machine.outputs == 16


def test_starts_open_and_unitary_or_plain(key, float64):
    unitary, plain = (jn.complex.ComplexGRU(3, 30, unitary=flag, key=key) for flag in (True, False))
    w = joined(np.asarray(unitary.state_weights))
    np.testing.assert_allclose(w.conj().T @ w, np.eye(30), atol=1e-13)
    np.testing.assert_array_equal(unitary.bias, np.tile(np.repeat([4.0, 4.0, 0.0], 30), (2, 1)))
    np.testing.assert_array_equal(plain.bias, 0)
    assert np.var(plain.state_weights) == pytest.approx(1 / 30, rel=4 * (0.8 / plain.state_weights.size) ** 0.5)
    for machine in (unitary, plain):
        np.testing.assert_array_equal(machine.mixing, 0)
        np.testing.assert_array_equal(machine.modulus_bias, 0)


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="ComplexGRU got inputs=0, units=4; both must be at least 1"):
        jn.complex.ComplexGRU(0, 4, key=key)
