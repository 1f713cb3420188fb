"""The minimal GRU against the paper's scan in log space, and a plain loop for its options."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit, logsumexp

import jaxneuro as jn
from tests.neurons.linear.oracle import check_executors, check_outputs, drawn, sequence

MinGRU = jn.linear.MinGRU
INPUTS, UNITS, STEPS = 3, 4, 40


def parts(machine, count):
    """The products of each gate with the sequence, by separate matrices."""
    weights, biases = np.asarray(machine.input_weights), np.asarray(machine.bias)
    rows = len(biases) // count
    x = sequence(STEPS, INPUTS)
    return [x @ weights[k * rows : (k + 1) * rows].T + biases[k * rows : (k + 1) * rows] for k in range(count)]


def log_candidate(x):
    return np.where(x >= 0, np.log(np.maximum(x, 0) + 0.5), -np.logaddexp(0, -x))


def scan_in_log_space(log_keep, log_add):
    """Appendix B: h_t = exp(a*_t + logcumsumexp(log b - a*)), a* the cumulative sum of log a."""
    total = np.cumsum(log_keep, axis=0)
    return np.exp(total + np.array([logsumexp((log_add - total)[: t + 1], axis=0) for t in range(len(total))]))


def test_equals_the_parallel_algorithm_in_log_space(float64):
    machine = drawn(MinGRU(INPUTS, UNITS, key=jax.random.key(0)))
    k, candidate = parts(machine, 2)
    log_z, log_keep = -np.logaddexp(0, -k), -np.logaddexp(0, k)
    check_outputs(machine, sequence(STEPS, INPUTS), scan_in_log_space(log_keep, log_z + log_candidate(candidate)))


@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize("positive", [False, True])
def test_equals_a_plain_loop(positive, negative, float64):
    machine = drawn(MinGRU(INPUTS, UNITS, positive=positive, negative=negative, key=jax.random.key(0)))
    k, candidate = parts(machine, 2)
    h, expected = np.zeros(UNITS), []
    for t in range(STEPS):
        z = expit(k[t])
        g = np.exp(log_candidate(candidate[t])) if positive else candidate[t]
        h = (1 - 2 * z if negative else 1 - z) * h + z * g
        expected.append(h)
    check_outputs(machine, sequence(STEPS, INPUTS), np.array(expected))


def test_rotating_it_equals_a_plain_loop_of_complex_numbers(float64):
    machine = drawn(MinGRU(INPUTS, UNITS, positive=False, rotating=True, key=jax.random.key(0)))
    k, theta, real, imaginary = parts(machine, 4)
    h, expected = np.zeros(UNITS // 2, complex), []
    for t in range(STEPS):
        z = expit(k[t])
        h = (1 - z) * np.exp(1j * theta[t]) * h + z * (real[t] + 1j * imaginary[t])
        expected.append([*h.real, *h.imag])
    check_outputs(machine, sequence(STEPS, INPUTS), np.array(expected))


def test_a_rotation_by_pi_is_a_negative_factor(float64):
    rotating = drawn(MinGRU(INPUTS, 2, rotating=True, key=jax.random.key(0)))
    # Row 1 is the angle; row 3 the imaginary part of the candidate, which then vanishes.
    weights, bias = rotating.input_weights.at[1].set(0), rotating.bias.at[1].set(jnp.pi).at[3].set(-1e3)
    weights = weights.at[3].set(0)
    rotating = eqx.tree_at(lambda m: (m.input_weights, m.bias), rotating, (weights, bias))
    plain = MinGRU(INPUTS, 1, key=jax.random.key(0))
    plain = eqx.tree_at(lambda m: (m.input_weights, m.bias), plain, (weights[::2], bias[::2]))
    inputs = jnp.asarray(sequence(STEPS, INPUTS))
    h, expected = 0.0, []
    for x in inputs:
        a, b = plain.affine(x)
        h = -a.hidden[0] * h + b.hidden[0]
        expected.append(h)
    outputs = jn.run(rotating, inputs)[1]
    np.testing.assert_allclose(outputs[:, 0], expected, atol=1e-13)
    np.testing.assert_allclose(outputs[:, 1], 0, atol=1e-13)


@pytest.mark.parametrize("options", [{}, {"positive": False, "negative": True}, {"rotating": True}], ids=str)
def test_in_parallel_it_is_the_same_over_4096_steps(options, key):
    check_executors(MinGRU(INPUTS, UNITS, **options, key=key))


@pytest.mark.parametrize("options", [{}, {"negative": True}, {"rotating": True}], ids=str)
def test_has_as_many_parameters_with_every_option(options):
    machine = jax.eval_shape(lambda key: MinGRU(7, 10, **options, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 2 * 10 * 7 + 2 * 10


def test_starts_with_glorots_variance_and_no_bias():
    machine = MinGRU(300, 100, key=jax.random.key(5))
    weights, variance = np.asarray(machine.input_weights), 2 / 400
    assert weights.shape == (200, 300)
    assert weights.var() == pytest.approx(variance, rel=4 * (0.8 / weights.size) ** 0.5)
    assert not np.any(machine.bias)
    assert not np.any(machine.init(jax.random.key(0)).hidden)


def test_saturated_gates_stay_numbers(key):
    machine = eqx.tree_at(lambda m: m.bias, MinGRU(1, 2, key=key), jnp.array([1e4, -1e4, -1e4, 1e4]))

    def last(machine):
        return jn.run(machine, jnp.ones((50, 1)))[1][-1].sum()

    value, gradient = jax.value_and_grad(last)(machine)
    assert np.isfinite(value)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


def test_bad_arguments_are_refused(key):
    with pytest.raises(ValueError, match="MinGRU got inputs=0, units=3; both must be at least 1"):
        MinGRU(0, 3, key=key)
    with pytest.raises(ValueError, match="units=3 with rotating=True; it must be even"):
        MinGRU(2, 3, rotating=True, key=key)
    with pytest.raises(ValueError, match="negative=True with rotating=True"):
        MinGRU(2, 4, rotating=True, negative=True, key=key)
