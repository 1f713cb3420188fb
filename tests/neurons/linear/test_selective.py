"""The selective state space layer against lrnnx, a plain loop and the statements of its paper."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import kstest

import jaxneuro as jn
from tests.neurons.linear.oracle import check_executors, check_outputs, drawn, recorded, sequence

Selective = jn.linear.Selective


def test_equals_lrnnx_with_the_same_weights(float64):
    found = recorded("Selective")
    machine = eqx.tree_at(
        lambda m: (m.input_weights, m.output_weights, m.step_weights, m.bias, m.log_decay, m.feedthrough),
        Selective(3, 3, states=4, rank=3, key=jax.random.key(0)),
        (
            jnp.concatenate([found["step"], found["b"]]),
            jnp.asarray(found["c"]),
            jnp.eye(3),
            jnp.asarray(found["bias"]),
            jnp.log(-found["a"]),
            jnp.asarray(found["d"]),
        ),
    )
    # lrnnx works in single precision.
    outputs = jn.run(machine, jnp.asarray(found["sequence"], float))[1]
    np.testing.assert_allclose(outputs, found["outputs"], rtol=0, atol=1e-6 * np.abs(found["outputs"]).max())


@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize("inputs", [4, 2])
def test_equals_a_plain_loop(inputs, negative, float64):
    units, states, rank = 4, 3, 2
    machine = drawn(Selective(inputs, units, states=states, rank=rank, negative=negative, key=jax.random.key(0)))
    weights, readout, wide = (
        np.asarray(part) for part in (machine.input_weights, machine.output_weights, machine.step_weights)
    )
    inputs_over_time = sequence(60, inputs)
    h, expected = np.zeros((units, states)), []
    for x in inputs_over_time:
        if inputs != units:
            x = np.asarray(machine.projection_weights) @ x
        b, c = weights[rank:] @ x, readout @ x
        dt = np.log1p(np.exp(wide @ (weights[:rank] @ x) + np.asarray(machine.bias)))
        y = np.asarray(machine.feedthrough) * x
        for d in range(units):
            for n in range(states):
                factor = np.exp(-dt[d] * np.exp(machine.log_decay[d, n]))
                h[d, n] = (2 * factor - 1 if negative else factor) * h[d, n] + dt[d] * b[n] * x[d]
                y[d] += c[n] * h[d, n]
        expected.append(y)
    check_outputs(machine, inputs_over_time, np.array(expected))


def test_a_step_without_time_changes_nothing(key):
    machine = Selective(3, 3, key=key)
    state, _ = jn.run(machine, jax.random.normal(key, (9, 3)))
    stopped = eqx.tree_at(lambda m: m.bias, machine, jnp.full(3, -200.0))
    after, _ = stopped.step(state, jnp.ones(3))
    np.testing.assert_array_equal(after.hidden, state.hidden)


def test_starts_with_the_numbers_of_its_paper():
    machine = Selective(3000, 3000, states=5, rank=2, key=jax.random.key(2))
    np.testing.assert_allclose(np.exp(machine.log_decay), np.tile([1, 2, 3, 4, 5], (3000, 1)), rtol=1e-6)
    step = np.logaddexp(0, np.asarray(machine.bias, np.float64))
    assert kstest(np.log(step / 0.001) / np.log(100), "uniform").pvalue > 1e-3
    np.testing.assert_array_equal(machine.feedthrough, 1)
    assert np.abs(machine.step_weights).max() <= 2**-0.5
    for weights in (machine.input_weights, machine.output_weights):
        assert np.var(weights) == pytest.approx(1 / 9000, rel=4 * (0.8 / weights.size) ** 0.5)


@pytest.mark.parametrize("negative", [False, True])
def test_in_parallel_it_is_the_same_over_4096_steps(negative, key):
    check_executors(Selective(3, 3, states=4, negative=negative, key=key))


def test_the_number_of_parameters():
    def count(*sizes, **options):
        made = jax.eval_shape(lambda key: Selective(*sizes, **options, key=key), jax.random.key(0))
        return jn.count_parameters(made)

    assert count(40, 40) == 40 * (2 * 3 + 3 * 16 + 2)
    assert count(5, 8, states=4, rank=2) == 8 * (2 * 2 + 3 * 4 + 2) + 8 * 5


def test_bad_arguments_are_refused(key):
    with pytest.raises(ValueError, match="Selective got inputs=3, units=3, states=0, rank=1; all must be at least 1"):
        Selective(3, 3, states=0, key=key)
    with pytest.raises(ValueError, match=r"step_min=0.1, step_max=0.01; they must be 0 < step_min <= step_max"):
        Selective(3, 3, step_min=0.1, step_max=0.01, key=key)
