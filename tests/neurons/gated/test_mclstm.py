"""The mass-conserving LSTM against its equations, and its balance of mass."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_by_hand, sigmoid, size

MASSES, UNITS = 2, 3


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


def equations(m, sequence):
    def gate(a, q, start):
        rows = slice(start, start + UNITS)
        return m.input_weights[rows] @ a + m.recurrent_weights[rows] @ q + m.bias[rows]

    c = np.zeros(UNITS)
    for given in sequence:
        mass, a = given[:MASSES], given[MASSES:]
        q = c / (np.abs(c).sum() + m.least)
        t = np.zeros(UNITS)
        for j in range(MASSES):
            t += softmax(gate(a, q, UNITS * j)) * mass[j]
        for j in range(UNITS):
            t += softmax(gate(a, q, UNITS * (MASSES + j))) * c[j]
        o = sigmoid(gate(a, q, UNITS * (MASSES + UNITS)))
        c = (1 - o) * t
        yield o * t, c


def positive(steps, size, seed=3):
    return np.abs(np.random.default_rng(seed).normal(size=(steps, size)))


def test_follows_the_equations():
    def build(key):
        with jax.enable_x64(True):
            return jn.gated.MCLSTM(MASSES + 2, UNITS, masses=MASSES, least=0.1, key=key)

    check_by_hand(build, equations, "cell", sequence=positive(12, MASSES + 2))


@pytest.mark.parametrize("masses", [1, 3])
def test_mass_is_kept_or_goes_out(masses, key, float64):
    machine = jn.gated.MCLSTM(masses + 2, 5, masses=masses, key=key)
    inputs = positive(500, masses + 2)
    _, outputs, cells = jn.run(machine, jnp.asarray(inputs), observe=lambda state: state.cell)
    came, went, kept = inputs[:, :masses].sum(axis=1).cumsum(), outputs.sum(axis=1).cumsum(), cells.sum(axis=1)
    np.testing.assert_allclose(went + kept, came, rtol=1e-12)
    assert np.all(outputs > 0)
    assert np.all(cells > 0)


def test_steering_inputs_bring_no_mass(key):
    machine = jn.gated.MCLSTM(4, 5, key=key)
    inputs = positive(50, 4) * [0, 1, 1, 1]
    state, outputs = jn.run(machine, jnp.asarray(inputs))
    np.testing.assert_array_equal(outputs, 0)
    np.testing.assert_array_equal(state.cell, 0)


@pytest.mark.parametrize(("inputs", "units", "masses"), [(2, 1, 1), (3, 8, 1), (20, 12, 5)])
def test_has_a_column_for_each_mass_and_each_neuron(inputs, units, masses):
    parameters = size(lambda key: jn.gated.MCLSTM(inputs, units, masses=masses, key=key))
    gates, least = masses * units + units**2 + units, 1
    assert parameters == gates * (inputs - masses + units + 1) + least


def test_starts_with_mass_that_stays(key):
    machine = jn.gated.MCLSTM(4, 5, masses=2, key=key)
    into, between, out = np.split(np.asarray(machine.bias), [10, 35])
    np.testing.assert_array_equal(into, 0)
    np.testing.assert_array_equal(between.reshape(5, 5), np.eye(5))
    np.testing.assert_array_equal(out, -3)
    assert float(machine.least) == pytest.approx(1e-5)
    assert not np.any(machine.init(key).cell)


def test_gradients_at_no_mass_are_finite(key):
    machine = jn.gated.MCLSTM(4, 5, key=key)
    gradients = jax.grad(lambda m, x: jn.run(m, x)[1].sum(), argnums=(0, 1))(machine, jnp.zeros((20, 4)))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))


def test_bad_arguments_are_refused(key):
    with pytest.raises(ValueError, match="MCLSTM got inputs=3, units=0, masses=1; all must be at least 1"):
        jn.gated.MCLSTM(3, 0, key=key)
    with pytest.raises(ValueError, match="MCLSTM got inputs=3, masses=3; masses must be below inputs"):
        jn.gated.MCLSTM(3, 4, masses=3, key=key)
    with pytest.raises(ValueError, match=r"MCLSTM\.least is 0; it must be above 0"):
        jn.gated.MCLSTM(3, 4, least=0.0, key=key)
