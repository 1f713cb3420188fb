"""The minimal LSTM against the paper's scan in log space, and a plain loop for its options."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit, logsumexp

import jaxneuro as jn
from tests.neurons.linear.oracle import check_executors, check_outputs, drawn, sequence

MinLSTM = jn.linear.MinLSTM
INPUTS, UNITS, STEPS = 3, 4, 40


def parts(machine):
    """The products of f, i and g with the sequence, by separate matrices."""
    matrices, biases = np.split(np.asarray(machine.input_weights), 3), np.split(np.asarray(machine.bias), 3)
    return [sequence(STEPS, INPUTS) @ matrix.T + bias for matrix, bias in zip(matrices, biases, strict=True)]


def softplus(x):
    return np.logaddexp(0, x)


def test_equals_the_parallel_algorithm_in_log_space(float64):
    machine = drawn(MinLSTM(INPUTS, UNITS, key=jax.random.key(0)))
    f, i, g = parts(machine)
    difference = softplus(-f) - softplus(-i)
    log_f, log_i = -softplus(difference), -softplus(-difference)
    log_g = np.where(g >= 0, np.log(np.maximum(g, 0) + 0.5), -softplus(-g))
    total = np.cumsum(log_f, axis=0)
    added = log_i + log_g - total
    expected = np.exp(total + np.array([logsumexp(added[: t + 1], axis=0) for t in range(STEPS)]))
    check_outputs(machine, sequence(STEPS, INPUTS), expected)


@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize("positive", [False, True])
def test_equals_a_plain_loop_that_divides_the_gates(positive, negative, float64):
    machine = drawn(MinLSTM(INPUTS, UNITS, positive=positive, negative=negative, key=jax.random.key(0)))
    h, expected = np.zeros(UNITS), []
    for f, i, g in zip(*parts(machine), strict=True):
        f, i = expit(f), expit(i)
        candidate = np.where(g >= 0, g + 0.5, expit(g)) if positive else g
        keep, add = f / (f + i), i / (f + i)
        h = (2 * keep - 1 if negative else keep) * h + add * candidate
        expected.append(h)
    check_outputs(machine, sequence(STEPS, INPUTS), np.array(expected))


def test_gates_that_both_vanish_keep_one_half(key):
    machine = MinLSTM(1, 1, key=key)
    machine = eqx.tree_at(
        lambda m: (m.input_weights, m.bias), machine, (jnp.zeros((3, 1)), jnp.array([-300.0, -300.0, 1.0]))
    )

    def last(machine, steps):
        return jn.run(machine, jnp.zeros((steps, 1)))[1][-1, 0]

    # exp(-300) is 0 in single precision: the quotient of the gates would be 0 / 0.
    assert last(machine, 1) == pytest.approx(0.75)
    assert last(machine, 30) == pytest.approx(1.5)
    gradient = jax.grad(last)(machine, 30)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


@pytest.mark.parametrize("options", [{}, {"positive": False, "negative": True}], ids=str)
def test_in_parallel_it_is_the_same_over_4096_steps(options, key):
    check_executors(MinLSTM(INPUTS, UNITS, **options, key=key))


def test_has_three_rows_of_parameters_per_unit():
    machine = jax.eval_shape(lambda key: MinLSTM(7, 5, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 3 * 5 * 7 + 3 * 5


def test_starts_with_glorots_variance_and_no_bias():
    machine = MinLSTM(300, 100, key=jax.random.key(5))
    weights = np.asarray(machine.input_weights)
    assert weights.shape == (300, 300)
    assert weights.var() == pytest.approx(2 / 400, rel=4 * (0.8 / weights.size) ** 0.5)
    assert not np.any(machine.bias)
    assert not np.any(machine.init(jax.random.key(0)).hidden)


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="MinLSTM got inputs=3, units=0; both must be at least 1"):
        MinLSTM(3, 0, key=key)
