"""The LSTM with layer normalisation against its paper's equations, with Equinox's layer norm."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_equations, rows, sigmoid, with_weights

LayerNormLSTM = jn.gated.LayerNormLSTM

INPUTS, UNITS = 3, 4


def test_follows_the_equations_of_the_paper():
    def norm(z):
        mean = sum(z) / len(z)
        return (z - mean) / np.sqrt(sum((z - mean) ** 2) / len(z) + 1e-5)

    def step(m, state, x):
        h, c = state
        summed = m.input_gain * norm(m.input_weights @ x) + m.recurrent_gain * norm(m.recurrent_weights @ h) + m.bias
        i, f, g, o = rows(summed, UNITS)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return [sigmoid(o) * np.tanh(m.cell_gain * norm(c) + m.cell_bias), c]

    check_equations(lambda key: LayerNormLSTM(INPUTS, UNITS, key=key), step, "hidden", "cell")


def test_normalises_as_equinox_does(key):
    lstm = LayerNormLSTM(INPUTS, UNITS, key=key)
    lstm = with_weights(lstm, input_gain=jnp.linspace(-1, 2, 16), bias=jnp.linspace(3, -1, 16))
    norm = eqx.tree_at(lambda m: (m.weight, m.bias), eqx.nn.LayerNorm(16, eps=1e-5), (lstm.input_gain, lstm.bias))
    x = jax.random.normal(key, (INPUTS,))
    np.testing.assert_allclose(lstm.drive(x), norm(lstm.input_weights @ x), rtol=0, atol=1e-6)


def test_does_not_see_how_large_all_weights_are(key):
    lstm = LayerNormLSTM(INPUTS, UNITS, key=key)
    large = with_weights(lstm, input_weights=100 * lstm.input_weights, recurrent_weights=100 * lstm.recurrent_weights)
    sequence = jax.random.normal(key, (10, INPUTS))
    # Up to the small number below the root, which counts where h is small.
    np.testing.assert_allclose(jn.run(lstm, sequence)[1], jn.run(large, sequence)[1], rtol=0, atol=2e-3)


def test_gradients_are_finite_where_nothing_varies(key):
    def total(lstm, sequence):
        return jn.run(lstm, sequence)[1].sum()

    gradients = jax.grad(total, argnums=(0, 1))(LayerNormLSTM(INPUTS, UNITS, key=key), jnp.zeros((5, INPUTS)))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))
    single = jax.grad(total)(LayerNormLSTM(INPUTS, 1, key=key), jnp.ones((5, INPUTS)))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(single))


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (49, 100)])
def test_the_number_of_parameters(inputs, units):
    machine = jax.eval_shape(lambda key: LayerNormLSTM(inputs, units, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 4 * units * (inputs + units + 1) + 10 * units


def test_starts_orthogonal_in_each_gate_and_by_remembering(key):
    machine = LayerNormLSTM(3, 40, key=key)
    for gate in np.split(np.asarray(machine.recurrent_weights), 4):
        np.testing.assert_allclose(gate @ gate.T, np.eye(40), atol=1e-5)
    np.testing.assert_array_equal(machine.bias, np.repeat([0.0, 1.0, 0.0, 0.0], 40))
    for name in ("input_gain", "recurrent_gain", "cell_gain"):
        np.testing.assert_array_equal(getattr(machine, name), 1)
    assert not np.any(machine.cell_bias)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))


@pytest.mark.parametrize(("inputs", "units"), [(0, 3), (3, 0)])
def test_bad_sizes_are_refused(inputs, units, key):
    with pytest.raises(ValueError, match=f"LayerNormLSTM got inputs={inputs}, units={units}; both must be at least 1"):
        LayerNormLSTM(inputs, units, key=key)
