"""The uRNN against a product of explicit matrices, and its recurrence against what unitary means."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
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


def recurrence(p):
    """W by its definition, with the discrete Fourier transform as a matrix."""
    units = p["bias"].size
    index = np.arange(units)
    fourier = np.exp(-2j * np.pi * np.outer(index, index) / units) / np.sqrt(units)
    d1, d2, d3 = (np.diag(np.exp(1j * phase)) for phase in p["phases"])
    r1, r2 = (np.eye(units) - 2 * np.outer(v, v.conj()) / np.vdot(v, v) for v in joined(p["reflections"]))
    permutation = np.zeros((units, units))
    permutation[index, p["permutation"]] = 1
    return d3 @ r2 @ fourier.conj().T @ d2 @ permutation @ r1 @ fourier @ d1


def urnn(p, sequence):
    w, v, hidden, outputs = recurrence(p), joined(p["input_weights"]), np.zeros(p["bias"].size, complex), []
    for x in sequence:
        hidden = mod_relu(w @ hidden + v @ x, p["bias"])
        outputs.append(features(hidden))
    return outputs


@pytest.mark.parametrize("units", [6, 8])
def test_equals_the_product_of_the_matrices_of_the_paper(units, key, float64):
    check_transcription(disturbed(jn.complex.UnitaryRNN(3, units, key=key)), urnn)


@pytest.mark.parametrize("units", [5, 64])
def test_the_recurrence_is_unitary(units, key, float64):
    w = matrix_of(jn.complex.UnitaryRNN(3, units, key=key).rotate, units)
    np.testing.assert_allclose(w.conj().T @ w, np.eye(units), atol=1e-13)


@pytest.mark.parametrize("units", [50, 64])
def test_the_linear_recurrence_changes_the_length_of_a_state_by_less_than_a_rounding_per_step(units, key):
    # A Fourier transform of rounded numbers is not quite unitary, and its error is the same in every step.
    rounding = np.finfo(np.float32).eps
    assert drift(jn.complex.UnitaryRNN(3, units, key=key).rotate, some_state(units), 100_000) <= 100_000 * rounding


def test_the_linear_recurrence_of_double_precision_keeps_the_length_of_a_state_for_100000_steps(key, float64):
    assert drift(jn.complex.UnitaryRNN(3, 50, key=key).rotate, some_state(50), 100_000) <= 1e-10


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (40, 16)])
def test_has_seven_parameters_a_unit_for_the_recurrence_one_for_the_bias_two_for_each_input(inputs, units):
    machine = jax.eval_shape(lambda key: jn.complex.UnitaryRNN(inputs, units, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 7 * units + 2 * units * inputs + units
    assert machine.outputs == 2 * units


def test_starts_as_the_paper_says(key):
    machine = jn.complex.UnitaryRNN(30, 500, key=key)
    for leaf, bound in ((machine.phases, np.pi), (machine.reflections, 1), (machine.input_weights, (6 / 530) ** 0.5)):
        assert np.abs(leaf).max() <= bound
        # The variance of a sample of a uniform distribution has a relative standard error of sqrt(0.8 / n).
        assert np.var(leaf) == pytest.approx(bound**2 / 3, rel=4 * (0.8 / leaf.size) ** 0.5)
    np.testing.assert_array_equal(machine.bias, 0)
    np.testing.assert_array_equal(np.sort(machine.permutation), np.arange(500))
    assert np.any(machine.permutation != np.arange(500))
    np.testing.assert_array_equal(machine.init(key).hidden, 0)


def test_starts_linear(key, float64):
    machine, inputs = jn.complex.UnitaryRNN(3, 6, key=key), jax.random.normal(key, (9, 3))
    np.testing.assert_allclose(jn.run(machine, 2 * inputs)[1], 2 * jn.run(machine, inputs)[1], rtol=1e-12)


def test_gradients_at_zero_state_and_input_are_finite_and_pass_through(key):
    machine = jn.complex.UnitaryRNN(3, 6, key=key)

    def total(inputs):
        return jnp.sum(jn.run(machine, inputs)[1][-1] ** 2 + jn.run(machine, inputs)[1][-1])

    slope = jax.grad(total)(jnp.zeros((5, 3)))
    assert np.isfinite(slope).all()
    assert np.abs(slope[0]).max() > 0


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="UnitaryRNN got inputs=0, units=3; both must be at least 1"):
        jn.complex.UnitaryRNN(0, 3, key=key)
