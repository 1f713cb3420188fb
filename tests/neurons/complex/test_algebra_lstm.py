"""The LSTM of an algebra against Hamilton's product written out, and against the real one."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.complex.test_algebra_rnn import hamilton
from tests.neurons.complex.transcribed import check_transcription, disturbed, sigmoid


def test_equals_the_equations_of_the_quaternion_lstm(key, float64):
    units = 3

    def gate(p, number, x, hidden):
        rows = slice(number * units, (number + 1) * units)
        w, u, b = (p[name][:, rows] for name in ("input_weights", "recurrent_weights", "bias"))
        return hamilton(w, x) + hamilton(u, hidden) + b

    def network(p, sequence):
        hidden = cell = np.zeros((4, units))
        outputs = []
        for x in sequence:
            x = x.reshape(4, 2)
            i, f, g, o = (gate(p, number, x, hidden) for number in range(4))
            cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
            hidden = sigmoid(o) * np.tanh(cell)
            outputs.append(hidden.ravel())
        return outputs

    check_transcription(disturbed(jn.complex.AlgebraLSTM(2, units, key=key)), network, inputs=8)


def test_over_reals_it_is_the_lstm(key, float64):
    machine = disturbed(jn.complex.AlgebraLSTM(3, 4, algebra="real", key=key))
    other = eqx.tree_at(
        lambda m: (m.input_weights, m.recurrent_weights, m.bias),
        jn.LSTM(3, 4, key=key),
        (machine.input_weights[0], machine.recurrent_weights[0], machine.bias[0]),
    )
    inputs = jax.random.normal(key, (20, 3))
    np.testing.assert_allclose(jn.run(machine, inputs)[1], jn.run(other, inputs)[1], rtol=0, atol=1e-13)


@pytest.mark.parametrize(("name", "dimension"), [("real", 1), ("quaternion", 4), ("Cl(3,0)", 8)])
def test_sizes(name, dimension):
    machine = jax.eval_shape(
        lambda key: jn.complex.AlgebraLSTM(3, 5, algebra=name, key=key),
        jax.random.key(0),
    )
    assert jn.count_parameters(machine) == 4 * dimension * 5 * (3 + 5 + 1)
    assert machine.outputs == dimension * 5


def test_starts_by_remembering(key):
    machine = jn.complex.AlgebraLSTM(2, 6, key=key)
    np.testing.assert_array_equal(machine.bias, np.repeat([0, 1, 0, 0], 6) * np.ones((4, 1)))
    for gate in jnp.split(machine.recurrent_weights, 4, axis=1):
        u = np.asarray(machine.algebra.expand(gate))
        np.testing.assert_allclose(u.T @ u, np.eye(24), atol=1e-5)


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="AlgebraLSTM got inputs=0, units=4; both must be at least 1"):
        jn.complex.AlgebraLSTM(0, 4, key=key)
