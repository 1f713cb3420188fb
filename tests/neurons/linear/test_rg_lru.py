"""The real-gated linear recurrent unit against lrnnx, a plain loop and the statements of its paper."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import kstest

import jaxneuro as jn
from tests.neurons.linear.oracle import check_executors, check_outputs, drawn, recorded, sequence

RGLRU = jn.linear.RGLRU


def test_equals_lrnnx_with_the_same_weights(float64):
    found = recorded("RGLRU")
    # There a is given itself, not by softplus: a = exp(-softplus(Lambda)).
    machine = eqx.tree_at(
        lambda m: (m.input_weights, m.bias, m.decay),
        RGLRU(3, 3, key=jax.random.key(0)),
        (
            jnp.stack([found["recurrent"], found["input"]])[:, None],
            jnp.concatenate(list(found["biases"])),
            jnp.log(jnp.expm1(-jnp.log(found["base"]))),
        ),
    )
    # lrnnx works in single precision.
    outputs = jn.run(machine, jnp.asarray(found["sequence"], float))[1]
    np.testing.assert_allclose(outputs, found["outputs"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize(("inputs", "blocks"), [(6, 1), (6, 3), (2, 2)])
def test_equals_a_plain_loop(inputs, blocks, negative, float64):
    machine = drawn(RGLRU(inputs, 6, blocks=blocks, negative=negative, key=jax.random.key(0)))
    width, inputs_over_time = 6 // blocks, sequence(60, inputs)
    h, expected = np.zeros(6), []
    for x in inputs_over_time:
        if inputs != 6:
            x = np.asarray(machine.projection_weights) @ x
        gates = []
        for gate, bias in zip(np.asarray(machine.input_weights), np.split(np.asarray(machine.bias), 2), strict=True):
            products = [gate[k] @ x[k * width : (k + 1) * width] for k in range(blocks)]
            gates.append(expit(np.concatenate(products) + bias))
        a = expit(-np.asarray(machine.decay)) ** (8 * gates[0])
        a = 2 * a - 1 if negative else a
        h = a * h + np.sqrt(1 - a**2) * (gates[1] * x)
        expected.append(h)
    check_outputs(machine, inputs_over_time, np.array(expected))


def test_keeps_the_variance_of_white_noise(float64):
    machine = eqx.tree_at(
        lambda m: (m.input_weights, m.bias),
        RGLRU(50, 50, key=jax.random.key(1)),
        # The recurrence gate is half open, and the input gate open.
        (jnp.zeros((2, 1, 50, 50)), jnp.repeat(jnp.array([0.0, 50.0]), 50)),
    )
    outputs = jn.run(machine, jax.random.normal(jax.random.key(2), (20_000, 50)))[1]
    assert np.var(outputs[2000:]) == pytest.approx(1, rel=0.05)


def test_starts_with_decays_uniform_between_0_9_and_0_999():
    machine = RGLRU(4000, 4000, blocks=4000, key=jax.random.key(3))
    decay = np.exp(-8 * np.logaddexp(0, np.asarray(machine.decay, np.float64)))
    assert decay.min() > 0.899
    assert decay.max() < 0.9991
    assert kstest((decay - 0.9) / 0.099, "uniform").pvalue > 1e-3
    assert not np.any(machine.bias)


def test_starts_with_gates_of_lecuns_variance():
    weights = RGLRU(60, 60, blocks=2, key=jax.random.key(4)).input_weights
    assert weights.shape == (2, 2, 30, 30)
    assert np.var(weights) == pytest.approx(1 / 30, rel=4 * (2 / weights.size) ** 0.5)


def test_a_gate_that_closes_has_a_finite_gradient(key):
    machine = eqx.tree_at(lambda m: m.bias, RGLRU(2, 2, key=key), jnp.array([-200.0, -200.0, 0.0, 0.0]))

    def total(machine):
        return jn.run(machine, jnp.ones((5, 2)))[1].sum()

    value, gradient = jax.value_and_grad(total)(machine)
    assert value == 0
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


@pytest.mark.parametrize("negative", [False, True])
def test_in_parallel_it_is_the_same_over_4096_steps(negative, key):
    check_executors(RGLRU(3, 4, blocks=2, negative=negative, key=key))


def test_the_number_of_parameters():
    def count(*sizes, **options):
        return jn.count_parameters(jax.eval_shape(lambda key: RGLRU(*sizes, **options, key=key), jax.random.key(0)))

    assert count(8, 8, blocks=4) == 2 * 8**2 // 4 + 3 * 8
    assert count(5, 8, blocks=2) == 2 * 8**2 // 2 + 3 * 8 + 8 * 5


def test_bad_arguments_are_refused(key):
    with pytest.raises(ValueError, match="RGLRU got inputs=3, units=0, blocks=1; all must be at least 1"):
        RGLRU(3, 0, key=key)
    with pytest.raises(ValueError, match="units=6, blocks=4; the units must be a multiple of the blocks"):
        RGLRU(6, 6, blocks=4, key=key)
